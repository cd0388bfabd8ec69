"""Metrics against published values, closed forms and properties."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import DataError
from cxlib.measure import metrics


def nps_tally(promoters, passives, detractors, **keys):
    n = np.array([promoters, passives, detractors])
    return pd.DataFrame({**keys, "score": [10.0, 8.0, 3.0], "n": n, "weight": n * 1.0, "weight_sq": n * 1.0})


def one(tally, definition="nps_0_10"):
    return metrics.estimate(tally, definition=definition).iloc[0]


@pytest.mark.parametrize(
    ("counts", "centre", "low", "high"), [((291, 476, 395), -8.9270, -13.3084, -4.5457), ((18, 11, 2), 47.0588, 25.5123, 68.6053)]
)
def test_nps_interval_matches_the_adjusted_wald_of_rocks(counts, centre, low, high):
    row = one(nps_tally(*counts))
    assert [row.conf_low, row.conf_high] == pytest.approx([low, high], abs=5e-5)
    assert (row.conf_low + row.conf_high) / 2 == pytest.approx(centre, abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "nps", "error"), [((291, 476, 395), -8.950086, 2.238666), ((462, 176, 362), 10.0, 2.853069), ((180, 120, 100), 20.0, 4.062)]
)
def test_nps_error_is_multinomial(counts, nps, error):
    row = one(nps_tally(*counts))
    assert row.estimate == pytest.approx(nps, abs=1e-6)
    assert row.std_error == pytest.approx(error, abs=5e-4 if error == 4.062 else 1e-6)


def test_nps_variance_is_five_ninths():
    assert (one(nps_tally(300, 200, 100)).std_error / 100) ** 2 * 600 == pytest.approx(5 / 9)


def test_raw_nps_is_shown_though_the_interval_is_adjusted():
    assert one(nps_tally(18, 11, 2)).estimate == pytest.approx(51.6129, abs=5e-5)


@pytest.mark.parametrize(("yes", "n", "low", "high"), [(81, 263, 0.255289, 0.366210), (0, 20, 0.0, 0.161125)])
def test_share_interval_matches_wilson_in_newcombe_1998(yes, n, low, high):
    answers = pd.DataFrame({"ease": [5.0] * yes + [1.0] * (n - yes)})
    row = one(metrics.tally(answers, score="ease"), "csat_top2_of_5")
    assert [row.conf_low, row.conf_high] == pytest.approx([low, high], abs=1e-6)


def test_unweighted_mean_is_the_t_interval():
    x = np.random.default_rng(1).integers(1, 6, 87).astype(float)
    row = one(metrics.tally(pd.DataFrame({"x": x}), score="x"), "mean_of_5")
    low, high = stats.t.interval(0.95, 86, x.mean(), stats.sem(x))
    assert [row.estimate, row.std_error, row.conf_low, row.conf_high] == pytest.approx([x.mean(), stats.sem(x), low, high])


def test_weighted_mean_error_matches_survey_linearisation():
    # closed form for with-replacement sampling: n/(n-1) sum(w^2 (y - m)^2) / W^2, here from the rows
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.integers(1, 6, 200), "w": rng.uniform(0.3, 3, 200)})
    row = one(metrics.tally(frame, score="x", weight="w"), "mean_of_5")
    mean = np.average(frame.x, weights=frame.w)
    assert row.estimate == pytest.approx(mean)
    assert row.std_error**2 == pytest.approx(200 / 199 * (frame.w**2 * (frame.x - mean) ** 2).sum() / frame.w.sum() ** 2)
    assert row.n_eff == pytest.approx(frame.w.sum() ** 2 / (frame.w**2).sum())


def test_equal_weights_change_nothing():
    frame = pd.DataFrame({"s": np.random.default_rng(3).integers(0, 11, 300), "w": 2.5})
    plain, weighted = one(metrics.tally(frame, score="s")), one(metrics.tally(frame, score="s", weight="w"))
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n_eff"):
        assert plain[name] == pytest.approx(weighted[name])


def test_interval_widens_where_weights_go_with_the_answers():
    # heavy weights on the people who disagree: Kish alone would understate the error
    frame = pd.DataFrame({"s": [9] * 450 + [7] * 450 + [10] * 50 + [0] * 50, "w": [0.2] * 900 + [8.2] * 100})
    row = one(metrics.tally(frame, score="s", weight="w"))
    assert row.std_error > 1.05 * 100 * np.sqrt(0.5 / row.n_eff)
    assert row.conf_high - row.conf_low == pytest.approx(2 * metrics.Z * row.std_error, rel=0.03)
    assert "linearised" in row.note


@pytest.mark.parametrize("definition", sorted(metrics.DEFINITIONS))
@pytest.mark.parametrize("scores", [[], [5.0], [5.0] * 40])
def test_no_answer_one_answer_and_all_alike_are_told(definition, scores):
    """FAULTS 7."""
    scores = [min(score, metrics.DEFINITIONS[definition].high) for score in scores]  # 5 is no answer where 0 and 1 are
    row = one(metrics.tally(pd.DataFrame({"s": pd.Series(scores, dtype=float)}), score="s"), definition)
    if not scores:
        assert np.isnan(row.estimate)
        assert row.note == "not estimable (no answers)"
        assert (row.n, row.n_eff, row.flag) == (0, 0, "too few")
    elif row.unit == "scale":
        assert row.estimate == 5
        assert np.isnan(row.conf_low)
        assert row.note == ("not estimable (a single answer)" if len(scores) == 1 else "not estimable (all answers are the same)")
    else:
        assert row.conf_low <= row.estimate <= row.conf_high
        assert row.conf_low < row.conf_high


def test_group_without_answers_stays_visible():
    frame = pd.DataFrame({"g": ["a", "a", "b"], "s": [9.0, 2.0, np.nan]})
    out = metrics.estimate(metrics.tally(frame, score="s", by="g"), definition="nps_0_10", by="g")
    assert out.set_index("g").n.to_dict() == {"a": 2, "b": 0}
    assert out.set_index("g").note["b"] == "not estimable (no answers)"


def test_low_bases_are_flagged_on_the_effective_base():
    frame = pd.DataFrame({"g": ["a"] * 29 + ["b"] * 30 + ["c"] * 50 + ["d"] * 60, "s": 9.0, "w": [1.0] * 109 + [1.0] * 30 + [9.0] * 30})
    out = metrics.estimate(metrics.tally(frame, score="s", by="g", weight="w"), definition="nps_0_10", by="g")
    assert out.flag.tolist() == ["too few", "low base", "", "low base"]


def test_finer_keys_add_up():
    frame = pd.DataFrame({"g": list("abcab") * 20, "s": np.arange(100) % 11})
    coarse, fine = metrics.tally(frame, score="s"), metrics.tally(frame, score="s", by="g")
    pd.testing.assert_frame_equal(metrics.estimate(coarse, definition="nps_0_10"), metrics.estimate(fine, definition="nps_0_10"))


@pytest.mark.parametrize(("score", "definition"), [(11, "nps_0_10"), (-1, "nps_0_10"), (7.5, "nps_0_10"), (6, "mean_of_5"), (0, "csat_top2_of_5")])
def test_score_off_the_scale_is_refused(score, definition):
    with pytest.raises(DataError, match="not on the scale"):
        one(metrics.tally(pd.DataFrame({"s": [score, 5]}), score="s"), definition)


@pytest.mark.parametrize("weight", [np.nan, -1.0])
def test_bad_weight_is_refused_with_its_row(weight):
    """FAULTS 36."""
    with pytest.raises(DataError, match="Column 'w', row 1"):
        metrics.tally(pd.DataFrame({"s": [1.0, 2.0], "w": [1.0, weight]}), score="s", weight="w")


def test_unknown_definition_names_the_nearest():
    with pytest.raises(DataError, match="did you mean csat_top2_of_5"):
        metrics.definition_of("csat_top2_of5")


def test_every_definition_values_its_whole_scale():
    for what in metrics.DEFINITIONS.values():
        value = what.value(np.arange(what.low, what.high + 1))
        assert value.min() == what.bounds[0]
        assert value.max() == what.bounds[1]
        assert (np.diff(value) >= 0).all() or what.id == "bottom2_of_5"


def test_needed_base_matches_the_closed_form():
    assert metrics.needed_n(1e4 * (0.45 + 0.25 - 0.2**2), difference=5) == 4145
    assert metrics.needed_n(1e4 * 0.66, difference=5, design_effect=2) == 8289


def test_change_of_independent_waves_adds_variances():
    now, then = (metrics.estimate(nps_tally(*counts), definition="nps_0_10") for counts in ((1865, 1243, 1037), (1865, 1243, 1037)))
    row = metrics.change(now, then).iloc[0]
    assert row.std_error == pytest.approx(np.hypot(now.std_error[0], then.std_error[0]))
    assert row.detectable == pytest.approx(5.0, abs=0.01)
    assert row.needed_n == pytest.approx(4145, abs=5)
    assert (row.estimate, row.p) == (0.0, 1.0)


def test_change_in_a_full_panel_is_the_paired_difference():
    rng = np.random.default_rng(4)
    person = np.arange(400)
    first = rng.integers(0, 11, 400)
    second = np.clip(first + rng.integers(-2, 3, 400), 0, 10)
    then, now = pd.DataFrame({"person_id": person, "s": first}), pd.DataFrame({"person_id": rng.permutation(person)})
    now["s"] = second[now.person_id]
    tied = metrics.overlap(now, then, person="person_id", score="s", definition="nps_0_10")
    row = metrics.change(*(metrics.estimate(metrics.tally(f, score="s"), definition="nps_0_10") for f in (now, then)), overlap=tied).iloc[0]
    value = metrics.DEFINITIONS["nps_0_10"].value
    paired = value(second) - value(first)
    assert tied.n_both[0] == 400
    assert row.estimate == pytest.approx(paired.mean())
    assert row.std_error == pytest.approx(paired.std() / 20)


def test_mean_change_is_welch():
    rng = np.random.default_rng(5)
    a, b = rng.integers(1, 6, 40).astype(float), rng.integers(2, 6, 31).astype(float)
    row = metrics.change(*(metrics.estimate(metrics.tally(pd.DataFrame({"s": x}), score="s"), definition="mean_of_5") for x in (a, b))).iloc[0]
    welch = stats.ttest_ind(a, b, equal_var=False)
    interval = welch.confidence_interval()
    assert [row.p, row.conf_low, row.conf_high] == pytest.approx([welch.pvalue, interval.low, interval.high])


def test_change_between_two_waves_of_promoters_is_not_certain():
    now, then = (metrics.estimate(nps_tally(n, 0, 0), definition="nps_0_10") for n in (12, 9))
    row = metrics.change(now, then).iloc[0]
    assert row.std_error > 0
    assert row.conf_low < 0 < row.conf_high


def test_change_without_an_earlier_wave_says_so():
    by_group = lambda groups: metrics.estimate(pd.concat([nps_tally(40, 30, 30, g=g) for g in groups]), definition="nps_0_10", by="g")
    out = metrics.change(by_group("ab"), by_group("b"), by="g").set_index("g")
    assert out.note.to_dict() == {"a": "not estimable (no earlier wave)", "b": ""}
    assert np.isnan(out.estimate["a"])


def test_change_between_definitions_is_refused():
    now, then = (metrics.estimate(metrics.tally(pd.DataFrame({"s": [1.0, 5, 4]}), score="s"), definition=d) for d in ("ces_1", "csat_top2_of_5"))
    with pytest.raises(DataError, match="two definitions"):
        metrics.change(now, then)


def simulate_nps(shares, n, replicates, seed):
    counts = np.random.default_rng(seed).multinomial(n, shares, size=replicates)
    long = pd.DataFrame({"r": np.repeat(np.arange(replicates), 3), "score": np.tile([10.0, 8.0, 0.0], replicates), "n": counts.ravel()})
    long["weight"] = long["weight_sq"] = long["n"].astype(float)
    return metrics.estimate(long, definition="nps_0_10", by="r")


def not_outside(hits, replicates, low=0.93, high=0.97):
    """The rule of coverage: fail only if the binomial 99 % band lies outside what is allowed."""
    band = stats.binomtest(int(hits), int(replicates)).proportion_ci(0.99)
    return band.high >= low and band.low <= high


@pytest.mark.parametrize("replicates", [400, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("shares", "n"), [((0.45, 0.30, 0.25), 400), ((0.45, 0.30, 0.25), 50), ((0.6, 0.3, 0.1), 30), ((0.85, 0.12, 0.03), 10), ((0.2, 0.2, 0.6), 100)])
def test_nps_interval_covers(shares, n, replicates):
    out = simulate_nps(shares, n, replicates, seed=n)
    truth = 100 * (shares[0] - shares[2])
    hits = ((out.conf_low <= truth) & (truth <= out.conf_high)).sum()
    assert not_outside(hits, replicates, high=0.97 if n > 30 else 1.0)  # clipped ones may be wider


@pytest.mark.parametrize("replicates", [400, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("now", "then", "n"),
    [((0.45, 0.30, 0.25), (0.45, 0.30, 0.25), (400, 400)), ((0.5, 0.3, 0.2), (0.3, 0.3, 0.4), (60, 200)), ((0.85, 0.12, 0.03), (0.7, 0.2, 0.1), (30, 45))],
)
def test_change_covers_and_is_rarely_wrong_when_nothing_changed(now, then, n, replicates):
    out = metrics.change(simulate_nps(now, n[0], replicates, 1), simulate_nps(then, n[1], replicates, 2), by="r")
    truth = 100 * ((now[0] - now[2]) - (then[0] - then[2]))
    hits = ((out.conf_low <= truth) & (truth <= out.conf_high)).sum()
    assert not_outside(hits, replicates, high=0.975)
    if now == then:
        assert stats.binomtest(int((out.p < 0.05).sum()), replicates, 0.05, "greater").pvalue > 0.01


def test_change_detects_what_it_announces():
    shares = (0.45, 0.30, 0.25)
    n = metrics.needed_n(6600, difference=10)
    now, then = simulate_nps((0.50, 0.30, 0.20), n, 2000, 3), simulate_nps(shares, n, 2000, 4)
    assert 0.77 < (metrics.change(now, then, by="r").p < 0.05).mean() < 0.86


def weighted_worlds(kind, n, replicates, seed):
    """Samples of one population drawn with weights that have nothing, or everything, to do with the answers."""
    rng = np.random.default_rng(seed)
    shares, reach = np.array([0.45, 0.30, 0.25]), np.array([1.0, 0.5, 0.15])
    if kind == "unrelated":
        answer, weight = rng.choice(3, size=(replicates, n), p=shares), np.exp(0.5 * rng.normal(size=(replicates, n)))
    else:  # promoters answer far more often than detractors, and the weights put that right
        answer = rng.choice(3, size=(replicates, n), p=shares * reach / (shares * reach).sum())
        weight = 1 / reach[answer]
    frame = pd.DataFrame({"r": np.repeat(np.arange(replicates), n), "s": np.array([10.0, 8.0, 2.0])[answer.ravel()], "w": weight.ravel()})
    return metrics.estimate(metrics.tally(frame, score="s", by="r", weight="w"), definition="nps_0_10", by="r")


@pytest.mark.parametrize("replicates", [400, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["unrelated", "related"])
def test_weighted_nps_interval_covers(kind, replicates):
    out = weighted_worlds(kind, 400, replicates, seed=11)
    hits = ((out.conf_low <= 20) & (out.conf_high >= 20)).sum()
    assert not_outside(hits, replicates)
    if kind == "related":  # Kish's base alone would not have covered
        half = metrics.Z * 100 * np.sqrt(0.66 / out.n_eff)
        assert not not_outside((np.abs(out.estimate - 20) <= half).sum(), replicates, high=1.0)
