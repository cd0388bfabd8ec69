"""A satisfaction index of several questions: partial least squares path modelling (as ECSI and ACSI), with unit weights as the fall-back."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.measure.moments import one_thread, rao_wu

MOST_STEPS, CLOSE = 500, 1e-12
SCHEMES = ("centroid", "path")


def paths(frame, *, blocks, inner, modes=None, scheme="path", standardised=True, weight=None, strata=None, cluster=None, replicates=0, seed=1):
    """Estimate a path model between constructs that are measured by several questions each (Wold 1982; Tenenhaus et al. 2005, CSDA 48, 159-205).

    in: one row a respondent, complete rows count; `blocks` construct -> its items; `inner` construct -> the constructs it depends on;
    `modes` construct -> "A" (the questions reflect the construct, default) or "B" (they form it); `standardised`: items are brought to equal variance first.
    out: kind (path, weight, loading, r2), to, from, estimate, std_error, conf_low, conf_high (95 %, percentile bootstrap; empty without replicates), n, note. Weights are those of
    standardised scores; a bootstrap replicate takes the signs of the whole. A note "unit weights" means that the algorithm found no rest or a block no
    variation, and equal weights stand instead.
    errors: DataError for a construct without items, an inner model that names an unknown construct or goes in a circle, an unknown scheme.
    """
    names, modes = list(blocks), {name: "A" for name in blocks} | dict(modes or {})
    _check(names, blocks, inner, scheme)
    items = [item for name in names for item in blocks[name]]
    x = frame[items].to_numpy(dtype=float)
    w = np.ones(len(x)) if weight is None else frame[weight].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(x).all(axis=1) & (w > 0))
    x, w = x[rows], w[rows]
    keys = [("path", to, source) for to in names for source in inner.get(to, ())]
    keys += [(kind, item, name) for kind in ("weight", "loading") for name in names for item in blocks[name]] + [("r2", to, "") for to in names if inner.get(to)]
    out = pd.DataFrame(keys, columns=["kind", "to", "from"]).assign(estimate=np.nan, std_error=np.nan, conf_low=np.nan, conf_high=np.nan, n=len(x), note="")
    if len(x) <= len(items) + 1 or (x.std(axis=0) == 0).any():
        still = [item for item, spread in zip(items, x.std(axis=0)) if spread == 0] if len(x) else []
        reason = f"no variation in {', '.join(still)}" if still else f"{len(x)} complete answers for {len(items)} questions"
        return out.assign(note=f"not estimable ({reason})")
    model = _Model(names, blocks, inner, modes, scheme, standardised)
    point, note = model.fit(_cross(x, w, len(x)), None)
    out["estimate"], out["note"] = point, note
    if replicates:
        pick = lambda name: None if name is None else frame[name].astype(str).to_numpy()[rows]
        factor, draws = rao_wu(len(x), replicates, seed=seed, strata=pick(strata), cluster=pick(cluster))
        with one_thread():
            many = np.array([model.fit(_cross(x, own * factor * w, len(x)), point)[0] for block in draws for own in block])
        out["std_error"] = np.nanstd(many, axis=0, ddof=1)
        out["conf_low"], out["conf_high"] = np.nanquantile(many, [0.025, 0.975], axis=0)
    return out


def scores(frame, *, blocks, found, low, high):
    """Return each respondent's construct scores on 0 to 100, as ACSI and ECSI print them (Fornell et al. 1996): weighted means of the answers between the scale's ends.

    in: what `paths` returns as `found`; the ends of the scale. Negative weights count as none: an index must not fall because an answer rises.
    out: one column a construct, missing where any of its answers is.
    """
    weights = found[found["kind"] == "weight"].set_index("to")["estimate"].clip(lower=0)
    made = {}
    for name, items in blocks.items():
        own = weights[list(items)] if np.isfinite(weights[list(items)]).all() and weights[list(items)].sum() > 0 else pd.Series(1.0, index=list(items))
        made[name] = (100 * (frame[list(items)] @ (own / own.sum()) - low) / (high - low)).clip(0, 100)
    return pd.DataFrame(made, index=frame.index)


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


def _cross(x, w, n):
    """Weighted covariances of the items, divisor n."""
    z = x - w @ x / w.sum()
    return (z * w[:, None]).T @ z / w.sum()


class _Model:
    """The model as index arrays: the whole algorithm runs on the items' covariances, so that rows cost nothing more."""

    def __init__(self, names, blocks, inner, modes, scheme, standardised):
        self.names, self.inner, self.scheme, self.standardised = names, inner, scheme, standardised
        ends = np.cumsum([0, *(len(blocks[name]) for name in names)])
        self.part = {name: slice(a, b) for name, a, b in zip(names, ends[:-1], ends[1:])}
        self.modes, self.size = modes, ends[-1]
        place = {name: j for j, name in enumerate(names)}
        self.before = [[place[source] for source in inner.get(name, ())] for name in names]
        self.after = [[j for j, sources in enumerate(self.before) if place[name] in sources] for name in names]

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
