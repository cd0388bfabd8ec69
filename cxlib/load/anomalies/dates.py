"""Dates that were read the wrong way: no day after the twelfth, days and months that fit the fieldwork only when swapped, days of the epoch."""

import re

import numpy as np
import pandas as pd

from cxlib import schema
from cxlib.load.anomalies.grid import COLUMNS, Grid

EPOCHS = [pd.Timestamp(day) for day in ("1970-01-01", "1900-01-01", "1899-12-30", "1899-12-31", "1904-01-01")]
_PARTS = re.compile(r"^\s*(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")


def ambiguous(grid: Grid) -> list[dict]:
    """Return waves without a single day after the twelfth of a month, though their fieldwork had many such days: days and months may be swapped."""
    found = []
    if grid.survey.dated_by == "fieldwork_close" or "answered_on" not in grid.frame:
        return found
    days = pd.to_datetime(grid.frame["answered_on"])
    for code, wave in enumerate(grid.waves):
        declared = next(one for one in grid.programme.waves if one.id == wave and one.survey == grid.survey.id)
        own = days[grid.wave == code].dropna()
        field = pd.date_range(declared.first, declared.last)
        share = (field.day <= 12).mean()
        distinct = own.dt.normalize().unique()
        chance = share ** len(distinct)
        if len(own) >= 30 and len(distinct) >= 6 and (own.dt.day <= 12).all() and chance < 1e-3 and own.dt.month.nunique() >= 2:
            found.append(grid.row("ambiguous_dates", wave, "answered_on", n=len(own), estimate=1 - share, p=chance, verdict="look", sentence=
                f"{grid.where(wave)}: none of {len(own):,} dates on {len(distinct)} days lies after the 12th of a month, though {100 * (1 - share):.0f} % of the fieldwork does; day and month are probably swapped. "
                f"To mend it: declare date_format for this wave as the file writes it."))
    return found


def set_aside(tables, programme=None) -> list[dict]:
    """Return files of which many dates were set aside that fit the wave's days, or the calendar, when day and month are swapped.

    Ten cells or more, 2 % of the file or more, of which at least 60 % fit when swapped.
    """
    programme = programme or tables.programme
    repairs, found = tables["repairs"], []
    if not len(repairs):
        return found
    repairs = repairs[repairs["rule"].str.contains("not a date|outside the wave", regex=True)]
    rows = tables["files"].groupby("file")["rows"].max()  # a file may serve several waves
    for file, own in repairs.groupby("file", sort=True):
        wave = next((one for one in programme.waves if one.named == file), None)
        swapped = [_swapped(value) for value in own["value"]]
        inside = [day is not None and (wave is None or wave.first <= day <= wave.last) for day in swapped]
        if len(own) < 10 or len(own) < 0.02 * rows.get(file, 0) or np.mean(inside) < 0.6:
            continue
        survey, name = (wave.survey, wave.id) if wave else ("", "")
        table = "responses" if wave else next((one.table for one in programme.sources if one.named == file), "")
        values = ("ambiguous_dates", "", table, survey, name, own["column"].iloc[0], "", len(own), float(np.mean(inside)), np.nan, "look",
            f"{file}: {len(own):,} dates in '{own['column'].iloc[0]}' were set aside (such as '{own['value'].iloc[0]}'), and {100 * np.mean(inside):.0f} % of them fit when day and month are swapped; those that were kept may be swapped unseen. "
            "To mend it: declare date_format as the file writes it.")
        found.append(dict(zip(COLUMNS, (*values, ""))))
    return found


def _swapped(value: str):
    """Return the day a written date stands for when its day and month change places; None where there is none."""
    if not (match := _PARTS.match(str(value))):
        return None
    a, b, c = match.groups()
    year, one, two = (int(a), int(b), int(c)) if len(a) == 4 else (int(c), int(b), int(a))
    for month, day in ((two, one), (one, two)) if len(a) != 4 else ((two, one),):
        try:
            return pd.Timestamp(year + (2000 if year < 100 else 0), month, day).date()
        except ValueError:
            continue
    return None


def of_tables(tables) -> list[dict]:
    """Return date columns of the other tables without a day after the twelfth (12 days over 3 months or more), and days of a computer's epoch.

    An epoch (1970-01-01, 1900-01-01 and the like) is named where three rows or more hold it and every other lies five years or more away.
    """
    found = []
    for name, columns in schema.TABLES.items():
        dated = [column.name for column in columns if column.type in ("date", "moment") and column.name != "week"]
        if name in ("responses", "files", "repairs", "coverage", "verbatims") or not dated or name not in tables or not len(frame := tables[name]):
            continue
        for column in dated:
            days = pd.to_datetime(frame[column]).dropna()
            if not len(days):
                continue
            distinct = pd.Series(days.dt.normalize().unique())
            epochs = distinct[distinct.isin(EPOCHS)]
            rest = days[~days.dt.normalize().isin(EPOCHS)]
            for epoch in epochs:
                n = int((days.dt.normalize() == epoch).sum())
                if n >= 3 and len(rest) >= n and (rest - epoch).abs().min() > pd.Timedelta(days=5 * 365):
                    found.append(_row(name, column, n, n / len(days), np.nan, f"table '{name}', column '{column}': {n:,} rows are dated {epoch.date()}, years away from all others; that is where a computer's calendar begins, not a day of anything. To mend it: leave the cells empty."))
            usual = pd.Series(rest.dt.normalize().unique())
            if len(usual) >= 12 and (usual.dt.day <= 12).all() and usual.dt.to_period("M").nunique() >= 3:
                first_days = (usual.dt.day == 1).mean()
                chance = float((12 / 30.44) ** len(usual))
                if first_days < 0.5 and usual.dt.day.nunique() >= 5 and chance < 1e-4:
                    found.append(_row(name, column, len(rest), 1.0, chance, f"table '{name}', column '{column}': none of {len(rest):,} dates on {len(usual)} days lies after the 12th of a month; day and month are probably swapped. To mend it: declare date_format as the file writes it."))
    return found


def _row(table: str, column: str, n: int, estimate: float, p: float, sentence: str) -> dict:
    return dict(zip(COLUMNS, ("ambiguous_dates", "", table, "", "", column, "", n, estimate, p, "look", sentence, "")))
