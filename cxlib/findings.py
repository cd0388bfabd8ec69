"""The columns of every finding, with type, unit, example and meaning, study by study."""

from cxlib import evidence, mentioned, performance, value, worth
from cxlib.columns import KPI as _KPI
from cxlib.columns import TABLES, Column
from cxlib.columns import WAVE as _WAVE
from cxlib.columns import columns as _columns
from cxlib.columns import limits as _LIMITS
from cxlib.mentioned import ESTIMATE as _ESTIMATE

FINDINGS: dict[str, tuple[Column, ...]] = {
    "claims": _columns(
        ("claim_id", "text", "tracking.nps.last_wave", "Name of the claim", True),
        ("study", "text", "03_performance_tracking", "Study that makes it", True),
        ("text", "text", "NPS rose by 6 points", "The sentence, if its test survives the ledger", True),
        ("text_null", "text", "NPS showed no detectable change", "The sentence otherwise", True),
        ("estimate", "number", "6.0", "The figure behind it"),
        ("conf_low", "number", "2.0", "Lower end of its 95 % interval"),
        ("conf_high", "number", "10.0", "Upper end of its 95 % interval"),
        ("unit", "text", "points", "Unit of the figure", True),
        ("base", "text", "640 respondents of the annual survey", "Base in words", True),
        ("n", "whole", "640", "Unweighted answered base", True),
        ("n_eff", "number", "571.2", "Effective base"),
        ("p", "number", "0.003", "p-value of its test"),
        ("test_id", "text", "tracking.nps.last_wave", "Its test in the ledger; empty for a description"),
        ("grade", "text", "D", "Evidence grade A to E", True),
        ("rank", "number", "1", "Order of interest, smaller first", True),
        ("action", "flag", "1", "Whether it may lead to an action", True),
    ),
    "tests": _columns(
        ("test_id", "text", "tracking.nps.last_wave", "Name of the test", True),
        ("study", "text", "03_performance_tracking", "Study", True),
        ("family", "text", "kpi_change", "Family within which multiplicity is controlled", True),
        ("kind", "text", "primary", "primary, secondary, exploratory or check", True),
        ("what", "text", "NPS, 2026Q3 against 2026Q2", "What is tested", True),
        ("n", "whole", "640", "Base", True),
        ("estimate", "number", "6.0", "Estimate"),
        ("conf_low", "number", "2.0", "Lower end of its 95 % interval"),
        ("conf_high", "number", "10.0", "Upper end"),
        ("p", "number", "0.003", "p-value; empty where not estimable"),
    ),
}
FINDINGS |= {  # 01
    "intake": TABLES["files"],
    "repairs": TABLES["repairs"],
    "anomalies": TABLES["anomalies"],
    "bases": _columns(
        _KPI, *_WAVE,
        ("rows", "whole", "640", "Respondents of the wave", True), ("asked", "whole", "640", "Respondents asked", True),
        ("n", "whole", "622", "Respondents who answered", True), ("weighted_n", "number", "618.3", "Sum of their weights", True),
        ("n_eff", "number", "571.2", "Effective base (Kish)", True), ("note", "text", "not asked in this wave", "Why there is no base"),
    ),
    "links": _columns(
        ("survey", "text", "annual", "Survey", True), ("table", "text", "orders", "Table linked to", True), ("n", "whole", "1890", "Respondents", True),
        ("with_key", "whole", "1650", "Those who carry a customer key", True), ("linked", "whole", "1153", "Those found in the table", True),
        ("estimate", "number", "0.61", "linked / n, a proportion", True), ("false", "number", "3.4", "Expected false links among them"), ("false_low", "number", "0.5", "Lower end of the 95 % interval"), ("false_high", "number", "8.1", "Upper end of the 95 % interval"),
        ("sentence", "text", "Linked to orders: 61 % of respondents.", "The base in words"), ("note", "text", "", "Why nothing can be linked"),
    ),
    "matched": TABLES["matching"],
    "histories": _columns(
        ("table", "text", "interactions", "Table", True), ("customers", "whole", "1890", "Customers with at least one row", True), ("rows", "whole", "5204", "Entries of timelines", True),
        ("undated", "whole", "0", "Entries without a day", True), ("first", "moment", "2024-01-02", "First entry"), ("last", "moment", "2026-09-30", "Last entry"),
    ),
    "touchpoints": _columns(
        ("stage", "text", "help", "Stage of the journey"), ("touchpoint", "text", "hotline", "Touchpoint", True), ("channel", "text", "phone", "Channel; empty where none is told"),
        ("kind", "text", "perceptive", "operational (what happened), perceptive (what customers say) or outcome (what they do afterwards)", True), ("n", "whole", "640", "Rows that measure it", True),
        ("first", "date", "2024-01-02", "First day measured"), ("last", "date", "2026-09-30", "Last day measured"), ("blind", "flag", "0", "Nothing measures it", True), ("declared", "flag", "1", "The journeys name it", True),
    ),
}  # fmt: skip
_RATE = (
    ("estimate", "number", "0.45", "Response rate, a share"), ("std_error", "number", "0.011", "Its standard error"), ("conf_low", "number", "0.43", "Lower end of the 95 % interval"), ("conf_high", "number", "0.47", "Upper end of the 95 % interval"),
)  # fmt: skip
_BOUND = (("low", "number", "-9.5", "Lowest level of all invited, from the estimate"), ("high", "number", "1.7", "Highest"), ("conf_low", "number", "-14.8", "Lowest level, sampling error included"), ("conf_high", "number", "7.1", "Highest"))
FINDINGS |= {  # 01, whom the answers stand for
    "fieldwork": _columns(
        *_WAVE, ("population", "text", "consumers with a contract", "Whom the answers stand for"), ("mode", "text", "online", "How it was asked"), ("sample", "text", "customer file", "Where those who were asked come from"), ("first", "date", "2026-09-01", "First day"), ("last", "date", "2026-09-21", "Last day"),
        ("invited", "number", "1970", "Invited, or in the frame; empty where nobody knows"), ("completed", "whole", "881", "Questionnaires", True), ("people", "number", "881", "Distinct people, where they are known"), ("accounts", "number", "823", "Distinct accounts, where they are known"),
        *[column for column in _RATE if column[0] != "std_error"], ("definition", "text", "answered / invited (AAPOR RR1)", "What that rate is"), ("minutes", "number", "4", "Length of the interview"), ("weighting", "text", "raked to region, age", "How it was weighted", True),
        ("n_eff", "number", "832", "Effective base of all completed (Kish)"), ("factor", "number", "1.05", "Completed over effective base: what unequal weights cost"), ("low", "number", "0.4", "Smallest weight, in multiples of the mean"), ("high", "number", "2.8", "Largest weight"),
    ),
    "who_rates": _columns(
        *_WAVE, ("field", "text", "contract", "Field of the frame; empty over all"), ("value", "text", "prepaid", "Its category"), ("n", "whole", "552", "Invited", True), ("answered", "whole", "195", "Of whom answered", True),
        *_RATE, ("n_eff", "number", "540", "Effective number invited"), ("share_invited", "number", "0.28", "Part of those invited"), ("share_answered", "number", "0.22", "Part of those who answered"), ("definition", "text", "answered / invited (AAPOR RR1)", "What the rate is", True),
    ),
    "who_bounds": _columns(
        _KPI, *_WAVE, ("unit", "text", "points", "points, share or scale", True), ("shift", "number", "10", "d: most by which the silent differ; the largest is the worst case", True), ("rate", "number", "0.44", "Answered the item / invited", True),
        ("estimate", "number", "-3.9", "Level of those who answered"), *_BOUND, ("n", "whole", "869", "Answered", True), ("definition", "text", "answered / invited (AAPOR RR1)", "What the rate is", True),
    ),
    "who_adjusted": _columns(
        _KPI, *_WAVE, ("definition", "text", "nps_0_10", "Definition id", True), ("unit", "text", "points", "points, share or scale", True), *_ESTIMATE, ("shown", "number", "-3.9", "Level on the other pages"),
        ("shift", "number", "-0.8", "estimate - shown"), ("fields", "text", "contract, region", "What the frame knows of those invited", True),
    ),
    "who_fatigue": _columns(
        ("survey", "text", "pulse", "Survey", True), ("earlier", "text", "3", "Invitations within the 365 days before, or: each one more", True), ("n", "whole", "2946", "Invitations", True), ("answered", "whole", "1523", "Of which answered", True),
        *_RATE, ("p", "number", "0.35", "p: earlier invitations go with nothing"),
    ),
    "who_accounts": _columns(
        *_WAVE, ("segment", "text", "business", "Segment of the accounts; empty over all"), ("accounts", "whole", "129", "Customers on the first day of fieldwork", True), ("invited", "whole", "128", "Of whom somebody was invited", True), ("answered", "whole", "103", "Of whom somebody answered", True),
        ("estimate", "number", "0.80", "answered / accounts"), ("people", "number", "1.6", "Answers an answering account"), ("revenue", "number", "0.79", "Part of the sales of the twelve months before"),
    ),
    "teams_asked": _columns(
        ("survey", "text", "pulse", "Survey", True), _KPI, ("team", "text", "north-1", "Team of staff", True), ("n", "whole", "640", "Answers of all waves", True), ("top", "number", "0.21", "Share of top scores", True),
        ("elsewhere", "number", "0.19", "Share of top scores that people of its customers' mood give elsewhere", True), ("seen", "text", "", "What looks begged; empty: nothing"),
    ),
    "teams_invited": _columns(
        ("survey", "text", "pulse", "Survey", True), _KPI, ("unit", "text", "points", "Unit of the key figure", True), ("team", "text", "north-1", "Team of staff", True), ("contacts", "whole", "640", "Contacts whose outcome is known", True),
        ("solved", "whole", "480", "Of which solved", True), ("unsolved", "whole", "160", "Of which not", True), ("asked_solved", "number", "0.6", "Share invited of those solved", True), ("asked_unsolved", "number", "0.6", "Share invited of the others", True),
        ("estimate", "number", "0.0", "The first less the second", True), ("conf_low", "number", "-0.05", "Lower end of its 95 % interval", True), ("conf_high", "number", "0.05", "Upper end", True), ("usual", "number", "0.01", "The same of all other teams", True),
        ("p", "number", "0.6", "p: no difference from them", True), ("moved", "number", "0.1", "What the choice, and who then answers, adds to the team's key figure"), ("told", "flag", "0", "10 points more than elsewhere, at .01 over the number of teams", True),
    ),
}  # fmt: skip
_DRIVER = (("survey", "text", "annual", "Survey", True), ("wave", "text", "2026", "Wave", True), _KPI, ("driver", "text", "network", "Attribute", True))
_MODEL = _DRIVER[:3]
_DIFFERENCE = (
    ("driver", "text", "network", "Attribute"), ("method", "text", "shapley", "Method"), ("now", "number", "0.12", "Part of R2 here or now"), ("then", "number", "0.1", "Part of R2 elsewhere or then"), *_ESTIMATE[:4],
    ("p", "number", "0.03", "p: no difference"), ("n", "number", "420", "Base here or now"), ("n_then", "number", "410", "Base elsewhere or then"), ("note", "text", "", "Why it is not estimable"),
)  # fmt: skip
FINDINGS |= {  # 02
    "importance": _columns(
        *_DRIVER, ("method", "text", "shapley", "correlation, ols (standardised), johnson or shapley", True), *_ESTIMATE,
        ("share", "number", "0.31", "Part of the explained variance, a proportion (johnson, shapley)"),
        ("r2", "number", "0.46", "Variance explained by all attributes"), *_LIMITS("r2", "proportion"),
        ("p_top1", "number", "0.93", "Bootstrap frequency of rank 1"), ("p_top3", "number", "1.0", "Bootstrap frequency of the first three ranks"),
        ("rank", "number", "1", "Rank"), ("rank_low", "number", "1", "Best rank, simultaneous 95 %"), ("rank_high", "number", "3", "Worst rank, simultaneous 95 %"),
        ("note", "text", "", "Why it is not estimable"),
    ),
    "priorities": _columns(
        *_DRIVER, ("method", "text", "shapley", "Method of importance", True),
        ("importance", "number", "0.14", "Part of R2"), *_LIMITS("importance", "part of R2"),
        ("performance", "number", "3.4", "Mean rating, scale units"), *_LIMITS("performance", "scale units"),
        ("cut_importance", "number", "0.05", "Cut line: mean over the attributes"), ("cut_performance", "number", "3.6", "Cut line: mean over the attributes"),
        ("quadrant", "text", "fix first", "fix first, protect, watch, don't over-invest"), ("p_quadrant", "number", "0.97", "Bootstrap frequency of that quadrant"),
        ("p_fix_first", "number", "0.97", "Bootstrap frequency of fix first"), ("p_protect", "number", "0.02", "Of protect"), ("p_watch", "number", "0.01", "Of watch"), ("p_restrain", "number", "0.0", "Of don't over-invest"), ("n", "whole", "610", "Base", True), ("n_eff", "number", "570", "Effective base"), ("note", "text", "", "Why it is not placed"),
    ),
    "pairs": _columns(
        ("survey", "text", "annual", "Survey", True), ("wave", "text", "2026", "Wave", True), _KPI, ("driver_a", "text", "coverage", "Attribute", True), ("driver_b", "text", "price", "Another", True),
        ("estimate", "number", "0.02", "Importance of the first less that of the second, part of R2"), ("conf_low", "number", "-0.01", "Lower end, all pairs at once at 95 %"), ("conf_high", "number", "0.05", "Upper end"),
        ("told_apart", "flag", "0", "Whether that interval leaves out zero", True),
    ),
    "relevance": _columns(
        *_DRIVER, ("method", "text", "shapley", "Statistic permuted", True), ("estimate", "number", "0.14", "Statistic"), ("p", "number", "0.001", "Permutation p"),
        ("replicates", "whole", "999", "Permutations", True), ("n", "whole", "610", "Base", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "cuts": _columns(
        *_DRIVER, ("rule", "text", "means", "Rule of the cut lines: means, medians, middle of the scale, target", True), ("quadrant", "text", "fix first", "Corner under that rule"),
        ("p_quadrant", "number", "0.97", "Bootstrap frequency of that corner"), ("p_fix_first", "number", "0.97", "Bootstrap frequency of fix first"), ("same", "flag", "1", "Whether every rule gives this corner", True),
    ),
    "steps": _columns(
        *_DRIVER, ("performance", "number", "3.4", "Mean rating"), ("headroom", "number", "1.6", "Highest score less the mean, scale units"), ("step", "number", "0.5", "Step up, scale units"),
        *_ESTIMATE, ("unit", "text", "points", "Unit of the estimate: points, percentage points or score"), ("note", "text", "", "Why it is not estimable"),
    ),
    "stated": _columns(
        *_MODEL, ("driver", "text", "network", "Attribute"), ("stated", "number", "4.2", "Stated importance: mean rating, or share who named it"), *_LIMITS("stated", "as it"), ("unit", "text", "scale", "scale or share"),
        ("rank_stated", "number", "2", "Rank by what is said"), ("rank_derived", "number", "5", "Rank by what goes with the KPI"), ("meaning", "text", "said, not shown", "What the difference means"),
        ("agreement", "number", "0.4", "Rank correlation of the two orders"), ("n", "number", "610", "Base"), ("note", "text", "", "Why there is none"),
    ),
    "carried": _columns(
        *_MODEL, ("driver", "text", "network", "Attribute"), ("importance", "number", "0.14", "Part of R2 at the last driver wave"), ("performance_then", "number", "3.4", "Mean rating then"),
        ("performance_now", "number", "3.1", "Mean rating in the reported quarter"), *_LIMITS("performance", "scale units"), ("n", "number", "410", "Base now"),
        ("quadrant_then", "text", "protect", "Corner then"), ("quadrant_now", "text", "fix first", "Corner now, cut lines as they were"), ("moved", "number", "1", "1 where the corner changed and the line lies outside the interval"),
    ),
    "filtered": _columns(
        *_MODEL, ("driver", "text", "solved", "Attribute asked only of some"), ("method", "text", "shapley", "Method"), *(one[:4] for one in _ESTIMATE), ("share", "number", "0.2", "Part of the explained variance"), ("r2", "number", "0.5", "Variance explained in this base"),
        *_LIMITS("r2", "proportion"), ("p_top1", "number", "0.1", "Bootstrap frequency of rank 1"), ("p_top3", "number", "0.8", "Of the first three"), ("rank", "number", "2", "Rank among those asked"),
        ("rank_low", "number", "1", "Best rank"), ("rank_high", "number", "5", "Worst rank"), ("note", "text", "", "Why it is not estimable"),
    ),
    "asymmetry": _columns(
        *_DRIVER, ("penalty", "number", "-0.8", "KPI with a poor rating less that between"), *_LIMITS("penalty", "KPI score"), ("reward", "number", "0.2", "KPI with the best rating less that between"), *_LIMITS("reward", "KPI score"),
        *_ESTIMATE[:4], ("p", "number", "0.01", "p: penalty and reward are equal in size"), ("class", "text", "basic", "basic, performance, delighter, none shown"), ("p_class", "number", "0.9", "Bootstrap frequency of the class"),
        ("n_poor", "whole", "80", "Poor ratings", True), ("n_best", "whole", "240", "Best ratings", True), ("best_from", "number", "5", "Score from which a rating counts as best"), ("n", "whole", "610", "Base", True), ("note", "text", "", "Why it is not estimable"),
        ("necessary_size", "number", "0.1", "Empty corner above poor ratings, part of the possible area"), ("necessary_p", "number", "0.02", "p: chance leaves as large a corner"),
    ),
    "groups": _columns(
        *_MODEL, ("group", "text", "service", "Group of attributes"), ("driver", "text", "", "Attribute; empty for the whole group"), ("estimate", "number", "0.2", "Part of R2 (Shapley of groups, Owen within)"), ("conf_low", "number", "0.1", "Lower end of its 95 % interval"), ("conf_high", "number", "0.3", "Upper end"),
        ("share", "number", "0.4", "Part of the explained variance"), ("r2", "number", "0.5", "Variance explained"), ("p_top1", "number", "0.5", "Bootstrap frequency of being first"), ("items", "number", "3", "Attributes in it"),
        ("alpha", "number", "0.7", "Cronbach's alpha"), *_LIMITS("alpha", "Feldt"), ("omega", "number", "0.72", "McDonald's omega"), ("n", "number", "570", "Base"), ("n_eff", "number", "550", "Effective base"), ("note", "text", "", "Why it is not estimable"),
    ),
    "halo": _columns(
        *_DRIVER, ("loading", "number", "0.6", "Loading on the common factor"), ("share", "number", "0.34", "Part of the attributes' variance that is common"), ("kpi_share", "number", "0.5", "R2 of the KPI on the factor alone"),
        ("estimate", "number", "0.2", "Partial correlation with the KPI, the factor held"), ("conf_low", "number", "0.1", "Lower end of its 95 % interval"), ("conf_high", "number", "0.3", "Upper end"), ("n", "whole", "610", "Base", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "inseparable": _columns(
        *_MODEL, ("driver_a", "text", "coverage", "Attribute"), ("driver_b", "text", "speed", "The one it cannot be separated from"), ("correlation", "number", "0.86", "Their correlation"),
        ("inflation", "number", "6.1", "Variance inflation; empty where one determines the other"), ("n", "number", "570", "Answered both"),
    ),
    "variants": _columns(
        *_DRIVER, ("variant", "text", "complete", "What was done otherwise", True), ("estimate", "number", "0.1", "Part of the fit"), ("share", "number", "0.2", "Part of the explained fit"), ("rank", "number", "2", "Rank"),
        ("r2", "number", "0.5", "Fit explained"), ("n", "whole", "225", "Base", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "driver_segments": _columns(
        *_MODEL, ("segment", "text", "brand", "Segment"), ("value", "text", "Fernau", "Its value, against all others"), *_DIFFERENCE,
    ),
    "index": _columns(
        ("survey", "text", "annual", "Survey"), ("wave", "text", "2026", "Wave"), ("index", "text", "csi", "Satisfaction index of the programme"), ("kind", "text", "score", "path, weight, loading, r2, total (direct and over others), score (0 to 100), alpha or omega (reliability)"),
        ("to", "text", "loyalty", "Construct, or item of a weight or loading"), ("from", "text", "service", "Construct it depends on, or is measured by it"), *(one[:4] for one in _ESTIMATE[:4]), ("n", "number", "570", "Base"), ("note", "text", "", "Why it is not estimable, or how it was"),
    ),
    "service_gaps": _columns(
        ("survey", "text", "annual", "Survey"), ("wave", "text", "2026", "Wave"), ("dimension", "text", "reliability", "Dimension of service; all for their mean"), ("perception", "number", "3.6", "What was found, scale units"), ("expectation", "number", "4.2", "What was expected"),
        *(one[:4] for one in _ESTIMATE[:4]), ("p", "number", "0.01", "p: no gap"), ("pairs", "number", "4", "Pairs of questions"), ("n", "number", "570", "Base"), ("n_eff", "number", "550", "Effective base"), ("note", "text", "", "Why it is not estimable"),
    ),
    "driver_views": _columns(
        *_MODEL, ("view", "text", "accounts", "people (every answer by its weight), accounts (each once), sales (each by its orders of the year before) or role"), ("value", "text", "owner", "The role; else empty"), ("driver", "text", "network", "Attribute"),
        ("importance", "number", "0.14", "Part of R2"), *_LIMITS("importance", "part of R2"), ("performance", "number", "3.4", "Mean rating, scale units"), *_LIMITS("performance", "scale units"), ("rank", "number", "1", "Rank by importance"),
        ("accounts", "number", "410", "Accounts that answered"), ("n", "number", "610", "Base"), ("n_eff", "number", "570", "Effective base"), ("note", "text", "", "Why it is not estimable"),
    ),
    "driver_changes": _columns(
        *_MODEL, ("then_wave", "text", "2025", "Wave compared with"), *_DIFFERENCE, ("quadrant", "text", "protect", "Corner now"), ("p_quadrant", "number", "0.9", "Bootstrap frequency of it"),
        ("quadrant_then", "text", "fix first", "Corner then"), ("p_quadrant_then", "number", "0.9", "Bootstrap frequency of it"),
    ),
}  # fmt: skip
FINDINGS |= mentioned.FINDINGS  # 04
_CHANGED = ("changed", "text", "wording: 'staff' became 'advisers'", "What changed in the question since the wave before, where they may not be compared")
_LEVEL = (
    ("definition", "text", "nps_0_10", "Definition id", True), ("unit", "text", "points", "points, share (0..1) or scale", True), *_ESTIMATE,
    ("weighted_n", "number", "618.3", "Sum of weights"), ("deff", "number", "1.2", "Design effect: n over the answers of a simple random sample with the same error"),
    ("df", "number", "14.2", "Degrees of freedom of Student's t; empty for the normal"), ("widening", "number", "1", "What few unequal clusters add to the variance of the interval, a factor"),
    ("basis", "text", "raked to region, clustered by person_id", "What the interval allows for beside chance"), ("flag", "text", "low base", "low base, too few or withheld"), ("note", "text", "", "Why it is not estimable"),
    ("unweighted", "number", "11.9", "The same estimate with every answer counted once"),
)  # fmt: skip
_MOVE = (
    _KPI, ("survey", "text", "pulse", "Survey", True), ("wave", "text", "2026Q3", "Wave", True), ("quarter", "text", "2026Q3", "Fiscal quarter", True), ("against", "text", "last wave", "last wave or last year", True),
    ("then_wave", "text", "2026Q2", "Wave compared with", True), ("then_quarter", "text", "2026Q2", "Its quarter", True),
    ("unit", "text", "points", "points, share or scale", True),
)  # fmt: skip
FINDINGS |= {  # 03
    "move_parts": _columns(
        *_MOVE, ("segment", "text", "region", "Cut of the respondents", True), ("value", "text", "North", "Its value; all for the sums, other for values with few answers", True),
        ("part", "text", "within", "within, mix, weights or total", True), ("estimate", "number", "-9.8", "Part of the move, in the KPI's unit"), ("std_error", "number", "3.1", "Its standard error"),
        ("conf_low", "number", "-15.9", "Lower end of its 95 % interval"), ("conf_high", "number", "-3.7", "Upper end"), ("n_now", "whole", "640", "Answers now", True), ("n_then", "whole", "655", "Answers then", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "move_attributes": _columns(
        *_MOVE, ("driver", "text", "waiting", "Attribute; unexplained for the rest, all for the whole move", True), ("moved", "number", "-0.8", "Change of the mean rating, scale units"), ("slope", "number", "16.2", "KPI units a scale unit"),
        ("estimate", "number", "-12.4", "What goes with it, in the KPI's unit"), ("std_error", "number", "1.6", "Its standard error"), ("conf_low", "number", "-15.6", "Lower end of its 95 % interval"), ("conf_high", "number", "-9.2", "Upper end"),
        ("n_now", "whole", "734", "Ratings now", True), ("n_then", "whole", "753", "Ratings then", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "bridged": _columns(
        ("survey", "text", "visits", "Survey", True), ("item", "text", "visit_advice_new", "Item with the new wording", True), ("wave", "text", "2025Q3", "Wave", True), ("quarter", "text", "2025Q3", "Fiscal quarter", True),
        ("estimate", "number", "3.9", "Mean in scale units; before the change of the old wording, moved by the bridge", True), ("std_error", "number", "0.06", "Its standard error, that of the bridge included"),
        ("conf_low", "number", "3.8", "Lower end of its 95 % interval"), ("conf_high", "number", "4.0", "Upper end"), ("n", "whole", "250", "Answers", True),
        ("as_asked", "number", "4.3", "Mean without the bridge"), ("bridge", "number", "-0.46", "What was added: the new wording's mean less the old one's in the split sample", True),
        *_LIMITS("bridge", "of the bridge"), ("n_new", "whole", "120", "Answers to the new wording in the split sample", True), ("n_old", "whole", "124", "Answers to the old one", True),
        ("moved", "number", "0.07", "Step into the wave of the change, the old wording asked in both waves"), *_LIMITS("moved", "of that step"),
    ),
    "levels": _columns(
        _KPI, ("survey", "text", "pulse", "Survey", True), ("period", "text", "week", "week, month or wave", True), ("date", "date", "2026-07-06", "First day of the period; the middle of a wave's quarter", True),
        ("unit", "text", "points", "points, share or scale", True), ("estimate", "number", "12.4", "What this period's answers say on their own"), ("sampling", "number", "10.1", "Its standard error, from the spread of all periods"),
        ("n", "whole", "61", "Unweighted answered base", True), ("n_eff", "number", "61", "Effective base (Kish)"),
        ("level", "number", "9.8", "Level behind the noise, given all periods", True), ("conf_low", "number", "4.1", "Lower end of its 95 % interval", True), ("conf_high", "number", "15.5", "Upper end", True),
        ("filtered", "number", "10.4", "Level as known at the time"), *_LIMITS("filtered", "of the level as known at the time"),
        ("forecast", "number", "9.0", "Forecast of the estimate, one period ahead"), ("forecast_sd", "number", "10.9", "Its standard deviation"), ("surprise", "number", "0.3", "Standardised forecast error"),
        ("seasonal", "number", "0", "Seasonal part"), ("break", "flag", "0", "A jump in the likeliest course", True), ("jump", "number", "0.04", "Probability of a jump there", True),
        ("step_sd", "number", "1.1", "Standard deviation of the level's step a period"), ("note", "text", "", "Why there is no level"),
    ),
    "kpis": _columns(_KPI, *_WAVE, *_LEVEL, _CHANGED),
    "index_by_wave": _columns(("kpi", "text", "csi", "Satisfaction index of the programme", True), *_WAVE, *_LEVEL[:-1]),
    "retention": _columns(("quarter", "text", "2026Q3", "Fiscal quarter", True), ("left", "whole", "98", "Customers when it began who were none when it ended", True), *_LEVEL[:-1]),
    "kpis_by_segment": _columns(
        _KPI, *_WAVE, ("segment", "text", "brand", "Column that cuts", True), ("value", "text", "Fernau", "Its value", True),
        *[("n", "whole", "640", "Unweighted answered base; empty where it is withheld") if column[0] == "n" else column for column in _LEVEL], _CHANGED,
    ),
    "changes": _columns(
        _KPI, *_WAVE, ("against", "text", "last wave", "last wave or last year", True), ("then_wave", "text", "2026Q2", "Wave compared with", True),
        ("then_quarter", "text", "2026Q2", "Its quarter", True), ("gap", "whole", "1", "Quarters between", True), ("definition", "text", "nps_0_10", "Definition id", True),
        ("unit", "text", "points", "points, share or scale", True), *_ESTIMATE, ("p", "number", "0.003", "p: no change"), ("detectable", "number", "7.9", "Smallest change seen with 80 % power"),
        ("needed_n", "number", "1400", "Answers a wave to see 5 points, 5 percentage points or .2 scale points"), ("now", "number", "-6", "Level now"), ("then", "number", "13", "Level then"),
        ("n_now", "number", "825", "Base now"), ("n_then", "number", "765", "Base then"), ("n_both", "whole", "120", "People in both", True), ("note", "text", "", "Why it is not estimable"),
    ),
}  # fmt: skip
FINDINGS |= performance.FINDINGS | evidence.FINDINGS | worth.FINDINGS | value.FINDINGS
FINDINGS |= {  # 00
    "ledger": (*FINDINGS["tests"], *_columns(
        ("p_bh", "number", "0.01", "Benjamini-Hochberg within its family"), ("p_by", "number", "0.03", "Benjamini-Yekutieli within its family"), ("p_holm", "number", "0.02", "Holm over the headlines"),
        ("p_family", "number", "0.01", "p of its family"), ("p_adjusted", "number", "0.03", "What is compared with .05"), ("survives", "flag", "1", "Whether it may be told", True),
        ("conf_low_adj", "number", "1.2", "Lower end of the interval, widened for the selection"), ("conf_high_adj", "number", "9.8", "Upper end"),
    )),
    "told": (*FINDINGS["claims"], *_columns(
        ("said", "text", "NPS rose by 6 points", "What stands in the summary", True), ("survives", "flag", "1", "Whether its test survived; 1 for a description", True),
        ("p_adjusted", "number", "0.03", "Adjusted p of its test"), ("headline", "whole", "1", "Place among the main points; 0 for none", True),
    )),
}  # fmt: skip
