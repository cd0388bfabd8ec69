"""SPSS (.sav, .zsav, .por) and Stata (.dta) files: codes as they stand, with every label and user-missing code the file declares."""

import tempfile
from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import confined, headers, portable, raw
from cxlib.load.readers.raw import Raw, ResponseSet
from cxlib.programme import Reading

STARTS = {"sav": (b"$FL2", b"$FL3"), "zsav": (b"$FL2", b"$FL3"), "dta": (b"<stata_dta>", *(bytes([n]) for n in (*range(102, 106), 108, *range(110, 116))))}


def read(path: Path, reading: Reading) -> Raw:
    """Return an SPSS or Stata file as Raw; rows are counted from 1.

    Codes stay codes (labels are in `labels`), and a user-missing code stays what it is, listed in `missing` with what it
    means: it never turns into a blank. Stata's missing letters are written .a to .z. Raises DataError for a file that is cut off or no such file.
    """
    kind = path.suffix.lower().removeprefix(".")
    with path.open("rb") as file:
        start = file.read(12)
    if kind in STARTS and not start.startswith(STARTS[kind]):
        raise DataError(f"{path.name}: this is no {'Stata' if kind == 'dta' else 'SPSS'} file, whatever its name says, or it is damaged; export it again.")
    size = path.stat().st_size * (1 if kind == "por" else 8)  # compressed numbers take one byte of eight
    if kind == "por":
        facts, table = _portable(path, size)
    else:
        facts, table = confined.run("statistics", path, {"kind": kind, "encoding": reading.encoding}, size=size)
    names, notes = headers.read([facts["names"]], path.name, "one").names, tuple(facts["notes"])
    sets = {name: ResponseSet(tuple(one["columns"]), one["wording"], one["counted"]) for name, one in facts["sets"].items()}
    table = table.drop_columns(["#"]).rename_columns(names)
    return raw.table(table, first_row=1, encoding=f"{kind} {facts['encoding']}".strip(), wording=facts["wording"], labels=facts["labels"], missing=facts["missing"], sets=sets, notes=notes)


def _portable(path: Path, size: int):
    """The same for a portable file, whose missing codes the library would blank."""
    options, ranges, note = {"kind": "por", "encoding": ""}, {}, []
    with tempfile.TemporaryDirectory() as folder:
        source = path
        try:
            content, ranges = portable.declared(path.read_bytes())
            if ranges:
                source = Path(folder) / path.name
                source.write_bytes(content)
        except ValueError:
            note = ["Whether missing codes are declared could not be told: such codes would arrive as blanks. Save the file as .sav to be sure."]
        facts, table = confined.run("statistics", source, options, size=size)
    for name, declared in ranges.items():
        cells = table.column(facts["names"].index(name) + 1).unique().to_pylist()
        facts["missing"][name] = {code: facts["labels"].get(name, {}).get(code) or "declared missing" for one in declared for code in _codes(one, cells)}
    return {**facts, "notes": [*facts["notes"], *note]}, table


def _codes(declared, cells: list[str]) -> list[str]:
    """Return the codes that one declaration makes missing: itself, or those of a range that occur."""
    if isinstance(declared, str):
        return [declared.rstrip(" ")]
    low, high = declared
    return [raw.number(low)] if low == high else sorted({cell for cell in cells if _number(cell) is not None and low <= _number(cell) <= high})


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
