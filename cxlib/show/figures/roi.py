"""Figures of the effect and its worth: treated against control, recovery against its own natural course, money with its spread."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks, tracking


@layout.styled
def effect(frame, ax=None, *, unit="percent"):
    """Draw the outcome of treated and control, each with its interval, and beneath them their difference about zero.

    In: `arm` (or `label`: 'treated', 'control', and 'difference' where it is known), `estimate, conf_low, conf_high`, `n`; the difference is in
    the same unit (percent: proportions in, percentage points shown). Optional `n_eff`, `flag`.
    """
    marks.need(frame, ["arm", "estimate", "conf_low", "conf_high"], "effect")
    levels, gap = frame[frame["arm"] != "difference"], frame[frame["arm"] == "difference"]
    scale = 100 if unit == "percent" else 1
    if gap.empty:
        ax = layout.axes(ax, height=64 + 40 * len(levels))
        return _levels(ax, levels, unit, scale)
    upper, lower = layout.panels(2, ax, columns=1, narrow=1, heights=(len(levels) + 0.9, len(gap) + 1.2), height=34 * (len(frame) + 3) / 2)
    _levels(upper, levels, unit, scale)
    marks.intervals(lower, np.arange(len(gap)), gap, colour=marks.moved(gap), scale=scale, size=8)
    marks.rows(lower, marks.names(gap, "arm") if "label" in gap else ["Difference"] * len(gap))
    marks.zero(lower)
    lower.xaxis.set_major_formatter(lambda value, _: tracking.signed(value))
    marks.bases(lower, np.arange(len(gap)), gap)
    layout.under(lower, "Difference in percentage points" if unit == "percent" else f"Difference in {unit.removeprefix('money:')}")
    return upper


@layout.styled
def recovery(frame, ax=None):
    """Draw the share that recovered: customers contacted against those nobody contacted, whose recovery is what happens anyway.

    In: `group` (or `label`), `estimate, conf_low, conf_high` (shares 0..1), `n`; optional `contacted` (bool; colours), `n_eff`, `flag`.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "recovery")
    ax, places = layout.axes(ax, height=70 + 40 * len(frame)), np.arange(len(frame))
    colours = np.where(frame["contacted"].astype(bool), layout.BLUE, layout.MUTED) if "contacted" in frame else layout.BLUE
    marks.intervals(ax, places, frame, colour=colours, scale=100, size=8)
    marks.rows(ax, marks.names(frame, "group", "arm"))
    ax.set_xlim(left=min(0, ax.get_xlim()[0]))
    marks.percents(ax.xaxis)
    layout.under(ax, "Share above the cut the next time they were asked")
    marks.bases(ax, places, frame)
    return ax


@layout.styled
def worth(frame, ax=None, *, currency="EUR", bins=40):
    """Draw what it is worth: a distribution of simulated values, or parts (margin, cost, net) with their intervals.

    In: `value` (a simulated amount a row; optional `weight`), drawn as a histogram with zero, the median and the central 95 %;
    or `label` (or `part`), `estimate, conf_low, conf_high`, drawn as dots about zero. Amounts in `currency`.
    """
    if "value" in frame:
        return _spread(layout.axes(ax, height=280), frame, currency, bins)
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "worth")
    ax, places = layout.axes(ax, height=64 + 38 * len(frame)), np.arange(len(frame))
    marks.intervals(ax, places, frame, colour=marks.moved(frame), size=8)
    marks.rows(ax, marks.names(frame, "part", "measure", "action"))
    marks.zero(ax)
    _amounts(ax, currency)
    marks.bases(ax, places, frame)
    return ax


@layout.styled
def tornado(frame, ax=None, *, currency="EUR", centre=None):
    """Draw how far the result moves as each assumption goes from its low to its high end, the strongest on top.

    In: `label` (or `input`), `low`, `high` (the result at either end, in `currency`), or `net_low`, `net_high` with `net`, the result in
    between; else `centre` is.
    """
    if {"net_low", "net_high", "net"} <= set(frame.columns):
        frame, centre = frame.assign(low=frame["net_low"], high=frame["net_high"]), frame["net"].iloc[0] if len(frame) and centre is None else centre
    marks.need(frame, ["low", "high"], "tornado")
    frame = frame.iloc[np.argsort(-(frame["high"] - frame["low"]).abs().to_numpy(), kind="stable")]
    ax = layout.axes(ax, height=64 + 34 * len(frame))
    middle = float(np.mean([frame["low"].mean(), frame["high"].mean()])) if centre is None else centre
    for place, (low, high) in enumerate(zip(frame["low"], frame["high"])):
        ax.barh(place, low - middle, left=middle, height=0.46, color=layout.RED, alpha=0.85, zorder=3)
        ax.barh(place, high - middle, left=middle, height=0.46, color=layout.BLUE, alpha=0.85, zorder=3)
    marks.rows(ax, marks.names(frame, "input"), half=0.23)
    marks.zero(ax, at=middle)
    _amounts(ax, currency)
    return ax


def _levels(ax, frame, unit, scale):
    places = np.arange(len(frame))
    colours = np.where(frame["arm"].astype(str) == "treated", layout.BLUE, layout.MUTED)
    marks.intervals(ax, places, frame, colour=colours, scale=scale, size=8)
    marks.rows(ax, marks.names(frame, "arm"))
    if unit == "percent":
        marks.percents(ax.xaxis)
    elif unit.startswith("money:"):
        _amounts(ax, unit[6:])
    marks.bases(ax, places, frame)
    return ax


def _spread(ax, frame, currency, bins):
    values = frame["value"].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return marks.empty(ax, "No simulated value.")
    height, edges = np.histogram(values, bins=bins)
    for count, left, right in zip(height / height.sum(), edges, edges[1:]):
        ax.bar(left, count, width=(right - left) * 0.94, align="edge", color=layout.BLUE if left >= 0 else layout.RED, alpha=0.85, zorder=3)
    low, middle, high = np.percentile(values, [2.5, 50, 97.5])
    top = height.max() / height.sum()
    ax.plot([low, high], [top * 1.09] * 2, color=layout.INK, linewidth=2)
    ax.plot(middle, top * 1.09, "o", color=layout.INK, markersize=7)
    ax.text(middle, top * 1.14, f"{prose.money(middle, currency)} ({prose.interval(low, high, f'money:{currency}')})", ha="center", va="bottom", fontweight="bold")
    ax.set_ylim(0, top * 1.3)
    ax.set_yticks([])
    ax.axvline(0, ymax=0.8, color=layout.INK, linewidth=1, zorder=2)
    _amounts(ax, currency)
    return ax


def _amounts(ax, currency):
    layout.ticks(ax, most=5, each=92)
    ax.xaxis.set_major_formatter(lambda value, _: prose.money(value, currency) if value else "0")
