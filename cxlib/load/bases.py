"""Bases: how many stand behind a figure, who was asked what, and who is linked to what."""

import pandas as pd

from cxlib import cells
from cxlib.load import matching

LINKED = ("people", "accounts", "invitations", "interactions", "events", "orders", "offers", "actions")


def bases(tables) -> pd.DataFrame:
    """Return the base of every KPI by survey and wave.

    Columns: kpi, survey, wave, quarter, rows (respondents), asked, n (answered), weighted_n (sum of weights), n_eff (Kish: (sum of
    weights)^2 / sum of squared weights), note (why there is none). Source: METHODS 0, Kish (1965).
    """
    responses, programme, rows = tables["responses"], tables.programme, []
    items = _counts(tables).set_index(["survey", "wave", "item"])
    for kpi in programme.kpis:
        for survey in surveys_of(programme, kpi):
            for wave, own in responses[responses["survey"] == survey].groupby("wave", sort=False):
                asked = int(items.loc[(survey, wave, kpi.item), "asked"])
                weights = own.loc[own[kpi.item].notna(), "weight"]
                n_eff = weights.sum() ** 2 / (weights**2).sum() if len(weights) else 0.0
                rows.append((kpi.id, survey, wave, own["quarter"].max(), len(own), asked, len(weights), weights.sum(), n_eff, "" if asked else "not asked in this wave"))
    columns = ["kpi", "survey", "wave", "quarter", "rows", "asked", "n", "weighted_n", "n_eff", "note"]
    found = pd.DataFrame(rows, columns=columns)
    return found[~cells.few(found, programme=programme, counts=("n", "rows"))].sort_values(["kpi", "survey", "quarter", "wave"], ignore_index=True)


def surveys_of(programme, kpi) -> list[str]:
    """Return the surveys for which a KPI is reported: those it names, else all that ask its item."""
    return list(kpi.surveys) or [survey.id for survey in programme.surveys if kpi.item in {item.id for item in programme.asked(survey.id)}]


def answers(tables) -> pd.DataFrame:
    """Return who was asked and who answered: survey, wave, quarter, item, rows, asked, answered (respondents).

    Items of an anonymous survey that too few were asked or answered are left out.
    """
    found = _counts(tables)
    return found[~cells.few(found, programme=tables.programme, counts=("rows", "asked", "answered"))].reset_index(drop=True)


def _counts(tables) -> pd.DataFrame:
    coverage = tables["coverage"]
    keys = ["survey", "wave", "item"]
    counts = coverage.assign(
        asked=coverage["rows"].where(coverage["reason"] != "not asked", 0), answered=coverage["rows"].where(coverage["reason"] == "answered", 0)
    )
    found = counts.groupby(keys, sort=False, as_index=False).agg(quarter=("quarter", "max"), rows=("rows", "sum"), asked=("asked", "sum"), answered=("answered", "sum"))
    return found


def links(tables) -> pd.DataFrame:
    """Return, for each survey and other table, how many respondents are found in it, and how many of these links are expected to be false.

    Columns: survey, table, n (respondents), with_key (those who carry a customer key and may be linked), linked, estimate (linked / n,
    a proportion), false, false_low, false_high (expected false links with their 95 % interval: 0 where both carry the company's own key, beyond
    keys that are wrong in the files themselves), sentence (the base in words), note ("" or why nothing can be linked). A respondent's
    link holds if the match of the answer holds and the best match among the table's rows does. An answer without an account's key has that of its customer.
    """
    responses, programme, rows = tables["responses"], tables.programme, []
    matches, rates = tables["matches"], tables["matching"].query("how == 'all'")
    present = [name for name in LINKED if name in tables]
    people = tables["people"]
    account = people.dropna(subset=["account_id"]).drop_duplicates("person_id").set_index("person_id")["account_id"]
    responses = responses.assign(account_id=responses["account_id"].astype(object).where(responses["account_id"].notna(), responses["person_id"].map(account)))
    for survey in programme.surveys:
        own = responses[responses["survey"] == survey.id]
        for name in present if len(own) else []:
            key = "account_id" if name == "accounts" else "person_id"
            other = tables[name]
            found = own[own[key].notna() & own[key].isin(other[key].dropna().unique())]
            through = ("people", people) if name == "accounts" else (name, other)
            false, low, high = _false(found, through[1], through[0], matches, rates) if len(matches) else (0.0, 0.0, 0.0)
            note = "" if "link" in survey.uses else f"the {survey.promise} promise of this survey does not permit linking"
            share = len(found) / len(own)
            said = matching.sentence(share, false / max(len(found), 1), high / max(len(found), 1), to=name) if not note else f"Not linked to {name}: {note}."
            rows.append((survey.id, name, len(own), int(own[key].notna().sum()), len(found), share, false, low, high, said, note))
    return pd.DataFrame(rows, columns=["survey", "table", "n", "with_key", "linked", "estimate", "false", "false_low", "false_high", "sentence", "note"])


def _false(found: pd.DataFrame, other: pd.DataFrame, name: str, matches: pd.DataFrame, rates: pd.DataFrame) -> tuple[float, float, float]:
    """Expected false links of respondents to a table, with the interval of the files their customers were matched in."""
    answers = matches[matches["table"] == "responses"].set_index("row")["probability"]
    own = found["answer"].map(answers).astype("float64").fillna(1.0)
    there = matches[matches["table"] == name]
    # A customer is sure in the table if a row carries the key itself; else as sure as the best of the matched rows.
    matched = there.groupby("person_id")["probability"].agg(["max", "size"])
    sizes = other.groupby("person_id").size()
    best = matched.loc[matched["size"] >= sizes.reindex(matched.index).fillna(0), "max"]
    others = found["person_id"].map(best).astype("float64").fillna(1.0)
    false = float((1 - own * others).sum())
    ends = [0.0, 0.0]
    for share, table in ((found["answer"].isin(answers.index).sum(), "responses"), (found["person_id"].isin(best.index).sum(), name)):
        part = rates[rates["table"] == table]
        if share and part["linked"].sum():
            ends = [end + share * part[column].sum() / part["linked"].sum() for end, column in zip(ends, ("conf_low", "conf_high"))]
    return false, min(ends[0], false), min(max(ends[1], false), float(len(found)))


def latest(tables, survey: str) -> pd.DataFrame:
    """Return the responses of a survey's latest wave, by their ids; empty where it has none up to the quarter.

    In the order of the ids, what is drawn at random from them is the same in whatever order the file holds its rows.
    """
    own = tables["responses"].query("survey == @survey")
    last = own.sort_values(["quarter", "answered_on"])["wave"].iloc[-1:]
    return own[own["wave"].isin(last)].sort_values("response_id", kind="stable", ignore_index=True)


def upward(frame: pd.DataFrame, programme, items) -> pd.DataFrame:
    """Return answers with the items turned so that a higher score is the better one: low + high - score where low is good."""
    turned = {name: sum((programme.scales[item.scale].low, programme.scales[item.scale].high)) - frame[name] for name in items if programme.direction(item := programme.item(name)) == "low_is_good" and item.kind == "rating"}
    return frame.assign(**turned)


def on_scale(tables) -> bool:
    """Return whether every kept rating lies on its scale: a check on the intake itself."""
    responses, programme = tables["responses"], tables.programme
    ratings = [item for item in programme.items if item.kind == "rating"]
    return all(responses[item.id].dropna().between(programme.scales[item.scale].low, programme.scales[item.scale].high).all() for item in ratings)


def teams(tables, programme=None) -> list[str]:
    """Return the teams of staff that may be shown: of at least `staff.minimum` persons by the staff table; any where staff.level is person.

    A team whose size no staff table tells is not among them.
    """
    rule, staff = (programme or tables.programme).staff, tables["staff"]
    if rule.level == "person":
        return sorted({*staff["team"].dropna(), *staff["staff_id"].dropna(), *tables["responses"]["team"].dropna()})
    sizes = staff.groupby("team")["staff_id"].nunique()
    return sorted(sizes.index[sizes >= rule.minimum])
