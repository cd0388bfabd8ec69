"""What the answers say: metrics with their intervals, the ledger of tests, drivers and tracking."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["chain", "drivers", "ledger", "metrics", "opinion", "thresholds", "tracking"])
