"""A small version of the fuzzing that always runs; `make fuzz MINUTES=10` is the long one. Rows 5, 8 to 18 and 21 to 23 of the table of faults."""

import random
import re
import zipfile

import fuzz
import pytest

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import readers
from cxlib.load.readers import portable

# Mutants a loader: those read in a process of their own take a quarter of a second each.
MUTANTS = {"csv": 60, "qualtrics": 40, "surveymonkey": 60, "jsonl": 60, "xlsx": 14, "sav": 6, "por": 6, "dta": 6, "parquet": 6, "duckdb": 4, "sqlite": 8, "programme": 150, "codeframe": 150, "plan": 150, "journeys": 100}


def test_every_loader_is_fuzzed():
    assert set(MUTANTS) == set(fuzz.LOADERS)


@pytest.mark.parametrize("name", fuzz.LOADERS)
def test_a_mutant_gives_a_table_or_a_sentence(name, tmp_path):
    found = fuzz.run(name, tmp_path, mutants=MUTANTS[name])
    assert found["broken"] == []
    assert found["mutants"] == MUTANTS[name]
    assert found["refused"] > 0, "no mutant was changed enough to be refused"


def test_the_fuzzer_sees_what_breaks_a_rule(tmp_path, monkeypatch):
    monkeypatch.setattr(programme, "read", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # the sound file itself must be read
        fuzz.run("programme", tmp_path, mutants=1)
    calls = iter([None])

    def fails_after_the_first(path):
        if next(calls, 0) == 0:
            raise ZeroDivisionError(path)

    monkeypatch.setitem(fuzz.LOADERS, "programme", (*fuzz.LOADERS["programme"][:3], fails_after_the_first))
    assert [wrong.split(":")[0] for wrong, _ in fuzz.run("programme", tmp_path, mutants=3)["broken"]] == ["ZeroDivisionError"] * 3


def test_mutants_are_the_same_for_the_same_seed():
    content = fuzz.csv()
    assert [fuzz.of_bytes(content, random.Random("a")), fuzz.of_cells(content, random.Random("a"))] == [fuzz.of_bytes(content, random.Random("a")), fuzz.of_cells(content, random.Random("a"))]
    assert fuzz.of_bytes(content, random.Random("a")) != fuzz.of_bytes(content, random.Random("b"))


def test_a_number_that_no_program_writes_is_none():
    """Found by fuzzing: an exponent, digits or a length beyond all bounds in a portable file."""
    for text in ("1+500", "1+" + "9" * 50, "9" * 500, "1." + "9" * 500, "1-TTT"):
        with pytest.raises(ValueError, match=re.escape(text[:20])):
            portable.decimal(text)
    stream = portable._Stream("-5/abc", 0)
    with pytest.raises(IndexError):
        stream.string()


def test_a_damaged_workbook_is_told_in_a_sentence_that_ends(tmp_path):
    """Found by fuzzing: the name of a part inside the archive, thousands of bytes that mean nothing, was repeated whole."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * 30_000, "a")
    content = bytearray(path.read_bytes())
    content[40:60] = b"y" * 20  # the name before the part is not the one of the directory
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged or cut off") as found:
        readers.read(path, programme.Reading())
    assert len(str(found.value)) < 500
