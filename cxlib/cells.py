"""Small cells: which counts of an anonymous survey are withheld, so that neither they nor a difference of what is shown tells of a few persons.

Primary suppression hides counts from 1 to limit - 1; secondary suppression hides others wherever the first could be had by subtraction. Whether
it suffices is decided by linear programmes: an outsider knows every shown count and every sum, and must not be able to bound a hidden count
within fewer than `limit` persons. Source: Willenborg & de Waal, Elements of Statistical Disclosure Control (2001), ch. 4-6; the
threshold and its complement are METHODS 0. Zeros are shown: nobody is told of.
"""

import pandas as pd

OPEN = ("confidential", "attributed")  # promises that do not ask for small cells to be hidden
WITHHELD = "withheld"
NOTE = "withheld: fewer answers than may be shown, or needed to hide such a figure"
ALL = "(all)"


def limit(programme, survey: str) -> int:
    """Return the smallest count of a survey's answers that may be shown: limits.min_cell where answers are anonymous or nothing was declared, else 1.

    Messages ("contacts: " and the channel) promise nothing; where every file of contacts declares that they may be quoted, a count of them tells no more than a quote does.
    """
    known = {one.id: one.promise for one in programme.surveys}
    if str(survey).startswith("contacts: ") and all("quote" in one.uses for one in programme.sources if one.table == "interactions"):
        return 1
    return 1 if known.get(survey, "undeclared") in OPEN else programme.limits.min_cell


def protect(n: pd.Series, relations: list[tuple], *, limit: int, hidden=()) -> pd.Series:
    """Return which cells are withheld: "" shown, "small" under the limit, "complement" hidden so that no small one can be derived.

    `n`: counts by cell. `relations`: pairs (total, parts): the cells `parts` add up to the cell `total`, or to a number that everybody
    knows. `hidden` are cells that are hidden for other reasons. Cells are added, the smallest first, until the hidden cells of
    every relation hold at least `limit` persons together and `bounds` leaves every hidden cell an interval at least that wide.
    """
    index, n = n.index, dict(zip(n.index, n.to_numpy(float)))  # cells may be tuples, which a series takes for levels
    state = dict.fromkeys(n, "") | {cell: "complement" for cell in hidden if cell in n} | {cell: "small" for cell, count in n.items() if 0 < count < limit}
    while True:
        added = _complete(n, relations, state, limit)
        if added is None:
            ends = _bounds(n, relations, [cell for cell in n if state[cell]])
            added = next((near for cell, (low, high) in ends.items() if high - low < limit - 1e-6 and (near := _next(n, relations, state, cell)) is not None), None)
        if added is None:
            return pd.Series(list(state.values()), index=index, dtype="str")
        state[added] = "complement"


def bounds(n: pd.Series, relations: list[tuple], *, hidden) -> pd.DataFrame:
    """Return for every hidden cell the lowest and highest count an outsider can derive from what is shown: low, high, by cell.

    Hidden counts are at least 0 and keep every relation: in closed form for cells of one relation, else by two linear programmes a cell (HiGHS).
    A cell in no relation has no upper end.
    """
    ends = _bounds(dict(zip(n.index, n.to_numpy(float))), relations, list(dict.fromkeys(hidden)))
    return pd.DataFrame(list(ends.values()), columns=["low", "high"], index=pd.Index(list(ends), name="cell", tupleize_cols=False), dtype=float)


def table(frame: pd.DataFrame, *, keys: list[str], n: str = "n") -> tuple[pd.Series, list[tuple]]:
    """Return a table of counts with all its margins as cells, and the sums that hold among them: what `protect` takes.

    A cell is a tuple of its keys' values, with "(all)" where a margin is meant.
    """
    from itertools import combinations, product

    levels = [list(dict.fromkeys(frame[key])) for key in keys]
    counts = frame.groupby(keys, sort=False)[n].sum().to_dict()
    counts = {(cell if isinstance(cell, tuple) else (cell,)): value for cell, value in counts.items()}
    cells = {cell: float(counts.get(cell, 0)) for cell in product(*levels)}
    relations = []
    for size in range(1, len(keys) + 1):
        for margin in combinations(range(len(keys)), size):
            for rest in product(*[levels[at] if at not in margin else [ALL] for at in range(len(keys))]):
                cells[rest] = sum(cells[tuple(own)] for own in product(*[levels[at] if at in margin else [rest[at]] for at in range(len(keys))]))
                for at in margin:
                    parts = [(*rest[:at], level, *rest[at + 1 :]) for level in levels[at]]
                    relations.append((rest, parts))
    names = list(cells)
    return pd.Series([cells[name] for name in names], index=pd.Index(names, tupleize_cols=False), dtype=float), relations


def segments(found: pd.DataFrame, *, programme, nested: list[tuple] = ()) -> pd.DataFrame:
    """Return KPIs by segment with the rows withheld that must be: figures and bases empty, flag "withheld", note why.

    found: kpi, survey, wave, segment, value, n, ... (`waves.by_segment`). Within a survey's wave a value that is
    withheld for one KPI is withheld for all, because others were answered by nearly the same people. `nested` are sums across
    segments that the answers show: (survey, wave, (segment, value), [(segment, value), ...]).
    """
    if found.empty:
        return found
    withheld = pd.Series(False, index=found.index)
    for (survey, wave), own in found.groupby(["survey", "wave"], sort=False):
        least = limit(programme, survey)
        if least <= 1:
            continue
        names = list(zip(own["segment"], own["value"]))
        hidden: set = set()
        while True:
            before = len(hidden)
            for kpi in own["kpi"].unique():
                n = {name: count for name, one, count in zip(names, own["kpi"], own["n"].astype(float)) if one == kpi}
                # Those without a value of the segment are few or none: their number must not be what protects.
                parts = {segment: [cell for cell in n if cell[0] == segment] for segment in own["segment"].unique()}
                sums = [(sum(n[cell] for cell in own_parts), own_parts) for own_parts in parts.values() if own_parts]
                sums += [(one, list(fine)) for place, time, one, fine in nested if (place, time) == (survey, wave) and one in n and set(fine) <= set(n) and sum(n[cell] for cell in fine) == n[one]]
                state = protect(pd.Series(list(n.values()), index=pd.Index(list(n), tupleize_cols=False), dtype=float), sums, limit=least, hidden=hidden)
                hidden |= {cell for cell, why in zip(state.index, state) if why}
            if len(hidden) == before:
                break
        withheld[own.index] = [name in hidden for name in names]
    return blanked(found, withheld)


def blanked(found: pd.DataFrame, withheld: pd.Series) -> pd.DataFrame:
    """Return a frame with every figure of the withheld rows empty, their flag "withheld" and a note."""
    if not withheld.any():
        return found
    figures = [name for name in found if name in FIGURES]
    found = found.assign(**{name: found[name].astype("float64").mask(withheld) for name in figures})
    return found.assign(flag=found["flag"].mask(withheld, WITHHELD) if "flag" in found else WITHHELD, note=found["note"].mask(withheld, NOTE) if "note" in found else NOTE)


FIGURES = ("estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "weighted_n", "unweighted", "p", "count", "share", "now", "then", "n_now", "n_then")


def few(found: pd.DataFrame, *, programme, counts=("n", "count")) -> pd.Series:
    """Return which rows tell of fewer persons of a survey than may be shown: a count, or what it leaves of its base, from 1 to limit - 1."""
    least = found["survey"].map({survey: limit(programme, survey) for survey in found["survey"].unique()}).astype(float)
    bad = pd.Series(False, index=found.index)
    for name in counts:
        if name in found:
            bad |= (found[name] > 0) & (found[name] < least)
    if "count" in found and "n" in found and "count" in counts:
        bad |= (found["n"] - found["count"] > 0) & (found["n"] - found["count"] < least)
    return bad


def topics(found: pd.DataFrame, *, programme) -> pd.DataFrame:
    """Return what was counted of topics without the rows that tell of too few persons, and without those from which they follow.

    Polarities of a topic add up with overlaps, so that one alone is never hidden: the topic goes as a whole, with every net of that survey and quarter.
    """
    if found.empty:
        return found
    bad = few(found, programme=programme)
    keys = ["survey", *(["quarter"] if "quarter" in found else []), "topic"]
    gone = found.assign(bad=bad).groupby(keys)["bad"].transform("any").astype(bool)
    if "level" in found:
        nets = found.assign(bad=gone).groupby(keys[:-1])["bad"].transform("any").astype(bool)
        gone |= (found["level"] == "net") & nets
    return found[~gone].reset_index(drop=True)


def guarded(found: pd.DataFrame, *, programme) -> pd.DataFrame:
    """Return a finding without the rows that tell of too few persons of an anonymous survey: the last door, for studies that did not look themselves.

    Rows by segment stay with empty figures; others go. What has no `survey` tells of no survey's persons.
    """
    if "survey" not in found or found.empty:
        return found
    bad = few(found, programme=programme, counts=("n", "count", "n_now", "n_then"))
    return blanked(found, bad) if "flag" in found and "segment" in found else found[~bad].reset_index(drop=True) if bad.any() else found


def _bounds(n: dict, relations, hidden: list) -> dict:
    """The ends of every hidden cell: cells that share no sum, directly or through others, say nothing of each other and are looked at apart."""
    place, rows = set(hidden), []
    for total, parts in relations:
        signs: dict = {}
        side = 0.0
        for cell, sign in ((total, 1.0), *((part, -1.0) for part in parts)):
            if cell in place:
                signs[cell] = signs.get(cell, 0.0) + sign
            else:
                side -= sign * float(n.get(cell, cell))
        signs = {cell: sign for cell, sign in signs.items() if sign}
        if signs:
            rows.append((signs, side))
    found = {cell: (0.0, float("inf")) for cell in hidden}
    for own in _apart(rows):
        found |= _ends(*own[0]) if len(own) == 1 and all(abs(sign) == 1 for sign in own[0][0].values()) else _programmes(own)
    return found


def _apart(rows: list) -> list[list]:
    """The sums in groups that have no hidden cell in common."""
    groups: list[tuple[set, list]] = []
    for row in rows:
        near = [group for group in groups if not group[0].isdisjoint(row[0])]
        joined = (set(row[0]).union(*(cells for cells, _ in near)), [*(one for _, own in near for one in own), row])
        groups = [group for group in groups if group not in near] + [joined]
    return [own for _, own in groups]


def _ends(signs: dict, side: float) -> dict:
    """The ends of cells of one sum, which no other holds: a cell may be nothing where another of its sign can take its part, and has an end where none stands against it."""
    plus = sum(sign > 0 for sign in signs.values())
    found = {}
    for cell, sign in signs.items():
        alike, against = (plus, len(signs) - plus) if sign > 0 else (len(signs) - plus, plus)
        found[cell] = (0.0 if alike > 1 else max(sign * side, 0.0), float("inf") if against else sign * side)
    return found


def _programmes(rows: list) -> dict:
    """The ends of cells of several sums: two linear programmes a cell."""
    import numpy as np
    from scipy.optimize import linprog

    cells = list(dict.fromkeys(cell for signs, _ in rows for cell in signs))
    sums, sides, found = np.array([[signs.get(cell, 0.0) for cell in cells] for signs, _ in rows]), np.array([side for _, side in rows]), {}
    for cell, aim in zip(cells, np.eye(len(cells))):
        low, high = (linprog(sign * aim, A_eq=sums, b_eq=sides, bounds=(0, None), method="highs") for sign in (1, -1))
        found[cell] = (low.fun if low.status == 0 else 0.0, -high.fun if high.status == 0 else np.inf)
    return found


def _complete(n: dict, relations, state: dict, limit: int):
    """The next cell to hide where the hidden ones of a sum are one alone, or too few persons together; None where none is needed."""
    for total, parts in relations:
        cells = [cell for cell in (*([total] if total in n else []), *parts) if n[cell] > 0]
        away = [cell for cell in cells if state[cell]]
        if away and (len(away) == 1 or sum(n[cell] for cell in away if cell != total) < limit):
            shown = sorted((cell for cell in cells if not state[cell]), key=lambda cell: (cell == total, n[cell], str(cell)))
            if shown:
                return shown[0]
    return None


def _next(n: dict, relations, state: dict, cell):
    """The smallest shown cell that shares a sum with a cell that can be bounded, else of any sum; None where all are hidden."""
    sums = [[*([total] if total in n else []), *parts] for total, parts in relations]
    for near in ([cells for cells in sums if cell in cells], sums):
        shown = sorted({other for cells in near for other in cells if not state[other] and n[other] > 0}, key=lambda other: (n[other], str(other)))
        if shown:
            return shown[0]
    return None
