"""The comments of a programme: coded, judged for better or worse, counted by survey and quarter, compared, and related to a KPI.

Surveys are never pooled: each has its own people, its own questions and its own model of polarity.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.load import bases, weighting
from cxlib.text import coder, codings, correction, emerging, prevalence, quotes, sentiment, topics
from cxlib.text.codeframe import leaning

BORDER = ["survey", "border", "topic", "quarter"]
PAIR = ["survey", "topic", "polarity", "quarter", "then_quarter"]


def of(tables) -> pd.DataFrame:
    """Return the verbatims under the id that is unique in the programme: those of the table, with response_id = answer."""
    return tables["verbatims"].assign(response_id=lambda rows: rows["answer"])


def answered(tables, codeframe) -> pd.DataFrame:
    """Return the verbatims with what kind of answer each is: `of`, with state (words, nothing, unknown, empty, other_language) and language as told from the text (`topics.answers`)."""
    told = tables.map(lambda rows: topics.answers(rows.assign(response_id=rows["answer"]), codeframe), "verbatims")
    return of(tables).assign(state=told["state"].to_numpy(), language=told["language"].to_numpy())


def responses(tables) -> pd.DataFrame:
    """Return the responses under the same id, ratings turned so that more is better, with the unit that stands behind each in its survey: the cluster that the survey declares, else the person."""
    programme = tables.programme
    found = bases.upward(tables["responses"], programme, [item.id for item in programme.items if item.kind == "rating"]).assign(response_id=lambda rows: rows["answer"])
    unit = found["person_id"].astype(object)
    for survey in tables.programme.surveys:
        if survey.cluster:
            own = found[found["survey"] == survey.id]
            own = weighting.placed(own, tables["people"] if "link" in survey.uses else tables["people"].iloc[:0], [survey.cluster])
            if survey.cluster in own:
                unit = unit.where(found["survey"] != survey.id, own[survey.cluster].astype(object).reindex(found.index))
    return found.assign(unit=unit)


def asked(programme, codeframe):
    """Return the codeframe with what each open question asks for (faults, merits) read from its wording, where neither the codeframe nor the item's id says so."""
    return codeframe.model_copy(update={"questions": _wordings(programme) | codeframe.questions})


def _wordings(programme) -> dict[str, str]:
    """Return what the open questions whose id does not say it ask for, by their wording."""
    told = {item.id: leaning(item.wording) for item in programme.items if item.kind == "verbatim" and leaning(item.id) == "open"}
    return {item: asks for item, asks in told.items() if asks != "open"}


def learnt(tables, codeframe) -> coder.Coder:
    """Return the coder that learnt from what people coded for training, if they did (`coder.learn`); an audit's answers, and their people's, never teach."""
    codeframe, drawn = asked(tables.programme, codeframe), codings.draws(tables.programme)
    taught = codings.training(tables.programme, codeframe, verbatims=of(tables))
    return coder.learn(taught, of(tables), codeframe, exclude=drawn.loc[drawn["kind"] == "audit", "answer"])


def as_asked(programme, item: str, score: float) -> str:
    """Return a turned score (`responses`) as the questionnaire has it, in words for a page."""
    found = programme.item(item)
    if found.kind == "rating" and programme.direction(found) == "low_is_good":
        score = programme.scales[found.scale].low + programme.scales[found.scale].high - score
    return f"{score:g}"


def code(tables, codeframe, *, taught: coder.Coder | None = None) -> pd.DataFrame:
    """Return the mentions of every verbatim with the survey they come from: by what people taught (`learnt`), or, where they have not, by phrases (`topics.code`)."""
    taught = taught or learnt(tables, codeframe)
    found = tables.map(lambda rows: coder.code(rows.assign(response_id=rows["answer"]), taught), "verbatims")
    return found.assign(survey=found["response_id"].map(of(tables).drop_duplicates("response_id").set_index("response_id")["survey"]))


def unsure(tables, codeframe) -> pd.Series | None:
    """Return how unsure the coder is of each comment of the quarter, by response_id (= answer) and item (`coder.unsure`); None where nothing was learnt yet."""
    taught = learnt(tables, codeframe)
    return coder.unsure(latest(of(tables)), taught) if taught.topics else None


def judge(mentions: pd.DataFrame, tables, *, score: str, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every mention the polarity learnt from its survey's own ratings (`sentiment.learn`), and return it with a check a survey.

    out: mentions with polarity replaced; checks: survey, then the columns of `Learnt.check`.
    """
    answers, judged, checks = responses(tables), [], []
    for survey, texts in of(tables).groupby("survey", sort=True):
        own = mentions[mentions["survey"] == survey]
        learnt = sentiment.learn(own, texts, answers, score=score, questions=_wordings(tables.programme), seed=seed)
        judged.append(sentiment.polarity(own, learnt))
        checks.append(learnt.check.assign(survey=survey))
    return pd.concat(judged, ignore_index=True), pd.concat(checks, ignore_index=True)


def coverage(mentions: pd.DataFrame, tables, codeframe, *, verbatims: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `prevalence.coverage` by survey and quarter; of `verbatims` (`answered`) where they have been read already."""
    return prevalence.coverage(mentions, of(tables) if verbatims is None else verbatims, codeframe, by=("survey", "quarter"))


def proposed(mentions: pd.DataFrame, verbatims: pd.DataFrame, tables, codeframe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the topics that each survey's comments propose (`emerging.proposals`, with survey), and comments behind them from surveys whose promise permits quoting: survey, id, name, text.

    in: mentions, verbatims as `answered` returns them. Proposals of a survey whose small cells are withheld leave out what fewer than the smallest cell of the quarter's respondents said.
    """
    parts, behind = [], []
    hushed = told_apart(tables)
    for survey, own in verbatims.groupby("survey", sort=True):
        left = emerging.remainders(mentions[mentions["survey"] == survey], own, codeframe)
        found = emerging.proposals(left)
        found = found[(found["count"] >= cells.limit(tables.programme, survey)) & (found["quarter"] == tables.quarter)].assign(survey=survey)
        parts.append(found)
        if "quote" in tables.programme.survey(survey).uses and len(found):
            shown = emerging.examples(left[~left["response_id"].isin(hushed)], found).merge(own[["response_id", "item", "text"]], on=["response_id", "item"])
            behind.append(shown.assign(survey=survey, name=shown["id"].map(found.set_index("id")["name"]), text=[quotes.redact(text)[0] for text in shown["text"].str.slice(0, 600)]))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*emerging.COLUMNS, "survey"])
    twice = whole["id"].duplicated(keep=False)
    whole = whole.assign(id=[f"{name}_{survey}" if again else name for name, survey, again in zip(whole["id"], whole["survey"], twice)])
    columns = ["survey", "id", "name", "text"]
    return whole, pd.concat(behind, ignore_index=True)[columns] if behind else pd.DataFrame(columns=columns)


def sides(mentions: pd.DataFrame, tables, codeframe, kpi, *, unit: str, back: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the share of each topic among those who gave just the better and just the worse score beside a border of the KPI, as two frames to be compared by `BORDER`.

    Borders: 6 and 7, 8 and 9 of 0 to 10 for an NPS; else every two neighbouring scores of the item, five at most. The last `back` quarters together, or the bases would be too small. out, twice: survey, border ("6 | 7"), topic,
    then the columns of `prevalence.shares` in polarity "any": polarity was learnt from scores.
    """
    answers, parts = responses(tables), []
    for _, own in of(tables).groupby("survey", sort=True):
        recent = sorted(own["quarter"].unique())[-back:]
        own = own[own["quarter"].isin(recent)]
        scores = sorted(answers.loc[answers["response_id"].isin(own["response_id"]), kpi.item].dropna().unique())
        pairs = [(6.0, 7.0), (8.0, 9.0)] if unit == "points" else list(pairwise(scores))[-5:]
        for low, high in pairs:
            for side, score in (("below", low), ("above", high)):
                there = answers[(answers[kpi.item] == score) & answers["response_id"].isin(own["response_id"])].drop(columns="quarter")
                said = own[own["response_id"].isin(there["response_id"])].drop(columns="quarter")
                if len(said):
                    found = prevalence.shares(mentions[mentions["response_id"].isin(said["response_id"])].assign(polarity="any"), said, by=("survey",), responses=there.drop(columns="survey"), codeframe=codeframe)
                    parts.append(found[(found["polarity"] == "any") & (found["level"] == "topic")].assign(border=" | ".join(as_asked(tables.programme, kpi.item, score) for score in (low, high)), side=side, quarter=f"{recent[0]} to {recent[-1]}" if len(recent) > 1 else recent[0]))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["survey", "border", "side", "topic", "quarter", "estimate", "std_error", "n", "n_eff", "count"])
    whole = whole.assign(definition="share of commenters", unit="share", note="")
    enough = whole.groupby(["survey", "border", "topic"])["count"].transform("sum") >= prevalence.FEW if len(whole) else []
    whole = cells.topics(whole[enough].assign(topic=lambda rows: rows["border"] + "\0" + rows["topic"]), programme=tables.programme).assign(topic=lambda rows: rows["topic"].str.split("\0").str[1]) if len(whole) else whole
    both = whole.groupby(["survey", "border", "topic"])["side"].transform("nunique") == 2 if len(whole) else []
    return tuple(whole[both & (whole["side"] == side)].reset_index(drop=True) if len(whole) else whole for side in ("above", "below"))


def indicators(mentions: pd.DataFrame, tables, *, criticism: bool = False, fewest: int = 10) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return the responses with a column a topic: 1 where it is mentioned, 0 where somebody wrote of other things, NaN where nobody wrote; and, by survey, which columns at least `fewest` speak of.

    The columns are called "topic ID", which no item can be. With `criticism` only mentions count that opinion words make negative (not the polarity that was learnt from the very scores they are to be related to).
    """
    mentions = mentions[mentions["polarity_words" if "polarity_words" in mentions else "polarity"] == "negative"] if criticism else mentions
    answers, wrote = responses(tables), of(tables)
    wrote = set(wrote.loc[wrote["text"].map(topics.clean).str.strip() != "", "response_id"])
    base = np.where(answers["response_id"].isin(wrote), 0.0, np.nan)
    held = {f"topic {topic}": np.where(answers["response_id"].isin(set(own["response_id"])), 1.0, base) for topic, own in mentions.groupby("topic", sort=True)}
    found = pd.concat([answers, pd.DataFrame(held, index=answers.index)], axis=1)
    counts = found.groupby("survey")[list(held)].sum() if held else pd.DataFrame()
    return found, {survey: [name for name in held if row[name] >= fewest] for survey, row in counts.iterrows()}


def shares(mentions: pd.DataFrame, tables, codeframe, *, target: str = "population") -> pd.DataFrame:
    """Return `prevalence.shares` by survey and quarter, weighted, on the base of commenters; corrected where people have audited the quarter (`correction.shares`), else indicative."""
    answers, parts = responses(tables), []
    judged = codings.audited(tables.programme, codeframe)
    for survey, own in of(tables).groupby("survey", sort=True):
        said = mentions[mentions["survey"] == survey]
        found = prevalence.shares(said, own, by=("survey", "quarter"), responses=answers, codeframe=codeframe)
        for quarter, raw in found.groupby("quarter", sort=True):
            by_people = judged[(judged["survey"] == survey) & (judged["quarter"] == quarter)]
            wave = own[own["quarter"] == quarter]
            parts.append(_corrected(raw, said[said["response_id"].isin(wave["response_id"])], wave, answers, by_people, codeframe, target) if len(by_people) else raw.assign(uncorrected=raw["estimate"], audit_n=0, target="population"))
    whole = pd.concat(parts, ignore_index=True).assign(changed="")
    for survey, quarters in whole.groupby("survey")["quarter"].unique().items():
        for quarter, what in _breaks(tables.programme, survey, sorted(quarters)):
            whole.loc[(whole["survey"] == survey) & (whole["quarter"] == quarter), "changed"] = what
    return cells.topics(whole.reindex(columns=list(dict.fromkeys([*whole, "sensitivity", "precision"]))), programme=tables.programme)


def _breaks(programme, survey: str, quarters: list[str]) -> list[tuple[str, str]]:
    """The quarters with comments from which those of a survey may not be compared with the ones before, and what changed: a share can move because the question did."""
    found = {}
    for item in (item for item in programme.items if item.kind == "verbatim" and (not item.surveys or survey in item.surveys)):
        for wave, what in programme.breaks(survey, item.id):
            at = next((quarter for quarter in quarters if quarter >= wave.quarter), quarters[0])
            found.setdefault(at, []).append(what)
    return [(at, "; ".join(dict.fromkeys(what))) for at, what in found.items() if at > quarters[0]]


def _corrected(raw, mentions, verbatims, answers, by_people, codeframe, target):
    """The shares of one wave, corrected by its audit; topics that did not stand on its sheets stay indicative."""
    people = prevalence.base_of(verbatims, answers, [], "commenters")
    drawn = by_people.drop_duplicates("answer").set_index("answer")
    people = people.assign(probability=people["response_id"].map(drawn["probability"].where(drawn["kind"] == "audit")).astype(float), known=people["response_id"].isin(drawn.index[drawn["kind"] == "train"]))
    told = pd.DataFrame([(answer, *key, share) for answer, marks in drawn["topics"].items() for key, share in marks.items()], columns=["response_id", "topic", "polarity", "share"])
    asked = {codeframe.coded_as().get(code, code) for codes in by_people.loc[by_people["kind"] == "audit", "asked"].head(1) for code in codes}
    asked |= {net for code in asked for net in codeframe.nets().get(code, ())}
    there = raw["topic"].isin(asked)
    found = correction.shares(raw[there], prevalence.rolled(mentions, codeframe), told, people, target=target) if there.any() else raw[there]
    rest = raw[~there].assign(uncorrected=raw["estimate"], audit_n=0, target=target, note="indicative: the topic was not on the sheets of the audit")
    return pd.concat([part for part in (found, rest) if len(part)], ignore_index=True).drop(columns=["audit_found", "expected"], errors="ignore").sort_values(["topic", "polarity"], ignore_index=True)


def last_two(shared: pd.DataFrame, *, polarity: str = "negative") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each topic's shares in the last quarter of its survey and in the one before, as two frames to be compared by `PAIR`.

    in: what `shares` returns. Both carry quarter (the last) and then_quarter (the one before). A survey with one quarter is in neither,
    nor is one whose question, mode or sample changed in between (`changed`).
    """
    own = shared[(shared["level"] == "topic") & (shared["polarity"] == polarity)]
    if "changed" in own:
        newest = own["quarter"] == own.groupby("survey")["quarter"].transform("max")
        own = own[~own["survey"].isin(own.loc[newest & (own["changed"] != ""), "survey"])]
    own = own.assign(definition="share of commenters", unit="share")
    own = _alike(own)
    last = own.groupby("survey")["quarter"].transform("max")
    before = own["quarter"].where(own["quarter"] < last).groupby(own["survey"]).transform("max")
    dated, both = own.assign(at=own["quarter"], quarter=last, then_quarter=before), before.notna()
    return dated[both & (own["quarter"] == last)].reset_index(drop=True), dated[both & (own["quarter"] == before)].reset_index(drop=True)


def _alike(own):
    """Shares under one rule in the last two quarters: corrected where both were audited, else both as the coder counts."""
    if "indicative" not in own:
        return own.assign(note="")
    last = own.groupby("survey")["quarter"].transform("max")
    before = own["quarter"].where(own["quarter"] < last).groupby(own["survey"]).transform("max")
    both = own[(own["quarter"] == last) | (own["quarter"] == before)].groupby(["survey", "topic"])["indicative"].transform("any")
    plain = both.reindex(own.index, fill_value=True).astype(bool) & ("uncorrected" in own)
    if plain.any():
        counted = own["uncorrected"].fillna(own["estimate"])
        own = own.assign(estimate=counted.where(plain, own["estimate"]), std_error=np.sqrt(counted * (1 - counted) / own["n_eff"]).where(plain, own["std_error"]))
    base = own["estimate"] * (1 - own["estimate"]) / own["std_error"] ** 2
    return own.assign(n_eff=own["n_eff"].where(plain | ~(base < own["n_eff"]), base), note="")


def impact(mentions: pd.DataFrame, tables, kpi, *, unit: str) -> pd.DataFrame:
    """Return `prevalence.impact` in the latest quarter of each survey: how the KPI would differ without those who mention a topic.

    `unit` is that of the KPI's definition: points are an NPS, else the mean of the scores is taken. out: survey, quarter, kpi, then topic, estimate (points for an NPS, else scale units), limits, n, n_eff, count, share, kpi_with, kpi_rest, p, note.
    """
    return _related(prevalence.impact, mentions, tables, kpi, unit)


def associations(mentions: pd.DataFrame, tables, kpi, *, unit: str, back: int = 4) -> pd.DataFrame:
    """Return `prevalence.associations`: how those who mention a topic differ from the others, with what else they mention, their segment and the wave held constant, and then with their ratings held as well.

    The last `back` quarters of each survey together. Segments are those of the programme that stand in the responses; ratings are the attributes of its driver models. Polarity is left out (polarity "any"): it was learnt from the
    same ratings, so critics would score low by construction. out: survey, quarter (the last), kpi, held ("topics, segment, wave" or, where there are ratings, "and ratings"), topic, polarity, estimate, ...
    """
    answers, kind, parts = responses(tables), "nps" if unit == "points" else "mean", []
    programme, plain = tables.programme, mentions.assign(polarity="any")
    for survey, own in of(tables).groupby("survey", sort=True):
        own = own[own["quarter"].isin(sorted(own["quarter"].unique())[-back:])]
        here = answers[answers["response_id"].isin(own["response_id"])].assign(_wave=lambda rows: rows["wave"])
        cuts = [segment.field for segment in programme.segments if segment.table == "responses" and segment.field in here and segment.field != kpi.item and 1 < here[segment.field].nunique() <= 12]
        ratings = list(dict.fromkeys(item for model in programme.drivers if model.survey == survey for item in model.items if item in here and here[item].notna().mean() > 0.5 and item != kpi.item))
        for held, extra in (("topics, segment, wave", ()), ("and ratings", tuple(ratings))):
            if extra or held != "and ratings":
                found = prevalence.associations(plain[plain["response_id"].isin(own["response_id"])], own, here, score=kpi.item, kpi=kind, controls=tuple(dict.fromkeys(["_wave", *cuts])), ratings=extra)
                parts.append(found.assign(survey=survey, quarter=own["quarter"].max(), kpi=kpi.id, held=held))
    whole = pd.concat(parts, ignore_index=True)
    kept = [cells.topics(part, programme=programme) for _, part in whole.groupby("held", sort=False)]
    return pd.concat(kept, ignore_index=True) if kept else whole  # comments of which none names a topic: another language than the codeframe's, say


def typical(mentions: pd.DataFrame, tables, *, polarity: str = "negative", each: int = 2) -> pd.DataFrame:
    """Return the most typical comments of each topic in the latest quarter (`quotes.quotes`), from surveys whose promise permits quoting.

    Comments from an account of a few people are withheld (`told_apart`), because its manager would know whose they are.
    """
    permitted = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
    said = latest(of(tables))
    return quotes.quotes(mentions[mentions["polarity"] == polarity], said[~said["answer"].isin(told_apart(tables))], surveys=permitted, each=each)


def reading(mentions: pd.DataFrame, tables, kpi, *, segment: str = "", seed: int = 1) -> pd.DataFrame:
    """Return the comments to be read of each topic in the latest quarter (`quotes.reading`), with survey, score of the KPI and a segment's value.

    A segment's value of an anonymous survey is blank where fewer than the smallest cell answered in the quarter; comments of accounts of a few people are withheld (`told_apart`).
    out: survey, quarter, topic, polarity, kind, text, clause, redactions, score (NaN where none), segment ("" where none or withheld).
    """
    permitted = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
    said = latest(of(tables))
    said = said[~said["answer"].isin(told_apart(tables))]
    found = pd.concat([quotes.reading(mentions[mentions["survey"] == survey], own, surveys=permitted, seed=seed).assign(survey=survey, quarter=own["quarter"].iloc[0]) for survey, own in said.groupby("survey", sort=True)], ignore_index=True) if len(said) else pd.DataFrame(columns=[*quotes.READ, "survey", "quarter"])
    answers = responses(tables).drop_duplicates("response_id").set_index("response_id")
    shown = answers[segment] if segment in answers else pd.Series(np.nan, index=answers.index)
    size = answers.assign(value=shown).groupby(["survey", "quarter", "value"])["survey"].transform("size")
    least = answers["survey"].map({survey.id: cells.limit(tables.programme, survey.id) for survey in tables.programme.surveys})
    shown = shown.astype(object).where(shown.notna() & (size >= least), "")
    return found.assign(score=found["response_id"].map(tables["responses"].drop_duplicates("answer").set_index("answer")[kpi.item]), segment=found["response_id"].map(shown).fillna("").astype(str))[["survey", "quarter", "topic", "polarity", "kind", "text", "clause", "redactions", "score", "segment"]]


def alerts(mentions: pd.DataFrame, tables, codeframe) -> pd.DataFrame:
    """Return the comments of the latest quarter that speak of a topic marked `alert`, at any frequency: survey, quarter, topic, response_id, item, text (redacted), clause_text, case (may somebody follow it up?), least (smallest count of the survey's answers that may be shown).

    Only surveys whose promise permits a case carry the text and who answered (person_id, a pseudonym): of others the row says that it is there, no more.
    """
    urgent = {topic.id for topic in codeframe.topics if topic.alert}
    own = latest(of(tables))
    found = mentions[mentions["topic"].isin(urgent)].drop_duplicates(["response_id", "item", "topic"]).drop(columns=["survey"], errors="ignore").merge(own[["response_id", "item", "survey", "quarter", "person_id", "text"]], on=["response_id", "item"])
    cases = {survey.id for survey in tables.programme.surveys if "case" in survey.uses}
    found = found.assign(case=found["survey"].isin(cases), text=[quotes.redact(text)[0] for text in found["text"]])
    shut = ["person_id", "text", "clause_text", "item"]
    found[shut] = found[shut].astype(object).where(found["case"], "")
    found = found.assign(least=found["survey"].map({survey: cells.limit(tables.programme, survey) for survey in found["survey"].unique()}).astype("int64"))
    return found.sort_values(["survey", "topic", "response_id"], ignore_index=True)[["survey", "quarter", "topic", "response_id", "item", "person_id", "text", "clause_text", "case", "least"]]


def cases(urgent: pd.DataFrame, codeframe) -> pd.DataFrame:
    """Return `alerts` as the list for whoever must read them, only what somebody may follow up: topic (its name), quarter, survey, person_id, answer, question, part, comment."""
    own = urgent[urgent["case"]]
    return pd.DataFrame({"topic": own["topic"].map(codeframe.names()), "quarter": own["quarter"], "survey": own["survey"], "person_id": own["person_id"], "answer": own["response_id"], "question": own["item"], "part": own["clause_text"], "comment": own["text"]})


def told_apart(tables) -> set[str]:
    """Return the answers (ids) that come from an account of several people, but fewer than limits.min_cell: words there name their speaker.

    Consumers are accounts of one and share nothing with a colleague. Surveys that promised to be attributed are not held back. An account's people are
    those of the people table and of the answers together.
    """
    programme, answers, people = tables.programme, tables["responses"], tables["people"]
    named = [survey.id for survey in programme.surveys if survey.promise == "attributed"]
    account = answers["account_id"].astype(object).fillna(answers["person_id"].map(people.drop_duplicates("person_id").set_index("person_id")["account_id"]))
    pairs = pd.concat([people[["account_id", "person_id"]], answers.assign(account_id=account)[["account_id", "person_id"]]]).dropna().drop_duplicates()
    sizes = account.map(pairs.groupby("account_id")["person_id"].nunique()).fillna(1)
    return set(answers.loc[(sizes > 1) & (sizes < programme.limits.min_cell) & ~answers["survey"].isin(named), "answer"])


def _related(relation, mentions, tables, kpi, unit):
    answers, kind = responses(tables), "nps" if unit == "points" else "mean"
    parts = []
    for survey, own in latest(of(tables)).groupby("survey", sort=True):
        found = relation(mentions[mentions["response_id"].isin(own["response_id"])], own, answers, score=kpi.item, kpi=kind)
        parts.append(found.assign(survey=survey, quarter=own["quarter"].iloc[0], kpi=kpi.id))
    return cells.topics(pd.concat(parts, ignore_index=True), programme=tables.programme)


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each survey's latest quarter."""
    return found[found["quarter"] == found.groupby("survey")["quarter"].transform("max")]
