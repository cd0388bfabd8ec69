"""Figures of effects: treated against control, an event study, a series and what it would have been, balance before and after weighting, recovery against its own course."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks, tracking


def drawn(frame, ax=None, *, unit="percent"):
    """Draw the path of an action by what it holds (`kind`): arms and their difference, an event study, observed beside expected, or balance before and after."""
    kinds = set(frame["kind"])
    if "event" in kinds:
        return event(frame, ax, unit=unit)
    if "observed" in kinds:
        return course(frame, ax, unit=unit)
    return balance(frame, ax) if "before" in kinds else effect(frame.rename(columns={"kind": "arm"}).drop(columns="label"), ax, unit=unit)


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
def event(frame, ax=None, *, unit="percent"):
    """Draw the effect by periods since the action began, each with its interval: before it they should lie about zero, and what they do not is what the bound carries on.

    In: `at` (period since, 0 = the first), `estimate, conf_low, conf_high`, `n` (units); percent: proportions in, percentage points shown.
    """
    marks.need(frame, ["at", "estimate", "conf_low", "conf_high"], "event")
    ax, scale = layout.axes(ax, height=320), 100 if unit == "percent" else 1
    frame = frame.sort_values("at", kind="stable")
    marks.intervals(ax, frame["at"], frame, colour=np.where(frame["at"] < 0, layout.MUTED, layout.BLUE), upright=True, scale=scale, size=5, hollow=np.zeros(len(frame), bool))
    marks.zero(ax, upright=True)
    ax.axvline(-0.5, color=layout.INK, linewidth=1, linestyle=(0, (2, 3)))
    ax.yaxis.grid(True)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    marks.steps(ax.yaxis, 6)
    _upright(ax, unit, change=True)
    layout.ticks(ax, each=44, most=12)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f}".replace("-", prose.MINUS) if value else "0")
    layout.under(ax, f"Periods since it began{'; difference in percentage points' if unit == 'percent' else ''}")
    ax.set_title(marks.base(frame), loc="right", fontsize=11, fontweight="normal", color=layout.MUTED)
    return ax


@layout.styled
def course(frame, ax=None, *, unit="number"):
    """Draw a series as observed (dots) beside what it would have been (line; the band is the 95 % interval of its prediction); a dotted upright marks the action.

    In: `kind` (observed, expected), `at` (period since the action), `label` (day), `estimate, conf_low, conf_high`.
    """
    marks.need(frame, ["kind", "at", "estimate", "conf_low", "conf_high"], "course")
    ax = layout.axes(ax, height=320)
    seen, other = (frame[(frame["kind"] == kind) & frame["estimate"].notna()].sort_values("at", kind="stable") for kind in ("observed", "expected"))
    if seen.empty:
        return marks.empty(ax)
    ax.fill_between(other["at"].to_numpy(float), other["conf_low"].to_numpy(float), other["conf_high"].to_numpy(float), color=layout.BLUE, alpha=0.18, linewidth=0, zorder=2)
    ax.plot(other["at"], other["estimate"], color=layout.BLUE, linewidth=2, zorder=3)
    ax.plot(seen["at"], seen["estimate"], marker="o", markersize=3.5, linestyle="none", color=layout.INK, zorder=4)
    ax.axvline(-0.5, color=layout.INK, linewidth=1, linestyle=(0, (2, 3)))
    ends = [(seen, "Observed", layout.INK), (other, "Expected", layout.BLUE)]
    low, high = ax.get_ylim()
    floor = -np.inf
    for part, name, colour in sorted((one for one in ends if len(one[0])), key=lambda one: one[0]["estimate"].iloc[-1]):
        floor = max(part["estimate"].iloc[-1], floor + 0.07 * (high - low))
        ax.annotate(name, (part["at"].iloc[-1], floor), xytext=(8, 0), textcoords="offset points", va="center", color=colour, fontweight="bold", annotation_clip=False)
    ax.yaxis.grid(True)
    ax.tick_params(axis="y", labelcolor=layout.MUTED)
    marks.steps(ax.yaxis, 6)
    _upright(ax, unit)
    days = {int(at): prose.clean(label, limit=16) for at, label in zip(seen["at"].round(), seen["label"])}
    layout.ticks(ax, each=96, most=6)
    ax.xaxis.set_major_formatter(lambda value, _: days.get(round(value), ""))
    return ax


@layout.styled
def balance(frame, ax=None):
    """Draw how unlike treated and others are before (hollow) and after weighting (filled), in standard deviations; between the dotted lines they count as alike.

    In: `kind` (before, after), `label` (covariate), `estimate` (standardised difference), `n`.
    """
    marks.need(frame, ["kind", "label", "estimate"], "balance")
    before, after = (frame[frame["kind"] == kind].drop_duplicates("label") for kind in ("before", "after"))
    before = before.iloc[np.argsort(-before["estimate"].abs().to_numpy(), kind="stable")].reset_index(drop=True)
    after = before[["label"]].merge(after, on="label", how="left")
    labels = marks.names(before)
    ax, places = layout.axes(ax, height=marks.height(labels, row=26)), np.arange(len(before))
    blank = {"conf_low": np.nan, "conf_high": np.nan}
    marks.intervals(ax, places, before.assign(**blank), colour=layout.MUTED, hollow=np.ones(len(before), bool))
    marks.intervals(ax, places, after.assign(**blank), colour=layout.BLUE, hollow=np.zeros(len(after), bool))
    marks.rows(ax, labels)
    marks.zero(ax)
    for edge in (-0.1, 0.1):
        ax.axvline(edge, color=layout.MUTED, linewidth=1, linestyle=(0, (1, 2)))
    layout.under(ax, "Difference in standard deviations; hollow before weighting, filled after it")
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


def _upright(ax, unit, *, change=False):
    if unit == "percent":
        ax.yaxis.set_major_formatter(lambda value, _: tracking.signed(value) if change else f"{value:,.0f} %")
    elif unit.startswith("money:"):
        ax.yaxis.set_major_formatter(lambda value, _: prose.money(value, unit[6:]) if value else "0")


def _amounts(ax, currency):
    layout.ticks(ax, most=5, each=92)
    ax.xaxis.set_major_formatter(lambda value, _: prose.money(value, currency) if value else "0")
