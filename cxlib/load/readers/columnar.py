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
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            rows, names = file.metadata.num_rows, file.schema_arrow.names
            if rows * len(names) > max(CELLS, SHARE * path.stat().st_size):
                raise DataError(f"{path.name}: the file declares {rows:,} rows, more than its size can hold; check where it comes from.")
            header = headers.read([names], path.name, "one")
            table = file.read(use_threads=False)
        return raw.table(pa.table([raw.words(column) for column in table.columns], names=header.names), first_row=1, encoding="parquet", wording={}, notes=header.notes)
    except (pa.ArrowException, OSError, ValueError, MemoryError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: not a readable Parquet file ({(str(error).splitlines() or [''])[0][:200]}); export it again.") from None
