"""Ordered classes against R's polr, scikit-free closed forms, and the fit of every set of drivers."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from small import SHARED

from cxlib.measure import drivers, ordinal


def classes(cuts, *, seed=0, n=1500, p=5, halo=0.8, slope=0.6):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + halo * rng.normal(size=(n, 1))
    return pd.DataFrame(x, columns=list("abcde"[:p])).assign(y=np.searchsorted(cuts, x @ np.linspace(0, slope, p) + rng.logistic(size=n)))


@pytest.mark.shared
def test_ordered_logit_matches_mass_polr_on_housing():
    file = SHARED / "reference" / "housing.csv"
    if not file.exists():
        pytest.skip(f"needs {file}: the public data beside the repository")
    housing = pd.read_csv(file)
    housing["y"] = housing["Sat"].map({"Low": 0, "Medium": 1, "High": 2})
    pairs = [("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium"), ("Type", "Terrace"), ("Cont", "High")]
    for column, value in pairs:
        housing[column + value] = (housing[column] == value).astype(float)
    found = ordinal.fit(housing, kpi="y", drivers=[a + b for a, b in pairs], weight="Freq")
    assert found["estimate"][:6].tolist() == pytest.approx([0.5663937, 1.2888191, -0.5723501, -0.3661866, -1.0910149, 0.3602842], abs=2e-6)
    assert found["deviance"][0] == pytest.approx(3479.149299, abs=5e-7)
    assert found["std_error"][:6].tolist() == pytest.approx([0.10465, 0.12716, 0.11924, 0.15517, 0.15149, 0.09554], abs=6e-6)  # summary(polr), MASS 4th ed., 7.3


def test_two_classes_and_one_driver_of_two_values_give_the_log_odds_ratio():
    frame = pd.DataFrame({"a": [0, 0, 1, 1], "y": [0, 1, 0, 1], "w": [30, 10, 12, 24]})
    found = ordinal.fit(frame, kpi="y", drivers=["a"], weight="w").iloc[0]
    assert found["estimate"] == pytest.approx(np.log(24 / 12) - np.log(10 / 30))
    assert found["std_error"] == pytest.approx(np.sqrt(1 / 30 + 1 / 10 + 1 / 12 + 1 / 24))


@pytest.mark.parametrize("halo", [0.4, 1.3])
@pytest.mark.parametrize("cuts", [[1.0], [2.5], [-1, 1.0], [-2, -1, 0, 1, 2, 3]])
def test_parts_are_those_of_fitting_every_set_of_drivers(cuts, halo):
    frame = classes(cuts, halo=halo)
    fits = {some: ordinal.fit(frame, kpi="y", drivers=list(some))["r2"][0] if some else 0.0 for size in range(6) for some in combinations("abcde", size)}
    weight = lambda some: factorial(len(some)) * factorial(4 - len(some)) / factorial(5)
    exact = [sum(weight(some) * (fits[tuple(sorted((*some, name)))] - fits[some]) for some in fits if name not in some) for name in "abcde"]
    found = ordinal.resample(frame, kpi="y", drivers=list("abcde"), replicates=0)
    assert found["r2"][0] == pytest.approx(fits[tuple("abcde")], rel=1e-9)
    assert found["shapley"].sum() == pytest.approx(found["r2"][0])
    assert np.abs(found["shapley"] - exact).max() < 0.02 * found["r2"][0]


def test_fine_steps_of_a_normal_score_are_read_as_the_score_itself():
    """One meaning of importance: with ever more classes the parts go to those of R2."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(4000, 3)) + 0.7 * rng.normal(size=(4000, 1))
    frame = pd.DataFrame(x, columns=list("abc")).assign(y=x @ [0.1, 0.3, 0.5] + 1.2 * rng.normal(size=4000))
    frame["steps"] = np.digitize(frame["y"], np.linspace(-3, 3, 12))
    score = drivers.resample(frame, kpi="y", drivers=list("abc"), replicates=0)
    steps = ordinal.resample(frame, kpi="steps", drivers=list("abc"), replicates=0)
    assert steps["shapley"].tolist() == pytest.approx(score["shapley"].tolist(), abs=0.02)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f.assign(a=f["y"] * 1.0), "separated"),
        (lambda f: f.assign(y=1), "the KPI does not vary"),
        (lambda f: f.assign(b=f["a"]), "an exact combination of a"),
        (lambda f: f.assign(b=2.0), "no variation"),
        (lambda f: f.head(6), "answers for"),
        (lambda f: f.assign(w=0.0), "no answers without a gap"),
    ],
)
def test_what_cannot_be_estimated_gets_a_reason(change, reason):
    """FAULTS 7, 36, 37."""
    frame = change(classes([0.0], p=4, n=300).assign(w=1.0))
    found = ordinal.resample(frame, kpi="y", drivers=list("abcd"), weight="w", replicates=5)
    fitted = ordinal.fit(frame, kpi="y", drivers=list("abcd"), weight="w")
    for out in (found, fitted):
        row = out[out["note"].str.contains(reason)]
        assert len(row) > 0
        assert row[row["note"].str.startswith("not")].filter(["shapley", "estimate"]).isna().all().all()


def test_replicates_repeat_and_the_summary_reads_them():
    frame = classes([-1, 1.0], p=3, n=400)
    run = lambda seed: drivers.summarise(ordinal.resample(frame, kpi="y", drivers=list("abc"), replicates=60, seed=seed))
    pd.testing.assert_frame_equal(run(1), run(1), check_exact=True)
    assert (run(1)["conf_low"] != run(2)["conf_low"]).any()
    assert (run(1)["method"] == "shapley").all()
