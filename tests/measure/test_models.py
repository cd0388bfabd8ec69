"""The driver models of a programme: what is fitted, on which wave, and which attributes can be told apart."""

import numpy as np
import pandas as pd

from cxlib.load import store
from cxlib.measure import drivers, models


def test_the_latest_wave_stands_where_the_quarter_has_none(sample):
    assert set(models.answered(sample("2026Q3"))["quarter"]) == {"2026Q3"}
    assert set(models.answered(sample("2025Q1"))["quarter"]) == {"2024Q3"}
    assert models.answered(sample("2023Q4")).empty


def test_a_model_is_that_of_its_answers(sample):
    tables = sample("2026Q3")
    own = tables["responses"].query("survey == 'annual' and wave == '2026Q3'").sort_values("response_id", kind="stable", ignore_index=True)
    items = [item for item in tables.programme.drivers[0].items if not tables.programme.item(item).asked_if]
    account = own["person_id"].map(tables["people"].drop_duplicates("person_id").set_index("person_id")["account_id"])  # the survey declares that accounts were drawn
    own = own.assign(unit=pd.factorize(account.astype(object).where(account.notna(), own["answer"]))[0])
    alone = drivers.importance(own, kpi="recommend", drivers=items, weight="weight", cluster="unit", replicates=50, seed=3)
    found = models.importance(models.resample(tables, replicates=50, seed=3)).query("kpi == 'nps'").reset_index(drop=True)
    pd.testing.assert_frame_equal(found[alone.columns.tolist()], alone)


def test_another_workplace_s_pseudonyms_draw_the_same_replicates(sample, tmp_path, monkeypatch):
    """Accounts are drawn in the order of the answers: in that of their pseudonyms the limits hung on the secret."""
    here = sample("2026Q3")
    monkeypatch.setenv("CX_SALT", "another workplace's")
    there = store.Tables(store.write(here.programme, tmp_path), here.programme, "2026Q3")
    assert not here["people"]["account_id"].equals(there["people"]["account_id"])
    pd.testing.assert_frame_equal(*(models.importance(models.resample(tables, replicates=30, seed=3)) for tables in (here, there)))


def test_who_is_told_apart_is_what_the_ranks_say(sample):
    """The limits of the ranks count the pairs that can be told apart: both come from the same largest difference of each replicate."""
    draws = models.resample(sample("2026Q3"), replicates=200, seed=1)
    ranks = models.importance(draws).query("method == 'shapley'").set_index(["kpi", "driver"])
    apart = models.pairs(draws).query("told_apart == 1")
    for (kpi, driver), row in ranks.iterrows():
        own = apart[apart["kpi"] == kpi]
        assert row["rank_low"] == 1 + (own["driver_b"] == driver).sum()
        assert row["rank_high"] == ranks.loc[kpi].shape[0] - (own["driver_a"] == driver).sum()


def test_attributes_that_are_alike_are_not_told_apart_and_others_are():
    rng = np.random.default_rng(5)
    strong, same, noise = rng.normal(size=(3, 3000))
    frame = pd.DataFrame({"strong": strong, "same": same, "noise": noise, "kpi": strong + same + rng.normal(size=3000)})
    draws = drivers.resample(frame, kpi="kpi", drivers=["strong", "same", "noise"], replicates=300, seed=2).assign(survey="s", wave="w", kpi="k")
    found = {frozenset((row.driver_a, row.driver_b)): row for row in models.pairs(draws).itertuples()}
    assert found[frozenset(("strong", "same"))].told_apart == 0
    assert found[frozenset(("strong", "noise"))].told_apart == 1
    assert all(row.conf_low <= row.estimate <= row.conf_high and row.estimate >= 0 for row in found.values())


def test_one_attribute_has_no_pair():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"only": rng.normal(size=50)}).assign(kpi=lambda rows: rows["only"] + rng.normal(size=50))
    draws = drivers.resample(frame, kpi="kpi", drivers=["only"], replicates=20, seed=2).assign(survey="s", wave="w", kpi="k")
    assert models.pairs(draws).empty
