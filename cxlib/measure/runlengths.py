"""How long a control chart runs until it alerts though nothing has happened: exactly for known limits, by simulation for limits that were estimated.

Sources: Brook & Evans (1972), Biometrika 59 (Markov chain); Champ & Woodall (1987), Technometrics 29 (run rules); Lucas & Saccucci (1990), Technometrics 32,
and Montgomery, Introduction to Statistical Quality Control (2013), table 9.11 (EWMA).
"""

from collections import deque
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

RULES = ("beyond", "two_of_three", "four_of_five", "run")  # Western Electric 1-4: beyond the limit; 2 of 3 beyond 2/3 of it; 4 of 5 beyond 1/3; 8 on one side
RUN = 8
STATES = 201  # of the EWMA's range
HORIZON = 520  # periods that are simulated after the baseline


def shewhart(*, rules=("beyond",), limit: float = 3.0, shift: float = 0.0) -> float:
    """Return the average number of periods until a chart of single values alerts, `shift` standard deviations off its centre.

    `rules` of RULES; `limit` in standard deviations. Independent normal values, known limits. 370.40 for the three-sigma rule alone, 91.75 for all four.
    """
    cuts = np.array([0, limit / 3, 2 * limit / 3, limit])
    above = np.diff(stats.norm.cdf(np.r_[cuts, np.inf], loc=shift))
    below = np.diff(stats.norm.cdf(np.r_[cuts, np.inf], loc=-shift))
    zones = [(side, zone, p[zone]) for side, p in ((0, above), (1, below)) for zone in range(4)]
    if "beyond" not in rules:
        zones = [(side, min(zone, 2), p) for side, zone, p in zones]
    start = ((0, 0, 0), (0, 0, 0))  # of each side: the last two values beyond 2/3 and the last four beyond 1/3 as bits, and the run
    number, edges, queue = {start: 0}, [], deque([start])
    while queue:
        state = queue.popleft()
        for side, zone, p in zones:
            after = None if zone == 3 else _after(state, side, zone, rules)
            if after is not None and after not in number:
                number[after] = len(number)
                queue.append(after)
            if after is not None:
                edges.append((number[state], number[after], p))
    q = np.zeros((len(number), len(number)))
    for row, column, p in edges:
        q[row, column] += p
    return float(np.linalg.solve(np.eye(len(number)) - q, np.ones(len(number)))[0])


def _after(state, side: int, zone: int, rules):
    """The state after a value in a zone of a side; None where a rule alerts."""
    made = []
    for own, (two, four, run) in enumerate(state):
        here = own == side
        outer, middle, run = int(here and zone >= 2), int(here and zone >= 1), run + 1 if here else 0
        if ("two_of_three" in rules and outer and two) or ("four_of_five" in rules and middle and bin(four).count("1") >= 3) or ("run" in rules and run >= RUN):
            return None
        two = (two << 1 | outer) & 3 if "two_of_three" in rules else 0
        four = (four << 1 | middle) & 15 if "four_of_five" in rules else 0
        made.append((two, four, run if "run" in rules else 0))
    return tuple(made)


def ewma(*, weight: float, limit: float, shift: float = 0.0) -> float:
    """Return the average number of periods until an EWMA alerts: z_t = weight x_t + (1 - weight) z_t-1 against `limit` of its own long-run standard deviations."""
    edge = limit * np.sqrt(weight / (2 - weight))
    width = 2 * edge / STATES
    middle = -edge + width * (np.arange(STATES) + 0.5)
    ends = (np.r_[middle - width / 2, edge][None, :] - (1 - weight) * middle[:, None]) / weight
    q = np.diff(stats.norm.cdf(ends, loc=shift), axis=1)
    return float(np.linalg.solve(np.eye(STATES) - q, np.ones(STATES))[STATES // 2])


@lru_cache(maxsize=64)
def limit_for(kind: str, length: float, *, weight: float = 0.1) -> float:
    """Return the limit, in standard deviations, at which a chart ('shewhart', the limit alone, or 'ewma') alerts once in `length` periods by chance."""
    if kind == "shewhart":
        return float(stats.norm.isf(0.5 / length))
    return float(optimize.brentq(lambda limit: np.log(ewma(weight=weight, limit=limit)) - np.log(length), 1.0, 6.0, xtol=1e-6))


def alerts(z: np.ndarray, *, kind: str, limit: float, weight: float = 0.1, rules=("beyond",)) -> np.ndarray:
    """Return where standardised values alert: an array of flags of the shape of `z` (series, periods); missing values are passed over without an alert.

    `kind` shewhart with `rules` beyond and run, or ewma. The EWMA starts at the centre.
    """
    z = np.atleast_2d(np.asarray(z, dtype=float))
    there, found = np.isfinite(z), np.zeros(z.shape, dtype=bool)
    if kind == "ewma":
        level, edge = np.zeros(len(z)), limit * np.sqrt(weight / (2 - weight))
        for t in range(z.shape[1]):
            level = np.where(there[:, t], weight * np.where(there[:, t], z[:, t], 0) + (1 - weight) * level, level)
            found[:, t] = there[:, t] & (np.abs(level) > edge)
        return found
    run, side = np.zeros(len(z), dtype=int), np.zeros(len(z))
    for t in range(z.shape[1]):
        sign = np.sign(np.where(there[:, t], z[:, t], 0))
        run = np.where(there[:, t], np.where((sign == side) & (sign != 0), run + 1, (sign != 0).astype(int)), run)
        side = np.where(there[:, t], sign, side)
        found[:, t] = there[:, t] & ((np.abs(z[:, t]) > limit) | (("run" in rules) & (run >= RUN)))
    return found


@lru_cache(maxsize=256)
def simulated(*, kind: str, limit: float, baseline: int, lag: float = 0.0, rules=("beyond",), weight: float = 0.1, known: bool = False, within: tuple = (13, 52), runs: int = 1000, seed: int = 1) -> dict:
    """Return how a chart behaves where nothing happens, with its centre and spread estimated from `baseline` periods of values correlated by `lag`.

    out: length (periods watched over first alerts, watched for HORIZON periods at most), and for each number of periods in `within` the chance of an alert in them.
    `known`: the spread is at least 1, because sampling error alone gives that. Run lengths with estimated limits vary widely: Jensen et al.
    (2006), Journal of Quality Technology 38.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((runs, baseline + HORIZON))
    for t in range(1, x.shape[1]):
        x[:, t] = lag * x[:, t - 1] + np.sqrt(1 - lag**2) * x[:, t]
    centre, sigma = fitted(x[:, :baseline], lag=lag > 0, least=1.0 if known else 0.0)
    found = alerts((x[:, baseline:] - centre[:, None]) / sigma[:, None], kind=kind, limit=limit, weight=weight, rules=rules)
    first = np.where(found.any(axis=1), found.argmax(axis=1) + 1, HORIZON)
    return {"length": float(first.sum() / max(found.any(axis=1).sum(), 1))} | {count: float(found[:, :count].any(axis=1).mean()) for count in within}


D2 = 1.128379167095513  # expected range of two normal values in standard deviations, 2 / sqrt(pi)


def fitted(base: np.ndarray, *, lag: bool = False, least: float = 0.0, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and spread of baselines (series, periods): the mean, and the mean moving range over 1.128; where values next to each other go together (`lag`) the larger of that and their standard deviation, because moving ranges then read too small."""
    base = np.atleast_2d(np.asarray(base, dtype=float))
    centre = np.nanmean(base, axis=1) if weights is None else np.nansum(base * weights, axis=1) / np.nansum(np.where(np.isfinite(base), weights, 0), axis=1)
    sigma = np.array([np.abs(np.diff(row[np.isfinite(row)])).mean() for row in base]) / D2 if np.isnan(base).any() else np.abs(np.diff(base, axis=1)).mean(axis=1) / D2
    if lag:
        sigma = np.maximum(sigma, np.nanstd(base, axis=1, ddof=1))
    return centre, np.maximum(sigma, least)
