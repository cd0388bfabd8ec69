"""The package behind the workbook: `import cxlib as cx`, then `cx.drivers.shapley(...)`. Heavy imports happen where they are used."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    submodules=["contract", "editions", "errors", "kernels", "load", "programme", "quarters", "run", "schema", "show", "studies", "synth"],
    submod_attrs={
        "measure": ["chain", "drivers", "ledger", "metrics", "opinion", "thresholds", "tracking"],
        "act": ["approach", "buying", "chains", "effects", "equity", "forecasts", "holdout", "justbelow", "lifetime", "outcomes", "plan", "portfolio", "returns", "roi", "spending", "trials"],
        "text": ["agreement", "audit", "codeframe", "coder", "codings", "commenting", "comments", "correction", "emerging", "languages", "prevalence", "proposal", "quotes", "recode", "sentiment", "sheets", "topics"],
        "show": ["figures", "prose", "tables"],
    },
)
