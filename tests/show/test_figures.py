"""Figures: what is drawn is the frame, with interval and base; one block a page can carry twice, in any colour, with text as text."""

import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import FRAMES, HOSTILE, Audit, block, draw, frame_of

from cxlib import quarters
from cxlib.show import figures
from cxlib.show.figures import layout

EVERY = pytest.mark.parametrize("name", list(FRAMES))


def texts(ax):
    """Return every text of the figure that is seen on a page."""
    from matplotlib.text import Text

    layout.arrange(ax.figure, layout.WIDE)
    ax.figure.draw_without_rendering()
    return [text.get_text() for text in ax.figure.findobj(Text) if text.get_visible() and text.get_text()]


@EVERY
def test_returns_axes_outside_pyplot_and_leaves_the_frame_alone(name):
    import matplotlib.pyplot as plt

    frame, before = frame_of(name), frame_of(name)
    ax = draw(name, frame)
    assert isinstance(ax, matplotlib.axes.Axes)
    assert plt.get_fignums() == []
    pd.testing.assert_frame_equal(frame, before)


@EVERY
def test_draws_on_the_axes_it_is_given(name):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5))
    given = figure.add_subplot()
    assert draw(name, ax=given).figure is figure


@EVERY
def test_block_is_named_described_and_carries_its_numbers(name):
    seen = Audit(block(name))
    assert seen.offences() == []
    assert [given["class"] for given, _ in seen.all("svg")] == ["cx-wide", "cx-narrow"]
    for given, _ in seen.all("svg"):
        assert given["role"] == "img"
        assert all(part in seen.ids for part in given["aria-labelledby"].split())
        assert "width" not in given
        assert re.fullmatch(r"0 0 [\d.]+ [\d.]+", given["viewbox"])
    assert seen.words().count("A described picture") == 2
    assert len(seen.all("figcaption")) == len(seen.all("details")) == len(seen.all("table")) == 1
    assert len(seen.ids) == len(set(seen.ids))


@EVERY
def test_same_figure_same_bytes_also_embedded_twice(name):
    ax = draw(name)
    first = figures.embed(ax, id="f", title="t", caption="c")
    assert figures.embed(ax, id="f", title="t", caption="c") == first
    assert figures.embed(draw(name), id="f", title="t", caption="c") == first
    assert figures.svg(draw(name), id="f", title="t") == figures.svg(ax, id="f", title="t")


@EVERY
def test_two_figures_on_one_page_do_not_collide(name):
    both = Audit(block(name) + figures.embed(draw(name), id="two", title="t", caption="c"))
    assert len(both.ids) == len(set(both.ids))
    for given, _ in both.all("use"):
        assert given["href"][1:] in both.ids


@EVERY
def test_every_colour_is_one_the_dark_mode_knows(name):
    bare = re.sub(r"var\(--\w+,#[0-9a-f]{6}\)", "", block(name))
    assert re.findall(r"#[0-9a-f]{6}\b", bare) == []
    assert "<style" not in block(name)


@EVERY
def test_letters_are_letters_and_stay_inside_the_drawing(name):
    root = ET.fromstring(figures.svg(draw(name), id="f", title="t").split("?>", 1)[1])
    width, height = (float(part) for part in root.get("viewBox").split()[2:])
    found = [node for node in root.iter() if node.tag.endswith("}text")]
    assert len(found) >= 3
    for node in found:
        place = re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", node.get("transform", "")) or re.search(r"([-\d.]+) ([-\d.]+)", f"{node.get('x')} {node.get('y')}")
        assert -2 <= float(place[1]) <= width + 2, "".join(node.itertext())
        assert -2 <= float(place[2]) <= height + 2, "".join(node.itertext())


@EVERY
def test_fault_19_hostile_names_are_text_and_no_formula(name):
    frame = frame_of(name)
    for column in ("driver", "label", "topic", "file", "item", "group", "kpi"):
        if column in frame:
            first = frame[column].iloc[0]
            frame[column] = frame[column].astype(object).where(frame[column] != first, HOSTILE)
    seen = Audit(figures.embed(draw(name, frame), id="f", title=HOSTILE, caption=HOSTILE, alt=HOSTILE, data=frame))
    assert seen.offences() == []
    assert not seen.all("img")
    assert "$\\href{javascript:alert(1)}{x}$" in seen.words()


@EVERY
def test_fault_18_control_and_hidden_characters_do_not_break_the_drawing(name):
    frame = frame_of(name)
    for column in ("driver", "label", "topic", "file", "item", "group", "kpi"):
        if column in frame:
            frame[column] = frame[column].astype(object) + "\x00\u202e\u200b"
    figures.embed(draw(name, frame), id="f", title="a\x00\ud800", caption="c", data=frame).encode("utf-8")
    ET.fromstring(figures.svg(draw(name, frame), id="f", title="a\x00").split("?>", 1)[1])


@EVERY
def test_fault_7_one_row_no_row_and_no_estimate_still_draw(name):
    frame = frame_of(name)
    empty = frame.copy()
    for column in frame.select_dtypes("number"):
        if column not in ("rank", "kept", "quarantined", "duplicates", "rows", "asked", "answered"):
            empty[column] = np.nan
    for case in (frame.head(1), frame.head(0), empty):
        seen = Audit(figures.embed(draw(name, case), id="f", title="t", caption="c", data=case))
        assert "nan" not in " ".join(data for tag, data in seen.text if tag == "text").lower()


@EVERY
def test_a_missing_column_is_named(name):
    frame = frame_of(name)
    needed = next(column for column in ("estimate", "importance_low", "probability", "low", "quarantined", "asked", "penalty_low") if column in frame)
    with pytest.raises(ValueError, match=needed):
        draw(name, frame.drop(columns=needed))


def test_low_base_is_hollow_and_the_base_is_written():
    ax = draw("drivers.importance")
    filled = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o" for _ in line.get_xdata()]
    assert filled == [layout.BLUE] * 7 + [layout.PAPER]
    assert "n = 1,000" in texts(ax)
    assert "n = 516 to 670 each" in texts(draw("tracking.series"))


def test_intervals_are_drawn_from_limit_to_limit():
    frame = frame_of("drivers.importance")
    ax = draw("drivers.importance", frame)
    spans = sorted(tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2)
    np.testing.assert_allclose(spans, sorted(zip(frame.conf_low * 100, frame.conf_high * 100)))


def test_colour_of_a_change_follows_its_interval():
    ax = draw("tracking.changes")
    drawn = [line.get_markeredgecolor() for line in ax.lines if line.get_marker() == "o" for _ in line.get_xdata()]
    assert drawn == [layout.BLUE, layout.RED, layout.MUTED, layout.MUTED]
    bands = [(patch.get_x(), patch.get_width()) for patch in ax.patches]
    np.testing.assert_allclose(bands, [(-5, 10), (-4, 8), (-5, 10), (-4.2, 8.4)])


def test_unequal_gaps_keep_their_length_and_are_dashed():
    frame = pd.DataFrame({"quarter": ["2010Q3", "2011Q2", "2012Q2", "2013Q2", "2017Q2"], "estimate": [31, 33, 36, 35, 40.0], "conf_low": [28, 30, 33, 32, 37.0], "conf_high": [34, 36, 39, 38, 43.0], "n": 3000})
    ax = draw("tracking.series", frame)
    joins = [line for line in ax.lines if line.get_marker() != "o" and len(set(line.get_xdata())) > 1]
    lengths = [(np.diff(line.get_xdata()) / np.timedelta64(1, "D")).tolist() for line in joins]
    assert lengths == [[273.0, 366.0, 365.0], [1461.0]]
    assert [line.is_dashed() for line in joins] == [False, True]
    assert texts(ax).count("Q2\n2017") == 1


def test_a_level_and_a_chart_are_labelled_by_the_quarters_of_the_fiscal_year():
    """From April, named after the year in which it ends, October 2025 opens 2026Q3; without a fiscal year it opens 2025Q4."""
    days = pd.date_range("2025-10-06", periods=20, freq="7D")
    level = pd.DataFrame({"date": days, "estimate": 0.0, "level": 0.0, "conf_low": -1.0, "conf_high": 1.0})
    chart = pd.DataFrame({"date": days, "value": 5.0, "centre": 5.0, "lower": 4.0, "upper": 6.0, "stat": 5.0, "signal": False, "baseline": True})
    fiscal = {"quarter_of": lambda day: quarters.of(day, start=4, label="end")}
    for draws in (lambda **options: figures.tracking.level(level, **options), lambda **options: figures.alerts.chart(chart, **options)):
        assert [tick.get_text() for tick in draws(**fiscal).get_xticklabels()] == ["Q3\n2026", "Q4\n2026"]
        assert [tick.get_text() for tick in draws().get_xticklabels()] == ["Q4\n2025", "Q1\n2026"]


def test_an_unreadable_quarter_is_named():
    with pytest.raises(ValueError, match="'spring' in column 'quarter'"):
        draw("tracking.series", frame_of("tracking.series").assign(quarter="spring"))


def test_too_many_lines_are_refused():
    frame = pd.concat([frame_of("tracking.series").assign(region=str(place)) for place in range(6)])
    with pytest.raises(ValueError, match="can tell 5 lines apart"):
        draw("tracking.series", frame, by="region")


def test_corners_of_the_matrix_are_named_and_points_labelled_without_overlap():
    ax = draw("drivers.matrix")
    said = texts(ax)
    assert {"FIX FIRST", "PROTECT", "WATCH", "DON'T OVER-INVEST"} <= set(said)
    for width in (layout.WIDE, layout.NARROW):
        layout.arrange(ax.figure, width)
        renderer = matplotlib.backends.backend_agg.FigureCanvasAgg(ax.figure).get_renderer()
        boxes = [text.get_window_extent(renderer) for text in ax.texts]
        assert sum(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place]) == 0


def test_above_1500_marks_the_drawing_is_a_picture_with_alternative_text():
    ax = layout.axes()
    ax.scatter(*np.random.default_rng(0).normal(size=(2, 1501)), s=4)
    seen = Audit(figures.embed(ax, id="f", title="t", caption="c", alt="A cloud"))
    assert seen.offences() == []
    assert seen.all("img")[0][0]["alt"] == "A cloud"
    assert not seen.all("svg")


def test_long_frames_are_cut_and_it_is_said():
    frame = pd.concat([frame_of("topics.trend")] * 4, ignore_index=True)
    assert "The first 200 of 288 rows." in figures.embed(draw("effects.recovery"), id="f", title="t", caption="c", data=frame)


def test_size_of_a_figure_stays_small():
    for name in FRAMES:
        assert len(block(name).split("<details")[0]) < (75_000 if name in ("topics.trend", "drivers.ranks") else 60_000), name


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return sum(weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for weight, part in zip((0.2126, 0.7152, 0.0722), parts))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_wcag_2_1_in_the_light_and_in_the_dark():
    from cxlib.show.fragments import TEMPLATE

    sheet = (TEMPLATE / "cx" / "page.css").read_text()
    for scheme in (sheet.split("@media screen")[0], sheet.split("@media screen")[1].split("}")[0]):
        colour = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", scheme))
        for text in ("ink", "muted", "accent", "blue", "red", "green"):
            for ground in ("paper", "tint"):
                assert contrast(colour[text], colour[ground]) >= (4.5 if ground == "paper" or text in ("ink", "muted") else 3), (text, ground)
        assert contrast(colour["gold"], colour["paper"]) >= 3


def test_light_colours_of_page_and_figures_are_the_same():
    from cxlib.show.fragments import TEMPLATE

    sheet = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", (TEMPLATE / "cx" / "page.css").read_text().split("@media")[0]))
    assert {role: colour for colour, role in layout.ROLES.items()} == {role: sheet[role] for role in layout.ROLES.values()}


def test_a_driver_shown_twice_is_refused():
    frame = pd.concat([frame_of("drivers.importance").assign(method=method) for method in ("johnson", "shapley")])
    with pytest.raises(ValueError, match="choose one method"):
        draw("drivers.importance", frame)


def test_tornado_takes_the_results_not_the_inputs():
    frame = pd.DataFrame({"input": ["effect", "unit_cost"], "low": [0.1, 2], "high": [0.3, 4], "net_low": [-500, 2500], "net_high": [5500, 1500], "net": [2000, 2000]})
    ax = draw("roi.tornado", frame)
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(2000, -2500), (2000, 3500), (2000, 500), (2000, -500)]
    assert {"Effect", "Unit cost"} <= set(texts(ax))


def test_the_base_of_a_topic_is_those_who_mention_it():
    assert {"n = 87", "44"} <= set(texts(draw("topics.impact", frame_of("topics.impact").assign(count=[87, 200, 223, 247, 94, 44], n=731))))
