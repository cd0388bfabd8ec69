"""What is said of money follows grade and interval, and no probability is certain."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.act import plan
from cxlib.show import figures
from cxlib.show.claims import worth

PLAN = plan.Plan(actions=(plan.Action(id="call", name="Loyalty call", design="randomised", start=dt.date(2026, 1, 5), end=dt.date(2026, 1, 20)),))


def measured(net=1000.0, half=400.0, *, grade="A", cost=2000.0, months=4.0, p=0.99, later=None):
    rows = [
        ("value", net + cost, net + cost - half, net + cost + half, "money", ""), ("investment", cost, cost, cost, "money", ""), ("net", net, net - half, net + half, "money", ""), ("roi", net / cost, 0.1, 2.0, "ratio", ""),
        ("payback_months", months, 3.0, np.nan, "months", "" if months == months else "not paid back within 6 months in every draw"), ("p_pays", p, np.nan, np.nan, "probability", ""), ("break_even_effect", 2.5, 2.0, 3.0, "effect", ""),
    ]  # fmt: skip
    rows += [("later", later, later - 1, later + 1, "money", "declared"), ("net_later", net + later, 0.0, 1.0, "money", "")] if later else []
    return pd.DataFrame(rows, columns=["measure", "estimate", "conf_low", "conf_high", "unit", "note"]).assign(action="call", grade=grade, n=500, draws=65536, std_error=1.0)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (measured(), "Loyalty call returned €1,000 more than the €2,000 it cost"),
        (measured(-1000.0), "Loyalty call brought €1,000 less than the €2,000 it cost"),
        (measured(100.0), "whether its €2,000 paid cannot be told"),
        (measured(grade="C"), "what goes with it is worth €1,000 more than the €2,000 it cost (95 % interval €600 to €1,400; grade C, so this is no proof)"),
        (measured(-1000.0, grade="D"), "€1,000 less than the €2,000 it cost"),
    ],
)
def test_the_verb_follows_grade_and_interval(found, told):
    line = worth.returns(found, PLAN, "EUR")[0]
    assert told in line
    if found["grade"].iloc[0] in "CD":
        assert " returned " not in line
        assert " brought " not in line


def test_no_probability_is_certain_and_what_never_pays_back_gets_no_month():
    assert "more than 99 in 100 draws" in worth.returns(measured(p=1 - 1e-6), PLAN, "EUR")[0]
    line = worth.returns(measured(-1000.0, p=1e-6, months=np.nan), PLAN, "EUR")[0]
    assert "less than 1 in 100 draws; not paid back within 6 months" in line


def test_an_account_of_two_actions_names_both():
    line = worth.returns(measured().assign(others="Call after it"), PLAN, "EUR")[0]
    assert line.startswith("Loyalty call and Call after it returned €1,000 more than the €2,000 they cost")
    assert line.endswith("this is of both together.")


def test_what_is_declared_is_said_to_be_unseen():
    assert "nobody has seen that part" in worth.returns(measured(later=500.0), PLAN, "EUR")[0]


def test_without_a_return_the_reason_stands():
    assert worth.returns(measured().iloc[:0], PLAN, "EUR", {"call": "nobody wrote down what it cost"}) == ["Loyalty call: no return, because nobody wrote down what it cost."]
    assert "no return can be computed" in worth.returns(measured().iloc[:0], PLAN, "EUR")[0]


def account():
    rows = [("effect", "effect", "Effect on margin", 5.0, 2.0, 8.0, "margin", "finding effects", "A"), ("fixed", "money", "Fixed cost", 400.0, np.nan, np.nan, "money", "plan.toml", "")]
    return pd.DataFrame(rows, columns=["input", "role", "label", "estimate", "conf_low", "conf_high", "unit", "source", "grade"]).assign(action="call")


def test_an_account_lists_every_input_with_source_and_grade():
    table = worth.account(account(), measured(), "EUR").set_index("line")
    assert table.loc["Effect on margin", ["amount", "interval", "source", "grade"]].tolist() == ["€5.00", "€2.00 to €8.00", "finding effects", "A"]
    assert table.loc["Fixed cost", ["amount", "interval", "grade"]].tolist() == ["€400", "–", "–"]
    assert table.loc["Paid back after", "interval"] == "3 months to later"
    assert table.loc["Effect at which it breaks even", "amount"] == "€2.50"


@pytest.mark.parametrize(("grade", "net", "action"), [("A", 1000.0, 1), ("A", 100.0, 0), ("C", 1000.0, 0)])
def test_claims_lead_to_action_only_where_design_and_interval_allow(grade, net, action):
    effects = pd.DataFrame([{"action": name, "outcome": "margin", "p": 0.001, "estimate": 2.0, "grade": "A"} for name in ("call", "other")])
    made = worth.rows(effects, measured(net, grade=grade), pd.DataFrame(), pd.DataFrame({"action": []}), {"other": "nobody wrote down what it cost"}, plan.Plan(actions=(*PLAN.actions, PLAN.actions[0].model_copy(update={"id": "other", "name": "Other"}))), "EUR")
    row = made[made["claim_id"] == "roi.call.return"].iloc[0]
    assert (row["action"], row["grade"], row["test_id"]) == (action, grade, "11.call.margin")
    assert "cannot be told, because no effect was detected" in row["text_null"]
    assert made.loc[made["claim_id"] == "roi.other.unknown", "grade"].tolist() == ["E"]


def test_portfolio_says_what_is_in_it_and_what_is_left_out():
    line = {"action": "call", "value": 3000.0, "investment": 2000.0, "estimate": 1000.0, "conf_low": 600.0, "conf_high": 1400.0, "roi": 0.5, "p_pays": 0.99, "n": 500, "grade": "A", "note": "with Letter"}
    found = pd.DataFrame([line, line | {"action": "all", "note": ""}])
    said = worth.portfolio(found, PLAN, "EUR")
    assert said[0].startswith("The one action with an account cost €2,000, for 500 customers by name, each counted once, and brought €3,000: net €1,000 (95 % interval €600 to €1,400); it paid, at grade A")
    assert "nobody wrote it down" in said[1]
    both = pd.DataFrame([line, line | {"action": "sure", "note": "1 account"}, line | {"action": "all", "grade": "C", "note": ""}])
    assert worth.portfolio(both, PLAN, "EUR")[0].startswith("The one action of grade A or B cost €2,000")
    weak = worth.portfolio(found.assign(grade="C"), PLAN, "EUR")[0]
    assert "what goes with it is worth €3,000" in weak
    assert weak.endswith("at grade C, which is no proof.")
    assert worth.portfolio(found.iloc[:0], PLAN, "EUR") == ["No action has an account, so there is nothing to add up."]
    assert worth.portfolio_table(found, PLAN, "EUR")["action"].tolist() == ["Loyalty call with Letter", "All together"]


def test_figures_of_money_draw_what_was_observed_apart_from_what_is_declared():
    frame = pd.DataFrame({"month": [0, 1, 2, 1, 2, 3], "estimate": [-5.0, 0, 5, 0, 6, 9], "conf_low": [-6.0, -2, 1, -2, 1, 2], "conf_high": [-4.0, 2, 9, 2, 11, 16], "declared": [0, 0, 0, 1, 1, 1]})
    ax = figures.worth.payback(frame, currency="EUR")
    assert {line.get_linestyle() for line in ax.lines} >= {"-", "--"}
    assert "dashed" in ax.get_xlabel()
    assert "dashed" not in figures.worth.payback(frame[frame["declared"] == 0], currency="EUR").get_xlabel()


def test_the_numbers_behind_a_tornado_carry_each_inputs_own_unit():
    own = pd.DataFrame([{"action": "call", "label": "Effect on margin", "low": 2.89, "high": 12.93, "net_low": 229.0, "net_high": 2835.0, "swing": 2606.0}, {"action": "call", "label": "What may come on top", "low": 0.0025, "high": 0.0975, "net_low": 1500.0, "net_high": 1400.0, "swing": 100.0}])
    inputs = pd.DataFrame({"action": "call", "input": ["effect", "contingency"], "label": ["Effect on margin", "What may come on top"], "unit": ["margin", "share"]})
    shown = worth.swing_table(own, inputs, "EUR")
    assert shown.iloc[0].tolist() == ["Effect on margin", "€2.89", "€12.93", "€229", "€2,840", "€2,610"]
    assert shown.iloc[1].tolist()[1:3] == ["0.3 %", "9.8 %"]
    paid = pd.DataFrame({"month": [0, 1], "estimate": [-5.0, 2.0], "conf_low": [-6.0, 1.0], "conf_high": [-4.0, 3.0], "declared": 0})
    assert list(worth.paid(paid, "EUR")) == ["month", "EUR", "conf_low", "conf_high"]
    assert "declared" in worth.paid(paid.assign(declared=[0, 1]), "EUR")
