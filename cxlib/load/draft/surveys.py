"""From the files to a codebook: which hold answers and which other tables, which are waves of one survey, and what their items are called."""

import difflib
import re
import unicodedata
from typing import NamedTuple

from cxlib.load.draft import book, facts, joins, roles, scales, tables, waves, words
from cxlib.programme import RESERVED
from cxlib.questionnaire import ROW

ITEMS = ("rating", "nominal", "number", "verbatim")
ALIKE = 0.5  # share of items that two files must have in common to be waves of one survey
_CODE = re.compile(r"[a-z]{0,3}[0-9]+[a-z]?([_. ][0-9]*[a-z]?)*", re.IGNORECASE)


class Part(NamedTuple):
    """A file with what it was taken for: `kind` is responses, a table's name, or "" where it is not read."""

    file: facts.File
    wording: dict
    roles: dict
    kind: str
    table: tables.Table | None
    joins: dict
    why: str


def draft(files: list[facts.File], *, name: str) -> book.Book:
    """Return the codebook of a set of files, every guess in it with its reason."""
    dictionaries = {file.name: found for file in files if (found := _dictionary(file, files))}
    parts = [_part(file, files, dictionaries) for file in files]
    parts = _one_people(parts)
    groups = _groups([part for part in parts if part.kind == "responses"])
    made: dict = {"columns": [], "files": [], "surveys": [], "scales": _Scales()}
    ids: dict = {}
    for group in groups:
        _survey(group, made, ids, [row["id"] for row in made["surveys"]])
    for part in parts:
        if part.kind != "responses":
            _table(part, made)
    order = {file.name: place for place, file in enumerate(files)}
    made["columns"].sort(key=lambda row: order[row["file"]])
    return book.made(columns=made["columns"], files=made["files"], surveys=made["surveys"], scales=made["scales"].rows(), programme=_programme(parts, name))


def _dictionary(file: facts.File, files: list[facts.File]) -> dict | None:
    """Return column -> wording where a file lists the columns of another with what they ask, else None."""
    for other in files:
        if other is file or not 2 <= len(other.raw.frame.columns) or file.rows > 5_000:
            continue
        names = {name.lower(): name for name in other.raw.frame.columns}
        for key in file.raw.frame.columns:
            cells = file.raw.frame[key].str.strip()
            if len({cell.lower() for cell in cells} & set(names)) < max(3, 0.6 * len(names)) or len(file.raw.frame.columns) < 2:
                continue
            lengths = {name: sum(map(len, file.raw.frame[name].unique())) for name in file.raw.frame.columns if name != key}
            asked = next((name for name in lengths if words.says(r"\b(wording|question|label|text|frage|description|meaning|libelle|pregunta|pergunta)\b", name)), max(lengths, key=lengths.get))
            return {names[cell.lower()]: text.strip() for cell, text in zip(cells, file.raw.frame[asked]) if cell.lower() in names and text.strip()}
    return None


def _part(file: facts.File, files: list, dictionaries: dict) -> Part:
    if file.name in dictionaries:
        return Part(file, {}, {}, "", None, {}, "it lists the columns of another file; its wording was taken from it")
    wording = dict(file.raw.wording)
    for found in dictionaries.values():
        if sum(name in found for name in file.raw.frame.columns) >= 0.5 * len(file.raw.frame.columns):
            wording = {**found, **wording}
    if file.rows == 0:
        return Part(file, wording, {}, "", None, {}, "it has a header and no rows")
    found, fits = roles.of(file, wording), tables.guess(file, wording)
    ratings = [one for one in found.values() if one.role == "rating"]
    judged = [name for name, one in found.items() if one.role == "rating" and any(words.says(pattern, name, wording.get(name, "")) for pattern in words.KPIS.values())]
    texts = sum(one.role == "verbatim" for one in found.values())
    answers = 2 * min(len(judged), 3) + min(3, len(ratings) / 2) + texts + (2 if file.raw.wording or file.raw.labels else 0)
    best = next((one for one in fits if not one.lacks), None)
    if answers >= 1 and (best is None or answers >= 2 * judged.__len__() > 0 or answers > best.score / 2):
        others = [one for one in files if one is not file]
        linked, added, why = joins.person(file, found, others) if not any(one.role == "person_id" for one in found.values()) else (file, {}, "")
        if added:
            found = roles.of(linked, wording) | {name: one for name, one in found.items()}
            found = {name: one if name in file.raw.frame.columns or one.role == "person_id" else one._replace(role="", why=f"a column of {', '.join(added)}") for name, one in found.items()}
        return Part(linked, wording, found, "responses", None, added, why)
    if best is None:
        linked, best, added = joins.table(file, [one for one in files if one is not file], wording)
        if best is not None:
            return Part(linked, wording, found, best.name, best, added, f"{best.name} by its columns, with those of {', '.join(added)} added by a key")
    if best is not None:
        return Part(file, wording, found, best.name, best, {}, f"{best.name} by its name and columns" + (f"; {best.why}" if best.why else ""))
    if len(files) == 1 and any(one.role in ITEMS for one in found.values()):
        return Part(file, wording, found, "responses", None, {}, "NOT SURE: nothing says what it is; taken for a survey because it is the only file")
    lacking = f"; it would be {fits[0].name} if it had {', '.join(fits[0].lacks)}" if fits and fits[0].lacks else ""
    return Part(file, wording, found, "", None, {}, f"nothing in it is an answer, and no table of the contract fits{lacking}")


def _one_people(parts: list[Part]) -> list[Part]:
    """Keep one file of customers, the one that tells most: persons that stand in two files would be counted twice."""
    for table in ("people", "accounts"):
        own = [part for part in parts if part.kind == table]
        for part in sorted(own, key=lambda part: -len(part.table.columns))[1:]:
            parts[parts.index(part)] = part._replace(kind="", why=f"another file of {table} tells more; put the columns that are needed into one file, or add it by [[sources.joins]]")
    return parts


# ------------------------------------------------------------------------------------------------------------------------- surveys


def plain(name: str) -> str:
    """Return a column's name without what changes from export to export: case, marks and the number of its question."""
    folded = re.sub(r"[^\w ]+", " ", words.folded(name)).strip()
    bare = re.sub(r"^(q|f|v|frage|question|pregunta|item)? ?[0-9]+[a-z]?\b[ .:)]*", "", folded).strip()
    return bare if len(bare) > 3 else folded


def _groups(parts: list[Part]) -> list[list[Part]]:
    """Put the files that have at least half of their items in common into one survey."""
    groups: list[list[Part]] = []
    for part in parts:
        own = {plain(name) for name, one in part.roles.items() if one.role in ITEMS}
        for group in groups:
            other = {plain(name) for name, one in group[0].roles.items() if one.role in ITEMS}
            matched = len(own & other) + len(_fuzzy(sorted(own - other), sorted(other - own)))
            if own and other and matched >= ALIKE * min(len(own), len(other)) and matched >= 2:
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _fuzzy(left: list[str], right: list[str]) -> dict[str, str]:
    """Match names that differ in little: speed of data, data speed; each once, the closest first. Codes are never matched so."""
    left, right = ([one for one in names if len(one) >= 5 and not _CODE.fullmatch(one)] for names in (left, right))
    if len(left) * len(right) > 20_000:
        return {}
    close = []
    for a in left:
        for b in right:
            mine, theirs = set(a.split()), set(b.split())
            ratio = max(difflib.SequenceMatcher(None, a, b).ratio(), len(mine & theirs) / max(len(mine | theirs), 1))
            if ratio >= 0.75:
                close.append((-ratio, a, b))
    found: dict = {}
    for _, a, b in sorted(close):
        if a not in found and b not in found.values():
            found[a] = b
    return found


def _survey(group: list[Part], made: dict, ids: dict, taken: list[str]) -> None:
    name = unique(slug(_common([part.file.path.name.split(".")[0] + ("_" + part.file.reading.database_table if part.file.reading.database_table else "") for part in group])) or "survey", taken, 40)
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
    for place, (part, span, form) in enumerate(rows):
        wave = span.wave if labels.count(span.wave) == 1 else unique(span.wave, [one["wave"] for one in made["files"] if one["survey"] == name], 40)
        doubt = [note for note in part.file.raw.notes if "declare 'decimal'" in note]
        made["files"].append(_file(part, form) | {"table": "responses", "survey": name, "wave": wave, "quarter": span.quarter, "first": span.first, "last": span.last, "where": span.where, "sure": "yes" if span.sure else "no", "why": ". ".join(one.rstrip(".") for one in (span.why, part.why, *doubt) if one)})
    languages = sorted({cell.lower()[:2] for part in group for column, one in part.roles.items() if one.role == "language" for cell in part.file.counts.get(column, {}) if re.fullmatch(r"[A-Za-z]{2}([-_].*)?", cell)})
    made["surveys"].append({"id": name, "label": _label(name), "kind": "transactional" if by == "answer" else "relationship", "dated_by": by, "languages": ", ".join(languages), "promise": "undeclared", "uses": "aggregate",
                            "why": f"answers came over {len(rows)} quarters or years, so each counts on its own day" if by == "answer" else "one fieldwork a wave"})  # fmt: skip
    _items(group, [row[0] for row in rows], name, made, ids)


def _file(part: Part, form: str) -> dict:
    reading = part.file.reading
    return {"file": part.file.name, "joins": book.pairs(part.joins), "sheet": reading.sheet, "database_table": reading.database_table, "delimiter": reading.delimiter, "encoding": reading.encoding, "decimal": reading.decimal, "thousands": reading.thousands, "date_format": form, "rows": part.file.rows}


def _items(group: list[Part], order: list[Part], survey: str, made: dict, ids: dict) -> None:
    """Write a row a column; items of one survey share an id over its files, by name, by wording, and by names that differ in little."""
    names: dict = {}  # what an item is known by -> id
    given: set = set()
    latest = list(dict.fromkeys(reversed([part.file.name for part in order])))
    parts = {part.file.name: part for part in group}
    chosen = _kpis(parts[latest[0]])
    for place, part in enumerate(parts[name] for name in latest):
        own = {column: one for column, one in part.roles.items() if one.role in ITEMS}
        fuzzy = _fuzzy(sorted({plain(column) for column in own} - set(names)), sorted(set(names) - {plain(column) for column in own})) if place else {}
        kpis = chosen if not place else _kpis(part)
        used: set = set()
        drivers = _drivers(part, kpis)
        for column, one in part.roles.items():
            row = {"file": part.file.name, "column": column, "wording": part.wording.get(column, "")[:1_000], "examples": _examples(part.file, column), "use": "yes" if one.role and one.role not in ("id", "date") else "no", "role": one.role if one.role not in ("id", "date") else "", "sure": "yes" if one.sure >= 0.7 else "no", "why": one.why}
            if one.role in ITEMS:
                same, how = _known(column, row["wording"], names, fuzzy, kpis)
                item = same if same and same not in used else None
                if item is None:
                    item = _id(column, row["wording"], one, kpis, ids, survey)
                    ids[item] = survey
                elif how:
                    row["sure"], row["why"] = ("no" if how == "code" else row["sure"]), f"{row['why']}; the item of the other files " + {"code": "whose column is called the same (check that it asks the same)", "name": "of the same name", "wording": "with the same wording", "close": "whose name is nearly the same", "kpi": "that measures the same"}[how]
                used.add(item)
                names.setdefault(plain(column), item)
                names.setdefault(f"wording: {plain(row['wording'])}", item)
                row |= {"id": item} | (_facts(part, column, one, kpis, drivers, made["scales"]) if item not in given else _scale_only(part, column, one, made["scales"], made["columns"], item))
                given.add(item)
            elif row["role"]:
                row |= {"label": label(column, ""), "segment": "yes" if one.role in ("channel", "brand", "country") and 2 <= part.file.distinct[column] <= 12 else ""}
            made["columns"].append(row)
        _both(made["columns"], part)


def _both(rows: list[dict], part: Part) -> None:
    """A customer's key that is unique in every row is the id of the answer too, where the file has no other."""
    if roles.response_id(part.roles) == ROW:
        for row in rows:
            if row["file"] == part.file.name and row["role"] == "person_id" and row["column"] in part.file.distinct and part.file.distinct[row["column"]] == part.file.rows and row["column"] not in part.joins:
                row["id"], row["why"] = "response_id", row["why"] + "; unique in every row, so it is the id of the answer too"


def _known(column: str, wording: str, names: dict, fuzzy: dict, kpis: dict) -> tuple[str | None, str]:
    own = plain(column)
    if own in names:
        return names[own], "code" if _CODE.fullmatch(own) and f"wording: {plain(wording)}" not in names else "name"
    if len(plain(wording)) > 8 and f"wording: {plain(wording)}" in names:
        return names[f"wording: {plain(wording)}"], "wording"
    if own in fuzzy:
        return names[fuzzy[own]], "close"
    if column in kpis and kpis[column][0] in names.values():
        return kpis[column][0], "kpi"
    return None, ""


def _facts(part: Part, column: str, one: roles.Role, kpis: dict, drivers: set, store: "_Scales") -> dict:
    guess = one.guess
    row = {"label": label(column, part.wording.get(column, ""))}
    if one.role == "rating":
        row |= {"scale": store.name(guess, turned=guess.reversed and column in kpis), "direction": "low_is_good" if guess.reversed and column not in kpis and guess.high > 1 else "", "missing": book.pairs(store.own(guess))}
        row |= {"kpi": kpis[column][1] if column in kpis else "", "driver": "yes" if column in drivers else ""}
    elif guess is not None:
        row |= {"labels": book.pairs(guess.labels) if one.role == "nominal" else "", "missing": book.pairs(guess.missing if one.role == "number" or guess.labels else {})}
        few = one.role == "nominal" and 2 <= part.file.distinct.get(column, 0) <= 12
        row |= {"segment": "yes" if few and words.says(words.CUTS, column, part.wording.get(column, "")[:60]) else ""}
    else:
        row["question"] = next((kind for kind, pattern in words.QUESTIONS.items() if words.says(pattern, part.wording.get(column, "") or column)), "comment")
    return row


def _scale_only(part: Part, column: str, one: roles.Role, store: "_Scales", rows: list, item: str) -> dict:
    """Codes that are no answers in this file too; where the ends depart from the other files' the row says so."""
    first = next(row for row in rows if row.get("id") == item and row.get("role") in ITEMS)
    if one.role != first["role"]:
        return {"id": "", "use": "no", "sure": "no", "why": f"a {one.role} here and a {first['role']} in {first['file']}: left out of this wave; give it an id of its own to keep it"}
    if one.role == "rating":
        low, high = store.ends(first["scale"])
        if (one.guess.low, one.guess.high) != (low, high):
            return {"id": "", "use": "no", "sure": "no", "why": f"answers from {one.guess.low} to {one.guess.high} here and from {low} to {high} in {first['file']}: left out of this wave; give it an id and a scale of its own to keep it"}
        store.add(first["scale"], one.guess)
    return {}


def _kpis(part: Part) -> dict[str, tuple[str, str]]:
    """Return column -> (item id, definition) of the ratings that are worded as key figures, one of each sort."""
    ratings = {column: one.guess for column, one in part.roles.items() if one.role == "rating"}
    found: dict = {}
    for kind, item in (("recommend", "recommend"), ("repurchase", "repurchase"), ("effort", "ease"), ("satisfaction", "satisfaction")):
        fits = [column for column in ratings if column not in found and not words.says(words.STATED, column, part.wording.get(column, "")) and words.says(words.KPIS[kind], column, part.wording.get(column, "")) and (kind != "effort" or not _battery(column, ratings, part))]
        if kind == "satisfaction":
            best = [column for column in fits if words.says(words.OVERALL, column, part.wording.get(column, ""))] or [column for column in fits if not _battery(column, ratings, part)] or fits[:0]
            best = best or [column for column in ratings if words.says(words.OVERALL, column) and column not in found]
        else:
            best = fits
        best = [column for column in best if _definition(kind, ratings[column], column)]
        if best:
            column = min(best, key=lambda one: (ratings[one].high == 1, len(one) > 60, list(ratings).index(one)))
            found[column] = (item, _definition(kind, ratings[column], column))
    if not any(item == "satisfaction" for item, _ in found.values()):
        tail = [column for column in ratings if re.search(r"(_|\b)(all|global|gesamt|total)$", words.folded(column))]
        for column in tail[:1]:
            if definition := _definition("satisfaction", ratings[column], column):
                found[column] = ("satisfaction", definition)
    return found


def _battery(column: str, ratings: dict, part: Part) -> bool:
    """Whether a rating is one of several of its kind: an attribute, whatever its words."""
    stem = scales.stem(column)
    like = [one for one in ratings if one != column and (ratings[one].low, ratings[one].high) == (ratings[column].low, ratings[column].high)]
    words_of = set(plain(column).split()) - {"rating", "satisfaction", "score"}
    return bool(words_of) and (sum(scales.stem(one) == stem for one in like) >= 3 if stem else len(like) >= 4)


def _definition(kind: str, guess: scales.Guess, column: str) -> str:
    ends = (guess.low, guess.high)
    if ends == (0, 1):
        return "share_0_1"
    if kind == "recommend":
        return {(0, 10): "nps_0_10", (1, 10): "top2_of_10", (1, 5): "top2_of_5", (1, 7): "top2_of_7"}.get(ends, "")
    if kind == "effort":
        hard = words.says(r"\b(effort|aufwand|esfuerzo|esforco)\b", column) and not guess.high_label
        return {(1, 5): "ces_1" if hard else "ease_top2_of_5", (1, 7): "ces_2", (1, 10): "mean_of_10", (0, 10): "mean_0_10"}.get(ends, "")
    if kind == "repurchase":
        return {(1, 5): "repurchase_top2_of_5", (1, 7): "top2_of_7", (1, 10): "top2_of_10", (0, 10): "mean_0_10"}.get(ends, "")
    return {(1, 5): "csat_top2_of_5", (1, 7): "top2_of_7", (1, 10): "mean_of_10", (0, 10): "mean_0_10"}.get(ends, "")


def _drivers(part: Part, kpis: dict) -> set[str]:
    """Return the ratings that are no key figure and share the ends that most of them have."""
    rest = [column for column, one in part.roles.items() if one.role == "rating" and column not in kpis and one.guess.high > 1 and not words.says(words.STATED, column, part.wording.get(column, ""))]
    ends = [(part.roles[column].guess.low, part.roles[column].guess.high) for column in rest]
    usual = max(sorted(set(ends)), key=ends.count, default=None)
    chosen = [column for column, one in zip(rest, ends) if one == usual and part.roles[column].sure >= 0.6]
    full = [column for column in chosen if sum(n for cell, n in part.file.counts.get(column, {}).items() if cell not in part.roles[column].guess.missing) >= 0.3 * part.file.rows]
    return set(full[:40]) if len(full) >= 2 else set()


class _Scales:
    """The scales of a draft, each once, with the codes outside their ends that any of their items has."""

    def __init__(self):
        self.made: dict = {}

    def name(self, guess: scales.Guess, *, turned: bool = False) -> str:
        labels = guess.labels or ({str(code): str(guess.low + guess.high - code) for code in range(guess.low, guess.high + 1)} if turned else {})
        key = (guess.low, guess.high, guess.low_label, guess.high_label, tuple(labels.items()), guess.reversed)
        if key not in self.made:
            word = "recommend" if (guess.low, guess.high) == (0, 10) else "yes_no" if guess.high == 1 else f"points{guess.high}"
            self.made[key] = {"id": unique(word, [one["id"] for one in self.made.values()], 40), "guess": guess, "labels": labels, "turned": turned, "missing": {}}
        self.add(self.made[key]["id"], guess)
        return self.made[key]["id"]

    def add(self, name: str, guess: scales.Guess) -> None:
        one = next(one for one in self.made.values() if one["id"] == name)
        one["missing"] |= {code: text for code, text in guess.missing.items() if not _within(code, guess) and code not in one["missing"] and len(one["missing"]) < 30}

    def ends(self, name: str) -> tuple[int, int]:
        guess = next(one["guess"] for one in self.made.values() if one["id"] == name)
        return guess.low, guess.high

    def own(self, guess: scales.Guess) -> dict:
        """Codes that lie on the scale and yet are no answers to this item."""
        return {code: text for code, text in guess.missing.items() if _within(code, guess)}

    def rows(self) -> list[dict]:
        made = []
        for one in self.made.values():
            guess = one["guess"]
            ends = (guess.high_label, guess.low_label) if one["turned"] and guess.high > 1 else (guess.low_label, guess.high_label)
            why = "its codes are turned round on loading, so that the high end is the good one" if one["turned"] and guess.high > 1 else "the low end is the good one" if guess.reversed and guess.high > 1 else "" if guess.high_label else "that the high end is the good one is assumed: the file does not say"
            made.append({"id": one["id"], "low": guess.low, "high": guess.high, "low_label": ends[0], "high_label": ends[1], "direction": "", "labels": book.pairs(one["labels"]), "missing": book.pairs(one["missing"]), "why": why})
        return made


def _within(code: str, guess: scales.Guess) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]{1,6}(\.0+)?", code)) and guess.low <= float(code) <= guess.high


# --------------------------------------------------------------------------------------------------------------------------- names


def slug(text: str) -> str:
    """Return text as an id: lower-case ASCII letters, digits and underscores, a letter first; "" where nothing is left."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text[:400])
    folded = "".join(one for one in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(one))
    found = re.sub(r"[^a-z0-9]+", "_", folded.lower()).strip("_")
    return re.sub(r"^[^a-z]+", "", found)[:40].strip("_") if re.search(r"[a-z]", found) else ""


def unique(name: str, taken, most: int) -> str:
    """Return a name that is not taken yet: itself, or with the next number behind."""
    return name if name not in taken else next(one for n in range(2, 100_000) if (one := f"{name[: most - len(str(n)) - 1]}_{n}") not in taken)


def label(column: str, wording: str) -> str:
    """Return a short name for charts: the end of the wording (an option, an attribute) where it is short, else the column's name in words."""
    text = " ".join(re.sub(r"<[^>]*>", " ", wording).split())
    tail = re.split(r" [-–] |: ", text)[-1].strip()
    if 2 < len(tail) <= 60:
        return tail[:1].upper() + tail[1:]
    if not _CODE.fullmatch(column) and len(column) <= 60:
        bare = " ".join(column.replace("_", " ").split())
        return bare[:1].upper() + bare[1:]
    return (tail or column)[:57] + ("..." if len(tail or column) > 57 else "")


def _id(column: str, wording: str, one: roles.Role, kpis: dict, ids: dict, survey: str) -> str:
    wish = kpis[column][0] if column in kpis else slug(column) if not _CODE.fullmatch(column) and len(column) <= 40 else slug(re.split(r" [-–] |: ", wording)[-1])[:30] or slug(column)
    wish = wish or "item"
    if wish in RESERVED:
        wish = f"{wish}_item"
    return unique(wish, ids, 40)


def _label(name: str) -> str:
    return name.replace("_", " ").strip().capitalize() or "Survey"


def _common(names: list[str]) -> str:
    """Return what the names of a survey's files have in common, without years and quarters."""
    bare = [re.sub(r"(19|20)[0-9]{2}([-_ ]?[qQ][1-4])?|[qQ][1-4]", "", name).strip("_- ") for name in names]
    start = bare[0]
    for other in bare[1:]:
        while start and not other.startswith(start):
            start = start[:-1]
    return start.strip("_- ") or bare[0]


def _examples(file: facts.File, column: str) -> str:
    """Return a few cells of a column, none of them where they may tell who a person is."""
    if roles.personal(file, column, "") or column not in file.raw.frame:
        return ""
    return " | ".join(cell[:40].replace("\n", " ") for cell in file.cells(column, 200)[:3])


def _table(part: Part, made: dict) -> None:
    table = part.table if part.kind else None
    made["files"].append(_file(part, table.form if table else "") | {"table": part.kind, "fixed": book.pairs({name: ROW for name, column in table.columns.items() if column == ROW} | ({name: part.file.path.name.split(".")[0] if name in ("survey", "wave") else value for name, value in table.fixed.items()})) if table else "", "sure": "yes" if part.kind else "no", "why": part.why})
    mapped = {column: name for name, column in table.columns.items()} if table else {}
    for column in part.file.raw.frame.columns:
        role = mapped.get(column, "")
        one = part.roles.get(column)
        made["columns"].append({"file": part.file.name, "column": column, "wording": part.wording.get(column, "")[:1_000], "examples": _examples(part.file, column), "use": "yes" if role else "no", "role": role, "sure": "yes", "why": f"the {role} of {part.kind}" if role else (one.why if one and not one.role and part.kind else "not needed")})


def _programme(parts: list[Part], name: str) -> list[dict]:
    return [
        {"key": "name", "value": name, "why": "Name on the report's cover."},
        {"key": "currency", "value": "EUR", "why": "Currency of every amount: nothing in the files says it."},
        {"key": "timezone", "value": "UTC", "why": "Zone in which days and quarters are counted, e.g. Europe/Berlin."},
        {"key": "languages", "value": "en", "why": "Languages of the comments that are coded."},
        {"key": "about", "value": "", "why": "What a reader should know of the programme, in a sentence or two."},
    ]
