"""Tracking against NIST, closed forms and properties."""

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import DataError
from cxlib.measure import metrics, tracking

FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def test_individuals_limits_match_nist_flow_data():
    out = tracking.individuals(FLOW)
    assert out.centre[0] == pytest.approx(50.81)
    assert [out.lower[0], out.upper[0]] == pytest.approx([45.8159, 55.8041], abs=5e-5)
    assert np.abs(np.diff(FLOW)).mean() == pytest.approx(1.87778, abs=5e-6)
    assert not out.outside.any()


def test_limits_are_frozen_on_the_baseline():
    out = tracking.individuals([*FLOW, 60.0, 40.0], baseline=10)
    assert out.upper.iloc[-1] == pytest.approx(55.8041, abs=5e-5)
    assert out.outside.tolist() == [False] * 10 + [True, True]


def by_wave(frame, definition):
    return metrics.estimate(metrics.tally(frame, score="s", by="w"), definition=definition, by="w")


def test_laney_is_the_p_chart_when_sampling_explains_the_variation():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"w": np.repeat(np.arange(300), 200), "s": np.where(rng.random(60000) < 0.7, 5, 2)})
    out = tracking.laney(by_wave(frame, "csat_top2_of_5"))
    assert out.sigma_z[0] == pytest.approx(1, abs=0.1)
    assert out.upper[0] - out.centre[0] == pytest.approx(3 * np.sqrt(0.21 / 200), rel=0.1)


def test_laney_widens_when_the_level_wanders():
    rng = np.random.default_rng(2)
    share = np.clip(0.5 + 0.1 * rng.normal(size=200), 0.05, 0.95)
    frame = pd.DataFrame({"w": np.repeat(np.arange(200), 400), "s": np.where(rng.random(80000) < np.repeat(share, 400), 10, 3)})
    out = tracking.laney(by_wave(frame, "nps_0_10"))
    assert out.sigma_z[0] > 3
    assert out.outside.mean() < 0.02


def test_limits_need_two_values():
    with pytest.raises(DataError, match="at least two values"):
        tracking.individuals([3.0])
