"""The customer journey: stages, touchpoints and channels, and what is measured at each of them or blind.

`journeys.toml` declares them; without it they are those that the contacts name.
"""

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, Field

from cxlib import contract
from cxlib.contract import FROZEN
from cxlib.errors import DataError, nearest
from cxlib.programme import Id

KINDS = ("operational", "perceptive", "outcome")
_DAY = {"responses": "answered_on", "verbatims": "answered_on", "interactions": "at", "events": "at", "orders": "ordered_on", "offers": "offered_on", "actions": "delivered_on", "people": "left_on"}
KEYS = ["stage", "touchpoint", "channel", "kind"]


class Stage(BaseModel):
    """A part of the journey, in the order customers live it."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages; the id where empty, e.g. Getting help.")


class Channel(BaseModel):
    """A way in which customers and company meet, under all the names files give it."""

    model_config = FROZEN
    id: str = Field(min_length=1, max_length=60, description="Name of the channel, e.g. phone.")
    label: str = Field("", description="Name on pages; the id where empty, e.g. Telephone.")
    synonyms: tuple[str, ...] = Field((), description="Other names in the files, e.g. [\"tel\", \"call centre\"].")


class Touchpoint(BaseModel):
    """A place of the journey where something happens between customer and company."""

    model_config = FROZEN
    id: str = Field(min_length=1, max_length=60, description="Name of the touchpoint, e.g. hotline.")
    label: str = Field("", description="Name on pages; the id where empty, e.g. Hotline.")
    stage: Id = Field(description="The stage it belongs to, e.g. help.")
    channels: tuple[str, ...] = Field((), description="Channels through which it can be reached; those seen where empty, e.g. [\"phone\", \"chat\"].")
    synonyms: tuple[str, ...] = Field((), description="Other names in the files, e.g. [\"service desk\"].")


class Measure(BaseModel):
    """Rows that measure one side of some touchpoints: what happened, what customers thought of it, what came of it."""

    model_config = FROZEN
    kind: Literal["operational", "perceptive", "outcome"] = Field(description="What is measured: what happened, what customers say, what they do afterwards.")
    table: Literal["responses", "verbatims", "interactions", "events", "orders", "offers", "actions", "people"] = Field("responses", description="Where the rows stand.")
    survey: str = Field("", description="Survey, for answers and comments; every one where empty, e.g. pulse.")
    items: tuple[Id, ...] = Field((), description="Items that must be answered for a row to count, e.g. [\"waiting\"].")
    where: dict[str, tuple[str, ...]] = Field({}, description="Column -> values a row must have, e.g. {kind = [\"outage\"]}.")
    touchpoint: str = Field("", description="Touchpoint that is measured; the row's own where empty, e.g. hotline.")
    channel: str = Field("", description="Channel that is measured; the row's own where empty, e.g. phone.")


class Journeys(BaseModel):
    """The journeys of a programme."""

    model_config = FROZEN
    stages: tuple[Stage, ...] = Field((), description="Stages, in order.")
    channels: tuple[Channel, ...] = Field((), description="Channels.")
    touchpoints: tuple[Touchpoint, ...] = Field((), description="Touchpoints.")
    measures: tuple[Measure, ...] = Field((), description="What measures what; contacts, answers about a contact and orders where empty.")


def read(programme) -> Journeys:
    """Return the journeys of a programme from `journeys.toml` beside `programme.toml`; empty ones where there is none.

    Raises DataError for unknown keys, names that are declared twice, and references to what is not declared, with the nearest name.
    """
    path = Path(programme.folder) / "journeys.toml"
    if not path.is_file():
        return Journeys()
    journeys = contract.validate(Journeys, contract.read(path), path)
    wrong = list(_inconsistencies(journeys, programme))
    if wrong:
        raise DataError("\n".join(f"{path}: {sentence}" for sentence in wrong[:8]))
    return journeys


def matrix(tables, journeys: Journeys | None = None) -> pd.DataFrame:
    """Return, for every touchpoint, channel and kind of measure, how many rows measure it.

    Columns: stage, touchpoint, channel, kind (operational: what happened; perceptive: what customers say of it; outcome: what they do
    afterwards), n (rows up to the quarter), first, last (days), blind (nothing measures it), declared (the journeys name it).
    An answer's own channel is that of the interview; the channel it is about is that of the customer's contact at that touchpoint on
    the day of the experience, and empty where there is none. A contact has an outcome if orders of its customer are known.
    """
    journeys = journeys if journeys is not None else read(tables.programme)
    parts = [_measured(tables, journeys, measure) for measure in (journeys.measures or _usual(tables))]
    seen = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=["touchpoint", "channel", "kind", "day"])], ignore_index=True)
    counts = seen.groupby(["touchpoint", "channel", "kind"], as_index=False).agg(n=("day", "size"), first=("day", "min"), last=("day", "max"))
    places = _places(journeys, counts)
    frame = places.merge(pd.DataFrame({"kind": KINDS}), how="cross").merge(counts, on=["touchpoint", "channel", "kind"], how="left")
    # Rows whose channel is not told say nothing of a channel; without other rows they stand for the touchpoint.
    lone = frame.groupby("touchpoint")["channel"].transform("nunique") == 1
    frame = frame[(frame["channel"] != "") | lone | frame["n"].notna()]
    frame = frame.assign(n=frame["n"].fillna(0).astype("int64"), **{name: pd.to_datetime(frame[name]).astype("datetime64[us]") for name in ("first", "last")})
    return frame.assign(blind=frame["n"] == 0).reset_index(drop=True)[[*KEYS, "n", "first", "last", "blind", "declared"]]


def blind(found: pd.DataFrame, journeys: Journeys | None = None) -> list[str]:
    """Say what nothing measures: a sentence for each touchpoint and kind, the busiest first."""
    if found.empty:
        return ["No table names a touchpoint: the whole journey is blind."]
    journeys, said = journeys or Journeys(), []
    label = {one.id: one.label or one.id for one in (*journeys.touchpoints, *journeys.channels)}
    wide = found.pivot_table(index=["touchpoint", "channel"], columns="kind", values="n", sort=False).reindex(columns=KINDS).fillna(0).astype(int)
    busy = wide.groupby("touchpoint", sort=False).sum().max(axis=1).sort_values(ascending=False, kind="stable")
    for touchpoint in busy.index:
        own = wide.loc[touchpoint]
        own = own[(own.index != "") | (len(own) == 1)]
        where = lambda rows, name=touchpoint: f"{label.get(name, name)}{_by([label.get(one, one) for one in rows.index if one])}"
        nothing = own[(own == 0).all(axis=1)]
        if len(nothing):
            said.append(f"{where(nothing)}: nothing is measured at all.")
        rest = own.drop(nothing.index)
        if len(silent := rest[rest["perceptive"] == 0]):
            many = int(silent["operational"].sum())
            said.append(f"{where(silent)}: what customers think of it is not measured{f' ({many:,} contacts, no answer)' if many else ''}.")
        hidden = rest[rest["operational"] == 0]
        for asked, words in ((True, ", though customers are asked about it"), (False, "")):
            if len(part := hidden[(hidden["perceptive"] > 0) == asked]):
                said.append(f"{where(part)}: what happens there is not recorded{words}.")
        if len(open_ended := rest[rest["outcome"] == 0]):
            said.append(f"{where(open_ended)}: what customers do afterwards is not known.")
    return said or ["Every touchpoint and channel is measured in all three ways: what happened, what customers say of it, what they do afterwards."]


def _by(channels: list[str]) -> str:
    return f" ({', '.join(channels)})" if channels else ""


def _usual(tables) -> list[Measure]:
    """Without a declaration: contacts happened, answers about a contact are what customers say of it, orders are what came of it."""
    found = [Measure(kind="operational", table="interactions")] if "interactions" in tables else []
    if any(item.id == "touchpoint" for item in tables.programme.items):
        found += [Measure(kind="perceptive", survey=survey.id) for survey in tables.programme.surveys if "touchpoint" in {item.id for item in tables.programme.asked(survey.id)}]
    return found + ([Measure(kind="outcome", table="orders")] if "orders" in tables else [])


def _measured(tables, journeys: Journeys, measure: Measure) -> pd.DataFrame:
    """Rows of one measure as touchpoint, channel, kind, day."""
    frame = _rows(tables, measure)
    if measure.touchpoint:
        frame = frame.assign(touchpoint=measure.touchpoint)
    elif "touchpoint" not in frame:
        frame = _contacts(tables, frame) if measure.kind == "outcome" else frame.iloc[:0].assign(touchpoint=None)
    elif measure.table in ("responses", "verbatims") and not measure.channel:
        frame = _asked_about(tables, frame, journeys)
    frame = frame.assign(channel=measure.channel) if measure.channel else frame if "channel" in frame else frame.assign(channel="")
    frame = frame.assign(touchpoint=_named(frame["touchpoint"], journeys.touchpoints), channel=_named(frame["channel"], journeys.channels).fillna(""), kind=measure.kind)
    return frame.loc[frame["touchpoint"].notna() & frame["day"].notna(), ["touchpoint", "channel", "kind", "day"]]


def _rows(tables, measure: Measure) -> pd.DataFrame:
    if measure.table not in tables:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (("person_id", "str"), ("day", "datetime64[us]"), ("touchpoint", "str"), ("channel", "str"))})
    frame = tables[measure.table]
    if measure.table == "verbatims":
        responses = tables["responses"]
        columns = ["answer", "answered_on", *(["touchpoint"] if "touchpoint" in responses else [])]
        frame = frame.merge(responses[columns], on="answer")
    wanted = dict(measure.where) | ({"survey": (measure.survey,)} if measure.survey else {}) | ({"item": measure.items} if measure.items and measure.table == "verbatims" else {})
    for column, values in wanted.items():
        if column not in frame:
            raise DataError(f"journeys.toml: a measure asks for '{column}', which is no column of '{measure.table}'{nearest(column, frame.columns)}.")
        frame = frame[frame[column].astype("str").isin([str(value) for value in values])]
    for item in measure.items if measure.table == "responses" else ():
        frame = frame[frame[item].notna()]
    day = pd.to_datetime(frame[_DAY[measure.table]]).dt.normalize()
    frame = frame.assign(day=day)
    return frame.drop(columns="channel") if measure.table in ("responses", "verbatims") and "channel" in frame else frame


def _contacts(tables, frame: pd.DataFrame) -> pd.DataFrame:
    """The contacts of customers of whom an outcome is known."""
    if "interactions" not in tables:
        return frame.iloc[:0].assign(touchpoint=None)
    contacts = tables["interactions"]
    contacts = contacts[contacts["person_id"].isin(frame["person_id"].dropna().unique())]
    return contacts.assign(day=contacts["at"].dt.normalize())[["person_id", "touchpoint", "channel", "day"]]


def _asked_about(tables, frame: pd.DataFrame, journeys: Journeys) -> pd.DataFrame:
    """Give answers the channel of the contact they are about: that customer's last one at the touchpoint on the day of the experience."""
    if "interactions" not in tables or "person_id" not in frame:
        return frame
    contacts = tables["interactions"].dropna(subset=["person_id"]).sort_values("at", kind="stable")
    contacts = contacts.assign(day=contacts["at"].dt.normalize(), place=_named(contacts["touchpoint"], journeys.touchpoints))
    contacts = contacts.drop_duplicates(["person_id", "day", "place"], keep="last")[["person_id", "day", "place", "channel"]]
    return frame.assign(place=_named(frame["touchpoint"], journeys.touchpoints)).merge(contacts, on=["person_id", "day", "place"], how="left")


def _named(values: pd.Series, declared) -> pd.Series:
    """Return names as they are declared: an id or a synonym in any case is the id; others stay as they are."""
    known = {name.strip().casefold(): one.id for one in declared for name in (one.id, *one.synonyms)}
    return values.map(lambda value: known.get(str(value).strip().casefold(), value), na_action="ignore")


def _places(journeys: Journeys, counts: pd.DataFrame) -> pd.DataFrame:
    """Every touchpoint and channel that is declared or seen, in the order of the journeys, then by name."""
    stages = {one.id: place for place, one in enumerate(journeys.stages)}
    stage_of = {one.id: one.stage for one in journeys.touchpoints}
    order = {one.id: place for place, one in enumerate(journeys.touchpoints)}
    seen = set(zip(counts["touchpoint"], counts["channel"]))
    declared = {(one.id, channel) for one in journeys.touchpoints for channel in one.channels}
    silent = {(one.id, "") for one in journeys.touchpoints if not one.channels and not any(touchpoint == one.id for touchpoint, _ in seen)}
    open_ones = {one.id for one in journeys.touchpoints if not one.channels}
    rows = [(stage_of.get(touchpoint, ""), touchpoint, channel, (touchpoint, channel) in declared or touchpoint in open_ones) for touchpoint, channel in seen | declared | silent]
    rows.sort(key=lambda row: (stages.get(row[0], len(stages)), order.get(row[1], len(order)), row[1], row[2]))
    return pd.DataFrame(rows, columns=["stage", "touchpoint", "channel", "declared"])


def _inconsistencies(journeys: Journeys, programme):
    stages, touchpoints, channels = ([one.id for one in group] for group in (journeys.stages, journeys.touchpoints, journeys.channels))
    items, surveys = [one.id for one in programme.items], [one.id for one in programme.surveys]
    for group, name in ((journeys.touchpoints, "touchpoint"), (journeys.channels, "channel")):
        names = [word.strip().casefold() for one in group for word in dict.fromkeys((one.id, *one.synonyms))]
        yield from (f"the {name} name '{one}' is declared twice." for one in sorted({one for one in names if names.count(one) > 1}))
    yield from (f"the stage '{one}' is declared twice." for one in sorted({one for one in stages if stages.count(one) > 1}))
    for one in journeys.touchpoints:
        if one.stage not in stages:
            yield f"the touchpoint '{one.id}' belongs to a stage '{one.stage}' that is not declared{nearest(one.stage, stages)}."
        yield from (f"the touchpoint '{one.id}' names a channel '{channel}' that is not declared{nearest(channel, channels)}." for channel in one.channels if channel not in channels)
    for one in journeys.measures:
        for value, known, name in ((one.touchpoint, touchpoints, "touchpoint"), (one.channel, channels, "channel"), (one.survey, surveys, "survey")):
            if value and value not in known:
                yield f"a measure names a {name} '{value}' that is not declared{nearest(value, known)}."
        yield from (f"a measure names an item '{item}' that is not declared{nearest(item, items)}." for item in one.items if item not in items)
        if one.kind == "operational" and one.table in ("responses", "verbatims"):
            yield "a measure takes answers for what happened (operational); what customers say is perceptive."
