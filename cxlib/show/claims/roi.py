"""What the effects study says: what each action did, what it returned, and what would have happened anyway."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "11_roi"
KEY = ["action", "outcome"]
DESIGNS = {"randomised": "by lot", "list": "from a list, by a rule", "everyone": "everybody"}
CHECKS = {"ratio_p": "as many in each arm as the design says", "attrition_p": "as many observed in each arm", "before_p": "both arms alike before"}
MEASURES = {"value": "Value", "investment": "Cost", "net": "Net", "roi": "Net for each unit spent", "payback_days": "Paid back after", "p_pays": "Draws in which it pays", "break_even_effect": "Effect at which it breaks even"}
GROUPS = {"contacted": "Called", "not contacted": "Not called, same scores", "normal check": "Check: formula for normal scores", "difference": "Difference"}


def missing(programme) -> str:
    """Return the end of the sentence on a page without actions, with what would be needed."""
    about = claims.about(programme, "action", "order")
    return f"say what they did and returned. A log of who was drawn into an action and who was held back, with the orders of both, would answer it.{about}".removesuffix(".")


def named(plan, name: str) -> str:
    """Return an action's name."""
    return _action(plan, name).name


def begun(plan, log: pd.DataFrame) -> list:
    """Return the actions that had assigned somebody by the end of the quarter."""
    return [action for action in plan.actions if (log["action_id"] == action.id).any()]


def table(actions) -> pd.DataFrame:
    """Return the actions as a table of words: name, who answers for it, how customers were chosen, what it was meant to raise, days, why."""
    return pd.DataFrame([
        {"action": action.name, "owner": action.owner or "nobody named", "chosen": DESIGNS[action.design], "raise": action.outcome, "when": f"{prose.date(action.start)} to {prose.date(action.end)}", "why": action.why}
        for action in actions
    ])  # fmt: skip


def cost(action, spent: float | None, currency: str) -> str:
    """Say what an action cost, or that nobody wrote it down."""
    if spent is None:
        return f"{action.name}: nobody wrote down what it cost, so no return can be computed; add fixed_cost or unit_cost to plan.toml, or costs to the log."
    return f"{action.name} ({action.owner or 'no owner named'}) cost {prose.money(spent, currency)}."


def effects(found: pd.DataFrame, actions, currency: str) -> list[str]:
    """Say what each randomised action did, the verb by its grade and interval; and of which ones no window is over."""
    known = {action.id: action for action in actions}
    said = [_effect(row, known[row["action"]], currency) + _open(row) for row in found.to_dict("records")]
    said += [
        f"{action.name}: its effect cannot be counted yet, because no window of {action.window_days} days after assignment was over in both arms."
        for action in actions
        if action.design == "randomised" and action.outcome in ("margin", "amount") and action.id not in set(found["action"])
    ]
    return said or ["No action of this programme was decided by lot and measured in money."]


def checks(found: pd.DataFrame, plan) -> list[str]:
    """Say how the three checks of each design came out; a check that fails by its p is named, and what it would mean."""
    said = []
    for row in found.to_dict("records"):
        parts = prose.join(f"{words} ({prose.p_value(row[name])})" for name, words in CHECKS.items() if row[name] == row[name])
        failed = [words for name, words in CHECKS.items() if row[name] < 0.01]
        verdict = f" Against it speaks: {prose.join(failed)}. Then the arms are not comparable, and the difference is not the action's alone." if failed else ""
        said.append(f"{_action(plan, row['action']).name}: {parts}.{verdict}")
    return said


def returns(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say what each action returned: net, return on each unit of money, probability that it pays, and the effect at which it breaks even."""
    said = []
    for action, group in found.groupby("action", sort=False):
        row = group.set_index("measure")
        net, unit = row.loc["net"], prose.money(1, currency, digits=0)
        said.append(
            f"{_action(plan, action).name} cost {prose.money(row.loc['investment', 'estimate'], currency)} and is worth {prose.money(row.loc['value', 'estimate'], currency)}: net {prose.money(net['estimate'], currency)} "
            f"(95 % interval {prose.interval(net['conf_low'], net['conf_high'], f'money:{currency}')}), that is {prose.money(row.loc['roi', 'estimate'], currency, digits=2)} for each {unit} spent. "
            f"It pays in {prose.probability(row.loc['p_pays', 'estimate'])} draws, and breaks even at {prose.money(row.loc['break_even_effect', 'estimate'], currency)} a customer."
        )
    return said


def account(found: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return one action's account as a table of words: measure, amount, 95 % interval, remark."""
    rows = []
    for row in found.to_dict("records"):
        show = {
            "money": lambda value: prose.money(value, currency), "money per customer": lambda value: f"{prose.money(value, currency, digits=2)} a customer",
            "ratio": lambda value: prose.money(value, currency, digits=2), "days": lambda value: prose.plural(round(value), "day"), "probability": prose.probability,
        }[row["unit"]]  # fmt: skip
        known = row["conf_low"] == row["conf_low"] and row["conf_high"] == row["conf_high"] and row["conf_high"] > row["conf_low"]
        rows.append({"measure": MEASURES[row["measure"]], "amount": show(row["estimate"]) if row["estimate"] == row["estimate"] else "not estimable", "interval": f"{show(row['conf_low'])} to {show(row['conf_high'])}" if known else "–", "remark": row["note"]})
    out = pd.DataFrame(rows)
    return out if (out["remark"] != "").any() else out.drop(columns="remark")


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
    return said or ["No action picked customers by a low score."]


def groups(found: pd.DataFrame) -> pd.DataFrame:
    """Return one action's recovery as a table of words: group, share above the cut with its interval, mean score before and the next time, people."""
    rows = []
    for row in found.to_dict("records"):
        show = prose.percent if row["group"] != "difference" else lambda value: f"{prose.points(value * 100)} points"
        limits = "" if row["conf_low"] != row["conf_low"] else f" ({show(row['conf_low']).removesuffix(' %').removesuffix(' points')} to {show(row['conf_high']).removesuffix(' %').removesuffix(' points')})"
        score = lambda value: "–" if value != value else prose.number(value, digits=1)
        rows.append({"group": GROUPS[row["group"]], "share": f"{show(row['estimate'])}{limits}" if row["estimate"] == row["estimate"] else "not estimable", "before": score(row["mean_before"]), "after": score(row["mean_after"]), "n": row["n"]})
    return pd.DataFrame(rows)


def tests(found: pd.DataFrame, plan) -> pd.DataFrame:
    """Return effects (secondary) and the checks of their designs (never adjusted) as rows of the ledger, in words."""
    name = lambda row: _action(plan, row["action"]).name
    made = [claims.tests(found, study=STUDY, family="effects", kind="secondary", key=KEY, what=lambda row: f"{name(row)} changes {row['outcome']}")]
    for check, words in CHECKS.items():
        own = found.assign(p=found[check], check=check, estimate=float("nan"), conf_low=float("nan"), conf_high=float("nan"))
        made.append(claims.tests(own, study=STUDY, family="design", kind="check", key=["action", "check"], what=lambda row, words=words: f"{name(row)}: {words}"))
    return pd.concat([part for part in made if len(part)] or made[:1], ignore_index=True)


def rows(found: pd.DataFrame, money: pd.DataFrame, recovered: pd.DataFrame, costs: dict, plan, currency: str) -> pd.DataFrame:
    """Return the study's claims: effect and return of randomised actions; for actions without a fair comparison what was spent and cannot be told."""
    made = []
    for place, row in enumerate(found.to_dict("records")):
        action = _action(plan, row["action"])
        base = f"{prose.number(row['n_treated'])} assigned to it, {prose.number(row['n_control'])} held back"
        told, zero = _effect(row, action, currency), not (row["conf_low"] > 0 or row["conf_high"] < 0)
        null = told if zero else f"{action.name} showed no detectable effect on {row['outcome']} once all tests of this report are counted."
        common = {"base": base, "p": row["p"], "test_id": claims.test_id(STUDY, row, KEY), "grade": row["grade"]}
        made.append(claims.claim(f"roi.{action.id}.effect", STUDY, told, text_null=null, row=row, unit=f"{currency} per customer", rank=2.5 + place / 10, **common))
        own = money[money["action"] == action.id]
        if len(own):
            net = own[own["measure"] == "net"].iloc[0].to_dict()
            null = f"{action.name}: whether its {prose.money(costs[action.id], currency)} paid cannot be told, because no effect was detected."
            made.append(claims.claim(f"roi.{action.id}.return", STUDY, returns(own, plan, currency)[0], text_null=null, row=net | {"n_eff": float("nan")}, unit=currency, rank=2.6 + place / 10, action=True, **common))
    for action, group in recovered.groupby("action", sort=False):
        one, name = group[group["group"] == "contacted"].iloc[0].to_dict(), _action(plan, action).name
        spent = prose.money(costs[action], currency) if costs.get(action) else "an unknown amount"
        text = f"{name}: {spent} spent, effect unknown. {recovery(group, plan)[0].split(': ', 1)[1]} Next time leave out a random part of the list."
        made.append(claims.claim(f"roi.{action}.recovery", STUDY, text, row=one, unit="share", base=prose.plural(int(one["n"]), "person called and asked again", "people called and asked again"), grade="E", rank=8))
    return claims.frame(made)


def _effect(row, action, currency: str) -> str:
    if row["p"] != row["p"]:
        return f"{action.name}: {row['note']}."
    limits = f"95 % interval {prose.interval(row['conf_low'], row['conf_high'], f'money:{currency}')}"
    when = f"in the {row['window_days']} days after"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        return f"{action.name} showed no detectable effect on {row['outcome']} {when} ({prose.money(row['estimate'], currency)} a customer, {limits})."
    verb = ("raised" if row["estimate"] > 0 else "lowered") if row["grade"] in "AB" else "went with a higher" if row["estimate"] > 0 else "went with a lower"
    return f"{action.name} {verb} {row['outcome']} by {prose.money(abs(row['estimate']), currency)} a customer {when} ({limits})."


def _open(row) -> str:
    return f" {prose.plural(row['cut'], 'customer')} whose window is not over {'is' if row['cut'] == 1 else 'are'} left out; the return is counted when all windows are over." if row["cut"] else ""


def _gap(row) -> str:
    gap = prose.points(row["estimate"] * 100)
    return f"{gap} percentage point{'' if gap[1:] == '1' else 's'} (95 % interval {prose.points(row['conf_low'] * 100)} to {prose.points(row['conf_high'] * 100)})"


def _action(plan, name: str):
    return next(action for action in plan.actions if action.id == name)
