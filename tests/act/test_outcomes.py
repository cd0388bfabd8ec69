"""Outcomes from the logs, against worlds whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from cxlib.act import effects, outcomes, plan, trials
from cxlib.errors import DataError


def log(**columns):
    base = {"action_id": "call", "person_id": ["a", "b"], "arm": ["treated", "control"], "assigned_on": pd.to_datetime(["2026-04-01"] * 2), "delivered_on": pd.NaT, "cost": np.nan, "probability": 0.5}
    return pd.DataFrame(base | columns)


def orders(*rows):
    return pd.DataFrame(rows, columns=["person_id", "ordered_on", "margin"]).assign(ordered_on=lambda f: pd.to_datetime(f["ordered_on"]))


def test_the_window_starts_on_the_day_of_assignment_and_holds_whole_days():
    bought = orders(("a", "2026-03-31", 1.0), ("a", "2026-04-01", 2.0), ("a", "2026-06-29", 4.0), ("a", "2026-06-30", 8.0), ("z", "2026-04-05", 99.0))
    found = outcomes.in_window(log(), bought, days=90, value="margin", until="2026-12-31")
    assert found.set_index("person_id")["outcome"].to_dict() == {"a": 6.0, "b": 0.0}
    assert found["before"].isna().all(), "the orders begin on the day before: what came earlier is not known, and is not nothing"
    earlier = pd.concat([bought, orders(("z", "2025-12-20", 1.0))], ignore_index=True)
    found = outcomes.in_window(log(), earlier, days=90, value="margin", until="2026-12-31")
    assert found.set_index("person_id")["before"].to_dict() == {"a": 1.0, "b": 0.0}


def test_windows_that_are_not_over_are_left_out_and_counted():
    late = log(assigned_on=pd.to_datetime(["2026-04-01", "2026-05-01"]))
    found = outcomes.in_window(late, orders(("a", "2026-04-02", 1.0)), days=90, value="margin", until="2026-06-29")
    assert (found["person_id"].tolist(), found.attrs["cut"]) == (["a"], 1)


def test_a_person_in_both_arms_is_refused():
    with pytest.raises(DataError, match="person 'a' is in both arms of 'call'"):
        outcomes.in_window(log(person_id=["a", "a"]), orders(), days=90, value="margin", until="2026-12-31")


def test_orders_without_the_value_are_refused():
    with pytest.raises(DataError, match="1 orders carry no margin"):
        outcomes.in_window(log(), orders(("a", "2026-04-02", np.nan)), days=90, value="margin", until="2026-12-31")


def world(seed, *, effect=0.0, drop=0.0, people=1500, called=0.5):
    """Scores that come back to the mean; half of the low scorers are called a week later; the level may drop when a later quarter begins."""
    rng = np.random.default_rng(seed)
    level = rng.normal(7, 1.2, people)
    days = np.sort(rng.integers(0, 540, (people, 4)), axis=1)
    scores, log = np.empty((people, 4)), []
    lift = np.zeros(people)
    for turn in range(4):
        scores[:, turn] = np.clip(np.round(level + lift + rng.normal(0, 1.6, people) - drop * (days[:, turn] > 400)), 0, 10)
        lift[:] = 0
        low = np.flatnonzero((scores[:, turn] <= 6) & (days[:, turn] < 380) & (rng.random(people) < called))
        log += [(person, days[person, turn] + 7) for person in low]
        lift[low] = effect
    start = pd.Timestamp("2025-01-01")
    answers = pd.DataFrame({"person_id": np.repeat(np.arange(people).astype(str), 4), "answered_on": start + pd.to_timedelta(days.ravel(), unit="D"), "recommend": scores.ravel(), "answer": np.arange(people * 4).astype(str)})
    contacted = pd.DataFrame(log, columns=["person_id", "day"]).assign(person_id=lambda f: f["person_id"].astype(str))
    contacted = contacted.assign(assigned_on=start + pd.to_timedelta(contacted["day"], unit="D"), delivered_on=pd.NaT)
    return answers, contacted


def gap(seed, **options):
    answers, contacted = world(seed, **options)
    pairs = outcomes.retests(answers, contacted, item="recommend", days=600)
    found = effects.regression_to_mean(outcomes.comparable(pairs, cut=6), before="before", after="after", contacted="contacted", cut=6, weight="weight").set_index("group")
    return found.loc["difference"]


def test_a_call_that_does_nothing_shows_nothing_though_many_recover():
    rows = [gap(seed) for seed in range(40)]
    covered = np.mean([row["conf_low"] <= 0 <= row["conf_high"] for row in rows])
    bias = np.mean([row["estimate"] for row in rows])
    assert abs(bias) < 0.02, bias
    assert covered >= 0.85  # 40 replicates: 95 % less three standard errors


def test_a_fall_of_the_level_is_not_taken_for_the_call():
    bias = np.mean([gap(seed, drop=2.0)["estimate"] for seed in range(40)])
    assert abs(bias) < 0.02, bias


def test_a_call_that_helps_is_seen():
    assert np.mean([gap(seed, effect=1.5)["estimate"] for seed in range(10)]) > 0.15


@pytest.mark.slow
def test_the_difference_covers_zero_in_95_of_100_worlds_without_effect():
    rows = [gap(seed, drop=1.0, people=800) for seed in range(2000)]
    covered = np.mean([row["conf_low"] <= 0 <= row["conf_high"] for row in rows])
    assert covered >= 0.93, covered


def test_costs_come_from_the_log_then_from_the_plan_and_none_is_not_zero():
    action = plan.Action(id="call", name="Call", design="randomised", start="2026-04-01", end="2026-06-30", fixed_cost=100.0, unit_cost=2.0)
    delivered = pd.to_datetime(["2026-04-03", None])
    assert plan.cost(action, log(cost=[6.5, 0.0])) == 106.5
    assert plan.cost(action, log(delivered_on=delivered)) == 102.0
    assert plan.cost(action.model_copy(update={"fixed_cost": None, "unit_cost": None}), log()) is None


def test_an_action_decided_by_lot_is_graded_a_and_covers_what_was_planted():
    action = plan.Action(id="call", name="Call", design="randomised", share=0.5, start="2026-04-01", end="2026-06-30")
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"person_id": np.arange(400).astype(str), "arm": np.repeat(["treated", "control"], 200), "outcome": rng.normal(10, 3, 400) + np.repeat([2.0, 0.0], 200), "before": rng.normal(10, 3, 400), "probability": 0.5})
    people.attrs["cut"] = 0
    found = pd.DataFrame([{"action": "call", "outcome": "margin", "window_days": 90} | trials.judged(action, people)])
    assert found["grade"].tolist() == ["A"]
    assert found["conf_low"].iloc[0] < 2 < found["conf_high"].iloc[0]


def test_the_ratio_of_a_holdout_is_judged_by_the_probability_of_each_rows_own_arm():
    """A list with a tenth held back carries .9 in the rows of those treated and .1 in those held back."""
    action = plan.Action(id="call", name="Call", design="holdout", start="2026-04-01", end="2026-06-30")
    people = pd.DataFrame({"person_id": np.arange(1000).astype(str), "arm": np.repeat(["treated", "control"], [900, 100]), "outcome": np.random.default_rng(1).normal(10, 3, 1000), "before": 0.0, "probability": np.repeat([0.9, 0.1], [900, 100])})
    people.attrs["cut"] = 0
    row = trials.judged(action, people)
    assert (row["ratio_p"], row["grade"]) == (pytest.approx(1.0), "A")
