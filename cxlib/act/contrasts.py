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
    if (twice := cells.duplicated(["unit", "period"])).any():
        raise DataError(f"The unit '{cells.loc[twice, 'unit'].iloc[0]}' has two rows in one period; give a row a unit and period.")
    if (cells.groupby("unit")["first"].nunique(dropna=False) > 1).any():
        raise DataError("A unit has two first periods of treatment; it has one.")
    wide = cells.pivot(index="unit", columns="period", values="value").sort_index().sort_index(axis=1)
    own = cells.drop_duplicates("unit").set_index("unit").loc[wide.index]
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
    """Return `made(means, sizes)` over cluster-bootstrap replicates: units are drawn within cohorts, n - 1 of n, and rescaled (Rao & Wu), so that small cohorts keep their variance."""
    rng, length, count = np.random.default_rng(seed), own.values.shape[1], len(own.cohorts)
    sums, sizes, seen = np.empty((replicates, count, length)), np.empty((replicates, count)), None if own.seen.all() else np.empty((replicates, count, length))
    for k in range(count):
        rows = np.flatnonzero(own.member == k)
        n = len(rows)
        if n == 1:
            drawn = np.ones((replicates, 1))
        else:
            picked = rng.integers(0, n, (replicates, n - 1)) + np.arange(replicates)[:, None] * n
            drawn = np.bincount(picked.ravel(), minlength=replicates * n).reshape(replicates, n) * (n / (n - 1))
        weighted = own.weight[rows, None]
        sums[:, k], sizes[:, k] = drawn @ (own.values[rows] * weighted), drawn @ own.weight[rows]
        if seen is not None:
            seen[:, k] = drawn @ (own.seen[rows] * weighted)
    with np.errstate(divide="ignore", invalid="ignore"):
        return made(sums / (sizes[:, :, None] if seen is None else seen), sizes)


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
    mean, size = means(own)
    count, length = mean.shape
    unit = np.eye(count * length).reshape(-1, count, length)
    lines = made(unit, np.broadcast_to(size, (count * length, count))).reshape(count, length)
    estimate = float((lines * np.where(lines != 0, mean, 0.0)).sum())
    share = np.array([own.weight[:, None] * own.seen])[0]
    total = np.zeros((count, length))
    np.add.at(total, own.member, share)
    apart = np.where(own.seen, own.values - np.where(np.isnan(mean), 0.0, mean)[own.member], 0.0)
    pull = (share / np.where(total > 0, total, 1.0)[own.member] * lines[own.member] * apart).sum(axis=1)
    parts, free = [], []
    for k in np.flatnonzero((lines != 0).any(axis=1)):
        rows = own.member == k
        n = int(rows.sum())
        if n > 1:
            parts.append(n / (n - 1) * float((pull[rows] ** 2).sum()))
        else:  # alone in its cohort: as far from its mean as the others are from theirs
            others, freed = (apart[~rows] @ lines[k]) ** 2, max(len(own.member) - count, 1)
            parts.append(float(others.sum()) / freed)
            n = freed + 1
        free.append(n - 1)
    variance = sum(parts)
    error = float(np.sqrt(variance))
    df = variance**2 / sum(part**2 / d for part, d in zip(parts, free)) if variance > 0 else np.nan
    half = stats.t.ppf(0.975, df) * error if variance > 0 else np.nan
    return {"estimate": estimate, "std_error": error if variance > 0 else np.nan, "conf_low": estimate - half, "conf_high": estimate + half, "df": df, "p": float(2 * stats.t.sf(abs(estimate) / error, df)) if variance > 0 else np.nan}
