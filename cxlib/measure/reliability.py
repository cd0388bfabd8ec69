"""How much of a single score is the customer's lasting opinion, and how much the mood of the day: from customers who were asked again."""

import numpy as np
import pandas as pd
from scipy import special, stats


def retest(responses: pd.DataFrame, *, survey: str, item: str, days: int = 200) -> pd.DataFrame:
    """Return the reliability of one answer: the correlation of a customer's answers to the same question, asked again within so many days.

    in: responses with person_id, survey, answered_on and the item. Each answer is paired with the same customer's next. out, one row: estimate (intraclass correlation, 0 to 1), std_error, conf_low,
    conf_high (customers as clusters), mean, sd (of all answers), error (standard deviation of what does not last, scale units), pairs, n (customers with a pair), days (median between), note. Opinions that
    really changed in between count as error here, so it is a lower bound of the reliability. Source: Shrout & Fleiss (1979), Psych. Bulletin 86, 420-428 (ICC 1,1).
    """
    own = responses[(responses["survey"] == survey) & responses[item].notna() & responses["person_id"].notna()]
    own = own.sort_values(["person_id", "answered_on", "answer"], kind="stable")
    again = own.groupby("person_id")
    pairs = pd.DataFrame({"person_id": own["person_id"], "one": own[item].astype(float), "two": again[item].shift(-1).astype(float), "gap": (again["answered_on"].shift(-1) - own["answered_on"]).dt.days}).dropna()
    pairs = pairs[pairs["gap"].between(1, days)]
    row = {"estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "mean": own[item].mean(), "sd": own[item].std(), "error": np.nan, "pairs": len(pairs), "n": int(pairs["person_id"].nunique()), "days": pairs["gap"].median()}
    if row["n"] < 30 or not row["sd"] > 0:
        return pd.DataFrame([row | {"note": f"not estimable ({row['n']:,} customers were asked twice within {days} days; 30 are needed)"}])
    centre = (pairs["one"].mean() + pairs["two"].mean()) / 2
    one, two = pairs["one"] - centre, pairs["two"] - centre
    size = float(((one**2 + two**2) / 2).sum())
    found = float((one * two).sum() / size) if size > 0 else np.nan
    pull = (one * two - found * (one**2 + two**2) / 2).groupby(pairs["person_id"]).sum()
    error = float(np.sqrt((pull**2).sum() * row["n"] / (row["n"] - 1)) / size)
    half = stats.norm.ppf(0.975) * error
    row |= {"estimate": found, "std_error": error, "conf_low": max(found - half, -1.0), "conf_high": min(found + half, 1.0), "error": row["sd"] * np.sqrt(max(1 - found, 0.0))}
    return pd.DataFrame([row | {"note": "" if row["conf_low"] > 0 else "not estimable (a second answer tells nothing of the first)"}])


def lasting(scores: pd.Series, answers: pd.Series, *, mean: float, sd: float, reliability: float) -> pd.DataFrame:
    """Return what a customer's answers say of the lasting opinion: expected (drawn towards the mean of all) and spread (its standard deviation).

    `scores` are the means of as many `answers` each. Normal opinions and errors: expected = mean + r_k (score - mean), r_k = k r / (1 + (k - 1) r), spread = sd sqrt(r (1 - r_k)).
    Source: Kelley (1927); Spearman (1910) and Brown (1910) for r_k.
    """
    k = answers.astype(float)
    part = k * reliability / (1 + (k - 1) * reliability)
    return pd.DataFrame({"expected": mean + part * (scores - mean), "spread": sd * np.sqrt(reliability * (1 - part))})


def below(known: pd.DataFrame, places: pd.DataFrame, *, down: float = np.inf) -> np.ndarray:
    """Return the probability that the lasting opinion lies under the threshold, by no more than `down`: over what is not known of the opinion and of the place.

    `known` is what `lasting` returns, `places` the places of the threshold on the same scale with their weight (columns at, weight).
    """
    at, weight = places["at"].to_numpy(float), places["weight"].to_numpy(float) / places["weight"].sum()
    middle, spread = known["expected"].to_numpy(float)[:, None], known["spread"].to_numpy(float)[:, None]
    under = lambda edge: special.ndtr((edge - middle) / spread)
    return (under(at) - (under(at - down) if np.isfinite(down) else 0.0)) @ weight
