"""Where to act: importance against performance with both uncertain, what a step goes with, and what people say matters beside what does."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import DataError, nearest
from cxlib.measure import drivers as importances
from cxlib.measure import metrics

QUADRANTS = ("fix first", "protect", "watch", "don't over-invest")
CHANCES = ("p_fix_first", "p_protect", "p_watch", "p_restrain")
RULES = ("mean", "median")


def matrix(draws, *, method="shapley", cut_importance="mean", cut_performance="mean"):
    """Sort the drivers into the importance-performance matrix, and say how sure that is.

    in: what `drivers.resample` returns (its `performance` must point upwards). Cut lines: "mean" or "median" over the drivers, drawn anew in every replicate, or for
    performance a number on the scale: a target, a benchmark, the middle of the scale.
    out: driver, method, importance, importance_low, importance_high, performance, performance_low, performance_high, cut_importance, cut_performance,
    quadrant (important and weak "fix first", important and strong "protect", unimportant and weak "watch", unimportant and strong "don't over-invest"),
    p_quadrant (bootstrap frequency of that quadrant), p_fix_first, p_protect, p_watch, p_restrain (of each), n, n_eff, note.
    errors: DataError for a rule that is none.
    """
    for rule in (cut_importance, cut_performance):
        if isinstance(rule, str) and rule not in RULES:
            raise DataError(f"'{rule}' is no rule for a cut line{nearest(rule, RULES) or '.'} Known: {', '.join(RULES)}, or a number.")
    first = draws[draws["replicate"] == 0].reset_index(drop=True)
    names = first["driver"].tolist()
    wide = lambda column: draws[column].to_numpy(dtype=float).reshape(-1, len(names))
    size, rated = np.abs(wide(method)), wide("performance")
    rated = np.where(np.isfinite(size), rated, np.nan)
    fine = np.isfinite(size[0])
    out, base = pd.DataFrame({"driver": names, "method": method}), first["n_eff"].to_numpy(dtype=float)
    for name, values, used in (("importance", size, fine.sum()), ("performance", rated, 0)):
        out[name] = values[0]
        out[f"{name}_low"], out[f"{name}_high"] = importances.limits(values[0], values[1:], n_eff=base, used=used, positive=used > 0 and method in importances.SHARING)
    out[["cut_importance", "cut_performance", "p_quadrant", *CHANCES]], out["quadrant"] = np.nan, ""
    if fine.any():
        size, rated = size[:, fine], rated[:, fine]
        keep = np.isfinite(size).all(axis=1) & np.isfinite(rated).all(axis=1)
        size, rated = size[keep], rated[keep]
        lines = [_line(values, rule) for values, rule in ((size, cut_importance), (rated, cut_performance))]
        place = np.where(size >= lines[0], 0, 2) + (rated >= lines[1])
        out["cut_importance"], out["cut_performance"] = lines[0][0, 0], lines[1][0, 0]
        out.loc[fine, "quadrant"] = [QUADRANTS[k] for k in place[0]]
        if len(place) > 1:
            out.loc[fine, "p_quadrant"] = (place[1:] == place[0]).mean(axis=0)
            for k, name in enumerate(CHANCES):
                out.loc[fine, name] = (place[1:] == k).mean(axis=0)
    return out.assign(n=first["n"], n_eff=first["n_eff"], note=first["note"])


def _line(values, rule):
    if rule == "mean":
        return values.mean(axis=1, keepdims=True)
    return np.median(values, axis=1, keepdims=True) if rule == "median" else np.full((len(values), 1), float(rule))


def by_rule(draws, *, method="shapley", marks=None):
    """Say how the quadrants change with the rule of the cut lines.

    in: `marks` name -> number: further lines for performance (target, middle of the scale); importance is then cut at its mean. out: rule (means, medians, and the marks),
    driver, quadrant, p_quadrant, p_fix_first, same (whether every rule puts the driver there).
    """
    rules = {"means": ("mean", "mean"), "medians": ("median", "median")} | {name: ("mean", float(mark)) for name, mark in (marks or {}).items()}
    parts = [matrix(draws, method=method, cut_importance=up, cut_performance=right).assign(rule=name)[["rule", "driver", "quadrant", "p_quadrant", "p_fix_first"]] for name, (up, right) in rules.items()]
    out = pd.concat(parts, ignore_index=True)
    return out.assign(same=(out.groupby("driver")["quadrant"].transform("nunique") == 1).astype(int))


def steps(frame, *, kpi, drivers, high, definition=None, step=0.5, weight=None, strata=None, cluster=None, margins=(), replicates=1000, seed=1):
    """Say what a step up in one rating, the others held, is associated with in the KPI, never beyond the end of the scale.

    in: `high` driver -> highest score; `definition` scores the KPI (NPS in points, shares in percentage points; default: the score itself). out: driver, performance, headroom (highest
    score less the mean), step (scale units: what was asked for, or the headroom where that is less), estimate, conf_low, conf_high (in the KPI's unit, bootstrap), std_error, unit, n, n_eff, note.
    A regression coefficient times the step: an association inside the answers observed, not what raising the rating would do.
    """
    drivers = list(drivers)
    what = None if definition is None else metrics.definition_of(definition)
    scored = frame if what is None else frame.assign(**{kpi: np.where(frame[kpi].notna(), what.value(frame[kpi]) * (100 if what.unit == "share" else 1), np.nan)})
    draws = importances.resample(scored, kpi=kpi, drivers=drivers, weight=weight, strata=strata, cluster=cluster, margins=margins, methods=("ols",), replicates=replicates, seed=seed)
    first = draws[draws["replicate"] == 0].reset_index(drop=True)
    slopes = draws["slope"].to_numpy(dtype=float).reshape(-1, len(drivers))
    room = np.array([high[d] for d in drivers], dtype=float) - first["performance"].to_numpy(dtype=float)
    taken = np.clip(np.minimum(step, room), 0, None)
    base, used = first["n_eff"].to_numpy(dtype=float), int(np.isfinite(slopes[0]).sum())
    low, top = importances.limits(slopes[0], slopes[1:], n_eff=base, used=used)
    error = np.nanstd(slopes[1:], axis=0, ddof=1) if len(slopes) > 2 and used else np.full(len(drivers), np.nan)
    unit = "score" if what is None else {"points": "points", "share": "percentage points"}.get(what.unit, "score")
    return pd.DataFrame({
        "driver": drivers, "performance": first["performance"], "headroom": room, "step": taken, "estimate": slopes[0] * taken, "std_error": np.where(np.isfinite(slopes[0]), error, np.nan) * taken,
        "conf_low": low * taken, "conf_high": top * taken, "unit": unit, "n": first["n"], "n_eff": first["n_eff"], "note": first["note"],
    })  # fmt: skip


MEANINGS = {(True, True): "said and shown", (True, False): "said, not shown", (False, True): "shown, not said", (False, False): "neither"}


def stated(frame, *, derived, items=None, picks=(), names=None, weight=None):
    """Compare what respondents say matters with what goes with the KPI.

    in: `derived` driver and estimate (e.g. Shapley); either `items` driver -> column with its stated importance (ratings), or `picks`: columns in which respondents
    named the most important attributes, with `names` value -> driver. out: driver, stated (mean rating, or share of respondents who named it), stated_low, stated_high
    (95 %), unit (scale, share), rank_stated, rank_derived, meaning (said and shown; said, not shown: expected, or a wish that does not tell
    respondents apart; shown, not said: a lever that people do not name; neither), agreement (Spearman's rank correlation of the two, one value), n, note. Said and shown are
    counted from the mean over the drivers.
    """
    rows = []
    for d in derived["driver"]:
        if picks:
            named = pd.concat([frame[column].map(names or {}) for column in picks], axis=1)
            answered = frame[list(picks)].notna().any(axis=1)
            score = named.eq(d).any(axis=1).astype(float).where(answered)
        else:
            column = (items or {}).get(d)
            score = frame[column].astype(float) if column else pd.Series(np.nan, index=frame.index)
        rows.append((d, *_mean(score, None if weight is None else frame[weight], share=bool(picks))))
    out = pd.DataFrame(rows, columns=["driver", "stated", "stated_low", "stated_high", "n"]).assign(unit="share" if picks else "scale")
    out["derived"] = derived["estimate"].abs().to_numpy()
    both = out["stated"].notna() & out["derived"].notna()
    for name in ("stated", "derived"):
        out[f"rank_{name}"] = out[name].where(both).rank(ascending=False, method="min")
    high = {name: out[name] >= out.loc[both, name].mean() for name in ("stated", "derived")}
    out["meaning"] = [MEANINGS[pair] if known else "" for *pair, known in zip(high["stated"], high["derived"], both) for pair in [tuple(map(bool, pair))]]
    out["agreement"] = stats.spearmanr(out.loc[both, "stated"], out.loc[both, "derived"]).statistic if both.sum() > 2 else np.nan
    out["note"] = ["" if known else "its importance was not asked about" if n == 0 else "not estimable" for known, n in zip(both, out["n"])]
    return out.drop(columns="derived")


def _mean(score, weight, *, share):
    """Mean with its interval: Wilson's for shares, Student's for ratings, on the effective base."""
    w = np.ones(len(score)) if weight is None else weight.to_numpy(dtype=float)
    use = score.notna().to_numpy() & (w > 0)
    x, w = score.to_numpy()[use], w[use]
    if len(x) < 2:
        return np.nan, np.nan, np.nan, len(x)
    mean, n = w @ x / w.sum(), w.sum() ** 2 / (w @ w)
    if share:
        z = metrics.Z
        centre, half = (mean + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
        return mean, centre - half, centre + half, len(x)
    half = stats.t.ppf(0.975, max(n - 1, 1e-9)) * np.sqrt(w @ (x - mean) ** 2 / w.sum() / max(n - 1, 1e-9))
    return mean, mean - half, mean + half, len(x)


def carried(then, now):
    """Put this quarter's ratings on the last measured importances: nothing about importance is tested anew.

    in: `then` what `matrix` returned at the last driver wave; `now` driver, estimate, conf_low, conf_high, n of the ratings since. The cut lines stay where they were. out: driver,
    importance, performance_then, performance_now, performance_low, performance_high, n, quadrant_then, quadrant_now, moved (the corner changed and the cut line lies outside
    the interval of the new rating).
    """
    both = then[then["quadrant"] != ""].merge(now[["driver", "estimate", "conf_low", "conf_high", "n"]].dropna(), on="driver", suffixes=("_then", ""))
    strong = both["estimate"] >= both["cut_performance"]
    important = both["importance"] >= both["cut_importance"]
    corner = [QUADRANTS[(0 if up else 2) + int(right)] for up, right in zip(important, strong)]
    sure = (both["conf_low"] > both["cut_performance"]) | (both["conf_high"] < both["cut_performance"])
    return pd.DataFrame({
        "driver": both["driver"], "importance": both["importance"], "performance_then": both["performance"], "performance_now": both["estimate"], "performance_low": both["conf_low"],
        "performance_high": both["conf_high"], "n": both["n"], "quadrant_then": both["quadrant"], "quadrant_now": corner,
        "moved": ((both["quadrant"] != corner) & sure).astype(int),
    })  # fmt: skip
