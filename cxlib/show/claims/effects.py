"""What the effects study says: what each action did, against what, how sure, and what would have happened anyway."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "11_roi"
KEY = ["action", "outcome"]
CHOSEN = {
    "randomised": "by lot", "holdout": "a list, of which a random part was held back", "list": "from a list, by a rule", "matching": "from a list, by a rule", "everyone": "everybody",
    "difference_in_differences": "some units, all on one day", "staggered": "unit after unit", "synthetic_control": "one series", "interrupted_series": "one series",
}  # fmt: skip
COMPARED = {
    "randomised": "with customers held back by lot", "matching": "with customers like them who were not on the list, weighted until they are alike", "difference_in_differences": "units with it against units without it, each against its own past",
    "staggered": "units with it against those not yet or never with it, each against its own past", "synthetic_control": "with the mix of other series that ran like it before", "interrupted_series": "with its own past, its season and a control series",
    "recovery": "with equally low scores that nobody called about", "none": "with nothing",
}  # fmt: skip
OUTCOMES = {"margin": "margin", "amount": "sales", "retention": "the share who stayed", "score": "the score", "contacts": "contacts", "returns": "the value of goods sent back", "sales": "sales", "pieces": "pieces sold"}
MONEY = ("margin", "amount", "returns", "sales")
CHECKS = {
    "ratio_p": "as many in each arm as the design says", "attrition_p": "as many observed in each arm", "before_p": "both arms alike before", "pretrend_p": "no difference in trend before", "placebo_p": "nothing seen at a date when nothing happened",
}
AGAINST = {
    "ratio_p": "not as many in each arm as the design says", "attrition_p": "not as many observed in each arm", "before_p": "the arms were not alike before", "pretrend_p": "a difference in trend before", "placebo_p": "something seen at a date when nothing happened",
}  # fmt: skip
NEXT = {
    "randomised": "hold back a random part", "holdout": "hold back a random part", "list": "hold back a random part of the list", "matching": "hold back a random part of the list", "everyone": "leave out a random part, or begin in some units first",
    "difference_in_differences": "begin in some units first", "staggered": "leave some units without it for longer", "synthetic_control": "keep the sales of more series that the action cannot touch", "interrupted_series": "keep a control series that the action cannot touch",
}  # fmt: skip
ARMS = {"treated": "Assigned to it", "control": "Held back", "difference": "Difference"}
SHOWN = 6  # pairs of actions that are named
GROUPS = {"contacted": "Called", "not contacted": "Not called, same scores", "normal check": "Check: formula for normal scores", "difference": "Difference"}


def missing(programme) -> str:
    """Return the end of the sentence on a page without actions, with what would be needed."""
    about = claims.about(programme, "action", "order")
    return f"say what they did and returned. A log of who was drawn into an action and who was held back, with the orders of both, would answer it.{about}".removesuffix(".")


def named(plan, name: str) -> str:
    """Return an action's name."""
    return _action(plan, name).name


def unit(outcome: str, currency: str) -> str:
    """Return the unit of an outcome for figures: money:EUR, percent or a noun."""
    return f"money:{currency}" if outcome in MONEY else "percent" if outcome == "retention" else "scale points" if outcome == "score" else outcome


def table(actions, chosen: dict) -> pd.DataFrame:
    """Return the actions as a table of words: name, who answers for it, how customers were chosen, with what it is compared (`chosen`: action id -> design and why), what it was meant to move, days, why."""
    return pd.DataFrame([
        {"action": action.name, "owner": action.owner or "nobody named", "chosen": CHOSEN[action.design], "compared": COMPARED[chosen[action.id][0]], "raise": OUTCOMES[action.outcome], "when": prose.date(action.start) + (f" to {prose.date(action.end)}" if action.end != action.start else ""), "why": action.why}
        for action in actions
    ])  # fmt: skip


def costs(actions, spent: dict, currency: str) -> list[str]:
    """Say what each action cost, and of the others, together, why that is not known."""
    said, unknown = [], {}
    for action in actions:
        if spent[action.id] is not None:
            said.append(f"{action.name} ({action.owner or 'no owner named'}) cost {prose.money(spent[action.id], currency)}.")
        else:
            abroad = action.currency if action.currency and (action.fixed_cost or action.people_days or action.unit_cost) else ""
            unknown.setdefault(abroad, []).append(action.name)
    for abroad, names in unknown.items():
        it, costs = ("it", "cost is") if len(names) == 1 else ("they", "costs are")
        why = f"{'its' if it == 'it' else 'their'} {costs} in {abroad}, and [[rates]] of programme.toml hold none of its first day or before" if abroad else f"nobody wrote down what {it} cost"
        said.append(f"{prose.join(names)}: {why}, so no return can be computed; add {'the rate' if abroad else 'fixed_cost or unit_cost to plan.toml, or costs to the log'}.")
    return said


def effects(found: pd.DataFrame, plan, spent: dict, currency: str) -> list:
    """Say what each action did, the verb by its grade and interval, with the grade and its reason beneath; without a comparison what was spent, that the effect is unknown, and what would give it."""
    said, alike = [], {}
    for row in found.to_dict("records"):
        action = _action(plan, row["action"])
        told = row["grade"] != "E" and row["estimate"] == row["estimate"]
        small = f"Grade {row['grade']}: {row['reason']}. Compared with {row['comparison']}{_plain(row, currency)}.{_note(row)}" if told else ""
        name, text = action.name, _effect(row, action, spent.get(action.id), currency, plan) + _open(row)
        if row["estimate"] != row["estimate"] and text.startswith(f"{name}: "):
            alike.setdefault(text.removeprefix(f"{name}: "), []).append(name)
        else:
            said.append((text, small))
    said += [(f"{prose.join(names)}{', each' if len(names) > 1 else ''}: {text}", "") for text, names in alike.items()]
    return said or ["No action of this programme has an effect that is measured here."]


def checks(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say how the checks of each design came out; a check that fails by its p is named, and what it would mean; then how far a difference in trend could reach, and who holds most."""
    said = []
    for row in found[found["estimate"].notna()].to_dict("records"):
        made = [name for name in CHECKS if row[name] == row[name]]
        if not made and not row["largest"] > 0.25:
            continue
        failed = [f"{AGAINST[name]} ({prose.p_value(row[name])})" for name in made if row[name] < 0.01]
        parts = prose.join(f"{CHECKS[name]} ({prose.p_value(row[name])})" for name in made if not row[name] < 0.01)
        verdict = f" Against it speaks: {prose.join(failed)}. Then the two are not comparable, and the difference is not the action's alone." if failed else ""
        if row["bound"] == row["bound"]:
            verdict += f" A difference in trend that the time before allows would give an effect of {_amount(row['bound'], row, currency)} by itself; the effect is {_amount(abs(row['estimate']), row, currency)}."
        if row["largest"] > 0.25:
            verdict += f" One customer holds {prose.percent(row['largest'])} of an arm's {OUTCOMES[row['outcome']]}."
        said.append(f"{_action(plan, row['action']).name}: {parts}.{verdict}" if parts else f"{_action(plan, row['action']).name}:{verdict}")
    return said


def path_title(path: pd.DataFrame, plan) -> str:
    """Return the title of the figure of an action's path, by what it shows."""
    kinds, name = set(path["kind"]), named(plan, path["action"].iloc[0])
    return f"{name}: {'effect by time since it began' if 'event' in kinds else 'observed, and what was to be expected' if 'observed' in kinds else 'how alike both groups are' if 'before' in kinds else 'outcome a customer, by arm'}"


def path_caption(path: pd.DataFrame) -> str:
    """Return its caption."""
    kinds = set(path["kind"])
    if "event" in kinds:
        return "Difference to units not yet or never treated, against the mean of the time before, with 95 % intervals (units as clusters)."
    if "observed" in kinds:
        return "What the comparison says the series would have been; the band is the 95 % interval of its prediction, where there is one."
    if "before" in kinds:
        return "Standardised differences between customers on the list and the others; between the dotted lines they count as alike."
    return "Mean of those assigned to it and of those held back (where both brought the same before, if that is known), and their difference, with 95 % intervals."


def behind(path: pd.DataFrame, outcome: str, currency: str) -> pd.DataFrame:
    """Return the numbers behind the figure of an action's path: the arms by name, periods by their number alone, how alike both groups are in standard deviations."""
    kinds, drop, name = set(path["kind"]), ["action"], {}
    if kinds <= set(ARMS):
        path, drop, name = path.assign(label=path["label"].replace(ARMS)), ["action", "kind", "at"], {"label": "group"}
    elif kinds == {"event"}:
        drop, name = ["action", "kind", "label"], {"at": "periods since it began"}
    elif kinds <= {"before", "after"}:
        path, drop, name = path.assign(kind=path["kind"] + " weighting"), ["action", "at"], {"label": "what", "estimate": "standardised difference"}
    shown = path.drop(columns=drop).rename(columns=name)
    return claims.numbers(shown, unit(outcome, currency) if "estimate" in shown else "")


def overlaps(found: pd.DataFrame, plan) -> list[str]:
    """Say which actions met the same customers and cannot be told apart, and how the others are; of many pairs those with most customers in common."""
    met, name = found[found["shared"] > 0], lambda one: _action(plan, one).name
    told = lambda rows: prose.join(f"{name(row.action)} and {name(row.other)} ({prose.plural(row.shared, row.of[:-1])})" for row in rows.itertuples())

    def some(rows):
        pairs = _pairs(rows)
        if len(pairs) <= SHOWN:
            return told(pairs)
        return told(pairs.sort_values("shared", ascending=False, kind="stable").head(SHOWN)) + f", and {len(pairs) - SHOWN} more pairs that had fewer in common"

    mixed = met[met["separated"] == 0]
    both = {frozenset(pair) for pair in zip(mixed["action"], mixed["other"])}
    apart = met[pd.Series([frozenset(pair) not in both for pair in zip(met["action"], met["other"])], index=met.index, dtype=bool)]  # what one of the two cannot tell apart is not called so
    said = [f"Not told apart, so what is said of the one is of both together: {some(mixed)}."] if len(mixed) else []
    lots, lists = apart[apart["p"].notna()], apart[apart["p"].isna()]
    alone = lists["note"].str.contains("second alone stand", regex=False)
    beside, left = lists[alone], lists[~alone]
    said += [f"Told apart, because both arms of a lot had the other action as often: {some(lots)}."] if len(lots) else []
    said += [f"Told apart as far as lists can be, because customers who had the other action alone stand for those who had both: {some(beside)}."] if len(beside) else []
    said += [f"Told apart by leaving out those who had both: {some(left)}."] if len(left) else []
    return said or ["No customer had two of these actions at the same time."]


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of actions once, whichever comes first."""
    return rows.loc[~pd.Series([frozenset(pair) for pair in zip(rows["action"], rows["other"])], index=rows.index).duplicated()]


def overlap_table(found: pd.DataFrame, plan) -> pd.DataFrame:
    """Return the overlap as a table: action by action (numbered), customers who had both."""
    found = found[found["of"] == "customers"]
    names = list(dict.fromkeys(found["action"]))
    counts = {(row.action, row.other): row.shared for row in found.itertuples()} | {(row.action, row.action): row.n for row in found.itertuples()}
    place = {name: f"{spot}" for spot, name in enumerate(names, start=1)}
    return pd.DataFrame([{"no": place[one], "action": _action(plan, one).name, **{place[other]: counts.get((one, other), 0) for other in names}} for one in names], columns=["no", "action", *place.values()])


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


def tests(found: pd.DataFrame, recovered: pd.DataFrame, plan) -> pd.DataFrame:
    """Return effects and recoveries (secondary) and the checks of their designs (never adjusted) as rows of the ledger, in words; where nothing fair is compared, no p tests anything."""
    name = lambda row: _action(plan, row["action"]).name
    gaps = recovered[recovered["group"] == "difference"].assign(outcome="score")
    made = [claims.tests(part, study=STUDY, family="effects", kind="secondary", key=KEY, what=lambda row: f"{name(row)} changes {OUTCOMES[row['outcome']]}") for part in (found[found["grade"] != "E"], gaps)]
    for check, words in CHECKS.items():
        own = found.assign(p=found[check], check=check, estimate=float("nan"), conf_low=float("nan"), conf_high=float("nan"))
        made.append(claims.tests(own, study=STUDY, family="design", kind="check", key=["action", "check"], what=lambda row, words=words: f"{name(row)}: {words}"))
    return pd.concat([part for part in made if len(part)] or made[:1], ignore_index=True)


def rows(found: pd.DataFrame, recovered: pd.DataFrame, spent: dict, plan, currency: str) -> pd.DataFrame:
    """Return the claims: the effect of each action by its grade, recoveries after low scores, and for actions without a comparison what was spent and cannot be told."""
    made = []
    for place, row in enumerate(found.to_dict("records")):
        action = _action(plan, row["action"])
        told = _effect(row, action, spent.get(action.id), currency, plan)
        if row["grade"] == "E" or row["p"] != row["p"]:
            made.append(claims.claim(f"roi.{action.id}.effect", STUDY, told, row=row, unit="", base="no comparison" if row["grade"] == "E" else row["comparison"], grade=row["grade"], rank=7.5 + place / 100))
            continue
        zero = not (row["conf_low"] > 0 or row["conf_high"] < 0)
        null = told if zero else f"{action.name} showed no detectable effect on {OUTCOMES[row['outcome']]} once all tests of this report are counted."
        base = f"{prose.number(row['n_treated'])} assigned to it, {prose.number(row['n_control'])} held back" if row["design"] == "randomised" else f"Compared with {row['comparison']}"
        made.append(claims.claim(f"roi.{action.id}.effect", STUDY, told, text_null=null, row=row, unit=f"{unit(row['outcome'], currency).removeprefix('money:')} per {row['per']}", base=base, p=row["p"], test_id=claims.test_id(STUDY, row, KEY), grade=row["grade"], rank=2.5 + place / 10 + ("ABCDE".index(row["grade"]) > 1) * 2))
    for action, group in recovered.groupby("action", sort=False):
        gap, one = (group[group["group"] == kind].iloc[0].to_dict() for kind in ("difference", "contacted"))
        known, test = gap["p"] == gap["p"], gap | {"outcome": "score"}
        text = recovery(group, plan)[0]
        null = f"{_action(plan, action).name}: whether calling did more than time does by itself cannot be told. {text.split(': ', 1)[1]}"
        cost = f" {prose.money(spent[action], currency)} was spent." if spent.get(action) else ""
        made.append(claims.claim(f"roi.{action}.recovery", STUDY, text + cost, text_null=null + cost, row=gap, unit="share", base=prose.plural(int(one["n"]), "person called and asked again", "people called and asked again"), p=gap["p"], test_id=claims.test_id(STUDY, test, KEY) if known else "", grade="C" if known else "E", rank=6))
    return claims.frame(made)


def _effect(row, action, spent, currency: str, plan) -> str:
    if row["grade"] == "E":
        cost = f"{prose.money(spent, currency)} spent; " if spent else "what it cost is not known; " if spent is None else ""
        seen, against = row["estimate"] == row["estimate"], row["n_control"] > 0
        why = row["reason"] if seen and against else "no control series" if seen else "no comparison group" if (row["design"] == "none" and action.design == "everyone") or not row["note"] else row["note"][:1].lower() + row["note"][1:]
        beside = ""
        if seen:
            than = "the comparison gives, with whatever had set the two apart before" if against else "its past would have given, with everything else that happened in it"
            beside = f" {OUTCOMES[row['outcome']][:1].upper()}{OUTCOMES[row['outcome']][1:]} came to {_amount(abs(row['estimate']), row, currency)} {'more' if row['estimate'] > 0 else 'less'} a {row['per']} than {than}."
        waiting = "cannot be counted yet" in why  # it takes time, not another design
        remedied = any(words in why for words in ("; add ", "would give it", "would name them"))  # a file is lacking, no design
        tail = "" if remedied else f" It can be told from {prose.date(action.end + pd.Timedelta(days=action.window_days))} on." if waiting else f" Next time {NEXT[action.design]}."
        unknown = "no effect of its own" if "the effect of both together" in why else "effect unknown"
        return f"{action.name}: {cost}{unknown}: {why}.{beside}{tail}"
    if row["estimate"] != row["estimate"]:
        return f"{action.name}: {row['note'] or 'its effect cannot be estimated'}. Next time {NEXT[action.design]}."
    beside = [_action(plan, name).name for name in str(row["together"]).split(", ") if name] if row["joint"] else []
    subject, when = action.name + (f" together with {prose.join(beside)}" if beside else ""), f"a {row['per']}" if row["per"] else ""
    size, of = _amount(abs(row["estimate"]), row, currency), OUTCOMES[row["outcome"]]
    if row["conf_low"] != row["conf_low"]:
        return f"{subject}: {of} {'higher' if row['estimate'] > 0 else 'lower'} by {size} {when}; how sure that is cannot be told ({row['note']})."
    limits = f"95 % interval {_range(row, currency)}"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        return f"{subject} showed no detectable effect on {of} ({_amount(row['estimate'], row, currency, sign=True)} {when}, {limits})."
    verb = ("raised" if row["estimate"] > 0 else "lowered") if row["grade"] in "AB" else "went with a higher" if row["estimate"] > 0 else "went with a lower"
    if verb.startswith("went"):
        return f"{subject} {verb.replace(' a ', ' ')} {of.removeprefix('the ')}: {_amount(row['estimate'], row, currency, sign=True)} {when} ({limits})."
    return f"{subject} {verb} {of} by {size} {when} ({limits})."


def _amount(value, row, currency: str = "", *, sign=False) -> str:
    """Return an amount of an outcome in words; money in the currency, shares as percentage points."""
    kind = row["outcome"]
    plus = "+" if sign and value > 0 else ""
    if kind in MONEY:
        return plus + (prose.money(value, currency) if currency else prose.number(value, digits=2))
    if kind == "retention":
        return f"{plus}{prose.number(value * 100, digits=1)} percentage points"
    return f"{plus}{prose.number(value, digits=2 if abs(value) < 10 else 0)}{' scale points' if kind == 'score' else ''}"


def _range(row, currency: str) -> str:
    if row["outcome"] in MONEY:
        return prose.interval(row["conf_low"], row["conf_high"], f"money:{currency}")
    if row["outcome"] == "retention":
        return prose.interval(row["conf_low"], row["conf_high"], "percentage points")
    return prose.interval(row["conf_low"], row["conf_high"], "scale point" if row["outcome"] == "score" else "number")


def _open(row) -> str:
    if row["cut"]:
        return f" {prose.plural(row['cut'], 'customer')} whose window is not over {'is' if row['cut'] == 1 else 'are'} left out; the return is counted when all windows are over."
    return ""


def _plain(row, currency: str) -> str:
    """Return what the plain difference would have said: of a list, and of a lot whose arms are compared at the same past."""
    if row.get("naive", float("nan")) != row.get("naive", float("nan")):
        return ""
    plain = _amount(row["naive"], row, currency, sign=True)
    return f"; the plain difference of both arms reads {plain}" if row["design"] == "randomised" else f"; with nothing made alike the difference to all others would read {plain}"


def _note(row) -> str:
    return f" {row['note'][:1].upper()}{row['note'][1:]}." if row["note"] else ""


def _gap(row) -> str:
    gap = prose.points(row["estimate"] * 100)
    return f"{gap} percentage point{'' if gap[1:] == '1' else 's'} (95 % interval {prose.points(row['conf_low'] * 100)} to {prose.points(row['conf_high'] * 100)})"


def _action(plan, name: str):
    return next(action for action in plan.actions if action.id == name)
