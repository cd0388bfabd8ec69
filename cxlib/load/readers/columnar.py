"""Parquet files, read in a confined process: pages that unpack to far more than the file, or that are damaged, harm nobody."""

from pathlib import Path

from cxlib.load.readers import confined, headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

UNPACKED = 16  # a cell of a rating takes three bits in the file and eight bytes outside


def read(path: Path, reading: Reading) -> Raw:
    """Return a Parquet file as Raw: numbers as typed, dates in ISO form, lists and records as JSON; rows are counted from 1."""
    import pyarrow as pa

    facts, table = confined.run("columnar", path, {}, size=UNPACKED * path.stat().st_size)
    header = headers.read([facts["names"]], path.name, "one")
    words = [raw.words(column) for column in table.columns]
    return raw.table(pa.table(words, names=header.names), first_row=1, encoding="parquet", wording={}, notes=header.notes)
