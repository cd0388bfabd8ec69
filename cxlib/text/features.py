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
    rows, columns, idf = [_features(one, leanings) for one in reads], {}, {}
    for part in WEIGHT:
        if part != "letters":
            columns[part], idf[part] = vocabulary([row[part] for row in rows])
            idf[part] = idf[part] if part in PAIRS else np.ones(len(idf[part]))
    columns["letters"], idf["letters"] = letters([row["letters"] for row in rows])
    return Features(leanings, columns, idf)


def matrix(reads, features: Features) -> sparse.csr_matrix:
    """Return one row a verbatim: the parts side by side, and three columns of its shape (length, how many topics its phrases hit, none)."""
    rows, parts = [_features(one, features.leanings) for one in reads], []
    for part, weight in WEIGHT.items():
        own, columns = [row[part] for row in rows], features.columns[part]
        found = spelt(own, columns, features.idf[part]) if part == "letters" else weighed(own, columns, features.idf[part]) if part in PAIRS else _counts(own, columns)
        parts.append(weight * found)
    hit = np.array([len(row["topics"]) for row in rows], float)
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
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    length = np.sqrt(np.bincount(row, counts.data**2, minlength=counts.shape[0]))
    counts.data /= length[row]
    return counts


def words(one) -> list[str]:
    """The words of a verbatim in lower case; short forms of 'not' are one word."""
    return ["not" if word in ("n't", "nt") else word for word in one.lower if word[0].isalnum() or word == "n't"]


def _features(one, leanings) -> dict[str, list[str]]:
    said, leaning = words(one), leanings.get(one.item, "open")
    return {
        "words": with_pairs(said), "lemmas": with_pairs([lemma for lemma in one.lemmas if not lemma.isspace()]),
        "asked": [f"{leaning} {word}" for word in said],  # the question changes the meaning of a word
        "letters": said, "topics": sorted({mention[1] for mention in one.mentions}), "phrases": sorted({f"{mention[1]} {mention[3]}" for mention in one.mentions}),
        "question": [str(one.item), *([f"nothing {one.item}"] if one.state == "nothing" else [])],
    }  # fmt: skip


def with_pairs(tokens) -> list[str]:
    """Return tokens and the pairs of neighbours among them."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def _counts(rows, columns) -> sparse.csr_matrix:
    """Count features a row; those without a column are left out."""
    indices, ends, column = [], [0], columns.get
    for row in rows:
        indices += [at for at in map(column, row) if at is not None]
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
