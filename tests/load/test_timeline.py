"""One customer's timeline: everything, once, in a fixed order, nothing from after the quarter and nothing that was promised away."""

import numpy as np
import pandas as pd
import pytest
from small import HEADER, TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import store, timeline
from cxlib.text.quotes import redact

SOURCES = """
[[sources]]
table = "people"
file = "people.csv"
[[sources]]
table = "interactions"
file = "calls.csv"
[[sources]]
table = "orders"
file = "orders.csv"
[[sources]]
table = "actions"
file = "actions.csv"
"""


@pytest.fixture
def customer(tiny, tmp_path):
    """The tables of a company with one customer, p1, whose days are known, and a line more for each table."""

    def make(uses='["aggregate", "link", "quote"]', name="tiny"):
        folder = tiny("r1,DE,p1,9,3,Call me at 0171 1234567 or a@b.de.\nr2,DE,p2,1,1,No.\n", toml=TINY.replace('["aggregate", "link", "quote"]', uses) + SOURCES, header=HEADER, name=name)
        raw = folder / "raw"
        (raw / "people.csv").write_text("person_id,joined_on,left_on\np1,2025-01-02,2026-06-30\np2,,\n")
        (raw / "calls.csv").write_text("interaction_id,person_id,at,channel,touchpoint,reason,resolved,minutes\ni2,p1,2026-03-31T10:00:00,phone,hotline,bill of a@b.de,0,7\ni1,p1,2026-03-31T09:00:00,phone,hotline,bill,1,5\n")
        (raw / "orders.csv").write_text("order_id,person_id,ordered_on,amount,product\no1,p1,2026-03-31,39.9,plan\no2,p1,2026-04-01,9.9,late\n")
        (raw / "actions.csv").write_text("action_id,person_id,arm,assigned_on,delivered_on,cost\ncall,p1,treated,2026-02-01,2026-04-05,6.5\n")
        found = programme.read(folder)
        return store.Tables(store.write(found, tmp_path / "s"), found, "2026Q1")

    return make


def test_everything_known_of_a_customer_stands_once_and_in_order(customer):
    found = timeline.of(customer(), "p1", redact=redact)
    assert found[["table", "what"]].to_numpy().tolist() == [
        ["people", "joined"], ["actions", "call"], ["orders", "plan"], ["interactions", "bill"], ["interactions", "bill of [e-mail]"], ["responses", "poll"], ["responses", "recommend"], ["verbatims", "comment"],
    ]  # fmt: skip
    assert found["at"].is_monotonic_increasing is False  # an answer of a day follows the contacts of that day
    assert found["at"].dt.normalize().is_monotonic_increasing
    assert found["text"].iloc[-1] == "Call me at [phone] or [e-mail]."
    assert found.query("what == 'recommend'")["value"].tolist() == [9.0]
    assert found.query("table == 'orders'")[["value", "unit"]].to_numpy().tolist() == [[39.9, "EUR"]]


def test_what_has_no_day_stands_last(customer):
    found = timeline.of(customer(), "p2")
    assert found["table"].iloc[-1] == "people"
    assert found["at"].isna().tolist() == [False] * (len(found) - 1) + [True]


def test_nothing_from_after_the_quarter_is_shown(customer):
    found = timeline.of(customer(), "p1")
    assert found["at"].max() < pd.Timestamp("2026-04-01")
    assert {"left", "late"}.isdisjoint(found["what"])
    assert "delivered" not in set(found["touchpoint"].dropna())


def test_without_redaction_and_without_leave_to_quote_no_comment_is_shown(customer):
    assert timeline.of(customer(), "p1").query("table == 'verbatims'")["text"].tolist() == ["(a comment)"]
    withheld = timeline.of(customer('["aggregate", "link"]'), "p1", redact=redact).query("table == 'verbatims'")["text"]
    assert withheld.tolist() == ["(a comment)"]


def test_answers_under_a_promise_without_linking_are_on_no_timeline(customer):
    tables = customer('["aggregate", "quote"]')
    assert len(tables["responses"]) == 2
    assert {"responses", "verbatims"}.isdisjoint(timeline.of(tables, "p1", redact=redact)["table"])
    assert {"responses", "verbatims"}.isdisjoint(timeline.counts(tables)["table"])


def test_an_unknown_customer_and_an_unknown_item_are_named(customer):
    with pytest.raises(DataError, match="Nothing is known of a customer 'p9' up to 2026Q1"):
        timeline.of(customer(), "p9")
    with pytest.raises(DataError, match=r"'recomend' is not an item .*did you mean recommend"):
        timeline.of(customer(), "p1", items=["recomend"])


def test_the_timelines_of_the_sample_hold_every_row_that_has_a_customer(sample):
    tables = sample("2026Q3")
    counts = timeline.counts(tables).set_index("table")
    for name in ("orders", "interactions", "invitations", "verbatims"):
        frame = tables[name]
        assert counts.loc[name, "rows"] == frame["person_id"].notna().sum(), name
        assert counts.loc[name, "customers"] == frame["person_id"].nunique(), name
    people, responses = tables["people"], tables["responses"].dropna(subset=["person_id"])
    assert counts.loc["people", "rows"] == len(people) + people["left_on"].notna().sum()
    assert counts.loc["responses", "rows"] == len(responses) + responses[["recommend", "satisfaction", "ease", "repurchase"]].notna().sum().sum()


def test_the_timeline_is_the_same_at_any_number_of_threads(sample):
    tables = sample("2026Q3")
    who = tables["interactions"]["person_id"].value_counts().index[0]
    one = timeline.of(tables, who, redact=redact)
    tables._connection.raw_sql("SET threads=2")
    assert all(one.equals(timeline.of(tables, who, redact=redact)) for _ in range(3))
    assert len(one) > 50
    assert np.isfinite(one["value"].dropna()).all()
