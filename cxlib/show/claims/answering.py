"""Whom the answers stand for: who was invited and answered, what weights cost, and what the silent could change."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking

FRAME = "who was invited is not known"  # stands in the definition of a rate whose base is the customer file


def boxes(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the fieldwork of each survey's latest wave as a table of words, a column a survey."""
    told = {}
    for survey, own in found.groupby("survey", sort=False):
        row = own.sort_values(["quarter", "last"], kind="stable").iloc[-1]
        rate = "not known: nobody knows who was invited" if row["estimate"] != row["estimate"] else prose.percent(row["estimate"], digits=1)
        if row["conf_low"] == row["conf_low"]:
            rate += f" ({prose.interval(row['conf_low'], row['conf_high'], 'percent', digits=1)})"
        framed = FRAME in str(row["definition"])
        asked = "not known" if row["invited"] != row["invited"] else prose.number(row["invited"])
        behind = [prose.plural(int(row[name]), word) for name, word in (("people", "person"), ("accounts", "account")) if row[name] == row[name]]
        told[f"{programme.label(survey)}, {row['quarter']}"] = {
            "Stands for": row["population"] or "not declared", "Drawn from": row.get("sample") or "not declared", "How asked": row["mode"] or "not declared", "Fieldwork": f"{prose.date(row['first'])} to {prose.date(row['last'])}",
            "Invited": f"not known; the customer file holds {asked}" if framed else asked, "Completed": f"{prose.number(row['completed'])}{f' (known: {prose.join(behind)})' if behind else ''}",
            "Response rate": f"not known; of the customer file {rate}" if framed else rate, "which is": row["definition"] or "–", "Length": "not declared" if row["minutes"] != row["minutes"] else prose.plural(row["minutes"], "minute"),
            "Weights": row["weighting"], "Weighted, they are as precise as": f"{prose.number(row['n_eff'], digits=0)} answers of equal weight" if row["factor"] > 1 + 1e-9 else "every answer counts once",
        }  # fmt: skip
    return pd.DataFrame(told).rename_axis("fieldwork").reset_index()


def rates(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the response rates of each survey's latest wave as a table of words: category, then a column a survey with rate, interval and number invited."""
    found = _defined(found)
    last = found[found["quarter"] == found.groupby("survey")["quarter"].transform("max")]
    cells = [
        {"category": f"{_capital(_field(row.field, programme))}: {row.value}" if row.field else ("All customers of the file" if (last["definition"].str.contains(FRAME)).all() else "All invited"), "survey": f"{programme.label(row.survey)}, {row.quarter}", "cell": f"{prose.percent(row.estimate)} ({prose.interval(row.conf_low, row.conf_high, 'percent', digits=0)}), n {prose.number(row.n)}"}
        for row in last.itertuples()
    ]  # fmt: skip
    table = pd.DataFrame(cells, columns=["category", "survey", "cell"])
    return table.pivot_table(index="category", columns="survey", values="cell", aggfunc="first", sort=False).fillna("–").rename_axis(columns=None).reset_index()


def _defined(found: pd.DataFrame) -> pd.DataFrame:
    """Return rates with what they are rates of; "" where it is not told."""
    return found.assign(definition=found["definition"].fillna("").astype(str) if "definition" in found else "")


def uneven(found: pd.DataFrame, programme) -> list[str]:
    """Say for each survey's latest wave which category is most under-represented among those who answered, where the interval of its rate lies below the rate of all."""
    said = []
    for survey, own in _defined(found).groupby("survey", sort=False):
        own = own[own["quarter"] == own["quarter"].max()]
        whole = own[own["field"] == ""].iloc[-1]
        clear = own[(own["field"] != "") & (own["conf_high"] < whole["estimate"])]
        opening, those = claims.heading(programme, survey), "the customers in the file" if FRAME in whole["definition"] else "those invited"
        if clear.empty:
            said.append(claims.say(opening, f"{prose.percent(whole['estimate'])} of {those} answered, and no group that the frame knows of answered clearly less."))
            continue
        row = clear.loc[(clear["share_invited"] - clear["share_answered"]).idxmax()]
        said.append(claims.say(opening, f"{prose.percent(whole['estimate'])} of {those} answered, but {prose.percent(row['estimate'])} where {_field(row['field'], programme)} is {row['value']}: {prose.percent(row['share_invited'])} of {those} and {prose.percent(row['share_answered'])} of those who answered."))
    return said


def bounds(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return as a table of words where each KPI of all invited could lie, sampling error included: figure, as answered, then if the silent differed by d, at worst."""
    last = found[found["quarter"] == found.groupby(["kpi", "survey"])["quarter"].transform("max")]
    last = last[last["conf_low"].notna() & (last["unit"] != "scale")]
    rows = []
    for (kpi, survey), own in last.groupby(["kpi", "survey"], sort=False):
        own, unit = own.sort_values("shift"), own["unit"].iloc[0]
        row = {"figure": claims.name(programme, kpi, survey), "rate": prose.percent(own["rate"].iloc[0]), "level": tracking.cell(own["estimate"].iloc[0], unit)}
        for place, one in enumerate(own.to_dict("records")):
            size = prose.number(one["shift"] * (100 if unit == "share" else 1))
            row[f"by {size} points" if place < len(own) - 1 else "at worst"] = tracking.limits(one)
        rows.append(row)
    return pd.DataFrame(rows)


def adjusted(found: pd.DataFrame, programme) -> list[str]:
    """Say how the levels would differ if those invited had answered alike within what the frame knows: the largest shift of each survey, against its error."""
    said = []
    for survey, own in found.dropna(subset=["shift", "std_error"]).groupby("survey", sort=False):
        row = own.loc[(own["shift"].abs() / own["std_error"]).idxmax()]
        small = (own["shift"].abs() <= own["std_error"]).all()
        moved = f"{programme.label(row['kpi'])}, from {tracking.cell(row['shown'], row['unit'])} to {tracking.cell(row['estimate'], row['unit'])}"
        said.append(claims.say(claims.heading(programme, survey), f"weighted back to all who were or could have been asked, by {prose.join(_field(name, programme) for name in row['fields'].split(', '))}, {'no figure moves by more than its standard error; most moves ' if small else 'the figure that moves most for its error is '}{moved}."))
    return said


def fatigue(found: pd.DataFrame, programme) -> list[str]:
    """Say for each survey whether those who were invited more often within a year answer less."""
    said = []
    for row in found[found["earlier"] == "each one more"].dropna(subset=["p"]).to_dict("records"):
        span = prose.interval(row["conf_low"], row["conf_high"], "percentage points", digits=1)
        word = "answer less" if row["conf_high"] < 0 else "answer more" if row["conf_low"] > 0 else "show no detectable difference in answering"
        said.append(claims.say(claims.heading(programme, row["survey"]), f"people invited more often within a year {word}: {span} for each earlier invitation. Those invited often are those in contact often, so this is no effect of the invitations."))
    return said


def accounts(found: pd.DataFrame, programme) -> list[str]:
    """Say how many accounts, and how much of their sales, stand behind the answers."""
    said = []
    for row in found.to_dict("records"):
        if row["accounts"] and (row["segment"] or (found["segment"] == "").all()):
            sales = f", with {prose.percent(row['revenue'])} of the sales of the year before" if row["revenue"] == row["revenue"] else ""
            kind = f"{row['segment']} " if row["segment"] else ""
            said.append(claims.say(claims.heading(programme, row["survey"]), f"{prose.number(row['answered'])} of {prose.number(row['accounts'])} {kind}accounts answered ({prose.percent(row['estimate'])}){sales}."))
    return said


def breaks(found: pd.DataFrame, programme) -> list[str]:
    """Say where the mode or the kind of sample changed between two waves."""
    what = {"mode": "the mode", "sample": "the source of the sample", "rate": "what is known of the invited", "weights": "the weighting"}
    return [claims.say(claims.heading(programme, row.survey), f"{what[row.what]} changed with wave {row.wave}, from \"{row.before}\" to \"{row.after}\": a difference to wave {row.then_wave} may come from that.") for row in found.itertuples()]


def points(programme, *, rated: pd.DataFrame, shifted: pd.DataFrame, tired: pd.DataFrame, firms: pd.DataFrame, unasked: pd.DataFrame, broken: pd.DataFrame) -> list[str]:
    """Return every sentence of the section: scores that nobody gave first, then who answered less, what weighting back would change, and what it hides."""
    return [*unasked["sentence"], *uneven(rated, programme), *adjusted(shifted, programme), *fatigue(tired, programme), *accounts(firms, programme), *breaks(broken, programme)]


def _field(name: str, programme) -> str:
    label = next((segment.label for segment in programme.segments if segment.field == name and segment.label), "") or programme.label(name)
    return label[:1].lower() + label[1:] if label else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
