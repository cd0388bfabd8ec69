"""Topics: which clauses of a verbatim speak of what, by the phrases of a codeframe."""

import re
import unicodedata
from functools import lru_cache

import pandas as pd

from cxlib.errors import DataError
from cxlib.text import lexicon
from cxlib.text.codeframe import Codeframe

COLUMNS = ["response_id", "item", "clause", "topic", "polarity", "phrase", "negated", "clause_text"]
REACH = 3  # tokens over which a negation acts, and between a negation and the phrase it denies

# Controls, zero-width and bidirectional marks: they hide words from the phrases and text from the reader.
_HIDDEN = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_RUN = re.compile(r"(\S{100})\S+")
_STOP = re.compile(r"^[.!?;:,…–—\n\r|/•]+$|^-+$")
_JOIN = re.compile(r"^[,:–—-]+$")
_WORDS = re.compile(r"[^\W\d_]")


def clean(text) -> str:
    """Return the text as it is coded: composed letters, plain apostrophes, no hidden marks, no half characters, '' for a missing one."""
    if not isinstance(text, str):
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8")).replace("’", "'").replace("‘", "'").replace("´", "'")
    text = _HIDDEN.sub("", text)
    # A run of a hundred characters without a space is no word; tokenisers take their time over it.
    return _RUN.sub(r"\1", text) if len(text) > 100 else text


class _Reader:
    """Tokeniser, lemmas and phrases of one language; built once a codeframe and process."""

    def __init__(self, codeframe: Codeframe, language: str):
        import spacy
        from spacy.matcher import PhraseMatcher

        try:
            self.nlp = spacy.blank(language)
        except ImportError:
            raise DataError(f"codeframe {codeframe.version}: spaCy knows no language '{language}'; use its two-letter code") from None
        self.lookup, self.lemmas = {}, {}
        try:
            lemmatizer = self.nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
            self.nlp.initialize()
            self.lookup = lemmatizer.lookups.get_table("lemma_lookup")
        except ValueError:
            pass  # no lemma table for this language: phrases then match written forms
        self.good, self.bad, self.wish, self.negators, self.only, self.contrast = (
            lexicon.words(table, language)
            for table in (lexicon.POSITIVE, lexicon.NEGATIVE, lexicon.WISH, lexicon.NEGATORS, lexicon.ONLY, lexicon.CONTRAST)
        )
        self.lemma_matcher, self.form_matcher = PhraseMatcher(self.nlp.vocab, attr="LEMMA"), PhraseMatcher(self.nlp.vocab, attr="LOWER")
        self.meaning = {}  # matcher key -> (topic, phrase, is an exclusion)
        coded_as = codeframe.coded_as()
        for topic in codeframe.topics:
            if topic.id not in coded_as:
                continue
            for exclude in (False, True):
                for number, phrase in enumerate(codeframe.phrases(topic, language, exclude=exclude)):
                    key = f"{topic.id}|{int(exclude)}|{number}"
                    matcher, words = (self.form_matcher, phrase[1:]) if phrase.startswith("=") else (self.lemma_matcher, phrase)
                    matcher.add(key, [self.read(clean(words))[0]])
                    self.meaning[self.nlp.vocab.strings[key]] = (coded_as[topic.id], phrase, exclude)

    def lemma(self, form: str) -> str:
        """Lemma of a written form in lower case; German nouns are looked up as written, shouting as if it were not."""
        known = self.lemmas.get(form)
        if known is None:
            lower = form.lower()
            known = next((self.lookup[spelt] for spelt in (form, lower, form.capitalize()) if spelt in self.lookup), lower)
            known = (known if isinstance(known, str) else known[0]).lower()  # French tables list several; the first is the commonest
            if len(self.lemmas) < 500_000:  # bounded: a stream of typing errors must not fill the memory
                self.lemmas[form] = known
        return known

    def read(self, text: str):
        """Tokens, their lower-case forms and lemmas."""
        doc = self.nlp.tokenizer(text)
        lemmas = []
        for token in doc:
            token.lemma_ = lemma = self.lemma(token.text)
            lemmas.append(lemma)
        return doc, lemmas

    def clauses(self, lower: list[str]) -> list[tuple[int, int, int]]:
        """Spans of tokens between stops and before words of contrast, each with the number of the statement it is part of (commas join)."""
        spans, start, statement = [], 0, 0
        for at, word in enumerate(lower):
            turn = word in self.contrast
            if turn or (not word[0].isalnum() and (_STOP.match(word) or "\n" in word)):
                if at > start:
                    spans.append((start, at, statement))
                start = at if turn else at + 1
                statement += turn or not _JOIN.match(word)
        return [*spans, (start, len(lower), statement)] if start < len(lower) else spans

    def denied(self, lower: list[str], start: int, at: int) -> bool:
        """Is there a negation within reach before token `at`, not before `start`?"""
        return any(lower[i] in self.negators and lower[i + 1] not in self.only for i in range(max(start, at - REACH), at))

    def opinion(self, lower: list[str], lemmas: list[str], start: int, end: int) -> int:
        """Opinion words of a clause added up, those within reach of a negation turned round."""
        total = 0
        for at in range(start, end):
            form, lemma = lower[at], lemmas[at]
            if form in self.wish:
                value = -1
            elif form in self.good or form in self.bad:
                value = 2 if form in self.good else -2
            else:
                value = 2 if lemma in self.good else -2 if lemma in self.bad else 0
            if value:
                total += -value if abs(value) == 2 and self.denied(lower, start, at) else value
        return total

    def mentions(self, text: str):
        """Yield clause number, topic, polarity by opinion words, phrase, negated, clause text; one for each clause and topic."""
        doc, lemmas = self.read(text)
        hits = [*self.lemma_matcher(doc), *self.form_matcher(doc)]
        if not hits:
            return
        lower = [token.lower_ for token in doc]
        spans = self.clauses(lower)
        owner = {at: number for number, (start, end, _) in enumerate(spans) for at in range(start, end)}
        statements, heard = {}, {}
        for start, end, statement in spans:
            statements.setdefault(statement, []).append((start, end))
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
        told, reached = set(), {}
        for clause, topic, at, until, phrase in found:
            # "phone bill" speaks of bills: a phrase inside a longer one of another topic says nothing of its own.
            inside = any(end > until or (end == until and start < at) for other, (end, start) in reached.items() if other != topic)
            if until > reached.get(topic, (0, 0))[0]:
                reached[topic] = (until, at)
            if inside or (clause, topic) in told or (clause, topic) in barred:
                continue
            told.add((clause, topic))
            start, end, statement = spans[clause]
            denied = self.denied(lower, start, at)
            opinion = self.opinion(lower, lemmas, start, end)
            if not opinion and any(word in self.negators for word in lower[start:end]):
                opinion = -1  # "they do not explain", "no invoice": what is denied is missed
            if not opinion:
                if statement not in heard:
                    heard[statement] = sum(self.opinion(lower, lemmas, *span) for span in statements[statement])
                opinion = heard[statement]
            polarity = "positive" if opinion > 0 else "negative" if opinion < 0 else "unclear"
            yield clause + 1, topic, polarity, phrase, denied, doc[start:end].text


@lru_cache(maxsize=16)
def _reader(dumped: str, language: str) -> _Reader:
    return _Reader(Codeframe.model_validate_json(dumped), language)


def code(verbatims: pd.DataFrame, codeframe: Codeframe, *, text: str = "text") -> pd.DataFrame:
    """Which topics does each clause speak of? One row a verbatim, clause and topic.

    Takes `response_id`, `text` and, where present, `item` and `language` (missing: the codeframe's main language). Clauses end at
    punctuation and before words of contrast ("but", "although", "aber"). A phrase matches by lemmas in any case; an exclude phrase
    suppresses its topic in the clause; a phrase inside a longer one of another topic does not count; mentions of merged topics count
    for the one they were merged into, retired topics are not coded. Each row is coded by itself, so the function may be mapped over
    batches. Verbatims in a language without phrases have no mentions (`prevalence.coverage` counts them).

    Returns response_id, item, clause (from 1), topic, polarity (positive | negative | unclear, by opinion words of the clause or, where it has
    none, of the statement it is part of; `sentiment.polarity` learns a better one from ratings), phrase (as the codeframe writes it), negated (a negation stands before the
    phrase), clause_text.
    """
    if text not in verbatims.columns or "response_id" not in verbatims.columns:
        raise DataError(f"verbatims: column '{text if text not in verbatims.columns else 'response_id'}' is missing; it has {', '.join(verbatims.columns)}")
    size = len(verbatims)
    items = verbatims["item"].tolist() if "item" in verbatims.columns else [""] * size
    languages = verbatims["language"].tolist() if "language" in verbatims.columns else [None] * size
    dumped, known, rows = codeframe.model_dump_json(), set(codeframe.languages), []
    for response, item, language, written in zip(verbatims["response_id"].tolist(), items, languages, verbatims[text].tolist()):
        language = language[:2].lower() if isinstance(language, str) and language else codeframe.language
        written = clean(written)
        if language in known and _WORDS.search(written):
            reader = _reader(dumped, language)
            rows.extend((response, item, *mention) for mention in reader.mentions(written))
    frame = pd.DataFrame(rows, columns=["response_id", "item", *COLUMNS[2:]])
    return frame.astype({"clause": "int64", "negated": bool})
