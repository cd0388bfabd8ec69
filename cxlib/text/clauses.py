"""Clauses: a verbatim as tokens, lemmas and the parts of it that say one thing each, with what is denied and what opinion words it has."""

import re
import unicodedata
from functools import lru_cache

from cxlib.errors import DataError
from cxlib.text import lexicon

REACH = 3  # tokens over which a negation acts, and between a negation and the phrase it denies

# Controls, zero-width and bidirectional marks: they hide words from the phrases and text from the reader.
_HIDDEN = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_RUN = re.compile(r"(\S{100})\S+")
_STOP = re.compile(r"^[.!?;:,…–—\n\r|/•]+$|^-+$")
_JOIN = re.compile(r"^[,:–—-]+$")
# What mail programs put around and before the message that is answered, in English, German, French, Portuguese and Spanish.
_HEADER = re.compile(r"^\s*(?:>|(?:from|to|cc|bcc|sent|date|subject|reply-to|von|an|gesendet|datum|betreff|de|à|envoyé|objet|para|enviado|assunto|asunto) ?:\s)", re.I)
_QUOTED = re.compile(
    r"^(?:-{2,} ?(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine|message transféré|mensagem original|mensaje original).*"
    r"|(?:on|am|le|em|el) .{5,200}(?:wrote|schrieb[^:]*|a écrit|escreveu|escribió) ?:|_{10,}|--|(?:sent from my|von meinem|envoyé de mon|enviado do meu) .{1,60})$", re.I)
WORDS = re.compile(r"[^\W\d_]")


def clean(text) -> str:
    """Return the text as it is coded: composed letters, plain apostrophes, no hidden marks, no half characters, '' for a missing one."""
    if not isinstance(text, str):
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8")).replace("’", "'").replace("‘", "'").replace("´", "'")
    text = _HIDDEN.sub("", text)
    # A run of a hundred characters without a space is no word; tokenisers take their time over it.
    return _RUN.sub(r"\1", text) if len(text) > 100 else text


def own(text: str) -> str:
    """Return what a respondent wrote of a pasted e-mail: without header lines, quoted lines, what follows "... wrote:" and the signature.

    A text of one line is no e-mail. Where nothing but the quoted part has words, that part is what was meant to be said.
    """
    if "\n" not in text and "\r" not in text:
        return text
    lines = text.splitlines()
    end = next((at for at, line in enumerate(lines) if at and _QUOTED.match(line.strip()[:300])), len(lines))
    kept = "\n".join(line for line in lines[:end] if not _HEADER.match(line))
    return kept if WORDS.search(kept) else "\n".join(line.lstrip("> ") for line in lines if not _HEADER.match(line.lstrip("> ")) and not _QUOTED.match(line.strip()[:300]))


class Reader:
    """Tokeniser, lemmas, negation and opinion words of one language (spaCy's blank pipeline and its official lookup tables)."""

    def __init__(self, language: str):
        import spacy

        try:
            self.nlp = spacy.blank(language)
        except ImportError:
            raise DataError(f"spaCy knows no language '{language}', which the codeframe names; use its two-letter code") from None
        self.lookup, self.lemmas, self.forms = {}, {}, {}
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
        self.nothing = frozenset(self.bare(answer) for answer in lexicon.nothing(language))
        self.unknowing = frozenset(self.bare(answer) for answer in lexicon.unknowing(language))

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
        """Tokens (with their lemmas, for phrases to match), their lower forms, where they start, and their lemmas."""
        doc, lower, starts, lemmas = self.nlp.tokenizer(text), [], [], []
        for token in doc:
            known = self.forms.get(token.orth)
            if known is None:
                lemma = self.lemma(token.text)
                known = token.lower_, lemma, self.nlp.vocab.strings.add(lemma)
                if len(self.forms) < 500_000:
                    self.forms[token.orth] = known
            lower.append(known[0])
            lemmas.append(known[1])
            token.lemma = known[2]
            starts.append(token.idx)
        return doc, lower, starts, lemmas

    def bare(self, text: str) -> tuple[str, ...]:
        """The words of a text in lower case, without marks."""
        return tuple(word for token in self.nlp.tokenizer(clean(text)) if (word := token.lower_)[0].isalnum() or word == "'s" or word == "n't")

    def silence(self, lower: list[str]) -> str:
        """Is this all that somebody has nothing to say ("nothing"), or does not know ("unknown")? "" where it is neither."""
        if len(lower) > 12:
            return ""
        said = tuple(word for word in lower if word[0].isalnum() or word in ("'s", "n't"))
        return "nothing" if said in self.nothing else "unknown" if said in self.unknowing else ""

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


@lru_cache(maxsize=16)
def reader(language: str) -> Reader:
    """The reader of a language, made once in a session."""
    return Reader(language)
