"""The columns of what the study of the comments finds: topics, how often, agreement, what is new, and what it has to do with the KPI."""

from cxlib.columns import KPI, Column, columns, limits

ESTIMATE = (
    ("estimate", "number", "12.4", "The figure; empty where it is not estimable (note says why)"),
    ("std_error", "number", "2.1", "Its standard error"),
    ("conf_low", "number", "8.3", "Lower end of the 95 % interval"),
    ("conf_high", "number", "16.5", "Upper end of the 95 % interval"),
    ("n", "whole", "640", "Unweighted answered base", True),
    ("n_eff", "number", "571.2", "Effective base (Kish); under a declared design, answers of a simple random sample with the same error"),
)
_TOPIC = (("survey", "text", "pulse", "Survey", True), ("topic", "text", "waiting", "Topic of the codeframe", True))
_POLARITY = ("polarity", "text", "negative", "any, positive, negative or unclear", True)
_QUARTER = ("quarter", "text", "2026Q3", "Fiscal quarter", True)

FINDINGS: dict[str, tuple[Column, ...]] = {
    "topic_shares": columns(
        *_TOPIC, _QUARTER, ("level", "text", "topic", "topic or net", True), _POLARITY, *ESTIMATE, ("count", "whole", "61", "Respondents who mention it", True),
        ("base", "text", "commenters", "commenters or respondents", True), ("indicative", "flag", "1", "No audit has corrected the coder's mistakes", True), ("note", "text", "", "What limits it"),
        ("uncorrected", "number", "0.19", "The share as the coder counts"), ("audit_n", "whole", "200", "Answers that people coded for the audit", True), ("target", "text", "population", "What the interval is for: the population, or this wave's comments"),
        ("sensitivity", "number", "0.81", "Of those who speak of it by people, the share the coder finds"), ("precision", "number", "0.88", "Of those the coder finds, the share who speak of it by people"),
        ("changed", "text", "wording: ... was added", "What changed in the question, the mode or the sample since the quarter before, so that none before may be compared", True),
    ),
    "topic_agreement": columns(
        ("topic", "text", "waiting", "Topic; (polarity) for better or worse where both coders see it", True), ("estimate", "number", "0.84", "Krippendorff's alpha of its presence"), *limits("conf", "of alpha"),
        ("n", "whole", "200", "Comments coded by two people or more", True), ("count", "whole", "31", "Comments marked by anybody", True), ("kappa", "number", "0.84", "Cohen's kappa, mean over pairs of coders"),
        ("positive", "number", "0.87", "Of one coder's marks, the share that another shares"), ("observed", "number", "0.97", "Share of agreeing pairs"), ("verdict", "text", "reliable", "reliable, tentative, below or cannot tell", True),
        ("allowed", "flag", "1", "Whether it may lead to a priority", True), ("note", "text", "", "What limits it"),
    ),
    "topic_bases": columns(
        *_TOPIC, _QUARTER, ("level", "text", "topic", "topic or net", True), _POLARITY, ("base", "text", "respondents", "commenters, respondents, or evened: commenters weighted for who writes", True), *ESTIMATE, ("count", "whole", "61", "Respondents who mention it", True),
    ),
    "comment_rates": columns(
        ("survey", "text", "pulse", "Survey", True), _QUARTER, ("scores", "text", "0-6", "Scores given", True), ("estimate", "number", "0.52", "Share of those with these scores who wrote"), *limits("conf", "of that share"),
        ("n", "whole", "190", "Respondents", True), ("n_eff", "number", "184.2", "Effective base"), ("count", "whole", "99", "Of these, who wrote", True),
    ),
    "topics_emerging": columns(
        ("survey", "text", "pulse", "Survey", True), ("id", "text", "new_family_rate", "Id under which it may be accepted", True), ("name", "text", "family / rate", "Its first words", True), ("phrases", "text", "family|rate", "Phrases that would code it", True),
        ("language", "text", "en", "Language of the phrases", True), ("mode", "text", "cluster", "words (they grow), cluster (they stand together) or phrases (a small file)", True), ("stability", "number", "0.91", "How much of it comes back when a fifth of the comments is left out"),
        _QUARTER, ("estimate", "number", "0.03", "Share of the quarter's comments that hold a phrase where no topic is named"), *limits("conf", "of that share"), ("count", "whole", "12", "These comments", True), ("n", "whole", "403", "Comments of the quarter", True),
        ("before", "whole", "9", "Comments with a phrase in up to four quarters before", True), ("before_n", "whole", "1510", "Comments of these quarters", True), ("change", "number", "0.02", "Change of the share"), *limits("change", "of the change"),
        ("p", "number", "0.001", "p: no change, adjusted over all candidates"), ("status", "text", "growing", "new, growing, falling or steady", True), ("note", "text", "", "Why nothing is said of growth"),
    ),
    "topic_borders": columns(
        ("survey", "text", "pulse", "Survey", True), ("border", "text", "6 | 7", "The two scores beside a border", True), ("topic", "text", "waiting", "Topic of the codeframe", True), ("quarter", "text", "2025Q4 to 2026Q3", "Quarters taken together", True), *ESTIMATE,
        ("p", "number", "0.03", "p: no difference"), ("now", "number", "0.11", "Share among those just above"), ("then", "number", "0.18", "Share among those just below"), ("n_now", "number", "190", "Commenters just above"), ("n_then", "number", "160", "Commenters just below"),
        ("detectable", "number", "0.08", "Smallest difference these bases show with 80 % power"), ("note", "text", "", "Why it is not estimable"),
    ),
    "topic_contributions": columns(
        ("survey", "text", "pulse", "Survey", True), _QUARTER, ("then_quarter", "text", "2026Q2", "Quarter compared with", True), KPI, ("driver", "text", "topic waiting", "Topic; unexplained for the rest, all for the whole move", True), ("moved", "number", "0.04", "Change of its share"),
        ("slope", "number", "-22", "KPI units with a mention, other topics held"), ("estimate", "number", "-0.9", "What goes with it in the KPI's move"), ("std_error", "number", "0.4", "Its standard error"), *limits("conf", "of it"), ("n_now", "whole", "403", "Commenters now", True),
        ("n_then", "whole", "381", "Commenters then", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "topic_blocks": columns(
        ("survey", "text", "annual", "Survey", True), _QUARTER, KPI, ("part", "text", "added by second", "first (ratings), second (topics), both, added by second, or a Shapley value", True), ("estimate", "number", "0.06", "Part of the KPI's variance explained"), *limits("conf", "of it"),
        ("p", "number", "0.002", "p: topics add nothing"), ("n", "whole", "610", "Commenters with ratings", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "topic_coverage": columns(
        ("survey", "text", "pulse", "Survey", True), _QUARTER, ("verbatims", "whole", "300", "Verbatims", True), ("empty", "whole", "3", "Without words", True),
        ("nothing", "whole", "9", "Whole answers such as nothing", True), ("unknown", "whole", "4", "Whole answers such as don't know", True), ("other_language", "whole", "0", "In a language without phrases", True),
        ("covered", "whole", "240", "With a topic", True), *ESTIMATE, ("note", "text", "", "Why it is not estimable"),
    ),
    "topic_impact": columns(
        *_TOPIC, _QUARTER, KPI, *ESTIMATE, ("count", "whole", "61", "Respondents who mention it as the coder codes", True), ("share", "number", "0.2", "Weighted share of those who mention it"),
        ("kpi_with", "number", "-12", "KPI of those who mention it"), ("kpi_rest", "number", "9", "KPI of the others"), ("p", "number", "0.004", "p: both are equal"), ("note", "text", "", "Why it is not estimable"),
        ("uncorrected", "number", "2.1", "The estimate as the coder codes"), ("audit_n", "whole", "200", "Answers with a score that people coded for the audit", True), ("indicative", "flag", "1", "As the coder codes: no audit has corrected it", True),
    ),
    "topic_associations": columns(
        *_TOPIC, _POLARITY, _QUARTER, KPI, ("held", "text", "topics, segment, wave", "What is held constant beside the other topics: segment and wave, and ratings too", True), *ESTIMATE, ("p", "number", "0.004", "p: no difference"), ("count", "whole", "61", "Respondents who mention it so, as the coder codes", True), ("note", "text", "", "Why it is not estimable"),
        ("uncorrected", "number", "-30", "The estimate as the coder codes, over the last four quarters"), ("audit_n", "whole", "200", "Answers with a score that people coded for the audits", True), ("indicative", "flag", "1", "As the coder codes: no audit has corrected it", True),
    ),
    "topic_changes": columns(
        *_TOPIC, _POLARITY, _QUARTER, ("then_quarter", "text", "2026Q2", "Quarter compared with", True), *ESTIMATE, ("p", "number", "0.03", "p: no change"),
        ("detectable", "number", "0.04", "Smallest change these bases show with 80 % power"), ("now", "number", "0.21", "Share now"), ("then", "number", "0.16", "Share then"), ("note", "text", "", "Why it is not estimable"),
        ("definition", "text", "share of commenters", "What is compared"), ("unit", "text", "share", "share"), ("needed_n", "number", "900", "Answers a wave to see 5 percentage points"),
        ("n_now", "number", "397", "Base now"), ("n_then", "number", "410", "Base then"), ("n_both", "whole", "0", "People in both", True),
    ),
}  # fmt: skip
