"""The rows of a wave or a table: those of its file, numbered where they have no id, with the columns of other files added, and only its own."""

import numpy as np

from cxlib.errors import DataError, nearest
from cxlib.load import answers, readers
from cxlib.load.readers import Raw, codes
from cxlib.programme import Programme, Source, Wave
from cxlib.questionnaire import ROW, Join, Reading

KEPT = 2**22  # bytes of a file that stays open until the store is made


def of_wave(programme: Programme, wave: Wave, opened: dict | None = None):
    """Return a function that yields the rows of a wave in parts, and the columns of each of its files by the file's name.

    They are those that have the values of `where` and, where waves of a survey that is dated by its answers share a file, lie on its
    days. Rows on the days of none of them stay with the largest, which sets them aside. `opened` is kept from one wave to the next, so that a
    file that holds several is opened once. Raises DataError for a column of `where` or a key of `joins` that is not there.
    """
    opened, key = {} if opened is None else opened, repr((wave.model_dump(include={"file", "parts", "joins", *Reading.model_fields}), programme.column(wave, "response_id")))
    if key not in opened:
        opened.clear()
        opened[key] = _opened(programme, wave, [programme.column(wave, "response_id")])
    read, files = opened[key]
    sharing = [one for one in programme.waves if (one.survey, one.file, one.sheet, one.database_table, one.where) == (wave.survey, wave.file, wave.sheet, wave.database_table, wave.where)]
    column = programme.column(wave, "answered_on") if len(sharing) > 1 and programme.survey(wave.survey).dated_by != "fieldwork_close" else None
    for name, where in (*((name, f"'where' of wave '{wave.id}'") for name in wave.where), *([(column, f"wave '{wave.id}'")] if column else [])):
        for file, columns in files.items():
            if name not in columns:
                raise DataError(f"{file}: the column '{name}' that {where} needs is missing{nearest(name, columns)}; correct the file, or the column in programme.toml.")
    if not wave.where and not column:
        return read, files

    def on_days(raw: Raw) -> list[np.ndarray]:
        days = np.asarray(answers.moments(raw.frame[column], reading=wave, zone=programme.timezone, told=raw.zones.get(column, "")).values, dtype="datetime64[D]")
        return [(days >= np.datetime64(one.first)) & (days <= np.datetime64(one.last)) for one in sharing]

    largest = -1
    if column:
        largest = int(np.argmax(np.sum([[within.sum() for within in on_days(_where(raw, wave))] for raw in read()], axis=0)))

    def own():
        for raw in read():
            raw = _where(raw, wave)
            if column:
                within, place = on_days(raw), sharing.index(wave)
                raw = _only(raw, within[place] | ~np.any(within, axis=0) if place == largest else within[place])
            yield raw

    return own, files


def of_source(programme: Programme, source: Source, opened: dict | None = None):
    """Return a function that yields the rows of another table's file in parts, with the columns of the files it is joined with, and its columns by its name.

    `opened` is kept where a file is read more than once, so that a small one is opened and unpacked once.
    """
    opened, key = {} if opened is None else opened, repr(source)
    if key not in opened:
        found = _of_its_own(_opened(programme, source, source.columns.values()), source)
        if source.database or (programme.raw / source.file).stat().st_size > KEPT:
            return found
        opened[key] = found
    return opened[key]


def _of_its_own(found, source: Source):
    """Return the rows that have the values of `where`; raises DataError for a column that is not there."""
    read, files = found
    for name in source.where:
        for file, columns in files.items():
            if name not in columns:
                raise DataError(f"{file}: the column '{name}' that 'where' of this file needs is missing{nearest(name, columns)}; correct the file, or the column in programme.toml.")
    return ((lambda: (_where(raw, source) for raw in read())) if source.where else read), files


def _opened(programme: Programme, reading, columns):
    read, files = readers.joined(programme.raw, reading)
    others = [(join, readers.read(programme.raw / join.file, join, within=programme.raw)) for join in reading.joins]
    if not others and ROW not in columns:
        return read, files
    first = next(read()) if others else None
    for join, other in others:  # what cannot be joined is told before anything else is looked at; a join may use a column that one before it added
        first = joined(first, other, join, file=reading.named)

    def again():
        for raw in read():
            for join, other in others:
                raw = joined(raw, other, join, file=reading.named)
            if ROW in columns:
                stem = "" if isinstance(reading, Wave) and not reading.parts else f"{(raw.source or reading.named).split('.')[0]}-"  # a table or a wave may be filled from several files
                # Whether two rows without an id are one answer sent twice or two that agree cannot be told: both are kept.
                raw = raw._replace(frame=raw.frame.assign(**{ROW: [f"{stem}row{place}" for place in raw.places()]}).astype({ROW: readers.raw.TEXT}))
            yield raw

    more = [name for _, other in others for name in other.frame.columns] + ([ROW] if ROW in columns else [])
    return again, {file: [*dict.fromkeys([*own, *more])] for file, own in files.items()}


def _where(raw: Raw, one: Wave | Source) -> Raw:
    own = np.ones(len(raw.frame), dtype=bool)
    for column, value in one.where.items():
        cells = raw.frame[column].str.strip()
        own &= (cells != "" if value == "*" and isinstance(one, Source) else cells == value).to_numpy(dtype=bool)
    return _only(raw, own)


def _only(raw: Raw, own: np.ndarray) -> Raw:
    return raw if own.all() else raw._replace(frame=codes.present(raw.frame[own].reset_index(drop=True)), rows=raw.places()[own])


def joined(raw: Raw, other: Raw, join: Join, *, file: str) -> Raw:
    """Return rows with the columns of another file that they lack, by a key that is unique there; a key that is not found leaves them empty."""
    to = join.to or join.on
    _present(raw, join.on, f"the join with '{join.file}'", file)
    _present(other, to, f"the join of '{file}'", join.file)
    keys = other.frame[to].str.strip()
    twice = np.flatnonzero((keys.duplicated() & (keys != "")).to_numpy(dtype=bool))
    if len(twice):
        raise DataError(f"{join.file}: row {other.row(twice[0])}, column '{to}': '{keys.iloc[twice[0]]}' stands there twice, so that the rows of '{file}' would be doubled; join by a column whose values are unique.")
    added = [name for name in other.frame.columns if name != to and name not in raw.frame]
    places = raw.frame[join.on].str.strip().map(dict(zip(keys, range(len(keys)))))
    found = other.frame[added].reindex(places.where(raw.frame[join.on] != "").to_numpy()).fillna("")
    frame = raw.frame.assign(**{name: found[name].to_numpy() for name in added}).astype(dict.fromkeys(added, readers.raw.TEXT))
    wording = {**{name: text for name, text in other.wording.items() if name in added}, **raw.wording}
    return raw._replace(frame=frame, wording=wording)


def _present(raw: Raw, column: str, where: str, file: str) -> None:
    if column not in raw.frame:
        raise DataError(f"{file}: the column '{column}' that {where} needs is missing{nearest(column, raw.frame.columns)}; correct the file, or the column in programme.toml.")
