"""The company: what its customers rate, what drives them, what changed and when. Everything here is the known truth of the sample.

A fictional telecom provider in Germany and Switzerland with two brands, Fernau (full service) and Kolibri (low price). In `world="null"` nothing affects anything: the
attributes have the same levels and correlations, but no attribute moves the willingness to recommend, no level changes over time, no region, brand or
contract differs, nobody leaves because of dissatisfaction, and no action has an effect.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cxlib import quarters

from . import draws

# The fiscal year runs from April and carries the year in which it ends: 2026Q3 is October to December 2025.
FISCAL = {"start": 4, "label": "end"}
FIRST_DAY, LAST_DAY = np.datetime64("2023-01-01"), np.datetime64("2025-12-31")
BRANDS = ("Fernau", "Kolibri")
REGIONS = ("Köln", "Düsseldorf", "München", "Nürnberg", "Lübeck", "Görlitz", "Zürich", "Lausanne")
REGION_SHARES = (0.22, 0.18, 0.18, 0.13, 0.11, 0.09, 0.06, 0.03)
SWISS = ("Zürich", "Lausanne")
# What comments are written in, by region; elsewhere as in Germany.
LANGUAGES = ("en", "de", "fr")
LANGUAGE_SHARES = {"": (0.80, 0.20, 0.0), "Zürich": (0.45, 0.55, 0.0), "Lausanne": (0.10, 0.05, 0.85)}
# Euro for a Swiss franc from that day on.
RATES = (("2023-01-01", 1.04), ("2023-04-01", 1.06), ("2023-10-01", 1.03), ("2024-04-01", 1.065), ("2024-10-01", 1.07), ("2025-04-01", 1.055), ("2025-10-01", 1.08))
CONTRACTS = ("contract", "prepaid")
CHANNELS = ("phone", "chat", "shop", "app", "e-mail")
# The true recent change: the two call centres were merged and prices rose on the same day.
CHANGE_DAY = np.datetime64("2025-10-01")
# What came and went between two annual surveys: since January 2025 the hotline called back (until the centres were merged), and from April to September 2025
# Kolibri sold at summer prices. Points of the rating, first day, last day but one; the first quarter of each reads well, for all and for one brand.
HOTLINE, SUMMER = (0.55, np.datetime64("2025-01-01"), CHANGE_DAY), (0.90, np.datetime64("2025-04-01"), CHANGE_DAY)


@dataclass(frozen=True)
class Attribute:
    """One rated attribute. `level` is its latent mean (scale 1-5), `weight` the points of recommendation (0-10) for one point of the latent
    attribute, `loading` the correlation with the common halo, `never` the share who never used it, `salience` how readily it is talked about, `stated` how readily
    it is named when people are asked what matters most, `role` what it is there for. `penalty` is taken off the recommendation where it fails (latent under FAILS),
    `reward` added where it delights (from DELIGHTS); what has either has no weight beside it."""

    id: str
    wording: str
    level: float
    weight: float
    loading: float
    never: float
    salience: float
    stated: float
    role: str = ""
    penalty: float = 0.0
    reward: float = 0.0


# The first ten are also what comments speak of; competence is part of what they say of the staff.
ATTRIBUTES = (
    Attribute("coverage", "Network coverage where you need it", 3.55, 0.70, 0.62, 0.00, 0.25, 1.5, "important"),
    Attribute("speed", "Speed of mobile data", 3.70, 0.12, 0.66, 0.03, 0.00, 1.1, "said, not shown"),
    Attribute("price", "Value for money", 2.85, 0.78, 0.60, 0.00, 0.35, 1.7, "weak and important"),
    Attribute("billing", "Clear and correct bills", 3.55, 0.00, 0.64, 0.04, -0.30, 0.2, "basic", penalty=0.85),
    Attribute("waiting", "Time until somebody answers when you call us", 3.10, 0.70, 0.62, 0.14, 0.00, -1.2, "shown, not said"),
    Attribute("staff", "Friendliness of our staff", 3.85, 0.17, 0.70, 0.10, 0.00, 0.5, "inseparable"),
    Attribute("terms", "Fair terms, easy to change or end", 3.55, 0.00, 0.77, 0.05, -0.35, -0.2, "halo"),
    Attribute("app", "The app and your online account", 4.05, 0.00, 0.62, 0.18, -0.35, -0.8, "delighter", reward=0.75),
    Attribute("shop", "Our shops", 4.15, 0.00, 0.60, 0.32, -0.60, -0.3, "strong and unimportant"),
    Attribute("delivery", "Delivery and set-up of devices and lines", 4.00, 0.01, 0.62, 0.28, -0.55, -0.6),
    Attribute("competence", "Competence of our staff", 3.80, 0.14, 0.70, 0.10, 0.00, 0.0, "inseparable"),
)
IDS = tuple(attribute.id for attribute in ATTRIBUTES)
TOPICS = IDS[:10]
LEVELS = np.array([a.level for a in ATTRIBUTES])
WEIGHTS = np.array([a.weight for a in ATTRIBUTES])
LOADINGS = np.array([a.loading for a in ATTRIBUTES])
NEVER = np.array([a.never for a in ATTRIBUTES])
SALIENCE = np.array([a.salience for a in ATTRIBUTES])
STATED = np.array([a.stated for a in ATTRIBUTES])
PENALTIES, REWARDS = (np.array([getattr(a, name) for a in ATTRIBUTES]) for name in ("penalty", "reward"))
FAILS, DELIGHTS = 2.5, 4.5               # where the ticked rating turns to 2, and to 5
TWINS, TWIN = ("staff", "competence"), 0.90     # how far what the halo leaves of the two is the same
# Of what the halo leaves of an attribute's variance, this share belongs to the person for good, the rest to the occasion.
STABLE_SHARE = 0.55
STABLE, OCCASION = np.sqrt((1 - LOADINGS**2) * STABLE_SHARE), np.sqrt((1 - LOADINGS**2) * (1 - STABLE_SHARE))

# Complaints: who made one within the year, how it was handled (latent, scale 1-5), what having had to complain takes off the recommendation, and what a point of the
# handling adds. Asked in the annual survey, the handling only of those who complained.
COMPLAINED, HANDLED, HANDLED_LOADING = 0.26, 2.9, 0.45
COMPLAINING, HANDLING = -0.40, 0.65

# The willingness to recommend before rounding: a mean, what the attributes give, a person's own leaning and the mood of the day.
RECOMMEND_MEAN, LEANING, MOOD = 7.65, 0.50, 1.20
PROMOTER_FROM, DETRACTOR_TO = 8.5, 6.5
UNRESOLVED = -0.70          # an unresolved contact, in points of recommendation
# Monthly chance of leaving, and its log-odds for one point of recommendation.
LEAVING = {"contract": 0.0085, "prepaid": 0.0140}
LEAVING_SLOPE = -0.42


def quarter(days) -> list[str]:
    """The fiscal quarter of each day."""
    days = np.asarray(days, dtype="datetime64[D]")
    named = {day: quarters.of(day.item(), **FISCAL) for day in np.unique(days)}
    return [named[day] for day in days]


def bounds(wave: str) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last day of a fiscal quarter."""
    first, last = quarters.bounds(wave, **FISCAL)
    return np.datetime64(first), np.datetime64(last)


def country(region) -> np.ndarray:
    """DE or CH, by region."""
    return np.where(np.isin(region, SWISS), "CH", "DE")


def rate(days) -> np.ndarray:
    """Euro for a franc on each day."""
    place = np.searchsorted(np.array([day for day, _ in RATES], dtype="datetime64[D]"), np.asarray(days, dtype="datetime64[D]"), side="right") - 1
    return np.array([value for _, value in RATES])[np.maximum(place, 0)]


def truthful(world: str) -> float:
    """1 where effects are real, 0 in the null world; the one switch every effect is multiplied with."""
    if world not in ("truth", "null"):
        raise ValueError(f"world must be 'truth' or 'null', not {world!r}")
    return float(world == "truth")


def attributes(key: tuple, n: int) -> np.ndarray:
    """Standard normals, rows as people and columns as ATTRIBUTES; those of the twins go together."""
    drawn = np.column_stack([draws.normal(key, n, len(TOPICS)), draws.normal((*key, "more"), n, len(IDS) - len(TOPICS))])
    one, other = (IDS.index(name) for name in TWINS)
    drawn[:, other] = TWIN * drawn[:, one] + np.sqrt(1 - TWIN**2) * drawn[:, other]
    return drawn


def steps(mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """What failing basics take and delighters give on average (points of recommendation), where the latent attributes are normal with these means and spreads
    (columns as ATTRIBUTES); less what they are worth over all customers, so that the mean of the recommendation stays."""
    usual = REWARDS @ ndtr(LEVELS - DELIGHTS) - PENALTIES @ ndtr(FAILS - LEVELS)
    return ndtr((mean - DELIGHTS) / spread) @ REWARDS - ndtr((FAILS - mean) / spread) @ PENALTIES - usual


def step_variance() -> float:
    """The variance of the same over all customers."""
    up, down = ndtr(LEVELS - DELIGHTS), ndtr(FAILS - LEVELS)
    return float((REWARDS**2 * up * (1 - up) + PENALTIES**2 * down * (1 - down)).sum())


def shifts(days: np.ndarray, *, world: str) -> np.ndarray:
    """How far each attribute's level lies from its mean on each day (rows as days, columns as ATTRIBUTES; points of the 1-5 scale)."""
    days = np.asarray(days, dtype="datetime64[D]")
    moved = np.zeros((len(days), len(IDS)))
    # The network was extended from January to August 2024.
    built = np.clip((days - np.datetime64("2024-01-01")).astype(float) / 240.0, 0, 1)
    moved[:, IDS.index("coverage")] += 0.28 * built - 0.10
    moved[:, IDS.index("speed")] += 0.40 * built - 0.15
    after = (days >= CHANGE_DAY).astype(float)
    moved[:, IDS.index("waiting")] -= 0.75 * after
    moved[:, IDS.index("price")] -= 0.26 * after
    month = days.astype("datetime64[M]").astype(int) % 12
    moved[:, IDS.index("waiting")] -= 0.18 * np.isin(month, (2, 3))       # March and April are busy
    return truthful(world) * moved


def passing(days: np.ndarray, kolibri: np.ndarray, *, world: str) -> np.ndarray:
    """What HOTLINE and SUMMER add on each day (rows as days, columns as ATTRIBUTES); nobody leaves or stays for it."""
    days = np.asarray(days, dtype="datetime64[D]")
    moved = np.zeros((len(days), len(IDS)))
    for item, (size, first, after), whom in (("waiting", HOTLINE, True), ("price", SUMMER, np.asarray(kolibri, dtype=bool))):
        moved[:, IDS.index(item)] += size * ((days >= first) & (days < after) & whom)
    return truthful(world) * moved


def leanings(people, *, world: str) -> np.ndarray:
    """How brand, region and contract move each attribute (rows as people, columns as ATTRIBUTES)."""
    moved = np.zeros((len(people), len(IDS)))
    region, brand, contract = (people[name].to_numpy() for name in ("region", "brand", "contract"))
    moved[:, IDS.index("coverage")] += np.select([region == "Görlitz", region == "Lübeck", region == "Köln"], [-0.70, -0.25, 0.15], 0.05)
    moved[:, IDS.index("price")] += np.where(brand == "Kolibri", 0.30, -0.12)
    moved[:, IDS.index("staff")] += np.where(brand == "Kolibri", -0.25, 0.10)
    moved[:, IDS.index("shop")] += np.where(brand == "Kolibri", -0.30, 0.10)
    moved[:, IDS.index("terms")] += np.where(contract == "prepaid", 0.30, -0.15)
    moved[:, IDS.index("billing")] += np.where(contract == "prepaid", 0.20, -0.10)
    return truthful(world) * moved
