"""Rows that stand twice in a file of any length: equal ones, and ones that share their id and differ. Hashes suspect, the cells decide."""

import tempfile
from functools import lru_cache

import numpy as np
import pandas as pd

from cxlib.load.readers.raw import TEXT

ROWS = 500_000  # about as many suspects are compared at a time


def found(read, *, ids=None) -> tuple[np.ndarray, np.ndarray]:
    """Return, for every row of a file, whether it equals an earlier one in every cell, and whether its id stands in another row with other cells.

    `read` is a function that yields the file as Raw parts (`readers.parts`), `ids` one that returns the ids of a part as text, None where a
    row has none; it is None where a file has no ids, and then only equal rows are looked for. In memory are a number a row, and the suspects in turn.
    """
    marks = np.concatenate([np.empty(0, np.uint64), *_marks(_ids(part, ids) if ids else _cells(part.frame) for part in read())])
    equal, twice = np.zeros(len(marks), dtype=bool), np.zeros(len(marks), dtype=bool)
    suspect = _shared(marks)
    if not suspect.any():
        return equal, twice
    places, marks = np.flatnonzero(suspect), marks[suspect]
    with tempfile.TemporaryFile() as file:
        whole = _kept(file, read, suspect, ids)
        again = _equal(file, whole)
        equal[places] = again
        if ids:
            alone = ~again & _shared(np.where(again, np.uint64(0), marks))
            twice[places] = _twice(file, marks, alone)
    return equal, twice


def _equal(file, marks: np.ndarray) -> np.ndarray:
    """Return which suspects equal an earlier one; rows with one hash are compared cell by cell."""
    shared, equal = _shared(marks), np.zeros(len(marks), dtype=bool)
    for bucket in _buckets(marks, shared):
        first, places, pending = None, [], []
        for start, frame in _read(file, bucket, ids=False):
            pending.append(frame)
            places.append(start)
            if sum(map(len, pending)) >= ROWS:
                first, places, pending = _told(first, places, pending, equal), [], []
        _told(first, places, pending, equal)
    return equal


def _told(first, places: list, pending: list, equal: np.ndarray):
    """Note which of the pending rows repeat one before them; return one of each kind."""
    frames = [*([first] if first is not None else []), *pending]
    if not frames:
        return first
    whole = pd.concat(frames, ignore_index=True)
    again = whole.duplicated(keep="first").to_numpy()
    if places:
        known = 0 if first is None else len(first)
        equal[np.concatenate(places)] = again[known:]
    return whole[~again]


def _twice(file, marks: np.ndarray, alone: np.ndarray) -> np.ndarray:
    twice = np.zeros(len(marks), dtype=bool)
    for bucket in _buckets(marks, alone):
        parts = list(_read(file, bucket, ids=True))
        values = pd.concat([values for _, values in parts], ignore_index=True)
        twice[np.concatenate([places for places, _ in parts])] = (values.notna() & values.duplicated(keep=False)).to_numpy(dtype=bool)
    return twice


def _buckets(marks: np.ndarray, among: np.ndarray):
    """Yield which suspects are compared with each other: what has one hash is in one bucket."""
    count = -(-int(among.sum()) // ROWS)
    for bucket in range(count):
        own = among & (marks % np.uint64(count) == bucket)
        if own.any():
            yield own


def _shared(marks: np.ndarray) -> np.ndarray:
    """Return which hashes stand more than once."""
    order = np.sort(marks)
    again = np.unique(order[1:][order[1:] == order[:-1]])
    del order
    shared = np.zeros(len(marks), dtype=bool)
    for start in range(0, len(marks) if len(again) else 0, ROWS):
        own = marks[start : start + ROWS]
        shared[start : start + ROWS] = again[np.minimum(np.searchsorted(again, own), len(again) - 1)] == own
    return shared


def _kept(file, read, suspect: np.ndarray, ids) -> np.ndarray:
    """Write the suspects into a file and return the hashes of their cells."""
    import pyarrow as pa

    start, out = 0, None

    def kept():
        nonlocal start, out
        for part in read():
            own = suspect[start : start + len(part.frame)]
            start += len(own)
            if own.any():
                cells = _cells(part.frame[own])
                whole = cells.append_column("id", pa.array(pd.Series(ids(part))[own], pa.large_string())) if ids else cells
                out = out or pa.ipc.new_file(pa.PythonFile(file, "w"), whole.schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
                out.write_table(whole)
                yield cells

    marks = np.concatenate(list(_marks(kept())))
    out.close()
    return marks


def _read(file, bucket: np.ndarray, *, ids: bool):
    """Yield the places and cells (or ids) of the suspects of a bucket."""
    import pyarrow as pa

    with pa.ipc.open_file(pa.PythonFile(file, "r")) as batches:
        start = 0
        for number in range(batches.num_record_batches):
            batch = batches.get_batch(number)
            own = bucket[start : start + len(batch)]
            if own.any():
                columns = [name for name in batch.schema.names if (name == "id") == ids]
                frame = pa.table(batch.select(columns).filter(pa.array(own))).to_pandas(types_mapper=lambda _: TEXT)
                yield start + np.flatnonzero(own), frame["id"] if ids else frame
            start += len(batch)


def _ids(part, ids):
    import pyarrow as pa

    return pa.table({"c0": pa.array(pd.Series(ids(part)), pa.large_string()).fill_null("")})


def _cells(frame: pd.DataFrame):
    import pyarrow as pa

    return pa.table({f"c{place}": pa.array(frame.iloc[:, place], pa.large_string()) for place in range(frame.shape[1])})


def _marks(tables):
    """Yield the hashes of 64 bits of the rows of tables."""
    with engine().cursor() as connection:
        for cells in tables:
            if len(cells):
                connection.register("cells", cells)
                yield connection.sql(f"SELECT hash({', '.join(cells.schema.names)}) AS mark FROM cells").fetchnumpy()["mark"].astype(np.uint64)


@lru_cache(maxsize=1)
def engine():
    """One DuckDB for all files: to open one takes longer than to hash a small file."""
    import duckdb

    return duckdb.connect(config={"threads": 1})
