"""Quotations: what may be shown of a verbatim, without what identifies a person."""

import numpy as np
import pandas as pd

from cxlib.load.redaction import MARKS, redact

__all__ = ["quotes", "redact"]


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
            if not shortest <= len(text) <= longest or text.lower() in seen or line["response_id"] in people:
                continue
            seen.add(text.lower())
            people.add(line["response_id"])
            rows.append((topic, polarity, len(seen), line["response_id"], line.get("item", ""), text, count, float(near[best])))
            if len(seen) == each:
                break
    return pd.DataFrame(rows, columns=columns)
