"""Blocks: what one set of columns explains of a KPI beside another, such as what people write of beside what they tick."""

import numpy as np
import pandas as pd

from cxlib.measure import metrics

REPLICATES = 400
FEWEST = 100  # complete answers, and ten for each column, under which nothing is estimated


def beside(frame: pd.DataFrame, *, kpi: str, definition: str, first: list[str], second: list[str], weight: str | None = "weight", cluster: str | None = None, replicates: int = REPLICATES, seed: int = 1) -> pd.DataFrame:
    """How much of a KPI do two blocks of columns explain, each alone, both, and the second where the first is held?

    in: a row a respondent; rows without the KPI are left out, missing values of `first` (ratings) are set to the mean with a column that says so where they are common, those of `second` leave the row out (nobody wrote). out, a row each: part ("first", "second", "both",
    "added by second", "shapley of first", "shapley of second"), estimate (R2 of a weighted linear model of the KPI's value, adjusted for the number of columns), conf_low, conf_high (95 %, bootstrap of respondents, or of `cluster`, centred on the estimate), p ("added by
    second": permutation of the second block's rows among respondents; Freedman & Lane 1983, J. Bus. Econ. Stat. 1: 292), n, note. An association: nobody changed either to see what happens.
    """
    what = metrics.definition_of(definition)
    columns = ["part", "estimate", "conf_low", "conf_high", "p", "n", "note"]
    own = frame[frame[kpi].notna() & frame[second].notna().all(axis=1)] if second else frame.iloc[:0]
    first = [name for name in first if own[name].notna().mean() > 0.5 and own[name].nunique() > 1] if len(own) else []
    second = [name for name in second if own[name].nunique() > 1] if len(own) else []
    parts = ["first", "second", "both", "added by second", "shapley of first", "shapley of second"]
    if not first or not second or len(own) < max(FEWEST, 10 * (len(first) + len(second))):
        note = f"not estimable: {len(own)} answers have both, and {max(FEWEST, 10 * (len(first) + len(second)))} are needed" if first and second else "not estimable: one of the two was not asked here"
        return pd.DataFrame([(part, np.nan, np.nan, np.nan, np.nan, len(own), note) for part in parts], columns=columns)
    y, w = what.value(own[kpi]).astype(float), own[weight].to_numpy(float) if weight else np.ones(len(own))
    held = own[first]
    gaps = [held[name].isna().to_numpy(float) for name in first if held[name].isna().mean() > 0.02]
    a = np.column_stack([held.fillna(held.mean()).to_numpy(float), *gaps])
    b = own[second].to_numpy(float)
    unit = pd.factorize(own[cluster].fillna(own.index.to_series().astype(str)))[0] if cluster else np.arange(len(own))
    rng = np.random.default_rng(seed)
    point, drawn = _parts(y, a, b, w), []
    for _ in range(replicates):
        often = np.bincount(rng.integers(0, unit.max() + 1, unit.max() + 1), minlength=unit.max() + 1)[unit]
        drawn.append(_parts(y, a, b, w * often))
    low, high = (2 * point - np.quantile(drawn, end, axis=0) for end in (0.975, 0.025))
    rest, fitted = _residual(y, a, w)
    beyond = [_r2(fitted + rest[order], np.column_stack([a, b]), w) - _r2(fitted + rest[order], a, w) for order in (rng.permutation(len(y)) for _ in range(replicates))]
    p = (1 + sum(one >= _r2(y, np.column_stack([a, b]), w) - _r2(y, a, w) - 1e-12 for one in beyond)) / (replicates + 1)
    rows = [(part, value, max(lower, -1.0), min(upper, 1.0), p if part == "added by second" else np.nan, len(own), "") for part, value, lower, upper in zip(parts, point, low, high)]
    return pd.DataFrame(rows, columns=columns)


def of(responses: pd.DataFrame, columns: dict[str, list[str]], kpi, *, programme, seed: int = 1) -> pd.DataFrame:
    """Say for each survey with a driver model what topics of comments explain of the KPI beside the model's ratings, in the latest quarter in which people wrote.

    in: responses with a column a topic (1, 0, NaN where nobody wrote) and, by survey, the columns to take. out: survey, quarter, kpi, then the columns of `beside` (first: ratings, second: topics).
    """
    parts = []
    for survey in dict.fromkeys(model.survey for model in programme.drivers):
        names = columns.get(survey, [])
        own = responses[(responses["survey"] == survey)]
        own = own[own[names].notna().all(axis=1)] if names else own.iloc[:0]
        if own.empty:
            continue
        own = own[own["quarter"] == own["quarter"].max()]
        ratings = [item for item in dict.fromkeys(item for model in programme.drivers if model.survey == survey for item in model.items) if item != kpi.item and item in own]
        names = [name for name in names if min(own[name].sum(), len(own) - own[name].sum()) >= 10]
        parts.append(beside(own, kpi=kpi.item, definition=kpi.definition, first=ratings, second=names, cluster="unit" if "unit" in own else None, seed=seed).assign(survey=survey, quarter=own["quarter"].iloc[0], kpi=kpi.id))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["survey", "quarter", "kpi", "part", "estimate", "conf_low", "conf_high", "p", "n", "note"])


def _parts(y, a, b, w) -> np.ndarray:
    one, two, both = (_adjusted(y, x, w) for x in (a, b, np.column_stack([a, b])))
    return np.array([one, two, both, both - one, (one + both - two) / 2, (two + both - one) / 2])


def _adjusted(y, x, w) -> float:
    n, p = int((w > 0).sum()), np.linalg.matrix_rank(x - x.mean(axis=0))
    return 1 - (1 - _r2(y, x, w)) * (n - 1) / (n - p - 1)


def _r2(y, x, w) -> float:
    rest, _ = _residual(y, x, w)
    centred = y - np.average(y, weights=w)
    return float(1 - (w @ rest**2) / (w @ centred**2)) if w @ centred**2 > 0 else 0.0


def _residual(y, x, w):
    root = np.sqrt(w)[:, None]
    x = np.column_stack([np.ones(len(y)), x])
    slope = np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]
    return y - x @ slope, x @ slope
