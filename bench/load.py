"""Raw files against what reads them plainly, in processes of their own that take turns: the least CPU time (user and system) of each, as ratios.

    python bench/load.py                     a million rows of 22 columns, five rounds
    python bench/load.py --rows 100000 --runs 3
    python bench/load.py --parts             where the time goes, by function of the store
    python bench/load.py --long              ten million rows, once: seconds and memory (two gigabytes of disk, some minutes)

A survey of ids, a day, country, channel, segment, a weight, fourteen scores and a comment, which a third give: from CSV into the store, against DuckDB's own
reading of the file as text (`all_varchar`), into a table in memory and, beside, streamed and kept nowhere; both on one core and on two. Comments: redacted a CPU-second, of the survey's length and long. XLSX against calamine
alone, with a tenth of the rows. Limits of the project: at most 3 from the CSV to the store, a gigabyte of memory for ten million
rows, 20,000 comments a CPU-second. What is imported at the start counts for neither; memory is the largest resident size of a process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCORES = 14
CONTRACT = """
name = "Bench"
scales.ten = {low = 0, high = 10}
surveys = [{id = "pulse", kind = "transactional", dated_by = "answer", uses = ["aggregate", "link", "quote"], columns = {person_id = "person_id", answered_on = "answered_on", country = "country", channel = "channel", weight = "weight"}}]
waves = [{id = "2026", survey = "pulse", quarter = "2026Q4", first = 2026-01-01, last = 2026-12-31, file = "answers.csv"}]
kpis = [{id = "nps", item = "q0", definition = "nps_0_10"}]
"""
# What people write, as parts that are put together: some name somebody, some a number.
STARTS = ("", "", "", "Overall ", "To be honest ", "I think ", "As always, ", "Sorry, but ", "Sadly ", "For me ", "Frankly ", "This year ")
WHAT = ("the app", "the new tariff", "the hotline", "the engineer", "delivery", "the price", "the bill", "the shop in town", "my contract", "the website", "coverage at home", "the chat", "the router", "the agent", "roaming", "the renewal")
HOW = (
    "is fine", "was slow again", "works well most of the time", "needs a lot of patience", "could not answer my question", "was friendly and quick", "is too expensive for what I get", "never arrives on the promised day",
    "has become better since spring", "crashed twice when I tried to pay", "was explained badly", "is easy to use", "took 3 weeks", "cost me an hour", "did what it should", "is the reason why I stay",
)  # fmt: skip
ENDS = (
    ".", ".", "!", "", ", nothing to add.", ", and nobody called back.", ", thank you.", ", which I did not expect from a company of this size.", "; I had to call three times before somebody knew what to do.",
    ", although the person on the phone really tried to help.", " compared with the year before.", ", so please look into it.", " and the invoice was wrong by 12 euros.",
)  # fmt: skip
PERSONAL = (" Thanks to Anna in the shop.", " Call me on 0171 5550123.", " My name is John Miller.", " Write to me at kim@example.org.", " Mr Baker was rude.")

# Each child works on one core or two, and tells its CPU time, its clock time and its largest size.
CHILD = """
import json, os, resource, sys, tempfile, time
from pathlib import Path
place, cores = Path(sys.argv[1]), int(sys.argv[2])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
{imports}
used = lambda: sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu, clock = used(), time.perf_counter()
{work}
print(json.dumps([used() - cpu, time.perf_counter() - clock, max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**10]))
"""
DUCK = CHILD.format(imports="import duckdb", work='duckdb.connect(config={"threads": cores}).read_csv(str(place / "raw" / "answers.csv"), all_varchar=True).create("answers")')
STREAM = CHILD.format(
    imports="import duckdb, pyarrow",
    work='for batch in duckdb.connect(config={"threads": cores}).read_csv(str(place / "raw" / "answers.csv"), all_varchar=True).to_arrow_reader(100_000):\n    pass',
)
STORE = CHILD.format(
    imports="import duckdb, pandas, pyarrow.csv, pyarrow.dataset, pyarrow.pandas_compat, pyarrow.parquet\nfrom cxlib import programme\nfrom cxlib.load import store\nfrom cxlib.load.readers import database, text",
    work="with tempfile.TemporaryDirectory(dir=place) as folder:\n    store.write(programme.read(place), Path(folder))",
)
BOOK = CHILD.format(imports="from cxlib.load import readers\nfrom cxlib.programme import Reading", work='readers.read(place / "answers.xlsx", Reading())')
CALAMINE = CHILD.format(imports="import python_calamine", work='python_calamine.CalamineWorkbook.from_path(str(place / "answers.xlsx")).get_sheet_by_index(0).to_python()')
TEXTS = CHILD.format(
    imports="import pandas as pd\nfrom cxlib.load import redaction\nfrom cxlib.load import names\nnames.given()\nvalues = pd.read_json(place / sys.argv[3], typ='series', dtype=str)",
    work="redaction.texts(values)",
)
PARTS = """
import cProfile, pstats, sys, tempfile
from pathlib import Path
from cxlib import programme
from cxlib.load import store
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    run = cProfile.Profile()
    run.runcall(store.write, programme.read(Path(sys.argv[1])), Path(folder))
pstats.Stats(run).sort_stats("tottime").print_stats(25)
pstats.Stats(run).sort_stats("cumtime").print_stats(70)
"""


def comments(draws, rows: int) -> list[str]:
    """Return comments, of which most differ: one sentence or a few, one in fifty with somebody's name or number."""
    import numpy as np

    pick = lambda words, size: np.array(words, dtype=object)[draws.integers(0, len(words), size)]
    made = pick(STARTS, rows) + pick(WHAT, rows) + " " + pick(HOW, rows) + pick(ENDS, rows)
    more = np.flatnonzero(draws.random(rows) < 0.5)
    made[more] += " " + pick(WHAT, len(more)) + " " + pick(HOW, len(more)) + pick(ENDS, len(more))
    told = np.flatnonzero(draws.random(rows) < 0.02)
    made[told] += pick(PERSONAL, len(told))
    return [text[:1].upper() + text[1:] for text in made]


def frame(rows: int, first: int = 0):
    """Return answers as a survey tool exports them; scores go together as those of one mood do, and one cell in twenty is blank."""
    import numpy as np
    import pandas as pd

    draws = np.random.default_rng(20260930 + first)
    days = pd.date_range("2026-01-01", "2026-12-31").strftime("%Y-%m-%d").to_numpy()
    places = range(first, first + rows)
    columns = {
        "response_id": [f"r{place:07d}" for place in places], "person_id": [f"p{place % 400_000:06d}" for place in places], "answered_on": draws.choice(days, rows), "country": draws.choice(["DE", "AT", "NA"], rows),
        "channel": draws.choice(["web", "phone", "shop"], rows), "segment": draws.choice(["1", "2", "3", "4"], rows), "weight": draws.choice([f"{weight / 1000:.3f}" for weight in range(500, 2000, 7)], rows),
    }  # fmt: skip
    mood, words = draws.normal(0, 1.2, rows), np.array([*map(str, range(11)), ""], dtype=object)
    for place in range(SCORES):
        score = np.clip(np.rint(7 + 0.1 * place + mood + draws.normal(0, 1.5, rows)), 0, 10).astype(int)
        columns[f"q{place}"] = words[np.where(draws.random(rows) < 0.05, 11, score)]
    text = np.full(rows, "", dtype=object)
    given = np.flatnonzero(draws.random(rows) < 0.35)
    text[given] = comments(draws, len(given))
    return pd.DataFrame(columns | {"comment": text})


def folder(place: Path, rows: int, *, many: int = 500_000) -> Path:
    """Write a programme of one wave with so many rows, a piece at a time; return its file."""
    path = place / "raw" / "answers.csv"
    path.parent.mkdir(parents=True)
    for first in range(0, rows, many):
        frame(min(many, rows - first), first).to_csv(path, index=False, header=first == 0, mode="a")
    items = "".join(f'[[items]]\nid = "q{number}"\nwording = "Question {number}"\nscale = "ten"\n' for number in range(SCORES))
    items += '[[items]]\nid = "segment"\nkind = "nominal"\nwording = "Segment"\nlabels = {1 = "small", 2 = "middle", 3 = "large", 4 = "key"}\n'
    (place / "programme.toml").write_text(CONTRACT + items + '[[items]]\nid = "comment"\nkind = "verbatim"\nwording = "Why?"\n')
    return path


def ran(child: str, *arguments) -> tuple[float, float, float]:
    """Return CPU seconds, seconds by the clock and the largest size (MiB) of one child."""
    done = subprocess.run([sys.executable, "-c", child, *map(str, arguments)], env={**os.environ, "PYTHONPATH": str(ROOT), "CX_SALT": "bench"}, capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def least(kinds: dict, runs: int) -> dict:
    """Return the least CPU and clock seconds of each kind and its largest size, run in turn so that a busy machine harms all alike."""
    found = {name: [] for name in kinds}
    for _ in range(runs):
        for name, child in kinds.items():
            found[name].append(ran(*child))
    return {name: (min(one[0] for one in times), min(one[1] for one in times), max(one[2] for one in times)) for name, times in found.items()}


def texts(place: Path, runs: int) -> None:
    """Print how many comments are redacted a CPU-second: of the survey's length, and six of them in one."""
    import numpy as np
    import pandas as pd

    draws = np.random.default_rng(7)
    short = pd.Series(comments(draws, 60_000))
    long = pd.Series(["\n".join(one) for one in zip(*(comments(draws, 20_000) for _ in range(9)))])
    for name, label, values in (("short.json", "as surveys have them", short), ("long.json", "long", long)):
        values.to_json(place / name)
        taken = min(ran(TEXTS, place, 1, name)[0] for _ in range(runs))
        print(f"Comments {label:22} {len(values) / taken:9,.0f} a CPU-second (limit 20,000): {values.str.len().mean():.0f} characters on average")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--runs", type=int, default=5)
    given.add_argument("--long", action="store_true", help="ten million rows, once")
    given.add_argument("--parts", action="store_true", help="a profile of the way into the store")
    given = given.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        rows = 10_000_000 if given.long else given.rows
        path = folder(place, rows)
        print(f"{rows:,} rows x 22 columns, {path.stat().st_size / 2**20:,.0f} MiB of CSV")
        if given.parts:
            subprocess.run([sys.executable, "-c", PARTS, str(place)], env={**os.environ, "PYTHONPATH": str(ROOT), "CX_SALT": "bench"}, check=True)
            return
        for cores in (1,) if given.long else (1, 2):
            found = least({"duck": (DUCK, place, cores), "stream": (STREAM, place, cores), "store": (STORE, place, cores)}, 1 if given.long else given.runs)
            own, taken, size = found["store"]
            against = "   ".join(f"{label} {found[name][0]:.2f} s CPU, {found[name][1]:.2f} s: ratio {own / found[name][0]:.2f}, {taken / found[name][1]:.2f} by the clock" for name, label in (("duck", "DuckDB into a table"), ("stream", "streamed")))
            print(f"CSV to store, {cores} core{'s' if cores > 1 else ' '}  {own:.2f} s CPU, {taken:.2f} s   {against} (limit 3)   largest memory {size:,.0f} MiB (limit 1,024)")
        if given.long:
            return
        texts(place, min(given.runs, 3))
        frame(rows // 10).to_excel(place / "answers.xlsx", index=False, engine="xlsxwriter")
        found = least({"calamine": (CALAMINE, place, 1), "reader": (BOOK, place, 1)}, min(given.runs, 3))
        print(f"XLSX (a tenth)  calamine {found['calamine'][0]:5.2f} s CPU   reader {found['reader'][0]:6.2f} s CPU   ratio {found['reader'][0] / found['calamine'][0]:5.2f}")


if __name__ == "__main__":
    main()
