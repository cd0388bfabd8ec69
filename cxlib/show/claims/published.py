"""What is said of published figures: how they moved as far as their least bases tell, and benchmarks where they may be compared."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking

NAMED = 5


def said(found: pd.DataFrame) -> list[str]:
    """Say of published series how many moved at their latest day, and which moved most; what stands on no told base.

    in: what `published.tracked` returns.
    """
    if found.empty:
        return []
    last = found.sort_values("date", kind="stable").groupby("series", sort=False).tail(1)
    told = []
    tested = last[last["verdict"].isin(["rose", "fell", "no detectable change"])]
    if len(tested):
        counts = {word: tested[tested["verdict"] == word] for word in ("rose", "fell")}
        still = len(tested) - sum(map(len, counts.values()))
        head = f"{prose.plural(len(tested), 'published series', 'published series')} by {prose.date(last['date'].max())}, with intervals from the least base that each phrase allows ('300 or more' counts as 300) and half of the last printed figure:"
        told.append(f"{head} {prose.number(len(counts['rose']))} rose and {prose.number(len(counts['fell']))} fell since the figure before by more than chance, {prose.number(still)} showed no detectable change.")
        for word, own in counts.items():
            if len(own):
                most = own.reindex(own["change"].abs().sort_values(ascending=False, kind="stable").index).head(NAMED)
                named = [f"{row.label} (to {tracking.value(row.estimate, row.unit)}, {tracking.signed(row.change, row.unit)}, 95 % interval {tracking.signed(row.change_low, row.unit)} to {tracking.signed(row.change_high, row.unit)})" for row in most.itertuples()]
                told.append(f"{word.capitalize()}{'' if len(own) <= NAMED else ', the largest moves'}: {prose.join(named)}.")
    for note, own in last[last["note"] != ""].groupby("note", sort=True):
        told.append(f"{prose.join(sorted(own['label'])[:NAMED])}{f' and {len(own) - NAMED} more' if len(own) > NAMED else ''}: {note}.")
    return told


def held(found: pd.DataFrame, programme) -> list[str]:
    """Say how each KPI stands against its benchmarks, with their base and source, or why they are not compared."""
    return [_held(row, programme) for row in found.to_dict("records")]


def _held(row: dict, programme) -> str:
    name, value = claims.name(programme, row["kpi"], row["survey"]), lambda number: tracking.value(number, row["unit"])
    source = f", {row['source']}" if row['source'] else ''
    bench = f"{row['label']} ({value(row['estimate'])}, {prose.date(row['date'])}, base {row['base'] or 'not told'}{source})"
    if row["verdict"] == "not compared":
        return f"{name} is not held against {bench}: {row['note']}."
    limits = f"95 % interval of the difference {tracking.signed(row['difference_low'], row['unit'])} to {tracking.signed(row['difference_high'], row['unit'])}"
    state = {"above": "lies above", "below": "lies below", "not told apart": "cannot be told apart from"}[row["verdict"]]
    return f"{name} ({value(row['own'])}) {state} {bench}; {limits}."
