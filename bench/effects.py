"""Difference-in-differences by the clock: 999 cluster-bootstrap replicates of a two-way fixed-effects estimate on 100,000 balanced rows, against one fit of a package.

    python bench/effects.py     pyfixest where it is installed, else one dense least-squares fit on demeaned rows by pandas and numpy, which is what such a package does at least
"""

import os
import statistics
from time import perf_counter

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  the threads are counted at import
import pandas as pd  # noqa: E402


def panel(units=5000, periods=20, seed=1):
    """Return 100,000 rows: units with levels of their own, two fifths treated in three steps."""
    rng = np.random.default_rng(seed)
    first = np.where(np.arange(units) < units * 2 // 5, np.resize([8.0, 10.0, 12.0], units), np.nan)
    time = np.arange(periods)
    value = rng.normal(size=(units, 1)) + rng.normal(size=(units, periods)) + 0.3 * (time >= first[:, None])
    return pd.DataFrame({"unit": np.repeat(np.arange(units), periods), "period": np.tile(time, units), "value": value.ravel(), "first": np.repeat(first, periods)})


def fit(rows):
    """Return the coefficient of one fit: pyfixest's, or that of rows demeaned by unit and period (balanced, so once is enough)."""
    treated = (rows["period"] >= rows["first"]).astype(float)
    try:
        import pyfixest

        return float(pyfixest.feols("value ~ treated | unit + period", rows.assign(treated=treated), vcov={"CRV1": "unit"}).coef().iloc[0])
    except ImportError:
        made = pd.DataFrame({"y": rows["value"], "d": treated})
        for key in ("unit", "period"):
            made -= made.groupby(rows[key]).transform("mean")
        beta = float(made["d"] @ made["y"] / (made["d"] @ made["d"]))
        rest = (made["y"] - beta * made["d"]) * made["d"]
        float(np.sqrt((rest.groupby(rows["unit"]).sum() ** 2).sum()) / (made["d"] @ made["d"]))  # clustered error
        return beta


def seconds(call, runs=7):
    """Return the median of several runs."""
    taken = []
    for _ in range(runs):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return statistics.median(taken)


if __name__ == "__main__":
    from cxlib.act import contrasts, differences

    rows = panel()
    own, _ = contrasts.panel(rows)
    ours = differences.two_way(rows)["estimate"].iloc[0]
    assert abs(ours - fit(rows)) < 1e-8, (ours, fit(rows))
    boot = seconds(lambda: contrasts.bootstrap(own, lambda mean, size: differences._two_way(mean, size, own.cohorts), replicates=999, seed=1))
    whole, one = seconds(lambda: differences.two_way(rows, replicates=999)), seconds(lambda: fit(rows))
    try:
        import pyfixest

        peer = f"pyfixest {pyfixest.__version__}"
    except ImportError:
        peer = "demeaned least squares"
    print(f"999 cluster-bootstrap replicates of a two-way DiD, {len(rows):,} rows: {boot * 1000:.0f} ms from cells, {whole * 1000:.0f} ms from rows; one fit of {peer}: {one * 1000:.0f} ms (ratio {boot / one:.2f})")
