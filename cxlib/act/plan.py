"""The plan of a programme: `plan.toml`, the actions with their owners, designs and costs."""

import datetime as dt
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from cxlib import contract
from cxlib.contract import FROZEN
from cxlib.errors import DataError, nearest
from cxlib.programme import Id

DESIGNS = {
    "randomised": "by lot", "holdout": "a list, of which a random part was held back", "list": "from a list, by a rule", "matching": "by a rule; compared with customers alike who were not chosen",
    "everyone": "everybody", "difference_in_differences": "some units, all on one day", "staggered": "unit after unit", "synthetic_control": "one series; compared with a mix of others", "interrupted_series": "one series; compared with its own past",
}  # fmt: skip
BY_UNIT, BY_SERIES = ("difference_in_differences", "staggered"), ("synthetic_control", "interrupted_series")
UNITS = ("region", "shop", "brand", "segment", "contract", "owner")  # columns of people or accounts
ANSWERED = ("team", "channel", "country", "brand", "language")  # columns of the answers


class Action(BaseModel):
    """One thing done for customers, and how its effect is to be known."""

    model_config = FROZEN
    id: Id
    name: str = Field(description="Name on pages, e.g. Loyalty call.")
    owner: str = Field("", description="Who answers for it, e.g. Head of customer base.")
    role: str = Field("", description="Role of the owner, e.g. decides on the budget.")
    why: str = Field("", description="The finding that led to it, e.g. customers of more than a year rarely hear from us.")
    design: Literal["randomised", "holdout", "list", "matching", "everyone", "difference_in_differences", "staggered", "synthetic_control", "interrupted_series"] = Field(
        description="How customers were chosen: by lot, a list with a random part held back, a list by a rule (matching: the same), everybody; unit by unit (all at once, or staggered); one series of sales."
    )
    share: float | None = Field(None, gt=0, lt=1, description="Share assigned to treatment by lot, e.g. 0.5; checked against the log.")
    start: dt.date = Field(description="First day of assignment.")
    end: dt.date = Field(description="Last day of assignment.")
    window_days: int = Field(90, ge=1, description="Days after assignment in which the outcome is counted.")
    outcome: Literal["margin", "amount", "retention", "score", "contacts", "returns", "sales", "pieces"] = Field("margin", description="What it was meant to move; sales and pieces are those of a series.")
    reasons: tuple[str, ...] = Field((), description="For outcome contacts: the reasons that count; all where empty, e.g. [\"complaint\"].")
    survey: str = Field("", description="For outcome score: the survey whose scores put customers on the list; all where empty, e.g. pulse.")
    kpi: str = Field("", description="For outcome score: the item whose low scores put customers on the list, e.g. recommend.")
    cut: float | None = Field(None, description="For outcome score: the highest score that put a customer on the list.")
    unit: str = Field("", description="What it was rolled out by: a column of people or accounts (region, shop, brand, segment, contract, owner), or, for outcome score, of the answers, e.g. shop.")
    rollout: dict[str, dt.date] = Field({}, description="Unit -> first day; units that are not named never had it, e.g. {shop-01 = 2026-04-01}.")
    period: Literal["week", "month", "quarter"] = Field("month", description="Period by which units are compared.")
    series: str = Field("", description="The series of the sales table it was meant to move, e.g. cases.")
    controls: tuple[str, ...] = Field((), description="Series it could not touch; for a synthetic control all others where empty, e.g. [\"bags\"].")
    changes: tuple[Literal["price", "distribution", "promotion"], ...] = Field((), description="What of these the action itself changed: it is not adjusted for, the others are, e.g. [\"price\"].")
    currency: str = Field("", pattern=r"^([A-Z]{3})?$", description="Currency of its costs where it departs, e.g. CHF.")
    fixed_cost: float | None = Field(None, ge=0, description="Cost that does not depend on how many were reached, programme's currency.")
    unit_cost: float | None = Field(None, ge=0, description="Cost of one delivery; the log's own costs are used where it has them.")
    people_days: float | None = Field(None, ge=0, description="Days of people's work it took, e.g. 12.")
    day_rate: float | None = Field(None, ge=0, description="Cost of a day's work, e.g. 650.")
    contingency: float = Field(0.0, ge=0, le=5, description="Share of the cost that may come on top, e.g. 0.1.")
    horizon_days: int | None = Field(None, ge=1, description="Days after assignment for which its effect is declared to last; the days observed where empty, e.g. 365.")
    half_life_days: float | None = Field(None, gt=0, description="Days in which the effect halves after those observed; it stays as it was, up to horizon_days, where empty.")
    customers: int | None = Field(None, ge=1, description="For an action to come: customers whom it is to reach, e.g. 4000.")
    wanted: float | None = Field(None, description="For an action to come: the effect that would make it worth while, in the unit of its outcome, e.g. 2.5.")
    item: str = Field("", description="For an action to come: the attribute it is to raise, e.g. billing.")
    lift: float | None = Field(None, description="For an action to come: by how many scale points, e.g. 0.3.")


class Plan(BaseModel):
    """Everything planned and done."""

    model_config = FROZEN
    actions: tuple[Action, ...] = Field((), description="Actions.")


def read(folder: Path) -> Plan:
    """Return the plan of a programme; an empty one where there is no plan.toml. Raises DataError naming the key."""
    path = Path(folder) / "plan.toml"
    if not path.is_file():
        return Plan()
    plan = contract.validate(Plan, contract.read(path), path)
    for action in plan.actions:
        wrong = next(_wrong(action), "")
        if [one.id for one in plan.actions].count(action.id) > 1:
            wrong = "is declared twice"
        if wrong:
            raise DataError(f"{path}: the action '{action.id}' {wrong}.")
    return plan


def _wrong(action: Action):
    """Yield what in an action contradicts itself."""
    if action.end < action.start:
        yield f"ends on {action.end}, before its start {action.start}"
    if action.design in BY_UNIT:
        known = (*UNITS, *ANSWERED) if action.outcome == "score" else UNITS
        if action.unit not in known:
            yield f"is compared by unit, and 'unit' = '{action.unit}' is none{nearest(action.unit, known)} (known: {', '.join(dict.fromkeys(known))})"
        if not action.rollout:
            yield "is compared by unit, and 'rollout' does not say which unit had it from which day"
        if action.design == "difference_in_differences" and len(set(action.rollout.values())) > 1:
            yield "is rolled out on several days: its design is 'staggered'"
        if action.outcome in ("sales", "pieces"):
            yield f"is compared by unit of customers; 'outcome' = '{action.outcome}' belongs to a series (design 'synthetic_control' or 'interrupted_series')"
    if action.design in BY_SERIES:
        if not action.series:
            yield "is measured on a series, and 'series' does not say which"
        if action.series in action.controls:
            yield f"names the series '{action.series}' among its own 'controls'"
        if action.outcome not in ("sales", "pieces"):
            yield f"is measured on a series; 'outcome' is 'sales' or 'pieces', not '{action.outcome}'"
    if action.horizon_days and action.horizon_days < action.window_days:
        yield f"counts its outcome over {action.window_days} days and declares an effect of {action.horizon_days}; 'horizon_days' is no less than 'window_days'"
    if action.outcome == "score" and not action.kpi:
        yield "has the outcome 'score', and 'kpi' does not say which item"


def cost(action: Action, log, programme=None) -> float | None:
    """Return what an action cost in the programme's currency: its fixed cost and its people's days plus the log's own costs of deliveries, or the
    unit cost times the deliveries where the log has none (`deliveries`). None where nobody wrote down a cost (that is not zero), or where it is in a currency
    without a rate (`programme.rates`) of its first day or before."""
    own = log[(log["action_id"] == action.id) & (log["arm"] == "treated")]
    people = action.people_days * action.day_rate if action.people_days and action.day_rate else None
    planned, rate = [part for part in (action.fixed_cost or None, people) if part is not None], exchange(action, programme)
    logged = float(own["cost"].fillna(0).sum()) if own["cost"].notna().any() else None
    if logged is None and action.unit_cost is not None:
        planned.append(action.unit_cost * int(deliveries(own).notna().sum()))
    if (planned and not np.isfinite(rate)) or (logged is None and not planned):
        return None
    return (logged or 0.0) + sum(planned) * (rate if planned else 1.0)


def deliveries(own):
    """Return the day of every delivery of an action's treated rows of the log; where none at all is dated, everybody assigned is taken as reached on that day: an effort that nobody dated was not free."""
    return own["delivered_on"] if own["delivered_on"].notna().any() else own["assigned_on"]


def exchange(action: Action, programme) -> float:
    """Return how many units of the programme's currency one unit of the plan's costs is: 1 where both are one, NaN without a rate of the action's first day or before."""
    if not action.currency or programme is None or action.currency == programme.currency:
        return 1.0
    known = sorted((one.day, one.rate) for one in programme.rates if one.currency == action.currency and one.day <= action.start)
    return known[-1][1] if known else float("nan")
