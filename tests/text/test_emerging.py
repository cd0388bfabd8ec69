"""Topics that nobody has named yet: a planted one is found, grows beyond chance, comes back when texts are left out, and enters the codeframe only through a person."""

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import DataError, UsageError
from cxlib.text import codeframe, emerging, proposal, topics

FRAME = 'version = "2026-1"\n\n# what people pay\n[[topics]]\nid = "price"\nname = "Price"\ninclude = ["price", "expensive", "cheap"]\n\n[[topics]]\nid = "staff"\nname = "Staff"\ninclude = ["staff", "clerk"]\n'
IDLE = ["I have been with them since {n}", "we moved house in week {n} and kept the contract", "my brother told me about number {n}", "see you in the office {n}", "it was the {n} of the month", "no reason at all {n}",
        "the weather was fine on {n}", "our dog barked {n} times", "the garden gate number {n}", "a parcel for flat {n}", "the train left platform {n}", "page {n} of the manual"]
ESIM = ["the esim would not activate on my phone", "activating the esim took three attempts", "esim activation code never came", "could not move my esim to the new phone", "the esim profile was lost after activation"]
TAILS = ["on monday", "again", "in march", "last week", "after the update", "twice"]
QUARTERS = ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]


def world(planted, *, size=120, seed=0):
    """Comments a quarter, of which `planted` (quarter -> share) speak of a topic that the codeframe does not have; a third speak of price or staff."""
    rng, rows = np.random.default_rng(seed), []
    for quarter in QUARTERS:
        for at in range(size):
            draw = rng.random()
            if draw < planted.get(quarter, 0.0):
                text = f"{rng.choice(ESIM)} {rng.choice(TAILS)} {rng.integers(30)}"
            elif draw > 0.67:
                text = rng.choice(["the price is high", f"friendly staff, {at} times", "too expensive for me"])
            else:
                text = rng.choice(IDLE).format(n=rng.integers(100))
            rows.append((f"{quarter}-{at:04d}", "why", text, quarter))
    return pd.DataFrame(rows, columns=["response_id", "item", "text", "quarter"])


@pytest.fixture
def frame(tmp_path):
    path = tmp_path / "codeframe.toml"
    path.write_text(FRAME, "utf-8")
    return codeframe.read(path)


def found(verbatims, frame):
    left = emerging.remainders(topics.code(verbatims, frame), verbatims, frame)
    return left, emerging.proposals(left)


def test_a_new_topic_of_the_last_two_quarters_is_found_with_its_words_and_called_new_or_growing(frame):
    left, proposed = found(world({"2026Q2": 0.06, "2026Q3": 0.12}), frame)
    row = proposed[proposed["phrases"].str.contains("esim")].iloc[0]
    assert row["status"] == "growing"
    assert row["stability"] >= emerging.STABLE
    assert row["change_low"] > 0
    assert not proposed["phrases"].str.contains("price|staff|expensive").any()
    shown = emerging.examples(left, proposed)
    assert shown.loc[shown["id"] == row["id"], "rest"].str.contains("esim").all()
    new = found(world({"2026Q3": 0.12}), frame)[1]
    assert new[new["phrases"].str.contains("esim")].iloc[0]["status"] == "new"


def test_a_subject_whose_word_is_an_opinion_too_and_that_grew_a_quarter_ago_is_found_by_its_word(frame):
    """As many in its second quarter as in its first: against the four before it hardly grows, and no cluster is large enough; the subject is in the word that the opinion list holds."""
    said = world({}, size=180, seed=3)
    rng = np.random.default_rng(5)
    for quarter in ("2026Q2", "2026Q3"):
        own = rng.choice(said.index[said["quarter"] == quarter], 10, replace=False)
        said.loc[own, "text"] = [f"{how} scam {what} {rng.integers(900)}" for how, what in zip(rng.choice(["another", "one more", "third"], 10), rng.choice(["in my mailbox", "with your logo", "at my door"], 10))]
    _, proposed = found(said, frame)
    row = proposed[proposed["phrases"].str.contains("scam")].iloc[0]
    assert (row["count"], row["before"]) == (10, 10)
    assert row["mode"] == "words"


def test_what_was_always_said_is_proposed_without_being_called_growing(frame):
    _, proposed = found(world({"2026Q3": 0.12}), frame)
    row = proposed[proposed["phrases"].str.contains("dog")].iloc[0]
    assert row["status"] == "steady"
    assert row["change_low"] < 0 < row["change_high"]


def test_nothing_grows_in_worlds_in_which_nothing_does(frame):
    """METHODS (c): at most 5 % of runs claim growth; 20 worlds, so up to four by chance (binomial, p = .05: five or more in .3 % of such tests)."""
    claimed = sum((found(world(dict.fromkeys(QUARTERS, 0.06), size=100, seed=seed), frame)[1]["status"] != "steady").any() for seed in range(20))
    assert claimed <= 4


def test_the_same_texts_in_another_order_give_the_same_proposals_and_most_come_back_without_a_twentieth(frame):
    verbatims = world({"2026Q2": 0.06, "2026Q3": 0.12})
    _, first = found(verbatims, frame)
    _, again = found(verbatims.sample(frac=1, random_state=3, ignore_index=True), frame)
    pd.testing.assert_frame_equal(first, again)
    shares = []
    for seed in range(4):
        _, fewer = found(verbatims.sample(frac=0.95, random_state=seed), frame)
        sets = [set(phrases.split("|")) for phrases in fewer["phrases"]]
        shares += [max((len(set(phrases.split("|")) & other) / len(set(phrases.split("|")) | other) for other in sets), default=0.0) for phrases in first["phrases"]]
    assert np.mean(shares) >= 0.80


def test_fifty_comments_work_in_phrase_mode(frame):
    small = world({"2026Q3": 0.3}, size=10)
    left, proposed = found(small, frame)
    assert len(left) == 50
    assert set(proposed["mode"]) <= {"phrases"}
    assert found(small.head(0), frame)[1].empty


def test_a_new_clause_in_a_comment_that_is_covered_is_seen(frame):
    verbatims = pd.DataFrame({"response_id": ["a", "b"], "item": "why", "quarter": "2026Q1", "text": ["The price is fine. My esim does not activate.", "Nothing"]})
    left = emerging.remainders(topics.code(verbatims, frame), verbatims, frame).set_index("response_id")
    assert "esim" in left.loc["a", "rest"]
    assert "price" not in left.loc["a", "rest"]
    assert left.loc["b", "rest"] == ""


def test_a_person_accepts_into_the_next_version_and_every_line_stays(frame, tmp_path):
    _, proposed = found(world({"2026Q2": 0.06, "2026Q3": 0.12}), frame)
    row = proposed[proposed["phrases"].str.contains("esim")].iloc[0]
    path, offered = tmp_path / "codeframe.toml", tmp_path / proposal.FILE
    offered.write_text(proposal.text(proposed.assign(survey="poll"), frame, quarter="2026Q3"), "utf-8")
    stood = path.read_bytes()
    said = proposal.accept(path, offered, [row["id"]])
    assert path.with_name(f"{path.stem}_before.toml").read_bytes() == stood
    assert codeframe.before(path).version != codeframe.read(path).version
    assert "2026-1 became 2026-2" in said[0]
    after = codeframe.read(path)
    assert after.version == "2026-2"
    topic = after.topics[-1]
    assert (topic.id, topic.since) == (row["id"], "2026-2")
    assert all(line in path.read_text("utf-8") for line in FRAME.splitlines()[1:])
    left = world({"2026Q3": 0.12})
    assert topics.code(left, after)["topic"].eq(topic.id).sum() > 5
    with pytest.raises(DataError, match="defined twice"):
        proposal.accept(path, offered, [row["id"]])
    with pytest.raises(UsageError, match="is not proposed"):
        proposal.accept(path, offered, ["new_nonsense"])
    assert codeframe.read(path).version == "2026-2"


def test_versions_are_raised_by_their_last_number():
    assert [proposal.raised(one) for one in ("2026-1", "2026-9", "3", "v2b", "first")] == ["2026-2", "2026-10", "4", "v3b", "first-2"]


def test_one_subject_in_three_forms_of_its_word_is_proposed_once(frame):
    """Scam, scammer and scammers grew side by side and were three sentences on a page."""
    said = world({}, size=200, seed=8)
    rng = np.random.default_rng(2)
    own = rng.choice(said.index[said["quarter"] == "2026Q3"], 45, replace=False)
    said.loc[own, "text"] = [f"{word} {what} {rng.integers(900)}" for word, what in zip(["scam", "scammer", "scammers"] * 15, rng.choice(["in my mailbox", "with your logo", "at my door"], 45))]
    _, proposed = found(said, frame)
    rows = proposed[proposed["phrases"].str.contains("scam")]
    assert len(rows) == 1
    assert {"scam", "scammer", "scammers"} <= set(rows.iloc[0]["phrases"].split("|"))
    assert rows.iloc[0][["count", "before"]].tolist() == [45, 0]


def test_what_one_in_a_hundred_says_as_always_is_not_proposed():
    left = pd.DataFrame({"response_id": [f"r{at}" for at in range(1000)], "item": "why", "quarter": ["2026Q2", "2026Q3"] * 500, "language": "en", "rest": "", "named": ""})
    where = ["kitchen", "cellar", "attic", "hall", "garage", "porch", "shed", "loft", "annexe", "stable", "chapel", "office", "nursery", "pantry", "studio", "barn"]
    left.loc[left.index[:7], "rest"] = [f"the boiler hums beside our {place}" for place in where[:7]]
    assert emerging.proposals(left).empty  # three or four now and as many before, of 500 each
    left.loc[left.index[:16], "rest"] = [f"the boiler hums beside our {place}" for place in where]
    assert emerging.proposals(left)["status"].tolist() == ["steady"]
