"""What each respondent contributes to an importance: standard errors without resampling, and differences between waves and segments.

The infinitesimal jackknife (Jaeckel 1972; Efron 1982, ch. 6): an importance is a function of correlations, whose derivative times what a respondent adds to
each correlation is that respondent's influence; the design's variance of the sum is that of the estimate. It agrees with the bootstrap at
a fraction of its cost, and influences of two waves or segments can be taken from each other where people answered in both.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure import metrics
from cxlib.measure.dominance import METHODS, all_methods, estimable
from cxlib.measure.moments import Answers, one_thread

STEP = 1e-4  # of a correlation, for the derivative


def values(frame, *, kpi, drivers, weight=None, method="shapley"):
    """Return (estimates, influences): a value a driver, and a frame like `frame` with each row's influence on each (NaN columns: not estimable).

    Influences add up to about zero; a row that takes no part has none. Pairwise where ratings are missing, as `drivers.resample`.
    """
    return _values(frame, kpi, list(drivers), weight, (method,))[method]


def _values(frame, kpi, drivers, weight, methods):
    answers = Answers(frame, kpi, drivers, weight)
    matrix, _, _ = answers.point()
    recoded = answers.recoded(matrix)
    matrix[recoded] = matrix[:, recoded] = np.nan
    kept, _ = estimable(matrix, drivers)
    fine = bool(kept) and min(answers.bases()[0][kept]) > len(kept) + 1
    if fine:
        pick = [*kept, len(drivers)]
        small = matrix[np.ix_(pick, pick)]
        i, j = np.triu_indices(len(pick), 1)
        stack = np.repeat(small[None], 2 * len(i) + 1, axis=0)
        for k, (a, b) in enumerate(zip(i, j)):
            for place, sign in ((2 * k, 1), (2 * k + 1, -1)):
                stack[place, a, b] = stack[place, b, a] = small[a, b] + sign * STEP
        found = all_methods(stack, methods)
        single = np.column_stack([answers.influence(pick[a], pick[b]) for a, b in zip(i, j)])
    out = {}
    for method in methods:
        point, rows = np.full(len(drivers), np.nan), np.full((len(frame), len(drivers)), np.nan)
        if fine:
            point[kept] = found[method][-1]
            rows[np.ix_(range(len(frame)), kept)] = 0.0
            with one_thread():
                rows[np.ix_(answers.rows, kept)] = single @ ((found[method][:-1:2] - found[method][1:-1:2]) / (2 * STEP))
        out[method] = pd.Series(point, index=drivers), pd.DataFrame(rows, columns=drivers, index=frame.index)
    return out


def spread(influences, *, strata=None, cluster=None):
    """Return the standard errors of sums of influences: units are clusters where given, centred within strata, with n_h/(n_h - 1) (linearisation)."""
    if cluster is not None:
        keys = pd.DataFrame({"unit": np.asarray(cluster), "stratum": 0 if strata is None else np.asarray(strata)})
        influences = influences.reset_index(drop=True)
        strata = keys.groupby("unit", sort=True)["stratum"].first().to_numpy()
        influences = influences.groupby(keys["unit"], sort=True).sum(min_count=1)
    group = np.zeros(len(influences), dtype=int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    x, total = influences.to_numpy(dtype=float), np.zeros(influences.shape[1])
    for stratum in range(group.max() + 1 if len(group) else 0):
        own = x[group == stratum]
        if len(own) > 1:
            total += ((own - own.mean(axis=0)) ** 2).sum(axis=0) * len(own) / (len(own) - 1)
    return np.sqrt(np.where(np.isfinite(x).all(axis=0), total, np.nan))


def errors(frame, *, kpi, drivers, weight=None, strata=None, cluster=None, methods=METHODS):
    """Return driver, method, estimate, std_error of every importance, by the infinitesimal jackknife under the design."""
    pick = lambda name: None if name is None else frame[name].astype(str).to_numpy()
    parts = []
    for method, (point, found) in _values(frame, kpi, list(drivers), weight, methods).items():
        parts.append(pd.DataFrame({"driver": point.index, "method": method, "estimate": point.to_numpy(), "std_error": spread(found, strata=pick(strata), cluster=pick(cluster))}))
    return pd.concat(parts, ignore_index=True)


def difference(now, then, *, kpi, drivers, weight=None, person=None, method="shapley"):
    """Say of each driver whether its importance differs between two sets of answers: two waves, or a segment and the rest.

    `person` names the column by which people who are in both are known: what they add to both is taken into account. out: driver, method, now, then, estimate
    (now less then), std_error, conf_low, conf_high (95 %, normal), p (no difference), n, n_then, note. All in the units of the method.
    """
    drivers = list(drivers)
    (a, u), (b, v) = (values(frame, kpi=kpi, drivers=drivers, weight=weight, method=method) for frame in (now, then))
    names = ([f"{k}-{row}" for row in range(len(frame))] if person is None else frame[person].astype(str).where(frame[person].notna(), [f"{k}-{row}" for row in range(len(frame))]) for k, frame in enumerate((now, then)))
    error = spread(pd.concat([u, -v], ignore_index=True), cluster=np.concatenate([np.asarray(part, dtype=object) for part in names]))
    gap = (a - b).to_numpy()
    counts = [[int((frame[driver].notna() & frame[kpi].notna()).sum()) for driver in drivers] for frame in (now, then)]
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.where(error > 1e-12, 2 * stats.norm.sf(np.abs(gap / error)), np.nan)
    note = ["" if np.isfinite(value) else "not estimable in one of the two" for value in gap]
    return pd.DataFrame({
        "driver": drivers, "method": method, "now": a.to_numpy(), "then": b.to_numpy(), "estimate": gap, "std_error": np.where(np.isfinite(gap), error, np.nan), "conf_low": gap - metrics.Z * error,
        "conf_high": gap + metrics.Z * error, "p": p, "n": counts[0], "n_then": counts[1], "note": note,
    })  # fmt: skip
