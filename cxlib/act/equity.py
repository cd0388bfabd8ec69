"""What today's customers are worth: by how long they stay where the file says who left, by how they buy where it does not."""

import numpy as np
import pandas as pd

from cxlib.act import buying, lifetime, spending
from cxlib.errors import DataError

Z = 1.959963984540054
CUTS = ("contract", "segment")  # columns of people by which a customer's worth may differ, the first that is filled
LEAST = 100  # customers, and twenty who bought again, under whom no model of buying is fitted
BUYING = ["model", "parameter", "estimate", "std_error", "conf_low", "conf_high", "n", "actual", "log_likelihood", "note"]
KEPT = ["segment", "n", "gone", "months", "years", "still", "margin_month", "margin_low", "margin_high", "estimate", "std_error", "conf_low", "conf_high", "plain", "plain_error", "carried", "largest", "since", "late", "undated", "note"]


def cut(tables) -> str:
    """Return the column of people that cuts customers for their worth; empty where none is filled."""
    people = tables["people"]
    return next((name for name in CUTS if name in people and 1 < people[name].nunique() <= 8), "")


def priced(tables) -> pd.DataFrame | None:
    """Return the orders with a margin each: their own, or the programme's rate of their amount; None where neither is known."""
    if "orders" not in tables:
        return None
    orders, rate = tables["orders"], tables.programme.finance.margin_rate
    if orders["margin"].isna().any():
        return None if rate is None else orders.assign(margin=orders["margin"].fillna(orders["amount"] * rate))
    return orders


def leavers(tables) -> bool:
    """Return whether the customer file tells who left: customers with a contract, or with an account that is closed."""
    if "people" not in tables:
        return False
    people = tables["people"]
    return bool(people["joined_on"].notna().any()) and int(people["left_on"].notna().sum()) >= lifetime.ENOUGH


def kept(tables) -> pd.DataFrame:
    """Return what a customer of today is worth as long as he stays, over all and by `cut` (finding lifetime: `KEPT`); empty where nobody can be seen to leave, or nothing has a margin. since, late and undated are those of `lifetime.tenures`."""
    orders = priced(tables)
    if orders is None or not leavers(tables):
        return pd.DataFrame(columns=KEPT)
    finance = tables.programme.finance
    try:
        watched = lifetime.tenures(tables["people"], until=tables.end)
        out = lifetime.values(tables["people"], orders, until=tables.end, by=cut(tables) or None, months=finance.horizon_months, discount=finance.discount_rate).reindex(columns=KEPT)
    except DataError as error:  # dates that contradict each other are said, and the page goes on without this figure
        return pd.DataFrame([{"segment": "", "n": 0, "gone": 0, "months": finance.horizon_months, "late": 0, "undated": 0, "note": f"not estimable ({str(error).rstrip('.')})"}]).reindex(columns=KEPT)
    return out.assign(since=watched.attrs["since"], late=watched.attrs["late"], undated=watched.attrs["undated"])


def buyers(tables, *, draws: int = 200, seed: int = 1) -> pd.DataFrame:
    """Return how customers without a contract buy and what they are worth (finding buying: `BUYING`); empty where the file tells who left, because such models are for those who go without a word.

    Both models are fitted on what was known a quarter of the time before the end, and the one that forecasts that time better is used. rows: its parameters, parameter "holdout" (purchases forecast for the time
    held out, and those that came) for both, "purchases" and "worth" (of today's customers in the next year, all together; worth in margin, or sales where no margin is known, discounted).
    """
    if "orders" not in tables or leavers(tables):
        return pd.DataFrame(columns=BUYING)
    orders, until = tables["orders"], pd.Timestamp(tables.end)
    orders = orders[orders["ordered_on"] <= until]
    begun = orders["ordered_on"].min()
    split = begun + (until - begun) * 0.75
    known = buying.histories(orders[orders["ordered_on"] <= split], until=split)
    if len(known) < LEAST or (known["x"] > 0).sum() < 20:
        return pd.DataFrame(columns=BUYING)
    rows, gap = [], {}
    for model in ("bg", "mbg"):
        test = buying.holdout(orders, split=split, until=until, model=model, draws=draws, seed=seed)
        parts = test[test["bought"] != "all"]
        gap[model] = float(((parts["estimate"] - parts["actual"]) ** 2 / parts["actual"].clip(lower=1)).sum())
        whole = test[test["bought"] == "all"].iloc[0]
        note = f"after {split.date()}; {int(parts['inside'].sum())} of {len(parts)} groups by earlier purchases inside"
        rows.append({"model": model, "parameter": "holdout", "estimate": whole["estimate"], "conf_low": whole["conf_low"], "conf_high": whole["conf_high"], "n": whole["n"], "actual": whole["actual"], "note": note})
    model = min(gap, key=gap.get)
    everyone = buying.histories(orders, until=until)
    fitted = buying.fit(everyone, model=model)
    rows += fitted.assign(model=model).to_dict("records")
    made = buying.drawn(everyone, fitted, ahead=52.0, draws=draws, seed=seed) * _missed(rows, model, draws, seed)
    total = buying.purchases(everyone, fitted, ahead=52.0, model=model).sum()
    low, high = np.quantile(made.sum(axis=0), [0.025, 0.975])
    rows.append({"model": model, "parameter": "purchases", "estimate": total, "std_error": made.sum(axis=0).std(), "conf_low": low, "conf_high": high, "n": len(everyone), "note": "in the next 52 weeks" + _widened(rows, model)})
    if ((everyone["x"] > 0) & (everyone["spend"] > 0)).sum() >= 20:
        rows += _worth(everyone, fitted, made, model, tables, seed, _widened(rows, model))
    return pd.DataFrame(rows).reindex(columns=BUYING)


def _missed(rows, model, draws, seed) -> np.ndarray:
    """Return by how much each draw is to miss as the forecast of the time held out did: nothing where what came was in its interval."""
    held = next(row for row in rows if row["parameter"] == "holdout" and row["model"] == model)
    if held["conf_low"] <= held["actual"] <= held["conf_high"]:
        return np.ones(draws)
    off = abs(np.log(max(held["actual"], 1) / max(held["estimate"], 1)))
    return np.exp(np.random.default_rng(seed + 1).normal(0, off, draws))


def _widened(rows, model) -> str:
    return "" if (_missed(rows, model, 2, 0) == 1).all() else ", widened by what the forecast of the time held out missed"


def _worth(everyone, fitted, made, model, tables, seed, widened):
    """Return the parameters of spending and the worth of all customers in the next year."""
    money = spending.fit(everyone)
    rows = money.assign(model="gamma-gamma").to_dict("records")
    rate = tables.programme.finance.margin_rate
    share = 1.0 if rate is None else rate
    each = spending.expected(everyone, money)
    if not np.isfinite(each).all():
        return rows
    weekly = np.log1p(tables.programme.finance.discount_rate) / (365.25 / 7)
    worth = (buying.purchases(everyone, fitted, ahead=52.0, model=model, discount=weekly) * each).sum() * share
    logs, covariance = np.log(money["estimate"].to_numpy()), money.attrs["covariance"]
    sets = np.exp(np.random.default_rng(seed).multivariate_normal(logs, covariance, made.shape[1])) if np.isfinite(covariance).all() else np.tile(np.exp(logs), (made.shape[1], 1))
    drawn = np.array([(made[:, place] * spending.expected(everyone, one)).sum() for place, one in enumerate(sets) if one[1] > 1]) * share
    drawn = drawn * worth / np.median(drawn)  # the draws are undiscounted; their spread is what is wanted
    low, high = np.quantile(drawn, [0.025, 0.975])
    note = "sales (finance.margin_rate is not declared)" if rate is None else "margin"
    return [*rows, {"model": model, "parameter": "worth", "estimate": worth, "std_error": drawn.std(), "conf_low": low, "conf_high": high, "n": len(everyone), "note": f"{note}, of the next 52 weeks, present value{widened}"}]
