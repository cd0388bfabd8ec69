"""Driver importance by the clock: exact Shapley from rows against pingouin, and what the issue of speed asks of bootstrap, many drivers and many rows.

Against pingouin: p = 12, n = 10,000, correlation included, one BLAS thread, medians of alternating runs; to arrays, and to the tidy frame of
`drivers.resample`. Of the arrays' time about a third is the one product of the answers with themselves and a quarter the 4,096 models; making a frame of eight
columns costs a third on top.

A run is as many calls as fit into a third of a second, on both sides alike: a single call of ours is shorter than what waking up costs.

    python bench/drivers.py                         where pingouin is installed beside the workbook (dependency group "bench")
    python bench/drivers.py --peer /tmp/b/bin/python   where it lives in an environment of its own
    python bench/drivers.py --no-peer [--rows 10000000]   ours only: replicates against a naive loop, 20 drivers, a survey of 130,000, cross-products against a scan
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


def replicates(frame, names):
    """Return seconds of 1,000 replicates of exact importance, and of a naive loop that only resamples and correlates."""
    from cxlib.measure import drivers

    start = perf_counter()
    drivers.resample(frame, kpi="y", drivers=names, methods=("shapley",), replicates=1000)
    ours = perf_counter() - start
    values, rng = frame.to_numpy(), np.random.default_rng(1)
    start = perf_counter()
    for _ in range(1000):
        np.corrcoef(values[rng.integers(0, len(values), len(values))], rowvar=False)
    return ours, perf_counter() - start


def study(frame, names):
    """Return seconds of everything 02 computes of one KPI: four methods, 1,000 replicates, ranks, test, matrix, steps, halo, contrasts, gaps, differences."""
    from cxlib.measure import asymmetry, drivers, halo, influence, missing, priorities

    start = perf_counter()
    draws = drivers.resample(frame, kpi="y", drivers=names, replicates=1000)
    drivers.summarise(draws)
    priorities.by_rule(draws)
    shown = perf_counter() - start
    drivers.permutation(frame, kpi="y", drivers=names, replicates=199)
    tested = perf_counter() - start
    priorities.steps(frame, kpi="y", drivers=names, high=dict.fromkeys(names, 5), replicates=200)
    halo.common(frame, kpi="y", drivers=names, replicates=200)
    asymmetry.contrasts(frame, kpi="y", drivers=names, low=2, high=5, replicates=200)
    missing.compare(frame, kpi="y", drivers=names)
    influence.errors(frame, kpi="y", drivers=names)
    return shown, tested, perf_counter() - start


def scan(rows):
    """Return seconds of the cross-products of 13 columns of a Parquet file, and of the engine's own scan of them (a sum each)."""
    import duckdb

    from cxlib.measure import moments

    columns = [f"c{k}" for k in range(13)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.parquet"
        engine = duckdb.connect(config={"threads": 1})
        engine.execute(f"copy (select {', '.join(f'(hash(i * 13 + {k}) % 5 + 1)::tinyint as {name}' for k, name in enumerate(columns))} from range({rows}) t(i)) to '{file}' (format parquet)")
        start = perf_counter()
        engine.execute(f"select {', '.join(f'sum({name})' for name in columns)} from '{file}'").fetchall()
        plain = perf_counter() - start
        start = perf_counter()
        moments.products(engine.sql(f"from '{file}'").to_arrow_reader(), columns=columns)
    return perf_counter() - start, plain


def alone(rows):
    """Print what needs no peer."""
    from cxlib.measure import drivers

    frame = answers()
    names = [name for name in frame if name != "y"]
    ours, naive = replicates(frame, names)
    print(f"1,000 replicates, p = 12, n = 10,000: {ours:.2f} s; resampling and correlating alone in a loop {naive:.2f} s: {ours / naive:.2f} of it (aim under 1)")
    many = answers(5000, 20)
    start = perf_counter()
    drivers.shapley(many.corr(), kpi="y")
    print(f"exact with 20 drivers: {perf_counter() - start:.2f} s (aim under 1)")
    large = answers(130_000, 14)
    large = large.mask(np.random.default_rng(2).random(large.shape) < np.append(np.full(14, 0.03), 0))
    shown, tested, whole = study(large, [name for name in large if name != "y"])
    print(f"130,000 rows x 14 with gaps: importance, ranks and matrix {shown:.1f} s, with permutation {tested:.1f} s, all of it {whole:.1f} s (aim under 5)")
    cross, plain = scan(rows)
    print(f"{rows:,} rows: cross-products {cross:.2f} s, a scan {plain:.2f} s: {cross / plain:.1f} times (aim under 3)")


def main():
    """Print both medians, their ratio and the largest difference between the two answers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", default=sys.executable, help="the Python that has pingouin")
    options.add_argument("--runs", type=int, default=9)
    options.add_argument("--rows", type=int, default=2_000_000, help="rows of the scan")
    options.add_argument("--no-peer", action="store_true", help="ours only")
    options = options.parse_args()
    alone(options.rows)
    if options.no_peer:
        return
    from cxlib.measure import dominance, drivers
    from cxlib.measure.moments import Answers

    frame = answers()
    names = [name for name in frame if name != "y"]
    ways = {
        "arrays": lambda: dominance.all_methods(Answers(frame, "y", names).point()[0][None], ("shapley",))["shapley"][0],
        "a tidy frame": lambda: drivers.resample(frame, kpi="y", drivers=names, methods=("shapley",), replicates=0)["shapley"].to_numpy(),
    }
    ours, theirs = {way: [] for way in ways}, []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.csv"
        frame.to_csv(file, index=False)
        peer = subprocess.Popen([options.peer, "-c", PEER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = peer.stdout.readline().split()
        if not ready:
            sys.exit(f"{options.peer} has no pingouin: install the dependency group 'bench', or name another Python with --peer.")
        for _ in range(options.runs):
            for way, once in ways.items():
                start, calls = perf_counter(), 0
                while perf_counter() - start < 1 / 3:
                    mine, calls = once(), calls + 1
                ours[way].append((perf_counter() - start) / calls)
            peer.stdin.write("\n")
            peer.stdin.flush()
            seconds, yours = json.loads(peer.stdout.readline())
            theirs.append(seconds)
        peer.stdin.close()
        peer.wait()
    start = perf_counter()
    drivers.importance(frame, kpi="y", drivers=names, methods=("shapley",))
    for way, seconds in ours.items():
        print(f"from rows to {way}: ours {np.median(seconds) * 1e3:.2f} ms, pingouin {ready[1]} {np.median(theirs) * 1e3:.0f} ms: {np.median(theirs) / np.median(seconds):.0f} times (aim 300)")
    print(f"largest difference {np.abs(mine - yours).max():.1e}; with 1,000 bootstrap replicates ours takes {perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
