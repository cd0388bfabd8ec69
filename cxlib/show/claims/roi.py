"""What the return study says: what each action returned."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "11_roi"
KEY = ["action", "outcome"]
MEASURES = {"value": "Value", "investment": "Cost", "net": "Net", "roi": "Net for each unit spent", "payback_days": "Paid back after", "p_pays": "Draws in which it pays", "break_even_effect": "Effect at which it breaks even"}


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


def rows(found: pd.DataFrame, money: pd.DataFrame, costs: dict, plan, currency: str) -> pd.DataFrame:
    """Return the claims on what actions with a measured effect returned."""
    made = []
    for place, row in enumerate(found.to_dict("records")):
        action, own = _action(plan, row["action"]), money[money["action"] == row["action"]]
        if len(own):
            net = own[own["measure"] == "net"].iloc[0].to_dict()
            null = f"{action.name}: whether its {prose.money(costs[action.id], currency)} paid cannot be told, because no effect was detected."
            base = f"{prose.number(row['n_treated'])} assigned to it, {prose.number(row['n_control'])} held back"
            made.append(claims.claim(f"roi.{action.id}.return", STUDY, returns(own, plan, currency)[0], text_null=null, row=net | {"n_eff": float("nan")}, unit=currency, rank=2.6 + place / 10, action=True, base=base, p=row["p"], test_id=claims.test_id(STUDY, row, KEY), grade=row["grade"]))
    return claims.frame(made)


def _action(plan, name: str):
    return next(action for action in plan.actions if action.id == name)
