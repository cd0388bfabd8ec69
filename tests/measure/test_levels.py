"""The level behind the noise: against statsmodels, on the Nile, and in simulated series whose true level is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import nile
from statsmodels.tsa.statespace.structural import UnobservedComponents

from cxlib.errors import DataError
from cxlib.measure import levels, metrics, waves

NILE_NOISE = 15099.0  # Durbin & Koopman (2012), table 2.1 and p. 39: variances of the Nile's disturbances, 15099 and 1469.1


def weekly(size, answers, step, *, jump=0.0, missing=0.0, seed=1):
    """A series of NPS by week whose true level is a random walk (with one jump at four fifths), and the estimates people would give."""
    rng = np.random.default_rng(seed)
    truth = np.cumsum(np.r_[rng.normal(0, 15), rng.normal(0, step, size - 1)])
    truth[int(size * 0.8) :] -= jump
    truth = np.clip(truth, -90, 90)
    rows = []
    for week in range(size):
        n = max(3, rng.poisson(answers))
        ends = max(0.7, abs(truth[week]) / 100 + 0.02)
        promoters = (ends + truth[week] / 100) / 2
        counts = rng.multinomial(n, [promoters, 1 - ends, ends - promoters])
        x = (counts[0] - counts[2]) / n
        if rng.random() >= missing:
            rows.append((pd.Timestamp("2023-10-02") + pd.Timedelta(weeks=week), 100 * x, 100 * np.sqrt(((counts[0] + counts[2]) / n - x * x) / n), float(n), "points", truth[week]))
    return pd.DataFrame(rows, columns=["date", "estimate", "std_error", "n_eff", "unit", "truth"])


def flow():
    river = nile.load_pandas().data
    return pd.DataFrame({"date": pd.to_datetime(river["year"].astype(int).astype(str)), "estimate": river["volume"], "std_error": np.sqrt(NILE_NOISE), "n_eff": 1000.0, "unit": "scale"})


@pytest.mark.parametrize("season", [0, 1])
def test_filter_and_smoother_match_statsmodels_with_known_variances(season):
    y = flow()["estimate"].to_numpy().copy()
    y[[20, 21, 60]] = np.nan
    waves = levels._season(np.arange(100) * 91.0, season) if season else np.empty((100, 0))
    ours = levels._filter(y, np.where(np.isnan(y), np.nan, NILE_NOISE), np.ones(100), waves, np.zeros((1, 100)), np.array([1469.1]))
    model = UnobservedComponents(y, "llevel", exog=waves if season else None, mle_regression=False)
    model.ssm.initialize_approximate_diffuse(levels.DIFFUSE)
    theirs = model.smooth([NILE_NOISE, 1469.1])
    np.testing.assert_allclose(ours["level"][0], theirs.smoothed_state[0], rtol=1e-6)
    np.testing.assert_allclose(ours["level_var"][0], theirs.smoothed_state_cov[0, 0], rtol=1e-4)
    np.testing.assert_allclose(ours["filtered"][0], theirs.filtered_state[0], rtol=1e-6)


def test_step_of_the_nile_lies_where_durbin_and_koopman_put_it():
    found = levels.level(flow(), find=False)
    assert np.sqrt(1469.1) * 0.6 < found["step_sd"].iloc[0] < np.sqrt(1469.1) * 1.7  # 38.3; their likelihood is flat, and ours is averaged over it


def test_the_fall_of_the_nile_in_1899_is_a_jump():
    found = levels.level(flow())
    near = found["date"].dt.year.between(1897, 1900)
    assert found.loc[found["break"], "date"].dt.year.tolist() == [1899]
    assert found.loc[near, "jump"].sum() > 0.8


def test_a_declared_break_starts_anew_and_is_not_averaged_over():
    series = weekly(60, 200, 0.0, jump=40)
    day = series["date"].iloc[48]
    found = levels.level(series, breaks=[day], find=False)
    assert abs((found["level"].iloc[46] - found["level"].iloc[50]) - 40) < 8
    assert found.loc[found["break"], "date"].tolist() == [day]
    assert found.loc[48, ["forecast", "surprise"]].isna().all()


def test_a_jump_is_found_where_there_is_one_and_seldom_where_there_is_none():
    there = [levels.level(weekly(157, 60, 1.0, jump=30, seed=seed))["break"].any() for seed in range(12)]
    none = [levels.level(weekly(157, 60, 1.0, seed=seed))["break"].any() for seed in range(12)]
    assert sum(there) >= 9
    assert sum(none) <= 2


def test_rows_in_any_order_and_weeks_without_answers_change_nothing():
    series = weekly(40, 60, 2.0)
    empty = series.iloc[[10, 11]].assign(estimate=np.nan, std_error=np.nan, n_eff=0.0)
    whole = levels.level(pd.concat([series.drop([10, 11]), empty]).sample(frac=1, random_state=3))
    gone = levels.level(series.drop([10, 11]))
    kept = whole.drop([10, 11]).reset_index(drop=True)
    np.testing.assert_allclose(kept["level"], gone["level"], atol=1e-3)
    assert whole.loc[[10, 11], "level"].notna().all()
    width = lambda found: (found["conf_high"] - found["conf_low"]).loc[[10, 11]]
    assert (width(whole) > width(levels.level(series))).all()


def test_a_wave_of_promoters_only_has_no_infinite_weight():
    estimates = np.array([82.5, 85, 77.5, 80, 87.5, 100, 82.5, 80, 85, 77.5, 82.5, 90])
    errors = np.array([6.7, 6.4, 7.4, 7.1, 6.1, 0.0, 6.7, 7.1, 6.4, 7.4, 6.7, 5.6])
    found = levels.level(pd.DataFrame({"date": pd.date_range("2026-01-05", periods=12, freq="7D"), "estimate": estimates, "std_error": errors, "n_eff": 40.0, "unit": "points"}))
    assert found["sampling"].gt(3).all()
    assert found["level"].between(78, 92).all()


def test_too_few_periods_are_shown_as_they_are():
    found = levels.level(weekly(3, 60, 1.0))
    assert (found["level"] == found["estimate"]).all()
    assert "fewer than 4" in found["note"].iloc[0]


def test_two_rows_for_one_period_are_refused():
    series = weekly(8, 60, 1.0)
    with pytest.raises(DataError, match="Two rows stand for 2023-10-02"):
        levels.level(pd.concat([series, series.head(1)]))


def test_forecasts_are_better_than_as_last_week_and_hold_their_interval():
    score = levels.scored(levels.level(weekly(157, 60, 1.0)))
    assert score["error"] < 0.85 * score["naive"]
    assert 0.9 <= score["inside"] <= 0.99
    assert abs(score["lag1"]) < 0.25


def coverage(size, answers, step, replicates, **more):
    inside = []
    for seed in range(replicates):
        series = weekly(size, answers, step, seed=seed, **more)
        found = levels.level(series)
        inside.append(series["truth"].between(found["conf_low"], found["conf_high"]).mean())
    return np.mean(inside)


CASES = [(20, 20, 0.0, {}), (52, 20, 1.0, {"missing": 0.2}), (52, 60, 3.0, {}), (157, 60, 1.0, {"jump": 25.0}), (12, 800, 5.0, {}), (8, 400, 3.0, {})]


@pytest.mark.parametrize(("size", "answers", "step", "more"), CASES)
def test_the_interval_of_the_level_covers_small(size, answers, step, more):
    assert coverage(size, answers, step, 25, **more) > 0.88


@pytest.mark.slow
@pytest.mark.parametrize(("size", "answers", "step", "more"), CASES)
def test_the_interval_of_the_level_covers(size, answers, step, more):
    """Mean over all periods; conservative (up to 1) where the level hardly moves, because a moving one cannot be ruled out."""
    assert coverage(size, answers, step, 400, **more) > 0.93


def _clustered(weeks, branches, *, tie, seed=2):
    """Answers of one wave whose true level never moves: each week people of some branches, who share a mood."""
    rng = np.random.default_rng(seed)
    size = 6
    week = np.repeat(np.arange(weeks), branches * size)
    branch = np.repeat(rng.integers(0, 4 * branches, size=(weeks, branches)) + 10_000 * np.arange(weeks)[:, None], size)
    mood = tie * rng.normal(size=weeks * branches).repeat(size) + rng.normal(size=len(week))
    score = np.clip(np.round(7.5 + 2 * mood), 0, 10)
    day = pd.Timestamp("2025-01-06") + pd.to_timedelta(7 * week, unit="D")
    return pd.DataFrame({"wave": "w", "answered_on": day, "branch": branch, "score": score, "weight": 1.0, "region": rng.choice(["n", "s"], len(week))})


@pytest.mark.parametrize(("tie", "least"), [(0.0, 1.0), (1.0, 2.0)])
def test_the_sampling_error_of_a_level_carries_the_design_effect(tie, least):
    """A level that never moves: the estimates scatter by their sampling error alone, which is known only with the clusters."""
    frame = _clustered(150, 10, tie=tie)
    options = {"base_weight": None, "cluster": "branch", "strata": None, "margins": []}
    kpi = SimpleNamespace(item="score", definition="nps_0_10")
    counted = metrics.tally(frame.assign(date=frame["answered_on"]), score="score", by="date", weight="weight")
    plain = metrics.estimate(counted, definition="nps_0_10", by="date")
    found = levels._designed(plain, waves.Sample(frame, options, frozenset({"w"}), {}), kpi, "week")
    assert (plain["n_eff"] / found["n_eff"]).min() >= least
    assert np.sqrt(levels.variances(found)).mean() == pytest.approx(plain["estimate"].std(), rel=0.15)
    pd.testing.assert_frame_equal(levels._designed(plain, None, kpi, "week"), plain)


def test_nobody_twice_in_a_week_is_no_design_effect():
    frame = _clustered(20, 3, tie=1.0).assign(branch=lambda rows: np.arange(len(rows)) % 18)
    plain = metrics.estimate(metrics.tally(frame.assign(date=frame["answered_on"]), score="score", by="date", weight="weight"), definition="nps_0_10", by="date")
    sample = waves.Sample(frame, {"base_weight": None, "cluster": "branch", "strata": None, "margins": []}, frozenset({"w"}), {})
    pd.testing.assert_frame_equal(levels._designed(plain, sample, SimpleNamespace(item="score", definition="nps_0_10"), "week"), plain)


def test_without_a_season_the_filter_in_numbers_is_the_filter_in_matrices():
    rng = np.random.default_rng(4)
    x, h, gaps = rng.normal(size=40), rng.uniform(0.1, 1, size=40), np.r_[0, rng.integers(1, 3, size=39)].astype(float)
    x[[0, 7]] = np.nan
    jumps = np.zeros((6, 40))
    jumps[2, 11], jumps[4, 20] = levels.JUMP, levels.DIFFUSE
    options = (x, h, gaps, np.empty((40, 0)), jumps, np.linspace(0, 1, 6))
    numbers, matrices = levels._filter(*options), levels._seasonal(*options)
    assert numbers.keys() == matrices.keys()
    for name in numbers:
        np.testing.assert_allclose(numbers[name], matrices[name], rtol=1e-6, atol=1e-8, err_msg=name)
