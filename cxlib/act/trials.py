"""Actions decided by lot: their effects with the checks of the design, and what they returned."""

import pandas as pd
from scipy import stats

from cxlib.act import effects, grades, outcomes, roi

COLUMNS = ["action", "outcome", "window_days", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "p", "mean_treated", "mean_control", "n_treated", "n_control", "cut", "ratio_p", "attrition_p", "before_p", "grade", "reason", "note"]


def drawn(actions, tables) -> dict:
    """Return the customers of every action decided by lot and measured in money: action id -> what `outcomes.in_window` returns.

    Empty without orders; an action of which no window is over in both arms is left out.
    """
    if "orders" not in tables:
        return {}
    log, orders = tables["actions"], tables["orders"]
    chosen = [action for action in actions if action.design == "randomised" and action.outcome in ("margin", "amount")]
    found = {action.id: outcomes.in_window(log[log["action_id"] == action.id], orders, days=action.window_days, value=action.outcome, until=tables.end) for action in chosen}
    return {name: people for name, people in found.items() if {"treated", "control"} <= set(people["arm"])}


def recoveries(actions, tables, *, days: int = 400) -> pd.DataFrame:
    """Return for every action that picked customers by a low score how many of them scored above its cut the next time, and how many do without it.

    out: action, then what `effects.regression_to_mean` returns, the untouched weighted to the scores and quarters of those called; asked again
    within `days`. An action without a cut or whose question was not asked has no row.
    """
    log, responses, parts = tables["actions"], tables["responses"], []
    for action in actions:
        if action.design == "list" and action.outcome == "score" and action.kpi in responses and action.cut is not None:
            pairs = outcomes.retests(responses, log[log["action_id"] == action.id], survey=action.survey or None, item=action.kpi, days=days)
            alike, everyone = outcomes.comparable(pairs, cut=action.cut), outcomes.first(pairs, cut=action.cut)
            parts.append(effects.regression_to_mean(alike, before="before", after="after", contacted="contacted", cut=action.cut, weight="weight", everyone=everyone).assign(action=action.id))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["action", "group", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "mean_before", "mean_after", "note"])


def evaluate(assigned: dict, actions: dict) -> pd.DataFrame:
    """Return one row an action: its intention-to-treat effect, the checks of its design and the grade that follows.

    in: action id -> what `outcomes.in_window` returns; action id -> the Action of the plan. out: `COLUMNS`; estimate and limits in the
    programme's currency a customer. The sample ratio is checked against the share of the plan, or the mean probability in the log.
    """
    rows = []
    for name, people in assigned.items():
        action = actions[name]
        found = effects.difference(people, outcome="outcome", arm="arm").iloc[0].to_dict()
        before = effects.difference(people, outcome="before", arm="arm").iloc[0]
        expected = action.share or (people["probability"].mean() if people["probability"].notna().any() else 0.5)
        ratio = effects.sample_ratio(people, arm="arm", expected=expected).iloc[0]
        grade, reason = grades.grade(design="randomised", sample_ratio_ok=bool(ratio["ok"]), attrition_p=found["attrition_p"])
        rows.append(found | {"action": name, "outcome": action.outcome, "window_days": action.window_days, "cut": people.attrs["cut"], "ratio_p": ratio["p"], "before_p": before["p"], "grade": grade, "reason": reason})
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def arms(assigned: dict, found: pd.DataFrame) -> pd.DataFrame:
    """Return the mean outcome of each arm and the difference, with 95 % intervals (t): action, arm, estimate, conf_low, conf_high, n."""
    rows = []
    for row in found.to_dict("records"):
        for arm, own in assigned[row["action"]].groupby("arm", sort=True)["outcome"]:
            half = stats.t.ppf(0.975, len(own) - 1) * own.sem() if len(own) > 1 else float("nan")
            rows.append((row["action"], arm, own.mean(), own.mean() - half, own.mean() + half, len(own)))
        rows.append((row["action"], "difference", row["estimate"], row["conf_low"], row["conf_high"], row["n"]))
    return pd.DataFrame(rows, columns=["action", "arm", "estimate", "conf_low", "conf_high", "n"])


def returns(found: pd.DataFrame, spent: dict, *, seed: int, draws: int, discount: float, margin_rate: float | None) -> pd.DataFrame:
    """Return value, investment, net, ROI, payback, probability that it pays and break-even effect of every action with an effect and a cost.

    in: what `evaluate` returns and action id -> cost (None where nobody wrote one down). out: action and what `roi.roi` returns, n (customers
    treated, to whom the effect applies) and grade. An effect on amounts needs `margin_rate`; without it there is no return, and neither is there one
    while windows are open (`cut`): the whole cost must not be set against the value of some customers.
    """
    parts = []
    for row in found.to_dict("records"):
        rate = 1.0 if row["outcome"] == "margin" else margin_rate
        if not spent.get(row["action"]) or not rate or row["cut"] or row["std_error"] != row["std_error"]:
            continue
        one = roi.roi(effect=row["estimate"], effect_se=row["std_error"], customers=row["n_treated"], cost=spent[row["action"]], margin_rate=rate, window_days=row["window_days"], discount=discount, draws=draws, seed=seed)
        parts.append(one.assign(action=row["action"], n=row["n_treated"], grade=row["grade"]))
    columns = ["action", "measure", "estimate", "std_error", "conf_low", "conf_high", "unit", "n", "draws", "grade", "note"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)
