"""Codings: what people made of comments, and how those comments were drawn; two files of the programme, without any comment's text."""

import os

import numpy as np
import pandas as pd

from cxlib import spreadsheets
from cxlib.errors import DataError
from cxlib.programme import CODING_DRAWS, CODINGS
from cxlib.text.agreement import AGREED
from cxlib.text.prevalence import rolled

DRAWN = ["draw", "kind", "survey", "quarter", "version", "row", "answer", "item", "stratum", "probability", "codes"]
CODED = ["draw", "coder", "row", "topic", "polarity"]
POLARITIES = ("positive", "negative", "unclear")
NONE, OTHER, NOTHING, UNREADABLE = "(none)", "(other)", "(nothing)", "(unreadable)"  # what a coder says of a comment beside its topics
KINDS = ("audit", "train")


def draws(programme) -> pd.DataFrame:
    """Return the comments that were drawn for coding: draw, kind (audit | train), survey, quarter, version (of the codeframe), row (place on the sheet), answer, item, stratum, probability (that the answer was drawn), codes (topics on the sheet, joined by blanks)."""
    return _read(programme.folder / CODING_DRAWS, DRAWN)


def codings(programme) -> pd.DataFrame:
    """Return what coders made of them: draw, coder, row, topic ("(none)", "(other)", "(nothing)", "(unreadable)" where it is no topic), polarity."""
    return _read(programme.folder / CODINGS, CODED)


def drawn(programme, new: pd.DataFrame) -> None:
    """Add a draw; DataError where a comment is in an audit and in a draw for training, because what was learnt from cannot audit."""
    whole = pd.concat([draws(programme), new.astype(str)], ignore_index=True)[DRAWN]
    apart(whole)
    _write(whole, programme.folder / CODING_DRAWS)


def coded(programme, new: pd.DataFrame) -> int:
    """Add what coders made of a draw; what the same coder had made of it before is replaced. Returns how many earlier marks were."""
    before = codings(programme)
    again = pd.MultiIndex.from_frame(before[["draw", "coder"]]).isin(pd.MultiIndex.from_frame(new[["draw", "coder"]].drop_duplicates()))
    whole = pd.concat([before[~again], new.astype(str)], ignore_index=True)[CODED]
    _write(whole.sort_values(CODED, key=lambda column: column.astype(int) if column.name == "row" else column, ignore_index=True), programme.folder / CODINGS)
    return int(again.sum())


def forget(programme, answers: dict[str, str]) -> pd.DataFrame:
    """Take the comments of forgotten answers (id -> "") out of both files, and give those whose row moved up (id -> new id) their new name; return the draws' rows that went, as `draws` has them."""
    places = draws(programme)
    fate = places["answer"].map(answers)
    gone, moved = fate == "", fate.notna() & (fate != "")
    if not (gone | moved).any():
        return places.iloc[:0]
    # The list of topics stands in the first row of a draw: it stays with whichever row is the first then.
    lists = places.groupby("draw")["codes"].transform("max")
    left = places.assign(answer=places["answer"].where(~moved, fate))[~gone]
    left = left.assign(codes=lists[~gone].where(~left.duplicated("draw"), ""))
    marked = codings(programme)
    out = pd.MultiIndex.from_frame(marked[["draw", "row"]]).isin(pd.MultiIndex.from_frame(places.loc[gone, ["draw", "row"]]))
    if out.any():
        _write(marked[~out], programme.folder / CODINGS)
    _write(left, programme.folder / CODING_DRAWS)
    return places[gone].reset_index(drop=True)


def apart(drawn: pd.DataFrame) -> None:
    """Raise DataError where an answer is in an audit and in a draw for training."""
    audit = drawn[drawn["kind"] == "audit"]
    both = drawn[(drawn["kind"] == "train") & drawn["answer"].isin(audit["answer"])]
    if len(both):
        row = both.iloc[0]
        raise DataError(f"{CODING_DRAWS}: the answer in row {row['row']} of {row['draw']} is in an audit too; an audit row is never learnt from. Take it out of the draw for training.")


def marks(programme, codeframe, *, kind: str) -> pd.DataFrame:
    """Return every coder's marks of one kind of draw under the topics as they count today: draw, survey, quarter, answer, item, row, coder, topic, polarity.

    Topics that were merged count for the one they were merged into, retired ones for none. Comments whose answer was drawn twice for training keep all their codes.
    """
    if kind not in KINDS:
        raise DataError(f"codings are for an audit or to train with, not for '{kind}'")
    places = draws(programme)
    apart(places)
    found = codings(programme).merge(places[places["kind"] == kind].drop(columns=["stratum", "probability", "codes", "version"]), on=["draw", "row"])
    ends = codeframe.coded_as()
    said = found["topic"].map(lambda topic: topic if topic.startswith("(") else ends.get(topic, NONE))
    return found.assign(topic=said)[["draw", "survey", "quarter", "answer", "item", "row", "coder", "topic", "polarity"]].drop_duplicates().reset_index(drop=True)


def training(programme, codeframe, *, verbatims: pd.DataFrame) -> pd.DataFrame:
    """Return the comments that a model may learn from, with what people said they are: the columns of the verbatims, topic, polarity, share (of coders who say so).

    A row a comment and topic; comments without a topic have one row with topic "". Unreadable ones are left out. Only draws of kind "train", and only surveys whose promise permits to train.
    """
    permitted = [survey.id for survey in programme.surveys if "train" in survey.uses]
    found = agreed(marks(programme, codeframe, kind="train"))
    found = found[found["survey"].isin(permitted)]
    bad = found.loc[found["topic"] == UNREADABLE, ["answer", "item"]].drop_duplicates()
    own = verbatims.merge(found[["answer", "item"]].drop_duplicates(), on=["answer", "item"])
    own = own.merge(bad.assign(bad=True), on=["answer", "item"], how="left")
    topics = found[~found["topic"].str.startswith("(")]
    out = own[own["bad"].isna()].drop(columns="bad").merge(topics[["answer", "item", "topic", "polarity", "share"]], on=["answer", "item"], how="left")
    return out.fillna({"topic": "", "polarity": "", "share": 0.0})


def agreed(found: pd.DataFrame) -> pd.DataFrame:
    """Return marks as the share of coders who made them: draw, survey, quarter, answer, item, row, topic, polarity, share. Where coders settled (coder "agreed") that is what counts."""
    keys, found = ["draw", "row"], agreed_only(found)
    size = found.groupby(keys)["coder"].nunique().rename("coders")
    rows = found.groupby(["draw", "survey", "quarter", "answer", "item", "row", "topic", "polarity"], as_index=False)["coder"].nunique()
    return rows.merge(size.reset_index(), on=keys).assign(share=lambda one: one["coder"] / one["coders"]).drop(columns=["coder", "coders"])


def agreed_only(found: pd.DataFrame) -> pd.DataFrame:
    """Return marks without those that coders gave up for what they settled on."""
    settled = pd.MultiIndex.from_frame(found[["draw", "row"]]).isin(pd.MultiIndex.from_frame(found.loc[found["coder"] == AGREED, ["draw", "row"]]))
    return found[~settled | (found["coder"] == AGREED)]


def audited(programme, codeframe) -> pd.DataFrame:
    """Return who was coded by people, and how they were drawn: survey, quarter, answer, kind, probability (of an audit; of what came back in its stratum), topics ({(topic, polarity): share of coders}, nets and "any" included), asked (topics on the sheet).

    A row an answer; an answer of which a comment is not coded yet is not there.
    """
    places, parts = draws(programme), []
    for kind in KINDS:
        said = agreed_only(marks(programme, codeframe, kind=kind))
        drawn_ = places[places["kind"] == kind]
        whole = drawn_.groupby(["draw", "answer"])["row"].nunique()
        done = said.groupby(["draw", "answer", "coder"])["row"].nunique().reset_index()
        done = done[done["row"].to_numpy() == whole.reindex(pd.MultiIndex.from_frame(done[["draw", "answer"]])).to_numpy()]
        said = said.merge(done[["draw", "answer", "coder"]], on=["draw", "answer", "coder"])
        if said.empty:
            continue
        coders = done.groupby(["draw", "answer"])["coder"].nunique().rename("coders").reset_index()
        topics = said[~said["topic"].str.startswith("(")].assign(response_id=lambda one: one["draw"] + "\0" + one["answer"] + "\0" + one["coder"])
        each = rolled(topics, codeframe)
        each[["draw", "answer", "coder"]] = each["response_id"].str.split("\0", expand=True).to_numpy() if len(each) else np.empty((0, 3), dtype=object)
        shares = each.groupby(["draw", "answer", "topic", "polarity"])["coder"].nunique().reset_index().merge(coders, on=["draw", "answer"])
        shares = shares.assign(share=shares["coder"] / shares["coders"])
        found = drawn_.drop_duplicates(["draw", "answer"])[["draw", "survey", "quarter", "answer", "kind", "stratum", "probability"]]
        came = found["answer"].isin(coders["answer"]) & found["draw"].isin(coders["draw"])
        back = came.groupby([found["draw"], found["stratum"]]).transform("mean")
        found = found.assign(probability=pd.to_numeric(found["probability"], errors="coerce") * back)[came]
        told = {key: dict(zip(zip(own["topic"], own["polarity"]), own["share"])) for key, own in shares.groupby(["draw", "answer"])}
        parts.append(found.assign(topics=[told.get(key, {}) for key in zip(found["draw"], found["answer"])], asked=[asked_of(places, draw) for draw in found["draw"]]))
    columns = ["survey", "quarter", "answer", "kind", "probability", "topics", "asked"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def presence(programme, codeframe) -> pd.DataFrame:
    """Return the marks of all comments that were coded, as `agreement.topics` takes them: unit, coder, topic, present, polarity; a topic only where the sheet had it."""
    places = draws(programme)
    parts = []
    said = pd.concat([marks(programme, codeframe, kind=kind) for kind in KINDS], ignore_index=True)
    ends = codeframe.coded_as()
    for draw, own in said.groupby("draw", sort=True):
        asked = sorted({ends[code] for code in asked_of(places, draw) if code in ends})
        readable = own[~own["row"].isin(own.loc[own["topic"] == UNREADABLE, "row"])]
        rows = readable[["row", "coder"]].drop_duplicates().merge(pd.DataFrame({"topic": asked}), how="cross")
        sides = readable.groupby(["row", "coder", "topic"], as_index=False)["polarity"].agg(lambda values: values.iloc[0] if len(values) == 1 else "both")
        parts.append(rows.merge(sides, on=["row", "coder", "topic"], how="left").assign(unit=lambda one, draw=draw: f"{draw}-" + one["row"]))
    if not parts:
        return pd.DataFrame({"unit": [], "coder": [], "topic": [], "present": [], "polarity": []})
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(present=whole["polarity"].notna().astype(int), polarity=whole["polarity"].fillna(""))[["unit", "coder", "topic", "present", "polarity"]]


def asked_of(places: pd.DataFrame, draw: str) -> list[str]:
    """Return the topics that stood on the sheets of a draw."""
    return " ".join(places.loc[places["draw"] == draw, "codes"]).split()


def _read(path, columns) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame({column: pd.Series(dtype="str") for column in columns})
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as fault:
        raise DataError(f"{path.name}: cannot be read as the CSV that `cx code` writes ({str(fault)[:120]}); take it from a copy.") from None
    absent = [column for column in columns if column not in found]
    if absent:
        raise DataError(f"{path.name}: the column '{absent[0]}' is missing; the file is written by `cx code` and not edited by hand. Take it from a copy.")
    wrong = found.index[~found["row"].str.fullmatch(r"[0-9]{1,6}")]
    if len(wrong):
        raise DataError(f"{path.name}, row {wrong[0] + 2}: 'row' is '{found.loc[wrong[0], 'row'][:40]}', no whole number; the file is written by `cx code` and not edited by hand. Take it from a copy.")
    return found[columns].map(spreadsheets.plain)


def _write(frame: pd.DataFrame, path) -> None:
    spreadsheets.csv(frame, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)
