"""Visits and what they bring: parts that add up, intervals that cover, nobody chosen by what came later, and a page where nobody was asked."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import visits
from cxlib.show import claims


class Tables(dict):
    """Tables of orders and a calendar, as the studies see them."""

    quarter, end = "2026Q2", dt.date(2026, 6, 30)
    programme = type("Programme", (), {"fiscal_year_start": 1, "fiscal_year_label": "start", "currency": "EUR", "segments": (), "about": ""})


def bought(draws, *, n=400, rate=(3.0, 3.0), size=(20.0, 20.0)):
    """Orders of customers in two quarters, so many days each and so much a day."""
    often, large = draws.gamma(4, 0.25, n), draws.gamma(9, 1 / 9, n)
    rows = []
    for (first, last), each, worth in ((("2026-01-01", "2026-03-31"), rate[0], size[0]), (("2026-04-01", "2026-06-30"), rate[1], size[1])):
        days = pd.date_range(first, last)
        who = np.repeat(np.arange(n), draws.poisson(each * often))
        rows.append(pd.DataFrame({"person_id": [f"p{at}" for at in who], "ordered_on": draws.choice(days, len(who)), "amount": (worth * large[who] * draws.gamma(4, 0.25, len(who))).round(2), "margin": np.nan}))
    ends = pd.DataFrame({"person_id": ["p0", "p0"], "ordered_on": pd.to_datetime(["2026-01-01", "2026-06-30"]), "amount": 1.0, "margin": np.nan})
    return Tables(orders=pd.concat([*rows, ends], ignore_index=True))


def test_the_parts_of_a_move_add_up_and_are_those_of_the_sums():
    tables = bought(np.random.default_rng(1), rate=(3.0, 4.0), size=(20.0, 14.0))
    found = visits.moved(tables).set_index("part")
    orders = tables["orders"].assign(quarter=lambda rows: rows["ordered_on"].dt.quarter)
    sums = orders.groupby("quarter")["amount"].sum()
    assert found.loc["all", "estimate"] == pytest.approx(sums[2] - sums[1])
    assert found.loc[list(visits.PARTS), "estimate"].sum() == pytest.approx(found.loc["all", "estimate"])
    often = orders.groupby("quarter").apply(lambda own: own.drop_duplicates(["person_id", "ordered_on"]).shape[0] / own["person_id"].nunique(), include_groups=False)
    mean = (sums[2] - sums[1]) / np.log(sums[2] / sums[1])
    assert found.loc["visits", "estimate"] == pytest.approx(mean * np.log(often[2] / often[1]))
    assert found.loc["visits", "conf_low"] > 0 > found.loc["per_visit", "conf_high"]


@pytest.mark.parametrize("runs", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_where_nothing_moved_the_intervals_hold_nothing_as_often_as_they_say(runs):
    draws = np.random.default_rng(2)
    kept = dict.fromkeys(("all", *visits.PARTS), 0)
    for _ in range(runs):
        for row in visits.moved(bought(draws, n=120)).itertuples():
            kept[row.part] += row.conf_low <= 0 <= row.conf_high
    lost = 4 * np.sqrt(0.05 * 0.95 / runs)
    assert all(0.95 - lost <= times / runs <= 0.95 + lost for times in kept.values()), kept


def test_who_is_looked_at_is_known_before_the_days_that_count():
    tables = Tables(orders=pd.DataFrame({"person_id": list("aabbc"), "ordered_on": pd.to_datetime(["2026-04-01", "2026-04-02", "2026-01-02", "2026-06-30", "2026-06-01"]), "amount": [5.0, -2, 7, 11, 13], "margin": np.nan}))
    found = visits.followed(tables).set_index("person_id")
    assert found.attrs["day"] == dt.date(2026, 4, 1)
    assert found.loc["a", ["visits", "spend", "later_visits", "later_spend"]].tolist() == [1, 5, 0, -2]
    assert found.loc["b", ["visits", "spend", "later_visits", "later_spend"]].tolist() == [1, 7, 1, 11]
    assert "c" not in found.index  # came only later


def test_no_point_of_the_curve_stands_for_single_customers():
    rows = pd.DataFrame({"person_id": [f"p{k}" for k in range(203)], "group": "all", "visits": [*[1.0] * 3, *[2.0] * 150, *[3.0] * 38, *[4.0] * 9, 7.0, 9.0, 12.0], "spend": 10.0, "per_visit": np.arange(203.0), "later_spend": np.arange(203.0)})
    found = visits.along(rows).query("outcome == 'later_spend'")
    assert found["visits"].tolist() == [2, 3, 4]
    assert found["n"].tolist() == [153, 38, 12]
    assert (found["estimate"] * found["n"]).sum() == pytest.approx(rows["later_spend"].sum())


def test_purchases_without_a_customer_are_told():
    tables = bought(np.random.default_rng(4))
    orders = tables["orders"]
    orders.loc[::4, "person_id"] = None
    stretch = visits.followed(tables)
    assert stretch.attrs["unknown"] == pytest.approx(orders.loc[::4, "amount"].sum() / orders["amount"].sum())
    assert "26 % of all purchases, by amount, carry no customer's key" in claims.visits.said(stretch, visits.apart(stretch), visits.moved(tables), tables.programme, 90, tables.quarter)[1]


def test_customers_who_differ_by_days_and_by_what_a_day_brings_are_told_apart():
    draws, n = np.random.default_rng(3), 600
    for spread, least, most in ((0.05, 0.9, 1.01), (1.2, -0.01, 0.5)):
        often, worth = draws.integers(1, 12, n).astype(float), np.exp(draws.normal(3, spread, n))
        rows = pd.DataFrame({"person_id": np.arange(n).astype(str), "group": "all", "visits": often, "spend": often * worth, "per_visit": worth, "later_spend": often * worth})
        share = visits.apart(rows).set_index("basis").loc["between"]
        assert least < share["estimate"] < most


def test_where_nearly_all_come_once_nothing_is_told_of_coming_more_often():
    rows = pd.DataFrame({"person_id": np.arange(200).astype(str), "group": "all", "visits": [2.0, *[1.0] * 199], "spend": np.arange(200) + 1.0, "per_visit": 1.0, "later_spend": np.arange(200) % 7})
    assert (visits.apart(rows)["note"] == "not estimable (of 200 customers all but 1 bought on as many days)").all()


def test_orders_that_do_not_reach_back_are_said():
    tables = Tables(orders=pd.DataFrame({"person_id": [f"p{at}" for at in range(50)], "ordered_on": pd.Timestamp("2026-06-01"), "amount": 5.0, "margin": np.nan}))
    stretch = visits.followed(tables)
    assert stretch.empty
    said = claims.visits.said(stretch, visits.apart(stretch), visits.moved(tables), tables.programme, 90, tables.quarter)
    assert said == ["What a visit is followed by cannot be told: the orders do not reach over two stretches of 90 days. The orders begin on 1 June 2026.", "How sales moved to 2026Q2 cannot be told: the orders do not cover it and the quarter before, or that of a year before, as a whole."]
    assert visits.along(stretch).empty


@pytest.mark.parametrize(("size", "verb"), [((20.0, 40.0), "rose"), ((40.0, 20.0), "fell"), ((20.0, 20.0), "show no detectable change")])
def test_the_verb_of_a_move_follows_its_interval(size, verb):
    tables = bought(np.random.default_rng(8), size=size)
    stretch = visits.followed(tables)
    said = claims.visits.said(stretch, visits.apart(stretch), visits.moved(tables), tables.programme, 90, tables.quarter)
    assert f"Sales to known customers {verb} against 2026Q1 (" in said[-1]
    assert ("Of its parts what a day with a purchase brought (" in said[-1] and "moved detectably, not how many customers bought or how many days each bought on." in said[-1]) == (verb != "show no detectable change")
