"""Accounts and people: who they are, how they lean, when they joined and when they left."""

import numpy as np
import pandas as pd

from . import company, draws

BUSINESS = 0.096             # share of accounts that are companies: 240 of 2,500
MANAGERS = tuple(f"km-{number:02d}" for number in range(1, 9))       # each looks after the business accounts of one brand and region, more or less
AGES = ("18-29", "30-44", "45-59", "60+")
SHOPS = tuple(f"shop-{number:02d}" for number in range(1, 25))       # each account belongs to one


def accounts(customers: int, *, seed: int) -> pd.DataFrame:
    """One row an account: account_id, segment (consumer|business), brand, region, country, contract, since (date), owner (of a business account: who looks after it), renews_on (of a business
    account: the day its contract runs to, of one to three years), people (how many use it)."""
    at = lambda column: (seed, "accounts", column)
    business = np.zeros(customers, bool)
    business[np.argsort(draws.uniform(at("segment"), customers), kind="stable")[:round(BUSINESS * customers)]] = True
    kolibri = draws.happens(at("brand"), np.where(business, 0.05, 0.34))
    prepaid = draws.happens(at("contract"), np.where(business, 0.0, np.where(kolibri, 0.72, 0.22)))
    # Three in four were there at the start of the data; the others joined since, evenly.
    old = draws.happens(at("old"), np.full(customers, 0.74))
    before = company.FIRST_DAY - np.ceil(2600 * draws.uniform(at("tenure"), customers) ** 1.6).astype("timedelta64[D]")
    later = company.FIRST_DAY + draws.whole(at("joined"), customers, 0, 1065).astype("timedelta64[D]")
    size = np.where(business, draws.pick(at("size"), customers, (2, 3, 4, 5, 7), (0.34, 0.28, 0.20, 0.12, 0.06)), 1)
    since = np.where(old, before, later)
    term = draws.pick(at("term"), customers, (1, 2, 3), (0.5, 0.35, 0.15)).astype(int)
    passed = (company.LAST_DAY - since).astype(int) // (365 * term) + 1
    renews = np.where(business, since + (365 * term * passed).astype("timedelta64[D]"), np.datetime64("NaT"))
    region = draws.pick(at("region"), customers, company.REGIONS, company.REGION_SHARES)
    return pd.DataFrame({
        "account_id": [f"A{number:06d}" for number in range(1, customers + 1)],
        "segment": np.where(business, "business", "consumer"),
        "brand": np.where(kolibri, company.BRANDS[1], company.BRANDS[0]),
        "region": region, "country": company.country(region),
        "contract": np.where(prepaid, "prepaid", "contract"),
        "since": since.astype("datetime64[s]"),
        "owner": np.where(business, draws.pick(at("owner"), customers, MANAGERS), None),
        "renews_on": renews.astype("datetime64[s]"),
        "people": size})


def people(held: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """One row a person: person_id (text with leading zeros), account_id, role (owner|user), segment, brand, region, contract, shop, language, age, joined_on."""
    rows = held.loc[held.index.repeat(held["people"])].reset_index(drop=True)
    first = ~rows["account_id"].duplicated()
    number, n = np.arange(len(rows)), len(rows)
    later = np.where(first, 0, draws.whole((seed, "people", "joined"), n, 0, 400)).astype("timedelta64[D]")
    joined = np.minimum(rows["since"].to_numpy().astype("datetime64[D]") + later, company.LAST_DAY - 60)
    return pd.DataFrame({
        # Numbers as real customer numbers are: text of digits that a careless reader turns into a number and so loses its zeros.
        "person_id": [f"{100417 + 7 * value:08d}" for value in number],
        "account_id": rows["account_id"], "role": np.where(first, "owner", "user"), "country": rows["country"],
        "segment": rows["segment"], "brand": rows["brand"], "region": rows["region"], "contract": rows["contract"],
        "shop": draws.pick((seed, "accounts", "shop"), int(held.index.max()) + 1, SHOPS)[held.index.repeat(held["people"])],
        "language": tongue(rows["region"].to_numpy(), seed=seed),
        "age": draws.pick((seed, "people", "age"), n, AGES, (0.22, 0.30, 0.28, 0.20)),
        "joined_on": np.maximum(joined, rows["since"].to_numpy().astype("datetime64[D]")).astype("datetime64[s]")})


def tongue(region: np.ndarray, *, seed: int) -> np.ndarray:
    """The language each person writes in."""
    chance = draws.uniform((seed, "people", "language"), len(region))
    edges = np.cumsum([company.LANGUAGE_SHARES.get(one, company.LANGUAGE_SHARES[""]) for one in region], axis=1).reshape(-1, len(company.LANGUAGES))
    return np.array(company.LANGUAGES)[np.minimum((chance[:, None] >= edges).sum(axis=1), len(company.LANGUAGES) - 1)]


def traits(folk: pd.DataFrame, *, seed: int, world: str) -> dict[str, np.ndarray]:
    """What stays with a person: halo, kolibri (whether that is the brand), standing (own part plus halo plus segment, by attribute), usual (what basics and delighters give and take on average), and
    `score`, the expected recommendation before rounding on an average day."""
    n, real = len(folk), company.truthful(world)
    halo = draws.normal((seed, "traits", "halo"), n)
    own = company.attributes((seed, "traits", "own"), n) * company.STABLE
    standing = company.leanings(folk, world=world) + halo[:, None] * company.LOADINGS + own
    leaning = draws.normal((seed, "traits", "leaning"), n)
    # Without drivers people differ as much as with them, for reasons of their own.
    spread = np.sqrt(company.LEANING**2 + (1 - real) * ((company.WEIGHTS @ company.LOADINGS)**2 + ((company.WEIGHTS * company.STABLE)**2).sum() + company.step_variance()))
    weighted = (standing * company.WEIGHTS).sum(axis=1)
    usual = company.steps(company.LEVELS + standing, company.OCCASION)
    return {"halo": halo, "standing": standing, "usual": usual, "score": company.RECOMMEND_MEAN + real * (weighted + usual) + spread * leaning,
            "kolibri": (folk["brand"] == company.BRANDS[1]).to_numpy(), "talk": draws.normal((seed, "traits", "talk"), n), "answers": draws.normal((seed, "traits", "answers"), n),
            "contacts": draws.normal((seed, "traits", "contacts"), n)}


def leave(folk: pd.DataFrame, held: dict[str, np.ndarray], *, seed: int, world: str) -> pd.DataFrame:
    """Leave dates by a monthly chance that falls with satisfaction. Returns left_on (NaT: still here on the last day) and chance, the
    true monthly chance of leaving on an average day; an account leaves as a whole, by its owner's judgement."""
    real, n = company.truthful(world), len(folk)
    months = np.arange(company.FIRST_DAY.astype("datetime64[M]"), company.LAST_DAY.astype("datetime64[M]") + 1)
    mood = company.shifts(months.astype("datetime64[D]") + 14, world=world) @ company.WEIGHTS
    base = folk["contract"].map(company.LEAVING).to_numpy()
    odds = np.log(base / (1 - base)) + real * company.LEAVING_SLOPE * (held["score"] - company.RECOMMEND_MEAN)
    day = draws.uniform((seed, "leave", "day"), n, len(months))
    goes = draws.uniform((seed, "leave", "goes"), n, len(months)) < 1 / (1 + np.exp(-(odds[:, None] + real * company.LEAVING_SLOPE * mood)))
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    when = months.astype("datetime64[D]") + np.floor(day * length).astype("timedelta64[D]")
    joined = folk["joined_on"].to_numpy().astype("datetime64[D]")
    goes &= when > joined[:, None] + 30
    left = np.where(goes.any(axis=1), when[np.arange(n), goes.argmax(axis=1)], np.datetime64("NaT"))
    owner = pd.Series(np.where(folk["role"] == "owner", left, np.datetime64("NaT")), index=folk["account_id"])
    left = owner[folk["role"].to_numpy() == "owner"].reindex(folk["account_id"]).to_numpy().astype("datetime64[D]")
    left = np.where(left <= joined, joined + 31, left)
    return pd.DataFrame({"left_on": left.astype("datetime64[s]"), "chance": 1 / (1 + np.exp(-odds))})


def active(folk: pd.DataFrame, day) -> np.ndarray:
    """Whether each person is a customer on the day (a date, or one date a person)."""
    joined, left = (folk[name].to_numpy().astype("datetime64[D]") for name in ("joined_on", "left_on"))
    day = np.asarray(day, dtype="datetime64[D]")
    return (joined <= day) & (np.isnat(left) | (day < left))
