"""A reversed scale: ratings whose correlation with the others has the sign that it has in no other wave."""

import numpy as np
from scipy import stats

from cxlib.load.anomalies.grid import FIELDS, Grid, Units

CLEAR = 5.0  # standard errors
REMEDY = "turn the scores in the raw file, or declare the direction of the scale for this source; until then the wave is not averaged"


def reversed_scales(grid: Grid) -> list[dict]:
    """Return items that run the other way in a wave (or in one channel, brand, country or language of it) than in the others.

    The sign of the correlations with the other ratings is compared with the median over the other units; where items part into two
    camps, the camp whose answers look more like their own mirror image is the reversed one. A questionnaire that is reversed as a
    whole keeps its correlations: it shows by distributions that fit the other waves only when mirrored. An item that runs against
    all others in every wave is only to be looked at: its direction may be declared wrongly.
    """
    found = _turned_whole(grid)
    whole = {row["wave"] for row in found}
    hits = [hit for hit in _flipped(grid, grid.by_wave) if hit[0] not in whole]
    for field in FIELDS:
        if (units := grid.units(field)) is not None:
            flagged = {(wave, place) for wave, _, place, *_ in hits}
            hits += [hit for hit in _flipped(grid, units) if hit[0] not in whole and (hit[0], hit[2]) not in flagged]
    for wave, name, place, n, r, usual, z in hits:
        item = grid.items[place].id
        found.append(grid.row("reversed_scale", wave, item, n=n, estimate=r, p=2 * stats.norm.sf(abs(z)), verdict="refused", unit=name, sentence=
            f"{grid.where(wave, name)}: '{item}' goes with the other ratings at r = {r:+.2f}, elsewhere at {usual:+.2f}; its scale runs the other way here. To mend it: {REMEDY}."))
    return found + _against_all(grid, {row["item"] for row in found})


def _flipped(grid: Grid, units: Units) -> list[tuple]:
    k = grid.x.shape[1]
    if k < 2 or units.count < 2:
        return []
    r, n = grid.correlations(units)
    counts = [grid.histogram(place, units) for place in range(k)]
    off = np.column_stack([one.sum(axis=1) - one.max(axis=1) for one in counts])  # who did not give the commonest score: they carry the correlation
    n = np.minimum(n, 4 * np.minimum(off[:, :, None], off[:, None, :]))
    enough = (n >= 40) & np.isfinite(r) & ~np.eye(k, dtype=bool)
    fisher = np.where(enough, np.arctanh(np.where(enough, r, 0.0)), np.nan)
    found = []
    for unit in range(units.count):
        others = np.delete(fisher, unit, axis=0)
        have = np.isfinite(others).sum(axis=0) >= 1
        usual = np.zeros((k, k))
        usual[have] = np.nanmedian(others[:, have], axis=0)
        usual[np.abs(usual) < 0.1] = 0.0
        own = np.where(enough[unit], fisher[unit], 0.0)
        agreement = own * usual * n[unit]
        if not (agreement < 0).any():
            continue
        camp = np.linalg.eigh(agreement)[1][:, -1] >= 0
        if camp.all() or not camp.any():
            continue
        few = _odd_camp(grid, units, unit, camp, alone=units.count == 2)
        for place in np.flatnonzero(few):
            cross = np.abs(usual[place]) * ~few * enough[unit, place]
            if cross.sum() <= 0:
                continue
            weight = cross / cross.sum()
            sign = np.sign(usual[place])
            score, level = (weight * own[place] * sign).sum(), (weight * np.abs(usual[place])).sum()
            base = (weight * n[unit, place]).sum()
            z = score * np.sqrt(max(base - 3, 1))
            if units.count == 2 and (weight * usual[place]).sum() <= 0:
                continue  # of two waves that differ the one whose ratings run together is the right one
            if z < -CLEAR and level > 0.1 and score < -0.4 * level:
                direction = np.sign((weight * usual[place]).sum()) or 1.0
                found.append((units.waves[unit], units.names[unit], int(place), base, float(np.tanh(score) * direction), float(np.tanh(level) * direction), z))
    return found


def _odd_camp(grid: Grid, units: Units, unit: int, camp: np.ndarray, *, alone: bool) -> np.ndarray:
    """Which of two camps is the reversed one: the one that fits the other units better when mirrored; the smaller where that is not clear."""
    gain = np.zeros(len(camp))
    for place in range(len(camp)):
        counts = grid.histogram(place, units)
        here, there = counts[unit], counts.sum(axis=0) - counts[unit]
        if here.sum() and there.sum():
            here, there = here / here.sum(), there / there.sum()
            gain[place] = np.abs(here - there).sum() - np.abs(here[::-1] - there).sum()
    difference = gain[camp].mean() - gain[~camp].mean()
    if abs(difference) > 0.1:
        return camp if difference > 0 else ~camp
    return camp if camp.sum() <= (~camp).sum() else ~camp


def _turned_whole(grid: Grid) -> list[dict]:
    """Waves in which every item fits the other waves only when mirrored."""
    k, found = len(grid.items), []
    if k < 2 or len(grid.waves) < 3:
        return found  # of two waves nobody can say which one is turned
    counts = [grid.histogram(place, grid.by_wave) for place in range(k)]
    for w, wave in enumerate(grid.waves):
        straight, mirrored, base = [], [], []
        for table in counts:
            here = table[w]
            there = np.delete(table, w, axis=0)
            there = there[there.sum(axis=1) >= 30]
            if here.sum() >= 40 and len(there):
                usual = np.median(there / there.sum(axis=1, keepdims=True), axis=0)
                usual = usual / max(usual.sum(), 1e-9)
                own = here / here.sum()
                straight.append(np.abs(own - usual).sum() / 2)
                mirrored.append(np.abs(own[::-1] - usual).sum() / 2)
                base.append(here.sum())
        if len(base) >= 2 and np.median(straight) > 0.3 and np.median(mirrored) < 0.12 and (np.array(mirrored) < np.array(straight)).all():
            for place, item in enumerate(grid.items):
                if counts[place][w].sum():
                    found.append(grid.row("reversed_scale", wave, item.id, n=counts[place][w].sum(), estimate=np.median(straight), p=None, verdict="refused", sentence=
                        f"{grid.where(wave)}: the answers to all {len(base)} ratings fit the other waves only when turned round (they differ by {100 * np.median(straight):.0f} % as they stand, by {100 * np.median(mirrored):.0f} % turned). To mend it: {REMEDY}."))
    return found


def _against_all(grid: Grid, known: set[str]) -> list[dict]:
    """Items that run against the others in every wave."""
    k, found = len(grid.items), []
    if k < 4:
        return found
    r, n = grid.correlations(grid.by_wave)
    base = np.where(np.isfinite(r), n, 0).sum(axis=0)
    mean = np.where(base > 0, (np.nan_to_num(r) * n).sum(axis=0) / np.maximum(base, 1), 0.0)
    np.fill_diagonal(mean, 0.0)
    for place, item in enumerate(grid.items):
        others = np.delete(np.arange(k), place)
        among = mean[np.ix_(others, others)].sum() / max((k - 1) * (k - 2), 1)
        own, size = mean[place, others].mean(), base[place, others].min()
        if item.id not in known and size >= 60 and among > 0.15 and own < -0.15 and own * np.sqrt(size) < -CLEAR and (mean[place, others] < 0).all():
            found.append(grid.row("reversed_scale", grid.waves[-1], item.id, n=size, estimate=own, p=2 * stats.norm.sf(abs(own) * np.sqrt(size)), verdict="look", sentence=
                f"{grid.where('')}: '{item.id}' goes against all other ratings in every wave (mean r = {own:+.2f}); if a low score is the good one, declare direction = \"low_is_good\"."))
    return found
