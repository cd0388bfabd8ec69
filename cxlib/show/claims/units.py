"""What is said of small units: how far they lie apart beyond chance, which can be told from the mean of all, and which cannot."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking

KEY = ["kpi", "survey", "segment"]
ORDER = ("above", "not told apart", "below")
NAMED = 6  # units named in a sentence


def said(found: pd.DataFrame, whole: pd.DataFrame, programme) -> list[str]:
    """Say of each kind of unit how far the units lie apart, which lie above or below the mean of all, and what cannot be told.

    in: the two frames of `units.compared`. KPIs of which nothing can be told share a sentence.
    """
    told = []
    for _, group in whole.groupby(["survey", "segment"], sort=False):
        rows = group.to_dict("records")
        hidden = [row for row in rows if not row["units"] and row["withheld"]]
        few = [row for row in rows if row["note"] and row not in hidden]
        alike = [row for row in rows if not row["note"] and not row["apart"]]
        told += [f"{opening(programme, row)}, {_label(programme, row)}: {_apart(row, _own(found, row), programme.limits.text_base)}" for row in rows if not row["note"] and row["apart"]]
        if alike:
            told.append(f"{opening(programme, alike[0])}: {_alike(alike, found, programme)}")
        if few:
            told.append(f"{opening(programme, few[0])}: {prose.join([_label(programme, row) for row in few])}: nothing can be said of how far {prose.plural(max(row['units'] for row in few), 'unit')} in {few[0]['quarter']} lie apart; that takes three whose answers differ.")
        if hidden:
            told.append(f"{opening(programme, hidden[0])}: {_withheld(hidden[0], programme)}")
        elif len(told) and (remarks := _remarks(max(rows, key=lambda row: row["n"]), found, programme)):
            told[-1] = f"{told[-1]} {' '.join(remarks)}"
    return told


def _apart(row: dict, own: pd.DataFrame, least: int) -> str:
    size = lambda value: tracking._size(value, row["unit"])
    mean = f"the mean of all ({tracking.value(own['centre'].dropna().iloc[0], row['unit'])})"
    large = own["n_eff"].astype(float) >= least  # with fewer answers a unit does not stand in a sentence
    told = {verdict: sorted(own.loc[(own["verdict"] == verdict) & (large | (verdict == ORDER[1])), "value"].astype(str)) for verdict in ORDER}
    small = own[~large & own["verdict"].isin(["above", "below"])]
    few = f" {prose.plural(len(small), 'unit')} with fewer than {least} answers {'is' if len(small) == 1 else 'are'} told from it too; the table names {'it' if len(small) == 1 else 'them'}." if len(small) else ""
    text = f"{_bases([row], own)} lie apart by more than chance: by {size(row['spread'])} (standard deviation; 95 % interval {size(row['spread_low']).split(' ')[0]} to {size(row['spread_high'])})."
    groups = [f"{verdict} {mean if verdict == 'above' or not told['above'] else 'it'} {'lies' if len(told[verdict]) == 1 else 'lie'} {_names(told[verdict])}" for verdict in ("above", "below") if told[verdict]]
    rest = len(told["not told apart"])
    if not groups:
        return f"{text} Yet no single one can be told apart from {mean}." if not few else f"{text}{few.replace('told from it too', f'told from {mean}')}"
    last = f" The other {'one' if rest == 1 else rest} cannot be told apart from it." if rest else ""
    return f"{text} {'; '.join(groups)[:1].upper()}{'; '.join(groups)[1:]}.{few}{last}"


def _alike(rows: list[dict], found: pd.DataFrame, programme) -> str:
    names, least = prose.join([_label(programme, row) for row in rows]), min(row["p"] for row in rows)
    bases = _bases(rows, pd.concat([_own(found, row) for row in rows]))
    if least >= 0.05:
        return f"in {names}, {bases} differ no more than their numbers of answers let them. An order of them would be an order of chance."
    return f"in {names}, {bases} differ by no more than chance brings about when so many comparisons are made ({'smallest ' if len(rows) > 1 else ''}{prose.p_value(least)}, before they are counted). No unit is told from the mean of all."


def _bases(rows: list[dict], own: pd.DataFrame) -> str:
    n, counts = own["n"].dropna(), sorted({row["units"] for row in rows})
    units = prose.plural(counts[0], "unit") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} units"
    size = f"{prose.number(n.min())} to {prose.number(n.max())} answers each" if n.min() < n.max() else f"{prose.plural(n.max(), 'answer')} each"
    return f"{units} with {size} in {rows[0]['quarter']}"


def _remarks(row: dict, found: pd.DataFrame, programme) -> list[str]:
    own, parts = _own(found, row), []
    if row["single"] and not row["note"]:
        weight = own.loc[own["n"] == 1, "shrinkage"].mean()
        parts.append(f"{prose.plural(row['single'], 'unit')} {'has' if row['single'] == 1 else 'have'} a single answer: of such a figure {prose.percent(weight)} is the mean of all.")
    if row["once"] and own["waves"].max() > 1:
        parts.append(f"{prose.plural(row['once'], 'unit')} {'appears' if row['once'] == 1 else 'appear'} in this wave only.")
    return [*parts, *([_withheld(row, programme)] if row["withheld"] else [])]


def _withheld(row: dict, programme) -> str:
    field = next((unit.field for unit in programme.units if unit.id == row["segment"]), row["segment"])
    why = f"no staff table says that at least {programme.staff.minimum} persons are behind each, or their answers are too few" if field == "team" else "too few answered for anybody to stay anonymous, or such a unit would follow from them"
    return f"{prose.plural(row['withheld'], 'unit')} {'is' if row['withheld'] == 1 else 'are'} not shown, because {why}."


def _label(programme, row: dict) -> str:
    return programme.label(row["kpi"])


def opening(programme, row: dict) -> str:
    """Return what sentences about a kind of unit of a survey open with: 'Pulse, by team'."""
    kind = programme.label(row["segment"]).removesuffix("_id").replace("_", " ")
    return claims.say(f"{programme.label(row['survey'])}, " if len(programme.surveys) > 1 else "", f"by {kind[:1].lower()}{kind[1:]}")


def _names(names: list[str]) -> str:
    return prose.join(names) if len(names) <= NAMED else f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _own(found: pd.DataFrame, row: dict) -> pd.DataFrame:
    return found[(found[KEY] == [row[name] for name in KEY]).all(axis=1)]


def title(programme, row) -> str:
    """Return what a comparison of units is called: 'Net Promoter Score, Pulse, by team'."""
    return f"{programme.label(row['kpi'])}, {opening(programme, row)}"


def chosen(found: pd.DataFrame, whole: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the comparisons that are drawn: of each survey and kind of unit the first KPI that can be estimated; the others stand in tables/units.csv."""
    first = whole[whole["note"] == ""].drop_duplicates(["survey", "segment"])
    return [_own(found, row)[lambda own: own["shrunk"].notna()] for row in first.to_dict("records")]


def shown(own: pd.DataFrame) -> pd.DataFrame:
    """Return one comparison as a table of words, in the order above, not told apart, below, and by name within: no order beyond what can be told."""
    unit = own["unit"].iloc[0]
    place = own["verdict"].map(ORDER.index)
    rows = own.iloc[sorted(range(len(own)), key=lambda at: (place.iloc[at], str(own["value"].iloc[at])))].to_dict("records")
    return pd.DataFrame({
        "unit": [str(row["value"]) for row in rows], "answers": [row["n"] for row in rows], "verdict": [row["verdict"] for row in rows],
        "drawn": [f"{tracking.cell(row['shrunk'], unit)} ({tracking.limits(row)})" for row in rows], "weight": [prose.percent(row["shrinkage"]) for row in rows],
        "above": [prose.probability(row["p_above"]) for row in rows], "alone": [tracking.cell(row["estimate"], unit) for row in rows],
    })  # fmt: skip


LABELS = {"verdict": "Against the mean of all", "drawn": "Drawn to the mean (95 % interval)", "weight": "Weight of the mean", "above": "Chance to lie above", "alone": "On its own"}


def tests(whole: pd.DataFrame, programme, study: str) -> pd.DataFrame:
    """Return whether units of each kind differ at all as rows of the ledger (exploratory)."""
    rows = whole.assign(conf_low=whole["spread_low"], conf_high=whole["spread_high"], estimate=whole["spread"])
    return claims.tests(rows, study=study, family="units", kind="exploratory", key=["survey", "kpi", "segment"], what=lambda row: f"{title(programme, row)}, {row['quarter']}: units are alike")
