"""Which customers had several actions at a time, and which effects can therefore not be told apart."""

import pandas as pd
from scipy import stats

from cxlib.act.plan import BY_UNIT

FEW = 0.2  # share of a list's customers who may be left out because they had another action too
ALONE, BESIDE = 20, 0.2  # customers who had the other action without this one, and can stand for those who had both: so many, and so many for each of these
FEWEST = 3  # units of a roll-out that another one did not touch
COLUMNS = ["action", "other", "of", "n", "shared", "share", "alone", "treated_other", "control_other", "p", "separated", "note"]


def table(actions, tables) -> pd.DataFrame:
    """Return the action x customer overlap: for every action and other action of the log how many of its treated customers had the other one too, at the same time.

    out: action, other, of (customers, or units of two roll-outs by the same kind of unit), n (treated customers of the action), shared (of whom treated by the other, its days within the window of the first), share, alone (customers who had the other in the same weeks and are not in the action), treated_other and
    control_other (share of each arm that had the other; empty without a control arm), p (Fisher: both arms had it as often), separated (1 where the design tells them apart), note. An action drawn by lot is told apart from another if both of its arms had that other as often (p >= .05): what
    is in both arms is in no difference. Without a control arm those who had the other alone stand for those who had both, where they are twenty or more and one for every five of these: the other is one more thing in which both groups are made alike. Where there are none, those who had both are left
    out if they are at most a fifth; else the two cannot be told apart.
    """
    rows = [_units(action, other) for action in actions for other in actions if action.id != other.id and action.design in BY_UNIT and other.design in BY_UNIT and action.unit == other.unit]
    if "actions" not in tables:
        return pd.DataFrame(rows, columns=COLUMNS)
    log = tables["actions"]
    each = {name: own.sort_values("assigned_on", kind="stable").drop_duplicates("person_id") for name, own in log.groupby("action_id", sort=False)}
    given = {name: own[["person_id", "assigned_on"]] for name, own in log[log["arm"] == "treated"].groupby("action_id", sort=False)}
    logged = [action for action in actions if action.id in each]
    rows += [_pair(action, each[action.id], other, given.get(other.id, log.iloc[:0][["person_id", "assigned_on"]])) for action in logged for other in logged if other.id != action.id]
    return pd.DataFrame(rows, columns=COLUMNS)


def stands(alone, shared):
    """Return whether those who had only the other action are enough to stand for those who had both."""
    return (alone >= ALONE) & (alone >= BESIDE * shared)


def joint(actions, found: pd.DataFrame) -> dict[str, list[str]]:
    """Return for each action the others that its effect cannot be separated from; `found` as `table` returns it."""
    mixed = found[found["separated"] == 0]
    together = {name: list(own["other"]) for name, own in mixed.groupby("action", sort=False)}
    for action in actions:
        same = [other.id for other in actions if other.id != action.id and action.series and action.series == other.series and not (action.end < other.start or other.end < action.start)]
        if same:
            together[action.id] = [*together.get(action.id, []), *same]
    return together


def leaders(actions, found: pd.DataFrame, lots) -> dict[str, str]:
    """Return which actions have no effect of their own because most of their customers had another, and neither can be told apart from the other: action -> the one whose effect is of both (a lot before a list, then the larger; `lots`: ids of actions decided by lot)."""
    mixed, out = found[(found["separated"] == 0) & (found["share"] >= 0.5)], {}
    mutual = {(row.other, row.action): row.n for row in found[found["separated"] == 0].itertuples()}
    for row in mixed.itertuples():
        other = mutual.get((row.action, row.other))  # customers of the other, where its effect has this one in it
        if row.action not in lots and other is not None and row.action not in out and (row.other in lots or (-other, row.other) < (-row.n, row.action)):
            out[row.action] = row.other
    return out


def aside(action, actions, tables, found: pd.DataFrame) -> dict:
    """Return what tells a list apart from other actions: {"without": customers left out because they had another one, "beside": name of another one -> who had it and when, of those in which both groups are made alike}."""
    met = found[(found["action"] == action.id) & (found["separated"] == 1) & (found["shared"] > 0)].set_index("other") if action.design in ("list", "matching") else found.iloc[:0]
    log, without, beside = tables["actions"] if len(met) else pd.DataFrame(), set(), {}
    for other in (one for one in actions if one.id in met.index):
        reach = pd.Timedelta(days=max(action.window_days, other.window_days))
        theirs = _near(log[log["action_id"] == action.id], log[(log["action_id"] == other.id) & (log["arm"] == "treated")], reach)
        if stands(met.loc[other.id, "alone"], met.loc[other.id, "shared"]):
            beside[f"also {other.name}"] = theirs[["person_id", "assigned_on"]].assign(reach=reach)
        else:
            without |= set(theirs["person_id"])
    return {"without": without, "beside": beside}


def had(rows: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Return for each row (person_id, assigned_on) whether that customer had another action (`aside`'s frame of it) at the same time."""
    joined = rows[["person_id", "assigned_on"]].reset_index().merge(other.rename(columns={"assigned_on": "other_on"}), on="person_id")
    near = joined.loc[(joined["other_on"] < joined["assigned_on"] + joined["reach"]) & (joined["other_on"] > joined["assigned_on"] - joined["reach"]), "index"]
    return pd.Series(rows.index.isin(near), index=rows.index)


def _near(own, theirs, reach) -> pd.DataFrame:
    """Return those of another action's customers whom it reached in the weeks of this one."""
    return theirs[theirs["assigned_on"].between(own["assigned_on"].min() - reach, own["assigned_on"].max() + reach)]


def touched(action, actions) -> set[str]:
    """Return the units that another roll-out touched and that are left out so that an action is told apart; none where too few would be left."""
    others = [other for other in actions if other.id != action.id and action.design in BY_UNIT and other.design in BY_UNIT and other.unit == action.unit]
    return {unit for other in others if _stand_apart(action, other) for unit in other.rollout}


def _stand_apart(action, other) -> bool:
    """Return whether two roll-outs are told apart: three units had the first and not the second, or none had both."""
    first, second = set(action.rollout), set(other.rollout)
    return first.isdisjoint(second) or len(first - second) >= FEWEST


def _units(action, other) -> tuple:
    """Return the row of two roll-outs."""
    both = set(action.rollout) & set(other.rollout)
    n, alone, apart = len(action.rollout), len(action.rollout) - len(both), _stand_apart(action, other)
    note = "" if not both else "units that had the second are left out" if apart else f"{alone or 'no unit'} had the first alone: the two cannot be told apart"
    return action.id, other.id, "units", n, len(both), len(both) / n, len(set(other.rollout) - both), float("nan"), float("nan"), float("nan"), int(apart), note


def _pair(action, own, other, theirs) -> tuple:
    reach = pd.Timedelta(days=max(action.window_days, other.window_days))
    theirs = _near(own, theirs, reach)
    treated, control = own["arm"] == "treated", own["arm"] == "control"
    both = had(own, theirs.assign(reach=reach)) if len(theirs) else pd.Series(False, index=own.index)
    alone = int((~theirs["person_id"].drop_duplicates().isin(own["person_id"])).sum())
    n, shared = int(treated.sum()), int((both & treated).sum())
    share1, share0, p = shared / n if n else 0.0, float("nan"), float("nan")
    if control.any():
        other0 = int((both & control).sum())
        share0 = other0 / int(control.sum())
        p = float(stats.fisher_exact([[shared, n - shared], [other0, int(control.sum()) - other0]])[1])
        apart = p >= 0.05
        note = "as often in both arms" if apart and shared else "" if apart else "not as often in both arms: what the other did is in the difference"
    else:
        apart = stands(alone, shared) or share1 <= FEW
        note = "" if not shared else "those who had the second alone stand for those who had both" if stands(alone, shared) else "those who had both are left out" if apart else "hardly anybody had the second alone: the two cannot be told apart"
    return action.id, other.id, "customers", n, shared, share1, alone, share1 if control.any() else float("nan"), share0, p, int(apart), note
