"""Both arms of a lot at the same past: what each would have come to if its customers had brought before what all did, and how sure that is.

Customers differ in what they bring anyway, and most of that is known from before the lot was drawn. A regression within each arm takes it out (Lin 2013, Annals of Applied Statistics 7:295, section 4: the regression with all interactions
is consistent without any model being true, and asymptotically never less precise than the plain difference). Where nothing is known before, the same arithmetic gives the two means.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

FEWEST = 20  # customers an arm from which a slope is fitted to it


class Arm(NamedTuple):
    """One arm: its mean at the common past, the HC2 variance of that, what each customer adds to it (its error), the sum of squared weights, the squared residuals, its degrees of freedom, and its slope on the past."""

    mean: float
    variance: float
    pull: np.ndarray
    weight: float
    rest: float
    df: int
    slope: float


def possible(values: pd.Series, past: pd.Series, arms) -> bool:
    """Return whether both arms can be set at the same past: it is known of every customer observed, varies in each arm, and each arm has twenty customers or more. `arms`: a mask of rows an arm."""
    return all(own.sum() >= FEWEST and past[own].notna().all() and past[own].nunique() > 1 for own in (mask & values.notna() for mask in arms))


def arm(values: np.ndarray, past: np.ndarray | None = None, *, at: float = 0.0) -> Arm:
    """Return the mean of an arm where its `past` is `at`, by least squares on it; without a past its plain mean. HC2: each residual squared over one less its leverage."""
    n = len(values)
    if past is None:
        weight, lever, rest, slope, df = np.full(n, 1 / n), np.full(n, 1 / n), values - values.mean(), 0.0, n - 1
        mean = float(values.mean())
    else:
        apart = past - past.mean()
        square = float(apart @ apart)
        slope = float(apart @ (values - values.mean())) / square
        mean, rest, df = float(values.mean() + slope * (at - past.mean())), values - values.mean() - slope * apart, n - 2
        weight, lever = 1 / n + (at - past.mean()) * apart / square, 1 / n + apart**2 / square
    pull = weight * rest
    variance = float((pull**2 / np.maximum(1 - lever, 1e-9)).sum()) if n > 1 else np.nan  # who decides the slope alone has no residual
    return Arm(mean, variance, pull, float((weight**2).sum()), float((rest**2).sum()), df, slope)


def both(values: list[np.ndarray], past: list[np.ndarray] | None = None) -> tuple[Arm, Arm]:
    """Return two arms at the mean past of all (`past`: of each arm; None: plain means)."""
    if past is None:
        return arm(values[0]), arm(values[1])
    at = float(np.concatenate(past).mean())
    return arm(values[0], past[0], at=at), arm(values[1], past[1], at=at)


def errors(first: Arm, second: Arm, past: list[np.ndarray] | None = None) -> dict:
    """Return how sure the difference of two arms is: std_error and df to go by, hc2 (each arm's own spread; for plain means Neyman's and Welch's) and common (one spread for both, the classical one).

    The larger of the two counts. A small arm of skewed amounts mostly lacks the few large ones, and then its mean and its spread are too low together: with a tenth held back of 200 customers whose spend is log-normal (s.d. 1 of
    its logarithm) intervals by HC2 alone held the truth 90 times in 100 and found an effect where there was none four times as often as they say (tests/act/test_adjustment.py). Arms of one size have one error both ways. Slopes that differ
    add how uncertain the common past is: customers of next year have another.
    """
    own, free = first.variance + second.variance, first.df + second.df
    common = (first.rest + second.rest) / free * (first.weight + second.weight) if free > 0 else np.nan
    extra = 0.0
    if past is not None:
        everybody = np.concatenate(past)
        extra = (first.slope - second.slope) ** 2 * float(everybody.var(ddof=1)) / len(everybody)
    welch = own**2 / (first.variance**2 / first.df + second.variance**2 / second.df) if min(first.df, second.df) > 0 and own > 0 else np.nan
    return {"std_error": float(np.sqrt(max(own, common) + extra)), "df": float(free if common > own * (1 + 1e-12) else welch), "hc2": float(np.sqrt(own + extra)), "common": float(np.sqrt(common + extra))}


def influence(people: pd.DataFrame) -> pd.Series:
    """Return what each customer adds to the error of the effect of a lot, by the row's label: the residual at the common past times its weight, its sign by the arm. in: rows with arm (treated, control; of a list the treated alone), outcome, and before where it is known."""
    masks = [people["arm"] == name for name in ("treated", "control")]
    values, seen = people["outcome"].astype(float), [mask & people["outcome"].notna() for mask in masks]
    past = [people.loc[own, "before"].to_numpy(float) for own in seen] if "before" in people and possible(values, people["before"], masks) else None
    at = float(np.concatenate(past).mean()) if past else 0.0
    parts = [sign * pd.Series(arm(values[own].to_numpy(), past[place] if past else None, at=at).pull, index=people.index[own]) for place, (sign, own) in enumerate(zip((1.0, -1.0), seen)) if own.any()]
    return pd.concat(parts) if parts else pd.Series(dtype=float)
