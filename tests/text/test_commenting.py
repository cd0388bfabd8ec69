"""Who writes, and what a share says of those who did not: rates by score, three bases, borders between scores, comments to be read and comments for people."""

import pytest
from small import TINY

from cxlib import load, programme
from cxlib.measure import metrics
from cxlib.text import codeframe, commenting, comments, links

FRAME = """version = "1"
[[topics]]
id = "service"
name = "Service"
[[topics]]
id = "staff"
name = "Staff"
parent = "service"
include = ["staff"]
[[topics]]
id = "price"
name = "Price"
include = ["price"]
[[topics]]
id = "injury"
name = "Injury"
alert = true
include = ["hurt", "injured"]
"""
OPEN = TINY.replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate", "quote", "case"]')


def rows():
    """400 answers: of 200 critics (score 3) 80 % write of the price, of 200 promoters (10) 20 % write of the staff."""
    lines = []
    for at in range(400):
        critic, place = at < 200, at % 200
        wrote = place < (160 if critic else 40)
        text = "" if not wrote else ("the price is bad" if critic else "lovely staff here") + f" number {at} indeed"
        lines.append(f"r{at:03d},DE,p{at},{3 if critic else 10},3,{text}\n")
    lines[0] = "r000,DE,p0,3,3,I got hurt at the door and nobody helped\n"
    return "".join(lines)


@pytest.fixture(params=["confidential", "anonymous"])
def made(tiny, request):
    folder = tiny(rows(), toml=OPEN.replace('promise = "confidential"', f'promise = "{request.param}"'))
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=folder.parent / "reports"), codeframe.read(folder / "codeframe.toml")
    mentions = comments.code(tables, frame)
    return tables, frame, mentions, found.kpis[0], request.param


def test_comment_rates_are_counted_by_score(made):
    tables, _, _, kpi, _ = made
    found = commenting.rates(tables, kpi, unit="points").set_index("scores")
    assert found["estimate"].to_dict() == {"0-6": 0.8, "9-10": 0.2}
    assert found["count"].to_dict() == {"0-6": 160, "9-10": 40}


def test_three_bases_are_those_of_who_wrote_of_all_and_evened_by_score(made):
    """159 speak of the price: of 200 who wrote .795, of 400 who answered .3975; evened, critics are half of the respondents: .5 x 159/160."""
    tables, frame, mentions, kpi, _ = made
    found = commenting.shares(mentions, tables, frame, kpi, unit="points")
    price = found[(found["topic"] == "price") & (found["polarity"] == "any")].set_index("base")["estimate"]
    assert price.to_dict() == pytest.approx({"commenters": 159 / 200, "respondents": 159 / 400, "evened": 0.5 * 159 / 160})
    staff = found[(found["topic"] == "staff") & (found["polarity"] == "any") & (found["base"] == "evened")]["estimate"]
    assert staff.tolist() == pytest.approx([0.5])


def test_a_respondent_counts_once_a_net(made):
    tables, frame, mentions, kpi, promise = made
    found = commenting.shares(mentions, tables, frame, kpi, unit="points")
    net = found[(found["level"] == "net") & (found["polarity"] == "any") & (found["base"] == "commenters")]
    if promise == "anonymous":
        assert net.empty  # one hidden topic takes every net of its survey along
    else:
        assert net.set_index("topic")["count"].to_dict() == {"service": 40}


def test_small_cells_of_an_anonymous_survey_are_not_shown(made):
    tables, frame, mentions, kpi, promise = made
    assert ("injury" in set(commenting.shares(mentions, tables, frame, kpi, unit="points")["topic"])) == (promise == "confidential")


def test_topics_that_separate_two_scores_are_compared_with_an_interval(tiny):
    lines = "".join(f"r{at:03d},DE,p{at},{6 + at % 2},3,{'the price is bad' if at % 2 == 0 and at % 4 == 0 else 'lovely staff here'} {at}\n" for at in range(400))
    folder = tiny(lines, toml=OPEN)
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    found = programme.read(folder)
    tables, frame = load.tables(found, "2026Q1", out=folder.parent / "reports"), codeframe.read(folder / "codeframe.toml")
    above, below = links.sides(comments.code(tables, frame), tables, frame, found.kpis[0], unit="points")
    moved = metrics.change(above, below, by=links.BORDER).set_index("topic")
    assert moved.loc["price", ["now", "then"]].tolist() == pytest.approx([0.0, 0.5])
    assert moved.loc["price", "conf_high"] < 0
    assert moved.loc["price", "border"] == "6 | 7"
    assert set(moved["border"]) == {"6 | 7"}  # nobody gave 8 or 9


def test_comments_to_be_read_hold_the_typical_the_extreme_and_some_by_lot_once_each(made):
    tables, _, mentions, kpi, _ = made
    found = comments.reading(mentions, tables, kpi, segment="country")
    price = found[found["topic"] == "price"]
    assert set(price["kind"]) == {"typical", "extreme", "random"}
    assert not price["text"].duplicated().any()
    assert set(price["score"]) == {3.0}
    assert set(found["segment"]) == {"DE"}
    assert all(clause in text for clause, text in zip(found["clause"], found["text"]))


def test_comments_of_a_promise_that_permits_no_quoting_are_not_read_and_no_case_means_no_text(made):
    tables, frame, mentions, kpi, _ = made
    assert comments.alerts(mentions, tables, frame)[["topic", "case"]].to_numpy().tolist() == [["injury", True]]
    listed = comments.cases(comments.alerts(mentions, tables, frame), frame)
    assert len(listed) == 1
    assert "hurt" in listed["comment"].iloc[0]
    assert listed["part"].iloc[0] in listed["comment"].iloc[0]
    assert listed["topic"].iloc[0] == frame.names()["injury"]
    assert listed["answer"].iloc[0] in set(tables["responses"]["answer"])
    silent = tables.programme.model_copy(update={"surveys": tuple(one.model_copy(update={"uses": ("aggregate",)}) for one in tables.programme.surveys)})
    tables.programme = silent
    assert comments.reading(mentions, tables, kpi).empty
    shut = comments.alerts(mentions, tables, frame)
    assert len(shut) == 1  # it is still counted
    assert shut[["text", "person_id", "clause_text"]].to_numpy().tolist() == [["", "", ""]]
    assert comments.cases(shut, frame).empty


def test_flags_tell_who_wrote_of_other_things_from_who_wrote_nothing(made):
    tables, _, mentions, _, _ = made
    flags, spoken = links.indicators(mentions, tables)
    assert flags["topic price"].value_counts().to_dict() == {1.0: 159, 0.0: 41}
    assert flags["topic price"].isna().sum() == 200
    assert spoken == {"poll": ["topic price", "topic staff"]}
    critics = links.indicators(mentions, tables, criticism=True)[0]
    assert critics["topic price"].sum() == 159
    assert "topic staff" not in critics


def test_a_scale_on_which_low_is_good_is_turned_before_anything_is_learnt_and_shown_as_it_was_asked(tiny):
    """School marks: 1 is best. Those who praise gave 1; praise is praise, the worst marks come first, and the page shows the marks of the questionnaire."""
    good, bad = "the staff was wonderful and kind", "the price is terrible and a rip-off"
    lines = "".join(f"r{at:03d},DE,p{at},{at % 11},{1 if at % 2 else 5},{good if at % 2 else bad} {'again ' * (at % 3)}\n" for at in range(400))
    toml = OPEN.replace("[scales.five]\nlow = 1\nhigh = 5\n", '[scales.five]\nlow = 1\nhigh = 5\ndirection = "low_is_good"\n').replace('item = "recommend"\ndefinition = "nps_0_10"', 'item = "price"\ndefinition = "ces_1"')
    folder = tiny(lines, toml=toml)
    (folder / "codeframe.toml").write_text(FRAME, "utf-8")
    found = programme.read(folder)
    tables, frame, kpi = load.tables(found, "2026Q1", out=folder.parent / "reports"), codeframe.read(folder / "codeframe.toml"), found.kpis[0]
    mentions, checks = comments.judge(comments.code(tables, frame), tables, score="price")
    assert checks["method"].tolist() == ["ratings"]
    assert mentions.groupby("topic")["polarity"].agg(set).to_dict() == {"price": {"negative"}, "staff": {"positive"}}
    assert links.impact(mentions, tables, kpi, what=metrics.definition_of(kpi.definition)).set_index("topic").loc["price", "estimate"] > 0, "a mean of marks as they were given"
    assert commenting.rates(tables, kpi, unit="share")["scores"].tolist() == ["5", "1"]
    assert set(comments.reading(mentions, tables, kpi).query("topic == 'staff'")["score"]) == {1.0}
