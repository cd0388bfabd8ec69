"""What the figures share: colours, the canvas, estimate with interval, low base drawn hollow, the base in words.

Sizes are in points of a canvas that is as wide as the page's column, so that one point is one pixel on screen. The colours tell apart under the
three common kinds of colour blindness and stay 3:1 against paper; on the page each becomes a variable that the dark mode sets anew.
"""

import textwrap

import numpy as np
import pandas as pd

from cxlib.show import prose

INK, MUTED, RULE, TINT, PAPER = "#1b2429", "#5b6870", "#d5dbdf", "#eef2f4", "#ffffff"
BLUE, RED, GREEN, GOLD = "#1f6fb2", "#c8501e", "#0f7f6b", "#a87500"
ROLES = {INK: "ink", MUTED: "muted", RULE: "rule", TINT: "tint", PAPER: "paper", BLUE: "blue", RED: "red", GREEN: "green", GOLD: "gold"}
WIDE, NARROW = 680, 352
LOW_BASE = 50
STYLE = {
    "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans"], "font.size": 12, "text.parse_math": False, "text.usetex": False,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.labelsize": 12, "axes.edgecolor": RULE, "axes.linewidth": 1, "axes.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.grid": False, "axes.axisbelow": True,
    "axes.unicode_minus": True, "axes.titlesize": 12.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlecolor": INK,
    "xtick.color": RULE, "ytick.color": RULE, "xtick.labelcolor": MUTED, "ytick.labelcolor": INK, "xtick.labelsize": 12, "ytick.labelsize": 12.5,
    "ytick.major.size": 0, "xtick.major.size": 4, "grid.color": RULE, "grid.linewidth": 0.8, "figure.facecolor": "none", "figure.dpi": 72,
    "savefig.facecolor": "none", "svg.fonttype": "none", "svg.hashsalt": "cxlib", "path.simplify": True, "lines.linewidth": 2,
    "xtick.minor.size": 3, "axes.formatter.use_locale": False, "axes.formatter.useoffset": False, "legend.frameon": False, "timezone": "UTC",
}  # fmt: skip


def canvas(ax=None, *, height=300, width=WIDE):
    """Return the Axes to draw on: the one given, or one on a new Figure of its own, outside pyplot's list of figures. Sizes in points."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if ax is None:
        with rc_context(STYLE):
            ax = Figure(figsize=(width / 72, height / 72), layout="constrained").add_subplot()
    return ax


def panels(count, ax=None, *, height=190, columns=3, narrow=2, heights=None):
    """Return the Axes of small multiples in reading order: on a new Figure, or in the place of `ax`; `narrow` columns at a phone's width."""
    from matplotlib.figure import Figure

    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDE / 72, max(1, rows) * height / 72), layout="constrained") if ax is None else ax.figure
    if ax is not None:
        ax.set_axis_off()
    grid = figure.add_gridspec(rows, columns, height_ratios=heights) if ax is None else ax.get_subplotspec().subgridspec(rows, columns, height_ratios=heights)
    axes = [figure.add_subplot(grid[place // columns, place % columns]) for place in range(count)]
    if ax is None and min(narrow, count) != columns:
        figure.narrow = {"axes": axes, "columns": (columns, min(narrow, count)), "height": height}
    return axes


def arrange(figure, width):
    """Set the figure to a width in points: fewer panels a row and taller where it is a phone's, and labels of points placed anew."""
    wide = width >= WIDE
    was = figure.get_size_inches()[1] * 72
    grid = getattr(figure, "narrow", None)
    if grid:
        columns = grid["columns"][not wide]
        rows = -(-len(grid["axes"]) // columns)
        was = grid["height"] * rows
        spec = figure.add_gridspec(rows, columns)
        for place, axes in enumerate(grid["axes"]):
            axes.set_subplotspec(spec[place // columns, place % columns])
            if axes in getattr(figure, "sharing", ()):
                axes.tick_params(labelleft=place % columns == 0)
    elif not wide:
        was *= getattr(figure, "stretch", 1.0)
    figure.set_size_inches(width / 72, was / 72)
    for place_labels in getattr(figure, "labelled", ()):
        place_labels()


def label_points(ax, across, along, labels, *, lines=()):
    """Write a label beside each point where it hides least; the first points choose first. Placed again whenever the width changes.

    lines   (x from, y from, x to, y to) in data: intervals and cut lines that a label should not be crossed by.
    """
    texts = [ax.annotate(label, (x, y), xytext=(9, 0), textcoords="offset points", fontsize=11.5, color=INK, zorder=5, linespacing=1.05) for label, x, y in zip(labels, across, along)]

    def place():
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figure = ax.figure
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        frame, points = ax.get_window_extent(renderer), ax.transData.transform(np.column_stack([across, along]).astype(float))
        taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
        ends = [(*ax.transData.transform(line[:2]), *ax.transData.transform(line[2:])) for line in lines]
        taken += [(min(a, c) - 1.5, min(b, d) - 1.5, max(a, c) + 1.5, max(b, d) + 1.5) for a, b, c, d in ends]
        corners = [text.get_window_extent(renderer) for text in ax.texts if text not in texts]
        taken += [(box.x0 - 4, box.y0 - 2, box.x1 + 4, box.y1 + 2) for box in corners]
        for (x, y), text in zip(points, texts):
            box = text.get_window_extent(renderer)
            w, h = box.width, box.height
            best = None
            for distance in (9, 16, 26, 38):
                for dx, dy, side, level in ((1, 0, "left", "center"), (-1, 0, "right", "center"), (0, 1, "center", "bottom"), (0, -1, "center", "top"),
                                            (0.8, 0.8, "left", "bottom"), (0.8, -0.8, "left", "top"), (-0.8, 0.8, "right", "bottom"), (-0.8, -0.8, "right", "top")):  # fmt: skip
                    left = x + dx * distance - {"left": 0, "center": w / 2, "right": w}[side]
                    foot = y + dy * distance - {"bottom": 0, "center": h / 2, "top": h}[level]
                    spot = (left, foot, left + w, foot + h)
                    outside = max(0, frame.x0 - left) + max(0, left + w - frame.x1) + max(0, frame.y0 - foot) + max(0, foot + h - frame.y1)
                    cost = sum(_overlap(spot, other) for other in taken) + 20 * outside + distance * 1.5
                    if best is None or cost < best[0]:
                        best = (cost, dx * distance, dy * distance, side, level, spot)
            _, right, up, side, level, spot = best
            text.set(position=(right, up), ha=side, va=level)
            taken.append(spot)

    place()
    figure = ax.figure
    figure.labelled = [*getattr(figure, "labelled", ()), place]


def moved(frame):
    """Return a colour a row: blue where the interval lies above zero, vermilion below, grey where it holds zero or is not known."""
    return np.where(frame["conf_low"] > 0, BLUE, np.where(frame["conf_high"] < 0, RED, MUTED))


def numbers(days):
    """Return days as the numbers of a time axis."""
    from matplotlib.dates import date2num

    return date2num(days)


def _overlap(one, other):
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(0.0, min(one[3], other[3]) - max(one[1], other[1]))


def styled(draw):
    """Draw under the figures' own settings, whatever the reader's matplotlibrc says."""
    from functools import wraps

    @wraps(draw)
    def drawn(*given, **options):
        from matplotlib import rc_context

        with rc_context(STYLE):
            return draw(*given, **options)

    return drawn


def need(frame, columns, figure):
    """Raise ValueError naming the columns that a figure needs and the frame does not have."""
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise ValueError(f"figure '{figure}' needs the column {prose.join(absent)}; the frame has {prose.join(frame.columns)}")


def words(text, *, width=24, lines=2) -> str:
    """Return a label from outside, made safe and broken into at most so many lines."""
    parts = textwrap.wrap(prose.clean(text, limit=width * lines), width) or ["–"]
    return "\n".join([*parts[: lines - 1], " ".join(parts[lines - 1 :])] if len(parts) > lines else parts)


def names(frame, *columns):
    """Return the label of each row: the `label` column if there is one, else the first of the columns named."""
    found = next(column for column in ("label", *columns) if column in frame.columns)
    return [words(value) for value in frame[found]]


def low(frame):
    """Return which rows stand on a low base: flagged so, or an effective base (else the base) under 50."""
    flagged = frame["flag"].astype("string").str.contains("low", case=False, na=False) if "flag" in frame else pd.Series(False, index=frame.index)
    size = frame["n_eff"] if "n_eff" in frame else frame["n"] if "n" in frame else pd.Series(np.inf, index=frame.index)
    return (flagged | (size.astype(float) < LOW_BASE)).to_numpy(dtype=bool)


def intervals(ax, places, frame, *, colour=BLUE, upright=False, scale=1.0, size=7, columns=("estimate", "conf_low", "conf_high"), hollow=None, name=None):
    """Draw estimates with their intervals, along or `upright`; a low base is hollow, a missing estimate leaves its place empty."""
    middle, below, above = (frame[column].to_numpy(dtype=float) * scale for column in columns)
    places, hollow = np.asarray(places, dtype=float), low(frame) if hollow is None else hollow
    colours = np.broadcast_to(np.asarray(colour, dtype=object), len(middle))
    for place, centre, start, end, empty, shade in zip(places, middle, below, above, hollow, colours):
        if not np.isfinite(centre):
            continue
        if np.isfinite(start) and np.isfinite(end):
            ax.plot(*(([place, place], [start, end]) if upright else ([start, end], [place, place])), color=shade, linewidth=2, solid_capstyle="butt", zorder=3)
        ax.plot(*((place, centre) if upright else (centre, place)), marker="o", markersize=size, markerfacecolor=PAPER if empty else shade,
                markeredgecolor=shade, markeredgewidth=2, linestyle="none", zorder=4)  # fmt: skip


def rows(ax, labels, *, upside_down=True):
    """Give a horizontal figure one line a row, the first on top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim((len(labels) - 0.5, -0.6) if upside_down else (-0.6, len(labels) - 0.5))
    ax.xaxis.grid(True)
    steps(ax.xaxis)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)


def bases(ax, places, frame):
    """Write the base of each row at the right edge, clear of the grid."""
    if "n" not in frame or not len(frame):
        return
    from matplotlib.ticker import FixedLocator

    first, last = ax.get_xlim()
    ticks = [tick for tick in ax.xaxis.get_major_locator().tick_values(first, last) if first <= tick <= last]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_xlim(first, last + (last - first) * 0.16)
    for row, (place, size) in enumerate(zip(places, frame["n"])):
        text = "–" if pd.isna(size) else prose.number(size, digits=0)
        ax.text(1.0, place, f"n = {text}" if not row else text, transform=ax.get_yaxis_transform(), ha="right", va="center", color=MUTED, fontsize=11)


def base(frame) -> str:
    """Return the base in words: 'n = 812', 'n = 812 to 1,034'."""
    sizes = frame["n"].dropna() if "n" in frame else []
    if not len(sizes):
        return ""
    least, most = prose.number(min(sizes), digits=0), prose.number(max(sizes), digits=0)
    return f"n = {least}" if least == most else f"n = {least} to {most}"


def steps(axis, most=6):
    """Put the ticks of an axis at round steps (1, 2, 5)."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


def zero(ax, *, upright=False, at=0.0):
    """Draw the line of no effect."""
    (ax.axhline if upright else ax.axvline)(at, color=INK, linewidth=1, zorder=2)


def percents(axis):
    """Write an axis of percentages, never below one decimal it needs not."""
    axis.set_major_formatter(lambda value, _: f"{value:,.0f} %".replace("-", prose.MINUS) if abs(value - round(value)) < 1e-9 else f"{value:,.1f} %".replace("-", prose.MINUS))


def empty(ax, reason="Nothing to show: no estimate in this frame."):
    """Say in the figure's place why there is none."""
    ax.set_axis_off()
    ax.text(0, 0.5, "\n".join(textwrap.wrap(prose.clean(reason), 60)), transform=ax.transAxes, color=MUTED, va="center")
    return ax
