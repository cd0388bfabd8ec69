"""Raw files against what reads them plainly: medians of alternating runs, as ratios.

    python bench/readers.py                  a million rows of 22 columns, five runs each
    python bench/readers.py --rows 100000 --runs 3

CSV against DuckDB's own reading of the file as text (`all_varchar`) with one thread, as the readers have one; the intake (every
cell a value or a reason) against the same; XLSX against calamine alone, with a tenth of the rows. The first two are limits of
the project: at most 3 for the reading.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cxlib import programme  # noqa: E402
from cxlib.load import intake, readers  # noqa: E402
from cxlib.programme import Reading  # noqa: E402

ITEMS = 16
CONTRACT = """
name = "Bench"
scales.ten = {low = 0, high = 10}
surveys = [{id = "pulse", kind = "transactional", dated_by = "answer", uses = ["aggregate", "link"], columns = {person_id = "person_id", answered_on = "answered_on", country = "country", channel = "channel"}}]
waves = [{id = "2026", survey = "pulse", quarter = "2026Q4", first = 2026-01-01, last = 2026-12-31, file = "answers.csv"}]
kpis = [{id = "nps", item = "q0", definition = "nps_0_10"}]
"""


def frame(rows: int):
    """Return answers as a survey tool exports them: ids, a day, two codes, sixteen scores, a comment of which most differ."""
    import numpy as np
    import pandas as pd

    draws = np.random.default_rng(20260930)
    days = pd.date_range("2026-01-01", "2026-12-31").strftime("%Y-%m-%d").to_numpy()
    columns = {
        "response_id": [f"r{place:07d}" for place in range(rows)], "person_id": [f"p{place % 400_000:06d}" for place in range(rows)], "answered_on": draws.choice(days, rows),
        "country": draws.choice(["DE", "AT", "NA"], rows), "channel": draws.choice(["web", "phone", "shop"], rows),
    }  # fmt: skip
    columns |= {f"q{place}": draws.integers(0, 11, rows).astype(str) for place in range(ITEMS)}
    words = draws.choice(["", "", "It was fine", "Too slow, really", 'They said "no"'], rows)
    return pd.DataFrame(columns | {"comment": [f"{text} {place}" if text else "" for place, text in enumerate(words)]})


def duck(path: Path):
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    return connection.read_csv(str(path), all_varchar=True).to_arrow_table()


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


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--runs", type=int, default=5)
    given = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "raw").mkdir()
        answers, path, book = frame(given.rows), place / "raw" / "answers.csv", place / "answers.xlsx"
        answers.to_csv(path, index=False)
        answers.head(given.rows // 10).to_excel(book, index=False, engine="xlsxwriter")
        items = "".join(f'[[items]]\nid = "q{number}"\nwording = "Question {number}"\nscale = "ten"\n' for number in range(ITEMS))
        (place / "programme.toml").write_text(CONTRACT + items + '[[items]]\nid = "comment"\nkind = "verbatim"\nwording = "Why?"\n')
        contract = programme.read(place)
        del answers
        texts = seconds({"duckdb": lambda: duck(path), "reader": lambda: readers.read(path, Reading()), "intake": lambda: intake.wave(contract, contract.waves[0])}, given.runs)
        books = seconds({"calamine": lambda: calamine(book), "reader": lambda: readers.read(book, Reading())}, min(given.runs, 3))
        print(f"{given.rows:,} rows x 22 columns, {path.stat().st_size / 2**20:,.0f} MiB of CSV; medians of {given.runs} runs in turn")
        print(f"CSV as text   DuckDB {texts['duckdb']:6.2f} s   reader {texts['reader']:6.2f} s   ratio {texts['reader'] / texts['duckdb']:5.2f} (limit 3)")
        print(f"CSV taken in  DuckDB {texts['duckdb']:6.2f} s   intake {texts['intake']:6.2f} s   ratio {texts['intake'] / texts['duckdb']:5.2f}")
        print(f"XLSX (a tenth) calamine {books['calamine']:5.2f} s   reader {books['reader']:6.2f} s   ratio {books['reader'] / books['calamine']:5.2f}")
        print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB, the making of the files included")


if __name__ == "__main__":
    main()
