"""E-mail addresses that stand in several files: the customer's key where the files have no other, else what rows without the key are matched by."""

from typing import NamedTuple

from cxlib.load.draft import facts, roles, words

SHARED, FEW = 0.1, 5  # of the smaller file's addresses, and addresses, that must stand in the other
KEY = "an e-mail address that {} hold{}: offered as the customer's key, which is hashed on load; answers are joined by it once the survey's promise permits 'link'"
MATCHED = "an e-mail address that {} hold{} too: rows without the customer's key are matched by it, and it is not kept; answers once the survey's promise permits 'link'"


class Shared(NamedTuple):
    """What a file's column of addresses is for: `key` where it stands for the customer's key, else it is matched with the customer file's."""

    column: str
    key: bool
    why: str


def of(files: list[facts.File]) -> dict[str, Shared]:
    """Return, by file, the column of e-mail addresses that another file shares."""
    held = {}
    for file in files:
        for name in file.raw.frame.columns:
            if facts.nameable(name) and name in file.distinct and file.distinct[name] >= FEW and roles.personal(file, name, "") == "email" and file.cells(name, 200) and "@" in file.cells(name, 1)[0]:
                held[file.name] = (name, {cell.strip().casefold() for cell in file.raw.frame[name].unique()} - {""})
                break
    made = {}
    for name, (column, own) in held.items():
        others = [other for other, (_, theirs) in held.items() if other != name and len(own & theirs) >= max(FEW, SHARED * min(len(own), len(theirs)))]
        if others:
            made[name] = (column, others)
    numbered = {file.name for file in files if file.name in made and any(words.says(words.FIELDS["person_id"], one) and one != made[file.name][0] for one in file.raw.frame.columns)}
    told = {name: (others[0] if len(others) == 1 else f"{len(others)} other files", "s" if len(others) == 1 else "") for name, (_, others) in made.items()}
    if not numbered:
        return {name: Shared(column, True, KEY.format(*told[name])) for name, (column, _) in made.items()}
    return {name: Shared(column, False, MATCHED.format(*told[name])) for name, (column, _) in made.items()}
