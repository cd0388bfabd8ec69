"""Figures of money: what comes back by month, and which input moves the result."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks


@layout.styled
def payback(frame, ax=None, *, currency="EUR", height=280):
    """Draw what has come back less what was spent, by month, with its 95 % band about zero; what the plan declares beyond the time observed is dashed and grey.

    In: `month, estimate, conf_low, conf_high`; optional `declared` (0: by what was observed; 1: with what is declared on top).
    """
    marks.need(frame, ["month", "estimate", "conf_low", "conf_high"], "payback")
    ax = layout.axes(ax, height=height)
    later = frame["declared"].astype(bool) if "declared" in frame else frame["month"] < 0
    for part, shade, alpha, style in ((frame[later], layout.MUTED, 0.14, (0, (4, 3))), (frame[~later], layout.BLUE, 0.22, "-")):
        if part.empty:
            continue
        part = part.sort_values("month", kind="stable")
        ax.fill_between(part["month"] + 1, part["conf_low"], part["conf_high"], color=shade, alpha=alpha, linewidth=0, zorder=2)
        ax.plot(part["month"] + 1, part["estimate"], color=shade, linestyle=style, marker="o" if len(part) < 4 else "", zorder=4)
        last = part.iloc[-1]
        ax.annotate(prose.money(last["estimate"], currency), (last["month"] + 1, last["estimate"]), xytext=(9, 0), textcoords="offset points", va="center", color=shade, fontweight="bold", annotation_clip=False).set_gid(layout.HALO)
    marks.zero(ax, upright=True)
    ax.yaxis.grid(True)
    marks.steps(ax.yaxis, 5)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    ax.yaxis.set_major_formatter(lambda value, _: prose.money(value, currency) if value else "0")
    layout.ticks(ax, most=8, each=48)
    ax.margins(x=0.03)
    layout.under(ax, "Months since the first day of the action" + (" (dashed: declared in the plan, not observed)" if later.any() else ""))
    return ax


@layout.styled
def portfolio(frame, ax=None, *, currency="EUR"):
    """Draw the net of every action and of all together, each with its 95 % interval about zero. In: `label`, `estimate, conf_low, conf_high`."""
    marks.need(frame, ["label", "estimate", "conf_low", "conf_high"], "portfolio")
    ax, places = layout.axes(ax, height=64 + 38 * len(frame)), np.arange(len(frame))
    marks.intervals(ax, places, frame, colour=marks.moved(frame), size=8, hollow=np.zeros(len(frame), bool))
    marks.rows(ax, marks.names(frame, "action"))
    marks.zero(ax)
    layout.ticks(ax, most=5, each=92)
    ax.xaxis.set_major_formatter(lambda value, _: prose.money(value, currency) if value else "0")
    layout.under(ax, "Value less cost, present value")
    return ax
