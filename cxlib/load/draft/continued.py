"""The next wave of a programme that is there: new files that hold the columns of an earlier one are added, read as it is."""

import contextlib
import datetime as dt
import os
import shutil
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cxlib import programme as programmes
from cxlib import quarters, schema
from cxlib.errors import DataError, UsageError, nearest
from cxlib.load import intake, readers
from cxlib.load.draft import toml

OWN = ("id", "quarter", "first", "last", "file", "parts", "invited", "note")  # what an earlier wave says of itself alone


class Fit(NamedTuple):
    """An earlier wave or source, and what of its columns a file holds."""

    of: object
    kind: str  # waves or sources
    place: int  # in programme.toml
    needed: list[str]
    absent: list[str]


def add(files: list[Path], folder: Path, *, quarter: str | None, say) -> None:
    """Add files to a programme: each as the next wave of the survey, or the next file of the table, whose columns it holds.

    A wave is read as the latest one whose columns are all there; its quarter and days are those of its answers, or `quarter`. Raises UsageError for a file whose
    name is taken or whose quarter cannot be told, DataError for one that fits nothing, naming what is missing; nothing is written then.
    """
    folder = Path(folder)
    target = folder / "programme.toml"
    made, text = programmes.read(folder), target.read_text("utf-8")
    before = made
    if quarter is not None:
        quarters.check(quarter)
    told = []
    for path in files:
        if (made.raw / path.name).exists():
            raise UsageError(f"{made.raw / path.name} is there already; a newer export of the same name takes its place by hand, and the next quarter has a name of its own. Nothing was written.")
        fit = _fit(path, before)
        block, sentence = (_wave if fit.kind == "waves" else _source)(path, fit, made, tomllib.loads(text)[fit.kind][fit.place], quarter)
        text = f"{text.rstrip()}\n\n{block}"
        made = _tried(text, made)
        told.append(sentence)
    _written(text, files, made.raw, target)
    for sentence in told:
        say(sentence)
    say(f"Next: cx check {folder}, then cx report {folder}")


def _fit(path: Path, made) -> Fit:
    """The latest wave, or the source, whose columns a file holds; the one that asks for most of them where several do."""
    fits, seen = [], {}
    for kind, ones in (("waves", made.waves), ("sources", made.sources)):
        for place, one in enumerate(ones):
            if one.joins or one.database or (kind == "waves" and one.where):
                continue
            way = repr(one.model_dump(include=set(programmes.Reading.model_fields) - {"identify"}))
            if way not in seen:
                seen[way] = None
                with contextlib.suppress(DataError):  # it is read as that one is, which need not be possible
                    seen[way] = _names(path, one)
            if seen[way] is not None and (needed := _needed(made, kind, one)):
                fits.append(Fit(one, kind, place, needed, [name for name in needed if name not in seen[way]]))
    if not fits:
        names = _names(path, programmes.Reading())  # says why it cannot be read
        raise DataError(f"{path.name}: no earlier wave or file of this programme says how to read it ({len(names)} columns); add it to programme.toml by hand. Nothing was written.")
    whole = [fit for fit in fits if not fit.absent]
    if not whole:
        near = max(fits, key=lambda fit: (1 - len(fit.absent) / len(fit.needed), len(fit.needed), _age(fit)))
        names = _names(path, near.of)
        absent = "; ".join(f"'{name[:60]}'{nearest(name, names)}" for name in near.absent[:6])
        raise DataError(f"{path.name}: it comes nearest to {_called(near)}, but of its columns {len(near.absent)} of {len(near.needed)} are missing: {absent}. Correct the file, or add it to programme.toml by hand with its own columns. Nothing was written.")
    return max(whole, key=lambda fit: (len(fit.needed), _age(fit)))


def _names(path: Path, reading) -> list[str]:
    return list(next(readers.parts(path, reading)()).frame)


def _needed(made, kind: str, one) -> list[str]:
    if kind == "waves":
        columns = [made.column(one, name) for name in (*intake.schema_fields(), *(item.id for item in made.asked(one.survey)))]
    else:
        columns = [*one.columns.values(), *(column.name for column in schema.TABLES[one.table] if column.required and column.name not in {**one.columns, **one.fixed})]
    return [name for name in dict.fromkeys((*columns, *one.identify.values())) if name and name != "#row"]


def _age(fit: Fit) -> tuple:
    return (fit.of.quarter, str(fit.of.last)) if fit.kind == "waves" else ("", str(fit.place))


def _called(fit: Fit) -> str:
    return f"wave '{fit.of.id}' of survey '{fit.of.survey}' ({fit.of.named})" if fit.kind == "waves" else f"{fit.of.named}, a file of {fit.of.table}"


def _wave(path: Path, fit: Fit, made, given: dict, quarter: str | None) -> tuple[str, str]:
    before, survey = fit.of, made.survey(fit.of.survey)
    days, rows = _days(path, made, before)
    if quarter is None and not days:
        raise UsageError(f"{path.name}: it holds no days, so its quarter cannot be told; name it: --quarter {quarters.back(before.quarter, -_gap(made, survey.id))}. Nothing was written.")
    found = Counter(made.quarter_of(day) for day in days.elements())
    quarter = quarter or found.most_common(1)[0][0]
    start, end = quarters.bounds(quarter, start=made.fiscal_year_start, label=made.fiscal_year_label)
    inside = [day for day in days if start <= day <= end]
    if days and not inside:
        raise UsageError(f"{path.name}: none of its answers lies in {quarter} ({start} to {end}); they are of {', '.join(f'{name} ({count:,})' for name, count in found.most_common(3))}. Nothing was written.")
    bounds = quarters.bounds(before.quarter, start=made.fiscal_year_start, label=made.fiscal_year_label)
    first, last = (min(inside), max(inside)) if inside and (before.first, before.last) != bounds else (start, end)
    taken = {wave.id for wave in made.waves if wave.survey == survey.id}
    name = next(one for one in (quarter, *(f"{quarter}-{number}" for number in range(2, 99))) if one not in taken)
    keys = {"id": name, "survey": survey.id, "quarter": quarter, "first": first, "last": last, "file": path.name}
    outside = sum(days.values()) - sum(count for day, count in days.items() if first <= day <= last)
    remark = "" if days else "; its days are those of the quarter, because the file holds none: correct them to those of the fieldwork"
    sentence = f"{path.name}: wave '{name}' of survey '{survey.id}', read as wave '{before.id}': {rows:,} rows, {first} to {last}{remark}." + (f" {outside:,} {'row lies' if outside == 1 else 'rows lie'} on other days and will be set aside." if outside and survey.dated_by != "fieldwork_close" else "")
    return _block("waves", keys, {key: value for key, value in given.items() if key not in (*OWN, *keys)}, f"Added from {path.name}, read as wave '{before.id}'{remark}."), sentence


def _gap(made, survey: str) -> int:
    """The quarters between a survey's last two waves; 1 where it has one."""
    told = sorted({wave.quarter for wave in made.waves if wave.survey == survey})[-2:]
    return quarters.between(*told) if len(told) == 2 else 1


def _source(path: Path, fit: Fit, _, given: dict, __) -> tuple[str, str]:
    block = _block("sources", {"table": fit.of.table, "file": path.name}, {key: value for key, value in given.items() if key not in ("table", "file")}, f"Added from {path.name}, read as {fit.of.named}.")
    return block, f"{path.name}: more rows of the table {fit.of.table}, read as {fit.of.named}."


def _days(path: Path, made, before) -> tuple[Counter, int]:
    """How many rows of a file lie on each day of answering; none where it does not say, or where nothing in the column is a date."""
    column = made.column(before, "answered_on")
    survey = made.survey(before.survey).model_copy(update={"dated_by": "experience", "rake": None})
    wave = before.model_copy(update={"file": path.name, "parts": (), "first": dt.date(1900, 1, 1), "last": dt.date(2200, 1, 1)})
    wide = made.model_copy(update={"raw": path.parent, "surveys": (survey,), "waves": (wave,)})
    days, rows = Counter(), 0
    for part in intake.wave_parts(wide if column else wide.model_copy(update={"surveys": (made.survey(before.survey),)}), wave):
        rows += sum(file["rows"] for file in part.files)
        if column:
            days.update(part.frame["answered_on"].dropna().dt.date.tolist())
    return days, rows


def _block(kind: str, keys: dict, more: dict, remark: str) -> str:
    lines = [toml.comment(remark), f"[[{kind}]]", *(f"{key} = {_value(value)}" for key, value in {**keys, **more}.items() if not isinstance(value, dict))]
    for key, value in more.items():
        if isinstance(value, dict):
            lines += [f"[{kind}.{key}]", *(f"{toml.key(name)} = {_value(one)}" for name, one in value.items())]
    return "\n".join(lines) + "\n"


def _value(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return toml.text(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml.key(name)} = {_value(one)}" for name, one in value.items()) + "}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _tried(text: str, made):
    """Return the programme that the text makes, where it keeps the contract."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "programme.toml").write_text(text, "utf-8")
        try:
            return programmes.read(Path(place), raw=made.raw)
        except DataError as error:
            raise DataError(f"{str(error).replace(f'{place}{os.sep}', '')}\nNothing was written.") from None


def _written(text: str, files: list[Path], raw: Path, target: Path) -> None:
    """Copy the files, then name them: a copy that fails is taken back, and the contract is changed last."""
    copied = []
    try:
        for path in files:
            part = raw / f".{path.name}.part"
            copied += [part, raw / path.name]
            shutil.copyfile(path, part, follow_symlinks=False)
            shutil.copystat(path, part, follow_symlinks=False)
            part.chmod(0o644)
            part.rename(raw / path.name)
        temporary = target.with_name(f".{target.name}.part")
        temporary.write_text(text, "utf-8")
        temporary.replace(target)
    except BaseException as error:
        for path in copied:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(f"{error.filename or raw}: {error.strerror}. Nothing was written.") from None
        raise
