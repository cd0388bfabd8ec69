"""Figures of alerts: a control chart with its frozen limits."""

import pandas as pd

from cxlib import quarters
from cxlib.show.figures import layout, marks
from cxlib.show.figures.tracking import over_days


@layout.styled
def chart(frame, ax=None, *, unit="points", height=240, quarter_of=quarters.of):
    """Draw each period (pale dots), what is held against the limits (line), the limits (band) and where they are left (vermilion); the baseline is grey.

    In: `date, value, centre, lower, upper, stat, signal, baseline` (`alerts.watch`). `unit` as in `tracking.series`, `quarter_of` as in `tracking.level`.
    """
    marks.need(frame, ["date", "value", "centre", "lower", "upper", "stat", "signal", "baseline"], "chart")
    ax, scale = layout.axes(ax, height=height), 100 if unit == "percent" else 1
    frame = frame.assign(_day=pd.to_datetime(frame["date"])).sort_values("_day", kind="stable")
    if frame["value"].notna().sum() == 0:
        return marks.empty(ax, "No period has answers.")
    ax.plot(frame["_day"], frame["value"] * scale, marker="o", markersize=3, linestyle="none", color=layout.MUTED, alpha=0.5, zorder=2)
    # A baseline ends where its limits do: lines are not drawn from one to the next.
    stretches = (frame["baseline"].astype(bool) & ~frame["baseline"].astype(bool).shift(fill_value=False)).cumsum()
    for _, part in frame.groupby(stretches, sort=False):
        for own, colour in ((part[part["baseline"].astype(bool)], layout.MUTED), (part[~part["baseline"].astype(bool)], layout.BLUE)):
            ax.fill_between(own["_day"], own["lower"] * scale, own["upper"] * scale, color=colour, alpha=0.14, linewidth=0, zorder=1, step="mid")
        ax.plot(part["_day"], part["centre"] * scale, color=layout.MUTED, linewidth=1, zorder=2)
        ax.plot(part["_day"], part["stat"] * scale, color=layout.BLUE, linewidth=1.6, zorder=3)
    out = frame[frame["signal"].astype(bool)]
    ax.plot(out["_day"], out["stat"] * scale, marker="o", markersize=4.5, linestyle="none", color=layout.RED, zorder=4)
    return over_days(ax, frame, unit, quarter_of)
