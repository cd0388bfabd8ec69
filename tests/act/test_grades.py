"""Evidence grades by rule (METHODS 0)."""

import numpy as np
import pytest

from cxlib.act import grades
from cxlib.errors import DataError


@pytest.mark.parametrize(
    ("options", "letter"),
    [
        ({"design": "randomised", "sample_ratio_ok": True, "attrition_p": 0.4}, "A"),
        ({"design": "randomised", "sample_ratio_ok": False, "attrition_p": 0.4}, "D"),
        ({"design": "randomised", "sample_ratio_ok": True, "attrition_p": 0.01}, "D"),
        ({"design": "randomised", "sample_ratio_ok": True, "attrition_p": 0.4, "intention_to_treat": False}, "D"),
        ({"design": "randomised", "sample_ratio_ok": True}, "D"),
        ({"design": "quasi", "bound": 1.0, "effect": 2.0}, "B"),
        ({"design": "quasi", "bound": 3.0, "effect": 2.0}, "C"),
        ({"design": "quasi"}, "C"),
        ({"design": "quasi", "bound": 1.0, "effect": 2.0, "control_series": False}, "E"),
        ({"design": "adjusted", "overlap": True, "balance": 0.05}, "C"),
        ({"design": "adjusted", "overlap": True, "balance": 0.2}, "D"),
        ({"design": "adjusted", "overlap": False, "balance": 0.0}, "D"),
        ({"design": "adjusted"}, "D"),
        ({"design": "quasi", "bound": 1.0, "effect": -2.0}, "B"),
        ({"design": "quasi", "bound": float("nan"), "effect": 2.0}, "C"),
        ({"design": "quasi", "bound": 1.0, "effect": 2.0, "placebo_p": 0.001}, "C"),
        ({"design": "quasi", "bound": 3.0, "effect": -2.0, "placebo_p": 0.2}, "C"),
        ({"design": "quasi", "bound": 3.0, "effect": -2.0, "placebo_p": 0.001}, "E"),
        ({"design": "quasi", "bound": 1.0, "effect": 2.0, "placebo_p": 0.2}, "B"),
        ({"design": "quasi", "bound": 1.0, "effect": 2.0, "largest": 0.5}, "D"),
        ({"design": "randomised", "sample_ratio_ok": True, "attrition_p": 0.4, "largest": 0.5}, "D"),
        ({"design": "randomised", "sample_ratio_ok": True, "attrition_p": 0.4, "largest": 0.1}, "A"),
        ({"design": "described"}, "D"),
        ({"design": "before_after"}, "E"),
    ],
)
def test_grades_follow_the_rule(options, letter):
    assert grades.grade(**options)[0] == letter


def test_causal_verbs_need_a_grade_and_an_interval_without_zero():
    assert grades.causal("A", 0.1, 2.0)
    assert grades.causal("B", -2.0, -0.1)
    assert not grades.causal("A", -0.1, 2.0)
    assert not grades.causal("C", 0.1, 2.0)
    assert not grades.causal("A", np.nan, np.nan)


def test_a_joint_effect_says_so_and_an_unknown_kind_is_refused():
    assert "beside it" in grades.grade(design="randomised", sample_ratio_ok=True, attrition_p=0.4, joint=True)[1]
    with pytest.raises(DataError, match="no kind of comparison"):
        grades.grade(design="randomized")
