"""Two actions: a loyalty call, tried at random, that pays; and a recovery call on low scores that only looks as if it worked."""

import numpy as np
import pandas as pd

from . import customers, draws

LOYALTY, RECOVERY = "loyalty_call", "recovery_call"
LOYALTY_FIRST, LOYALTY_LAST = np.datetime64("2025-07-01"), np.datetime64("2025-09-26")
RECOVERY_FIRST, RECOVERY_LAST = np.datetime64("2024-07-01"), np.datetime64("2025-06-30")
WINDOW_DAYS = 90
LOYALTY_CHANCE, LOYALTY_REACH, LOYALTY_COST = 0.5, 0.82, (1.90, 0.60)      # costs: of a call, of calls nobody took
RECOVERY_CHANCE, RECOVERY_REACH, RECOVERY_COST = 0.55, 0.88, (6.50, 1.20)
# Extra add-ons bought in the window by a customer who was reached.
EXTRA = {"contract": 0.95, "prepaid": 0.45}


def loyalty(folk: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Customers of a year or more, drawn at random and tossed for: action_id, person, arm, probability, assigned_on, delivered_on, cost."""
    key = (seed, "actions", LOYALTY)
    day = LOYALTY_FIRST + draws.whole((*key, "day"), len(folk), 0, (LOYALTY_LAST - LOYALTY_FIRST).astype(int)).astype("timedelta64[D]")
    fits = customers.active(folk, day) & customers.active(folk, day - 365) & (folk["role"] == "owner").to_numpy()
    person = np.flatnonzero(fits & draws.happens((*key, "drawn"), np.full(len(folk), 0.72)))
    treated = draws.happens((*key, "arm"), np.full(len(folk), LOYALTY_CHANCE))[person]
    reached = treated & draws.happens((*key, "reached"), np.full(len(folk), LOYALTY_REACH))[person]
    later = draws.whole((*key, "later"), len(folk), 1, 4)[person].astype("timedelta64[D]")
    return rows(LOYALTY, person, treated, day[person], np.where(reached, day[person] + later, np.datetime64("NaT")), LOYALTY_CHANCE, LOYALTY_COST)


def recovery(folk: pd.DataFrame, replies: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """People who gave 6 or less in a pulse of the year, once each, as many as the team could call. Same columns; nobody was held back by
    design, so there is no control arm."""
    key = (seed, "actions", RECOVERY)
    day = replies["answered_at"].to_numpy().astype("datetime64[D]")
    low = replies[(replies["recommend"] <= 6).fillna(False) & (day >= RECOVERY_FIRST) & (day <= RECOVERY_LAST) & replies["person_id"].notna()]
    low = low.sort_values("answered_at", kind="stable").drop_duplicates("person")
    person = low["person"].to_numpy()
    low = low[draws.happens((*key, "called"), np.full(len(folk), RECOVERY_CHANCE))[person]]
    person = low["person"].to_numpy()
    reached = draws.happens((*key, "reached"), np.full(len(folk), RECOVERY_REACH))[person]
    day = low["answered_at"].to_numpy().astype("datetime64[D]") + 1
    later = draws.whole((*key, "later"), len(folk), 0, 4)[person].astype("timedelta64[D]")
    return rows(RECOVERY, person, np.ones(len(low), bool), day, np.where(reached, day + later, np.datetime64("NaT")), np.nan, RECOVERY_COST)


def rows(action: str, person, treated, assigned, delivered, probability, cost) -> pd.DataFrame:
    """The log of one action in order of time."""
    frame = pd.DataFrame({
        "action_id": action, "person": person, "arm": np.where(treated, "treated", "control"), "probability": probability,
        "assigned_on": assigned.astype("datetime64[s]"), "delivered_on": np.asarray(delivered, dtype="datetime64[s]"), "cost": np.where(treated, np.where(np.isnat(np.asarray(delivered)), cost[1], cost[0]), 0.0)})
    return frame.sort_values(["assigned_on", "person"], kind="stable").reset_index(drop=True)
