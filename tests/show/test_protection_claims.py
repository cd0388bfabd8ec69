"""The data-protection sheet says what the programme declares, what was done, and what nobody declared."""

import pandas as pd
from small import HEADER, ROWS, SHIPPED, TINY

from cxlib import programme
from cxlib.load import redaction, store
from cxlib.show.claims import protection

SOURCE = '[[sources]]\ntable = "people"\nfile = "people.csv"\npurpose = "service"\nretention_months = 24\nrecipients = ["customer insight", "sales"]\nidentify = {email = "mail"}\ncolumns = {person_id = "id"}\n[privacy]\ncontact = "dpo@tiny.example"\n'


def tables(tiny, toml=TINY + SOURCE, rows=ROWS):
    folder = tiny(rows, toml=toml, header=HEADER)
    (folder / "raw" / "people.csv").write_text("id,mail,left_on\np1,a@b.example,2020-01-01\np2,,\n")
    found = programme.read(folder)
    return found, store.build(found)


def test_the_sheet_follows_the_programme(tiny):
    found, _ = tables(tiny)
    sheet = protection.sheet(found).set_index("what")
    assert sheet.loc["people (people.csv)", ["purpose", "kept", "rows"]].tolist() == ["service", "24 months", "customer insight and sales"]
    assert "customer key (hashed)" in sheet.loc["people (people.csv)", "fields"]
    assert "never kept: email" in sheet.loc["people (people.csv)", "fields"]
    assert "promised as confidential" in sheet.loc["poll", "purpose"]
    assert "redacted quotations" in sheet.loc["poll", "shown"]
    assert protection.gaps(found) == ["Not declared is how long rows are kept for poll."]
    closed = protection.sheet(programme.read(tiny(toml=TINY.replace('"confidential"', '"anonymous"').replace('["aggregate", "link", "quote"]', '["aggregate"]'), name="closed"))).iloc[0]
    assert "customer key" not in closed["fields"]
    assert closed["shown"] == "groups of 10 and more; no quotations"


def test_what_was_done_is_counted(tiny):
    found, made = tables(tiny, rows=ROWS + 'x1,DE,p1,3,3,Write to a.b@c.example or 0171 2345678\nx2,DE,p2,3,3,Frau Meier of d@e.example\n')
    said = protection.kept(found, made["redactions"], made["retention"])
    assert "pseudonymous, not anonymous" in said[0]
    assert said[1] == "Taken out of comments before anything was computed or shown: 2 e-mail addresses, 1 phone numbers and 1 names of persons."
    assert "people.csv: 1 of 2 rows are from before 2024-03-31, the end of their 24 months, and were not loaded." in said
    assert said[-1].endswith("dpo@tiny.example.")
    assert "team of at least 5" in said[-2]
    nothing = protection.kept(programme.read(SHIPPED), pd.DataFrame(columns=["kind", "n"]), made["retention"].iloc[:0])
    assert "Nothing had to be taken out" in nothing[1]


def test_the_measured_recall_is_shown_with_its_misses():
    shown = protection.recall(redaction.recall())
    raw = redaction.recall().query("comments == 'held out' and kind == 'all'").iloc[0]
    held = shown.set_index("kind")["comments written before the rules were tuned"]
    assert held["all kinds"].startswith(f"{raw['found']} of {raw['labelled']} ({100 * raw['estimate']:.0f} %; ")
    assert held["redactions that were right"] == f"{raw['right']} of {raw['redacted']}"
    assert set(shown["kind"]) >= {"names of persons", "IBANs", "phone numbers"}
    assert len(shown) <= 12
