"""What an action is worth: value, return, payback and the chance that it pays, with everything that is uncertain drawn at once."""

import numpy as np
import pandas as pd
from scipy import special, stats

from cxlib.errors import DataError

YEAR = 365.25


def roi(*, effect, effect_se, customers, cost, margin_rate=1.0, window_days, horizon_days=None, discount=0.0, draws=65536, seed=1):
    """Say what an action returns: ROI = (value - investment) / investment, from margin.

    effect: per customer assigned, over `window_days`, in money (revenue, or margin with margin_rate 1), with its standard error; customers: to whom
    it applies; cost: the whole investment, spent on day 0; margin_rate: margin per unit of revenue. cost and margin_rate are numbers, or (mean, sd) of a
    lognormal. discount: a year, .08 = 8 %. The value comes evenly over the window; a `horizon_days` beyond it assumes that the effect goes on.
    out: measure (value, investment, net, roi, payback_days, p_pays, break_even_effect), estimate, std_error, conf_low, conf_high, unit (money|ratio|
    days|probability|money per customer), draws, note. Value, investment and net are present values. value, investment, net, roi: mean of the draws and
    2.5-97.5 % of them; payback: median, counting draws that do not pay back within the horizon as later than any day (NaN there, said in the note).
    p_pays is the share of draws with value above investment: of what is uncertain here, not of whether the model is right.
    Draws are a scrambled Sobol sequence (a power of two), so that the same seed gives the same numbers.
    errors: DataError for a cost or a number of customers that is not above zero, a negative standard error, a discount of -100 % or less.
    """
    inputs = _inputs(effect, effect_se, customers, cost, margin_rate, window_days, horizon_days, discount)
    if draws < 2 or draws & (draws - 1):
        raise DataError(f"draws = {draws} is not a power of two; take {2 ** max(int(np.log2(max(draws, 2))), 1)}.")
    u = np.clip(stats.qmc.Sobol(3, scramble=True, rng=seed).random(draws), 2.0**-40, 1 - 2.0**-40)
    money = _money(inputs, *(_quantile(inputs[name], u[:, k]) for k, name in enumerate(("effect", "cost", "margin_rate"))))
    rows = []
    for measure, unit in (("value", "money"), ("investment", "money"), ("net", "money"), ("roi", "ratio"), ("payback_days", "days"), ("break_even_effect", "money per customer")):
        drawn, note = money[measure], ""
        if measure == "payback_days":
            low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975], method="inverted_cdf")
            late = np.isinf(drawn).mean()
            note = f"not paid back within {inputs['horizon_days']:g} days in {late:.0%} of the draws" if late else ""
            row = [value if np.isfinite(value) else np.nan for value in (middle, np.nan, low, high)]
        else:
            low, high = np.quantile(drawn, [0.025, 0.975])
            row = [drawn.mean(), drawn.std(), low, high]
        rows.append((measure, *row, unit, draws, note))
    rows.insert(5, ("p_pays", float((money["net"] > 0).mean()), np.nan, np.nan, np.nan, "probability", draws, ""))
    return pd.DataFrame(rows, columns=["measure", "estimate", "std_error", "conf_low", "conf_high", "unit", "draws", "note"])


def tornado(*, effect, effect_se, customers, cost, margin_rate=1.0, window_days, horizon_days=None, discount=0.0):
    """Say which uncertainty moves the result most: each input at its 2.5 and 97.5 % point, the others at their mean.

    out, largest swing first: input, low, high (of the input), net_low, net_high, roi_low, roi_high (at those), roi, net (at the means), swing (of net).
    Inputs given without uncertainty are left out.
    """
    inputs = _inputs(effect, effect_se, customers, cost, margin_rate, window_days, horizon_days, discount)
    names = ("effect", "cost", "margin_rate")
    centre = {name: inputs[name][0] for name in names}
    at = lambda **moved: _money(inputs, **{name: np.array([float(moved.get(name, centre[name]))]) for name in names})
    base, rows = at(), []
    for name in names:
        if inputs[name][1] > 0:
            low, high = (float(_quantile(inputs[name], np.array([q]))[0]) for q in (0.025, 0.975))
            one, two = at(**{name: low}), at(**{name: high})
            rows.append((name, low, high, one["net"][0], two["net"][0], one["roi"][0], two["roi"][0], base["roi"][0], base["net"][0], abs(two["net"][0] - one["net"][0])))
    out = pd.DataFrame(rows, columns=["input", "low", "high", "net_low", "net_high", "roi_low", "roi_high", "roi", "net", "swing"])
    return out.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def _inputs(effect, effect_se, customers, cost, margin_rate, window_days, horizon_days, discount):
    pair = lambda value, shape: (*(map(float, value) if np.ndim(value) else (float(value), 0.0)), shape)
    out = {"effect": (float(effect), float(effect_se), "normal"), "cost": pair(cost, "lognormal"), "margin_rate": pair(margin_rate, "lognormal")}
    out |= {"customers": float(customers), "window_days": float(window_days), "horizon_days": float(horizon_days or window_days), "discount": float(discount)}
    checks = (
        (np.isfinite(out["effect"][0]), f"the effect is {effect}: without an estimate there is no return to compute"),
        (out["effect"][1] >= 0, f"the effect's standard error is {effect_se}; it must be a number of at least 0"),
        (out["cost"][0] > 0, f"the cost is {cost}; a return on nothing is not defined"),
        (out["margin_rate"][0] > 0, f"the margin rate is {margin_rate}; it must be above 0"),
        (min(out["cost"][1], out["margin_rate"][1]) >= 0, "a standard deviation is negative"),
        (out["customers"] > 0, f"the number of customers is {customers}; it must be above 0"),
        (out["window_days"] > 0 and out["horizon_days"] > 0, "the window and the horizon must be above 0 days"),
        (out["discount"] > -1, f"the discount is {discount} a year; it must be above -1"),
    )
    for passed, text in checks:
        if not passed:
            raise DataError(f"No return can be computed: {text}.")
    return out


def _quantile(given, u):
    """Return quantiles of an input: normal, or lognormal with this mean and standard deviation."""
    mean, sd, shape = given
    if sd == 0:
        return np.full(len(u), mean)
    if shape == "normal":
        return mean + sd * special.ndtri(u)
    spread = np.log1p((sd / mean) ** 2)
    return mean * np.exp(np.sqrt(spread) * special.ndtri(u) - spread / 2)


def _money(inputs, effect, cost, margin_rate):
    """Return the present values and what follows from them."""
    force = np.log1p(inputs["discount"]) / YEAR
    horizon = inputs["horizon_days"]
    annuity = horizon if force == 0 else -np.expm1(-force * horizon) / force  # a unit a day from day 0 to the horizon, at its present value
    reach = inputs["customers"] * margin_rate / inputs["window_days"]
    value = effect * reach * annuity
    with np.errstate(divide="ignore", invalid="ignore"):
        days = cost / (effect * reach)
        days = days if force == 0 else -np.log1p(-force * days) / force
    days = np.where((value >= cost) & np.isfinite(days), days, np.inf)
    return {"value": value, "investment": cost, "net": value - cost, "roi": (value - cost) / cost, "payback_days": days, "break_even_effect": cost / (reach * annuity)}
