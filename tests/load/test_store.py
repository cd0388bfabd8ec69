"""The store: written once for its inputs, the same rows to every reader, and nothing from after the quarter."""

import numpy as np
import pandas as pd
import pytest
from small import TINY

from cxlib import load, programme, schema
from cxlib.errors import DataError
from cxlib.load import store


def test_a_store_is_written_once_and_again_when_an_input_changes(tiny, tmp_path):
    folder = tiny()
    first = store.write(programme.read(folder), tmp_path / "s")
    stamp = (first / "responses.parquet").stat().st_mtime_ns
    assert store.write(programme.read(folder), tmp_path / "s") == first
    assert (first / "responses.parquet").stat().st_mtime_ns == stamp
    with (folder / "raw" / "a.csv").open("a") as file:
        file.write("more,DE,p,3,3,Hm.\n")
    assert store.write(programme.read(folder), tmp_path / "s") != first
    assert not [path for path in (tmp_path / "s").iterdir() if path.name.startswith(".")]


def test_every_table_has_its_columns_also_where_no_file_fills_it(tiny, tmp_path):
    found = programme.read(tiny())
    tables = store.Tables(store.write(found, tmp_path), found, "2026Q1")
    for name, columns in schema.TABLES.items():
        assert [column.name for column in columns] == tables[name].columns[: len(columns)].tolist(), name
    assert "orders" not in tables
    assert "responses" in tables


def test_tally_counts_what_pandas_counts(sample):
    tables = sample("2026Q3")
    ours = tables.tally("responses", by=["survey", "wave", "recommend"])
    frame = tables["responses"].assign(square=lambda f: f["weight"] ** 2)
    theirs = frame.groupby(["survey", "wave", "recommend"], dropna=False).agg(n=("weight", "size"), weight=("weight", "sum"), weight_sq=("square", "sum")).reset_index()
    merged = ours.merge(theirs, on=["survey", "wave", "recommend"])
    assert len(merged) == len(ours) == len(theirs)
    for column in ("n", "weight", "weight_sq"):
        np.testing.assert_allclose(merged[f"{column}_x"], merged[f"{column}_y"], rtol=1e-9)


def test_tally_by_week_counts_days_from_monday(sample):
    tables = sample("2026Q3")
    ours = tables.tally("responses", by={"week": ("answered_on", "W"), "score": "recommend"}, where={"survey": "pulse"}).dropna(subset="week")
    frame = tables["responses"].query("survey == 'pulse'").dropna(subset="answered_on")
    theirs = frame.groupby([frame["answered_on"].dt.to_period("W").dt.start_time.rename("week"), frame["recommend"].rename("score")], dropna=False).agg(n=("weight", "size"), weight=("weight", "sum"))
    merged = ours.merge(theirs.reset_index(), on=["week", "score"])
    assert len(merged) == len(ours) == len(theirs)
    assert merged["n_x"].equals(merged["n_y"])
    np.testing.assert_allclose(merged["weight_x"], merged["weight_y"], rtol=1e-9)


@pytest.mark.parametrize("weight", [0.25, 29_999.5, 250_000.125])
def test_squares_of_weights_that_raise_to_a_population_are_added_up(tiny, tmp_path, weight):
    found = programme.read(tiny())
    place = store.write(found, tmp_path)
    heavy = pd.read_parquet(place / "responses.parquet").assign(weight=weight)
    heavy.to_parquet(tmp_path / "responses.parquet")
    counted = store.Tables(tmp_path, found, "2026Q1").tally("responses", by=["survey"])
    assert counted["weight_sq"].sum() == pytest.approx(len(heavy) * weight**2, rel=1e-12)


def test_moments_are_the_weighted_cross_products_of_complete_rows(sample):
    tables = sample("2026Q3")
    columns = ["recommend", "price", "coverage"]
    ours = tables.moments("responses", columns=columns, where={"survey": "annual", "wave": "2026Q3"})
    rows = tables["responses"].query("survey == 'annual' and wave == '2026Q3'")[[*columns, "weight"]].dropna()
    x, w = rows[columns].to_numpy(), rows["weight"].to_numpy()
    expected = x.T @ (x * w[:, None])
    square = ours[ours["column"] != ""].set_index(["row", "column"])["product"]
    for i, a in enumerate(columns):
        for j, b in enumerate(columns[i:], start=i):
            assert square[a, b] == pytest.approx(expected[i, j], rel=1e-12)
    assert ours["n"].unique().tolist() == [len(rows)]
    assert ours["weight"].iloc[0] == pytest.approx(w.sum(), rel=1e-12)


def test_map_sees_every_row_once_in_order(sample):
    tables = sample("2026Q3")
    parts = tables.map(lambda rows: rows[["answer"]].assign(size=len(rows)), "verbatims", rows=1000)
    assert parts["answer"].tolist() == tables["verbatims"]["answer"].tolist()
    assert parts["size"].max() == 1000


def test_an_earlier_quarter_knows_nothing_of_a_later_one(sample):
    early = sample("2025Q2")
    assert early["responses"]["quarter"].max() == "2025Q2"
    assert early["verbatims"]["quarter"].max() == "2025Q2"
    assert early["files"]["quarter"].max() <= "2025Q2"
    assert early["orders"]["ordered_on"].max() <= pd.Timestamp("2024-09-30")
    assert early["interactions"]["at"].max() < pd.Timestamp("2024-10-01")
    people = early["people"]
    assert people["left_on"].max() <= pd.Timestamp("2024-09-30")
    assert people["joined_on"].max() <= pd.Timestamp("2024-09-30")
    assert len(people) < len(sample("2026Q3")["people"])


def test_the_same_tally_at_any_number_of_threads(sample):
    tables = sample("2026Q3")
    one = tables.tally("responses", by=["quarter"])
    tables._connection.raw_sql("SET threads=2")
    assert all(one.equals(tables.tally("responses", by=["quarter"])) for _ in range(5))


def test_a_quarter_without_data_lists_those_that_have_some(tiny, tmp_path):
    with pytest.raises(DataError, match="2025Q4 has no data; quarters with data: 2026Q1"):
        load.tables(programme.read(tiny()), "2025Q4", out=tmp_path)


def test_fault_16_the_quarter_is_that_of_the_survey_s_zone(tiny):
    toml = TINY.replace('kind = "relationship"', 'kind = "transactional"\ndated_by = "answer"').replace('country = "land"', 'country = "land", answered_on = "land"')
    toml = toml.replace('country = "land", ', "").replace('timezone = "Europe/Berlin"', 'timezone = "America/Denver"')
    found = store.build(programme.read(tiny("a,2026-03-31T23:30:00-06:00,1,9,5,x\nb,2026-04-01T05:59:00Z,1,9,5,x\nc,2026-04-01T06:00:00Z,1,9,5,x\n", toml=toml)))
    assert found["responses"]["quarter"].tolist() == ["2026Q1", "2026Q1"]
    assert found["repairs"]["row"].tolist() == [4]


def test_columns_with_the_names_of_sql_words_do_no_harm(tiny, tmp_path):
    toml = TINY.replace('id = "price"', 'id = "select"').replace('items = ["price"]', 'items = ["select"]').replace('response_id = "id"', 'response_id = "id", select = "a\\"; drop table x; --"')
    found = programme.read(tiny(toml=toml, header='id,land,person,recommend,"a""; drop table x; --",comment\n'))
    tables = store.Tables(store.write(found, tmp_path), found, "2026Q1")
    assert tables.tally("responses", by=["select"])["n"].sum() == 60


def test_items_where_low_is_good_are_turned_before_they_are_compared(tiny, tmp_path):
    from cxlib.load import bases

    found = programme.read(tiny(toml=TINY.replace('wording = "Price"', 'wording = "Effort"\ndirection = "low_is_good"')))
    tables = store.Tables(store.write(found, tmp_path), found, "2026Q1")
    frame = tables["responses"]
    turned = bases.upward(frame, found, ["price", "recommend"])
    assert (turned["price"] == 6 - frame["price"]).all()
    assert turned["recommend"].equals(frame["recommend"])


def test_what_a_study_does_to_a_table_stays_its_own(sample):
    tables = sample("2026Q3")
    mine = tables["people"]
    mine["age"] = "nobody's"
    mine.loc[mine.index[0], "person_id"] = "another"
    mine.pop("joined_on")
    again = tables["people"]
    assert len(again) > 1000
    assert not (again["person_id"] == "another").any()
    assert "age" not in again
    assert "joined_on" in again
