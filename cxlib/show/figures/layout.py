"""The canvas of a figure and how it fits its width: the same figure stands 680 points wide on a page and 352 on a phone.

Sizes are in points of a canvas as wide as the page's column, so that one point is one pixel on screen and letters keep their size on a phone:
the figure is laid out again at that width, not scaled. What depends on the width (ticks, wrapped labels, places of names) is fitted by `arrange`.
"""

import textwrap
from functools import wraps

import numpy as np

INK, MUTED, RULE, TINT, PAPER = "#1b2429", "#5b6870", "#d5dbdf", "#eef2f4", "#ffffff"
BLUE, RED, GREEN, GOLD = "#1f6fb2", "#c8501e", "#0f7f6b", "#a87500"
ROLES = {INK: "ink", MUTED: "muted", RULE: "rule", TINT: "tint", PAPER: "paper", BLUE: "blue", RED: "red", GREEN: "green", GOLD: "gold"}
WIDE, NARROW = 680, 352
HALO = "halo"
STYLE = {
    "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans"], "font.size": 12, "text.parse_math": False, "text.usetex": False,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.labelsize": 12, "axes.edgecolor": RULE, "axes.linewidth": 1, "axes.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.grid": False, "axes.axisbelow": True,
    "axes.unicode_minus": True, "axes.titlesize": 12.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlecolor": INK,
    "xtick.color": RULE, "ytick.color": RULE, "xtick.labelcolor": MUTED, "ytick.labelcolor": INK, "xtick.labelsize": 12, "ytick.labelsize": 12.5,
    "ytick.major.size": 0, "xtick.major.size": 4, "xtick.minor.size": 3, "grid.color": RULE, "grid.linewidth": 0.8, "figure.facecolor": "none",
    "figure.dpi": 72, "savefig.facecolor": "none", "svg.fonttype": "none", "svg.hashsalt": "cxlib", "path.simplify": True, "lines.linewidth": 2,
    "axes.formatter.use_locale": False, "axes.formatter.useoffset": False, "legend.frameon": False, "timezone": "UTC",
}  # fmt: skip
SIDES = ((1, 0, "left", "center"), (-1, 0, "right", "center"), (0, 1, "center", "bottom"), (0, -1, "center", "top"),
         (0.8, 0.8, "left", "bottom"), (0.8, -0.8, "left", "top"), (-0.8, 0.8, "right", "bottom"), (-0.8, -0.8, "right", "top"))  # fmt: skip


def styled(draw):
    """Draw under the figures' own settings, whatever the reader's matplotlibrc says."""

    @wraps(draw)
    def drawn(*given, **options):
        from matplotlib import rc_context

        with rc_context(STYLE):
            return draw(*given, **options)

    return drawn


def axes(ax=None, *, height=300):
    """Return the Axes to draw on: the one given, or one on a new Figure of its own, outside pyplot's list of figures. Height in points."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDE / 72, height / 72), layout="constrained").add_subplot() if ax is None else ax


def panels(count, ax=None, *, height=190, columns=3, narrow=2, heights=None):
    """Return the Axes of small multiples in reading order: on a new Figure, or in the place of `ax`; `narrow` columns at a phone's width."""
    from matplotlib.figure import Figure

    columns = max(1, min(columns, count))
    rows = max(1, -(-count // columns))
    if ax is None:
        figure = Figure(figsize=(WIDE / 72, rows * height / 72), layout="constrained")
        grid = figure.add_gridspec(rows, columns, height_ratios=heights)
        # Small multiples stand apart, or the last value of one runs into the axis of the next.
        figure.get_layout_engine().set(wspace=0.04, hspace=0.04)
    else:
        ax.set_axis_off()
        figure, grid = ax.figure, ax.get_subplotspec().subgridspec(rows, columns, height_ratios=heights)
    drawn = [figure.add_subplot(grid[place // columns, place % columns]) for place in range(max(1, count))]
    if ax is None and min(narrow, columns) != columns:
        figure.regrid = {"axes": drawn, "columns": (columns, narrow), "height": height}
    return drawn


def fit(ax, fitted):
    """Call `fitted(width)` with the Axes' width in points whenever the figure is laid out for a width."""
    figure = ax.figure
    figure.fits = [*getattr(figure, "fits", ()), (ax, fitted)]


def reshape(ax, reshaped):
    """Call `reshaped(narrow)` before the figure is laid out for a width."""
    ax.figure.reshapes = [*getattr(ax.figure, "reshapes", ()), reshaped]


def arrange(figure, width):
    """Lay the figure out for a width in points: fewer panels a row where it is narrow, then everything that was to be fitted."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        height = figure.get_size_inches()[1] * 72
        if not hasattr(figure, "drawn_height"):
            figure.drawn_height = height
        wide, height, grid = width >= WIDE, figure.drawn_height, getattr(figure, "regrid", None)
        if grid:
            columns = grid["columns"][not wide]
            rows = -(-len(grid["axes"]) // columns)
            height, spec = grid["height"] * rows, figure.add_gridspec(rows, columns)
            for place, small in enumerate(grid["axes"]):
                small.set_subplotspec(spec[place // columns, place % columns])
        if not wide:
            height *= getattr(figure, "stretch", 1.0)
        for reshaped in getattr(figure, "reshapes", ()):
            reshaped(not wide)
        figure.set_size_inches(width / 72, height / 72)
        # Every layout starts from the same places and ticks, so that what the last width left behind cannot show.
        for ax in figure.axes:
            spec = ax.get_subplotspec()
            if spec is not None and figure.get_layout_engine() is not None:
                ax.set_position(spec.get_position(figure))
                ax.set_in_layout(True)
        for turn in ("first guess", "fitted"):
            if turn == "fitted":
                figure.draw_without_rendering()
            for ax, fitted in getattr(figure, "fits", ()):
                fitted(round(ax.get_position().width * width / 4) * 4)


def ticks(ax, *, most=6, each=64):
    """Put the ticks of the horizontal axis at round steps (1, 2, 5), as many as its width has room for at `each` points a label."""
    from matplotlib.ticker import MaxNLocator

    ax.room = each
    fit(ax, lambda width: ax.xaxis.set_major_locator(MaxNLocator(nbins=max(1, min(most, int(width / each))), steps=[1, 2, 5, 10])))


def edge(ax, points):
    """Keep so many points free at the right edge, without grid or ticks, for a column of numbers."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    first, last = ax.get_xlim()

    def fitted(width):
        room = max(1, min(6, int((width - points) / getattr(ax, "room", 64))))
        found = MaxNLocator(nbins=room, steps=[1, 2, 5, 10]).tick_values(first, last)
        ax.xaxis.set_major_locator(FixedLocator([tick for tick in found if first - 1e-9 <= tick <= last + 1e-9]))
        ax.set_xlim(first, last + (last - first) * points / max(20.0, width - points))

    fit(ax, fitted)


def under(ax, text):
    """Write what the horizontal axis shows beneath it, from its left edge, broken where it is too long for the width."""
    ax.set_xlabel(text, loc="left")
    fit(ax, lambda width: ax.set_xlabel("\n".join(textwrap.wrap(text, max(18, int(width / 6.2)))), loc="left"))


def label_points(ax, across, along, labels, *, lines=()):
    """Write a label beside each point where it hides least; the first points choose first, anew for each width.

    lines   (x from, y from, x to, y to) in data: intervals and cut lines that a label should not be crossed by.
    """
    texts = [ax.annotate(label, (x, y), xytext=(9, 0), textcoords="offset points", fontsize=11.5, color=INK, zorder=5, linespacing=1.05) for label, x, y in zip(labels, across, along)]
    for text in texts:
        text.set_gid(HALO)
        text.set_in_layout(False)
    fit(ax, lambda _: _place(ax, texts, np.column_stack([across, along]).astype(float), lines))


def _place(ax, texts, points, lines):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    frame, points = ax.get_window_extent(renderer), ax.transData.transform(points)
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    ends = [(*ax.transData.transform(line[:2]), *ax.transData.transform(line[2:])) for line in lines]
    taken += [(min(a, c) - 1.5, min(b, d) - 1.5, max(a, c) + 1.5, max(b, d) + 1.5) for a, b, c, d in ends]
    corners = [text.get_window_extent(renderer) for text in ax.texts if text not in texts]
    taken += [(box.x0 - 4, box.y0 - 2, box.x1 + 4, box.y1 + 2) for box in corners]
    for (x, y), text in zip(points, texts):
        box, best = text.get_window_extent(renderer), None
        for distance in (9, 16, 26, 38):
            for dx, dy, side, level in SIDES:
                left = x + dx * distance - {"left": 0, "center": box.width / 2, "right": box.width}[side]
                foot = y + dy * distance - {"bottom": 0, "center": box.height / 2, "top": box.height}[level]
                spot = (left, foot, left + box.width, foot + box.height)
                outside = max(0, frame.x0 - spot[0]) + max(0, spot[2] - frame.x1) + max(0, frame.y0 - spot[1]) + max(0, spot[3] - frame.y1)
                cost = sum(_overlap(spot, other) for other in taken) + 20 * outside + distance * 1.5
                if best is None or cost < best[0]:
                    best = (cost, (dx * distance, dy * distance), side, level, spot)
        text.set(position=best[1], ha=best[2], va=best[3])
        taken.append(best[4])


def _overlap(one, other):
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
