"""A metric over time: series, changes against last wave and last year, and the limits of ordinary variation."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.measure import metrics

D2 = 1.128  # expected range of two normal values in standard deviations


def series(frame, *, score, definition, period, by=(), weight=None):
    """Estimate a metric for every period (wave, quarter, week): keys, period and what `metrics.estimate` returns, in order of time.

    Periods sort as text ("2026Q3") or as dates. A period without answers is not invented: see `gap` in `changes`.
    """
    by = [by] if isinstance(by, str) else list(by)
    return metrics.estimate(metrics.tally(frame, score=score, by=[*by, period], weight=weight), definition=definition, by=[*by, period])


def quarters(label):
    """Return a quarter "2026Q3" as a running number, so that differences are numbers of quarters."""
    text = str(label)
    if len(text) != 6 or text[4] != "Q" or not (text[:4].isascii() and text[:4].isdecimal()) or text[5] not in "1234":
        raise DataError(f"'{text}' is no quarter; write it as 2026Q3.")
    return int(text[:4]) * 4 + int(text[5]) - 1


def changes(estimates, *, by=(), period="quarter", overlaps=None, of_interest=None):
    """Compare every period with the one before it that has answers, and with the same quarter of the year before.

    in: estimates by `by` and `period` (quarters like "2026Q3"); `overlaps`: {(now, then): frame from `metrics.overlap`} where people answered in both.
    out: keys, period, against ("previous"|"year"), then_period (the earlier one), gap (quarters between them), usual_gap (the median gap of the
    series), uneven (this gap is not the usual one: the page must say so), then the columns of `metrics.change`. Where there is no period to compare with, a
    row says so in its note.
    """
    by = [by] if isinstance(by, str) else list(by)
    parts = []
    groups = estimates.groupby(by, observed=True, dropna=False, sort=True) if by else [((), estimates)]
    for _, rows in groups:
        rows = rows[rows["n"] > 0].assign(_at=lambda part: part[period].map(quarters)).sort_values("_at", kind="stable")
        at = rows["_at"].tolist()
        usual = float(np.median(np.diff(at))) if len(at) > 1 else np.nan
        for place, when in enumerate(at):
            now = rows.iloc[[place]]
            for against, other in (("previous", place - 1), ("year", at.index(when - 4) if when - 4 in at else -1)):
                then = rows.iloc[[other]] if other >= 0 else rows.iloc[:0]
                tied = (overlaps or {}).get((now[period].iloc[0], then[period].iloc[0])) if len(then) else None
                if tied is not None and by:
                    tied = now[by].merge(tied, on=by, how="inner")
                moved = metrics.change(now.reset_index(drop=True), then.reset_index(drop=True), by=by, overlap=tied, of_interest=of_interest)
                head = now[[*by, period]].reset_index(drop=True)
                head["against"], head["then_period"] = against, then[period].iloc[0] if len(then) else ""
                head["gap"] = float(when - at[other]) if len(then) else np.nan
                head["usual_gap"] = usual
                head["uneven"] = bool(len(then)) and against == "previous" and when - at[other] != usual
                parts.append(head.join(moved.drop(columns=by)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def individuals(values, *, baseline=None):
    """Return the limits of an individuals chart (I-MR): mean +- 3 MR-bar / 1.128, from the first `baseline` values (default: all).

    in: a sequence in order of time. out: place (from 0), value, centre, lower, upper (limits of ordinary variation, not the interval of an
    estimate), baseline, outside. Needs two values. An alert is a reason to look, not a claim.
    """
    x = np.asarray(values, dtype=float)
    base = x[: len(x) if baseline is None else baseline]
    if np.isfinite(base).sum() < 2:
        raise DataError("Limits need at least two values in the baseline.")
    centre = np.nanmean(base)
    return _chart(x, np.full(len(x), centre), np.full(len(x), np.nanmean(np.abs(np.diff(base))) / D2), len(base))


def laney(estimates, *, baseline=None):
    """Return the limits of Laney's p' chart for NPS and shares, whose bases differ from period to period.

    in: rows of `metrics.estimate` in order of time (points or shares). z = (x - centre)/se with the pooled variance over n_eff, sigma_z = MR-bar(z)/1.128,
    limits centre +- 3 se sigma_z (Laney 2002): a level that wanders more than sampling explains gets wider limits. out: as `individuals`, plus sigma_z.
    """
    m = estimates["n_eff"].to_numpy(dtype=float)
    x = estimates["estimate"].to_numpy(dtype=float)
    size = len(x) if baseline is None else baseline
    use = np.arange(len(x)) < size
    use &= np.isfinite(x) & (m > 0)
    if use.sum() < 2:
        raise DataError("Limits need at least two estimates in the baseline.")
    scale = 100.0 if (estimates["unit"] == "points").all() else 1.0
    centre = np.average(x[use], weights=m[use])
    if scale == 1:
        pooled = centre * (1 - centre)
    else:  # v = p + d - s^2 with p + d pooled over the baseline
        ends = np.average((estimates["std_error"].to_numpy(dtype=float)[use] / scale) ** 2 * m[use] + (x[use] / scale) ** 2, weights=m[use])
        pooled = scale**2 * (ends - (centre / scale) ** 2)
    with np.errstate(divide="ignore"):
        error = np.sqrt(pooled / m)
    z = ((x - centre) / error)[use]
    sigma = np.abs(np.diff(z)).mean() / D2
    return _chart(x, np.full(len(x), centre), error * sigma, size).assign(sigma_z=sigma)


def _chart(x, centre, sigma, size):
    out = pd.DataFrame({"place": np.arange(len(x)), "value": x, "centre": centre, "lower": centre - 3 * sigma, "upper": centre + 3 * sigma})
    out["baseline"] = out["place"] < size
    out["outside"] = (out["value"] < out["lower"]) | (out["value"] > out["upper"])
    return out
