"""Figures that were published without the answers: a row a brand and quarter with percentages, scores or means, which are nobody's answers."""

from typing import NamedTuple

import numpy as np

from cxlib.load import answers, published
from cxlib.load.draft import facts, words

MOST = 50_000  # rows beyond which nobody publishes
_PERCENT = r"\b(percent\w*|pct|prozent\w*|pourcent\w*|porcentaje|percentual|share|anteil|quota|top ?(2|two|3|three|box)|bottom ?(2|two|box)|middle ?box|favou?rable|satisfied|dissatisfied|zufriedene?|promoters?|passives?|detractors?|csat|box)\b"
_POINTS = r"\bnps\b|net ?promoter"
_MEAN = r"\b(mean|average|avg|mittelwert|durchschnitt|moyenne|media|promedio|score|rating|index|note)\b|satisf|zufried"
_BASE = r"^(n|base|basis|(number of |no of )?(respondents?|responses?|completes?|answers|interviews)|sample( size)?|completed surveys?|survey ?base|befragte|anzahl|fallzahl|effectif|muestra|count)$"


class Figures(NamedTuple):
    """What of a file is published: the column of the period ("" where none is), those that tell whose figure it is, the base, and each figure with its unit ("" for counts)."""

    day: str
    series: list[str]
    base: str
    figures: dict[str, str]
    last: object = None  # the last day of any figure


def of(file: facts.File, found: dict) -> Figures | None:
    """Return what a file publishes; None where it holds rows of single persons, or no figure. `found`: column -> role, as if it held answers."""
    names = [name for name in file.raw.frame.columns if facts.nameable(name) and file.distinct[name]]
    if not 0 < file.rows <= MOST or any(one.role in ("verbatim", "person_id", "account_id", "rating") for one in found.values()) or any(words.says(words.FIELDS[key], name) for key in ("response_id", "person_id", "account_id") for name in names):
        return None
    periods = {name: days for name in names if (days := _days(file, name)) is not None}
    day = max(periods, key=lambda name: (bool(words.says(words.WAVES, name)), -names.index(name)), default="")
    base = next((name for name in names if words.says(_BASE, name) and name != day), "")
    figures = {name: unit for name in names if name not in (day, base, *periods) and (unit := _unit(file, name)) is not None}
    series = [name for name in names if name not in (day, base, *figures) and (file.columns.at[name, "kind"] in ("nominal", "verbatim", "constant", "id") or (name in found and found[name].role in ("nominal", "brand", "country", "channel", "team", "language")))]
    if not figures or not (day or base) or file.raw.frame[[*series, *([day] if day else [])]].duplicated().any() or (not series and not day):
        return None
    for name in series[::-1]:  # what only says again whose figure it is: the state's name beside its letters
        rest = [one for one in series if one != name]
        if rest and not file.raw.frame[[*rest, *([day] if day else [])]].duplicated().any():
            series = rest
    return Figures(day, series, base, figures, max(periods[day]) if day else None)


def _days(file: facts.File, name: str) -> list | None:
    cells = file.cells(name)
    days = [published.period(cell) for cell in cells]
    return [last for _, last in days] if cells and all(days) else None


def _unit(file: facts.File, name: str) -> str | None:
    """The unit of a column of figures: percent, share, points, scale; "" for counts, None where it holds none."""
    cells = [cell.strip() for cell in file.cells(name) if cell.strip().casefold() not in published.NONE]
    signed = bool(cells) and sum(cell.endswith("%") for cell in cells) >= 0.9 * len(cells)
    try:
        values = [answers.number_of(cell.removesuffix("%").strip().replace("−", "-"), file.reading) for cell in cells]
    except ValueError:
        return None
    if not values or any(value is None for value in values):
        return None
    low, high = np.min(values), np.max(values)
    if words.says(_POINTS, name) and low >= -100 and high <= 100:
        return "points"
    if (signed or "%" in name or words.says(_PERCENT, name)) and low >= 0:
        return "percent" if high <= 100 and (signed or high > 1) else "share" if high <= 1 else ""
    if words.says(_MEAN, name) and low >= 0 and high <= 100:
        return "scale" if high <= 10 else "percent"
    return None
