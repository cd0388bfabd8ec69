"""The importance-performance matrix, its cut lines, steps, stated importance and old importances under new ratings."""

import numpy as np
import pandas as pd
import pytest
from small import SHARED

from cxlib.errors import DataError
from cxlib.measure import drivers, priorities

NAMES = ["d0", "d1", "d2", "d3"]


def ratings(n, seed, slopes):
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.6 + 0.7 * (0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, len(slopes))))), 1, 5)
    y = np.clip(np.round(7 + 1.2 * ((x - 3.6) @ np.asarray(slopes) + rng.normal(size=n))), 0, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"d{k}" for k in range(len(slopes))), "y"])


def corners(seed=1):
    frame = ratings(800, seed, [0.6, 0.5, 0.05, 0.05])
    return frame.assign(d0=(frame["d0"] - 1).clip(1, 5), d2=(frame["d2"] - 1).clip(1, 5))  # important and weak; unimportant and weak


def draws(frame=None, replicates=200):
    return drivers.resample(corners() if frame is None else frame, kpi="y", drivers=NAMES, replicates=replicates)


def test_the_matrix_reestimates_its_cut_lines():
    frame = corners()
    out = priorities.matrix(drivers.resample(frame, kpi="y", drivers=NAMES, performance="mean_of_5", replicates=300)).set_index("driver")
    assert out.quadrant.tolist() == ["fix first", "protect", "watch", "don't over-invest"]
    assert out.p_fix_first["d0"] > 0.95
    assert out.p_fix_first["d3"] < 0.05
    assert out.performance.tolist() == pytest.approx(frame[NAMES].mean().tolist())
    assert out.cut_performance["d0"] == pytest.approx(frame[NAMES].mean().mean())
    assert out[list(priorities.CHANCES)].sum(axis=1).tolist() == pytest.approx([1] * 4)
    assert [out[name].iloc[k] for k, name in enumerate(priorities.CHANCES)] == out["p_quadrant"].tolist()


def test_a_cut_elsewhere_moves_the_quadrants():
    found = draws()
    low = priorities.matrix(found, cut_performance=1.0)
    assert set(low["quadrant"]) == {"protect", "don't over-invest"}
    assert (low["cut_performance"] == 1.0).all()
    middle = priorities.matrix(found, cut_importance="median", cut_performance="median")
    assert (middle["importance"] >= middle["cut_importance"]).sum() == 2
    rules = priorities.by_rule(found, marks={"target": 1.0})
    assert rules["rule"].unique().tolist() == ["means", "medians", "target"]
    assert rules.set_index(["rule", "driver"]).loc[("target", "d0"), "quadrant"] == "protect"
    assert rules.query("driver == 'd0'")["same"].tolist() == [0, 0, 0]
    assert rules.query("driver == 'd1'")["same"].tolist() == [1, 1, 1]
    with pytest.raises(DataError, match=r"is no rule for a cut line"):
        priorities.matrix(found, cut_performance="medain")


def test_a_step_is_the_coefficient_times_its_size():
    frame = corners()
    design = np.column_stack([np.ones(800), frame[NAMES]])
    slopes = np.linalg.lstsq(design, frame["y"], rcond=None)[0][1:]
    found = priorities.steps(frame, kpi="y", drivers=NAMES, high=dict.fromkeys(NAMES, 5), replicates=200)
    assert found["estimate"].tolist() == pytest.approx((0.5 * slopes).tolist())
    points = 100.0 * ((frame["y"] >= 9).astype(float) - (frame["y"] <= 6))
    again = priorities.steps(frame, kpi="y", drivers=NAMES, high=dict.fromkeys(NAMES, 5), definition="nps_0_10", replicates=50)
    assert again["estimate"].tolist() == pytest.approx((0.5 * np.linalg.lstsq(design, points, rcond=None)[0][1:]).tolist())
    assert (again["unit"] == "points").all()
    assert (found["conf_low"] < found["estimate"]).all()


def test_no_step_leads_beyond_the_scale():
    frame = corners().assign(d3=lambda f: np.where(np.arange(len(f)) % 5 == 0, 4.0, 5.0))
    found = priorities.steps(frame, kpi="y", drivers=NAMES, high=dict.fromkeys(NAMES, 5), replicates=20).set_index("driver")
    assert found.loc["d3", "step"] == pytest.approx(0.2) == found.loc["d3", "headroom"]
    assert (found["performance"] + found["step"] <= 5 + 1e-9).all()


@pytest.mark.parametrize("rounds", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_intervals_of_a_step_cover(rounds):
    from scipy import stats

    slopes = [0.5, 0.3, 0.1, 0.0]
    high = dict.fromkeys(NAMES, 9)
    truth = priorities.steps(ratings(500_000, 10**6, slopes), kpi="y", drivers=NAMES, high=high, replicates=0)["estimate"]
    hits = np.zeros(4)
    for seed in range(rounds):
        found = priorities.steps(ratings(200, seed, slopes), kpi="y", drivers=NAMES, high=high, replicates=200, seed=seed)
        hits += ((found["conf_low"] <= truth) & (truth <= found["conf_high"])).to_numpy()
    for count in hits:
        band = stats.binomtest(int(count), rounds).proportion_ci(0.99)
        assert band.high >= 0.93, hits / rounds
        assert band.low <= 0.97, hits / rounds


def test_stated_importance_stands_beside_derived():
    derived = pd.DataFrame({"driver": NAMES, "estimate": [0.3, 0.2, 0.02, 0.01]})
    frame = pd.DataFrame({"i0": [5, 5, 4, 5], "i1": [1, 2, 1, 1], "i2": [5, 4, 5, 5], "i3": [1, 1, 2, 2.0]})
    found = priorities.stated(frame, derived=derived, items={"d0": "i0", "d1": "i1", "d2": "i2", "d3": "i3"}).set_index("driver")
    assert found["meaning"].tolist() == ["said and shown", "shown, not said", "said, not shown", "neither"]
    assert found["stated"].tolist() == pytest.approx(frame.mean().tolist())
    assert found["rank_derived"].tolist() == [1, 2, 3, 4]
    part = priorities.stated(frame, derived=derived, items={"d0": "i0", "d1": "i1"}).set_index("driver")
    assert part.loc["d2", "note"] == "its importance was not asked about"
    assert part["agreement"].isna().all()


def test_picks_are_shares_of_those_who_named_any():
    frame = pd.DataFrame({"first": ["a", "b", None, "a"], "second": ["b", None, None, "c"]})
    derived = pd.DataFrame({"driver": ["d0", "d1"], "estimate": [0.3, 0.1]})
    found = priorities.stated(frame, derived=derived, picks=["first", "second"], names={"a": "d0", "b": "d1"}).set_index("driver")
    assert found["stated"].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert (found["n"] == 3).all()
    assert (found["unit"] == "share").all()


@pytest.mark.shared
def test_kansas_city_names_streets_and_police_most():
    file = SHARED / "kcmo" / "kcmo_FY2022.csv.gz"
    if not file.exists():
        pytest.skip(f"needs {file}: the public data beside the repository")
    frame = pd.read_csv(file, low_memory=False)
    names = [f"q3_{k:02d}" for k in range(1, 17)]
    picks = ["q4_01", "q4_02", "q4_03"]
    frame = frame.assign(**frame[["q2_01", *names]].apply(pd.to_numeric, errors="coerce").replace(9, np.nan))
    frame[picks] = frame[picks].apply(pd.to_numeric, errors="coerce").replace(99, np.nan)
    shown = drivers.importance(frame, kpi="q2_01", drivers=names, replicates=0).query("method == 'shapley'")
    found = priorities.stated(frame, derived=shown, picks=picks, names={float(k): f"q3_{k:02d}" for k in range(1, 17)}).set_index("driver")
    assert set(found["stated"].nlargest(2).index) == {"q3_01", "q3_03"}  # police; streets and sidewalks
    assert found["stated"].between(0, 1).all()
    assert found["meaning"].isin(priorities.MEANINGS.values()).all()
    assert shown["estimate"].sum() == pytest.approx(shown["r2"].iloc[0])


def test_old_importances_under_new_ratings_keep_their_lines():
    then = priorities.matrix(draws())
    cut = then["cut_performance"].iloc[0]
    now = pd.DataFrame({"driver": NAMES[:3], "estimate": [cut + 1, cut + 0.05, cut - 1], "conf_low": [cut + 0.9, cut - 0.1, cut - 1.1], "conf_high": [cut + 1.1, cut + 0.2, cut - 0.9], "n": 200})
    found = priorities.carried(then, now).set_index("driver")
    assert found.loc["d0", ["quadrant_then", "quadrant_now", "moved"]].tolist() == ["fix first", "protect", 1]
    assert found.loc["d1", "moved"] == 0
    assert "d3" not in found.index
    assert found["importance"].tolist() == then["importance"].tolist()[:3]
