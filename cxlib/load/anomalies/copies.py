"""A wave sent twice: rows that repeat another wave's answers, or each other's, under other ids; ids that carry two people's answers."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load.anomalies.grid import Grid

LEAST = 20


def repeated(grid: Grid, verbatims: pd.DataFrame | None = None) -> list[dict]:
    """Return waves that hold rows of another wave, and waves that hold rows twice, under other ids.

    A row's pattern is all it answered (ratings, numbers, nominal items) with brand, country, language, team and channel. Pairs of equal
    rows are counted within and between waves. Between waves that have nothing to do with each other pairs are as frequent as the patterns' own
    frequencies make them; that expectation, from all pairs of waves, is exceeded by a copy. Rows whose pattern is frequent prove nothing, so
    only patterns that at most three rows of a wave hold count. 20 pairs, 10 % of the smaller wave and eight standard deviations (five where there are
    four waves to compare with) more than expected.
    """
    patterns = _Patterns(grid, verbatims)
    pattern = np.where(patterns.usable, pd.factorize(patterns.total)[0], -1)
    waves = len(grid.waves)
    size = int(pattern.max(initial=-1)) + 1
    if not size:
        return []
    keep = pattern >= 0
    cell, count = np.unique(grid.wave[keep] * size + pattern[keep], return_counts=True)
    of_wave, key = cell // size, cell % size
    rare = count <= 3
    rows = np.bincount(grid.wave, minlength=waves)
    found = []
    by_wave = [ordered(key[rare & (of_wave == w)], count[rare & (of_wave == w)]) for w in range(waves)]
    copies = np.zeros((waves, waves))
    for a in range(waves):
        for b in range(a + 1, waves):
            _, left, right = np.intersect1d(by_wave[a][0], by_wave[b][0], assume_unique=True, return_indices=True)
            copies[a, b] = copies[b, a] = np.minimum(by_wave[a][1][left], by_wave[b][1][right]).sum()
    within = np.array([np.maximum(by_wave[w][1] - 1, 0).sum() for w in range(waves)], dtype=float)
    chance = _chance(copies, within, rows)
    for b in range(waves):
        for a in range(b):
            expected = chance(a, b)
            smaller = min(rows[a], rows[b])
            surplus = copies[a, b] - expected
            if surplus < LEAST or surplus < 0.1 * smaller:
                continue
            expected = max(expected, patterns.near(grid.wave == a, grid.wave == b))
            z = (copies[a, b] - expected) / np.sqrt(expected + 1)
            # The near pairs of a copy count among those expected, so that fewer deviations are enough where other waves say too what is usual.
            if copies[a, b] - expected >= max(LEAST, 0.1 * smaller) and z > (8 if waves < 4 else 5):
                found.append(grid.row("wave_twice", grid.waves[b], "", n=copies[a, b], estimate=copies[a, b] / smaller, p=stats.norm.sf(z), verdict="refused", unit=f"wave '{grid.waves[a]}'", sentence=
                    f"{grid.where(grid.waves[b])}: {copies[a, b]:,.0f} rows hold the same answers as rows of {grid.files[grid.waves[a]]} (wave '{grid.waves[a]}') under other ids, where about {expected:,.0f} would by chance; "
                    "the earlier wave was probably sent again. To mend it: ask for the file of this wave; until then it is not averaged."))
    twins = {row["wave"] for row in found} | {row["unit"].removeprefix("wave '").removesuffix("'") for row in found}
    for w in range(waves):
        others = [o for o in range(waves) if o != w and not twins & {grid.waves[w], grid.waves[o]}]
        expected = np.median([copies[w, o] / max(rows[o], 1) for o in others]) * rows[w] / 2 if others else 0.0
        # people alike answer alike: within one wave more pairs are usual than between two, so a wave is compared with the others' own excess too
        usual = np.median(np.delete(within / np.maximum(rows, 1), w)) * rows[w] if waves > 1 else 0.0
        if within[w] - expected < LEAST or within[w] < 0.05 * rows[w] + 2 * usual:
            continue
        expected = max(expected, usual, patterns.near(grid.wave == w, None))
        z = (within[w] - expected) / np.sqrt(expected + 1)
        if within[w] - expected >= LEAST and z > 8:
            found.append(grid.row("rows_repeated", grid.waves[w], "", n=within[w], estimate=within[w] / rows[w], p=stats.norm.sf(z), verdict="refused", sentence=
                f"{grid.where(grid.waves[w])}: {within[w]:,.0f} rows repeat the answers of another row of the wave under another id, where {expected:,.0f} would by chance. "
                "To mend it: find out whether a part of the file was appended twice; until then the wave is not averaged."))
    return found


def ordered(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(keys)
    return keys[order], counts[order]


def _chance(copies: np.ndarray, within: np.ndarray, rows: np.ndarray):
    """How many pairs two waves hold by chance: in proportion to both sizes, at the rate of the median pair of waves or of rows within the waves."""
    waves = len(rows)
    inside = 2 * within / np.maximum(rows.astype(float) ** 2, 1)
    between = {(a, b): copies[a, b] / max(rows[a] * rows[b], 1) for a in range(waves) for b in range(a + 1, waves)}

    def expected(a: int, b: int) -> float:
        others = [rate for pair, rate in between.items() if pair != (min(a, b), max(a, b))]
        rate = max(np.median(others) if others else 0.0, min(inside[a], inside[b]))
        return float(rate * rows[a] * rows[b])

    return expected


def second(rows: pd.DataFrame, verbatims: pd.DataFrame, programme, survey: str) -> np.ndarray:
    """Return which rows of a wave repeat the answers of an earlier row; a pattern held by more than three proves nothing."""
    patterns = _Patterns(Grid(rows.reset_index(drop=True), programme, programme.survey(survey)), verbatims)
    again = pd.Series(patterns.total)
    return patterns.usable & again.duplicated().to_numpy() & (again.map(again.value_counts()) <= 3).to_numpy()


class _Patterns:
    """A number for each row's answers (-1 where it answered fewer than three things), and the same with one column left out."""

    def __init__(self, grid: Grid, verbatims: pd.DataFrame | None):
        asked = [item.id for item in grid.programme.asked(grid.survey.id) if item.kind != "verbatim" and item.id in grid.frame]
        self.columns = [grid.codes(name)[0] for name in (*asked, "brand", "country", "language", "team", "channel") if name in grid.frame]
        answered = np.zeros(len(grid.frame), dtype=np.int64)
        self.total = np.zeros(len(grid.frame), dtype=np.uint64)
        for place, codes in enumerate(self.columns):
            answered += (codes >= 0) & (place < len(asked))
            self.total += _marks(place, codes)
        if verbatims is not None and len(verbatims):
            own = verbatims[verbatims["survey"] == grid.survey.id]
            if len(own):
                rows = pd.factorize(pd.concat([grid.frame["answer"], own["answer"]], ignore_index=True))[0]
                rows, theirs = rows[: len(grid.frame)], rows[len(grid.frame) :]
                said, given = np.zeros(rows.max(initial=-1) + len(theirs) + 1, dtype=np.uint64), np.zeros(rows.max(initial=-1) + len(theirs) + 1, dtype=bool)
                np.add.at(said, theirs, _marks(len(self.columns), pd.factorize(own["text"])[0]))
                given[theirs] = True
                self.total += said[rows]
                answered += 2 * given[rows]
        self.usable = answered >= 3

    def near(self, left: np.ndarray, right: np.ndarray | None) -> float:
        """Return how many pairs of equal rows (one in each mask; both in the left where there is no right) are to be expected by chance.

        By the pairs that are equal but for one column: had two people agreed on all the others, the column's own frequencies (at least evens, as
        people who agree so far agree further) say how often they agree on it too. A copied row has few such near neighbours.
        """
        apart, odds = 0.0, 0.0
        here, there = self._rare(left), self._rare(right) if right is not None else None
        for place, codes in enumerate(self.columns):
            sides = codes[here] if there is None else np.concatenate([codes[here], codes[there]])
            share = np.bincount(sides + 1) / max(len(sides), 1)
            same = (share**2).sum()
            if same > 0.98:
                continue
            rest = self.total - _marks(place, codes)
            whole, others = (_pairs(key[here], None if there is None else key[there]) for key in (self.total, rest))
            apart += max(others - whole, 0.0)
            odds += (1 - max(same, 0.5)) / max(same, 0.5)
        return apart / odds if odds else np.inf

    def _rare(self, side: np.ndarray) -> np.ndarray:
        """Return the rows of a side whose pattern at most three of it hold."""
        rows = np.flatnonzero(side & self.usable)
        _, place, n = np.unique(self.total[rows], return_inverse=True, return_counts=True)
        return rows[n[place] <= 3]


def _marks(place: int, codes: np.ndarray) -> np.ndarray:
    """Return a random number of 64 bits for each value of a column."""
    return np.random.default_rng(place).integers(0, 2**64, int(codes.max(initial=-1)) + 2, dtype=np.uint64)[codes + 1]


def _pairs(left: np.ndarray, right: np.ndarray | None) -> float:
    """Return how many pairs of rows are equal: within one side, or between two."""
    keys, n = np.unique(left, return_counts=True)
    if right is None:
        return float((n * (n - 1) / 2).sum())
    others, m = np.unique(right, return_counts=True)
    _, a, b = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    return float((n[a] * m[b]).sum())


def same_ids(grid: Grid) -> list[dict]:
    """Return waves whose response ids stand in another wave of the survey too, with other answers.

    Running numbers (1, 2, 3, ...) begin anew in every wave and are left alone; of other ids 1 % and five in common are to be looked at.
    """
    found = []
    if len(grid.waves) < 2:
        return found
    codes, values = pd.factorize(grid.frame["response_id"])
    sets, running = [np.unique(codes[grid.wave == w]) for w in range(len(grid.waves))], None
    for b in range(len(sets)):
        for a in range(b):
            both = len(np.intersect1d(sets[a], sets[b], assume_unique=True))
            smaller = min(len(sets[a]), len(sets[b]))
            if both >= 5 and both >= 0.01 * smaller:
                running = _running(grid, values, len(codes)) if running is None else running
                if running:
                    return []
                found.append(grid.row("same_ids", grid.waves[b], "response_id", n=both, estimate=both / smaller, p=None, verdict="look", unit=f"wave '{grid.waves[a]}'", sentence=
                    f"{grid.where(grid.waves[b])}: {both:,} ids stand in wave '{grid.waves[a]}' too, though they are no running numbers; one answer may have been counted in two waves, or two people share an id. To mend it: ask how ids are given."))
    return found


def _running(grid: Grid, values, rows: int) -> bool:
    """Whether ids are running numbers, alone or behind letters."""
    numbers = pd.to_numeric(pd.Series(values, dtype=str).str.extract(r"(\d+)\D*$")[0], errors="coerce").to_numpy(dtype=float)
    return bool((np.isfinite(numbers) & (numbers <= 50 * max(rows, 1000) / max(len(grid.waves), 1))).mean() > 0.9)
