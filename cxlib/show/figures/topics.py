"""Figures of the verbatims: what people speak of, how that moves, and how it goes with the KPI."""

import numpy as np

from cxlib.show.figures import layout, marks, tracking


@layout.styled
def shares(frame, ax=None):
    """Draw the share of comments that speak of each topic, praise to the right and complaint to the left, each with its interval.

    In: `topic` (or `label`), `polarity` ('positive' | 'negative'), `estimate, conf_low, conf_high` (shares 0..1), `n` (comments);
    optional `n_eff`, `flag` (low base is hollow). The topic most complained of stands on top.
    """
    marks.need(frame, ["polarity", "estimate", "conf_low", "conf_high"], "shares")
    key = "label" if "label" in frame else "topic"
    worst = frame[frame["polarity"] == "negative"].groupby(key, sort=False)["estimate"].max()
    order = worst.reindex(dict.fromkeys(frame[key])).fillna(-1).sort_values(ascending=False, kind="stable").index
    ax = layout.axes(ax, height=76 + 32 * len(order))
    place = {name: spot for spot, name in enumerate(order)}
    for polarity, sign, colour in (("negative", -100, layout.RED), ("positive", 100, layout.BLUE)):
        part = frame[(frame["polarity"] == polarity) & frame["estimate"].notna()]
        spots, hollow = part[key].map(place).to_numpy(dtype=float), marks.low(part)
        for spot, value, low, high, empty in zip(spots, part["estimate"], part["conf_low"], part["conf_high"], hollow):
            ax.barh(spot, value * sign, height=0.46, facecolor="none" if empty else colour, edgecolor=colour, linewidth=1.5, alpha=1 if empty else 0.85, zorder=3)
            ax.plot([low * sign, high * sign], [spot, spot], color=layout.INK, linewidth=1.5, solid_capstyle="butt", zorder=4)
    marks.rows(ax, [marks.words(name) for name in order], half=0.23)
    marks.zero(ax)
    layout.ticks(ax, most=8)
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.10g} %")
    ax.set_xlim(*(np.array([-1, 1]) * max(abs(limit) for limit in ax.get_xlim())))
    for across, text, colour in ((0, "← Complaint", layout.RED), (1, "Praise →", layout.BLUE)):
        ax.text(across, 1.0, text, transform=ax.transAxes, ha="left" if across == 0 else "right", va="bottom", color=colour, fontweight="bold")
    base, of = marks.base(frame), "messages" if "base" in frame and (frame["base"] == "messages").all() else "those who wrote"
    layout.under(ax, f"Share of {of}{f', {base}' if base else ''}")
    return ax


@layout.styled
def trend(frame, ax=None, *, most=9, colour=layout.BLUE):
    """Draw each topic's share over the quarters as small multiples on one scale, the largest first, each with its interval.

    In: `topic` (or `label`), `quarter` (or `date`), `estimate, conf_low, conf_high` (shares 0..1), `n`; optional `n_eff`, `flag`.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "trend")
    key = "label" if "label" in frame else "topic"
    frame = frame.assign(_day=tracking.days(frame))
    order = frame.groupby(key, sort=False)["estimate"].mean().sort_values(ascending=False, kind="stable").index[:most]
    return multiples([(name, frame[frame[key] == name]) for name in order], ax, unit="percent", colour=colour, shared=True)


@layout.styled
def impact(frame, ax=None, *, unit="points"):
    """Draw by how much those who mention each topic move the KPI of all, with the interval and the line of no difference; the lowest on top.

    In: `topic` (or `label`), `estimate, conf_low, conf_high` (difference of the KPI, points, proportions or scale units), `n`, or `count`
    where it is there (those who mention the topic), as the base at the edge.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "impact")
    frame = frame.sort_values("estimate", kind="stable", na_position="last")
    frame = frame.assign(n=frame["count"]) if "count" in frame else frame
    labels = marks.names(frame, "topic")
    ax, places = layout.axes(ax, height=marks.height(labels, more=84)), np.arange(len(frame))
    marks.intervals(ax, places, frame, colour=marks.moved(frame), scale=100 if unit.startswith("percent") else 1)
    marks.rows(ax, labels)
    marks.zero(ax)
    ax.xaxis.set_major_formatter(lambda value, _: tracking.signed(value))
    layout.under(ax, f"By how many {'percentage points' if unit == 'percent' else unit} those who mention it move the figure of all who wrote")
    marks.bases(ax, places, frame)
    return ax


def multiples(groups, ax=None, *, unit, colour=layout.BLUE, shared=False, columns=3):
    """Draw one small line a group (name, frame with `_day`), each with its ribbon; `shared` gives all one vertical scale."""
    units = [unit] * len(groups) if isinstance(unit, str) else unit
    scale = 100 if units and units[0] == "percent" else 1
    axes = layout.panels(len(groups), ax, columns=columns)
    if not any(group["estimate"].notna().any() for _, group in groups):
        for small in axes[1:]:
            small.remove()
        axes[0].figure.regrid = None
        return marks.empty(axes[0])
    low, high = (np.nanmin([g["conf_low"].min() for _, g in groups]) * scale, np.nanmax([g["conf_high"].max() for _, g in groups]) * scale) if shared and groups else (0, 1)
    for small, (name, line), unit in zip(axes, groups, units):
        scale = 100 if unit == "percent" else 1
        line = line.sort_values("_day", kind="stable")
        tracking._line(small, line, colour=colour, scale=scale, few=False, size=3)
        tracking._ends(small, [(name, line)], unit, scale, None)
        small.set_title(marks.words(name, width=24, lines=3), fontsize=11)
        small.yaxis.grid(True)
        small.tick_params(axis="y", labelcolor=layout.MUTED, labelsize=11)
        tracking._levels(small, unit, 4)
        small.margins(x=0.03)
        tracking.when(small, line, most=2)
        small.tick_params(axis="x", labelsize=11)
        if shared and high > low:
            small.set_ylim(0 if low >= 0 else low, high + (high - low) * 0.05)
    return axes[0]
