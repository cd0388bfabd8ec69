"""How long customers with a contract stay, and what one who stays is worth: survival with delayed entry, margin and discount."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError

Z = 1.959963984540054
YEAR, MONTH = 365.25, 365.25 / 12
ENOUGH = 10  # leavers under which a segment has no rate of its own


def tenures(people: pd.DataFrame, *, until, since=None) -> pd.DataFrame:
    """Return how long each customer has been watched: person_id, entry, days (both in days since the day of joining), left (whether they left then).

    in: people (person_id, joined_on, left_on). Who joined before `since`, the first day on which leaving would be in the file, counts only from then on
    (delayed entry): those who had left before are not in the file, and taking the others from their first day would make everybody look loyal.
    `since` defaults to the day the first customer left (`attrs["since"]`); `attrs["late"]` counts delayed entries, `attrs["undated"]` customers without a first day.
    errors: DataError where nobody has a first day, or one left before joining.
    """
    until = pd.Timestamp(until)
    dated = people[people["joined_on"].notna()]
    if dated.empty:
        raise DataError("people: nobody has a day of joining (joined_on); without it nothing can be said of how long customers stay.")
    odd = dated[dated["left_on"] < dated["joined_on"]]
    if len(odd):
        raise DataError(f"people: '{odd['person_id'].iloc[0]}' left on {odd['left_on'].iloc[0].date()}, before joining on {odd['joined_on'].iloc[0].date()}; correct one of the two.")
    known = dated["left_on"].where(dated["left_on"] <= until)
    since = pd.Timestamp(since) if since is not None else known.min()
    own = dated[(dated["joined_on"] <= until)]
    end = own["left_on"].where(own["left_on"] <= until)
    last = end.fillna(until)
    first = own["joined_on"].where(own["joined_on"] >= since, since) if pd.notna(since) else own["joined_on"]
    out = own.assign(entry=(first - own["joined_on"]).dt.days.astype(float), days=(last - own["joined_on"]).dt.days.astype(float), left=end.notna())
    # who leaves on the day of joining is watched for half a day, or the rate of the first day would have nobody at risk
    out["days"] = out["days"].where(out["days"] > 0, 0.5)
    out = out[out["days"] > out["entry"]].drop(columns=["joined_on", "left_on"]).reset_index(drop=True)
    out.attrs |= {"since": since, "late": int((out["entry"] > 0).sum()), "undated": int(people["joined_on"].isna().sum())}
    return out


def survival(frame: pd.DataFrame, *, days="days", left="left", entry=None, weight=None) -> pd.DataFrame:
    """Return the product-limit (Kaplan-Meier) curve, with delayed entry where `entry` names the age at which each row comes under observation.

    out, a row a day on which somebody left: day, at_risk, gone, estimate, std_error (Greenwood), conf_low, conf_high (log(-log), 95 %). A row is at risk on
    the days in (entry, days].
    """
    w = np.ones(len(frame)) if weight is None else frame[weight].to_numpy(float)
    last, gone = frame[days].to_numpy(float), frame[left].to_numpy(bool)
    first = np.full(len(frame), -np.inf) if entry is None else frame[entry].to_numpy(float)
    if (first >= last).any():
        raise DataError("A customer comes under observation on or after the last day; such rows say nothing and must be left out.")
    at = np.unique(last[gone])
    order_last, order_first = np.argsort(last, kind="stable"), np.argsort(first, kind="stable")
    summed = lambda order: np.r_[0.0, np.cumsum(w[order])]
    risk = w.sum() - summed(order_last)[np.searchsorted(last[order_last], at, side="left")] - (w.sum() - summed(order_first)[np.searchsorted(first[order_first], at, side="left")])
    died = np.bincount(np.searchsorted(at, last[gone]), weights=w[gone], minlength=len(at))
    stays = np.cumprod(1 - died / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(died / (risk * (risk - died)))
        half = Z * np.sqrt(spread) / np.log(stays)
        low, high, error = stays ** np.exp(-half), stays ** np.exp(half), stays * np.sqrt(spread)
    return pd.DataFrame({"day": at, "at_risk": risk, "gone": died, "estimate": stays, "std_error": error, "conf_low": low, "conf_high": high})


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the monthly rate of leaving by length of tenure: start, end (months; the last band is open), exposure (customer-months), gone, rate, spread (its variance).

    in: `tenures`. Occurrence over exposure, constant within bands of equal exposure, as many as have ten leavers on average (24 at most). The bands are cut by exposure,
    not at leavers, because a band that ends with a leaver has too high a rate.
    """
    entry, end = frame["entry"].to_numpy(float) / MONTH, frame["days"].to_numpy(float) / MONTH
    months = int(np.ceil(end.max()))
    seen = np.array([(np.clip(end, low, low + 1) - np.clip(entry, low, low + 1)).sum() for low in range(months)])
    gone = np.bincount((np.ceil(end[frame["left"].to_numpy(bool)]).astype(int) - 1).clip(0), minlength=months)
    bands = int(np.clip(gone.sum() // ENOUGH, 1, 24))
    band = np.minimum((seen.cumsum() - seen / 2) / seen.sum() * bands, bands - 1).astype(int)
    out = pd.DataFrame({"band": band, "start": range(months), "exposure": seen, "gone": gone}).groupby("band", as_index=False).agg(start=("start", "min"), exposure=("exposure", "sum"), gone=("gone", "sum"))
    out = out.assign(end=np.r_[out["start"].to_numpy()[1:], np.inf], rate=out["gone"] / out["exposure"])
    # a band nobody left in still has an error: half a leaver is added, as Jeffreys' prior does
    return out.assign(spread=out["gone"].clip(lower=0.5) / out["exposure"] ** 2)[["start", "end", "exposure", "gone", "rate", "spread"]]


def remaining(frame: pd.DataFrame, *, months: int = 36, discount: float = 0.0) -> dict:
    """Return how many of the next `months` a customer of today stays for, each month counted at its present value.

    in: `tenures`; those still there weigh alike. out: estimate, std_error (delta method over the rates, Greenwood's argument), n (customers today), gone, years (customer-years
    watched), carried (share of the estimate at tenures longer than any that was observed, where the last band's rate is carried on), profile (share by month, undiscounted).
    """
    table, stay = rates(frame), frame[~frame["left"]]
    if stay.empty:
        raise DataError("Nobody is a customer any more; what a customer is worth cannot be said.")
    u, share = np.unique((stay["days"].to_numpy() / MONTH).astype(int), return_counts=True)
    share = share / share.sum()
    month = u[:, None] + np.arange(months)
    band = np.searchsorted(table["start"], month, side="right") - 1
    hazard = table["rate"].to_numpy()[band]
    alive = np.exp(-(np.cumsum(hazard, axis=1) - hazard / 2))
    paid = alive * (1 + discount) ** (-(np.arange(months) + 0.5) / 12)
    after = paid[:, ::-1].cumsum(axis=1)[:, ::-1] - paid / 2  # what a rise of the rate in that month takes away
    slope = np.bincount(band.ravel(), weights=(share[:, None] * after).ravel(), minlength=len(table))
    total = float(share @ paid.sum(axis=1))
    beyond = month >= frame["days"].max() / MONTH
    return {"estimate": total, "std_error": float(np.sqrt((slope**2 * table["spread"]).sum())), "n": len(stay), "gone": int(table["gone"].sum()), "years": float(table["exposure"].sum() / 12)} | {
        "carried": float((share[:, None] * paid * beyond).sum() / total), "profile": (share @ alive) / (share @ alive).sum(), "still": float(share @ np.exp(-hazard.sum(axis=1)))}  # fmt: skip


def margins(people: pd.DataFrame, orders: pd.DataFrame, *, until, months: int = 12, value="margin") -> dict:
    """Return what a customer brings in a month of being one: the sum over the last `months` by the customer-months in them (ratio of means, customers as clusters).

    in: people (person_id, joined_on, left_on), orders (person_id, ordered_on, `value`). out: estimate, std_error, n (customers), months (customer-months), largest (largest
    share of one customer; half of all says that the mean is that customer's).
    """
    until = pd.Timestamp(until)
    begin = until - pd.Timedelta(days=round(months * MONTH))
    own = orders[(orders["ordered_on"] > begin) & (orders["ordered_on"] <= until) & orders["person_id"].isin(people["person_id"])]
    if own[value].isna().any():
        raise DataError(f"orders: {int(own[value].isna().sum())} rows carry no {value}; add it, or give finance.margin_rate.")
    cents = (own[value].astype(float) * 100).round().groupby(own["person_id"]).sum() / 100
    first, last = people["joined_on"].clip(lower=begin), people["left_on"].where(people["left_on"] <= until, until)
    spent = ((last - first).dt.days.clip(lower=0) / MONTH).to_numpy()
    there = spent > 0
    brought, spent = people["person_id"].map(cents).fillna(0.0).to_numpy()[there], spent[there]
    if not there.any():
        raise DataError("orders: no customer was one in the last year; what a month brings cannot be said.")
    mean, n = brought.sum() / spent.sum(), len(spent)
    error = np.sqrt(n / max(n - 1, 1) * ((brought - mean * spent) ** 2).sum()) / spent.sum()
    return {"estimate": mean, "std_error": error, "n": n, "months": spent.sum(), "largest": float(np.abs(brought).max() / np.abs(brought).sum()) if brought.any() else 0.0}


def values(people: pd.DataFrame, orders: pd.DataFrame, *, until, by=None, months: int = 36, discount: float = 0.08, value="margin", since=None) -> pd.DataFrame:
    """Return what a customer of today is still worth over the next `months`, by segment: expected months times margin a month, discounted.

    in: people (person_id, joined_on, left_on and `by`), orders. out: segment ("" for all, first), n (customers today), gone (who left), years (customer-years watched), still
    (expected share of today's customers there at the end of the year), margin_month (with _low, _high), months (horizon), estimate, std_error, conf_low, conf_high (normal,
    months and margin taken as independent), plain (undiscounted, with plain_error), carried, largest, note. A segment with fewer than ten leavers has no rate of its own: it says so.
    """
    watched = tenures(people, until=until, since=since)
    groups = [("", watched)] + ([(str(name), part) for name, part in watched.groupby(by, sort=True)] if by else [])
    rows = []
    for name, part in groups:
        row = {"segment": name, "n": int((~part["left"]).sum()), "gone": int(part["left"].sum()), "months": months, "note": ""}
        if row["n"] == 0 or row["gone"] < ENOUGH:
            rows.append(row | {"note": f"not estimable ({row['n']} customers today, {row['gone']} left; {ENOUGH} leavers are needed for a rate)"})
            continue
        stays, plain, year = (remaining(part, months=length, discount=rate) for length, rate in ((months, discount), (months, 0.0), (12, 0.0)))
        brings = margins(people[people["person_id"].isin(part["person_id"])], orders, until=until, value=value)
        m, e = brings["estimate"], brings["std_error"]
        error = lambda one, m=m, e=e: float(np.sqrt((one["std_error"] * m) ** 2 + (one["estimate"] * e) ** 2 + (one["std_error"] * e) ** 2))
        row |= {"years": stays["years"], "still": year["still"], "margin_month": m, "margin_low": m - Z * e, "margin_high": m + Z * e, "estimate": stays["estimate"] * m, "std_error": error(stays)}
        row |= {"conf_low": row["estimate"] - Z * row["std_error"], "conf_high": row["estimate"] + Z * row["std_error"], "plain": plain["estimate"] * m, "plain_error": error(plain), "carried": stays["carried"], "largest": brings["largest"]}
        rows.append(row)
    return pd.DataFrame(rows)
