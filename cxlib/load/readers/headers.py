"""Header rows: one in most files, three or two in Qualtrics exports, two in SurveyMonkey's."""

import json
from typing import NamedTuple

from cxlib.errors import DataError
from cxlib.load.readers.raw import ResponseSet

LEGACY = ("ResponseID", "ResponseSet")  # under V1, V2 in exports of Qualtrics from before 2017
PLAIN = ("", "Response", "Open-Ended Response", "Antwort", "Offene Beantwortung", "Réponse", "Réponse ouverte", "Respuesta", "Respuesta abierta")


class Header(NamedTuple):
    """The columns of a file: their names, the wording the file gives, how many rows the header takes, and notes."""

    names: list[str]
    wording: dict
    rows: int
    groups: dict  # question -> {column: option}, where a question has several columns
    notes: tuple


def read(head: list[list[str]], name: str, form: str = "") -> Header:
    """Return the header that the first rows of a file make; `form` names it where the rows do not say.

    Raises DataError where there are no names.
    """
    head = [[str(one).strip().lstrip("\ufeff").strip() for one in row] for row in head]
    if not head or not any(head[0]):
        raise DataError(f"{name}: row 1 is empty; it must hold the column names.")
    form = form or _form(head)
    needed = {"qualtrics": 3, "qualtrics_legacy": 2, "surveymonkey": 2}.get(form, 1)
    if len(head) < needed:
        raise DataError(f"{name}: a header of the form '{form}' takes {needed} rows and the file has {len(head)}; correct 'header' in programme.toml.")
    if form == "surveymonkey":
        return _surveymonkey(head)
    names, notes = _names(head[0])
    if form == "qualtrics":
        zones = sorted({zone for one in head[2] if (zone := _zone(one))})
        return Header(names, _wording(names, head[1]), 3, {}, (*notes, *(f"Times are in the zone {zone}." for zone in zones)))
    if form == "qualtrics_legacy":
        return Header(names, _wording(names, head[1]), 2, {}, notes)
    return Header(names, {}, 1, {}, notes)


def sets(header: Header, distinct) -> dict:
    """Return the multiple-response sets among the columns of a question: each holds at most one value, its own option.

    `distinct(column)` returns up to three distinct cells of a column.
    """
    found = {}
    for question, options in header.groups.items():
        if len(options) > 1 and all({cell.strip() for cell in distinct(column)} <= {"", option} for column, option in options.items()):
            found[question] = ResponseSet(tuple(options), question)
    return found


def _form(head: list[list[str]]) -> str:
    if len(head) > 2 and any(cell.startswith('{"ImportId"') for cell in head[2]):
        return "qualtrics"
    if len(head) > 1 and head[0][:2] == ["V1", "V2"] and tuple(head[1][:2]) == LEGACY:
        return "qualtrics_legacy"
    first = head[0][0].lower().replace(" ", "").replace("_", "")
    if len(head) > 1 and first == "respondentid" and len(head[1]) and head[1][0] == "" and any(head[1]):
        return "surveymonkey"
    return "one"


def _wording(names: list[str], row: list[str]) -> dict:
    return {name: text for name, text in zip(names, row, strict=False) if text}


def _zone(text: str) -> str:
    try:
        return str(json.loads(text).get("timeZone", ""))
    except (ValueError, AttributeError):
        return ""


def _names(row: list[str], width: int = 0) -> tuple[list[str], tuple]:
    """Return one name a column: those without are called by their place, those that stand twice get their place behind."""
    row = [*row, *[""] * (width - len(row))]
    names, notes = [], []
    for place, name in enumerate(row, start=1):
        names.append(f"{name} (column {place})" if name and row.count(name) > 1 else name or f"column {place}")
    for name in dict.fromkeys(name for name in row if name and row.count(name) > 1):
        places = [str(place) for place, one in enumerate(row, start=1) if one == name]
        notes.append(f"'{name}' names the columns {', '.join(places)}: they are called '{name} (column {places[0]})' and so on.")
    return names, tuple(notes)


def _surveymonkey(head: list[list[str]]) -> Header:
    """Row 1 holds a question above the first of its columns, row 2 the options: 'Question: option'."""
    width = max(len(head[0]), len(head[1]))
    above, below = ([*row, *[""] * (width - len(row))] for row in head[:2])
    questions, question = [], ""
    for text in above:
        question = text or question
        questions.append(question)
    joined = [f"{one}: {option}" if option not in PLAIN else one for one, option in zip(questions, below, strict=True)]
    names, notes = _names(joined)
    groups: dict = {}
    for name, one, option in zip(names, questions, below, strict=True):
        if option not in PLAIN:
            groups.setdefault(one, {})[name] = option
    return Header(names, dict(zip(names, joined, strict=True)), 2, groups, notes)
