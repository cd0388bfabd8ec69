"""Systems: what the call centre, the shops, the app and the complaint mailbox write down since the day of the change, each in its own form and words, with
keys that agree only in part with the customer file."""

import numpy as np
import pandas as pd

from . import answers, company, draws, identities

# Since that day the contact log holds chats and messages in the app only; calls, visits and e-mails stand in files of their own.
SINCE = company.CHANGE_DAY
OWN = ("phone", "shop", "e-mail")
REASONS = {"coverage": "K01", "speed": "K02", "price": "P10", "billing": "P11", "staff": "S20", "terms": "V30", "app": "D40", "shop": "S21", "delivery": "L50"}
TOPICS = {"coverage": "Network", "speed": "Data", "price": "Tariff", "billing": "Bill", "staff": "Staff", "terms": "Contract", "app": "App", "shop": "Shop", "delivery": "Delivery"}
SUBJECTS = {"coverage": "no network at home", "speed": "data far too slow", "price": "price increase", "billing": "wrong bill", "staff": "how I was treated", "terms": "cancelling my contract",
            "app": "app does not work", "shop": "my visit to the shop", "delivery": "router not delivered"}
OPENINGS = ("Hello, this is about: ", "For the second time: ", "Dear team, ", "To whom it may concern: ", "")
ENDINGS = (". Please answer.", ". I expect a reply within a week.", "!", ". Regards", ". This has been going on for weeks.", ". Nobody calls back.")
STRANGERS = {"phone": 0.05, "shop": 0.0, "e-mail": 0.10}      # people who are no customers, to the contacts of those who are
# kind of event in the app, its share, its unit and mean size
EVENTS = {"LOGIN_FAILED": (0.30, "tries", 1.6), "NO_SIGNAL": (0.26, "seconds", 55.0), "BILL_OPENED": (0.28, "seconds", 40.0), "CRASH": (0.16, "times", 1.1)}
DIGITS = "0123456789"


def callers(moments: pd.DataFrame, channel: str, *, seed: int) -> pd.DataFrame:
    """The contacts of one channel since the change in order of time, with those of people who are no customers (person -1) among them."""
    own = moments[(moments["channel"] == channel) & (moments["at"].to_numpy() >= SINCE)].reset_index(drop=True)
    at = lambda column: (seed, "systems", channel, column)
    more = round(len(own) * STRANGERS[channel])
    if more:
        day = draws.whole(at("stranger day"), more, 0, int((company.LAST_DAY - SINCE).astype(int)))
        minute = draws.whole(at("stranger minute"), more, 8 * 60, 20 * 60 - 1)
        other = own.iloc[draws.whole(at("stranger like"), more, 0, len(own) - 1)].assign(person=-1, person_id=None, interaction_id="")
        other["at"] = (SINCE + day).astype("datetime64[s]") + (minute * 60).astype("timedelta64[s]")
        own = pd.concat([own, other], ignore_index=True)
    return own.sort_values("at", kind="stable").reset_index(drop=True)


def known(rows: pd.DataFrame, ids: pd.DataFrame, *, key: tuple) -> pd.DataFrame:
    """How each contact's person is known; a stranger has a name, a number and an address of their own, none in the customer file."""
    n, people = len(rows), len(ids)
    mine = ids.iloc[rows["person"].clip(lower=0)].reset_index(drop=True).astype(object)
    first, last = draws.pick((*key, "first"), n, identities.names("first")), draws.pick((*key, "last"), n, identities.names("last"))
    other = pd.DataFrame({"first": first, "last": last, "name": [f"{b}, {a}" for a, b in zip(first, last)], "born": None, "phone": strange(n, people, key=(*key, "number")),
                          "email": [f"{a}_{b}@home.example.net".lower() for a, b in zip(first, last)], "postcode": draws.pick((*key, "postcode"), n, POSTCODES), "loyalty": None, "home": -1}, dtype=object)
    customer = (rows["person"] >= 0).to_numpy()
    return pd.DataFrame({column: mine[column].where(customer, other[column]) for column in mine.columns})


POSTCODES = np.array([code for codes in identities.POSTCODES.values() for code in codes], dtype=object)


def strange(n: int, people: int, *, key: tuple) -> np.ndarray:
    """Telephone numbers that the customer file gave to nobody."""
    every = identities.free(people)
    return identities.phone(identities.dealt(people + draws.whole(key, n, 0, every - people - 1), people), people)


def call_centre(moments: pd.DataFrame, folk: pd.DataFrame, ids: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The calls under the file's own names, and the truth of whose they are. A third has no customer number; the number may be mistyped, the telephone
    somebody else's of the same home, another one, or withheld; names and birth dates are noted when somebody asks."""
    rows = callers(moments, "phone", seed=seed)
    key, n = (seed, "systems", "phone"), len(rows)
    who = known(rows, ids, key=key)
    chance, luck = (lambda column, share: draws.happens((*key, column), np.full(n, share))), (lambda column: draws.uniform((*key, column), n))
    member = np.where(rows["person"] >= 0, who["home"], -1).astype(int)
    told = (rows["person"] >= 0).to_numpy() & chance("tells number", 0.68)
    number = pd.Series(rows["person_id"], dtype=object).where(told, None)
    number = number.where(~chance("mistyped number", 0.02), [mistyped(value, *draw) for value, draw in zip(number, draws.uniform((*key, "number typo"), n, 2).tolist())])
    bare = number.str.lstrip("0")
    number = number.where(chance("zeros", 0.7), bare)                       # some agents leave out the zeros
    phone = who["phone"].astype(object)
    phone = phone.where(~chance("other telephone", 0.12) & phone.notna(), strange(n, len(ids), key=(*key, "other number")))
    borrowed = (member >= 0) & chance("telephone of the home", 0.09)
    phone = phone.where(~borrowed, ids["phone"].to_numpy()[np.clip(member, 0, None)])
    phone = phone.where(~chance("mistyped telephone", 0.015), [mistyped(value, *draw) for value, draw in zip(phone, draws.uniform((*key, "telephone typo"), n, 2).tolist())])
    phone = phone.where(~chance("withheld", 0.07), None)
    phone = [None if value is None or value != value else spelt(value, draw) for value, draw in zip(phone, luck("spelling").tolist())]
    name = [style(first, last, draw) for first, last, draw in zip(who["first"], who["last"], luck("name style").tolist())]
    name = pd.Series(name, dtype=object).where(chance("name noted", 0.62), None)
    begin = rows["at"] + pd.to_timedelta(draws.whole((*key, "second"), n, 0, 59), unit="s")
    minutes = rows["minutes"].fillna(4)
    write = lambda times: times.dt.strftime("%d.%m.%Y %H:%M:%S")
    frame = pd.DataFrame({
        "Vorgang": [f"CC26-{value:06d}" for value in range(1, n + 1)], "Beginn": write(begin), "Ende": write(begin + pd.to_timedelta((minutes * 60).round(), unit="s")),
        "Dauer (min)": [f"{value:.1f}".replace(".", ",") for value in minutes], "Rufnummer": phone, "Kundennr.": number, "Anrufer": name,
        "Geburtsdatum": who["born"].where(chance("asked for birth", 0.4), None), "Grund": rows["reason"].map(REASONS),
        "Agent": [f"ag-{100 + int(31 * draw):03d}" for draw in luck("agent").tolist()], "Team": rows["team"], "Erledigt": rows["resolved"].astype(int)}, dtype=object)
    return blanks(frame), links(rows, frame["Vorgang"], "calls_2026Q3.csv")


def shops(moments: pd.DataFrame, ids: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The visits as the tills export them, and whose they are: half with a loyalty card, others by name and postcode, others by nothing."""
    rows = callers(moments, "shop", seed=seed)
    key, n = (seed, "systems", "shop"), len(rows)
    who = known(rows, ids, key=key)
    kind = draws.pick((*key, "kind"), n, ("card", "name", "nothing"), (0.52, 0.27, 0.21))
    style_of, typo = draws.uniform((*key, "name style"), n), draws.happens((*key, "mistyped"), np.full(n, 0.06))
    name = [style(first, last, draw * 0.6) for first, last, draw in zip(who["first"], who["last"], style_of.tolist())]
    name = [mistyped(value, *draw) if wrong else value for value, wrong, draw in zip(name, typo, draws.uniform((*key, "typo"), n, 2).tolist())]
    frame = pd.DataFrame({
        "Receipt": [f"S-{value:05d}" for value in range(1, n + 1)], "Shop": draws.pick((*key, "shop"), n, ("City", "Station", "Mall", "West")), "Time": rows["at"], "Loyalty card": who["loyalty"].where(kind == "card", None),
        "Customer": pd.Series(name, dtype=object).where(kind == "name", None), "Postcode": who["postcode"].where(kind == "name", None), "Reason": rows["reason"].map(TOPICS),
        "Solved": np.where(rows["resolved"], "yes", "no")}, dtype=object)
    return blanks(frame), links(rows, frame["Receipt"], "shops_2026Q3.xlsx")


def mailbox(moments: pd.DataFrame, ids: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The e-mails of the complaint mailbox, and whose they are: some from an address that the customer file does not hold, some with a typing error, some from
    the address of somebody in the same home, a few from machines."""
    rows = callers(moments, "e-mail", seed=seed)
    key, n = (seed, "systems", "e-mail"), len(rows)
    who = known(rows, ids, key=key)
    chance = lambda column, share: draws.happens((*key, column), np.full(n, share))
    member = np.where(rows["person"] >= 0, who["home"], -1).astype(int)
    own = [f"{a}{b[:1]}@freemail.example.net".lower() for a, b in zip(who["first"], who["last"])]
    address = who["email"].astype(object).where(who["email"].notna() & ~chance("other address", 0.10), own)
    address = address.where(~((member >= 0) & chance("address of the home", 0.07) & ids["email"].notna().to_numpy()[np.clip(member, 0, None)]), ids["email"].to_numpy()[np.clip(member, 0, None)])
    address = address.where(~chance("mistyped", 0.05), [mistyped(value, *draw) for value, draw in zip(address, draws.uniform((*key, "typo"), n, 2).tolist())])
    address = address.where(~chance("capitals", 0.1), address.str.upper())
    name = pd.Series([f"{a} {b}" for a, b in zip(who["first"], who["last"])], dtype=object).where(chance("shows a name", 0.7), None)
    pick = lambda column, options: draws.pick((*key, column), n, options)
    topic = rows["reason"].map(SUBJECTS)
    prefix = pick("prefix", ("", "", "Complaint: ", "AW: ", "Re: "))
    frame = pd.DataFrame({
        "Message": [f"<{value:05d}.2026@mailbox.example.com>" for value in range(1, n + 1)], "Received": rows["at"].dt.strftime("%Y-%m-%d %H:%M"), "From (name)": name, "From (address)": address,
        "Subject": [a + b for a, b in zip(prefix, topic)], "Text": [a + b + c for a, b, c in zip(pick("opening", OPENINGS), topic, pick("ending", ENDINGS))]}, dtype=object)
    return blanks(frame), links(rows, frame["Message"], "mailbox_2026Q3.csv")


def app(folk: pd.DataFrame, held: dict, ids: pd.DataFrame, *, seed: int, world: str) -> tuple[list[dict], pd.DataFrame]:
    """The app's log, one record an event in order of time (UTC), and whose they are: the card's number only while somebody is logged in, the device always.
    Where the network is poor (coverage of the truth) more events are NO_SIGNAL."""
    key = (seed, "systems", "app")
    days = np.arange(SINCE, company.LAST_DAY + 1)
    uses = draws.happens((*key, "uses"), np.where(ids["loyalty"].notna(), 0.45, 0.12)) & (folk["joined_on"].to_numpy() <= SINCE)
    person = np.flatnonzero(uses)
    many = draws.count((*key, "count"), np.full(len(person), 0.85))
    person = np.repeat(person, many)
    n = len(person)
    day = days[draws.whole((*key, "day"), n, 0, len(days) - 1)]
    left = folk["left_on"].to_numpy().astype("datetime64[D]")[person]
    at = day.astype("datetime64[s]") + draws.whole((*key, "second"), n, 4 * 3600, 22 * 3600).astype("timedelta64[s]")
    kinds = np.array(list(EVENTS))
    poor = company.truthful(world) * -held["standing"][person, company.IDS.index("coverage")]
    weight = np.tile(np.array([EVENTS[kind][0] for kind in kinds]), (n, 1))
    weight[:, list(kinds).index("NO_SIGNAL")] *= np.exp(0.6 * poor)
    edges = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    kind = kinds[np.minimum((draws.uniform((*key, "kind"), n)[:, None] >= edges).sum(axis=1), len(kinds) - 1)]
    size = np.array([EVENTS[one][2] for one in kind]) * -np.log(draws.uniform((*key, "size"), n))
    logged = draws.happens((*key, "logged in"), np.where(kind == "LOGIN_FAILED", 0.15, 0.8)) & ids["loyalty"].notna().to_numpy()[person]
    device = np.array(answers.names((*key, "device"), len(folk)), dtype=object)[person] if n else np.array([], dtype=object)
    order = np.argsort(at, kind="stable")
    order = order[np.isnat(left[order]) | (day[order] < left[order])]
    records = []
    for place, row in enumerate(order.tolist(), 1):
        record = {"id": f"ev{place:06d}", "ts": f"{at[row]}Z", "event": str(kind[row]), "device": device[row][2:10]}
        if logged[row]:
            record["user"] = {"card": ids["loyalty"].iloc[person[row]]}
        records.append(record | {"n": max(1, round(float(size[row]))), "unit": EVENTS[kind[row]][1]})
    truth = pd.DataFrame({"file": "app_2026Q3.jsonl", "record": [record["id"] for record in records], "person_id": folk["person_id"].to_numpy()[person[order]], "interaction_id": ""})
    return records, truth


def links(rows: pd.DataFrame, record: pd.Series, file: str) -> pd.DataFrame:
    """The truth: file, record (its id there), person_id (None: no customer), interaction_id (of the contact it is)."""
    return pd.DataFrame({"file": file, "record": record.to_numpy(), "person_id": rows["person_id"].to_numpy(), "interaction_id": rows["interaction_id"].to_numpy()})


def mistyped(value, where: float, what: float):
    """A text with one sign wrong: a digit altered, a letter left out."""
    if not isinstance(value, str) or len(value) < 3:
        return value
    spots = [place for place, sign in enumerate(value) if sign.isalnum() and place]
    place = spots[int(where * len(spots))]
    if value[place].isdigit():
        return value[:place] + DIGITS[(int(value[place]) + 1 + int(what * 9)) % 10] + value[place + 1:]
    return value[:place] + value[place + 1:]


def style(first: str, last: str, luck: float) -> str:
    """A name as somebody notes it."""
    return f"{first} {last}" if luck < 0.4 else f"{last}, {first}" if luck < 0.6 else last if luck < 0.7 else f"{last} {first}" if luck < 0.8 else f"Frau {first} {last}" if luck < 0.9 else f"Herr {first} {last}"


def spelt(number: str, luck: float) -> str:
    """A telephone number in one of the spellings in which it is typed; "+49 221 4710123" is that of the customer file."""
    _, town, rest = number.split(" ")
    ways = (f"0{town}/{rest}", f"+49{town}{rest}", f"0049 {town} {rest}", f"0{town} {rest[:2]} {rest[2:4]} {rest[4:]}", f"(0{town}) {rest}", f"+49 (0){town} {rest}", f"0{town}-{rest}", f"0{town}{rest}")
    return ways[int(luck * len(ways))]


def blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """Objects with None where nothing is known."""
    return frame.astype(object).where(frame.notna(), None)
