"""Figures of the worth of an action: money with its spread, and what it hangs on."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks


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
