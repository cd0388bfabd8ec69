"""Penalties, rewards and ceilings against closed forms and planted relations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.measure import asymmetry

NAMES = ["basic", "delight", "both", "none"]
EFFECTS = {"basic": (-1.2, 0.0), "delight": (0.0, 1.2), "both": (-0.9, 0.9), "none": (0.0, 0.0)}


def planted(n, seed, *, halo=0.6, effects=EFFECTS):
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.5 + 0.9 * (halo * rng.normal(size=(n, 1)) + np.sqrt(1 - halo**2) * rng.normal(size=(n, 4)))), 1, 5)
    y = 6 + sum(effects[name][0] * (x[:, k] <= 2) + effects[name][1] * (x[:, k] >= 5) for k, name in enumerate(NAMES)) + 1.5 * rng.normal(size=n)
    return pd.DataFrame(x, columns=NAMES).assign(y=y, w=rng.choice([0.5, 1.0, 1.5], n))


def run(frame, **options):
    return asymmetry.contrasts(frame, kpi="y", drivers=NAMES, low=2, high=5, **{"replicates": 300} | options).set_index("driver")


def test_planted_classes_are_found():
    found = run(planted(3000, 1), weight="w")
    assert found["class"].to_dict() == {"basic": "basic", "delight": "delighter", "both": "performance", "none": "none shown"}
    assert (found["p_class"] > 0.7).all()
    for name, (penalty, reward) in EFFECTS.items():
        assert found.loc[name, "penalty_low"] - 0.1 < penalty < found.loc[name, "penalty_high"] + 0.1
        assert found.loc[name, "reward_low"] - 0.1 < reward < found.loc[name, "reward_high"] + 0.1
    assert found["p"]["basic"] < 0.001


def test_what_is_sure_and_too_small_to_matter_is_not_named():
    """A hundred thousand answers make a reward of a twentieth of the KPI's spread certain; it delights nobody."""
    found = run(planted(100_000, 5, effects={**EFFECTS, "delight": (0.0, 0.1), "basic": (-0.1, 0.0)}), replicates=100)
    assert found.loc["delight", "reward_low"] > 0
    assert found.loc["basic", "penalty_high"] < 0
    assert found["class"].to_dict() == {"basic": "none shown", "delight": "none shown", "both": "performance", "none": "none shown"}


def test_contrasts_are_the_coefficients_of_a_regression_on_dummies():
    frame = planted(500, 2)
    dummies = np.column_stack([np.ones(500), *(part for name in NAMES for part in (frame[name] <= 2, frame[name] >= 5))]).astype(float)
    slopes = np.linalg.lstsq(dummies, frame["y"], rcond=None)[0][1:].reshape(4, 2)
    found = run(frame, replicates=3)
    assert found[["penalty", "reward"]].to_numpy() == pytest.approx(slopes)


def test_ends_that_nobody_uses_are_not_estimated():
    """FAULTS 7."""
    found = run(planted(400, 3).assign(delight=lambda f: f["delight"].clip(2, 3), none=3.0))
    assert found.loc["delight", "note"] == "not estimable (only 0 best ratings)"
    assert found.loc["none", "note"] == "not estimable (only 0 poor ratings and only 0 best ratings)"
    assert found.loc[["delight", "none"], ["penalty", "reward", "p"]].isna().all().all()
    assert found.loc[["basic", "both"], "penalty"].notna().all()


def test_where_hardly_anybody_is_delighted_the_best_counts_from_the_next_score():
    frame = planted(600, 4).assign(both=lambda f: f["both"].clip(1, 4))
    found = run(frame)
    assert found["best_from"].tolist() == [5, 5, 4, 5]
    assert found.loc["both", "n_best"] == (frame["both"] == 4).sum()
    assert found.loc["both", "note"] == ""


@pytest.mark.parametrize("rounds", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_straight_line_is_rarely_called_unequal(rounds):
    """Equal steps down and up: the test of asymmetry keeps its size."""
    effects = dict.fromkeys(NAMES, (-0.6, 0.6))
    hits = np.zeros(4)
    for seed in range(rounds):
        hits += run(planted(400, seed, effects=effects), weight="w", replicates=200, seed=seed)["p"].to_numpy() <= 0.05
    for count in hits:
        assert stats.binomtest(int(count), rounds, 0.05, "greater").pvalue > 0.005, hits / rounds


def test_the_ceiling_of_a_triangle_is_half_the_area():
    # a KPI never above the rating: on a fine grid the upper left half is empty
    rng = np.random.default_rng(1)
    x = rng.integers(0, 101, 20_000).astype(float)
    frame = pd.DataFrame({"a": x, "y": np.floor(rng.random(20_000) * (x + 1)), "b": rng.permutation(x)})
    found = asymmetry.necessary(frame, kpi="y", drivers=["a", "b"], replicates=99).set_index("driver")
    assert found.loc["a", "estimate"] == pytest.approx(0.5, abs=0.03)
    assert found.loc["a", "p"] == 0.01
    assert found.loc["b", "p"] > 0.05


def test_a_step_has_the_corner_it_leaves():
    # ratings 1..3, KPI 0..10: nobody under 3 above 4; corner = (6 x 1 + 6 x 1) / (10 x 2)
    frame = pd.DataFrame({"a": [1, 1, 2, 2, 3, 3], "y": [0, 4, 1, 4, 3, 10]})
    found = asymmetry.necessary(frame, kpi="y", drivers=["a"], replicates=19).iloc[0]
    assert found["estimate"] == pytest.approx(12 / 20)
    assert found["bottleneck"] == 3


def test_ceilings_keep_their_size():
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"a": rng.integers(1, 6, 120), "y": rng.integers(0, 11, 120)})
        hits += asymmetry.necessary(frame, kpi="y", drivers=["a"], replicates=99, seed=seed)["p"][0] <= 0.05
    assert stats.binomtest(int(hits), 200, 0.05, "greater").pvalue > 0.005
    still = asymmetry.necessary(pd.DataFrame({"a": [3, 3, 3], "y": [1, 2, 3]}), kpi="y", drivers=["a"])
    assert still["note"][0].startswith("not estimable")
