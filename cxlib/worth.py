"""The columns of what the study of effects finds in money: accounts, returns, what customers are worth, forecasts of plans."""

from cxlib.columns import Column, columns, limits

_ACTION = ("action", "text", "loyalty_call", "Action of plan.toml", True)
_LIMITS = (("conf_low", "number", "-400", "Lower end of its 95 % interval"), ("conf_high", "number", "8200", "Upper end"))
_GRADE = ("grade", "text", "A", "Evidence grade: that of the weakest input", True)

FINDINGS: dict[str, tuple[Column, ...]] = {
    "lifetime": columns(
        ("segment", "text", "prepaid", "Segment of the people; empty over all"), ("n", "whole", "1544", "Customers today", True), ("gone", "whole", "654", "Customers who left while they were watched", True), ("years", "number", "4717", "Customer-years watched"),
        ("still", "number", "0.87", "Expected share of today's customers who are there in a year"), *limits("margin", "of the margin a month"), ("margin_month", "number", "11.7", "Margin a month of being a customer, programme's currency"), ("months", "whole", "36", "Months ahead", True),
        ("estimate", "number", "311", "What a customer of today brings in them, present value"), ("std_error", "number", "6", "Its standard error"), *_LIMITS, ("plain", "number", "346", "The same without discount"), ("plain_error", "number", "6.8", "Its standard error"),
        ("carried", "number", "0.06", "Share that rests on tenures longer than any that were seen"), ("largest", "number", "0.002", "Largest share of one customer in the margin"),
        ("since", "date", "2023-01-02", "Day from which leaving is in the customer file"), ("late", "whole", "2188", "Customers who had come before it", True), ("undated", "whole", "0", "Customers without a first day", True), ("note", "text", "", "Why it is not estimable"),
    ),
    "buying": columns(
        ("model", "text", "mbg", "bg (BG/NBD), mbg (MBG/NBD) or gamma-gamma", True), ("parameter", "text", "alpha", "Parameter, or holdout", True), ("estimate", "number", "6.2", "Its estimate; for a holdout the purchases forecast"), ("std_error", "number", "0.7", "Its standard error"), *_LIMITS,
        ("n", "whole", "2357", "Customers", True), ("actual", "number", "712", "For a holdout: the purchases that came"), ("log_likelihood", "number", "-9582.4", "Log-likelihood"), ("note", "text", "", "What limits it"),
    ),
    "accounts": columns(
        _ACTION, ("input", "text", "effect", "Input of the account", True), ("role", "text", "effect", "effect, factor (multiplies it), forgone (margin given away), people, money or reserve (share that may come on top)", True), ("label", "text", "Effect on margin", "The same in words", True),
        ("estimate", "number", "5.36", "Its value", True), ("std_error", "number", "1.6", "Standard deviation of its draws", True), *_LIMITS, ("shape", "text", "normal", "normal, t, lognormal, uniform or fixed", True), ("unit", "text", "margin", "Unit", True),
        ("source", "text", "finding effects", "Where it comes from", True), ("grade", "text", "A", "Evidence grade; empty for what stands in the books"), ("key", "text", "margin_rate", "Inputs of several actions with one key are one draw"),
    ),
    "roi": columns(
        _ACTION, ("others", "text", "Call after the letter", "Actions that it cannot be told apart from, whose cost is in it"), ("measure", "text", "net", "value, investment, net, roi, payback_months, p_pays, break_even_effect; later and net_later with what the plan declares", True), ("estimate", "number", "1400", "The figure; empty where it is not estimable (note says why)"),
        ("std_error", "number", "600", "Standard deviation of its draws"), *_LIMITS, ("unit", "text", "money", "money, ratio, months, probability, effect", True), ("n", "whole", "526", "How often the effect counts", True),
        ("draws", "whole", "65536", "Quasi-random draws", True), _GRADE, ("note", "text", "", "What limits it"),
    ),
    "tornado": columns(
        _ACTION, ("input", "text", "effect", "Input of the account", True), ("low", "number", "2.2", "Its 2.5 % point", True), ("high", "number", "8.5", "Its 97.5 % point", True), ("net_low", "number", "-250", "Net there, the others at their mean", True), ("net_high", "number", "3050", "Net at the other end", True),
        ("roi_low", "number", "-0.2", "Return there", True), ("roi_high", "number", "2.1", "Return at the other end", True), ("roi", "number", "1.0", "Return at the means", True), ("net", "number", "1400", "Net at the means", True), ("swing", "number", "3300", "Distance of the two nets", True),
    ),
    "payback": columns(
        _ACTION, ("month", "whole", "3", "Month of the action, from 0", True), ("estimate", "number", "400", "Value less cost by its end, mean of the draws", True), *_LIMITS, ("declared", "flag", "0", "0: by what was observed; 1: with what the plan declares to come after it", True),
    ),
    "portfolio": columns(
        ("action", "text", "loyalty_call", "Action; programme for the programme's own cost, sure for all of grade A or B, all for everything", True), ("value", "number", "2800", "Present value", True), ("investment", "number", "1400", "Present value of its cost", True), ("estimate", "number", "1400", "Net", True), *_LIMITS,
        ("roi", "number", "1.0", "Net over investment"), ("p_pays", "number", "0.97", "Share of draws with a net above zero"), ("n", "whole", "526", "How often its effect counts; of all: customers reached, each once", True), ("grade", "text", "A", "Evidence grade"), ("note", "text", "", "Actions that it cannot be told apart from"),
    ),
    "forecasts": columns(
        ("forecast", "text", "value.app_relaunch", "What is forecast: value. and an action still to come, or leaving", True), ("kind", "text", "value", "value or count", True), ("what", "text", "customers who leave in the next quarter", "The same in words", True),
        ("made_in", "text", "2026Q3", "Quarter whose data it was made from", True), ("due", "text", "2026Q4", "Quarter in which it can be compared", True), ("unit", "text", "customers", "Unit", True), ("estimate", "number", "61", "The forecast", True), ("std_error", "number", "8", "Standard deviation of what may come", True), *_LIMITS,
        ("p", "number", "0.8", "For an action: chance that it pays"), ("n", "whole", "2051", "Customers it is about", True), ("grade", "text", "D", "Evidence grade", True), ("source", "text", "2026Q2 r1", "Edition that made it; remade where it was made anew from what was known then"), ("note", "text", "", "What limits it"),
    ),
    "settled": columns(
        ("forecast", "text", "leaving", "What was forecast", True), ("kind", "text", "count", "value or count", True), ("what", "text", "customers who leave in the next quarter", "The same in words", True), ("made_in", "text", "2026Q2", "Quarter whose data it was made from", True), ("due", "text", "2026Q3", "Quarter in which it was to come", True),
        ("unit", "text", "customers", "Unit", True), ("estimate", "number", "61", "The forecast", True), ("std_error", "number", "8", "Standard deviation of what might have come", True), *_LIMITS, ("p", "number", "0.8", "For an action: chance that it pays"), ("n", "whole", "2051", "Customers it was about", True), ("grade", "text", "D", "Evidence grade", True),
        ("source", "text", "published", "published, or remade from what was known then", True), ("note", "text", "", "What limits it"), ("actual", "number", "64", "What came", True), ("inside", "flag", "1", "Whether it lies in the interval", True),
    ),
    "calibration": columns(
        ("source", "text", "remade", "Forecasts of published editions, or made anew from what was known then", True), ("n", "whole", "8", "Forecasts that have fallen due", True), ("inside", "whole", "8", "Of which inside their interval", True), ("estimate", "number", "1.0", "Share inside", True), *_LIMITS,
        ("bias", "number", "0.2", "Mean of what came less the forecast, in its standard deviations"), ("brier", "number", "0.1", "Brier score of the chances that actions pay"), ("n_brier", "whole", "0", "Actions behind it", True), ("verdict", "text", "too few to judge", "too few to judge, kept, too narrow, too wide", True),
    ),
}  # fmt: skip
