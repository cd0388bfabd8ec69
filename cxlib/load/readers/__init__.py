"""Raw files as text: every cell a string exactly as it stands, so that nothing is guessed before the contract speaks."""

import importlib
from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import files, raw
from cxlib.load.readers.raw import Raw, ResponseSet
from cxlib.programme import Reading

# The end of a file's name -> the module that reads it; text and JSON lines may also be gzipped.
FORMS = {
    ".csv": "text", ".tsv": "text", ".txt": "text", ".tab": "text", ".jsonl": "lines", ".ndjson": "lines", ".json": "lines",
    ".xlsx": "workbook", ".xlsm": "workbook", ".xlsb": "workbook", ".xls": "workbook", ".ods": "workbook",
    ".sav": "statistics", ".zsav": "statistics", ".por": "statistics", ".dta": "statistics",
    ".parquet": "columnar", ".duckdb": "database", ".sqlite": "database", ".sqlite3": "database", ".db": "database",
}  # fmt: skip
GZIPPED = ("text", "lines")
PARTED = ("text", "lines", "columnar")  # forms that may be longer than memory; others are read whole, and cut into parts then


def read(path: Path, reading: Reading, *, within: Path | None = None) -> Raw:
    """Return a raw file as text cells with what it declares about its columns (see Raw).

    `within` is the folder that the file must not leave, also through links (its own folder by default). Where `reading` names
    a database, the table is read from there and `path` is not looked at. Raises DataError for whatever is missing, empty, cut
    off, of unknown form or mixed encoding, or whose rows do not match its header: file, row, column, value and remedy.
    """
    if reading.database:
        from cxlib.load.readers import database

        return database.read_server(reading)
    return _form(path, within)[0].read(Path(path), reading)


def parts(path: Path, reading: Reading, *, within: Path | None = None):
    """Return a function that yields the same cells in parts, each a Raw with the rows it holds, from the start of the file at every call.

    A long text or Parquet file, or one of a record a line, is never whole in memory. Raises what `read` does: what only the cells show (a row of another
    length than the header) while they are read.
    """
    module, parted = (None, False) if reading.database else _form(path, within)
    if parted:
        return module.parts(Path(path), reading)
    whole = read(path, reading, within=within)
    return lambda: raw.slices(whole)


def _form(path: Path, within: Path | None):
    """Return the module that reads a file, and whether it does so in parts."""
    path = Path(path)
    files.check(path, within or path.parent)
    name = path.name.lower()
    form = FORMS.get(Path(name.removesuffix(".gz")).suffix)
    if form is None or (name.endswith(".gz") and form not in GZIPPED):
        raise DataError(f"{path.name}: files of this kind are not read; export it as CSV, XLSX, SPSS, Stata, Parquet or JSON lines{', unpacked' if form else ''}.")
    return importlib.import_module(f"cxlib.load.readers.{form}"), form in PARTED


def joined(folder: Path, reading: Reading):
    """Return a function that yields the file of a wave and its further parts one after the other, and the columns of each file by its name.

    Each Raw knows the file and the row it came from; a column that one of the files lacks is blank there.
    """
    names = [reading.file, *getattr(reading, "parts", ())]
    readers = [parts(folder / name, reading, within=folder) for name in names]
    columns = {name or reading.named: list(next(read()).frame) for name, read in zip(names, readers, strict=True)}
    if len(names) == 1:
        return readers[0], columns
    every = list(dict.fromkeys(column for own in columns.values() for column in own))

    def again():
        for name, read in zip(names, readers, strict=True):
            for one in read():
                yield one._replace(frame=one.frame.reindex(columns=every, fill_value="").astype(raw.TEXT), source=name)

    return again, columns


__all__ = ["Raw", "ResponseSet", "joined", "parts", "read"]
