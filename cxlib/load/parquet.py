"""A Parquet file that grows: frames of one type below each other, written as groups of rows while the next ones are made."""

from concurrent.futures import Executor
from pathlib import Path

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
        self.file = self.file or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        if self.writing:
            self.writing.result()
        self.writing, self.pending = self.threads.submit(self.file.write_table, table), []
