"""The same functions on rising, flat and falling answers say three different things, and no sentence contradicts its own interval.

Expected figures follow from the answers by arithmetic: n promoters, passives and detractors of 400 a wave.
"""

import re

import pandas as pd
import pytest

from cxlib import ledger, load
from cxlib import programme as programmes
from cxlib.measure import models, waves
from cxlib.show import claims

WAVES = {"a": (160, 80, 160), "rising": (240, 80, 80), "flat": (164, 78, 158), "falling": (80, 80, 240), "nearly": (178, 95, 127)}
SECOND = """
[[waves]]
id = "b"
survey = "poll"
quarter = "2026Q2"
first = 2026-06-01
last = 2026-06-30
file = "b.csv"
columns = {response_id = "id", country = "land", person_id = "person"}
"""
HEADER = "id,land,person,recommend,price,comment\n"


def answers(wave: str, prefix: str) -> str:
    """Return the rows of a wave; the attribute rises with the score, so that it goes with it."""
    promoters, passives, detractors = WAVES[wave]
    scores = [10] * promoters + [8] * passives + [3] * detractors
    return "".join(f"{prefix}{at:03d},DE,{prefix}{at},{score},{min(5, 1 + score // 2 - (at % 3 == 0))},\n" for at, score in enumerate(scores))


@pytest.fixture
def told(tiny, tmp_path):
    """Return a function that gives a programme of two waves, its tables, its levels, its changes and its tests after the ledger."""

    def make(second: str):
        folder = tiny(answers("a", "a"), name=second)
        contract = folder / "programme.toml"
        contract.write_text(contract.read_text("utf-8").replace("[[items]]", SECOND + "[[items]]", 1), "utf-8")
        (folder / "raw" / "b.csv").write_text(HEADER + answers(second, "b"), "utf-8")
        programme = programmes.read(folder)
        tables = load.tables(programme, out=tmp_path / "reports")
        levels = waves.kpis(tables)
        moved = waves.changes(tables, levels)
        return programme, tables, levels, moved, ledger.adjust(claims.tracking.tests(moved, waves.kinds(moved, programme), programme))

    return make


@pytest.mark.parametrize(
    ("second", "says", "level"),
    [
        ("rising", "nps rose by 40 points since 2026Q1", "+40.0"),
        ("flat", "nps showed no detectable change since 2026Q1", "+1.5"),
        ("falling", "nps fell by 40 points since 2026Q1", "−40.0"),
    ],
)
def test_the_same_functions_say_three_different_things(told, second, says, level):
    programme, _, levels, moved, adjusted = told(second)
    (sentence,) = claims.tracking.changes(moved, programme, adjusted)
    assert sentence.startswith(says)
    assert ("would have been seen four times in five" in sentence) == (second == "flat")
    assert claims.tracking.levels(levels, programme)["level"].tolist() == [level]
    claim = claims.tracking.rows(levels, moved, programme, "2026Q2").iloc[0]
    assert claim["text"].startswith(says)
    assert "no detectable change" in claim["text_null"]


def test_a_change_that_does_not_survive_shows_no_interval_that_leaves_out_zero(told):
    programme, _, levels, moved, adjusted = told("nearly")
    assert moved["conf_low"].iloc[0] > 0  # taken alone it would be told
    assert not adjusted["survives"].iloc[0]
    (alone,) = claims.tracking.changes(moved, programme)
    assert "rose by 13 points" in alone
    for sentence in (claims.tracking.changes(moved, programme, adjusted)[0], claims.tracking.rows(levels, moved, programme, "2026Q2")["text_null"].iloc[0]):
        assert sentence.startswith("nps showed no detectable change since 2026Q1 once all tests of this report are counted (+13 points)")
        assert "interval" not in sentence


def test_the_main_points_lead_with_the_first_key_figure_whatever_it_did(told):
    for second in ("rising", "flat", "falling"):
        programme, _, levels, moved, adjusted = told(second)
        rows = claims.tracking.rows(levels, moved, programme, "2026Q2")
        others = claims.frame([claims.claim("drivers.poll.nps.first", "02_annual_drivers", "Price goes with it.", text_null="Nothing goes with it.", rank=2)])
        points = claims.summary.points(claims.summary.headlines(ledger.tell(pd.concat([others, rows], ignore_index=True), adjusted)))
        assert points[0][0].startswith("nps")
        assert len(points) == 2


def test_weights_that_move_a_figure_are_shown_beside_it(told):
    programme, _tables, levels, _, _ = told("flat")
    assert "unweighted" not in claims.tracking.levels(levels, programme)
    assert claims.tracking.weights(levels, programme).startswith("Weights change none")
    heavy = levels.assign(estimate=levels["estimate"] + 0.6)
    table = claims.tracking.levels(heavy, programme)
    assert table[["level", "unweighted"]].iloc[0].tolist() == ["+2.1", "+1.5"]
    assert "+2.1 with them, +1.5 without" in claims.tracking.weights(heavy, programme)


def test_unequal_gaps_are_named_and_equal_ones_are_not(told):
    programme, _, levels, _, _ = told("flat")
    years = lambda *quarters: pd.concat([levels.iloc[[0]].assign(wave=quarter, quarter=quarter) for quarter in quarters], ignore_index=True)
    assert claims.tracking.gaps(years("2014Q2", "2015Q2", "2016Q2"), programme) == []
    (sentence,) = claims.tracking.gaps(years("2010Q3", "2011Q2", "2012Q2", "2013Q2"), programme)
    assert "4 quarters as a rule, but 2010Q3 to 2011Q2 (3 quarters)" in sentence


def test_the_driver_study_says_how_old_its_answers_are(told):
    programme, tables, _, _, _ = told("flat")
    fitted = models.answered(tables)
    assert not re.search(r"quarters? old", claims.drivers.asked(fitted, programme, "2026Q2")[0])
    assert "2026Q4 has no wave of this survey: these answers, and all that follows from them, are 2 quarters old." in claims.drivers.asked(fitted, programme, "2026Q4")[0]


def test_flags_stand_in_words():
    found = pd.DataFrame({"quarter": ["2026Q1", "2026Q2"], "estimate": [0.5, 0.6], "flag": ["too few", "low base"], "note": ["", ""], "kpi": ["a", "a"]})
    shown = claims.numbers(found, "percent")
    assert shown.columns.tolist() == ["quarter", "percent", "flag"]
    assert shown["flag"].tolist() == ["very low base", "low base"]
    assert shown["percent"].tolist() == [50.0, 60.0]
