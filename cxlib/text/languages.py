"""Languages: in which one a verbatim is written, where that can be told."""

from functools import cache

SHORTEST = 20  # characters below which a text tells no language (measured: .84 right under 20, .98 up to 40, .998 beyond)
SURE, SURER = 0.90, 0.99  # probability from which a language that nobody declared is believed, and one that goes against what was declared
_MOST = 2000  # characters that are looked at


def of(texts, declared=None, *, known=("en",)) -> list[str]:
    """Return the language of each text as a two-letter code.

    A declared one (the interview's, by the file) holds unless the text is surely in another (probability .99, 40 characters): people answer in
    their own. Without one the text tells (.90, 20 characters), and what is too short or unsure is taken for the main language, `known[0]`.
    """
    declared = [code[:2].lower() if isinstance(code, str) and code else "" for code in declared] if declared is not None else [""] * len(texts)
    return [_one(text, code, known[0]) for text, code in zip(texts, declared)]


def _one(text: str, declared: str, main: str) -> str:
    if len(text) < (2 * SHORTEST if declared else SHORTEST):
        return declared or main
    found, sure = detect(text)
    return found if sure >= (SURER if declared else SURE) else declared or main


def detect(text: str) -> tuple[str, float]:
    """Return the likeliest language of a text and its probability (py3langid: 97 languages, 27,000 comments a second); "" and 0 for no letters."""
    import numpy as np

    if not any(letter.isalpha() for letter in text[:_MOST]) or (model := _identifier()) is None:
        return "", 0.0
    # Shouting looks like no language to a model of small letters.
    language, sure = model.classify(text[:_MOST].lower())
    return language, float(np.round(sure, 6))


@cache
def _identifier():
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None  # an environment from before the lock had it: what was declared then holds

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
