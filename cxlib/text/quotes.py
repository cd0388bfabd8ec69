"""Quotations: what may be shown of a verbatim, without what identifies a person."""

import re

import numpy as np
import pandas as pd

from cxlib.load.redaction import MARKS, redact

__all__ = ["quotes", "reading", "redact"]

KINDS = ("typical", "extreme", "random")
READ = ["topic", "polarity", "kind", "response_id", "item", "text", "clause", "redactions"]


def quotes(mentions: pd.DataFrame, verbatims: pd.DataFrame, *, surveys, each: int = 3, shortest: int = 20, longest: int = 300) -> pd.DataFrame:
    """The most typical verbatims of each topic and polarity, redacted: nearest to the words that its mentions share.

    `surveys` names those whose promise to respondents permits quoting; verbatims of others are never returned. Takes mentions and
    verbatims (response_id, survey, item, text); only texts of `shortest` to `longest` characters are quoted, a respondent once a topic.
    The same words are quoted once. Text is not escaped here: pages escape whatever they show.

    Returns topic, polarity, rank (1 = most typical), response_id, item, text (redacted), redactions, typicality (cosine, 0..1).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    columns = ["topic", "polarity", "rank", "response_id", "item", "text", "redactions", "typicality"]
    allowed = verbatims[verbatims["survey"].isin(list(surveys))] if "survey" in verbatims.columns else verbatims.iloc[:0]
    keys = ["response_id", "item"] if "item" in verbatims.columns and "item" in mentions.columns else ["response_id"]
    told = mentions[[*keys, "topic", "polarity"]].drop_duplicates().merge(allowed[[*keys, "text"]].drop_duplicates(keys), on=keys)
    told = told.sort_values(["topic", "polarity", *keys], ignore_index=True)
    if told.empty:
        return pd.DataFrame(columns=columns)
    cut = told["text"].str.slice(0, 5000)
    try:
        vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=20_000).fit_transform(cut)
    except ValueError:
        return pd.DataFrame(columns=columns)
    rows = []
    for (topic, polarity), at in told.groupby(["topic", "polarity"]).indices.items():
        centre = np.asarray(vectors[at].mean(axis=0)).ravel()
        near = np.round(np.asarray(vectors[at] @ centre).ravel() / (np.linalg.norm(centre) or 1.0), 9)
        seen, people = set(), set()
        for best in np.argsort(-near, kind="stable"):
            line = told.iloc[at[best]]
            text, _ = redact(line["text"].strip())  # the store's text is redacted already; frames from elsewhere may not be
            count = sum(text.count(mark) for mark in MARKS.values())
            if not shortest <= len(text) <= longest or _bare(text) in seen or line["response_id"] in people:
                continue
            seen.add(_bare(text))
            people.add(line["response_id"])
            rows.append((topic, polarity, len(seen), line["response_id"], line.get("item", ""), text, count, float(near[best])))
            if len(seen) == each:
                break
    return pd.DataFrame(rows, columns=columns)


def reading(mentions: pd.DataFrame, verbatims: pd.DataFrame, *, surveys, each: int = 3, shortest: int = 20, longest: int = 600, seed: int = 1) -> pd.DataFrame:
    """Choose the verbatims to be read of each topic: the most typical, the most extreme and some at random, so that nobody has to trust a choice.

    in: mentions (response_id, item, topic, polarity, clause_text and, where learnt, positive: how likely the clause is praise), verbatims (response_id, survey, item, text); `surveys` are those whose
    promise permits quoting. Typical: nearest to the words that the topic's criticism (and, apart, its praise) share, `each` a side. Extreme: clauses furthest from the middle, the surest criticism and the surest
    praise, and of those without a learnt polarity the longest run of opinion. Random: by lot, from all that speak of the topic. A comment is shown once a topic, under the first of these that
    took it; the same words once. Texts are redacted again and not escaped: pages escape whatever they show.

    out: topic, polarity, kind (typical | extreme | random), response_id, item, text, clause (the part that speaks of the topic), redactions.
    """
    keys = ["response_id", "item"]
    allowed = verbatims[verbatims["survey"].isin(list(surveys))][[*keys, "text"]].drop_duplicates(keys)
    allowed = allowed[allowed["text"].str.len().between(shortest, longest)]
    told = mentions.assign(sure=(mentions["positive"] - 0.5).abs() if "positive" in mentions else np.nan).sort_values([*keys, "clause"] if "clause" in mentions else keys)
    told = told.drop_duplicates([*keys, "topic", "polarity"]).merge(allowed, on=keys)
    if told.empty:
        return pd.DataFrame(columns=READ)
    near = quotes(mentions, verbatims, surveys=surveys, each=each, shortest=shortest, longest=longest)
    near = near[near["polarity"].isin(["positive", "negative"])][["topic", "polarity", *keys]].merge(told, on=["topic", "polarity", *keys])
    sides = told[told["polarity"].isin(["positive", "negative"])]
    far = sides.assign(sure=sides["sure"].fillna(sides["text"].str.count("!") + sides["text"].str.len() / longest).round(9)).sort_values(["sure", *keys], ascending=[False, True, True], kind="stable")
    far = far.groupby(["topic", "polarity"], sort=True).head(2 * each)
    lot = told.iloc[np.random.default_rng(seed).permutation(len(told))].groupby("topic", sort=True).head(3 * each)
    rows = []
    for kind, pool, most in (("typical", near, each), ("extreme", far, 1 + each // 2), ("random", lot, each)):
        rows.append(pool.assign(kind=kind, most=most))
    whole, kept, seen = pd.concat(rows, ignore_index=True), [], set()
    counts: dict = {}
    for row in whole.to_dict("records"):
        words, side = (row["topic"], _bare(row["text"])), (row["kind"], row["topic"], row["polarity"] if row["kind"] != "random" else "")
        if words in seen or (row["topic"], row["response_id"]) in seen or counts.get(side, 0) >= row["most"]:
            continue
        seen |= {words, (row["topic"], row["response_id"])}
        counts[side] = counts.get(side, 0) + 1
        text, clause = redact(row["text"].strip())[0], redact(str(row.get("clause_text", "")).strip())[0]
        kept.append((row["topic"], row["polarity"], row["kind"], row["response_id"], row["item"], text, clause if clause in text else "", sum(text.count(mark) for mark in MARKS.values())))
    found = pd.DataFrame(kept, columns=READ)
    return found.sort_values(["topic", "kind", "polarity"], key=lambda column: column.map({name: at for at, name in enumerate(KINDS)}) if column.name == "kind" else column, kind="stable", ignore_index=True)


def _bare(text: str) -> str:
    """A text by its words alone: two that differ in a full stop or in capitals are one."""
    return " ".join(re.findall(r"\w+", text.lower()))
