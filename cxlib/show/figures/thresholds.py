"""Figures of the value of satisfaction: outcomes over the score, with the place of the threshold where one shows."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks


@layout.styled
def curves(frame, ax=None, *, breaks=None, columns=3):
    """Draw each outcome over the score as small multiples: the means with their intervals, and the line through them that never falls.

    In: `label` (a panel each), `score`, `estimate, conf_low, conf_high`, `rising`, `n`; optional `n_eff` (low base is hollow), `unit` ('money:EUR' or a noun). `breaks`, where
    thresholds show: `label, estimate, conf_low, conf_high`, drawn as a line in a band; `other`, where it is told, is the place of the other reading, broken.
    """
    marks.need(frame, ["label", "score", "estimate", "conf_low", "conf_high", "rising"], "curves")
    groups = list(frame.groupby("label", sort=False))
    axes = layout.panels(len(groups), ax, columns=columns, height=200)
    if not groups:
        return marks.empty(axes[0])
    for small, (label, own) in zip(axes, groups):
        if breaks is not None:
            for row in breaks[breaks["label"] == label].itertuples():
                small.axvspan(row.conf_low, row.conf_high, color=layout.GOLD, alpha=0.16, linewidth=0, zorder=1)
                small.axvline(row.estimate, color=layout.GOLD, linewidth=2, zorder=2)
                if (other := getattr(row, "other", np.nan)) == other:
                    small.axvline(other, color=layout.GOLD, linewidth=2, linestyle=(0, (3, 2)), zorder=2)
        small.plot(own["score"], own["rising"], color=layout.MUTED, linewidth=1.5, drawstyle="steps-mid", zorder=2)
        marks.intervals(small, own["score"].to_numpy(float), own, upright=True, size=5)
        small.set_title(marks.words(label, width=24, lines=3), fontsize=11)
        small.yaxis.grid(True)
        small.tick_params(axis="both", labelsize=11)
        marks.steps(small.yaxis, 4)
        marks.steps(small.xaxis, 5)
        unit = str(own["unit"].iloc[0]) if "unit" in own else ""
        small.yaxis.set_major_formatter(lambda value, _, unit=unit: prose.money(value, unit[6:]) if unit.startswith("money:") else f"{value:,.10g}")
        _room(small, own)
    return axes[0]


def _room(ax, frame):
    """Let the well-based scores set the height: the wide interval of a score that few gave would flatten the others."""
    firm = frame[~marks.low(frame)] if (~marks.low(frame)).any() else frame
    low, high = np.nanmin(firm[["conf_low", "estimate"]].to_numpy(float)), np.nanmax(firm[["conf_high", "estimate"]].to_numpy(float))
    if np.isfinite(low) and np.isfinite(high) and high > low:
        space = (high - low) * 0.12
        ax.set_ylim(min(low, frame["estimate"].min()) - space, max(high, frame["estimate"].max()) + space)
