"""Curves: means and slopes with customers as clusters, against statsmodels and closed forms."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import curves


@pytest.fixture(scope="module")
def frame():
    draws = np.random.default_rng(4)
    who = draws.integers(0, 90, 400)
    x = draws.integers(0, 11, 400).astype(float)
    own = draws.normal(size=90)[who]
    return pd.DataFrame({"who": who, "x": x, "y": 3 + 0.4 * x + own + draws.normal(size=400), "group": np.where(who % 3, "a", "b"), "w": draws.uniform(0.5, 2, 400)})


def test_the_slope_and_its_error_match_statsmodels_with_clusters(frame):
    import statsmodels.api as sm

    columns = sm.add_constant(np.column_stack([frame["x"], frame["group"] == "b"]).astype(float))
    for weight in (None, "w"):
        model = sm.OLS(frame["y"], columns) if weight is None else sm.WLS(frame["y"], columns, weights=frame["w"])
        fitted = model.fit(cov_type="cluster", cov_kwds={"groups": frame["who"]}, use_t=True)
        found = curves.slope(frame, x="x", y="y", cluster="who", weight=weight, held=["group"])
        assert found["estimate"] == pytest.approx(fitted.params.iloc[1], rel=1e-9)
        assert found["std_error"] == pytest.approx(fitted.bse.iloc[1], rel=1e-9)
        assert (found["conf_low"], found["conf_high"], found["p"]) == pytest.approx((*fitted.conf_int().iloc[1], fitted.pvalues.iloc[1]), rel=1e-7)


def test_a_mean_of_single_answers_is_students(frame):
    from scipy import stats

    found = curves.mean(frame, y="y")
    low, high = stats.t.interval(0.95, len(frame) - 1, frame["y"].mean(), stats.sem(frame["y"]))
    assert (found["estimate"], found["conf_low"], found["conf_high"]) == pytest.approx((frame["y"].mean(), low, high))


def test_answers_of_one_customer_are_one_draw(frame):
    twice = pd.concat([frame, frame], ignore_index=True)
    assert curves.mean(twice, y="y", cluster="who")["std_error"] == pytest.approx(curves.mean(frame, y="y", cluster="who")["std_error"])
    assert curves.mean(twice, y="y", cluster="who")["n_eff"] == pytest.approx(curves.mean(frame, y="y", cluster="who")["n_eff"])


def test_the_rising_line_pools_what_falls():
    frame = pd.DataFrame({"x": [1, 2, 3, 4], "y": [1.0, 5.0, 3.0, 6.0]})
    assert curves.curve(frame, x="x", y="y")["rising"].tolist() == [1, 4, 4, 6]  # the two that fall, at their mean


def test_many_values_are_put_into_equal_parts(frame):
    found = curves.curve(frame.assign(x=np.arange(400.0)), x="x", y="y", most=10)
    assert len(found) == 10
    assert found["n"].tolist() == [40] * 10
    assert found["rising"].is_monotonic_increasing


def test_fault_7_too_few_customers_are_said():
    found = curves.slope(pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 3]}), x="x", y="y")
    assert found["note"].startswith("not estimable")
    assert np.isnan(curves.mean(pd.DataFrame({"y": [3.0]}), y="y")["conf_low"])
