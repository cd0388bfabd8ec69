"""A planted mood is found, an attribute that only shares it is nothing without it, and pairs that cannot be separated are named."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import halo

NAMES = ["a", "b", "c", "mood"]


def moody(n, seed=1, share=0.5):
    """Ratings with a common factor of that share; the KPI follows the factor, a and b, and has nothing of its own with `mood`."""
    rng = np.random.default_rng(seed)
    factor, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 4))
    x = np.sqrt(share) * factor + np.sqrt(1 - share) * own
    y = 0.8 * factor[:, 0] + own @ [0.6, 0.3, 0.0, 0.0] + 0.7 * rng.normal(size=n)
    return pd.DataFrame(x, columns=NAMES).assign(y=y)


def test_the_common_factor_is_recovered():
    found = halo.common(moody(40_000), kpi="y", drivers=NAMES, replicates=0).set_index("driver")
    assert found["loading"].tolist() == pytest.approx([np.sqrt(0.5)] * 4, abs=0.02)
    assert found["share"].iloc[0] == pytest.approx(0.5, abs=0.02)


def test_an_attribute_that_only_shares_the_mood_is_last_without_it():
    frame = moody(3000)
    plain = frame.corr()["y"]
    found = halo.common(frame, kpi="y", drivers=NAMES, replicates=200).set_index("driver")
    assert plain["mood"] > 0.35  # with the mood it looks like a driver
    assert found["estimate"].idxmax() == "a"
    assert found.loc["mood", "conf_high"] < found.loc["b", "conf_low"] < found.loc["b", "conf_high"] < found.loc["a", "conf_low"]
    assert found.loc["mood", "conf_high"] < 0.05


def test_partial_correlations_are_the_formula():
    loading, on, edge = np.array([0.8, 0.6, 0.5]), 0.7, np.array([0.7, 0.4, 0.3])
    matrix = np.eye(4)
    matrix[:3, :3] = np.outer(loading, loading) + np.diag(1 - loading**2)
    own = 1 - loading**2
    on = (loading / own) @ edge / ((loading / own) @ loading)
    matrix[3, :3] = matrix[:3, 3] = edge
    _, share, left = halo._apart(matrix)
    assert share == pytest.approx(on**2, abs=1e-6)
    assert left.tolist() == pytest.approx(((edge - loading * on) / np.sqrt(own * (1 - on**2))).tolist(), abs=1e-6)


def test_two_attributes_have_no_factor():
    found = halo.common(moody(200), kpi="y", drivers=["a", "b"])
    assert found["note"].str.contains("three attributes").all()
    assert found["estimate"].isna().all()


def test_pairs_are_named_with_their_correlation():
    frame = moody(2000, share=0.2)
    frame["twin"] = frame["b"] + 0.2 * np.random.default_rng(3).normal(size=2000)
    found = halo.inseparable(frame, kpi="y", drivers=[*NAMES, "twin"])
    assert found[["driver_a", "driver_b"]].to_numpy().tolist() == [["b", "twin"]]
    assert found["correlation"][0] == pytest.approx(frame["b"].corr(frame["twin"]))
    inverse = np.linalg.inv(frame[[*NAMES, "twin"]].corr().to_numpy())
    assert found["inflation"][0] == pytest.approx(np.diag(inverse).max())
    assert halo.inseparable(frame, kpi="y", drivers=NAMES).empty


def test_an_attribute_made_of_several_is_named_with_them():
    """FAULTS 37."""
    frame = moody(500, share=0.1).assign(total=lambda f: f["a"] + f["b"])
    found = halo.inseparable(frame, kpi="y", drivers=[*NAMES, "total"])
    assert set(zip(found["driver_a"], found["driver_b"])) == {("total", "a"), ("total", "b")}
    assert np.isinf(found["inflation"]).all()
    near = frame.assign(total=lambda f: f["a"] + f["b"] + f["c"] + f["mood"] + 0.3 * np.random.default_rng(1).normal(size=500))
    rows = halo.inseparable(near, kpi="y", drivers=[*NAMES, "total"])
    assert "total" in set(rows["driver_a"])
    assert rows.set_index("driver_a").loc["total", "inflation"] > 5
