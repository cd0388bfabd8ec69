"""Correction: shares of topics freed of the coder's mistakes by an audit, with an interval that holds both what the sample and what the coder leave open."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.text.prevalence import wilson

TARGETS = ("population", "comments")
EXPECT = 10  # audit rows that speak of a topic, expected, from which the interval covers as promised
FEWEST = 50  # audited answers under which nothing is corrected


def shares(raw: pd.DataFrame, coded: pd.DataFrame, audited: pd.DataFrame, people: pd.DataFrame, *, target: str = "population", level: float = 0.95) -> pd.DataFrame:
    """Correct the shares of one survey and quarter by its audit (prediction-powered inference).

    in: raw, rows of `prevalence.shares` on commenters (topic, level, polarity, estimate, n_eff, ...); coded, what the coder says (response_id, topic, polarity, "any" and nets
    included); audited, what people say of audited answers (response_id, topic, polarity, share of coders); people, every commenter: response_id, weight, probability (that
    the audit drew it; NaN where it did not), known (True: coded by people for training and so no part of the audit; it counts with what people said).
    With f the coder's word and y that of people, both 0 or 1: theta = mean f + mean over the audit of (y - f), the second with weights 1/probability and
    by the value of f (Angelopoulos et al. 2023, Science 382: 669, post-stratified by the prediction, so that a coder who knows nothing costs nothing). Interval:
    the part of each value of f by Wilson's limits on its effective audit base, put together by squares (MOVER: Zou & Donner 2008, Stat. Med. 27: 1693), so that no mistake in sixty rows is not taken for none.
    `target` is this wave's comments, or the population they come from: then the sampling error of the share itself is added (two-phase sampling, so that the audit's part keeps its finite population correction).

    out: raw with estimate, std_error, conf_low, conf_high corrected; uncorrected (as the coder counts), audit_n (audited answers), audit_found (audited answers that speak of it by
    people), expected (those that were to be expected), sensitivity and precision of the coder (weighted), indicative, note. Topics that expect fewer than ten audited
    answers get the exact limits of Clopper and Pearson in place of Wilson's, which are wider, and say so.
    """
    if target not in TARGETS:
        raise ValueError(f"target '{target}' is neither the population nor the comments")
    people = people.set_index("response_id")
    weight, drawn = people["weight"].to_numpy(float), people["probability"].notna().to_numpy()
    known, total = people["known"].to_numpy(bool), people["weight"].sum()
    if (drawn & ~known).sum() < FEWEST:
        return raw.assign(uncorrected=raw["estimate"], audit_n=int(drawn.sum()), indicative=True, note=f"indicative: {int(drawn.sum())} audited answers, fewer than {FEWEST}")
    of_coder, of_people = _cells(coded.assign(share=1.0), people.index), _cells(audited, people.index)
    design = np.where(drawn, weight / people["probability"].to_numpy(float), 0.0)
    nothing, rows = np.zeros(len(people)), []
    for row in raw.to_dict("records"):
        key = (row["topic"], row["polarity"])
        rows.append(row | _corrected(of_coder.get(key, nothing), of_people.get(key, nothing), weight, design, drawn & ~known, known, total, row["n_eff"], target, level))
    found = pd.DataFrame(rows)
    return found.assign(indicative=False, target=target)


def _corrected(f, y, weight, design, audit, known, total, n_eff, target, level) -> dict:
    """One share: y of those coded for training as it is, the rest by what the audit says of each value of f."""
    sure = float(weight[known] @ y[known])
    estimate, down, up, variance = sure / total, 0.0, 0.0, 0.0
    pools, exact = [], False
    expected = float((design * audit) @ y / max(design[audit].sum(), 1e-300) * audit.sum())
    exact = expected < EXPECT
    for value in (0, 1):
        whole, own = ~known & (f == value), audit & (f == value)
        part = weight[whole].sum() / total
        if part > 0:
            pools.append((part, own))
    lost = [part for part, own in pools if not own.any()]
    pools = [(part, own) for part, own in pools if own.any()]
    if lost and pools:  # no audited answer has this value of f: the whole audit speaks for it
        pools = [(sum(part for part, _ in pools) + sum(lost), audit)]
    for part, own in pools:
        d = design[own]
        share, base = float(d @ y[own] / d.sum()), d.sum() ** 2 / (d**2).sum()
        limit = clopper if exact else wilson
        low, high = (float(end) for end in limit(share, base, level=level))
        left = np.sqrt(max(1 - own.sum() / max(len(weight) * part, own.sum()), 0.0))  # of a wave that was audited whole nothing is left open
        estimate += part * share
        down, up = down + (part * (share - low) * left) ** 2, up + (part * (high - share) * left) ** 2
        variance += part**2 * share * (1 - share) / base * left**2
    if target == "population":
        low, high = (float(end) for end in (clopper if exact else wilson)(estimate, n_eff, level=level))
        down, up, variance = down + (estimate - low) ** 2, up + (high - estimate) ** 2, variance + estimate * (1 - estimate) / n_eff
    hits = float(design[audit] @ (y * f)[audit])
    return {
        "uncorrected": float(weight @ f / total), "estimate": estimate, "std_error": float(np.sqrt(max(variance, 0.0))), "conf_low": max(estimate - np.sqrt(max(down, 0.0)), 0.0), "conf_high": min(estimate + np.sqrt(up), 1.0),
        "audit_n": int(audit.sum()), "audit_found": float(y[audit].sum()), "expected": expected,
        "sensitivity": hits / float(design[audit] @ y[audit]) if y[audit].sum() else np.nan, "precision": hits / float(design[audit] @ f[audit]) if f[audit].sum() else np.nan,
        "note": f"rare: {expected:.1f} audited answers expected to speak of it, fewer than {EXPECT}; exact limits" if exact else "",
    }  # fmt: skip


def clopper(share, n, *, level=0.95):
    """The exact interval of a proportion (Clopper & Pearson 1934; share and n may be effective): 0 of 20 -> [0, .168433]."""
    share, n = np.asarray(share, float), np.asarray(n, float)
    found, tail = np.clip(share, 0, 1) * n, (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(found > 1e-12, stats.beta.ppf(tail, np.maximum(found, 1e-12), n - found + 1), 0.0)
        high = np.where(n - found > 1e-12, stats.beta.ppf(1 - tail, found + 1, np.maximum(n - found, 1e-12)), 1.0)
    return low, high


def _cells(marks: pd.DataFrame, people: pd.Index) -> dict:
    """(topic, polarity) -> a vector over the answers: 1 where it is said (people: the share of coders who say so)."""
    places, found = people.get_indexer(marks["response_id"]), {}
    own = marks.assign(place=places)[places >= 0]
    for key, part in own.groupby(["topic", "polarity"], sort=False):
        found[key] = np.zeros(len(people))
        found[key][part["place"].to_numpy()] = part["share"].to_numpy(float)
    return found
