"""Keyed hashes of the keys of persons: the same persons answer again and again, so that a key that was hashed is looked up."""

import hashlib
from collections import deque
from functools import lru_cache

import numpy as np

from cxlib.load.readers import raw

AT_ONCE = 512  # keys hashed at a time: their states stay near
WIDTH = 40  # bytes by which a key is remembered, the first of which is its length; longer ones are not
MOST = 500_000  # keys that are remembered
_ODD = np.array([0x9E3779B97F4A7C15**power % 2**64 for power in range(1, WIDTH // 8 + 2)], np.uint64)  # what Fibonacci hashing multiplies by


def of(keys: list[bytes], secret: bytes) -> bytes:
    """Return the first 80 bits of the keyed BLAKE2s (RFC 7693, under the SHA-256 of the secret) of each key, one behind the other: the secret is taken in once, and the state copied for each key."""
    begun, made = hashlib.blake2s(key=hashlib.sha256(secret).digest(), digest_size=10), []
    copied, update, digest = begun.copy, type(begun).update, type(begun).digest
    for start in range(0, len(keys), AT_ONCE):
        own = keys[start : start + AT_ONCE]
        states = [copied() for _ in own]
        deque(map(update, states, own), maxlen=0)
        made.extend(map(digest, states))
    return b"".join(made)


@lru_cache(maxsize=1)
def remembered(secret: bytes) -> "Remembered":
    """Return the hashes made under a secret so far."""
    return Remembered(secret)


class Remembered:
    """Calling it returns the hashes of keys (`of`), as rows of ten bytes. Keys stand in a table by their own bytes, so that two never share a hash."""

    def __init__(self, secret: bytes):
        self.secret, self.count = secret, 0
        self.places, self.keys, self.hashes = np.full(1 << 12, -1, np.int32), np.zeros((WIDTH // 8, 1 << 11), np.uint64), np.empty((1 << 11, 10), np.uint8)

    def __call__(self, keys) -> np.ndarray:
        """`keys` is an Arrow array of large binaries without missing ones."""
        import pyarrow as pa

        ends, signs = raw.signs(keys)
        sizes = np.diff(ends)
        if sizes.max(initial=0) >= WIDTH:
            return np.frombuffer(of(keys.to_pylist(), self.secret), np.uint8).reshape(-1, 10)
        words = _words(ends[:-1], sizes, signs)
        slots = _slots(words, len(self.places))
        known = self._found(words, slots)
        new = known < 0
        hashes = self.hashes.take(known, axis=0, mode="clip")
        if new.any():
            hashes[new] = made = np.frombuffer(of(keys.filter(pa.array(new)).to_pylist(), self.secret), np.uint8).reshape(-1, 10)
            self._remember(words[:, new], made, slots[new])
        return hashes

    def _found(self, words: np.ndarray, slots: np.ndarray) -> np.ndarray:
        """Return where keys stand in the table, -1 where one does not."""
        found = self.places.take(slots)
        left = np.flatnonzero((found >= 0) & ~self._same(found, words))
        slots = slots[left]
        while len(left):  # another key stands where one is looked for first
            slots = (slots + 1) & (len(self.places) - 1)
            found[left] = places = self.places.take(slots)
            on = (places >= 0) & ~self._same(places, words[:, left])
            left, slots = left[on], slots[on]
        return found

    def _same(self, places: np.ndarray, words: np.ndarray) -> np.ndarray:
        same = self.keys[0].take(places, mode="clip") == words[0]
        for one, own in zip(words[1:], self.keys[1:]):
            same &= own.take(places, mode="clip") == one
        return same

    def _remember(self, words: np.ndarray, hashes: np.ndarray, slots: np.ndarray) -> None:
        if self.count + len(hashes) > MOST:
            return
        start, self.count = self.count, self.count + len(hashes)
        while self.keys.shape[1] < self.count:
            self.keys, self.hashes = np.concatenate([self.keys, np.zeros_like(self.keys)], axis=1), np.concatenate([self.hashes, np.empty_like(self.hashes)])
        self.keys[: len(words), start : self.count], self.hashes[start : self.count] = words, hashes
        if len(self.places) < 2 * self.count:
            self.places = np.full(1 << int(4 * self.count - 1).bit_length(), -1, np.int32)
            start, slots = 0, _slots(self.keys[:, : self.count], len(self.places))
        own = np.arange(start, self.count, dtype=np.int32)
        while len(own):
            free = self.places.take(slots) < 0
            self.places[slots[free]] = own[free]
            late = self.places.take(slots) != own
            own, slots = own[late], (slots[late] + 1) & (len(self.places) - 1)


def _words(starts: np.ndarray, sizes: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return keys as columns of numbers of eight bytes each: the length, the key, and zeros behind it."""
    width = int(sizes.max(initial=0))
    wide = np.zeros((len(starts), -(-(width + 1) // 8) * 8), np.uint8)
    wide[:, 0] = sizes
    if len(starts) and sizes.min() == width:
        wide[:, 1 : width + 1] = signs.reshape(-1, width)
    else:
        for place in range(width):
            own = np.flatnonzero(sizes > place)
            wide[own, place + 1] = signs.take(starts[own] + place)
    return np.ascontiguousarray(wide.view(np.uint64).T)


def _slots(words: np.ndarray, size: int) -> np.ndarray:
    """Return the place of a table of a power of two at which each key is looked for first; words of zeros behind a key change nothing."""
    mixed = np.zeros(words.shape[1], np.uint64)
    for one, odd in zip(words, _ODD[1:]):
        mixed ^= (one ^ (one >> np.uint64(31))) * odd
    mixed ^= mixed >> np.uint64(32)
    mixed *= _ODD[0]
    return (mixed >> np.uint64(40)).astype(np.int64) & (size - 1)
