"""Comments coded by people: sheets out and back, what is refused and by which sentence, agreement against published values, audits apart from training."""

import numpy as np
import pandas as pd
import pytest
from small import TINY

from cxlib import load, programme, spreadsheets
from cxlib.errors import DataError, UsageError
from cxlib.load import readers
from cxlib.measure import metrics
from cxlib.questionnaire import Reading
from cxlib.text import agreement, audit, codeframe, codings, comments, links, sheets

FRAME = """version = "1"
[[topics]]
id = "staff"
name = "Staff (all)"
definition = "The people one meets."
include = ["staff", "clerk"]
[[topics]]
id = "price"
name = "Price"
include = ["price", "expensive"]
[[topics]]
id = "money"
name = "Money"
[[topics]]
id = "fee"
name = "Fees"
parent = "money"
include = ["fee"]
"""
TRAIN = TINY.replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate", "link", "quote", "train"]')
SAID = ["The staff was friendly.", "Much too expensive for me.", "=1+1 is what the fee costs", "I like the colour of the wall", "Nothing", "The clerk explained the price well.", "call me at +49 170 1234567 please"]


def answers(count=140):
    return "".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},{SAID[i % 7]} {'again ' * (i % 4)}\n" for i in range(count))


@pytest.fixture
def made(tiny):
    """Return the tables, the codeframe and the mentions of a small programme that permits to train."""
    folder = tiny(answers(), toml=TRAIN)
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=folder.parent / "reports"), codeframe.read(folder / "codeframe.toml")
    return tables, frame, comments.code(tables, frame)


def sent(path):
    """A sheet as a coder sees it: text cells."""
    return readers.read(path, Reading()).frame


def returned(path, change=None, *, who="coder"):
    """Code a sheet as somebody would who goes by words, let `change` spoil it, and save it as CSV."""
    frame = sent(path)
    text = frame["Comment"].str.lower()
    frame["Staff (all) (staff)"] = np.where(text.str.contains("staff|clerk"), "positive", "")
    frame["Price (price)"] = np.where(text.str.contains("expensive"), "-", np.where(text.str.contains("price"), "+", ""))
    frame["Fees (fee)"] = np.where(text.str.contains("fee"), "n", "")
    empty = (frame[["Staff (all) (staff)", "Price (price)", "Fees (fee)"]] == "").all(axis=1)
    frame["No topic of the list"] = np.where(empty, "x", "")
    frame = frame if change is None else change(frame)
    out = path.with_name(f"{who}_{path.stem}.csv")
    spreadsheets.csv(frame, out)
    return out


def export(made, tmp_path, **options):
    tables, frame, mentions = made
    sheets.export(tables, frame, mentions, **{"kind": "audit", "rows": 70, "coders": 2, "folder": tmp_path / "out", **options})
    return sorted((tmp_path / "out").glob("*.xlsx"))


def test_krippendorff_matches_the_published_example_nominal_and_interval():
    """The matrix of the krippendorff package's README, after Krippendorff (2011)."""
    given = ("*    *    *    *    *    3    4    1    2    1    1    3    3    *    3",
             "1    *    2    1    3    3    4    3    *    *    *    *    *    *    *",
             "*    *    2    1    3    4    4    *    2    1    1    3    3    *    4")
    rows = pd.DataFrame([(unit, coder, float(value)) for coder, line in enumerate(given) for unit, value in enumerate(line.split()) if value != "*"], columns=["unit", "coder", "value"])
    assert agreement.alpha(rows) == pytest.approx(0.691358, abs=5e-7)
    assert agreement.alpha(rows, metric="interval") == pytest.approx(0.8108449, abs=5e-8)


def test_kappa_is_the_textbook_table_of_fifty():
    """20 both yes, 5 and 10 one only, 15 both no: observed .7, by chance .5, kappa .4."""
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert agreement.kappa(first, second) == pytest.approx(0.4)


def marks(both, first, second, neither, topic="t"):
    cells = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second + [(0, 0)] * neither
    return pd.DataFrame([(unit, coder, topic, value, "positive" if value else "") for unit, pair in enumerate(cells) for coder, value in zip("AB", pair)], columns=["unit", "coder", "topic", "present", "polarity"])


def test_positive_agreement_and_verdicts_follow_their_definitions():
    found = agreement.topics(pd.concat([marks(60, 5, 5, 130), marks(10, 20, 20, 150, "vague"), marks(8, 2, 1, 189, "rare"), marks(3, 0, 0, 197, "few")])).set_index("topic")
    assert found.loc["t", "positive"] == pytest.approx(120 / 130)
    assert found.loc["t", "observed"] == pytest.approx(190 / 200)
    assert found.loc["t", ["verdict", "allowed"]].tolist() == ["reliable", True]
    assert found.loc["vague", ["verdict", "allowed"]].tolist() == ["below", False]
    assert found.loc["rare", "estimate"] > 0.8
    assert found.loc["rare", ["verdict", "allowed"]].tolist() == ["cannot tell", False]  # 8 of 11 may be 4 of 10: the lower limit decides
    assert found.loc["few", "verdict"] == "cannot tell"
    assert agreement.barred(found.reset_index()) == {"vague", "rare", "few"}


def test_a_sheet_tells_nothing_but_the_comment_and_no_cell_is_a_formula(made, tmp_path):
    """FAULTS 20 and 26: redacted, formula-safe, blind: no score, no segment, no person, no code of the machine."""
    paths = export(made, tmp_path)
    assert len(paths) == 2
    first, second = (sent(path) for path in paths)
    assert list(first) == ["Row", "Question", "Comment", "Staff (all) (staff)", "Price (price)", "Fees (fee)", *sheets.ASIDE]
    assert first["Comment"].tolist() == second["Comment"].tolist()
    assert "[phone]" in "".join(first["Comment"])
    assert not first["Comment"].str.contains("1234567").any()
    assert not first["Row"].str.contains("r[0-9]{3}").any()
    assert (first.iloc[:, 3:] == "").all(axis=None)
    import zipfile
    with zipfile.ZipFile(paths[0]) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        assert "The people one meets." in book.read("xl/sharedStrings.xml").decode()


def test_the_round_trip_keeps_every_mark_and_a_second_import_replaces_the_first(made, tmp_path):
    tables, frame, _ = made
    paths = export(made, tmp_path)
    said = sheets.bring(tables.programme, [returned(path) for path in paths])
    assert "by coder A" in said[0]
    found = codings.marks(tables.programme, frame, kind="audit")
    texts = tables["verbatims"].set_index("answer")["text"].str.lower()
    staff = found[found["topic"] == "staff"]
    assert set(staff["answer"]) == {answer for answer in found["answer"] if any(word in texts[answer] for word in ("staff", "clerk"))}
    assert set(staff["polarity"]) == {"positive"}
    assert set(found.loc[found["topic"] == "fee", "polarity"]) == {"negative"}
    assert set(found["coder"]) == {"A", "B"}
    assert agreement.topics(codings.presence(tables.programme, frame)).set_index("topic").loc["staff", "estimate"] == 1
    before = len(codings.codings(tables.programme))
    assert "were replaced" in sheets.bring(tables.programme, [returned(paths[0])])[0]
    assert len(codings.codings(tables.programme)) == before


def test_neither_file_holds_a_comment(made, tmp_path):
    tables, *_ = made
    sheets.bring(tables.programme, [returned(path) for path in export(made, tmp_path)])
    for name in ("coding_draws.csv", "codings.csv"):
        text = (tables.programme.folder / name).read_text("utf-8")
        assert "friendly" not in text
        assert "fee costs" not in text
        assert tables.programme.folder / name in tables.programme.inputs()


def swap(frame):
    frame["Comment"] = frame["Comment"].to_numpy()[::-1]
    return frame


def put(column, value, row=4):
    def change(frame):
        frame.loc[row, column] = value
        return frame
    return change


@pytest.mark.parametrize(("change", "words"), [
    (swap, ["row 2", "'Comment'", "not the one that was sent", "fresh copy"]),
    (put("Price (price)", "maybe"), ["row 6", "'Price (price)'", "'maybe'", "positive, negative, unclear or both"]),
    (put("Row", "17"), ["row 6", "'Row'", "'17'", "put back"]),
    (lambda frame: frame.drop(columns="Fees (fee)"), ["the topic 'fee' is missing", "heading"]),
    (lambda frame: frame.rename(columns={"Row": "Rows"}), ["'Row' is missing", "did you mean Rows"]),
    (lambda frame: pd.concat([frame, frame.iloc[[3]]]), ["row 5 too", "keep one"]),
    (lambda frame: frame.assign(**{"Wait (wait)": "x"}), ["'Wait (wait)'", "no topic of this draw"]),
    (lambda frame: frame.assign(**{"Cannot be read": "x"}), ["beside the topic", "take one"]),
    (lambda frame: frame.assign(**dict.fromkeys(frame.columns[3:], "")), ["no row is coded"]),
])
def test_a_sheet_that_was_spoilt_is_refused_with_row_column_value_and_remedy_and_nothing_is_stored(change, words, made, tmp_path):
    tables, *_ = made
    path = export(made, tmp_path)[0]
    with pytest.raises(DataError) as told:
        sheets.bring(tables.programme, [returned(path, change)])
    for word in words:
        assert word in str(told.value)
    assert not (tables.programme.folder / "codings.csv").exists()


def test_rows_not_coded_yet_are_counted_and_skipped_ones_named(made, tmp_path):
    tables, frame, _ = made
    blank = lambda one: one.assign(**{column: one[column].where(~one.index.isin([0, *range(60, 70)]), "") for column in one.columns[3:]})
    said = sheets.bring(tables.programme, [returned(export(made, tmp_path)[0], blank)])
    assert "11 of 70 comments of d1 are not coded yet, 1 of them in between" in said[1]
    found = codings.audited(tables.programme, frame)
    assert len(found) == 59
    assert (1 / found["probability"]).sum() == pytest.approx(tables["verbatims"]["answer"].nunique())  # what came back stands for all


def test_audit_rows_are_never_learnt_from(made, tmp_path):
    tables, frame, _ = made
    audit_paths = export(made, tmp_path)
    train_paths = [path for path in export(made, tmp_path, kind="train", rows=60, coders=1) if "train" in path.name]
    sheets.bring(tables.programme, [returned(path) for path in [*audit_paths, *train_paths]])
    drawn = codings.draws(tables.programme)
    learnt = codings.training(tables.programme, frame, verbatims=tables["verbatims"])
    assert len(learnt)
    assert not set(learnt["answer"]) & set(drawn.loc[drawn["kind"] == "audit", "answer"])
    forged = drawn[drawn["kind"] == "audit"].head(1).assign(kind="train", draw="d9")
    with pytest.raises(DataError, match="never learnt from"):
        codings.drawn(tables.programme, forged)
    whole = pd.concat([drawn, forged])
    spreadsheets.csv(whole, tables.programme.folder / "coding_draws.csv")  # by hand, past the door
    with pytest.raises(DataError, match="never learnt from"):
        codings.training(tables.programme, frame, verbatims=tables["verbatims"])


def test_a_person_in_an_audit_is_not_trained_on_through_another_answer():
    drawn = pd.DataFrame({"kind": ["audit"], "answer": ["a1"]})
    people = pd.DataFrame({"answer": ["a1", "a2", "a3", "a4"], "person_id": ["p1", "p1", "p2", None]})
    assert audit.free(drawn, people, kind="train").tolist() == [False, False, True, True]
    assert audit.free(drawn, people, kind="audit").tolist() == [False, True, True, True]


def test_training_asks_for_a_promise_that_permits_it(tiny, tmp_path):
    folder = tiny(answers())
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=tmp_path / "reports"), codeframe.read(folder / "codeframe.toml")
    with pytest.raises(DataError, match="does not permit to train"):
        sheets.export(tables, frame, comments.code(tables, frame), kind="train", rows=50, coders=1, folder=tmp_path / "out")
    assert not (folder / "coding_draws.csv").exists()


def test_an_audit_is_drawn_once_and_unknown_surveys_are_named(made, tmp_path):
    tables, frame, mentions = made
    export(made, tmp_path)
    said = sheets.export(tables, frame, mentions, kind="audit", rows=50, coders=1, folder=tmp_path / "more")
    assert "has an audit already" in said[0]
    with pytest.raises(UsageError, match="did you mean poll"):
        sheets.export(tables, frame, mentions, kind="audit", rows=50, coders=1, folder=tmp_path / "more", survey="pol")


def test_strata_give_every_answer_a_known_chance_and_rare_topics_more(made):
    tables, _, mentions = made
    own = tables["verbatims"].assign(response_id=lambda rows: rows["answer"])
    one, two = (audit.sample(own, mentions, rows=70, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) == one["answer"].nunique() == 70
    assert (1 / one["probability"]).sum() == pytest.approx(own["answer"].nunique())
    assert audit.sample(own, mentions, rows=70, seed=4)["answer"].tolist() != one["answer"].tolist()
    assert audit.allocated(pd.Series({"a": 900, "b": 100}), rows=100) == {"a": 90, "b": 10}
    assert audit.allocated(pd.Series({"a": 900, "rare": 100}), rows=100, boost={"rare": 3.0}) == {"a": 75, "rare": 25}
    assert audit.allocated(pd.Series({"a": 8, "b": 3}), rows=100) == {"a": 8, "b": 3}


def test_active_rows_hold_what_is_uncovered_and_what_is_rare():
    texts = [f"the price of plan {n} is fine with me" for n in range(200)] + [f"{('my goldfish swims in circles', 'the lift broke down again', 'parking was full all day')[n % 3]} {'so it did ' * (n % 13)}" for n in range(39)] + ["a shop in the wrong street"] + [f"a fee of {n} was taken from me" for n in range(6)]
    own = pd.DataFrame({"response_id": [f"r{n:03d}" for n in range(len(texts))], "item": "why", "text": texts})
    hits = pd.concat([own.iloc[:200].assign(topic="price"), own.iloc[240:].assign(topic="fee")])
    found = audit.active(own, hits, rows=40)
    assert len(found) == 40
    shares = found["answer"].str[1:].astype(int)
    assert (shares >= 240).sum() == 6  # all of the rare topic
    assert ((shares >= 200) & (shares < 240)).sum() >= 12  # the uncovered sixth of the comments is a third of the rows
    assert {texts[place].split()[1] for place in shares if 200 <= place < 239} == {"goldfish", "lift", "was"}


def test_the_command_sends_sheets_takes_them_back_and_the_report_says_corrected(tiny, cx, tmp_path):
    """cx code export, two people, cx code import: the shares of the quarter are corrected, agreement is a finding; what is no sheet is refused with 3, a kind that is none with 2."""
    folder = tiny(answers(210), toml=TRAIN)
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    assert cx("code", "export", folder, "--kind", "audti", "--out", tmp_path / "r")[0] == 2
    code, said, errors = cx("code", "export", folder, "--rows", "80", "--out", tmp_path / "r")
    assert code == 0, errors
    paths = sorted((folder / "coding").glob("*.xlsx"))
    assert [path.stem[-1] for path in paths] == ["A", "B"]
    assert "80 answers (80 comments) of poll 2026Q1 for an audit" in said
    code, said, errors = cx("code", "import", *[returned(path) for path in paths], "--programme", folder)
    assert code == 0, errors
    assert "staff: alpha 1.00" in said
    code, _, errors = cx("code", "import", folder / "raw" / "a.csv", "--programme", folder)
    assert (code, "'Row' is missing" in errors) == (3, True)
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=tmp_path / "r"), codeframe.read(folder / "codeframe.toml")
    shares = comments.shares(comments.code(tables, frame), tables, frame)
    assert not shares.loc[shares["topic"] == "staff", "indicative"].any()
    assert set(shares["audit_n"]) == {80}
    truth = tables["verbatims"]["text"].str.lower().str.contains("staff|clerk").mean()
    row = shares[(shares["topic"] == "staff") & (shares["polarity"] == "any")].iloc[0]
    assert row["conf_low"] <= truth <= row["conf_high"]
    assert row["estimate"] == pytest.approx(truth)  # the phrases find what these coders find
    link = links.impact(comments.code(tables, frame), tables, found.kpis[0], frame, what=metrics.definition_of(found.kpis[0].definition)).set_index("topic").loc["staff"]
    assert link[["indicative", "audit_n"]].tolist() == [False, 80]
    assert link["estimate"] == pytest.approx(link["uncorrected"])
    slope = links.associations(comments.code(tables, frame), tables, found.kpis[0], frame, what=metrics.definition_of(found.kpis[0].definition)).set_index(["held", "topic"]).loc[("topics, segment, wave", "staff")]
    assert slope[["indicative", "audit_n", "n"]].tolist() == [False, 80, 210]
    assert abs(slope["estimate"] - slope["uncorrected"]) < slope["std_error"]  # one step of a linearised slope


def everything(folder) -> str:
    """All that the programme's folder holds of coding, sheets unpacked."""
    import zipfile

    texts = [path.read_text("utf-8") for path in (folder / "coding_draws.csv", folder / "codings.csv", *sorted((folder / "coding").glob("*.csv")))]
    for path in sorted((folder / "coding").glob("*.xlsx")):
        with zipfile.ZipFile(path) as book:
            texts += [book.read(name).decode() for name in book.namelist() if name.endswith(".xml")]
    return "\n".join(texts)


@pytest.mark.parametrize("ids", ["id", "#row"])
def test_who_is_forgotten_goes_from_the_draws_the_codings_and_the_sheets_and_nobody_else_changes(ids, tiny, cx, tmp_path, monkeypatch):
    """cx forget: the person's comment is nowhere left, marks of all others stand under the same comment as before, and a sheet that was given out before can still come back."""
    monkeypatch.setenv("CX_SALT", "a fixed salt of the tests")
    rows = "".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},{SAID[i % 5]} and word{i:03d}x\n" for i in range(120))
    folder = tiny(rows, toml=TRAIN.replace('response_id = "id"', f'response_id = "{ids}"'))
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    out = ("--out", tmp_path / "r")
    assert cx("code", "export", folder, "--rows", "80", *out)[0] == 0
    first, second = sorted((folder / "coding").glob("*.xlsx"))
    assert cx("code", "import", returned(first), "--programme", folder)[0] == 0
    late = returned(second)  # given out before, comes back after
    before = {row["Comment"]: row for row in sent(first).to_dict("records")}
    person = sent(first)["Comment"].iloc[0][-5:-1].lstrip("d0") or "0"
    mark = f"word{int(person):03d}x"
    assert mark in everything(folder)
    elsewhere = tmp_path / late.name
    late.rename(elsewhere)
    code, said, errors = cx("forget", f"p{int(person)}", folder, "--reason", "request of 3 May", *out)
    assert code == 0, errors
    assert "1 comment drawn for coding was taken out" in said
    assert "2 sheets" in said or "3 sheets" in said
    assert "d1 row 1." in said
    assert mark not in said + everything(folder)
    after = {row["Comment"]: row for row in sent(first).to_dict("records")}
    assert after == {text: row for text, row in before.items() if mark not in text}
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=tmp_path / "r"), codeframe.read(folder / "codeframe.toml")
    told = codings.marks(found, frame, kind="audit").merge(tables["verbatims"][["answer", "item", "text"]], on=["answer", "item"])
    assert told.groupby("row")["text"].nunique().eq(1).all()
    assert set(told.loc[told["topic"] == "staff", "text"].str.contains("staff|clerk", case=False)) == {True}
    assert told["row"].nunique() == 79
    code, said, errors = cx("code", "import", elsewhere, "--programme", folder)
    assert code == 0, errors
    assert "left out was row 2, no longer drawn because somebody was forgotten" in said
    assert codings.asked_of(codings.draws(found), "d1") == ["staff", "price", "fee"]


CHATS = TRAIN + """
[[sources]]
table = "interactions"
file = "chats.csv"
uses = ["aggregate", "quote"]
"""


def test_messages_are_audited_channel_by_channel_never_trained_on_and_forgotten_with_who_wrote_them(tiny, cx, tmp_path, monkeypatch):
    monkeypatch.setenv("CX_SALT", "a fixed salt of the tests")
    folder = tiny(answers(60), toml=CHATS)
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    lines = "".join(f"m{at:03d},2026-03-{1 + at % 28:02d},live/chat,w{at},{SAID[at % 4]} and word{at:03d}x\n" for at in range(120))
    (folder / "raw" / "chats.csv").write_text("interaction_id,at,channel,person_id,text\n" + lines, "utf-8")
    code, said, errors = cx("code", "export", folder, "--rows", "60", "--survey", "contacts: live/chat", "--out", tmp_path / "r")
    assert code == 0, errors
    assert "60 answers (60 comments) of contacts: live/chat 2026Q1 for an audit" in said
    paths = sorted((folder / "coding").glob("*.xlsx"))
    assert [path.name for path in paths] == [f"tiny_live_chat_2026Q1_audit_d1_{coder}.xlsx" for coder in "AB"]
    assert set(sent(paths[0])["Question"]) == {"Message"}
    assert cx("code", "import", *[returned(path) for path in paths], "--programme", folder)[0] == 0
    found, frame = programme.read(folder), codeframe.read(folder / "codeframe.toml")
    tables = load.tables(found, "2026Q1", out=tmp_path / "r")
    shares = comments.shares(comments.code(tables, frame), tables, frame).set_index(["survey", "topic", "polarity"])
    assert not shares.loc[("contacts: live/chat", "staff", "any"), "indicative"]
    assert shares.loc[("poll", "staff", "any"), "indicative"]
    assert cx("code", "export", folder, "--kind", "train", "--survey", "contacts: live/chat", "--out", tmp_path / "r")[0] == 2
    drawn = codings.draws(found)
    one = drawn["answer"].iloc[0]
    word = f"word{one[-3:]}x"
    assert word in everything(folder)
    code, _, errors = cx("forget", f"w{int(one[-3:])}", folder, "--reason", "asked", "--out", tmp_path / "r")
    assert code == 0, errors
    assert one not in set(codings.draws(found)["answer"])
    assert word not in everything(folder)
