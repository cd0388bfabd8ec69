"""Texts in which nothing can identify anybody, told from the others without a look at each: most comments hold no digit, no cue and no name.

A text that is cleared here has no span in `redaction.spans`, which the tests hold it to; one that is not is looked at there. A column is cut into
words, each with the signs behind it up to the next; each distinct one is looked at once, and what two neighbours say together is asked of
the whole column. Every condition is wider than the rule it stands for.
"""

import re
import unicodedata
from functools import lru_cache

import numpy as np
import pandas as pd

from cxlib.load import names
from cxlib.load.readers import raw

MANY = 256  # fewer texts are looked at one by one
REACH, NAME = 1, 2  # what a text may hold: by what somebody can be reached or told apart (an address, a number, a date of birth), and a name
WORDS = 200_000  # distinct words with their signs that are remembered from one part of a file to the next
# What a word may be, and what it is if the word before it or behind it is something.
LOOK, CAND, LOW, PART, STRONG, CUE, SELF, BEFORE, BEHIND, OF_NAME, IS, ME, AM, MY, KIN, DOUBT, LATE, OPEN, AT, DOT, TOP, SPOKEN, WEB = (1 << place for place in range(23))
# The words that end a cue of `names`, so that a name stands behind them; in pairs where they are one only behind another word.
_ENDS = {
    STRONG: "name's heiße heisse m'appelle nomme llamo chiamo",
    OF_NAME: "name nom nombre nome naam am",
    IS: "is ist lautet est es è of called",
    SELF: "i'm it's bin c'est soy habla",
    ME: "this i bin hier je",
    AM: "is am die der ist spricht suis",
    CUE: "called named namens nommé nommée appelé appelée llamado llamada thanks kudos shoutout atendió agent advisor adviser engineer colleague representative operator rep salesman saleswoman kollege kollegin kollegen mitarbeiter "
    "mitarbeiterin mitarbeiters berater beraterin techniker technikerin verkäufer verkäuferin sachbearbeiter sachbearbeiterin filialleiter filialleiterin conseiller conseillère technicien technicienne vendeur vendeuse employé employée técnico "
    "dear hi hello hey liebe lieber liebes hallo bonjour cher chère hola querido querida",
    BEFORE: "spoke speak speaking talked talk talking chatted dealt thanks thank you kudos shout out shoutout well done so served helped assisted advised told called ask merci grâce parlé gracias hablé",
    BEHIND: "to with you out done much by for à avec a con",
    MY: "my mein meine meiner meinem ma mon",
    KIN: "wife husband son daughter mother father brother sister boss neighbor neighbour frau mann sohn tochter mutter vater bruder schwester chef chefi chefin femme mari fils fille mère père frère sœur",
    PART: "von van de der den del della di da dos du la le zu zum zur bin al el ter ten und",
    LATE: "here gesprochen telefoniert gechattet beraten bedient betreut gewandt",
    DOT: "dot punkt punto point",
    SPOKEN: "zero one two three four five six seven eight nine null eins zwei drei vier fünf sechs sieben acht neun zéro un deux trois quatre cinq sept huit neuf oh double cero uno dos tres cuatro cinco seis siete ocho nueve zwo ein",
}
_BYES = frozenset(["regards", "sincerely", "yours", "cheers", "mfg", "lg", "vg", "grüße", "grüsse", "grüßen", "grüssen", "gruß", "gruss", "cordialement", "vous", "salutations", "atentamente", "saludos", "saludo"])
_TITLES = frozenset(["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Professor", "Sir", "Herr", "Herrn", "Frau", "Fräulein", "Frl", "Hr", "Mme", "Mlle", "Madame", "Mademoiselle", "Monsieur", "Sr", "Sra", "Srta", "Señor", "Señora", "Señorita", "Doña", "Signor", "Signora", "Mevrouw", "Meneer", "Doktor", "med", "Ing", "Dipl", "M"])
_KINDS: dict[str, int] = {}
for _kind, _words in _ENDS.items():
    for _word in _words.split():
        _KINDS[_word] = _KINDS.get(_word, 0) | _kind
_ASKED = LOOK | WEB | STRONG | IS | SELF | AM | CUE | BEHIND | KIN | DOUBT | LATE | AT | DOT | SPOKEN
_CUES = STRONG | IS | SELF | AM | CUE | BEHIND | KIN | PART
_TOP = re.compile(r"(?:com|net|org|info|eu|io|co|uk|ie|de|at|ch|fr|be|nl|es|it|pt|pl|se|dk|us|example)\b", re.IGNORECASE)
_BLANKS = np.array([9, 10, 13], np.uint8)
_LETTERS = bytes(chr(sign).isalpha() or sign >= 128 or sign in b"'-" for sign in range(256))
_ALIKE = bytes(range(256)).translate(bytes.maketrans(b"123456789", b"000000000"))
_WORD = re.compile(r"[A-Za-z'\x80-\U0010ffff-]*")
_BEHIND_CUE, _BEHIND_BYE, _BEHIND_TITLE = re.compile(r"[:,]?\s+"), re.compile(r"[\s,.!]+"), re.compile(r"\.?\s+")
# With a digit: seven of them in a row (phone, card) or eight behind two letters (IBAN), words of birth, of a customer's number, of a street.
_W = r"[\w\x{80}-\x{10FFFF}-]"
_RUN = r"[0-9](?:[ ()/.-]{0,3}[0-9]){6}"
_IBAN = r"[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]"
_BIRTH = r"born|birth|d\.?o\.?b|geb|naiss|n\x{e9}|nac[i\x{ed}]|fecha"
_NUMBER = r"customer|client|account|contra|policy|member|subscriber|kunden|vertrag|mitglied|policen|konto|versicherung|compte|abonn|adh\x{e9}r|cuenta|socio"
_STREET = (
    r"(?:str(?:a(?:ss|\x{df})e|\.)|weg|gasse|allee|platz|ring|ufer|damm|stieg|chaussee|markt|berg|bach|park|wald|hof|hang|feld|graben|tor|brunnen|garten|anger|kirche|linden|wiesen?|m\x{fc}hle)\s[0-9]"
    r"|\s(?:rue|avenue|av\.|boulevard|bd|place|chemin|all\x{e9}e|impasse|quai|route|cours|square)\s|calle|avenida|plaza|paseo|c/"
)
_PLACE = r"[0-9][A-Za-z]?,?\s[A-Z\x{c0}-\x{de}]|[A-Z][0-9][A-Z0-9]? [0-9][A-Z]{2}"
_HINT = f"(?i:{_BIRTH}|{_NUMBER}|{_STREET})|{_PLACE}"
_KEY = rf"{_W}{{4}}[0-9]|{_W}{{3}}[0-9]{_W}|{_W}{{2}}[0-9]{_W}{{2}}|{_W}[0-9]{_W}{{3}}|[0-9]{_W}{{4}}"


def wide(pattern: str) -> str:
    """Return a pattern of Python in the engine's words (RE2): without looks ahead and behind and ends of words, with letters of any script, so that it finds what that does and more."""
    out, place, within = [], 0, False
    while place < len(pattern):
        if look := re.match(r"\(\?<?[=!]", pattern[place:]):
            depth, place, inside = 1, place + len(look.group()), False
            while depth:
                sign = pattern[place]
                inside = (sign == "[" or inside) and sign != "]"
                depth += 0 if inside else (sign == "(") - (sign == ")")
                place += 2 if sign == "\\" else 1
            continue
        two = pattern[place : place + 2]
        if two[0] == "\\":
            out.append({r"\b": "", r"\w": r"\w\x{80}-\x{10FFFF}" if within else r"[\w\x{80}-\x{10FFFF}]"}.get(two, two))
            place += 2
            continue
        within = (two[0] == "[" or within) and two[0] != "]"
        out.append(two[0])
        place += 1
    return "".join(out).replace(r"[^\W\d_]", r"[A-Za-z\x{80}-\x{10FFFF}]")


def told(texts, *, known, most: int, read, rules: dict) -> np.ndarray:
    """Return for what texts must be looked at: 0 where for nothing, else `REACH`, `NAME` or both.

    `texts` are a column without missing ones (a Series or an Arrow array), `known` is a `redaction.Known`, `most` the length beyond which every
    text must, `read` what a sign is read as (`redaction.plain`), `rules` the patterns of dates of birth, numbers and addresses (`redaction.RULES`).
    """
    import pyarrow as pa

    cells = pa.array(texts, pa.large_string()) if isinstance(texts, pd.Series) else texts
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    found = np.zeros(len(cells), dtype=np.uint8)
    if not len(cells):
        return found
    cells = _as_read(cells, read, found)
    ends, signs = raw.signs(cells)
    sizes = np.diff(ends)
    found[sizes > most] = REACH | NAME
    of_text = lambda places: np.searchsorted(ends, places, side="right") - 1
    strange = np.flatnonzero((signs < 32) | (signs == 127))  # signs that no keyboard writes, which Python and the engine may take differently
    found[of_text(strange[~np.isin(signs[strange], _BLANKS)])] = REACH | NAME
    capitals = ((signs - 65 < 26) | (signs >= 192)).view(np.int8)
    capitals -= (signs - 97 < 26).view(np.int8)
    found[(_summed(capitals, ends, sizes) > 0) & (sizes > 12)] = REACH | NAME  # more capitals than small letters
    digits = np.bincount(of_text(np.flatnonzero(signs - 48 < 10)), minlength=len(found))
    if (own := np.flatnonzero((digits > 0) & (found == 0))).size:
        found[own] = _with_digits(cells.take(pa.array(own)), digits[own], known, rules)  # REACH
    _by_words(ends, signs, found, of_text, known.persons)
    return found


def _summed(marks: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the sum of the marks of each text's signs."""
    sums = np.zeros(len(sizes), dtype=np.int32)
    if len(marks):
        sums[sizes > 0] = np.add.reduceat(marks, ends[:-1][sizes > 0], dtype=np.int32)
    return sums


def _as_read(cells, read, found: np.ndarray):
    """Return texts with signs as they are read (curly quotes, dashes, blanks); texts with signs that are not that simple are to be looked at."""
    import pyarrow as pa
    import pyarrow.compute as pc

    _, signs = raw.signs(cells)
    wide = signs >= 128
    if not wide.any():
        return cells
    odd, changed = [], 0
    for sign in sorted(set(signs[wide].tobytes().decode())):
        plain = read(sign)
        if plain == sign and _simple(sign):
            continue
        if changed < 30 and plain.isascii() and not any(map(str.isdigit, plain)) and _simple(sign):
            changed += 1
            cells = pc.replace_substring(cells, sign, plain)
        else:
            odd.append(re.escape(sign))
    if odd:
        found[pc.match_substring_regex(cells, "|".join(odd)).to_numpy(zero_copy_only=False)] = REACH | NAME
    return cells.cast(pa.large_string())


@lru_cache(maxsize=4096)
def _simple(sign: str) -> bool:
    """Whether a sign stands for itself whatever is beside it, and has one capital and one small letter at most."""
    if sign in "İıſK" or "\u1100" <= sign <= "\u11ff":
        return False
    return sign == "\ufe0f" or unicodedata.category(sign)[0] in "LPSZ" or unicodedata.category(sign) == "Cf"


def _with_digits(cells, digits: np.ndarray, known, rules) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if known.patterns:
        return np.ones(len(cells), dtype=bool)
    has = lambda cells, pattern, loose: pc.match_substring_regex(cells, pattern, ignore_case=loose).to_numpy(zero_copy_only=False)
    found = has(cells, _KEY, False) if known.numbers else np.zeros(len(cells), dtype=bool)
    if (many := np.flatnonzero((digits >= 7) & ~found)).size:
        own = cells.take(pa.array(many))
        found[many] = has(own, _RUN, False) | ((digits[many] >= 8) & has(own, _IBAN, False))
    if (maybe := np.flatnonzero(has(cells, _HINT, False) & ~found)).size:
        found[maybe] = has(cells.take(pa.array(maybe)), _together(tuple(rule for kind in ("birth", "number", "address") for rule in rules[kind])), False)
    return found


@lru_cache(maxsize=2)
def _together(rules: tuple) -> str:
    """Return several patterns as one in the engine's words: where one of them is found, it is."""
    return "|".join(f"(?{'i' if rule.flags & re.IGNORECASE else ''}:{wide(rule.pattern).replace('?P<it>', '?:')})" for rule in rules)


def _by_words(ends, signs, found, of_text, known: names.Known) -> None:
    """Note the texts in which a word, or two that stand together, may name somebody or say an address."""
    import pyarrow as pa

    plain = signs.tobytes()
    letters = np.frombuffer(plain.translate(_LETTERS), dtype=bool)
    alike = plain.translate(_ALIKE)  # one figure is as good as another, and numbers would make every word distinct
    begins = letters.copy()
    begins[1:] &= ~letters[:-1]
    heads = ends[:-1][np.diff(ends) > 0]
    begins[heads] = True
    places = np.flatnonzero(begins)
    if not len(places):
        return
    words = pa.LargeStringArray.from_buffers(len(places), pa.py_buffer(np.append(places, len(signs))), pa.py_buffer(alike)).dictionary_encode()
    kinds, seen = _seen(known), []
    if len(kinds) > WORDS:
        kinds.clear()
    for word in words.dictionary.to_pylist():
        kind = kinds.get(word)
        if kind is None:
            kind = kinds[word] = _kind(word, known)
        seen.append(kind)
    kind = np.zeros(len(places) + 8, dtype=np.uint32)  # nothing stands behind the last one
    kind[: len(places)] = np.array(seen, dtype=np.uint32)[words.indices.to_numpy()]
    first = np.ones(len(kind), dtype=bool)
    first[: len(places)] = False
    first[np.searchsorted(places, heads)] = True
    own = np.flatnonzero(kind & _ASKED)
    here, text = kind[own], of_text(places[own])
    before = np.where(first[own], 0, kind[own - 1])
    behind = np.where(first[own + 1], 0, kind[own + 1])
    name, next_, open_ = np.zeros(len(own), dtype=bool), own + 1, np.ones(len(own), dtype=bool)
    for _ in range(5):  # a name may begin with the next word, or behind particles
        open_ &= ~first[next_]
        name |= open_ & ((kind[next_] & (CAND | LOW)) > 0)
        open_ &= (kind[next_] & PART) > 0
        next_ = next_ + 1
    is_ = lambda what: (here & what) > 0
    pair = lambda one, other: is_(other) & ((before & one) > 0)
    hit = is_(LOOK | STRONG) | pair(OF_NAME, IS) | (name & (is_(CUE) | pair(BEFORE, BEHIND) | pair(MY, KIN)))
    self_ = is_(SELF) | pair(ME, AM)
    found[text[hit | (self_ & ((behind & LOW) > 0))]] |= NAME
    found[text[is_(WEB) | (is_(DOT) & ((behind & TOP) > 0)) | pair(OPEN, AT)]] |= REACH
    found[np.bincount(text[is_(SPOKEN)], minlength=len(found)) >= 7] |= REACH
    weak, doubtful = np.zeros(len(found), dtype=bool), np.zeros(len(found), dtype=bool)
    weak[text[is_(LATE) | (self_ & name)]] = True
    doubtful[text[is_(DOUBT)]] = True
    found[weak & doubtful] |= NAME


@lru_cache(maxsize=2)
def _seen(known: names.Known) -> dict[str, int]:
    """What the words seen so far may be."""
    return {}


def _kind(word: str, known: names.Known) -> int:
    """Return what a word with the signs behind it may be."""
    bare = _WORD.match(word).group()
    signs, low = word[len(bare) :], bare.lower()
    ends = [bare] if bare.isalpha() else [bare[place:] for place in range(len(bare)) if not place or not bare[place - 1].isalnum()]
    kind, sure = 0, names.folded()[0]
    for end in ends:
        kind |= _KINDS.get(end.lower(), 0)
    if not _BEHIND_CUE.fullmatch(signs):
        kind &= ~_CUES
    if any(end.lower() in _BYES for end in ends) and _BEHIND_BYE.fullmatch(signs):
        kind |= CUE
    if any(end in _TITLES for end in ends) and _BEHIND_TITLE.fullmatch(signs):
        kind |= CUE
    if any(end.lower() in ("mr", "mrs", "ms") for end in ends) and _BEHIND_TITLE.fullmatch(signs):
        kind |= STRONG
    if low.startswith("here"):
        kind |= LATE
    told, begins = names.parts(bare)
    if any(names.listed(own, known) for own in told):
        kind |= LOOK
    if any(own in names.given()[1] for own in told):
        kind |= DOUBT
    if any(names.begins(own) for own in begins):
        kind |= CAND
    if any(names.fold(piece) in sure for own in told for piece in re.split("['-]", own)):
        kind |= LOW
    kind |= _KINDS.get(low.strip("-"), 0) & SPOKEN
    if "@" in signs or "://" in signs or (low.endswith("www") and signs.startswith(".")) or "arroba" in low or "arobas" in low or (low.endswith("ät") and signs[:1] in (")", "]")):
        kind |= WEB
    if signs[-1:] in ("(", "[", "{", "<"):
        kind |= OPEN
    if low.startswith("at") or (low == "a" and signs[:1] in (")", "]")):
        kind |= AT
    return kind | (TOP if _TOP.match(bare) else 0)
