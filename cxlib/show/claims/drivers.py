"""What the driver study says: which attributes go with a KPI, how sure their order is, and what to fix first."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "02_annual_drivers"
SURE = 0.8  # share of replicates from which an attribute is named as one to fix first


def asked(kpi, wave: pd.DataFrame, programme) -> str:
    """Say which question is explained, in which wave, and how many answered it."""
    n = int(wave[kpi.item].notna().sum())
    survey = programme.label(wave["survey"].iloc[0])
    return f"{programme.label(kpi.id)}: \u201c{programme.item(kpi.item).wording}\u201d was answered by {prose.number(n)} of {prose.plural(len(wave), 'respondent')} ({survey}, wave {wave['wave'].iloc[0]}, {wave['quarter'].iloc[0]})."


def order(importance: pd.DataFrame) -> str:
    """Say how much the attributes explain, which come first, and how far their order is established (one KPI, names in words)."""
    ranked = importance[importance["method"] == "shapley"].dropna(subset=["share"]).sort_values("estimate", ascending=False)
    if ranked.empty:
        return f"{importance['kpi'].iloc[0]}: no attribute can be ranked ({importance['note'].iloc[0] or 'no answers'})."
    first = ranked.iloc[0]
    opening = (
        f"Together the {prose.plural(len(ranked), 'attribute')} explain {prose.percent(first['r2'])} of the differences in {first['kpi']} "
        f"(95 % interval {prose.interval(first['r2_low'], first['r2_high'], 'percent')})."
    )
    top = ranked[ranked["rank_low"] == 1]
    if len(top) == 1:
        return f"{opening} {first['driver']} comes first ({_share(first)}); its first place is established."
    names = prose.join(f"{row['driver']} ({prose.percent(row['estimate'])}, {prose.interval(row['conf_low'], row['conf_high'], 'percent')})" for row in top.head(4).to_dict("records"))
    more = f" and {prose.plural(len(top) - 4, 'other')}" if len(top) > 4 else ""
    return f"{opening} Which comes first is not established: {names}{more} may each be first."


def agreement(found: pd.DataFrame) -> str:
    """Say whether the four methods name the same attributes."""
    pair = found[(found["method_a"] == "johnson") & (found["method_b"] == "shapley")]
    low = found.sort_values("rank_correlation").iloc[0] if len(found) else None
    if low is None or low["rank_correlation"] != low["rank_correlation"]:
        return "There are too few attributes to compare the methods."
    same = "name the same first attribute" if found["same_first"].all() else "do not all name the same first attribute"
    return f"The four methods {same}; their orders agree with a rank correlation of at least {prose.number(low['rank_correlation'], digits=2)}{f', Johnson and Shapley with {prose.number(pair.iloc[0].rank_correlation, digits=2)}' if len(pair) else ''}."


def priorities(found: pd.DataFrame, relevant: set) -> str:
    """Say what to fix first for one KPI: attributes that matter at all, are important and are rated below the average of the attributes."""
    sure = found[(found["p_fix_first"] >= SURE) & found["driver"].isin(relevant)].sort_values("p_fix_first", ascending=False)
    if sure.empty:
        return f"{found['kpi'].iloc[0]}: no attribute is surely both important and weak; there is nothing that stands out to fix first."
    named = prose.join(f"{row.driver} (rated {prose.number(row.performance, digits=2)}, in {prose.probability(row.p_fix_first)} replicates)" for row in sure.itertuples())
    return f"{found['kpi'].iloc[0]}: fix first {named}."


def rows(importance: pd.DataFrame, found: pd.DataFrame, relevance: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the study's claims: for each KPI the attribute that goes with it most, and the one to fix first, each with its permutation test."""
    made = []
    for place, kpi in enumerate(dict.fromkeys(importance["kpi"])):
        name = programme.label(kpi)
        ranked = importance[(importance["kpi"] == kpi) & (importance["method"] == "shapley")].dropna(subset=["share"]).sort_values("estimate", ascending=False)
        if ranked.empty:
            continue
        first = ranked.iloc[0].to_dict()
        base = f"{prose.base(first['n'], first['n_eff'])}, wave {first['wave']}"
        text = f"{programme.label(first['driver'])} is most strongly associated with {name}: it accounts for {prose.percent(first['estimate'])} of the differences between respondents (95 % interval {prose.interval(first['conf_low'], first['conf_high'], 'percent')})."
        null = f"No attribute could be shown to go with {name}."
        made.append(_claim(f"drivers.{kpi}.first", text, null, first, relevance, kpi, base, rank=2 + place / 10))
        fix = found[(found["kpi"] == kpi) & (found["p_fix_first"] >= SURE)].sort_values("importance", ascending=False)
        if len(fix):
            row = fix.iloc[0].to_dict()
            text = f"Fix first for {name}: {programme.label(row['driver'])}, important and rated {prose.number(row['performance'], digits=2)}, below the attributes' mean (so in {prose.probability(row['p_fix_first'])} replicates)."
            limits = {"estimate": row["importance"], "conf_low": row["importance_low"], "conf_high": row["importance_high"], "n": row["n"], "n_eff": row["n_eff"]}
            made.append(_claim(f"drivers.{kpi}.fix", text, f"For {name} nothing stands out to fix first.", row | limits, relevance, kpi, base, rank=3 + place / 10, action=True))
    return claims.frame(made)


def _share(row) -> str:
    return f"{prose.percent(row['estimate'])} of the differences between respondents, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}"


def _claim(claim_id, text, null, row, relevance, kpi, base, *, rank, action=False):
    test = relevance[(relevance["kpi"] == kpi) & (relevance["driver"] == row["driver"])].iloc[0].to_dict()
    return claims.claim(claim_id, STUDY, text, text_null=null, row=row, unit="part of R2", base=base, p=test["p"], test_id=claims.test_id(STUDY, test, ["kpi", "driver"]), rank=rank, action=action)
