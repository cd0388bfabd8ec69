"""Comments that people coded before they came here: numbers in the answers, words in a dictionary by wave, topics by those words and never by the number.

Agencies hand over such codes in place of texts, several an answer, and number them anew from wave to wave.
"""

import csv

import numpy as np
import pandas as pd

from cxlib.errors import DataError, nearest
from cxlib.text.codings import NONE, NOTHING, POLARITIES

UNKNOWN = "(unknown)"  # a code that says that one does not know
ASIDE = (NONE, NOTHING, UNKNOWN)
COLUMNS = ["wave", "code", "label", "topic", "polarity"]
MOST_BYTES = 4 * 2**20


def dictionary(programme, one, codeframe) -> pd.DataFrame:
    """Return what each code of a coded question means: wave ("" for every wave), code, label, topic (id of the codeframe, or "(none)", "(nothing)", "(unknown)"), polarity.

    A label (whatever its case, blanks and full stops) means the same in every wave, so a row without a topic takes that of the same label elsewhere; one that is nowhere
    given a topic is "(none)": it counts as uncovered. Raises DataError with file, row, column and value for a file that is missing or no table, a code that stands twice in a wave
    with two meanings, a label with two topics, a topic that the codeframe does not have.
    """
    path = programme.folder / one.dictionary
    rows = _rows(path)
    ids, known, meant, found = codeframe.names(), {}, {}, []
    for line, row in rows:
        topic, side, key = row["topic"], row["polarity"], (row["wave"], row["code"])
        if not row["code"] or not row["label"]:
            raise DataError(f"{path.name}, row {line}: the column '{'code' if not row['code'] else 'label'}' is empty; give every code and its words.")
        if topic and topic not in ids and topic not in ASIDE:
            raise DataError(f"{path.name}, row {line}, column 'topic': '{topic}' is no topic of codeframe {codeframe.version}{nearest(topic, sorted(ids))} nor one of {', '.join(ASIDE)}.")
        if side and side not in POLARITIES:
            raise DataError(f"{path.name}, row {line}, column 'polarity': '{side}' is none of {', '.join(POLARITIES)}.")
        if key in meant and _plain(meant[key][1]) != _plain(row["label"]):
            of_wave = f" of wave {row['wave']}" if row["wave"] else ""
            raise DataError(f"{path.name}, row {line}: code '{row['code']}'{of_wave} is '{row['label'][:60]}' here and '{meant[key][1][:60]}' in row {meant[key][0]}; keep one, or name the wave.")
        meant.setdefault(key, (line, row["label"]))
        if topic:
            other = known.setdefault(_plain(row["label"]), (line, topic, side))
            if other[1] != topic or (side and other[2] and side != other[2]):
                raise DataError(f"{path.name}, row {line}: '{row['label'][:60]}' is put into {' '.join((topic, side)).strip()} here and into {' '.join(other[1:]).strip()} in row {other[0]}; the same words mean the same in every wave.")
        found.append(row)
    for row in found:
        _, topic, side = known.get(_plain(row["label"]), (0, NONE, ""))
        row |= {"topic": row["topic"] or topic, "polarity": row["polarity"] or side or {"faults": "negative", "merits": "positive"}.get(codeframe.leaning(one.id), "unclear")}
    return pd.DataFrame(found, columns=COLUMNS)


def given(tables, codeframe) -> pd.DataFrame:
    """Return every code that was given to an answer, with what it means: answer, response_id (= answer), person_id, survey, wave, quarter, item (the coded question), place (which of its codes), label, topic, polarity.

    Codes that the dictionary does not have are labelled by their number and have topic "(none)".
    """
    parts, columns = [], ["answer", "person_id", "survey", "wave", "quarter"]
    for one in tables.programme.coded:
        meaning, answers = dictionary(tables.programme, one, codeframe), tables["responses"]
        here = answers[answers["survey"] == one.survey].reindex(columns=[*columns, *one.items])
        long = here.melt(id_vars=columns, value_vars=list(one.items), var_name="place", value_name="code").dropna(subset="code")
        long = long.assign(code=long["code"].astype(str).str.strip().str.replace(r"\.0$", "", regex=True), place=long["place"].map({name: at for at, name in enumerate(one.items, 1)}).astype("int64"), item=one.id)
        by_wave, always = (part.drop(columns="wave") for part in (meaning[meaning["wave"] != ""], meaning[meaning["wave"] == ""]))
        own = long.merge(by_wave.assign(wave=meaning.loc[by_wave.index, "wave"]).drop_duplicates(["wave", "code"]), on=["wave", "code"], how="left")
        other = long[["code"]].merge(always.drop_duplicates("code"), on="code", how="left")
        parts.append(own.assign(**{name: own[name].astype(object).where(own[name].notna(), other[name].to_numpy(object)) for name in ("label", "topic", "polarity")}))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*columns, "place", "code", "item", "label", "topic", "polarity"])
    whole = whole.assign(label=whole["label"].astype(object).where(whole["label"].notna(), "code " + whole["code"].astype(str)), topic=whole["topic"].fillna(NONE), polarity=whole["polarity"].fillna("unclear"))
    return whole.assign(response_id=whole["answer"]).sort_values(["survey", "quarter", "answer", "item", "place"], ignore_index=True)


def verbatims(found: pd.DataFrame, codeframe) -> pd.DataFrame:
    """Return coded answers as rows of the verbatims table, with state: answer, response_id, person_id, survey, wave, quarter, item, text (the labels), language, state (words, nothing, unknown)."""
    keys = ["answer", "response_id", "person_id", "survey", "wave", "quarter", "item"]
    if found.empty:
        return pd.DataFrame(columns=[*keys, "text", "language", "state"])
    kind = np.select([found["topic"] == NOTHING, found["topic"] == UNKNOWN], [1, 2], 0)
    rows = found.assign(kind=kind).groupby(keys, dropna=False, sort=True, as_index=False).agg(text=("label", "; ".join), kind=("kind", "min"))
    return rows.assign(language=codeframe.language, state=rows["kind"].map({0: "words", 1: "nothing", 2: "unknown"})).drop(columns="kind")


def mentions(found: pd.DataFrame, codeframe) -> pd.DataFrame:
    """Return coded answers as mentions (the columns of `coder.code`, and survey): clause is which of the codes, clause_text its label, coded_by "people"; merged topics count for their end, retired ones for none."""
    topic = found["topic"].map(codeframe.coded_as())
    own = found[topic.notna()].assign(topic=topic)
    return pd.DataFrame({
        "response_id": own["response_id"], "item": own["item"], "clause": own["place"].astype("int64"), "topic": own["topic"], "polarity": own["polarity"], "phrase": "", "negated": False,
        "clause_text": own["label"], "probability": np.nan, "coded_by": "people", "survey": own["survey"],
    }).drop_duplicates(["response_id", "item", "topic", "polarity"]).reset_index(drop=True)  # fmt: skip


def _rows(path) -> list[tuple[int, dict]]:
    if not path.is_file():
        raise DataError(f"{path.name}: no such file in '{path.parent}'; it is the dictionary of codes that [[coded]] in programme.toml names: a CSV with the columns wave, code and label.")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB, over the 4 MiB that a dictionary of codes may have; is it the right file?")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(f"{path.name}: byte {fault.start} is not UTF-8; save the file as UTF-8.") from None
    table = list(csv.reader(text.splitlines(keepends=True)))
    head = [name.strip() for name in table[0]] if table else []
    for name in ("wave", "code", "label"):
        if name not in head:
            raise DataError(f"{path.name}: the column '{name}' is missing{nearest(name, head)}; the first row names wave, code, label and, where a topic is given, topic and polarity.")
    unknown = [name for name in head if name not in COLUMNS]
    if unknown:
        raise DataError(f"{path.name}: '{unknown[0]}' is no column of a dictionary of codes{nearest(unknown[0], COLUMNS)} ({', '.join(COLUMNS)}).")
    found = []
    for line, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(head):
            raise DataError(f"{path.name}, row {line}: {len(cells)} cells where the first row names {len(head)} columns; put a label that holds a comma in quotes.")
        found.append((line, {name: "" for name in COLUMNS} | {name: " ".join(cell.split()) for name, cell in zip(head, cells)}))
    return found


def _plain(label: str) -> str:
    """A label as it is compared: wording counts, not case, blanks, quotes or a full stop."""
    return " ".join(label.lower().replace("’", "'").replace("“", '"').replace("”", '"').replace("‘", "'").rstrip(". ").split())
