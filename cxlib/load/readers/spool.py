"""Tables that are read once and looked at often: in memory while they are few, else in a file without a name."""

import itertools
import os
import tempfile

MOST = 2**24  # bytes that stay in memory


class Spool:
    """Calling it yields the Arrow tables that `tables` yields, from the first, as often as one likes; each is taken from there once, when it is first asked for.

    What goes wrong there is raised anew at every call.
    """

    def __init__(self, tables):
        self.tables, self.kept, self.size, self.file, self.fault = iter(tables), [], 0, None, None

    def __call__(self):
        for place in itertools.count():
            if place < len(self.kept):
                yield self._kept(place)
                continue
            if self.fault:
                raise self.fault
            try:
                table = next(self.tables, None)
            except Exception as error:
                self.fault = error
                raise
            if table is None:
                return
            self._keep(table)
            yield table

    def _keep(self, table) -> None:
        import pyarrow as pa

        self.size += table.nbytes
        if self.size <= MOST:
            self.kept.append(table)
            return
        self.file = self.file or tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as somebody may read it
        start = self.file.seek(0, os.SEEK_END)
        with pa.ipc.new_stream(pa.PythonFile(self.file, "w"), table.schema) as out:
            out.write_table(table)
        self.file.flush()
        self.kept.append((start, self.file.tell()))

    def _kept(self, place: int):
        import pyarrow as pa

        if not isinstance(self.kept[place], tuple):
            return self.kept[place]
        start, end = self.kept[place]
        with pa.ipc.open_stream(pa.py_buffer(os.pread(self.file.fileno(), end - start, start))) as stream:
            return stream.read_all()
