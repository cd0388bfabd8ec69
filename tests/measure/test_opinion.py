"""The lasting opinion: closed forms, recovery of what was planted, and that no answer tells of the days before it."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import opinion


def people(n=900, *, lasts=0.6, top=10, seed=1, each=4):
    """Answers of customers with an opinion and a mood, cut into whole scores from 0; many sit at the top."""
    draws = np.random.default_rng(seed)
    held = draws.normal(8, np.sqrt(lasts) * 2.2, n)
    who = np.repeat(np.arange(n), each)
    score = np.clip(np.floor(held[who] + draws.normal(0, np.sqrt(1 - lasts) * 2.2, len(who)) + 0.5), 0, top)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(draws.integers(0, 700, len(who)), "D")
    frame = pd.DataFrame({"person_id": [f"p{one:04d}" for one in who], "survey": "s", "answered_on": day, "answer": [f"a{at}" for at in range(len(who))], "item": score})
    return frame, pd.Series(held, index=[f"p{one:04d}" for one in range(n)])


@pytest.mark.parametrize("r", [0.2, 0.5, 0.8])
def test_the_chance_of_two_high_answers_is_sheppards(r):
    joint = opinion._joint(np.array([0.0]), r)  # cut at the middle: 1/4 + arcsin(r) / 2 pi (Sheppard 1899)
    assert joint[1, 1] == pytest.approx(0.25 + np.arcsin(r) / (2 * np.pi), abs=1e-6)
    assert joint.sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("lasts", [0.35, 0.6, 0.8])
def test_what_lasts_is_found_although_many_sit_at_the_top(lasts):
    frame, _ = people(lasts=lasts)
    found = opinion.retest(frame, survey="s", item="item", days=800)
    assert found.low < lasts < found.high
    pearson = frame.groupby("person_id")["item"].agg(["first", "last"]).corr().iloc[0, 1]
    assert abs(found.reliability - lasts) < abs(pearson - lasts) or abs(pearson - lasts) < 0.02  # the correlation of cut scores is drawn in


def test_the_usual_score_and_its_chance_are_calibrated():
    frame, held = people(n=3000, each=3)
    found = opinion.retest(frame, survey="s", item="item", days=800)
    last = frame.sort_values("answered_on").drop_duplicates("person_id", keep="last")
    known = opinion.posterior(found, frame, last, score="item", days=800)
    truth, expected = held[last["person_id"]].to_numpy(), known @ found.scale
    middle = (expected > 6) & (expected < 9.5)
    assert np.polyfit(expected[middle], truth[middle], 1)[0] == pytest.approx(1.0, abs=0.06)
    assert (truth - expected).mean() == pytest.approx(0.0, abs=0.1)
    chance = opinion.below(known, found, pd.DataFrame({"at": [7.5], "weight": [1.0]}))
    for low in (0.1, 0.3, 0.5, 0.7):
        own = (chance >= low) & (chance < low + 0.2)
        assert (truth[own] < 7.5).mean() == pytest.approx(chance[own].mean(), abs=0.07)


def test_below_by_no_more_is_part_of_below_and_places_are_averaged():
    frame, _ = people()
    found = opinion.retest(frame, survey="s", item="item", days=800)
    known = opinion.posterior(found, frame, frame.head(50), score="item")
    one, other = pd.DataFrame({"at": [6.0], "weight": [1.0]}), pd.DataFrame({"at": [8.0], "weight": [1.0]})
    both = opinion.below(known, found, pd.concat([one, other.assign(weight=3.0)]))
    assert both == pytest.approx(0.25 * opinion.below(known, found, one) + 0.75 * opinion.below(known, found, other))
    assert (opinion.below(known, found, other, down=2.0) == pytest.approx(opinion.below(known, found, other) - opinion.below(known, found, one), abs=1e-12))


def test_nothing_that_came_later_or_too_long_ago_is_used():
    frame, _ = people(n=200)
    found = opinion.retest(frame, survey="s", item="item", days=800)
    at = pd.DataFrame({"person_id": ["p0000"], "answered_on": [pd.Timestamp("2024-06-01")]})
    own = frame[frame["person_id"] == "p0000"].assign(answered_on=[pd.Timestamp("2024-06-02"), pd.Timestamp("2023-06-02"), pd.Timestamp("2024-06-01"), pd.Timestamp("2023-06-03")])
    used = opinion.posterior(found, own.iloc[[2, 3]], at, score="item")
    assert opinion.posterior(found, own, at, score="item") == pytest.approx(used)
    assert opinion.posterior(found, own.iloc[:2], at, score="item")[0] == pytest.approx(found.prior)
    assert opinion.posterior(found, own, at.assign(person_id="nobody"), score="item")[0] == pytest.approx(found.prior)


def test_fault_7_without_retests_or_anything_that_lasts_it_is_said():
    frame, _ = people(n=20)
    assert "20 customers were asked twice" in opinion.retest(frame, survey="s", item="item", days=800).note
    frame, _ = people(n=300)
    mixed = frame.assign(item=np.random.default_rng(2).permutation(frame["item"]))
    assert "tells nothing" in opinion.retest(mixed, survey="s", item="item", days=800).note


@pytest.mark.slow
def test_the_interval_of_the_reliability_covers():
    hits = 0
    for seed in range(300):
        frame, _ = people(n=300, seed=seed)
        found = opinion.retest(frame, survey="s", item="item", days=800)
        hits += found.low <= 0.6 <= found.high
    assert 0.91 <= hits / 300 <= 0.985
