"""Shares and the link to the KPI, against published values and closed forms."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from cxlib.errors import DataError
from cxlib.text import codeframe, prevalence

FRAME = codeframe.parse({"version": "1", "topics": [{"id": "money", "name": "Money"}, {"id": "bill", "name": "Bill", "parent": "money", "include": ["bill"]},
                                                     {"id": "fee", "name": "Fee", "parent": "money", "include": ["fee"]}]})


def world(scores, mention, weight=None, polarity="negative"):
    ids = [f"r{n:05d}" for n in range(len(scores))]
    verbatims = pd.DataFrame({"response_id": ids, "item": "why", "quarter": "2026Q3", "text": "some words"})
    responses = pd.DataFrame({"response_id": ids, "quarter": "2026Q3", "recommend": np.asarray(scores, float), "weight": 1.0 if weight is None else weight})
    mentions = pd.DataFrame({"response_id": [i for i, m in zip(ids, mention) if m], "topic": "bill", "polarity": polarity})
    return mentions, verbatims, responses


def test_wilson_matches_published_81_of_263():
    low, high = prevalence.wilson(81 / 263, 263)
    assert (round(float(low), 6), round(float(high), 6)) == (0.255289, 0.366210)
    low, high = prevalence.wilson(0, 20)
    assert (float(low), round(float(high), 6)) == (0, 0.161125)


def test_a_respondent_counts_once_a_topic_and_once_a_net():
    verbatims = pd.DataFrame({"response_id": list("aabcd"), "item": ["why", "improve", "why", "why", "why"], "quarter": "2026Q3", "text": ["x y"] * 4 + [" "]})
    mentions = pd.DataFrame({"response_id": list("aaab"), "topic": ["bill", "bill", "fee", "fee"], "polarity": ["positive", "negative", "negative", "negative"]})
    found = prevalence.shares(mentions, verbatims, codeframe=FRAME).set_index(["topic", "polarity"])
    assert found.loc[("bill", "any"), ["estimate", "n", "count"]].tolist() == [1 / 3, 3, 1]
    assert found.loc[("bill", "positive"), "count"] == found.loc[("bill", "negative"), "count"] == 1
    assert found.loc[("money", "any"), ["level", "count"]].tolist() == ["net", 2]
    assert found.loc[("money", "unclear"), "estimate"] == 0
    assert found["indicative"].all()


def test_weights_move_the_share_and_kish_the_interval():
    mentions, verbatims, responses = world([0] * 4, [1, 1, 0, 0], weight=[3.0, 1, 1, 1])
    row = prevalence.shares(mentions, verbatims, responses=responses).set_index("polarity").loc["any"]
    assert row["estimate"] == pytest.approx(4 / 6)
    assert row["n_eff"] == pytest.approx(36 / 12)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx([float(end) for end in prevalence.wilson(4 / 6, 3)])


def test_share_of_all_respondents_has_the_wider_base():
    mentions, verbatims, responses = world([0] * 10, [1] * 2 + [0] * 8)
    found = prevalence.shares(mentions, verbatims.head(5), responses=responses, base="respondents").set_index("polarity")
    assert found.loc["any", ["estimate", "n", "base"]].tolist() == [0.2, 10, "respondents"]
    with pytest.raises(DataError, match="needs the responses"):
        prevalence.shares(mentions, verbatims, base="respondents")
    with pytest.raises(DataError, match="'region'"):
        prevalence.shares(mentions, verbatims, by=("region",))


def test_coverage_sets_blanks_and_nothing_apart():
    verbatims = pd.DataFrame({"response_id": range(7), "item": "why", "quarter": "q", "text": ["my bill", "Nothing.", "👍", None, "purple cows", "La vita è bella", "Don’t know"],
                              "language": ["en", "en", "en", "en", None, "it", "en"]})
    mentions = pd.DataFrame({"response_id": [0], "item": ["why"], "topic": ["bill"], "polarity": ["unclear"]})
    row = prevalence.coverage(mentions, verbatims, FRAME).iloc[0]
    assert row[["verbatims", "empty", "nothing", "unknown", "other_language", "covered", "n", "estimate"]].tolist() == [7, 2, 1, 1, 1, 1, 2, 0.5]


@pytest.mark.parametrize("weighted", [False, True])
def test_impact_is_the_closed_form_of_leaving_the_topic_out(weighted):
    rng = np.random.default_rng(4)
    scores, mention = rng.integers(0, 11, 400), rng.random(400) < 0.2
    weight = rng.uniform(0.5, 2, 400) if weighted else np.ones(400)
    row = prevalence.impact(*world(scores, mention, weight)).iloc[0]
    value = np.where(scores >= 9, 100, np.where(scores <= 6, -100, 0))
    total, inside = weight.sum(), weight[mention].sum()
    overall, with_topic = np.average(value, weights=weight), np.average(value[mention], weights=weight[mention])
    assert row["estimate"] == pytest.approx(inside * (with_topic - overall) / (total - inside), abs=1e-10)
    assert row["estimate"] == pytest.approx(overall - np.average(value[~mention], weights=weight[~mention]), abs=1e-10)


def test_impact_is_undefined_when_all_mention_it_and_without_interval_when_few_do():
    row = prevalence.impact(*world([10, 0] * 20, [1] * 40)).iloc[0]
    assert np.isnan(row["estimate"])
    assert "everyone" in row["note"]
    row = prevalence.impact(*world([10, 0] * 20, [1] * 3 + [0] * 37)).iloc[0]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["conf_low"])
    assert "3 respondents" in row["note"]


def test_without_scores_nothing_is_estimated():
    row = prevalence.impact(*world([np.nan] * 20, [1] * 5 + [0] * 15)).iloc[0]
    assert np.isnan(row["estimate"])
    assert row["note"]
    found = prevalence.associations(*world([np.nan] * 20, [1] * 5 + [0] * 15))
    assert found.empty or found["estimate"].isna().all()


def test_associations_hold_the_other_topic_constant():
    """Bills only go along with waiting, which costs 100 points: alone they look bad, adjusted they do not."""
    rng = np.random.default_rng(9)
    wait = rng.random(4000) < 0.4
    bill = rng.random(4000) < np.where(wait, 0.7, 0.1)
    scores = np.where(rng.random(4000) < np.where(wait, 0.1, 0.6), 10, 0)
    mentions, verbatims, responses = world(scores, bill)
    mentions = pd.concat([mentions, verbatims.loc[wait, ["response_id"]].assign(topic="wait", polarity="negative")])
    responses["region"] = rng.choice(["north", "south"], 4000)
    alone = prevalence.impact(mentions, verbatims, responses).set_index("topic")
    found = prevalence.associations(mentions, verbatims, responses, controls=["region"]).set_index("topic")
    assert alone.loc["bill", "p"] < 1e-10
    assert found.loc["bill", "conf_low"] < 0 < found.loc["bill", "conf_high"]
    assert found.loc["wait", "conf_low"] < -100 < found.loc["wait", "conf_high"]


def test_associations_match_the_difference_in_means_for_one_topic():
    mentions, verbatims, responses = world([10, 0, 9, 8] * 10 + [0, 10, 3, 7] * 10, [1] * 40 + [0] * 40)
    row = prevalence.associations(mentions, verbatims, responses).iloc[0]
    assert row["estimate"] == pytest.approx(25 - (-25))
    value = np.array([100, -100, 100, 0] * 10 + [-100, 100, -100, 0] * 10, float)
    hc3 = sum(((v - v.mean()) ** 2).sum() / (1 - 1 / 40) ** 2 / 40**2 for v in (value[:40], value[40:]))
    assert row["std_error"] == pytest.approx(np.sqrt(hc3))


def test_twin_topics_are_listed_not_solved_silently():
    mentions, verbatims, responses = world([10, 0] * 30, [1] * 20 + [0] * 40)
    twins = pd.concat([mentions, mentions.assign(topic="twin")])
    found = prevalence.associations(twins, verbatims, responses).set_index("topic")
    assert "determined" in found.loc["twin", "note"]
    assert np.isfinite(found.loc["bill", "estimate"])


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.25])
def test_impact_interval_covers_93_to_97_percent_and_the_null_test_keeps_its_level(effect):
    """2,000 replicates, weighted; the truth is that of the population drawn from (METHODS: fails if the binomial 99 % band lies outside)."""
    rng, covered, claimed, runs = np.random.default_rng(12), 0, 0, 2000
    share, promoter, detractor = 0.15, 0.45, 0.25
    nps_rest, nps_with = 100 * (promoter - detractor), 100 * (promoter - effect - detractor - effect)
    truth = share * (nps_with - nps_rest)
    for _ in range(runs):
        mention = rng.random(300) < share
        shift = np.where(mention, effect, 0)
        draw = rng.random(300)
        scores = np.where(draw < promoter - shift, 10, np.where(draw > 1 - detractor - shift, 0, 8))
        row = prevalence.impact(*world(scores, mention, rng.choice([0.7, 1.3], 300))).iloc[0]
        covered += row["conf_low"] <= truth <= row["conf_high"]
        claimed += row["p"] < 0.05
    band = 2.576 * np.sqrt(0.95 * 0.05 / runs)
    assert 0.93 - band <= covered / runs <= 0.97 + band
    assert claimed / runs <= 0.05 + 2.576 * np.sqrt(0.05 * 0.95 / runs) if not effect else claimed / runs > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_weighted_share_interval_covers_93_to_97_percent(share):
    """2,000 replicates of 400 commenters with unequal weights, against the share they were drawn from; conservative ones may exceed."""
    rng, runs, covered = np.random.default_rng(5), 2000, 0
    for _ in range(runs):
        mentions, verbatims, responses = world(np.zeros(400), rng.random(400) < share, rng.uniform(0.4, 1.8, 400))
        row = prevalence.shares(mentions, verbatims, responses=responses).set_index("polarity").loc["any"]
        covered += row["conf_low"] <= share <= row["conf_high"]
    assert covered / runs >= 0.93 - 2.576 * np.sqrt(0.95 * 0.05 / runs)


def _twice(scores, mentioned, units):
    mentions, verbatims, responses = world(scores, mentioned)
    return mentions, verbatims, responses.assign(unit=units)


def test_people_who_say_it_twice_count_once():
    """Everybody answered twice and said the same: the effective base and the error are those of half as many answers."""
    scores, mentioned = [10, 0, 8, 5, 9, 3] * 10, [1, 0, 0, 1, 0, 0] * 10
    alone = prevalence.shares(*world(scores, mentioned)[:2], by=()).set_index("polarity")
    mentions, verbatims, responses = _twice(scores * 2, mentioned * 2, list(range(60)) * 2)
    twice = prevalence.shares(mentions, verbatims, by=(), responses=responses).set_index("polarity")
    assert twice.loc["any", "n_eff"] == pytest.approx(60 * 59 / 60)  # the variance has G - 1
    assert twice.loc["any", "conf_low"] == pytest.approx(alone.loc["any", "conf_low"], abs=0.002)
    once = prevalence.impact(*world(scores, mentioned)).iloc[0]
    both = prevalence.impact(mentions, verbatims, responses).iloc[0]
    assert both[["estimate", "std_error"]].tolist() == pytest.approx(once[["estimate", "std_error"]].tolist())
    assert both["p"] == pytest.approx(once["p"], rel=0.1)
    wide = prevalence.associations(mentions, verbatims, responses).iloc[0]
    naive = prevalence.associations(mentions, verbatims, responses.drop(columns="unit")).iloc[0]
    assert wide["std_error"] == pytest.approx(np.sqrt(2) * naive["std_error"], rel=0.05)


def test_units_that_answered_once_change_nothing():
    mentions, verbatims, responses = _twice([10, 0, 8, 5, 9, 3] * 10, [1, 0, 0, 1, 0, 0] * 10, list(range(60)))
    bare = responses.drop(columns="unit")
    for relation in (prevalence.impact, prevalence.associations):
        pd.testing.assert_frame_equal(relation(mentions, verbatims, responses), relation(mentions, verbatims, bare))
    pd.testing.assert_frame_equal(prevalence.shares(mentions, verbatims, by=(), responses=responses), prevalence.shares(mentions, verbatims, by=(), responses=bare))


def test_scores_by_unit_are_those_of_hc3_where_everybody_answered_once():
    rng = np.random.default_rng(4)
    x, weight = np.column_stack([np.ones(80), rng.random(80) < 0.4, rng.random(80) < 0.2]).astype(float), rng.uniform(0.5, 2, 80)
    fit = sm.WLS(x @ [1, 2, 3] + rng.normal(size=80), x, weights=weight).fit(cov_type="HC3")
    people = pd.DataFrame({"unit": range(80), "weight": weight})
    assert prevalence._between_units(x, people, fit.resid) == pytest.approx(fit.bse)


def test_a_share_of_people_who_come_back_covers():
    """People who repeat themselves: the interval on units holds what it promises, that on answers does not."""
    runs, worlds = 200, []
    for run in range(runs):
        rng = np.random.default_rng(run)
        units = np.repeat(np.arange(60), 4)
        inclined = rng.beta(0.6, 1.4, 60)[units]
        made = _twice([7] * 240, (rng.random(240) < inclined).astype(int), units)
        worlds.append([part.assign(response_id=f"{run:03d}" + part["response_id"], **({} if place == 0 else {"quarter": f"{run:03d}"})) for place, part in enumerate(made)])
    mentions, verbatims, responses = (pd.concat(parts, ignore_index=True) for parts in zip(*worlds))
    hits = []
    for answers in (responses, responses.drop(columns="unit")):
        rows = prevalence.shares(mentions, verbatims, responses=answers).query("polarity == 'any'")
        hits.append(int(((rows["conf_low"] <= 0.3) & (rows["conf_high"] >= 0.3)).sum()))
    bands = [stats.binomtest(hit, runs).proportion_ci(0.99) for hit in hits]
    assert bands[0].high >= 0.93
    assert bands[0].low <= 0.97
    assert bands[1].high < 0.93
