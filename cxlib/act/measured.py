"""What every action did: the comparison that log and plan allow, its effect, its grade, and a sentence where there is none."""

import contextlib

import numpy as np
import pandas as pd

from cxlib.act import grades, lists, markets, outcomes, overlap, rollouts, trials
from cxlib.act.plan import BY_SERIES, BY_UNIT
from cxlib.errors import DataError

COLUMNS = [
    "action", "design", "outcome", "window_days", "per", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "p", "mean_treated", "mean_control", "naive", "n_treated", "n_control", "times", "days", "cut",
    "ratio_p", "attrition_p", "before_p", "pretrend_p", "placebo_p", "bound", "largest", "joint", "together", "grade", "reason", "comparison", "note",
]  # fmt: skip
PATHS = ["action", "kind", "at", "label", "estimate", "conf_low", "conf_high", "n"]


def begun(actions, tables) -> list:
    """Return the actions that had begun by the end of the quarter: somebody was assigned, or their first day has come: of those for customers, where there is a log, which then names nobody of them (that is said)."""
    logged = set(tables["actions"]["action_id"]) if "actions" in tables else set()
    return [action for action in actions if action.id in logged or (action.start <= tables.end and (action.design in (*BY_UNIT, *BY_SERIES, "everyone") or logged))]


def comparison(action, tables) -> tuple[str, str]:
    """Return which design the log and the plan allow, and why: randomised, matching, difference_in_differences, staggered, synthetic_control, interrupted_series, recovery or none."""
    log = tables["actions"] if "actions" in tables else pd.DataFrame(columns=["action_id", "arm", "probability"])
    own = log[log["action_id"] == action.id]
    if action.design in BY_UNIT:
        return ("staggered" if len(set(action.rollout.values())) > 1 else "difference_in_differences"), "units had it at different times, or never"
    if action.design in BY_SERIES:
        return action.design, "no customer can be followed; the series is compared with others" if action.design == "synthetic_control" or action.controls else "one series and no other to compare it with"
    held = (own["arm"] == "control").any()
    if held and (action.design in ("randomised", "holdout") or own.loc[own["arm"] == "control", "probability"].notna().any()):
        return "randomised", "drawn by lot, and the log names who was held back"
    if action.design in ("list", "matching", "randomised", "holdout") and len(own):
        missing = "the log names nobody who was held back, though the plan says by lot; " if action.design in ("randomised", "holdout") else ""
        if action.outcome == "score":
            return "recovery", missing + "picked by a low score: compared with equally low scorers who were not"
        return "matching", missing + "picked by a rule: compared with customers like them who were not"
    return "none", "everybody had it, and nothing stands for what would have been without it" if action.design == "everyone" else "nobody was assigned to it"


def assigned(actions, tables) -> dict[str, pd.DataFrame]:
    """Return the customers of every action of which they can be followed: action id -> person_id, arm, assigned_on, delivered_on, outcome, before (as `outcomes.of`), both arms where some were held back."""
    found = {}
    for action in actions:
        if comparison(action, tables)[0] in ("randomised", "matching"):
            log = tables["actions"]
            with contextlib.suppress(DataError):  # said where its effect is
                found[action.id] = outcomes.of(action, log[log["action_id"] == action.id], tables)
    return found


def effects(actions, tables, *, seed: int = 1, replicates: int = 999) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row an action (`COLUMNS`) and the paths behind the figures (`PATHS`: kind event, observed, expected, before, after, treated, control, difference).

    Actions picked by a low score for the sake of the score are not here: `trials.recoveries` compares them. An effect that cannot be had has the grade E (or D) and says why, and what would give it, in `note`.
    """
    rows, paths = [], []
    apart = overlap.table(actions, tables)
    shared = overlap.joint(actions, apart)
    led = overlap.leaders(actions, apart, {action.id for action in actions if comparison(action, tables)[0] == "randomised"})
    for action in actions:
        design, why = comparison(action, tables)
        if design == "recovery":
            continue
        joint, leader = bool(shared.get(action.id)), led.get(action.id)
        base = dict.fromkeys(COLUMNS) | {"action": action.id, "design": design, "outcome": action.outcome, "window_days": action.window_days, "per": "", "n": 0, "n_treated": 0, "n_control": 0, "cut": 0, "joint": int(joint), "together": ", ".join(shared.get(action.id, [])), "comparison": why, "note": ""}
        try:
            if leader:
                name = next(other.name for other in actions if other.id == leader)
                raise DataError(f"most of its customers had '{name}' at the same time, and nothing tells the two apart; the effect of both together stands there")
            row, path = _one(action, design, tables, seed=seed, replicates=replicates, joint=joint, aside=overlap.aside(action, actions, tables, apart), units=overlap.touched(action, actions))
        except DataError as error:
            row, path = {"grade": "E", "reason": "there is no comparison of its own" if leader else "there is no comparison", "note": str(error).rstrip(".")}, pd.DataFrame(columns=PATHS)
        if action.outcome == "margin" and row.get("estimate", np.nan) == row.get("estimate", np.nan) and (rate := outcomes.rated(tables)) is not None:
            row["note"] = "; ".join(part for part in (row.get("note") or "", f"orders without a margin count with {rate * 100:g} % of their sales (finance.margin_rate)") if part)
        rows.append(base | {name: row[name] for name in COLUMNS if name in row})
        paths.append(path)
    whole = pd.DataFrame(rows, columns=COLUMNS).assign(note=lambda frame: frame["note"].fillna(""))
    numbers = [name for name in COLUMNS if name not in ("action", "design", "outcome", "per", "together", "grade", "reason", "comparison", "note")]
    whole[numbers] = whole[numbers].astype(float)
    return whole.astype(dict.fromkeys(("window_days", "n", "n_treated", "n_control", "cut", "joint"), "int64")), pd.concat([path for path in paths if len(path)] or [pd.DataFrame(columns=PATHS)], ignore_index=True)


def _one(action, design, tables, **options) -> tuple[dict, pd.DataFrame]:
    joint, aside, units = options.pop("joint"), options.pop("aside"), options.pop("units")
    if design == "none" and action.design != "everyone":
        raise DataError("the log names nobody who was assigned to it (rows without a customer or a day are set aside: the page on loading counts them); add who had it, and when")
    if design == "none":
        letter, reason = grades.grade(design="before_after")
        return {"grade": letter, "reason": reason, "note": "next time leave out a random part, or start in some units first"}, pd.DataFrame(columns=PATHS)
    if design == "randomised":
        return trials.one(action, tables, joint=joint)
    made = {"matching": lists.evaluate, "synthetic_control": markets.synthetic_control, "interrupted_series": markets.interrupted_series}.get(design, rollouts.evaluate)
    row, path = made(action, tables, **options, **(aside if design == "matching" else {"without": units} if design in BY_UNIT else {}))
    if joint:
        row["reason"] += "; what is done beside it for the same customers is in it"
    return row, path
