"""Contrasts of cohorts by period, with errors that know their clusters: the arithmetic under difference-in-differences.

A panel is a tidy frame, a row a cell: `unit`, `period` (sortable), `value` (the unit's mean in it), `first` (first period of treatment; empty = never), optional `weight` (customers of the
unit, the same in every period). Units of one first period are a cohort. Every estimate is a contrast of the weighted means of cohort by period, so that clusters (the units) enter twice only: in
the variance, and as sums in the bootstrap. Rao & Wu 1988 (Journal of the American Statistical Association 83:231) for the rescaled bootstrap.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError

NEVER = np.iinfo(np.int64).max


class Panel(NamedTuple):
    """Cells as arrays: values and seen (unit by period), weight and first (place of the first treated period) by unit, the cohorts, and which one each unit is of."""

    values: np.ndarray
    seen: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    cohorts: np.ndarray
    member: np.ndarray
    units: np.ndarray
    periods: np.ndarray


def panel(cells: pd.DataFrame, *, complete: bool = True) -> tuple[Panel, dict]:
    """Return cells as arrays, and how many units had to be left out: {"incomplete": ..., "treated_before": ...}.

    `complete` leaves out units that lack a period (else every mean is of what is there); units treated in the first period or before have no time before and are left out always.
    errors: DataError for a unit with two first periods or two rows in a period, and where no treated unit or no comparison is left.
    """
    codes, units = pd.factorize(cells["unit"])
    stamps, dates = pd.factorize(cells["period"])
    places = codes * np.int64(len(dates)) + stamps
    if len(cells) and np.bincount(places).max() > 1:
        raise DataError(f"The unit '{cells.loc[cells.duplicated(['unit', 'period']), 'unit'].iloc[0]}' has two rows in one period; give a row a unit and period.")
    named = np.zeros(len(units), dtype=np.int64)
    named[codes[::-1]] = np.arange(len(cells))[::-1]  # the first row of each
    own = cells.iloc[named].set_index("unit").sort_index()
    given = cells["first"].to_numpy(float)
    if not np.array_equal(given, given[named][codes], equal_nan=True):
        raise DataError("A unit has two first periods of treatment; it has one.")
    grid = np.full((len(units), len(dates)), np.nan)
    grid[codes, stamps] = cells["value"].to_numpy(float)
    wide = pd.DataFrame(grid, index=pd.Index(units), columns=pd.Index(dates))
    wide = wide.loc[own.index].sort_index(axis=1)
    periods, begun = wide.columns.to_numpy(), own["first"]
    first = np.where(begun.isna(), NEVER, np.searchsorted(periods, begun.fillna(periods[-1])))
    first = np.where((first != NEVER) & (first >= len(periods)), NEVER, first)  # treated after the last period: not yet, as far as is seen
    seen = wide.notna().to_numpy()
    early, gaps = first == 0, ~seen.all(axis=1) if complete else ~seen.any(axis=1)
    keep = ~early & ~gaps
    first, values, seen = first[keep], wide.to_numpy(float)[keep], seen[keep]
    if not (first != NEVER).any() or len(np.unique(first)) < 2:
        raise DataError("No comparison can be made: " + ("no treated unit has a time before and all its periods" if not (first != NEVER).any() else "no unit is left that was never, or only later, treated") + ".")
    weight = own["weight"].to_numpy(float)[keep] if "weight" in own else np.ones(keep.sum())
    cohorts, member = np.unique(first, return_inverse=True)
    return Panel(np.where(seen, values, 0.0), seen, weight, first, cohorts, member, wide.index.to_numpy()[keep], periods), {"incomplete": int((gaps & ~early).sum()), "treated_before": int(early.sum())}


def bootstrap(own: Panel, made, *, replicates: int, seed: int) -> np.ndarray:
    """Return `made(means, sizes)`, a contrast, over cluster-bootstrap replicates: units are drawn within cohorts, n - 1 of n, and rescaled (Rao & Wu), so that small cohorts keep their variance.

    Where every unit counts alike and has all its periods, the cohorts keep their sizes, so the contrast has the same coefficients in every replicate and one number a unit is drawn instead of one a period.
    """
    rng, length, count = np.random.default_rng(seed), own.values.shape[1], len(own.cohorts)
    if own.seen.all() and np.ptp(own.weight) == 0:
        pull = (own.values * lines(own, made)[own.member]).sum(axis=1) / np.bincount(own.member)[own.member]
        return sum((np.full(replicates, pull[rows[0]]) if len(rows) == 1 else _counts(rng, len(rows), replicates).astype(float) @ (pull[rows] * len(rows) / (len(rows) - 1))) for rows in (np.flatnonzero(own.member == k) for k in range(count)))
    sums, sizes, seen = np.empty((replicates, count, length)), np.empty((replicates, count)), None if own.seen.all() else np.empty((replicates, count, length))
    for k in range(count):
        rows = np.flatnonzero(own.member == k)
        n = len(rows)
        drawn = np.ones((replicates, 1)) if n == 1 else _counts(rng, n, replicates) * (n / (n - 1))
        weighted = own.weight[rows, None]
        sums[:, k], sizes[:, k] = drawn @ (own.values[rows] * weighted), drawn @ own.weight[rows]
        if seen is not None:
            seen[:, k] = drawn @ (own.seen[rows] * weighted)
    with np.errstate(divide="ignore", invalid="ignore"):
        return made(sums / (sizes[:, :, None] if seen is None else seen), sizes)


def _counts(rng, n: int, replicates: int) -> np.ndarray:
    """Return how often each of n units is among n - 1 drawn, a row a replicate."""
    picked = rng.integers(0, n, (replicates, n - 1))
    picked += np.arange(replicates)[:, None] * n
    return np.bincount(picked.ravel(), minlength=replicates * n).reshape(replicates, n)


def lines(own: Panel, made) -> np.ndarray:
    """Return the coefficients of a contrast, cohort by period, had by applying it to unit cells."""
    count, length = len(own.cohorts), own.values.shape[1]
    unit = np.eye(count * length).reshape(-1, count, length)
    return made(unit, np.broadcast_to(sizes(own)[0], (count * length, count))).reshape(count, length)


def means(own: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of every cohort and period, and the weight of every cohort."""
    inside = np.zeros((len(own.cohorts), len(own.member)))
    inside[own.member, np.arange(len(own.member))] = own.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        return (inside @ own.values) / (inside @ own.seen), inside.sum(axis=1)


def sizes(own: Panel) -> np.ndarray:
    """Return the weight of every cohort, as one replicate."""
    return np.bincount(own.member, weights=own.weight, minlength=len(own.cohorts))[None]


def tested(own: Panel, made) -> dict:
    """Return a contrast of cohort means with its cluster-robust error: estimate, std_error, conf_low, conf_high, df, p.

    The contrast's coefficients are had by applying it to unit cells; each unit's influence is its weighted, coefficient-weighted deviation from its cohort. A cohort of one unit has the spread of the others.
    """
    mean, _ = means(own)
    count, length = mean.shape
    line = lines(own, made)
    estimate = float((line * np.where(line != 0, mean, 0.0)).sum())
    share = np.array([own.weight[:, None] * own.seen])[0]
    total = np.zeros((count, length))
    np.add.at(total, own.member, share)
    apart = np.where(own.seen, own.values - np.where(np.isnan(mean), 0.0, mean)[own.member], 0.0)
    pull = (share / np.where(total > 0, total, 1.0)[own.member] * line[own.member] * apart).sum(axis=1)
    parts, free = [], []
    for k in np.flatnonzero((line != 0).any(axis=1)):
        rows = own.member == k
        n = int(rows.sum())
        if n > 1:
            parts.append(n / (n - 1) * float((pull[rows] ** 2).sum()))
        else:  # alone in its cohort: as far from its mean as the others are from theirs
            others, freed = (apart[~rows] @ line[k]) ** 2, max(len(own.member) - count, 1)
            parts.append(float(others.sum()) / freed)
            n = freed + 1
        free.append(n - 1)
    variance = sum(parts)
    error = float(np.sqrt(variance))
    df = variance**2 / sum(part**2 / d for part, d in zip(parts, free)) if variance > 0 else np.nan
    half = stats.t.ppf(0.975, df) * error if variance > 0 else np.nan
    return {"estimate": estimate, "std_error": error if variance > 0 else np.nan, "conf_low": estimate - half, "conf_high": estimate + half, "df": df, "p": float(2 * stats.t.sf(abs(estimate) / error, df)) if variance > 0 else np.nan}
