"""JSON lines (a record a line, also gzipped) and JSON files that hold one list of records."""

import io
import json
import math
from pathlib import Path

import numpy as np

from cxlib.errors import DataError
from cxlib.load.readers import encodings, files, raw, spool
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

FIRST = 2**16  # characters in which a list of records begins
CELLS, SHARE = 10_000_000, 50  # records that share no keys make a table of far more cells than the file has bytes


class _Twice(ValueError):
    """A key that stands twice in a record: which value counts is not for us to say."""


def read(path: Path, reading: Reading) -> Raw:
    """Return records as Raw: numbers exactly as written, records in records under 'outer.inner', lists as JSON text.

    Columns come in the order in which their keys first appear; a key that a record lacks is an empty cell there. `rows` are
    lines of the file. Raises DataError with the line for one that is no record.
    """
    content, encoding, notes = encodings.decoded(_content(path), path, reading.encoding)
    text = content.decode()
    records = _list(text, path) if _listed(path, text[:FIRST]) else _lines(text.split("\n"), path)
    columns, rows = next(_groups(records, path, size=len(content), most=math.inf))
    table, replaced = _table(columns, len(rows))
    return raw.table(table, first_row=rows[0], rows=np.array(rows), encoding=encoding, wording={}, notes=(*notes, *encodings.surrogates(replaced)))


def parts(path: Path, reading: Reading):
    """Return a function that yields the same in parts, each a Raw, from the start at every call; the records are read now, because any may have a key of its own.

    A file that holds one list of records is whole in memory.
    """
    content, encoding, notes = encodings.opened(path, reading.encoding)
    if _listed(path, content.stream().read(FIRST).decode(errors="ignore")):
        whole = read(path, reading)
        return lambda: raw.slices(whole)
    groups = _groups(_lines(io.TextIOWrapper(content.stream(), encoding="utf-8", newline="\n"), path), path, size=content.end - content.start, most=raw.ROWS)
    lines, replaced = [], []

    def tables():
        for columns, rows in groups:
            table, count = _table(columns, len(rows))
            lines.append(np.array(rows))
            replaced.append(count)
            yield table

    kept = spool.Spool(tables())
    names = list(dict.fromkeys(name for table in kept() for name in table.column_names))
    notes = (*notes, *encodings.surrogates(sum(replaced)))

    def again():
        for table, rows in zip(kept(), lines, strict=True):
            yield raw.table(_filled(table, names, len(rows)), first_row=int(rows[0]), rows=rows, encoding=encoding, wording={}, notes=notes)

    return again


def _filled(table, names: list[str], rows: int):
    """Return a table with all columns of the file; a key that none of its records has is empty."""
    import pyarrow as pa

    blank = pa.array([""], pa.large_string()).take(pa.array(np.zeros(rows, dtype=int)))
    return pa.table([table.column(table.column_names.index(name)) if name in table.column_names else blank for name in names], names=names)


def _groups(records, path: Path, *, size: int, most: float):
    """Yield so many records at a time, or fewer where they are long, as columns of cells and the line of each."""
    columns, rows, known, length = {}, [], {}, 0
    for total, (line, record) in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise DataError(f"{path.name}: line {line} is no record in braces; every line must be one.")
        for name, value in _flat(record):
            cells = columns.setdefault(name, [])
            cells.extend([""] * (len(rows) - len(cells)))
            if len(cells) > len(rows):
                raise DataError(f"{path.name}: line {line} has '{name}' twice, once inside a record; rename one of them.")
            cells.append(value)
            known[name] = True
            length += len(value)
        rows.append(line)
        if len(known) * total > max(CELLS, SHARE * size):
            raise DataError(f"{path.name}: line {line}: the records have {len(known):,} different keys in {total:,} lines, as no export has; a key must not be an id: export the file again.")
        if len(rows) >= most or (length >= raw.BYTES and most < math.inf):
            yield columns, rows
            columns, rows, length = {}, [], 0
    if not known:
        raise DataError(f"{path.name}: the file holds no records; export it again.")
    if rows:
        yield columns, rows


def _content(path: Path) -> bytes:
    with files.opened(path) as file:
        file.seek(0)
        return file.read()


def _table(columns: dict, rows: int):
    """Return columns of cells as an Arrow table, and how many halves of characters were replaced in them."""
    import pyarrow as pa

    made, replaced = [], 0
    for cells in columns.values():
        cells.extend([""] * (rows - len(cells)))
        try:
            made.append(pa.array(cells, pa.large_string()))
        except UnicodeEncodeError:
            sound = [raw.sound(cell) for cell in cells]
            replaced += sum(count for _, count in sound)
            made.append(pa.array([cell for cell, _ in sound], pa.large_string()))
    return pa.table(made, names=[raw.sound(name)[0] for name in columns]), replaced


def _listed(path: Path, start: str) -> bool:
    """Whether a file holds one list of records, and not one a line."""
    return path.name.lower().removesuffix(".gz").endswith(".json") and start.lstrip()[:1] == "["


def _list(content: str, path: Path):
    """Yield (number, record) for every record of one list."""
    yield from enumerate(_decoded(_decoder(), content, path, 0), start=1)


def _lines(lines, path: Path):
    """Yield (line, record) for every line with content."""
    decoder = _decoder()
    for line, one in enumerate(lines, start=1):
        if one and not one.isspace():
            yield line, _decoded(decoder, one, path, line)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)


def _decoded(decoder, one: str, path: Path, line: int):
    try:
        return decoder.decode(one.strip())
    except _Twice as error:
        raise DataError(f"{path.name}: line {line or '?'}: the key '{error}' stands twice in one record; rename one of them.") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path.name}: line {line or error.lineno} is not valid JSON ({error.msg} at character {error.colno}); a line may be cut off: export the file again.") from None
    except RecursionError:
        raise DataError(f"{path.name}: line {line or 1} nests records too deeply to be an export of answers.") from None


def _once(pairs: list) -> dict:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return record


def _flat(record: dict, prefix: str = ""):
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _cell(value)


def _cell(value) -> str:
    """Return a value as text; numbers arrive as text already, and a list is written back as it was read."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return raw.cell(value)
