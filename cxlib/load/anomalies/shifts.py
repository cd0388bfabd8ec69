"""Shifted columns: the answers to one item that look like another's in the other waves."""

import numpy as np

from cxlib.load.anomalies.grid import Grid

REMEDY = "compare the order of the columns with the questionnaire and correct 'columns' of this wave in programme.toml; until then these items of the wave are not averaged"


def shifted(grid: Grid) -> list[dict]:
    """Return items of a wave whose columns seem to have been exchanged or moved along.

    Each item of the wave is matched with that item of the other waves whose mean, spread and share of answers are nearest (assignment by
    squared distances in units of sampling error and of what items drift between waves; the wave's own level is taken off first). The matching
    is believed if the matrix of correlations, of which it knew nothing, fits better in it: squared misfit smaller by a quarter where the
    assignment gains 30, smaller at all (and by two sampling errors) where it gains 150.
    """
    from scipy.optimize import linear_sum_assignment

    k, waves = len(grid.items), len(grid.waves)
    if k < 3 or waves < 2:
        return []
    features, errors, n = _features(grid)
    r, base = grid.correlations(grid.by_wave)
    hits = []
    for w in range(waves):
        others = [o for o in range(waves) if o != w]
        items = [place for place in range(k) if n[w, place] >= 50 and (n[others, place] >= 50).any()]
        if len(items) < 3:
            continue
        masked = np.where((n[others] >= 50)[:, :, None], features[others], np.nan)[:, items]
        usual = np.nanmedian(masked, axis=0)
        drift = _drift(masked)
        own = features[w, items]
        own = own - np.median(own - usual, axis=0) * np.array([1.0, 0.0, 0.0])  # the level of the wave is its own
        noise = errors[w, items] ** 2 + drift**2
        cost = (((own[:, None, :] - usual[None, :, :]) ** 2) / noise[:, None, :]).sum(axis=2)
        same = (grid.widths[items][:, None] == grid.widths[items][None, :]) & (grid.low[items][:, None] == grid.low[items][None, :])
        order = linear_sum_assignment(np.where(same, cost, 1e9))[1]
        gain = np.diag(cost).sum() - cost[np.arange(len(items)), order].sum()
        if gain < 30:
            continue
        fit = _worthwhile(cost, order)
        moved = np.flatnonzero(fit != np.arange(len(items)))
        reference = _correlations(r[others][:, items][:, :, items], base[others][:, items][:, :, items])
        here, there = (_misfit(r[w][np.ix_(items, items)], reference[np.ix_(by, by)], moved) for by in (np.arange(len(items)), fit))
        sampling = 2.0 / np.nanmedian(base[w][np.ix_(items, items)]) / np.sqrt(max(len(moved), 1) * len(items))
        if len(moved) >= 2 and ((there < 0.75 * here and here - there > sampling) or (gain > 150 and here - there > 2 * sampling)):
            hits.append((w, gain, [(items[a], items[fit[a]], cost[a, a], n[w, items[a]]) for a in moved]))
    return [row for hit in hits for row in _rows(grid, hit)]


def _rows(grid: Grid, hit) -> list[dict]:
    w, _, moved = hit
    unsure = len(grid.waves) == 2
    found = []
    for place, like, cost, n in moved:
        item, other = grid.items[place].id, grid.items[like].id
        which = "; with two waves it cannot be told in which of them" if unsure else ""
        found.append(grid.row("shifted_columns", grid.waves[w], item, n=n, estimate=np.sqrt(cost), p=None, verdict="look" if unsure else "refused", unit=f"looks like '{other}'", sentence=
            f"{grid.where(grid.waves[w])}: the answers to '{item}' look like those to '{other}' in the other waves, in their level, their spread and in what they go with; columns seem to have moved{which}. To mend it: {REMEDY}."))
    return found


def _features(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and standard deviation (shares of the scale's range) and the logit of the share who answered, their errors, and n: waves x items."""
    rows = np.bincount(grid.wave, minlength=len(grid.waves)).astype(float)
    features, errors, bases = [], [], []
    for place in range(len(grid.items)):
        counts = grid.histogram(place, grid.by_wave)
        n = counts.sum(axis=1)
        score = np.arange(grid.widths[place]) / (grid.widths[place] - 1)
        mean = counts @ score / np.maximum(n, 1)
        total = counts.sum(axis=0)
        pooled = total / max(total.sum(), 1)
        least = (pooled @ score**2 - (pooled @ score) ** 2) / np.maximum(n, 1)  # one answer more at the other end is always possible
        variance = np.maximum(counts @ score**2 / np.maximum(n, 1) - mean**2, np.maximum(least, 1e-6))
        sd = np.sqrt(variance)
        fourth = (counts * (score[None, :] - mean[:, None]) ** 4).sum(axis=1) / np.maximum(n, 1)
        tail = np.maximum(np.maximum(fourth, least**2) / variance**2 - 1, 0.5)  # kurtosis less 1: 2 for a normal distribution
        answered = np.log((n + 0.5) / (rows - n + 0.5))
        errors.append(np.column_stack([sd / np.sqrt(np.maximum(n, 1)), sd * np.sqrt(tail / (4 * np.maximum(n, 1))), np.sqrt(1 / (n + 0.5) + 1 / (rows - n + 0.5))]))
        features.append(np.column_stack([mean, sd, answered]))
        bases.append(n)
    return np.stack(features, axis=1), np.stack(errors, axis=1), np.stack(bases, axis=1)


def _drift(features: np.ndarray) -> np.ndarray:
    """Return how far the features of one item scatter over the other waves, the waves' level taken off: never below 2 % of the range, .015 and .3."""
    least = np.array([0.02, 0.015, 0.3])
    if len(features) < 2:
        return least * 2
    centred = features - np.nanmedian(features, axis=0)
    asked = np.isfinite(centred[:, :, 0]).any(axis=1)
    centred = centred[asked]
    centred[:, :, 0] -= np.nanmedian(centred[:, :, 0], axis=1, keepdims=True)
    return np.maximum(1.4826 * np.nanmedian(np.abs(centred), axis=(0, 1)), least) * (1.5 if len(centred) == 2 else 1.0)


def _worthwhile(cost: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the assignment without those of its cycles that gain little (under 15): items that merely lie near each other."""
    fit, seen = order.copy(), set()
    for start in range(len(order)):
        cycle, place = [], start
        while place not in seen:
            seen.add(place)
            cycle.append(place)
            place = order[place]
        if len(cycle) > 1 and sum(cost[a, a] - cost[a, order[a]] for a in cycle) < 15:
            fit[cycle] = cycle
    return fit


def _correlations(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    weight = np.where(np.isfinite(r) & (n >= 30), n, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.nan_to_num(r) * weight).sum(axis=0) / weight.sum(axis=0)


def _misfit(own: np.ndarray, reference: np.ndarray, moved: np.ndarray) -> float:
    """Return the mean squared difference of the correlations that involve a moved item."""
    off = ~np.eye(len(own), dtype=bool) & np.isfinite(own) & np.isfinite(reference)
    touched = np.zeros(len(own), dtype=bool)
    touched[moved] = True
    off &= touched[:, None] | touched[None, :]
    return float(((own - reference)[off] ** 2).mean()) if off.any() else 0.0
