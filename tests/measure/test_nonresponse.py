"""Who answered: rates, weights from the frame, bounds, fatigue, and scores that nobody gave."""

import numpy as np
import pandas as pd
import pytest
from small import TINY
from survey_worlds import population, within

from cxlib import programme
from cxlib.load import store
from cxlib.measure import design, fieldwork, metrics, nonresponse, waves


@pytest.fixture(scope="module")
def answering(sample):
    tables = sample("2026Q3")
    return tables, nonresponse.asked(tables)


def invited(answered=(40, 20), fields=("a", "b"), each=100):
    """`each` people a category, of whom so many answered."""
    frame = pd.concat([pd.DataFrame({"g": name, "answered": np.r_[np.ones(k), np.zeros(each - k)]}) for name, k in zip(fields, answered)], ignore_index=True)
    return frame.assign(survey="s", wave="w", quarter="2026Q1", person_id=[f"p{place}" for place in range(len(frame))], probability=1.0, reminder=0.0, earlier=0.0, source="invited")


def test_rates_are_answered_over_invited_with_wilsons_interval():
    found = nonresponse.rates(invited()).set_index(["field", "value"])
    assert found.loc[("", ""), ["n", "answered", "estimate"]].tolist() == [200, 60, 0.3]
    assert found.loc[("g", "a"), ["n", "answered", "estimate", "share_invited", "share_answered"]].tolist() == pytest.approx([100, 40, 0.4, 0.5, 40 / 60])
    z, n = 1.9720, 199  # t, and the answers that the variance with divisor n - 1 leaves
    centre, half = (0.3 + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * np.sqrt(0.21 / n + z**2 / (4 * n**2))
    assert found.loc[("", ""), ["conf_low", "conf_high"]].tolist() == pytest.approx([centre - half, centre + half], abs=1e-4)
    assert "RR1" in found["definition"].iloc[0]


def test_small_categories_are_joined_so_that_none_can_be_had_by_subtraction():
    """FAULTS 24: who of four people answered can neither be read nor worked out."""
    frame = pd.concat([invited(), invited(answered=(2,), fields=("c",), each=4), invited(answered=(9,), fields=("d",), each=15)], ignore_index=True).assign(person_id=lambda x: [f"p{place}" for place in range(len(x))])
    found = nonresponse.rates(frame, least=10).query("field == 'g'").set_index("value")
    assert found["n"].to_dict() == {"a": 100, "b": 100, "others": 19}
    assert found["answered"].to_dict() == {"a": 40, "b": 20, "others": 11}
    assert nonresponse.joined(pd.Series(["x"] * 3 + ["y"] * 4), 10).unique().tolist() == ["others"]


def test_invitations_of_one_person_are_one_cluster():
    once = invited()
    twice = pd.concat([once, once], ignore_index=True)
    errors = [nonresponse.rates(frame, by=[])["std_error"].iloc[0] for frame in (once, twice)]
    assert errors[0] == pytest.approx(errors[1], rel=0.01)


def test_rates_of_the_sample_are_those_of_its_invitations(answering):
    tables, asked = answering
    found = nonresponse.rates(asked, by=[]).set_index(["survey", "wave"])
    told = tables["invitations"].groupby(["survey", "wave"])["answered"].agg(["size", "sum"])
    assert (found["n"] == told["size"].reindex(found.index)).all()
    assert (found["answered"] == told["sum"].reindex(found.index)).all()


def test_earlier_invitations_are_those_of_the_year_before(answering):
    tables, asked = answering
    calls = tables["invitations"].assign(sent_on=lambda x: x["sent_on"])
    person = calls["person_id"].value_counts().index[0]
    days = calls.loc[calls["person_id"] == person, "sent_on"].sort_values()
    expected = sorted(((days < day) & (days >= day - pd.Timedelta(days=365))).sum() for day in days)
    assert sorted(asked.loc[asked["person_id"] == person, "earlier"]) == expected


def test_a_survey_without_invitations_stands_against_the_customers_of_its_first_day(tiny):
    folder = tiny(toml=TINY + '\n[[sources]]\ntable = "people"\nfile = "people.csv"\n')
    rows = [f"p{i},a{i},{'north' if i % 2 else 'south'},2020-01-01,{'2026-01-01' if i >= 90 else ''}" for i in range(100)]
    (folder / "raw" / "people.csv").write_text("person_id,account_id,region,joined_on,left_on\n" + "\n".join(rows) + "\n")
    found = programme.read(folder)
    tables = store.Tables(store.write(found, folder / "store"), found, "2026Q1")
    rate = nonresponse.rates(nonresponse.asked(tables)).query("field == ''").iloc[0]
    assert [rate["n"], rate["answered"]] == [90, 60]
    assert "who was invited is not known" in rate["definition"]


def test_propensities_of_one_field_are_its_rates():
    frame = invited()
    p = nonresponse.propensity(frame, by=["g"], penalty=1e-6)
    assert p.groupby(frame["g"]).first().to_dict() == pytest.approx({"a": 0.4, "b": 0.2}, abs=1e-4)


def test_propensities_match_statsmodels_on_two_fields():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": rng.choice(["a", "b"], 2000), "h": rng.choice(["x", "y", "z"], 2000)})
    frame["answered"] = (rng.random(2000) < 1 / (1 + np.exp(-(0.5 * (frame["g"] == "a") - 0.8 * (frame["h"] == "z"))))).astype(float)
    x = pd.get_dummies(frame[["g", "h"]], drop_first=True, dtype=float)
    expected = sm.Logit(frame["answered"], sm.add_constant(x)).fit(disp=0).predict()
    assert np.abs(nonresponse.propensity(frame, by=["g", "h"], penalty=1e-8) - expected).max() < 1e-6


def test_a_category_in_which_everybody_answered_keeps_a_finite_weight():
    frame = invited(answered=(100, 20))
    assert nonresponse.propensity(frame, by=["g"]).max() < 1
    made = nonresponse.weights(frame)
    assert made["weight"].between(0.2, 5).all()


def test_weights_make_those_who_answered_look_like_those_invited():
    made = nonresponse.weights(invited())
    parts = made.groupby("g")["weight"].sum() / made["weight"].sum()
    assert parts.to_dict() == pytest.approx({"a": 0.5, "b": 0.5})


def test_small_categories_are_joined_not_refused():
    frame = invited(answered=(40, 20, 2, 3, 6), fields="abcde")
    made = nonresponse.weights(frame)
    assert set(made["g"]) == {"a", "b", "others"}
    parts = made.groupby("g")["weight"].sum() / made["weight"].sum()
    assert parts["others"] == pytest.approx(0.6, abs=1e-6)
    assert len(made) == 71


def test_a_chance_of_selection_counts():
    frame = invited().assign(probability=lambda x: np.where(x["g"] == "a", 0.5, 1.0))
    made = nonresponse.weights(frame)
    assert (made.groupby("g")["weight"].sum() / made["weight"].sum()).to_dict() == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def level(estimate=20.0, low=15.0, high=25.0, n=400, unit="points", definition="nps_0_10"):
    return pd.DataFrame([{"kpi": "k", "survey": "s", "wave": "w", "quarter": "2026Q1", "unit": unit, "definition": definition, "estimate": estimate, "conf_low": low, "conf_high": high, "n": n}])


TOTAL = pd.DataFrame([{"survey": "s", "wave": "w", "n": 1000, "definition": "said"}])


def test_bounds_are_the_nps_less_and_plus_the_share_of_the_silent_times_d():
    row = nonresponse.bounds(level(), TOTAL, shifts={"points": (10.0,)}).iloc[0]
    assert [row["rate"], row["low"], row["high"]] == pytest.approx([0.4, 20 - 6, 20 + 6])
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([15 - 6, 25 + 6])


def test_the_silent_are_clipped_to_what_is_possible():
    row = nonresponse.bounds(level(), TOTAL).iloc[-1]
    assert [row["low"], row["high"]] == pytest.approx([0.4 * 20 - 60, 0.4 * 20 + 60])  # worst case: all detractors, all promoters
    share = nonresponse.bounds(level(0.7, 0.65, 0.75, unit="share", definition="csat_top2_of_5"), TOTAL).iloc[-1]
    assert [share["low"], share["high"]] == pytest.approx([0.28, 0.88])


def test_where_all_answered_the_bounds_are_the_interval():
    row = nonresponse.bounds(level(n=1000), TOTAL).iloc[-1]
    assert [row["low"], row["high"], row["conf_low"], row["conf_high"]] == pytest.approx([20, 20, 15, 25])


# --------------------------------------------------------------------------------------------------------- simulation, METHODS rule (b)

SIZES = [60, pytest.param(2000, marks=pytest.mark.slow)]


def simulated(replicates, *, silent=0.0, seed=3):
    """Levels with and without weights from the frame, and bounds for d = 75, in a world where age and region (and, by `silent`, the opinion) decide who answers."""
    people, rng, value = population(people=20_000), np.random.default_rng(seed), metrics.definition_of("nps_0_10").value
    truth, out = value(people["score"]).mean(), []
    for _ in range(replicates):
        frame = people.iloc[rng.choice(len(people), 900, replace=False)]
        chance = 0.25 * (1 + (frame["region"] == "south")) * (1 + (frame["age"] == "old")) * (1 + silent * (frame["score"] >= 9))
        frame = frame.assign(answered=(rng.random(900) < chance.clip(upper=0.95)).astype(float), survey="s", wave="w", quarter="2026Q1", person_id=frame["person"], probability=1.0, source="invited")
        keys = ["survey", "wave", "quarter", "person_id", "answered", "probability", "source", "region", "age", "score"]
        made = nonresponse.weights(frame[keys].drop(columns="score").reset_index(drop=True)).merge(frame[["person_id", "score"]], on="person_id")
        options = {"score": "score", "definition": "nps_0_10"}
        corrected = design.estimate(made, base_weight="base_weight", margins=["region", "age"], **options).iloc[0]
        plain = design.estimate(made.assign(weight=1.0), **options).assign(kpi="k", survey="s", wave="w", quarter="2026Q1")
        edge = nonresponse.bounds(plain, TOTAL.assign(n=900), shifts={"points": (75.0,)}).iloc[0]
        replied = frame["answered"] == 1
        apart = value(frame.loc[replied, "score"]).mean() - value(frame.loc[~replied, "score"]).mean()
        out.append([row["conf_low"] <= truth <= row["conf_high"] for row in (corrected, plain.iloc[0], edge)] + [apart])
    return pd.DataFrame(out, columns=["corrected", "plain", "bounds", "apart"])


@pytest.mark.parametrize("replicates", SIZES)
def test_weights_from_the_frame_cover_where_silence_goes_with_the_frame_and_no_weights_do_not(replicates):
    found = simulated(replicates)
    assert within(found["corrected"].sum(), replicates)
    assert not within(found["plain"].sum(), replicates, high=1.0)


@pytest.mark.parametrize("replicates", SIZES)
def test_where_silence_goes_with_the_opinion_weights_fail_and_the_bounds_hold(replicates):
    found = simulated(replicates, silent=1.0)
    assert found["apart"].abs().mean() < 75  # the silent differ by less than the d of the bounds
    assert not within(found["corrected"].sum(), replicates, high=1.0)
    assert within(found["bounds"].sum(), replicates, high=1.0)


@pytest.mark.parametrize("replicates", SIZES)
def test_fatigue_is_claimed_where_it_is_and_in_one_of_twenty_where_not(replicates):
    rng, p = np.random.default_rng(4), {0.0: [], -0.05: []}
    for effect in p:
        for _ in range(replicates // 2):
            person = np.repeat(np.arange(300), 4)
            habit = 0.15 * rng.choice([-1, 1], 300)[person]
            earlier = np.tile(np.arange(4), 300)
            frame = pd.DataFrame({"survey": "s", "person_id": person, "earlier": earlier.astype(float), "answered": (rng.random(1200) < 0.5 + habit + effect * earlier).astype(float)})
            p[effect].append(nonresponse.fatigue(frame).query("earlier == 'each one more'")["p"].iloc[0])
    assert np.mean(np.array(p[-0.05]) < 0.05) > 0.9
    assert np.mean(np.array(p[0.0]) < 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / (replicates // 2))


# ------------------------------------------------------------------------------------------------------------------ scores nobody gave


def test_the_non_responders_of_the_incidents_are_found_to_be_filled_in(shared):
    incidents = pd.read_parquet(shared / "incident_csat" / "all_incidents.parquet")
    found = fieldwork.filled_in(incidents, incidents["user_responded"], ["user_dissatisfied"]).iloc[0]
    assert [found["n"], found["score"], found["refused"]] == [103_142, 1, 1]
    assert found["others"] == pytest.approx(0.1106, abs=5e-5)
    assert "filled in, not answered" in found["sentence"]


def test_filled_in_scores_are_found_and_honest_ones_are_not():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"answered": rng.random(500) < 0.4, "score": rng.integers(1, 6, 500).astype(float)})
    planted = frame.assign(score=frame["score"].where(frame["answered"], 1.0))
    assert fieldwork.filled_in(planted, planted["answered"], ["score"])["refused"].tolist() == [1]
    assert fieldwork.filled_in(frame, frame["answered"], ["score"])["refused"].tolist() == [0]
    assert fieldwork.filled_in(frame.assign(score=frame["score"].where(frame["answered"])), frame["answered"], ["score"]).empty


# --------------------------------------------------------------------------------------------------------------------- the sample's pages


def test_boxes_say_of_each_wave_whom_it_asked_and_how_it_was_weighted(answering):
    tables, asked = answering
    boxes = fieldwork.boxes(tables, nonresponse.rates(asked, by=[])).set_index(["survey", "wave"])
    row = boxes.loc[("annual", "2026Q3")]
    own = tables["responses"].query("survey == 'annual' and wave == '2026Q3'")
    assert [row["completed"], row["people"]] == [len(own), own["person_id"].nunique()]
    assert row["weighting"].startswith("inverse of the response rate")
    assert boxes.loc[("pulse", "2026Q3"), "weighting"] == "unweighted"
    assert row["n_eff"] == pytest.approx(own["weight"].sum() ** 2 / (own["weight"] ** 2).sum())


def test_a_change_of_mode_is_a_break():
    box = {"survey": "s", "quarter": "2026Q1", "definition": "d", "weighting": "unweighted", "sample": "customer file"}
    boxes = pd.DataFrame([box | {"wave": "a", "mode": "phone", "first": 1}, box | {"wave": "b", "mode": "online", "first": 2}, box | {"wave": "c", "mode": "online", "first": 3}])
    assert fieldwork.breaks(boxes)[["wave", "then_wave", "what", "before", "after"]].to_numpy().tolist() == [["b", "a", "mode", "phone", "online"]]
    paneled = boxes.assign(mode="online", sample=["customer file", "customer file", "online panel"])
    assert fieldwork.breaks(paneled)[["wave", "what", "after"]].to_numpy().tolist() == [["c", "sample", "online panel"]]


def test_accounts_count_firms_and_their_sales(answering):
    tables, asked = answering
    found = fieldwork.accounts(tables, asked).set_index(["survey", "segment"]).loc[("annual", "business")]
    people = tables["people"]
    own = asked.query("survey == 'annual' and wave == '2026Q3' and answered == 1")
    business = people[people["segment"] == "business"]
    assert found["answered"] == own.loc[own["person_id"].isin(business["person_id"]), "account_id"].nunique()
    assert 0 < found["revenue"] < 1


def test_the_adjusted_level_stands_for_those_invited(answering):
    tables, asked = answering
    found = nonresponse.adjusted(tables, asked, waves.kpis(tables)).set_index(["survey", "kpi"])
    row = found.loc[("annual", "nps")]
    assert row["estimate"] - row["shown"] == pytest.approx(row["shift"])
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert "contract" in row["fields"]
