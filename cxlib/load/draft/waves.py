"""When the answers of a file were given: the days and quarters of its waves, from its dates, its columns, its name, or not at all."""

import datetime as dt
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib import quarters
from cxlib.load.draft import facts, forms, names, words
from cxlib.load.draft.book import pairs

FIELDWORK = 100  # days: a longer span is no single fieldwork
WAVE = 50  # answers from which a quarter is a wave of its own
MOST = 24  # waves of one file
NOTHING = np.array(["1970-01-01", "1900-01-01", "1899-12-30", "1899-12-31", "1904-01-01"], dtype="datetime64[D]")  # what programs write where there is no day
_NAME = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?:[-_ .]?(?:[qQ]([1-4])|(0[1-9]|1[0-2])(?![0-9])))?(?![0-9])")


class Span(NamedTuple):
    """One wave of a file: its name, days, the cell of `where` that picks its rows, and why."""

    wave: str
    first: dt.date
    last: dt.date
    where: str
    why: str
    sure: bool

    @property
    def quarter(self) -> str:
        return quarters.of(self.last)


def spans(file: facts.File, column: str, form: str) -> tuple[list[Span], str]:
    """Return the waves of a file and the rule that dates an answer ("answer" where they were told apart by days).

    `column` holds the day of the answer, written as `form`; "" where no column does.
    """
    if column:
        found = days(file, column, form)
        if len(found):
            return _by_days(found)
    if found := _by_column(file):
        return found, "fieldwork_close"
    for said in (file.reading.sheet, names.bare(file.path.name)):
        if found := _NAME.search(_year_first(said)):
            return [_named(found, file)], "fieldwork_close"
    day = dt.datetime.fromtimestamp(file.path.stat().st_mtime, dt.UTC).date()
    why = f"DAYS NOT KNOWN: nothing in the file or its name dates it. The day on which the file was written, {day}, stands in: correct quarter, first and last."
    return [Span(_slug(file.path.name.split(".")[0]), day, day, "", why, False)], "fieldwork_close"


def days(file: facts.File, column: str, form: str) -> np.ndarray:
    """Return the days of all rows, in order, without the few that lie far from the others (1970-01-01 is what a program writes for nothing)."""
    cells, counts = np.unique(file.raw.frame[column].to_numpy(dtype=object).astype(str), return_counts=True)
    read = [(value.date(), n) for cell, n in zip(cells, counts) if (value := forms.read(cell, form))]
    if not read:
        return np.array([], dtype="datetime64[D]")
    found = np.repeat(np.array([day for day, _ in read], dtype="datetime64[D]"), [n for _, n in read])
    found.sort()
    kept = found[~np.isin(found, NOTHING)]
    found = kept if len(kept) > len(found) / 2 else found
    years, n = np.unique(found.astype("datetime64[Y]"), return_counts=True)
    middle = years[np.argmax(n)]
    strange = [year for year, count in zip(years, n) if count < 0.005 * len(found) and abs(int((year - middle) / np.timedelta64(1, "Y"))) > 10]
    return found[~np.isin(found.astype("datetime64[Y]"), np.array(strange, dtype="datetime64[Y]"))] if len(strange) else found


def _by_days(days: np.ndarray) -> tuple[list[Span], str]:
    first, last = (day.item() for day in (days[0], days[-1]))
    if (last - first).days <= FIELDWORK:
        return [Span(quarters.of(last), first, last, "", f"the dates of its answers, {first} to {last}", True)], "fieldwork_close"
    names = pd.PeriodIndex(pd.DatetimeIndex(days), freq="Q")
    codes, unique = pd.factorize(names)
    sizes = np.bincount(codes)
    if len(unique) > MOST or np.median(sizes) < WAVE:
        years = days.astype("datetime64[Y]")
        unique, sizes = np.unique(years, return_counts=True)
        if len(unique) > MOST or len(unique) < 2 or np.median(sizes) < 10:
            return [Span(quarters.of(last), first, last, "", f"one wave of {first} to {last}: too few answers, or too long a time, for more", True)], "fieldwork_close"
        found = [(str(year), days[years == year]) for year in unique]
    else:
        found = [(f"{one.year}Q{one.quarter}", days[codes == place]) for place, one in enumerate(unique)]
    bounds = [(name, own[0].item(), own[-1].item(), len(own)) for name, own in found]
    bounds = [(name, *(quarters.bounds(name) if "Q" in name else (dt.date(int(name), 1, 1), dt.date(int(name), 12, 31))), low, high, n) for name, low, high, n in bounds]
    return [Span(name, start, min(end, last) if name == bounds[-1][0] else end, "", f"{n:,} answers of {low} to {high}, told apart by their day", True) for name, start, end, low, high, n in bounds], "answer"


def _by_column(file: facts.File) -> list[Span]:
    """Waves by a column that says the year, the quarter or the wave."""
    for name, counts in file.counts.items():
        if not words.says(words.WAVES, name) or not facts.nameable(name) or not counts or len(counts) > MOST or sum(counts.values()) < 0.999 * file.rows:
            continue
        found = {cell: _NAME.fullmatch(cell.strip()) or (_NAME.search(cell) if re.search(r"[Qq][1-4]", cell) else None) for cell in counts}
        if all(found.values()) and len(counts) > 1:
            made = [(cell, _named(match, file)) for cell, match in found.items()]
            return [one._replace(wave=_slug(cell), where=pairs({name: cell}), why=f"{counts[cell]:,} rows whose '{name}' is {cell}; {one.why}") for cell, one in sorted(made, key=lambda pair: pair[1].last)]
    return []


def _year_first(said: str) -> str:
    """Return a name with its quarter behind its year: Q1 2026, 1. Quartal 2026, 2026 1T are 2026Q1, a half-year its last quarter."""
    said = re.sub(r"(?i)(?<![0-9a-z])q([1-4])[-_ .']*((?:19|20)[0-9]{2})(?![0-9])", r"\2Q\1", said)
    said = re.sub(r"(?i)(?<![0-9])([1-4])[-_ .]*(?:quartal|quarter|trimestre|trim|qtr|kwartaal)[-_ .]*((?:19|20)[0-9]{2})(?![0-9])", r"\2Q\1", said)
    return re.sub(r"(?i)(?<![0-9])((?:19|20)[0-9]{2})[-_ .]*(?:t([1-4])|([1-4])t)(?![0-9a-z])", lambda found: f"{found[1]}Q{found[2] or found[3]}", said)


def _named(found: re.Match, file: facts.File) -> Span:
    year, quarter, month = int(found[1]), found[2], found[3]
    if quarter:
        first, last = quarters.bounds(f"{year}Q{quarter}")
    elif month:
        first = dt.date(year, int(month), 1)
        last = dt.date(year + int(month) // 12, int(month) % 12 + 1, 1) - dt.timedelta(days=1)
    else:
        first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    exact = bool(quarter or month)
    return Span(found[0].upper().strip("-_ ."), first, last, "", f"'{found[0]}' in the file or its name" + ("" if exact else "; the days of fieldwork are not known: correct quarter, first and last"), exact)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:40].strip("_") or "wave"
