"""What an action did: the difference a randomised control allows, its design checks, and what merely comes back to the mean."""

import numpy as np
import pandas as pd
from scipy import special, stats

from cxlib.act import adjustment
from cxlib.errors import DataError

Z = 1.959963984540054


def difference(frame, *, outcome, arm, before=None, treated="treated", control="control"):
    """Estimate what being assigned to an action did to an outcome (intention to treat).

    in: one row a person as assigned, delivered or not; `outcome` numeric (money, 0/1, a score; missing = not observed), `arm` the assignment. `before`: a number known of each from before the lot (the outcome in as many days before):
    both arms are then compared where it is the same (`adjustment`, Lin 2013), if it is known of everybody observed, varies, and each arm has twenty.
    out, one row: estimate (mean treated - mean control, in the outcome's unit), std_error (the larger of the two that follow), std_error_hc2 (each arm's own spread; of plain means Neyman's and Welch's), std_error_pooled (one spread for
    both, the classical one), conf_low, conf_high (t; Welch's degrees of freedom where HC2 is the larger), p, df, mean_treated, mean_control (at the same past, if adjusted), plain (difference of the plain means), adjusted (whether), n_treated, n_control, n, n_eff,
    assigned_treated, assigned_control, attrition_treated, attrition_control, attrition_p, note.
    Rows of other arms are left out. It needs two observed persons an arm, and spread in one of them.
    """
    labels = frame[arm]
    values = pd.to_numeric(frame[outcome]).astype("float64")
    masks = [labels == name for name in (treated, control)]
    for name, rows in zip((treated, control), masks):
        if not rows.any():
            known = ", ".join(sorted(map(str, labels.dropna().unique())))
            raise DataError(f"Column '{arm}' holds no '{name}' (it holds: {known or 'nothing'}); name the arms with treated= and control=.")
    here = [rows & values.notna() for rows in masks]
    seen = [values[rows].to_numpy() for rows in here]
    n1, n0 = (len(rows) for rows in seen)
    plain = [rows.mean() if len(rows) else np.nan for rows in seen]
    past = [pd.to_numeric(frame.loc[rows, before]).to_numpy(float) for rows in here] if before and adjustment.possible(values, frame[before], masks) else None
    out = {"estimate": plain[0] - plain[1], "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "p": np.nan, "df": np.nan, "std_error_hc2": np.nan, "std_error_pooled": np.nan, "mean_treated": plain[0], "mean_control": plain[1], "plain": plain[0] - plain[1], "adjusted": past is not None}
    note = ""
    if min(n1, n0) < 2:
        note = f"not estimable ({n1} treated and {n0} control observed; two each are needed)"
    else:
        arms = adjustment.both(seen, past)
        sure = adjustment.errors(*arms, past)
        if not sure["std_error"] > 0:
            note = "not estimable (the outcome does not vary)"
        else:
            estimate, error, df = arms[0].mean - arms[1].mean, sure["std_error"], sure["df"]
            half = stats.t.ppf(0.975, df) * error
            out |= {"estimate": estimate, "std_error": error, "conf_low": estimate - half, "conf_high": estimate + half, "df": df, "p": 2 * stats.t.sf(abs(estimate) / error, df)}
            out |= {"std_error_hc2": sure["hc2"], "std_error_pooled": sure["common"], "mean_treated": arms[0].mean, "mean_control": arms[1].mean}
    a1, a0 = (int(rows.sum()) for rows in masks)
    out |= {"n_treated": n1, "n_control": n0, "n": n1 + n0, "n_eff": float(n1 + n0)}
    out |= {"assigned_treated": a1, "assigned_control": a0, "attrition_treated": 1 - n1 / a1, "attrition_control": 1 - n0 / a0}
    out["attrition_p"] = float(stats.fisher_exact([[a1 - n1, n1], [a0 - n0, n0]])[1]) if n1 + n0 < a1 + a0 else 1.0
    return pd.DataFrame([out | {"note": note}])


def sample_ratio(frame, *, arm, expected=0.5, treated="treated", control="control"):
    """Check that as many were assigned as the design says (exact binomial; a check, so kind "check" in the ledger).

    `expected` is the share meant to be treated. out, one row: treated, control, n, expected, estimate (share treated), conf_low, conf_high (Wilson), p, ok.
    Below p = .001 the assignment did not work as designed, and the comparison is no experiment any more.
    """
    if not 0 < expected < 1:
        raise DataError(f"The expected share of treated is {expected}; it must lie between 0 and 1.")
    a, b = int((frame[arm] == treated).sum()), int((frame[arm] == control).sum())
    if a + b == 0:
        raise DataError(f"Column '{arm}' holds neither '{treated}' nor '{control}'.")
    test = stats.binomtest(a, a + b, expected)
    low, high = wilson(a, a + b)
    row = {"treated": a, "control": b, "n": a + b, "expected": expected, "estimate": a / (a + b), "conf_low": low, "conf_high": high}
    return pd.DataFrame([row | {"p": float(test.pvalue), "ok": bool(test.pvalue >= 0.001)}])


def wilson(yes, n):
    """Return the 95 % interval of a share without continuity correction (Wilson 1927)."""
    share = yes / n
    centre, half = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n * n))
    return max((centre - half) / (1 + Z**2 / n), 0.0), min((centre + half) / (1 + Z**2 / n), 1.0)


def _score(yes1, n1, yes0, n0) -> float:
    """Return the p of two shares being one (score test, without continuity correction)."""
    if not n1 or not n0:
        return np.nan
    pooled = (yes1 + yes0) / (n1 + n0)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return float(2 * stats.norm.sf(abs(yes1 / n1 - yes0 / n0) / error)) if error > 0 else 1.0


def newcombe(yes1, n1, yes0, n0):
    """Return the difference of two independent shares with its 95 % hybrid-score interval (Newcombe 1998, method 10)."""
    p1, p0 = yes1 / n1, yes0 / n0
    (l1, u1), (l0, u0) = wilson(yes1, n1), wilson(yes0, n0)
    gap = p1 - p0
    return gap, gap - np.hypot(p1 - l1, u0 - p0), gap + np.hypot(u1 - p1, p0 - l0)


def expected_recovery(*, mean, sd, retest, cut):
    """Say how many would "recover" with nobody doing anything, if scores were normal (a check, not an estimate).

    mean and sd of the scores, `retest` their correlation over the interval, `cut`: those at or below it are picked, those above it later count as
    recovered. Returns mean_picked, mean_next, share_recovered. Closed form: E[x | x <= c] = m - s phi(z)/Phi(z), next time m - r s phi(z)/Phi(z);
    the share is 1 - Phi2(z, z; r)/Phi(z) = 2 T(z, sqrt((1 - r)/(1 + r)))/Phi(z) with Owen's T. Rounding to whole numbers shifts all three.
    """
    z = (cut - mean) / sd
    below = stats.norm.cdf(z)
    mills = stats.norm.pdf(z) / below
    slope = np.sqrt((1 - retest) / (1 + retest)) if retest > -1 else np.inf
    return {"mean_picked": mean - sd * mills, "mean_next": mean - retest * sd * mills, "share_recovered": float(2 * special.owens_t(z, slope) / below)}


def regression_to_mean(pairs, *, before, after, contacted, cut, weight=None, everyone=None):
    """Say how many recovered after a call, and how many recover without one.

    in: one row a person with both scores; `contacted` true or false. Everybody at or below `cut` before is at risk; recovered = above `cut` after.
    `weight` makes the untouched like those called (see `outcomes.comparable`); intervals are then on the effective base.
    `everyone` (default: the pairs) holds people of all scores for the normal check.
    out, rows group = contacted, not contacted, difference, normal check: estimate (share recovered; difference of shares), std_error, conf_low,
    conf_high (Wilson; Newcombe for the difference), n, n_eff, mean_before, mean_after, p (score test of the difference), note. The difference is free of regression to the mean only
    as far as those not contacted were like the others: it is observational unless the call was drawn by lot.
    """
    frame = pairs[[before, after, contacted]].assign(weight=1.0 if weight is None else pairs[weight]).dropna()
    called = frame[contacted].astype(bool)
    low = frame[before] <= cut
    rows, counts = [], {}
    for name, chosen in (("contacted", low & called), ("not contacted", low & ~called)):
        part = frame[chosen]
        w = part["weight"].to_numpy()
        n = w.sum() ** 2 / (w**2).sum() if len(part) else 0.0
        share = float(np.average(part[after] > cut, weights=w)) if n else np.nan
        counts[name] = share * n if n else 0.0, n
        ends = wilson(share * n, n) if n else (np.nan, np.nan)
        mean = lambda column, part=part, w=w: np.average(part[column], weights=w) if len(part) else np.nan
        rows.append({"group": name, "estimate": share, "std_error": np.sqrt(share * (1 - share) / n) if n else np.nan, "conf_low": ends[0], "conf_high": ends[1], "n": len(part), "n_eff": n}
                    | {"mean_before": mean(before), "mean_after": mean(after), "note": "" if n else "not estimable (nobody at or below the cut)"})
    (y1, n1), (y0, n0) = counts["contacted"], counts["not contacted"]
    gap = newcombe(y1, n1, y0, n0) if n1 and n0 else (np.nan,) * 3
    error = np.hypot(rows[0]["std_error"], rows[1]["std_error"])
    rows.append({"group": "difference", "p": _score(y1, n1, y0, n0), "estimate": gap[0], "std_error": error, "conf_low": gap[1], "conf_high": gap[2], "n": rows[0]["n"] + rows[1]["n"], "n_eff": n1 + n0, "mean_before": np.nan, "mean_after": np.nan}
                | {"note": "" if n1 and n0 else "not estimable (both groups are needed)"})
    whole = frame if everyone is None else everyone[[before, after, contacted]].dropna()
    rows.append(_normal_check(whole, before, after, whole[contacted].astype(bool), cut))
    out = pd.DataFrame(rows)
    return out.assign(n_eff=out["n_eff"].fillna(out["n"]).astype(float))


def _normal_check(frame, before, after, called, cut):
    """Return the row of the normal formula; the retest comes from people nobody called, as a slope, which picking on the first score leaves intact."""
    rest = frame[~called]
    blank = {"group": "normal check", "estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": len(rest), "mean_before": np.nan, "mean_after": np.nan}
    sd = frame[before].std()
    if len(rest) < 3 or not rest[before].std() > 0 or not sd > 0:
        return blank | {"note": "not estimable (nobody left alone, or no spread)"}
    slope = np.cov(rest[before], rest[after])[0, 1] / rest[before].var()
    found = expected_recovery(mean=frame[before].mean(), sd=sd, retest=float(np.clip(slope, -1, 1)), cut=cut)
    note = f"from mean {frame[before].mean():.2f}, sd {sd:.2f} and retest {slope:.2f} of those not contacted, as if scores were normal"
    return blank | {"estimate": found["share_recovered"], "mean_before": found["mean_picked"], "mean_after": found["mean_next"], "note": note}
