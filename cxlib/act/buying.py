"""Customers without a contract: how often they will buy again, by BG/NBD or MBG/NBD."""

import numpy as np
import pandas as pd
from scipy import linalg, optimize, special

from cxlib.errors import DataError

NAMES = ("r", "alpha", "a", "b")
Z = 1.959963984540054
WEEK = 7.0
NODES = 96


def histories(orders: pd.DataFrame, *, until, since=None, value="amount", days=WEEK) -> pd.DataFrame:
    """Return one row a customer: how many days they bought again on, when last, how long they have been watched, and what they spent.

    in: orders (person_id, ordered_on, `value`; negative rows are returns). out: person_id, first_on, x (days with a purchase after the first such
    day, not rows), recency (first to last of them), age (first to `until`), both in units of `days` (weeks), repeat (net value of everything after
    the first day, returns included), spend (`repeat` / x; NaN without a repeat), total, returned (value of the returns, at most 0).
    Only customers whose first purchase lies in [since, until] count: those who came earlier are seen from a later day than their first.
    Rows without a customer are left out and counted in `attrs["nobody"]`.
    """
    until = pd.Timestamp(until)
    own = orders[orders["ordered_on"] <= until]
    nobody, own = int(own["person_id"].isna().sum()), own[own["person_id"].notna()]
    if own[value].isna().any():
        raise DataError(f"orders: {int(own[value].isna().sum())} rows carry no {value}; without it nothing can be said of what customers are worth.")
    day = own["ordered_on"].dt.normalize()
    # money is added in cents, so that the order of the rows cannot change the last digit
    rows = pd.DataFrame({"person_id": own["person_id"], "day": day, "cents": (own[value].astype(float) * 100).round()})
    rows = rows.assign(bought=rows["cents"] >= 0, back=rows["cents"].clip(upper=0))
    first = rows[rows["bought"]].groupby("person_id")["day"].min().rename("first_on")
    if since is not None:
        first = first[first >= pd.Timestamp(since)]
    rows = rows.join(first, on="person_id", how="inner")
    later = rows[rows["day"] > rows["first_on"]]
    again = later[later["bought"]].groupby("person_id")["day"].agg(["nunique", "max"])
    out = first.to_frame().join(again)
    out["x"] = out["nunique"].fillna(0).astype(int)
    out["recency"] = (out["max"].fillna(out["first_on"]) - out["first_on"]).dt.days / days
    out["age"] = (until - out["first_on"]).dt.days / days
    out["repeat"] = later.groupby("person_id")["cents"].sum().reindex(out.index).fillna(0.0) / 100
    out["spend"] = (out["repeat"] / out["x"]).where(out["x"] > 0)
    out["total"] = rows.groupby("person_id")["cents"].sum() / 100
    out["returned"] = rows.groupby("person_id")["back"].sum() / 100
    out = out.reset_index()[["person_id", "first_on", "x", "recency", "age", "repeat", "spend", "total", "returned"]]
    out.attrs["nobody"] = nobody
    return out


def fit(frame: pd.DataFrame, *, model="bg", count=None) -> pd.DataFrame:
    """Fit BG/NBD ("bg") or MBG/NBD ("mbg": a customer may also stop after the very first purchase) by maximum likelihood.

    in: x, recency, age, one row a customer, or with `count` one row a pattern. out: parameter (r, alpha, a, b), estimate, std_error, conf_low, conf_high
    (from the Hessian on the log scale), n, log_likelihood, note; `attrs["covariance"]` is that of the logs. Buying: Poisson with gamma(r, alpha) rates;
    stopping after a purchase: with beta(a, b) probability. Units of alpha are those of recency and age.
    For customers without a contract only. Source: Fader, Hardie & Lee 2005 (Marketing Science 24:275), Batislam et al. 2007, the terms as in Fader & Hardie's note 27.
    """
    x, t, T, w, m = _columns(frame, model, count)
    n = float(w.sum())

    def cost(logs):
        value, slope = _likelihood(np.exp(logs), x, t, T, m, w)
        return -value / n, -slope.sum(axis=1) * np.exp(logs) / n

    found = None
    for start in ((1.0, T.mean(), 1.0, 2.0), (0.3, T.mean() / 8, 0.8, 2.5), (2.0, T.mean(), 0.3, 5.0)):
        one = optimize.minimize(cost, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-14, 14)] * 4, options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10})
        found = one if found is None or one.fun < found.fun - 1e-12 else found
    logs = found.x
    step = 1e-4
    hessian = np.array([(cost(logs + step * e)[1] - cost(logs - step * e)[1]) / (2 * step) for e in np.eye(4)]) * n
    hessian = (hessian + hessian.T) / 2
    sure = np.linalg.eigvalsh(hessian).min() > 1e-6 * n and (np.abs(logs) < 13.5).all()
    # a flat direction is left out of what the draws vary; its errors are not told
    covariance = np.linalg.inv(hessian) if sure else np.linalg.pinv(hessian, rcond=1e-5, hermitian=True)
    error, value = np.sqrt(np.diag(covariance)) if sure else np.full(4, np.nan), np.exp(logs)
    note = "" if sure else "not sure: the likelihood is flat in a parameter, so that intervals cannot be given"
    out = pd.DataFrame({"parameter": NAMES, "estimate": value, "std_error": value * error, "conf_low": value * np.exp(-Z * error), "conf_high": value * np.exp(Z * error), "n": int(n), "log_likelihood": -found.fun * n, "note": note})
    out.attrs |= {"covariance": covariance, "model": model}
    return out


def alive(frame: pd.DataFrame, parameters, *, model="bg") -> np.ndarray:
    """Return the probability that each customer (x, recency, age) still buys.

    Under BG/NBD it is 1 for x = 0 by construction, so it can never call a one-time buyer a churn risk; MBG/NBD can.
    """
    r, alpha, a, b = _given(parameters)
    x, t, T, _, m = _columns(frame, model, None)
    return _alive((r, alpha, a, b), x, t, T, m)


def purchases(frame: pd.DataFrame, parameters, *, ahead: float, model="bg", discount: float = 0.0, steps: int = 12) -> np.ndarray:
    """Return how many more purchases each customer (x, recency, age) is expected to make in the next `ahead` units of time.

    With `discount` (a unit of time, continuous is ln(1 + yearly)/units) each counts at its present value, in `steps` equal pieces.
    Exact in the rate (gamma), Gauss-Jacobi quadrature in the probability of stopping (beta), which has none of the poles of the formula with 2F1 (a = 1).
    """
    given = _given(parameters)
    x, t, T, _, m = _columns(frame, model, None)
    chance = _alive(given, x, t, T, m)
    if not discount:
        return chance * _coming(given, x, T, m, ahead)
    ends = np.linspace(0, ahead, steps + 1)[1:]
    made = np.array([_coming(given, x, T, m, end) for end in ends])
    gained = np.diff(made, axis=0, prepend=0)
    return chance * (np.exp(-discount * (ends - ahead / steps / 2)) @ gained)


def expected(times, parameters, *, model="bg") -> np.ndarray:
    """Return how many repeat purchases a new customer makes within each time after the first one (E[X(t)])."""
    given = _, _, a, b = _given(parameters)
    zero = np.zeros(1)
    first = b / (a + b) if model == "mbg" else 1.0
    return np.array([first * _coming(given, zero, zero, zero + (model == "mbg"), time)[0] for time in np.atleast_1d(times)])


def chances(counts, parameters, *, time: float) -> np.ndarray:
    """Return P(X(time) = x) of a new customer under BG/NBD for each count (Fader, Hardie & Lee 2005, equation 8)."""
    r, alpha, a, b = _given(parameters)
    x = np.atleast_1d(np.asarray(counts, float))
    log = special.gammaln
    bought = lambda k: np.exp(log(r + k) - log(r) - log(k + 1) + r * np.log(alpha / (alpha + time)) + k * np.log(time / (alpha + time)))
    stay = np.exp(special.betaln(a, b + x) - special.betaln(a, b)) * bought(x)
    below = np.array([1 - bought(np.arange(k)).sum() for k in x])
    return stay + np.where(x > 0, np.exp(special.betaln(a + 1, b + np.maximum(x, 1) - 1) - special.betaln(a, b)) * below, 0.0)


def drawn(frame: pd.DataFrame, fitted: pd.DataFrame, *, ahead: float, draws: int = 200, seed: int = 1, parameters_vary=True) -> np.ndarray:
    """Return draws of the number of purchases of each customer (rows) in the next `ahead`: who still buys, at which rate, until when, and the parameters' own error."""
    model, rng = fitted.attrs["model"], np.random.default_rng(seed)
    x, t, T, _, m = _columns(frame, model, None)
    logs = np.log(fitted["estimate"].to_numpy())
    sets = np.exp(rng.multivariate_normal(logs, fitted.attrs["covariance"], draws, check_valid="ignore") if parameters_vary else np.tile(logs, (draws, 1)))
    out = np.zeros((len(x), draws), dtype=np.int32)
    for place, (r, alpha, a, b) in enumerate(sets):
        there = rng.random(len(x)) < _alive((r, alpha, a, b), x, t, T, m)
        rate = rng.gamma(r + x) / (alpha + T)
        stop = np.clip(rng.beta(a, b + m), 1e-12, 1)
        out[:, place] = np.where(there, np.minimum(rng.poisson(rate * ahead), rng.geometric(stop)), 0)
    return out


def holdout(orders: pd.DataFrame, *, split, until, since=None, model="bg", draws: int = 200, seed: int = 1) -> pd.DataFrame:
    """Fit on what was known on `split` and compare the purchases forecast up to `until` with those that came.

    out, a row a number of repeat days before the split (0 to 6, "7+", "all"): bought, n, estimate (forecast of all of them together), conf_low, conf_high (95 % of the
    draws: parameters, customers and purchases), actual (days with a purchase), inside. Customers whose first purchase came after the split are not in it.
    """
    known = histories(orders[orders["ordered_on"] <= pd.Timestamp(split)], until=split, since=since, value="amount")
    fitted = fit(known, model=model)
    ahead = (pd.Timestamp(until) - pd.Timestamp(split)).days / WEEK
    forecast = purchases(known, fitted, ahead=ahead, model=model)
    made = drawn(known, fitted, ahead=ahead, draws=draws, seed=seed)
    later = orders[(orders["ordered_on"] > pd.Timestamp(split)) & (orders["ordered_on"] <= pd.Timestamp(until)) & (orders["amount"] >= 0)]
    came = later.assign(day=later["ordered_on"].dt.normalize()).groupby("person_id")["day"].nunique()
    actual = known["person_id"].map(came).fillna(0).to_numpy()
    group = np.where(known["x"] >= 7, "7+", known["x"].astype(str))
    rows = []
    for name in [*sorted(set(group)), "all"]:
        own = np.ones(len(known), bool) if name == "all" else group == name
        low, high = np.quantile(made[own].sum(axis=0), [0.025, 0.975])
        rows.append((name, int(own.sum()), forecast[own].sum(), low, high, actual[own].sum(), bool(low <= actual[own].sum() <= high)))
    return pd.DataFrame(rows, columns=["bought", "n", "estimate", "conf_low", "conf_high", "actual", "inside"])


def _columns(frame, model, count):
    if model not in ("bg", "mbg"):
        raise DataError(f"'{model}' is no model of buying; known: bg, mbg.")
    x, t, T = (frame[name].to_numpy(float) for name in ("x", "recency", "age"))
    wrong = (x < 0) | (t < 0) | (t > T) | ((x == 0) & (t > 0)) | ~np.isfinite(x + t + T)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise DataError(f"Row {place + 1} of the customers has x = {x[place]:g}, recency {t[place]:g} and age {T[place]:g}: recency lies between 0 and the age, and is 0 without a repeat.")
    if not len(x) or not (T > 0).any():
        raise DataError("No customer has been watched for any time; nothing can be said of how they buy.")
    w = np.ones(len(x)) if count is None else frame[count].to_numpy(float)
    return x, t, T, w, x + (model == "mbg")  # m: how often a customer did not stop


def _given(parameters):
    if isinstance(parameters, pd.DataFrame):
        return tuple(parameters["estimate"])
    return tuple(float(one) for one in parameters)


def _gone(given, x, t, T, m):
    """Return the odds of having stopped at the last purchase against still buying."""
    r, alpha, a, b = given
    with np.errstate(divide="ignore", over="ignore"):
        log = np.log(a) - np.log(b + np.maximum(m, 1) - 1) + (r + x) * (np.log(alpha + T) - np.log(alpha + t))
    return np.where(m > 0, log, -np.inf)


def _alive(given, x, t, T, m):
    return special.expit(-_gone(given, x, t, T, m))


def _likelihood(given, x, t, T, m, w):
    """Return the log-likelihood and its slopes by parameter and row."""
    r, alpha, a, b = given
    gone = _gone(given, x, t, T, m)
    live = special.expit(-gone)
    log, di = special.gammaln, special.digamma
    stay = log(r + x) - log(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T) + log(a + b) + log(b + m) - log(b) - log(a + b + m)
    value = (w * (stay + np.logaddexp(0, gone))).sum()
    near, far = np.log(alpha + t), np.log(alpha + T)
    slopes = np.array([
        di(r + x) - di(r) + np.log(alpha) - live * far - (1 - live) * near,
        r / alpha - (r + x) * (live / (alpha + T) + (1 - live) / (alpha + t)),
        di(a + b) - di(a + b + m) + (1 - live) / a,
        di(a + b) + di(b + m) - di(b) - di(a + b + m) - np.where(m > 0, (1 - live) / (b + np.maximum(m, 1) - 1), 0.0),
    ])  # fmt: skip
    return value, slopes * w


def _coming(given, x, T, m, ahead):
    """Return the purchases expected in the next `ahead` of somebody who still buys: E[(1 - exp(-rate p ahead)) / p] over rate and p."""
    r, alpha, a, b = given
    out = np.empty(len(x))
    for one in np.unique(m):
        own = m == one
        p, weights = _beta_nodes(a, b + one)
        share = np.log1p(np.outer(ahead / (alpha + T[own]), p))
        out[own] = (-np.expm1(-(r + x[own])[:, None] * share) / p) @ weights
    return out


def _beta_nodes(a, b):
    """Return nodes and weights of Gauss quadrature under a beta(a, b) density (Golub & Welsch 1969), which hold for any a and b: scipy's overflow where b is large."""
    alpha, beta, k = b - 1, a - 1, np.arange(1, NODES)
    both = alpha + beta
    middle = np.r_[(beta - alpha) / (both + 2), (beta - alpha) * both / ((2 * k + both) * (2 * k + both + 2))]
    first = 4 * (1 + alpha) * (1 + beta) / ((2 + both) ** 2 * (3 + both))
    k = k[1:]
    rest = 4 * k * (k + alpha) * (k + beta) * (k + both) / ((2 * k + both) ** 2 * (2 * k + both + 1) * (2 * k + both - 1))
    nodes, vectors = linalg.eigh_tridiagonal(middle, np.sqrt(np.r_[first, rest]))
    return np.clip((1 + nodes) / 2, 1e-300, 1), vectors[0] ** 2
