"""Tables: structure for a screen reader, numbers in words' rules, nothing from outside but as text."""

import numpy as np
import pandas as pd
import pytest
from conftest import HOSTILE, Audit, _cards, _importance

from cxlib.show import tables


def cells(fragment):
    """Return the text of every cell, headings first."""
    return [text for tag, text in Audit(fragment.html).text if tag in ("th", "td")]


def test_structure_caption_scopes_and_ids():
    seen = Audit(tables.table(_importance(), id="importance", caption="Importance by driver", note="Weighted.").html)
    assert seen.offences() == []
    assert seen.all("caption")[0][0]["id"] == "importance-caption"
    assert seen.all("div")[0][0]["id"] == "importance"
    assert {given["scope"] for given, _ in seen.all("th")} == {"col", "row"}
    assert len([1 for given, _ in seen.all("th") if given["scope"] == "row"]) == 8
    assert all(name in seen.ids for given, _ in seen.all("td") for name in given["headers"].split())
    scroll = seen.all("div")[1][0]
    assert (scroll["role"], scroll["tabindex"], scroll["aria-labelledby"]) == ("region", "0", "importance-caption")
    assert "Weighted." in seen.words()


def test_fault_7_missing_numbers_are_never_nan_text():
    frame = pd.DataFrame({"kpi": ["NPS", "CSAT", "CES"], "estimate": [np.nan, np.inf, 0.5], "conf_low": [np.nan, 0.1, 0.4], "conf_high": [None, 0.9, 0.6], "n": [0, 1, 30], "note": ["one answer only", None, None]})
    for formats in ({}, {"estimate": "percent"}, {"estimate": "interval:percent"}, {"estimate": "signed_points"}):
        said = Audit(tables.table(frame, id="t", caption="c", formats=formats).html).words()
        assert "nan" not in said.lower()
        assert "inf" not in said.lower()
        assert "None" not in said
        assert "not estimable" in said
        assert "one answer only" in said


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("percent", 0.412, "41 %"), ("percent1", 0.4123, "41.2 %"), ("percentage_points", 0.041, "+4.1"), ("points", -8.9, "−9"), ("signed_points", 12.2, "+12"), ("number", 1204, "1,204"),
     ("number1", 3.14159, "3.1"), ("money:EUR", 12412, "€12,400"), ("money:CHF", 12, "CHF 12"), ("p", 0.0004, "< 0.001"), ("p", 0.0341, "0.034"), ("probability", 0.999, "more than 99 in 100"),
     ("date", pd.Timestamp("2026-07-04"), "4 July 2026"), ("text", "a", "a"), ("text", True, "yes")],
)  # fmt: skip
def test_formats(kind, value, expected):
    made = tables.table(pd.DataFrame({"key": ["k"], "x": [value]}), id="t", caption="c", formats={"x": kind})
    assert cells(made) == ["Key", "X", "k", expected.replace(" %", "\xa0%")]


def test_interval_joins_the_value_and_its_limits():
    made = tables.table(pd.DataFrame({"kpi": ["NPS"], "estimate": [38.2], "conf_low": [34.1], "conf_high": [42.3], "n": [2104]}), id="t", caption="c", formats={"estimate": "interval:points"})
    assert cells(made) == ["KPI", "Estimate", "n", "NPS", "+38 (+34 to +42 points)", "2,104"]


def test_labels_leave_out_and_rename_and_raw_names_become_words():
    frame = pd.DataFrame({"driver_name": ["a"], "estimate": [1.5], "std_error": [0.25], "n": [3]})
    assert cells(tables.table(frame, id="t", caption="c", labels={"estimate": "Weight", "n": None})) == ["Driver name", "Weight", "Standard error", "a", "1.50", "0.250"]


def test_numbers_of_one_column_share_their_decimals():
    made = tables.table(pd.DataFrame({"k": list("abc"), "x": [1.0, 22.25, 0.333]}), id="t", caption="c")
    assert cells(made)[2:] == ["a", "1.0", "b", "22.3", "c", "0.3"]


def test_fault_19_and_38_hostile_cells_columns_and_caption_are_text():
    frame = pd.DataFrame({HOSTILE: [HOSTILE], 'a"; drop table x; --': ["{{units}}"], "n": [1], "\x01c1\x01": ["\x00 gt_row x"]})
    seen = Audit(tables.table(frame, id="t", caption=HOSTILE, note=HOSTILE, labels={"n": HOSTILE}).html)
    assert seen.offences() == []
    assert not seen.all("img")
    assert seen.words().count("<script>alert(1)</script>") == 5
    assert "{{units}}" in seen.words()
    assert "gt_row x" in seen.words()


def test_what_cannot_be_done_is_refused_and_named():
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(ValueError, match="no column 'b'"):
        tables.table(frame, id="t", caption="c", formats={"b": "percent"})
    with pytest.raises(ValueError, match="no table format 'percnt'"):
        tables.table(frame, id="t", caption="c", formats={"a": "percnt"})
    with pytest.raises(ValueError, match="cannot be an anchor"):
        tables.table(frame, id="a b", caption="c")
    with pytest.raises(ValueError, match="two columns of one name: a"):
        tables.table(pd.DataFrame([[1, 2]], columns=["a", "a"]), id="t", caption="c")


def test_an_empty_frame_still_says_what_its_columns_are():
    seen = Audit(tables.table(pd.DataFrame({"driver": pd.Series(dtype=str), "n": pd.Series(dtype=float)}), id="t", caption="c").html)
    assert seen.offences() == []
    assert "Nothing" in seen.words()


def test_cards_say_three_things_of_rising_flat_and_missing():
    seen = Audit(tables.cards(_cards()).html)
    assert seen.offences() == []
    assert seen.tags[0][0] == "ul"
    words = seen.words().replace("\xa0", " ")
    for part in ("+38", "95 % interval +34 to +42 points", "rose by 6 points since 2025Q3", "71 %", "showed no detectable change", "not estimable", "not asked in this wave", "2,104 answers (effective base 1,875)"):
        assert part in words
    assert "nan" not in words.lower()


def test_same_frame_same_bytes_and_the_frame_is_kept():
    frame = _importance()
    made = tables.table(frame, id="t", caption="c")
    assert made.html == tables.table(_importance(), id="t", caption="c").html
    assert made.frame is frame
    assert made._repr_html_().startswith("<style>")


def test_columns_without_a_word_are_left_out():
    frame = pd.DataFrame({"kpi": ["NPS"], "n": [3], "flag": [""], "note": [None]})
    assert cells(tables.table(frame, id="t", caption="c")) == ["KPI", "n", "NPS", "3"]
