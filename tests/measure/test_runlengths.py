"""Average run lengths: against Champ & Woodall, Montgomery and the normal distribution, and the simulation against the exact ones."""

import numpy as np
import pytest
from scipy import stats

from cxlib.measure import runlengths


@pytest.mark.parametrize(("rules", "length"), [(("beyond",), 370.40), (("beyond", "two_of_three"), 225.44), (("beyond", "four_of_five"), 166.05), (("beyond", "run"), 152.73), (runlengths.RULES, 91.75)])
def test_run_rules_match_champ_and_woodall(rules, length):
    assert runlengths.shewhart(rules=rules) == pytest.approx(length, abs=0.005)  # Champ & Woodall (1987), table 1, no shift


@pytest.mark.parametrize(("shift", "length"), [(1.0, 43.89), (2.0, 6.30), (3.0, 2.00)])
def test_three_sigma_alone_follows_the_normal_distribution(shift, length):
    assert runlengths.shewhart(shift=shift) == pytest.approx(length, abs=0.005)
    assert runlengths.shewhart(shift=shift) == pytest.approx(1 / (stats.norm.sf(3 - shift) + stats.norm.cdf(-3 - shift)))


@pytest.mark.parametrize(("weight", "limit", "none", "half", "one"), [(0.40, 3.054, 500, 71.2, 14.3), (0.25, 2.998, 500, 48.2, 11.1), (0.20, 2.962, 500, 41.8, 10.5), (0.10, 2.814, 500, 31.3, 10.3), (0.05, 2.615, 500, 28.4, 11.4)])
def test_ewma_matches_montgomery(weight, limit, none, half, one):
    """Montgomery (2013), table 9.11, after Lucas & Saccucci (1990)."""
    assert runlengths.ewma(weight=weight, limit=limit) == pytest.approx(none, rel=0.01)
    assert runlengths.ewma(weight=weight, limit=limit, shift=0.5) == pytest.approx(half, rel=0.02)  # the table rounds, and starts its chain on a coarser grid
    assert runlengths.ewma(weight=weight, limit=limit, shift=1.0) == pytest.approx(one, abs=0.2)


def test_a_limit_is_found_for_a_run_length():
    assert runlengths.limit_for("shewhart", 370.398) == pytest.approx(3.0, abs=1e-5)
    assert runlengths.limit_for("ewma", 500.0) == pytest.approx(2.814, abs=2e-3)


@pytest.mark.parametrize(("kind", "limit", "rules"), [("shewhart", 2.0, ("beyond",)), ("shewhart", 3.0, ("beyond", "run")), ("ewma", 2.0, ("beyond",))])
def test_flags_have_the_exact_run_length_where_limits_are_known(kind, limit, rules):
    exact = runlengths.ewma(weight=0.1, limit=limit) if kind == "ewma" else runlengths.shewhart(rules=rules, limit=limit)
    z = np.random.default_rng(3).standard_normal((1500, 1500))
    found = runlengths.alerts(z, kind=kind, limit=limit, rules=rules)
    first = found.argmax(axis=1)[found.any(axis=1)] + 1
    assert found.any(axis=1).mean() > 0.999
    assert abs(first.mean() - exact) < 3.3 * first.std() / np.sqrt(len(first))


def test_estimated_limits_alert_more_often_than_known_ones_and_correlated_values_more_still():
    """Where limits come from twenty values, one false alert in 370 is one in fewer within any year (Jensen et al. 2006)."""
    few = runlengths.simulated(kind="shewhart", limit=3.0, baseline=20)
    many = runlengths.simulated(kind="shewhart", limit=3.0, baseline=400)
    assert few[52] > many[52] == pytest.approx(1 - (1 - 2 * stats.norm.sf(3)) ** 52, abs=0.05)
    assert runlengths.simulated(kind="shewhart", limit=3.0, baseline=52, lag=0.0)["length"] > 150


def test_a_missing_value_neither_alerts_nor_ends_a_run():
    z = np.full(12, 0.5)
    z[3] = np.nan
    assert list(np.flatnonzero(runlengths.alerts(z, kind="shewhart", limit=3, rules=("beyond", "run"))[0])) == [8, 9, 10, 11]


def test_spread_of_correlated_values_is_not_read_from_moving_ranges_alone():
    x = np.cumsum(np.ones(30))[None, :]
    assert runlengths.fitted(x)[1][0] == pytest.approx(1 / 1.128379, rel=1e-5)
    assert runlengths.fitted(x, lag=True)[1][0] == pytest.approx(np.std(np.arange(30), ddof=1))
