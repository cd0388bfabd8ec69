"""Recoding: what another version of the codeframe makes of the same verbatims, in every quarter, and which rows it codes otherwise."""

import pandas as pd

from cxlib import cells
from cxlib.text import codeframe as frames
from cxlib.text import comments, topics
from cxlib.text.codeframe import Codeframe

_KEYS = ("name", "parent", "definition", "merged_into", "retired", "silence", "alert")


def edited(codeframe: Codeframe, topic: str, *, include=(), exclude=(), drop=(), language: str | None = None, version: str | None = None, **keys) -> Codeframe:
    """Return the codeframe with one topic changed, or a new one: phrases to include or exclude added, phrases dropped, other keys (name, definition, parent, merged_into, retired ...) set.

    For a notebook: `edited(frame, "price", include=["dear"])`, then `effect`. The version gets a "+" unless `version` names it. Raises DataError as `codeframe.read` does.
    """
    language, content = language or codeframe.language, codeframe.model_dump(exclude_defaults=True) | {"version": version or f"{codeframe.version}+"}
    every = [dict(one) for one in content["topics"]]
    own = next((one for one in every if one["id"] == topic), None)
    if own is None:
        every.append(own := {"id": topic, "name": keys.get("name", topic.capitalize()), "since": content["version"]})
    for key, added in (("include", include), ("exclude", exclude)):
        part = own.get(key, {})
        part = dict(part) if isinstance(part, dict) else {codeframe.language: tuple(part)}
        part[language] = tuple(dict.fromkeys([*(phrase for phrase in part.get(language, ()) if phrase not in drop), *added]))
        own[key] = {code: phrases for code, phrases in part.items() if phrases}
    return frames.parse(content | {"topics": [one | keys if one["id"] == topic else one for one in every]}, name=f"codeframe {content['version']}")


def differences(old: Codeframe, new: Codeframe) -> pd.DataFrame:
    """Say how two versions differ: topic, change (added | removed | the key that changed | phrases), before, after; one row a change."""
    was, now = ({topic.id: topic for topic in frame.topics} for frame in (old, new))
    rows = [(topic, "added", "", now[topic].name) for topic in now if topic not in was] + [(topic, "removed", was[topic].name, "") for topic in was if topic not in now]
    for topic in (topic for topic in was if topic in now):
        rows += [(topic, key, *("" if getattr(one[topic], key) is None else str(getattr(one[topic], key)) for one in (was, now))) for key in _KEYS if getattr(was[topic], key) != getattr(now[topic], key)]
        for language in dict.fromkeys([*old.languages, *new.languages]):
            for kind in (False, True):
                first, second = old.phrases(was[topic], language, exclude=kind), new.phrases(now[topic], language, exclude=kind)
                if set(first) != set(second):
                    gone, come = ([phrase for phrase in one if phrase not in other] for one, other in ((first, second), (second, first)))
                    rows.append((topic, f"{'exclude' if kind else 'include'} ({language})", ", ".join(gone), ", ".join(come)))
    return pd.DataFrame(rows, columns=["topic", "change", "before", "after"])


def effect(verbatims: pd.DataFrame, old: Codeframe, new: Codeframe, *, by=()) -> pd.DataFrame:
    """How much of what people wrote does each version cover? Columns of `by`, then n (verbatims with words that say something), covered_old, covered_new (shares), change."""
    first, second = (topics.answers(verbatims, frame) for frame in (old, new))
    words = (first["state"] == "words") | (second["state"] == "words")
    told = verbatims[list(by)].assign(n=1, covered_old=first["kind"].eq("covered").to_numpy(float), covered_new=second["kind"].eq("covered").to_numpy(float))[words.to_numpy()]
    sums = told.groupby(list(by), observed=True).sum().reset_index() if by else told.sum().to_frame().T
    for name in ("covered_old", "covered_new"):
        sums[name] = sums[name] / sums["n"].where(sums["n"] > 0)
    return sums.astype({"n": "int64"}).assign(change=sums["covered_new"] - sums["covered_old"])


def moved(before: pd.DataFrame, after: pd.DataFrame, verbatims: pd.DataFrame, *, by=("quarter",)) -> pd.DataFrame:
    """How does each topic's share move, in every quarter, when the same verbatims are coded anew?

    in: mentions by the old and by the new version (`topics.code` or `coder.code`), and the verbatims of both. out: the columns of `by`, topic, n (respondents who
    wrote something), share_old, share_new, change (of shares), gained and lost (respondents); a respondent counts once a topic. A share that moves here moved because
    the codeframe did, not the customers.
    """
    by = list(by)
    people = verbatims.loc[verbatims["text"].map(topics.clean).str.contains(r"[^\W\d_]", regex=True), ["response_id", *by]].drop_duplicates("response_id")
    old, new = (frame[["response_id", "topic"]].drop_duplicates().merge(people, on="response_id").assign(**{name: 1}) for frame, name in ((before, "old"), (after, "new")))
    both = old.merge(new, on=["response_id", "topic", *by], how="outer").fillna({"old": 0, "new": 0})
    both = both.assign(gained=(both["new"] > both["old"]).astype(int), lost=(both["old"] > both["new"]).astype(int))
    counts = both.groupby([*by, "topic"], observed=True)[["old", "new", "gained", "lost"]].sum()
    if by:
        cells = pd.MultiIndex.from_frame(people[by].drop_duplicates().sort_values(by).merge(pd.Series(sorted(both["topic"].unique()), name="topic", dtype=object), how="cross"))
        counts = counts.reindex(cells, fill_value=0)
    counts = counts.reset_index()
    size = people.groupby(by, observed=True).size().rename("n").reset_index() if by else None
    counts = counts.merge(size, on=by) if by else counts.assign(n=len(people))
    counts = counts.assign(share_old=counts["old"] / counts["n"], share_new=counts["new"] / counts["n"])
    counts["change"] = counts["share_new"] - counts["share_old"]
    return counts.astype({"gained": "int64", "lost": "int64"})[[*by, "topic", "n", "share_old", "share_new", "change", "gained", "lost"]]


def by_survey(tables, older: Codeframe, mentions: pd.DataFrame) -> pd.DataFrame:
    """Return what the present version (`mentions`) moves against an older one: `moved` by survey and quarter; rows that would tell of too few people of an anonymous survey are left out."""
    by_machine = mentions[mentions["coded_by"] != "people"] if "coded_by" in mentions else mentions
    found = moved(comments.code(tables, older, people=False), by_machine, comments.worded(tables), by=("survey", "quarter"))
    other = found["gained"] + found["lost"]
    return found[(other == 0) | (other >= found["survey"].map(lambda survey: cells.limit(tables.programme, survey)))].reset_index(drop=True)


def rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Which verbatims are coded otherwise? response_id, item, topic, change (gained | lost), phrase and clause_text of the mention that came or went; one a verbatim and topic."""
    keys = ["response_id", "item", "topic"]
    parts = []
    for own, other, change in ((after, before, "gained"), (before, after, "lost")):
        once = own.drop_duplicates(keys)
        parts.append(once[~pd.MultiIndex.from_frame(once[keys]).isin(pd.MultiIndex.from_frame(other[keys]))].assign(change=change))
    return pd.concat(parts)[[*keys, "change", "phrase", "clause_text"]].sort_values(["topic", "change", "response_id", "item"], ignore_index=True)
