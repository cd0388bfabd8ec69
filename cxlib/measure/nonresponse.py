"""Who answered, and what the silent could change: respondents against those who were invited.

What the frame tells of the silent is corrected by weights; what it does not tell is bounded. Neither is in a sampling error.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load import weighting
from cxlib.load.bases import surveys_of
from cxlib.measure import design, metrics

ANSWERED = metrics.Definition("answered", "Share of those invited who answered", "share", 0, 1, "high", (1,))
INVITED = "answered / invited (AAPOR RR1: everybody invited counts, whether reached or not)"
FRAME = "answered / customers on the first day of fieldwork (coverage of the frame; who was invited is not known)"
TOLD = "answered / invited, as the programme states it"
FIELDS = ("contract", "segment", "region", "brand", "role", "country")  # of the people table; others by the programme's segments
LEVELS, LEAST, MEMORY = 30, 10, 365  # categories a field may have; answers a category needs in the model; days an invitation is remembered
SHIFTS = {"points": (5.0, 10.0, 20.0, 200.0), "share": (0.05, 0.10, 0.20, 1.0), "scale": (0.05, 0.10, 0.20, 1.0)}  # the last: worst case; scale: of its range


def asked(tables) -> pd.DataFrame:
    """Return everybody who was invited, or could have been, with what the frame knows of them.

    Columns: survey, wave, quarter, person_id, account_id, answered (0 or 1), reminder, probability (of selection; 1 where none is told), earlier
    (invitations to the same person in the 365 days before, of all surveys), source (invited or frame), and the fields of the people table. An
    invitation whose outcome is not told counts as answered if its person has an answer in the wave. Surveys without invitations stand against the
    customers of their first day, where their answers may be linked; others are left out.
    """
    programme, responses, parts = tables.programme, tables["responses"], []
    calls = tables["invitations"]
    people = tables["people"].drop_duplicates("person_id")
    if len(calls):
        calls = calls.sort_values(["person_id", "sent_on", "survey", "wave"], kind="stable", ignore_index=True)
        calls["earlier"] = _earlier(calls)
    for survey in programme.surveys:
        own = responses[responses["survey"] == survey.id]
        for wave in [one for one in programme.waves if one.survey == survey.id and one.quarter <= tables.quarter]:
            there = calls[(calls["survey"] == survey.id) & (calls["wave"] == wave.id)] if len(calls) else calls
            replied = own.loc[own["wave"] == wave.id, "person_id"].dropna()
            if len(there):
                told = there["answered"].astype(float)
                part = there[["person_id", "reminder", "probability", "earlier"]].assign(answered=told.where(told.notna(), there["person_id"].isin(replied).astype(float)), source="invited")
            elif len(replied) and len(people) and survey.kind in ("relationship", "driver", "employee"):
                part = weighting.customers(people, wave.first)[["person_id"]]
                part = part.assign(answered=part["person_id"].isin(replied).astype(float), source="frame")
            else:
                continue
            parts.append(part.assign(survey=survey.id, wave=wave.id, quarter=wave.quarter))
    columns = ["survey", "wave", "quarter", "person_id", "answered", "reminder", "probability", "earlier", "source"]
    found = pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)
    known = [name for name in ("account_id", *dict.fromkeys((*FIELDS, *(segment.field for segment in programme.segments)))) if name in people and name not in found]
    found = found.merge(people[["person_id", *known]], on="person_id", how="left")
    return found.assign(probability=found["probability"].astype(float).fillna(1.0))


def _earlier(calls: pd.DataFrame) -> np.ndarray:
    """Count the invitations to the same person in the days before each; rows sorted by person and day."""
    person, day = pd.factorize(calls["person_id"])[0], calls["sent_on"].to_numpy().astype("datetime64[D]").astype("int64")
    known = calls["sent_on"].notna().to_numpy()
    line = person.astype("int64") * 10_000_000 + np.where(known, day + 1_000_000, 0)
    return np.where(known, np.searchsorted(line, line, side="left") - np.searchsorted(line, line - MEMORY, side="left"), np.nan)


def fields(frame: pd.DataFrame) -> list[str]:
    """Return the frame's columns that can tell who answers: 2 to 30 categories, known of at least half."""
    fixed = {"survey", "wave", "quarter", "person_id", "account_id", "answered", "reminder", "probability", "earlier", "source", "propensity"}
    return [name for name in frame if name not in fixed and frame[name].notna().mean() >= 0.5 and 2 <= frame[name].nunique() <= LEVELS]


def joined(values: pd.Series, least: int = LEAST) -> pd.Series:
    """Return categories with those of fewer than `least` rows joined as "others", and with the next smallest where these are too few even together.

    Joined cells add up to what they were: none can be had by subtraction, as one that is left out could.
    """
    counts = values.value_counts().sort_index().sort_values(kind="stable")
    small = list(counts.index[counts < least])
    while small and counts[small].sum() < least and len(small) < len(counts):
        small.append(counts.index[len(small)])
    return values.astype(object).map(lambda one: "others" if one in small else one, na_action="ignore") if small else values


def rates(frame: pd.DataFrame, *, by=None, least: int = LEAST) -> pd.DataFrame:
    """Return response rates by survey and wave, over all, and for each survey's latest wave by each field of the frame.

    in: what `asked` returns; `by` the fields, then in every wave (default: `fields` of the latest); `least` the fewest invited that a category is
    shown for, smaller ones are joined: who answered is nobody's business. out: survey, wave, quarter, field ("" over all), value, n (invited), answered,
    estimate, std_error, conf_low, conf_high (share; Wilson, invitations to one person a cluster), n_eff, share_invited, share_answered (parts of the
    value among both), definition. Invitations weigh by 1/probability of selection.
    """
    parts = []
    latest = frame.sort_values("quarter", kind="stable").groupby("survey", sort=False)["wave"].last()
    for (survey, wave, quarter), own in frame.groupby(["survey", "wave", "quarter"], sort=False):
        own = own.assign(weight=1 / own["probability"].clip(lower=1e-6))
        own["weight"] /= own["weight"].mean()
        cluster = "person_id" if own["person_id"].duplicated().any() else None
        for name in ["", *(by if by is not None else fields(own) if wave == latest[survey] else [])]:
            keys = [name] if name else []
            own = own.assign(**{name: joined(own[name], least)}) if name else own
            found = design.estimate(own, score="answered", definition=ANSWERED, by=keys, cluster=cluster)
            counts = own.assign(reply=own["answered"] * own["weight"]).groupby(keys, dropna=True, sort=True)[["weight", "reply"]].sum() if keys else own.assign(reply=own["answered"] * own["weight"])[["weight", "reply"]].sum().to_frame().T
            found["value"] = found[name].astype(str) if name else ""
            replied = own.loc[own["answered"] == 1].groupby(keys).size().reindex(found[name]).fillna(0).to_numpy() if name else [(own["answered"] == 1).sum()]
            found = found.assign(survey=survey, wave=wave, quarter=quarter, field=name, answered=np.asarray(replied, dtype="int64"), share_invited=(counts["weight"] / counts["weight"].sum()).to_numpy(), share_answered=(counts["reply"] / max(counts["reply"].sum(), 1e-12)).to_numpy())
            parts.append(found.assign(definition=INVITED if own["source"].iloc[0] == "invited" else FRAME))
    columns = ["survey", "wave", "quarter", "field", "value", "n", "answered", "estimate", "std_error", "conf_low", "conf_high", "n_eff", "share_invited", "share_answered", "definition"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def fatigue(frame: pd.DataFrame, *, most: int = 4) -> pd.DataFrame:
    """Return response rates by the number of earlier invitations within a year, and how much each one goes with.

    in: what `asked` returns. out: survey, earlier ("0" to "4+", or "each one more" for the slope), n, answered, estimate, std_error, conf_low, conf_high
    (share; the slope in shares an invitation, linearised with people as clusters), p (of the slope). All waves of a survey together. Who was
    invited often was in contact often: this is an association, no effect.
    """
    parts, columns = [], ["survey", "earlier", "n", "answered", "estimate", "std_error", "conf_low", "conf_high", "p"]
    for survey, own in frame[frame["earlier"].notna()].groupby("survey", sort=False):
        own = own.assign(weight=1.0, steps=own["earlier"].clip(upper=most))
        found = design.estimate(own, score="answered", definition=ANSWERED, by="steps", cluster="person_id")
        found = found.assign(survey=survey, earlier=[f"{step:.0f}{'+' if step == most else ''}" for step in found["steps"]], answered=(found["estimate"] * found["n"]).round().astype("int64"))
        x = own["steps"] - own["steps"].mean()
        if (x**2).sum() > 0:
            sample = design.units(own, cluster="person_id")
            slope = float((x * own["answered"]).sum() / (x**2).sum())
            y = (x * (own["answered"] - own["answered"].mean() - slope * x) / (x**2).sum()).to_numpy()
            error = np.sqrt(design.variance(sample, y))
            row = {"survey": survey, "earlier": "each one more", "n": len(own), "answered": int(own["answered"].sum()), "estimate": slope, "std_error": error, "conf_low": slope - metrics.Z * error, "conf_high": slope + metrics.Z * error, "p": 2 * stats.norm.sf(abs(slope) / error) if error > 0 else np.nan}
            found = pd.concat([found, pd.DataFrame([row])], ignore_index=True)
        parts.append(found.reindex(columns=columns))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def propensity(frame: pd.DataFrame, *, by: list[str], penalty: float = 0.05) -> pd.Series:
    """Return the chance that each row answers, from a logistic model with a term for each category (main effects).

    in: `answered` and the columns `by`; rows count by 1/`probability`. Fitted by Newton's method on the distinct cells. The terms are drawn a
    little together (a normal prior with variance 1/`penalty` on the log-odds), so that a category in which all or none answered keeps a finite weight.
    """
    codes = [pd.factorize(frame[name].fillna(weighting.UNKNOWN), sort=True)[0] for name in by]
    key = np.zeros(len(frame), dtype="int64")
    for code in codes:
        key = key * (code.max() + 1) + code
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    x = np.column_stack([np.ones(len(first)), *(np.eye(code.max() + 1)[code[first]] for code in codes)])
    w = 1 / frame["probability"].clip(lower=1e-6).to_numpy(dtype=float) if "probability" in frame else np.ones(len(frame))
    w = w / w.mean()
    n, k = (np.bincount(cell, weights=values) for values in (w, w * frame["answered"].to_numpy(dtype=float)))
    prior, beta = np.r_[1e-9, np.full(x.shape[1] - 1, penalty)], np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        step = np.linalg.solve((x * (n * p * (1 - p))[:, None]).T @ x + np.diag(prior), x.T @ (k - n * p) - prior * beta)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return pd.Series((1 / (1 + np.exp(-np.clip(x @ beta, -30, 30))))[cell], index=frame.index)


def weights(frame: pd.DataFrame, *, bounds: tuple[float, float] = (0.2, 5.0)) -> pd.DataFrame:
    """Return weights that make the respondents of one wave stand for those invited: 1/(chance of selection x chance to answer), raked to the fields of the frame.

    in: one wave of `asked`. out: the rows that answered, with propensity, weight, base_weight, and the fields with categories of fewer than
    10 answers joined as "others". The weights are right where, within what the fields tell, silence has nothing to do with the answer (missing at random).
    """
    own, names = frame.copy(), fields(frame)
    for name in list(names):
        counts = own.loc[own["answered"] == 1, name].value_counts()
        small = set(own[name].dropna()) - set(counts.index[counts >= LEAST])
        own[name] = own[name].astype(object).where(own[name].notna(), weighting.UNKNOWN).map(lambda one, small=small: "others" if one in small else one)
        if (lone := own.loc[own["answered"] == 1, name].value_counts().reindex(own[name].unique()).fillna(0)).min() < LEAST:
            own[name] = own[name].mask(own[name].isin(lone.index[lone < LEAST]), lone.index[lone.argmax()])  # too few even together: to the largest
    names = [name for name in names if own[name].nunique() > 1]
    replied = own["answered"] == 1
    if not names or replied.sum() < LEAST:
        return own[replied].assign(propensity=replied.mean(), weight=1.0, base_weight=1.0)
    own["propensity"] = propensity(own, by=names)
    own["start"] = 1 / (own["propensity"] * own["probability"].clip(lower=1e-6))
    there = (1 / own["probability"].clip(lower=1e-6)).groupby
    targets = {name: (there(own[name]).sum() / there(own[name]).sum().sum()).to_dict() for name in names}
    made = weighting.rake(own[replied], targets=targets, weight="start", bounds=bounds)
    return own[replied].drop(columns="start").join(made.weights[["weight", "base_weight"]])


def adjusted(tables, frame: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return the KPIs of each survey's latest wave as if everybody invited had answered alike within what the frame knows of them.

    in: `asked` and `waves.kpis`. out: kpi, survey, wave, quarter, definition, unit, estimate, std_error, conf_low, conf_high, n, n_eff (with weights of
    `weights`; the variance is the calibrated one), shown (the estimate on the other pages), shift (estimate - shown), fields. Only answers
    that may be linked to their person.
    """
    rows, responses, programme = [], tables["responses"], tables.programme
    for survey in programme.surveys:
        own = frame[(frame["survey"] == survey.id)]
        last = own[own["quarter"] == own["quarter"].max()]
        if "link" not in survey.uses or not len(last) or not fields(last):
            continue
        wave = last["wave"].iloc[-1]
        last = last[last["wave"] == wave].sort_values("answered", ascending=False, kind="stable")
        made = weights(last.reset_index(drop=True))
        names = [name for name in fields(last) if made[name].nunique() > 1]
        answers = responses[(responses["survey"] == survey.id) & (responses["wave"] == wave) & responses["person_id"].notna()]
        joined = answers.drop(columns=[*names, "weight", "base_weight"], errors="ignore").merge(made.drop_duplicates("person_id")[["person_id", "weight", "base_weight", *names]], on="person_id")
        for kpi in [one for one in programme.kpis if survey.id in surveys_of(programme, one) and one.item in joined and joined[one.item].notna().any()]:
            found = design.estimate(joined, score=kpi.item, definition=kpi.definition, base_weight="base_weight", margins=names, cluster="person_id").iloc[0]
            level = shown[(shown["kpi"] == kpi.id) & (shown["survey"] == survey.id) & (shown["wave"] == wave)]["estimate"]
            level = float(level.iloc[0]) if len(level) else np.nan
            rows.append({"kpi": kpi.id, "survey": survey.id, "wave": wave, "quarter": last["quarter"].iloc[0], **found[["definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff"]], "shown": level, "shift": found["estimate"] - level, "fields": ", ".join(names)})
    columns = ["kpi", "survey", "wave", "quarter", "definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "shown", "shift", "fields"]
    return pd.DataFrame(rows, columns=columns)


def bounds(shown: pd.DataFrame, invited: pd.DataFrame, *, shifts: dict | None = None) -> pd.DataFrame:
    """Bound each KPI when the silent differ from those who answered by at most d, in either direction.

    in: `waves.kpis` (respondents) and survey, wave, n (invited), definition; what `rates` or `invited` returns. out: kpi, survey, wave, quarter, unit, shift (d, in
    the KPI's unit; the largest is the worst case), rate (answered the item / invited), estimate (of respondents), low, high (the KPI of all invited: r x estimate
    + (1 - r) x (estimate -+ d), the silent clipped to what is possible: +-100 for NPS), conf_low, conf_high (the same from the ends of the 95 %
    interval of the respondents, so that sampling error is in it; it covers at least 95 %), n, definition.
    """
    rows, shifts = [], SHIFTS if shifts is None else shifts
    totals = invited[invited["field"] == ""] if "field" in invited else invited
    totals = totals.assign(rate=totals.get("estimate", np.nan))
    for row in shown.merge(totals[["survey", "wave", "n", "definition", "rate"]].rename(columns={"n": "invited", "definition": "said"}), on=["survey", "wave"]).to_dict("records"):
        edge = metrics.definition_of(row["definition"]).bounds
        # Answers of people whom the customer file does not know, and a second one of somebody, do not make more of it answer.
        replies = row["rate"] * row["invited"] if row["said"] == FRAME and row["rate"] == row["rate"] else row["n"]
        rate = min(replies / row["invited"], row["n"] / row["invited"], 1.0) if row["invited"] else np.nan
        for shift in shifts[row["unit"]]:
            d = shift * (edge[1] - edge[0]) if row["unit"] == "scale" else shift
            ends = {side: [rate * row[name] + (1 - rate) * min(max(row[name] + sign * d, edge[0]), edge[1]) for name in names] for side, sign, names in (("low", -1, ("estimate", "conf_low")), ("high", 1, ("estimate", "conf_high")))}
            rows.append({**{name: row[name] for name in ("kpi", "survey", "wave", "quarter", "unit")}, "shift": d, "rate": rate, "estimate": row["estimate"], "low": ends["low"][0], "high": ends["high"][0], "conf_low": ends["low"][1], "conf_high": ends["high"][1], "n": int(row["n"]), "definition": row["said"]})
    columns = ["kpi", "survey", "wave", "quarter", "unit", "shift", "rate", "estimate", "low", "high", "conf_low", "conf_high", "n", "definition"]
    return pd.DataFrame(rows, columns=columns)
