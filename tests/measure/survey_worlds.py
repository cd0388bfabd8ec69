"""Populations of known truth for surveys with weights, clusters and silent people."""

import numpy as np
import pandas as pd
from scipy import stats

SCORES = np.array([2, 5, 6, 7, 8, 9, 10], dtype=float)


def population(seed=1, people=40_000, accounts=0, tie=0.6):
    """People in two regions and three ages whose scores go with both; in `accounts` of unequal size where told, who share an opinion (`tie`)."""
    rng = np.random.default_rng(seed)
    account = rng.choice(accounts, people, p=(size := rng.gamma(2.0, size=accounts)) / size.sum()) if accounts else np.arange(people)
    region, age = rng.choice(["north", "south"], people, p=[0.6, 0.4]), rng.choice(["young", "middle", "old"], people, p=[0.3, 0.45, 0.25])
    mood = 0.5 * (region == "south") + pd.Series(age).map({"young": -0.6, "middle": 0.0, "old": 0.7}).to_numpy() + rng.normal(size=people)
    if accounts:
        mood = mood + tie * rng.normal(size=accounts)[account]
    score = SCORES[np.clip(np.searchsorted(np.quantile(mood, [0.1, 0.2, 0.3, 0.45, 0.6, 0.8]), mood), 0, 6)]
    return pd.DataFrame({"person": np.arange(people), "account": account, "region": region, "age": age, "score": score})


def replies(frame, rng):
    """Who answers, when the old and the south answer twice as often as others."""
    chance = 0.5 * (1 + (frame["region"] == "south")) * (1 + (frame["age"] == "old")) / 2
    return rng.random(len(frame)) < chance.to_numpy()


def within(hits, replicates, low=0.93, high=0.97):
    """METHODS rule (b): outside only if the binomial 99 % band lies outside 93-97 %."""
    band = stats.binomtest(int(hits), int(replicates)).proportion_ci(0.99)
    return band.high >= low and band.low <= high
