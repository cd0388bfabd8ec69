"""Every notebook runs by hand, from any working directory, and writes to hand/ only."""

import os
import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from small import ROOT

from cxlib import run, synth
from cxlib.errors import DataError


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by") / f"by_hand_{os.getpid()}"
    folder.mkdir()
    synth.sample(folder, customers=400, seed=3)
    yield folder
    shutil.rmtree(ROOT / "reports" / folder.name, ignore_errors=True)


def execute(name, company, cwd):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source = cell.source.replace('"telecom"', repr(str(company)))
    return NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(cwd)}}).execute()


def test_studies_run_by_hand_from_anywhere_and_leave_drafts_alone(company, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    place = ROOT / "reports" / company.name / "2026Q3"
    for name in ("01_data_loading", "03_performance_tracking"):
        done = execute(name, company, tmp_path)
        assert any(output.output_type in ("display_data", "execute_result") for cell in done.cells if cell.cell_type == "code" for output in cell.outputs)
    assert sorted(path.name for path in place.iterdir()) == ["hand"]
    assert (place / "hand" / "findings" / "kpis.parquet").is_file()
    done = execute("00_summary", company, tmp_path)
    assert "Main points" in "".join(cell.source for cell in done.cells)
    assert not list(tmp_path.iterdir())


def test_a_missing_finding_names_the_notebook_that_writes_it(company):
    opened = run.open(programme=company, quarter="2025Q1", study="00_summary")
    with pytest.raises(DataError, match=r"run notebooks/02_annual_drivers\.ipynb first"):
        opened.read("importance")
    with pytest.raises(DataError, match=r"not a finding \(did you mean importance"):
        opened.read("importanse")
    assert opened.read("importance", optional=True).empty


def test_a_question_that_cannot_be_answered_ends_in_a_sentence_and_not_in_a_traceback(company, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    bare = tmp_path / company.name  # the same programme without its plan
    shutil.copytree(company, bare)
    (bare / "plan.toml").unlink()
    with pytest.raises(CellExecutionError) as caught:
        execute("11_roi", bare, tmp_path)
    assert "This programme holds no actions" in str(caught.value)
    assert 'File "' not in str(caught.value.traceback)
