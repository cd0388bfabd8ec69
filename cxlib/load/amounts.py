"""Amounts as people write them: the number in a cell, the money its sign names, and which mark of a column stands for decimals.

"$1,234.50", "1.234,50 €", "1 234,50 EUR", "(12.50)", "-£3" and "12,50-" are amounts. Whether "1,234" is a thousand or a little more than one is
told by the column as a whole, as the order of day and month is, and refused where the column does not tell.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.load import answers
from cxlib.load.readers import codes as distinct
from cxlib.load.readers import raw
from cxlib.programme import Reading

CODES = (  # ISO 4217, the moneys that people pay with
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF "
    "XPF YER ZAR ZMW ZWG"
).split()  # fmt: skip
_DOLLARS = "USD AUD CAD NZD SGD HKD MXN ARS CLP COP TWD BBD BSD BZD FJD JMD TTD UYU"
# What people write -> the moneys it may mean: a dollar may be that of any country that has dollars.
SIGNS = {code.lower(): frozenset([code]) for code in CODES} | {
    sign: frozenset(meant.split())
    for meant, signs in {
        _DOLLARS: "$ ＄ dollar dollars", "USD": "us$ u$s usd$", "AUD": "a$ au$", "CAD": "c$ ca$", "NZD": "nz$", "SGD": "s$ sg$", "HKD": "hk$", "MXN": "mx$", "BRL": "r$ reais", "TWD": "nt$", "EUR": "€ euro euros eur€",
        "GBP EGP FKP GIP SHP": "£ ￡", "GBP": "gb£ quid", "JPY CNY": "¥ ￥", "JPY": "円 yen jp¥", "CNY": "元 rmb cn¥", "INR PKR LKR NPR": "rs", "INR": "₹", "KRW": "₩ ￦ 원", "RUB": "₽ руб р", "TRY": "₺ tl", "UAH": "₴ грн", "ILS": "₪",
        "%": "% ％", "PLN": "zł zl", "CZK": "kč kc", "HUF": "ft", "RON MDL": "lei", "SEK NOK DKK ISK": "kr", "CHF": "fr sfr franken", "THB": "฿", "VND": "₫ đ", "NGN": "₦", "PHP": "₱", "IDR": "rp", "MYR": "rm", "ZAR": "r",
    }.items()
    for sign in signs.split()
}  # fmt: skip
OTHER = "not in {}, in which amounts are counted here"
LONGEST = 60  # characters of an amount
WHOLE = frozenset(["VND", "CLP", "ISK", "PYG", "UGX", "RWF", "XAF", "XOF", "XPF", "IDR"])  # moneys without cents: a mark in them is one of thousands
POINT = frozenset("GBP EGP FKP GIP SHP JPY CNY INR PKR LKR NPR KRW THB ILS PHP MYR HKD SGD AUD NZD TWD NGN KES".split())  # moneys of countries that write decimals with a point
ENOUGH = 20  # different cells like 1,234 beside whole numbers below a thousand, from which a mark is one of thousands
_FIGURES = r"(?:[0-9][0-9.,'’ ]*[0-9]|[0-9]|[.,][0-9]+)"
_WORDS = r"[^\W\d_]*[^\w\s().,'’+-]?(?:[^\W\d_]+\.?)?"
_CELL = re.compile(rf"(\()?\s*([+-]?)\s*({_WORDS})\s*([+-]?)\s*({_FIGURES})\s*({_WORDS})\s*(-?)\s*(\))?")
_ROUND = re.compile(r"(?<=[0-9])[.,]\s?[-–—]{1,2}(?=\D*\Z)")  # 12,- and 12.–
_DOUBT = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "−": "-", "’": "'", "＄": "$", "￥": "¥", "，": ",", "．": "."})
_PLAIN = np.zeros(256, bool)  # bytes of cells that name no money
_PLAIN[[*b"0123456789.,+- ()'"]] = True


class Amount(NamedTuple):
    """A cell taken apart: its figures with their marks, whether it is below nought, and the moneys its sign may mean (none where it has no sign)."""

    figures: str
    negative: bool
    moneys: frozenset


class Notation(NamedTuple):
    """How the amounts of a column are written: the decimal mark ("" where it cannot be told) and the moneys that its cells name, "%" where all are per cent (of 85 % beside 0.85 one is wrong).

    `doubt` holds a cell that can be read in two ways and `against` one that is written otherwise.
    """

    decimal: str
    signed: frozenset
    doubt: str = ""
    against: str = ""


def split(text: str) -> Amount | None:
    """Return a cell taken apart; None where it is no amount."""
    if len(text) > LONGEST:
        return None
    found = _CELL.fullmatch(_ROUND.sub("", text.translate(_BLANKS).strip()))
    if found is None:
        return None
    opened, first, before, second, figures, after, last, closed = found.groups()
    words = [word.casefold().rstrip(".") for word in (before, after) if word]
    if bool(opened) != bool(closed) or sum(map(bool, (opened, first, second, last))) > 1 or any(word not in SIGNS for word in words) or (len(words) == 2 and not SIGNS[words[0]] & SIGNS[words[1]]):
        return None
    moneys = frozenset.intersection(*(SIGNS[word] for word in words)) if words else frozenset()
    return Amount(figures, bool(opened) or "-" in (first, second, last), moneys)


def looks(text: str) -> bool:
    """Return whether a cell looks like money by itself: it names one by a mark or apart from its figures, as an id (R1001, RS-12) does not."""
    found = split(text)
    return found is not None and bool(found.moneys) and bool(re.search(r"[^\w\s.,'’()+-]|[A-Za-z]\.? [0-9(]|[0-9)] ?[A-Za-z]{2,}", text.strip()))


def notation(cells) -> Notation:
    """Return how the amounts among distinct cells are written.

    A mark before other than three digits, after another mark, or after a nought marks decimals; one in front of another, or twice, thousands. Where every mark stands once before three
    digits the money tells (pounds and yen have a decimal point, dongs no cents); else it marks thousands if twenty cells have it and those without are below a thousand: written with three decimals, those would have it too.
    """
    sure, doubtful, largest, signed, bare = {}, {".": {}, ",": {}}, None, frozenset(), False
    for cell in cells:
        one = split(cell)
        if one is None:
            continue
        signed |= one.moneys
        bare |= not one.moneys and bool(one.figures.strip("0.,"))
        if (decimal := _decimal(one.figures)) and decimal not in sure:
            sure[decimal] = cell
        elif _DOUBT.fullmatch(one.figures):
            own = doubtful[one.figures.strip("0123456789")]
            if len(own) < ENOUGH:
                own[one.figures] = cell
        elif one.figures.isdecimal():
            largest = max(largest or 0, int(one.figures))
    signed -= {"%"} if bare else set()
    if sure:
        return Notation(next(iter(sure)), signed) if len(sure) == 1 else Notation("", signed, *list(sure.values())[::-1])
    marks = [mark for mark, own in doubtful.items() if own]
    if signed and signed <= POINT:
        return Notation(".", signed)
    if signed and signed <= WHOLE and len(marks) == 1:
        return Notation("," if marks == ["."] else ".", signed)
    cells = [next(iter(own.values())) for own in doubtful.values() if own]
    if len(cells) != 1:
        return Notation("", signed, *cells) if cells else Notation(".", signed)
    mark = "." if doubtful["."] else ","
    if len(doubtful[mark]) == ENOUGH and largest is not None and largest < 1000:
        return Notation("." if mark == "," else ",", signed)
    return Notation("", signed, cells[0])


def _decimal(figures: str) -> str:
    """The decimal mark of a column of which one cell has these figures; "" where they do not tell."""
    marks = [one for one in figures if one in ",."]
    if not marks or _DOUBT.fullmatch(figures):
        return ""
    if len(marks) > 1 and len(set(marks)) == 1:
        return "." if marks[0] == "," else ","
    return marks[-1]


def value_of(one: Amount, decimal: str) -> float | None:
    """Return an amount under a decimal mark; None where its figures are not grouped as numbers are (by threes, or as in India by twos)."""
    whole, point, part = one.figures.partition(decimal)
    if point and not part.isdecimal():
        return None
    group = rf"[{'.' if decimal == ',' else ','} ']"
    plain = re.sub(group, "", whole)
    if whole and whole != plain and not re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:({group})[0-9]{{3}})(?:\1[0-9]{{3}})*|[1-9][0-9]?(?:,[0-9]{{2}})*,[0-9]{{3}}", whole):
        return None
    if not (plain or "0").isdecimal():
        return None
    value = float(f"{plain or '0'}.{part or '0'}")
    return -value if one.negative else value


def column(cells: pd.Series, *, reading: Reading, told, missing: dict | None = None, item: str = "") -> answers.Parsed:
    """Return a column of amounts as numbers; what is none breaks the contract.

    `told()` returns how the whole column is written (`Notation`); it is asked only where a cell of these leaves a doubt and the file declares no mark. `item`, the programme's
    currency, says that it is a question that asks for a number: only where cells name a money, or per cent, it is one of amounts, and cells that name another break the contract. Raises ValueError with a cell that can be read in two ways, and one that speaks against it.
    """
    missing = missing or {}
    declared = reading.decimal or {".": ",", ",": ".", " ": "", "'": ""}.get(reading.thousands, "")
    own = ""
    if item:
        fault = None
        try:
            found = answers.numbers(cells, reading=reading, missing=missing)
        except ValueError as error:
            found, fault = None, error
        if (found is not None and found.rule is None) or not told().signed:
            if fault:
                raise fault
            return found
        own = "%" if told().signed == {"%"} else item

    def one(text: str):
        if text == "" or text in missing:
            return math.nan, missing.get(text, answers.BLANK), ""
        value = answers.plain(text) if not declared and not _DOUBT.fullmatch(text.lstrip("+-")) else None
        if value is None and (parts := split(text)) is not None:
            decimal = declared or ("." if not {",", "."} & set(parts.figures) else _decided(told(), text))
            value = value_of(parts, decimal)
        elif value is None and declared:
            value = answers.number_of(text, reading)
        if value is None or not math.isfinite(value):
            return math.nan, "", "not an amount"
        return (math.nan, "", rule) if own and (rule := _other(text, own)) else (value, "", "")

    return answers.by_value(cells, one, float)


def _other(text: str, own: str) -> str:
    moneys = getattr(split(text), "moneys", frozenset())
    return OTHER.format(own) if moneys and own not in moneys else ""


def _decided(how: Notation, text: str) -> str:
    if not how.decimal:
        raise ValueError(text, how.doubt, how.against)
    return how.decimal


def foreign(cells: pd.Series, own) -> np.ndarray:
    """Return the rule that each cell breaks whose sign names another money than `own` (a code, or one a row): "" where it fits or names none."""
    rule = np.full(len(cells), "", dtype=object)
    if _PLAIN.take(raw.signs(cells)[1]).all():
        return rule
    places, words = distinct.of(cells)
    moneys = [found.moneys if (found := split(word)) else frozenset() for word in words]
    named = np.array([bool(one) for one in moneys]).take(places)
    own = np.full(len(cells), own, dtype=object) if isinstance(own, str) else np.asarray(own, dtype=object)
    for place in np.flatnonzero(named):
        if own[place] not in moneys[places[place]]:
            rule[place] = OTHER.format(own[place])
    return rule
