"""What would change the answer: the same driver model with another outcome, another base, other weights, other moments, and by groups of attributes."""

import numpy as np
import pandas as pd

from cxlib.load import bases
from cxlib.measure import asymmetry, dominance, drivers, halo, metrics, missing, models, ordinal, scales
from cxlib.measure.moments import Answers

ENOUGH = 5  # answers a driver and more, or a variant's base is too small to compare

WAYS = {
    "shown": "as shown", "class": "the figure's classes instead of the score", "logit": "the same classes by ordered logit, complete answers only", "complete": "complete answers only", "em": "gaps by maximum likelihood",
    "unweighted": "without weights", "top": "without those who gave the top score", "flat": "without those who rated every attribute alike",
    "accounts": "every account counted once", "previous": "the wave before",
}  # fmt: skip


def every(tables, *, seed: int = 1) -> pd.DataFrame:
    """Fit each model again in other ways: survey, wave, kpi, variant (a key of WAYS), driver, estimate (part of the fit), share, rank, r2, n, note.

    The classes are the promoters, passives and detractors of a Net Promoter Score, or the top boxes of a share: their values by the same cross-products, and
    by the proportional-odds model, which needs complete answers.
    A variant that changes nothing (no gaps, weights all 1, nobody alike) is left out.
    """
    def made(frame, one):
        rated = frame[[*one.items, one.item]]
        live = [item for item in one.items if frame[item].notna().any()]
        top = tables.programme.scales[tables.programme.item(one.item).scale].high
        gaps = bool(frame.loc[frame[one.item].notna(), live].isna().any().any())
        alike = rated[live].nunique(axis=1).eq(1) & (rated[live].notna().sum(axis=1) >= 4)
        plain = lambda own, weight="weight": drivers.resample(own, kpi=one.item, drivers=one.items, weight=weight, methods=("shapley",), replicates=0)
        what = metrics.definition_of(one.definition)
        found = {"shown": plain(frame)}
        if what.unit != "scale":
            scored = frame.assign(**{one.item: np.where(frame[one.item].notna(), what.value(frame[one.item]), np.nan)})
            found["class"] = plain(scored)
            found["logit"] = ordinal.resample(scored, kpi=one.item, drivers=one.items, weight="weight", replicates=0, seed=seed)
        if gaps:
            found["complete"] = plain(frame[rated[[*live, one.item]].notna().all(axis=1)])
            likely = missing.correlations(frame, columns=[*one.items, one.item], weight="weight")
            found["em"] = dominance.shapley(likely, kpi=one.item).rename(columns={"estimate": "shapley"}).assign(n=found["shown"]["n"].to_numpy())
        if frame["weight"].nunique() > 1:
            found["unweighted"] = plain(frame, None)
        if (frame[one.item] == top).any():
            found["top"] = plain(frame[frame[one.item] != top])
        if alike.any():
            found["flat"] = plain(frame[~alike])
        if (frame["account_id"].notna() & frame["account_id"].duplicated(keep=False)).any():
            account = frame["account_id"].astype(object).where(frame["account_id"].notna(), frame["answer"])
            found["accounts"] = plain(frame.assign(weight=frame["weight"] / frame["weight"].groupby(account).transform("sum")))
        older, _ = models.answers(tables, one.survey, back=1)
        if len(older) and older[one.item].notna().any():
            found["previous"] = plain(bases.upward(older, tables.programme, one.items))
        parts = []
        for variant, own in found.items():
            own = own.assign(estimate=own["shapley"].where(own["n"] > ENOUGH * len(live)))
            own["share"] = own["estimate"] / own["r2"].where(own["r2"] > 0)
            own["rank"] = own["estimate"].rank(ascending=False, method="min")
            own.loc[own["estimate"].isna() & (own["note"] == ""), "note"] = "not estimable (hardly more answers than attributes)"
            parts.append(own[["driver", "estimate", "share", "rank", "r2", "n", "note"]].assign(variant=variant))
        return pd.concat(parts, ignore_index=True)

    return models.each(tables, made)


def compare(found: pd.DataFrame) -> pd.DataFrame:
    """Say of each variant how far its order is from the one shown: survey, wave, kpi, variant, n, r2, first (driver), same_first, common_top3, rank_correlation (Spearman), moved (the driver whose
    share changes most), change (of its share of the fit).
    """
    rows = []
    for key, own in found.groupby(models.KEYS, sort=False):
        wide = own.pivot(index="driver", columns="variant", values="share")
        shown = wide["shown"].dropna()
        if len(shown) < 2:
            continue
        for variant in [name for name in WAYS if name in wide and name != "shown"]:
            other = wide[variant].reindex(shown.index)
            one = own[own["variant"] == variant]
            if other.isna().any():
                rows.append((*key, variant, int(one["n"].max()), np.nan, "", 0, 0, np.nan, "", np.nan))
                continue
            top = [set(part.nlargest(3).index) for part in (shown, other)]
            gap = (other - shown).abs()
            rows.append((*key, variant, int(one["n"].max()), one["r2"].iloc[0], other.idxmax(), int(other.idxmax() == shown.idxmax()), len(top[0] & top[1]), shown.rank().corr(other.rank()), gap.idxmax(), (other - shown)[gap.idxmax()]))
    return pd.DataFrame(rows, columns=[*models.KEYS, "variant", "n", "r2", "first", "same_first", "common_top3", "rank_correlation", "moved", "change"])


def groups(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Share the fit out among groups of attributes that measure one thing, and within them: survey, wave, kpi, group, driver ("" for the group), estimate, conf_low, conf_high (groups), share, r2,
    p_top1, items, alpha, alpha_low, alpha_high, omega (reliability of the group), n, n_eff, note. Empty where fewer than two groups are declared. An attribute without a group is one of its own.
    """

    def made(frame, one):
        names = {item: tables.programme.item(item).group or item for item in one.items}
        if len(set(names.values())) in (1, len(names)):
            return None
        answers = Answers(frame, one.item, one.items, "weight")
        matrix, _, _ = answers.point()
        out = drivers.grouped(pd.DataFrame(matrix, index=[*one.items, one.item], columns=[*one.items, one.item]), names, kpi=one.item)
        kept, _ = dominance.estimable(matrix, one.items)
        whole = out["driver"] == ""
        live = [name for name in out.loc[whole & out["estimate"].notna(), "group"]]
        n, n_eff = answers.bases()
        for name in ("conf_low", "conf_high", "p_top1", "alpha", "alpha_low", "alpha_high", "omega"):
            out[name] = np.nan
        out["items"], out["n"], out["n_eff"] = [len([i for i in one.items if names[i] == g]) if not d else 1 for g, d in zip(out["group"], out["driver"])], int(n.min()), float(n_eff.min())
        if len(live) > 1 and replicates:
            many, _, _ = answers.replicates(replicates, seed=seed, **{name: [frame[c].astype(str).to_numpy() for c in part] if name == "margins" else frame[part].astype(str).to_numpy() for name, part in one.design.items() if part})
            pick = np.array([*kept, len(one.items)])
            fine = many[:, pick[:, None], pick]
            fine = fine[np.isfinite(fine).all(axis=(1, 2))]
            rest = dominance.by_group(fine, [[k for k, j in enumerate(kept) if names[one.items[j]] == name] for name in live])
            rows = out.index[whole & out["group"].isin(live)]
            out.loc[rows, "conf_low"], out.loc[rows, "conf_high"] = drivers.limits(out.loc[rows, "estimate"].to_numpy(), rest, n_eff=n_eff.min(), used=len(kept), positive=True)
            out.loc[rows, "p_top1"] = (rest.argmax(axis=1)[:, None] == np.arange(len(live))).mean(axis=0)
        for row in out.index[whole & (out["items"] > 1)]:
            found = scales.reliability(frame, items=[i for i in one.items if names[i] == out.loc[row, "group"]], weight="weight", replicates=0, seed=seed).set_index("measure")
            out.loc[row, ["alpha", "alpha_low", "alpha_high", "omega"]] = *found.loc["alpha", ["estimate", "conf_low", "conf_high"]], found.loc["omega", "estimate"]
        return out

    return models.each(tables, made)


def moods(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the halo check of each model: survey, wave, kpi, then what `halo.common` returns."""
    return models.each(tables, lambda frame, one: halo.common(frame, kpi=one.item, drivers=one.items, weight="weight", **one.design, replicates=replicates, seed=seed))


def inseparable(tables) -> pd.DataFrame:
    """Return the pairs of attributes that cannot be separated: survey, wave, kpi, then what `halo.inseparable` returns."""
    found = models.each(tables, lambda frame, one: halo.inseparable(frame, kpi=one.item, drivers=one.items, weight="weight"))
    return found.assign(inflation=found["inflation"].where(np.isfinite(found["inflation"]))) if len(found) else found


def unequal(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return penalties and rewards of each attribute (`asymmetry.contrasts`) and whether a high KPI ever goes with a poor rating (necessary_size, necessary_p, unweighted).

    Poor are the lowest two fifths of the scale's steps (1 and 2 of 5), best is its top score. The KPI counts in units of its score.
    """

    def made(frame, one):
        scale = tables.programme.scales[tables.programme.item(one.items[0]).scale]
        kpi = tables.programme.scales[tables.programme.item(one.item).scale]
        low = scale.low + np.floor(0.4 * (scale.high - scale.low + 1)) - 1
        found = asymmetry.contrasts(frame, kpi=one.item, drivers=one.items, low=low, high=scale.high, weight="weight", **one.design, replicates=replicates, seed=seed)
        ceiling = asymmetry.necessary(frame, kpi=one.item, drivers=one.items, kpi_range=(kpi.low, kpi.high), replicates=199, seed=seed)
        return found.assign(necessary_size=ceiling["estimate"], necessary_p=ceiling["p"])

    return models.each(tables, made)
