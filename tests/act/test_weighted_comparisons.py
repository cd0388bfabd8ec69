"""Matching by weights against NSW and CPS, closed forms and worlds whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.act import grades, matching
from cxlib.errors import DataError

COVARIATES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


def workers(shared):
    return pd.concat([pd.read_parquet(shared / "causal" / f"{name}.parquet") for name in ("nsw_treated_only", "cps_controls")], ignore_index=True)


@pytest.mark.shared
def test_nsw_against_cps(shared):
    """METHODS 5: naive -8497.516, least squares +699.132, entropy balancing +1270.73 with 418 effective controls, where the experiment says +1794.343 (SE 632.853)."""
    row = matching.effect(workers(shared), outcome="re78", treated="treat", covariates=COVARIATES, squares=False).iloc[0]
    assert (row.naive, row.regression) == (pytest.approx(-8497.516, abs=5e-4), pytest.approx(699.132, abs=5e-4))
    assert (row.balanced, row.n_eff) == (pytest.approx(1270.73, abs=5e-3), pytest.approx(418, abs=0.5))


@pytest.mark.shared
@pytest.mark.parametrize("squares", [False, True])
def test_the_doubly_robust_estimate_comes_within_the_experiments_interval_or_is_graded_down(shared, squares):
    row = matching.effect(workers(shared), outcome="re78", treated="treat", covariates=COVARIATES, squares=squares).iloc[0]
    letter = grades.grade(design="adjusted", overlap=row.overlap, balance=row.balance)[0]
    assert 1794.343 - 1.96 * 632.853 <= row.estimate <= 1794.343 + 1.96 * 632.853
    assert letter == "C"  # never better: it is an observation
    assert row.balance < 1e-6
    before = matching.balance(workers(shared), treated="treat", covariates=COVARIATES)
    assert before["before"].abs().max() > 2
    assert before["after"].abs().max() < 1e-6


def customers(seed, *, effect=2.0, n=900, confounding=1.0, shift=0.0):
    """Customers whose past spend moves both who is listed and what they spend next; contract as text; spend is skewed."""
    rng = np.random.default_rng(seed)
    past, tenure = rng.gamma(3, 6, n), rng.normal(0, 1, n)
    prepaid = rng.random(n) < 0.3
    chance = 1 / (1 + np.exp(-(-1.6 + confounding * (past - 18) / 12 + 0.4 * tenure)))
    treated = rng.random(n) < chance
    after = 5 + 0.8 * past + 2 * tenure - 3 * prepaid + rng.gamma(2, 3, n) + effect * treated
    return pd.DataFrame({"treated": treated, "past": past + shift * treated, "tenure": tenure, "contract": np.where(prepaid, "prepaid", "contract"), "after": after})


def estimate(frame, **options):
    return matching.effect(frame, outcome="after", treated="treated", covariates=["past", "tenure", "contract"], **options).iloc[0]


@pytest.mark.parametrize("worlds", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_intervals_cover_where_the_naive_difference_never_does(worlds):
    rows = [estimate(customers(seed)) for seed in range(worlds)]
    band = stats.binomtest(sum(row.conf_low <= 2 <= row.conf_high for row in rows), worlds).proportion_ci(0.99)
    assert band.high >= 0.93
    assert band.low <= 0.97
    assert np.mean([row.naive for row in rows]) > 4
    assert abs(np.mean([row.estimate for row in rows]) - 2) < (0.15 if worlds < 1000 else 0.05)


def test_weights_bring_the_means_to_those_of_the_treated():
    frame = customers(1)
    held = matching.weights(frame, treated="treated", covariates=["past", "tenure", "contract"])
    arm = frame["treated"].to_numpy()
    assert held[arm].min() == held[arm].max() == 1
    assert held[~arm].sum() == pytest.approx(arm.sum())
    assert np.average(frame["past"][~arm], weights=held[~arm]) == pytest.approx(frame["past"][arm].mean())
    assert (held > 0).all()


def test_without_overlap_there_is_no_estimate():
    """No overlap: refused, with the reason; the naive difference is not put in its place."""
    frame = customers(1, shift=200.0)
    row = estimate(frame)
    assert np.isnan(row.estimate)
    assert "no overlap" in row.note
    assert grades.grade(design="adjusted", overlap=row.overlap, balance=None)[0] == "D"


def test_few_who_are_alike_are_no_comparison():
    frame = customers(2, confounding=6.0, n=300)
    row = estimate(frame)
    assert np.isnan(row.estimate)
    assert "not estimable" in row.note


def test_a_missing_covariate_or_outcome_is_said():
    frame = customers(1)
    with pytest.raises(DataError, match="1 rows have no 'past'"):
        estimate(frame.assign(past=frame["past"].where(frame.index != 3)))
    with pytest.raises(DataError, match="1 rows have no 'after'"):
        estimate(frame.assign(after=frame["after"].where(frame.index != 3)))
    with pytest.raises(DataError, match="everybody was treated"):
        estimate(frame.assign(treated=True))


@pytest.mark.shared
def test_hillstrom_half_is_an_experiment_that_matching_agrees_with(shared):
    """In a lot, adjusting moves nothing but the error: e-mail against none on visits, in the half provided."""
    from cxlib.act import effects

    rows = pd.read_parquet(shared / "causal" / "hillstrom.parquet")
    rows = rows.assign(arm=np.where(rows["segment"] == "No E-Mail", "control", "treated"), treated=rows["segment"] != "No E-Mail")
    lot = effects.difference(rows, outcome="visit", arm="arm").iloc[0]
    found = matching.effect(rows, outcome="visit", treated="treated", covariates=["recency", "history", "mens", "womens", "newbie", "channel", "zip_code"]).iloc[0]
    assert lot.conf_low > 0
    assert found.estimate == pytest.approx(lot.estimate, abs=0.002)
    ratio = effects.sample_ratio(rows, arm="arm", expected=2 / 3).iloc[0]
    assert ratio.ok


def test_a_kind_of_customer_that_no_treated_one_is_of_is_balanced_and_not_a_difference():
    """Seen on Complete Journey: rounding left such a column a spread of 1e-17 among the treated, and a balanced comparison read as millions of standard deviations apart."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"treated": np.arange(700) < 60, "income": rng.choice(["low", "middle", "high", "top"], 700, p=[0.5, 0.3, 0.15, 0.05])})
    frame.loc[frame["treated"] & (frame["income"] == "top"), "income"] = "low"
    frame["outcome"] = rng.normal(0, 1, 700)
    row = matching.effect(frame, outcome="outcome", treated="treated", covariates=["income"]).iloc[0]
    assert row.balance < 1e-3
    assert matching.balance(frame, treated="treated", covariates=["income"])[["before", "after"]].abs().max().max() < 1
