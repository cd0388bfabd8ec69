"""Header rows: one in most files, three or two in Qualtrics exports, two in SurveyMonkey's."""

import json
import re
from typing import NamedTuple

from cxlib.errors import DataError
from cxlib.load.readers.raw import ResponseSet

LEGACY = ("ResponseID", "ResponseSet")  # under V1, V2 in exports of Qualtrics from before 2017
MEMBER = re.compile(r"\A(.+?)_[0-9]+\Z")  # Q5_1, Q5_2: the choices of Q5, or the rows of a grid
CHOSEN = re.compile(r" - (Selected Choice|Ausgewählte Option|Choix sélectionné|Selección seleccionada)(?= - |\Z)")
_FIGURE = re.compile(r"\A[+-]?[0-9][0-9.,:/ -]*%?\Z")
LOOKED = 8  # first rows in which a header is looked for
PLAIN = ("", "Response", "Open-Ended Response", "Antwort", "Offene Beantwortung", "Réponse", "Réponse ouverte", "Respuesta", "Respuesta abierta")


class Lower(DataError):
    """The header stands further down than in the first row; `row` is the one that looks like it."""

    def __init__(self, said: str, row: int):
        super().__init__(said)
        self.row = row


class Header(NamedTuple):
    """The columns of a file: their names, the wording the file gives, how many rows the header takes, and notes."""

    names: list[str]
    wording: dict
    rows: int
    groups: dict  # (name, question) -> {column: option}, where a question has several columns
    notes: tuple
    zones: dict = {}  # noqa: RUF012 - column -> zone of its times; never changed


def read(head: list[list[str]], name: str, form: str = "", *, lines=None, row: int | None = None) -> Header:
    """Return the header that the first rows of a file make; `form` names it where the rows do not say, `lines` the row of each, `row` the one it starts in.

    Raises DataError where there are no names, and where another row looks like the header.
    """
    if row:
        above = place_of(row, lines or range(1, len(head) + 1), head, name)
        found = read(head[above:], name, form or _form([[str(one).strip() for one in cells] for cells in head[above:]]))
        return found._replace(rows=found.rows + above)
    head = [[str(one).strip().lstrip("\ufeff").strip() for one in row] for row in head]
    if not head or not any(head[0]):
        raise DataError(f"{name}: row 1 is empty; it must hold the column names.")
    if not form and (form := _form(head)) == "one" and (place := elsewhere(head)):
        line = lines or range(1, len(head) + 1)
        raise Lower(f"{name}: row {line[0]} is no header ({_shown(head[0])}); row {line[place]} looks like it ({_shown(head[place])}): declare header_row = {line[place]} for this file in programme.toml, or delete the rows above it.", line[place])
    needed = {"qualtrics": 3, "qualtrics_legacy": 2, "surveymonkey": 2}.get(form, 1)
    if len(head) < needed:
        raise DataError(f"{name}: a header of the form '{form}' takes {needed} rows and the file has {len(head)}; correct 'header' in programme.toml.")
    if form == "surveymonkey":
        return _surveymonkey(head)
    names, notes = _names(head[0])
    if form == "qualtrics":
        zones = {name: zone for name, one in zip(names, head[2], strict=False) if (zone := _zone(one))}
        return Header(names, _wording(names, head[1]), 3, _choices(names, head[1]), (*notes, *(f"Times are in the zone {zone}." for zone in sorted(set(zones.values())))), zones)
    if form == "qualtrics_legacy":
        return Header(names, _wording(names, head[1]), 2, _choices(names, head[1]), notes)
    return Header(names, {}, 1, {}, notes)


def place_of(row: int, lines, head: list, name: str) -> int:
    """Return the place of a row among those looked at; raises DataError where it is not one of them."""
    if row not in lines or not any(head[list(lines).index(row)]):
        raise DataError(f"{name}: row {row} is empty or not there, so it cannot be the header; correct 'header_row' in programme.toml.")
    return list(lines).index(row)


def sets(header: Header, distinct) -> dict:
    """Return the multiple-response sets among the columns of a question: each holds at most one value, its own option or a 1.

    `distinct(column)` returns up to three distinct cells of a column. The rows of a grid, which are named alike, hold more values.
    """
    found = {}
    for (name, question), options in header.groups.items():
        cells = {column: {cell.strip() for cell in distinct(column)} for column in options} if len(options) > 1 else {}
        if not any(one - {""} for one in cells.values()):  # nobody answered: nothing tells a set from a grid
            continue
        if all(cells[column] <= {"", option} for column, option in options.items()):
            found[name] = ResponseSet(tuple(options), question)
        elif all(one <= {"", "1"} for one in cells.values()) and set.union(*cells.values()) == {"", "1"}:
            found[name] = ResponseSet(tuple(options), question, "1")
    return found


def elsewhere(head: list[list[str]]) -> int | None:
    """Return the place of the row that looks like the header where the first does not: a title stands above, or cells are merged."""
    first = sum(1 for cell in head[0] if cell)
    for place, row in enumerate(head[1:LOOKED], start=1):
        cells = row[: max((at for at, cell in enumerate(row, start=1) if cell), default=0)]
        filled = [cell for cell in cells if cell]
        # Among many names one may be missing, and one stand twice.
        slack = len(cells) // 6
        named = len(cells) > 2 and len(filled) >= len(cells) - slack and len(set(filled)) >= len(filled) - slack and not any(_FIGURE.match(cell) for cell in filled)
        if named and first * 2 <= len(cells) and all(len(one) <= len(cells) or not any(one[len(cells) :]) for one in head):
            return place
    return None


def _shown(row: list[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in row if cell)[:160]


def _form(head: list[list[str]]) -> str:
    if len(head) > 2 and any(cell.startswith('{"ImportId"') for cell in head[2]):
        return "qualtrics"
    if len(head) > 1 and head[0][:2] == ["V1", "V2"] and tuple(head[1][:2]) == LEGACY:
        return "qualtrics_legacy"
    first = head[0][0].lower().replace(" ", "").replace("_", "")
    if len(head) > 1 and first == "respondentid" and len(head[1]) and head[1][0] == "" and any(head[1]):
        return "surveymonkey"
    return "one"


def _choices(names: list[str], row: list[str]) -> dict:
    """Return the questions whose columns are called alike and worded alike but for what stands behind the last dash."""
    found: dict = {}
    for name, text in zip(names, row, strict=False):
        question, dash, option = CHOSEN.sub("", text).rpartition(" - ")
        if dash and (member := MEMBER.match(name)):
            found.setdefault((member[1], question.strip()), {})[name] = option.strip()
    stems = [stem for stem, _ in found]
    return {key: options for key, options in found.items() if stems.count(key[0]) == 1}


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
            groups.setdefault((one, one), {})[name] = option
    return Header(names, dict(zip(names, joined, strict=True)), 2, groups, notes)
