"""Whether one score was given more often than a level and a spread explain: the likelihood ratio behind begged tens and coded blanks."""

import numpy as np

LEVELS, SPREADS = np.linspace(-2.4, 2.4, 33), np.exp(np.linspace(-0.5, 0.5, 9))
SHARES = np.concatenate([[0.0], np.linspace(0.04, 0.8, 20)])


def inflation(counts: np.ndarray, usual: np.ndarray, *, score: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each group, the likelihood ratio of an inflated score and the share b of answers that was turned into it.

    The group's distribution is the usual one moved by an ordered logit of free level and spread, P(score <= k) = 1 / (1 + exp(-s (logit F(k) - d))),
    with and without a share b of answers turned into `score` (place on the scale; the top by default) whatever they were. Both are
    fitted over a grid (b in steps of .04). counts and usual: groups x scores; ratio: twice the log-likelihood gained, about
    chi-squared with one degree of freedom, half of it at zero.
    """
    ratio, best = np.zeros(len(counts)), np.zeros(len(counts))
    for group, (own, there) in enumerate(zip(counts, usual)):
        edge = np.clip(np.cumsum(there)[:-1], 1e-9, 1 - 1e-9)
        logit = np.log(edge / (1 - edge))
        below = 1 / (1 + np.exp(-(logit[None, None, :] - LEVELS[:, None, None]) * SPREADS[None, :, None]))
        mass = np.maximum(np.diff(below.reshape(-1, len(logit)), axis=1, prepend=0.0, append=1.0), 1e-9)
        kept = own.copy()
        kept[score] = 0.0
        fit = np.log(mass) @ kept
        likelihood = fit[:, None] + kept.sum() * np.log(1 - SHARES)[None, :] + own[score] * np.log(mass[:, score][:, None] * (1 - SHARES) + SHARES)
        each = likelihood.max(axis=0)
        ratio[group], best[group] = 2 * (each.max() - each[0]), SHARES[each.argmax()]
    return ratio, best
