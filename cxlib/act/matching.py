"""Matching by weights: untreated customers weighted until they are like the treated, and a doubly robust estimate on them; refused where nobody is alike.

Sources: Hainmueller 2012 (Political Analysis 20:25) for entropy balancing; Zhao & Percival 2017 (Journal of Causal Inference 5(1)) for its double robustness; Austin 2009 (Statistics in Medicine 28:3083) for standardised differences.
"""

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from cxlib.errors import DataError

ALIKE = 0.1  # standardised difference up to which groups count as alike
FEWEST = 20  # effective controls below which there is no estimate


def weights(frame: pd.DataFrame, *, treated: str, covariates) -> np.ndarray | None:
    """Return a weight for every row: 1 for the treated, for the others the least uneven weights with which they have the covariate means of the treated, summing to the number of treated.

    Covariates that do not vary are ignored. None where no weights do that: the treated lie outside what the others span.
    """
    x, arm = _covariates(frame, treated, covariates)
    if not x.shape[1]:
        return np.where(arm, 1.0, arm.sum() / (~arm).sum())
    target, rest = x[arm].mean(axis=0), x[~arm]
    apart = rest - target

    def dual(beta):
        lines = apart @ beta
        total = special.logsumexp(lines)
        share = np.exp(lines - total)
        return total, share @ apart

    hessian = lambda beta: (lambda share: (apart * share[:, None]).T @ apart - np.outer(share @ apart, share @ apart))(special.softmax(apart @ beta))
    found = optimize.minimize(dual, np.zeros(x.shape[1]), jac=True, hess=hessian, method="trust-exact", options={"gtol": 1e-10, "maxiter": 400})
    share = special.softmax(apart @ found.x)
    if np.abs(share @ apart).max() > 1e-4:
        return None
    out = np.ones(len(arm))
    out[~arm] = share * arm.sum()
    return out


def effect(frame: pd.DataFrame, *, outcome: str, treated: str, covariates, squares: bool = True) -> pd.DataFrame:
    """Estimate what was different for the treated (ATT), doubly robust: right if either the weights or the regression of the outcome among the others is.

    in: a row a customer; `treated` true or false; `covariates` numeric or text (text as one column a value). `squares` also balances the squares of numeric covariates that vary enough, where that can be done.
    out, one row: estimate, std_error (influence function, the weights' moments taken out by regression), conf_low, conf_high, df, p, mean_treated, mean_control (of the others, weighted and adjusted), n_treated, n_control, n, n_eff (effective
    controls, Kish), overlap (True where there are enough of them and none decides), balance (largest standardised difference left), naive (difference without any adjustment), regression (by least squares alone), balanced (weights alone), note.
    Without overlap there is no estimate (NaN), and `note` says why. errors: DataError for missing values in outcome or covariates, or an arm without anybody.
    """
    x, arm = _covariates(frame, treated, covariates)
    y = frame[outcome].to_numpy(float)
    if np.isnan(y).any():
        raise DataError(f"{int(np.isnan(y).sum())} rows have no '{outcome}'; leave them out and say how many.")
    out = {"estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "df": np.nan, "p": np.nan, "mean_treated": y[arm].mean(), "mean_control": np.nan, "n_treated": int(arm.sum()), "n_control": int((~arm).sum()), "n": len(y)}
    full = np.column_stack([np.ones(len(x)), arm, x])
    out |= {"naive": y[arm].mean() - y[~arm].mean(), "regression": np.linalg.lstsq(full, y, rcond=None)[0][1], "balanced": np.nan, "n_eff": 0.0, "overlap": False, "balance": np.nan, "note": ""}
    wide = _squared(x) if squares else x
    held = _held(wide, arm)
    held, wide = (_held(x, arm), x) if held is None else (held, wide)
    if held is None:
        return pd.DataFrame([out | {"note": "not estimable (no mix of the others is like the treated: there is no overlap)"}])
    out["n_eff"] = float(held.sum() ** 2 / (held**2).sum())
    left = _differences(x, arm, held)
    out |= {"balance": float(np.abs(left).max(initial=0.0)), "balanced": y[arm].mean() - np.average(y[~arm], weights=held)}
    if out["n_eff"] < max(FEWEST, 2 * x.shape[1]):
        return pd.DataFrame([out | {"note": f"not estimable (the others who are like the treated are worth {out['n_eff']:.0f} customers; {max(FEWEST, 2 * x.shape[1])} are needed)"}])
    design = np.column_stack([np.ones(len(wide)), wide])
    share = held / held.sum()
    beta = _fit(design[~arm], y[~arm], share)
    rest = y - design @ beta
    estimate = rest[arm].mean() - share @ rest[~arm]
    n1 = int(arm.sum())
    # Influence: the treated by their own residual, the others by their weight's; leverage inflates residuals of the fit as HC3 does (HC2 covers .935 with few effective controls).
    lever = np.einsum("ij,ij->i", design[~arm] * share[:, None], np.linalg.lstsq((design[~arm] * share[:, None]).T @ design[~arm], design[~arm].T, rcond=None)[0].T)
    v1 = rest[arm].var(ddof=1) / n1
    v0 = float((share**2 * rest[~arm] ** 2 / np.clip(1 - lever, 0.05, 1.0) ** 2).sum())
    error, df = float(np.sqrt(v1 + v0)), (v1 + v0) ** 2 / (v1**2 / (n1 - 1) + v0**2 / max(out["n_eff"] - design.shape[1], 1.0))
    half = stats.t.ppf(0.975, df) * error
    out |= {"estimate": float(estimate), "std_error": error, "conf_low": estimate - half, "conf_high": estimate + half, "df": df, "p": float(2 * stats.t.sf(abs(estimate) / error, df)) if error > 0 else np.nan}
    out |= {"mean_control": out["mean_treated"] - float(estimate), "overlap": bool(share.max() <= 0.1)}
    if not x.shape[1]:
        out["note"] = "nothing the files tell of customers differs between them, so that nothing could be made alike"
    elif not out["overlap"]:
        out["note"] = f"one of the others carries {100 * share.max():.0f} % of the comparison"
    return pd.DataFrame([out])


def balance(frame: pd.DataFrame, *, treated: str, covariates) -> pd.DataFrame:
    """Say how alike treated and others are before and after weighting: covariate, mean_treated, mean_before, mean_after, before, after (standardised differences, in standard deviations of the treated)."""
    x, arm, names = *_covariates(frame, treated, covariates), _names(frame, covariates)
    wide = _squared(x)
    held = _held(wide, arm)
    held = _held(x, arm) if held is None else held
    even = np.ones(int((~arm).sum()))
    after = np.full(x.shape[1], np.nan) if held is None else _differences(x, arm, held)
    raw = _raw(frame, covariates)
    means = [raw[arm].mean(axis=0), raw[~arm].mean(axis=0), np.full(x.shape[1], np.nan) if held is None else np.average(raw[~arm], axis=0, weights=held)]
    return pd.DataFrame({"covariate": names, "mean_treated": means[0], "mean_before": means[1], "mean_after": means[2], "before": _differences(x, arm, even), "after": after})


def _raw(frame, covariates) -> np.ndarray:
    made = _dummies(frame, covariates).astype(float)
    if made.isna().any().any():
        name = made.columns[made.isna().any()][0]
        raise DataError(f"{int(made[name].isna().sum())} rows have no '{name}'; leave them out, or give a value that says it is missing.")
    return made.loc[:, made.nunique() > 1].to_numpy()


def _dummies(frame, covariates) -> pd.DataFrame:
    chosen = frame[list(covariates)]
    return pd.get_dummies(chosen, drop_first=True, dtype=float) if chosen.shape[1] else chosen


def _names(frame, covariates) -> list[str]:
    made = _dummies(frame, covariates)
    return [str(name) for name in made.loc[:, made.nunique() > 1]]


def _covariates(frame, treated, covariates):
    arm = frame[treated].astype(bool).to_numpy()
    if not arm.any() or arm.all():
        raise DataError(f"Column '{treated}' says that {'nobody' if not arm.any() else 'everybody'} was treated; a comparison needs both.")
    raw = _raw(frame, covariates)
    spread = raw.std(axis=0)
    return (raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1.0), arm


def _squared(x):
    """Return covariates with the squares of those that take more than two values."""
    many = [k for k in range(x.shape[1]) if len(np.unique(x[:, k])) > 2]
    squares = x[:, many] ** 2
    return np.column_stack([x, (squares - squares.mean(axis=0)) / np.where(squares.std(axis=0) > 0, squares.std(axis=0), 1.0)]) if many else x


def _held(x, arm):
    names = [f"x{k}" for k in range(x.shape[1])]
    found = weights(pd.DataFrame(x, columns=names).assign(arm=arm), treated="arm", covariates=names)
    return None if found is None else found[~arm]


def _differences(x, arm, held):
    spread = x[arm].std(axis=0, ddof=1)  # where all the treated are one, rounding leaves a hair: then the unit is the standard deviation of all
    return (x[arm].mean(axis=0) - np.average(x[~arm], axis=0, weights=held)) / np.where(spread > 1e-9, spread, 1.0)


def _fit(design, y, share):
    root = np.sqrt(share)
    return np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
