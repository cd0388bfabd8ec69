"""The sheets on which people code comments: written for blind double coding, read back with every fault told by row, column and value."""

import hashlib
import os
import re
from pathlib import Path

import pandas as pd

from cxlib import spreadsheets
from cxlib.errors import DataError, UsageError, nearest
from cxlib.load.redaction import redact
from cxlib.programme import FORGOTTEN
from cxlib.questionnaire import Reading
from cxlib.text import agreement, audit, codings, sources, topics
from cxlib.text.codings import NONE, NOTHING, OTHER, UNREADABLE

ROW, QUESTION, COMMENT = "Row", "Question", "Comment"
ASIDE = {"No topic of the list": NONE, "Another topic": OTHER, "Says nothing, does not know": NOTHING, "Cannot be read": UNREADABLE}
WORDS = {
    "positive": ("+", "p", "pos", "positive", "good", "praise"), "negative": ("-", "−", "–", "n", "neg", "negative", "bad", "criticism"),
    "unclear": ("?", "u", "x", "1", "yes", "unclear", "neutral"), "both": ("+-", "+/-", "±", "b", "both", "mixed"),
}  # fmt: skip
MEANING = {word: side for side, words in WORDS.items() for word in words}
CODERS = "ABCDEFGH"
_HEAD = re.compile(r"\(([a-z][a-z0-9_]*)\)\s*$")
_KEY = re.compile(r"(?P<draw>d[0-9]{1,4})-(?P<coder>[A-H])-(?P<row>[0-9]{1,6})-(?P<check>[0-9a-f]{6})")
HOW = (
    "Read the definitions on the second sheet first. Code alone: do not compare with others until all sheets are handed in.",
    "For every topic that a comment speaks of: positive, negative, unclear, or both. Several topics may be marked in a row; a topic that is only hinted at is not marked.",
    "The question changes the meaning: 'Nothing' to 'What could we improve?' is praise in general, and names no topic.",
    "A comment that speaks of none of the topics: x under 'No topic of the list', or under 'Another topic' where it names something the list lacks. A row without any mark counts as not coded yet.",
    "Keep rows whole: sort or filter only whole rows, and change neither the first three columns nor the headings.",
)


def export(tables, codeframe, mentions, *, kind: str, rows: int, coders: int, folder: Path, survey: str | None = None, seed: int = 1, unsure=None) -> list[str]:
    """Draw comments of the quarter for coding and write a sheet for each coder; return what was done, a sentence each.

    in: the tables and their coded mentions (response_id = answer). An audit is a stratified sample of the answers of each survey's wave (`audit.sample`), in which `rows` counts
    answers; for training `rows` comments are chosen (`audit.active`), only where the promise permits to train. Sheets hold no score, no segment, no code of the
    machine and nothing that tells who wrote. An audit draws from every channel of messages as well ("contacts: chat"); training does not. Raises UsageError where nothing can be drawn.
    """
    programme, drawn = tables.programme, codings.draws(tables.programme)
    messages = sources.of(tables) if kind == "audit" else sources.of(tables).iloc[:0]
    if not 1 <= coders <= len(CODERS):
        raise UsageError(f"--coders {coders}: give a whole number from 1 to {len(CODERS)}.")
    verbatims = pd.concat([*([tables["verbatims"]] if "verbatims" in tables else []), messages], ignore_index=True)
    known = [*(one.id for one in programme.surveys), *sorted(messages["survey"].unique())]
    if survey is not None and survey not in known:
        raise UsageError(f"--survey {survey}: there is no such survey{nearest(survey, known)} (there: {', '.join(known)}).")
    surveys = [one for one in known if survey in (None, one) and ((verbatims["survey"] == one) & (verbatims["quarter"] == tables.quarter)).any()]
    if not surveys:
        raise DataError(f"{programme.folder.name}: no comments of {f'survey {survey}' if survey else 'any survey'} in {tables.quarter}; name a quarter with comments (--quarter).")
    if kind == "train" and not any("train" in sources.uses(programme, one) for one in surveys):
        raise DataError(f"{programme.folder.name}: the promise made to respondents of {', '.join(surveys)} does not permit to train a model on their comments; where it does, add \"train\" to 'uses' in programme.toml.")
    said, free = [], audit.free(drawn, pd.concat([tables["responses"][["answer", "person_id"]], messages[["answer", "person_id"]]], ignore_index=True), kind=kind)
    for one in surveys:
        if kind == "train" and "train" not in sources.uses(programme, one):
            continue
        if kind == "audit" and ((drawn["survey"] == one) & (drawn["quarter"] == tables.quarter) & (drawn["kind"] == "audit")).any():
            said.append(f"{one} {tables.quarter} has an audit already; an audit is drawn once, so that chance alone decides what is in it.")
            continue
        own = verbatims[(verbatims["survey"] == one) & (verbatims["quarter"] == tables.quarter)].drop(columns="response_id")
        own = own[own["answer"].map(free).fillna(True)].assign(response_id=lambda frame: frame["answer"])
        hits = mentions[mentions["response_id"].isin(own["response_id"])]
        picked = audit.sample(own, hits, rows=rows, seed=seed) if kind == "audit" else audit.active(own, hits, rows=rows, known=_known(programme, codeframe), unsure=unsure, seed=seed)
        placed = _placed(picked, own)
        if placed.empty:
            said.append(f"{one} {tables.quarter}: no comment is left to draw.")
            continue
        number = f"d{1 + max([int(name[1:]) for name in codings.draws(programme)['draw'].unique()], default=0)}"
        codes = [topic.id for topic in codeframe.topics if codeframe.coded_as().get(topic.id) == topic.id and not _is_net(codeframe, topic)]
        folder.mkdir(parents=True, exist_ok=True)
        names = []
        for coder in CODERS[:coders]:
            path = folder / f"{programme.folder.name}_{re.sub(r'[^A-Za-z0-9-]+', '_', one.removeprefix(sources.PREFIX))}_{tables.quarter}_{kind}_{number}_{coder}.xlsx"
            if path.exists():
                raise UsageError(f"{path} is there already; move it away or name another folder (--to). Nothing was drawn.")
            write(placed, path, codeframe=codeframe, codes=codes, programme=programme, draw=number, coder=coder)
            names.append(path)
        first = placed["row"] == placed["row"].min()
        codings.drawn(programme, placed.assign(draw=number, kind=kind, survey=one, quarter=tables.quarter, version=codeframe.version, codes=[" ".join(codes) if top else "" for top in first])[codings.DRAWN])
        said.append(f"{number}: {placed['answer'].nunique():,} answers ({len(placed):,} comments) of {one} {tables.quarter} for {'an audit' if kind == 'audit' else 'training'}: {', '.join(str(path) for path in names)}. When coded: cx code import {' '.join(path.name for path in names)}")
    return said


def write(placed: pd.DataFrame, path: Path, *, codeframe, codes: list[str], programme, draw: str, coder: str) -> None:
    """Write one coder's sheet: comments with a column a topic, the codeframe with its definitions, and how to code."""
    names, by_id = codeframe.names(), {topic.id: topic for topic in codeframe.topics}
    texts = [redact(text)[0] for text in placed["text"]]
    frame = pd.DataFrame({ROW: [f"{draw}-{coder}-{int(row):03d}-{_check(text)}" for row, text in zip(placed["row"], texts)], QUESTION: ["Message" if item == sources.ITEM else programme.label(item) for item in placed["item"]], COMMENT: texts})
    heads = [f"{names[code]} ({code})" for code in codes]
    frame = frame.assign(**dict.fromkeys([*heads, *ASIDE], ""))
    book = pd.DataFrame([
        {"Topic": names[code], "Id": code, "Net": names.get(by_id[code].parent, ""), "Definition": by_id[code].definition,
         "Belongs here": "; ".join(by_id[code].examples), "Does not belong here": "; ".join(by_id[code].counter_examples), "Phrases": ", ".join(codeframe.phrases(by_id[code], codeframe.language)[:12])}
        for code in codes
    ])  # fmt: skip
    notes = {head: by_id[code].definition or names[code] for head, code in zip(heads, codes)}
    how = pd.DataFrame({"How to code": [*HOW, f"Draw {draw}, coder {coder}, codeframe {codeframe.version}."]})
    _book({"Coding": frame, "Codeframe": book, "How to code": how}, path, notes=notes)


def _book(parts: dict, path: Path, *, notes: dict) -> None:
    heads = [name for name in parts["Coding"] if name not in (ROW, QUESTION, COMMENT, *ASIDE)]
    widths = {ROW: 17, QUESTION: 24, COMMENT: 70, "Topic": 24, "Definition": 60, "Belongs here": 40, "Does not belong here": 40, "Phrases": 60, "How to code": 120} | dict.fromkeys([*heads, *ASIDE], 13)
    offered = {head: list(WORDS) for head in heads} | {head: ["x"] for head in ASIDE}
    spreadsheets.workbook(parts, path, widths=widths, notes=notes, frozen={"Coding": 3}, choices=offered)


def read(programme, path: Path, *, settled: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Return the marks of a sheet that came back (the columns of `codings.CODED`) and sentences on what is not coded yet.

    `settled` takes them as what the coders agreed on after coding alone (coder "agreed"). Raises DataError with up to eight sentences: a draw or topic that is not known, a row that is there twice or
    whose comment is another than the one sent, a mark that means nothing, marks that contradict each other.
    """
    from cxlib.load import readers

    raw = readers.read(Path(path), Reading())
    frame = raw.frame.map(spreadsheets.plain)
    for name in (ROW, COMMENT):
        if name not in frame:
            raise DataError(f"{path.name}: the column '{name}' is missing{nearest(name, frame.columns)}; give the sheet back with the headings it came with.")
    filled = frame[frame[ROW].str.strip() != ""]
    places = codings.draws(programme)
    marks, wrong, seen, left_out = [], [], {}, []
    heads = {}
    for place, cells in zip(filled.index, filled.to_dict("records")):
        line, key = raw.row(place), cells[ROW].strip()
        found = _KEY.fullmatch(key)
        if not found:
            wrong.append(f"{path.name}, row {line}, column '{ROW}': '{key[:40]}' is no row of a coding sheet, as in d1-A-017-3fa9c2; put back what was there.")
            continue
        draw, coder, row = found["draw"], agreement.AGREED if settled else found["coder"], str(int(found["row"]))
        if draw not in heads:
            heads[draw], faults = _heads(frame.columns, codings.asked_of(places, draw), path, draw, known=set(places["draw"]))
            wrong += faults
        if not ((places["draw"] == draw) & (places["row"] == row)).any():
            if draw in set(places["draw"]) and (programme.folder / FORGOTTEN).is_file():  # whoever wrote it was forgotten after the sheet was given out
                left_out.append(line)
                continue
            wrong.append(f"{path.name}, row {line}, column '{ROW}': '{key}' was not drawn in {programme.folder.name}; is it the sheet of another programme?")
            continue
        if _check(cells[COMMENT]) != found["check"]:
            wrong.append(f"{path.name}, row {line}, column '{COMMENT}': the comment is not the one that was sent as {key}; columns were sorted apart or the text was changed. Take a fresh copy of the sheet.")
            continue
        if (draw, coder, row) in seen:
            wrong.append(f"{path.name}, row {line}: {key} stands in row {seen[draw, coder, row]} too; keep one.")
            continue
        seen[draw, coder, row] = line
        own, faults = _marks(cells, heads[draw], f"{path.name}, row {line}")
        wrong += faults
        marks += [(draw, coder, row, topic, side) for topic, side in own]
    if wrong:
        raise DataError("\n".join([*wrong[:8], *([f"... and {len(wrong) - 8:,} more."] if len(wrong) > 8 else [])]))
    if not marks:
        raise DataError(f"{path.name}: no row is coded; mark a topic, or x under 'No topic of the list', in every row.")
    found = pd.DataFrame(marks, columns=codings.CODED)
    told = [f"{path.name}: left out {'were rows' if len(left_out) > 1 else 'was row'} {', '.join(map(str, left_out[:20]))}, no longer drawn because somebody was forgotten (cx forget); delete {'them' if len(left_out) > 1 else 'it'} in the sheet."] if left_out else []
    return found, told + _open(found, seen, places, path)


def bring(programme, paths: list[Path], *, settled: bool = False) -> list[str]:
    """Read sheets and store what they hold, all of them or none; return what was done, a sentence a file."""
    read_all = [(path, *read(programme, Path(path), settled=settled)) for path in paths]
    said = []
    for path, found, open_ in read_all:
        again = codings.coded(programme, found)
        done = found[["draw", "row"]].drop_duplicates()
        said.append(f"{Path(path).name}: {len(done):,} comments of {', '.join(sorted(done['draw'].unique()))} by coder {', '.join(sorted(found['coder'].unique()))}{f'; {again:,} earlier marks of this coder were replaced' if again else ''}.")
        said += open_
    return said


def forget(programme, answers: dict[str, str]) -> list[str]:
    """Take forgotten answers (`subjects.answers`) out of the draws, of what coders made of them, and of the sheets in the programme's folder; return what was done, a sentence each.

    Sheets that were given out lie elsewhere: the sentence names the rows to be deleted there, and nothing of what stands in them. Importing such a sheet leaves those rows out.
    """
    gone = codings.forget(programme, answers)
    if gone.empty:
        return []
    rows = set(zip(gone["draw"], gone["row"].astype(int)))
    places = sorted(path for path in (programme.folder / "coding").rglob("*") if path.suffix.lower() in (".xlsx", ".csv") and path.is_file() and not path.is_symlink())
    cleaned = [path for path in places if _without(path, rows)]
    told = ", ".join(f"{draw} row {row}" for draw, row in sorted(rows, key=lambda one: (int(one[0][1:]), one[1])))
    sheets_ = f" and of {len(cleaned)} sheet{'s' if len(cleaned) > 1 else ''} in {programme.folder / 'coding'}" if cleaned else ""
    return [f"{len(rows):,} comment{'s' if len(rows) > 1 else ''} drawn for coding {'were' if len(rows) > 1 else 'was'} taken out of {codings.CODING_DRAWS}, of {codings.CODINGS}{sheets_}. Where sheets lie elsewhere, delete there: {told}."]


def _without(path: Path, rows: set) -> bool:
    """Write a sheet anew without some rows, its marks kept; False where it holds none of them or is no coding sheet."""
    from cxlib.load import readers

    frame = readers.read(path, Reading()).frame.map(spreadsheets.plain)
    if not {ROW, COMMENT} <= set(frame.columns):
        return False
    keys = frame[ROW].str.strip().str.extract(_KEY)
    mine = pd.Series([(draw, int(row)) in rows if isinstance(draw, str) else False for draw, row in zip(keys["draw"], keys["row"])], index=frame.index)
    if not mine.any():
        return False
    left, partial = frame[~mine].reset_index(drop=True), path.with_name(f".forget-{path.name}")
    if path.suffix.lower() == ".csv":
        spreadsheets.csv(left, partial)
    else:
        parts = {name: readers.read(path, Reading(sheet=name)).frame for name in ("Codeframe", "How to code")}
        told = dict(zip(parts["Codeframe"]["Id"], parts["Codeframe"]["Definition"].where(parts["Codeframe"]["Definition"] != "", parts["Codeframe"]["Topic"])))
        _book({"Coding": left, **parts}, partial, notes={head: told[found[1]] for head in left if (found := _HEAD.search(head)) and found[1] in told})
    os.replace(partial, path)
    return True


def _known(programme, codeframe) -> pd.Series:
    found = codings.agreed(codings.marks(programme, codeframe, kind="train"))
    return found[~found["topic"].str.startswith("(")].groupby("topic").size()


def _is_net(codeframe, topic) -> bool:
    """Whether a topic only holds others: it has no phrases, and others name it as their parent."""
    return not topic.include and any(other.parent == topic.id for other in codeframe.topics)


def _placed(picked: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return the comments of what was picked in its order, each with its row on the sheet."""
    keys = [name for name in ("answer", "item") if name in picked]
    worded = own[own["text"].map(topics.clean).str.contains(r"[^\W\d_]", regex=True)]
    found = picked.reset_index(names="place").merge(worded[["answer", "item", "text"]], on=keys).sort_values(["place", "item", "text"], ignore_index=True)
    found = found.drop_duplicates(["answer", "item"], ignore_index=True)
    return found.assign(row=range(1, len(found) + 1), probability=found["probability"].map(lambda one: f"{one:.9g}") if "probability" in found else "")


def _check(text: str) -> str:
    """Six letters that tell a comment from others, whatever a spreadsheet program does to blanks and line ends."""
    return hashlib.sha256(" ".join(re.sub(r"_x[0-9A-Fa-f]{4}_", " ", topics.clean(spreadsheets.plain(text))).split()).encode()).hexdigest()[:6]


def _heads(columns, codes, path, draw, *, known) -> tuple[dict, list[str]]:
    if draw not in known:
        return {}, [f"{path.name}: the draw {draw} is not in {codings.CODING_DRAWS}; it was drawn in another copy of the programme, whose file belongs here too."]
    heads = {}
    for column in columns:
        if column in ASIDE:
            heads[column] = ASIDE[column]
        elif (found := _HEAD.search(column)) and found[1] in codes:
            heads[column] = found[1]
    absent = [code for code in codes if code not in heads.values()]
    if absent:
        return heads, [f"{path.name}: the column of the topic '{absent[0]}' is missing; its heading ends in ({absent[0]}). Put the heading back."]
    unknown = [column for column in columns if column not in heads and column not in (ROW, QUESTION, COMMENT)]
    return heads, [f"{path.name}, column '{column[:60]}': no topic of this draw; a topic is added in codeframe.toml, and is coded from the next draw on." for column in unknown[:3]]


def _marks(cells: dict, heads: dict, where: str) -> tuple[list, list]:
    found, wrong = [], []
    for column, topic in heads.items():
        word = cells.get(column, "").strip().lower()
        if not word:
            continue
        if topic.startswith("("):
            found.append((topic, "unclear"))
        elif word not in MEANING:
            wrong.append(f"{where}, column '{column}': '{cells[column][:40]}' is no mark; write positive, negative, unclear or both.")
        else:
            found += [(topic, side) for side in (("positive", "negative") if MEANING[word] == "both" else (MEANING[word],))]
    named = [topic for topic, _ in found if not topic.startswith("(")]
    against = [head for head, topic in ASIDE.items() if topic in (NONE, NOTHING, UNREADABLE) and (topic, "unclear") in found]
    if named and against:
        wrong.append(f"{where}, column '{against[0]}': marked beside the topic '{named[0]}'; take one of the two away.")
    return found, wrong


def _open(found, seen, places, path) -> list[str]:
    """What is not coded yet: rows without a mark, and rows of the draw that the sheet lacks."""
    said = []
    for draw, rows in found.groupby("draw")["row"]:
        whole, done = places.loc[places["draw"] == draw, "row"].astype(int), set(rows.astype(int))
        left = sorted(set(whole) - done)
        if not left:
            continue
        inside = [row for row in left if row < max(done)]
        said.append(f"{path.name}: {len(left):,} of {len(whole):,} comments of {draw} are not coded yet{f', {len(inside):,} of them in between: a row that is skipped because it is hard makes the audit wrong' if inside else ''}; the sheet can be brought in again.")
    return said
