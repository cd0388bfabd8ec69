"""Interrupted time series: one series against what its own past, its season and a control series say it would have been.

y(t) = level + season + control series + what else is controlled + error. Of the error a part lasts (AR(1); near one it wanders as a random walk does) and the rest is gone with its period: sales that drift slowly under noisy weeks look as
if they forgot quickly, and a memory of one kind alone made intervals half as long as they had to be. Fitted to the time before; the effect is the mean of what came after less its prediction, with the error of the fit, of the prediction and
of the memory itself, over which is averaged (restricted likelihood on a grid), because a memory taken as known makes intervals too short.
Sources: Bernal, Cummins & Gasparrini 2017 (International Journal of Epidemiology 46:348) for the design, and 2018 (47:2082) for controls; Harvey 1989 (Forecasting, structural time series models and the Kalman filter, ch. 3 and 4) for the
two parts and the filter; Harville 1977 (Journal of the American Statistical Association 72:320) for the likelihood.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError

MEMORY = 1 - np.geomspace(1.3, 0.006, 24)  # of the part that lasts, from a period to the next: as many steps among days as among years of it, so that none is ruled out beforehand
LASTING = (1.0, 0.75, 0.5, 0.25, 0.1, 0.0)  # its share of the error's variance
YEAR = 365.25


def effect(frame: pd.DataFrame, *, start, controls=(), adjust=(), trend: bool | None = None) -> pd.DataFrame:
    """Estimate what happened to a series from `start` on, as a mean per period.

    in: a row a period: period (date or number, evenly spaced), value, the columns of `controls` (series the action could not touch) and of `adjust` (price, distribution, promotion; never what the action itself changed).
    Season: two waves a year where about two years lie before `start`. `trend` (a straight line) is fitted only where there is no control, unless told.
    out, one row: estimate, std_error, conf_low, conf_high (t), df, p, n (periods after), n_before, mean_treated (observed after), mean_control (predicted), relative (estimate / predicted), memory, season (waves a year fitted), bound (largest estimate
    that a difference in trend compatible with the time before would give alone, 95 %, in the direction of the effect), pretrend_p, placebo, placebo_p (effect at a date two thirds through the time before), control_p (whether the control itself moved), note.
    errors: DataError for gaps, for a column that is not there, for fewer than 12 periods before or none after.
    """
    rows = _checked(frame, start, (*controls, *adjust))
    trend = not controls if trend is None else trend
    found = _fit(rows, rows["after"].to_numpy(), (*controls, *adjust), trend)
    out = {name: found[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "df", "p", "memory", "season", "note")}
    after = rows["after"].to_numpy()
    out |= {"n": int(after.sum()), "n_before": int((~after).sum()), "mean_treated": rows.loc[after, "value"].mean()}
    out["mean_control"] = out["mean_treated"] - out["estimate"]
    out["relative"] = out["estimate"] / out["mean_control"] if out["mean_control"] else np.nan
    return pd.DataFrame([out | _past(rows, (*controls, *adjust), trend, out["estimate"], out["std_error"]) | {"control_p": min((_moved(rows, name) for name in controls), default=np.nan)}])


def path(frame: pd.DataFrame, *, start, controls=(), adjust=(), trend: bool | None = None) -> pd.DataFrame:
    """Return the series beside its prediction: period, value, predicted, conf_low, conf_high (of the prediction, after), after."""
    rows = _checked(frame, start, (*controls, *adjust))
    found = _fit(rows, rows["after"].to_numpy(), (*controls, *adjust), not controls if trend is None else trend)
    return rows[["period", "value", "after"]].assign(predicted=found["predicted"], conf_low=found["low"], conf_high=found["high"])


def _checked(frame, start, columns):
    missing = [name for name in columns if name not in frame]
    if missing:
        raise DataError(f"The series has no column '{missing[0]}' (there are: {', '.join(map(str, frame.columns))}).")
    rows = frame.sort_values("period").reset_index(drop=True)
    step = rows["period"].diff().dropna()
    days = step.dt.days if hasattr(step, "dt") else step
    if rows[["value", *columns]].isna().any().any() or rows["period"].duplicated().any() or (len(days) and days.max() > 1.5 * days.median()):
        raise DataError("The series has a gap, a period twice or a period without a value; give every period one row with all its columns.")
    rows["after"] = rows["period"] >= (pd.Timestamp(start) if hasattr(step, "dt") else start)
    before = int((~rows["after"]).sum())
    if before < 12 or not rows["after"].any():
        raise DataError(f"An interrupted series needs twelve periods before the action and one after; there are {before} before and {int(rows['after'].sum())} after.")
    return rows.assign(turn=YEAR / float(days.median()) if hasattr(step, "dt") else np.nan)


def _design(rows, fitted, columns, trend):
    """Return the regressors: level, season where two years lie before, columns, trend; what cannot be told apart from the others before the action is left out."""
    time, turn = np.arange(len(rows), dtype=float), float(rows["turn"].iloc[0])
    waves = 2 if turn > 4 and fitted.sum() >= 1.9 * turn else 0
    parts = [np.ones(len(rows))]
    for wave in range(1, waves + 1):
        parts += [np.sin(2 * np.pi * wave * time / turn), np.cos(2 * np.pi * wave * time / turn)]
    scaled = lambda values: (values - values[fitted].mean()) / (values[fitted].std() or 1.0)
    parts += [scaled(rows[name].to_numpy(float)) for name in columns]
    parts += [scaled(time)] if trend else []
    kept, left = [], []
    for place, part in enumerate(parts):
        if np.linalg.matrix_rank(np.column_stack([*kept, part])[fitted], tol=1e-8 * len(rows)) > len(kept):
            kept.append(part)
        else:
            left.append(place)
    names = ["level", *["season"] * (2 * waves), *columns, *(["trend"] if trend else [])]
    return np.column_stack(kept), waves, [names[place] for place in left]


def _fit(rows, after, columns, trend, used=None) -> dict:
    """Return the mean effect over `after` with its error, averaged over the memory by its restricted likelihood; `used` limits the periods that are looked at."""
    used = np.ones(len(rows), bool) if used is None else used
    after = after & used
    before = used & ~after
    x, waves, left = _design(rows, before, columns, trend)
    y = rows["value"].to_numpy(float)
    n, p, m = int(before.sum()), x.shape[1], int(after.sum())
    if n - p < 4:
        return {"note": f"not estimable ({n} periods before for {p} things to be told)", "season": waves} | dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high", "df", "p", "memory", "predicted", "low", "high"), np.nan)
    level = y[before].mean()
    y, ahead, fits, masses = y - level, np.arange(1, m + 1, dtype=float), [], _memories(x[before], y[before] - level)
    apart, sooner = np.abs(np.subtract.outer(ahead, ahead)), np.minimum.outer(ahead, ahead)
    for one in masses:
        carry = one.memory**ahead  # what lasted to the end of the past fades
        rest = x[after] - np.outer(carry, one.left[:-1])
        predicted = rest @ one.beta + carry * one.left[-1]
        fades = one.memory ** (2 * sooner)
        spread = one.scale * (one.memory**apart * (fades * one.unsure + one.lasting * (1 - fades)) + (1 - one.lasting) * np.eye(m) + rest @ one.inner @ rest.T)
        fits.append(((y[after] - predicted).mean(), spread.mean(), predicted + level, np.diag(spread), x @ one.beta + level))
    mass = np.array([one.mass for one in masses])
    averaged = lambda place: sum(share * fit[place] for share, fit in zip(mass, fits))
    memory = float(sum(one.mass * one.memory * one.lasting for one in masses))
    estimate, df = float(averaged(0)), _freedom(n, p, masses)
    error, t = float(np.sqrt(averaged(1) + sum(share * (fit[0] - estimate) ** 2 for share, fit in zip(mass, fits)))), stats.t.ppf(0.975, df)
    predicted, low, high = averaged(4), np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    predicted[after] = averaged(2)
    half = t * np.sqrt(averaged(3))
    low[after], high[after] = predicted[after] - half, predicted[after] + half
    note = f"could not be told apart from the rest before the action and left out: {', '.join(dict.fromkeys(left))}" if left else ""
    out = {"estimate": estimate, "std_error": error, "conf_low": estimate - t * error, "conf_high": estimate + t * error, "df": df, "p": float(2 * stats.t.sf(abs(estimate) / error, df)) if error > 0 else np.nan}
    return out | {"memory": memory, "season": waves, "predicted": predicted, "low": low, "high": high, "note": note}


class Memory(NamedTuple):
    """One way in which the error may last: its memory, the share of its variance that lasts, how likely that is (mass), and the fit under it: coefficients, scale, inverse of the cross-products, what of each regressor and of the series is
    left at the end of the past, and how unsure that is (of a scale of one)."""

    memory: float
    lasting: float
    mass: float
    beta: np.ndarray
    scale: float
    inner: np.ndarray
    left: np.ndarray
    unsure: float


def _freedom(n: int, p: int, masses: list[Memory]) -> float:
    """Return degrees of freedom: what n periods of these memories are worth as independent ones, less what was fitted; at least three."""
    worth = sum(one.mass * min(n, n / (1 + 2 * one.lasting * one.memory / (1 - one.memory))) for one in masses)
    return max(worth - p, 3.0)


def _memories(x, y) -> list[Memory]:
    """Return every memory that is likely at all by the restricted likelihood. The filter runs over all of them at once: what is new in each period, given those before, is independent."""
    n, p = x.shape
    memory, lasting = (part.ravel() for part in np.meshgrid(MEMORY, LASTING, indexing="ij"))
    left, unsure = np.zeros((len(memory), p + 1)), lasting.copy()
    products, likely = np.zeros((len(memory), p + 1, p + 1)), np.zeros(len(memory))
    for row in np.column_stack([x, y]):
        whole = unsure + 1 - lasting
        new = row - left
        products += (new[:, :, None] * new[:, None, :]) / whole[:, None, None]
        likely -= 0.5 * np.log(whole)
        left = left + (unsure / whole)[:, None] * new
        unsure = unsure - unsure**2 / whole
        last = left, unsure
        left, unsure = memory[:, None] * left, memory**2 * unsure + lasting * (1 - memory**2)
    inner = np.linalg.inv(products[:, :p, :p])
    beta = np.einsum("gij,gj->gi", inner, products[:, :p, p])
    scale = np.maximum(products[:, p, p] - np.einsum("gi,gi->g", beta, products[:, :p, p]), 1e-300) / (n - p)
    likely -= 0.5 * np.linalg.slogdet(products[:, :p, :p])[1] + 0.5 * (n - p) * np.log(scale)
    mass = np.exp(likely - likely.max())
    kept = np.flatnonzero(mass > 1e-6)
    mass /= mass[kept].sum()
    return [Memory(*(float(part[at]) for part in (memory, lasting, mass)), beta[at], float(scale[at]), inner[at], last[0][at], float(last[1][at])) for at in kept]


def _past(rows, columns, trend, effect, error) -> dict:
    """Return what the time before says: how far a difference in trend, carried to the time after, could explain the effect, and a date at which nothing happened."""
    after = rows["after"].to_numpy()
    before, n = ~after, int((~after).sum())
    cut = before & (np.arange(len(rows)) >= int(n * 2 / 3))
    fake = _fit(rows, cut, columns, trend, used=before)
    # A trend in the time before, had from the same model: its slope a period with the memory's error.
    time = np.arange(len(rows), dtype=float)
    sloped = _slope(rows, columns, before)
    reach = float(time[after].mean() - time[before].mean())
    bound = np.nan
    if sloped:
        drift, margin = sloped["estimate"] * reach, stats.t.ppf(0.975, sloped["df"]) * np.hypot(sloped["std_error"] * reach, error)
        bound = max((drift if effect >= 0 else -drift) + margin, 0.0)
    return {"bound": bound, "pretrend_p": sloped["p"] if sloped else np.nan, "placebo": fake["estimate"], "placebo_p": fake["p"]}


def _slope(rows, columns, before) -> dict:
    x, _, left = _design(rows, before, columns, True)
    if "trend" in left or before.sum() - x.shape[1] < 4:
        return {}
    y = rows["value"].to_numpy(float)[before]
    unit = np.arange(len(rows))[before].std()  # the trend's column is scaled
    masses = _memories(x[before], y)
    fits, df = [(one.mass, one.beta[-1] / unit, one.scale * one.inner[-1, -1] / unit**2) for one in masses], _freedom(len(y), x.shape[1], masses)
    slope = float(sum(share * value for share, value, _ in fits))
    error = float(np.sqrt(sum(share * (variance + (value - slope) ** 2) for share, value, variance in fits)))
    return {"estimate": slope, "std_error": error, "df": df, "p": float(2 * stats.t.sf(abs(slope) / error, df)) if error > 0 else np.nan}


def _moved(rows, name) -> float:
    """Return the p of a jump of a control series at the same date: a control that the action touched is none."""
    return _fit(rows.assign(value=rows[name]), rows["after"].to_numpy(), (), False)["p"]
