"""Raw files against the contract: rows that fit, rows that repeat another, rows set aside with a sentence for each bad cell."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib import schema
from cxlib.errors import DataError, nearest
from cxlib.load import answers, readers, rows
from cxlib.programme import Programme, Reading, Source, Wave

SUGGESTIONS = (
    ("not on the scale", "correct the score, or declare the code under 'missing' if it is none"),
    ("not a whole number", "correct the score; half points were not offered"),
    ("not a number", "type the number in plain digits, or leave the cell empty"),
    ("not a declared code", "correct the code, or declare it under 'labels' or 'missing'"),
    ("not a date", "correct the date, or declare 'date_format'"),
    ("outside the wave", "put the row into the wave of its day, or correct the date"),
    ("the same id", "keep the row that is right and delete the others"),
    ("no id", "give the row its id"),
    ("not above 0", "a weight is a positive number: correct it, or leave the wave unweighted"),
    ("no weight", "give the row its weight, or leave the whole wave unweighted"),
)


class Intake(NamedTuple):
    """One file taken in: its clean rows, the counts, the repair list, and why answers are missing."""

    frame: pd.DataFrame
    verbatims: pd.DataFrame
    file: dict
    repairs: pd.DataFrame
    coverage: pd.DataFrame
    identifiers: pd.DataFrame = pd.DataFrame()  # of the kept rows, in memory only


def wave(programme: Programme, wave: Wave, raw: readers.Raw | None = None) -> Intake:
    """Return one wave of a survey, each row kept whole, repeated, or set aside whole.

    A row with one cell that breaks the contract is set aside whole, because such a cell often means that the row has shifted.
    Rows in the file = kept + quarantined + duplicates. `raw` are the wave's rows where they have been read already. Raises DataError where
    a column is missing or a number is ambiguous.
    """
    raw = rows.of_wave(programme, wave) if raw is None else raw
    survey = programme.survey(wave.survey)
    items = [item for item in programme.asked(survey.id) if programme.column(wave, item.id)]
    fields = {name: column for name in ("response_id", *(f for f in schema_fields() if f != "response_id")) if (column := programme.column(wave, name))}
    _present(wave.named, raw.frame, [*fields.values(), *(programme.column(wave, item.id) for item in items)], f"wave '{wave.id}'")
    reader = _Reader(wave, raw, programme)
    parsed = {name: reader.field(name, column) for name, column in fields.items()}
    parsed |= {item.id: reader.item(item, programme.column(wave, item.id)) for item in items}
    rules = {name: one.rule.copy() for name, one in parsed.items()}
    rules["response_id"][parsed["response_id"].missing != ""] = "no id"
    if "weight" in parsed:
        rules["weight"][parsed["weight"].missing != ""] = "no weight"
    dated = survey.dated_by != "fieldwork_close"
    if dated:
        days = pd.to_datetime(pd.Series(parsed["answered_on"].values, dtype=object), errors="coerce").dt.normalize()
        outside = days.notna() & ((days < pd.Timestamp(wave.first)) | (days > pd.Timestamp(wave.last)))
        rules["answered_on"][outside.to_numpy()] = f"outside the wave's days {wave.first} to {wave.last}"
        rules["answered_on"][(parsed["answered_on"].missing != "")] = "not a date (the cell is empty)"
    equal = _repeated(raw.frame, fields["response_id"])
    ids = pd.Series(parsed["response_id"].values)
    twice = ids.notna() & ids.where(~equal).duplicated(keep=False) & ~equal
    rules["response_id"][twice.to_numpy()] = "the same id as another row with other answers"
    bad = np.zeros(len(raw.frame), dtype=bool)
    for rule in rules.values():
        bad |= rule != ""
    kept = ~equal & ~bad
    columns = fields | {item.id: programme.column(wave, item.id) for item in items}
    frame = pd.DataFrame({name: parsed[name].values[kept] for name in columns})
    frame = _dated(frame, programme, wave, dated)
    # An answer given under a promise that does not permit linking never carries the key, or what identifies its person, by which it could be linked.
    if "link" in survey.uses:
        identifiers = _identifiers(wave, raw, kept, f"wave '{wave.id}'")
    else:
        identifiers = pd.DataFrame()
        frame = frame.drop(columns=[name for name in ("person_id", "account_id") if name in frame])
    quarter = frame["quarter"] if len(frame) else wave.quarter
    texts = [item for item in items if item.kind == "verbatim"]
    return Intake(
        frame=frame.drop(columns=[item.id for item in texts]),
        verbatims=_verbatims(frame, texts),
        file=_file(wave.named, "responses", f"{survey.id} {wave.id}", wave.quarter, raw, kept, ~equal & bad, equal, parsed),
        repairs=_repairs(wave.named, wave.quarter, raw, rules, columns, equal),
        coverage=_coverage(programme, wave, items, parsed, raw, kept, quarter),
        identifiers=identifiers,
    )


def _repeated(frame: pd.DataFrame, key: str | None) -> np.ndarray:
    """Return which rows repeat an earlier one in every cell; only rows that share their key are compared whole."""
    suspects = frame.duplicated([key], keep=False).to_numpy() if key else np.ones(len(frame), dtype=bool)
    equal = np.zeros(len(frame), dtype=bool)
    if suspects.any():
        equal[suspects] = frame[suspects].duplicated(keep="first").to_numpy()
    return equal


def schema_fields() -> list[str]:
    """Return the fields of a response that a file may carry, in the order of the table."""
    made = {"answer", "survey", "wave", "quarter", "week"}
    return [column.name for column in schema.TABLES["responses"] if column.name not in made]


def source(programme: Programme, source: Source) -> Intake:
    """Return one file of another table under the table's own columns; rows without what the table needs are set aside."""
    raw = rows.of_source(programme, source)
    wanted = {one.name: one for one in schema.TABLES[source.table]}
    for name in source.columns | source.fixed | source.values:
        if name not in wanted:
            raise DataError(f"{programme.folder / 'programme.toml'}: source '{source.named}' names '{name}', which is no column of '{source.table}'{nearest(name, wanted)}.")
    columns = {name: source.columns.get(name, name) for name in wanted if name not in source.fixed}
    columns = {name: column for name, column in columns.items() if name in source.columns or column in raw.frame or wanted[name].required}
    _present(source.named, raw.frame, columns.values(), f"the table '{source.table}'")
    reader = _Reader(source, raw, programme)
    parsed = {name: reader.typed(column, wanted[name].type, source.values.get(name)) for name, column in columns.items()}
    rules = {name: one.rule.copy() for name, one in parsed.items()}
    for name, one in parsed.items():
        if wanted[name].required:
            rules[name][one.missing != ""] = f"no id ({name})" if name.endswith("_id") else f"not a date ({name} is empty)" if wanted[name].type in ("date", "moment") else f"{name} is empty"
    key = next(iter(wanted)) if next(iter(wanted)).endswith("_id") and source.table != "actions" else None
    equal = _repeated(raw.frame, columns.get(key))
    if key:
        ids = pd.Series(parsed[key].values)
        rules[key][(ids.notna() & ids.where(~equal).duplicated(keep=False) & ~equal).to_numpy()] = "the same id as another row with other content"
    bad = np.zeros(len(raw.frame), dtype=bool)
    for rule in rules.values():
        bad |= rule != ""
    kept = ~equal & ~bad
    frame = pd.DataFrame({name: parsed[name].values[kept] for name in columns}).assign(**source.fixed)
    return Intake(frame, pd.DataFrame(), _file(source.named, source.table, "", "", raw, kept, ~equal & bad, equal, parsed), _repairs(source.named, "", raw, rules, columns, equal), pd.DataFrame(), _identifiers(source, raw, kept, f"the table '{source.table}'"))


class _Reader(NamedTuple):
    """A file with its locale, so that a number that can be read in two ways is refused with its row and column."""

    reading: Reading
    raw: readers.Raw
    programme: Programme

    def _try(self, column: str, read):
        cells = self.raw.frame[column]
        try:
            return read(cells)
        except ValueError as error:
            raise answers.ambiguous(self.reading.named, column, cells, self.raw, str(error)) from None

    def item(self, item, column: str):
        return self._try(column, lambda cells: answers.column(cells, item=item, programme=self.programme, reading=self.reading))

    def field(self, name: str, column: str):
        kind = next(one.type for one in schema.TABLES["responses"] if one.name == name)
        return self._try(column, lambda cells: answers.numbers(cells, reading=self.reading, above=0)) if name == "weight" else self.typed(column, kind)

    def typed(self, column: str, kind: str, labels: dict | None = None):
        if kind in ("date", "moment"):
            return self._try(column, lambda cells: answers.moments(cells, reading=self.reading, zone=self.programme.timezone))
        if kind == "flag":
            yes = {"1": "1", "0": "0", "TRUE": "1", "FALSE": "0", "True": "1", "False": "0", "true": "1", "false": "0", "yes": "1", "no": "0"}
            return self._try(column, lambda cells: answers.numbers(cells.str.strip().map(lambda cell: yes.get(cell, cell)), reading=self.reading))
        if kind in ("number", "whole"):
            return self._try(column, lambda cells: answers.numbers(cells, reading=self.reading))
        return self._try(column, lambda cells: answers.words(cells.replace(labels) if labels else cells))


def _identifiers(reading: Reading, raw: readers.Raw, kept, where: str) -> pd.DataFrame:
    _present(reading.file, raw.frame, reading.identify.values(), where)
    return pd.DataFrame({name: raw.frame[column].to_numpy()[kept] for name, column in reading.identify.items()})


def _present(file: str, frame: pd.DataFrame, columns, where: str) -> None:
    for column in columns:
        if column not in frame:
            twice = [name for name in frame.columns if name.startswith(f"{column} (column ")]
            if twice:
                raise DataError(f"{file}: several columns are called '{column}'; name the one that {where} needs by its place in programme.toml: {', '.join(repr(name) for name in twice)}.")
            raise DataError(f"{file}: the column '{column}' that {where} needs is missing{nearest(column, frame.columns)}; correct the file, or the column in programme.toml.")


def _dated(frame: pd.DataFrame, programme: Programme, wave: Wave, dated: bool) -> pd.DataFrame:
    days = pd.to_datetime(frame["answered_on"] if dated else pd.Series([pd.Timestamp(wave.last)] * len(frame), index=frame.index)).dt.normalize()
    codes, unique = pd.factorize(days)
    labels = np.array([programme.quarter_of(day.date()) for day in unique] or [wave.quarter], dtype=object)
    made = {"survey": wave.survey, "wave": wave.id, "quarter": labels[codes] if len(frame) else pd.Series(dtype=object), "week": days - pd.to_timedelta(days.dt.day_of_week, unit="D"), "answered_on": days, "answer": f"{wave.survey}/{wave.id}/" + frame["response_id"].astype(str)}
    return frame.assign(**made)


def _verbatims(frame: pd.DataFrame, texts) -> pd.DataFrame:
    keys = ["response_id", "answer", *(["person_id"] if "person_id" in frame else []), "survey", "wave", "quarter"]
    parts = [frame.loc[frame[item.id].notna(), keys].assign(item=item.id, text=frame[item.id], language=frame.get("language")) for item in texts]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _file(file, table, label, quarter, raw, kept, aside, equal, parsed) -> dict:
    return {
        "file": file, "table": table, "wave": label, "quarter": quarter, "rows": len(raw.frame), "kept": int(kept.sum()), "quarantined": int(aside.sum()),
        "duplicates": int(equal.sum()), "trimmed": sum(one.trimmed for one in parsed.values()), "encoding": raw.encoding,
    }  # fmt: skip


def _repairs(file, quarter, raw, rules, columns, equal) -> pd.DataFrame:
    rows = []
    for name, rule in rules.items():
        for place in np.flatnonzero((rule != "") & ~equal):
            advice = next((text for start, text in SUGGESTIONS if start in rule[place]), "correct the cell, or leave it empty")
            rows.append((file, quarter, raw.row(place), columns[name], str(raw.frame[columns[name]].iloc[place])[:200], rule[place], advice))
    return pd.DataFrame(rows, columns=["file", "quarter", "row", "column", "value", "rule", "suggestion"]).sort_values(["row", "column"], ignore_index=True)


def _coverage(programme, wave, items, parsed, raw, kept, quarter) -> pd.DataFrame:
    """Why answers are there or not, by item: not asked is told from not answered by the item's filter."""
    quarters, names = pd.factorize(quarter) if not isinstance(quarter, str) else (np.zeros(int(kept.sum()), dtype=int), np.array([quarter], dtype=object))
    parts = []
    for item in programme.asked(wave.survey):
        if item not in items:
            codes, reasons = np.zeros(int(kept.sum()), dtype=int), ["not asked"]
        else:
            missing = parsed[item.id].missing
            reasons = [*(reason or "answered" for reason in missing.categories), "not asked"]
            codes = missing.codes
            if item.asked_if and (column := programme.column(wave, item.asked_if.item)):
                led = raw.frame[column].str.strip().isin(item.asked_if.values).to_numpy()
                codes = np.where(~led & (missing != ""), len(reasons) - 1, codes)
            codes = codes[kept]
        # Counted by codes: a frame of every answer's reason would be larger than the answers.
        counts = np.bincount(quarters * len(reasons) + codes, minlength=len(names) * len(reasons))
        parts += [(wave.survey, wave.id, names[place // len(reasons)], item.id, reasons[place % len(reasons)], int(count)) for place, count in enumerate(counts) if count]
    columns = ["survey", "wave", "quarter", "item", "reason", "rows"]
    return pd.DataFrame(parts, columns=columns).groupby(columns[:-1], as_index=False, sort=True).sum()
