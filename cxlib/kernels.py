"""Runs the notebooks through papermill, each in a fresh kernel forked from an interpreter that has its imports already.

Two interpreters load side by side: one the analysis stack, one papermill and nbconvert. Each then forks a child for every request it
gets over a local socket, and a child lives exactly as long as the connection that asked for it: the command asks for a study's child,
that child asks for its kernel, so whatever dies, even by kill -9, takes what it started with it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cxlib import errors
from cxlib import studies as notebooks
from cxlib.errors import KernelError, StudyError, WorkbookError

# What to import before the first fork; `module:function` is called. The store needs the first few only, so its tables can be built while the rest loads.
STACK = [
    "pandas", "pyarrow.parquet", "pyarrow.dataset", "ibis.backends.duckdb", "cxlib.load", "cxlib.kernels:_load_kernel", "pandera.pandas", "great_tables",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib_inline.backend_inline", "cxlib.kernels:_load_package", "cxlib.kernels:_load_notebooks",
]
STORE_READY = "cxlib.load"
PLAIN = "cxlib.kernels:_plain_page"
KERNEL = ["cxlib.kernels:_load_kernel"]
PAPERS = ["cxlib.errors", "papermill", "jupyter_client.manager", "nbconvert"]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
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
            self.papers = self._interpreter("papers", [*PAPERS, f"cxlib.kernels:_rehearse:{render or PLAIN}"])
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
        lets long studies start first. A failed study's notebook is kept in `folder/failed/`.
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
                for study in sorted(ready, key=lambda study: -(expected or {}).get(study.id, 0.0))[: max(jobs, 1) - len(running)]:
                    running[study.id] = self._start(study, folder, parameters, environ or {}, timeout, menu or [], programme_name)
                _wait(running.values(), min(child.deadline for child in running.values()))
                for name, child in list(running.items()):
                    try:
                        if child.over():
                            seconds[name] = child.value()
                        elif time.monotonic() > child.deadline:
                            raise KernelError(f"{name}.ipynb did not finish within {timeout:g} s and was ended{_where(child.notebook)}.")
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
        return _Child(self, self.papers, study.id, "cxlib.kernels:_study", options, timeout=timeout)

    def _interpreter(self, name: str, modules: list[str]) -> str:
        """Start an interpreter that preloads `modules`; return the address it takes requests at (they may come before it is ready)."""
        address, (mine, theirs) = str(self.private / name), socket.socketpair()
        self.alive.append(mine)
        with socket.socket(socket.AF_UNIX) as listener, theirs, open(self.private / f"{name}.log", "wb") as log:
            listener.bind(address)
            listener.listen(64)
            passed = (listener.fileno(), theirs.fileno())
            package = str(Path(__file__).resolve().parents[1])
            start = f"import sys; sys.path.insert(0, {package!r}); from cxlib import kernels; kernels._serve(*{passed}, {modules!r}, {str(self.private)!r}, {os.getpid()})"
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
            self.connection = _ask(address, request)
        except OSError:
            raise KernelError(f"The interpreter that {name} should run in has ended{_last(Path(address + '.log'))}.") from None

    def over(self) -> bool:
        """Whether the child has ended."""
        if self.exit is None:
            self.exit = _exit_code(self.connection)
        return self.exit is not None

    def value(self):
        """Return what the child returned, or raise what it raised."""
        if not self.result.exists():
            raise KernelError(f"The interpreter of {self.name} died ({_death(self.exit)}){_last(self.result.with_suffix('.log'))}.")
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


# ---------------------------------------------------------------------------------------------- the preloaded interpreter


def _serve(listener: int, alive: int, modules: list[str], private: str, parent: int) -> None:
    """Import the modules, fork a child for each request, report its exit, end it when its connection closes; end when the command ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_in, wake_out = socket.socketpair()
    for end in (wake_in, wake_out):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_out.fileno())
    listener, alive = socket.socket(fileno=listener), socket.socket(fileno=alive)
    selector, pending, children = selectors.DefaultSelector(), list(modules), {}
    waiting: list[tuple[socket.socket, dict]] = []
    for end in (listener, alive, wake_in):
        selector.register(end, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select(0 if pending or waiting else None):
            if key.fileobj is alive:
                for pid in children:
                    _end(pid)
                shutil.rmtree(private, ignore_errors=True)
                os._exit(0)
            elif key.fileobj is wake_in:
                with contextlib.suppress(BlockingIOError):
                    wake_in.recv(4096)
            elif key.fileobj is listener:
                connection = listener.accept()[0]
                waiting.append((connection, json.loads(_line(connection))))
            else:  # whoever asked for this child is gone
                for pid, connection in children.items():
                    if connection is key.fileobj:
                        _end(pid)
                selector.unregister(key.fileobj)
        for pid, connection in list(children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _end(pid, itself=False)  # only what it left behind in its group
                del children[pid]
                with contextlib.suppress(KeyError, ValueError):
                    selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(f"exit {os.waitstatus_to_exitcode(status)}\n".encode())
                connection.close()
        for connection, request in [item for item in waiting if not pending or item[1]["after"] not in (None, *pending)]:
            waiting.remove((connection, request))
            ours = os.getpid()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                selector.close()
                for end in (listener, alive, wake_in, wake_out, connection, *children.values(), *(other for other, _ in waiting)):
                    end.close()
                _child(request, ours)
            with contextlib.suppress(OSError):
                connection.sendall(f"pid {pid}\n".encode())
            children[pid] = connection
            selector.register(connection, selectors.EVENT_READ)
        if pending:
            with contextlib.suppress(Exception):  # a module that is missing here is missed by the notebook that needs it
                _load(pending[0])
            pending.pop(0)


def _load(entry: str) -> None:
    """Import a module, or call `module:function` (with what follows a second colon)."""
    module, _, call = entry.partition(":")
    if call:
        function, _, argument = call.partition(":")
        _named(f"{module}:{function}")(*[argument] if argument else [])
    else:
        importlib.import_module(module)


def _load_kernel() -> None:
    """All that an IPython kernel imports when it starts, but for JupyterLab's debugger, which costs each kernel a fifth of a second."""
    sys.modules.setdefault("debugpy", None)
    for name in ("ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.debugger", "IPython.core.completerlib", "IPython.core.oinspect",
                 "IPython.extensions.storemagic", "sqlite3", "tornado.platform.asyncio"):  # fmt: skip
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if sys.modules["debugpy"] is None:
        del sys.modules["debugpy"]


def _load_package() -> None:
    """The workbook's own modules, with what they import; the command line and the maker of samples are of no use to a notebook."""
    import pkgutil

    import cxlib

    for module in pkgutil.walk_packages(cxlib.__path__, "cxlib.", onerror=lambda name: None):
        if not module.name.startswith(("cxlib.cli", "cxlib.synth")):
            with contextlib.suppress(Exception):
                importlib.import_module(module.name)


def _load_notebooks() -> None:
    """What the notebooks of this workbook import themselves."""
    for study in notebooks.find("notebooks"):
        for name in study.imports:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _rehearse(render: str) -> None:
    """Make one page for nobody: schemas, patterns and templates are compiled before the fork instead of in each child."""
    import nbformat
    from jupyter_client.provisioning import KernelProvisionerFactory

    KernelProvisionerFactory.instance()
    v4 = nbformat.v4
    outputs = [v4.new_output("stream", text="1"), v4.new_output("display_data", {"text/html": "<p>1</p>", "text/plain": "1"}), v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)]
    cells = [v4.new_markdown_cell("# One\n\n*two* `three`\n\n- four\n\n| a |\n|---|\n| $b$ |"), v4.new_code_cell("one = 1  # two", execution_count=1, outputs=outputs)]
    notebook = v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}})
    nbformat.validate(notebook)
    _named(render)(notebook, title="One", menu=[("one.html", "One")], page_id="one", programme_name="One", quarter="2026Q3")


def _child(request: dict, parent: int) -> None:
    """The forked child: own session, own log, the asked function; its value or its error goes to the result file. Never returns."""
    code = 1
    try:
        os.setsid()
        _die_with(parent)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.chdir(request["cwd"])
        try:
            outcome = {"value": _named(request["target"])(**request["options"])}
        except WorkbookError as error:
            outcome = {"error": type(error).__name__, "message": str(error)}
        except Exception as error:
            traceback.print_exc()
            full = isinstance(error, OSError) and error.errno in FULL
            outcome = {"error": "PublishError" if full else "WorkbookError", "message": f"{request['name']}: {type(error).__name__}: {error}"}
        if request["result"]:
            Path(request["result"] + "~").write_text(json.dumps(outcome))
            os.replace(request["result"] + "~", request["result"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _kernel(arguments: list[str], environ: dict, note: str) -> None:
    """An IPython kernel in this fork; the error that ends a cell is noted by class, so that a fault in the data is told from one in the study."""
    os.environ.update(environ)
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.parent_handle = os.getppid()  # ipykernel's own watch over its parent: the fall-back where the system has no parent-death signal
    app.initialize(arguments)
    if "matplotlib_inline.backend_inline" in sys.modules:  # imported before there was a shell: tie the two together as its import would have
        sys.modules["matplotlib_inline.backend_inline"]._enable_matplotlib_integration()

    def remember(result) -> None:
        error = result.error_in_exec or result.error_before_exec
        if error is not None:
            full = isinstance(error, OSError) and error.errno in FULL
            kind = "PublishError" if full else type(error).__name__ if isinstance(error, WorkbookError) else ""
            Path(note).write_text(json.dumps({"kind": kind, "message": str(error)}))

    app.shell.events.register("post_run_cell", remember)
    app.start()


# ------------------------------------------------------------------------------------------------------ a study's child


def _study(*, notebook, study, title, page, menu, render, parameters, programme_name, quarter, cwd, private, kernels, environ) -> float:
    """Execute one notebook and write its page, all in this child; return the seconds of the execution."""
    import logging
    import warnings

    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    name, output, note = Path(notebook).name, Path(private, f"{study}.ipynb"), Path(private, f"{study}.note")
    _save_seldom(output.with_suffix(".where"))
    manager = _kernel_manager(study, Path(private), kernels, cwd, environ, note)
    try:
        executed = papermill.execute_notebook(
            # papermill fills braces in paths as templates
            notebook.replace("{", "{{").replace("}", "}}"), str(output).replace("{", "{{").replace("}", "}}"), parameters=parameters, kernel_name="python3",
            language="python", engine_name="seldom", progress_bar=False, log_output=False, cwd=cwd, km=manager, start_timeout=60)
    except papermill.PapermillExecutionError as error:
        noted = json.loads(note.read_bytes()) if note.exists() else {"kind": "", "message": ""}
        last = (str(error.evalue).strip().splitlines() or [""])[-1]
        if noted["kind"] in ("DataError", "UsageError"):
            raise getattr(errors, noted["kind"])(noted["message"]) from None
        if noted["kind"] != "NotAnswerable":
            kind = errors.PublishError if noted["kind"] == "PublishError" else StudyError
            raise kind(f"{name}{_where(output)}: {error.ename}{': ' + last if last else ''}") from None
        executed = _ended(output, noted["message"])
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        code = manager.provisioner and manager.provisioner.poll_now()
        raise KernelError(f"The kernel of {name} died ({error if code is None else _death(code)}){_where(output)}.") from None
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill's is random, and pages carry it
    manager.provisioner.connection.close()  # the kernel ends while its page is written
    html = _named(render or PLAIN)(executed, title=title, menu=menu, page_id=Path(page).stem, programme_name=programme_name, quarter=quarter)
    temporary = Path(f"{page}~")
    temporary.write_text(html, encoding="utf-8", newline="\n")
    os.replace(temporary, page)
    return time.monotonic() - manager.provisioner.born


def _ended(notebook: Path, sentence: str):
    """Return a notebook up to the cell that found that its question cannot be answered, with the sentence that says so in place of the error."""
    import html

    import nbformat

    found = nbformat.read(notebook, as_version=4)
    cells = [cell for cell in found.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    last = next(place for place, cell in enumerate(cells) if any(output.output_type == "error" for output in cell.get("outputs", [])))
    said = f'<p class="cx-unanswered"><strong>{html.escape(sentence)}</strong></p>'
    cells[last].outputs = [nbformat.v4.new_output("display_data", {"text/html": said, "text/plain": sentence})]
    found.cells = cells[: last + 1]
    return found


def _save_seldom(place: Path) -> None:
    """Give papermill an engine that writes the notebook at most every second (it would twice a cell), and in `place` the cell it is at."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Seldom(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **options):
            write, saved = nb_man.save, time.monotonic()

            def save(**_):
                nonlocal saved
                number, source = 0, ""
                for cell in nb_man.nb.cells:
                    if cell.cell_type == "code" and cell.metadata.papermill["start_time"]:
                        number += "injected-parameters" not in cell.metadata.get("tags", [])
                        source = cell.source.strip() or "empty"
                if number:
                    place.write_text(f", code cell {number} ({source.splitlines()[0][:80]})", encoding="utf-8")
                if nb_man.end_time or time.monotonic() - saved > 1:
                    write()
                    saved = time.monotonic()

            nb_man.save = save
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("seldom", Seldom)


def _kernel_manager(study: str, private: Path, kernels: str, cwd: str, environ: dict, note: Path):
    """Jupyter's own kernel manager over the ipc transport, with a provisioner that asks the analysis interpreter for a fork.

    No kernelspec is looked up on disk, so none of the user's can be found; the connection file and the sockets lie in the private folder.
    """
    from types import SimpleNamespace

    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

    class Fork(LocalProvisioner):
        connection = None

        async def launch_kernel(self, cmd, **options):
            own = {**environ, "IPYTHONDIR": str(private / f"{study}.ipython")}
            request = {"arguments": cmd[cmd.index("-f"):], "environ": own, "note": str(note)}
            request = {"target": "cxlib.kernels:_kernel", "options": request, "after": None, "name": study, "cwd": cwd, "log": f"{private}/{study}.kernel.log", "result": ""}
            try:
                self.connection = _ask(kernels, request)
                self.process, self.pid = self, int(_line(self.connection).split()[1])
            except (OSError, IndexError):
                raise KernelError(f"The interpreter that the kernel of {study} should run in has ended{_last(Path(kernels + '.log'))}.") from None
            self.pgid, self.born = self.pid, time.monotonic()
            return self.connection_info

        async def poll(self):
            return self.poll_now()

        def poll_now(self):
            if self.returncode is None:
                self.returncode = _exit_code(self.connection)
            return self.returncode

        async def wait(self):
            import asyncio

            while self.poll_now() is None:
                await asyncio.sleep(0.02)
            self.process = None
            return self.returncode

        returncode = None

    class Specs(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            return KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], display_name="Python 3", language="python",
                              metadata={"kernel_provisioner": {"provisioner_name": "fork"}})

    KernelProvisionerFactory.provisioners["fork"] = SimpleNamespace(name="fork", value="fork", load=lambda: Fork)
    return AsyncKernelManager(kernel_name="python3", transport="ipc", connection_file=str(private / f"k{os.getpid()}.json"), kernel_spec_manager=Specs())


def _plain_page(notebook, *, title, menu, page_id, programme_name, quarter) -> str:
    """nbconvert's own page, for folders of notebooks without a template."""
    from nbconvert import HTMLExporter

    return HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]


# --------------------------------------------------------------------------------------------------------------- small parts


def _refuse(study: notebooks.Study, parameters: Mapping) -> None:
    if not study.tagged:
        raise StudyError(f"{study.path.name} has no cell tagged 'parameters' (or more than one): papermill would run its defaults instead of what was asked.")
    for name in parameters:
        if not str(name).isidentifier():
            raise errors.UsageError(f"'{name}' is not a parameter's name.")


def _where(notebook: Path) -> str:
    """', code cell 3 (first line)': the cell that failed or was running, counted as the researcher sees the notebook."""
    place = notebook.with_suffix(".where")
    return place.read_text(encoding="utf-8") if place.exists() else ""


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-code).name}{', as when memory runs out' if code == -signal.SIGKILL else ''}"
    return f"it exited with code {code}"


def _last(log: Path) -> str:
    """': ' and the last line of a log, where there is one."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f": {lines[-1]}" if lines else ""


def _named(target: str):
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _ask(address: str, request: dict) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    connection.sendall(json.dumps(request).encode() + b"\n")
    return connection


def _line(connection: socket.socket) -> bytes:
    """One line, byte by byte: what follows it stays in the socket."""
    line = b""
    while (byte := connection.recv(1)) not in (b"", b"\n"):
        line += byte
    return line


def _exit_code(connection: socket.socket) -> int | None:
    """The exit code once the child has ended, else None; an interpreter that is gone took its children with it."""
    while select.select([connection], [], [], 0)[0]:
        try:
            word = _line(connection).split()
        except ConnectionError:
            word = []
        if not word:
            return -signal.SIGKILL
        if word[0] == b"exit":
            return int(word[1])
    return None


def _wait(children: Iterable[_Child], deadline: float) -> None:
    select.select([child.connection for child in children if child.exit is None], [], [], max(0.0, deadline - time.monotonic()) + 0.01)


def _end(pid: int, itself: bool = True) -> None:
    for end in (os.killpg, os.kill) if itself else (os.killpg,):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def _die_with(parent: int) -> None:
    """On Linux the system itself ends a child whose interpreter is gone; elsewhere ipykernel's watch does, within a second."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


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
    if sys.platform == "darwin":  # where matplotlib looks in the home folder only; its font cache must outlive the run
        mine["MPLCONFIGDIR"] = str(Path(sys.prefix, "var", "matplotlib"))
    return kept | FIXED | mine | {"TMPDIR": f"{private}/tmp"} | dict(extra)
