"""What the library that reads workbooks leaves out: cells that hold an error, and formulas whose result was not saved; both arrive as blanks.

Read from the sheet's own XML, and only where a search of its bytes finds one at all. Part of the confined script for workbooks.
"""

import posixpath
import zipfile
from xml.parsers import expat

PIECE = 2**22
SIGNS = (b't="e"', b"t='e'", b"<f", b":f>", b":f ", b":f/")  # an error, or a formula: a plain search, because a long sheet is searched whole
UNSAVED = "#FORMULA!"  # the words of the spreadsheet for the others: #N/A, #DIV/0!, #REF!, ...
MOST = 2_000_000


def marks(path: str, sheet: str) -> dict | None:
    """Return {row: {column: the word for what is wrong}} of a sheet; None where the form of the workbook does not let us see."""
    if not path.lower().endswith((".xlsx", ".xlsm")):
        return None
    with zipfile.ZipFile(path) as archive:
        part = _part(archive, sheet)
        if part is None or not _suspect(archive, part):
            return {}
        return _marked(archive, part)


def facts(found: dict | None) -> dict:
    """Return what is told of the marks: how many, and the first of each kind."""
    cells = [(row, column, word) for row, one in sorted((found or {}).items()) for column, word in sorted(one.items())]
    failed, unsaved = [one for one in cells if one[2] != UNSAVED], [one for one in cells if one[2] == UNSAVED]
    return {"failed": len(failed), "errors": failed[:1], "unsaved": len(unsaved), "formulas": [one[:2] for one in unsaved[:1]]}


def _elements(archive: zipfile.ZipFile, part: str, begin) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            parser.Parse(piece, False)
    parser.Parse(b"", True)


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the part of the archive that holds a sheet, through the workbook's relations."""
    main, relation, targets = "xl/workbook.xml", [], {}
    if main not in archive.namelist():
        return None

    def sheets(tag, given):
        if tag.rpartition(":")[2] == "sheet" and given.get("name") == sheet:
            relation.extend(value for name, value in given.items() if name.rpartition(":")[2] == "id" and ":" in name)

    def relations(tag, given):
        if tag.rpartition(":")[2] == "Relationship":
            targets[given.get("Id")] = given.get("Target", "")

    _elements(archive, main, sheets)
    _elements(archive, "xl/_rels/workbook.xml.rels", relations)
    target = targets.get(relation[0]) if relation else None
    if not target:
        return None
    part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    return part if part in archive.namelist() else None


def _suspect(archive: zipfile.ZipFile, part: str) -> bool:
    with archive.open(part) as file:
        tail = b""
        while piece := file.read(PIECE):
            piece = tail + piece
            if any(sign in piece for sign in SIGNS):
                return True
            tail = piece[-64:]
    return False


def _marked(archive: zipfile.ZipFile, part: str) -> dict:
    found: dict = {}
    at = {"row": 0, "column": 0, "error": False, "formula": False, "value": None, "count": 0}

    def begin(tag, given):
        tag = tag.rpartition(":")[2]
        if tag == "row":
            at.update(row=int(given.get("r", at["row"] + 1)), column=0)
        elif tag == "c":
            at.update(column=_column(given["r"]) if "r" in given else at["column"] + 1, error=given.get("t") == "e", formula=False, value=None)
        elif tag == "f":
            at["formula"] = True
        elif tag in ("v", "t"):
            at["value"] = ""

    def text(piece):
        if at["value"] is not None:
            at["value"] += piece[:64]

    def end(tag):
        tag = tag.rpartition(":")[2]
        if tag == "f":
            at["value"] = None
        elif tag == "c" and (at["error"] or (at["formula"] and at["value"] in (None, ""))):
            at["count"] += 1
            if at["count"] <= MOST:
                found.setdefault(at["row"], {})[at["column"]] = (at["value"] or "#N/A")[:20] if at["error"] else UNSAVED

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            parser.Parse(piece, False)
    return found


def _column(place: str) -> int:
    """Return the number of a column from a cell's place: B7 is 2."""
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + ord(letter.upper()) - 64
    if not 0 < number <= 16_384:
        raise ValueError(f"the cell {place[:20]} lies outside the sheet")
    return number
