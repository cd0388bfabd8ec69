"""An SPSS or Stata file as CSV on standard output, with what it declares; run by confined.py in a process of its own."""

import datetime as dt
import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # behind the standard library: names here are ours only
import confined_child as child
import pyreadstat

SPSS, STATA = dt.datetime(1582, 10, 14), dt.datetime(1960, 1, 1)
DAYS = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR")
MOMENTS = ("DATETIME", "YMDHMS")
TIMES = ("TIME", "DTIME", "MTIME")
RANGE = 200  # codes listed from a range of missing values; what lies beyond is in the notes


def number(value) -> str:
    """Return a number in its shortest plain form: 5.0 as 5."""
    return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else repr(float(value))


def spss(form: str):
    """Return the function that turns a number with this format into text: dates in ISO form, times as hours."""
    kind = form.rstrip("0123456789.").upper()
    if kind in DAYS:
        return lambda value: (SPSS + dt.timedelta(seconds=value)).date().isoformat()
    if kind in MOMENTS:
        return lambda value: (SPSS + dt.timedelta(seconds=value)).isoformat(sep=" ")
    return hours if kind in TIMES else number


def stata(form: str):
    """Return the same for a Stata format, whose periods (weeks, months, quarters) become the first day of each."""
    kind = form.lstrip("%-").removeprefix("t")[:1] if form.startswith(("%t", "%-t", "%d")) else ""
    first = {
        "c": lambda value: (STATA + dt.timedelta(milliseconds=value)).isoformat(sep=" "), "C": lambda value: (STATA + dt.timedelta(milliseconds=value)).isoformat(sep=" "),
        "d": lambda value: (STATA + dt.timedelta(days=value)).date().isoformat(), "w": lambda value: (dt.date(1960 + int(value // 52), 1, 1) + dt.timedelta(days=7 * int(value % 52))).isoformat(),
        "m": lambda value: dt.date(1960 + int(value // 12), int(value % 12) + 1, 1).isoformat(), "q": lambda value: dt.date(1960 + int(value // 4), int(value % 4) * 3 + 1, 1).isoformat(),
        "h": lambda value: dt.date(1960 + int(value // 2), int(value % 2) * 6 + 1, 1).isoformat(),
    }  # fmt: skip
    return first.get("d" if form.startswith("%d") else kind, number)


def hours(value: float) -> str:
    sign, value = "-" if value < 0 else "", abs(value)
    rest = round(value % 60, 6)
    return f"{sign}{int(value // 3600):02d}:{int(value % 3600 // 60):02d}:{int(rest):02d}" + (f"{rest % 1:.6f}"[1:].rstrip("0") if rest % 1 else "")


def words(values, code, letters: bool) -> tuple[list, list]:
    """Return a column as text by its distinct values, and those that are numbers."""
    known = {}
    for value in set(values):
        if value is None or value != value:
            known[value] = ""
        elif isinstance(value, str):
            known[value] = f".{value}" if letters else value
        else:
            try:
                known[value] = code(value)
            except (OverflowError, ValueError):
                known[value] = number(value)
    return [known[value] if value == value else "" for value in values], [value for value in known if isinstance(value, int | float) and value == value]


def missing(meta, name: str, code, labels: dict, seen: list) -> tuple[dict, str]:
    """Return the user-missing codes of a column with what they mean, and a note where they are a range."""
    found, note = {}, ""
    for one in meta.missing_ranges.get(name) or []:
        low, high = one["lo"], one["hi"]
        if isinstance(low, str) or low == high:
            found[low if isinstance(low, str) else code(low)] = ""
            continue
        note = f"{name}: every value from {number(low) if abs(low) < 1e300 else 'the lowest'} to {number(high) if abs(high) < 1e300 else 'the highest'} is declared missing."
        inside = sorted({value for value in (*seen, *(meta.variable_value_labels.get(name) or {})) if not isinstance(value, str) and low <= value <= high})
        found |= dict.fromkeys((code(value) for value in inside[:RANGE]), "")
    return {one: labels.get(one) or "declared missing" for one in found}, note


def read(path: str, options: dict) -> None:
    kind = options["kind"]
    given = {"output_format": "dict", "disable_datetime_conversion": True}
    if options.get("encoding"):
        given["encoding"] = options["encoding"]
    reader = {"por": pyreadstat.read_por, "dta": pyreadstat.read_dta}.get(kind, pyreadstat.read_sav)
    if kind == "por":
        given.pop("encoding", None)
    else:
        given["user_missing"] = True
    data, meta = reader(path, **given)
    names, columns = list(meta.column_names), []
    facts = {"names": names, "labels": {}, "missing": {}, "wording": {}, "sets": {}, "notes": [], "encoding": meta.file_encoding or "", "width": len(names)}
    for name in names:
        form = str(meta.original_variable_types.get(name) or "")
        textual = meta.readstat_variable_types.get(name) == "string"
        code = (lambda value: value) if textual else stata(form) if kind == "dta" else spss(form)
        cells, seen = words(data[name], code, letters=kind == "dta" and not textual)
        columns.append(cells)
        labels = {(f".{one}" if kind == "dta" and not textual else one) if isinstance(one, str) else number(one): text for one, text in (meta.variable_value_labels.get(name) or {}).items()}
        codes, note = missing(meta, name, code, labels, seen)
        if kind == "dta":
            codes |= {f".{one}": labels.get(f".{one}") or "declared missing" for one in meta.missing_user_values.get(name) or [] if isinstance(one, str)}
        facts["labels"] |= {name: labels} if labels else {}
        facts["missing"] |= {name: codes} if codes else {}
        facts["notes"] += [note] if note else []
        facts["wording"] |= {name: meta.column_names_to_labels[name]} if meta.column_names_to_labels.get(name) else {}
    for name, one in (getattr(meta, "mr_sets", None) or {}).items():
        counted = one.get("counted_value")
        facts["sets"][name] = {"columns": one["variable_list"], "wording": one.get("label") or "", "counted": "" if counted is None else str(counted)}
    facts["notes"] += [f"File label: {meta.file_label}."] if meta.file_label else []
    facts["rows"] = meta.number_rows
    child.tell(facts)
    child.writer().writerows((line, *row) for line, row in enumerate(zip(*columns, strict=True), start=1))


if __name__ == "__main__":
    child.main(read)
