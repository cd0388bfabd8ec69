"""Columns in which few distinct cells stand again and again, as a code a cell: what is read, kept and parsed once a distinct cell."""

import numpy as np
import pandas as pd

from cxlib.load.readers import raw

LOOKED = 2_000  # cells by which it is told whether a column repeats
HEAD = 4_000  # cells among which most distinct ones stand already, if few are


def packed(tables):
    """Yield Arrow tables of text without missing cells with the columns that repeat as dictionaries, their words in the order in which they first stand in all tables."""
    import pyarrow as pa

    before: dict = {}  # column -> its words in the table before
    for table in tables:
        yield pa.table([_alike(name, _packed(column.combine_chunks()), before) for name, column in zip(table.column_names, table.columns, strict=True)], names=table.column_names)


def of(texts: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return a code a cell and the distinct cells in the order in which they first stand, of a column of text without missing ones."""
    if isinstance(texts.dtype, pd.CategoricalDtype):
        return texts.array.codes, texts.array.categories.tolist()
    cells = raw.arrow(texts)
    found = _short(cells) or cells.dictionary_encode()
    return found.indices.to_numpy(), found.dictionary.to_pylist()


def repeated(cells) -> bool:
    """Whether the cells of an Arrow array stand more than once, by some thousand of them; where most do not, telling them apart takes longer than it saves."""
    some = cells.take(np.linspace(0, len(cells) - 1, min(len(cells), HEAD)).astype(int))
    return len(some.unique()) < 0.95 * len(some)


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame from which rows were taken without the distinct cells that stood in these alone."""
    coded = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    return frame.assign(**{name: frame[name].cat.remove_unused_categories() for name in coded}) if coded else frame


def _alike(name: str, cells, before: dict):
    """Return a column with its words in the order of the table before where they are the same ones."""
    import pyarrow as pa

    if not pa.types.is_dictionary(cells.type):
        return cells
    words, known = cells.dictionary.to_pylist(), before.get(name, {})
    if len(words) != len(known) or not all(word in known for word in words):
        before[name] = dict(zip(words, range(len(words)), strict=True))
        return cells
    if words == [*known]:
        return cells
    places = np.array([known[word] for word in words], dtype=cells.indices.type.to_pandas_dtype())
    return pa.DictionaryArray.from_arrays(pa.array(places.take(cells.indices.to_numpy())), pa.array([*known], pa.large_string()))


def _packed(cells):
    import pyarrow as pa

    if len(cells) and (found := _short(cells)) is not None:
        return found
    some = cells.take(pa.array(np.linspace(0, max(len(cells) - 1, 0), min(len(cells), LOOKED)).astype(int)))
    if len(some.unique()) * 4 > len(some):
        return cells.cast(pa.large_string())
    found = cells.dictionary_encode()
    return pa.DictionaryArray.from_arrays(found.indices, found.dictionary.cast(pa.large_string()))


def _short(cells):
    """Return cells of two bytes at most (scores, codes, countries) as a dictionary: their bytes are numbers already. None where one is longer, or holds a byte that is none."""
    import pyarrow as pa

    ends, found = raw.signs(cells)
    sizes = np.diff(ends)
    if not len(sizes) or sizes.max() > 2 or not found.all():
        return None
    first = ends[:-1].astype(np.intp)
    keys = (np.append(found, np.uint8(0)).take(first) * (sizes > 0)).astype(np.uint16)
    two = np.flatnonzero(sizes > 1)
    keys[two] |= found.take(first[two] + 1).astype(np.uint16) << 8
    codes, places, left = np.full(1 << 16, -1, np.int16), np.empty(0, int), np.arange(min(len(keys), HEAD))
    while len(left):
        own, first = np.unique(keys[left], return_index=True)
        order = np.argsort(first)
        codes[own[order]] = np.arange(len(places), len(places) + len(own))
        places = np.append(places, left[first[order]])
        coded = codes.take(keys)
        left = np.flatnonzero(coded < 0)
    coded = coded.astype(np.int8) if len(places) < 100 else coded
    return pa.DictionaryArray.from_arrays(pa.array(coded), cells.take(pa.array(places)).cast(pa.large_string()))
