"""Values that changed their name between waves: a channel that vanishes while another of the same size and kind appears."""

import difflib
import itertools
import re

import numpy as np
from scipy import stats

from cxlib.load.anomalies.grid import Grid

FIELDS = ("channel", "brand", "country", "language", "team")


def renamed(grid: Grid) -> list[dict]:
    """Return values of channel, brand, country, language, team and nominal items that seem to have been renamed.

    From one wave to the next a value (20 answers, 2 % of them) goes for good and another comes that was never there. They are taken for
    one where their names are near, or where they are the only pair, of 5 % and more, of like size (shares within a third of each other) and with like
    ratings (no mean differs by more than 3 standard errors and .3 of a standard deviation). Also two spellings of one value side by side in a wave.
    """
    found = []
    nominal = [item.id for item in grid.programme.asked(grid.survey.id) if item.kind == "nominal" and not item.labels]
    for field in (*FIELDS, *nominal):
        if field in grid.frame and grid.frame[field].notna().any():
            found += _field(grid, field)
    return found


def _plain(value: str) -> str:
    return re.sub(r"[\W_]+", "", str(value).casefold())


def near(old: str, new: str) -> bool:
    """Return whether two names are likely one: equal but for case, blanks and marks, or nearly so; numbers in names must agree."""
    a, b = _plain(old), _plain(new)
    if re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return False
    if a == b:
        return True
    return min(len(a), len(b)) >= 4 and (difflib.SequenceMatcher(None, a, b).ratio() >= 0.8 or (min(len(a), len(b)) >= 5 and (a.startswith(b) or b.startswith(a))))


def _field(grid: Grid, field: str) -> list[dict]:
    codes, values = grid.codes(field)
    keep = codes >= 0
    size, waves = len(values), len(grid.waves)
    if size > 2000:
        return []
    counts = np.bincount(grid.wave[keep] * size + codes[keep], minlength=waves * size).reshape(waves, size)
    total = counts.sum(axis=1)
    found = [row for w in range(waves) for row in _spellings(grid, field, values, counts, w)]
    asked = np.flatnonzero(total)
    for before, after in itertools.pairwise(asked):
        share = counts / np.maximum(total[:, None], 1)
        big = lambda w: (counts[w] >= 20) & (share[w] >= 0.02)  # noqa: B023
        gone = np.flatnonzero(big(before) & (counts[after:].sum(axis=0) == 0))
        come = np.flatnonzero(big(after) & (counts[:after].sum(axis=0) == 0))
        if len(gone) + len(come) > 40:
            continue  # other values altogether: a new list of codes, not a new name
        for old in gone:
            pairs = [new for new in come if near(values[old], values[new])]
            # Of a hundred destinations one goes and another comes every year: a pair by size alone must be one of a few.
            alike = not pairs and len(gone) == len(come) == 1 and field != "team" and share[before, gone[0]] >= 0.05
            if alike and abs(np.log(share[after, come[0]] / share[before, old])) < np.log(4 / 3):
                pairs = [come[0]] if _alike(grid, (grid.wave == before) & (codes == old), (grid.wave == after) & (codes == come[0])) else []
            if len(pairs) == 1:
                new = pairs[0]
                found.append(grid.row("renamed_value", grid.waves[after], field, n=counts[after, new], estimate=share[after, new], p=None, verdict="look", unit=f"'{values[old]}' -> '{values[new]}'", sentence=
                    f"{grid.where(grid.waves[after])}: {field} '{values[old]}' ({100 * share[before, old]:.0f} % in wave '{grid.waves[before]}') is gone and '{values[new]}' ({100 * share[after, new]:.0f} %) is new"
                    f"{', with a name that is nearly the same' if near(values[old], values[new]) else ', of the same size and with the same ratings'}; they seem to be one, and every line by {field} breaks here. "
                    f"To mend it: use one name in the files, or state that they are two."))
    return found


def _spellings(grid: Grid, field: str, values, counts: np.ndarray, w: int) -> list[dict]:
    seen: dict[str, int] = {}
    found = []
    for code in np.flatnonzero(counts[w]):
        if re.fullmatch(r"[+-]?[0-9]+([.,][0-9]+)?", str(values[code]).strip()):
            continue  # a sign and a point are the number, not its spelling
        other = seen.setdefault(_plain(values[code]) or str(values[code]), code)
        if other != code and not any(row["unit"] == f"'{values[other]}' = '{values[code]}'" for row in found):
            found.append(grid.row("renamed_value", grid.waves[w], field, n=counts[w, code], estimate=counts[w, code] / counts[w].sum(), p=None, verdict="look", unit=f"'{values[other]}' = '{values[code]}'", sentence=
                f"{grid.where(grid.waves[w])}: {field} is spelt '{values[other]}' and '{values[code]}'; they count as two. To mend it: use one spelling in the file."))
    return found


def _alike(grid: Grid, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two groups of rows stand in the same place among the ratings of their waves: no item differs, after the waves' own levels are taken off."""
    x, compared = grid.x, 0
    all_before, all_after = grid.wave == grid.wave[before][0], grid.wave == grid.wave[after][0]
    for place in range(x.shape[1]):
        column = x[:, place]
        a, b = column[before], column[after]
        a, b = a[~np.isnan(a)], b[~np.isnan(b)]
        if len(a) < 10 or len(b) < 10:
            continue
        own = column[all_before | all_after]
        spread = np.nanstd(own)
        gap = (a.mean() - np.nanmean(column[all_before])) - (b.mean() - np.nanmean(column[all_after]))
        error = np.sqrt(a.var() / len(a) + b.var() / len(b)) + 1e-9
        compared += 1
        if abs(gap) > 0.3 * spread and 2 * stats.norm.sf(abs(gap) / error) < 0.003:
            return False
    return compared > 0
