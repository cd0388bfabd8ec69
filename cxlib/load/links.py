"""Who is linked to what: the share of respondents whose customer key is found in another table."""

import pandas as pd

LINKED = ("people", "accounts", "invitations", "interactions", "events", "orders", "offers", "actions")


def links(tables) -> pd.DataFrame:
    """Return, for each survey and other table, how many respondents are found in it.

    Columns: survey, table, n (respondents of the survey), with_key (those who carry a key and may be linked), linked, estimate
    (linked / n, a proportion), note ("" or why nothing can be linked). The match is by equal keys, so that it has no false
    matches beyond wrong keys in the files themselves.
    """
    responses, programme, rows = tables["responses"], tables.programme, []
    for survey in programme.surveys:
        own = responses[responses["survey"] == survey.id]
        for name in LINKED:
            if len(own) == 0 or name not in tables:
                continue
            key = "account_id" if name == "accounts" else "person_id"
            found = own[key].isin(tables[name][key].dropna().unique()) & own[key].notna()
            note = "" if "link" in survey.uses else f"the {survey.promise} promise of this survey does not permit linking"
            rows.append((survey.id, name, len(own), int(own[key].notna().sum()), int(found.sum()), found.mean(), note))
    return pd.DataFrame(rows, columns=["survey", "table", "n", "with_key", "linked", "estimate", "note"])


def bases(tables) -> pd.DataFrame:
    """Return the base of every KPI by survey and wave.

    Columns: kpi, survey, wave, quarter, rows (respondents), asked, answered (= n), weighted_n (sum of weights), n_eff (Kish), note.
    """
    responses, coverage, programme, rows = tables["responses"], tables["coverage"], tables.programme, []
    for kpi in programme.kpis:
        for (survey, wave), own in responses.groupby(["survey", "wave"], sort=True):
            if survey not in (kpi.surveys or [one.id for one in programme.surveys]) or kpi.item not in {item.id for item in programme.asked(survey)}:
                continue
            reasons = coverage[(coverage["survey"] == survey) & (coverage["wave"] == wave) & (coverage["item"] == kpi.item)].set_index("reason")["rows"]
            weights = own.loc[own[kpi.item].notna(), "weight"]
            asked = len(own) - int(reasons.get("not asked", 0))
            n_eff = weights.sum() ** 2 / (weights**2).sum() if len(weights) else 0.0
            rows.append((kpi.id, survey, wave, own["quarter"].max(), len(own), asked, len(weights), weights.sum(), n_eff, "" if asked else "not asked in this wave"))
    return pd.DataFrame(rows, columns=["kpi", "survey", "wave", "quarter", "rows", "asked", "n", "weighted_n", "n_eff", "note"]).sort_values(["kpi", "survey", "quarter"], ignore_index=True)
