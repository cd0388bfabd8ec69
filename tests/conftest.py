"""What every test may use: the workbook's command, and a programme small enough to read in one look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"

TINY = """
name = "Tiny"
timezone = "Europe/Berlin"
[scales.recommend]
low = 0
high = 10
missing = {99 = "don't know"}
[scales.five]
low = 1
high = 5
missing = {6 = "never used"}
[[surveys]]
id = "poll"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link", "quote"]
[[waves]]
id = "a"
survey = "poll"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "a.csv"
columns = {response_id = "id", country = "land", person_id = "person"}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "price"
wording = "Price"
scale = "five"
[[items]]
id = "comment"
kind = "verbatim"
wording = "Why?"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[drivers]]
survey = "poll"
kpis = ["nps"]
items = ["price"]
"""
HEADER = "id,land,person,recommend,price,comment\n"
ROWS = "".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},It is fine.\n" for i in range(60))


@pytest.fixture
def tiny(tmp_path):
    """Return a function that writes a one-wave programme and gives its folder: `tiny(rows=..., toml=..., header=...)`."""

    def make(rows: str | bytes = ROWS, *, toml: str = TINY, header: str = HEADER, name: str = "tiny") -> Path:
        folder = tmp_path / name
        (folder / "raw").mkdir(parents=True, exist_ok=True)
        (folder / "programme.toml").write_text(toml, encoding="utf-8")
        (folder / "raw" / "a.csv").write_bytes(rows if isinstance(rows, bytes) else (header + rows).encode())
        return folder

    return make


@pytest.fixture(scope="session")
def cx():
    """Return a function that runs the command as a user does and gives (exit code, output, errors)."""

    def run(*arguments, env: dict | None = None, timeout: float = 300, cwd: Path = ROOT):
        done = subprocess.run([sys.executable, "-m", "cxlib.cli", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=timeout, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})})
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="session")
def sample_report(cx, tmp_path_factory):
    """Return the draft of the shipped sample's latest quarter, built once for every test that looks at it."""
    out = tmp_path_factory.mktemp("sample") / "reports"
    code, said, errors = cx("report", "--out", out)
    assert code == 0, errors
    return Path(said.strip().splitlines()[-1]).parent


@pytest.fixture
def shared():
    """Return the folder of public data beside the repository; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("the public data beside the repository are not here")
    return SHARED
