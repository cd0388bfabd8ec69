"""A Parquet file that grows: frames of one type below each other, written as groups of rows of a fixed size."""

from pathlib import Path

import pandas as pd

ROWS = 200_000  # of a group: as many as are in memory while a table is written


class Growing:
    """`append(frame)` within a `with` writes a frame below those before it; `empty` gives the columns of a table without rows."""

    def __init__(self, path: Path, empty: pd.DataFrame):
        self.path, self.pending, self.empty, self.file = path, [], empty, None

    def __enter__(self):
        return self

    def append(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa

        self.pending.append(pa.Table.from_pandas(frame, preserve_index=False))
        if sum(map(len, self.pending)) >= ROWS:
            self._write()

    def __exit__(self, kind, *_) -> None:
        if kind is None and (self.pending or not self.file):
            self._write()
        if self.file:
            self.file.close()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(self.pending) if self.pending else pa.Table.from_pandas(self.empty, preserve_index=False)
        self.file = self.file or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.file.write_table(table)
        self.pending = []
