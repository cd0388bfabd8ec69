"""Shifted columns: the answers to one item that look like another's in the other waves."""

import numpy as np

from cxlib.load.anomalies.grid import Grid

REMEDY = "compare the order of the columns with the questionnaire and correct 'columns' of this wave in programme.toml; until then these items of the wave are not averaged"


def shifted(grid: Grid) -> list[dict]:
    """Return items of a wave whose columns seem to have been exchanged or moved along.

    Each item of the wave is matched with the item of the other waves to which distribution and correlations with all others fit best
    (assignment by distance between distributions, accepted only if the correlation matrix then fits better too). Refused where the
    matching beats the declared order by far: every moved item lies at least three times nearer to another item than to itself, by more
    than any item of any other wave drifts, and the correlations' squared distance falls by a third and by more than sampling explains.
    """
    from scipy.optimize import linear_sum_assignment

    k, waves = len(grid.items), len(grid.waves)
    if k < 3 or waves < 2:
        return []
    counts = [grid.histogram(place, grid.by_wave) for place in range(k)]
    n = np.array([table.sum(axis=1) for table in counts]).T  # waves x items
    r, base = grid.correlations(grid.by_wave)
    shape = [table / np.maximum(table.sum(axis=1, keepdims=True), 1) for table in counts]
    found = []
    for w in range(waves):
        others = [o for o in range(waves) if o != w]
        usual = [_level(shape[place][others], n[others, place]) for place in range(k)]
        items = [place for place in range(k) if n[w, place] >= 50 and usual[place] is not None]
        if len(items) < 3:
            continue
        cost = np.full((len(items), len(items)), 9.0)
        for a, i in enumerate(items):
            for b, j in enumerate(items):
                if grid.widths[i] == grid.widths[j] and grid.low[i] == grid.low[j]:
                    cost[a, b] = _distance(shape[i][w], usual[j])
        order = linear_sum_assignment(cost)[1]
        moved = [a for a in range(len(items)) if order[a] != a and cost[a, a] > 3 * cost[a, order[a]] and cost[a, a] > _floor(n[w, items[a]])]
        drift = _drift(shape, n, others, items)
        moved = [a for a in moved if cost[a, a] > 2 * drift]
        if len(moved) < 2:
            continue
        fit = np.arange(len(items))
        fit[moved] = order[moved]
        if len(set(fit)) < len(fit):  # one of a chain was not clear by itself: the chain is taken as a whole
            fit = order
        reference = _correlations(r[others][:, items][:, :, items], base[others][:, items][:, :, items])
        own = r[w][np.ix_(items, items)]
        here, there = _misfit(own, reference), _misfit(own, reference[np.ix_(fit, fit)])
        noise = 2.0 * np.sqrt(len(items)) / np.nanmedian(base[w][np.ix_(items, items)])
        if not there < 0.67 * here or here - there < noise:
            continue
        for a in np.flatnonzero(fit != np.arange(len(items))):
            item, like = grid.items[items[a]].id, grid.items[items[fit[a]]].id
            found.append(grid.row("shifted_columns", grid.waves[w], item, n=n[w, items[a]], estimate=cost[a, a], p=None, verdict="refused", unit=f"looks like '{like}'", sentence=
                f"{grid.where(grid.waves[w])}: the answers to '{item}' look like those to '{like}' in the other waves, in their distribution and in what they go with; columns seem to have moved. To mend it: {REMEDY}."))
    if waves == 2 and found:  # of two waves nobody can say in which the columns moved
        named = {row["item"] for row in found}
        found = [row for row in found if row["wave"] == grid.waves[1]] or found
        first = [grid.row(**_again(row, grid.waves[0])) for row in found if row["item"] in named and row["wave"] == grid.waves[1]]
        found += first
    return found


def _again(row: dict, wave: str) -> dict:
    words = f"survey '{row['survey']}', wave '{wave}': '{row['item']}' is answered otherwise in wave '{row['wave']}', where columns seem to have moved; with two waves it cannot be told in which. To mend it: {REMEDY}."
    return {"kind": row["kind"], "wave": wave, "item": row["item"], "n": row["n"], "estimate": row["estimate"], "p": None, "verdict": "refused", "unit": "", "sentence": words}


def _level(shape: np.ndarray, n: np.ndarray):
    use = n >= 30
    return np.median(shape[use], axis=0) / max(np.median(shape[use], axis=0).sum(), 1e-9) if use.any() else None


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Half the area between two cumulative distributions, as a share of the scale: how far scores must be moved."""
    return float(np.abs(np.cumsum(one) - np.cumsum(other))[:-1].mean())


def _floor(n: float) -> float:
    return max(0.03, 1.5 / np.sqrt(n))


def _drift(shape, n, others, items) -> float:
    """The 90th percentile of how far items lie from their usual place in the other waves: what time alone does."""
    found = []
    for o in others:
        rest = [other for other in others if other != o]
        for place in items:
            level = _level(shape[place][rest], n[rest, place]) if rest else None
            if level is not None and n[o, place] >= 30:
                found.append(_distance(shape[place][o], level))
    return float(np.quantile(found, 0.9)) if found else 0.0


def _correlations(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    known = np.isfinite(r) & (n >= 30)
    weight = np.where(known, n, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.nan_to_num(r) * weight).sum(axis=0) / weight.sum(axis=0)


def _misfit(own: np.ndarray, reference: np.ndarray) -> float:
    off = ~np.eye(len(own), dtype=bool) & np.isfinite(own) & np.isfinite(reference)
    return float(((own - reference)[off] ** 2).mean()) if off.any() else 0.0
