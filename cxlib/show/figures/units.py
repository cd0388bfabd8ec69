"""Figures of small units: the funnel, in which a unit lies where its base lets it."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks
from cxlib.show.figures.tracking import _levels, _told

NAMES = 8  # units outside the funnel that are named


@layout.styled
def funnel(frame, ax=None, *, unit="points", height=330):
    """Draw each unit at its base and its figure, with the limits within which a unit at the mean of all would lie 95 and 99.8 times in 100.

    In: `value`, `estimate`, `n_eff`, `centre`, `low_95, high_95, low_998, high_998`, optional `verdict`: those told apart from the mean are named and
    coloured (blue above, vermilion below; hollow on a low base). `unit` as in `tracking.series`.
    """
    marks.need(frame, ["value", "estimate", "n_eff", "centre", "low_95", "high_95", "low_998", "high_998"], "funnel")
    frame = frame.dropna(subset=["estimate", "centre"]).sort_values("n_eff", kind="stable")
    ax, scale = layout.axes(ax, height=height), 100 if unit == "percent" else 1
    if frame.empty:
        return marks.empty(ax, "No unit has an estimate.")
    n = frame["n_eff"].to_numpy(dtype=float)
    for low, high, alpha in (("low_998", "high_998", 0.10), ("low_95", "high_95", 0.16)):
        ax.fill_between(n, frame[low] * scale, frame[high] * scale, color=layout.BLUE, alpha=alpha, linewidth=0, zorder=1)
    centre = frame["centre"].iloc[0] * scale
    ax.axhline(centre, color=layout.MUTED, linewidth=1.2, zorder=2)
    verdict = frame["verdict"].to_numpy() if "verdict" in frame else np.full(len(frame), "")
    for word, colour in (("above", layout.BLUE), ("below", layout.RED)):
        for low in (False, True):
            own = (verdict == word) & (marks.low(frame) == low)
            ax.plot(n[own], frame["estimate"].to_numpy(dtype=float)[own] * scale, marker="o", markersize=7, linestyle="none", markerfacecolor=layout.PAPER if low else colour, markeredgecolor=colour, markeredgewidth=2, zorder=4)
    own = ~np.isin(verdict, ["above", "below"])
    ax.plot(n[own], frame["estimate"].to_numpy(dtype=float)[own] * scale, marker="o", markersize=6, linestyle="none", markerfacecolor=layout.PAPER, markeredgecolor=layout.MUTED, markeredgewidth=1.5, zorder=3)
    told = frame[~own].assign(far=lambda rows: (rows["estimate"] - rows["centre"]).abs()).nlargest(NAMES, "far")
    layout.label_points(ax, told["n_eff"].to_numpy(dtype=float), told["estimate"].to_numpy(dtype=float) * scale, [prose.clean(str(name), limit=18) for name in told["value"]])
    ax.yaxis.grid(True)
    ax.spines["bottom"].set_visible(True)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    ax.margins(x=0.08)
    _levels(ax, unit)
    layout.ticks(ax)
    layout.under(ax, "Effective number of answers")
    ax.set_title(f"Mean of all {_told(frame['centre'].iloc[0], unit)}", loc="right", fontsize=11, fontweight="normal", color=layout.MUTED)
    return ax
