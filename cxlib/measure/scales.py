"""Whether several questions measure one thing: reliability (alpha, omega), and gaps between what was expected and what was found."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure.moments import one_thread, rao_wu

AXES = 1000  # steps of the principal-axis solution
HEYWOOD = 0.995  # largest share of a question's variance that a common factor may hold


def reliability(frame, *, items, weight=None, cluster=None, replicates=500, seed=1):
    """Say how reliably the mean of several questions measures what they have in common.

    in: one row a respondent; complete rows count. out: measure (alpha, omega), estimate, conf_low, conf_high (95 %), items (how many), n, n_eff, note.
    alpha: Cronbach 1951, interval by Feldt 1965 on the effective base; it assumes that all questions load alike. omega: McDonald 1999, from the one-factor
    solution by principal axes, bootstrap interval; needs three questions. Both at most 1; alpha may be negative where questions contradict each other.
    """
    items = list(items)
    x = frame[items].to_numpy(dtype=float)
    w = np.ones(len(x)) if weight is None else frame[weight].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(x).all(axis=1) & (w > 0))
    x, w = x[rows], w[rows]
    n_eff = w.sum() ** 2 / (w @ w) if len(w) else 0.0
    out = pd.DataFrame({"measure": ["alpha", "omega"], "estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "items": len(items), "n": len(x), "n_eff": n_eff, "note": ""})
    still = [item for item, spread in zip(items, np.ptp(x, axis=0)) if spread == 0] if len(x) > 2 else []
    if len(items) < 2 or len(x) < 3 or still:
        reason = "a single question" if len(items) < 2 else f"no variation in {', '.join(still)}" if still else f"{len(x)} complete answers"
        return out.assign(note=f"not estimable ({reason})")
    cross = _covariance(x, w)
    alpha, p = _alpha(cross), len(items)
    low, high = (1 - (1 - alpha) * stats.f.ppf(level, n_eff - 1, (n_eff - 1) * (p - 1)) for level in (0.975, 0.025))
    out.loc[0, ["estimate", "conf_low", "conf_high"]] = alpha, low, high
    if p < 3:
        out.loc[1, "note"] = "not estimable (a factor needs three questions)"
        return out
    factor, draws = rao_wu(len(x), replicates, seed=seed, cluster=None if cluster is None else frame[cluster].astype(str).to_numpy()[rows])
    with one_thread():
        many = np.array([_omega(_covariance(x, own * factor * w)) for block in draws for own in block])
    many = many[np.isfinite(many)]
    limits = np.quantile(many, [0.025, 0.975]) if len(many) > 1 else [np.nan, np.nan]
    out.loc[1, ["estimate", "conf_low", "conf_high"]] = _omega(cross), *limits
    return out


def factor(correlations):
    """Return the loadings of the one common factor of a correlation matrix (principal axes, iterated); NaN with fewer than three variables."""
    r = np.asarray(correlations, dtype=float)
    if len(r) < 3 or not np.isfinite(r).all():
        return np.full(len(r), np.nan)
    common = np.minimum(np.abs(r - np.eye(len(r))).max(axis=0), HEYWOOD)  # a start
    loading = np.zeros(len(r))
    for _ in range(AXES):
        reduced = r.copy()
        np.fill_diagonal(reduced, common)
        values, vectors = np.linalg.eigh(reduced)
        new = vectors[:, -1] * np.sqrt(max(values[-1], 0))
        new *= 1 if new.sum() >= 0 else -1
        common = np.minimum(new**2, HEYWOOD)
        if np.max(np.abs(new - loading)) < 1e-9:
            break
        loading = new
    return new


def gaps(frame, *, dimensions, weight=None, cluster=None):
    """Compare what respondents found with what they expected, question by question (SERVQUAL: Parasuraman, Zeithaml, Berry 1988, J. Retailing 64, 12-40).

    in: one row a respondent; `dimensions` name -> pairs of (perception, expectation) columns on one scale. A respondent's gap in a dimension is the mean of
    the pairs answered. Errors are those of the `cluster`s where named, else of respondents. out: dimension, perception, expectation (means), estimate (perception less expectation: below zero is a shortfall), std_error, conf_low,
    conf_high (Student's t, 95 %), p (no gap), pairs, n, n_eff, note; the last row, "all", is the mean over the dimensions.
    """
    w = np.ones(len(frame)) if weight is None else frame[weight].to_numpy(dtype=float)
    unit = np.arange(len(frame)) if cluster is None else pd.factorize(frame[cluster])[0]
    rows, each = [], {}
    for name, pairs in dimensions.items():
        found, hoped = (frame[[pair[k] for pair in pairs]].to_numpy(dtype=float) for k in (0, 1))
        both = np.isfinite(found) & np.isfinite(hoped)
        with np.errstate(invalid="ignore", divide="ignore"):
            each[name] = [np.where(both, part, 0).sum(axis=1) / both.sum(axis=1) for part in (found, hoped)]
        rows.append((name, *_gap(*each[name], w, unit), len(pairs)))
    if each:
        rows.append(("all", *_gap(*(np.mean([each[name][k] for name in each], axis=0) for k in (0, 1)), w, unit), sum(map(len, dimensions.values()))))
    columns = ["dimension", "perception", "expectation", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_eff", "note", "pairs"]
    return pd.DataFrame(rows, columns=columns)


def _gap(found, hoped, w, unit):
    use = np.isfinite(found) & np.isfinite(hoped) & (w > 0)
    w, gap = w[use] / w[use].sum() if use.any() else w[use], (found - hoped)[use]
    n, n_eff, units = len(gap), 1 / (w @ w) if use.any() else 0.0, len(np.unique(unit[use]))
    if units < 2 or np.ptp(gap) == 0:
        reason = "fewer than two answers" if n < 2 else "one cluster only" if units < 2 else "all gaps are the same"
        return *((w @ found[use], w @ hoped[use], w @ gap) if n else (np.nan,) * 3), *(np.nan,) * 4, n, n_eff, f"not estimable ({reason})"
    mean = w @ gap
    error = np.sqrt((np.bincount(np.unique(unit[use], return_inverse=True)[1], weights=w * (gap - mean)) ** 2).sum() * units / (units - 1))
    free = (n_eff if units == n else units) - 1
    half = stats.t.ppf(0.975, free) * error
    return w @ found[use], w @ hoped[use], mean, error, mean - half, mean + half, 2 * stats.t.sf(abs(mean / error), free), n, n_eff, ""


def _covariance(x, w):
    z = x - w @ x / w.sum()
    return (z * w[:, None]).T @ z / w.sum()


def _alpha(cross):
    p = len(cross)
    return p / (p - 1) * (1 - np.trace(cross) / cross.sum())


def _omega(cross):
    spread = np.sqrt(np.diag(cross))
    if not (spread > 0).all():
        return np.nan
    loading = factor(cross / np.outer(spread, spread)) * spread
    own = np.maximum(np.diag(cross) - loading**2, 0)
    return loading.sum() ** 2 / (loading.sum() ** 2 + own.sum())
