"""`cx init`: what is guessed from files that nobody declared, that every draft keeps the contract and loads, and that its codebook comes back as it went.

Issue 3, item 5. The data are made here; those of the folder beside the repository come last and are skipped where it is not.
"""

import datetime as dt
import json
import os
import shutil
import tomllib

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import load
from cxlib import programme as programmes
from cxlib.errors import DataError, UsageError
from cxlib.load import draft, identifiers
from cxlib.load.draft import book as books
from cxlib.load.draft import forms, scales, sheets, toml, words

RNG = np.random.default_rng(7)


def make(tmp_path, files: dict, *, name="acme", told=None, **options):
    """Write files (name -> text, bytes or frame), draft a programme from them and return it."""
    paths = []
    for file, content in files.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path) if file.endswith(".parquet") else content.to_csv(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    draft.make(paths, tmp_path / name, name="", overwrite=False, say=(told if told is not None else []).append, **options)
    return programmes.read(tmp_path / name)


def answers(n=300, *, seed=1, items=4, high=5) -> pd.DataFrame:
    """Ratings that go together, as those of one questionnaire do."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=n)
    score = lambda top, low=1: np.clip(np.round((low + top) / 2 + (top - low) / 5 * (mood + rng.normal(size=n))), low, top).astype(int)
    frame = pd.DataFrame({"response_id": [f"r{i:04d}" for i in range(n)], "Recommend us to a friend": score(10, 0), "Overall satisfaction": score(high)})
    for place, name in enumerate(["Price", "Network", "Staff friendliness", "Opening hours", "Delivery"][:items]):
        frame[f"Q{place + 3} {name}"] = score(high)
    return frame


def items(programme) -> dict:
    return {item.id: item for item in programme.items}


# --------------------------------------------------------------------------------------------------------------------- the guesses


def test_a_plain_survey_has_its_id_its_key_figures_its_scales_and_its_drivers(tmp_path):
    told = []
    p = make(tmp_path, {"survey_2026Q2.csv": answers()}, told=told)
    kpis = {kpi.id: (kpi.item, kpi.definition) for kpi in p.kpis}
    assert kpis == {"nps": ("recommend", "nps_0_10"), "csat": ("satisfaction", "csat_top2_of_5")}
    assert p.drivers[0].items == ("q3_price", "q4_network", "q5_staff_friendliness", "q6_opening_hours")
    assert {(p.scales[i.scale].low, p.scales[i.scale].high) for i in p.items if i.id.startswith("q")} == {(1, 5)}
    wave = p.waves[0]
    assert (wave.id, wave.quarter, wave.first, wave.last) == ("2026Q2", "2026Q2", dt.date(2026, 4, 1), dt.date(2026, 6, 30))
    tables = load.check(p)
    assert len(tables["responses"]) == 300
    assert len(tables["repairs"]) == 0
    assert any("cx check" in line and "--quarter 2026Q2" in line for line in told)


GERMAN = {"sehr unzufrieden": 1, "eher unzufrieden": 2, "teils/teils": 3, "eher zufrieden": 4, "sehr zufrieden": 5}


def german(n=200) -> str:
    rows, labels = ["lfdnr;Kundennr;Interviewdatum;Wie zufrieden sind Sie insgesamt?;Weiterempfehlung (0-10);Warum diese Note?;Was sollen wir verbessern?;Gewicht;E-Mail;Region"], list(GERMAN)
    for i in range(n):
        labelled = labels[(i * 7) % 5] if i % 20 else "keine Angabe"
        rows.append(f"{i};K{i % 150:05d};{1 + i % 28:02d}.{3 + i % 2:02d}.2026;{labelled};{(i * 3) % 11};Weil der Empfang hier draussen oft weg ist {i};Die Wartezeit am Telefon war viel zu lang {i % 90};{0.5 + (i % 10) / 10:.2f}".replace(".2026;", "\0").replace(";0.", ";0,").replace(";1.", ";1,").replace("\0", ".2026;") + f";kunde{i}@example.org;{'Nord' if i % 2 else 'Süd'}")
    return "\n".join(rows) + "\n"


def test_german_headers_semicolons_decimal_commas_points_in_dates_and_words_for_scores(tmp_path):
    p = make(tmp_path, {"umfrage.csv": german().encode("cp1252")})
    wave, found = p.waves[0], items(p)
    assert (wave.delimiter, wave.encoding, wave.decimal, wave.date_format) == (";", "cp1252", ",", "%d.%m.%Y")
    assert (wave.first, wave.last, wave.quarter) == (dt.date(2026, 3, 1), dt.date(2026, 4, 28), "2026Q2")
    assert wave.columns["response_id"] == "lfdnr"
    assert wave.columns["person_id"] == "Kundennr"
    assert wave.columns["weight"] == "Gewicht"
    scale = p.scales[found["satisfaction"].scale]
    assert {word: int(score) for word, score in scale.labels.items()} == GERMAN
    assert scale.missing == {"keine Angabe": "keine Angabe"}
    assert {kpi.definition for kpi in p.kpis} == {"csat_top2_of_5", "nps_0_10"}
    assert sorted(item.question for item in p.items if item.kind == "verbatim") == ["improve", "why"]
    assert "E-Mail" not in {column for one in p.waves for column in one.columns.values()}
    tables = load.check(p)
    assert len(tables["responses"]) == 200
    assert tables["responses"]["weight"].round(2).iloc[7] == 1.2
    assert [segment.field for segment in p.segments] == ["region"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["Very satisfied", "Satisfied", "Neither", "Dissatisfied", "Very dissatisfied"], [5, 4, 3, 2, 1]),
        (["Tout à fait d'accord", "Plutôt d'accord", "Ni d'accord ni pas d'accord", "Plutôt pas d'accord", "Pas du tout d'accord"], [5, 4, 3, 2, 1]),
        (["Muy satisfecho", "Algo satisfecho", "Neutral", "Algo insatisfecho", "Muy insatisfecho"], [5, 4, 3, 2, 1]),
        (["Muito satisfeito", "Satisfeito", "Nem satisfeito nem insatisfeito", "Insatisfeito", "Muito insatisfeito"], [5, 4, 3, 2, 1]),
        (["10 - Extremely likely", "9", "0 - Not at all likely"], None),
        (["5 stars", "4 stars", "3 stars", "2 stars", "1 star"], [5, 4, 3, 2, 1]),
        (["Excellent", "Good", "Fair", "Poor"], None),
        (["North", "South", "East"], None),
        (["Visa", "Cash", "Invoice", "Voucher"], None),
        (["Daily", "Weekly", "Monthly"], None),
    ],
)
def test_answers_in_words_become_scores_in_five_languages_and_kinds_do_not(labels, expected):
    found = scales.guess(dict.fromkeys(labels, 30), labels={}, missing={})
    if expected is None:
        assert found is None or (found.kind == "rating" and found.high <= 5 and labels[0] in ("Excellent",))
    else:
        assert [int(found.labels[label]) for label in labels] == expected


def test_a_point_of_the_scale_that_nobody_chose_keeps_its_place():
    found = scales.guess({"Very satisfied": 9, "Satisfied": 9, "Neither satisfied nor dissatisfied": 3}, labels={}, missing={})
    assert (found.high, found.labels["Neither satisfied nor dissatisfied"], found.labels["Very satisfied"]) == (5, "3", "5")


@pytest.mark.parametrize(
    ("codes", "ends", "none"),
    [
        ([1, 2, 3, 4, 5], (1, 5), set()), ([1, 2, 3, 4, 5, 9], (1, 5), {"9"}), ([1, 2, 3, 4, 5, 8, 9], (1, 5), {"8", "9"}), ([1, 2, 3, 4, 5, 99], (1, 5), {"99"}), ([-9, 1, 2, 3, 4, 5, 6, 7], (1, 7), {"-9"}),
        ([0, 1, 2, 3, 4, 5], (1, 5), {"0"}), (list(range(11)), (0, 10), set()), (list(range(12)), (0, 10), {"11"}), ([*range(11), 99], (0, 10), {"99"}), ([2, 5, 7, 8, 9, 10], (1, 10), set()), (list(range(1, 11)), (1, 10), set()),
    ],
)  # fmt: skip
def test_codes_that_lie_beyond_a_run_are_no_scores(codes, ends, none):
    found = scales.guess({str(code): 20 for code in codes}, labels={}, missing={})
    assert (found.low, found.high) == ends
    assert set(found.missing) == none


def test_a_code_whose_holders_rate_the_rest_like_the_average_is_none_and_a_sixth_grade_is_a_score(tmp_path):
    never = answers(600, items=4).drop(columns=["Recommend us to a friend"])
    unused = RNG.random((600, 4)) < 0.15
    for place, column in enumerate(never.columns[2:6]):
        never.loc[unused[:, place], column] = 6
    p = make(tmp_path, {"a_2026.csv": never}, name="never")
    assert {(p.scales[i.scale].high, tuple(p.scales[i.scale].missing)) for i in p.items if i.id.startswith("q")} == {(5, ("6",))}
    grades = answers(600, items=5, high=6).drop(columns=["Recommend us to a friend", "Overall satisfaction"])
    p = make(tmp_path, {"b_2026.csv": grades}, name="grades")
    assert {p.scales[i.scale].high for i in p.items if i.kind == "rating"} == {6}


def test_codes_that_go_with_no_rating_are_kinds(tmp_path):
    frame = answers(500).assign(Gate=RNG.integers(1, 6, 500), Method=RNG.integers(1, 4, 500))
    found = items(make(tmp_path, {"s_2026.csv": frame}))
    assert {found["gate"].kind, found["method"].kind} == {"nominal"}


def test_labels_and_user_missing_codes_of_spss_and_a_reversed_scale(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    n = 240
    frame = pd.DataFrame({"ID": np.arange(1, n + 1), "Q1": RNG.integers(1, 6, n), "Q2": RNG.integers(1, 3, n), "Q3": RNG.integers(0, 11, n)})
    frame.loc[::20, "Q1"] = 9
    labels = {"Q1": {1: "very satisfied", 2: "satisfied", 3: "neither", 4: "dissatisfied", 5: "very dissatisfied", 9: "don't know"}, "Q2": {1: "shop", 2: "phone"}}
    pyreadstat.write_sav(frame, str(tmp_path / "annual_2025Q3.sav"), column_labels=["", "Overall, how satisfied are you?", "Where did you buy?", "Would you recommend us?"], variable_value_labels=labels, missing_ranges={"Q1": [9]})
    draft.make([tmp_path / "annual_2025Q3.sav"], tmp_path / "p", name="", overwrite=False, say=[].append)
    p = programmes.read(tmp_path / "p")
    found = items(p)
    scale = p.scales[found["satisfaction"].scale]
    assert scale.labels == {str(code): str(6 - code) for code in range(1, 6)}  # turned round, so that top 2 counts the satisfied
    assert (scale.low_label, scale.high_label) == ("very dissatisfied", "very satisfied")
    assert p.missing(found["satisfaction"]) == {"9": "don't know"}
    assert found["where_did_you_buy"].labels == {"1": "shop", "2": "phone"}
    scores = load.check(p)["responses"]["satisfaction"]
    assert scores.isna().sum() == 12
    assert scores.dropna().tolist() == [6 - value for value in frame["Q1"] if value != 9]


def test_three_waves_with_renamed_columns_are_one_survey(tmp_path):
    first = answers(seed=1).rename(columns={"Q3 Price": "price", "Q4 Network": "network coverage", "Overall satisfaction": "Satisfaction overall"})
    second = answers(seed=2).rename(columns={"Q3 Price": "Q7_Price", "Q4 Network": "Network-Coverage", "Recommend us to a friend": "NPS"})
    third = answers(seed=3).rename(columns={"Q4 Network": "Network Coverage"})
    p = make(tmp_path, {"pulse_2025Q1.csv": first, "pulse_2025Q2.csv": second, "pulse_2025Q3.csv": third})
    assert [survey.id for survey in p.surveys] == ["pulse"]
    assert [wave.quarter for wave in p.waves] == ["2025Q1", "2025Q2", "2025Q3"]
    columns = [{name: p.column(wave, name) for name in ("recommend", "satisfaction", "q3_price", "network_coverage")} for wave in p.waves]
    assert [one["recommend"] for one in columns] == ["Recommend us to a friend", "NPS", "Recommend us to a friend"]
    assert [one["satisfaction"] for one in columns] == ["Satisfaction overall", "Overall satisfaction", "Overall satisfaction"]
    assert [one["q3_price"] for one in columns] == ["price", "Q7_Price", "Q3 Price"]
    assert [one["network_coverage"] for one in columns] == ["network coverage", "Network-Coverage", "Network Coverage"]
    assert load.check(p)["responses"].groupby("wave").size().tolist() == [300, 300, 300]


def test_one_file_of_several_years_by_its_dates_and_by_a_column(tmp_path):
    n = 400
    days = pd.date_range("2025-01-05", periods=n, freq="D")
    p = make(tmp_path, {"stars.csv": pd.DataFrame({"review_id": np.arange(n), "date": days.strftime("%Y-%m-%d"), "stars": 1 + np.arange(n) % 5, "text": [f"It was rather good in the end, number {i}" for i in range(n)]})}, name="days")
    assert [wave.id for wave in p.waves] == ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"]
    assert p.surveys[0].dated_by == "answer"
    assert p.kpis[0].definition == "csat_top2_of_5"
    assert load.check(p)["files"]["rows"].sum() == n
    p = make(tmp_path, {"years.csv": answers(300).assign(survey_year=np.repeat([2024, 2025, 2026], 100))}, name="column")
    assert [(wave.id, dict(wave.where)) for wave in p.waves] == [(str(year), {"survey_year": str(year)}) for year in (2024, 2025, 2026)]
    assert load.check(p)["responses"].groupby("wave").size().tolist() == [100, 100, 100]


def test_no_id_column_is_said_and_rows_are_numbered(tmp_path):
    told = []
    p = make(tmp_path, {"s_2026.csv": answers().drop(columns="response_id")}, told=told)
    assert p.column(p.waves[0], "response_id") == "#row"
    assert any("no id" in line for line in told)
    assert load.check(p)["responses"]["response_id"].tolist()[:2] == ["row2", "row3"]


def test_a_customers_key_that_is_unique_is_the_id_of_the_answer_too(tmp_path):
    p = make(tmp_path, {"s_2026.csv": answers().rename(columns={"response_id": "Customer ID"})})
    assert p.column(p.waves[0], "response_id") == p.column(p.waves[0], "person_id") == "Customer ID"
    assert len(load.check(p)["responses"]) == 300


def test_one_column_only(tmp_path):
    p = make(tmp_path, {"scores.csv": "nps\n" + "\n".join(str(i % 11) for i in range(60)) + "\n"})
    assert p.kpis[0].definition == "nps_0_10"
    assert len(load.check(p)["responses"]) == 60


def test_days_that_nothing_tells_are_marked_and_are_those_of_the_file(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("nps\n" + "\n".join(str(i % 11) for i in range(60)) + "\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    told = []
    draft.make([path], tmp_path / "p", name="", overwrite=False, say=told.append)
    assert programmes.read(tmp_path / "p").waves[0].last == dt.date(2023, 11, 14)
    assert any("DAYS NOT KNOWN" in line for line in told)
    assert "DAYS NOT KNOWN" in (tmp_path / "p" / "programme.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2026-03-31", "2026-04-01"], ""), (["31.03.2026", "01.04.2026"], "%d.%m.%Y"), (["03/31/2026", "04/01/2026"], "%m/%d/%Y"), (["31/03/2026 12:10", "01/04/2026 09:05"], "%d/%m/%Y %H:%M"), (["01.02.2026", "03.04.2026"], "%d.%m.%Y"),
        (["12/31/2026 09:30:00 AM", "01/02/2026 10:30:00 PM"], "%m/%d/%Y %I:%M:%S %p"), (["29-2-2016 01:16", "1-3-2016 09:52"], "%d-%m-%Y %H:%M"), (["2026-03-31T10:00:00Z", "2026-04-01T10:00:00+02:00"], ""),
    ],
)  # fmt: skip
def test_dates_tell_their_form(cells, form):
    assert forms.dates(cells) == (form, 1.0, "")


def test_dates_of_which_every_cell_can_be_read_twice_are_left_open(tmp_path):
    assert forms.dates(["01/02/2026", "03/04/2026", "05/06/2026"])[2] != ""
    told = []
    p = make(tmp_path, {"s_2026.csv": answers(12 * 12).assign(date=[f"{1 + i // 12:02d}/{1 + i % 12:02d}/2026" for i in range(144)])}, told=told)
    assert p.surveys[0].dated_by == "fieldwork_close"
    assert "answered_on" not in p.waves[0].columns
    assert any("which comes first, day or month" in line for line in told)
    assert "which comes first, day or month" in (p.folder / "programme.toml").read_text("utf-8")


@pytest.mark.parametrize(("cells", "marks"), [(["1,5", "2,75"], (",", "")), (["1.234,5", "7,0"], (",", ".")), (["1,234.5", "7.0"], (".", ",")), (["1.5", "2"], ("", "")), (["1 234,50"], (",", " "))])
def test_numbers_tell_their_marks(cells, marks):
    assert forms.numbers(cells) == (*marks, "")


def test_a_comma_that_may_mean_either_is_left_open_and_said():
    assert forms.numbers(["1,234", "2,500"]) == ("", "", "1,234")


@pytest.mark.parametrize(
    ("column", "cells"),
    [("contact", [f"p{i}@example.org" for i in range(60)]), ("Vorname", [f"Name{chr(97 + i % 26)}{i}" for i in range(60)]), ("mobile", [f"+49 170 {1000000 + i}" for i in range(60)]), ("x", [f"10.0.{i}.7" for i in range(60)]), ("surname", [f"Sur{i}" for i in range(60)]), ("ZIP", [f"{10000 + i}" for i in range(60)])],
)  # fmt: skip
def test_what_tells_who_a_person_is_becomes_no_item_and_no_example(column, cells, tmp_path):
    told = []
    p = make(tmp_path, {"s_2026.csv": answers(60).assign(**{column: cells})}, told=told)
    assert column not in {name for wave in p.waves for name in wave.columns.values()}
    contract, shown = (p.folder / "programme.toml").read_text("utf-8"), "\n".join(sheets.read(p.folder / sheets.NAME).columns["examples"])
    assert not [cell for cell in cells if cell in contract + shown]
    assert any(column in line and "who a person is" in line for line in told)
    assert (p.surveys[0].promise, p.surveys[0].uses) == ("undeclared", ("aggregate",))


def test_other_tables_find_their_place_and_a_review_finds_its_customer_through_the_order(tmp_path):
    n = 300
    orders = pd.DataFrame({"order_id": [f"o{i}" for i in range(n)], "customer_id": [f"c{i % 200}" for i in range(n)], "order_date": pd.date_range("2026-01-01", periods=n, freq="6h").strftime("%Y-%m-%d"), "amount": np.round(RNG.gamma(2, 30, n), 2)})
    reviews = pd.DataFrame({"review_id": [f"v{i}" for i in range(n)], "order_id": orders["order_id"].sample(n, random_state=1).to_numpy(), "stars": RNG.integers(1, 6, n), "comment": [f"The parcel came on time and all was well {i}" for i in range(n)]})
    people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(200)], "region": ["north", "south"] * 100, "email": [f"c{i}@example.org" for i in range(200)]})
    calls = pd.DataFrame({"call_id": [f"k{i}" for i in range(90)], "customer_id": [f"c{i}" for i in range(90)], "started": pd.date_range("2026-01-01 08:00", periods=90, freq="h").strftime("%d.%m.%Y %H:%M"), "reason": ["bill", "fault", "move"] * 30})
    p = make(tmp_path, {"orders.csv": orders, "reviews_2026Q1.csv": reviews, "customers.csv": people, "calls.csv": calls})
    assert {source.table: source.file for source in p.sources} == {"orders": "orders.csv", "people": "customers.csv", "interactions": "calls.csv"}
    assert [join.file for join in p.waves[0].joins] == ["orders.csv"]
    tables = load.check(p)
    assert (len(tables["orders"]), len(tables["people"]), len(tables["interactions"]), len(tables["responses"])) == (n, 200, 90, n)
    linked = programmes.Programme.model_validate(p.model_dump() | {"surveys": [p.surveys[0].model_dump() | {"uses": ("aggregate", "link")}]}).model_copy(update={"folder": p.folder, "raw": p.raw})
    made = load.check(linked)["responses"].set_index("response_id")["person_id"]
    assert made["v0"] == identifiers.known_as(orders.set_index("order_id")["customer_id"][reviews["order_id"][0]])


def test_lines_of_orders_without_a_key_of_their_own_are_numbered(tmp_path):
    lines = pd.DataFrame({"Invoice": [f"{489434 + i // 3}" for i in range(90)], "StockCode": [f"8{i % 7}" for i in range(90)], "Quantity": 1 + np.arange(90) % 4, "InvoiceDate": "2026-03-01", "Sales": 2.5, "Customer ID": [f"c{i // 3}" for i in range(90)]})
    p = make(tmp_path, {"retail.csv": lines})
    assert p.sources[0].columns["order_id"] == "#row"
    assert (p.quarters(), len(load.check(p)["orders"])) == (["2026Q1"], 90)


def test_a_list_of_columns_beside_a_file_gives_its_wording(tmp_path):
    frame = answers().rename(columns={"Overall satisfaction": "q1", "Recommend us to a friend": "q2", "Q3 Price": "q3_1", "Q4 Network": "q3_2", "Q5 Staff friendliness": "q3_3", "Q6 Opening hours": "q3_4"})
    words_of = "variable,question\nq1,How satisfied are you overall?\nq2,Would you recommend us?\nq3_1,Price\nq3_2,Network\nq3_3,Staff\nq3_4,Opening hours\n"
    p = make(tmp_path, {"data_2026.csv": frame, "codes.csv": words_of})
    assert {item.wording for item in p.items} >= {"How satisfied are you overall?", "Would you recommend us?", "Opening hours"}
    assert {kpi.id for kpi in p.kpis} == {"nps", "csat"}


def test_the_rows_of_a_wave_joins_refuse_a_key_that_stands_twice(tmp_path, tiny):
    from small import TINY

    folder = tiny(toml=TINY.replace('file = "a.csv"\n', 'file = "a.csv"\n[[waves.joins]]\nfile = "b.csv"\non = "person"\n', 1).replace('columns = {response_id = "id", country = "land", person_id = "person"}\n', ""). replace('[[items]]\nid = "recommend"', '[[items]]\nid = "recommend"', 1))
    (folder / "raw" / "b.csv").write_text("person,extra\np1,x\np1,y\n")
    with pytest.raises(DataError, match=r"b\.csv: row 3, column 'person': 'p1' stands there twice"):
        load.check(programmes.read(folder))


SHARED_FILE = """
name = "Two waves of one file"
[scales.five]
low = 1
high = 5
[[surveys]]
id = "poll"
kind = "transactional"
dated_by = "answer"
[surveys.columns]
response_id = "#row"
answered_on = "day"
[[waves]]
id = "q1"
survey = "poll"
quarter = "2026Q1"
first = 2026-01-01
last = 2026-03-31
file = "a.csv"
[[waves]]
id = "q2"
survey = "poll"
quarter = "2026Q2"
first = 2026-04-01
last = 2026-06-30
file = "a.csv"
[[items]]
id = "score"
wording = "How was it?"
scale = "five"
"""


def test_waves_that_share_a_file_take_each_row_once_and_undated_rows_are_set_aside_once(tiny):
    rows = "2026-01-10,5\n2026-04-10,4\n2026-05-10,4\nlast week,3\n2027-01-01,2\n2026-02-01,1\n2026-06-30,2\n"
    programme = programmes.read(tiny(rows, toml=SHARED_FILE, header="day,score\n"))
    tables = load.check(programme)
    assert tables["files"][["wave", "rows", "kept", "quarantined"]].to_numpy().tolist() == [["poll q1", 2, 2, 0], ["poll q2", 5, 3, 2]]
    assert sorted(tables["repairs"]["row"]) == [5, 6]
    assert tables["responses"][["wave", "response_id", "score"]].to_numpy().tolist() == [["q1", "row2", 5], ["q1", "row7", 1], ["q2", "row3", 4], ["q2", "row4", 4], ["q2", "row8", 2]]


def test_a_wave_takes_the_rows_that_its_column_says(tiny):
    toml_of = SHARED_FILE.replace('kind = "transactional"\ndated_by = "answer"', 'kind = "relationship"').replace('answered_on = "day"\n', "")
    toml_of = toml_of.replace('file = "a.csv"\n[[waves]]', 'file = "a.csv"\nwhere = {year = "2025"}\n[[waves]]').replace('file = "a.csv"\n[[items]]', 'file = "a.csv"\nwhere = {year = "2026"}\n[[items]]')
    rows = "2025,5\n2026,4\n 2026 ,3\n"
    tables = load.check(programmes.read(tiny(rows, toml=toml_of, header="year,score\n")))
    assert tables["responses"][["wave", "score"]].to_numpy().tolist() == [["q1", 5], ["q2", 4], ["q2", 3]]
    with pytest.raises(DataError, match=r"a\.csv: the column 'jahr' that 'where' of wave 'q1' needs is missing"):
        load.check(programmes.read(tiny(rows, toml=toml_of.replace('{year = "2025"}', '{jahr = "2025"}'), header="year,score\n")))


# ------------------------------------------------------------------------------------------------------------- the folder and its files


def test_what_cannot_be_copied_is_refused_and_nothing_is_written(tmp_path):
    good = tmp_path / "good.csv"
    answers(20).to_csv(good, index=False)
    (tmp_path / "link.csv").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "GOOD.csv").write_text("a\n1\n")
    for bad, said in (("link.csv", "is a link"), ("pipe.csv", "no regular file"), ("other", "is a folder"), ("none.csv", "no such file"), ("other/GOOD.csv", "have one name")):
        with pytest.raises(UsageError, match=said):
            draft.make([good, tmp_path / bad], tmp_path / "p", name="", overwrite=False, say=print)
        assert not (tmp_path / "p").exists()
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        draft.make([good], full, name="", overwrite=False, say=print)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_failure_while_writing_leaves_nothing(tmp_path, monkeypatch):
    answers(20).to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setattr(sheets, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        draft.make([tmp_path / "a.csv"], tmp_path / "p", name="", overwrite=False, say=print)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_files_are_copied_as_they_are(tmp_path):
    p = make(tmp_path, {"umfrage.csv": german().encode("cp1252")})
    assert (p.raw / "umfrage.csv").read_bytes() == german().encode("cp1252")


def test_the_same_files_give_the_same_bytes(tmp_path):
    content = german()
    os.environ["TZ"], before = "Pacific/Kiritimati", os.environ.get("TZ")
    try:
        one = make(tmp_path / "x", {"umfrage.csv": content})
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    other = make(tmp_path / "y", {"umfrage.csv": content})
    for name in ("programme.toml", sheets.NAME):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


# ------------------------------------------------------------------------------------------------------------------------ the codebook


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """A drafted programme with everything a codebook holds, and its codebook as read."""
    orders = pd.DataFrame({"order_id": [f"o{i}" for i in range(40)], "customer_id": [f"K{i:05d}" for i in range(40)], "order_date": "2026-02-01", "amount": 9.5})
    p = make(tmp_path_factory.mktemp("codebook"), {"umfrage_2026Q1.csv": german().encode("cp1252"), "orders.csv": orders})
    return p.folder, sheets.read(p.folder / sheets.NAME)


@pytest.fixture
def acme(drafted, tmp_path):
    """A copy of it that a test may change: (folder, book)."""
    shutil.copytree(drafted[0], tmp_path / "acme")
    return tmp_path / "acme", drafted[1]


def edited(folder, book, sheet: str, place: int, **cells):
    """Change cells of a drafted codebook as somebody in a spreadsheet would; returns the changed book."""
    frame = getattr(book, sheet).copy()
    for key, value in cells.items():
        frame.loc[place, key] = value
    book = book._replace(**{sheet: frame})
    sheets.write(folder / sheets.NAME, book)
    return book


def again(folder, *, overwrite=False):
    draft.make([], folder, name="", overwrite=overwrite, say=[].append)
    return programmes.read(folder)


def row_of(book, **cells) -> int:
    return next(place for place, row in enumerate(book.columns.to_dict("records")) if all(row[key] == value for key, value in cells.items()))


def test_a_codebook_that_nobody_edited_gives_the_same_programme(acme):
    folder, _ = acme
    before = (folder / "programme.toml").read_bytes()
    again(folder)
    assert (folder / "programme.toml").read_bytes() == before


def test_what_is_edited_in_the_codebook_stands_in_the_programme(acme):
    folder, book = acme
    book = edited(folder, book, "columns", row_of(book, id="satisfaction"), label="Zufriedenheit", kpi="mean_of_5")
    book = edited(folder, book, "columns", row_of(book, id="region"), use="no")
    edited(folder, book, "files", list(book.files["table"]).index("responses"), first="2026-01-15")
    p = again(folder)
    assert items(p)["satisfaction"].label == "Zufriedenheit"
    assert {kpi.definition for kpi in p.kpis} == {"mean_of_5", "nps_0_10"}
    assert "region" not in items(p)
    assert p.waves[0].first == dt.date(2026, 1, 15)


@pytest.mark.parametrize(
    ("sheet", "row", "cells", "said"),
    [
        ("columns", "satisfaction", {"role": "ratting"}, r"sheet columns, row \d+, column role: 'ratting' is not known \(did you mean rating\?\)"),
        ("columns", "satisfaction", {"kpi": "nps"}, r"column kpi: 'nps' is not known"),
        ("columns", "satisfaction", {"use": "maybe"}, r"column use: 'maybe' is neither yes nor no"),
        ("columns", "satisfaction", {"scale": "five"}, r"column scale: 'five' is not known"),
        ("columns", "satisfaction", {"missing": "don't know"}, r"column missing: 'don't know' is no entry; write a line each like 1 = very satisfied"),
        ("columns", "satisfaction", {"id": ""}, r"column id: the item has no id"),
        ("columns", "satisfaction", {"id": "Über all"}, r"Über all"),
        ("columns", "satisfaction", {"file": "umfrage.csv"}, r"column file: 'umfrage\.csv' does not stand in the sheet files \(did you mean umfrage_2026Q1\.csv\?\)"),
        ("columns", "region", {"kpi": "nps_0_10"}, r"column kpi: a key figure is made from a rating"),
        ("files", 0, {"first": "spring"}, r"sheet files, row 2, column first: 'spring' is no day"),
        ("files", 0, {"last": "2020-01-01"}, r"lies before the first day"),
        ("files", 0, {"table": "answers"}, r"column table: 'answers' is not known"),
        ("files", 0, {"survey": "x"}, r"column survey: 'x' is not known"),
        ("scales", 0, {"high": "five"}, r"sheet scales, row 2, column high: 'five' is no number"),
    ],
)  # fmt: skip
def test_nonsense_in_the_codebook_is_named_by_row_column_value_and_remedy(sheet, row, cells, said, acme):
    folder, book = acme
    before = (folder / "programme.toml").read_bytes()
    edited(folder, book, sheet, row_of(book, id=row) if isinstance(row, str) else row, **cells)
    with pytest.raises(DataError, match=said):
        again(folder)
    assert (folder / "programme.toml").read_bytes() == before


def test_a_programme_changed_by_hand_is_not_drafted_anew_unless_told(acme):
    folder, _ = acme
    path = folder / "programme.toml"
    path.write_text(path.read_text("utf-8").replace('currency = "EUR"', 'currency = "CHF"'), "utf-8")
    with pytest.raises(UsageError, match=r"changed by hand.*--overwrite"):
        again(folder)
    assert 'currency = "CHF"' in path.read_text("utf-8")
    assert again(folder, overwrite=True).currency == "EUR"


def test_a_folder_without_a_codebook_says_what_to_name(tmp_path):
    with pytest.raises(UsageError, match=r"no codebook\.xlsx"):
        draft.make([], tmp_path, name="", overwrite=False, say=print)


def test_cells_of_the_codebook_are_text_whatever_they_begin_with(tmp_path):
    import zipfile

    p = make(tmp_path, {"s_2026.csv": answers(40).rename(columns={"Q3 Price": "=cmd|' /C calc'!A0", "Q4 Network": "@SUM(1)", "Q5 Staff friendliness": "+1", "Q6 Opening hours": "-2"})})
    with zipfile.ZipFile(p.folder / sheets.NAME) as book:
        assert b"<f>" not in b"".join(book.read(name) for name in book.namelist())
    assert {"=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-2"} <= set(sheets.read(p.folder / sheets.NAME).columns["column"])
    assert len(load.check(p)["responses"]) == 40


# ----------------------------------------------------------------------------------------------------------------------- any file at all

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["", "1", "5", "99", "NA", "=1+1", 'a "b"', "a\nb", "a\r\nb", "'''", '"""', "[[waves]]", "\\u0000", "_x0041_", "a = b", "#row", "\x00", "\x7f", "\u202e", "9" * 25, "1,5", "01/02/2026", "ja", "very good"])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.lists(TEXTS, min_size=1, max_size=5, unique=True), data=st.data())
def test_any_file_gives_a_programme_that_keeps_the_contract_or_a_sentence(names, data, tmp_path_factory):
    rows = data.draw(st.lists(st.lists(TEXTS, min_size=len(names), max_size=len(names)), max_size=12))
    folder = tmp_path_factory.mktemp("any")
    path = folder / "a.json"
    path.write_text(json.dumps([dict(zip(names, row)) for row in rows]), "utf-8")
    try:
        draft.make([path], folder / "p", name="", overwrite=False, say=[].append)
    except (DataError, UsageError):  # a sentence, and nothing left behind
        assert not (folder / "p").exists()
        return
    tomllib.loads((folder / "p" / "programme.toml").read_text("utf-8"))
    before = (folder / "p" / "programme.toml").read_bytes()
    programme = again(folder / "p")
    assert (folder / "p" / "programme.toml").read_bytes() == before
    found = load.check(programme)
    assert found["files"]["rows"].sum() == (found["files"]["kept"] + found["files"]["quarantined"] + found["files"]["duplicates"]).sum()


@given(st.text(max_size=60))
def test_whatever_a_text_holds_toml_gives_it_back(text):
    text = text.encode("utf-8", "ignore").decode()
    assert tomllib.loads(f"a = {toml.text(text)}\n{toml.comment(text)}\n") == {"a": text}
    assert tomllib.loads(f"a = {toml.table({text: text})}") == {"a": {text: text}}


@given(st.dictionaries(TEXTS.filter(lambda text: text.strip()), TEXTS, max_size=5))
def test_entries_of_a_cell_come_back_as_they_went(entries):
    assert books.entries(books.pairs(entries), where="x") == entries


def test_a_megabyte_in_a_cell_and_a_name_too_long_do_no_harm(tmp_path):
    frame = answers(30).assign(comment=["y" * 2**20, *["It went very well indeed, thank you"] * 29], **{"n" * 5_000: 3})
    p = make(tmp_path, {"s_2026.csv": frame})
    assert "comment" in items(p)
    assert (p.folder / "programme.toml").stat().st_size < 20_000


def test_a_million_rows_take_seconds(tmp_path):
    """A tenth of it here, to keep the suite short: about linear in rows beyond the sample."""
    import time

    n = 100_000
    frame = answers(1_000).sample(n, replace=True, random_state=1).assign(response_id=np.arange(n), day=np.resize(pd.date_range("2026-01-01", periods=90).strftime("%Y-%m-%d"), n))
    frame.iloc[77_777, 1] = 99
    frame.to_csv(tmp_path / "big_2026.csv", index=False)
    told, begun = [], time.perf_counter()
    draft.make([tmp_path / "big_2026.csv"], tmp_path / "p", name="", overwrite=False, say=told.append)
    assert time.perf_counter() - begun < 20
    assert "codes counted in all" in told[0]
    assert "99" in programmes.read(tmp_path / "p").scales["recommend"].missing  # the one row that is not in the sample


# -------------------------------------------------------------------------------------------------------------------- the command line


def test_the_command_and_its_exit_codes(cx, tmp_path):
    answers(60).to_csv(tmp_path / "s_2026Q1.csv", index=False)
    (tmp_path / "nothing.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_text("a,b\n")
    code, out, errors = cx("init", tmp_path / "s_2026Q1.csv", "--to", tmp_path / "p", "--name", "Acme")
    assert (code, errors) == (0, "")
    assert "Next: cx check" in out
    assert cx("check", tmp_path / "p")[0] == 0
    assert cx("init", "--to", tmp_path / "p")[0] == 0
    assert cx("init", tmp_path / "s_2026Q1.csv", "--to", tmp_path / "p")[0] == 2
    code, _, errors = cx("init", tmp_path / "nothing.csv", "--to", tmp_path / "q")
    assert code == 3
    assert "nothing.csv: the file is empty" in errors
    code, _, errors = cx("init", tmp_path / "header.csv", "--to", tmp_path / "q")
    assert code == 3
    assert "header.csv: nothing to draft from" in errors
    assert not (tmp_path / "q").exists()


def test_a_database_is_drafted_table_by_table(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "shop.db") as connection:
        answers(60).to_sql("survey_2026", connection, index=False)
        pd.DataFrame({"order_id": range(30), "customer_id": range(30), "order_date": "2026-01-02", "amount": 5.5}).to_sql("orders", connection, index=False)
    draft.make([tmp_path / "shop.db"], tmp_path / "p", name="", overwrite=False, say=[].append)
    p = programmes.read(tmp_path / "p")
    assert (p.waves[0].database_table, p.sources[0].database_table, p.sources[0].table) == ("survey_2026", "orders", "orders")
    tables = load.check(p)
    assert (len(tables["responses"]), len(tables["orders"])) == (60, 30)


def test_words_fold_camel_case_accents_and_marks():
    assert words.folded("WieZufrieden_sindSie,  Zoë?") == "wie zufrieden sind sie zoe?"
    assert words.missing("Weiß nicht")
    assert not words.missing("Not satisfied")


# --------------------------------------------------------------------------------------------- the public data beside the repository

FOLDERS = {
    "incident_csat": ["*.parquet"], "nhs_fft_comments": ["*.parquet"], "reviews": ["*.parquet"], "kcmo": ["*"], "telco": ["*.parquet"], "olist": ["*"], "twitter": ["*.parquet"], "ecsi": ["corp_rep_data*.csv", "ecsi_mobi.csv"],
    "tracking": ["starbucks*.csv"], "survey_exports": ["qualtrics_*.csv", "surveymonkey*.csv", "sample_large.sav"],
}  # fmt: skip


@pytest.mark.parametrize("folder", [pytest.param(name, marks=[] if name in ("reviews", "tracking", "survey_exports") else [pytest.mark.slow]) for name in FOLDERS])
def test_every_folder_of_public_data_gives_a_draft_that_loads(folder, shared, tmp_path):
    files = sorted({path for pattern in FOLDERS[folder] for path in (shared / folder).glob(pattern)})
    draft.make(files, tmp_path / "p", name="", overwrite=False, say=[].append)
    files = load.check(programmes.read(tmp_path / "p"))["files"]
    assert (files["rows"] == files["kept"] + files["quarantined"] + files["duplicates"]).all()
    whole = files.groupby("file")[["rows", "quarantined"]].sum()
    assert (whole["quarantined"] <= 0.05 * whole["rows"]).all()


def test_what_the_airport_survey_publishes_comes_out_of_an_untouched_draft(shared, tmp_path):
    """Published: unweighted overall mean 2017 4.06 and 2016 4.04; unweighted NPS 2017 39.8."""
    files = [shared / "sfo_survey" / f"{year}_SFO_Customer_Survey.csv.gz" for year in (2016, 2017)]
    draft.make(files, tmp_path / "p", name="", overwrite=False, say=[].append)
    p = programmes.read(tmp_path / "p")
    assert {kpi.id: p.column(p.waves[-1], kpi.item) for kpi in p.kpis} == {"csat": "Q7ALL", "nps": "NETPRO"}
    found = load.check(p)["responses"]
    assert found.groupby("wave")["satisfaction"].mean().round(2).tolist() == [4.04, 4.06]
    scores = found.loc[found["wave"] == "2017", "recommend"].dropna()
    assert round(100 * ((scores >= 9).mean() - (scores <= 6).mean()), 1) == 39.8


# ------------------------------------------------------------------------------------------------------------ faults that newcomers met


@pytest.mark.parametrize(("column", "low"), [("NPS", 0), ("Weiterempfehlung (0-10)", 0), ("would recommend", 0), ("Overall satisfaction", 1)])
def test_a_recommendation_of_0_to_10_on_which_nobody_gave_a_0_keeps_its_0(tmp_path, column, low):
    """Read as 1 to 10 the key figure was another one, and the next wave lost its worst answers to the repair list."""
    frame = answers(120).rename(columns={"Recommend us to a friend": column}) if low == 0 else answers(120).drop(columns="Overall satisfaction").rename(columns={"Recommend us to a friend": column})
    frame[column] = frame[column].clip(lower=1)
    assert (frame[column] == 10).any()
    found = make(tmp_path, {"survey_2026.csv": frame})
    scale = found.scales[next(item for item in found.items if item.wording == column).scale]
    assert (scale.low, scale.high) == (low, 10)


def test_a_wave_that_nobody_answered_is_a_wave_and_no_table_of_contacts(tmp_path):
    frame = answers(100).drop(columns="response_id")
    frame.insert(0, "date", "2025-04-12")
    frame.insert(0, "id", range(100))
    empty = frame.assign(id=range(100, 200), date="2026-04-12", **{name: "" for name in frame.columns[2:]})
    found = make(tmp_path, {"s_2025.csv": frame, "s_2026.csv": empty})
    assert [wave.quarter for wave in found.waves] == ["2025Q2", "2026Q2"]
    assert len({wave.survey for wave in found.waves}) == 1


def test_a_battery_that_ends_at_five_stays_there_beside_others_that_end_at_seven(tmp_path):
    """Widened to the ends of the others, three items were refused as scores that never reach their end."""
    rng = np.random.default_rng(3)
    mood = rng.normal(size=400)
    score = lambda top: np.clip(np.round((1 + top) / 2 + top / 4 * (mood + rng.normal(size=400))), 1, top).astype(int)
    frame = pd.DataFrame({f"attr_{at}": score(7) for at in range(1, 9)} | {f"switch_{at}": score(5) for at in range(1, 5)})
    found = make(tmp_path, {"study_2026.csv": frame})
    assert {found.scales[item.scale].high for item in found.items if item.wording.startswith("switch")} == {5}
    assert {found.scales[item.scale].high for item in found.items if item.wording.startswith("attr")} == {7}


def test_a_workbook_that_opens_with_a_page_of_notes_is_read_from_the_sheet_with_the_answers(tmp_path):
    import xlsxwriter

    frame = answers(60)
    for name, title in (("plain.xlsx", False), ("titled.xlsx", True)):
        with xlsxwriter.Workbook(tmp_path / name) as book:
            book.add_worksheet("Info").write_column(0, 0, ["Prepared by", "marketing"])
            sheet = book.add_worksheet("Answers")
            if title:
                sheet.write(0, 0, "Satisfaction 2026")
            for place, row in enumerate([list(frame.columns), *frame.to_numpy().tolist()], start=2 * title):
                sheet.write_row(place, 0, row)
    for name, row in (("plain", None), ("titled", 3)):
        told = []
        draft.make([tmp_path / f"{name}.xlsx"], tmp_path / name, name="", overwrite=False, say=told.append)
        found = programmes.read(tmp_path / name)
        assert (found.waves[0].sheet, found.waves[0].header_row) == ("Answers", row)
        assert any("stand in row 3" in line for line in told) == (row == 3)
        tables = load.check(found)
        assert (len(tables["responses"]), len(tables["repairs"])) == (60, 0)


def test_the_share_of_those_who_are_not_dissatisfied_does_not_stand_under_the_name_of_those_who_are(tmp_path):
    frame = pd.DataFrame({"ticket": [f"T{i}" for i in range(300)], "user_dissatisfied": RNG.permutation([1] * 60 + [0] * 240), "reopened": RNG.integers(0, 2, 300)})
    found = make(tmp_path, {"tickets_2026.csv": frame})
    assert [(kpi.label, kpi.definition) for kpi in found.kpis] == [("User dissatisfied: no", "share_0_1")]
    rated = load.tables(found, "2026Q4")["responses"]["satisfaction"]
    assert rated.mean() == pytest.approx(0.8)
