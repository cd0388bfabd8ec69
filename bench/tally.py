"""The tracking study at size: ten million answers by week, segment and channel with intervals, and the levels of a thousand units.

    python bench/tally.py                    ten million answers, three rounds, and 200 weekly series
    python bench/tally.py --rows 100000000   a hundred million (a gigabyte of disk)

Against what the engine needs merely to decode the same columns, on one core, in turns: the least CPU time of each. Limits of the project: 2.5 times and
500 MB at ten million, a gigabyte at a hundred million; a thousand units smoothed in ten seconds.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cxlib.load import store
from cxlib.measure import levels, metrics

PART = 1_000_000
COLUMNS = ("answered_on", "segment", "channel", "weight", "recommend")


def responses(path: Path, rows: int) -> None:
    """Write a year of answers from 6 segments and 10 channels, part by part."""
    with pq.ParquetWriter(path, _part(0, 1).schema, compression="zstd") as file:
        for start in range(0, rows, PART):
            file.write_table(_part(start, min(PART, rows - start)))


def _part(seed: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    word = lambda words: pa.array(words).take(pa.array(rng.integers(0, len(words), rows)))
    day = (np.datetime64("2024-01-01") + rng.integers(0, 364, rows)).astype("datetime64[us]")
    scores = rng.choice([*range(11), np.nan], rows).astype(float)
    return pa.table({"quarter": word(["2024Q4"]), "survey": word(["pulse"]), "answered_on": day, "segment": word(list("abcdef")), "channel": word([f"channel {one}" for one in range(10)]), "weight": rng.choice([0.5, 0.8, 1.0, 1.2, 1.7], rows), "recommend": scores})


def decoded(path: Path) -> None:
    """Have the engine decode the columns and do next to nothing with them."""
    with duckdb.connect() as engine:
        engine.execute("SET threads=1")
        largest = ", ".join(f"max({name})" for name in COLUMNS)  # alone they would come from the file's statistics
        engine.execute(f"SELECT {largest}, sum(weight), sum(recommend) FROM '{path}'").fetchall()


def counted(path: Path) -> pd.DataFrame:
    """Estimate the NPS of every week, segment and channel as a study does."""
    tables = store.Tables(path.parent, SimpleNamespace(fiscal_year_start=1, fiscal_year_label="end"), "2024Q4")
    tally = tables.tally("responses", by={"week": ("answered_on", "W"), "segment": "segment", "channel": "channel", "score": "recommend"})
    return metrics.estimate(tally[tally["score"].notna()], definition="nps_0_10", by=["week", "segment", "channel"])


def weekly(seed: int, weeks: int = 104) -> pd.DataFrame:
    """Make one unit's weekly shares on 15 to 60 answers around a level that wanders."""
    rng = np.random.default_rng(seed)
    n, level = rng.integers(15, 60, weeks), 0.5 + np.cumsum(rng.normal(0, 0.01, weeks))
    share = rng.binomial(n, np.clip(level, 0.05, 0.95)) / n
    raised = (share * n + 1) / (n + 2)
    return pd.DataFrame({"date": pd.date_range("2024-01-01", periods=weeks, freq="W"), "unit": "share", "estimate": share, "std_error": np.sqrt(raised * (1 - raised) / n), "n_eff": n.astype(float)})


def seconds(function, *given) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    function(*given)
    return time.process_time() - start


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--series", type=int, default=200)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "responses.parquet")
        responses(path, given.rows)
        counted(path)  # imports are not counted
        plain, ours = np.array([(seconds(decoded, path), seconds(counted, path)) for _ in range(given.runs)]).min(axis=0)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.rows:,} answers by week x segment x channel with intervals: {ours:.2f} s of CPU, {ours / plain:.2f} times decoding the columns ({plain:.2f} s); {most:.0f} MiB")
    units = [weekly(seed) for seed in range(given.series)]
    took = sum(seconds(levels.level, unit) for unit in units) / given.series * 1000
    print(f"1,000 units of 104 weeks smoothed, jumps looked for: {took:.1f} s of CPU")
