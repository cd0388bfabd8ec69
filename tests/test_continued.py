"""`cx init FILES --to FOLDER` on a programme that is there: the next quarter by one command."""

import shutil
import tomllib

import pytest
from small import HEADER, ROWS, SHIPPED, TINY

from cxlib import programme
from cxlib.errors import DataError, UsageError
from cxlib.load import draft

PULSE = """
name = "Acme"
[scales.ten]
low = 0
high = 10
[[surveys]]
id = "pulse"
kind = "transactional"
dated_by = "experience"
promise = "confidential"
uses = ["aggregate", "link"]
[[waves]]
id = "2026Q1"
survey = "pulse"
quarter = "2026Q1"
first = 2026-01-01
last = 2026-03-31
file = "pulse_q1.csv"
delimiter = ";"
date_format = "%d.%m.%Y"
note = "the first"
columns = {response_id = "No", answered_on = "Day", recommend = "NPS \\"0-10\\""}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "ten"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[sources]]
table = "orders"
file = "orders_q1.csv"
columns = {order_id = "order", person_id = "who", ordered_on = "day", amount = "total"}
"""
FIRST = 'No;Day;"NPS ""0-10"""\n' + "".join(f"a{at};{1 + at % 28:02d}.02.2026;{at % 11}\n" for at in range(40))
SECOND = '"NPS ""0-10""";No;Day;More\n' + "".join(f"{at % 11};b{at};{1 + at % 28:02d}.05.2026;x\n" for at in range(44)) + "5;b99;03.07.2026;x\n"
ORDERS = "order,who,day,total\n" + "".join(f"o{at},p{at},2026-0{1 + at % 3}-10,{at}.5\n" for at in range(9))


@pytest.fixture
def acme(tmp_path):
    (tmp_path / "acme" / "raw").mkdir(parents=True)
    (tmp_path / "acme" / "programme.toml").write_text(PULSE)
    (tmp_path / "acme" / "raw" / "pulse_q1.csv").write_text(FIRST)
    (tmp_path / "acme" / "raw" / "orders_q1.csv").write_text(ORDERS)
    (tmp_path / "pulse_q2.csv").write_text(SECOND)
    return tmp_path / "acme"


def added(folder, *files, **given) -> list[str]:
    said = []
    draft.make([folder.parent / name for name in files], folder, name="", overwrite=False, say=said.append, **given)
    return said


def all_of(folder) -> dict:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_next_wave_is_read_as_the_one_before(acme, cx):
    before = (acme / "programme.toml").read_text()
    said = added(acme, "pulse_q2.csv")
    assert said[0] == "pulse_q2.csv: wave '2026Q2' of survey 'pulse', read as wave '2026Q1': 45 rows, 2026-04-01 to 2026-06-30. 1 rows lie on other days and will be set aside.".replace("1 rows lie", "1 row lies")
    text = (acme / "programme.toml").read_text()
    assert text.startswith(before.rstrip()), "what a person wrote stays as it is"
    old, new = tomllib.loads(text)["waves"]
    own = ("id", "quarter", "first", "last", "file", "note")
    assert {key: value for key, value in new.items() if key not in own} == {key: value for key, value in old.items() if key not in own}
    assert "note" not in new
    assert (acme / "raw" / "pulse_q2.csv").read_text() == SECOND
    code, out, _ = cx("check", acme)
    assert code == 0, out
    assert "44 kept" in out


def test_a_file_of_another_table_is_added_to_it(acme):
    (acme.parent / "orders_q2.csv").write_text(ORDERS.replace("o", "z").replace("zrder,whz", "order,who").replace("tztal", "total"))
    said = added(acme, "orders_q2.csv", "pulse_q2.csv")
    assert said[0] == "orders_q2.csv: more rows of the table orders, read as orders_q1.csv."
    made = programme.read(acme)
    assert [one.file for one in made.sources] == ["orders_q1.csv", "orders_q2.csv"]
    assert [one.file for one in made.waves] == ["pulse_q1.csv", "pulse_q2.csv"]


def test_a_questionnaire_that_changed_is_refused_with_what_is_missing(acme):
    (acme.parent / "other.csv").write_text(SECOND.replace("Day", "Days").replace('NPS ""0-10""', "Score"))
    before = all_of(acme)
    with pytest.raises(DataError, match=r"other\.csv: it comes nearest to wave '2026Q1' of survey 'pulse' \(pulse_q1\.csv\), but of its columns 2 of 3 are missing: 'Day' \(did you mean Days\?\); 'NPS \"0-10\"'\. Correct .*Nothing was written"):
        added(acme, "pulse_q2.csv", "other.csv")
    assert all_of(acme) == before


@pytest.mark.parametrize(("quarter", "words"), [("2027Q1", "none of its answers lies in 2027Q1 .* they are of 2026Q2 \\(44\\), 2026Q3 \\(1\\)"), ("Q2", "A quarter is written like 2026Q3")])
def test_a_quarter_that_is_not_that_of_the_answers(acme, quarter, words):
    before = all_of(acme)
    with pytest.raises(UsageError, match=words):
        added(acme, "pulse_q2.csv", quarter=quarter)
    assert all_of(acme) == before


def test_a_name_that_is_taken(acme):
    (acme.parent / "pulse_q1.csv").write_text(SECOND)
    before = all_of(acme)
    with pytest.raises(UsageError, match=r"pulse_q1\.csv is there already; .* Nothing was written"):
        added(acme, "pulse_q1.csv")
    assert all_of(acme) == before


def test_without_days_the_quarter_is_asked_for(tiny, tmp_path):
    """The survey of TINY has no date; it has one wave, so the quarter after it is named."""
    folder = tiny()
    (tmp_path / "b.csv").write_text(HEADER + ROWS)
    with pytest.raises(UsageError, match=r"b\.csv: it holds no days, so its quarter cannot be told; name it: --quarter 20\d\dQ[1-4]"):
        added(folder, "b.csv")
    wave = programme.read(folder).waves[0]
    year = f"{int(wave.quarter[:4]) + 1}{wave.quarter[4:]}"
    said = added(folder, "b.csv", quarter=year)
    assert "its days are those of the quarter, because the file holds none" in said[0]
    assert programme.read(folder).waves[1].quarter == year
    assert TINY.strip() in (folder / "programme.toml").read_text()


def test_the_sample_s_last_pulse_is_added_as_it_was(tmp_path, cx):
    """Cut the latest pulse out of the shipped sample and add its file by the command: the same columns, days and rows as declared by hand."""
    folder = tmp_path / "telecom"
    shutil.copytree(SHIPPED, folder)
    made = programme.read(folder)
    pulses = [wave for wave in made.waves if wave.survey == "pulse"]
    last = max(pulses, key=lambda wave: wave.quarter)
    text = (folder / "programme.toml").read_text()
    blocks = text.split("[[waves]]")
    place = next(at for at, block in enumerate(blocks) if f'"{last.file}"' in block)
    block, tail = blocks[place], ""
    if "\n[[" in block:
        block, _, tail = block.partition("\n[[")
        tail = "\n[[" + tail
    blocks[place - 1 : place + 1] = [blocks[place - 1] + tail]
    (folder / "programme.toml").write_text("[[waves]]".join(blocks))
    (folder / "raw" / last.file).rename(tmp_path / last.file)
    code, _, err = cx("init", tmp_path / last.file, "--to", folder)
    assert code == 0, err
    again = next(wave for wave in programme.read(folder).waves if wave.file == last.file)
    assert again == last.model_copy(update={"note": ""})
