"""Raw files against what reads them plainly: medians of alternating runs, as ratios.

    python bench/readers.py                  a million rows of 22 columns, five runs each
    python bench/readers.py --rows 100000 --runs 3
    python bench/readers.py --long           ten million rows, once: seconds and memory (a gigabyte of disk, a minute or two)

CSV against DuckDB's own reading of the file as text (`all_varchar`) with one thread, as the readers have one: the reading, the intake
(every cell a value or a reason), and the whole way into the store. XLSX against calamine alone, with a tenth of the rows. Limits of
the project: at most 3 from the CSV to the store, and a gigabyte for ten million rows. Memory is the largest resident size of a process that does nothing but this.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cxlib import programme  # noqa: E402
from cxlib.load import intake, readers, store  # noqa: E402
from cxlib.programme import Reading  # noqa: E402

ITEMS = 16
CONTRACT = """
name = "Bench"
scales.ten = {low = 0, high = 10}
surveys = [{id = "pulse", kind = "transactional", dated_by = "answer", uses = ["aggregate", "link"], columns = {person_id = "person_id", answered_on = "answered_on", country = "country", channel = "channel"}}]
waves = [{id = "2026", survey = "pulse", quarter = "2026Q4", first = 2026-01-01, last = 2026-12-31, file = "answers.csv"}]
kpis = [{id = "nps", item = "q0", definition = "nps_0_10"}]
"""


CHILD = """
import resource, sys, tempfile, time
from pathlib import Path
from cxlib import programme
from cxlib.load import store
start = time.perf_counter()
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    store.write(programme.read(Path(sys.argv[1])), Path(folder))
print(time.perf_counter() - start, max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**10)
"""


DUCK = """
import sys, time
import duckdb
start = time.perf_counter()
for batch in duckdb.connect(config={"threads": 1}).read_csv(sys.argv[1], all_varchar=True).to_arrow_reader(100_000):
    pass
print(time.perf_counter() - start)
"""


def frame(rows: int, first: int = 0):
    """Return answers as a survey tool exports them: ids, a day, two codes, sixteen scores, a comment of which most differ."""
    import numpy as np
    import pandas as pd

    draws = np.random.default_rng(20260930 + first)
    days = pd.date_range("2026-01-01", "2026-12-31").strftime("%Y-%m-%d").to_numpy()
    places = range(first, first + rows)
    columns = {
        "response_id": [f"r{place:07d}" for place in places], "person_id": [f"p{place % 400_000:06d}" for place in places], "answered_on": draws.choice(days, rows),
        "country": draws.choice(["DE", "AT", "NA"], rows), "channel": draws.choice(["web", "phone", "shop"], rows),
    }  # fmt: skip
    columns |= {f"q{place}": draws.integers(0, 11, rows).astype(str) for place in range(ITEMS)}
    words = draws.choice(["", "", "It was fine", "Too slow, really", 'They said "no"'], rows)
    return pd.DataFrame(columns | {"comment": [f"{text} {place}" if text else "" for text, place in zip(words, places, strict=True)]})


def folder(place: Path, rows: int, *, many: int = 500_000) -> Path:
    """Write a programme of one wave with so many rows, a piece at a time; return its file."""
    path = place / "raw" / "answers.csv"
    path.parent.mkdir()
    for first in range(0, rows, many):
        frame(min(many, rows - first), first).to_csv(path, index=False, header=first == 0, mode="a")
    items = "".join(f'[[items]]\nid = "q{number}"\nwording = "Question {number}"\nscale = "ten"\n' for number in range(ITEMS))
    (place / "programme.toml").write_text(CONTRACT + items + '[[items]]\nid = "comment"\nkind = "verbatim"\nwording = "Why?"\n')
    return path


def stored(place: Path) -> tuple[float, float]:
    """Return the seconds and the largest resident size (MiB) of a process that brings a programme into a store."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(place)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    seconds, size = done.stdout.split()
    return float(seconds), float(size)


def duck(path: Path):
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    return connection.read_csv(str(path), all_varchar=True).to_arrow_table()


def every(parts) -> None:
    for _ in parts:
        pass


def calamine(path: Path):
    import python_calamine

    return python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def seconds(kinds: dict, runs: int) -> dict:
    """Return the median seconds of each, run in turn so that a busy machine harms all alike; the first round does not count."""
    found = {name: [] for name in kinds}
    for _ in range(runs + 1):
        for name, call in kinds.items():
            start = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in found.items()}


def write(contract, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place) as out:
        store.write(contract, Path(out))


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--runs", type=int, default=5)
    given.add_argument("--long", action="store_true", help="ten million rows, once")
    given = given.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        rows = 10_000_000 if given.long else given.rows
        path = folder(place, rows)
        print(f"{rows:,} rows x 22 columns, {path.stat().st_size / 2**20:,.0f} MiB of CSV")
        if given.long:
            base = subprocess.run([sys.executable, "-c", DUCK, str(path)], capture_output=True, text=True, check=True)
            (taken, size), plain = stored(place), float(base.stdout.split()[-1])
            print(f"CSV to store  DuckDB {plain:6.2f} s   store  {taken:6.2f} s   ratio {taken / plain:5.2f} (limit 3)   largest memory {size:,.0f} MiB (limit 1,024)")
            return
        book, contract = place / "answers.xlsx", programme.read(place)
        frame(rows // 10).to_excel(book, index=False, engine="xlsxwriter")
        kinds = {"duckdb": lambda: duck(path), "reader": lambda: every(readers.parts(path, Reading())()), "intake": lambda: every(intake.wave_parts(contract, contract.waves[0])), "store": lambda: write(contract, place)}
        texts = seconds(kinds, given.runs)
        books = seconds({"calamine": lambda: calamine(book), "reader": lambda: readers.read(book, Reading())}, min(given.runs, 3))
        print(f"Medians of {given.runs} runs in turn")
        for name, label, limit in (("reader", "CSV as text  ", ""), ("intake", "CSV taken in ", ""), ("store", "CSV to store ", " (limit 3)")):
            print(f"{label} DuckDB {texts['duckdb']:6.2f} s   {name} {texts[name]:6.2f} s   ratio {texts[name] / texts['duckdb']:5.2f}{limit}")
        print(f"XLSX (a tenth) calamine {books['calamine']:5.2f} s   reader {books['reader']:6.2f} s   ratio {books['reader'] / books['calamine']:5.2f}")
        print(f"CSV to store, largest memory {stored(place)[1]:,.0f} MiB")


if __name__ == "__main__":
    main()
