"""The plan of a programme: `plan.toml`, the actions with their owners, designs and costs."""

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from cxlib import contract
from cxlib.contract import FROZEN
from cxlib.errors import DataError
from cxlib.programme import Id


class Action(BaseModel):
    """One thing done for customers, and how its effect is to be known."""

    model_config = FROZEN
    id: Id
    name: str = Field(description="Name on pages, e.g. Loyalty call.")
    owner: str = Field("", description="Who answers for it, e.g. Head of customer base.")
    role: str = Field("", description="Role of the owner, e.g. decides on the budget.")
    why: str = Field("", description="The finding that led to it, e.g. customers of more than a year rarely hear from us.")
    design: Literal["randomised", "list", "everyone"] = Field(description="How customers were chosen: by lot, from a list by a rule, or all.")
    share: float | None = Field(None, gt=0, lt=1, description="Share assigned to treatment by lot, e.g. 0.5; checked against the log.")
    start: dt.date = Field(description="First day of assignment.")
    end: dt.date = Field(description="Last day of assignment.")
    window_days: int = Field(90, ge=1, description="Days after assignment in which the outcome is counted.")
    outcome: Literal["margin", "amount", "retention", "score"] = Field("margin", description="What it was meant to raise.")
    survey: str = Field("", description="For outcome score: the survey whose scores put customers on the list; all where empty, e.g. pulse.")
    kpi: str = Field("", description="For outcome score: the item whose low scores put customers on the list, e.g. recommend.")
    cut: float | None = Field(None, description="For outcome score: the highest score that put a customer on the list.")
    fixed_cost: float | None = Field(None, ge=0, description="Cost that does not depend on how many were reached, programme's currency.")
    unit_cost: float | None = Field(None, ge=0, description="Cost of one delivery; the log's own costs are used where it has them.")


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
        if action.end < action.start:
            raise DataError(f"{path}: the action '{action.id}' ends on {action.end}, before its start {action.start}.")
        if [one.id for one in plan.actions].count(action.id) > 1:
            raise DataError(f"{path}: the action '{action.id}' is declared twice.")
    return plan


def cost(action: Action, log) -> float | None:
    """Return what an action cost in the programme's currency: its fixed cost plus the log's own costs of deliveries, or the unit cost times
    the deliveries where the log has none. None where nobody wrote down a cost: that is not zero."""
    own = log[(log["action_id"] == action.id) & (log["arm"] == "treated")]
    if own["cost"].notna().any():
        deliveries = float(own["cost"].fillna(0).sum())
    elif action.unit_cost is not None:
        deliveries = action.unit_cost * int(own["delivered_on"].notna().sum())
    else:
        return None if not action.fixed_cost else action.fixed_cost
    return (action.fixed_cost or 0.0) + deliveries
