"""The codebook says of every key and column what it is; the README carries the one of today."""

import sys

from small import ROOT

from cxlib import checks, contract, run, schema
from cxlib.act.plan import Plan
from cxlib.programme import Programme
from cxlib.text.codeframe import Codeframe

sys.path.insert(0, str(ROOT / "tools"))
import codebook


def test_every_key_of_the_toml_files_has_a_type_an_example_and_a_meaning():
    for model in (Programme, Plan, Codeframe, run.Parameters):
        for key, kind, _, example, meaning in contract.keys(model):
            assert kind, key
            assert meaning, key
            assert example or "block" in kind, key


def test_every_column_has_a_type_and_a_meaning():
    for name, columns in (schema.TABLES | schema.FINDINGS).items():
        assert columns, name
        assert len({column.name for column in columns}) == len(columns), name
        for column in columns:
            assert column.type in ("text", "number", "whole", "flag", "date", "moment"), (name, column.name)
            assert column.about, (name, column.name)
            assert schema.unit(column) or column.type == "text", (name, column.name)


def test_definitions_of_the_programme_are_those_that_can_be_measured():
    import typing

    from cxlib import programme
    from cxlib.measure import metrics

    assert set(typing.get_args(programme.Definition)) == set(metrics.DEFINITIONS)


def test_the_readme_carries_the_codebook_of_today():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert codebook.written(readme) == readme


def test_check_schema_prints_the_codebook(cx):
    code, out, errors = cx("check", "--schema")
    assert (code, errors) == (0, "")
    assert out.strip() == checks.codebook().strip()
