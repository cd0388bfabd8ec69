"""What is said of visits and what they bring: the link of the chain that needs no answers."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import thresholds

LABELS = {"later_spend": "spend in the {days} days after", "per_visit": "spend a day with a purchase"}
PARTS = {"customers": "how many customers bought", "visits": "how many days each bought on", "per_visit": "what a day with a purchase brought"}


def missing() -> str:
    """Return the end of the sentence on a page without orders of known customers."""
    return "follow what customers do and spend. A file of orders with the customer's key, the day and the amount would answer it"


def said(rows: pd.DataFrame, apart: pd.DataFrame, moved: pd.DataFrame, programme, days: int, quarter: str) -> list:
    """Say who is looked at, what a day more goes with, what customers differ by, and which part moved spend; the verb follows the interval."""
    if rows.empty:
        reach = f" The orders begin on {prose.date(rows.attrs['first'])}." if "first" in rows.attrs else ""
        lines = [f"What a visit is followed by cannot be told: the orders do not reach over two stretches of {days} days.{reach}"]
    else:
        lines = [f"{prose.plural(len(rows), 'customer')} bought in the {days} days up to {prose.date(rows.attrs['day'])}; what they bought in the {days} days after is set beside it. Nobody is chosen by what came later."]
        lines += [f"{prose.percent(rows.attrs['unknown'])} of all purchases, by amount, carry no customer's key and are in no figure here."] if rows.attrs["unknown"] > 0 else []
    for group, own in apart.groupby("group", sort=False):
        by = own.set_index("basis")
        lines += [claims.say(thresholds._opening(programme, group), part) for part in (_after(by.loc["after"], programme.currency, days), _between(by.loc["between"])) if part]
    for (group, other), own in moved.groupby(["group", "basis"], sort=False):
        lines.append(claims.say(thresholds._opening(programme, group), _moved(own.set_index("part"), other, programme.currency)))
    if moved.empty:
        lines.append(f"How sales moved to {quarter} cannot be told: the orders do not cover it and the quarter before, or that of a year before, as a whole.")
    return lines


def _after(row, currency: str, days: int) -> str:
    if row["note"]:
        return f"what a day with a purchase more goes with cannot be told: {row['note']}."
    limits = f"95 % interval {prose.money(row['conf_low'], currency, digits=2)} to {prose.money(row['conf_high'], currency, digits=2)}"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        return f"a day with a purchase more goes with no detectable difference in spend in the {days} days after ({limits})."
    return f"a day with a purchase more goes with {prose.money(abs(row['estimate']), currency, digits=2)} {'more' if row['conf_low'] > 0 else 'less'} spend in the {days} days after ({limits}); whether coming more often would raise it, this does not say (grade D)."


def _between(row) -> str:
    if row["note"]:
        return ""
    most = "mostly by how often they buy" if row["conf_low"] > 0.5 else "mostly by what a day with a purchase brings" if row["conf_high"] < 0.5 else "by how often they buy about as much as by what a day brings"
    return f"customers differ in spend {most}: {prose.percent(row['estimate'])} of the differences (of logarithms) go with the number of days (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}), the rest with spend a day."


def _moved(parts: pd.DataFrame, other: str, currency: str) -> str:
    whole = parts.loc["all"]
    size = lambda row: f"{prose.money(row['estimate'], currency)}, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], f'money:{currency}')}"
    verb = "show no detectable change" if whole["conf_low"] <= 0 <= whole["conf_high"] else "rose" if whole["conf_low"] > 0 else "fell"
    sure = [f"{PARTS[name]} ({size(parts.loc[name])})" for name in PARTS if not parts.loc[name, "conf_low"] <= 0 <= parts.loc[name, "conf_high"]]
    others = [PARTS[name] for name in PARTS if parts.loc[name, "conf_low"] <= 0 <= parts.loc[name, "conf_high"]]
    told = f"Of its parts {prose.join(sure)} moved detectably" + (f", not {prose.join(others, last='or')}." if others else ".") if sure else f"Neither {', '.join(others[:-1])} nor {others[-1]} moved detectably by itself."
    return f"sales to known customers {verb} against {other} ({size(whole)}). {told}"


def panels(curves: pd.DataFrame, programme, days: int) -> pd.DataFrame:
    """Return the curves over the days with a purchase with label and unit of their panel: what `figures.thresholds.curves` draws."""
    words = [f"{name}: {LABELS[row.outcome].format(days=days)}" if (name := thresholds.named(programme, row.group)) else LABELS[row.outcome].format(days=days).capitalize() for row in curves.itertuples()]
    return curves.assign(label=words, unit=f"money:{programme.currency}").rename(columns={"visits": "score"}).drop(columns=["group", "outcome"])
