"""The airport programme on files with the same headers, codes and oddities as the published ones, and on these where they are at hand."""

import gzip
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import ROOT

from cxlib import load
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import store
from cxlib.text import codeframe, comments

FOLDER = ROOT / "data" / "sfo-airport"
CODES = pd.read_csv(FOLDER / "improve_codes.csv", dtype=str)
YEARS = [str(year) for year in range(2010, 2018)]
# Columns of the published files that the programme does not read, among them those with blanks, commas or midnight dates in them.
IDLE = {
    "2010": ["CCGID", "TERM", "GATENUM", "INTDATE", "Q7COM1", "Location 1"],
    "2011": ["CCGID", "On-Time Staus of Flight", "TERM", "INTDATE", "Q1", "PASSTIME"],
    "2012": ["CCGID", "GATE", "INTDATE", "ARRTIME"],
    "2013": ["CCGID", "RUN", "INTDATE", "GATE", "Q8COM1"],
    "2014": ["CCGID", "RUN", "INTDATE", "Q8IMPROVE1", "Location 1"],
    "2015": ["CCGID", "RUNID", "INTDATE", "Q8COM1", "Location 1"],
    "2016": ["CCGID", "RUNID", "INTDATE", "EGYPTAIR", "AIRLINE CODE", "Q13 COUNTY", "Q8COM"],
    "2017": ["CCGID", "RUNID", "INTDATE", "DEPTIME", "Q8COM1", "Hi"],
}


def cells(item, year, size, rng, quality):
    """Answers to an item as its code, with the codes of that year that are none."""
    if item.kind == "rating" and item.scale == "recommend":
        return rng.choice([0, 3, 6, 7, 8, 9, 10, 11, ""], size, p=[0.03, 0.02, 0.08, 0.12, 0.2, 0.25, 0.25, 0.04, 0.01])
    if item.kind == "rating":
        scores = np.clip(np.round(4 + 0.6 * quality + 0.7 * rng.standard_normal(size)), 1, 5).astype(int).astype(object)
        scores[rng.random(size) < (0.5 if item.id in ("parking", "rental", "lt_parking", "airtrain") else 0.06)] = 6
        scores[rng.random(size) < 0.04] = 0
        if item.id == "overall" and year == "2017":
            scores[np.isin(scores, [0, 6])] = "Blank"
        return scores
    if item.id.startswith("improve"):
        own = CODES.loc[CODES["wave"] == min(year, "2017"), "code"].tolist() or ["1"] * 12  # 2011 and 2012 publish none
        return rng.choice([*own[:12], "0", "7777"], size, p=[*[0.05] * 12, 0.39, 0.01])
    codes = [code for code in item.labels if code not in ("9", "10", "11", "12", "13")]
    found = rng.choice(codes, size)
    for code, meaning in item.missing.items():
        if meaning != "multiple responses" or year in ("2013", "2014"):
            found[rng.random(size) < 0.02] = code
    return found


def write(folder, programme, size=120):
    """Write eight files, in the order of columns in which 2011 puts the run before the respondent."""
    folder.mkdir(parents=True, exist_ok=True)
    for wave in programme.waves:
        year, rng = wave.id, np.random.default_rng(int(wave.id))
        quality = rng.standard_normal(size)
        columns = {"RUNID": rng.integers(1, 99, size)} if year == "2011" else {}
        columns[programme.column(wave, "response_id")] = np.arange(1, size + 1) * 3
        days = {"2016": "05/09/2016 12:00:00 AM", "2014": 12}.get(year, 7)
        columns |= {name: [days if name == "INTDATE" else '"12/31/1899 09:30:00 AM"' if name == "DEPTIME" else '"SAN FRANCISCO, CA"' if name == "Location 1" else 2] * size
                    for name in IDLE.get(year, [])}
        for item in programme.asked("passengers"):
            if column := programme.column(wave, item.id):
                columns[column] = cells(item, year, size, rng, quality)
        if column := programme.column(wave, "weight"):
            columns[column] = np.round(rng.uniform(0.4, 1.8, size), 10)
        rows = zip(*(map(str, column) for column in columns.values()), strict=True)
        text = "\r\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\r\n"
        with gzip.GzipFile(folder / wave.file, "wb", mtime=0) as file:
            file.write(text.encode())
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    raw = write(tmp_path_factory.mktemp("sfo") / "raw", programmes.read(FOLDER))
    return programmes.read(FOLDER, raw=raw)


@pytest.fixture(scope="module")
def tables(made):
    return store.build(made)


def test_eight_files_load_without_a_row_set_aside(tables):
    assert tables["files"]["kept"].tolist() == [120] * 8
    assert tables["repairs"].empty
    assert tables["responses"].groupby("wave")["quarter"].first().tolist() == ["2010Q3", "2011Q2", "2012Q2", "2013Q2", "2014Q3", "2015Q2", "2016Q2", "2017Q2"]


def test_codes_that_are_no_scores_never_become_scores(tables, made):
    responses = tables["responses"]
    for item in made.asked("passengers"):
        if item.kind == "rating":
            scale = made.scales[item.scale]
            assert responses[item.id].dropna().between(scale.low, scale.high).all(), item.id
    assert (responses["recommend"] == 0).any()  # 0 is a score there and blank everywhere else
    reasons = tables["coverage"].set_index(["wave", "item"])["reason"]
    assert set(reasons.loc[("2017", "overall")]) == {"answered", "blank"}
    assert "multiple responses" in set(reasons.loc[("2014", "flights_12m")])
    assert reasons.loc[("2016", "recommend")] == "not asked"


def test_the_respondents_number_is_the_id_in_2011_and_2016(tables):
    responses = tables["responses"]
    for year in ("2011", "2016"):
        assert responses.loc[responses["wave"] == year, "response_id"].tolist()[:3] == ["3", "6", "9"]


def test_years_without_weights_count_every_answer_once(tables):
    responses = tables["responses"]
    assert (responses.loc[responses["wave"].isin(["2011", "2012"]), "weight"] == 1).all()
    assert responses.loc[responses["wave"] == "2017", "weight"].nunique() > 100


def test_answers_are_dated_by_the_close_of_fieldwork(tables, made):
    closes = {wave.id: str(wave.last) for wave in made.waves}
    assert {str(day)[:10] for day in tables["responses"]["answered_on"]} == set(closes.values())


def test_every_wave_asks_what_the_others_call_otherwise(made):
    """27 columns a year under one name: those asked every year map to a column in each of the eight files."""
    always = {"overall", "art", "food", "shops", "signs_inside", "walkways", "screens", "info_booth_arr", "info_booth_dep", "signs_road", "parking", "airtrain",
              "lt_parking", "rental", "clean_boarding", "clean_restrooms", "safe", "ease_find_way", "ease_security", "had_problem", "flights_12m", "bought_store", "bought_food"}
    asked = {wave.id: {item.id: made.column(wave, item.id) for item in made.asked("passengers") if made.column(wave, item.id)} for wave in made.waves}
    assert all(always <= set(columns) for columns in asked.values())
    assert all(len(set(columns.values())) == len(columns) for columns in asked.values())
    assert [year for year in YEARS if "wifi" in asked[year]] == YEARS[3:]
    assert [year for year in YEARS if "recommend" in asked[year]] == ["2017"]


def test_a_year_that_nobody_has_seen_needs_lines_and_no_code(tmp_path, made):
    text = (FOLDER / "programme.toml").read_text("utf-8")
    line = '\n[[waves]]\nid = "2018"\nsurvey = "passengers"\nquarter = "2018Q2"\nfirst = 2018-05-04\nlast = 2018-05-29\nfile = "2018_SFO_Customer_Survey.csv.gz"\n' \
           '\n[waves.columns]\nfood = "Q7DINING"\nresponse_id = "ID"\n'
    first_item = text.index("\n[[items]]")
    (tmp_path / "programme.toml").write_text(text[:first_item] + line + text[first_item:], "utf-8")
    longer = programmes.read(tmp_path)
    write(tmp_path / "raw", longer, size=40)
    responses = store.build(longer)["responses"]
    assert (responses["wave"] == "2018").sum() == 40
    assert responses.loc[responses["wave"] == "2018", "food"].notna().any()


def test_a_column_that_was_renamed_without_saying_so_is_refused_by_name(tmp_path, made):
    raw = write(tmp_path / "raw", made, size=20)
    path = raw / "2015_SFO_Customer_Survey.csv.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"Q7WALKWAYS", b"Q7WALKWAY")))
    with pytest.raises(DataError, match=r"2015_SFO_Customer_Survey.csv.gz.*'Q7WALKWAYS'.*did you mean Q7WALKWAY"):
        store.build(programmes.read(FOLDER, raw=raw))


@pytest.mark.parametrize("quarter", ["2017Q2", pytest.param("2010Q3", marks=pytest.mark.slow), pytest.param("2014Q3", marks=pytest.mark.slow)])
def test_the_report_is_made_from_eight_files_and_says_what_it_cannot_answer(quarter, made, cx, tmp_path):
    """Through to HTML, in the last wave, in the first (nothing to compare with) and in one after a long gap; no empty panel, no figure that is none."""
    code, out, errors = cx("report", FOLDER, "--raw", made.raw, "--out", tmp_path / "reports", "--quarter", quarter)
    assert code == 0, errors
    draft = Path(out.strip().splitlines()[-1]).parent
    pages = {path.stem: path.read_text("utf-8") for path in draft.glob("*.html")}
    assert set(pages) == {"index", "01_data_loading", "02_annual_drivers", "03_performance_tracking", "04_verbatim_topics", "06_value_threshold", "11_roi"}
    assert "codes that people gave before the answers came here" in pages["04_verbatim_topics"]
    assert "the codeframe leaves" in pages["04_verbatim_topics"]
    assert ("the shares start anew" in pages["04_verbatim_topics"]) == (quarter == "2017Q2")
    assert "which it would need" in pages["11_roi"]
    assert "Unweighted" in pages["01_data_loading"] or quarter == "2010Q3"
    assert ("Net Promoter Score" in pages["index"]) == (quarter == "2017Q2")
    words = {name: re.sub(r"<(style|script|svg|pre)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL) for name, page in pages.items()}
    for name, text in words.items():
        assert not re.search(r"\b(nan|NaN|inf|NaT|Traceback|None)\b", text), name
    assert not any(re.search(r"(src|href)=[\"']?(https?:)?//", page) for page in pages.values())


def test_the_folder_holds_no_data_and_no_address():
    assert sorted(path.name for path in FOLDER.iterdir()) == ["README.md", "codeframe.toml", "improve_codes.csv", "programme.toml"]
    words = (FOLDER / "README.md").read_text("utf-8") + (FOLDER / "programme.toml").read_text("utf-8")
    assert "://" not in words
    assert "San Francisco open data" in words
    assert len(tomllib.loads((FOLDER / "programme.toml").read_text("utf-8"))["waves"]) == 8


@pytest.mark.shared
def test_known_figures_of_the_published_files(shared):
    """Unweighted mean of SFO as a whole by year, and NPS 2017, as in the README of the data."""
    found = store.build(programmes.read(FOLDER, raw=shared / "sfo_survey"))
    responses = found["responses"]
    assert found["files"]["quarantined"].sum() == 0
    assert len(responses) == found["files"]["rows"].sum()
    assert responses.groupby("wave")["overall"].mean().round(2).tolist() == [3.93, 3.95, 4.00, 3.98, 4.00, 4.05, 4.04, 4.06]
    last = responses[(responses["wave"] == "2017") & responses["recommend"].notna()]
    value = 100.0 * (last["recommend"] >= 9) - 100.0 * (last["recommend"] <= 6)
    assert round(np.average(value, weights=last["weight"]), 1) == 40.4
    assert round(value.mean(), 1) == 39.8


@pytest.mark.shared
def test_codes_of_four_lists_become_topics_that_follow_the_words(shared, tmp_path):
    """Code 1 is food in 2010, restaurants in 2014, announcements in 2015 and 2016 and general praise in 2017; counted here by hand from the file and its field guide."""
    found = load.tables(programmes.read(FOLDER, raw=shared / "sfo_survey"), "2017Q2", out=tmp_path)
    frame = codeframe.read(FOLDER / "codeframe.toml")
    mentions = comments.code(found, frame)
    one = mentions[mentions["clause_text"].isin(CODES.loc[CODES["code"] == "1", "label"])]
    quarter = comments.of(found, frame).drop_duplicates("response_id").set_index("response_id")["quarter"]
    assert {place: sorted(set(own["topic"])) for place, own in one.groupby(one["response_id"].map(quarter))} == {
        "2010Q3": ["food"], "2013Q2": ["food"], "2014Q3": ["food"], "2015Q2": ["signs"], "2016Q2": ["signs"], "2017Q2": ["overall_good"]}
    shares = comments.shares(mentions, found, frame).set_index(["quarter", "topic", "polarity"])
    raw = pd.read_csv(shared / "sfo_survey" / "2017_SFO_Customer_Survey.csv.gz", dtype=str, keep_default_na=False, encoding="latin1")
    given = raw[[f"Q8COM{n}" for n in range(1, 6)]].apply(lambda column: column.str.strip())
    wrote = ~given.isin(["", "0"]).all(axis=1)
    wifi = given.isin(["11", "14"]).any(axis=1)
    assert shares.loc[("2017Q2", "wifi_power", "any"), ["n", "count"]].tolist() == [wrote.sum(), wifi.sum()]
    weight = raw["WEIGHT"].astype(float)
    assert shares.loc[("2017Q2", "wifi_power", "any"), "estimate"] == pytest.approx(weight[wifi].sum() / weight[wrote].sum())
    assert not {"2011Q2", "2012Q2"} & set(shares.index.get_level_values(0))
    told = comments.coverage(mentions, found, frame, verbatims=comments.answered(found, frame))
    assert (told["estimate"] < 0.15).all()
