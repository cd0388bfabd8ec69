"""The lasting opinion behind the scores: how much of one answer lasts, and what all answers of a customer say of it.

An answer is the lasting opinion plus the mood of the day, cut into the points of the scale. Opinion and mood are taken as normal, the cuts are where they fall in the answers: so
an end of the scale at which many sit, or steps that people use unevenly, are part of the model, and no score is read as a measure in centimetres.
Sources: Olsson (1979), Psychometrika 44, 443-460 (the correlation of two ordinal answers); Bock & Aitkin (1981), Psychometrika 46, 443-459 (the posterior on nodes).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

NODES, FEWEST, AGAIN, YEAR = 161, 30, 200, 365


class Opinion(NamedTuple):
    """What is known of the lasting opinion behind the answers to a question."""

    levels: np.ndarray  # points of the scale that were used
    reliability: float  # part of the variance of one answer that lasts
    low: float
    high: float
    scale: np.ndarray  # the usual score of an opinion at each node
    prior: np.ndarray  # the part of customers at each node
    chance: np.ndarray  # of each answer at each node (levels x nodes)
    pairs: int
    customers: int  # asked again
    days: float  # between, in the middle
    note: str


def retest(responses: pd.DataFrame, *, survey: str, item: str, days: int = AGAIN) -> Opinion:
    """Return the lasting opinion behind the answers of a survey, from customers who were asked the same again within so many days.

    in: responses (person_id, survey, answered_on, answer, the item). Each answer is paired with the same customer's next. The reliability is the correlation of the two answers as if
    they had not been cut into points (maximum likelihood, customers as clusters). Opinions that really changed in between count as mood, so it is a lower bound. The note says why it cannot be had.
    """
    own = responses[(responses["survey"] == survey) & responses[item].notna() & responses["person_id"].notna()].sort_values(["person_id", "answered_on", "answer"], kind="stable")
    levels, code = np.unique(own[item].to_numpy(float), return_inverse=True)
    again = own.assign(_code=code).groupby("person_id")
    pairs = pd.DataFrame({"person_id": own["person_id"], "one": code, "two": again["_code"].shift(-1), "gap": (again["answered_on"].shift(-1) - own["answered_on"]).dt.days}).dropna()
    pairs = pairs[pairs["gap"].between(1, days)].astype({"two": int})
    customers = int(pairs["person_id"].nunique())
    blank = Opinion(levels, np.nan, np.nan, np.nan, *(np.empty(0),) * 3, len(pairs), customers, float(pairs["gap"].median()) if len(pairs) else np.nan, "")
    if customers < FEWEST or len(levels) < 3:
        return blank._replace(note=f"not estimable ({customers:,} customers were asked twice within {days} days; {FEWEST} are needed)")
    share = np.cumsum(np.bincount(code, minlength=len(levels)))[:-1] / len(code)
    cuts, table = special.ndtri(share), np.zeros((len(levels), len(levels)))
    np.add.at(table, (pairs["one"].to_numpy(), pairs["two"].to_numpy()), 1.0)
    found = float(optimize.minimize_scalar(lambda r: -(table * np.log(_joint(cuts, r))).sum(), bounds=(0.005, 0.995), method="bounded", options={"xatol": 1e-5}).x)
    step = min(1e-3, found / 2, (1 - found) / 2)
    up, here, down = (np.log(_joint(cuts, r)) for r in (found + step, found, found - step))
    pull = ((up - down) / (2 * step))[pairs["one"], pairs["two"]]
    bend = -(table * (up - 2 * here + down)).sum() / step**2
    error = float(np.sqrt((pd.Series(pull).groupby(pairs["person_id"].to_numpy()).sum() ** 2).sum() * customers / (customers - 1)) / bend) if bend > 0 else np.nan
    half = stats.norm.ppf(0.975) * error
    nodes, prior = _nodes()
    middles = (levels[:-1] + levels[1:]) / 2
    made = blank._replace(reliability=found, low=max(found - half, 0.0), high=min(found + half, 1.0), scale=_usual(np.sqrt(found) * nodes, cuts, middles), prior=prior, chance=_chances(cuts, found, nodes))
    return made if made.low > 0.02 else made._replace(note="not estimable (a second answer tells nothing of the first)")


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    nodes = np.linspace(-5, 5, NODES)
    weight = stats.norm.pdf(nodes)
    return nodes, weight / weight.sum()


def _chances(cuts: np.ndarray, reliability: float, nodes: np.ndarray) -> np.ndarray:
    """The chance of each answer given the opinion at each node."""
    edges = special.ndtr((cuts[:, None] - np.sqrt(reliability) * nodes) / np.sqrt(1 - reliability))
    return np.maximum(np.diff(np.vstack([np.zeros(len(nodes)), edges, np.ones(len(nodes))]), axis=0), 1e-300)


def _joint(cuts: np.ndarray, reliability: float) -> np.ndarray:
    nodes, prior = _nodes()
    chance = _chances(cuts, reliability, nodes)
    return np.maximum((chance * prior) @ chance.T, 1e-300)


def _usual(at: np.ndarray, cuts: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """The score that an opinion without mood would give, between the points of the scale: straight between the cuts, and on as the outer steps go."""
    if len(cuts) < 2:
        return middles[0] + (at - cuts[0])
    found = np.interp(at, cuts, middles)
    for end, other, side in ((0, 1, at < cuts[0]), (-1, -2, at > cuts[-1])):
        found = np.where(side, middles[end] + (at - cuts[end]) * (middles[end] - middles[other]) / (cuts[end] - cuts[other]), found)
    return found


def posterior(opinion: Opinion, answers: pd.DataFrame, at: pd.DataFrame, *, score: str, days: int = YEAR) -> np.ndarray:
    """Return what is known of the opinion of each row of `at` on its day: the chance of every node (rows x nodes), from all answers of the customer in the `days` up to it.

    in: `answers` person_id, answered_on, `score`; `at` person_id, answered_on. Nothing later than a row's day is used; whoever gave no answer in that time has the prior.
    """
    known = answers.dropna(subset=["person_id", score]).sort_values(["person_id", "answered_on"], kind="stable")
    code = np.searchsorted(opinion.levels, known[score].to_numpy(float))
    names = pd.Index(known["person_id"].unique())
    key = lambda rows: names.get_indexer(rows["person_id"]).astype(np.int64) * 10**6 + rows["answered_on"].to_numpy().astype("datetime64[D]").astype(np.int64) + 200_000
    keys, days_of = key(known), key(at)
    low, high = np.searchsorted(keys, days_of - days, side="right"), np.searchsorted(keys, days_of, side="right")
    logs = np.vstack([np.zeros((1, len(opinion.prior))), np.cumsum(np.log(opinion.chance)[code], axis=0)])
    found = logs[high] - logs[low] + np.log(opinion.prior)
    found[names.get_indexer(at["person_id"]) < 0] = np.log(opinion.prior)
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def below(known: np.ndarray, opinion: Opinion, places: pd.DataFrame, *, down: float = np.inf) -> np.ndarray:
    """Return the chance that each opinion lies under the threshold, by no more than `down` (scores): over what is not known of the opinion and of the place.

    `known` is what `posterior` returns, `places` the places of the threshold on the scale of scores with their weight (columns at, weight).
    """
    weight = places["weight"].to_numpy(float) / places["weight"].sum()
    under = (opinion.scale[:, None] < places["at"].to_numpy(float)) & (opinion.scale[:, None] >= places["at"].to_numpy(float) - down)
    return known @ (under @ weight)
