"""What an action cost: money, people and what may come on top, each with its source, day and currency."""

import numpy as np
import pandas as pd

from cxlib.act import plan

COLUMNS = ["input", "role", "label", "estimate", "std_error", "conf_low", "conf_high", "shape", "unit", "source", "grade", "key"]


def account(action, log: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the costs of an action as inputs of its account (`COLUMNS`), in the programme's currency; empty where nobody wrote down a cost, or there is no rate for it.

    fixed and deliveries are money, people is days times the rate of a day, reserve is the contingency: evenly between nothing and all of it. They add up to `plan.cost`.
    """
    if plan.cost(action, log, programme) is None:
        return pd.DataFrame(columns=COLUMNS)
    rate, own = plan.exchange(action, programme), log[(log["action_id"] == action.id) & (log["arm"] == "treated")]
    abroad = f", {action.currency} at {rate:g} {programme.currency}" if rate != 1 else ""
    rows = []
    if action.fixed_cost:
        rows.append(_row("fixed", "money", "Fixed cost", action.fixed_cost * rate, f"plan.toml{abroad}"))
    delivered, dated = int(plan.deliveries(own).notna().sum()), bool(own["delivered_on"].notna().any())
    if own["cost"].notna().any():
        rows.append(_row("deliveries", "money", "Cost of deliveries", float(own["cost"].fillna(0).sum()), f"log of actions, {int(own['cost'].notna().sum()):,} rows"))
    elif action.unit_cost is not None:
        rows.append(_row("deliveries", "money", "Cost of deliveries", action.unit_cost * delivered * rate, f"plan.toml, {action.unit_cost:g} for each of {delivered:,} {'deliveries' if dated else 'assigned: no delivery is dated'}{abroad}"))
    if action.people_days and action.day_rate:
        rows.append(_row("people", "people", "People's work", action.people_days * action.day_rate * rate, f"plan.toml, {action.people_days:g} days at {action.day_rate:g}{abroad}"))
    if action.contingency:
        rows.append(reserve(action.contingency))
    return pd.DataFrame(rows, columns=COLUMNS)


def reserve(share: float) -> dict:
    """Return the input for what may come on top of a cost: evenly between nothing and `share` of it."""
    row = _row("reserve", "reserve", "What may come on top", share / 2, "plan.toml, contingency")
    return row | {"std_error": share / np.sqrt(12), "conf_low": 0.025 * share, "conf_high": 0.975 * share, "shape": "uniform", "unit": "share of the cost"}


def _row(name, role, label, amount, source):
    return {"input": name, "role": role, "label": label, "estimate": float(amount), "std_error": 0.0, "conf_low": np.nan, "conf_high": np.nan, "shape": "fixed", "unit": "money", "source": source, "grade": "", "key": ""}


def spent_on(action, log: pd.DataFrame, programme) -> tuple[np.ndarray, np.ndarray]:
    """Return on which days of the action money was spent and how much each time: the fixed cost on the first, deliveries on their own."""
    own = log[(log["action_id"] == action.id) & (log["arm"] == "treated")]
    day = (own["delivered_on"].fillna(own["assigned_on"]) - pd.Timestamp(action.start)).dt.days.clip(lower=0).to_numpy()
    if own["cost"].notna().any():
        paid = own["cost"].fillna(0).to_numpy(float)
    else:
        paid = plan.deliveries(own).notna().to_numpy(float) * (action.unit_cost or 0.0) * plan.exchange(action, programme)
    fixed = (action.fixed_cost or 0.0) * plan.exchange(action, programme)
    return np.r_[0, day].astype(int), np.r_[fixed if np.isfinite(fixed) else 0.0, np.nan_to_num(paid)]
