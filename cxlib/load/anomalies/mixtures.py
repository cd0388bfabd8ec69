"""Two scales in one item: a source that never uses the upper half, a column whose scores change their meaning half-way, a file read on too short a scale."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load.anomalies.grid import COLUMNS, FIELDS, Grid, Units
from cxlib.load.anomalies.inflation import inflation

TOPS = (5, 7)  # upper ends of the scales that get mixed with longer ones
CERTAIN = 1e-6
REMEDY = "map the scores of one source to the other's scale in the raw file, or declare them as two items; until then the wave is not averaged"


def mixed(grid: Grid) -> list[dict]:
    """Return items in which scores of a shorter scale (1-5, 1-7) stand among those of the declared one.

    By source: a wave or channel without one score above the shorter scale's top, where others have many (probability if its odds of
    such scores were half those of the others). By row: the other ratings of those who gave the shorter scale's top are *better* than
    those of who gave the next scores, which on one scale cannot be (z > 4.5 and more than a quarter of a standard deviation), and better than
    the average (z > 4, a fifth of one), which those who tick the middle for want of an opinion never are. In a wave beside two others
    z > 2.5 is enough where its distribution is a mixture of the usual one and its shortened image, too (at least 12 % shortened, both together at 1e-8).
    """
    found = []
    for place, item in enumerate(grid.items):
        if grid.turned[place]:
            continue  # a scale turned by its direction has its short end at the top: look at it as it was given
        for top in TOPS:
            cut = int(top - grid.low[place])  # place of the shorter scale's top
            if grid.widths[place] - 1 - cut < 2 or grid.low[place] > 1:
                continue
            hits = _by_source(grid, place, item.id, top, cut) or _by_row(grid, place, item.id, top, cut)
            if hits:
                found += hits
                break
    return found


def _by_source(grid: Grid, place: int, item: str, top: int, cut: int) -> list[dict]:
    found, done = [], set()
    partitions = [grid.by_wave, *(grid.units(field) for field in FIELDS), grid.units("team", most=400)]
    for units in partitions:
        if units is None:
            continue
        counts = grid.histogram(place, units)
        n, above = counts.sum(axis=1), counts[:, cut + 1 :].sum(axis=1)
        low = counts[:, : max(int(1 - grid.low[place]), 0)].sum(axis=1)
        near = counts[:, cut - 1 : cut + 1].sum(axis=1)
        rest_n, rest_above = n.sum() - n, above.sum() - above
        share = rest_above / np.maximum(rest_n, 1)
        p = (1 - share / 2) ** n
        hit = (above == 0) & (n >= 20) & (rest_n >= 20) & (share >= 0.2) & (p < CERTAIN) & (low <= 0.005 * n) & (near >= 0.15 * n)
        for unit in np.flatnonzero(hit):
            wave, name = units.waves[unit], units.names[unit]
            if (wave, "") in done:
                continue
            done.add((wave, name))
            varied = (counts[unit] >= max(2, 0.02 * n[unit])).sum() >= 3  # one score for everybody is no scale
            found.append(grid.row("mixed_scales", wave, item, n=n[unit], estimate=share[unit], p=p[unit], verdict="refused" if varied else "look", unit=name, sentence=
                f"{grid.where(wave, name)}: none of {n[unit]:,.0f} scores of '{item}' lies above {top}, where {100 * share[unit]:.0f} % of the others do; "
                f"they look like answers on a scale that ends at {top}, not at {grid.high[place]:g}. To mend it: {REMEDY}."))
    if not found:
        counts = grid.histogram(place, Units(np.zeros(len(grid.x), dtype=int), [""], [""]))[0]
        n = counts.sum()
        short = counts[max(int(1 - grid.low[place]), 0) : cut + 1]
        if n >= 100 and counts[cut + 1 :].sum() == 0 and short.sum() == n and (short >= max(5, 0.03 * n)).sum() >= min(4, len(short)) and short[-1] >= 0.05 * n:
            abrupt = short[-1] >= 0.5 * short[-2]  # opinions that thin out towards the end may have ended there
            for wave in _asked(grid, place):
                found.append(grid.row("mixed_scales", wave, item, n=n, estimate=0.0, p=None, verdict="refused" if abrupt else "look", sentence=
                    f"{grid.where(wave)}: '{item}' is declared to end at {grid.high[place]:g}, but none of {n:,.0f} scores lies above {top}. "
                    f"To mend it: declare the scale as 1 to {top}, or find out what the source did to the scores."))
    return found


def _by_row(grid: Grid, place: int, item: str, top: int, cut: int) -> list[dict]:
    n, mean, var = grid.mood(place, grid.by_wave)
    counts = grid.histogram(place, grid.by_wave)
    pooled = _dip(n.sum(axis=0), *_pool(n, mean, var), cut)
    each = [_dip(n[w], mean[w], var[w], cut) for w in range(len(grid.waves))]
    clear = {w: each[w][0] for w in range(len(grid.waves)) if _is_dip(*each[w])}
    chance = {w: stats.norm.sf(each[w][1]) for w in clear}
    for w in range(len(grid.waves)) if len(grid.waves) >= 3 else []:
        gap, z, _ = each[w]
        others = np.delete(counts, w, axis=0)
        others = others[others.sum(axis=1) >= 30]
        if w in clear or z < 2.5 or counts[w].sum() < 60 or len(others) < 2:
            continue
        usual = np.median(others / others.sum(axis=1, keepdims=True), axis=0) + 0.002
        ratio, b = inflation(counts[w][None], (usual / usual.sum())[None], top=top)
        p = stats.chi2.sf(ratio[0] + z**2, 2)
        if b[0] >= 0.12 and ratio[0] > 15 and p < 1e-8:
            clear[w], chance[w] = gap, p
    if not clear and _is_dip(*pooled):
        some = [w for w in range(len(grid.waves)) if each[w][1] > 2] or [w for w in range(len(grid.waves)) if n[w].sum()]
        clear, chance = dict.fromkeys(some, pooled[0]), dict.fromkeys(some, stats.norm.sf(pooled[1]))
    return [grid.row("mixed_scales", grid.waves[w], item, n=n[w].sum(), estimate=gap, p=chance[w], verdict="refused", sentence=
        f"{grid.where(grid.waves[w])}: those who gave '{item}' a {top} rate everything else better, by {gap:.1f} standard deviations, than those who gave {top + 1} or {top + 2}; "
        f"on one scale that cannot be, so scores of 1 to {top} and of {grid.low[place]:g} to {grid.high[place]:g} are mixed in the column. To mend it: {REMEDY}.") for w, gap in clear.items()]


def _is_dip(gap: float, z: float, above: float) -> bool:
    return z > 4.5 and gap > 0.25 and above > 4


def _dip(n, mean, var, cut: int) -> tuple[float, float, float]:
    """How much better the mood is at the shorter scale's top than just above it, the same in standard errors, and how far it is above the average, in standard errors.

    0 where too few gave these scores, or where mood does not rise with the score at all (a reversed item).
    """
    upper = slice(cut + 1, cut + 3)
    count = n[upper].sum()
    if n[cut] < 8 or count < 8:
        return 0.0, 0.0, 0.0
    score, total = np.arange(len(n)), n.sum()
    average, centre = (n * mean).sum() / total, (n * score).sum() / total
    if (n * (score - centre) * (mean - average)).sum() <= 0 or (n[cut + 1 :] * (score[cut + 1 :] - cut) * (mean[cut + 1 :] - mean[cut + 1])).sum() < 0:
        return 0.0, 0.0, 0.0
    above = (n[upper] * mean[upper]).sum() / count
    spread = (n[upper] * (var[upper] + (mean[upper] - above) ** 2)).sum() / count
    error = np.sqrt(max(var[cut], 0.05) / n[cut] + max(spread, 0.05) / count)
    beyond = (mean[cut] - average) / np.sqrt(max(var[cut], 0.05) / n[cut]) if mean[cut] - average > 0.2 else 0.0
    return float(mean[cut] - above), float((mean[cut] - above) / error), float(beyond)


def _pool(n, mean, var):
    total = np.maximum(n.sum(axis=0), 1)
    centre = (n * mean).sum(axis=0) / total
    return centre, (n * (var + (mean - centre) ** 2)).sum(axis=0) / total


def _asked(grid: Grid, place: int) -> list[str]:
    return [wave for wave, n in zip(grid.waves, grid.histogram(place, grid.by_wave).sum(axis=1)) if n]


def cut_off(tables, programme=None) -> list[dict]:
    """Return items of which many scores were set aside as above the scale's end: a longer scale was read on a shorter one.

    What was kept is then the lower part of the answers only, and its mean is too low. At least 20 cells, 3 % of the wave, and three
    different scores above the end.
    """
    programme = programme or tables.programme
    repairs, found = tables["repairs"], []
    repairs = repairs[repairs["rule"].str.contains("not on the scale", regex=False)] if len(repairs) else repairs
    if not len(repairs):
        return found
    rows = tables["files"].groupby("file")["rows"].max()  # a file may serve several waves
    for wave in programme.waves:
        own = repairs[(repairs["file"] == wave.named) & (repairs["quarter"] == wave.quarter)]
        for item in programme.asked(wave.survey) if len(own) else []:
            if item.kind != "rating":
                continue
            scores = pd.to_numeric(own.loc[own["column"] == programme.column(wave, item.id), "value"], errors="coerce").dropna()
            high, low = programme.scales[item.scale].high, programme.scales[item.scale].low
            above = scores[(scores > high) & (scores <= max(10.0, 2 * high)) & (scores == scores.round())]
            total = int(rows.get(wave.named, 0))
            if len(above) < 20 or above.nunique() < min(3, 2 * high - high) or len(above) < 0.03 * total:
                continue
            values = ("mixed_scales", "", "responses", wave.survey, wave.id, item.id, "", len(above), len(above) / total, np.nan, "refused",
                f"{wave.named} (survey '{wave.survey}', wave '{wave.id}'): {len(above):,} of {total:,} scores of '{item.id}' were set aside because they lie above {high:g}, up to {above.max():g}; "
                f"the file seems to hold a longer scale, and the scores that were kept are only its lower part. To mend it: declare the scale this wave was asked on, not {low:g} to {high:g}.")
            found.append(dict(zip(COLUMNS, (*values, ""))))
    return found
