"""Return on investment against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.act.roi import roi, tornado
from cxlib.errors import DataError

PLAIN = {"effect": 12.0, "effect_se": 3.0, "customers": 1000, "cost": 5000.0, "margin_rate": 0.5, "window_days": 90}


def by_measure(**options):
    return roi(**(PLAIN | options)).set_index("measure")


def test_return_is_value_less_investment_over_investment():
    out = by_measure()
    assert out.estimate["value"] == pytest.approx(6000, rel=1e-6)
    assert out.estimate["roi"] == pytest.approx((6000 - 5000) / 5000, rel=1e-5)
    assert out.conf_low["value"] == pytest.approx(500 * (12 - 1.959964 * 3), rel=1e-4)
    assert out.estimate["break_even_effect"] == pytest.approx(10)


def test_chance_that_it_pays_is_the_normal_tail():
    assert by_measure().estimate["p_pays"] == pytest.approx(stats.norm.sf((10 - 12) / 3), abs=1e-4)


def test_payback_without_discount_is_investment_over_daily_value():
    out = by_measure(effect_se=0.0)
    assert out.estimate["payback_days"] == pytest.approx(5000 / (6000 / 90))
    assert out.estimate["p_pays"] == 1.0


def test_discounted_payback_recovers_the_investment_exactly():
    out = by_measure(effect_se=0.0, discount=0.2, horizon_days=720)
    force, daily = np.log(1.2) / 365.25, 6000 / 90
    days = out.estimate["payback_days"]
    assert daily * (1 - np.exp(-force * days)) / force == pytest.approx(5000)
    assert out.estimate["value"] == pytest.approx(daily * (1 - np.exp(-force * 720)) / force)


def test_what_never_pays_back_is_not_given_a_day():
    out = by_measure(effect=1.0)
    assert np.isnan(out.estimate["payback_days"])
    assert "not paid back within 90 days" in out.note["payback_days"]


def test_uncertain_costs_keep_their_mean_and_stay_positive():
    out = by_measure(cost=(5000.0, 2000.0), margin_rate=(0.5, 0.1))
    assert out.estimate["investment"] == pytest.approx(5000, rel=1e-3)
    assert out.std_error["investment"] == pytest.approx(2000, rel=0.01)
    assert out.conf_low["investment"] > 0


def test_sobol_beats_plain_draws_by_far():
    error = [abs(by_measure(seed=seed).estimate["value"] - 6000) for seed in range(5)]
    assert max(error) < 1500 / np.sqrt(65536) / 20  # the plain error of the mean is 1500 / sqrt(n)


def test_same_seed_same_numbers():
    pd.testing.assert_frame_equal(roi(**PLAIN), roi(**PLAIN), check_exact=True)
    assert (roi(**PLAIN, seed=2).conf_low != roi(**PLAIN).conf_low).any()


def test_an_action_without_effect_returns_minus_everything():
    out = by_measure(effect=0.0)
    assert out.estimate["roi"] == pytest.approx(-1, abs=1e-4)
    assert out.estimate["p_pays"] < 0.01


def test_tornado_orders_what_matters():
    out = tornado(**(PLAIN | {"cost": (5000.0, 100.0), "margin_rate": (0.5, 0.05)}))
    assert out.input.tolist() == ["effect", "margin_rate", "cost"]
    assert out.swing[0] == pytest.approx(500 * 2 * 1.959964 * 3, rel=1e-5)
    assert tornado(**(PLAIN | {"effect_se": 0.0})).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [({"cost": 0}, "return on nothing"), ({"customers": 0}, "number of customers"), ({"effect": np.nan}, "no return"), ({"effect_se": np.nan}, "standard error"), ({"draws": 1000}, "power of two"), ({"discount": -1}, "discount")],
)
def test_impossible_inputs_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        roi(**(PLAIN | change))
