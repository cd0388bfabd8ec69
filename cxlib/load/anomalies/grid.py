"""The ratings of one survey as a grid: answers turned so that high is good, counted by unit and score, with the mood of the other ratings."""

import functools
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.programme import Item, Programme, Survey

FIELDS = ("channel", "brand", "country", "language")  # what may part a wave into sources
MOST = 10_000  # rows of a wave in which relations between ratings are looked at
COLUMNS = ("kind", "what", "table", "survey", "wave", "item", "unit", "n", "estimate", "p", "verdict", "sentence", "remedy")


class Units(NamedTuple):
    """A partition of the rows: a code a row (-1: in none), the wave and the words of each code."""

    codes: np.ndarray
    waves: list[str]
    names: list[str]

    @property
    def count(self) -> int:
        return len(self.names)


class Grid:
    """One survey: `x` (rows x ratings, high is good, NaN where not answered), `rest` (mean standardised rating of the row's other items)."""

    def __init__(self, responses: pd.DataFrame, programme: Programme, survey: Survey, *, every: int = 1):
        self.programme, self.survey, self.frame, self.every = programme, survey, responses, every
        order = sorted((wave for wave in programme.waves if wave.survey == survey.id), key=lambda wave: (wave.quarter, wave.first, wave.id))
        present = set(responses["wave"].unique())
        self.waves = [wave.id for wave in order if wave.id in present]
        self.files = {wave.id: wave.named for wave in order}
        codes, names = pd.factorize(responses["wave"])
        self.wave = np.array([self.waves.index(name) for name in names], dtype=np.int64)[codes]
        self.items: list[Item] = [item for item in programme.asked(survey.id) if item.kind == "rating" and responses[item.id].notna().any()]
        scales = [programme.scales[item.scale] for item in self.items]
        self.low, self.high = np.array([s.low for s in scales]), np.array([s.high for s in scales])
        self.turned = np.array([programme.direction(item) == "low_is_good" for item in self.items], dtype=bool)
        self.widths = np.rint(self.high - self.low).astype(int) + 1
        self.by_wave = Units(self.wave, self.waves, [""] * len(self.waves))
        self._rest = self._standardised = self._correlations = self.periods = None
        self._codes, self._counts, self._moods, self._units = {}, {}, {}, {}

    @functools.cached_property
    def x(self) -> np.ndarray:
        """The ratings, high is good: rows x items, NaN where not answered."""
        raw = self.frame[[item.id for item in self.items]].to_numpy(dtype=np.float64) if self.items else np.empty((len(self.frame), 0))
        return np.where(self.turned, self.low + self.high - raw, raw)

    @functools.cached_property
    def places(self) -> np.ndarray:
        """The places on the scale, from 0; -1 where not answered."""
        places = np.rint(np.nan_to_num(self.x, nan=-1e6) - self.low).astype(np.int32)
        places[np.isnan(self.x)] = -1
        return places

    @functools.cached_property
    def thin(self) -> "Grid":
        """The same with every so-maniest row only, at most `MOST` a wave: what ratings have to do with each other is known from them."""
        every = -(-int(np.bincount(self.wave, minlength=1).max()) // MOST)
        return self if every <= 1 else Grid(self.frame.iloc[::every].reset_index(drop=True), self.programme, self.survey, every=every)

    @property
    def rest(self) -> np.ndarray:
        """Mean of the other ratings of the row, each standardised within its wave: who is content is above 0, whatever the wave's level.

        NaN for those who tick the middle of everything: they have said nothing of their mood.
        """
        if self._rest is None:
            z = self.standardised
            known = ~np.isnan(z)
            others = known.sum(axis=1, keepdims=True) - known
            total = np.where(known, z, 0.0)
            total = total.sum(axis=1, keepdims=True) - total
            self._rest = np.where(others > 0, total / np.maximum(others, 1), np.nan)
        return self._rest

    @property
    def standardised(self) -> np.ndarray:
        """The ratings, each standardised within its wave; NaN where not answered, and for the undecided."""
        if self._standardised is None:
            known, n_waves = ~np.isnan(self.x) & ~self.undecided[:, None], max(len(self.waves), 1)
            z = np.full(self.x.shape, np.nan)
            for place in range(self.x.shape[1]):
                own = known[:, place]
                code, value = self.wave[own], self.x[own, place]
                n = np.maximum(np.bincount(code, minlength=n_waves), 1)
                mean = np.bincount(code, value, n_waves) / n
                spread = np.sqrt(np.maximum(np.bincount(code, (value - mean[code]) ** 2, n_waves) / n, 1e-12))
                z[own, place] = np.where(spread[code] > 1e-5, (value - mean[code]) / spread[code], 0.0)
            self._standardised = z
        return self._standardised

    @property
    def undecided(self) -> np.ndarray:
        """Which rows gave three ratings or more, all of them at the middle of the scale."""
        middle = np.maximum(0.5, 0.06 * (self.widths - 1))
        off = (self.places >= 0) & (np.abs(self.places - (self.widths - 1) / 2) > middle)
        return ((self.places >= 0).sum(axis=1) >= 3) & ~off.any(axis=1)

    def histogram(self, place: int, units: Units) -> np.ndarray:
        """Return how often each score of an item was given: units x scale points."""
        if units is self.by_wave and place in self._counts:
            return self._counts[place]
        width, score = self.widths[place], self.places[:, place]
        keep = (units.codes >= 0) & (score >= 0) & (score < width)
        counts = np.bincount(units.codes[keep] * width + score[keep], minlength=units.count * width).reshape(units.count, width).astype(float)
        if units is self.by_wave:
            self._counts[place] = counts
        return counts

    def mood(self, place: int, units: Units) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return n, mean and variance of `rest` among those who gave each score of an item: three arrays, units x scale points."""
        if units is self.by_wave and place in self._moods:
            return self._moods[place]
        width, score, rest = self.widths[place], self.places[:, place], self.rest[:, place]
        keep = (units.codes >= 0) & (score >= 0) & (score < width) & ~np.isnan(rest)
        cell, value, size = units.codes[keep] * width + score[keep], rest[keep], units.count * width
        n = np.bincount(cell, minlength=size)
        mean = np.bincount(cell, value, size) / np.maximum(n, 1)
        square = np.bincount(cell, (value - mean[cell]) ** 2, size) / np.maximum(n - 1, 1)
        mood = tuple(part.reshape(units.count, width) for part in (n.astype(float), mean, square))
        if units is self.by_wave:
            self._moods[place] = mood
        return mood

    def correlations(self, units: Units) -> tuple[np.ndarray, np.ndarray]:
        """Return pairwise correlations and bases of the ratings by unit: units x items x items each."""
        if units is self.by_wave and self._correlations is not None:
            return self._correlations
        k = self.x.shape[1]
        known = ~np.isnan(self.x)
        centred = np.where(known, self.x - np.where(known.any(axis=0), np.nan_to_num(self.x).sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0), 0.0)
        r, n = np.full((units.count, k, k), np.nan), np.zeros((units.count, k, k))
        order = np.argsort(units.codes, kind="stable")
        ends = np.searchsorted(units.codes[order], np.arange(units.count + 1))
        for unit in range(units.count):
            rows = order[ends[unit] : ends[unit + 1]]
            z, m = centred[rows], known[rows].astype(float)
            n[unit] = m.T @ m
            with np.errstate(invalid="ignore", divide="ignore"):
                mean, second, cross = z.T @ m / n[unit], (z**2).T @ m / n[unit], z.T @ z / n[unit]
                spread = second - mean**2
                spread = np.where(spread > 1e-9, spread, np.nan)
                r[unit] = np.clip((cross - mean * mean.T) / np.sqrt(spread * spread.T), -0.999, 0.999)
        if units is self.by_wave:
            self._correlations = r, n
        return r, n

    def codes(self, field: str) -> tuple[np.ndarray, pd.Index]:
        """Return a code a row (-1: none) and the sorted values of a column."""
        if field not in self._codes:
            codes, values = _whole(self.frame[field]) if self.frame[field].dtype == np.float64 else pd.factorize(self.frame[field])
            order = np.argsort(np.asarray(values, dtype=object if values.dtype != float else float), kind="stable")
            place = np.empty(len(values) + 1, dtype=np.int64)
            place[order], place[-1] = np.arange(len(values)), -1
            self._codes[field] = place[codes], values[order]
        return self._codes[field]

    def units(self, field: str, *, by_wave: bool = True, most: int = 12) -> Units | None:
        """Return the partition by a field (within waves, or over all of them); None where it has fewer than two or more than `most` values."""
        if field not in self.frame:
            return None
        if (field, by_wave) in self._units:
            made = self._units[field, by_wave]
            return made if len(self.codes(field)[1]) <= most else None
        codes, values = self.codes(field)
        if not 2 <= len(values) <= most:
            return None
        names = [f"{field} '{value}'" for value in values]
        if by_wave:
            both = np.where(codes < 0, -1, self.wave * len(values) + codes)
            made = Units(both, [wave for wave in self.waves for _ in values], names * len(self.waves))
        else:
            made = Units(codes, [""] * len(values), names)
        self._units[field, by_wave] = made
        return made

    def row(self, kind: str, wave: str, item: str, *, n, estimate, p, verdict: str, sentence: str, unit: str = "") -> dict:
        """Return one anomaly as a row of `find`."""
        value = float(np.clip(p, 1e-300, 1.0)) if p is not None and np.isfinite(p) else np.nan
        values = (kind, "", "responses", self.survey.id, wave, item, unit, int(n), float(estimate), value, verdict, sentence)
        return dict(zip(COLUMNS, (*values, "")))

    def where(self, wave: str, unit: str = "") -> str:
        """Return the words for a place: file, wave and unit."""
        place = f"{self.files[wave]} (survey '{self.survey.id}', wave '{wave}')" if wave else f"survey '{self.survey.id}'"
        place += f", seen in one row of {self.every}" if self.every > 1 else ""
        return f"{place}, {unit}" if unit else place


def _whole(cells: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return what `pd.factorize` does, values in order, of numbers; scores and other small whole ones are counted, which is sooner."""
    numbers = cells.to_numpy()
    known = ~np.isnan(numbers)
    low, high = (numbers[known].min(), numbers[known].max()) if known.any() else (0.0, np.inf)
    if not high - low < 1000 or low != round(low):
        return pd.factorize(cells)
    places = np.where(known, numbers - low, 0.0).astype(np.int64)
    if (places + low != numbers)[known].any():
        return pd.factorize(cells)
    here = np.flatnonzero(np.bincount(places[known]))
    code = np.zeros(here[-1] + 1, dtype=np.int64)
    code[here] = np.arange(len(here))
    return np.where(known, code.take(places), -1), pd.Index(here + low)


def grids(tables, programme: Programme | None = None) -> list[Grid]:
    """Return a grid for each survey with answers."""
    programme = programme or tables.programme
    responses = tables["responses"]
    surveys = [(survey, responses[responses["survey"] == survey.id]) for survey in programme.surveys]
    return [Grid(own.reset_index(drop=True), programme, survey) for survey, own in surveys if len(own)]
