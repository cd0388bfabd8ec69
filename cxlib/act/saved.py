"""Customers saved, margin grown, contacts and returns spared: what an action's design says of them, beside what is seen and what would have come by itself."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.act import lists, measured, outcomes, overlap, trials
from cxlib.errors import DataError

KINDS = {"retention": "people", "margin": "people", "contacts": "interactions", "returns": "orders"}  # what can be counted, and the table that it needs
COLUMNS = ["action", "outcome", "design", "before", "seen", "anyway", "estimate", "std_error", "conf_low", "conf_high", "p", "p_adjusted", "n", "n_eff", "treated", "counted", "total", "total_low", "total_high", "grade", "note"]


def table(actions, tables) -> pd.DataFrame:
    """Return for every action on customers what it did to staying, margin, contacts and returns, counting each customer once.

    out: action, outcome (retention, margin, contacts, returns), design, before (mean of those treated in as many days before), seen (their mean in the days after; retention: share who stayed), anyway (what it would have come to by itself, by
    those who stand for no action: anyway - before is what comes back or falls away unaided, regression to the mean included), estimate (effect a customer, as on the page), std_error, conf_low, conf_high, p, p_adjusted (Benjamini-Hochberg over this table), n, n_eff, treated (customers assigned), counted (of whom not reached
    while an earlier action was still counting: a customer counts once), total (estimate x counted: customers saved, money, contacts) with its limits, grade, note. Outcomes of which the files hold nothing have no row.
    """
    first, rows, met = _once(actions, tables), [], overlap.table(actions, tables)
    designs = {action.id: measured.comparison(action, tables)[0] for action in actions}
    led = overlap.leaders(actions, met, {name for name, design in designs.items() if design == "randomised"})
    for action in actions:
        design = designs[action.id]
        if design == "recovery":
            design = "matching"
        if design not in ("randomised", "matching") or action.id in led:  # what cannot be told apart is counted once, with the other
            continue
        for outcome, need in KINDS.items():
            if need in tables and _there(outcome, tables):
                other = action.model_copy(update={"outcome": outcome, "reasons": action.reasons if outcome == "contacts" else ()})
                try:
                    if (row := _row(other, design, tables, first, overlap.aside(action, actions, tables, met))) is not None:
                        rows.append(row)
                except DataError:
                    continue  # no window is over, or nobody stands for no action: said where its effect is
    made = pd.DataFrame(rows, columns=COLUMNS)
    known = made["p"].astype(float).notna()
    made.loc[known, "p_adjusted"] = stats.false_discovery_control(made.loc[known, "p"].astype(float)) if known.any() else np.nan
    return made


def _row(action, design, tables, first, aside) -> dict | None:
    if design == "randomised":
        people = measured.assigned([action], tables)[action.id]
        row, _ = trials.one(action, tables)
        arm = (people["arm"] == "treated").to_numpy()
    else:
        row, _ = lists.evaluate(action, tables, **aside)
        people = lists.cohort(action, tables)
        arm = people["treated"].to_numpy(bool)
    if not people["outcome"].any():  # nobody on either side sent anything back, or got in touch
        return None
    seen = float(people.loc[arm, "outcome"].mean())
    past = float(people.loc[arm, "before"].mean()) if people["before"].notna().any() else np.nan
    treated = set(people.loc[arm, "person_id"])
    counted = sum((person, action.id) in first for person in treated)
    total = {name: row[key] * counted for name, key in (("total", "estimate"), ("total_low", "conf_low"), ("total_high", "conf_high"))}
    return {"action": action.id, "outcome": action.outcome, "design": design, "before": past, "seen": seen, "anyway": seen - row["estimate"], "treated": len(treated), "counted": counted, "note": row["note"]} | total | {name: row[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_eff", "grade")}


def _once(actions, tables) -> set:
    """Return which action counts which customer, (person, action): whoever is reached while an earlier action is still counting stays with the earlier one."""
    if "actions" not in tables:
        return set()
    windows = {action.id: np.timedelta64(action.window_days, "D") for action in actions}
    log = tables["actions"]
    log = log[(log["arm"] == "treated") & log["action_id"].isin(list(windows))].sort_values(["person_id", "assigned_on", "action_id"], kind="stable")
    counted, person, until = set(), None, None
    for row in log[["person_id", "action_id", "assigned_on"]].itertuples():
        if row.person_id != person or row.assigned_on >= until:
            counted.add((row.person_id, row.action_id))
            person, until = row.person_id, row.assigned_on + windows[row.action_id]
    return counted


def _there(outcome: str, tables) -> bool:
    if outcome == "retention":
        return tables["people"]["left_on"].notna().any()
    if outcome in ("margin", "returns"):
        return "orders" in tables and (tables["orders"]["margin"].notna().all() or outcomes.rated(tables) is not None if outcome == "margin" else bool((tables["orders"]["amount"] < 0).any()))
    return True
