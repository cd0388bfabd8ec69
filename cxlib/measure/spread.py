"""How far units really lie apart, beyond what the number of their answers lets them scatter: the variance between units, and each unit drawn towards it.

A unit's estimate is y_i = t_i + e_i with known sampling variance v_i, and t_i = mean + u_i, u_i ~ N(0, tau2). Sources: DerSimonian & Laird (1986), Controlled
Clinical Trials 7; Paule & Mandel (1982), J. Res. NBS 87; Viechtbauer (2005), JEBS 30 (REML), and (2007), Statistics in Medicine 26 (interval by Q-profile).
"""

import numpy as np
import pandas as pd
from scipy import optimize, stats

GRID = 120  # values of tau that are weighed
LEAST = 3  # units from which their spread can be told
METHODS = ("reml", "pm", "dl")


def between(estimate, variance, *, method: str = "reml") -> dict:
    """Return the variance between units and what goes with it.

    in: estimates and their known sampling variances (> 0), one a unit; at least two. `method`: reml, pm (Paule-Mandel) or dl (DerSimonian-Laird).
    out: units, mean, std_error (of the mean), tau2, tau2_low, tau2_high (95 %, Q-profile), q (Cochran's), p (that all units are alike: chi-squared on
    units - 1), i2 (part of the scatter that is no sampling error). In the unit of the estimates, squared where it is a variance.
    """
    y, v = np.asarray(estimate, dtype=float), np.asarray(variance, dtype=float)
    if method not in METHODS:
        raise ValueError(f"'{method}' is no method; there are {', '.join(METHODS)}.")
    if len(y) < 2 or not (np.isfinite(y).all() and (v > 0).all()):
        raise ValueError("The spread of units needs two estimates at least, each with a variance above zero.")
    q, df = _q(0.0, y, v), len(y) - 1
    w = 1 / v
    tau2 = max((q - df) / (w.sum() - (w**2).sum() / w.sum()), 0.0)
    if method == "pm":
        tau2 = _solve(y, v, df)
    elif method == "reml":
        tau2 = _reml(y, v, tau2)
    low, high = (_solve(y, v, stats.chi2.ppf(level, df)) for level in (0.975, 0.025))
    w = 1 / (v + tau2)
    typical = df * (1 / v).sum() / ((1 / v).sum() ** 2 - (1 / v**2).sum())
    return {"units": len(y), "mean": float(w @ y / w.sum()), "std_error": float(w.sum() ** -0.5), "tau2": float(tau2), "tau2_low": low, "tau2_high": high, "q": float(q), "p": float(stats.chi2.sf(q, df)), "i2": float(tau2 / (tau2 + typical))}


def shrunk(estimate, variance) -> pd.DataFrame:
    """Return each unit drawn towards the mean of all, by as much as its own answers leave open.

    in: as `between`, at least three units. out, a row a unit in order: shrunk (posterior mean), conf_low, conf_high (95 %), shrinkage (weight of
    the mean of all, 0..1), p_above (probability that the unit lies above the mean of units). The standard deviation between units is not known: a grid of
    values is weighed by its likelihood with a flat prior (Gelman et al. 2013, Bayesian Data Analysis, 5.4), so the interval carries that.
    """
    y, v = np.asarray(estimate, dtype=float), np.asarray(variance, dtype=float)
    if len(y) < LEAST:
        raise ValueError(f"Units can be drawn together from {LEAST} on; there are {len(y)}.")
    # Beyond ten standard deviations of the estimates the likelihood is nothing, and the flat prior ends.
    top = 10 * max(np.std(y, ddof=1), np.sqrt(np.median(v)))
    tau2 = (top * (np.arange(GRID) / (GRID - 1)) ** 2)[:, None] ** 2
    w = 1 / (v + tau2)
    total = w.sum(axis=1)
    mean = (w @ y) / total
    log = -0.5 * np.log(total) + 0.5 * np.log(w).sum(axis=1) - 0.5 * (w * (y - mean[:, None]) ** 2).sum(axis=1)
    share = np.exp(log - log.max()) * np.gradient(np.sqrt(tau2[:, 0]))
    share = (share / share.sum())[:, None]
    b = v * w  # weight of the mean of all
    middle = b * mean[:, None] + (1 - b) * y
    var = (1 - b) * v + b**2 / total[:, None]
    apart, apart_var = (1 - b) * (y - mean[:, None]), (1 - b) * v + (1 - b) ** 2 / total[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(apart_var > 0, stats.norm.cdf(apart / np.sqrt(apart_var)), 0.5)
    found = (share * middle).sum(axis=0)
    low, high = _quantiles(middle, np.sqrt(var), share[:, 0])
    return pd.DataFrame({"shrunk": found, "conf_low": low, "conf_high": high, "shrinkage": (share * b).sum(axis=0), "p_above": (share * above).sum(axis=0)})


def dispersion(z, *, winsor: float = 0.1) -> dict:
    """Say whether units scatter more about the centre than sampling explains.

    in: standardised distances z = (estimate - centre) / standard error. out: phi (mean square after the outermost tenth at each end was drawn in to it), dispersed
    (phi above 1 by more than two of its standard errors, sqrt(2/units)), units. Limits are widened only where that is so. Source:
    Spiegelhalter (2005), Quality and Safety in Health Care 14, and Statistics in Medicine 24:1185 (A.2; winsorised estimate).
    """
    z = np.sort(np.asarray(z, dtype=float))
    z = z[np.isfinite(z)]
    if not len(z):
        return {"units": 0, "phi": 1.0, "dispersed": False}
    cut = int(np.floor(winsor * len(z)))
    drawn = np.clip(z, z[cut], z[len(z) - 1 - cut])
    phi = float((drawn**2).mean())
    return {"units": len(z), "phi": phi, "dispersed": bool(phi > 1 + 2 * np.sqrt(2 / len(z)))}


def limits(n, *, centre: float, spread: float, unit: str, level: float, extra: float = 0.0, bounds=(-np.inf, np.inf)) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of a funnel at bases `n`: between them lies a unit at the centre with probability `level` (0.95, 0.998).

    `spread` is the variance of one answer, `extra` the variance between units that is let through (additive overdispersion; then limits are normal). For a
    share without it they are exact: binomial quantiles, interpolated (Spiegelhalter 2005, A.1.1). Clipped to `bounds`.
    """
    n, tail = np.asarray(n, dtype=float), (1 - level) / 2
    if unit == "share" and extra == 0 and 0 < centre < 1:
        ends = []
        for p in (tail, 1 - tail):
            size = np.maximum(np.round(n), 1)
            r = stats.binom.ppf(p, size, centre)
            at, before = stats.binom.cdf(r, size, centre), stats.binom.cdf(r - 1, size, centre)
            ends.append((r - (at - p) / np.maximum(at - before, 1e-300)) / size)
        low, high = ends
    else:
        half = stats.norm.ppf(1 - tail) * np.sqrt(spread / n + extra)
        low, high = centre - half, centre + half
    return np.clip(low, *bounds), np.clip(high, *bounds)


def _q(tau2: float, y, v) -> float:
    w = 1 / (v + tau2)
    return float((w * (y - w @ y / w.sum()) ** 2).sum())


def _solve(y, v, target: float) -> float:
    """The tau2 at which the generalised Q meets a value; 0 where it is below it already."""
    if _q(0.0, y, v) <= target:
        return 0.0
    top = max(float(np.var(y)), float(v.max())) + 1e-12
    while _q(top, y, v) > target:
        top *= 4
    return float(optimize.brentq(lambda tau2: _q(tau2, y, v) - target, 0.0, top, xtol=1e-12 * top))


def _reml(y, v, start: float) -> float:
    """Fisher scoring on the restricted likelihood, from the moment estimate; never below zero."""
    tau2 = start
    for _ in range(200):
        w = 1 / (v + tau2)
        total, squares = w.sum(), (w**2).sum()
        mean = w @ y / total
        information = squares - 2 * (w**3).sum() / total + (squares / total) ** 2
        step = ((w**2 * (y - mean) ** 2).sum() - total + squares / total) / information
        new = max(tau2 + step, 0.0)
        if abs(new - tau2) <= 1e-12 * (1e-12 + abs(tau2)) or new == tau2:
            return new
        tau2 = new
    return tau2


def _quantiles(middle, sd, share):
    """The 2.5 % and 97.5 % points of each unit's mixture of normals, by bisection over all units at once."""
    ends = []
    for p in (0.025, 0.975):
        low, high = (middle - 8 * sd).min(axis=0), (middle + 8 * sd).max(axis=0)
        for _ in range(45):
            half = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                below = share @ np.where(sd > 0, stats.norm.cdf((half - middle) / np.where(sd > 0, sd, 1)), (half >= middle).astype(float))
            low, high = np.where(below < p, half, low), np.where(below < p, high, half)
        ends.append((low + high) / 2)
    return ends
