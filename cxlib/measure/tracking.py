"""The limits of ordinary variation of a metric over time."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError

D2 = 1.128  # expected range of two normal values in standard deviations


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
