"""Another version of the codeframe codes every quarter anew: what moved is told apart from what customers changed."""

import pandas as pd
import pytest

from cxlib.errors import DataError
from cxlib.text import codeframe, recode, topics

OLD = codeframe.parse({"version": "1", "topics": [
    {"id": "price", "name": "Price", "include": {"en": ["price"], "de": ["Preis"]}}, {"id": "fees", "name": "Fees", "include": ["fee"]}, {"id": "wait", "name": "Waiting", "include": ["wait"]},
]})
TEXTS = ["the price", "a fee", "far too dear", "I wait", "too dear and I wait", "can't wait to return", "hello", ""]
VERBATIMS = pd.DataFrame({"response_id": [f"r{n}" for n in range(16)], "item": "why", "text": TEXTS * 2, "quarter": ["2026Q1"] * 8 + ["2026Q2"] * 8})


def coded(frame):
    return topics.code(VERBATIMS, frame)


def test_an_edit_shows_what_moves_in_every_quarter_and_which_rows():
    new = recode.edited(OLD, "price", include=["dear"])
    new = recode.edited(new, "wait", exclude=["can't wait"])
    new = recode.edited(new, "fees", merged_into="price", version="2")
    moved = recode.moved(coded(OLD), coded(new), VERBATIMS).set_index(["quarter", "topic"])
    assert new.version == "2"
    for quarter in ("2026Q1", "2026Q2"):  # by hand: 7 people wrote something; price 1 -> 4 (two say dear, one fee), wait 3 -> 2, fees 1 -> 0
        assert moved.loc[(quarter, "price"), ["n", "gained", "lost"]].tolist() == [7, 3, 0]
        assert moved.loc[(quarter, "price"), ["share_old", "share_new", "change"]].tolist() == pytest.approx([1 / 7, 4 / 7, 3 / 7])
        assert moved.loc[(quarter, "wait"), ["share_old", "share_new"]].tolist() == pytest.approx([3 / 7, 2 / 7])
        assert moved.loc[(quarter, "fees"), ["gained", "lost"]].tolist() == [0, 1]
    told = recode.rows(coded(OLD), coded(new))
    assert told[["topic", "change"]].value_counts().to_dict() == {("price", "gained"): 6, ("fees", "lost"): 2, ("wait", "lost"): 2}
    assert set(told.loc[told["topic"] == "wait", "clause_text"]) == {"can't wait to return"}
    covered = recode.effect(VERBATIMS, OLD, new, by=["quarter"])
    assert covered[["n", "covered_old", "covered_new"]].to_numpy().tolist() == [[7, 5 / 7, 5 / 7]] * 2
    assert recode.effect(VERBATIMS, OLD, recode.edited(OLD, "price", include=["dear"])).loc[0, "change"] == pytest.approx(1 / 7)


def test_the_same_version_moves_nothing():
    moved = recode.moved(coded(OLD), coded(OLD), VERBATIMS)
    assert (moved[["change", "gained", "lost"]] == 0).all().all()
    assert recode.rows(coded(OLD), coded(OLD)).empty
    assert recode.differences(OLD, OLD).empty


def test_differences_between_versions_are_told():
    new = recode.edited(OLD, "price", include=["dear"], drop=["price"], name="Price and value")
    new = recode.edited(new, "parking", include=["parking"], version="2")
    assert recode.differences(OLD, new).to_numpy().tolist() == [
        ["parking", "added", "", "Parking"], ["price", "name", "Price", "Price and value"], ["price", "include (en)", "price", "dear"],
    ]
    assert recode.differences(new, OLD)["change"].tolist()[0] == "removed"


def test_an_edit_that_breaks_the_codeframe_is_told():
    with pytest.raises(DataError, match="phrase 'fee' is in two topics, 'price' and 'fees'"):
        recode.edited(OLD, "price", include=["fee"])


def test_phrases_of_another_language_are_edited_alone():
    new = recode.edited(OLD, "price", include=["teuer"], language="de")
    assert new.phrases(new.topics[0], "de") == ("Preis", "teuer")
    assert new.phrases(new.topics[0], "en") == ("price",)


@pytest.mark.parametrize("frame", [OLD, codeframe.starter()], ids=["small", "starter"])
def test_a_codeframe_that_was_written_is_read_as_it_was(tmp_path, frame):
    (tmp_path / "codeframe.toml").write_text(codeframe.written(frame), "utf-8")
    assert codeframe.read(tmp_path / "codeframe.toml") == frame
