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
        enough = drivers.sure(drivers.beside(own["estimate"], own["conf_low"], own["conf_high"])) & (own["conf_low"] > 0)
        shown = own[enough].sort_values("estimate", ascending=False, kind="stable")
        rest = own[~enough]
        if shown.empty:
            said.append(f"{model}: no attribute shows a difference in the key figure for a step up, the others held; the answers cannot tell these apart.")
            continue
        first = shown.iloc[0]
        text = f"{model}: respondents who rate {programme.label(first['driver'])} {prose.number(first['step'], digits=1)} higher, and all else alike, differ by {_effect(first)} (95 % interval {prose.interval(first['conf_low'], first['conf_high'], digits=_digits(first))})"
        text += f"; {prose.join([programme.label(name) for name in shown['driver'].iloc[1:]])} follow{'s' if len(shown) == 2 else ''}" if len(shown) > 1 else ""
        said.append(f"{text}." + (f" For {prose.join([programme.label(name) for name in rest['driver']])} a difference is not established once all attributes are counted." if len(rest) else ""))
    return said


def step_table(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's steps as a table of words: attribute, what the step goes with (interval), mean rating, headroom, step (where it differs), n."""
    same = found["step"].dropna().nunique() < 2
    return pd.DataFrame([
        {
            "attribute": programme.label(row["driver"]), "difference": _span(row, _digits(row)) if row["conf_low"] == row["conf_low"] else row["note"] or "not estimable",
            "rating": _or(row["performance"], 2), "headroom": _or(row["headroom"], 2), **({} if same else {"step": _or(row["step"], 1)}), "n": row["n"],
        }
        for row in found.sort_values("estimate", ascending=False, kind="stable").to_dict("records")
    ])  # fmt: skip


def stated(found: pd.DataFrame, programme, tested: pd.DataFrame | None = None) -> list[str]:
    """Say where what people call important and what goes with the KPI part, and what that means; a sentence where nothing was asked.

    `tested` holds the permutation tests: an attribute is only called shown where its own stands once all are counted, and where none does nothing is compared.
    """
    if found.empty or found["meaning"].fillna("").eq("").all():
        return ["Nobody was asked what matters most, so stated importance cannot stand beside the derived one; a question after the ratings would add it."]
    said = []
    for model, own in drivers.models(found, programme):
        real = own["driver"].isin(stands(tested, own)) if tested is not None else own["driver"].notna()
        if not real.any():
            first = own.sort_values("stated", ascending=False, kind="stable")["driver"].iloc[0]
            said.append(f"{model}: people name {programme.label(first)} most often, but no attribute could be shown to go with the key figure, so there is nothing to set beside what they say.")
            continue
        part = lambda meaning, own=own[real | (own["meaning"] != "shown, not said")]: prose.join([programme.label(name) for name in own.loc[own["meaning"] == meaning, "driver"]])
        text = f"{model}: what people say and what goes with the key figure agree with {prose.number(own['agreement'].iloc[0], digits=2)} (rank correlation)" if own["agreement"].notna().any() else f"{model}: what people say and what goes with the key figure cannot be compared on so few attributes"
        if part("said and shown"):
            text += f"; {part('said and shown')}: said and shown"
        if part("said, not shown"):
            text += f"; {part('said, not shown')}: said more than shown, which is what people expect anyway or what all rate alike"
        if part("shown, not said"):
            text += f"; {part('shown, not said')}: shown, not said, a lever that people do not name"
        said.append(f"{text}.")
    return said


def stands(tested, own) -> list[str]:
    """The attributes of one model whose own test stands once all of them are counted."""
    same = tested[(tested["survey"] == own["survey"].iloc[0]) & (tested["kpi"] == own["kpi"].iloc[0])]
    return same.loc[drivers.sure(same["p"]), "driver"].tolist()


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
    """Say for each KPI which attributes annoy where they fail, which delight where they succeed, how surely, of which it cannot be told, what would have been seen, and which look necessary."""
    said = []
    for model, own in drivers.models(found[found["class"].fillna("") != ""], programme):
        kinds, poor = _kinds(own)
        names = lambda kind, own=own, kinds=kinds: prose.join([programme.label(name) for name in own.loc[kinds == kind, "driver"]])
        parts = []
        for kind in CLASSES:
            named = [f"{programme.label(row.driver)} (so in {drivers.times(row.p_class)} of 100 redraws)" for row in own[kinds == kind].itertuples()]
            parts += [f"{CLASSES[kind]}: {prose.join(named)}"] if named else []
        parts += [f"works both ways: {names('both')}"] if names("both") else []
        parts += [f"one side shows, but whether it outweighs the other cannot be told: {names('one')}"] if names("one") else []
        parts += [f"cannot tell: {names('none')}, where neither side shows once all attributes are counted"] if names("none") else []
        if (kinds == "none").all():
            parts = ["no attribute can be classed: neither poor nor best ratings of any show a difference once all are counted"]
        # The smallest of m tests has to pass 0.05/m; four of five such surveys then find what lies so far from zero.
        reach = drivers.NORMAL.inv_cdf(1 - 0.025 / len(own)) + drivers.NORMAL.inv_cdf(0.8)
        power = f" Of an attribute with the usual number of poor and best ratings, the two sides must differ by about {prose.number(reach * own['std_error'].median(), digits=1)} on the score to be told apart in four of five surveys of this size."
        needed = own[(own["necessary_p"] < 0.05) & (own["necessary_size"] >= 0.1) & poor]
        ceiling = f" A high score hardly ever goes with a poor rating of {prose.join([programme.label(name) for name in needed['driver']], last='or')}." if len(needed) else " No attribute is necessary: high scores occur beside poor ratings of each."
        said.append(f"{model}: {'; '.join(parts)}.{power}{ceiling}")
    return said


def _kinds(own: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """What each attribute of one model may be called once all are counted (basic, delighter, both, one, none; "" where nothing could be estimated), and whether its poor side shows."""
    sides = pd.concat([drivers.beside(own[name], own[f"{name}_low"], own[f"{name}_high"]) for name in ("penalty", "reward")], keys=("penalty", "reward"))
    shown = drivers.sure(sides)
    poor, best = shown["penalty"] & (own["penalty"] < 0), shown["reward"] & (own["reward"] > 0)
    kinds = pd.Series("none", index=own.index).mask(poor | best, "one").mask(poor & best, "both").mask(own["class"].isin(list(CLASSES)) & drivers.sure(own["p"]), own["class"])
    return kinds.where(own["class"].fillna("") != "", ""), poor


def _digits(row) -> int:
    return 2 if row["unit"] == "score" else 1


def _effect(row) -> str:
    size = prose.points(row["estimate"], digits=1) if row["unit"] == "points" else prose.number(row["estimate"], digits=2 if row["unit"] == "score" else 1)
    return f"{size} {row['unit'] if row['unit'] != 'score' else 'on the score'}"


def _or(value, digits) -> str:
    return "–" if value != value else prose.number(value, digits=digits)


def _span(row, digits) -> str:
    return f"{prose.number(row['estimate'], digits=digits)} ({prose.interval(row['conf_low'], row['conf_high'], digits=digits)})"
