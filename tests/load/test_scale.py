"""Files of any length: taken in by parts the answers are those of the whole, nothing is lost where a part ends, and memory stays where it is."""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from small import ROOT, TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import intake, parquet, readers, repeats, store
from cxlib.load.readers import encodings, raw, spool, text
from cxlib.programme import Reading

DATED = TINY.replace('kind = "relationship"', 'kind = "transactional"\ndated_by = "answer"').replace('columns = {response_id = "id"', 'columns = {weight = "w", answered_on = "day", response_id = "id"')
DATED += '[[items]]\nid = "which"\nkind = "nominal"\nwording = "Which?"\nlabels = {1 = "a", 2 = "b"}\nasked_if = {item = "recommend", values = ["0", "1", "2"]}\n'
NAMES = "id,land,person,recommend,price,comment,w,day,which\n"


def dirty(seed: int, rows: int = 120) -> str:
    """Return rows with every fault that the intake tells: repeated, of one id, blank, off the scale, outside the wave, over several lines."""
    draw = random.Random(seed)

    def one(place: int) -> list[str]:
        score = lambda: draw.choice([*map(str, range(11))] * 2 + ["99", "", "x", " 7 ", "7.5"])
        return [
            f"r{draw.choice([place, place, place, 3])}" if draw.random() > 0.05 else draw.choice(["", f" r{place} "]), "DE", draw.choice([f"p{place}", "", "p@mail.de"]), score(), draw.choice(["1", "5", "6", "", "0"]),
            draw.choice(["", 'It, "is" fine', "two\nlines", " x ", "ü" * draw.randrange(40)]), draw.choice(["1"] * 9 + ["0"]), draw.choice(["2026-03-02"] * 9 + ["2026-04-02", "2026-03-31T23:30:00+00:00", ""]), draw.choice(["1", "2", "3", ""]),
        ]  # fmt: skip

    made = []
    for place in range(rows):
        kind = draw.random()
        again = draw.choice(made) if made and kind < 0.3 else None
        made.append(again if again and kind < 0.2 else [*again[:3], "0", *again[4:]] if again else [""] * 9 if kind > 0.97 else one(place))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(made)
    return out.getvalue()


@pytest.fixture
def small(monkeypatch):
    """Return a function that makes every part, piece, block and bucket small."""

    def make(rows: int) -> None:
        monkeypatch.setattr(raw, "ROWS", rows)
        monkeypatch.setattr(repeats, "ROWS", rows)
        monkeypatch.setattr(parquet, "ROWS", rows)
        monkeypatch.setattr(encodings, "PIECE", 7)
        monkeypatch.setattr(text, "BLOCKS", (300, 2**22))

    return make


def same(left, right) -> None:
    for name, one in left._asdict().items():
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, getattr(right, name), check_exact=True, obj=name)
        else:
            assert one == getattr(right, name)


@pytest.mark.parametrize("seed", range(6))
def test_parts_of_any_length_say_what_the_whole_says(tiny, small, seed):
    found = programme.read(tiny(dirty(seed), toml=DATED, header=NAMES))
    whole = intake.wave(found, found.waves[0])
    small([1, 4, 50][seed % 3])
    parts = intake.wave(found, found.waves[0])
    same(whole, parts)
    assert whole.files[0]["duplicates"]
    assert whole.files[0]["quarantined"]
    assert whole.files[0]["rows"] == whole.files[0]["kept"] + whole.files[0]["quarantined"] + whole.files[0]["duplicates"]


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_and_shared_ids_are_what_all_pairs_of_rows_say(tiny, small, seed):
    rows = [row for row in csv.reader(io.StringIO(dirty(seed))) if any(row)]
    found = programme.read(tiny(dirty(seed), toml=DATED, header=NAMES))
    small(4)
    read = readers.parts(found.raw / "a.csv", found.waves[0])
    equal, twice = repeats.found(read, ids=lambda part: part.frame["id"].str.strip().replace("", None))
    first = [row not in rows[:place] for place, row in enumerate(rows)]
    assert (~equal).tolist() == first
    ids = [row[0].strip() for row, own in zip(rows, first, strict=True) if own]
    assert twice.tolist() == [own and bool(row[0].strip()) and ids.count(row[0].strip()) > 1 for row, own in zip(rows, first, strict=True)]


def test_rows_are_compared_by_their_cells_where_hashes_collide(tiny, monkeypatch):
    found = programme.read(tiny(dirty(1), toml=DATED, header=NAMES))
    whole = intake.wave(found, found.waves[0])
    monkeypatch.setattr(repeats, "_marks", lambda tables: (np.full(len(cells), 7, dtype=np.uint64) for cells in tables if len(cells)))
    same(whole, intake.wave(found, found.waves[0]))


def test_the_store_written_by_parts_holds_what_is_built(tiny, small, tmp_path):
    found = programme.read(tiny(dirty(5), toml=DATED, header=NAMES))
    built = store.build(found)
    small(4)
    place = store.write(found, tmp_path / "s")
    for name, frame in built.items():
        pd.testing.assert_frame_equal(pd.read_parquet(place / f"{name}.parquet").astype(frame.dtypes), frame, check_exact=True, obj=name)
    files, repairs, seen, rows = store.tried(found)
    pd.testing.assert_frame_equal(seen, built["anomalies"])
    assert rows == {name: len(frame) for name, frame in built.items()}
    pd.testing.assert_frame_equal(repairs, built["repairs"])
    pd.testing.assert_frame_equal(files, built["files"])


def test_an_ambiguous_number_is_told_of_the_first_column_that_has_one(tiny, small):
    rows = "".join(f"r{place},DE,p,{'1,5' if place == 150 else 5},{'2,5' if place == 20 else 1},x\n".replace("1,5", '"1,5"').replace("2,5", '"2,5"') for place in range(200))
    found = programme.read(tiny(rows))
    small(10)
    with pytest.raises(DataError, match=r"row 152, column 'recommend': '1,5' is ambiguous"):
        store.build(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_fault_13_letters_cut_by_a_piece_are_whole(tmp_path, small, encoding, packed):
    lines = "id,why\n" + "".join(f'{place},"{"ä" * (place % 5)}, ""ö""\nß"\n' for place in range(40))
    path = tmp_path / f"a.csv{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(lines.encode(encoding)[:50]) + gzip.compress(lines.encode(encoding)[50:]) + bytes(9) if packed else lines.encode(encoding))
    whole = readers.read(path, Reading())
    small(3)
    parts = list(readers.parts(path, Reading())())
    assert len(parts) > 2
    assert whole.frame["why"].tolist() == [f'{"ä" * (place % 5)}, "ö"\nß' for place in range(40)]
    pd.testing.assert_frame_equal(pd.concat([part.frame for part in parts], ignore_index=True), whole.frame)
    assert [part.row(place) for part in parts for place in range(len(part.frame))] == list(range(2, 42))


def test_fault_12_rows_of_another_length_and_open_quotes_far_below_are_named(tmp_path, small):
    small(5)
    path = tmp_path / "a.csv"
    path.write_text("id,why\n" + "".join(f'{place},"a\nb"\n' for place in range(300)) + "300,x,y\n")
    with pytest.raises(DataError, match=r"row 302 \(line 602\) has 3 cells where the header has 2"):
        list(readers.parts(path, Reading())())
    path.write_text("id,why\n" + "".join(f'{place},"a\nb"\n' for place in range(300)) + '300,"x\n301,y\n')
    with pytest.raises(DataError, match=r"row 302 \(line 602\): a quoted cell is never closed"):
        readers.parts(path, Reading())


def test_a_cell_longer_than_a_block_repeats_no_row(tmp_path, small):
    small(5)
    path = tmp_path / "a.csv"
    path.write_text("id,why\n" + "".join(f"{place},{'x' * (2000 if place == 77 else 3)}\n" for place in range(150)))
    parts = [part.frame for part in readers.parts(path, Reading())()]
    assert pd.concat(parts)["id"].tolist() == [str(place) for place in range(150)]


def test_blank_lines_are_left_out_of_every_part_and_rows_keep_their_numbers(tmp_path, small):
    path = tmp_path / "a.csv"
    path.write_text("id,why\n" + "".join(f"{place},x\n" if place % 3 else "\n" for place in range(60)))
    small(4)
    found = [(part.frame["id"].iloc[place], part.row(place)) for part in readers.parts(path, Reading())() for place in range(len(part.frame))]
    assert found == [(str(place), place + 2) for place in range(60) if place % 3]


def test_a_parquet_file_in_parts_is_the_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": range(100), "score": [None if place % 7 == 0 else place / 2 for place in range(100)], "day": pd.date_range("2026-01-01", periods=100)}).to_parquet(path, row_group_size=30)
    whole = readers.read(path, Reading())
    monkeypatch.setattr(raw, "ROWS", 8)
    parts = list(readers.parts(path, Reading())())
    assert len(parts) > 10
    pd.testing.assert_frame_equal(pd.concat([part.frame for part in parts], ignore_index=True), whole.frame)
    assert parts[-1].row(len(parts[-1].frame) - 1) == 100


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json"])
def test_json_lines_in_parts_are_the_whole(tmp_path, monkeypatch, name):
    """Also where a key comes late, a part has none of them, a line is empty, and half a character stands in a cell."""
    records = [{"id": place, **({"late": {"why": "x" * place}} if place > 70 else {}), **({"odd": "\ud800y"} if place == 33 else {})} if place not in range(40, 48) else {} for place in range(100)]
    lines = "\n".join(json.dumps(one) + ("\n" if place % 9 == 0 else "") for place, one in enumerate(records))
    path = tmp_path / name
    path.write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else json.dumps(records).encode() if name == "a.json" else lines.encode())
    whole = readers.read(path, Reading())
    monkeypatch.setattr(raw, "ROWS", 8)
    monkeypatch.setattr(spool, "MOST", 500)
    again = readers.parts(path, Reading())
    for _ in range(2):
        parts = list(again())
        assert len(parts) > 10
        pd.testing.assert_frame_equal(pd.concat([part.frame for part in parts], ignore_index=True), whole.frame)
        assert [part.row(place) for part in parts for place in range(len(part.frame))] == [whole.row(place) for place in range(100)]
        assert parts[0].notes == whole.notes
    assert list(whole.frame) == ["id", "odd", "late.why"]


def test_a_spool_gives_the_same_tables_to_whoever_asks_and_tells_a_fault_every_time(monkeypatch):
    monkeypatch.setattr(spool, "MOST", 100)
    made = [pa.table({"a": [str(place)] * 30, "b": pa.array(["x"] * 30).dictionary_encode()}) for place in range(5)]
    taken = []

    def tables(faulty=False):
        for table in made:
            taken.append(table)
            yield table
        if faulty:
            raise DataError("cut off")

    kept = spool.Spool(tables())
    first, second = kept(), kept()
    assert [next(first).equals(made[0]), next(second).equals(made[0]), next(second).equals(made[1]), next(first).equals(made[1])] == [True] * 4
    assert [one.equals(table) for one, table in zip(kept(), made, strict=True)] == [True] * 5
    assert len(taken) == 5
    broken = spool.Spool(tables(faulty=True))
    for _ in range(2):
        with pytest.raises(DataError, match="cut off"):
            list(broken())


def test_a_wave_without_a_comment_leaves_no_empty_one(tiny):
    assert store.build(programme.read(tiny("r1,DE,p1,9,5,\nr2,DE,p2,9,5, \n")))["verbatims"].empty


def test_what_fails_or_was_killed_leaves_nothing_behind(tiny, tmp_path, monkeypatch):
    out = tmp_path / "s"
    (out / ".0123456789abcdef-77").mkdir(parents=True)
    (out / ".fedcba9876543210-78").mkdir()
    long_ago = time.time() - 7200
    os.utime(out / ".0123456789abcdef-77", (long_ago, long_ago))
    found = programme.read(tiny())
    monkeypatch.setattr(intake, "_coverage", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.write(found, out)
    assert [path.name for path in out.iterdir()] == [".fedcba9876543210-78"]  # another run may be writing there


CHILD = """
import resource, sys
from pathlib import Path
sys.path.insert(0, "bench")
import load as bench
from cxlib import programme
from cxlib.load import parquet, store
from cxlib.load.readers import raw, text
rows, place, part = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
bench.folder(place, rows, many=20_000)
if part:
    raw.ROWS = parquet.ROWS = store.LOOKED = part
    text.BLOCKS = (2**18, 2**26)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store.write(programme.read(place), place / "store")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
"""


def largest(folder, rows: int, part: int = 0) -> float:
    """Return the largest resident size, in MiB, of a process that makes so many rows, twenty thousand at a time, and brings them into a store."""
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", CHILD, str(rows), str(folder), str(part)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_memory_does_not_follow_the_length_of_a_file(tmp_path):
    """In parts of ten thousand rows; held whole, a hundred and twenty thousand rows more took 150 MiB more."""
    assert largest(tmp_path / "long", 160_000, 10_000) - largest(tmp_path / "short", 40_000, 10_000) < 40


@pytest.mark.slow
def test_a_million_rows_more_take_less_than_a_hundred_megabytes(tmp_path):
    """At most a gigabyte for ten million rows: what grows are the hashes of the ids, some 25 bytes a row while they are sorted."""
    short, long = largest(tmp_path / "short", 1_000_000), largest(tmp_path / "long", 2_000_000)
    assert short < 800
    assert long - short < 100
