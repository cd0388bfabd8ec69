"""What an action is worth: value, return, payback and the chance that it pays, with everything that is uncertain drawn at once.

An account is a frame of inputs, a row each: input (its name), role, estimate, std_error, shape, and where it is shared by several actions `key`.
role: "effect" (what one customer brings), "factor" (multiplies it: how many, margin, lifetime), "forgone" (margin given away meanwhile, taken off the value), "people" and "money" (what was
spent), "reserve" (share of both that may come on top). shape: normal, t (with `df`), lognormal, uniform or fixed; all are given by their mean and standard deviation.
A course is a frame of present values, a row a month: month (from 0), observed and later (shares of the value inside the time observed and beyond it), people, money (shares of the cost).
"""

import numpy as np
import pandas as pd
from scipy import special, stats

from cxlib.errors import DataError

YEAR, MONTH = 365.25, 365.25 / 12
ROLES = ("effect", "factor", "forgone", "people", "money", "reserve")
SHAPES = ("normal", "t", "lognormal", "uniform", "fixed")
UNITS = {"value": "money", "later": "money", "investment": "money", "net": "money", "roi": "ratio", "payback_months": "months", "p_pays": "probability", "break_even_effect": "effect", "net_later": "money"}


def course(*, days: int, starts=(0,), horizon: int | None = None, half_life: float | None = None, money=(0,), weights=None, people: int = 0, discount: float = 0.0, profile=None, after: int = 0) -> pd.DataFrame:
    """Return when value and cost fall, as present values on the action's first day.

    days: the time after each start over which the effect was observed; its value comes evenly over them. starts: day of the action on which each customer came in.
    horizon, half_life: days for which the plan declares the effect to go on, and in how many it halves there (constant without one); that part is `later`.
    money, weights: days on which money was spent, and how much each time (alike without); people: days over which work was spread; discount: a year.
    profile, after: instead of evenly, the value comes by month in these shares, from `after` days on (the remaining life of a customer kept).
    out: month, observed, later, people, money; without discount observed, people and money add up to 1.
    """
    force = np.log1p(discount) / YEAR
    starts, counts = np.unique(np.asarray(starts, int), return_counts=True)
    offsets, density, seen = _density(days, horizon, half_life, profile, after)
    day = (starts[:, None] + offsets).ravel()
    size = (counts[:, None] / counts.sum() * density).ravel() * np.exp(-force * day)
    inside = np.tile(seen, len(starts))
    spent, paid = np.asarray(money, int), np.ones(len(money)) if weights is None else np.asarray(weights, float)
    paid = paid / paid.sum() if paid.sum() else np.full(len(paid), 1 / len(paid))
    work = np.arange(max(people, 1)) + 0.5
    months = int(max(day.max(), spent.max(), work.max()) // MONTH) + 1
    put = lambda at, w: np.bincount((np.maximum(at, 0) // MONTH).astype(int), weights=w, minlength=months)
    return pd.DataFrame({"month": range(months), "observed": put(day, size * inside), "later": put(day, size * ~inside), "people": put(work, np.exp(-force * work) / len(work)), "money": put(spent, paid * np.exp(-force * spent))})


def _density(days, horizon, half_life, profile, after):
    """Return the days after a start at which value comes, how much of the observed total, and whether that was observed."""
    if profile is not None:
        return after + (np.arange(len(profile)) + 0.5) * MONTH, np.asarray(profile, float), np.ones(len(profile), bool)
    if days <= 0 or (horizon or days) < days:
        raise DataError(f"The effect was observed over {days} days and is counted for {horizon}; the first must be above 0, and the second no less.")
    offsets = np.arange(horizon or days) + 0.5
    fade = np.ones(len(offsets)) if half_life is None else 0.5 ** (np.maximum(offsets - days, 0) / half_life)
    return offsets, fade / days, offsets < days


def roi(inputs: pd.DataFrame, flow: pd.DataFrame, *, draws: int = 65536, seed: int = 1) -> pd.DataFrame:
    """Say what an action returns: ROI = (value - investment) / investment, in present values, from its account and its course.

    out: measure (value: inside the time observed; investment; net; roi; payback_months; p_pays; break_even_effect; where the plan declares more also later: value beyond that
    time, and net_later: net with it), estimate, std_error, conf_low, conf_high, unit (money|ratio|months|probability|effect), draws, note. Estimates are the means of the draws, roi that of
    net over that of investment, so that the table adds up; limits are their 2.5 and 97.5 % points. Payback: median, by what was observed; draws that never pay back count as later than any month.
    p_pays: share of draws above zero, half a draw taken from either end, because no number of draws proves certainty; it is of what is uncertain here, not of whether the model is right.
    errors: DataError where a cost is not above zero, an input is missing or not a number, or draws is no power of two.
    """
    money = amounts(inputs, flow, draw(inputs, draws=draws, seed=seed))
    rows = [(measure, *summary(money[measure]), "") for measure in ("value", "investment", "net")]
    mean = {row[0]: row[1] for row in rows}
    ratio = money["net"] / money["investment"]
    rows.append(("roi", mean["net"] / mean["investment"], *summary(ratio)[1:], ""))
    rows.append(("payback_months", *_payback(money, flow)))
    rows.append(("p_pays", chance(money["net"]), np.nan, np.nan, np.nan, ""))
    needed = money["investment"] + money["forgone"]
    even = needed / np.where(money["each"] == 0, np.nan, money["each"])
    rows.append(("break_even_effect", np.mean(needed) / np.mean(money["each"]) if np.mean(money["each"]) else np.nan, *summary(even)[1:], ""))
    if flow["later"].any():
        rows += [("later", *summary(money["later"]), "declared in the plan, not observed"), ("net_later", *summary(money["net"] + money["later"]), "with what the plan declares")]
    out = pd.DataFrame(rows, columns=["measure", "estimate", "std_error", "conf_low", "conf_high", "note"])
    return out.assign(unit=out["measure"].map(UNITS), draws=draws)[["measure", "estimate", "std_error", "conf_low", "conf_high", "unit", "draws", "note"]]


def summary(drawn) -> tuple:
    """Return mean, standard deviation, 2.5 and 97.5 % point of draws."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(drawn.mean()), float(drawn.std()), float(low), float(high)


def chance(drawn) -> float:
    """Return the share of draws above zero, never 0 or 1."""
    return float(((drawn > 0).sum() + 0.5) / (len(drawn) + 1))


def tornado(inputs: pd.DataFrame, flow: pd.DataFrame) -> pd.DataFrame:
    """Say which uncertainty moves the net most: each input at its 2.5 and 97.5 % point, the others at their mean.

    out, largest swing first: input, low, high (of the input), net_low, net_high, roi_low, roi_high (at those), roi, net (at the means), swing (of net). Inputs without
    uncertainty are left out; of those that share a key the first names it, and they move together.
    """
    inputs = checked(inputs)
    centre = inputs["estimate"].to_numpy(float)[None, :]
    at = lambda row: {name: float(one[0]) for name, one in amounts(inputs, flow, row).items()}
    base, rows = at(centre), []
    for _, own in inputs[(inputs["std_error"] > 0) & (inputs["shape"] != "fixed")].groupby("key", sort=False):
        ends = []
        for u in (0.025, 0.975):
            row = centre.copy()
            for place, one in own.iterrows():
                row[0, place] = _quantile(one, np.array([u]))[0]
            ends.append((row[0, own.index[0]], at(row)))
        (low, one), (high, two) = ends
        rows.append((own["input"].iloc[0], low, high, one["net"], two["net"], one["net"] / one["investment"], two["net"] / two["investment"], base["net"] / base["investment"], base["net"], abs(two["net"] - one["net"])))
    out = pd.DataFrame(rows, columns=["input", "low", "high", "net_low", "net_high", "roi_low", "roi_high", "roi", "net", "swing"])
    return out.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def payback(inputs: pd.DataFrame, flow: pd.DataFrame, *, draws: int = 65536, seed: int = 1) -> pd.DataFrame:
    """Return what has come back less what was spent by the end of each month: month, estimate (mean), conf_low, conf_high, declared.

    declared 0: by what was observed, to the last month in which it was; 1: with what the plan declares to come on top, from the month before the first that has some.
    """
    money = amounts(inputs, flow, draw(inputs, draws=draws, seed=seed))
    last, rows = flow.loc[flow["observed"] > 0, "month"].max(), []
    for declared in (0, 1) if flow["later"].any() else (0,):
        begins = flow.loc[flow["later"] > 0, "month"].min() - 1 if declared else 0
        for place, net in _months(money, flow, with_later=bool(declared)):
            month = int(flow["month"].iloc[place])
            if begins <= month and (declared or month <= last):
                mean, _, low, high = summary(net)
                rows.append((month, mean, low, high, declared))
    out = pd.DataFrame(rows, columns=["month", "estimate", "conf_low", "conf_high", "declared"])
    return out.sort_values(["declared", "month"], ignore_index=True)


def checked(inputs: pd.DataFrame) -> pd.DataFrame:
    """Return an account with its keys, or raise DataError naming the input that keeps a return from being computed."""
    out = inputs.reset_index(drop=True)
    # an input without a key of its own is its own
    keys = out["key"].fillna("").astype(str) if "key" in out else pd.Series("", index=out.index)
    out["key"] = keys.where(keys != "", [f"{name}#{place}" for place, name in enumerate(out["input"])])
    out["df"] = out["df"].astype(float) if "df" in out else np.nan
    for row in out.to_dict("records"):
        said = f"No return can be computed: {row['input']} is {row['estimate']}"
        if row["role"] not in ROLES or row["shape"] not in SHAPES:
            raise DataError(f"'{row['input']}' has the role '{row['role']}' and the shape '{row['shape']}'; known: {', '.join(ROLES)}; {', '.join(SHAPES)}.")
        if not np.isfinite(row["estimate"]):
            raise DataError(f"{said}; without a number for it there is nothing to compute.")
        if not row["std_error"] >= 0:
            raise DataError(f"{said} with a standard error of {row['std_error']}; it must be a number of at least 0.")
        if row["shape"] == "lognormal" and not row["estimate"] > 0:
            raise DataError(f"{said}; it must be above 0.")
    if list(out["role"]).count("effect") != 1:
        raise DataError("No return can be computed: an account has one effect.")
    spent = out.loc[out["role"].isin(["people", "money"]), "estimate"].sum()
    if not spent > 0:
        raise DataError(f"No return can be computed: the cost is {spent:g}, and a return on nothing is not defined.")
    return out


def draw(inputs: pd.DataFrame, *, draws: int = 65536, seed: int = 1, correlation: np.ndarray | None = None) -> np.ndarray:
    """Return draws of every input (columns, in the order of the rows), a scrambled Sobol sequence over the distinct keys: the same seed gives the same numbers.

    `correlation` of the effects (in the order of their rows) joins those that rest on the same customers.
    """
    inputs = checked(inputs) if correlation is None else inputs
    if draws < 2 or draws & (draws - 1):
        raise DataError(f"draws = {draws} is not a power of two; take {2 ** max(int(np.log2(max(draws, 2))), 1)}.")
    uncertain = (inputs["std_error"] > 0) & (inputs["shape"] != "fixed")
    keys = list(dict.fromkeys(inputs.loc[uncertain, "key"]))
    out = np.tile(inputs["estimate"].to_numpy(float), (draws, 1))
    if not keys:
        return out
    u = np.clip(stats.qmc.Sobol(len(keys), scramble=True, rng=seed).random(draws), 2.0**-40, 1 - 2.0**-40)
    if correlation is not None:
        effects = inputs.loc[inputs["role"] == "effect", "key"]
        sure = effects.isin(keys).to_numpy()
        own = [keys.index(key) for key in effects[sure]]
        u[:, own] = special.ndtr(special.ndtri(u[:, own]) @ np.linalg.cholesky(correlation[np.ix_(sure, sure)]).T)
    for place in np.flatnonzero(uncertain):
        row = inputs.iloc[place]
        out[:, place] = _quantile(row, u[:, keys.index(row["key"])])
    return out


def amounts(inputs: pd.DataFrame, flow: pd.DataFrame, drawn: np.ndarray) -> dict:
    """Return the present values of each draw: value, later, investment, net, each (value of one unit of effect), forgone, and people, money with what came on top of them."""
    role = inputs["role"].to_numpy()
    product = lambda name: drawn[:, role == name].prod(axis=1)
    factor, over = product("factor"), 1 + drawn[:, role == "reserve"].sum(axis=1)
    people, money = (drawn[:, role == name].sum(axis=1) * over for name in ("people", "money"))
    inside, later = flow["observed"].sum(), flow["later"].sum()
    whole = product("effect") * factor - drawn[:, role == "forgone"].sum(axis=1)
    out = {"people": people, "money": money, "whole": whole, "value": whole * inside, "later": whole * later, "each": factor * inside, "forgone": drawn[:, role == "forgone"].sum(axis=1) * inside}
    out["investment"] = people * flow["people"].sum() + money * flow["money"].sum()
    return out | {"net": out["value"] - out["investment"]}


def _months(money, flow, *, with_later):
    """Yield the net of each draw by the end of each month, the last first."""
    value = (flow["observed"] + flow["later"] * with_later).cumsum().to_numpy()
    people, spent = flow["people"].cumsum().to_numpy(), flow["money"].cumsum().to_numpy()
    for place in reversed(range(len(flow))):
        yield place, money["whole"] * value[place] - money["people"] * people[place] - money["money"] * spent[place]


def _payback(money, flow):
    """Return the month from which on the net stays above zero: median, no error, limits, note."""
    months, above = np.full(len(money["whole"]), np.inf), np.ones(len(money["whole"]), bool)
    for place, net in _months(money, flow, with_later=False):
        above &= net >= 0
        if not above.any():
            break
        months[above] = place + 1.0
    low, middle, high = np.quantile(months, [0.025, 0.5, 0.975], method="inverted_cdf")
    late = float(np.isinf(months).mean())
    part = "every draw" if late == 1 else "less than 1 % of the draws" if late < 0.005 else f"{min(round(late * 100), 99)} % of the draws"
    note = f"not paid back within {int(flow.loc[flow['observed'] > 0, 'month'].max()) + 1} months in {part}" if late else ""
    return *(float(one) if np.isfinite(one) else np.nan for one in (middle, np.nan, low, high)), note


def _quantile(row, u):
    """Return quantiles of an input by its mean and standard deviation."""
    mean, sd, shape = row["estimate"], row["std_error"], row["shape"]
    if sd == 0 or shape == "fixed":
        return np.full(len(u), mean)
    if shape == "normal":
        return mean + sd * special.ndtri(u)
    if shape == "t":  # the standard error times Student's t: what the interval of the effect is made of
        return mean + sd * special.stdtrit(row["df"], u) if row["df"] > 0 else mean + sd * special.ndtri(u)
    if shape == "uniform":
        return mean + sd * np.sqrt(12) * (u - 0.5)
    spread = np.log1p((sd / mean) ** 2)
    return mean * np.exp(np.sqrt(spread) * special.ndtri(u) - spread / 2)
