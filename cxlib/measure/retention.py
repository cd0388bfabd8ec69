"""Retention: of those who were customers when a quarter began, the share who were so still when it ended."""

import numpy as np
import pandas as pd

from cxlib import quarters
from cxlib.measure import design, metrics

DEFINITION = "share_0_1"
COLUMNS = ["quarter", "left", "definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "weighted_n", "n_eff", "deff", "df", "widening", "basis", "flag", "note"]
LEAST = 30  # customers on the first day of a quarter


def by_quarter(tables, *, most: int = 12) -> pd.DataFrame:
    """Return the retention of each of the last quarters, the reported one last.

    in: the tables of a store; `people` with joined_on and left_on (the last day as a customer, empty while one). Those who joined before the quarter's first day and
    had not left by then are its base; somebody without a day of joining was always there. A file that names nobody who left says nothing of retention, and quarters up to the one of
    its first leaver may have begun before leaving was written down: neither is told. People of one account leave together, so accounts are clusters where the file has them.
    out: quarter, then as `design.estimate` (estimate is the share who stayed, 0..1, with Wilson's interval on the effective base), left (how many did not stay);
    no rows where it cannot be told.
    """
    people, programme = tables["people"].drop_duplicates("person_id"), tables.programme
    if "left_on" not in people or people["left_on"].notna().sum() == 0:
        return pd.DataFrame(columns=COLUMNS)
    first = programme.quarter_of(people["left_on"].min().date())
    parts, quarter = [], tables.quarter
    while quarter > first and len(parts) < most:
        begin, end = (pd.Timestamp(day) for day in quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label))
        there = people[~(people["joined_on"] >= begin) & ~(people["left_on"] < begin)]
        if len(there) < LEAST:
            break
        stayed = (~(there["left_on"] <= end)).astype(float)
        own = there.assign(stayed=stayed, weight=1.0, unit=there["account_id"].where(there["account_id"].notna(), there["person_id"]) if "account_id" in there else there["person_id"])
        cluster = {"cluster": "unit"} if own["unit"].duplicated().any() else {}
        parts.append(design.estimate(own, score="stayed", definition=DEFINITION, **cluster).assign(quarter=quarter, left=int((stayed == 0).sum())))
        quarter = quarters.back(quarter)
    return pd.concat(parts[::-1], ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def changes(found: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return how retention moved in `quarter` since the one before and since a year ago.

    in: what `by_quarter` returns. out: quarter, against (last quarter, last year), then_quarter, then as `metrics.change`. Who left in one quarter is not in the next one's base, so that the
    shares of two quarters have nothing in common but what an account's people share over time, which is not allowed for.
    """
    parts = []
    for against, back in (("last quarter", 1), ("last year", 4)):
        now, then = (found[found["quarter"] == name] for name in (quarter, quarters.back(quarter, back)))
        if len(now) and len(then):
            parts.append(metrics.change(now.reset_index(drop=True), then.reset_index(drop=True)).assign(quarter=quarter, against=against, then_quarter=quarters.back(quarter, back)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"quarter": [], "against": [], "then_quarter": [], "estimate": np.array([]), "p": np.array([])})
