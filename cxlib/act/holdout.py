"""The part of every exported list that is left alone at random, so that the next quarter can say what acting on the list did.

Who is held back follows from a keyed hash of the list's name and the customer: nobody can choose it, and the same list gives the same part. The log has the columns of the
actions table: with the days and costs of delivery filled in, and as a source of the programme, it makes the list an action decided by lot (grade A on the page on effects).
"""

import datetime as dt
import hashlib
import hmac

import pandas as pd

from cxlib.errors import DataError
from cxlib.load import identifiers

SHARE = 0.1
LOG = ["action_id", "person_id", "arm", "probability", "assigned_on", "delivered_on", "cost"]


def draw(people: pd.DataFrame, *, action: str, share: float = SHARE, within: str | None = None, reason: str = "") -> pd.DataFrame:
    """Return a list with the arm each customer was drawn into: the columns of `people`, arm ("treated", "control"), probability (of that arm).

    in: one row a customer, column person_id; `within` names a column in whose categories the draw is made, so that both arms hold the same mix. Exactly the rounded share of each category is held back; a category
    of fewer than 1 / (2 share) customers holds one back with the same chance. `share` 0 needs a `reason`, and then all are treated. errors: DataError for a customer who stands in the
    list twice, a share outside 0 to .5, or 0 without a reason.
    """
    if not 0 <= share <= 0.5:
        raise DataError(f"The holdout of the list '{action}' is {share:g}; it lies between 0 and 0.5.")
    if share == 0 and len(reason.strip()) < 8:
        raise DataError(f"The list '{action}' is to go out without a holdout: say why in the programme ([holdout] reason), or its effect will never be known.")
    if (twice := people["person_id"].duplicated()).any():
        raise DataError(f"The list '{action}' names the customer '{people.loc[twice, 'person_id'].iloc[0]}' twice.")
    key = identifiers.salt()
    place = people["person_id"].map(lambda person: _uniform(key, action, str(person))).astype(float)
    categories = people[within].astype(str) if within else pd.Series("", index=people.index)
    size = place.groupby(categories).transform("size") if len(people) else place
    rank = place.groupby(categories).rank(method="first") if len(people) else place
    held = (size * share).astype(int) + pd.Series([_uniform(key, action, f"{name}/rest") for name in categories], index=people.index, dtype=float).lt((size * share) % 1).astype(int)
    control = rank <= held
    return people.assign(arm=control.map({True: "control", False: "treated"}).astype(object), probability=control.map({True: share, False: 1 - share}).astype(float))


def log(drawn: pd.DataFrame, *, action: str, day: dt.date) -> pd.DataFrame:
    """Return the draw as rows of the actions table: both arms, delivered_on and cost left empty for those who act."""
    found = drawn[["person_id", "arm", "probability"]].assign(action_id=action, assigned_on=pd.Timestamp(day).date().isoformat(), delivered_on="", cost="")
    return found[LOG].sort_values("person_id", kind="stable", ignore_index=True)


def plan(*, action: str, name: str, why: str, day: dt.date, share: float, days: int = 90, outcome: str = "margin") -> str:
    """Return the lines of plan.toml that make the page on effects read the log as an action decided by lot."""
    quoted = lambda text: '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
    end = day + dt.timedelta(days=days)
    return "\n".join([
        "[[actions]]", f"id = {quoted(action)}", f"name = {quoted(name)}", 'design = "randomised"', f"share = {1 - share:g}", f"start = {day.isoformat()}", f"end = {end.isoformat()}",
        f"window_days = {days}", f"outcome = {quoted(outcome)}", f"why = {quoted(why)}", "",
    ])  # fmt: skip


def _uniform(key: bytes, action: str, person: str) -> float:
    """A number from 0 to 1 that follows from the list and the customer, for those who hold the secret."""
    return int.from_bytes(hmac.digest(key, f"holdout/{action}/{person}".encode(), hashlib.sha256)[:8]) / 2**64
