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


def waves(counts, quarters=("2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3")):
    rows = [{"quarter": q, "s": s} for q, (p, a, d) in zip(quarters, counts) for s, k in ((10, p), (8, a), (2, d)) for _ in range(k)]
    return tracking.series(pd.DataFrame(rows), score="s", definition="nps_0_10", period="quarter")


def test_laney_is_the_p_chart_when_sampling_explains_the_variation():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"w": np.repeat(np.arange(300), 200), "s": np.where(rng.random(60000) < 0.7, 5, 2)})
    out = tracking.laney(tracking.series(frame, score="s", definition="csat_top2_of_5", period="w"))
    assert out.sigma_z[0] == pytest.approx(1, abs=0.1)
    assert out.upper[0] - out.centre[0] == pytest.approx(3 * np.sqrt(0.21 / 200), rel=0.1)


def test_laney_widens_when_the_level_wanders():
    rng = np.random.default_rng(2)
    share = np.clip(0.5 + 0.1 * rng.normal(size=200), 0.05, 0.95)
    frame = pd.DataFrame({"w": np.repeat(np.arange(200), 400), "s": np.where(rng.random(80000) < np.repeat(share, 400), 10, 3)})
    out = tracking.laney(tracking.series(frame, score="s", definition="nps_0_10", period="w"))
    assert out.sigma_z[0] > 3
    assert out.outside.mean() < 0.02


def test_changes_name_the_wave_before_and_the_year_before():
    out = tracking.changes(waves([(50, 30, 20)] * 4 + [(60, 30, 10)]))
    last = out[out.quarter == "2026Q3"].set_index("against")
    assert last.then_period.to_dict() == {"previous": "2026Q2", "year": "2025Q3"}
    assert last.gap.to_dict() == {"previous": 1, "year": 4}
    assert last.estimate.tolist() == pytest.approx([20, 20])
    first = out[out.quarter == "2025Q3"]
    assert first.note.tolist() == ["not estimable (no earlier wave)"] * 2


def test_unequal_gaps_are_said():
    # the airport's waves: 2010Q3, 2011Q2-2013Q2, 2014Q3, 2015Q2
    quarters = ("2010Q3", "2011Q2", "2012Q2", "2013Q2", "2014Q3", "2015Q2", "2016Q2")
    out = tracking.changes(waves([(50, 30, 20)] * 7, quarters)).query("against == 'previous'").set_index("quarter")
    assert out.gap.tolist()[1:] == [3, 4, 4, 5, 3, 4]
    assert out.usual_gap.iloc[0] == 4
    assert out.uneven.tolist() == [False, True, False, False, True, True, False]


def test_changes_keep_groups_apart_and_use_the_overlap():
    rows = pd.DataFrame({"g": np.tile(["a", "b"], 400), "quarter": np.repeat(["2025Q3", "2026Q3"], 400), "person_id": np.tile(np.arange(400), 2)})
    rows["s"] = np.random.default_rng(0).integers(0, 11, 400)[rows.person_id]
    now, then = rows[rows.quarter == "2026Q3"], rows[rows.quarter == "2025Q3"]
    tied = metrics.overlap(now, then, person="person_id", score="s", definition="nps_0_10", by="g")
    estimates = tracking.series(rows, score="s", definition="nps_0_10", period="quarter", by="g")
    loose = tracking.changes(estimates, by="g").query("against == 'year' and quarter == '2026Q3'")
    bound = tracking.changes(estimates, by="g", overlaps={("2026Q3", "2025Q3"): tied}).query("against == 'year' and quarter == '2026Q3'")
    assert loose.g.tolist() == ["a", "b"]
    assert bound.n_both.tolist() == [200, 200]
    assert bound.std_error.isna().all()  # the same people said the same: the difference has no spread at all
    assert (loose.std_error > 0).all()


@pytest.mark.parametrize("label", ["2026Q5", "2026-Q3", "٢٠٢٦Q3", "2026Q3\n", ""])
def test_what_is_no_quarter_is_refused(label):
    with pytest.raises(DataError, match="is no quarter"):
        tracking.quarters(label)
