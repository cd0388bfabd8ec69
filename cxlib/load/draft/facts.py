"""The facts of one file before anything is guessed: its cells, how it is written, its codebook, and how often each answer came."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.load import answers, codebook, readers
from cxlib.load.draft import forms, words
from cxlib.load.readers import headers, workbook
from cxlib.programme import Reading
from cxlib.questionnaire import ROW

SAMPLE = 50_000  # rows from which kinds are guessed, spread evenly over the file; codes are counted in all rows
FEW = 60  # distinct cells up to which a column is counted whole
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".ods", ".xls")
NOTES = 30  # rows below which the first sheet of a workbook may be a page of notes
LONGEST = 200  # characters of a column's name; what is longer is no name


class File(NamedTuple):
    """A file as read: `name` is what the codebook calls it, `columns` its codebook by column, `counts` the answers of columns with few."""

    name: str
    path: Path
    reading: Reading
    raw: readers.Raw
    columns: pd.DataFrame
    counts: dict
    distinct: dict
    sampled: int
    seen: dict  # column -> its distinct filled cells in the rows that are looked at
    told: tuple = ()  # sentences on how the file is laid out, for whoever looks at the draft

    @property
    def rows(self) -> int:
        return len(self.raw.frame)

    def cells(self, column: str, most: int = 3_000) -> list[str]:
        """Return up to `most` distinct filled cells of a column, in the order of the file, spread evenly over it."""
        if column not in self.seen:  # what a column holds is asked many times, and a slice of a long file takes a while
            cells = self.some(column)
            self.seen[column] = cells[cells != ""].unique()
        found = self.seen[column]
        return [str(one) for one in found[:: max(1, -(-len(found) // most))]]

    def some(self, column: str) -> pd.Series:
        """Return a column in the rows that are looked at."""
        return self.raw.frame[column].iloc[:: max(1, -(-self.rows // SAMPLE))]


def of(path: Path, part: Reading | None = None, told: tuple = ()) -> File:
    """Return the facts of a file (of a table or a sheet of it, where `parts` found several). Raises DataError where it cannot be read."""
    reading, raw = _read(path, part) if part else _fullest(path)
    raw, again = _without_headers(raw)
    raw, totals = _without_totals(raw)
    if reading.header_row:
        told = (*told, f"the names of its columns stand in row {reading.header_row}; what stands above is not read")
    step = max(1, -(-len(raw.frame) // SAMPLE))
    sample = raw._replace(frame=raw.frame.iloc[::step])
    columns = codebook.of(sample).set_index("column", drop=False)
    counts, distinct = {}, {}
    for name in raw.frame.columns:
        few = columns.at[name, "distinct"] <= FEW
        if few:
            found = raw.frame[name].value_counts(sort=False) if step > 1 else sample.frame[name].value_counts(sort=False)
            found = found.groupby(found.index.str.strip(), sort=False).sum()
            counts[name] = {str(cell): int(n) for cell, n in sorted(found.items()) if cell != ""} if len(found) <= 2 * FEW else None
            distinct[name] = len(found)
        if not few or counts[name] is None:
            counts.pop(name, None)
            distinct[name] = int(raw.frame[name].nunique()) - int((raw.frame[name] == "").any())
    looks = [name for name in raw.frame.columns if columns.at[name, "kind"] in ("number", "id", "rating", "nominal", "verbatim", "constant")]
    decimal, thousands, doubt = forms.numbers(_numeric(sample.frame, looks))
    delimiter = forms.separator(path, raw.encoding, list(raw.frame.columns), row=reading.header_row)
    reading = reading.model_copy(update={"decimal": decimal, "thousands": thousands, "delimiter": delimiter, "encoding": raw.encoding if raw.encoding in ("cp1252", "utf-16", "utf-32") else ""})
    told = (*told, *_rounded(raw), *again, *totals, *([f"'{doubt}' may mark thousands or decimals by its {'comma' if ',' in doubt else 'point'}: declare 'decimal'."] if doubt else []))
    return File(path.name + (f" [{part.database_table or part.sheet}]" if part else ""), path, reading, raw, columns, counts, distinct, len(sample.frame), {}, told)


def _read(path: Path, reading: Reading) -> tuple[Reading, readers.Raw]:
    """Return a file as read, from the row that looks like its header where a title stands above."""
    try:
        return reading, readers.read(path, reading)
    except headers.Lower as lower:
        reading = reading.model_copy(update={"header_row": lower.row})
        return reading, readers.read(path, reading)


def _fullest(path: Path) -> tuple[Reading, readers.Raw]:
    """Return a file as read; of a workbook that opens with a page of notes, the visible sheet with the most rows."""
    reading = Reading()
    if not path.name.lower().endswith(WORKBOOKS):
        return _read(path, reading)
    fault = best = None
    try:
        reading, best = _read(path, reading)
    except DataError as error:
        fault = error
    if best is not None and (len(best.frame) >= NOTES or not any(note.startswith("Read from the sheet") for note in best.notes)):
        return reading, best
    try:
        names = workbook.sheets(path)[1:]
    except DataError:
        raise fault or DataError(f"{path.name}: its sheets cannot be listed; save it as XLSX.") from None
    for name in names:
        try:
            how, other = _read(path, Reading(sheet=name))
        except DataError as error:
            # A sheet of notes may not be readable; what stops the sheet of the answers must be said.
            fault = fault if " is empty; " in str(error) else DataError(str(error).replace(f"{path.name}:", f"{path.name}, sheet '{name}':", 1))
            continue
        if best is None or len(other.frame) > 2 * len(best.frame):
            best, reading = other, how
    if best is None or (fault is not None and len(best.frame) < NOTES):
        raise fault
    return reading, best


def _without_headers(raw: readers.Raw) -> tuple[readers.Raw, list[str]]:
    """Return a file without rows that repeat its header, as a report printed page by page does, and a note that says so."""
    names = [name for name in raw.frame.columns if not name.startswith("column ") and " (column " not in name]
    again = np.ones(len(raw.frame), dtype=bool) if len(names) > 2 else np.zeros(len(raw.frame), dtype=bool)
    for name in names:
        again &= (raw.frame[name].str.strip() == name).to_numpy(dtype=bool)
        if not again.any():
            return raw, []
    rows = raw.places()[again]
    note = f"{len(rows):,} row{'s repeat' if len(rows) > 1 else ' repeats'} its header (row {rows[0]}{' first' if len(rows) > 1 else ''}): loading sets {'them' if len(rows) > 1 else 'it'} aside"
    return raw._replace(frame=raw.frame[~again].reset_index(drop=True), rows=raw.places()[~again]), [note]


def _without_totals(raw: readers.Raw) -> tuple[readers.Raw, list[str]]:
    """Return a file without the rows of totals or means at its end, which are nobody's answers, and a note that says so."""
    frame, left = raw.frame, 0
    while left < 3 and len(frame) - left > NOTES:
        cells = [str(one).strip() for one in frame.iloc[-1 - left]]
        first = next((one for one in cells if one), "")
        if not words.says(words.TOTALS, first) or sum(one == "" for one in cells) < sum(one == "" for one in map(str.strip, frame.iloc[0])) + 1 + (len(cells) > 8) or (frame.iloc[:-1 - left] == first).any(axis=None):
            break
        left += 1
    if not left:
        return raw, []
    rows = [raw.row(len(frame) - 1 - place) for place in reversed(range(left))]
    said = f"row {rows[0]} at its end holds" if left == 1 else f"rows {rows[0]} to {rows[-1]} at its end hold"
    note = f"{said} totals ('{next(str(one).strip() for one in frame.iloc[-left] if str(one).strip())[:40]}'), no answers: loading sets them aside where they do not fit, but delete them, for a total that fits would count as an answer"
    return raw._replace(frame=frame.iloc[:-left], rows=raw.rows[:-left] if raw.rows is not None else None), [note]


def _rounded(raw: readers.Raw) -> list[str]:
    """Columns of long ids some of which a spreadsheet has cut to their first digits, which are several people's."""
    said = []
    for name in raw.frame.columns:
        cells = raw.frame[name].astype("str")
        lost = cells[cells.str.contains("E+", regex=False)]
        lost = lost[lost.str.fullmatch(answers.ROUNDED.strip("^$"))] if len(lost) else lost
        if len(lost) and cells.drop(lost.index).str.fullmatch(r"[0-9]{9,}").any():
            said.append(f"'{name}' holds ids that a spreadsheet has rounded ('{lost.iloc[0].strip()}' and the like in {len(lost):,} rows): export it again with that column as text, for whose they are cannot be told any more")
    return said


def nameable(name: str) -> bool:
    """Return whether a contract can name a column: it cuts outer blanks, and #row stands for the row's number."""
    return name == name.strip() and 0 < len(name) <= LONGEST and name != ROW


def all_of(path: Path) -> list[File]:
    """Return the facts of a file: of each of its tables where it is a database, of each sheet with rows where a workbook has several, else of it."""
    if path.name.lower().endswith((".duckdb", ".sqlite", ".sqlite3", ".db")):
        from cxlib.load.readers import database, files

        files.check(path, path.parent)
        found = database.names(path)
        return [of(path, Reading(database_table=name)) for name in found] if len(found) > 1 else [of(path)]
    if not path.name.lower().endswith(WORKBOOKS):
        return [of(path)]
    first = of(path)
    read, left = {}, []
    for name in workbook.sheets(path):
        try:
            read[name] = _read(path, Reading(sheet=name))
        except DataError as error:
            left += [] if " is empty; " in str(error) else [name]
    rows = {name: len(raw.frame) if len(raw.frame.columns) > 1 else 0 for name, (_, raw) in read.items()}
    full = [name for name, n in rows.items() if n >= NOTES]
    left += [name for name in read if name not in full]
    told = (f"only {'the sheets ' if len(full) > 1 else ''}{', '.join(map(repr, full))} {'are' if len(full) > 1 else 'is'} read; not looked at: {', '.join(map(repr, left))}",) if full and left else ()
    return [of(path, read[name][0], told if place == 0 else ()) for place, name in enumerate(full)] if len(full) > 1 else [first._replace(told=(*first.told, *told))]


def matrix(file: File, names: list[str]) -> dict[str, np.ndarray]:
    """Return columns of the sample as numbers, NaN where a cell is none."""
    return {name: pd.to_numeric(file.some(name).astype(object), errors="coerce").to_numpy(dtype=float) for name in names}


def _numeric(frame: pd.DataFrame, names: list[str]) -> list[str]:
    """Distinct cells with a comma or a point, of columns in which nearly every cell is a number however written, or an amount of money."""
    found = []
    for name in names:
        cells = [str(one).strip() for one in frame[name].unique()[:500]]
        cells = [one for one in cells if one]
        looks = [one for one in cells if len(one) < 30 and forms.figures(one)]
        if len(looks) >= 0.9 * len(cells):
            found += [one for one in looks if "," in one or "." in one]
    return found


def again(file: File, raw: readers.Raw, other: File) -> File:
    """Return a file's facts with the columns that were added to it from another, whose own facts they keep."""
    added = [name for name in raw.frame.columns if name not in file.raw.frame.columns]
    return file._replace(raw=raw, seen={}, columns=pd.concat([file.columns, other.columns.loc[added]]), counts=file.counts | {name: other.counts[name] for name in added if name in other.counts}, distinct=file.distinct | {name: int(raw.frame[name].nunique()) for name in added})
