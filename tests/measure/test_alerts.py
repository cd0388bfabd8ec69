"""Alerts: the chart's rule, limits that stay, one alert a happening, and false alerts as often as was said."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import alerts


def series(level, *, answers=60, seed=1, unit="points", start="2024-01-01"):
    """Weekly estimates of so many answers at these levels (points), as `metrics.estimate` gives them."""
    rng, level = np.random.default_rng(seed), np.asarray(level, dtype=float)
    if unit == "count":
        return pd.DataFrame({"date": pd.date_range(start, periods=len(level), freq="7D"), "estimate": rng.normal(level, 8).round(), "n_eff": 1.0, "std_error": np.nan, "unit": "count", "n": 60})
    n = np.full(len(level), answers)
    ends = 0.7
    up = np.array([rng.multinomial(size, [(ends + x / 100) / 2, 1 - ends, (ends - x / 100) / 2]) for size, x in zip(n, level)])
    s = (up[:, 0] - up[:, 2]) / n
    return pd.DataFrame({"date": pd.date_range(start, periods=len(level), freq="7D"), "estimate": 100 * s, "n_eff": n.astype(float), "std_error": 100 * np.sqrt(((up[:, 0] + up[:, 2]) / n - s**2) / n), "unit": unit, "n": n})


def test_the_chart_follows_from_what_a_single_period_can_show():
    assert alerts.chart_for(np.nan).name == "I-MR"
    assert (alerts.chart_for(1.2).name, alerts.chart_for(1.2).known) == ("Laney p'", pytest.approx(152.73, abs=0.01))
    small = alerts.chart_for(0.4)
    assert (small.name, small.known) == ("EWMA", 500)
    assert small.limit == pytest.approx(2.814, abs=2e-3)  # Montgomery (2013), table 9.11
    _, few, _ = alerts.watch(series(np.full(90, 10), answers=60))
    _, many, _ = alerts.watch(series(np.full(90, 10), answers=600))
    assert (few["chart"][0], many["chart"][0]) == ("EWMA", "Laney p'")


def test_limits_stay_where_the_baseline_put_them():
    calm = series(np.full(90, 10))
    moved = calm.assign(estimate=calm["estimate"].where(calm.index < 60, calm["estimate"] - 40))
    one, two = (alerts.watch(frame)[0].iloc[:60] for frame in (calm, moved))
    pd.testing.assert_frame_equal(one, two)
    assert one["baseline"].sum() == 30


@pytest.mark.parametrize("answers", [60, 600])
def test_a_fall_is_one_alert_with_its_day_and_its_answers(answers):
    frame = series(np.r_[np.full(70, 12), np.full(16, -12)], answers=answers, seed=5)
    _, chart, found = alerts.watch(frame)
    late = found[found["first"] >= frame["date"][70]]
    assert len(late) == 1
    assert (late["direction"].iloc[0], late["open"].iloc[0]) == ("below", 1)
    assert abs((late["since"].iloc[0] - frame["date"][70]).days) <= 21
    assert late["estimate"].iloc[0] == pytest.approx(-12, abs=8)
    assert chart["fired"].iloc[0] == len(found)


def test_what_lasts_half_a_year_becomes_the_new_state():
    frame = series(np.r_[np.full(60, 12), np.full(80, -12)], seed=4)
    _, charts, found = alerts.watch(frame)
    assert len(charts) == 2
    assert found["note"].str.contains("set anew").sum() == 1
    assert charts["centre"].iloc[1] == pytest.approx(-12, abs=5)
    assert found["open"].sum() == 0


def test_a_break_in_the_question_starts_anew_and_does_not_alert():
    frame = series(np.r_[np.full(50, 30), np.full(50, -10)], seed=6)
    assert len(alerts.watch(frame)[2]) >= 1
    _, charts, found = alerts.watch(frame, breaks=[frame["date"][50]])
    assert len(charts) == 2
    assert found.empty or (found["estimate"] - found["centre"]).abs().max() < 25


def test_short_flat_and_empty_series_get_a_sentence():
    _, chart, found = alerts.watch(series(np.full(12, 10)))
    assert found.empty
    assert chart["note"][0] == "12 weeks with answers: a chart takes 20 for its limits and one more to be watched"
    gaps = series(np.full(60, 10))
    gaps.loc[[3, 30, 41], ["estimate", "n_eff"]] = np.nan, 0
    assert alerts.watch(gaps)[1]["watched"][0] == 37


def test_answers_that_break_off_alert_on_an_individuals_chart():
    frame = series(np.r_[np.full(60, 64), np.full(10, 20)], unit="count")
    _, chart, found = alerts.watch(frame)
    assert chart["chart"][0] == "I-MR"
    assert found["direction"].iloc[-1] == "below"
    # NIST/SEMATECH e-Handbook 6.3.2.2: limits are the mean and three mean moving ranges over 1.128
    base = frame["estimate"].iloc[: chart["baseline"][0]]
    assert chart["sigma"][0] == pytest.approx(base.diff().abs().mean() / 1.128, rel=1e-3)


@pytest.mark.parametrize(("answers", "runs"), [(60, 120), (600, 120)])
def test_false_alerts_within_a_quarter_come_as_often_as_was_said(answers, runs):
    """In a company where nothing happens a chart of ninety weeks alerts in its first quarter as often as its simulation says."""
    said, seen = [], []
    for seed in range(runs):
        shown, chart, _ = alerts.watch(series(np.full(90, 10), answers=answers, seed=seed + 100))
        said.append(chart["p_quarter"][0])
        seen.append(shown.loc[~shown["baseline"], "signal"].iloc[:13].any())
    expected = np.mean(said)
    assert abs(np.mean(seen) - expected) < 2.6 * np.sqrt(max(expected * (1 - expected), 0.02) / runs)


def test_a_series_too_short_for_a_chart_leaves_the_others_numbers():
    """Beside an empty frame of objects every column became one of objects, which no chart can draw."""
    periods = pd.concat([alerts.watch(series(np.full(length, 10)))[0] for length in (12, 90)])
    assert {periods[name].dtype.kind for name in ("value", "centre", "lower", "upper", "stat")} == {"f"}
    assert [periods[name].dtype.kind for name in ("date", "signal", "baseline")] == ["M", "b", "b"]
