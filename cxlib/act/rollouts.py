"""Actions that were rolled out unit by unit: panels of customers, or of answers, by unit and period, and what difference-in-differences says of them."""

import numpy as np
import pandas as pd

from cxlib.act import differences, grades, outcomes
from cxlib.act.overlap import FEWEST
from cxlib.act.plan import ANSWERED
from cxlib.errors import DataError

FREQUENCY = {"week": "W-SUN", "month": "M", "quarter": "Q"}


def cells(action, tables, *, bought: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the panel of an action: unit, period, value, first, weight, as `differences` takes it.

    `bought`: what is summed, a row an order (person_id, day, value), where it is not the action's own outcome. value: outcome a customer of the unit who was one on the period's first day (score: mean answer); weight: mean number of such customers (of answers). Only whole periods count, from the first with data to the end
    of the quarter. A unit has the action from the period in which its first day lies.
    errors: DataError where the unit's column is empty, or the outcome's table is not there.
    """
    made = _answers(action, tables) if action.outcome == "score" else _customers(action, tables, bought)
    first = {unit: pd.Period(day, FREQUENCY[action.period]) for unit, day in action.rollout.items()}
    order = {period: place for place, period in enumerate(sorted(made["period"].unique()))}
    made = made.assign(first=made["unit"].map(lambda unit: _place(first.get(unit), order)).astype(float), weight=made.groupby("unit")["weight"].transform("mean"))
    return made.assign(label=made["period"].astype(str), period=made["period"].map(order)).sort_values(["unit", "period"], ignore_index=True)


def evaluate(action, tables, *, seed: int, replicates: int = 999, without=()) -> tuple[dict, pd.DataFrame]:
    """Return the effect of an action that was rolled out by unit, `without` units that another one touched (as long as three never had either), and its path by periods since: (a row of `measured.COLUMNS`, action, kind, at, label, estimate, conf_low, conf_high, n)."""
    panel = cells(action, tables)
    exposed = panel.loc[panel["period"] >= panel["first"], "weight"].sum()
    panel, touched = apart(panel, without)
    complete = action.outcome != "score"
    found = differences.overall(panel, complete=complete, replicates=replicates, seed=seed).iloc[0].to_dict()
    past = differences.before(panel, effect=found["estimate"], error=found["std_error"], complete=complete).iloc[0]
    letter, reason = grades.grade(design="quasi", bound=past["bound"], effect=found["estimate"], placebo_p=past["placebo_p"])
    path = differences.by_period(panel, complete=complete)
    path = path.assign(action=action.id, kind="event", at=path["since"].astype(float), label=path["since"].map(lambda since: f"{since:+d}" if since else "0"))
    unknown = sorted(set(action.rollout) - set(panel["unit"]) - touched)
    notes = [found["note"], f"{found['treated_before']} units had it before anything was observed and are left out" if found["treated_before"] else "", f"{found['incomplete']} units are not there in every period and are left out" if found["incomplete"] else ""]
    notes += [f"{len(touched)} units that had another action are left out" if touched else "", f"the plan names {', '.join(unknown[:3])}, of which there is nothing" if unknown else ""]
    row = found | {"bound": past["bound"], "pretrend_p": past["p"], "placebo_p": past["placebo_p"], "grade": letter, "reason": reason, "note": "; ".join(note for note in notes if note)}
    row |= {"design": "staggered" if len(set(action.rollout.values())) > 1 else "difference_in_differences", "per": f"customer and {action.period}" if complete else "answer", "n": int(found["n_treated"] + found["n_control"]), "n_eff": float(found["n_treated"] + found["n_control"])}
    row["times"] = float(exposed)  # also where units with another action are left out of the estimate: it is taken to be the same there
    row["days"] = (pd.Timestamp(tables.end) - pd.Timestamp(min(action.rollout.values()))).days + 1
    row["comparison"] = f"{found['n_treated']} units with it, {found['n_control']} never, over {panel['period'].nunique()} {action.period}s"
    return row, path[["action", "kind", "at", "label", "estimate", "conf_low", "conf_high", "n"]]


def apart(panel: pd.DataFrame, without) -> tuple[pd.DataFrame, set]:
    """Return a panel without the units that another action touched, and which they were; with them where fewer than three would be left that never had either."""
    touched = set(without)
    left = panel[~panel["unit"].isin(touched)]
    if touched and left.drop_duplicates("unit")["first"].isna().sum() >= FEWEST:
        return left, touched
    return panel, set()


def _place(period, order: dict) -> float:
    """Return the place of a period among those observed; before all of them 0, after all of them their number."""
    return np.nan if period is None else float(sum(known < period for known in order))


def _customers(action, tables, bought=None) -> pd.DataFrame:
    people = tables["people"] if "people" in tables else pd.DataFrame()
    if action.unit == "owner" and "accounts" in tables and "account_id" in people:
        people = people.merge(tables["accounts"][["account_id", "owner"]], on="account_id", how="left")
    if action.unit not in people or people[action.unit].isna().all():
        raise DataError(f"plan.toml: the action '{action.id}' was rolled out by '{action.unit}', which the customer file does not hold; add the column, or choose another unit.")
    people = people[people[action.unit].notna()].assign(unit=lambda rows: rows[action.unit].astype(str))
    bought = outcomes.entries(action, tables) if bought is None else bought
    days = bought["day"] if len(bought) else people["left_on"].dropna()
    if not len(days):
        raise DataError(f"plan.toml: the action '{action.id}' was to move {action.outcome}, of which the files hold nothing.")
    periods = _whole(days.min(), tables.end, FREQUENCY[action.period])
    counted = []
    for period in periods:
        here = people[~(people["joined_on"] > period.start_time) & ~(people["left_on"] < period.start_time)]
        stayed = here.assign(stayed=~(here["left_on"] <= period.end_time)).groupby("unit")["stayed"].agg(["size", "mean"])
        counted.append(pd.DataFrame({"unit": stayed.index, "period": period, "weight": stayed["size"].to_numpy(float), "stayed": stayed["mean"].to_numpy(float)}))
    counted = pd.concat(counted, ignore_index=True)
    if action.outcome == "retention":
        return counted.rename(columns={"stayed": "value"})
    own = bought.merge(people[["person_id", "unit"]], on="person_id")
    sums = (own["value"] * 100).round().groupby([own["unit"], own["day"].dt.to_period(FREQUENCY[action.period])]).sum() / 100
    total = sums.reindex(pd.MultiIndex.from_frame(counted[["unit", "period"]]), fill_value=0.0).to_numpy()
    return counted.assign(value=total / counted["weight"]).drop(columns="stayed")


def _answers(action, tables) -> pd.DataFrame:
    responses = tables["responses"]
    column = action.unit if action.unit in ANSWERED else "unit"
    if column == "unit":
        people = tables["people"] if "people" in tables else pd.DataFrame(columns=["person_id"])
        if action.unit not in people:
            raise DataError(f"plan.toml: the action '{action.id}' was rolled out by '{action.unit}', which neither answers nor customer file hold.")
        responses = responses.merge(people[["person_id", action.unit]].rename(columns={action.unit: "unit"}).drop_duplicates("person_id"), on="person_id", how="left")
    if action.kpi not in responses:
        raise DataError(f"plan.toml: the action '{action.id}' names the item '{action.kpi}', which was not asked.")
    own = responses[(responses["survey"] == action.survey) if action.survey else slice(None)]
    own = own[own[action.kpi].notna() & own[column].notna()]
    own = own.assign(unit=own[column].astype(str), period=own["answered_on"].dt.to_period(FREQUENCY[action.period]))
    periods = _whole(own["answered_on"].min(), tables.end, FREQUENCY[action.period]) if len(own) else []
    own = own[own["period"].isin(periods)]
    made = own.assign(part=own[action.kpi] * own["weight"]).groupby(["unit", "period"], as_index=False).agg(part=("part", "sum"), mass=("weight", "sum"), weight=("weight", "size"))
    return made.assign(value=made["part"] / made["mass"], weight=made["weight"].astype(float))[["unit", "period", "value", "weight"]]


def _whole(first, end, frequency: str) -> list:
    """Return the periods that lie wholly between the first day with data and the last day known."""
    periods = pd.period_range(pd.Timestamp(first), pd.Timestamp(end), freq=frequency)
    return [period for period in periods if period.start_time.date() >= (pd.Timestamp(first) - pd.Timedelta(days=3)).date() and period.end_time.date() <= pd.Timestamp(end).date()]
