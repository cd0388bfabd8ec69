"""Bad input, from the raw file through the command: a test for each row of the table of faults that loading answers for (its number is in the name).

The command must end with 3 and one sentence that names file, row or line, column, value and remedy, write nothing, and show no traceback;
or take the file in, set the rows aside that cannot be used, and say so.
"""

import datetime as dt
import gzip
import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import hostile_files
import pandas as pd
import pytest
from small import HEADER, ROOT, ROWS, TINY

from cxlib import cli, load, programme, spreadsheets
from cxlib.load import identifiers

EXTRA = "x1,DE,p,{},3,Hm.\n"


@pytest.fixture
def command(capsys, monkeypatch):
    """Return a function that runs the command in this process, as typed, and gives (exit code, output, errors)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["cx", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, errors = capsys.readouterr()
        assert "Traceback" not in out + errors
        return end.value.code, out, errors

    return run


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


@pytest.fixture
def refused(command, tmp_path):
    """Return a function that asserts a folder is refused with 3 and a sentence that holds the words, and that nothing was written."""

    def check(folder, *words):
        before = bytes_of(tmp_path)
        code, out, errors = command("check", folder)
        assert code == 3, out + errors
        assert [word for word in words if not re.search(word, errors)] == [], errors
        assert bytes_of(tmp_path) == before
        return errors

    return check


@pytest.fixture
def taken(command):
    """Return a function that asserts a folder is taken in, and gives what the command says."""

    def check(folder, *words):
        code, out, errors = command("check", folder)
        assert code == 0, out + errors
        assert [word for word in words if not re.search(word, out)] == [], out
        return out

    return check


def named(toml, file):
    return toml.replace('file = "a.csv"', f'file = "{file}"')


def reading(*lines):
    return TINY.replace('file = "a.csv"', "\n".join(['file = "a.csv"', *lines]))


# ------------------------------------------------------------------------------------------- 5: the files of the contract


JOURNEYS = '[[stages]]\nid = "help"\n[[touchpoints]]\nid = "hotline"\nstage = "help"\n'
CODEFRAME = 'version = "1"\n[[topics]]\nid = "price"\nname = "Price"\ninclude = ["price"]\n'
PLAN = '[[actions]]\nid = "call"\nname = "Call"\ndesign = "randomised"\nstart = 2026-01-01\nend = 2026-02-01\n'
CONTRACTS = {"programme.toml": (TINY, "timezone", "timezon"), "codeframe.toml": (CODEFRAME, "include", "inclde"), "plan.toml": (PLAN, "design", "desing"), "journeys.toml": (JOURNEYS, "touchpoints", "touchpoint")}


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("fault", ["duplicate key", "unknown key", "too large", "not UTF-8", "not TOML", "nested without end", "empty table"])
def test_fault_5_every_file_of_the_contract(name, fault, tiny, refused):
    text, key, wrong = CONTRACTS[name]
    line = next(line for line in text.splitlines() if line.lstrip("[").startswith(key)) if key != "touchpoints" else 'stage = "help"'
    content, words = {
        "duplicate key": (text.replace(line, f"{line}\n{line}", 1), ["line [0-9]+|twice|declared|already|Cannot overwrite"]),
        "unknown key": (text.replace(key, wrong, 1), [wrong, f"did you mean {key}"]),
        "too large": (text + "# " + "x" * (4 * 2**20), ["4,194,304|4 MiB"]),
        "not UTF-8": (text.replace("= \"", "= \"\xfc", 1).encode("latin-1"), ["UTF-8"]),
        "not TOML": (text + "\x00", ["line [0-9]+"]),
        "nested without end": (text + "a = " + "[" * 20_000, ["TOML"]),
        "empty table": (text + "\n[x-y]\n", ["x-y", "not a key|unknown key"]),
    }[fault]
    folder = tiny()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(folder, re.escape(name), *words)


@pytest.mark.parametrize(("change", "words"), [
    (lambda text: text.replace('"a.csv"', '"../a.csv"'), [r"'\.\./a\.csv' leaves the raw folder"]),
    (lambda text: text.replace('"a.csv"', '"a.csv"\nparts = ["x/../../a.csv"]'), ["leaves the raw folder"]),
    (lambda text: text.replace('"a.csv"', '"a.csv"\nparts = ["a.csv"]'), ["names the file 'a.csv' twice"]),
    (lambda text: text.replace('"a.csv"', '"a.csv"\ntimezone = "Europe"'), ["'Europe' of 'a.csv' is not a known zone"]),
    (lambda text: text.replace('wording = "Price"', 'wording = "Price"\nasked_if = {item = "price", values = ["1"]}'), ["circle", "price"]),
])
def test_fault_5_paths_that_leave_the_folder_and_circles(change, words, tiny, refused):
    refused(tiny(toml=change(TINY)), "programme.toml", *words)


def test_fault_5_no_yaml_is_read(tiny, taken):
    folder = tiny()
    (folder / "programme.yaml").write_text("!!python/object/apply:os.mkdir ['/tmp/harm']")
    taken(folder, "60 kept")


# ----------------------------------------------------------------------------------------------------- 8 to 12: rows


@pytest.mark.parametrize("value", ["11", "-1", "7.5", "ten", "９", "TRUE", "1e3", "nan", "#N/A", "٣", "0x5", "1_0", "1" * 400, "-0.0001"])
def test_fault_8_a_score_that_is_none_is_set_aside(value, tiny, taken):
    said = taken(tiny(ROWS + EXTRA.format(value)), "61 rows = 60 kept . 1 quarantined . 0 duplicates", f"row 62, column 'recommend': '{re.escape(value[:200])}' is ")
    assert "an error of the spreadsheet" in said if value == "#N/A" else "scale 0 to 10" in said


@pytest.mark.parametrize("cell", [" 10 ", "\t10", "10\u00a0", "10.0"])
def test_fault_8_blanks_around_a_score_are_trimmed_and_counted(cell, tiny, taken):
    taken(tiny(ROWS + EXTRA.format(cell)), "61 kept . 0 quarantined", f"{int(cell != '10.0')} cells trimmed")


@pytest.mark.parametrize(("rows", "counts"), [
    ("r000,DE,p0,0,1,It is fine.\n", "61 rows = 60 kept . 0 quarantined . 1 duplicates"),
    ("r000,DE,p0,1,1,It is fine.\n", "61 rows = 59 kept . 2 quarantined . 0 duplicates"),
    ("r000,DE,p0,0,1,It is fine.\nr000,DE,p0,1,1,It is fine.\n", "62 rows = 59 kept . 2 quarantined . 1 duplicates"),
])
def test_fault_9_the_same_id_with_equal_and_with_other_content(rows, counts, tiny, taken):
    said = taken(tiny(ROWS + rows), counts)
    assert ("the same id as another row" in said) == ("2 quarantined" in said)


def test_fault_10_columns_missing_renamed_or_more(tiny, refused, taken):
    refused(tiny(header=HEADER.replace("recommend", "recomend")), r"a\.csv: the column 'recommend'", "did you mean recomend", "correct the file, or the column in programme.toml")
    refused(tiny("".join(line.rpartition(",")[0] + "\n" for line in ROWS.splitlines()), header=HEADER.replace(",comment", "")), "the column 'comment'.* missing")
    taken(tiny("".join(f"{line},more\n" for line in ROWS.splitlines()), header=HEADER.replace("\n", ",extra\n")), "60 rows = 60 kept")


def test_fault_10_two_columns_of_the_name_that_is_needed(tiny, refused):
    refused(tiny("".join(f"{line},9\n" for line in ROWS.splitlines()), header=HEADER.replace("\n", ",recommend\n")), "several columns are called 'recommend'", r"'recommend \(column 4\)', 'recommend \(column 7\)'")
    many = HEADER.replace("recommend", ",".join(["recommend"] * 400))
    refused(tiny("".join(f"{line}{',9' * 399}\n" for line in ROWS.splitlines()), header=many), "several columns are called 'recommend'", "and 392 more")


def test_fault_10_a_title_above_the_header(tiny, refused):
    for title in ("Survey of 2026\n", "Survey of 2026\n\n", "Survey of 2026,,,,,\n,,,,,\n"):
        place = title.count("\n") + 1
        refused(tiny((title + HEADER + ROWS).encode()), r"a\.csv: row 1 is no header \('Survey of 2026'\)", f"row {place} looks like it .*'recommend'", f"declare header_row = {place} for this file", "or delete the rows above it")


def test_fault_11_qualtrics_by_its_importid_row(tiny, taken):
    rows = '"ID","Land","Person","Would you?","Price","Why?"\n' + ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(6)) + "\n" + ROWS
    taken(tiny(rows + EXTRA.format("77")), "61 rows = 60 kept", "row 64, column 'recommend'")


@pytest.mark.parametrize(("rows", "words"), [
    (ROWS + "x1,DE,p,3,3,Hm.,more\n", ["row 62 has 7 cells where the header has 6"]),
    (ROWS + "x1,DE,p,3\n", ["row 62 has 4 cells where the header has 6"]),
    ("".join(line + ",x\n" for line in ROWS.splitlines()), ["row 2 has 7 cells", "so have row 3 has 7 cells"]),
    (ROWS + 'x1,DE,p,3,3,"two\nlines"\nx2,DE,p,3,3\n', [r"row 63 \(line 64\) has 5 cells"]),
    (ROWS + 'x1,DE,p,3,3,"never closed\nx2,DE,p,3,3,Hm.\n', [r"row 62 \(line 62\): a quoted cell is never closed", "close it"]),
    (ROWS + 'x1,DE,p,3,3,"open\nx2,DE,p,3,3,"open\nx3,DE,p,3,3,Hm.\n', [r"row 62 \(line 62\): a quoted cell is followed by text"]),
])
def test_fault_12_rows_that_do_not_fit_their_header(rows, words, tiny, refused):
    refused(tiny(rows), r"a\.csv", *words)


# ------------------------------------------------------------------------------------ 13, 14: encodings, numbers, and 17: codes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"])
def test_fault_13_one_encoding_is_found_and_told(encoding, tiny, taken, refused):
    folder = tiny((HEADER + ROWS + EXTRA.format("3") + "x2,DE,p,3,3,Schöne Grüße – „ja“\n").encode(encoding))
    if encoding == "utf-16-le":  # without its mark
        refused(folder, r'name encoding = "utf-16-le"')
    else:
        taken(folder, f"62 kept .* {encoding.removesuffix('-sig')};")


def test_fault_13_mixed_encodings(tiny, refused, taken):
    content = (HEADER + "x1,DE,p,3,3,Grüße\n").encode() + "x2,DE,p,3,3,Grüße\n".encode("cp1252")
    place = content.index(b"\xfc")
    refused(tiny(content), f"a.csv: line 3, byte {place} is not UTF-8", "mixed", "export the file again or name 'encoding'")
    taken(tiny(content, toml=reading('encoding = "cp1252"')), "2 kept")
    refused(tiny(content, toml=reading('encoding = "latin-99"')), "'latin-99' is not a known encoding")
    refused(tiny(content, toml=reading('encoding = "utf-8"')), f"line 3, byte {place} is not utf-8")
    refused(tiny(content, toml=reading('encoding = "rot13"')), "not a known encoding|is not rot13")


@pytest.mark.parametrize("cell", ["1,25", "1.234,5", "1,234", "3,0"])
def test_fault_14_an_undeclared_comma_is_ambiguous(cell, tiny, refused):
    refused(tiny(f'x1,DE,7,3,2,Hm.\nx2,DE,7,3,"{cell}",Hm.\n'), f"row 3, column 'price': '{cell}' is ambiguous", 'Declare decimal = ","')


@pytest.mark.parametrize(("declared", "cell", "fits"), [
    (['decimal = ","'], "3,0", True), (['decimal = ","'], "3.0", False), (['decimal = ",", thousands = "."'.replace(", t", "\nt")], "3,0", True),
    (['decimal = "."', 'thousands = ","'], "3.0", True), (['decimal = "."', 'thousands = ","'], "0,003", False), (['thousands = "\'"'], "3", True),
])
def test_fault_14_a_declared_locale_is_kept_to(declared, cell, fits, tiny, taken):
    said = taken(tiny(ROWS + f'x1,DE,7,3,"{cell}",Hm.\n', toml=reading(*declared)))
    assert f"{60 + fits} kept + {1 - fits} quarantined" in said, said


def test_fault_17_codes_that_look_like_something_else(tiny):
    rows = "007,NA,12345678901234567890,3,3,None\n1e5,nan,0012,4,4,NULL\n1.0,null,1E400,4,4,n/a\n-0,-,+49,5,5,FALSE\n"
    found = load.check(programme.read(tiny(rows)))
    answers = found["responses"]
    assert answers["response_id"].tolist() == ["007", "1e5", "1.0", "-0"]
    assert answers["country"].tolist() == ["NA", "nan", "null", "-"]
    assert answers["person_id"].tolist() == [identifiers.known_as(key) for key in ("12345678901234567890", "0012", "1E400", "+49")]
    assert found["verbatims"]["text"].tolist() == ["None", "NULL", "n/a", "FALSE"]


@pytest.mark.parametrize("form", ["xlsx", "sav", "parquet", "jsonl", "sqlite"])
def test_fault_17_in_other_forms_too(form, tiny):
    table = pd.DataFrame([["007", "NA", "12345678901234567890", 3, 3, "None"], ["1e5", "nan", "0012", 4, 4, "NULL"]], columns=HEADER.strip().split(","))
    folder = tiny(toml=named(TINY, f"a.{form}"))
    path = folder / "raw" / f"a.{form}"
    if form == "xlsx":
        spreadsheets.workbook({"Answers": table}, path)
    elif form == "sav":
        import pyreadstat

        pyreadstat.write_sav(table, str(path))
    elif form == "parquet":
        table.to_parquet(path)
    elif form == "jsonl":
        path.write_text(table.to_json(orient="records", lines=True))
    else:
        import sqlite3

        with sqlite3.connect(path) as connection:
            table.to_sql("answers", connection, index=False)
        connection.close()
    found = load.check(programme.read(folder))["responses"]
    assert found["response_id"].tolist() == ["007", "1e5"]
    assert found["country"].tolist() == ["NA", "nan"]
    assert found["person_id"].tolist() == [identifiers.known_as(key) for key in ("12345678901234567890", "0012")]


# --------------------------------------------------------------------------------------------------- 15, 16: days and zones


DATED = TINY.replace('kind = "relationship"', 'kind = "transactional"\ndated_by = "answer"').replace('country = "land"', 'answered_on = "land"')


@pytest.mark.parametrize("cell", ["01/02/2026", "46112", "31.03.2026", "2026-02-31", "0202-03-01", "2026-13-01", "20260301T1", "yesterday", "2026-03-01 25:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "#REF!"])
def test_fault_15_a_day_that_is_not_written_as_declared_is_set_aside(cell, tiny, taken):
    taken(tiny(f"x1,2026-03-01,p,3,3,Hm.\nx2,{cell},p,3,3,Hm.\n", toml=DATED), "1 kept . 1 quarantined", f"row 3, column 'land': '{re.escape(cell)}' is (not a date|an error)")


@pytest.mark.parametrize(("form", "cell", "day"), [("%d/%m/%Y", "01/03/2026", "2026-03-01"), ("%m/%d/%Y", "03/01/2026", "2026-03-01"), ("%d.%m.%Y %H:%M", "31.03.2026 23:59", "2026-03-31"), ("", "2026-03-31", "2026-03-31")])
def test_fault_15_the_declared_format_only(form, cell, day, tiny):
    toml = DATED.replace('file = "a.csv"', f'file = "a.csv"\ndate_format = "{form}"')
    found = load.check(programme.read(tiny(f"x1,{cell},p,3,3,Hm.\n", toml=toml)))
    assert found["responses"]["answered_on"].dt.strftime("%Y-%m-%d").tolist() == [day]


@pytest.mark.parametrize("epoch", [False, True])
def test_fault_15_a_workbook_s_own_epoch(epoch, tiny):
    import xlsxwriter

    folder = tiny(toml=named(DATED, "a.xlsx"))
    with xlsxwriter.Workbook(str(folder / "raw" / "a.xlsx"), {"date_1904": epoch}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.strip().split(","))
        sheet.write_row(1, 0, ["x1", None, "p", 3, 3, "Hm."])
        sheet.write_datetime(1, 1, dt.datetime(2026, 3, 31, 23, 59), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_row(2, 0, ["x2", 46112, "p", 3, 3, "Hm."])  # a serial without a date's format is a number
    found = load.check(programme.read(folder))
    assert found["responses"]["answered_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-31"]
    assert found["repairs"][["row", "value"]].values.tolist() == [[3, "46112"]]


GOLDEN = [  # zone of the programme, of the file, the cell, the day and quarter it counts for: computed by hand from the zones' published rules
    ("Europe/Berlin", "", "2026-03-31 23:59", "2026-03-31"),  # wall time of the zone, as it stands
    ("Europe/Berlin", "", "2026-03-31T23:59:59.999+02:00", "2026-03-31"),
    ("Europe/Berlin", "", "2026-03-31T21:59:59Z", "2026-03-31"),
    ("Europe/Berlin", "", "2026-03-31T22:00:00Z", None),  # 1 April in Berlin: another quarter, outside the wave
    ("Europe/Berlin", "", "2026-04-01T05:59:00+09:00", "2026-03-31"),  # another zone in the same column
    ("Europe/Berlin", "", "2026-03-29 02:30", "2026-03-29"),  # an hour that no clock showed
    ("America/Denver", "", "2026-03-31T23:30:00-06:00", "2026-03-31"),
    ("America/Denver", "", "2026-04-01T05:59:00+00:00", "2026-03-31"),
    ("Europe/Berlin", "UTC", "2026-03-31 21:59", "2026-03-31"),
    ("Europe/Berlin", "UTC", "2026-03-31 22:00", None),
    ("Europe/Berlin", "UTC", "2026-03-31", "2026-03-31"),  # a day alone is that day in every zone
    ("Europe/Berlin", "America/Denver", "2026-03-31 15:59", "2026-03-31"),
    ("Europe/Berlin", "America/Denver", "2026-03-31 16:00", None),
    ("Europe/Berlin", "America/Denver", "2026-03-31T16:00:00-08:00", None),  # its own offset wins over the file's zone
    ("Asia/Kathmandu", "UTC", "2026-03-31 18:14", "2026-03-31"),  # +05:45
    ("Asia/Kathmandu", "UTC", "2026-03-31 18:15", None),
    ("Pacific/Kiritimati", "UTC", "2026-03-31 09:59", "2026-03-31"),  # +14
    ("Pacific/Kiritimati", "UTC", "2026-03-31 10:00", None),
    ("Africa/Cairo", "America/New_York", "2026-03-08 02:30", "2026-03-08"),  # skipped in New York: read by the offset before, 07:30 UTC
]  # fmt: skip


def test_fault_16_the_quarter_is_that_of_the_survey_s_zone(tiny):
    for number, (zone, source, cell, day) in enumerate(GOLDEN):
        toml = DATED.replace('"Europe/Berlin"', f'"{zone}"').replace('file = "a.csv"', f'file = "a.csv"\ntimezone = "{source}"')
        found = load.check(programme.read(tiny(f"x1,{cell},p,3,3,Hm.\n", toml=toml, name=f"zone{number}")))
        assert found["responses"]["answered_on"].dt.strftime("%Y-%m-%d").tolist() == [day] * (day is not None), (zone, source, cell)
        assert found["responses"]["quarter"].tolist() == ["2026Q1"] * (day is not None)


def test_fault_16_the_hour_that_clocks_show_twice_and_the_one_they_skip():
    from cxlib.load import answers
    from cxlib.questionnaire import Reading

    def read(cells, zone, source=""):
        return [str(pd.Timestamp(value)) for value in answers.moments(pd.Series(cells), reading=Reading(timezone=source), zone=zone).values]

    autumn = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25 02:30"]
    assert read(autumn, "Europe/Berlin") == ["2026-10-25 02:30:00"] * 3  # both instants are half past two on the clock
    assert read(["2026-10-25 02:30"], "UTC", "Europe/Berlin") == ["2026-10-25 00:30:00"]  # shown twice: the first
    assert read(["2026-03-29 02:30"], "UTC", "Europe/Berlin") == ["2026-03-29 01:30:00"]  # skipped: by the offset before the change
    assert read(["2026-03-29 02:30"], "Europe/Berlin", "Europe/Berlin") == ["2026-03-29 02:30:00"]  # in its own zone a time is kept as it stands


def test_fault_16_a_qualtrics_file_tells_its_own_zone(tiny):
    tell = ",".join('"{{""ImportId"":""{}""{}}}"'.format(name, ',""timeZone"":""America/Denver""' if name == "endDate" else "") for name in ["a", "endDate", "b", "c", "d", "e"])
    rows = f"ID,End Date,Person,W,P,Why?\n{tell}\nx1,2026-03-31 15:59:00,p,3,3,Hm.\nx2,2026-03-31 16:00:00,p,3,3,Hm.\n"
    found = load.check(programme.read(tiny(rows, toml=DATED)))
    assert found["responses"]["response_id"].tolist() == ["x1"]
    assert found["repairs"]["row"].tolist() == [5]
    declared = DATED.replace('file = "a.csv"', 'file = "a.csv"\ntimezone = "Europe/Berlin"')
    assert load.check(programme.read(tiny(rows, toml=declared, name="declared")))["responses"]["response_id"].tolist() == ["x1", "x2"]


# ------------------------------------------------------------------------------------------------------- workbooks


def book(folder, write, **options):
    import xlsxwriter

    with xlsxwriter.Workbook(str(folder / "raw" / "a.xlsx"), options) as made:
        write(made)
    return folder


def sheet_of(made, rows=3, top=0, left=0):
    sheet = made.add_worksheet()
    for place, line in enumerate([HEADER, *ROWS.splitlines()[:rows]]):
        for column, word in enumerate(line.strip().split(",")):
            sheet.write(top + place, left + column, int(word) if word.isdigit() else word)
    return sheet


XLSX = named(TINY, "a.xlsx")


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!"])
def test_fault_8_a_cell_that_holds_an_error_of_the_spreadsheet(error, tiny, taken):
    def write(made):
        sheet_of(made).write_formula(2, 3, "=X1", None, error)

    taken(book(tiny(toml=XLSX), write), "3 rows = 2 kept . 1 quarantined", f"row 3, column 'recommend': '{re.escape(error)}' is an error of the spreadsheet; mend the formula")


def test_fault_8_a_formula_whose_result_was_not_saved(tiny, taken):
    def write(made):
        sheet_of(made).write_formula(2, 3, "=X1", None, "")

    taken(book(tiny(toml=XLSX), write), "1 quarantined", "row 3, column 'recommend': '#FORMULA!' is an error of the spreadsheet")


@pytest.mark.parametrize("column", [0, 1, 5])
def test_fault_8_an_error_in_an_id_a_code_or_a_comment_is_set_aside_too(column, tiny, taken):
    def write(made):
        sheet_of(made).write_formula(2, column, "=X1", None, "#N/A")

    taken(book(tiny(toml=XLSX), write), "2 kept . 1 quarantined", "row 3, column .*an error of the spreadsheet")


def test_fault_8_an_error_that_is_declared_missing_keeps_its_meaning(tiny, taken):
    taken(tiny(ROWS + EXTRA.format("#NULL!"), toml=TINY.replace("99 = \"don't know\"", "99 = \"don't know\", \"#NULL!\" = \"no answer\"")), "61 kept . 0 quarantined")


def test_fault_10_a_workbook_with_a_title_or_merged_cells_above_the_header(tiny, refused, taken):
    def title(made):
        sheet_of(made, top=2).write(0, 0, "Survey of 2026")

    refused(book(tiny(toml=XLSX), title), r"a\.xlsx: row 1 is no header \('Survey of 2026'\)", "row 3 looks like it", "declare header_row = 3", "or delete the rows above it")

    def merged(made):
        sheet_of(made).merge_range(0, 3, 0, 4, "recommend")

    refused(book(tiny(toml=XLSX), merged), r"a\.xlsx: row 1: one cell of the header is merged over the columns 4 to 5", "every column its own name")

    def below(made):
        sheet_of(made).merge_range(10, 0, 12, 0, "r9")

    taken(book(tiny(toml=XLSX.replace("5", "5")), below), "4 rows")


def test_fault_10_a_workbook_with_hidden_sheets_empty_edges_and_numbers_as_text(tiny, taken):
    def write(made):
        made.add_worksheet("Notes").hide()
        sheet = sheet_of(made, top=3, left=2)
        made.worksheets()[0].write(0, 0, "not this one")
        sheet.activate()
        sheet.set_first_sheet()
        sheet.write_string(4, 5, "7")
        sheet.write_blank(200, 30, None, made.add_format({"bold": True}))

    folder = book(tiny(toml=XLSX), write)
    taken(folder, "3 rows = 3 kept")
    assert load.check(programme.read(folder))["responses"]["recommend"].tolist() == [7.0, 1.0, 2.0]


def test_fault_10_a_percentage_is_the_number_that_it_is(tiny):
    toml = XLSX.replace('id = "price"\nwording = "Price"\nscale = "five"', 'id = "price"\nwording = "Share"\nkind = "number"').replace('items = ["price"]', 'items = ["recommend"]')

    def write(made):
        sheet = sheet_of(made)
        sheet.write(1, 4, 0.85, made.add_format({"num_format": "0%"}))
        sheet.write_string(2, 4, "85%")

    found = load.check(programme.read(book(tiny(toml=toml), write)))
    assert found["responses"]["price"].tolist() == [0.85, 3.0]
    assert found["repairs"][["row", "value", "rule"]].values.tolist() == [[3, "85%", "not a number"]]


# --------------------------------------------------------------------------------------- 21 to 23: files that are none, or harm


@pytest.mark.parametrize("name", hostile_files.BOMBS)
def test_fault_21_a_hostile_file_is_refused_in_five_seconds_and_512_mib(name, tiny, tmp_path):
    """The whole command is measured: its seconds of work (a busy machine is no fault of the file), and the largest process that it started or was."""
    file, write, words = hostile_files.BOMBS[name]
    folder = tiny(toml=named(TINY, file))
    write(folder / "raw" / file)
    watch = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True, text=True); used = resource.getrusage(resource.RUSAGE_CHILDREN); print(done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024); print(done.stdout + done.stderr)"
    done = subprocess.run([sys.executable, "-c", watch, sys.executable, "-m", "cxlib.cli", "check", str(folder)], capture_output=True, text=True, timeout=120, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    first, _, said = done.stdout.partition("\n")
    code, seconds, mebibytes = (float(word) for word in first.split())
    assert code == 3, done.stdout + done.stderr
    assert f"{file}: " in said
    assert re.search(words, said), said
    assert "Traceback" not in said
    assert seconds < 5, said
    assert mebibytes < 512, said


def valid(form, folder):
    table = pd.DataFrame([line.split(",") for line in ROWS.splitlines()], columns=HEADER.strip().split(","))
    path = folder / "raw" / f"a.{form}"
    if form in ("sav", "zsav", "por", "dta"):
        import pyreadstat

        table = table.rename(columns={"recommend": "recom"})
        write = {"sav": pyreadstat.write_sav, "zsav": pyreadstat.write_sav, "por": pyreadstat.write_por, "dta": pyreadstat.write_dta}[form]
        write(table.rename(columns=str.upper) if form == "por" else table, str(path), **({"compress": True} if form == "zsav" else {}))
    elif form == "parquet":
        table.to_parquet(path)
    elif form == "xlsx":
        spreadsheets.workbook({"Answers": table}, path)
    elif form in ("csv.gz", "jsonl.gz"):
        content = table.to_csv(index=False) if form == "csv.gz" else table.to_json(orient="records", lines=True)
        path.write_bytes(gzip.compress(content.encode()))
    elif form in ("duckdb", "sqlite"):
        import sqlite3

        import duckdb

        with (duckdb.connect(str(path)) if form == "duckdb" else sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE a (id VARCHAR, comment VARCHAR)")
            connection.executemany("INSERT INTO a VALUES (?, ?)", [[f"r{i}", "It is fine. " * 40] for i in range(400)])
        connection.close()
    else:
        path.write_text(table.to_json(orient="records", lines=True))
    return path


@pytest.mark.parametrize("form", ["sav", "zsav", "por", "dta", "parquet", "xlsx", "csv.gz", "jsonl", "jsonl.gz", "duckdb", "sqlite"])
def test_fault_22_a_file_that_was_cut_off(form, tiny, refused):
    folder = tiny(toml=named(TINY, f"a.{form}"))
    whole = valid(form, folder).read_bytes()
    for part in (0.3, 0.75):
        cut = whole[: int(len(whole) * part)]
        (folder / "raw" / f"a.{form}").write_bytes(cut.rstrip(b"\n}") if form == "jsonl" else cut)
        refused(folder, rf"a\.{re.escape(form)}: ", "damaged|cut off|cannot be read|not valid JSON|gave up|no (SPSS|Stata)|no workbook")


@pytest.mark.parametrize("form", ["csv", "xlsx", "sav", "por", "dta", "parquet", "jsonl", "csv.gz", "duckdb", "sqlite"])
def test_fault_22_empty_files_folders_and_links(form, tiny, refused, tmp_path):
    folder = tiny(toml=named(TINY, f"a.{form}"))
    path = folder / "raw" / f"a.{form}"
    path.write_bytes(b"")
    refused(folder, "the file is empty; export it again")
    path.unlink()
    refused(folder, "there is no such file", "programme.toml")
    path.mkdir()
    refused(folder, "this is a folder, not a file")
    path.rmdir()
    (tmp_path / "outside").write_bytes(b"a,b\n1,2\n")
    for target in (tmp_path / "outside", "/etc/passwd", "/dev/zero"):
        path.symlink_to(target)
        refused(folder, "the link leads to a file outside")
        path.unlink()


@pytest.mark.parametrize("what", ["check", "report"])
def test_fault_22_a_pipe_never_blocks_and_report_follows_no_link_out(what, tiny, cx, tmp_path):
    folder = tiny()
    path = folder / "raw" / "a.csv"
    path.unlink()
    os.mkfifo(path)
    words = [what, folder, *(["--out", tmp_path / "reports"] if what == "report" else [])]
    code, _, errors = cx(*words, timeout=60)
    assert (code, "a.csv" in errors, "Traceback" in errors) == (3, True, False), errors
    path.unlink()
    path.symlink_to("/etc/passwd")
    code, _, errors = cx(*words, timeout=60)
    assert (code, "leads to a file outside" in errors) == (3, True), errors
    assert not (tmp_path / "reports").exists()


class Harm:
    def __reduce__(self):
        return (os.mkdir, (os.environ.get("HARM", "/nonexistent/harm"),))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "raw/model.pickle", "raw/deep/study.ipynb", "raw/a.npy", "raw/a.rds"])
def test_fault_23_what_runs_code_is_ignored_with_a_warning(name, tiny, taken, tmp_path, monkeypatch):
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    folder = tiny()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Harm()))
    taken(folder, "60 kept", f"Never opened, because files of this kind can run code: {re.escape(name)}; take them out")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("file", ["a.pkl", "a.joblib", "a.ipynb", "a.csv", "a.xlsx", "a.parquet", "a.duckdb", "a.sav"])
def test_fault_23_and_refused_where_the_programme_names_it(file, tiny, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    folder = tiny(toml=named(TINY, file))
    (folder / "raw" / file).write_bytes(pickle.dumps(Harm(), protocol=4))
    refused(folder, f"{re.escape(file)}: ", "never opened|no SPSS|no workbook|neither|not a parquet file")
    assert not (tmp_path / "harm").exists()


def test_fault_23_a_raw_file_that_nothing_names_is_said(tiny, taken):
    folder = tiny()
    (folder / "raw" / "b.csv").write_text("a\n1\n")
    taken(folder, "Ignored, because programme.toml does not name them: raw/b.csv")


# -------------------------------------------------------------------------------- 18, 20, 38: to the page, and out of the house


HOSTILE = 'a"; drop table x; --'
STRANGE = [  # what is written into the comments of the topic, one a row
    "The price is terrible \x00 nul", "The price is terrible \u202e desrever", "The price is terrible \u200b\u2060 width", "The price is terrible 👩\u200d👩\u200d👧 family",
    "=cmd|' /C calc'!A0 the price is terrible", "+1 the price is terrible", "-2+3 the price is terrible", "@SUM(1) the price is terrible", "\tthe price is terrible, =1", "  =1+1 the price is terrible",
    "＝１ the price is terrible", "the price is terrible;=1+1", 'the price is terrible\n=1+1', "the price is terrible " + "very " * 210_000 + "bad",
]  # fmt: skip


@pytest.fixture(scope="module")
def strange(cx, tmp_path_factory):
    """Return (what was said, the draft, the programme's folder) of a programme whose names are words of SQL and whose comments are strange."""
    folder = tmp_path_factory.mktemp("strange") / "strange"
    (folder / "raw").mkdir(parents=True)
    quoted = HOSTILE.replace('"', '\\"')
    toml = ['name = "Strange"', "[scales.ten]", "low = 0", "high = 10", "[[surveys]]", 'id = "poll"', 'kind = "relationship"', 'promise = "confidential"', 'uses = ["aggregate", "link", "quote"]']
    for year in (2025, 2026):
        toml += ["[[waves]]", f'id = "{year}"', 'survey = "poll"', f'quarter = "{year}Q1"', f"first = {year}-03-01", f"last = {year}-03-31", f'file = "{year}.csv"',
                 f'columns = {{response_id = "estimate", brand = "quarter", n = "{quoted}", count = "n", select = "count", group = "select", why = "from"}}']  # fmt: skip
    for name in ("n", "count", "select", "group"):
        toml += ["[[items]]", f'id = "{name}"', f'wording = "=1+{name}"', 'scale = "ten"']
    toml += ["[[items]]", 'id = "why"', 'kind = "verbatim"', 'wording = "Why?"', "[[kpis]]", 'id = "nps"', 'item = "n"', 'definition = "nps_0_10"', "[[drivers]]", 'survey = "poll"', 'kpis = ["nps"]', 'items = ["count", "select", "group"]']
    toml += ["[[segments]]", 'id = "brand"', 'label = "@Brand"', 'field = "brand"']
    (folder / "programme.toml").write_text("\n".join(toml) + "\n", "utf-8")
    (folder / "codeframe.toml").write_text('version = "1"\n[[topics]]\nid = "price"\nname = "=Price"\ninclude = ["price"]\n', "utf-8")
    header = ["estimate", "quarter", HOSTILE, "n", "count", "select", "from"]
    for year in (2025, 2026):
        out = io.StringIO()
        rows = [[f"r{i:03d}", ["=A1", "-B", "NA", "007"][i % 4], *((i * step + i // 11) % 11 for step in (1, 3, 7, 5)), STRANGE[i % len(STRANGE)] if i % 3 == 0 and i < 42 else "The price is very good."] for i in range(240)]
        for row in rows:
            row[2] = min(row[2], 4) if "terrible" in row[-1] else row[2]
        pd.DataFrame(rows, columns=header).to_csv(out, index=False)
        content = out.getvalue().encode() + b'"surrogate","=A1",0,1,2,3,"the price is terrible \xed\xa0\x80 half"\n'
        (folder / "raw" / f"{year}.csv").write_bytes(content)
    (folder / "raw" / "model.pkl").write_bytes(pickle.dumps(Harm()))
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "raw").iterdir()}
    code, said, errors = cx("report", folder, "--out", folder.parent / "reports", "-p", "replicates=200")
    assert code == 0, said + errors
    assert "Traceback" not in said + errors
    after = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "raw").iterdir()}
    assert before == after
    return said, Path(said.strip().splitlines()[-1]).parent, folder


def test_fault_18_strange_characters_never_reach_a_page(strange):
    _, draft, _ = strange
    pages = {path.name: path.read_text("utf-8") for path in draft.glob("*.html")}
    assert len(pages) >= 6
    for name, page in pages.items():
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page), name
        assert len(page) < 2 * 2**20, f"{name}: a comment of a megabyte is not capped"
    quotes = pd.read_csv(draft / "tables" / "quotes.csv", dtype=str, keep_default_na=False)
    assert quotes.map(len).to_numpy().max() < 2_000
    assert "terrible" in "".join(quotes.to_numpy().ravel())


def test_fault_18_the_store_keeps_what_was_written(strange):
    _, draft, _ = strange
    verbatims = pd.read_parquet(next(draft.parents[1].glob(".store/*")) / "verbatims.parquet").query("wave == '2026'")["text"].tolist()
    for text in STRANGE:
        assert text.strip() in verbatims, text[:60]
    assert "the price is terrible \ufffd half" in verbatims


def test_fault_20_no_cell_of_any_export_begins_a_formula(strange):
    _, draft, _ = strange
    tables = sorted(draft.rglob("*.csv"))
    assert len(tables) > 5
    marked = 0
    for path in tables:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for word in [*table.columns, *table.to_numpy().ravel()]:
            assert spreadsheets.safe(spreadsheets.plain(word)) == word or not re.match(r"[\s\"']*[=+\-@＝＋－＠]", word), (path.name, word[:80])
            assert not re.match(r"[\s\"]*[=@＝＋－＠\t\r]", word), (path.name, word[:80])
            marked += word.startswith("'")
    assert marked > 3
    told = [path.name for path in draft.glob("*.html") if "an apostrophe stands before" in path.read_text("utf-8")]
    assert told, "no page says that cells were changed"


def test_fault_23_the_report_warns_of_what_it_ignores(strange):
    assert "Never opened, because files of this kind can run code: raw/model.pkl" in strange[0]


def test_fault_38_columns_and_items_with_the_names_of_sql_words(strange):
    _, draft, folder = strange
    kpis = pd.read_parquet(draft / "findings" / "kpis.parquet")
    latest = kpis[kpis["wave"] == "2026"].iloc[0]
    raw = pd.read_csv(folder / "raw" / "2026.csv", encoding_errors="replace")
    scores = raw[HOSTILE]
    assert latest["n"] == len(scores) == 241
    assert latest["estimate"] == pytest.approx(100 * ((scores >= 9).mean() - (scores <= 6).mean()), abs=1e-9)
    drivers = pd.read_parquet(draft / "findings" / "importance.parquet")
    assert {"count", "select", "group"} <= set(drivers["driver"])
    assert drivers["estimate"].notna().any()


# --------------------------------------------------------------------------------------------------- 20: the one function


CELLS = {"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-2+3": "'-2+3", "@SUM(1)": "'@SUM(1)", "\t=1": "'\t'=1", "\rx": "'\rx", "\nx": "'\nx", "  =1": "'  =1", '"=1': "'\"=1", "＝1": "'＝1", "－cmd": "'－cmd",
         "a;=1": "a;'=1", 'a"; =1': 'a"; \'=1', "a\n=1": "a\n'=1", "a\t@x": "a\t'@x"}  # fmt: skip
UNTOUCHED = ["-5", "-5.25", "+12", "-1,234.5", "-3 %", "1e-5", "-1e-5", "", "x", "a=b", "a-b", "a, -b", "2026-03-31", "−5", "–", "it's", "'quoted'", "x@y.z"]


@pytest.mark.parametrize("cell", CELLS)
def test_fault_20_a_cell_that_begins_a_formula_gets_an_apostrophe(cell):
    assert spreadsheets.safe(cell) == CELLS[cell]
    assert spreadsheets.plain(CELLS[cell]) == cell


@pytest.mark.parametrize("cell", UNTOUCHED)
def test_fault_20_other_cells_and_signed_numbers_stay(cell):
    assert spreadsheets.safe(cell) == cell


def test_fault_20_numbers_stay_numbers_and_what_was_done_is_counted(tmp_path):
    frame = pd.DataFrame({"=n": [-1.5, 2.0], "text": ["=1", "fine"], "kind": pd.Categorical(["@a", "@a"])})
    assert spreadsheets.csv(frame, tmp_path / "a.csv") == 4
    assert (tmp_path / "a.csv").read_text() == "'=n,text,kind\n-1.5,'=1,'@a\n2.0,fine,'@a\n"
    assert frame["text"].tolist() == ["=1", "fine"]


def test_fault_20_a_workbook_s_cells_are_text(tmp_path):
    import zipfile

    frame = pd.DataFrame({"a": ["=1+1", "http://x.y", "\x00\u202e", "x" * 40_000, "-5"], "n": [-1.5, 2, None, 0, float("inf")], "ok": [True, False, True, True, False]})
    spreadsheets.workbook({"Codebook": frame}, tmp_path / "a.xlsx")
    spreadsheets.workbook({"Codebook": frame}, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not re.search(r"<f[ >]|<hyperlink", parts["xl/worksheets/sheet1.xml"])
    assert "=1+1" in parts["xl/sharedStrings.xml"]
    from cxlib.load import readers
    from cxlib.questionnaire import Reading

    back = readers.read(tmp_path / "a.xlsx", Reading()).frame
    assert back["a"].tolist()[:2] == ["=1+1", "http://x.y"]
    assert back["n"].tolist()[:4] == ["-1.5", "2", "", "0"]


def test_fault_20_nothing_else_in_the_package_writes_such_files():
    """Whoever writes a table for people goes through cxlib.spreadsheets; the sample's raw files are a company's own exports."""
    found = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "cxlib").rglob("*.py")) if re.search(r"\.to_csv\(|\.to_excel\(|csv\.writer\(|xlsxwriter", path.read_text("utf-8"))]
    # The child writes to its own parent.
    allowed = {"cxlib/spreadsheets.py", "cxlib/synth/exports.py", "cxlib/load/readers/confined_child.py"}
    assert set(found) <= allowed, found


def test_fault_38_any_name_of_a_column_is_one(tiny):
    for name in (HOSTILE, "n", "count", "select", "a.b", "a b", "'", "`", "\\", "%s", "{x}", "😀", "index", "0", "response_id", "rows"):
        toml = TINY.replace('person_id = "person"}', f'person_id = "person", price = {json.dumps(name, ensure_ascii=False)}}}')
        found = load.check(programme.read(tiny(toml=toml, header=HEADER.replace("price", '"' + name.replace('"', '""') + '"'))))
        assert found["responses"]["price"].tolist() == [float(1 + i % 5) for i in range(60)], name
