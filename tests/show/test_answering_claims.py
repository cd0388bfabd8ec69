"""What 01 says of those who answered and of those who were silent follows the numbers."""

import pandas as pd
import pytest
from small import SHIPPED

from cxlib import programme
from cxlib.measure import nonresponse
from cxlib.show import claims, prose


@pytest.fixture(scope="module")
def telecom():
    return programme.read(SHIPPED)


def rates(low_rate):
    columns = ["survey", "wave", "quarter", "field", "value", "n", "estimate", "conf_low", "conf_high", "share_invited", "share_answered"]
    return pd.DataFrame([("annual", "2026Q3", "2026Q3", "", "", 1000, 0.45, 0.42, 0.48, 1, 1), ("annual", "2026Q3", "2026Q3", "contract", "prepaid", 300, low_rate, low_rate - 0.04, low_rate + 0.04, 0.3, 0.3 * low_rate / 0.45)], columns=columns)


def test_a_fiscal_quarter_is_told_by_its_days(telecom):
    said = claims.loading.calendar(telecom, "2026Q3")
    assert said == ["The fiscal year begins in April and is named after the calendar year in which it ends: 2026Q3 is 1 October 2025 to 31 December 2025."]
    begins = telecom.model_copy(update={"fiscal_year_label": "start"})
    assert claims.loading.calendar(begins, "2026Q3") == ["The fiscal year begins in April and is named after the calendar year in which it begins: 2026Q3 is 1 October 2026 to 31 December 2026."]
    assert claims.loading.calendar(telecom.model_copy(update={"fiscal_year_start": 1}), "2026Q3") == []


def test_rates_stand_in_percent_with_their_interval(telecom):
    table = claims.answering.rates(rates(0.3), telecom)
    assert table.iloc[:, 1].tolist() == ["45 % (42 to 48 %), n 1,000", "30 % (26 to 34 %), n 300"]
    assert table["category"].tolist() == ["All invited", "Form of contract: prepaid"]


def test_a_group_is_named_only_where_its_interval_lies_below_the_rate_of_all(telecom):
    assert "30 % where form of contract is prepaid: 30 % of those invited and 20 % of those who answered" in claims.answering.uneven(rates(0.3), telecom)[0]
    assert "no group that the frame knows of answered clearly less" in claims.answering.uneven(rates(0.44), telecom)[0]


@pytest.mark.parametrize(("low", "high", "said"), [(-0.05, -0.01, "answer less"), (0.01, 0.05, "answer more"), (-0.02, 0.01, "no detectable difference")])
def test_fatigue_is_told_by_its_interval(telecom, low, high, said):
    found = pd.DataFrame([{"survey": "pulse", "earlier": "each one more", "conf_low": low, "conf_high": high, "p": 0.1}])
    text = claims.answering.fatigue(found, telecom)[0]
    assert said in text
    assert prose.interval(low, high, "percentage points", digits=1) in text


def test_a_shift_within_its_error_is_not_told_as_a_move(telecom):
    row = {"kpi": "nps", "survey": "annual", "unit": "points", "estimate": -4.6, "shown": -3.9, "std_error": 2.9, "shift": -0.7, "fields": "contract, region"}
    assert "no figure moves by more than its standard error" in claims.answering.adjusted(pd.DataFrame([row]), telecom)[0]
    far = row | {"estimate": -13.9, "shift": -10.0}
    assert "the figure that moves most for its error is Net Promoter Score, from −3.9 to −13.9" in claims.answering.adjusted(pd.DataFrame([far]), telecom)[0]


def test_bounds_say_the_worst_last(telecom):
    row = {"kpi": "nps", "survey": "annual", "quarter": "2026Q3", "unit": "points", "rate": 0.44, "estimate": -3.9}
    found = pd.DataFrame([row | {"shift": 200.0, "conf_low": -60.0, "conf_high": 56.0}, row | {"shift": 10.0, "conf_low": -14.8, "conf_high": 7.1}])
    table = claims.answering.bounds(found, telecom)
    assert list(table) == ["figure", "rate", "level", "by 10 points", "at worst"]
    assert table.iloc[0].tolist()[1:] == ["44 %", "−3.9", "−14.8 to +7.1", "−60.0 to +56.0"]


def test_boxes_say_what_is_not_known(telecom):
    box = {"survey": "pulse", "quarter": "2026Q3", "population": "", "mode": "", "first": pd.Timestamp("2026-07-01"), "last": pd.Timestamp("2026-09-30"), "invited": float("nan"), "completed": 825, "people": float("nan"), "accounts": float("nan")}
    box |= {"estimate": float("nan"), "conf_low": float("nan"), "conf_high": float("nan"), "definition": "", "minutes": float("nan"), "weighting": "unweighted", "n_eff": 825.0, "factor": 1.0}
    told = claims.answering.boxes(pd.DataFrame([box]), telecom).set_index("fieldwork").iloc[:, 0]
    assert told["Response rate"] == "not known: nobody knows who was invited"
    assert [told["Invited"], told["Completed"], told["Stands for"]] == ["not known", "825", "not declared"]


def test_the_tracking_page_says_what_its_intervals_allow_for(telecom):
    level = {"kpi": "nps", "survey": "pulse", "quarter": "2026Q3", "unit": "points", "estimate": 1.0, "unweighted": 1.0, "n": 822, "n_eff": 758.1, "basis": "clustered by account_id, finite population"}
    text = claims.tracking.weights(pd.DataFrame([level]), telecom)
    assert "allow for the design (clustered by account, finite population); 822 answers are as precise as 758 drawn at random" in text
    given = level | {"basis": "weights as given"}
    assert "taken as they were given" in claims.tracking.weights(pd.DataFrame([given]), telecom)
    assert claims.tracking.weights(pd.DataFrame([level | {"basis": ""}]), telecom).endswith("than another.")


def test_customers_of_a_file_are_not_called_invited_where_nobody_knows_who_was(telecom):
    """'30 % of those invited answered' stood on the page of a survey of which no invitations are known."""
    frame = rates(0.44).assign(definition=nonresponse.FRAME)
    said = " ".join([*claims.answering.uneven(frame, telecom), *claims.answering.rates(frame, telecom)["category"]])
    assert "of the customers in the file answered" in said
    assert "All customers of the file" in said
    assert "nvited" not in said
    assert "of those invited answered" in " ".join(claims.answering.uneven(frame.assign(definition=nonresponse.INVITED), telecom))


def test_answers_of_people_outside_the_customer_file_do_not_make_more_of_it_answer():
    """30 % of the file had answered, and the bounds stood on 40 %, because answers without a customer counted as customers."""
    shown = pd.DataFrame([{"kpi": "csat", "survey": "s", "wave": "1", "quarter": "2026Q1", "unit": "share", "definition": "csat_top2_of_5", "estimate": 0.5, "conf_low": 0.45, "conf_high": 0.55, "n": 600}])
    rate = {"survey": "s", "wave": "1", "n": 1500, "field": "", "estimate": 0.3}
    for said, expected in ((nonresponse.FRAME, 0.3), (nonresponse.INVITED, 0.4)):
        found = nonresponse.bounds(shown, pd.DataFrame([rate | {"definition": said}]))
        assert found["rate"].round(6).eq(expected).all()
