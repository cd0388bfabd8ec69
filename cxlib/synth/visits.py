"""The shop poll: a short anonymous survey of those who were in a shop, by telephone until June 2024 and online since. It carries the faults of whole waves, so
that the key figures of the annual survey and the pulse stay what they are."""

import numpy as np
import pandas as pd

from . import answers, company, draws, opinions

WAVES = tuple(f"{year}Q{quarter}" for year in (2024, 2025, 2026) for quarter in (1, 2, 3, 4))[:11]
ITEMS = {"visit_advice": "staff", "visit_queue": "waiting", "visit_choice": "delivery", "visit_look": "shop", "visit_settled": "terms"}
PLACE = ("visit_choice", "visit_look")
ANSWERS = 0.86
ONLINE_FROM = "2025Q2"                       # the mode: by telephone before
POLITE, POLITE_SCORE = 0.30, 0.70            # on the telephone people are kinder: points of a rating (1-5), of the recommendation (0-10)
WORDING_FROM, SHARPER = "2025Q3", -0.60      # visit_advice_new: half of that wave, everybody after it
# The faults of whole waves: kind, wave, item (or column), unit, share of the rows concerned.
REVERSED, MIXED, TWICE, SHIFTED, RENAMED, SWAPPED = "2024Q3", "2024Q4", "2025Q1", "2025Q4", "2026Q2", "2024Q1"
SENT_AGAIN, COPIED = "2024Q2", 0.52
MIXED_TEAM = "mall"
SHOPS, SHOP_SHARES = ("city", "station", "mall"), (0.48, 0.36, 0.16)     # a team a shop
NEW_NAME = ("sms", "text message")
LEAST = 220                                  # rows of a wave from which faults of whole waves are planted: below that nobody could see them
COLUMNS = {"response_id": "No", "day": "Visit", "team": "Team", "channel": "Contact", "visit_recommend": "Recommend", "visit_advice": "Advice", "visit_queue": "Queue", "visit_choice": "Choice", "visit_look": "Look", "visit_settled": "Settled"}


def visits(moments: pd.DataFrame, held: dict, wave: str, *, seed: int, world: str) -> pd.DataFrame:
    """The answers of one wave in order of time: response_id, day, team, channel (of the interview), visit_recommend (0-10), the five ratings (1-5),
    visit_advice_new (1-5, from the change of wording on) and mode."""
    first, last = company.bounds(wave)
    at = moments["at"].to_numpy().astype("datetime64[D]")
    key = (seed, "visits", wave)
    came = moments[(moments["channel"] == "shop").to_numpy() & (at >= first) & (at <= last)].reset_index(drop=True)
    rows = came[draws.happens((*key, "answers"), np.full(len(came), ANSWERS))].reset_index(drop=True)
    n, real, online = len(rows), company.truthful(world), wave >= ONLINE_FROM
    day, person = rows["at"].to_numpy().astype("datetime64[D]"), rows["person"].to_numpy()
    felt = opinions.experience(person, day, held, key=key, world=world, passing=False)
    visit, place = 0.45 * draws.normal((*key, "visit"), n), 0.7 * draws.normal((*key, "place"), n)      # how the visit as a whole went, and what the shop offers
    polite = real * (not online)
    parts = {item: felt[:, company.IDS.index(of)] + visit + place * (item in PLACE) + POLITE * polite for item, of in ITEMS.items()}
    score = 7.2 + real * (0.9 * (parts["visit_advice"] - 3.85) + 1.0 * (parts["visit_queue"] - 3.1)) + (POLITE_SCORE - 1.9 * POLITE) * polite + 1.1 * draws.normal((*key, "score"), n)
    frame = pd.DataFrame({"response_id": answers.names(key, n), "day": day.astype("datetime64[s]"), "team": draws.pick((*key, "team"), n, SHOPS, SHOP_SHARES),
                          "channel": draws.pick((*key, "channel"), n, ("sms", "e-mail"), (0.6, 0.4)) if online else "phone",
                          "visit_recommend": opinions.tick(score, 0, 10), **{item: opinions.tick(part, 1, 5) for item, part in parts.items()}})
    if wave >= WORDING_FROM:
        new = draws.happens((*key, "wording"), np.full(n, 0.5 if wave == WORDING_FROM else 1.0))
        frame["visit_advice_new"] = pd.Series(opinions.tick(parts["visit_advice"] + SHARPER, 1, 5), dtype="Int64").where(new)
        frame["visit_advice"] = frame["visit_advice"].astype("Int64").mask(new)
    for item in ("visit_recommend", "visit_queue", "visit_choice", "visit_look", "visit_settled"):
        frame[item] = frame[item].astype("Int64").mask(draws.happens((*key, "blank", item), np.full(n, 0.015 if online else 0.004)))
    return frame


def cells(frame: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The cells of one wave's file: days as DD/MM/YYYY, one column a question that was asked."""
    columns = dict(COLUMNS)
    if wave >= WORDING_FROM:
        columns["visit_advice_new"] = "Advice (new)"
    if wave > WORDING_FROM:
        del columns["visit_advice"]
    ready = frame.assign(day=frame["day"].dt.strftime("%d/%m/%Y"))
    return pd.DataFrame({name: [None if blank else value for value, blank in zip(ready[column].astype(object), ready[column].isna())] for column, name in columns.items()}, dtype=object)


def spoil(frames: dict[str, pd.DataFrame], *, seed: int) -> tuple[dict[str, pd.DataFrame], list[dict]]:
    """The waves with their faults, and the list of these (kind, wave, item, unit, what)."""
    made, found = dict(frames), []
    fits = lambda wave: wave in made and len(made[wave]) >= LEAST
    listed = lambda kind, wave, item, unit, what: found.append({"kind": kind, "wave": wave, "item": item, "unit": unit, "must": what})
    if fits(REVERSED):
        own = made[REVERSED]
        made[REVERSED] = own.assign(visit_look=6 - own["visit_look"])
        listed("reversed_scale", REVERSED, "visit_look", "", "refused: this item of this wave is not averaged")
    if fits(MIXED):
        own = made[MIXED].copy()
        team = (own["team"] == MIXED_TEAM).to_numpy()
        own.loc[team, "visit_recommend"] = (own.loc[team, "visit_recommend"] * 0.4 + 1).round().astype("Int64")
        made[MIXED] = own
        listed("mixed_scales", MIXED, "visit_recommend", f"team '{MIXED_TEAM}'", "refused: 1 to 5 and 0 to 10 in one column are not averaged")
    if fits(TWICE) and fits(SENT_AGAIN):
        old = frames[SENT_AGAIN]
        again = old[draws.happens((seed, "visits", "sent again"), np.full(len(old), COPIED))]
        again = again.assign(response_id=answers.names((seed, "visits", "sent again", "id"), len(again)), day=(again["day"] + np.timedelta64(274, "D")).clip(lower=pd.Timestamp(company.bounds(TWICE)[0])))
        made[TWICE] = pd.concat([made[TWICE], again], ignore_index=True).sort_values("day", kind="stable", ignore_index=True)
        listed("wave_twice", TWICE, "", f"wave '{SENT_AGAIN}'", "refused: rows of an earlier wave under new ids; the wave is not averaged")
    if fits(SHIFTED):
        own = made[SHIFTED]
        made[SHIFTED] = own.assign(visit_queue=own["visit_look"], visit_look=own["visit_queue"])
        listed("shifted_columns", SHIFTED, "visit_queue", "looks like 'visit_look'", "refused: two columns have changed places")
        listed("shifted_columns", SHIFTED, "visit_look", "looks like 'visit_queue'", "refused: two columns have changed places")
    if fits(RENAMED):
        for wave in [wave for wave in made if wave >= RENAMED]:
            made[wave] = made[wave].assign(channel=made[wave]["channel"].replace(*NEW_NAME))
        listed("renamed_value", RENAMED, "channel", f"'{NEW_NAME[0]}' -> '{NEW_NAME[1]}'", "to be looked at: one channel under two names")
    if fits(WORDING_FROM):
        listed("wording_break", WORDING_FROM, "visit_advice", "", "to be looked at: declared; the line breaks, and a split sample bridges it")
    return made, found


def swapped(table: pd.DataFrame, wave: str) -> tuple[pd.DataFrame, list[int]]:
    """The cells of the wave whose days a spreadsheet turned round (month before day), and the places of those that so left the wave: a little over two in
    a hundred, ten at least."""
    if wave != SWAPPED or len(table) < LEAST:
        return table, []
    day = table["Visit"]
    turned = day.str[3:5] + "/" + day.str[:2] + day.str[5:]
    first, last = (int(one.astype("datetime64[M]").astype(int)) % 12 + 1 for one in company.bounds(wave))
    out = np.flatnonzero((day.str[:2].astype(int) <= 12) & ~turned.str[3:5].astype(int).between(first, last))
    out = out[:: max(1, len(out) // max(10, -(-len(table) * 22 // 1000)))][: max(10, -(-len(table) * 22 // 1000))]
    table = table.copy()
    table.iloc[out, table.columns.get_loc("Visit")] = turned.iloc[out]
    return table, out.tolist()
