"""Begged tens and straight lines: more top scores than a contented group gives, more rows of one score throughout than elsewhere."""

import numpy as np
from scipy import stats

from cxlib.load.anomalies.grid import FIELDS, Grid, Units
from cxlib.load.anomalies.inflation import inflation, pallor


def heaped(grid: Grid) -> list[dict]:
    """Return waves and teams with top scores that no better mood explains.

    A group that is really more content gives fewer low scores as well; begging turns scores of every height into the top, and who was
    begged rates the rest as before. So (1) an ordered logit with its own level and spread is fitted to each group, with and without a share b
    of scores turned into the top one: a likelihood ratio, divided by its median over the groups (overdispersion, never below 1); (2) the
    mood of those at the top is compared with what their share says (`pallor`). Both are added (chi-squared, two degrees of freedom) and
    must pass .01 over the number of teams, a tenth of that and 1e-4 for waves; the pallor alone two and a half standard errors. Where there is no other rating the first
    must do it alone. b must be 10 %, the top share 8 points above the others'. Items: those of the KPIs. Groups: waves of 60 answers, teams
    of 40. A team is to be looked at; a wave is refused.
    """
    found = []
    measured = {kpi.item for kpi in grid.programme.kpis}
    teams, pooled = grid.units("team", most=4000), grid.units("team", by_wave=False, most=4000)
    for place, item in enumerate(grid.items):
        if item.id not in measured or grid.widths[place] < 5:
            continue
        top = grid.high[place]
        for units, least in ((grid.by_wave, 60), (pooled, 40), (teams, 40)):
            if units is None:
                continue
            counts = grid.histogram(place, units)
            use = np.flatnonzero(counts.sum(axis=1) >= least)
            if len(use) < (3 if units is grid.by_wave else 4):
                continue
            usual = _usual(counts[use], [units.waves[unit] for unit in use])
            share = counts[use][:, -1] / counts[use].sum(axis=1)
            candidates = np.flatnonzero(share - usual[:, -1] > 0.05)
            if not len(candidates):
                continue
            ratio, b = np.zeros(len(use)), np.zeros(len(use))
            ratio[candidates], b[candidates] = inflation(counts[use][candidates], usual[candidates])
            ratio /= max(np.median(ratio) / 0.455, 1.0)
            pale = pallor(*(part[use] for part in grid.mood(place, units)), top=True)
            judged = (pale != 0) | (len(grid.items) > 1)
            p = np.where(judged, stats.chi2.sf(ratio + np.maximum(pale, 0) ** 2, 2), stats.chi2.sf(ratio, 1) / 2)
            p = np.where(judged & (pale < 2.5), 1.0, p)
            p = np.where(share - usual[:, -1] > 0.08, p, 1.0)
            for number in np.flatnonzero((p < (min(1e-3 / len(use), 1e-4) if units is grid.by_wave else 0.01 / len(use))) & (b >= 0.1)):
                unit = use[number]
                wave, name = units.waves[unit], units.names[unit]
                if any(row["item"] == item.id and row["unit"] == name for row in found):
                    continue
                refused = units is grid.by_wave
                found.append(grid.row("heaping", wave, item.id, n=counts[unit].sum(), estimate=b[number], p=p[number], verdict="refused" if refused else "look", unit=name, sentence=
                    f"{grid.where(wave, name)}: {counts[unit][-1] / counts[unit].sum():.0%} give '{item.id}' a {top:g} where {usual[number][-1]:.0%} do elsewhere, and neither the lower scores nor their other ratings show a better mood; "
                    f"about {b[number]:.0%} of the answers seem to have been turned into the top score. To mend it: find out how answers are asked for{'; until then the wave is not averaged' if refused else ' in this team, and look at the figures without it'}."))
    return found


def _usual(counts: np.ndarray, waves: list[str]) -> np.ndarray:
    """The distribution that each group is compared with: all others of its wave."""
    total = np.zeros_like(counts)
    for wave in dict.fromkeys(waves):
        own = np.array([other == wave for other in waves])
        pool = own if wave and own.sum() >= 3 else np.ones(len(waves), dtype=bool)
        total[own] = counts[pool].sum(axis=0) - counts[own]
    total += 0.5
    return total / total.sum(axis=1, keepdims=True)


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
                f"{grid.where(wave, name)}: {share:.0%} give all of {size} ratings one and the same score, elsewhere {elsewhere:.0%}; "
                "they may not have read the questions, or somebody answered for them. To mend it: look at how long they took, and at the figures without them."))
    return found
