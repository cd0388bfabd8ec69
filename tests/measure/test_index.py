"""Path models of satisfaction against plspm and seminr, and what happens where they cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
from small import SHARED

from cxlib.errors import DataError
from cxlib.measure import index

NUMBERS = lambda name, last: [f"{name}{k}" for k in range(1, last + 1)]
BLOCKS = {"IMAG": NUMBERS("imag", 5), "EXPE": NUMBERS("expe", 5), "QUAL": NUMBERS("qual", 5), "VAL": NUMBERS("val", 4), "SAT": NUMBERS("sat", 4), "LOY": NUMBERS("loy", 4)}
INNER = {"EXPE": ["IMAG"], "QUAL": ["EXPE"], "VAL": ["EXPE", "QUAL"], "SAT": ["IMAG", "EXPE", "QUAL", "VAL"], "LOY": ["IMAG", "SAT"]}


def shared(name, **options):
    file = SHARED / "ecsi" / name
    if not file.exists():
        pytest.skip(f"needs {file}: the public data beside the repository")
    return pd.read_csv(file, **options)


def made(n=400, seed=0, noise=0.8):
    """Three constructs, each the cause of the next, and what they were made with."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=n)
    value = 0.6 * image + 0.8 * rng.normal(size=n)
    loyal = 0.5 * value + np.sqrt(0.75) * rng.normal(size=n)
    columns = {f"{name}{k}": score + noise * rng.normal(size=n) for name, score in (("i", image), ("v", value), ("l", loyal)) for k in range(3)}
    return pd.DataFrame(columns), {"I": ["i0", "i1", "i2"], "V": ["v0", "v1", "v2"], "L": ["l0", "l1", "l2"]}, {"V": ["I"], "L": ["V"]}


@pytest.mark.shared
def test_paths_weights_and_fits_match_plspm_on_satisfaction():
    found = index.paths(shared("ecsi_satisfaction.csv"), blocks=BLOCKS, inner=INNER, scheme="centroid", standardised=False)
    outer, fits = shared("ecsi_satisfaction.outer-model.csv"), shared("ecsi_satisfaction.inner-summary.csv", index_col=0)
    for kind in ("weight", "loading"):
        own = found[found["kind"] == kind].set_index("to")["estimate"]
        assert own[outer["name"]].tolist() == pytest.approx(outer[kind].tolist(), abs=1e-6)
    r2 = found[found["kind"] == "r2"].set_index("to")["estimate"]
    assert r2.tolist() == pytest.approx(fits.loc[r2.index, "r_squared"].tolist(), abs=1e-6)
    published = shared("ecsi_satisfaction.effects.csv").merge(index.effects(found), on=["from", "to"], suffixes=("", "_found"))
    assert len(published) == 15
    for kind in ("direct", "indirect", "total"):
        assert published[f"{kind}_found"].tolist() == pytest.approx(published[kind].tolist(), abs=1e-6)


@pytest.mark.shared
def test_bootstrap_agrees_with_the_published_one_on_satisfaction():
    found = index.paths(shared("ecsi_satisfaction.csv"), blocks=BLOCKS, inner=INNER, scheme="centroid", standardised=False, replicates=300)
    published = shared("ecsi_satisfaction_boot_paths.csv", index_col=0)
    own = found[found["kind"] == "path"].assign(name=lambda rows: rows["from"] + " -> " + rows["to"]).set_index("name").loc[published.index]
    assert own["estimate"].tolist() == pytest.approx(published["original"].tolist(), abs=1e-6)
    assert np.abs(own["std_error"] / published["std.error"] - 1).max() < 0.25  # 100 and 300 replicates
    assert np.abs(own[["conf_low", "conf_high"]].to_numpy() - published[["perc.025", "perc.975"]].to_numpy()).max() < 0.1


@pytest.mark.shared
def test_outer_model_matches_seminr_on_mobi():
    blocks = {"Image": NUMBERS("IMAG", 5), "Expectation": NUMBERS("CUEX", 3), "Quality": NUMBERS("PERQ", 7), "Complaints": ["CUSCO"], "Loyalty": NUMBERS("CUSL", 3)}
    inner = {"Expectation": ["Image"], "Loyalty": ["Expectation", "Quality", "Complaints"]}
    found = index.paths(shared("ecsi_mobi.csv"), blocks=blocks, inner=inner, modes={"Quality": "B"})
    outer = shared("ecsi_seminr-mobi-basic-outer-model.csv", index_col=0)
    for kind in ("weight", "loading"):
        own = found[found["kind"] == kind].set_index("to")["estimate"]
        assert own[outer.index].tolist() == pytest.approx(outer[kind].tolist(), abs=1e-8)


def test_two_constructs_of_one_question_each_are_a_correlation():
    frame, _, _ = made()
    found = index.paths(frame, blocks={"I": ["i0"], "V": ["v0"]}, inner={"V": ["I"]}).set_index("kind")
    r = frame["i0"].corr(frame["v0"])
    assert found.loc["path", "estimate"] == pytest.approx(r)
    assert found.loc["r2", "estimate"] == pytest.approx(r**2)


def test_signs_follow_the_whole_sample_in_every_replicate():
    frame, blocks, inner = made()
    found = index.paths(frame, blocks=blocks, inner=inner, replicates=200).query("kind in ('path', 'weight')")
    assert (found["estimate"] > 0).all()
    assert (found["std_error"] < 0.1).all()  # a sign that flips between replicates would spread estimates over both sides of zero
    assert ((found["conf_low"] < found["estimate"]) & (found["estimate"] < found["conf_high"])).all()


def test_scores_lie_between_nought_and_a_hundred_and_follow_the_formula_of_acsi():
    frame, blocks, inner = made()
    rated = (frame.rank(pct=True) * 10).clip(1, 10).round()
    rated["l2"] = np.ceil(rated["l2"] / 2)  # another scale in the same construct
    ends = {item: (1, 5 if item == "l2" else 10) for item in rated}
    found = index.paths(rated, blocks=blocks, inner=inner, ends=ends, replicates=50)
    weight, score = (found[found["kind"] == kind].set_index("to") for kind in ("weight", "score"))
    own = pd.Series({item: weight["estimate"][item] * (ends[item][1] - 1) / rated[item].std(ddof=0) for item in blocks["L"]})
    stands = pd.Series({item: 100 * (rated[item].mean() - 1) / (ends[item][1] - 1) for item in blocks["L"]})
    assert score.loc["L", "estimate"] == pytest.approx((own * stands).sum() / own.sum())
    assert ((score["conf_low"] > 0) & (score["conf_low"] < score["estimate"]) & (score["estimate"] < score["conf_high"]) & (score["conf_high"] < 100)).all()
    assert score.loc["L", "std_error"] == pytest.approx((100 * (rated[blocks["L"]] - 1).div([9, 9, 4])).mean(axis=1).std() / 20, rel=0.25)  # that of a mean of 400


def test_total_effects_are_those_of_the_published_decomposition():
    frame, blocks, inner = made()
    found = index.paths(frame, blocks=blocks, inner=inner | {"L": ["V", "I"]})
    direct, total = (found[found["kind"] == kind].set_index(["to", "from"])["estimate"] for kind in ("path", "total"))
    assert total["L", "I"] == pytest.approx(direct["L", "I"] + direct["V", "I"] * direct["L", "V"])
    summed = index.effects(found).set_index(["to", "from"])["total"]
    assert total.to_dict() == pytest.approx(summed[total.index].to_dict())


def test_gaps_are_left_out_pair_by_pair_where_that_is_asked_for():
    frame, blocks, inner = made(n=3000)
    whole = index.paths(frame, blocks=blocks, inner=inner)
    holed = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)
    pairs, complete = (index.paths(holed, blocks=blocks, inner=inner, gaps=gaps) for gaps in ("pairwise", "complete"))
    assert complete["n"][0] < 600 < pairs["n"][0] == 3000
    error = lambda found: np.sqrt(((found["estimate"] - whole["estimate"]) ** 2)[found["kind"].isin(["path", "loading"])].mean())
    assert error(pairs) < 0.03
    assert error(pairs) < error(complete)
    same = index.paths(frame, blocks=blocks, inner=inner, gaps="pairwise")
    assert same["estimate"].tolist() == whole["estimate"].tolist()


def test_gaps_that_contradict_each_other_leave_the_complete_answers():
    rng = np.random.default_rng(3)
    base = rng.normal(size=(90, 1)) + 0.05 * rng.normal(size=(90, 3))
    base[30:60, 1] *= -1
    base[:30, 2], base[30:60, 0], base[60:, 1] = np.nan, np.nan, np.nan  # a~b up, b~c down, a~c up: no such world exists
    frame = pd.DataFrame(np.vstack([base, rng.normal(size=(30, 3))]), columns=list("abc"))
    found = index.paths(frame, blocks={"X": ["a", "b"], "Y": ["c"]}, inner={"Y": ["X"]}, gaps="pairwise")
    assert found["note"].str.contains("only the 30 complete answers").all()


def test_unit_weights_stand_in_where_there_is_no_rest(monkeypatch):
    frame, blocks, inner = made()
    monkeypatch.setattr(index, "MOST_STEPS", 0)
    found = index.paths(frame, blocks=blocks, inner=inner)
    assert (found["note"] == "unit weights").all()
    assert found.query("kind == 'weight'").groupby("from")["estimate"].nunique().tolist() == [1, 1, 1]


@pytest.mark.parametrize(("change", "reason"), [(lambda f: f.assign(v1=3.0), "no variation in v1"), (lambda f: f.head(9), "9 complete answers"), (lambda f: f.assign(v1=np.nan), "0 complete answers")])
def test_what_cannot_be_fitted_says_why(change, reason):
    """FAULTS 7 and 37."""
    frame, blocks, inner = made()
    found = index.paths(change(frame), blocks=blocks, inner=inner, replicates=5)
    assert found["estimate"].isna().all()
    assert found["note"].str.contains(reason).all()


@pytest.mark.parametrize(
    ("inner", "scheme", "said"),
    [({"V": ["V"]}, "path", "circle"), ({"V": ["L"], "L": ["V"]}, "path", "circle"), ({"V": ["X"]}, "path", "'X'"), ({"V": ["I"]}, "paths", "known: centroid, path")],
)
def test_models_that_make_no_sense_are_refused(inner, scheme, said):
    frame, blocks, _ = made()
    with pytest.raises(DataError, match=said):
        index.paths(frame, blocks=blocks, inner=inner, scheme=scheme)
