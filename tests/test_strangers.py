"""`cx init` on exports of companies that nobody here has seen: what an analyst would call a wrong guess, each made here from nothing (issue 3, item 5)."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from test_init import answers, items, make

from cxlib import load
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import codebook, draft, published, readers
from cxlib.load.draft import scales
from cxlib.programme import Reading
from cxlib.show import claims


def mood(n: int, seed: int = 99) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def score(level: np.ndarray, low: int, high: int, *, seed: int, share: float = 0.75) -> np.ndarray:
    """Scores that go with a level, and from end to end."""
    z = share * level + np.sqrt(1 - share**2) * np.random.default_rng(seed).normal(size=len(level))
    return np.clip(np.round((low + high) / 2 + (high - low) / 4 * z), low, high).astype(int)


def kpis(programme) -> dict:
    return {kpi.item: kpi.definition for kpi in programme.kpis}


# ------------------------------------------------------------------------------------------------------------------ rows that are no answers


def test_a_row_of_totals_at_the_end_does_not_turn_a_survey_into_a_table_of_orders(tmp_path):
    """Its mean of 3.84 made the satisfaction a number and the sum of spend an amount: the survey was read as orders."""
    level = mood(200)
    frame = pd.DataFrame({"Survey #": range(1, 201), "Completed": [(dt.date(2025, 10, 1) + dt.timedelta(days=i % 90)).strftime("%m/%d/%y") for i in range(200)], "CSAT (1-5)": score(level, 1, 5, seed=1), "Made it easy": score(level, 1, 7, seed=2), "Spend": [f"{1000 + 7.31 * i:,.2f}" for i in range(200)]}).astype(str)
    frame.loc[200] = ["Grand Total", "", "3.84", "5.10", "412,345.10"]
    told = []
    p = make(tmp_path, {"callcentre.csv": frame}, told=told)
    assert set(kpis(p).values()) == {"csat_top2_of_5", "ces_2"}
    assert items(p)["spend"].kind == "number"  # and no id, although every sum is another
    assert any("row 202 at its end holds totals ('Grand Total')" in line for line in told)
    tables = load.check(p)
    assert (len(tables["responses"]), set(tables["repairs"]["row"])) == (200, {202})


def test_a_file_put_together_twice_keeps_its_ids_so_that_no_answer_counts_twice(tmp_path):
    """Its ids repeat, so its rows were numbered, and every answer counted twice."""
    told = []
    p = make(tmp_path, {"a_2026Q1.csv": pd.concat([answers(80), answers(80)])}, told=told)
    assert p.column(p.waves[0], "response_id") == "response_id"
    assert any("80 rows repeat one" in line for line in told)
    tables = load.check(p)
    assert (len(tables["responses"]), int(tables["files"]["duplicates"].sum())) == (80, 80)


def test_an_answer_that_reads_total_is_an_answer(tmp_path):
    frame = answers(60).assign(brand=["Total", "Shell", "Esso"] * 20).sort_values("brand", kind="stable")
    assert len(make(tmp_path, {"stations_2026Q1.csv": frame}).waves) == 1
    told = []
    make(tmp_path, {"stations_2026Q2.csv": frame[["brand", *frame.columns[:-1]]]}, name="again", told=told)
    assert not any("totals" in line for line in told)


def test_a_title_above_the_header_of_a_text_file_is_declared_and_said(tmp_path):
    told = []
    p = make(tmp_path, {"pulse_2026Q1.csv": "Customer pulse Q1\nExported by insights\n\n" + answers(60).to_csv(index=False, sep=";")}, told=told)
    assert (p.waves[0].header_row, p.waves[0].delimiter) == (4, ";")
    assert any("names of its columns stand in row 4" in line for line in told)
    assert len(load.check(p)["responses"]) == 60


def test_a_row_declared_as_the_header_that_holds_nothing_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Title\n\nid,score\n1,5\n", "utf-8")
    assert list(readers.read(path, Reading(header_row=3)).frame) == ["id", "score"]
    for row in (2, 40):
        with pytest.raises(DataError, match=rf"a.csv: row {row} is empty or not there.*header_row"):
            readers.read(path, Reading(header_row=row))


def test_every_sheet_with_answers_is_a_wave_and_none_is_dropped_in_silence(tmp_path):
    """Only the longest sheet was read, and nothing said that the other quarter was not."""
    with xlsxwriter.Workbook(tmp_path / "pulse.xlsx") as book:
        book.add_worksheet("Read me").write_column(0, 0, ["Prepared by", "insights"])
        for name, n, seed in (("Q1 2026", 80, 1), ("Q2 2026", 60, 2)):
            sheet, frame = book.add_worksheet(name), answers(n, seed=seed)
            sheet.merge_range(0, 0, 0, 3, f"Pulse {name}")
            sheet.merge_range(1, 3, 1, 5, "Satisfaction with")
            for place, row in enumerate([list(frame.columns), *frame.to_numpy().tolist()], start=2):
                sheet.write_row(place, 0, row)
    told = []
    draft.make([tmp_path / "pulse.xlsx"], tmp_path / "acme", name="", overwrite=False, say=told.append)
    p = programmes.read(tmp_path / "acme")
    assert [(wave.sheet, wave.quarter, wave.header_row) for wave in p.waves] == [("Q1 2026", "2026Q1", 3), ("Q2 2026", "2026Q2", 3)]
    assert any("not looked at: 'Read me'" in line for line in told)
    tables = load.check(p)
    assert tables["responses"].groupby("wave").size().tolist() == [80, 60]
    again = (tmp_path / "acme" / "programme.toml").read_bytes()
    draft.make([], tmp_path / "acme", name="", overwrite=False, say=lambda _: None)
    assert (tmp_path / "acme" / "programme.toml").read_bytes() == again


def test_sheets_of_one_workbook_that_are_dated_by_their_answers_keep_their_own_rows(tmp_path):
    """Two waves of one file were taken to share its rows, which they do only on one sheet."""
    days = [[dt.datetime(2026, 1, 5) + dt.timedelta(days=k % 60) for k in range(60)], [dt.datetime(2026, 3, 1) + dt.timedelta(days=k % 60) for k in range(60)]]
    with xlsxwriter.Workbook(tmp_path / "pulse.xlsx", {"default_date_format": "yyyy-mm-dd"}) as book:
        for place, name in enumerate(("North", "South")):
            sheet, frame = book.add_worksheet(name), answers(60, seed=place)
            for row, cells in enumerate([["Date", *frame.columns], *([day, f"{name}{cells[0]}", *cells[1:]] for day, cells in zip(days[place], frame.to_numpy().tolist(), strict=True))]):
                sheet.write_row(row, 0, cells)
    draft.make([tmp_path / "pulse.xlsx"], tmp_path / "acme", name="", overwrite=False, say=lambda _: None)
    text = (tmp_path / "acme" / "programme.toml").read_text("utf-8").replace('dated_by = "fieldwork_close"', 'dated_by = "answer"')
    (tmp_path / "acme" / "programme.toml").write_text(text, "utf-8")
    assert len(load.check(programmes.read(tmp_path / "acme"))["responses"]) == 120


# ------------------------------------------------------------------------------------------------------------------ which question is which


def test_a_row_of_a_grid_is_an_attribute_and_no_key_figure(tmp_path):
    """'How satisfied are you with the following: Speed' was published as the CSAT, and 'Ease of filing' beside it as the ease."""
    level, n = mood(150), 150
    above = "How satisfied are you with the following aspects of your claim?"
    frame = pd.DataFrame({"Recommend us": score(level, 0, 10, seed=1), **{f"{above}: {row}": score(level, 1, 5, seed=place) for place, row in enumerate(["Speed", "Communication", "Fairness", "Ease of filing"], start=2)}})
    p = make(tmp_path, {"claims_2026Q1.csv": frame.assign(id=[f"r{i}" for i in range(n)])})
    assert kpis(p) == {"recommend": "nps_0_10"}
    assert len(p.drivers[0].items) == 4


def test_a_row_of_a_grid_that_asks_for_the_whole_is_the_key_figure(tmp_path):
    level = mood(150)
    frame = pd.DataFrame({f"How satisfied are you with: {row}": score(level, 1, 5, seed=place) for place, row in enumerate(["Speed", "Staff", "Price", "The service overall"])})
    assert items(make(tmp_path, {"a_2026Q1.csv": frame}))["satisfaction"].wording.endswith("The service overall")


def test_the_only_question_of_satisfaction_among_attributes_of_its_scale_is_the_key_figure(tmp_path):
    level = mood(150)
    frame = pd.DataFrame({name: score(level, 1, 5, seed=place) for place, name in enumerate(["How satisfied were you with your visit today?", "Cleanliness of the store", "Product availability", "Checkout speed", "Friendliness"])})
    p = make(tmp_path, {"visits_2026Q1.csv": frame})
    assert kpis(p) == {"satisfaction": "csat_top2_of_5"}
    assert len(p.drivers[0].items) == 4


@pytest.mark.parametrize("groups", [("Promoter", "Passive", "Detractor"), ("3", "2", "1"), ("100", "0", "-100")])
def test_groups_of_a_score_are_no_question_and_tell_that_it_is_a_recommendation(groups, tmp_path):
    """'score' was a satisfaction with a mean, and its groups a rating of 1 to 3 beside it: an item that explains itself."""
    values = score(mood(300), 2, 10, seed=1)  # nobody gave a 0 or a 1
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(300)], "score": values, "group": [groups[0] if one >= 9 else groups[1] if one >= 7 else groups[2] for one in values], "plan": np.random.default_rng(1).choice(["A", "B"], 300)})
    p = make(tmp_path, {"export_2026Q1.csv": frame})
    assert kpis(p) == {"recommend": "nps_0_10"} or list(kpis(p).values()) == ["nps_0_10"]
    assert "group" not in items(p)
    assert "plan" in items(p)
    assert (p.scales[p.items[0].scale].low, p.scales[p.items[0].scale].high) == (0, 10)


def test_an_answer_that_goes_with_a_score_but_for_one_row_is_a_question(tmp_path):
    values = score(mood(300), 0, 10, seed=1)
    solved = np.where(values >= 6, "yes", "no")
    solved[0] = "no" if values[0] >= 6 else "yes"
    p = make(tmp_path, {"a_2026Q1.csv": pd.DataFrame({"Recommend us": values, "Solved": solved})})
    assert "solved" in items(p)


def test_a_score_in_a_file_called_nps_is_the_recommendation(tmp_path):
    frame = pd.DataFrame({"responded": pd.date_range("2026-01-02", periods=90).strftime("%Y-%m-%d"), "score": score(mood(90), 2, 10, seed=1)})
    p = make(tmp_path, {"nps_export.csv": frame})
    assert [kpi.definition for kpi in p.kpis] == ["nps_0_10"]


@pytest.mark.parametrize(("high", "definition"), [(4, "top2_of_4"), (6, "top2_of_6")])
def test_scales_of_four_and_six_points_have_a_definition(high, definition, tmp_path):
    level = mood(200)
    frame = pd.DataFrame({"Overall satisfaction": score(level, 1, high, seed=1), **{f"Q{k} {name}": score(level, 1, high, seed=k) for k, name in enumerate(["Price", "Staff", "Speed"], start=2)}})
    assert kpis(make(tmp_path, {"a_2026Q1.csv": frame})) == {"satisfaction": definition}


# ------------------------------------------------------------------------------------------------------------------ which end is the good one


def test_ratings_that_go_against_the_recommendation_are_turned_and_said(tmp_path):
    """Marks of 1 (best) to 5 stood beside an NPS as if five were good: the drivers' signs were the wrong way round."""
    level = mood(300)
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(300)], "Recommend us": score(level, 0, 10, seed=1), **{name: score(-level, 1, 5, seed=k) for k, name in enumerate(["Overall rating", "Advice", "Price", "Branch"], start=2)}})
    told = []
    p = make(tmp_path, {"bank_2026Q1.csv": frame}, told=told)
    found = items(p)
    assert {p.direction(found[name]) for name in ("advice", "price", "branch")} == {"low_is_good"}
    overall = load.check(p)["responses"]["satisfaction"]
    assert np.corrcoef(overall, frame["Recommend us"])[0, 1] > 0.3
    assert any("low scores go with good ones" in line and "Advice" in line for line in told)
    assert next(kpi.label for kpi in p.kpis if kpi.item == "satisfaction").endswith("(4-5 of 5, turned: high is good)")


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        ("Wie zufrieden sind Sie insgesamt? (1 = sehr zufrieden, 5 = sehr unzufrieden)", True),
        ("Zufriedenheit insgesamt, von 1 (sehr unzufrieden) bis 5 (sehr zufrieden)", False),
        ("Overall satisfaction on a scale of 1 to 5, where 1 is very satisfied and 5 is very dissatisfied", True),
        ("Satisfaction générale : 1 (très satisfait) à 5 (pas du tout satisfait)", True),
        ("Satisfacción general (muy satisfecho = 1; muy insatisfecho = 5)", True),
        ("Overall satisfaction 1-5", False),
    ],
)
def test_a_question_that_says_what_its_ends_mean_is_believed(said, turned, tmp_path):
    """'1 = very satisfied' stood in the column's name, and the page called nine in a hundred satisfied where three in four were."""
    draws = np.random.default_rng(1).choice([1, 2, 3, 4, 5], 300, p=[0.4, 0.35, 0.15, 0.07, 0.03])
    p = make(tmp_path, {"umfrage_2026Q1.csv": pd.DataFrame({"id": [f"r{k}" for k in range(300)], said: draws if turned else 6 - draws, "Gender": np.where(draws > 2, "m", "f")})})
    (kpi,) = p.kpis
    assert kpi.definition == "csat_top2_of_5"
    satisfied = load.check(p)["responses"][kpi.item] >= 4
    assert satisfied.mean() == (draws <= 2).mean()


@pytest.mark.parametrize(
    ("said", "high", "definition", "best"),
    [
        ("How much effort did you have to make? (1 = very low effort, 5 = very high effort)", 5, "ces_1", 1),
        ("How much effort did you have to make?", 7, "top3_of_7", 7),
        ("How easy was it to get help? (1 = very easy, 5 = very difficult)", 5, "ease_top2_of_5", 5),
        ("The company made it easy to handle my issue (1 = strongly disagree, 7 = strongly agree)", 7, "ces_2", 7),
    ],
)
def test_little_effort_is_the_good_end(said, high, definition, best, tmp_path):
    """An effort of 1 to 7 was counted as ease: the more trouble, the better the figure. `best` is the score that those who had no trouble have after loading."""
    ease = np.random.default_rng(2).integers(1, high + 1, 300)
    given = ease if "agree" in said else high + 1 - ease
    p = make(tmp_path, {"a_2026Q1.csv": pd.DataFrame({"id": [f"r{k}" for k in range(300)], said: given, "Gender": np.where(ease > 2, "m", "f")})})
    (kpi,) = p.kpis
    assert kpi.definition == definition
    assert set(load.check(p)["responses"][kpi.item][ease == high]) == {best}
    assert kpi.label.startswith("Effort") == (definition == "ces_1")


def test_a_key_figure_of_high_scores_is_refused_where_the_low_ones_are_good(tmp_path):
    p = make(tmp_path, {"a_2026Q1.csv": pd.DataFrame({"id": [f"r{k}" for k in range(60)], "Overall satisfaction": [1 + k % 5 for k in range(60)]})})
    path = p.folder / "programme.toml"
    path.write_text(path.read_text("utf-8").replace("high = 5\n", 'high = 5\ndirection = "low_is_good"\n'), "utf-8")
    with pytest.raises(DataError, match=r"counts high scores as the good ones .csat_top2_of_5., and of 'satisfaction' the low ones are: .*labels = .1 = \"5\", 2 = \"4\""):
        programmes.read(p.folder)


def test_ratings_that_go_with_the_recommendation_and_stated_importance_stay_as_they_are(tmp_path):
    level = mood(300)
    frame = pd.DataFrame({"Recommend us": score(level, 0, 10, seed=1), **{name: score(level, 1, 5, seed=k) for k, name in enumerate(["Advice", "Price", "Branch"], start=2)}, "Importance of price": score(-level, 1, 5, seed=9)})
    p = make(tmp_path, {"bank_2026Q1.csv": frame})
    assert {p.direction(item) for item in p.items if item.kind == "rating"} == {"high_is_good"}


def test_a_school_grade_says_by_its_name_that_one_is_the_best(tmp_path):
    level = mood(200)
    frame = pd.DataFrame({"Gesamtzufriedenheit (Schulnote)": score(-level, 1, 6, seed=1), "Note Beratung": score(-level, 1, 6, seed=2), "Note Filiale": score(-level, 1, 6, seed=3)})
    p = make(tmp_path, {"umfrage_2026Q1.csv": frame})
    assert {p.direction(items(p)[name]) for name in ("note_beratung", "note_filiale")} == {"low_is_good"}
    assert p.scales[items(p)["satisfaction"].scale].labels["1"] == "6"
    assert [kpi.label for kpi in p.kpis] == ["Gesamtzufriedenheit (Schulnote) (turned: high is good)"]
    fitted = pd.DataFrame([{"survey": p.surveys[0].id, "kpi": p.kpis[0].id, "item": "satisfaction", "quarter": "2026Q1", "n": 200, "rows": 200}])
    assert "Note Beratung and Note Filiale: on this page they are turned, so that more is better everywhere, and an answer of 1 counts as 6" in claims.drivers.asked(fitted, p, "2026Q1")[-1]


# ------------------------------------------------------------------------------------------------------------------------- other writings


def test_wide_digits_of_a_japanese_export_are_scores_and_its_questions_are_understood(tmp_path):
    level, wide = mood(200), str.maketrans("0123456789", "０１２３４５６７８９")
    spelt = lambda values: [str(one).translate(wide) if place % 2 else str(one) for place, one in enumerate(values)]
    frame = pd.DataFrame({"回答ID": [f"R{i:05d}" for i in range(200)], "回答日時": [f"2026年5月{1 + i % 28}日" for i in range(200)], "総合満足度": spelt(score(level, 1, 5, seed=1)), "清潔さ": spelt(score(level, 1, 5, seed=2)), "朝食": spelt(score(level, 1, 5, seed=3)),
                          "友人に薦める可能性（0～10）": spelt(score(level, 0, 10, seed=4)), "ご意見・ご感想": [f"部屋が少し寒かったです。調整が難しい{i}" if i % 3 else "" for i in range(200)]})  # fmt: skip
    p = make(tmp_path, {"アンケート.csv": frame})
    assert kpis(p) == {"satisfaction": "csat_top2_of_5", "recommend": "nps_0_10"}
    assert (p.waves[0].date_format, p.waves[0].quarter) == ("%Y年%m月%d日", "2026Q2")
    assert [item.kind for item in p.items].count("verbatim") == 1
    tables = load.check(p)
    assert (len(tables["responses"]), len(tables["repairs"])) == (200, 0)


@pytest.mark.parametrize("column", ["Consiglierebbe la nostra azienda?", "Hoe waarschijnlijk is het dat u ons aanbeveelt?", "Vill du rekommendera oss?", "¿Nos recomendaría?", "您会推荐我们吗"])
def test_a_recommendation_is_understood_in_more_languages(column, tmp_path):
    p = make(tmp_path, {"a_2026Q1.csv": pd.DataFrame({column: score(mood(120), 0, 10, seed=1)})})
    assert [kpi.definition for kpi in p.kpis] == ["nps_0_10"]


def test_two_codes_are_kinds_and_no_amount(tmp_path):
    p = make(tmp_path, {"a_2026Q1.csv": answers(80).assign(Q9=np.arange(80) % 2 + 1)})
    assert items(p)["q9"].kind == "nominal"


def test_a_few_different_comments_of_a_small_survey_are_comments(tmp_path):
    frame = answers(40).assign(Remarks=[f"The waiting time at branch {i} was far too long" if i < 20 else "" for i in range(40)])
    assert items(make(tmp_path, {"a_2026Q1.csv": frame}))["remarks"].kind == "verbatim"


@pytest.mark.parametrize(("cell", "words"), [("very good", 2), ("部屋が少し寒かったです", 5), ("", 0)])
def test_words_are_counted_where_no_blanks_stand_between_them(cell, words):
    assert abs(codebook.typed(cell) - words) <= 2


# ------------------------------------------------------------------------------------------------------------------------------- customers


def test_a_loyalty_card_is_the_customers_key_in_every_file_that_names_it(tmp_path):
    """Members were not read at all, and receipts and answers lost their customer."""
    rng = np.random.default_rng(1)
    cards = [f"{9_800_000_000 + int(one)}" for one in rng.choice(10**6, 300, replace=False)]
    members = pd.DataFrame({"Card No": cards, "Tier": rng.choice(["Blue", "Gold"], 300), "Home Store": rng.choice(["0012", "0047"], 300)})
    receipts = pd.DataFrame({"Receipt": [f"T{i // 2}" for i in range(900)], "Date": [f"{1 + i % 12:02d}/{1 + i % 28:02d}/25" for i in range(900)], "Loyalty Card": rng.choice(cards, 900), "Net Amount": np.round(rng.gamma(2, 9, 900), 2)})
    visits = pd.DataFrame({"Timestamp": [f"{10 + i % 3}/{1 + i % 28:02d}/2025 10:00:00" for i in range(200)], "Your loyalty card number": rng.choice(cards, 200), "How satisfied were you?": score(mood(200), 1, 5, seed=1)})
    p = make(tmp_path, {"members.csv": members, "receipts.csv": receipts, "visits.csv": visits})
    keys = {source.table: source.columns.get("person_id") for source in p.sources}
    assert keys == {"people": "Card No", "orders": "Loyalty Card"}
    assert p.waves[0].columns["person_id"] == "Your loyalty card number"


def test_the_number_of_a_payment_card_is_no_key(tmp_path):
    def luhn(body: str) -> str:
        total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(body)))
        return body + str(-total % 10)

    rng = np.random.default_rng(1)
    frame = answers(100).assign(**{"Card number": [luhn(f"4{rng.integers(10**13, 10**14)}") for _ in range(100)]})
    p = make(tmp_path, {"a_2026Q1.csv": frame})
    assert "Card number" not in p.waves[0].columns.values()


def test_the_name_of_an_account_is_its_key(tmp_path):
    frame = answers(120).assign(account=[f"Globex {i % 50} GmbH" for i in range(120)])
    assert make(tmp_path, {"a_2026Q1.csv": frame}).waves[0].columns["account_id"] == "account"


# ----------------------------------------------------------------------------------------------------------------------------- what is said


def test_a_file_in_which_nothing_is_asked_is_marked_and_says_what_it_lacks_to_be_a_table(tmp_path):
    frame = pd.DataFrame({"date": pd.date_range("2026-01-01", periods=200).strftime("%Y-%m-%d"), "location": [f"city {i % 40}" for i in range(200)], "Y": np.arange(200) * 3 + 100})
    told = []
    make(tmp_path, {"sales.csv": frame}, told=told)
    assert any("NOT SURE: nothing in it is asked or judged" in line for line in told)


def test_a_doubt_that_all_waves_share_is_told_once(tmp_path):
    frame = answers(160).assign(Year=[str(2010 + i % 8) for i in range(160)])
    told = []
    make(tmp_path, {"yearly.csv": frame}, told=told)
    assert sum("days of fieldwork are not known" in line for line in told) == 1


@pytest.mark.parametrize(("name", "quarter"), [("Pulse Q3 2025.csv", "2025Q3"), ("2. Quartal 2026.csv", "2026Q2"), ("enquete 2026 T1.csv", "2026Q1"), ("nps_2025-Q4.csv", "2025Q4")])
def test_the_quarter_in_a_files_name_is_found_however_it_is_written(name, quarter, tmp_path):
    assert make(tmp_path, {name: answers(40)}).waves[0].quarter == quarter


@pytest.mark.parametrize(
    ("name", "survey", "label"),
    [
        ("Kunden_2.Hj_2025.csv", "kunden_2_hj", "Kunden 2.Hj"),
        ("Store Visit Survey (Responses) - Form Responses 1.csv", "store_visit_survey", "Store Visit Survey"),
        ("a survey of all the people who ever came to one of our many shops.csv", "a_survey_of_all_the_people_who_ever_came", "A survey of all the people who ever came to one of our many"),
        ("アンケート.csv", "survey", "アンケート"),
    ],
)
def test_a_survey_is_called_by_its_files_name_and_by_no_word_cut_short(name, survey, label, tmp_path):
    """'Store visit survey responses form respon' stood on every page."""
    found = make(tmp_path, {name: answers(40)}).surveys[0]
    assert (found.id, found.label) == (survey, label)


def test_a_key_figure_is_called_by_a_name_and_not_by_its_question(tmp_path):
    """'Checkout speed goes with How satisfied were you with your visit today?' was a sentence of the first page."""
    level = mood(150)
    frame = pd.DataFrame({name: score(level, 1, 5, seed=place) for place, name in enumerate(["How satisfied were you with your visit today?", "Cleanliness", "Speed", "How likely are you to shop with us again?"])})
    assert [kpi.label for kpi in make(tmp_path, {"a_2026Q1.csv": frame}).kpis] == ["Satisfaction (4-5 of 5)", "Would come back (4-5 of 5)"]


def test_an_answer_is_dated_by_when_it_came_and_not_by_when_it_was_asked_for(tmp_path):
    frame = answers(90).assign(survey_sent_at=pd.date_range("2025-12-20", periods=90).strftime("%Y-%m-%dT%H:%M:%SZ"), responded_at=pd.date_range("2026-01-02", periods=90).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert make(tmp_path, {"nps.csv": frame}).waves[0].columns["answered_on"] == "responded_at"


def test_comments_of_which_none_names_a_topic_end_in_no_association_and_in_no_failure(tmp_path):
    """Japanese comments, for which the codeframe has no phrases, stopped the whole report."""
    from cxlib.measure import metrics
    from cxlib.text import codeframe, comments, links

    p = make(tmp_path, {"a_2026Q1.csv": answers(80).assign(Kommentar=[f"部屋が少し寒かったです。調整が難しい{i}" for i in range(80)])})
    tables = load.tables(p, "2026Q1", out=tmp_path / "reports")
    topics = codeframe.read(codeframe.STARTER)
    mentions = comments.code(tables, topics)
    assert len(mentions) == 0
    assert len(links.associations(mentions, tables, p.kpis[0], topics, what=metrics.definition_of(p.kpis[0].definition))) == 0


def test_a_question_may_be_called_item(tmp_path):
    """Its scores came out of the store as words, and the drivers stopped at them."""
    p = make(tmp_path, {"a_2026Q1.csv": answers(80).rename(columns={"Q3 Price": "item"})})
    assert "item" in items(p)
    assert load.tables(p, "2026Q1", out=tmp_path / "reports")["responses"]["item"].dtype == float


def test_a_text_that_lies_beside_the_exports_is_left_out_and_said_and_a_broken_table_is_refused(tmp_path):
    """`cx init FOLDER/*` stopped at the field guide: 'row 2 has 2 cells where the header has 3; mend the row'."""
    told = []
    guide = "Field guide, 2026, for analysts\n\nThe score runs from 0\nto 10, as asked.\nSee also, page 2\n"
    make(tmp_path, {"a_2026Q1.csv": answers(40), "guide.txt": guide, "notes.pdf": b"%PDF-1.4 nothing"}, told=told)
    assert sorted(path.name for path in (tmp_path / "acme" / "raw").iterdir()) == ["a_2026Q1.csv"]
    assert sum("left out: it is no table" in line for line in told) == 2
    with pytest.raises(DataError, match=r"b.csv: row 3 "):
        make(tmp_path, {"a_2026Q1.csv": answers(40), "b.csv": "id,a,b\n1,2,3\n1,2\n"}, name="again")
    with pytest.raises(DataError, match=r"guide.txt"):
        make(tmp_path, {"guide.txt": guide}, name="alone")


def test_answers_without_any_question_are_said_to_hold_none(tmp_path):
    told = []
    frame = pd.DataFrame({"ResponseId": [f"R_{i:09d}" for i in range(60)], "EndDate": [f"2026-02-{1 + i % 28:02d} 10:00:00" for i in range(60)], "Finished": "True", "IPAddress": [f"10.0.0.{i}" for i in range(60)], "Overall": ""})
    rows = frame.to_csv(index=False).splitlines()
    head = [rows[0], rows[0], ",".join(f'"{{""ImportId"":""{name}""}}"' for name in frame.columns)]
    make(tmp_path, {"q.csv": "\n".join([*head, *rows[1:]]) + "\n"}, told=told)
    assert any("no question was found in the answers" in line for line in told)


@pytest.mark.parametrize(("column", "currency", "said"), [("Amount ($)", "USD", "its sign stands in 'Amount ($)' of orders.csv"), ("Betrag in €", "EUR", "its sign stands"), ("Amount £", "GBP", "its sign"), ("Valor R$", "BRL", "its sign"), ("Amount", "EUR", "nothing in the files says it")])
def test_the_currency_is_that_of_the_sign_and_is_asked_for_where_there_is_none(column, currency, said, tmp_path):
    """Dollars were shown as euros, and the one remark on it stood in a comment of the programme."""
    told = []
    frame = pd.DataFrame({"order id": [f"o{i}" for i in range(80)], "customer id": [f"c{i % 40:05d}" for i in range(80)], "order date": [f"2026-01-{1 + i % 28:02d}" for i in range(80)], column: [f"{10 + i * 0.37:.2f}" for i in range(80)]})
    p = make(tmp_path, {"orders.csv": frame, "a_2026Q1.csv": answers(40)}, told=told)
    assert p.currency == currency
    assert any(line.strip().startswith(f"currency {currency}: {said}") for line in told)


def test_cells_of_one_fault_are_told_in_one_line_with_their_rows(tmp_path):
    """Twenty lines of '1970-01-01' hid the other fault of the file."""
    from cxlib import checks

    frame = answers(240).assign(date=["1970-01-01" if i % 20 == 0 else f"2026-{1 + i % 6:02d}-{1 + i % 28:02d}" for i in range(240)])
    frame["Overall satisfaction"] = frame["Overall satisfaction"].astype(object)
    frame.loc[5, "Overall satisfaction"] = "ten"
    make(tmp_path, {"a.csv": frame})
    said = []
    checks.programme(str(tmp_path / "acme"), raw=None, say=said.append)
    assert sum("1970-01-01" in line for line in said) == 1
    assert any("rows 2, 22, 42 and 9 more, column 'date'" in line for line in said)
    assert any("row 7, column 'Overall satisfaction': 'ten'" in line for line in said)


@pytest.mark.parametrize(("slip", "column"), [("ten", "Overall satisfaction"), ("7.5", "Overall satisfaction"), ("55", "Overall satisfaction"), ("n/s", "Q3 Price")])
def test_a_slip_in_one_cell_does_not_take_a_rating_from_its_scale(slip, column, tmp_path):
    """One 'ten' among 240 scores made the overall satisfaction a list of kinds, and the key figure was gone without a word."""
    frame = answers(240).astype({column: object})
    frame.loc[[5, 9], column] = slip
    told = []
    p = make(tmp_path, {"a_2026Q1.csv": frame}, told=told)
    assert kpis(p) == {"recommend": "nps_0_10", "satisfaction": "csat_top2_of_5"}
    assert len(p.drivers[0].items) >= 3
    assert any(repr(slip) in line and "repair list" in line for line in told)
    tables = load.check(p)
    assert set(tables["repairs"]["row"]) == {7, 11}


def test_a_slip_among_answers_in_words_is_set_aside_and_kinds_stay_kinds():
    labels = {"Very satisfied": 90, "Satisfied": 80, "Neither": 30, "Dissatisfied": 20, "Very dissatisfied": 10}
    assert (found := scales.guess(labels | {"see above": 1}, labels={}, missing={})).kind == "rating"
    assert "see above" not in found.labels
    assert scales.guess(labels | {"see above": 40}, labels={}, missing={}) is None
    assert scales.guess({"North": 80, "South": 90, "good": 1}, labels={}, missing={}) is None


def test_a_questionnaire_of_a_hundred_columns_is_checked_without_warnings(cx, tmp_path):
    """Eight warnings of a library about its frames stood above the first line of `cx check`."""
    frame = pd.concat([answers(60), pd.DataFrame(np.random.default_rng(1).integers(1, 6, (60, 120)), columns=[f"X{k} attribute" for k in range(120)])], axis=1)
    make(tmp_path, {"a_2026Q1.csv": frame})
    code, _, errors = cx("check", tmp_path / "acme")
    assert (code, errors) == (0, "")


# --------------------------------------------------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize(("form", "continental"), [("${:,.2f}", False), ("{:,.2f} €", True), ("£{:.2f}", False), ("{:,.0f} kr", True)])
def test_amounts_with_their_sign_are_drafted_and_read_as_people_write_them(form, continental, tmp_path):
    """'$1,234.50' was a name or an id, so that spend was left out of every survey and orders were no orders."""
    worth = np.round(np.random.default_rng(4).gamma(2, 900, 120) + 1, 0 if ".0f" in form else 2)
    written = [form.format(one).translate(str.maketrans(",.", ".,") if continental else {}) for one in worth]
    written[5] = "n/a"
    p = make(tmp_path, {"survey_2026Q1.csv": answers(120).assign(Spend=written), "orders.csv": pd.DataFrame({"order_id": [f"o{i}" for i in range(120)], "customer_id": [f"c{i % 40}" for i in range(120)], "order_date": "2026-02-03", "total": written})})
    assert p.currency == {"$": "USD", "€": "EUR", "£": "GBP", "r": "SEK"}[next(one for one in "$€£r" if one in form)]
    assert items(p)["spend"].kind == "number"
    tables = load.check(p)
    assert tables["responses"]["spend"].sum() == pytest.approx(worth.sum() - worth[5])
    assert tables["orders"]["amount"].sum() == pytest.approx(worth.sum() - worth[5])
    assert len(tables["responses"]) == 120


def test_sheets_of_a_workbook_that_name_each_other_are_joined(tmp_path):
    """A join said the workbook and not the sheet, so that it would have read the first; sheets were not joined at all."""
    frames = {"Reviews": answers(80).assign(**{"booking no": [f"B{i:04d}" for i in range(80)]}), "Bookings": pd.DataFrame({"booking no": [f"B{i:04d}" for i in range(90)], "guest id": [f"G{i % 45:03d}" for i in range(90)], "room": ["single", "double"] * 45})}
    with xlsxwriter.Workbook(tmp_path / "stay_2026Q1.xlsx") as book:
        for name, frame in frames.items():
            sheet = book.add_worksheet(name)
            sheet.write(0, 0, f"{name} as exported")
            for place, row in enumerate([list(frame.columns), *frame.to_numpy().tolist()], start=2):
                sheet.write_row(place, 0, row)
    draft.make([tmp_path / "stay_2026Q1.xlsx"], tmp_path / "acme", name="", overwrite=False, say=lambda _: None)
    p = programmes.read(tmp_path / "acme")
    assert [(join.file, join.sheet, join.on, join.header_row) for join in p.waves[0].joins] == [("stay_2026Q1.xlsx", "Bookings", "booking no", 3)]
    text = (tmp_path / "acme" / "programme.toml").read_text("utf-8").replace('uses = ["aggregate"]', 'uses = ["aggregate", "link"]')
    (tmp_path / "acme" / "programme.toml").write_text(text, "utf-8")
    assert load.check(programmes.read(tmp_path / "acme"))["responses"]["person_id"].nunique() == 45


@pytest.mark.parametrize(
    ("written", "expected"),
    [(["Die Wartezeit am Telefon war viel zu lang und niemand konnte helfen {}", "Der Empfang hier draussen ist leider oft weg {}"], ["de"]), (["El personal fue muy amable y la habitación estaba limpia {}"] * 3 + ["The breakfast was cold and the waiter did not come back {}"], ["es", "en"]), (["ok {}"], ["en"])],
)
def test_the_languages_of_the_comments_are_guessed_from_them_and_said(written, expected, tmp_path):
    """`languages` was English whatever people wrote."""
    from cxlib.text.languages import chances

    told = []
    comments = [written[place % len(written)].format(place) for place in range(80)]
    p = make(tmp_path, {"s_2026Q1.csv": answers(80).assign(comment=comments)}, told=told, chances=chances)
    assert list(p.languages) == expected
    assert any(line.strip().startswith(f"languages {', '.join(expected)}: guessed from") for line in told) == (written[0] != "ok {}")


def addressed(n: int, *, column: str = "E-Mail") -> pd.DataFrame:
    return pd.DataFrame({column: [f"{'Guest' if k % 3 else 'guest'}{k % 70}@mail.example" for k in range(n)]})


def linked(folder):
    text = (folder / "programme.toml").read_text("utf-8").replace('uses = ["aggregate"]', 'uses = ["aggregate", "link"]')
    (folder / "programme.toml").write_text(text, "utf-8")
    return load.check(programmes.read(folder))


def test_an_address_that_several_files_share_is_offered_as_the_key_and_said(tmp_path):
    """A survey with an e-mail address and a shop's orders with the same had nothing that joined them."""
    told = []
    orders = addressed(140, column="customer email").assign(order_no=[f"#{1000 + k}" for k in range(140)], order_date="2026-01-15", total=[5.5 + k for k in range(140)])
    p = make(tmp_path, {"pulse_2026Q1.csv": pd.concat([answers(70), addressed(70)], axis=1), "orders.csv": orders, "mailing.csv": pd.DataFrame({"mail": [f"x{k}@other.example" for k in range(60)], "sent": "2026-01-01", "campaign": "c"})}, told=told)
    assert (p.waves[0].columns["person_id"], p.sources[0].columns["person_id"]) == ("E-Mail", "customer email")
    assert any("'E-Mail': person_id, because: an e-mail address that orders.csv holds" in line and "hashed on load" in line for line in told)
    tables = linked(p.folder)
    assert set(tables["responses"]["person_id"]) == set(tables["orders"]["person_id"])
    assert not any("@" in str(cell) for cell in tables["responses"]["person_id"])


def test_an_address_beside_the_customers_key_matches_rows_without_it(tmp_path):
    told = []
    people = addressed(70, column="Mailadresse").assign(**{"customer id": [f"K{k:03d}" for k in range(70)], "joined": "2020-01-01", "region": ["north", "south"] * 35})
    p = make(tmp_path, {"pulse_2026Q1.csv": pd.concat([answers(70), addressed(70)], axis=1), "customers.csv": people}, told=told)
    assert p.waves[0].identify == {"email": "E-Mail"}
    assert p.sources[0].identify == {"email": "Mailadresse"}
    assert "person_id" not in p.waves[0].columns
    assert linked(p.folder)["responses"]["person_id"].nunique() == 70
    before = (p.folder / "programme.toml").read_bytes()
    draft.make([], p.folder, name="", overwrite=True, say=lambda _: None)
    assert b'identify = {email = "E-Mail"}' in before
    assert (p.folder / "programme.toml").read_bytes() == before.replace(b'"aggregate", "link"', b'"aggregate"')


# ------------------------------------------------------------------------------------------------------------- figures without the answers


def bench() -> pd.DataFrame:
    rows = [(brand, f"Q{quarter} 2025", 400 + 10 * quarter, f"{60.5 + 2 * quarter:.1f}%", 20.5 + quarter, 3.9) for brand in ("Aurora", "Bolt") for quarter in (1, 2, 3, 4)]
    return pd.DataFrame(rows, columns=["Brand", "Quarter", "n", "Satisfied (top 2)", "NPS", "Mean satisfaction"])


def test_published_figures_are_named_and_tracked_and_no_survey(tmp_path):
    """A row a brand and quarter was drafted as a survey with twelve respondents ('NOT SURE')."""
    told = []
    p = make(tmp_path, {"bench.csv": bench(), "pulse_2025Q4.csv": answers(60)}, told=told)
    assert [wave.file for wave in p.waves] == ["pulse_2025Q4.csv"]
    assert any("bench.csv: 8 rows; published figures (a row for each Brand and Quarter), no answers" in line for line in told)
    found = published.read(p)
    assert found.groupby("unit")["series"].nunique().to_dict() == {"points": 2, "scale": 2, "share": 2}
    one = found[found["series"] == "Satisfied (top 2): Bolt"]
    assert one["estimate"].round(3).tolist() == [0.625, 0.645, 0.665, 0.685]
    assert one["day"].astype(str).tolist() == ["2025-03-31", "2025-06-30", "2025-09-30", "2025-12-31"]
    assert one["n"].tolist() == [410, 420, 430, 440]
    before = (p.folder / "programme.toml").read_bytes()
    draft.make([], p.folder, name="", overwrite=False, say=lambda _: None)
    assert (p.folder / "programme.toml").read_bytes() == before


def test_published_figures_alone_make_a_programme_that_can_be_reported(tmp_path, cx):
    told = []
    p = make(tmp_path, {"bench.csv": bench()}, told=told)
    assert (p.waves, p.quarters()) == ((), ["2025Q4"])
    assert "cx report" in told[-1]
    code, out, errors = cx("check", p.folder)
    assert (code, errors) == (0, "")
    assert "24 published figures of 6 series, 2025-03-31 to 2025-12-31" in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: pd.concat([frame.assign(Country="AT"), frame.assign(Country="DE")]), "a series has one name; put Brand and Country into one column"),
        (lambda frame: frame.drop(columns="Quarter").iloc[[0, 4]], "nothing dates them"),
        (lambda frame: frame[["Brand", "Quarter", "n"]].assign(Promoters=[410, 390, 377, 512] * 2, Detractors=[101, 99, 120, 87] * 2), "with counts"),
    ],
)
def test_published_figures_that_cannot_be_wired_are_left_out_with_the_reason(change, said, tmp_path):
    told = []
    p = make(tmp_path, {"bench.csv": change(bench()), "pulse_2025Q4.csv": answers(60)}, told=told)
    assert (len(p.waves), len(p.published)) == (1, 0)
    assert any("published figures" in line and said in line for line in told)


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [("2026-09-30", "2026-09-30", "2026-09-30"), ("2026Q3", "2026-07-01", "2026-09-30"), ("Q3 2026", "2026-07-01", "2026-09-30"), ("2026", "2026-01-01", "2026-12-31"), ("H2 2026", "2026-07-01", "2026-12-31"), ("02/2028", "2028-02-01", "2028-02-29"),
     ("2026-12", "2026-12-01", "2026-12-31"), ("Sept 2026", "2026-09-01", "2026-09-30"), ("2026-02-30", None, None), ("2026Q5", None, None), ("H3 2026", None, None), ("13/2026", None, None), ("soon", None, None), ("31", None, None)],
)  # fmt: skip
def test_a_period_stands_for_its_days(cell, first, last):
    found = published.period(cell)
    assert (None if found is None else tuple(map(str, found))) == (None if first is None else (first, last))


# ------------------------------------------------------------------------------------- a hotel, a software firm, an insurer and a shop


def test_spanish_ids_with_their_zeros_are_ids_and_lead_to_the_guest(tmp_path):
    """'Nº encuesta' and 'Nº reserva' were numbers to be averaged, so that rows sent twice counted twice and nothing led to a guest."""
    level = mood(130)
    survey = pd.DataFrame({"Nº encuesta": [f"{k:06d}" for k in range(130)], "Nº reserva": [f"00{34000 + k}" for k in range(130)], "Satisfacción general": score(level, 1, 5, seed=1), "Limpieza": score(level, 1, 5, seed=2), "Desayuno": score(level, 1, 5, seed=3)}).astype(str)
    stays = pd.DataFrame({"Nº reserva": [f"00{34000 + k}" for k in range(150)], "Cliente": [f"C{k % 60:05d}" for k in range(150)], "Fecha": "2026-02-03", "Importe": "1.234,50 €"})
    p = make(tmp_path, {"encuesta_2026Q1.csv": pd.concat([survey, survey.iloc[:2]]), "reservas.csv": stays})
    assert (p.column(p.waves[0], "response_id"), [join.on for join in p.waves[0].joins]) == ("Nº encuesta", ["Nº reserva"])
    assert (p.sources[0].table, p.sources[0].columns["person_id"], p.sources[0].columns["order_id"]) == ("orders", "Cliente", "Nº reserva")
    tables = linked(p.folder)
    assert (len(tables["responses"]), int(tables["files"]["duplicates"].sum())) == (130, 2)
    assert set(tables["responses"]["person_id"]) <= set(tables["orders"]["person_id"])
    assert tables["orders"]["amount"].unique().tolist() == [1234.5]


def test_reviews_with_their_stars_spelt_out_are_read_and_the_firms_replies_are_not(tmp_path):
    stars = ["ONE", "TWO", "THREE", "FOUR", "FIVE"]
    frame = pd.DataFrame({"Review ID": [f"AbF{k}" for k in range(120)], "Reviewer": [f"User {k}" for k in range(120)], "Star rating": [stars[(k * k) % 5] for k in range(120)], "Comment": [f"The parcel came late and was {k} times damaged 😡\nnever again" for k in range(120)],
                          "Create time": [f"2026-0{1 + k % 3}-11T10:00:00Z" for k in range(120)], "Reply": [f"Dear guest {k}, thank you for your kind review of our shop!" for k in range(120)]})  # fmt: skip
    p = make(tmp_path, {"google_reviews.csv": frame})
    assert [(kpi.definition, p.column(p.waves[0], kpi.item)) for kpi in p.kpis] == [("csat_top2_of_5", "Star rating")]
    assert [p.column(p.waves[0], item.id) for item in p.items if item.kind == "verbatim"] == ["Comment"]
    assert load.check(p)["responses"]["satisfaction"].tolist() == [1 + (k * k) % 5 for k in range(120)]


@pytest.mark.parametrize(("yes", "no"), [("ja", "nein"), ("WAHR", "FALSCH"), ("Sí", "No"), ("oui", "non"), ("はい", "いいえ"), ("TRUE", "FALSE")])
def test_yes_and_no_of_other_languages_settle_a_matter(yes, no, tmp_path):
    frame = pd.DataFrame({"ticket id": [f"T-{k}" for k in range(60)], "customer id": [f"K{k}" for k in range(60)], "created": "2026-02-03 10:00:00", "resolved": [yes, yes, no] * 20, "category": "bill"})
    p = make(tmp_path, {"tickets.csv": frame, "pulse_2026Q1.csv": answers(40)})
    assert load.check(p)["interactions"]["resolved"].mean() == pytest.approx(2 / 3)


def test_ids_that_a_spreadsheet_has_rounded_are_said_and_make_no_two_customers_one(tmp_path):
    frame = answers(90).assign(**{"customer no": [f"1,23457E+11" if k % 10 == 0 else str(123456700000 + k) for k in range(90)]})  # noqa: F541
    told = []
    p = make(tmp_path, {"pulse_2026Q1.csv": frame}, told=told)
    assert any("'customer no' holds ids that a spreadsheet has rounded ('1,23457E+11' and the like in 9 rows)" in line for line in told)
    assert len(load.check(p)["responses"]) == 90  # nobody is linked yet
    tables = linked(p.folder)
    assert tables["responses"]["person_id"].nunique() == len(tables["responses"]) == 81
    assert set(tables["repairs"]["rule"]) == {"an id that a spreadsheet has rounded"}


def test_a_rating_that_was_asked_on_another_scale_halfway_is_refused_and_not_dropped(tmp_path):
    """Codes 1 to 10 among ratings of 1 to 5 were taken for kinds and left out without a word about the scale."""
    level = mood(400)
    half = np.arange(400) >= 200
    frame = pd.DataFrame({"id": [f"r{k}" for k in range(400)], "date": np.where(half, "2026-05-03", "2026-02-03"), "Overall satisfaction": score(level, 1, 5, seed=1), "Clean": np.where(half, score(level, 1, 10, seed=2), score(level, 1, 5, seed=2)), "Staff": score(level, 1, 5, seed=3), "Price": score(level, 1, 5, seed=4)})
    frame["date"] = [f"2026-{'0456'[1 + k % 3] if late else '0123'[1 + k % 3]:0>2}-03" for k, late in enumerate(half)]
    p = make(tmp_path, {"pulse.csv": frame})
    assert items(p)["clean"].kind == "rating"
    seen = load.check(p)["anomalies"].query("item == 'clean'")
    assert (seen["kind"].tolist(), seen["verdict"].tolist()) == (["mixed_scales"], ["refused"])


def lines() -> pd.DataFrame:
    """Orders as a shop system writes them: the sums stand in the first line of an order only."""
    rows = []
    for k in range(80):
        for line in range(1 + k % 3):
            first = line == 0
            rows.append({"Name": f"#{1001 + k}", "Email": f"buyer{k % 40}@mail.example", "Paid at": "2026-02-03 10:00:00 +0100" if first else "", "Currency": "EUR" if first else "", "Refunded Amount": "0.00" if first else "", "Total": f"{20 + k}.90" if first else "", "Created at": f"2026-02-{1 + k % 28:02d} 10:00:00 +0100", "Lineitem quantity": 1, "Lineitem name": f"cup {line}", "Lineitem price": "9.90"})
    return pd.DataFrame(rows)


def test_further_lines_of_an_order_are_no_orders(tmp_path):
    """Half of the rows had no amount; the file was taken for events, its order numbers for people's names."""
    told = []
    p = make(tmp_path, {"orders_export_1.csv": lines(), "pulse_2026Q1.csv": answers(40)}, told=told)
    assert (p.sources[0].table, p.sources[0].where) == ("orders", {"Total": "*"})
    assert {name: p.sources[0].columns[name] for name in ("order_id", "ordered_on", "amount")} == {"order_id": "Name", "ordered_on": "Created at", "amount": "Total"}
    assert any("79 rows without 'Total' are further lines of the order above them" in line for line in told)
    tables = load.check(p)
    assert (len(tables["orders"]), tables["orders"]["amount"].sum(), len(tables["repairs"])) == (80, pytest.approx(sum(20.9 + k for k in range(80))), 0)
    before = (p.folder / "programme.toml").read_bytes()
    draft.make([], p.folder, name="", overwrite=False, say=lambda _: None)
    assert (p.folder / "programme.toml").read_bytes() == before
    text = before.decode().replace('where = {Total = "*"}', 'where = {Sum = "*"}')
    (p.folder / "programme.toml").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"orders_export_1\.csv: the column 'Sum' that 'where' of this file needs is missing"):
        load.check(programmes.read(p.folder))


@pytest.mark.parametrize("minus", [True, False])
def test_returns_count_only_below_nought(minus, tmp_path):
    """Returns whose amounts carry no minus were sales."""
    frame = pd.DataFrame({"Return ID": [f"R{k}" for k in range(40)], "Order": [f"#{k % 30}" for k in range(40)], "Returned on": "2026-02-03", "Amount": [f"({k}.50)" if minus else f"{k}.50" for k in range(40)]})
    told = []
    p = make(tmp_path, {"returns.csv": frame, "pulse_2026Q1.csv": answers(40)}, told=told)
    assert len(p.sources) == minus
    assert any("not below nought would count as sales" in line for line in told) != minus
    assert not minus or load.check(p)["orders"]["amount"].sum() == -sum(k + 0.5 for k in range(40))


def test_the_firms_number_joins_accounts_and_answers_and_a_total_is_no_account(tmp_path):
    """The firm's name was the account's key, and its number that of a person; the row of totals became an account."""
    firms = "Kundennr.;Firma;Branche;ARR;Vertragsbeginn;Vertragsende;Gekündigt am\n" + "".join(f"{70000 + k};Müller {k} GmbH;Handel;{k}.500,00 €;01.03.2020;31.12.2026;{'15.06.2026' if k == 7 else ''}\n" for k in range(1, 61)) + "Summe;;;91.500,00 €;;;\n"
    survey = answers(120).assign(**{"Kundennr.": [str(70001 + k % 60) for k in range(120)]})
    p = make(tmp_path, {"crm_accounts.csv": firms.encode("cp1252"), "nps_2026Q1.csv": survey})
    assert p.sources[0].columns == {"account_id": "Kundennr.", "segment": "Branche", "since": "Vertragsbeginn", "renews_on": "Vertragsende", "ended_on": "Gekündigt am"}
    tables = linked(p.folder)
    assert set(tables["responses"]["account_id"]) == set(tables["accounts"]["account_id"])
    assert (len(tables["accounts"]), tables["repairs"]["rule"].tolist()) == (60, ["a row of totals, and nobody's own"])


def test_dates_written_in_two_orders_are_said_at_once_and_listed_once(tmp_path, cx):
    days = [(dt.date(2026, 1, 10) + dt.timedelta(days=k)).strftime("%m/%d/%Y" if k % 6 == 0 else "%d.%m.%Y") for k in range(78)]
    told = []
    p = make(tmp_path, {"pulse.csv": answers(78).assign(Datum=days)}, told=told)
    assert any("13 of its dates are written otherwise ('01/10/2026'), and those rows will be set aside" in line for line in told)
    told = [line for line in cx("check", p.folder)[1].splitlines() if "column 'Datum'" in line]
    assert len(told) == 1
    assert "and 10 more" in told[0]
    assert "(as are 12 other values)" in told[0]


def test_satisfaction_with_one_thing_of_several_is_called_so(tmp_path):
    level = mood(120)
    p = make(tmp_path, {"f_2026Q1.csv": pd.DataFrame({"How satisfied were you with delivery? [1-5]": score(level, 1, 5, seed=1), "How satisfied were you with the product? [1-5]": score(level, 1, 5, seed=2)})})
    assert [kpi.label for kpi in p.kpis] == ["Satisfaction with delivery (4-5 of 5)"]


def test_a_printed_report_with_titles_doubled_names_and_its_header_on_every_page(tmp_path):
    """A name missing and one doubled hid the header under its title: no column had a name, no figure was found."""
    head = "Response ID,Date completed,Overall how would you rate us?,Staff were helpful,Comments,Comments,,Discount\n"
    words = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
    rows = [f"{k},{k % 28 + 1}{['th', 'st', 'nd', 'rd'][k % 28 + 1] if k % 28 < 3 else 'th'} January 2026,{1 + k % 10}/10,{words[k % 5]},It was a lovely visit with number {k},,,{k % 3}0%\n" for k in range(90)]
    told = []
    p = make(tmp_path, {"visits.csv": "\ufeffCustomer feedback Q1 2026,,,,,,,\nExported 02/04/2026,,,,,,,\n" + head + "".join(rows[:50]) + head + "".join(rows[50:]) + "Average,,5.5,,,,,\n"}, told=told)
    assert (p.waves[0].header_row, p.waves[0].date_format, str(p.waves[0].last)) == (3, "%d %B %Y", "2026-01-28")
    assert [(kpi.item, p.scales[items(p)[kpi.item].scale].high) for kpi in p.kpis] == [("satisfaction", 10)]
    assert any("1 row repeats its header (row 54)" in line for line in told)
    tables = load.check(p)
    assert (len(tables["responses"]), tables["responses"]["satisfaction"].mean()) == (90, pytest.approx(5.5))
    assert tables["repairs"].groupby("row")["rule"].first().to_dict() == {54: "the header once more, and no row", 95: tables["repairs"].query("row == 95")["rule"].iloc[0]}


@pytest.mark.parametrize(("labels", "scores"), [(["不満", "やや不満", "どちらともいえない", "やや満足", "満足"], [1, 2, 3, 4, 5]), (["非常不满意", "不满意", "一般", "满意", "非常满意"], [1, 2, 3, 4, 5]), (["全くそう思わない", "そう思わない", "どちらともいえない", "そう思う", "とてもそう思う"], [1, 2, 3, 4, 5]), (["和室", "洋室", "離れ"], None)])
def test_judgements_in_japanese_and_chinese_words_are_scores(labels, scores):
    found = scales.guess(dict.fromkeys(labels, 30), labels={}, missing={})
    assert (None if found is None else [int(found.labels[label]) for label in labels]) == scores


@pytest.mark.parametrize(("cells", "high"), [(["7/10", "9/10", "10/10", "3/10"], 10), (["4 out of 5", "2 out of 5", "3 out of 5"], 5), (["3 sur 5", "4 sur 5", "5 sur 5"], 5), (["1/2", "2/2"], None), (["3/10", "4/5"], None)])
def test_a_score_that_says_of_how_many_is_on_that_scale(cells, high):
    found = scales.guess(dict.fromkeys(cells, 30), labels={}, missing={})
    assert (found.high if found else None) == high
    assert high is None or set(found.labels.values()) == {str(point) for point in range(1, high + 1)}  # a point that nobody chose is there for the next wave
