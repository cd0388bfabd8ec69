"""Effects against NSW, closed forms and simulation."""


import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import SHARED

from cxlib.act import effects
from cxlib.errors import DataError


def arms(treated, control):
    return pd.DataFrame({"arm": ["treated"] * len(treated) + ["control"] * len(control), "y": [*treated, *control]})


@pytest.mark.shared
def test_naive_difference_matches_nsw_against_cps():
    folder = SHARED / "causal"
    if not folder.exists():
        pytest.skip(f"needs {folder}: the public data beside the repository")
    frame = pd.concat([pd.read_parquet(folder / f"{name}.parquet") for name in ("nsw_treated_only", "cps_controls")])
    row = effects.difference(frame, outcome="re78", arm="treat", treated=1, control=0).iloc[0]
    assert row.estimate == pytest.approx(-8497.516, abs=5e-4)
    assert row.std_error_pooled == pytest.approx(712.02, abs=5e-3)
    assert row.std_error_hc2 == pytest.approx(583.43, abs=5e-3)
    assert row.std_error == row.std_error_pooled  # the larger counts


def test_difference_is_welch_and_its_error_is_hc2_where_that_is_the_larger():
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    a, b = rng.gamma(2, 30, 80), rng.gamma(2, 22, 150)
    row = effects.difference(arms(a, b), outcome="y", arm="arm").iloc[0]
    welch = stats.ttest_ind(a, b, equal_var=False)
    model = sm.OLS(np.r_[a, b], sm.add_constant(np.r_[np.ones(80), np.zeros(150)]))
    assert row.std_error_hc2 == pytest.approx(model.fit(cov_type="HC2").bse[1])
    assert row.std_error_pooled == pytest.approx(model.fit().bse[1])
    assert row.std_error == row.std_error_hc2
    assert [row.p, row.df] == pytest.approx([welch.pvalue, welch.df])
    assert [row.conf_low, row.conf_high] == pytest.approx(list(welch.confidence_interval()))
    other = effects.difference(arms(b, a), outcome="y", arm="arm").iloc[0]
    assert (other.estimate, other.std_error) == pytest.approx((-row.estimate, row.std_error))


def test_where_one_spread_for_both_is_the_larger_error_the_test_is_students():
    rng = np.random.default_rng(1)
    a, b = rng.gamma(2, 30, 150), rng.gamma(2, 22, 80)
    row, student = effects.difference(arms(a, b), outcome="y", arm="arm").iloc[0], stats.ttest_ind(a, b)
    assert row.std_error == row.std_error_pooled > row.std_error_hc2
    assert [row.p, row.df] == pytest.approx([student.pvalue, 228])
    assert [row.conf_low, row.conf_high] == pytest.approx(list(student.confidence_interval()))


def test_everybody_assigned_counts_and_the_unobserved_are_told():
    frame = arms([1.0, 2, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan], [1.0, 3, 2, 4, 2, 3, 1, 5])
    row = effects.difference(frame, outcome="y", arm="arm").iloc[0]
    assert (row.assigned_treated, row.n_treated, row.attrition_treated, row.attrition_control) == (8, 2, 0.75, 0)
    assert row.attrition_p == pytest.approx(stats.fisher_exact([[6, 2], [0, 8]])[1])


@pytest.mark.parametrize(("a", "b", "why"), [([1.0], [1.0, 2], "two each"), ([1.0, 1], [1.0, 1], "does not vary"), ([np.nan], [1.0, 2], "0 treated")])
def test_what_cannot_be_estimated_is_said(a, b, why):
    """FAULTS 7."""
    row = effects.difference(arms(a, b), outcome="y", arm="arm").iloc[0]
    assert why in row.note
    assert np.isnan(row.std_error)


def test_missing_arm_names_those_there_are():
    with pytest.raises(DataError, match="it holds: a, b"):
        effects.difference(pd.DataFrame({"arm": ["a", "b"], "y": [1, 2]}), outcome="y", arm="arm")


@pytest.mark.parametrize("worlds", [300, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("effect", [0.0, 4.0])
def test_intention_to_treat_covers(worlds, effect):
    # skewed margins, arms of unequal size and spread, a fifth not reached
    hits = false = 0
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        reached = rng.random(150) < 0.8
        frame = arms(rng.gamma(4, 10, 150) + reached * rng.gamma(2, 0.5, 150) * effect / 0.8, rng.gamma(4, 10, 300))
        row = effects.difference(frame, outcome="y", arm="arm").iloc[0]
        hits += row.conf_low <= effect <= row.conf_high
        false += row.p < 0.05
    band = stats.binomtest(int(hits), worlds).proportion_ci(0.99)
    assert band.high >= 0.93
    assert band.low <= 0.97
    if effect == 0:
        assert stats.binomtest(int(false), worlds, 0.05, "greater").pvalue > 0.005


def test_sample_ratio_is_the_exact_binomial():
    row = effects.sample_ratio(arms([0] * 560, [0] * 440), arm="arm").iloc[0]
    assert row.p == pytest.approx(stats.binomtest(560, 1000).pvalue)
    assert not row.ok
    assert effects.sample_ratio(arms([0] * 250, [0] * 750), arm="arm", expected=0.25).ok[0]


def test_newcombe_1998_method_10():
    # Newcombe 1998 (Statistics in Medicine 17:873-890), table II, contrast (a): 56/70 - 48/80
    assert effects.newcombe(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_normal_formula_of_regression_to_the_mean():
    found = effects.expected_recovery(mean=7, sd=2, retest=0.6, cut=6)
    assert found["mean_picked"] == pytest.approx(4.7178, abs=5e-5)
    assert found["mean_next"] == pytest.approx(5.6307, abs=5e-5)
    assert found["share_recovered"] == pytest.approx(0.4180, abs=5e-5)
    z = -0.5
    both = stats.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]]).cdf([z, z])
    assert found["share_recovered"] == pytest.approx(1 - both / stats.norm.cdf(z), abs=1e-6)


@pytest.mark.parametrize(("retest", "share"), [(1.0, 0.0), (0.0, 1 - stats.norm.cdf(-0.5)), (-1.0, 1.0)])
def test_recovery_at_the_ends_of_the_retest(retest, share):
    assert effects.expected_recovery(mean=7, sd=2, retest=retest, cut=6)["share_recovered"] == pytest.approx(share)


def simulated_pairs(n=40000, seed=0):
    rng = np.random.default_rng(seed)
    first, second = rng.multivariate_normal([7, 7], [[4, 2.4], [2.4, 4]], n).T
    called = (first <= 6) & (rng.random(n) < 0.6)
    return pd.DataFrame({"before": first, "after": second, "called": called})


def test_a_call_that_does_nothing_shows_a_recovery_rate_and_no_difference():
    out = effects.regression_to_mean(simulated_pairs(), before="before", after="after", contacted="called", cut=6).set_index("group")
    assert out.estimate["contacted"] == pytest.approx(0.418, abs=0.015)
    assert out.conf_low["difference"] < 0 < out.conf_high["difference"]
    assert out.estimate["normal check"] == pytest.approx(0.418, abs=0.01)
    assert out.mean_after["not contacted"] == pytest.approx(5.6307, abs=0.05)


def test_whole_numbers_recover_less_than_the_normal_formula_says():
    # METHODS 5: rounding gives 5.03, 5.84 and 35.6 %
    pairs = simulated_pairs(200_000, 1)
    pairs[["before", "after"]] = pairs[["before", "after"]].round()
    pairs["called"] = (pairs.before <= 6) & (np.arange(len(pairs)) % 2 == 0)
    out = effects.regression_to_mean(pairs, before="before", after="after", contacted="called", cut=6).set_index("group")
    assert out.estimate["not contacted"] == pytest.approx(0.356, abs=0.01)
    assert out.mean_before["not contacted"] == pytest.approx(5.03, abs=0.03)
    assert out.mean_after["not contacted"] == pytest.approx(5.84, abs=0.03)


def test_recovery_without_anybody_left_alone_is_no_comparison():
    pairs = simulated_pairs(200).assign(called=True)
    out = effects.regression_to_mean(pairs, before="before", after="after", contacted="called", cut=6).set_index("group")
    assert np.isnan(out.estimate["difference"])
    assert "both groups" in out.note["difference"]
    assert "nobody left alone" in out.note["normal check"]
