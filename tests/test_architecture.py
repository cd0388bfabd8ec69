"""The shape of the workbook, read from its own source: who imports whom, what nobody imports, and what the command does without."""

import ast
import compileall
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import ROOT

from cxlib import studies

PACKAGE = ROOT / "cxlib"
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(PACKAGE.rglob("*.py"))}
LEVEL = {"load": 0, "measure": 1, "text": 1, "customers": 2, "act": 3}  # load -> measure, text -> customers -> act
FRONT = {"cxlib.report", "cxlib.checks", "cxlib.cli"}  # they put the layers to work, and nothing is built on them
HEAVY = ("pandas", "papermill", "numpy", "pyarrow", "nbconvert", "jupyter_client", "matplotlib")


def imported(name: str, path: Path, *, nested: bool = True) -> set[str]:
    """Full names of what a module imports, `from x import y` as x.y where y is a module of ours; with nested=False only at import time."""
    tree, found = ast.parse(path.read_text("utf-8")), set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    inner = {node for part in ast.walk(tree) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for node in ast.walk(part)} if not nested else set()
    for node in ast.walk(tree):
        if node in inner:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], *([node.module] if node.module else [])]) if node.level else node.module
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value and node.value.partition(":")[0] in MODULES:
            found.add(node.value.partition(":")[0])  # "cxlib.load:prepare", imported by name in another interpreter
    return found


def layer(name: str) -> str:
    """The part of the package a module belongs to; "" for those at its top."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


OURS = {name: {other for other in imported(name, path) if other.split(".")[0] == "cxlib"} for name, path in MODULES.items()}


def test_the_walk_sees_imports_of_every_kind(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("import pickle\nfrom . import errors\nfrom cxlib.load import store\ndef f():\n    from cxlib import show\nG = 'cxlib.load:prepare'\n")
    assert imported("cxlib.x", path) == {"pickle", "cxlib.errors", "cxlib.load.store", "cxlib.show", "cxlib.load"}
    assert imported("cxlib.x", path, nested=False) == {"pickle", "cxlib.errors", "cxlib.load.store", "cxlib.load"}


def test_imports_go_one_way():
    wrong = [f"{name} imports {other}" for name, others in OURS.items() if layer(name) in LEVEL for other in sorted(others)
             if layer(other) in LEVEL and layer(other) != layer(name) and LEVEL[layer(other)] >= LEVEL[layer(name)]]
    assert wrong == []


def test_show_imports_no_layer_and_is_imported_by_those_who_show_only():
    assert [f"{name} imports {other}" for name, others in OURS.items() if layer(name) == "show" for other in sorted(others) if layer(other) in {*LEVEL, "synth"}] == []
    users = {name for name, others in OURS.items() if layer(name) != "show" for other in others if layer(other) == "show"}
    assert users <= {"cxlib.run", *FRONT}


def test_no_layer_is_built_on_the_command_and_nothing_but_the_command_on_the_sample():
    above = {"cxlib.report", "cxlib.cli", "cxlib.checks"}
    assert [f"{name} imports {other}" for name, others in OURS.items() if name not in FRONT for other in sorted(others & above)] == []
    assert {name for name, others in OURS.items() if layer(name) != "synth" for other in others if layer(other) == "synth"} <= {"cxlib.cli"}
    core = [name for name in MODULES if not layer(name) and name not in {"cxlib", *FRONT}]
    assert [f"{name} imports {other}" for name in core for other in sorted(OURS[name]) if layer(other) in LEVEL] == []


def test_no_module_waits_for_itself_at_import_time():
    import graphlib

    waits = {name: {other for other in imported(name, path, nested=False) if other in MODULES and other != name and not name.startswith(f"{other}.")} for name, path in MODULES.items()}
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    graphlib.TopologicalSorter({name: {other for other in others if not other.startswith(f"{name}.")} for name, others in waits.items() if name not in packages}).prepare()


@pytest.mark.parametrize("name", ["pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "yaml"])
def test_nothing_that_runs_what_it_reads_is_imported(name):
    cells = [(study.id, cell.source) for study in studies.find(ROOT / "notebooks") for cell in studies.cells(study)]
    sources = [(module, path.read_text("utf-8")) for module, path in MODULES.items()] + cells
    users = [where for where, source in sources for node in ast.walk(ast.parse(source))
             if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == name for alias in node.names)) or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == name)
             or (isinstance(node, ast.Attribute) and node.attr in ("read_pickle", "to_pickle"))]
    assert users == []
    assert len(sources) > 50


def test_modules_stay_small():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lines.items() if length > 350} == {}


def test_words_that_say_nothing_name_no_module():
    assert [name for name in MODULES for word in name.split(".") if word in ("utils", "helpers", "common", "misc", "manager", "base", "core")] == []


def test_every_module_says_what_it_is():
    assert [name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_notebooks_read_no_finding_that_none_writes():
    every = studies.find(ROOT / "notebooks")
    written = {name for study in every for name in study.writes}
    assert every
    assert {(study.id, name) for study in every for name in study.reads if "*" not in name and name not in written} == set()
    assert [study.id for study in studies.order(every)][-1] == "00_summary"


def test_every_finding_that_is_declared_is_written_by_a_notebook_and_the_reverse():
    from cxlib import schema

    written = {name.split("_")[0] if name.startswith(("claims_", "tests_")) else name for study in studies.find(ROOT / "notebooks") for name in study.writes}
    assert written == set(schema.FINDINGS)


# ------------------------------------------------------------------------------------------------------ what is not loaded


def loads(code: str, *arguments) -> set[str]:
    """The heavy packages that are there after a piece of code ran in an interpreter of its own."""
    tail = f"\nimport sys\nprint('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + tail, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("loaded:")[1].split())


COMMAND = "import sys\nfrom cxlib import cli\ntry:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code"


def test_import_and_help_load_nothing_heavy():
    assert loads("import cxlib") == set()
    assert loads(COMMAND, "--help") == loads(COMMAND, "report", "--help") == set()
    assert loads("import pandas") >= {"pandas", "numpy"}  # the probe itself can see


def test_an_unchanged_report_loads_nothing_heavy(sample_report, tmp_path):
    out = shutil.copytree(sample_report.parents[2], tmp_path / "reports")  # others are looking at the first
    assert (out / "telecom").is_dir()
    assert loads(COMMAND, "report", "--out", out) == set()


def medians(commands: dict[str, list[str]], runs: int = 9) -> dict[str, float]:
    seconds = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=60)
            seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def test_help_takes_at_most_eight_times_a_bare_interpreter_and_import_four():
    """Medians of alternating runs on compiled bytecode; on a busy machine the ratio is noisy, so the best of five such medians counts."""
    compileall.compile_dir(PACKAGE, quiet=1)
    python, best = sys.executable, {"help": 99.0, "import": 99.0}
    for _ in range(5):
        found = medians({"bare": [python, "-c", "pass"], "help": [python, "-m", "cxlib.cli", "--help"], "import": [python, "-c", "import cxlib"]})
        best = {name: min(best[name], found[name] / found["bare"]) for name in best}
        if best["help"] <= 8 and best["import"] <= 4:
            break
    assert best["help"] <= 8
    assert best["import"] <= 4
