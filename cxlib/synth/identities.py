"""Identities: by what a customer is known to the company's systems. All invented: names are built from syllables, telephone numbers lie in ranges kept free
for fiction, e-mail addresses under example.com, .net and .org (RFC 2606)."""

from functools import cache

import numpy as np
import pandas as pd

from . import draws

FIRST = (("Bral", "Cor", "Drin", "Elv", "Fen", "Gisk", "Hosk", "Ibr", "Jorv", "Kelv", "Lum", "Mav", "Norv", "Ossk", "Pelv", "Quim", "Rav", "Silv", "Tamb", "Ulv"),
         ("ava", "eko", "ino", "ira", "omi", "ula", "ysa", "aro", "efa", "uri"))
LAST = (("Abr", "Bolv", "Crasp", "Dorv", "Elsk", "Framp", "Gost", "Hulm", "Irk", "Jask", "Klov", "Lasp", "Murv", "Nask", "Orv", "Plim", "Rosk", "Stav", "Trel", "Vosk"),
        ("a", "e", "i", "o", "u", "en", "or", "in"), ("dal", "ben", "kor", "lan", "mas", "ven", "tel", "ruk", "mod", "sal", "rik", "nav"))
HOSTS = ("mail.example.com", "post.example.org", "web.example.net")
# Codes of towns with subscriber numbers that the Bundesnetzagentur keeps free for films and books (a thousand each); where they run out, extensions follow.
FREE = (("221", "4710"), ("30", "23125"), ("40", "66969"), ("69", "90009"), ("89", "99998"))
POSTCODES = {"Köln": ("50667", "50823", "50937", "51063", "51105"), "Düsseldorf": ("40210", "40227", "40468", "40593"), "München": ("80331", "80638", "81369", "81735", "81929"),
             "Nürnberg": ("90402", "90429", "90459"), "Lübeck": ("23552", "23556", "23564"), "Görlitz": ("02826", "02827"), "Zürich": ("8001", "8032", "8050"), "Lausanne": ("1003", "1010")}
BORN = {"18-29": (1997, 2007), "30-44": (1982, 1996), "45-59": (1967, 1981), "60+": (1938, 1966)}
# Blank in the customer file; and what is shared by those who live together, with each other's first contract on the account before.
BLANK = {"email": 0.09, "phone": 0.06, "born": 0.08, "loyalty": 0.28}
TOGETHER, SAME_NAME, SAME_PHONE, SAME_EMAIL, SWITCHBOARD = 0.12, 0.85, 0.45, 0.25, 0.5


@cache
def names(kind: str) -> np.ndarray:
    """Every name that the syllables give."""
    made = [""]
    for part in (FIRST if kind == "first" else LAST):
        made = [start + end for start in made for end in part]
    return np.array(made, dtype=object)


def phone(index: np.ndarray, people: int) -> np.ndarray:
    """The telephone number of an index below `free(people)`, all different: "+49 221 4710123"."""
    digits = extension(people)
    town, inner = np.asarray(index) % len(FREE), np.asarray(index) // len(FREE) % 10 ** (3 + digits)
    return np.array([f"+49 {FREE[a][0]} {FREE[a][1]}{b:0{3 + digits}d}" for a, b in zip(town.tolist(), inner.tolist())], dtype=object)


def identities(folk: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """How each person (rows as `folk`) is known: first, last, name, born (ISO text), email, phone, postcode, loyalty (None where blank), and home (row of
    somebody with whom they live or work, -1 for nobody)."""
    at, n = lambda column: (seed, "identities", column), len(folk)
    home = homes(folk, at)
    shared = home >= 0
    same = lambda column, share: shared & draws.happens(at(column), np.full(n, share))
    business = (folk["segment"] == "business").to_numpy()
    first, last = draws.pick(at("first"), n, names("first")), draws.pick(at("last"), n, names("last"))
    last = inherit(last, home, same("same name", SAME_NAME) & ~business)
    low, high = (folk["age"].map({band: years[end] for band, years in BORN.items()}).to_numpy() for end in (0, 1))
    born = (draws.whole(at("year"), n, low, high) - 1970).astype("datetime64[Y]").astype("datetime64[D]") + draws.whole(at("day"), n, 0, 364)
    choice = draws.uniform(at("postcode"), n)
    postcode = np.array([POSTCODES[region][int(luck * len(POSTCODES[region]))] for region, luck in zip(folk["region"], choice.tolist())], dtype=object)
    postcode = inherit(postcode, home, shared)
    number, host = draws.whole(at("suffix"), n, 0, 99), draws.pick(at("host"), n, HOSTS)
    domain = np.where(business, "office-" + folk["account_id"].str.lower().to_numpy(dtype=object) + ".example.com", host)
    email = np.array([f"{a}.{b}{'' if work else c}@{d}".lower() for a, b, c, d, work in zip(first, last, number.tolist(), domain, business.tolist())], dtype=object)
    email = inherit(email, home, same("same email", SAME_EMAIL) & ~business)
    calls = inherit(phone(dealt(np.arange(n), n), n), home, same("same phone", SAME_PHONE) & ~business | same("switchboard", SWITCHBOARD) & business)
    loyalty = np.array([f"{300_000_000 + 37 * value:09d}" for value in range(n)], dtype=object)
    frame = pd.DataFrame({"first": first, "last": last, "name": [f"{b}, {a}" for a, b in zip(first, last)], "born": np.datetime_as_string(born, unit="D").astype(object), "email": email,
                          "phone": calls, "postcode": postcode, "loyalty": loyalty, "home": home})
    for column, share in BLANK.items():
        frame[column] = frame[column].astype(object).mask(draws.happens(at(f"blank {column}"), np.full(n, share)), None)
    return frame


def free(people: int) -> int:
    """How many telephone numbers there are for so many people: a quarter more than people at least, by extensions of four digits and more."""
    return 5_000 * 10 ** extension(people)


def extension(people: int) -> int:
    """How many figures follow the three of a free number, so that all people have one of their own."""
    return max(0, int(np.ceil(np.log10(max(people, 1) / 4000))))


def dealt(places: np.ndarray, people: int) -> np.ndarray:
    """The index of a telephone number for each place, neighbours far apart; the step has no factor in common with their number."""
    return (np.asarray(places) * 7919 + 13) % free(people)


def homes(folk: pd.DataFrame, at) -> np.ndarray:
    """With whom each person shares a home (consumers: the one before them in the region) or an office (users: the owner); the row, -1 for nobody."""
    n, home = len(folk), np.full(len(folk), -1)
    joins = draws.happens(at("together"), np.full(n, TOGETHER)) & (folk["segment"] == "consumer").to_numpy()
    for _, rows in folk[folk["segment"] == "consumer"].groupby("region", sort=True):
        index = rows.index.to_numpy()
        before = np.concatenate([[-1], index[:-1]])
        home[index] = np.where(joins[index], before, -1)
    user = (folk["role"] == "user").to_numpy()
    owner = folk.index.to_series().where(~user).ffill().to_numpy().astype(int)
    return np.where(user, owner, home)


def inherit(values: np.ndarray, home: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Values with those of `who` taken from whom they share a home with, who stands above them."""
    values = values.copy()
    for row in np.flatnonzero(who).tolist():
        values[row] = values[home[row]]
    return values
