"""Invitations: who was asked, when, by what chance, whether it was opened and answered."""

import itertools

import numpy as np
import pandas as pd

from . import company, customers, draws

FIELDWORK = {"2024Q3": ("2023-12-04", "2023-12-24"), "2025Q3": ("2024-12-02", "2024-12-22"), "2026Q3": ("2025-12-01", "2025-12-21")}
# The week in which the tool was down: nobody was invited to the pulse, and no answer speaks of a contact in it.
MISSING_WEEK = np.datetime64("2023-08-14")
REST_DAYS = 28               # nobody is asked twice within four weeks
PULSE_CHANCE = 0.95
LEAVING_DAYS, LEAVING_ODDS = 180, -1.1         # who leaves within half a year rarely answers any more (log-odds)
SECOND = 15                  # day of the second reminder; the first goes out on the eighth


def reply(folk: pd.DataFrame, held: dict, person, day, *, base: float) -> np.ndarray:
    """The chance of an answer on a day (log-odds of age, contract, a habit of answering and of being about to leave; not of what the person thinks, though
    who thinks little of the company leaves), and the chance given age and contract alone."""
    age = folk["age"].map({"18-29": -0.55, "30-44": -0.10, "45-59": 0.20, "60+": 0.40}).to_numpy()
    odds = base + age + np.where(folk["contract"] == "contract", 0.18, -0.28)
    left = folk["left_on"].to_numpy().astype("datetime64[D]")[person]
    leaving = ~np.isnat(left) & ((left - np.asarray(day, dtype="datetime64[D]")) < np.timedelta64(LEAVING_DAYS, "D"))
    return 1 / (1 + np.exp(-((odds + 0.95 * held["answers"])[person] + LEAVING_ODDS * leaving))), (1 / (1 + np.exp(-odds / np.sqrt(1 + 0.346 * 0.9025))))[person]


def annual(folk: pd.DataFrame, held: dict, wave: str, *, seed: int) -> pd.DataFrame:
    """Everybody who is a customer on the first day is asked: survey, wave, person, sent_on, channel, reminder, opened, answered, answered_on,
    probability, expected (the chance of an answer given age and contract, from which the agency's weights are made)."""
    key = (seed, "invitations", f"annual-{wave}")
    first, last = (np.datetime64(day) for day in FIELDWORK[wave])
    person = np.flatnonzero(customers.active(folk, first))
    chance, expected = reply(folk, held, person, first, base=-0.22)
    answered = draws.happens((*key, "answered"), chance)
    reminder = ~(answered & draws.happens((*key, "prompt"), np.full(len(person), 0.58)))
    lag = np.where(reminder, 8, 0) + np.floor(12 * draws.uniform((*key, "lag"), len(person)) ** 2).astype(int)
    opened = answered | draws.happens((*key, "opened"), np.full(len(person), 0.38))
    return pd.DataFrame({
        "survey": "annual", "wave": wave, "person": person, "sent_on": first, "channel": draws.pick((*key, "channel"), len(person), ("e-mail", "sms"), (0.8, 0.2)),
        "reminder": (reminder.astype(np.int8) + (reminder & (~answered | (lag >= SECOND)))).astype(np.int8), "opened": opened, "answered": answered, "answered_on": np.minimum(first + lag, last), "probability": 1.0, "expected": expected})


def pulse(folk: pd.DataFrame, held: dict, contacts: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """After a contact moment, the day after, unless asked within four weeks: columns as `annual`, and `contact` (row of `contacts`)."""
    key = (seed, "invitations", "pulse")
    day = contacts["at"].to_numpy().astype("datetime64[D]")
    week = ((day - np.datetime64("2023-01-02")).astype(int)) // 7
    lucky = draws.happens((*key, "drawn"), np.full(len(contacts), PULSE_CHANCE))
    person, asked, chosen = contacts["person"].to_numpy(), np.full(len(folk), np.datetime64("1970-01-01")), []
    starts = np.searchsorted(week, np.arange(week.max() + 2)) if len(week) else [0]
    for begin, end in itertools.pairwise(starts):
        rows = np.arange(begin, end)[lucky[begin:end]]
        rows = rows[np.unique(person[rows], return_index=True)[1]]                  # the first contact of the week
        rows = np.sort(rows[(day[rows] - asked[person[rows]]).astype(int) > REST_DAYS])
        asked[person[rows]] = day[rows]
        chosen.append(rows)
    rows = np.concatenate(chosen) if chosen else np.array([], dtype=int)
    person, day, n = person[rows], day[rows], len(rows)
    chance, expected = reply(folk, held, person, day, base=0.22)
    wave = company.quarter(day)
    quarter_end = np.array([company.bounds(one)[1] for one in wave], dtype="datetime64[D]")
    sent = np.minimum(day + 1, quarter_end)
    lag = np.floor(6 * draws.uniform((*key, "lag"), n) ** 2).astype("timedelta64[D]")
    answered = draws.happens((*key, "answered"), chance)
    frame = pd.DataFrame({
        "survey": "pulse", "wave": wave, "person": person, "sent_on": sent,
        "channel": draws.pick((*key, "channel"), n, ("e-mail", "sms"), (0.55, 0.45)), "reminder": np.int8(0),
        "opened": answered | draws.happens((*key, "opened"), np.full(n, 0.33)), "answered": answered,
        "answered_on": np.minimum(sent + lag, quarter_end), "probability": PULSE_CHANCE, "expected": expected, "contact": rows})
    return frame[(day < MISSING_WEEK) | (day >= MISSING_WEEK + 7)].reset_index(drop=True)       # after all draws, so that no other week moves
