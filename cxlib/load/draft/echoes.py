"""Columns that say again what another says: a score cut into groups (promoter, passive, detractor) is no question of its own."""

import itertools

import numpy as np
import pandas as pd

from cxlib.load.draft import facts, words
from cxlib.load.draft.scales import Guess

ENOUGH = 100  # rows from which groups that follow a score without exception are no chance
NAMED = 20  # where their names are those of the groups of a recommendation
LOOK = 2_000  # rows that are looked at first


def of(file: facts.File, ratings: dict[str, Guess]) -> dict[str, tuple[str, bool]]:
    """Return column -> (the score that it groups, whether the groups are those of a Net Promoter Score).

    Such a column has two to four values, is filled where the score is, and each score has one of them, those of a value side by side.
    """
    few = {name: counts for name, counts in file.counts.items() if counts and 2 <= len(counts) <= 4}
    scores = [name for name, one in ratings.items() if len(file.counts.get(name) or {}) >= 5]
    if not few or not scores:
        return {}
    codes = {name: _codes(file.some(name)) for name in {*few, *scores}}
    found: dict = {}
    for name in few:
        for score in scores:
            if name != score and len(few[name]) < len(file.counts[score]) and _follows(codes[name], codes[score]):
                groups = _groups(file, name, score)
                said = [cell for cell in few[name] if words.says(words.PROMOTERS, cell)]
                cut = ratings[score].high == 10 and len(groups) == 3 and sorted(groups.values(), key=min)[1:] == [{7, 8}, {9, 10}]
                rows = sum(few[name].values())
                if _side_by_side(groups) and rows >= (NAMED if len(said) >= 2 else ENOUGH):
                    found[name] = (score, len(said) >= 2 or cut)
                    break
    return found


def _codes(cells: pd.Series) -> np.ndarray:
    """Cells as whole numbers, the blank one as -1."""
    bare = cells.str.strip()
    codes = pd.factorize(bare)[0]
    return np.where((bare == "").to_numpy(dtype=bool), -1, codes)


def _follows(group: np.ndarray, score: np.ndarray) -> bool:
    """Whether every score has one group, and both are filled in the same rows."""
    for rows in (slice(0, LOOK), slice(None)):
        g, s = group[rows], score[rows]
        both = (g >= 0) & (s >= 0)
        if not both.any() or (both != ((g >= 0) | (s >= 0))).mean() > 0.01 or len(np.unique(s[both] * 1_000 + g[both])) > len(np.unique(s[both])):
            return False
    return True


def _groups(file: facts.File, name: str, score: str) -> dict[str, set]:
    pairs = pd.DataFrame({"group": file.some(name).str.strip(), "score": pd.to_numeric(file.some(score).astype(object), errors="coerce")}).dropna()
    return {group: {int(one) for one in own.unique()} for group, own in pairs[pairs["group"] != ""].groupby("group")["score"]}


def _side_by_side(groups: dict[str, set]) -> bool:
    spans = sorted((min(own), max(own)) for own in groups.values())
    return len(spans) > 1 and all(high < low for (_, high), (low, _) in itertools.pairwise(spans))
