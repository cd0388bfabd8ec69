"""Contact moments: calls, chats, visits, messages, each with its reason, team, length and whether it settled the matter."""

import numpy as np
import pandas as pd

from . import company, customers, draws

YEARLY = 4.9                 # contact moments a person and year
REASONS = ("coverage", "speed", "price", "billing", "staff", "terms", "app", "shop", "delivery")
REASON_SHARES = (0.16, 0.10, 0.12, 0.20, 0.05, 0.15, 0.10, 0.05, 0.07)
# A quarter in which fibre was laid: one contact in three is about an installation, after which people think less of the company than after others.
FIBRE, FIBRE_SHARE, INSTALLING = "2024Q3", 0.35, -1.15
# The desks that take contacts, by their share: of 900 answers a quarter from five to four hundred. What three of them add to the recommendation; the others nothing.
DESK_SHARES = (0.460, 0.160, 0.090, 0.060, 0.045, 0.033, 0.026, 0.020, 0.016, 0.013, 0.011, 0.010, 0.009, 0.008, 0.007, 0.007, 0.0065, 0.0060, 0.0060, 0.0055)
DESKS = tuple(f"d{number:02d}" for number in range(1, len(DESK_SHARES) + 1))
DESK_EFFECTS = {"d02": 0.85, "d03": -1.25, "d08": 0.90}
TEAMS = ("north-1", "north-2", "south-1", "south-2", "west-1")


def interactions(folk: pd.DataFrame, held: dict[str, np.ndarray], *, seed: int, world: str) -> pd.DataFrame:
    """One row a contact moment in order of time: interaction_id, person (row of `folk`), person_id, at (local time), channel, touchpoint, reason,
    team, desk, resolved (bool), minutes (waiting and talking; not for e-mail)."""
    at = lambda column: (seed, "interactions", column)
    weeks = np.arange(np.datetime64("2023-01-02"), company.LAST_DAY, 7)
    real, n = company.truthful(world), len(folk)
    rate = YEARLY / 52 * np.exp(0.55 * held["contacts"] - 0.15 - real * 0.10 * (held["score"] - company.RECOMMEND_MEAN))
    many = draws.count(at("count"), np.repeat(np.minimum(rate, 2.0)[:, None], len(weeks), axis=1))
    person, week = np.nonzero(many)
    person, week = (np.repeat(values, many[many > 0]) for values in (person, week))
    day = weeks[week] + draws.whole(at("day"), len(week), 0, 6)
    minute = draws.whole(at("minute"), len(week), 8 * 60, 20 * 60 - 1)
    frame = pd.DataFrame({"person": person, "at": day.astype("datetime64[s]") + (minute * 60).astype("timedelta64[s]")})
    here = customers.active(folk.iloc[person].reset_index(drop=True), day) & (day <= company.LAST_DAY)
    frame = frame[here].sort_values(["at", "person"], kind="stable").reset_index(drop=True)
    n, young = len(frame), folk["age"].to_numpy()[frame["person"]] == "18-29"
    channel = np.where(young & draws.happens(at("young"), np.full(n, 0.45)), "app",
                       draws.pick(at("channel"), n, company.CHANNELS, (0.42, 0.18, 0.14, 0.16, 0.10)))
    reason = draws.pick(at("reason"), n, REASONS, REASON_SHARES)
    first, last = company.bounds(FIBRE)
    day = frame["at"].to_numpy().astype("datetime64[D]")
    reason = np.where(draws.happens(at("fibre"), FIBRE_SHARE * real * ((day >= first) & (day <= last))), "delivery", reason)
    late = real * (frame["at"].to_numpy() >= company.CHANGE_DAY)
    settled = draws.happens(at("resolved"), np.where(channel == "shop", 0.82, np.where(channel == "e-mail", 0.66, 0.76)) - 0.05 * late)
    talk = np.exp(1.6 + 0.5 * draws.normal(at("talk"), n))
    wait = np.exp(1.1 + 0.7 * late + 0.7 * draws.normal(at("wait"), n))
    minutes = np.where(channel == "e-mail", np.nan, np.round(talk + np.where(channel == "phone", wait, 0.3 * wait)))
    return pd.DataFrame({
        "interaction_id": [f"I{number:07d}" for number in range(1, n + 1)], "person": frame["person"],
        "person_id": folk["person_id"].to_numpy()[frame["person"]], "at": frame["at"], "channel": channel,
        "touchpoint": np.where(reason == "delivery", "installation", np.where(channel == "shop", "shop", np.where(channel == "app", "online", "service"))),
        "reason": reason, "team": draws.pick(at("team"), n, TEAMS, (0.24, 0.20, 0.22, 0.18, 0.16)), "desk": draws.pick(at("desk"), n, DESKS, DESK_SHARES), "resolved": settled, "minutes": minutes})


def given(moment: pd.DataFrame) -> np.ndarray:
    """What each contact gives to the recommendation, in points: its outcome, an installation, the desk. Centred on the usual contact, so that the level of NPS
    stays the one that the attributes give."""
    outcome = company.UNRESOLVED * (np.where(moment["resolved"], 0.0, 1.0) - 0.25)
    installed = INSTALLING * ((moment["touchpoint"] == "installation").to_numpy() - REASON_SHARES[REASONS.index("delivery")])
    return outcome + installed + moment["desk"].map(DESK_EFFECTS).fillna(0.0).to_numpy() - sum(DESK_SHARES[DESKS.index(desk)] * size for desk, size in DESK_EFFECTS.items())
