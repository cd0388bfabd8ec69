"""Parquet files."""

from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

CELLS, SHARE = 50_000_000, 4_000  # a file of fewer bytes than a cell in 4,000 holds nothing but repetition


def read(path: Path, reading: Reading) -> Raw:
    """Return a Parquet file as Raw: numbers as typed, dates in ISO form, lists and records as JSON; rows are counted from 1."""
    import pyarrow as pa

    found = list(_tables(path))
    return _raw(pa.concat_tables([table for _, table in found]), found[0][0], 1)


def parts(path: Path, reading: Reading):
    """Return a function that reads the same in parts, each a Raw, from the start at every call."""

    def again():
        first = 1
        for header, one in _tables(path):
            yield _raw(one, header, first)
            first += len(one)

    return again


def _raw(table, header, first: int) -> Raw:
    return raw.table(table, first_row=first, encoding="parquet", wording={}, notes=header.notes)


def _tables(path: Path):
    """Yield the header and tables of text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            rows, names = file.metadata.num_rows, file.schema_arrow.names
            if rows * len(names) > max(CELLS, SHARE * path.stat().st_size):
                raise DataError(f"{path.name}: the file declares {rows:,} rows, more than its size can hold; check where it comes from.")
            header = headers.read([names], path.name, "one")
            for table in raw.grouped(file.iter_batches(batch_size=raw.ROWS // 4, use_threads=False), file.schema_arrow):
                yield header, pa.table([raw.words(column) for column in table.columns], names=header.names)
    except (pa.ArrowException, OSError, ValueError, MemoryError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: not a readable Parquet file ({(str(error).splitlines() or [''])[0][:200]}); export it again.") from None
