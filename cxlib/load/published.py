"""Figures that were published without the answers behind them, with what is known of their base: 'n = 512', '300 or more', 'Between 100 and 299'."""

import datetime as dt
import re

import numpy as np
import pandas as pd

from cxlib import quarters
from cxlib.errors import DataError, nearest
from cxlib.load import readers
from cxlib.programme import PUBLISHED

NEEDED = ("series", "day", "estimate", "unit")
UNITS = ("percent", "share", "points", "scale")
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NUMBER = r"(\d{1,3}(?:[, ]\d{3})+|\d+)"
NONE = {"", "-", "n/a", "na", "not available", "unknown", "none"}


def base(words) -> float:
    """Return the least number of answers that a phrase allows; NaN where it tells none.

    '300 or more', '300+', 'at least 300' -> 300; 'more than 300', 'over 300' -> 301; 'between 100 and 299', '100-299' -> 100; 'fewer than 50', 'up to 50' -> 1;
    'about 500' -> 450 (half of its last figure that is not zero may be missing); 'n = 512', '512' -> 512.
    """
    text = re.sub(r"\s+", " ", str(words if words == words and words is not None else "")).strip().casefold()
    if text in NONE:
        return np.nan
    numbers = [int(re.sub(r"[, ]", "", found)) for found in re.findall(_NUMBER, text)]
    if not numbers:
        return np.nan
    if re.search(r"fewer|less than|under|below|up to|at most|no more than|not more than|<|≤", text):
        return 1.0
    if re.search(r"(?<!no )(?<!not )more than|over|above|>(?!=)", text) and not re.search(r"or (more|over|above)|≥", text):
        return float(numbers[0] + 1)
    if re.search(r"about|around|circa|approximately|approx|\bca\b|roughly|~|≈", text):
        size = 10 ** (len(str(numbers[0])) - len(str(numbers[0]).rstrip("0")))
        return float(max(numbers[0] - size / 2, 1))
    return float(min(numbers) if len(numbers) > 1 else numbers[0])


def period(text: str) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day of what a cell names: a day (2026-09-30), a month (2026-09, 09/2026, Sep 2026), a quarter (2026Q3, Q3 2026), a half-year (H2 2026), a year; None for others."""
    text = re.sub(r"[\s_/.'-]+", " ", text.strip().casefold())
    if found := re.fullmatch(r"((?:19|20)\d\d) (\d\d?) (\d\d?)", text):
        try:
            return (dt.date(*map(int, found.groups())),) * 2
        except ValueError:
            return None
    if found := re.fullmatch(r"(?P<y>(?:19|20)\d\d)(?: ?(?P<kind>[qh])(?P<part>[1-4]))?|(?P<kind2>[qh])(?P<part2>[1-4]) ?(?P<y2>(?:19|20)\d\d)", text):
        year, kind, part = int(found["y"] or found["y2"]), found["kind"] or found["kind2"], int(found["part"] or found["part2"] or 0)
        if kind == "h" and part > 2:
            return None
        size = {"q": 3, "h": 6, None: 12}[kind]
        first = size * (max(part, 1) - 1)
        return dt.date(year, first + 1, 1), _month_end(year, first + size)
    if found := re.fullmatch(r"((?:19|20)\d\d) (\d\d)|(\d\d) ((?:19|20)\d\d)|([a-z]{3,9}) ((?:19|20)\d\d)", text):
        year = int(found[1] or found[4] or found[6])
        month = int(found[2] or found[3] or 0) or next((at for at, name in enumerate(MONTHS, 1) if (found[5] or "").startswith(name)), 0)
        return (dt.date(year, month, 1), _month_end(year, month)) if 1 <= month <= 12 else None
    return None


def _month_end(year: int, month: int) -> dt.date:
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def read(programme, quarter: str | None = None) -> pd.DataFrame:
    """Return every published figure of a programme, up to the end of a quarter: series, label, day, first, estimate (a share for percentages), unit (share, points, scale), base (words), n (the least base they
    allow), digits (of the figure as printed), kpi, wording, scale, mode, source, licence.

    A day may be a month, a quarter or a year, and stands for its last day. A series that has a name for all rows and a column is called by both. Raises DataError with file, row, column and value for a figure, day or unit that cannot be read, and for two figures of a series on one day. A figure that is not there
    ('Not Available') is left out.
    """
    parts = [_file(programme, one) for one in programme.published]
    columns = [*PUBLISHED, "n", "digits"]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    twice = found.duplicated(["series", "day"])
    if twice.any():
        row = found[twice].iloc[0]
        raise DataError(f"The published series '{row['series']}' has two figures on {row['day']:%Y-%m-%d}; give each its own series, or leave one out.")
    if quarter and len(found):
        found = found[found["day"] <= pd.Timestamp(quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[1])]
    return found[columns].sort_values(["series", "day"], kind="stable", ignore_index=True)


def _file(programme, one) -> pd.DataFrame:
    raw = readers.read(programme.raw / one.file, one, within=programme.raw)
    frame = raw.frame
    for name, column in one.columns.items():
        if column not in frame:
            raise DataError(f"{one.file}: there is no column '{column}' for '{name}'{nearest(column, list(frame))} (there: {', '.join(frame.columns)}).")
    given = {name: frame[one.columns.get(name, name)].astype(str).str.strip() if one.columns.get(name, name) in frame else pd.Series(one.fixed.get(name, ""), index=frame.index) for name in PUBLISHED}
    given |= {name: pd.Series(value, index=frame.index) + (": " + given[name] if name == "series" and name in one.columns else "") for name, value in one.fixed.items()}
    for name in NEEDED:
        if name not in one.fixed and one.columns.get(name, name) not in frame:
            raise DataError(f"{one.file}: published figures need '{name}'; name its column, or give one value for all under 'fixed' ({', '.join(frame.columns)} are there).")
    told = ~given["estimate"].str.casefold().isin(NONE)
    fault = lambda at, name, why: DataError(f"{one.file}, row {raw.row(at)}, column '{one.columns.get(name, name)}': '{given[name].iloc[at]}' {why}.")
    rows = []
    for at in np.flatnonzero(told.to_numpy()):
        values = {name: given[name].iloc[at] for name in PUBLISHED}
        unit = values["unit"].casefold()
        if unit not in UNITS:
            raise fault(at, "unit", f"is no unit; there are {', '.join(UNITS)}")
        text = values["estimate"].removesuffix("%").strip().replace("−", "-")
        text = text.replace(",", ".") if one.decimal == "," else text
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
            raise fault(at, "estimate", "is no figure; 'Not Available' or an empty cell stands for none")
        value = float(text)
        if (unit == "percent" and not 0 <= value <= 100) or (unit == "share" and not 0 <= value <= 1) or (unit == "points" and not -100 <= value <= 100):
            raise fault(at, "estimate", "lies outside what is possible")
        if values["kpi"] and values["kpi"] not in {kpi.id for kpi in programme.kpis}:
            raise fault(at, "kpi", f"is no KPI of the programme{nearest(values['kpi'], [kpi.id for kpi in programme.kpis])}")
        for name in ("day", "first"):
            if values[name] or name == "day":
                try:
                    values[name] = pd.Timestamp(dt.datetime.strptime(values[name], one.date_format) if one.date_format else period(values[name])[name == "day"])
                except (ValueError, TypeError):
                    raise fault(at, name, f"is no day{f' of the form {one.date_format}' if one.date_format else '; write it like 2026-09-30, 2026Q3 or 2026, or say date_format'}") from None
        digits = len(text.partition(".")[2])
        rows.append(values | {"first": values["first"] or pd.NaT, "estimate": value / 100 if unit == "percent" else value, "unit": "share" if unit == "percent" else unit, "n": base(values["base"]), "digits": digits, "label": values["label"] or values["series"]})
    return pd.DataFrame(rows, columns=[*PUBLISHED, "n", "digits"])
