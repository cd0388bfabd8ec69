"""Figures of the tracking study: a KPI over real time, and what has changed against what could have been seen."""

from itertools import groupby

import numpy as np
import pandas as pd

from cxlib import quarters
from cxlib.show import prose
from cxlib.show.figures import layout, marks

SHADES = (layout.BLUE, layout.RED, layout.GREEN, layout.GOLD, layout.MUTED)


@layout.styled
def series(frame, ax=None, *, unit="points", by=None, target=None, height=320):
    """Draw a KPI over time with its intervals: whiskers for few waves, a ribbon for many; unequal gaps keep their length and are dashed.

    In: `quarter` ('2026Q3') or a date column `date` or `week`, `estimate, conf_low, conf_high`, `n`; optional `n_eff`, `flag`, `target`, `changed`
    (what changed in the question since the row before: the line is broken there, at a dotted upright).
    by      a column that splits the lines (at most five), each labelled at its end
    unit    'points', 'percent' (proportions) or a noun, as in prose
    target  a number in the same unit, drawn as a line; a column `target` does the same
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high", *([by] if by else [])], "series")
    ax, scale = layout.axes(ax, height=height), 100 if unit == "percent" else 1
    frame = frame.assign(_day=days(frame)).sort_values("_day", kind="stable")
    lines = [("", frame)] if by is None else list(frame.groupby(by, sort=False))
    if len(lines) > len(SHADES):
        raise ValueError(f"figure 'series' can tell {len(SHADES)} lines apart and got {len(lines)} of '{by}': show small multiples or choose")
    known = frame.dropna(subset=["estimate"])
    if known.empty:
        return marks.empty(ax, "No wave has an estimate.")
    few = frame["_day"].nunique() <= 8
    for colour, (_, line) in zip(SHADES, lines):
        _line(ax, line, colour=colour, scale=scale, few=few)
    goal = target if target is not None else frame["target"].dropna().iloc[-1] if "target" in frame and frame["target"].notna().any() else None
    if goal is not None:
        ax.axhline(goal * scale, color=layout.GREEN, linewidth=1.5, linestyle=(0, (5, 3)), zorder=2)
        ax.text(0, goal * scale, f"Target {_told(goal, unit)}", transform=ax.get_yaxis_transform(), color=layout.GREEN, fontsize=11, va="bottom")
    _ends(ax, lines, unit, scale, by)
    when(ax, frame)
    ax.margins(x=0.03)
    ax.yaxis.grid(True)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    _levels(ax, unit)
    ax.set_title(marks.base(frame) + (" each" if frame["n"].nunique() > 1 else "") if "n" in frame else "", loc="right", fontsize=11, fontweight="normal", color=layout.MUTED)
    return ax


@layout.styled
def level(frame, ax=None, *, unit="points", height=300, quarter_of=quarters.of):
    """Draw what each period's answers say on their own (pale dots) and the level behind them with its 95 % interval; a dotted line marks a jump.

    In: `date, estimate, level, conf_low, conf_high`; optional `break` (a jump). A line that leads through dots which scatter widely is not wrong:
    few answers scatter. `unit` as in `series`; `quarter_of` tells the quarter of a day, by which the axis is labelled (calendar quarters unless the fiscal year says otherwise).
    """
    marks.need(frame, ["date", "estimate", "level", "conf_low", "conf_high"], "level")
    ax, scale = layout.axes(ax, height=height), 100 if unit == "percent" else 1
    frame = frame.assign(_day=pd.to_datetime(frame["date"])).sort_values("_day", kind="stable")
    jumps = frame["break"].astype(bool).to_numpy() if "break" in frame else np.zeros(len(frame), dtype=bool)
    ax.plot(frame["_day"], frame["estimate"] * scale, marker="o", markersize=3, linestyle="none", color=layout.MUTED, alpha=0.5, zorder=2)
    for _, part in frame.groupby(np.cumsum(jumps)):
        ax.fill_between(part["_day"], part["conf_low"] * scale, part["conf_high"] * scale, color=layout.BLUE, alpha=0.22, linewidth=0, zorder=3)
        ax.plot(part["_day"], part["level"] * scale, color=layout.BLUE, linewidth=2, zorder=4)
    for day in frame.loc[jumps, "_day"]:
        ax.axvline(day, color=layout.RED, linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
    last = frame.iloc[-1]
    ax.annotate(_told(last["level"], unit), (last["_day"], last["level"] * scale), xytext=(9, 0), textcoords="offset points", va="center", color=layout.BLUE, fontweight="bold", annotation_clip=False)
    return over_days(ax, frame, unit, quarter_of)


def over_days(ax, frame, unit: str, quarter_of):
    """Finish an axes over days (`_day`): quarters below, levels in the unit beside."""
    when(ax, starts(frame, quarter_of))
    ax.margins(x=0.03)
    ax.yaxis.grid(True)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    _levels(ax, unit)
    return ax


@layout.styled
def changes(frame, ax=None, *, unit="points"):
    """Draw differences with their intervals against the line of no change, and the band of changes too small to be seen with this base.

    In: `label` (or `kpi`, `segment`), `estimate, conf_low, conf_high` (the difference), `n`; optional `detectable` (the smallest change the base
    could show, same unit), `n_eff`, `flag`. Blue where the interval lies above zero, vermilion below, grey where it holds zero.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "changes")
    labels = marks.names(frame, "kpi", "segment", "definition")
    ax, scale = layout.axes(ax, height=marks.height(labels, more=84)), 100 if unit.startswith("percent") else 1
    places = np.arange(len(frame))
    if "detectable" in frame:
        width = frame["detectable"].to_numpy(dtype=float) * scale
        ax.barh(places, 2 * width, left=-width, height=0.56, color=layout.TINT, zorder=1)
    marks.intervals(ax, places, frame, colour=marks.moved(frame), scale=scale)
    marks.rows(ax, labels)
    marks.zero(ax)
    ax.xaxis.set_major_formatter(lambda value, _: signed(value))
    layout.under(ax, {"points": "Change in points", "percent": "Change in percentage points"}.get(unit, f"Change in {unit}") + ("; shaded: too small to detect" if "detectable" in frame else ""))
    marks.bases(ax, places, frame)
    return ax


def days(frame):
    """Return the day each row stands at: `date` or `week` as it is, a quarter by its middle day."""
    for column in ("date", "week", "answered_on"):
        if column in frame:
            return pd.to_datetime(frame[column])
    column = "quarter" if "quarter" in frame else "wave"
    text = frame[column].astype(str)
    found = text.str.extract(r"(\d{4})Q([1-4])")
    if found.isna().any(axis=None):
        raise ValueError(f"'{text[found.isna().any(axis=1)].iloc[0]}' in column '{column}' is no quarter such as 2026Q3: give a column 'date'")
    return pd.to_datetime({"year": found[0].astype(int), "month": found[1].astype(int) * 3 - 1, "day": 15})


def starts(frame, quarter_of):
    """Return the first row of each quarter that the days of the rows lie in, with its name."""
    return frame.assign(quarter=frame["_day"].map(quarter_of)).drop_duplicates("quarter")


def when(ax, frame, *, most=6):
    """Label the time axis with the quarters of the rows, thinned so that they fit a phone; a tick stands at every row."""
    stamps = frame.drop_duplicates("_day").sort_values("_day")
    text = stamps["quarter"].astype(str) if "quarter" in stamps else stamps["_day"].dt.strftime("%YQ") + stamps["_day"].dt.quarter.astype(str)
    text = [f"{name[4:]}\n{name[:4]}" if name[4:5] == "Q" else prose.clean(name, limit=10) for name in text]
    step = -(-len(stamps) // most)
    keep = [(len(stamps) - 1 - place) % step == 0 for place in range(len(stamps))]
    ax.set_xticks(stamps["_day"], minor=True)
    ax.set_xticks(stamps["_day"][keep], [name for name, kept in zip(text, keep) if kept])
    ax.spines["bottom"].set_visible(True)
    ax.tick_params(axis="x", which="both", length=4)


def signed(value) -> str:
    """Return an axis number with its sign."""
    text = f"{value:+,.10g}".replace("-", prose.MINUS)
    return "0" if abs(value) < 1e-12 else text


def _line(ax, line, *, colour, scale, few, size=5):
    line = line.dropna(subset=["estimate"])
    day, middle = line["_day"].to_numpy(), line["estimate"].to_numpy(dtype=float) * scale
    gaps = np.diff(day).astype("timedelta64[D]").astype(float)
    usual = np.median(gaps) if len(gaps) else 0
    broken = (line["changed"].fillna("") != "").to_numpy()[1:] if "changed" in line else np.zeros(len(gaps), dtype=bool)
    for place in np.flatnonzero(broken):
        ax.axvline(day[place] + (day[place + 1] - day[place]) / 2, color=layout.MUTED, linewidth=1, linestyle=(0, (1, 3)), zorder=1)
    for (dashed, cut), run in groupby(range(len(gaps)), key=lambda place: (gaps[place] > 1.5 * usual, broken[place])):
        run = list(run)
        if cut:
            continue  # no line runs across a change that makes the waves incomparable
        part = slice(run[0], run[-1] + 2)
        ax.plot(day[part], middle[part], color=colour, linewidth=2, linestyle=(0, (2, 2)) if dashed else "-", zorder=3)
    if few:
        marks.intervals(ax, marks.numbers(day), line, colour=colour, upright=True, scale=scale)
        return
    start = 0
    for stop in [*(np.flatnonzero((gaps > 1.5 * usual) | broken) + 1), len(day)]:
        part = slice(start, stop)
        ax.fill_between(day[part], line["conf_low"].to_numpy(dtype=float)[part] * scale, line["conf_high"].to_numpy(dtype=float)[part] * scale, color=colour, alpha=0.18, linewidth=0, zorder=2)
        start = stop
    marks.intervals(ax, marks.numbers(day), line.assign(conf_low=np.nan), colour=colour, upright=True, scale=scale, size=size)


def _ends(ax, lines, unit, scale, by):
    last = []
    for colour, (name, line) in zip(SHADES, lines):
        known = line.dropna(subset=["estimate"])
        if len(known):
            row = known.iloc[-1]
            last.append([row["estimate"] * scale, row["_day"], colour, _told(row["estimate"], unit) + (f" {prose.clean(name, limit=14)}" if by else "")])
    low, high = ax.get_ylim()
    space, floor = (high - low) * 0.065, -np.inf
    for value, day, colour, text in sorted(last, key=lambda entry: entry[0]):
        floor = max(value, floor + space)
        ax.annotate(text, (day, floor), xytext=(9, 0), textcoords="offset points", va="center", color=colour, fontweight="bold", annotation_clip=False)


def _told(value, unit):
    if unit == "percent":
        return prose.percent(value)
    return prose.points(value) if unit == "points" else prose.number(value, digits=1)


def _levels(ax, unit, most=6):
    marks.steps(ax.yaxis, most)
    if unit == "percent":
        marks.percents(ax.yaxis)
    elif unit == "points":
        ax.yaxis.set_major_formatter(lambda value, _: signed(value))
