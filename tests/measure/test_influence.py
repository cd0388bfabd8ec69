"""Influences against the bootstrap, against closed forms, and under no difference."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.measure import drivers, influence

NAMES = ["d0", "d1", "d2", "d3"]


def answers(n, seed, *, halo=0.8, slopes=(0.5, 0.3, 0.15, 0.0), gap=0.0):
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.6 + 0.7 * (halo * rng.normal(size=(n, 1)) + rng.normal(size=(n, 4)))), 1, 5)
    y = np.clip(np.round(7 + 1.2 * ((x - 3.6) @ np.asarray(slopes) + rng.normal(size=n))), 0, 10)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=[*NAMES, "y"]).assign(w=rng.choice([0.5, 1.0, 2.0], n))
    return frame.mask((rng.random(frame.shape) < gap) & (frame.columns != "w")[None, :])


@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_infinitesimal_jackknife_agrees_with_the_bootstrap(gap):
    frame = answers(1500, 3, gap=gap)
    frame["person"] = np.arange(1500) // 2
    frame["h"] = np.arange(1500) // 500
    for design in ({}, {"strata": "h"}, {"cluster": "person", "strata": "h"}):
        boot = drivers.importance(frame, kpi="y", drivers=NAMES, weight="w", replicates=1500, **design).set_index(["driver", "method"])
        found = influence.errors(frame, kpi="y", drivers=NAMES, weight="w", **design).set_index(["driver", "method"])
        assert found["estimate"].tolist() == pytest.approx(boot.loc[found.index, "estimate"].tolist())
        strong = found.index[found.index.get_level_values("driver") != "d3"]  # at the edge of what is possible the derivative says less
        assert np.abs(found.loc[strong, "std_error"] / boot.loc[strong, "std_error"] - 1).max() < 0.12


def test_error_of_a_correlation_is_the_textbooks():
    # normal answers: SE(r) = (1 - r^2)/sqrt(n)
    rng = np.random.default_rng(1)
    x = rng.normal(size=40_000)
    frame = pd.DataFrame({"a": x, "y": 0.6 * x + 0.8 * rng.normal(size=40_000)})
    found = influence.errors(frame, kpi="y", drivers=["a"], methods=("correlation",)).iloc[0]
    assert found["std_error"] == pytest.approx((1 - 0.36) / np.sqrt(40_000), rel=0.03)


def test_influences_add_up_to_nothing_and_clusters_of_twins_count_once():
    frame = answers(300, 5)
    _, found = influence.values(frame, kpi="y", drivers=NAMES, weight="w")
    assert found.sum().abs().max() < 1e-9
    twice = pd.concat([frame.assign(person=range(300))] * 2, ignore_index=True)
    once = influence.errors(frame, kpi="y", drivers=NAMES)["std_error"]
    both = influence.errors(twice, kpi="y", drivers=NAMES, cluster="person")["std_error"]
    assert both.tolist() == pytest.approx(once.tolist())


def test_people_in_both_waves_take_their_covariance_along():
    """The same answers twice differ by nothing, with an error of nothing; as two samples they differ by nothing with one."""
    frame = answers(400, 6).assign(person=range(400))
    same = influence.difference(frame, frame, kpi="y", drivers=NAMES, person="person")
    apart = influence.difference(frame, frame, kpi="y", drivers=NAMES)
    assert same["std_error"].max() < 1e-12
    assert same["p"].isna().all()
    assert apart["std_error"].min() > 0
    one = influence.errors(frame, kpi="y", drivers=NAMES, methods=("shapley",))["std_error"]
    assert apart["std_error"].tolist() == pytest.approx((one * np.sqrt(2)).tolist(), rel=0.01)


def test_a_driver_that_came_to_matter_is_found():
    found = influence.difference(answers(900, 1, slopes=(0.5, 0.3, 0.15, 0.5)), answers(900, 2), kpi="y", drivers=NAMES).set_index("driver")
    assert found.loc["d3", "p"] < 0.001
    assert found.loc["d3", "conf_low"] > 0


def test_what_is_missing_in_one_wave_is_not_compared():
    found = influence.difference(answers(200, 1).assign(d1=np.nan), answers(200, 2), kpi="y", drivers=NAMES).set_index("driver")
    assert np.isnan(found.loc["d1", "estimate"])
    assert "not estimable" in found.loc["d1", "note"]
    assert found.drop("d1")["p"].notna().all()


@pytest.mark.parametrize("rounds", [150, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("n", [150, 600])
def test_no_difference_is_claimed_where_there_is_none(n, rounds):
    hits = np.zeros(4)
    for seed in range(rounds):
        hits += influence.difference(answers(n, 2 * seed), answers(n, 2 * seed + 1), kpi="y", drivers=NAMES)["p"].to_numpy() <= 0.05
    for count in hits:
        assert stats.binomtest(int(count), rounds, 0.05, "greater").pvalue > 0.005, hits / rounds
