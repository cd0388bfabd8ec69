"""Random draws by name: every column of every table has a stream of its own, so that what is added later moves nothing that is there.

A stream is keyed by (seed, table, column). The key is hashed with SHA-256 (not Python's `hash`, which changes from one interpreter to the next) and
seeds a PCG64. Only its raw 64-bit words are used, the one thing numpy promises never to change (NEP 19); uniforms, normals and counts are made from
them here, so that a sample made today is made again after an upgrade.
"""

import hashlib

import numpy as np
from scipy.special import ndtri


def words(key: tuple, n: int) -> np.ndarray:
    """n raw 64-bit words of the stream named by `key`, e.g. (1, "people", "region")."""
    digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
    entropy = np.random.SeedSequence([int.from_bytes(digest[i:i + 4], "big") for i in range(0, 32, 4)])
    return np.atleast_1d(np.random.PCG64(entropy).random_raw(int(n))).astype(np.uint64)


def uniform(key: tuple, *shape: int) -> np.ndarray:
    """Uniforms strictly between 0 and 1, shape as asked."""
    count = int(np.prod(shape)) if shape else 1
    return (((words(key, count) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)


def normal(key: tuple, *shape: int) -> np.ndarray:
    """Standard normals by inversion."""
    return ndtri(uniform(key, *shape))


def pick(key: tuple, n: int, options, shares=None) -> np.ndarray:
    """n of `options`, equally likely or with the given shares."""
    options = np.asarray(options)
    shares = np.full(len(options), 1.0) if shares is None else np.asarray(shares, dtype=float)
    edges = np.cumsum(shares / shares.sum())
    return options[np.minimum(np.searchsorted(edges, uniform(key, n), side="right"), len(options) - 1)]


def whole(key: tuple, n: int, low, high) -> np.ndarray:
    """n whole numbers, low and high included (either may be an array of n)."""
    low, high = np.broadcast_to(low, n), np.broadcast_to(high, n)
    return (low + np.floor(uniform(key, n) * (high - low + 1))).astype(np.int64)


def happens(key: tuple, chance) -> np.ndarray:
    """True with the given chance, one draw for each entry of `chance`."""
    chance = np.asarray(chance, dtype=float)
    return uniform(key, *chance.shape) < chance


def count(key: tuple, rate) -> np.ndarray:
    """Poisson counts by inversion, one for each rate (rates below 30: those of contact moments and purchases)."""
    rate = np.asarray(rate, dtype=float)
    draw, mass = uniform(key, *rate.shape), np.exp(-rate)
    total, counts = mass.copy(), np.zeros(rate.shape, dtype=np.int64)
    for k in range(1, 80):
        above = draw > total
        if not above.any():
            break
        counts += above
        mass = mass * rate / k
        total = total + mass
    return counts
