"""The columns of what the study of actions finds: effects with their designs and checks, the paths behind the figures, overlaps, recoveries, who was saved, what is planned."""

from cxlib.columns import Column, columns

ACTION = ("action", "text", "loyalty_call", "Action of plan.toml", True)
ESTIMATE = (
    ("estimate", "number", "4.9", "The figure; empty where it is not estimable (note says why)"), ("std_error", "number", "1.2", "Its standard error; empty where a permutation or placebo test gives the interval"),
    ("conf_low", "number", "2.5", "Lower end of the 95 % interval"), ("conf_high", "number", "7.4", "Upper end of the 95 % interval"), ("n", "whole", "1101", "Customers, units or periods", True), ("n_eff", "number", "1101", "Effective number (Kish), of controls where they are weighted"),
)  # fmt: skip
_NOTE = ("note", "text", "", "What limits it, or why there is none")

FINDINGS: dict[str, tuple[Column, ...]] = {
    "effects": columns(
        ACTION, ("design", "text", "randomised", "Comparison that was made: randomised, matching, difference_in_differences, staggered, synthetic_control, interrupted_series, none", True), ("outcome", "text", "margin", "What was measured", True),
        ("window_days", "whole", "90", "Days after assignment", True), ("per", "text", "customer in 90 days", "What the estimate is of"), *ESTIMATE, ("p", "number", "0.001", "p: no effect"),
        ("mean_treated", "number", "40.0", "Mean of those who had it"), ("mean_control", "number", "34.6", "Mean of the comparison"), ("naive", "number", "8.1", "Plain difference: of a list to all others, nothing made alike; of a lot whose arms are compared at the same past"), ("n_treated", "whole", "526", "Customers, units or series with it", True), ("n_control", "whole", "586", "Those compared with", True),
        ("times", "number", "526", "How often the estimate counts: customers, customer-months, weeks"), ("days", "number", "90", "Days over which estimate times `times` fell"), ("cut", "whole", "0", "Left out because their window is not over", True),
        ("ratio_p", "number", "0.08", "p of the sample-ratio check"), ("attrition_p", "number", "1", "p of the attrition check"), ("before_p", "number", "0.86", "p: both arms alike before"), ("pretrend_p", "number", "0.4", "p: no difference in trend before"),
        ("placebo_p", "number", "0.6", "p: a date at which nothing happened shows nothing"), ("bound", "number", "3.1", "Largest estimate that a difference in trend compatible with the time before would give alone"), ("largest", "number", "0.02", "Largest share of an arm's outcome that one customer holds"),
        ("joint", "flag", "0", "Other actions for the same customers are in it", True), ("together", "text", "upgrade_call", "Which ones"), ("grade", "text", "A", "Evidence grade", True), ("reason", "text", "drawn by lot, arms alike, nobody lost", "Why this grade", True), ("comparison", "text", "586 customers held back by lot", "What it was compared with"), _NOTE,
    ),
    "paths": columns(
        ACTION, ("kind", "text", "event", "treated, control, difference; event; observed, expected; before, after (differences between groups)", True), ("at", "number", "-3", "Period since the action, or place"), ("label", "text", "-3", "The same in words"),
        ("estimate", "number", "0.2", "Mean, effect, value or standardised difference"), ("conf_low", "number", "-0.4", "Lower end of its 95 % interval"), ("conf_high", "number", "0.8", "Upper end"), ("n", "whole", "12", "Customers, units or series", True),
    ),
    "overlaps": columns(
        ACTION, ("other", "text", "recovery_call", "Another action", True), ("of", "text", "customers", "customers, or units of two roll-outs", True), ("n", "whole", "527", "Customers (units) treated by the first", True), ("shared", "whole", "6", "Of whom the other treated too, at the same time", True), ("share", "number", "0.011", "shared / n"), ("alone", "whole", "212", "Customers (units) whom the other treated, and this one did not", True),
        ("treated_other", "number", "0.011", "Share of the treated arm that had the other"), ("control_other", "number", "0.010", "Share of the control arm that had it"), ("p", "number", "0.9", "p: both arms had it as often"), ("separated", "flag", "1", "Whether the design tells the two apart", True), _NOTE,
    ),
    "recovery": columns(
        ACTION, ("group", "text", "contacted", "contacted, not contacted, difference, normal check", True), *ESTIMATE,
        ("mean_before", "number", "5.0", "Mean score before"), ("mean_after", "number", "6.3", "Mean score the next time"), ("p", "number", "0.2", "p: no difference (of the difference)"), _NOTE,
    ),
    "saved": columns(
        ACTION, ("outcome", "text", "retention", "retention, margin, contacts or returns", True), ("design", "text", "randomised", "Comparison that was made", True), ("before", "number", "35.1", "Mean of those treated in as many days before"), ("seen", "number", "40.0", "Their mean in the days after; retention: share who stayed"), ("anyway", "number", "35.1", "What it would have come to by itself"),
        *ESTIMATE, ("p", "number", "0.001", "p: no effect"), ("p_adjusted", "number", "0.004", "Benjamini-Hochberg over all of this table"), ("treated", "whole", "527", "Customers treated", True), ("counted", "whole", "461", "Of whom no earlier action had counted", True),
        ("total", "number", "2274", "Customers saved, money grown, contacts or money of returns: estimate x counted"), ("total_low", "number", "1150", "Lower end of its 95 % interval"), ("total_high", "number", "3398", "Upper end"), ("grade", "text", "A", "Evidence grade", True), _NOTE,
    ),
    "growth": columns(
        ACTION, ("design", "text", "randomised", "Comparison that was made", True), ("per", "text", "customer in 90 days", "What the estimate is of", True), ("part", "text", "volume", "volume, mix, price, all", True),
        ("estimate", "number", "15.5", "Difference in spend, in the programme's currency"), ("conf_low", "number", "11.9", "Lower end of its 95 % interval"), ("conf_high", "number", "18.6", "Upper end"), ("n", "whole", "1101", "Customers, units or periods", True), _NOTE,
    ),
    "renewals": columns(
        ACTION, ("group", "text", "flagged and called", "flagged and called; flagged, not called; flagged, gone by then; called, never flagged; difference", True), ("accounts", "whole", "70", "Accounts", True), ("estimate", "number", "0.93", "Share kept a year after the flag"), ("std_error", "number", "0.03", "Its standard error"),
        ("conf_low", "number", "0.84", "Lower end of its 95 % interval"), ("conf_high", "number", "0.97", "Upper end"), ("n", "whole", "52", "Accounts of which that year is over", True), ("renewed", "whole", "31", "Of which the file names a renewal since", True), ("from_day", "whole", "4", "Days after the flag from which accounts still there are compared", True),
    ),
    "planned": columns(
        ACTION, ("design", "text", "half by lot", "Way of doing it", True), ("outcome", "text", "margin", "What it is meant to move", True), ("n", "number", "4000", "Customers, units or periods"), ("n_treated", "number", "2000", "Those who would have it"), ("n_control", "number", "2000", "Those who would not"),
        ("mean", "number", "22.3", "Mean of the outcome today"), ("sd", "number", "16.0", "Its standard deviation over customers"), ("retest", "number", "0.84", "Its correlation with the window before"), ("detectable", "number", "1.4", "Smallest effect seen with 80 % power, plain"), ("adjusted", "number", "0.8", "The same with the window before taken out, as it will be measured; empty where it is not known"),
        ("wanted", "number", "2.0", "Effect that would make it worth while"), ("power", "number", "0.97", "Chance to see that, as it will be measured"), ("needed", "number", "2010", "Customers, or units with it, for 80 %"), ("known_by", "date", "2026-06-29", "Day on which the last window is over"), ("grade", "text", "A", "Best grade it could earn", True), _NOTE,
    ),
}  # fmt: skip
