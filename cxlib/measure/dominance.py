"""How the R2 of a regression is shared out among its drivers, from their correlations: exact Shapley values and Johnson's weights.

A driver that others determine, or that does not vary, gets a reason and no number; a singular matrix is never inverted in silence.
"""

from math import factorial

import numpy as np
import pandas as pd

from cxlib.errors import DataError

METHODS = ("correlation", "ols", "johnson", "shapley")
MOST = 22  # exact Shapley visits all 2^p models: 0.1 ms at 12 drivers, 22 ms at 20
SMALLEST = 1e-8  # of the eigenvalues of a correlation matrix, and of a driver's variance given the others


def shapley(correlations, *, kpi=None):
    """Share out the R2 of a regression exactly: each driver's average gain over all orders of entry (LMG; Lindeman, Merenda, Gold 1980).

    in: a square labelled frame of correlations with the KPI (`kpi`, by default the first). out: driver, estimate (share of the KPI's
    variance, they add up to R2), share (of R2), r2, note. A driver that is an exact combination of earlier ones is not estimable.
    errors: DataError beyond 22 drivers. Checked against R's relaimpo 2.2-7 and Azen & Budescu 2003.
    """
    return _shared(correlations, kpi, "shapley")


def johnson(correlations, *, kpi=None):
    """Approximate the same sharing through the nearest orthogonal drivers (relative weights; Johnson 2000). In and out as `shapley`."""
    return _shared(correlations, kpi, "johnson")


def _shared(correlations, kpi, method):
    kpi = correlations.columns[0] if kpi is None else kpi
    drivers = [name for name in correlations.columns if name != kpi]
    matrix = correlations.loc[[*drivers, kpi], [*drivers, kpi]].to_numpy(dtype=float)
    kept, notes = estimable(matrix, drivers)
    out = pd.DataFrame({"driver": drivers, "estimate": np.nan, "share": np.nan, "r2": np.nan, "note": notes})
    if kept:
        found = all_methods(matrix[np.ix_([*kept, -1], [*kept, -1])][None], (method,))
        out.loc[kept, "estimate"] = found[method][0]
        out["r2"] = found["r2"][0]
        out["share"] = out["estimate"] / out["r2"].where(out["r2"] > 0)
    return out


def estimable(matrix, names):
    """Return the drivers that can be told apart, in their order, and a note for each of all ("" where there is nothing to say)."""
    notes, kept = [""] * len(names), []
    if not np.isfinite(matrix[-1, -1]):
        return [], ["not estimable (the KPI does not vary)"] * len(names)
    if np.isfinite(matrix).all() and np.linalg.eigvalsh(matrix[:-1, :-1])[0] > SMALLEST:
        return list(range(len(names))), notes  # the usual case: each driver's variance given all the others is at least this large
    for j in range(len(names)):
        if not np.isfinite(matrix[j]).any() or not np.isfinite(matrix[j, j]):
            notes[j] = "not estimable (no variation in the answers)"
            continue
        if not np.isfinite(matrix[j, [*kept, -1]]).all():
            notes[j] = "not estimable (too few answers together with the other drivers)"
            continue
        if kept:
            on = np.linalg.solve(matrix[np.ix_(kept, kept)], matrix[kept, j])
            left = 1 - matrix[j, kept] @ on
            if left < -SMALLEST:
                return [], ["not estimable (the correlations contradict each other: not positive definite)"] * len(names)
            if left < SMALLEST:
                others = [names[k] for k, slope in zip(kept, on) if abs(slope) > 1e-6]
                notes[j] = f"not estimable (an exact combination of {', '.join(others)})"
                continue
        kept.append(j)
    return kept, notes


def shared(matrices, worth=None):
    """Return the exact Shapley values of R2 for a stack of correlation matrices whose KPI is last, and R2 itself; `worth` turns R2 of every set of drivers.

    Drivers are swept out one after the other for all subsets at once: position s of the last axis holds the covariances that remain
    given subset s (bit k = driver k), so that every step doubles the subsets and drops a row; in the end only 1 - R2 is left.
    """
    stack, size, _ = matrices.shape
    p = size - 1
    left = np.ascontiguousarray(matrices.transpose(1, 2, 0))
    for m in range(p, 0, -1):
        width = left.shape[2]
        swept = np.empty((m, m, 2 * width))
        swept[..., :width] = left[1:, 1:]
        row = left[0, 1:]
        np.subtract(left[1:, 1:], row[:, None] * (row / left[0, 0]), out=swept[..., width:])
        left = swept
    r2 = matrices[:, p, p] - left[0, 0].reshape(2**p, stack)
    r2 = r2 if worth is None else worth(r2)
    members = np.zeros(1, dtype=int)
    for _ in range(p):
        members = np.concatenate([members, members + 1])
    weight = np.array([factorial(s) * factorial(p - s - 1) / factorial(p) for s in range(p)])
    gain, loss = np.append(0, weight)[members], np.append(weight, 0)[members]
    base, both = loss @ r2, (gain + loss)[:, None] * r2
    out = np.empty((stack, p))
    for j in range(p - 1, -1, -1):
        both = both.reshape(2, -1, stack)
        out[:, j] = both[1].sum(axis=0) - base
        both = both[0] + both[1]
    return out, r2[-1]


def all_methods(matrices, methods=METHODS):
    """Return {method: (stack, p), "r2": (stack,)}; NaN for matrices that are not positive definite."""
    p = matrices.shape[1] - 1
    if "shapley" in methods and p > MOST:
        raise DataError(f"Exact Shapley values are computed for at most {MOST} drivers and there are {p}: leave some out, or ask for johnson.")
    r = matrices[:, :p, p]
    finite = np.isfinite(matrices).all(axis=(1, 2))
    safe = np.where(finite[:, None, None], matrices, np.eye(p + 1))
    ok = finite & (np.linalg.eigvalsh(safe)[:, 0] > -SMALLEST)
    values, vectors = np.linalg.eigh(safe[:, :p, :p])
    ok &= values[:, 0] > SMALLEST
    values = np.where(ok[:, None], values, 1.0)
    turned = np.einsum("bji,bj->bi", vectors, np.where(ok[:, None], r, 0.0))
    out = {"correlation": r, "ols": np.einsum("bij,bj->bi", vectors, turned / values)}
    root = np.einsum("bij,bj,bkj->bik", vectors, np.sqrt(values), vectors)
    slope = np.einsum("bij,bj->bi", vectors, turned / np.sqrt(values))
    out["johnson"] = np.einsum("bij,bj->bi", root**2, slope**2)
    out["r2"] = (turned**2 / values).sum(axis=1)
    if "shapley" in methods:
        step = max(1, 2**15 >> p)
        found = np.full((len(matrices), p), np.nan)
        index = np.flatnonzero(ok)
        for start in range(0, len(index), step):
            part = index[start : start + step]
            found[part] = shared(matrices[part])[0]
        out["shapley"] = found
    for name in ("ols", "johnson", "r2"):
        out[name] = np.where(ok if name == "r2" else ok[:, None], out[name], np.nan)
    return out
