"""JSON lines (a record a line, also gzipped) and JSON files that hold one list of records."""

import json
from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import encodings, files, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

CELLS, SHARE = 10_000_000, 50  # records that share no keys make a table of far more cells than the file has bytes


class _Twice(ValueError):
    """A key that stands twice in a record: which value counts is not for us to say."""


def read(path: Path, reading: Reading) -> Raw:
    """Return records as Raw: numbers exactly as written, records in records under 'outer.inner', lists as JSON text.

    Columns come in the order in which their keys first appear; a key that a record lacks is an empty cell there. `rows` are
    lines of the file. Raises DataError with the line for one that is no record.
    """
    content, encoding, notes = encodings.decoded(_content(path), path, reading.encoding)
    columns, rows = {}, []
    for line, record in _records(content.decode(), path):
        if not isinstance(record, dict):
            raise DataError(f"{path.name}: line {line} is no record in braces; every line must be one.")
        for name, value in _flat(record):
            cells = columns.setdefault(name, [])
            cells.extend([""] * (len(rows) - len(cells)))
            if len(cells) > len(rows):
                raise DataError(f"{path.name}: line {line} has '{name}' twice, once inside a record; rename one of them.")
            cells.append(value)
        rows.append(line)
        if len(columns) * len(rows) > max(CELLS, SHARE * len(content)):
            raise DataError(f"{path.name}: line {line}: the records have {len(columns):,} different keys in {len(rows):,} lines, as no export has; a key must not be an id: export the file again.")
    if not columns:
        raise DataError(f"{path.name}: the file holds no records; export it again.")
    return _raw(columns, rows, encoding, notes)


def _content(path: Path) -> bytes:
    with files.opened(path) as file:
        file.seek(0)
        return file.read()


def _raw(columns: dict, rows: list, encoding: str, notes: tuple) -> Raw:
    import numpy as np
    import pyarrow as pa

    replaced = 0
    for name, cells in columns.items():
        cells.extend([""] * (len(rows) - len(cells)))
        try:
            columns[name] = pa.array(cells, pa.large_string())
        except UnicodeEncodeError:
            sound = [raw.sound(cell) for cell in cells]
            replaced += sum(count for _, count in sound)
            columns[name] = pa.array([cell for cell, _ in sound], pa.large_string())
    names = [raw.sound(name)[0] for name in columns]
    table = pa.table(list(columns.values()), names=names)
    notes = (*notes, *encodings.surrogates(replaced))
    return raw.table(table, first_row=rows[0], rows=np.array(rows), encoding=encoding, wording={}, notes=notes)


def _records(content: str, path: Path):
    """Yield (line, record) for every line with content, or for every record of one list."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    if path.name.lower().removesuffix(".gz").endswith(".json") and content.lstrip()[:1] == "[":
        yield from enumerate(_decoded(decoder, content, path, 0), start=1)
        return
    for line, one in enumerate(content.split("\n"), start=1):
        if one and not one.isspace():
            yield line, _decoded(decoder, one, path, line)


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
