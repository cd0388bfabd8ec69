"""Topics: which clauses of a verbatim speak of what, by the phrases of a codeframe."""

import gc
from collections import namedtuple
from contextlib import contextmanager
from functools import lru_cache

import pandas as pd

from cxlib.errors import DataError
from cxlib.text import clauses, languages
from cxlib.text.clauses import clean
from cxlib.text.codeframe import Codeframe

__all__ = ["COLUMNS", "alerts", "answers", "clean", "code", "read"]
COLUMNS = ["response_id", "item", "clause", "topic", "polarity", "phrase", "negated", "clause_text"]
SILENT = "nothing"  # what stands as the phrase of a mention that silence is

# A verbatim as it was read. text is cleaned; starts, lower and lemmas have an entry a token; spans are (first token, one past the last, statement) a clause;
# mentions are (clause, topic, polarity, phrase, negated, clause text). Empty where the state is "empty" or "other_language".
Read = namedtuple("Read", "response_id item language state text starts lower lemmas spans mentions")


class _Phrases:
    """The phrases of a codeframe in one language; built once a codeframe and session."""

    def __init__(self, codeframe: Codeframe, language: str):
        from spacy.matcher import PhraseMatcher

        self.reader, self.silent = clauses.reader(language), {topic.silence: topic.id for topic in codeframe.topics if topic.silence and not topic.retired}
        self.leaning = lru_cache(maxsize=1000)(codeframe.leaning)
        vocab = self.reader.nlp.vocab
        self.lemma_matcher, self.form_matcher = PhraseMatcher(vocab, attr="LEMMA"), PhraseMatcher(vocab, attr="LOWER")
        self.meaning, owner = {}, {}  # matcher key -> (topic, phrase, is an exclusion); lemmas -> topic, phrase
        coded_as, self.alert = codeframe.coded_as(), {topic.id for topic in codeframe.topics if topic.alert}
        for topic in codeframe.topics:
            if topic.id not in coded_as:
                continue
            for exclude in (False, True):
                for number, phrase in enumerate(codeframe.phrases(topic, language, exclude=exclude)):
                    key, form = f"{topic.id}|{int(exclude)}|{number}", phrase.startswith("=")
                    doc, *_, lemmas = self.reader.read(clean(phrase[form:]))
                    if not lemmas:
                        raise DataError(f"codeframe.toml (version {codeframe.version}), topic '{topic.id}': phrase {phrase!r} has no characters that can be found; take it out")
                    other = owner.setdefault((form, *lemmas) if not exclude else key, (coded_as[topic.id], topic.id, phrase))
                    if not form and other[0] != coded_as[topic.id]:
                        raise DataError(f"codeframe.toml (version {codeframe.version}): phrase '{phrase}' of topic '{topic.id}' and '{other[2]}' of '{other[1]}' are the same to the coder, which reads both as '{' '.join(lemmas)}'; "
                                        "keep it in one topic, or mark both with '=' to match as written")
                    (self.form_matcher if form else self.lemma_matcher).add(key, [doc])
                    self.meaning[vocab.strings[key]] = (coded_as[topic.id], phrase, exclude)

    def read(self, text: str, item: str):
        """State, text, starts, lower forms, lemmas, spans and mentions of a text that was cleaned."""
        doc, lower, starts, lemmas = self.reader.read(text)
        spans = self.reader.clauses(lower)
        mentions = [*self._silent(doc, lower, spans, item), *self._found(doc, lower, lemmas, spans)]
        return self.reader.silence(lower) or "words", text, starts, lower, lemmas, spans, mentions

    def tone(self, lower, lemmas, spans, clause: int, heard: dict) -> str:
        """Polarity of a clause by its opinion words or, where it has none, by those of the statement it is part of (kept in `heard`)."""
        start, end, statement = spans[clause]
        opinion = self.reader.opinion(lower, lemmas, start, end)
        if not opinion and any(word in self.reader.negators for word in lower[start:end]):
            opinion = -1  # "they do not explain", "no invoice": what is denied is missed
        if not opinion:
            if not heard:  # all statements in one pass: a megabyte of short sentences is as many statements
                for first, last, other in spans:
                    heard[other] = heard.get(other, 0) + self.reader.opinion(lower, lemmas, first, last)
            opinion = heard[statement]
        return "positive" if opinion > 0 else "negative" if opinion < 0 else "unclear"

    def _silent(self, doc, lower, spans, item):
        """Yield the mention that a clause of silence is: "nothing" to what could be better is content, to what was good it is not."""
        topic = self.silent.get(self.leaning(item)) if self.silent else None
        for number, (start, end, _) in enumerate(spans) if topic else ():
            if self.reader.silence(lower[start:end]) == "nothing":
                polarity = "positive" if self.leaning(item) == "faults" else "negative"
                yield number + 1, topic, polarity, SILENT, False, doc[start:end].text
                return

    def _found(self, doc, lower, lemmas, spans):
        reader = self.reader
        hits = [*self.lemma_matcher(doc), *self.form_matcher(doc)]
        if not hits:
            return
        owner = {at: number for number, (start, end, _) in enumerate(spans) for at in range(start, end)}
        found, barred = [], set()
        for key, start, end in hits:
            topic, phrase, exclude = self.meaning[key]
            clause = owner.get(start)
            if clause is None:
                continue
            if exclude:
                barred.add((clause, topic))
            else:
                found.append((clause, topic, start, end, phrase))
        found.sort(key=lambda hit: (hit[2], -hit[3], hit[1]))
        told, reached, heard = set(), {}, {}
        for clause, topic, at, until, phrase in found:
            # "phone bill" speaks of bills: a phrase inside a longer one of another topic says nothing of its own; but an alert is never talked away.
            inside = topic not in self.alert and any(end > until or (end == until and start < at) for other, (end, start) in reached.items() if other != topic)
            if until > reached.get(topic, (0, 0))[0]:
                reached[topic] = (until, at)
            if inside or (clause, topic) in told or (clause, topic) in barred:
                continue
            told.add((clause, topic))
            start, end, _ = spans[clause]
            yield clause + 1, topic, self.tone(lower, lemmas, spans, clause, heard), phrase, reader.denied(lower, start, at), doc[start:end].text


@lru_cache(maxsize=16)
def _phrases(dumped: str, language: str) -> _Phrases:
    return _Phrases(Codeframe.model_validate_json(dumped), language)


def read(verbatims: pd.DataFrame, codeframe: Codeframe, *, text: str = "text"):
    """Yield each verbatim as it is read (`Read`), in the order of the rows.

    state: empty (no letters, or one alone), other_language (no phrases for it), nothing, unknown ("don't know"), words.
    """
    if text not in verbatims.columns or "response_id" not in verbatims.columns:
        raise DataError(f"verbatims: column '{text if text not in verbatims.columns else 'response_id'}' is missing; it has {', '.join(verbatims.columns)}")
    size = len(verbatims)
    items = verbatims["item"].tolist() if "item" in verbatims.columns else [""] * size
    dumped, known = codeframe.model_dump_json(), set(codeframe.languages)
    written = [clauses.own(clean(one)) for one in verbatims[text].tolist()]
    spoken = languages.of(written, verbatims["language"].tolist() if "language" in verbatims.columns else None, known=codeframe.languages)
    for response, item, language, said in zip(verbatims["response_id"].tolist(), items, spoken, written):
        if not clauses.WORDS.search(said) or (len(said) < 9 and len(said.strip()) == 1 and said.isascii()):
            yield Read(response, item, language, "empty", said, [], [], [], [], [])
        elif language not in known:
            yield Read(response, item, language, "other_language", said, [], [], [], [], [])
        else:
            yield Read(response, item, language, *_phrases(dumped, language).read(said, item))


def matched(codeframe: Codeframe) -> None:
    """Raise DataError where the coder could not tell two topics apart: phrases that are the same once words are read as lemmas, or that hold nothing to be found; in every language of the codeframe."""
    for language in codeframe.languages:
        _phrases(codeframe.model_dump_json(), language)


@contextmanager
def uncollected():
    """Within it Python does not look for circles of references: a batch holds millions of lists and no circle, and going over them again and again takes a third of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def tone(one: Read, codeframe: Codeframe, clause: int) -> str:
    """Polarity by opinion words of a clause (from 0) of a verbatim that was read."""
    return _phrases(codeframe.model_dump_json(), one.language).tone(one.lower, one.lemmas, one.spans, clause, {})


def code(verbatims: pd.DataFrame, codeframe: Codeframe, *, text: str = "text") -> pd.DataFrame:
    """Which topics does each clause speak of? One row a verbatim, clause and topic.

    Takes `response_id`, `text` and, where present, `item` and `language`; a language that is missing is told from the text where that is long
    enough to tell (`languages.of`), else it is the codeframe's main one. Clauses end at
    punctuation and before words of contrast ("but", "although", "aber"). A phrase matches by lemmas in any case; an exclude phrase
    suppresses its topic in the clause; a phrase inside a longer one of another topic does not count; mentions of merged topics count
    for the one they were merged into, retired topics are not coded. "Nothing" counts for the topic whose `silence` fits what the question asks for.
    Each row is coded by itself, so the function may be mapped over
    batches. Verbatims in a language without phrases have no mentions (`answers` counts them).

    Returns response_id, item, clause (from 1), topic, polarity (positive | negative | unclear, by opinion words of the clause or, where it has
    none, of the statement it is part of; `sentiment.polarity` learns a better one from ratings), phrase (as the codeframe writes it), negated (a negation stands before the
    phrase), clause_text.
    """
    with uncollected():
        rows = [(one.response_id, one.item, *mention) for one in read(verbatims, codeframe, text=text) for mention in one.mentions]
    frame = pd.DataFrame(rows, columns=["response_id", "item", *COLUMNS[2:]])
    return frame.astype({"clause": "int64", "negated": bool})


def alerts(mentions: pd.DataFrame, codeframe: Codeframe) -> pd.DataFrame:
    """Which verbatims must a person read, however few they are? Those that speak of a topic marked `alert`.

    Returns response_id, item, topic, phrase ("" where the coder found it without one), clause_text; one row a verbatim and topic, denied ones too ("nobody was hurt").
    """
    urgent = [topic.id for topic in codeframe.topics if topic.alert]
    return mentions.loc[mentions["topic"].isin(urgent), ["response_id", "item", "topic", "phrase", "clause_text"]].drop_duplicates(["response_id", "item", "topic"], ignore_index=True)


def answers(verbatims: pd.DataFrame, codeframe: Codeframe, *, text: str = "text") -> pd.DataFrame:
    """What kind of answer is each verbatim: words, "nothing", "don't know", empty, or in a language that the codeframe has no phrases for?

    Returns the columns of verbatims but the text, with language (as coded), state (words | nothing | unknown | empty | other_language), topics
    (how many it speaks of) and kind: the state, or for words "covered" and "other" (words, but no topic: over 10 % the codeframe wants revising).
    """
    found = [(one.language, one.state, len({mention[1] for mention in one.mentions})) for one in read(verbatims, codeframe, text=text)]
    frame = verbatims.drop(columns=[text]).assign(**dict(zip(("language", "state", "topics"), zip(*found)))) if found else verbatims.drop(columns=[text]).assign(language=None, state=None, topics=0)
    return frame.assign(kind=frame["state"].where(frame["state"] != "words", frame["topics"].gt(0).map({True: "covered", False: "other"})))
