"""What things are called: ids from columns and questions, labels for charts, and which names mean the same."""

import difflib
import re
import unicodedata

from cxlib.load.draft import roles, words
from cxlib.programme import RESERVED

CODE = re.compile(r"[a-z]{0,3}[0-9]+[a-z]?([_. ][0-9]*[a-z]?)*", re.IGNORECASE)  # a column called q3_1 says nothing


def plain(name: str) -> str:
    """Return a column's name without what changes from export to export: case, marks and the number of its question."""
    folded = re.sub(r"[^\w ]+", " ", words.folded(name)).strip()
    bare = re.sub(r"^(q|f|v|frage|question|pregunta|item)? ?[0-9]+[a-z]?\b[ .:)]*", "", folded).strip()
    return bare if len(bare) > 3 else folded


def bare(name: str) -> str:
    """Return a file's name without the endings that say how it is written; other points stay."""
    name = re.sub(r"(?i) ?\((responses|antworten|réponses|respuestas|respostas|risposte)\)( - [^.]{0,40}[0-9]{1,2})?(?=\.|$)", "", name)  # what Google Forms puts behind the form's name
    stem = re.sub(r"(\.(gz|csv|tsv|txt|tab|jsonl|ndjson|json|xlsx|xlsm|xlsb|xls|ods|z?sav|por|dta|parquet|duckdb|sqlite3?|db))+$", "", name, flags=re.IGNORECASE)
    return stem or name


def undated(name: str) -> str:
    """Return a file's name without what tells its wave: years, quarters, months, running numbers."""
    return re.sub(r"[^a-z]+", " ", re.sub(r"(wave|welle|vague|ola|w|q)[-_ ]?[0-9]+", " ", name.lower())).strip().removesuffix("gz").strip()


def close(left: list[str], right: list[str]) -> dict[str, str]:
    """Match names that differ in little: speed of data, data speed; each once, the closest first. Codes are never matched so."""
    left, right = ([one for one in names if len(one) >= 5 and not CODE.fullmatch(one)] for names in (left, right))
    if len(left) * len(right) > 20_000:
        return {}
    close = []
    for a in left:
        for b in right:
            mine, theirs = set(a.split()), set(b.split())
            ratio = max(difflib.SequenceMatcher(None, a, b).ratio(), len(mine & theirs) / max(len(mine | theirs), 1))
            if ratio >= 0.75:
                close.append((-ratio, a, b))
    found: dict = {}
    for _, a, b in sorted(close):
        if a not in found and b not in found.values():
            found[a] = b
    return found


def slug(text: str) -> str:
    """Return text as an id: lower-case ASCII letters, digits and underscores, a letter first; "" where nothing is left."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text[:400])
    folded = "".join(one for one in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(one))
    found = re.sub(r"[^a-z0-9]+", "_", folded.lower()).strip("_")
    found = re.sub(r"^[^a-z]+", "", found)
    return (found if len(found) <= 40 else found[:41].rpartition("_")[0][:40] or found[:40]).strip("_")


def unique(name: str, taken, most: int) -> str:
    """Return a name that is not taken yet: itself, or with the next number behind."""
    return name if name not in taken else next(one for n in range(2, 100_000) if (one := f"{name[: most - len(str(n)) - 1]}_{n}") not in taken)


def label(column: str, wording: str) -> str:
    """Return a short name for charts: the end of the wording (an option, an attribute) where it is short, else the column's name in words."""
    text = " ".join(re.sub(r"<[^>]*>", " ", wording).split())
    tail = re.split(r" [-–] |: ", text)[-1].strip()
    if 2 < len(tail) <= 60:
        return tail[:1].upper() + tail[1:]
    if not CODE.fullmatch(column) and len(column) <= 60:
        bare = " ".join(column.replace("_", " ").split())
        return bare[:1].upper() + bare[1:]
    return (tail or column)[:57] + ("..." if len(tail or column) > 57 else "")


def item(column: str, wording: str, one: roles.Role, kpis: dict, ids: dict, survey: str) -> str:
    wish = kpis[column][0] if column in kpis else slug(column) if not CODE.fullmatch(column) and len(column) <= 40 else slug(re.split(r" [-–] |: ", wording)[-1])[:30] or slug(column)
    wish = wish or "question"  # a script of which no letter is left
    if wish in RESERVED:
        wish = f"{wish}_item"
    return unique(wish, ids, 40)


def common(names: list[str]) -> str:
    """Return what the names of a survey's files have in common, without years and quarters."""
    bare = [re.sub(r"(19|20)[0-9]{2}([-_ ]?[qQ][1-4])?|[qQ][1-4]", "", name).strip("_- ") for name in names]
    start = bare[0]
    for other in bare[1:]:
        while start and not other.startswith(start):
            start = start[:-1]
    return start.strip("_- ") or bare[0]
