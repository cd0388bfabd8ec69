"""The comments of a programme: coded, judged for better or worse, counted by survey and quarter, compared, and related to a KPI.

Surveys are never pooled: each has its own people, its own questions and its own model of polarity.
"""

import pandas as pd

from cxlib.measure import metrics
from cxlib.text import prevalence, quotes, sentiment, topics


def of(tables) -> pd.DataFrame:
    """Return the verbatims under the id that is unique in the programme: those of the table, with response_id = answer."""
    return tables["verbatims"].assign(response_id=lambda rows: rows["answer"])


def responses(tables) -> pd.DataFrame:
    """Return the responses under the same id."""
    return tables["responses"].assign(response_id=lambda rows: rows["answer"])


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
    return pd.concat(parts, ignore_index=True)


def changes(shared: pd.DataFrame, *, polarity: str = "negative") -> pd.DataFrame:
    """Return how each topic's share in one polarity moved between the last two quarters of its survey.

    in: what `shares` returns. out: survey, topic, polarity, quarter, then_quarter, then estimate (proportion now less then), std_error, conf_low, conf_high,
    n, n_eff, p, detectable, now, then, note, as `metrics.change` gives them. A survey with one quarter has no row.
    """
    own = shared[(shared["level"] == "topic") & (shared["polarity"] == polarity)].assign(definition="share of commenters", unit="share", note="")
    columns = ["survey", "topic", "polarity", "quarter", "then_quarter", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "p", "detectable", "now", "then", "note"]
    parts = []
    for _, group in own.groupby("survey", sort=True):
        last = sorted(group["quarter"].unique())[-2:]
        if len(last) == 2:
            then, now = (group[group["quarter"] == quarter] for quarter in last)
            parts.append(metrics.change(now, then, by=["survey", "topic", "polarity"]).assign(quarter=last[1], then_quarter=last[0]))
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def impact(mentions: pd.DataFrame, tables, kpi) -> pd.DataFrame:
    """Return `prevalence.impact` in the latest quarter of each survey: how the KPI would differ without those who mention a topic.

    out: survey, quarter, kpi, then topic, estimate (points for an NPS, else scale units), limits, n, n_eff, count, share, kpi_with, kpi_rest, p, note.
    """
    return _related(prevalence.impact, mentions, tables, kpi)


def associations(mentions: pd.DataFrame, tables, kpi) -> pd.DataFrame:
    """Return `prevalence.associations` in the latest quarter of each survey: how those who mention a topic differ from the others, the other topics held constant.

    Polarity is left out (polarity "any"): it was learnt from the same ratings, so critics would score low by construction.
    """
    return _related(prevalence.associations, mentions.assign(polarity="any"), tables, kpi)


def typical(mentions: pd.DataFrame, tables, *, polarity: str = "negative", each: int = 2) -> pd.DataFrame:
    """Return the most typical comments of each topic in the latest quarter (`quotes.quotes`), from surveys whose promise permits quoting."""
    permitted = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
    return quotes.quotes(mentions[mentions["polarity"] == polarity], latest(of(tables)), surveys=permitted, each=each)


def _related(relation, mentions, tables, kpi):
    answers, kind = responses(tables), "nps" if metrics.definition_of(kpi.definition).unit == "points" else "mean"
    parts = []
    for survey, own in latest(of(tables)).groupby("survey", sort=True):
        found = relation(mentions[mentions["response_id"].isin(own["response_id"])], own, answers, score=kpi.item, kpi=kind)
        parts.append(found.assign(survey=survey, quarter=own["quarter"].iloc[0], kpi=kpi.id))
    return pd.concat(parts, ignore_index=True)


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each survey's latest quarter."""
    return found[found["quarter"] == found.groupby("survey")["quarter"].transform("max")]
