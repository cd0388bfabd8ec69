"""Missing ratings: what importance would be with complete answers only, pair by pair, or by maximum likelihood, and whether the choice matters."""

import numpy as np
import pandas as pd

from cxlib.measure import dominance
from cxlib.measure.moments import Answers

STEPS, CLOSE = 500, 1e-7
SMALL_RIDGE = 1e-10
WAYS = ("pairwise", "em", "listwise")


def correlations(frame, *, columns, weight=None):
    """Return the correlation matrix that is most likely for normal answers with gaps (EM; Little and Rubin 2019, ch. 11), the KPI last.

    Right where gaps depend on answers that were given (MAR), where pairwise moments need gaps that depend on nothing (MCAR). Works on sums by pattern of gaps, so that rows
    cost nothing more. A column without variance or never answered is NaN.
    """
    columns = list(columns)
    x = frame[columns].to_numpy(dtype=float)
    w = np.ones(len(x)) if weight is None else frame[weight].to_numpy(dtype=float)
    mask = np.isfinite(x)
    use = mask[:, -1] & mask[:, :-1].any(axis=1) & (w > 0)
    x, w, mask = x[use], w[use], mask[use]
    out = np.full((len(columns),) * 2, np.nan)
    with np.errstate(invalid="ignore"):
        live = np.flatnonzero([mask[:, j].sum() > 1 and np.ptp(x[mask[:, j], j]) > 0 for j in range(len(columns))])
    if len(live) < 2 or live[-1] != len(columns) - 1:
        return pd.DataFrame(out, index=columns, columns=columns)
    x, mask = x[:, live], mask[:, live]
    centre, scale = (np.array([part(x[mask[:, j], j]) for j in range(len(live))]) for part in (np.mean, np.std))
    z = np.where(mask, (x - centre) / scale, 0.0)
    sums = []
    for pattern, rows in _patterns(mask):
        seen, own = np.flatnonzero(pattern), w[rows]
        part = z[np.ix_(rows, seen)]
        sums.append((seen, np.flatnonzero(~pattern), own.sum(), own @ part, (part * own[:, None]).T @ part))
    total, mean, cross = w.sum(), np.zeros(len(live)), np.eye(len(live))
    for _ in range(STEPS):
        first, second = np.zeros(len(live)), np.zeros((len(live),) * 2)
        for seen, gone, n, one, two in sums:
            slope = np.linalg.solve(cross[np.ix_(seen, seen)] + SMALL_RIDGE * np.eye(len(seen)), cross[np.ix_(seen, gone)])
            start = mean[gone] - mean[seen] @ slope
            first[seen] += one
            first[gone] += n * start + one @ slope
            second[np.ix_(seen, seen)] += two
            guessed = np.outer(one, start) + two @ slope
            second[np.ix_(seen, gone)] += guessed
            second[np.ix_(gone, seen)] += guessed.T
            left = cross[np.ix_(gone, gone)] - cross[np.ix_(gone, seen)] @ slope
            pull = start[:, None] * (one @ slope)[None]
            second[np.ix_(gone, gone)] += n * (left + np.outer(start, start)) + pull + pull.T + slope.T @ two @ slope
        new = first / total
        moved = second / total - np.outer(new, new)
        change = max(np.abs(new - mean).max(), np.abs(moved - cross).max())
        mean, cross = new, moved
        if change < CLOSE:
            break
    spread = np.sqrt(np.diag(cross))
    out[np.ix_(live, live)] = cross / np.outer(spread, spread)
    return pd.DataFrame(out, index=columns, columns=columns)


def compare(frame, *, kpi, drivers, weight=None, method="shapley"):
    """Return each driver's importance under three treatments of missing ratings: driver, way (pairwise, em, listwise), estimate, r2, n (answered), least
    (smallest eigenvalue of the drivers' correlations: at or below zero they contradict each other), note.
    """
    drivers = list(drivers)
    answers = Answers(frame, kpi, drivers, weight)
    whole = frame[frame[[*drivers, kpi]].notna().all(axis=1)]
    matrices = {"pairwise": answers.point()[0], "em": correlations(frame, columns=[*drivers, kpi], weight=weight).to_numpy(), "listwise": Answers(whole, kpi, drivers, weight).point()[0]}
    rows = []
    for way, matrix in matrices.items():
        kept, notes = dominance.estimable(matrix, drivers)
        n = np.full(len(drivers), len(whole)) if way == "listwise" else answers.bases()[0]
        if way == "listwise" and len(whole) <= len(kept) + 1:
            kept, notes = [], [f"not estimable ({len(whole)} complete answers for {len(drivers)} drivers)"] * len(drivers)
        found, r2, least = np.full(len(drivers), np.nan), np.nan, np.nan
        if kept:
            pick = [*kept, -1]
            least = np.linalg.eigvalsh(matrix[np.ix_(kept, kept)])[0]
            part = dominance.all_methods(matrix[np.ix_(pick, pick)][None], (method,))
            found[kept], r2 = part[method][0], part["r2"][0]
        rows += zip(drivers, [way] * len(drivers), found, [r2] * len(drivers), n, [least] * len(drivers), notes)
    return pd.DataFrame(rows, columns=["driver", "way", "estimate", "r2", "n", "least", "note"])


def _patterns(mask):
    """Yield each pattern of answered columns with its rows."""
    kinds, place = np.unique(mask, axis=0, return_inverse=True)
    for k, pattern in enumerate(kinds):
        yield pattern, np.flatnonzero(place.ravel() == k)
