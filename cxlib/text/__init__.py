"""Verbatims: the codeframe, topics, polarity, how often and what it has to do with the KPI, and quotations that may be shown."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(__name__, submodules=["agreement", "audit", "codeframe", "coder", "codings", "commenting", "comments", "correction", "emerging", "languages", "prevalence", "proposal", "quotes", "recode", "sentiment", "sheets", "topics"])
