"""One notebook: executed by papermill in a fresh kernel forked from the preloaded interpreter, and made into its page."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from pathlib import Path

from cxlib import errors, forks
from cxlib import studies as notebooks
from cxlib.errors import KernelError, StudyError, WorkbookError

PLAIN = "cxlib.execution:plain_page"


def load_kernel() -> None:
    """All that an IPython kernel imports when it starts, but for JupyterLab's debugger, which costs each kernel a fifth of a second."""
    sys.modules.setdefault("debugpy", None)
    for name in ("ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.debugger", "IPython.core.completerlib", "IPython.core.oinspect",
                 "IPython.extensions.storemagic", "sqlite3", "tornado.platform.asyncio"):  # fmt: skip
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if sys.modules["debugpy"] is None:
        del sys.modules["debugpy"]


def load_notebooks() -> None:
    """What the notebooks of this workbook import themselves."""
    for study in notebooks.find("notebooks"):
        for name in study.imports:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def rehearse(render: str) -> None:
    """Make one page for nobody: schemas, patterns and templates are compiled before the fork instead of in each child."""
    import nbformat
    from jupyter_client.provisioning import KernelProvisionerFactory

    KernelProvisionerFactory.instance()
    v4 = nbformat.v4
    outputs = [v4.new_output("stream", text="1"), v4.new_output("display_data", {"text/html": "<p>1</p>", "text/plain": "1"}), v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)]
    cells = [v4.new_markdown_cell("# One\n\n*two* `three`\n\n- four\n\n| a |\n|---|\n| $b$ |"), v4.new_code_cell("one = 1  # two", execution_count=1, outputs=outputs)]
    notebook = v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}})
    nbformat.validate(notebook)
    forks.named(render)(notebook, title="One", menu=[("one.html", "One")], page_id="one", programme_name="One", quarter="2026Q3")


def kernel(arguments: list[str], environ: dict, note: str) -> None:
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
            full = isinstance(error, OSError) and error.errno in forks.FULL
            kind = "PublishError" if full else type(error).__name__ if isinstance(error, WorkbookError) else ""
            Path(note).write_text(json.dumps({"kind": kind, "message": str(error)}))

    app.shell.events.register("post_run_cell", remember)
    app.start()


def study(*, notebook, study, title, page, menu, render, parameters, programme_name, quarter, cwd, private, kernels, environ) -> float:
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
            raise kind(f"{name}{where(output)}: {error.ename}{': ' + last if last else ''}") from None
        executed = _ended(output, noted["message"])
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        code = manager.provisioner and manager.provisioner.poll_now()
        raise KernelError(f"The kernel of {name} died ({error if code is None else forks.death(code)}){where(output)}.") from None
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill's is random, and pages carry it
    manager.provisioner.connection.close()  # the kernel ends while its page is written
    html = forks.named(render or PLAIN)(executed, title=title, menu=menu, page_id=Path(page).stem, programme_name=programme_name, quarter=quarter)
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
            request = {"target": "cxlib.execution:kernel", "options": request, "after": None, "name": study, "cwd": cwd, "log": f"{private}/{study}.kernel.log", "result": ""}
            try:
                self.connection = forks.ask(kernels, request)
                self.process, self.pid = self, int(forks.line(self.connection).split()[1])
            except (OSError, IndexError):
                raise KernelError(f"The interpreter that the kernel of {study} should run in has ended{forks.last_line(Path(kernels + '.log'))}.") from None
            self.pgid, self.born = self.pid, time.monotonic()
            return self.connection_info

        async def poll(self):
            return self.poll_now()

        def poll_now(self):
            if self.returncode is None:
                self.returncode = forks.exit_code(self.connection)
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


def plain_page(notebook, *, title, menu, page_id, programme_name, quarter) -> str:
    """nbconvert's own page, for folders of notebooks without a template."""
    from nbconvert import HTMLExporter

    return HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]


def where(notebook: Path) -> str:
    """', code cell 3 (first line)': the cell that failed or was running, counted as the researcher sees the notebook."""
    place = notebook.with_suffix(".where")
    return place.read_text(encoding="utf-8") if place.exists() else ""
