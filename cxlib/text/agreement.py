"""Agreement: whether people who code the same comments without seeing each other's codes find the same topics."""

import numpy as np
import pandas as pd

from cxlib.text.prevalence import wilson

TENTATIVE, RELIABLE = 0.667, 0.80  # Krippendorff, Content Analysis (2004), 241: below the first no conclusion, from the second on without reserve
RARE = 20  # comments marked by anybody under which the lower limit decides, not the estimate
FEWEST = 5  # comments marked by anybody under which nothing can be told
AGREED = "agreed"  # the coder whose codes are those that the others settled on: no independent judgement
REPLICATES = 1000


def alpha(ratings: pd.DataFrame, *, metric: str = "nominal") -> float:
    """Krippendorff's alpha of ratings: unit, coder, value (numbers; missing ones are left out), nominal or interval.

    1 - observed / expected disagreement from the coincidences of pairable values (Krippendorff 2004, ch. 11); NaN where nothing can be paired or all
    values are the same. Any number of coders, also another for each unit.
    """
    counts, values = _counts(ratings)
    return float(_alpha(_parts(counts, values, metric), np.ones((1, len(counts))))[0]) if len(counts) else np.nan


def kappa(first, second) -> float:
    """Cohen's kappa (1960) of two coders' values of the same units; NaN where both use one value only."""
    first, second = np.asarray(first), np.asarray(second)
    values = np.unique(np.concatenate([first, second]))
    chance = sum(np.mean(first == value) * np.mean(second == value) for value in values)
    return float((np.mean(first == second) - chance) / (1 - chance)) if len(first) and chance < 1 else np.nan


def topics(marks: pd.DataFrame, *, seed: int = 1) -> pd.DataFrame:
    """Return how well coders agree on each topic: whether it is there, and, in the row "(polarity)", for better or worse where both see it.

    in: marks, a row a unit (comment), coder, topic that the coder was asked about, with present (0/1) and polarity ("" where absent). Rows of the coder "agreed" are not looked at.
    out: topic, n (comments coded by at least two), count (marked by anybody), estimate (alpha), conf_low, conf_high (95 %, bootstrap of comments; where fewer than
    20 are marked the lower limit is not above that of positive agreement by Wilson, which in a rare topic is nearly the same), kappa (mean over pairs of coders), positive
    (positive agreement: of a coder's marks, the share another shares), observed (share of agreeing pairs), verdict (reliable | tentative | below | cannot tell), allowed (flag: may lead to a priority), note.
    """
    marks = marks[marks["coder"] != AGREED]
    several = marks.groupby("unit")["coder"].nunique()
    marks = marks[marks["unit"].isin(several.index[several > 1])]
    rows = [_topic(name, own.assign(value=own["present"].astype(float)), seed) for name, own in marks.groupby("topic", sort=True)]
    sides = marks[marks["polarity"].isin(["positive", "negative", "unclear"])]
    if len(sides):
        judged = sides.assign(unit=sides["unit"].astype(str) + "\0" + sides["topic"], value=sides["polarity"].map({"negative": 0.0, "unclear": 1.0, "positive": 2.0}))
        rows.append(_topic("(polarity)", judged.groupby(["unit", "coder"], as_index=False)["value"].mean(), seed, binary=False))
    columns = ["topic", "n", "count", "estimate", "conf_low", "conf_high", "kappa", "positive", "observed", "verdict", "allowed", "note"]
    return pd.DataFrame(rows, columns=columns).astype({"n": "int64", "count": "int64", "allowed": bool})


def barred(found: pd.DataFrame) -> set[str]:
    """Return the topics on which coders do not agree well enough for a priority; what nobody has coded twice is not among them."""
    return set(found.loc[~found["allowed"].astype(bool) & (found["topic"] != "(polarity)"), "topic"]) if len(found) else set()


def _topic(name, own, seed, *, binary=True) -> dict:
    counts, values = _counts(own)
    row = {"topic": name, "n": len(counts), "count": 0, "verdict": "cannot tell", "allowed": False, "note": ""}
    if not len(counts):
        return row | {"note": "not estimable: no comment was coded twice"}
    size = counts.sum(axis=1)
    marked = counts[:, values.tolist().index(1.0)] if binary and 1.0 in values else np.zeros(len(counts)) if binary else size
    row["count"] = seen = int((marked > 0).sum())
    row["observed"] = float(((counts * (counts - 1)).sum(axis=1) / (size * (size - 1))).mean())
    row["kappa"] = _kappas(own)
    if binary and marked.sum():
        row["positive"] = float((marked * (marked - 1) / (size - 1)).sum() / marked.sum())
    parts = _parts(counts, values, "nominal")
    row["estimate"] = float(_alpha(parts, np.ones((1, len(counts))))[0])
    if seen < FEWEST or row["estimate"] != row["estimate"]:
        return row | {"note": f"not estimable: {seen} comments marked by anybody, fewer than {FEWEST}" if seen < FEWEST else "not estimable: all values are the same"}
    rng = np.random.default_rng(seed)
    drawn = _alpha(parts, rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=REPLICATES).astype(float))
    row["conf_low"], row["conf_high"] = (float(end) for end in np.nanquantile(drawn, [0.025, 0.975]))
    rare = binary and seen < RARE
    if rare:
        both = row["positive"] / (2 - row["positive"])  # of the comments marked by anybody, those marked by all
        low = float(wilson(both, seen)[0])
        row["conf_low"] = min(row["conf_low"], 2 * low / (1 + low))
    sure = row["conf_low"] if rare else row["estimate"]
    row["allowed"] = bool(sure >= TENTATIVE)
    row["verdict"] = "reliable" if row["allowed"] and row["estimate"] >= RELIABLE else "tentative" if row["allowed"] else "cannot tell" if row["estimate"] >= TENTATIVE else "below"
    row["note"] = f"rare: marked in {seen} comments, so the lower limit decides" if rare else ""
    return row


def _counts(ratings) -> tuple[np.ndarray, np.ndarray]:
    """How often each value was given to each unit that has two values or more: units x values."""
    table = ratings.dropna(subset="value").groupby(["unit", "value"]).size().unstack(fill_value=0)
    table = table[table.sum(axis=1) > 1]
    return table.to_numpy(float), table.columns.to_numpy(float)


def _parts(counts, values, metric):
    """Each unit's values, and its disagreement among pairs (sum of distances over m - 1); the distances."""
    apart = (values[:, None] - values[None, :]) ** 2 if metric == "interval" else (values[:, None] != values[None, :]).astype(float)
    return counts, np.einsum("uc,ck,uk->u", counts, apart, counts) / (counts.sum(axis=1) - 1), apart


def _alpha(parts, often) -> np.ndarray:
    """Alpha for each row of `often`, which says how many times each unit counts."""
    counts, disagreement, apart = parts
    totals = often @ counts
    n = totals.sum(axis=1)
    expected = (np.einsum("rc,ck,rk->r", totals, apart, totals)) / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (often @ disagreement) / expected, np.nan)


def _kappas(own) -> float:
    from itertools import combinations

    wide = own.pivot_table(index="unit", columns="coder", values="value", aggfunc="first")
    found = [kappa(*wide[[a, b]].dropna().to_numpy().T) for a, b in combinations(wide.columns, 2) if len(wide[[a, b]].dropna())]
    return float(np.nanmean(found)) if found and not np.isnan(found).all() else np.nan
