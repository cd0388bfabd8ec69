"""The notebooks' order, their keys and their rules; expected values follow from the rules as DESIGN states them."""

import json
from pathlib import Path

import pytest

from cxlib import studies
from cxlib.errors import StudyError, UsageError


def notebook(folder: Path, name: str, *code: str, parameters: str | None = 'quarter = "2026Q3"', title: str = "A question", prose: str = "Why this is asked.", **metadata) -> Path:
    """Write a notebook: heading, parameters cell, then a sentence and a cell for each piece of code."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": f"# {title}\n\n{prose}"}]
    for source, tags in [(parameters, ["parameters"]), *((source, []) for source in code)]:
        if source is not None:
            cells.append({"cell_type": "code", "metadata": {"tags": tags} if tags else {}, "source": source, "outputs": [], "execution_count": None})
            cells.append({"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(["What is seen here."] * (source.count("\n") + 1))})
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, **metadata}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_order_follows_what_is_read_and_written_and_the_summary_comes_last(tmp_path):
    notebook(tmp_path, "00_summary", "run.all_claims()")
    notebook(tmp_path, "02_late", 'run.read("early")\nrun.claims(frame)')
    notebook(tmp_path, "11_early", 'run.write("early", frame)', "run.claims(frame)")
    found = studies.find(tmp_path)
    assert [study.id for study in found] == ["00_summary", "02_late", "11_early"]
    assert [study.id for study in studies.order(found)] == ["11_early", "02_late", "00_summary"]
    assert studies.waits(found)["00_summary"] == {"02_late", "11_early"}


def test_study_declares_its_parameters_findings_and_files(tmp_path):
    notebook(
        tmp_path, "03_tracking", 'import cxlib as cx', 'work = cx.run.open(study="03_tracking")', 'work.write("kpis", frame)\nwork.tests(frame)',
        'run.figure(ax, name="trend")\nrun.table(frame, name="kpis")\nrun.figure(ax, name=f"share_{survey}_now")', parameters='quarter = "2026Q3"\nmin_cell: int = 10\nwaves = ["a", "b"]', title="Did it move?")
    study = studies.find(tmp_path)[0]
    assert dict(study.parameters) == {"quarter": "2026Q3", "min_cell": 10, "waves": ["a", "b"]}
    assert study.writes == {"kpis", "tests_03_tracking"}
    assert study.outputs == {"findings/kpis.parquet", "findings/tests_03_tracking.parquet", "figures/trend.svg", "tables/trend.csv", "tables/kpis.csv", "figures/share_*_now.svg", "tables/share_*_now.csv"}
    assert (study.number, study.title, study.page) == ("03", "Did it move?", "03_tracking.html")


def test_circle_of_notebooks_is_named(tmp_path):
    notebook(tmp_path, "02_a", 'run.write("x", 1)', 'run.read("y")')
    notebook(tmp_path, "03_b", 'run.write("y", 1)', 'run.read("x")')
    with pytest.raises(StudyError, match=r"circle.*02_a.*03_b|circle.*03_b.*02_a"):
        studies.order(studies.find(tmp_path))


def test_two_writers_of_one_finding_are_named(tmp_path):
    notebook(tmp_path, "02_a", 'run.write("x", 1)')
    notebook(tmp_path, "03_b", 'run.write("x", 1)')
    with pytest.raises(StudyError, match="02_a and 03_b write the finding 'x'"):
        studies.order(studies.find(tmp_path))


def test_faults_02_unknown_parameter_names_the_nearest(tmp_path):
    notebook(tmp_path, "02_a", parameters="min_cell = 10")
    with pytest.raises(UsageError, match=r"min_cel' \(did you mean min_cell"):
        studies.accept(studies.find(tmp_path), {"min_cel": 5})
    studies.accept(studies.find(tmp_path), {"min_cell": 5})


def test_pick_by_number_id_or_name(tmp_path):
    notebook(tmp_path, "02_annual_drivers")
    notebook(tmp_path, "03_tracking")
    found = studies.find(tmp_path)
    assert [study.id for study in studies.pick(found, ["03", "annual_drivers", "02_annual_drivers"])] == ["03_tracking", "02_annual_drivers"]
    with pytest.raises(UsageError, match="did you mean 03_tracking"):
        studies.pick(found, ["03_traking"])


def test_digest_moves_with_everything_a_study_depends_on_and_with_nothing_else(tmp_path):
    book = tmp_path / "notebooks"
    notebook(book, "02_a", 'run.write("x", 1)', parameters="quarter = '2026Q3'\ndepth = 1")
    notebook(book, "03_b", 'run.read("x")')
    notebook(book, "04_c", "1")
    given = {"root": tmp_path, "inputs": "i", "quarter": "2026Q3", "parameters": {}}

    def moved(**changed):
        now = studies.digests(studies.find(book), **{**given, **changed})
        return {name for name in now if now[name] != first[name]}

    first = studies.digests(studies.find(book), **given)
    assert moved() == set()
    assert moved(inputs="j") == moved(quarter="2026Q2") == {"02_a", "03_b", "04_c"}
    assert moved(parameters={"depth": 2}) == {"02_a", "03_b"}  # 04 has no such parameter, 03 reads what 02 writes
    edit(book / "02_a.ipynb", lambda content: content["cells"][-2].update(source='run.write("x", 2)'))
    assert moved() == {"02_a", "03_b"}
    (tmp_path / "requirements.lock").write_text("numpy==3")
    assert moved() == {"02_a", "03_b", "04_c"}


def test_faults_33_clean_notebook_has_none(tmp_path):
    notebook(tmp_path, "02_clean", "import cxlib as cx", "x = 1")
    assert studies.faults(tmp_path) == []


def _without_tag(content):
    content["cells"][1]["metadata"] = {}


def _numbered(content):
    content["cells"][3].update(execution_count=4, outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content["metadata"]["kernelspec"].update(name="conda-env"), "kernelspec is 'conda-env'"),
        (lambda content: content["metadata"].update(papermill={}), "stray notebook metadata 'papermill'"),
        (_numbered, "cell 4 is saved with outputs"),
        (_numbered, "cell 4 is saved with an execution count"),
        (_without_tag, "0 cells are tagged 'parameters'"),
        (lambda content: content["cells"][3]["metadata"].update(tags=["injected-parameters"]), "stray tag 'injected-parameters'"),
        (lambda content: content["cells"][1].update(source="quarter = today()"), "parameter 'quarter' is not a literal"),
        (lambda content: content["cells"][5].update(source="import os"), "2 cells import (4, 6)"),
        (lambda content: content["cells"][3].update(source="x = 1"), "0 cells import"),
        (lambda content: content["cells"][5].update(source="\n".join(["x = 1"] * 13)), "cell 6 has 13 lines of code; at most 12"),
        (lambda content: [content["cells"][n].update(source="import os\n" + "x = 1\n" * 4) for n in (1, 3, 5)], "the median code cell has 5 lines"),
        (lambda content: content["cells"].extend([content["cells"][5]] * 23), "26 code cells; at most 25"),
        (lambda content: content["cells"][5].update(source="def f(): pass"), "cell 6 defines 'f'"),
        (lambda content: content["cells"][5].update(source="class F: pass"), "cell 6 defines 'F'"),
        (lambda content: content["cells"][5].update(source="plt.show()"), "cell 6 uses plt.show"),
        (lambda content: content["cells"][5].update(source="!ls"), "cell 6 uses a magic or a shell line"),
        (lambda content: content["cells"][5].update(source="x = ("), "cell 6, line 1"),
        (lambda content: content["cells"][5].update(source="run.write(name, x)"), "run.write with a name that is not written out"),
        (lambda content: content["cells"][5].update(source='run.read("nowhere")'), "reads the finding 'nowhere', which no notebook writes"),
        (lambda content: [content["cells"][n].update(source="") for n in (2, 4, 6)], "2 lines of Markdown beside 3 of code"),
        (lambda content: content["cells"][6].update(source="NPS rose by 4 points."), "states a result in Markdown"),
        (lambda content: content["cells"][0].update(source="no heading"), "does not open with a heading"),
    ],
)
def test_faults_33_each_broken_rule_is_said(tmp_path, change, said):
    path = notebook(tmp_path, "02_broken", "import cxlib as cx", "x = 1")
    edit(path, change)
    assert any(fault.startswith("02_broken.ipynb: ") and said in fault for fault in studies.faults(tmp_path)), studies.faults(tmp_path)


def test_faults_33_names_and_unreadable_files_are_said(tmp_path):
    notebook(tmp_path, "Draft", "import os")
    notebook(tmp_path, "02_a", "import os")
    notebook(tmp_path, "02_b", "import os")
    (tmp_path / "05_torn.ipynb").write_text('{"cells": [')
    found = "\n".join(studies.faults(tmp_path))
    assert "Draft.ipynb: the name is not" in found
    assert "02_b.ipynb: the number 02 is taken by 02_a.ipynb" in found
    assert "05_torn.ipynb cannot be read as a notebook" in found
    with pytest.raises(StudyError, match="05_torn"):
        studies.find(tmp_path)
