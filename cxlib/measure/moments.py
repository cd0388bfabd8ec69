"""Weighted cross-products of ratings: correlations from rows, and new ones for every bootstrap replicate."""

from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from cxlib.errors import DataError
from cxlib.load import weighting

GRAIN = 2.0**16  # weights of replicates are whole multiples of 1/65,536, so that sums of ratings are exact whatever the number of threads
LARGE, BLOCKS = 20_000, 4_000  # rows from which replicates draw random blocks of rows instead of rows, and how many blocks
EXACT = 2**24  # single precision holds whole numbers up to here: as many products of scores are added at once
NEAR = 1000.0  # squared means that many times the variance cost three digits of sixteen where columns are not centred first
SUSPICIOUS = 0.7  # correlation with the KPI from which a driver is looked at: even a yes or no cut from a score of eleven steps reaches it
BLOCK = 20_000_000  # numbers held at once: 160 MB


class Answers:
    """The answers as arrays: columns are the drivers and then the KPI, moved by a whole number so that sums of ratings stay exact.

    Rows without the KPI or without any driver are left out. Missing ratings are left out pair by pair.
    """

    def __init__(self, frame, kpi, drivers, weight=None, value=None):
        columns = [*drivers, kpi]
        raw = (frame if frame.columns.tolist() == columns else frame[columns]).to_numpy(dtype=float)  # all columns in their order: nothing is copied
        total = raw.sum(axis=0)
        full = bool(np.isfinite(total).all())  # a gap anywhere shows in the sum
        self.rows, self.mask = np.arange(len(raw)), np.broadcast_to(True, raw.shape) if full else np.isfinite(raw)
        self.plain = weight is None
        self.weight = np.ones(len(raw)) if self.plain else frame[weight].to_numpy(dtype=float)
        self.every = self.weight  # also of those who did not answer: margins are those of the whole wave
        if not full:
            use = self.mask[:, -1] & self.mask[:, :-1].any(axis=1)
            self.rows, raw, self.mask, self.weight = np.flatnonzero(use), raw[use], self.mask[use], self.weight[use]
        if not self.plain and not (self.weight >= 0).all():
            row = int(np.flatnonzero(~(self.weight >= 0))[0])
            raise DataError(f"Column '{weight}', row {self.rows[row]}: the weight {self.weight[row]} is not a number of at least 0; quarantine the row or give it a weight.")
        self.complete, self.raw = full or bool(self.mask.all()), raw
        self.total = total if full else np.where(self.mask, raw, 0).sum(axis=0)
        self.centre = np.rint(self.total / (max(len(raw), 1) if self.complete else np.maximum(self.mask.sum(axis=0), 1)))
        # what counts as performance, driver by driver: the rating itself, or its value under a definition
        self.value = None if value is None else np.where(self.mask, value(raw), 0.0)[:, :-1]

    @cached_property
    def z(self):
        """The answers less a whole number a column, so that sums of ratings stay exact; 0 where there is none."""
        return self.raw - self.centre if self.complete else np.where(self.mask, self.raw - self.centre, 0.0)

    def only(self, rows):
        """Keep some rows (listwise deletion)."""
        for name in ("z", "rows", "weight", "mask", "raw", "value"):
            setattr(self, name, None if getattr(self, name) is None else getattr(self, name)[rows])
        self.complete = bool(self.mask.all())
        self.total = self.raw.sum(axis=0)

    def influence(self, a, b):
        """Return what each row adds to the correlation of two columns (its influence): w (za zb - r (za^2 + zb^2)/2) / sum of w, among those who answered both."""
        both = self.weight * self.mask[:, a] * self.mask[:, b]
        total = both.sum()
        z = [self.z[:, k] - both @ self.z[:, k] / total for k in (a, b)]
        z = [part / np.sqrt(both @ part**2 / total) for part in z]
        r = (both * z[0]) @ z[1] / total
        return both * (z[0] * z[1] - r * (z[0] ** 2 + z[1] ** 2) / 2) / total

    def recoded(self, matrix):
        """Return the drivers that follow from the KPI without exception, or the KPI from them: a score in other steps is no driver of itself."""
        found = []
        for j in np.flatnonzero(np.abs(matrix[:-1, -1]) > SUSPICIOUS):
            both = self.mask[:, j] & self.mask[:, -1] & (self.weight > 0)
            if both.sum() < 20:
                continue
            pair = [np.unique(self.z[both, k], return_inverse=True)[1] for k in (j, -1)]
            kinds = len(np.unique(pair[0] * (pair[1].max() + 1) + pair[1]))
            if kinds in (pair[0].max() + 1, pair[1].max() + 1) and 2 * kinds < both.sum():
                found.append(int(j))
        return found

    def bases(self):
        """Return n and n_eff of each driver."""
        if self.complete:
            p, n, total = self.raw.shape[1] - 1, len(self.raw), self.weight.sum()
            return np.full(p, n), np.full(p, float(n) if self.plain else total**2 / (self.weight**2).sum() if total > 0 else 0.0)
        weight = self.weight[:, None] * self.mask[:, :-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            kish = weight.sum(axis=0) ** 2 / (weight**2).sum(axis=0)
        return self.mask[:, :-1].sum(axis=0), np.where(np.isfinite(kish), kish, 0.0)

    def point(self):
        """Return the correlation matrix, the mean performance and the KPI's spread over each driver's, of the answers as they are."""
        if self.complete and self.plain and self.value is None and len(self.raw):  # in one pass, where the mean is not so far from nothing that digits are lost
            n = len(self.raw)
            with one_thread():
                cross = self.raw.T @ self.raw
            if (self.total**2 <= NEAR * (n * cross.diagonal() - self.total**2)).all():
                mean = self.total / n
                matrix, spread = _correlations((cross / n - mean[:, None] * mean)[None])
                return matrix[0], mean[:-1], spread[0]
        (i, j), z, w = _pairs(self.raw.shape[1]), self.z, self.weight
        weighted = z if self.plain else z * w[:, None]
        with one_thread():
            if self.complete:
                parts = [[w.sum()], w @ z, (weighted.T @ z)[i, j]]
            else:
                mask = self.mask.astype(float)
                parts = [((mask * w[:, None]).T @ mask)[i, j], (weighted.T @ mask).ravel(), ((weighted * z).T @ mask).ravel(), (weighted.T @ z)[i, j]]
            if self.value is not None:
                parts.append(w @ self.value)
        return tuple(part[0] for part in self._finish(np.concatenate(parts)[None]))

    def _products(self, rows):
        """Return the products of these rows whose weighted sums give every mean and correlation."""
        z, (i, j) = self.z[rows], _pairs(self.z.shape[1])
        value = [] if self.value is None else [self.value[rows]]
        if self.complete:
            return np.column_stack([np.ones(len(z)), z, z[:, i] * z[:, j], *value])
        mask = self.mask[rows].astype(float)
        a, b = (index.ravel() for index in np.indices((z.shape[1],) * 2))
        return np.column_stack([mask[:, i] * mask[:, j], z[:, a] * mask[:, b], z[:, a] ** 2 * mask[:, b], z[:, i] * z[:, j], *value])

    def _finish(self, sums):
        """Return stacks of weighted (pairwise) correlation matrices, of the drivers' mean performance, and of the KPI's spread over theirs, from sums of products (of answers less their centre)."""
        d = self.raw.shape[1]
        i, j = _pairs(d)
        t, square = len(i), d * d
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.complete:
                answered, mean = sums[:, :1], sums[:, 1 : d + 1] / sums[:, :1]
                own, variance, cross = mean[:, :-1], None, _mirror(sums[:, d + 1 : d + 1 + t], i, j, d) / answered[:, :, None] - mean[:, :, None] * mean[:, None, :]
            else:
                n = _mirror(sums[:, :t], i, j, d)
                mean, second = (sums[:, t + k * square : t + (k + 1) * square].reshape(-1, d, d) / n for k in (0, 1))
                cross = _mirror(sums[:, t + 2 * square : 2 * t + 2 * square], i, j, d) / n - mean * mean.transpose(0, 2, 1)
                variance = second - mean**2  # of the row's variable among those who also answered the column's
                answered, own = (np.diagonal(part, axis1=1, axis2=2)[:, :-1] for part in (n, mean))
            matrix, spread = _correlations(cross, variance)
            return matrix, own + self.centre[:-1] if self.value is None else sums[:, 1 - d :] / answered, spread

    def replicates(self, count, *, seed, strata=None, cluster=None, margins=()):
        """Return `count` bootstrap stacks of what `point` returns; `strata`, `cluster` and each of the `margins` are arrays over the frame's rows.

        With margins all rows of the frame are drawn and every replicate is raked again; else only those with answers, and weights are taken as fixed.
        """
        if len(margins):
            return self._raked(count, seed, strata, cluster, margins)
        pick = lambda column: None if column is None else column[self.rows]
        if len(self.rows) > LARGE:
            return self._by_blocks(count, seed, pick(strata), pick(cluster))
        factor, draws = rao_wu(len(self.rows), count, seed=seed, strata=pick(strata), cluster=pick(cluster))
        weight, parts = np.round(self.weight / self.weight.mean() * factor * GRAIN) / GRAIN, []
        for times in draws:
            counts = times * weight
            with one_thread():
                parts.append(self._finish(sum(counts[:, rows] @ self._products(rows) for rows in self._blocks())))
        return tuple(np.concatenate(part) for part in zip(*parts))

    def _raked(self, count, seed, strata, cluster, margins):
        """Draw rows of the whole wave, rake each replicate to the margins that the weights have, and add up those who answered."""
        factor, draws = rao_wu(len(self.every), count, seed=seed, strata=strata, cluster=cluster)
        weight, rake, parts = self.every / self.every.mean(), weighting.Again(self.every, margins), []
        for times in draws:
            counts = np.round(rake(times * (factor * weight)) * GRAIN)[:, self.rows] / GRAIN
            with one_thread():
                parts.append(self._finish(sum(counts[:, rows] @ self._products(rows) for rows in self._blocks())))
        return tuple(np.concatenate(part) for part in zip(*parts))

    def _by_blocks(self, count, seed, strata, cluster):
        """Draw random blocks of units instead of units: with thousands of blocks the same distribution, at a cost that hardly grows with the rows.

        A block of units drawn at random is a primary unit of the same design: its sum has the units' variance, estimated with as many degrees of
        freedom as there are blocks (random groups; Wolter 2007, ch. 2).
        """
        unit = np.arange(len(self.rows)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
        first = np.unique(unit, return_index=True)[1]
        stratum = np.zeros(len(first), dtype=int) if strata is None else np.unique(strata[first], return_inverse=True)[1]
        rng, block, of = np.random.default_rng(seed), np.empty(len(first), dtype=int), []
        for h in range(stratum.max() + 1):
            own = rng.permutation(np.flatnonzero(stratum == h))
            groups = min(len(own), max(50, round(BLOCKS * len(own) / len(first))))
            block[own] = len(of) + np.arange(len(own)) % groups
            of += [h] * groups
        block = block[unit]
        order = np.argsort(block, kind="stable")
        weight = (np.round(self.weight / self.weight.mean() * GRAIN) / GRAIN)[order]
        ends = np.searchsorted(block[order], np.arange(len(of) + 1))
        value = None if self.value is None else self.value[order]
        with one_thread():
            sums = np.array([self._summed(self.z[order[a:b]], self.mask[order[a:b]], weight[a:b], None if value is None else value[a:b]) for a, b in pairwise(ends)])
        factor, draws = rao_wu(len(of), count, seed=seed + 1, strata=np.array(of))
        with one_thread():
            return tuple(np.concatenate(part) for part in zip(*(self._finish((times * factor) @ sums) for times in draws)))

    def _summed(self, z, mask, w, value):
        """Return the weighted sums of what `_products` returns, by matrix products."""
        i, j = _pairs(z.shape[1])
        turned, rated = (z * w[:, None]).T, [] if value is None else [w @ value]
        if self.complete:
            return np.concatenate([[w.sum()], w @ z, (turned @ z)[i, j], *rated])
        mask = mask.astype(float)
        parts = [((mask * w[:, None]).T @ mask)[i, j], (turned @ mask).ravel(), ((turned * z.T) @ mask).ravel(), (turned @ z)[i, j]]
        return np.concatenate([*parts, *rated])

    def by_chance(self, column, count, rng):
        """Return what `shuffled` would, from its limit for many rows: normal around nothing with the covariance that shuffling has."""
        scaled = self._standard() * self.weight[:, None] / np.maximum((self.weight[:, None] * self.mask).sum(axis=0), 1e-300)
        cover = np.einsum("ij,ik->jk", scaled, scaled) / max(self.mask[:, column].mean(), 1e-12)
        values, vectors = np.linalg.eigh(cover)
        out = np.clip(rng.normal(size=(count, len(values))) @ (vectors * np.sqrt(np.maximum(values, 0))).T, -1, 1)
        out[:, column] = 1.0
        return out

    def flipped(self, column, cluster, count, rng):
        """Return the column's correlations with all others when all that a cluster adds to them changes sign or not, by chance: (count, columns).

        Ratings that hang together within clusters cannot be handed out to other rows. Where the column goes with nothing, what a cluster adds is as
        likely as its opposite, whatever happens within (score bootstrap: Kline and Santos 2012, J. Econometric Methods 1, 23-41; sign flips: Hemerik,
        Goeman and Finos 2020, JRSS B 82, 841-864). `cluster` is an array over the frame's rows.
        """
        z, both = self._standard(), self.mask & self.mask[:, [column]]
        own = np.where(both, self.weight[:, None] * z * z[:, [column]], 0.0) / np.maximum((self.weight[:, None] * both).sum(axis=0), 1e-300)
        code, size = np.unique(cluster[self.rows], return_inverse=True)[1], len(np.unique(cluster[self.rows]))
        added = np.stack([np.bincount(code, weights=part, minlength=size) for part in own.T], axis=1) * np.sqrt(size / max(size - 1, 1))
        step, parts = max(1, BLOCK // size), []
        for start in range(0, count, step):
            with one_thread():
                parts.append(np.clip((2.0 * rng.integers(0, 2, size=(min(step, count - start), size)) - 1) @ added, -1, 1))
        out = np.concatenate(parts)
        out[:, column] = 1.0
        return out

    def _standard(self):
        """Return every column with mean 0 and spread 1 among those who answered it, and 0 where they did not."""
        with np.errstate(invalid="ignore", divide="ignore"):
            w = self.weight[:, None] * self.mask
            total = w.sum(axis=0)
            z = np.where(self.mask, self.z - (w * self.z).sum(axis=0) / total, 0.0)
            z = z / np.sqrt((w * z**2).sum(axis=0) / total)
        return np.where(np.isfinite(z), z, 0.0)

    def shuffled(self, column, orders):
        """Return the column's correlations with all others when its ratings are handed out to other rows: (orders, columns)."""
        z, mask, w = self.z[:, column][orders], self.mask[:, column][orders].astype(float), self.weight[:, None]
        others = [w * self.mask, w * self.z, w * self.z**2]
        with np.errstate(invalid="ignore", divide="ignore"), one_thread():
            n = mask @ others[0]
            mean, second, own, square, cross = mask @ others[1] / n, mask @ others[2] / n, z @ others[0] / n, z**2 @ others[0] / n, z @ others[1] / n
            scale = (second - mean**2) * (square - own**2)
            out = np.clip((cross - mean * own) / np.sqrt(np.where(scale > 1e-24, scale, np.nan)), -1, 1)
        out[:, column] = 1.0
        return out

    def _blocks(self):
        """Return slices of rows whose products fit into a block."""
        d = self.z.shape[1]
        width = 1 + 2 * d + d * (d + 1) // 2 if self.complete else d * (3 * d + 2)
        step = max(1, BLOCK // width)
        return [slice(start, start + step) for start in range(0, max(len(self.z), 1), step)]


def rao_wu(rows, count, *, seed, strata=None, cluster=None):
    """Return the design's factor of each row, and blocks of (replicates, rows) that say how often each was drawn.

    Rao and Wu 1988: within each stratum n_h - 1 of its n_h units are drawn with replacement and weighted n_h/(n_h - 1); units are clusters
    where given, else rows. A stratum of a single unit stays as it is and adds no variance.
    """
    unit = np.arange(rows) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    first = np.unique(unit, return_index=True)[1]
    stratum = np.zeros(len(first), dtype=int) if strata is None else np.unique(strata[first], return_inverse=True)[1]
    members = [np.flatnonzero(stratum == h) for h in range(stratum.max() + 1)]
    factor = np.array([len(m) / max(len(m) - 1, 1) for m in members])[stratum][unit]
    return factor, _drawn(unit, cluster is None, members, count, np.random.default_rng(seed))


def _drawn(unit, own, members, count, rng):
    units = sum(map(len, members))
    step = max(1, min(count, BLOCK // 4 // units))
    for start in range(0, count, step):
        size = min(step, count - start)
        drawn = np.ones((size, units))
        for m in members:
            if len(m) > 1:
                draws = rng.integers(0, len(m), size=(size, len(m) - 1)) + np.arange(size)[:, None] * len(m)
                drawn[:, m] = np.bincount(draws.ravel(), minlength=size * len(m)).reshape(size, len(m))
        yield drawn if own else drawn[:, unit]


def one_thread():
    """Let the matrix products run on one thread: two would add in another order, and the same input would not give the same bytes."""
    return _threads().limit(limits=1, user_api="blas")


@cache
def _threads():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def _pairs(d):
    """Row and column of each place of the upper triangle."""
    return np.triu_indices(d)


def _correlations(cross, variance=None):
    """Correlation matrices and the last one's spread over each other's, from covariances (and the variances that go with each pair where answers are missing)."""
    variance = np.diagonal(cross, axis1=1, axis2=2)[:, :, None] if variance is None else variance
    scale = np.sqrt(np.where(variance > 1e-12, variance, np.nan))
    spread = np.diagonal(np.broadcast_to(scale, cross.shape), axis1=1, axis2=2)
    return np.clip(cross / (scale * scale.transpose(0, 2, 1)), -1, 1), spread[:, -1:] / spread[:, :-1]


def _mirror(part, i, j, d):
    out = np.empty((len(part), d, d))
    out[:, i, j] = part
    out[:, j, i] = part
    return out


def products(batches, *, columns):
    """Add up what correlations need over batches of an engine (Arrow record batches): n, sums (columns) and products (columns x columns) of rows without a gap.

    The engine reads, and the matrix product runs on each batch, so that any number of rows costs little more than reading them. Whole numbers up to 250 are
    summed exactly.
    """
    n, sums, cross = 0, np.zeros(len(columns)), np.zeros((len(columns),) * 2)
    for batch in batches:
        there, arrays = None, []
        for name in columns:
            column = batch.column(name)
            if column.null_count:
                valid = column.is_valid().to_numpy(zero_copy_only=False)
                there = valid if there is None else there & valid
                column = column.fill_null(0)
            arrays.append(column.to_numpy(zero_copy_only=False))
        most = max((float(max(array.max(), -array.min())) for array in arrays if len(array)), default=1.0)
        piece = int(np.clip(EXACT // max(most, 1.0) ** 2, 256, 32_768))
        for start in range(0, batch.num_rows, piece):
            stack = np.empty((len(columns) + 1, min(piece, batch.num_rows - start)), dtype=np.float32)
            stack[0] = 1
            for k, array in enumerate(arrays):
                stack[k + 1] = array[start : start + piece]
            if there is not None:
                stack *= there[start : start + piece]
            with one_thread():
                made = (stack @ stack.T).astype(float)
            n, sums, cross = n + int(made[0, 0]), sums + made[0, 1:], cross + made[1:, 1:]
    return n, sums, cross
