"""Real notebooks, real papermill, real kernels: what a run gives, and what is left when it does not end well."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from test_studies import edit, notebook

import cxlib
from cxlib import kernels, studies
from cxlib.errors import DataError, KernelError, PublishError, StudyError, UsageError

QUICK = kernels.KERNEL  # what a kernel needs; the whole stack is loaded once, in its own test


@pytest.fixture
def book(tmp_path):
    return tmp_path / "notebooks"


@pytest.fixture
def go(tmp_path, book):
    """Run the notebooks written so far; return what each took."""
    out = tmp_path / "out"
    out.mkdir()

    def run(*, parameters=None, jobs=2, timeout=30, **options):
        return kernels.run(
            studies.find(book), root=tmp_path, folder=out, parameters=parameters or {"quarter": "2026Q3"}, jobs=jobs, timeout=timeout,
            environ={"OUT": str(out)}, preload=QUICK, **options)

    run.out = out
    return run


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z" if sys.platform == "linux" else os.kill(pid, 0) is None
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(what, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


NOTE_PID = "import os, pathlib, time\npathlib.Path(os.environ['OUT'], 'pid').write_text(str(os.getpid()))"
MEET = """\
import os, pathlib, time
out = pathlib.Path(os.environ["OUT"])
(out / "{me}.here").touch()
while not (out / "{other}.here").exists(): time.sleep(0.01)
"""


def test_two_studies_run_at_the_same_time_and_each_gets_a_page(go, book):
    notebook(book, "02_a", MEET.format(me="a", other="b"), "'kernel of', 'a'")
    notebook(book, "03_b", MEET.format(me="b", other="a"))
    lines = []
    seconds = go(report=lines.append)
    assert set(seconds) == {"02_a", "03_b"}
    assert sorted(line.split("] ")[1].split()[0] for line in lines) == ["02_a", "03_b"]
    assert [line[:5] for line in lines] == ["[1/2]", "[2/2]"]
    assert "kernel of" in (go.out / "02_a.html").read_text()
    assert sorted(path.name for path in go.out.iterdir()) == ["02_a.html", "03_b.html", "a.here", "b.here"]


def test_reader_starts_after_its_writer_and_the_summary_is_the_index(go, book):
    notebook(book, "00_summary", "import os\nassert open(os.environ['OUT'] + '/x').read() == '1'", "run = None", "if run: run.read('x')")
    notebook(book, "11_late", "import os, time\ntime.sleep(0.3)\nopen(os.environ['OUT'] + '/x', 'w').write('1')", "run = None", "if run: run.write('x', 1)")
    assert list(go()) == ["11_late", "00_summary"]
    assert (go.out / "index.html").exists()


def test_faults_35_pages_are_identical_whatever_jobs_zone_locale_and_hash_seed(go, book, tmp_path, monkeypatch):
    for name in ("02_a", "03_b"):
        notebook(book, name, "import locale, os, time", "time.tzname, time.localtime(0).tm_hour, locale.getlocale(), {'b', 'a', 'c'}, hash('x'), os.environ['OMP_NUM_THREADS']")
    pages = []
    for jobs, zone, language, seed in ((1, "Pacific/Kiritimati", "tr_TR.UTF-8", "1"), (2, "America/Denver", "C", "random")):
        for name, value in {"TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": str(jobs)}.items():
            monkeypatch.setenv(name, value)
        go(jobs=jobs)
        pages.append([(go.out / f"{name}.html").read_bytes() for name in ("02_a", "03_b")])
    assert pages[0] == pages[1]


@pytest.mark.parametrize("named", [{}, {"CX_SALT_FILE": "kept/secret"}])
def test_studies_know_people_by_the_same_secret_as_the_command(go, book, tmp_path, monkeypatch, named):
    """It was made anew in each run's own folder, so that every run gave other pseudonyms, and draws of clusters with them."""
    notebook(book, "02_a", "import os, pathlib", "from cxlib.load import identifiers", "pathlib.Path(os.environ['OUT'], 'mark').write_text(identifiers.mark(identifiers.salt()))")
    monkeypatch.delenv("CX_SALT")
    monkeypatch.chdir(tmp_path)
    for name, value in ({"XDG_CONFIG_HOME": str(tmp_path / "settings")} | named).items():
        monkeypatch.setenv(name, value)
    marks = []
    for _ in range(2):
        go()
        marks.append((go.out / "mark").read_text())
    from cxlib.load import identifiers

    assert marks == [identifiers.mark(identifiers.salt())] * 2


def test_parameters_reach_only_the_notebooks_that_declare_them(go, book):
    notebook(book, "02_a", "print('depth is', depth)", parameters="depth = 1")
    notebook(book, "03_b", "print('depth' in globals(), quarter)")
    go(parameters={"quarter": "2025Q1", "depth": 7})
    assert "depth is 7" in (go.out / "02_a.html").read_text()
    assert "False 2025Q1" in (go.out / "03_b.html").read_text()


def test_faults_03_parameter_that_is_code_never_reaches_papermill(go, book):
    notebook(book, "02_a", NOTE_PID)
    with pytest.raises(UsageError, match="not a parameter's name"):
        go(parameters={"a=1;import os": 1})
    assert not (go.out / "pid").exists()


def test_notebook_without_parameters_tag_is_refused_before_anything_runs(go, book):
    notebook(book, "02_a", NOTE_PID)
    edit(notebook(book, "03_b"), lambda content: content["cells"][1].update(metadata={}))
    with pytest.raises(StudyError, match=r"03_b\.ipynb has no cell tagged 'parameters'"):
        go()
    assert not (go.out / "pid").exists()


def test_faults_27_failing_cell_is_named_and_its_notebook_kept(go, book):
    notebook(book, "02_a", "x = 1", "x / 0\n", "open('never', 'w')")
    with pytest.raises(StudyError) as caught:
        go()
    assert str(caught.value) == "02_a.ipynb, code cell 3 (x / 0): ZeroDivisionError: division by zero"
    assert caught.value.code == 4
    assert "ZeroDivisionError" in (go.out / "failed" / "02_a.ipynb").read_text()
    assert not (go.out / "02_a.html").exists()


def test_fault_in_the_data_keeps_its_sentence_and_another_package_s_dataerror_does_not_pass_for_it(go, book):
    notebook(book, "02_a", "from cxlib.errors import DataError", "raise DataError('survey.csv, row 7, column q1: 11 is not on the scale 0..10.')")
    with pytest.raises(DataError, match=r"^survey\.csv, row 7, column q1: 11 is not on the scale 0\.\.10\.$"):
        go()
    notebook(book, "02_a", "class DataError(Exception): pass", "raise DataError('no')")
    with pytest.raises(StudyError, match=r"code cell 3 .*DataError: no"):
        go()


def test_study_that_cannot_be_answered_ends_in_a_page_that_says_so(go, book):
    notebook(book, "02_a", "from cxlib.errors import NotAnswerable\nprint('before')", "raise NotAnswerable('Needs orders, with <dates>.')", "print('never')")
    assert set(go()) == {"02_a"}
    page = (go.out / "02_a.html").read_text()
    assert "before" in page
    assert "Needs orders, with &lt;dates&gt;." in page
    assert "Traceback" not in page
    assert "never" not in page


def test_faults_30_full_disk_in_a_cell_is_a_fault_of_publishing(go, book):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    notebook(book, "02_a", "with open('/dev/full', 'w') as file:\n    file.write('x')")
    with pytest.raises(PublishError, match="No space left"):
        go()


@pytest.mark.parametrize("death", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_faults_28_dead_kernel_is_said_within_ten_seconds(go, book, death):
    notebook(book, "02_a", NOTE_PID, death)
    begun = time.monotonic()
    with pytest.raises(KernelError, match=r"02_a\.ipynb died \((it exited with code 3|ended by SIGKILL.*)\), code cell 3"):
        go()
    assert time.monotonic() - begun < 10
    assert (go.out / "failed" / "02_a.ipynb").exists()


def test_faults_32_endless_cell_is_ended_with_its_kernel_and_what_the_kernel_started(go, book):
    notebook(book, "02_a", NOTE_PID, "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n(pathlib.Path(os.environ['OUT']) / 'child').write_text(str(child.pid))", "while True: pass")
    with pytest.raises(KernelError, match=r"02_a\.ipynb did not finish within 3 s and was ended, code cell 4 \(while True: pass\)"):
        go(timeout=3)
    for name in ("pid", "child"):
        assert until(lambda name=name: not alive(int((go.out / name).read_text())))


def test_first_failure_ends_the_study_that_runs_beside_it(go, book):
    notebook(book, "02_a", NOTE_PID, "time.sleep(600)")
    notebook(book, "03_b", "import os, time\nwhile not os.path.exists(os.environ['OUT'] + '/pid'): time.sleep(0.01)", "raise ValueError('told')")
    with pytest.raises(StudyError, match="ValueError: told"):
        go()
    assert until(lambda: not alive(int((go.out / "pid").read_text())))


@pytest.mark.parametrize(("sent", "expected"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_faults_29_nothing_outlives_the_command(tmp_path, book, sent, expected):
    notebook(book, "02_a", NOTE_PID, "while True: pass")
    script = textwrap.dedent(f"""
        import sys
        from cxlib import kernels, studies
        try:
            kernels.run(studies.find({str(book)!r}), root={str(tmp_path)!r}, folder={str(tmp_path)!r}, parameters={{}}, environ={{"OUT": {str(tmp_path)!r}}}, preload={QUICK!r})
        except KeyboardInterrupt:
            sys.exit(130)
    """)
    temporary = tmp_path / "t"
    temporary.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(Path(cxlib.__file__).parents[1]), "TMPDIR": str(temporary)}
    command = subprocess.Popen([sys.executable, "-c", script], env=environ, start_new_session=True)
    try:
        assert until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 20)
        family = _family(command.pid)
        assert len(family) >= 4 or sys.platform != "linux"  # two interpreters, the study, its kernel
        command.send_signal(sent)
        assert command.wait(5) == expected
        assert until(lambda: not any(alive(pid) for pid in [*family, int((tmp_path / "pid").read_text())]), 5)
        assert until(lambda: not list(temporary.iterdir()), 5)  # nor its sockets and private folder
    finally:
        command.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("which", [0, 1])
def test_faults_28_killed_interpreter_takes_its_children_and_is_said(tmp_path, book, which):
    notebook(book, "02_a", NOTE_PID, "time.sleep(600)")
    with kernels.Kernels(root=tmp_path, preload=QUICK) as room:
        def kill():
            until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 20)
            room.interpreters[which].kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(KernelError, match="died"):
            room.run(studies.find(book), folder=tmp_path, parameters={}, environ={"OUT": str(tmp_path)})
        killer.join()
        assert until(lambda: not alive(int((tmp_path / "pid").read_text())))
        with pytest.raises(KernelError, match=r"has ended|died"):
            room.run(studies.find(book), folder=tmp_path, parameters={}, environ={"OUT": str(tmp_path)})


def _family(pid: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family[1:]


def test_faults_34_nothing_of_the_user_s_set_up_is_seen(go, book, tmp_path, monkeypatch):
    home = tmp_path / "home"
    for name, text in {
        ".ipython/profile_default/startup/evil.py": "evil = 'startup'",
        ".ipython/profile_default/ipython_kernel_config.py": "c.IPKernelApp.exec_lines = ['evil = 1']",
        ".jupyter/jupyter_nbconvert_config.py": "raise SystemExit('evil')",
        ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "evil", "language": "python"}',
        ".config/matplotlib/matplotlibrc": "figure.dpi: 7",
        "path/sitecustomize.py": "import os; os.environ['EVIL'] = '1'",
        "path/colorsys.py": "raise ImportError('evil')",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    for name, value in {
        "HOME": home, "PYTHONPATH": home / "path", "IPYTHONDIR": home / ".ipython", "JUPYTER_CONFIG_DIR": home / ".jupyter", "PYTHONSTARTUP": home / "path/colorsys.py",
        "JUPYTER_PATH": home / ".local/share/jupyter", "MPLCONFIGDIR": home / ".config/matplotlib", "JUPYTER_DEFAULT_PROVISIONER_NAME": "evil", "PYTHONWARNINGS": "error",
    }.items():
        monkeypatch.setenv(name, str(value))
    edit(notebook(book, "02_a", "import colorsys, os, sys, matplotlib", "'evil' in globals(), 'EVIL' in os.environ, matplotlib.rcParams['figure.dpi'], [p for p in sys.path if 'home' in p]"),
         lambda content: content["metadata"]["kernelspec"].update(name="evil"))
    go()
    assert "(False, False, 100.0, [])" in (go.out / "02_a.html").read_text().replace("&#39;", "'")


def test_each_kernel_is_fresh(go, book):
    for number in ("02", "03"):
        notebook(book, f"{number}_a", "import builtins", "print('marked' if hasattr(builtins, 'mark') else 'clean')\nbuiltins.mark = 1")
    go(jobs=1)
    assert "clean" in (go.out / "03_a.html").read_text()


def test_function_runs_in_a_child_while_the_rest_loads(tmp_path):
    (tmp_path / "builder.py").write_text(textwrap.dedent("""
        import os
        from cxlib.errors import DataError
        def build(folder): return {"pid": os.getpid(), "folder": folder}
        def refuse(): raise DataError("a.csv, row 3: no.")
        def page(notebook, **options): return repr(sorted(options.items()))
    """))
    notebook(tmp_path, "02_a", title="The title")
    with kernels.Kernels(root=tmp_path, environ={"PYTHONPATH": str(tmp_path)}, render="builder:page", preload=QUICK) as room:
        answer = room.call("builder:build", folder="x")
        assert answer["folder"] == "x"
        assert answer["pid"] != os.getpid()
        with pytest.raises(DataError, match=r"a\.csv, row 3"):
            room.call("builder:refuse")
        room.run(studies.find(tmp_path), folder=tmp_path, parameters={"quarter": "2026Q3"}, menu=[{"href": "02_a.html"}], programme_name="Telecom")
    assert (tmp_path / "02_a.html").read_text() == repr([
        ("menu", [{"href": "02_a.html"}]), ("page_id", "02_a"), ("programme_name", "Telecom"), ("quarter", "2026Q3"), ("title", "The title")])


def test_whole_stack_is_loaded_before_the_fork_in_one_thread(tmp_path):
    notebook(tmp_path / "notebooks", "02_a", "import sys, threadpoolctl, wave", f"missing = [name for name in {[name for name in kernels.STACK if ':' not in name]!r} if name not in sys.modules]",
             "print('missing', missing, [pool['num_threads'] for pool in threadpoolctl.threadpool_info()])",
             "loaded = set(sys.modules)\nimport colorsys\nimport matplotlib.pyplot\nfigure, ax = matplotlib.pyplot.subplots()",
             "print('ready', {'wave', 'cxlib.studies', 'cxlib.run', 'IPython.core.debugger'} <= loaded, 'debugpy' in loaded)")
    with kernels.Kernels(root=tmp_path) as room:
        room.run(studies.find(tmp_path / "notebooks"), folder=tmp_path, parameters={})
        stack = room.interpreters[0].pid
        assert sys.platform != "linux" or len(os.listdir(f"/proc/{stack}/task")) == 1
    page = (tmp_path / "02_a.html").read_text()
    assert "missing [] [1" in page
    assert "ready True False" in page
    assert "image/png" in page  # the inline backend is tied to the shell, as by hand


def test_import_of_the_module_loads_nothing_heavy():
    loaded = subprocess.run([sys.executable, "-c", "import sys, cxlib.kernels, cxlib.studies, cxlib.editions; print(*sys.modules)"], capture_output=True, text=True, check=True,
                            env={**os.environ, "PYTHONPATH": str(Path(cxlib.__file__).parents[1])}).stdout.split()
    assert not {"pandas", "numpy", "papermill", "nbconvert", "nbformat", "jupyter_client", "zmq", "pyarrow"} & set(loaded)
