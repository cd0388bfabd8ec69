"""What would change the driver study's answer: another outcome, base or method; constructs and mood; segments and the last survey."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import constructs, drivers

WAYS = {
    "class": "classes instead of scores", "logit": "classes by ordered logit on complete answers", "complete": "complete answers only", "em": "gaps filled by maximum likelihood", "unweighted": "no weights",
    "top": "those with the top score left out", "flat": "those who rated every attribute alike left out", "accounts": "every account counted once", "previous": "the wave before",
}  # fmt: skip


def said(compared: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI which other choices would put another attribute first or change the first three, and which would not."""
    lines = []
    for model, own in drivers.models(compared.dropna(subset=["rank_correlation"]), programme):
        kept = own[own["same_first"] == 1]
        other = own[own["same_first"] == 0]
        text = f"{model}: {prose.number(len(kept))} of {prose.plural(len(own), 'other choice')} put the same attribute first" + (f" ({prose.join([WAYS[name] for name in kept['variant']])})" if len(kept) else "")
        for first, rows in other.groupby("first", sort=False):
            text += f"; {programme.label(first)} comes first in {prose.number(len(rows))} ({prose.join([WAYS[name] for name in rows['variant']])})"
        low, three = own.loc[own["rank_correlation"].idxmin()], (own["common_top3"] == 3).sum()
        few = own["common_top3"].max() < 3 and (own["rank_correlation"].abs() > 0.999).all()  # two attributes: there is no third, and an order is the same or turned round
        text += f". The first three are the same in {prose.number(three)}" if not few else ""
        if few or low["rank_correlation"] > 0.995:
            turned = int((own["rank_correlation"] < 0).sum())
            lines.append(f"{text}. The order is {'the same in every one' if not turned else f'turned round in {prose.number(turned)}'}.")
            continue
        lines.append(f"{text}. The order departs most with {WAYS[low['variant']]}: rank correlation {prose.number(low['rank_correlation'], digits=2)} on {prose.plural(int(low['n']), 'answer')}.")
    return lines


def table(compared: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's variants as a table of words: choice, base, fit explained, first attribute, shared of the first three, rank correlation, whose share moves most."""
    return pd.DataFrame([
        {
            "choice": WAYS[row["variant"]].capitalize(), "n": row["n"], "fit": prose.percent(row["r2"]) if row["r2"] == row["r2"] else "–", "first": programme.label(row["first"]) if row["first"] else "not estimable",
            "three": f"{row['common_top3']:.0f} of 3" if row["first"] else "–", "order": prose.number(row["rank_correlation"], digits=2) if row["rank_correlation"] == row["rank_correlation"] else "–",
            "moved": f"{programme.label(row['moved'])} ({prose.number(100 * row['change'], digits=0)} of 100 parts)" if row["moved"] else "–",
        }
        for row in compared.to_dict("records")
    ])  # fmt: skip


def gaps(found: pd.DataFrame, programme) -> list[str]:
    """Say how many answers are complete, and how far the treatment of gaps moves the parts: the ground of the pairwise choice."""
    lines = []
    for model, own in drivers.models(found, programme):
        wide = own.pivot(index="driver", columns="variant", values="share")
        if "em" not in wide:
            lines.append(f"{model}: no rating is missing.")
            continue
        bases = own.groupby("variant")["n"].agg(["min", "max"])
        move = lambda name, wide=wide: (wide[name] - wide["shown"]).abs().max() if name in wide else float("nan")
        text = f"{model}: {prose.number(bases.loc['complete', 'max'])} respondents rated every attribute; pair by pair each attribute keeps its own {prose.number(bases.loc['shown', 'min'])} to {prose.number(bases.loc['shown', 'max'])}."
        text += f" Maximum likelihood, which allows gaps to depend on other answers, moves no attribute's share of the explained part by more than {prose.percent(move('em'), digits=1)}" if move("em") == move("em") else " Maximum likelihood could not be had"
        text += f"; complete answers alone would move one by {prose.percent(move('complete'))}." if move("complete") == move("complete") else "; complete answers alone cannot carry the model."
        lines.append(text)
    return lines


def groups(found: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI how the explained part is shared among groups of attributes, and which groups hold together."""
    if found.empty:
        return ["The programme declares no groups of attributes, so the parts stand attribute by attribute."]
    lines = []
    for model, own in drivers.models(found[found["driver"] == ""].dropna(subset=["estimate"]), programme):
        ranked = own.sort_values("estimate", ascending=False, kind="stable")
        parts = [f"{_group(row['group'], programme)} {prose.percent(row['estimate'])}" + (f" ({prose.interval(row['conf_low'], row['conf_high'], 'percent')})" if row["conf_low"] == row["conf_low"] else "") for row in ranked.to_dict("records")]
        loose = [_group(row.group, programme) for row in own.itertuples() if row.items > 1 and row.alpha < 0.7]
        first = ranked.iloc[0]
        order = f" {_group(first['group'], programme)} comes first in {prose.probability(first['p_top1'])} redraws." if first["p_top1"] == first["p_top1"] else ""
        lines.append(f"{model}: {prose.join(parts)} of the differences.{order}" + (f" {prose.join(loose)} hold{'s' if len(loose) == 1 else ''} together loosely (alpha under 0.7): read the attributes, not the group." if loose else ""))
    return lines


def mood(found: pd.DataFrame, pairs: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI how much of the ratings is one common factor, what stands out beyond it, and which pairs cannot be separated."""
    lines = []
    for model, own in drivers.models(found, programme):
        own = own.dropna(subset=["estimate"])
        if own.empty:
            continue
        if own["conf_low"].isna().all():
            continue
        enough = drivers.sure(drivers.beside(own["estimate"], own["conf_low"], own["conf_high"]))
        out = own[enough & (own["conf_low"] > 0)].sort_values("estimate", ascending=False, kind="stable")
        below = own[enough & (own["conf_high"] < 0)]
        text = f"{model}: {prose.percent(own['share'].iloc[0])} of the differences in ratings is common to all attributes (a mood, or quality that people meet everywhere), and this alone, freed of the chance error of single ratings, goes with {prose.percent(own['kpi_share'].iloc[0])} of the key figure."
        text += f" Beyond it {prose.join([programme.label(name) for name in out['driver']])} stand{'s' if len(out) == 1 else ''} out" if len(out) else " Beyond it no attribute stands out"
        text += f"; {prose.join([programme.label(name) for name in below['driver']])} {'goes' if len(below) == 1 else 'go'} with it less than the common level would suggest." if len(below) else "."
        lines.append(text)
    for model, own in drivers.models(pairs, programme) if len(pairs) else []:
        named = [f"{programme.label(row.driver_a)} and {programme.label(row.driver_b)} ({'one follows from the other' if row.inflation != row.inflation else f'correlation {prose.number(row.correlation, digits=2)}'})" for row in own.itertuples()]
        lines.append(f"{model}: cannot be separated: {prose.join(named)}; take them together or ask one of them.")
    return lines if len(pairs) or not lines else [*lines, "No two attributes are so close that they cannot be separated (correlation under 0.8, variance inflation under 5)."]


def differences(segments: pd.DataFrame, changes: pd.DataFrame, moved: pd.DataFrame, programme) -> list[str]:
    """Say what was compared between segments and with the last survey, and what looks different before the ledger counts the tests."""
    lines = []
    tests = segments["p"].notna().sum() if len(segments) else 0
    if tests:
        least = segments.loc[segments["p"].idxmin()]
        lines.append(f"Segments: {prose.number(tests)} comparisons of an attribute inside and outside a segment; {prose.number((segments['p'] < 0.05).sum())} have p below 0.05 where chance alone would give about {prose.number(round(0.05 * tests))}. The clearest: {programme.label(least['driver'])} for {programme.label(least['kpi'])} in {programme.label(least['segment'])} {least['value']} ({prose.percent(least['now'])} against {prose.percent(least['then'])}, {prose.p_value(least['p'])}). The ledger says what survives.")
    else:
        lines.append("No segment has answers enough to compare importances (100 inside and outside, and ten an attribute).")
    lost = changes[changes["note"].fillna("").str.startswith("not compared")] if len(changes) else changes
    for note, own in lost.groupby("note", sort=False):
        lines.append(f"{prose.join(dict.fromkeys(map(programme.label, own['driver'])))}: {note}.")
    if len(lost) and not changes["p"].notna().any():
        return lines
    if not len(changes) or not changes["p"].notna().any():
        return [*lines, "There is no earlier wave of this survey to compare with."]
    for model, own in drivers.models(changes.dropna(subset=["p"]), programme):
        shown = own[own["p"] < 0.05]
        named = prose.join([f"{programme.label(row.driver)} ({prose.percent(row.then)} to {prose.percent(row.now)}, {prose.p_value(row.p)})" for row in shown.itertuples()])
        where = moved[(moved["survey"] == own["survey"].iloc[0]) & (moved["kpi"] == own["kpi"].iloc[0])] if len(moved) else moved
        corner = prose.join([f"{programme.label(row.driver)} ({row.quadrant_then} to {row.quadrant})" for row in where.itertuples()])
        lines.append(f"{model}, against {own['then_wave'].iloc[0]}: " + (f"the importance of {named} differs, each taken alone" if len(shown) else "no importance shows a detectable change") + (f"; {corner} surely changed corner." if corner else "; no attribute surely changed its corner."))
    return lines


def tests(tested: pd.DataFrame, unequal: pd.DataFrame, segments: pd.DataFrame, changes: pd.DataFrame, shortfalls: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the study's rows of the ledger: the permutation tests, and as exploratory ones those of asymmetry, necessity, change, segments and gaps."""
    name = lambda row: f"{programme.label(row['driver'])} goes with {claims.name(programme, row['kpi'], row['survey'])}"
    parts = [
        drivers.tests(tested, programme),
        claims.tests(unequal.assign(kind="asymmetry"), study=drivers.STUDY, family="driver_asymmetry", kind="exploratory", key=["kind", *drivers.KEY], what=lambda row: f"{name(row)} alike where it fails and where it succeeds"),
        claims.tests(_necessity(unequal), study=drivers.STUDY, family="driver_necessity", kind="exploratory", key=["kind", *drivers.KEY], what=lambda row: f"A high {claims.name(programme, row['kpi'], row['survey'])} goes with a poor rating of {programme.label(row['driver'])}"),
        claims.tests(changes.assign(kind="wave"), study=drivers.STUDY, family="driver_changes", kind="exploratory", key=["kind", *drivers.KEY], what=lambda row: f"{name(row)} as it did in {row['then_wave']}"),
        claims.tests(segments.assign(kind="segment"), study=drivers.STUDY, family="driver_segments", kind="exploratory", key=["kind", *drivers.KEY, "segment", "value"], what=lambda row: f"{name(row)} in {programme.label(row['segment'])} {row['value']} as elsewhere"),
        constructs.tests(shortfalls, study=drivers.STUDY),
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else parts[0]


def _necessity(unequal: pd.DataFrame) -> pd.DataFrame:
    found = unequal.drop(columns=["estimate", "conf_low", "conf_high", "p"], errors="ignore")
    return found.rename(columns={"necessary_size": "estimate", "necessary_p": "p"}).assign(kind="necessity")


def _group(name, programme) -> str:
    return programme.label(name) if any(item.id == name for item in programme.items) else f"“{name.replace('_', ' ')}”"
