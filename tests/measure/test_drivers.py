"""Driver importance against R, published tables, closed forms and simulation."""

import os
import subprocess
import sys
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from small import SHARED

from cxlib.errors import DataError
from cxlib.measure import dominance, drivers, moments, priorities
from cxlib.measure.moments import Answers

SWISS = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]


def reference(name):
    file = SHARED / "reference" / name
    if not file.exists():
        pytest.skip(f"needs {file}: the public data beside the repository")
    return pd.read_csv(file)


def values(frame, kpi, names, method, weight=None):
    draws = drivers.resample(frame, kpi=kpi, drivers=names, weight=weight, methods=(method,), replicates=0)
    return draws[method].to_numpy(), draws["r2"][0]


def correlated(p, seed=0, n=400):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + 0.8 * rng.normal(size=(n, 1))
    y = x @ np.linspace(0, 0.5, p) + rng.normal(size=n)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"d{k}" for k in range(p)), "y"])


def ratings(n, p, seed, slopes):
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.6 + 0.7 * (0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, p)))), 1, 5)
    y = np.clip(np.round(7 + 1.2 * ((x - 3.6) @ np.asarray(slopes) + rng.normal(size=n))), 0, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"d{k}" for k in range(p)), "y"])


@pytest.mark.shared
def test_lmg_matches_relaimpo_on_swiss():
    found, r2 = values(reference("swiss.csv"), "Fertility", SWISS, "shapley")
    assert r2 == pytest.approx(0.706735001593, abs=1e-11)
    assert found == pytest.approx([0.0570912207681, 0.1711730289002, 0.2601346786244, 0.1055701503735, 0.1127659229265], abs=1e-12)


@pytest.mark.shared
def test_weighted_lmg_matches_relaimpo_on_swiss():
    swiss = reference("swiss.csv")
    swiss["w"] = 1.0 + np.arange(1, 48) % 3
    found, r2 = values(swiss, "Fertility", SWISS, "shapley", "w")
    assert r2 == pytest.approx(0.694332891423, abs=1e-11)
    assert found == pytest.approx([0.0518208063017, 0.1549452302086, 0.2559770835712, 0.1019573530969, 0.1296324182449], abs=1e-12)


@pytest.mark.shared
def test_johnson_matches_published_weights_on_swiss_and_mtcars():
    found, _ = values(reference("swiss.csv"), "Fertility", SWISS, "johnson")
    assert found == pytest.approx([0.048416895812, 0.154708249806, 0.271964104646, 0.114680029948, 0.116965721381], abs=1e-11)
    found, r2 = values(reference("mtcars.csv"), "mpg", ["cyl", "disp", "hp", "gear"], "johnson")
    assert found == pytest.approx([0.2284797, 0.2221469, 0.2321744, 0.0963886], abs=5e-8)
    assert r2 == pytest.approx(0.7791896, abs=5e-8)


@pytest.mark.shared
def test_general_dominance_matches_published_table_on_mtcars():
    found, r2 = values(reference("mtcars.csv"), "mpg", ["am", "cyl", "carb"], "shapley")
    assert found == pytest.approx([0.2157, 0.41731, 0.17831], abs=5e-5)
    assert r2 == pytest.approx(0.8113, abs=5e-5)


def azen_budescu():
    matrix = np.array([[1, 0.6, 0.3, 0.4, 0.5], [0.6, 1, 0.8, 0.1, 0.3], [0.3, 0.8, 1, 0.1, 0.1], [0.4, 0.1, 0.1, 1, 0.5], [0.5, 0.3, 0.1, 0.5, 1]])
    return pd.DataFrame(matrix, index=list("yabcd"), columns=list("yabcd"))


def test_general_dominance_matches_azen_and_budescu_2003():
    out = drivers.shapley(azen_budescu())
    assert out.estimate.tolist() == pytest.approx([0.29218, 0.07586, 0.09491, 0.12140], abs=5e-6)
    assert out.r2[0] == pytest.approx(0.58435, abs=5e-6)
    assert out.share.sum() == pytest.approx(1)


@pytest.mark.parametrize("method", [drivers.shapley, drivers.johnson])
def test_shares_add_up_to_r2_and_do_not_depend_on_order(method):
    matrix = correlated(7).corr()
    out = method(matrix, kpi="y").set_index("driver").estimate
    turned = list(reversed(matrix.columns))
    again = method(matrix.loc[turned, turned], kpi="y").set_index("driver").estimate
    x, y = matrix.drop(columns="y").drop(index="y"), matrix["y"].drop("y")
    assert out.sum() == pytest.approx(y @ np.linalg.solve(x, y))
    assert again[out.index].to_numpy() == pytest.approx(out.to_numpy())


def test_lmg_is_the_average_gain_over_all_orders():
    matrix = correlated(5, seed=3).corr()
    names = [f"d{k}" for k in range(5)]
    fit = lambda some: matrix.loc["y", some] @ np.linalg.solve(matrix.loc[some, some], matrix.loc[some, "y"]) if some else 0.0
    gains = dict.fromkeys(names, 0.0)
    for order in permutations(names):
        for k, name in enumerate(order):
            gains[name] += (fit(list(order[: k + 1])) - fit(list(order[:k]))) / 120
    assert drivers.shapley(matrix, kpi="y").estimate.tolist() == pytest.approx([gains[name] for name in names])


def test_uncorrelated_drivers_get_their_squared_correlation():
    matrix = pd.DataFrame(np.eye(13), index=list("yabcdefghijkl"), columns=list("yabcdefghijkl"))
    matrix.loc["y", "a":] = matrix.loc["a":, "y"] = np.linspace(0.05, 0.4, 12)
    for method in (drivers.shapley, drivers.johnson):
        assert method(matrix).estimate.tolist() == pytest.approx((np.linspace(0.05, 0.4, 12) ** 2).tolist())


def test_twenty_drivers_are_exact_too():
    # equicorrelated drivers with equal correlations share R2 evenly: R2 = p r^2 / (1 + (p - 1) c)
    matrix = pd.DataFrame(np.full((21, 21), 0.3), columns=range(21), index=range(21))
    matrix.loc[0, 1:] = matrix.loc[1:, 0] = 0.4
    matrix = matrix.mask(np.eye(21, dtype=bool), 1.0)
    assert drivers.shapley(matrix).estimate.tolist() == pytest.approx([0.4**2 / (1 + 19 * 0.3)] * 20)


def test_many_drivers_are_sampled_with_an_error_that_holds(monkeypatch):
    frame = correlated(12, seed=2).corr()
    exact = drivers.shapley(frame, kpi="y")
    assert (exact["std_error"] == 0).all()
    monkeypatch.setattr(dominance, "MOST", 8)
    drawn = drivers.shapley(frame, kpi="y")
    assert drawn["estimate"].sum() == pytest.approx(exact["r2"][0])  # every order adds up
    z = (drawn["estimate"] - exact["estimate"]) / drawn["std_error"]
    assert stats.chi2.sf((z**2).sum(), 12) > 1e-3
    assert 0 < drawn["std_error"].max() < 0.02 * exact["r2"][0]


def test_all_models_of_more_than_twenty_drivers_can_be_visited_too(monkeypatch):
    frame = correlated(9, seed=5).corr()
    whole = drivers.shapley(frame, kpi="y")["estimate"]
    monkeypatch.setattr(dominance, "TOGETHER", 5)
    assert drivers.shapley(frame, kpi="y")["estimate"].tolist() == pytest.approx(whole.tolist(), abs=1e-14)
    monkeypatch.setattr(dominance, "MOST", 5)
    found = drivers.shapley(frame, kpi="y", exact=True)
    assert found["estimate"].tolist() == pytest.approx(whole.tolist(), abs=1e-14)
    assert (found["std_error"] == 0).all()
    monkeypatch.setattr(dominance, "FURTHEST", 8)
    with pytest.raises(DataError, match="at most 8"):
        drivers.shapley(frame, kpi="y", exact=True)


def test_thirty_drivers_have_their_closed_form():
    # equicorrelated drivers with equal correlations share R2 evenly
    matrix = pd.DataFrame(np.full((31, 31), 0.3), columns=range(31), index=range(31))
    matrix.loc[0, 1:] = matrix.loc[1:, 0] = 0.4
    matrix = matrix.mask(np.eye(31, dtype=bool), 1.0)
    found = drivers.shapley(matrix)
    truth = 0.4**2 / (1 + 29 * 0.3)
    assert (np.abs(found["estimate"] - truth) < 4.5 * found["std_error"]).all()
    assert found["estimate"].tolist() == pytest.approx([truth] * 30, rel=0.15)


def test_replicates_beyond_fourteen_drivers_are_sampled_around_the_exact_values(monkeypatch):
    frame = correlated(9, n=500)
    names = [f"d{k}" for k in range(9)]
    run = lambda: drivers.importance(frame, kpi="y", drivers=names, methods=("shapley",), replicates=300)
    exact = run()
    monkeypatch.setattr(dominance, "OFTEN", 4)
    drawn = run()
    assert drawn["estimate"].tolist() == pytest.approx(exact["estimate"].tolist(), abs=1e-12)
    assert drawn["std_error"].tolist() == pytest.approx(exact["std_error"].tolist(), rel=0.12)


def test_groups_of_drivers_are_shared_as_wholes_and_owen_within():
    matrix = azen_budescu()
    groups = {"a": "one", "b": "one", "c": "two", "d": "three"}
    found = drivers.grouped(matrix, groups, kpi="y")
    whole, parts = found[found["driver"] == ""].set_index("group")["estimate"], found[found["driver"] != ""]
    fit = lambda some: matrix.loc["y", some] @ np.linalg.solve(matrix.loc[some, some], matrix.loc[some, "y"]) if some else 0.0
    gains = dict.fromkeys(whole.index, 0.0)
    for order in permutations(gains):
        for k, name in enumerate(order):
            own = lambda names: [d for d in "abcd" if groups[d] in names]
            gains[name] += (fit(own(order[: k + 1])) - fit(own(order[:k]))) / 6
    assert whole.tolist() == pytest.approx(list(gains.values()))
    assert parts.groupby("group")["estimate"].sum()[whole.index].tolist() == pytest.approx(whole.tolist())
    # each driver a group of its own, or all of them one group: the plain Shapley values
    plain = drivers.shapley(matrix)["estimate"].tolist()
    assert drivers.grouped(matrix, {d: d for d in "abcd"}).query("driver == ''")["estimate"].tolist() == pytest.approx(plain)
    assert drivers.grouped(matrix, dict.fromkeys("abcd", "all")).query("driver != ''")["estimate"].tolist() == pytest.approx(plain)


@pytest.mark.parametrize("recode", [lambda y: y.map(lambda v: 5 if v >= 9 else 3 if v >= 7 else 1), lambda y: (y >= 7) * 1.0, lambda y: 10 - y, lambda y: y * 2 + 1])
def test_a_driver_that_is_the_kpi_recoded_is_none(recode):
    """FAULTS 37."""
    frame = ratings(400, 3, 1, [0.5, 0.3, 0.1])
    frame["same"] = recode(frame["y"])
    out = drivers.importance(frame, kpi="y", drivers=["d0", "same", "d1", "d2"], replicates=20)
    own = out[out["driver"] == "same"]
    assert own["note"].str.contains("the KPI recoded").all()
    assert own["estimate"].isna().all()
    alone = drivers.importance(frame, kpi="y", drivers=["d0", "d1", "d2"], replicates=0)
    assert out[out["driver"] != "same"]["estimate"].tolist() == pytest.approx(alone["estimate"].tolist())


def test_a_strong_driver_is_not_taken_for_the_kpi():
    rng = np.random.default_rng(3)
    x = rng.integers(1, 6, 500)
    frame = pd.DataFrame({"d0": x, "d1": rng.integers(1, 6, 500), "y": x + (rng.random(500) < 0.02)})
    assert drivers.importance(frame, kpi="y", drivers=["d0", "d1"], replicates=0)["estimate"].notna().all()


@pytest.mark.parametrize("weight", [0.0, "half"])
def test_weights_of_zero_count_nobody(weight):
    """FAULTS 36."""
    frame = ratings(200, 2, 1, [0.5, 0.3]).assign(w=0.0)
    if weight == "half":
        frame.loc[:99, "w"] = 1.0
    out = drivers.importance(frame, kpi="y", drivers=["d0", "d1"], weight="w", replicates=20)
    if weight == "half":
        half = drivers.importance(frame.head(100), kpi="y", drivers=["d0", "d1"], replicates=0)
        assert out["estimate"].tolist() == pytest.approx(half["estimate"].tolist())
        assert out["n_eff"].tolist() == pytest.approx([100] * len(out))
    else:
        assert out["estimate"].isna().all()
        assert out["note"].str.contains("not estimable").all()


def test_a_giant_weight_is_seen_in_the_effective_base():
    """FAULTS 36."""
    frame = ratings(200, 2, 1, [0.5, 0.3]).assign(w=1.0)
    frame.loc[0, "w"] = 1e6
    out = drivers.importance(frame, kpi="y", drivers=["d0", "d1"], weight="w", replicates=20)
    assert (out["n_eff"] < 1.01).all()


def test_bootstrap_has_new_cross_products_for_weights_and_strata():
    # each replicate of a complete frame equals numpy's weighted correlations of rows repeated as drawn
    frame = correlated(3, n=60)
    frame["w"] = np.random.default_rng(1).integers(1, 4, 60)
    answers = Answers(frame, "y", ["d0", "d1", "d2"], "w")
    stack, _, _ = answers.replicates(5, seed=9)
    rng = np.random.default_rng(9)
    draws = rng.integers(0, 60, size=(5, 59))
    for k in range(5):
        rows = frame.iloc[draws[k]]
        expected = np.cov(rows[["d0", "d1", "d2", "y"]].T, aweights=rows["w"])
        scale = np.sqrt(np.diag(expected))
        assert stack[k] == pytest.approx(expected / np.outer(scale, scale), abs=1e-4)  # weights are rounded to 1/65,536


def test_blocks_of_rows_stand_in_for_rows_where_there_are_many(monkeypatch):
    """Random groups: the errors are those of rows, also with strata and clusters, and the first moments do not move."""
    frame = correlated(4, n=12_000)
    frame = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.05).assign(y=frame["y"], h=np.arange(12_000) // 6000, person=np.arange(12_000) // 2, w=np.random.default_rng(2).choice([0.5, 1.0, 2.0], 12_000))
    names = [f"d{k}" for k in range(4)]
    for design in ({}, {"strata": "h", "cluster": "person"}):
        run = lambda design=design: drivers.importance(frame, kpi="y", drivers=names, weight="w", replicates=800, **design)
        rows = run()
        with monkeypatch.context() as patch:
            patch.setattr(moments, "LARGE", 1000)
            patch.setattr(moments, "BLOCKS", 1500)
            blocks = run()
        assert blocks["estimate"].tolist() == rows["estimate"].tolist()
        assert (blocks["std_error"] / rows["std_error"]).mean() == pytest.approx(1, abs=0.04)
        assert np.abs(blocks["std_error"] / rows["std_error"] - 1).max() < 0.15


def test_shuffles_of_many_rows_have_their_normal_limit():
    frame = correlated(3, n=3000).assign(w=np.random.default_rng(2).choice([0.5, 1.0, 2.0], 3000))
    frame = frame.mask((np.random.default_rng(1).random(frame.shape) < 0.1) & (frame.columns != "w"))
    answers = Answers(frame, "y", ["d0", "d1", "d2"], "w")
    rng = np.random.default_rng(3)
    orders = np.argsort(rng.random((2000, len(answers.rows))), axis=1)
    real, limit = answers.shuffled(1, orders)[:, [0, 2, 3]], answers.by_chance(1, 2000, rng)[:, [0, 2, 3]]
    assert np.abs(limit.std(axis=0) / real.std(axis=0) - 1).max() < 0.08
    assert np.corrcoef(real.T)[np.triu_indices(3, 1)] == pytest.approx(np.corrcoef(limit.T)[np.triu_indices(3, 1)], abs=0.08)


def test_products_over_batches_are_those_of_the_whole():
    import pyarrow as pa

    frame = ratings(5000, 3, 1, [0.3, 0.2, 0.1]).astype("Int64")
    frame.loc[::7, "d1"] = pd.NA
    whole = frame.dropna().astype(float)
    n, sums, cross = moments.products(pa.Table.from_pandas(frame).to_batches(max_chunksize=1300), columns=["d0", "d1", "d2", "y"])
    assert n == len(whole)
    assert sums.tolist() == whole.sum().tolist()
    assert cross.tolist() == (whole.T @ whole).to_numpy().tolist()


def test_two_units_a_stratum_keep_their_variance():
    # METHODS: the naive bootstrap with two units a stratum halves the variance; closed form: sum over strata of w^2 s^2 / 2
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"h": np.repeat(np.arange(100), 2), "a": rng.integers(1, 6, 200), "y": rng.integers(0, 11, 200)})
    _, means, _ = Answers(frame, "y", ["a"]).replicates(4000, seed=2, strata=frame["h"].to_numpy())
    truth = sum(frame["a"].groupby(frame["h"]).var() / 2) / 100**2
    assert means[:, 0].var() == pytest.approx(truth, rel=0.1)


def test_clusters_are_drawn_whole():
    frame = correlated(2, n=40)
    frame["person"] = np.repeat(np.arange(20), 2)
    twice = pd.concat([frame.iloc[::2]] * 2)  # every person twice the same: errors must be those of 20, not of 40
    a = drivers.resample(twice, kpi="y", drivers=["d0", "d1"], cluster="person", replicates=2000)
    b = drivers.resample(frame.iloc[::2], kpi="y", drivers=["d0", "d1"], replicates=2000)
    spread = lambda draws: draws[draws.replicate > 0].groupby("driver").correlation.std().to_numpy()
    assert spread(a) == pytest.approx(spread(b), rel=0.08)


def test_pairwise_correlations_match_pandas():
    frame = correlated(4)
    rng = np.random.default_rng(0)
    frame = frame.mask(rng.random(frame.shape) < 0.15)
    answers = Answers(frame, "y", ["d0", "d1", "d2", "d3"])
    expected = frame[frame["y"].notna()].corr().to_numpy()
    assert answers.point()[0] == pytest.approx(expected, abs=1e-12)
    assert answers.bases()[0].tolist() == frame[frame["y"].notna()].count().tolist()[:4]


def test_contradicting_pairwise_correlations_fall_back_to_complete_answers():
    rng = np.random.default_rng(3)
    base = rng.normal(size=(90, 1)) + 0.05 * rng.normal(size=(90, 3))
    base[30:60, 1] *= -1
    base[:30, 2], base[30:60, 0], base[60:, 1] = np.nan, np.nan, np.nan  # a~b up, b~c down, a~c up: no such world exists
    whole = rng.normal(size=(20, 3))
    frame = pd.DataFrame(np.vstack([base, whole]), columns=list("abc"))
    frame["y"] = rng.normal(size=110)
    draws = drivers.resample(frame, kpi="y", drivers=list("abc"), replicates=0)
    assert draws.note.str.startswith("only the 20 complete answers").all()
    assert draws.shapley.sum() == pytest.approx(draws.r2[0])


@pytest.mark.parametrize(
    ("change", "driver", "reason"),
    [
        (lambda f: f.assign(d1=3.0), "d1", "no variation"),
        (lambda f: f.assign(d2=f.d0 + f.d1), "d2", "an exact combination of d0, d1"),
        (lambda f: f.assign(d1=f.d0), "d1", "an exact combination of d0"),
        (lambda f: f.assign(y=7.0), "d0", "the KPI does not vary"),
        (lambda f: f.assign(d1=np.nan), "d1", "no variation"),
        (lambda f: f.head(4), "d0", "not estimable"),
        (lambda f: f.head(1), "d0", "not estimable"),
        (lambda f: f.head(0), "d0", "not estimable"),
    ],
)
def test_what_cannot_be_told_apart_is_named(change, driver, reason):
    """FAULTS 7 and 37."""
    frame = change(correlated(3).round())
    out = drivers.importance(frame, kpi="y", drivers=["d0", "d1", "d2"], replicates=20)
    row = out[(out.driver == driver) & (out.method == "shapley")].iloc[0]
    assert np.isnan(row.estimate)
    assert reason in row.note
    assert priorities.matrix(drivers.resample(frame, kpi="y", drivers=["d0", "d1", "d2"], replicates=20)).shape[0] == 3
    assert np.isnan(drivers.permutation(frame, kpi="y", drivers=["d0", "d1", "d2"], replicates=9).set_index("driver").p[driver])


def test_a_dropped_duplicate_leaves_r2_alone():
    frame = correlated(3)
    full = drivers.resample(frame.assign(d3=frame.d0 * 2), kpi="y", drivers=["d0", "d1", "d2", "d3"], replicates=0)
    assert full.r2[0] == pytest.approx(drivers.resample(frame, kpi="y", drivers=["d0", "d1", "d2"], replicates=0).r2[0])


def test_ranks_that_cannot_be_told_apart_are_said_to_be_open():
    frame = correlated(4, n=4000)
    frame["y"] = 2 * frame.d3 + frame.d1 + frame.d2 + np.random.default_rng(1).normal(size=4000)
    out = drivers.importance(frame, kpi="y", drivers=["d0", "d1", "d2", "d3"]).query("method == 'shapley'").set_index("driver")
    assert out.loc["d3", ["rank", "rank_low", "rank_high"]].tolist() == [1, 1, 1]
    assert out.loc["d0", ["rank", "rank_low", "rank_high"]].tolist() == [4, 4, 4]
    assert out.loc["d1", ["rank_low", "rank_high"]].tolist() == [2, 3]
    assert out.p_top1.tolist() == [0, 0, 0, 1]
    assert out.p_top3.tolist() == [0, 1, 1, 1]


def test_results_repeat_and_follow_the_seed():
    frame = ratings(200, 4, 0, [0.4, 0.3, 0.2, 0])
    run = lambda seed: drivers.importance(frame, kpi="y", drivers=["d0", "d1", "d2", "d3"], replicates=100, seed=seed)
    pd.testing.assert_frame_equal(run(1), run(1), check_exact=True)
    assert (run(1).conf_low != run(2).conf_low).any()


THREADS = """
import hashlib, numpy as np, pandas as pd
from cxlib.measure import drivers
rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.normal(size=(20000, 8)) + rng.normal(size=(20000, 1)), columns=list("abcdefgy"))
frame["w"] = rng.uniform(0.3, 3, 20000)
out = drivers.importance(frame, kpi="y", drivers=list("abcdefg"), weight="w", replicates=50)
print(hashlib.sha256(out.drop(columns=["driver", "method", "note"]).to_numpy(dtype=float).tobytes()).hexdigest())
"""


def test_threads_and_hash_seed_change_no_byte():
    """FAULTS 35."""
    run = lambda threads: subprocess.run(
        [sys.executable, "-c", THREADS], env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}, capture_output=True, text=True, check=True
    ).stdout
    assert run("1") == run("2") != ""


def test_performance_states_mean_and_top_box_with_intervals():
    frame = ratings(300, 2, 2, [0.3, 0.3])
    out = drivers.performance(frame, drivers=["d0", "d1"])
    assert out.definition.tolist() == ["mean_of_5", "top2_of_5"] * 2
    assert out.estimate[1] == pytest.approx((frame.d0 >= 4).mean())
    assert (out.conf_low < out.estimate).all()


def test_methods_that_agree_are_said_to():
    out = drivers.agreement(drivers.importance(ratings(500, 4, 4, [0.8, 0.4, 0.2, 0.0]), kpi="y", drivers=["d0", "d1", "d2", "d3"], replicates=0))
    assert len(out) == 6
    assert out.same_first.all()
    assert (out.rank_correlation > 0.7).all()
    assert (out.common_top3 >= 2).all()


def test_pure_noise_is_above_zero_in_every_replicate_and_is_still_no_driver():
    # METHODS 2: the bootstrap limit of a share of R2 is no test
    rng = np.random.default_rng(8)
    frame = correlated(3, seed=8, n=250).assign(noise=rng.normal(size=250))
    names = ["d0", "d1", "d2", "noise"]
    draws = drivers.resample(frame, kpi="y", drivers=names, replicates=200).query("driver == 'noise'")["shapley"]
    test = drivers.permutation(frame, kpi="y", drivers=names, replicates=199).set_index("driver")
    assert draws.min() > 0
    assert test.p["noise"] > 0.05
    assert test.p["d2"] == 1 / 200


@pytest.mark.parametrize("worlds", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_permutation_keeps_its_size_under_halo(worlds):
    hits = 0
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(120, 4)) + rng.normal(size=(120, 1))
        frame = pd.DataFrame(np.column_stack([x, rng.normal(size=120)]), columns=[*"abcd", "y"])
        hits += drivers.permutation(frame, kpi="y", drivers=["a", "b", "c", "d"], replicates=99, seed=seed).p[0] <= 0.05
    assert stats.binomtest(int(hits), worlds, 0.05, "greater").pvalue > 0.005


def collinear(n, seed, scale):
    """Six ratings that correlate at about .53, a KPI they explain by 53 % (scale 1) or less, weights that go with the KPI; the last driver has no effect of its own."""
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.6 + 0.8 * (np.sqrt(0.6) * rng.normal(size=(n, 1)) + np.sqrt(0.4) * rng.normal(size=(n, 6)))), 1, 5)
    y = np.clip(np.round(7 + 1.2 * (scale * (x - 3.6) @ [0.6, 0.45, 0.3, 0.2, 0.1, 0.0] + rng.normal(size=n))), 0, 10)
    weight = np.where(y >= 8, rng.choice([0.5, 1.0, 1.5], n), rng.choice([0.7, 1.2, 2.0], n))
    return pd.DataFrame(np.column_stack([x, y, weight]), columns=[*(f"d{k}" for k in range(6)), "y", "w"])


def counted(truth, draws):
    """How often the intervals of importance and of R2 held the truth, from the draws of one world after the other: {method: a count a driver}."""
    hits = {name: np.zeros(truth["driver"].nunique()) for name in drivers.METHODS} | {"r2": np.zeros(1)}
    for own in draws:
        out = drivers.summarise(own)
        for method, rows in out.groupby("method"):
            hits[method] += ((rows.conf_low.to_numpy() <= truth[method]) & (truth[method] <= rows.conf_high.to_numpy())).to_numpy()
        hits["r2"] += float(out.r2_low[0] <= truth.r2[0] <= out.r2_high[0])
    return hits


def covered(hits, worlds, *, cautious=()):
    """Whether all of them cover 93 to 97 % of the worlds, within the binomial 99 % band; the `cautious` may cover more."""
    for method, counts in hits.items():
        for count in counts:
            band = stats.binomtest(int(count), worlds).proportion_ci(0.99)
            assert band.high >= 0.93, (method, counts / worlds)
            assert band.low <= 0.97 or method in cautious, (method, counts / worlds)


@pytest.mark.parametrize(
    ("n", "scale", "worlds"),
    [(100, 1.0, 60), (100, 0.15, 60), *(pytest.param(n, scale, 2000, marks=pytest.mark.slow) for n in (100, 300, 1000, 5000) for scale in (1.0, 0.3))],
)
def test_bootstrap_intervals_cover_with_weights_and_a_halo(n, scale, worlds):
    run = lambda frame, replicates, seed: drivers.resample(frame, kpi="y", drivers=[f"d{k}" for k in range(6)], weight="w", replicates=replicates, seed=seed)
    hits = counted(run(collinear(1_000_000, 10**7, scale), 0, 1), (run(collinear(n, seed, scale), 300, seed) for seed in range(worlds)))
    covered(hits, worlds, cautious=("johnson", "shapley", "r2") if scale < 1 else ())  # parts of a small R2 are cut off at nothing


@pytest.mark.parametrize("worlds", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_bootstrap_intervals_cover_at_300_answers(worlds):
    slopes = [0.6, 0.4, 0.2, 0.1, 0.0]
    run = lambda frame, replicates, seed: drivers.resample(frame, kpi="y", drivers=[f"d{k}" for k in range(5)], replicates=replicates, seed=seed)
    covered(counted(run(ratings(1_000_000, 5, 10**6, slopes), 0, 1), (run(ratings(300, 5, seed, slopes), 300, seed) for seed in range(worlds))), worlds)


def test_the_regression_behind_importance_keeps_nist_s_digits():
    """NIST StRD, Longley: certified slopes, constant and R2 of a problem made to lose digits; ours go through correlations of centred columns."""
    longley = sm.datasets.longley.load_pandas().data.astype(float)
    certified = {"GNPDEFL": 15.0618722713733, "GNP": -0.0358191792925910, "UNEMP": -2.02022980381683, "ARMED": -1.03322686717359, "POP": -0.0511041056535807, "YEAR": 1829.15146461355}
    found = drivers.resample(longley, kpi="TOTEMP", drivers=list(certified), replicates=0).set_index("driver")
    for name, slope in certified.items():
        assert found.slope[name] == pytest.approx(slope, rel=1e-9)
    constant = longley["TOTEMP"].mean() - sum(found.slope[name] * longley[name].mean() for name in certified)
    assert constant == pytest.approx(-3482258.63459582, rel=1e-11)
    assert found.r2.iloc[0] == pytest.approx(0.995479004577296, rel=1e-13)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_one_pass_over_the_rows_keeps_the_digits_of_centred_ones(far):
    """Complete, unweighted answers are multiplied as they are; where means are far from nothing they are centred first. Both give numpy's correlations."""
    frame = correlated(5, n=3000) + far
    matrix, means, slopes = Answers(frame, "y", [f"d{k}" for k in range(5)]).point()
    assert matrix == pytest.approx(np.corrcoef(frame.to_numpy() - far, rowvar=False), abs=1e-13 if far == 0 else 1e-9)
    assert means == pytest.approx(frame.mean().to_numpy()[:5], rel=1e-13)
    spread = frame.std().to_numpy()
    assert slopes == pytest.approx(spread[5] / spread[:5], rel=1e-9)
    one = Answers(frame.assign(w=1.0), "y", [f"d{k}" for k in range(5)], "w").point()[0]
    assert one == pytest.approx(matrix, abs=1e-13)


def test_answers_in_another_order_of_columns_are_the_same_answers():
    frame = correlated(4)
    names = [f"d{k}" for k in range(4)]
    turned = frame[["y", "d2", "d0", "d3", "d1"]].assign(other="x")
    assert Answers(turned, "y", names).point()[0].tolist() == Answers(frame, "y", names).point()[0].tolist()
