"""What the driver study says of what several questions measure together: satisfaction indices, their reliability, and gaps between expectation and perception."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import drivers

LOOSE = 0.7  # alpha under which questions hold together loosely (Nunnally 1978)


def followed(found: pd.DataFrame, moved: pd.DataFrame, programme) -> list[str]:
    """Say of each index that is followed over waves where it stands and how it moved, the verb by its interval."""
    lines = []
    for (kpi, survey), own in found.groupby(["kpi", "survey"], sort=False):
        row = own.iloc[-1]
        text = f"{claims.heading(programme, survey)}{programme.label(kpi)}: {prose.number(row['estimate'], digits=1)} of 100 in {row['quarter']} (95 % interval {prose.interval(row['conf_low'], row['conf_high'], digits=1)})"
        changes = [prose.change(one["estimate"], one["conf_low"], one["conf_high"], unit="points", since=one["then_quarter"]) for one in moved[(moved["kpi"] == kpi) & moved["p"].notna()].to_dict("records")]
        lines.append(f"{text}; it {' and '.join(changes)}." if changes else f"{text}.")
    return lines


def indices(found: pd.DataFrame, programme) -> list[str]:
    """Say of each index where it stands, what goes with it most, directly and over other constructs, how much is explained, and which constructs are measured loosely."""
    lines = []
    for one in programme.indices:
        own = found[found["index"] == one.id]
        if own.empty:
            continue
        name = one.label or f"The index “{_words(one.id)}”"
        score = _of(own, "score", one.headline)
        if score["estimate"] != score["estimate"]:
            lines.append(f"{name}: {score['note'] or 'not estimable'}.")
            continue
        limits = "" if score["conf_low"] != score["conf_low"] else f" (95 % interval {prose.interval(score['conf_low'], score['conf_high'], digits=1)})"
        text = f"{name}, of {_questions(one, one.headline)}: {prose.number(score['estimate'], digits=1)} of 100{limits}, from {prose.plural(int(score['n']), 'respondent')}"
        r2 = _of(own, "r2", one.headline)["estimate"]
        text += f"; what it depends on explains {prose.percent(r2)} of its differences"
        loose = own.loc[(own["kind"] == "alpha") & (own["estimate"] < LOOSE), "to"].tolist()
        total = own[(own["kind"] == "total") & (own["to"] == one.headline)].sort_values("estimate", ascending=False, kind="stable")
        # weights are fitted to what goes with the index: of questions with little in common, or that form their construct, an interval is no test
        open_ = total["from"].isin([*loose, *one.formed])
        enough = drivers.sure(drivers.beside(total["estimate"], total["conf_low"], total["conf_high"]).mask(open_)).astype(bool) & (total["conf_low"] > 0)
        shown, hidden = total[enough], [_words(name) for name in total.loc[~enough & ~open_, "from"]]
        if len(shown):
            first, rest = shown.iloc[0], [row for row in shown.iloc[1:].to_dict("records")]
            alike = [row for row in rest if row["conf_high"] > first["conf_low"]]
            text += f". {_words(first['from'], True)} goes with it most ({_effect(first)} standard deviations for one of its own, directly and over other constructs)"
            text += f", whose interval meets that of {prose.join([_words(row['from']) for row in alike])}, so the order is not established" if alike else ""
        text += f". Of {prose.join(hidden)} no such part could be shown" if hidden else ""
        text += f". {_words(prose.join([_words(name) for name in loose]), True)} {'holds' if len(loose) == 1 else 'hold'} together loosely (alpha under {LOOSE}): take the questions one by one" if loose else ""
        lines.append(f"{text}." + (f" It stands on {score['note']}." if score["note"] else ""))
    return lines


def index_table(found: pd.DataFrame, one) -> pd.DataFrame:
    """Return an index's constructs as a table of words: score of 100, what it goes with in the headline (total effect; without interval where the weights make it no test), alpha, omega, how many questions."""
    loose = {*found.loc[(found["kind"] == "alpha") & (found["estimate"] < LOOSE), "to"], *one.formed}
    total = lambda name: _of(found, "total", one.headline, name) | ({"conf_low": float("nan")} if name in loose else {})
    return pd.DataFrame([
        {
            "construct": _words(name, True), "score": _span(_of(found, "score", name), 1), "total": _span(total(name), 2) if name != one.headline else "the index",
            "alpha": _span(_of(found, "alpha", name), 2), "omega": _span(_of(found, "omega", name), 2) if len(items) > 2 else "–", "questions": len(items),
        }
        for name, items in one.constructs.items()
    ])  # fmt: skip


def gaps(found: pd.DataFrame, programme) -> list[str]:
    """Say in which dimensions service falls short of what was expected, in which it goes beyond, and where no gap could be shown, once all are counted."""
    lines = []
    for survey, own in found.groupby("survey", sort=False) if len(found) else []:
        parts = own[own["dimension"] != "all"].reset_index(drop=True)
        sure = drivers.sure(parts["p"])
        told = lambda rows: prose.join([f"{_words(row['dimension'])} ({prose.number(abs(row['estimate']), digits=2)}, 95 % interval {prose.interval(*sorted((abs(row['conf_low']), abs(row['conf_high']))), digits=2)})" for row in rows.to_dict("records")])
        short, beyond = parts[sure & (parts["estimate"] < 0)].sort_values("estimate", kind="stable"), parts[sure & (parts["estimate"] > 0)].sort_values("estimate", ascending=False, kind="stable")
        open_, none = parts[~sure & parts["p"].notna()], parts[parts["p"].isna()]
        said = [f"service falls short of what was expected in {told(short)}"] if len(short) else []
        said += [f"it goes beyond it in {told(beyond)}" if said else f"service goes beyond what was expected in {told(beyond)}"] if len(beyond) else []
        said += [f"no gap could be shown in {prose.join([_words(name) for name in open_['dimension']])}"] if len(open_) else []
        said += [f"{_words(row['dimension'])} is {row['note']}" for row in none.to_dict("records")]
        lines.append(claims.say(claims.heading(programme, survey), f"{'; '.join(said)}."))
    return lines


def gap_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return one survey's gaps as a table of words: dimension, what was found and expected, the gap with its interval, p, n."""
    mean = lambda value: "–" if value != value else prose.number(value, digits=2)
    return pd.DataFrame([
        {"dimension": "All dimensions" if row["dimension"] == "all" else _words(row["dimension"], True), "found": mean(row["perception"]), "expected": mean(row["expectation"]), "gap": _span(row, 2), "p": row["p"], "n": row["n"]}
        for row in found.to_dict("records")
    ])  # fmt: skip


def tests(found: pd.DataFrame, *, study: str) -> pd.DataFrame:
    """Return the gaps of the dimensions as rows of the ledger."""
    own = found[found["dimension"] != "all"].assign(kind="gap")
    return claims.tests(own, study=study, family="service_gaps", kind="exploratory", key=["kind", "survey", "dimension"], what=lambda row: f"Service is as expected in {_words(row['dimension'])}")


def said(found: pd.DataFrame, shortfalls: pd.DataFrame, programme) -> list[str]:
    """Return all of it; a sentence where the programme declares neither."""
    return [*indices(found, programme), *gaps(shortfalls, programme)] or ["The programme declares neither a satisfaction index nor pairs of expectation and perception that this survey asked."]


def _of(own, kind, to, source=""):
    rows = own[(own["kind"] == kind) & (own["to"] == to) & (own["from"] == source)]
    return rows.iloc[0].to_dict() if len(rows) else dict.fromkeys(("estimate", "conf_low", "conf_high"), float("nan")) | {"note": "", "n": 0}


def _words(name: str, start: bool = False) -> str:
    name = name.replace("_", " ")
    return name[:1].upper() + name[1:] if start else name


def _questions(one, name: str) -> str:
    return prose.plural(len(one.constructs[name]), "question")


def _effect(row) -> str:
    return f"{prose.number(row['estimate'], digits=2)}, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], digits=2)},"


def _span(row, digits) -> str:
    if row["estimate"] != row["estimate"]:
        return row.get("note") or "–"
    return prose.number(row["estimate"], digits=digits) + ("" if row["conf_low"] != row["conf_low"] else f" ({prose.interval(row['conf_low'], row['conf_high'], digits=digits)})")
