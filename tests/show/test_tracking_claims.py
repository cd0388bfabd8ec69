"""What 03 says of levels and of what moved: three worlds, three sentences."""

import pandas as pd
import pytest
from small import SHIPPED

from cxlib import programme as programmes
from cxlib.show import claims

KEYS = {"kpi": "nps", "survey": "annual", "wave": "2026Q3", "quarter": "2026Q3", "against": "last year", "then_wave": "2025Q3", "then_quarter": "2025Q3", "unit": "points", "note": ""}


@pytest.fixture(scope="module")
def programme():
    return programmes.read(SHIPPED)


def attributes(*rows):
    return pd.DataFrame([KEYS | {"n_now": 734, "n_then": 753} | dict(zip(("driver", "moved", "estimate", "conf_low", "conf_high"), row)) for row in rows])


def test_a_move_is_shared_out_to_the_attribute_that_moved_with_it(programme):
    (sentence,) = claims.tracking.explained(attributes(("waiting", -0.77, -12.4, -15.6, -9.2), ("app", 0.04, 0.0, -0.2, 0.3), ("unexplained", None, -4.2, -10.3, 2.0), ("all", None, -19.9, -27.3, -12.4)), programme)
    assert "Time to an answer (−12.4, 95 % interval −15.6 to −9.2; its rating moved by −0.77); −4.2 points go with none of them" in sentence
    assert sentence.endswith("Base: 734 answers against 753.")
    assert "App" not in sentence
    assert "associated" in sentence


def test_a_move_that_goes_with_no_attribute_is_said_to(programme):
    (sentence,) = claims.tracking.explained(attributes(("waiting", 0.01, 0.2, -0.4, 0.8), ("unexplained", None, -9.8, -15.0, -4.6), ("all", None, -9.6, -15.1, -4.1)), programme)
    assert "no attribute whose rating moved goes with the −9.6 points" in sentence


def test_where_nothing_moved_there_is_nothing_to_share_out(programme):
    (sentence,) = claims.tracking.explained(attributes(("waiting", -0.3, -4.0, -6.0, -2.0), ("unexplained", None, 3.0, -2.0, 8.0), ("all", None, -1.0, -7.0, 5.0)), programme)
    assert sentence.endswith("did not detectably move, so there is nothing to share out.")


def test_a_level_tells_its_jump_and_its_forecasts(programme):
    weeks = pd.date_range("2026-01-05", periods=24, freq="7D")
    level = [12.0] * 12 + [-6.0] * 12
    found = pd.DataFrame({
        "kpi": "nps", "survey": "pulse", "period": "week", "date": weeks, "unit": "points", "estimate": level, "sampling": 10.0, "n": 60, "level": level,
        "conf_low": [one - 6 for one in level], "conf_high": [one + 6 for one in level], "break": [at == 12 for at in range(24)], "forecast": level, "surprise": 0.1,
    })  # fmt: skip
    (sentence,) = claims.tracking.steady(found, programme)
    assert "stands at −6 (95 % interval −12.0 to 0.0)" in sentence
    assert "probably jumped around 30 March 2026, from +12 to −6 as 6 weeks before and after have it" in sentence
    (calm,) = claims.tracking.steady(found.assign(**{"break": False}), programme)
    assert "jumped" not in calm
    assert "no figure" not in calm
    (one,) = claims.tracking.steady(found.drop(index=5), programme)
    assert "There is no figure for the week from 9 February 2026; the level is carried across." in one
    (three,) = claims.tracking.steady(found.drop(index=[5, 6, 9]), programme)
    assert "There is no figure for 3 weeks, the first from 9 February 2026; the level is carried across." in three


def test_a_bridged_question_tells_the_bridge_and_the_move_that_is_left(programme):
    found = pd.DataFrame({"survey": "visits", "item": "visit_advice_new", "wave": ["2025Q2", "2025Q3"], "quarter": ["2025Q2", "2025Q3"], "estimate": [3.28, 3.35], "as_asked": [3.74, 3.35], "bridge": [-0.46, 0.0],
        "bridge_low": -0.66, "bridge_high": -0.26, "n_new": 120, "n_old": 124, "moved": [None, 0.07], "moved_low": [None, -0.11], "moved_high": [None, 0.25]})  # fmt: skip
    (sentence,) = claims.tracking.bridges(found, programme)
    assert "asked in new words since 2025Q3" in sentence
    assert "reads −0.46 against the old (95 % interval −0.66 to −0.26; 120 answers to the new words, 124 to the old)" in sentence
    assert "from 3.28 to 3.35 (+0.07; 95 % interval −0.11 to +0.25), where the answers as asked go from 3.74 to 3.35" in sentence
    assert claims.tracking.bridges(found.iloc[:1], programme) == []
