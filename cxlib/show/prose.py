"""Numbers into words: the verb follows the interval, nothing is said of a number that is not there.

Every function returns plain text with a true minus sign (U+2212); `escape` is the way from text to HTML. A NaN, an infinity or a missing
value raises ValueError and names the quantity, because a sentence about it would be a guess.
"""

import html
import math
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

MINUS = "−"
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]  # fmt: skip
# Bidirectional overrides and isolates can turn a sentence round; zero-width characters hide inside words.
HIDDEN = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF])


def percent(share, *, digits=0, what="the share") -> str:
    """Return a proportion (0..1, or a difference of two) as a percentage: '41 %', '−3 %', 'less than 1 %' for what would round to nothing."""
    value = _real(share, what) * 100
    step = 10**-digits
    if 0 < abs(value) < step / 2:
        return f"less than {_fixed(step, digits)} %" if value > 0 else f"between {_fixed(-step, digits)} and 0 %"
    if 100 - step / 2 <= value < 100:
        return f"more than {_fixed(100 - step, digits)} %"
    return f"{_fixed(value, digits)} %"


def points(value, *, digits=0, sign=True, what="the score") -> str:
    """Return a Net Promoter Score or a difference in points (-100..100) as a whole number with its sign: '+12', '−9', '0'."""
    text = _fixed(_real(value, what), digits)
    return f"+{text}" if sign and not text.startswith(MINUS) and text.strip("0.") else text


def number(value, *, digits=None, what="the number") -> str:
    """Return a number with thousands separators; without `digits`, whole numbers stay whole and others keep three significant figures."""
    value = _real(value, what)
    if digits is None:
        digits = 0 if value == int(value) or abs(value) >= 100 else min(6, max(1, 2 - math.floor(math.log10(abs(value)))))
    return _fixed(value, digits)


def money(value, currency, *, what="the amount", digits=None) -> str:
    """Return an amount in its currency (ISO 4217): '€842', '€12,400', '−€1.24 million'. Three significant figures unless `digits` says decimals."""
    value = _real(value, what)
    unit = SYMBOLS.get(currency, f"{currency} ")
    if digits is not None:
        text, scale = _fixed(abs(value), digits), ""
    else:
        size = _round(abs(value), 2 - math.floor(math.log10(abs(value)))) if abs(value) >= 1000 else abs(value)
        limit, scale = next(found for found in ((1e9, " billion"), (1e6, " million"), (0, "")) if size >= found[0])
        shown = size / limit if limit else size
        digits = max(0, 2 - math.floor(math.log10(shown))) if limit else (2 if size and size < 10 else 0)
        text = _fixed(shown, digits)
    return f"{MINUS if value < 0 and text.strip('0.,') else ''}{unit}{text}{scale}"


def interval(low, high, unit="", *, digits=None, what="the interval") -> str:
    """Return the two limits in a unit: '38 to 44 %', '+2 to +10 points'. Units: percent, percentage points, points, money:EUR, number or any noun.

    Limits that are one number after rounding, or a limit that would round to zero though it is not, get another decimal.
    """
    low, high = _real(low, f"the lower limit of {what}"), _real(high, f"the upper limit of {what}")
    if low > high:
        raise ValueError(f"{what} runs from {low} down to {high}: give the lower limit first")
    if unit.startswith("money:"):
        sizes = sorted((abs(low), abs(high)))
        digits = 2 if digits is None and 0 < sizes[0] < 10 <= sizes[1] < 100 else digits  # cents at one end and none at the other would look like two ways of rounding
        return f"{money(low, unit[6:], digits=digits)} to {money(high, unit[6:], digits=digits)}"
    digits = _digits(unit, low, high) if digits is None else digits
    first, last = _measure(low, unit, digits), _measure(high, unit, digits)
    return " ".join(part for part in (f"{first} to {last}", _noun(unit, 2)) if part).replace(" %", " %")


def probability(p, *, what="the probability") -> str:
    """Return a simulated probability in hundredths: '62 in 100'; never 0 or 100, because a simulation cannot know that."""
    p = _real(p, what)
    if not 0 <= p <= 1:
        raise ValueError(f"{what} is {p}: a probability lies between 0 and 1")
    if p < 0.01:
        return "less than 1 in 100"
    if p > 0.99:
        return "more than 99 in 100"
    return f"{_fixed(p * 100, 0)} in 100"


def p_value(p, *, what="the p value") -> str:
    """Return 'p < 0.001', 'p = 0.034' or 'p = 0.41'."""
    p = _real(p, what)
    if not 0 <= p <= 1:
        raise ValueError(f"{what} is {p}: a p value lies between 0 and 1")
    if p < 0.001:
        return "p < 0.001"
    if p > 0.99:
        return "p > 0.99"
    return f"p = {_fixed(p, 3 if p < 0.1 else 2)}"


def change(estimate, low, high, *, unit="points", what="", since="", level=95) -> str:
    """Say what a change was, the verb chosen by its interval.

    'NPS rose by 6 points since 2025Q3 (95 % interval +2 to +10)', '... fell by ...', or where the interval holds zero '... showed no detectable change ...'.
    Units: points, percentage points or percent (proportions in), money:EUR, number or any noun. Raises ValueError for NaN and for limits around nothing.
    """
    name = f"the change in {what}" if what else "the change"
    estimate, low, high = _real(estimate, name), _real(low, f"the lower limit of {name}"), _real(high, f"the upper limit of {name}")
    if not low <= estimate <= high:
        raise ValueError(f"{name} is {estimate}, outside its own interval {low} to {high}")
    digits = _digits(unit, low, high, estimate)
    when = f" since {since}" if since else ""
    limits = f"{level} % interval {_signed(low, unit, digits)} to {_signed(high, unit, digits)}"
    subject = f"{what} " if what else ""
    if low <= 0 <= high:
        seen = _signed(estimate, unit, digits)
        return f"{subject}showed no detectable change{when} ({seen}{_tail(unit, seen)}, {limits})"
    size = _measure(abs(estimate), unit, digits).lstrip("+")
    verb = "rose" if low > 0 else "fell"
    return f"{subject}{verb} by {size}{_tail(unit, size)}{when} ({limits})"


def base(n, n_eff=None, *, noun="answer", low=50) -> str:
    """Return the base: '1,204 answers', '1,204 answers (effective base 960)', with 'low base' where the effective base is under `low`."""
    n = _real(n, "the base")
    text = plural(n, noun)
    worth = n if n_eff is None else _real(n_eff, "the effective base")
    if n and abs(worth / n - 1) >= 0.01 and _fixed(worth, 0) != _fixed(n, 0):
        text += f" (effective base {_fixed(worth, 0)})"
    return f"{text}, low base" if worth < low else text


def plural(n, one, many=None) -> str:
    """Return the count with its noun: '1 wave', '3 waves', '0 waves'."""
    n = _real(n, f"the count of {many or one}")
    return f"{number(n)} {one if n == 1 else many or _plural(one)}"


def join(items, *, last="and") -> str:
    """Return the items as a list in a sentence: 'price', 'price and network', 'price, network and billing'."""
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def date(day) -> str:
    """Return a date in words, whatever the locale: '4 July 2026'."""
    if day is None or day != day:
        raise ValueError("the date is missing: there is nothing to say of it")
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def clean(text, *, limit=None) -> str:
    """Return text from outside as one safe line: no control, bidirectional or zero-width characters, no lone surrogates, cut at `limit` with an ellipsis."""
    text = re.sub(r"\s+", " ", str(text)).translate(HIDDEN)
    text = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs")).strip()
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def escape(text) -> str:
    """Return text as HTML: cleaned, escaped, and with numbers kept on one line with their per cent sign and with a sign before a currency."""
    return re.sub(r"(?<=−)(?=[€£$¥])", "&NoBreak;", re.sub(r"(?<=\d) %", "&nbsp;%", html.escape(clean(text))))


def _real(value, what):
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} is {value!r}, not a number: say why it cannot be estimated instead") from None
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}, not a number that can be told: say why it cannot be estimated instead")
    return value


def _round(value, digits):
    # Half away from zero, as readers round; binary halves are judged by their shortest decimal form.
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP))


def _fixed(value, digits):
    text = f"{_round(value, digits):,.{max(0, digits)}f}"
    return text.replace("-", MINUS) if text.strip("-0.,") else text.lstrip("-")


def _digits(unit, low, high, estimate=None):
    if unit.startswith("money:"):
        return 0
    scale = 100 if unit.startswith("percent") else 1
    span = (high - low) * scale
    digits = 0 if unit.startswith(("percent", "points")) or span >= 20 else 1 if span >= 2 else 2
    # A limit above zero must not be printed as zero, nor a change that is one.
    shown = [value * scale for value in (low, high, *([] if estimate is None else [estimate])) if value]
    while digits < 4 and (any(_round(value, digits) == 0 for value in shown) or (span > 0 and _round(low * scale, digits) == _round(high * scale, digits))):
        digits += 1
    return digits


def _measure(value, unit, digits):
    if unit.startswith("money:"):
        return money(value, unit[6:])
    if unit == "points":
        return points(value, digits=digits)
    return _fixed(value * 100 if unit.startswith("percent") else value, digits)


def _signed(value, unit, digits):
    text = _measure(value, unit, digits)
    return text if text[0] in "+" + MINUS or not text.strip("0.") else f"+{text}"


def _tail(unit, shown):
    noun = _noun(unit, 1 if shown.lstrip("+" + MINUS) == "1" else 2)
    return f" {noun}" if noun else ""


def _noun(unit, size):
    if unit.startswith("money:") or unit == "number":
        return ""
    if unit == "percent":
        return "%"
    single = {"points": "point", "percentage points": "percentage point"}.get(unit, unit)
    return single if size == 1 else {"points": "points", "percentage points": "percentage points"}.get(unit, _plural(unit)) if unit else ""


def _plural(noun):
    if noun.endswith("s") or not noun:
        return noun if not noun or not noun.endswith("ss") else f"{noun}es"
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("x", "ch", "sh")) else f"{noun}s"
