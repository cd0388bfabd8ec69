"""Whether there is a threshold, where it lies, how much changes at it, whether there is another, and whether it holds everywhere.

Whether: the largest saving of a break over all places and shapes (sup-F), against a wild cluster bootstrap under the fitted model without a break, with the
same places and trimming. Where: the places at which a break is not rejected (the test inverted), each shape with a distribution of its own. Sources: Andrews (1993),
Econometrica 61, 821-856; Hansen (1996), Econometrica 64, 413-430; Hansen (2017), JBES 35, 228-240; Bai & Perron (1998), Econometrica 66, 47-78 (another).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure import breaks, wild

REPLICATES, FEWEST = 999, 30
KIND = 0.01  # what it takes to rule out a kind of threshold, not only a place
SHAPES = ("jump", "hinge")
COLUMNS = ["shape", "estimate", "conf_low", "conf_high", "below", "above", "change", "change_low", "change_high", "slope", "p", "f", "p_curve", "p_shape", "other", "other_change", "other_low", "other_high", "detectable", "n", "n_eff", "customers", "levels", "note"]


class Places(NamedTuple):
    """The places a break could be, and the regressor of each at each score (levels x places)."""

    shape: np.ndarray
    at: np.ndarray
    below: np.ndarray
    above: np.ndarray
    values: np.ndarray


class Lasting(NamedTuple):
    """What is known of the lasting opinion of each answer: usual scores, and the chance of each (answers x scores)."""

    scale: np.ndarray
    known: np.ndarray
    ends: tuple[float, float] = (-np.inf, np.inf)  # of the scale: a usual score beyond them is an opinion, but no place of a threshold


def find(frame: pd.DataFrame, *, x: str, y: str, shapes=("jump", "hinge"), cluster: str | None = None, weight: str | None = None, within: str | None = None, lasting: Lasting | None = None, trim: float = 0.1, replicates: int = REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Say whether the line of y over x has a threshold, and where.

    in: one row an answer; rows without x or y are left out. `cluster` names who answers (several answers of one customer are one draw), `within` a
    category whose own level of y is held (a form of contract), `trim` the least part of the answers on either side. `shapes`: "jump" (the level rises; of an outcome that falls give the negative), "hinge" (the
    slope does); the test pays for looking for both. With `lasting`, x is the expected lasting opinion and a break in the opinion itself is looked for, as it shows through what is not known of it:
    places are then usual scores. out, one row: shape (the one that leaves less unexplained), estimate, conf_low, conf_high (95 %, units of x; a jump
    lies between below and above), change (of the level, of a hinge the slope) with change_low and change_high (widest over every place in the interval), slope (under the break),
    p (there is none), f, p_curve (none beside a smooth bend, a parabola), p_shape (largest of the other shape: at .01 and under it is ruled out; if not, its places are in the interval too, `other` is the best of them and other_change with other_low and other_high what changes there: which of the two leaves less
    unexplained is then little better than a coin), detectable (smallest jump seen with 80 % power), n, n_eff (customers, Kish), customers, levels, note.
    Without evidence (p above .05) the likeliest place is still told; it is then worth nothing.
    """
    _check(shapes, trim)
    options = {"x": x, "y": y, "cluster": cluster, "weight": weight, "within": within}
    cells, lasting = wild.cells(frame, **options), _aligned(frame, options, lasting)
    row = dict.fromkeys(COLUMNS, np.nan) | {"n": len(cells.y), "n_eff": wild.effective(cells), "customers": cells.clusters, "levels": len(cells.levels), "shape": "", "note": _reason(cells)}
    places = None if row["note"] else places_of(cells, shapes, trim, lasting)
    if places is None or not len(places.at):
        return pd.DataFrame([row | {"note": row["note"] or f"not estimable (no score has {100 * trim:.0f} % of the answers on either side)"}])
    bend = wild.line(cells)[:, None] ** 2
    row |= sup_f(cells, places, replicates=replicates, seed=seed)
    row["p_curve"] = sup_f(cells, places, extra=bend, replicates=replicates, seed=seed)["p"] if len(cells.levels) > 4 else np.nan
    if len(cells.levels) == wild.LEVELS and lasting is None:
        cells = wild.cells(frame, **options, near=breaks.best(pd.to_numeric(frame[x]).to_numpy(float)[frame[[x, y]].notna().all(axis=1)], cells.y, cells.weight, shape="jump", under="line", trim=trim)["estimate"])
        places = places_of(cells, shapes, trim, lasting)
    found = where(cells, places, replicates=replicates, seed=seed)
    return pd.DataFrame([row | {name: value for name, value in found.items() if name != "ruled"}])


def change(frame: pd.DataFrame, *, x: str, y: str, ruled: pd.DataFrame, reach: float = 1.0, cluster: str | None = None, weight: str | None = None, lasting: Lasting | None = None, trim: float = 0.1, replicates: int = REPLICATES, seed: int = 1) -> dict:
    """Return how much another outcome is higher for those just over a threshold: estimate averaged over every place and shape that is not ruled out (each by its p), conf_low and conf_high the widest of them, n, n_eff.

    `ruled` is what that function returned of the same answers. A jump counts whole, a hinge by what its slope brings over `reach` (units of x), both beside a straight line; customers are clusters.
    """
    cells, lasting = wild.cells(frame, x=x, y=y, cluster=cluster, weight=weight), _aligned(frame, {"x": x, "y": y, "cluster": cluster, "weight": weight}, lasting)
    places = places_of(cells, tuple(pd.unique(ruled["shape"])), trim, lasting)
    fit = wild.fit(cells)
    _, size, crossed = wild.taken_out(cells, fit, places.values)
    found = np.bincount(cells.code, cells.weight * fit.error, len(cells.levels)) @ places.values / size
    p = pd.Series(ruled["p"].where(ruled["kept"], 0.0).to_numpy(), index=pd.MultiIndex.from_frame(ruled[["shape", "at"]])).reindex(pd.MultiIndex.from_arrays([places.shape, places.at])).fillna(0.0).to_numpy()
    kept = p > 0
    best = int(np.argmax(p))
    by_score, terms = wild.drawn(cells, wild.fit(cells, places.values[:, [best]]).error, fit, replicates=replicates, seed=seed + 1)
    half = stats.t.ppf(0.975, max(cells.clusters - 1, 1)) * (by_score @ places.values - terms @ crossed).std(axis=0) / size
    counts = np.where(places.shape == "hinge", reach, 1.0)[kept]
    return {"estimate": float(np.average(found[kept] * counts, weights=p[kept])), "conf_low": float(((found - half)[kept] * counts).min()), "conf_high": float(((found + half)[kept] * counts).max()), "n": len(cells.y), "n_eff": wild.effective(cells)}


def _aligned(frame: pd.DataFrame, options: dict, lasting: Lasting | None) -> Lasting | None:
    """What is known of the opinions of the rows that count: `lasting` has a row for each of the frame."""
    if lasting is None:
        return None
    there = frame[[name for name in options.values() if name]].notna().all(axis=1).to_numpy()
    return lasting if there.all() else lasting._replace(known=lasting.known[there])


def _check(shapes, trim) -> None:
    for shape in shapes:
        breaks.check(shape, "line", trim)


def _reason(cells: wild.Cells) -> str:
    if cells.clusters < FEWEST or len(cells.levels) < 4:
        return f"not estimable ({cells.clusters:,} customers at {len(cells.levels)} scores; {FEWEST} at four scores are needed)"
    return "" if np.ptp(cells.y) > 0 else "not estimable (the outcome does not vary)"


def places_of(cells: wild.Cells, shapes, trim: float, lasting: Lasting | None = None) -> Places:
    """Return the places with `trim` of the answers on either side: between neighbouring scores for a jump, also at them and in steps between them for a hinge."""
    parts = [_of_shape(cells, shape, trim) if lasting is None else _of_opinion(cells, shape, trim, lasting) for shape in shapes]
    return Places(*(np.concatenate(some) for some in zip(*(part[:4] for part in parts), strict=True)), np.hstack([part.values for part in parts]))


def _of_shape(cells: wild.Cells, shape: str, trim: float) -> Places:
    levels = cells.levels
    weights = np.bincount(cells.code, cells.weight, len(levels))
    share = np.cumsum(weights) / weights.sum()
    k = np.flatnonzero((share[:-1] >= trim - 1e-12) & (share[:-1] <= 1 - trim + 1e-12))
    steps = 1 if shape == "jump" else max(1, 200 // len(levels))
    if shape == "hinge":
        k = k[(k > 0) & (k < len(levels) - 2)]  # beyond the last but one score a hinge is a jump of the last
    below, above = np.repeat(levels[k], steps), np.repeat(levels[k + 1], steps)
    at = below + np.tile(np.arange(steps) / steps, len(k)) * (above - below)
    if shape == "jump":
        return Places(np.full(len(at), shape), (below + above) / 2, below, above, (levels[:, None] > below).astype(float))
    return Places(np.full(len(at), shape), at, below, above, np.maximum(levels[:, None] - at, 0.0))


def _of_opinion(cells: wild.Cells, shape: str, trim: float, lasting: Lasting) -> Places:
    """The places of a break in the lasting opinion: what is expected of the step, or of the bend, given what is known of the opinions at each level of x."""
    weights = np.bincount(cells.code, cells.weight, len(cells.levels))
    known = np.empty((len(cells.levels), len(lasting.scale)))
    order = np.argsort(cells.code, kind="stable")
    starts = np.searchsorted(cells.code[order], np.arange(len(cells.levels)))
    known = np.add.reduceat(lasting.known[order] * cells.weight[order, None], starts, axis=0) / weights[:, None]
    share = np.cumsum(weights @ known) / weights.sum()
    middles = (lasting.scale[1:] + lasting.scale[:-1]) / 2
    open_ = np.flatnonzero((share[:-1] >= trim) & (share[:-1] <= 1 - trim) & (middles >= lasting.ends[0]) & (middles <= lasting.ends[1]))
    at = middles[open_]
    gaps = np.full(len(at), np.nan)
    step = (lasting.scale[:, None] > at).astype(float) if shape == "jump" else np.maximum(lasting.scale[:, None] - at, 0.0)
    return Places(np.full(len(at), shape), at, gaps, gaps, known @ step)


def sup_f(cells: wild.Cells, places: Places, *, extra: np.ndarray | None = None, replicates: int, seed: int) -> dict:
    """Return f (the largest over all places), p (how often signs drawn under the model without the break give one as large) and detectable."""
    fit = wild.fit(cells, extra)
    by_score, terms = wild.drawn(cells, fit.error, fit, replicates=replicates, seed=seed)
    _, size, crossed = wild.taken_out(cells, fit, places.values)
    left = fit.rss - np.einsum("bt,tu,bu->b", terms, fit.inverse, terms)  # signs leave the sum of squares as it is
    spare = max(len(cells.y) - fit.columns.shape[1] - 2, 1)
    f = lambda gain, rss: gain / np.maximum(rss - gain, 1e-300) * spare
    seen = f(_gains(np.bincount(cells.code, cells.weight * fit.error, len(cells.levels)) @ places.values, size, places).max(), fit.rss)
    drawn = f(_gains(by_score @ places.values - terms @ crossed, size, places).max(axis=1), left)
    return {"f": float(seen), "p": float((1 + (drawn >= seen).sum()) / (replicates + 1)), "detectable": _detectable(places, (by_score @ places.values - terms @ crossed) / size, size)}


def _gains(pulls: np.ndarray, size: np.ndarray, places: Places) -> np.ndarray:
    """What each place saves: of jumps only those upwards, because a fall below and a rise above bend a line alike."""
    return np.where((places.shape == "jump") & (pulls < 0), 0.0, pulls) ** 2 / size


def _detectable(places: Places, noise: np.ndarray, size: np.ndarray) -> float:
    """The smallest jump, at the place where it is seen best, that the test finds with a chance of 80 %."""
    jumps = np.flatnonzero((places.shape != "hinge") & np.isfinite(size))
    if not len(jumps):
        return np.nan
    least = np.sqrt(np.quantile(_gains(noise * size, size, places).max(axis=1), 0.95) / size[jumps]) + stats.norm.ppf(0.8) * noise.std(axis=0)[jumps]
    return float(least.min())


def where(cells: wild.Cells, places: Places, *, replicates: int, seed: int) -> dict:
    """Return the best place, its interval of the places that are not rejected, what changes there, and how the other shape would do."""
    fit = wild.fit(cells)
    gram, size, crossed = wild.taken_out(cells, fit, places.values)
    seen = np.bincount(cells.code, cells.weight * fit.error, len(cells.levels)) @ places.values
    gains = _gains(seen, size, places)
    best = int(np.argmax(gains))
    broken = wild.fit(cells, places.values[:, [best]])
    slack = cells.clusters / max(cells.clusters - broken.columns.shape[1] - 1, 1)
    by_score, terms = wild.drawn(cells, broken.error * np.sqrt(slack), fit, replicates=replicates, seed=seed + 1)
    noise = by_score @ places.values - terms @ crossed
    p = _kept(seen, gains, gram, size, noise, places)
    change = seen / size
    own, kept = places.shape == places.shape[best], p > 0.05
    if not (kept & ~own).any():  # nothing real is a pure jump or a pure turn: at 5 in 100, 1 in 10 companies whose spend rose ever faster above a turn was told a jump, beside it
        kept |= ~own & (p > KIND)
    half = stats.t.ppf(0.975, max(cells.clusters - 1, 1)) * noise.std(axis=0) / size
    ends = [_ends(places, np.flatnonzero(places.shape == shape), p, p[kept & (places.shape == shape)].max() > 0.05) for shape in pd.unique(places.shape[kept])]
    beside = {"other": np.nan, "other_change": np.nan, "other_low": np.nan, "other_high": np.nan}
    if (open_ := kept & ~own).any():
        next_ = np.flatnonzero(~own)[np.argmax(gains[~own])]
        beside = {"other": places.at[next_], "other_change": change[next_], "other_low": (change - half)[open_].min(), "other_high": (change + half)[open_].max()}
    ruled = pd.DataFrame({"shape": places.shape, "at": places.at, "below": places.below, "above": places.above, "change": change, "p": p, "kept": kept})
    return {
        "ruled": ruled, "shape": places.shape[best], "estimate": places.at[best], "conf_low": min(low for low, _ in ends), "conf_high": max(high for _, high in ends), "below": places.below[best], "above": places.above[best],
        "change": change[best], "change_low": (change - half)[kept & own].min(), "change_high": (change + half)[kept & own].max(), "slope": broken.coefficients[1] / np.ptp(cells.levels),
        "p_shape": p[~own].max() if (~own).any() else np.nan, **beside,
    }  # fmt: skip


def _kept(seen, gains, gram, size, noise, places) -> np.ndarray:
    """How often, for each place, the best of all places of whatever shape would save as much more than it, were it the true one.

    A place that misses more than three times what chance ever saved is out without looking: were it true, the best could save no more beside it than chance does.
    """
    root = np.sqrt(size)
    chance, more = noise / root, gains.max() - gains - 1e-12 * max(gains.max(), 1e-300)
    up = places.shape == "jump"
    rise, turn = np.ascontiguousarray(chance[:, up]), np.ascontiguousarray(chance[:, ~up])
    p = np.zeros(len(size))
    for k in np.flatnonzero(np.isfinite(size) & (more <= 3 * np.max(chance**2))):
        moved = (max(seen[k], 0.0) if up[k] else seen[k]) / size[k] * gram[k] / root
        best = np.maximum((rise + moved[up]).max(axis=1, initial=0.0), np.abs(turn + moved[~up]).max(axis=1, initial=0.0))
        own = moved[k] + chance[:, k]
        p[k] = (1 + (best**2 - (np.maximum(own, 0.0) if up[k] else own) ** 2 >= more[k]).sum()) / (len(noise) + 1)
    return p


def _ends(places: Places, own: np.ndarray, p: np.ndarray, usual: bool) -> tuple[float, float]:
    level = 0.05 if usual else KIND
    kept = own[p[own] > level]
    first, last = kept[0], kept[-1]
    if np.isfinite(places.below[first]) and places.shape[first] == "jump":
        return places.below[first], places.above[last]
    ends = []
    for inside, beyond in ((first, first - 1), (last, last + 1)):
        part = (p[inside] - level) / max(p[inside] - p[beyond], 1e-12) if beyond in own else 0.0
        ends.append(places.at[inside] + part * (places.at[beyond] - places.at[inside]) if part else places.at[inside])
    return ends[0], ends[1]  # where p crosses the level, between two places that were looked at


def ruled(frame: pd.DataFrame, *, x: str, y: str, shapes=SHAPES, cluster: str | None = None, weight: str | None = None, lasting: Lasting | None = None, trim: float = 0.1, replicates: int = REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Return every place of both shapes with the p of its being the true one: shape, at, below, above, change, p, kept (it is in the interval).

    The p of those that are kept, over its sum, is the weight by which what depends on the place is averaged (a confidence distribution).
    """
    cells, lasting = wild.cells(frame, x=x, y=y, cluster=cluster, weight=weight), _aligned(frame, {"x": x, "y": y, "cluster": cluster, "weight": weight}, lasting)
    places = None if _reason(cells) else places_of(cells, shapes, trim, lasting)
    if places is None or not len(places.at):
        return pd.DataFrame(columns=["shape", "at", "below", "above", "change", "p", "kept"])
    return where(cells, places, replicates=replicates, seed=seed)["ruled"]


def another(frame: pd.DataFrame, *, x: str, y: str, first: pd.DataFrame, cluster: str | None = None, weight: str | None = None, within: str | None = None, lasting: Lasting | None = None, trim: float = 0.1, most: int = 2, replicates: int = REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Say whether there is a second threshold, or a third, beside those before it: sup-F given each before, until one is not shown.

    `first` is what `find` returned. out, a row a threshold looked for: order (2, ...), shape, estimate, change, p (none beside those before), n, note. The places keep `trim`
    of the answers from those before as well; where none is left, the note says so.
    """
    cells, rows = wild.cells(frame, x=x, y=y, cluster=cluster, weight=weight, within=within), []
    lasting = _aligned(frame, {"x": x, "y": y, "cluster": cluster, "weight": weight, "within": within}, lasting)
    start = first.iloc[0]
    if start["note"] or _reason(cells):
        return pd.DataFrame(columns=["order", "shape", "estimate", "change", "p", "n", "note"])
    every = places_of(cells, SHAPES, trim, lasting)
    weights = np.bincount(cells.code, cells.weight, len(cells.levels)) / cells.weight.sum()
    taken = [int(np.argmin(np.where(every.shape == ("hinge" if start["shape"] == "hinge" else "jump"), np.abs(every.at - start["estimate"]), np.inf)))]
    for order in range(2, 2 + most):
        far = [all(weights[(cells.levels > min(at, every.at[k])) & (cells.levels <= max(at, every.at[k]))].sum() >= trim for k in taken) for at in every.at]
        open_ = np.flatnonzero(far)
        row = {"order": order, "shape": "", "estimate": np.nan, "change": np.nan, "p": np.nan, "n": len(cells.y)}
        if not len(open_):
            rows.append(row | {"note": "not estimable (no place keeps enough answers from the one before)"})
            break
        here, extra = Places(*(part[open_] for part in every[:4]), every.values[:, open_]), every.values[:, taken]
        fit = wild.fit(cells, extra)
        _, size, _ = wild.taken_out(cells, fit, here.values)
        seen = np.bincount(cells.code, cells.weight * fit.error, len(cells.levels)) @ here.values
        best = int(np.argmax(_gains(seen, size, here)))
        p = sup_f(cells, here, extra=extra, replicates=replicates, seed=seed + order)["p"]
        rows.append(row | {"shape": here.shape[best], "estimate": here.at[best], "change": seen[best] / size[best], "p": p, "note": ""})
        taken.append(int(open_[best]))
        if p > 0.05:
            break
    return pd.DataFrame(rows)
