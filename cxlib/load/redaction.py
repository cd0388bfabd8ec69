"""Redaction: what identifies a person is taken out of what people write, and counted by kind.

The raw files keep every byte; the store, and with it every study, page, figure and finding, holds the redacted text.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.identity import MAIL, ibans
from cxlib.load import names, suspects
from cxlib.load.readers import codes as distinct
from cxlib.load.readers import raw

MARKS = {
    "link": "[link]", "email": "[e-mail]", "iban": "[IBAN]", "card": "[card]", "number": "[number]", "birth": "[date of birth]", "phone": "[phone]", "address": "[address]", "name": "[name]",
}  # fmt: skip
MOST = 20_000  # characters of a text that are looked at for names; beyond them only patterns are

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
_SECRET = re.compile(r"@|[?&#;](?:[\w.-]*(?:token|key|auth|session|sid|code|pass|user|mail|id|sig|hash)[\w.-]*)=|=[\w%.~-]{16,}|/(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}", re.IGNORECASE)
_DOT = r"\s?(?:\(dot\)|\[dot\]|\(punkt\)|\[punkt\]|\(point\)|\bdot\b|\bpunkt\b|\bpunto\b)\s?"
_TOP = r"(?:com|net|org|info|eu|io|co|uk|ie|de|at|ch|fr|be|nl|es|it|pt|pl|se|dk|us|example)\b"
_LOCAL = rf"(?<![\w.+-])(?:[\w+-]{{1,30}}{_DOT}){{0,2}}[\w.+-]{{1,64}}\s?"
_SPELT = re.compile(rf"{_LOCAL}[(\[{{<](?:at|ät|a|arobase|arroba)[)\]}}>]\s?[\w-]{{1,63}}(?:(?:{_DOT}|\s?\bpoint\b\s?|\.)[\w-]{{2,24}}){{1,4}}", re.IGNORECASE)
_SAID_MAIL = re.compile(rf"{_LOCAL}\b(?:at|ät|arobase|arroba)\b\s?[\w-]{{1,63}}(?:(?:{_DOT}|\s?\bpoint\b\s?)(?:[\w-]{{2,24}}(?={_DOT}))?)*?(?:{_DOT}|\s\bpoint\b\s){_TOP}", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d])")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\(\+?|00|0)?\d(?:[ ()/.-]{0,3}\d){5,19}(?!\w)")
_DATE = re.compile(r"^\d{1,4}([./-])\d{1,2}\1\d{1,4}$|^0\.\d+$")  # and a share
_GROUPED = re.compile(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}")
_CALL = re.compile(r"(?:phone|tel|mobile|mob|cell|call|ring|reach|text|whats ?app|my number|handy|nummer|anruf|ruf|erreich|mobil|téléphone|portable|appel|joindre|numéro|llám|móvil|teléfono|sms)\w*\W{0,4}(?:\w+\W{1,3}){0,4}$", re.IGNORECASE)
_NOCALL = re.compile(r"(?:order|ticket|ref\w*|case|invoice|bill|serial|bestell\w*|auftrag\w*|rechnung\w*|vorgang\w*|commande|dossier|facture|pedido|imei|for|cost|paid)\W*(?:number|no|nr|nummer|numéro|n[°º])?\W{0,3}(?:is|ist|:)?\W*$", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:\b(?:customer|client|account|contract|policy|member(?:ship)?|subscriber)[ -]?(?:number|no\b\.?|nr\b\.?|id\b|#)|\b(?:kunden|vertrags?|mitglieds?|policen|konto|versicherungs)-?(?:nummer|nr\b\.?|id\b)"
    r"|\b(?:num[ée]ro|n[°ºo]\.?|núm\.?)\s?(?:de\s|d'|du\s)?(?:client|contrat|compte|abonnée?|adhérent|cliente|contrato|cuenta|socio)\b)\s*(?:is|ist|lautet|est|es|:|=|#)?\s*"
    r"(?P<it>[A-Za-z]{0,3}-?\d[\dA-Za-z/.-]{2,20}[\dA-Za-z]|\d{2,4}(?: \d{2,4}){1,4})", re.IGNORECASE)
_MONTH = r"(?:jan|feb|fév|mar|mär|apr|avr|abr|may|mai|mayo|jun|juin|jul|juil|aug|août|ago|sep|oct|okt|nov|dec|dez|déc|dic|ene)[^\W\d_]*\.?"
_BIRTH = re.compile(
    rf"(?:\bborn(?: on)?|\bdate of birth|\bd\.?o\.?b\b\.?|\bbirthday|\bgeboren(?: am)?|\bgeburtsdatum|\bgeb\.|\bgeburtstag|\bné\(?e?\)?|\bdate de naissance|\bnacid[oa]|\bnací|\bfecha de nacimiento)\s*(?:is|ist|am|on|le|el|est|es|the|:|,)?\s*(?:le |el |the )?"
    rf"(?P<it>\d{{1,4}}\s?[./-]\s?\d{{1,2}}\s?[./-]\s?\d{{1,4}}|\d{{1,2}}(?:st|nd|rd|th|\.|er)?\s(?:de\s|of\s)?{_MONTH}\s(?:de\s)?\d{{2,4}}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{2,4}})", re.IGNORECASE)
_BORN = re.compile(rf"\b(?P<it>\d{{1,2}}\.\s?(?:\d{{1,2}}\.|{_MONTH})\s?\d{{4}})\s+geboren\b", re.IGNORECASE)
_CAP = r"[A-ZÀ-Þ][\w'.-]*"
_ADDRESSES = (
    re.compile(r"\b(?:[A-ZÄÖÜ][\w-]{2,}(?:str(?:aße|asse|\.)|weg|gasse|allee|platz|ring|ufer|damm|stieg|chaussee|markt)|[A-ZÄÖÜ][\w-]+[ -](?:Str(?:aße|asse|\.)|Weg|Gasse|Allee|Platz|Ring|Ufer|Damm))\s\d{1,4}(?:\s?[a-z])?\b(?![.,]?\d|\s?(?:€|%|Euro))(?:,?\s\d{4,5}\s[A-ZÄÖÜ]\w+)?"),
    re.compile(r"\b(?:Am|An der|An den|Im|Auf der|Auf dem|Zum|Zur|Unter den|In der)\s(?:[A-ZÄÖÜ]\w+\s){0,2}[A-ZÄÖÜ]\w*(?:[Mm]arkt|[Bb]erg|[Bb]ach|[Pp]ark|[Ww]ald|[Hh]of|[Hh]ang|[Ff]eld|[Gg]raben|[Tt]or|[Bb]runnen|[Gg]arten|[Aa]nger|[Kk]irche|[Ll]inden|[Ww]iesen?|[Mm]ühle)\s\d{1,3}\s?[a-z]?\b(?![.,:]?\d|\s?(?:€|%|Euro|Uhr|GB|MB))"),
    re.compile(rf"\b\d{{1,5}}[A-Za-z]?,?\s(?:{_CAP}\s){{1,3}}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Grove|Court|Crescent|Terrace|Gardens|Square|Boulevard|Blvd|Row|Mews|Hill|Way|Place)\b\.?"),
    re.compile(r"(?<![\w-])(?:[A-Z]{1,2}\d[A-Z\d]?) \d(?!GB|TB|MB|PM|AM|EU|HD|ND|RD|TH|ST)[ABD-HJLNP-UW-Z]{2}\b"),
    re.compile(rf"\b\d{{1,4}}(?:\s?(?:bis|ter|[a-d]))?,?\s(?:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|route|cours|square)\s(?:de la |de l'|des |du |de |d')?{_CAP}(?:\s(?:de la |de |du |des )?{_CAP}){{0,2}}|\b\d{{1,4}}(?:\s?(?:bis|ter))?,?\srue\s(?:de la |de l'|des |du |de |d')?\w+"),
    re.compile(rf"\b(?:[Cc]alle|[Aa]venida|[Pp]laza|[Pp]aseo|C/)\s(?:de |del |la |los |las )*{_CAP}(?:\s{_CAP}){{0,2}},?\s(?:n[º°]\s?)?\d{{1,4}}\b"),
)  # fmt: skip
# What patterns cannot do without, and what is found sooner: of an address or a number in words, of a date of birth, of a customer's number.
_POINT, _SAYS = re.compile(r" (?:dot|pun(?:kt|to)|point) |\(dot\)"), re.compile("zero|null|one|eins|two|zwei|d(?:eux|os)")
_BIRTHS = re.compile(r"b(?:orn|irth)|do\.?b|d\.o|geb|na(?:iss|c)|né")
_NUMBERS = re.compile("c(?:ustomer|lient|ontra|ompte|uenta)|a(?:ccount|bonn|dh)|polic|member|subscriber|k(?:unden|onto)|vertrag|mitglied|versicherung|socio")
RULES = {"birth": (_BIRTH, _BORN), "number": (_NUMBER,), "address": _ADDRESSES}
_DIGITS = "zero one two three four five six seven eight nine null eins zwei drei vier fünf sechs sieben acht neun zéro un deux trois quatre cinq six sept huit neuf oh double cero uno dos tres cuatro cinco seis siete ocho nueve zwo ein"
_SAID = re.compile(rf"\b(?:{'|'.join(sorted(set(_DIGITS.split()), key=len, reverse=True))})(?:[\s,-]+(?:{'|'.join(sorted(set(_DIGITS.split()), key=len, reverse=True))})){{6,}}\b", re.IGNORECASE)
_SPOKEN = frozenset(_DIGITS.split())
_ANY_DIGIT = re.compile(r"\d")


class Known(NamedTuple):
    """What a programme knows of its persons: names, their keys, and the patterns of its own numbers."""

    persons: names.Known = names.NOTHING
    numbers: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()


NOTHING = Known()
_KEY = re.compile(r"(?<![\w-])(?=[\w-]*\d)[\w-]{5,40}(?![\w-])")


@lru_cache(maxsize=4096)
def plain(sign: str) -> str:
    """One character as it is read: full-width and mathematical digits as digits, dashes as '-', nothing for what cannot be seen."""
    if unicodedata.category(sign) in ("Cf", "Cc") and sign not in "\n\t\r":
        return ""
    if sign in "‐‑‒–—−":
        return "-"
    if sign in "’‘´`ʼ":
        return "'"
    read = unicodedata.normalize("NFKC", sign)
    if read.isspace():
        return " "
    return str(unicodedata.digit(read)) if len(read) == 1 and read.isdigit() and not read.isascii() else read


def _view(text: str) -> tuple[str, list[int] | None]:
    """Return the text as it is read, and for each of its characters where it stands in the text; None where nothing differs."""
    if text.isascii():
        return text, None
    if unicodedata.is_normalized("NFC", text) and all(plain(sign) == sign for sign in set(text)):
        return text, None
    signs, places = [], []
    for place, sign in enumerate(text):
        if unicodedata.combining(sign) and signs:
            whole = unicodedata.normalize("NFC", signs[-1] + sign)
            if len(whole) == 1:
                signs[-1] = whole
                continue
        for one in plain(sign):
            signs.append(one)
            places.append(place)
    return "".join(signs), [*places, len(text)]


def spans(text: str, known: Known = NOTHING, *, asked: int = suspects.REACH | suspects.NAME) -> list[tuple[int, int, str]]:
    """Return what identifies somebody in a text: (start, end, kind), in order, without overlaps. The kinds are those of `MARKS`.

    `asked` is what the text may hold (`suspects.told`).
    """
    view, places = _view(text)
    found: list[tuple[int, int, str]] = []
    free = lambda start, end: all(end <= a or start >= b for a, b, _ in found)

    def take(kind, matches):
        found.extend((start, end, kind) for start, end in matches if end > start and free(start, end))

    if asked & suspects.REACH:
        _reached(view, known, take, odd=places is not None or not view.isascii())
    if asked & suspects.NAME:
        take("name", names.spans(view[:MOST], known.persons))
    if places is not None:
        found = [(places[start], places[end - 1] + 1, kind) for start, end, kind in found]
    return sorted(found)


def _reached(view: str, known: Known, take, *, odd: bool) -> None:
    """Take what somebody can be reached by or told apart: links, addresses, numbers, dates of birth; where one rule has taken something the next ones leave it."""
    lower = view.lower()
    if "://" in view or "www." in lower:
        take("link", [(m.start(), m.start() + len(m.group().rstrip(".,;:!?)"))) for m in _LINK.finditer(view) if _SECRET.search(m.group())])
    if "@" in view:
        take("email", [m.span() for m in MAIL.finditer(view)])
    if "(at" in lower or "[at" in lower or "{at" in lower or "<at" in lower or "ät)" in lower or "ät]" in lower or "(a)" in lower or "[a]" in lower or "arobas" in lower or "arroba" in lower:
        take("email", [m.span() for m in _SPELT.finditer(view)])
    if _POINT.search(lower):
        take("email", [m.span() for m in _SAID_MAIL.finditer(view)])
    if _ANY_DIGIT.search(view):
        take("iban", ibans(view))
        take("card", [m.span() for m in _CARD.finditer(view) if _luhn(re.sub(r"\D", "", m.group()))])
        if odd or _BIRTHS.search(lower):
            take("birth", [m.span("it") for pattern in RULES["birth"] for m in pattern.finditer(view)])
        if odd or _NUMBERS.search(lower):
            take("number", [m.span("it") for m in _NUMBER.finditer(view)])
        for pattern in known.patterns:
            take("number", [m.span() for m in re.finditer(pattern, view)])
        if known.numbers:
            take("number", [m.span() for m in _KEY.finditer(view) if m.group().casefold() in known.numbers])
        for pattern in _ADDRESSES:
            take("address", [m.span() for m in pattern.finditer(view)])
        take("phone", _phones(view))
    if _SAYS.search(lower) and sum(word.strip(",.-") in _SPOKEN for word in lower.split()) >= 7:
        take("phone", [m.span() for m in _SAID.finditer(view)])


def redact(text, *, known: Known = NOTHING) -> tuple[str, int]:
    """Return a text with what identifies a person replaced by [name], [e-mail] and so on, and how many; ("", 0) for what is no text.

    Found are e-mail addresses (also "a (at) b dot com"), IBANs (mod 97), card numbers (Luhn), phone numbers (7 to 15 digits that start
    with + or 0, are grouped as 555-123-4567, follow a word of calling, or are spelt in words), links that carry a token, numbers after
    "customer number" and the keys of the programme itself, dates of birth, street addresses, and names (`names`). Dates, amounts,
    orders and counts stay. Digits of any script and hidden characters are read as readers see them.
    """
    if not isinstance(text, str):
        return "", 0
    found = spans(text, known)
    for start, end, kind in reversed(found):
        text = text[:start] + MARKS[kind] + text[end:]
    return text, len(found)


def texts(values: pd.Series, *, known: Known = NOTHING) -> pd.DataFrame:
    """Return each text redacted and how many of each kind were taken out: text, then a column a kind of `MARKS` (whole numbers).

    Each distinct text is looked at once. Missing texts stay missing.
    """
    clean, places, taken = cleaned(values, known=known)
    counts = np.zeros((len(values), len(MARKS)), dtype="int64")
    counts[places] = taken
    frame = pd.DataFrame(counts, columns=list(MARKS), index=values.index)
    frame.insert(0, "text", clean)
    return frame


def cleaned(values: pd.Series, *, known: Known = NOTHING) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Return each text redacted, the places of those that were changed, and how many of each kind of `MARKS` were taken out of these: rows x kinds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = list(MARKS)
    cells = raw.arrow(values.where(values.map(lambda one: isinstance(one, str))) if values.dtype == object else values)
    coded = cells.dictionary_encode() if cells.null_count or distinct.repeated(cells) else None
    unique, codes = (coded.dictionary, coded.indices.fill_null(len(coded.dictionary)).to_numpy()) if coded else (cells, np.arange(len(cells)))
    asked = suspects.told(unique, known=known, most=MOST, read=plain, rules=RULES) if len(unique) >= suspects.MANY else np.full(len(unique), suspects.REACH | suspects.NAME)
    looked = np.flatnonzero(asked)
    changed, counts, clean = np.full(len(unique) + 1, -1), [], []
    for place, text, what in zip(looked.tolist(), unique.take(pa.array(looked)).to_pylist(), asked[looked].tolist(), strict=True):
        if found := spans(text, known, asked=what):
            own = [0] * len(kinds)
            for start, end, kind in reversed(found):
                text = text[:start] + MARKS[kind] + text[end:]
                own[kinds.index(kind)] += 1
            changed[place] = len(clean)
            clean.append(text)
            counts.append(own)
    if clean:
        unique = pc.replace_with_mask(unique, pa.array(changed[:-1] >= 0), pa.array(clean, pa.large_string()))
    places = np.flatnonzero(changed[codes] >= 0)
    taken = np.array(counts, dtype="int64").reshape(-1, len(kinds))[changed[codes[places]]]
    return pd.Series(pd.array(unique.take(coded.indices) if coded else unique, dtype="str"), index=values.index), places, taken


def recall() -> pd.DataFrame:
    """Return how much the rules find, as measured on labelled comments in English, German, French and Spanish: what the page shows.

    Columns: comments ("held out": written before the rules were tuned, "tuned on", "made": by a grammar), kind (all, or one of `MARKS`), labelled, found, estimate (recall, a
    proportion), conf_low, conf_high (Wilson), redacted, right, precision. tests/load/test_redaction.py measures it anew and compares.
    """
    return pd.read_csv(Path(__file__).parent / "redaction_recall.csv")


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _phones(view: str) -> list[tuple[int, int]]:
    found = []
    for match in _PHONE.finditer(view):
        written = match.group()
        digits = re.sub(r"\D", "", written)
        if not 7 <= len(digits) <= 15 or _DATE.match(written):
            continue
        before = view[max(0, match.start() - 45) : match.start()]
        called = not re.search(r"\d[.]\d", written) and _CALL.search(before) and not _NOCALL.search(before)
        if written.lstrip("(")[0] in "+0" or _GROUPED.fullmatch(written) or called:
            found.append(match.span())
    return found
