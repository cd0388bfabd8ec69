"""Moments of ratings with gaps: EM against a closed form, and three treatments against a known truth."""

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import drivers, missing

NAMES = [f"d{k}" for k in range(6)]


def full(n, seed):
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.6 + 0.8 * (np.sqrt(0.4) * rng.normal(size=(n, 1)) + np.sqrt(0.6) * rng.normal(size=(n, 6)))), 1, 5)
    y = np.clip(np.round(7 + 1.2 * ((x - 3.6) @ [0.6, 0.45, 0.3, 0.2, 0.1, 0.0] + rng.normal(size=n))), 0, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*NAMES, "y"]), rng


def gaps(frame, rng, kind):
    u, gone = rng.random((len(frame), 6)), np.zeros((len(frame), 7), dtype=bool)
    if kind == "chance":
        gone[:, :6] = u < 0.25
    elif kind == "kpi":  # the dissatisfied skip
        gone[:, :6] = u < np.where(frame["y"] <= 6, 0.45, 0.1)[:, None]
    else:  # who rates the first attribute poorly skips the rest
        gone[:, 1:6] = (u < np.where(frame["d0"] <= 3, 0.45, 0.1)[:, None])[:, 1:]
    return frame.mask(gone)


def test_em_matches_the_closed_form_of_one_column_with_gaps():
    """Anderson 1957: the moments of a column with gaps are its regression on the complete columns, fitted where it is there, at the moments of all rows."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 2)) @ [[1.0, 0.4], [0.0, 1.0]]
    frame = pd.DataFrame(x, columns=["k", "x"]).assign(y=x @ [0.3, 0.7] + rng.normal(size=200))
    frame.loc[x[:, 1] > 0.5, "y"] = np.nan
    seen = frame.dropna()
    inner = np.cov(seen[["k", "x"]].T, ddof=0)
    slope = np.linalg.solve(inner, [np.cov(seen[name], seen["y"], ddof=0)[0, 1] for name in ("k", "x")])
    whole = np.cov(x.T, ddof=0)
    left = seen["y"].var(ddof=0) - slope @ inner @ slope
    expected = (whole @ slope)[1] / np.sqrt(whole[1, 1] * (slope @ whole @ slope + left))
    assert missing.correlations(frame, columns=["y", "k", "x"]).loc["y", "x"] == pytest.approx(expected, abs=1e-5)


def test_without_gaps_every_way_is_the_plain_one():
    frame, _ = full(300, 1)
    frame["w"] = np.random.default_rng(2).choice([0.5, 1.0, 2.0], 300)
    found = missing.compare(frame, kpi="y", drivers=NAMES, weight="w")
    plain = drivers.resample(frame, kpi="y", drivers=NAMES, weight="w", replicates=0)["shapley"].tolist()
    for _, own in found.groupby("way"):
        assert own["estimate"].tolist() == pytest.approx(plain, abs=1e-6)
    assert (found["least"] > 0).all()


@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["chance", "kpi", "first"])
def test_pairs_lose_almost_nothing_to_em_and_complete_answers_lose_a_lot(kind, rounds):
    """The ground of the choice on the page: against a truth from 400,000 answers, n = 1,000, a quarter of the ratings missing."""
    truth = drivers.shapley(full(400_000, 99)[0].corr(), kpi="y")["estimate"].to_numpy()
    errors = {way: [] for way in missing.WAYS}
    for seed in range(rounds):
        frame, rng = full(1000, seed)
        for way, own in missing.compare(gaps(frame, rng, kind), kpi="y", drivers=NAMES).groupby("way"):
            errors[way].append(own["estimate"].to_numpy() - truth)
    off = {way: np.sqrt(np.mean(np.square(rows))) for way, rows in errors.items()}
    bias = {way: np.abs(np.mean(rows, axis=0)).max() for way, rows in errors.items()}
    assert off["pairwise"] < 1.15 * off["em"]
    assert off["listwise"] > 1.5 * off["em"]
    assert bias["pairwise"] < 0.015
    if kind != "chance":
        assert bias["listwise"] > 0.03


def test_what_cannot_be_estimated_has_a_reason():
    """FAULTS 7 and 37."""
    frame, _ = full(60, 1)
    frame.loc[:, "d1"] = 3.0
    frame.loc[frame.index[:57], "d2"] = np.nan
    found = missing.compare(frame, kpi="y", drivers=NAMES).set_index(["way", "driver"])
    assert found.loc["listwise", "note"].str.contains("3 complete answers").all()
    assert found.loc[("pairwise", "d1"), "note"].startswith("not estimable")
    assert found.loc[("em", "d1"), "note"].startswith("not estimable")
    assert found.loc[("em", "d0"), "estimate"] > 0
