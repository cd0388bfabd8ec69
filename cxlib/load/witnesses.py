"""Witnesses to a key: how often two rows with an equal key are two persons, told by the columns beside the key.

Among pairs with an equal key, the true and the false ones are two classes. How often the columns agree in false ones is known: from
pairs of different rows of one file that share the key (a family's e-mail address), and from pairs put together by lot. How often
they agree in true ones, and the share of false ones, are fitted (latent classes, EM). Without witnesses the share of false ones is told from
how often a wrong key meets somebody: keys that are shared, and keys with one sign altered.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.load import repeats

# When two spellings of a kind count as equal; a name may be shortened or mistyped.
AGREE = {
    "name": "jaro_winkler_similarity(a, b) >= 0.88", "date": "damerau_levenshtein(a, b) <= 1", "email": "damerau_levenshtein(a, b) <= 1",
    "phone": "damerau_levenshtein(a, b) <= 1", "number": "a = b", "code": "damerau_levenshtein(a, b) <= 1", "text": "jaro_winkler_similarity(a, b) >= 0.92",
}  # fmt: skip
DRAWS = 200


class Judged(NamedTuple):
    """What the witnesses say of pairs: a probability for each, draws of the number of false ones, and in words how they were had."""

    probability: np.ndarray
    draws: np.ndarray  # one row a draw: the probability of each pattern; empty without witnesses
    pattern: np.ndarray
    low: float
    high: float
    note: str

    def false(self, threshold: float) -> tuple[float, float, float]:
        """Return the expected number of false links among the pairs at or over the threshold, with its 95 % interval."""
        kept = self.probability >= threshold
        if not kept.any():
            return 0.0, 0.0, 0.0
        expected = float((1 - self.probability[kept]).sum())
        if not len(self.draws):
            return expected, self.low * kept.sum(), self.high * kept.sum()
        counts = np.bincount(self.pattern[kept], minlength=self.draws.shape[1])
        means = ((1 - self.draws) * counts).sum(axis=1)
        rng = np.random.default_rng(20260101)
        totals = rng.poisson(means)  # the estimate is uncertain, and the number of false links varies about it
        return expected, float(min(np.quantile(totals, 0.025), expected)), float(max(np.quantile(totals, 0.975), expected))


def agreement(pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame, *, columns: list[str], kinds: dict) -> np.ndarray:
    """Return a row a pair and a column a witness: 1 agrees, 0 does not, -1 empty on one side."""
    import pyarrow as pa

    if not len(pairs) or not columns:
        return np.empty((len(pairs), len(columns)), dtype=int)
    found = []
    cells = lambda frame, column, side: pa.array(frame[column], pa.large_string(), from_pandas=True).take(pa.array(pairs[side].to_numpy(dtype="int64")))
    with repeats.engine().cursor() as connection:
        for column in columns:
            connection.register("both_sides", pa.table({"place": np.arange(len(pairs)), "a": cells(left, column, "left"), "b": cells(right, column, "right")}))
            rule = AGREE[kinds[column]]
            found.append(connection.sql(f"select case when a is null or b is null then -1 when {rule} then 1 else 0 end as v from both_sides order by place").fetchnumpy()["v"])
    return np.column_stack(found).astype(int)


def judge(pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame, *, key: tuple, compare: list[str], kinds: dict, tried: pd.DataFrame) -> Judged:
    """Return how probable it is that each pair (left, right: places) with an equal key is one person; `tried` are the left rows that were looked for."""
    if not len(pairs):
        return Judged(np.empty(0), np.empty((0, 0)), np.empty(0, dtype=int), 0.0, 0.0, "no equal key")
    seen = agreement(pairs, left, right, columns=compare, kinds=kinds)
    filled = [place for place in range(len(compare)) if (seen[:, place] >= 0).sum() >= 30]
    if len(filled) < 2:
        return _unseen(pairs, left, right, key, tried)
    seen, columns = seen[:, filled], [compare[place] for place in filled]
    by_chance = _chance(left, right, key, columns, kinds)
    patterns, pattern, counts = np.unique(seen, axis=0, return_inverse=True, return_counts=True)
    pattern = pattern.ravel()
    probability = _classes(patterns, counts[None, :].astype(float), by_chance)
    rng = np.random.default_rng(20260101)
    draws = _classes(patterns, rng.multinomial(len(pairs), counts / len(pairs), size=DRAWS).astype(float), by_chance)
    return Judged(probability[0][pattern], draws, pattern, 0.0, 0.0, f"checked by {', '.join(columns)}")


def _chance(left, right, key, columns, kinds) -> np.ndarray:
    """How often each witness agrees in pairs of two persons: those who share the key within a file, else put together by lot."""
    size = min(len(left), len(right), 5000)
    rng = np.random.default_rng(20260101)
    lot = pd.DataFrame({"left": rng.integers(len(left), size=size), "right": rng.integers(len(right), size=size)})
    seen = agreement(lot, left, right, columns=columns, kinds=kinds)
    random = ((seen == 1).sum(axis=0) + 0.5) / ((seen >= 0).sum(axis=0) + 1.0)
    own = right.dropna(subset=list(key))
    own = own[own.duplicated(list(key), keep=False)].sort_values(list(key), kind="stable")
    same = (own[list(key)] == own[list(key)].shift(-1)).all(axis=1).to_numpy()
    shared = pd.DataFrame({"left": own.index[np.flatnonzero(same)], "right": own.index[np.flatnonzero(same) + 1]}).head(5000)
    seen = agreement(shared, right, right, columns=columns, kinds=kinds)
    # Two rows that differ in nothing, and are filled in what tells persons apart best, are one person entered twice.
    telling = np.argsort(-(seen == 0).mean(axis=0), kind="stable")[:2] if len(seen) else []
    seen = seen[(seen == 0).any(axis=1) | (seen[:, telling] < 0).any(axis=1)]
    return ((seen == 1).sum(axis=0) + 10 * random) / ((seen >= 0).sum(axis=0) + 10)


def _classes(patterns: np.ndarray, counts: np.ndarray, u: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Fit the share of false pairs and the agreement of true ones to counts of patterns (a row a draw); return P(one person) by pattern."""
    agree, filled = (patterns == 1).astype(float), (patterns >= 0).astype(float)
    false = np.exp(agree @ np.log(u) + (filled - agree) @ np.log1p(-u))
    m = np.full((len(counts), patterns.shape[1]), 0.9)
    share = np.full((len(counts), 1), 0.05)
    for _ in range(rounds):
        true = np.exp(np.log(m) @ agree.T + np.log1p(-m) @ (filled - agree).T)
        posterior = (1 - share) * true / ((1 - share) * true + share * false)
        weight = posterior * counts
        m = np.clip((weight @ agree + 0.9) / (weight @ filled + 1.0), u + 1e-3, 1 - 1e-6)  # true pairs agree at least as often as false ones
        share = np.clip(((1 - posterior) * counts).sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True), 1e-6, 0.999)
    return posterior


def _unseen(pairs, left, right, key, tried) -> Judged:
    """Without witnesses: of the left rows whose own row does not carry the key, as many meet somebody else's as a wrong key does."""
    key = list(key)
    own, asked = right.dropna(subset=key), tried.dropna(subset=key)
    shared = float(own.duplicated(key, keep=False).mean()) if len(own) else 0.0
    missed = max(len(asked) - len(pairs), 0)
    altered = _altered(right, key)
    # U rows found nobody; had a wrong key met somebody with chance q, then U q / (1 - q) did.
    false = lambda q: min(missed * q / max(1 - q, 1e-9) / len(pairs), 1.0)
    share = false(shared)
    margin = 1.96 * np.sqrt(max(share * (1 - share), 1 / len(pairs)) / len(pairs))
    note = f"nothing beside {'+'.join(key)} to check it by; at most as many false as if every key that was not found had been mistyped"
    return Judged(np.full(len(pairs), 1 - share), np.empty((0, 0)), np.zeros(len(pairs), dtype=int), max(share - margin, 0.0), min(max(false(max(shared, altered)), share + margin), 1.0), note)


def _altered(right: pd.DataFrame, key: list[str]) -> float:
    """How often a key with its last figure altered is somebody else's: high where numbers lie close together."""
    values = right[key[0]].dropna() if len(key) == 1 else pd.Series(dtype="str")
    numbers = values[values.str.fullmatch(r".*\d")]
    if not len(numbers):
        return 0.0
    step = 1 + np.random.default_rng(20260101).integers(9, size=len(numbers))
    altered = numbers.str[:-1] + ((numbers.str[-1].astype(int) + step) % 10).astype(str)
    return float(altered.isin(values).mean())
