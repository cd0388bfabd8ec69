"""Comments that came as codes people gave: topics by the words of a dictionary, whatever number a wave gave them; and what was written to the company, apart from the surveys."""

import pandas as pd
import pytest

from cxlib import cells, load, programme
from cxlib.errors import DataError
from cxlib.measure import metrics
from cxlib.text import bycode, codeframe, comments, links, sources

TOML = """
name = "Coded"
[scales.recommend]
low = 0
high = 10
[[surveys]]
id = "gate"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link"]
columns = {response_id = "id", recommend = "q1"}
[[waves]]
id = "2025"
survey = "gate"
quarter = "2025Q2"
first = 2025-05-01
last = 2025-05-31
file = "2025.csv"
columns = {improve_1 = "c1", improve_2 = "c2"}
[[waves]]
id = "2026"
survey = "gate"
quarter = "2026Q2"
first = 2026-05-01
last = 2026-05-31
file = "2026.csv"
columns = {improve_1 = "k_a", improve_2 = "k_b"}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "improve_1"
kind = "nominal"
wording = "What could be better? First code"
missing = {0 = "blank"}
[[items]]
id = "improve_2"
kind = "nominal"
wording = "What could be better? Second code"
missing = {0 = "blank"}
[[coded]]
id = "improve"
wording = "What could be better?"
survey = "gate"
items = ["improve_1", "improve_2"]
dictionary = "codes.csv"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
"""
CODES = """wave,code,label,topic,polarity
2025,1,Toilets dirty/more toilets,toilets,
2025,2,"Queues, waiting",waiting,
2025,3,Staff are friendly,staff,positive
2025,4,Nothing to improve,(nothing),
2025,5,Paint it blue,,
2026,1,Queues, waiting
"""
FRAME = """version = "1"
[[topics]]
id = "toilets"
name = "Toilets"
examples = ["dirty toilets"]
[[topics]]
id = "waiting"
name = "Waiting"
include = ["queue"]
[[topics]]
id = "staff"
name = "Staff"
include = ["staff"]
[[topics]]
id = "injury"
name = "Injury"
alert = true
include = ["hurt"]
"""
# The second wave numbers everything anew: 1 was the toilets and is the queues, 7 is the toilets.
CODES = CODES.replace("2026,1,Queues, waiting\n", '2026,1,"QUEUES,  waiting.",,\n2026,7,Toilets dirty/more toilets,,\n2026,9,staff are friendly,,\n')


@pytest.fixture
def company(tmp_path):
    """Return a function that writes a programme of two waves with codes and gives its tables and its codeframe."""

    def make(codes=CODES, toml=TOML, calls=None):
        folder = tmp_path / "coded"
        (folder / "raw").mkdir(parents=True, exist_ok=True)
        (folder / "programme.toml").write_text(toml, "utf-8")
        (folder / "codeframe.toml").write_text(FRAME, "utf-8")
        (folder / "codes.csv").write_text(codes, "utf-8")
        # 2025: 60 of 200 toilets (a third of them twice), 40 queues, 20 staff, 30 nothing, 10 blue; 40 blank. 2026: 100 queues, 40 toilets, 20 staff, 40 of a code that nobody explained.
        first = [("1", "1")] * 20 + [("1", "2")] * 20 + [("1", "0")] * 20 + [("2", "0")] * 20 + [("3", "0")] * 20 + [("4", "0")] * 30 + [("5", "0")] * 10 + [("0", "0")] * 60
        second = [("1", "0")] * 100 + [("7", "0")] * 40 + [("9", "0")] * 20 + [("88", "0")] * 40
        (folder / "raw" / "2025.csv").write_text("id,q1,c1,c2\n" + "".join(f"a{n},{n % 11},{a},{b}\n" for n, (a, b) in enumerate(first)), "utf-8")
        (folder / "raw" / "2026.csv").write_text("id,q1,k_b,k_a\n" + "".join(f"b{n},{2 if a == '1' else 9},{b},{a}\n" for n, (a, b) in enumerate(second)), "utf-8")
        if calls is not None:
            (folder / "raw" / "calls.csv").write_text(calls, "utf-8")
        found = programme.read(folder)
        return load.tables(found, "2026Q2", out=tmp_path / "reports"), codeframe.read(folder / "codeframe.toml")

    return make


def counts(shares, polarity="any"):
    own = shares[shares["polarity"] == polarity]
    return {(row.quarter, row.topic): row.count for row in own.assign(count=own["count"]).itertuples(index=False) if row.count}


def test_a_number_that_means_something_else_in_the_next_wave_is_read_by_its_label(company):
    tables, frame = company()
    mentions, checks = comments.judge(comments.code(tables, frame), tables, score="recommend")
    shares = comments.shares(mentions, tables, frame)
    own = shares[shares["polarity"] == "any"].set_index(["quarter", "topic"])
    assert own["count"].to_dict() == {("2025Q2", "toilets"): 60, ("2025Q2", "waiting"): 40, ("2025Q2", "staff"): 20, ("2025Q2", "injury"): 0, ("2026Q2", "toilets"): 40, ("2026Q2", "waiting"): 100, ("2026Q2", "staff"): 20, ("2026Q2", "injury"): 0}
    assert own.loc["2025Q2", "n"].unique().tolist() == [140]  # who wrote nothing is no commenter
    assert own.loc[("2026Q2", "waiting"), "estimate"] == 0.5
    assert not shares["indicative"].any()
    assert set(shares["note"]) == {"codes that people gave"}
    assert checks[["survey", "method"]].to_numpy().tolist() == [["gate", "codes"]]
    sides = shares[shares["polarity"] == "negative"].set_index(["quarter", "topic"])["count"]
    assert sides["2025Q2", "toilets"] == 60  # the question asks what could be better
    assert sides["2026Q2", "staff"] == 0
    assert shares.set_index(["quarter", "topic", "polarity"]).loc[("2026Q2", "staff", "positive"), "count"] == 20  # the label says so, in either wave


def test_codes_nobody_explained_and_labels_without_a_topic_are_uncovered_and_nothing_is_apart(company):
    tables, frame = company()
    told = comments.coverage(comments.code(tables, frame), tables, frame, verbatims=comments.answered(tables, frame)).set_index("quarter")
    assert told.loc["2025Q2", ["verbatims", "nothing", "covered"]].tolist() == [140, 30, 100]
    assert told.loc["2025Q2", "estimate"] == pytest.approx(10 / 110)
    assert told.loc["2026Q2", "estimate"] == pytest.approx(40 / 200)


def test_coded_answers_stand_beside_the_kpi_and_move_from_wave_to_wave_but_are_never_quoted(company):
    tables, frame = company()
    kpi = tables.programme.kpis[0]
    mentions = comments.code(tables, frame)
    found = links.impact(mentions, tables, kpi, frame, what=metrics.definition_of(kpi.definition)).set_index("topic")
    assert found.loc["waiting", "kpi_with"] == -100
    assert found.loc["waiting", "kpi_rest"] == 100
    now, then = comments.last_two(comments.shares(mentions, tables, frame), polarity="any")
    assert now.set_index("topic").loc["waiting", "estimate"] - then.set_index("topic").loc["waiting", "estimate"] == pytest.approx(0.5 - 40 / 140)
    tables.programme = tables.programme.model_copy(update={"surveys": tuple(one.model_copy(update={"uses": ("aggregate", "quote")}) for one in tables.programme.surveys)})
    assert comments.reading(mentions, tables, kpi).empty
    assert comments.proposed(mentions, comments.answered(tables, frame), tables, frame)[0].empty


@pytest.mark.parametrize(("old", "new", "words"), [
    ("2025,1,Toilets dirty/more toilets,toilets,", "2025,1,Toilets dirty/more toilets,toilet,", r"codes.csv, row 2, column 'topic': 'toilet' is no topic of codeframe 1 \(did you mean toilets\?\)"),
    ("2026,7,Toilets dirty/more toilets,,", "2026,7,Toilets dirty/more toilets,waiting,", r"codes.csv, row 8: 'Toilets dirty/more toilets' is put into waiting here and into toilets in row 2; the same words mean the same"),
    ("2025,5,Paint it blue,,", "2025,1,Paint it blue,,", r"codes.csv, row 6: code '1' of wave 2025 is 'Paint it blue' here and 'Toilets dirty/more toilets' in row 2"),
    ("2025,5,Paint it blue,,", "2025,5,,,", r"codes.csv, row 6: the column 'label' is empty"),
    ("2025,5,Paint it blue,,", "2025,5,Paint, it blue,,", r"codes.csv, row 6: 6 cells where the first row names 5 columns; put a label that holds a comma in quotes"),
    ("2025,5,Paint it blue,,", "2025,5,Paint it blue,,good", r"codes.csv, row 6, column 'polarity': 'good' is none of positive, negative, unclear"),
    ("wave,code,label,topic", "wave,number,label,topic", r"codes.csv: the column 'code' is missing"),
    ("label,topic,polarity", "label,topic,side", r"codes.csv: 'side' is no column of a dictionary"),
])
def test_a_dictionary_that_contradicts_itself_is_refused_by_row_column_and_value(old, new, words, company):
    assert old in CODES
    tables, frame = company(CODES.replace(old, new, 1))
    with pytest.raises(DataError, match=words):
        bycode.given(tables, frame)


@pytest.mark.parametrize(("old", "new", "words"), [
    ('dictionary = "codes.csv"', 'dictionary = "../codes.csv"', "without a folder"), ('items = ["improve_1", "improve_2"]', 'items = ["improve_1", "improve_3"]', "'improve_3' that is not declared.*did you mean improve_"),
    ('survey = "gate"\nitems', 'survey = "gates"\nitems', "'gates' that is not declared.*did you mean gate"), ('wording = "What could be better? Second code"', 'wording = "Second"\nlabels = {1 = "Toilets"}', "declare it nominal and without labels"),
])
def test_a_coded_question_that_leads_nowhere_is_named_with_the_programme(old, new, words, company):
    assert old in TOML
    with pytest.raises(DataError, match=words):
        company(toml=TOML.replace(old, new, 1))


def test_a_dictionary_that_is_changed_makes_another_store_key(company):
    tables, _ = company()
    before = tables.programme.fingerprints()
    assert "codes.csv" in before
    (tables.programme.folder / "codes.csv").write_text(CODES + "2026,88,Queues and waiting,waiting,\n", "utf-8")
    assert tables.programme.fingerprints()["codes.csv"] != before["codes.csv"]


CONTACTS = TOML + '\n[[sources]]\ntable = "interactions"\nfile = "calls.csv"\n'


def contacts(rows=240):
    """Messages of two channels: half of the complaints are of one man who is angry about queues."""
    said = ["The queue was endless", "your staff was rude, call me at +49 170 1234567", "nothing fits", "I was hurt by the door"]
    return "interaction_id,person_id,at,channel,text\n" + "".join(f"i{n},{'p1' if n % 4 == 0 else f'p{n}'},2026-05-{1 + n % 28:02d}T10:00:00,{'complaint' if n % 2 == 0 else 'chat'},\"{said[n % 4]}\"\n" for n in range(rows)) + "i900,p9,2026-05-03T10:00:00,phone,\n"


def test_each_channel_is_a_source_with_its_own_base_and_no_survey_gains_an_answer(company):
    """Issue 7, sources: complaints and chats are coded, each on the base of its messages; the survey's shares are what they are without them."""
    alone = comments.shares(comments.code(*company()), *company())
    tables, frame = company(toml=CONTACTS, calls=contacts())
    mentions, checks = comments.judge(comments.code(tables, frame), tables, score="recommend")
    shares = comments.shares(mentions, tables, frame)
    survey = shares[shares["survey"] == "gate"].reset_index(drop=True)
    pd.testing.assert_frame_equal(survey[["topic", "polarity", "estimate", "n", "count"]], alone[["topic", "polarity", "estimate", "n", "count"]])
    own = shares[(shares["polarity"] == "any") & (shares["survey"] != "gate")].set_index(["survey", "topic"])
    assert set(own.index.get_level_values(0)) == {"contacts: complaint", "contacts: chat"}  # the calls have no words
    assert set(own["base"]) == {"messages"}
    assert set(own["n"]) == {120}
    assert own.loc[("contacts: complaint", "waiting"), "estimate"] == 0.5
    assert own.loc[("contacts: complaint", "waiting"), "n_eff"] < own.loc[("contacts: chat", "staff"), "n_eff"] / 5  # sixty messages of one man
    assert own["indicative"].all()
    assert checks.set_index("survey").loc["contacts: chat", "method"] == "lexicon"
    assert not comments.answered(tables, frame)["text"].str.contains("1234567").any()  # redacted before anything is coded
    assert links.impact(mentions, tables, tables.programme.kpis[0], frame, what=metrics.definition_of(tables.programme.kpis[0].definition))["survey"].unique().tolist() == ["gate"]


@pytest.mark.parametrize("declared", [False, True])
def test_a_message_becomes_a_case_only_where_its_file_says_so(declared, company):
    tables, frame = company(toml=CONTACTS + ('uses = ["aggregate", "case"]\n' if declared else ""), calls=contacts())
    urgent = comments.alerts(comments.code(tables, frame), tables, frame)
    assert len(urgent) == 60
    assert urgent["case"].all() == declared
    assert len(comments.cases(urgent, frame)) == (60 if declared else 0)
    assert (urgent["text"] != "").all() == declared


def test_contacts_without_words_are_no_source(company):
    tables, frame = company(toml=CONTACTS, calls="interaction_id,person_id,at,channel\ni1,p1,2026-05-01T10:00:00,phone\n")
    assert sources.of(tables).empty
    assert set(comments.shares(comments.code(tables, frame), tables, frame)["survey"]) == {"gate"}


@pytest.mark.parametrize(("uses", "least"), [('["aggregate"]', 10), ('["aggregate", "quote"]', 1)])
def test_small_counts_of_messages_are_shown_only_where_messages_may_be_quoted(uses, least, company):
    tables, _ = company(toml=CONTACTS + f"uses = {uses}\n", calls=contacts())
    assert cells.limit(tables.programme, "contacts: chat") == least
