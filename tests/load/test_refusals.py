"""From raw file to sentence: what must not be averaged is blank in the store and told by `cx check` and page 01; honest small files are left alone."""

import hostile
import little
import numpy as np
import pandas as pd
import pytest
import worlds
from scipy import stats
from small import ROWS, TINY

from cxlib import checks
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import anomalies, bases, store
from cxlib.show.claims import loading

SEED = 27


@pytest.fixture(scope="module")
def clean():
    return worlds.company(SEED, waves=4, items=6, n=300)


def checked(folder) -> tuple[dict, str, str]:
    """Return the tables of a programme, what `cx check` prints of it, and what page 01 says of it."""
    programme, said = programmes.read(folder), []
    tables = store.build(programme)
    checks.programme(str(folder), raw=None, say=said.append)
    page = [*loading.seen(tables["anomalies"], programme), loading.sights(tables["anomalies"], programme).to_string()]
    return tables, "\n".join(said), "\n".join(page)


# ------------------------------------------------------------------------------------------------------- clean and small


def alarms(seeds) -> list[int]:
    """Return the clean small companies that are refused something."""
    return [seed for seed in seeds if (anomalies.find(world := little.company(seed), world["programme"])["verdict"] == "refused").any()]


def test_clean_small_companies_of_every_make_are_not_refused():
    assert len(alarms(range(130))) == 0


@pytest.mark.slow
def test_at_most_one_clean_small_company_in_two_hundred_is_refused():
    refused = alarms(range(5_000, 7_600))
    assert stats.binomtest(len(refused), 2_600, 0.005, alternative="greater").pvalue > 0.01, refused


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 10, 20, 29, 30])
@pytest.mark.parametrize("make", little.MAKES)
def test_fault_7_files_of_1_to_30_rows_are_never_refused(make, rows):
    for seed in range(2):
        world = little.company(1_000 + seed, make=make, rows=rows)
        assert not (anomalies.find(world, world["programme"])["verdict"] == "refused").any()


def test_patterned_files_are_told_and_nothing_of_them_is_refused(tiny, tmp_path):
    hostile.write(tmp_path / "hostile")
    for folder in (tiny(), tmp_path / "hostile"):
        tables, said, _ = checked(folder)
        assert set(tables["anomalies"]["kind"]) == {"regular_rows"} | ({"wave_twice"} & set(tables["anomalies"]["kind"]))
        assert "follow the number of the row" in said
        assert not (tables["anomalies"]["verdict"] == "refused").any()


def test_rows_sorted_by_score_follow_no_pattern(clean):
    world = {**clean, "responses": clean["responses"].sort_values(["wave", "recommend", "staff"], ignore_index=True)}
    assert anomalies.find(world, world["programme"]).empty


def test_one_file_that_serves_two_waves_is_looked_at(tiny):
    """A file named by two waves stands twice in the table of files: no number may be a Series."""
    second = TINY[TINY.index("[[waves]]") : TINY.index("[[items]]")].replace('id = "a"', 'id = "b"')
    folder = tiny(ROWS + "".join(f"z{i},DE,p,77,3,New.\n" for i in range(30)), toml=TINY.replace("[[items]]", second + "[[items]]", 1))
    tables, said, _ = checked(folder)
    assert len(tables["files"]) == 2
    assert "30 quarantined" in said


def test_what_is_refused_in_several_waves_is_said_once_with_the_waves(clean, tmp_path):
    rng = np.random.default_rng(1)
    one = worlds.two_scales_in_a_wave(worlds.two_scales_in_a_wave(clean, rng, wave="w02"), rng)
    _, said, page = checked(worlds.write(one, tmp_path / "a"))
    lines = [line for line in said.splitlines() if "Refused" in line]
    assert len(lines) == 1
    assert "w02.csv" in lines[0]
    assert "The same in 1 more wave: 'w03'" in lines[0] or "The same in 1 more wave: w03" in lines[0]
    assert "2 waves" in page


# ---------------------------------------------------------------------------------------------- what becomes of a refusal


def test_a_refused_item_is_blank_counted_and_told(clean, tmp_path):
    world = worlds.two_scales_in_a_wave(clean, np.random.default_rng(1))
    tables, said, page = checked(worlds.write(world, tmp_path / "a"))
    r = tables["responses"]
    assert r.loc[r["wave"] == "w03", "recommend"].isna().all()
    assert r.loc[r["wave"] != "w03", "recommend"].notna().any()
    pd.testing.assert_series_equal(r["staff"], clean["responses"]["staff"], check_names=False)  # the other items stay
    coverage = tables["coverage"].query("wave == 'w03' and item == 'recommend'").set_index("reason")["rows"]
    assert coverage["refused: two scales are mixed"] == world["responses"].query("wave == 'w03'")["recommend"].notna().sum()
    assert "answered" not in coverage
    assert coverage.sum() == (r["wave"] == "w03").sum()
    assert tables["coverage"].groupby(["wave", "item"])["rows"].sum().groupby("wave").nunique().eq(1).all()
    assert "Refused, and in no average: w03.csv" in said
    assert "To mend it: map the scores" in said
    assert "blank in every study of this report: the answers to “Recommend?” in 1 wave" in page


def test_the_base_of_every_key_figure_follows(clean, tmp_path):
    programme = programmes.read(worlds.write(worlds.two_scales_in_a_wave(clean, np.random.default_rng(1)), tmp_path / "a"))
    store.write(programme, tmp_path)
    tables = store.Tables(next(path for path in tmp_path.iterdir() if (path / "responses.parquet").is_file()), programme, "2020Q4")
    based = bases.bases(tables).set_index(["kpi", "wave"])
    assert based.loc[("nps", "w03"), "n"] == 0
    assert based.loc[("csat", "w03"), "n"] > 200
    assert tables["anomalies"]["verdict"].tolist() == ["refused"]


def test_what_the_programme_accepts_is_kept_and_told_with_its_reason(clean, tmp_path):
    world = worlds.two_scales_in_a_wave(clean, np.random.default_rng(1))
    accept = '[[accepted]]\nkind = "mixed_scales"\nwave = "{}"\nitem = "recommend"\nreason = "The agency confirmed the scale on 2020-10-02."'
    tables, said, page = checked(worlds.write(world, tmp_path / "a", extra=accept.format("w03")))
    assert tables["responses"].query("wave == 'w03'")["recommend"].notna().any()
    assert tables["anomalies"]["verdict"].tolist() == ["accepted"]
    assert "Accepted (The agency confirmed the scale on 2020-10-02): w03.csv" in said
    assert "Its reason: The agency confirmed" in page
    assert "Nothing was refused" in page
    with pytest.raises(DataError, match="names the wave 'w3', which is not declared"):
        programmes.read(worlds.write(world, tmp_path / "b", extra=accept.format("w3")))
    with pytest.raises(DataError, match="reason"):
        programmes.read(worlds.write(world, tmp_path / "c", extra='[[accepted]]\nkind = "heaping"'))


def test_only_the_code_goes_where_a_code_stands_apart(clean, tmp_path):
    r = clean["responses"].copy()
    r.loc[r.index % 37 == 0, "age"] = 999.0
    tables, _, _ = checked(worlds.write({**clean, "responses": r}, tmp_path / "a"))
    pd.testing.assert_series_equal(tables["responses"]["age"], clean["responses"]["age"].where(r["age"] != 999.0), check_names=False)


# ------------------------------------------------------------------------------------------------- each kind, from the raw file


def test_a_clean_company_says_so(clean, tmp_path):
    tables, said, page = checked(worlds.write(clean, tmp_path / "a"))
    assert tables["anomalies"].empty
    assert "Refused" not in said
    assert "Nothing was refused, and nothing has to be looked at" in page


def test_a_channel_renamed_between_waves_is_told(clean, tmp_path):
    r = clean["responses"].replace({"channel": {"cha": "E-Mail"}})
    r.loc[(r["wave"] >= "w03") & (r["channel"] == "E-Mail"), "channel"] = "email"
    tables, said, page = checked(worlds.write({**clean, "responses": r}, tmp_path / "a"))
    assert tables["anomalies"][["kind", "wave", "item", "verdict"]].to_numpy().tolist() == [["renamed_value", "w03", "channel", "look"]]
    assert "To be looked at: w03.csv (survey 'poll', wave 'w03'): channel 'E-Mail'" in said
    assert "use one name in the files" in said
    assert "1 sight has to be looked at" in page


def test_a_wave_sent_twice_is_refused_whole(clean, tmp_path):
    tables, said, page = checked(worlds.write(worlds.wave_sent_twice(clean, np.random.default_rng(1)), tmp_path / "a"))
    r = tables["responses"]
    assert r.loc[r["wave"] == "w03", ["recommend", "satisfaction", "staff", "age"]].isna().all(axis=None)
    assert "Refused, and in no average: w03.csv" in said
    assert "the earlier wave was probably sent again" in said
    assert "all ratings in 1 wave" in page


def test_fault_9_equal_and_different_rows_of_one_id(clean, tmp_path):
    folder = worlds.write(clean, tmp_path / "a")
    path = folder / "raw" / "w02.csv"
    lines = path.read_text().splitlines()
    other = lines[2].split(",")
    other[4] = "1" if other[4] != "1" else "9"
    path.write_text("\n".join([*lines, lines[1], ",".join(other)]) + "\n")
    tables, said, _ = checked(folder)
    assert "w02.csv: 302 rows = 299 kept + 2 quarantined + 1 duplicates" in said
    assert "rows 3, 303, column 'response_id': '00001' is the same id as another row with other answers" in said
    assert tables["anomalies"].empty


def test_rows_entered_twice_under_other_ids_are_named_by_row(clean, tmp_path):
    tables, said, _ = checked(worlds.write(worlds.rows_appended_twice(clean, np.random.default_rng(1)), tmp_path / "a"))
    again = tables["repairs"].query("rule == 'repeats the answers of another row under another id'")
    assert again["row"].tolist() == list(range(302, 392))
    assert set(again["file"]) == {"w03.csv"}
    assert again["value"].str.startswith("x").all()
    assert "rows repeat the answers of another row of the wave" in said


def test_shifted_columns_are_refused_item_by_item(tmp_path):
    world = worlds.company(SEED, waves=6, items=8, n=700)
    tables, said, _ = checked(worlds.write(worlds.shifted_columns(world, np.random.default_rng(1)), tmp_path / "a"))
    found = tables["anomalies"]
    assert set(found["kind"]) == {"shifted_columns"}
    for item in found["item"]:
        assert tables["responses"].query("wave == 'w03'")[item].isna().all()
    assert "look like those to" in said


def test_shifted_columns_of_two_waves_are_only_to_be_looked_at():
    world = worlds.company(0, waves=2, items=8, n=700)
    found = anomalies.find(shifted := worlds.shifted_columns(world, np.random.default_rng(0), wave="w02"), shifted["programme"])
    assert "shifted_columns" in set(found["kind"])
    assert set(found["verdict"]) == {"look"}


def test_fault_15_dates_with_day_and_month_swapped_are_told(tmp_path):
    world = worlds.company(SEED, waves=4, items=6, n=300, dated="answer")
    tables, said, page = checked(worlds.write(world, tmp_path / "good"))
    assert tables["anomalies"].empty
    folder = worlds.write(world, tmp_path / "a", dates="%Y-%d-%m")
    tables, said, page = checked(folder)
    assert set(tables["anomalies"]["kind"]) == {"ambiguous_dates"}
    assert "declare date_format" in said
    assert "day and month may be swapped" in page


@pytest.mark.shared
def test_the_lounges_overall_rating_is_refused_from_the_file(shared, tmp_path):
    reviews = pd.read_parquet(shared / "reviews" / "skytrax_lounge.parquet")
    names = [name for name in reviews if name.endswith("_rating") and name != "overall_rating"]
    (tmp_path / "raw").mkdir()
    reviews[["overall_rating", *names]].assign(id=range(len(reviews))).to_csv(tmp_path / "raw" / "a.csv", index=False)
    items = "".join(f'[[items]]\nid = "{name}"\nwording = "{name}"\nscale = "five"\n' for name in names)
    (tmp_path / "programme.toml").write_text(f"""name = "Lounges"
[scales.ten]
low = 0
high = 10
[scales.five]
low = 1
high = 5
missing = {{0 = "not rated"}}
[[surveys]]
id = "reviews"
kind = "relationship"
[[waves]]
id = "all"
survey = "reviews"
quarter = "2015Q3"
first = 2015-07-01
last = 2015-08-31
file = "a.csv"
columns = {{response_id = "id"}}
[[items]]
id = "overall_rating"
wording = "Overall"
scale = "ten"
{items}
[[kpis]]
id = "overall"
item = "overall_rating"
definition = "mean_0_10"
""")
    tables, said, page = checked(tmp_path)
    assert tables["anomalies"][["kind", "item", "verdict"]].to_numpy().tolist() == [["mixed_scales", "overall_rating", "refused"]]
    assert tables["responses"]["overall_rating"].isna().all()
    assert tables["responses"][names[0]].notna().any()
    assert "rate everything else better" in said
    assert "the answers to “Overall” in 1 wave" in page
