"""The method card of the tracking study: what its intervals and alerts were found to be worth by simulation, in words."""

import pandas as pd

from cxlib.show import prose


def card(found: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of `proofs.kept` as a table of words: what, world, found (with its 99 % interval), wanted."""
    return pd.DataFrame({
        "what": [row.what[:1].upper() + row.what[1:] for row in found.itertuples()], "world": found["world"], "found": [f"{_share(row.share)} ({prose.percent(row.low, digits=1).removesuffix(' %')} to {prose.percent(row.high, digits=1)})" for row in found.itertuples()],
        "wanted": found["wanted"], "runs": found["runs"],
    })  # fmt: skip


def _share(share: float) -> str:
    return "none" if share == 0 else "all" if share == 1 else prose.percent(share, digits=1)


LABELS = {"what": "How often", "world": "In a world of", "found": "Found (99 % interval)", "wanted": "Wanted", "runs": "Worlds"}
