"""Whether one score was given more often than a level and a spread explain, and by people whose mood does not fit it: begged tens, coded blanks, mixed scales."""

import numpy as np
from scipy import stats

LEVELS, SPREADS = np.linspace(-2.4, 2.4, 33), np.exp(np.linspace(-0.5, 0.5, 9))
WIDE = np.linspace(-4.0, 4.0, 41)
SHARES = np.concatenate([[0.0], np.linspace(0.04, 0.8, 20)])


def inflation(counts: np.ndarray, usual: np.ndarray, *, score: int = -1, top: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each group, the likelihood ratio of an inflated score and the share b of answers that was turned into it.

    The group's distribution is the usual one moved by an ordered logit of free level and spread, P(score <= k) = 1 / (1 + exp(-s (logit F(k) - d))),
    with and without a share b of answers turned into `score` (place on the scale; the top by default) whatever they were, or, with `top`, given
    on the shorter scale 1 to `top` instead of 0 or 1 to 10 or 7. Both are fitted over a grid (b in steps of .04). counts and usual: groups x scores; ratio: twice the log-likelihood gained, about
    chi-squared with one degree of freedom, half of it at zero.
    """
    ratio, best = np.zeros(len(counts)), np.zeros(len(counts))
    for group, (own, there) in enumerate(zip(counts, usual)):
        edge = np.clip(np.cumsum(there)[:-1], 1e-9, 1 - 1e-9)
        logit = np.log(edge / (1 - edge))
        below = 1 / (1 + np.exp(-(logit[None, None, :] - LEVELS[:, None, None]) * SPREADS[None, :, None]))
        mass = np.maximum(np.diff(below.reshape(-1, len(logit)), axis=1, prepend=0.0, append=1.0), 1e-9)
        if top is None:
            kept = own.copy()
            kept[score] = 0.0
            fit = np.log(mass) @ kept
            likelihood = fit[:, None] + kept.sum() * np.log(1 - SHARES)[None, :] + own[score] * np.log(mass[:, score][:, None] * (1 - SHARES) + SHARES)
        else:
            short = mass @ _shortened(len(own), top)
            likelihood = np.stack([np.log(mass * (1 - b) + short * b + 1e-12) @ own for b in SHARES], axis=1)
        each = likelihood.max(axis=0)
        ratio[group], best[group] = 2 * (each.max() - each[0]), SHARES[each.argmax()]
    return ratio, best


def begged(counts: np.ndarray, usual: np.ndarray) -> tuple[float, float]:
    """Return the likelihood ratio of begged top scores in one group, told by mood, and the share b of answers that was turned into the top one.

    counts: mood bins x scores of the group, usual: the distribution of the others in each bin. Model as in `inflation`, levels over twice the range, with one level, one spread and
    one b for all bins: who is begged gives the top score whatever he thinks of the rest, so tens of the discontented, of whom the usual distribution has few, weigh most.
    """
    edge = np.clip(np.cumsum(usual, axis=1)[:, :-1], 1e-9, 1 - 1e-9)
    logit = np.log(edge / (1 - edge))
    below = 1 / (1 + np.exp(-(logit[None, None] - WIDE[:, None, None, None]) * SPREADS[None, :, None, None]))
    mass = np.maximum(np.diff(below.reshape(-1, *logit.shape), axis=2, prepend=0.0, append=1.0), 1e-9)
    kept, top = counts[:, :-1], counts[:, -1]
    fit = (np.log(mass[:, :, :-1]) * kept).sum(axis=(1, 2))
    tens = (np.log(mass[:, :, -1][:, :, None] * (1 - SHARES) + SHARES) * top[None, :, None]).sum(axis=1)
    each = (fit[:, None] + kept.sum() * np.log(1 - SHARES)[None, :] + tens).max(axis=0)
    return float(2 * (each.max() - each[0])), float(SHARES[each.argmax()])


def _shortened(width: int, top: int) -> np.ndarray:
    """Return the matrix that turns a distribution over a scale of `width` points into that of the same opinions on 1 to `top` (places from 0)."""
    first = 1 if width > 10 or width == 8 else 0  # a scale that begins at 0 has one place more below
    matrix = np.zeros((width, width))
    for place in range(width):
        left, right = place / width * top, (place + 1) / width * top
        for short in range(top):
            matrix[place, short + first] += max(min(right, short + 1) - max(left, short), 0.0) * width / top
    return matrix


def pallor(n: np.ndarray, mean: np.ndarray, var: np.ndarray, *, top: bool) -> np.ndarray:
    """Return, for each group, by how many standard errors the mood of those at one end of the scale is paler than the other groups' says.

    Those at an end that a share q of the group reaches have a mood of about k phi(z_q) / q above (below) their group's mean, where k is the
    correlation of mood and score (latent normal). k of each group is compared with that of the others (weighted by n at the end); its error
    includes their error and scatter (never under a twentieth of k). 0 where fewer than 15 are at the end, or 25 in the others, or k is under .15.
    """
    end = -1 if top else 0
    total = n.sum(axis=1)
    level = (n * mean).sum(axis=1) / np.maximum(total, 1)
    share = np.clip(n[:, end] / np.maximum(total, 1), 1e-6, 0.98)
    mills = stats.norm.pdf(stats.norm.ppf(share)) / share
    k = (mean[:, end] - level) * (1 if top else -1) / mills
    error = np.sqrt(np.maximum(var[:, end], 0.05) / np.maximum(n[:, end], 1)) / mills
    z = np.zeros(len(n))
    for group in np.flatnonzero(n[:, end] >= 15):
        others = np.delete(np.arange(len(n)), group)
        others = others[n[others, end] >= 3]
        weight = n[others, end]
        if len(others) < 2 or weight.sum() < 25 or (usual := (weight * k[others]).sum() / weight.sum()) < 0.15:
            continue
        firm = others[n[others, end] >= 15]
        scatter = 1.4826 * np.median(np.abs(k[firm] - usual)) if len(firm) >= 3 else 0.0
        own = np.sqrt((weight**2 * error[others] ** 2).sum()) / weight.sum()
        z[group] = (usual - k[group]) / np.sqrt(max(scatter, 0.05 * usual) ** 2 + error[group] ** 2 + own**2)
    return z
