"""Key figures by wave, and how they moved: every estimate of a programme from one tally by score."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib import cells, quarters
from cxlib.load import weighting
from cxlib.load.bases import surveys_of, teams
from cxlib.measure import design, metrics

KEYS = ["kpi", "survey", "wave", "quarter"]
PRIMARY = 10  # headline tests a run, METHODS 0


class Sample(NamedTuple):
    """The answers of a survey whose waves are no simple random samples, and how they were drawn."""

    frame: pd.DataFrame
    options: dict  # for design.estimate
    waves: frozenset  # the waves it concerns
    universe: dict  # wave -> primary units in the population


def samples(tables) -> dict[str, Sample]:
    """Return the surveys whose estimates need more than weights: raked, clustered, stratified, a near-census, or people who answered a wave twice.

    People who answered a wave more than once are a cluster, where no other is declared; waves without any stay as they are.
    """
    found = {}
    for survey in tables.programme.surveys:
        declared = bool(survey.rake or survey.cluster or survey.strata or survey.universe is not None)
        twice = frozenset() if survey.cluster else _repeated(tables, survey.id)
        if not declared and not twice:
            continue
        frame = tables["responses"]
        # In the order of the ids, sums over people are the same to the last bit in whatever order the file holds its rows.
        frame = frame[frame["survey"] == survey.id].sort_values(["wave", "response_id"], kind="stable", ignore_index=True)
        people = tables["people"] if "link" in survey.uses else tables["people"].iloc[:0]
        margins = [margin.field for margin in survey.rake.margins] if survey.rake else []
        frame = weighting.placed(frame, people, [name for name in (*margins, survey.cluster, survey.strata) if name])
        cluster = survey.cluster or ("person_id" if twice else None)
        options = {"base_weight": "base_weight" if margins else None, "cluster": cluster, "strata": survey.strata or None, "margins": margins}
        waves = frozenset(frame["wave"]) if declared else twice
        found[survey.id] = Sample(frame, options, waves, _universe(tables, survey, waves, cluster))
    return found


def _repeated(tables, survey: str) -> frozenset:
    counts = tables.tally("responses", by=["wave", "person_id"], where={"survey": survey})
    return frozenset(counts.loc[counts["person_id"].notna() & (counts["n"] > 1), "wave"])


def _universe(tables, survey, waves, cluster) -> dict:
    if survey.universe is None:
        return {}
    if survey.universe != "frame":
        return dict.fromkeys(waves, survey.universe)
    people, unit = tables["people"], cluster if cluster in ("account_id",) else "person_id"
    return {wave.id: weighting.customers(people, wave.first)[unit].nunique() for wave in tables.programme.waves if wave.survey == survey.id and wave.id in waves}


def kpis(tables, *, by: str | None = None, labels: dict | None = None, designs: dict[str, Sample] | None = None) -> pd.DataFrame:
    """Return every KPI of the programme by survey and wave, and by one more column of the responses where `by` names it; codes with one label in `labels` are one group.

    Columns: kpi, survey, wave, quarter, (segment, value), then what `metrics.estimate` returns: definition, unit, estimate, std_error,
    conf_low, conf_high, n, weighted_n, n_eff, deff, df, widening, basis, flag, note; unweighted: the same estimate with every answer counted once;
    and changed: what was changed in the question since the row before, where the programme says that answers before and after may not be compared.
    `basis` says what the intervals allow for: the design of `samples` (`designs` where it is at hand), or weights taken as they were given.
    In the order of the programme's KPIs, then by time. Surveys are never pooled. A wave that did not ask has no row.
    """
    programme, limits, parts = tables.programme, tables.programme.limits, []
    designs = samples(tables) if designs is None else designs
    for kpi in programme.kpis:
        for survey in surveys_of(programme, kpi):
            keys = {name: name for name in ("survey", "wave", "quarter")} | ({"value": by} if by and by != kpi.item else {})
            counted = tables.tally("responses", by={**keys, "score": kpi.item}, where={"survey": survey})
            keys = list(keys)
            counted = counted[counted["score"].notna() & (counted["value"].notna() if "value" in keys else True)]
            if "value" in keys:
                counted = counted.assign(value=counted["value"].astype(str).replace(labels or {}))
            if len(counted):
                base = (limits.text_base, limits.low_base)
                found = metrics.estimate(counted, definition=kpi.definition, by=keys, low_base=base).assign(kpi=kpi.id)
                found["basis"] = np.where((found["weighted_n"] - found["n"]).abs() + (found["deff"] - 1).abs() > 1e-6, "weights as given", "")
                found = _designed(found, _cut(designs.get(survey), by, labels) if "value" in keys else designs.get(survey), kpi, keys, base)
                plain = counted.assign(weight=counted["n"].astype(float), weight_sq=counted["n"].astype(float))
                found["unweighted"] = metrics.estimate(plain, definition=kpi.definition, by=keys)["estimate"]
                found = found.sort_values(["quarter", "wave"], kind="stable")
                found["changed"] = _changed(programme, kpi, survey, found, cut=["value"] if "value" in keys else [])
                parts.append(found.assign(segment=by) if "value" in keys else found)
    columns = [*KEYS, *(["segment", "value"] if by else [])]
    if not parts:
        return pd.DataFrame(columns=[*columns, "definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "weighted_n", "n_eff", "deff", "df", "widening", "basis", "flag", "note", "unweighted", "changed"])
    found = pd.concat(parts, ignore_index=True)
    if not by:  # too few answered a whole wave of an anonymous survey: it has no figure
        found = found[~cells.few(found, programme=programme, counts=("n",))]
    return found[[*columns, *(name for name in found if name not in columns)]].reset_index(drop=True)


def _changed(programme, kpi, survey: str, found: pd.DataFrame, *, cut: list[str]) -> pd.Series:
    """Return, at the first row of each stretch of comparable waves but the first, what the programme says was changed."""
    order = {wave.id: place for place, wave in enumerate(sorted((wave for wave in programme.waves if wave.survey == survey), key=lambda wave: (wave.quarter, wave.first, wave.id)))}
    breaks = [(order[wave.id], what) for wave, what in programme.breaks(survey, kpi.item)]
    if not breaks:
        return pd.Series("", index=found.index)
    place = found["wave"].map(order)
    before = place.groupby([found[name] for name in cut]).shift() if cut else place.shift()
    told = ["" if last != last else "; ".join(what for at, what in breaks if last < at <= own) for own, last in zip(place, before)]
    return pd.Series(told, index=found.index)


def _cut(sample: Sample | None, by: str, labels: dict | None) -> Sample | None:
    if sample is None:
        return None
    values = sample.frame[by]
    return sample._replace(frame=sample.frame.assign(value=values.astype(str).replace(labels or {}).where(values.notna())))


def _designed(found: pd.DataFrame, sample: Sample | None, kpi, keys: list[str], base) -> pd.DataFrame:
    """Return estimates with the waves of a sample replaced by what its design gives."""
    if sample is None:
        return found
    parts = [found[~found["wave"].isin(sample.waves)]]
    for wave, own in sample.frame[sample.frame["wave"].isin(sample.waves)].groupby("wave", sort=False):
        if own[kpi.item].notna().any():
            # A wave without its own quarter's rows outside the domain would lose part of the design: by wave, all its rows are there.
            parts.append(design.estimate(own, score=kpi.item, definition=kpi.definition, by=keys, low_base=base, population=sample.universe.get(wave), **sample.options).assign(kpi=kpi.id))
    return found[keys].merge(pd.concat(parts, ignore_index=True), on=keys, how="left")


def by_segment(tables) -> pd.DataFrame:
    """Return every KPI by survey, wave and each segment of the programme that stands in the responses.

    Columns as `kpis(tables, by=...)`; values under their labels where the segment declares them. Segments of other tables are not joined here.
    Small cells of anonymous surveys and those from which they follow are withheld (`cells.segments`), and so are staff teams that are too
    small (`staff.minimum`): their figures are empty, flag says "withheld" and note why.
    """
    parts, designs = [], samples(tables)
    for segment in tables.programme.segments:
        if segment.table == "responses":
            parts.append(kpis(tables, by=segment.field, labels=dict(segment.values), designs=designs).assign(segment=segment.id))
    if not parts:
        return kpis(tables, designs=designs).iloc[:0].assign(segment="", value="")
    found = pd.concat(parts, ignore_index=True)
    found = cells.segments(found, programme=tables.programme, nested=_nested(tables, found))
    return cells.blanked(found, found["segment"].isin(staff_cuts(tables.programme)) & ~found["value"].isin(teams(tables)))


def staff_cuts(programme) -> list[str]:
    """Return the segments that cut answers by staff."""
    return [segment.id for segment in programme.segments if segment.field in ("team", "staff_id")]


def _nested(tables, found: pd.DataFrame) -> list[tuple]:
    """Sums across segments that hold among the answers: a region that is made of countries gives a hidden country away as well as its own total does."""
    responses, programme, told = tables["responses"], tables.programme, []
    cuts = [segment for segment in programme.segments if segment.table == "responses" and segment.field in responses]
    for (survey, wave), own in responses.groupby(["survey", "wave"], sort=False):
        if cells.limit(programme, survey) <= 1:
            continue
        values = {segment.id: own[segment.field].astype("str").replace(dict(segment.values)).where(own[segment.field].notna()) for segment in cuts}
        for coarse in cuts:
            for fine in cuts:
                if coarse.id == fine.id:
                    continue
                pairs = pd.DataFrame({"coarse": values[coarse.id], "fine": values[fine.id]}).dropna().drop_duplicates()
                whole = pairs.groupby("fine")["coarse"].transform("nunique") == 1
                for value, parts in pairs.assign(whole=whole).groupby("coarse"):
                    if parts["whole"].all():
                        told.append((survey, wave, (coarse.id, value), [(fine.id, one) for one in sorted(parts["fine"])]))
    return told


def changes(tables, found: pd.DataFrame) -> pd.DataFrame:
    """Return how each KPI moved in the waves of the reported quarter: against the last wave, and against the same quarter of last year.

    in: what `kpis(tables)` returns. out: kpi, survey, wave, quarter, against ("last wave" or "last year"), then_wave, then_quarter, gap (quarters
    between), then what `metrics.change` returns: estimate, std_error, conf_low, conf_high, p, detectable, needed_n, now, then, n, n_eff, n_both,
    note. People who answered in both waves are allowed for by the covariance of their answers. Where the last wave is last year's, it
    is told once. Waves on the other side of a change that the programme calls not comparable (`changed`) are no comparison. Waves before the reported quarter were tested when they were reported and are not tested again.
    """
    responses, programme, parts = tables["responses"], tables.programme, []
    designs = samples(tables) if len(found) else {}
    for (kpi, survey), own in found.groupby(["kpi", "survey"], sort=False):
        own = own.sort_values(["quarter", "wave"], kind="stable")
        stretch = (own["changed"] != "").cumsum()
        own = own[stretch == stretch.iloc[-1]]
        item, definition = programme.kpi(kpi).item, programme.kpi(kpi).definition
        now = own.iloc[[-1]].reset_index(drop=True)
        if now["quarter"].iloc[0] != tables.quarter:
            continue
        earlier = {"last wave": own.iloc[[-2]] if len(own) > 1 else own.iloc[:0], "last year": own[own["quarter"] == quarters.back(tables.quarter, 4)].tail(1)}
        if len(earlier["last year"]) and earlier["last year"]["wave"].iloc[0] == earlier["last wave"]["wave"].iloc[0]:
            earlier = {"last year": earlier["last year"]}
        for against, then in earlier.items():
            if then.empty:
                continue
            answers = [responses[(responses["survey"] == survey) & (responses["wave"] == side["wave"].iloc[0])] for side in (now, then)]
            both = metrics.overlap(*answers, person="person_id", score=item, definition=definition, weight="weight") if not answers[0]["person_id"].isna().all() else None
            both = _tied(both, designs.get(survey), now, then, item, definition)
            moved = metrics.change(now, then, overlap=both).assign(against=against, then_wave=then["wave"].iloc[0], then_quarter=then["quarter"].iloc[0])
            parts.append(moved.assign(gap=quarters.between(then["quarter"].iloc[0], tables.quarter), **{key: now[key].iloc[0] for key in KEYS}))
    keys = [*KEYS, "against", "then_wave", "then_quarter", "gap"]
    if not parts:
        return pd.DataFrame(columns=[*keys, "definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "p", "detectable", "needed_n", "now", "then", "n", "n_eff", "n_both", "note"])
    moved = pd.concat(parts, ignore_index=True)
    return moved[[*keys, *(name for name in moved if name not in keys)]]


def _tied(both, sample: Sample | None, now, then, item, definition):
    """Return the overlap of two waves with the covariance of their clusters, or of the parts that their margins do not explain."""
    if sample is None or not (sample.options["cluster"] or sample.options["margins"]):
        return both
    sides = [sample.frame[sample.frame["wave"] == side["wave"].iloc[0]] for side in (now, then)]
    options = sample.options | {"cluster": sample.options["cluster"] or "person_id"}
    if sides[0][options["cluster"]].isna().all():
        return both
    covariance = design.shared(*sides, score=item, definition=definition, **options)
    return pd.DataFrame({"n_both": [0]}).assign(covariance=covariance) if both is None else both.assign(covariance=covariance)


def kinds(moved: pd.DataFrame, programme) -> pd.Series:
    """Return which changes are headline tests: those of primary KPIs, last wave first, ten at most; the others are secondary."""
    primary = moved["kpi"].map(lambda kpi: programme.kpi(kpi).primary).astype(bool)
    order = moved.assign(first=moved["against"] != "last wave")[primary].sort_values("first", kind="stable").index[:PRIMARY]
    return pd.Series("secondary", index=moved.index).where(~moved.index.isin(order), "primary")
