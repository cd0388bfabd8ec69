"""Opinions: from what a person experienced to what is ticked on the scale, and what that makes of NPS in expectation."""

import numpy as np
from scipy.special import ndtr

from . import company, draws


def experience(person, days, held: dict, *, key: tuple, world: str) -> np.ndarray:
    """The latent attributes on an occasion (rows as answers, columns as ATTRIBUTES; scale 1-5 before rounding)."""
    occasion = draws.normal((*key, "occasion"), len(person), len(company.IDS)) * company.OCCASION
    return company.LEVELS + company.shifts(days, world=world) + held["standing"][person] + occasion


def recommend(person, felt, held: dict, *, key: tuple, world: str, unresolved=0.0) -> np.ndarray:
    """The willingness to recommend before rounding: 0-10, what the attributes give, the person's leaning, the mood of the day."""
    real, n = company.truthful(world), len(person)
    # held["score"] holds the person's standing already; what the occasion and the date add is the rest of `felt`.
    lasting = company.LEVELS + held["standing"][person]
    passing = real * (felt - lasting) @ company.WEIGHTS
    return held["score"][person] + passing + real * unresolved + mood_spread(world) * draws.normal((*key, "mood"), n)


def mood_spread(world: str) -> float:
    """Standard deviation of the mood; in the null world it also carries what the occasion would have given."""
    return float(np.sqrt(company.MOOD**2 + (1 - company.truthful(world)) * ((company.WEIGHTS * company.OCCASION)**2).sum()))


def tick(latent: np.ndarray, low: int, high: int) -> np.ndarray:
    """The nearest point of the scale."""
    return np.clip(np.floor(latent + 0.5), low, high).astype(int)


def eleven(latent: np.ndarray) -> np.ndarray:
    """0-10. Those who are angry go further down than a straight line would: below five the steps are longer (NPS classes are not touched)."""
    return tick(np.where(latent < 5, 5 - 1.6 * (5 - latent), latent), 0, 10)


def ratings(felt: np.ndarray, *, key: tuple) -> np.ndarray:
    """1-5 an attribute; 6 where the respondent never used it."""
    unused = draws.uniform((*key, "never"), *felt.shape) < company.NEVER
    return np.where(unused, 6, tick(felt, 1, 5))


def kpis(latent: np.ndarray, felt: np.ndarray, *, key: tuple, world: str) -> dict[str, np.ndarray]:
    """recommend 0-10, satisfaction 1-5, ease 1-7 (made it easy, high is good), repurchase 1-5."""
    real, n = company.truthful(world), len(latent)
    off = latent - company.RECOMMEND_MEAN
    effort = real * (0.40 * (felt[:, company.IDS.index("waiting")] - 3.0) + 0.20 * (felt[:, company.IDS.index("app")] - 4.05))
    return {
        "recommend": eleven(latent),
        "satisfaction": tick(3.72 + 0.38 * off + 0.55 * draws.normal((*key, "satisfaction"), n), 1, 5),
        "ease": tick(5.0 + 0.30 * off + effort + 0.95 * draws.normal((*key, "ease"), n), 1, 7),
        "repurchase": tick(3.75 + 0.42 * off + 0.75 * draws.normal((*key, "repurchase"), n), 1, 5)}


def expected(person, days, held: dict, *, world: str, unresolved=0.0) -> np.ndarray:
    """The true NPS, in points, of each person on each day: P(9-10) - P(0-6), mood and occasion integrated out (and `unresolved`, the points that
    a contact moment took or gave)."""
    mean = held["score"][person] + company.truthful(world) * (company.shifts(days, world=world) @ company.WEIGHTS + unresolved)
    spread = np.sqrt(mood_spread(world)**2 + company.truthful(world) * ((company.WEIGHTS * company.OCCASION)**2).sum())
    return 100 * (ndtr((mean - company.PROMOTER_FROM) / spread) - ndtr((company.DETRACTOR_TO - mean) / spread))
