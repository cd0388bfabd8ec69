"""Unequal relations: what annoys where it fails, what delights where it succeeds, and what is necessary without being sufficient.

Penalty-reward contrasts (Brandt 1987; Mikulic and Prebezac 2011, Managing Service Quality 21, 46-66) and necessary conditions (Dul 2016, Organizational
Research Methods 19, 10-52; permutation test: Dul, van der Laan, Kuik 2020, ORM 23, 385-395). Associations, as everything here.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure import drivers as importances
from cxlib.measure import metrics

CLASSES = ("basic", "performance", "delighter", "none shown")
LEAST = 20  # answers at an end of the scale from which a contrast is estimated
SMALL = 0.1  # standard deviations of the KPI that a side must take or give to be named: half of what Cohen (1988) calls small


def contrasts(frame, *, kpi, drivers, low, high, weight=None, strata=None, cluster=None, margins=(), replicates=1000, seed=1):
    """Say for each attribute what poor ratings take away from the KPI and what the best add, against the ratings between, all attributes at once.

    in: ratings (higher is better); poor is `low` or less, the best `high` or more; where hardly anybody gives these, the best counts from the next score down
    (best_from), as long as a score lies between. Missing ratings pair by pair.
    out: driver, penalty, penalty_low, penalty_high, reward, reward_low, reward_high (KPI units, 95 % bootstrap; a penalty is below zero), estimate (reward + penalty: below
    zero the bad outweighs the good), std_error, conf_low, conf_high, p (penalty and reward are equal in size), class (basic: the penalty shows, that is its interval leaves out zero
    and it is at least a tenth of the KPI's standard deviation, is more than twice the reward, and a test tells their sizes apart; delighter: the same of the reward; performance: a side shows without that; none shown), p_class (replicates with
    that class), n_poor, n_best, best_from, n, note. An end with under 20 answers is not estimable.
    """
    drivers = list(drivers)
    ends, notes = {}, dict.fromkeys(drivers, "")
    best = {d: high - (1 if (frame[d] >= high).sum() < LEAST and high - 1 > low + 1 else 0) for d in drivers}
    counts = {d: (int((frame[d] <= low).sum()), int((frame[d] >= best[d]).sum()), int((frame[d].notna() & frame[kpi].notna()).sum())) for d in drivers}
    for d in drivers:
        few = [f"only {n} {what} ratings" for n, what in zip(counts[d], ("poor", "best")) if n < LEAST]
        if few:
            notes[d] = f"not estimable ({' and '.join(few)})"
            continue
        for name, hit in (("poor", frame[d] <= low), ("best", frame[d] >= best[d])):
            ends[d, name] = hit.astype(float).where(frame[d].notna())
    live = [d for d in drivers if not notes[d]]
    wide = pd.DataFrame({f"{name} {d}": column for (d, name), column in ends.items()}, index=frame.index)
    own = frame[[kpi, *(c for c in dict.fromkeys((weight, strata, cluster, *margins)) if c)]].join(wide)
    slopes, least = None, SMALL * frame[kpi].std()
    if live:
        draws = importances.resample(own, kpi=kpi, drivers=wide.columns, weight=weight, strata=strata, cluster=cluster, margins=margins, methods=("ols",), replicates=replicates, seed=seed)
        slopes = draws["slope"].to_numpy().reshape(-1, len(live), 2)
        for d, note in zip(live, draws["note"].iloc[::2]):
            notes[d] = note
    rows = []
    for d in drivers:
        found = {"driver": d} | dict.fromkeys(("penalty", "penalty_low", "penalty_high", "reward", "reward_low", "reward_high", "estimate", "std_error", "conf_low", "conf_high", "p", "p_class"), np.nan)
        found |= {"class": ""} | dict(zip(("n_poor", "n_best", "n"), counts[d])) | {"best_from": best[d], "note": notes[d]}
        if d in live and np.isfinite(slopes[0, live.index(d)]).all() and len(slopes) > 2:
            found |= _contrast(slopes[:, live.index(d)], least)
        rows.append(found)
    columns = ["driver", "penalty", "penalty_low", "penalty_high", "reward", "reward_low", "reward_high", "estimate", "std_error", "conf_low", "conf_high", "p", "class", "p_class", "n_poor", "n_best", "best_from", "n", "note"]
    return pd.DataFrame(rows, columns=columns)


def _contrast(slopes, least):
    """One attribute's penalty and reward from their draws, the first being the answers as they are."""
    rest = slopes[1:][np.isfinite(slopes[1:]).all(axis=1)]
    error = rest.std(axis=0, ddof=1)
    point, total = slopes[0], slopes[0].sum()
    spread = rest.sum(axis=1).std(ddof=1)
    kinds = [_kind(one, error, spread, least) for one in rest]
    kind = _kind(point, error, spread, least)
    limits = {f"{name}_{end}": point[k] + sign * metrics.Z * error[k] for k, name in enumerate(("penalty", "reward")) for end, sign in (("low", -1), ("high", 1))}
    return {
        "penalty": point[0], "reward": point[1], **limits, "estimate": total, "std_error": spread, "conf_low": total - metrics.Z * spread, "conf_high": total + metrics.Z * spread,
        "p": 2 * stats.norm.sf(abs(total) / spread) if spread > 0 else np.nan, "class": kind, "p_class": np.mean([one == kind for one in kinds]),
    }  # fmt: skip


def _kind(point, error, spread, least):
    shown = (point[0] < -max(metrics.Z * error[0], least), point[1] > max(metrics.Z * error[1], least))
    tilted = abs(point.sum()) > metrics.Z * spread
    if shown[0] and tilted and point[1] < -point[0] / 2:
        return "basic"
    if shown[1] and tilted and -point[0] < point[1] / 2:
        return "delighter"
    return "performance" if any(shown) else "none shown"


def necessary(frame, *, kpi, drivers, kpi_range=None, replicates=999, seed=1):
    """Say whether a high KPI never goes with a poor rating: the empty corner above the highest KPI seen at each rating or below it (ceiling CE-FDH).

    in: ratings (higher is better), unweighted: a ceiling knows no weights. `kpi_range`: lowest and highest KPI possible (those seen by default). out: driver, estimate (effect
    size: the empty part of the possible area, 0 to 1; under 0.1 small, from 0.3 large), p (ratings handed out at random leave as large a corner),
    bottleneck (smallest rating at which the highest KPI was seen), n, note. One careless answer fills the corner, so that little is found necessary.
    """
    rng, rows = np.random.default_rng(seed), []
    for d in drivers:
        both = frame[d].notna() & frame[kpi].notna()
        x, y = frame.loc[both, d].to_numpy(dtype=float), frame.loc[both, kpi].to_numpy(dtype=float)
        if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
            rows.append((d, np.nan, np.nan, np.nan, len(x), "not estimable (no variation in the answers)"))
            continue
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
        steps, starts = np.unique(x, return_index=True)
        ends = kpi_range or (y.min(), y.max())
        size = float(_corner(y, starts, np.diff(steps), ends))
        chance = [_corner(rng.permuted(np.broadcast_to(y, (min(100, replicates - k), len(y))), axis=1), starts, np.diff(steps), ends) for k in range(0, replicates, 100)]
        chance = np.concatenate(chance)
        rows.append((d, size, (1 + (chance >= size - 1e-12).sum()) / (1 + replicates), x[y == y.max()].min(), len(x), ""))
    return pd.DataFrame(rows, columns=["driver", "estimate", "p", "bottleneck", "n", "note"])


def _corner(y, starts, widths, ends):
    """Part of the possible area that lies above the highest KPI at each rating or below it; `y` sorted by rating, in the last axis."""
    ceiling = np.maximum.accumulate(np.maximum.reduceat(y, starts, axis=-1), axis=-1)[..., :-1]
    return (ends[1] - ceiling) @ widths / ((ends[1] - ends[0]) * widths.sum())
