"""How the R2 of a regression is shared out among its drivers, from their correlations: exact Shapley values and Johnson's weights.

A driver that others determine, or that does not vary, gets a reason and no number; a singular matrix is never inverted in silence.
"""

from functools import cache
from math import factorial

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.measure.moments import one_thread

METHODS = ("correlation", "ols", "johnson", "shapley")
MOST = 26  # exact Shapley visits all 2^p models: a fifth of a millisecond at 12 drivers, a tenth of a second at 20, two seconds at 26
FURTHEST = 30  # where `exact` is asked for: half a minute
TOGETHER = 20  # drivers whose models are held in memory at once
OFTEN = 14  # for replicates: beyond it they are sampled, corrected by the exact value of the first
ORDERS = 4096, 256  # orders of entry that are drawn for one matrix beyond MOST, and for each of many
SMALLEST = 1e-8  # of the eigenvalues of a correlation matrix, and of a driver's variance given the others


def shapley(correlations, *, kpi=None, exact=False):
    """Share out the R2 of a regression exactly: each driver's average gain over all orders of entry (LMG; Lindeman, Merenda, Gold 1980).

    in: a square labelled frame of correlations with the KPI (`kpi`, by default the first). out: driver, estimate (share of the KPI's
    variance, they add up to R2), share (of R2), std_error (of the computation: 0 where exact), r2, note. A driver that is an exact combination
    of earlier ones is not estimable. Exact up to 26 drivers; beyond, orders of entry are drawn (`sampled`) and std_error says how far off
    the estimate may be, unless `exact` asks to visit all models up to 30 drivers (each driver more doubles the time: `split`).
    errors: DataError for `exact` beyond 30. Checked against R's relaimpo 2.2-7 and Azen & Budescu 2003.
    """
    return _shared(correlations, kpi, "shapley", exact)


def johnson(correlations, *, kpi=None):
    """Approximate the same sharing through the nearest orthogonal drivers (relative weights; Johnson 2000). In and out as `shapley`."""
    return _shared(correlations, kpi, "johnson")


def _shared(correlations, kpi, method, exact=False):
    kpi = correlations.columns[0] if kpi is None else kpi
    drivers = [name for name in correlations.columns if name != kpi]
    matrix = correlations.loc[[*drivers, kpi], [*drivers, kpi]].to_numpy(dtype=float)
    kept, notes = estimable(matrix, drivers)
    out = pd.DataFrame({"driver": drivers, "estimate": np.nan, "share": np.nan, "std_error": np.nan, "r2": np.nan, "note": notes})
    if kept:
        one = matrix[np.ix_([*kept, -1], [*kept, -1])]
        many = method == "shapley" and len(kept) > MOST
        found = all_methods(one[None], ("ols",) if many else (method,))
        if many and exact and len(kept) > FURTHEST:
            raise DataError(f"All models of {len(kept)} drivers cannot be visited (at most {FURTHEST}): leave `exact` out, and orders of entry are drawn.")
        values, errors = (split(one), 0.0) if many and exact else (part[0] for part in sampled(one[None], orders=ORDERS[0])) if many else (found[method][0], 0.0)
        out.loc[kept, "estimate"], out.loc[kept, "std_error"] = values, errors
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
    r2 = matrices[:, p, p] - _left(matrices).reshape(2**p, stack)
    r2 = r2 if worth is None else worth(r2)
    if p <= OFTEN:
        with one_thread():
            return (_counts(p) @ r2).T, r2[-1]
    gain, loss = _weights(p, _members(p))
    base, both = loss @ r2, (gain + loss)[:, None] * r2
    out = np.empty((stack, p))
    for j in range(p - 1, -1, -1):
        both = both.reshape(2, -1, stack)
        out[:, j] = both[1].sum(axis=0) - base
        both = both[0] + both[1]
    return out, r2[-1]


def split(matrix):
    """Return the exact Shapley values of one matrix of more drivers than memory allows at once: for every set of the first ones, all sets of the last twenty."""
    p = len(matrix) - 1
    first = max(p - TOGETHER, 0)
    members, out, base = _members(p - first), np.zeros(p), 0.0
    for chosen in range(2**first):
        inside = [k for k in range(first) if chosen >> k & 1]
        rest = [*range(first, p), p]
        part = matrix[np.ix_(rest, rest)]
        if inside:
            part = part - matrix[np.ix_(rest, inside)] @ np.linalg.solve(matrix[np.ix_(inside, inside)], matrix[np.ix_(inside, rest)])
        r2 = matrix[p, p] - _left(part[None]).reshape(-1)
        gain, loss = _weights(p, members + len(inside))
        base += loss @ r2
        both = (gain + loss) * r2
        out[inside] += both.sum()
        for j in range(p - first - 1, -1, -1):
            both = both.reshape(2, -1)
            out[first + j] += both[1].sum()
            both = both[0] + both[1]
    return out - base


def _left(matrices):
    """What every subset of the drivers leaves of the KPI's variance, for a stack of matrices: (subsets, stack) in one row."""
    left = np.ascontiguousarray(matrices.transpose(1, 2, 0))
    for m in range(matrices.shape[1] - 1, 0, -1):
        width = left.shape[2]
        swept = np.empty((m, m, 2 * width))
        swept[..., :width] = left[1:, 1:]
        row = left[0, 1:]
        np.subtract(left[1:, 1:], row[:, None] * (row / left[0, 0]), out=swept[..., width:])
        left = swept
    return left[0, 0]


def _members(p):
    """How many drivers each subset has."""
    members = np.zeros(1, dtype=int)
    for _ in range(p):
        members = np.concatenate([members, members + 1])
    return members


@cache
def _counts(p):
    """What the R2 of every subset counts for each driver: (p, subsets)."""
    gain, loss = _weights(p, _members(p))
    return np.where(np.arange(2**p) >> np.arange(p)[:, None] & 1, gain, -loss)


def _weights(p, members):
    """What a subset's R2 counts for a driver in it, and against one that is not, among p drivers."""
    weight = np.array([factorial(s) * factorial(p - s - 1) / factorial(p) for s in range(p)])
    return np.append(0, weight)[members], np.append(weight, 0)[members]


def sampled(matrices, *, orders, seed=1):
    """Estimate the Shapley values of R2 from drawn orders of entry (each with its reverse): values and their standard errors, (stack, p) each.

    The last row of the Cholesky factor of the matrix in a given order holds, squared, what each driver adds when it enters (Castro, Gomez, Tejada 2009, by
    one factorisation an order). Every matrix sees the same orders.
    """
    stack, p = len(matrices), matrices.shape[1] - 1
    rng = np.random.default_rng(seed)
    total, square = np.zeros((stack, p)), np.zeros((stack, p))
    safe = matrices.copy()
    safe[:, p, p] = 2.0  # what the drivers leave of the KPI plays no part, and may be nothing
    pairs = max(orders // 2, 2)
    for _ in range(pairs):
        once = np.zeros((stack, p))
        first = rng.permutation(p)
        for order in (first, first[::-1]):
            pick = np.append(order, p)
            once[:, order] += np.linalg.cholesky(safe[:, pick[:, None], pick])[:, p, :p] ** 2 / 2
        total += once
        square += once**2
    mean = total / pairs
    return mean, np.sqrt(np.maximum(square / pairs - mean**2, 0) / (pairs - 1))


def _shapley(matrices):
    """Return exact Shapley values where that is cheap; else those of the first matrix as exactly as can be, and the others sampled around it."""
    p = matrices.shape[1] - 1
    if p <= (TOGETHER if len(matrices) == 1 else OFTEN):
        step = max(1, 2**15 >> p)
        return np.concatenate([shared(matrices[start : start + step])[0] for start in range(0, len(matrices), step)])
    first = split(matrices[0])[None] if p <= MOST else sampled(matrices[:1], orders=ORDERS[0])[0]
    if len(matrices) == 1:
        return first
    found = sampled(matrices, orders=ORDERS[1])[0]
    return found + (first - found[:1])


def grouped(correlations, groups, *, kpi=None):
    """Share out R2 among groups of drivers, and each group's part among its members (Shapley value of the groups; Owen 1977 within).

    in: as `shapley`; `groups` driver -> group. out: group, driver ("" for the group as a whole), estimate (members add up to their group, groups to R2), share, r2, note. A
    construct asked about with many items gets no more for their number.
    """
    kpi = correlations.columns[0] if kpi is None else kpi
    drivers = [name for name in correlations.columns if name != kpi]
    matrix = correlations.loc[[*drivers, kpi], [*drivers, kpi]].to_numpy(dtype=float)
    kept, notes = estimable(matrix, drivers)
    names = list(dict.fromkeys(groups[name] for name in drivers))
    members = {name: [k for k, j in enumerate(kept) if groups[drivers[j]] == name] for name in names}
    out = pd.DataFrame([(name, driver, note) for name in names for driver, note in [("", ""), *((d, n) for d, n in zip(drivers, notes) if groups[d] == name)]], columns=["group", "driver", "note"])
    found = {}
    if kept:
        stack = matrix[np.ix_([*kept, -1], [*kept, -1])][None]
        live = [name for name in names if members[name]]
        found = {(name, ""): value for name, value in zip(live, by_group(stack, [members[name] for name in live])[0])}
        for name in live:
            others = [members[other] for other in live if other != name]
            found |= {(name, drivers[kept[k]]): value for k, value in zip(members[name], _within(stack, members[name], others))}
    r2 = sum(value for (_, driver), value in found.items() if not driver) if found else np.nan
    out["estimate"] = [found.get(key, np.nan) for key in zip(out["group"], out["driver"])]
    return out.assign(share=out["estimate"] / r2 if found and r2 > 0 else np.nan, r2=r2)[["group", "driver", "estimate", "share", "r2", "note"]]


def by_group(matrices, members):
    """Return the Shapley values of groups of drivers (lists of places) for a stack of correlation matrices whose KPI is last: (stack, groups)."""
    return _game(lambda sets: explained(matrices, sorted(j for k in sets for j in members[k])), len(members))


def _within(matrices, own, others):
    """Owen values of one group's members: Shapley within the group, averaged over the orders in which whole groups enter."""
    out, m = np.zeros(len(own)), len(others)
    for mask in range(2**m):
        before = [j for k in range(m) if mask >> k & 1 for j in others[k]]
        size = bin(mask).count("1")
        weight = factorial(size) * factorial(m - size) / factorial(m + 1)
        out += weight * _game(lambda sets, before=before: explained(matrices, sorted([*before, *(own[k] for k in sets)])), len(own))[0]
    return out


def _game(worth, players):
    """Shapley values of a game whose worth is given for tuples of players: (stack, players)."""
    values = [worth(tuple(k for k in range(players) if mask >> k & 1)) for mask in range(2**players)]
    out = np.zeros((len(values[0]), players))
    for mask, value in enumerate(values):
        size = bin(mask).count("1")
        for k in range(players):
            if mask >> k & 1:
                out[:, k] += factorial(size - 1) * factorial(players - size) / factorial(players) * (value - values[mask & ~(1 << k)])
    return out


def explained(matrices, places):
    """R2 of the drivers in these places, for each matrix of a stack."""
    if not places:
        return np.zeros(len(matrices))
    edge = matrices[:, places, -1]
    return np.einsum("bi,bi->b", edge, np.linalg.solve(matrices[:, np.array(places)[:, None], places], edge[..., None])[..., 0])


def all_methods(matrices, methods=METHODS):
    """Return {method: (stack, p), "r2": (stack,)} of the methods asked for; NaN for matrices that are not positive definite."""
    p = matrices.shape[1] - 1
    r = matrices[:, :p, p]
    finite = np.isfinite(matrices).all(axis=(1, 2))
    safe = matrices if finite.all() else np.where(finite[:, None, None], matrices, np.eye(p + 1))
    ok = finite & (np.linalg.eigvalsh(safe)[:, 0] > -SMALLEST)
    values, vectors = np.linalg.eigh(safe[:, :p, :p])
    ok &= values[:, 0] > SMALLEST
    values = np.where(ok[:, None], values, 1.0)
    turned = np.einsum("bji,bj->bi", vectors, np.where(ok[:, None], r, 0.0))
    out = {"correlation": r, "r2": np.where(ok, (turned**2 / values).sum(axis=1), np.nan)}
    if "ols" in methods:
        out["ols"] = np.where(ok[:, None], np.einsum("bij,bj->bi", vectors, turned / values), np.nan)
    if "johnson" in methods:
        root = np.einsum("bij,bj,bkj->bik", vectors, np.sqrt(values), vectors)
        slope = np.einsum("bij,bj->bi", vectors, turned / np.sqrt(values))
        out["johnson"] = np.where(ok[:, None], np.einsum("bij,bj->bi", root**2, slope**2), np.nan)
    if "shapley" in methods:
        out["shapley"] = np.full((len(matrices), p), np.nan)
        if ok.any():
            out["shapley"][ok] = _shapley(matrices if ok.all() else matrices[ok])
    return out
