"""Accounts flagged by a low score: leaving before the call can be made must not make calling look good."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.act import renewals
from cxlib.act.plan import Action, Plan
from cxlib.show import claims

CALL = Action(id="call", name="Call", design="list", outcome="score", kpi="recommend", survey="pulse", cut=6, start="2024-01-01", end="2024-06-30")


class Tables(dict):
    end = dt.date(2025, 12, 31)


def flagged(rng, n=400, *, saves=0.0, monthly=0.06):
    """Accounts that leave at one rate from the flag on; seven in ten are to be called up to 60 days later, if they are still there; a call keeps the share `saves` of those who would leave after it."""
    ids = np.array([f"a{k:03d}" for k in range(n)])
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 180, n), unit="D")
    leaves, call = rng.exponential(30.4 / monthly, n), np.where(rng.random(n) < 0.7, rng.integers(5, 60, n), 9999)
    called = call < leaves
    leaves = np.where(called & (rng.random(n) < saves), 9999, leaves)
    file = pd.DataFrame({"account_id": ids, "owner": "km", "renews_on": pd.Timestamp("2026-06-30"), "renewed_on": pd.NaT, "ended_on": day + pd.to_timedelta(leaves.round(), unit="D")}).astype({"renewed_on": "datetime64[us]"})
    file["ended_on"] = file["ended_on"].where(file["ended_on"] <= pd.Timestamp(Tables.end))
    log = pd.DataFrame({"action_id": "call", "person_id": ids[called], "arm": "treated", "assigned_on": (day + pd.to_timedelta(call, unit="D"))[called], "delivered_on": pd.NaT}).astype({"delivered_on": "datetime64[us]"})
    answers = pd.DataFrame({"answer": ids, "person_id": ids, "survey": "pulse", "answered_on": day, "recommend": 4.0})
    return Tables(accounts=file, people=pd.DataFrame({"person_id": ids, "account_id": ids}), responses=answers, actions=log)


def difference(tables, **options):
    return renewals.kept(renewals.accounts(CALL, tables, **options)).set_index("group").loc["difference"]


@pytest.mark.parametrize("runs", [25, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_call_that_saves_nobody_shows_nothing_though_who_leaves_is_never_called(runs):
    """METHODS (b). Without the landmark (from the flag on, by whether there ever was a call) calling looks good in one of three."""
    rng, held, fooled, mean = np.random.default_rng(7), 0, 0, []
    for _ in range(runs):
        tables = flagged(rng)
        row, named = difference(tables), renewals.accounts(CALL, tables)
        held += row["conf_low"] <= 0 <= row["conf_high"]
        mean.append(row["estimate"])
        known = named[named["flagged_on"].notna()]
        naive = renewals.effects.newcombe(*(figure for there in (True, False) for own in [known.loc[known["called_on"].notna() == there, "kept"].dropna()] for figure in (own.sum(), len(own))))
        fooled += naive[1] > 0
    assert stats.binomtest(int(fooled), runs, 0.025, "greater").pvalue < 0.001
    assert stats.binomtest(int(held), runs, 0.93, "less").pvalue > 0.005
    assert abs(np.mean(mean)) < 4 * np.std(mean) / np.sqrt(runs)


def test_a_call_that_saves_is_seen():
    rng = np.random.default_rng(8)
    rows = [difference(flagged(rng, n=800, saves=0.6)) for _ in range(12)]
    assert np.mean([row["conf_low"] > 0 for row in rows]) > 0.8


def test_every_flagged_account_is_in_one_group_and_those_gone_before_are_said():
    tables = flagged(np.random.default_rng(9))
    named, kept = renewals.accounts(CALL, tables), renewals.table([CALL], tables)
    assert kept.set_index("group")["accounts"].drop("difference").sum() == len(named) == 400
    day = named.attrs["from_day"]
    gone = named[named["group"] == "flagged, gone by then"]
    assert ((gone["ended_on"] - gone["flagged_on"]).dt.days <= day).all()
    assert len(gone) > 10
    late = named[(named["called_on"] - named["flagged_on"]).dt.days > day]
    assert set(late["group"]) <= {"flagged, not called", "flagged, gone by then"}
    said = claims.saved.renewals(kept, Plan(actions=(CALL,)))[0]
    assert f"called within {day} days, by when nine in ten of the calls were made" in said
    assert f"and {len(gone)} gone by then, called or not, are in neither group" in said


def test_a_year_that_is_not_over_counts_neither_the_gone_nor_those_who_are_there():
    tables = flagged(np.random.default_rng(10))
    tables.end = dt.date(2025, 3, 1)
    named = renewals.accounts(CALL, tables)
    open_ = named["flagged_on"] + pd.Timedelta(days=365) > pd.Timestamp(tables.end)
    assert open_.any()
    assert named.loc[open_, "kept"].isna().all()
    assert named.loc[~open_, "kept"].notna().all()
