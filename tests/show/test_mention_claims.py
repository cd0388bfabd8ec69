"""Sentences about comments follow their numbers: who writes, what separates scores, what ratings leave unsaid, what is new, and when nothing can be told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib import programme
from cxlib.show import claims
from cxlib.show.claims import mentions, topics

RATE = {"survey_id": "s", "survey": "Pulse", "opening": "", "n": 200, "n_eff": 190.0}


def rates(low, high):
    return pd.DataFrame([RATE | {"scores": scores, "estimate": share, "conf_low": share - 0.05, "conf_high": share + 0.05} for scores, share in (("0-6", low), ("9-10", high))])


@pytest.mark.parametrize(("low", "high", "words"), [(0.6, 0.4, "write more often than"), (0.4, 0.6, "write less often than"), (0.5, 0.48, "write about as often, as far as these bases tell, as")])
def test_who_writes_more_is_said_only_where_the_intervals_are_apart(low, high, words):
    said = mentions.rates(rates(low, high), scores="0 (never) to 10 (at once)")[0]
    assert words in said
    assert f"{low:.0%}".replace("%", " %") + f" of the {RATE['n']} who gave 0-6" in said
    assert said.endswith("; scores run from 0 (never) to 10 (at once).")


def test_three_people_are_no_group_of_whom_a_sentence_tells():
    few = rates(0.9, 0.4).assign(n=[3, 80], n_eff=[3.0, 78.0])
    assert mentions.rates(few) == ["Whether people with the worst scores write more often than those with the best cannot be told: 3 gave 0-6 and 80 gave 9-10, and 30 of each would be needed."]


def test_only_what_survives_all_tests_of_its_kind_is_told():
    """Benjamini-Hochberg's own example of 15 p-values (1995, J. R. Stat. Soc. B 57: 289, table of the thrombolysis study): four survive at 5 %."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    found = claims.sifted(pd.DataFrame({"p": [*p[::-1], float("nan")]}))
    assert found["p"].tolist() == p[:4]
    assert claims.sifted(pd.DataFrame({"p": [0.2, 0.04, 0.6]})).empty


def border(p, topic="Price"):
    return {"survey_id": "s", "opening": "", "topic": topic, "border": "6 | 7", "quarter": "2026Q1 to 2026Q4", "now": 0.2, "then": 0.3, "conf_low": -0.15, "conf_high": -0.05, "p": p, "detectable": 0.06, "n_now": 250.0, "n_then": 180.0}


def test_a_border_names_its_scores_and_says_what_would_have_been_seen():
    assert "Price is mentioned by 30 % of the 180 who gave 6 and by 20 % of the 250 who gave 7" in mentions.borders(pd.DataFrame([border(0.001)]))[0]
    assert mentions.borders(pd.DataFrame([border(0.001)]), scores="0 to 10")[1] == "Scores run from 0 to 10."
    silent = mentions.borders(pd.DataFrame([border(0.04), border(0.5, "Staff")]))[0]
    assert "No topic is mentioned detectably more often" in silent
    assert "6 percentage points would have been seen" in silent


def blocks(p, low):
    parts = {"first": 0.5, "second": 0.1, "both": 0.54, "added by second": 0.04, "shapley of first": 0.47, "shapley of second": 0.07}
    return pd.DataFrame([{"survey_id": "s", "opening": "", "kpi": "NPS", "part": part, "estimate": value, "conf_low": low, "conf_high": value + 0.05, "p": p, "n": 400, "note": ""} for part, value in parts.items()])


def test_what_topics_add_is_told_by_its_test_and_interval():
    assert "add to what the ratings explain (+4.0 percentage points" in mentions.blocks(blocks(0.01, 0.01))[0]
    assert "add nothing that these bases could tell from chance" in mentions.blocks(blocks(0.3, -0.02))[0]
    assert "add nothing" in mentions.blocks(blocks(0.01, -0.001))[0]


def parts(waiting, error):
    row = {"survey_id": "s", "survey": "Pulse", "opening": "", "kpi": "NPS", "then_quarter": "2026Q2", "note": "", "moved": 0.1, "slope": -40.0}
    made = lambda driver, topic, estimate, error: row | {"driver": driver, "topic": topic, "estimate": estimate, "std_error": error, "conf_low": estimate - 1.96 * error, "conf_high": estimate + 1.96 * error}
    return pd.DataFrame([made("waiting", "Waiting", waiting, error), made("price", "Price", 0.1, 1.0), made("unexplained", None, -6.0, 2.0), made("all", None, -10.0, 2.0)])


def test_the_part_of_a_move_is_told_where_it_can_be_told_from_chance():
    said = mentions.contributions(parts(-4.0, 1.0), "points")[0]
    assert "NPS fell by 10 points since 2026Q2" in said
    assert "changed criticism of Waiting (−4.0, 95 % interval −6.0 to −2.0 points) is associated" in said
    assert "Price" not in said
    assert "no topic's changed criticism" in mentions.contributions(parts(-1.0, 1.0), "points")[0]
    assert mentions.parts(parts(-4.0, 1.0), "points")["topic"].tolist() == ["Waiting", "Price", "Everything else"]


def test_alerts_are_counted_and_the_list_lies_with_the_run():
    names = {"injury": "Injury"}
    found = pd.DataFrame({"topic": ["injury", "injury"], "response_id": ["a", "b"], "case": [True, False], "least": 1})
    said = " ".join(mentions.alerts(found, names, told="An apostrophe."))
    assert "2 comments of the latest quarter must be read by a person now: Injury (2)." in said
    assert "follow up 1 of them: lists/alerts.csv" in said
    assert "no page and no edition holds that list. An apostrophe." in said
    assert "1 comes from surveys whose promise permits no case" in said
    assert "lists/" not in " ".join(mentions.alerts(found[~found["case"]], names))
    assert "still no guarantee" in mentions.alerts(found.iloc[:0], names)[0]
    assert "marks no topic" in mentions.alerts(found.iloc[:0], {})[0]


def test_a_count_of_alerts_smaller_than_an_anonymous_survey_may_show_is_not_told():
    found = pd.DataFrame({"topic": ["injury", "injury"], "response_id": ["a", "b"], "case": [True, False], "least": [1, 10]})
    said = " ".join(mentions.alerts(found, {"injury": "Injury"}))
    assert "Fewer than 10 comments of the latest quarter must be read by a person now: Injury (fewer than 10)." in said
    assert "Fewer than 10 come from surveys whose promise permits no case" in said
    many = pd.DataFrame({"topic": "injury", "response_id": [f"a{n}" for n in range(12)], "case": False, "least": 10})
    assert "12 comments" in mentions.alerts(many, {"injury": "Injury"})[0]


def shares(indicative):
    row = {"survey_id": "s", "opening": "", "quarter": "2026Q3", "survey": "s", "level": "topic", "polarity": "any", "n": 400, "indicative": indicative, "audit_n": 0 if indicative else 200, "note": "", "sensitivity": 0.8, "precision": 0.6}
    return pd.DataFrame([row | {"topic": "Price", "estimate": 0.2, "uncorrected": 0.3}, row | {"topic": "Staff", "estimate": 0.1, "uncorrected": 0.11}])


def test_an_audit_says_how_far_it_moved_the_shares_and_its_absence_how_to_have_one():
    none = pd.DataFrame({"topic": [], "allowed": [], "n": []})
    assert "every share is indicative" in topics.audit(shares(True), none, {})[0]
    assert "cx code export" in topics.audit(shares(True), none, {})[0]
    said = topics.audit(shares(False), none, {})[0]
    assert "from 30 % to 20 %" in said
    assert "finds 80, and 60 of 100 that it finds are right" in said


def test_topics_on_which_people_do_not_agree_are_named_and_lead_to_no_action():
    agreed = pd.DataFrame({"topic": ["price", "staff"], "allowed": [True, False], "n": [200, 200]})
    said = topics.audit(shares(False), agreed, {"price": "Price", "staff": "Staff"})[-1]
    assert "on 1 of 2 topics" in said
    assert "Staff leads to no priority" in said
    rows = pd.DataFrame([{"survey_id": "s", "survey": "S", "opening": "", "topic_id": "price", "topic": "Price", "quarter": "2026Q3", "level": "topic", "polarity": side, "estimate": 0.2, "conf_low": 0.1, "conf_high": 0.3, "n": 400, "n_eff": 400.0, "indicative": True} for side in ("negative", "positive")])
    linked = pd.DataFrame([{"survey_id": "s", "opening": "", "topic_id": "price", "topic": "Price", "quarter": "2026Q3", "estimate": -4.0, "conf_low": -6.0, "conf_high": -2.0, "kpi_with": -20.0, "kpi_rest": 10.0, "count": 80, "n": 400, "n_eff": 400.0, "p": 0.001, "kpi": "NPS", "audit_n": 0, "indicative": True}])
    none = pd.DataFrame(columns=["survey_id", "p", "quarter"])
    for barred, action in ((set(), 1), ({"price"}, 0)):
        made = topics.rows(rows, linked, none, "points", "NPS", "2026Q3", barred=barred).set_index("claim_id")
        assert made.loc["topics.s.impact", "action"] == action


def test_what_is_new_is_told_with_its_counts_and_what_is_not_without_alarm():
    row = {"survey": "Pulse", "survey_id": "s", "opening": "", "name": "esim", "phrases": "esim|activation", "id": "new_esim", "quarter": "2026Q3", "count": 12, "n": 400, "before": 2, "before_n": 1600, "change_low": 0.012, "change_high": 0.05, "mode": "words", "stability": 0.9}
    assert "Growing is “esim”: 12 of 400 comments in 2026Q3, 2 of 1,600 in the quarters before" in mentions.emerging(pd.DataFrame([row | {"status": "growing"}]), ["Pulse"])[0]
    assert "none of which grows beyond chance" in mentions.emerging(pd.DataFrame([row | {"status": "steady"}]), ["Pulse"])[0]
    assert "comes back often enough" in mentions.emerging(pd.DataFrame([row | {"status": ""}]).iloc[:0], ["Pulse"])[0]
    assert mentions.proposals(pd.DataFrame([row | {"status": "growing"}]))["words"].tolist() == ["esim, activation"]


def test_whose_shares_they_are_is_said_of_messages_and_of_codes_that_people_gave():
    given = shares(False).assign(note=topics.BY_PEOPLE)
    assert "are of codes that people gave before the answers came here" in topics.audit(given, pd.DataFrame({"topic": [], "allowed": [], "n": []}), {})[0]
    assert topics.checked(given).startswith("Codes that people gave")
    assert topics.whom(shares(True).assign(base="messages")) == "400 messages"
    assert topics.whom(shares(True).assign(base="commenters")) == "400 respondents who wrote something"
    one = programme.Programme(name="P", surveys=({"id": "gate", "kind": "relationship", "label": "Gate survey"},))
    found = topics.named(pd.DataFrame({"survey": ["gate", "contacts: chat"], "topic": ["a", "a"]}), one, {"a": "A"})
    assert found["opening"].tolist() == ["Gate survey: ", "Messages (chat): "]
    assert topics.named(found.head(1)[["topic"]].assign(survey="gate"), one, {})["opening"].tolist() == [""]


def test_how_much_a_coder_that_errs_blurs_a_difference_is_what_a_simulation_shows():
    """A million answers, 20 % speak of a topic and score 2 points lower; the coder misses a third and wrongly finds 5 % of the others, whatever the score."""
    rng = np.random.default_rng(4)
    speaks = rng.random(1_000_000) < 0.2
    score = 7 - 2 * speaks + rng.normal(size=len(speaks))
    coded = np.where(speaks, rng.random(len(speaks)) < 2 / 3, rng.random(len(speaks)) < 0.05)
    shown = score[coded].mean() - score[~coded].mean()
    shares_ = pd.DataFrame({"estimate": [speaks.mean()], "uncorrected": [coded.mean()], "sensitivity": [coded[speaks].mean()], "precision": [speaks[coded].mean()]})
    assert shown > -1.5
    assert shown * topics.blur(shares_).iloc[0] == pytest.approx(-2, abs=0.03)
    assert topics.blur(shares_.assign(precision=0.05)).isna().all()
    row = shares(False).assign(topic=["Price", "Staff"])
    told = " ".join(topics.audit(row, pd.DataFrame({"topic": [], "allowed": [], "n": []}), {}))
    assert "stands for one about" in told
    assert "stands for" not in " ".join(topics.audit(row.assign(sensitivity=np.nan), pd.DataFrame({"topic": [], "allowed": [], "n": []}), {}))


def link(**other):
    row = {"survey_id": "s", "survey": "S", "opening": "", "topic_id": "price", "topic": "Price", "kpi": "NPS", "quarter": "2026Q3", "estimate": -4.0, "conf_low": -6.0, "conf_high": -2.0, "uncorrected": -2.5, "kpi_with": -20.0, "kpi_rest": 10.0, "share": 0.2, "count": 80, "n": 400, "n_eff": 400.0, "p": 0.001, "audit_n": 200, "indicative": False}
    return row | other


def test_a_link_names_the_key_figure_and_whether_an_audit_corrected_it():
    plain = topics.impact(pd.DataFrame([link(audit_n=0, indicative=True)]), "points")
    assert plain == ["Mentioning Price is associated with a lower NPS: −20 among the 80 who mention it, +10 among the others (leaving them out would change the figure by +4.0 points, 95 % interval +2.0 to +6.0)."]
    both = pd.DataFrame([link(), link(topic_id="staff", topic="Staff", p=0.5, indicative=True)])
    said = topics.impact(both, "points")
    assert "among those who mention it (20 %)" in said[0]
    assert "corrected by 200 audited answers" in said[0]
    assert said[1] == "1 of these links is corrected by 200 audited answers; the largest correction is that of Price, by which those who mention it move the figure, from −2.5 to −4.0. Staff stands as the coder codes: fewer than ten audited answers in effect speak of it."
    assert "All of these links are corrected" in topics.impact(both.assign(indicative=False), "points")[1]
    assert "too few to correct" in topics.impact(both.assign(indicative=True), "points")[-1]
    none = topics.impact(both.assign(p=0.5, audit_n=0, indicative=True), "points")
    assert none == ["No topic shows a detectable association with NPS (400 commenters with a score)."]
    assert topics.links(both, pd.DataFrame({"held": [], "topic_id": []}), "points")["codes"].tolist() == ["audited", "coder"]
    assert "codes" not in topics.links(both.assign(indicative=True), pd.DataFrame({"held": [], "topic_id": []}), "points")


def test_a_share_moves_in_percentage_points_in_every_sentence():
    """A KPI that is a share: what topics have to do with it was told as points of a scale, of the mean score here and of the share there."""
    row = pd.DataFrame([link(kpi="Satisfied", estimate=-0.04, conf_low=-0.06, conf_high=-0.02, kpi_with=0.5, kpi_rest=0.7, indicative=True, audit_n=0)])
    assert topics.impact(row, topics.UNITS["share"]) == ["Mentioning Price is associated with a lower Satisfied: 50 % among the 80 who mention it, 70 % among the others (leaving them out would change the figure by +4.0 percentage points, 95 % interval +2.0 to +6.0)."]
    told = topics.links(row, pd.DataFrame({"held": [], "topic_id": []}), topics.UNITS["share"]).iloc[0]
    assert told[["with", "rest", "impact"]].tolist() == ["50 %", "70 %", "−4.0 (−6.0 to −2.0)"]
    moved = parts(-0.04, 0.01).assign(kpi="Satisfied")
    assert "(−4.0, 95 % interval −6.0 to −2.0 percentage points)" in mentions.contributions(moved[moved["driver"].isin(["waiting", "all"])], topics.UNITS["share"])[0]
    assert mentions.parts(moved, topics.UNITS["share"]).set_index("topic").loc["Waiting", "part"] == "−4.0 (−6.0 to −2.0)"


def test_the_ends_of_a_scale_are_named_with_their_words():
    scale = SimpleNamespace(low=1.0, high=5.0, low_label="very good", high_label="very poor")
    programme = SimpleNamespace(item=lambda item: SimpleNamespace(scale=item), scales={"five": scale, "ten": SimpleNamespace(low=0.0, high=10.0, low_label="", high_label="")})
    said = [topics.scores(programme, SimpleNamespace(item=item)) for item in ("five", "ten", "none")]
    assert said == ["1 (very good) to 5 (very poor)", "0 to 10", ""]


def test_what_came_in_place_of_words_is_counted():
    assert mentions.wordless(pd.Series(["empty"] * 3 + ["nothing"])) == "comment that says something (3 without words and 1 saying nothing)"
    assert "phrases in codeframe.toml in a language" in mentions.wordless(pd.Series(["empty", "other_language"]))
    assert mentions.wordless(pd.Series([], dtype=object)) == "comment in words"
    assert "nobody who gave a score" in topics.unlinked("nps")
    assert "no survey here" in topics.unlinked(None)
    assert "silence" in mentions.untold(None)
