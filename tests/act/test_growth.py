"""More spend split into pieces, products and prices, by every design that can: closed forms, sums, and worlds in which only one of them moved."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_measured import Tables, action, company, market, shops

from cxlib import schema
from cxlib.act import growth, lists, measured
from cxlib.act.plan import Plan
from cxlib.show import claims

PARTS = ["volume", "mix", "price"]


def test_growth_adds_up_and_a_price_rise_is_not_volume():
    people = pd.DataFrame({"person_id": [f"p{k}" for k in range(200)], "arm": np.repeat(["treated", "control"], 100), "assigned_on": pd.Timestamp("2025-03-01")})
    bought = people[["person_id", "arm"]].merge(pd.DataFrame({"product": ["a", "b"], "price": [10.0, 40.0]}), how="cross")
    bought = bought.assign(ordered_on=pd.Timestamp("2025-03-05"), quantity=np.where((bought["arm"] == "treated") & (bought["product"] == "a"), 2.0, 1.0))
    bought["amount"] = bought["quantity"] * bought["price"] * np.where(bought["arm"] == "treated", 1.1, 1.0)
    part = growth.split(people, bought.drop(columns="arm"), days=90, replicates=0).set_index("part")["estimate"]
    assert part["all"] == pytest.approx((2 * 11 + 44) - 50)
    assert part[["volume", "mix", "price"]].sum() == pytest.approx(part["all"])
    assert part["price"] == pytest.approx(1.5 * 1 + 1 * 4)  # Bennet: mean pieces times the change of price
    assert part["volume"] + part["mix"] == pytest.approx(10.5)  # one more piece of a, at the mean price
    assert part["mix"] < 0  # more of the cheaper one
    alike = growth.split(people, bought.drop(columns="arm").assign(amount=bought["price"], quantity=1.0), days=90, replicates=100).set_index("part")
    assert alike["estimate"].abs().max() < 1e-9


def test_a_lot_is_split_at_the_same_past_as_its_effect():
    """What customers bring anyway is in no part: the parts add up as before, are the same on average, and surer."""
    tables = dearer(2, size=9.0)
    people = measured.assigned([action(outcome="amount")], tables)["call"]
    at, plain = (growth.split(own, tables["orders"], days=90, replicates=100).set_index("part") for own in (people, people.drop(columns="before")))
    assert at.loc[PARTS, "estimate"].sum() == pytest.approx(at.loc["all", "estimate"])
    assert at.loc["all", "estimate"] == pytest.approx(measured.effects([action(outcome="amount")], tables)[0]["estimate"].iloc[0], rel=1e-3)  # the effect counts whole cents
    assert plain.loc["all", "estimate"] == pytest.approx(measured.effects([action(outcome="amount")], tables)[0]["naive"].iloc[0], rel=1e-3)
    assert np.ptp(at.loc["all", ["conf_low", "conf_high"]].astype(float)) < 0.75 * np.ptp(plain.loc["all", ["conf_low", "conf_high"]].astype(float))


def test_each_order_is_split_at_prices_of_the_time_before_and_adds_up():
    orders = pd.DataFrame({"person_id": "p", "product": ["a", "b", "a", "b", "c"], "quantity": [1.0, 1.0, 2.0, 1.0, 1.0], "amount": [10.0, 30.0, 24.0, 30.0, 50.0], "ordered_on": pd.to_datetime(["2025-01-05", "2025-01-06", "2025-03-05", "2025-03-06", "2025-03-07"])})
    found = growth.priced(orders, before="2025-03-01")
    assert found["volume"].tolist() == [20, 20, 40, 20, 20]  # pieces at 40 / 2 a piece
    assert found["mix"].tolist() == [-10, 10, -20, 10, 30]  # a product that is new is mix
    assert found["price"].tolist() == [0, 0, 4, 0, 0]  # two pieces of a at 12 instead of 10
    assert (found[PARTS].sum(axis=1) - found["amount"]).abs().max() < 1e-12


def dearer(seed, *, by="volume", size=6.0, listed=None):
    """Customers of `company` who bought pieces of 10 each; those treated buy more pieces, dearer ones, or the same ones at another price."""
    tables = company(seed, listed=listed)
    log = tables["actions"].query("arm == 'treated'").set_index("person_id")["assigned_on"]
    orders = tables["orders"].assign(product="plain", quantity=lambda rows: rows["amount"] / 10)
    day = orders["person_id"].map(log)
    since = (orders["ordered_on"] >= day) & (orders["ordered_on"] < day + pd.Timedelta(days=90))
    orders.loc[since, "quantity"] += {"volume": size / 3 / 10}.get(by, 0.0)
    orders.loc[since, "amount"] += size / 3
    fine = orders.sample(2, random_state=1).assign(product="fine", quantity=1.0, amount=40.0, ordered_on=pd.Timestamp("2024-02-01"))
    if by == "mix":  # the size over 30 pieces are fine ones at 40 in place of plain ones at 10
        orders.loc[since, ["quantity", "amount"]] -= np.array([size / 3 / 30, size / 3 + size / 3 / 30 * 10])
        fine = pd.concat([fine, orders[since].assign(product="fine", quantity=size / 3 / 30, amount=size / 3 / 30 * 40)])
    tables["orders"] = pd.concat([orders, fine], ignore_index=True)
    return tables


@pytest.mark.parametrize("by", PARTS)
@pytest.mark.parametrize("design", ["randomised", "list"])
def test_what_moved_is_what_is_found_of_customers(design, by):
    tables = dearer(3, by=by, listed=(lambda level, rng: rng.random(len(level)) < level / 30) if design == "list" else None)
    plan = action(design=design)
    found = growth.table([plan], tables)
    row = found.set_index("part")
    assert found["design"].iloc[0] == {"randomised": "randomised", "list": "matching"}[design]
    assert row.loc[PARTS, "estimate"].sum() == pytest.approx(row.loc["all", "estimate"])
    assert row.loc[by, "conf_low"] < 6.1
    assert row.loc[by, "conf_high"] > 5.8  # some windows hold two of the monthly orders
    still = row.loc[[part for part in PARTS if part != by]]
    assert ((still["conf_low"] * still["conf_high"] <= 0) | (still["estimate"].abs() < 0.05)).all(), "zero is inside; more plain pieces also dilute the mix by less than a cent"
    schema.check("growth", found)
    if design == "list":
        whole, _ = lists.evaluate(plan.model_copy(update={"outcome": "amount"}), tables)
        assert [row.loc["all", name] for name in ("estimate", "conf_low", "conf_high")] == pytest.approx([whole[name] for name in ("estimate", "conf_low", "conf_high")], abs=0.02)  # orders are rounded to cents there
    assert claims.saved.growth(found.assign(conf_low=-9.0, conf_high=9.0), Plan(actions=(plan,)), "EUR") == ["There is nothing to split where spend shows no detectable difference: Call."]
    said = claims.saved.growth(found, Plan(actions=(plan,)), "EUR")[0]
    assert ("from that of customers like them" in said) == (design == "list")


def shopping(seed, *, by):
    """Shops whose customers buy pieces of 10; treated ones come to buy 0.4 pieces more, or to pay 4 more."""
    tables, plan = shops(seed, effect=0.0)
    orders = tables["orders"].assign(amount=lambda rows: rows["margin"], quantity=lambda rows: rows["margin"] / 10, product="plain")
    first = pd.to_datetime(orders["person_id"].str[:7].map(plan.rollout))
    since = orders["ordered_on"] >= first
    orders.loc[since, "amount"] += 4.0
    if by == "volume":
        orders.loc[since, "quantity"] += 0.4
    return Tables(orders=orders, people=tables["people"]), plan


@pytest.mark.parametrize("worlds", [3, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("by", ["volume", "price"])
def test_what_moved_is_what_is_found_of_units(by, worlds):
    truth, inside = {"volume": 0.0, "mix": 0.0, "price": 0.0, "all": 4.0} | {by: 4.0}, []
    for seed in range(worlds):
        tables, plan = shopping(seed, by=by)
        row = growth.table([plan], tables).set_index("part")
        assert row.loc[PARTS, "estimate"].sum() == pytest.approx(row.loc["all", "estimate"])
        assert row.loc["mix", "estimate"] == pytest.approx(0, abs=1e-9)
        inside.append([row.loc[part, "conf_low"] <= truth[part] <= row.loc[part, "conf_high"] for part in ("volume", "all")])
    for share in np.mean(inside, axis=0):
        assert stats.binomtest(int(share * worlds), worlds).proportion_ci(0.99).high >= 0.93
    assert "from what units without it show" in claims.saved.growth(growth.table([plan], tables), Plan(actions=(plan,)), "EUR")[0]


def test_a_price_cut_is_more_pieces_and_less_for_each():
    """130 weeks of a brand: pieces rise by 200 a week at an old price of 20, and each then costs 17."""
    tables, plan = market(effect=0.0)
    sold = tables["sales"]
    after = (sold["series"] == "cases") & (sold["sold_on"] >= "2025-06-30")
    sold["pieces"] = sold["value"] / 20 + 200 * after
    sold["value"] = sold["pieces"] * np.where(after, 17.0, 20.0)
    row = growth.table([plan], tables).set_index("part")
    assert list(row.index) == ["volume", "price", "all"]
    assert row.loc["volume", "conf_low"] < 4000 < row.loc["volume", "conf_high"]
    gave = -3 * sold.loc[after, "pieces"].mean()
    assert row.loc["price", "estimate"] == pytest.approx(gave, rel=0.02)
    assert row.loc[["volume", "price"], "estimate"].sum() == pytest.approx(row.loc["all", "estimate"], abs=0.1 * abs(gave))
    said = claims.saved.growth(growth.table([plan], tables), Plan(actions=(plan,)), "EUR")[0]
    assert "sales a week differ from what their past and the control series say" in said
    assert "add up only nearly" in said
    assert growth.table([plan], Tables(sales=sold.assign(pieces=np.nan))).empty


def brands(seed=1, *, pieces=0.0, dearer=0.0):
    """Twenty-six brands that sell along two common movements, at prices of their own that all rise; from week 78 on the first sells `pieces` more a week and is dearer by the share `dearer`."""
    rng, weeks = np.random.default_rng(seed), pd.date_range("2023-07-03", periods=104, freq="W-MON")
    common, after = rng.normal(0, 30, (104, 2)).cumsum(axis=0) / 3, np.arange(104) >= 78
    rows = []
    for k in range(26):
        share = rng.dirichlet([3, 3]) if k else np.full(2, 0.5)  # the first lies amid the others: a mix can be like it
        sold = 500 + common @ share + rng.normal(0, 6, 104) + pieces * after * (k == 0)
        price = (rng.uniform(8, 12) if k else 10) * (1 + 0.0004 * np.arange(104)) * (1 + dearer * after * (k == 0))
        rows.append(pd.DataFrame({"series": f"b{k:02d}", "sold_on": weeks, "value": sold * price, "pieces": sold}))
    return Tables(sales=pd.concat(rows, ignore_index=True)), action(design="synthetic_control", series="b00", outcome="sales", start=weeks[78].date(), end=weeks[-1].date())


@pytest.mark.parametrize("moved", ["volume", "price"])
def test_what_moved_is_what_is_found_of_a_mix_of_other_series(moved):
    tables, plan = brands(**({"pieces": 80.0} if moved == "volume" else {"dearer": 0.15}))
    row = growth.table([plan], tables).set_index("part")
    assert list(row.index) == ["volume", "price", "all"]
    assert row.loc[["volume", "price"], "estimate"].sum() == pytest.approx(row.loc["all", "estimate"])
    assert row.loc["all", "estimate"] == pytest.approx(measured.effects([plan], tables)[0]["estimate"].iloc[0])
    other = "price" if moved == "volume" else "volume"
    sold = tables["sales"].query("series == 'b00'").tail(26)
    true = 80 * tables["sales"].query("series == 'b00'").iloc[26:78].eval("value.sum() / pieces.sum()") if moved == "volume" else (sold["value"] * 0.15 / 1.15).mean()
    assert row.loc[moved, "estimate"] == pytest.approx(true, rel=0.12)
    assert moved == "price" or row.loc[moved, "conf_low"] < true < row.loc[moved, "conf_high"]
    assert abs(row.loc[other, "estimate"]) < 0.15 * row.loc[moved, "estimate"]
    said = claims.saved.growth(growth.table([plan], tables), Plan(actions=(plan,)), "EUR")[0]
    assert "sales a week differ from what the mix of other series sold" in said
    assert "of pieces at the old price it missed" in said
    tables["sales"].loc[5, "pieces"] = np.nan
    assert growth.table([plan], tables).empty


def test_what_the_orders_do_not_tell_is_said():
    tables = dearer(1, size=30.0)
    tables["orders"] = tables["orders"].drop(columns=["product", "quantity"])
    found = growth.table([action()], tables)
    assert "mix" not in set(found["part"])
    assert found["note"].iloc[0] == "the orders tell no pieces (an order counts as one) and no products (dearer ones are in the prices)"
    assert "Mind that the orders tell no pieces" in claims.saved.growth(found, Plan(actions=(action(),)), "EUR")[0]
    assert growth.table([action(outcome="retention"), action(id="other", design="everyone")], tables).empty
    assert measured.comparison(action(), tables)[0] == "randomised"
