"""Which end of a scale is the good one: as the question says it, and where nothing does, what goes against the recommendation is turned."""

import itertools
import re

import numpy as np

from cxlib.load.draft import facts, words
from cxlib.load.draft.scales import ENOUGH, Guess

AGAINST = -0.3  # correlation from which a rating goes against what is known
SIGMA = 4.0  # and how far from nought it must lie
_BEHIND = r"(?<![0-9.,]){}\s*(?:[=:(–—-]\s*|\s)(?:(?:is|means?|bedeutet|heißt|ist|steht für|est|signifie|significa|es|é)\s)?([^0-9=;()|]{{2,80}})"  # 1 = very satisfied, 1 (sehr gut) bis ...
_BEFORE = r"([^0-9=;,()|]{{2,80}}?)\s*(?:=|\(|:)\s*{}(?![0-9.])"  # very satisfied = 1
_JOINED = re.compile(r"[\s,.–—-]+(?:bis|to|a|à|until|und|and|et|y|e|hasta|até|jusqu'à)?\s*$", re.IGNORECASE)


def worded(one: Guess, said: list[str]) -> Guess | None:
    """Return a rating with what its name or question says of both ends of its scale (1 = very satisfied, 5 = very dissatisfied); None where they do not, or say nothing of good and bad."""
    for text in said:
        for pattern in (_BEHIND, _BEFORE):
            for low, high in itertools.product(*(re.findall(pattern.format(code), text) for code in (one.low, one.high))):
                low, high = (_JOINED.sub("", end).strip(" ,.–—-") for end in (low, high))
                below, above = words.strength(low), words.strength(high)
                if below is not None and above is not None and below * above < 0:
                    return one._replace(low_label=low, high_label=high, reversed=below > 0, sure=max(one.sure, 0.85), why=f"codes {one.low} to {one.high}, and its question says what the ends mean")
    return None


def turned(file: facts.File, guesses: dict[str, Guess], said: dict[str, list[str]]) -> dict[str, str]:
    """Return column -> why its low end is the good one, of ratings whose file does not say which end is.

    School grades say it by their name. Others go against the questions of which the good end is known: a recommendation of 0 to 10, and scales whose
    answers are words. `said` holds the names and questions of a column.
    """
    open_ends = {name: one for name, one in guesses.items() if not (one.high_label or one.labels or one.reversed) and one.high > 2}
    found = {}
    for name, one in open_ends.items():
        if one.low == 1 and ((one.high in (5, 6) and words.says(words.GRADES, *said[name])) or (one.high == 6 and words.says(words.NOTE, *said[name]))):
            found[name] = "a school grade: 1 is the best"
    found |= {name: "an effort: little of it is good" for name, one in guesses.items() if hard(one, said[name]) and (one.low, one.high) != (1, 5)}  # of 1 to 5 a definition knows it
    known = {name: -1.0 if one.reversed else 1.0 for name, one in guesses.items() if name not in open_ends or ((one.low, one.high) == (0, 10) and words.says(words.KPIS["recommend"], *said[name]))} | dict.fromkeys(found, -1.0)
    rest = [name for name, one in open_ends.items() if name not in known and not words.says(f"{words.STATED}|{words.RANKS}|{words.BINARY}", *said[name]) and not hard(one, said[name])]
    if not known or not rest:
        return found
    values = facts.matrix(file, [*known, *rest])
    level = _level([sign * _scores(values[name], guesses[name]) for name, sign in known.items()])
    for name in rest:
        own = _scores(values[name], guesses[name])
        use = np.isfinite(own) & np.isfinite(level)
        if use.sum() < ENOUGH or np.std(own[use]) == 0 or np.std(level[use]) == 0:
            continue
        r = float(np.corrcoef(own[use], level[use])[0, 1])
        if r < AGAINST and -r * np.sqrt(use.sum()) > SIGMA:
            others = f"'{next(iter(known))}'" if len(known) == 1 else f"{len(known)} questions whose good end is known"
            found[name] = f"NOT SURE: its low scores go with good ones of {others} (r = {r:.2f}), so the low end is taken for the good one"
    return found


def hard(one: Guess, said: list[str]) -> bool:
    """Return whether a rating is an effort, of which little is good, and nothing says that its high end is the easy one."""
    return one.high > 2 and not one.labels and words.says(r"\b(effort|aufwand|esfuerzo|esforco|sforzo|moeite)\b", *said) and words.strength(one.high_label) is None


def _scores(values: np.ndarray, one: Guess) -> np.ndarray:
    return np.where((values >= one.low) & (values <= one.high), values, np.nan)


def _level(columns: list) -> np.ndarray:
    """The mean of what is filled, each column in units of its own spread."""
    table = np.column_stack(columns)
    filled = np.isfinite(table)
    n = np.maximum(filled.sum(axis=0), 1)
    centred = table - np.nansum(table, axis=0) / n
    spread = np.sqrt(np.nansum(centred**2, axis=0) / n)
    z = centred / np.where(spread > 0, spread, np.nan)
    many = np.isfinite(z).sum(axis=1)
    return np.where(many > 0, np.nansum(z, axis=1) / np.maximum(many, 1), np.nan)
