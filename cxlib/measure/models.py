"""The driver models of a programme: every KPI that a survey's attributes may explain, in the survey's latest wave."""

import numpy as np
import pandas as pd

from cxlib.load import bases
from cxlib.measure import drivers
from cxlib.measure import priorities as places

KEYS = ["survey", "wave", "kpi"]


def answered(tables) -> pd.DataFrame:
    """Return the models that can be fitted, in the programme's order: survey, wave, quarter, kpi, item, rows (respondents), n (answers to the item).

    A model stands on the latest wave of its survey up to the reported quarter, which may be an earlier one.
    """
    found = []
    for model in tables.programme.drivers:
        wave = bases.latest(tables, model.survey)
        for kpi in map(tables.programme.kpi, model.kpis):
            if len(wave) and wave[kpi.item].notna().any():
                found.append((model.survey, wave["wave"].iloc[0], wave["quarter"].iloc[0], kpi.id, kpi.item, len(wave), int(wave[kpi.item].notna().sum())))
    return pd.DataFrame(found, columns=["survey", "wave", "quarter", "kpi", "item", "rows", "n"])


def resample(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the draws of every model: survey, wave, kpi, then what `drivers.resample` returns. What is explained is the score as given, not its classes."""
    return _each(tables, lambda frame, item, items: drivers.resample(frame, kpi=item, drivers=items, weight="weight", replicates=replicates, seed=seed))


def relevance(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the permutation test of every attribute of every model: survey, wave, kpi, then what `drivers.permutation` returns."""
    return _each(tables, lambda frame, item, items: drivers.permutation(frame, kpi=item, drivers=items, weight="weight", replicates=replicates, seed=seed))


def importance(draws: pd.DataFrame) -> pd.DataFrame:
    """Return what `drivers.summarise` makes of each model's draws."""
    return _by_model(draws, drivers.summarise)


def priorities(draws: pd.DataFrame) -> pd.DataFrame:
    """Return what `priorities.matrix` makes of each model's draws."""
    return _by_model(draws, places.matrix)


def pairs(draws: pd.DataFrame, *, method: str = "shapley", level: float = 0.95) -> pd.DataFrame:
    """Say which attributes can be told apart: the difference of every two, with limits that hold for all pairs of a model at once.

    in: what `resample` returns. out: survey, wave, kpi, driver_a (the more important one), driver_b, estimate (part of R2), conf_low, conf_high, told_apart
    (the interval leaves out zero). The limits come from the largest studentised difference of each replicate (max-t), as those of the
    ranks do: single intervals of many pairs would tell apart what is alike.
    """
    return _by_model(draws, lambda own: _pairs(own, method, level))


def _pairs(own, method, level):
    columns = ["driver_a", "driver_b", "estimate", "conf_low", "conf_high", "told_apart"]
    wide = own.assign(size=own[method].abs()).pivot(index="replicate", columns="driver", values="size")
    first = wide.loc[0].dropna().sort_values(ascending=False, kind="stable")
    rest = wide.loc[wide.index > 0, first.index].dropna().to_numpy()
    if len(first) < 2 or len(rest) < 2:
        return pd.DataFrame(columns=columns)
    i, j = np.triu_indices(len(first), 1)
    gap = rest[:, i] - rest[:, j]
    spread = np.maximum(gap.std(axis=0, ddof=1), 1e-12)
    half = np.quantile(np.max(np.abs(gap - gap.mean(axis=0)) / spread, axis=1), level) * spread
    point = first.to_numpy()[i] - first.to_numpy()[j]
    return pd.DataFrame({"driver_a": first.index[i], "driver_b": first.index[j], "estimate": point, "conf_low": point - half, "conf_high": point + half, "told_apart": (point > half).astype(int)})


def _each(tables, made):
    parts = []
    for model in answered(tables).itertuples():
        items = next(one.items for one in tables.programme.drivers if one.survey == model.survey and model.kpi in one.kpis)
        # performance must point upwards, or a weak attribute would look strong
        frame = bases.upward(bases.latest(tables, model.survey), tables.programme, items)
        found = made(frame, model.item, list(items))
        found.loc[found["driver"].isin([item for item in items if frame[item].isna().all()]), "note"] = "not estimable (not asked in this wave)"
        parts.append(found.assign(survey=model.survey, wave=model.wave, kpi=model.kpi))
    return pd.concat(parts, ignore_index=True)


def _by_model(draws, made):
    parts = [made(own.drop(columns=KEYS)).assign(**dict(zip(KEYS, key))) for key, own in draws.groupby(KEYS, sort=False)]
    return pd.concat(parts, ignore_index=True)
