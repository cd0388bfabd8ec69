"""The chain: windows end where they say, nothing of the future decides who is looked at, returns are negative, and promises are kept."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shops

from cxlib import load
from cxlib import programme as programmes
from cxlib.measure import chain, points, stability
from cxlib.show.claims import value


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain") / "shops"
    people = shops.write(folder, n=120)
    return load.tables(programmes.read(folder), out=folder.parent / "reports"), people


def one(orders):
    frame = pd.DataFrame(orders, columns=["person_id", "day", "amount"]).assign(day=lambda own: pd.to_datetime(own["day"]), margin=np.nan)
    return frame.assign(amount=frame["amount"] * 100.0)


def test_a_window_holds_its_first_and_last_day_and_no_other():
    rows = pd.DataFrame({"person_id": ["a", "b", "nobody"], "answered_on": pd.to_datetime(["2026-01-10"] * 3)})
    orders = one([("a", "2026-01-10", 1), ("a", "2026-01-11", 2), ("a", "2026-01-20", 4), ("a", "2026-01-21", 8), ("b", "2026-01-11", 16), ("b", "2026-01-11", 32), ("b", "2026-01-15", -20)])
    found = chain.within(rows, orders, first=1, last=10)
    assert found["spend"].tolist() == [6, 28, 0]  # a return is negative
    assert found["visits"].tolist() == [2, 1, 0]  # two purchases of a day are one, a return is none
    assert found["margin"].isna().all()
    assert chain.within(rows, orders, first=-365, last=0)["spend"].tolist() == [1, 0, 0]


def test_the_sums_are_those_of_adding_up_row_by_row(company):
    tables, _ = company
    rows = chain.linked(tables, survey="poll", item="recommend")
    orders = tables["orders"]
    for row in rows.sample(25, random_state=1).itertuples():
        own = orders[(orders["person_id"] == row.person_id) & (orders["ordered_on"] > row.answered_on) & (orders["ordered_on"] <= row.answered_on + pd.Timedelta(days=90))]
        assert row.spend == pytest.approx(own["amount"].sum(), abs=0.005)
        assert row.margin == pytest.approx(own["margin"].sum(), abs=0.005)
        assert row.visits == own["ordered_on"].nunique()


def test_only_whole_windows_and_buyers_known_on_the_day_are_followed(company):
    tables, _ = company
    rows = chain.linked(tables, survey="poll", item="recommend")
    assert (rows["answered_on"] + pd.Timedelta(days=90)).max().date() <= tables.end
    base = chain.base(rows)
    assert base["n"].is_monotonic_decreasing
    assert base["n"].iloc[-1] == len(rows)
    assert base["share"].iloc[0] == 1
    orders = tables["orders"]
    first = orders.groupby("person_id")["ordered_on"].min()
    assert (rows["person_id"].map(first) <= rows["answered_on"]).all()


def test_what_comes_after_the_window_changes_nothing(company, tmp_path):
    tables, _ = company
    rows = chain.linked(tables, survey="poll", item="recommend", days=30)
    early = type(tables)(tables.folder, tables.programme, "2025Q4")
    before = chain.linked(early, survey="poll", item="recommend", days=30)
    both = before.merge(rows, on="answer", suffixes=("", "_later"))
    assert len(both) == len(before) > 100
    for name in ("spend", "visits", "score", "before"):
        assert (both[name] == both[f"{name}_later"]).all()


def test_a_promise_that_forbids_linking_gives_no_chain(tmp_path):
    shops.write(tmp_path / "closed", n=40, uses='["aggregate"]')
    tables = load.tables(programmes.read(tmp_path / "closed"), out=tmp_path / "reports")
    assert chain.chosen(tables) == (None, "")
    assert chain.linked(tables, survey="poll", item="recommend").empty


def test_one_customer_who_holds_half_is_named_and_left_out_once():
    rows = pd.DataFrame({"person_id": ["a", "b", "c", "c"], "spend": [10.0, -5.0, 60.0, 40.0]})
    held = chain.held(rows)
    assert (held["share"], held["largest"], held["returned"], held["customers"]) == (pytest.approx(100 / 110), "c", 1, 3)
    assert chain.without(rows, None, {"share": 0.05}).empty


def test_a_threshold_that_hangs_on_one_customer_is_none():
    draws, n = np.random.default_rng(3), 500
    standing = draws.integers(0, 11, n).astype(float)
    rows = pd.DataFrame({"person_id": [f"p{at}" for at in range(n)], "group": "all", "weight": 1.0, "standing": standing, "spend": draws.gamma(2, 10, n), "visits": 1.0, "per_visit": np.nan})
    found = pd.DataFrame({"group": ["all", "all"], "outcome": ["spend", "visits"], "p": [0.001, 0.02], "p_holm": [0.001, np.nan]})
    alone = chain.without(rows, None, {"share": 0.6, "largest": "p0"})
    assert alone["p_holm"].iloc[0] > 0.05
    kept = chain.sure(found, alone)
    assert kept["p_holm"].tolist()[0] == kept["p"].tolist()[0] == alone["p_holm"].iloc[0]
    assert kept["p"].tolist()[1] == 0.02
    assert chain.sure(found, alone.iloc[:0])["p_holm"].tolist()[0] == 0.001


def test_every_group_is_looked_at_and_spend_is_adjusted_over_the_groups():
    draws, n = np.random.default_rng(4), 600
    group = np.where(np.arange(n) % 2, "a", "b")
    rows = pd.DataFrame({"person_id": np.arange(n), "group": group, "weight": 1.0, "standing": draws.integers(0, 11, n).astype(float)})
    rows["spend"] = 40 * ((rows["standing"] > 6) & (group == "a")) + draws.normal(0, 10, n)
    rows["visits"], rows["per_visit"] = draws.poisson(3, n).astype(float), draws.gamma(2, 5, n)
    found = chain.broken(rows, replicates=199)
    spend = found[found["outcome"] == "spend"].set_index("group")
    assert spend.loc["a", "p_holm"] == pytest.approx(min(2 * spend.loc["a", "p"], 1))
    assert spend.loc["a", "p_holm"] <= 0.05 < spend.loc["b", "p_holm"]
    assert found.loc[found["outcome"] != "spend", "p_holm"].isna().all()
    parts, more = stability.checked(rows, None, found, {})
    assert set(more["group"]) == {"a"}
    assert parts.empty


def test_a_customer_file_in_which_nobody_ever_leaves_does_not_know_who_stays(tmp_path):
    shops.write(tmp_path / "none", n=60)
    path = tmp_path / "none" / "raw" / "people.csv"
    pd.read_csv(path).drop(columns="left_on").to_csv(path, index=False)
    tables = load.tables(programmes.read(tmp_path / "none"), out=tmp_path / "reports")
    rows = chain.linked(tables, survey="poll", item="recommend")
    assert rows["stays"].isna().all()
    steps = points.per_point(rows, tables.programme.kpis[0])
    assert "stays" not in set(steps["outcome"])
    assert any(line.startswith("Retention cannot be told") for line in value.point(steps, tables.programme.kpis[0], tables.programme, (1.0, 2.0), 60))


def test_orders_find_their_customer_over_two_joins(tmp_path):
    """Payments name an order, the order a visit, and the visit a customer: the check before reading knew the first file's columns only."""
    shops.write(tmp_path / "far", n=60)
    raw, toml = tmp_path / "far" / "raw", tmp_path / "far" / "programme.toml"
    orders = pd.read_csv(raw / "orders.csv")
    orders[["order_id", "amount"]].to_csv(raw / "payments.csv", index=False)
    orders[["order_id", "ordered_on"]].assign(visit=orders["order_id"] + "v").to_csv(raw / "orders.csv", index=False)
    orders.assign(visit=orders["order_id"] + "v")[["visit", "person_id"]].to_csv(raw / "visits.csv", index=False)
    joins = 'file = "payments.csv"\njoins = [{file = "orders.csv", on = "order_id"}, {file = "visits.csv", on = "visit"}]'
    toml.write_text(toml.read_text("utf-8").replace('file = "orders.csv"', joins), "utf-8")
    tables = load.tables(programmes.read(tmp_path / "far"), out=tmp_path / "reports")
    assert tables["orders"]["person_id"].nunique() == orders["person_id"].nunique()
    assert tables["orders"]["amount"].sum() == pytest.approx(orders["amount"].sum())


def test_a_point_of_nps_is_told_as_ten_and_within_customers_takes_their_own_level_out():
    draws, n = np.random.default_rng(2), 400
    who = np.repeat(np.arange(n), 4)
    own = draws.normal(0, 30, n)[who]
    score = draws.integers(0, 11, 4 * n)
    rows = pd.DataFrame({"person_id": who, "score": score, "spend": 100 + own + 20 * (score >= 9), "weight": 1.0, "quarter": "2025Q1", "stays": 1.0, "margin": np.nan, "contacts": np.nan, "group": "all", "year": "2025", "before": own, "tenure": np.nan})
    kpi = type("Kpi", (), {"definition": "nps_0_10"})
    found = points.per_point(rows, kpi).set_index(["outcome", "basis"])
    assert found.loc[("spend", "within"), "estimate"] == pytest.approx(20 * 10 / 200)
    assert found.loc[("spend", "within"), "std_error"] == pytest.approx(0, abs=1e-6)
    assert found.loc[("spend", "adjusted"), "estimate"] == pytest.approx(1.0, abs=0.01)
    assert ("stays", "within") not in found.index
    named = rows.assign(**{"class": points.classes(rows, kpi, low=0, high=10)})
    assert named.groupby("class")["score"].agg(["min", "max"]).to_numpy().tolist() == [[0, 6], [7, 8], [9, 10]]
    assert points.classes(rows.assign(score=[1, 2, 3, 4] * n), type("Kpi", (), {"definition": "csat_top2_of_5"}), low=1, high=5).nunique() == 3
    assert points.seen(rows, kpi)[0] == points.seen(rows, kpi)[1]


def test_the_outcome_of_a_quarter_is_known_only_when_its_days_are_over(company):
    tables, _ = company
    rows = chain.linked(tables, survey="poll", item="recommend", days=365)
    assert rows["answered_on"].max().date() <= tables.end - dt.timedelta(days=365)


def test_cost_to_serve_and_referrals_are_counted_where_the_programme_says_how(tmp_path):
    more = '[[sources]]\ntable = "interactions"\nfile = "calls.csv"\n[[sources]]\ntable = "events"\nfile = "friends.csv"\ncolumns = {event_id = "#row", at = "day", person_id = "by"}\nfixed = {kind = "friend joined"}\n[finance]\ncontact_cost = 6.5\n'
    shops.write(tmp_path / "more", n=150, more=more)
    raw = tmp_path / "more" / "raw"
    who = [f"c{at:05d}" for at in range(150)]
    pd.DataFrame({"interaction_id": range(300), "person_id": who * 2, "at": "2026-01-05T10:00:00"}).to_csv(raw / "calls.csv", index=False)
    pd.DataFrame({"day": "2026-01-06T09:00:00", "by": who[:50]}).to_csv(raw / "friends.csv", index=False)
    toml = (tmp_path / "more" / "programme.toml").read_text("utf-8")
    for named, there in (("", False), ('referrals = ["friend joined"]\n', True)):
        (tmp_path / "more" / "programme.toml").write_text(named + toml, "utf-8")
        tables = load.tables(programmes.read(tmp_path / "more"), out=tmp_path / "reports")
        rows = chain.linked(tables, survey="poll", item="recommend", days=365)
        rows["class"] = points.classes(rows, tables.programme.kpis[0], low=0, high=10)
        inside = rows["answered_on"].lt("2026-01-05") & rows["answered_on"].ge("2025-01-06")
        assert (rows.loc[inside, "service"] == 2 * 6.5).all()
        assert rows["referrals"].notna().all() == there
        steps = points.per_point(rows, tables.programme.kpis[0])
        assert ("referrals" in set(steps["outcome"])) == there
        assert "service" in set(points.by_class(rows)["outcome"])
        said = " ".join(value.point(steps, tables.programme.kpis[0], tables.programme, points.seen(rows, tables.programme.kpis[0]), 150))
        assert ("Referral cannot be told" in said) != there
        assert ("Customers brought by recommendation:" in said) == there
        assert "Cost to serve:" in said
