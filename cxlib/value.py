"""The columns of what the study of the value of satisfaction finds: the chain, thresholds, who lies just below, and what a point goes with."""

from cxlib.columns import KPI, Column, columns, limits

_KEY = (KPI, ("survey", "text", "pulse", "Survey", True), ("group", "text", "prepaid", "Form of contract; all where none is told", True), ("outcome", "text", "spend", "visits, per_visit or spend", True))
_INTERVAL = (
    ("estimate", "number", "46.4", "The figure"), ("std_error", "number", "1.2", "Its standard error, customers as clusters"), ("conf_low", "number", "44.0", "Lower end of its 95 % interval"), ("conf_high", "number", "48.8", "Upper end"),
    ("n", "whole", "812", "Answers", True), ("n_eff", "number", "411", "Customers, effective (Kish)"),
)  # fmt: skip
_PLACE = (
    ("shape", "text", "jump", "jump, hinge or blurred"), ("estimate", "number", "6.5", "The likeliest place, on the score"), ("conf_low", "number", "6", "Lower end of its 95 % interval (test inverted)"), ("conf_high", "number", "7", "Upper end"), ("below", "number", "6", "Largest score under it"),
    ("above", "number", "7", "Smallest score over it"), ("change", "number", "11.2", "Change of the level (of a hinge: of the slope), in the outcome's unit"), *limits("change", "widest over all places in the interval"), ("slope", "number", "0.7", "Slope under it, outcome a point"),
    ("p", "number", "0.002", "p: no threshold"), ("f", "number", "18.1", "Largest F over all places"), ("p_curve", "number", "0.003", "p: none beside a smooth bend"), ("p_shape", "number", "0.2", "p: the other shape would look so"), ("other", "number", "7.3", "Best place of the other shape, where it is not ruled out"), ("other_change", "number", "14.2", "Change there, in that shape"), ("other_low", "number", "", "Lower end of its 95 % interval, widest over that shape's places in the interval"), ("other_high", "number", "", "Upper end"), ("detectable", "number", "6.1", "Smallest jump seen with 80 % power"),
    ("n", "whole", "1885", "Answers", True), ("n_eff", "number", "466", "Customers, effective (Kish)"), ("customers", "whole", "588", "Customers", True), ("levels", "whole", "11", "Distinct scores", True), ("note", "text", "", "Why it is not estimable"),
)  # fmt: skip
FINDINGS: dict[str, tuple[Column, ...]] = {
    "visit_curves": columns(
        ("group", "text", "prepaid", "Form of contract; all where none is told", True), ("outcome", "text", "later_spend", "later_spend (in the days after), or per_visit (spend a day with a purchase)", True), ("visits", "number", "4", "Days with a purchase in the days before", True),
        *_INTERVAL, ("rising", "number", "46.1", "Line through the means that never falls"),
    ),
    "visit_parts": columns(
        ("group", "text", "prepaid", "Form of contract; all where none is told", True), ("basis", "text", "2026Q2", "between customers, after (later spend for a day more), or the quarter compared with", True), ("part", "text", "visits", "all, customers, visits or per_visit", True), ("unit", "text", "money", "money or share", True),
        *_INTERVAL[:5], ("note", "text", "", "Why it is not estimable"),
    ),
    "chain_base": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("step", "text", "had bought within the year before", "Who is left after this step", True), ("n", "whole", "7547", "Answers left", True), ("share", "number", "0.7", "Part of those who answered the question", True),
    ),
    "chain_curves": columns(*_KEY, ("score", "number", "7", "Score, more is better", True), *_INTERVAL, ("rising", "number", "46.1", "Line through the means that never falls")),
    "chain_slopes": columns(*_KEY, *_INTERVAL, ("p", "number", "0.01", "p: a point goes with nothing"), ("note", "text", "", "Why it is not estimable")),
    "lasting": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("estimate", "number", "0.63", "Part of the variance of one answer that lasts"), ("conf_low", "number", "0.61", "Lower end of its 95 % interval"), ("conf_high", "number", "0.65", "Upper end"),
        ("n", "whole", "1526", "Customers asked again", True), ("pairs", "whole", "5235", "Pairs of answers", True), ("days", "number", "83", "Days between, in the middle"), ("note", "text", "", "Why it is not estimable"),
    ),
    "thresholds": columns(*_KEY, *_PLACE, ("p_holm", "number", "0.004", "p over the forms of contract, Holm; for spend")),
    "threshold_parts": columns(
        *_KEY, ("by", "text", "year", "year, quarter, brand, country, a segment's id, or measure", True), ("value", "text", "2025", "The part", True), *_PLACE, ("same", "number", "1", "1: its interval holds the common place"),
        ("common", "number", "15.7", "Change at the common place in this part"), *limits("common", "customers as clusters"), ("p_same", "number", "0.3", "p: the change is the same in all parts"), ("p_same_holm", "number", "0.9", "The same over all cuts of the group, Holm"),
    ),
    "threshold_more": columns(
        *_KEY, ("order", "whole", "2", "Second, third", True), ("shape", "text", "jump", "jump or hinge"), ("estimate", "number", "8.5", "Its place"), ("change", "number", "3.1", "Change there"), ("p", "number", "0.4", "p: none beside those before"), ("n", "whole", "1885", "Answers", True), ("note", "text", "", "Why it cannot be told"),
    ),
    "just_below": columns(
        *_KEY[:3], ("measure", "text", "all", "each, or all on the list counted by their chance to be below", True), ("value", "text", "margin", "margin or spend", True), ("estimate", "number", "758", "At stake a year, programme's currency"), ("conf_low", "number", "120", "Lower end of its 95 % interval"), ("conf_high", "number", "1260", "Upper end"), ("n", "whole", "47", "Customers just below", True),
    ),
    "just_below_worse": columns(
        *_KEY[:3], ("source", "text", "contact", "Survey the text stands in, survey (ratings), contact, complaint, social, event", True), ("what", "text", "billing", "Attribute, topic, reason or kind", True), ("measure", "text", "share", "share of customers, or rating", True), ("below", "number", "0.4", "Those just below"), ("above", "number", "0.3", "Those just above"),
        ("estimate", "number", "0.1", "Their difference"), ("conf_low", "number", "-0.05", "Lower end of its 95 % interval"), ("conf_high", "number", "0.25", "Upper end"), ("p", "number", "0.2", "p: no difference"), ("p_bh", "number", "0.6", "Over all compared, Benjamini-Hochberg"), ("n", "whole", "47", "Customers just below", True), ("n_above", "whole", "92", "Customers just above", True),
    ),
    "just_below_followed": columns(
        *_KEY[:3], ("what", "text", "crossed", "crossed, stayed, silent, left", True), ("count", "whole", "3", "Customers", True), ("n", "whole", "17", "Of how many", True), ("estimate", "number", "0.18", "Share"), ("conf_low", "number", "0.06", "Lower end of its 95 % interval (Wilson)"), ("conf_high", "number", "0.41", "Upper end"), ("expected", "number", "0.42", "Share that mood alone would give"),
    ),
    "point_classes": columns(KPI, ("survey", "text", "pulse", "Survey", True), ("class", "text", "promoters (9 to 10)", "Class at the survey", True), ("outcome", "text", "stays", "stays, spend, margin, contacts, service (their cost), referrals in the year after", True), ("unit", "text", "share", "share, money, contacts, referrals", True), *_INTERVAL),
    "point_steps": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("outcome", "text", "stays", "stays, spend, margin, contacts, service (their cost), referrals in the year after", True), ("unit", "text", "share", "share, money, contacts, referrals", True), ("basis", "text", "adjusted", "observed, adjusted or within", True), *_INTERVAL, ("p", "number", "0.001", "p: a step goes with nothing"), ("note", "text", "", "Why it is not estimable"),
    ),
}  # fmt: skip
