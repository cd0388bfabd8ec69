"""Cells into values: every cell becomes a value or a reason why it is none, by the distinct values of its column."""

import datetime as dt
import math
import re
import zoneinfo
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.load.readers import codes as distinct
from cxlib.load.readers import raw
from cxlib.programme import Item, Programme, Reading

# ASCII only: full-width and Arabic digits are not what the form offered, and float() would take them.
_PLAIN = re.compile(r"\A[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?\Z")
_COMMA = re.compile(r"\A[+-]?[0-9][0-9.,' ]*,[0-9.,' ]*\Z")
BLANK = "blank"
# What spreadsheet programs write where a formula has failed; the last one is ours, for a formula whose result was not saved.
ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#FORMULA!")
FAILED = "an error of the spreadsheet"
ORDINAL = re.compile(r"(?<=[0-9])(?:st|nd|rd|th)\b")  # 3rd March 2026
TOTALS = "total|totals|grand total|sub total|subtotal|sum|summe|gesamt|gesamtsumme|gesamtergebnis|ergebnis|total general|totale|totaal|somme|suma|soma|合計|总计|average|mean|mittelwert|durchschnitt|moyenne|promedio|media|gemiddelde".split("|")
TOTALS += [made for word in TOTALS for made in (word.capitalize(), word.title(), word.upper())]
ROUNDED = r"^\s*[0-9][.,][0-9]+E\+[0-9]{2,3}\s*$"
YES = {"1", "true", "yes", "y", "ja", "wahr", "oui", "vrai", "si", "sí", "verdadero", "sim", "verdadeiro", "sì", "vero", "tak", "prawda", "evet", "doğru", "ano", "igen", "да", "はい", "是"}
NO = {"0", "false", "no", "n", "nein", "falsch", "non", "faux", "falso", "não", "nao", "nee", "onwaar", "nie", "fałsz", "hayır", "yanlış", "ne", "nem", "нет", "いいえ", "否"}
_EDGE = np.zeros(256, bool)  # the first and last bytes of cells that need a look: blanks of any script, and the sign of a spreadsheet's errors
_EDGE[[*range(33), ord("#"), 127, *range(0x80, 0xC0), 0xC2, *range(0xE1, 0xE4)]] = True


class Parsed(NamedTuple):
    """A column read: values (NaN or None where there is none), why a cell is missing, what rule it breaks, and how many were trimmed."""

    values: np.ndarray  # for words a pandas array of text, or of categories of text
    missing: pd.Categorical  # "" where there is a value; else blank or what a missing code means
    rule: np.ndarray | None  # "" where the cell fits, else the rule it breaks; None where every cell fits
    trimmed: int


def by_value(cells: pd.Series, one, dtype) -> Parsed:
    """Apply `one(text) -> (value, missing, rule)` to each distinct cell and map the answers back."""
    codes, words = distinct.of(cells)
    stripped = [word.strip() for word in words]
    trials = [_failed(trial) if bare in ERRORS and not trial[1] else trial for bare, trial in zip(stripped, map(one, stripped), strict=True)]
    places, reasons = pd.factorize(np.array([trial[1] for trial in trials], dtype=object))
    rule = np.array([trial[2] for trial in trials], dtype=object).take(codes) if any(trial[2] for trial in trials) else None
    loose = np.array([word != bare and bare != "" and not trial[2] for word, bare, trial in zip(words, stripped, trials, strict=True)], dtype=bool)
    if dtype is str:
        values = pd.array([trial[0] for trial in trials], dtype="str").take(codes)
    elif dtype == "category":
        own, told = pd.factorize(np.array([trial[0] for trial in trials], dtype=object))
        values = pd.Categorical.from_codes(own.astype("int32").take(codes), dtype=raw.kind(tuple(told)), validate=False)
    else:
        values = np.empty(len(words), dtype=dtype)
        for place, trial in enumerate(trials):
            values[place] = trial[0]
        values = values.take(codes)
    places = places.astype("int8" if len(reasons) < 100 else "int32")
    missing = pd.Categorical.from_codes(places.take(codes), dtype=raw.kind(tuple(reasons)), validate=False)
    return Parsed(values, missing, rule, int(loose.take(codes).sum()) if loose.any() else 0)


def _failed(trial: tuple) -> tuple:
    """Return that a cell holds an error of the spreadsheet; one that is declared missing has a meaning, and keeps it."""
    return None if trial[0] is None or isinstance(trial[0], str) else math.nan, "", FAILED


def _free(cells: pd.Series) -> Parsed:
    """Return free text and ids as they stand but for outer blanks, without a look at each cell: most are distinct."""
    if (sizes := _tidy(cells)) is not None:
        blank = sizes == 0
        missing = pd.Categorical.from_codes(blank.astype("int8"), dtype=raw.kind(("", BLANK)), validate=False)
        values = cells.astype("str")
        return Parsed((values.mask(blank) if blank.any() else values).array, missing, None, 0)
    bare = cells.astype("str").str.strip()
    blank = (bare == "").to_numpy(dtype=bool)
    missing = pd.Categorical.from_codes(blank.astype("int8"), dtype=raw.kind(("", BLANK)), validate=False)
    failed = bare.isin(ERRORS).to_numpy(dtype=bool)
    loose = int(((bare != cells).to_numpy(dtype=bool) & ~blank & ~failed).sum())
    rule = np.where(failed, FAILED, "").astype(object) if failed.any() else None
    return Parsed(bare.mask(blank | failed).array, missing, rule, loose)


def _tidy(cells: pd.Series) -> np.ndarray | None:
    """Return the sizes of cells, none of which begins or ends with what may be a blank, or begins as an error of the spreadsheet; None where one does."""
    ends, signs = raw.signs(cells)
    sizes = np.diff(ends)
    first, last = ends[:-1], ends[1:]
    if not sizes.all():
        first, last = first[sizes > 0], last[sizes > 0]
    return None if _EDGE.take(signs.take(first)).any() or _EDGE.take(signs.take(last - 1)).any() else sizes


def number_of(text: str, reading: Reading) -> float | None:
    """Return a cell as a number under the declared locale; None where it is none. Raises ValueError where it is ambiguous."""
    if reading.thousands and reading.thousands in text:
        if not re.match(rf"[+-]?[1-9][0-9]{{0,2}}(?:{re.escape(reading.thousands)}[0-9]{{3}})+(?![0-9{re.escape(reading.thousands)}])", text):
            return None  # 0,003 and 1,00 are no numbers with thousands
        text = text.replace(reading.thousands, "")
    if reading.decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    elif not reading.decimal and _COMMA.match(text):
        raise ValueError(text)
    return plain(text)


def plain(text: str) -> float | None:
    """Return a cell in plain digits, with a point at most, as a number; None for every other."""
    return float(text) if _PLAIN.match(text) else None


def ratings(cells: pd.Series, *, item: Item, programme: Programme, reading: Reading) -> Parsed:
    """Return a rating column as scores on its scale; half scores, other codes, words and look-alike digits break the contract."""
    scale, missing = programme.scales[item.scale], programme.missing(item)
    span = f"{scale.low:g} to {scale.high:g}"

    def one(text: str):
        if text == "" or text in missing:
            return math.nan, missing.get(text, BLANK), ""
        value = number_of(scale.labels.get(text, text), reading)
        if value is None:
            return math.nan, "", f"not a number on the scale {span}"
        if f"{value:g}" in missing:
            return math.nan, missing[f"{value:g}"], ""
        if not math.isfinite(value):  # four hundred digits are more than a number holds
            return math.nan, "", f"not on the scale {span}"
        if value != round(value):
            return math.nan, "", f"not a whole number on the scale {span}"
        return (value, "", "") if scale.low <= value <= scale.high else (math.nan, "", f"not on the scale {span}")

    return by_value(cells, one, float)


def numbers(cells: pd.Series, *, reading: Reading, missing: dict | None = None, above: float = -math.inf) -> Parsed:
    """Return a column of plain numbers; those not above the bound break the contract."""
    missing = missing or {}

    def one(text: str):
        if text == "" or text in missing:
            return math.nan, missing.get(text, BLANK), ""
        value = number_of(text, reading)
        if value is None or not math.isfinite(value):
            return math.nan, "", "not a number"
        return (value, "", "") if value > above else (math.nan, "", f"not above {above:g}")

    return by_value(cells, one, float)


def flags(cells: pd.Series, *, reading: Reading) -> Parsed:
    """Return a column of yes and no, in whatever language a spreadsheet or a form writes them, as 1 and 0."""

    def one(text: str):
        if text == "":
            return math.nan, BLANK, ""
        word = text.casefold()
        if word in YES or word in NO:
            return float(word in YES), "", ""
        value = number_of(text, reading)
        return (value, "", "") if value is not None and math.isfinite(value) else (math.nan, "", "not a number, nor yes or no")

    return by_value(cells, one, float)


def no_keys(cells: pd.Series, *, own: bool = False) -> np.ndarray:
    """Return the rule that ids break: of some a spreadsheet has left the first digits only (1.23457E+11), so that several people's become one; the `own` id of a row may be the word that stands before totals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = raw.arrow(cells)
    rule = np.full(len(cells), "", dtype=object)
    if pc.any(pc.match_substring(texts, "E+")).as_py():
        rule[pc.match_substring_regex(texts, ROUNDED).to_numpy(zero_copy_only=False)] = "an id that a spreadsheet has rounded"
    if own and pc.any(totals := pc.is_in(texts, value_set=pa.array(TOTALS, pa.large_string()))).as_py():
        rule[totals.to_numpy(zero_copy_only=False)] = "a row of totals, and nobody's own"
    return rule


def words(cells: pd.Series, *, labels: dict | None = None, missing: dict | None = None, few: bool = False) -> Parsed:
    """Return a column of codes as their labels, or of free text as it stands; undeclared codes break the contract.

    `few` says that the same words stand again and again, so that they may be categories.
    """
    labels, missing = labels or {}, missing or {}
    if not labels and not missing and not isinstance(cells.dtype, pd.CategoricalDtype):
        return _free(cells)

    def one(text: str):
        if text == "" or text in missing:
            return None, missing.get(text, BLANK), ""
        if labels and text not in labels:
            return None, "", f"not a declared code ({', '.join(list(labels)[:8])})"
        return labels.get(text, text), "", ""

    return by_value(cells, one, "category" if few else str)


def moments(cells: pd.Series, *, reading: Reading, zone: str, told: str = "") -> Parsed:
    """Return a column of dates or timestamps as local time of the zone, by the declared format or in ISO form.

    A time that carries its offset is that instant. One that carries none is a time on the clocks of the file's zone: the one that
    `reading` declares, else the one that the file itself tells (Qualtrics), else `zone`. A day alone is that day in every zone.
    Read in `zone` itself a time is kept as it stands, also in the hour that clocks skip in spring and in the one they show twice in
    autumn: its day, and so its quarter, is the same either way. From another zone, a time that was shown twice is the first of the two,
    and one that was skipped is read by the offset before the change (PEP 495, fold = 0).
    """
    local, source = zoneinfo.ZoneInfo(zone), _zone(reading.timezone or told)
    clock = any(mark in reading.date_format for mark in ("%H", "%I", "%c", "%X", "%T"))

    def one(text: str):
        if text == "":
            return None, BLANK, ""
        try:
            value = dt.datetime.strptime(ORDINAL.sub("", text), reading.date_format) if reading.date_format else dt.datetime.fromisoformat(text)
            if value.tzinfo is None and source is not None and (clock if reading.date_format else ":" in text):
                value = value.replace(tzinfo=source)
            value = value.astimezone(local).replace(tzinfo=None) if value.tzinfo else value
        except (ValueError, OverflowError):
            return None, "", f"not a date written as {reading.date_format or 'YYYY-MM-DD'}"
        return (value, "", "") if 1900 <= value.year <= 2200 else (None, "", "not a date between 1900 and 2200")

    return by_value(cells, one, "datetime64[us]")


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def column(cells: pd.Series, *, item: Item, programme: Programme, reading: Reading) -> Parsed:
    """Return the cells of an item by its kind."""
    if item.kind == "rating":
        return ratings(cells, item=item, programme=programme, reading=reading)
    if item.kind == "number":
        return numbers(cells, reading=reading, missing=item.missing)
    return words(cells, labels=item.labels if item.kind == "nominal" else None, missing=item.missing, few=item.kind == "nominal")


class Ambiguous(DataError):
    """A number that can be read in two ways."""


def ambiguous(file: str, name: str, cells: pd.Series, raw, value: str, doubt: str = "", against: str = "") -> Ambiguous:
    """Return the sentence for a number that can be read in two ways; for an amount, with the cell that leaves its column in doubt and one that is written against it."""
    row = raw.row(np.flatnonzero(cells.str.strip().to_numpy() == value)[0])
    mark = "a comma" if "," in value or not doubt else "a point"
    seen = f", and the column does not tell: '{against}' and '{doubt}' stand in it" if against else ", and the column does not tell: every mark in it stands before three digits" if doubt else ""
    declare = 'Declare decimal = "," (or decimal = ".") for this file in programme.toml; amounts that are written otherwise are set aside then.' if doubt else 'Declare decimal = "," (or thousands = "," with decimal = ".") for this file in programme.toml.'
    return Ambiguous(f"{file}: row {row}, column '{name}': '{value}' is ambiguous: {mark} may mark decimals or thousands{seen}. {declare}")
