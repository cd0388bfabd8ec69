"""Outcomes of actions from the logs: what each customer brought in the window after assignment, and who scored what the next time."""

import pandas as pd

from cxlib.errors import DataError

SLACK = 7  # days by which the first order may come later than the time before begins


def entries(action, tables) -> pd.DataFrame:
    """Return what is counted for an action's outcome, a row an order or contact: person_id, day, value.

    margin, amount: the orders' own (returns are negative and count as such; where an order carries no margin, its amount x finance.margin_rate); returns: minus what was sent back; contacts: 1 for each contact (of `action.reasons`, where given). Empty for other outcomes and without the table.
    errors: DataError where an order lacks the value.
    """
    if action.outcome == "contacts" and "interactions" in tables:
        made = tables["interactions"]
        made = made[made["reason"].isin(action.reasons)] if action.reasons else made
        return pd.DataFrame({"person_id": made["person_id"], "day": made["at"].dt.normalize(), "value": 1.0}).dropna(subset="person_id").reset_index(drop=True)
    if action.outcome in ("margin", "amount", "returns") and "orders" in tables:
        orders, column = tables["orders"], "margin" if action.outcome == "margin" else "amount"
        orders = orders[orders["person_id"].notna()]
        if column == "margin" and (rate := rated(tables)) is not None:
            orders = orders.assign(margin=orders["margin"].astype(float).fillna(orders["amount"] * rate))
        if orders[column].isna().any():
            raise DataError(f"{int(orders[column].isna().sum()):,} orders carry no {column}; add it, or give finance.margin_rate in programme.toml")
        value = (-orders[column]).clip(lower=0.0) if action.outcome == "returns" else orders[column]
        return pd.DataFrame({"person_id": orders["person_id"], "day": orders["ordered_on"], "value": value}).reset_index(drop=True)
    return pd.DataFrame({"person_id": pd.Series(dtype="str"), "day": pd.Series(dtype="datetime64[us]"), "value": pd.Series(dtype="float64")})


def rated(tables) -> float | None:
    """Return the margin rate that stands for the margin of orders that carry none, where there are such orders and the programme declares one."""
    programme = getattr(tables, "programme", None)
    rate = programme.finance.margin_rate if programme is not None else None
    return rate if rate is not None and "orders" in tables and tables["orders"]["margin"].isna().any() else None


def of(action, assigned: pd.DataFrame, tables) -> pd.DataFrame:
    """Return the outcome of everybody assigned to an action, as `in_window`; retention: 1 for who is a customer still when the window is over, people who had left before are left out and counted in `attrs["gone"]`."""
    if action.outcome != "retention":
        bought = entries(action, tables).rename(columns={"day": "ordered_on"})
        return in_window(assigned, bought, days=action.window_days, value="value", until=tables.end)
    rows = in_window(assigned, entries(action, tables).rename(columns={"day": "ordered_on"}), days=action.window_days, value="value", until=tables.end)
    left = rows["person_id"].map(tables["people"].drop_duplicates("person_id").set_index("person_id")["left_on"])
    here = ~(left < rows["assigned_on"])
    stayed = rows.assign(outcome=(~(left < rows["assigned_on"] + pd.Timedelta(days=action.window_days))).astype(float), before=float("nan"))[here].reset_index(drop=True)
    stayed.attrs |= rows.attrs | {"gone": int((~here).sum())}
    return stayed


def in_window(assigned: pd.DataFrame, orders: pd.DataFrame, *, days: int, value: str, until) -> pd.DataFrame:
    """Return the outcome of everybody assigned, as assigned: the sum of `value` over the `days` from the day of assignment on.

    in: the rows of one action (person_id, arm, assigned_on, delivered_on, cost) and the orders. out: the same rows, one a person (the
    first assignment), with `outcome` (0 where nothing was ordered) and `before` (the same sum over as many days before, for a look at
    balance; empty where that time begins before the first order of all, with a week's grace). Only whole windows count: rows whose window ends after `until` are left out and counted in `attrs["cut"]`.
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
        raise DataError(f"{int(own[value].isna().sum()):,} orders carry no {value}; add it, or give finance.margin_rate in programme.toml")
    joined = rows[["person_id", "assigned_on"]].merge(own[["person_id", "ordered_on", value]], on="person_id")
    for name, start, end in (("outcome", pd.Timedelta(0), window), ("before", -window, pd.Timedelta(0))):
        inside = (joined["ordered_on"] >= joined["assigned_on"] + start) & (joined["ordered_on"] < joined["assigned_on"] + end)
        # money is added in cents, so that the order of the rows cannot change the last digit
        cents = (joined.loc[inside, value] * 100).round().groupby(joined.loc[inside, "person_id"]).sum()
        rows[name] = cents.reindex(rows["person_id"]).fillna(0.0).to_numpy(float) / 100
    if len(orders):  # what the files do not reach back to is not nothing
        rows["before"] = rows["before"].where(rows["assigned_on"] - window >= orders["ordered_on"].min() - pd.Timedelta(days=SLACK))
    rows.attrs["cut"] = cut
    return rows


def retests(responses: pd.DataFrame, contacted: pd.DataFrame, *, survey: str | None = None, item: str, days: int) -> pd.DataFrame:
    """Return pairs of scores: an answer and the same person's next one, with whether somebody called in between.

    in: responses (person_id, answered_on, `item`) and the log of the action (person_id, delivered_on or assigned_on). out: person_id, answered_on, next_on,
    before, after, days_between, contacted. Pairs of people called earlier are left out: they are not untouched. A later call leaves a pair in,
    because who was left alone until the retest is known only by looking no further ahead. Pairs more than `days` apart are left out.
    """
    own = responses[responses[item].notna() & responses["person_id"].notna()]
    own = own[own["survey"] == survey] if survey else own
    own = own.sort_values(["person_id", "answered_on", "answer"], kind="stable")
    people = own.groupby("person_id")
    pairs = own[["person_id", "answered_on"]].assign(next_on=people["answered_on"].shift(-1), before=own[item], after=people[item].shift(-1)).dropna(subset=["after"])
    pairs["days_between"] = (pairs["next_on"] - pairs["answered_on"]).dt.days
    pairs = pairs[pairs["days_between"].between(1, days)].reset_index(drop=True)
    called = contacted.assign(called_on=contacted["delivered_on"].fillna(contacted["assigned_on"])).groupby("person_id")["called_on"].min()
    first = pairs["person_id"].map(called)
    pairs["contacted"] = (first >= pairs["answered_on"]) & (first <= pairs["next_on"])
    return pairs[~(first < pairs["answered_on"])].reset_index(drop=True)


def comparable(pairs: pd.DataFrame, *, cut: float) -> pd.DataFrame:
    """Return the pairs that may be compared, one a person, with the weights that make the untouched like those called.

    Only the time in which low scorers were called counts, and of each person the first answer at or below the cut in it, called or not: choosing by
    what came later would pick those who stayed low. `weight` (1 for those called) gives the untouched the same mix of score before and quarter
    of the retest, so that a season is not taken for an effect; those called in a cell without anybody untouched are left out.
    """
    span = pairs.loc[pairs["contacted"] & (pairs["before"] <= cut), "answered_on"]
    low = pairs[(pairs["before"] <= cut) & pairs["answered_on"].between(span.min(), span.max())] if len(span) else pairs[pairs["before"] <= cut]
    low = low.sort_values(["person_id", "answered_on"], kind="stable").drop_duplicates("person_id")
    cell = pd.Series(list(zip(low["before"], low["next_on"].dt.to_period("Q").astype(str))), index=low.index)
    called, alone = cell[low["contacted"]].value_counts(normalize=True), cell[~low["contacted"]].value_counts(normalize=True)
    weight = cell.map(called / alone).where(~low["contacted"], 1.0)
    return low.assign(weight=weight)[(~low["contacted"] | cell.isin(alone.index)) & (weight > 0)].reset_index(drop=True)


def first(pairs: pd.DataFrame, *, cut: float) -> pd.DataFrame:
    """Return each person's first pair in the time in which low scorers were called, whatever the score: what the normal formula is fitted to."""
    span = pairs.loc[pairs["contacted"] & (pairs["before"] <= cut), "answered_on"]
    own = pairs[pairs["answered_on"].between(span.min(), span.max())] if len(span) else pairs
    return own.sort_values(["person_id", "answered_on"], kind="stable").drop_duplicates("person_id").reset_index(drop=True)


def largest(rows: pd.DataFrame, arm: str) -> float:
    """Return the largest share of an arm's outcome (absolute amounts) that one person holds; 0 where nobody has any."""
    size = rows["outcome"].abs()
    total = size.groupby(rows[arm]).sum()
    return float((size.groupby(rows[arm]).max() / total.where(total > 0)).max()) if (total > 0).any() else 0.0
