"""Every form of raw file, made here, against what was put into it; and what must never be read. Numbers are those of the table of faults."""

import gzip
import json
import os
import pickle
import sqlite3
import struct
import time

import pandas as pd
import pytest
from hostile_files import cell
from hostile_files import workbook as hand_made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib.errors import DataError
from cxlib.load import codebook, readers
from cxlib.load.readers import FORMS, portable
from cxlib.programme import Reading


@pytest.fixture
def put(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def read(path, **reading):
    return readers.read(path, Reading(**reading))


def refused(path, match, **reading):
    with pytest.raises(DataError, match=match) as error:
        read(path, **reading)
    assert path.name in str(error.value)


# Text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_separator_is_found_and_cells_stay_as_they_stand(put, delimiter):
    found = read(put("a.csv", 'id,"a;b, or\nc",x\n007,NA,"say ""x"", y"\n1e5,,"two\nlines"\n'.replace(",", delimiter)))
    assert found.frame.values.tolist() == [["007", "NA", f'say "x"{delimiter} y'], ["1e5", "", "two\nlines"]]
    assert list(found.frame) == ["id", f"a;b{delimiter} or\nc" if delimiter != ";" else "a;b; or\nc", "x"]


def test_a_line_that_names_the_separator_is_no_header(put):
    found = read(put("a.csv", "sep=;\nid;q\n1;2\n"))
    assert (list(found.frame), found.first_row) == (["id", "q"], 3)


def test_fault_12_an_unclosed_quote_is_named_with_its_line(put):
    rows = 'id,why,q\n1,"two\nlines",3\n2,"never closed,4\n3,fine,5\n4,fine,6\n'
    refused(put("a.csv", rows), r"row 3 \(line 4\): a quoted cell is never closed")
    refused(put("a.csv", 'id,q,why\n1,3,fine\n2,3,"never closed\n4,6,fine\n'), r"row 3 \(line 3\): a quoted cell is never closed")


def test_fault_12_two_unclosed_quotes_do_not_swallow_the_row_between(put):
    # The second quote closes the first: without a check both rows become one of the right length.
    refused(put("a.csv", 'id,why,q\n1,"open,2\n3,"open,4\n5,fine,6\n'), r"row 2 \(line 2\): a quoted cell is followed by text")


def test_inches_in_a_bare_cell_are_no_quotes(put):
    assert read(put("a.csv", 'id,why\n1,a 5" pipe\n2,6" and 7"\n')).frame["why"].tolist() == ['a 5" pipe', '6" and 7"']


def test_fault_12_ragged_rows_are_named_with_row_and_line(put):
    refused(put("a.csv", 'a,b,c\n"x\ny",2,3\n1,2\n1,2,3,4\n'), r"row 3 \(line 4\) has 2 cells where the header has 3; so have row 4 \(line 5\) has 4 cells")
    refused(put("a.csv", "a,b\n1,2\n\n3\n"), "row 4 has 1 cells where the header has 2")


def test_blank_lines_are_left_out_and_rows_keep_their_numbers(put):
    found = read(put("a.csv", "a,b\n\n1,2\n\n,\n3,4\n\n\n"))
    assert found.frame.values.tolist() == [["1", "2"], ["3", "4"]]
    assert [found.row(place) for place in range(2)] == [3, 6]
    assert found.notes == ("5 empty rows were left out.",)


def test_names_that_stand_twice_are_told_apart_by_their_place(put):
    found = read(put("a.csv", "id,Response,Response,\n1,a,b,c\n"))
    assert list(found.frame) == ["id", "Response (column 2)", "Response (column 3)", "column 4"]
    assert "'Response' names the columns 2, 3" in found.notes[0]


def test_a_header_alone_is_an_empty_table(put):
    for content in ("a,b\n", "a,b", "a,b\r\n"):
        assert read(put("a.csv", content)).frame.shape == (0, 2)


def test_old_mac_and_windows_line_ends(put):
    for end in ("\r", "\r\n", "\n"):
        assert read(put("a.csv", f"a,b{end}1,2{end}3,4{end}")).frame.values.tolist() == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_fault_13_encodings_are_found(put, encoding):
    found = read(put("a.csv", "id,Größe\n1,schön – „ja“\n".encode(encoding)))
    assert found.frame["Größe"].tolist() == ["schön – „ja“"]
    assert found.encoding == encoding.removesuffix("-sig")


def test_fault_13_what_is_mixed_or_unmarked_is_refused(put):
    refused(put("a.csv", "id,a\n1,é\n".encode() + "2,é\n".encode("cp1252")), r"line 3, byte 12 is not UTF-8 .* mixed")
    refused(put("a.csv", "id,answer\n1,yes\n".encode("utf-16-le")), "utf-16-le")
    refused(put("a.csv", b"id,a\n1,\x81\x8d\n"), "line 2, byte 7 is no letter")
    refused(put("a.csv", "id,a\n1,2\n".encode("utf-16")[:-1]), "breaks the utf-16 text")
    refused(put("a.csv", "id,a\n1,é\n"), "line 2, byte 7 is not ascii", encoding="ascii")
    refused(put("a.csv", "id,a\n"), "not a known encoding", encoding="latin-99")


def test_fault_18_strange_characters_are_kept(put):
    text = "\x00 nul, \u202e bidi, \u200b zero width, 👩‍👩‍👧 emoji, \ufeff mark"
    found = read(put("a.csv", f'id,why\n1,"{text}"\n'))
    assert found.frame["why"].tolist() == [text]


def test_fault_18_a_megabyte_in_one_cell_and_in_the_header_row(put):
    long = "word " * 1_200_000
    assert read(put("a.csv", f"id,why\n1,{long}\n2,x\n")).frame["why"].str.len().tolist() == [len(long), 1]


def test_fault_18_a_lone_surrogate_becomes_the_replacement_mark_and_is_noted(put):
    found = read(put("a.csv", b"id,why\n1,\xed\xa0\x80x\n2,\xed\xa0\xbd\xed\xb8\x80\n"))
    assert found.frame["why"].tolist() == ["\ufffdx", "😀"]
    assert "1 halves of characters" in found.notes[0]
    found = read(put("a.jsonl", '{"id": 1, "why": "\\ud800x"}\n'))
    assert found.frame["why"].tolist() == ["\ufffdx"]


def test_a_qualtrics_file_of_before_2017_has_two_header_rows(put):
    found = read(put("a.csv", "V1,V2,Q1\nResponseID,ResponseSet,How was it?\nR_1,Default,5\n"))
    assert (found.frame.values.tolist(), found.first_row, found.wording["Q1"]) == ([["R_1", "Default", "5"]], 3, "How was it?")


def test_a_qualtrics_file_keeps_wording_and_zone(put):
    found = read(put("a.csv", 'StartDate,Q1\nStart Date,"How, in all,\nwas it?"\n"{""ImportId"":""startDate"",""timeZone"":""Europe/Berlin""}","{""ImportId"":""QID1""}"\n2026-01-01 10:00:00,5\n'))
    assert found.wording == {"StartDate": "Start Date", "Q1": "How, in all,\nwas it?"}
    assert (found.first_row, found.notes) == (4, ("Times are in the zone Europe/Berlin.",))


def qualtrics(rows, *, legacy=False):
    """An export in which Q5 is a question with several choices, Q6 a grid, and Q7 has a choice with a text of its own."""
    names = ["ResponseId", "Q5_1", "Q5_2", "Q5_7_TEXT", "Q6_1", "Q6_2", "Q8"]
    words = ["Response ID", "Which have you used? - Selected Choice - App", "Which have you used? - Selected Choice - Shop", "Which have you used? - Other - Text", "Rate us - Price", "Rate us - Staff", "Why? - say - more"]
    head = [names, words] if not legacy else [["V1", "V2", *names[2:]], ["ResponseID", "ResponseSet", *words[2:]]]
    marks = [] if legacy else [[f'{{"ImportId":"QID{place}"}}' for place in range(7)]]
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [*head, *marks, *rows]) + "\n"


@pytest.mark.parametrize(("first", "second", "counted"), [(["App", ""], ["", "Shop"], ""), (["1", ""], ["", "1"], "1")])
def test_the_choices_of_a_qualtrics_question_are_one_set_and_the_rows_of_a_grid_are_none(put, first, second, counted):
    found = read(put("a.csv", qualtrics([["R_1", first[0], second[0], "", "1", "5", "x"], ["R_2", first[1], second[1], "kiosk", "4", "2", "y"]])))
    assert found.sets == {"Q5": (("Q5_1", "Q5_2"), "Which have you used?", counted)}
    book = codebook.of(found).set_index("column")
    assert book.loc[["Q5_1", "Q5_2"], "set"].tolist() == ["Q5", "Q5"]
    assert book.loc[["Q6_1", "Q6_2", "Q5_7_TEXT", "Q8"], "set"].tolist() == [""] * 4
    assert book.loc["Q5_1", "kind"] == "option"


def test_a_grid_in_which_all_chose_the_lowest_is_no_set(put):
    assert read(put("a.csv", qualtrics([["R_1", "", "", "", "1", "1", "x"], ["R_2", "", "", "", "1", "1", "y"]]))).sets == {}


SURVEYMONKEY = "RespondentID,CollectorID,Which have you used?,,,How was it?,Why?\n,,App,Shop,Phone,Response,Open-Ended Response\n1,9,App,,Phone,5,fine\n2,9,,Shop,,4,\n"


def test_a_surveymonkey_file_joins_question_and_option(put):
    found = read(put("a.csv", SURVEYMONKEY))
    assert list(found.frame) == ["RespondentID", "CollectorID", "Which have you used?: App", "Which have you used?: Shop", "Which have you used?: Phone", "How was it?", "Why?"]
    assert found.sets["Which have you used?"].columns == tuple(list(found.frame)[2:5])
    assert found.first_row == 3
    declared = read(put("b.csv", SURVEYMONKEY.replace("RespondentID", "Number")), header="surveymonkey")
    assert list(declared.frame)[2:] == list(found.frame)[2:]


# Workbooks


def workbook(path, rows, **options):
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), options)
    sheet = book.add_worksheet("Answers")
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if hasattr(value, "year"):
                sheet.write_datetime(place, column, value, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
            else:
                sheet.write(place, column, value)
    book.close()
    return path


@pytest.mark.parametrize("epoch", [False, True])
def test_fault_15_dates_follow_the_workbooks_epoch(tmp_path, epoch):
    import datetime as dt

    path = workbook(tmp_path / "a.xlsx", [["id", "at"], ["1", dt.datetime(2026, 9, 30, 23, 59)]], date_1904=epoch)
    assert read(path).frame["at"].tolist() == ["2026-09-30 23:59:00"]


def test_a_workbook_keeps_text_rows_and_numbers(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [[], ["id", "q", "why"], ["007", 5, 'say "x"\nand'], [], ["NA", 0.1, True], ["", "", ""]])
    found = read(path)
    assert found.frame.values.tolist() == [["007", "5", 'say "x"\nand'], ["NA", "0.1", "TRUE"]]
    assert [found.row(place) for place in range(2)] == [3, 5]
    with pytest.raises(DataError, match="there is no sheet 'B'; the file has Answers"):
        read(path, sheet="B")


def test_a_workbook_of_surveymonkey_has_two_header_rows(tmp_path):
    rows = [line.split(",") for line in SURVEYMONKEY.splitlines()]
    found = read(workbook(tmp_path / "a.xlsx", rows))
    assert list(found.frame)[3] == "Which have you used?: Shop"
    assert found.first_row == 3


def test_fault_12_a_workbooks_row_longer_than_its_header_is_refused(tmp_path):
    refused(workbook(tmp_path / "a.xlsx", [["id", "q"], ["1", "2"], ["1", "2"], ["1", "2"], ["1", "2", "3"]]), "row 5 has a value in column 3 where the header has 2")
    refused(workbook(tmp_path / "b.xlsx", [["id", "q"], ["1", "2", "3"]]), "column 3 where the header has 2")


def test_a_hand_made_workbook_is_read(tmp_path):
    path = hand_made(tmp_path / "a.xlsx", f'<sheetData><row r="1">{cell("A1", "id")}</row><row r="2">{cell("A2", "7")}</row></sheetData>')
    assert read(path).frame.values.tolist() == [["7"]]


def within_limits(path, match):
    """A hostile file is refused in five seconds, and the process that asks needs no memory for it."""
    import resource

    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    refused(path, match)
    assert time.monotonic() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 1024


def test_fault_21_a_small_workbook_with_a_far_cell(tmp_path):
    far = f'<sheetData><row r="1">{cell("A1", "id")}</row><row r="1048576">{cell("XFD1048576", "x")}</row></sheetData>'
    path = hand_made(tmp_path / "a.xlsx", f'<dimension ref="A1:XFD1048576"/>{far}')
    assert path.stat().st_size < 4096
    within_limits(path, "wants far more memory|gave up|cannot be read|far longer|value in column 16384")


def test_fault_21_a_zip_bomb(tmp_path):
    path = hand_made(tmp_path / "a.xlsx", "<sheetData/>", fill=b" " * (200 * 2**20))
    within_limits(path, "unpacks to 200 MiB")


def test_fault_21_a_zip_bomb_that_lies_about_its_size(tmp_path):
    path = hand_made(tmp_path / "a.xlsx", "<sheetData/>", fill=b" " * (200 * 2**20))
    content, size = bytearray(path.read_bytes()), None
    place = content.rfind(b"PK\x01\x02")
    size = struct.unpack_from("<I", content, place + 24)[0]
    assert size > 200 * 2**20
    struct.pack_into("<I", content, place + 24, 4096)
    path.write_bytes(content)
    within_limits(path, "damaged|cannot be read|gave up|no sheet|is empty")


@pytest.mark.parametrize("dtd", [
    '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
])  # fmt: skip
def test_fault_21_entities_and_document_types(tmp_path, dtd):
    path = hand_made(tmp_path / "a.xlsx", f'<sheetData><row r="1">{cell("A1", "&b;")}</row></sheetData>', dtd=dtd)
    within_limits(path, "declares a document type")


def test_fault_21_encrypted_old_and_false_workbooks(put):
    ole = bytes.fromhex("d0cf11e0a1b11ae1")
    within_limits(put("a.xlsx", ole + bytes(600) + "EncryptedPackage".encode("utf-16-le")), "encrypted with a password")
    within_limits(put("b.xlsx", ole + bytes(2000)), r"old kind \(\.xls\) under the name \.xlsx")
    within_limits(put("c.xls", ole + bytes(2000)), "cannot be read|gave up")
    within_limits(put("d.xlsx", "id,q\n1,2\n"), "no workbook, whatever its name says")
    within_limits(put("e.xlsx", b"PK\x03\x04" + bytes(100)), "damaged or cut off")


# SPSS and Stata


def sav(path, **more):
    import pyreadstat

    frame = pd.DataFrame({"q1": [1.0, 99.0, None, 2.5], "land": ["DE", "NA", "", "XX"]})
    given = {"column_labels": {"q1": "How satisfied are you?"}, "variable_value_labels": {"q1": {1.0: "very", 99.0: "no answer"}}, "missing_ranges": {"q1": [99.0, {"lo": -9.0, "hi": -1.0}], "land": ["XX"]}}
    pyreadstat.write_sav(frame, str(path), **{**given, **more})
    return path


@pytest.mark.parametrize("name", ["a.sav", "a.zsav"])
def test_user_missing_codes_of_spss_stay_codes_and_are_listed(tmp_path, name):
    found = read(sav(tmp_path / name, compress=name.endswith("zsav")))
    assert found.frame["q1"].tolist() == ["1", "99", "", "2.5"]
    assert found.frame["land"].tolist() == ["DE", "NA", "", "XX"]
    assert found.labels == {"q1": {"1": "very", "99": "no answer"}}
    assert found.missing == {"q1": {"99": "no answer"}, "land": {"XX": "declared missing"}}
    assert found.wording == {"q1": "How satisfied are you?"}
    assert found.notes == ("q1: every value from -9 to -1 is declared missing.",)


def test_dates_of_spss_and_stata_are_iso(tmp_path):
    import datetime as dt

    import pyreadstat

    frame = pd.DataFrame({"d": [dt.date(2026, 9, 30), None], "t": [dt.datetime(2026, 9, 30, 23, 59, 1), None]})
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"))
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"))
    for name in ("a.sav", "a.dta"):
        assert read(tmp_path / name).frame.values.tolist() == [["2026-09-30", "2026-09-30 23:59:01"], ["", ""]]


def test_missing_letters_of_stata_are_codes(tmp_path):
    import pyreadstat

    frame = pd.DataFrame({"q": [1, 2, "a", "b"], "word": ["a", "b", "c", ""]})
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), missing_user_values={"q": ["a", "b"]}, variable_value_labels={"q": {1: "yes", "a": "refused"}}, column_labels={"q": "Well?"})
    found = read(tmp_path / "a.dta")
    assert found.frame.values.tolist() == [["1", "a"], ["2", "b"], [".a", "c"], [".b", ""]]
    assert found.labels["q"] == {"1": "yes", ".a": "refused"}
    assert found.missing == {"q": {".a": "refused", ".b": "declared missing"}}
    assert found.wording == {"q": "Well?"}


def test_user_missing_codes_of_a_portable_file_are_not_blanked(tmp_path):
    import pyreadstat

    path = tmp_path / "a.por"
    pyreadstat.write_por(pd.DataFrame({"Q1": [1.0, 9.0, 7.5, -2.0], "LAND": ["DE", "XX", "AT", ""]}), str(path), column_labels={"Q1": "Well?", "LAND": "Where?"})
    lines = path.read_bytes().decode("latin-1").replace("\r\n", "\n").split("\n")
    stream = "".join(line.ljust(80) for line in lines)
    # The label record ends a variable; declarations of missing values stand before it (PSPP developers' guide).
    declared = stream.replace("C5/Well?", "89/9-1/C5/Well?").replace("C6/Where?", "82/XXC6/Where?")
    assert declared != stream
    path.write_bytes("\r\n".join(declared[place : place + 80] for place in range(0, len(declared), 80)).encode("latin-1"))
    assert pyreadstat.read_por(str(path))[0]["Q1"].isna().any()  # what the library alone would give
    found = read(path)
    assert found.frame.values.tolist() == [["1", "DE"], ["9", "XX"], ["7.5", "AT"], ["-2", ""]]
    assert found.missing == {"Q1": {"9": "declared missing", "-2": "declared missing"}, "LAND": {"XX": "declared missing"}}


@pytest.mark.parametrize(("text", "value"), [("1.3", 1.1), ("-13A.9", -1000.3), ("1+2", 900.0), ("A", 10.0), ("-.F", -0.5), ("0", 0.0)])
def test_numbers_of_portable_files_are_to_the_base_of_thirty(text, value):
    assert portable.decimal(text) == pytest.approx(value, rel=1e-12)


# Parquet, JSON lines, database files


def test_parquet_keeps_numbers_dates_lists_and_blanks(tmp_path):
    import datetime as dt

    frame = pd.DataFrame({"id": ["007", None], "q": [5.0, None], "n": [12345678901234567, 2], "d": [dt.date(2026, 9, 30), None], "all": [["a", "b"], None], "ok": [True, None]})
    frame.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.frame.values.tolist() == [["007", "5", "12345678901234567", "2026-09-30", '["a", "b"]', "TRUE"], ["", "", "2", "", "", ""]]


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz"])
def test_json_lines_keep_numbers_as_written(put, name):
    content = b'{"id": "007", "q": 5.0, "n": 12345678901234567890, "who": {"age": 30}}\n\n{"id": 8, "ok": true, "all": ["a", "b"], "q": null}\n'
    found = read(put(name, gzip.compress(content) if name.endswith("gz") else content))
    assert list(found.frame) == ["id", "q", "n", "who.age", "ok", "all"]
    assert found.frame.values.tolist() == [["007", "5.0", "12345678901234567890", "30", "", ""], ["8", "", "", "", "TRUE", '["a", "b"]']]
    assert found.row(1) == 3


def test_json_faults_are_named_with_their_line(put):
    refused(put("a.jsonl", '{"a": 1}\n{"a": 2, "a'), "line 2 is not valid JSON")
    refused(put("a.jsonl", '{"a": 1}\n[1]\n'), "line 2 is no record")
    refused(put("a.jsonl", '{"a": 1, "a": 2}\n'), "line 1: the key 'a' stands twice")
    refused(put("a.jsonl", "[" * 100_000), "nests records too deeply|not valid JSON")
    assert read(put("a.json", json.dumps([{"a": 1}, {"a": 2}]))).frame["a"].tolist() == ["1", "2"]


HOSTILE = 'a"; drop table x; --'


def test_fault_38_columns_and_tables_of_any_name_in_sqlite_and_duckdb(tmp_path):
    import duckdb

    name = '"' + HOSTILE.replace('"', '""') + '"'
    for path, connect in ((tmp_path / "a.sqlite", sqlite3.connect), (tmp_path / "a.duckdb", duckdb.connect)):
        connection = connect(str(path))
        connection.execute(f'CREATE TABLE {name} ({name} VARCHAR, "select" INTEGER, "count" DOUBLE)')
        connection.execute(f"INSERT INTO {name} VALUES ('007', 2, 5.0), ('NA', NULL, 0.5), ('001', 1, 1)")
        connection.commit()
        connection.close()
        before = path.read_bytes()
        found = read(path, database_table=HOSTILE)
        assert list(found.frame) == [HOSTILE, "select", "count"]
        assert found.frame.values.tolist() == [["001", "1", "1"], ["007", "2", "5"], ["NA", "", "0.5"]]
        assert read(path).frame.equals(found.frame)
        assert path.read_bytes() == before
        refused(path, "there is no table 'b'", database_table="b")


def test_a_view_in_a_duckdb_file_reads_no_other_file(tmp_path):
    import duckdb

    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(f"CREATE VIEW v AS SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")
    refused(tmp_path / "a.duckdb", "'v' is a view, a query that is never run")


# Files that are none


def test_fault_22_folders_pipes_links_and_empty_files(tmp_path, put):
    (tmp_path / "a.csv").mkdir()
    refused(tmp_path / "a.csv", "this is a folder")
    os.mkfifo(tmp_path / "b.csv")
    refused(tmp_path / "b.csv", "a pipe or a device")
    refused(put("c.csv", b""), "the file is empty")
    refused(tmp_path / "d.csv", "there is no such file")
    refused(put("e.docx", b"x"), "files of this kind are not read")
    raw, outside = tmp_path / "raw", put("outside.csv", "a,b\n1,2\n")
    raw.mkdir()
    (raw / "f.csv").symlink_to(outside)
    (raw / "g.csv").symlink_to("/etc/passwd")
    (raw / "h.csv").symlink_to("/dev/zero")
    for name in ("f.csv", "g.csv", "h.csv"):
        refused(raw / name, "the link leads to a file outside")
    (raw / "i.csv").write_text("a,b\n1,2\n")
    (raw / "j.csv").symlink_to(raw / "i.csv")
    assert len(read(raw / "j.csv").frame) == 1


def test_fault_22_pages_of_parquet_that_hold_no_text(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    offsets, content = pa.array([0, 2, 4], pa.int32()).buffers()[1], pa.py_buffer(b"ok\xff\xfe")
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, content])
    pq.write_table(pa.table({"id": broken}), tmp_path / "a.parquet", write_statistics=False)
    refused(tmp_path / "a.parquet", "the file cannot be read .*UTF.*8")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_fault_22_files_cut_off(tmp_path, put, part):
    pd.DataFrame({"a": ["x"] * 500, "b": range(500)}).to_parquet(tmp_path / "a.parquet")
    workbook(tmp_path / "a.xlsx", [["a", "b"]] + [["x", 1]] * 50)
    put("a.csv.gz", gzip.compress(os.urandom(3000).hex().encode()))
    for path in (sav(tmp_path / "a.sav"), tmp_path / "a.parquet", tmp_path / "a.xlsx", tmp_path / "a.csv.gz"):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * part)])
        refused(path, "damaged|cut off|not a readable|no SPSS")


def test_fault_22_a_compressed_bomb(put):
    within_limits(put("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * (70 * 2**20))), "swells more than")


class Harm:
    def __reduce__(self):
        return (os.mkdir, (os.environ.get("HARM", "/nonexistent/harm"),))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.pickle", "study.ipynb", "a.csv", "a.sav", "a.xlsx", "a.jsonl", "a.duckdb"])
def test_fault_23_a_pickle_under_any_name_is_never_opened(put, tmp_path, monkeypatch, name):
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    for protocol in (2, 4, 5):
        refused(put(name, pickle.dumps(Harm(), protocol=protocol)), "never opened|no SPSS|no workbook|neither")
    assert not (tmp_path / "harm").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".parquet", ".csv.gz", ".sqlite", ".duckdb", ".xlsx", ".por"]), start=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"\xff\xfe", b"id,q\n", b'"', b"SQLite format 3\0"]))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path, content, suffix, start):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(start + content)
    try:
        cells = read(path).frame.to_numpy().ravel()
    except DataError as error:
        cells = [str(error)] if path.name in str(error) else [error]
    assert all(isinstance(one, str) for one in cells)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=12)] * 3), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_a_csv_writer_writes_is_read_back(tmp_path, rows, delimiter):
    import csv

    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["id", "one", "two"], *rows])
    found = read(path)
    assert [tuple(row) for row in found.frame.values.tolist()] == [row for row in rows if any(row)]
    assert [found.row(place) for place in range(len(found.frame))] == [place for place, row in enumerate(rows, start=2) if any(row)]


def test_the_codebook_says_what_each_column_holds(tmp_path):
    rows = "".join(f"R_{i:03d},{i % 11},{i % 5 + 1},{'yes' if i % 2 else 'no'},{'DE' if i % 3 else 'AT'},2026-09-{i % 28 + 1:02d},{i * 1.5},It took {i} days and nobody ever called me back about it.,x,\n" for i in range(90))
    (tmp_path / "a.csv").write_text("ResponseId,recommend,price,solved,land,day,spend,why,same,none\n" + rows)
    found = codebook.of(read(tmp_path / "a.csv")).set_index("column")
    assert found["kind"].tolist() == ["id", "rating", "rating", "flag", "nominal", "date", "number", "verbatim", "constant", "empty"]
    assert json.loads(found.loc["price", "codes"]) == ["1", "2", "3", "4", "5"]
    assert found.loc["recommend", ["n", "blank", "distinct", "low", "high"]].tolist() == [90, 0, 11, 0.0, 10.0]
    assert found.loc["none", ["n", "blank"]].tolist() == [0, 90]


def test_the_codebook_carries_labels_missing_codes_and_wording(tmp_path):
    found = codebook.of(read(sav(tmp_path / "a.sav"))).set_index("column")
    assert json.loads(found.loc["q1", "labels"]) == {"1": "very", "99": "no answer"}
    assert json.loads(found.loc["q1", "missing"]) == {"99": "no answer"}
    assert found.loc["q1", "wording"] == "How satisfied are you?"
    assert found.loc["q1", ["low", "high"]].tolist() == [1.0, 2.5]


def test_every_form_has_a_reader():
    import importlib

    for module in set(FORMS.values()):
        assert callable(importlib.import_module(f"cxlib.load.readers.{module}").read)
