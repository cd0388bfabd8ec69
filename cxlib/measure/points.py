"""What a point of a key figure goes with in the year after: retention, spend, margin, cost to serve and referrals by class at the survey, adjusted, and within customers.

Observed and adjusted at best (grade C): who is satisfied differs from others in more than what is held here. Said inside the range that was seen.
"""

import numpy as np
import pandas as pd

from cxlib.measure import curves

OUTCOMES = {"stays": "share", "spend": "money", "margin": "money", "contacts": "contacts", "service": "money", "referrals": "referrals"}
HELD = ("group", "year", "before", "tenure")
STEP = 10  # points of NPS that are told together: five of a hundred customers from one end to the other


def classes(rows: pd.DataFrame, kpi, *, low: float, high: float) -> pd.Series:
    """Return the class of each score: detractors, passives, promoters of an NPS; of another scale its two best points, its two poorest, and those between."""
    if kpi.definition == "nps_0_10":
        names, edges = ("detractors (0 to 6)", "passives (7 to 8)", "promoters (9 to 10)"), (6, 8)
    else:
        edges = (low + 1, high - 2)
        span = lambda first, last: f"{first:g} to {last:g}" if last > first else f"{first:g}"
        names = (span(low, edges[0]), span(edges[0] + 1, edges[1]), span(edges[1] + 1, high))
    found = np.select([rows["score"] <= edges[0], rows["score"] <= edges[1]], names[:2], names[2])
    return pd.Series(found, index=rows.index)


def by_class(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each outcome of the year after by class at the survey, with customers as clusters: class, outcome, unit and what `curves.mean` returns. `rows` carry `class`."""
    found = [
        {"class": name, "outcome": outcome, "unit": unit, **curves.mean(own, y=outcome, cluster="person_id", weight="weight")}
        for outcome, unit in OUTCOMES.items() if outcome in rows and rows[outcome].notna().any() for name, own in rows.groupby("class", sort=True)
    ]  # fmt: skip
    return pd.DataFrame(found, columns=["class", "outcome", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff"])


def per_point(rows: pd.DataFrame, kpi) -> pd.DataFrame:
    """Return what a step of the key figure goes with, a customer and year: as observed, with what is known of the customer held, and within customers over time.

    in: rows of `chain.linked` over a year with `class`. A step is 10 points of an NPS, got by five of a hundred customers moving from detractor to promoter; of another figure a point of the scale. out: outcome, unit, basis ("observed";
    "adjusted": form of contract, year, spend before and time as a customer held, least squares; "within": each customer's own changes of score and outcome), estimate, std_error, conf_low, conf_high, p, n, n_eff, note.
    Retention is not compared within customers, who leave once. Source: Angrist & Pischke (2009), Mostly Harmless Econometrics, ch. 3 and 5.
    """
    nps, made = kpi.definition == "nps_0_10", []
    ends = rows[rows["score"].le(6) | rows["score"].ge(9)].assign(step=lambda own: own["score"].ge(9).astype(float)) if nps else rows.assign(step=rows["score"])
    size = STEP / 200 if nps else 1.0
    held = [name for name in HELD if ends[name].notna().any() and ends[name].nunique() > 1]
    for outcome, unit in OUTCOMES.items():
        if outcome not in rows or not rows[outcome].notna().any():
            continue
        for basis in ("observed", "adjusted", *(("within",) if outcome != "stays" else ())):
            own = _within(ends, outcome) if basis == "within" else ends
            found = curves.slope(own, x="step", y=outcome, cluster="person_id", weight="weight", held=held if basis == "adjusted" else ())
            made.append({"outcome": outcome, "unit": unit, "basis": basis, **found, **{name: found[name] * size for name in ("estimate", "std_error", "conf_low", "conf_high")}})
    return pd.DataFrame(made, columns=["outcome", "unit", "basis", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_eff", "note"])


def _within(rows: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The answers of customers with several, as departures from each customer's own mean."""
    own = rows[rows.groupby("person_id")["step"].transform("size") > 1].dropna(subset=[outcome])
    means = own.groupby("person_id")[["step", outcome]].transform("mean")
    return own.assign(step=own["step"] - means["step"], **{outcome: own[outcome] - means[outcome]})


def seen(rows: pd.DataFrame, kpi) -> tuple[float, float]:
    """Return the lowest and highest level of the key figure over the quarters with 30 answers: the range within which a step is told."""
    score = rows["score"]
    value = (score.ge(9).astype(float) - score.le(6).astype(float)) * 100 if kpi.definition == "nps_0_10" else score
    levels = value.groupby(rows["quarter"]).agg(["mean", "size"]).query("size >= 30")["mean"]
    return (float(levels.min()), float(levels.max())) if len(levels) else (np.nan, np.nan)
