"""What the effects study says: what each action did, what it returned, and what would have happened anyway."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "11_roi"


def named(plan, name: str) -> str:
    """Return an action's name."""
    return _action(plan, name).name


def cost(action, spent: float | None, currency: str) -> str:
    """Say what an action cost, or that nobody wrote it down."""
    if spent is None:
        return f"{action.name}: nobody wrote down what it cost, so no return can be computed; add fixed_cost or unit_cost to plan.toml, or costs to the log."
    return f"{action.name} ({action.owner or 'no owner named'}) cost {prose.money(spent, currency)}."


def effects(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say what each randomised action did, the verb by its grade and interval."""
    return [_effect(row, _action(plan, row["action"]), currency) for row in found.to_dict("records")]


def returns(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say what each action returned: net, return on each unit of money, probability that it pays, and the effect at which it breaks even."""
    said = []
    for action, group in found.groupby("action", sort=False):
        row = group.set_index("measure")
        net, ratio = row.loc["net"], row.loc["roi"]
        name = _action(plan, action).name
        said.append(
            f"{name} cost {prose.money(row.loc['investment', 'estimate'], currency)} and is worth {prose.money(row.loc['value', 'estimate'], currency)}: net {prose.money(net['estimate'], currency)} "
            f"(95 % interval {prose.interval(net['conf_low'], net['conf_high'], f'money:{currency}')}), a return of {prose.number(ratio['estimate'], digits=1)} for each unit invested; "
            f"it pays in {prose.probability(row.loc['p_pays', 'estimate'])} draws, and breaks even at {prose.money(row.loc['break_even_effect', 'estimate'], currency)} a customer."
        )
    return said


def recovery(found: pd.DataFrame, plan) -> list[str]:
    """Say how many recovered after a call and how many recover without one."""
    said = []
    for action, group in found.groupby("action", sort=False):
        row = group.set_index("group")
        one, other, gap = row.loc["contacted"], row.loc["not contacted"], row.loc["difference"]
        if gap["estimate"] != gap["estimate"]:
            said.append(f"{_action(plan, action).name}: nobody can be compared with those called ({prose.plural(int(one['n']), 'person', 'people')} asked again).")
            continue
        said.append(
            f"{_action(plan, action).name}: {prose.percent(one['estimate'])} of {prose.number(one['n'])} people called scored above the cut the next time; of {prose.number(other['n'])} equally low scorers whom nobody called "
            f"{prose.percent(other['estimate'])} did so too. The difference is {_gap(gap)}. Low scores drift back by themselves; only what exceeds that could be the call's work."
        )
    return said


def rows(found: pd.DataFrame, money: pd.DataFrame, recovered: pd.DataFrame, costs: dict, plan, currency: str) -> pd.DataFrame:
    """Return the study's claims: effect and return of randomised actions; for actions without a fair comparison what was spent and cannot be told."""
    made = []
    for place, row in enumerate(found.to_dict("records")):
        action = _action(plan, row["action"])
        base = f"{prose.number(row['n_treated'])} treated, {prose.number(row['n_control'])} control"
        null = f"{action.name}: no detectable effect on {row['outcome']} ({base})."
        test = claims.test_id(STUDY, row, ["action", "outcome"])
        common = {"base": base, "p": row["p"], "test_id": test, "grade": row["grade"]}
        made.append(claims.claim(f"roi.{action.id}.effect", STUDY, _effect(row, action, currency), text_null=null, row=row, unit=f"{currency} per customer", rank=2.5 + place / 10, **common))
        own = money[money["action"] == action.id]
        if len(own):
            net = own[own["measure"] == "net"].iloc[0].to_dict()
            null = f"{action.name}: whether its {prose.money(costs[action.id], currency)} paid cannot be told; no effect was detected."
            made.append(claims.claim(f"roi.{action.id}.return", STUDY, returns(own, plan, currency)[0], text_null=null, row=net | {"n_eff": float("nan")}, unit=currency, rank=2.6 + place / 10, action=True, **common))
    for action, group in recovered.groupby("action", sort=False):
        one, name = group[group["group"] == "contacted"].iloc[0].to_dict(), _action(plan, action).name
        spent = prose.money(costs[action], currency) if costs.get(action) else "an unknown amount"
        text = f"{name}: {spent} spent, effect unknown. {recovery(group, plan)[0].split(': ', 1)[1]} Next time leave out a random part of the list."
        made.append(claims.claim(f"roi.{action}.recovery", STUDY, text, row=one, unit="share", base=prose.plural(int(one["n"]), "person called and asked again", "people called and asked again"), grade="E", rank=8))
    return claims.frame(made)


def _effect(row, action, currency: str) -> str:
    base = f"{prose.number(row['n_treated'])} assigned to it, {prose.number(row['n_control'])} held back"
    if row["p"] != row["p"]:
        return f"{action.name}: {row['note']}."
    limits = f"95 % interval {prose.interval(row['conf_low'], row['conf_high'], f'money:{currency}')}"
    when = f"in the {row['window_days']} days after"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        return f"{action.name} showed no detectable effect on {row['outcome']} {when} ({limits}; {base})."
    verb = ("raised" if row["estimate"] > 0 else "lowered") if row["grade"] in "AB" else "went with a higher" if row["estimate"] > 0 else "went with a lower"
    return f"{action.name} {verb} {row['outcome']} by {prose.money(abs(row['estimate']), currency)} a customer {when} ({limits}; {base}; grade {row['grade']}, {claims.GRADES[row['grade']]})."


def _gap(row) -> str:
    return f"{prose.points(row['estimate'] * 100)} percentage points (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percentage points')})"


def _action(plan, name: str):
    return next(action for action in plan.actions if action.id == name)
