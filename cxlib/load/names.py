"""Names of persons in what people write: by title, by how somebody is introduced, by given names, and by the names the company's own files hold.

Patterns find names that something beside them gives away; lists find the usual ones. What neither finds stays: the share is measured
on labelled comments (tests/load/test_redaction.py) and told on the page.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_CAP = r"[A-ZÀ-ÞĀ-Ž][^\W\d_]*(?:['-][^\W\d_]+)*"
_PARTICLE = r"(?:(?:von|van|de|der|den|del|della|di|da|dos|du|la|le|zu|zum|zur|bin|al|el|ter|ten|und zu)\s+){0,2}"
_FULL = rf"{_PARTICLE}{_CAP}(?:\s{_PARTICLE}{_CAP}){{0,2}}"
_TITLES = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Herrn?|Frau|Fräulein|Frl|Hr|Mme|Mlle|Madame|Mademoiselle|Monsieur|Sr|Sra|Srta|Señora?|Señorita|Doña|Signora?|Mevrouw|Meneer|Doktor|med|Ing|Dipl)"
_TITLED = re.compile(rf"(?<![\w]){_TITLES}\b\.?(?:\s{_TITLES}\b\.?)*\s+(?P<name>{_FULL})|(?<!\w)M\.\s(?P<french>{_FULL})|\b(?:mr|mrs|ms)\.?\s(?P<low>[a-z]{{3,}})\b")
_STRONG = r"my name is|my name's|i am called|name is|mein name ist|mein name lautet|ich heiße|ich heisse|je m'appelle|mon nom est|je me nomme|me llamo|mi nombre es|mi chiamo|il mio nome è|mijn naam is"
_NAMED = r"called|named|by the name of|namens|nommée?|appelée?|llamad[oa]"
_SELF = r"this is|i'm|i am|it's|bin|ich bin|ich bin die|ich bin der|hier ist|hier spricht|c'est|je suis|soy|habla"
_MET = (
    r"(?:spoke|speak|speaking|talked|talk|talking|chatted|dealt)\s(?:to|with)|(?:thanks|thank you|kudos|shout ?out|well done)\s(?:to|so much)?|(?:served|helped|assisted|advised|told|called)\sby|\bask for"
    r"|merci à|grâce à|parlé (?:à|avec)|gracias a|hablé con|atendió"
)
_ROLE = (
    r"agent|advis[eo]r|engineer|colleague|representative|operator|rep|salesman|saleswoman|kolleg(?:e|in|en)|mitarbeiter(?:in|s)?|berater(?:in)?|techniker(?:in)?|verkäufer(?:in)?|sachbearbeiter(?:in)?|filialleiter(?:in)?"
    r"|conseill(?:er|ère)|technicien(?:ne)?|vendeu(?:r|se)|employée?|técnico|my (?:wife|husband|son|daughter|mother|father|brother|sister|boss|neighbou?r)|mein(?:e[rm]?)? (?:frau|mann|sohn|tochter|mutter|vater|bruder|schwester|chef(?:in)?)"
    r"|m(?:a|on) (?:femme|mari|fils|fille|mère|père|frère|sœur)"
)
_HELLO = r"dear|hi|hello|hey|liebe[rs]?|hallo|bonjour|cher|chère|hola|querid[oa]"
_BYE = (
    r"(?:kind |best |warm )?regards|(?:yours )?sincerely|yours|cheers|mfg|lg|vg|(?:viele|liebe|beste|freundliche|herzliche) grü(?:ß|ss)e|mit freundlichen grü(?:ß|ss)en|mit freundlichem gru(?:ß|ss)|gru(?:ß|ss)"
    r"|cordialement|bien à vous|salutations|atentamente|saludos|un saludo"
)
_CUES = {
    "strong": re.compile(rf"(?i:\b(?:{_STRONG})[:,]?\s+)(?P<name>{_FULL}|[^\W\d_]{{3,}}(?:\s[^\W\d_]{{3,}})?)"),
    "named": re.compile(rf"(?i:\b(?:{_NAMED})\s+)(?P<name>{_FULL})"),
    "self": re.compile(rf"(?:^|(?<=[\s(,;:]))(?i:(?:{_SELF})\s+)(?P<name>{_FULL}|[^\W\d_]{{3,}})"),
    "met": re.compile(rf"(?i:\b(?:{_MET})\s+)(?P<name>{_FULL}|[^\W\d_]{{3,}})"),
    "role": re.compile(rf"(?i:\b(?:{_ROLE}),?\s+)(?P<name>{_FULL})"),
    "hello": re.compile(rf"(?i:\b(?:{_HELLO})\s+)(?P<name>{_FULL})(?=\s*[,!])"),
    "bye": re.compile(rf"(?i:\b(?:{_BYE})[\s,.!]+)(?P<name>{_FULL})[\s.!]*$"),
    "german": re.compile(rf"\b(?:[Mm]it|[Vv]on|[Bb]ei|[Aa]n)\s(?P<name>{_FULL})\s(?:gesprochen|telefoniert|gechattet|beraten|bedient|betreut|gewandt)\b"),
    "here": re.compile(rf"^(?P<name>{_CAP}(?:\s{_CAP})?) here\b"),
}
# A cue is looked for only where one of its words stands, or one of each of two groups: most comments hold none.
_WORDS = {
    "title": ("mr mrs ms miss mx dr prof professor sir herr herrn frau fräulein frl hr mme mlle madame mademoiselle monsieur sr sra srta señor señora señorita doña signor signora mevrouw meneer doktor m",),
    "strong": ("name name's called heiße heisse m'appelle appelle nom nomme llamo nombre chiamo nome naam",),
    "named": ("called named name namens nommé nommée appelé appelée llamado llamada",),
    "self": ("i'm it's bin hier c'est soy habla", ("this", "is"), ("i", "am"), ("je", "suis")),
    "met": (
        "thanks kudos shout shoutout done atendió", ("spoke speak speaking talked talk talking chatted dealt", "to with"), ("thank", "you"), ("served helped assisted advised told called", "by"), ("ask", "for"),
        ("merci grâce parlé", "à avec"), ("gracias", "a"), ("hablé", "con"),
    ),
    "role": (
        "agent advisor adviser engineer colleague representative operator rep salesman saleswoman kollege kollegin kollegen mitarbeiter mitarbeiterin mitarbeiters berater beraterin techniker technikerin verkäufer verkäuferin "
        "sachbearbeiter sachbearbeiterin filialleiter filialleiterin conseiller conseillère technicien technicienne vendeur vendeuse employé employée técnico",
        ("my mein meine meiner meinem ma mon", "wife husband son daughter mother father brother sister boss neighbor neighbour frau mann sohn tochter mutter vater bruder schwester chef chefin femme mari fils fille mère père frère sœur"),
    ),
    "hello": ("dear hi hello hey liebe lieber liebes hallo bonjour cher chère hola querido querida",),
    "bye": ("regards sincerely yours cheers mfg lg vg grüße grüsse grüßen grüssen gruß gruss cordialement vous salutations atentamente saludos saludo",),
    "german": ("gesprochen telefoniert gechattet beraten bedient betreut gewandt",),
    "here": ("here",),
}  # fmt: skip
_BITS: dict[str, int] = {}  # a word -> the groups it is in
_GROUPS: dict[str, list[tuple[int, int]]] = {}  # a cue -> two groups of which a word each must stand there
for _cue, _groups in _WORDS.items():
    for _group in _groups:
        _both = []
        for _words in (_group,) if isinstance(_group, str) else _group:
            _both.append(1 << sum(len(pairs) * 2 for pairs in _GROUPS.values()) + len(_both))
            for _word in _words.split():
                _BITS[_word] = _BITS.get(_word, 0) | _both[-1]
        _GROUPS.setdefault(_cue, []).append((_both[0], _both[-1]))
_NOUN = re.compile(r"(?:ung|heit|keit|schaft|tion|dienst|service|team|vertrag|rechnung|nummer|tarif|center|hotline|abteilung|zentrale|tarifs|probleme?|bereich|markt|laden|shop|filiale|leitung)(?:en|s|er)?$")
# Capitalised and no name: words that never are one, places behind one, words in front of the name of a street.
_NOT, _PLACE, _STREET = (frozenset(group.split()) for group in (Path(__file__).parent / "no_names.txt").read_text(encoding="utf-8").split("\n---\n")[1:])
_CAPITALS, _SMALL = bytes(range(65, 91)), bytes(range(97, 123))
_CANDIDATE = re.compile(_CAP)
_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_NEXT = re.compile(rf"\s(?:{_PARTICLE}){_CAP}(?!\w)")
_BEFORE = re.compile(r"([^\W\d_]+)\.?\s$")


class Known(NamedTuple):
    """What the company's own files say of names: words folded by `fold`."""

    persons: frozenset[str] = frozenset()  # a word that is a name wherever it is capitalised: staff
    pairs: frozenset[tuple[str, str]] = frozenset()  # first and last names, which count together
    kept: frozenset[str] = frozenset()  # words of the programme that are no names: brands, products, places


NOTHING = Known()


def fold(word: str) -> str:
    """Return a word in small letters without accents."""
    word = word.casefold()
    return word if word.isascii() else "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign))


@lru_cache(maxsize=1)
def given() -> tuple[frozenset[str], frozenset[str]]:
    """Return the given names that hardly mean anything else, and those that do: both as written, in capitals and without accents."""
    text = (Path(__file__).parent / "given_names.txt").read_text(encoding="utf-8")
    sure, doubtful = "\n".join(line for line in text.splitlines() if not line.startswith("#")).split("\n---\n")

    taken = {fold(word) for word in doubtful.split() if word.isascii()} | _NOT

    def forms(words):
        bare = [fold(word).title() for word in words if fold(word) not in taken]
        return frozenset(form for word in (*words, *bare) for form in (word, *([word.upper()] if len(word) > 3 else [])))

    return forms(sure.split()), forms(doubtful.split())


@lru_cache(maxsize=1)
def folded() -> tuple[frozenset[str], frozenset[str]]:
    """Return the same names in small letters without accents."""
    sure, doubtful = given()
    return frozenset(map(fold, sure)), frozenset(map(fold, doubtful))


def spans(text: str, known: Known = NOTHING) -> list[tuple[int, int]]:
    """Return where names of persons stand in a text: (start, end), title included, in order, without overlaps."""
    sure, _ = given()
    words = _TOKEN.findall(text)
    if len(text) > 12 and _loud(text):
        return _shouted(text, known)
    lower = {word.lower() for word in words}
    capital = [word for word in words if word[0].isupper()]
    said = 0
    for word in lower:
        said |= _BITS.get(word, 0)
    cued = [cue for cue, groups in _GROUPS.items() for one, other in groups if said & one and said & other] if said else []
    listed = [word for word in capital if word in sure or "-" in word or "'" in word or _possessive(word) in sure]
    persons = bool(known.persons or known.pairs) and bool(capital)
    if not (cued or listed or persons):
        return []
    found = []
    if cued:
        found += _cued(text, cued, known)
    if listed or persons:
        found += _listed(text, known)
    return _joined(found)


def _loud(text: str) -> bool:
    """Whether a text has more capitals than small letters."""
    if not text.isascii():
        return sum(map(str.isupper, text)) > sum(map(str.islower, text))
    letters = text.encode()
    return len(letters) - len(letters.translate(None, _CAPITALS)) > len(letters) - len(letters.translate(None, _SMALL))


def parts(word: str) -> tuple[list[str], list[str]]:
    """Return what stands in a word of a text as names are looked for: every part that may be one, and those a name may begin with."""
    own = _TOKEN.findall(word)
    if own == [word] and word.isascii() and word.islower():
        return own, []
    capital = _CANDIDATE.findall(word)
    return [*own, *capital], [*own, *capital]


def listed(word: str, known: Known = NOTHING) -> bool:
    """Return whether a part of a word is a given name, consists of some, or stands in the company's own files."""
    sure, doubtful = given()
    pieces = word.split("-")
    return word in sure or _possessive(word) in sure or (len(pieces) > 1 and all(piece in sure or piece in doubtful for piece in pieces)) or (not (word[0].islower() and word[0].isascii()) and fold(word) in _company(known))


def begins(word: str) -> bool:
    """Return whether a name may begin with a part of a word: it has a capital, is more than one letter, and no word that never is a name."""
    if word[0].islower() and word[0].isascii():
        return False
    folded = fold(word)
    return folded not in _NOT and folded not in _PLACE and not (len(word) == 1 or (word.isupper() and len(word) < 5 and word not in given()[0]))


@lru_cache(maxsize=4)
def _company(known: Known) -> frozenset[str]:
    return known.persons | {name for pair in known.pairs for name in pair}


def _shouted(text: str, known: Known) -> list[tuple[int, int]]:
    """Names in a text of capitals, where a capital says nothing: given names of four letters and more, titles, 'my name is'."""
    sure, found = folded()[0], []
    for match in _TOKEN.finditer(text):
        word = fold(match.group())
        if ((len(word) > 3 and word in sure and word not in _NOT) or word in known.persons) and word not in known.kept:
            found.append(match.span())
    spelt = text.title().replace("'S ", "'s ")
    if len(spelt) == len(text):
        cues = [match for pattern in (_TITLED, _CUES["strong"]) for match in pattern.finditer(spelt)]
        first = [_TOKEN.match(spelt, match.start(match.lastgroup)) for match in cues]  # none where a sign such as × stands there
        found += [token.span() for token in first if token and fold(token.group()) not in _NOT | known.kept]
    return _joined(found)


def _cued(text: str, cued: list[str], known: Known) -> list[tuple[int, int]]:
    found = []
    for match in _TITLED.finditer(text) if "title" in cued else ():
        which = match.lastgroup
        if which == "low":
            if match.group(which) not in _NOT:
                found.append(match.span())
        elif end := _end(text, *match.span(which), known):
            found.append((match.start(), end))
    for cue, pattern in _CUES.items():
        if cue not in cued:
            continue
        for match in pattern.finditer(text):
            start, end = match.span("name")
            first = _TOKEN.match(text, start)
            word = first.group() if first else ""
            if word.islower() and not re.match(rf"{_PARTICLE}{_CAP}", text[start:]):
                end = _low(text, cue, start, end, known)
            else:
                end = _end(text, start, end, known)
                if end and cue in ("self", "here", "german") and not _person(text[start:end]):
                    end = 0
                if end and cue == "met" and match.group().lower().startswith(("thanks ", "thank you ")) and " to " not in match.group().lower() and not _person(text[start:end]):
                    end = 0  # thank you, Company
                if end and cue == "role" and _NOUN.search(text[start:end].lower()):
                    end = 0
                if end and cue == "hello" and not (_person(text[start:end]) or len(text[start:end].split()) == 1):
                    end = 0
            if end:
                found.append((start, end))
    return found


def _low(text: str, cue: str, start: int, end: int, known: Known) -> int:
    """The end of a name in small letters: every word after 'my name is', and elsewhere a given name only."""
    sure, doubtful = folded()
    last = 0
    for match in _TOKEN.finditer(text, start, end):
        word = fold(match.group())
        if word in _NOT or word in known.kept or (cue != "strong" and word not in sure) or (cue == "strong" and last and word not in sure | doubtful and not re.match(r"\s*(?:$|[.,;!]|(?:and|und|et|y|i|ich|je|from|aus)\b)", text[end:])):
            break
        last = match.end()
        if cue not in ("strong",):
            break
    return last


def _end(text: str, start: int, end: int, known: Known) -> int:
    """The end of a capitalised name: up to the first word that is none; 0 where the first is none."""
    last = 0
    for match in _TOKEN.finditer(text, start, end):
        word = match.group()
        folded = fold(word)
        if not word[0].isupper():
            continue
        if folded in _NOT or folded in known.kept or folded in _PLACE or (last and _NOUN.search(folded)) or ((len(word) == 1 or (word.isupper() and len(word) < 5)) and word not in given()[0]):
            break
        last = match.end()
    return last


def _person(name: str) -> bool:
    sure, doubtful = given()
    return any(word in sure or word in doubtful for word in _TOKEN.findall(name))


def _possessive(word: str) -> str:
    return word[:-2] if word.endswith("'s") else word[:-1] if len(word) > 7 and word.endswith("s") else ""


def _listed(text: str, known: Known) -> list[tuple[int, int]]:
    """Given names that need no cue, with the surname that follows, and names of the company's own files."""
    sure, doubtful = given()
    found, matches = [], list(_CANDIDATE.finditer(text))
    for place, match in enumerate(matches):
        word = match.group()
        folded = fold(word)
        if folded in known.kept:
            continue
        parts = word.split("-")
        listed = word in sure or _possessive(word) in sure or (len(parts) > 1 and all(part in sure or part in doubtful for part in parts))
        after = matches[place + 1] if place + 1 < len(matches) and text[match.end() : matches[place + 1].start()] == " " else None
        pair = after is not None and ((folded, fold(after.group())) in known.pairs or (fold(after.group()), folded) in known.pairs)
        if not (listed or pair or folded in known.persons):
            continue
        before = _BEFORE.search(text, max(0, match.start() - 20), match.start())
        if (before and before.group(1).lower() in _STREET) or re.match(r"\s?&\s", text[match.end() :]) or re.search(r"&\s?$", text[: match.start()]):
            continue  # a street, a firm
        end = match.end()
        if pair:
            end = after.end()
        elif listed:
            following = _NEXT.match(text, end)
            if following:
                word_after = fold(following.group().split()[-1])
                if word_after in _PLACE or word_after.endswith(("straße", "strasse", "platz", "allee")):
                    continue
                if word_after not in _NOT and word_after not in known.kept and not _NOUN.search(word_after) and not following.group().strip().isupper():
                    end = following.end()
        found.append((match.start(), end))
    return found


def _joined(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    whole: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole
