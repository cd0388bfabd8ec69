"""Difference-in-differences from cells of unit by period: group-time effects, two-way fixed effects, the trend before and its bound.

Cells are as in `contrasts`: unit, period, value, first, optional weight. Sources: Callaway & Sant'Anna 2021 (Journal of Econometrics 225:200) for group-time effects with not-yet treated controls; Card & Krueger
1994 (American Economic Review 84:772); Rambachan & Roth 2023 (Review of Economic Studies 90:2555) for carrying the violation before into the time after.
"""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.act.contrasts import NEVER, bootstrap, means, panel, sizes, tested

MOST_ASSIGNMENTS = 5000  # permutations beyond these are drawn


def overall(cells: pd.DataFrame, *, complete: bool = True, base: str = "all", replicates: int = 0, seed: int = 1) -> pd.DataFrame:
    """Estimate what treatment did, over all treated cells: the mean of the group-time effects, weighted by the customers of each.

    The effect of cohort g in period t is the change of its mean since the time before (`base` "all" periods before, or the "last" one, as Callaway & Sant'Anna) less that of units never or not yet treated.
    out, one row: estimate, std_error (clusters = units; for two periods and one cohort HC2), conf_low, conf_high, df (Satterthwaite over cohorts), p, std_error_boot (cluster bootstrap, where `replicates`),
    mean_treated (observed, after), mean_control (what it would have been: observed less estimate), n_treated, n_control (units), n, times (weight of the treated cells: what the estimate is to be multiplied by), incomplete, treated_before, note.
    With one treated unit, or one control, a standard error would be invented: interval and p are then by permutation of who is treated, and `note` says so.
    """
    own, left = panel(cells, complete=complete)
    row = tested(own, lambda mean, size: _overall(mean, size, own.cohorts, base))
    treated = own.first != NEVER
    after = treated[:, None] & (np.arange(own.values.shape[1]) >= own.first[:, None]) & own.seen
    weights = own.weight[:, None] * after
    row |= {"mean_treated": float((own.values * weights).sum() / weights.sum()), "n_treated": int(treated.sum()), "n_control": int((~treated).sum()), "times": float(weights.sum()), "note": ""}
    row["mean_control"] = row["mean_treated"] - row["estimate"]
    if min(row["n_treated"], max(row["n_control"], len(own.first) - row["n_treated"])) < 2:
        row |= permutation(cells, complete=complete, base=base, seed=seed).iloc[0][["p", "conf_low", "conf_high"]].to_dict() | {"std_error": np.nan, "df": np.nan, "note": "one unit on a side: interval and p by permutation"}
    row["std_error_boot"] = float(np.std(bootstrap(own, lambda mean, size: _overall(mean, size, own.cohorts, base), replicates=replicates, seed=seed), ddof=1)) if replicates else np.nan
    return pd.DataFrame([row | left])


def by_period(cells: pd.DataFrame, *, complete: bool = True, base: str = "all", most: int = 36) -> pd.DataFrame:
    """Estimate the effect by periods since treatment (an event study); those before should be around zero.

    out: since (0 = the first treated period), estimate, std_error, conf_low, conf_high, df, p, n (treated units seen so long).
    """
    own, _ = panel(cells, complete=complete)
    cohorts, length = own.cohorts[own.cohorts != NEVER], own.values.shape[1]
    rows = []
    for since in range(max(-int(cohorts.max()), -most), min(length - int(cohorts.min()), most)):
        there = [g for g in cohorts if 0 <= g + since < length and (own.first > max(g, g + since)).any()]
        if there:
            rows.append({"since": since, **tested(own, lambda mean, size, since=since, there=there: _event(mean, size, own.cohorts, there, since, base)), "n": int(np.isin(own.first, there).sum())})
    return pd.DataFrame(rows)


def before(cells: pd.DataFrame, *, effect: float, error: float = 0.0, complete: bool = True) -> pd.DataFrame:
    """Say how much of an effect a difference in trend could explain that is compatible with the time before.

    The slope is that of the treated cohorts' periods before, less that of units never treated (not yet, where fewer than two never are). out, one row: estimate (slope a period), std_error, conf_low, conf_high, p (no
    difference in trend), reach (periods from the middle of the time before to the middle of the time after), low, high (the violation carried to the time after, 95 %), bound (the largest estimate that it would give alone, 95 %, in
    the direction of `effect`, whose own standard error `error` is in it; at least 0), placebo (effect of a date half way through the time before), placebo_p, n (periods before, of the cohort with most). NaN where no cohort has three periods before.
    """
    own, _ = panel(cells, complete=complete)
    cohorts = own.cohorts[own.cohorts != NEVER]
    long = [g for g in cohorts if g >= 3 and (own.first > g).any()]
    names = ("estimate", "std_error", "conf_low", "conf_high", "df", "p", "reach", "low", "high", "bound", "placebo", "placebo_p")
    if not long:
        return pd.DataFrame([dict.fromkeys(names, np.nan) | {"n": int(cohorts.max())}])
    never = int((own.first == NEVER).sum()) >= 2
    slope = tested(own, lambda mean, size: _slope(mean, size, own.cohorts, long, never))
    reach = float(_overall(np.broadcast_to(np.arange(own.values.shape[1], dtype=float) * (own.cohorts != NEVER)[:, None], (1, len(own.cohorts), own.values.shape[1])), sizes(own), own.cohorts, "all", later=False)[0])
    placebo = tested(own, lambda mean, size: _halves(mean, size, own.cohorts, long, never))
    sign = 1.0 if effect >= 0 else -1.0
    low, high, drift = slope["conf_low"] * reach, slope["conf_high"] * reach, slope["estimate"] * reach
    margin = np.hypot(high - drift, stats.norm.ppf(0.975) * (0.0 if error != error else error))
    return pd.DataFrame([slope | {"reach": reach, "low": low, "high": high, "bound": max(sign * drift + margin, 0.0), "placebo": placebo["estimate"], "placebo_p": placebo["p"], "n": int(cohorts.max())}])


def two_way(cells: pd.DataFrame, *, complete: bool = True, replicates: int = 0, seed: int = 1) -> pd.DataFrame:
    """Estimate the two-way fixed-effects coefficient (treatment, unit and period), for comparison: with staggered dates it mixes group-time effects by weights that may be negative.

    out, one row: estimate, std_error (cohort-wise cluster-robust), std_error_crv1 (of residuals summed by unit, as regression packages print it: G / (G - 1) x (N - 1) / (N - K), the units' own levels not counted in K), conf_low, conf_high, df, p, std_error_boot, boot_low, boot_high (percentiles of the cluster bootstrap, where `replicates`), n (units), rows (cells). Needs complete units.
    """
    own, _ = panel(cells, complete=complete)
    made = lambda mean, size: _two_way(mean, size, own.cohorts)
    row = tested(own, made) | {"std_error_boot": np.nan, "boot_low": np.nan, "boot_high": np.nan, "n": len(own.first), "rows": int(own.seen.sum())}
    row["std_error_crv1"] = _crv1(own, row["estimate"])
    if replicates:
        drawn = bootstrap(own, made, replicates=replicates, seed=seed)
        row |= {"std_error_boot": float(np.std(drawn, ddof=1)), "boot_low": float(np.quantile(drawn, 0.025)), "boot_high": float(np.quantile(drawn, 0.975))}
    return pd.DataFrame([row])


def permutation(cells: pd.DataFrame, *, complete: bool = True, base: str = "all", seed: int = 1) -> pd.DataFrame:
    """Test and bound an effect by giving the treatment to other units (Fisher): valid for one treated unit, where no cluster-robust error is.

    All assignments where they are at most 5,000, else as many drawn. out, one row: estimate, p (share of assignments whose estimate is as large), conf_low, conf_high (effects that are not rejected at 5 %; infinite, as NaN, where too
    few assignments exist for that), assignments, rank (place of the estimate's size among them, 1 = largest).
    """
    own, _ = panel(cells, complete=complete)
    treated = np.flatnonzero(own.first != NEVER)
    dates, count = own.first[treated], len(own.first)
    if len(np.unique(dates)) == 1 and comb(count, len(treated)) <= MOST_ASSIGNMENTS:
        chosen = np.array(list(combinations(range(count), len(treated))))
    else:
        rng = np.random.default_rng(seed)
        chosen = np.vstack([treated, *(rng.permutation(count)[: len(treated)] for _ in range(MOST_ASSIGNMENTS - 1))])
    began = np.where(own.first == NEVER, np.inf, own.first)
    exposed = (np.arange(own.values.shape[1]) >= began[:, None]).astype(float)
    a, b = np.empty(len(chosen)), np.empty(len(chosen))
    for place, units in enumerate(chosen):
        first = np.full(count, NEVER)
        first[units] = dates
        cohorts, member = np.unique(first, return_inverse=True)
        other = own._replace(first=first, cohorts=cohorts, member=member)
        for out, values in ((a, own.values), (b, exposed)):
            mean, size = means(other._replace(values=np.where(own.seen, values, 0.0)))
            out[place] = _overall(mean[None], size[None], cohorts, base)[0]
    true = next(place for place, units in enumerate(chosen) if set(units) == set(treated))
    share = lambda effect: float((np.abs(a - effect * b) >= abs(a[true] - effect * b[true]) - 1e-12).mean())
    low, high = _accepted(a, b, true, share)
    return pd.DataFrame([{"estimate": a[true], "p": share(0.0), "conf_low": low, "conf_high": high, "assignments": len(chosen), "rank": int((np.abs(a) > abs(a[true]) + 1e-12).sum()) + 1}])


def _against(mean, size, cohorts, g, chosen, line, later=True):
    """Return a contrast of a cohort's periods (`line`) less the same of the pooled cohorts `chosen`."""
    k = int(np.flatnonzero(cohorts == g)[0])
    own = mean[:, k] @ line
    if not later:  # the reach of a trend is that of the treated alone
        return own
    weights = size[:, chosen]
    return own - (weights * (mean[:, chosen] @ line)).sum(axis=1) / weights.sum(axis=1)


def _base(length: int, g: int, t: int, base: str) -> np.ndarray:
    line = np.zeros(length)
    line[t] += 1.0
    if base == "last":
        line[g - 1] -= 1.0
    else:
        line[:g] -= 1.0 / g
    return line


def _overall(mean, size, cohorts, base, later=True):
    length, total, weight = mean.shape[2], 0.0, 0.0
    for k, g in enumerate(cohorts):
        for t in range(g, length) if g != NEVER else ():
            chosen = np.flatnonzero(cohorts > t)
            if len(chosen):
                total = total + size[:, k] * _against(mean, size, cohorts, g, chosen, _base(length, g, t, base), later)
                weight = weight + size[:, k]
    return total / weight


def _event(mean, size, cohorts, there, since, base):
    length, total, weight = mean.shape[2], 0.0, 0.0
    for g in there:
        k, t = int(np.flatnonzero(cohorts == g)[0]), g + since
        total = total + size[:, k] * _against(mean, size, cohorts, g, np.flatnonzero(cohorts > max(t, g)), _base(length, g, t, base))
        weight = weight + size[:, k]
    return total / weight


def _pooled(mean, size, cohorts, there, never, made):
    length, total, weight = mean.shape[2], 0.0, 0.0
    for g in there:
        k = int(np.flatnonzero(cohorts == g)[0])
        line, worth = made(length, g)
        total = total + worth * size[:, k] * _against(mean, size, cohorts, g, np.flatnonzero(cohorts == NEVER if never else cohorts > g), line)
        weight = weight + worth * size[:, k]
    return total / weight


def _slope(mean, size, cohorts, there, never):
    def made(length, g):
        time = np.arange(g) - (g - 1) / 2
        return np.r_[time / (time**2).sum(), np.zeros(length - g)], (time**2).sum()

    return _pooled(mean, size, cohorts, there, never, made)


def _halves(mean, size, cohorts, there, never):
    def made(length, g):
        half = g // 2
        return np.r_[np.full(half, -1.0 / half), np.full(g - half, 1.0 / (g - half)), np.zeros(length - g)], float(g)

    return _pooled(mean, size, cohorts, there, never, made)


def _two_way(mean, size, cohorts):
    length = mean.shape[2]
    exposed = (np.arange(length) >= np.where(cohorts == NEVER, length + 1, cohorts)[:, None]).astype(float)[None]
    weights = (size / size.sum(axis=1, keepdims=True))[:, :, None]
    over = exposed.mean(axis=2, keepdims=True)
    rest = exposed - over - (weights * exposed).sum(axis=1, keepdims=True) + (weights * over).sum(axis=1, keepdims=True)
    rest = weights * rest
    return (rest * mean).sum(axis=(1, 2)) / (rest * exposed).sum(axis=(1, 2))


def _crv1(own, estimate) -> float:
    """Return the cluster-robust error of the two-way coefficient: units and periods taken out of outcome and treatment, what is left summed by unit (Liang & Zeger 1986, Biometrika 73:13); a unit's weight is that of all its cells."""
    units, length = own.values.shape
    share = own.weight / own.weight.sum()
    out = lambda values: values - values.mean(axis=1, keepdims=True) - share @ values + share @ values.mean(axis=1)
    exposed = out((np.arange(length) >= np.where(own.first == NEVER, length + 1, own.first)[:, None]).astype(float))
    score = own.weight * (exposed * (out(own.values) - estimate * exposed)).sum(axis=1)
    small = units / (units - 1) * (units * length - 1) / (units * length - length - 1)
    return float(np.sqrt(small * (score**2).sum()) / (own.weight[:, None] * exposed**2).sum())


def _accepted(a, b, true, share):
    """Return the ends of the effects that the permutation does not reject at 5 %: they lie where another assignment overtakes the true one."""
    others = np.arange(len(a)) != true
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.r_[(a[others] - a[true]) / (b[others] - b[true]), (a[others] + a[true]) / (b[others] + b[true])]
    ends = np.unique(ends[np.isfinite(ends)])
    if 1 / len(a) > 0.05 or not len(ends):
        return np.nan, np.nan
    middles = (ends[1:] + ends[:-1]) / 2
    grid = np.r_[ends[0] - 1.0, middles, ends[-1] + 1.0] if len(ends) < 3000 else np.r_[ends[0] - 1.0, np.quantile(ends, np.linspace(0, 1, 3001)), ends[-1] + 1.0]
    kept = np.array([share(effect) > 0.05 for effect in grid])
    if not kept.any() or kept[0] or kept[-1]:
        return np.nan, np.nan
    inside = grid[kept]
    return float(ends[ends <= inside[0]].max(initial=ends[0])), float(ends[ends >= inside[-1]].min(initial=ends[-1]))
