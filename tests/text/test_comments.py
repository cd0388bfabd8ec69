"""The comments of a programme: surveys apart, quarters paired, polarity left out where it would be circular."""

import pandas as pd
import pytest

from cxlib.load import store
from cxlib.measure import metrics
from cxlib.show import claims, prose
from cxlib.text import codeframe, comments, links, recode


@pytest.fixture(scope="module")
def coded(sample):
    """Return the tables of the sample in its third quarter, its codeframe and its judged mentions."""
    tables = sample("2024Q2")
    frame = codeframe.read(tables.programme.folder / "codeframe.toml")
    mentions, checks = comments.judge(comments.code(tables, frame), tables, score="recommend", seed=1)
    return tables, frame, mentions, checks


def test_each_survey_has_its_own_check_and_keeps_its_mentions(coded):
    tables, frame, mentions, checks = coded
    assert checks["survey"].tolist() == ["pulse"]
    assert set(mentions["survey"]) == {"pulse"}
    assert len(mentions) == len(comments.code(tables, frame))


def test_the_last_two_quarters_are_paired_topic_by_topic(coded):
    tables, frame, mentions, _ = coded
    shares = comments.shares(mentions, tables, frame)
    now, then = comments.last_two(shares)
    assert set(now["quarter"]) == set(then["quarter"]) == {"2024Q2"}
    assert set(now["then_quarter"]) == {"2024Q1"}
    assert set(now["at"]) == {"2024Q2"}
    assert set(then["at"]) == {"2024Q1"}
    moved = metrics.change(now, then, by=comments.PAIR).set_index("topic")
    wide = shares.query("level == 'topic' and polarity == 'negative'").pivot(index="topic", columns="quarter", values="estimate")
    assert moved["estimate"].to_dict() == pytest.approx((wide["2024Q2"] - wide["2024Q1"]).to_dict())


def test_a_survey_with_one_quarter_has_no_pair():
    rows = [{"survey": "s", "quarter": "2026Q1", "topic": topic, "level": "topic", "polarity": "negative", "estimate": 0.2, "std_error": 0.02, "n": 400, "n_eff": 400.0} for topic in "ab"]
    now, then = comments.last_two(pd.DataFrame(rows))
    assert now.empty
    assert then.empty
    assert metrics.change(now, then, by=comments.PAIR).empty


def test_no_change_is_told_across_a_change_of_the_question(coded):
    """A share can move because the question did; the quarter after it stands for it where its own has no comments."""
    programme = coded[0].programme
    for quarters, at in ((["2025Q1", "2025Q2", "2025Q3"], "2025Q2"), (["2025Q1", "2025Q3"], "2025Q3")):
        assert [(quarter, "added to the question" in what) for quarter, what in comments._breaks(programme, "pulse", quarters)] == [(at, True)]
    assert comments._breaks(programme, "pulse", ["2025Q2", "2025Q3"]) == []
    one = {"topic": "a", "level": "topic", "polarity": "negative", "estimate": 0.2, "std_error": 0.02, "n": 400, "n_eff": 400.0}
    rows = [one | {"survey": survey, "quarter": quarter, "changed": what if quarter == "2026Q2" else ""} for survey, what in (("same", ""), ("asked otherwise", "wording")) for quarter in ("2026Q1", "2026Q2")]
    now, then = comments.last_two(pd.DataFrame(rows))
    assert set(now["survey"]) == set(then["survey"]) == {"same"}


def test_what_a_new_version_of_the_codeframe_moves_is_said_by_survey(coded):
    tables, frame, mentions, _ = coded
    older = recode.edited(frame, "price", drop=["price", "expensive", "tariff"], version="older")
    found = recode.by_survey(tables, older, mentions)
    own = found[(found["topic"] == "price") & (found["quarter"] == found["quarter"].max())].iloc[0]
    people = mentions[(mentions["topic"] == "price")].merge(comments.of(tables)[["response_id", "quarter"]].drop_duplicates(), on="response_id")
    assert own["share_new"] * own["n"] == pytest.approx(people.loc[people["quarter"] == own["quarter"], "response_id"].nunique())
    assert own["gained"] > 0
    assert own["lost"] == 0
    said = claims.mentions.recoded(found, older.version, frame.version, programme=tables.programme, names=frame.names())
    assert f"against version older it puts {frame.names()['price']} at {prose.percent(own['share_new'], digits=1)} instead of {prose.percent(own['share_old'], digits=1)}" in said[0]
    same = claims.mentions.recoded(found.assign(change=0.0), "older", frame.version, programme=tables.programme, names=frame.names())
    assert "no topic's share moves" in same[0]


def test_the_adjusted_association_does_not_use_polarity_learnt_from_the_same_ratings(coded):
    tables, _, mentions, _ = coded
    found = links.associations(mentions, tables, tables.programme.kpi("nps"), what=metrics.definition_of(tables.programme.kpi("nps").definition))
    assert set(found["polarity"]) == {"any"}
    turned = mentions.assign(polarity=mentions["polarity"].map({"positive": "negative", "negative": "positive"}).fillna("unclear"))
    pd.testing.assert_frame_equal(found, links.associations(turned, tables, tables.programme.kpi("nps"), what=metrics.definition_of(tables.programme.kpi("nps").definition)))


def test_only_surveys_whose_promise_permits_it_are_quoted(coded):
    tables, _, mentions, _ = coded
    assert len(comments.typical(mentions, tables))
    silent = tables.programme.model_copy(update={"surveys": tuple(survey.model_copy(update={"uses": ("aggregate",)}) for survey in tables.programme.surveys)})
    assert comments.typical(mentions, store.Tables(tables.folder, silent, tables.quarter)).empty
