"""The codebook of a raw file: what each column is called, asks and holds, before anyone has said what it is for."""

import json
import re

import pandas as pd

from cxlib.load import amounts
from cxlib.load.readers import Raw

FEW = 30  # distinct cells that still look like codes; beyond, a column holds numbers, ids or text
EXAMPLES, LENGTH = 3, 80
LONG = 12  # words: a longer answer was written, not ticked

NONE = {"n/a", "na", "n.a.", "-", "--", "–", "?", "nan", "null", "none", "#n/a", "k.a.", "k. a.", "nd", "s/d"}  # what stands in a column of numbers where there is none
_PLAIN = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}([.,' ][0-9]{3})+)([.,][0-9]+)?([eE][+-]?[0-9]{1,3})?%?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{4}|[0-9]{2}))([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?([+-][0-9]{2}:?[0-9]{2}|Z)?)?")
_FRACTION = re.compile(r"[.,][0-9]{1,2}\Z")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # kana and Han
_FLAGS = {"0", "1", "true", "false", "yes", "no", "y", "n"}
_ID = re.compile(r"(^|[^a-z])(id|key|guid|uuid|respondentid|responseid|token)($|[^a-z])|(_|\b|[a-z])(id|Id|ID|nr|NUM)$")


def of(raw: Raw) -> pd.DataFrame:
    """Return the codebook of a file as read: a row a column, in the order of the file.

    Columns: column (its name), wording (the question as the file gives it, "" where it does not), kind (a guess: id, date, number,
    rating, nominal, flag, option (one of a multiple-response set), verbatim, constant, empty), n (filled cells), blank (empty cells), distinct (distinct filled cells),
    low and high (smallest and largest value where all cells that are no missing code are plain numbers), codes (distinct cells
    in order where there are at most 30), labels (code -> label), missing (user-missing code -> what it means), examples (the first
    distinct cells, cut to 80 characters), set (the multiple-response set it belongs to). The four lists are JSON text, so that the
    frame goes into a spreadsheet and back. The kind is a guess to start from: nothing is read by it until the programme says so.
    """
    member = {column: name for name, one in raw.sets.items() for column in one.columns}
    rows = [_row(raw, name, member.get(name, "")) for name in raw.frame.columns]
    return pd.DataFrame(rows, columns=["column", "wording", "kind", "n", "blank", "distinct", "low", "high", "codes", "labels", "missing", "examples", "set"])


def _row(raw: Raw, name: str, member: str) -> tuple:
    counts = raw.frame[name].value_counts(sort=False)
    if (bare := counts.index.str.strip()).nunique() < len(counts) or (bare != counts.index).any():
        counts = counts.groupby(bare, sort=False).sum()
    blank = int(counts.get("", 0))
    counts = counts.drop("", errors="ignore")
    words, n = counts.index.tolist(), int(counts.sum())
    labels, missing = raw.labels.get(name, {}), raw.missing.get(name, {})
    answers = [word for word in words if word not in missing]
    # Most columns of many distinct cells are ids or comments: their first cells say that they are no numbers.
    plain = bool(answers) and all(_number(word) is not None for word in answers[:100]) and all(_number(word) is not None for word in answers)
    numbers = [float(word) for word in answers] if plain else []
    kind = "option" if member and len(answers) <= 2 else _kind(name, answers, numbers if plain else None, n, {code: label for code, label in labels.items() if code not in missing})
    codes = sorted(words, key=lambda word: (_number(word) is None, _number(word) or 0.0, word)) if len(words) <= FEW else []
    low, high = (min(numbers), max(numbers)) if plain else (float("nan"), float("nan"))
    examples = [word[:LENGTH] for word in words[:EXAMPLES]]
    return (name, raw.wording.get(name, ""), kind, n, blank, len(words), low, high, _json(codes), _json(labels), _json(missing), _json(examples), member)


def _kind(name: str, words: list, numbers: list | None, n: int, labels: dict) -> str:
    if not words:
        return "empty"
    if len(words) > 1 and {word.lower() for word in words} <= _FLAGS and not labels:
        return "flag"
    if labels:
        return "rating" if _scale(numbers, labels) else "nominal"
    if len(words) == 1 and n > 1:
        return "constant"
    sample = words[:2_000]
    if all(_DATE.fullmatch(word) for word in sample):
        return "date"
    if _money(sample):
        return "number"
    if len(words) > FEW and all(map(str.isdecimal, sample)) and any(word[0] == "0" and len(word) > 1 for word in sample):
        return "id"  # nobody writes a quantity as 00417
    if len(words) > FEW and all(_NUMBER.fullmatch(word) for word in sample) and any(_FRACTION.search(word) for word in sample):
        return "number"
    if len(words) == n and n > 1 and (_ID.search(name) or all(map(_code, sample))) and not (numbers and any(value != int(value) for value in numbers)):
        return "id"
    if _ID.search(name) and len(words) > FEW and all(map(_code, sample)):
        return "id"
    if numbers:
        return "rating" if _scale(numbers, {}) else "number"
    told = [word for word in sample if word.lower() not in NONE]
    if told and sum(bool(_NUMBER.fullmatch(word)) for word in told) >= (0.99 if len(told) > 100 else 1) * len(told):
        return "number"
    length = sum(map(typed, sample)) / len(sample)
    return "nominal" if len(words) <= FEW and length <= LONG and (len(words) < n / 2 or (n < 2 * FEW and (length < 4 or len(words) < 5))) else "verbatim"


def _money(words: list) -> bool:
    """Whether nearly all cells are amounts and most of them name their money, beside those that say that there is none."""
    told = [word for word in words if word.lower() not in NONE]
    return bool(told) and sum(map(amounts.looks, told)) >= 0.5 * len(told) and sum(amounts.split(word) is not None for word in told) >= 0.95 * len(told)


def _code(cell: str) -> bool:
    """Whether a cell may be an id: without blanks, and no sentence of a script that writes none."""
    return " " not in cell and typed(cell) <= LONG // 3


def typed(cell: str) -> int:
    """Return about how many words an answer has; scripts without blanks between words are counted by two characters each."""
    return len(cell.split()) + len(_UNSPACED.findall(cell)) // 2


def _scale(numbers: list | None, labels: dict) -> bool:
    """Whether numbers look like a scale: whole, from 0 or 1 to at most 10, in no larger steps; labels at its two ends support it."""
    if not numbers or any(value != int(value) for value in numbers):
        return False
    low, high = min(numbers), max(numbers)
    ends = [value for word in labels if (value := _number(word)) is not None]
    low, high = min([low, *ends]), max([high, *ends])
    return low in (0, 1) and 3 <= high <= 11 and (not labels or len(labels) >= 2)


def _number(word: str) -> float | None:
    return float(word) if _PLAIN.fullmatch(word) else None


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False)
