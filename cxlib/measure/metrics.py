"""NPS, CSAT, CES and scale means: definitions, tallies, estimates with their intervals, and changes between waves.

Everything is computed from a tally (how many gave which score, with the sums of weights and of squared weights), so that a tally
made by a cluster and one made by pandas lead to the same numbers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError, nearest

Z = 1.959963984540054
CENSUS = 1e15  # the base behind an interval where the whole population answered
LOW_BASE = (30, 50)  # n_eff: under the first "too few", under the second "low base"
OF_INTEREST = {"points": 5.0, "share": 0.05, "scale": 0.2}  # the smallest change worth planning a sample for


@dataclass(frozen=True)
class Definition:
    """One way to turn a score into a number; its id travels with every estimate because two definitions never share a line."""

    id: str
    label: str
    unit: str  # points (-100..100) | share (0..1) | scale (units of the scale)
    low: float
    high: float
    good: str  # "high" or "low": which end is the good one
    promoters: tuple = ()  # NPS only; shares: the scores that count
    detractors: tuple = ()

    def value(self, score):
        """Return the value of each score: -100, 0, 100 for points, 0 or 1 for shares, the score itself for means."""
        score = np.asarray(score, dtype=float)
        if self.unit == "scale":
            return score
        return (100.0 if self.unit == "points" else 1.0) * (np.isin(score, self.promoters).astype(float) - np.isin(score, self.detractors))

    @property
    def bounds(self):
        """Return the lowest and the highest possible estimate."""
        return {"points": (-100.0, 100.0), "share": (0.0, 1.0)}.get(self.unit, (self.low, self.high))


def _top(id, label, low, high, top, good="high"):
    return Definition(id, label, "share", low, high, good, tuple(range(high - top + 1, high + 1)))


DEFINITIONS = {
    item.id: item
    for item in (
        Definition("nps_0_10", "Net Promoter Score: share of 9-10 minus share of 0-6", "points", 0, 10, "high", (9, 10), tuple(range(7))),
        _top("csat_top2_of_5", "CSAT: share satisfied, 4-5 of 5", 1, 5, 2),
        Definition("ces_1", "CES 1.0: mean effort on 1-5, low is good", "scale", 1, 5, "low"),
        _top("ces_2", "CES 2.0: share who agree that it was made easy, 5-7 of 7", 1, 7, 3),
        _top("ease_top2_of_5", "Share who found it easy, 4-5 of 5", 1, 5, 2),
        _top("repurchase_top2_of_5", "Share likely to buy again, 4-5 of 5", 1, 5, 2),
        _top("top2_of_5", "Share of 4-5 of 5", 1, 5, 2),
        _top("top2_of_4", "Share of 3-4 of 4", 1, 4, 2),
        _top("top2_of_6", "Share of 5-6 of 6", 1, 6, 2),
        _top("top3_of_7", "Share of 5-7 of 7", 1, 7, 3),
        _top("top2_of_7", "Share of 6-7 of 7", 1, 7, 2),
        _top("top2_of_10", "Share of 9-10 on 1-10", 1, 10, 2),
        Definition("bottom2_of_5", "Share of 1-2 of 5", "share", 1, 5, "low", (1, 2)),
        Definition("mean_of_5", "Mean on 1-5", "scale", 1, 5, "high"),
        Definition("mean_of_7", "Mean on 1-7", "scale", 1, 7, "high"),
        Definition("mean_of_10", "Mean on 1-10", "scale", 1, 10, "high"),
        Definition("mean_0_10", "Mean on 0-10", "scale", 0, 10, "high"),
        _top("share_0_1", "Share of 1, where 0 and 1 are the two answers", 0, 1, 1),
    )
}


def definition_of(id):
    """Return the Definition with this id, or say which ids exist."""
    if isinstance(id, Definition):
        return id
    if id not in DEFINITIONS:
        raise DataError(f"There is no definition '{id}'{nearest(id, DEFINITIONS) or '.'} Known: {', '.join(DEFINITIONS)}.")
    return DEFINITIONS[id]


def tally(frame, *, score, by=(), weight=None):
    """Count who gave which score.

    in: one row an answer; `score` names the column (missing = did not answer or was not asked, outside the base), `by` the key
    columns (a missing key is a group of its own), `weight` a column of weights >= 0 (default: 1 each).
    out: keys, score, n (rows), weight (sum), weight_sq (sum of squares), sorted. A group without any answer keeps one row
    with score NaN and n 0, so that it can be shown as empty instead of vanishing.
    errors: DataError for a missing or negative weight of somebody who answered.
    """
    by = [by] if isinstance(by, str) else list(by)
    work = frame[by].copy()
    work["score"] = frame[score].astype("float64").to_numpy()
    work["weight"] = 1.0 if weight is None else frame[weight].astype("float64").to_numpy()
    answered = work["score"].notna()
    wrong = answered & ~(work["weight"] >= 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(f"Column '{weight}', row {row}: the weight {work['weight'].iloc[row]} of an answer is not a number of at least 0; quarantine the row or give it a weight.")
    work["n"] = answered.astype("int64")
    work["weight"] = work["weight"].where(answered, 0.0)
    work["weight_sq"] = work["weight"] ** 2
    counts = work.groupby([*by, "score"], observed=True, dropna=False, sort=True)[["n", "weight", "weight_sq"]].sum().reset_index()
    if not by:
        return counts[counts["n"] > 0].reset_index(drop=True) if answered.any() else pd.DataFrame({"score": [np.nan], "n": [0], "weight": [0.0], "weight_sq": [0.0]})
    total = counts.groupby(by, observed=True, dropna=False)["n"].transform("sum")
    return counts[(counts["n"] > 0) | (total == 0)].reset_index(drop=True)


def estimate(tally, *, definition, by=(), low_base=LOW_BASE):
    """Estimate a metric with its 95 % interval for each group of a tally.

    in: what `tally` returns (keys finer than `by` are added up).
    out: keys, definition, unit, estimate, std_error, conf_low, conf_high, n, weighted_n, n_eff, deff (answers over those behind the interval), df
    (of Student's t; missing: normal), widening (1 here), basis (the design allowed for; "" here), flag ("", "low base" under 50 effective answers, "too few" under 30),
    note (why something is not estimable). Points -100..100, shares 0..1, means in scale units.
    Intervals: NPS adjusted Wald (three quarters of a promoter and of a detractor and three answers added; Rocks 2016), shares Wilson,
    both on the effective base; means Student's t with the linearised variance; all clipped to what is possible.
    The effective base is Kish's, which assumes that weight and answer are unrelated; where the linearised error is more than 5 % larger
    than that, the interval uses the base that the linearised error implies and the note says so.
    std_error is the linearised one (for NPS and shares with divisor n: sqrt(v/n) when unweighted).
    errors: DataError for a score that is not on the definition's scale.
    """
    what = definition_of(definition)
    by = [by] if isinstance(by, str) else list(by)
    answered = tally[tally["n"] > 0]
    score = answered["score"].to_numpy(dtype=float)
    off = ~((score >= what.low) & (score <= what.high)) | ((what.unit != "scale") & (score != np.round(score)))
    if off.any():
        raise DataError(f"The score {score[off][0]:g} is not on the scale {what.low:g}-{what.high:g} of '{what.id}'; list it among the item's missing codes or choose another definition.")
    keys, first = _groups(tally, by)
    group = keys[tally["n"].to_numpy() > 0]
    size = len(first)
    total = lambda column: np.bincount(group, weights=column, minlength=size)
    w, w2 = (answered[name].to_numpy(dtype=float) for name in ("weight", "weight_sq"))
    value = what.value(score)
    n = total(answered["n"].to_numpy(dtype=float)).astype("int64")
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted_n = total(w)
        m = weighted_n**2 / total(w2)  # Kish
        mean = total(w * value) / weighted_n
        spread = total(w * (value - mean[group]) ** 2) / weighted_n  # v, divisor n
        linear = total(w2 * (value - mean[group]) ** 2) / weighted_n**2
        if what.unit == "scale":
            linear = np.where(n > 1, linear * n / (n - 1), np.nan)
        related = (spread > 0) & (linear > 1.05**2 * spread / m) & (what.unit != "scale")
        base = np.where(related, spread / linear, m)
    out = tally.iloc[first][by].reset_index(drop=True)
    columns = {"estimate": mean, "linear": linear, "base": base, "df": np.where(what.unit == "scale", base - 1, np.nan), "n": n, "weighted_n": weighted_n, "kish": m, "positive": total(w * (value > 0))}
    found = finished(out, what, pd.DataFrame(columns), low_base=low_base, basis="")
    told = related & ~found["note"].str.startswith("not estimable")
    return found.assign(note=found["note"].mask(told, "weights go with the answers: interval on the linearised error"))


def finished(out, what, found, *, low_base=LOW_BASE, basis=""):
    """Return estimates with intervals, flags and notes, from their parts: one way for answers alone and for answers with a design.

    in: keys, the Definition, and for each group estimate, linear (variance of the estimate), raised (what an interval needs more than that,
    default 1), base (answers behind the interval), df (NaN: normal), n, weighted_n, kish, positive (sum of the weights of scores that count
    up); `basis` says which design stands behind `linear`: with one, n_eff is `base`, without one Kish's.
    """
    mean, linear, base, df = (found[name].to_numpy(dtype=float) for name in ("estimate", "linear", "base", "df"))
    weighted_n, kish, n = (found[name].to_numpy(dtype=float) for name in ("weighted_n", "kish", "n"))
    low, high, reason = _interval(what, mean, linear, found["raised"].to_numpy(dtype=float) if "raised" in found else 1.0, base, found["positive"].to_numpy(dtype=float), weighted_n, df)
    low, high = np.minimum(low, mean), np.maximum(high, mean)  # with one or two answers the adjusted interval may miss its own estimate
    low, high = np.clip(low, *what.bounds), np.clip(high, *what.bounds)
    note = np.where(weighted_n > 0, reason, np.where(n > 0, "not estimable (all weights are zero)", "not estimable (no answers)"))
    # one answer or all alike says nothing about the spread of a mean: no error is better than an error of zero
    error, low, high = (np.where(reason != "", np.nan, values) for values in (np.sqrt(linear), low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(weighted_n > 0, np.where(base < CENSUS, base, n) if basis else kish, 0.0)
        deff = np.where(weighted_n > 0, n / base, np.nan)
    least = np.minimum(effective, np.where(weighted_n > 0, kish, 0.0)).round(9)
    flag = np.select([least < low_base[0], least < low_base[1]], ["too few", "low base"], "")
    columns = {"definition": what.id, "unit": what.unit, "estimate": mean, "std_error": error, "conf_low": low, "conf_high": high, "n": n.astype("int64"), "weighted_n": weighted_n, "n_eff": effective}
    columns |= {"deff": deff, "df": df, "widening": found["raised"].to_numpy(dtype=float) if "raised" in found else 1.0, "basis": basis, "flag": flag, "note": note.astype(str)}
    return pd.concat([out, pd.DataFrame(columns, index=out.index)], axis=1)


def _groups(frame, by):
    """Return each row's group number in sorted key order, and the first row of every group."""
    if not by:
        return np.zeros(len(frame), dtype="int64"), ([0] if len(frame) else [])
    codes = frame.groupby(by, observed=True, dropna=False, sort=True).ngroup().to_numpy()
    return codes, np.unique(codes, return_index=True)[1]


def _interval(what, mean, linear, raised, base, positive, weighted_n, df):
    """Return lower and upper limits and, for means without any spread, the reason why there are none."""
    reason = np.full(len(mean), "", dtype=object)
    z = np.where(np.isnan(df), Z, stats.t.ppf(0.975, np.maximum(df, 1e-9)))
    with np.errstate(divide="ignore", invalid="ignore"):
        if what.unit == "points":
            p = positive / weighted_n
            centre, variance = _adjusted(p, p - mean / 100, base)
            half = z * np.sqrt(variance)
            return 100 * (centre - half), 100 * (centre + half), reason
        if what.unit == "share":
            centre = (mean + z**2 / (2 * base)) / (1 + z**2 / base)
            half = z / (1 + z**2 / base) * np.sqrt(np.maximum(mean * (1 - mean), 0) / base + z**2 / (4 * base**2))
            return centre - half, centre + half, reason
        half = z * np.sqrt(linear * raised)
    reason[~(linear > 0) & (base < CENSUS)] = "not estimable (all answers are the same)"
    reason[~(base > 1)] = "not estimable (a single answer)"
    return mean - half, mean + half, reason


def _adjusted(p, d, n):
    """Return the centre of the adjusted-Wald interval for p - d and its variance (METHODS: 3/4 of an answer added at each end)."""
    up, down = (p * n + 0.75) / (n + 3), (d * n + 0.75) / (n + 3)
    return up - down, (up + down - (up - down) ** 2) / (n + 3)


def overlap(now, then, *, person, score, definition, by=(), weight=None):
    """Say how much the same people answering twice ties two waves together.

    in: two frames of answers. out: keys, n_both (people in both), covariance (of the two estimates; subtract it twice from the
    variance of their difference). Unweighted it is n12 c12 / (n1 n2).
    """
    what = definition_of(definition)
    by = [by] if isinstance(by, str) else list(by)
    parts = []
    for frame in (now, then):
        part = frame.loc[frame[score].notna(), [*by, person]].copy()
        part["value"] = what.value(frame.loc[part.index, score])
        part["w"] = 1.0 if weight is None else frame.loc[part.index, weight].astype(float)
        groups = part.assign(wv=part["w"] * part["value"]).groupby(by, observed=True, dropna=False) if by else None
        total = groups["w"].transform("sum") if by else part["w"].sum()
        mean = (groups["wv"].transform("sum") if by else (part["w"] * part["value"]).sum()) / total
        part["influence"] = part["w"] * (part["value"] - mean) / total
        parts.append(part.groupby([*by, person], observed=True)["influence"].sum().reset_index())
    both = parts[0].merge(parts[1], on=[*by, person])
    both["covariance"] = both["influence_x"] * both["influence_y"]
    if not by:
        return pd.DataFrame({"n_both": [len(both)], "covariance": [both["covariance"].sum()]})
    return both.groupby(by, observed=True).agg(n_both=("covariance", "size"), covariance=("covariance", "sum")).reset_index()


def change(now, then, *, by=(), overlap=None, of_interest=None, power=0.80, alpha=0.05):
    """Say how an estimate moved between two waves, and which movement these bases could have shown.

    in: two frames from `estimate` with one row a key each; `overlap` from the function of that name when people answered both.
    out: keys, definition, unit, estimate (now - then), std_error, conf_low, conf_high, p (two-sided), detectable (the smallest true change
    found with `power`), needed_n (answers a wave to find a change of `of_interest`: 5 points, 5 percentage points, 0.2 scale units unless
    told), now, then, n (the smaller base), n_now, n_then, n_eff (the smaller), n_both, note.
    A wave in which all said the same has estimated variance zero, which is no certainty: for NPS and shares the adjusted variance
    is used where it is more than a tenth larger than the plain one. Means, and estimates with few clusters, use Welch's degrees of freedom. Keys found in one frame only: "no earlier wave".
    """
    by = [by] if isinstance(by, str) else list(by)
    columns = ["definition", "unit", "estimate", "std_error", "n", "n_eff", "df", "widening", "note"]
    # shares from elsewhere (topics) have neither a design nor degrees of freedom
    left, right = (side.assign(**{name: value for name, value in (("df", np.nan), ("widening", 1.0)) if name not in side})[[*by, *columns]] for side in (now, then))
    both = left.merge(right, on=by, how="left", suffixes=("_now", "_then")) if by else left.add_suffix("_now").join(right.reset_index(drop=True).add_suffix("_then"))
    mixed = both["definition_then"].notna() & (both["definition_now"] != both["definition_then"])
    if mixed.any():
        raise DataError(f"'{both.loc[mixed, 'definition_now'].iloc[0]}' and '{both.loc[mixed, 'definition_then'].iloc[0]}' are two definitions; a change between them is none.")
    covariance, n_both = np.zeros(len(both)), np.zeros(len(both), dtype="int64")
    if overlap is not None:
        tied = both[by].merge(overlap, on=by, how="left") if by else overlap
        covariance, n_both = tied["covariance"].fillna(0.0).to_numpy(dtype=float), tied["n_both"].fillna(0).to_numpy(dtype="int64")
    unit = both["unit_now"].to_numpy()
    one, two = (_variance(both, side, unit) for side in ("_now", "_then"))
    difference = (both["estimate_now"] - both["estimate_then"]).to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = one + two - 2 * covariance
        variance = np.where(variance > 0, variance, np.nan)
        error = np.sqrt(variance)
        shaky = sum(np.where(np.isnan(df), 0.0, side**2 / df) for side, df in ((one, both["df_now"].to_numpy(dtype=float)), (two, both["df_then"].to_numpy(dtype=float))))
        df = np.where(shaky > 0, variance**2 / shaky, np.inf)  # Welch and Satterthwaite, from the degrees of freedom of both sides
        half = stats.t.ppf(1 - alpha / 2, df) * error
        reach = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
        aim = np.array([OF_INTEREST.get(item, np.nan) for item in unit]) if of_interest is None else np.full(len(both), float(of_interest))
        # the average of the two waves' variance an answer, design effect included: n = 2 v (z + z)^2 / delta^2
        answer = (one * both["n_now"].to_numpy(dtype=float) + two * both["n_then"].to_numpy(dtype=float)) / 2
        needed = np.ceil(2 * answer * reach**2 / aim**2)
        p = 2 * stats.t.sf(np.abs(difference) / error, df)
    out = both[by].copy()
    out["definition"], out["unit"] = both["definition_now"], both["unit_now"]
    edge = np.select([unit == "points", unit == "share"], [200.0, 1.0], np.inf)
    out["estimate"], out["std_error"] = difference, error
    out["conf_low"], out["conf_high"] = np.maximum(difference - half, -edge), np.minimum(difference + half, edge)
    out["p"], out["detectable"], out["needed_n"] = p, reach * error, needed
    out["now"], out["then"] = both["estimate_now"], both["estimate_then"]
    out["n"], out["n_now"], out["n_then"] = both[["n_now", "n_then"]].min(axis=1, skipna=False), both["n_now"], both["n_then"]
    out["n_eff"], out["n_both"] = both[["n_eff_now", "n_eff_then"]].min(axis=1, skipna=False), n_both
    missing = both["definition_then"].isna()
    note = both["note_now"].where(both["note_now"].str.startswith("not estimable"), both["note_then"].fillna(""))
    note = note.where(note.str.startswith("not estimable"), "")
    out["note"] = np.where(missing, "not estimable (no earlier wave)", np.where(np.isnan(error) & (note == ""), "not estimable (no spread in either wave)", note)).astype(str)
    return out


def _variance(both, side, unit):
    """Return the variance of the estimate; for NPS and shares that of a few added answers where it is more than a tenth larger."""
    m = both[f"n_eff{side}"].to_numpy(dtype=float)
    estimate, plain = both[f"estimate{side}"].to_numpy(dtype=float), both[f"std_error{side}"].to_numpy(dtype=float) ** 2 * both[f"widening{side}"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        net = estimate / 100
        ends = np.clip(plain / 1e4 * m + net**2, np.abs(net), 1)  # promoters and detractors together, from v = p + d - (p - d)^2
        points = 1e4 * _adjusted((ends + net) / 2, (ends - net) / 2, m)[1] * (m + 3) / m
        share = (estimate * m + 1) / (m + 2)  # Agresti and Caffo 2000: one answer added at each end
        floor = np.select([unit == "points", unit == "share"], [points, share * (1 - share) / m], 0.0)
        return np.where(floor > 1.1 * plain, floor, plain)


def needed_n(variance, *, difference, power=0.80, alpha=0.05, design_effect=1.0):
    """Return how many answers a wave are needed to find a true `difference` between two independent waves (two-sided).

    `variance` of one answer in the metric's unit squared: for NPS 10,000 (p + d - (p - d)^2), for a share p (1 - p).
    n = 2 v (z + z)^2 / difference^2, times the design effect, rounded up.
    """
    reach = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return int(np.ceil(2 * variance * reach**2 / difference**2 * design_effect))
