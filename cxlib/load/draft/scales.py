"""Guesses of scales: which codes of a column are scores, which are none, what their ends say, and whether it is a rating at all."""

import re
from typing import NamedTuple

import numpy as np

from cxlib.load.draft import words

OUTSIDE = {8, 9, 66, 77, 88, 96, 97, 98, 99, 888, 997, 998, 999, 9999}  # what questionnaires write for no answer, where it lies beyond the run
TOPS = (3, 4, 5, 7, 10)
SLIPPED = "will be on the repair list"
SLIPS = 0.02  # of the answers that may be off a scale that it is still taken for
GOES = 0.3  # correlation with other ratings from which a rating of another scale is one
ENOUGH = 30  # rows from which a pattern is believed


class Guess(NamedTuple):
    """How a column is read: its kind, its scale where it is a rating, the codes that are no answers, how sure (0 to 1), and why."""

    kind: str
    low: int = 0
    high: int = 0
    low_label: str = ""
    high_label: str = ""
    reversed: bool = False
    labels: dict = {}  # noqa: RUF012 - answer in words -> score, or code -> label of a nominal item
    missing: dict = {}  # noqa: RUF012 - code -> what it means
    sure: float = 0.5
    why: str = ""


def guess(counts: dict, *, labels: dict, missing: dict) -> Guess | None:
    """Return a rating guess from the answers of one column with how often each came, or None where they are no scale.

    `labels` and `missing` are what the file declares: code -> label, code -> what it means.
    """
    none = dict(missing)
    none |= {code: label for code, label in labels.items() if code not in none and words.missing(label)}
    none |= {cell: cell for cell in counts if cell not in none and cell not in labels and not _whole(cell) and words.missing(cell)}
    answers = {cell: n for cell, n in counts.items() if cell not in none}
    if not answers or len(none) > 30:
        return None
    found = _read(answers, {code: label for code, label in labels.items() if code not in none}, none)
    if found is None and not labels and (kept := _without_slips(answers)) is not None and (found := _read(kept, {}, none)) is not None:
        n = sum(answers.values()) - sum(kept.values())
        left = [cell for cell in answers if cell not in kept]
        found = found._replace(sure=min(found.sure, 0.65), why=f"{found.why}; {n:,} cell{'s are' if n > 1 else ' is'} off the scale ({', '.join(map(repr, left[:3]))}{', ...' if len(left) > 3 else ''}) and {SLIPPED}")
    return found


def _read(answers: dict, labels: dict, none: dict) -> Guess | None:
    if all(_whole(cell) for cell in answers):
        return _coded(answers, labels, none)
    return _worded(answers, none) if not any(_whole(cell) for cell in answers) else None


def _without_slips(answers: dict) -> dict | None:
    """Return the answers without those few that are slips of a hand (ten, 7.5, 55); None where there are none, or too many to be slips."""
    total = sum(answers.values())
    coded = sum(n for cell, n in answers.items() if _whole(cell)) > total / 2
    kept = {cell: n for cell, n in answers.items() if (_whole(cell) and (int(float(cell)) in range(12) or int(float(cell)) in OUTSIDE or n > 0.01 * total) if coded else not _whole(cell) and (words.strength(cell) is not None or words.numbered(cell) is not None))}
    slips = total - sum(kept.values())
    return kept if kept and 0 < slips <= SLIPS * total and total >= ENOUGH else None


def binary(counts: dict, *, bad: bool) -> Guess | None:
    """Return a scale of 0 and 1 for two answers of which one is the good one: yes and no, satisfied and not; `bad`: yes is the bad one."""
    plain = {cell: cell.strip().lower() for cell in counts if not words.missing(cell) or cell.strip().lower() in words.FLAGS}
    if len(plain) != 2:
        return None
    if set(plain.values()) <= words.FLAGS:
        up = [cell for cell, word in plain.items() if word in ("1", "true", "yes", "y", "ja", "oui", "si", "sim")]
    else:
        strong = {cell: words.strength(cell) for cell in plain}
        if None in strong.values() or len(set(strong.values())) < 2:
            return None
        up, bad = [max(strong, key=strong.get)], False
    if len(up) != 1:
        return None
    down = next(cell for cell in plain if cell != up[0])
    good, other = (down, up[0]) if bad else (up[0], down)
    none = {cell: cell for cell in counts if cell not in plain}
    return Guess("rating", 0, 1, other if len(other) > 1 else "", good if len(good) > 1 else "", bad, {} if (other, good) == ("0", "1") else {other: "0", good: "1"}, none, 0.85, "two answers, one of them the good one")


def _coded(answers: dict, labels: dict, none: dict) -> Guess | None:
    codes = sorted({int(float(cell)) for cell in answers})
    ends = [int(float(code)) for code in labels if _whole(code)]
    meant = {int(float(code)): label for code, label in labels.items() if _whole(code)}
    if len(ends) >= 3 and all(words.strength(label) is None and not words.numbered(label) for label in meant.values()) and len(meant) > 2 and max(ends) <= 20:
        return None  # labelled, and no label is a judgement: kinds, not degrees
    if len(ends) >= 2:
        codes = sorted({*codes, *(code for code in ends if code in (0, 1) or code in TOPS)})
    beyond = [code for code in codes if code < 0 and code not in ends]
    run = [code for code in codes if code not in beyond]
    while len(run) > 1 and run[-1] in OUTSIDE and run[-1] not in ends and _apart(run):
        beyond.append(run.pop())
    if not run or run[0] > 4 or run[-1] > 11 or len(run) < 2:
        return None
    low, high = (0, 10) if run[0] == 0 and run[-1] >= 8 else (1, run[-1])
    why = ""
    if low == 1 and run[0] == 0:
        beyond.append(0)
        why = "0 lies below the scale and is taken for no answer"
    if run[-1] == 11:
        beyond.append(11)
        high = 10
    elif not ends:
        high = {2: 5 if run[0] > 2 else 2, 8: 10, 9: 10}.get(high, high)
    if high < 3:
        return None
    none = none | {str(code): "not on the scale" for code in sorted(set(beyond)) if str(code) not in none}
    sides = [words.strength(meant.get(end, "")) for end in (low, high)]
    turned = bool(sides[0] is not None and sides[1] is not None and sides[0] > sides[1])
    sure = 0.9 if sides[0] is not None else 0.6
    return Guess("rating", low, high, meant.get(low, ""), meant.get(high, ""), turned, {}, none, sure, why or (f"codes {low} to {high}" + (", with labels at its ends" if sure > 0.8 else "")))


def _apart(run: list) -> bool:
    """Whether the largest code lies beyond a gap, alone or with other such codes."""
    inner = [code for code in run if code not in OUTSIDE]
    if run[-1] > 11:
        return len(run) > 1
    return bool(inner) and inner[-1] < 8 and run[-1] - inner[-1] >= 2 and 10 not in run


def _worded(answers: dict, none: dict) -> Guess | None:
    """A scale whose answers came as words: '10 - extremely likely', '4 stars', 'rather satisfied'. Two words only where they are opposites."""
    plain = {cell: words.numbered(cell) for cell in answers}
    tops = {words.out_of(cell) for cell in answers}
    if tops != {None}:  # 4/5 and 7/10 in one column are two scales
        top = tops.pop()
        if tops or top not in (4, 5, 6, 7, 10) or any(one[0] > top for one in plain.values()):
            return None
        low = 0 if any(one[0] == 0 for one in plain.values()) else 1
        first = next(iter(answers)).strip()
        points = {re.sub(r"^[0-9]+", str(point), first): str(point) for point in range(low, top + 1)}  # those that nobody chose this time too
        return Guess("rating", low, top, labels=points | {cell: str(one[0]) for cell, one in plain.items()}, missing=none, sure=0.9, why=f"answers that say of how many points they are ({next(iter(answers))})")
    if all(plain.values()) and len({one[0] for one in plain.values()}) == len(plain):
        found = _coded({str(one[0]): answers[cell] for cell, one in plain.items()}, {str(one[0]): one[1] for one in plain.values() if one[1]}, {})
        if found is not None and not found.missing:
            return found._replace(labels=words.spelt(list(answers), found.high) | {cell: str(one[0]) for cell, one in plain.items()}, missing=none, sure=0.9, why="answers that begin with their score")
        return None
    strong = {cell: words.strength(cell) for cell in answers}
    if any(one is None for one in strong.values()) or len(set(strong.values())) != len(strong) or len(strong) < 3 or len(strong) > 7:
        return None
    order = sorted(strong, key=strong.get)
    values, neutral = [strong[cell] for cell in order], any(one == 0 for one in strong.values())
    if min(values) >= 0 and not neutral and len(order) < 4:
        return None
    # Seven points where three lie on one side, four where nobody could say neither-nor, five otherwise: a point that nobody chose keeps its place.
    sides = max(sum(one > 0 for one in values), sum(one < 0 for one in values))
    if sides >= 3 and neutral and len(order) >= 6:
        place = {cell: str(4 + _sign(strong[cell]) * _rank(strong[cell], values, 3)) for cell in order}
        high = 7
    elif not neutral and len(order) == 4 and sides == 2:
        place, high = {cell: str(at) for at, cell in enumerate(order, start=1)}, 4
    elif sides <= 2:
        place = {cell: str(3 + _sign(one) * (2 if abs(one) >= 1.5 or _pair(one, values) else 1)) for cell, one in strong.items()}
        high = 5
    else:
        place, high = {cell: str(at) for at, cell in enumerate(order, start=1)}, len(order)
    if len(set(place.values())) < len(place) or high < 3:
        return None
    return Guess("rating", 1, high, order[0] if place[order[0]] == "1" else "", order[-1] if place[order[-1]] == str(high) else "", False, {cell: place[cell] for cell in order}, none, 0.85, "answers in words, put in order by what they say")


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _pair(value: float, values: list) -> bool:
    """Whether an answer is the outer one of two on its side (strongly agree, agree; excellent, good)."""
    side = [abs(one) for one in values if _sign(one) == _sign(value)]
    return value != 0 and len(side) == 2 and abs(value) == max(side)


def _rank(value: float, values: list, most: int) -> int:
    side = sorted(abs(one) for one in values if _sign(one) == _sign(value))
    return 0 if value == 0 else side.index(abs(value)) + 1 + (most - len(side) if len(side) < most else 0)


def agreed(found: dict[str, Guess], matrix: dict[str, np.ndarray], *, sure: set[str]) -> dict[str, Guess]:
    """Return the guesses of a file made to agree: siblings share their ends, codes that go with nothing are no scores, and what goes with
    no other rating is none unless its words say so (`sure`).

    `matrix`: column -> numbers (NaN where there is none), all rows alike.
    """
    found = _codes(found, matrix)
    found = _siblings(found, matrix)
    groups: dict = {}
    for name, one in found.items():
        groups.setdefault((one.low, one.high), []).append(name)
    for names in groups.values():
        goes = _together([_scores(matrix[name], found[name]) for name in names]) if len(names) >= 3 else _beside(names, found, matrix)
        for name, r in zip(names, goes):
            if name in sure or found[name].sure >= 0.85:
                continue
            if len(names) < 3 and not abs(r) >= GOES:
                found[name] = found[name]._replace(kind="nominal", sure=0.3, why=f"codes {found[name].low} to {found[name].high} that nothing calls a rating")
            elif not np.isnan(r) and abs(r) < 0.15:
                found[name] = found[name]._replace(kind="nominal", sure=0.4, why=f"codes like a scale's, but they go with no other rating (r = {r:.2f})")
            elif not np.isnan(r):
                found[name] = found[name]._replace(sure=0.75, why=f"{found[name].why}; goes with the other ratings (r = {r:.2f})")
    return found


def _beside(names: list, found: dict, matrix: dict) -> list[float]:
    """How the ratings of a scale that hardly another has go with all others: one that was asked on two scales, half of the time on each, is a rating still."""
    others = [name for name in found if name not in names and found[name].kind == "rating"]
    if len(others) < 3:
        return [float("nan")] * len(names)
    return [_together([_scores(matrix[one], found[one]) for one in (name, *others)])[0] for name in names]


def _scores(values: np.ndarray, one: Guess) -> np.ndarray:
    return np.where((values >= one.low) & (values <= one.high), values, np.nan)


def _together(columns: list) -> list[float]:
    """The correlation of each column with the mean of the others; NaN where too few answered both."""
    table = np.column_stack(columns)
    n = np.maximum((~np.isnan(table)).sum(axis=0), 1)
    centred = table - np.nansum(table, axis=0) / n
    spread = np.sqrt(np.nansum(centred**2, axis=0) / n)
    z = centred / np.where(spread > 0, spread, np.nan)
    filled, total = ~np.isnan(z), np.nansum(z, axis=1)
    made = []
    for at in range(table.shape[1]):
        others = filled.sum(axis=1) - filled[:, at]
        use = filled[:, at] & (others > 0)
        mean = (total - np.nan_to_num(z[:, at]))[use] / others[use]
        made.append(float(np.corrcoef(z[use, at], mean)[0, 1]) if use.sum() >= ENOUGH and np.std(mean) > 0 else float("nan"))
    return made


def _codes(found: dict[str, Guess], matrix: dict) -> dict[str, Guess]:
    """Take the top code (6 of 0 to 6, say) for none where those who have it rate everything else like the average and not like a top score."""
    made = dict(found)
    for name, one in found.items():
        if one.low != 1 or one.high not in (4, 6, 8) or one.high_label or one.labels:
            continue
        others = [_scores(matrix[other], guess._replace(high=guess.high - (guess.high in (6, 8)))) for other, guess in found.items() if other != name and guess.high == one.high and guess.low == 1]
        if len(others) < 3 or one.high == 4:
            continue
        filled = np.isfinite(others).sum(axis=0)
        level = np.where(filled > 0, np.nansum(others, axis=0) / np.maximum(filled, 1), np.nan)
        own = matrix[name]
        inner = (own >= 1) & (own < one.high) & np.isfinite(level)
        top = (own == one.high) & np.isfinite(level)
        if top.sum() < ENOUGH or inner.sum() < ENOUGH or np.std(own[inner]) == 0:
            continue
        slope, start = np.polyfit(own[inner], level[inner], 1)
        mean, expected, seen = level[inner].mean(), start + slope * one.high, level[top].mean()
        if abs(seen - expected) > abs(seen - mean):
            made[name] = one._replace(high=one.high - 1, missing={**one.missing, str(one.high): "not on the scale, perhaps never used"},
                                      why=f"those who have {one.high} rate the rest like the average: {one.high} is no score")  # fmt: skip
    return made


def _siblings(found: dict[str, Guess], matrix: dict) -> dict[str, Guess]:
    """Give columns of one name but for its number or end (q3_01, q3_02) the ends that most of them have."""
    stems: dict = {}
    for name in found:
        stems.setdefault(stem(name), []).append(name)
    made = dict(found)
    whole = list(found)
    for names in [*stems.values(), whole]:
        ends = [(found[name].low, found[name].high) for name in names if found[name].low == 1 and not found[name].labels]
        if len(names) < 3 or not ends:
            continue
        usual = max(sorted(set(ends)), key=ends.count)
        for name in names:
            one = made[name]
            if one.labels or one.high_label or one.low != 1 or (one.low, one.high) == usual or (names is whole and _ends_there([made[other] for other in stems[stem(name)]], [matrix[other] for other in stems[stem(name)]])):
                continue
            if one.high < usual[1] <= one.high + (3 if names is not stems.get(stem(name)) and usual[1] == 10 else 2) and ends.count(usual) > len(ends) / 2 and ((stem(name) and len(stems[stem(name)]) >= 3) or usual[1] == 10):
                made[name] = one._replace(high=usual[1], why=f"its neighbours run to {usual[1]}")
            elif one.high == usual[1] + 1 and one.high in (6, 8) and ends.count(usual) > len(ends) / 2:
                made[name] = one._replace(high=usual[1], why=f"its neighbours run to {usual[1]}", missing={**one.missing, str(one.high): "not on the scale, perhaps never used"})
    return made


def _ends_there(guesses: list, columns: list) -> bool:
    """Whether a battery of three or more ends at one code that many chose: its scale stops there, whatever the rest of the questionnaire has."""
    high = guesses[0].high
    if len(guesses) < 3 or any(one.high != high for one in guesses):
        return False
    tops = [((own == high).sum(), (own == high - 1).sum(), np.isfinite(own).sum()) for own in columns]
    return any(n >= 100 and top >= 0.05 * n and 2 * top >= below for top, below, n in tops)


def stem(name: str) -> str:
    """Return what columns of one battery share in their names: q3 of q3_01, q7 of Q7ART, csor of csor_1."""
    found = re.match(r"^([a-z]*[0-9]+)(?=[^0-9])|^([a-z]+)(?=_?[0-9]+$)", name.lower())
    return (found[1] or found[2]) if found else ""


def narrow(counts: dict) -> dict:
    """Return answers with their digits as ASCII ones (9 for the wide 9 of East Asian forms), counted together; the same where there are none."""
    if all(cell.isascii() or not cell.isdecimal() for cell in counts):
        return counts
    made: dict = {}
    for cell, n in counts.items():
        plain = str(int(cell)) if cell.isdecimal() else cell
        made[plain] = made.get(plain, 0) + n
    return made


def wide(one: Guess) -> Guess:
    """Return a guess whose labels read wide digits as the scores they are."""
    return one._replace(labels={**one.labels, **{"".join(chr(0xFF10 + int(digit)) for digit in str(code)): str(code) for code in range(one.low, one.high + 1)}})


def _whole(cell: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]{1,6}(\.0+)?", cell))
