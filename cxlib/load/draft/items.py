"""The items of a survey over its files: a row a column, each item once with its facts, and the scales they share."""

import re

from cxlib.load.draft import book, facts, measures, names, roles, scales, words
from cxlib.load.draft.tables import Part
from cxlib.questionnaire import ROW

KINDS = ("rating", "nominal", "number", "verbatim")


def write(group: list[Part], order: list[Part], survey: str, made: dict, ids: dict) -> None:
    """Write a row a column; items of one survey share an id over its files, by name, by wording, and by names that differ in little."""
    seen: dict = {}  # what an item is known by -> id
    given: set = set()
    latest = list(dict.fromkeys(reversed([part.file.name for part in order])))
    parts = {part.file.name: part for part in group}
    chosen = measures.of(parts[latest[0]])
    for place, part in enumerate(parts[name] for name in latest):
        own = {column: one for column, one in part.roles.items() if one.role in KINDS}
        fuzzy = names.close(sorted({names.plain(column) for column in own} - set(seen)), sorted(set(seen) - {names.plain(column) for column in own})) if place else {}
        kpis = chosen if not place else measures.of(part)
        used: set = set()
        drivers = set() if place else measures.drivers(part, kpis)  # a model is of the latest wave
        for column, one in part.roles.items():
            row = {"file": part.file.name, "column": column, "wording": part.wording.get(column, "")[:1_000], "examples": examples(part.file, column), "use": "yes" if one.role and one.role not in ("id", "date") else "no", "role": one.role if one.role not in ("id", "date") else "", "sure": "yes" if one.sure >= 0.7 else "no", "why": one.why}
            if not row["role"] and column in part.joins.values():
                row |= {"sure": "yes", "why": f"the key by which {next(file for file, key in part.joins.items() if key == column)} is joined"}
            if column in part.identify[:1]:
                row |= {"use": "yes", "role": "email", "sure": "no", "why": part.identify[1]}
            if one.role in KINDS:
                same, how = _known(column, row["wording"], seen, fuzzy, kpis)
                item = same if same and same not in used else None
                if item is None:
                    item = names.item(column, row["wording"], one, kpis, ids, survey)
                    ids[item] = survey
                elif how:
                    row["sure"], row["why"] = ("no" if how == "code" else row["sure"]), f"{row['why']}; the item of the other files " + {"code": "whose column is called the same (check that it asks the same)", "name": "of the same name", "wording": "with the same wording", "close": "whose name is nearly the same", "kpi": "that measures the same"}[how]
                if column in kpis and kpis[column][2]:
                    row["sure"], row["why"] = "no", f"{kpis[column][2]}; {row['why']}"
                used.add(item)
                seen.setdefault(names.plain(column), item)
                seen.setdefault(f"wording: {names.plain(row['wording'])}", item)
                row |= {"id": item} | (_facts(part, column, one, kpis, drivers, made["scales"]) if item not in given else _scale_only(part, column, one, made["scales"], made["columns"], item))
                given.add(item)
            elif row["role"]:
                row |= {"label": names.label(column, ""), "segment": "yes" if one.role in ("channel", "brand", "country") and 2 <= part.file.distinct[column] <= 12 else ""}
            made["columns"].append(row)
        _both(made["columns"], part)


def _both(rows: list[dict], part: Part) -> None:
    """A customer's key that is unique in every row is the id of the answer too, where the file has no other."""
    if roles.response_id(part.roles) == ROW:
        for row in rows:
            if row["file"] == part.file.name and row["role"] == "person_id" and row["column"] in part.file.distinct and part.file.distinct[row["column"]] == part.file.rows and row["column"] not in part.joins:
                row["id"], row["why"] = "response_id", row["why"] + "; unique in every row, so it is the id of the answer too"


def _known(column: str, wording: str, seen: dict, fuzzy: dict, kpis: dict) -> tuple[str | None, str]:
    own = names.plain(column)
    if own in seen:
        return seen[own], "code" if names.CODE.fullmatch(own) and f"wording: {names.plain(wording)}" not in seen else "name"
    if len(names.plain(wording)) > 8 and f"wording: {names.plain(wording)}" in seen:
        return seen[f"wording: {names.plain(wording)}"], "wording"
    if own in fuzzy:
        return seen[fuzzy[own]], "close"
    if column in kpis and kpis[column][0] in seen.values():
        return kpis[column][0], "kpi"
    return None, ""


def _facts(part: Part, column: str, one: roles.Role, kpis: dict, drivers: set, store: "Scales") -> dict:
    guess = one.guess
    row = {"label": names.label(column, part.wording.get(column, ""))}
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


def _scale_only(part: Part, column: str, one: roles.Role, store: "Scales", rows: list, item: str) -> dict:
    """Codes that are no answers in this file too; where the ends depart from the other files' the row says so."""
    first = next(row for row in rows if row.get("id") == item and row.get("role") in KINDS)
    if one.role != first["role"]:
        return {"id": "", "use": "no", "sure": "no", "why": f"a {one.role} here and a {first['role']} in {first['file']}: left out of this wave; give it an id of its own to keep it"}
    if one.role == "rating":
        low, high = store.ends(first["scale"])
        if (one.guess.low, one.guess.high) != (low, high):
            return {"id": "", "use": "no", "sure": "no", "why": f"answers from {one.guess.low} to {one.guess.high} here and from {low} to {high} in {first['file']}: left out of this wave; give it an id and a scale of its own to keep it"}
        store.add(first["scale"], one.guess)
    return {}


class Scales:
    """The scales of a draft, each once, with the codes outside their ends that any of their items has."""

    def __init__(self):
        self.made: dict = {}

    def name(self, guess: scales.Guess, *, turned: bool = False) -> str:
        labels = guess.labels or ({str(code): str(guess.low + guess.high - code) for code in range(guess.low, guess.high + 1)} if turned else {})
        key = (guess.low, guess.high, guess.low_label, guess.high_label, tuple(labels.items()), guess.reversed)
        if key not in self.made:
            word = "recommend" if (guess.low, guess.high) == (0, 10) else "yes_no" if guess.high == 1 else f"points{guess.high}"
            self.made[key] = {"id": names.unique(word, [one["id"] for one in self.made.values()], 40), "guess": guess, "labels": labels, "turned": turned, "missing": {}}
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


def examples(file: facts.File, column: str) -> str:
    """Return a few cells of a column, none of them where they may tell who a person is."""
    if roles.personal(file, column, "") or column not in file.raw.frame:
        return ""
    return " | ".join(cell[:40].replace("\n", " ") for cell in file.cells(column, 200)[:3])
