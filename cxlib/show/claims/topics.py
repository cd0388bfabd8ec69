"""What the verbatim study says: what people talk about, for better or worse, what changed, and what goes with the KPI."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "04_verbatim_topics"


def coverage(found: pd.DataFrame) -> list[str]:
    """Say, for each survey's latest quarter, how many verbatims there are and what share the codeframe does not cover."""
    said = []
    for row in found.sort_values("quarter").groupby("survey", sort=False).tail(1).to_dict("records"):
        if row["n"] == 0:
            said.append(f"{row['survey']}, {row['quarter']}: {row['note']}.")
            continue
        aside = prose.join([f"{prose.number(row[key])} {words}" for key, words in (("empty", "without words"), ("nothing", "saying nothing"), ("other_language", "in another language")) if row[key]] or ["none"])
        said.append(
            f"{row['survey']}, {row['quarter']}: {prose.plural(row['verbatims'], 'verbatim')}, set aside {aside}; "
            f"the codeframe leaves {prose.percent(row['estimate'])} of the others uncovered (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')})."
        )
    return said


def polarity(checks: pd.DataFrame) -> list[str]:
    """Say how polarity was judged in each survey, and how well the words agree with the ratings."""
    return [
        f"{row['survey']}: polarity was learnt from the ratings of {prose.plural(row['n'], 'commenter')}; words and ratings agree with an AUC of {prose.number(row['auc'], digits=2)} on respondents not learnt from."
        if row["method"] == "ratings"
        else f"{row['survey']}: {row['note']}"
        for row in checks.to_dict("records")
    ]


def latest(shares: pd.DataFrame, *, polarity: str = "negative") -> pd.DataFrame:
    """Return the topic shares of each survey's latest quarter in one polarity, the largest first."""
    own = shares[(shares["polarity"] == polarity) & (shares["level"] == "topic")]
    own = own[own["quarter"] == own.groupby("survey")["quarter"].transform("max")]
    return own.sort_values(["survey", "estimate"], ascending=[True, False], kind="stable")


def top(shares: pd.DataFrame) -> list[str]:
    """Say, for each survey's latest quarter, what is criticised and praised most (names in words)."""
    return [f"{survey}, {group['quarter'].iloc[0]}: criticised most is {_named(group)}; praised most is {_named(praise)}." for survey, group, praise in _pairs(shares)]


def impact(found: pd.DataFrame, unit: str) -> list[str]:
    """Say which topics go with a lower or higher KPI, where a test on its own would see it; the ledger decides for the front page."""
    said = []
    for survey, group in found.groupby("survey", sort=False):
        seen = group[group["p"] < 0.05].sort_values("estimate", kind="stable")
        if seen.empty:
            said.append(f"{survey}: no topic shows a detectable association with the key figure.")
        for row in pd.concat([seen.head(2), seen.tail(1)]).drop_duplicates("topic").to_dict("records"):
            said.append(f"{survey}: {row['topic']} is associated with a {'lower' if row['estimate'] < 0 else 'higher'} figure: {_with(row, unit)}.")
    return said


def rows(shares: pd.DataFrame, found: pd.DataFrame, changes: pd.DataFrame, unit: str, kpi: str) -> pd.DataFrame:
    """Return the study's claims (names in words): most criticised topic, strongest association, largest change, by survey."""
    made = []
    for place, (survey, group, _) in enumerate(_pairs(shares)):
        row = group.iloc[0].to_dict()
        base = f"{prose.base(row['n'], row['n_eff'], noun='commenter')}, {survey} {row['quarter']}"
        text = f"{survey}: {prose.percent(row['estimate'])} of commenters criticised {row['topic']}, more than any other topic (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}; indicative, not audited)."
        made.append(claims.claim(f"topics.{survey}.most", STUDY, text, row=row, unit="share", base=base, rank=4 + place / 10))
        tested = found[(found["survey"] == survey) & found["p"].notna()].sort_values("p", kind="stable")
        if len(tested):
            row = tested.iloc[0].to_dict()
            text = f"{survey}: speaking of {row['topic']} is associated with a {'lower' if row['estimate'] < 0 else 'higher'} {kpi}: {_with(row, unit)}."
            null = f"{survey}: no topic showed a detectable association with {kpi}."
            made.append(claims.claim(f"topics.{survey}.impact", STUDY, text, text_null=null, row=row, unit=unit, base=base, p=row["p"], test_id=claims.test_id(STUDY, row, ["survey_id", "topic_id"]), rank=4.5 + place / 10, action=row["estimate"] < 0))
        moved = changes[(changes["survey"] == survey) & changes["p"].notna()].sort_values("p", kind="stable")
        if len(moved):
            row = moved.iloc[0].to_dict()
            words = prose.change(row["estimate"], row["conf_low"], row["conf_high"], unit="percentage points", what=f"the share of commenters who criticise {row['topic']}", since=row["then_quarter"])
            null = f"{survey}: no topic is criticised detectably more or less often than in {row['then_quarter']}."
            made.append(claims.claim(f"topics.{survey}.change", STUDY, f"{survey}: {words}.", text_null=null, row=row, unit="share", base=base, p=row["p"], test_id=claims.test_id(STUDY, row, ["survey_id", "topic_id", "polarity"]), rank=5 + place / 10))
    return claims.frame(made)


def _pairs(shares):
    praise = dict(list(latest(shares, polarity="positive").groupby("survey", sort=False)))
    for survey, group in latest(shares).groupby("survey", sort=False):
        if group["estimate"].max() > 0:
            yield survey, group, praise.get(survey)


def _named(group) -> str:
    if group is None or group["estimate"].max() == 0:
        return "nothing"
    row = group.iloc[0]
    return f"{row['topic']} ({prose.percent(row['estimate'])} of {prose.plural(row['n'], 'commenter')}, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')})"


def _with(row, unit) -> str:
    show = prose.points if unit == "points" else lambda value: prose.number(value, digits=2)
    return f"{show(row['kpi_with'])} among the {prose.number(row['count'])} who mention it, {show(row['kpi_rest'])} among the others (all in all {prose.interval(row['conf_low'], row['conf_high'], unit)})"
