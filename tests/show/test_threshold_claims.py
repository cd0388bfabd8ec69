"""The study of value says three different things of rising, flat and undecided data, and no sentence contradicts its own interval."""

import numpy as np
import pandas as pd
import pytest
import shops

from cxlib import programme as programmes
from cxlib.measure import opinion
from cxlib.show import claims, figures, tables

ROW = {
    "group": "all", "outcome": "spend", "shape": "jump", "estimate": 6.5, "conf_low": 6.0, "conf_high": 7.0, "below": 6.0, "above": 7.0, "change": 12.0, "change_low": 7.0, "change_high": 16.0, "slope": 1.0, "p": 0.001, "f": 30.0, "p_curve": 0.01,
    "p_shape": 0.01, "other": np.nan, "detectable": 6.0, "n": 900, "n_eff": 500.0, "customers": 500, "levels": 11, "note": "", "p_holm": 0.001,
}  # fmt: skip
OPEN = {"p_shape": 0.4, "other": 5.8, "other_change": 4.0, "other_low": 2.0, "other_high": 5.5}
USUAL = {"below": np.nan, "above": np.nan, "estimate": 6.48, "conf_low": 5.91, "conf_high": 7.12}


@pytest.fixture(scope="module")
def programme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims") / "shops"
    shops.write(folder, n=40)
    return programmes.read(folder)


def found(**changed) -> pd.DataFrame:
    return pd.DataFrame([ROW | changed])


@pytest.mark.parametrize(
    ("changed", "says", "never"),
    [
        ({}, ["Spend has a threshold between 6 and 7 of Recommendation", "interval 6 to 7", "€12.00 more than the line below it leads to expect (95 % interval €7.00 to €16.00)", "A smooth bend does not explain it", "There the level jumps."], ["no threshold", "causes", "raised"]),
        (USUAL, ["a threshold at 6.5 of Recommendation", "interval 5.9 to 7.1"], ["between"]),
        (OPEN, ["Spend has a threshold somewhere from 6 to 7 of Recommendation (95 % interval; p = 0.001)", "Whether the level jumps or the slope turns there cannot be told from 500 customers: read as a jump, between 6 and 7, a customer above it spends €12.00 more than the line below leads to expect (95 % interval €7.00 to €16.00); read as a turn, at 5.8, each further point goes with €4.00 more than the line below leads to expect (95 % interval €2.00 to €5.50)"], ["There the level jumps", "Likeliest"]),
        (OPEN | {"shape": "hinge", "estimate": 5.8, "below": np.nan, "above": np.nan, "other": 6.5, "change": 4.0, "change_low": -2.0, "change_high": 5.5, "other_change": 12.0, "other_low": 7.0, "other_high": 16.0}, ["read as a jump, at 6.5, a customer above it spends €12.00 more", "read as a turn, at 5.8, each further point goes with €4.00 more than the line below leads to expect (95 % interval −€2.00 to €5.50, an interval that holds nothing)"], ["There the slope"]),
        ({"p_curve": 0.3}, ["A smooth bend would explain it as well (p = 0.30), so the point itself is not proved"], ["does not explain"]),
        ({"change_low": -2.0}, ["€12.00 more, but over all places it may lie the interval holds nothing (95 % interval −€2.00 to €16.00)"], ["than the line below it leads to expect"]),
        ({"shape": "hinge", "below": np.nan, "estimate": 6.2, "conf_low": 5.5, "conf_high": 7.25}, ["at 6.2 of", "each further point goes with €12.00 more"], ["between"]),
        ({"p_holm": 0.2, "p": 0.1}, ["No threshold shows (p = 0.20)", "A jump of €6.00 or more a customer would have been seen in 80 of 100"], ["has a threshold"]),
        ({"note": "not estimable (12 customers at 5 scores; 30 at four scores are needed)"}, ["cannot be told: not estimable (12 customers"], ["has a threshold"]),
    ],
)
def test_the_verdict_follows_the_test_and_its_interval(programme, changed, says, never):
    said = claims.thresholds.found(found(**changed), programme, "Recommendation")[0]
    for words in says:
        assert words in said
    for words in never:
        assert words not in said


def test_a_claim_that_does_not_survive_has_another_sentence_and_never_a_causal_grade(programme):
    near = type("Near", (), {"stakes": pd.DataFrame([{"group": "all", "measure": "all", "value": "margin", "estimate": 900.0, "conf_low": 300.0, "conf_high": 1500.0, "n": 47}])})
    made = claims.thresholds.rows(found(), near, programme, "Recommendation", "poll")
    assert set(made["grade"]) == {"D"}
    assert (made["text"] != made["text_null"]).all()
    assert made["text_null"].iloc[0].startswith("No threshold shows")
    tests = claims.thresholds.tests(found(), programme)
    assert set(made["test_id"]) <= set(tests["test_id"])
    assert tests["kind"].tolist() == ["secondary", "check"]
    assert made.set_index("claim_id")["action"].to_dict() == {"thresholds.all": 0, "just_below.all": 1}
    lost = near.stakes.assign(conf_low=-1.0)
    assert claims.thresholds.rows(found(), type("Near", (), {"stakes": lost}), programme, "Recommendation", "poll")["action"].sum() == 0


def test_a_threshold_whose_kind_is_open_is_claimed_with_both_readings_and_drawn_at_both_places(programme):
    near = type("Near", (), {"stakes": pd.DataFrame()})
    text = claims.thresholds.rows(found(**OPEN), near, programme, "Recommendation", "poll")["text"].iloc[0]
    assert "lies, read as a jump, €12.00 higher than" in text
    assert "or, read as a turn, €4.00 a point higher than" in text
    assert text.endswith("which of the two cannot be told.")
    table = claims.thresholds.table(found(**OPEN), programme).iloc[0]
    assert (table["place"], table["interval"]) == ("jump between 6 and 7; turn at 5.8", "6 to 7")
    curves = pd.DataFrame({"label": "Spend", "score": range(5), "estimate": 1.0, "conf_low": 0.5, "conf_high": 1.5, "rising": 1.0, "n": 80})
    told, open_ = (figures.thresholds.curves(curves, breaks=found(**changed).assign(label="Spend")) for changed in ({}, OPEN))
    assert len(open_.lines) == len(told.lines) + 1


def part(by, value, common, p, holm, customers=200, note=""):
    size = {"common": common, "common_low": common - 5, "common_high": common + 5}
    return ROW | {"group": "all", "by": by, "value": value, "customers": customers, "note": note, "p_same": p, "p_same_holm": holm} | size


@pytest.mark.parametrize(
    ("p", "holm", "says"),
    [(0.4, 1.0, "the parts do not differ detectably (p = 0.40)"), (0.01, 0.02, "the parts differ, so it is not one threshold for all (p = 0.010, over all cuts p = 0.020)"), (0.03, 0.2, "the parts differ, but no more than one of so many cuts would by chance (p = 0.030, over all cuts p = 0.20)")],
)
def test_what_is_said_of_the_parts_follows_their_test_and_the_number_of_cuts(programme, p, holm, says):
    parts = pd.DataFrame([part("region", "north", 12.0, p, holm), part("region", "south", 3.0, p, holm), part("region", "west", np.nan, p, holm, 40, "not estimable (40 customers; 100 are needed)")])
    said = claims.value.holds(parts, pd.DataFrame(columns=["group"]), programme)
    assert said == [f"The change there by region: north €12.00 (€7.00 to €17.00) and south €3.00 (−€2.00 to €8.00); {says}. Nothing can be told of west: too few customers."]
    assert len(claims.value.parts(parts, programme)) == 2
    tests = claims.value.tests(parts, programme)
    assert tests["test_id"].tolist() == ["06.all.same.region"]
    assert tests["kind"].tolist() == ["check"]
    quarters = pd.DataFrame([part("quarter", f"202{at}Q1", float(at), 0.4, 1.0) for at in range(6)])
    assert "by quarter: from €0.00 (−€5.00 to €5.00) in 2020Q1 to €5.00 (€0.00 to €10.00) in 2025Q1, 6 parts;" in claims.value.holds(quarters, pd.DataFrame(columns=["group"]), programme)[0]
    few = claims.value.holds(quarters.assign(common=np.nan, p_same=np.nan), pd.DataFrame(columns=["group"]), programme)[0]
    assert few == "Whether it is the same by quarter cannot be told: no part has 100 customers."


def test_one_customer_with_half_the_spend_is_said_and_looked_at_without(programme):
    held = {"share": 0.52, "largest": "p1", "customers": 300, "returned": 3, "nothing": 0.31}
    said = claims.thresholds.spread(held, found(p=0.4), "EUR")
    assert "52.0 % of the spend" in said[0]
    assert "31.0 % of the answers were followed by none, 3 answers by more returns than purchases" in said[0]
    assert "Without that customer: no threshold shows (p = 0.40)." in said[1]
    assert len(claims.thresholds.spread(held | {"share": 0.01, "returned": 0}, found().iloc[:0], "EUR")) == 1


def test_fates_are_told_beside_what_mood_alone_would_give(programme):
    base = {"group": "all", "n": 40, "conf_low": 0.3, "conf_high": 0.6}
    for expected, words in ((0.45, "no detectable difference from the 45 %"), (0.2, "more than the 20 %"), (0.8, "fewer than the 80 %")):
        rows = pd.DataFrame([base | {"what": "crossed", "count": 18, "estimate": 0.45, "expected": expected}, base | {"what": "silent", "count": 9, "n": 60, "estimate": 0.15, "expected": np.nan}])
        assert words in claims.value.followed(rows, programme, "2026Q1")[0]
        assert len(claims.value.fates(rows, programme)) == 2
    assert claims.value.followed(pd.DataFrame(), programme, "2026Q1") == []


def test_a_list_names_its_holdout_or_why_there_is_none(programme):
    listed = pd.DataFrame({"arm": ["control"] * 2 + ["treated"] * 18, "group": "all"})
    near = type("Near", (), {"listed": listed, "may": True})
    said = " ".join(claims.value.list_sentences(near, programme, "poll", "just_below_2026q1", ""))
    assert "2 customers of 20, drawn by lot, are left alone and not on it" in said
    assert "(grade A)" in said
    barred = claims.value.list_sentences(type("Near", (), {"listed": listed, "may": False}), programme, "poll", "x", "")
    assert barred[0].startswith("No list is written")
    assert claims.value.list_sentences(type("Near", (), {"listed": listed.iloc[:0], "may": True}), programme, "poll", "x", "") == []


def test_opinion_and_mood_are_told_with_their_interval_or_why_not():
    known = opinion.Opinion(np.arange(11.0), 0.63, 0.61, 0.65, *(np.empty(0),) * 3, 100, 80, 83.0, "")
    assert "63 % lasting opinion and the rest mood of the day (95 % interval 61 to 65 %, from 80 customers" in claims.value.mood(known)
    assert "cannot be told (12 customers" in claims.value.mood(known._replace(note="not estimable (12 customers were asked twice)"))


def test_a_point_within_customers_stands_beside_what_differs_between_them(programme):
    steps = pd.DataFrame([{"outcome": "spend", "unit": "money", "basis": basis, "estimate": value, "conf_low": value - 1, "conf_high": value + 1, "note": ""} for basis, value in (("observed", 2.4), ("adjusted", 2.1), ("within", 0.1))])
    said = claims.value.point(steps, programme.kpis[0], programme, (-10.0, 18.0), 500)
    assert "as observed €2.40 a customer (€1.40 to €3.40); others held €2.10 a customer (€1.10 to €3.10); within customers no detectable difference (−€0.90 to €1.10)" in said[0]
    assert "ran from −10 to +18" in said[1]
    assert claims.value.point(steps.iloc[:0], programme.kpis[0], programme, (np.nan, np.nan), 0)[0].startswith("Too few customers")


def test_the_figure_draws_means_rising_line_and_band():
    curves = pd.DataFrame({"label": "Spend", "unit": "money:EUR", "score": range(5), "estimate": [1.0, 2, 3, 4, 5], "conf_low": [0.5, 1, 2, 3, 4], "conf_high": [1.5, 3, 4, 5, 6], "rising": [1.0, 2, 3, 4, 5], "n": 80, "n_eff": [20.0, 80, 80, 80, 80]})
    band = pd.DataFrame({"label": ["Spend"], "estimate": [2.5], "conf_low": [2.0], "conf_high": [3.0]})
    one, other = figures.thresholds.curves(curves, breaks=band), figures.thresholds.curves(curves)
    assert len(one.patches) == 1
    assert not other.patches
    assert len(one.lines) == len(other.lines) + 1
    assert figures.thresholds.curves(curves.iloc[:0]) is not None


def test_numbers_of_several_units_are_rounded_each_by_its_own():
    """Visits beside money read 3, 3, 3: the largest number of the column decided."""
    frame = pd.DataFrame({"score": [1, 2, 1, 2], "label": ["Days", "Days", "Spend", "Spend"], "unit": ["days", "days", "money:EUR", "money:EUR"], "estimate": [3.18, 3.31, 108.2, 120.4], "conf_low": [3.01, 3.14, 90.1, 100.9], "conf_high": [3.35, 3.49, 120.0, 140.2]})
    page = tables.table(claims.numbers(frame), id="t", caption="c").html
    assert all(text in page for text in ("3.18", "3.49", ">108<", ">140<", ">EUR<"))
    assert "108.2" not in page


def test_an_estimate_and_its_limits_have_one_number_of_decimals():
    frame = pd.DataFrame({"level": [120.4, 230.5], "estimate": [0.67, 1.38], "conf_low": [0.458, 1.052], "conf_high": [0.881, 1.702]})
    page = tables.table(frame, id="t", caption="c").html
    assert all(text in page for text in (">0.46<", ">0.67<", ">1.70<", ">120<"))
    apart = tables.table(frame[["level", "conf_low", "conf_high"]], id="t", caption="c").html  # what stands in front is no estimate of theirs
    assert all(text in apart for text in (">0.46<", ">1.70<", ">120<"))
