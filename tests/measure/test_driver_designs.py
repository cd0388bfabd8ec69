"""Drivers of surveys with clusters, strata and raking: the bootstrap follows the design (METHODS 2; Rao and Wu 1988)."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from survey_worlds import within
from test_waves import designed

from cxlib.load import weighting
from cxlib.measure import drivers, models, moments


def branches(rng, *, count=60, size=12, tie=1.0):
    """People of branches that share a mood in what they rate, and another in the KPI."""
    branch = np.repeat(np.arange(count), size)
    mood = tie * rng.normal(size=count)[branch]
    a = mood + rng.normal(size=len(branch))
    return pd.DataFrame({"branch": branch, "a": a, "b": rng.normal(size=len(branch)), "w": 1.0, "kpi": a + tie * rng.normal(size=count)[branch] + rng.normal(size=len(branch))})


def _runs(runs, replicates):
    """Hits of the correlation's interval with and without clusters, and their mean widths; the truth is cov / sqrt(var var) = 2/sqrt(2 * 4)."""
    truth, hits, width = 2 / np.sqrt(2 * 4), np.zeros(2), np.zeros(2)
    for run in range(runs):
        frame = branches(np.random.default_rng(run))
        for place, cluster in enumerate((None, "branch")):
            found = drivers.importance(frame, kpi="kpi", drivers=["a", "b"], cluster=cluster, methods=("correlation",), replicates=replicates, seed=run).iloc[0]
            hits[place] += found["conf_low"] <= truth <= found["conf_high"]
            width[place] += (found["conf_high"] - found["conf_low"]) / runs
    return hits, width


def test_clusters_make_the_interval_wider_and_it_covers():
    hits, width = _runs(60, 200)
    assert width[1] > 1.2 * width[0]
    assert within(hits[1], 60)
    assert hits[1] > hits[0]


@pytest.mark.slow
def test_clustered_intervals_cover_in_many_worlds_and_unclustered_ones_do_not():
    hits, _ = _runs(600, 300)
    assert within(hits[1], 600, low=0.92)
    assert not within(hits[0], 600)


def test_every_replicate_meets_the_margins():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"region": rng.choice(["n", "s"], 500), "age": rng.choice(["y", "m", "o"], 500)})
    weight = weighting.rake(frame, targets={"region": {"n": 0.7, "s": 0.3}, "age": {"y": 0.2, "m": 0.5, "o": 0.3}}).weights["weight"].to_numpy()
    factor, draws = moments.rao_wu(500, 40, seed=1)
    drawn = np.concatenate(list(draws)) * factor * weight
    raked = weighting.Again(weight, [frame["region"], frame["age"]])(drawn)
    assert raked[:, frame["region"] == "n"].sum(axis=1) / raked.sum(axis=1) == pytest.approx(np.full(40, 0.7), abs=1e-5)
    assert raked[:, frame["age"] == "o"].sum(axis=1) / raked.sum(axis=1) == pytest.approx(np.full(40, 0.3), abs=1e-5)
    assert ((raked == 0) == (drawn == 0)).all()
    # and it is what raking that replicate alone gives
    own = frame.assign(w=drawn[0])[drawn[0] > 0]
    alone = weighting.rake(own, targets={"region": {"n": 0.7, "s": 0.3}, "age": {"y": 0.2, "m": 0.5, "o": 0.3}}, weight="w").weights["weight"].to_numpy()
    assert raked[0, own.index] / raked[0, own.index].mean() == pytest.approx(alone, rel=1e-4)


def test_raking_again_takes_out_of_the_interval_what_the_margins_explain():
    """Performance that goes with a margin whose share is known varies less than its weights taken as fixed would say."""
    rng = np.random.default_rng(5)
    group = rng.choice(["n", "s"], 800)
    frame = pd.DataFrame({"group": group, "w": 1.0, "a": 4.0 * (group == "s") + rng.normal(size=800)}).assign(kpi=lambda rows: rows["a"] + rng.normal(size=800))
    spread = lambda margins: drivers.resample(frame, kpi="kpi", drivers=["a"], weight="w", margins=margins, methods=("correlation",), replicates=300).query("replicate > 0")["performance"].std()
    assert spread(["group"]) == pytest.approx(1 / np.sqrt(800), rel=0.2)  # the spread within groups is 1
    assert spread(()) == pytest.approx(np.sqrt(1 + 4) / np.sqrt(800), rel=0.2)


def test_a_survey_s_declared_design_reaches_the_models(tiny):
    """Accounts of the people table are drawn within the declared strata, and the margins are those of the raking."""
    tables = designed(tiny, 'cluster = "account_id"\nstrata = "country"\nrake.margins = [{field = "region"}]')
    survey = tables.programme.surveys[0].id
    frame, _ = models.answers(tables, survey)
    made, found = models._sampled(tables, survey, frame)
    assert found == {"cluster": "unit", "strata": "country", "margins": ("region",)}
    assert made["unit"].nunique() == made[["country", "account_id"]].drop_duplicates().shape[0]
    assert made.groupby("unit")["country"].nunique().eq(1).all()


def test_nothing_declared_and_nobody_twice_is_no_design(tiny):
    tables = designed(tiny, "")
    frame, _ = models.answers(tables, tables.programme.surveys[0].id)
    assert models._sampled(tables, tables.programme.surveys[0].id, frame)[1] == {"cluster": None, "strata": None, "margins": ()}
    again = frame.assign(person_id=frame["person_id"].where(frame.index != 1, frame["person_id"].iloc[0]))
    made, found = models._sampled(tables, tables.programme.surveys[0].id, again)
    assert found["cluster"] == "unit"
    assert made["unit"].iloc[0] == made["unit"].iloc[1]


def idle(rng, *, count, size, tie=1.0):
    """Unequal branches: a goes with nothing, but people of a branch are alike in it and in the KPI; b goes with the KPI."""
    branch = np.repeat(np.arange(count), rng.integers(1, 2 * size, count))
    alike = lambda: tie * rng.normal(size=count)[branch] + rng.normal(size=len(branch))
    a, b = alike(), alike()
    return pd.DataFrame({"branch": branch, "a": a, "b": b, "kpi": 0.5 * b + alike(), "w": rng.choice([0.5, 1.0, 2.0], len(branch))})


@pytest.mark.parametrize(("worlds", "count", "size"), [(60, 60, 8), *(pytest.param(2000, *one, marks=pytest.mark.slow) for one in ((12, 10), (60, 12), (240, 3)))])
def test_whether_a_driver_matters_is_tested_at_its_level_where_clusters_are_alike(worlds, count, size):
    hits = np.zeros(3)
    for seed in range(worlds):
        frame = idle(np.random.default_rng(seed), count=count, size=size)
        test = lambda cluster, frame=frame, seed=seed: drivers.permutation(frame, kpi="kpi", drivers=["a", "b"], weight="w", cluster=cluster, replicates=99, seed=seed)["p"].to_numpy() <= 0.05
        with_them, without = test("branch"), test(None)
        hits += with_them[0], with_them[1], without[0]
    assert stats.binomtest(int(hits[0]), worlds, 0.06, "greater").pvalue > 0.005  # a point is allowed for the normal scale of few clusters
    assert hits[1] > 0.6 * worlds
    assert hits[2] > 0.1 * worlds  # shuffling people as if they had nothing in common claims too much
