"""What the study of effects says in money: what customers are worth, what each action returned, all of them together, and what plans promise."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "11_roi"
MEASURES = {
    "value": "Value", "investment": "Cost", "net": "Net", "roi": "Net for each unit spent", "payback_months": "Paid back after", "p_pays": "Draws in which it pays", "break_even_effect": "Effect at which it breaks even",
    "later": "Value beyond the time observed, as the plan declares", "net_later": "Net with that",
}  # fmt: skip
EFFECTS = {"margin": "a customer", "amount": "a customer", "sales": "a period", "retention": "", "contacts": "a customer"}


def named(plan, name: str) -> str:
    """Return an action's name."""
    return next(action.name for action in plan.actions if action.id == name)


def account_of(found: pd.DataFrame, plan) -> str:
    """Return what an account is of: the action, and those that the design does not tell apart from it."""
    others = str(found["others"].iloc[0] or "").split("; ") if "others" in found and found["others"].notna().any() else []
    return prose.join([named(plan, found["action"].iloc[0]), *(one for one in others if one)])


def customers(found: pd.DataFrame, currency: str, *, field: str = "") -> list[str]:
    """Say what a customer of today is still worth, over all and where the segments' intervals do not overlap; what it rests on."""
    if found.empty:
        return ["What a customer who stays is worth cannot be said: the customer file does not tell who left."]
    whole = found.iloc[0]
    if whole["estimate"] != whole["estimate"]:
        return [f"What a customer who stays is worth: {whole['note']}."]
    said = [
        f"A customer of today brings {prose.money(whole['estimate'], currency)} in the next {prose.plural(whole['months'], 'month')} (95 % interval {prose.interval(whole['conf_low'], whole['conf_high'], f'money:{currency}')}, present value): "
        f"{prose.money(whole['margin_month'], currency, digits=2)} of margin a month, and {prose.percent(whole['still'])} of today's {prose.number(whole['n'])} customers are expected to be there in a year."
    ]
    parts = found[(found["segment"] != "") & found["estimate"].notna()].sort_values("estimate", ascending=False)
    if len(parts) > 1 and parts["conf_low"].iloc[0] > parts["conf_high"].iloc[-1]:
        top, low = parts.iloc[0], parts.iloc[-1]
        said.append(f"By {field or 'segment'} it runs from {prose.money(low['estimate'], currency)} ({low['segment']}) to {prose.money(top['estimate'], currency)} ({top['segment']}); their intervals do not overlap.")
    if whole["carried"] > 0.005:
        said.append(f"{prose.percent(whole['carried'])} of it rests on customers staying longer than any has been seen to; there the last known rate of leaving is carried on.")
    if whole["largest"] > 0.25:
        said.append(f"One customer brings {prose.percent(whole['largest'])} of the margin: the mean is that customer's, not everybody's.")
    return said


def watched(found: pd.DataFrame) -> list[str]:
    """Say from which day on leaving is in the customer file, and how many came before it."""
    if found.empty or pd.isna(found["since"].iloc[0]):
        return []
    known = found.iloc[0]
    said = f"Customers count from {prose.date(known['since'])}, the day the first one in the file left; {prose.number(known['late'])} of them had come before it (delayed entry: those who had left by then are not in the file)." if known["late"] else "Everybody counts from the first day as a customer."
    return [said + (f" {prose.plural(known['undated'], 'customer')} without a first day {'is' if known['undated'] == 1 else 'are'} left out." if known["undated"] else "")]


def buyers(found: pd.DataFrame, currency: str) -> list[str]:
    """Say how customers without a contract will buy and what that is worth, and how well the model forecast what was held out."""
    if found.empty:
        return []
    rows = found.set_index(["parameter", "model"])
    held, used = found[found["parameter"] == "holdout"], found.loc[found["parameter"] == "purchases", "model"].iloc[0]
    names = {"bg": "BG/NBD", "mbg": "MBG/NBD"}
    said = []
    for row in held.itertuples():
        inside = row.conf_low <= row.actual <= row.conf_high
        said.append(f"{names[row.model]} had forecast {prose.number(row.estimate, digits=0)} purchases ({prose.interval(row.conf_low, row.conf_high, 'number', digits=0)}) of {prose.number(row.n)} customers {row.note.split(';')[0]}; {prose.number(row.actual)} came, {'inside' if inside else 'outside'} its interval, and {row.note.split('; ')[1]}.{' It is used here.' if row.model == used else ''}")
    bought = rows.loc[("purchases", used)]
    said.append(f"In the next 52 weeks today's {prose.number(bought['n'])} customers are expected to buy on {prose.number(bought['estimate'], digits=0)} days (95 % interval {prose.interval(bought['conf_low'], bought['conf_high'], 'number', digits=0)}{bought['note'].removeprefix('in the next 52 weeks')}).")
    if "worth" in set(found["parameter"]):
        worth = rows.loc[("worth", used)]
        said.append(f"That is worth {prose.money(worth['estimate'], currency)} ({prose.interval(worth['conf_low'], worth['conf_high'], f'money:{currency}')}) in {worth['note']}.")
    odd = found.loc[found["note"].str.contains("left out|not sure|does not exist", na=False), "note"].drop_duplicates()
    return said + [f"{note[:1].upper()}{note[1:]}." for note in odd]


def customer_table(found: pd.DataFrame, buyers: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return what customers are worth as a table of words: segment, customers, left, still there in a year, margin a month, worth with its interval, remark; of customers without a contract what they buy."""
    limits = lambda low, high, digits=None: f"{prose.money(low, currency, digits=digits)} to {prose.money(high, currency, digits=digits)}"
    rows = [
        {"segment": row["segment"] or "All", "customers": row["n"], "left": row["gone"], "still": prose.percent(row["still"]) if known else "–", "month": f"{prose.money(row['margin_month'], currency, digits=2)} ({limits(row['margin_low'], row['margin_high'], 2)})" if known else "–"}
        | {"worth": f"{prose.money(row['estimate'], currency)} ({limits(row['conf_low'], row['conf_high'])})" if known else "not estimable", "note": row["note"]}
        for row in found.to_dict("records") for known in [row["estimate"] == row["estimate"]]
    ]  # fmt: skip
    for row in buyers[buyers["parameter"] == "worth"].to_dict("records"):
        rows.append({"segment": "All, without a contract", "customers": row["n"], "left": "–", "still": "–", "month": "–", "worth": f"{prose.money(row['estimate'], currency)} ({limits(row['conf_low'], row['conf_high'])}) all together", "note": row["note"]})
    return pd.DataFrame(rows, columns=["segment", "customers", "left", "still", "month", "worth", "note"])


def swings(found: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """Return the tornado with the inputs in words."""
    words = inputs.drop_duplicates(["action", "input"]).set_index(["action", "input"])["label"]
    return found.assign(label=[words[(row.action, row.input)] for row in found.itertuples()]).drop(columns="input")


def swing_table(own: pd.DataFrame, inputs: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the numbers behind a tornado as a table of words: input, low end, high end (each in its own unit), net at either end, how far the net moves."""
    units = inputs.drop_duplicates(["action", "label"]).set_index(["action", "label"])["unit"]
    ends = lambda row: (_amount(value, units[(row["action"], row["label"])], currency) for value in (row["low"], row["high"]))
    rows = [(row["label"], *ends(row), *(prose.money(row[name], currency) for name in ("net_low", "net_high", "swing"))) for row in own.to_dict("records")]
    return pd.DataFrame(rows, columns=["input", "low end", "high end", "net at low end", "net at high end", "net moves by"])


def paid(own: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the numbers behind a figure of what has come back; what the plan declares to last longer only where it declares something."""
    return claims.numbers(own if own["declared"].any() else own.drop(columns="declared"), currency)


def returns(found: pd.DataFrame, plan, currency: str, refused: dict | None = None) -> list[str]:
    """Say what each action returned, the verb by grade and interval; and of the others why nothing can be said."""
    several = lambda group: account_of(group, plan) != named(plan, group["action"].iloc[0])
    said = [_return(group.set_index("measure"), account_of(group, plan), currency, several=several(group)) for action, group in found.groupby("action", sort=False)]
    reasons = {}
    for action, why in (refused or {}).items():
        reasons.setdefault(why, []).append(named(plan, action))
    said += [f"{prose.join(names)}: no return, because {why if len(names) == 1 else why.replace('what it cost', 'what they cost')}." for why, names in reasons.items()]
    return said or ["No action has a measured effect and a cost, so no return can be computed."]


def _return(row, name: str, currency: str, *, several: bool = False) -> str:
    net, grade, money = row.loc["net"], row.loc["net", "grade"], lambda value: prose.money(value, currency)
    limits = f"95 % interval {prose.interval(net['conf_low'], net['conf_high'], f'money:{currency}')}"
    spent, unit = money(row.loc["investment", "estimate"]), prose.money(1, currency, digits=0)
    they, their, each = ("they", "their", "them") if several else ("it", "its", "it")
    if net["conf_low"] <= 0 <= net["conf_high"]:
        opening = f"{name}: whether {their} {spent} paid cannot be told; net {money(net['estimate'])} ({limits})"
    elif grade in "AB":
        verb = f"returned {money(net['estimate'])} more than the {spent} {they} cost" if net["conf_low"] > 0 else f"brought {money(-net['estimate'])} less than the {spent} {they} cost"
        opening = f"{name} {verb} ({limits})"
    else:
        verb = "more than the" if net["conf_low"] > 0 else "less than the"
        opening = f"{name}: what goes with {each} is worth {money(abs(net['estimate']))} {verb} {spent} {they} cost ({limits}; grade {grade}, so this is no proof)"
    back = row.loc["payback_months"]
    when = f"paid back after {prose.plural(round(back['estimate']), 'month')} (median)" if back["estimate"] == back["estimate"] else back["note"]
    more = f" With what the plan declares beyond the time observed the net is {money(row.loc['net_later', 'estimate'])}; nobody has seen that part." if "net_later" in row.index else ""
    apart = " Their effects cannot be told apart: this is of both together." if several else ""
    return f"{opening}, that is {prose.money(row.loc['roi', 'estimate'], currency, digits=2)} for each {unit} spent. It pays in {prose.probability(row.loc['p_pays', 'estimate'])} draws; {when}.{more}{apart}"


def account(inputs: pd.DataFrame, worth: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return one action's account as a table of words, every input with its interval, source and grade, then what follows from them."""
    rows = [{"line": row["label"], "amount": _amount(row["estimate"], row["unit"], currency), "interval": _limits(row, row["unit"], currency), "source": row["source"], "grade": row["grade"] or "–"} for row in inputs.to_dict("records")]
    outcome = inputs.loc[inputs["role"] == "effect", "unit"].iloc[0]
    for row in worth.to_dict("records"):
        unit = outcome if row["unit"] == "effect" else row["unit"]
        source = row["note"] or ("computed" if row["measure"] != "p_pays" else f"{prose.number(row['draws'])} draws")
        rows.append({"line": MEASURES[row["measure"]], "amount": _amount(row["estimate"], unit, currency), "interval": _limits(row, unit, currency), "source": source, "grade": row["grade"]})
    return pd.DataFrame(rows)


def _amount(value, unit, currency) -> str:
    if value != value:
        return "not estimable"
    if unit == "probability":
        return prose.probability(value)
    if unit == "months":
        return prose.plural(round(value), "month")
    if unit == "retention":
        return f"{prose.points(value * 100, digits=1)} percentage points"
    if unit.startswith("share"):
        return prose.percent(value, digits=1)
    if unit in ("points", "percentage points"):
        return f"{prose.points(value, digits=1)} {unit}"
    if unit in ("money", "ratio", "margin", "amount", "sales", "returns", "money a customer"):
        return prose.money(value, currency, digits=2 if unit != "money" and abs(value) < 100 else None)
    return prose.number(value, digits=0 if value == round(value) or abs(value) >= 100 else 2)


def _limits(row, unit, currency) -> str:
    low, high = row["conf_low"], row["conf_high"]
    if low != low and high != high:
        return "–"
    return f"{_amount(low, unit, currency)} to {_amount(high, unit, currency) if high == high else 'later'}" if high > low or high != high else "–"


def portfolio(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say what the actions of grade A or B returned together, where others are weaker, then what all did, no euro counted twice."""
    if found.empty:
        return ["No action has an account, so there is nothing to add up."]
    each, own = found[~found["action"].isin(["all", "sure", "programme"])], found[found["action"] == "programme"]
    cost = f", {prose.money(own['investment'].iloc[0], currency)} of it for the programme itself" if len(own) else ""
    said = [_together(row, "of grade A or B", int(row["note"].split()[0]), "", currency) for row in found[found["action"] == "sure"].to_dict("records")]
    said.append(_together(found[found["action"] == "all"].iloc[0].to_dict(), "with an account", len(each), cost, currency))
    if not len(own):
        said.append("What the research programme itself costs is not in it: nobody wrote it down (finance.programme_cost in programme.toml).")
    return said


def _together(row, which: str, count: int, cost: str, currency: str) -> str:
    """Say what several actions returned, the verb by the weakest grade among them."""
    money, one, sure = lambda value: prose.money(value, currency), count == 1, row["grade"] in "AB"
    name, they, them = (f"one action {which}", "it", "it") if one else (f"{count} actions {which}", "they", "them")
    verdict = f"whether {they} paid cannot be told" if row["conf_low"] <= 0 <= row["conf_high"] else f"{they} paid" if row["conf_low"] > 0 else f"{they} did not pay"
    limits = f"95 % interval {prose.interval(row['conf_low'], row['conf_high'], f'money:{currency}')}"
    many = f", for {prose.plural(row['n'], 'customer')} by name, each counted once," if row["n"] else "," if cost else ""
    # only what surely came back was brought
    worth = f"what goes with {them} is worth" if not sure else "brought" if row["conf_low"] > 0 else "the effect measured is worth"
    weakest = f"at grade {row['grade']}{'' if one else ', that of the weakest of them'}{'' if sure else ', which is no proof'}"
    return f"The {name} cost {money(row['investment'])}{cost}{many} and {worth} {money(row['value'])}: net {money(row['estimate'])} ({limits}); {verdict}, {weakest}."


def nets(found: pd.DataFrame, plan) -> pd.DataFrame:
    """Return the nets of a portfolio with the names of its rows, for a figure; what the programme costs has no interval and is in the last one."""
    own = found[found["action"] != "programme"]
    label = ["All together" if row.action == "all" else "Those of grade A or B" if row.action == "sure" else f"{named(plan, row.action)}{f' {row.note}' if row.note else ''}" for row in own.itertuples()]
    return own.assign(label=label)[["label", "estimate", "conf_low", "conf_high"]]


def portfolio_table(found: pd.DataFrame, plan, currency: str) -> pd.DataFrame:
    """Return the portfolio as a table of words: action, value, cost, net with its interval, net for each unit spent, draws in which it pays, grade."""
    money, words = lambda value: prose.money(value, currency), {"all": "All together", "sure": "Those of grade A or B", "programme": "The programme itself"}
    rows = [
        {"action": words.get(row["action"]) or named(plan, row["action"]) + (f" {row['note']}" if row["note"] else ""), "value": money(row["value"]), "cost": money(row["investment"]), "net": money(row["estimate"]) + (f" ({prose.interval(row['conf_low'], row['conf_high'], f'money:{currency}')})" if row["conf_low"] == row["conf_low"] else "")}
        | {"each": prose.money(row["roi"], currency, digits=2) if row["roi"] == row["roi"] else "–", "pays": prose.probability(row["p_pays"]) if row["p_pays"] == row["p_pays"] else "–", "grade": row["grade"] or "–"}
        for row in found.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["action", "value", "cost", "net", "each", "pays", "grade"])


def plans(found: pd.DataFrame, plan, currency: str, refused: dict) -> list[str]:
    """Say what the actions still to come are expected to bring: a forecast, never an effect."""
    said = []
    for action, group in found.groupby("action", sort=False):
        row = group.set_index("measure")
        net, money = row.loc["net"], lambda value: prose.money(value, currency)
        verdict = "whether it will pay cannot be told" if net["conf_low"] <= 0 <= net["conf_high"] else "it is expected to pay" if net["conf_low"] > 0 else "it is not expected to pay"
        said.append(
            f"{named(plan, action)} (forecast, grade {net['grade']}): if raising the rating brings what goes with it today, {money(row.loc['value', 'estimate'])} in the year after, for {money(row.loc['investment', 'estimate'])}: net {money(net['estimate'])} "
            f"(95 % interval {prose.interval(net['conf_low'], net['conf_high'], f'money:{currency}')}); {verdict}. It pays in {prose.probability(row.loc['p_pays', 'estimate'])} draws. Drawn by lot, its first customers would turn this into an effect."
        )
    said += [f"{named(plan, action)}: no forecast, because {why}." for action, why in refused.items()]
    return said or ["The plan holds no action that is still to come."]


def calibrated(found: pd.DataFrame) -> list[str]:
    """Say how often what we had forecast came, and whether that is enough to judge."""
    words = {"published": "Of the forecasts of earlier editions", "remade": "Of the forecasts made anew from what was known at the end of earlier quarters"}
    verdicts = {"too few to judge": "too few to tell intervals of 95 % from wider or narrower ones", "kept": "which fits intervals of 95 %", "too narrow": "less often than 95 %: our intervals are too narrow", "too wide": "more often than 95 %: our intervals are wider than they need be"}
    said = []
    for row in found.to_dict("records"):
        lean = "" if abs(row["bias"]) < 1 else f" They lean: what came was {'more' if row['bias'] > 0 else 'less'} than forecast, by {prose.number(abs(row['bias']), digits=1)} standard deviations on average."
        chance = f" The chances that actions pay had a Brier score of {prose.number(row['brier'], digits=2)} over {prose.plural(row['n_brier'], 'action')} (0 is perfect, 0.25 a coin)." if row["n_brier"] else ""
        said.append(f"{words[row['source']]} {prose.number(row['inside'])} of {prose.number(row['n'])} came inside their interval ({prose.interval(row['conf_low'], row['conf_high'], 'percent')}), {verdicts[row['verdict']]}.{lean}{chance}")
    return said or ["No forecast of ours has fallen due yet, so how good they are cannot be told; those of this report are kept with its edition and will be compared."]


def forecast_table(settled: pd.DataFrame, found: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return forecasts as a table of words, those that have fallen due first: what, made in, due, forecast with its interval, what came."""
    rows = []
    for row in [*settled.to_dict("records"), *found.to_dict("records")]:
        show = lambda value, kind=row["kind"]: prose.money(value, currency) if kind == "value" else prose.number(value, digits=0)
        came = row.get("actual", float("nan"))
        rows.append({"what": row["what"], "made": row["made_in"] + (" (made anew)" if row["source"] == "remade" else ""), "due": row["due"], "forecast": f"{show(row['estimate'])} ({show(row['conf_low'])} to {show(row['conf_high'])})", "came": f"{show(came)}, {'inside' if row['inside'] else 'outside'}" if came == came else "not due"})
    return pd.DataFrame(rows, columns=["what", "made", "due", "forecast", "came"])


def rows(found: pd.DataFrame, worth: pd.DataFrame, together: pd.DataFrame, planned: pd.DataFrame, refused: dict, plan, currency: str) -> pd.DataFrame:
    """Return the claims in money: the return of every action with an account (its sentence stands only if its effect survives the ledger), what was spent without one, and the forecasts."""
    made = []
    for place, (action, own) in enumerate(worth.groupby("action", sort=False)):
        effect, net = found[found["action"] == action].iloc[0].to_dict(), own[own["measure"] == "net"].iloc[0].to_dict()
        spent = prose.money(own.loc[own["measure"] == "investment", "estimate"].iloc[0], currency)
        null = f"{named(plan, action)}: whether its {spent} paid cannot be told, because no effect was detected once all tests of this report are counted."
        tested = claims.test_id(STUDY, effect, ["action", "outcome"]) if effect["p"] == effect["p"] else ""
        base = f"{prose.number(net['n'])} times the effect counts"
        made.append(claims.claim(f"roi.{action}.return", STUDY, returns(own, plan, currency)[0], text_null=null, row=net | {"n_eff": float("nan")}, unit=currency, base=base, p=effect["p"], test_id=tested, grade=net["grade"], rank=2.6 + place / 10, action=net["grade"] in "AB" and not net["conf_low"] <= 0 <= net["conf_high"]))
    if len(together) > 1:
        # the surest sum is the claim; where all are weak it is that of all
        whole = together[together["action"].isin(["sure", "all"])].iloc[0].to_dict()
        made.append(claims.claim("roi.all", STUDY, portfolio(together, plan, currency)[0], row=whole, unit=currency, base=f"{prose.plural(len(worth['action'].unique()), 'action')}", grade=whole["grade"], rank=2.95))
    # of the others the study of effects says that nothing is known, or that they stand in another's account
    known = set(found.loc[found["estimate"].notna() & (found["grade"] != "E"), "action"])
    for action, why in ((name, why) for name, why in refused.items() if name in known and "cannot be told apart" not in why):
        made.append(claims.claim(f"roi.{action}.unknown", STUDY, f"{named(plan, action)}: no return, because {why}.", base="", grade="E", rank=8.5))
    for action, own in planned.groupby("action", sort=False):
        net = own[own["measure"] == "net"].iloc[0].to_dict()
        made.append(claims.claim(f"roi.{action}.forecast", STUDY, plans(own, plan, currency, {})[0], row=net | {"n_eff": float("nan")}, unit=currency, base=f"{prose.number(net['n'])} customers to be reached", grade=net["grade"], rank=6))
    return claims.frame(made)
