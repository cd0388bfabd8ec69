"""The command as a user types it: what it refuses, with which sentence and code, and that nothing is written. Numbers are those of the table of faults."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import ROOT


def refused(done, code, *words):
    """Assert that a command ended with a code, a sentence that holds the words, and no traceback; return the sentence."""
    exit_code, out, errors = done
    assert exit_code == code, out + errors
    assert "Traceback" not in out + errors
    assert errors.strip()
    for word in words:
        assert word in errors
    return errors


def worked(done):
    """Assert that a command succeeded without a word on stderr that is a traceback; return what it printed."""
    code, out, errors = done
    assert code == 0, out + errors
    assert "Traceback" not in out + errors
    return out


def tree(folder):
    """Every file under a folder with its bytes, links as links."""
    return {str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()}


# ---------------------------------------------------------------------------------------------------- what is typed


@pytest.mark.parametrize("quarter", ["../../etc", "2026Q5", "2026Q0", "2026Q3\n", "٢٠٢٦Q3", "２０２６Q3", "2026q3", "26Q3", " 2026Q3", "", "2026Q3; rm -r x"])
@pytest.mark.parametrize("command", ["report", "publish"])
def test_fault_1_a_quarter_that_is_none_is_refused_and_nothing_is_written(command, quarter, cx, tmp_path):
    refused(cx(command, "--quarter", quarter, "--out", tmp_path / "reports"), 2, "2026Q3 (four digits, Q, 1 to 4)", repr(quarter))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("words", "said"), [
    (("-p", "min_cel=5"), "did you mean min_cell"), (("-p", "quarter=2026Q3"), "'quarter' is not a parameter"), (("-p", "programme=../x"), "'programme' is not a parameter"),
    (("-p", "min_cell"), "'min_cell'"), (("-p", "=5"), "is not a parameter"), (("--fres",), "--fresh"), (("--quater", "2026Q3"), "--quarter"), (("extra", "words"), "Got unexpected extra argument"),
    (("--jobs", "0"), "greater than or equal to 1"), (("--jobs", "two"), "--jobs"), (("--only", "99"), "There is no study '99'"), (("--only", "02_anual_drivers"), "did you mean 02_annual_drivers"),
    (("--only", ""), "write it like --only 02,03"), (("--only", ","), "write it like --only 02,03"),
])
def test_fault_2_unknown_options_parameters_and_studies_are_named_with_the_nearest(words, said, cx, tmp_path):
    refused(cx("report", *words, "--out", tmp_path / "reports"), 2, said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pair", ["a=1;import os", "min_cell;import os=1", "min_cell =5", "__class__=1", "model_fields=1", "a=1;print('x');b=1"])
def test_fault_3_code_in_the_name_of_a_parameter_never_reaches_papermill(pair, cx, tmp_path):
    refused(cx("report", "-p", pair, "--out", tmp_path / "reports"), 2, "is not a parameter", "known: min_cell")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["0", "-1", "1e9", "1001", "nan", "ten", "", "5.5", "5;import os", "٥", "0x10", "True", "None"])
def test_fault_4_a_parameter_out_of_range_is_refused_with_the_range(value, cx, tmp_path):
    refused(cx("report", "-p", f"min_cell={value}", "--out", tmp_path / "reports"), 2, "whole number from 1 to 1000", "min_cell")
    assert not list(tmp_path.iterdir())


def test_fault_6_a_quarter_without_data_lists_those_that_have_some(cx, tiny, tmp_path):
    for command in ("report", "publish"):
        refused(cx(command, tiny(), "--quarter", "2025Q4", "--out", tmp_path / "reports"), 3, "tiny: 2025Q4 has no data", "quarters with data: 2026Q1")
    assert not (tmp_path / "reports").exists()


def test_a_programme_that_is_not_there_is_named_with_the_nearest(cx, tmp_path):
    refused(cx("report", "telecm", "--out", tmp_path / "reports"), 2, "did you mean telecom", "there: ")
    refused(cx("report", "", "--out", tmp_path / "reports"), 2, "programme")
    refused(cx("check", tmp_path), 2, "neither a folder with programme.toml nor a programme under data/")
    refused(cx("report", "--raw", tmp_path / "none"), 2, "there is no such folder")
    refused(cx("rport"), 2, "report")
    assert not list(tmp_path.iterdir())


def test_only_without_earlier_findings_says_what_must_run_first(cx, tiny, tmp_path):
    folder = tiny()
    said = refused(cx("report", folder, "--only", "00", "--out", tmp_path / "reports"), 2, "run --only 01,02,03,04,06,11 first", "or leave --only out")
    assert ".failed" not in said
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(("words", "said"), [
    (("--world", "nul"), "did you mean null"), (("--company", "acessory"), "did you mean accessory"), (("--company", "accessory", "--customers", "300"), "no customers"), (("--customers", "10"), "--customers"), (("--seed", "-1"), "--seed"), (("--seed", "x"), "--seed"),
])
def test_a_sample_that_cannot_be_is_refused(words, said, cx, tmp_path):
    refused(cx("sample", tmp_path / "new", *words), 2, said)
    assert not list(tmp_path.iterdir())


def test_a_sample_never_overwrites(cx, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    refused(cx("sample", tmp_path), 2, "not empty", "Nothing was written")
    refused(cx("sample", tmp_path / "mine.txt"), 2, "Nothing was written")
    refused(cx("sample", tmp_path / "mine.txt" / "below"), 2, "cannot be made")
    refused(cx("sample", "/proc/none/below"), 2, "cannot be made")
    assert tree(tmp_path) == {"mine.txt": b"mine"}


def test_a_sample_that_is_interrupted_leaves_nothing_and_can_be_made_again(tmp_path):
    command = [sys.executable, "-m", "cxlib.cli", "sample", str(tmp_path / "new"), "--customers", "60000"]
    run = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert until((tmp_path / "new" / "raw").is_dir)
        run.send_signal(signal.SIGINT)
        out, errors = run.communicate(timeout=60)
    finally:
        run.kill()
        run.wait()
    assert (run.returncode, "Traceback" in out + errors) == (130, False), errors
    assert not list((tmp_path / "new").iterdir())


def test_help_explains_every_option_with_an_example(cx):
    for command in ("init", "report", "check", "publish", "sample"):
        text = worked(cx(command, "--help", env={"COLUMNS": "200"}))
        assert text.count("e.g.") >= sum(line.lstrip().startswith("-") for line in text.splitlines()) - 1  # --help itself explains nothing else
    assert "Exit codes: 0 done" in worked(cx("--help", env={"COLUMNS": "200"}))


def test_notebooks_keep_the_rules(cx):
    assert "keeps the rules" in worked(cx("check", "--notebooks"))


# ---------------------------------------------------------------------------------------------------- the programme's files


def broken(folder, name, change):
    path = folder / name
    path.write_bytes(change(path.read_bytes() if path.exists() else b""))
    return folder


CODEFRAME = b'version = "1"\n[[topics]]\nid = "price"\nname = "Price"\ninclude = ["price"]\n'
PLAN = b'[[actions]]\nid = "call"\nname = "Call"\ndesign = "randomised"\nstart = 2026-01-01\nend = 2026-02-01\n'


@pytest.mark.parametrize(("name", "change", "words"), [
    ("programme.toml", lambda text: text.replace(b'name = "Tiny"', b'name = "Tiny"\nname = "Twice"'), ["programme.toml", "line 3"]),
    ("programme.toml", lambda text: text.replace(b"timezone", b"timezon"), ["'timezon' is not a key", "did you mean timezone"]),
    ("programme.toml", lambda text: text.replace(b"promise =", b"promis ="), ["surveys.1.promis", "did you mean promise"]),
    ("programme.toml", lambda text: text.replace(b"quarter = ", b"quartr = "), ["waves.1.quartr", "did you mean quarter"]),
    ("programme.toml", lambda text: text.replace(b"Tiny", b"T\xfcny"), ["programme.toml", "not UTF-8"]),
    ("programme.toml", lambda text: text + b"# " + b"x" * (4 * 2**20), ["programme.toml", "at most 4,194,304"]),
    ("programme.toml", lambda text: text.replace(b'"a.csv"', b'"../a.csv"'), ["'../a.csv' leaves the raw folder"]),
    ("programme.toml", lambda text: text.replace(b'"a.csv"', b'"/etc/passwd"'), ["'/etc/passwd' leaves the raw folder"]),
    ("programme.toml", lambda text: text.replace(b'"a.csv"', b'"x/../../a.csv"'), ["leaves the raw folder"]),
    ("programme.toml", lambda text: text.replace(b'wording = "Price"', b'wording = "Price"\nasked_if = {item = "recommend", values = ["1"]}')
     .replace(b'wording = "Would you recommend us?"', b'wording = "W"\nasked_if = {item = "price", values = ["1"]}'), ["circle", "price", "recommend"]),
    ("programme.toml", lambda text: text.replace(b'definition = "nps_0_10"', b'definition = "nps_0_11"'), ["kpis.1.definition", "nps_0_11"]),
    ("programme.toml", lambda text: b"a = " + b"[" * 100_000, ["programme.toml", "not valid TOML"]),
    ("programme.toml", lambda text: b"\x00", ["programme.toml", "not valid TOML"]),
    ("codeframe.toml", lambda text: CODEFRAME.replace(b'name = "Price"', b'name = "Price"\nname = "Twice"'), ["codeframe.toml", "line 5"]),
    ("codeframe.toml", lambda text: CODEFRAME.replace(b"include", b"inclde"), ["codeframe.toml", "inclde", "did you mean include"]),
    ("codeframe.toml", lambda text: CODEFRAME.replace(b'"Price"', b'"Pr\xefce"'), ["codeframe.toml", "UTF-8"]),
    ("codeframe.toml", lambda text: CODEFRAME + b"# " + b"x" * (4 * 2**20), ["codeframe.toml", "4"]),
    ("codeframe.toml", lambda text: CODEFRAME + b'parent = "cost"\n[[topics]]\nid = "cost"\nname = "Cost"\nparent = "price"\ninclude = ["cost"]\n', ["codeframe.toml", "circle", "price -> cost"]),
    ("plan.toml", lambda text: PLAN + b'id = "twice"\n', ["plan.toml", "line 7"]),
    ("plan.toml", lambda text: PLAN.replace(b"design", b"desing"), ["plan.toml", "did you mean design"]),
    ("plan.toml", lambda text: PLAN.replace(b'"Call"', b'"C\xe4ll"'), ["plan.toml", "not UTF-8"]),
    ("plan.toml", lambda text: PLAN + b"# " + b"x" * (4 * 2**20), ["plan.toml", "at most 4,194,304"]),
    ("plan.toml", lambda text: PLAN.replace(b"2026-02-01", b"2025-02-01"), ["plan.toml", "ends on 2025-02-01"]),
], ids=lambda value: value if isinstance(value, str) else None)
def test_fault_5_a_contract_that_does_not_fit_is_refused_with_its_place(name, change, words, cx, tiny):
    refused(cx("check", broken(tiny(), name, change)), 3, *words)


def test_fault_5_report_refuses_what_check_refuses_before_it_writes(cx, tiny, tmp_path):
    folder = broken(tiny(), "codeframe.toml", lambda text: CODEFRAME.replace(b"include", b"inclde"))
    refused(cx("report", folder, "--out", tmp_path / "reports"), 3, "codeframe.toml", "did you mean include")
    assert not (tmp_path / "reports").exists()


def test_a_file_that_is_missing_is_named(cx, tiny, tmp_path):
    folder = tiny()
    (folder / "raw" / "a.csv").unlink()
    refused(cx("check", folder), 3, "a.csv: there is no such file", "programme.toml")
    refused(cx("report", folder, "--out", tmp_path / "reports"), 3, "a.csv: there is no such file")
    (folder / "raw" / "a.csv").mkdir()
    refused(cx("check", folder), 3, "a.csv")
    assert not (tmp_path / "reports").exists()


def test_fault_10_check_and_report_name_the_missing_column_and_the_nearest(cx, tiny, tmp_path):
    folder = tiny(header="id,land,person,recomend,price,comment\n")
    for done in (cx("check", folder), cx("report", folder, "--out", tmp_path / "reports")):
        refused(done, 3, "a.csv: the column 'recommend'", "did you mean recomend")
    assert not (tmp_path / "reports" / "tiny" / "2026Q1" / "draft").exists()


def test_fault_8_check_counts_what_is_set_aside_and_says_where(cx, tiny):
    bad = ["11", "-1", "7.5", "ten", "９", "TRUE"]
    rows = "".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},It is fine.\n" for i in range(200))
    said = worked(cx("check", tiny(rows + "".join(f"x{place},DE,p,{value},3,Hm.\n" for place, value in enumerate(bad)) + "y,DE,p, 10 ,3,Hm.\n")))
    assert "a.csv: 207 rows = 201 kept + 6 quarantined + 0 duplicates (responses, utf-8; 1 cells trimmed)" in said
    for place, value in enumerate(bad):
        assert f"row {202 + place}, column 'recommend': {value!r} is not" in said
    assert "scale 0 to 10" in said
    assert "tiny: loadable; quarters with data: 2026Q1" in said


@pytest.mark.parametrize("cell", ["1,25", "1.234,5", "1,234"])
def test_fault_14_an_undeclared_comma_is_ambiguous_to_check_and_to_report(cell, cx, tiny, tmp_path):
    folder = broken(tiny(f'x1,DE,7,3,2,Hm.\nx2,DE,7,3,"{cell}",Hm.\n'), "programme.toml", lambda text: text)
    for done in (cx("check", folder), *([cx("report", folder, "--out", tmp_path / "reports")] if cell == "1,25" else [])):
        refused(done, 3, f"a.csv: row 3, column 'price': '{cell}' is ambiguous", 'Declare decimal = ","')
    assert not (tmp_path / "reports" / "tiny" / "2026Q1" / "draft").exists()


def test_fault_14_a_declared_comma_is_read(cx, tiny):
    rows = "".join(f'r{i:03d};DE;p{i};{i % 11};"{1 + i % 5},0";Fine, thanks.\n' for i in range(60))
    folder = broken(tiny(rows, header="id;land;person;recommend;price;comment\n"), "programme.toml", lambda text: text.replace(b'"a.csv"', b'"a.csv"\ndecimal = ","'))
    assert "60 rows = 60 kept + 0 quarantined" in worked(cx("check", folder))


# ---------------------------------------------------------------------------------------------------- a workbook of two small studies


PARAMETERS = 'programme = "telecom"\nquarter = None\nseed = 1\n'
FIRST = ["import cxlib as cx, os, pathlib, time", 'run = cx.run.open(programme=programme, quarter=quarter, study="02_first")', "{middle}", 'run.write("links", {frame})']
FRAME = 'cx.schema.check("links", __import__("pandas").DataFrame({"survey": ["poll"], "table": ["orders"], "n": [60], "with_key": [60], "linked": [30], "estimate": [0.5], "note": [""]}))'
LAST = ["import cxlib as cx", 'run = cx.run.open(programme=programme, quarter=quarter, study="00_last")', 'linked = run.read("links")', 'run.table(linked, name="links", caption="Who is linked to what")']


def notebook(path, title, cells, parameters=PARAMETERS):
    found = [{"cell_type": "markdown", "id": "c", "metadata": {}, "source": f"# {title}"}]
    sources = [(parameters, ["parameters"]), *((source, []) for source in cells)]
    found += [{"cell_type": "code", "id": f"c{place}", "metadata": {"tags": tags} if tags else {}, "source": source, "outputs": [], "execution_count": None} for place, (source, tags) in enumerate(sources)]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}, "cells": found}))


class Workbook:
    """A workbook with two studies, the second of which reads the first one's finding: the real command on little."""

    def __init__(self, root, programme, cx):
        self.root, self.programme, self.out, self.command = root, programme, root / "reports", cx
        (root / "notebooks").mkdir(parents=True)
        (root / "pyproject.toml").write_text("")
        self.write()
        notebook(root / "notebooks" / "00_last.ipynb", "Last", LAST)

    def write(self, middle="pass"):
        notebook(self.root / "notebooks" / "02_first.ipynb", "First", [cell.replace("{middle}", middle).replace("{frame}", FRAME) for cell in FIRST])

    def cx(self, command, *words, **options):
        return self.command(command, self.programme, "--out", self.out, *words, cwd=self.root, **options)

    def quarter(self, name="2026Q1"):
        return self.out / self.programme.name / name

    def start(self, *words, **options):
        """Start a report and leave it running."""
        command = [sys.executable, "-m", "cxlib.cli", "report", str(self.programme), "--out", str(self.out), *words]
        return subprocess.Popen(command, cwd=self.root, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture
def workbook(tmp_path, tiny, cx):
    toml = (tiny() / "programme.toml").read_text("utf-8")
    second = toml[toml.index("[[waves]]"):toml.index("[[items]]")].replace('"a"', '"b"').replace("2026Q1", "2026Q2").replace("2026-03-", "2026-06-").replace("06-31", "06-30")
    folder = tiny(toml=toml.replace("[[items]]", second + "[[items]]", 1))
    return Workbook(tmp_path / "workbook", folder, cx)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Where the first report of the workbook is kept: it is built once, and a copy of it is as current as itself."""
    return tmp_path_factory.mktemp("built") / "reports"


@pytest.fixture
def reported(workbook, built):
    """The workbook with its report of 2026Q1."""
    if not built.exists():
        worked(workbook.cx("report", "--quarter", "2026Q1"))
        workbook.out.rename(built)
    shutil.copytree(built, workbook.out, symlinks=True)
    assert "nothing has changed" in worked(workbook.cx("report", "--quarter", "2026Q1"))
    return workbook


def until(what, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def test_fault_27_a_cell_that_raises_ends_with_4_and_leaves_the_report_as_it_was(reported):
    workbook = reported
    place = workbook.quarter()
    before, draft = tree(place / "draft"), os.readlink(place / "draft")
    workbook.write("half = 1 / 0  # divides")
    said = refused(workbook.cx("report", "--quarter", "2026Q1"), 4, "02_first.ipynb, code cell 4 (half = 1 / 0", "ZeroDivisionError: division by zero", "The earlier report is as it was")
    kept = Path(said.strip().splitlines()[-1].split(" kept in ")[1].rstrip("."))
    assert kept.parent == place / ".failed"
    failed = json.loads((kept / "failed" / "02_first.ipynb").read_text())
    assert any(output.get("ename") == "ZeroDivisionError" for cell in failed["cells"] for output in cell.get("outputs", []))
    assert (os.readlink(place / "draft"), tree(place / "draft")) == (draft, before)
    refused(workbook.cx("publish", "--quarter", "2026Q1"), 6, "outdated", "02_first")
    workbook.write()
    assert "nothing has changed" in worked(workbook.cx("report", "--quarter", "2026Q1"))  # the old report is still the right one


def test_fault_27_a_finding_that_breaks_its_contract_ends_with_3_and_names_the_column(workbook):
    workbook.write('run.write("links", __import__("pandas").DataFrame({"survy": [1]}))')
    refused(workbook.cx("report", "--quarter", "2026Q1"), 3, "'survy' is not one of its columns", "did you mean survey")
    assert not (workbook.quarter() / "draft").exists()


def test_fault_31_a_second_run_of_the_quarter_is_busy_and_another_quarter_is_not(workbook):
    flag = workbook.root / "go"
    workbook.write(f'while quarter == "2026Q1" and not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.05)')
    first = workbook.start("--quarter", "2026Q1")
    try:
        assert until(lambda: list(workbook.quarter().glob(".run-*")))
        refused(workbook.cx("report", "--quarter", "2026Q1"), 7, f"pid {first.pid}", "2026Q1")
        refused(workbook.cx("publish", "--quarter", "2026Q1"), 7, f"pid {first.pid}")
        worked(workbook.cx("report", "--quarter", "2026Q2"))  # beside the first one, which still runs
        assert first.poll() is None
        flag.touch()
        _, errors = first.communicate(timeout=120)
        assert first.returncode == 0, errors
    finally:
        first.kill()
        first.wait()
    assert {(workbook.quarter(name) / "draft" / "index.html").is_file() for name in ("2026Q1", "2026Q2")} == {True}


def test_interrupted_ends_with_130_and_leaves_nothing_half_written(reported):
    workbook = reported
    before = tree(workbook.quarter() / "draft")
    started = workbook.root / "started"
    workbook.write(f"pathlib.Path({str(started)!r}).write_text(str(os.getpid())); time.sleep(120)")
    run = workbook.start("--quarter", "2026Q1", start_new_session=True)
    try:
        assert until(lambda: started.exists() and started.read_text())
        os.killpg(run.pid, signal.SIGINT)  # what Ctrl-C does: the whole foreground group
        out, errors = run.communicate(timeout=30)
    finally:
        run.kill()
        run.wait()
    assert (run.returncode, "Traceback" in out + errors) == (130, False), errors
    assert "Interrupted" in errors
    assert tree(workbook.quarter() / "draft") == before
    assert [path.name for path in workbook.quarter().glob(".run-*")] == [os.readlink(workbook.quarter() / "draft")]

    def gone():
        try:
            os.kill(int(started.read_text()), 0)
        except ProcessLookupError:
            return True
        return False

    assert until(gone, 10), "the kernel outlives its command"
    workbook.write()
    worked(workbook.cx("report", "--quarter", "2026Q1"))


def test_publish_refuses_what_is_not_whole_and_makes_read_only_editions(workbook):
    refused(workbook.cx("publish", "--quarter", "2026Q1"), 6, "no complete draft", "cx report")
    assert not workbook.quarter().exists() or not list(workbook.quarter().glob("r*"))
    worked(workbook.cx("report", "--quarter", "2026Q1", "--only", "02"))
    refused(workbook.cx("publish", "--quarter", "2026Q1"), 6, "partial", "00_last did not run")
    said = worked(workbook.cx("report", "--quarter", "2026Q1", "--only", "00"))  # on the earlier finding
    assert "1 of 2 studies run, 1 taken over" in said
    first = Path(worked(workbook.cx("publish", "--quarter", "2026Q1")).strip()).parent
    second = Path(worked(workbook.cx("publish", "--quarter", "2026Q1")).strip()).parent
    assert (first.name, second.name) == ("r1", "r2")
    for path in [first, *first.rglob("*"), second, *second.rglob("*")]:
        assert path.stat().st_mode & 0o222 == 0, path
    assert "This is the first edition" in (first / "index.html").read_text("utf-8")
    assert "what changed since r1" in (second / "index.html").read_text("utf-8")
    editions = tree(first), tree(second)
    raw = workbook.programme / "raw" / "a.csv"
    raw.write_text(raw.read_text() + "z,DE,p,9,3,New.\n")
    refused(workbook.cx("publish", "--quarter", "2026Q1"), 6, "outdated", "00_last, 02_first")
    assert (tree(first), tree(second)) == editions


def test_an_edition_is_not_made_from_a_file_with_too_many_rows_set_aside(workbook):
    raw = workbook.programme / "raw" / "a.csv"
    raw.write_text(raw.read_text() + "".join(f"z{i},DE,p,77,3,New.\n" for i in range(9)))
    assert "Not to be published: a.csv: 9 of 69 rows were set aside" in worked(workbook.cx("report", "--quarter", "2026Q1"))
    refused(workbook.cx("publish", "--quarter", "2026Q1"), 6, "a.csv: 9 of 69 rows", "limits.quarantine", "repair list")


def test_only_after_a_full_run_takes_the_others_over(reported):
    workbook = reported
    before = tree(workbook.quarter() / "draft")
    said = worked(workbook.cx("report", "--quarter", "2026Q1", "--only", "02", "--fresh"))
    assert "1 of 2 studies run, 1 taken over" in said
    after = tree(workbook.quarter() / "draft")
    assert {name for name in {*before, *after} if before.get(name) != after.get(name) and not name.startswith(".")} == {"run.json"}
    assert not json.loads(after["run.json"])["partial"]


@pytest.mark.parametrize("place", ["file", "below a file", "/proc/none"])
def test_an_out_that_cannot_be_made_is_a_fault_of_the_command(place, workbook, tmp_path):
    (tmp_path / "file").write_text("mine")
    workbook.out = {"file": tmp_path / "file", "below a file": tmp_path / "file" / "x"}.get(place, Path(place))
    refused(workbook.cx("report", "--quarter", "2026Q1"), 2, "cannot be made", "--out")
    assert (tmp_path / "file").read_text() == "mine"


def bound_by_permissions():
    """Give root's command the rights of any other owner, so that a read-only folder is one for it too (before exec, Linux)."""
    import ctypes

    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
            os._exit(77)


@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root writes everywhere")
def test_fault_30_reports_that_are_read_only_end_with_6_and_stay_as_they_are(reported):
    workbook = reported
    before = tree(workbook.out)
    workbook.write("changed = True")
    folders = [path for path in (workbook.out, *workbook.out.rglob("*")) if path.is_dir() and not path.is_symlink()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        run = workbook.start("--quarter", "2026Q1", preexec_fn=bound_by_permissions if os.geteuid() == 0 else None)
        out, errors = run.communicate(timeout=120)
        if run.returncode == 77:
            pytest.skip("root keeps its rights here")
        refused((run.returncode, out, errors), 6, "cannot be written", "--out")
        before.pop("tiny/2026Q1/.lock")  # names the run that held it last
        assert {name: content for name, content in tree(workbook.out).items() if name != "tiny/2026Q1/.lock"} == before
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.slow
def test_fault_29_a_killed_run_leaves_the_report_and_the_next_one_works(reported):
    workbook = reported
    before = tree(workbook.quarter() / "draft")
    started = workbook.root / "started"
    workbook.write(f"pathlib.Path({str(started)!r}).touch(); time.sleep(120)")
    run = workbook.start("--quarter", "2026Q1")
    try:
        assert until(started.exists)
        run.kill()
        run.communicate(timeout=30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            run.kill()
    assert tree(workbook.quarter() / "draft") == before
    assert len(list(workbook.quarter().glob(".run-*"))) == 2
    workbook.write()
    shutil.rmtree(workbook.root / "started", ignore_errors=True)
    assert "nothing has changed" in worked(workbook.cx("report", "--quarter", "2026Q1"))
    worked(workbook.cx("report", "--quarter", "2026Q1", "--fresh"))
    assert len(list(workbook.quarter().glob(".run-*"))) == 1
