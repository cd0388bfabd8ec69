"""Crosstabs: letters by hand, bases, nets, marks, small cells, and the files that come out."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from python_calamine import CalamineWorkbook
from scipy import stats
from small import TINY

from cxlib import load
from cxlib.errors import UsageError
from cxlib.measure import crosstabs
from cxlib.programme import read

WAVES = "".join(f'[[waves]]\nid = "{name}"\nsurvey = "poll"\nquarter = "{quarter}"\nfirst = {day}-01\nlast = {day}-28\nfile = "{name}.csv"\ncolumns = {{response_id = "id", country = "land", person_id = "person", weight = "w"}}\n' for name, quarter, day in (("a", "2026Q1", "2026-03"), ("b", "2025Q4", "2025-12"), ("c", "2025Q1", "2025-03")))
TOML = TINY[: TINY.index("[[waves]]")] + WAVES + TINY[TINY.index("[[items]]") :]
HEADER = "id,land,person,recommend,price,comment,w\n"


def rows(cells: dict, *, seed="") -> str:
    """Answers: {(country, price): how many}, weight 1."""
    made = [f"{land},p{{n}},{min(10, 2 * price)},{price},,1\n" for (land, price), size in cells.items() for _ in range(size)]
    return "".join(f"r{n},{text.format(n=f'{seed}{n}')}" for n, text in enumerate(made))


NOW = {("AT", 5): 60, ("AT", 1): 40, ("DE", 5): 40, ("DE", 1): 60, ("CH", 5): 25, ("CH", 1): 25}
BEFORE = {("AT", 5): 30, ("AT", 1): 70, ("DE", 5): 41, ("DE", 1): 59, ("CH", 5): 25, ("CH", 1): 25}


@pytest.fixture
def poll(tiny, tmp_path):
    def make(now=NOW, last=BEFORE, year=NOW, toml=TOML, text=None):
        folder = tiny(text or rows(now), toml=toml, header=HEADER)
        (folder / "raw" / "b.csv").write_text(HEADER + rows(last, seed="x"))
        (folder / "raw" / "c.csv").write_text(HEADER + rows(year, seed="y"))
        programme = read(folder)
        return programme, load.tables(programme, out=tmp_path / "reports")

    return make


def cell(found, row, column):
    return found[(found["row"] == row) & (found["column"] == column)].iloc[0]


def test_letters_and_bases_agree_with_the_hand(poll):
    """60 of 100 against 65 of 150 (the rest, not the total): z = 0.1667 / sqrt(.6 x .4 / 100 + .4333 x .5667 / 150) by textbook, with n/(n - 1) for the sample variance."""
    _, tables = poll()
    found, survey = crosstabs.table(tables, stub=["price"], banner=["country"])
    assert survey == "poll"
    top, low = cell(found, "Top 2 (4-5)", "AT"), cell(found, "Top 2 (4-5)", "DE")
    error = np.sqrt(0.24 / 100 + (65 / 150) * (85 / 150) / 150) * np.sqrt(250 / 249)
    assert top["p"] == pytest.approx(2 * stats.t.sf((0.6 - 65 / 150) / error, 249), rel=1e-6)
    assert (top["estimate"], top["letters"], low["letters"]) == (60, "A", "c")
    assert cell(found, "Top 2 (4-5)", "CH")["letters"] == ""
    assert [cell(found, base, "AT")["estimate"] for base in ("Base, unweighted", "Base, weighted", "Effective base")] == [100, 100, 100]
    assert cell(found, "Bottom 2 (1-2)", "Total")["estimate"] == 50
    assert cell(found, "Mean", "AT")["estimate"] == pytest.approx(3.4)
    assert (found.loc[found["field"] == "", "letters"] == "").all()  # the total holds every column and is tested against none


def test_filled_marks_are_of_the_last_wave_and_hollow_ones_of_last_year(poll):
    _, tables = poll(year={**NOW, ("AT", 5): 90, ("AT", 1): 10})
    found, _ = crosstabs.table(tables, stub=["price"], banner=["country"])
    assert cell(found, "Top 2 (4-5)", "AT")["marks"] == "▲▽"
    assert cell(found, "Top 2 (4-5)", "DE")["marks"] == ""


def test_people_who_answered_twice_are_allowed_for(poll):
    """Ten of a hundred changed their mind, all one way: not seen among strangers (z = 1.43), plain among the same people."""
    last = {("AT", 5): 50, ("AT", 1): 50, ("DE", 5): 40, ("DE", 1): 60}
    marks = []
    for text in (rows(NOW), rows(NOW).replace(",p", ",px")):
        found, _ = crosstabs.table(poll(text=text, last=last)[1], stub=["price"], banner=["country"])
        marks.append(cell(found, "Top 2 (4-5)", "AT")["marks"])
    assert marks == ["", "▲"]


def test_weights_give_three_bases_and_nobody_gets_a_letter_for_an_empty_cell(poll):
    text = "".join(f"r{n},{'DE' if n % 2 else 'AT'},p{n},{n % 11},{5 if n == 1 else 2},,{3 if n % 4 == 0 else 1}\n" for n in range(200))
    _, tables = poll(text=text)
    found, _ = crosstabs.table(tables, stub=["price"], banner=["country"])
    assert [cell(found, base, "AT")["estimate"] for base in ("Base, unweighted", "Base, weighted", "Effective base")] == pytest.approx([100, 200, 80])
    assert cell(found, "5", "AT")["letters"] == ""  # 0 of 80 against 1 of 100 is no difference (a plain Wald variance of 0 would see one)
    assert cell(found, "5", "AT")["p"] > 0.3


def test_fault_24_small_cells_of_an_anonymous_survey_go_with_what_they_follow_from(poll):
    toml = TOML.replace('promise = "confidential"', 'promise = "anonymous"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]')
    _, tables = poll(now={("AT", 5): 57, ("AT", 1): 3, ("DE", 5): 50, ("DE", 1): 30, ("CH", 5): 40, ("CH", 1): 20}, toml=toml)
    found, _ = crosstabs.table(tables, stub=["price"], banner=["country"])
    gone = found[found["flag"] == "withheld"]
    assert gone[["estimate", "n", "p"]].isna().all(axis=None)
    assert {("1", "AT"), ("5", "AT"), ("Mean", "AT"), ("Bottom 2 (1-2)", "AT")} <= set(zip(gone["row"], gone["column"]))
    hidden = gone[gone["kind"] == "answer"].groupby("row").size()
    assert (hidden >= 2).all()  # none alone in its row
    assert cell(found, "Base, unweighted", "AT")["estimate"] == 60
    assert "withheld" in set(crosstabs.sheet(found)["Country: AT (A)" if "Country: AT (A)" in crosstabs.sheet(found) else "country: AT (A)"])


def test_fault_20_files_hold_words_as_words_and_the_same_bytes(poll, tmp_path):
    toml = TOML.replace('wording = "Price"', "wording = \"=cmd|' /c calc'!A0\"")
    programme, tables = poll(toml=toml)
    found, survey = crosstabs.table(tables, stub=["price", "recommend"], banner=["country"])
    for name in ("one.xlsx", "two.xlsx", "one.sav", "two.sav"):
        crosstabs.write(found, tmp_path / name, programme=programme, survey=survey)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    assert (tmp_path / "one.sav").read_bytes() == (tmp_path / "two.sav").read_bytes()
    book = CalamineWorkbook.from_path(str(tmp_path / "one.xlsx"))
    lines = book.get_sheet_by_name("Table").to_python()
    assert lines[0][2] == "Total"
    assert next(line for line in lines if line[1] == "Net Promoter Score")[2] == 0
    assert any(str(line[0]).startswith("=cmd|") for line in lines)
    assert any("tests were made" in line[0] for line in book.get_sheet_by_name("About").to_python())
    frame, meta = pyreadstat.read_sav(tmp_path / "one.sav", apply_value_formats=True)
    assert len(frame) == len(found)
    assert meta.column_names_to_labels["p"] == "p against the rest of the banner"
    assert "Net Promoter Score" in set(frame["row"])


@pytest.mark.parametrize(("options", "said"), [
    (["--stub", "prize", "--banner", "country", "--to", "x.xlsx"], "there is no such item (did you mean price?)"),
    (["--stub", "price", "--banner", "countri", "--to", "x.xlsx"], "did you mean country?"),
    (["--stub", "comment", "--banner", "country", "--to", "x.xlsx"], "these are comments"),
    (["--stub", "price", "--banner", "country", "--to", "x.ods"], "ends in .xlsx or .sav"),
    (["--stub", "price", "--banner", "country", "--to", "nowhere/x.sav"], "is no folder"),
])  # fmt: skip
def test_usage_faults_end_with_2_and_write_nothing(tiny, tmp_path, monkeypatch, capsys, options, said):
    from cxlib import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["cx", "crosstabs", str(tiny()), *options, "--out", str(tmp_path / "reports")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("x.*"))


def test_the_command_writes_once_and_overwrites_nothing(tiny, tmp_path, monkeypatch, capsys):
    from cxlib import cli

    to, folder = tmp_path / "tables.xlsx", tiny()
    for code in (0, 2):
        monkeypatch.setattr("sys.argv", ["cx", "crosstabs", str(folder), "--stub", "price,recommend", "--banner", "country", "--to", str(to), "--out", str(tmp_path / "reports")])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == code
    assert "2 questions by 1 groups" in capsys.readouterr().out
    with pytest.raises(UsageError, match="already"):
        crosstabs.target(to)
    assert pd.read_excel(to, engine="calamine", sheet_name="Table")["Total"].notna().any()


def test_a_team_too_small_to_be_shown_cannot_be_had_by_subtraction():
    """One small team beside two: the total less the two would be its column, so another goes with it; two small ones hide each other."""
    answers = pd.DataFrame({"wave": "w1", "team": ["a"] * 60 + ["b"] * 40 + ["c"] * 30})
    assert crosstabs._hidden(answers, {"a", "b"}, 5) == {"b", "c"}
    assert crosstabs._hidden(answers, {"a"}, 5) == {"b", "c"}
    assert crosstabs._hidden(answers, {"a", "b", "c"}, 5) == set()
    assert crosstabs._hidden(answers, set(), 5) == {"a", "b", "c"}
    twice = pd.concat([answers, pd.DataFrame({"wave": "w2", "team": ["a"] * 9 + ["d"] * 50 + ["c"] * 30})])
    assert crosstabs._hidden(twice, {"a", "b", "d"}, 5) == {"a", "b", "c"}
