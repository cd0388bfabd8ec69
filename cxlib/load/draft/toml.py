"""A book as `programme.toml`: every key with the reason it was guessed, and everything in it escaped."""

import re
from typing import get_args

from cxlib import schema
from cxlib.load.draft import book as books
from cxlib.load.draft import words
from cxlib.load.draft.book import Book
from cxlib.questionnaire import Identifier

_BARE = re.compile(r"[A-Za-z0-9_-]+")
LINE = 160  # characters of a comment
_WITH = re.compile(r"(?i)\bsatisf\w*.*?\bwith (?:the |our |your )?([\w' -]{3,30}?)\s*[?\[(]")
CALLED = {"satisfaction": "Satisfaction", "recommend": "Recommendation", "ease": "Ease", "repurchase": "Would come back"}  # key figures whose question is too long for a name
COUNTED = {  # what of a scale a key figure counts
    "csat_top2_of_5": "4-5 of 5", "ces_2": "5-7 of 7", "ease_top2_of_5": "4-5 of 5", "repurchase_top2_of_5": "4-5 of 5", "top2_of_5": "4-5 of 5", "top2_of_4": "3-4 of 4", "top2_of_6": "5-6 of 6", "top2_of_7": "6-7 of 7",
    "top2_of_10": "9-10 of 10", "ces_1": "mean of 1 to 5, low is good", "mean_of_10": "mean of 1 to 10", "mean_0_10": "mean of 0 to 10",
}  # fmt: skip
GAP = " "  # an empty line; an empty remark leaves none


def text(value: str) -> str:
    """Return a TOML string: everything that does not print is written as a code."""
    out = []
    for one in value:
        if one in '"\\':
            out.append("\\" + one)
        elif one.isprintable():
            out.append(one)
        else:
            out.append(f"\\u{ord(one):04X}" if ord(one) < 0x10000 else f"\\U{ord(one):08X}")
    return '"' + "".join(out) + '"'


def key(value: str) -> str:
    return value if _BARE.fullmatch(value) else text(value)


def table(entries: dict[str, str]) -> str:
    """Return an inline table of text."""
    return "{" + ", ".join(f"{key(name)} = {text(value)}" for name, value in entries.items()) + "}"


def array(values) -> str:
    return "[" + ", ".join(map(text, values)) + "]"


def comment(said: str) -> str:
    """Return a remark as comment lines that nothing in it can leave."""
    said = re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in said)).strip()
    lines = []
    while said:
        cut = said if len(said) <= LINE else said[: said.rfind(" ", 40, LINE) if " " in said[40:LINE] else LINE]
        lines.append(f"# {cut}")
        said = said[len(cut) :].strip()
    return "\n".join(lines[:6])


def items_of(book: Book) -> dict[str, dict]:
    """Return the items of a book by id in their order: kind, wording, surveys, and the facts of whichever row gives them.

    Raises DataError where two rows of one item say different things, naming both.
    """
    from cxlib.errors import DataError

    files = {row.file: row for row in book.files.itertuples()}
    found: dict = {}
    for place, row in enumerate(book.columns.itertuples(), start=2):
        if row.use != "yes" or row.role not in ("rating", "nominal", "number", "verbatim"):
            continue
        survey = files[row.file].survey
        one = found.setdefault(row.id, {"id": row.id, "kind": row.role, "wording": "", "surveys": [], "rows": [], "sure": row.sure, "why": row.why, "row": place})
        if one["kind"] != row.role:
            raise DataError(f"codebook.xlsx, sheet columns, row {place}, column role: '{row.id}' is a {row.role} here and a {one['kind']} in row {one['row']}; give the rows one role or two ids.")
        one["wording"] = row.wording or one["wording"] or row.column
        if survey not in one["surveys"]:
            one["surveys"].append(survey)
        for name in books.FACTS:
            value = getattr(row, name)
            if value and one.get(name) and one[name][0] != value:
                raise DataError(f"codebook.xlsx, sheet columns, row {place}, column {name}: '{row.id}' has {value[:60]!r} here and {one[name][0][:60]!r} in row {one[name][1]}; empty one of the two cells.")
            if value:
                one[name] = (value, place)
        if row.sure == "yes" or not one["why"]:
            one["why"] = row.why
    return found


def written(book: Book) -> str:
    """Return the text of programme.toml for a book that has been checked."""
    facts = {row.key: row.value for row in book.programme.itertuples()}
    said = {row.key: row.why for row in book.programme.itertuples()}
    out = [
        "# Drafted by `cx init` from the files under raw/: guesses to be read, each with its reason. Every key is explained by `cx check --schema`.",
        "# Change codebook.xlsx and run `cx init --to FOLDER` again, or change this file by hand; from then on it is yours and is not drafted anew.",
    ]
    for name in ("name", "currency", "timezone", "languages", "reported", "about"):
        if facts.get(name):
            out += [comment(said.get(name, "")), f"{name} = {array(books.listed(facts[name])) if name in ('languages', 'reported') else text(facts[name])}"]
    items = items_of(book)
    used = {one["scale"][0] for one in items.values() if "scale" in one}
    for row in book.scales.itertuples():
        if row.id in used:
            out += [GAP, comment(row.why), f"[scales.{key(row.id)}]", f"low = {row.low}", f"high = {row.high}"]
            out += [f"{name} = {text(getattr(row, name))}" for name in ("low_label", "high_label", "direction") if getattr(row, name)]
            out += [f"{name} = {table(books.entries(getattr(row, name), where=row.id))}" for name in ("labels", "missing") if getattr(row, name)]
    surveys = [row for row in book.surveys.itertuples() if (book.files["survey"] == row.id).any()]
    for row in surveys:
        out += _survey(row)
        out += _waves(book, row)
    for name, one in items.items():
        out += _item(name, one, [row.id for row in surveys])
    out += _measures(items, surveys, {row.id for row in book.scales.itertuples() if row.why.startswith("its codes are turned round")})
    out += _segments(book, items)
    out += _sources(book)
    out += _published(book)
    out += _left(book)
    return "\n".join("" if line == GAP else line for line in out if line) + "\n"


def _survey(row) -> list[str]:
    return [
        GAP, "[[surveys]]", f"id = {text(row.id)}", f"label = {text(row.label)}", comment(row.why), f"kind = {text(row.kind)}",
        *([f"languages = {array(books.listed(row.languages))}"] if row.languages else []), f"dated_by = {text(row.dated_by)}",
        "# What were respondents promised? anonymous, confidential or attributed; and may answers be quoted, linked to customers, used for cases?",
        "# Until it is said here, answers are only counted: uses = [\"aggregate\", \"quote\", \"link\"] permits more.",
        f"promise = {text(row.promise)}", f"uses = {array(books.listed(row.uses))}",
        "# population = \"whom the answers stand for, e.g. customers with an active contract\"", "# mode = \"online\"",
    ]  # fmt: skip


def _waves(book: Book, survey) -> list[str]:
    waves = [row for row in book.files.itertuples() if row.survey == survey.id and row.table == "responses"]
    columns = {row.file: _columns(book, row.file) for row in waves}
    default = columns[waves[-1].file] if len(waves) > 1 else {}
    names = list(dict.fromkeys(name for one in columns.values() for name in one))
    fields = ("response_id", "person_id", "account_id", "answered_on", "channel", "brand", "country", "language", "team", "weight")
    out = ["[surveys.columns]", *(f"{key(name)} = {text(value)}" for name, value in default.items())] if default else []
    for row in waves:
        own = {name: columns[row.file].get(name, "") for name in names}
        own = {name: value for name, value in own.items() if value != default.get(name, name if name not in fields or name == "response_id" else "")}
        # A column that is not there is not asked; a field that is not there needs no word unless the survey's other waves have it.
        out += [GAP, comment(row.why), "[[waves]]", f"id = {text(row.wave)}", f"survey = {text(survey.id)}", f"quarter = {text(row.quarter)}", f"first = {row.first}", f"last = {row.last}", *_reading(row)]
        if row.where:
            out.append(f"where = {table(books.entries(row.where, where=row.file))}")
        out += _identify(book, row.file)
        out += ["[waves.columns]", *(f"{key(name)} = {text(value)}" for name, value in own.items())] if own else []
        out += _joins(book, row, "waves")
    return out


def _columns(book: Book, file: str) -> dict[str, str]:
    own = book.columns[(book.columns["file"] == file) & (book.columns["use"] == "yes")]
    found = {}
    for row in own[~own["role"].isin(get_args(Identifier))].itertuples():
        name = row.id if row.role in ("rating", "nominal", "number", "verbatim") else row.role
        found[name] = row.column
        if row.role == "person_id" and row.id == "response_id":  # one column may be both
            found["response_id"] = row.column
    return {"response_id": found.pop("response_id", "#row"), **found}


def _reading(row) -> list[str]:
    file = row.file.removesuffix(f" [{row.database_table or row.sheet}]")
    return [f"file = {text(file)}", *([f"header_row = {int(row.header_row)}"] if row.header_row else []), *(f"{name} = {text(getattr(row, name))}" for name in ("sheet", "database_table", "delimiter", "encoding", "decimal", "thousands", "date_format") if getattr(row, name))]


def _joins(book: Book, row, parent: str) -> list[str]:
    """The joins of a file, each read as its own row of the sheet files says: by its sheet, its table, the row of its header."""
    out, known = [], {one.file: one for one in book.files.itertuples()}
    for file, columns in books.entries(row.joins, where=row.file).items():
        on, _, to = columns.partition(" -> ")
        out += [f"[[{parent}.joins]]", *(_reading(known[file]._replace(date_format="")) if file in known else [f"file = {text(file)}"]), f"on = {text(on)}", *([f"to = {text(to)}"] if to else [])]
    return out


def _item(name: str, one: dict, surveys: list[str]) -> list[str]:
    told = lambda fact: one[fact][0] if fact in one else ""
    out = [GAP, comment(("" if one["sure"] == "yes" else "NOT SURE: ") + one["why"]), "[[items]]", f"id = {text(name)}", f"wording = {text(one['wording'])}"]
    out += [f"label = {text(told('label'))}"] if told("label") else []
    out += [f"kind = {text(one['kind'])}"] if one["kind"] != "rating" else []
    out += [f"surveys = {array(one['surveys'])}"] if len(one["surveys"]) < len(surveys) else []
    out += [f"{fact} = {text(told(fact))}" for fact in ("scale", "direction", "question") if told(fact)]
    out += [f"{fact} = {table(books.entries(told(fact), where=name))}" for fact in ("labels", "missing") if told(fact)]
    return out


def _measures(items: dict, surveys, turned: set[str]) -> list[str]:
    out = []
    kpis = {name: one for name, one in items.items() if "kpi" in one}
    names = kpi_names(items)
    if not kpis:
        out += [GAP, "# No question was found that is worded as a key figure. Name one, or write its definition into the column kpi of codebook.xlsx:", "# [[kpis]]", "# id = \"csat\"", "# item = \"the id of a rating above\"", "# definition = \"csat_top2_of_5\""]
    for name, one in kpis.items():
        out += [GAP, comment("" if one["sure"] == "yes" else f"NOT SURE: {one['why']}"), "[[kpis]]", f"id = {text(names[name])}", *_called(one, turned), f"item = {text(name)}", f"definition = {text(one['kpi'][0])}"]
        if list(kpis).index(name) >= 10:
            out.append("primary = false")
    for survey in surveys:
        explained = [names[name] for name, one in kpis.items() if survey.id in one["surveys"]]
        drivers = [name for name, one in items.items() if survey.id in one["surveys"] and one.get("driver", ("",))[0] == "yes"]
        if explained and drivers:
            out += [GAP, "# Attributes asked on one scale, which may go with the key figures.", "[[drivers]]", f"survey = {text(survey.id)}", f"kpis = {array(explained)}", f"items = {array(drivers)}"]
    return out


def _called(one: dict, turned: set[str]) -> list[str]:
    """The name of a key figure on pages: what its question is called, where that is short."""
    name = "Net Promoter Score" if one["kpi"][0] == "nps_0_10" else one.get("label", ("",))[0]
    if name.endswith(("?", "？", "...")) or len(name) > 40:  # a question is no name: "Checkout speed goes with How satisfied were you?"
        of = _WITH.search(name) if one["sure"] != "yes" else None  # satisfaction with the delivery is not that with everything
        name = f"Satisfaction with {of[1].strip()}" if of else "Effort" if one["kpi"][0] == "ces_1" else CALLED.get(re.sub(r"_[0-9]+$", "", one["id"]), name)
    # A share of people who are not dissatisfied must not stand under the name of those who are.
    name += ": no" if name and one["kpi"][0] == "share_0_1" and words.says(words.BINARY, name, one.get("wording", ("",))[0]) else ""
    # "Overall stands at 25 %" does not say of what; and who knows the grades as they were given must see that they are shown the other way round.
    said = [COUNTED.get(one["kpi"][0], ""), "turned: high is good" if one["kpi"][0] != "share_0_1" and one.get("scale", ("",))[0] in turned else ""]
    fits = [text for text in (", ".join(filter(None, said)), said[1]) if name and text and len(name) + len(text) <= 57]
    name += f" ({fits[0]})" if fits else ""
    return [f"label = {text(name)}"] if 0 < len(name) <= 60 else []


def kpi_names(items: dict) -> dict[str, str]:
    """Return the id of the KPI of each item that is one: nps, csat, ces, repurchase, each once, else the item's own."""
    short = {"nps_0_10": "nps", "csat_top2_of_5": "csat", "ces_1": "ces", "ces_2": "ces", "ease_top2_of_5": "ease", "repurchase_top2_of_5": "repurchase"}
    made: dict = {}
    for name, one in items.items():
        if "kpi" in one:
            wish = short.get(one["kpi"][0], name)
            made[name] = wish if wish not in made.values() else next(f"{wish[:36]}_{n}" for n in range(2, 999) if f"{wish[:36]}_{n}" not in made.values())
    return made


def _segments(book: Book, items: dict) -> list[str]:
    out = []
    fields = {row.role: row.label for row in book.columns.itertuples() if row.use == "yes" and row.segment == "yes" and row.role in ("channel", "brand", "country", "language", "team")}
    chosen = {name: one.get("label", ("",))[0] for name, one in items.items() if one.get("segment", ("",))[0] == "yes"}
    for name, label in {**fields, **chosen}.items():
        out += [GAP, "[[segments]]", f"id = {text(name)}", *([f"label = {text(label)}"] if label else []), f"field = {text(name)}"]
    return out


def _identify(book: Book, file: str, taken=()) -> list[str]:
    """What rows without the customer's key are matched by."""
    own = book.columns[(book.columns["file"] == file) & (book.columns["use"] == "yes") & book.columns["role"].isin([one for one in get_args(Identifier) if one not in taken])]
    return [f"identify = {table(dict(zip(own['role'], own['column'])))}"] if len(own) else []


def _sources(book: Book) -> list[str]:
    out, known = [], {name: {column.name for column in columns} for name, columns in schema.TABLES.items()}
    for row in book.files.itertuples():
        if row.table in ("responses", "published", ""):
            continue
        own = book.columns[(book.columns["file"] == row.file) & (book.columns["use"] == "yes")]
        columns = {one.role: one.column for one in own.itertuples() if one.role not in get_args(Identifier) or one.role in known[row.table]}
        fixed = books.entries(row.fixed, where=row.file)
        columns |= {name: fixed.pop(name) for name in [name for name, value in fixed.items() if value == "#row"]}
        out += [GAP, comment(row.why), "[[sources]]", f"table = {text(row.table)}", *_reading(row), f"columns = {table(columns)}", *_identify(book, row.file, known[row.table])]
        out += [f"fixed = {table(fixed)}"] if fixed else []
        out += [f"where = {table(books.entries(row.where, where=row.file))}"] if row.where else []
        out += ["# purpose = \"what these data may be used for\"", *_joins(book, row, "sources")]
    return out


def _published(book: Book) -> list[str]:
    """A block for each column of figures: its series is called by it, and by the column that says whose figure it is."""
    out = []
    for row in book.files.itertuples():
        own = book.columns[(book.columns["file"] == row.file) & (book.columns["use"] == "yes") & (row.table == "published")]
        shared = {one.role: one.column for one in own.itertuples() if one.role != "estimate"}
        figures = [one for one in own.itertuples() if one.role == "estimate"]
        for one in figures:
            name = one.label or one.column
            fixed = {"unit": one.scale, "source": row.file, **({} if "series" in shared and len(figures) == 1 else {"series": name}), **({"kpi": one.kpi} if one.kpi else {})}
            out += [GAP, comment(row.why), "[[published]]", *_reading(row), f"columns = {table({**shared, 'estimate': one.column})}", f"fixed = {table(fixed)}"]
    return out


def _left(book: Book) -> list[str]:
    left = book.columns[book.columns["use"] != "yes"]
    unread = [row for row in book.files.itertuples() if not row.table]
    out = [comment(f"{row.file} is not read: {row.why}") for row in unread]
    shown = [row for row in left.itertuples() if row.file not in {one.file for one in unread}]
    if shown:
        out += ["# Columns left out (the sheet columns of codebook.xlsx says why, and takes them in where use is yes):"]
        out += [comment(f"{row.file}, {books.quoted(row.column[:80])}: {row.why}") for row in shown[:200]]
    return [GAP, *out] if out else []
