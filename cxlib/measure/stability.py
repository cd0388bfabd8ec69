"""Whether a threshold holds: in every part of the customers that is declared, over time, on the scores as ticked, and whether there is another beside it.

A part has fewer customers than all, so that it need not show the threshold alone; what counts is whether the parts contradict each other, and of many cuts some would by chance.
Sources: Cameron, Gelbach & Miller (2008), REStat 90, 414-427 (the test of equal changes: a chi-square claimed a difference in 10 of 100 worlds without one, where spend is skewed); Holm (1979), Scand. J. Statistics 6, 65-70 (over the cuts).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cxlib.measure import chain, thresholds, waves, wild

LEAST = 100  # customers in a part of which something is told
TIMES = ("year", "quarter")
COLUMNS = ["group", "by", "value", *thresholds.COLUMNS, "same", "common", "common_low", "common_high", "p_same", "p_same_holm"]
SECOND = ["group", "order", "shape", "estimate", "change", "p", "n", "note"]


def cuts(rows: pd.DataFrame, tables, *, survey: str) -> dict[str, pd.Series]:
    """Return what the answers can be cut by, as columns of the rows by name: year and quarter of the answer, brand and country, and each declared segment (its id) of the answers, the customer file or the accounts.

    Left out are cuts by staff, by form of contract (looked at one by one already), and those with one value.
    """
    programme, own = tables.programme, tables["responses"].query("survey == @survey").drop_duplicates("answer").set_index("answer")
    found = {name: rows[name] for name in (*TIMES, "brand", "country")}
    people = tables["people"].drop_duplicates("person_id").set_index("person_id")
    for segment in programme.segments:
        if segment.field in ("contract", *found) or segment.id in waves.staff_cuts(programme):
            continue
        if segment.table == "responses" and segment.field in own:
            found[segment.id] = rows["answer"].map(own[segment.field])
        elif segment.table == "people" and segment.field in people:
            found[segment.id] = rows["person_id"].map(people[segment.field])
        elif segment.table == "accounts" and "accounts" in tables and segment.field in tables["accounts"]:
            accounts = tables["accounts"].drop_duplicates("account_id").set_index("account_id")
            found[segment.id] = rows["person_id"].map(people["account_id"]).map(accounts[segment.field])
    return {name: column for name, column in found.items() if column.nunique() > 1}


def checked(rows: pd.DataFrame, lasting: thresholds.Lasting | None, found: pd.DataFrame, cuts: dict[str, pd.Series], *, replicates: int = 199, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return whether each threshold of spend that is shown holds in every part, and whether there is another: frames with group; empty where none is shown.

    The first: for each cut and each of its parts with 100 customers what `parts` returns (quarters: the change at the common place only), p_same_holm (over the cuts of the group), for smaller parts a note and nothing else; and the scores as ticked
    (by "measure", nothing known of the mood). The second has the columns of `thresholds.another`.
    """
    made, more = [], []
    shown = found[(found["outcome"] == "spend") & (found["p_holm"] <= 0.05)]
    for group in shown["group"]:
        own, at = rows[rows["group"] == group], shown[shown["group"] == group]
        known, options = chain.of(lasting, own), {"x": "standing", "y": "spend", "cluster": "person_id", "weight": "weight", "seed": seed}
        more.append(thresholds.another(own, first=at, lasting=known, replicates=replicates, **options).assign(group=group))
        for by, column in cuts.items():
            made.append(parts(own.assign(part=column.reindex(own.index)), by="part", at=at, lasting=known, least=LEAST, anew=by != "quarter", replicates=replicates, **options).assign(by=by, group=group))
        if lasting is not None:
            ticked, place = thresholds.find(own, replicates=replicates, **options | {"x": "score"}), at["estimate"].iloc[0]
            made.append(ticked.assign(by="measure", value="scores as ticked", group=group, same=(ticked["conf_low"].le(place) & ticked["conf_high"].ge(place)).astype(float)))
    out = pd.concat([one.reindex(columns=COLUMNS) for one in made if len(one)], ignore_index=True) if any(len(one) for one in made) else pd.DataFrame(columns=COLUMNS)
    return out.assign(p_same_holm=_holm(out)), pd.concat(more, ignore_index=True) if more else pd.DataFrame(columns=SECOND)


def _holm(found: pd.DataFrame) -> pd.Series:
    """p_same over the cuts of each group."""
    adjusted = pd.Series(np.nan, index=found.index, dtype=float)
    for _, own in found[found["p_same"].notna()].groupby("group"):
        p = own.groupby("by")["p_same"].first().sort_values(kind="stable")
        adjusted[own.index] = own["by"].map((p * np.arange(len(p), 0, -1)).cummax().clip(upper=1.0))
    return adjusted


def parts(frame: pd.DataFrame, *, x: str, y: str, by: str, at: pd.DataFrame, cluster: str | None = None, weight: str | None = None, lasting: thresholds.Lasting | None = None, least: int = thresholds.FEWEST, anew: bool = True, trim: float = 0.1, replicates: int = thresholds.REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Say whether a threshold holds in every part: found anew in each, and the change at the common place part by part.

    `by` names the parts (a segment, a year), `at` what `thresholds.find` returned of all. out, a row a part: value, what `find` returns (without `anew` its n and customers only), same (its interval holds the common place),
    common, common_low, common_high (the change at the common place in this part), p_same (the parts do not differ there: a Wald test with customers as clusters, the same in every row). A part of fewer than `least` customers has a note.
    """
    start, made = at.iloc[0], []
    there = frame[[x, y, by]].notna().all(axis=1).to_numpy()
    rows = frame[there].reset_index(drop=True)
    rows[by] = rows[by].astype(str)
    known = None if lasting is None else lasting.known[there]
    for value, own in rows.groupby(by, sort=True):
        customers = int(own[cluster].nunique()) if cluster else len(own)
        row = pd.DataFrame([dict.fromkeys(thresholds.COLUMNS, np.nan) | {"n": len(own), "n_eff": float(customers), "customers": customers, "levels": int(own[x].nunique()), "shape": "", "note": ""}])
        if customers < least:
            row["note"] = f"not estimable ({customers:,} customers; {least} are needed)"
        elif anew:
            row = thresholds.find(own, x=x, y=y, cluster=cluster, weight=weight, lasting=None if known is None else lasting._replace(known=known[own.index]), trim=trim, replicates=replicates, seed=seed)
            row["same"] = ((row["conf_low"] <= start["estimate"]) & (start["estimate"] <= row["conf_high"])).astype(float).where(row["note"] == "")
        made.append(row.assign(value=value))
    names = ["value", *thresholds.COLUMNS, "same", "common", "common_low", "common_high", "p_same"]
    if not made:
        return pd.DataFrame(columns=names)
    out = pd.concat(made, ignore_index=True).reindex(columns=names)
    broken = lambda scale: np.maximum(scale - start["estimate"], 0.0) if start["shape"] == "hinge" else (scale > start["estimate"]).astype(float)
    z = broken(rows[x].to_numpy(float)) if known is None else known @ broken(lasting.scale)
    return out.assign(**_common(rows, z, x, y, by, start, cluster, weight, out["value"].where(out["customers"] >= least), replicates=replicates, seed=seed))


def _common(rows, z, x, y, by, start, cluster, weight, values, *, replicates: int, seed: int) -> dict:
    """The change at the common place in each part with its interval, and whether it is the same in all."""
    if start["note"]:
        return {name: np.nan for name in ("common", "common_low", "common_high", "p_same")}
    w = rows[weight].to_numpy(float) if weight else np.ones(len(rows))
    who = pd.factorize(rows[cluster], sort=True)[0] if cluster else np.arange(len(rows))
    fits = [_part(rows[x].to_numpy(float)[mine], z[mine], rows[y].to_numpy(float)[mine], w[mine], who[mine]) if (mine := (rows[by] == value).to_numpy()).any() else None for value in values]
    change = np.array([fit.change if fit else np.nan for fit in fits])
    half = np.array([stats.t.ppf(0.975, max(len(np.unique(fit.who)) - 1, 1)) * np.sqrt((fit.pulled(fit.error) ** 2).sum()) if fit else np.nan for fit in fits])
    live = [fit for fit in fits if fit]
    return {"common": change, "common_low": change - half, "common_high": change + half, "p_same": _alike(live, int(who.max(initial=-1)) + 1, replicates=replicates, seed=seed) if len(live) > 1 else np.nan}


class Part(NamedTuple):
    """The line with a break at a known place in one part."""

    change: float
    left: np.ndarray  # of the break, once the line is out of it, over its sum of squares and by its weight: what a residual pulls the change by
    columns: np.ndarray
    inverse: np.ndarray
    weight: np.ndarray
    error: np.ndarray
    who: np.ndarray
    scale: float  # of the last of the inverse: how sure the change is

    def pulled(self, error: np.ndarray, size: int | None = None) -> np.ndarray:
        """What each customer pulls the change by, for residuals (answers, or answers x replicates)."""
        customers = len(np.unique(self.who))
        terms = (self.left * error.T).T
        sums = sparse.csr_array((np.ones(len(self.who)), (self.who, np.arange(len(self.who)))), shape=(size or self.who.max() + 1, len(self.who))) @ terms
        return sums * np.sqrt(customers / max(customers - 3, 1))


def _part(x, z, y, w, who) -> Part | None:
    columns = np.column_stack([np.ones(len(z)), x, z])
    inverse = np.linalg.pinv((columns * w[:, None]).T @ columns, hermitian=True)
    if len(np.unique(who)) <= thresholds.FEWEST or not np.ptp(z) > 0 or not inverse[2, 2] > 1e-12:
        return None
    coefficients = inverse @ (columns.T @ (w * y))
    return Part(float(coefficients[2]), (columns @ inverse[2]) * w, columns, inverse, w, y - columns @ coefficients, who, float(inverse[2, 2]))


def _alike(parts: list[Part], customers: int, *, replicates: int, seed: int) -> float:
    """p of the Wald test that all parts change alike, against the same test of residuals whose signs are drawn by customer while the change is one (a studentised wild cluster bootstrap); by F where customers are very many."""
    change, sure = np.array([part.change for part in parts]), np.array([1 / part.scale for part in parts])
    one = change @ sure / sure.sum()
    seen = float(_wald(change[:, None], np.stack([part.pulled(part.error, customers) for part in parts])[:, :, None])[0])
    if customers > wild.FLIPPED:
        return float(stats.f.sf(seen / (len(parts) - 1), len(parts) - 1, customers))
    rng, drawn, each = np.random.default_rng(seed), [], max(1, min(replicates, 4_000_000 // (customers * len(parts))))
    for begin in range(0, replicates, each):
        signs = rng.integers(0, 2, size=(customers, min(each, replicates - begin)), dtype=np.int8) * 2.0 - 1.0
        drawn.append(_wald(*map(np.stack, zip(*(_drawn(part, one, signs) for part in parts), strict=True))))
    return float((1 + (np.concatenate(drawn) >= seen - 1e-9 * abs(seen)).sum()) / (replicates + 1))


def _drawn(part: Part, one: float, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The change of a part, and what customers pull it by, where the change is the same everywhere and the rest has signs that were drawn (customers x replicates)."""
    error = (part.error + (part.change - one) * part.left / (part.scale * part.weight))[:, None] * signs[part.who]
    left = error - part.columns @ (part.inverse @ (part.columns.T @ (part.weight[:, None] * error)))
    return part.left @ error, part.pulled(left, len(signs))


def _wald(change: np.ndarray, pulls: np.ndarray) -> np.ndarray:
    """Wald's statistic of no difference between parts, for each replicate: changes (parts x replicates), pulls (parts x customers x replicates)."""
    apart, off = change[1:] - change[0], pulls[1:] - pulls[0]
    covariance = np.einsum("pcr,qcr->rpq", off, off, optimize=True)
    return np.einsum("pr,rpq,qr->r", apart, np.linalg.pinv(covariance, hermitian=True), apart)
