"""Exports that others made, checked against what their makers document; and tables of a PostgreSQL server that the tests start."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from cxlib import load, programme
from cxlib.errors import DataError
from cxlib.load import codebook, readers, store
from cxlib.programme import Reading


@pytest.fixture
def export(shared):
    return lambda name: readers.read(shared / "survey_exports" / name, Reading())


# rows, columns, first row of the answers, and the file's own word on its encoding
SHAPES = {
    "qualtrics_sample.csv": (1, 20, 4, "utf-8"), "qualtrics_raw_excluder.csv": (100, 16, 4, "utf-8"), "qualtrics_sample_legacy.csv": (1, 16, 3, "utf-8"),
    "surveymonkey_starwars.csv": (1186, 38, 3, "utf-8"), "sample.sav": (5, 7, 1, "sav windows-1252"), "sample.zsav": (5, 7, 1, "zsav windows-1252"),
    "sample.por": (5, 7, 1, "por"), "sample_large.sav": (485, 7, 1, "sav UTF-8"), "sample_missing.sav": (7, 7, 1, "sav windows-1252"),
    "simple_alltypes.sav": (6, 12, 1, "sav windows-1252"), "hebrews.sav": (99, 1, 1, "sav UTF-8"), "tegulu.sav": (1, 2, 1, "sav UTF-8"),
    "missing_char.sav": (2, 1, 1, "sav windows-1252"), "missing_test.sav": (2, 1, 1, "sav windows-1252"), "ordered_category.sav": (4, 1, 1, "sav UTF-8"),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("name", SHAPES)
def test_every_public_export_loads_whole(export, name):
    found = export(name)
    assert (*found.frame.shape, found.first_row, found.encoding) == SHAPES[name]
    assert codebook.of(found)["column"].tolist() == list(found.frame)


@pytest.mark.shared
def test_no_public_export_is_left_out(shared):
    assert {path.name for path in (shared / "survey_exports").iterdir()} == set(SHAPES)


@pytest.mark.shared
def test_qualtrics_exports_give_ids_and_wording_as_their_headers_do(export):
    found = export("qualtrics_sample.csv")
    assert found.frame.loc[0, ["ResponseId", "Q1", "Q2", "UserLanguage"]].tolist() == ["R_2YPOQ602ER1jkf1", "2", "Hello World!", "DE"]
    assert found.wording["Q1"] == "This is a multiple choice question."
    legacy = export("qualtrics_sample_legacy.csv")
    assert legacy.frame.loc[0, ["V1", "Q1", "Q2"]].tolist() == ["R_2YPOQ602ER1jkf1", "2", "Hello World!"]
    assert legacy.wording["V1"] == "ResponseID"
    assert next(iter(legacy.frame)) == "V1"  # the mark at the start of the file is no part of the name
    assert export("qualtrics_raw_excluder.csv").notes == ("Times are in the zone America/Chicago.",)


@pytest.mark.shared
def test_the_surveymonkey_export_gives_the_published_counts(export):
    # FiveThirtyEight's poll: 1,186 respondents, 835 of whom ranked the first film (README of the data set and its article).
    found = export("surveymonkey_starwars.csv")
    films = found.sets["Which of the following Star Wars films have you seen? Please select all that apply."]
    assert [int((found.frame[name] != "").sum()) for name in films.columns] == [673, 571, 550, 607, 758, 738]
    assert list(found.sets) == [films.wording]
    assert found.frame["Do you consider yourself to be a fan of the Star Wars film franchise?"].value_counts().to_dict() == {"Yes": 552, "": 350, "No": 284}
    assert sum(name.startswith("Please rank the Star Wars films") for name in found.frame) == 6
    assert sum(name.startswith("Please state whether you view") for name in found.frame) == 14


@pytest.mark.shared
def test_user_missing_codes_of_the_public_spss_files_are_listed_and_kept(export):
    found = export("sample_missing.sav")
    assert found.missing["myord"] == {"-1": "missing", "-2": "declared missing", "-3": "declared missing"}
    assert found.missing["mylabl"] == {"-1": "undetermined"}
    assert found.missing["mynum"] == {"2500": "declared missing", "-1": "declared missing"}
    assert "mynum: every value from 2000 to 3000 is declared missing." in found.notes
    assert found.frame["myord"].tolist()[5] == "-1"
    assert export("missing_char.sav").missing == {"mychar": {"Z": "declared missing"}}
    assert export("missing_test.sav").missing == {"var1": {"1": "missing"}}
    assert export("missing_test.sav").frame["var1"].tolist() == ["1", "2"]


@pytest.mark.shared
def test_labels_sets_dates_and_alphabets_of_the_public_spss_files(export):
    found = export("simple_alltypes.sav")
    assert found.labels["x"] == {"1": "red", "2": "green", "3": "blue"}
    assert found.sets["mymrset"] == readers.ResponseSet(("bool1", "bool2", "bool3"), "My multiple response set", "1")
    assert found.sets["categorical_array"].columns == ("ca_subvar_1", "ca_subvar_2", "ca_subvar_3")
    assert found.wording["z"] == "Numberic variable with missing value range"
    assert found.frame["y"].tolist() == ["2000-01-01", "2000-01-02", "1950-12-24", "1776-07-04", "", ""]
    assert found.frame["quarter"].tolist()[::4] == ["2014-10-01", "2015-01-01"]
    assert found.frame["str"].tolist()[3:5] == ["NA", ""]
    assert list(export("hebrews.sav").frame) == ["ותק_ב"]
    assert export("tegulu.sav").frame.iloc[0].tolist() == ["210", "నేను గతంలో వాడిన బ"]
    assert export("ordered_category.sav").labels == {"Col1": {"1": "high", "2": "low", "3": "medium"}}


@pytest.mark.shared
def test_one_survey_is_the_same_in_three_forms_of_spss(export):
    plain, packed, portable = (export(f"sample.{form}") for form in ("sav", "zsav", "por"))
    assert plain.frame.equals(packed.frame)
    assert portable.frame.set_axis(portable.frame.columns.str.lower(), axis=1).equals(plain.frame)
    assert plain.frame["dtime"].tolist() == ["2018-05-06 10:10:10", "1880-05-06 10:10:10", "1960-01-01 00:00:00", "1583-01-01 00:00:00", ""]
    assert plain.labels == {"mylabl": {"1": "Male", "2": "Female"}, "myord": {"1": "low", "2": "medium", "3": "high"}}


# PostgreSQL


def _binaries():
    for folder in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *([Path(found).resolve().parent] if (found := shutil.which("initdb")) else [])):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def _user():
    """PostgreSQL refuses to run as root: its own account does then."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here (initdb and postgres were looked for)")
    pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="cx-postgres-"))  # short: a socket's path has room for a hundred letters
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {"PATH": f"{binaries}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kolkata"}
    run = {"check": True, "capture_output": True, "cwd": folder, "env": environ, **_user()}
    try:
        (folder / "password").write_text("s3cret")
        os.chmod(folder / "password", 0o644)
        subprocess.run([binaries / "initdb", "-D", folder / "data", "-U", "cx", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", "-E", "UTF8"], **run)
        subprocess.run([binaries / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c datestyle=German", "start"], **run)
        try:
            yield f"postgresql://cx:s3cret@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(server, *statements):
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


HOSTILE = 'a"; drop table x; --'


@pytest.mark.engine
def test_a_table_of_a_real_server_is_read_as_text_with_its_comments(server, monkeypatch):
    name = '"' + HOSTILE.replace('"', '""') + '"'
    execute(
        server, "CREATE SCHEMA IF NOT EXISTS survey", "DROP TABLE IF EXISTS survey.annual",
        f"CREATE TABLE survey.annual (id text, {name} integer, \"select\" numeric(5,2), at timestamptz, day date, ok boolean, share double precision)",
        "COMMENT ON COLUMN survey.annual.ok IS 'Was it solved?'",
        "INSERT INTO survey.annual VALUES ('NA', NULL, NULL, NULL, NULL, NULL, NULL), ('007', 5, 1.50, '2026-03-31 23:30+02', '2026-03-31', true, 0.1), ('008', 6, 2, '2026-04-01 00:00Z', '2026-04-01', false, 1e20)",
    )  # fmt: skip
    monkeypatch.setenv("CX_WAREHOUSE", server)
    reading = Reading(database="env:CX_WAREHOUSE", database_table="survey.annual")
    found = readers.read(Path("nothing"), reading)
    assert list(found.frame) == ["id", HOSTILE, "select", "at", "day", "ok", "share"]
    assert found.frame.values.tolist() == [
        ["007", "5", "1.50", "2026-03-31 21:30:00+00", "2026-03-31", "true", "0.1"],
        ["008", "6", "2.00", "2026-04-01 00:00:00+00", "2026-04-01", "false", "1e+20"],
        ["NA", "", "", "", "", "", ""],
    ]
    assert found.wording == {"ok": "Was it solved?"}
    from cxlib.load.readers import database

    before = database.digest(reading)
    execute(server, "UPDATE survey.annual SET day = day")  # the rows move, the content does not
    assert database.digest(reading) == before
    execute(server, "DELETE FROM survey.annual WHERE id = 'NA'")
    assert database.digest(reading) != before


@pytest.mark.engine
def test_a_programme_reads_a_wave_from_a_server(server, tiny, monkeypatch):
    from small import ROWS, TINY

    rows = ", ".join("('" + "', '".join(line.split(",")) + "')" for line in ROWS.splitlines())
    execute(server, "DROP TABLE IF EXISTS answers", "CREATE TABLE answers (id text, land text, person text, recommend text, price text, comment text)", f"INSERT INTO answers VALUES {rows}")
    monkeypatch.setenv("CX_WAREHOUSE", server)
    plain = load.check(programme.read(tiny()))
    folder = tiny(toml=TINY.replace('file = "a.csv"', 'database = "env:CX_WAREHOUSE"\ndatabase_table = "answers"'))
    contract = programme.read(folder)
    found = load.check(contract)
    assert found["files"].loc[0, ["file", "rows", "kept"]].tolist() == ["answers", 60, 60]
    key = ["response_id"]
    assert found["responses"].sort_values(key, ignore_index=True).equals(plain["responses"].sort_values(key, ignore_index=True))
    before = store.digest(contract)
    assert store.digest(contract) == before
    execute(server, "UPDATE answers SET recommend = '7' WHERE id = 'r000'")
    assert store.digest(contract) != before  # what changed on the server is not served from an old store


@pytest.mark.engine
def test_what_a_server_refuses_is_told_without_the_password(server, monkeypatch):
    for url, table, match in (
        (server, "survey.anual", "no such table"), (server.replace("s3cret", "wr0ng"), "answers", "authentication failed"),
        (server.replace("/postgres", "/nowhere"), "answers", "does not exist"), ("postgresql://cx:s3cret@127.0.0.1:1/postgres", "answers", "PostgreSQL gives up"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=match) as error:
            readers.read(Path("nothing"), Reading(database=url, database_table=table))
        assert "s3cret" not in str(error.value)
        assert "wr0ng" not in str(error.value)


def test_a_database_that_is_not_named_rightly_is_told():
    for reading, match in ((Reading(database="env:CX_NOWHERE", database_table="a"), "CX_NOWHERE"), (Reading(database="mysql://x/y", database_table="a"), "must begin with postgresql://")):
        with pytest.raises(DataError, match=match):
            readers.read(Path("nothing"), reading)


def test_a_wave_has_a_file_or_a_database(tiny):
    from small import TINY

    for named, match in (("", "has neither"), ('file = "a.csv"\ndatabase = "env:X"', "has both"), ('database = "env:X"', "needs 'database_table'")):
        with pytest.raises(DataError, match=match):
            programme.read(tiny(toml=TINY.replace('file = "a.csv"', named)))
