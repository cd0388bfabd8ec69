"""Key figures by wave: what is estimated, what is compared, and what is a headline."""

import pandas as pd
import pytest
from small import TINY

from cxlib import programme, questionnaire
from cxlib.errors import DataError
from cxlib.load import store, weighting
from cxlib.measure import decomposition, design, levels, metrics, waves
from cxlib.show.claims import tracking
from cxlib.show.figures import tracking as figures


def test_levels_are_those_of_the_answers(sample):
    tables = sample("2026Q3")
    found = waves.kpis(tables).set_index(["kpi", "survey", "wave"])
    for survey, wave in (("annual", "2026Q3"), ("pulse", "2024Q2")):
        own = tables["responses"].query("survey == @survey and wave == @wave")
        if survey == "annual":  # one answer a person, several people an account, as the programme declares
            account = own["person_id"].map(tables["people"].drop_duplicates("person_id").set_index("person_id")["account_id"]).fillna(own["answer"])
            expected = design.estimate(own.assign(account=account), score="recommend", definition="nps_0_10", weight="weight", cluster="account").iloc[0]
            assert expected["estimate"] == pytest.approx(metrics.estimate(metrics.tally(own, score="recommend", weight="weight"), definition="nps_0_10")["estimate"].iloc[0])
        else:  # people who answered more than once in the quarter
            expected = design.estimate(own, score="recommend", definition="nps_0_10", cluster="person_id").iloc[0]
            assert own["person_id"].dropna().duplicated().any()
        assert found.loc[("nps", survey, wave), "basis"] == ("clustered by account_id" if survey == "annual" else "clustered by person_id")
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
    assert set(moved["survey"]) == {"pulse", "visits"}
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


def test_no_change_is_told_across_a_question_that_is_not_comparable(sample):
    """A change of wording with comparable = false parts the waves: the first after it has nothing to be compared with, the next only that one."""
    known = sample("2026Q2")
    found, place = known.programme, known.folder

    def reworded(wave, *, comparable):
        change = {"wave": wave, "what": "Another scale label.", "comparable": comparable}
        items = [item.model_copy(update={"changes": (questionnaire.Change(**change),)}) if item.id == "recommend" else item for item in found.items]
        tables = store.Tables(place, found.model_copy(update={"items": tuple(items)}), "2026Q2")
        levels = waves.kpis(tables).query("survey == 'pulse' and kpi == 'nps'")
        return levels, waves.changes(tables, levels)

    levels, moved = reworded("2026Q1", comparable=False)
    assert levels.set_index("wave")["changed"].loc[lambda told: told != ""].to_dict() == {"2026Q1": "Another scale label."}
    assert moved[["against", "then_wave"]].to_numpy().tolist() == [["last wave", "2026Q1"]]
    assert reworded("2026Q2", comparable=False)[1].empty
    assert len(reworded("2026Q2", comparable=True)[1]) == 2
    (said,) = tracking.gaps(levels, found)
    assert "the question changed in 2026Q1 (Another scale label), so the line is broken there" in said


def test_no_line_runs_across_a_question_that_is_not_comparable():
    frame = pd.DataFrame({"quarter": ["2025Q1", "2025Q2", "2025Q3", "2025Q4"], "estimate": [1.0, 2.0, 3.0, 4.0], "conf_low": 0.0, "conf_high": 5.0, "n": 100})
    days = lambda ax: {tuple(line.get_ydata().tolist()) for line in ax.lines if len(line.get_ydata()) > 1 and line.get_linestyle() == "-" and set(line.get_ydata()) <= set(frame["estimate"])}
    assert days(figures.series(frame)) == {(1.0, 2.0, 3.0, 4.0)}
    assert days(figures.series(frame.assign(changed=["", "", "asked anew", ""]))) == {(1.0, 2.0), (3.0, 4.0)}


DESIGNED = TINY.replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate", "link", "quote"]\nDECLARED')
ANSWERS = "".join(f"r{i:03d},{'DE' if i % 3 else 'AT'},p{i},{(i * 7) % 11},{1 + i % 5},It is fine.\n" for i in range(80))
PEOPLE = "person_id,account_id,region,joined_on,left_on\n" + "".join(f"p{i},a{i // 4},{'north' if i % 2 else 'south'},2020-01-01,\n" for i in range(100))


def designed(tiny, declared):
    folder = tiny(ANSWERS, toml=DESIGNED.replace("DECLARED", declared) + '\n[[sources]]\ntable = "people"\nfile = "people.csv"\n')
    (folder / "raw" / "people.csv").write_text(PEOPLE)
    found = programme.read(folder)
    return store.Tables(store.write(found, folder / "store"), found, "2026Q1")


def test_a_raked_survey_shows_the_calibrated_variance_and_says_so(tiny):
    """Issue 4: weights are made at load from declared margins, and the pages' intervals are those after calibration."""
    tables = designed(tiny, 'rake.margins = [{field = "country", targets = {DE = 0.5, AT = 0.5}}, {field = "region"}]')
    row = waves.kpis(tables).iloc[0]
    own = weighting.placed(tables["responses"], tables["people"], ["region"])
    expected = design.estimate(own, score="recommend", definition="nps_0_10", base_weight="base_weight", margins=["country", "region"]).iloc[0]
    assert row["basis"] == "raked to country, region"
    assert row[["estimate", "std_error", "conf_low", "n_eff"]].tolist() == pytest.approx(expected[["estimate", "std_error", "conf_low", "n_eff"]].tolist())
    assert row["estimate"] != pytest.approx(row["unweighted"])
    kish = metrics.estimate(metrics.tally(own, score="recommend", weight="weight"), definition="nps_0_10").iloc[0]
    assert row["std_error"] != pytest.approx(kish["std_error"], rel=1e-4)


def test_accounts_of_the_customer_file_are_the_clusters_a_survey_declares(tiny):
    tables = designed(tiny, 'cluster = "account_id"\nuniverse = "frame"')
    row = waves.kpis(tables).iloc[0]
    own = weighting.placed(tables["responses"], tables["people"], ["account_id"])
    assert own["account_id"].nunique() == 20
    expected = design.estimate(own, score="recommend", definition="nps_0_10", cluster="account_id", population=25).iloc[0]
    assert row["basis"] == "clustered by account_id, finite population"
    assert row[["std_error", "conf_high"]].tolist() == pytest.approx(expected[["std_error", "conf_high"]].tolist())


def test_a_domain_of_a_raked_survey_keeps_its_margins(tiny):
    tables = designed(tiny, 'rake.margins = [{field = "country", targets = {DE = 0.5, AT = 0.5}}]\nstrata = "country"')
    found = waves.kpis(tables, by="country").set_index("value")
    assert set(found.index) == {"DE", "AT"}
    assert (found["basis"] == "raked to country, stratified by country").all()
    assert (found["std_error"] > 0).all()


def test_more_answers_than_the_universe_are_refused(tiny):
    with pytest.raises(DataError, match="80 people answered, more than the 50"):
        waves.kpis(designed(tiny, "universe = 50"))


def test_no_change_is_told_across_a_switch_of_mode(sample):
    """Issue 4: a change of mode is a break like one of wording, for key figures, levels and the parts of a move."""
    known = sample("2026Q2")
    found, place = known.programme, known.folder
    phoned = found.model_copy(update={"waves": tuple(wave.model_copy(update={"mode": "phone"}) if wave.survey == "pulse" and wave.quarter < "2026Q1" else wave for wave in found.waves)})
    assert [(wave.id, what) for wave, what in phoned.breaks("pulse", "recommend")] == [("2026Q1", "mode: phone became online")]
    assert found.breaks("pulse", "recommend") == []
    tables = store.Tables(place, phoned, "2026Q2")
    found_levels = waves.kpis(tables).query("survey == 'pulse' and kpi == 'nps'")
    moved = waves.changes(tables, found_levels)
    assert moved[["against", "then_wave"]].to_numpy().tolist() == [["last wave", "2026Q1"]]
    assert decomposition._broken(phoned, phoned.kpi("nps").item, {"survey": "pulse", "then_quarter": "2025Q2", "quarter": "2026Q2"})
    assert not decomposition._broken(phoned, phoned.kpi("nps").item, {"survey": "pulse", "then_quarter": "2026Q1", "quarter": "2026Q2"})
    (said,) = tracking.gaps(found_levels, phoned)
    assert "the mode changed in 2026Q1 (phone became online), so the line is broken there" in said
    panel = found.model_copy(update={"waves": tuple(wave.model_copy(update={"sample": "online panel"}) if wave.survey == "pulse" and wave.quarter < "2026Q1" else wave for wave in found.waves)})
    assert [(wave.id, what) for wave, what in panel.breaks("pulse", "recommend")] == [("2026Q1", f"sample: online panel became {found.survey('pulse').sample}")]
    levels_then = waves.kpis(store.Tables(place, panel, "2026Q2")).query("survey == 'pulse' and kpi == 'nps'")
    assert "the source of the sample changed in 2026Q1 (online panel became" in tracking.gaps(levels_then, panel)[0]
    behind = levels.tracked(tables).query("survey == 'pulse' and kpi == 'nps'")
    assert behind.loc[behind["break"] == 1, "date"].dt.strftime("%Y-%m-%d").tolist()[0] == "2025-04-07"  # the first whole week of 2026Q1, whose year begins in April 2025
    # A survey that is dated by its fieldwork stands at the middle of its quarter, and breaks at that wave too.
    by_wave = phoned.model_copy(update={"surveys": tuple(survey.model_copy(update={"dated_by": "fieldwork_close"}) if survey.id == "pulse" else survey for survey in phoned.surveys), "waves": tuple(wave.model_copy(update={"first": wave.last}) if wave.survey == "pulse" else wave for wave in phoned.waves)})
    behind = levels.tracked(store.Tables(place, by_wave, "2026Q2")).query("survey == 'pulse' and kpi == 'nps' and period == 'wave'")
    months = behind.loc[behind["break"] == 1, "date"].dt.strftime("%Y-%m").tolist()
    assert months[-1] == "2025-05"  # the rise of spring 2024 may be found as a jump of its own
