"""Texts in which nothing can identify anybody, told from the others without a look at each: most comments hold no digit, no cue and no name.

A text that is cleared here has no span in `redaction.spans`, which the tests hold it to; one that is not is looked at there. Every condition is
wider than the rule it stands for, so that it can be asked of a whole column at once.
"""

import pandas as pd

from cxlib.load import names

# Text of printable ASCII only, as it is read; within it, what the rules for links, addresses of mail and spoken numbers need.
_PRINTED = r"^[\t\n\r -~]*$"
_SIGNS = r"://|www\.|@|[(\[{<]at|[(\[]a[)\]]|arroba|arobas| (?:dot|punkt|punto|point) |\(dot\)"
_SAID = "zero|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|vier|sechs|sieben|acht|neun|un|deux|trois|quatre|cinq|sept|huit|neuf|oh|double|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|zwo|ein|six"
_SPOKEN = rf"(?:{_SAID})[\s,-]+(?:{_SAID})[\s,-]+(?:{_SAID})"
# With a digit: seven of them (phone, card, IBAN), words of birth, of a customer's number, of a street.
_SEVEN = r"[0-9](?:[^0-9]*[0-9]){6}"
_BIRTH = r"born|birth|d\.?o\.?b|geb|naiss|nacid|fecha"
_NUMBER = "customer|client|account|contra|policy|member|subscriber|kunden|vertrag|mitglied|policen|konto|versicherung|compte|abonn|cuenta|socio"
_STREET = (
    r"(?:str(?:asse|\.)|weg|gasse|allee|platz|ring|ufer|damm|stieg|chaussee|markt|berg|bach|park|wald|hof|hang|feld|graben|tor|brunnen|garten|anger|kirche|linden|wiesen?)\s[0-9]"
    r"|\s(?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|quai|route|cours|square)\s|calle|avenida|plaza|paseo|c/"
)
_PLACE = r"[0-9][A-Za-z]?,?\s[A-Z]|[A-Z][0-9][A-Z0-9]? [0-9][A-Z]{2}"
_KEY = r"[\w-]{4}[0-9]|[\w-]{3}[0-9][\w-]|[\w-]{2}[0-9][\w-]{2}|[\w-][0-9][\w-]{3}|[0-9][\w-]{4}"
_CAPITALS = r"[A-Z][^a-z]*[A-Z]"  # capitals outnumber small letters only where two follow each other, or no two small ones do
_SMALL = r"[a-z][^A-Z]*[a-z]"
MANY = 256  # fewer texts are looked at one by one


def told(texts: pd.Series, *, known, most: int):
    """Return which texts must be looked at, as an array of flags; `known` is a `redaction.Known`, `most` the length beyond which every text must."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pa.array(texts, pa.large_string())
    has = lambda pattern, loose=True: pc.match_substring_regex(cells, pattern, ignore_case=loose)
    found = pc.or_(pc.invert(has(_PRINTED, False)), pc.or_(has(_CAPITALS, False), pc.invert(has(_SMALL, False))))
    found = pc.or_(found, pc.or_(has(f"{_SIGNS}|{_SPOKEN}"), pc.greater(pc.binary_length(cells), most)))
    digit = has("[0-9]", False)
    if known.patterns:
        found = pc.or_(found, digit)
    elif pc.any(digit).as_py():
        more = pc.or_(has(f"{_SEVEN}|{_BIRTH}|{_NUMBER}|{_STREET}"), has(_PLACE, False))
        if known.numbers:
            more = pc.or_(more, has(_KEY))
        found = pc.or_(found, pc.and_(digit, more))
    return pc.or_(found, _named(cells, known.persons)).to_numpy(zero_copy_only=False)


def _named(cells, known: names.Known):
    """Return which texts hold a word that may belong to a name or lead to one; each distinct word is looked at once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.split_pattern_regex(cells, r"[^A-Za-z'-]+")
    coded = words.values.dictionary_encode()
    telling = np.array([names.telling(word, known) for word in coded.dictionary.to_pylist()], dtype=bool)
    found = np.zeros(len(cells), dtype=bool)
    found[pc.list_parent_indices(words).to_numpy()[telling[coded.indices.to_numpy()]]] = True
    return pa.array(found)
