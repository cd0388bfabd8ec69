"""Runs the notebooks through papermill, each in a fresh kernel forked from an interpreter that has its imports already.

Two interpreters load side by side: one the analysis stack, one papermill and nbconvert. Each then forks a child for every request it
gets over a local socket, and a child lives exactly as long as the connection that asked for it: the command asks for a study's child,
that child asks for its kernel, so whatever dies, even by kill -9, takes what it started with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cxlib import errors, execution, forks
from cxlib import studies as notebooks
from cxlib.errors import KernelError, StudyError, WorkbookError

# What to import before the first fork; `module:function` is called. The store needs the first few only, so its tables can be built while the rest loads.
STACK = [
    "pandas", "pyarrow.parquet", "pyarrow.dataset", "ibis.backends.duckdb", "cxlib.load", "cxlib.execution:load_kernel", "pandera.pandas", "great_tables",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib_inline.backend_inline", "cxlib.forks:load_package", "cxlib.execution:load_notebooks",
]
STORE_READY = "cxlib.load"
KERNEL = ["cxlib.execution:load_kernel"]
PAPERS = ["cxlib.errors", "papermill", "jupyter_client.manager", "nbconvert"]
# What a user's own set-up could change a result by.
LEFT_OUT = ("PYTHON", "JUPYTER", "IPYTHON", "JPY_", "IPY_", "MPL", "MATPLOTLIB", "PAPERMILL", "XDG_CONFIG", "LC_", "LANG", "OMP_", "OPENBLAS_", "MKL_", "COLUMNS", "LINES")
FIXED = {
    "TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1", "SOURCE_DATE_EPOCH": "1704067200",
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # one thread only may be there when a fork is made
    "MPLBACKEND": "module://matplotlib_inline.backend_inline", "JUPYTER_NO_CONFIG": "1", "JUPYTER_PLATFORM_DIRS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class Kernels:
    """The two preloaded interpreters, loading from the moment this is made; use it in a `with` so that nothing outlives the block."""

    def __init__(self, *, root: str | Path, environ: Mapping[str, str] | None = None, render: str | None = None, preload: Iterable[str] = STACK) -> None:
        self.root, self.render = Path(root), render
        self.private = _private_folder()
        self.interpreters, self.alive = [], []
        try:
            self.environ = _environ(self.private, environ or {})
            self.stack = self._interpreter("stack", list(preload))
            self.papers = self._interpreter("papers", [*PAPERS, f"cxlib.execution:rehearse:{render or execution.PLAIN}"])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End both interpreters with everything they started, and remove the private folder."""
        for end in self.alive:
            end.close()
        for interpreter in self.interpreters:
            try:
                interpreter.wait(timeout=0.5)
            except subprocess.TimeoutExpired:  # in the middle of a long import
                interpreter.kill()
                interpreter.wait()
        shutil.rmtree(self.private, ignore_errors=True)

    def call(self, function: str, /, *, after: str | None = STORE_READY, **options):
        """Run `module:function(**options)` in a child of the analysis interpreter, as soon as `after` is imported, and return its (JSON) value."""
        with _Child(self, self.stack, "call", function, options, after=after) as child:
            while not child.over():
                _wait([child], child.deadline)
            return child.value()

    def run(
        self, studies: Iterable[notebooks.Study], *, folder: str | Path, parameters: Mapping, jobs: int = 2, environ: Mapping[str, str] | None = None,
        timeout: float = 1800, report: Callable[[str], None] | None = None, menu: list[dict] | None = None, programme_name: str = "", expected: Mapping[str, float] | None = None,
    ) -> dict[str, float]:
        """Run studies side by side, a page each in `folder`, and return the seconds of each.

        `parameters` reach a notebook only under names it declares; `environ` is added in its kernel; `expected` (seconds of an earlier run)
        lets long studies start first; without it the longest notebook does. A failed study's notebook is kept in `folder/failed/`.
        Raises StudyError (a cell raised), KernelError (dead or out of time), or the DataError, UsageError or PublishError a cell raised.
        """
        studies, folder = list(studies), Path(folder)
        for study in studies:
            _refuse(study, parameters)
        sequence, before = notebooks.order(studies), notebooks.waits(studies)
        seconds: dict[str, float] = {}
        running: dict[str, _Child] = {}
        try:
            while len(seconds) < len(studies):
                ready = [study for study in sequence if study.id not in seconds and study.id not in running and before[study.id] <= set(seconds)]
                for study in sorted(ready, key=lambda study: (-(expected or {}).get(study.id, 0.0), -study.path.stat().st_size))[: max(jobs, 1) - len(running)]:
                    running[study.id] = self._start(study, folder, parameters, environ or {}, timeout, menu or [], programme_name)
                _wait(running.values(), min(child.deadline for child in running.values()))
                for name, child in list(running.items()):
                    try:
                        if child.over():
                            seconds[name] = child.value()
                        elif time.monotonic() > child.deadline:
                            raise KernelError(f"{name}.ipynb did not finish within {timeout:g} s and was ended{execution.where(child.notebook)}.")
                        else:
                            continue
                    except WorkbookError:
                        _keep(child.notebook, folder / "failed")
                        raise
                    running.pop(name).close()
                    if report:
                        report(f"[{len(seconds)}/{len(studies)}] {name}  {seconds[name]:.1f} s")
        finally:
            for child in running.values():
                child.close()
        return seconds

    def _start(self, study, folder, parameters, environ, timeout, menu, programme_name) -> _Child:
        options = {
            "notebook": str(study.path), "study": study.id, "title": study.title, "page": str(folder / study.page), "menu": menu, "render": self.render,
            "parameters": {name: value for name, value in parameters.items() if name in study.parameters}, "programme_name": programme_name,
            "quarter": str(parameters.get("quarter", "")), "cwd": str(self.root), "private": str(self.private), "kernels": self.stack, "environ": dict(environ),
        }
        return _Child(self, self.papers, study.id, "cxlib.execution:study", options, timeout=timeout)

    def _interpreter(self, name: str, modules: list[str]) -> str:
        """Start an interpreter that preloads `modules`; return the address it takes requests at (they may come before it is ready)."""
        address, (mine, theirs) = str(self.private / name), socket.socketpair()
        self.alive.append(mine)
        with socket.socket(socket.AF_UNIX) as listener, theirs, open(self.private / f"{name}.log", "wb") as log:
            listener.bind(address)
            listener.listen(64)
            passed = (listener.fileno(), theirs.fileno())
            package = str(Path(__file__).resolve().parents[1])
            start = f"import sys; sys.path.insert(0, {package!r}); from cxlib import forks; forks.serve(*{passed}, {modules!r}, {str(self.private)!r}, {os.getpid()})"
            # -P and -s: neither the working directory nor the user's own packages come before the environment's
            command = [sys.executable, "-P", "-s", "-c", start]
            self.interpreters.append(subprocess.Popen(
                command, pass_fds=passed, cwd=self.root, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))
        return address


def run(studies: Iterable[notebooks.Study], *, root: str | Path, render: str | None = None, environ: Mapping[str, str] | None = None, preload: Iterable[str] = STACK, **options) -> dict[str, float]:
    """Run studies in interpreters of their own: `Kernels(...)` and its `run`, for whoever has nothing to do while they load."""
    with Kernels(root=root, environ=environ, render=render, preload=preload) as kernels:
        return kernels.run(studies, **options)


class _Child:
    """A child asked of an interpreter; closing the connection ends it."""

    def __init__(self, kernels: Kernels, address: str, name: str, target: str, options: dict, *, after: str | None = None, timeout: float = 86400) -> None:
        self.name, self.deadline, self.exit = name, time.monotonic() + timeout, None
        self.result, self.notebook = kernels.private / f"{name}.result", kernels.private / f"{name}.ipynb"
        for stale in (self.result, self.notebook):
            stale.unlink(missing_ok=True)
        request = {"target": target, "options": options, "after": after, "name": name, "cwd": str(kernels.root), "log": f"{kernels.private}/{name}.log", "result": str(self.result)}
        try:
            self.connection = forks.ask(address, request)
        except OSError:
            raise KernelError(f"The interpreter that {name} should run in has ended{forks.last_line(Path(address + '.log'))}.") from None

    def over(self) -> bool:
        """Whether the child has ended."""
        if self.exit is None:
            self.exit = forks.exit_code(self.connection)
        return self.exit is not None

    def value(self):
        """Return what the child returned, or raise what it raised."""
        if not self.result.exists():
            raise KernelError(f"The interpreter of {self.name} died ({forks.death(self.exit)}){forks.last_line(self.result.with_suffix('.log'))}.")
        outcome = json.loads(self.result.read_bytes())
        if "error" in outcome:
            raise getattr(errors, outcome["error"], WorkbookError)(outcome["message"])
        return outcome["value"]

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()


def _refuse(study: notebooks.Study, parameters: Mapping) -> None:
    if not study.tagged:
        raise StudyError(f"{study.path.name} has no cell tagged 'parameters' (or more than one): papermill would run its defaults instead of what was asked.")
    for name in parameters:
        if not str(name).isidentifier():
            raise errors.UsageError(f"'{name}' is not a parameter's name.")


def _wait(children: Iterable[_Child], deadline: float) -> None:
    select.select([child.connection for child in children if child.exit is None], [], [], max(0.0, deadline - time.monotonic()) + 0.01)


def _keep(notebook: Path, folder: Path) -> None:
    with contextlib.suppress(OSError):  # a full disk must not hide the error itself
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, folder / notebook.name)


def _private_folder() -> Path:
    """A folder of our own with a name short enough for sockets (some systems allow 104 characters)."""
    folder = tempfile.mkdtemp(prefix="cx-")
    if len(folder) > 70:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="cx-", dir="/tmp")
    os.mkdir(Path(folder, "tmp"))
    return Path(folder)


def _environ(private: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What the interpreters see: nothing of the user's own Python, Jupyter or matplotlib set-up, one time zone, locale, hash seed and BLAS thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    mine = dict.fromkeys(("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CONFIG_HOME"), f"{private}/tmp")
    # the secret of the workplace stays the user's own: one made in a folder of this run would give every run other pseudonyms
    own = os.environ.get("CX_SALT_FILE") or Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "cxlib", "salt")
    mine["CX_SALT_FILE"] = os.path.abspath(own)
    if sys.platform == "darwin":  # where matplotlib looks in the home folder only; its font cache must outlive the run
        mine["MPLCONFIGDIR"] = str(Path(sys.prefix, "var", "matplotlib"))
    return kept | FIXED | mine | {"TMPDIR": f"{private}/tmp"} | dict(extra)
