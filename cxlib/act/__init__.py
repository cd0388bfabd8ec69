"""What was done about it and what came of it: measured effects and money."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["approach", "buying", "chains", "effects", "equity", "forecasts", "holdout", "justbelow", "lifetime", "portfolio", "returns", "roi", "spending"])
