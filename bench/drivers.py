"""Exact Shapley importance from rows, correlation included, against pingouin: p = 12, n = 10,000, one BLAS thread, medians of alternating runs.

A run is as many calls as fit into a third of a second, on both sides alike: a single call of ours is shorter than what waking up costs.

    python bench/drivers.py                         where pingouin is installed beside the workbook (dependency group "bench")
    python bench/drivers.py --peer /tmp/b/bin/python   where it lives in an environment of its own
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  the threads are counted at import
import pandas as pd  # noqa: E402

# The peer sits in its own interpreter and answers one line a run, so that runs can alternate.
PEER = """
import sys, time, json
import pandas as pd, pingouin
frame = pd.read_parquet(sys.argv[1]) if sys.argv[1].endswith("parquet") else pd.read_csv(sys.argv[1])
x, y = frame.drop(columns="y"), frame["y"]
print("ready", pingouin.__version__, flush=True)
for line in sys.stdin:
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 1 / 3:
        out, calls = pingouin.linear_regression(x, y, relimp=True), calls + 1
    print(json.dumps([(time.perf_counter() - start) / calls, list(map(float, out["relimp"][1:]))]), flush=True)
"""


def answers(n=10_000, p=12, seed=1):
    """Return ratings with a halo, and a KPI."""
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3.5 + 0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, p))), 1, 5)
    y = np.clip(np.round(5 + x @ np.linspace(0, 0.5, p) - 8 + rng.normal(size=n)), 0, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"d{k}" for k in range(p)), "y"])


def main():
    """Print both medians, their ratio and the largest difference between the two answers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", default=sys.executable, help="the Python that has pingouin")
    options.add_argument("--runs", type=int, default=9)
    options = options.parse_args()
    from cxlib.measure import drivers

    frame = answers()
    names = [name for name in frame if name != "y"]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.csv"
        frame.to_csv(file, index=False)
        peer = subprocess.Popen([options.peer, "-c", PEER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = peer.stdout.readline().split()
        if not ready:
            sys.exit(f"{options.peer} has no pingouin: install the dependency group 'bench', or name another Python with --peer.")
        once = lambda: drivers.resample(frame, kpi="y", drivers=names, methods=("shapley",), replicates=0)["shapley"].to_numpy()
        for _ in range(options.runs):
            start, calls = perf_counter(), 0
            while perf_counter() - start < 1 / 3:
                mine, calls = once(), calls + 1
            ours.append((perf_counter() - start) / calls)
            peer.stdin.write("\n")
            peer.stdin.flush()
            seconds, yours = json.loads(peer.stdout.readline())
            theirs.append(seconds)
        peer.stdin.close()
        peer.wait()
    start = perf_counter()
    drivers.importance(frame, kpi="y", drivers=names, methods=("shapley",))
    print(f"ours {np.median(ours) * 1e3:.1f} ms, pingouin {ready[1]} {np.median(theirs) * 1e3:.0f} ms: {np.median(theirs) / np.median(ours):.0f} times (aim 100)")
    print(f"largest difference {np.abs(mine - yours).max():.1e}; with 1,000 bootstrap replicates ours takes {perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
