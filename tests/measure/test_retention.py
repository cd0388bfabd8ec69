"""Retention by quarter: who is in its base, what the share is, and what is not told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib import ledger, quarters
from cxlib.measure import retention
from cxlib.show import claims
from cxlib.show.claims import retention as words

PROGRAMME = SimpleNamespace(fiscal_year_start=1, fiscal_year_label="start", indices=(), quarter_of=lambda day: quarters.of(day))


class Tables(dict):
    programme, quarter = PROGRAMME, "2026Q2"


def company(left, joined=None, account=None) -> Tables:
    """One person a row, with the last day as a customer and, where given, the first and the account."""
    people = pd.DataFrame({"person_id": [f"p{place}" for place in range(len(left))], "left_on": pd.to_datetime(pd.Series(left, dtype=object)), "joined_on": pd.to_datetime(pd.Series(joined if joined is not None else [None] * len(left), dtype=object))})
    return Tables(people=people if account is None else people.assign(account_id=account))


def test_the_base_is_who_was_there_when_the_quarter_began():
    """Left before, left in it (also on its first and last day), left after it, joined in it: by hand."""
    left = ["2025-12-31", "2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01", None] + [None] * 60
    joined = [None, None, None, None, None, "2026-04-01"] + ["2026-03-31"] * 60
    found = retention.by_quarter(company(left, joined)).set_index("quarter")
    assert found.index.tolist() == ["2026Q2"], "in 2026Q1 four were there: too few; 2025Q4 is that of the first leaver"
    assert found.loc["2026Q2", ["n", "left"]].tolist() == [63, 2]
    assert found.loc["2026Q2", "estimate"] == pytest.approx(61 / 63)
    assert found.loc["2026Q2", "conf_low"] < 61 / 63 < found.loc["2026Q2", "conf_high"] < 1


def test_people_of_one_account_are_one_draw():
    left = (["2026-05-01"] * 10 + [None] * 10) * 10 + ["2025-11-11"]
    alone = retention.by_quarter(company(left)).iloc[-1]
    together = retention.by_quarter(company(left, account=[f"a{place // 10}" for place in range(200)] + ["z"])).iloc[-1]
    assert together["estimate"] == alone["estimate"] == 0.5
    assert together["std_error"] > 2.5 * alone["std_error"]


def test_a_file_that_names_nobody_who_left_tells_no_retention():
    found = retention.by_quarter(company([None] * 100))
    since = retention.changes(found, "2026Q2")
    assert found.empty
    assert since.empty
    assert words.said(found, since, ledger.adjust(words.beside(claims.tests(since, study="03", family="", kind="", key=[], what=str), since, since.assign(kpi=""), PROGRAMME))) == [
        "This programme holds no days on which customers left, over more than one quarter, which it would need to tell its retention."
    ]


def test_the_interval_of_a_change_covers_and_nothing_is_said_where_nothing_changed():
    """200 companies of 900 customers of whom 5 in 100 leave a quarter: the change since the quarter before is told in no more than chance allows."""
    rng, told, held = np.random.default_rng(5), 0, 0
    for _ in range(200):
        alive, left = np.ones(900, dtype=bool), np.array([None] * 900, dtype=object)
        for day in ("2025-08-01", "2025-11-01", "2026-02-01", "2026-05-01"):
            gone = alive & (rng.random(900) < 0.05)
            left[gone], alive = day, alive & ~gone
        found = retention.by_quarter(company(left), most=2)
        since = retention.changes(found, "2026Q2").iloc[0]
        told += since["p"] < 0.05
        held += since["conf_low"] <= 0 <= since["conf_high"]
    assert told <= 18, "binomial(200, .05): more in less than one of a hundred runs"
    assert held >= 182


def test_the_sample_s_retention_is_that_of_its_customer_file(sample):
    tables = sample("2026Q3")
    found = retention.by_quarter(tables).set_index("quarter")
    people = tables["people"].drop_duplicates("person_id")
    there = people[~(people["joined_on"] >= "2025-10-01") & ~(people["left_on"] < "2025-10-01")]
    assert found.loc["2026Q3", "n"] == len(there)
    assert found.loc["2026Q3", "left"] == there["left_on"].between("2025-10-01", "2025-12-31").sum()
    since = retention.changes(found.reset_index(), "2026Q3")
    assert since["then_quarter"].tolist() == ["2026Q2", "2025Q3"]
    tests = words.beside(claims.tests(since.iloc[:0].assign(kpi=""), study="03", family="", kind="", key=[], what=str), since, since.iloc[:0], tables.programme)
    said = words.said(found.reset_index(), since, ledger.adjust(tests))
    assert said[0].startswith(f"Retention: of {len(there):,} customers when 2026Q3 began, 9")
    assert all("showed no detectable change since" in line for line in said[1:])
