"""One person's rights: everything the raw files hold of them, and the removal of it (GDPR articles 15 and 17).

A person is named by the key that the files carry, or by its pseudonym. Rows are found by that key, also where it stands in a file that is joined,
and in files without one by the e-mail address, phone or number that the customer file holds of them. All parts of a wave are looked through, and the rows of joined
files that only this person's rows name. Anonymous answers are never opened for a request, and are removed unseen.
"""

import bisect
import datetime as dt
import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cxlib import schema, spreadsheets
from cxlib.errors import DataError
from cxlib.load import identifiers, readers
from cxlib.load import rows as linked
from cxlib.load.draft import sheets
from cxlib.programme import FORGOTTEN, Source, Wave
from cxlib.questionnaire import ROW, Join

SURE = ("customer_number", "loyalty_number", "email", "phone")  # identifiers that are one person's alone
_MAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
_WRITTEN = re.compile(r"\.(?:csv|tsv|txt|tab|jsonl|ndjson)(?:\.gz)?$|\.parquet$", re.IGNORECASE)


class Found(NamedTuple):
    """The rows of one file that are a person's."""

    reading: Wave | Source  # what reads the file
    table: str
    raw: readers.Raw
    places: list[int]
    closed: bool  # answers that were promised to nobody's knowledge
    file: str
    joined: Join | None = None  # how the file is added to the rows of another

    @property
    def named(self) -> str:
        return self.file or self.reading.named


class _Place(NamedTuple):
    """A file, or a part of one wave, with the columns of those that it is joined with."""

    reading: Wave | Source
    table: str
    raw: readers.Raw
    file: str
    whole: readers.Raw
    others: list  # (join, the raw file)


def rows(programme, person: str) -> list[Found]:
    """Return the files of a programme with the places of a person's rows, files without any left out. Raises DataError where there is none at all."""
    files = _files(programme)
    secret, wanted = identifiers.salt(), identifiers.known_as(person)
    # By the pseudonym, in which the spellings of an address are one, and not by the cell.
    matches = lambda cells: (identifiers.pseudonyms(cells.where(cells != ""), secret=secret) == wanted).fillna(False)
    own, accounts, marks = {}, set(), {}
    for place, (one, table, _, _, whole, _) in enumerate(files):
        column = _column(programme, one, table, whole, "person_id")
        mine = matches(whole.frame[column].astype("str").str.strip()) if column else pd.Series(False, index=whole.frame.index)
        own[place] = mine
        if table == "people" and mine.any():
            account = _column(programme, one, table, whole, "account_id")
            if account:
                keys = whole.frame[account].str.strip()
                shared = set(keys[~mine])
                accounts |= {key for key in keys[mine] if key and key not in shared}
            for name, source in (*one.identify.items(), *(("email", column) for column in _mails(whole.frame))):
                if name in SURE:
                    marks.setdefault(name, set()).update(identifiers.normalise(whole.frame.loc[mine, source], kind=identifiers.KINDS[name]).dropna())
    for place, (one, table, _, _, whole, _) in enumerate(files):
        if table == "accounts" and accounts and (column := _column(programme, one, table, whole, "account_id")):
            own[place] |= whole.frame[column].str.strip().isin(accounts)
        if table not in ("people", "staff"):
            # An address that nobody declared is one all the same, where the file has no other key of a person.
            undeclared = [("email", column) for column in _mails(whole.frame)] if "email" in marks and not one.identify and not _column(programme, one, table, whole, "person_id") else []
            for name, source in (*((name, one.identify[name]) for name in set(one.identify) & set(marks)), *undeclared):
                own[place] |= identifiers.normalise(whole.frame[source], kind=identifiers.KINDS[name]).isin(marks[name] - {""}).fillna(False)
    found = []
    for place, (one, table, raw, file, whole, others) in enumerate(files):
        # The further lines of a person's order, which are no rows of the table, go with it.
        if getattr(one, "where", None) and isinstance(one, Source) and own[place].any() and (column := _column(programme, one, table, whole, schema.TABLES[table][0].name)):
            own[place] |= _named_alone(whole.frame[column], own[place], whole.frame[column], _own_rows(whole, one))
        closed = isinstance(one, Wave) and "link" not in programme.survey(one.survey).uses
        found.append(Found(one, table, raw, own[place].to_numpy(dtype=bool).nonzero()[0].tolist(), closed, file))
        for join, other in others:
            mine = _named_alone(whole.frame[join.on], own[place], other.frame[join.to or join.on]) if join.on in whole.frame else pd.Series(False, index=other.frame.index)
            if column := _column(programme, one, table, other, "person_id"):
                mine |= matches(other.frame[column].astype("str").str.strip())
            found.append(Found(one, table, other, mine.to_numpy(dtype=bool).nonzero()[0].tolist(), closed, join.file, join))
    if not any(one.places for one in found if not one.closed):
        raise DataError(f"Nothing is known of a person '{person}' in {programme.raw}; name the key that stands in the files, as in the column person_id of the people table, or its pseudonym.")
    return found


def _files(programme) -> list[_Place]:
    """Every file that the programme reads, each part of a wave by itself, with the columns of the files it is joined with."""
    made = []
    for one in (*programme.waves, *programme.sources):
        others = [(join, readers.read(programme.raw / join.file, join, within=programme.raw)) for join in one.joins]
        for file in (one.file, *(one.parts if isinstance(one, Wave) else ())):
            raw = whole = readers.read(programme.raw / file, one, within=programme.raw)
            for join, other in others:
                whole = linked.joined(whole, other, join, file=file or one.named)
            made.append(_Place(one, "responses" if isinstance(one, Wave) else one.table, raw, file, whole, others))
    return made


def _mails(frame: pd.DataFrame) -> list[str]:
    """The columns of a file that hold e-mail addresses, whatever they are called."""
    found = []
    for name in frame.columns:
        some = frame[name].astype("str").str.strip()
        some = some[some != ""].head(200)
        if len(some) and some.str.fullmatch(_MAIL).mean() >= 0.5:
            found.append(name)
    return found


def _own_rows(raw: readers.Raw, one: Source) -> pd.Series:
    """Which rows of a file are rows of its table."""
    own = pd.Series(True, index=raw.frame.index)
    for column, value in one.where.items():
        own &= raw.frame[column].str.strip() != "" if value == "*" else raw.frame[column].str.strip() == value
    return own


def _named_alone(keys: pd.Series, mine: pd.Series, other: pd.Series, within: pd.Series | None = None) -> pd.Series:
    """Which rows of a joined file, or further ones of the same, are named by a person's rows and by nobody else's."""
    keys = keys.astype("str").str.strip()
    if within is not None:
        keys, mine = keys[within], mine[within]
    return other.astype("str").str.strip().isin(set(keys[mine]) - set(keys[~mine]) - {""})


def subject(programme, person: str, *, out: Path, day: dt.date | None = None) -> Path:
    """Write everything that is known of one person as one readable text file under `<out>/<programme>/subjects/`, readable by its owner only; return its path.

    It holds the rows as they stand in the raw files, with where, what for, how long and who else sees them. No edition and no study reads it.
    """
    found, day, shown = rows(programme, person), day or dt.date.today(), set()
    lines = [f"What {programme.name} holds of one person, {day}", f"Person: {person}", f"Asked of: {programme.privacy.contact or 'no contact is declared ([privacy] contact in programme.toml)'}", ""]
    for one in found:
        if one.closed:
            if one.joined or one.file != one.reading.file:
                continue
            lines += [f"== {one.reading.named}: answers to '{programme.survey(one.reading.survey).label or one.reading.survey}'", "These were given under a promise that does not permit linking them to a person; they are not looked up.", ""]
        elif places := [place for place in one.places if (one.file, one.raw.row(place)) not in shown]:  # a file may hold several waves, or be joined with another
            shown |= {(one.file, one.raw.row(place)) for place in places if one.file}
            purpose, kept, seen = _terms(programme, one)
            lines += [f"== {one.named}: {one.table}{f', joined with {one.reading.named}' if one.joined else ''}", f"What for: {purpose}. Kept: {kept}. Who sees rows: {seen}."]
            for place in places:
                lines += ["", f"Row {one.raw.row(place)}"]
                lines += [f"  {column}: {' '.join(value.split())}" for column, value in one.raw.frame.iloc[place].items() if value != ""]
            lines.append("")
    lines += ["Derived from these: the pseudonym", f"  {identifiers.known_as(person)}", "by which the tables of the store are joined. Reports hold figures over groups, and redacted quotations where the survey's promise permits them.", ""]
    path = _written(programme, person, out)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(lines))
    return path


def remove(programme, person: str, *, reason: str, day: dt.date | None = None, out: Path | None = None) -> pd.DataFrame:
    """Take a person's rows out of every raw file and enter them in `forgotten.csv`; return its new rows: person (keyed hash), day, reason, file, rows, before, after, secret (which it was hashed with).

    Text files and Parquet are written anew without the rows, every other byte and value as it was; nothing is changed unless all files can be.
    What a draft's codebook shows of cells is emptied, and what `subject` wrote of the person under `out`, the folder of reports, is deleted.
    Raises DataError for workbooks, statistics files and databases that hold such rows, and for a codebook that cannot be read, saying what to do.
    """
    every = [one for one in rows(programme, person) if one.places]
    found, book = _by_file(every), sheets.shown(programme.folder)
    for one in found:
        if not one.file or not _WRITTEN.search(one.file):
            where = "" if one.closed else f" (row {', '.join(str(one.raw.row(place)) for place in one.places[:5])})"
            raise DataError(f"{one.named}: this kind of file cannot be written without changing the rest of it. Delete the rows of this person there{where}, or export it as CSV or Parquet, then run the command again. Nothing was changed.")
    written = [(one, *_without(programme.raw / one.file, one)) for one in found]
    who = identifiers.known_as(person)
    ready = []
    for one, before, after in written:
        path = programme.raw / one.file
        temporary = path.with_name(f".forget-{path.name}")
        temporary.write_bytes(after)
        ready.append((one, path, temporary, before, after))
    try:
        for one, _, temporary, *_ in ready:
            left = one.raw.frame.drop(index=one.raw.frame.index[one.places]).reset_index(drop=True)
            if not readers.read(temporary, one.joined or one.reading, within=programme.raw).frame.reset_index(drop=True).equals(left):
                raise DataError(f"{one.named}: the file cannot be written without changing other rows; delete the rows of this person by hand. Nothing was changed.")
        for _, path, temporary, *_ in ready:
            os.chmod(temporary, path.stat().st_mode)
            os.replace(temporary, path)
    finally:
        for _, _, temporary, *_ in ready:
            temporary.unlink(missing_ok=True)
    entries = [(who, str(day or dt.date.today()), reason, one.file, len(one.places), hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest(), identifiers.mark(identifiers.salt())) for one, _, _, before, after in ready]
    manifest = pd.DataFrame(entries, columns=["person", "day", "reason", "file", "rows", "before", "after", "secret"])
    path = programme.folder / FORGOTTEN
    whole = pd.concat([pd.read_csv(path, dtype=str), manifest.astype(str)], ignore_index=True) if path.is_file() else manifest
    spreadsheets.csv(whole, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)
    if book is not None:
        sheets.without_examples(programme.folder, book)
    keys = {person.strip(), who, *(cell.strip() for one in every if (column := _column(programme, one.reading, one.table, one.raw, "person_id")) for cell in one.raw.frame[column].iloc[one.places])}
    for key in keys if out is not None else ():
        _written(programme, key, out).unlink(missing_ok=True)
    return manifest


def _written(programme, person: str, out: Path) -> Path:
    return Path(out) / programme.folder.name / "subjects" / f"{hashlib.sha256(person.strip().encode()).hexdigest()[:12]}.txt"


def _by_file(found: list[Found]) -> list[Found]:
    """The rows of each file once: one that holds several waves, or is read and joined, is written once, without all of them."""
    made: dict = {}
    for one in found:
        first = made.get(one.file) if one.file else None
        if first is None:
            made[one.file or len(made)] = one
            continue
        at = {row: place for place, row in enumerate(first.raw.places().tolist())}
        missing = [row for place in one.places if (row := one.raw.row(place)) not in at]
        if missing:
            raise DataError(f"{one.file}: it is read in two ways that do not have the same rows (row {missing[0]}); delete the rows of this person by hand. Nothing was changed.")
        made[one.file] = first._replace(places=sorted({*first.places, *(at[one.raw.row(place)] for place in one.places)}), closed=first.closed and one.closed)
    return list(made.values())


def answers(programme, person: str) -> dict[str, str]:
    """Return what becomes of the answers and messages (ids) that are on record elsewhere once a person's rows are taken out: "" for the person's own, and the new id of those that are
    named by a row that moves up. To be asked before `remove`."""
    found: dict[str, str] = {}
    for one in rows(programme, person):
        file, asked = one.reading, isinstance(one.reading, Wave)
        if not one.places or one.joined or not (asked or one.table == "interactions"):
            continue
        gone = sorted(one.raw.row(place) for place in one.places)
        name, stem = f"{file.survey}/{file.id}" if asked else "interactions", f"{one.file.split('.')[0]}-" if asked and file.parts else ""
        column = programme.column(file, "response_id") if asked else file.columns.get("interaction_id", "interaction_id")
        if column != ROW and column not in one.raw.frame:
            continue
        if column != ROW:
            found |= {f"{name}/{one.raw.frame[column].iloc[place].strip()}": "" for place in one.places}
            continue
        for row in one.raw.places().tolist():
            before = bisect.bisect_left(gone, row)
            found |= {f"{name}/{stem}row{row}": ""} if row in gone else {f"{name}/{stem}row{row}": f"{name}/{stem}row{row - before}"} if before else {}
    return found


def _column(programme, one, table: str, raw, name: str) -> str:
    column = programme.column(one, name) if table == "responses" else one.columns.get(name, name)
    return column if column in raw.frame else ""


def _terms(programme, one: Found) -> tuple[str, str, str]:
    reading = one.reading
    if isinstance(reading, Wave):
        survey = programme.survey(reading.survey)
        return f"{survey.label or survey.id}, promised as {survey.promise}, used to {', '.join(survey.uses)}", _kept(survey.retention_months), "those who run this workbook"
    return reading.purpose or "not declared", _kept(reading.retention_months), ", ".join(reading.recipients) or "those who run this workbook"


def _kept(months: int | None) -> str:
    return "no end is declared" if months is None else f"{months} months"


def _without(path: Path, one: Found) -> tuple[bytes, bytes]:
    """The bytes of a file, and those without some rows."""
    before, gone = path.read_bytes(), {one.raw.row(place) for place in one.places}
    if path.name.lower().endswith(".parquet"):
        return before, _parquet(path, one.places)
    import gzip

    packed = path.suffix.lower() == ".gz"
    content = gzip.decompress(before) if packed else before
    encoding = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}.get(one.raw.encoding, one.raw.encoding)
    text = content.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    lines = text.split("\n")
    records: list[str] = []
    kept = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    if re.search(r"\.(?:jsonl|ndjson)", path.name.lower()):
        records = kept
    else:
        open_quote = False
        for line in kept:
            if open_quote:
                records[-1] += line
            else:
                records.append(line)
            open_quote ^= line.count('"') % 2 == 1
    whole = "".join(record for row, record in enumerate(records, start=1) if row not in gone)
    after = whole.encode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    if text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "strict") != content:
        raise DataError(f"{path.name}: its encoding ({encoding}) cannot be written as it was; delete the rows of this person by hand. Nothing was changed.")
    return before, gzip.compress(after, mtime=0) if packed else after


def _parquet(path: Path, places: list[int]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        table, facts = file.read(use_threads=False), file.metadata
        codec = facts.row_group(0).column(0).compression.lower() if facts.num_row_groups and facts.num_columns else "zstd"
    import numpy as np

    keep = np.ones(len(table), bool)
    keep[places] = False
    sink = pa.BufferOutputStream()
    pq.write_table(table.filter(pa.array(keep)), sink, compression="none" if codec == "uncompressed" else codec)
    return sink.getvalue().to_pybytes()
