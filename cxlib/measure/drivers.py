"""What goes with the KPI: importance of drivers from weighted cross-products, with bootstrap intervals, ranks and a permutation test.

Four answers stand side by side: the correlation, the standardised regression coefficient, Johnson's relative weight, and the exact
Shapley value of R2 (LMG, general dominance). None of them is causal: a driver "is associated with" the KPI.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure import metrics
from cxlib.measure.dominance import METHODS, SMALLEST, all_methods, estimable, grouped, johnson, shapley
from cxlib.measure.moments import LARGE, Answers

SHARING = ("johnson", "shapley")  # methods whose values are parts of R2

__all__ = ["METHODS", "agreement", "grouped", "importance", "johnson", "performance", "permutation", "resample", "shapley", "summarise"]


def resample(frame, *, kpi, drivers, weight=None, strata=None, cluster=None, margins=(), performance=None, methods=METHODS, replicates=1000, seed=1):
    """Estimate importance and performance again on bootstrap replicates: what importance, ranks and priorities are read from.

    in: one row a respondent; `weight`, `strata` and `cluster` name columns (clusters: people who answered more than once), `margins` those
    that the weights were raked to (then the frame holds all who answered the wave); `performance` is a
    definition id (default: the mean in scale units).
    out: replicate (0 = the answers as they are), driver, one column a method, slope (with ols: KPI units a unit of the rating), performance, r2, n (answered this driver and the KPI), n_eff, note.
    Every replicate has new weighted cross-products from rows, its weights raked again to the `margins`; without margins weights are taken as fixed.
    No correction for a finite population: what goes with the KPI is asked of customers like these, not of those of this year only (analytic use of a
    survey: Deming 1953, JASA 48, 244-255).
    Missing ratings are left out pair by pair, which is right where they are missing completely at random; where the resulting correlations
    contradict each other only complete answers are used and the note says so.
    """
    drivers = list(drivers)
    answers = Answers(frame, kpi, drivers, weight, metrics.definition_of(performance).value if performance else None)
    matrix, means, slopes = answers.point()
    recoded = answers.recoded(matrix)
    matrix[recoded] = matrix[:, recoded] = np.nan  # no driver, whatever it correlates with
    kept, notes = estimable(matrix, drivers)
    if not answers.complete and not (kept and np.linalg.eigvalsh(matrix[np.ix_([*kept, -1], [*kept, -1])])[0] > SMALLEST):
        usable = [j for j in range(len(drivers)) if np.isfinite(matrix[j, j])]
        whole = answers.mask[:, [*usable, -1]].all(axis=1)
        if usable and whole.sum() > len(usable) + 1:
            answers.only(whole)
            matrix, means, slopes = answers.point()
            matrix[recoded] = matrix[:, recoded] = np.nan
            kept, notes = estimable(matrix, drivers)
            notes = [note or f"only the {whole.sum()} complete answers: the pairwise correlations contradict each other" for note in notes]
    for j in recoded:
        notes[j] = "not estimable (it is the KPI recoded: one follows from the other without exception)"
    n, n_eff = answers.bases()
    if kept and n[kept].min() <= len(kept) + 1:
        kept, notes = [], [note or f"not estimable ({n[kept].min()} answers for {len(kept)} drivers)" for note in notes]
    many, moved, steep = matrix[None], means[None], slopes[None]
    pick = [*kept, len(drivers)]
    if replicates and kept:
        column = lambda name: None if name is None else frame[name].astype(str).to_numpy()
        more = answers.replicates(replicates, seed=seed, strata=column(strata), cluster=column(cluster), margins=[column(name) for name in margins])
        many, moved, steep = (np.concatenate(pair) for pair in zip((many, moved, steep), more))
    size, p = len(many), len(drivers)
    found = {name: np.full((size, p), np.nan) for name in methods}
    r2 = np.full(size, np.nan)
    if kept:
        part = all_methods(many if len(kept) == p else many[:, pick][:, :, pick], methods)
        r2 = part["r2"]
        for name in methods:
            found[name][:, kept] = part[name]
        lost = np.isnan(r2).mean()
        if lost > 0.01:
            notes = [note or f"{100 * lost:.0f} % of the replicates could not be computed" for note in notes]
    if "correlation" in methods:
        found["correlation"] = np.where(np.isin(np.arange(p), recoded), np.nan, many[:, :p, p])
    repeat = lambda values: np.tile(np.asarray(values), size)
    return pd.DataFrame(
        {"replicate": np.repeat(np.arange(size), p), "driver": repeat(drivers)}
        | {name: values.ravel() for name, values in found.items()}
        | ({"slope": (found["ols"] * steep).ravel()} if "ols" in methods else {})
        | {"performance": moved.ravel(), "r2": np.repeat(r2, p), "n": repeat(n), "n_eff": repeat(n_eff), "note": repeat(np.array(notes, dtype=object))}
    )


def importance(frame, *, kpi, drivers, weight=None, strata=None, cluster=None, margins=(), methods=METHODS, replicates=1000, seed=1):
    """Say how much each driver goes with the KPI, by four methods, with 95 % intervals and ranks; `resample`, then `summarise`."""
    return summarise(resample(frame, kpi=kpi, drivers=drivers, weight=weight, strata=strata, cluster=cluster, margins=margins, methods=methods, replicates=replicates, seed=seed))


def summarise(draws):
    """Turn what `resample` returns into one row a driver and method.

    out: driver, method (correlation, ols, johnson, shapley), estimate, std_error, conf_low, conf_high, share (of R2; johnson and
    shapley only; without interval: where R2 is small none of the usual ones covers), r2, r2_low, r2_high, n, n_eff, p_top1, p_top3 (bootstrap frequencies), rank, rank_low, rank_high, note.
    Correlations and ols in -1..1, johnson and shapley as parts of R2. Ranks go by size without sign; rank_low and rank_high hold
    simultaneously at 95 %: they come from all pairwise differences at once (max-t), because bootstrapped ranks fail under ties.
    A lower limit above zero is no test of a share of R2, which is never negative: see `permutation`.
    """
    first = draws[draws["replicate"] == 0].reset_index(drop=True)
    names = first["driver"].tolist()
    wide = lambda column: draws[column].to_numpy().reshape(-1, len(names))
    r2 = wide("r2")[:, 0]
    used, base = int(first["r2"].notna().any() and first[_shown(draws)].notna().sum()), first["n_eff"].to_numpy(dtype=float)
    r2_low, r2_high = _fit_limits(r2[0], r2[1:], n_eff=base.min(initial=np.inf), used=used)
    parts = []
    for method in (name for name in METHODS if name in draws):
        values = wide(method)
        point, rest = values[0], values[1:]
        low, high = limits(point, rest, n_eff=base, used=used, positive=method in SHARING)
        out = pd.DataFrame({"driver": names, "method": method, "estimate": point, "std_error": _spread(rest), "conf_low": low, "conf_high": high})
        out["share"] = point / r2[0] if method in SHARING and r2[0] > 0 else np.nan
        out["r2"], out["r2_low"], out["r2_high"] = r2[0], r2_low, r2_high
        out["n"], out["n_eff"] = first["n"], first["n_eff"]
        parts.append(pd.concat([out, _ranks(np.abs(point), np.abs(rest))], axis=1).assign(note=first["note"]))
    return pd.concat(parts, ignore_index=True)


def _shown(draws):
    return next(name for name in METHODS[::-1] if name in draws)


def _spread(rest):
    fine = np.isfinite(rest).sum(axis=0) > 1
    return np.where(fine, np.nanstd(np.where(fine, rest, 0.0), axis=0, ddof=1) if len(rest) > 1 else np.nan, np.nan)


def limits(point, rest, *, n_eff, used=0, positive=False):
    """Return percentile limits at 95 %, widened for small bases; in simulation they cover where normal, basic and bias-corrected ones do not.

    Percentiles of a small sample are too narrow twice over: the level is taken from Student's t and widened by sqrt(n/(n - p - 1)) (expanded percentile; Hesterberg 2015,
    Am. Statistician 69, 371-386). Parts of R2, which cannot be negative, are too large in the sample and again in each replicate: half of what the replicates
    add comes off the lower limit.
    """
    out = np.full((2, len(point)), np.nan)
    for j, factor in enumerate(np.broadcast_to(_wider(n_eff, used), len(point))):
        draws = rest[np.isfinite(rest[:, j]), j]
        if len(draws) > 1 and np.isfinite(point[j]) and np.isfinite(factor):
            level = stats.norm.cdf(-factor)
            out[:, j] = np.quantile(draws, [level, 1 - level])
            if positive:
                out[0, j] = max(out[0, j] - max(draws.mean() - point[j], 0) / 2, 0)
    return out


def _wider(n_eff, used):
    """Return how many standard errors a 95 % interval reaches on a base after so many slopes; NaN where nothing is left."""
    left = np.asarray(n_eff, dtype=float) - used - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(left > 0, stats.t.ppf(0.975, np.maximum(left, 1e-9)) * np.sqrt((left + used + 1) / left), np.nan)


def _fit_limits(r2, rest, *, n_eff, used):
    """Return limits of R2 on the scale of log(1 - R2), around the value less its bias: R2 flatters itself, and more so in every replicate."""
    rest = rest[np.isfinite(rest)]
    if len(rest) < 2 or not np.isfinite(r2):
        return np.nan, np.nan
    lost, point = np.log(np.maximum(1 - rest, 1e-12)), np.log(max(1 - r2, 1e-12))
    half = _wider(n_eff, used) * lost.std(ddof=1)
    low, high = (1 - np.exp(2 * point - lost.mean() + sign * half) for sign in (1, -1))
    return min(max(low, 0.0), r2), min(max(high, r2), 1.0)


def _ranks(size, rest):
    """Return ranks with simultaneous limits and the frequencies of being first and among the first three."""
    p = len(size)
    out = pd.DataFrame({"p_top1": np.nan, "p_top3": np.nan, "rank": np.nan, "rank_low": np.nan, "rank_high": np.nan}, index=range(p))
    known = np.flatnonzero(np.isfinite(size))
    if len(known) == 0:
        return out
    a = np.round(size[known], 12)
    out.loc[known, "rank"] = 1.0 + (a[None, :] > a[:, None]).sum(axis=1)
    draws = rest[np.isfinite(rest[:, known]).all(axis=1)][:, known]
    if len(draws) < 2:
        return out
    places = 1 + np.stack([(draws > draws[:, [k]]).sum(axis=1) for k in range(len(known))], axis=1)
    out.loc[known, "p_top1"], out.loc[known, "p_top3"] = (places == 1).mean(axis=0), (places <= 3).mean(axis=0)
    i, j = np.triu_indices(len(known), 1)
    gap = draws[:, i] - draws[:, j]
    spread = np.maximum(gap.std(axis=0, ddof=1), 1e-12)
    point = a[i] - a[j]
    bar = np.quantile(np.max(np.abs(gap - gap.mean(axis=0)) / spread, axis=1), 0.95) * spread if len(i) else np.zeros(0)
    above, below = np.zeros(len(known)), np.zeros(len(known))
    for sign, left, right in ((1, i, j), (-1, j, i)):
        sure = sign * point > bar
        np.add.at(below, left[sure], 1)
        np.add.at(above, right[sure], 1)
    out.loc[known, "rank_low"], out.loc[known, "rank_high"] = 1 + above, len(known) - below
    return out


def permutation(frame, *, kpi, drivers, weight=None, cluster=None, replicates=999, seed=1):
    """Test for each driver whether it goes with the KPI at all: how often would ratings handed out at random look as important?

    The driver's ratings are shuffled over the respondents; all else stays. out: driver, method (the statistic: shapley up to 12 drivers,
    else johnson), estimate, p = (1 + as large) / (1 + replicates), replicates, n, note. One null hypothesis a driver: it is unrelated to the KPI
    and to the other drivers. Beyond 20,000 answers the shuffles are drawn from their normal limit. With a `cluster` (accounts, people who answered
    more than once) nothing is shuffled, because answers of one cluster are alike: what each cluster adds changes its sign by chance (`Answers.flipped`).
    """
    drivers = list(drivers)
    method = "shapley" if len(drivers) <= 12 else "johnson"
    answers = Answers(frame, kpi, drivers, weight)
    draws = resample(frame, kpi=kpi, drivers=drivers, weight=weight, methods=(method,), replicates=0)
    out = draws[["driver", method, "n", "note"]].rename(columns={method: "estimate"})
    out.insert(1, "method", method)
    out["p"], out["replicates"] = np.nan, replicates
    matrix, _, _ = answers.point()
    kept = [j for j in range(len(drivers)) if np.isfinite(out["estimate"][j])]
    rng = np.random.default_rng(seed)
    large, units = len(answers.rows) > LARGE, None if cluster is None else frame[cluster].astype(str).to_numpy()
    orders = np.argsort(rng.random((replicates, len(answers.rows)), dtype=np.float32), axis=1, kind="stable") if kept and not large and units is None else None
    for place, j in enumerate(kept):
        stack = np.repeat(matrix[None], replicates, axis=0)
        chance = answers.flipped(j, units, replicates, rng) if units is not None else answers.by_chance(j, replicates, rng) if large else answers.shuffled(j, orders)
        stack[:, j, :] = stack[:, :, j] = chance
        found = all_methods(stack[np.ix_(range(replicates), [*kept, -1], [*kept, -1])], (method,))[method][:, place]
        found = found[np.isfinite(found)]
        out.loc[j, "p"] = (1 + (found >= out["estimate"][j] - 1e-12).sum()) / (1 + len(found))
    return out[["driver", "method", "estimate", "p", "replicates", "n", "note"]]


def performance(frame, *, drivers, weight=None, definitions=("mean_of_5", "top2_of_5")):
    """Say how well each driver is rated: out: driver and then what `metrics.estimate` returns, one row a driver and definition."""
    parts = []
    for driver in drivers:
        counted = metrics.tally(frame, score=driver, weight=weight)
        parts += [metrics.estimate(counted, definition=one).assign(driver=driver) for one in definitions]
    out = pd.concat(parts, ignore_index=True)
    return out[["driver", *(name for name in out if name != "driver")]]


def agreement(importance):
    """Say whether the methods agree: out: method_a, method_b, rank_correlation (Spearman, of sizes without sign), same_first, common_top3 (0-3)."""
    sizes = importance.assign(size=importance["estimate"].abs()).pivot(index="driver", columns="method", values="size").dropna()
    methods = [name for name in METHODS if name in sizes]
    rows = []
    for i, a in enumerate(methods):
        for b in methods[i + 1 :]:
            top = [set(sizes[name].sort_values(ascending=False, kind="stable").index[:3]) for name in (a, b)]
            rho = sizes[a].rank().corr(sizes[b].rank()) if len(sizes) > 1 else np.nan
            rows.append((a, b, rho, len(sizes) > 0 and sizes[a].idxmax() == sizes[b].idxmax(), len(top[0] & top[1])))
    return pd.DataFrame(rows, columns=["method_a", "method_b", "rank_correlation", "same_first", "common_top3"])
