"""What satisfaction is worth in the sample and what its actions did: the studies' own functions against truth/effects.parquet, truth/rollouts.parquet and company.json."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import SHIPPED

from cxlib import load, programme, synth
from cxlib.act import differences, effects, outcomes
from cxlib.measure import chain


class Company:
    """A sample as it is loaded, with what was planted."""

    def __init__(self, folder: Path, out: Path):
        self.programme = programme.read(folder)
        self.tables = load.tables(self.programme, "2026Q3", out=out)
        self.truth = {name: pd.read_parquet(folder / "truth" / f"{name}.parquet") for name in ("effects", "rollouts")}
        self.about = json.loads((folder / "truth" / "company.json").read_text(encoding="utf-8"))

    def log(self, action: str) -> pd.DataFrame:
        return self.tables["actions"].query("action_id == @action")

    def by_lot(self, action: str) -> pd.Series:
        """The effect of an action drawn by lot on the margin of 90 days, a customer assigned."""
        rows = outcomes.in_window(self.log(action), self.tables["orders"], days=90, value="margin", until=self.tables.end)
        return effects.difference(rows, outcome="outcome", arm="arm").iloc[0]

    def planted(self, action: str, name: str = "realised") -> float:
        own = self.truth["effects"].query("action_id == @action")
        return float(np.average(own[name], weights=own["persons"]))

    def panel(self, action: str) -> pd.DataFrame:
        """Cells of shop by month of what an action was to move, as `differences` takes them: margin of everything bought, or what was paid back."""
        people, orders = self.tables["people"], self.tables["orders"]
        bought = orders[orders["product"] == "return"].assign(value=lambda rows: -rows["amount"]) if action == "returns_desk" else orders[orders["product"] != "return"].assign(value=lambda rows: rows["margin"])
        months = pd.period_range("2023-01", "2025-12", freq="M")
        here = {month: ~(people["joined_on"] > month.start_time) & ~(people["left_on"] < month.start_time) for month in months}
        size = pd.DataFrame({month: people[rows].groupby("shop").size() for month, rows in here.items()}).stack()
        sums = bought.merge(people[["person_id", "shop"]], on="person_id").assign(month=lambda rows: rows["ordered_on"].dt.to_period("M")).groupby(["shop", "month"])["value"].sum()
        cells = pd.DataFrame({"value": sums.reindex(size.index, fill_value=0.0) / size, "weight": size}).reset_index(names=["unit", "month"])
        first = self.truth["rollouts"].query("action_id == @action").set_index("shop")["first"]
        place = {month: at for at, month in enumerate(months)}
        return cells.assign(period=cells["month"].map(place).astype(int), first=pd.to_datetime(cells["unit"].map(first)).dt.to_period("M").map(place).astype(float), weight=cells.groupby("unit")["weight"].transform("mean")).drop(columns="month")

    def threshold(self, replicates: int) -> pd.DataFrame:
        """Whether the spend after an answer to the pulse has a threshold in the lasting opinion, by form of contract, as page 06 asks it."""
        asked = {"survey": "pulse", "item": "recommend"}
        rows, _, lasting = chain.opinions(chain.linked(self.tables, days=90, **asked), self.tables, **asked)
        return chain.broken(rows, lasting, outcomes=("spend",), replicates=replicates).set_index("group")


@pytest.fixture(scope="module")
def company(loaded) -> Company:
    return Company(SHIPPED, loaded)


@pytest.fixture(scope="module")
def null(tmp_path_factory) -> Company:
    folder = tmp_path_factory.mktemp("null")
    synth.sample(folder / "null", customers=1500, seed=12, world="null")
    return Company(folder / "null", folder / "reports")


def test_prepaid_customers_spend_more_above_a_threshold_and_contracts_do_not(company):
    found = company.threshold(199)
    assert company.about["threshold"] == {"contract": "prepaid", "opinion": 7.5, "real": True}
    own = found.loc["prepaid"]
    assert own["p"] < 0.02
    assert own["conf_low"] <= company.about["threshold"]["opinion"] <= own["conf_high"]
    assert own["change"] > 0
    assert found.loc["contract", "p"] > 0.05


@pytest.mark.slow
def test_with_many_customers_the_threshold_is_placed(tmp_path):
    synth.sample(tmp_path / "many", customers=12_000, seed=2)
    company = Company(tmp_path / "many", tmp_path / "reports")
    found, true = company.threshold(199), company.about["threshold"]["opinion"]
    own = found.loc["prepaid"]
    assert own["p"] <= 0.005
    assert own["shape"] == "hinge"
    assert own["p_shape"] < 0.05, "and no jump"
    assert own["conf_low"] <= true <= own["conf_high"]
    assert own["conf_high"] - own["conf_low"] < 1.2
    assert found.loc["contract", "p"] > 0.01


def test_the_gift_works_and_does_not_pay(company):
    found, true = company.by_lot("gift"), company.planted("gift")
    assert found["conf_low"] <= true <= found["conf_high"]
    assert found["conf_low"] > 0
    assert found["conf_high"] < company.planted("gift", "cost"), "not even at the upper end"


def test_two_actions_of_the_same_weeks_by_lots_of_their_own_can_be_told_apart(company):
    both = company.log("gift").merge(company.log("data_week"), on="person_id", suffixes=("_gift", "_data"))
    assert len(both) == len(company.log("gift")) == len(company.log("data_week"))
    assert abs((both["arm_gift"] == "treated").corr(both["arm_data"] == "treated")) < 3 / np.sqrt(len(both))
    for action in ("gift", "data_week"):
        found = company.by_lot(action)
        assert found["conf_low"] <= company.planted(action) <= found["conf_high"]
    assert company.by_lot("data_week")["conf_low"] > company.planted("data_week", "cost"), "it pays"


def test_the_letter_and_the_call_cannot_be_told_apart(company):
    sent, called = company.log("upgrade_letter").query("arm == 'treated'"), company.log("upgrade_call")
    assert set(called["person_id"]) <= set(sent["person_id"])
    assert len(called) > 0.8 * len(sent)
    found, calls = company.by_lot("upgrade_letter"), company.truth["effects"].query("action_id == 'upgrade_call'")
    joint = company.planted("upgrade_letter") + company.planted("upgrade_call") * calls["persons"].sum() / len(sent)
    assert found["conf_low"] <= joint <= found["conf_high"], "what the lot measures is both"
    assert found["conf_low"] > company.planted("upgrade_letter"), "and more than the letter's own"


def test_nobody_wrote_down_the_cost_of_the_newsletter(company):
    own = company.log("newsletter")
    assert own["cost"].isna().all()
    assert company.tables["actions"].query("action_id != 'newsletter'")["cost"].notna().all()
    assert 0.85 < (own["arm"] == "treated").mean() < 0.94


def test_one_rollout_has_a_clean_past_and_the_other_a_drift(company):
    planted = company.truth["rollouts"].groupby("action_id")[["effect", "drift"]].mean()
    cells = {action: company.panel(action) for action in planted.index}
    found = {action: differences.overall(own).iloc[0] for action, own in cells.items()}
    past = {action: differences.before(cells[action], effect=found[action]["estimate"], error=found[action]["std_error"]).iloc[0] for action in cells}
    own = found["shop_advisers"]
    assert own["conf_low"] <= planted.loc["shop_advisers", "effect"] <= own["conf_high"]
    assert own["conf_low"] > 0
    assert past["shop_advisers"]["p"] > 0.05
    assert past["shop_advisers"]["bound"] < own["estimate"]
    own = found["returns_desk"]
    assert planted.loc["returns_desk", "effect"] == 0
    assert own["conf_high"] < 0, "it looks like a success"
    assert past["returns_desk"]["p"] < 0.001
    assert past["returns_desk"]["conf_low"] <= -planted.loc["returns_desk", "drift"] <= past["returns_desk"]["conf_high"]
    assert past["returns_desk"]["bound"] > abs(own["estimate"]), "the drift explains it"


def test_null_no_threshold_and_no_action_does_anything(null):
    assert null.about["threshold"]["real"] is False
    assert (null.threshold(99)["p"] > 0.01).all()
    assert (null.truth["rollouts"][["effect", "drift"]] == 0).all(axis=None)
    assert (null.truth["effects"][["rate", "margin", "realised"]] == 0).all(axis=None)
    for action in ("gift", "data_week", "upgrade_letter", "newsletter"):
        found = null.by_lot(action)
        assert abs(found["estimate"]) < 3.3 * found["std_error"], action
    for action in ("shop_advisers", "returns_desk"):
        cells = null.panel(action)
        found = differences.overall(cells).iloc[0]
        assert abs(found["estimate"]) < 4.5 * found["std_error"], action
        assert differences.before(cells, effect=found["estimate"]).iloc[0]["p"] > 0.001, action
