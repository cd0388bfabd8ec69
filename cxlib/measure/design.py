"""The variance of an estimate under its design: clusters, strata, a finite population, and weights that were raked to known margins.

An estimate is linearised: each answer adds its weight times what it changes. Sums of these over the primary units (people who answered more
than once, accounts) give the variance, unequal weights, domains, ratios and differences included.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError
from cxlib.measure import metrics


class Units(NamedTuple):
    """One sample: rows of answers, or of a tally, and where each stands in the design."""

    n: np.ndarray  # answers in the row
    weight: np.ndarray  # sum of their weights
    weight_sq: np.ndarray  # sum of the squares
    base: np.ndarray  # sum of the weights before raking
    cluster: np.ndarray  # number of the primary unit; -1: every answer of the row is one of its own
    stratum: np.ndarray
    pair: np.ndarray  # number of the primary unit within its stratum; -1 as above
    home: np.ndarray  # the stratum of each such number
    margins: tuple  # for each margin the number of each row's category
    inverse: np.ndarray | None  # of the cross-products of the margins' dummies, weighted by base
    names: np.ndarray  # of the primary units
    kept: np.ndarray  # by stratum: 1 - primary units / those in the population


def units(frame: pd.DataFrame, *, weight: str = "weight", base_weight: str | None = None, cluster: str | None = None, strata: str | None = None, margins=(), population=None, counted: bool = False) -> Units:
    """Return the design of one sample.

    in: every respondent of the sample, also those outside the domain that is looked at: one row an answer, or, where `counted`, rows of a tally with n and weight_sq.
    `cluster` names the column of primary units (missing: each answer is its own), `strata` that of strata within which they were drawn, `margins`
    those the weights were raked to, from `base_weight`; `population` counts the primary units there are: one number, or stratum -> number.
    errors: DataError where more primary units answered than the population has.
    """
    w = frame[weight].to_numpy(dtype=float)
    n = frame["n"].to_numpy(dtype=float) if counted else np.ones(len(frame))
    squared = frame["weight_sq"].to_numpy(dtype=float) if counted else w**2
    base = frame[base_weight].to_numpy(dtype=float) if base_weight else w
    codes, names = pd.factorize(frame[cluster]) if cluster else (np.full(len(frame), -1), np.array([]))
    stratum, levels = pd.factorize(frame[strata], use_na_sentinel=False) if strata else (np.zeros(len(frame), dtype=int), np.array([""]))
    places = tuple(pd.factorize(frame[name], use_na_sentinel=False)[0] for name in margins)
    if len(levels) == 1:
        pair, home = codes, np.zeros(len(names), dtype="int64")
    else:
        joint = np.where(codes < 0, -1, stratum * (len(names) + 1) + codes)
        distinct = np.unique(joint[codes >= 0])
        pair, home = np.full(len(frame), -1), np.empty(0, dtype="int64")
        if len(distinct):
            pair[codes >= 0], home = np.searchsorted(distinct, joint[codes >= 0]), distinct // (len(names) + 1)
    design = Units(n, w, squared, base, codes, stratum, pair, home, places, _inverse(places, base), np.asarray(names), np.ones(len(levels)))
    if population is None:
        return design
    size = np.array([population[level] for level in levels], dtype=float) if isinstance(population, dict) else np.full(len(levels), float(population))
    found = primary(design)
    if not isinstance(population, dict) and len(levels) > 1:
        size = size * found / found.sum()
    if (found > size + 1e-9).any():
        at = int(np.flatnonzero(found > size + 1e-9)[0])
        raise DataError(f"{found[at]:,.0f} {'clusters' if cluster else 'people'} answered{f' in {levels[at]!r}' if strata else ''}, more than the {size[at]:,.0f} that the population is said to have; correct 'universe' in programme.toml.")
    return design._replace(kept=1 - found / size)


def primary(design: Units, inside: np.ndarray | None = None) -> np.ndarray:
    """Count the primary units of each stratum, of all rows or of those inside: clusters, and answers that are none's."""
    inside = np.ones(len(design.n), dtype=bool) if inside is None else inside
    levels, alone = len(design.kept), design.pair < 0
    single = np.bincount(design.stratum, weights=np.where(alone & inside, design.n, 0.0), minlength=levels)
    seen = np.bincount(design.pair[~alone & inside], minlength=len(design.home)) > 0
    return single + np.bincount(design.home[seen], minlength=levels)


def _inverse(places, base):
    """Return the pseudo-inverse of X'DX for the dummies X of all margins; rows with the same categories are added up first."""
    if not places:
        return None
    sizes = [code.max() + 1 for code in places]
    starts = np.cumsum([0, *sizes])
    key = np.zeros(len(base), dtype="int64")
    for code, size in zip(places, sizes):
        key = key * size + code
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    x = np.zeros((len(first), starts[-1]))
    for code, start in zip(places, starts):
        x[np.arange(len(first)), start + code[first]] = 1
    return np.linalg.pinv(x.T @ (x * np.bincount(cell, weights=base)[:, None]), hermitian=True)


def residuals(design: Units, y: np.ndarray) -> np.ndarray:
    """Return what the margins do not explain of a linearised variable, by regression on their dummies with the initial weights.

    After calibration only this part varies from sample to sample (Deville and Sarndal 1992, 3.4). Without margins: the variable itself.
    """
    if design.inverse is None:
        return y
    sizes = [code.max() + 1 for code in design.margins]
    b = design.inverse @ np.concatenate([np.bincount(code, weights=design.base * y, minlength=size) for code, size in zip(design.margins, sizes)])
    starts = np.cumsum([0, *sizes])
    return y - sum(b[start + code] for code, start in zip(design.margins, starts))


def variance(design: Units, y: np.ndarray) -> float:
    """Return the variance of the total of a linearised variable (one value a row).

    Sum over strata of (1 - f) G/(G - 1) sum of (t - mean t)^2 over the G primary units, t their weighted totals (Wolter 2007, 6.2). A stratum with
    a single unit adds its squared total, as if the mean were that of all strata: it says nothing of its own spread.
    """
    e = residuals(design, y)
    levels = len(design.kept)
    alone = design.cluster < 0
    squares = np.bincount(design.stratum, weights=np.where(alone, design.weight_sq * e**2, 0.0), minlength=levels)
    sums = np.bincount(design.stratum, weights=design.weight * e, minlength=levels)
    count = primary(design)
    if len(design.home):
        total = np.bincount(design.pair[~alone], weights=(design.weight * e)[~alone], minlength=len(design.home))
        squares += np.bincount(design.home, weights=total**2, minlength=levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(count > 1, (squares - sums**2 / count) * count / (count - 1), squares)
    return float(max((design.kept * spread).sum(), 0.0))


FEW = 400  # clusters up to which their unequal sizes are allowed for one by one


def freedom(design: Units, domain: np.ndarray, y: np.ndarray | None = None) -> tuple[float, float]:
    """Return the degrees of freedom of a domain, and by how much its interval's variance exceeds that of `variance`.

    As a rule primary units less strata (Korn and Graubard 1999, 5.2) and 1. A few clusters of unequal size know less: with `y` each cluster's
    total is raised by 1/sqrt(1 - its share of the weights), and the degrees of freedom are Satterthwaite's, with the correlation
    within clusters that the answers show (Bell and McCaffrey 2002, the case of a mean).
    """
    own = domain & (design.n > 0)
    levels = len(design.kept)
    count = primary(design, own)
    plain = float(max(count.sum() - (count > 0).sum(), 1))
    if y is None or levels > 1 or not 2 <= count[0] <= FEW or (design.cluster[own] < 0).any():
        return plain, 1.0
    size = np.bincount(design.cluster[own], weights=design.weight[own], minlength=len(design.names))
    a = size / size.sum()
    if a.max() > 1 - 1e-9:
        return 1.0, 1.0
    e = design.weight * residuals(design, y)
    total = np.bincount(design.cluster[design.cluster >= 0], weights=e[design.cluster >= 0], minlength=len(design.names))
    usual = (total**2).sum() - total.sum() ** 2 / len(total)
    raised = (total**2 / (1 - a)).sum() * (1 - 1 / len(total)) / usual if usual > 0 else 1.0
    answers = np.bincount(design.cluster[own], weights=design.n[own], minlength=len(design.names))
    apart, wide = (design.weight_sq * (e / np.where(design.weight > 0, design.weight, 1)) ** 2).sum(), (answers**2).sum() / answers.sum()
    alike = np.clip(((total**2).sum() / apart - 1) / (wide - 1), 0, 1) if wide > 1 and apart > 0 else 1.0  # correlation within clusters
    answers, a = answers[a > 0], a[a > 0]
    spread = np.sqrt(alike + (1 - alike) / answers)
    pull = (np.eye(len(a)) - a) * spread  # cluster means less their weighted mean
    m = pull.T @ (pull * (a**2 / (1 - a))[:, None])
    return float(min(np.trace(m) ** 2 / (m**2).sum(), plain)), float(max(raised, 1.0))


def estimate(frame: pd.DataFrame, *, score: str, definition, by=(), low_base=metrics.LOW_BASE, **design) -> pd.DataFrame:
    """Estimate a metric for each group of one sample, with the interval that its design gives.

    in: every respondent of one wave (see `units`, which takes the other options); `score` the column (missing: outside the base), `by` the columns
    of the domains (missing: outside all of them). A domain's variance keeps the whole design.
    out: as `metrics.estimate`; n_eff is the number of answers of a simple random sample with the same error, deff = n / n_eff the design effect
    (error variance over that of as many answers drawn at random), df the degrees of freedom, widening what few unequal clusters add to the variance of the
    interval (std_error is without it, as survey packages print it), basis what was allowed for.
    Intervals: as `metrics.estimate`, adjusted Wald and Wilson on that effective base, with Student's t on df instead of the normal (Korn and Graubard
    1998; Dean and Pagano 2015). Without strata, margins or a finite population the effective base is at most Kish's: a cluster effect
    estimated below one is chance.
    """
    what, by = metrics.definition_of(definition), [by] if isinstance(by, str) else list(by)
    sample = units(frame, **design)
    y, means, spreads, groups, keys = linearised(frame, sample, score=score, what=what, by=by)
    gains = bool(design.get("strata") or design.get("margins") or design.get("population") is not None)
    basis = _basis(**design)
    rows = []
    for place, (mean, spread, group) in enumerate(zip(means, spreads, groups)):
        w, n = sample.weight[group], sample.n[group].sum()
        kish = w.sum() ** 2 / sample.weight_sq[group].sum() if w.sum() > 0 else 0.0
        df, raised = freedom(sample, group, y[place])
        linear = variance(sample, y[place]) if w.sum() > 0 else np.nan
        told = spread > 0 and linear > 0
        # where all say the same there is no spread to learn the effect of clusters from: the worst case is one answer a cluster
        base = spread / (linear * raised) if told else min(kish, df + 1)
        base = base if gains and told else min(base, kish)
        if spread > 0 and not sample.kept.any():
            base = metrics.CENSUS
        positive = float((w * (what.value(frame[score].to_numpy(dtype=float)[group]) > 0)).sum())
        rows.append((mean, linear, raised, base, df, n, w.sum(), kish, positive))
    columns = ["estimate", "linear", "raised", "base", "df", "n", "weighted_n", "kish", "positive"]
    found = pd.DataFrame(rows, columns=columns, dtype=float)
    out = keys.reset_index(drop=True).copy()
    return metrics.finished(out, what, found, low_base=low_base, basis=basis)


def linearised(frame, sample: Units, *, score, what, by):
    """Return for each domain the linearised mean ((value - mean) / sum of weights inside, 0 outside), the means, the variances of an answer, who is inside, and the domains' keys."""
    value = frame[score].to_numpy(dtype=float)
    off = ~np.isnan(value) & (~((value >= what.low) & (value <= what.high)) | ((what.unit != "scale") & (value != np.round(value))))
    if off.any():
        raise DataError(f"The score {value[off][0]:g} is not on the scale {what.low:g}-{what.high:g} of '{what.id}'; list it among the item's missing codes or choose another definition.")
    answered = ~np.isnan(value) & (sample.n > 0)
    value = np.where(answered, what.value(value), 0.0)
    code = frame.groupby(by, observed=True, dropna=True, sort=True).ngroup().to_numpy() if by else np.zeros(len(frame), dtype=int)
    code = np.where(code >= 0, code, -1).astype("int64")  # missing keys have no number
    present = np.unique(code[code >= 0])
    first = [int(np.flatnonzero(code == one)[0]) for one in present]
    y, means, spreads, groups = [], [], [], []
    for one in present:
        group = answered & (code == one)
        total = sample.weight[group].sum()
        mean = (sample.weight * value)[group].sum() / total if total > 0 else np.nan
        y.append(np.where(group, value - mean, 0.0) / total if total > 0 else np.zeros(len(value)))
        means.append(mean)
        spreads.append((sample.weight * (value - mean) ** 2)[group].sum() / total if total > 0 else np.nan)
        groups.append(group)
    return y, means, spreads, groups, frame.iloc[first][by]


def difference(frame: pd.DataFrame, *, score: str, definition, by: str, first, second, alpha: float = 0.05, **design) -> pd.DataFrame:
    """Compare two groups of one sample, which may share clusters, strata and margins.

    out: one row: definition, unit, estimate (first - second), std_error, conf_low, conf_high, p (two-sided, Student's t), df, n_first, n_second, note.
    """
    what, sample = metrics.definition_of(definition), units(frame, **design)
    y, means, _, groups, keys = linearised(frame, sample, score=score, what=what, by=[by])
    places = {key: at for at, key in enumerate(keys[by])}
    for one in (first, second):
        if one not in places:
            raise DataError(f"Nobody of '{one}' in '{by}' is among the answers; there are {', '.join(map(str, places))}.")
    a, b = places[first], places[second]
    error, gap = np.sqrt(variance(sample, y[a] - y[b])), means[a] - means[b]
    df, raised = freedom(sample, groups[a] | groups[b], y[a] - y[b])
    error *= np.sqrt(raised)
    half = stats.t.ppf(1 - alpha / 2, df) * error
    note = "" if error > 0 else "not estimable (no spread in either group)"
    row = {"definition": what.id, "unit": what.unit, "estimate": gap, "std_error": error if error > 0 else np.nan, "conf_low": gap - half if error > 0 else np.nan, "conf_high": gap + half if error > 0 else np.nan}
    row |= {"p": 2 * stats.t.sf(abs(gap) / error, df) if error > 0 else np.nan, "df": df, "n_first": int(sample.n[groups[a]].sum()), "n_second": int(sample.n[groups[b]].sum()), "note": note}
    return pd.DataFrame([row])


def ratio(frame: pd.DataFrame, *, numerator: str, denominator: str, alpha: float = 0.05, **design) -> pd.DataFrame:
    """Estimate the ratio of two weighted totals, such as complaints an order; rows without either are outside.

    out: one row: estimate, std_error (linearised: (y - R x) / sum of w x), conf_low, conf_high (Student's t on the primary units), df, n, note.
    """
    sample = units(frame, **design)
    top, bottom = (frame[name].to_numpy(dtype=float) for name in (numerator, denominator))
    inside = ~np.isnan(top) & ~np.isnan(bottom)
    top, bottom = np.where(inside, top, 0), np.where(inside, bottom, 0)
    total = (sample.weight * bottom).sum()
    if not total > 0:
        return pd.DataFrame([{"estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "df": np.nan, "n": int(inside.sum()), "note": f"not estimable (the sum of '{denominator}' is not above 0)"}])
    value = (sample.weight * top).sum() / total
    y = (top - value * bottom) / total
    error, (df, raised) = np.sqrt(variance(sample, y)), freedom(sample, inside, y)
    half = stats.t.ppf(1 - alpha / 2, df) * error * np.sqrt(raised)
    return pd.DataFrame([{"estimate": value, "std_error": error, "conf_low": value - half, "conf_high": value + half, "df": df, "n": int(inside.sum()), "note": ""}])


def shared(now: pd.DataFrame, then: pd.DataFrame, *, score: str, definition, cluster: str, **design) -> float:
    """Return the covariance of a metric between two waves in which the same primary units answered; subtract it twice from the variance of their difference."""
    totals = []
    for frame in (now, then):
        sample = units(frame, cluster=cluster, **design)
        y = linearised(frame, sample, score=score, what=metrics.definition_of(definition), by=[])[0]
        z = sample.weight * residuals(sample, y[0]) if y else np.zeros(len(frame))
        inside = sample.cluster >= 0
        totals.append(pd.Series(np.bincount(sample.cluster[inside], weights=z[inside], minlength=len(sample.names)), index=sample.names))
    both = totals[0].index.intersection(totals[1].index)
    return float((totals[0][both] * totals[1][both]).sum())


def _basis(weight="weight", base_weight=None, cluster=None, strata=None, margins=(), population=None, counted=False) -> str:
    parts = [f"raked to {', '.join(margins)}" if margins else "", f"clustered by {cluster}" if cluster else "", f"stratified by {strata}" if strata else "", "finite population" if population is not None else ""]
    return ", ".join(part for part in parts if part)
