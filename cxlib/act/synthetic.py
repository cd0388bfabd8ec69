"""Synthetic control: one treated series against the mix of others that ran like it before, with the placebo test that alone tells how unusual it is.

Sources: Abadie, Diamond & Hainmueller 2010 (Journal of the American Statistical Association 105:493) for weights and the placebo ratio; Firpo & Possebom 2018 (Journal of Causal Inference 6(2)) for
the interval that inverts it.
"""

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cxlib.errors import DataError

FEWEST = 19  # controls; with fewer no placebo test can reach 5 %


def weights(frame: pd.DataFrame, *, treated: str, start, donors=None) -> pd.DataFrame:
    """Return the mix of control series closest to the treated one before `start`: min sum (Y - sum w Y_j)² over the periods before, w >= 0, sum w = 1.

    in: series, period, value (every series in every period). out: series, weight; largest first, those at zero included.
    """
    before, _, names, _ = _arrays(frame, treated, start, donors)
    found = pd.DataFrame({"series": names, "weight": mix(before[:, 1:], before[:, 0])})
    return found.sort_values("weight", ascending=False, kind="stable", ignore_index=True)


def path(frame: pd.DataFrame, *, treated: str, start, donors=None) -> pd.DataFrame:
    """Return the treated series beside its synthetic control: period, value, synthetic, gap, after (whether treated)."""
    before, after, _, periods = _arrays(frame, treated, start, donors)
    both = np.vstack([before, after])
    synthetic = both[:, 1:] @ mix(before[:, 1:], before[:, 0])
    return pd.DataFrame({"period": periods, "value": both[:, 0], "synthetic": synthetic, "gap": both[:, 0] - synthetic, "after": np.arange(len(both)) >= len(before)})


def effect(frame: pd.DataFrame, *, treated: str, start, donors=None) -> pd.DataFrame:
    """Estimate what happened to the treated series: its mean gap after `start`, judged against the gaps of series to which nothing happened.

    out, one row: estimate (mean gap), conf_low, conf_high (constant effects that the placebo test keeps at 5 %), std_error (none: NaN), p (place of its ratio of root mean square gaps, after over before, among all, each
    control taken for treated in turn without the treated one), rank, rmse (before), ratio, n (periods after), n_before, n_control, bound (the gap that a last third of the time before, left out of the fit, lets drift to
    the time after, 95 %), placebo_p (whether that third shows a gap), mean_treated, mean_control (synthetic, after), note.
    errors: DataError for a series that is not there, periods without a value, fewer than two controls or five periods before.
    """
    before, after, names, _ = _arrays(frame, treated, start, donors)
    own = _gaps(before, after)
    others = [_gaps(before[:, [j, *(k for k in range(1, before.shape[1]) if k != j)]], after[:, [j, *(k for k in range(1, after.shape[1]) if k != j)]]) for j in range(1, before.shape[1])]
    ratio, ratios = _ratio(*own), np.array([_ratio(*one) for one in others])
    rank = int((ratios > ratio).sum()) + 1
    gap = own[1]
    low, high, note = _interval(own, ratios)
    drift, placebo_p = _drift(before, len(after))
    out = {"estimate": gap.mean(), "std_error": np.nan, "conf_low": low, "conf_high": high, "p": rank / (len(names) + 1), "rank": rank, "rmse": float(np.sqrt((own[0] ** 2).mean())), "ratio": ratio, "n": len(gap), "n_before": len(before)}
    out |= {"n_control": len(names), "bound": drift, "placebo_p": placebo_p, "mean_treated": after[:, 0].mean(), "mean_control": after[:, 0].mean() - gap.mean(), "note": note}
    return pd.DataFrame([out])


def parts(frame: pd.DataFrame, *, treated: str, start, columns, donors=None) -> pd.DataFrame:
    """Split the mean gap of `effect` into what its value consists of: the mix is that of the value, taken of each part, so that parts which add up to the value add up to the gap.

    in: series, period, value and `columns`. out: part, estimate, conf_low, conf_high (as for the effect: placebos of the part, each with its own mix of the value), p, missed (root mean square gap of the part before, as a share of the level of the value), n (periods after).
    """
    arrays = {name: _arrays(frame.assign(value=frame[name]), treated, start, donors)[:2] for name in ("value", *columns)}
    whole = arrays["value"]
    places = [[j, *(k for k in range(whole[0].shape[1]) if k not in (0, j))] if j else list(range(whole[0].shape[1])) for j in range(whole[0].shape[1])]
    mixes = [mix(whole[0][:, order[1:]], whole[0][:, order[0]]) for order in places]
    gaps = lambda both, order, weight: tuple(side[:, order[0]] - side[:, order[1:]] @ weight for side in both)
    rows = []
    for name in columns:
        own, *others = [gaps(arrays[name], order, weight) for order, weight in zip(places, mixes)]
        ratios = np.array([_ratio(*one) for one in others])
        low, high, _ = _interval(own, ratios)
        rows.append((name, own[1].mean(), low, high, (int((ratios > _ratio(*own)).sum()) + 1) / len(places), float(np.sqrt((own[0] ** 2).mean()) / abs(whole[0][:, 0].mean())), len(own[1])))
    return pd.DataFrame(rows, columns=["part", "estimate", "conf_low", "conf_high", "p", "missed", "n"])


def mix(donors: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return weights w >= 0 with sum 1 that bring `donors @ w` closest to `own`: least squares with a heavy row for the sum finds who takes part, who are then solved for exactly."""
    size = np.abs(donors).max() or 1.0
    a, b = donors / size, own / size
    heavy = 1e3
    found, _ = optimize.nnls(np.vstack([a, np.full(a.shape[1], heavy)]), np.r_[b, heavy], maxiter=100 * a.shape[1])
    inside = np.flatnonzero(found > 1e-9)
    for _ in range(len(inside)):
        part = a[:, inside]
        system = np.block([[part.T @ part, np.ones((len(inside), 1))], [np.ones((1, len(inside))), np.zeros((1, 1))]])
        solved = np.linalg.lstsq(system, np.r_[part.T @ b, 1.0], rcond=None)[0][:-1]
        if (solved >= -1e-10).all():
            found = np.zeros(a.shape[1])
            found[inside] = np.maximum(solved, 0.0)
            break
        inside = np.delete(inside, solved.argmin())
    return found / found.sum()


def _arrays(frame, treated, start, donors):
    if frame.duplicated(["series", "period"]).any():
        raise DataError("A series has two values in one period; give a row a series and period.")
    wide = frame.pivot(index="period", columns="series", values="value").sort_index()
    if treated not in wide:
        raise DataError(f"There is no series '{treated}' (there are: {', '.join(map(str, wide.columns[:8]))}).")
    names = [name for name in wide if name != treated and (donors is None or name in set(donors))]
    names = [name for name in names if wide[name].notna().all()]
    if len(names) < 2:
        raise DataError(f"A synthetic control of '{treated}' needs two or more other series without gaps; there {'is' if len(names) == 1 else 'are'} {len(names)}.")
    if wide[treated].isna().any():
        raise DataError(f"The series '{treated}' has no value in {int(wide[treated].isna().sum())} of {len(wide)} periods.")
    late = wide.index >= start
    if (~late).sum() < 5 or not late.any():
        raise DataError(f"A synthetic control needs five periods before the action and one after; there are {int((~late).sum())} before and {int(late.sum())} after.")
    own = wide[[treated, *names]].to_numpy(float)
    return own[~late], own[late], names, wide.index.to_numpy()


def _gaps(before, after):
    found = mix(before[:, 1:], before[:, 0])
    return before[:, 0] - before[:, 1:] @ found, after[:, 0] - after[:, 1:] @ found


def _ratio(before, after) -> float:
    with np.errstate(divide="ignore"):
        return float(np.sqrt((after**2).mean() / (before**2).mean()))


def _interval(own, ratios) -> tuple[float, float, str]:
    """Return the constant effects that the placebo test keeps: where the ratio after taking them away is not beyond the one that would give p <= .05."""
    count = len(ratios) + 1
    if len(ratios) < FEWEST:
        return np.nan, np.nan, f"{len(ratios)} control series cannot tell at 5 %; {FEWEST} or more can"
    kept = int(np.floor(0.05 * count)) + 1  # the smallest rank with p above .05
    limit = np.sort(ratios)[::-1][kept - 2] if kept >= 2 else np.inf
    before, after = own
    reach = limit**2 * (before**2).mean() - after.var()
    if reach < 0:
        return np.nan, np.nan, "no constant effect fits: what happened grew or fell away"
    return float(after.mean() - np.sqrt(reach)), float(after.mean() + np.sqrt(reach)), ""


def _drift(before, length) -> tuple[float, float]:
    """Return how far a gap may drift by the middle of the time after, from the last third of the time before left out of the fit, and the p of that third's mean gap."""
    held = max(len(before) // 3, 2)
    if len(before) - held < 4:
        return np.nan, np.nan
    _, gap = _gaps(before[:-held], before[-held:])
    error = gap.std(ddof=1) / np.sqrt(held)
    limit = abs(gap.mean()) + stats.t.ppf(0.975, held - 1) * error
    p = float(2 * stats.t.sf(abs(gap.mean()) / error, held - 1)) if error > 0 else np.nan
    return float(limit * (held + (length + 1) / 2) / ((held + 1) / 2)), p
