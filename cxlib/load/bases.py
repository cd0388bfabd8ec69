"""Bases: how many stand behind a figure, who was asked what, and who is linked to what."""

import pandas as pd

LINKED = ("people", "accounts", "invitations", "interactions", "events", "orders", "offers", "actions")


def bases(tables) -> pd.DataFrame:
    """Return the base of every KPI by survey and wave.

    Columns: kpi, survey, wave, quarter, rows (respondents), asked, n (answered), weighted_n (sum of weights), n_eff (Kish: (sum of
    weights)^2 / sum of squared weights), note (why there is none). Source: METHODS 0, Kish (1965).
    """
    responses, programme, rows = tables["responses"], tables.programme, []
    items = answers(tables).set_index(["survey", "wave", "item"])
    for kpi in programme.kpis:
        for survey in surveys_of(programme, kpi):
            for wave, own in responses[responses["survey"] == survey].groupby("wave", sort=False):
                asked = int(items.loc[(survey, wave, kpi.item), "asked"])
                weights = own.loc[own[kpi.item].notna(), "weight"]
                n_eff = weights.sum() ** 2 / (weights**2).sum() if len(weights) else 0.0
                rows.append((kpi.id, survey, wave, own["quarter"].max(), len(own), asked, len(weights), weights.sum(), n_eff, "" if asked else "not asked in this wave"))
    columns = ["kpi", "survey", "wave", "quarter", "rows", "asked", "n", "weighted_n", "n_eff", "note"]
    return pd.DataFrame(rows, columns=columns).sort_values(["kpi", "survey", "quarter", "wave"], ignore_index=True)


def surveys_of(programme, kpi) -> list[str]:
    """Return the surveys for which a KPI is reported: those it names, else all that ask its item."""
    return list(kpi.surveys) or [survey.id for survey in programme.surveys if kpi.item in {item.id for item in programme.asked(survey.id)}]


def answers(tables) -> pd.DataFrame:
    """Return who was asked and who answered: survey, wave, quarter, item, rows, asked, answered (respondents)."""
    coverage = tables["coverage"]
    keys = ["survey", "wave", "item"]
    counts = coverage.assign(
        asked=coverage["rows"].where(coverage["reason"] != "not asked", 0), answered=coverage["rows"].where(coverage["reason"] == "answered", 0)
    )
    return counts.groupby(keys, sort=False, as_index=False).agg(quarter=("quarter", "max"), rows=("rows", "sum"), asked=("asked", "sum"), answered=("answered", "sum"))


def links(tables) -> pd.DataFrame:
    """Return, for each survey and other table, how many respondents are found in it.

    Columns: survey, table, n (respondents), with_key (those who carry a customer key and may be linked), linked, estimate (linked / n,
    a proportion), note ("" or why nothing can be linked). The match is by equal keys: it has no false matches beyond keys that are
    wrong in the files themselves.
    """
    responses, programme, rows = tables["responses"], tables.programme, []
    present = [name for name in LINKED if name in tables]
    for survey in programme.surveys:
        own = responses[responses["survey"] == survey.id]
        for name in present if len(own) else []:
            key = "account_id" if name == "accounts" else "person_id"
            found = own[key].notna() & own[key].isin(tables[name][key].dropna().unique())
            note = "" if "link" in survey.uses else f"the {survey.promise} promise of this survey does not permit linking"
            rows.append((survey.id, name, len(own), int(own[key].notna().sum()), int(found.sum()), found.mean(), note))
    return pd.DataFrame(rows, columns=["survey", "table", "n", "with_key", "linked", "estimate", "note"])


def latest(tables, survey: str) -> pd.DataFrame:
    """Return the responses of a survey's latest wave; empty where it has none up to the quarter."""
    own = tables["responses"].query("survey == @survey")
    last = own.sort_values(["quarter", "answered_on"])["wave"].iloc[-1:]
    return own[own["wave"].isin(last)].reset_index(drop=True)


def upward(frame: pd.DataFrame, programme, items) -> pd.DataFrame:
    """Return answers with the items turned so that a higher score is the better one: low + high - score where low is good."""
    turned = {name: sum((programme.scales[item.scale].low, programme.scales[item.scale].high)) - frame[name] for name in items if programme.direction(item := programme.item(name)) == "low_is_good" and item.kind == "rating"}
    return frame.assign(**turned)


def on_scale(tables) -> bool:
    """Return whether every kept rating lies on its scale: a check on the intake itself."""
    responses, programme = tables["responses"], tables.programme
    ratings = [item for item in programme.items if item.kind == "rating"]
    return all(responses[item.id].dropna().between(programme.scales[item.scale].low, programme.scales[item.scale].high).all() for item in ratings)
