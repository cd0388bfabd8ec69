"""Whether ratings share a mood: how much of them is one common factor, what is left of each attribute without it, and which cannot be separated."""

import numpy as np
import pandas as pd

from cxlib.measure import scales
from cxlib.measure.dominance import SMALLEST, estimable, explained
from cxlib.measure.moments import Answers

TIGHT = 0.8  # correlation from which a pair is named
INFLATED = 5.0  # variance inflation from which an attribute is


def common(frame, *, kpi, drivers, weight=None, strata=None, cluster=None, margins=(), replicates=300, seed=1):
    """Say how much of the ratings is a common factor (a halo: one mood colours all), and what each attribute still has to do with the KPI without it.

    out: driver, loading (on the factor), share (of the drivers' variance that is common to all), kpi_share (R2 of the KPI on the factor alone), estimate (partial correlation with the KPI given the
    factor: what sets this attribute apart from the general level), conf_low, conf_high (95 %, percentile bootstrap), n, note. One factor by principal axes; the KPI's
    correlation with it by Bartlett's weights. The factor holds mood and real common quality alike, which one interview cannot separate; and because it takes what
    attributes have in common, those with less than the common effect come out below zero. Needs three attributes.
    """
    drivers = list(drivers)
    answers = Answers(frame, kpi, drivers, weight)
    matrix, _, _ = answers.point()
    recoded = answers.recoded(matrix)
    matrix[recoded] = matrix[:, recoded] = np.nan
    kept, notes = estimable(matrix, drivers)
    out = pd.DataFrame({"driver": drivers, "loading": np.nan, "share": np.nan, "kpi_share": np.nan, "estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": answers.bases()[0], "note": notes})
    if len(kept) < 3:
        return out.assign(note=[note or "not estimable (a factor needs three attributes)" for note in notes])
    pick = np.array([*kept, len(drivers)])
    loading, kpi_share, left = _apart(matrix[np.ix_(pick, pick)])
    out.loc[kept, "loading"], out.loc[kept, "estimate"] = loading, left
    out["share"], out["kpi_share"] = (loading**2).mean(), kpi_share
    if replicates:
        column = lambda name: None if name is None else frame[name].astype(str).to_numpy()
        many, _, _ = answers.replicates(replicates, seed=seed, strata=column(strata), cluster=column(cluster), margins=[column(name) for name in margins])
        rest = np.array([_apart(one)[2] for one in many[:, pick[:, None], pick] if np.isfinite(one).all()])
        if len(rest) > 1:
            out.loc[kept, "conf_low"], out.loc[kept, "conf_high"] = np.nanquantile(rest, [0.025, 0.975], axis=0)
    return out


def _apart(matrix):
    """Loadings of the drivers, R2 of the KPI (last) on their common factor, and its partial correlations with them."""
    loading, edge = scales.factor(matrix[:-1, :-1]), matrix[:-1, -1]
    own = np.maximum(1 - loading**2, 1 - scales.HEYWOOD)
    on = (loading / own) @ edge / ((loading / own) @ loading)
    on = np.clip(on, -scales.HEYWOOD, scales.HEYWOOD)
    return loading, on**2, (edge - loading * on) / np.sqrt(own * (1 - on**2))


def inseparable(frame, *, kpi, drivers, weight=None):
    """Name the pairs of attributes that go together so closely that their parts cannot be told apart, and attributes that the others nearly determine.

    out: driver_a, driver_b (the attribute it is closest to given all others), correlation, inflation (variance inflation of driver_a: 1/(1 - R2 on the others)), n (answered
    both); a row where the correlation is at least .8 or the inflation at least 5; empty where there is no such pair.
    """
    drivers = list(drivers)
    answers = Answers(frame, kpi, drivers, weight)
    matrix, _, _ = answers.point()
    kept, notes = estimable(matrix, drivers)
    rows = []
    both = lambda i, j: int((answers.mask[:, i] & answers.mask[:, j]).sum())
    inner = matrix[np.ix_(kept, kept)]
    inflation = {}
    for place, j in enumerate(kept):
        others = [k for k in range(len(kept)) if k != place]
        order = [*others, place]
        known = explained(inner[None][:, np.array(order)[:, None], order], list(range(len(others))))[0] if others else 0.0
        inflation[j] = 1 / max(1 - known, SMALLEST)
    for a, i in enumerate(kept):
        for j in kept[a + 1 :]:
            if abs(matrix[i, j]) >= TIGHT:
                rows.append((drivers[i], drivers[j], matrix[i, j], max(inflation[i], inflation[j]), both(i, j)))
    named = {name for row in rows for name in row[:2]}
    for place, j in enumerate(kept):
        if inflation[j] >= INFLATED and drivers[j] not in named and len(kept) > 1:
            precision = np.linalg.inv(inner)
            partial = np.abs(precision[place]) / np.sqrt(np.diag(precision) * precision[place, place])
            partial[place] = -1
            near = kept[int(np.argmax(partial))]
            rows.append((drivers[j], drivers[near], matrix[j, near], inflation[j], both(j, near)))
    for j, note in enumerate(notes):
        if "an exact combination of" in note:
            for other in note.removesuffix(")").split("combination of ")[1].split(", "):
                rows.append((drivers[j], other, matrix[j, drivers.index(other)], np.inf, both(j, drivers.index(other))))
    return pd.DataFrame(rows, columns=["driver_a", "driver_b", "correlation", "inflation", "n"])

