"""The comments of a programme: coded, judged for better or worse, counted by survey and quarter, compared, and related to a KPI.

Surveys are never pooled: each has its own people, its own questions and its own model of polarity; nor are contacts, whose channels stand beside them with a base of messages.
"""

import re

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.load import bases, weighting
from cxlib.text import bycode, coder, codings, correction, emerging, prevalence, quotes, sentiment, sources, topics
from cxlib.text.codeframe import leaning

BY_PEOPLE = "codes that people gave"
PAIR = ["survey", "topic", "polarity", "quarter", "then_quarter"]


def there(tables) -> bool:
    """Did anybody answer an open question, in words or in codes that people gave, or write a message?"""
    return _asked(tables) or len(sources.of(tables)) > 0


def _asked(tables) -> bool:
    return "verbatims" in tables or any(tables["responses"][name].notna().any() for one in tables.programme.coded for name in one.items if name in tables["responses"])


def figure(tables):
    """Return the KPI that comments are related to, the first that anybody answered; None where no survey asked an open question: messages have no score."""
    return next((kpi for kpi in tables.programme.kpis if tables["responses"][kpi.item].notna().any()), None) if _asked(tables) else None


def worded(tables) -> pd.DataFrame:
    """Return the verbatims under the id that is unique in the programme: those of the table, with response_id = answer; none where there is no such table."""
    return tables["verbatims"].assign(response_id=lambda rows: rows["answer"]) if "verbatims" in tables else sources.of(tables).iloc[:0]


def of(tables, codeframe=None) -> pd.DataFrame:
    """Return what was answered to open questions of surveys: the verbatims (`worded`) and, with the codeframe, answers that people coded before they came here (`bycode.verbatims`, the labels as text)."""
    own = worded(tables)
    if codeframe is None or not tables.programme.coded:
        return own
    return pd.concat([own, bycode.verbatims(bycode.given(tables, codeframe), codeframe)[[*own.columns]]], ignore_index=True)


def everywhere(tables, codeframe) -> pd.DataFrame:
    """Return `of` and what customers wrote in contacts (`sources.of`), each channel as a survey of its own."""
    own = of(tables, codeframe)
    return pd.concat([own, sources.of(tables)[[*own.columns]]], ignore_index=True)


def answered(tables, codeframe) -> pd.DataFrame:
    """Return what was written with what kind of answer each is: `everywhere`, with state (words, nothing, unknown, empty, other_language) and language as told from the text (`topics.answers`)."""
    told = tables.map(lambda rows: topics.answers(rows.assign(response_id=rows["answer"]), codeframe), "verbatims") if "verbatims" in tables else pd.DataFrame(columns=["state", "language"])
    own = worded(tables).assign(state=told["state"].to_numpy(), language=told["language"].to_numpy())
    messages = sources.of(tables)
    said = topics.answers(messages, codeframe)
    parts = [own, bycode.verbatims(bycode.given(tables, codeframe), codeframe), messages.assign(state=said["state"].to_numpy(), language=said["language"].to_numpy())]
    return pd.concat([part[[*own.columns]] for part in parts if len(part)] or [own], ignore_index=True)


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


def code(tables, codeframe, *, taught: coder.Coder | None = None, people: bool = True) -> pd.DataFrame:
    """Return the mentions of every verbatim with the survey they come from: by what people taught (`learnt`), or, where they have not, by phrases (`topics.code`)."""
    taught = taught or learnt(tables, codeframe)
    own = worded(tables)
    found = tables.map(lambda rows: coder.code(rows.assign(response_id=rows["answer"]), taught), "verbatims") if len(own) else coder.code(own, taught)
    found = found.assign(survey=found["response_id"].map(own.drop_duplicates("response_id").set_index("response_id")["survey"]))
    messages = sources.of(tables)
    heard = coder.code(messages, taught).assign(survey=lambda rows: rows["response_id"].map(messages.set_index("response_id")["survey"])) if len(messages) else found.iloc[:0]
    given = bycode.mentions(bycode.given(tables, codeframe), codeframe) if people else found.iloc[:0]
    return pd.concat([part for part in (found, given, heard) if len(part)] or [found], ignore_index=True)


def unsure(tables, codeframe) -> pd.Series | None:
    """Return how unsure the coder is of each comment of the quarter, by response_id (= answer) and item (`coder.unsure`); None where nothing was learnt yet."""
    taught = learnt(tables, codeframe)
    return coder.unsure(latest(of(tables)), taught) if taught.topics else None


def judge(mentions: pd.DataFrame, tables, *, score: str | None, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every mention the polarity learnt from its survey's own ratings (`sentiment.learn`), and return it with a check a survey.

    What people coded keeps the side that its code has; messages, which nobody rated, keep that of opinion words (all, where `score` is None).
    out: mentions with polarity replaced; checks: survey, then the columns of `Learnt.check`.
    """
    answers, judged, checks = responses(tables), [], []
    answers, score = (answers, score) if score else (answers.assign(score=np.nan), "score")
    by_people = mentions.get("coded_by", pd.Series("", index=mentions.index)) == "people"
    texts_of = pd.concat([worded(tables), sources.of(tables)], ignore_index=True)
    for survey, own in mentions[by_people].groupby("survey", sort=True):
        judged.append(own.assign(polarity_words=own["polarity"], polarity_from="code", positive=np.nan))
        if not (texts_of["survey"] == survey).any():
            checks.append(pd.DataFrame([{"survey": survey, "method": "codes", "n": own["response_id"].nunique(), "auc": np.nan, "note": "for better or worse is what the codes say that people gave; no model judged it"}]))
    for survey, texts in texts_of.groupby("survey", sort=True):
        own = mentions[(mentions["survey"] == survey) & ~by_people]
        learnt = sentiment.learn(own, texts, answers, score=score, questions=_wordings(tables.programme), seed=seed)
        judged.append(sentiment.polarity(own, learnt))
        checks.append(learnt.check.assign(survey=survey, **({"note": "for better or worse is told from a short list of opinion words: nobody rates a message"} if sources.is_one(survey) else {})))
    return pd.concat(judged, ignore_index=True), pd.concat(checks, ignore_index=True)


def coverage(mentions: pd.DataFrame, tables, codeframe, *, verbatims: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `prevalence.coverage` by survey and quarter; of `verbatims` (`answered`) where they have been read already."""
    return prevalence.coverage(mentions, of(tables) if verbatims is None else verbatims, codeframe, by=("survey", "quarter"))


def in_words(verbatims: pd.DataFrame, programme) -> pd.DataFrame:
    """Return what was written without the answers that came as codes."""
    return verbatims[~verbatims["item"].isin([one.id for one in programme.coded])]


def proposed(mentions: pd.DataFrame, verbatims: pd.DataFrame, tables, codeframe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the topics that each survey's comments propose (`emerging.proposals`, with survey), and comments behind them from surveys whose promise permits quoting: survey, id, name, text.

    in: mentions, verbatims as `answered` returns them. Proposals of a survey whose small cells are withheld leave out what fewer than the smallest cell of the quarter's respondents said.
    """
    parts, behind = [], []
    hushed = told_apart(tables)
    for survey, own in in_words(verbatims, tables.programme).groupby("survey", sort=True):
        left = emerging.remainders(mentions[mentions["survey"] == survey], own, codeframe)
        found = emerging.proposals(left)
        found = found[(found["count"] >= cells.limit(tables.programme, survey)) & (found["quarter"] == tables.quarter)].assign(survey=survey)
        parts.append(found)
        if "quote" in sources.uses(tables.programme, survey) and len(found):
            shown = emerging.examples(left[~left["response_id"].isin(hushed)], found).merge(own[["response_id", "item", "text"]], on=["response_id", "item"])
            behind.append(shown.assign(survey=survey, name=shown["id"].map(found.set_index("id")["name"]), text=[quotes.redact(text)[0] for text in shown["text"].str.slice(0, 600)]))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*emerging.COLUMNS, "survey"])
    twice = whole["id"].duplicated(keep=False)
    whole = whole.assign(id=[f"{name}_{re.sub(r'[^a-z0-9]+', '_', survey.lower())}" if again else name for name, survey, again in zip(whole["id"], whole["survey"], twice)])
    columns = ["survey", "id", "name", "text"]
    return whole, pd.concat(behind, ignore_index=True)[columns] if behind else pd.DataFrame(columns=columns)


def shares(mentions: pd.DataFrame, tables, codeframe, *, target: str = "population") -> pd.DataFrame:
    """Return `prevalence.shares` by survey and quarter, weighted, on the base of commenters; corrected where people have audited the quarter (`correction.shares`), else indicative.

    A survey whose answers people coded themselves is not indicative: its intervals hold the sampling error, and the note says whose codes they are. Channels of contacts stand beside the surveys, each on the base of its own messages (base "messages").
    """
    answers, parts = responses(tables), []
    coded = codings.audited(tables.programme, codeframe)
    words, everything = set(worded(tables)["survey"]), everywhere(tables, codeframe)
    for survey, own in everything.groupby("survey", sort=True):
        said = mentions[mentions["survey"] == survey]
        found = prevalence.shares(said, own, by=("survey", "quarter"), responses=sources.base(own) if sources.is_one(survey) else answers, codeframe=codeframe)
        found = found.assign(base="messages") if sources.is_one(survey) else found.assign(indicative=False, note=BY_PEOPLE) if survey not in words else found
        for quarter, raw in found.groupby("quarter", sort=True):
            by_people = coded[(coded["survey"] == survey) & (coded["quarter"] == quarter)]
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
    asked_ = [] if sources.is_one(survey) else [item.id for item in programme.items if item.kind == "verbatim" and (not item.surveys or survey in item.surveys)]
    asked_ += [one.items[0] for one in programme.coded if one.survey == survey]
    for item in asked_:
        for wave, what in programme.breaks(survey, item):
            at = next((quarter for quarter in quarters if quarter >= wave.quarter), quarters[0])
            found.setdefault(at, []).append(what)
    return [(at, "; ".join(dict.fromkeys(what))) for at, what in found.items() if at > quarters[0]]


def _corrected(raw, mentions, verbatims, answers, by_people, codeframe, target):
    """The shares of one wave, corrected by its audit; topics that did not stand on its sheets stay indicative."""
    people, told, asked = judged(prevalence.base_of(verbatims, answers, [], "commenters"), by_people, codeframe)
    there = raw["topic"].isin(asked)
    found = correction.shares(raw[there], prevalence.rolled(mentions, codeframe), told, people, target=target) if there.any() else raw[there]
    rest = raw[~there].assign(uncorrected=raw["estimate"], audit_n=0, target=target, note="indicative: the topic was not on the sheets of the audit")
    return pd.concat([part for part in (found, rest) if len(part)], ignore_index=True).drop(columns=["audit_found", "expected"], errors="ignore").sort_values(["topic", "polarity"], ignore_index=True)


def judged(people: pd.DataFrame, by_people: pd.DataFrame, codeframe) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Return the answers of one wave with how people came to code them (probability, known), what they say of them (response_id, topic, polarity, share) and the topics that stood on the sheets, nets included: what `correction` takes.

    in: people (response_id, ...), by_people (`codings.audited` of that survey and quarter).
    """
    drawn = by_people.drop_duplicates("answer").set_index("answer")
    people = people.assign(probability=people["response_id"].map(drawn["probability"].where(drawn["kind"] == "audit")).astype(float), known=people["response_id"].isin(drawn.index[drawn["kind"] == "train"]))
    told = pd.DataFrame([(answer, *key, share) for answer, marks in drawn["topics"].items() for key, share in marks.items()], columns=["response_id", "topic", "polarity", "share"])
    asked = {codeframe.coded_as().get(code, code) for codes in by_people.loc[by_people["kind"] == "audit", "asked"].head(1) for code in codes}
    return people, told, asked | {net for code in asked for net in codeframe.nets().get(code, ())}


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


def typical(mentions: pd.DataFrame, tables, *, polarity: str = "negative", each: int = 2) -> pd.DataFrame:
    """Return the most typical comments of each topic in the latest quarter (`quotes.quotes`), from surveys whose promise permits quoting.

    Comments from an account of a few people are withheld (`told_apart`), because its manager would know whose they are.
    """
    permitted = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
    said = latest(worded(tables))
    return quotes.quotes(mentions[mentions["polarity"] == polarity], said[~said["answer"].isin(told_apart(tables))], surveys=permitted, each=each)


def reading(mentions: pd.DataFrame, tables, kpi, *, segment: str = "", seed: int = 1) -> pd.DataFrame:
    """Return the comments and messages to be read of each topic in the latest quarter (`quotes.reading`), with survey, score of the KPI (None: no score) and a segment's value.

    A segment's value of an anonymous survey is blank where fewer than the smallest cell answered in the quarter; comments of accounts of a few people are withheld (`told_apart`).
    out: survey, quarter, topic, polarity, kind, text, clause, redactions, score (NaN where none), segment ("" where none or withheld).
    """
    said = latest(pd.concat([worded(tables), sources.of(tables)], ignore_index=True))
    said = said[~said["answer"].isin(told_apart(tables))]
    permitted = [survey for survey in said["survey"].unique() if "quote" in sources.uses(tables.programme, survey)]
    found = pd.concat([quotes.reading(mentions[mentions["survey"] == survey], own, surveys=permitted, seed=seed).assign(survey=survey, quarter=own["quarter"].iloc[0]) for survey, own in said.groupby("survey", sort=True)], ignore_index=True) if len(said) else pd.DataFrame(columns=[*quotes.READ, "survey", "quarter"])
    answers = responses(tables).drop_duplicates("response_id").set_index("response_id")
    shown = answers[segment] if segment in answers else pd.Series(np.nan, index=answers.index)
    size = answers.assign(value=shown).groupby(["survey", "quarter", "value"])["survey"].transform("size").astype(float)
    least = answers["survey"].map({survey.id: cells.limit(tables.programme, survey.id) for survey in tables.programme.surveys}).astype(float)
    shown = shown.astype(object).where(shown.notna() & (size >= least), "")
    given = tables["responses"].drop_duplicates("answer").set_index("answer")[kpi.item] if kpi else {}
    return found.assign(score=found["response_id"].map(given).astype(float), segment=found["response_id"].map(shown).fillna("").astype(str))[["survey", "quarter", "topic", "polarity", "kind", "text", "clause", "redactions", "score", "segment"]]


def alerts(mentions: pd.DataFrame, tables, codeframe) -> pd.DataFrame:
    """Return the comments of the latest quarter that speak of a topic marked `alert`, at any frequency: survey, quarter, topic, response_id, item, text (redacted), clause_text, case (may somebody follow it up?), least (smallest count of the survey's answers that may be shown).

    Only surveys whose promise permits a case carry the text and who answered (person_id, a pseudonym): of others the row says that it is there, no more.
    """
    urgent = {topic.id for topic in codeframe.topics if topic.alert}
    own = latest(everywhere(tables, codeframe))
    found = mentions[mentions["topic"].isin(urgent)].drop_duplicates(["response_id", "item", "topic"]).drop(columns=["survey"], errors="ignore").merge(own[["response_id", "item", "survey", "quarter", "person_id", "text"]], on=["response_id", "item"])
    cases = {survey for survey in own["survey"].unique() if "case" in sources.uses(tables.programme, survey)}
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
    """Return the answers and messages (ids) that come from an account of several people, but fewer than limits.min_cell: words there name their speaker.

    Consumers are accounts of one and share nothing with a colleague. Surveys that promised to be attributed are not held back. An account's people are
    those of the people table and of the answers together.
    """
    programme, answers, people = tables.programme, tables["responses"], tables["people"]
    named = [survey.id for survey in programme.surveys if survey.promise == "attributed"]
    messages = sources.of(tables)
    answers = pd.concat([answers[["answer", "survey", "person_id", "account_id"]], messages[["answer", "survey", "person_id"]]], ignore_index=True) if len(messages) else answers
    account = answers["account_id"].astype(object).fillna(answers["person_id"].map(people.drop_duplicates("person_id").set_index("person_id")["account_id"]))
    pairs = pd.concat([people[["account_id", "person_id"]], answers.assign(account_id=account)[["account_id", "person_id"]]]).dropna().drop_duplicates()
    sizes = account.map(pairs.groupby("account_id")["person_id"].nunique()).fillna(1)
    return set(answers.loc[(sizes > 1) & (sizes < programme.limits.min_cell) & ~answers["survey"].isin(named), "answer"])


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each survey's latest quarter."""
    return found[found["quarter"] == found.groupby("survey")["quarter"].transform("max")]
