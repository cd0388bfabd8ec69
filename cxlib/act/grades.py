"""Evidence grades A to E: the one rule by which every figure that leads to money is graded, and the only way to a causal verb."""

from cxlib.errors import DataError, nearest

KINDS = ("randomised", "quasi", "adjusted", "described", "before_after")
FAILED = "its comparison fails its own test: a date before it began shows an effect too, and a trend like that one could be all of what is seen"
HELD = 0.25  # a customer who holds more of an arm's outcome than this decides what its mean is


def grade(*, design, intention_to_treat=True, sample_ratio_ok=None, attrition_p=None, bound=None, effect=None, placebo_p=None, control_series=True, overlap=None, balance=None, largest=None, joint=False) -> tuple[str, str]:
    """Grade the evidence of an effect, A to E, and say why: (grade, reason).

    design, kind of comparison:
    - "randomised": A if analysed as assigned, the sample ratio holds and attrition is balanced (p >= .05); otherwise it is a description, D.
    - "quasi" (difference-in-differences, synthetic control, a series with a control series): B if the pre-trend `bound`, the largest estimate that a difference in trend compatible with the time before would give
      alone when carried to the time after (95 %), is smaller than the `effect`, and no placebo date shows one (`placebo_p` >= .01 where it was made); otherwise C. One that fails both (`failed`) compares nothing: E.
      p > .05 of a pre-trend test is no proof and is not asked for.
    - "adjusted" (matching, weighting): C if customers overlap and `balance`, the largest standardised difference left, is at most 0.1; otherwise D.
    - "described": D. "before_after" (also a series without a control series): E.
    `largest` is the largest share of an arm's outcome that one customer holds: above 25 % an A, B or C becomes D. `joint` is an effect of actions that the design does not separate: it keeps its
    grade, and the reason says that it is of both. A check that was not made counts as not passed. Source: METHODS 0; the bound is Rambachan & Roth 2023 (Review of Economic Studies 90:2555) for a linear violation.
    """
    if design not in KINDS:
        raise DataError(f"'{design}' is no kind of comparison{nearest(design, KINDS)} (known: {', '.join(KINDS)}).")
    if design == "before_after" or not control_series:
        return "E", "before and after without a comparison: regression to the mean, season and everything else are in it"
    letter, reason = {"randomised": _randomised, "quasi": _quasi, "adjusted": _adjusted, "described": _described}[design](
        intention_to_treat=intention_to_treat, sample_ratio_ok=sample_ratio_ok, attrition_p=attrition_p, bound=bound, effect=effect, placebo_p=placebo_p, overlap=overlap, balance=balance
    )
    if joint:
        reason += "; what is done beside it for the same customers is in it"
    if largest is not None and largest > HELD and letter in "ABC":
        return "D", f"{reason}; but one customer holds {100 * largest:.0f} % of an arm's outcome, and decides it"
    return letter, reason


def causal(letter, conf_low, conf_high) -> bool:
    """Return whether a causal verb is allowed: grade A or B and an interval without zero."""
    return letter in ("A", "B") and bool(conf_low > 0 or conf_high < 0)


def failed(*, bound, effect, placebo_p) -> bool:
    """Return whether a comparison over time fails its own test: a date before the action shows an effect too (p < .01), and what drifted then could be all of it."""
    return placebo_p is not None and placebo_p < 0.01 and not abs(bound) < abs(effect)


def _randomised(*, intention_to_treat, sample_ratio_ok, attrition_p, **_):
    checks = (
        (intention_to_treat, "not analysed as assigned"),
        (bool(sample_ratio_ok), "the sample ratio was not checked" if sample_ratio_ok is None else "the sample ratio does not hold"),
        (attrition_p is not None and attrition_p >= 0.05, "attrition was not checked" if attrition_p is None else "attrition differs between the arms"),
    )
    failed = [text for passed, text in checks if not passed]
    return ("D", "assigned at random, but " + " and ".join(failed)) if failed else ("A", "assigned at random, analysed as assigned, sample ratio and attrition in order")


def _quasi(*, bound, effect, placebo_p, **_):
    if bound is None or effect is None or bound != bound or effect != effect:
        return "C", "a comparison whose trend before was not bounded"
    if failed(bound=bound, effect=effect, placebo_p=placebo_p):
        return "E", FAILED
    if not abs(bound) < abs(effect):
        return "C", "a comparison whose trend before could explain the effect"
    if placebo_p is not None and placebo_p < 0.01:
        return "C", "a comparison in which a date before the action shows an effect too"
    return "B", "a comparison group, and the largest difference in trend compatible with the time before does not explain the effect"


def _adjusted(*, overlap, balance, **_):
    if not overlap:
        return "D", "adjusted for what was measured, but " + ("overlap was not checked" if overlap is None else "the groups hardly overlap")
    if balance is None or balance > 0.1:
        return "D", "adjusted for what was measured, but " + ("balance was not checked" if balance is None else "the groups differ after it still")
    return "C", "observed, and alike in what was measured; in what was not they may differ"


def _described(**_):
    return "D", "described, not compared with anything that stands for no action"
