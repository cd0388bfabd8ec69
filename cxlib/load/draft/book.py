"""The codebook of a draft: everything `programme.toml` is written from, as frames that go into a workbook and back."""

import datetime as dt
import json
import re
from typing import NamedTuple

import pandas as pd

from cxlib.errors import DataError, nearest

PROGRAMME = ("key", "value", "why")
SURVEYS = ("id", "label", "kind", "dated_by", "languages", "promise", "uses", "why")
FILES = ("file", "table", "survey", "wave", "quarter", "first", "last", "where", "joins", "fixed", "sheet", "header_row", "database_table", "delimiter", "encoding", "decimal", "thousands", "date_format", "rows", "sure", "why")
SCALES = ("id", "low", "high", "low_label", "high_label", "direction", "labels", "missing", "why")
COLUMNS = ("file", "column", "wording", "examples", "use", "role", "id", "label", "scale", "direction", "question", "missing", "labels", "kpi", "driver", "segment", "sure", "why")
SHEETS = {"columns": COLUMNS, "files": FILES, "surveys": SURVEYS, "scales": SCALES, "programme": PROGRAMME}
FACTS = ("label", "scale", "direction", "question", "missing", "labels", "kpi", "driver", "segment")  # of an item, whichever file it stands in


class Book(NamedTuple):
    """The sheets of a codebook, every cell text. `columns` has a row a column of every file; the others what they are read by."""

    columns: pd.DataFrame
    files: pd.DataFrame
    surveys: pd.DataFrame
    scales: pd.DataFrame
    programme: pd.DataFrame


def made(**sheets) -> Book:
    """Return rows (dictionaries) as a book; keys that are not given are empty cells."""
    return Book(**{name: pd.DataFrame([{key: str(row.get(key, "")) for key in keys} for row in sheets[name]], columns=list(keys), dtype="str") for name, keys in SHEETS.items()})


def pairs(entries: dict) -> str:
    """Return a table of text as a cell: a line an entry, 1 = yes; what would not come back as it is stands in double quotes."""
    return "\n".join(f"{_word(key)} = {_word(value)}" for key, value in entries.items())


def entries(cell: str, *, where: str) -> dict[str, str]:
    """Return a cell of `code = meaning` lines as a table. Raises DataError naming the place and the line that is none."""
    found = {}
    for line in cell.split("\n"):
        if not line.strip():
            continue
        match = re.fullmatch(r'\s*("(?:[^"\\]|\\.)*"|[^"=][^=]*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^"].*?|)\s*', line)
        if not match:
            raise DataError(f"{where}: '{line[:80]}' is no entry; write a line each like 1 = very satisfied.")
        key, value = (_unquoted(part, where) for part in match.groups())
        if key in found:
            raise DataError(f"{where}: '{key[:80]}' stands there twice; keep one of the lines.")
        found[key] = value
    return found


def listed(cell: str) -> list[str]:
    """Return a cell of words between commas as a list."""
    return [one.strip() for one in cell.split(",") if one.strip()]


def yes(cell: str, *, where: str) -> bool:
    """Return whether a cell says yes; raises DataError for what is neither yes nor no."""
    word = cell.strip().lower()
    if word in ("yes", "y", "x", "1", "true", "ja", "oui", "si", "sim"):
        return True
    if word in ("", "no", "n", "0", "false", "nein", "non", "nao"):
        return False
    raise DataError(f"{where}: '{cell[:80]}' is neither yes nor no; write yes, or leave the cell empty.")


def one_of(cell: str, known, *, where: str, empty: bool = True) -> str:
    """Return a cell that must be one of the known words; raises DataError naming the nearest."""
    if cell in known or (empty and not cell):
        return cell
    raise DataError(f"{where}: '{cell[:80]}' is not known{nearest(cell, known)}; write one of {', '.join(known)}.")


def day(cell: str, *, where: str) -> dt.date:
    """Return a cell as a day; raises DataError for what is none."""
    try:
        return dt.date.fromisoformat(cell.strip()[:10])
    except ValueError:
        raise DataError(f"{where}: '{cell[:80]}' is no day; write it like 2026-09-30.") from None


def quoted(text: str) -> str:
    """Return text in double quotes with everything that does not print written as a code, on one line."""
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    return '"' + "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in body) + '"'


def safe(text: str) -> str:
    """Return a cell as a workbook can hold it and give it back: as it is, or quoted where it has marks that do not print."""
    plain = all(one.isprintable() or one == "\n" for one in text) and not text.startswith('"') and "_x" not in text and text == text.strip()
    return text if plain else quoted(text).replace("_x", "\\u005fx")


def unsafe(cell: str, *, where: str) -> str:
    """Return a cell of a workbook as the text it stands for."""
    return _unquoted(cell, where) if len(cell) > 1 and cell.startswith('"') and cell.endswith('"') else cell


def _word(text: str) -> str:
    plain = text.isprintable() and text == text.strip() and "=" not in text and not text.startswith('"')
    return text if plain and text else quoted(text) if text else ""


def _unquoted(part: str, where: str) -> str:
    if not part.startswith('"'):
        return part
    try:
        found = json.loads(part)
        found.encode("utf-8")
        return found
    except (ValueError, UnicodeEncodeError):
        raise DataError(f"{where}: {part[:80]} is not closed as it was opened; write it without the double quotes.") from None
