"""Forecasts of plans and of customers, kept and compared with what came; the chain from a rating to margin; what customers are worth."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_buying import shared
from test_lifetime import company

from cxlib import run, schema
from cxlib.act import chains, equity, forecasts, plan, returns
from cxlib.programme import Finance
from cxlib.show.claims import worth as words

END = dt.date(2025, 12, 31)


class Tables(dict):
    def __init__(self, *, end=END, quarter="2025Q4", finance=None, **tables):
        super().__init__(tables)
        kpi = SimpleNamespace(id="nps", item="recommend", definition="nps_0_10")
        self.end, self.quarter = end, quarter
        self.programme = SimpleNamespace(
            fiscal_year_start=1, fiscal_year_label="start", currency="EUR", rates=(), finance=Finance(**(finance or {})), kpi=lambda name: kpi, label=lambda name: name.title(),
            quarter_of=lambda day: f"{day.year}Q{(day.month - 1) // 3 + 1}",
        )  # fmt: skip


@pytest.mark.parametrize("worlds", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_forecast_of_who_leaves_covers(worlds):
    hits = 0
    for seed in range(worlds):
        people = company(seed, n=800)
        row = forecasts.leaving(people, until="2025-06-30", to="2025-09-30")
        hits += row["conf_low"] <= forecasts.left(people, until="2025-06-30", to="2025-09-30") <= row["conf_high"]
    assert hits / worlds >= 0.95 - 2.6 * np.sqrt(0.95 * 0.05 / worlds) - 0.005


def test_a_forecast_uses_nothing_that_came_later():
    people = company(1, n=800)
    then = forecasts.leaving(people, until="2025-06-30", to="2025-09-30")
    blind = people.assign(left_on=people["left_on"].where(people["left_on"] <= pd.Timestamp("2025-06-30")))
    assert then == forecasts.leaving(blind[blind["joined_on"] <= pd.Timestamp("2025-06-30")], until="2025-06-30", to="2025-09-30")


def scored(n, inside, source="remade"):
    frame = pd.DataFrame({"forecast": "leaving", "kind": "count", "what": "w", "made_in": "2025Q1", "due": "2025Q2", "unit": "customers", "estimate": 50.0, "std_error": 10.0, "conf_low": 30.0, "conf_high": 70.0, "p": np.nan, "n": 800, "grade": "D", "source": source, "note": "", "actual": 60.0, "inside": 0}, index=range(n))
    return frame.assign(inside=[1] * inside + [0] * (n - inside))


@pytest.mark.parametrize(("n", "inside", "verdict"), [(7, 6, "too few to judge"), (7, 2, "too narrow"), (40, 38, "kept"), (40, 28, "too narrow"), (300, 300, "too wide")])
def test_coverage_is_judged_as_far_as_it_can_be(n, inside, verdict):
    row = forecasts.calibration(scored(n, inside)).iloc[0]
    assert row["verdict"] == verdict
    assert row["bias"] == pytest.approx(1.0)
    told = words.calibrated(forecasts.calibration(scored(n, inside)))[0]
    assert {"too few to judge": "too few to tell", "kept": "fits", "too narrow": "too narrow", "too wide": "wider than"}[verdict] in told


def test_chances_that_actions_pay_are_scored_by_brier():
    told = scored(2, 2, "2025Q1 r1").assign(forecast=["value.a", "value.b"], kind="value", p=[0.9, 0.2])
    measured = pd.DataFrame({"action": ["a", "b"], "measure": "net", "estimate": [10.0, 5.0], "grade": "A"})
    assert forecasts.calibration(told, measured)["brier"].iloc[0] == pytest.approx((0.1**2 + 0.8**2) / 2)
    assert forecasts.calibration(told)["n_brier"].iloc[0] == 0


def test_earlier_quarters_are_made_anew_and_compared():
    tables = Tables(people=company(2, n=900))
    found = forecasts.settled(forecasts.before(tables, pd.DataFrame(columns=forecasts.FORECASTS)), tables, pd.DataFrame(columns=returns.MEASURES))
    assert found["made_in"].tolist() == sorted(found["made_in"])
    assert len(found) == 8
    assert found["due"].iloc[-1] == "2025Q4"
    assert (found["source"] == "remade").all()
    schema.check("settled", found)
    schema.check("forecasts", forecasts.standing(tables))
    assert forecasts.standing(Tables(people=company(2, n=50).assign(left_on=pd.NaT))).empty


def test_a_plans_promise_is_compared_once_its_effect_is_measured():
    promise = pd.DataFrame([{"forecast": "value.app", "kind": "value", "what": "value of App", "made_in": "2024Q2", "due": "2025Q4", "unit": "EUR", "estimate": 100.0, "std_error": 20.0, "conf_low": 60.0, "conf_high": 140.0, "p": 0.8, "n": 500, "grade": "D", "source": "2024Q2 r1", "note": ""}])
    measured = pd.DataFrame({"action": "app", "measure": ["value", "net"], "estimate": [30.0, -20.0], "grade": "A"})
    row = forecasts.settled(promise, Tables(), measured).iloc[0]
    assert (row["actual"], row["inside"]) == (30.0, 0)
    assert forecasts.settled(promise, Tables(), measured.assign(grade="E")).empty
    assert forecasts.settled(promise.assign(due="2026Q1"), Tables(), measured).empty


def test_only_the_last_published_edition_of_earlier_quarters_is_read(tmp_path):
    frame = forecasts.standing(Tables(people=company(2, n=900)))
    for place, shift in (("2025Q2/r1", 0), ("2025Q2/r2", 1), ("2025Q3/draft", 2), ("2025Q4/r1", 3), ("2026Q1/r1", 4)):
        folder = tmp_path / place / "findings"
        folder.mkdir(parents=True)
        schema.check("forecasts", frame.assign(estimate=100.0 + shift)).to_parquet(folder / "forecasts.parquet", index=False)
    opened = run.Run(Tables().programme, "2025Q4", "11_roi", tmp_path / "2025Q4" / "hand")
    found = opened.earlier("forecasts")
    assert found[["source", "estimate"]].to_numpy().tolist() == [["2025Q2 r2", 101.0]]
    assert opened.earlier("roi").empty


def customers(seed, *, slope=0.5, n=900):
    """Customers whose margin after an answer rises with their score, and whose margin before does not tell it."""
    rng = np.random.default_rng(seed)
    score, usual = rng.integers(0, 11, n), rng.gamma(4, 25, n)
    value = np.where(score >= 9, 100, np.where(score <= 6, -100, 0))
    people = pd.DataFrame({"person_id": [f"p{i}" for i in range(n)], "contract": np.where(rng.random(n) < 0.5, "a", "b"), "joined_on": pd.Timestamp("2020-01-01"), "left_on": pd.NaT})
    answers = pd.DataFrame({"person_id": people["person_id"], "survey": "annual", "answer": people["person_id"], "answered_on": pd.Timestamp("2024-06-01"), "recommend": score.astype(float), "weight": 1.0})
    before = pd.DataFrame({"person_id": people["person_id"], "ordered_on": pd.Timestamp("2024-01-15"), "margin": usual})
    after = pd.DataFrame({"person_id": people["person_id"], "ordered_on": pd.Timestamp("2024-09-15"), "margin": usual + slope * value + rng.normal(0, 40, n)})
    first = pd.DataFrame({"person_id": ["p0"], "ordered_on": [pd.Timestamp("2023-01-01")], "margin": [0.0]})
    return Tables(people=people, responses=answers, orders=pd.concat([first, before, after], ignore_index=True).assign(amount=lambda f: f["margin"] * 2))


@pytest.mark.parametrize("worlds", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_what_a_point_goes_with_is_found_and_covered(worlds):
    rows = pd.concat([chains.point(customers(seed, slope=0.2), survey="annual", item="recommend", definition="nps_0_10") for seed in range(worlds)])
    assert rows["estimate"].mean() == pytest.approx(0.2, abs=0.01)
    assert ((rows["conf_low"] <= 0.2) & (rows["conf_high"] >= 0.2)).mean() >= 0.95 - 2.6 * np.sqrt(0.95 * 0.05 / worlds)
    assert set(rows["grade"]) == {"C"}


def steps(**change):
    row = {"survey": "annual", "wave": "2025Q4", "kpi": "nps", "driver": "waiting", "step": 0.5, "estimate": 10.0, "conf_low": 8.0, "conf_high": 12.0, "unit": "points"}
    return pd.DataFrame([row | change])


def coming(**options):
    return plan.Action(**({"id": "faster", "name": "Faster answers", "design": "randomised", "start": dt.date(2026, 2, 1), "end": dt.date(2026, 3, 31), "item": "waiting", "customers": 1000, "fixed_cost": 500.0, "unit_cost": 1.0} | options))


def test_a_forecast_is_lift_times_points_times_margin_and_never_better_than_d():
    tables, action = customers(1), coming(lift=0.25)
    ahead = chains.accounts([action], tables, steps(), tables.programme)
    at = ahead.set_index("input")
    assert at.loc["effect", "estimate"] == 5.0
    assert at.loc["deliveries", "estimate"] == 1000
    found = returns.measures(ahead, chains.flows(ahead, [action], tables.programme), draws=4096, seed=1).set_index("measure")
    plain = 5 * at.loc["point", "estimate"] * 1000
    assert 0.9 * plain < found.loc["value", "estimate"] < plain  # a year at 8 %, from the end of March on
    assert set(found["grade"]) == {"D"}
    schema.check("accounts", ahead)
    made = forecasts.made(tables, found.reset_index().assign(action="faster"), plan.Plan(actions=(action,)))
    assert made.loc[made["forecast"] == "value.faster", "due"].tolist() == ["2027Q1"]
    assert words.plans(found.reset_index().assign(action="faster"), plan.Plan(actions=(action,)), "EUR", {})[0].startswith("Faster answers (forecast, grade D)")


def test_a_lift_beyond_one_realistic_step_is_not_counted():
    tables = customers(1)
    ahead = chains.accounts([coming(lift=3.0)], tables, steps(), tables.programme).set_index("input")
    assert ahead.loc["effect", "estimate"] == 10.0
    assert "beyond 0.5 nothing was seen" in ahead.loc["effect", "source"]


@pytest.mark.parametrize(
    ("change", "rows", "why"),
    [({"item": ""}, {}, "which attribute"), ({}, {"driver": "price"}, "no such attribute"), ({"fixed_cost": None, "unit_cost": None}, {}, "what it is to cost"), ({"customers": None}, {}, "how many customers"), ({"currency": "CHF"}, {}, "what it is to cost")],
)
def test_a_plan_without_a_link_has_no_forecast_and_says_why(change, rows, why):
    tables = customers(1)
    ahead = chains.accounts([coming(**change)], tables, steps(**rows), tables.programme)
    assert ahead.empty
    assert why in ahead.attrs["refused"]["faster"]
    assert chains.coming([coming(start=dt.date(2025, 12, 1))], tables) == []


def test_what_a_point_goes_with_needs_a_year_before_and_after():
    tables = customers(1)
    late = tables["responses"].assign(answered_on=pd.Timestamp("2025-06-01"))
    row = chains.point(Tables(people=tables["people"], orders=tables["orders"], responses=late), survey="annual", item="recommend", definition="nps_0_10").iloc[0]
    assert np.isnan(row["estimate"])
    assert "100 are needed" in row["note"]


def test_dates_that_contradict_each_other_are_said_and_stop_no_page():
    people = company(3)
    people.loc[0, "joined_on"] = pd.Timestamp("2025-11-30")
    people.loc[0, "left_on"] = pd.Timestamp("2025-02-01")
    orders = pd.DataFrame({"person_id": people["person_id"], "ordered_on": pd.Timestamp("2025-06-01"), "amount": 30.0, "margin": 10.0})
    tables = Tables(people=people, orders=orders)
    found = equity.kept(tables)
    schema.check("lifetime", found)
    assert "left on 2025-02-01, before joining on 2025-11-30" in words.customers(found, "EUR")[0]
    assert words.watched(found) == []
    assert words.customer_table(found, equity.buyers(tables), "EUR")["worth"].tolist() == ["not estimable"]
    assert forecasts.standing(tables).empty


@pytest.mark.shared
def test_cdnow_has_no_leavers_and_is_worth_what_it_buys():
    orders = pd.read_parquet(shared("purchases/cdnow_master_to_1997-09-30.parquet")).rename(columns={"customer_id": "person_id", "date": "ordered_on", "dollar_value": "amount"}).assign(margin=np.nan)
    tables = Tables(end=dt.date(1997, 9, 30), quarter="1997Q3", orders=orders[orders["person_id"].astype(int) % 5 == 0], finance={"margin_rate": 0.3})
    assert equity.kept(tables).empty
    found = equity.buyers(tables, draws=60)
    schema.check("buying", found)
    held, worth = found[found["parameter"] == "holdout"].set_index("model"), found[found["parameter"] == "worth"].iloc[0]
    assert held.loc["mbg", "conf_low"] <= held.loc["mbg", "actual"] <= held.loc["mbg", "conf_high"]
    assert worth["model"] == "mbg"
    assert worth["conf_low"] < worth["estimate"] < worth["conf_high"]
    assert any("It is used here" in line for line in words.buyers(found, "USD"))


def test_a_forecast_that_missed_what_was_held_out_is_widened_by_that():
    """Trade that doubles at the end of the year is in no model of steady buyers."""
    rng = np.random.default_rng(1)
    rows = [(f"p{one}", day) for one in range(400) for day in np.cumsum(rng.exponential(40 if one % 2 else 90, 12)).astype(int) if day < 330]
    rows += [(f"p{one}", int(day)) for one in range(400) for day in rng.integers(270, 330, rng.poisson(2))]
    orders = pd.DataFrame(rows, columns=["person_id", "day"]).assign(ordered_on=lambda f: pd.Timestamp("2025-02-01") + pd.to_timedelta(f["day"], unit="D"), amount=10.0, margin=np.nan)
    found = equity.buyers(Tables(orders=orders), draws=100)
    held, bought = found[found["parameter"] == "holdout"], found[found["parameter"] == "purchases"].iloc[0]
    assert (held["actual"] > held["conf_high"]).all()
    assert "widened by what" in bought["note"]
    missed = held.loc[held["model"] == bought["model"]].iloc[0]
    assert bought["conf_high"] / bought["estimate"] > missed["actual"] / missed["estimate"]
    assert "outside" in words.buyers(found, "EUR")[0]


def test_customers_who_can_be_seen_to_leave_are_never_modelled_as_buyers():
    people = company(3)
    rng = np.random.default_rng(1)
    orders = pd.DataFrame({"person_id": np.repeat(people["person_id"].to_numpy(), 2), "ordered_on": pd.Timestamp("2025-06-01") + pd.to_timedelta(rng.integers(0, 200, 2 * len(people)), unit="D"), "amount": 30.0, "margin": 10.0})
    tables = Tables(people=people, orders=orders)
    assert equity.buyers(tables).empty
    found = equity.kept(tables)
    schema.check("lifetime", found)
    assert "delayed entry" in words.watched(found)[0]
    assert equity.kept(Tables(people=people, orders=orders.assign(margin=np.nan))).empty
    assert equity.kept(Tables(people=people, orders=orders.assign(margin=np.nan), finance={"margin_rate": 0.2}))["margin_month"].iloc[0] < found["margin_month"].iloc[0]
