"""Topics by phrases: language as customers write it, negation, faults of texts (FAULTS 18, 19)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from cxlib.errors import DataError
from cxlib.text import codeframe, topics

FRAME = codeframe.parse({"version": "1", "topics": [
    {"id": "staff", "name": "Staff", "include": {"en": ["staff", "agent", "technician", "customer service"], "de": ["Mitarbeiter"], "fr": ["conseiller"]}},
    {"id": "wait", "name": "Waiting", "include": {"en": ["wait", "on hold", "=queue"], "de": ["warten", "Warteschleife"]}, "exclude": {"en": ["can't wait"]}},
    {"id": "bill", "name": "Bills", "include": {"en": ["phone bill", "invoice", "bill"], "de": ["Rechnung"], "fr": ["facture"]}},
    {"id": "phone", "name": "Handset", "include": ["phone", "service point"]},
    {"id": "charge", "name": "Charges", "include": ["fee"], "merged_into": "bill"},
    {"id": "fax", "name": "Fax", "include": ["fax"], "retired": "1"},
]})


def coded(*texts, language="en"):
    return topics.code(pd.DataFrame({"response_id": [f"r{i}" for i in range(len(texts))], "item": "why", "text": pd.Series(texts, dtype=object), "language": language}), FRAME)


def told(text, language="en"):
    return [(row.clause, row.topic, row.polarity) for row in coded(text, language=language).itertuples()]


@pytest.mark.parametrize(("text", "expected"), [
    ("The staff were lovely but I waited forty minutes on hold.", [(1, "staff", "positive"), (2, "wait", "negative")]),
    ("The technician wasn't helpful", [(1, "staff", "negative")]),
    ("No problem with the invoice", [(1, "bill", "positive")]),
    ("Never had to wait", [(1, "wait", "positive")]),
    ("Agent not only polite, staff also fast", [(1, "staff", "positive"), (2, "staff", "positive")]),
    ("I got my bill on Tuesday", [(1, "bill", "unclear")]),
    ("MY BILLS ARE WRONG!!!", [(1, "bill", "negative")]),
    ("Can't wait for the new phone", [(1, "phone", "positive")]),
    ("They sent a phone bill twice", [(1, "bill", "unclear")]),
    ("The fees are hidden; the fax works", [(1, "bill", "negative")]),
    ("queues everywhere", []),
    ("the queue was terrible", [(1, "wait", "negative")]),
    ("The agents don’t explain invoices", [(1, "staff", "negative"), (1, "bill", "negative")]),
    ("", []), ("👍👍", []), ("x", []), ("\x00\u202e", []), ("123 456", []),
])
def test_coding_reads_what_customers_write(text, expected):
    assert sorted(told(text)) == sorted(expected)


def test_negated_neutral_statement_is_negative_and_marked():
    row = coded("There is no invoice").iloc[0]
    assert (row.negated, row.polarity) == (True, "negative")


@pytest.mark.parametrize(("text", "language", "expected"), [
    ("Die Mitarbeiter waren freundlich, aber die Rechnungen sind nicht verständlich.", "de", [(1, "staff", "positive"), (2, "bill", "negative")]),
    ("EWIG IN DER WARTESCHLEIFE, SEHR ÄRGERLICH", "de", [(1, "wait", "negative")]),
    ("Le conseiller était aimable mais la facture est trop chère", "fr", [(1, "staff", "positive"), (2, "bill", "negative")]),
    ("La bolletta è sbagliata", "it", []),
])
def test_phrases_by_language_count_under_one_id(text, language, expected):
    assert told(text, language) == expected


@pytest.mark.parametrize("text", ["a" * 1_000_000, "wait " * 200_000, "bill. " * 160_000, "http://a.b/" * 90_000, "😡" * 250_000, "but " * 250_000, "not good staff " * 65_000])
def test_fault_18_a_megabyte_is_coded_in_linear_time(text):
    started = time.process_time()
    coded(text)
    assert time.process_time() - started < 8


def test_fault_18_hidden_marks_and_half_characters_do_not_hide_words():
    found = coded("the st\u200baff \ud800 were\u202e go\x00od", "cafe\u0301 staff", None)
    assert list(found["topic"]) == ["staff", "staff"]
    assert found.loc[0, "polarity"] == "positive"
    found["clause_text"].str.encode("utf-8")


def test_fault_19_markup_is_text():
    found = coded("<script>alert('staff')</script> rude staff")
    assert set(found["topic"]) == {"staff"}


MAIL = """From: Kim <kim@example.org>
Subject: Re: your order
The invoice is wrong.
Sent from my phone
On Mon, 2 Mar 2026 at 10:00, Support <help@example.org> wrote:
> our staff will look into it, please wait
"""


@pytest.mark.parametrize(("text", "topics_of_it"), [
    (MAIL, {"bill"}), ("> our staff will look into it", {"staff"}), ("I wait\n-----Original Message-----\nFrom: us\nYour invoice is attached", {"wait"}),
    ("Am 2. März 2026 schrieb Service:\n> Ihre Rechnung", set()), ("staff: rude\nto: be told\nthe bill -- wrong", {"staff", "bill"}), ("The staff\n--\nKim, phone 1", {"staff"}),
])
def test_of_a_pasted_mail_the_respondents_own_words_are_coded(text, topics_of_it):
    assert set(coded(text)["topic"]) == topics_of_it


@pytest.mark.parametrize("text", ["", "x", " ", "😡😡😡", "MY BILL IS WRONG AND THE STAFF ARE RUDE", "\ud800", "\x00" * 50, "a\n" * 100_000, "> " * 50_000, "-\n" * 50_000, "On " * 50_000 + "\nwrote:", "bill " + "٣" * 1000, "the bill ist falsch et la facture aussi"])
def test_fault_18_whatever_is_written_is_coded_or_counted(text):
    frame = pd.DataFrame({"response_id": ["a"], "item": "why", "text": pd.Series([text], dtype=object), "language": "en"})
    kinds = topics.answers(frame, FRAME)["kind"].tolist()
    assert kinds == ["covered" if set(topics.code(frame, FRAME)["topic"]) else kinds[0]]
    assert kinds[0] in {"covered", "other", "empty", "other_language"}


@pytest.mark.parametrize(("text", "state"), [("x", "empty"), (" Y ", "empty"), ("no", "nothing"), ("it", "words")])
def test_a_letter_alone_says_nothing_that_a_codeframe_could_miss(text, state):
    frame = pd.DataFrame({"response_id": ["a"], "item": "improve", "text": [text], "language": "en"})
    assert topics.answers(frame, FRAME)["state"].tolist() == [state]


def test_each_row_is_coded_by_itself_whatever_the_batches():
    texts = ["The staff were kind", "Wrong bill, rude agent", "On hold for hours", "Phone bill too high"] * 5
    frame = pd.DataFrame({"response_id": range(20), "item": "why", "text": texts})
    whole = topics.code(frame, FRAME)
    parts = pd.concat([topics.code(frame.iloc[at:at + 7], FRAME) for at in range(0, 20, 7)], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts)


def test_same_bytes_whatever_the_hash_seed():
    code = ("import pandas as pd, tests.text.test_topics as t; f = t.coded('Rude staff, wrong invoice and on hold, customer service point');"
            "import sys; sys.stdout.write(f.to_csv())")
    root = Path(__file__).parents[2]
    out = {subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}, capture_output=True, check=True).stdout
           for seed in ("0", "7")}
    assert len(out) == 1
    assert b"invoice" in out.pop()


def test_empty_input_keeps_the_columns():
    assert list(coded().columns) == topics.COLUMNS
    with pytest.raises(DataError, match="'text' is missing"):
        topics.code(pd.DataFrame({"response_id": [1]}), FRAME)


@pytest.mark.slow
def test_speed_is_at_least_4000_comments_a_cpu_second():
    texts = [f"The staff were friendly, but I waited {n} minutes on hold and my phone bill number {n} is still wrong. Not good at all." for n in range(8000)]
    frame = pd.DataFrame({"response_id": range(len(texts)), "text": texts})
    topics.code(frame.head(10), FRAME)
    started = time.process_time()
    topics.code(frame, FRAME)
    assert len(frame) / (time.process_time() - started) >= 4000
