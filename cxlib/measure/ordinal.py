"""Outcomes that are classes (churned, detractor/passive/promoter, a score in steps): the proportional-odds model and its fit shared out.

One meaning of importance for every outcome: parts of 1 - exp(-G2/n), the fit of Cox and Snell, where G2 is what the drivers take off the deviance. For scores under
the normal model it is R2 itself (Magee 1990), so that the parts of a class and those of a score are the same kind of number. A class
cannot be explained fully: the largest value that fit can take is given beside.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.measure import dominance, metrics
from cxlib.measure.moments import one_thread, rao_wu

STEPS, FAR = 40, 25.0  # Newton steps; a log-odds ratio a standard deviation beyond which the classes are separated
SEPARATED = "not estimable (separated: some combination of the ratings tells the classes apart without error)"


def fit(frame, *, kpi, drivers, weight=None):
    """Fit ordered classes on drivers (ordered logit; two classes: logistic regression) by Newton's method.

    in: one row a respondent; rows with an empty KPI or driver are left out. out: term (a driver, or "a|b" for the cut between two classes), estimate (log odds
    ratio a unit), std_error, conf_low, conf_high, deviance, r2 (Cox and Snell), r2_max, n, note. P(class <= k) = 1/(1 + exp(eta - cut_k)), as in MASS::polr. Weights
    are sampling weights (errors by the sandwich) unless all are whole numbers, which are counts of equal respondents.
    """
    x, k, w, _, classes, notes, kept = _prepare(frame, kpi, list(drivers), weight)
    terms = [*drivers, *(f"{a:g}|{b:g}" for a, b in pairwise(classes))]
    out = pd.DataFrame({"term": terms, "estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "deviance": np.nan, "r2": np.nan, "r2_max": np.nan, "n": len(k), "note": [*notes, *[""] * (len(classes) - 1)]})
    if not kept:
        return out
    spread, centre = x.std(axis=0), x.mean(axis=0)
    found = _newton((x - centre) / spread, k, w, len(classes))
    if found is None:
        return out.assign(note=[note or SEPARATED for note in out["note"]])
    b, cuts, info, deviance, scores = found
    inverse = np.linalg.inv(info)
    counts = (w == np.round(w)).all()
    cover = inverse if counts else inverse @ (scores.T @ scores) @ inverse
    turn = np.block([[np.diag(1 / spread), np.zeros((len(b), len(cuts)))], [np.tile(centre / spread, (len(cuts), 1)), np.eye(len(cuts))]])
    places = [*kept, *range(len(notes), len(terms))]
    out.loc[places, "estimate"] = turn @ np.concatenate([b, cuts])
    out.loc[places, "std_error"] = np.sqrt(np.diag(turn @ cover @ turn.T))
    out["conf_low"], out["conf_high"] = (out["estimate"] + sign * metrics.Z * out["std_error"] for sign in (-1, 1))
    null = _null(k, w, len(classes))
    out["deviance"], out["r2"], out["r2_max"] = deviance, -np.expm1((deviance - null) / w.sum()), -np.expm1(-null / w.sum())
    return out


def resample(frame, *, kpi, drivers, weight=None, strata=None, cluster=None, performance=None, replicates=300, seed=1):
    """Estimate the importance of drivers for classes again on bootstrap replicates; out: as `drivers.resample` with the method shapley.

    The fit of all drivers is exact; that of smaller sets is approximated (`_parts`). Only answers without a gap count: a likelihood has no pairwise moments.
    """
    drivers = list(drivers)
    x, k, w, rows, classes, notes, kept = _prepare(frame, kpi, drivers, weight)
    value = metrics.definition_of(performance).value if performance else lambda score: score
    rated, p = value(frame[drivers].to_numpy(dtype=float)[rows]), len(drivers)
    pick = lambda name: None if name is None else frame[name].astype(str).to_numpy()[rows]
    shares, fits, moved = [np.full(p, np.nan)], [np.nan], [w @ rated / w.sum() if len(k) and w.sum() > 0 else np.full(p, np.nan)]
    start = None
    if kept:
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        start = _newton(x, k, w, len(classes))
        notes = notes if start is not None else [note or SEPARATED for note in notes]
        notes = [note or (f"on the {len(k)} answers without a gap" if len(k) < frame[kpi].notna().sum() else "") for note in notes]
    if start is not None:
        shares[0][kept], fits[0] = _parts(start, x, k, w, len(classes))
        factor, draws = rao_wu(len(k), replicates, seed=seed, strata=pick(strata), cluster=pick(cluster))
        for times in (one for block in draws for one in block):
            own, again = times * factor * w, None
            use = own > 0
            if len(np.unique(k[use])) == len(classes):
                again = _newton(x[use], k[use], own[use], len(classes), start=start)
            part, whole = (np.full(len(kept), np.nan), np.nan) if again is None else _parts(again, x[use], k[use], own[use], len(classes))
            full = np.full(p, np.nan)
            full[kept] = part
            shares.append(full), fits.append(whole), moved.append(own @ rated / own.sum())
    size = len(shares)
    kish = w.sum() ** 2 / (w @ w) if len(w) and w.sum() > 0 else 0.0
    repeat = lambda values: np.tile(np.asarray(values, dtype=object), size)
    return pd.DataFrame({
        "replicate": np.repeat(np.arange(size), p), "driver": repeat(drivers), "shapley": np.concatenate(shares), "performance": np.concatenate(moved),
        "r2": np.repeat(fits, p), "n": len(k), "n_eff": kish, "note": repeat(notes),
    })  # fmt: skip


def _prepare(frame, kpi, drivers, weight):
    """Return ratings, class numbers, weights, their rows, the classes, a note a driver, and the drivers that can be estimated."""
    raw, y = frame[drivers].to_numpy(dtype=float), frame[kpi].to_numpy(dtype=float)
    w = np.ones(len(y)) if weight is None else frame[weight].to_numpy(dtype=float)
    asked = np.isfinite(raw).any(axis=0) if len(raw) else np.zeros(len(drivers), dtype=bool)
    rows = np.flatnonzero(np.isfinite(raw[:, asked]).all(axis=1) & np.isfinite(y) & (w > 0))
    raw, y, w = raw[rows], y[rows], w[rows]
    classes, k = np.unique(y, return_inverse=True)
    refuse = lambda reason: (raw, k, w, rows, classes, [f"not estimable ({reason})"] * len(drivers), [])
    if len(classes) < 2:
        return refuse("the KPI does not vary" if len(classes) else "no answers without a gap")
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.corrcoef(np.column_stack([raw, y]), rowvar=False)
    kept, notes = dominance.estimable(np.atleast_2d(matrix), drivers)
    if len(k) <= len(kept) + len(classes):
        return refuse(f"{len(k)} answers for {len(kept)} drivers and {len(classes)} classes")
    return raw[:, kept], k, w, rows, classes, notes, kept


def _null(k, w, classes):
    share = np.bincount(k, weights=w, minlength=classes)
    return -2 * float(share[share > 0] @ np.log(share[share > 0] / share.sum()))


def _newton(x, k, w, classes, *, start=None):
    """Return slopes, cuts, information, deviance and scores of the rows; None where the likelihood has no maximum. It is concave (Pratt 1981)."""
    p = x.shape[1]
    share = np.cumsum(np.bincount(k, weights=w, minlength=classes))[:-1] / w.sum()
    b, cuts = (np.zeros(p), np.log(share / (1 - share))) if start is None else (start[0].copy(), start[1].copy())
    upper, lower = np.eye(classes)[k][:, :-1], np.eye(classes)[k][:, 1:]  # which cut lies above and below each answer
    value = _loglik(x, k, w, b, cuts)
    with one_thread():
        for _ in range(STEPS):
            grad, info, scores = _curvature(x, k, w, b, cuts, upper, lower)
            try:
                step = np.linalg.solve(info, grad)
            except np.linalg.LinAlgError:
                return None
            size = 1.0
            while size > 1e-6:
                tried = b + size * step[:p], cuts + size * step[p:]
                new = _loglik(x, k, w, *tried)
                if new >= value - 1e-12 * abs(value):
                    break
                size /= 2
            (b, cuts), gained, value = tried, new - value, new
            if np.abs(b).max(initial=0) > FAR or not np.isfinite(value):
                return None
            if grad @ step < 1e-10 and abs(gained) < 1e-9 * max(abs(value), 1):
                _, info, scores = _curvature(x, k, w, b, cuts, upper, lower)
                return b, cuts, info, -2 * value, scores
    return None


def _ends(x, k, b, cuts):
    eta = x @ b
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    return edges[k + 1] - eta, edges[k] - eta


def _loglik(x, k, w, b, cuts):
    if (np.diff(cuts) <= 0).any():
        return -np.inf
    high, low = _ends(x, k, b, cuts)
    # F(high) - F(low) without cancellation: both ends are turned to the side where F is small
    turned = np.where(low > 0, -1, 1)
    high, low = np.where(turned < 0, -low, high), np.where(turned < 0, -high, low)
    with np.errstate(divide="ignore"):
        return float(w @ np.log(np.maximum(expit(high) - expit(low), 1e-300)))


def _curvature(x, k, w, b, cuts, upper, lower):
    high, low = _ends(x, k, b, cuts)
    up, down = expit(high), expit(low)
    chance = np.maximum(np.where(low > 0, expit(-low) - expit(-high), up - down), 1e-300)
    f_up, f_down = up * expit(-high), down * expit(-low)
    g_up, g_down = f_up / chance, -f_down / chance
    h_up, h_down, h_both = f_up * (1 - 2 * up) / chance - g_up**2, -f_down * (1 - 2 * down) / chance - g_down**2, -g_up * g_down
    rows = np.column_stack([-(g_up + g_down)[:, None] * x, g_up[:, None] * upper + g_down[:, None] * lower]) * w[:, None]
    cross = -x.T @ (upper * (w * (h_up + h_both))[:, None] + lower * (w * (h_down + h_both))[:, None])
    mixed = upper.T @ (lower * (w * h_both)[:, None])
    edge = upper.T @ (upper * (w * h_up)[:, None]) + lower.T @ (lower * (w * h_down)[:, None]) + mixed + mixed.T
    hessian = np.block([[x.T @ (x * (w * (h_up + 2 * h_both + h_down))[:, None]), cross], [cross.T, edge]])
    return rows.sum(axis=0), -hessian, rows


def _parts(found, x, k, w, classes):
    """Return the parts of the fit and the fit itself from one Newton fit and two sets of cross-products, without fitting any smaller set of drivers.

    Two approximations err in opposite directions, and their mean lies within 2 % of the fit of fitting all 2^p sets (tests/measure/test_ordinal.py): the latent score,
    whose R2 of a set is turned into a deviance at the rate that makes the whole exact; and the slope of the likelihood where nothing matters yet,
    which is a regression of the classes' mean ranks.
    """
    b, _, _, deviance, _ = found
    total = w.sum()
    gain = (_null(k, w, classes) - deviance) / total
    z = x - w @ x / total
    cross = z.T @ (z * w[:, None]) / total
    scale = np.sqrt(np.diag(cross))
    counts = np.bincount(k, weights=w, minlength=classes)
    ranks = ((np.cumsum(counts) - counts / 2) / total)[k]
    latent, first = cross @ b / scale, (w * (ranks - w @ ranks / total)) @ z / total / scale
    spread = b @ cross @ b
    whole = spread / (spread + np.pi**2 / 3)  # of the latent score, whose own scatter is logistic (McKelvey and Zavoina 1975)
    matrix = cross / np.outer(scale, scale)
    rate = gain / -np.log1p(-whole) if whole > 0 else 0.0
    square = first @ np.linalg.solve(matrix, first)
    one = _shared(matrix, latent / np.sqrt(spread + np.pi**2 / 3), lambda explained: -np.expm1(rate * np.log1p(-np.clip(explained, 0, 1 - 1e-12))))
    two = _shared(matrix, first * np.sqrt(max(gain, 0) / square if square > 0 else 0.0), lambda explained: -np.expm1(-explained))
    return (one[0] + two[0]) / 2, -np.expm1(-gain)


def _shared(matrix, edge, worth):
    full = np.zeros((len(edge) + 1,) * 2)
    full[:-1, :-1], full[-1, :-1], full[:-1, -1] = matrix, edge, edge
    parts, fits = dominance.shared(full[None], worth)
    return parts[0], fits[0]
