"""Figures of the loading study: what came in and what of it can be used."""

import numpy as np

from cxlib.show import prose
from cxlib.show.figures import layout, marks


@layout.styled
def intake(frame, ax=None):
    """Draw the rows of each file: kept, dropped as exact duplicates, and quarantined, with the counts of the last two under the name.

    In: `file` (or `label`), `kept`, `quarantined`; optional `duplicates`. Counts of rows.
    """
    marks.need(frame, ["kept", "quarantined"], "intake")
    ax = layout.axes(ax, height=64 + 44 * len(frame))
    labels = []
    for place, (name, (_, row)) in enumerate(zip(frame["label" if "label" in frame else "file"], frame.iterrows())):
        start, said = 0.0, []
        for column, word, colour in (("kept", "kept", layout.BLUE), ("duplicates", "duplicate", layout.GOLD), ("quarantined", "quarantined", layout.RED)):
            count = row.get(column, 0)
            count = 0 if count != count else int(count)
            ax.barh(place, count, left=start, height=0.42, color=colour, zorder=3)
            start += count
            if count and column != "kept":
                said.append(f"{prose.number(count)} {word}" if column == "quarantined" else prose.plural(count, word))
        labels.append(f"{marks.words(name, width=24, lines=1)}:\n{', '.join(said) or 'all kept'}")
        ax.annotate(prose.number(start), (start, place), xytext=(6, 0), textcoords="offset points", va="center", color=layout.MUTED, fontsize=11)
    marks.rows(ax, labels, half=0.23)
    ax.set_xlim(0, ax.get_xlim()[1])
    layout.edge(ax, 50)
    ax.xaxis.grid(False)
    layout.fit(ax, lambda _: ax.set_xticks([]))
    return ax


@layout.styled
def answers(frame, ax=None, *, most=4):
    """Draw, for each item and wave, what share of the rows was asked (pale) and answered (full): not asked is not missing.

    In: `item` (or `label`), `rows`, `asked`, `answered`; optional `wave` (a panel each, the last `most`). Counts.
    """
    marks.need(frame, ["rows", "asked", "answered"], "answers")
    key = "label" if "label" in frame else "item"
    waves = list(dict.fromkeys(frame["wave"]))[-most:] if "wave" in frame else [None]
    items = list(dict.fromkeys(frame[key]))
    if frame.empty:
        return marks.empty(layout.axes(ax, height=80), "No item was asked.")
    axes = layout.panels(len(waves), ax, columns=len(waves), height=90 + 26 * len(items), narrow=1)
    for place, (small, wave) in enumerate(zip(axes, waves)):
        part = frame if wave is None else frame[frame["wave"] == wave]
        spots = part[key].map({item: spot for spot, item in enumerate(items)}).to_numpy(dtype=float)
        rows = part["rows"].to_numpy(dtype=float).clip(min=1)
        small.barh(spots, part["asked"] / rows * 100, height=0.5, color=layout.BLUE, alpha=0.25, zorder=2)
        small.barh(spots, part["answered"] / rows * 100, height=0.5, color=layout.BLUE, zorder=3)
        marks.rows(small, [marks.words(item, lines=1) for item in items], half=0.25)
        if place:
            layout.reshape(small, lambda narrow, small=small: small.tick_params(labelleft=False))
            small.tick_params(labelleft=False)
        small.set_xlim(0, 100)
        layout.fit(small, lambda _, small=small: small.set_xticks([0, 50, 100], ["0", "50", "100 %"]))
        total = int(np.nanmax(rows))
        small.set_title(f"{prose.clean(wave)}\nn = {prose.number(total)}" if wave is not None else f"n = {prose.number(total)}", fontsize=10.5)
    return axes[0]
