"""Begged tens and straight lines: more top scores than a contented group gives, more rows of one score throughout than elsewhere."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load.anomalies.grid import FIELDS, Grid, Units
from cxlib.load.anomalies.inflation import begged


def heaped(grid: Grid) -> list[dict]:
    """Return waves, teams, channels and other groups with top scores that no better mood explains.

    A group that is really more content gives fewer low scores as well, and its content people give the top ones; begging turns scores of every height into
    the top one, of the discontented too. So an ordered logit with its own level and spread, within bins of the mood of the other ratings (those of no KPI, where two
    are), is fitted to each group, with and without a share b of scores turned into the top one (`inflation.begged`). The likelihood ratio is divided
    by the mean of the other groups', the largest left out (how far honest groups depart from the model; never under what chance gives), and judged for waves
    by chi-squared with one degree of freedom at 1e-5 (the largest of 800 clean waves gave 8.1 where 18.2 is asked), for others by F(1, groups + 8) at .01 over
    their number. b must be 10 %, the top share 5 points above that of people of their mood; where there is no other rating 16. Items: those of the KPIs. Groups: waves of 60 answers (three waves or more; of two, to be looked at), teams, channels and values of nominal items
    of 40 (four or more). A group is to be looked at; a wave is refused.

    Power, from 24 companies each of six waves, ten ratings, 4 to 24 teams (levels, spreads and halo drawn at random), by the share begged:

        answers a wave        150               600
        share begged     .15  .30  .50     .15  .30  .50
        a wave           .21  .50  .67     .67  .88  .92
        a team           .29  .38  .46     .75  .83  .88     (the largest, over all waves)
    """
    measured = {kpi.item for kpi in grid.programme.kpis}
    found = []
    for place, item in enumerate(grid.items):
        if item.id not in measured or grid.widths[place] < 5:
            continue
        bins, count = _moods(grid, place, measured)
        for units, least, waves in _groups(grid):
            hits = _begged(grid, place, units, bins, count, least, waves)
            found += [row for row in hits if not any(other["item"] == row["item"] and other["unit"] == row["unit"] and other["wave"] in ("", row["wave"]) for other in found)]
    return found


def _groups(grid: Grid):
    """Each partition with the smallest base, and whether it is that of the waves."""
    yield grid.by_wave, 60, True
    nominal = [item.id for item in grid.programme.asked(grid.survey.id) if item.kind == "nominal" and item.id in grid.frame]
    for field in ("team", "channel", *nominal):
        for by_wave in (False, True):
            if (units := grid.units(field, by_wave=by_wave, most=4000)) is not None and (not by_wave or len(grid.waves) > 1):
                yield units, 40, False


def _moods(grid: Grid, place: int, measured: set[str]) -> tuple[np.ndarray, int]:
    """Return a bin a row by the mood of its other ratings (fifths, and one for those without), and the number of bins."""
    others = [other for other, item in enumerate(grid.items) if other != place and item.id not in measured]
    others = others if len(others) >= 2 else [other for other in range(len(grid.items)) if other != place]
    if not others:
        return np.zeros(len(grid.x), dtype=int), 1
    z = grid.standardised[:, others]
    known = ~np.isnan(z)
    n = known.sum(axis=1)
    mood = np.where(n > 0, np.where(known, z, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)
    edges = np.unique(np.nanquantile(mood, [0.2, 0.4, 0.6, 0.8])) if (n > 0).any() else np.array([])
    return np.where(np.isnan(mood), len(edges) + 1, np.searchsorted(edges, mood, side="right")), len(edges) + 2


def _begged(grid: Grid, place: int, units: Units, bins: np.ndarray, count: int, least: int, waves: bool) -> list[dict]:
    item, (table, use) = grid.items[place], _counted(grid, place, units, bins, count, least)
    if len(use) < (2 if waves else 4):
        return []
    n, usual, share, elsewhere = _tops(table, use, units)
    limit = 0.05 if count > 1 else 0.16
    sampling = np.sqrt(np.maximum(elsewhere * (1 - elsewhere), 0.01) / n[use])
    candidates = np.flatnonzero((share - elsewhere > limit) & (share - elsewhere > 2.5 * sampling))
    if not len(candidates):
        return []
    compared = np.union1d(candidates, np.linspace(0, len(use) - 1, min(len(use), 30)).astype(int))
    ratio = np.zeros(len(use))
    b = np.zeros(len(use))
    for number in compared:
        ratio[number], b[number] = begged(table[use[number]], usual[number])
    found = []
    for number in candidates:
        others = np.sort(ratio[compared[compared != number]])[: max(len(compared) - 2, 1)]
        phi = max(others.mean() / 0.5, 1.0) if len(use) > 2 else 2.0
        p = (stats.chi2.sf(ratio[number] / phi, 1) if waves else stats.f.sf(ratio[number] / phi, 1, len(others) + 10)) / 2
        if b[number] < 0.1 or p > (1e-5 if waves else 0.01 / len(use)):
            continue
        unit, top = use[number], grid.high[place]
        refused = waves and len(use) > 2
        wave, name = units.waves[unit], _named(grid, units.names[unit])
        found.append(grid.row("heaping", wave, item.id, n=n[unit], estimate=b[number], p=p, verdict="refused" if refused else "look", unit=name, sentence=
            f"{grid.where(wave, name)}: {100 * share[number]:.0f} % give '{item.id}' a {top:g} where {100 * elsewhere[number]:.0f} % of people of their mood do elsewhere, and the discontented among them do so too; "
            f"about {100 * b[number]:.0f} % of the answers seem to have been turned into the top score. To mend it: find out how answers are asked for{'; until then the wave is not averaged' if refused else ', and look at the figures without these'}."))
    return found


def _counted(grid: Grid, place: int, units: Units, bins: np.ndarray, count: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The scores of an item by unit and bin of mood, and the units with enough answers."""
    width, score = grid.widths[place], grid.places[:, place]
    keep = (units.codes >= 0) & (score >= 0)
    table = np.bincount((units.codes[keep] * count + bins[keep]) * width + score[keep], minlength=units.count * count * width).reshape(units.count, count, width).astype(float)
    return table, np.flatnonzero(table.sum(axis=(1, 2)) >= least)


def _tops(table: np.ndarray, use: np.ndarray, units: Units):
    """Answers of every unit; of those in use the distribution they are compared with, their share of top scores, and that of people of their mood elsewhere."""
    n, usual = table.sum(axis=(1, 2)), _usual(table[use], [units.waves[unit] for unit in use])
    return n, usual, table[use, :, -1].sum(axis=1) / n[use], (usual[:, :, -1] * table[use].sum(axis=2)).sum(axis=1) / n[use]


def by_team(grid: Grid, item: str) -> pd.DataFrame:
    """Return how often each team is given the top score of an item, beside how often people of its customers' mood give it elsewhere.

    Columns: team, n (answers), top, elsewhere (shares 0..1). Teams of 40 answers and more, of which there must be two. What `heaped` judges.
    """
    columns, units = ["team", "n", "top", "elsewhere"], grid.units("team", by_wave=False, most=4000)
    place = next((place for place, one in enumerate(grid.items) if one.id == item), None)
    if units is None or place is None:
        return pd.DataFrame(columns=columns)
    bins, count = _moods(grid, place, {kpi.item for kpi in grid.programme.kpis})
    table, use = _counted(grid, place, units, bins, count, 40)
    if len(use) < 2:
        return pd.DataFrame(columns=columns)
    n, _, share, elsewhere = _tops(table, use, units)
    return pd.DataFrame({"team": grid.codes("team")[1].astype(str)[use], "n": n[use].astype(int), "top": share, "elsewhere": elsewhere})


def _named(grid: Grid, name: str) -> str:
    """Return the words for a group; values of items that may be persons are not named unless the programme has agreed to show persons."""
    field = name.partition(" '")[0]
    if not name or field in ("team", "channel") or grid.programme.staff.level == "person" or len(grid.codes(field)[1]) < 12:
        return name
    return f"one of {len(grid.codes(field)[1])} values of '{field}'"


def _usual(table: np.ndarray, waves: list[str]) -> np.ndarray:
    """The distribution in each mood bin that each group is compared with: all others of its wave, or of all waves where its wave has fewer than three groups."""
    total = np.zeros_like(table)
    for wave in dict.fromkeys(waves):
        own = np.array([other == wave for other in waves])
        pool = own if wave and own.sum() >= 3 else np.ones(len(waves), dtype=bool)
        total[own] = table[pool].sum(axis=0) - table[own]
    whole = total.sum(axis=1, keepdims=True) + 0.5
    total += 5 * whole / whole.sum(axis=2, keepdims=True)  # a bin with few leans on all bins
    return total / total.sum(axis=2, keepdims=True)


def straight_lined(grid: Grid) -> list[dict]:
    """Return waves, channels and teams in which far more people give one score to a whole battery than elsewhere.

    A battery is five ratings or more on one scale, of which a row answers five or more. The share must be 15 % and twice the others' at
    least, and lie five standard deviations above them on the logit scale (sampling, and the scatter of the groups, never below .35). To look at.
    """
    found = []
    scales: dict[str, list[int]] = {}
    for place, item in enumerate(grid.items):
        scales.setdefault(item.scale, []).append(place)
    for battery in scales.values():
        if len(battery) < 5:
            continue
        x = np.where(grid.turned[battery], grid.widths[battery] - 1 - grid.places[:, battery], grid.places[:, battery])
        known = grid.places[:, battery] >= 0
        answered = known.sum(axis=1) >= 5
        highest, lowest = np.where(known, x, -1).max(axis=1), np.where(known, x, 10_000).min(axis=1)
        straight = answered & (highest == lowest)
        for units in (grid.by_wave, *(grid.units(field) for field in FIELDS), grid.units("team", by_wave=False, most=4000)):
            found += _straight(grid, units, answered, straight, len(battery)) if units is not None else []
    return found


def _straight(grid: Grid, units: Units, answered: np.ndarray, straight: np.ndarray, size: int) -> list[dict]:
    inside = answered & (units.codes >= 0)
    n = np.bincount(units.codes[inside], minlength=units.count)
    hits = np.bincount(units.codes[inside & straight], minlength=units.count)
    use = np.flatnonzero(n >= 40)
    if len(use) < 2:
        return []
    logit = np.log((hits[use] + 0.5) / (n[use] - hits[use] + 0.5))
    error = np.sqrt(1 / (hits[use] + 0.5) + 1 / (n[use] - hits[use] + 0.5))
    found = []
    for number, unit in enumerate(use):
        others = np.delete(logit, number)
        usual = np.median(others)
        scatter = max(1.4826 * np.median(np.abs(others - usual)), 0.35)
        z = (logit[number] - usual) / np.hypot(scatter, error[number])
        share, elsewhere = hits[unit] / n[unit], 1 / (1 + np.exp(-usual))
        if share >= 0.15 and share >= 2 * elsewhere and z > 5:
            wave, name = units.waves[unit], units.names[unit]
            found.append(grid.row("straight_lining", wave, "", n=n[unit], estimate=share, p=stats.norm.sf(z), verdict="look", unit=name, sentence=
                f"{grid.where(wave, name)}: {100 * share:.0f} % give all of {size} ratings one and the same score, elsewhere {100 * elsewhere:.0f} %; "
                "they may not have read the questions, or somebody answered for them. To mend it: look at how long they took, and at the figures without them."))
    return found
