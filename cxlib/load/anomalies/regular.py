"""Answers that follow the number of their row: test data, or somebody's pattern, which look like many another fault."""

import numpy as np

from cxlib.load.anomalies.grid import Grid

ROWS, LONGEST = 600, 300  # of each wave are looked at; the longest period


def regular_rows(grid: Grid) -> list[dict]:
    """Return waves in which a rating is a function of the row's number, to be looked at: it repeats every so many rows, or in blocks of one length.

    See `regular`. Nothing else that is seen in such a wave is refused (`find`): its rows are no independent answers, and no chance can be reckoned with.
    """
    found = []
    for w, wave in enumerate(grid.waves):
        items = {grid.items[place].id: period for place in range(len(grid.items)) if (period := periods(grid)[w, place])}
        if items:
            one = next(iter(items))
            which = f"'{one}'" if len(items) == 1 else f"'{one}' and {len(items) - 1} more"
            found.append(grid.row("regular_rows", wave, "", n=(grid.wave == w).sum(), estimate=items[one], p=None, verdict="look", unit=", ".join(items), sentence=
                f"{grid.where(wave)}: the answers to {which} follow the number of the row (they repeat every {items[one]:.0f} rows); people do not answer so, a pattern or a program does. "
                "To mend it: find out where these rows come from."))
    return found


def periods(grid: Grid) -> np.ndarray:
    """Return the period of each rating in each wave, 0 where it has none: waves x items. A period that shows in all waves together holds for each."""
    if grid.periods is None:
        order = np.argsort(grid.wave, kind="stable")
        first = np.searchsorted(grid.wave[order], np.arange(len(grid.waves)))
        rows = [order[start : start + ROWS][grid.wave[order[start : start + ROWS]] == w] for w, start in enumerate(first)]
        head = Grid(grid.frame.iloc[np.concatenate(rows)].reset_index(drop=True), grid.programme, grid.survey)
        made = np.zeros((len(grid.waves), len(grid.items)))
        ids = [item.id for item in head.items]
        for place, item in enumerate(grid.items):
            if item.id not in ids:
                continue
            parts = [head.places[head.wave == w, ids.index(item.id)] for w in range(len(grid.waves))]
            each = np.array([regular([part]) for part in parts])
            made[:, place] = np.where(each > 0, each, regular(parts) if len(parts) > 1 and not each.all() else 0.0)
            made[[not (part >= 0).any() for part in parts], place] = 0.0
        grid.periods = made
    return grid.periods


def regular(parts: list[np.ndarray]) -> float:
    """Return the period with which scores (-1: none) repeat along the rows of each part; 0 where they do not.

    The share of rows that agree with the row a lag further on, over all parts, rises above .95 after having fallen by .3 or more at a shorter
    lag (20 pairs at least), or stands out from both neighbouring lags by .3 and eight standard errors (100 pairs). Rows that were sorted agree less and less as
    the lag grows, and answers of people agree alike at all lags. Or all inner runs of one score have one length of two or more (five runs).
    """
    longest = min(max(len(part) for part in parts) // 2 + 1, LONGEST)
    if longest < 3:
        return 0.0
    same, pairs = np.zeros(longest + 1), np.zeros(longest + 1)
    for part in parts:
        size = min(longest, len(part) - 1) + 1
        given = part >= 0
        marks = np.vstack([given, *(part == score for score in np.unique(part[given]))]).astype(float)
        power = np.abs(np.fft.rfft(marks, 2 * len(part), axis=1)) ** 2  # how often two rows agree at every lag at once (Wiener-Khinchin)
        agree = np.rint(np.fft.irfft(np.vstack([power[0], power[1:].sum(axis=0)]), 2 * len(part), axis=1)[:, :size])
        pairs[:size] += agree[0]
        same[:size] += agree[1]
    share = np.where(pairs >= 20, same / np.maximum(pairs, 1), np.nan)
    lags = np.arange(2, longest)
    near = np.fmax(share[lags - 1], share[lags + 1])
    fallen = np.fmin.accumulate(share[1:-1])[: len(lags)]
    with np.errstate(invalid="ignore"):
        exact = (share[lags] > 0.95) & (fallen < share[lags] - 0.3)
        sharp = (pairs[lags] >= 100) & (share[lags] - near > 0.3) & (share[lags] - near > 8 * np.sqrt(np.maximum(near * (1 - near), 0.01) / np.maximum(pairs[lags], 1)))
    if (exact | sharp).any():
        return float(lags[np.argmax(exact | sharp)])
    lengths = np.concatenate([_inner(part) for part in parts])
    return float(lengths[0]) if len(lengths) >= 3 * len(parts) and len(lengths) >= 5 and lengths[0] > 1 and (lengths == lengths[0]).all() else 0.0


def _inner(part: np.ndarray) -> np.ndarray:
    """Return the lengths of the runs of one score without the first and the last, blanks taken out."""
    edges = np.flatnonzero(np.diff(part[part >= 0])) + 1
    return np.diff(edges)
