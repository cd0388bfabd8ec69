"""Outcomes of actions from the logs: what each customer brought in the window after assignment, and who scored what the next time."""

import pandas as pd

from cxlib.errors import DataError


def in_window(assigned: pd.DataFrame, orders: pd.DataFrame, *, days: int, value: str, until) -> pd.DataFrame:
    """Return the outcome of everybody assigned, as assigned: the sum of `value` over the `days` from the day of assignment on.

    in: the rows of one action (person_id, arm, assigned_on, delivered_on, cost) and the orders. out: the same rows, one a person (the
    first assignment), with `outcome` (0 where nothing was ordered) and `before` (the same sum over as many days before, for a look at
    balance). Only whole windows count: rows whose window ends after `until` are left out and counted in `attrs["cut"]`.
    errors: DataError where a person was assigned to both arms, or an order lacks the value.
    """
    rows = assigned.sort_values(["assigned_on", "person_id"], kind="stable").drop_duplicates("person_id")
    both = assigned.groupby("person_id")["arm"].nunique()
    if (both > 1).any():
        raise DataError(f"actions: the person '{both[both > 1].index[0]}' is in both arms of '{assigned['action_id'].iloc[0]}'; a customer has one arm.")
    window = pd.Timedelta(days=days)
    whole = rows["assigned_on"] + window <= pd.Timestamp(until) + pd.Timedelta(days=1)
    cut, rows = int((~whole).sum()), rows[whole].reset_index(drop=True)
    own = orders[orders["person_id"].isin(rows["person_id"])]
    if own[value].isna().any():
        raise DataError(f"orders: {int(own[value].isna().sum())} rows carry no {value}; add it, or give finance.margin_rate and choose outcome = 'amount'.")
    joined = rows[["person_id", "assigned_on"]].merge(own[["person_id", "ordered_on", value]], on="person_id")
    for name, start, end in (("outcome", pd.Timedelta(0), window), ("before", -window, pd.Timedelta(0))):
        inside = (joined["ordered_on"] >= joined["assigned_on"] + start) & (joined["ordered_on"] < joined["assigned_on"] + end)
        # money is added in cents, so that the order of the rows cannot change the last digit
        cents = (joined.loc[inside, value] * 100).round().groupby(joined.loc[inside, "person_id"]).sum()
        rows[name] = rows["person_id"].map(cents).fillna(0.0) / 100
    rows.attrs["cut"] = cut
    return rows


def retests(responses: pd.DataFrame, contacted: pd.DataFrame, *, survey: str | None = None, item: str, days: int) -> pd.DataFrame:
    """Return pairs of scores: each person's answer and the next one, with whether somebody called in between.

    in: responses (person_id, answered_on, `item`) and the log of the action (person_id, delivered_on or assigned_on). out: person_id, before, after,
    days_between, contacted (the call lies between the two answers). People called once give no other pair: they are not untouched.
    `comparable` then takes one pair a person. Pairs further apart than `days`
    are left out: a retest after years is none.
    """
    own = responses[responses[item].notna() & responses["person_id"].notna()]
    own = own[own["survey"] == survey] if survey else own
    own = own.sort_values(["person_id", "answered_on", "answer"], kind="stable")
    pairs = own[["person_id", "answered_on", item]].rename(columns={item: "before"})
    pairs["after"], pairs["next_on"] = pairs.groupby("person_id")["before"].shift(-1), pairs.groupby("person_id")["answered_on"].shift(-1)
    pairs = pairs.dropna(subset=["after"])
    pairs["days_between"] = (pairs["next_on"] - pairs["answered_on"]).dt.days
    pairs = pairs[pairs["days_between"].between(1, days)]
    called = contacted.assign(called_on=contacted["delivered_on"].fillna(contacted["assigned_on"]))[["person_id", "called_on"]]
    spans = pairs.merge(called, on="person_id", how="left")
    between = (spans["called_on"] >= spans["answered_on"]) & (spans["called_on"] <= spans["next_on"])
    key = ["person_id", "answered_on"]
    hit = spans[between][key].drop_duplicates().assign(contacted=True)
    pairs = pairs.merge(hit, on=key, how="left")
    pairs["contacted"] = pairs["contacted"].fillna(False).astype(bool)
    # somebody called once is no longer untouched: their other pairs are neither
    ever = pairs["person_id"].isin(called["person_id"])
    return pairs[pairs["contacted"] | ~ever].reset_index(drop=True)[["person_id", "answered_on", "before", "after", "days_between", "contacted"]]


def comparable(pairs: pd.DataFrame, *, cut: float) -> pd.DataFrame:
    """Return one pair a person among those at or below the cut: the first that was called, else the first; the others stay as they are."""
    low = pairs[pairs["before"] <= cut].sort_values(["person_id", "contacted", "answered_on"], ascending=[True, False, True], kind="stable")
    return pd.concat([low.drop_duplicates("person_id"), pairs[pairs["before"] > cut].drop_duplicates("person_id")], ignore_index=True)
