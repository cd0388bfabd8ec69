"""Breaks: published jumps and hinges to their last digit, and every other one against looking at all places one by one."""

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import DataError
from cxlib.measure import breaks

NILE = [1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821,
        768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740]  # fmt: skip
HP = [110, 110, 93, 110, 175, 105, 245, 62, 95, 123, 123, 180, 180, 180, 205, 215, 230, 66, 52, 65, 97, 150, 150, 245, 175, 66, 91, 113, 264, 175, 335, 109]
MPG = [21, 21, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4, 33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4]


def test_jump_matches_bai_perron_on_the_nile():
    found = breaks.search(pd.DataFrame({"year": range(1871, 1971), "flow": NILE}), x="year", y="flow", under="constant").iloc[0]
    assert (found["below"], found["above"]) == (1898, 1899)
    assert found["rss"] == pytest.approx(1597457.194, abs=5e-4)
    assert found["intercept"] == pytest.approx(1097.75)
    assert found["intercept"] + found["change"] == pytest.approx(849.97, abs=5e-3)


def test_hinge_matches_r_segmented_on_mtcars():
    found = breaks.search(pd.DataFrame({"hp": HP, "mpg": MPG}), x="hp", y="mpg", shape="hinge").iloc[0]
    assert found["estimate"] == pytest.approx(140.934185, abs=5e-7)
    assert found["rss"] == pytest.approx(278.5272595, abs=5e-8)


def _one_by_one(x, y, w, shape, trim, spots):
    best = np.inf
    for at in spots:
        above = w[x > at].sum() / w.sum()
        if trim - 1e-12 <= above <= 1 - trim + 1e-12:
            z = (x > at).astype(float) if shape == "jump" else np.maximum(x - at, 0.0)
            columns = np.column_stack([np.ones(len(x)), x, z]) * np.sqrt(w)[:, None]
            left = np.sqrt(w) * y - columns @ np.linalg.lstsq(columns, np.sqrt(w) * y, rcond=None)[0]
            best = min(best, float(left @ left))
    return best


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", ["jump", "hinge"])
def test_the_search_finds_what_looking_at_every_place_finds(seed, shape):
    draws = np.random.default_rng(seed)
    n = int(draws.integers(15, 80))
    x = draws.integers(0, 11, n).astype(float) if seed % 2 else draws.normal(size=n) * 100 + 1e4
    y, w = 0.3 * x + 3 * (x > np.median(x)) + draws.normal(size=n), draws.uniform(0.5, 2, n)
    found = breaks.search(pd.DataFrame({"x": x, "y": y, "w": w}), x="x", y="y", shape=shape, weight="w", trim=0.1).iloc[0]
    levels = np.unique(x)
    fine = (levels[:-1, None] + np.linspace(0, 1, 40, endpoint=False) * np.diff(levels)[:, None]).ravel()
    spots = levels[:-1] if shape == "jump" else np.append(fine, found["estimate"])
    every = _one_by_one(x, y, w, shape, 0.1, spots)
    assert found["rss"] == pytest.approx(every, rel=1e-9)
    assert found["rss"] <= _one_by_one(x, y, w, shape, 0.1, spots[:-1] if shape == "hinge" else spots) * (1 + 1e-9)


def test_the_break_of_a_line_without_noise_is_its_own():
    x = np.arange(0, 60) / 6
    found = breaks.search(pd.DataFrame({"x": x, "y": 2 + 0.5 * x + 3 * np.maximum(x - 4.1, 0)}), x="x", y="y", shape="hinge").iloc[0]
    assert (found["estimate"], found["slope"], found["change"]) == pytest.approx((4.1, 0.5, 3.0))


@pytest.mark.parametrize("frame", [pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]}), pd.DataFrame({"x": [1.0] * 20, "y": range(20)}), pd.DataFrame({"x": range(20), "y": [3.0] * 20}), pd.DataFrame({"x": [], "y": []})])
def test_fault_7_nothing_to_break_is_said_and_not_computed(frame):
    found = breaks.search(frame, x="x", y="y").iloc[0]
    assert found["note"].startswith("not estimable")
    assert np.isnan(found["estimate"])


def test_a_wrong_shape_or_trim_is_refused():
    frame = pd.DataFrame({"x": range(20), "y": range(20)})
    for wrong in ({"shape": "step"}, {"shape": "hinge", "under": "constant"}, {"trim": 0.5}, {"trim": -0.1}):
        with pytest.raises(DataError):
            breaks.search(frame, x="x", y="y", **wrong)
