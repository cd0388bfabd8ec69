"""Reliability and gaps against published values and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.measure import scales

# Real-Statistics' example, 15 people x 10 questions, as pingouin documents it: alpha .591719 [.195, .840]
PUBLISHED = """
3 5 7 2 6 1 4 2 6 5 4 4 5 6 4
2 4 3 4 5 2 3 4 5 4 3 2 5 5 3
4 6 5 3 6 3 5 4 5 6 5 3 6 5 5
1 3 5 3 5 4 3 3 5 4 2 2 2 4 5
4 5 6 2 4 2 5 7 1 3 5 5 3 2 3
5 1 4 2 4 5 2 2 6 5 3 3 3 2 1
1 2 3 2 4 2 1 2 5 3 2 4 2 1 3
4 5 3 6 6 3 2 4 2 1 3 2 4 4 2
3 5 6 6 7 5 4 6 3 7 4 3 4 6 3
2 5 5 3 5 2 3 5 2 2 1 4 5 5 4
"""


def published():
    return pd.DataFrame([list(map(int, line.split())) for line in PUBLISHED.strip().splitlines()]).T.add_prefix("q")


def test_alpha_and_its_interval_match_pingouin_on_the_published_example():
    found = scales.reliability(published(), items=published().columns, replicates=2).iloc[0]
    assert found["estimate"] == pytest.approx(0.5917188485995826, abs=1e-12)
    assert [found["conf_low"], found["conf_high"]] == pytest.approx([0.195, 0.840], abs=5e-4)


def test_weights_are_the_same_as_repeated_respondents():
    frame = published().assign(w=1.0 + np.arange(15) % 3)
    twice = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    items = list(published().columns)
    weighted, repeated = (scales.reliability(rows, items=items, weight=weight, replicates=2) for rows, weight in ((frame, "w"), (twice, None)))
    assert weighted["estimate"].tolist() == pytest.approx(repeated["estimate"].tolist())


def test_questions_that_load_alike_have_the_reliability_of_spearman_and_brown():
    # k parallel questions with correlation r: alpha = omega = k r / (1 + (k - 1) r)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60_000, 5)) + rng.normal(size=(60_000, 1))
    found = scales.reliability(pd.DataFrame(x).add_prefix("q"), items=[f"q{k}" for k in range(5)], replicates=20)
    assert found["estimate"].tolist() == pytest.approx([2.5 / 3] * 2, abs=0.005)


def test_factor_recovers_its_loadings_and_omega_follows():
    truth = np.array([0.9, 0.7, 0.6, 0.5])
    matrix = np.outer(truth, truth)
    np.fill_diagonal(matrix, 1)
    assert scales.factor(matrix).tolist() == pytest.approx(truth.tolist(), abs=1e-6)
    assert scales._omega(matrix) == pytest.approx(truth.sum() ** 2 / (truth.sum() ** 2 + (1 - truth**2).sum()), abs=1e-6)
    assert scales._alpha(matrix) < scales._omega(matrix)  # Novick and Lewis 1967


@pytest.mark.parametrize("rounds", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_intervals_of_reliability_cover(rounds):
    loading, hits = np.array([0.8, 0.7, 0.6, 0.5]), np.zeros(2)
    cross = np.outer(loading, loading) + np.diag(1 - loading**2)
    truth = np.array([scales._alpha(cross), scales._omega(cross)])
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(250, 1)) * loading + rng.normal(size=(250, 4)) * np.sqrt(1 - loading**2)
        found = scales.reliability(pd.DataFrame(x), items=range(4), replicates=200, seed=seed)
        hits += ((found["conf_low"] <= truth) & (truth <= found["conf_high"])).to_numpy()
    for count in hits:
        band = stats.binomtest(int(count), rounds).proportion_ci(0.99)
        assert band.high >= 0.93, hits / rounds
        assert band.low <= 0.97, hits / rounds


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lambda f: f[["q0"]], "a single question"), (lambda f: f.assign(q1=4), "no variation in q1"), (lambda f: f.head(2), "2 complete answers"), (lambda f: f.assign(q3=np.nan), "0 complete answers")],
)
def test_what_has_no_reliability_says_why(change, reason):
    """FAULTS 7."""
    frame = change(published())
    found = scales.reliability(frame, items=frame.columns, replicates=5)
    assert found["estimate"].isna().all()
    assert found["note"].str.contains(reason).all()


def test_gaps_are_paired_t_tests_by_dimension():
    rng = np.random.default_rng(7)
    names = [f"{kind}{k}" for kind in "pe" for k in range(4)]
    frame = pd.DataFrame(rng.integers(1, 8, size=(80, 8)), columns=names).astype(float)
    frame.loc[3, "p0"] = np.nan
    found = scales.gaps(frame, dimensions={"reliability": [("p0", "e0"), ("p1", "e1")], "assurance": [("p2", "e2"), ("p3", "e3")]}).set_index("dimension")
    own = (frame["p2"] + frame["p3"] - frame["e2"] - frame["e3"]) / 2
    test = stats.ttest_1samp(own, 0)
    assert found.loc["assurance", "estimate"] == pytest.approx(own.mean())
    assert found.loc["assurance", "p"] == pytest.approx(test.pvalue)
    assert found.loc["assurance", ["conf_low", "conf_high"]].tolist() == pytest.approx(list(test.confidence_interval()))
    assert found.loc["reliability", "n"] == 80  # the third person answered the other pair
    assert found.loc["all", "estimate"] == pytest.approx(found["estimate"].iloc[:2].mean())


def test_a_gap_that_is_the_same_for_all_has_no_interval():
    found = scales.gaps(pd.DataFrame({"p": [1.0, 2, 3], "e": [3.0, 4, 5]}), dimensions={"d": [("p", "e")]})
    assert found["estimate"].tolist() == [-2, -2]
    assert found["conf_low"].isna().all()
    assert found["note"].str.contains("the same").all()
