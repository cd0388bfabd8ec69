"""A Parquet file that grows: frames of one type below each other, written as groups of rows while the next ones are made."""

from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 200_000  # of a group: as many are in memory while a table is written, and as many again while they are on their way


class Growing:
    """`append(frame)` within a `with` writes a frame below those before it; `empty` gives the columns of a table without rows.

    `threads` has one thread: groups are written in their order, and one waits at most. What goes wrong there is raised at the next call.
    """

    def __init__(self, path: Path, empty: pd.DataFrame, threads: Executor):
        self.path, self.empty, self.threads = path, empty, threads
        self.pending, self.file, self.writing = [], None, None

    def __enter__(self):
        return self

    def append(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa

        self.pending.append(pa.Table.from_pandas(frame, preserve_index=False))
        if sum(map(len, self.pending)) >= ROWS:
            self._write()

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None and (self.pending or not self.writing):
                self._write()
            if self.writing:
                self.writing.result()
        finally:
            if self.file:
                self.file.close()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(self.pending) if self.pending else pa.Table.from_pandas(self.empty, preserve_index=False)
        self.file = self.file or pq.ParquetWriter(self.path, table.schema, **_written(table.schema))
        if self.writing:
            self.writing.result()
        self.writing, self.pending = self.threads.submit(self.file.write_table, table), []


def _written(schema) -> dict:
    """How a table is written: no dictionary for ids, which never repeat, and bounds of its parts only where somebody asks for them by date, number or quarter."""
    import pyarrow as pa

    words = [field.name for field in schema if pa.types.is_large_string(field.type) or pa.types.is_string(field.type)]
    return {
        "compression": "zstd", "use_dictionary": [name for name in schema.names if name not in ("response_id", "answer", "text", "_row")],
        "write_statistics": [name for name in schema.names if name not in words or name == "quarter"],
    }  # fmt: skip


def release() -> None:
    """Give back what Arrow keeps for more tables: what is made next would need its memory on top."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def rows(path: Path) -> int:
    """Return how many rows a table has."""
    import pyarrow.parquet as pq

    return pq.read_metadata(path).num_rows


def largest(path: Path, column: str) -> float | None:
    """Return the largest value of a column as the file's own statistics say it, None where they do not."""
    import pyarrow.parquet as pq

    about = pq.read_metadata(path)
    place = {about.schema.column(index).path: index for index in range(about.num_columns)}.get(column)
    parts = [about.row_group(group).column(place).statistics for group in range(about.num_row_groups)] if place is not None else []
    return max(part.max for part in parts) if parts and all(part is not None and part.has_min_max for part in parts) else None


def frames(path: Path):
    """Yield a table's rows in their order, a row group at a time."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, use_threads=False).to_pandas()


def thinned(path: Path, *, most: int, without=()) -> pd.DataFrame:
    """Return a table's rows under their places: all of them, or every so manieth where there are more than `most`; columns named in `without` are not read."""
    import pyarrow.parquet as pq

    step, start, kept = -(-rows(path) // most) or 1, 0, []
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name not in without]
        if step == 1:
            return file.read(columns, use_threads=False).to_pandas()
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns, use_threads=False)
            places = np.arange(-start % step, len(table), step)
            kept.append(table.take(places).to_pandas().set_axis(start + places))
            start += len(table)
    return pd.concat(kept)


def among(path: Path, column: str, values: pd.Series, *, columns: list[str]) -> pd.DataFrame:
    """Return some columns of the rows of a table whose cell of a column is one of the values."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        kind = file.schema_arrow.field(column).type
        own = pc.is_in(file.read([column], use_threads=False)[column], options=pc.SetLookupOptions(pa.array(values).cast(kind)))
        kept, start = [], 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns, use_threads=False)
            kept.append(table.filter(own.slice(start, len(table))))
            start += len(table)
        return pa.concat_tables(kept).to_pandas()
