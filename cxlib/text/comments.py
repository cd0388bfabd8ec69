"""The comments of a programme: coded, judged for better or worse, counted by survey and quarter, compared, and related to a KPI.

Surveys are never pooled: each has its own people, its own questions and its own model of polarity.
"""

import pandas as pd

from cxlib import cells
from cxlib.load import weighting
from cxlib.text import prevalence, quotes, sentiment, topics

PAIR = ["survey", "topic", "polarity", "quarter", "then_quarter"]


def of(tables) -> pd.DataFrame:
    """Return the verbatims under the id that is unique in the programme: those of the table, with response_id = answer."""
    return tables["verbatims"].assign(response_id=lambda rows: rows["answer"])


def responses(tables) -> pd.DataFrame:
    """Return the responses under the same id, with the unit that stands behind each in its survey: the cluster that the survey declares, else the person."""
    found = tables["responses"].assign(response_id=lambda rows: rows["answer"])
    unit = found["person_id"].astype(object)
    for survey in tables.programme.surveys:
        if survey.cluster:
            own = found[found["survey"] == survey.id]
            own = weighting.placed(own, tables["people"] if "link" in survey.uses else tables["people"].iloc[:0], [survey.cluster])
            if survey.cluster in own:
                unit = unit.where(found["survey"] != survey.id, own[survey.cluster].astype(object).reindex(found.index))
    return found.assign(unit=unit)


def code(tables, codeframe) -> pd.DataFrame:
    """Return the mentions of every verbatim (`topics.code`) with the survey they come from."""
    found = tables.map(lambda rows: topics.code(rows.assign(response_id=rows["answer"]), codeframe), "verbatims")
    return found.assign(survey=found["response_id"].map(of(tables).drop_duplicates("response_id").set_index("response_id")["survey"]))


def judge(mentions: pd.DataFrame, tables, *, score: str, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every mention the polarity learnt from its survey's own ratings (`sentiment.learn`), and return it with a check a survey.

    out: mentions with polarity replaced; checks: survey, then the columns of `Learnt.check`.
    """
    answers, judged, checks = responses(tables), [], []
    for survey, texts in of(tables).groupby("survey", sort=True):
        own = mentions[mentions["survey"] == survey]
        learnt = sentiment.learn(own, texts, answers, score=score, seed=seed)
        judged.append(sentiment.polarity(own, learnt))
        checks.append(learnt.check.assign(survey=survey))
    return pd.concat(judged, ignore_index=True), pd.concat(checks, ignore_index=True)


def coverage(mentions: pd.DataFrame, tables, codeframe) -> pd.DataFrame:
    """Return `prevalence.coverage` by survey and quarter."""
    return prevalence.coverage(mentions, of(tables), codeframe, by=("survey", "quarter"))


def shares(mentions: pd.DataFrame, tables, codeframe) -> pd.DataFrame:
    """Return `prevalence.shares` by survey and quarter, weighted, on the base of commenters."""
    answers = responses(tables)
    parts = [prevalence.shares(mentions[mentions["survey"] == survey], own, by=("survey", "quarter"), responses=answers, codeframe=codeframe) for survey, own in of(tables).groupby("survey", sort=True)]
    return cells.topics(pd.concat(parts, ignore_index=True), programme=tables.programme)


def last_two(shared: pd.DataFrame, *, polarity: str = "negative") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each topic's shares in the last quarter of its survey and in the one before, as two frames to be compared by `PAIR`.

    in: what `shares` returns. Both carry quarter (the last) and then_quarter (the one before). A survey with one quarter is in neither.
    """
    own = shared[(shared["level"] == "topic") & (shared["polarity"] == polarity)].assign(definition="share of commenters", unit="share", note="")
    last = own.groupby("survey")["quarter"].transform("max")
    before = own["quarter"].where(own["quarter"] < last).groupby(own["survey"]).transform("max")
    dated, both = own.assign(at=own["quarter"], quarter=last, then_quarter=before), before.notna()
    return dated[both & (own["quarter"] == last)].reset_index(drop=True), dated[both & (own["quarter"] == before)].reset_index(drop=True)


def impact(mentions: pd.DataFrame, tables, kpi, *, unit: str) -> pd.DataFrame:
    """Return `prevalence.impact` in the latest quarter of each survey: how the KPI would differ without those who mention a topic.

    `unit` is that of the KPI's definition: points are an NPS, else the mean of the scores is taken. out: survey, quarter, kpi, then topic, estimate (points for an NPS, else scale units), limits, n, n_eff, count, share, kpi_with, kpi_rest, p, note.
    """
    return _related(prevalence.impact, mentions, tables, kpi, unit)


def associations(mentions: pd.DataFrame, tables, kpi, *, unit: str) -> pd.DataFrame:
    """Return `prevalence.associations` in the latest quarter of each survey: how those who mention a topic differ from the others, the other topics held constant.

    Polarity is left out (polarity "any"): it was learnt from the same ratings, so critics would score low by construction.
    """
    return _related(prevalence.associations, mentions.assign(polarity="any"), tables, kpi, unit)


def typical(mentions: pd.DataFrame, tables, *, polarity: str = "negative", each: int = 2) -> pd.DataFrame:
    """Return the most typical comments of each topic in the latest quarter (`quotes.quotes`), from surveys whose promise permits quoting.

    Comments from an account of a few people are withheld (`told_apart`), because its manager would know whose they are.
    """
    permitted = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
    said = latest(of(tables))
    return quotes.quotes(mentions[mentions["polarity"] == polarity], said[~said["answer"].isin(told_apart(tables))], surveys=permitted, each=each)


def told_apart(tables) -> set[str]:
    """Return the answers (ids) that come from an account of several people, but fewer than limits.min_cell: words there name their speaker.

    Consumers are accounts of one and share nothing with a colleague. Surveys that promised to be attributed are not held back. An account's people are
    those of the people table and of the answers together.
    """
    programme, answers, people = tables.programme, tables["responses"], tables["people"]
    named = [survey.id for survey in programme.surveys if survey.promise == "attributed"]
    account = answers["account_id"].fillna(answers["person_id"].map(people.drop_duplicates("person_id").set_index("person_id")["account_id"]))
    pairs = pd.concat([people[["account_id", "person_id"]], answers.assign(account_id=account)[["account_id", "person_id"]]]).dropna().drop_duplicates()
    sizes = account.map(pairs.groupby("account_id")["person_id"].nunique()).fillna(1)
    return set(answers.loc[(sizes > 1) & (sizes < programme.limits.min_cell) & ~answers["survey"].isin(named), "answer"])


def _related(relation, mentions, tables, kpi, unit):
    answers, kind = responses(tables), "nps" if unit == "points" else "mean"
    parts = []
    for survey, own in latest(of(tables)).groupby("survey", sort=True):
        found = relation(mentions[mentions["response_id"].isin(own["response_id"])], own, answers, score=kpi.item, kpi=kind)
        parts.append(found.assign(survey=survey, quarter=own["quarter"].iloc[0], kpi=kpi.id))
    return cells.topics(pd.concat(parts, ignore_index=True), programme=tables.programme)


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each survey's latest quarter."""
    return found[found["quarter"] == found.groupby("survey")["quarter"].transform("max")]
