"""Tracking against NIST, closed forms and properties."""

import numpy as np
import pytest

from cxlib.measure import tracking

FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def test_individuals_limits_match_nist_flow_data():
    out = tracking.individuals(FLOW)
    assert out.centre[0] == pytest.approx(50.81)
    assert [out.lower[0], out.upper[0]] == pytest.approx([45.8159, 55.8041], abs=5e-5)
    assert np.abs(np.diff(FLOW)).mean() == pytest.approx(1.87778, abs=5e-6)
    assert not out.outside.any()


