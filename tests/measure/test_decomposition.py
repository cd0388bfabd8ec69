"""The parts of a move: a published decomposition, parts that add up, planted moves found where they were planted, intervals that cover."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import decomposition, metrics

NAMES = ("a", "b", "c")


def wave(n, shares, means, *, weights=(1.0, 1.0, 1.0), rng):
    """Answers 0/1 (a top-2 share as 3 or 5 of 5) of a wave with these shares and true means by segment."""
    at = rng.choice(3, size=n, p=shares)
    score = np.where(rng.random(n) < np.take(means, at), 5.0, 3.0)
    return pd.DataFrame({"value": np.take(NAMES, at), "score": score, "weight": np.take(weights, at)})


def tally(frame):
    return metrics.tally(frame, score="score", by="value", weight="weight")


def part(found, name, value="all", column="estimate"):
    return found.set_index(["value", "part"]).loc[(value, name), column]


def test_kitagawa_by_hand():
    # Two segments: shares .5/.5 to .25/.75, rates .4/.8 to .6/.8: within = .375 x .2, mix = mean rates .5 and .8 times -.25 and +.25.
    rows = lambda counts: pd.DataFrame([(value, score, n, float(n), float(n)) for value, score, n in counts], columns=["value", "score", "n", "weight", "weight_sq"])
    then = rows([("x", 5, 40), ("x", 3, 60), ("y", 5, 80), ("y", 3, 20)])
    now = rows([("x", 5, 30), ("x", 3, 20), ("y", 5, 120), ("y", 3, 30)])
    found = decomposition.split(now, then, definition="csat_top2_of_5", by="value")
    assert part(found, "within") == pytest.approx(0.075)
    assert part(found, "mix") == pytest.approx(0.075)
    assert part(found, "weights") == pytest.approx(0)
    assert part(found, "total") == pytest.approx(150 / 200 - 120 / 200)


@pytest.mark.parametrize("seed", range(6))
def test_parts_add_up_to_the_move_whatever_the_weights(seed):
    rng = np.random.default_rng(seed)
    now, then = (wave(400, rng.dirichlet([4, 4, 4]), rng.random(3), weights=rng.uniform(0.3, 3, 3), rng=rng) for _ in range(2))
    found = decomposition.split(tally(now), tally(then), definition="csat_top2_of_5", by="value")
    move = np.subtract(*(np.average(side["score"] == 5, weights=side["weight"]) for side in (now, then)))
    assert part(found, "total") == pytest.approx(move, abs=1e-12)
    for name in ("within", "mix", "weights", "total"):
        assert found.loc[(found["part"] == name) & (found["value"] != "all"), "estimate"].sum() == pytest.approx(part(found, name), abs=1e-12)


def test_a_move_within_one_segment_is_found_there_and_a_change_of_mix_is_none():
    rng = np.random.default_rng(3)
    then = wave(4000, (0.4, 0.4, 0.2), (0.5, 0.7, 0.9), rng=rng)
    fell = decomposition.split(tally(wave(4000, (0.4, 0.4, 0.2), (0.3, 0.7, 0.9), rng=rng)), tally(then), definition="csat_top2_of_5", by="value")
    mixed = decomposition.split(tally(wave(4000, (0.7, 0.2, 0.1), (0.5, 0.7, 0.9), rng=rng)), tally(then), definition="csat_top2_of_5", by="value")
    assert part(fell, "within", "a", "conf_high") < -0.05
    assert part(fell, "mix", column="conf_low") < 0 < part(fell, "mix", column="conf_high")
    assert part(mixed, "mix", column="conf_high") < -0.05
    assert part(mixed, "within", column="conf_low") < 0 < part(mixed, "within", column="conf_high")


def test_weights_that_restore_the_population_take_back_what_the_mix_did():
    rng = np.random.default_rng(4)
    population, answered = np.array([0.4, 0.4, 0.2]), np.array([0.7, 0.2, 0.1])
    then = wave(6000, population, (0.5, 0.7, 0.9), rng=rng)
    now = wave(6000, answered, (0.5, 0.7, 0.9), weights=population / answered, rng=rng)
    found = decomposition.split(tally(now), tally(then), definition="csat_top2_of_5", by="value")
    assert part(found, "mix") < -0.05
    assert part(found, "mix") + part(found, "weights") == pytest.approx(0, abs=0.01)


def test_total_has_the_interval_of_the_change_itself_also_for_people_who_answered_twice():
    rng = np.random.default_rng(5)
    people = wave(900, (0.5, 0.3, 0.2), (0.5, 0.7, 0.9), rng=rng)
    again = people.assign(score=np.where(rng.random(900) < 0.3, 8 - people["score"], people["score"]))
    plain = decomposition.split(tally(again), tally(people), definition="csat_top2_of_5", by="value")
    both = again.add_suffix("_now").join(people.add_suffix("_then"))
    tied = decomposition.split(tally(again), tally(people), definition="csat_top2_of_5", by="value", both=both)
    estimates = [metrics.estimate(metrics.tally(side, score="score"), definition="csat_top2_of_5") for side in (again, people)]
    overlap = metrics.overlap(again.assign(person=range(900)), people.assign(person=range(900)), person="person", score="score", definition="csat_top2_of_5")
    assert part(plain, "total", column="std_error") == pytest.approx(metrics.change(*estimates)["std_error"].iloc[0], rel=0.06)
    assert part(tied, "total", column="std_error") == pytest.approx(metrics.change(*estimates, overlap=overlap)["std_error"].iloc[0], rel=0.06)


def test_segments_too_small_join_the_rest_and_too_small_waves_are_not_split():
    rng = np.random.default_rng(6)
    then, now = wave(300, (0.49, 0.5, 0.01), (0.5, 0.7, 0.9), rng=rng), wave(300, (0.49, 0.5, 0.01), (0.5, 0.7, 0.9), rng=rng)
    few = pd.concat([now, pd.DataFrame({"value": ["d"] * 9, "score": [3.0] * 9, "weight": 1.0})])
    found = decomposition.split(tally(few), tally(then), definition="csat_top2_of_5", by="value")
    assert "d" not in set(found["value"])
    assert part(found, "total") == pytest.approx((few["score"] == 5).mean() - (then["score"] == 5).mean())
    alone = decomposition.split(tally(now.head(4)), tally(then), definition="csat_top2_of_5", by="value")
    assert alone["estimate"].isna().all()
    assert alone["note"].str.contains("fewer than 5").all()


def coverage(replicates):
    """How often the interval of each part holds its expected value, in a world where means, mix and weights all move."""
    shares, rates = [(0.5, 0.3, 0.2), (0.4, 0.35, 0.25)], [(0.5, 0.7, 0.85), (0.42, 0.72, 0.85)]
    weights = [(1.2, 0.8, 1.0), (1.4, 0.7, 0.9)]
    stack = [np.array([[share, np.multiply(share, weight), np.multiply(np.multiply(share, weight), rate)]]) for share, rate, weight in zip(shares, rates, weights)]
    truth = {name: values.sum() for name, values in decomposition._parts(stack[1], stack[0]).items()}
    held = dict.fromkeys(truth, 0)
    for seed in range(replicates):
        rng = np.random.default_rng(seed)
        then, now = (wave(500, share, rate, weights=weight, rng=rng) for share, rate, weight in zip(shares, rates, weights))
        found = decomposition.split(tally(now), tally(then), definition="csat_top2_of_5", by="value", seed=seed)
        for name, value in truth.items():
            held[name] += part(found, name, column="conf_low") <= value <= part(found, name, column="conf_high")
    return {name: count / replicates for name, count in held.items()}


def test_the_intervals_of_the_parts_cover_small():
    assert min(coverage(60).values()) > 0.85


@pytest.mark.slow
def test_the_intervals_of_the_parts_cover():
    for share in coverage(2000).values():
        assert 0.93 < share < 0.97
