"""The matrix of touchpoints and channels: what is counted is what the tables hold, and what is blind is said."""

import pandas as pd
import pytest
from small import HEADER, TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import journey, store

DECLARED = """
[[stages]]
id = "buy"
[[stages]]
id = "help"
label = "Getting help"
[[channels]]
id = "phone"
synonyms = ["Tel", "call centre"]
[[channels]]
id = "shop"
[[channels]]
id = "app"
label = "App"
[[touchpoints]]
id = "checkout"
stage = "buy"
channels = ["app", "shop"]
[[touchpoints]]
id = "hotline"
label = "Hotline"
stage = "help"
channels = ["phone"]
synonyms = ["service desk"]
[[measures]]
kind = "operational"
table = "interactions"
[[measures]]
kind = "perceptive"
survey = "poll"
items = ["price"]
touchpoint = "checkout"
channel = "shop"
[[measures]]
kind = "outcome"
table = "orders"
touchpoint = "checkout"
channel = "app"
"""
SOURCES = """
[[sources]]
table = "interactions"
file = "calls.csv"
[[sources]]
table = "orders"
file = "orders.csv"
"""


@pytest.fixture
def company(tiny, tmp_path):
    def make(journeys=DECLARED):
        folder = tiny("".join(f"r{at},DE,p{at},9,{6 if at else 3},x\n" for at in range(4)), toml=TINY + SOURCES, header=HEADER)
        (folder / "raw" / "calls.csv").write_text("interaction_id,person_id,at,channel,touchpoint\ni1,p1,2026-01-05T10:00:00,TEL,Service Desk\ni2,p2,2026-02-07T10:00:00,phone,hotline\ni3,p3,2026-02-09T10:00:00,fax,hotline\n")
        (folder / "raw" / "orders.csv").write_text("order_id,person_id,ordered_on,amount\no1,p1,2026-03-02,5\n")
        if journeys:
            (folder / "journeys.toml").write_text(journeys)
        found = programme.read(folder)
        return store.Tables(store.write(found, tmp_path / "s"), found, "2026Q1")

    return make


def cells(found):
    return {(row.touchpoint, row.channel, row.kind): row.n for row in found.itertuples() if row.n}


def test_names_of_files_are_brought_to_the_declared_ones_and_counted(company):
    tables = company()
    found = journey.matrix(tables)
    assert cells(found) == {("hotline", "phone", "operational"): 2, ("hotline", "fax", "operational"): 1, ("checkout", "shop", "perceptive"): 1, ("checkout", "app", "outcome"): 1}
    assert found["touchpoint"].drop_duplicates().tolist() == ["checkout", "hotline"]
    assert found.set_index(["touchpoint", "channel"]).loc[("hotline", "fax"), "declared"].eq(False).all()
    phone = found.query("channel == 'phone' and kind == 'operational'").iloc[0]
    assert (phone["stage"], phone["first"], phone["last"]) == ("help", pd.Timestamp("2026-01-05"), pd.Timestamp("2026-02-07"))
    assert (found["blind"] == (found["n"] == 0)).all()


def test_what_is_blind_is_said_in_sentences(company):
    tables = company()
    found = journey.matrix(tables)
    said = journey.blind(found, journey.read(tables.programme))
    assert "Hotline (fax, phone): what customers think of it is not measured (3 contacts, no answer)." in said
    assert "checkout (App): what customers think of it is not measured." in said
    assert "checkout (shop): what happens there is not recorded, though customers are asked about it." in said
    assert "Hotline (fax, phone): what customers do afterwards is not known." in said


def test_a_declared_touchpoint_that_nothing_measures_is_named(company):
    tables = company(DECLARED + '[[touchpoints]]\nid = "goodbye"\nstage = "help"\n')
    found = journey.matrix(tables)
    assert found.query("touchpoint == 'goodbye'")["blind"].tolist() == [True] * 3
    assert "goodbye: nothing is measured at all." in journey.blind(found)


def test_without_a_declaration_the_contacts_tell_the_touchpoints(company):
    found = journey.matrix(company(journeys=""))
    assert cells(found) == {("Service Desk", "TEL", "operational"): 1, ("hotline", "phone", "operational"): 1, ("hotline", "fax", "operational"): 1, ("Service Desk", "TEL", "outcome"): 1}
    assert not found["declared"].any()


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ('stage = "help"', 'stage = "halp"', "a stage 'halp' that is not declared .did you mean help"), ('channels = ["phone"]', 'channels = ["phon"]', "a channel 'phon' that is not declared .did you mean phone"),
    ('items = ["price"]', 'items = ["prise"]', "an item 'prise' that is not declared .did you mean price"), ('survey = "poll"', 'survey = "pol"', "a survey 'pol'"), ("synonyms", "synonym", "'channels.1.synonym' is not a key .did you mean synonyms"),
    ('synonyms = ["service desk"]', 'synonyms = ["checkout"]', "the touchpoint name 'checkout' is declared twice"), ('kind = "perceptive"', 'kind = "operational"', "what customers say is perceptive"),
])  # fmt: skip
def test_fault_5_a_journey_that_does_not_fit_is_refused_with_the_nearest_name(company, old, new, sentence):
    tables = company(DECLARED.replace(old, new))
    with pytest.raises(DataError, match=sentence):
        journey.read(tables.programme)


def test_answers_of_the_sample_are_told_by_the_contact_they_are_about(sample):
    tables = sample("2026Q3")
    matrix = journey.matrix(tables, journey.Journeys())  # as without a declaration
    contacts = tables["interactions"].groupby(["touchpoint", "channel"]).size()
    operational = matrix[(matrix["kind"] == "operational") & (matrix["n"] > 0)].set_index(["touchpoint", "channel"])["n"]
    assert operational.sort_index().to_dict() == contacts.to_dict()
    answers = tables["responses"].query("survey == 'pulse'")
    perceptive = matrix[matrix["kind"] == "perceptive"].groupby("touchpoint")["n"].sum()
    assert perceptive.to_dict() == answers["touchpoint"].value_counts().to_dict()
    told = matrix[(matrix["kind"] == "perceptive") & (matrix["channel"] != "")]["n"].sum()
    assert told / len(answers) > 0.85
    assert not matrix.loc[matrix["channel"] == "", "blind"].any()
