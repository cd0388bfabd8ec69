"""Files that name each other's rows: a review its order, an order its customer; what one lacks may stand in the other."""

from cxlib.load import rows
from cxlib.load.draft import facts, tables, words
from cxlib.questionnaire import Join

SHARE = 0.5  # of the keys that must be found in the other file


def person(file: facts.File, found: dict, others: list[facts.File]) -> tuple[facts.File, dict, str]:
    """Return a survey's file with the columns of those that lead to its person, the joins (file -> key), and why; itself where none does."""
    for step in _paths(file, others):
        names = [name for name in step[0].raw.frame.columns if name not in file.raw.frame.columns and words.says(tables.PERSON, name)]
        if names:
            return *step, f"the person of an answer is found through {' and '.join(step[1])}"
    return file, {}, ""


def table(file: facts.File, others: list[facts.File], wording: dict) -> tuple[facts.File, tables.Table | None, dict]:
    """Return a file that fills no table by itself with the columns of others by which it fills one, that table, and the joins."""
    for linked, added in _paths(file, others):
        fits = [one for one in tables.guess(linked, wording) if not one.lacks and one.name in ("orders", "interactions", "events", "actions", "offers")]
        own = [one for one in fits if any(column in file.raw.frame.columns for name, column in one.columns.items() if name in ("amount", "kind", "arm", "product"))]
        if own:
            return linked, own[0], added
    return file, None, {}


def more(file: facts.File, table: tables.Table, other: facts.File, wording: dict) -> tuple[facts.File, tables.Table, dict]:
    """Return a table's file with the columns of another that it lacks, the table then, and the join; itself where they tell nothing new."""
    for linked, added in _paths(file, [other]):
        best = next((one for one in tables.guess(linked, wording) if one.name == table.name and not one.lacks), table)
        if len(best.columns) > len(table.columns):
            return linked, best, added
    return file, table, {}


def _paths(file: facts.File, others: list[facts.File]) -> list[tuple[facts.File, dict]]:
    """Return the file joined with each other whose rows its own name by a key of the same name, unique there."""
    made = []
    for other in others:
        for name in file.raw.frame.columns:
            if name not in other.raw.frame or file.columns.at[name, "kind"] not in ("id", "verbatim") or file.distinct[name] < 20:
                continue
            keys = set(other.raw.frame[name].unique()) - {""}
            if len(keys) != other.rows or len(other.raw.frame.columns) < 2 or file.distinct[name] <= 0.2 * len(keys):
                continue
            cells = file.cells(name)
            if sum(cell in keys for cell in cells) < SHARE * len(cells):
                continue
            raw = rows.joined(file.raw, other.raw, Join(file=other.path.name, on=name), file=file.path.name)
            made.append((facts.again(file, raw, other), {other.name: name}))
            break
    return made
