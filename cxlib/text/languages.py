"""Languages: in which one a verbatim is written, where that can be told."""

from functools import cache

SHORTEST = 20  # characters below which a text tells no language
RULED_OUT = 0.01  # chance of a language below which it is none (measured: no English comment of 3,393 patients' fell below it, and .98 of Portuguese ones' English did)
_MOST = 2000  # characters that are looked at


def of(texts, declared=None, *, known=("en",)) -> list[str]:
    """Return the language of each text as a two-letter code.

    A declared one (the interview's, by the file) holds unless the text rules it out (a chance under .01, from 40 characters): people answer in their own.
    Without one the likeliest of the `known` ones holds, the main one being the first, unless the text (from 20 characters, or at any length in a script that is not Latin) rules
    all of them out.
    """
    declared = [code[:2].lower() if isinstance(code, str) and code else "" for code in declared] if declared is not None else [""] * len(texts)
    return [_one(text, code, known) for text, code in zip(texts, declared)]


def _one(text: str, declared: str, known) -> str:
    ranked = chances(text) if len(text) >= (2 * SHORTEST if declared else SHORTEST) or _another_script(text) else []
    wanted = (declared,) if declared else known
    kept, chance = next((pair for pair in ranked if pair[0] in wanted), (wanted[0], 0.0))
    return ranked[0][0] if ranked and chance < RULED_OUT else kept


def _another_script(text: str) -> bool:
    """Whether most letters are no Latin ones: few of them tell already that a text is in no language written so."""
    letters = [letter for letter in text[:_MOST] if letter.isalpha()]
    return sum(letter > "\u024f" for letter in letters) * 2 > len(letters)


def chances(text: str) -> list[tuple[str, float]]:
    """Return the languages (97, py3langid) with the chance that a text is in each, the likeliest first; none for a text without letters."""
    if not any(letter.isalpha() for letter in text[:_MOST]):
        return []
    return _identifier().rank(text[:_MOST].lower())  # in small letters: shouting looks like no language to the model


@cache
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
