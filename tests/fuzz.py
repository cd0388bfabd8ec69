"""Valid files of every form, changed at random, against every loader: the only outcomes are a table or a sentence (DataError, exit 3), within limits.

By hand: `make fuzz MINUTES=10` or `python tests/fuzz.py --minutes 10 --only csv,xlsx`. A mutant that breaks a rule is kept and named.
"""

import argparse
import io
import json
import os
import random
import re
import resource
import sqlite3
import sys
import tempfile
import time
import zipfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import pandas as pd
from small import TINY

from cxlib import programme
from cxlib.act import plan
from cxlib.errors import DataError
from cxlib.load import codebook, intake, journey, readers
from cxlib.text import codeframe

SECONDS, MEMORY = 6.0, 512 * 2**20  # a mutant of a few kilobytes: five seconds and half a gigabyte are far more than it explains
COLUMNS = ["id", "land", "person", "recommend", "price", "comment"]
ROWS = [[f"r{i:03d}", "DE", f"p{i}", i % 11, 1 + i % 5, ["It is fine.", 'say "x"', "Grüße, 😀", ""][i % 4]] for i in range(40)]
WORDS = ['"', '""', ",", ";", "\n", "\r", "\0", "\ufeff", "\u202e", "９", "NA", "1e999", "-1", "1,5", "2026-02-31", "=1+1", "x" * 5000, "{", "}", "[", "]", "'", "\\", "null", "NaN", "<", ">", "&", "%s", "../x", "😀", "1" * 400, "'''", '"""', "#", "true", "inf"]
NUMBERS = [0, 1, 127, 128, 255, 256, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1]

CODEFRAME = 'version = "1"\n[[topics]]\nid = "price"\nname = "Price"\ninclude = ["price", "cost*"]\nexclude = ["no cost"]\n[[topics]]\nid = "staff"\nname = "Staff"\nparent = "price"\ninclude = ["staff"]\n'
PLAN = '[[actions]]\nid = "call"\nname = "Call"\ndesign = "randomised"\nstart = 2026-01-01\nend = 2026-02-01\n'
JOURNEYS = (
    '[[stages]]\nid = "help"\n[[channels]]\nid = "phone"\nsynonyms = ["Tel"]\n[[channels]]\nid = "shop"\n[[touchpoints]]\nid = "hotline"\nstage = "help"\nchannels = ["phone"]\n'
    '[[measures]]\nkind = "perceptive"\nsurvey = "poll"\nitems = ["price"]\ntouchpoint = "hotline"\nchannel = "shop"\nwhere = {land = ["DE"]}\n'
)


# ------------------------------------------------------------------------------------------------------------ valid files


def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS)


def csv() -> bytes:
    out = io.StringIO()
    frame().to_csv(out, index=False)
    return out.getvalue().encode()


def qualtrics() -> bytes:
    out = io.StringIO()
    table = frame()
    head = pd.DataFrame([[f"Question {name}?" for name in COLUMNS], [json.dumps({"ImportId": f"QID{i}", "timeZone": "America/Denver"}) for i in range(6)]], columns=COLUMNS)
    pd.concat([head, table.astype(str)]).to_csv(out, index=False)
    return out.getvalue().encode()


def surveymonkey() -> bytes:
    lines = ["RespondentID,CollectorID,Which?,,How was it?,Why?", ",,App,Shop,Response,Open-Ended Response", *(f"{i},9,{'App' if i % 2 else ''},{'' if i % 3 else 'Shop'},{i % 5 + 1},fine" for i in range(30))]
    return "\n".join(lines).encode()


def xlsx() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Answers")
        for place, row in enumerate([COLUMNS, *ROWS]):
            sheet.write_row(place, 0, row)
        sheet.write_formula(3, 4, "=1/0", None, "#DIV/0!")
        book.add_worksheet("Other").hide()
    return out.getvalue()


def _written(suffix: str, write) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write(path)
        return path.read_bytes()


def statistics(suffix: str) -> bytes:
    import pyreadstat

    table = frame().rename(columns=lambda name: name.upper()[:6] if name == "recommend" else name.upper()) if suffix == ".por" else frame()
    labels = {} if suffix == ".por" else {"variable_value_labels": {"price": {1: "low", 5: "high"}}, "column_labels": dict(zip(COLUMNS, COLUMNS))}
    if suffix == ".por":
        table["COMMENT"] = table["COMMENT"].str.encode("ascii", "ignore").str.decode("ascii")
    if suffix == ".sav":
        labels["missing_ranges"] = {"price": [5, {"lo": 8, "hi": 9}]}
    return _written(suffix, lambda path: {".sav": pyreadstat.write_sav, ".por": pyreadstat.write_por, ".dta": pyreadstat.write_dta}[suffix](table, str(path), **labels))


def database(kind: str) -> bytes:
    def write(path):
        if kind == ".sqlite":
            with sqlite3.connect(path) as connection:
                frame().to_sql("answers", connection, index=False)
            connection.close()
        else:
            import duckdb

            answered = frame()  # noqa: F841 - DuckDB reads it by its name
            with duckdb.connect(str(path)) as connection:
                connection.execute("CREATE TABLE answers AS SELECT * FROM answered")

    return _written(kind, write)


def jsonl() -> bytes:
    return "\n".join(json.dumps(dict(zip(COLUMNS, row)) | {"who": {"age": 3}, "all": ["a"]}, ensure_ascii=False) for row in ROWS).encode()


# --------------------------------------------------------------------------------------------------------------- mutations


def of_bytes(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, insert, overwrite with a striking number, or swap; more often near the start and the end, where formats declare."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        edge = min(len(data), 600)
        place = chance.choice([chance.randrange(len(data)), chance.randrange(edge), len(data) - 1 - chance.randrange(edge)])
        size = chance.choice([1, 2, 4, 8, 64, 512])
        kind = chance.randrange(8)
        if kind == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[place] = chance.randrange(256)
        elif kind == 2:
            del data[place : place + size]
        elif kind == 3:
            data[place:place] = data[place : place + size] * chance.choice([1, 3, 50])
        elif kind == 4:
            data[place:place] = chance.choice(WORDS).encode()
        elif kind == 5:
            width = chance.choice([1, 2, 4, 8])
            data[place : place + width] = (chance.choice(NUMBERS) & (2 ** (8 * width) - 1)).to_bytes(width, chance.choice(["little", "big"]))
        elif kind == 6:
            del data[place:]
        else:
            other = chance.randrange(len(data))
            data[place : place + size], data[other : other + size] = data[other : other + size], data[place : place + size]
    return bytes(data)


def of_cells(content: bytes, chance: random.Random) -> bytes:
    """Change cells, separators and lines of a text file."""
    lines = content.decode().split("\n")
    for _ in range(chance.choice([1, 2, 6])):
        at = chance.choice([0, chance.randrange(len(lines)), chance.randrange(min(4, len(lines)))])
        cells = lines[at].split(",")
        spot = chance.randrange(len(cells))
        kind = chance.randrange(6)
        if kind == 0:
            cells[spot] = chance.choice(WORDS)
        elif kind == 1:
            cells[spot] += chance.choice(WORDS)
        elif kind == 2:
            cells.insert(spot, chance.choice(WORDS))
        elif kind == 3:
            del cells[spot]
        elif kind == 4:
            cells[spot] = cells[chance.randrange(len(cells))]
        lines[at] = chance.choice([",", ",", ",", ";", "\t"]).join(cells)
        if kind == 5:
            lines.insert(chance.randrange(len(lines)), chance.choice([lines[at], "", chance.choice(WORDS), lines[at] * 3]))
    return "\n".join(lines).encode(chance.choice(["utf-8", "utf-8", "utf-8", "utf-16", "cp1252"]), "replace")


def of_markup(content: bytes, chance: random.Random) -> bytes:
    """Change numbers, names and texts in the parts of a workbook, and pack it again."""
    packed, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    names = packed.namelist()
    chosen = {chance.choice(names) for _ in range(chance.choice([1, 1, 2]))} | ({"xl/worksheets/sheet1.xml"} if chance.random() < 0.6 else set())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            part = packed.read(name).decode()
            if name in chosen:
                for _ in range(chance.choice([1, 2, 5])):
                    tokens = list(re.finditer(r'"[^"]*"|>[^<]+<|<[^>]+>', part))
                    one = chance.choice(tokens)
                    word = chance.choice([*WORDS[:20], str(chance.choice(NUMBERS)), "XFD1048576", "A0", "e", "s", "b", "str", "inlineStr", "d", ""])
                    new = {'"': f'"{word}"', ">": f">{word}<", "<": chance.choice(["", one[0] * 2, one[0] * 40])}[one[0][0]]
                    part = part[: one.start()] + new + part[one.end() :]
            if name not in chosen or chance.random() > 0.03:
                archive.writestr(name, part)
    return out.getvalue()


def of_records(content: bytes, chance: random.Random) -> bytes:
    lines = content.decode().split("\n")
    for _ in range(chance.choice([1, 3])):
        at = chance.randrange(len(lines))
        try:
            record = json.loads(lines[at])
        except ValueError:
            continue
        if not isinstance(record, dict) or not record:
            continue
        key = chance.choice(list(record))
        value = chance.choice([None, True, [], {}, {"a": {"b": [1, {"c": None}]}}, [[]] * 3, 1e308, 10**40, "\ud800", *WORDS])
        kind = chance.randrange(4)
        if kind == 0:
            record[key] = value
        elif kind == 1:
            record[chance.choice([key + ".x", "who.age", "", "\ud800", "id ", chance.choice(WORDS)])] = value
        elif kind == 2:
            del record[key]
        lines[at] = json.dumps(record) if kind < 3 else json.dumps(chance.choice([value, [record], record]))
    return "\n".join(lines).encode()


def of_keys(content: bytes, chance: random.Random) -> bytes:
    """Change lines, keys, values and types of a TOML file."""
    lines = content.decode().split("\n")
    values = ["1", "-1", "1e400", "nan", "true", '""', '"x"', "[]", "{}", "[1, 'a']", "{a = 1}", "2026-01-01", "2026-13-01", "9999-12-31", "0001-01-01", "00:00:00", "[[]]", '["a", "a"]', f'"{"x" * 3000}"', "1" * 400, '"../x"', '"\\u0000"', '"a.csv"', '"price"', '"recommend"', '"2026Q1"', "{recommend = 'id'}", "-0.0"]
    for _ in range(chance.choice([1, 2, 5])):
        at = chance.randrange(len(lines))
        key, sign, value = lines[at].partition("=")
        kind = chance.randrange(8)
        if kind < 3 and sign:
            lines[at] = f"{key}= {chance.choice(values)}"
        elif kind == 3:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif kind == 4:
            del lines[at]
            lines = lines or [""]
        elif kind == 5 and sign:
            lines[at] = f"{chance.choice(['id', 'x', 'folder', 'raw', 'columns', 'missing', key.strip() + 'x', 'items.x', 'a.b.c'])} ={value}"
        elif kind == 6:
            lines[at] = lines[at].replace(chance.choice(['"', "[", "]", "=", "a"]), chance.choice(WORDS), 1)
        else:
            lines.insert(at, chance.choice(["[[items]]", "[scales.x]", "[[waves]]", "[limits]", "[[topics]]", "[[actions]]", "[a.b]", "[[kpis]]", "[[sources]]", "[matching]", "[staff]"]))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


# ----------------------------------------------------------------------------------------------------------------- loaders


NAMES = {
    "por": '{response_id = "ID", country = "LAND", person_id = "PERSON", recommend = "RECOMM", price = "PRICE", comment = "COMMENT"}',
    "surveymonkey": '{response_id = "RespondentID", recommend = "How was it?", price = "How was it?", comment = "Why?"}',
}


def answers(path: Path) -> None:
    """Read a file, describe it, and take it in as a wave."""
    found = readers.read(path, programme.Reading())
    codebook.of(found)
    toml = TINY.replace('file = "a.csv"', f'file = "{path.name}"')
    if names := NAMES.get(path.parent.name):
        toml = toml.replace('{response_id = "id", country = "land", person_id = "person"}', names)
    (path.parent / "programme.toml").write_text(toml)
    made = programme.read(path.parent, raw=path.parent)
    took = intake.wave(made, made.waves[0])
    assert sum(one["rows"] for one in took.files) == len(found.frame)
    assert len(took.frame) == sum(one["kept"] for one in took.files)


def contract(path: Path) -> None:
    if path.name == "programme.toml":
        made = programme.read(path.parent)
        repr(made)
        [made.column(wave, item.id) for wave in made.waves for item in made.asked(wave.survey)]
    elif path.name == "codeframe.toml":
        codeframe.read(path)
    elif path.name == "plan.toml":
        plan.read(path.parent)
    else:
        (path.parent / "programme.toml").write_text(TINY)
        journey.read(programme.read(path.parent))


LOADERS = {
    "csv": ("a.csv", csv, (of_bytes, of_cells), answers),
    "qualtrics": ("a.csv", qualtrics, (of_bytes, of_cells), answers),
    "surveymonkey": ("a.csv", surveymonkey, (of_bytes, of_cells), answers),
    "xlsx": ("a.xlsx", xlsx, (of_bytes, of_markup, of_markup), answers),
    "sav": ("a.sav", lambda: statistics(".sav"), (of_bytes,), answers),
    "por": ("a.por", lambda: statistics(".por"), (of_bytes,), answers),
    "dta": ("a.dta", lambda: statistics(".dta"), (of_bytes,), answers),
    "parquet": ("a.parquet", lambda: _written(".parquet", lambda path: frame().to_parquet(path)), (of_bytes,), answers),
    "jsonl": ("a.jsonl", jsonl, (of_bytes, of_records), answers),
    "duckdb": ("a.duckdb", lambda: database(".duckdb"), (of_bytes,), answers),
    "sqlite": ("a.sqlite", lambda: database(".sqlite"), (of_bytes,), answers),
    "programme": ("programme.toml", lambda: TINY.strip().encode(), (of_bytes, of_keys, of_keys), contract),
    "codeframe": ("codeframe.toml", lambda: CODEFRAME.encode(), (of_bytes, of_keys, of_keys), contract),
    "plan": ("plan.toml", lambda: PLAN.encode(), (of_bytes, of_keys, of_keys), contract),
    "journeys": ("journeys.toml", lambda: JOURNEYS.encode(), (of_bytes, of_keys, of_keys), contract),
}  # fmt: skip


def run(name: str, folder: Path, *, seconds: float = 1e9, mutants: int = 10**9, seed: int = 1) -> dict:
    """Try mutants of one loader's file for so many seconds or mutants; what broke a rule is under `broken`, with the file kept in `folder`."""
    file, make, ways, load = LOADERS[name]
    seeds, path = make(), Path(folder) / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(seeds)
    load(path)  # the file itself is sound
    began, tried, refused, slowest, broken = time.monotonic(), 0, 0, 0.0, []
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    while tried < mutants and time.monotonic() - began < seconds:
        chance = random.Random(f"{seed} {name} {tried}")
        tried += 1
        content = chance.choice(ways)(seeds, chance)
        path.write_bytes(content)
        start, wrong = sum(os.times()[:4]), ""  # seconds of work, here and in the confined process: a busy machine is no fault of the file
        try:
            load(path)
        except DataError as error:
            refused += 1
            if not (path.name in str(error) or path.stem in str(error)) or len(str(error)) > 10_000:
                wrong = f"a sentence without its file or without end: {str(error)[:200]}"
        except Exception as error:
            wrong = f"{type(error).__name__}: {str(error)[:300]}"
        took = sum(os.times()[:4]) - start
        slowest = max(slowest, took)
        if not wrong and took > SECONDS:
            wrong = f"{took:.1f} seconds"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if not wrong and peak - base > MEMORY:
            wrong, base = f"{(peak - base) / 2**20:.0f} MiB", peak
        if wrong:
            kept = path.parent / f"broken-{seed}-{tried - 1}{path.suffix}"
            kept.write_bytes(content)
            broken.append((wrong, str(kept)))
    return {"loader": name, "seconds": time.monotonic() - began, "mutants": tried, "refused": refused, "slowest": slowest, "broken": broken}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="minutes a loader, e.g. --minutes 10")
    parser.add_argument("--only", default="", help="loaders, e.g. --only csv,xlsx")
    parser.add_argument("--seed", type=int, default=1, help="other mutants, e.g. --seed 2")
    parser.add_argument("--keep", type=Path, default=None, help="folder for what broke a rule")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.nice(10)
    worst = 0
    for name in given.only.split(",") if given.only else LOADERS:
        found = run(name, folder, seconds=60 * given.minutes, seed=given.seed)
        worst += len(found["broken"])
        print(f"{name}: {found['mutants']:,} mutants in {found['seconds']:.0f} s, {found['refused']:,} refused, slowest {found['slowest']:.1f} s, {len(found['broken'])} broke a rule", flush=True)
        for wrong in {re.sub(r"\d+", "0", one[0]): one for one in found["broken"]}.values():
            print(f"  {wrong[0]}  ({wrong[1]})", flush=True)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
