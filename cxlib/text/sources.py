"""What customers wrote elsewhere than in a survey: complaints, chats, posts and reviews among the contacts, each channel a source with a base of its own."""

import pandas as pd

PREFIX = "contacts: "  # what a source is called on a page: "contacts: complaint"
ITEM = "message"


def is_one(name: str) -> bool:
    """Is this a source, not a survey?"""
    return name.startswith(PREFIX)


def uses(programme, name: str) -> tuple[str, ...]:
    """Return what may be done with the words of a survey or a source: what the promise permits, or what every file of contacts declares (counts where none does)."""
    if not is_one(name):
        return programme.survey(name).uses
    declared = [set(one.uses) for one in programme.sources if one.table == "interactions"]
    return tuple(sorted(set.intersection(*declared))) if declared else ("aggregate",)


def rows(contacts: pd.DataFrame, programme) -> pd.DataFrame:
    """Return contacts that have words as rows of the verbatims table: answer, response_id (= answer), person_id, survey ("contacts: " and the channel), wave (""), quarter, item, text, language. May be mapped over batches."""
    columns = ["answer", "response_id", "person_id", "survey", "wave", "quarter", "item", "text", "language"]
    if "text" not in contacts or contacts["text"].isna().all():
        return pd.DataFrame(columns=columns)
    own = contacts[contacts["text"].notna()]
    days = own["at"].dt.date
    quarter = {day: programme.quarter_of(day) for day in days.unique()}
    channel = own["channel"].astype(object) if "channel" in own else pd.Series(None, index=own.index, dtype=object)
    key = "interactions/" + own["interaction_id"].astype(str)
    blank = pd.Series(None, index=own.index, dtype=object)
    return pd.DataFrame({
        "answer": key, "response_id": key, "person_id": own.get("person_id", blank), "survey": PREFIX + channel.where(channel.notna(), "other").astype(str), "wave": "", "quarter": days.map(quarter), "item": ITEM,
        "text": own["text"].astype(object), "language": own.get("language", blank),
    })[columns].reset_index(drop=True)  # fmt: skip


def of(tables) -> pd.DataFrame:
    """Return what was written in contacts up to the quarter (`rows`)."""
    return rows(tables["interactions"], tables.programme) if "interactions" in tables else rows(pd.DataFrame(), tables.programme)


def base(found: pd.DataFrame) -> pd.DataFrame:
    """Return messages as the base of their shares: response_id, survey, quarter, weight (1), unit (the person where known, so that somebody who writes five times is no five witnesses)."""
    person = found["person_id"].astype(object)
    return pd.DataFrame({"response_id": found["response_id"], "survey": found["survey"], "quarter": found["quarter"], "weight": 1.0, "unit": person.where(person.notna(), found["response_id"])})
