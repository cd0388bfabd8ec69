"""Scores that are codes: the same score for everybody of a group, an end of the scale unlike its neighbours, a 99 far from every other value."""

import numpy as np
from scipy import stats

from cxlib.load.anomalies.grid import FIELDS, Grid, Units
from cxlib.load.anomalies.inflation import inflation, pallor

REMEDY = "declare it under 'missing' if it is no answer, or correct the file; until then the wave is not averaged"
CODES = {-999, -99, -98, -97, -9, -8, -7, -1, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 7777, 8888, 9999, 99999, 999999}


def constant(grid: Grid) -> list[dict]:
    """Return ratings that hold one and the same score for everybody of a group, where the others' vary.

    A group is a value of a nominal item or field, or those who answered nothing else: 30 people or more, at least 99.5 % with the
    score that at most 80 % of the others gave. Items that are one and the same in each of the groups only repeat the group and are left alone.
    """
    found = []
    for place, item in enumerate(grid.items):
        for name, codes, values in _groupings(grid, place):
            counts = grid.histogram(place, Units(codes, [""] * len(values), values))
            n, top = counts.sum(axis=1), counts.max(axis=1)
            same = (n > 0) & (top >= 0.995 * n)
            if same[n >= 5].all():
                continue
            for group in np.flatnonzero(same & (n >= 30)):
                score = counts[group].argmax()
                others = counts[~same].sum(axis=0)
                share = others[score] / max(others.sum(), 1)
                p = max(share, 0.01) ** n[group]
                if others.sum() < 30 or share > 0.8 or p > 1e-9:
                    continue
                found += _by_wave(grid, place, item.id, codes == group, score, share, p, f"{name}{values[group]}")
                break
            else:
                continue
            break
    return found


def _groupings(grid: Grid, place: int):
    alone = np.where((grid.places >= 0).sum(axis=1) == (grid.places[:, place] >= 0), 1, 0)
    if len(grid.items) >= 3:
        yield "", alone, ["those who answered another question too", "those who answered no other rating"]
    names = [item.id for item in grid.programme.asked(grid.survey.id) if item.kind in ("nominal", "number")]
    binary = [item.id for number, item in enumerate(grid.items) if grid.widths[number] == 2 and number != place]
    for name in (*names, *binary, *FIELDS, "team"):
        if name in grid.frame:
            codes, values = grid.codes(name)
            if 2 <= len(values) <= (60 if name != "team" else 400):
                yield f"{name} = ", codes, [f"'{value:g}'" if isinstance(value, float) else f"'{value}'" for value in values]


def _by_wave(grid: Grid, place: int, item: str, rows: np.ndarray, score: int, share: float, p: float, unit: str) -> list[dict]:
    counts = grid.histogram(place, Units(np.where(rows, grid.wave, -1), grid.waves, [unit] * len(grid.waves)))
    value, found = _as_given(grid, place, score), []
    for w, wave in enumerate(grid.waves):
        if n := counts[w].sum():
            found.append(grid.row("code_as_score", wave, item, n=n, estimate=value, p=p, verdict="refused", unit=unit, sentence=
                f"{grid.where(wave)}: '{item}' is {value:g} for all {n:,.0f} of {unit}, but for {100 * share:.0f} % of the others; it seems to be filled in, not answered. To mend it: {REMEDY}."))
    return found


def _as_given(grid: Grid, place: int, score: int) -> float:
    value = grid.low[place] + score
    return float(grid.low[place] + grid.high[place] - value if grid.turned[place] else value)


def edges(grid: Grid) -> list[dict]:
    """Return ends of a scale whose givers are unlike those of the neighbouring scores: a "not applicable" that was declared a score.

    Those who give the worst score rate everything else worst, and the best score best. Where they are nearer to the middle than those of the
    next scores, by .35 standard deviations and five standard errors or by .12 and six, the end is no score. Over all waves together only
    if it is so without the wave that shows it most, and leaving out waves in which the item runs against the others. To be looked at where
    they are hardly beyond their neighbours: less than a tenth (upper 99 % limit) of the step that
    the other scores predict (`_step`), and 8 % of the answers or more.
    """
    found = []
    for place, item in enumerate(grid.items):
        n, mean, var = grid.mood(place, grid.by_wave)
        place_of = np.arange(grid.widths[place])
        slope = np.array([_slope(n[w], mean[w], place_of) for w in range(len(grid.waves))])
        usable = np.flatnonzero(slope > 0)
        for end in (1, -1):
            each = [_outlier(n[w][::end], mean[w][::end], var[w][::end], end) for w in range(len(grid.waves))]
            clear = [w for w, found_here in enumerate(each) if _is_outlier(*found_here)]
            gap, z = 0.0, 0.0
            if not clear and len(usable):
                kept = [w for w in usable if w != max(usable, key=lambda w: each[w][1])] if len(usable) > 2 else list(usable)
                gap, z = _outlier(*(part[::end] for part in (n[kept].sum(axis=0), *_pool(n[kept], mean[kept], var[kept]))), end)
                if _is_outlier(gap, z):
                    clear = [w for w in usable if each[w][0] > 0] or list(usable)
            score = 0 if end == 1 else grid.widths[place] - 1
            if not clear and len(usable) and _step(*(part[::end] for part in (n[usable].sum(axis=0), *_pool(n[usable], mean[usable], var[usable]))), end) < 0.1:
                value, last = _as_given(grid, place, score), grid.waves[usable[-1]]
                found.append(grid.row("code_as_score", last, item.id, n=n[usable, score].sum(), estimate=value, p=None, verdict="look", unit=f"score {value:g}", sentence=
                    f"{grid.where('')}: those who have {value:g} on '{item.id}' rate everything else like those with the next score, where the other scores lead one to expect {'worse' if end == 1 else 'better'}; "
                    f"for some of them {value:g} may be no answer but a code (\"not applicable\"). To mend it: {REMEDY.split(';')[0]}."))
            for w in clear:
                own, own_z = each[w] if _is_outlier(*each[w]) else (gap, z)
                value = _as_given(grid, place, score)
                found.append(grid.row("code_as_score", grid.waves[w], item.id, n=n[w][score], estimate=value, p=stats.norm.sf(own_z), verdict="refused", unit=f"score {value:g}", sentence=
                    f"{grid.where(grid.waves[w])}: those who have {value:g} on '{item.id}' rate everything else {'better' if end == 1 else 'worse'}, by {own:.1f} standard deviations, than those with the next scores; "
                    f"{value:g} seems to be a code. To mend it: {REMEDY}."))
    return found


def _pool(n, mean, var):
    total = np.maximum(n.sum(axis=0), 1)
    centre = (n * mean).sum(axis=0) / total
    return centre, (n * (var + (mean - centre) ** 2)).sum(axis=0) / total


def _step(n, mean, var, end: int) -> float:
    """Return the upper limit of how much of the predicted step in mood lies between the first score and the next; 1 where it cannot be told.

    The prediction: mood is linear in the mean of a standard normal opinion within each score's share of answers.
    """
    if n[0] < max(40, 0.08 * n.sum()) or (n[1:] >= 10).sum() < 3 or n[0] > 0.9 * n.sum():
        return 1.0
    upper = np.clip(np.cumsum(n) / n.sum(), 1e-9, 1 - 1e-9)
    lower = np.concatenate([[1e-9], upper[:-1]])
    opinion = (stats.norm.pdf(stats.norm.ppf(lower)) - stats.norm.pdf(stats.norm.ppf(upper))) / np.maximum(upper - lower, 1e-9)
    near = np.flatnonzero(n[1:] >= 10) + 1
    slope, level = np.polyfit(opinion[near], mean[near] * end, 1, w=np.sqrt(n[near]))
    following = mean[near[0]] * end
    step = following - (slope * opinion[0] + level)
    error = np.sqrt(max(var[0], 0.05) / n[0] + max(var[near[0]], 0.05) / n[near[0]])
    return float((following - mean[0] * end + 2.33 * error) / step) if step > 0.3 else 1.0


def _slope(n, mean, score) -> float:
    """The covariance of mood and score: which way an item runs."""
    total = max(n.sum(), 1)
    return float((n * (score - (n * score).sum() / total) * mean).sum() / total)


def _is_outlier(gap: float, z: float) -> bool:
    return (gap > 0.35 and z > 5) or (gap > 0.12 and z > 6)


def _outlier(n, mean, var, end: int) -> tuple[float, float]:
    """How far the first score's mood lies on the wrong side of the next ones', and in standard errors; 0 where the rest has no slope."""
    inner = np.flatnonzero(n[1:] >= 5) + 1
    if n[0] < 15 or len(inner) < 2:
        return 0.0, 0.0
    slope = np.polyfit(inner, mean[inner], 1, w=np.sqrt(n[inner]))[0] * end
    take = np.flatnonzero(np.cumsum(n[1:]) >= 20)
    if slope < 0.05 or not len(take):
        return 0.0, 0.0
    near = slice(1, take[0] + 2)
    count = n[near].sum()
    level = (n[near] * mean[near]).sum() / count
    spread = (n[near] * (var[near] + (mean[near] - level) ** 2)).sum() / count
    gap = (mean[0] - level) * end
    return float(gap), float(gap / np.sqrt(max(var[0], 0.05) / n[0] + max(spread, 0.05) / count))


def spikes(grid: Grid) -> list[dict]:
    """Return a score that a wave holds far more often than the other waves, given by people who do not rate as its givers should.

    So look blanks that were coded as the worst (or the middle) score in one wave. Needs three waves. The score must hold 8 % more answers than
    a change of level and spread explains, and its givers' mood be paler than it should: at an end by two and a half standard errors (`pallor`, or
    better by .2 than that of the next scores) and both together at 1e-6 (chi-squared, two degrees of freedom), inside by five and .3 standard deviations against the line between its
    neighbours, the first at 1e-6. Without other ratings, the blanks must have gone at the same time; then to look at.
    """
    found, waves = [], len(grid.waves)
    if waves < 3:
        return found
    rows = np.bincount(grid.wave, minlength=waves)
    measured = {kpi.item for kpi in grid.programme.kpis}
    for place, item in enumerate(grid.items):
        counts = grid.histogram(place, grid.by_wave)
        base = counts.sum(axis=1)
        share = counts / np.maximum(base, 1)[:, None]
        n, mean, var = grid.mood(place, grid.by_wave)
        pale_end = {0: pallor(n, mean, var, top=False), grid.widths[place] - 1: pallor(n, mean, var, top=True)}
        for w in np.flatnonzero(base >= 60):
            others = [o for o in range(waves) if o != w and base[o] >= 30]
            if len(others) < 2:
                continue
            usual = _shares(share[others])
            blank = 1 - base / np.maximum(rows, 1)
            for score in np.flatnonzero(share[w] - usual > 0.05):
                if item.id in measured and score == grid.widths[place] - 1:
                    continue  # too many top scores of a KPI are begged, not coded
                ratio, b = inflation(counts[w][None], usual[None], score=int(score))
                if ratio[0] > 4:  # the other waves say how far honest answers depart from the model
                    spread = [inflation(counts[o][None], _shares(share[[x for x in (*others, w) if x != o]])[None], score=int(score))[0][0] for o in others]
                    ratio = ratio / max(np.mean(spread), 1.0)
                if score in pale_end:
                    end = 1 if score == 0 else -1
                    gap, beside = _outlier(n[w][::end], mean[w][::end], var[w][::end], end)
                    z = max(pale_end[score][w], beside if gap > 0.2 else 0.0)
                    p = stats.chi2.sf(ratio[0] + max(z, 0.0) ** 2, 2)
                    pale = z > 2.5 and ratio[0] > 4
                else:
                    p, pale = stats.chi2.sf(ratio[0], 1) / 2, _pale(n[w], mean[w], var[w], int(score))
                if b[0] < 0.08 or p > 1e-6:
                    continue
                filled = blank[w] < 0.25 * np.median(blank[others]) and np.median(blank[others]) - blank[w] > 0.5 * b[0]
                if pale or (filled and len(grid.items) == 1):
                    value = _as_given(grid, place, score)
                    why = " and ".join([*(["their other ratings do not fit it"] if pale else []), *([f"blanks went from {100 * np.median(blank[others]):.0f} % to {100 * blank[w]:.0f} %"] if filled else [])])
                    found.append(grid.row("code_as_score", grid.waves[w], item.id, n=counts[w, score], estimate=value, p=p, verdict="refused" if pale else "look", unit=f"score {value:g}", sentence=
                        f"{grid.where(grid.waves[w])}: {100 * share[w, score]:.0f} % have {value:g} on '{item.id}', {100 * usual[score]:.0f} % in the other waves, and {why}; blanks seem to be coded as {value:g}. To mend it: {REMEDY}."))
    # several items at once: a wave of another mood, unless their blanks went at the same time
    several = {(row["wave"], row["unit"]) for row in found if sum(other["wave"] == row["wave"] and other["unit"] == row["unit"] for other in found) > 1}
    return [row | {"verdict": "look"} if (row["wave"], row["unit"]) in several and "blanks went" not in row["sentence"] else row for row in found]


def _shares(share: np.ndarray) -> np.ndarray:
    """Return the usual distribution over several waves' shares, without zeros."""
    usual = np.median(share, axis=0) + 0.002
    return usual / usual.sum()


def _pale(n, mean, var, score: int) -> bool:
    """Whether those who gave a score inside the scale are nearer to the average than the line between its neighbours."""
    lower, upper = (np.flatnonzero(n[:score] >= 10), np.flatnonzero(n[score + 1 :] >= 10) + score + 1)
    if n[score] < 20 or not len(lower) or not len(upper):
        return False
    a, b = lower[-1], upper[0]
    line = mean[a] + (mean[b] - mean[a]) * (score - a) / (b - a)
    drift = np.sign(line) * (line - mean[score])
    error = np.sqrt(max(var[score], 0.05) / n[score] + (max(var[a], 0.05) / n[a] + max(var[b], 0.05) / n[b]) / 4)
    return bool(drift > 0.3 and drift / error > 5 and abs(mean[score]) < 0.3)


def far_codes(grid: Grid) -> list[dict]:
    """Return values such as 99, 999 or -1 that stand apart from every other value of an item: five or more, with a gap of half the range or more."""
    found = []
    wide = [grid.items[place] for place in range(len(grid.items)) if grid.widths[place] >= 20]
    for item in (*wide, *(item for item in grid.programme.asked(grid.survey.id) if item.kind == "number" and item.id in grid.frame)):
        values, counts = np.unique(grid.frame[item.id].dropna().to_numpy(dtype=float), return_counts=True)
        if len(values) < 4:
            continue
        for place in (0, len(values) - 1):
            value, rest = values[place], np.delete(values, place)
            gap = abs(value - (rest[0] if place == 0 else rest[-1]))
            if value in CODES and counts[place] >= 5 and gap >= max(0.5 * (rest[-1] - rest[0]), 3.0):
                rows = (grid.frame[item.id] == value).to_numpy()
                for w in np.unique(grid.wave[rows]):
                    n = int((rows & (grid.wave == w)).sum())
                    found.append(grid.row("code_as_score", grid.waves[w], item.id, n=n, estimate=value, p=None, verdict="refused", unit=f"value {value:g}", sentence=
                        f"{grid.where(grid.waves[w])}: {n:,} answers to '{item.id}' are {value:g}, and no other lies within {gap:g} of it; it seems to be a code. To mend it: {REMEDY}."))
    return found
