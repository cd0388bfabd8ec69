"""Answers: one clean row a response, before an export mangles it."""

import numpy as np
import pandas as pd

from . import company, contacts, draws, opinions

ALPHABET = list("0123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ")
LINKED = 0.88
# Questions are skipped: the share of blanks by item.
ASKED_COMPLAINTS, ASKED_STATED = "2025Q3", "2026Q3"      # the first waves with these questions
BLANK = {"recommend": 0.006, "satisfaction": 0.015, "ease": 0.03, "repurchase": 0.03, **dict.fromkeys(company.IDS, 0.015), "complained": 0.01, "most": 0.03, "second": 0.06}


def answers(folk: pd.DataFrame, held: dict, asked: pd.DataFrame, moments: pd.DataFrame, *, seed: int, world: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The responses of one wave's invitations in order of time, and what each respondent felt (latent attributes, same rows).

    Columns: response_id, survey, wave, answered_at (local time), person (row of folk), person_id (None where the answer cannot be linked),
    brand, region, contract, channel, minutes, the KPIs, the attributes (6 = never used; annual only), contacted and solved (annual), complained, complaint (how it was handled; empty for
    those who did not complain) and most, second (places of the attributes named as mattering most, from 1; annual), weight,
    expected (true NPS of the respondent), latent (recommendation before rounding), day (the one the answer is about), touchpoint, reason, team and desk (pulse)."""
    rows = asked[asked["answered"]].sort_values(["answered_on", "person"], kind="stable").reset_index(drop=True)
    survey, wave = asked["survey"].iloc[0], asked["wave"].iloc[0]
    key, n = (seed, "answers", f"{survey}-{wave}"), len(rows)
    person, days = rows["person"].to_numpy(), rows["answered_on"].to_numpy().astype("datetime64[D]")
    mean, felt_on = 0.0, days
    if survey == "pulse":
        moment = moments.iloc[rows["contact"].to_numpy()].reset_index(drop=True)
        felt_on = moment["at"].to_numpy().astype("datetime64[D]")
        mean = contacts.given(moment)
    felt = opinions.experience(person, felt_on, held, key=key, world=world)
    complained, handled = opinions.complaints(person, held, key=key)
    if survey == "annual" and company.truthful(world):
        mean = opinions.after_complaint(complained, handled, world=world)
    latent = opinions.recommend(person, felt, held, key=key, world=world, unresolved=mean)
    who = folk.iloc[person].reset_index(drop=True)
    frame = pd.DataFrame({
        "response_id": names(key, n), "survey": survey, "wave": wave,
        "answered_at": days.astype("datetime64[s]") + draws.whole((*key, "clock"), n, 7 * 3600, 22 * 3600).astype("timedelta64[s]"),
        "person": person, "person_id": who["person_id"].where(draws.happens((*key, "linked"), np.full(n, LINKED)), None),
        "brand": who["brand"], "region": who["region"], "country": who["country"], "language": who["language"], "contract": who["contract"], "channel": rows["channel"],
        "seconds": np.round(np.exp((5.4 if survey == "annual" else 3.9) + 0.45 * draws.normal((*key, "seconds"), n))).astype(int),
        **opinions.kpis(latent, felt, key=key, world=world), "expected": opinions.expected(person, felt_on, held, world=world, unresolved=mean if survey == "pulse" else 0.0, complaining=survey == "annual")})
    frame["day"] = felt_on.astype("datetime64[s]")
    frame["latent"] = latent
    if survey == "pulse":
        frame = frame.assign(touchpoint=moment["touchpoint"], reason=moment["reason"], team=moment["team"], desk=moment["desk"], weight=1.0).drop(columns="repurchase")
    else:
        ticked = opinions.ratings(felt, key=key)
        frame[list(company.IDS)] = ticked
        called = draws.happens((*key, "contacted"), np.full(n, 0.62))
        solved = opinions.tick(3.4 + 0.5 * (felt[:, company.IDS.index("staff")] - 3.85) + draws.normal((*key, "solved"), n), 1, 5)
        frame["contacted"], frame["solved"] = np.where(called, 1, 2), np.where(called, solved, 0)
        frame["complained"] = np.where(complained, 1, 2)
        frame["complaint"] = pd.Series(opinions.tick(handled, 1, 5), dtype="Int64").where(complained)
        named = opinions.named(n, key=key)
        frame["most"], frame["second"] = named[:, 0], named[:, 1]
        weight = 1 / rows["expected"].to_numpy()
        frame["weight"] = np.round(np.clip(weight / weight.mean(), 0.3, 3.0), 2)
    for item, share in BLANK.items():
        if item in frame:
            frame[item] = frame[item].astype("Int64").mask(draws.happens((*key, "blank", item), np.full(n, share)))
    if survey == "annual":
        frame["complaint"] = frame["complaint"].where(frame["complained"].eq(1).fillna(False))       # who leaves the filter blank is not asked
    order = np.argsort(frame["answered_at"].to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True), felt[order]


def names(key: tuple, n: int) -> list[str]:
    """Response ids as survey tools make them: R_ and fifteen letters and digits."""
    index = np.floor(draws.uniform((*key, "name"), n, 15) * len(ALPHABET)).astype(int)
    return ["R_" + "".join(ALPHABET[i] for i in row) for row in index.tolist()]
