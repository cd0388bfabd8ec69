"""A satisfaction index of several questions: partial least squares path modelling (as ECSI and ACSI), with unit weights as the fall-back."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.measure.dominance import SMALLEST
from cxlib.measure.moments import one_thread, rao_wu

MOST_STEPS, CLOSE = 500, 1e-12
SCHEMES = ("centroid", "path")


def paths(frame, *, blocks, inner, modes=None, scheme="path", standardised=True, ends=None, gaps="complete", weight=None, strata=None, cluster=None, replicates=0, seed=1):
    """Estimate a path model between constructs that are measured by several questions each (Wold 1982; Tenenhaus et al. 2005, CSDA 48, 159-205).

    in: one row a respondent; `blocks` construct -> its items; `inner` construct -> the constructs it depends on;
    `modes` construct -> "A" (the questions reflect the construct, default) or "B" (they form it); `standardised`: items are brought to equal variance first; `ends` item -> (lowest, highest score), for
    scores; `gaps`: "complete" counts complete rows, "pairwise" takes each covariance from those who answered both (complete rows where these contradict each other: the note says so).
    out: kind (path, weight, loading, r2, total, score), to, from, estimate, std_error, conf_low, conf_high (95 %, percentile bootstrap; empty without replicates), n, note. Weights are those of
    standardised scores; total is the direct effect and all that goes over others; score (with `ends`) is a construct's mean on 0 to 100, as ACSI and ECSI print it (Fornell et al. 1996): the answers between the
    ends of their scales, averaged by the weights of the questions as they were asked, negative ones counting as none: an index must not fall because an answer rises. A bootstrap replicate
    takes the signs of the whole. A note "unit weights" means that the algorithm found no rest, and equal weights stand instead.
    errors: DataError for a construct without items, an inner model that names an unknown construct or goes in a circle, an unknown scheme.
    """
    names, modes = list(blocks), {name: "A" for name in blocks} | dict(modes or {})
    _check(names, blocks, inner, scheme)
    items = [item for name in names for item in blocks[name]]
    x = frame[items].to_numpy(dtype=float)
    w = np.ones(len(x)) if weight is None else frame[weight].to_numpy(dtype=float)
    whole = np.isfinite(x).all(axis=1) & (w > 0)
    rows, note = np.flatnonzero(whole if gaps == "complete" else np.isfinite(x).any(axis=1) & (w > 0)), ""
    if len(rows) > whole.sum() and not _definite(_moments(x[rows], w[rows])[0]):
        rows, note = np.flatnonzero(whole), f"only the {whole.sum()} complete answers: the pairwise correlations contradict each other"
    x, w = x[rows], w[rows]
    model = _Model(names, blocks, inner, modes, scheme, standardised, ends)
    out = pd.DataFrame(model.keys(), columns=["kind", "to", "from"]).assign(estimate=np.nan, std_error=np.nan, conf_low=np.nan, conf_high=np.nan, n=len(x), note="")
    answered = np.isfinite(x).sum(axis=0)
    still = [item for item, count, column in zip(items, answered, x.T) if count and np.ptp(column[np.isfinite(column)]) == 0]
    if not len(x) or answered.min() <= len(items) + 1 or still:
        least = answered.min() if len(x) else 0
        reason = f"no variation in {', '.join(still)}" if still else f"{least} {'complete ' if gaps == 'complete' else ''}answers for {len(items)} questions"
        return out.assign(note=f"not estimable ({reason})")
    point, said = model.estimate(x, w)
    out["estimate"], out["note"] = point, "; ".join(one for one in (said, note) if one)
    if replicates:
        pick = lambda name: None if name is None else frame[name].astype(str).to_numpy()[rows]
        factor, draws = rao_wu(len(x), replicates, seed=seed, strata=pick(strata), cluster=pick(cluster))
        with one_thread():
            many = np.array([model.estimate(x, own * factor * w, point)[0] for block in draws for own in block])
        out["std_error"] = np.nanstd(many, axis=0, ddof=1)
        out["conf_low"], out["conf_high"] = np.nanquantile(many, [0.025, 0.975], axis=0)
    return out


def effects(found):
    """Add direct and indirect effects up: out: to, from, direct, indirect, total, of the path estimates that `paths` returns."""
    own = found[found["kind"] == "path"]
    names = list(dict.fromkeys([*own["from"], *own["to"]]))
    direct = pd.DataFrame(0.0, index=names, columns=names)
    for row in own.itertuples():
        direct.loc[row.to, row[3]] = row.estimate
    total = pd.DataFrame(np.linalg.inv(np.eye(len(names)) - direct.to_numpy()) - np.eye(len(names)), index=names, columns=names)
    return pd.DataFrame([(to, source, direct.loc[to, source], total.loc[to, source] - direct.loc[to, source], total.loc[to, source]) for source in names for to in names if abs(total.loc[to, source]) > 0],
                        columns=["to", "from", "direct", "indirect", "total"])  # fmt: skip


def _check(names, blocks, inner, scheme):
    if scheme not in SCHEMES:
        raise DataError(f"'{scheme}' is no scheme of a path model; known: {', '.join(SCHEMES)}.")
    for name in names:
        if not len(blocks[name]):
            raise DataError(f"The construct '{name}' has no questions; name at least one.")
    for to, sources in inner.items():
        for name in (to, *sources):
            if name not in names:
                raise DataError(f"The inner model names '{name}', which has no block of questions.")
    waiting = {to: set(sources) for to, sources in inner.items()}
    while waiting:
        ready = [to for to, sources in waiting.items() if not sources & set(waiting)]
        if not ready:
            raise DataError(f"The inner model goes in a circle: {', '.join(waiting)}; a construct cannot depend on itself.")
        for to in ready:
            del waiting[to]


def _moments(x, w):
    """Weighted covariances of the items, their means and their standard deviations (divisor n), pair by pair where answers are missing."""
    there = np.isfinite(x)
    if there.all():
        mean = w @ x / w.sum()
        z = x - mean
        cross = (z * w[:, None]).T @ z / w.sum()
        return cross, mean, np.sqrt(np.diag(cross))
    centre = np.nanmean(x, axis=0)
    z, mask = np.where(there, x - centre, 0.0), there.astype(float)
    weighted = z * w[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        n = (mask * w[:, None]).T @ mask
        mean, square = weighted.T @ mask / n, (weighted * z).T @ mask / n
        cross, spread = weighted.T @ z / n - mean * mean.T, np.sqrt(np.maximum(square - mean**2, 0))
        own = np.diag(spread)
        return cross / (spread * spread.T) * np.outer(own, own), centre + np.diag(mean), own


def _definite(cross):
    spread = np.sqrt(np.diag(cross))
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = cross / np.outer(spread, spread)
    return bool(np.isfinite(matrix).all() and np.linalg.eigvalsh(matrix)[0] > SMALLEST)


class _Model:
    """The model as index arrays: the whole algorithm runs on the items' covariances, so that rows cost nothing more."""

    def __init__(self, names, blocks, inner, modes, scheme, standardised, ends):
        self.names, self.blocks, self.inner, self.scheme, self.standardised = names, blocks, inner, scheme, standardised
        self.ends = None if ends is None else np.array([ends[item] for name in names for item in blocks[name]], dtype=float).T
        ends = np.cumsum([0, *(len(blocks[name]) for name in names)])
        self.part = {name: slice(a, b) for name, a, b in zip(names, ends[:-1], ends[1:])}
        self.modes, self.size = modes, ends[-1]
        place = {name: j for j, name in enumerate(names)}
        self.before = [[place[source] for source in inner.get(name, ())] for name in names]
        self.after = [[j for j, sources in enumerate(self.before) if place[name] in sources] for name in names]
        leads = np.zeros((len(names),) * 2)
        for j, sources in enumerate(self.before):
            leads[j, sources] = 1
        self.routes = np.argwhere(np.linalg.inv(np.eye(len(names)) - leads) - np.eye(len(names)) > 0.5)  # (to, from) that any way leads between

    def keys(self):
        """Return kind, to and from of each estimate, in order."""
        names, blocks = self.names, self.blocks
        found = [("path", to, names[j]) for to, sources in zip(names, self.before) for j in sources]
        found += [(kind, item, name) for kind in ("weight", "loading") for name in names for item in blocks[name]] + [("r2", to, "") for to, sources in zip(names, self.before) if sources]
        return found + [("total", names[to], names[source]) for to, source in self.routes] + [("score", name, "") for name in names if self.ends is not None]

    def estimate(self, x, w, like=None):
        """Return the estimates in the order of `keys` and a note, from answers and weights; with `like`, such estimates, the signs of each construct follow it."""
        cross, mean, spread = _moments(x, w)
        found, note = self.fit(cross, None if like is None else like[: self._length()])
        paths = sum(map(len, self.before))
        direct = np.zeros((len(self.names),) * 2)
        for (j, source), slope in zip(((j, source) for j, sources in enumerate(self.before) for source in sources), found[:paths]):
            direct[j, source] = slope
        total = np.linalg.inv(np.eye(len(direct)) - direct) if np.isfinite(direct).all() else np.full_like(direct, np.nan)
        return np.concatenate([found, total[tuple(self.routes.T)], self._levels(found[paths : paths + self.size], mean, spread)]), note

    def _levels(self, outer, mean, spread):
        if self.ends is None:
            return np.zeros(0)
        low, high = self.ends
        own = np.maximum(outer * (high - low) / (spread if self.standardised else 1.0), 0)  # weights of answers brought to 0 to 100
        stands = 100 * (mean - low) / (high - low)
        return np.array([own[part] @ stands[part] / own[part].sum() if own[part].sum() > 0 else stands[part].mean() for part in self.part.values()])

    def fit(self, cross, like):
        """Return the estimates in the order of `paths` and a note, from covariances; with `like` the signs of each construct follow it."""
        spread = np.sqrt(np.diag(cross))
        if not (spread > 0).all():
            return np.full(self._length(), np.nan), "not estimable (no variation)"
        s = cross / np.outer(spread, spread) if self.standardised else cross
        weights, note = self._weights(s)
        scores = weights.T @ s @ weights
        loadings = np.concatenate([(s[self.part[name]] @ weights[:, j]) / np.sqrt(np.diag(s))[self.part[name]] for j, name in enumerate(self.names)])
        outer = np.concatenate([weights[self.part[name], j] for j, name in enumerate(self.names)])
        turned = np.array([1.0 if loadings[self.part[name]].sum() >= 0 else -1.0 for name in self.names])
        if like is not None:
            base = np.asarray(like)[self._length() - sum(bool(b) for b in self.before) - self.size :][: self.size]
            turned = np.array([1.0 if loadings[self.part[name]] @ base[self.part[name]] >= 0 else -1.0 for name in self.names])
        scores = scores * np.outer(turned, turned)
        for j, name in enumerate(self.names):
            outer[self.part[name]] *= turned[j]
            loadings[self.part[name]] *= turned[j]
        slopes, fits = [], []
        for j, sources in enumerate(self.before):
            if sources:
                own = np.linalg.solve(scores[np.ix_(sources, sources)], scores[sources, j])
                slopes.extend(own)
                fits.append(own @ scores[sources, j])
        return np.concatenate([slopes, outer, loadings, fits]), note

    def _length(self):
        return sum(map(len, self.before)) + 2 * self.size + sum(bool(b) for b in self.before)

    def _start(self, s):
        weights = np.zeros((self.size, len(self.names)))
        for j, name in enumerate(self.names):
            weights[self.part[name], j] = 1.0
        return self._scaled(weights, s)

    def _scaled(self, weights, s):
        return weights / np.sqrt(np.einsum("ij,ik,kj->j", weights, s, weights))

    def _weights(self, s):
        weights = self._start(s)
        for _ in range(MOST_STEPS):
            scores = weights.T @ s @ weights
            links = self._links(scores)
            pull = s @ weights @ links  # covariances of the items with the inner proxies
            new = np.zeros_like(weights)
            for j, name in enumerate(self.names):
                own = self.part[name]
                new[own, j] = pull[own, j] if self.modes[name] == "A" else np.linalg.solve(s[own, own], pull[own, j])
                if not np.any(new[own, j]):
                    new[own, j] = 1.0
            new = self._scaled(new, s)
            moved = np.max(np.abs(np.abs(new) - np.abs(weights)))
            weights = new
            if moved < CLOSE:
                return weights, ""
        return self._start(s), "unit weights"

    def _links(self, scores):
        links = np.zeros_like(scores)
        for j in range(len(self.names)):
            near = self.before[j] + self.after[j]
            if self.scheme == "centroid":
                links[near, j] = np.sign(scores[near, j])
                continue
            links[self.after[j], j] = scores[self.after[j], j]
            if self.before[j]:
                links[self.before[j], j] = np.linalg.solve(scores[np.ix_(self.before[j], self.before[j])], scores[self.before[j], j])
        return links
