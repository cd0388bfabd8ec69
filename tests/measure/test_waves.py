"""Key figures by wave: what is estimated, what is compared, and what is a headline."""

import pandas as pd
import pytest
from small import ROOT

from cxlib import programme
from cxlib.load import store
from cxlib.measure import design, metrics, waves


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    found = programme.read(ROOT / "data" / "telecom")
    place = store.write(found, tmp_path_factory.mktemp("store"))
    return lambda quarter: store.Tables(place, found, quarter)


def test_levels_are_those_of_the_answers(sample):
    tables = sample("2026Q3")
    found = waves.kpis(tables).set_index(["kpi", "survey", "wave"])
    for survey, wave in (("annual", "2026Q3"), ("pulse", "2024Q2")):
        own = tables["responses"].query("survey == @survey and wave == @wave")
        if survey == "annual":  # one answer a person
            expected = metrics.estimate(metrics.tally(own, score="recommend", weight="weight"), definition="nps_0_10").iloc[0]
        else:  # people who answered more than once in the quarter
            expected = design.estimate(own, score="recommend", definition="nps_0_10", cluster="person_id").iloc[0]
            assert own["person_id"].dropna().duplicated().any()
        assert found.loc[("nps", survey, wave), "basis"] == ("weights as given" if survey == "annual" else "clustered by person_id")
        assert found.loc[("nps", survey, wave), ["estimate", "conf_low", "conf_high", "n"]].tolist() == pytest.approx(expected[["estimate", "conf_low", "conf_high", "n"]].tolist())


def test_surveys_are_never_pooled_and_kpis_keep_the_programme_s_order(sample):
    tables = sample("2026Q3")
    found = waves.kpis(tables)
    assert list(dict.fromkeys(found["kpi"])) == [kpi.id for kpi in tables.programme.kpis]
    assert set(found[found["kpi"] == "repurchase"]["survey"]) == {"annual"}
    assert not found.duplicated(["kpi", "survey", "wave"]).any()


def test_only_waves_of_the_reported_quarter_are_compared(sample):
    tables = sample("2026Q2")
    moved = waves.changes(tables, waves.kpis(tables))
    assert set(moved["survey"]) == {"pulse"}
    assert set(moved["quarter"]) == {"2026Q2"}
    assert set(zip(moved["against"], moved["then_quarter"])) == {("last wave", "2026Q1"), ("last year", "2025Q2")}


def test_a_last_wave_that_is_last_year_s_is_told_once(sample):
    tables = sample("2026Q3")
    moved = waves.changes(tables, waves.kpis(tables)).query("survey == 'annual' and kpi == 'nps'")
    assert moved[["against", "then_quarter", "gap"]].values.tolist() == [["last year", "2025Q3", 4]]


def test_people_in_both_waves_narrow_the_change(sample):
    tables = sample("2026Q3")
    moved = waves.changes(tables, waves.kpis(tables)).query("survey == 'annual' and kpi == 'nps'").iloc[0]
    levels = waves.kpis(tables).query("survey == 'annual' and kpi == 'nps' and quarter >= '2025Q3'")
    apart = (levels["std_error"] ** 2).sum() ** 0.5
    assert moved["n_both"] > 100
    assert moved["std_error"] < apart


def test_the_first_wave_has_nothing_to_be_compared_with(sample):
    tables = sample("2023Q4")
    assert len(waves.kpis(tables))
    assert waves.changes(tables, waves.kpis(tables)).empty


def test_headlines_are_ten_at_most_and_last_wave_first(sample):
    tables = sample("2026Q3")
    moved = waves.changes(tables, waves.kpis(tables))
    many = pd.concat([moved.assign(round=turn) for turn in range(4)], ignore_index=True)
    kinds = waves.kinds(many, tables.programme)
    assert (kinds == "primary").sum() == 10
    assert (many.loc[kinds == "primary", "against"] == "last wave").all()


def test_segments_add_up_to_the_whole(sample):
    tables = sample("2026Q3")
    whole = waves.kpis(tables).set_index(["kpi", "survey", "wave"])["n"]
    parts = waves.kpis(tables, by="brand").groupby(["kpi", "survey", "wave"])["n"].sum()
    assert (parts == whole[parts.index]).all()


def test_the_unweighted_figure_counts_every_answer_once(sample):
    tables = sample("2026Q3")
    found = waves.kpis(tables).set_index(["kpi", "survey", "wave"])
    own = tables["responses"].query("survey == 'annual' and wave == '2026Q3'")["recommend"].dropna()
    assert found.loc[("nps", "annual", "2026Q3"), "unweighted"] == pytest.approx(100 * ((own >= 9).mean() - (own <= 6).mean()))
    pulse = found.xs("pulse", level="survey")  # a survey without weights
    assert pulse["unweighted"].tolist() == pytest.approx(pulse["estimate"].tolist())


def test_every_segment_of_the_programme_is_cut_and_its_labels_stand(sample):
    tables = sample("2026Q3")
    found = waves.by_segment(tables)
    assert set(found["segment"]) == {segment.id for segment in tables.programme.segments}
    assert set(found.query("segment == 'contract'")["value"]) == {"Contract", "Prepaid"}
    brands = waves.kpis(tables, by="brand")
    assert found.query("segment == 'brand'")["n"].sum() == brands["n"].sum()
