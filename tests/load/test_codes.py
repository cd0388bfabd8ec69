"""Columns as codes and rows as runs: each against the plain way of the same thing."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxlib.load import store
from cxlib.load.anomalies.grid import _whole
from cxlib.load.readers import codes, raw

COLUMNS = {
    "scores": lambda draws, rows: draws.choice(["10", "9", "0", "", " 7", "7.", "n"], rows),
    "late": lambda draws, rows: np.where(np.arange(rows) < rows - 3, "5", ["a", "bc", ""][rows % 3]),
    "zeros": lambda draws, rows: draws.choice(["a", "a\0", "\0", ""], rows),
    "two letters": lambda draws, rows: draws.choice([chr(one) + chr(other) for one in range(60, 90) for other in range(60, 90)], rows),
    "accents": lambda draws, rows: draws.choice(["é", "e", "ß", "", "日"], rows),
    "words": lambda draws, rows: draws.choice(["web", "phone", "a shop in town"], rows),
    "ids": lambda draws, rows: [f"r{place}" for place in range(rows)],
    "texts": lambda draws, rows: [f"text {place}" if place % 3 else "" for place in range(rows)],
}


@pytest.mark.parametrize("rows", [0, 1, 7, 9_001])
def test_a_column_as_codes_says_what_it_says_as_text(rows):
    """In every part of a file, wherever a cell first stands; columns of which most cells differ stay text."""
    draws = np.random.default_rng(rows)
    parts = [pa.table({name: pa.array(list(map(str, make(draws, rows))), pa.string()) for name, make in COLUMNS.items()}) for _ in range(3)]
    for part, whole in zip(codes.packed(iter(parts)), parts, strict=True):
        frame, plain = raw.table(part, first_row=1, encoding="", wording={}).frame, raw.table(whole, first_row=1, encoding="", wording={}).frame
        pd.testing.assert_frame_equal(frame.astype(raw.TEXT), plain.astype(raw.TEXT))
        for name in plain:
            for cells in (frame[name], plain[name]):
                own, words = codes.of(cells)
                assert [words[code] for code in own] == plain[name].tolist()
                assert set(words) == set(plain[name])
    if rows > 10:
        assert [name for name in plain if isinstance(frame[name].dtype, pd.CategoricalDtype)] == [name for name in COLUMNS if name not in ("ids", "texts")]
        some = codes.present(frame[(frame["words"] == "web").to_numpy()])
        assert some["words"].cat.categories.tolist() == ["web"]


@pytest.mark.parametrize("places", [[], [5], [1, 2, 3], [2, 3, 7, 9, 10, 11], [4, 2, 3, 3]])
def test_rows_as_runs_are_the_rows(places):
    starts, sizes = store._runs(np.array(places, dtype="int64"))
    assert [int(start) + step for start, size in zip(starts, sizes, strict=True) for step in range(size)] == places


@pytest.mark.parametrize("values", [[], [np.nan], [3, 1, np.nan, 3, 10], [-2, 0.0, -0.0], [1.5, 2], [0, 5e8, 1], [np.inf, 1, np.nan], [-np.inf]])
def test_small_whole_numbers_counted_are_as_hashed(values):
    cells = pd.Series(values, dtype="float64")
    (own, kinds), (hashed, found) = _whole(cells), pd.factorize(cells)
    assert [kinds[code] if code >= 0 else None for code in own] == [found[code] if code >= 0 else None for code in hashed]
    assert sorted(kinds) == sorted(found)
