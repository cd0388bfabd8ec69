"""Figures: each takes a tidy frame and `ax=None` and returns the Axes, with the interval and the base drawn; `embed` puts one on a page.

A figure never saves and never shows. `layout` holds the canvas and the colours, `marks` what is drawn
alike everywhere (intervals, low base hollow, bases), and one module a notebook holds its figures. The functions of those modules are reached as `figures.drivers.importance(frame)`.
"""

from cxlib.show.figures import alerts, drivers, effects, layout, loading, marks, roi, summary, thresholds, topics, tracking, units, worth
from cxlib.show.figures.embedding import draw, embed, svg

__all__ = ["alerts", "draw", "drivers", "effects", "embed", "layout", "loading", "marks", "roi", "summary", "svg", "thresholds", "topics", "tracking", "units", "worth"]
