"""Customers saved, accounts grown, contacts and returns spared: what an action's design says of them, beside what is seen and what would have come by itself."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.act import lists, measured, overlap, trials
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
                    rows.append(_row(other, design, tables, first, overlap.both(action, actions, tables, met)))
                except DataError:
                    continue  # no window is over, or nobody stands for no action: said where its effect is
    made = pd.DataFrame(rows, columns=COLUMNS)
    known = made["p"].astype(float).notna()
    made.loc[known, "p_adjusted"] = stats.false_discovery_control(made.loc[known, "p"].astype(float)) if known.any() else np.nan
    return made


def grown(actions, tables, *, seed: int = 1, replicates: int = 500) -> pd.DataFrame:
    """Return `growth` of every action drawn by lot whose outcome is money and of which the files hold orders: action and its columns."""
    parts = []
    for action in actions:
        if measured.comparison(action, tables)[0] == "randomised" and action.outcome in ("margin", "amount") and "orders" in tables:
            people = measured.assigned([action], tables).get(action.id)
            if people is not None and {"treated", "control"} <= set(people["arm"]):
                parts.append(growth(people, tables["orders"], days=action.window_days, seed=seed, replicates=replicates).assign(action=action.id))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["action", "part", "estimate", "conf_low", "conf_high", "n"])


def growth(people: pd.DataFrame, orders: pd.DataFrame, *, days: int, replicates: int = 500, seed: int = 1) -> pd.DataFrame:
    """Split the difference in spend between those treated and those held back into volume, mix and price.

    in: a row a customer (person_id, arm, assigned_on; optional weight) and the orders (person_id, ordered_on, amount, optional product and quantity; one piece an order where there is none). out: part (volume: more or fewer pieces at the
    mean price; mix: dearer or cheaper products; price: other prices of the same product; all), estimate (money a customer), conf_low, conf_high (percentiles of a bootstrap of customers), n. The parts add up; their
    intervals do not. Prices and shares at the middle of both arms (Bennet), so that the order of the arms does not matter.
    """
    own = orders.merge(people[["person_id", "assigned_on"]], on="person_id")
    own = own[(own["ordered_on"] >= own["assigned_on"]) & (own["ordered_on"] < own["assigned_on"] + pd.Timedelta(days=days))]
    pieces = own["quantity"].fillna(1.0) if "quantity" in own else pd.Series(1.0, index=own.index)
    product = own["product"].fillna("") if "product" in own else pd.Series("", index=own.index)
    keys = list(people["person_id"])
    place, kinds = pd.Index(keys), sorted(product.unique())
    sums = np.zeros((len(keys), 2 * max(len(kinds), 1)))
    at, column = place.get_indexer(own["person_id"]), pd.Index(kinds).get_indexer(product)
    np.add.at(sums, (at, 2 * column), pieces.to_numpy(float))
    np.add.at(sums, (at, 2 * column + 1), own["amount"].to_numpy(float))
    arm, weight = (people["arm"] == "treated").to_numpy(), people["weight"].to_numpy(float) if "weight" in people else np.ones(len(people))
    rng, parts = np.random.default_rng(seed), []
    for replicate in range(replicates + 1):
        mass = weight if not replicate else weight * np.concatenate([_drawn(rng, own) for own in (arm, ~arm)])[np.argsort(np.r_[np.flatnonzero(arm), np.flatnonzero(~arm)], kind="stable")]
        parts.append(_split(*((mass[side] @ sums[side]) / mass[side].sum() for side in (arm, ~arm))))
    parts = np.array(parts)
    low, high = np.percentile(parts[1:], [2.5, 97.5], axis=0) if replicates else (np.full(4, np.nan),) * 2
    return pd.DataFrame({"part": ["volume", "mix", "price", "all"], "estimate": parts[0], "conf_low": low, "conf_high": high, "n": len(people)})


def _drawn(rng, side) -> np.ndarray:
    n = int(side.sum())
    return np.bincount(rng.integers(0, n, n), minlength=n).astype(float)


def _split(one, other) -> np.ndarray:
    """Return volume, mix, price and all from pieces and money by product of both arms (interleaved)."""
    (q1, s1), (q0, s0) = ((arm[::2], arm[1::2]) for arm in (one, other))
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p0 = s1 / q1, s0 / q0
    p1, p0 = np.where(np.isfinite(p1), p1, p0), np.where(np.isfinite(p0), p0, p1)  # sold in one arm only: its price there
    p1, p0 = np.where(np.isfinite(p1), p1, 0.0), np.where(np.isfinite(p0), p0, 0.0)
    middle = (p1 + p0) / 2
    price, pieces = float(((q1 + q0) / 2 * (p1 - p0)).sum()), float((middle * (q1 - q0)).sum())
    total = (q1.sum() + q0.sum()) / 2
    shares = (q1 / q1.sum() + q0 / q0.sum()) / 2 if q1.sum() > 0 and q0.sum() > 0 else np.zeros(len(q1))
    volume = float((q1.sum() - q0.sum()) * (middle * shares).sum()) if total > 0 else 0.0
    return np.array([volume, pieces - volume, price, float(s1.sum() - s0.sum())])


def _row(action, design, tables, first, without) -> dict:
    if design == "randomised":
        people = measured.assigned([action], tables)[action.id]
        row, _ = trials.one(action, tables)
        arm = (people["arm"] == "treated").to_numpy()
    else:
        row, _ = lists.evaluate(action, tables, without=without)
        people = lists.cohort(action, tables)
        arm = people["treated"].to_numpy(bool)
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
        return "orders" in tables and (tables["orders"]["margin"].notna().all() if outcome == "margin" else bool((tables["orders"]["amount"] < 0).any()))
    return True
