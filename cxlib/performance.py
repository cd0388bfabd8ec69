"""The columns of what the tracking study finds of units, alerts, objectives, published figures and KPIs that pay a bonus."""

from cxlib.columns import KPI, WAVE, Column, columns, limits


def _funnel(name: str, level: str) -> tuple:
    return (f"low_{name}", "number", "", f"Lower limit at its base within which {level} of units at the centre lie"), (f"high_{name}", "number", "", "Upper limit")


FINDINGS: dict[str, tuple[Column, ...]] = {
    "units": columns(
        KPI, *WAVE, ("segment", "text", "team", "Kind of unit", True), ("value", "text", "team-04", "The unit", True), ("definition", "text", "nps_0_10", "Definition id"), ("unit", "text", "points", "points, share (0..1) or scale"),
        ("estimate", "number", "12.4", "What its own answers say; empty where it is withheld"), ("std_error", "number", "14.1", "Its standard error, from the spread of all units' answers"), ("n", "whole", "33", "Answers; empty where they are withheld"), ("n_eff", "number", "31.2", "Effective base"),
        ("shrunk", "number", "9.1", "Drawn towards the mean of all (empirical Bayes)"), ("conf_low", "number", "-4.0", "Lower end of its 95 % interval"), ("conf_high", "number", "21.5", "Upper end"),
        ("shrinkage", "number", "0.7", "Weight of the mean of all, 0..1"), ("p_above", "number", "0.6", "Probability to lie above the mean of units"), ("verdict", "text", "not told apart", "above, below, not told apart; empty where it takes no part"),
        ("centre", "number", "7.5", "Centre of the funnel"), *_funnel("95", "95 %"), *_funnel("998", "99.8 %"), ("waves", "number", "12", "Waves in which it has answers"), ("flag", "text", "withheld", "low base, too few or withheld"), ("note", "text", "", "Why it has no figure"),
    ),
    "units_spread": columns(
        KPI, *WAVE, ("segment", "text", "team", "Kind of unit", True), ("unit", "text", "points", "points, share (0..1) or scale"), ("n", "whole", "812", "Answers of units that are shown", True), ("units", "whole", "14", "Units with answers that may be shown", True), ("withheld", "whole", "2", "Units that may not", True),
        ("single", "whole", "1", "Units with one answer", True), ("once", "whole", "1", "Units that appear in this wave only", True), ("estimate", "number", "7.5", "Mean of the units"), ("std_error", "number", "1.6", "Its standard error"),
        ("spread", "number", "4.2", "Standard deviation between units (REML)"), *limits("spread", "by Q-profile"), ("q", "number", "31.0", "Cochran's Q"), ("p", "number", "0.003", "p: all units are alike"), ("i2", "number", "0.5", "Part of the scatter that is no sampling error"),
        ("phi", "number", "2.1", "Overdispersion, winsorised"), ("dispersed", "flag", "1", "Whether the funnel lets the spread between units through", True), ("apart", "flag", "1", "Whether they differ by more than chance when all such comparisons are counted", True), ("answer_sd", "number", "80", "Standard deviation of an answer"), ("note", "text", "", "Why it is not estimable"),
    ),
    "alerts": columns(
        ("alert_id", "text", "pulse.nps.2026-07-27", "Survey, KPI and the period that alerted", True), ("kpi", "text", "nps", "KPI of the programme, or answers for their number", True), ("survey", "text", "pulse", "Survey", True), ("period", "text", "week", "week, month or wave", True), ("unit", "text", "points", "points, share (0..1), scale or count", True),
        ("chart", "text", "EWMA", "Laney p', I-MR or EWMA", True), ("direction", "text", "below", "above or below the limits", True), ("first", "date", "2026-07-27", "Period that alerted", True), ("since", "date", "2026-07-06", "Period from which a step is likeliest", True), ("last", "date", "2026-09-28", "Last period in alert", True),
        ("open", "flag", "1", "Whether it lasts", True), ("periods", "whole", "10", "Periods from the first to the last", True), ("estimate", "number", "-8.2", "Level since then"), ("centre", "number", "11", "Usual level, of the baseline"), ("n", "whole", "778", "Answers since then", True), ("better", "flag", "0", "Whether the direction is the good one", True),
        ("segment", "text", "region", "Cut in which one group moved otherwise than the others; empty where none did"), ("value", "text", "North", "That group"), ("value_estimate", "number", "-31", "Its level since then"), ("value_before", "number", "4", "And before"),
        ("length", "number", "366", "Periods to a false alert of such a chart, by simulation"), ("p_quarter", "number", "0.02", "Chance of a false alert within a quarter"), ("watched", "whole", "54", "Periods this chart has watched", True), ("fired", "whole", "1", "Alerts it has given", True), ("note", "text", "", "What became of it"),
    ),
    "charts": columns(
        ("kpi", "text", "nps", "KPI, or answers for their number", True), ("survey", "text", "pulse", "Survey", True), ("period", "text", "week", "week, month or wave", True), ("unit", "text", "points", "points, share (0..1), scale or count", True), ("chart", "text", "EWMA", "Laney p', I-MR or EWMA; empty where nothing is watched"),
        ("rules", "text", "beyond, run", "Rules: beyond the limit, run of eight on one side"), ("limit", "number", "2.81", "Limit in standard deviations of what is held against it"), ("baseline_first", "date", "2025-03-17", "First period of the baseline"), ("baseline_last", "date", "2025-09-15", "Last"), ("n", "whole", "4970", "Answers", True),
        ("baseline", "whole", "27", "Periods of the baseline", True), ("centre", "number", "11", "Its level"), ("sigma", "number", "1.27", "Spread of the baseline in sampling errors (Laney's sigma z); of counts in answers"), ("lag", "number", "0", "Correlation of a period with the next, where it is above zero"),
        ("length_known", "number", "500", "Periods to a false alert if the limits were known"), ("length", "number", "366", "With limits estimated from this baseline, by simulation"), ("p_quarter", "number", "0.02", "Chance of a false alert within a quarter"), ("p_year", "number", "0.19", "Within a year"),
        ("watched", "whole", "54", "Periods watched", True), ("fired", "whole", "1", "Alerts given", True), ("expected", "number", "0.15", "False alerts to be expected in the periods watched"), ("note", "text", "", "Why nothing is watched"),
    ),
    "targets": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("quarter", "text", "2026Q3", "Fiscal quarter of the latest wave", True), ("unit", "text", "points", "points, share (0..1) or scale", True), ("target", "number", "20", "Target, in the unit", True), ("target_by", "date", "2026-12-31", "Day by which it is to be met"),
        ("estimate", "number", "9.8", "Where it stands"), ("std_error", "number", "2.9", "Its standard error"), ("conf_low", "number", "4.1", "Lower end of its 95 % interval"), ("conf_high", "number", "15.5", "Upper end"), ("n", "whole", "640", "Answers of the latest wave", True), ("basis", "text", "level", "level (behind the noise) or wave", True),
        ("p_met", "number", "0.01", "Probability that it is met"), ("day", "date", "2026-12-31", "Day of the forecast"), ("forecast", "number", "9.8", "Level at that day, if it moves on as it has moved"), *limits("forecast", "of that level"), ("p_by", "number", "0.04", "Probability that it is met by then"), ("note", "text", "", "Why there is none"),
    ),
    "published": columns(
        ("series", "text", "AK_H_RECMND", "Published series", True), ("label", "text", "Alaska: would recommend", "Its name"), ("date", "date", "2022-09-30", "Day of the figure", True), ("unit", "text", "share", "share (0..1), points or scale", True), ("estimate", "number", "0.71", "The figure as published", True),
        ("conf_low", "number", "0.66", "Lower end of its 95 % interval, from the least base and the rounding"), ("conf_high", "number", "0.76", "Upper end"), ("n", "number", "300", "Least base that is told"), ("base", "text", "300 or more", "The base as told"),
        ("level", "number", "0.70", "Level behind the noise"), *limits("level", "of the level"), ("change", "number", "-0.02", "Since the figure before"), *limits("change", "of the change"), ("p", "number", "0.2", "p: no change"), ("verdict", "text", "fell", "rose, fell, no detectable change, not told; empty for the first"), ("source", "text", "national survey", "Who published it"), ("licence", "text", "public domain", "Licence"), ("note", "text", "", "What limits it"),
    ),
    "benchmarks": columns(
        KPI, ("survey", "text", "pulse", "Survey", True), ("quarter", "text", "2026Q3", "Fiscal quarter of the KPI", True), ("series", "text", "sector", "Published series", True), ("label", "text", "Sector mean", "Its name"), ("date", "date", "2026-06-30", "Day of the figure", True), ("unit", "text", "share", "share (0..1), points or scale", True),
        ("estimate", "number", "0.71", "The benchmark", True), ("conf_low", "number", "0.66", "Lower end of its 95 % interval"), ("conf_high", "number", "0.76", "Upper end"), ("base", "text", "300 or more", "Its base as told"), ("own", "number", "0.68", "The KPI"), ("difference", "number", "-0.03", "KPI less benchmark; empty where they may not be compared"), *limits("difference", "of the difference"),
        ("verdict", "text", "not told apart", "above, below, not told apart, not compared", True), ("source", "text", "sector survey", "Who published it"), ("licence", "text", "CC BY 4.0", "Licence"), ("note", "text", "the wording differs", "Why it is not compared"),
    ),
    "bonus_checks": columns(
        KPI, *WAVE, ("check", "text", "steering", "heaping, steering or response", True), ("unit", "text", "team-04", "Group concerned; empty over all"), ("n", "whole", "812", "Answers, contacts or invitations looked at", True),
        ("estimate", "number", "0.08", "Steering: invited of settled contacts less of others; response: rate now less before; heaping: as its sight says"), ("conf_low", "number", "0.03", "Lower end of its 95 % interval"), ("conf_high", "number", "0.13", "Upper end"), ("p", "number", "0.004", "p: nobody helped"),
        ("verdict", "text", "look", "clear, look or not checked", True), ("note", "text", "", "What was seen, or why it could not be checked"),
    ),
}  # fmt: skip
