"""Actions: a loyalty call, tried at random, that pays; a recovery call on low scores that only looks as if it worked; a gift that works and does not pay, and beside it, by a lot of its own,
a data week; a letter and a call that went to the same customers; a newsletter of which nobody wrote down the cost; and two that went from shop to shop."""

from typing import NamedTuple

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
GIFT, DATA, LETTER, CALL, NEWS = "gift", "data_week", "upgrade_letter", "upgrade_call", "newsletter"


class Lot(NamedTuple):
    """An action by lot: share of the customers looked at, chance of treatment, first and last day, share reached, costs of a delivery and of a try (None: nobody wrote them down),
    extra add-ons in the window of one who was reached."""

    drawn: float
    chance: float
    first: str
    last: str
    reach: float
    cost: tuple[float, float] | None
    extra: float


# The gift and the data week were drawn for the same customers and days, each by a lot of its own; the call went to nine in ten of those who got the letter.
LOTS = {GIFT: Lot(0.62, 0.5, "2025-01-07", "2025-03-20", 0.96, (16.50, 4.00), 0.75), DATA: Lot(0.62, 0.5, "2025-01-07", "2025-03-20", 0.90, (0.80, 0.10), 0.60),
        LETTER: Lot(0.48, 0.5, "2024-02-01", "2024-03-29", 0.97, (1.10, 1.10), 0.30), NEWS: Lot(0.42, 0.9, "2025-04-15", "2025-06-20", 0.93, None, 0.0)}
TOGETHER = {DATA: GIFT}                                              # whose customers and days are those of another
CALL_SHARE, CALL_REACH, CALL_COST, CALL_EXTRA = 0.9, 0.85, (4.20, 0.90), 0.45
EXTRAS = {LOYALTY: EXTRA, **{name: dict.fromkeys(EXTRA, lot.extra) for name, lot in LOTS.items()}, CALL: dict.fromkeys(EXTRA, CALL_EXTRA)}

# From shop to shop: the customers of a shop that has advisers buy more from that month on (add-ons a month). Returns fell in the shops that got a returns desk long before
# they got it (chance of a return a month, from the first month to the last), and the desk itself does nothing.
ADVICE, DESK = "shop_advisers", "returns_desk"
ROLLOUTS = {ADVICE: dict(zip(customers.SHOPS[:12], np.repeat(np.array(["2024-10-01", "2025-01-01", "2025-04-01"], dtype="datetime64[D]"), 4))),
            DESK: dict(zip(customers.SHOPS[6:18], np.repeat(np.array(["2024-10-01", "2025-01-01", "2025-04-01"], dtype="datetime64[D]"), 4)))}
ADVICE_RATE, RETURNS, RETURNS_THERE = 0.16, 0.030, (0.085, 0.010)


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


def lot(folk: pd.DataFrame, action: str, *, seed: int) -> pd.DataFrame:
    """One of LOTS: customers of a year or more, drawn and tossed for. Same columns."""
    about, key, same = LOTS[action], (seed, "actions", action), (seed, "actions", TOGETHER.get(action, action))
    first = np.datetime64(about.first)
    day = first + draws.whole((*same, "day"), len(folk), 0, (np.datetime64(about.last) - first).astype(int)).astype("timedelta64[D]")
    fits = customers.active(folk, day) & customers.active(folk, day - 365) & (folk["role"] == "owner").to_numpy()
    person = np.flatnonzero(fits & draws.happens((*same, "drawn"), np.full(len(folk), about.drawn)))
    treated = draws.happens((*key, "arm"), np.full(len(folk), about.chance))[person]
    reached = treated & draws.happens((*key, "reached"), np.full(len(folk), about.reach))[person]
    later = draws.whole((*key, "later"), len(folk), 1, 3)[person].astype("timedelta64[D]")
    made = rows(action, person, treated, day[person], np.where(reached, day[person] + later, np.datetime64("NaT")), about.chance, about.cost or (0.0, 0.0))
    return made if about.cost else made.assign(cost=np.nan)


def upgrade_call(folk: pd.DataFrame, letters: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The call after the letter, to nine in ten of those who were sent one: nobody who was not. Same columns."""
    key = (seed, "actions", CALL)
    sent = letters[letters["arm"] == "treated"]
    person, day = sent["person"].to_numpy(), sent["assigned_on"].to_numpy().astype("datetime64[D]") + 6
    called = draws.happens((*key, "called"), np.full(len(folk), CALL_SHARE))[person] & customers.active(folk.iloc[person].reset_index(drop=True), day)
    person, day = person[called], day[called]
    reached = draws.happens((*key, "reached"), np.full(len(folk), CALL_REACH))[person]
    return rows(CALL, person, np.ones(len(person), bool), day, np.where(reached, day + 1, np.datetime64("NaT")), np.nan, CALL_COST)


def log(folk: pd.DataFrame, replies: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The log of all actions, one after the other."""
    letters = lot(folk, LETTER, seed=seed)
    parts = [recovery(folk, replies, seed=seed), loyalty(folk, seed=seed), letters, upgrade_call(folk, letters, seed=seed), *(lot(folk, name, seed=seed) for name in (GIFT, DATA, NEWS))]
    return pd.concat(parts, ignore_index=True)


def rows(action: str, person, treated, assigned, delivered, probability, cost) -> pd.DataFrame:
    """The log of one action in order of time."""
    frame = pd.DataFrame({
        "action_id": action, "person": person, "arm": np.where(treated, "treated", "control"), "probability": probability,
        "assigned_on": assigned.astype("datetime64[s]"), "delivered_on": np.asarray(delivered, dtype="datetime64[s]"), "cost": np.where(treated, np.where(np.isnat(np.asarray(delivered)), cost[1], cost[0]), 0.0)})
    return frame.sort_values(["assigned_on", "person"], kind="stable").reset_index(drop=True)
