"""Lists of low scorers: who leaves before the call comes is not called, and must not stand for those left alone."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_measured import action, company

from cxlib.act import lists, measured
from cxlib.act.plan import Action

CALL = Action(id="call", name="Call", design="list", outcome="retention", kpi="recommend", survey="pulse", cut=6, start="2024-03-01", end="2024-08-31", window_days=60)


class Tables(dict):
    end = dt.date(2025, 6, 30)


def low_scorers(rng, n=500):
    """Low scorers who leave at one rate from their answer on; half are to be called two to thirty days later, and are if they are still there. The call does nothing."""
    ids = np.array([f"p{k:03d}" for k in range(n)])
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 150, n), unit="D")
    leaves, call = rng.exponential(150, n), np.where(rng.random(n) < 0.5, rng.integers(2, 30, n), 9999)
    called = call < leaves
    left = pd.Series(day + pd.to_timedelta(leaves.round(), unit="D"))
    people = pd.DataFrame({"person_id": ids, "account_id": ids, "joined_on": pd.Timestamp("2023-01-01"), "left_on": left.where(left <= pd.Timestamp(Tables.end))})
    log = pd.DataFrame({"action_id": "call", "person_id": ids[called], "arm": "treated", "probability": np.nan, "assigned_on": (day + pd.to_timedelta(call, unit="D"))[called], "delivered_on": pd.NaT, "cost": np.nan})
    answers = pd.DataFrame({"answer": ids, "person_id": ids, "survey": "pulse", "answered_on": day, "recommend": rng.integers(0, 7, n).astype(float)})
    return Tables(people=people, actions=log, responses=answers)


@pytest.mark.parametrize("runs", [10, pytest.param(400, marks=pytest.mark.slow)])
def test_a_call_that_does_nothing_keeps_nobody_though_who_leaves_is_never_called(runs):
    """METHODS (c). Dated by their answer the others would lose those who left before any call, and the call would seem to keep a customer in ten."""
    rng, held, mean, naive = np.random.default_rng(3), 0, [], []
    for _ in range(runs):
        tables = low_scorers(rng)
        row, _ = lists.evaluate(CALL, tables)
        held += row["conf_low"] <= 0 <= row["conf_high"]
        mean.append(row["estimate"])
        everybody = tables["people"].assign(called=lambda own, log=tables["actions"]: own["person_id"].isin(log["person_id"]), day=tables["responses"]["answered_on"])
        stayed = ~(everybody["left_on"] < everybody["day"] + pd.Timedelta(days=60))
        naive.append(stayed[everybody["called"]].mean() - stayed[~everybody["called"]].mean())
    assert np.mean(naive) > 0.06
    assert abs(np.mean(mean)) < 4 * np.std(mean) / np.sqrt(runs)
    assert stats.binomtest(int(held), runs, 0.93, "less").pvalue > 0.005


def test_called_and_uncalled_are_counted_from_the_same_day_after_their_score():
    tables = low_scorers(np.random.default_rng(4))
    made = lists.cohort(CALL, tables)
    waited = (made["assigned_on"] - made["person_id"].map(tables["responses"].set_index("person_id")["answered_on"])).dt.days
    assert waited.unique().tolist() == [made.attrs["from_day"]]
    log = tables["actions"].set_index("person_id")["assigned_on"]
    assert (made.loc[made["treated"], "person_id"].map(log) <= made.loc[made["treated"], "assigned_on"]).all()
    late = ~made["treated"] & made["person_id"].isin(log.index)
    assert 0 < late.sum() < 0.15 * made["treated"].sum()
    assert f"counted from {made.attrs['from_day']} days after the low score on" in lists.evaluate(CALL, tables)[0]["note"]


def test_a_list_of_whose_customers_nothing_is_known_is_a_description():
    """No past, one day on which all joined, no segment: nothing to be made alike in."""
    tables = low_scorers(np.random.default_rng(5), 200)
    plan = CALL.model_copy(update={"kpi": "", "cut": None})
    tables["actions"]["assigned_on"] = pd.Timestamp("2024-09-15")
    tables["people"]["left_on"] = tables["people"]["left_on"].where(tables["people"]["left_on"] > pd.Timestamp("2024-09-20"))
    row, path = lists.evaluate(plan, tables)
    assert row["grade"] == "D"
    assert row["reason"].startswith("described")
    assert "nothing could be made alike" in row["note"]
    assert path.empty
    assert row["estimate"] == pytest.approx(row["naive"])


def test_one_customer_far_out_does_not_make_two_groups_alike():
    """A list of the better half, and one of the others who once bought for 40 times as much: a hair of weight for that one made the means alike, and the better half's spend the list's work."""
    tables = company(6, 800, listed=lambda level, rng: level > np.median(level))
    tables["people"]["contract"] = "prepaid"
    listed = set(tables["actions"]["person_id"])
    other = next(one for one in tables["people"]["person_id"] if one not in listed)
    orders = tables["orders"]
    orders.loc[(orders["person_id"] == other) & orders["ordered_on"].between("2024-12-01", "2025-02-28"), ["margin", "amount"]] = [4000.0, 8000.0]
    orders.loc[(orders["person_id"] == other) & orders["ordered_on"].between("2024-09-01", "2024-11-30"), ["margin", "amount"]] = [4000.0, 8000.0]
    row = measured.effects([action(design="list")], tables)[0].iloc[0]
    assert (row["grade"], np.isnan(row["estimate"])) == ("D", True)
    assert "not estimable" in row["note"]


def test_a_list_whose_window_is_not_over_is_no_fault():
    tables = low_scorers(np.random.default_rng(6), 60)
    tables.end = dt.date(2024, 3, 2)
    found = measured.effects([CALL.model_copy(update={"outcome": "margin"})], tables)[0]
    assert found["grade"].tolist() == ["E"]
