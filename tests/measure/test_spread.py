"""The variance between units, shrinkage and funnels: against metafor, Gelman et al. and Spiegelhalter, and in simulation."""

import numpy as np
import pytest
from scipy import stats

from cxlib.measure import spread

# Colditz et al. (1994), the BCG trials as metafor ships them (dat.bcg): vaccinated with and without tuberculosis, controls with and without.
BCG = np.array([(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)], dtype=float)
SCHOOLS = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0]) ** 2  # Rubin (1981)


def bcg():
    a, b, c, d = BCG.T
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


@pytest.mark.parametrize(("method", "tau2", "mean", "error"), [("reml", 0.3132, -0.7145, 0.1798), ("dl", 0.3088, -0.7141, 0.1787), ("pm", 0.3181, -0.7150, 0.1809)])
def test_between_matches_metafor_on_bcg(method, tau2, mean, error):
    found = spread.between(*bcg(), method=method)
    assert found["tau2"] == pytest.approx(tau2, abs=5e-5)
    assert found["mean"] == pytest.approx(mean, abs=5e-5)
    assert found["std_error"] == pytest.approx(error, abs=5e-5)


def test_q_profile_interval_matches_metafor_on_bcg():
    found = spread.between(*bcg())
    assert found["q"] == pytest.approx(152.2330, abs=5e-5)
    assert (found["tau2_low"], found["tau2_high"]) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    assert found["i2"] == pytest.approx(0.9222, abs=5e-5)


def test_eight_schools_are_alike_by_moments_and_drawn_together_as_gelman_has_it():
    found = spread.between(*SCHOOLS, method="dl")
    assert (found["tau2"], found["mean"], found["std_error"]) == pytest.approx((0.0, 7.686, 4.072), abs=5e-3)  # Bayesian Data Analysis 5.5: pooled 7.7, SE 4.1
    drawn = spread.shrunk(*SCHOOLS)
    # Bayesian Data Analysis (2013), table 5.3: medians 10 8 7 8 5 6 10 8, and the 95 % interval of school A from -2 to 31
    assert drawn["shrunk"].to_numpy() == pytest.approx([11.4, 7.9, 6.2, 7.7, 5.1, 6.1, 10.6, 8.5], abs=0.35)
    assert (drawn["conf_low"][0], drawn["conf_high"][0]) == pytest.approx((-2, 31), abs=1.5)
    assert ((drawn["p_above"] > 0.1) & (drawn["p_above"] < 0.9)).all()  # nobody can be told from the mean


def test_a_unit_with_one_answer_is_the_mean_of_all_and_one_with_many_is_itself():
    rng = np.random.default_rng(4)
    truth = rng.normal(10, 5, 30)
    variance = np.r_[1e6, np.full(28, 4.0), 1e-6]
    y = truth + rng.normal(0, np.sqrt(variance))
    y[0] = 100
    drawn = spread.shrunk(y, variance)
    assert drawn["shrinkage"][0] > 0.999
    assert drawn["shrinkage"].iloc[-1] < 1e-3
    assert drawn["shrunk"][0] == pytest.approx(y[1:].mean(), abs=1.5)
    assert drawn["shrunk"].iloc[-1] == pytest.approx(y[-1], abs=1e-3)


def test_funnel_limits_are_binomial_and_normal_as_spiegelhalter_gives_them():
    low, high = spread.limits([20, 200], centre=0.5, spread=0.25, unit="share", level=0.95)
    size = np.array([20, 200])
    for limit, p in ((low, 0.025), (high, 0.975)):
        # The interpolated quantile lies within one answer below the binomial one, and the distribution function between holds p.
        r = stats.binom.ppf(p, size, 0.5)
        assert ((limit * size <= r) & (limit * size > r - 1)).all()
        share = stats.binom.cdf(r - 1, size, 0.5) + (limit * size - (r - 1)) * stats.binom.pmf(r, size, 0.5)
        assert share == pytest.approx([p, p], abs=1e-12)
    low, high = spread.limits([400], centre=20.0, spread=6600.0, unit="points", level=0.998, extra=9.0)
    assert high[0] - 20 == pytest.approx(3.0902323 * np.sqrt(6600 / 400 + 9))


def test_dispersion_of_hand_computed_distances():
    z = np.array([-9, -2, -1, -1, 0, 0, 1, 1, 2, 9.0])
    found = spread.dispersion(z)  # the outermost at each end are drawn in to -2 and 2
    assert found["phi"] == pytest.approx((4 * 4 + 4 * 1) / 10)
    assert found["dispersed"]
    assert not spread.dispersion([-1, 1, -1, 1, -1, 1])["dispersed"]


@pytest.mark.parametrize("tau", [0.0, 4.0, 12.0])
def test_intervals_of_drawn_units_cover(tau):
    """Coverage over all units of units drawn from the model; in a world without differences they are wide enough for more."""
    runs, units = 250, 24
    rng = np.random.default_rng(11)
    n = rng.integers(5, 120, units)
    hits = []
    for _ in range(runs):
        truth = rng.normal(12, tau, units)
        variance = 6500 / n
        drawn = spread.shrunk(truth + rng.normal(0, np.sqrt(variance)), variance)
        hits.append(((drawn["conf_low"] <= truth) & (truth <= drawn["conf_high"])).mean())
    # 6,000 units in 250 worlds: the share varies by world, so its error is taken from the worlds
    share, error = np.mean(hits), np.std(hits) / np.sqrt(runs)
    assert share > 0.93 - 2.6 * error
    assert tau == 0.0 or share < 0.975 + 2.6 * error


def test_the_interval_of_the_spread_covers_and_the_test_of_alike_units_keeps_its_size():
    runs = 600
    rng = np.random.default_rng(5)
    variance = 6500 / rng.integers(8, 200, 20)
    covered = alike = 0
    for _ in range(runs):
        found = spread.between(rng.normal(0, 6, 20) + rng.normal(0, np.sqrt(variance)), variance)
        covered += found["tau2_low"] <= 36 <= found["tau2_high"]
        alike += spread.between(rng.normal(0, np.sqrt(variance)), variance)["p"] < 0.05
    band = 2.576 * np.sqrt(0.05 * 0.95 / runs)
    assert abs(covered / runs - 0.95) < band
    assert abs(alike / runs - 0.05) < band


def test_a_thousand_units_are_drawn_together_within_seconds():
    import time

    rng = np.random.default_rng(2)
    variance = 6500 / rng.integers(1, 400, 1000)
    start = time.process_time()
    drawn = spread.shrunk(rng.normal(10, 6, 1000) + rng.normal(0, np.sqrt(variance)), variance)
    assert time.process_time() - start < 10
    assert len(drawn) == 1000
