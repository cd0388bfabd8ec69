"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): looked over from outside, then read in a confined process."""

import zipfile
from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import confined, headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of workbooks from before 2007, and of encrypted ones
INFLATED, RATIO, MOST = 16 * 2**20, 120, 2 * 2**30
START = 4096  # a document type stands at the start of a part or nowhere


def read(path: Path, reading: Reading) -> Raw:
    """Return a sheet as Raw: dates in ISO form by the workbook's own epoch, numbers as typed, empty rows left out.

    Rows keep the numbers they have in the sheet. Raises DataError for a workbook that is encrypted, damaged, of another kind
    than its name says, or larger inside than its size explains.
    """
    size = _looked_over(path)
    facts, table = confined.run("workbook", path, {"sheet": reading.sheet}, size=size)
    header = headers.read(facts["head"], path.name, reading.header, lines=facts["lines"], row=reading.header_row)
    above = facts["lines"].index(reading.header_row) if reading.header_row else 0
    _whole_header(facts, header, path, above)
    if len(header.names) < facts["width"]:
        line, row = next((line, row) for line, row in zip(facts["lines"], facts["head"], strict=True) if len(row) > len(header.names))
        raise DataError(f"{path.name}: row {line} has a value in column {len(row)} where the header has {len(header.names)} columns; mend the row, or name the column.")
    rows = table.column("#").to_numpy()[header.rows :]
    # A header of two rows may end before or after the widest row; cells beyond the last column were empty.
    table = table.drop_columns(["#"]).slice(header.rows).rename_columns(header.names[: facts["width"]])
    first = int(rows[0]) if len(rows) else facts["first"] + header.rows
    left = len(rows) and rows[-1] - rows[0] + 1 - len(rows)
    notes = (*header.notes, *([f"{left:,} empty rows were left out."] if left else []))
    notes = (*notes, *([f"Read from the sheet '{facts['sheet']}' of {', '.join(facts['sheets'])}."] if len(facts["sheets"]) > 1 else []))
    notes = (*notes, *_notes(facts, header))
    sets = headers.sets(header, lambda name: table.column(name).unique()[:3].to_pylist())
    return raw.table(table, first_row=first, rows=rows if left else None, encoding=path.suffix.lower().removeprefix("."), wording=header.wording, zones=header.zones, sets=sets, notes=notes)


def sheets(path: Path) -> list[str]:
    """Return the names of the visible sheets, in the workbook's order."""
    facts, _ = confined.run("workbook", path, {"sheet": ""}, size=_looked_over(path))
    return facts["visible"]


def _whole_header(facts: dict, header: headers.Header, path: Path, above: int) -> None:
    """Raise DataError where a cell of the header is merged over several columns: those behind the first have no name."""
    first, last = facts["lines"][above], facts["lines"][min(header.rows, len(facts["lines"])) - 1]
    for (top, left), (bottom, right) in facts["merged"]:
        if header.rows == above + 1 and right > left and top + 1 <= last and bottom + 1 >= first:
            raise DataError(f"{path.name}: row {first}: one cell of the header is merged over the columns {left + 1} to {right + 1}; take the merging back and give every column its own name.")


def _notes(facts: dict, header: headers.Header) -> list[str]:
    """Say which cells hold an error of the spreadsheet, or a formula whose result was not saved."""

    def place(row: int, column: int) -> str:
        name = column - facts["left"]
        return f"row {row}, column '{header.names[name - 1] if 0 < name <= len(header.names) else column}'"

    said = []
    if facts["errors"]:
        said.append(f"{facts['failed']:,} cells hold an error of the spreadsheet, the first {facts['errors'][0][2]} in {place(*facts['errors'][0][:2])}.")
    if facts["formulas"]:
        said.append(f"{facts['unsaved']:,} cells hold a formula without its result, the first in {place(*facts['formulas'][0])}: open the workbook in a spreadsheet program and save it.")
    if facts["blind"]:
        said.append("Errors of the spreadsheet (#N/A, #DIV/0!) cannot be told from blanks in a workbook of this kind: save it as XLSX to be sure.")
    return said


def _looked_over(path: Path) -> int:
    """Return how many bytes the workbook unpacks to; refuse what no workbook of answers looks like."""
    with path.open("rb") as file:
        start = file.read(8)
        if start == OLE:
            file.seek(0)
            locked = "EncryptedPackage".encode("utf-16-le") in file.read(2**20) or _tail_locked(path)
            if locked:
                raise DataError(f"{path.name}: the workbook is encrypted with a password; save it without one.")
            if path.suffix.lower() == ".xls":
                return path.stat().st_size
            raise DataError(f"{path.name}: this is a workbook of the old kind (.xls) under the name {path.suffix}; save it as XLSX.")
    if not start.startswith(b"PK"):
        raise DataError(f"{path.name}: this is no workbook, whatever its name says; save it as XLSX, or give a text file its own ending (.csv).")
    try:
        with zipfile.ZipFile(path) as archive:
            return _parts(archive, path)
    except DataError:
        raise
    except Exception as error:  # of a damaged archive any: those of zipfile, zlib, struct and the file system
        raise DataError(f"{path.name}: the workbook is damaged or cut off ({str(error)[:120]}); save it again as XLSX.") from None


def _tail_locked(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**20))
        return "EncryptedPackage".encode("utf-16-le") in file.read()


def _parts(archive: zipfile.ZipFile, path: Path) -> int:
    infos = archive.infolist()
    total = sum(one.file_size for one in infos)
    packed = max(path.stat().st_size, 1)
    if len(infos) > 10_000 or total > MOST or (total > INFLATED and total > RATIO * packed):
        raise DataError(f"{path.name}: the workbook unpacks to {total / 2**20:,.0f} MiB from {packed / 2**20:,.1f} MiB, as none with answers does; check where it comes from.")
    for one in infos:
        if one.flag_bits & 1:
            raise DataError(f"{path.name}: the workbook is encrypted with a password; save it without one.")
        if one.filename.lower().endswith((".xml", ".rels")):
            with archive.open(one) as part:
                start = part.read(START)
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start or "<!DOCTYPE".encode("utf-16-le") in start or "<!DOCTYPE".encode("utf-16-be") in start:
                raise DataError(f"{path.name}: the part '{one.filename}' declares a document type, which no workbook may; check where it comes from.")
    return total
