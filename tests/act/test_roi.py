"""Return on investment against closed forms."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.act import roi
from cxlib.errors import DataError

Z = 1.959963984540054


def account(**changed):
    rows = {
        "effect": ("effect", 12.0, 3.0, "normal"), "times": ("factor", 1000.0, 0.0, "fixed"), "margin": ("factor", 0.5, 0.0, "lognormal"),
        "people": ("people", 2000.0, 0.0, "fixed"), "money": ("money", 3000.0, 0.0, "fixed"), "reserve": ("reserve", 0.0, 0.0, "uniform"),
    }  # fmt: skip
    rows = {name: row for name, row in (rows | changed).items() if row is not None}
    return pd.DataFrame([(name, *row) for name, row in rows.items()], columns=["input", "role", "estimate", "std_error", "shape"])


def by_measure(inputs=None, *, seed=1, **options):
    return roi.roi(account() if inputs is None else inputs, roi.course(**({"days": 90} | options)), seed=seed).set_index("measure")


def test_return_is_value_less_investment_over_investment():
    out = by_measure()
    assert out.estimate["value"] == pytest.approx(6000, rel=1e-6)
    assert out.estimate["roi"] == pytest.approx((6000 - 5000) / 5000, rel=1e-5)
    assert out.conf_low["value"] == pytest.approx(500 * (12 - Z * 3), rel=2e-4)
    assert out.estimate["break_even_effect"] == pytest.approx(10)


def test_chance_that_it_pays_is_the_normal_tail_and_never_certain():
    assert by_measure().estimate["p_pays"] == pytest.approx(stats.norm.sf((10 - 12) / 3), abs=1e-4)
    sure = by_measure(account(effect=("effect", 12.0, 0.0, "fixed"))).estimate["p_pays"]
    never = by_measure(account(effect=("effect", 1.0, 0.0, "fixed"))).estimate["p_pays"]
    assert 0 < never < 1e-4 < 1 - 1e-4 < sure < 1


def test_an_effect_with_few_degrees_of_freedom_keeps_its_t_interval():
    wide = account(effect=("effect", 12.0, 3.0, "t")).assign(df=[4.0, *[np.nan] * 5])
    assert by_measure(wide).conf_high["value"] == pytest.approx(500 * (12 + stats.t.ppf(0.975, 4) * 3), rel=1e-3)


def test_payback_is_the_month_in_which_what_came_back_passes_what_was_spent():
    sure = account(effect=("effect", 12.0, 0.0, "fixed"))
    out = by_measure(sure, days=360)  # 6,000 over 360 days, 5,000 spent: day 300
    assert out.estimate["payback_months"] == np.ceil(300 / roi.MONTH)
    assert out.note["payback_months"] == ""
    assert np.isnan(by_measure(account(effect=("effect", 1.0, 0.0, "fixed"))).estimate["payback_months"])
    assert "not paid back within 3 months in every draw" in by_measure(account(effect=("effect", 1.0, 0.0, "fixed"))).note["payback_months"]


def test_money_spent_after_it_had_paid_back_counts():
    """A net that rises above zero and falls again has not paid back yet."""
    sure = account(effect=("effect", 12.0, 0.0, "fixed"), people=None, money=("money", 5000.0, 0.0, "fixed"))
    out = by_measure(sure, days=360, money=(0, 200), weights=(1, 4))
    assert out.estimate["payback_months"] == np.ceil(300 / roi.MONTH)


def test_value_and_cost_are_discounted_to_the_first_day():
    force = np.log(1.2) / roi.YEAR
    flow = roi.course(days=720, discount=0.2, money=(0, 365), weights=(1, 3), people=90)
    assert flow["observed"].sum() == pytest.approx((1 - np.exp(-force * 720)) / force / 720, rel=1e-6)
    assert flow["money"].sum() == pytest.approx((1 + 3 * np.exp(-force * 365)) / 4)
    assert flow["people"].sum() == pytest.approx((1 - np.exp(-force * 90)) / force / 90, rel=1e-6)
    plain = roi.course(days=720, money=(0, 365), people=90)
    assert plain[["observed", "people", "money"]].sum().tolist() == pytest.approx([1, 1, 1])


def test_customers_who_come_in_later_bring_their_value_later():
    flow = roi.course(days=30, starts=[0, 0, 61])
    assert flow.loc[flow["month"] == 2, "observed"].iloc[0] == pytest.approx(1 / 3, abs=0.02)


def test_what_the_plan_declares_beyond_the_observed_stands_apart():
    flow = roi.course(days=90, horizon=90 + 4 * 365, half_life=90)
    assert flow["observed"].sum() == pytest.approx(1)
    assert flow["later"].sum() == pytest.approx(1 / np.log(2), rel=2e-3)  # integral of 0.5 ** (t / 90) / 90
    out = roi.roi(account(), flow).set_index("measure")
    assert out.estimate["value"] == pytest.approx(6000, rel=1e-6)
    assert out.estimate["net_later"] == pytest.approx(out.estimate["net"] + out.estimate["later"])
    assert roi.course(days=90, horizon=180)["later"].sum() == pytest.approx(1)
    assert "later" not in by_measure().index


def test_a_kept_customers_value_comes_over_the_remaining_life():
    flow = roi.course(days=90, profile=[0.5, 0.3, 0.2], after=90)
    assert flow["observed"].sum() == pytest.approx(1)
    assert (flow["observed"] > 0).idxmax() == 3


def test_costs_that_may_run_over_raise_the_investment_on_average_by_half_of_it():
    out = by_measure(account(reserve=("reserve", 0.1, 0.2 / np.sqrt(12), "uniform")))
    assert out.estimate["investment"] == pytest.approx(5500, rel=1e-4)
    assert [out.conf_low["investment"], out.conf_high["investment"]] == pytest.approx([5025, 5975], rel=1e-3)


def test_uncertain_factors_keep_their_mean_and_stay_positive():
    out = by_measure(account(money=("money", 3000.0, 2000.0, "lognormal"), margin=("factor", 0.5, 0.1, "lognormal")))
    assert out.estimate["investment"] == pytest.approx(5000, rel=1e-3)
    assert out.std_error["investment"] == pytest.approx(2000, rel=0.01)
    assert out.conf_low["investment"] > 2000


def test_sobol_beats_plain_draws_by_far():
    error = [abs(by_measure(seed=seed).estimate["value"] - 6000) for seed in range(5)]
    assert max(error) < 1500 / np.sqrt(65536) / 20  # the plain error of the mean is 1500 / sqrt(n)


def test_same_seed_same_numbers():
    flow = roi.course(days=90)
    pd.testing.assert_frame_equal(roi.roi(account(), flow), roi.roi(account(), flow), check_exact=True)
    assert (roi.roi(account(), flow, seed=2)["conf_low"] != roi.roi(account(), flow)["conf_low"]).any()


def test_an_action_without_effect_returns_minus_everything():
    out = by_measure(account(effect=("effect", 0.0, 3.0, "normal")))
    assert out.estimate["roi"] == pytest.approx(-1, abs=1e-4)
    assert out.estimate["p_pays"] < 0.01


def test_inputs_that_share_a_key_move_together():
    both = account(people=("people", 2000.0, 500.0, "normal"), money=("money", 3000.0, 500.0, "normal"))
    apart, joined = (by_measure(both.assign(key=key)).std_error["investment"] for key in (None, ["", "", "", "rate", "rate", ""]))
    assert apart == pytest.approx(np.hypot(500, 500), rel=0.01)
    assert joined == pytest.approx(1000, rel=0.01)


def test_tornado_orders_what_matters():
    out = roi.tornado(account(money=("money", 3000.0, 100.0, "lognormal"), margin=("factor", 0.5, 0.05, "lognormal")), roi.course(days=90))
    assert out.input.tolist() == ["effect", "margin", "money"]
    assert out.swing[0] == pytest.approx(500 * 2 * Z * 3, rel=1e-5)
    assert roi.tornado(account(effect=("effect", 12.0, 0.0, "fixed")), roi.course(days=90)).empty


def test_the_curves_of_payback_end_at_the_net_observed_and_declared():
    flow = roi.course(days=90, horizon=180, discount=0.08, starts=[0, 50])
    curve, out = roi.payback(account(), flow), roi.roi(account(), flow).set_index("measure")
    ends = curve.groupby("declared")["estimate"].last()
    assert ends[0] == pytest.approx(out.estimate["net"])
    assert ends[1] == pytest.approx(out.estimate["net_later"])
    assert curve.loc[curve["declared"] == 1, "month"].min() == 1  # the first customer's observed time ends in the third month
    assert (curve["conf_low"] <= curve["estimate"]).all()
    assert set(roi.payback(account(), roi.course(days=90))["declared"]) == {0}


def test_65536_draws_take_less_than_a_second():
    uncertain = account(margin=("factor", 0.5, 0.1, "lognormal"), people=("people", 2000.0, 100.0, "lognormal"), money=("money", 3000.0, 100.0, "lognormal"), reserve=("reserve", 0.1, 0.05, "uniform"))
    flow = roi.course(days=90, horizon=720, discount=0.08)
    start = time.process_time()
    roi.roi(uncertain, flow)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": None, "money": None}, "return on nothing"), ({"effect": ("effect", np.nan, 1.0, "normal")}, "effect is nan"), ({"effect": ("effect", 1.0, np.nan, "normal")}, "standard error"),
        ({"margin": ("factor", 0.0, 0.1, "lognormal")}, "above 0"), ({"effect": None}, "one effect"), ({"margin": ("factor", 1.0, 0.1, "square")}, "shape 'square'"),
    ],
)  # fmt: skip
def test_impossible_inputs_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        roi.roi(account(**change), roi.course(days=90))


def test_impossible_courses_and_draws_are_refused():
    with pytest.raises(DataError, match="power of two"):
        roi.roi(account(), roi.course(days=90), draws=1000)
    with pytest.raises(DataError, match="counted for 30"):
        roi.course(days=90, horizon=30)
