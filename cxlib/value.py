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
    ("p", "number", "0.002", "p: no threshold"), ("f", "number", "18.1", "Largest F over all places"), ("p_curve", "number", "0.003", "p: none beside a smooth bend"), ("p_shape", "number", "0.2", "p: the other shape would look so"), ("detectable", "number", "6.1", "Smallest jump seen with 80 % power"),
    ("n", "whole", "1885", "Answers", True), ("n_eff", "number", "466", "Customers, effective (Kish)"), ("customers", "whole", "588", "Customers", True), ("levels", "whole", "11", "Distinct scores", True), ("note", "text", "", "Why it is not estimable"),
)  # fmt: skip
FINDINGS: dict[str, tuple[Column, ...]] = {
    "chain_base": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("step", "text", "had bought within the year before", "Who is left after this step", True), ("n", "whole", "7547", "Answers left", True), ("share", "number", "0.7", "Part of those who answered the question", True),
    ),
    "chain_curves": columns(*_KEY, ("score", "number", "7", "Score, more is better", True), *_INTERVAL, ("rising", "number", "46.1", "Line through the means that never falls")),
    "chain_slopes": columns(*_KEY, *_INTERVAL, ("p", "number", "0.01", "p: a point goes with nothing"), ("note", "text", "", "Why it is not estimable")),
    "thresholds": columns(*_KEY, *_PLACE, ("p_holm", "number", "0.004", "p over the forms of contract, Holm; for spend")),
}  # fmt: skip
