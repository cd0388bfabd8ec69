"""A quarter's folder under faults: what stands after each is the last complete draft and the published editions, byte for byte."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from test_kernels import until

import cxlib
from cxlib import editions
from cxlib.errors import BusyError, PublishError, UsageError
from cxlib.studies import Study

STUDIES = [
    Study(id="00_summary", number="00", title="Summary", path=Path("00_summary.ipynb"), parameters={"seed": 3}),
    Study(id="02_drivers", number="02", title="Drivers", path=Path("02_drivers.ipynb"), parameters={}, outputs=frozenset({"findings/claims_02_drivers.parquet", "tables/drivers.csv"})),
]
DIGESTS = {"00_summary": "a", "02_drivers": "b"}


@pytest.fixture
def quarter(tmp_path):
    return editions.folder(tmp_path, "telecom", "2026Q3")


def made(quarter, text="first", *, estimate=31.2, digests=DIGESTS, studies=STUDIES, seconds=None, inputs=None, complete=True, previous=None):
    """One run: a page a study, a table, a claim; complete unless told otherwise."""
    import pyarrow
    import pyarrow.parquet

    run = editions.start(quarter)
    (run / "index.html").write_text(f"<html><main class='page'><h1>{text}</h1></main></html>")
    (run / "02_drivers.html").write_text(f"<html>{text}</html>")
    (run / "tables/drivers.csv").write_text(f"driver\n{text}\n")
    claim = {"claim_id": "price", "topic": "price", "base_text": "all <customers>", "unit": "points", "estimate": estimate, "conf_low": estimate - 2, "conf_high": estimate + 2, "text": "causes"}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([claim]), run / "findings/claims_02_drivers.parquet")
    seconds = {"00_summary": 1.0, "02_drivers": 2.0} if seconds is None else seconds
    record = editions.record(
        run, root=quarter, programme="telecom", quarter="2026Q3", parameters={}, studies=studies, digests=digests, seconds=seconds, inputs=inputs or {"raw/a.csv": "1"},
        expected=[study.id for study in STUDIES], previous=previous)
    return (editions.finish(run, record), run, record) if complete else (None, run, record)


def tree(folder: Path) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("quarter", ["../../etc", "2026Q5", "2026Q3\n", "٢٠٢٦Q3", "2026q3", ""])
def test_faults_01_quarter_that_is_none_is_refused(tmp_path, quarter):
    with pytest.raises(UsageError, match="pattern"):
        editions.folder(tmp_path, "telecom", quarter)


@pytest.mark.parametrize("programme", ["../x", "", ".", "..", "/etc", "a/b", ".hidden"])
def test_programme_cannot_leave_the_report_folder(tmp_path, programme):
    with pytest.raises(UsageError):
        editions.folder(tmp_path, programme, "2026Q3")
    assert not list(tmp_path.iterdir())


def test_draft_is_a_link_to_the_complete_run_and_the_run_before_is_gone(quarter):
    _, first, _ = made(quarter)
    draft, second, record = made(quarter, "second") if os.rename(first, quarter / ".run-older") is None else None
    assert draft.is_symlink()
    assert os.readlink(draft) == second.name
    assert [path.name for path in quarter.iterdir() if path.name.startswith(".run-")] == [second.name]
    assert editions.read(draft)["complete"] is True
    assert record["seeds"] == {"00_summary.seed": 3}
    assert set(record["findings"]) == {"claims_02_drivers"}
    assert record["packages"]["pandas"]
    assert record["unclaimed"] == []


def test_reader_always_finds_a_complete_draft_while_it_is_switched(quarter):
    quarter.mkdir(parents=True)
    made(quarter)
    stop, seen, torn = threading.Event(), [], []

    def read():
        while not stop.is_set():
            name = os.readlink(quarter / "draft")
            try:
                folder = os.open(quarter / name, os.O_RDONLY)
            except FileNotFoundError:  # replaced and removed between the two lines above
                continue
            try:
                seen.append(name)
                if "run.json" not in os.listdir(folder) and os.readlink(quarter / "draft") == name:
                    torn.append(name)
            finally:
                os.close(folder)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        run = quarter / f".run-{number:02d}"
        run.mkdir()
        (run / "index.html").write_text(str(number))
        editions.finish(run, {"files": {}})
    stop.set()
    reader.join()
    assert not torn
    assert seen


def test_failed_run_is_kept_and_named_three_of_them(quarter):
    draft, *_ = made(quarter)
    before = tree(draft)
    names = []
    for number in range(5):
        _, run, _ = made(quarter, "failed", complete=False)
        os.rename(run, run.with_name(f".run-{number}"))
        names.append(editions.fail(run.with_name(f".run-{number}")))
    assert sorted(path.name for path in (quarter / ".failed").iterdir()) == ["2", "3", "4"]
    assert (names[-1] / "index.html").exists()
    assert tree(draft) == before


def test_faults_31_second_run_of_a_quarter_is_busy_and_names_the_first(quarter, tmp_path):
    script = f"import time\nfrom cxlib import editions\nwith editions.lock({str(quarter)!r}):\n    print('held', flush=True)\n    time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path(cxlib.__file__).parents[1])})
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"pid {holder.pid}") as caught, editions.lock(quarter):
            pass
        assert caught.value.code == 7
        with editions.lock(editions.folder(tmp_path, "telecom", "2026Q2")):
            pass  # another quarter is free
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with editions.lock(quarter):
            pass  # the system released it
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_faults_29_killed_run_is_swept_and_the_draft_and_edition_stand(quarter):
    draft, *_ = made(quarter)
    edition = editions.publish(quarter, current=DIGESTS)
    before = tree(draft), tree(edition)
    script = textwrap.dedent(f"""
        import time
        from cxlib import editions
        with editions.lock({str(quarter)!r}):
            run = editions.start({str(quarter)!r})
            (run / "index.html").write_text("half")
            (run.parent / ".edition-1").mkdir()
            print(run, flush=True)
            time.sleep(60)
    """)
    killed = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path(cxlib.__file__).parents[1])})
    half = Path(killed.stdout.readline().strip())
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert half.is_dir()
    assert (tree(draft), tree(edition)) == before
    made(quarter, "next")
    assert not half.exists()
    assert not (quarter / ".edition-1").exists()
    assert tree(edition) == before[1]


def test_unchanged_only_for_the_same_digests_and_an_intact_draft(quarter):
    assert not editions.unchanged(quarter, DIGESTS)
    draft, *_ = made(quarter)
    assert editions.unchanged(quarter, DIGESTS)
    assert not editions.unchanged(quarter, {**DIGESTS, "02_drivers": "c"})
    assert not editions.unchanged(quarter, {"00_summary": "a"})
    (draft / "tables/drivers.csv").write_text("typed over")
    assert not editions.unchanged(quarter, DIGESTS)


def test_study_with_an_unchanged_digest_is_taken_over_byte_for_byte(quarter):
    draft, before, _ = made(quarter)
    os.rename(before, quarter / ".run-older")
    (quarter / "draft").unlink()
    (quarter / "draft").symlink_to(".run-older")
    run = editions.start(quarter)
    assert not editions.reuse(draft, run, STUDIES[1], "changed")
    assert editions.reuse(draft, run, STUDIES[1], "b")
    names = ["02_drivers.html", "findings/claims_02_drivers.parquet", "tables/drivers.csv"]
    assert {name: (run / name).read_bytes() for name in names} == {name: (draft / name).read_bytes() for name in names}
    (draft / "02_drivers.html").write_text("altered")
    assert not editions.reuse(draft, run, STUDIES[1], "b")


def test_nothing_is_taken_over_from_a_run_with_files_no_study_owns(quarter):
    _, run, _ = made(quarter, complete=False)
    (run / "tables/stray.csv").write_text("whose?")
    given = {"root": quarter, "programme": "telecom", "quarter": "2026Q3", "parameters": {}, "studies": STUDIES, "digests": DIGESTS, "seconds": {}, "inputs": {}}
    draft = editions.finish(run, editions.record(run, **given))
    assert editions.read(draft)["unclaimed"] == ["tables/stray.csv"]
    assert not editions.reuse(draft, quarter / ".run-x", STUDIES[1], "b")
    (run / ".outputs/02_drivers").write_text("\n".join(["tables/stray.csv", *STUDIES[1].outputs]))  # what the study's own run notes
    editions.finish(run, editions.record(run, **given))
    assert editions.reuse(draft, quarter / ".run-x", STUDIES[1], "b")
    assert (quarter / ".run-x/tables/stray.csv").read_text() == "whose?"


def test_file_that_two_studies_could_have_made_is_nobody_s(quarter):
    _, run, _ = made(quarter, complete=False)
    greedy = replace(STUDIES[0], outputs=frozenset({"tables/d*.csv"}))
    record = editions.record(run, root=quarter, programme="telecom", quarter="2026Q3", parameters={}, studies=[greedy, STUDIES[1]], digests=DIGESTS, seconds={}, inputs={})
    assert record["unclaimed"] == ["tables/drivers.csv"]


def test_edition_is_a_read_only_folder_that_opens_with_what_changed(quarter):
    made(quarter)
    first = editions.publish(quarter, current=DIGESTS)
    made(quarter, "second", estimate=40.0, inputs={"raw/a.csv": "2", "raw/b.csv": "3"})
    second = editions.publish(quarter, current=DIGESTS)
    assert (first.name, second.name, editions.editions(quarter)) == ("r1", "r2", [1, 2])
    assert not second.is_symlink()
    assert all(path.stat().st_mode & 0o222 == 0 for path in [second, *second.rglob("*")])
    assert "This is the first edition" in (first / "index.html").read_text()
    page = (second / "index.html").read_text()
    assert page.index("<h1>second</h1>") < page.index("Edition r2: what changed since r1") < page.index("</main>")
    assert "Input files changed: raw/a.csv; new: raw/b.csv." in page
    assert "price · all &lt;customers&gt;: 40.0 [38.0, 42.0] points, was 31.2 [29.2, 33.2] points." in page
    assert "causes" not in page
    record = json.loads((second / "run.json").read_text())
    assert editions._altered(second, record) == []
    assert record["edition"] == "r2"


def test_a_list_of_persons_stays_with_the_draft_and_is_in_no_edition(quarter):
    run = editions.start(quarter)
    for name, text in (("index.html", "<html></html>"), ("02_drivers.html", "<html></html>"), ("lists/just_below.csv", "person_id\np1\n"), (".outputs/02_drivers", "lists/just_below.csv\n"), (".outputs/00_summary", "")):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text(text)
    (run / "00_summary.html").write_text("<html></html>")
    record = editions.record(run, root=quarter, programme="telecom", quarter="2026Q3", parameters={}, studies=STUDIES, digests=DIGESTS, seconds={"00_summary": 1.0, "02_drivers": 2.0}, inputs={"raw/a.csv": "1"}, expected=[study.id for study in STUDIES])
    draft = editions.finish(run, record)
    edition = editions.publish(quarter, current=DIGESTS)
    assert (draft / "lists/just_below.csv").is_file()
    assert "lists/just_below.csv" in editions.read(draft)["files"]
    assert not list(edition.rglob("*just_below*"))
    assert not [name for name in editions.read(edition)["files"] if name.startswith("lists/")]


def test_edition_replaces_the_page_s_own_place_for_it(quarter):
    draft, _, record = made(quarter)
    (draft / "index.html").write_text("<main>top<!-- edition -->rest</main>")
    record["files"]["index.html"] = editions._sha(draft / "index.html")
    (draft / "run.json").write_text(json.dumps({**record, "complete": True}))
    page = (editions.publish(quarter, current=DIGESTS) / "index.html").read_text()
    assert page.startswith("<main>top<section")
    assert page.endswith("</section>rest</main>")


def _no_draft(quarter):
    quarter.mkdir(parents=True)


def _failed(quarter):
    _, run, _ = made(quarter, complete=False)
    (quarter / "draft").symlink_to(run.name)


def _partial(quarter):
    made(quarter, studies=STUDIES[1:])


def _outdated(quarter):
    made(quarter, digests={**DIGESTS, "02_drivers": "old"})


def _altered(quarter):
    draft, *_ = made(quarter)
    (draft / "index.html").write_text("typed over")


@pytest.mark.parametrize(("prepare", "said"), [
    (_no_draft, "no complete draft"), (_failed, "no complete draft"), (_partial, "partial: 00_summary did not run"),
    (_outdated, "outdated: .* of 02_drivers changed"), (_altered, r"altered after it was made \(index.html\)"),
])
def test_publish_refuses(quarter, prepare, said):
    prepare(quarter)
    with pytest.raises(PublishError, match=said) as caught:
        editions.publish(quarter, current=DIGESTS)
    assert caught.value.code == 6
    assert editions.editions(quarter) == []


@pytest.mark.parametrize("size", [0, 60, 400])
def test_faults_30_disk_that_takes_no_more_leaves_the_report_byte_identical(quarter, size):
    draft, *_ = made(quarter)
    before = {**tree(draft), **tree(editions.publish(quarter, current=DIGESTS))}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    _, run, record = made(quarter, "next", complete=False)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # a real failing write, as on a full disk
        with pytest.raises(PublishError, match="what was published is untouched"):
            editions.finish(run, record)
        with pytest.raises(PublishError):
            editions.publish(quarter, current=DIGESTS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {**tree(draft), **tree(quarter / "r1")} == before
    assert not [path for path in quarter.iterdir() if path.name.startswith((".edition-", ".draft-"))]
    assert editions.publish(quarter, current=DIGESTS).name == "r2"


def test_report_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "telecom").write_text("")
    with pytest.raises(PublishError, match="cannot be written"), editions.lock(tmp_path / "telecom" / "2026Q3"):
        pass


def test_faults_29_publish_killed_at_any_moment_leaves_whole_editions_only(quarter):
    """Twelve kills at growing delays: an edition that exists is complete and unaltered, and the next publish succeeds."""
    made(quarter)
    script = f"import sys\nprint('go', flush=True)\nfrom cxlib import editions\neditions.publish({str(quarter)!r}, current={DIGESTS!r})"
    environ = {**os.environ, "PYTHONPATH": str(Path(cxlib.__file__).parents[1])}
    for delay in range(12):
        killed = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environ, stderr=subprocess.DEVNULL)
        killed.stdout.readline()
        until(lambda killed=killed: killed.poll() is not None, 0.02 * delay)
        killed.kill()
        killed.wait()
        killed.stdout.close()
        for number in editions.editions(quarter):
            assert editions._altered(quarter / f"r{number}", editions.read(quarter / f"r{number}")) == []
            assert editions.read(quarter / f"r{number}")["edition"] == f"r{number}"
    before = len(editions.editions(quarter))
    assert editions.publish(quarter, current=DIGESTS).name == f"r{before + 1}"
    assert not [path for path in quarter.iterdir() if path.name.startswith(".edition-")]
