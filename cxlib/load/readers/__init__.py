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


def read(path: Path, reading: Reading, *, within: Path | None = None) -> Raw:
    """Return a raw file as text cells with what it declares about its columns (see Raw).

    `within` is the folder that the file must not leave, also through links (its own folder by default). Where `reading` names
    a database, the table is read from there and `path` is not looked at. Raises DataError for whatever is missing, empty, cut
    off, of unknown form or mixed encoding, or whose rows do not match its header: file, row, column, value and remedy.
    """
    if reading.database:
        from cxlib.load.readers import database

        return database.read_server(reading)
    path = Path(path)
    files.check(path, within or path.parent)
    name = path.name.lower()
    form = FORMS.get(Path(name.removesuffix(".gz")).suffix)
    if form is None or (name.endswith(".gz") and form not in GZIPPED):
        raise DataError(f"{path.name}: files of this kind are not read; export it as CSV, XLSX, SPSS, Stata, Parquet or JSON lines{', unpacked' if form else ''}.")
    return importlib.import_module(f"cxlib.load.readers.{form}").read(path, reading)


def joined(folder: Path, reading: Reading) -> Raw:
    """Return the file of a wave together with its further parts, each read as the first is: rows keep the file and the row they came from."""
    names = [reading.file, *getattr(reading, "parts", ())]
    found = [read(folder / name, reading, within=folder) for name in names]
    return raw.joined(found, names) if len(found) > 1 else found[0]


__all__ = ["Raw", "ResponseSet", "joined", "read"]
