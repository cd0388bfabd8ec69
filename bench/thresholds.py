"""Thresholds by the clock: the exact search against piecewise-regression at 1,000 answers, and place, interval and test of a million against one sort.

The sort is that of the rows by the score, stable, as any search needs it (argsort and the two columns taken in its order). Medians of alternating runs.

    python bench/thresholds.py                             where piecewise-regression is installed beside the workbook (dependency group "bench")
    python bench/thresholds.py --peer /tmp/b/bin/python    where it lives in an environment of its own
    python bench/thresholds.py --no-peer                   ours only
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from time import perf_counter

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  the threads are counted at import
import pandas as pd  # noqa: E402

PEER = """
import sys, json, time
import numpy as np, piecewise_regression
x, y = np.array(json.loads(sys.stdin.readline())), np.array(json.loads(sys.stdin.readline()))
for line in sys.stdin:
    np.random.seed(1)
    start = time.perf_counter()
    fitted = piecewise_regression.Fit(list(x), list(y), n_breakpoints=1)
    seconds, best = time.perf_counter() - start, fitted.get_results()
    print(json.dumps([seconds, best["rss"], best["estimates"]["breakpoint1"]["estimate"]]), flush=True)
"""


def answers(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers on a fine scale with a hinge at 6."""
    draws = np.random.default_rng(1)
    x = draws.uniform(0, 10, n)
    return x, 2 + 0.3 * x + 1.5 * np.maximum(x - 6, 0) + draws.normal(size=n)


def timed(once) -> tuple[float, object]:
    """Seconds of one call, and what it returned."""
    start = perf_counter()
    found = once()
    return perf_counter() - start, found


def against_the_peer(python: str, runs: int) -> None:
    """Print the ratio at 1,000 answers, and by how much the residual sums differ."""
    from cxlib.measure import breaks

    x, y = answers(1000)
    peer = subprocess.Popen([python, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    peer.stdin.write(f"{json.dumps(x.tolist())}\n{json.dumps(y.tolist())}\n")
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(min(timed(lambda: breaks.best(x, y, None, shape="hinge", under="line", trim=0.0))[0] for _ in range(5)))
        peer.stdin.write("\n")
        peer.stdin.flush()
        line = peer.stdout.readline()
        if not line:
            sys.exit(f"{python} has no piecewise-regression: install the dependency group 'bench', or name another Python with --peer.")
        seconds, rss, at = json.loads(line)
        theirs.append(seconds)
    peer.stdin.close()
    peer.wait()
    mine = breaks.best(x, y, None, shape="hinge", under="line", trim=0.0)
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"hinge at 1,000 answers: {one * 1000:.2f} ms, piecewise-regression {other * 1000:.0f} ms: {other / one:,.0f} times as fast (aim 500); residual sums differ by {(rss - mine['rss']) / mine['rss']:+.1e}, places by {abs(at - mine['estimate']):.1e}")


def against_a_sort(rows: int, runs: int) -> None:
    """Print what place, interval and test of a million answers take, in sorts."""
    from cxlib.measure import thresholds

    x, y = answers(rows)
    fine = pd.DataFrame({"x": x, "y": y})
    scale = fine.assign(x=np.round(x))
    thresholds.find(fine.head(50_000), x="x", y="y")  # what is imported late is imported

    def sort():
        order = np.argsort(x, kind="stable")
        return x[order], y[order]

    for name, frame in (("a fine scale", fine), ("eleven scores", scale)):
        sorts, finds = [], []
        for _ in range(runs):
            sorts.append(timed(sort)[0])
            finds.append(timed(lambda frame=frame: thresholds.find(frame, x="x", y="y"))[0])
        one, other = statistics.median(sorts), statistics.median(finds)
        print(f"threshold with interval and test, {rows:,} customers on {name}: {other:.2f} s, a sort {one:.2f} s: {other / one:.1f} times (aim under 10)")


def main() -> None:
    """Print both comparisons."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", default=sys.executable, help="the Python that has piecewise-regression")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--no-peer", action="store_true", help="ours only")
    options = options.parse_args()
    against_a_sort(options.rows, options.runs)
    if not options.no_peer:
        against_the_peer(options.peer, options.runs)


if __name__ == "__main__":
    main()
