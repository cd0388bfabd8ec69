"""What the loading study says: what came in, what was set aside, whom the answers stand for."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "01_data_loading"
OTHERS = {"orders": "what customers bought", "interactions": "how customers were served", "actions": "what was done for whom", "people": "who the customers are", "invitations": "who was invited and did not answer"}
USES = {"aggregate": "figures over groups", "quote": "quotes", "link": "links to other data", "case": "cases", "target": "selection for actions", "train": "training of text models"}


def surveys(programme) -> pd.DataFrame:
    """Return the surveys as a table for readers: survey, kind, whom it asks, how, dated by, promise, permitted uses, weights."""
    return pd.DataFrame([
        {
            "survey": survey.label or survey.id, "kind": survey.kind, "asks": survey.population or "not declared", "mode": survey.mode or "not declared",
            "dated_by": survey.dated_by.replace("_", " "), "promise": survey.promise, "uses": prose.join(USES[use] for use in survey.uses),
            "weights": survey.weighting or "none declared",
        }
        for survey in programme.surveys
    ])  # fmt: skip


def intake(files: pd.DataFrame, *, limit: float) -> list[str]:
    """Say how many rows came, were kept, set aside and counted once; name the files over the limit."""
    rows, kept, aside, twice = (int(files[name].sum()) for name in ("rows", "kept", "quarantined", "duplicates"))
    said = [
        f"{prose.plural(len(files), 'file')} held {prose.plural(rows, 'row')}: {prose.number(kept)} were kept"
        f"{f' ({prose.percent(kept / rows, digits=1)})' if rows else ''}, {prose.number(aside)} set aside, and {prose.number(twice)} counted once because they repeat another row."
    ]
    over = files[files["quarantined"] > limit * files["rows"].clip(lower=1)]
    said += [f"{row.file} has {prose.percent(row.quarantined / row.rows, digits=1)} of its rows set aside, more than the limit of {prose.percent(limit)}: mend it before anything is published." for row in over.itertuples()]
    trimmed = int(files["trimmed"].sum())
    return said + ([f"{prose.plural(trimmed, 'cell')} had blanks around the value and were accepted without them."] if trimmed else [])


def links(linked: pd.DataFrame, programme) -> list[str]:
    """Say, for each survey, what share of respondents is found in each other table."""
    said = []
    for survey, group in linked.groupby("survey", sort=False):
        name = programme.label(survey)
        if group["note"].iloc[0]:
            said.append(f"{name}: {group['note'].iloc[0]}.")
        else:
            found = prose.join(f"{row.table} {prose.percent(row.estimate)}" for row in group.itertuples())
            said.append(f"{name}: of {prose.plural(int(group['n'].iloc[0]), 'respondent')} the following shares are linked: {found}.")
    return said


def limits(tables) -> list[str]:
    """Say what these files cannot answer: tables without rows, waves without weights, promises that were not declared."""
    programme, said = tables.programme, []
    empty = [name for name in OTHERS if name not in tables]
    if empty:
        said.append(f"There are no {prose.join(empty)}; so this report cannot say {prose.join(OTHERS[name] for name in empty)}.")
    weights = tables["responses"].groupby(["survey", "wave"])["weight"].nunique()
    plain = [f"{programme.label(survey)} {wave}" for (survey, wave), values in weights.items() if values == 1]
    if plain:
        shown = prose.join(plain) if len(plain) <= 6 else f"{prose.number(len(plain))} of {prose.plural(len(weights), 'wave')}"
        said.append(f"Unweighted, so that they stand for those who answered: {shown}.")
    undeclared = [survey.label or survey.id for survey in programme.surveys if survey.promise == "undeclared"]
    if undeclared:
        said.append(f"No promise to respondents is declared for {prose.join(undeclared)}; only figures over groups are shown.")
    return said or ["Nothing is known to be missing for the studies of this report."]


def rows(files: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the study's claims: what came in."""
    said = intake(files, limit=programme.limits.quarantine)
    return claims.frame([claims.claim("loading.intake", STUDY, said[0], unit="rows", base=prose.plural(int(files["rows"].sum()), "row"), row={"n": files["rows"].sum()}, rank=9)])
