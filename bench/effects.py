"""Difference-in-differences by the clock: 999 cluster-bootstrap replicates of a two-way fixed-effects estimate on 100,000 balanced rows, against one fit of pyfixest with errors clustered by unit.

Seconds of computing on one thread each, so that a busy machine counts for neither; runs alternate, the medians are told; the peer's first fit, in which it compiles, is not counted. Both sides' coefficients and clustered errors are compared too.

    python bench/effects.py                              where pyfixest is installed beside the workbook (dependency group "bench")
    python bench/effects.py --peer .bench/bin/python     where it lives in an environment of its own
    python bench/effects.py --no-peer                    ours against the least such a package does: demeaned rows and one product
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  the threads are counted at import
import pandas as pd  # noqa: E402

# The peer sits in its own interpreter and answers one line a fit, so that runs can alternate.
PEER = """
import sys, time, json
import pandas as pd, pyfixest
rows = pd.read_csv(sys.argv[1])
fit = lambda: pyfixest.feols("value ~ treated | unit + period", rows, vcov={"CRV1": "unit"})
fit()
print("ready", pyfixest.__version__, flush=True)
for line in sys.stdin:
    start = time.process_time()
    found = fit()
    print(json.dumps([time.process_time() - start, float(found.coef().iloc[0]), float(found.se().iloc[0])]), flush=True)
"""


def panel(units=5000, periods=20, seed=1):
    """Return 100,000 rows: units with levels of their own, two fifths treated in three steps."""
    rng = np.random.default_rng(seed)
    first = np.where(np.arange(units) < units * 2 // 5, np.resize([8.0, 10.0, 12.0], units), np.nan)
    time = np.arange(periods)
    value = rng.normal(size=(units, 1)) + rng.normal(size=(units, periods)) + 0.3 * (time >= first[:, None])
    return pd.DataFrame({"unit": np.repeat(np.arange(units), periods), "period": np.tile(time, units), "value": value.ravel(), "first": np.repeat(first, periods)})


def least(rows):
    """Return coefficient and clustered error from rows demeaned by unit and period (balanced, so once is enough): the least that a package does."""
    made = pd.DataFrame({"y": rows["value"], "d": (rows["period"] >= rows["first"]).astype(float)})
    for key in ("unit", "period"):
        made -= made.groupby(rows[key]).transform("mean")
    beta = float(made["d"] @ made["y"] / (made["d"] @ made["d"]))
    rest = (made["y"] - beta * made["d"]) * made["d"]
    return beta, float(np.sqrt((rest.groupby(rows["unit"]).sum() ** 2).sum()) / (made["d"] @ made["d"]))


def timed(call):
    """Return seconds of computing and what the call gave."""
    start = process_time()
    found = call()
    return process_time() - start, found


def main():
    """Print the medians of alternating runs, their ratio, and how far the answers are apart."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--peer", default=sys.executable, help="the Python that has pyfixest")
    given.add_argument("--no-peer", action="store_true", help="ours, and the least that a package does")
    given.add_argument("--runs", type=int, default=7)
    options = given.parse_args()
    from cxlib.act import contrasts, differences

    rows = panel()
    own, _ = contrasts.panel(rows)
    ways = {
        "from cells": lambda: contrasts.bootstrap(own, lambda mean, size: differences._two_way(mean, size, own.cohorts), replicates=999, seed=1),
        "from rows, with the estimate and its errors": lambda: differences.two_way(rows, replicates=999, seed=1),
    }
    ours, theirs, name = {way: [] for way in ways}, [], "the least of a package"
    with tempfile.TemporaryDirectory() as folder:
        peer = None
        if not options.no_peer:
            rows.assign(treated=(rows["period"] >= rows["first"]).astype(float)).drop(columns="first").to_csv(Path(folder) / "rows.csv", index=False)
            peer = subprocess.Popen([options.peer, "-c", PEER, str(Path(folder) / "rows.csv")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            ready = peer.stdout.readline().split()
            if not ready:
                print(f"{options.peer} has no pyfixest (dependency group 'bench', or another Python with --peer): against the least that such a package does.")
                peer = None
            else:
                name = f"pyfixest {ready[1]}"
        for _ in range(options.runs):
            for way, once in ways.items():
                ours[way].append(timed(once)[0])
            if peer:
                peer.stdin.write("\n")
                peer.stdin.flush()
                seconds, *yours = json.loads(peer.stdout.readline())
            else:
                seconds, yours = timed(lambda: least(rows))
            theirs.append(seconds)
        if peer:
            peer.stdin.close()
            peer.wait()
    one = statistics.median(theirs)
    for way, seconds in ours.items():
        taken = statistics.median(seconds)
        print(f"999 cluster-bootstrap replicates of a two-way DiD, {len(rows):,} rows, {way}: {taken * 1000:.0f} ms; one fit of {name}: {one * 1000:.0f} ms (ratio {taken / one:.2f}{'; aim: at most 1' if peer else ''})")
    row = differences.two_way(rows).iloc[0]
    errors = f", clustered errors {abs(row['std_error_crv1'] - yours[1]):.1e}" if peer else ""
    print(f"coefficients {abs(row['estimate'] - yours[0]):.1e} apart{errors}; the error of the bootstrap is {differences.two_way(rows, replicates=999)['std_error_boot'].iloc[0] / row['std_error_crv1']:.3f} times the clustered one")


if __name__ == "__main__":
    main()
