"""What every test may use: the workbook's command, and a programme small enough to read in one look."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import HEADER, ROOT, ROWS, SHARED, SHIPPED, TINY

from cxlib import load, programme

os.environ.setdefault("CX_SALT", "the secret of the tests")  # read by the same code as anybody's; commands that are run inherit it


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
def together(tmp_path_factory):
    """Return the folder of this run of the tests that its workers share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def once(folder: Path, make) -> Path:
    """Return the draft that `make` gives, made by whichever worker comes first; the others wait for it."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "draft").exists():
            (folder / "draft").write_text(str(make()))
    return Path((folder / "draft").read_text())


@pytest.fixture(scope="session")
def loaded(together):
    """Return a folder of reports that all workers load into: a store is named by what it was made of, so the same files are read once."""
    return together / "loaded"


@pytest.fixture(scope="session")
def sample(loaded):
    """Return a function that gives the tables of the shipped sample as known in a quarter: `sample("2026Q3")`."""
    found = programme.read(SHIPPED)
    return lambda quarter: load.tables(found, quarter, out=loaded)


@pytest.fixture(scope="session")
def sample_report(cx, together):
    """Return the draft of the shipped sample's latest quarter, built once for every test that looks at it."""

    def make():
        elsewhere = {"TZ": "America/Denver", "LC_ALL": "C", "PYTHONHASHSEED": "99", "PYTHONUTF8": "0", "COLUMNS": "40", "MPLBACKEND": "agg"}  # compared with another place in fault 35
        code, said, errors = cx("report", "--fresh", "--jobs", "2", "--out", together / "sample" / "reports", env=elsewhere, timeout=900)
        assert code == 0, errors
        return Path(said.strip().splitlines()[-1]).parent

    return once(together / "sample", make)


@pytest.fixture(scope="session")
def hostile_report(cx, together):
    """Return the draft of a programme in which every text is an attack, built once."""
    import hostile

    def make():
        folder = together / "attack" / "hostile"
        hostile.write(folder)
        code, said, errors = cx("report", folder, "--out", folder.parent / "reports", "-p", "replicates=200", "-p", "confidence_draws=1024", timeout=900)
        assert code == 0, errors
        assert "Traceback" not in errors
        return Path(said.strip().splitlines()[-1]).parent

    return once(together / "attack", make)


@pytest.fixture
def shared():
    """Return the folder of public data beside the repository; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("the public data beside the repository are not here")
    return SHARED
