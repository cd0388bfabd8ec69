"""Visits and what they bring: whether those who come more often spend more the next time, and which of the two moved spend.

Spend is customers x days with a purchase x spend a day, exactly; so every difference of spend falls into these parts with nothing left over. This link of the
chain needs orders alone, and stands where nobody was asked anything.
Sources: Ang (2004), Energy Policy 32, 1131-1139 (parts by logarithmic means); Huber (1967), Fifth Berkeley Symposium 1, 221-233 (intervals from what each customer adds).
"""

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import quarters
from cxlib.measure import chain, curves

PARTS, FEWEST = ("customers", "visits", "per_visit"), 30
SHOWN = 10  # customers behind a point of the curve at least
COLUMNS = ["group", "basis", "part", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "note"]


def followed(tables, *, days: int = 90) -> pd.DataFrame:
    """Return one row a customer who bought in the `days` up to a day that lies `days` before the last order: what they did then and afterwards.

    out: person_id, group (form of contract; "all" where none is told), visits (days with a purchase), spend, per_visit (spend / visits) in the first stretch, later_visits and later_spend in the second, in which whoever
    did not come counts with nothing. Whoever is looked at is known before the second begins. Empty where the orders do not reach back over both stretches. `attrs`: day (between them), first (day of the earliest order), unknown (share of all purchases, by amount, whose customer is not known).
    """
    orders = chain.purchases(tables)
    blank = pd.DataFrame(columns=["person_id", "group", "visits", "spend", "per_visit", "later_visits", "later_spend"])
    if orders.empty:
        return blank
    first, last = orders["day"].min(), min(orders["day"].max(), pd.Timestamp(tables.end))
    day = last - pd.Timedelta(days=days)
    if first > day - pd.Timedelta(days=days - 1):
        blank.attrs |= {"day": day.date(), "first": first.date()}
        return blank
    who = pd.DataFrame({"person_id": np.sort(orders["person_id"].unique().astype(object)), "answered_on": day})
    then, later = chain.within(who, orders, first=1 - days, last=0), chain.within(who, orders, first=1, last=days)
    rows = who[["person_id"]].assign(group=chain.grouped(who["person_id"], tables), visits=then["visits"], spend=then["spend"], later_visits=later["visits"], later_spend=later["spend"])
    rows = rows[rows["visits"] > 0].reset_index(drop=True).assign(per_visit=lambda own: own["spend"] / own["visits"])
    rows.attrs |= {"day": day.date(), "first": first.date(), "unknown": _unknown(tables)}
    return rows[list(blank.columns)]


def _unknown(tables) -> float:
    orders = tables["orders"][["person_id", "amount"]]
    bought = orders["amount"].clip(lower=0).astype(float)
    return float(bought[orders["person_id"].isna()].sum() / bought.sum()) if bought.sum() > 0 else 0.0


def along(rows: pd.DataFrame, *, most: int = 12) -> pd.DataFrame:
    """Return the curve over the days with a purchase, group by group: group, outcome ("later_spend": what came in the next days; "per_visit": spend a day then), visits and what `curves.curve` returns.

    The highest numbers of days are one point, "so many or more", from where fewer than ten customers would stand behind the next: what single customers spend is shown nowhere.
    """
    parts = [curves.curve(own.assign(visits=_pooled(own["visits"])), x="visits", y=outcome, cluster="person_id", most=most).assign(group=group, outcome=outcome) for group, own in chain.groups(rows, fewest=FEWEST) for outcome in ("later_spend", "per_visit")]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "outcome", "visits", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "rising"])


def _pooled(visits: pd.Series) -> pd.Series:
    """Return days with a purchase, from both ends pooled until ten customers stand behind the first and the last number."""
    ordered = np.sort(visits.to_numpy(float))
    return visits.astype(float).clip(ordered[SHOWN - 1], ordered[-SHOWN]) if len(ordered) >= 2 * SHOWN else visits.astype(float)


def apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the differences of spend between customers lie in, group by group, and what a day more goes with afterwards.

    out: basis "between", part "visits" (share of the variance of log spend that goes with log visits; the rest is spend a day), unit share, of customers who spent something; basis "after", part "visits" (later spend for a day more, customers as draws),
    unit money; with std_error, conf_low, conf_high, n, note. Source of the share: Fields (2003), Research in Labor Economics 22, 1-38.
    """
    made = []
    for group, own in chain.groups(rows, fewest=FEWEST):
        made.append({"group": group, "basis": "between", "part": "visits", "unit": "share", **_share(own)})
        step = curves.slope(own, x="visits", y="later_spend") if (why := _alike(own)) == "" else dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan) | {"n": len(own), "note": why}
        made.append({"group": group, "basis": "after", "part": "visits", "unit": "money", **{name: step[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "n")}, "note": step.get("note", "")})
    return pd.DataFrame(made, columns=COLUMNS)


def _share(rows: pd.DataFrame) -> dict:
    own = rows[rows["spend"] > 0]
    blank = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan) | {"n": len(own)}
    often, whole = np.log(own["visits"].to_numpy(float)), np.log(own["spend"].to_numpy(float))
    if (why := _alike(own)) or not np.ptp(whole) > 0:
        return blank | {"note": why or "not estimable (all spent the same)"}
    often, whole = often - often.mean(), whole - whole.mean()
    estimate = float(often @ whole / (whole @ whole))
    error = float(np.sqrt(((often - estimate * whole) ** 2 * whole**2).sum()) / (whole @ whole) * np.sqrt(len(own) / (len(own) - 2)))
    half = stats.t.ppf(0.975, len(own) - 2) * error
    return blank | {"estimate": estimate, "std_error": error, "conf_low": estimate - half, "conf_high": estimate + half, "note": ""}


def _alike(rows: pd.DataFrame) -> str:
    """Why nothing can be told of how often customers come: nearly all come on as many days."""
    other = len(rows) - int(rows["visits"].value_counts().iloc[0]) if len(rows) else 0
    return "" if other >= FEWEST else f"not estimable (of {len(rows):,} customers all but {other:,} bought on as many days)"


def moved(tables) -> pd.DataFrame:
    """Return how spend of known customers moved to the quarter, against the quarter before and that of a year before, and in which parts: COLUMNS, unit money.

    basis: the quarter compared with; part: all, and customers (who bought), visits (days with a purchase each), per_visit (spend a day), which add up to all. Quarters that the orders do not cover whole are left out; season is in the first comparison.
    Intervals from what each customer adds to the sums of both quarters (customers as draws, delta method).
    """
    programme, orders = tables.programme, chain.purchases(tables)
    calendar = {"start": programme.fiscal_year_start, "label": programme.fiscal_year_label}
    made, now = [], quarters.bounds(tables.quarter, **calendar)
    orders = orders.assign(group=chain.grouped(orders["person_id"], tables)) if len(orders) else orders.assign(group="all")
    for group, own in chain.groups(orders, fewest=FEWEST):
        for back in (1, 4):
            other = quarters.back(tables.quarter, back)
            then = quarters.bounds(other, **calendar)
            if own["day"].min() > pd.Timestamp(then[0]) + pd.Timedelta(days=7) or own["day"].max() < pd.Timestamp(now[1]) - pd.Timedelta(days=7):
                continue
            made += [{"group": group, "basis": other, "unit": "money", **row} for row in _moves(_sums(own, then), _sums(own, now))]
    return pd.DataFrame(made, columns=COLUMNS)


def _sums(orders: pd.DataFrame, ends: tuple[dt.date, dt.date]) -> pd.DataFrame:
    """What each customer adds to a quarter: one (who bought), days with a purchase, spend."""
    own = orders[(orders["day"] >= pd.Timestamp(ends[0])) & (orders["day"] <= pd.Timestamp(ends[1]))]
    days = own[own["amount"] > 0].groupby("person_id")["day"].nunique()
    return pd.DataFrame({"spend": own.groupby("person_id")["amount"].sum() / 100, "visits": days}).fillna(0.0).assign(customers=lambda rows: (rows["visits"] > 0).astype(float))[["customers", "visits", "spend"]]


def _moves(then: pd.DataFrame, now: pd.DataFrame) -> list[dict]:
    """The parts of the move of spend from one quarter to the other."""
    each = pd.concat([then, now], axis=1).fillna(0.0).to_numpy(float)
    sums = each.sum(axis=0)
    if (sums <= 0).any():
        return []
    step = 1e-30
    slopes = np.array([np.imag(_parts(sums + 1j * step * unit)) / step for unit in np.eye(6)])  # exact: the parts are smooth functions of six sums
    error = np.sqrt(((each @ slopes) ** 2).sum(axis=0))
    found = [float(value) for value in np.real(_parts(sums + 0j))]
    half = stats.norm.ppf(0.975)
    return [{"part": part, "estimate": value, "std_error": wide, "conf_low": value - half * wide, "conf_high": value + half * wide, "n": len(each), "note": ""} for part, value, wide in zip(("all", *PARTS), found, error.tolist(), strict=True)]


def _parts(sums: np.ndarray) -> np.ndarray:
    """All, customers, visits each and spend a day: their share of the move, by logarithmic means."""
    people, visits, spend, people_now, visits_now, spend_now = sums
    moved = np.log(spend_now / spend)
    mean = (spend_now - spend) / moved if abs(moved) > 1e-9 else (spend + spend_now) / 2
    parts = [np.log(people_now / people), np.log((visits_now / people_now) / (visits / people)), np.log((spend_now / visits_now) / (spend / visits))]
    return np.array([spend_now - spend, *(mean * part for part in parts)])
