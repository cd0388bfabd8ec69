"""Our own forecasts: what we say will be, kept with the edition that said it, and how often it came."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import quarters
from cxlib.act import lifetime
from cxlib.errors import DataError

Z = 1.959963984540054
FORECASTS = ["forecast", "kind", "what", "made_in", "due", "unit", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "grade", "source", "note"]
SCORED = [*FORECASTS, "actual", "inside"]
FEW = 20  # settled forecasts under which a coverage tells little


def leaving(people: pd.DataFrame, *, until, to) -> dict:
    """Return how many of today's customers will have left by `to`: estimate, std_error, conf_low, conf_high (quantiles of a beta-binomial with that mean and spread), n.

    From the rates of leaving by tenure; the spread is that of chance and of the rates' own error.
    """
    watched = lifetime.tenures(people[people["joined_on"] <= pd.Timestamp(until)], until=until)
    table, stay = lifetime.rates(watched), watched[~watched["left"]]
    months = (pd.Timestamp(to) - pd.Timestamp(until)).days / lifetime.MONTH
    band = np.searchsorted(table["start"], stay["days"].to_numpy() / lifetime.MONTH + months / 2, side="right") - 1
    chance = -np.expm1(-table["rate"].to_numpy()[band] * months)
    slope = np.bincount(band, weights=(1 - chance) * months, minlength=len(table))
    spread = (slope**2 * table["spread"]).sum()
    mean, n = chance.sum(), len(stay)
    low, high = _between(n, mean, (chance * (1 - chance)).sum() + spread)
    return {"estimate": float(mean), "std_error": float(np.sqrt((chance * (1 - chance)).sum() + spread)), "conf_low": low, "conf_high": high, "n": n}


def _between(n, mean, variance):
    """Return the 2.5 and 97.5 % points of a count out of n with this mean and variance."""
    share = mean / n
    plain = n * share * (1 - share)
    if variance <= plain * (1 + 1e-9) or n < 2:
        found = stats.binom(n, share)
    else:
        rho = min((variance / plain - 1) / (n - 1), 0.99)
        found = stats.betabinom(n, share * (1 / rho - 1), (1 - share) * (1 / rho - 1))
    return float(found.ppf(0.025)), float(found.ppf(0.975))


def left(people: pd.DataFrame, *, until, to) -> int:
    """Return how many of those who were customers on `until` had left by `to`."""
    there = (people["joined_on"] <= pd.Timestamp(until)) & ~(people["left_on"] <= pd.Timestamp(until))
    return int((there & (people["left_on"] <= pd.Timestamp(to))).sum())


def standing(tables, *, quarter: str | None = None) -> pd.DataFrame:
    """Return the forecasts that every report makes (`FORECASTS`): how many of today's customers leave in the next quarter. Empty where the people table does not tell who left."""
    programme = tables.programme
    now = quarter or tables.quarter
    people = tables["people"] if "people" in tables else pd.DataFrame(columns=["left_on"])
    end = _end(now, programme)
    gone = (people["left_on"] <= pd.Timestamp(end)).sum() if len(people) else 0
    if gone < lifetime.ENOUGH:
        return pd.DataFrame(columns=FORECASTS)
    due = quarters.back(now, -1)
    try:
        row = leaving(people, until=end, to=_end(due, programme))
    except DataError:  # `equity.kept` says what contradicts itself in the customer file
        return pd.DataFrame(columns=FORECASTS)
    return pd.DataFrame([row | {"forecast": "leaving", "kind": "count", "what": "customers who leave in the next quarter", "made_in": now, "due": due, "unit": "customers", "p": np.nan, "grade": "D", "source": "", "note": ""}])[FORECASTS]


def plans(worth: pd.DataFrame, actions, *, made_in: str, programme) -> pd.DataFrame:
    """Return what the actions still to come are expected to bring, as forecasts: the value by the end of the year after their last day, and the chance that it pays.

    in: `returns.measures` of their accounts. They are due in the quarter in which that year ends.
    """
    known, rows = {action.id: action for action in actions}, []
    for name, own in worth.groupby("action", sort=False):
        at = own.set_index("measure")
        due = programme.quarter_of((pd.Timestamp(known[name].end) + pd.Timedelta(days=365)).date())
        row = {key: at.loc["value", key] for key in ("estimate", "std_error", "conf_low", "conf_high")}
        rows.append(row | {"forecast": f"value.{name}", "kind": "value", "what": f"value of {known[name].name}", "made_in": made_in, "due": due, "unit": programme.currency, "p": at.loc["p_pays", "estimate"], "n": at.loc["value", "n"], "grade": at.loc["value", "grade"], "source": "", "note": ""})
    return pd.DataFrame(rows, columns=FORECASTS)


def made(tables, worth: pd.DataFrame, plan) -> pd.DataFrame:
    """Return the forecasts of this report (`FORECASTS`): those every report makes, and what the actions still to come are expected to bring."""
    parts = [part for part in (standing(tables), plans(worth, plan.actions, made_in=tables.quarter, programme=tables.programme)) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FORECASTS)


def before(tables, published: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of earlier quarters: those that editions published, and the standing ones made anew from what was known then."""
    parts = [part for part in (published, remade(tables)) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FORECASTS)


def remade(tables, *, most: int = 8) -> pd.DataFrame:
    """Return the standing forecasts of up to `most` earlier quarters, made anew from what was known at their ends (source "remade"): how good the way of forecasting is, before any edition has been settled."""
    programme, parts = tables.programme, []
    if "people" not in tables:
        return pd.DataFrame(columns=FORECASTS)
    first = tables["people"]["left_on"].min()
    for back in range(1, most + 1):
        quarter = quarters.back(tables.quarter, back)
        # a rate needs a year of leaving behind it
        if pd.isna(first) or pd.Timestamp(_end(quarter, programme)) < first + pd.Timedelta(days=365):
            break
        parts.append(standing(tables, quarter=quarter).assign(source="remade"))
    return pd.concat(parts[::-1], ignore_index=True) if parts else pd.DataFrame(columns=FORECASTS)


def settled(forecasts: pd.DataFrame, tables, measured: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts that are due, with what came (`SCORED`): actual, inside (1 where it lies in the interval).

    in: forecasts of earlier quarters, the tables of this one, and the finding `roi`: the value of an action counts as measured at grades A to C. What is not due or cannot be measured is left out.
    """
    rows = []
    for row in forecasts[forecasts["due"] <= tables.quarter].to_dict("records"):
        actual = np.nan
        if row["forecast"] == "leaving" and "people" in tables:
            actual = left(tables["people"], until=_end(row["made_in"], tables.programme), to=_end(row["due"], tables.programme))
        elif row["kind"] == "value":
            own = measured[(measured["action"] == row["forecast"].removeprefix("value.")) & (measured["measure"] == "value") & measured["grade"].isin(list("ABC"))]
            actual = own["estimate"].iloc[0] if len(own) else np.nan
        if actual == actual:
            rows.append(row | {"actual": float(actual), "inside": int(row["conf_low"] <= actual <= row["conf_high"])})
    return pd.DataFrame(rows, columns=SCORED)


def calibration(scored: pd.DataFrame, measured: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say how good our forecasts were, one row a source: n, inside, estimate (share inside), conf_low, conf_high (Wilson), bias (mean of (actual - forecast) / standard deviation), brier and n_brier
    (mean squared error of the chance that an action pays, over those whose net was measured), verdict ("too few to judge", "kept", "too narrow", "too wide").

    Intervals of 95 % that hold the truth less often are too narrow. Under twenty settled forecasts a share says little, and nothing is said of it unless it already rules 95 % out.
    """
    rows = []
    for source, own in scored.groupby(np.where(scored["source"] == "remade", "remade", "published"), sort=True):
        n, inside = len(own), int(own["inside"].sum())
        centre, half = (inside / n + Z**2 / (2 * n)) / (1 + Z**2 / n), Z * np.sqrt(inside / n * (1 - inside / n) / n + Z**2 / (4 * n * n)) / (1 + Z**2 / n)
        low, high = centre - half, centre + half
        verdict = "too narrow" if high < 0.95 else "too wide" if low > 0.95 else "too few to judge" if n < FEW else "kept"
        brier = _brier(own, measured)
        rows.append({"source": source, "n": n, "inside": inside, "estimate": inside / n, "conf_low": max(low, 0.0), "conf_high": min(high, 1.0), "bias": float(((own["actual"] - own["estimate"]) / own["std_error"]).mean()), **brier, "verdict": verdict})
    return pd.DataFrame(rows, columns=["source", "n", "inside", "estimate", "conf_low", "conf_high", "bias", "brier", "n_brier", "verdict"])


def _brier(own, measured):
    """Return the Brier score of the chances that actions pay, against whether their measured net was above zero."""
    if measured is None or measured.empty:
        return {"brier": np.nan, "n_brier": 0}
    net = measured[measured["measure"] == "net"].set_index("action")["estimate"]
    told = own[own["p"].notna()]
    paid = told["forecast"].str.removeprefix("value.").map(net)
    known = paid.notna()
    return {"brier": float(((told["p"] - (paid > 0))[known] ** 2).mean()) if known.any() else np.nan, "n_brier": int(known.sum())}


def _end(quarter, programme):
    return quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[1]
