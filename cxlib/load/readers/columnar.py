"""Parquet files, read in a confined process: pages that unpack to far more than the file, or that are damaged, harm nobody."""

from pathlib import Path

from cxlib.load.readers import confined, headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

UNPACKED = 16  # a cell of a rating takes three bits in the file and eight bytes outside


def read(path: Path, reading: Reading) -> Raw:
    """Return a Parquet file as Raw: numbers as typed, dates in ISO form, lists and records as JSON; rows are counted from 1."""
    import pyarrow as pa

    header, tables = _opened(path)
    return _raw(pa.concat_tables(tables()), header, 1)


def parts(path: Path, reading: Reading):
    """Return a function that reads the same in parts, each a Raw, from the start at every call; the file itself is unpacked once."""
    header, tables = _opened(path)

    def again():
        first = 1
        for one in tables():
            yield _raw(one, header, first)
            first += len(one)

    return again


def _raw(table, header, first: int) -> Raw:
    return raw.table(table, first_row=first, encoding="parquet", wording={}, notes=header.notes)


def _opened(path: Path):
    """Return the header, and a function that yields tables of text."""
    import pyarrow as pa

    facts, opened = confined.stream("columnar", path, {"rows": max(raw.ROWS // 4, 1)}, size=UNPACKED * path.stat().st_size)
    header = headers.read([facts["names"]], path.name, "one")

    def tables():
        with opened() as stream:
            for table in raw.grouped(stream, stream.schema):
                yield pa.table([raw.words(column) for column in table.columns], names=header.names)

    return header, tables
