"""The chain from what customers say to what they do: each linked answer with the visits and the spend of the days after it.

Only days after the answer count as outcome, only days up to the answer decide who is looked at, so that nothing leaks back. Money is added in cents,
returns are negative, and whoever bought nothing counts with nothing.
"""

import numpy as np
import pandas as pd

from cxlib.load import bases
from cxlib.measure import curves, opinion, thresholds

YEAR, SPAN = 365, 10**6
OUTCOMES = {"visits": "Days with a purchase", "per_visit": "Spend a day with a purchase", "spend": "Spend"}


def chosen(tables, *, days: int = 90) -> tuple:
    """Return the key figure and the survey the study looks at: the first key figure on a scale of at least four points, in the survey with the most answers that may be linked; (None, "") where there is none."""
    programme, responses = tables.programme, tables["responses"]
    for kpi in programme.kpis:
        scale = programme.item(kpi.item).scale
        if kpi.item not in responses or not scale or programme.scales[scale].high - programme.scales[scale].low < 3:
            continue
        sizes = {survey: int((responses.loc[responses["survey"] == survey, ["person_id", kpi.item]].notna().all(axis=1)).sum()) for survey in bases.surveys_of(programme, kpi) if "link" in programme.survey(survey).uses}
        if sizes and max(sizes.values()):
            return kpi, max(sizes, key=sizes.get)
    return None, ""


def lacks(tables) -> str:
    """Return what is not there of what the chain needs, the first of: orders (of known customers), score (a key figure on at least four points), link (the promise permits it), key (of the customer in an answer); "" where nothing is."""
    programme = tables.programme
    if purchases(tables).empty:
        return "orders"
    wide = [kpi for kpi in programme.kpis if (scale := programme.item(kpi.item).scale) and programme.scales[scale].high - programme.scales[scale].low >= 3 and kpi.item in tables["responses"]]
    surveys = {survey for kpi in wide for survey in bases.surveys_of(programme, kpi)}
    if not surveys:
        return "score"
    if not any("link" in programme.survey(survey).uses for survey in surveys):
        return "link"
    return "" if chosen(tables)[0] else "key"


def linked(tables, *, survey: str, item: str, days: int = 90) -> pd.DataFrame:
    """Return one row an answer of a customer who had bought in the year before it, with what came in the `days` after.

    out: answer, person_id, wave, quarter, answered_on, score (turned so that more is better), weight, brand, country, year (fiscal), group (form of contract; "all" where none is told), visits (days with a
    purchase), spend and margin (programme's currency, returns subtracted; margin by finance.margin_rate where orders tell none, empty without it), per_visit (spend / visits; empty without one), contacts (contact moments), before (spend in as many days
    up to the answer), service (contacts times finance.contact_cost; empty without one), referrals (events of the kinds that the programme names; empty where it names none), stays (1: still a customer on the last day; empty where the customer file names nobody who left), tenure (days as a customer, where known). Only whole windows up to the
    quarter's end. Steps of the base stand in `attrs["base"]`: (what, n).
    """
    programme = tables.programme
    own = tables["responses"].query("survey == @survey")
    own = bases.upward(own, programme, [item])
    steps = [("answered the question", int(own[item].notna().sum()))]
    own = own[own[item].notna() & own["person_id"].notna()]
    steps.append(("carry a customer key and may be linked", len(own)))
    people = tables["people"].drop_duplicates("person_id").set_index("person_id") if "people" in tables else pd.DataFrame(columns=["contract", "joined_on", "left_on"])
    orders = purchases(tables)
    rows = own[["answer", "person_id", "wave", "quarter", "answered_on", "weight", "brand", "country"]].assign(score=own[item].astype(float), year=own["quarter"].str[:4])
    rows = rows.sort_values(["answered_on", "answer"], kind="stable", ignore_index=True)
    year = within(rows, orders, first=-YEAR, last=0)
    rows = rows[year["visits"] > 0].reset_index(drop=True)
    steps.append(("had bought within the year before", len(rows)))
    rows = rows[rows["answered_on"] + pd.Timedelta(days=days) <= pd.Timestamp(tables.end)].reset_index(drop=True)
    steps.append((f"have all {days} days after the answer behind them", len(rows)))
    after, before = within(rows, orders, first=1, last=days), within(rows, orders, first=1 - days, last=0)
    if programme.finance.margin_rate is not None and not after["margin"].notna().any():
        after["margin"] = after["spend"] * programme.finance.margin_rate
    rows = rows.join(after).assign(before=before["spend"], per_visit=after["spend"] / after["visits"].where(after["visits"] > 0))
    left, joined = (pd.to_datetime(rows["person_id"].map(people[name])) for name in ("left_on", "joined_on"))
    rows["stays"] = (~(left <= rows["answered_on"] + pd.Timedelta(days=days))).astype(float) if people["left_on"].notna().any() else np.nan  # a file in which nobody ever leaves does not know who left
    rows["tenure"] = (rows["answered_on"] - joined).dt.days.astype(float)
    rows["contacts"] = moments(rows, tables, "interactions", days=days)
    rows["service"] = rows["contacts"] * (programme.finance.contact_cost if programme.finance.contact_cost is not None else np.nan)
    rows["referrals"] = moments(rows, tables, "events", days=days, kinds=programme.referrals) if programme.referrals else np.nan
    rows["group"] = grouped(rows["person_id"], tables)
    rows.attrs["base"] = steps
    return rows


def grouped(persons: pd.Series, tables) -> pd.Series:
    """Return the form of contract of each person, "not told" where the customer file has none; "all" where customers are not told apart."""
    forms = tables["people"].drop_duplicates("person_id").set_index("person_id")["contract"] if "people" in tables else pd.Series(dtype=object)
    return persons.map(forms).astype(object).where(lambda name: name.notna(), "not told") if forms.nunique() > 1 else pd.Series("all", index=persons.index)


def purchases(tables) -> pd.DataFrame:
    """Return the orders of known customers: person_id, day, amount, margin (both in cents, whole numbers; margin empty where the files tell none)."""
    orders = tables["orders"] if "orders" in tables else pd.DataFrame(columns=["person_id", "ordered_on", "amount", "margin"])
    orders = orders[orders["person_id"].notna()]
    cents = {name: (orders[name].astype(float) * 100).round() for name in ("amount", "margin")}
    return pd.DataFrame({"person_id": orders["person_id"], "day": pd.to_datetime(orders["ordered_on"]).dt.normalize(), **cents}).reset_index(drop=True)


def within(rows: pd.DataFrame, orders: pd.DataFrame, *, first: int, last: int) -> pd.DataFrame:
    """Return what each row's customer bought from `first` to `last` days after its answered_on (0 is that day): visits (days with a purchase), spend, margin.

    By sums over each customer's days in order, so that a customer with many answers and many orders costs no more than both together.
    """
    days = orders.assign(bought=(orders["amount"] > 0).astype(float)).groupby(["person_id", "day"], sort=True).agg(visits=("bought", "max"), spend=("amount", "sum"), margin=("margin", "sum")).reset_index()
    names = pd.Index(days["person_id"].unique())
    keys = names.get_indexer(days["person_id"]) * SPAN + _day(days["day"])
    place = names.get_indexer(rows["person_id"])
    start = place * SPAN + _day(rows["answered_on"])
    low, high = np.searchsorted(keys, start + first, side="left"), np.searchsorted(keys, start + last, side="right")
    found = {}
    for name, unit in (("visits", 1.0), ("spend", 100.0), ("margin", 100.0)):
        sums = np.concatenate([[0.0], np.cumsum(days[name].to_numpy(dtype=float))])
        found[name] = np.where(place >= 0, sums[high] - sums[low], 0.0) / unit
    if not orders["margin"].notna().any():
        found["margin"] = np.full(len(rows), np.nan)
    return pd.DataFrame(found, index=rows.index)


def moments(rows: pd.DataFrame, tables, table: str, *, days: int, kinds=()) -> np.ndarray:
    """Return how many contacts ("interactions") or events of some kinds each row's customer had in the days after the answer; empty where the table is not there."""
    if table not in tables:
        return np.full(len(rows), np.nan)
    own = tables[table].dropna(subset=["person_id"])
    own = own[own["kind"].isin(kinds)] if kinds else own
    one = pd.DataFrame({"person_id": own["person_id"], "day": pd.to_datetime(own["at"]).dt.normalize(), "amount": 100.0, "margin": np.nan})
    return within(rows, one, first=1, last=days)["spend"].to_numpy()


def base(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the steps from answers to those who can be followed: step, n, share (of the first)."""
    steps = rows.attrs["base"]
    return pd.DataFrame({"step": [what for what, _ in steps], "n": [n for _, n in steps], "share": [n / max(steps[0][1], 1) for _, n in steps]})


def held(rows: pd.DataFrame, *, outcome: str = "spend") -> dict:
    """Return how much hangs on single customers: share (largest customer's part of the sum), customers, returned (rows below nothing), nothing (part of rows without spend)."""
    sums = rows.groupby("person_id")[outcome].sum()
    whole = sums.clip(lower=0).sum()
    return {"share": float(sums.max() / whole) if whole > 0 else np.nan, "largest": sums.idxmax() if len(sums) else None, "customers": len(sums), "returned": int((rows[outcome] < 0).sum()), "nothing": float((rows[outcome] == 0).mean()) if len(rows) else np.nan}


def _day(days: pd.Series) -> np.ndarray:
    return (pd.to_datetime(days).to_numpy().astype("datetime64[D]").astype(np.int64)) + 200_000


def along(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the curve of every outcome over the score, group by group: group, outcome and what `curves.curve` returns."""
    parts = [curves.curve(own, x="score", y=outcome, cluster="person_id", weight="weight").assign(group=group, outcome=outcome) for group, own in groups(rows) for outcome in OUTCOMES]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "outcome", "score", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "rising"])


def slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a point of the score goes with, group by group: group, outcome and what `curves.slope` returns; D, a description."""
    return pd.DataFrame([{"group": group, "outcome": outcome, **curves.slope(own, x="score", y=outcome, cluster="person_id", weight="weight")} for group, own in groups(rows) for outcome in OUTCOMES])


def opinions(rows: pd.DataFrame, tables, *, survey: str, item: str) -> tuple[pd.DataFrame, opinion.Opinion, thresholds.Lasting | None]:
    """Return the rows with `standing` (the lasting opinion as a usual score, from all answers of the customer in the year up to the day), and what is known of it.

    Where too few were asked again to tell opinion from mood, `standing` is the score as ticked and nothing is known beyond it (None).
    """
    answers = bases.upward(tables["responses"].query("survey == @survey"), tables.programme, [item])
    found = opinion.retest(answers, survey=survey, item=item)
    if found.note:
        return rows.assign(standing=rows["score"]), found, None
    known = opinion.posterior(found, answers, rows, score=item)
    return rows.assign(standing=known @ found.scale), found, thresholds.Lasting(found.scale, known, (found.levels[0], found.levels[-1]))


def broken(rows: pd.DataFrame, lasting: thresholds.Lasting | None = None, *, outcomes=tuple(OUTCOMES), replicates: int = thresholds.REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Return whether and where each outcome has a threshold in `standing`, group by group: group, outcome and what `thresholds.find` returns, with p_holm over the groups' spend.

    Spend is what the study decides on; visits and spend a visit tell where it comes from. `lasting` has a row for each of `rows`, which are numbered from 0.
    """
    parts = [
        thresholds.find(own, x="standing", y=outcome, cluster="person_id", weight="weight", lasting=of(lasting, own), replicates=replicates, seed=seed).assign(group=group, outcome=outcome)
        for group, own in groups(rows) for outcome in outcomes
    ]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=["group", "outcome", *thresholds.COLUMNS, "p_holm"])
    out = pd.concat(parts, ignore_index=True)
    ranked = out.loc[(out["outcome"] == "spend") & out["p"].notna(), "p"].sort_values(kind="stable")
    return out.assign(p_holm=(ranked * np.arange(len(ranked), 0, -1)).cummax().clip(upper=1.0))


def without(rows: pd.DataFrame, lasting: thresholds.Lasting | None, held: dict, *, most: float = 0.1, seed: int = 1) -> pd.DataFrame:
    """Return the thresholds of spend without the largest customer, where that customer holds more than `most` of the spend; else an empty frame."""
    if not held["share"] > most:
        return pd.DataFrame(columns=["group", "outcome", *thresholds.COLUMNS, "p_holm"])
    own = rows[rows["person_id"] != held["largest"]]
    return broken(own.reset_index(drop=True), of(lasting, own), outcomes=("spend",), replicates=199, seed=seed)


def sure(found: pd.DataFrame, alone: pd.DataFrame) -> pd.DataFrame:
    """Return the thresholds with the p of spend no smaller than without the largest customer: a threshold that hangs on one customer is none."""
    other = alone[alone["outcome"] == "spend"].set_index("group")["p_holm"] if len(alone) else pd.Series(dtype=float)
    p = found["group"].map(other).astype(float).where(found["outcome"] == "spend")
    return found.assign(p=found["p"].where(~(p > found["p"]), p), p_holm=found["p_holm"].where(~(p > found["p_holm"]), p))


def of(lasting: thresholds.Lasting | None, own: pd.DataFrame) -> thresholds.Lasting | None:
    """Return what is known of the opinions of some of the rows."""
    return None if lasting is None else lasting._replace(known=lasting.known[own.index.to_numpy()])


def groups(rows: pd.DataFrame, *, fewest: int = thresholds.FEWEST):
    """Yield the forms of contract with at least so many customers, the largest first: (name, rows)."""
    sizes = rows.groupby("group")["person_id"].nunique().sort_values(ascending=False, kind="stable")
    for name in sizes.index[sizes >= fewest]:
        yield name, rows[rows["group"] == name]
