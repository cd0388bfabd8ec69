"""What was promised to those who answered, kept where the store is made: comments redacted, rows kept no longer than declared."""

import re

import pandas as pd

from cxlib.load import names, redaction
from cxlib.load.identifiers import KINDS

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_COMMON = frozenset(["von", "van", "der", "den", "zum", "zur", "und", "dr", "prof", "mr", "mrs", "ms", "herr", "frau"])
_FREE = {"interactions": ("reason",), "events": ("kind",)}  # columns of other tables that people may have typed


def known(programme, sources: list) -> redaction.Known:
    """Return what a programme's own files say of persons, to redact comments by; in memory only.

    Staff names count wherever they stand with a capital letter, customers' first and last names only together, because many surnames
    are words. Keys of customers and accounts count where they hold a letter or eight digits. `sources` are pairs of a table's name and its intake.
    """
    persons, pairs, numbers = set(), set(), set()
    for table, intake in sources:
        found = intake.identifiers
        columns = [name for name in found.columns if KINDS.get(name) == "name"]
        if table == "staff":
            persons |= {names.fold(word) for name in columns for cell in found[name].dropna().unique() for word in _WORD.findall(str(cell)) if len(word) > 2 and names.fold(word) not in _COMMON}
        elif table == "people":
            pairs |= set(_pairs(found))
        for name in ("person_id", "account_id"):
            if name in intake.frame and table in ("people", "accounts"):
                numbers |= {key.casefold() for key in intake.frame[name].dropna().astype(str).unique() if _telling(key)}
    told = (programme.name, *programme.brands, *programme.countries, *programme.privacy.words, *(one.label for group in (programme.surveys, programme.items, programme.segments, programme.kpis) for one in group))
    kept = frozenset(names.fold(word) for text in told for word in _WORD.findall(text))
    return redaction.Known(names.Known(frozenset(persons) - kept, frozenset(pairs), kept), frozenset(numbers), tuple(programme.privacy.numbers))


def redacted(tables: dict[str, pd.DataFrame], known: redaction.Known) -> dict[str, pd.DataFrame]:
    """Return the tables with every comment redacted, and what else people may have typed: reasons of contacts, cells on the repair list.

    A table more, `redactions`, counts what was taken out: survey, wave, quarter, item, kind, n, rows (comments).
    """
    tables, verbatims = dict(tables), tables["verbatims"]
    counted = pd.DataFrame()
    if len(verbatims):
        clean = redaction.texts(verbatims["text"], known=known)
        tables["verbatims"] = verbatims.assign(text=clean["text"])
        keys = ["survey", "wave", "quarter", "item"]
        long = verbatims[keys].join(clean[list(redaction.MARKS)]).melt(keys, var_name="kind", value_name="n").query("n > 0")
        counted = long.groupby([*keys, "kind"], as_index=False, sort=True).agg(n=("n", "sum"), rows=("n", "size"))
    for name, columns in (*_FREE.items(), ("repairs", ("value",))):
        for column in columns:
            if name in tables and len(tables[name]) and column in tables[name]:
                tables[name] = tables[name].assign(**{column: redaction.texts(tables[name][column], known=known)["text"]})
    return tables | {"redactions": counted}


def _pairs(found: pd.DataFrame):
    if {"first_name", "last_name"} <= set(found.columns):
        rows = zip(found["first_name"].fillna(""), found["last_name"].fillna(""))
    elif "name" in found:
        rows = ((cell.split()[0], cell.split()[-1]) for cell in found["name"].dropna().astype(str) if len(cell.split()) > 1)
    else:
        return
    for first, last in rows:
        if first and last:
            yield names.fold(str(first).split()[0].strip(",")), names.fold(str(last).split()[-1].strip(","))


def _telling(key: str) -> bool:
    digits = sum(sign.isdigit() for sign in key)
    return len(key) >= 5 and (digits >= 8 or (digits >= 3 and any(sign.isalpha() for sign in key)))
