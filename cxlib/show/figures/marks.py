"""What the figures share: estimate with interval, low base drawn hollow, the base in words, the line of no effect.

The colours tell apart under the three common kinds of colour blindness and stay 3:1 against paper; on the page each becomes a variable that the
dark mode sets anew.
"""

import re
import textwrap
from itertools import groupby

import numpy as np
import pandas as pd

from cxlib.show import prose
from cxlib.show.figures import layout
from cxlib.show.figures.layout import BLUE, INK, MUTED, PAPER, RED

LOW_BASE = 50


def need(frame, columns, figure):
    """Raise ValueError naming the columns that a figure needs and the frame does not have."""
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise ValueError(f"figure '{figure}' needs the column {prose.join(absent)}; the frame has {prose.join(frame.columns)}")


def words(text, *, width=20, lines=2) -> str:
    """Return a label from outside, made safe and broken into at most so many lines."""
    parts = textwrap.wrap(prose.clean(text, limit=width * lines), width) or ["–"]
    return "\n".join([*parts[: lines - 1], " ".join(parts[lines - 1 :])] if len(parts) > lines else parts)


def names(frame, *columns):
    """Return the label of each row: the `label` column if there is one, else the first of the columns named."""
    found = next((column for column in ("label", *columns) if column in frame.columns), None)
    if found is None:
        raise ValueError(f"the figure names its rows by the column {prose.join(['label', *columns], last='or')}; the frame has {prose.join(frame.columns)}")
    return [words(_spoken(value), width=22, lines=4) for value in frame[found]]


def height(labels, *, row=34, more=64):
    """Return the height of a figure with these rows: a third line in a name, or a fourth, makes all rows taller."""
    return more + len(labels) * max(row, 17 * max((label.count("\n") + 1 for label in labels), default=1))


def _spoken(value):
    # A key from a finding ('not_contacted') is read as words; a name with capitals is somebody's own spelling.
    text = str(value)
    return text.replace("_", " ").capitalize() if re.fullmatch(r"[a-z][a-z0-9_ ]*", text) else text


def low(frame):
    """Return which rows stand on a low base: flagged so, or an effective base (else the base) under 50."""
    flagged = frame["flag"].astype("string").str.contains("low", case=False, na=False) if "flag" in frame else pd.Series(False, index=frame.index)
    size = frame["n_eff"] if "n_eff" in frame else frame["n"] if "n" in frame else pd.Series(np.inf, index=frame.index)
    return (flagged | (size.astype(float) < LOW_BASE)).to_numpy(dtype=bool)


def intervals(ax, places, frame, *, colour=BLUE, upright=False, scale=1.0, size=7, columns=("estimate", "conf_low", "conf_high"), hollow=None, name=None):
    """Draw estimates with their intervals, along or `upright`; a low base is hollow, a missing estimate leaves its place empty."""
    middle, below, above = (frame[column].to_numpy(dtype=float) * scale for column in columns)
    places, hollow = np.asarray(places, dtype=float), low(frame) if hollow is None else hollow
    colours = np.broadcast_to(np.asarray(colour, dtype=object), len(middle))
    shown = [row for row in range(len(middle)) if np.isfinite(middle[row])]
    for row in shown:
        if np.isfinite(below[row]) and np.isfinite(above[row]):
            span, place = [below[row], above[row]], [places[row]] * 2
            ax.plot(*((place, span) if upright else (span, place)), color=colours[row], linewidth=2, solid_capstyle="butt", zorder=3)
    # Points that look alike are one mark of many places: a drawing of few bytes.
    for (shade, empty), alike in groupby(shown, key=lambda row: (colours[row], bool(hollow[row]))):
        alike = list(alike)
        ax.plot(*((places[alike], middle[alike]) if upright else (middle[alike], places[alike])), marker="o", markersize=size, linestyle="none", zorder=4,
                markerfacecolor=PAPER if empty else shade, markeredgecolor=shade, markeredgewidth=2)  # fmt: skip


def rows(ax, labels, *, half=0.16):
    """Give a horizontal figure one line a row, the first on top: names at the left, or above their row (`half` high) where the figure is narrow."""
    narrow = [words(label.replace("\n", " "), width=48) for label in labels]
    above = [ax.annotate(label, (0, place - half), (3, 2), ax.get_yaxis_transform(), "offset points", va="bottom", fontsize=12, color=INK, zorder=5) for place, label in enumerate(narrow)]
    for text in above:
        text.set_gid(layout.HALO)
        text.set_in_layout(False)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.6)
    ax.xaxis.grid(True)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)
    layout.ticks(ax)
    if not hasattr(ax.figure, "stretch"):
        ax.figure.stretch = (1.3 if half < 0.2 else 1.45) + 0.3 * any("\n" in label for label in narrow)

    def named(narrow):
        ax.tick_params(labelleft=not narrow)
        ax.set_ylim(top=-0.85 if narrow else -0.6)
        for text in above:
            text.set_visible(narrow)

    named(False)
    layout.reshape(ax, named)


def bases(ax, places, frame):
    """Write the base of each row at the right edge, clear of the grid."""
    if "n" not in frame or not len(frame):
        return
    for row, (place, size) in enumerate(zip(places, frame["n"])):
        text = "–" if pd.isna(size) else prose.number(size, digits=0)
        ax.text(1.0, place, f"n = {text}" if not row else text, transform=ax.get_yaxis_transform(), ha="right", va="center", color=MUTED, fontsize=11)
    layout.edge(ax, 66)


def base(frame) -> str:
    """Return the base in words: 'n = 812', 'n = 812 to 1,034'."""
    sizes = frame["n"].dropna() if "n" in frame else []
    if not len(sizes):
        return ""
    least, most = prose.number(min(sizes), digits=0), prose.number(max(sizes), digits=0)
    return f"n = {least}" if least == most else f"n = {least} to {most}"


def steps(axis, most=6):
    """Put the ticks of an axis at round steps (1, 2, 5)."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


def moved(frame):
    """Return a colour a row: blue where the interval lies above zero, vermilion below, grey where it holds zero or is not known."""
    return np.where(frame["conf_low"] > 0, BLUE, np.where(frame["conf_high"] < 0, RED, MUTED))


def numbers(days):
    """Return days as the numbers of a time axis."""
    from matplotlib.dates import date2num

    return date2num(days)


def zero(ax, *, upright=False, at=0.0):
    """Draw the line of no effect."""
    (ax.axhline if upright else ax.axvline)(at, color=INK, linewidth=1, zorder=2)


def percents(axis):
    """Write an axis of percentages, never below one decimal it needs not."""
    axis.set_major_formatter(lambda value, _: f"{value:,.0f} %".replace("-", prose.MINUS) if abs(value - round(value)) < 1e-9 else f"{value:,.1f} %".replace("-", prose.MINUS))


def empty(ax, reason="Nothing to show: no estimate in this frame."):
    """Say in the figure's place why there is none."""
    ax.set_axis_off()
    ax.text(0, 0.5, "\n".join(textwrap.wrap(prose.clean(reason), 60)), transform=ax.transAxes, color=MUTED, va="center")
    return ax
