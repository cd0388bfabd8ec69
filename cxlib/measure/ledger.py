"""The ledger: every test of a run in one table, and which of them may still be told when all have been looked at."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError, nearest

KINDS = ("primary", "secondary", "exploratory", "check")
# Each tier has a part of alpha of its own, whatever else is tested: so a run in which nothing happens claims something in at most
# 5 % of cases, and an exploratory segment more changes no headline.
PARTS = {"primary": 0.6, "secondary": 0.3, "exploratory": 0.1}
COLUMNS = ("test_id", "study", "family", "kind", "what", "n", "estimate", "conf_low", "conf_high", "p")


def adjust(tests, *, alpha=0.05, parts=None):
    """Say which tests survive having been one of many.

    in: the ledger: test_id, study, family, kind (primary|secondary|exploratory|check), what, n, estimate, conf_low, conf_high (95 %), p.
    out: the same rows in the same order with
    p_bh, p_by (Benjamini-Hochberg and Benjamini-Yekutieli within study and family), p_holm (over all primary tests of the run),
    p_family (the family's Simes p, Holm over the families of its tier; empty for primary), p_adjusted (compare with alpha: everything below is in
    it), survives, conf_low_adj, conf_high_adj (the interval of a survivor, widened because it is shown for having been selected: FCR).
    Primary: Holm over the headlines. Secondary and exploratory: a family is opened by Holm over the families of its tier, then Benjamini-Hochberg
    within it at alpha x opened / families (Benjamini & Bogomolov 2014). Tiers share alpha as in `parts` (60, 30 and 10 %).
    Checks (pre-trend, placebo, sample ratio) are recorded and never adjusted: passing them is the favourable result; they never "survive".
    A test without p (not estimable) counts nowhere.
    errors: DataError for an unknown kind, a p outside 0..1, a test_id that appears twice.
    """
    parts = PARTS if parts is None else parts
    out = tests.reset_index(drop=True).copy()
    _check(out)
    for name in ("p_bh", "p_by", "p_holm", "p_family", "p_adjusted"):
        out[name] = np.nan
    out["survives"] = False
    out["conf_low_adj"], out["conf_high_adj"] = out["conf_low"].astype(float), out["conf_high"].astype(float)
    live = out[out["p"].notna() & (out["kind"] != "check")]
    families = [(kind, rows.index) for (kind, _, _), rows in live.groupby(["kind", "study", "family"], sort=True)]
    for _, index in families:
        p = out.loc[index, "p"].to_numpy(dtype=float)
        out.loc[index, "p_bh"] = _step_up(p)
        out.loc[index, "p_by"] = np.minimum(_step_up(p) * (1 / np.arange(1, len(p) + 1)).sum(), 1)
    headlines = live.index[live["kind"] == "primary"]
    if len(headlines):
        out.loc[headlines, "p_holm"] = _holm(out.loc[headlines, "p"].to_numpy(dtype=float))
        out.loc[headlines, "p_adjusted"] = np.minimum(out.loc[headlines, "p_holm"] / parts["primary"], 1)
    for kind in ("secondary", "exploratory"):
        tier = [index for name, index in families if name == kind]
        if not tier:
            continue
        simes = _holm(np.array([out.loc[index, "p_bh"].min() for index in tier]))
        opened = max(int((simes <= alpha * parts[kind]).sum()), 1)
        for index, family in zip(tier, simes):
            out.loc[index, "p_family"] = family
            within = out.loc[index, "p_bh"] * len(tier) / opened
            out.loc[index, "p_adjusted"] = np.minimum(np.maximum(within, family) / parts[kind], 1)
    out["survives"] = (out["p_adjusted"] <= alpha).fillna(False).astype(bool)
    for index in [headlines, *(index for kind, index in families if kind != "primary")]:
        _widen(out, index, alpha)
    return out


def _check(tests):
    missing = [name for name in COLUMNS if name not in tests]
    if missing:
        raise DataError(f"The ledger lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.")
    for kind in tests["kind"].unique():
        if kind not in KINDS:
            raise DataError(f"'{kind}' is no kind of test{nearest(kind, KINDS) or '.'} Known: {', '.join(KINDS)}.")
    wrong = tests["p"].notna() & ~tests["p"].between(0, 1)
    if wrong.any():
        row = tests[wrong].iloc[0]
        raise DataError(f"Test '{row['test_id']}': p = {row['p']} lies outside 0..1.")
    twice = tests["test_id"].duplicated()
    if twice.any():
        raise DataError(f"Test '{tests.loc[twice, 'test_id'].iloc[0]}' is in the ledger twice; give each test an id of its own.")


def _step_up(p):
    """Return Benjamini-Hochberg adjusted p-values; their smallest is the Simes p of the family."""
    order = np.argsort(p, kind="stable")
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1)
    return out


def _holm(p):
    """Return Holm adjusted p-values."""
    order = np.argsort(p, kind="stable")
    out = np.empty(len(p))
    out[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return out


def _widen(out, index, alpha):
    """Widen the intervals of a family's survivors to level 1 - alpha R/m (FCR; Benjamini & Yekutieli 2005)."""
    chosen = index[out.loc[index, "survives"].to_numpy()] if len(index) else index
    if len(chosen) == 0:
        return
    factor = stats.norm.ppf(1 - alpha * len(chosen) / len(index) / 2) / stats.norm.ppf(1 - 0.05 / 2)
    estimate = out.loc[chosen, "estimate"].astype(float)
    out.loc[chosen, "conf_low_adj"] = estimate - (estimate - out.loc[chosen, "conf_low"]) * factor
    out.loc[chosen, "conf_high_adj"] = estimate + (out.loc[chosen, "conf_high"] - estimate) * factor


def empty():
    """Return a ledger without tests, for a study that made none."""
    text = {name: pd.Series(dtype=str) for name in ("test_id", "study", "family", "kind", "what")}
    return pd.DataFrame(text | {"n": pd.Series(dtype="int64")} | {name: pd.Series(dtype=float) for name in ("estimate", "conf_low", "conf_high", "p")})


def tell(claims, adjusted):
    """Say of each claim what may be told: its text where its test survives, else the sentence for no detectable change.

    in: claims and what `adjust` returns. out: the claims with said, survives (true for a description, which has no test) and p_adjusted. A claim
    whose test is missing from the ledger does not survive: nothing is told that was not counted.
    """
    tests = adjusted.set_index("test_id")
    described = claims["test_id"].fillna("") == ""
    survives = claims["test_id"].map(tests["survives"]).fillna(False).astype(bool) | described
    return claims.assign(said=claims["text"].where(survives, claims["text_null"]), survives=survives, p_adjusted=claims["test_id"].map(tests["p_adjusted"]).astype(float))
