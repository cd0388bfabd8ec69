"""The coder that learnt from coded verbatims: better than phrases where people coded enough, honest where they did not, never taught by the audit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib import load, programme
from cxlib.errors import DataError
from cxlib.text import codeframe, coder, codings, comments, topics

FRAME = codeframe.parse({"version": "1", "questions": {"better": "faults", "good": "merits"}, "topics": [
    {"id": "wait", "name": "Waiting", "include": ["wait"]},
    {"id": "price", "name": "Price", "include": ["price"]},
    {"id": "content", "name": "Content", "include": ["all fine"], "silence": "faults"},
    {"id": "injury", "name": "Injury", "include": ["hurt"], "alert": True},
    {"id": "rare", "name": "Rare", "include": ["parking"]},
]})
# How people speak of each topic: with its phrase, without it, and with the phrase but of something else.
SAYS = {
    "wait": ["I had to wait for ages", "forty minutes in the queue", "stood in the queue again", "queue out of the door"],
    "price": ["the price went up", "costs a fortune these days", "a fortune for what you get", "cheaper elsewhere, costs a fortune"],
    "content": ["all fine with me"], "injury": ["I got hurt on the stairs", "slipped and broke my wrist", "slipped on the wet floor"],
    "": ["I cannot wait to come back", "lovely people", "see you soon", "the colours are nice", "cannot wait for summer"],
}


def world(size=400, seed=5):
    rng = np.random.default_rng(seed)
    rows, codes = [], []
    for n in range(size):
        chosen = [name for name, chance in (("wait", 0.3), ("price", 0.25), ("injury", 0.06)) if rng.random() < chance] or ["" if rng.random() < 0.7 else "content"]
        item = ("better", "good")[n % 2]
        said = ". ".join(str(rng.choice(SAYS[name])) for name in chosen)
        if chosen in (["content"], [""]) and rng.random() < 0.4:  # the same word after both questions
            said, chosen = "Nothing", ["content" if item == "better" else ""]
        rows.append((f"r{n:04d}", f"p{n // 2:04d}", item, said))
        codes += [(f"r{n:04d}", item, name) for name in chosen]
    return pd.DataFrame(rows, columns=["response_id", "person_id", "item", "text"]), pd.DataFrame(codes, columns=["response_id", "item", "topic"])


@pytest.fixture(scope="module")
def learnt():
    return coder.learn(*world()[::-1], FRAME)


def right(found, coded, topic) -> float:
    ours, theirs = (set(frame.loc[frame["topic"] == topic, "response_id"]) for frame in (found, coded))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


def test_it_learns_what_phrases_do_not_have_and_what_they_wrongly_hit(learnt):
    verbatims, coded = world(seed=6)
    found, phrases = coder.code(verbatims, learnt), topics.code(verbatims, FRAME)
    for topic in ("wait", "price"):
        assert right(found, coded, topic) > 0.95
        assert right(phrases, coded, topic) < 0.6
    check = learnt.check.set_index("topic")
    assert check.loc[["wait", "price"], "method"].tolist() == ["model", "model"]
    assert (check.loc[["wait", "price"], "f1"] > check.loc[["wait", "price"], "f1_phrases"]).all()
    assert list(found.columns) == coder.COLUMNS
    assert found.loc[found["coded_by"] == "model", "probability"].between(0, 1).all()


def test_a_topic_that_no_phrase_found_stands_at_the_clause_that_speaks_of_it(learnt):
    found = coder.code(pd.DataFrame({"response_id": ["a"], "item": "better", "text": ["lovely people, but it costs a fortune, see you soon"]}), learnt)
    assert found[["topic", "clause", "clause_text", "phrase"]].to_numpy().tolist() == [["price", 2, "but it costs a fortune", ""]]


def test_few_coded_verbatims_leave_a_topic_and_a_codeframe_with_their_phrases(learnt):
    assert learnt.check.set_index("topic").loc["rare", "method"] == "phrases"
    verbatims, coded = world(60)
    few = coder.learn(coded, verbatims, FRAME)
    assert set(few.check["method"]) == {"phrases"}
    assert "too few" in few.check.loc[0, "note"]
    plain = topics.code(verbatims, FRAME)
    pd.testing.assert_frame_equal(coder.code(verbatims, few)[topics.COLUMNS], plain)
    assert coder.scores(verbatims, few).empty


def test_nothing_counts_by_what_the_question_asks_for(learnt):
    for method in (lambda rows: topics.code(rows, FRAME), lambda rows: coder.code(rows, learnt)):
        found = method(pd.DataFrame({"response_id": ["a", "b"], "item": ["better", "good"], "text": "Nothing."}))
        assert found[["response_id", "topic", "polarity"]].to_numpy().tolist() == [["a", "content", "positive"]]


def test_alert_topics_find_more_than_their_phrases_and_drop_none_of_them(learnt):
    verbatims, coded = world(seed=7)
    found, phrases = coder.code(verbatims, learnt), topics.code(verbatims, FRAME)
    theirs, ours, hit = (set(frame.loc[frame["topic"] == "injury", "response_id"]) for frame in (coded, found, phrases))
    assert hit <= ours
    assert len(ours & theirs) / len(theirs) >= 0.95
    assert len(hit & theirs) / len(theirs) < 0.6
    assert learnt.check.set_index("topic").loc["injury", "threshold"] <= 0.5


def test_audit_rows_and_their_people_never_teach():
    """Audited answers coded with something absurd must not change a weight, nor may the other answers of those who gave them."""
    verbatims, coded = world()
    audit = set(verbatims["response_id"].iloc[::8])
    people = set(verbatims.loc[verbatims["response_id"].isin(audit), "person_id"])
    absurd = coded.assign(topic=coded["topic"].where(~coded["response_id"].isin(audit), "price"))
    first, second = coder.learn(coded, verbatims, FRAME, exclude=audit), coder.learn(absurd, verbatims, FRAME, exclude=audit)
    np.testing.assert_array_equal(first.weights, second.weights)
    without = verbatims[~verbatims["person_id"].isin(people)]
    np.testing.assert_array_equal(first.weights, coder.learn(coded, without, FRAME).weights)
    assert first.check["n"].iloc[0] == len(without)
    assert not np.array_equal(first.weights.shape, coder.learn(coded, verbatims, FRAME).weights.shape) or not np.array_equal(first.weights, coder.learn(coded, verbatims, FRAME).weights)


def test_nobody_is_in_two_folds():
    """Words that only one person uses tell nothing of that person's other answer: were both in two folds, they would."""
    rng = np.random.default_rng(2)
    rows, codes = [], []
    for person in range(150):
        word = "".join(rng.choice(list("bcdfgklmnprst"), 12))
        topic = "wait" if rng.random() < 0.5 else "price"
        for answer in range(2):
            rows.append((f"{person}-{answer}", f"p{person}", "why", f"{word} {word}"))
            codes.append((f"{person}-{answer}", "why", topic))
    verbatims, coded = pd.DataFrame(rows, columns=["response_id", "person_id", "item", "text"]), pd.DataFrame(codes, columns=["response_id", "item", "topic"])
    apart, mixed = coder.learn(coded, verbatims, FRAME).check, coder.learn(coded, verbatims.drop(columns="person_id"), FRAME).check
    assert mixed.set_index("topic").loc["wait", "f1"] > 0.8
    assert apart.set_index("topic").loc["wait", "f1"] < 0.75


def test_order_batches_and_hash_seed_change_nothing(learnt):
    verbatims, coded = world()
    again = coder.learn(coded.sample(frac=1, random_state=3), verbatims.iloc[::-1], FRAME)
    np.testing.assert_array_equal(learnt.weights, again.weights)
    whole = coder.code(verbatims, learnt)
    pd.testing.assert_frame_equal(whole, pd.concat([coder.code(verbatims.iloc[at : at + 70], learnt) for at in range(0, 400, 70)], ignore_index=True))
    run = "import sys, tests.text.test_coder as t; v, c = t.world(150); sys.stdout.buffer.write(t.coder.learn(c, v, t.FRAME).weights.tobytes())"
    root, (verbatims, coded) = Path(__file__).parents[2], world(150)
    out = subprocess.run([sys.executable, "-c", run], cwd=root, env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(root)}, capture_output=True, check=True).stdout
    assert out == coder.learn(coded, verbatims, FRAME).weights.tobytes()


def test_a_topic_that_the_codeframe_does_not_have_is_named():
    verbatims, coded = world(120)
    coded.loc[5, "topic"] = "prize"
    with pytest.raises(DataError, match=r"topic 'prize' of response 'r\d+' is not in codeframe 1 \(did you mean price"):
        coder.learn(coded, verbatims, FRAME)


def test_a_programme_codes_by_what_people_taught_and_never_by_its_audit(tiny, monkeypatch):
    said = ["I like the colour of the wall", "hello there", "the price is high", "see you soon"]
    folder = tiny("".join(f"r{n:03d},DE,p{n},{n % 11},{1 + n % 5},{said[n % 4]}\n" for n in range(160)))
    tables = load.tables(programme.read(folder), "2026Q1", out=folder.parent / "reports")
    texts = comments.of(tables)
    plain = comments.code(tables, FRAME)
    assert set(plain["topic"]) == {"price"}
    assert comments.unsure(tables, FRAME) is None
    taught = texts.assign(topic=np.where(texts["text"].str.contains("wall"), "wait", np.where(texts["text"].str.contains("price"), "price", "")), share=1.0)
    monkeypatch.setattr(codings, "training", lambda *_, **__: taught)
    found = comments.code(tables, FRAME)
    assert set(found.loc[found["topic"] == "wait", "clause_text"]) == {said[0]}
    assert len(found) == 80
    assert set(found["survey"]) == set(plain["survey"])
    assert len(comments.unsure(tables, FRAME)) == 160
    audit = pd.DataFrame({"kind": "audit", "answer": texts["answer"]})
    monkeypatch.setattr(codings, "draws", lambda *_: audit)
    assert comments.learnt(tables, FRAME).topics == ()


def test_what_a_question_asks_for_is_read_from_its_wording(tiny):
    """The item is called "comment", which says nothing; its wording does: "Nothing" to what could be better is content."""
    folder = tiny("".join(f"r{n:03d},DE,p{n},{n % 11},{1 + n % 5},{'Nothing' if n % 2 else 'the price'}\n" for n in range(40)))
    contract = folder / "programme.toml"
    wording = next(one.wording for one in programme.read(folder).items if one.kind == "verbatim")
    contract.write_text(contract.read_text("utf-8").replace(f'"{wording}"', '"What could we do better?"'), "utf-8")
    tables = load.tables(programme.read(folder), "2026Q1", out=folder.parent / "reports")
    mentions, _ = comments.judge(comments.code(tables, FRAME), tables, score="recommend")
    assert mentions.groupby("topic")["polarity"].agg(set).to_dict() == {"content": {"positive"}, "price": {"negative"}}
    assert set(mentions["polarity_from"]) == {"question"}


def test_what_is_near_a_threshold_is_unsure(learnt):
    verbatims, _ = world(seed=8)
    found, chance = coder.unsure(verbatims, learnt), coder.scores(verbatims, learnt)
    assert found.between(0, 1).all()
    assert len(found) == len(verbatims)
    sure = chance.assign(far=(chance["probability"] - chance["threshold"]).abs()).groupby(["response_id", "item"])["far"].min()
    assert found.corr(sure.reindex(found.index), method="spearman") < -0.8
