"""Raking against published values, closed forms and what must be refused."""

import time

import numpy as np
import pandas as pd
import pytest
from small import TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import identifiers, store, weighting


def answers(n=600, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"region": rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]), "age": rng.choice(["young", "old"], n), "score": rng.integers(0, 11, n).astype(float)})


TARGETS = {"region": {"north": 0.4, "south": 0.4, "west": 0.2}, "age": {"young": 0.7, "old": 0.3}}


def test_raking_meets_every_margin_and_keeps_the_odds_ratio_of_deming_and_stephan_1940():
    frame = pd.DataFrame({"a": ["x"] * 50 + ["y"] * 50, "b": ["u"] * 40 + ["v"] * 10 + ["u"] * 20 + ["v"] * 30})
    raked = weighting.rake(frame, targets={"a": {"x": 0.3, "y": 0.7}, "b": {"u": 0.55, "v": 0.45}})
    cells = raked.weights["weight"].groupby([frame["a"], frame["b"]]).sum() / 100
    # closed form: the 2 x 2 table with these margins and the odds ratio (40 x 30)/(10 x 20) = 6
    q = np.roots([5, -(1 + 5 * (0.3 + 0.55)), 6 * 0.3 * 0.55])
    xu = next(root for root in q if 0 < root < 0.3)
    assert cells["x", "u"] == pytest.approx(xu, abs=1e-8)
    assert cells.groupby("a").sum().tolist() == pytest.approx([0.3, 0.7])
    assert cells.groupby("b").sum().tolist() == pytest.approx([0.55, 0.45])


def test_raking_matches_survey_on_apiclus1(shared):
    schools = pd.read_csv(shared / "reference" / "apiclus1.csv")
    raked = weighting.rake(schools, targets={"stype": {"E": 4421, "H": 755, "M": 1018}, "sch.wide": {"No": 1072, "Yes": 5122}})
    assert np.average(schools["api00"], weights=raked.weights["weight"]) == pytest.approx(641.230321, abs=5e-7)
    assert raked.gap < 1e-9


def test_kish_matches_apistrat(shared):
    schools = pd.read_csv(shared / "reference" / "apistrat.csv")
    schools["w"] = schools["stype"].map({"E": 4421, "H": 755, "M": 1018}) / schools.groupby("stype")["stype"].transform("size")
    found = weighting.effect(schools, weight="w").iloc[0]
    assert [found["n_eff"], found["factor"]] == pytest.approx([168.581, 1.18637], abs=5e-4)


def test_kish_of_two_kinds_of_weights_is_the_closed_form():
    found = weighting.effect(pd.DataFrame({"weight": [1.0] * 30 + [3.0] * 10}), by=()).iloc[0]
    assert found["n_eff"] == pytest.approx(60**2 / 120)
    assert found["factor"] == pytest.approx(40 / 30)
    assert [found["low"], found["high"]] == pytest.approx([2 / 3, 2])


def test_shares_percentages_and_counts_say_the_same():
    frame = answers()
    times = lambda factor: {name: {key: value * factor for key, value in target.items()} for name, target in TARGETS.items()}
    found = [weighting.rake(frame, targets=times(factor)).weights["weight"] for factor in (1, 100, 62_000)]
    pd.testing.assert_series_equal(found[0], found[1])
    pd.testing.assert_series_equal(found[0], found[2])


def test_raking_starts_from_the_given_weights_and_does_not_care_for_their_scale_or_the_order_of_rows():
    frame = answers().assign(w=np.random.default_rng(2).uniform(0.5, 2, 600))
    one = weighting.rake(frame, targets=TARGETS, weight="w").weights["weight"]
    other = weighting.rake(frame.assign(w=frame["w"] * 7).sample(frac=1, random_state=3), targets=TARGETS, weight="w").weights["weight"]
    pd.testing.assert_series_equal(one, other.sort_index())
    factor = one / frame["w"]
    assert factor.groupby([frame["region"], frame["age"]]).std().max() < 1e-12  # one factor a cell
    assert one.mean() == pytest.approx(1)


def test_a_missing_category_keeps_its_share_and_is_said():
    frame = answers()
    frame.loc[:59, "region"] = None
    raked = weighting.rake(frame, targets=TARGETS)
    lost = raked.margins[raked.margins["category"] == weighting.UNKNOWN].iloc[0]
    assert [lost["n"], lost["before"], lost["after"]] == pytest.approx([60, 0.1, 0.1])
    north = raked.margins.query("category == 'north'").iloc[0]
    assert north["after"] == pytest.approx(0.4 * 0.9)
    assert any("60 of 600 answers have no category in 'region'" in sentence for sentence in raked.sentences)


def exploding():
    """Three old people of the south stand for a tenth of everybody."""
    return pd.DataFrame({"region": ["north"] * 500 + ["south"] * 103, "age": ["young"] * 300 + ["old"] * 200 + ["young"] * 100 + ["old"] * 3}), {"region": {"north": 0.5, "south": 0.5}, "age": {"young": 0.4, "old": 0.6}}


def test_exploding_weights_are_trimmed_raked_again_and_said():
    """FAULTS 36; issue 4."""
    frame, targets = exploding()
    free = weighting.rake(frame, targets=targets)
    assert free.weights["weight"].max() > 20
    held = weighting.rake(frame, targets=targets, bounds=(0.2, 5.0))
    assert held.weights["weight"].between(0.2 - 1e-9, 5 + 1e-6).all()
    assert any("Without bounds the largest weight would have been" in sentence for sentence in held.sentences)
    assert held.weights["held"].sum() >= 3
    assert any("the margins cannot be met" in sentence for sentence in held.sentences)  # three people cannot be a tenth of 603 at five times the mean


def test_trimming_that_can_meet_the_margins_does():
    frame = pd.concat([answers(2000), pd.DataFrame({"region": ["west"] * 5, "age": "old", "score": 5.0}).iloc[:5]], ignore_index=True)
    base = pd.Series(1.0, index=frame.index)
    base.iloc[-5:] = 40.0
    held = weighting.rake(frame.assign(w=base), targets=TARGETS, weight="w", bounds=(0.1, 4.0))
    assert held.weights["weight"].max() <= 4 + 1e-6
    assert held.gap < 1e-5
    assert held.weights["held"].iloc[-5:].all()
    assert not any("cannot be met" in sentence for sentence in held.sentences)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"regoin": {"north": 1}}, "did you mean region"),
        ({"region": {"north": 0.5, "south": 0.5}}, "answers have 'west', for which there is no target"),
        ({"region": {"north": 0.5, "south": 0.5, "west": 0}}, "'west', whose target is 0"),
        ({"region": {"north": 0.4, "south": 0.4, "west": 0.1, "east": 0.1}}, "nobody with 'east' answered, and its target is 10.0 %"),
        ({"region": {"north": 0.4, "south": 0.4, "west": 0.1}}, "add up to 0.9"),
        ({"region": {"north": 40.5, "south": 40, "west": 10}}, "add up to 90.5"),
        ({"region": {"north": 400, "south": 400, "west": 200}, "age": {"young": 700, "old": 400}}, "add up to 1,000 and those of 'age' to 1,100"),
        ({"region": {"north": -1, "south": 1, "west": 1}}, "numbers of at least 0"),
        ({"region": {}}, "numbers of at least 0"),
        ({}, "at least one margin"),
    ],
)
def test_targets_that_cannot_be_are_refused_with_the_remedy(targets, said):
    """Issue 4: targets that do not sum, a margin with an empty cell."""
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        weighting.rake(answers(), targets=targets)


def test_margins_that_contradict_each_other_are_refused():
    frame = pd.DataFrame({"a": ["x"] * 50 + ["y"] * 50, "b": ["u"] * 50 + ["v"] * 50})
    with pytest.raises(DataError, match="contradict each other"):
        weighting.rake(frame, targets={"a": {"x": 0.3, "y": 0.7}, "b": {"u": 0.6, "v": 0.4}}, rounds=50)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_an_initial_weight_that_is_none_is_refused_with_its_row(weight):
    """FAULTS 36."""
    frame = answers().assign(w=1.0)
    frame.loc[7, "w"] = weight
    with pytest.raises(DataError, match="Column 'w', row 7"):
        weighting.rake(frame, targets=TARGETS, weight="w")


@pytest.mark.parametrize("rows", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_million_rows_to_six_margins_take_less_than_five_seconds(rows):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"m{place}": rng.choice(list("abcdefgh")[: 3 + place], rows) for place in range(6)})
    targets = {name: (lambda size: dict(zip("abcdefgh", size / size.sum())))(rng.uniform(0.5, 1.5, frame[name].nunique())) for name in frame}
    begun = time.process_time()
    raked = weighting.rake(frame, targets=targets, bounds=(0.1, 8.0))
    assert time.process_time() - begun < 5 * rows / 1e6 + 0.5
    assert raked.gap < 1e-6


RAKED = TINY.replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate", "link", "quote"]\n[[surveys.rake.margins]]\nfield = "country"\ntargets = {DE = 0.5, AT = 0.5}\n')
ROWS = "".join(f"r{i:03d},{'DE' if i % 4 else 'AT'},p{i},{i % 11},{1 + i % 5},It is fine.\n" for i in range(60))


def built(folder):
    return store.build(programme.read(folder))


def test_a_survey_that_declares_margins_has_its_weights_made_at_load(tiny):
    found = built(tiny(ROWS, toml=RAKED))["responses"]
    assert found.groupby("country")["weight"].first().to_dict() == pytest.approx({"AT": 2.0, "DE": 2 / 3})
    assert (found["base_weight"] == 1).all()
    assert built(tiny(ROWS, name="plain"))["responses"]["base_weight"].isna().all()


def test_targets_are_counted_in_the_frame_where_none_are_declared(tiny):
    toml = RAKED.replace("targets = {DE = 0.5, AT = 0.5}\n", "").replace('field = "country"', 'field = "region"') + '\n[[sources]]\ntable = "people"\nfile = "people.csv"\n'
    folder = tiny(ROWS, toml=toml)
    rows = [f"p{i},a{i},{'north' if i < 30 else 'south'},2020-01-01,{'2026-01-01' if i >= 90 else ''}" for i in range(100)]
    (folder / "raw" / "people.csv").write_text("person_id,account_id,region,joined_on,left_on\n" + "\n".join(rows) + "\n")
    found = built(folder)["responses"]
    # ninety customers on the first day, thirty of them in the north; thirty of sixty answers are theirs
    north = found["person_id"].isin([identifiers.known_as(f"p{i}") for i in range(30)])
    assert found["weight"].groupby(north).first().to_dict() == pytest.approx({True: 2 / 3, False: 4 / 3})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("AT = 0.5", "CH = 0.5"), "survey 'poll', wave 'a': Margin 'country'"),
        (('field = "country"', 'field = "county"'), "did you mean country"),
        (("targets = {DE = 0.5, AT = 0.5}", "targts = {DE = 0.5}"), "did you mean targets"),
        (("[[surveys.rake.margins]]", 'cluster = "acount_id"\n[[surveys.rake.margins]]'), "did you mean account_id"),
        (('"link", ', ""), "promise does not permit linking"),
        (("[[surveys.rake.margins]]", 'universe = "frame"\n[[surveys.rake.margins]]'), "no source fills the people table"),
        (("targets = {DE = 0.5, AT = 0.5}", ""), "has no targets, and the people table does not say it"),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused(tiny, change, said):
    toml = RAKED.replace(*change)
    toml = toml.replace("[[surveys.rake.margins]]", 'cluster = "person_id"\n[[surveys.rake.margins]]', 1) if "promise" in said else toml
    with pytest.raises(DataError, match=said):
        built(tiny(ROWS, toml=toml))


