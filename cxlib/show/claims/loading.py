"""What the loading study says: what came in, what was set aside, whom the answers stand for."""

import pandas as pd

from cxlib import quarters
from cxlib.show import claims, prose

STUDY = "01_data_loading"
OTHERS = {"orders": "what customers bought", "interactions": "how customers were served", "actions": "what was done for whom", "people": "who the customers are", "invitations": "who was invited and did not answer"}
DATED = {"fieldwork_close": "the close of fieldwork", "answer": "the day of the answer", "experience": "the day of the experience"}
USES = {"aggregate": "figures over groups", "quote": "quotes", "link": "links to other data", "case": "cases", "target": "selection for actions", "train": "training of text models"}


def surveys(programme) -> pd.DataFrame:
    """Return what is declared of each survey as a table for readers, a column a survey: kind, whom it asks, how, dated by, promise, uses, weights."""
    told = {
        (survey.label or survey.id): {
            "Kind": survey.kind, "Asks": survey.population or "not declared", "How": survey.mode or "not declared", "How often": survey.cadence or "not declared",
            "An answer is dated by": DATED[survey.dated_by], "Promise": survey.promise, "Permitted uses": prose.join(USES[use] for use in survey.uses), "Weights": survey.weighting or "none declared",
        }
        for survey in programme.surveys
    }  # fmt: skip
    return pd.DataFrame(told).rename_axis("declared").reset_index()


def calendar(programme, quarter: str) -> list[str]:
    """Say which days the quarter is, where the fiscal year is not the calendar year."""
    if programme.fiscal_year_start == 1:
        return []
    first, last = quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)
    named = "after the calendar year in which it ends" if programme.fiscal_year_label == "end" else "after the calendar year in which it begins"
    return [f"The fiscal year begins in {prose.MONTHS[programme.fiscal_year_start - 1]} and is named {named}: {quarter} is {prose.date(first)} to {prose.date(last)}."]


def bases(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the base of each KPI in its latest wave as a table of words: figure, quarter, respondents, asked, answered, weighted, effective."""
    last = found[found["quarter"] == found.groupby(["kpi", "survey"])["quarter"].transform("max")]
    place = {kpi.id: at for at, kpi in enumerate(programme.kpis)}
    last = last.assign(_at=last["kpi"].map(place)).sort_values(["_at", "survey"], kind="stable")
    figure = [claims.name(programme, row.kpi, row.survey) for row in last.itertuples()]
    shown = last.assign(figure=figure)[["figure", "quarter", "rows", "asked", "n", "weighted_n", "n_eff", "note"]]
    return shown if (shown["note"] != "").any() else shown.drop(columns="note")


def intake(files: pd.DataFrame, *, limit: float) -> list[str]:
    """Say how many rows came, were kept, set aside and counted once; name the files over the limit."""
    rows, kept, aside, twice = (int(files[name].sum()) for name in ("rows", "kept", "quarantined", "duplicates"))
    whole = files.groupby("file", sort=False, as_index=False)[["rows", "quarantined"]].sum()  # a file may hold several waves
    parts = f", read in {prose.number(len(files))} parts," if len(whole) < len(files) else ""
    said = [
        f"{prose.plural(len(whole), 'file')}{parts} held {prose.plural(rows, 'row')}: {prose.number(kept)} kept"
        f"{f' ({prose.percent(kept / rows, digits=1 if kept < rows else 0)})' if rows else ''}, {prose.number(aside)} set aside, and {prose.number(twice)} dropped as a repetition of another row to the letter."
    ]
    over = whole[whole["quarantined"] > limit * whole["rows"].clip(lower=1)]
    said += [f"{row.file} has {prose.percent(row.quarantined / row.rows, digits=1)} of its rows set aside, more than the limit of {prose.percent(limit)}: mend it before anything is published." for row in over.itertuples()]
    trimmed = int(files["trimmed"].sum())
    return said + ([f"{prose.plural(trimmed, 'cell')} had blanks around the value and were accepted without them."] if trimmed else [])


def mend(repairs: pd.DataFrame) -> pd.DataFrame:
    """Return the repair list for readers: where, column, what stands there, and what is wrong with what would mend it."""
    return pd.DataFrame({
        "where": repairs["file"] + ", row " + repairs["row"].astype(str), "column": repairs["column"], "value": repairs["value"].fillna(""),
        "to_mend": repairs["rule"].str[:1].str.upper() + repairs["rule"].str[1:] + ": " + repairs["suggestion"] + ".",
    })  # fmt: skip


STRENGTH = {"refused": "Refused", "look": "To be looked at", "accepted": "Accepted"}
LOOKED_FOR = ("two scales in one item", "a scale turned round", "a code among the scores", "begged top scores", "columns that moved", "a wave sent twice", "a value that was renamed", "dates read the wrong way round", "a jump of one item alone")


def seen(found: pd.DataFrame, programme) -> list[str]:
    """Say what fits cell by cell and yet is suspicious: how much was refused, what somebody must look at, what the programme accepts; each refusal in full."""
    if found.empty:
        return [f"Nothing was refused, and nothing has to be looked at. Looked for and not seen: {prose.join(LOOKED_FOR)}."]
    parts = {verdict: found[found["verdict"] == verdict] for verdict in STRENGTH}
    refused, look, accepted = parts.values()
    waves = prose.plural(refused.groupby(["survey", "wave"]).ngroups, "wave")
    whole, items = (refused["item"] == "").sum(), refused.loc[refused["item"] != "", ["survey", "item"]].drop_duplicates()
    what = [*(["all ratings"] if whole else []), *([f"the answers to {prose.join(f'“{programme.label(name)}”' for name in dict.fromkeys(items['item']))}"] if len(items) else [])]
    said = [f"Refused, so blank in every study of this report: {prose.join(what)} in {waves}." if len(refused) else "Nothing was refused: every answer that fitted is in the averages."]
    said += [sentence(row, programme) for row in refused.head(8).itertuples()]
    said += [f"{prose.plural(len(refused) - 8, 'more refusal')} stand in the table."] if len(refused) > 8 else []
    said += [f"{prose.plural(len(look), 'sight')} {'has' if len(look) == 1 else 'have'} to be looked at; the answers are kept, and stand in the averages: {prose.join(dict.fromkeys(look['what']))}."] if len(look) else []
    return said + [f"Seen, looked into and accepted by the programme: {row.what}. Its reason: {row.reason.rstrip('.')}." for row in accepted.itertuples()]


def sentence(row, programme) -> str:
    """Return what was seen with what would mend it, items under their names."""
    text = f"{row.sentence}{f' To mend it: {row.remedy}.' if row.remedy else ''}"
    label = programme.label(row.item) if row.item else ""
    return text.replace(f"'{row.item}'", f"“{label}”") if label else text


def sights(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return what was seen as a table of words: strength, item, what was seen, answers, what would mend it (or why it is accepted)."""
    return pd.DataFrame({
        "strength": found["verdict"].map(STRENGTH), "item": [programme.label(item) if item else "all of the wave" for item in found["item"]],
        "seen": [sentence(row._replace(remedy=""), programme) for row in found.itertuples()], "answers": found["n"].to_numpy(),
        "to_mend": [row.reason if row.verdict == "accepted" else row.remedy for row in found.itertuples()],
    })  # fmt: skip


def links(linked: pd.DataFrame, programme) -> list[str]:
    """Say, for each survey, why its respondents are not linked, or which tables' keys they do not carry."""
    said = []
    for survey, group in linked.groupby("survey", sort=False):
        if group["note"].iloc[0]:
            said.append(f"{programme.label(survey)}: {group['note'].iloc[0]}.")
        elif len(silent := group[group["with_key"] == 0]):
            said.append(f"{programme.label(survey)}: its answers carry no key of {prose.join(silent['table'], last='or')}.")
    return said or ["Every answer that carries a customer key was looked up in every table."]


def linked(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the shares of respondents found in each other table as a table of words, a column a survey; tables whose key no answer carries are left out."""
    own = found[(found["with_key"] > 0) & (found["note"] == "")]
    cells = own.assign(cell=[f"{prose.percent(row.estimate)} of {prose.number(row.n)}" for row in own.itertuples()], column=own["survey"].map(programme.label))
    return cells.pivot(index="table", columns="column", values="cell").reindex(dict.fromkeys(own["table"])).fillna("–").rename_axis(columns=None).reset_index()


def limits(tables) -> list[str]:
    """Say what these files cannot answer: tables without rows, waves without weights, promises that were not declared."""
    programme, said = tables.programme, []
    empty = [name for name in OTHERS if name not in tables]
    if empty:
        said.append(f"There are no {prose.join(empty, last='or')}; so this report cannot say {prose.join((OTHERS[name] for name in empty), last='or')}.")
    weights = tables["responses"].groupby(["survey", "wave"], sort=False)["weight"].nunique()
    for survey, waves in (weights == 1).groupby(level="survey", sort=False):
        plain = [wave for (_, wave), flat in waves.items() if flat]
        which = "every wave" if len(plain) == len(waves) else f"wave{'s' if len(plain) > 1 else ''} {prose.join(plain)}"
        said += [f"Unweighted, so standing for those who answered and nobody else: {programme.label(survey)}, {which}."] if plain else []
    undeclared = [survey.label or survey.id for survey in programme.surveys if survey.promise == "undeclared"]
    if undeclared:
        said.append(f"No promise to respondents is declared for {prose.join(undeclared)}; only figures over groups are shown, no quotes and no links.")
    return said or ["Nothing is known to be missing for the studies of this report."]


def rows(files: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the study's claims: what came in."""
    said = intake(files, limit=programme.limits.quarantine)
    return claims.frame([claims.claim("loading.intake", STUDY, said[0], unit="rows", base=prose.plural(int(files["rows"].sum()), "row"), row={"n": files["rows"].sum()}, rank=9)])
