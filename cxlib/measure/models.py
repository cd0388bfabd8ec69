"""The driver models of a programme: every KPI that a survey's attributes may explain, in the survey's latest wave."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.load import bases, weighting
from cxlib.measure import drivers, metrics
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


def resample(tables, *, replicates: int, seed: int, back: int = 0) -> pd.DataFrame:
    """Return the draws of every model: survey, wave, kpi, then what `drivers.resample` returns. What is explained is the score as given, not its classes.

    `back` = 1 takes the wave before the latest. Items asked only of some are no part of it (`filtered`). What is drawn are the clusters that the survey declares,
    within its strata, and replicates are raked again where it is raked; else, where several respondents share an account, the accounts, and where people answered
    the wave twice, the people.
    """
    return each(tables, lambda frame, one: drivers.resample(frame, kpi=one.item, drivers=one.items, weight="weight", **one.design, replicates=replicates, seed=seed), back=back)


def filtered(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the importance of items that were asked only of some, among those asked and beside the attributes asked of all: what `drivers.summarise` returns, for these items and method shapley.

    Not asked is not missing: nothing is imputed for the others, and the parts belong to another base than those of the main model. Their
    weights are taken as fixed, because nobody knows the margins of those who were asked.
    """
    def made(frame, one):
        parts = []
        for item in one.filtered:
            own = frame[frame[item].notna()]
            found = drivers.importance(own, kpi=one.item, drivers=[*one.items, item], weight="weight", strata=one.strata, cluster=one.cluster, methods=("shapley",), replicates=replicates, seed=seed)
            parts.append(found[found["driver"] == item])
        return pd.concat(parts, ignore_index=True) if parts else None

    return each(tables, made)


def relevance(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the permutation test of every attribute of every model: survey, wave, kpi, then what `drivers.permutation` returns."""
    return each(tables, lambda frame, one: drivers.permutation(frame, kpi=one.item, drivers=one.items, weight="weight", cluster=one.cluster, replicates=replicates, seed=seed))


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


def by_rule(tables, draws: pd.DataFrame) -> pd.DataFrame:
    """Return the corners under each rule of the cut lines (`priorities.by_rule`): means, medians, the middle of the scale, and the programme's target."""
    models = {(model.survey, kpi): model for model in tables.programme.drivers for kpi in model.kpis}

    def made(own, survey, kpi):
        model = models[survey, kpi]
        scale = tables.programme.scales[tables.programme.item(model.items[0]).scale]
        marks = {"middle of the scale": (scale.low + scale.high) / 2} | ({"target": model.target} if model.target is not None else {})
        return places.by_rule(own, marks=marks)

    return _by_model(draws, made, keyed=True)


def steps(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return what half a point more on each attribute is associated with in each KPI, in the KPI's own unit (`priorities.steps`)."""
    programme = tables.programme
    high = lambda items: {item: programme.scales[programme.item(item).scale].high for item in items}
    return each(tables, lambda frame, one: places.steps(frame, kpi=one.item, drivers=one.items, high=high(one.items), definition=one.definition, weight="weight", **one.design, replicates=replicates, seed=seed))


def stated(tables, importance: pd.DataFrame) -> pd.DataFrame:
    """Return stated importance beside derived (`priorities.stated`) for the models that declare it; empty where none does."""
    names = {}
    for item in tables.programme.items:
        names |= {item.id: item.id, item.label: item.id}

    def made(frame, one):
        if not one.stated and not one.picks:
            return None
        derived = importance[(importance["survey"] == one.survey) & (importance["kpi"] == one.kpi) & (importance["method"] == "shapley")]
        labels = names | {code: names.get(text, text) for item in one.picks for code, text in tables.programme.item(item).labels.items()}
        return places.stated(frame, derived=derived[["driver", "estimate"]], items=one.stated, picks=one.picks, names=labels, weight="weight")

    return each(tables, made)


def carried(tables, priorities: pd.DataFrame) -> pd.DataFrame:
    """Put ratings that any survey collected in the reported quarter on importances of an earlier wave (`priorities.carried`); empty where the wave is this quarter's or nothing was rated since."""
    responses, found = tables["responses"], []
    for model in answered(tables).itertuples():
        if model.quarter == tables.quarter:
            continue
        own = priorities[(priorities["survey"] == model.survey) & (priorities["kpi"] == model.kpi)]
        since = responses[(responses["quarter"] == tables.quarter) & (responses["survey"] != model.survey)]
        rated = [driver for driver in own["driver"] if driver in since and since[driver].notna().any()]
        if not rated:
            continue
        fresh = bases.upward(since, tables.programme, rated)
        now = pd.concat([metrics.estimate(metrics.tally(fresh, score=d, weight="weight"), definition=_mean_of(tables.programme, d)).assign(driver=d) for d in rated])
        found.append(places.carried(own.drop(columns=KEYS), now).assign(survey=model.survey, wave=model.wave, kpi=model.kpi))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=KEYS)


def _mean_of(programme, item):
    scale = programme.scales[programme.item(item).scale]
    return metrics.Definition("mean", "Mean", "scale", scale.low, scale.high, "high")


class Model(NamedTuple):
    """One driver model as its fits need it: `items` are asked of all, `filtered` only of some; `cluster` and `strata` name the columns of the units that were drawn and of what they were drawn within (or None), `margins` those the wave was raked to."""

    survey: str
    wave: str
    kpi: str
    item: str
    definition: str
    items: list
    filtered: list
    stated: dict
    picks: tuple
    cluster: str | None
    strata: str | None
    margins: tuple

    @property
    def design(self) -> dict:
        """The design as the bootstrap takes it."""
        return {"strata": self.strata, "cluster": self.cluster, "margins": self.margins}


def each(tables, made, *, back: int = 0) -> pd.DataFrame:
    """Apply a function of (answers, Model) to the latest wave of each model (or that before it); keys are added and what it leaves out (None) is missing."""
    parts = []
    for model in answered(tables).itertuples():
        declared = next(one for one in tables.programme.drivers if one.survey == model.survey and model.kpi in one.kpis)
        frame, wave = answers(tables, model.survey, back=back)
        if frame.empty or not frame[model.item].notna().any():
            continue
        some = [item for item in declared.items if tables.programme.item(item).asked_if]
        # performance must point upwards, or a weak attribute would look strong
        frame = bases.upward(frame, tables.programme, declared.items)
        frame, sampled = _sampled(tables, model.survey, frame)
        items = [item for item in declared.items if item not in some]
        definition = tables.programme.kpi(model.kpi).definition
        one = Model(model.survey, wave, model.kpi, model.item, definition, items, [i for i in some if frame[i].notna().any()], declared.stated, declared.picks, **sampled)
        found = made(frame, one)
        if found is None or found.empty:
            continue
        if {"driver", "note"} <= set(found):
            found.loc[found["driver"].isin([item for item in declared.items if frame[item].isna().all()]), "note"] = "not estimable (not asked in this wave)"
        parts.append(found.assign(survey=one.survey, wave=one.wave, kpi=one.kpi))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEYS)


def _sampled(tables, survey: str, frame) -> tuple[pd.DataFrame, dict]:
    """Return the answers with the unit that was drawn of each (`unit`) and the columns of the design: declared, else what the answers show."""
    survey = tables.programme.survey(survey)
    margins = tuple(margin.field for margin in survey.rake.margins) if survey.rake else ()
    people = tables["people"] if "link" in survey.uses else tables["people"].iloc[:0]
    frame = weighting.placed(frame, people, [name for name in (survey.cluster, survey.strata, *margins) if name])
    unit, clustered = frame["answer"], False
    # only where people came twice: otherwise the same draws come under other names
    for name in (survey.cluster,) if survey.cluster else ("person_id", "account_id"):
        if name in frame and (frame[name].notna() & frame[name].duplicated(keep=False)).any():
            unit, clustered = frame[name].astype(object).where(frame[name].notna(), unit), True
    strata = survey.strata if survey.strata in frame else None
    if clustered and strata:  # a cluster in two strata was drawn in each
        unit = frame[strata].astype(str) + "/" + unit.astype(str)
    # numbered by the answers' order: pseudonyms sort differently at every workplace, and draws follow the order of the units
    return frame.assign(unit=pd.factorize(unit)[0]), {"cluster": "unit" if clustered else None, "strata": strata, "margins": tuple(name for name in margins if name in frame)}


def drawn(tables, survey: str, items, *, back: int = 0) -> tuple[pd.DataFrame, str, dict]:
    """Return the answers of a survey's latest wave (or `back` waves before it) with the items turned upwards, the wave, and the columns of the design, as every model has them."""
    frame, wave = answers(tables, survey, back=back)
    frame, sampled = _sampled(tables, survey, bases.upward(frame, tables.programme, items))
    return frame, wave, sampled


def answers(tables, survey: str, *, back: int = 0):
    """Return the answers of a survey's latest wave, or of the one `back` waves before it, and the wave's name; empty where there is none."""
    own = tables["responses"].query("survey == @survey")
    waves = own.sort_values(["quarter", "answered_on"])["wave"].drop_duplicates(keep="last").tolist()
    if len(waves) <= back:
        return own.iloc[:0], ""
    # In the order of the ids, what is drawn at random from them is the same in whatever order the file holds its rows.
    return own[own["wave"] == waves[-1 - back]].sort_values("response_id", kind="stable", ignore_index=True), waves[-1 - back]


def _by_model(draws, made, *, keyed=False):
    parts = [made(own.drop(columns=KEYS), *(key[::2] if keyed else ())).assign(**dict(zip(KEYS, key))) for key, own in draws.groupby(KEYS, sort=False)]
    return pd.concat(parts, ignore_index=True)
