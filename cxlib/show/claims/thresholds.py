"""What the study of the value of satisfaction says: who is followed, what goes with the score, whether there is a threshold and where."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "06_value_threshold"
OUTCOMES = {"visits": "days with a purchase", "per_visit": "spend a day with a purchase", "spend": "spend"}
KEY = ["group", "outcome"]
WORDS, OTHER, KINDS = {"jump": "the level jumps", "hinge": "the slope turns"}, {"jump": "hinge", "hinge": "jump"}, {"jump": "jump", "hinge": "turn"}


LACKS = {
    "orders": ("orders of known customers", "A file of orders with the customer's key, the day and the amount would answer it"),
    "score": ("answers to a question on satisfaction with a scale of four points or more", "A short survey of known customers would answer it"),
    "link": ("survey whose promise permits to link answers to orders", "The use 'link', promised to those who answer from now on, would answer it"),
    "key": ("answers that carry the key of a customer", "Invitations by the customer file, and their key in the answers, would answer it"),
    "few": ("group of 30 customers whose answers can be linked to orders", "More answers of customers who buy, with the days after the answer behind them, would answer it"),
}  # fmt: skip


def missing(programme, lacks: str, more: str = "") -> tuple[str, str]:
    """Return what is not there, and the end of the sentence on a page that cannot say what satisfaction is worth: what would answer it."""
    what, remedy = LACKS[lacks]
    return what, f"say what satisfaction is worth. {remedy}.{more}{claims.about(programme, 'order', 'link', 'spend', 'sales', 'asked', 'survey')}".removesuffix(".")


def needed(stretch: pd.DataFrame, currency: str, days: int) -> str:
    """Say how many customers would have to answer for a difference of a tenth of today's spend to be seen, from how much spend differs today."""
    spend = stretch["later_spend"].astype(float)
    if len(spend) < 30 or not spend.mean() > 0:
        return ""
    gap = spend.mean() / 10
    size = 4 * (1.96 + 0.84) ** 2 * spend.var() / gap**2
    return f" A difference of {prose.money(gap, currency, digits=2)}, a tenth of what a customer spends in {days} days, between those above and those below a level would be seen with 80 % power from about {prose.number(round(size, 1 - len(str(int(size))) + 1))} customers who answer, half of them above it."


def named(programme, group: str) -> str:
    """Return a form of contract in words; "" where customers are not told apart."""
    words = next((segment.values for segment in programme.segments if segment.field == "contract"), {})
    return "" if group == "all" else words.get(group, str(group))


def base(found: pd.DataFrame, sentence: str, customers: int) -> list[str]:
    """Say who is followed, step by step, and how sure the links are."""
    first, last = found.iloc[0], found.iloc[-1]
    steps = prose.join(f"{prose.number(row.n)} {row.step}" for row in found.iloc[1:].itertuples())
    return [sentence, f"Of {prose.number(first['n'])} who answered the question, {steps}: {prose.percent(last['share'])}, from {prose.plural(customers, 'customer')}. The others are not in any figure of this page."]


def spread(held: dict, alone: pd.DataFrame, currency: str) -> list[str]:
    """Say how much hangs on single customers, on returns and on those who bought nothing."""
    returned = f", {prose.plural(held['returned'], 'answer')} by more returns than purchases, which counts as negative" if held["returned"] else ""
    said = [f"The largest customer holds {prose.percent(held['share'], digits=1)} of the spend; {prose.percent(held['nothing'], digits=1)} of the answers were followed by none{returned}."]
    if held["share"] > 0.1:
        said.append(f"One customer holds so much that every figure of spend here is also a figure about that customer. {_without(alone)}")
    return said


def _without(alone: pd.DataFrame) -> str:
    told = [f"{'' if row['group'] == 'all' else str(row['group']) + ': '}{_verdict(row)}" for row in alone.to_dict("records") if not row["note"]]
    return f"Without that customer: {'; '.join(told)}." if told else ""


def _verdict(row) -> str:
    return f"a threshold shows ({prose.p_value(row['p'])})" if row["p"] <= 0.05 else f"no threshold shows ({prose.p_value(row['p'])})"


def slopes(found: pd.DataFrame, programme, days: int) -> list[str]:
    """Say what a point of the score goes with, outcome by outcome; the verb follows the interval."""
    said = []
    for group, own in found.groupby("group", sort=False):
        parts = [_slope(row, programme.currency) for row in own.to_dict("records") if row["estimate"] == row["estimate"]]
        said += [claims.say(_opening(programme, group), f"in the {days} days after the answer a point more of the score goes with {prose.join(parts)}.")] if parts else []
    return said


def _slope(row, currency: str) -> str:
    size = amount(abs(row["estimate"]), row["outcome"], currency)
    limits = f"95 % interval {amount(row['conf_low'], row['outcome'], currency)} to {amount(row['conf_high'], row['outcome'], currency)}"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        return f"no detectable difference in {OUTCOMES[row['outcome']]} ({limits})"
    return f"{size} {'more' if row['conf_low'] > 0 else 'less'} {OUTCOMES[row['outcome']]} ({limits})"


def amount(value: float, outcome: str, currency: str) -> str:
    """Return an outcome in its unit: money, or a number of days."""
    return prose.number(value, digits=2 if abs(value) >= 0.1 or not value else 3) if outcome in ("visits", "contacts") else prose.money(value, currency, digits=2)


def found(rows: pd.DataFrame, programme, label: str) -> list:
    """Say for each form of contract whether spend has a threshold, where and how much changes, or what would have been seen."""
    return [claims.say(_opening(programme, row["group"]), _threshold(row, programme.currency, label)) for row in rows[rows["outcome"] == "spend"].to_dict("records")] or ["No group has enough customers to look for a threshold."]


def _opening(programme, group: str) -> str:
    name = named(programme, group)
    return f"{name}: " if name else ""


def _threshold(row, currency: str, label: str) -> str:
    if row["note"]:
        return f"whether there is a threshold cannot be told: {row['note']}."
    if row["p_holm"] > 0.05:
        return none(row, currency)
    if open_kind(row):
        return f"spend has a threshold {somewhere(row, label).removesuffix(')')}; {prose.p_value(row['p_holm'])}). {bend(row)}{both(row, currency)}"
    return f"spend has a threshold {place(row)} of {label} ({prose.p_value(row['p_holm'])}; 95 % interval {span(row)}). {change(row, currency)}{bend(row)}{kind(row)}"


def open_kind(row) -> bool:
    """Return whether neither a jump nor a turn of the slope is ruled out."""
    return bool(row["other"] == row["other"])


def somewhere(row, label: str) -> str:
    """Return the span of a threshold whose kind is not told: the interval is then all that is known of its place."""
    return f"somewhere from {span(row)} of {label} (95 % interval)"


def readings(row) -> list[dict]:
    """Return what is not ruled out, the jump first: a row a reading with shape, estimate, below, above, change and its limits."""
    one = {name: row[name] for name in ("shape", "estimate", "below", "above", "change", "change_low", "change_high")}
    if not open_kind(row):
        return [one]
    other = one | {"shape": OTHER[row["shape"]], "estimate": row["other"], "below": float("nan"), "above": float("nan"), "change": row["other_change"], "change_low": row["other_low"], "change_high": row["other_high"]}
    return sorted((one, other), key=lambda reading: reading["shape"] != "jump")


def both(row, currency: str) -> str:
    """Say that the kind cannot be told, and what each reading comes to; neither is put before the other, because the better fit of the two is often the wrong one."""
    told = [f"read as a {'jump' if one['shape'] == 'jump' else 'turn'}, {place(one)}, {_by(one, currency)}" for one in readings(row)]
    return f"Whether the level jumps or the slope turns there cannot be told from {prose.plural(int(row['customers']), 'customer')}: {'; '.join(told)}. More customers who are asked again would tell the two apart."


def _by(row, currency: str) -> str:
    what = "a customer above it spends" if row["shape"] == "jump" else "each further point goes with"
    limits = f"95 % interval {amount(row['change_low'], 'spend', currency)} to {amount(row['change_high'], 'spend', currency)}"
    sure = "" if row["change_low"] > 0 or row["change_high"] < 0 else ", an interval that holds nothing"
    return f"{what} {amount(abs(row['change']), 'spend', currency)} {'more' if row['change'] > 0 else 'less'} than the line below leads to expect ({limits}{sure})"


def none(row, currency: str) -> str:
    """Say that no threshold shows, and how large one would have had to be."""
    p = row["p_holm"] if row["p_holm"] == row["p_holm"] else row["p"]
    seen = f" A jump of {prose.money(row['detectable'], currency, digits=2)} or more a customer would have been seen in 80 of 100 such surveys; a smaller one may be there, and to see one half as large would take about {prose.number(round(4 * row['customers'], -2))} customers who answer and can be followed, four times as many." if row["detectable"] == row["detectable"] else ""
    return f"no threshold shows ({prose.p_value(p)}): a straight line does as well as any jump or bend.{seen}"


def place(row) -> str:
    """Return where the threshold lies, in words: between two scores, or at a usual score."""
    if row["below"] == row["below"] and row["shape"] == "jump":
        return f"between {prose.number(row['below'])} and {prose.number(row['above'])}"
    return f"at {prose.number(row['estimate'], digits=1)}"


def span(row) -> str:
    """Return the interval of the place."""
    digits = 0 if row["shape"] == "jump" and float(row["conf_low"]).is_integer() and float(row["conf_high"]).is_integer() else 1
    return f"{prose.number(row['conf_low'], digits=digits)} to {prose.number(row['conf_high'], digits=digits)}"


def change(row, currency: str) -> str:
    """Say how much changes at the threshold; the verb follows the interval over all places that are not ruled out."""
    what = "a customer spends" if row["shape"] == "jump" else "each further point goes with"
    limits = f"95 % interval {amount(row['change_low'], 'spend', currency)} to {amount(row['change_high'], 'spend', currency)}"
    if row["change_low"] <= 0 <= row["change_high"]:
        return f"Above it {what} {amount(abs(row['change']), 'spend', currency)} {'more' if row['change'] > 0 else 'less'}, but over all places it may lie the interval holds nothing ({limits}). "
    return f"Above it {what} {amount(abs(row['change']), 'spend', currency)} {'more' if row['change'] > 0 else 'less'} than the line below it leads to expect ({limits}). "


def bend(row) -> str:
    """Say whether a smooth curve would do as well."""
    if row["p_curve"] != row["p_curve"]:
        return ""
    return f"A smooth bend does not explain it ({prose.p_value(row['p_curve'])}). " if row["p_curve"] <= 0.05 else f"A smooth bend would explain it as well ({prose.p_value(row['p_curve'])}), so the point itself is not proved. "


def kind(row) -> str:
    """Say whether the level jumps or the slope turns, where the other is ruled out."""
    return "" if row["p_shape"] != row["p_shape"] else f"There {WORDS[row['shape']]}."


def shows(row) -> bool:
    """Return whether a threshold shows: of spend over all forms of contract, of what is explored beside it at 1 in 100."""
    return bool(not row["note"] and (row["p_holm"] <= 0.05 if row["outcome"] == "spend" else row["p"] <= 0.01))


def table(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return every outcome's threshold as a table of words, with places only where one shows; a threshold whose kind is open has both readings."""
    rows = []
    for row in found.to_dict("records"):
        live, size = shows(row), lambda one, row=row: f"{amount(one['change'], row['outcome'], programme.currency)}{' a point' if one['shape'] == 'hinge' else ''} ({amount(one['change_low'], row['outcome'], programme.currency)} to {amount(one['change_high'], row['outcome'], programme.currency)})"
        rows.append({
            "group": named(programme, row["group"]) or "All", "outcome": OUTCOMES[row["outcome"]].capitalize(), "customers": int(row["customers"]), "p": row["p_holm"] if row["outcome"] == "spend" else row["p"],
            "place": "; ".join(f"{KINDS[one['shape']]} {place(one)}" for one in readings(row)) if live else "not estimable" if row["note"] else "none shows",
            "interval": span(row) if live else "–", "change": "; ".join(size(one) for one in readings(row)) if live else "–", "note": row["note"],
        })  # fmt: skip
    return pd.DataFrame(rows)


def tests(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the tests of the study: spend by form of contract is what it decides on, the rest is explored, the smooth bend is a check."""
    what = lambda row: f"Threshold of {OUTCOMES[row['outcome']]}{f', {name}' if (name := named(programme, row['group'])) else ''}"
    shown = found.assign(conf_low=found["change_low"], conf_high=found["change_high"], estimate=found["change"])
    spend, rest = shown[shown["outcome"] == "spend"], shown[shown["outcome"] != "spend"]
    bends = spend[spend["p"].notna()].assign(p=spend["p_curve"], outcome="curve")
    return pd.concat([
        claims.tests(spend, study=STUDY, family="threshold", kind="secondary", key=KEY, what=what),
        claims.tests(rest, study=STUDY, family="chain", kind="exploratory", key=KEY, what=what),
        claims.tests(bends, study=STUDY, family="bend", kind="check", key=KEY, what=lambda row: f"Threshold beside a smooth bend{f', {name}' if (name := named(programme, row['group'])) else ''}"),
    ], ignore_index=True)  # fmt: skip


def rows(found: pd.DataFrame, near, programme, label: str, survey: str) -> pd.DataFrame:
    """Return the claims of the study: the threshold of each form of contract, and what is at stake for those just below it."""
    made = []
    for rank, row in enumerate(found[(found["outcome"] == "spend") & (found["note"] == "")].to_dict("records")):
        opening, test = _opening(programme, row["group"]), claims.test_id(STUDY, row, KEY)
        base = f"{prose.plural(int(row['customers']), 'customer')} linked to orders, {prose.number(row['n'])} answers ({programme.label(survey)})"
        where = somewhere(row, label) if open_kind(row) else f"{place(row)} of {label} (95 % interval {span(row)})"
        more = " or, ".join(f"read as a {KINDS[one['shape']]}, {_more(one, programme.currency)}" for one in readings(row)) + "; which of the two cannot be told" if open_kind(row) else _more(row, programme.currency)
        text = f"spend in the 90 days after an answer has a threshold {where}: above it a customer's spend lies{',' if open_kind(row) else ''} {more}."
        made.append(claims.claim(
            f"thresholds.{row['group']}", STUDY, claims.say(opening, text), text_null=claims.say(opening, none(row, programme.currency)), row={**row, "estimate": row["change"], "conf_low": row["change_low"], "conf_high": row["change_high"]},
            unit=f"money:{programme.currency}", base=base, p=row["p"], test_id=test, grade="D", rank=3.0 + rank / 10,
        ))  # fmt: skip
        own = near.stakes[(near.stakes["group"] == row["group"]) & (near.stakes["measure"] == "all")] if len(near.stakes) else near.stakes
        for one in own.to_dict("records"):
            money = "margin" if one["value"] == "margin" else "sales"
            lost = f"{opening}who stands just below a level of satisfaction from which customers spend more cannot be told, because no such level shows."
            text = f"{prose.number(one['n'])} customers stand just below the level of satisfaction from which spend rises; what they differ by from those above it, counted by their chance to be below, is {prose.money(one['estimate'], programme.currency)} of {money} a year (95 % interval {prose.interval(one['conf_low'], one['conf_high'], f'money:{programme.currency}')})."
            made.append(claims.claim(f"just_below.{row['group']}", STUDY, claims.say(opening, text), text_null=claims.say("", lost), row=one, unit=f"money:{programme.currency}", base=base, p=row["p"], test_id=test, grade="D", rank=3.5 + rank / 10, action=bool(one["conf_low"] > 0)))
    return claims.frame(made)


def _more(row, currency: str) -> str:
    size = amount(abs(row["change"]), "spend", currency)
    each = " a point" if row["shape"] == "hinge" else ""
    return f"{size}{each} {'higher' if row['change'] > 0 else 'lower'} than the line below leads to expect (95 % interval {amount(row['change_low'], 'spend', currency)} to {amount(row['change_high'], 'spend', currency)})"


def panels(curves: pd.DataFrame, found: pd.DataFrame, programme) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return curves and the thresholds that show, with the label and unit of their panel: what `figures.thresholds.curves` draws."""
    def labels(frame):
        return [f"{name}: {OUTCOMES[row.outcome]}" if (name := named(programme, row.group)) else OUTCOMES[row.outcome].capitalize() for row in frame.itertuples()]

    unit = curves["outcome"].map(lambda outcome: "days" if outcome == "visits" else f"money:{programme.currency}")
    shown = found[pd.Series([shows(row) for row in found.to_dict("records")], index=found.index, dtype=bool)]
    return curves.assign(label=labels(curves), unit=unit).drop(columns=["group", "outcome"]), shown.assign(label=labels(shown))
