"""Correction: shares of topics, and what they have to do with the KPI, freed of the coder's mistakes by an audit, with an interval that holds both what the sample and what the coder leave open."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.text import prevalence
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


def impact(raw: pd.DataFrame, coded: pd.DataFrame, audited: pd.DataFrame, people: pd.DataFrame, *, kpi: str = "nps", level: float = 0.95) -> pd.DataFrame:
    """Correct what topics have to do with the KPI in one survey and quarter by its audit (prediction-powered inference, tuned for power).

    in: raw, rows of `prevalence.impact`; coded and audited as in `shares`, of which polarity "any" counts; people, every commenter with a score: response_id, value (-100, 0, 100 with kpi="nps", 0 or 1 with "share", else the score), weight, unit, probability and known as in `shares`.
    Audited answers get weights 1/probability, calibrated so that f, the value v and f times v add up over them as over everybody, f being the coder's word; those coded for training count as they are. With these weights c and
    y, the word of people: those who mention it have the KPI sum(c y v) / sum(c y), the others sum(c (1 - y) v) / sum(c (1 - y)); the estimate is the KPI of all less that of the others. This is PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453) with
    a power tuned for each of the three, in other words the generalised regression estimator of surveys (Deville & Sarndal 1992, J. Am. Stat. Assoc. 87: 376): a coder who knows nothing costs nothing, and one who errs by the score no longer bends the link.
    The variance has two phases (Sarndal, Swensson & Wretman 1992, ch. 9): of the answers, and of what the audit leaves open beyond f and v (HC3); it is never less than if people had coded everything. Limits and p are
    those of t with the effective number of audited answers on the smaller side, less one, as degrees of freedom.

    out: raw with estimate, std_error, conf_low, conf_high, p, share, kpi_with, kpi_rest corrected and note empty; uncorrected (the estimate as the coder codes), audit_n (audited answers with a score), indicative (True: stands as the
    coder codes, because fewer than ten audited answers in effect mention it, or fewer than ten do not).
    """
    people = people.set_index("response_id")
    known = people["known"].to_numpy(bool)
    audit = people["probability"].notna().to_numpy() & ~known
    raw = raw.assign(uncorrected=raw["estimate"], audit_n=int(audit.sum()), indicative=True)
    if audit.sum() < FEWEST:
        return raw
    of_coder, of_people = _cells(coded.assign(share=1.0), people.index), _cells(audited, people.index)
    nothing = np.zeros(len(people))
    rows = [row | _linked(of_coder.get((row["topic"], "any"), nothing), of_people.get((row["topic"], "any"), nothing), people, known, audit, kpi, level) for row in raw.to_dict("records")]
    return pd.DataFrame(rows, columns=raw.columns)


def _linked(f, y, people, known, audit, kpi, level) -> dict:
    """One topic's link to the KPI by what people say of its audit; nothing where they say it of too few."""
    value, weight, probability = (people[name].to_numpy(float) for name in ("value", "weight", "probability"))
    spread = (value - value.mean()) / (value.std() or 1.0)
    x = np.column_stack([np.ones(len(f)), f, spread, f * spread])
    base, own = weight[audit] / probability[audit], x[audit]
    inverse = np.linalg.pinv((own * base[:, None]).T @ own, hermitian=True)
    c = np.where(known, weight, 0.0)
    c[audit] = base * (1 + own @ inverse @ (weight[~known] @ x[~known] - base @ own))
    inside, outside, total = c * y, c * (1 - y), weight.sum()
    fewest = min((side[audit].sum() ** 2 / (side[audit] ** 2).sum() if min(side.sum(), side[audit].sum()) > 0 else 0.0) for side in (inside, outside))
    if fewest < EXPECT:
        return {}
    share, all_, with_, rest = inside.sum() / total, weight @ value / total, inside @ value / inside.sum(), outside @ value / outside.sum()
    n_eff, said = total**2 / (weight**2).sum(), f > 0
    least = sum(prevalence.mean(value, side, part * n_eff, kpi)[1] for side, part in ((inside, share), (outside, 1 - share)))
    together = prevalence.alike(value, weight, said, pd.factorize(people["unit"])[0]) if said.any() and not said.all() else 1.0
    variance = []
    for reach in (y * (value - with_) / inside.sum() - (1 - y) * (value - rest) / outside.sum(), (value - all_) / total - (1 - y) * (value - rest) / outside.sum()):
        left = reach[audit] - own @ (inverse @ ((own * base[:, None]).T @ reach[audit]))
        left = left / np.clip(1 - base * np.einsum("ij,jk,ik->i", own, inverse, own), 0.01, 1)
        variance.append((c * weight) @ reach**2 * together + (1 - probability[audit]) @ (c[audit] * left) ** 2)
    apart, error = np.sqrt(max(variance[0], least * together)), np.sqrt(max(variance[1], share**2 * least * together))
    reach, estimate = stats.t.ppf(0.5 + level / 2, fewest - 1) * error, all_ - rest
    return {
        "estimate": estimate, "std_error": error, "conf_low": estimate - reach, "conf_high": estimate + reach, "p": float(2 * stats.t.sf(abs(with_ - rest) / apart, fewest - 1)) if apart > 0 else np.nan,
        "share": share, "kpi_with": with_, "kpi_rest": rest, "indicative": False, "note": "",
    }  # fmt: skip


def associations(raw: pd.DataFrame, coded: pd.DataFrame, audited: pd.DataFrame, people: pd.DataFrame, held: list, *, level: float = 0.95) -> pd.DataFrame:
    """Correct how far those who mention a topic differ, with what else they mention and `held` constant, by the audits of a survey (prediction-powered least squares, tuned for power).

    in: raw, rows of `prevalence.associations` in polarity "any"; coded, audited and people as in `impact`, people of the audited quarters only, whose `held` columns (`prevalence.held`) are in their order.
    Least squares of the value on what people say, weights 1/probability; each slope is then moved by what its influence on the coder's word tells: slope_y + lambda (mean over all of phi_f - mean over the audit of phi_f), phi_f the influence of an answer on the
    slope where the coder's word stands for people's and lambda the regression of phi_y on phi_f in the audit (the one-step estimator of PPI++, Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453, with lambda by coordinate). Variance, limits and p as in `impact`.
    A topic that too few audited answers mention stays in the model as the coder codes it, and its row is left as it was; so are all where the audit has less than five answers for each column.

    out: raw with estimate, std_error, conf_low, conf_high, p, n and n_eff corrected; uncorrected, audit_n, indicative as in `impact`.
    """
    raw, people = raw.assign(uncorrected=raw["estimate"], audit_n=0, indicative=True), people.set_index("response_id")
    known, value, weight, probability = people["known"].to_numpy(bool), *(people[name].to_numpy(float) for name in ("value", "weight", "probability"))
    audit, places = ~np.isnan(probability) & ~known, np.flatnonzero(raw["estimate"].notna())
    of_coder, of_people, nothing = _cells(coded.assign(share=1.0), people.index), _cells(audited, people.index), np.zeros(len(people))
    keys = [(topic, "any") for topic in raw["topic"].iloc[places]]
    c = np.where(audit, weight / np.where(audit, probability, 1.0), np.where(known, weight, 0.0))
    said = [np.where(audit | known, of_people.get(key, nothing), 0.0) for key in keys]
    enough = [min((c[audit] @ side) ** 2 / max(c[audit] ** 2 @ side, 1e-300) for side in (y[audit], 1 - y[audit])) for y in said]
    f = np.column_stack([*held, *(of_coder.get(key, nothing) for key in keys)])
    y = np.column_stack([*held, *(one if size >= EXPECT else of_coder.get(key, nothing) for key, one, size in zip(keys, said, enough))])
    seen = audit | known
    if audit.sum() < max(FEWEST, 5 * y.shape[1]) or min(np.linalg.matrix_rank(y[seen]), np.linalg.matrix_rank(f)) < y.shape[1]:
        return raw
    (slope, reach, leverage), (_, guessed, _) = _influence(y, value, c), _influence(f, value, weight)
    unit, z = pd.factorize(people["unit"])[0], len(held)
    for at, (place, size) in enumerate(zip(places, enough)):
        if size < EXPECT:
            continue
        phi, twin = reach[:, z + at], guessed[:, z + at] / (guessed[:, z + at].std() or 1.0)
        x = np.column_stack([np.ones(len(people)), twin])
        base, own = c[audit], x[audit]
        inverse = np.linalg.pinv((own * base[:, None]).T @ own, hermitian=True)
        moved = inverse @ ((own * base[:, None]).T @ phi[audit])
        left = (phi[audit] - own @ moved) / np.clip(1 - leverage[audit] - base * np.einsum("ij,jk,ik->i", own, inverse, own), 0.05, 1)
        together = max((np.bincount(unit, weights=weight * guessed[:, z + at]) ** 2).sum() / max(((weight * guessed[:, z + at]) ** 2).sum(), 1e-300), 1.0)
        error = float(np.sqrt((c * weight) @ phi**2 * together + (1 - probability[audit]) @ (base * left) ** 2))
        estimate = float(slope[z + at] + (weight[~known] @ x[~known] - base @ own) @ moved)
        wide = stats.t.ppf(0.5 + level / 2, size - 1) * error
        told = {"estimate": estimate, "std_error": error, "conf_low": estimate - wide, "conf_high": estimate + wide, "p": float(2 * stats.t.sf(abs(estimate) / error, size - 1)) if error > 0 else np.nan,
                "n": len(people), "n_eff": weight.sum() ** 2 / (weight**2).sum(), "audit_n": int(audit.sum()), "indicative": False}  # fmt: skip
        raw.loc[raw.index[place], list(told)] = list(told.values())
    return raw


def _influence(x, value, weight):
    """Slopes of weighted least squares, what an answer of weight one would move each by, and the leverages."""
    inverse = np.linalg.pinv((x * weight[:, None]).T @ x, hermitian=True)
    slope = inverse @ ((x * weight[:, None]).T @ value)
    return slope, (x @ inverse) * (value - x @ slope)[:, None], weight * np.einsum("ij,jk,ik->i", x, inverse, x)


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
