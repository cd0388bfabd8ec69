"""Targets by date: closed form at the ends, calibration of the chance to meet them by their day, and sentences."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.measure import targets
from cxlib.programme import Programme
from cxlib.show import claims


def walk(rng, size, step, answers=80):
    truth = np.cumsum(np.r_[rng.normal(0, 10), rng.normal(0, step, size - 1)])
    error = 83 / np.sqrt(answers)
    seen = truth + rng.normal(0, error, size)
    return truth, pd.DataFrame({"date": pd.date_range("2024-01-01", periods=size, freq="7D"), "estimate": seen, "std_error": error, "n_eff": float(answers), "unit": "points", "n": answers})


def test_chances_of_reaching_a_target_by_its_day_are_calibrated():
    """Weekly series whose level wanders: the forecast's 95 % interval covers, and a target that is met in three of ten worlds is given three chances of ten."""
    rng, inside, said, met = np.random.default_rng(7), [], [], []
    for _ in range(120):
        truth, frame = walk(rng, 72, 1.5)
        found = targets.ahead(frame.iloc[:60], target_by=frame["date"].iloc[71])
        inside.append(found["forecast_low"] <= truth[71] <= found["forecast_high"])
        aim = truth[59] + rng.normal(0, 6)
        said.append(stats.norm.cdf((found["forecast"] - aim) / found["forecast_sd"]))
        met.append(truth[71] >= aim)
    assert np.mean(inside) > 0.95 - 2.6 * np.sqrt(0.05 * 0.95 / 120)
    said, met = np.array(said), np.array(met)
    assert abs(said.mean() - met.mean()) < 2.6 * np.sqrt((said * (1 - said)).sum()) / 120
    low, high = said < 0.3, said > 0.7
    assert met[low].mean() < 0.35 < 0.65 < met[high].mean()


def test_a_farther_day_is_less_sure_and_a_day_that_has_passed_is_the_level_then():
    _, frame = walk(np.random.default_rng(3), 80, 2.0)
    near, far = (targets.ahead(frame, target_by=day) for day in ("2025-09-30", "2027-09-30"))
    assert far["forecast_sd"] > near["forecast_sd"] > near["std_error"]
    assert near["estimate"] == pytest.approx(far["estimate"], abs=0.5)
    past = targets.ahead(frame, target_by=frame["date"].iloc[40])
    assert past["day"] == frame["date"].iloc[40]
    assert past["forecast_low"] < past["forecast"] < past["forecast_high"]


PROGRAMME = Programme(name="P", surveys=({"id": "poll", "kind": "transactional"},), kpis=({"id": "nps", "label": "Score", "item": "x", "definition": "nps_0_10", "target": 20},))


def row(**other):
    day = pd.Timestamp("2026-12-31")
    return {"kpi": "nps", "survey": "poll", "quarter": "2026Q3", "unit": "points", "target": 20.0, "target_by": day, "estimate": 12.0, "std_error": 3.0, "conf_low": 6.0, "conf_high": 18.0, "n": 300, "basis": "level", "p_met": 0.004, "day": day, "forecast": 12.0, "forecast_low": 2.0, "forecast_high": 22.0, "p_by": 0.06, "note": ""} | other


@pytest.mark.parametrize(("change", "words"), [
    ({}, "the chance that it is met is less than 1 in 100. If it moves on as it has moved, without a new jump, it lies at +12 on 31 December 2026 (95 % interval +2.0 to +22.0), and the chance to meet the target by then is 6 in 100."),
    ({"target_by": pd.NaT}, "The objective has no day, so it can be neither met in time nor missed; add target_by."),
    ({"target_by": pd.Timestamp("2026-06-30")}, "It was due on 30 June 2026, when it stood at +12 (+2.0 to +22.0): the chance that it was met then is 6 in 100."),
    ({"p_by": np.nan, "note": "fewer than 4 periods with answers: no path to go on"}, "How likely it is by 31 December 2026 cannot be said: fewer than 4 periods"),
    ({"p_met": np.nan}, "cannot be said, because the level is not estimable"),
])  # fmt: skip
def test_objectives_in_words(change, words):
    assert words in claims.targets.said(pd.DataFrame([row(**change)]), PROGRAMME)[0]


def test_effort_has_a_target_from_above_and_shares_are_read_in_percent(tiny, tmp_path):
    from small import TINY

    from cxlib import load
    from cxlib.measure import waves
    from cxlib.programme import read

    toml = TINY + '[[kpis]]\nid = "low"\nitem = "price"\ndefinition = "ces_1"\ntarget = 4.5\n[[kpis]]\nid = "top"\nitem = "price"\ndefinition = "top2_of_5"\ntarget = 30\n'
    tables = load.tables(read(tiny(toml=toml)), out=tmp_path / "reports")
    found = targets.met(tables, waves.kpis(tables)).set_index("kpi")
    assert found.loc["low", "p_met"] > 0.99
    assert found.loc["top", "target"] == 0.3
    assert set(found["basis"]) == {"wave"}
    assert targets.lines(waves.kpis(tables), tables.programme).set_index("kpi")["target"].to_dict() == pytest.approx({"nps": np.nan, "low": 4.5, "top": 0.3}, nan_ok=True)
