"""The environment: one list of packages in four forms, no host name in any of them, and what the set-up says where it cannot go on."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from small import ROOT

CORE = {"jupyterlab", "pandas", "statsmodels", "seaborn", "scikit-learn", "spacy", "papermill", "nbconvert"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def name_of(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-").replace(".", "-")


def test_environment_yml_states_the_packages_of_pyproject_toml():
    lines = (ROOT / "environment.yml").read_text("utf-8").splitlines()
    stated = [line.removeprefix("      - ") for line in lines if line.startswith("      - ")]
    assert stated == ["-c constraints.txt", *PROJECT["project"]["dependencies"], "-e ."]
    assert "  - python=3.11" in lines
    assert {name_of(line) for line in stated[1:-1]} >= CORE


def test_lock_script_writes_what_is_there(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import lock

    assert lock.environment(PROJECT) == (ROOT / "environment.yml").read_text("utf-8")
    assert lock.constraints((ROOT / "requirements.lock").read_text("utf-8")) == (ROOT / "constraints.txt").read_text("utf-8")


def test_constraints_are_the_pins_of_the_lock_without_hashes():
    lock, constraints = ((ROOT / name).read_text("utf-8") for name in ("requirements.lock", "constraints.txt"))
    pins = [re.sub(r"\s*\\$", "", line).strip() for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
    assert [line for line in constraints.splitlines() if line and not line.startswith("#")] == pins
    assert len(pins) > 100
    assert "--hash" not in constraints
    blocks = re.split(r"\n(?=[a-z0-9])", lock)
    assert [block.splitlines()[0] for block in blocks if re.match(r"[a-z0-9]", block) and "--hash=sha256:" not in block] == []


def test_every_package_that_is_named_is_locked_at_a_version_that_fits():
    from packaging.requirements import Requirement

    pinned = {name_of(line): line.split("==")[1].split(" ;")[0].strip() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line and "python_full_version >= '3.12'" not in line}
    for text in (*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]):
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[name_of(text)]), text


@pytest.mark.parametrize("name", ["environment.yml", "constraints.txt", "requirements.lock", "pyproject.toml", "Makefile", "overrides.txt"])
def test_no_address_stands_in_the_files_of_the_environment(name):
    assert "://" not in (ROOT / name).read_text("utf-8")


@pytest.mark.skipif(Path(sys.prefix, "conda-meta").is_dir(), reason="conda resolves by itself and has the slow validator")
def test_the_slow_validator_is_left_out_and_jsonschema_works_without_it():
    import jsonschema

    assert importlib.util.find_spec("rfc3987_syntax") is None
    checker = jsonschema.Draft202012Validator({"type": "string", "format": "date"}, format_checker=jsonschema.FormatChecker())
    assert checker.is_valid("2026-11-21")
    assert not checker.is_valid("2026-13-21")
    import jupyter_events  # noqa: F401  (the package that asks for the validator)


def test_the_packages_that_run_are_the_ones_that_are_locked():
    from importlib import metadata

    pinned = dict(line.split(" ;")[0].strip().split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line and "3.12" not in line)
    wanted = {name_of(text) for text in PROJECT["project"]["dependencies"]}
    assert {name: metadata.version(name) for name in wanted} == {name: pinned[name] for name in wanted}


# ------------------------------------------------------------------------------------------------------ the Makefile


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")


def make(folder: Path, *words, path: str | None = None):
    clean = {"PATH": path or os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(["make", *words], cwd=folder, env=clean, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path):
    """The files of a clone that the set-up needs."""
    for name in ("Makefile", "requirements.lock", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@needs_make
@pytest.mark.parametrize(("target", "command"), [("report", "cx report"), ("test", "-m pytest"), ("lab", "jupyter lab"), ("slow", "pytest -m slow"), ("lock", "tools/lock.py"), ("lint", "ruff check")])
def test_targets_build_the_environment_first_and_then_run_their_command(target, command, clone):
    code, said = make(clone, "-n", target)
    assert code == 0, said
    assert command in said
    assert said.index("-m venv .venv") < said.index("--no-deps --require-hashes -r requirements.lock") < said.index(command)


@needs_make
def test_help_names_every_target(clone):
    code, said = make(clone, "help")
    targets = re.search(r"^\.PHONY: (.*)$", (clone / "Makefile").read_text("utf-8"), re.M).group(1).split()
    assert code == 0
    assert {name for name in targets if f"make {name} " not in said} <= {"help", "lint", "clean", "codebook"}


@needs_make
@pytest.mark.parametrize("python", ["/nonexistent", "false", "sh"])
def test_a_missing_python_is_named_with_the_remedy_and_nothing_is_made(python, clone):
    code, said = make(clone, f"PYTHON={python}", ".venv/.ready")
    assert code == 2  # make's own code for a target that failed
    assert f"This workbook needs Python 3.11 and found '{python}' instead. Install python3.11, or name it: make PYTHON=" in said
    assert not (clone / ".venv").exists()


@needs_make
def test_another_python_is_refused_by_its_version(clone):
    (clone / "python9").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = (3, 9); exec(sys.argv[2])" "$@"\n')
    (clone / "python9").chmod(0o755)
    code, said = make(clone, f"PYTHON={clone / 'python9'}", ".venv/.ready")
    assert (code, "needs Python 3.11" in said, (clone / ".venv").exists()) == (2, True, False)


@needs_make
def test_ready_means_ready(clone):
    (clone / ".venv").mkdir()
    (clone / ".venv" / ".ready").touch()
    for path in clone.glob("*.*"):
        os.utime(path, (10**9, 10**9))
    code, said = make(clone, "-n", "report")
    assert (code, said.strip()) == (0, ".venv/bin/cx report")


def test_ci_runs_the_command_of_the_readme():
    lines = [line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[-1] == "make test"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
