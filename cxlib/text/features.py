"""Features: what of a verbatim a model of topics may look at: words, lemmas, characters, hits of the codeframe's phrases, and the question."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

PAIRS = ("words", "lemmas", "asked")  # parts that are weighed by TF-IDF, rows of length 1
WEIGHT = {"words": 1.0, "lemmas": 1.0, "asked": 0.7, "letters": 1.0, "topics": 1.0, "phrases": 0.5, "question": 1.0}
FEWEST = 2  # verbatims that hold a feature, below which it is left out


@dataclass(frozen=True)
class Features:
    """The vocabulary of each part (feature -> column) and its inverse document frequencies (1 for hits and questions)."""

    leanings: dict
    columns: dict
    idf: dict


def fit(reads, codeframe) -> Features:
    """Learn the vocabulary of verbatims that were read (`topics.read`)."""
    leanings = {item: codeframe.leaning(item) for item in sorted({one.item for one in reads}, key=str)}
    columns, idf = {}, {}
    for part in WEIGHT:
        if part != "letters":
            columns[part], idf[part] = vocabulary([_features(one, part, leanings) for one in reads])
            idf[part] = idf[part] if part in PAIRS else np.ones(len(idf[part]))
    columns["letters"], idf["letters"] = letters([words(one) for one in reads])
    return Features(leanings, columns, idf)


def matrix(reads, features: Features) -> sparse.csr_matrix:
    """Return one row a verbatim: the parts side by side, and three columns of its shape (length, how many topics its phrases hit, none)."""
    parts = []
    for part, weight in WEIGHT.items():
        if part == "letters":
            parts.append(weight * spelt([words(one) for one in reads], features.columns[part], features.idf[part]))
        elif part in PAIRS:
            parts.append(weight * weighed([_features(one, part, features.leanings) for one in reads], features.columns[part], features.idf[part]))
        else:
            parts.append(weight * _counts([_features(one, part, features.leanings) for one in reads], features.columns[part]))
    hit = np.array([len({mention[1] for mention in one.mentions}) for one in reads], float)
    size = np.array([len(one.lower) for one in reads], float)
    return sparse.hstack([*parts, sparse.csr_matrix(np.column_stack([np.log1p(size) / 3, hit == 0, np.minimum(hit, 4) / 4]))], format="csr")


def vocabulary(rows) -> tuple[dict, np.ndarray]:
    """Return the column of each feature that at least two rows (lists of features) have, and its inverse document frequency, 1 + log((1 + n)/(1 + df))."""
    found = Counter(feature for row in rows for feature in set(row))
    kept = sorted(name for name, many in found.items() if many >= FEWEST)
    return {feature: at for at, feature in enumerate(kept)}, np.array([np.log((1 + len(rows)) / (1 + found[feature])) + 1 for feature in kept])


def weighed(rows, columns, idf) -> sparse.csr_matrix:
    """Return rows of features by TF-IDF, (1 + log count) times idf, each of length 1."""
    return _unit(_counts(rows, columns), idf)


def letters(said) -> tuple[dict, np.ndarray]:
    """Return the vocabulary of runs of 3 to 5 letters of rows of words."""
    counted, runs, hold = _letters(said, None)
    many = np.diff((counted @ hold).tocsc().indptr)
    kept = np.flatnonzero(many >= FEWEST)
    return {runs[at]: place for place, at in enumerate(kept)}, np.log((1 + len(said)) / (1 + many[kept])) + 1


def spelt(said, columns, idf) -> sparse.csr_matrix:
    """Return rows of words as their runs of letters by TF-IDF, each of length 1."""
    counted, _, hold = _letters(said, columns)
    return _unit((counted @ hold).tocsr(), idf)


def _unit(counts, idf) -> sparse.csr_matrix:
    counts.data = 1 + np.log(counts.data)
    counts = counts @ sparse.diags(idf)
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return sparse.diags(1 / np.where(length > 0, length, 1.0)) @ counts


def words(one) -> list[str]:
    """The words of a verbatim in lower case; short forms of 'not' are one word."""
    return ["not" if word in ("n't", "nt") else word for word in one.lower if word[0].isalnum() or word == "n't"]


def _features(one, part, leanings) -> list[str]:
    if part == "words":
        return with_pairs(words(one))
    if part == "lemmas":
        return with_pairs([lemma for lemma in one.lemmas if not lemma.isspace()])
    if part == "asked":  # the question changes the meaning of a word
        return [f"{leanings.get(one.item, 'open')} {word}" for word in words(one)]
    if part == "topics":
        return sorted({mention[1] for mention in one.mentions})
    if part == "phrases":
        return sorted({f"{mention[1]} {mention[3]}" for mention in one.mentions})
    return [str(one.item), *([f"nothing {one.item}"] if one.state == "nothing" else [])]


def with_pairs(tokens) -> list[str]:
    """Return tokens and the pairs of neighbours among them."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def _counts(rows, columns) -> sparse.csr_matrix:
    """Count features a row; those without a column are left out."""
    indices, ends = [], [0]
    for row in rows:
        indices.extend(columns[feature] for feature in row if feature in columns)
        ends.append(len(indices))
    counts = sparse.csr_matrix((np.ones(len(indices)), np.array(indices, dtype=np.int64), np.array(ends)), shape=(len(rows), len(columns)))
    counts.sum_duplicates()
    return counts


def _letters(said, columns):
    """Return rows of words by distinct words, the runs of 3 to 5 letters, and words by runs: their product counts the runs of a row.

    A word is taken apart once, however often it stands in them.
    """
    place = {word: at for at, word in enumerate(sorted({word for row in said for word in row}))}
    runs = [[f" {word} "[at : at + size] for size in (3, 4, 5) for at in range(len(word) + 3 - size)] or [f" {word} "] for word in place]
    if columns is None:
        columns = {run: at for at, run in enumerate(sorted({run for row in runs for run in row}))}
    return _counts(said, place), list(columns), _counts(runs, columns)
