"""Numbers into words: the verb follows the interval, NaN raises, a simulated probability is never certain."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.show import prose


def test_rising_flat_and_falling_say_three_different_things():
    said = [prose.change(*numbers, unit="points", what="NPS", since="2025Q3") for numbers in ((6, 2, 10), (1, -3, 5), (-6, -10, -2))]
    assert said == [
        "NPS rose by 6 points since 2025Q3 (95 % interval +2 to +10)",
        "NPS showed no detectable change since 2025Q3 (+1 point, 95 % interval −3 to +5)",
        "NPS fell by 6 points since 2025Q3 (95 % interval −10 to −2)",
    ]


@given(st.floats(-80, 80), st.floats(0.01, 40), st.floats(0.01, 40))
def test_verb_never_contradicts_the_interval(estimate, below, above):
    low, high = estimate - below, estimate + above
    said = prose.change(estimate, low, high, unit="points")
    assert ("rose" in said) == (low > 0)
    assert ("fell" in said) == (high < 0)
    assert ("no detectable change" in said) == (low <= 0 <= high)


@pytest.mark.parametrize(("estimate", "low", "high", "unit"), [(0.6, 0.3, 0.9, "points"), (0.004, 0.002, 0.006, "percentage points"), (0.04, 0.01, 0.07, "scale point")])
def test_a_limit_that_is_not_zero_is_not_printed_as_zero(estimate, low, high, unit):
    said = prose.change(estimate, low, high, unit=unit)
    assert "rose by 0 " not in said
    assert "+0 to" not in said
    assert "interval 0 to" not in said


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None, "x", np.float64("nan")])
@pytest.mark.parametrize("tell", [prose.percent, prose.points, prose.number, prose.probability, prose.p_value])
def test_a_number_that_is_not_there_raises_and_is_named(tell, bad):
    with pytest.raises(ValueError, match="the NPS of Bremen"):
        tell(bad, what="the NPS of Bremen")


def test_money_interval_and_change_name_what_is_missing():
    with pytest.raises(ValueError, match="the margin"):
        prose.money(math.nan, "EUR", what="the margin")
    with pytest.raises(ValueError, match="the lower limit of the change in NPS"):
        prose.change(1, math.nan, 2, what="NPS")
    with pytest.raises(ValueError, match="outside its own interval"):
        prose.change(5, 1, 2)
    with pytest.raises(ValueError, match="give the lower limit first"):
        prose.interval(2, 1)
    with pytest.raises(ValueError, match="the date is missing"):
        prose.date(None)


@given(st.floats(0, 1))
def test_a_simulated_probability_is_never_certain(p):
    said = prose.probability(p)
    assert said not in ("0 in 100", "100 in 100")
    assert "%" not in said


def test_probability_refuses_what_is_none():
    with pytest.raises(ValueError, match="between 0 and 1"):
        prose.probability(62)
    with pytest.raises(ValueError, match="between 0 and 1"):
        prose.p_value(1.2)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (prose.percent(0.41), "41 %"),
        (prose.percent(0.125), "13 %"),
        (prose.percent(0.1234, digits=1), "12.3 %"),
        (prose.percent(0.0003), "less than 1 %"),
        (prose.percent(0.9999), "more than 99 %"),
        (prose.percent(0), "0 %"),
        (prose.percent(1), "100 %"),
        (prose.percent(-0.03), "−3 %"),
        (prose.points(40.4), "+40"),
        (prose.points(-8.95), "−9"),
        (prose.points(-0.2), "0"),
        (prose.number(1204), "1,204"),
        (prose.number(0.01234), "0.0123"),
        (prose.number(-3.14159), "−3.14"),
        (prose.money(842, "EUR"), "€842"),
        (prose.money(12412, "EUR"), "€12,400"),
        (prose.money(-1_239_000, "EUR"), "−€1.24 million"),
        (prose.money(999_999, "GBP"), "£1.00 million"),
        (prose.money(12, "CHF"), "CHF 12"),
        (prose.money(0, "EUR"), "€0"),
        (prose.interval(0.38, 0.44, "percent"), "38 to 44 %"),
        (prose.interval(-13.3, -4.5, "points"), "−13 to −5 points"),
        (prose.interval(-5000, 2e6, "money:EUR"), "−€5,000 to €2.00 million"),
        (prose.interval(4.64, 10.66, "money:EUR"), "€4.64 to €10.66"),
        (prose.interval(-12.3, 6.41, "money:EUR"), "−€12.30 to €6.41"),
        (prose.interval(6.68, 222.4, "money:EUR"), "€6.68 to €222"),
        (prose.p_value(1e-9), "p < 0.001"),
        (prose.p_value(0.0341), "p = 0.034"),
        (prose.p_value(0.412), "p = 0.41"),
        (prose.probability(0.621), "62 in 100"),
        (prose.base(1204, 960), "1,204 answers (effective base 960)"),
        (prose.base(1204, 1204), "1,204 answers"),
        (prose.base(45), "45 answers, low base"),
        (prose.base(900, 40), "900 answers (effective base 40), low base"),
        (prose.base(1, noun="comment", low=0), "1 comment"),
        (prose.plural(1, "wave"), "1 wave"),
        (prose.plural(0, "wave"), "0 waves"),
        (prose.plural(2, "query"), "2 queries"),
        (prose.plural(2, "day"), "2 days"),
        (prose.plural(3, "person", "people"), "3 people"),
        (prose.join(["price"]), "price"),
        (prose.join(["price", "network"]), "price and network"),
        (prose.join(["price", "network", "billing"]), "price, network and billing"),
        (prose.join([]), ""),
        (prose.date(dt.date(2026, 7, 4)), "4 July 2026"),
        (prose.change(0.034, 0.01, 0.06, unit="percentage points", what="CSAT"), "CSAT rose by 3 percentage points (95 % interval +1 to +6)"),
        (prose.change(1, 0.6, 1.4), "rose by 1.0 points (95 % interval +0.6 to +1.4)"),
        (prose.change(1200, 600, 9000, unit="money:EUR", what="Margin"), "Margin rose by €1,200 (95 % interval +€600 to +€9,000)"),
    ],
)  # fmt: skip
def test_words(said, expected):
    assert said == expected


def test_fault_18_and_19_text_from_outside_is_cleaned_and_escaped():
    hostile = "a\x00b \u202egnp.exe\u202c \u200bz\ud800 <script>alert(1)</script> \"'&\n\ttail"
    said = prose.escape(hostile)
    assert said == "ab gnp.exe z &lt;script&gt;alert(1)&lt;/script&gt; &quot;&#x27;&amp; tail"
    said.encode("utf-8")
    assert prose.clean("x" * 10_000, limit=20) == "x" * 19 + "…"
    assert prose.escape("12 %") == "12&nbsp;%"
    assert prose.escape("−€932") == "−&NoBreak;€932"
