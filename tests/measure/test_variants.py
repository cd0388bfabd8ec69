"""A planted company: each thing the driver study looks for is there, and is found; in one without effects nothing is."""

import numpy as np
import pandas as pd
import pytest

from cxlib import programme as programmes
from cxlib.load import store
from cxlib.measure import comparisons, constructs, ledger, models, variants
from cxlib.questionnaire import Change
from cxlib.show import claims

ITEMS = ["basic", "delight", "strong", "weak", "twin_a", "twin_b", "plain"]
CONTRACT = """
name = "Planted"
[scales.recommend]
low = 0
high = 10
[scales.five]
low = 1
high = 5
missing = {6 = "never used"}
[[surveys]]
id = "annual"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link"]
[[surveys]]
id = "pulse"
kind = "transactional"
promise = "confidential"
uses = ["aggregate", "link"]
WAVES
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "complained"
wording = "Did you complain?"
kind = "nominal"
surveys = ["annual"]
labels = {1 = "yes", 2 = "no"}
[[items]]
id = "handling"
wording = "How was your complaint handled?"
surveys = ["annual"]
scale = "five"
asked_if = {item = "complained", values = ["1"]}
[[items]]
id = "most"
wording = "What matters most?"
kind = "nominal"
surveys = ["annual"]
labels = {1 = "plain", 2 = "strong"}
ITEMS
[[kpis]]
id = "nps"
label = "NPS"
item = "recommend"
definition = "nps_0_10"
[[drivers]]
survey = "annual"
kpis = ["nps"]
items = ["basic", "delight", "strong", "weak", "twin_a", "twin_b", "plain", "handling"]
picks = ["most"]
target = 4.5
[[segments]]
id = "country"
field = "country"
"""


def planted(n, seed, *, effect=1.0):
    """Ratings, a KPI with the planted relations, gaps, complainers, what people name; accounts of two in the first fifth."""
    rng = np.random.default_rng(seed)
    rated = lambda level, spread=0.9: np.clip(np.round(level + spread * (0.45 * mood + 0.9 * rng.normal(size=n))), 1, 5)
    mood = rng.normal(size=n)
    frame = pd.DataFrame({name: rated(level) for name, level in (("basic", 3.6), ("delight", 3.6), ("strong", 2.9), ("weak", 2.6), ("twin_a", 3.6), ("plain", 4.0))})
    frame["twin_b"] = np.where(rng.random(n) < 0.9, frame["twin_a"], rated(3.6))
    frame["complained"] = np.where(rng.random(n) < 0.35, 1, 2)
    frame["handling"] = rated(3.2)
    pull = -2.2 * (frame["basic"] <= 2) + 2.2 * (frame["delight"] == 5) + 0.9 * (frame["strong"] - 3) + 0.2 * (frame["twin_a"] - 3) + 0.9 * (frame["handling"] - 3) * (frame["complained"] == 1)
    frame["recommend"] = np.clip(np.round(5.5 + effect * pull + 1.3 * rng.normal(size=n)), 0, 10)
    frame["most"] = np.where(rng.random(n) < 0.8, 1, 2)
    frame["handling"] = frame["handling"].where(frame["complained"] == 1)
    frame = frame.astype("Int64").mask(pd.DataFrame(rng.random(frame.shape) < 0.06, index=frame.index, columns=frame.columns) & ~frame.columns.isin(["recommend", "complained", "most", "handling"]), 6)
    frame["country"] = np.where(np.arange(n) % 3 == 0, "AT", "DE")
    frame["weight"] = rng.choice([0.7, 1.0, 1.4], n)
    return frame


def company(folder, *, effect=1.0, n=1500, rated=3.9, seeds=(1, 2)):
    (folder / "raw").mkdir(parents=True)
    waves = ""
    for wave, quarter, month, seed in (("old", "2025Q3", "2025-09", seeds[0]), ("new", "2026Q1", "2026-03", seeds[1])):
        frame = planted(n, seed, effect=effect)
        frame.insert(0, "id", [f"{wave}{k:05d}" for k in range(n)])
        frame.insert(1, "person", [f"p{k:05d}" for k in range(n)])
        frame.insert(2, "account", [f"a{k // 2 if k < n // 5 else k:05d}" for k in range(n)])
        frame.to_csv(folder / "raw" / f"{wave}.csv", index=False)
        waves += f'[[waves]]\nid = "{wave}"\nsurvey = "annual"\nquarter = "{quarter}"\nfirst = {month}-01\nlast = {month}-28\nfile = "{wave}.csv"\n'
        waves += '[waves.columns]\nresponse_id = "id"\nperson_id = "person"\naccount_id = "account"\ncountry = "country"\nweight = "weight"\n'
    rng = np.random.default_rng(5)
    pulse = pd.DataFrame({"id": [f"u{k}" for k in range(300)], "recommend": rng.integers(0, 11, 300), "strong": np.clip(np.round(rated + 0.8 * rng.normal(size=300)), 1, 5).astype(int)})
    pulse.to_csv(folder / "raw" / "pulse.csv", index=False)
    waves += '[[waves]]\nid = "q2"\nsurvey = "pulse"\nquarter = "2026Q2"\nfirst = 2026-04-01\nlast = 2026-06-30\nfile = "pulse.csv"\n[waves.columns]\nresponse_id = "id"\n'
    items = "".join(f'[[items]]\nid = "{name}"\nlabel = "{name.capitalize()}"\nwording = "{name}"\nscale = "five"\ngroup = "{"twins" if "twin" in name else name}"\n' + ('' if name == "strong" else 'surveys = ["annual"]\n') for name in ITEMS)
    (folder / "programme.toml").write_text(CONTRACT.replace("WAVES", waves).replace("ITEMS", items), "utf-8")
    found = programmes.read(folder)
    place = store.write(found, folder / "store")
    return lambda quarter: store.Tables(place, found, quarter)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return company(tmp_path_factory.mktemp("planted") / "p")("2026Q1")


@pytest.fixture(scope="module")
def draws(tables):
    return models.resample(tables, replicates=200, seed=1)


def test_what_was_asked_of_some_is_no_part_of_the_main_model_and_has_its_own_base(tables, draws):
    assert "handling" not in set(draws["driver"])
    own = models.filtered(tables, replicates=100, seed=1)
    assert own["driver"].tolist() == ["handling"]
    answers, _ = models.answers(tables, "annual")
    assert own["n"][0] == answers["handling"].notna().sum() < 0.5 * len(answers)
    assert own["conf_low"][0] > 0.1  # it matters a lot to those who complained
    (said,) = claims.levers.filtered(own, tables.programme)
    assert "Nothing is filled in for the others." in said


def test_people_of_one_account_are_drawn_together(tables, draws):
    """Errors are those of the accounts: wider than if every respondent stood alone would be impossible to tell here, but the draws differ and the unit is the account."""
    seen = []
    models.each(tables, lambda frame, one: seen.append((one.cluster, frame["unit"].nunique())))
    assert seen == [("unit", 1500 - 150)]
    assert "accounts" in set(variants.every(tables)["variant"])


def test_the_strong_one_comes_first_and_the_weak_one_is_not_fixed(tables, draws):
    found = models.priorities(draws).set_index("driver")
    assert found["importance"].idxmax() == "strong"
    assert found.loc["strong", "quadrant"] == "fix first"
    assert found.loc["weak", "quadrant"] == "watch"
    cuts = models.by_rule(tables, draws)
    assert set(cuts["rule"]) == {"means", "medians", "middle of the scale", "target"}
    assert cuts[(cuts["rule"] == "target") & (cuts["driver"] == "basic")]["quadrant"].isin(["fix first", "watch"]).all()


def test_basics_and_delighters_are_told_from_each_other(tables):
    found = variants.unequal(tables, replicates=200, seed=1).set_index("driver")
    assert found.loc["basic", "class"] == "basic"
    assert found.loc["delight", "class"] == "delighter"
    assert found.loc[["basic", "delight"], "p"].max() < 0.01
    (said,) = claims.levers.unequal(found.reset_index(), tables.programme)
    assert "annoys where it fails: Basic" in said
    assert "delights where it succeeds: Delight" in said


def test_twins_are_named_and_weighed_as_one_group(tables):
    close = variants.inseparable(tables)
    assert close[["driver_a", "driver_b"]].to_numpy().tolist() == [["twin_a", "twin_b"]]
    groups = variants.groups(tables, replicates=100, seed=1)
    whole = groups[groups["driver"] == ""].set_index("group")
    assert whole.loc["twins", "items"] == 2
    assert whole.loc["twins", "alpha"] > 0.85
    assert whole["estimate"].sum() == pytest.approx(groups["r2"][0])
    members = groups[(groups["group"] == "twins") & (groups["driver"] != "")]
    assert members["estimate"].sum() == pytest.approx(whole.loc["twins", "estimate"])
    said = claims.variants.mood(variants.moods(tables, replicates=50, seed=1), close, tables.programme)
    assert any("cannot be separated: Twin_a and Twin_b (correlation 0." in line for line in said)


def test_what_people_name_is_set_beside_what_is_shown(tables, draws):
    found = models.stated(tables, models.importance(draws)).set_index("driver")
    assert found.loc["plain", "meaning"] == "said, not shown"
    assert found.loc["plain", "stated"] == pytest.approx(0.8, abs=0.05)
    assert found.loc["strong", "meaning"] in ("said and shown", "shown, not said")


def test_other_choices_are_compared_with_the_one_shown(tables):
    found = variants.compare(variants.every(tables))
    assert set(found["variant"]) == {"class", "logit", "complete", "em", "unweighted", "top", "flat", "accounts", "previous"}
    assert found["rank_correlation"].between(-1, 1).all()
    assert found.set_index("variant").loc["em", "rank_correlation"] > 0.95
    (said,) = claims.variants.said(found, tables.programme)
    assert "other choices put the same attribute first" in said


def test_two_waves_of_one_world_show_no_change_and_segments_none(tables):
    changes = comparisons.with_last(tables, replicates=60, seed=1)
    segments = comparisons.between_segments(tables)
    assert changes["then_wave"].unique().tolist() == ["old"]
    assert segments[["segment", "value"]].drop_duplicates().to_numpy().tolist() == [["country", "AT"]]  # two values: one comparison
    p = pd.concat([changes["p"], segments["p"]]).to_numpy()
    assert (p < 0.05 / len(p)).sum() == 0
    tests = claims.variants.tests(models.relevance(tables, replicates=19, seed=1), variants.unequal(tables, replicates=30, seed=1), segments, changes, constructs.gaps(tables), tables.programme)
    assert tests["test_id"].is_unique
    assert set(tests["kind"]) == {"secondary", "exploratory"}


def test_nothing_is_compared_across_a_change_of_question_or_mode(tables):
    """One attribute with new words; then another mode, which makes another question of each (`Programme.breaks`)."""
    made, usual = tables.programme, comparisons.with_last(tables, replicates=5, seed=1).set_index("driver")
    wave = usual["wave"].iloc[0]
    worded = made.item("strong").model_copy(update={"changes": (Change(wave=wave, what="wording: 'fair' became 'cheap'"),)})
    by = lambda **update: comparisons.with_last(store.Tables(tables.folder, made.model_copy(update=update), tables.quarter), replicates=5, seed=1)
    found = by(items=tuple(worded if item.id == "strong" else item for item in made.items)).set_index("driver")
    assert usual["p"].notna()["strong"]
    assert found["p"].isna().equals(usual["p"].isna() | (found.index == "strong"))
    assert found.loc["strong", "note"] == "not compared with old: wording: 'fair' became 'cheap'"
    assert found.loc["strong", "quadrant_then"] == ""
    assert any("not compared with old: wording" in line for line in claims.variants.differences(pd.DataFrame(), found.reset_index(), comparisons.moved(found), made))
    moded = by(waves=tuple(one.model_copy(update={"mode": "phone" if one.id == wave else "online"}) for one in made.waves))
    assert moded["p"].isna().all()
    assert set(moded["note"]) == {"not compared with old: mode: online became phone"}
    assert claims.variants.differences(pd.DataFrame(), moded, comparisons.moved(moded), made)[-1].endswith("mode: online became phone.")


def test_ratings_since_move_a_corner_on_old_importances(tmp_path):
    later = company(tmp_path / "p", rated=4.7, n=600)("2026Q2")
    found = models.carried(later, models.priorities(models.resample(later, replicates=60, seed=1)))
    assert found["driver"].tolist() == ["strong"]
    assert found[["quadrant_then", "quadrant_now", "moved"]].to_numpy().tolist() == [["fix first", "protect", 1]]
    said = claims.levers.carried(found, models.answered(later), later.programme, "2026Q2")
    assert "1 quarter old and nothing about them is tested again; on 2026Q2's ratings Strong (fix first to protect) changed corner." in said[0]


@pytest.mark.parametrize("seeds", [(1, 2), (3, 4)])
def test_without_effects_nothing_is_a_basic_a_delighter_or_different(seeds, tmp_path):
    null = company(tmp_path / "p", effect=0.0, seeds=seeds)("2026Q1")
    unequal = variants.unequal(null, replicates=200, seed=1)
    assert not (unequal["class"].isin(["basic", "delighter"]) & (unequal["p"] < 0.05 / 7)).any()
    steps = models.steps(null, replicates=200, seed=1)
    assert ((steps["conf_low"] > 0) | (steps["conf_high"] < 0)).sum() <= 1
    tested = models.relevance(null, replicates=1999, seed=1)
    assert (tested["p"] > 0.05 / len(tested)).all()  # the smallest of seven is below .05 in a third of such worlds
    assert not ledger.adjust(claims.drivers.tests(tested, null.programme))["survives"].any()  # and no claim is made
    if (tested["p"] >= 0.05).all():
        assert "nothing to rank" in claims.drivers.relevance(tested, null.programme)[0]
