"""The curve of an outcome over a score, without a shape put on it: the mean at each score with its interval, and the line through the means that never falls."""

import numpy as np
import pandas as pd
from scipy import optimize, stats


def curve(frame: pd.DataFrame, *, x: str, y: str, cluster: str | None = None, weight: str | None = None, most: int = 21) -> pd.DataFrame:
    """Return the mean of y at each value of x, with 95 % intervals that count several answers of one customer as one draw.

    More than `most` values of x are put into as many equal parts, each at its mean. out: x, estimate, std_error, conf_low, conf_high (Student's t over the customers at
    that value; empty for fewer than two), n (answers), n_eff (customers, Kish), rising (weighted isotonic regression over the means: the same unit). Source:
    Liang & Zeger (1986), Biometrika 73, 13-22 (the error); Barlow & Brunk (1972), JASA 67, 140-147 (rising).
    """
    rows = frame[list(dict.fromkeys(name for name in (x, y, cluster, weight) if name))].dropna()
    place = rows[x].astype(float)
    if place.nunique() > most:
        part = pd.qcut(place, most, duplicates="drop")
        place = place.groupby(part, observed=True).transform("mean")
    found = [{x: at, **mean(own, y=y, cluster=cluster, weight=weight)} for at, own in rows.groupby(place, sort=True)]
    out = pd.DataFrame(found, columns=[x, "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff"])
    if len(out):
        weights = rows.groupby(place, sort=True)[weight].sum().to_numpy(float) if weight else out["n"].to_numpy(float)
        out["rising"] = optimize.isotonic_regression(out["estimate"].to_numpy(float), weights=weights).x
    return out


def mean(rows: pd.DataFrame, *, y: str, cluster: str | None = None, weight: str | None = None) -> dict:
    """Return the mean of y with its 95 % interval: estimate, std_error, conf_low, conf_high, n, n_eff."""
    rows = rows[rows[y].notna()]
    values = rows[y].to_numpy(float)
    w = rows[weight].to_numpy(float) if weight else np.ones(len(values))
    blank = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan) | {"n": len(values), "n_eff": 0.0}
    if not len(values):
        return blank
    who = pd.factorize(rows[cluster])[0] if cluster else np.arange(len(values))
    sums, centre = np.bincount(who, w), float(w @ values / w.sum())
    n, found = len(sums), blank | {"estimate": centre, "n_eff": float(sums.sum() ** 2 / (sums**2).sum())}
    if n < 2:
        return found
    error = float(np.sqrt((np.bincount(who, w * (values - centre)) ** 2).sum() * n / (n - 1)) / w.sum())
    half = stats.t.ppf(0.975, n - 1) * error
    return found | {"std_error": error, "conf_low": centre - half, "conf_high": centre + half}


def slope(frame: pd.DataFrame, *, x: str, y: str, cluster: str | None = None, weight: str | None = None, held=()) -> dict:
    """Return how much y goes up with a unit of x, what is `held` (columns; words as categories) taken out: estimate, std_error, conf_low, conf_high, p, n, n_eff, note.

    Least squares with the error of customers as clusters (CR1) and Student's t over them. Source: Cameron & Miller (2015), JHR 50, 317-372.
    """
    rows = frame[list(dict.fromkeys(name for name in (x, y, cluster, weight, *held) if name))].dropna()
    blank = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high", "p"), np.nan) | {"n": len(rows), "n_eff": float(rows[cluster].nunique() if cluster else len(rows))}
    beside = [pd.get_dummies(rows[name].astype(str), drop_first=True).to_numpy(float) if rows[name].dtype.kind not in "fiub" else rows[[name]].to_numpy(float) for name in held]
    columns = np.hstack([np.ones((len(rows), 1)), rows[[x]].to_numpy(float), *beside])
    columns = columns[:, [0, *(k for k in range(1, columns.shape[1]) if k == 1 or np.ptp(columns[:, k]) > 0)]] if len(rows) else columns
    who = pd.factorize(rows[cluster])[0] if cluster else np.arange(len(rows))
    clusters = int(who.max(initial=-1)) + 1
    if clusters < columns.shape[1] + 10 or not np.ptp(columns[:, 1]) > 0 or not np.ptp(rows[y].to_numpy(float)) > 0:
        return blank | {"note": f"not estimable ({clusters:,} customers, or nothing varies)"}
    w = rows[weight].to_numpy(float) if weight else np.ones(len(rows))
    size = np.where(np.abs(columns).max(axis=0) > 0, np.abs(columns).max(axis=0), 1.0)
    columns = columns / size
    inverse = np.linalg.pinv((columns * w[:, None]).T @ columns, hermitian=True)
    coefficients = inverse @ (columns.T @ (w * rows[y].to_numpy(float)))
    error = rows[y].to_numpy(float) - columns @ coefficients
    pull = np.bincount(who, (columns @ inverse[1]) * w * error, clusters)
    deviation = float(np.sqrt((pull**2).sum() * clusters / (clusters - 1) * (len(rows) - 1) / max(len(rows) - columns.shape[1], 1)) / size[1])
    estimate, half = float(coefficients[1] / size[1]), stats.t.ppf(0.975, clusters - 1) * deviation
    return blank | {"estimate": estimate, "std_error": deviation, "conf_low": estimate - half, "conf_high": estimate + half, "p": float(2 * stats.t.sf(abs(estimate) / deviation, clusters - 1)) if deviation > 0 else np.nan, "note": ""}
