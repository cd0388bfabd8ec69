"""A raw file once read: its cells as text, where each row stood in the file, and what the file says about its own columns."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

TEXT = pd.StringDtype(na_value=np.nan)  # pandas' own text dtype: Arrow-backed, so that a million rows are no Python objects
NOTHING = MappingProxyType({})
ROWS, BYTES = 60_000, 2**26  # of a part: what is in memory of a file that is read in parts


class ResponseSet(NamedTuple):
    """A question whose answers stand in several columns: all that apply, or first, second, third mention."""

    columns: tuple[str, ...]
    wording: str = ""
    counted: str = ""  # the code that says "chosen" in every column; "" where the columns hold the answers themselves


class Raw(NamedTuple):
    """A file as it came. `frame` has one text column a header, with empty cells as ""; of a long file's parts, categories of text where few cells stand again and again.

    `first_row` is the row of the file in which the frame's first line stands and `rows`, where lines of the file were left
    out, the row of each; `encoding` says how the file was read. What the file declares: `wording` (column -> question),
    `labels` (column -> code -> label), `missing` (column -> user-missing code -> what it means), `sets` (name -> ResponseSet).
    `notes` are sentences for the codebook on what the reader noticed or had to do.
    """

    frame: pd.DataFrame
    first_row: int
    encoding: str
    wording: dict
    labels: Mapping = NOTHING
    missing: Mapping = NOTHING
    sets: Mapping = NOTHING
    rows: np.ndarray | None = None
    notes: tuple = ()
    zones: Mapping = NOTHING  # column -> zone of its times, where the file names one
    source: str = ""  # the file, where several make one wave

    def places(self) -> np.ndarray:
        """Return the row of the file in which each line of the frame stands."""
        return self.rows if self.rows is not None else np.arange(self.first_row, self.first_row + len(self.frame))

    def row(self, place: int) -> int:
        """Return the row of the file, counted from 1, in which a line of the frame stands."""
        return int(self.rows[place]) if self.rows is not None else self.first_row + int(place)


def slices(whole: Raw):
    """Yield a file that was read whole in parts, each a Raw that knows its rows; one part where there is nothing."""
    for start in range(0, max(len(whole.frame), 1), ROWS):
        rows = whole.rows[start : start + ROWS] if whole.rows is not None else None
        yield whole._replace(frame=whole.frame.iloc[start : start + ROWS].reset_index(drop=True), first_row=whole.first_row + start, rows=rows)


def grouped(batches, schema):
    """Yield Arrow batches as tables of about as many rows as a part has, or fewer where cells are long; one empty table where there are none."""
    import pyarrow as pa

    own, none = [], True
    for batch in batches:
        own.append(batch)
        if sum(map(len, own)) >= ROWS or sum(one.nbytes for one in own) >= BYTES:
            yield pa.Table.from_batches(own)
            own, none = [], False
    if own or none:
        yield pa.Table.from_batches(own, None if own else schema)


def ahead(rows):
    """Yield what a generator makes, while another thread makes the next: rows are parsed while the comments of those before are redacted."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, rows, None)
        while (part := coming.result()) is not None:
            coming = thread.submit(next, rows, None)
            yield part


def table(arrow, *, blank: bool = True, **facts) -> Raw:
    """Return an Arrow table of text columns as Raw. `rows` may give the row of each line; otherwise they follow `first_row`.

    Without `blank`, rows whose cells are all empty are left out with a note: in text files they are blank lines, no answers.
    """
    rows, first, notes = facts.pop("rows", None), facts["first_row"], facts.pop("notes", ())
    empty = None if blank else _empty(arrow)
    if empty is not None:
        rows = np.arange(first, first + len(arrow)) if rows is None else rows
        notes = (*notes, f"{int(empty.sum()):,} empty rows were left out.")
        arrow, rows = arrow.filter(~empty), rows[~empty]
    if rows is not None and len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        first, rows = int(rows[0]), None
    frame = pd.DataFrame({place: _column(column) for place, column in enumerate(arrow.columns)}, copy=False).set_axis(arrow.column_names, axis=1)
    return Raw(**{**facts, "frame": frame, "first_row": first, "rows": rows, "notes": tuple(notes)})


def _column(cells):
    """Return a column of an Arrow table as pandas keeps it: text, or categories of text where it is a dictionary."""
    import pyarrow as pa

    if not pa.types.is_dictionary(cells.type):
        return cells.to_pandas(types_mapper=lambda _: TEXT).array
    whole = cells.combine_chunks()
    return pd.Categorical.from_codes(whole.indices.to_numpy(), dtype=kind(tuple(whole.dictionary.to_pylist())), validate=False)


@lru_cache(maxsize=512)
def kind(words: tuple) -> pd.CategoricalDtype:
    """Return the type of a column of categories: the parts of a file share theirs, and to make one takes longer than to read a thousand cells."""
    return pd.CategoricalDtype(pd.Index(pd.array(words, dtype=TEXT)))


def _empty(arrow) -> np.ndarray | None:
    """Return which rows are wholly empty; None where there are none, which the first filled column mostly says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    left = None
    for column in arrow.columns if arrow.num_columns > 1 else []:
        blank = pc.equal(column.cast(pa.large_string()), "").to_numpy(zero_copy_only=False)
        left = blank if left is None else left & blank
        if not left.any():
            return None
    return left if left is not None and left.any() else None


def arrow(texts):
    """Return a column of text as one Arrow array of large strings; what is missing is null there."""
    import pyarrow as pa

    cells = pa.array(texts if isinstance(texts.dtype, pd.StringDtype) else texts.astype("str"), pa.large_string(), from_pandas=True)
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def signs(texts) -> tuple[np.ndarray, np.ndarray]:
    """Return where texts end in their bytes, the first beginning at 0, and the bytes: of a column of text without missing ones, or an Arrow array."""
    import pyarrow as pa

    cells = arrow(texts) if isinstance(texts, pd.Series) else texts
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    _, offsets, data = cells.buffers()
    ends = np.frombuffer(offsets, np.int32 if pa.types.is_string(cells.type) else np.int64)[cells.offset : cells.offset + len(cells) + 1] if len(cells) else np.zeros(1, np.int64)
    found = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.empty(0, np.uint8)
    return ends - ends[0], found


def words(column):
    """Return an Arrow column of any type as text: what a person would have typed, nulls as empty cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.fill_null(column.cast(pa.large_string()), "")
    if pa.types.is_integer(column.type):
        return pc.fill_null(column.cast(pa.large_string()), "")
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.chunked_array([pa.array([cell(value) for value in column.to_pylist()], pa.large_string())])
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.chunk(0) if codes.num_chunks else pa.array([], codes.type)
    meanings = pa.array([cell(value) for value in codes.dictionary.to_pylist()], pa.large_string())
    return pc.fill_null(meanings.take(codes.indices), "")


def cell(value) -> str:
    """Return a typed cell as the text a person would have typed: 5.0 as 5, dates in ISO form, lists and records as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return "" if value != value else number(value)
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
    if isinstance(value, list | dict | tuple):
        import json

        return json.dumps(value, ensure_ascii=False, default=cell)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def number(value: float) -> str:
    """Return a number in its shortest plain form: 5.0 as 5."""
    return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else repr(float(value))


def sound(text: str) -> tuple[str, int]:
    """Return text without lone surrogates, which no file and no table can hold, and how many became the replacement mark."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole, whole.count("\ufffd") - text.count("\ufffd")
    return text, 0
