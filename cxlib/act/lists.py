"""Actions for customers chosen by a rule: those on the list against customers like them who were not, weighted until they are alike."""

import numpy as np
import pandas as pd

from cxlib.act import grades, matching, outcomes, overlap
from cxlib.errors import DataError

WORDS = ("contract", "segment", "brand", "region")  # of the customer file, where it has them
PAST = ("before", "earlier")
MOST = 0.9  # of the calls are made by the day from which low scorers are compared
FAR = 6.0  # standard deviations from the mean beyond which one customer can bring two means together


def cohort(action, tables) -> pd.DataFrame:
    """Return those on the list and those who could have been: person_id, treated, assigned_on, outcome, covariates.

    The others are customers who never were on this list. Where the list was made of low scorers (`cut`), they are those with equally low scores who were not called, and both are dated the same days after their answer (`_low_scorers`); else each has a day of assignment
    that is drawn from the days of the list in order, whatever they did later (no immortal time), on which they were customers. Covariates: the outcome in as many days before, in as many before these, tenure, and what the
    customer file says (contract, segment, brand, region); the score, where the list was made by it; and where one customer's past lies far out, everybody's place in the order of it too (columns before_place, earlier_place), because then the means of two groups can be alike though hardly anybody is. `attrs`: cut, gone, unobserved (treated whose time before is not in the files), strange (treated who are not in the customer file).
    """
    log = tables["actions"]
    chosen = log[(log["action_id"] == action.id) & (log["arm"] == "treated")].sort_values(["assigned_on", "person_id"], kind="stable").drop_duplicates("person_id")
    if "people" not in tables:
        raise DataError("customers who were not on the list are not known: a customer file (the table people) would name them")
    people = tables["people"].drop_duplicates("person_id").set_index("person_id")
    scored, day = action.cut is not None and bool(action.kpi), 0
    if scored:
        rows, day = _low_scorers(action, chosen, tables)
        rows["score"] = _scores(action, rows, tables)
    else:
        rows = pd.concat([chosen[["person_id", "assigned_on"]].assign(treated=True), _undated(chosen, people).assign(treated=False)], ignore_index=True)
    strange = int((rows["treated"] & ~rows["person_id"].isin(people.index)).sum())
    rows = rows[rows["person_id"].isin(people.index) & (rows["score"].notna() if "score" in rows else True)]
    file = people.reindex(rows["person_id"]).reset_index()
    here = ~(file["joined_on"] > rows["assigned_on"].to_numpy()).to_numpy() & ~(file["left_on"] < rows["assigned_on"].to_numpy()).to_numpy()
    rows = rows[here].reset_index(drop=True)
    told = outcomes.of(action, rows.assign(arm=np.where(rows["treated"], "treated", "control"), action_id=action.id), tables)
    bought = outcomes.entries(action, tables)
    past = outcomes.in_window(told.drop(columns=["outcome", "before"]).assign(assigned_on=told["assigned_on"] - pd.Timedelta(days=action.window_days)), bought.rename(columns={"day": "ordered_on"}), days=action.window_days, value="value", until=tables.end).set_index("person_id")
    made = told.assign(earlier=told["person_id"].map(past["before"]))
    file = people.reindex(made["person_id"]).reset_index()
    made["tenure"] = (made["assigned_on"] - file["joined_on"].to_numpy()).dt.days
    made["tenure"] = made["tenure"].fillna(made["tenure"].median()) if made["tenure"].notna().any() else 0
    for name in WORDS:
        if name in file and file[name].notna().any():
            made[name] = file[name].fillna("unknown").astype(str).to_numpy()
    first = bought["day"].min() if len(bought) else pd.NaT
    early = made["assigned_on"] - pd.Timedelta(days=action.window_days) < first
    made = made[~early].dropna(subset="outcome").reset_index(drop=True)
    for name in PAST:
        own = made[name].astype(float)
        if len(own) and own.notna().all() and own.std() > 0 and ((own - own.mean()).abs() > FAR * own.std()).any():
            made[f"{name}_place"] = own.rank(pct=True)
    made.attrs = {"cut": told.attrs.get("cut", 0), "gone": told.attrs.get("gone", 0), "unobserved": int((early & told["treated"]).sum()), "strange": strange, "from_day": day}
    return made


def covariates(made: pd.DataFrame) -> list[str]:
    """Return the columns of a cohort that are balanced."""
    return [name for name in ("score", *PAST, *(f"{name}_place" for name in PAST), "tenure", *WORDS) if name in made and made[name].notna().all()]


def compared(action, tables, *, without=(), beside=None) -> tuple[pd.DataFrame, list[str], int]:
    """Return the cohort without some customers, the columns in which both groups are made alike (`covariates`, and whether they had one of the actions `beside` it), and how many were left out."""
    made = cohort(action, tables)
    left, attrs = made["person_id"].isin(set(without)), made.attrs
    made = made[~left].reset_index(drop=True)
    for name, other in (beside or {}).items():
        made[name] = overlap.had(made, other).astype(float)
    made.attrs = attrs
    return made, covariates(made) + list(beside or {}), int(left.sum())


def evaluate(action, tables, *, seed: int = 1, replicates: int = 0, without=(), beside=None) -> tuple[dict, pd.DataFrame]:
    """Return the effect of an action for a list (ATT), `without` some customers, alike also in the actions they had `beside` it (`overlap.aside`), and how alike both groups are before and after weighting: rows as `rollouts.evaluate`, kinds "before" and "after" (standardised differences)."""
    made, columns, left = compared(action, tables, without=without, beside=beside)
    if made["treated"].sum() < 2 or (~made["treated"]).sum() < 2:
        raise DataError(_nobody(made, action))
    found = matching.effect(made, outcome="outcome", treated="treated", covariates=columns).iloc[0].to_dict()
    alike = matching.balance(made, treated="treated", covariates=columns)
    letter, reason = grades.grade(design="adjusted" if len(alike) else "described", overlap=found["overlap"], balance=found["balance"], largest=outcomes.largest(made, "treated"))
    path = pd.concat([alike.assign(kind=kind, estimate=alike[kind], at=np.arange(len(alike), dtype=float)) for kind in ("before", "after")], ignore_index=True)
    path = path.assign(action=action.id, label=path["covariate"].map(_said), conf_low=np.nan, conf_high=np.nan, n=found["n"])
    notes = [found["note"], f"{made.attrs['strange']} on the list who are not in the customer file are left out" if made.attrs["strange"] else "", f"{made.attrs['unobserved']} customers whose time before is not in the files are left out" if made.attrs["unobserved"] else "", f"{made.attrs['gone']} had left before" if made.attrs["gone"] else "", f"{left} who had another action at the same time are left out" if left else "", f"counted from {made.attrs['from_day']} days after the low score on, by when nine in ten had been called: who was called later counts as not called, who had left by then as neither" if made.attrs["from_day"] > 1 else ""]
    row = found | {"design": "matching", "per": f"customer in {action.window_days} days", "times": float(found["n_treated"]), "days": action.window_days, "cut": made.attrs["cut"], "grade": letter, "reason": reason, "largest": outcomes.largest(made, "treated"), "note": "; ".join(note for note in notes if note)}
    row["comparison"] = f"{found['n_control']:,} customers not on the list, worth {found['n_eff']:,.0f} after weighting"
    return row, path[["action", "kind", "at", "label", "estimate", "conf_low", "conf_high", "n"]]


def _nobody(made, action) -> str:
    """Return why a list has nobody to compare."""
    treated, others, attrs = int(made["treated"].sum()), int((~made["treated"]).sum()), made.attrs
    if attrs["cut"] and treated < 2:
        return f"its effect cannot be counted yet, because no window of {action.window_days} days after assignment was over"
    if attrs["unobserved"] and treated < 2:
        return f"the files do not reach back {action.window_days} days before it, so nobody can be compared with their own past"
    if attrs["strange"] and treated < 2:
        return f"{attrs['strange']} of its customers are not in the customer file"
    return f"{treated} customers on the list and {others} others have a whole window; two each are needed"


def _said(name: str) -> str:
    """Return a covariate in words."""
    words = {"before": "Outcome in as many days before", "earlier": "Outcome in the days before these", "before_place": "Place in the order of the outcome before", "earlier_place": "Place in the order of the days before these", "tenure": "Days as a customer", "score": "Score"}
    field = next((field for field in WORDS if name.startswith(f"{field}_")), "")
    return words.get(name) or (f"{field.title()}: {name.removeprefix(f'{field}_')}" if field else name[:1].upper() + name[1:])


def _undated(chosen: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    rest = people.index[~people.index.isin(chosen["person_id"])].sort_values()
    days = chosen["assigned_on"].sort_values().to_numpy()
    # In order of their keys, which say nothing of them, each gets the next day of the list.
    return pd.DataFrame({"person_id": rest, "assigned_on": days[np.arange(len(rest)) % len(days)]})


def _low_scorers(action, chosen, tables) -> tuple[pd.DataFrame, int]:
    """Return those called and equally low scorers who were not (person_id, treated, assigned_on), both dated the same days after their answer, and how many: those by which nine in ten of the calls were made.

    Who leaves before the call can be made is never called (immortal time), so both must still be there on that day (a landmark, as in `renewals`); who was called later counts as not called.
    """
    own, dtype = _answers(action, tables), chosen["assigned_on"].dtype
    taken = pd.merge_asof(chosen[["person_id", "assigned_on"]], own[["person_id", "answered_on"]].assign(answered_on=own["answered_on"].astype(dtype)), left_on="assigned_on", right_on="answered_on", by="person_id", tolerance=pd.Timedelta(days=31))
    taken = taken.dropna(subset="answered_on").assign(days=lambda rows: (rows["assigned_on"] - rows["answered_on"]).dt.days)
    day = int(np.ceil(taken["days"].quantile(MOST))) if len(taken) else 1
    low = own[(own[action.kpi] <= action.cut) & own["answered_on"].between(chosen["assigned_on"].min() - pd.Timedelta(days=31), chosen["assigned_on"].max())]
    low = low[~low["person_id"].isin(chosen["person_id"])].drop_duplicates("person_id")
    rows = pd.concat([taken[["person_id", "answered_on"]].assign(treated=taken["days"] <= day), low[["person_id", "answered_on"]].assign(answered_on=low["answered_on"].astype(dtype), treated=False)], ignore_index=True)
    return rows[["person_id", "treated"]].assign(assigned_on=(rows["answered_on"] + pd.Timedelta(days=day)).astype(dtype)), day


def _answers(action, tables) -> pd.DataFrame:
    own = tables["responses"]
    own = own[own[action.kpi].notna() & own["person_id"].notna()] if action.kpi in own else own.iloc[:0].assign(**{action.kpi: np.nan})
    return (own[own["survey"] == action.survey] if action.survey else own).sort_values(["answered_on", "answer"], kind="stable")


def _scores(action, rows, tables) -> pd.Series:
    """Return the last score of each at or before the day of assignment, no more than 31 days old."""
    own = _answers(action, tables)[["person_id", "answered_on", action.kpi]]
    joined = rows.reset_index()[["index", "person_id", "assigned_on"]].merge(own, on="person_id")
    joined = joined[(joined["answered_on"] <= joined["assigned_on"]) & (joined["answered_on"] >= joined["assigned_on"] - pd.Timedelta(days=31))]
    return joined.sort_values("answered_on", kind="stable").groupby("index")[action.kpi].last().reindex(rows.index)
