"""Synthetic control against Proposition 99 and closed forms."""

import numpy as np
import pandas as pd
import pytest

from cxlib.act import grades, synthetic
from cxlib.errors import DataError


def cigarettes(shared):
    return pd.read_csv(shared / "causal" / "smoking_data.csv.gz").rename(columns={"state": "series", "year": "period", "cigsale": "value"})


@pytest.mark.shared
def test_proposition_99_by_outcomes_alone(shared):
    """METHODS 5: weights, pre-RMSE 1.65640, mean gap -19.5136, ratio rank 3 of 39 (p .077): it does not pass a 5 % placebo test."""
    frame = cigarettes(shared)
    found = synthetic.weights(frame, treated="California", start=1989).set_index("series")["weight"]
    wanted = {"Utah": 0.3939, "Montana": 0.2318, "Nevada": 0.2049, "Connecticut": 0.1091, "New Hampshire": 0.0454, "Colorado": 0.0148}
    assert found[list(wanted)].to_numpy() == pytest.approx(list(wanted.values()), abs=5e-5)
    assert found.drop(list(wanted)).max() == 0
    row = synthetic.effect(frame, treated="California", start=1989).iloc[0]
    assert (row.rmse, row.estimate) == (pytest.approx(1.65640, abs=5e-6), pytest.approx(-19.5136, abs=5e-5))
    assert (row["rank"], row.n_control, row.p) == (3, 38, pytest.approx(3 / 39))
    assert row.conf_low < 0 < row.conf_high
    assert not grades.causal(*grades.grade(design="quasi", bound=row.bound, effect=row.estimate, placebo_p=row.placebo_p)[:1], row.conf_low, row.conf_high)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "series", "treated", "start"), [("german_reunification", "country", "West Germany", 1990), ("basque_jasa", "regionname", "Basque Country (Pais Vasco)", 1970)])
def test_germany_and_basque_weights_are_the_optimum(shared, name, series, treated, start):
    """No weights on the simplex are better: where a series takes part the gradient is the same, elsewhere it is no smaller (Karush-Kuhn-Tucker)."""
    frame = pd.read_csv(shared / "causal" / f"{name}.csv.gz").rename(columns={series: "series", "year": "period", "gdp": "value", "gdpcap": "value"})
    frame = frame[frame["series"] != "Spain (Espana)"]
    wide = frame.pivot(index="period", columns="series", values="value")
    found = synthetic.weights(frame, treated=treated, start=start).set_index("series")["weight"]
    before, donors = wide[wide.index < start], wide.columns.drop(treated)
    gradient = before[donors].T @ (before[donors] @ found[donors] - before[treated])
    inside = found[donors] > 0
    assert found.sum() == pytest.approx(1)
    assert np.ptp(gradient[inside]) < 1e-6 * np.abs(gradient).max()
    assert gradient[~inside].min() > gradient[inside].mean() - 1e-6 * np.abs(gradient).max()
    row = synthetic.effect(frame, treated=treated, start=start).iloc[0]
    assert row.n_control == 16
    assert np.isnan(row.conf_low)  # sixteen placebos cannot tell at 5 %
    assert "cannot tell at 5 %" in row.note
    assert row.p >= 1 / 17


def market(seed, *, effect=0.0, donors=24, periods=40, start=30):
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0, 1, (3, periods)), axis=1)
    loads = rng.dirichlet(np.ones(3), donors + 1)
    values = 50 + loads @ common + rng.normal(0, 0.5, (donors + 1, periods))
    values[0, start:] += effect
    return pd.DataFrame({"series": np.repeat([f"s{k:02d}" for k in range(donors + 1)], periods), "period": np.tile(np.arange(periods), donors + 1), "value": values.ravel()})


def test_a_series_that_is_a_mix_is_found_to_the_last_digit():
    frame = market(1)
    wide = frame.pivot(index="period", columns="series", values="value")
    wide["s00"] = 0.7 * wide["s03"] + 0.3 * wide["s09"]
    found = synthetic.weights(wide.melt(ignore_index=False).reset_index(), treated="s00", start=30).set_index("series")["weight"]
    assert (found["s03"], found["s09"]) == (pytest.approx(0.7), pytest.approx(0.3))


@pytest.mark.parametrize("worlds", [30, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_placebo_test_keeps_its_level_and_its_interval_the_effect(worlds):
    from scipy import stats

    rows = [synthetic.effect(market(seed, effect=2.0), treated="s00", start=30).iloc[0] for seed in range(worlds)]
    null = [synthetic.effect(market(seed), treated="s00", start=30).iloc[0] for seed in range(worlds)]
    covered = sum(row.conf_low <= 2 <= row.conf_high for row in rows)
    assert stats.binomtest(covered, worlds).proportion_ci(0.99).high >= 0.93
    assert stats.binomtest(sum(row.p <= 0.05 for row in null), worlds, 0.05, "greater").pvalue > 0.005
    agree = [(row.p <= 0.05) == (not row.conf_low <= 0 <= row.conf_high) for row in rows if row.conf_low == row.conf_low]
    assert all(agree)  # zero is outside the interval where the test rejects, and only there


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda frame: pd.concat([frame, frame.head(1)]), "two values in one period"),
        (lambda frame: frame[frame["series"] != "s00"], "no series 's00'"),
        (lambda frame: frame[frame["series"].isin(["s00", "s01"])], "two or more other series"),
        (lambda frame: frame[~((frame["series"] == "s00") & (frame["period"] == 3))], "no value in 1 of 40"),
        (lambda frame: frame[frame["period"] >= 27], "five periods before"),
    ],
)
def test_series_that_allow_no_comparison_are_refused(spoil, said):
    with pytest.raises(DataError, match=said):
        synthetic.effect(spoil(market(1)), treated="s00", start=30)
