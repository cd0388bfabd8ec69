"""Links: what topics have to do with the KPI in the surveys of a programme: who would move it, with what else held, and at which border."""

from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.text import codings, correction, prevalence, topics
from cxlib.text.comments import judged, latest, of, responses, worded

BORDER = ["survey", "border", "topic", "quarter"]


KINDS = {"points": "nps", "share": "share", "scale": "mean"}  # a KPI's unit -> how `prevalence` reads its scores


def valued(tables, kpi, what) -> pd.DataFrame:
    """Return `comments.responses` with what the KPI counts in place of its score, as its definition `what` (`metrics.definition_of`) has it: the score for an NPS or a mean, 1 or 0 for a share.

    Scores are turned so that more is better, but for definitions of which low is the good end: those read them as they were given.
    """
    answers = responses(tables)
    score = answers[kpi.item].astype(float)
    if what.good == "low":
        score = answers["response_id"].map(tables["responses"].drop_duplicates("answer").set_index("answer")[kpi.item]).astype(float)
    return answers.assign(**{kpi.item: pd.Series(what.value(score), index=answers.index).where(score.notna()) if what.unit == "share" else score})


def impact(mentions: pd.DataFrame, tables, kpi, codeframe=None, *, what) -> pd.DataFrame:
    """Return `prevalence.impact` in the latest quarter of each survey: how the KPI would differ without those who mention a topic; corrected where people have audited the quarter (`correction.impact`), else indicative.

    `what` is the KPI's definition (`metrics.definition_of`). out: survey, quarter, kpi, then topic, estimate (points for an NPS, a proportion for a share, else scale units), limits, n, n_eff, count (who
    mentions it as the coder codes), share, kpi_with, kpi_rest, p, note, uncorrected, audit_n, indicative. Without a KPI (None: only messages were written) there is no row.
    """
    if kpi is None:
        return pd.DataFrame(columns=["survey", "quarter", "kpi", "topic", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "count", "share", "kpi_with", "kpi_rest", "p", "note", "uncorrected", "audit_n", "indicative"])
    answers, kind, parts = valued(tables, kpi, what), KINDS[what.unit], []
    coded, words = codings.audited(tables.programme, codeframe) if codeframe is not None else pd.DataFrame(columns=["survey", "quarter"]), set(worded(tables)["survey"])
    for survey, own in latest(of(tables, codeframe)).groupby("survey", sort=True):
        said, quarter = mentions[mentions["response_id"].isin(own["response_id"])], own["quarter"].iloc[0]
        raw = prevalence.impact(said, own, answers, score=kpi.item, kpi=kind)
        by_people = coded[(coded["survey"] == survey) & (coded["quarter"] == quarter)]
        found = _corrected(raw, said, own, answers, by_people, codeframe, kpi.item, kind) if len(by_people) else raw.assign(uncorrected=raw["estimate"], audit_n=0, indicative=survey in words)
        parts.append(found.assign(survey=survey, quarter=quarter, kpi=kpi.id))
    return cells.topics(pd.concat(parts, ignore_index=True), programme=tables.programme)


def _rectified(found, mentions, verbatims, answers, by_people, codeframe, score, more):
    """The associations of a survey, those of topics that stood on the sheets of every audit corrected by the audited quarters."""
    own = verbatims[verbatims["quarter"].isin(by_people["quarter"])]
    people, value = prevalence.scored(own, answers, **score, keep=(*more["controls"], *more["ratings"]))
    people = people.assign(value=value, quarter=people["response_id"].map(own.drop_duplicates("response_id").set_index("response_id")["quarter"]))
    audits = [judged(people[people["quarter"] == quarter], rows, codeframe) for quarter, rows in by_people.groupby("quarter", sort=True)]
    people = pd.concat([one for one, _, _ in audits]).sort_index()
    asked = set.intersection(*(topics_ for _, _, topics_ in audits))
    told = pd.concat([said for _, said, _ in audits], ignore_index=True)
    there = found["topic"].isin(asked)
    right = correction.associations(found[there], prevalence.rolled(mentions[mentions["response_id"].isin(people["response_id"])]), told, people, prevalence.held(people, **more))
    return pd.concat([right, found[~there]]).sort_index()


def _corrected(raw, mentions, verbatims, answers, by_people, codeframe, score, kind):
    """The links of one wave, corrected by its audit; those of topics that did not stand on its sheets are left as the coder codes."""
    people, value = prevalence.scored(verbatims, answers, score, kind)
    people, told, asked = judged(people.assign(value=value), by_people, codeframe)
    there = raw["topic"].isin(asked)
    parts = [correction.impact(raw[there], prevalence.rolled(mentions), told, people, kpi=kind), raw[~there].assign(uncorrected=raw["estimate"], audit_n=0, indicative=True)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True).sort_values("topic", ignore_index=True)


def associations(mentions: pd.DataFrame, tables, kpi, codeframe=None, *, what, back: int = 4) -> pd.DataFrame:
    """Return `prevalence.associations`: how those who mention a topic differ from the others, with what else they mention, their segment and the wave held constant, and then with their ratings held as well.

    The last `back` quarters of each survey together; where people have audited some of them, these alone, corrected (`correction.associations`), for the topics of which the audit tells enough. Segments are those of the programme that stand in the responses; ratings are the attributes of its driver models. Polarity is left out (polarity "any"): it was learnt from the
    same ratings, so critics would score low by construction. out: survey, quarter (the last), kpi, held ("topics, segment, wave" or, where there are ratings, "and ratings"), topic, polarity, estimate, ..., uncorrected, audit_n, indicative.
    """
    if kpi is None:
        return pd.DataFrame(columns=["survey", "quarter", "kpi", "held", "topic", "polarity", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_eff", "count", "note", "uncorrected", "audit_n", "indicative"])
    answers, kind, parts = valued(tables, kpi, what), KINDS[what.unit], []
    programme, plain = tables.programme, mentions.assign(polarity="any")
    coded, words = codings.audited(programme, codeframe) if codeframe is not None else pd.DataFrame(columns=["survey", "quarter"]), set(worded(tables)["survey"])
    for survey, own in of(tables, codeframe).groupby("survey", sort=True):
        own = own[own["quarter"].isin(sorted(own["quarter"].unique())[-back:])]
        here = answers[answers["response_id"].isin(own["response_id"])].assign(_wave=lambda rows: rows["wave"])
        cuts = [segment.field for segment in programme.segments if segment.table == "responses" and segment.field in here and segment.field != kpi.item and 1 < here[segment.field].nunique() <= 12]
        ratings = list(dict.fromkeys(item for model in programme.drivers if model.survey == survey for item in model.items if item in here and here[item].notna().mean() > 0.5 and item != kpi.item))
        for held, extra in (("topics, segment, wave", ()), ("and ratings", tuple(ratings))):
            if extra or held != "and ratings":
                asked = {"score": kpi.item, "kpi": kind}, {"controls": tuple(dict.fromkeys(["_wave", *cuts])), "ratings": extra}
                found = prevalence.associations(plain[plain["response_id"].isin(own["response_id"])], own, here, **asked[0], **asked[1])
                found = found.assign(uncorrected=found["estimate"], audit_n=0, indicative=survey in words)
                by_people = coded[(coded["survey"] == survey) & coded["quarter"].isin(own["quarter"])]
                found = _rectified(found, plain, own, here, by_people, codeframe, *asked) if len(by_people) else found
                parts.append(found.assign(survey=survey, quarter=own["quarter"].max(), kpi=kpi.id, held=held))
    whole = pd.concat(parts, ignore_index=True)
    kept = [cells.topics(part, programme=programme) for _, part in whole.groupby("held", sort=False)]
    return pd.concat(kept, ignore_index=True) if kept else whole  # comments of which none names a topic: another language than the codeframe's, say


def sides(mentions: pd.DataFrame, tables, codeframe, kpi, *, unit: str | None, back: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the share of each topic among those who gave just the better and just the worse score beside a border of the KPI, as two frames to be compared by `BORDER`.

    Borders: 6 and 7, 8 and 9 of 0 to 10 for an NPS; else every two neighbouring scores of the item, five at most. The last `back` quarters together, or the bases would be too small. out, twice: survey, border ("6 | 7"), topic,
    then the columns of `prevalence.shares` in polarity "any": polarity was learnt from scores.
    """
    answers, parts = responses(tables), []
    for _, own in of(tables, codeframe).groupby("survey", sort=True):
        recent = sorted(own["quarter"].unique())[-back:]
        own = own[own["quarter"].isin(recent)]
        scores = sorted(answers.loc[answers["response_id"].isin(own["response_id"]), kpi.item].dropna().unique())
        pairs = [(6.0, 7.0), (8.0, 9.0)] if unit == "points" else list(pairwise(scores))[-5:]
        for low, high in pairs:
            for side, score in (("below", low), ("above", high)):
                there = answers[(answers[kpi.item] == score) & answers["response_id"].isin(own["response_id"])].drop(columns="quarter")
                said = own[own["response_id"].isin(there["response_id"])].drop(columns="quarter")
                if len(said):
                    found = prevalence.shares(mentions[mentions["response_id"].isin(said["response_id"])].assign(polarity="any"), said, by=("survey",), responses=there.drop(columns="survey"), codeframe=codeframe)
                    parts.append(found[(found["polarity"] == "any") & (found["level"] == "topic")].assign(border=" | ".join(as_asked(tables.programme, kpi.item, score) for score in (low, high)), side=side, quarter=f"{recent[0]} to {recent[-1]}" if len(recent) > 1 else recent[0]))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["survey", "border", "side", "topic", "quarter", "estimate", "std_error", "n", "n_eff", "count"])
    whole = whole.assign(definition="share of commenters", unit="share", note="")
    enough = whole.groupby(["survey", "border", "topic"])["count"].transform("sum") >= prevalence.FEW if len(whole) else []
    whole = cells.topics(whole[enough].assign(topic=lambda rows: rows["border"] + "\0" + rows["topic"]), programme=tables.programme).assign(topic=lambda rows: rows["topic"].str.split("\0").str[1]) if len(whole) else whole
    both = whole.groupby(["survey", "border", "topic"])["side"].transform("nunique") == 2 if len(whole) else []
    return tuple(whole[both & (whole["side"] == side)].reset_index(drop=True) if len(whole) else whole for side in ("above", "below"))


def indicators(mentions: pd.DataFrame, tables, codeframe=None, *, criticism: bool = False, fewest: int = 10) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return the responses with a column a topic: 1 where it is mentioned, 0 where somebody wrote of other things, NaN where nobody wrote; and, by survey, which columns at least `fewest` speak of (a survey without any is left out).

    The columns are called "topic ID", which no item can be. With `criticism` only mentions count that opinion words make negative (not the polarity that was learnt from the very scores they are to be related to).
    """
    mentions = mentions[mentions["polarity_words" if "polarity_words" in mentions else "polarity"] == "negative"] if criticism else mentions
    answers, wrote = responses(tables), of(tables, codeframe)
    wrote = set(wrote.loc[wrote["text"].map(topics.clean).str.strip() != "", "response_id"])
    base = np.where(answers["response_id"].isin(wrote), 0.0, np.nan)
    held = {f"topic {topic}": np.where(answers["response_id"].isin(set(own["response_id"])), 1.0, base) for topic, own in mentions.groupby("topic", sort=True)}
    found = pd.concat([answers, pd.DataFrame(held, index=answers.index)], axis=1)
    counts = found.groupby("survey")[list(held)].sum() if held else pd.DataFrame()
    named = {survey: [name for name in held if row[name] >= fewest] for survey, row in counts.iterrows()}
    return found, {survey: names for survey, names in named.items() if names}


def as_asked(programme, item: str, score: float) -> str:
    """Return a turned score (`responses`) as the questionnaire has it, in words for a page."""
    found = programme.item(item)
    if found.kind == "rating" and programme.direction(found) == "low_is_good":
        score = programme.scales[found.scale].low + programme.scales[found.scale].high - score
    return f"{score:g}"
