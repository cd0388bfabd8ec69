"""Opinions: from what a person experienced to what is ticked on the scale, and what that makes of NPS in expectation."""

import numpy as np
from scipy.special import ndtr

from . import company, draws


def experience(person, days, held: dict, *, key: tuple, world: str, passing: bool = True) -> np.ndarray:
    """The latent attributes on an occasion (rows as answers, columns as ATTRIBUTES; scale 1-5 before rounding), with what came and went or without."""
    occasion = company.attributes((*key, "occasion"), len(person)) * company.OCCASION
    gone = passing * company.passing(days, held["kolibri"][person], world=world)
    return company.LEVELS + company.shifts(days, world=world) + gone + held["standing"][person] + occasion


def recommend(person, felt, held: dict, *, key: tuple, world: str, unresolved=0.0) -> np.ndarray:
    """The willingness to recommend before rounding: 0-10, what the attributes give, the person's leaning, the mood of the day."""
    real, n = company.truthful(world), len(person)
    # held["score"] holds the person's standing already; what the occasion and the date add is the rest of `felt`.
    lasting = company.LEVELS + held["standing"][person]
    passing = real * ((felt - lasting) @ company.WEIGHTS + company.steps(felt, 1e-9) - held["usual"][person])
    return held["score"][person] + passing + real * unresolved + mood_spread(world) * draws.normal((*key, "mood"), n)


def mood_spread(world: str) -> float:
    """Standard deviation of the mood; in the null world it also carries what the occasion would have given."""
    return float(np.sqrt(company.MOOD**2 + (1 - company.truthful(world)) * (((company.WEIGHTS * company.OCCASION)**2).sum() + company.COMPLAINED * company.HANDLING**2)))


def tick(latent: np.ndarray, low: int, high: int) -> np.ndarray:
    """The nearest point of the scale."""
    return np.clip(np.floor(latent + 0.5), low, high).astype(int)


def eleven(latent: np.ndarray) -> np.ndarray:
    """0-10. Those who are angry go further down than a straight line would: below five the steps are longer (NPS classes are not touched)."""
    return tick(np.where(latent < 5, 5 - 1.6 * (5 - latent), latent), 0, 10)


def ratings(felt: np.ndarray, *, key: tuple) -> np.ndarray:
    """1-5 an attribute; 6 where the respondent never used it."""
    chance = draws.uniform((*key, "never"), *felt.shape)
    one, other = (company.IDS.index(name) for name in company.TWINS)
    chance[:, other] = chance[:, one]                      # who never met the staff can rate neither
    unused = chance < company.NEVER
    return np.where(unused, 6, tick(felt, 1, 5))


def named(n: int, *, key: tuple) -> np.ndarray:
    """The two attributes each respondent names as mattering most (places in ATTRIBUTES from 1, the first named first): what people think of, whatever moves them."""
    pull = company.STATED - np.log(-np.log(draws.uniform((*key, "named"), n, len(company.IDS))))
    return np.argsort(-pull, axis=1, kind="stable")[:, :2] + 1


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


def complaints(person, held: dict, *, key: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Who complained within the year, and how the complaint was handled (latent, scale 1-5; drawn for everybody)."""
    n, rest = len(person), np.sqrt(1 - company.HANDLED_LOADING**2)
    return draws.happens((*key, "complained"), np.full(n, company.COMPLAINED)), company.HANDLED + company.HANDLED_LOADING * held["halo"][person] + rest * draws.normal((*key, "handled"), n)


def after_complaint(complained, handled, *, world: str) -> np.ndarray:
    """What a complaint and its handling give to the recommendation, in points; on average over all customers nothing."""
    given = complained * (company.COMPLAINING + company.HANDLING * (handled - company.HANDLED)) - company.COMPLAINED * company.COMPLAINING
    return company.truthful(world) * given


def expected(person, days, held: dict, *, world: str, unresolved=0.0, complaining: bool = True) -> np.ndarray:
    """The true NPS, in points, of each person on each day: P(9-10) - P(0-6), mood and occasion integrated out (and `unresolved`, the points that
    a contact moment took or gave). Basics that fail, delighters and complaints (of the year; not part of a pulse) are mixed by their chances."""
    real = company.truthful(world)
    drift = company.shifts(days, world=world) + company.passing(days, held["kolibri"][person], world=world)
    mean = held["score"][person] + real * (drift @ company.WEIGHTS + unresolved - held["usual"][person])
    spread = mood_spread(world)**2 + real * ((company.WEIGHTS * company.OCCASION)**2).sum() + real * twin_covariance(company.OCCASION)
    felt = company.LEVELS + drift + held["standing"][person]
    parts = [(np.ones(len(mean)), real * company.steps(np.full_like(company.LEVELS, 3.5), np.full(len(company.IDS), 1e-9)), 0.0)]
    for item in np.flatnonzero(real * (company.PENALTIES + company.REWARDS)):
        worth, edge = (company.REWARDS[item], company.DELIGHTS) if company.REWARDS[item] else (-company.PENALTIES[item], company.FAILS)
        happens = ndtr((felt[:, item] - edge) / company.OCCASION[item] * np.sign(worth))
        parts = [(share * chance, given + more, wide) for share, given, wide in parts for chance, more in ((happens, worth), (1 - happens, 0.0))]
    if complaining and real:
        rest = (company.HANDLING**2) * (1 - company.HANDLED_LOADING**2)
        halo = company.HANDLING * company.HANDLED_LOADING * held["halo"][person]
        usual = -company.COMPLAINED * company.COMPLAINING
        parts = [(share * chance, given + usual + more, wide + extra) for share, given, wide in parts
                 for chance, more, extra in ((company.COMPLAINED, company.COMPLAINING + halo, rest), (1 - company.COMPLAINED, 0.0, 0.0))]
    nps = 0.0
    for share, given, wide in parts:
        error = np.sqrt(spread + wide)
        nps = nps + share * (ndtr((mean + given - company.PROMOTER_FROM) / error) - ndtr((company.DETRACTOR_TO - mean - given) / error))
    return 100 * nps


def twin_covariance(scale: np.ndarray) -> float:
    """What the twins' common part adds to the variance of the weighted sum of the attributes."""
    one, other = (company.IDS.index(name) for name in company.TWINS)
    return float(2 * company.TWIN * company.WEIGHTS[one] * company.WEIGHTS[other] * scale[one] * scale[other])
