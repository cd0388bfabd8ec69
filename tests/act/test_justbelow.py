"""Who stands just below a planted threshold: in their probability, with what is at stake, followed from quarter to quarter, and only where the promise permits."""

import numpy as np
import pandas as pd
import pytest
import shops

from cxlib import load, run
from cxlib import programme as programmes
from cxlib.act import approach, justbelow
from cxlib.load import identifiers
from cxlib.measure import chain


def look(folder):
    tables = load.tables(programmes.read(folder), out=folder.parent / "reports")
    rows, held, lasting = chain.opinions(chain.linked(tables, survey="poll", item="recommend"), tables, survey="poll", item="recommend")
    found = chain.broken(rows, lasting, outcomes=("spend",), replicates=199)
    return tables, rows, held, lasting, found, approach.below(tables, rows, lasting, held, found, survey="poll", item="recommend", replicates=199)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("below") / "shops"
    people = shops.write(folder, n=900)
    people["person_id"] = identifiers.pseudonyms(people["who"], secret=identifiers.salt())
    return (people, *look(folder))


def test_the_planted_threshold_is_found_and_its_change_covered(company):
    row = company[5].iloc[0]
    assert row["p_holm"] <= 0.05
    assert row["conf_low"] <= shops.AT <= row["conf_high"]
    assert row["change_low"] <= 30 <= row["change_high"]


def test_the_probability_to_be_below_is_kept(company):
    people, near = company[0], company[6]
    stood = near.stood.merge(people, on="person_id")
    assert len(stood) == len(near.stood) > 500
    truly = stood["held"] < shops.AT
    assert truly.mean() == pytest.approx(stood["p_below"].mean(), abs=0.08)
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        own = stood["p_below"].between(low, high, inclusive="left")
        assert truly[own].mean() == pytest.approx(stood.loc[own, "p_below"].mean(), abs=0.15)
    assert (stood["p_just"] <= stood["p_below"] + 1e-12).all()


def test_the_list_is_ranked_holds_nobody_who_left_and_nobody_who_is_left_alone(company):
    people, tables, near = company[0], company[1], company[6]
    listed = near.listed
    assert listed["p_just"].is_monotonic_decreasing
    assert set(listed["side"]) == {"just below"}
    gone = set(people.loc[people["left"] != "", "person_id"])
    assert not gone & set(near.stood["person_id"])
    assert near.may
    handed, log = approach.handed(listed), approach.logged(listed, tables)
    alone = set(log.loc[log["arm"] == "control", "person_id"])
    assert alone
    assert not alone & set(handed["person_id"])
    assert set(log["person_id"]) == set(listed["person_id"]) == alone | set(handed["person_id"])
    assert (log["assigned_on"] == "2026-04-01").all()
    assert 'id = "just_below_2026q1"' in approach.planned(tables, label="Recommendation")


def test_the_log_comes_back_next_quarter_as_an_action_of_the_same_people(company, tmp_path):
    tables, near = company[1], company[6]
    shops.write(tmp_path / "next", n=900, more='[[sources]]\ntable = "actions"\nfile = "log.csv"')
    log = approach.logged(near.listed, tables).assign(delivered_on="2026-03-30", cost="4.20", assigned_on="2026-03-30")  # filled in by those who acted
    log.to_csv(tmp_path / "next" / "raw" / "log.csv", index=False)
    back = load.tables(programmes.read(tmp_path / "next"), out=tmp_path / "reports")["actions"].set_index("person_id")
    assert back["arm"].to_dict() == log.set_index("person_id")["arm"].to_dict()
    assert set(back.index) <= set(tables["people"]["person_id"])


def test_what_is_at_stake_is_the_margin_times_the_chance(company):
    near = company[6]
    each, whole = (near.stakes[near.stakes["measure"] == name].iloc[0] for name in ("each", "all"))
    assert each["value"] == "margin"
    assert each["conf_low"] <= 0.4 * 30 * 365 / 90 <= each["conf_high"]
    assert whole["estimate"] == pytest.approx(each["estimate"] * near.listed["p_below"].sum())


def test_last_quarters_list_crosses_as_often_as_mood_alone_lets_it(company):
    followed = company[6].followed.set_index("what")
    assert followed["count"].sum() == followed.loc["left", "n"]
    row = followed.loc["crossed"]
    assert row["n"] > 30
    assert row["conf_low"] - 0.05 <= row["expected"] <= row["conf_high"] + 0.05  # nothing was done for them
    assert 0.2 < row["expected"] < 0.8  # so that calling it success would be wrong


def test_what_failed_them_is_rated_lower_and_adjusted_for_all_that_was_compared(company):
    worse = company[6].worse.set_index("what")
    assert worse.loc["price", "estimate"] < 0
    assert worse.loc["price", "conf_high"] < 0
    assert (worse["p_bh"] >= worse["p"] - 1e-12).all()


def test_contacts_and_comments_are_compared_by_their_source():
    stood = pd.DataFrame({"person_id": [f"p{at}" for at in range(60)], "side": ["just below"] * 30 + ["just above"] * 30})
    mentions = pd.DataFrame({"response_id": [f"r{at}" for at in range(20)], "topic": "bill"})
    verbatims = pd.DataFrame({"response_id": [f"r{at}" for at in range(60)], "person_id": stood["person_id"], "source": ["social"] * 60})
    found = justbelow.said(stood, mentions, verbatims).iloc[0]
    assert (found["source"], found["below"], found["above"], found["n"], found["n_above"]) == ("social", 20 / 30, 0.0, 30, 30)
    assert found["conf_low"] > 0
    contacts = pd.DataFrame({"channel": ["Twitter", "mail", "phone", None], "touchpoint": ["", "", None, ""], "reason": ["bill", "Complaint: bill", "bill", None]})
    assert justbelow._source(contacts).tolist() == ["social", "complaint", "contact", "contact"]
    assert justbelow.said(stood.head(5), mentions, verbatims).empty  # fewer than ten on a side are not compared


def test_a_promise_without_case_or_target_lets_nobody_be_approached(tmp_path):
    shops.write(tmp_path / "linked", n=900, uses='["aggregate", "link"]')
    near = look(tmp_path / "linked")[-1]
    assert len(near.listed)
    assert not near.may
    assert "arm" not in near.listed


def test_without_a_threshold_there_is_no_list(tmp_path):
    shops.write(tmp_path / "flat", n=200, jump=0.0, seed=4)
    near = look(tmp_path / "flat")[-1]
    assert near.listed.empty
    assert near.stakes.empty
    assert near.followed.empty


def test_fault_7_without_orders_margins_the_stake_is_in_sales(tmp_path):
    shops.write(tmp_path / "sales", n=900, seed=2)
    path = tmp_path / "sales" / "raw" / "orders.csv"
    pd.read_csv(path).drop(columns="margin").to_csv(path, index=False)
    near = look(tmp_path / "sales")[-1]
    assert set(near.stakes["value"]) == {"spend"}
    assert np.isfinite(near.stakes["estimate"]).all()


def test_fault_20_a_list_that_is_handed_out_runs_no_formula(tmp_path):
    shops.write(tmp_path / "shops", n=30)
    opened = run.open(programme=tmp_path / "shops", study="06_value_threshold", out=tmp_path / "reports")
    told = opened.hand_out(pd.DataFrame({"rank": [1, -2], "open_matter": ["=cmd|' /C calc'!A0", "billing"]}), name="x.csv")
    text = (opened.folder / "lists" / "x.csv").read_text("utf-8")
    assert "'=cmd" in text
    assert "\n-2," in text
    assert "lists/x.csv" in told
    assert opened.hand_out("a = 1\n", name="x.toml") == ""
