"""Figures: each takes a tidy frame and `ax=None` and returns the Axes, with the interval and the base drawn; `embed` puts one on a page.

A figure never saves and never shows. `marks` holds what they share (colours, intervals, low base drawn hollow), one module a notebook holds
its figures. The functions of those modules are reached as `figures.drivers.importance(frame)`.
"""

from cxlib.show.figures import drivers, loading, marks, roi, summary, topics, tracking
from cxlib.show.figures.embedding import embed, svg

__all__ = ["drivers", "embed", "loading", "marks", "roi", "summary", "svg", "topics", "tracking"]
