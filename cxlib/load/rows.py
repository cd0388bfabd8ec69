"""The rows of a wave or a table: those of its file, numbered where they have no id, with the columns of other files added, and only its own."""

import numpy as np

from cxlib.errors import DataError, nearest
from cxlib.load import answers, readers
from cxlib.load.readers import Raw
from cxlib.programme import Programme, Source, Wave
from cxlib.questionnaire import ROW, Join, Reading


def by_wave(programme: Programme):
    """Yield every wave with its rows; a file that holds several waves in a row is read once."""
    before, whole = None, None
    for wave in programme.waves:
        same = {"own": wave.model_dump(include={"file", "joins", *Reading.model_fields}), "id": programme.column(wave, "response_id")}
        if same != before:
            whole = _whole(programme, wave, [programme.column(wave, "response_id")])
            before = same
        yield wave, of_wave(programme, wave, whole)


def of_wave(programme: Programme, wave: Wave, whole: Raw | None = None) -> Raw:
    """Return the rows of a wave: those that have the values of `where` and, where waves of a survey that is dated by its answers share
    a file, lie on its days. Rows on the days of none of them stay with the largest, which sets them aside.

    `whole` is the file where it has been read already. Raises DataError for a column of `where` or a key of `joins` that is not there.
    """
    raw = _whole(programme, wave, [programme.column(wave, "response_id")]) if whole is None else whole
    own = np.ones(len(raw.frame), dtype=bool)
    for column, value in wave.where.items():
        _present(raw, column, f"'where' of wave '{wave.id}'", wave.named)
        own &= (raw.frame[column].str.strip() == value).to_numpy(dtype=bool)
    sharing = [one for one in programme.waves if (one.survey, one.file, one.database_table, one.where) == (wave.survey, wave.file, wave.database_table, wave.where)]
    if len(sharing) > 1 and programme.survey(wave.survey).dated_by != "fieldwork_close":
        column = programme.column(wave, "answered_on")
        _present(raw, column, f"wave '{wave.id}'", wave.named)
        found = answers.moments(raw.frame[column], reading=wave, zone=programme.timezone).values
        days = np.array([value.date() if value is not None else None for value in found], dtype="datetime64[D]")
        within = [(days >= np.datetime64(one.first)) & (days <= np.datetime64(one.last)) for one in sharing]
        place, largest = sharing.index(wave), int(np.argmax([one.sum() for one in within]))
        own &= within[place] | ~np.any(within, axis=0) if place == largest else within[place]
    return raw if own.all() else raw._replace(frame=raw.frame[own].reset_index(drop=True), rows=_places(raw)[own])


def of_source(programme: Programme, source: Source) -> Raw:
    """Return the rows of another table's file, with the columns of the files it is joined with."""
    return _whole(programme, source, source.columns.values())


def _whole(programme: Programme, reading, columns) -> Raw:
    raw = readers.read(programme.raw / reading.file, reading, within=programme.raw)
    for join in reading.joins:
        raw = joined(raw, readers.read(programme.raw / join.file, join, within=programme.raw), join, file=reading.named)
    if ROW in columns:
        stem = "" if isinstance(reading, Wave) else f"{reading.named.split('.')[0]}-"  # a table may be filled from several files
        # Whether two rows without an id are one answer sent twice or two that agree cannot be told: both are kept.
        raw = raw._replace(frame=raw.frame.assign(**{ROW: [f"{stem}row{place}" for place in _places(raw)]}).astype({ROW: readers.raw.TEXT}))
    return raw


def _places(raw: Raw) -> np.ndarray:
    return raw.rows if raw.rows is not None else np.arange(raw.first_row, raw.first_row + len(raw.frame))


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
