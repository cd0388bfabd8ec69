"""From the files to a codebook: which hold answers and which other tables, and which are waves of one survey."""

import re

from cxlib import quarters
from cxlib.load import amounts
from cxlib.load.draft import addresses, book, facts, items, joins, market, names, printed, roles, tables, tongues, waves, words
from cxlib.load.draft.tables import Part
from cxlib.questionnaire import ROW

SIGNS = {"EUR": r"€|\bEUR\b", "GBP": r"£|\bGBP\b", "USD": r"(?<![A-Z])\$|US\$|\bUSD\b", "JPY": r"¥|円|\bJPY\b", "CHF": r"\bCHF\b|\bSFr\b", "BRL": r"R\$|\bBRL\b", "INR": r"₹|\bINR\b", "PLN": r"\bPLN\b|zł", "SEK": r"\bSEK\b", "CAD": r"\bCAD\b|C\$", "AUD": r"\bAUD\b|A\$"}
FIRST = ("USD", "GBP", "JPY", "SEK", "INR", "RON")  # which money is meant where a sign stands for several
ALIKE = 0.5  # share of items that two files must have in common to be waves of one survey


def _label(name: str) -> str:
    """A survey's name on pages: that of its files, words told apart by blanks."""
    plain = re.sub(r"[_ ]+", " ", name).strip(" -.")
    return (plain[:1].upper() + plain[1:])[:60].strip() or "Survey"


def draft(files: list[facts.File], *, name: str, chances=None) -> book.Book:
    """Return the codebook of a set of files, every guess in it with its reason; `chances` tells the language of a text (`tongues.of`)."""
    dictionaries = {file.name: found for file in files if (found := _dictionary(file, files))}
    shared = addresses.of(files)
    parts = [_keyed(_part(file, files, dictionaries, shared[file.name].column if file.name in shared and shared[file.name].key else ""), shared.get(file.name)) for file in files]
    parts = _accounted(parts)
    parts = _one_people(_matched(_unanswered(parts), shared))
    groups = _groups([part for part in parts if part.kind == "responses"])
    made: dict = {"columns": [], "files": [], "surveys": [], "scales": items.Scales()}
    ids: dict = {}
    for group in groups:
        _survey(group, made, ids, [row["id"] for row in made["surveys"]])
    for part in parts:
        if part.kind != "responses":
            _table(part, made)
    order = {file.name: place for place, file in enumerate(files)}
    made["columns"].sort(key=lambda row: order[row["file"]])
    return book.made(columns=made["columns"], files=made["files"], surveys=made["surveys"], scales=made["scales"].rows(), programme=_programme(parts, name, chances))


def _dictionary(file: facts.File, files: list[facts.File]) -> dict | None:
    """Return column -> wording where a file lists the columns of another with what they ask, else None."""
    for other in files:
        if other is file or not len(other.raw.frame.columns) >= 2 or file.rows > 5_000:
            continue
        names = {name.lower(): name for name in other.raw.frame.columns}
        for key in file.raw.frame.columns:
            if file.distinct[key] < max(3, 0.6 * len(names)):
                continue
            cells = file.raw.frame[key].str.strip()
            if len({cell.lower() for cell in cells} & set(names)) < max(3, 0.6 * len(names)) or len(file.raw.frame.columns) < 2:
                continue
            lengths = {name: sum(map(len, file.raw.frame[name].unique())) for name in file.raw.frame.columns if name != key}
            asked = next((name for name in lengths if words.says(r"\b(wording|question|label|text|frage|description|meaning|libelle|pregunta|pergunta)\b", name)), max(lengths, key=lengths.get))
            return {names[cell.lower()]: text.strip() for cell, text in zip(cells, file.raw.frame[asked]) if cell.lower() in names and text.strip()}
    return None


def _part(file: facts.File, files: list, dictionaries: dict, key: str = "") -> Part:
    if file.name in dictionaries:
        return Part(file, {}, {}, "", None, {}, "it lists the columns of another file; its wording was taken from it")
    wording = dict(file.raw.wording)
    for found in dictionaries.values():
        if sum(name in found for name in file.raw.frame.columns) >= 0.5 * len(file.raw.frame.columns):
            wording = {**found, **wording}
    if file.rows == 0:
        return Part(file, wording, {}, "", None, {}, "it has a header and no rows")
    found, fits = roles.of(file, wording), tables.guess(file, wording, key)
    if sales := market.of(file):
        return Part(file, wording, found, "sales", sales, {}, "sales of a market by series and period, by its columns; what was done for them stands in plan.toml" + (f"; {sales.why}" if sales.why else ""))
    ratings = [one for one in found.values() if one.role == "rating"]
    judged = [name for name, one in found.items() if one.role == "rating" and any(words.says(pattern, name, wording.get(name, "")) for pattern in words.KPIS.values())]
    texts = sum(one.role == "verbatim" for one in found.values())
    answers = 2 * min(len(judged), 3) + min(3, len(ratings) / 2) + texts + (2 if file.raw.wording or file.raw.labels else 0)
    best = next((one for one in fits if not one.lacks), None)
    if not ratings and file.rows < 30 and len(files) > 1:
        answers = 0  # a list of a few texts beside other files explains them
    if answers >= 1 and (best is None or answers >= 2 * judged.__len__() > 0 or answers > best.score / 2):
        others = [one for one in files if one is not file]
        linked, added, why = joins.person(file, found, others) if not any(one.role == "person_id" for one in found.values()) else (file, {}, "")
        if added:
            found = roles.of(linked, wording) | {name: one for name, one in found.items()}
            found = {name: one if name in file.raw.frame.columns or one.role == "person_id" else one._replace(role="", why=f"a column of {', '.join(added)}") for name, one in found.items()}
            if added and not any(one.role == "person_id" for one in found.values()):
                name = next(name for name in found if name not in file.raw.frame.columns and words.says(tables.PERSON, name))
                found[name] = roles.Role("person_id", 0.8, f"the customer's key in {', '.join(added)}")
        return Part(linked, wording, found, "responses", None, added, why)
    if best is None:
        linked, best, added = joins.table(file, [one for one in files if one is not file], wording)
        if best is not None:
            return Part(linked, wording, found, best.name, best, added, f"{best.name} by its columns, with those of {', '.join(added)} added by a key")
    if best is not None and tables.positive_returns(file, best):
        return Part(file, wording, found, "", None, {}, f"returns whose amounts ('{best.columns['amount']}') are not below nought would count as sales; give them a minus in the file and name it under [[sources]]")
    if best is not None:
        return Part(file, wording, found, best.name, best, {}, f"{best.name} by its name and columns" + (f"; {best.why}" if best.why else ""))
    if figures := printed.of(file, found):
        return Part(file, wording, found, "published" if figures.day and len(figures.series) < 2 and any(figures.figures.values()) else "", None, {}, _published_why(figures), figures=figures)
    if len(files) == 1 and any(one.role in items.KINDS for one in found.values()):
        near = next((one for one in fits if one.lacks and len(one.columns) > 2), None)
        instead = f"; with {' and '.join(near.lacks)} in columns of its own it would be the table {near.name}" if near else ""
        return Part(file, wording, found, "responses", None, {}, f"NOT SURE: nothing in it is asked or judged; taken for a survey because it is the only file{instead}")
    lacking = f"; it would be {fits[0].name} if it had {', '.join(fits[0].lacks)}" if fits and fits[0].lacks else ""
    return Part(file, wording, found, "", None, {}, f"nothing in it is an answer, and no table of the contract fits{lacking}")


def _published_why(figures: printed.Figures) -> str:
    whose = f"a row for each {' and '.join([*figures.series, *([figures.day] if figures.day else [])])}"
    if not any(figures.figures.values()):
        return f"published figures ({whose}, with counts), no answers: left out, because counts are no figures to compare; turn them into percentages"
    if len(figures.series) > 1:
        return f"published figures ({whose}), no answers: left out, because a series has one name; put {' and '.join(figures.series)} into one column"
    if not figures.day:
        return f"published figures ({whose}), no answers: left out, because nothing dates them; give each row a day or a quarter"
    return f"published figures ({whose}), no answers: tracked as benchmarks beside your own; write the id of a key figure into the column kpi of those that ask the same question in the same words"


def _keyed(part: Part, shared: addresses.Shared | None) -> Part:
    """A survey's file with the address that other files share as the key of its person, where it has none."""
    if shared is None or not shared.key or part.kind != "responses" or any(one.role == "person_id" for one in part.roles.values()):
        return part
    return part._replace(roles={**part.roles, shared.column: roles.Role("person_id", 0.6, shared.why)})


def _accounted(parts: list[Part]) -> list[Part]:
    """Take a survey's customer key for that of the account where it is the key of a file of accounts: people of one firm share it."""
    keys = {part.table.columns["account_id"]: {cell.strip() for cell in part.file.raw.frame[part.table.columns["account_id"]].unique()} - {""} for part in parts if part.kind == "accounts"}
    made = []
    for part in parts:
        found = dict(part.roles) if part.kind == "responses" else {}
        if not any(one.role == "account_id" for one in found.values()):
            for name, one in found.items():
                own = part.file.cells(name) if one.role == "person_id" and name in part.file.raw.frame else []
                if own and any(sum(cell.strip() in known for cell in own) >= 0.5 * len(own) for known in keys.values()):
                    found[name] = roles.Role("account_id", 0.8, "the key of the accounts' file: people of one account share it")
        made.append(part._replace(roles=found) if found else part)
    return made


def _matched(parts: list[Part], shared: dict) -> list[Part]:
    """Name the addresses by which rows without the customer's key are matched with the customer file, where one has both."""
    if not any(part.kind == "people" and part.file.name in shared and not shared[part.file.name].key for part in parts):
        return parts
    lacks = lambda part: not any(one.role == "person_id" for one in part.roles.values()) if part.kind == "responses" else "person_id" not in part.table.columns
    return [part._replace(identify=shared[part.file.name][::2]) if part.kind and part.file.name in shared and (part.kind == "people" or (part.kind in ("responses", "interactions", "events", "orders") and lacks(part))) else part for part in parts]


def _unanswered(parts: list[Part]) -> list[Part]:
    """Take a file with the very columns of a survey's file for a wave of it, although nobody answered: its empty columns mean what they mean there."""
    made = []
    for part in parts:
        columns = set(part.file.raw.frame.columns)
        twin = next((one for one in parts if one.kind == "responses" and set(one.file.raw.frame.columns) == columns), None) if part.kind != "responses" and part.file.rows and len(columns) > 2 else None
        if twin is None:
            made.append(part)
            continue
        same = {name: twin.roles[name] if (one := part.roles.get(name)) is None or not one.role or twin.roles[name].role == "id" else one for name in part.file.raw.frame.columns if name in twin.roles}
        made.append(part._replace(roles=same, kind="responses", table=None, joins={}, why=f"it has the columns of {twin.file.name}, and no scores"))
    return made


def _one_people(parts: list[Part]) -> list[Part]:
    """Keep one file of customers, with the columns of the others added by their key; keep one file of orders that name each other.

    Persons and sums that stand in two files would be counted twice.
    """
    for table in ("people", "accounts"):
        own = sorted((part for part in parts if part.kind == table), key=lambda part: -len(part.table.columns))
        for part in own[1:]:
            first = next(one for one in parts if one.file.name == own[0].file.name)
            linked, best, added = joins.more(first.file, first.table, part.file, first.wording)
            if added:
                parts[parts.index(first)] = first._replace(file=linked, table=best, joins={**first.joins, **added}, why=f"{first.why}; with the columns of {part.file.name}")
            parts[parts.index(part)] = part._replace(kind="", why=f"another file of {table}, {first.file.name}, tells more" + ("; its columns were added there by their key" if added else "; add it there by [[sources.joins]] if its columns are needed"))
    orders = [part for part in parts if part.kind == "orders" and part.joins]
    for part in orders:
        double = next((one for one in orders if one is not part and set(one.joins.items()) & set(part.joins.items()) and ("product" in one.table.columns, -orders.index(one)) > ("product" in part.table.columns, -orders.index(part))), None)
        if double:
            parts[parts.index(part)] = part._replace(kind="", why=f"its amounts are those of {double.file.name} counted in another way: both would double the sales")
    return parts


def _groups(parts: list[Part]) -> list[list[Part]]:
    """Put the files that have at least half of their items in common into one survey."""
    groups: list[list[Part]] = []
    for part in parts:
        own = {names.plain(name) for name, one in part.roles.items() if one.role in items.KINDS}
        for group in groups:
            other = {names.plain(name) for name, one in group[0].roles.items() if one.role in items.KINDS}
            matched = len(own & other) + len(names.close(sorted(own - other), sorted(other - own)))
            called = names.undated(part.file.path.name) == names.undated(group[0].file.path.name) and names.undated(part.file.path.name) and part.file.path.name != group[0].file.path.name
            alike = matched >= ALIKE * min(len(own), len(other)) and matched >= 0.25 * max(len(own), len(other)) and matched >= min(2, len(own))
            if own and other and (alike or (called and matched >= 0.1 * min(len(own), len(other)))):
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _survey(group: list[Part], made: dict, ids: dict, taken: list[str]) -> None:
    called = names.common([names.bare(part.file.path.name) + ("_" + part.file.reading.database_table if part.file.reading.database_table else "") for part in group])
    name = names.unique(names.slug(called) or "survey", taken, 40)
    rows, dated = [], set()
    for part in group:
        column = next((column for column, one in part.roles.items() if one.role == "answered_on"), "")
        form = part.roles[column].form if column else ""
        found, rule = waves.spans(part.file, column, form)
        dated.add(rule)
        rows += [(part, one, form) for one in found]
    by = "answer" if "answer" in dated and all(any(one.role == "answered_on" for one in part.roles.values()) for part in group) else "fieldwork_close"
    rows.sort(key=lambda row: (row[1].last, row[0].file.name))
    labels = [row[1].wave for row in rows]
    for _place, (part, span, form) in enumerate(rows):
        wave = span.wave if labels.count(span.wave) == 1 else names.unique(span.wave, [one["wave"] for one in made["files"] if one["survey"] == name], 40)
        doubt = [note for note in part.file.told if "declare 'decimal'" in note]
        made["files"].append(_file(part, form) | {"table": "responses", "survey": name, "wave": wave, "quarter": span.quarter, "first": span.first, "last": span.last, "where": span.where, "sure": "yes" if span.sure and "NOT SURE" not in part.why else "no", "why": ". ".join(one.rstrip(".") for one in (span.why, part.why, *doubt) if one)})
    languages = sorted({cell.lower()[:2] for part in group for column, one in part.roles.items() if one.role == "language" for cell in part.file.counts.get(column, {}) if re.fullmatch(r"[A-Za-z]{2}([-_].*)?", cell)})
    made["surveys"].append({"id": name, "label": _label(called), "kind": "transactional" if by == "answer" else "relationship", "dated_by": by, "languages": ", ".join(languages), "promise": "undeclared", "uses": "aggregate",
                            "why": f"answers came over {len(rows)} quarters or years, so each counts on its own day" if by == "answer" else "one fieldwork a wave"})  # fmt: skip
    items.write(group, [row[0] for row in rows], name, made, ids)


def _file(part: Part, form: str) -> dict:
    reading = part.file.reading
    return {"file": part.file.name, "joins": book.pairs(part.joins), "sheet": reading.sheet, "header_row": reading.header_row or "", "database_table": reading.database_table, "delimiter": reading.delimiter, "encoding": reading.encoding, "decimal": reading.decimal, "thousands": reading.thousands, "date_format": form, "rows": part.file.rows}


def _table(part: Part, made: dict) -> None:
    if part.kind == "published":
        return _published(part, made)
    table = part.table if part.kind else None
    made["files"].append(_file(part, table.form if table else "") | {"table": part.kind, "where": book.pairs({table.where: "*"}) if table and table.where else "", "fixed": book.pairs({name: ROW for name, column in table.columns.items() if column == ROW} | ({name: part.file.path.name.split(".")[0] if name in ("survey", "wave") else value for name, value in table.fixed.items()})) if table else "", "sure": "no" if "NOT SURE" in part.why or (table and table.where) else "yes", "why": part.why})
    mapped = {column: name for name, column in table.columns.items()} if table else {}
    for column in part.file.raw.frame.columns:
        role = mapped.get(column, "email" if column in part.identify[:1] else "")
        one = part.roles.get(column)
        made["columns"].append({"file": part.file.name, "column": column, "wording": part.wording.get(column, "")[:1_000], "examples": items.examples(part.file, column), "use": "yes" if role else "no", "role": role, "sure": "yes", "why": part.identify[1] if column in part.identify[:1] else f"the {role} of {part.kind}" if role else (one.why if one and not one.role and part.kind else "not needed")})


def _published(part: Part, made: dict) -> None:
    figures = part.figures
    made["files"].append(_file(part, "") | {"table": "published", "sure": "no", "why": part.why})
    role = {figures.day: "day", figures.base: "base", **dict.fromkeys(figures.series[:1], "series"), **{name: "estimate" for name, unit in figures.figures.items() if unit}}
    for column in part.file.raw.frame.columns:
        one = role.get(column, "")
        made["columns"].append({"file": part.file.name, "column": column, "examples": items.examples(part.file, column), "use": "yes" if one else "no", "role": one, "scale": figures.figures.get(column, "") if one == "estimate" else "", "label": names.label(column, "") if one == "estimate" else "", "sure": "yes", "why": f"the {one} of published figures" + (f", in {figures.figures[column]}" if one == "estimate" else "") if one else "not needed"})


def _currency(parts: list[Part]) -> tuple[str, str]:
    """Return the currency whose sign stands in most columns, in their names or cells, and where; EUR where none does."""
    for part in parts:
        if column := part.table.columns.get("currency") if part.table else None:
            told = [cell.strip().upper() for cell in part.file.raw.frame[column] if cell.strip().upper() in amounts.CODES]
            if told:
                return max(sorted(set(told)), key=told.count), f"most amounts of {part.file.name} are in it, as '{column}' says"
    seen, several = {}, {}
    for part in parts:
        for name in part.file.raw.frame.columns:
            cells = [cell for cell in part.file.cells(name, 20) if len(cell) < 30]
            meant = [found.moneys - {"%"} for cell in cells if amounts.looks(cell) and (found := amounts.split(cell))]
            said = {code for code, pattern in SIGNS.items() if re.search(pattern, " ".join([name, *cells]))} | ({next((one for one in FIRST if one in meant[0]), min(meant[0]))} if meant and meant[0] else set())
            for code in said:
                seen.setdefault(code, []).append(f"'{name[:40]}' of {part.file.name}")
                several[code] = several.get(code, False) or (any(len(one) > 1 for one in meant) and code in FIRST)
    if not seen:
        return "EUR", "nothing in the files says it"
    code = max(seen, key=lambda one: len(seen[one]))
    return code, f"its sign stands in {seen[code][0]}" + ("; moneys of other countries are written so too" if several[code] or code == "USD" else "")


def _last(part: Part):
    """The last day on which something was published, bought, sold or said; None for other tables."""
    if part.kind == "published":
        return part.figures.last
    column = part.table.columns.get({"orders": "ordered_on", "sales": "sold_on", "interactions": "at"}.get(part.kind, "")) if part.table else None
    days = waves.days(part.file, column, part.table.form) if column else ()
    return days[-1].item() if len(days) else None


def _programme(parts: list[Part], name: str, chances) -> list[dict]:
    currency, why = _currency(parts)
    last = max((day for part in parts if (day := _last(part))), default=None) if not any(part.kind == "responses" for part in parts) else None
    spoken, heard = tongues.of(parts, chances) if chances else ([], "")
    return [
        {"key": "name", "value": name, "why": "Name on the report's cover."},
        {"key": "currency", "value": currency, "why": f"Currency of every amount: {why}."},
        {"key": "timezone", "value": "UTC", "why": "Zone in which days and quarters are counted, e.g. Europe/Berlin."},
        {"key": "languages", "value": ", ".join(spoken or ["en"]), "why": f"Languages of the comments that are coded{': ' + heard if heard else ''}."},
        *([{"key": "reported", "value": quarters.of(last), "why": "Quarters that are reported without a survey: here the last of which the files know."}] if last else []),
        {"key": "about", "value": "", "why": "What a reader should know of the programme, in a sentence or two."},
    ]
