"""Fieldwork: a box a wave (whom, how, when, how many, weighted how), the accounts behind the people, and what breaks a series."""

import itertools

import numpy as np
import pandas as pd

from cxlib.load import weighting
from cxlib.load.bases import surveys_of
from cxlib.measure.nonresponse import LEAST, TOLD, joined

SAME = 0.995  # share of the silent with one and the same score from which it is filled in


def boxes(tables, rates: pd.DataFrame) -> pd.DataFrame:
    """Return the fieldwork of each wave.

    in: `nonresponse.rates`. out: survey, wave, quarter, population, mode, sample (where those who were asked come from), first, last, invited, completed (questionnaires), people, accounts (distinct, where
    they are known), estimate, conf_low, conf_high (response rate, a share), definition (of that rate; "" where nobody knows who was invited), minutes,
    weighting (how), n_eff (Kish, of all completed), factor (n / n_eff), low, high (weights in multiples of their mean).
    """
    programme, responses, rows = tables.programme, tables["responses"], []
    whole = rates[rates["field"] == ""].set_index(["survey", "wave"])
    for survey in programme.surveys:
        for wave in [one for one in programme.waves if one.survey == survey.id and one.quarter <= tables.quarter]:
            own = responses[(responses["survey"] == survey.id) & (responses["wave"] == wave.id)]
            if not len(own):
                continue
            if "link" in survey.uses:
                own = weighting.placed(own, tables["people"], ["account_id"])
            cost = weighting.effect(own).iloc[0]
            row = {"survey": survey.id, "wave": wave.id, "quarter": wave.quarter, "population": survey.population, "mode": wave.mode or survey.mode, "sample": wave.sample or survey.sample, "first": pd.Timestamp(wave.first), "last": pd.Timestamp(wave.last), "completed": len(own), "minutes": survey.minutes}
            row |= {name: (own[column].nunique() if own[column].notna().any() else np.nan) for name, column in (("people", "person_id"), ("accounts", "account_id"))}
            if (survey.id, wave.id) in whole.index:
                found = whole.loc[(survey.id, wave.id)]
                row |= {"invited": found["n"], **found[["estimate", "conf_low", "conf_high", "definition"]]}
            elif wave.invited:
                row |= {"invited": wave.invited, "estimate": min(len(own) / wave.invited, 1.0), "definition": TOLD}
            rows.append(row | {"weighting": how(survey, own), "n_eff": cost["n_eff"], "factor": cost["factor"], "low": cost["low"], "high": cost["high"]})
    columns = ["survey", "wave", "quarter", "population", "mode", "sample", "first", "last", "invited", "completed", "people", "accounts", "estimate", "conf_low", "conf_high", "definition", "minutes", "weighting", "n_eff", "factor", "low", "high"]
    made = pd.DataFrame(rows).reindex(columns=columns)
    numbers = ("invited", "people", "accounts", "estimate", "conf_low", "conf_high", "minutes", "n_eff", "factor", "low", "high")
    return made.astype(dict.fromkeys(numbers, float)).assign(definition=made["definition"].astype(object).fillna("").astype(str))


def how(survey, own: pd.DataFrame) -> str:
    """Say how the answers of a wave were weighted."""
    if survey.rake:
        return f"raked to {', '.join(margin.field for margin in survey.rake.margins)}, between {survey.rake.smallest:g} and {survey.rake.largest:g} times the mean"
    if own["weight"].nunique() <= 1:
        return "unweighted"
    return survey.weighting or "weights of the file; how they were made is not declared"


def breaks(found: pd.DataFrame) -> pd.DataFrame:
    """Return where the mode or the kind of sample of a survey changed from one wave to the next: a break of its series, as a change of wording is.

    in: `boxes`. out: survey, wave, quarter, then_wave, what (mode, sample, rate or weights), before, after.
    """
    rows = []
    for survey, own in found.sort_values("first", kind="stable").groupby("survey", sort=False):
        own = own.to_dict("records")
        for then, now in itertools.pairwise(own):
            kind = lambda row: "unweighted" if row["weighting"] == "unweighted" else "weighted"
            seen = [("mode", then["mode"], now["mode"]), ("sample", then["sample"], now["sample"]), ("rate", then["definition"], now["definition"]), ("weights", kind(then), kind(now))]
            rows += [(survey, now["wave"], now["quarter"], then["wave"], what, before, after) for what, before, after in seen if before and after and before != after]
    return pd.DataFrame(rows, columns=["survey", "wave", "quarter", "then_wave", "what", "before", "after"])


def accounts(tables, asked: pd.DataFrame, *, least: int = LEAST) -> pd.DataFrame:
    """Return how many accounts, and how much of their sales, stand behind the answers of each survey's latest wave.

    in: `nonresponse.asked`. out: survey, wave, quarter, segment ("" over all), accounts (customers on the first day of fieldwork), invited, answered (with at
    least one answer), estimate (answered / accounts), people (answers an answering account), revenue (share of the sales of the twelve months
    before that are answering accounts'; missing without orders). Segments of fewer than `least` accounts are joined. Empty where every account has one person only.
    """
    people = tables["people"]
    if not len(people) or not len(asked) or people["account_id"].isna().all() or not people.groupby("account_id").size().gt(1).any():
        return pd.DataFrame(columns=["survey", "wave", "quarter", "segment", "accounts", "invited", "answered", "estimate", "people", "revenue"])
    owner = people.drop_duplicates("person_id").set_index("person_id")["account_id"]
    kinds = tables["accounts"].drop_duplicates("account_id").set_index("account_id")["segment"]
    orders, rows = tables["orders"], []
    for survey, own in asked.groupby("survey", sort=False):
        own = own[own["quarter"] == own["quarter"].max()]
        wave = next(one for one in tables.programme.waves if one.survey == survey and one.id == own["wave"].iloc[-1])
        own = own[own["wave"] == wave.id]
        there = weighting.customers(people, wave.first)["account_id"].dropna().drop_duplicates()
        day = pd.to_datetime(orders["ordered_on"])
        year = orders[(day < pd.Timestamp(wave.first)) & (day >= pd.Timestamp(wave.first) - pd.DateOffset(years=1))]
        sales = year["amount"].astype(float).groupby(year["person_id"].map(owner)).sum()
        replied = own[own["answered"] == 1].groupby("account_id").size()
        kind = joined(there.map(kinds), least)
        for name in ["", *sorted(kind.dropna().unique())]:
            inside = there[kind == name] if name else there
            answering = inside[inside.isin(replied.index)]
            total = sales.reindex(inside).sum()
            rows.append((survey, wave.id, wave.quarter, name, len(inside), int(inside.isin(own["account_id"]).sum()), len(answering), len(answering) / len(inside) if len(inside) else np.nan, replied.reindex(answering).mean(), sales.reindex(answering).sum() / total if total > 0 else np.nan))
    return pd.DataFrame(rows, columns=["survey", "wave", "quarter", "segment", "accounts", "invited", "answered", "estimate", "people", "revenue"])


def filled_in(responses: pd.DataFrame, answered, items) -> pd.DataFrame:
    """Find scores that nobody gave: rows of people who did not answer that carry one and the same score all the same.

    in: one row a person; `answered` (0 or 1) a row; `items` the columns of scores. out: item, n (scores of the silent), score (theirs), share (of the silent
    with it), others (share of it among those who answered), refused (1: at least 30 silent, 99.5 % alike, and at most 80 % of the others), sentence.
    A score of somebody who did not answer is worth a look even where they differ.
    """
    rows, silent = [], ~(np.asarray(answered, dtype=float) == 1)
    for item in items:
        score = responses[item].astype(float)
        own, others = score[silent].dropna(), score[~silent].dropna()
        if own.empty:
            continue
        top = float(own.mode().iloc[0])
        share, rest = float((own == top).mean()), float((others == top).mean()) if len(others) else np.nan
        refused = int(len(own) >= 30 and share >= SAME and rest <= 0.8)
        said = f"{len(own):,} rows of people who did not answer carry a score on '{item}'"
        said += f", {top:g} for {'all of them' if share == 1 else f'{100 * share:.1f} %'} where {100 * rest:.0f} % of those who answered gave it: it was filled in, not answered. Count those who answered only, or list the code under 'missing'." if refused else "; look where these scores come from before they are averaged."
        rows.append((item, len(own), top, share, rest, refused, said))
    return pd.DataFrame(rows, columns=["item", "n", "score", "share", "others", "refused", "sentence"])


def silent_scores(tables, asked: pd.DataFrame) -> pd.DataFrame:
    """Return what `filled_in` finds in each wave among answers of people whose invitation says that they did not answer: survey, wave, then its columns."""
    parts, responses = [], tables["responses"]
    for (survey, wave), own in asked[asked["source"] == "invited"].groupby(["survey", "wave"], sort=False):
        flag = own.groupby("person_id")["answered"].max()
        answers = responses[(responses["survey"] == survey) & (responses["wave"] == wave) & responses["person_id"].isin(flag.index)]
        items = [kpi.item for kpi in tables.programme.kpis if survey in surveys_of(tables.programme, kpi)]
        found = filled_in(answers, answers["person_id"].map(flag), dict.fromkeys(items))
        parts.append(found.assign(survey=survey, wave=wave))
    columns = ["survey", "wave", "item", "n", "score", "share", "others", "refused", "sentence"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
