"""What the verbatim study says: what people talk about, for better or worse, what changed, and what goes with the KPI."""

import pandas as pd

from cxlib.show import claims, prose

STUDY = "04_verbatim_topics"


SOURCE = "contacts: "  # what the channel of a source of messages stands behind
BY_PEOPLE = "codes that people gave"  # the note of shares that no machine coded
UNITS = {"points": "points", "share": "percentage points", "scale": "scale points"}  # what the KPI's relation to a topic is told in


def missing(programme) -> str:
    """Return what the study would say, and what the programme itself says of its comments: the end of the sentence on a page without any."""
    return f"say what customers talk about. Comments that were coded elsewhere, by number, are not yet coded to a codeframe here and cannot stand for them.{claims.about(programme, 'comment')}".removesuffix(".")


def named(found: pd.DataFrame, programme, names: dict) -> pd.DataFrame:
    """Return a frame with topics, surveys and KPIs in words; ids stay in `topic_id` and `survey_id`, and `opening` is what a sentence begins with."""
    several, label = found["survey"].nunique() > 1, lambda survey: called(programme, survey)
    out = found.assign(survey_id=found["survey"], opening=[f"{label(survey)}: " if several else f"{label(survey)}: " if survey.startswith(SOURCE) else claims.heading(programme, survey) for survey in found["survey"]], survey=found["survey"].map(label))
    if "topic" in out:
        out = out.assign(topic_id=out["topic"], topic=out["topic"].map(names))
    return out.assign(kpi=out["kpi"].map(programme.label)) if "kpi" in out else out


def called(programme, survey: str) -> str:
    """Return a survey, or a channel of messages, in words."""
    return f"Messages ({survey.removeprefix(SOURCE)})" if survey.startswith(SOURCE) else programme.label(survey)


def coverage(found: pd.DataFrame) -> list[str]:
    """Say, for each survey's latest quarter, how many verbatims there are and what share the codeframe does not cover."""
    said = []
    for row in found.sort_values("quarter").groupby("survey_id", sort=False).tail(1).to_dict("records"):
        if row["n"] == 0:
            said.append(f"{row['opening']}{row['quarter']}, {row['note']}.")
            continue
        aside = [f"{prose.number(row[key])} {words}" for key, words in (("empty", "without words"), ("nothing", "saying nothing"), ("unknown", "not knowing"), ("other_language", "in another language")) if row[key]]
        said.append(
            f"{row['opening']}{prose.plural(row['verbatims'], 'message' if row['survey_id'].startswith(SOURCE) else 'comment')} in {row['quarter']}{f', set aside {prose.join(aside)}' if aside else ''}; "
            f"the codeframe leaves {prose.percent(row['estimate'])} of {'the others' if aside else 'them'} uncovered (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')})."
        )
    return said


def polarity(checks: pd.DataFrame) -> list[str]:
    """Say how polarity was judged in each survey, and how well the words agree with the ratings."""
    return [
        claims.say(row["opening"], f"learnt from the ratings of {prose.plural(row['n'], 'comment')}; on respondents not learnt from, words tell a high from a low rating with an AUC of {prose.number(row['auc'], digits=2)} (0.50 is guessing, 1.00 is perfect).")
        if row["method"] == "ratings"
        else claims.say(row["opening"], f"{row['note'].removesuffix('.')}.")
        for row in checks.to_dict("records")
    ]


def latest(shares: pd.DataFrame, *, polarity: str = "negative") -> pd.DataFrame:
    """Return the topic shares of each survey's latest quarter in one polarity, the largest first."""
    own = shares[(shares["polarity"] == polarity) & (shares["level"] == "topic")]
    own = own[own["quarter"] == own.groupby("survey")["quarter"].transform("max")]
    return own.sort_values(["survey", "estimate"], ascending=[True, False], kind="stable")


def top(shares: pd.DataFrame) -> list[str]:
    """Say, for each survey's latest quarter, what is criticised and praised most, on which base."""
    return [
        claims.say(group["opening"].iloc[0], f"among {whom(group)} in {group['quarter'].iloc[0]}, criticised most is {_named(group)}; praised most is {_named(praise)}.")
        for _, group, praise in _pairs(shares)
    ]


def whom(group: pd.DataFrame) -> str:
    """Return in words whose shares a survey's (or a channel's) are: respondents who wrote something, or messages."""
    n = int(group["n"].iloc[0])
    return prose.plural(n, "message") if (group["base"] == "messages").all() else f"{prose.plural(n, 'respondent')} who wrote something"


def who(group: pd.DataFrame) -> str:
    """Return the heading of a column that counts whose shares they are."""
    return "Messages" if (group["base"] == "messages").all() else "People"


def table(shares: pd.DataFrame) -> pd.DataFrame:
    """Return one survey's latest quarter as a table of words: topic, share that mentions, criticises and praises it with intervals, unclear, respondents."""
    sides = {side: latest(shares, polarity=side).set_index("topic") for side in ("any", "negative", "positive", "unclear")}
    return pd.DataFrame([
        {"topic": topic, "mentioned": _share(sides["any"].loc[topic]), "criticised": _share(row), "praised": _share(sides["positive"].loc[topic]), "unclear": prose.percent(sides["unclear"].loc[topic, "estimate"]), "people": sides["any"].loc[topic, "count"]}
        for topic, row in sides["negative"].iterrows()
    ])  # fmt: skip


def audit(shares: pd.DataFrame, agreed: pd.DataFrame, names: dict) -> list[str]:
    """Say for each survey's latest quarter whether people have checked the coder, how well it did and how well they agree with each other."""
    said, unchecked = [], {}
    for _, group in latest(shares, polarity="any").groupby("survey_id", sort=False):
        row, checked = group.iloc[0].to_dict(), group[~group["indicative"].astype(bool)]
        if (group["note"] == BY_PEOPLE).all():
            said.append(claims.say(row["opening"], f"shares of {row['quarter']} are of codes that people gave before the answers came here: their intervals hold the sampling error. How well those who coded agree is not known; answers in words and two coders would tell."))
            continue
        if checked.empty:
            unchecked.setdefault(row["quarter"], []).append(row["opening"].removesuffix(": "))
            continue
        far = checked.loc[(checked["uncorrected"] - checked["estimate"]).abs().idxmax()].to_dict()
        found = [f"the largest correction is that of {far['topic']}, from {prose.percent(far['uncorrected'])} to {prose.percent(far['estimate'])}"]
        if checked[["sensitivity", "precision"]].notna().any().all():
            right = [prose.number(100 * checked[name].median(), digits=0) for name in ("sensitivity", "precision")]
            found.insert(0, f"of 100 mentions that people see the coder finds {right[0]}, and {right[1]} of 100 that it finds are right (medians over topics)")
        said.append(claims.say(row["opening"], f"shares of {row['quarter']} are corrected by an audit: people coded a random sample of {prose.plural(int(checked['audit_n'].max()), 'answer')}; {prose.join(found)}."))
        times = blur(checked).dropna()
        if len(times):
            said.append(claims.say(row["opening"], f"where a link to the key figure below is not corrected, the coder's mistakes mix those who speak of a topic with those who do not: a difference between both that is shown stands for one about {prose.number(times.median(), digits=1)} times as large (median over topics, from the audit; if the coder errs alike at every score)."))
    for quarter, names_ in unchecked.items():
        said.append(claims.say(f"{prose.join(names_)}: " if names_[0] else "", f"nobody has coded comments of {quarter} by hand, so every share is indicative: its interval holds the sampling error, not the coder's mistakes. To correct them, have two people code 200 answers{' of each' if len(names_) > 1 else ''} (cx code export)."))
    own = agreed[agreed["topic"] != "(polarity)"]
    if len(own):
        bad = own[~own["allowed"].astype(bool)]
        said.append(f"Two people or more coded {prose.plural(int(own['n'].max()), 'comment')} without seeing each other's codes: on {prose.number(len(own) - len(bad))} of {prose.plural(len(own), 'topic')} they agree well enough (Krippendorff's alpha of at least 0.67, for rare topics its lower limit)"
                    + (f"; {prose.join(bad['topic'].map(names).fillna(bad['topic']))} {'leads' if len(bad) == 1 else 'lead'} to no priority until the definition is sharper." if len(bad) else "."))
    return said


def blur(shares: pd.DataFrame) -> pd.Series:
    """How many times larger than what the coder shows is the difference in a score between those who speak of a topic and the others, if the coder errs alike at every score?

    Means by a flag that is sometimes wrong differ by (PPV + NPV - 1) of the true difference (Aigner 1973, J. Econometrics 1: 49): PPV is the precision, 1 - NPV the part of those without the flag who
    speak of it, share (1 - sensitivity) / (1 - share as coded). in: corrected shares (estimate, uncorrected, sensitivity, precision). NaN where the audit cannot tell it, or the flag tells less than a tenth.
    """
    missed = shares["estimate"] * (1 - shares["sensitivity"]) / (1 - shares["uncorrected"])
    kept = shares["precision"] - missed
    return (1 / kept).where(kept > 0.1)


def agreement(found: pd.DataFrame, names: dict) -> pd.DataFrame:
    """Return the agreement of coders by topic as a table of words: alpha with its interval, kappa, positive agreement, comments, verdict."""
    words = lambda row: f"{prose.number(row['estimate'], digits=2)}" + (f" ({prose.interval(row['conf_low'], row['conf_high'], 'number', digits=2)})" if row["conf_low"] == row["conf_low"] else "") if row["estimate"] == row["estimate"] else "not estimable"
    return pd.DataFrame([
        {"topic": names.get(row["topic"], "Better or worse, where both see the topic"), "alpha": words(row), "kappa": row["kappa"], "positive": row["positive"], "count": row["count"], "verdict": row["verdict"]}
        for row in found.sort_values("estimate", ascending=False, kind="stable").to_dict("records")
    ])  # fmt: skip


def checked(group: pd.DataFrame) -> str:
    """Return what a caption says of how shares came about."""
    if (group["note"] == BY_PEOPLE).all():
        return "Codes that people gave; how well they agree is not known."
    if group["indicative"].astype(bool).all():
        return "Indicative: not corrected by an audit."
    return f"Corrected by an audit of {prose.plural(int(group['audit_n'].max()), 'answer')}; the interval is for {'the population' if (group['target'] == 'population').all() else 'the comments of this wave'}."


def checked_links(group: pd.DataFrame) -> str:
    """Return what a caption says of whose codes the links to the KPI rest on; nothing where no audit corrected any."""
    left = int(group["indicative"].astype(bool).sum())
    if left == len(group) or not group["audit_n"].max():
        return ""
    rest = f", but for {prose.plural(left, 'topic')} as the coder codes" if left else ""
    return f" Corrected by {prose.plural(int(group['audit_n'].max()), 'audited answer')}{rest}."


def changes(moved: pd.DataFrame) -> list[str]:
    """Say for each survey which topics are criticised more or less often than the quarter before, where it survives all tests of its kind."""
    said, survive = [], claims.sifted(moved)
    for name, group in moved.groupby("survey_id", sort=False):
        seen = survive[survive["survey_id"] == name]
        since, opening = group["then_quarter"].iloc[0], group["opening"].iloc[0]
        said += [f"{_moved(row)}." for row in seen.head(4).to_dict("records")] or [claims.say(opening, f"no topic is criticised detectably more or less often than in {since}.")]
        if len(group["detectable"].dropna()):
            said[-1] += f" With these bases a topic's share must move by about {prose.number(group['detectable'].median() * 100, digits=0)} percentage points to be seen four times in five."
    return said


def unlinked(kpi) -> str:
    """Return what stands where nothing relates topics to a key figure, and what would."""
    if kpi:
        return "What topics have to do with the key figure cannot be told: nobody who gave a score mentions one."
    return "What topics have to do with a key figure cannot be told: no survey here asks for a score and for words. An open question beside the score of a survey would tell."


def scores(programme, kpi) -> str:
    """Return what the scores of a KPI's question run from and to, with the words of both ends: "1 (very good) to 5 (very poor)"; "" where the question has no scale, or there is no KPI."""
    if kpi is None:
        return ""
    item = programme.item(kpi.item)
    if item.scale not in programme.scales:
        return ""
    scale = programme.scales[item.scale]
    return " to ".join(f"{end:g}{f' ({label})' if label else ''}" for end, label in ((scale.low, scale.low_label), (scale.high, scale.high_label)))


def broken(shown: pd.DataFrame) -> list[str]:
    """Say where a survey's shares start anew, because the question, the mode or the source of the sample changed."""
    own = shown[shown["changed"] != ""].drop_duplicates(["survey", "quarter"])
    return [
        claims.say(opening, f"from {prose.join(rows['quarter'])} on the shares start anew ({what.rstrip('.')}): the lines are broken there, and no change is told across.")
        for (_, opening, what), rows in own.groupby(["survey", "opening", "changed"], sort=False)
    ]


def impact(found: pd.DataFrame, unit: str) -> list[str]:
    """Say which topics go with a lower or higher KPI, where it survives all tests of its kind (the ledger decides for the front page), and for which of them an audit has corrected it."""
    said, survive = [], claims.sifted(found)
    for name, group in found.groupby("survey_id", sort=False):
        seen, kpi = survive[survive["survey_id"] == name].sort_values("estimate", kind="stable"), group["kpi"].iloc[0]
        if seen.empty:
            said.append(claims.say(group["opening"].iloc[0], f"no topic shows a detectable association with {kpi} ({prose.plural(int(group['n'].max()), 'commenter')} with a score)."))
        for row in pd.concat([seen.head(2), seen.tail(1)]).drop_duplicates("topic").to_dict("records"):
            said.append(claims.say(row["opening"], f"mentioning {row['topic']} is associated with a {'lower' if row['estimate'] < 0 else 'higher'} {kpi}: {_with(row, unit)}."))
        said += [claims.say(group["opening"].iloc[0], text) for text in _corrected(group, unit)]
    return said


def _corrected(group: pd.DataFrame, unit: str) -> list[str]:
    """Say of how many topics an audit corrected the link to the KPI, which it moved most, and which topics too few audited answers speak of."""
    shown = group[group["conf_low"].notna()]
    own, left = shown[~shown["indicative"].astype(bool)], shown[shown["indicative"].astype(bool)]
    if shown.empty or not shown["audit_n"].max():
        return []
    answers = prose.plural(int(shown["audit_n"].max()), "audited answer")
    if own.empty:
        return [f"{answers} with a score are too few to correct any of these links: all stand as the coder codes."]
    far = own.loc[(own["uncorrected"] - own["estimate"]).abs().idxmax()].to_dict()
    moved = f"; the largest correction is that of {far['topic']}, by which those who mention it move the figure, from {signed(far['uncorrected'], unit)} to {signed(far['estimate'], unit)}" if far["uncorrected"] == far["uncorrected"] else ""
    kept = f" {prose.join(left['topic'])} {'stands' if len(left) == 1 else 'stand'} as the coder codes: fewer than ten audited answers in effect speak of {'it' if len(left) == 1 else 'each'}." if len(left) else ""
    return [f"{'all' if left.empty else prose.number(len(own))} {'of these links are' if len(own) > 1 or left.empty else 'of these links is'} corrected by {answers}{moved}.{kept}"]


def links(found: pd.DataFrame, adjusted: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return one survey's topics as a table of words: KPI of those who mention it and of the others, by how much they move the figure, their difference with the other topics, segment and wave (and then ratings) held constant, how many mention it as the coder codes, and, where an audit corrected some, whose codes it rests on."""
    by = {held: own.set_index("topic_id").to_dict("index") for held, own in adjusted.groupby("held")}
    checked, rows = (~found["indicative"].astype(bool)).any() and found["audit_n"].max() > 0, []
    for row in found.sort_values("estimate", kind="stable").to_dict("records"):
        own = {name: by.get(held, {}).get(row["topic_id"]) for name, held in (("adjusted", "topics, segment, wave"), ("beside", "and ratings"))}
        coded = {name: " (as coded)" if checked and not row["indicative"] and one and one.get("indicative", True) and one["conf_low"] == one["conf_low"] else "" for name, one in own.items()}
        told = {name: f"{_limits(one, unit)}{coded[name]}" if one else "–" for name, one in own.items()}
        rows.append({
            "topic": row["topic"], "with": _level(row["kpi_with"], unit), "rest": _level(row["kpi_rest"], unit), "impact": _limits(row, unit), **(told if "and ratings" in by else {"adjusted": told["adjusted"]}),
            "count": row["count"], **({"codes": "coder" if row["indicative"] else "audited"} if checked else {}),
        })  # fmt: skip
    return pd.DataFrame(rows)


def tests(found: pd.DataFrame, moved: pd.DataFrame, quarter: str, *more: pd.DataFrame) -> pd.DataFrame:
    """Return both families, and more of them, as rows of the ledger, in words; surveys without comments in the quarter were tested when they were reported."""
    found, moved = found[found["quarter"] == quarter], moved[moved["quarter"] == quarter]
    about = lambda row: f"{row['opening']}{row['topic']} goes with {row['kpi']}"
    again = lambda row: f"{row['opening']}{row['topic']} is criticised as often as in {row['then_quarter']}"
    return pd.concat([
        claims.tests(found, study=STUDY, family="topic_impact", kind="secondary", key=["survey_id", "topic_id"], what=about),
        claims.tests(moved, study=STUDY, family="topic_changes", kind="exploratory", key=["survey_id", "topic_id", "polarity"], what=again),
        *more,
    ], ignore_index=True)  # fmt: skip


def rows(shares: pd.DataFrame, found: pd.DataFrame, moved: pd.DataFrame, unit: str, kpi: str, quarter: str, *, barred=()) -> pd.DataFrame:
    """Return the study's claims for surveys with comments in the quarter: most criticised topic, strongest association, largest change.

    Topics in `barred` (ids; those on which coders do not agree) lead to no action.
    """
    made = []
    for place, (survey, group, _) in enumerate(_pairs(shares[shares["quarter"] == quarter])):
        row, opening = group.iloc[0].to_dict(), group["opening"].iloc[0]
        messages = row.get("base") == "messages"
        base = f"{prose.base(row['n'], row['n_eff'], noun='message' if messages else 'commenter')}, {group['survey'].iloc[0]} {row['quarter']}"
        share = f"{prose.percent(row['estimate'])} of {'its messages' if messages else 'those who wrote something'} (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}; {'indicative, not audited' if row['indicative'] else 'coded by people' if row.get('note') == BY_PEOPLE else 'corrected by an audit'})"
        text = claims.say(opening, f"the topic criticised most often in these comments is {row['topic']}, by {share}.")
        made.append(claims.claim(f"topics.{survey}.most", STUDY, text, row=row, unit="share", base=base, rank=4 + place / 10))
        tested = found[(found["survey_id"] == survey) & found["p"].notna()].sort_values("p", kind="stable")
        if len(tested):
            row = tested.iloc[0].to_dict()
            text = claims.say(opening, f"mentioning {row['topic']} is associated with a {'lower' if row['estimate'] < 0 else 'higher'} {kpi}: {_with(row, unit)}.")
            null = claims.say(opening, f"no topic showed a detectable association with {kpi}.")
            made.append(claims.claim(f"topics.{survey}.impact", STUDY, text, text_null=null, row=row, unit="share" if unit == UNITS["share"] else unit, base=base, p=row["p"], test_id=claims.test_id(STUDY, row, ["survey_id", "topic_id"]), rank=4.5 + place / 10, action=row["estimate"] < 0 and row["topic_id"] not in barred))
        last = moved[(moved["survey_id"] == survey) & moved["p"].notna()].sort_values("p", kind="stable")
        if len(last):
            row = last.iloc[0].to_dict()
            null = claims.say(opening, f"no topic is criticised detectably more or less often than in {row['then_quarter']}.")
            made.append(claims.claim(f"topics.{survey}.change", STUDY, f"{_moved(row)}.", text_null=null, row=row, unit="share", base=base, p=row["p"], test_id=claims.test_id(STUDY, row, ["survey_id", "topic_id", "polarity"]), rank=5 + place / 10))
    return claims.frame(made)


def _pairs(shares):
    praise = dict(list(latest(shares, polarity="positive").groupby("survey_id", sort=False)))
    for survey, group in latest(shares).groupby("survey_id", sort=False):
        if group["estimate"].max() > 0:
            yield survey, group, praise.get(survey)


def _named(group) -> str:
    if group is None or group["estimate"].max() == 0:
        return "nothing"
    row = group.sort_values("estimate", ascending=False, kind="stable").iloc[0]
    return f"{row['topic']} ({prose.percent(row['estimate'])}, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')})"


def _share(row) -> str:
    return f"{prose.percent(row['estimate'])} ({prose.interval(row['conf_low'], row['conf_high'], 'percent', digits=0).removesuffix(' %')})"


def _moved(row) -> str:
    return claims.say(row["opening"], prose.change(row["estimate"], row["conf_low"], row["conf_high"], unit="percentage points", what=f"the share of commenters who criticise {row['topic']}", since=row["then_quarter"]))


def _level(value, unit) -> str:
    return "–" if value != value else prose.points(value) if unit == "points" else prose.percent(min(max(value, 0.0), 1.0)) if unit == UNITS["share"] else prose.number(value, digits=2)


def _limits(row, unit) -> str:
    if row["conf_low"] != row["conf_low"]:
        return "not estimable"
    return f"{signed(row['estimate'], unit)} ({signed(row['conf_low'], unit)} to {signed(row['conf_high'], unit)})"


def signed(value, unit, *, digits=None) -> str:
    """Return a difference in a KPI with its sign, in the KPI's own unit; of a share in percentage points."""
    return prose.points(value * 100 if unit == UNITS["share"] else value, digits=(2 if unit == UNITS["scale"] else 1) if digits is None else digits)


def _with(row, unit) -> str:
    limits = f"leaving them out would change the figure by {signed(-row['estimate'], unit)} {unit}, 95 % interval {signed(-row['conf_high'], unit)} to {signed(-row['conf_low'], unit)}"
    if row.get("indicative", True) or not row.get("audit_n", 0):
        return f"{_level(row['kpi_with'], unit)} among the {prose.number(row['count'])} who mention it, {_level(row['kpi_rest'], unit)} among the others ({limits})"
    return f"{_level(row['kpi_with'], unit)} among those who mention it ({prose.percent(row['share'])}), {_level(row['kpi_rest'], unit)} among the others ({limits}; corrected by {prose.plural(int(row['audit_n']), 'audited answer')})"
