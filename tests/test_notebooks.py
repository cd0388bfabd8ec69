"""The shipped notebooks keep the workbook's rules, and what they write is what the schema declares."""

import json
from pathlib import Path

import pytest

from cxlib import schema, studies

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def test_every_notebook_keeps_the_rules():
    assert studies.faults(NOTEBOOKS) == []


def test_the_core_studies_are_there_and_the_summary_runs_last():
    found = studies.order(studies.find(NOTEBOOKS))
    assert {study.number for study in found} == {"00", "01", "02", "03", "04", "06", "11"}
    assert found[-1].number == "00"


@pytest.mark.parametrize("study", studies.find(NOTEBOOKS), ids=lambda study: study.id)
def test_every_finding_that_is_written_is_declared(study):
    for name in study.writes:
        assert schema.finding(name)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_page_opens_with_its_question_and_who_decides_and_ends_with_its_limits(path):
    prose = ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "markdown"]
    assert "**Question.**" in prose[0]
    assert "**Who decides what with it.**" in prose[0]
    assert "## Limits" in prose[-1]
