"""What is said of those just below a threshold, of the list that goes to those who act, and of what a point of the key figure goes with."""

import pandas as pd

from cxlib import schema
from cxlib.show import claims, prose
from cxlib.show.claims import thresholds

BASES = {"observed": "As observed", "adjusted": "Others held", "within": "Within customers"}
WORDS = {"stays": "stay as customers", "spend": "spend", "margin": "margin", "contacts": "contacts with the company", "service": "cost to serve", "referrals": "customers brought by recommendation"}
FATES = {"crossed": "Scored above it since", "stayed": "Scored below it since", "silent": "Not asked, or no answer", "left": "No customer any more"}
WAYS = {"year": "Fiscal year", "quarter": "Quarter", "brand": "Brand", "country": "Country", "measure": "Measure"}


def mood(held) -> str:
    """Say how much of one answer is lasting opinion, or why that cannot be told."""
    if held.note:
        return f"How much of one answer is the mood of the day {claims_reason(held.note)}; scores are then taken as they are, and a threshold may look blurred."
    return (
        f"One answer is {prose.percent(held.reliability)} lasting opinion and the rest mood of the day (95 % interval {prose.interval(held.low, held.high, 'percent')}, from {prose.number(held.customers)} customers who were asked again within 200 days, {prose.number(held.days, digits=0)} days later in the middle). "
        "Opinions that changed in between count as mood, so the lasting part may be larger. The threshold is looked for in the lasting opinion, told as the score that customers usually give."
    )


def reliability(held) -> pd.DataFrame:
    """Return what is known of the lasting opinion as a finding."""
    return pd.DataFrame([{"estimate": held.reliability, "conf_low": held.low, "conf_high": held.high, "n": held.customers, "pairs": held.pairs, "days": held.days, "note": held.note}])


def columns(finding: str) -> list[str]:
    """Return the columns of a finding, for frames that may hold nothing yet."""
    return [column.name for column in schema.finding(finding)]


def words(programme):
    """Return a function that gives the words for an item, a survey or a source of what is compared."""
    known = {"survey": "ratings", "contact": "contacts", "complaint": "complaints", "social": "social media", "event": "failures and use"}
    return lambda name: known.get(name) or programme.label(name)


def claims_reason(note: str) -> str:
    """Return a note such as 'not estimable (few)' as the end of a sentence: 'cannot be told (few)'."""
    return note.replace("not estimable", "cannot be told")


def holds(parts: pd.DataFrame, more: pd.DataFrame, programme) -> list[str]:
    """Say whether a threshold holds over time and over the segments, on the scores as ticked, and whether there is another."""
    said = []
    for group in dict.fromkeys([*parts["group"], *more["group"]]):
        opening = thresholds._opening(programme, group)
        for by, cut in parts[parts["group"] == group].groupby("by", sort=False):
            said.append(claims.say(opening, _held(by, cut.to_dict("records"), programme)))
        for row in more[more["group"] == group].to_dict("records"):
            said.append(claims.say(opening, _another(row, programme.currency)))
    return said or ["No threshold shows, so there is nothing to hold over the parts."]


def _held(by: str, rows: list[dict], programme) -> str:
    if by == "measure":
        row = rows[0]
        seen = f", {thresholds.place(row)} ({thresholds.span(row)})" if row["p"] <= 0.05 else ""
        return f"on the scores as ticked, mood and all, {'one shows too' if row['p'] <= 0.05 else 'it does not show'} ({prose.p_value(row['p'])}){seen}; the mood draws it out there."
    live, few = [row for row in rows if row["common"] == row["common"]], [row for row in rows if row["common"] != row["common"]]
    gone = "" if not few else f" Nothing can be told of {prose.join(_value(programme, by, row['value']) for row in few) if len(few) < 4 else prose.plural(len(few), 'part')}: too few customers."
    name = _way(programme, by)
    if len(live) < 2:
        return f"whether it is the same by {name[:1].lower()}{name[1:]} cannot be told: {'no part' if not live else 'only one part'} has 100 customers.{gone if live else ''}"
    size = lambda row: f"{thresholds.amount(row['common'], 'spend', programme.currency)} ({thresholds.amount(row['common_low'], 'spend', programme.currency)} to {thresholds.amount(row['common_high'], 'spend', programme.currency)})"
    ends = sorted(live, key=lambda row: row["common"])
    words = prose.join(f"{_value(programme, by, row['value'])} {size(row)}" for row in live) if len(live) < 5 else f"from {size(ends[0])} in {_value(programme, by, ends[0]['value'])} to {size(ends[-1])} in {_value(programme, by, ends[-1]['value'])}, {prose.plural(len(live), 'part')}"
    p, whole = live[0]["p_same"], live[0]["p_same_holm"]
    verdict = "the parts do not differ detectably" if p > 0.05 else "the parts differ, so it is not one threshold for all" if whole <= 0.05 else "the parts differ, but no more than one of so many cuts would by chance"
    shown = prose.p_value(p) if p > 0.05 else f"{prose.p_value(p)}, over all cuts {prose.p_value(whole)}"
    return f"the change there by {name[:1].lower()}{name[1:]}: {words}; {verdict} ({shown}).{gone}"


def _way(programme, by: str) -> str:
    return WAYS.get(by) or programme.label(by)


def _value(programme, by: str, value: str) -> str:
    values = next((segment.values for segment in programme.segments if by in (segment.field, segment.id)), {})
    return values.get(value, value)


def _another(row, currency: str) -> str:
    if row["note"]:
        return f"whether there is another threshold cannot be told: {row['note']}."
    what = "second" if row["order"] == 2 else "third"
    place = f", at {prose.number(row['estimate'], digits=1)}" if row["p"] <= 0.05 else ""
    return f"a {what} threshold {'shows' if row['p'] <= 0.05 else 'does not show'} ({prose.p_value(row['p'])}){place}."


def parts(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the threshold part by part as a table of words, where it was looked for anew."""
    shown = found[(found["by"] != "quarter") & (found["note"] == "")]
    rows = [
        {"group": thresholds.named(programme, row["group"]) or "All", "part": f"{_way(programme, row['by'])}: {_value(programme, row['by'], row['value'])}", "customers": int(row["customers"]),
         "place": "; ".join(f"{thresholds.KINDS[one['shape']]} {thresholds.place(one)}" for one in thresholds.readings(row)), "interval": thresholds.span(row), "p": row["p"]}
        for row in shown.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "part", "customers", "place", "interval", "p"])


def tests(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the tests that the parts do not differ, a cut each: checks of the threshold, told over all cuts on the page."""
    once = found[found["p_same"].notna()].drop_duplicates(["group", "by"]) if len(found) else found
    rows = once.assign(n=found.groupby(["group", "by"])["n"].transform("sum"), estimate=float("nan"), conf_low=float("nan"), conf_high=float("nan"), p=once["p_same"], outcome="same") if len(once) else once.assign(outcome="")
    return claims.tests(rows, study=thresholds.STUDY, family="stability", kind="check", key=["group", "outcome", "by"], what=lambda row: f"Threshold of spend the same by {_way(programme, row['by']).lower()}{f', {name}' if (name := thresholds.named(programme, row['group'])) else ''}")


def below(found, programme, found_thresholds: pd.DataFrame) -> list[str]:
    """Say how many stand just below, what is at stake a year, or why nobody can be named."""
    if found.listed.empty:
        none = found_thresholds[(found_thresholds["outcome"] == "spend") & (found_thresholds["p_holm"] <= 0.05)]
        return ["Without a threshold nobody stands just below one: no list is made. More answers of customers who are asked again, or a year more of orders, would tell more." if none.empty else "A threshold shows, but either it lowers spend or the mood of the day cannot be told from opinion, so nobody is put on a list."]
    said = []
    for group, own in found.listed.groupby("group", sort=False):
        stood = found.stood[found.stood["group"] == group]
        each, whole = (found.stakes[(found.stakes["group"] == group) & (found.stakes["measure"] == name)].iloc[0] for name in ("each", "all"))
        money = "margin" if each["value"] == "margin" else "sales"
        sizes = [prose.probability(own["p_below"].quantile(part)) for part in (0.1, 0.9)]
        said.append(claims.say(thresholds._opening(programme, group), f"of {prose.number(len(stood))} present customers who answered within the year, {prose.number(len(own))} are expected just below it, by no more than a tenth of the scale. The chance that one of them really is below runs from {sizes[0]} to {sizes[1]} (the middle eight of ten): mood and the interval of the threshold are in it."))
        verdict = f"{prose.money(whole['estimate'], programme.currency)} of {money} a year for all of them, each counted by the chance to be below (95 % interval {prose.interval(whole['conf_low'], whole['conf_high'], f'money:{programme.currency}')}), {prose.money(each['estimate'], programme.currency, digits=0)} a customer"
        held = "The interval holds nothing, so what is at stake cannot be told from nothing: " if whole["conf_low"] <= 0 <= whole["conf_high"] else ""
        said.append(f"{held}At stake is {verdict}, if they came to be like those above. That is what they differ by, not what lifting them would bring (grade D).")
    return said


def list_sentences(found, programme, survey: str, name: str, told: str) -> list[str]:
    """Say where the list is, who is left alone and how the next quarter learns from it, or which use of the promise is missing."""
    if found.listed.empty:
        return []
    if not found.may:
        return [f"No list is written: what was promised to those who answered the {programme.label(survey)} permits neither case nor target, so nobody may be approached because of an answer. A survey that asks for it would permit one."]
    control = int((found.listed["arm"] == "control").sum())
    alone = f"{prose.plural(control, 'customer')} of {prose.number(len(found.listed))}, drawn by lot, {'is' if control == 1 else 'are'} left alone and not on it" if programme.holdout.share else f"nobody is left alone, because: {programme.holdout.reason}"
    return [part for part in (
        f"The list is lists/{name}.csv in the folder of this draft; {alone}. It stays here when the report is published.",
        f"lists/{name}_log.csv says who was drawn into which arm. With days and costs of delivery filled in and read as a source of actions, and with the lines of lists/{name}_plan.toml in plan.toml, the next report counts what the list did against those left alone (grade A)." if programme.holdout.share else "",
        told,
    ) if part]  # fmt: skip


def worse(found: pd.DataFrame, label) -> list[str]:
    """Say what went worse for those just below than for those just above, as far as it survives all comparisons made."""
    if found.empty:
        return []
    live = found[found["p_bh"] <= 0.05]
    if live.empty:
        return [f"Of {prose.plural(found['p'].notna().sum(), 'thing')} compared between those just below and those just above, none differs by more than chance would give among so many; the table shows the nearest."]
    return [f"{_what(row, label)}: {_side(row, 'below')} of those just below against {_side(row, 'above')} of those just above (difference {_gap(row)})." for row in live.head(5).to_dict("records")]


def _what(row, label) -> str:
    name = label(row["what"])
    return {"rating": f"Rating of {name}", "share": f"{str(name)[:1].upper()}{str(name)[1:]} ({label(row['source'])})"}[row["measure"]]


def _side(row, side: str) -> str:
    return prose.percent(row[side]) if row["measure"] == "share" else prose.number(row[side], digits=1)


def _gap(row) -> str:
    if row["measure"] == "share":
        return f"{prose.points(row['estimate'] * 100)} percentage points, 95 % interval {prose.points(row['conf_low'] * 100)} to {prose.points(row['conf_high'] * 100)}"
    return f"{prose.number(row['estimate'], digits=1)} points of the scale, 95 % interval {prose.number(row['conf_low'], digits=1)} to {prose.number(row['conf_high'], digits=1)}"


def compared(found: pd.DataFrame, label, *, most: int = 12) -> pd.DataFrame:
    """Return the comparisons nearest to a difference as a table of words."""
    rows = [{"what": _what(row, label), "below": _side(row, "below"), "above": _side(row, "above"), "difference": _gap(row).replace("95 % interval ", ""), "n": row["n"], "p": row["p"], "p_adjusted": row["p_bh"]} for row in found.head(most).to_dict("records")]
    return pd.DataFrame(rows, columns=["what", "below", "above", "difference", "n", "p", "p_adjusted"])


def fates(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return what became of those who stood just below a quarter ago, as a table of words."""
    rows = [
        {"group": thresholds.named(programme, row["group"]) or "All", "fate": FATES[row["what"]], "count": row["count"], "share": prose.percent(row["estimate"]) if row["estimate"] == row["estimate"] else "–",
         "interval": prose.interval(row["conf_low"], row["conf_high"], "percent") if row["conf_low"] == row["conf_low"] else "–", "expected": prose.percent(row["expected"]) if row["expected"] == row["expected"] else "–"}
        for row in found.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "fate", "count", "share", "interval", "expected"])


def followed(found: pd.DataFrame, programme, quarter: str) -> list[str]:
    """Say what became of last quarter's list, beside what mood alone would give."""
    said = []
    for group, own in found.groupby("group", sort=False) if len(found) else []:
        row = own.set_index("what").loc["crossed"]
        if not row["n"]:
            said.append(claims.say(thresholds._opening(programme, group), f"of {prose.number(own['n'].max())} who stood just below a quarter ago nobody has answered since."))
            continue
        verdict = "more than" if row["conf_low"] > row["expected"] else "fewer than" if row["conf_high"] < row["expected"] else "no detectable difference from"
        said.append(claims.say(thresholds._opening(programme, group), f"of {prose.number(own['n'].max())} who stood just below a quarter ago, {prose.number(row['n'])} answered again, of whom {prose.percent(row['estimate'])} scored above it ({prose.interval(row['conf_low'], row['conf_high'], 'percent')}): {verdict} the {prose.percent(row['expected'])} that the mood of the day alone would give."))
    return said


def point(found: pd.DataFrame, kpi, programme, seen: tuple[float, float], customers: int) -> list[str]:
    """Say what a step of the key figure goes with a customer and year: as observed, with others held, within customers; never more than grade C, and what cannot be told."""
    nps = kpi.definition == "nps_0_10"
    step = f"10 points of {programme.label(kpi.id)} (five of a hundred customers from detractor to promoter)" if nps else f"a point of {programme.label(kpi.item)}"
    said = []
    for outcome, own in found[found["outcome"] != ("contacts" if (found["outcome"] == "service").any() else "")].groupby("outcome", sort=False):
        rows = own.set_index("basis")
        bits = [f"{words.lower()} {_step(rows.loc[basis], outcome, programme.currency)}" for basis, words in BASES.items() if basis in rows.index and not rows.loc[basis, "note"]]
        said += [f"{WORDS[outcome][:1].upper()}{WORDS[outcome][1:]}: {step} more {'goes' if not nps else 'go'} with {'; '.join(bits)}."] if bits else []
    if not said:
        return ["Too few customers can be followed for a year to say what a point goes with."]
    if seen[0] == seen[0]:
        ends = f"{prose.points(seen[0])} to {prose.points(seen[1])}" if nps else f"{prose.number(seen[0], digits=1)} to {prose.number(seen[1], digits=1)}"
        ran = f"By quarter the key figure ran from {ends} among those followed; a step" if seen[1] > seen[0] else "The key figure of those followed stands at one level only, so that no range is seen; a step"
        said.append(f"{ran} beyond that range was never seen, and is not told. As observed is grade D, with others held grade C. Where the figure within customers is small beside the others, it is who they are rather than what changed.")
    return said + _untold(set(found["outcome"]), programme)


def _untold(outcomes: set, programme) -> list[str]:
    """Say what of retention, cost to serve and referral cannot be told, and what would tell."""
    said = [] if "stays" in outcomes else ["Retention cannot be told: the customer file names nobody who left; a last day for those who did would tell it."]
    if "contacts" not in outcomes:
        said.append("No contacts are held, so cost to serve cannot be told; a log of contacts by customer would tell it.")
    elif "service" not in outcomes:
        said.append("What a contact costs is not declared (finance.contact_cost), so cost to serve is told in contacts.")
    if "referrals" not in outcomes:
        lacks = f"no event of the kinds named in 'referrals' ({prose.join(programme.referrals)}) stands in the files" if programme.referrals else "who recommended whom stands in no file here"
        said.append(f"Referral cannot be told: {lacks}. A file of events, one for each customer who came by recommendation, with the day and the key of who recommended, read as a source of events and its kind named in 'referrals', would tell it.")
    return said


def _step(row, outcome: str, currency: str) -> str:
    """A figure with its interval; where the interval holds nothing, that there is no detectable difference."""
    if outcome == "stays":
        told, unit = (lambda value: prose.points(value * 100, digits=1)), " percentage points"
    elif outcome == "referrals":
        told, unit = (lambda value: prose.number(value * 100, digits=1)), " per 100 customers"
    else:
        told, unit = (lambda value: prose.number(value, digits=2)) if outcome == "contacts" else (lambda value: prose.money(value, currency, digits=2)), " a customer"
    limits = f"({told(row['conf_low'])} to {told(row['conf_high'])})"
    return f"no detectable difference {limits}" if row["conf_low"] <= 0 <= row["conf_high"] else f"{told(row['estimate'])}{unit} {limits}"


def classes(found: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the year after by class at the survey as a table of words: a row a class, a column an outcome."""
    cell = lambda row: prose.percent(row["estimate"], digits=1) if row["unit"] == "share" else prose.money(row["estimate"], currency, digits=0) if row["unit"] == "money" else prose.number(row["estimate"], digits=3 if row["unit"] == "referrals" else 1)
    ends = lambda row: "" if row["conf_low"] != row["conf_low"] else f" ({cell({**row, 'estimate': row['conf_low']})} to {cell({**row, 'estimate': row['conf_high']})})"
    wide = {name: {row["outcome"]: f"{cell(row)}{ends(row)}" for row in own.to_dict("records")} | {"n": int(own["n"].max())} for name, own in found.groupby("class", sort=True)}
    out = pd.DataFrame.from_dict(wide, orient="index").rename_axis("class").reset_index()
    heads = {"stays": "Still a customer", "spend": "Spend", "margin": "Margin", "contacts": "Contacts", "service": "Cost to serve", "referrals": "Recommended to"}
    return out[["class", *(name for name in heads if name in out), "n"]].rename(columns=heads)
