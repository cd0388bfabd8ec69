"""Faults of a codeframe are told in a sentence that names the file and the place (FAULTS 5)."""

import subprocess
import sys

import pytest

from cxlib.errors import DataError
from cxlib.text import codeframe

TOPIC = '[[topics]]\nid = "{0}"\nname = "{0}"\n'


def written(tmp_path, text, raw=None):
    path = tmp_path / "codeframe.toml"
    path.write_bytes(raw if raw is not None else text.encode())
    return path


HEAD = 'version = "2026-1"\nlanguage = "en"\n'


def test_reads_every_key(tmp_path):
    text = HEAD + 'title = "Services"\n' + TOPIC.format("money") + TOPIC.format("billing") + (
        'parent = "money"\ndefinition = "Bills."\ninclude = {en = ["bill"], de = ["Rechnung"]}\nexclude = ["bill gates"]\nexamples = ["My bill"]\n'
        'counter_examples = ["Bill was kind"]\nsince = "2025-1"\nalert = true\n') + TOPIC.format("charges") + 'merged_into = "billing"\n' + \
        TOPIC.format("fax") + 'retired = "2026-1"\n'
    frame = codeframe.read(written(tmp_path, text))
    billing = frame.topics[1]
    assert frame.languages == ("en", "de")
    assert frame.phrases(billing, "de") == ("Rechnung",)
    assert frame.phrases(billing, "en", exclude=True) == ("bill gates",)
    assert frame.nets()["billing"] == ("money",)
    assert frame.coded_as() == {"money": "money", "billing": "billing", "charges": "billing"}
    assert billing.alert
    with pytest.raises(Exception, match="frozen"):
        billing.name = "other"


FAULT_5 = {
    "duplicate id": (HEAD + TOPIC.format("a") + TOPIC.format("a"), "topic 'a' is defined twice"),
    "parent cycle": (HEAD + TOPIC.format("a") + 'parent = "b"\n' + TOPIC.format("b") + 'parent = "a"\n', "parent goes in a circle: a -> b -> a"),
    "own parent": (HEAD + TOPIC.format("a") + 'parent = "a"\n', "parent goes in a circle: a -> a"),
    "merge cycle": (HEAD + TOPIC.format("a") + 'merged_into = "b"\n' + TOPIC.format("b") + 'merged_into = "a"\n', "merged_into goes in a circle"),
    "unknown parent": (HEAD + TOPIC.format("billing") + TOPIC.format("b") + 'parent = "biling"\n', "did you mean billing"),
    "phrase twice": (HEAD + TOPIC.format("a") + 'include = ["phone  Bill"]\n' + TOPIC.format("b") + 'include = ["Phone bill"]\n',
                     "phrase 'Phone bill' is in two topics, 'a' and 'b'"),
    "phrase both ways": (HEAD + TOPIC.format("a") + 'include = ["bill"]\nexclude = ["Bill"]\n', "topic 'a': phrase 'bill' is both included and excluded"),
    "no phrase": (HEAD + TOPIC.format("a"), "topic 'a' can never be found: it has no include phrase"),
    "empty phrase": (HEAD + TOPIC.format("a") + 'include = ["bill", " "]\n', "topic 1 ('a'): key 'include"),
    "merged into a retired one": (HEAD + TOPIC.format("a") + 'merged_into = "b"\n' + TOPIC.format("b") + 'retired = "2"\n', "merged into 'b', which is retired"),
    "silence twice": (HEAD + TOPIC.format("a") + 'silence = "faults"\n' + TOPIC.format("b") + 'silence = "faults"\n', "silence = 'faults' is in two topics, 'a' and 'b'"),
    "a question asks for what is unknown": (HEAD + 'questions = {q1 = "good"}\n' + TOPIC.format("a") + 'include = ["b"]\n', "key 'questions.q1'"),
    "unknown key": (HEAD + TOPIC.format("a") + 'includ = ["x"]\n', "topic 1 ('a'): unknown key 'includ' (did you mean include"),
    "unknown top key": (HEAD.replace("language", "langage") + TOPIC.format("a"), "unknown key 'langage' (did you mean language"),
    "missing key": (HEAD + '[[topics]]\nid = "a"\n', "topic 1 ('a'): key 'name' is missing"),
    "bad id": (HEAD + TOPIC.format("A b"), "topic 1 ('A b'): key 'id'"),
    "id with a line break": (HEAD + '[[topics]]\nid = "a\\n"\nname = "a"\n', "key 'id'"),
    "no topic": (HEAD + "topics = []\n", "key 'topics'"),
    "topic is no table": (HEAD + "topics = [3]\n", "topic 1"),
    "key twice": (HEAD + 'version = "2"\n', "line 3"),
    "syntax": (HEAD + "[[topics]]\nid = \n", "line 4"),
}


@pytest.mark.parametrize("fault", FAULT_5)
def test_fault_5_is_told_with_file_and_place(tmp_path, fault):
    text, said = FAULT_5[fault]
    with pytest.raises(DataError) as told:
        codeframe.read(written(tmp_path, text))
    assert str(told.value).startswith("codeframe.toml")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("words", "asks"), [
    ("What could we improve?", "faults"), ("What could we do better?", "faults"), ("improve", "faults"), ("Was können wir besser machen?", "faults"), ("What did you dislike?", "faults"),
    ("What was good?", "merits"), ("what_do_you_like_best", "merits"), ("Was hat Ihnen gefallen?", "merits"), ("O que você mais gostou?", "merits"),
    ("why", "open"), ("Why did you give this score?", "open"), ("What were you satisfied or dissatisfied with?", "open"), ("", "open"),
])
def test_what_a_question_asks_for_is_read_from_its_words(words, asks):
    assert codeframe.leaning(words) == asks


def test_a_declared_question_counts_before_its_words():
    frame = codeframe.parse({"version": "1", "questions": {"improve": "open"}, "topics": [{"id": "a", "name": "a", "include": ["b"]}]})
    assert [frame.leaning(item) for item in ("improve", "q9_good")] == ["open", "merits"]


def test_fault_5_not_utf8_names_the_line(tmp_path):
    with pytest.raises(DataError, match=r"codeframe\.toml, line 2: byte \d+ is not UTF-8"):
        codeframe.read(written(tmp_path, "", raw=b'version = "1"\ntitle = "caf\xe9"\n'))


def test_fault_5_over_4_mib_and_missing(tmp_path):
    with pytest.raises(DataError, match="4 MiB"):
        codeframe.read(written(tmp_path, "", raw=b"#" * (codeframe.MOST_BYTES + 1)))
    with pytest.raises(DataError, match="no such file"):
        codeframe.read(tmp_path / "none.toml")


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    text = HEAD + TOPIC.format("a") + 'include = ["b"]\n'
    assert codeframe.read(written(tmp_path, "", raw=b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())).version == "2026-1"


def test_reading_a_codeframe_loads_neither_spacy_nor_pandas():
    code = "import sys, cxlib.text.codeframe; sys.exit(bool({'spacy', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_topics_of_one_name_are_refused_and_one_that_is_merged_is_not():
    """They ended the report with exit 4 in the middle of a page."""
    two = [{"id": "price", "name": "Price", "include": ["price"]}, {"id": "prices", "name": "price ", "include": ["bill"]}]
    with pytest.raises(DataError, match="'price' and 'prices' are both called 'price '"):
        codeframe.parse({"version": "1", "topics": two})
    assert len(codeframe.parse({"version": "1", "topics": [two[0], two[1] | {"merged_into": "price"}]}).topics) == 2


def test_phrases_that_are_one_to_the_coder_are_found_by_the_check_already(tiny, cx):
    folder = tiny()
    (folder / "codeframe.toml").write_text('version = "1"\n[[topics]]\nid = "price"\nname = "Price"\ninclude = ["price", "bills"]\n[[topics]]\nid = "bill"\nname = "Bills"\ninclude = ["bill"]\n', "utf-8")
    code, _, errors = cx("check", folder)
    assert code == 3
    assert "codeframe.toml (version 1): phrase 'bill' of topic 'bill' and 'bills' of 'price' are the same to the coder" in errors
