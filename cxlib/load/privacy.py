"""What was promised to those who answered, kept where the store is made: comments redacted, rows kept no longer than declared."""

import re

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.load import identifiers, names, redaction
from cxlib.load.identifiers import KINDS
from cxlib.programme import FORGOTTEN

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_COMMON = frozenset(["von", "van", "der", "den", "zum", "zur", "und", "dr", "prof", "mr", "mrs", "ms", "herr", "frau"])
_FREE = {"interactions": ("reason", "text"), "events": ("kind",)}  # columns of other tables that people may have typed


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


def redacted(tables: dict[str, pd.DataFrame], known: redaction.Known, *, programme) -> dict[str, pd.DataFrame]:
    """Return the tables with every comment redacted, and what else people may have typed: reasons of contacts, cells on the repair list.

    Comments know the place (`at`) of their answer among the responses. A table more, `redactions`, counts what was taken out: survey, wave,
    quarter, item, kind, n, rows (comments).
    """
    tables, verbatims = dict(tables), tables["verbatims"]
    counted = pd.DataFrame()
    if len(verbatims):
        clean, places, taken = redaction.cleaned(verbatims["text"], known=known)
        tables["verbatims"] = verbatims.assign(text=clean)
        if len(places):
            counted = _counted(tables["responses"].iloc[verbatims["at"].to_numpy()[places]], verbatims["item"].iloc[places], taken)
    for name, columns in (*_FREE.items(), ("repairs", ("value",))):
        for column in columns:
            if name in tables and len(tables[name]) and column in tables[name]:
                tables[name] = tables[name].assign(**{column: redaction.cleaned(tables[name][column], known=known)[0]})
    if len(tables["repairs"]):  # the row is found by its place; whose it is need not be told
        keys = {(one.named, programme.column(one, name) if hasattr(one, "survey") else one.columns.get(name, name)) for one in (*programme.waves, *programme.sources) for name in ("person_id", "account_id")}
        keys |= {(one.named, column) for one in (*programme.waves, *programme.sources) for column in one.identify.values()}
        repairs = tables["repairs"]
        whose = pd.Series([pair in keys for pair in zip(repairs["file"], repairs["column"])], index=repairs.index)
        tables["repairs"] = repairs.assign(value=repairs["value"].mask(whose, redaction.MARKS["number"]))
    return tables | {"redactions": counted}


def _counted(responses: pd.DataFrame, item: pd.Series, taken: np.ndarray) -> pd.DataFrame:
    """Count what was taken out of comments of these responses: rows x kinds."""
    keys = {name: pd.factorize(column) for name, column in (*((name, responses[name]) for name in ("survey", "wave", "quarter")), ("item", item))}
    shape = (*(len(values) for _, values in keys.values()), len(redaction.MARKS))
    rows, kind = np.nonzero(taken)
    cells = np.ravel_multi_index((*(codes[rows] for codes, _ in keys.values()), kind), shape)
    found, place = np.unique(cells, return_inverse=True)
    names = dict(zip((*keys, "kind"), np.unravel_index(found, shape), strict=True))
    values = {name: pd.Index(own, dtype="str") for name, (_, own) in keys.items()} | {"kind": pd.Index(list(redaction.MARKS), dtype="str")}
    return pd.DataFrame({name: values[name].take(own) for name, own in names.items()} | {"n": np.bincount(place, taken[rows, kind]).astype("int64"), "rows": np.bincount(place)})


DAYS = {"interactions": "at", "events": "at", "orders": "ordered_on", "offers": "offered_on", "actions": "assigned_on", "sales": "sold_on", "invitations": "sent_on", "people": "left_on", "accounts": "ended_on", "responses": "answered_on"}


def kept(programme, one, table: str, part, gone: frozenset[str]):
    """Return a part of a file without rows that may no longer be kept and without those of persons who were forgotten, and how many these were.

    The time is counted back from the last day of the latest wave, so that the same inputs give the same store on any day; customers and
    accounts are kept while they are ones, and the time runs from the day they left. Rows without a day stay: they cannot be dated.
    Counts: table, what (the file), months, cutoff, rows, expired, forgotten.
    """
    months = programme.survey(one.survey).retention_months if table == "responses" else one.retention_months
    frame, cutoff = part.frame, None
    old = pd.Series(False, index=frame.index)
    if months is not None and DAYS.get(table) in frame and programme.waves:
        cutoff = (pd.Timestamp(max(wave.last for wave in programme.waves)) - pd.DateOffset(months=months)).normalize()
        old = pd.to_datetime(frame[DAYS[table]]) < cutoff
    away = _away(frame, gone)
    counted = pd.DataFrame([(table, one.named, months, cutoff, len(frame), int(old.sum()), int((away & ~old).sum()))], columns=["table", "what", "months", "cutoff", "rows", "expired", "forgotten"])
    return (_only(part, ~(old | away).to_numpy()) if (old | away).any() else part), counted


def _away(frame: pd.DataFrame, gone: frozenset[str]) -> pd.Series:
    if not gone or "person_id" not in frame:
        return pd.Series(False, index=frame.index)
    return identifiers.pseudonyms(frame["person_id"], secret=identifiers.salt()).isin(gone)


def forgetting(tables: dict[str, pd.DataFrame], gone: frozenset[str]) -> dict[str, pd.DataFrame]:
    """Return tables of persons without those who were forgotten."""
    return {name: frame[~_away(frame, gone)] if len(frame) else frame for name, frame in tables.items()}


def told(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what was not kept, a row a file that has a time to be kept or held rows of a forgotten person."""
    none = pd.DataFrame(columns=["table", "what", "months", "cutoff", "rows", "expired", "forgotten"])  # a programme of published figures reads no rows
    whole = pd.concat(parts or [none], ignore_index=True).astype({"months": "float64", "cutoff": "datetime64[us]"})
    keys = ["table", "what", "months", "cutoff"]
    counted = whole.groupby(keys, sort=False, dropna=False, as_index=False)[["rows", "expired", "forgotten"]].sum()
    return counted[counted["months"].notna() | (counted["forgotten"] > 0)].reset_index(drop=True)


def added(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the counts of what was redacted from those of the parts."""
    found = [part for part in parts if len(part)]
    if not found:
        return pd.DataFrame()
    return pd.concat(found, ignore_index=True).groupby(["survey", "wave", "quarter", "item", "kind"], as_index=False, sort=True)[["n", "rows"]].sum()


def forgotten(programme) -> frozenset[str]:
    """Return the keyed hashes of persons who were taken out of the raw files, so that a file delivered again does not bring them back.

    Raises DataError where they were made under another secret than this workplace's: they would match nobody.
    """
    path = programme.folder / FORGOTTEN
    if not path.is_file():
        return frozenset()
    found = pd.read_csv(path, dtype=str)
    other = ~found.get("secret", pd.Series("", index=found.index)).fillna("").eq(identifiers.mark(identifiers.salt()))
    if other.any():
        row = int(np.flatnonzero(other)[0]) + 2
        raise DataError(f"{FORGOTTEN}, row {row}: this person was forgotten under another secret than this workplace's, so a file that is delivered again would bring the person back. Set CX_SALT or CX_SALT_FILE to the secret of that time; or, with this one, run cx forget for the person again and delete the row.")
    return frozenset(found["person"].dropna())


def _only(intake, left):
    frame = intake.frame[left].reset_index(drop=True)
    marks = intake.identifiers[left].reset_index(drop=True) if len(intake.identifiers) == len(left) else intake.identifiers
    verbatims = intake.verbatims
    if len(verbatims):
        own = verbatims[left[verbatims["at"]]].reset_index(drop=True)
        verbatims = own.assign(at=(left.cumsum() - 1)[own["at"]])
    coverage = intake.coverage.iloc[:0] if len(intake.coverage) and frame.empty else intake.coverage
    return intake._replace(frame=frame, verbatims=verbatims, coverage=coverage, identifiers=marks)


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
