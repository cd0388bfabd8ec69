"""Commenting: who writes at all, by score, and what topics weigh when those who write less count as much as they should."""

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.text import comments, links, prevalence, topics

NO_SCORE = "no score"


def rates(tables, kpi, codeframe=None, *, unit: str | None) -> pd.DataFrame:
    """Which share of respondents wrote a comment, by the score they gave, in the latest quarter of each survey with comments?

    Scores are grouped as the KPI groups them for an NPS (0-6, 7-8, 9-10), else taken one by one. out: survey, quarter, scores, estimate (weighted proportion), conf_low, conf_high (Wilson), n (respondents), n_eff (Kish), count (who wrote). The worst scores come first. Groups
    that tell of too few persons of an anonymous survey are left out with the next smallest.
    """
    people = _people(tables, kpi, unit, codeframe) if kpi else pd.DataFrame(columns=["survey", "quarter", "response_id", "weight", "scores", "order", "wrote"])
    rows = []
    for (survey, quarter, scores), own in people.groupby(["survey", "quarter", "scores"], sort=True):
        weight, wrote = own["weight"].to_numpy(float), own["wrote"].to_numpy(bool)
        n_eff = weight.sum() ** 2 / (weight**2).sum()
        share = float(weight @ wrote / weight.sum())
        low, high = (float(end) for end in prevalence.wilson(share, n_eff))
        rows.append((survey, quarter, scores, share, low, high, len(own), n_eff, int(wrote.sum())))
    order = people.groupby(["survey", "quarter", "scores"])["order"].min()
    found = pd.DataFrame(rows, columns=["survey", "quarter", "scores", "estimate", "conf_low", "conf_high", "n", "n_eff", "count"])
    found = found.assign(order=pd.MultiIndex.from_frame(found[["survey", "quarter", "scores"]]).map(order) if len(found) else []).sort_values(["survey", "order"], kind="stable", ignore_index=True).drop(columns="order")
    bad = cells.few(found, programme=tables.programme) if len(found) else []
    return found[~found["survey"].isin(found.loc[bad, "survey"])].reset_index(drop=True) if len(found) else found


def shares(mentions: pd.DataFrame, tables, codeframe, kpi, *, unit: str | None) -> pd.DataFrame:
    """Which share of all respondents speaks of a topic, and which would if everybody wrote as those with the same score do?

    In the latest quarter of each survey. base: commenters (as `prevalence.shares`), respondents (who wrote nothing speak of nothing: the lowest it can be), evened (commenters, with weights divided by the comment rate of their
    score, so that people with low scores, who write more, count for what they are among respondents; it holds if those who are silent would write of what others with their score write of). As the coder counts:
    an audit corrects the first of them only. out: survey, quarter, topic, level, polarity, base, estimate, std_error, conf_low, conf_high, n, n_eff, count.
    """
    columns = ["survey", "quarter", "topic", "level", "polarity", "base", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "count"]
    if not kpi:
        return pd.DataFrame(columns=columns)
    people = _people(tables, kpi, unit, codeframe)
    whole, parts = comments.responses(tables), []
    rate = people.groupby(["survey", "quarter", "scores"]).apply(lambda own: np.average(own["wrote"], weights=own["weight"]) if own["weight"].sum() else np.nan, include_groups=False)
    even = people[people["wrote"]].assign(weight=lambda rows: rows["weight"] / pd.MultiIndex.from_frame(rows[["survey", "quarter", "scores"]]).map(rate))
    for survey, own in comments.latest(comments.of(tables, codeframe)).groupby("survey", sort=True):
        said, here = mentions[mentions["response_id"].isin(own["response_id"])], whole[(whole["survey"] == survey) & (whole["quarter"] == own["quarter"].iloc[0])]
        evened = here[here["response_id"].isin(even["response_id"])].drop(columns="weight").merge(even[["response_id", "weight"]], on="response_id")
        for base, answers, counted in (("commenters", here, "commenters"), ("respondents", here, "respondents"), ("evened", evened, "commenters")):
            parts.append(prevalence.shares(said, own, by=("survey", "quarter"), responses=answers, codeframe=codeframe, base=counted).assign(base=base))
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts, ignore_index=True)
    return cells.topics(found[found["polarity"] != "unclear"], programme=tables.programme)[columns]


def _people(tables, kpi, unit, codeframe) -> pd.DataFrame:
    """The respondents of each survey's latest quarter with comments: answer, weight, group of scores, whether they wrote."""
    verbatims = comments.latest(comments.of(tables, codeframe))
    wrote = set(verbatims.loc[verbatims["text"].map(topics.clean).str.strip() != "", "response_id"])
    answers = comments.responses(tables)
    here = answers.merge(verbatims[["survey", "quarter"]].drop_duplicates(), on=["survey", "quarter"])
    score = here[kpi.item]
    if unit == "points":
        scores = np.select([score <= 6, score <= 8, score <= 10], ["0-6", "7-8", "9-10"], NO_SCORE)
    else:
        scores = np.where(score.notna(), score.map(lambda one: links.as_asked(tables.programme, kpi.item, one)), NO_SCORE)
    return here[["survey", "quarter", "response_id", "weight"]].assign(scores=scores, order=score.fillna(np.inf), wrote=here["response_id"].isin(wrote))
