"""What the driver study says beyond the order: steps and headroom, cut lines, what people say matters, what annoys and what delights."""

import pandas as pd

from cxlib import quarters
from cxlib.show import prose
from cxlib.show.claims import drivers

CLASSES = {"basic": "annoys where it fails", "delighter": "delights where it succeeds"}


def cuts(found: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI which attributes stand at another corner under another rule of the cut lines."""
    said = []
    for model, own in drivers.models(found[found["quadrant"] != ""], programme):
        rules = prose.join(own["rule"].unique())
        names = own["driver"].drop_duplicates()
        open_ = [programme.label(name) for name in names if own.loc[own["driver"] == name, "same"].eq(0).any()]
        always = [programme.label(name) for name in names if (own.loc[own["driver"] == name, "quadrant"] == "fix first").all()]
        text = f"{model}: with the lines cut at the {rules}, " + (f"{prose.join(open_)} {'changes its' if len(open_) == 1 else 'change their'} corner" if open_ else "every attribute keeps its corner")
        text += f"; {prose.join(always)} {'stands' if len(always) == 1 else 'stand'} under “fix first” by every rule." if always else "; none stands under “fix first” by every rule."
        said.append(text)
    return said


def steps(found: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI with which attributes half a point more goes together with more of the KPI, and with which it cannot be told."""
    said = []
    for model, own in drivers.models(found.dropna(subset=["estimate", "conf_low"]), programme):
        shown = own[own["conf_low"] > 0].sort_values("estimate", ascending=False, kind="stable")
        rest = own[(own["conf_low"] <= 0) & (own["conf_high"] >= 0)]
        if shown.empty:
            said.append(f"{model}: no attribute shows a difference in the key figure for a step up, the others held; the answers cannot tell these apart.")
            continue
        first = shown.iloc[0]
        text = f"{model}: respondents who rate {programme.label(first['driver'])} {prose.number(first['step'], digits=1)} higher, and all else alike, differ by {_effect(first)} (95 % interval {prose.interval(first['conf_low'], first['conf_high'], digits=_digits(first))})"
        text += f"; {prose.join([programme.label(name) for name in shown['driver'].iloc[1:]])} follow{'s' if len(shown) == 2 else ''}" if len(shown) > 1 else ""
        said.append(f"{text}." + (f" For {prose.join([programme.label(name) for name in rest['driver']])} a difference is not established." if len(rest) else ""))
    return said


def step_table(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's steps as a table of words: attribute, what the step goes with (interval), mean rating, headroom, step (where it differs), n."""
    same = found["step"].dropna().nunique() < 2
    return pd.DataFrame([
        {
            "attribute": programme.label(row["driver"]), "difference": _span(row, "estimate", "conf", _digits(row)) if row["conf_low"] == row["conf_low"] else row["note"] or "not estimable",
            "rating": _or(row["performance"], 2), "headroom": _or(row["headroom"], 2), **({} if same else {"step": _or(row["step"], 1)}), "n": row["n"],
        }
        for row in found.sort_values("estimate", ascending=False, kind="stable").to_dict("records")
    ])  # fmt: skip


def stated(found: pd.DataFrame, programme) -> list[str]:
    """Say where what people call important and what goes with the KPI part, and what that means; a sentence where nothing was asked."""
    if found.empty or found["meaning"].fillna("").eq("").all():
        return ["Nobody was asked what matters most, so stated importance cannot stand beside the derived one; a question after the ratings would add it."]
    said = []
    for model, own in drivers.models(found, programme):
        part = lambda meaning, own=own: prose.join([programme.label(name) for name in own.loc[own["meaning"] == meaning, "driver"]])
        text = f"{model}: what people say and what goes with the key figure agree with {prose.number(own['agreement'].iloc[0], digits=2)} (rank correlation)" if own["agreement"].notna().any() else f"{model}: what people say and what goes with the key figure cannot be compared on so few attributes"
        if part("said, not shown"):
            text += f"; {part('said, not shown')}: said, not shown, which is what people expect anyway or what all rate alike"
        if part("shown, not said"):
            text += f"; {part('shown, not said')}: shown, not said, a lever that people do not name"
        said.append(f"{text}.")
    return said


def carried(found: pd.DataFrame, fitted: pd.DataFrame, programme, quarter: str) -> list[str]:
    """Say what this quarter's ratings do to the matrix on the last measured importances, and how old these are."""
    said = []
    for model, own in drivers.models(fitted, programme):
        age = quarters.between(own["quarter"].iloc[0], quarter)
        if not age:
            continue
        rated = found[(found["survey"] == own["survey"].iloc[0]) & (found["kpi"] == own["kpi"].iloc[0])] if len(found) else found
        text = f"{model}: the importances are {prose.plural(age, 'quarter')} old and nothing about them is tested again"
        if rated.empty:
            said.append(f"{text}; no survey of {quarter} rated an attribute, so the matrix stands as it was.")
            continue
        moved = rated[rated["moved"] == 1]
        named = prose.join([f"{programme.label(row.driver)} ({row.quadrant_then} to {row.quadrant_now})" for row in moved.itertuples()])
        said.append(f"{text}; on {quarter}'s ratings {f'{named} changed corner' if len(moved) else 'no attribute surely changed its corner'}.")
    return said


def filtered(found: pd.DataFrame, programme) -> list[str]:
    """Say how important items are that were asked only of some, on their own base."""
    said = []
    for row in (found.to_dict("records") if len(found) else []):
        name, model = programme.label(row["driver"]), drivers.models(found[found["kpi"] == row["kpi"]], programme)[0][0]
        asked = programme.item(row["driver"]).asked_if
        who = f"asked only where “{programme.label(asked.item)}” leads to it" if asked else "asked only of some"
        if row["estimate"] != row["estimate"]:
            said.append(f"{model}: {name} was {who}: {row['note'] or 'not estimable'}.")
            continue
        said.append(f"{model}: {name} was {who}; among these {prose.number(row['n'])} it goes with {prose.percent(row['estimate'])} of the differences (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}), beside the attributes asked of all. Nothing is filled in for the others.")
    return said


def unequal(found: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI which attributes annoy where they fail, which delight where they succeed, how surely, and which look necessary."""
    said = []
    for model, own in drivers.models(found[found["class"].fillna("") != ""], programme):
        parts = []
        for kind in ("basic", "delighter"):
            named = own[(own["class"] == kind) & (own["p"] < 0.05)]
            if len(named):
                parts.append(f"{CLASSES[kind]}: {prose.join([f'{programme.label(row.driver)} (so in {prose.probability(row.p_class)} redraws)' for row in named.itertuples()])}")
        both = own[own["class"] == "performance"]
        if len(both):
            parts.append(f"works both ways as far as can be told: {prose.join([programme.label(name) for name in both['driver']])}")
        unclear = own[own["class"] == "none shown"]
        if len(unclear):
            parts.append(f"shows neither: {prose.join([programme.label(name) for name in unclear['driver']])}")
        needed = own[(own["necessary_p"] < 0.05) & (own["necessary_size"] >= 0.1)]
        ceiling = f" A high score hardly ever goes with a poor rating of {prose.join([programme.label(name) for name in needed['driver']], last='or')}." if len(needed) else " No attribute is necessary: high scores occur beside poor ratings of each."
        said.append(f"{model}: {'; '.join(parts)}.{ceiling}")
    return said


def unequal_table(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's contrasts as a table of words: attribute, penalty, reward, class, how often, p, poor and best ratings."""
    return pd.DataFrame([
        {
            "attribute": programme.label(row["driver"]), "penalty": _span(row, "penalty"), "reward": _span(row, "reward"), "kind": row["class"] or row["note"] or "–",
            "times": drivers.times(row["p_class"]), "p": row["p"], "poor": row["n_poor"], "best": row["n_best"],
        }
        for row in found.sort_values("estimate", kind="stable", na_position="last").to_dict("records")
    ])  # fmt: skip


def _digits(row) -> int:
    return 2 if row["unit"] == "score" else 1


def _effect(row) -> str:
    size = prose.points(row["estimate"], digits=1) if row["unit"] == "points" else prose.number(row["estimate"], digits=2 if row["unit"] == "score" else 1)
    return f"{size} {row['unit'] if row['unit'] != 'score' else 'on the score'}"


def _or(value, digits) -> str:
    return "–" if value != value else prose.number(value, digits=digits)


def _span(row, name, limits="", digits=2) -> str:
    if row[name] != row[name]:
        return "–"
    return f"{prose.number(row[name], digits=digits)} ({prose.interval(row[f'{limits or name}_low'], row[f'{limits or name}_high'], digits=digits)})"
