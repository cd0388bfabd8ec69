"""What the effects study says of customers saved, accounts grown and kept, and of actions still to come: counts beside what would have come by itself."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims.effects import MONEY, OUTCOMES, STUDY, named

WORDS = {"retention": "customers who stayed", "margin": "margin", "contacts": "contacts", "returns": "goods sent back"}
PARTS = {"volume": "More or fewer pieces", "mix": "Dearer or cheaper products", "price": "Other prices", "all": "All"}
AGAINST = {"matching": " from that of customers like them", "staggered": " from what units without it show", "difference_in_differences": " from what units without it show", "interrupted_series": " from what their past and the control series say", "synthetic_control": " from what the mix of other series sold"}
DRAWN = {"randomised": "95 % intervals of customers drawn anew", "interrupted_series": "each from a model of its own, so they add up only nearly", "synthetic_control": "95 % intervals by placebos"}


def counted(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say how many customers, how much money or how many contacts each action saved, counted once, beside what came by itself; then of what that cannot be told, all tests of the table counted."""
    said, unsure = [], {}
    for row in found.to_dict("records"):
        name = named(plan, row["action"])
        if not row["p_adjusted"] < 0.05 or not row["counted"]:
            unsure.setdefault(name, []).append(WORDS[row["outcome"]])
            continue
        better = row["estimate"] if row["outcome"] in ("retention", "margin") else -row["estimate"]
        text = f"{name}, {WORDS[row['outcome']]}: {_whole(row['total'], row, currency)} over {prose.plural(row['counted'], 'customer')}, each counted once (95 % interval {_span(row, currency)}){'' if better > 0 else ', the wrong way'}. "
        past = f"{_level(row['before'], row, currency)} a customer in as many days before; " if row["before"] == row["before"] else ""
        text += f"{past}{_level(row['seen'], row, currency)} after it, and {_level(row['anyway'], row, currency)} {'would have come by itself' if row['grade'] in 'AB' else 'is what customers like them came to'}. Grade {row['grade']}."
        said.append(text + (f" {prose.plural(row['treated'] - row['counted'], 'customer')} count for an earlier action whose days were not over." if row["counted"] < row["treated"] else ""))
    if unsure:
        said.append("Whether it changed, once all comparisons of the table are counted, cannot be told: " + "; ".join(f"{name}: {prose.join(what)}" for name, what in unsure.items()) + ".")
    return said or ["No action of this programme has customers of whom saved and grown could be counted."]


def growth(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say of what the difference in spend consists: pieces, products, prices; by the comparison it comes from."""
    said, nothing = [], []
    for action, own in found.groupby("action", sort=False):
        row, kind = own.set_index("part"), own["design"].iloc[0]
        whole = row.loc["all"]
        if not (whole["conf_low"] > 0 or whole["conf_high"] < 0):
            nothing.append(named(plan, action))
            continue
        parts = [f"{PARTS[name].lower()} {_signed(row.loc[name, 'estimate'], currency)} ({_sure(row.loc[name], currency)})" for name in ("volume", "mix", "price") if name in row.index]
        what = "sales" if kind in ("interrupted_series", "synthetic_control") else "spend"
        note = f" Mind that {own['note'].iloc[0]}." if own["note"].iloc[0] else ""
        said.append(f"{named(plan, action)}: {what} a {own['per'].iloc[0]} differ{'' if what == 'sales' else 's'}{AGAINST.get(kind, '')} by {_signed(whole['estimate'], currency)}, of which {prose.join(parts)}; {DRAWN.get(kind, '95 % intervals as for the effect')}.{note}")
    if nothing:
        said.append(f"There is nothing to split where spend shows no detectable difference: {prose.join(nothing)}.")
    return said


def _sure(row, currency: str) -> str:
    """Return an interval of money in words, or why there is none."""
    if row["conf_low"] == row["conf_low"]:
        return prose.interval(row["conf_low"], row["conf_high"], f"money:{currency}")
    return "the same everywhere" if abs(row["estimate"]) < 1e-6 else "how sure cannot be told"


def renewals(found: pd.DataFrame, plan) -> list[str]:
    """Say how many accounts that were flagged were kept, called or not, and whether that can be told apart."""
    said = []
    for action, own in found.groupby("action", sort=False):
        row = own.set_index("group")
        one, other, left, gap = (row.loc[name] for name in ("flagged and called", "flagged, not called", "flagged, gone by then", "difference"))
        flagged, day = int(one["accounts"] + other["accounts"] + left["accounts"]), prose.plural(int(gap["from_day"]), "day")
        start = f"{named(plan, action)}: {prose.plural(flagged, 'account')} {'was' if flagged == 1 else 'were'} flagged by a low score, {prose.number(one['accounts'])} of them called within {day}, by when nine in ten of the calls were made, {prose.number(row.loc['called, never flagged', 'accounts'])} more called without a flag"
        start += f", and {prose.number(left['accounts'])} gone by then, called or not, {'is' if left['accounts'] == 1 else 'are'} in neither group (who leaves is never called, which would make calling look good)" if left["accounts"] else ""
        if gap["estimate"] != gap["estimate"]:
            said.append(f"{start}; how many were kept cannot be told: the year after is not over for enough of them, or the file of accounts names no account that ended.")
            continue
        verdict = "that cannot be told apart" if gap["conf_low"] <= 0 <= gap["conf_high"] else f"{'more' if gap['estimate'] > 0 else 'fewer'} of those called were kept, which goes with the call and with who was called (grade D)"
        limits = prose.interval(gap["conf_low"], gap["conf_high"], "percentage points")
        said.append(f"{start}. A year after the flag {prose.percent(one['estimate'])} of {prose.number(one['n'])} called and {prose.percent(other['estimate'])} of {prose.number(other['n'])} not called were still accounts (difference 95 % interval {limits}): {verdict}.")
    return said or ["No list was made of low scores of accounts whose contracts end or renew."]


def planned(found: pd.DataFrame, plan, currency: str) -> list[str]:
    """Say for each action still to come what the best design could show, by when, and what that leaves out."""
    said = []
    for action, own in found.groupby("action", sort=False):
        row, name = own.iloc[0].to_dict(), named(plan, action)
        if row["detectable"] != row["detectable"]:
            said.append(f"{name}: what it could show cannot be said beforehand: {row['note']}.")
            continue
        text = f"{name}: {_way(row)}, an effect of {_each(_seen(row), row, currency)} would be seen 80 times in 100, by {prose.date(row['known_by'])}."
        if row["adjusted"] == row["adjusted"]:
            text += f" What customers brought in as many days before is taken out of that; without it, it would take {_each(row['detectable'], row, currency)}."
        if row["power"] == row["power"]:
            text += f" The effect that would make it worth while ({_each(row['wanted'], row, currency)}) would be seen {prose.probability(row['power'])} times" + (f"; {prose.number(row['needed'])} are needed for 80." if row["power"] < 0.8 else ".")
        rest = own.iloc[1:]
        text += "".join(f" With {other['design']} it takes an effect of {_each(_seen(other), row, currency)}." for other in rest.to_dict("records"))
        said.append(text + (f" ({row['note'][:1].upper()}{row['note'][1:]}.)" if row["note"] else ""))
    return said or ["The plan names no action that has still to begin. An action entered before its first day (start, customers, outcome, wanted) stands here with what it could show."]


def _seen(row) -> float:
    """Return the smallest effect that would be seen, as it will be measured."""
    return row["adjusted"] if row["adjusted"] == row["adjusted"] else row["detectable"]


def saved_table(found: pd.DataFrame, plan, currency: str) -> pd.DataFrame:
    """Return saved and grown as a table of words: action, outcome, seen, by itself, effect a customer, customers counted, total, grade."""
    return pd.DataFrame([
        {"action": named(plan, row["action"]), "what": WORDS[row["outcome"]], "before": _level(row["before"], row, currency) if row["before"] == row["before"] else "–", "seen": _level(row["seen"], row, currency), "anyway": _level(row["anyway"], row, currency), "effect": _each(row["estimate"], row, currency).lstrip("+"), "counted": row["counted"], "total": f"{_whole(row['total'], row, currency)} ({_span(row, currency)})", "grade": row["grade"]}
        for row in found[found["estimate"].notna()].to_dict("records")
    ], columns=["action", "what", "before", "seen", "anyway", "effect", "counted", "total", "grade"])  # fmt: skip


def tests(found: pd.DataFrame, plan) -> pd.DataFrame:
    """Return saved and grown as exploratory tests of the ledger."""
    return claims.tests(found.assign(kind="saved"), study=STUDY, family="saved", kind="exploratory", key=["action", "outcome", "kind"], what=lambda row: f"{named(plan, row['action'])} changes {OUTCOMES[row['outcome']]}")


def _way(row) -> str:
    if row["design"] in ("half by lot", "a tenth held back"):
        return f"{row['design']} of {prose.number(row['n'])} customers (grade {row['grade']})"
    if row["design"] == "interrupted_series":
        return f"against the past {'and a control series' if row['grade'] == 'B' else 'alone'} over {prose.plural(row['n'], 'period')} (grade {row['grade']} at best)"
    return f"{prose.number(row['n_treated'])} units with it against {prose.number(row['n_control'])} without (grade {row['grade']} at best)"


def _each(value, row, currency: str) -> str:
    if row["outcome"] in MONEY:
        return _signed(value, currency)
    return f"{prose.number(value * 100, digits=1)} percentage points" if row["outcome"] == "retention" else prose.number(value, digits=2)


def _level(value, row, currency: str) -> str:
    """Return a level in words: money, a share, a number."""
    return prose.money(value, currency, digits=2) if row["outcome"] in MONEY else prose.percent(value, digits=1) if row["outcome"] == "retention" else prose.number(value, digits=2)


def _whole(value, row, currency: str) -> str:
    return prose.money(value, currency) if row["outcome"] in MONEY else prose.number(value, digits=0)


def _span(row, currency: str) -> str:
    if row["total_low"] != row["total_low"]:
        return "not estimable"
    return prose.interval(row["total_low"], row["total_high"], f"money:{currency}" if row["outcome"] in MONEY else "number", digits=None if row["outcome"] in MONEY else 0)


def _signed(value, currency: str) -> str:
    return ("+" if value > 0 else "") + prose.money(value, currency)
