"""What identifies a person is taken out before a verbatim is shown (FAULTS 26)."""

import pandas as pd
import pytest

from cxlib.text import quotes


@pytest.mark.parametrize(("text", "expected"), [
    ("write to jane.doe+x@mail.example.co.uk please", "write to [e-mail] please"),
    ("call +49 (0)30 1234567 or 0171-2345678", "call [phone] or [phone]"),
    ("(415) 555-0132 and 415-555-0132.", "[phone] and [phone]."),
    ("card 4111 1111 1111 1111, thanks", "card [card], thanks"),
    ("4111111111111111", "[card]"),
    ("4111 1111 1111 1112 is no card", "4111 1111 1111 1112 is no card"),
    ("IBAN DE89 3704 0044 0532 0130 00 was charged", "IBAN [IBAN] was charged"),
    ("GB82WEST12345698765432", "[IBAN]"),
    ("DE88 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
])
def test_fault_26_is_replaced(text, expected):
    found, count = quotes.redact(text)
    assert found == expected
    assert count == expected.count("[")


@pytest.mark.parametrize("text", ["paid 1,234.56 on 01/02/2026", "2026-09-30", "30.09.2026", "waited 45 minutes 3 times", "100 Mbit for 39.99", "a 5 star 10/10", "tariff 2024 v 2025", "@home rocks", "ref 123456", "0.123456789"])
def test_redaction_leaves_dates_amounts_and_counts(text):
    assert quotes.redact(text) == (text, 0)


def test_redaction_of_nothing_and_of_a_megabyte():
    assert quotes.redact(None) == ("", 0)
    for text in ("0" * 1_000_000, "a@" * 500_000, "DE89" * 250_000, "1 " * 500_000, "a." * 500_000):
        quotes.redact(text)


def test_quotes_come_only_from_surveys_that_promised_it():
    mentions = pd.DataFrame({"response_id": ["a", "b", "c"], "item": "why", "topic": "bill", "polarity": "negative"})
    verbatims = pd.DataFrame({"response_id": ["a", "b", "c"], "item": "why", "survey": ["annual", "annual", "pulse"],
                              "text": ["My bill is wrong again, ring 0171-2345678", "My bill is wrong every single time", "My bill is wrong, what a mess it is"]})
    found = quotes.quotes(mentions, verbatims, surveys=["annual"])
    assert set(found["response_id"]) == {"a", "b"}
    assert found.loc[found["response_id"] == "a", "text"].item().endswith("ring [phone]")
    assert quotes.quotes(mentions, verbatims, surveys=[]).empty
    pd.testing.assert_frame_equal(found, quotes.quotes(mentions.iloc[::-1], verbatims.iloc[::-1], surveys=["annual"]))


def test_the_most_typical_comes_first_and_the_same_words_once():
    texts = ["the bill was wrong last month", "the bill was wrong this month", "THE BILL WAS WRONG LAST MONTH", "bill: purple monkeys everywhere indeed"]
    verbatims = pd.DataFrame({"response_id": list("abcd"), "item": "why", "survey": "annual", "text": texts})
    mentions = verbatims[["response_id", "item"]].assign(topic="bill", polarity="negative")
    found = quotes.quotes(mentions, verbatims, surveys=["annual"], each=4)
    assert len(found) == 3
    assert found["response_id"].iloc[-1] == "d"
    assert found["typicality"].between(0, 1 + 1e-9).all()
