"""Quarters of a programme's own fiscal year, written ``2026Q3``."""

import datetime as dt
import re

from cxlib.errors import UsageError

# ASCII only: \d would also take Arabic digits, and $ a trailing newline.
PATTERN = re.compile(r"\A[0-9]{4}Q[1-4]\Z")


def check(quarter: str) -> str:
    """Return the quarter as it stands, or raise UsageError naming the pattern."""
    if not isinstance(quarter, str) or not PATTERN.match(quarter):
        raise UsageError(f"A quarter is written like 2026Q3 (four digits, Q, 1 to 4); got {quarter!r}.")
    return quarter


def of(day: dt.date, *, start: int = 1, label: str = "start") -> str:
    """Return the fiscal quarter of a local day.

    `start` is the fiscal year's first month (1-12); `label` says whether a fiscal year carries the calendar year in which it
    starts ("start") or ends ("end"). 2026-04-01 is 2026Q1 with start=4, label="start" and 2027Q1 with label="end".
    """
    months = (day.month - start) % 12
    year = day.year if day.month >= start else day.year - 1
    return f"{year + (label == 'end' and start > 1)}Q{months // 3 + 1}"


def bounds(quarter: str, *, start: int = 1, label: str = "start") -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a quarter under the same rule as `of`."""
    year = int(quarter[:4]) - (label == "end" and start > 1)
    month = start - 1 + 3 * (int(quarter[5]) - 1)
    first = dt.date(year + month // 12, month % 12 + 1, 1)
    after = dt.date(year + (month + 3) // 12, (month + 3) % 12 + 1, 1)
    return first, after - dt.timedelta(days=1)


def back(quarter: str, quarters: int = 1) -> str:
    """Return the quarter so many quarters earlier: `back("2026Q1")` is 2025Q4, `back(q, 4)` the same quarter of last year."""
    index = int(quarter[:4]) * 4 + int(quarter[5]) - 1 - quarters
    return f"{index // 4}Q{index % 4 + 1}"


def between(earlier: str, later: str) -> int:
    """Return how many quarters lie from the earlier to the later one (2016Q2 to 2017Q2 is 4)."""
    return (int(later[:4]) - int(earlier[:4])) * 4 + int(later[5]) - int(earlier[5])
