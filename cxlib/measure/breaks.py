"""Where a line breaks: the exact least-squares jump or hinge over every place it could be, by prefix sums.

One sort, then every candidate costs a few additions: the sum of squares that a break saves is (z'My)² / z'Mz, where z is the step or the hinge,
M takes out the line (or the mean), and all four sums come from cumulated sums of the sorted rows. A hinge is looked for between the observed
values too: there the saving is the ratio of two quadratics with one stationary point. Source: Hudson (1966), JASA 61, 1097-1129;
Bai & Perron (2003), J. Appl. Econometrics 18, 1-22 (the search by sums).
"""

import numpy as np
import pandas as pd

from cxlib.errors import DataError

SHAPES, UNDER = ("jump", "hinge"), ("line", "constant")


def search(frame: pd.DataFrame, *, x: str, y: str, shape: str = "jump", under: str = "line", trim: float = 0.1, weight: str | None = None) -> pd.DataFrame:
    """Return the break of a line that leaves the smallest residual sum of squares, looked for at every place.

    in: one row an answer; `x` the score or measure, `y` the outcome, both numbers (rows without either are left out). `shape` is "jump" (the
    level changes above a value) or "hinge" (the slope does). `under` is what holds without a break: a "line" or a "constant" (jump only).
    `trim` is the least part of the weight on either side. out, one row: shape, under, estimate (the break, units of x; for a jump the middle between
    below and above), below (largest x under the break), above (smallest over it), intercept, slope (under the break), change (of the level, or of the slope), rss, rss_null, f (of the break,
    on 1 degree of freedom), n, levels (distinct x), note.
    errors: DataError for an unknown shape or a trim outside 0 to .5. Fewer than three rows or two distinct x give a note and no estimate.
    """
    check(shape, under, trim)
    found = frame[[x, y, *([weight] if weight else [])]].apply(pd.to_numeric).dropna()
    return pd.DataFrame([best(found[x].to_numpy(float), found[y].to_numpy(float), found[weight].to_numpy(float) if weight else None, shape=shape, under=under, trim=trim)])


def check(shape: str, under: str, trim: float) -> None:
    """Raise DataError for a shape, a model without a break or a trim that there is not."""
    if shape not in SHAPES or under not in UNDER or (shape == "hinge" and under == "constant"):
        raise DataError(f"There is no threshold of shape '{shape}' under a '{under}'; shapes are {', '.join(SHAPES)}, the model without a break is a line, or a constant for a jump.")
    if not 0 <= trim < 0.5:
        raise DataError(f"trim = {trim}: give the least part of the answers on either side of a threshold, from 0 to under .5.")


def best(x: np.ndarray, y: np.ndarray, w: np.ndarray | None, *, shape: str, under: str, trim: float) -> dict:
    """Return what `search` does, of arrays without gaps, as a row."""
    n = len(x)
    row = {"shape": shape, "under": under, **dict.fromkeys(("estimate", "below", "above", "intercept", "slope", "change", "rss", "rss_null", "f"), np.nan), "n": n, "levels": 0, "note": ""}
    order = np.argsort(x, kind="stable")
    x, y, w = x[order], y[order], np.ones(n) if w is None else w[order]
    last = np.flatnonzero(np.append(x[1:] != x[:-1], True)) if n else np.array([], int)  # the last row of each distinct value
    row["levels"] = len(last)
    terms = 3 + (under == "line")
    if n <= terms or len(last) < terms - 1 or not np.ptp(y) > 0:
        return row | {"note": "not estimable (too few answers or values, or an outcome that does not vary)"}
    total = w.sum()
    middle, scale, level = (w @ x) / total, (x[-1] - x[0]), (w @ y) / total
    u, v = (x - middle) / scale, y - level  # centred, so that the sums keep their digits
    ends = last[:-1]
    above = _above(w, u, v, ends)
    share = above[0] / total
    open_ = (share >= trim - 1e-12) & (share <= 1 - trim + 1e-12)
    if not open_.any():
        return row | {"note": f"not estimable (no value has {100 * trim:.0f} % of the answers on either side)"}
    spread, common = w @ u**2, w @ (u * v)
    null = w @ v**2 - (common**2 / spread if under == "line" else 0.0)
    numbers = _jumps(above, total, spread, common, under) if shape == "jump" else _hinges(above, u[ends], u[ends + 1], total, spread, common)
    place, at, change = _largest(*numbers, open_)
    k = ends[place]
    row |= {"below": x[k], "above": x[k + 1], "estimate": (x[k] + x[k + 1]) / 2 if shape == "jump" else at * scale + middle}
    if shape == "hinge" and abs(at - u[k]) < 1e-12:
        row["estimate"] = x[k]
    z = (u > u[k]).astype(float) if shape == "jump" else np.maximum(u - at, 0.0)
    mean_z = (w @ z) / total
    slope = (common - change * (w @ (u * z))) / spread if under == "line" else 0.0
    rss = float(w @ (v + change * mean_z - slope * u - change * z) ** 2)  # from the residuals: a difference of sums would lose digits
    row |= {"rss": rss, "rss_null": float(null), "slope": slope / scale, "intercept": level - change * mean_z - slope * middle / scale, "change": change if shape == "jump" else change / scale}
    spare = n - terms - (shape == "hinge")
    return row | {"f": float((null - rss) / (rss / spare)) if rss > 0 and spare > 0 else np.inf}


def _above(w, u, v, ends):
    """Sums over the rows beyond each end: weights, x, x², y, xy."""
    columns = (w, w * u, w * u * u, w * v, w * u * v)
    return [(one.sum() - np.cumsum(one)[ends]) for one in columns]


def _jumps(above, total, spread, common, under):
    weight, x, _, y, _ = above
    top, size = y.copy(), weight - weight**2 / total
    if under == "line":
        top, size = top - x * common / spread, size - x**2 / spread
    zero = np.zeros_like(top)
    return (top, zero, size, zero, zero), np.zeros((2, len(top)))


def _hinges(above, left, right, total, spread, common):
    """The numerator (a - bc) and the denominator (p + qc + rc²) of the saving of a hinge at c, between each pair of neighbours."""
    weight, x, xx, y, xy = above
    a, b = xy - xx * common / spread, y - x * common / spread
    p = xx - x**2 / total - xx**2 / spread
    q = 2 * (-x + x * weight / total + xx * x / spread)
    r = weight - weight**2 / total - x**2 / spread
    return (a, b, p, q, r), np.vstack([left, right])


def _largest(forms, between, open_):
    """The place, position and coefficient of the best break: at each neighbour, and where the saving is stationary between them."""
    a, b, p, q, r = forms
    left, right = between
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = -(2 * b * p + a * q) / (b * q + 2 * a * r)
        inner = np.where((inner > left) & (inner < right), inner, left)
        spots = np.vstack([left, inner])
        sizes = p + spots * (q + r * spots)
        gains = np.where(open_ & (sizes > 1e-12), (a - b * spots) ** 2 / sizes, -np.inf)
        which, place = np.unravel_index(np.argmax(gains), gains.shape)
        at, size = spots[which, place], sizes[which, place]
    return place, at, (a[place] - b[place] * at) / size
