"""Answers by distinct score, the line through them, and the wild cluster bootstrap of every place where it could break.

All that a break needs of the rows are sums by score, so that a replicate costs a product of small matrices however many rows there are. Signs are drawn
by customer, who keeps them over all answers: spend that is skewed, often nothing and spread unequally keeps its shape.
Sources: Cameron, Gelbach & Miller (2008), REStat 90, 414-427; Hansen (1996), Econometrica 64, 413-430 (the same with normal signs).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

LEVELS, FLIPPED = 200, 20_000  # most distinct scores that are kept apart; most customers for whom signs are drawn one by one


class Cells(NamedTuple):
    """The answers by distinct value of x, and what a fit needs of them."""

    levels: np.ndarray  # the values of x
    code: np.ndarray  # which of them each answer has
    y: np.ndarray
    weight: np.ndarray
    held: np.ndarray  # what is held beside intercept and line: a column each, answers in rows
    cluster: np.ndarray
    clusters: int


class Fit(NamedTuple):
    """A model without the break that is looked for: what takes it out of a regressor, and the residuals."""

    columns: np.ndarray  # answers x terms
    inverse: np.ndarray
    coefficients: np.ndarray
    error: np.ndarray
    rss: float


def cells(frame: pd.DataFrame, *, x: str, y: str, cluster: str | None = None, weight: str | None = None, within: str | None = None, levels: int = LEVELS, near: float | None = None) -> Cells:
    """Return the answers by value of x; more than `levels` distinct ones in as many equal parts, each at its mean, with single values `near` a place."""
    rows = frame[list(dict.fromkeys(name for name in (x, y, cluster, weight, within) if name))].dropna()
    values = pd.to_numeric(rows[x]).to_numpy(float)
    distinct, code = _distinct(values, levels, near)
    w = pd.to_numeric(rows[weight]).to_numpy(float) if weight else np.ones(len(rows))
    groups = pd.get_dummies(rows[within].astype(str), drop_first=True).to_numpy(float) if within and len(rows) else np.empty((len(rows), 0))
    who = pd.factorize(rows[cluster], sort=True)[0] if cluster else np.arange(len(rows))
    return Cells(distinct, code, pd.to_numeric(rows[y]).to_numpy(float), w / w.mean() if len(w) else w, groups, who, int(who.max(initial=-1)) + 1)


def _distinct(values: np.ndarray, levels: int, near: float | None) -> tuple[np.ndarray, np.ndarray]:
    some = values[: 50 * levels]
    distinct, code = np.unique(some, return_inverse=True)
    if len(some) < len(values) and len(distinct) <= levels:
        distinct, code = np.unique(values, return_inverse=True)
    if len(distinct) <= levels:
        return distinct, code
    ranked = np.sort(values)
    edges = ranked[np.linspace(0, len(values) - 1, levels + 1)[1:-1].astype(int)]
    if near is not None:  # a threshold in very many answers lies between two of them
        place = int(np.searchsorted(ranked, near))
        edges = np.concatenate([edges, ranked[max(0, place - levels // 4) : place + levels // 4]])
    code = np.searchsorted(np.unique(edges), values, side="left")
    there = np.bincount(code) > 0
    code = (np.cumsum(there) - 1)[code]
    return np.bincount(code, values) / np.bincount(code), code


def effective(cells: Cells) -> float:
    """Return the effective number of customers: Kish's, of the sums of their weights."""
    sums = np.bincount(cells.cluster, cells.weight) if len(cells.y) else np.zeros(1)
    return float(sums.sum() ** 2 / (sums**2).sum()) if sums.any() else 0.0


def line(cells: Cells) -> np.ndarray:
    """Return the scores centred and over their range, by level: the second term of every fit."""
    return (cells.levels - cells.levels.mean()) / np.ptp(cells.levels)


def fit(cells: Cells, extra: np.ndarray | None = None) -> Fit:
    """Return the weighted line with what is held; `extra` are further terms as functions of the score (levels x terms), held too."""
    parts = [np.ones((len(cells.y), 1)), line(cells)[cells.code][:, None], *([] if extra is None else [extra[cells.code]]), cells.held]
    columns = np.hstack(parts)
    weighted = columns * cells.weight[:, None]
    inverse = np.linalg.pinv(weighted.T @ columns, hermitian=True)
    coefficients = inverse @ (weighted.T @ cells.y)
    error = cells.y - columns @ coefficients
    return Fit(columns, inverse, coefficients, error, float(cells.weight @ error**2))


def taken_out(cells: Cells, fit: Fit, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what regressors (levels x places) are once the model is out of them: their products, their sizes (inf where nothing is left), their coefficients on its terms."""
    k = len(cells.levels)
    weights = np.bincount(cells.code, cells.weight, k)
    crossed = np.column_stack([np.bincount(cells.code, cells.weight * column, k) for column in fit.columns.T]).T @ values
    gram = values.T @ (weights[:, None] * values) - crossed.T @ fit.inverse @ crossed
    size = np.diag(gram)
    whole = weights @ values**2
    return gram, np.where(size > 1e-9 * np.maximum(whole, 1e-300), size, np.inf), fit.inverse @ crossed


def drawn(cells: Cells, error: np.ndarray, fit: Fit, *, replicates: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of residuals with signs drawn by customer: by score (replicates x levels) and by term of the fit (replicates x terms).

    Of more than 20,000 customers the sums are drawn as normal with the same covariance, which they then are.
    """
    from scipy import sparse

    k, rng = len(cells.levels), np.random.default_rng(seed)
    pulled = cells.weight * error
    if cells.clusters == len(pulled) > FLIPPED and not cells.held.shape[1]:  # each answer a customer: the sums are independent
        by_score = rng.normal(size=(replicates, k)) * np.sqrt(np.bincount(cells.code, pulled**2, k))
        return by_score, by_score @ _by_level(cells, fit)
    sums = sparse.coo_array((pulled, (cells.cluster, cells.code)), shape=(cells.clusters, k)).tocsr()
    kept = [column for column in fit.columns.T[fit.columns.shape[1] - cells.held.shape[1] :]] if cells.held.shape[1] else []
    if kept:
        beside = np.column_stack([np.bincount(cells.cluster, pulled * column, cells.clusters) for column in kept])
        sums = sparse.hstack([sums, sparse.csr_array(beside)]).tocsr()
    if cells.clusters <= FLIPPED:
        found, turned = np.empty((replicates, sums.shape[1])), sums.T.tocsr()
        for start in range(0, replicates, 100):
            signs = rng.integers(0, 2, size=(cells.clusters, min(100, replicates - start)), dtype=np.int8) * 2.0 - 1.0
            found[start : start + signs.shape[1]] = (turned @ signs).T
    else:
        roots, axes = np.linalg.eigh((sums.T @ sums).toarray())
        found = rng.normal(size=(replicates, len(roots))) @ (axes * np.sqrt(np.maximum(roots, 0.0))).T
    by_score = found[:, :k]
    functions = _by_level(cells, fit)
    return by_score, np.hstack([by_score @ functions, found[:, k:]])


def _by_level(cells: Cells, fit: Fit) -> np.ndarray:
    """The terms that are functions of the score, by level."""
    first = np.zeros(len(cells.levels), int)
    first[cells.code[::-1]] = np.arange(len(cells.code))[::-1]
    return fit.columns[first, : fit.columns.shape[1] - cells.held.shape[1]]
