"""A Parquet file that grows: frames of one type below each other, written as groups of rows while the next ones are made."""

from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.load.readers import raw

ROWS = 200_000  # of a group: as many are in memory while a table is written, and as many again while they are on their way


class Growing:
    """`append(table)` within a `with` writes an Arrow table below those before it; `schema` gives the columns also where there are no rows.

    `threads` has one thread: groups are written in their order, and one waits at most. What goes wrong there is raised at the next call.
    """

    def __init__(self, path: Path, schema, threads: Executor):
        self.path, self.schema, self.threads = path, schema, threads
        self.pending, self.file, self.writing = [], None, None

    def __enter__(self):
        return self

    def append(self, table) -> None:
        self.pending.append(table)
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

        table = pa.concat_tables(self.pending).unify_dictionaries() if self.pending else self.schema.empty_table()
        self.file = self.file or pq.ParquetWriter(self.path, table.schema, **_written(table.schema))
        if self.writing:
            self.writing.result()
        self.writing, self.pending = self.threads.submit(self.file.write_table, table), []


class Thinned:
    """Some rows of a table that grows: all of them, or where there are more than `most` every second, fourth, eighth ... under its place.

    Which they are hangs on the number of rows alone, not on how they came. Columns named in `without` are left out. What goes with the rows of
    another table (`like`) is kept for those that are kept there, by their places.
    """

    def __init__(self, *, most: int = 0, without=(), like=None):
        self.most, self.without, self.like, self.step, self.rows, self.kept = most, without, like, 1, 0, []

    def add(self, table, places: np.ndarray | None = None) -> None:
        table = table.drop_columns([name for name in self.without if name in table.column_names])
        self._keep(np.arange(self.rows, self.rows + len(table)) if places is None else places, table)
        self.rows += len(table)
        self._thin()

    def _thin(self) -> None:
        while self.like.step > self.step if self.like else sum(len(places) for places, _ in self.kept) > self.most:
            self.step *= 2
            own, self.kept = self.kept, []
            for places, part in own:
                self._keep(places, part)

    def _keep(self, places: np.ndarray, table) -> None:
        own = np.flatnonzero(places % self.step == 0)
        self.kept.append((places[own], table if len(own) == len(table) else table.take(own)))

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame."""
        import pyarrow as pa

        self._thin()
        whole = pa.concat_tables([table for _, table in self.kept])
        whole = whole.cast(pa.schema([field.with_type(pa.large_string()) if pa.types.is_dictionary(field.type) else field for field in whole.schema]))
        return whole.to_pandas().set_axis(np.concatenate([places for places, _ in self.kept]))


def bare(table):
    """Return a table with its numbers as they lie in memory, NaN where there is none: to take some rows of them is several times quicker."""
    import pyarrow as pa

    def whole(column):
        return pa.chunked_array([pa.Array.from_buffers(pa.float64(), len(one), [None, one.buffers()[1]], offset=one.offset) for one in column.chunks], pa.float64())

    return pa.table([whole(column) if pa.types.is_float64(column.type) else column for column in table.columns], names=table.column_names)


def put(path: Path, table) -> None:
    """Write a whole table."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, **_written(table.schema))


def _written(schema) -> dict:
    """How a table is written: no dictionary for what seldom repeats, and bounds of its parts only where somebody asks for them, by day, number or quarter."""
    import pyarrow as pa

    words = [field.name for field in schema if pa.types.is_large_string(field.type) or pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)]
    alone = {"response_id", "answer", "text", "_row"} | ({"person_id"} if "answer" in schema.names else set())
    lengths = {"column_encoding": {"person_id": "DELTA_LENGTH_BYTE_ARRAY"}} if {"person_id", "answer"} <= set(schema.names) else {}
    return lengths | {
        "compression": "lz4", "use_dictionary": [name for name in schema.names if name not in alone],
        "write_statistics": [name for name in schema.names if name not in words or name == "quarter"], "store_schema": False,
    }  # fmt: skip


def words(values: pd.Series | None = None):
    """Return a column of few distinct words as an Arrow dictionary, which is written as it is; without a column the type of all such."""
    import pyarrow as pa

    kind = pa.dictionary(pa.int32(), pa.large_string())
    if values is None:
        return kind
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return raw.arrow(values).dictionary_encode()
    codes = values.array.codes.astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), raw.arrow(values.array.categories.to_series()))


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
