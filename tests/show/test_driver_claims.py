"""What 02 says beyond the order: other worlds, other sentences."""

import numpy as np
import pandas as pd
import pytest
from small import SHIPPED

from cxlib import programme as programmes
from cxlib.show import claims, figures

KEYS = {"survey": "annual", "wave": "2026Q3", "kpi": "nps"}


@pytest.fixture(scope="module")
def programme():
    return programmes.read(SHIPPED)


def rows(columns, *values):
    return pd.DataFrame([KEYS | dict(zip(columns, row)) for row in values])


def steps(*values):
    made = rows(("driver", "estimate", "conf_low", "conf_high"), *values)
    return made.assign(step=0.5, unit="points", performance=3.0, headroom=2.0, n=100, note="")


def test_a_step_is_told_with_its_interval_and_who_follows(programme):
    (said,) = claims.levers.steps(steps(("price", 10.5, 8.2, 12.7), ("coverage", 9.0, 7.0, 11.0), ("app", -0.8, -3.9, 2.4)), programme)
    assert "rate Value for money 0.5 higher, and all else alike, differ by +10.5 points (95 % interval 8.2 to 12.7); Network coverage follows." in said
    assert said.endswith("For App and online account a difference is not established once all attributes are counted.")


def test_where_no_step_shows_nothing_is_named(programme):
    (said,) = claims.levers.steps(steps(("price", 1.0, -2.0, 4.0)), programme)
    assert "no attribute shows a difference" in said
    assert "Value for money" not in said


def test_a_step_table_shows_the_step_only_where_it_differs(programme):
    assert "step" not in claims.levers.step_table(steps(("price", 10.5, 8.2, 12.7), ("app", 1.0, -3.9, 2.4)), programme)
    table = claims.levers.step_table(steps(("price", 10.5, 8.2, 12.7), ("app", 1.0, -3.9, 2.4)).assign(step=[0.5, 0.2]), programme)
    assert table["step"].tolist() == ["0.5", "0.2"]
    assert table["difference"].tolist() == ["10.5 (8.2 to 12.7)", "1.0 (−3.9 to 2.4)"]


def test_corners_that_hang_on_the_rule_are_named(programme):
    found = rows(("rule", "driver", "quadrant", "same"), ("means", "price", "fix first", 1), ("medians", "price", "fix first", 1), ("means", "app", "watch", 0), ("medians", "app", "fix first", 0))
    (said,) = claims.levers.cuts(found, programme)
    assert "cut at the means and medians, App and online account changes its corner; Value for money stands under “fix first” by every rule." in said


def contrasts(*values):
    """Contrasts with standard errors of 0.25 on each side and 0.3 on their sum: driver, penalty, reward, class, p of the tilt, necessary."""
    found = rows(("driver", "penalty", "reward", "class", "p", "p_class", "necessary_p", "necessary_size"), *values)
    return found.assign(std_error=0.3, **{f"{side}_{end}": found[side] + sign * 0.49 for side in ("penalty", "reward") for end, sign in (("low", -1), ("high", 1))})


def test_basics_and_delighters_are_said_and_of_what_it_cannot_be_told(programme):
    found = contrasts(("price", -1.2, 0.0, "basic", 0.001, 0.97, 0.01, 0.2), ("app", 0.0, 1.2, "delighter", 0.01, 0.8, 0.5, 0.0), ("coverage", -1.0, 1.0, "performance", 0.9, 0.9, 0.5, 0.0),
                      ("speed", -0.9, 0.3, "basic", 0.03, 0.5, 0.5, 0.0), ("shop", 0.1, 0.1, "none shown", 0.6, 0.9, 0.01, 0.2))  # fmt: skip
    (said,) = claims.levers.unequal(found, programme)
    assert "annoys where it fails: Value for money (so in 97 of 100 redraws); delights where it succeeds: App and online account (so in 80 of 100 redraws); works both ways: Network coverage;" in said
    assert "one side shows, but whether it outweighs the other cannot be told: Data speed; cannot tell: Shops, where neither side shows" in said
    # Holm over five: 0.03 is more than 0.05 / 3. Five tests: z of 0.025 / 5 (2.576) and of 0.8 (0.842), times 0.3.
    assert "must differ by about 1.0 on the score to be told apart in four of five surveys of this size" in said
    assert said.endswith("A high score hardly ever goes with a poor rating of Value for money."), "what nobody misses is not necessary"


def test_where_no_side_shows_nothing_is_classed(programme):
    (said,) = claims.levers.unequal(contrasts(("price", -0.5, 0.1, "performance", 0.2, 0.6, 0.02, 0.2), ("app", -0.1, 0.6, "delighter", 0.04, 0.6, 0.5, 0.0)), programme)
    assert "no attribute can be classed" in said
    assert "Value" not in said
    assert "App" not in said


def test_what_people_say_is_read_beside_what_is_shown(programme):
    found = rows(("driver", "meaning", "agreement", "stated"), ("price", "said and shown", 0.3, 0.5), ("app", "said, not shown", 0.3, 0.3), ("waiting", "shown, not said", 0.3, 0.1), ("terms", "shown, not said", 0.3, 0.1))
    (said,) = claims.levers.stated(found, programme)
    assert "agree with 0.30 (rank correlation); Value for money: said and shown; App and online account: said more than shown" in said
    assert "Time to an answer and Terms of contract: shown, not said" in said
    assert "Nobody was asked" in claims.levers.stated(pd.DataFrame(), programme)[0]
    tested = rows(("driver", "p"), ("price", 0.001), ("app", 0.3), ("waiting", 0.001), ("terms", 0.04))
    assert "Time to an answer: shown, not said" in claims.levers.stated(found, programme, tested)[0]
    (said,) = claims.levers.stated(found, programme, tested.assign(p=0.04))
    assert "people name Value for money most often, but no attribute could be shown to go with the key figure" in said
    assert "a lever" not in said


def test_what_is_named_is_paid_for_by_its_number():
    assert claims.drivers.sure(pd.Series([0.04, 0.02, 0.01, float("nan")])).tolist() == [True, True, True, False]
    assert claims.drivers.sure(pd.Series([0.04, 0.03, 0.02])).tolist() == [False, False, False]  # 0.02 x 3 is 0.06, and what comes after cannot be surer
    assert claims.drivers.beside(pd.Series([1.959964]), pd.Series([0.0]), pd.Series([3.919928]))[0] == pytest.approx(0.05, abs=1e-6)


def test_other_choices_are_said_with_what_comes_first(programme):
    found = rows(
        ("variant", "n", "r2", "first", "same_first", "common_top3", "rank_correlation"),
        ("em", 800, 0.5, "coverage", 1, 3, 0.99), ("complete", 200, 0.6, "price", 0, 2, 0.81), ("top", 700, np.nan, "", 0, 0, np.nan),
    )  # fmt: skip
    (said,) = claims.variants.said(found, programme)
    assert "1 of 2 other choices put the same attribute first (gaps filled by maximum likelihood); Value for money comes first in 1 (complete answers only)." in said
    assert "departs most with complete answers only: rank correlation 0.81 on 200 answers." in said


def test_nothing_to_rank_is_said(programme):
    tested = rows(("driver", "p"), ("price", 0.4), ("app", 0.2))
    assert "there is nothing to rank" in claims.drivers.relevance(tested, programme)[0]
    assert "1 of 2 attributes look more important" in claims.drivers.relevance(tested.assign(p=[0.01, 0.2]), programme)[0]


def test_changes_and_segments_are_told_with_their_number(programme):
    segments = rows(("segment", "value", "driver", "now", "then", "p"), ("brand", "Kolibri", "price", 0.2, 0.1, 0.001), ("brand", "Kolibri", "app", 0.1, 0.1, 0.9))
    changes = rows(("then_wave", "driver", "now", "then", "p", "note"), ("2025Q3", "price", 0.2, 0.1, 0.3, ""))
    said = claims.variants.differences(segments, changes, changes.iloc[:0], programme)
    assert said[0].startswith("Segments: 2 comparisons")
    assert "1 have p below 0.05 where chance alone would give about 0" in said[0]
    assert "no importance shows a detectable change; no attribute surely changed its corner." in said[1]
    assert claims.variants.differences(segments.iloc[:0], changes.iloc[:0], changes.iloc[:0], programme) == [
        "No segment has answers enough to compare importances (100 inside and outside, and ten an attribute).", "There is no earlier wave of this survey to compare with.",
    ]  # fmt: skip


def test_contrasts_draw_both_sides_of_each_attribute():
    frame = pd.DataFrame({"driver": ["Price", "App"], "penalty": [-1.0, np.nan], "penalty_low": [-1.4, np.nan], "penalty_high": [-0.6, np.nan], "reward": [0.2, np.nan], "reward_low": [0.0, np.nan], "reward_high": [0.4, np.nan], "n": [300, 20]})
    ax = figures.drivers.contrasts(frame)
    points = [(x, y) for line in ax.lines if line.get_marker() == "o" for x, y in zip(*line.get_data())]
    assert sorted(round(float(x), 2) for x, _ in points) == [-1.0, 0.2]
    with pytest.raises(ValueError, match="reward_low"):
        figures.drivers.contrasts(frame.drop(columns="reward_low"))


def test_levels_of_the_pyramid_stand_in_the_table_where_items_are_tagged(programme):
    found = rows(("driver", "performance", "performance_low", "performance_high", "importance", "importance_low", "importance_high", "quadrant", "p_quadrant", "n"), ("price", 3.0, 2.9, 3.1, 0.2, 0.1, 0.3, "fix first", 0.9, 100))
    assert "level" not in claims.drivers.places(found, programme)
    tagged = programme.model_copy(update={"items": tuple(item.model_copy(update={"tags": ("need",)}) if item.id == "price" else item for item in programme.items)})
    assert claims.drivers.places(found, tagged)["level"].tolist() == ["need"]


def test_two_attributes_have_no_first_three_and_one_order_departs_from_none(programme):
    """A survey of two attributes was told that 'the first three are the same in 0' and that an order equal to all others 'departs most'."""
    columns = ("variant", "n", "r2", "first", "same_first", "common_top3", "rank_correlation")
    (two,) = claims.variants.said(rows(columns, ("em", 250, 0.5, "price", 1, 2, 1.0), ("top", 250, 0.5, "app", 0, 2, -1.0)), programme)
    assert "first three" not in two
    assert two.endswith("The order is turned round in 1.")
    (many,) = claims.variants.said(rows(columns, ("em", 250, 0.5, "price", 1, 3, 1.0)), programme)
    assert many.endswith("The first three are the same in 1. The order is the same in every one.")
    agreed = rows(("method_a", "method_b", "rank_correlation", "same_first", "common_top3"), ("ols", "shapley", 1.0, True, 2), ("johnson", "shapley", 1.0, True, 2))
    assert claims.drivers.agreement(agreed, "csat") == "csat: the methods agree: all name the same first attribute of the two."
    assert claims.drivers.agreement(agreed.assign(common_top3=3), "csat").endswith("and their orders are the same.")
