"""The chain of an action still to come: rating -> key figure -> margin, each link with its own interval."""

import numpy as np
import pandas as pd

from cxlib.act import costs, plan, returns, roi
from cxlib.measure import metrics

Z = 1.959963984540054
DAYS = 365
LEAST = 100  # customers under whom the second link is not estimated


def coming(actions, tables) -> list:
    """Return the actions still to come: those that begin after the end of the quarter."""
    return [action for action in actions if pd.Timestamp(action.start) > pd.Timestamp(tables.end)]


def point(tables, *, survey: str, item: str, definition: str, days: int = DAYS, value: str = "margin") -> pd.DataFrame:
    """Say what one point of a key figure goes with in the margin of the `days` after the answer, alike in the margin before, form of contract and segment.

    Least squares over customers who answered and whose `days` are over: each one's value of the key figure (NPS: -100, 0, 100; shares: 0, 100; means: the score), so that the slope is money a customer for
    one point of the figure. Of each customer the first such answer counts; who left brings nothing afterwards, which is in it. out, one row: estimate, std_error (HC2 for the weights), conf_low, conf_high, n, low, high
    (middle 95 % of the key figure by half-years of answers: the range that was seen), grade (C: adjusted observation), note.
    """
    responses, orders = tables["responses"], tables["orders"] if "orders" in tables else pd.DataFrame()
    blank = {"estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": 0, "grade": "C"}
    what, until = metrics.definition_of(definition), pd.Timestamp(tables.end)
    if orders.empty or item not in responses or orders[value].isna().any():
        return pd.DataFrame([blank | {"note": f"not estimable (no {value} of customers who answered)"}])
    own = responses[(responses["survey"] == survey) & responses["person_id"].notna() & responses[item].notna()]
    first = orders["ordered_on"].min()
    own = own[(own["answered_on"] + pd.Timedelta(days=days) <= until) & (own["answered_on"] - pd.Timedelta(days=days) >= first)]
    own = own.sort_values(["person_id", "answered_on", "answer"], kind="stable").drop_duplicates("person_id").reset_index(drop=True)
    known = own["person_id"].isin(orders["person_id"])
    own = own[known].reset_index(drop=True)
    if len(own) < LEAST:
        return pd.DataFrame([blank | {"n": len(own), "note": f"not estimable ({len(own)} customers answered, can be found in the orders and were seen for {days} days before and after; {LEAST} are needed)"}])
    joined = own[["person_id", "answered_on"]].merge(orders[["person_id", "ordered_on", value]], on="person_id")
    gap = (joined["ordered_on"] - joined["answered_on"]).dt.days
    summed = lambda inside: own["person_id"].map((joined.loc[inside, value] * 100).round().groupby(joined.loc[inside, "person_id"]).sum()).fillna(0.0).to_numpy() / 100
    after, before = summed((gap >= 0) & (gap < days)), summed((gap < 0) & (gap >= -days))
    score = what.value(own[item]) * (100 if what.unit == "share" else 1)
    columns = [np.ones(len(own)), score, before]
    if "people" in tables:
        people = tables["people"].set_index("person_id")
        for field in (name for name in ("contract", "segment") if name in people and people[name].notna().any()):
            codes = own["person_id"].map(people[field]).fillna("").astype(str)
            columns += [(codes == one).to_numpy(float) for one in sorted(set(codes))[1:] if (codes == one).sum() > 1]
    slope, error = _hc2(np.column_stack(columns), after, own["weight"].to_numpy(float))
    return pd.DataFrame([{"estimate": slope, "std_error": error, "conf_low": slope - Z * error, "conf_high": slope + Z * error, "n": len(own), "grade": "C", "note": ""}])


def _hc2(X, y, w):
    """Return the second coefficient of weighted least squares and its HC2 error."""
    root = np.sqrt(w / w.mean())
    q, r = np.linalg.qr(X * root[:, None])
    beta = np.linalg.solve(r, q.T @ (y * root))
    leverage = np.clip((q**2).sum(axis=1), 0, 1 - 1e-9)
    rest = root * (y - X @ beta) / np.sqrt(1 - leverage)
    half = np.linalg.solve(r, (q * rest[:, None]).T)
    return float(beta[1]), float(np.sqrt((half[1] ** 2).sum()))


def accounts(actions, tables, steps: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the accounts of actions still to come (`returns.INPUTS`): what a rise of their attribute goes with in the key figure, what a point of that goes with in margin, how many customers, costs.

    in: the finding `steps` of the drivers. The lift of the plan counts as far as one realistic step: beyond it nothing was seen. `attrs["refused"]` says why of those without an account.
    """
    parts, refused = [], {}
    for action in coming(actions, tables):
        found = _link(action, steps, programme)
        cost = planned(action, programme)
        if isinstance(found, str) or cost.empty or not action.customers:
            refused[action.id] = found if isinstance(found, str) else "nobody wrote down what it is to cost" if cost.empty else "the plan does not say how many customers it is to reach"
            continue
        worth = point(tables, survey=found["survey"], item=found["item"], definition=found["definition"]).iloc[0]
        if not np.isfinite(worth["estimate"]):
            refused[action.id] = f"what a point of {programme.label(found['kpi'])} goes with in money is not known: {worth['note']}"
            continue
        rows = [found["row"], _point_row(worth, found["kpi"], programme), _row("times", "Customers to be reached", action.customers, "customers", "plan.toml")]
        parts.append(pd.DataFrame([*rows, *cost.to_dict("records")]).assign(action=action.id))
    out = pd.concat(parts, ignore_index=True).reindex(columns=returns.INPUTS) if parts else pd.DataFrame(columns=returns.INPUTS)
    out.attrs["refused"] = refused
    return out


def _link(action, steps, programme):
    """Return the first link of an action, or why there is none."""
    if not action.item:
        return "the plan does not say which attribute it is to raise (item)"
    own = steps[(steps["driver"] == action.item) & steps["estimate"].notna()]
    own = own[own["survey"] == action.survey] if action.survey else own
    own = own[own["kpi"].map(lambda kpi: programme.kpi(kpi).item) == action.kpi] if action.kpi else own
    if own.empty:
        return f"what '{action.item}' goes with in a key figure is not known: the drivers study has no such attribute with an estimate"
    row = own.iloc[0]
    kpi = programme.kpi(row["kpi"])
    lift = row["step"] if action.lift is None else min(action.lift, row["step"])
    share = lift / row["step"] if row["step"] > 0 else 0.0
    more = f"; the plan hopes for {action.lift:g}, and beyond {row['step']:.2g} nothing was seen" if action.lift is not None and action.lift > row["step"] else ""
    line = _row("effect", f"{programme.label(row['driver'])} up by {lift:.2g}: {programme.label(row['kpi'])}", row["estimate"] * share, row["unit"], f"finding steps, {row['wave']}{more}")
    error = (row["conf_high"] - row["conf_low"]) / 2 / Z * share
    line |= {"role": "effect", "std_error": error, "conf_low": row["conf_low"] * share, "conf_high": row["conf_high"] * share, "shape": "normal", "grade": "D", "key": f"{row['survey']}.{row['kpi']}.{row['driver']}"}
    return {"row": line, "kpi": row["kpi"], "item": kpi.item, "definition": kpi.definition, "survey": row["survey"]}


def _point_row(worth, kpi, programme):
    line = _row("point", f"Margin of the next year that goes with a point of {programme.label(kpi)}", worth["estimate"], "money a customer", f"{int(worth['n']):,} customers, alike in margin before and contract")
    return line | {"std_error": worth["std_error"], "conf_low": worth["conf_low"], "conf_high": worth["conf_high"], "shape": "normal", "grade": worth["grade"], "key": f"point.{kpi}"}


def _row(name, label, estimate, unit, source):
    return {"input": name, "role": "factor", "label": label, "estimate": float(estimate), "std_error": 0.0, "conf_low": np.nan, "conf_high": np.nan, "shape": "fixed", "unit": unit, "source": source, "grade": "", "key": ""}


def planned(action, programme) -> pd.DataFrame:
    """Return the planned costs of an action as inputs: the unit cost counts for every customer it is to reach."""
    rate = plan.exchange(action, programme)
    log = pd.DataFrame({"action_id": action.id, "arm": "treated", **dict.fromkeys(("assigned_on", "delivered_on"), pd.Timestamp(action.start)), "cost": np.nan}, index=range(action.customers or 0))
    return costs.account(action, log, programme) if np.isfinite(rate) else pd.DataFrame(columns=costs.COLUMNS)


def flows(inputs: pd.DataFrame, actions, programme) -> dict:
    """Return the courses of actions still to come: value evenly over the year after its last day, cost on its first, work over its days."""
    out = {}
    for action in (one for one in actions if one.id in set(inputs["action"])):
        last = (action.end - action.start).days + 1
        out[action.id] = roi.course(days=DAYS, starts=[last], people=last, discount=programme.finance.discount_rate)
    return out
