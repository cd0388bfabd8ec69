"""What must not matter: the order of rows and of columns, columns that nobody named, and whether a wave came as one file or as several.

Through the real intake, the store and the findings. Key figures and their intervals are made of exact (decimal) sums, and importance of rows that
are put into the order of their ids first: equal to the last bit. Moments, and the covariance of people who answered twice that a change allows
for, are floating-point sums in the rows' order: equal to 1e-12.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import intake, store
from cxlib.measure import models, waves

COLUMNS = ["id", "land", "person", "gewicht", "recommend", "price", "staff", "comment"]
FORMS = ("csv", "jsonl", "parquet")


def answers(year: int) -> pd.DataFrame:
    rng = np.random.default_rng(year)
    n = 90
    price, staff = rng.integers(1, 6, n), rng.integers(1, 7, n)  # 6: never used
    score = np.clip(price + staff + rng.integers(-2, 3, n), 0, 10).astype(str).astype(object)
    score[::13], score[::29] = "99", "11"  # don't know, and off the scale
    frame = pd.DataFrame({"id": [f"r{i * 7 % n:03d}" for i in range(n)], "land": rng.choice(["DE", "AT", "NA"], n), "person": [f"p{i % 70}" for i in range(n)], "gewicht": (rng.random(n) * 2 + 0.1).round(4).astype(str), "recommend": score, "price": price.astype(str), "staff": staff.astype(str), "comment": "Fine."})
    return pd.concat([frame, frame.iloc[[3, 4]]], ignore_index=True)  # two rows were sent twice


ANSWERS = {year: answers(year) for year in (2025, 2026)}
EXTRA = st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=12).filter(lambda name: name.strip() not in ("", *COLUMNS) and "column" not in name), st.sampled_from(["", "x", "=1", "NA", "99", '"', "a,b", "ü"])), max_size=3, unique_by=lambda one: one[0].strip())


def contract(files: dict) -> str:
    head, _, rest = TINY.partition("[[waves]]")
    rest = rest[rest.index("[[items]]") :]
    made = ""
    for year, names in files.items():
        parts = f"\nparts = {names[1:]}".replace("'", '"') if len(names) > 1 else ""
        made += f'[[waves]]\nid = "{year}"\nsurvey = "poll"\nquarter = "{year}Q1"\nfirst = {year}-03-01\nlast = {year}-03-31\nfile = "{names[0]}"{parts}\ncolumns = {{response_id = "id", country = "land", person_id = "person", weight = "gewicht"}}\n'
    rest = rest.replace('items = ["price"]', 'items = ["price", "staff"]').replace("[[kpis]]", '[[items]]\nid = "staff"\nwording = "Staff"\nscale = "five"\n[[kpis]]', 1)
    return head + made + rest + '[[kpis]]\nid = "csat"\nitem = "price"\ndefinition = "csat_top2_of_5"\n[[segments]]\nid = "country"\nfield = "country"\n[limits]\nquarantine = 0.5\n'


def write(folder, frames: dict, forms=("csv",)):
    """Write a programme whose waves stand in the given frames, a file each."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    files = {}
    for year, parts in frames.items():
        files[year] = [f"{year}_{place}.{forms[place % len(forms)]}" for place in range(len(parts))]
        for name, part in zip(files[year], parts, strict=True):
            path = folder / "raw" / name
            {"csv": lambda part, path: part.to_csv(path, index=False), "jsonl": lambda part, path: part.to_json(path, orient="records", lines=True, force_ascii=False), "parquet": lambda part, path: part.to_parquet(path, index=False)}[path.suffix[1:]](part, path)
    (folder / "programme.toml").write_text(contract(files), encoding="utf-8")
    return programme.read(folder)


def found(made, folder, *, drivers=False) -> dict:
    tables = store.Tables(store.write(made, folder / "store"), made, "2026Q1")
    kpis = waves.kpis(tables)
    findings = {"kpis": kpis, "by_segment": waves.by_segment(tables), "changes": waves.changes(tables, kpis)}
    if drivers:
        findings["importance"] = models.importance(models.resample(tables, replicates=200, seed=1))
    moments = tables.moments("responses", columns=["recommend", "price", "staff"], where={"wave": "2026"})
    counts = tables["files"][["rows", "kept", "quarantined", "duplicates"]].sum().tolist()
    return {**findings, "moments": moments, "counts": counts, "repairs": len(tables["repairs"])}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usual")
    return found(write(folder, {year: [frame] for year, frame in ANSWERS.items()}), folder, drivers=True)


def same(one: dict, two: dict) -> None:
    for name in ("kpis", "by_segment", *(["importance"] if "importance" in two else [])):
        assert len(one[name]) > 0, name
        pd.testing.assert_frame_equal(one[name], two[name], check_exact=True, obj=name)
    for name in ("changes", "moments"):
        assert len(one[name]) > 0, name
        pd.testing.assert_frame_equal(one[name], two[name], rtol=1e-12, atol=0, obj=name)
    assert (one["counts"], one["repairs"]) == (two["counts"], two["repairs"])


LOOK = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def test_the_usual_findings_tell_of_something(usual):
    assert usual["counts"] == [184, 172, 8, 4]
    assert usual["kpis"]["estimate"].notna().all()
    assert usual["by_segment"]["value"].nunique() == 3
    assert usual["importance"]["estimate"].notna().all()


@LOOK
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_changes_no_finding(usual, tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(seed)
    same(usual, found(write(folder, {year: [frame.iloc[rng.permutation(len(frame))]] for year, frame in ANSWERS.items()}), folder, drivers=True))


@LOOK
@given(seed=st.integers(0, 10**6), extra=EXTRA)
def test_the_order_of_columns_and_more_columns_change_no_finding(usual, tmp_path_factory, seed, extra):
    folder = tmp_path_factory.mktemp("columns")
    rng, frames = np.random.default_rng(seed), {}
    for year, frame in ANSWERS.items():
        more = frame.assign(**dict(extra))
        frames[year] = [more[list(rng.permutation(more.columns))]]
    same(usual, found(write(folder, frames), folder))


@LOOK
@given(cuts=st.lists(st.integers(1, 91), min_size=1, max_size=3, unique=True), forms=st.permutations(FORMS), seed=st.integers(0, 10**6))
def test_a_wave_in_several_files_of_any_form_changes_no_finding(usual, tmp_path_factory, cuts, forms, seed):
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(seed)
    frames = {}
    for year, frame in ANSWERS.items():
        places = [0, *sorted(cuts), len(frame)]
        frames[year] = [frame.iloc[start:end][list(rng.permutation(COLUMNS))] for start, end in itertools.pairwise(places)]
    same(usual, found(write(folder, frames, forms), folder, drivers=True))


def test_rows_of_a_split_wave_keep_their_file_and_their_row(tmp_path):
    frame = ANSWERS[2026]
    made = write(tmp_path, {2025: [ANSWERS[2025]], 2026: [frame.iloc[:40], frame.iloc[40:]]})
    took = intake.wave(made, made.waves[1])
    assert [one["file"] for one in took.files] == ["2026_0.csv", "2026_1.csv"]
    assert [one["rows"] for one in took.files] == [40, 52]
    assert all(one["rows"] == one["kept"] + one["quarantined"] + one["duplicates"] for one in took.files)
    assert took.repairs[["file", "row"]].values.tolist() == [["2026_0.csv", 2], ["2026_0.csv", 31], ["2026_1.csv", 20], ["2026_1.csv", 49]]
    assert sum(one["duplicates"] for one in took.files) == 2  # rows sent again in the other file


def test_a_part_that_lacks_a_column_or_is_not_there_is_named(tmp_path):
    frame = ANSWERS[2026]
    made = write(tmp_path, {2025: [ANSWERS[2025]], 2026: [frame.iloc[:40], frame.iloc[40:].rename(columns={"price": "prize"})]})
    with pytest.raises(DataError, match=r"2026_1\.csv: the column 'price' that wave '2026' needs is missing \(did you mean prize\?\)"):
        intake.wave(made, made.waves[1])
    (tmp_path / "raw" / "2026_1.csv").unlink()
    with pytest.raises(DataError, match=r"2026_1\.csv: there is no such file"):
        intake.wave(made, made.waves[1])
    with pytest.raises(DataError, match=r"2026_1\.csv: there is no such file"):
        made.fingerprints()
