"""Figures of the driver study: how much each driver matters, where to act, how sure the order is."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks


@layout.styled
def importance(frame, ax=None, *, unit="percent", colour=layout.BLUE):
    """Draw the importance of each driver with its interval, the largest on top, and the base at the edge.

    In: `driver` (or `label`), `estimate, conf_low, conf_high` (shares of the explained variance with unit 'percent', else as they are), `n`;
    optional `n_eff`, `flag` (low base is hollow). A driver without an estimate stands last, empty.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "importance")
    frame = frame.sort_values("estimate", ascending=False, kind="stable", na_position="last")
    labels = marks.names(frame, "driver")
    if frame["driver" if "driver" in frame else "label"].duplicated().any():
        raise ValueError("figure 'importance' got a driver more than once: choose one method and one KPI")
    ax, places = layout.axes(ax, height=marks.height(labels)), np.arange(len(frame))
    marks.intervals(ax, places, frame, colour=colour, scale=100 if unit == "percent" else 1)
    marks.rows(ax, labels)
    ax.set_xlim(left=min(0, ax.get_xlim()[0]))
    marks.zero(ax)
    if unit == "percent":
        marks.percents(ax.xaxis)
    marks.bases(ax, places, frame)
    return ax


@layout.styled
def matrix(frame, ax=None, *, cut_importance=None, cut_performance=None, performance_unit="", corners=("Fix first", "Protect", "Watch", "Don't over-invest")):
    """Draw importance (up) against performance (right), each driver with both intervals, cut lines and the meaning of the four corners.

    In: `driver` (or `label`), `importance, importance_low, importance_high` (shares), `performance, performance_low, performance_high`
    (scale units), `n`; optional `n_eff`, `flag`. The cut lines are the means of the drivers shown unless given. Corners: important and weak,
    important and strong, unimportant and weak, unimportant and strong.
    """
    needed = [f"{axis}{limit}" for axis in ("importance", "performance") for limit in ("", "_low", "_high")]
    marks.need(frame, needed, "matrix")
    ax = layout.axes(ax, height=520)
    ax.figure.stretch = 1.1
    frame = frame.dropna(subset=["importance", "performance"]).sort_values("importance", ascending=False, kind="stable")
    if frame.empty:
        return marks.empty(ax, "No driver has both an importance and a performance.")
    up = frame["importance"].to_numpy(dtype=float) * 100
    right = frame["performance"].to_numpy(dtype=float)
    level = np.mean(up) if cut_importance is None else cut_importance * 100
    upright = np.mean(right) if cut_performance is None else cut_performance
    for place, (_, row) in enumerate(frame.iterrows()):
        ax.plot([row.performance_low, row.performance_high], [up[place]] * 2, color=layout.BLUE, alpha=0.45, linewidth=1.5, zorder=3)
        ax.plot([right[place]] * 2, [row.importance_low * 100, row.importance_high * 100], color=layout.BLUE, alpha=0.45, linewidth=1.5, zorder=3)
    for place, hollow in enumerate(marks.low(frame)):
        ax.plot(right[place], up[place], "o", markersize=8, markerfacecolor=layout.PAPER if hollow else layout.BLUE, markeredgecolor=layout.BLUE, markeredgewidth=2, zorder=4)
    ax.axhline(level, color=layout.MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.axvline(upright, color=layout.MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.margins(0.12)
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    layout.ticks(ax)
    marks.percents(ax.yaxis)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    ax.set_ylabel("Importance →")
    layout.under(ax, f"Performance{f' ({performance_unit})' if performance_unit else ''} →")
    for text, (across, along) in zip(corners, ((0.01, 0.99), (0.99, 0.99), (0.01, 0.01), (0.99, 0.01))):
        ax.text(across, along, text.upper(), transform=ax.transAxes, ha="left" if across < 0.5 else "right", va="top" if along > 0.5 else "bottom",
                color=layout.MUTED, fontsize=11, fontweight="bold")  # fmt: skip
    spans = frame[["performance_low", "performance_high", "importance_low", "importance_high"]].to_numpy(dtype=float) * [1, 1, 100, 100]
    lines = [(a, y, b, y) for (a, b, _, _), y in zip(spans, up)] + [(x, c, x, d) for (_, _, c, d), x in zip(spans, right)]
    lines += [(ax.get_xlim()[0], level, ax.get_xlim()[1], level), (upright, ax.get_ylim()[0], upright, ax.get_ylim()[1])]
    layout.label_points(ax, right, up, [marks.words(name, width=18) for name in frame["label" if "label" in frame else "driver"]], lines=[line for line in lines if np.isfinite(line).all()])
    base = marks.base(frame)
    if base:
        ax.set_title(base, loc="right", fontsize=11, fontweight="normal", color=layout.MUTED)
    return ax


@layout.styled
def ranks(frame, ax=None):
    """Draw how probable each rank is for each driver: a row a driver, a bar a rank, the share of the replicates above it.

    In: `driver` (or `label`), `rank` (1 = most important), `probability` (0..1). A bar under 1 in 100 carries no number.
    """
    marks.need(frame, ["rank", "probability"], "ranks")
    key = "label" if "label" in frame else "driver"
    mean = (frame["rank"] * frame["probability"]).groupby(frame[key], sort=False).sum().sort_values(kind="stable")
    ax = layout.axes(ax, height=64 + 42 * len(mean))
    for place, name in enumerate(mean.index):
        shown = frame[frame[key] == name]
        likely = shown["probability"].max()
        for rank, share in zip(shown["rank"], shown["probability"]):
            ax.bar(rank, -0.72 * share, bottom=place + 0.4, width=0.82, color=layout.BLUE, alpha=1.0 if share == likely else 0.4, zorder=3)
            if share >= 0.1:
                ax.text(rank, place + 0.36 - 0.72 * share, prose.number(share * 100, digits=0), ha="center", va="bottom", fontsize=10.5, color=layout.MUTED)
        ax.axhline(place + 0.4, color=layout.RULE, linewidth=1, zorder=2)
    ax.set_yticks(range(len(mean)), [marks.words(name) for name in mean.index])
    ax.set_ylim(len(mean) - 0.5, -0.75)
    ax.set_xticks(sorted(frame["rank"].unique()))
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)
    layout.under(ax, "Rank; the numbers are per cent of the replicates")
    return ax


@layout.styled
def contrasts(frame, ax=None):
    """Draw what poor ratings take away and what the best add, attribute by attribute, with intervals: the larger loss on top.

    In: `driver` (or `label`), `penalty, penalty_low, penalty_high, reward, reward_low, reward_high` (KPI score), `n`. An attribute whose ends hardly anybody
    used stands last, empty.
    """
    marks.need(frame, [f"{side}{limit}" for side in ("penalty", "reward") for limit in ("", "_low", "_high")], "contrasts")
    frame = frame.assign(tilt=frame["penalty"] + frame["reward"]).sort_values("tilt", kind="stable", na_position="last")
    labels = marks.names(frame, "driver")
    ax, places = layout.axes(ax, height=marks.height(labels)), np.arange(len(frame))
    for side, colour, aside in (("penalty", layout.RED, -0.13), ("reward", layout.BLUE, 0.13)):
        marks.intervals(ax, places + aside, frame, colour=colour, columns=(side, f"{side}_low", f"{side}_high"))
    marks.rows(ax, labels)
    marks.zero(ax)
    layout.under(ax, "← poor ratings take away · the best ratings add →")
    marks.bases(ax, places, frame)
    return ax
