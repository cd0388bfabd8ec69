"""Polarity from the respondents' own ratings: learnt where they suffice, honest where they do not."""

import numpy as np
import pandas as pd
import pytest

from cxlib.text import codeframe, sentiment, topics

FRAME = codeframe.parse({"version": "1", "topics": [{"id": "bill", "name": "Bill", "include": ["bill"]}, {"id": "net", "name": "Network", "include": ["signal"]}]})
# Words that no list of opinions has: only the ratings can teach which side they are on.
GOOD, BAD = ["spiffing", "tiptop", "gemlike"], ["wonky", "rubbishy", "bodged"]


def world(size, seed=3, agree=True):
    rng = np.random.default_rng(seed)
    happy = rng.random(size) < 0.6
    words = np.where(happy, rng.choice(GOOD, size), rng.choice(BAD, size))
    texts = [f"the {rng.choice(['bill', 'signal'])} is {word}" + (". Good too." if side else ". A problem.") for word, side in zip(words, happy)]
    shown = happy if agree else rng.random(size) < 0.6
    verbatims = pd.DataFrame({"response_id": [f"r{n}" for n in range(size)], "item": "why", "text": texts})
    responses = pd.DataFrame({"response_id": verbatims["response_id"], "recommend": np.where(shown, 10.0, 2.0)})
    return topics.code(verbatims, FRAME), verbatims, responses, happy


def test_ratings_teach_words_that_no_lexicon_has():
    mentions, verbatims, responses, happy = world(600)
    learnt = sentiment.learn(mentions, verbatims, responses)
    found = sentiment.polarity(mentions, learnt)
    truth = pd.Series(np.where(happy, "positive", "negative"), index=verbatims["response_id"])
    assert (found["polarity"].to_numpy() == truth[found["response_id"]].to_numpy()).mean() > 0.95
    assert (found["polarity_words"] == "unclear").all()
    assert set(found["polarity_from"]) == {"ratings"}


def test_fifty_comments_use_opinion_words_and_say_so():
    mentions, verbatims, responses, _ = world(50)
    learnt = sentiment.learn(mentions, verbatims, responses)
    assert learnt.method == "lexicon"
    assert "50 rated texts" in learnt.note
    assert (sentiment.polarity(mentions, learnt)["polarity"] == mentions["polarity"]).all()


def test_ratings_that_do_not_follow_the_text_are_not_believed():
    learnt = sentiment.learn(*world(600, agree=False)[:3])
    assert learnt.method == "lexicon"
    assert "AUC" in learnt.note


def test_order_of_rows_changes_nothing_and_no_one_is_judged_by_their_own_rating():
    mentions, verbatims, responses, _ = world(400)
    first = sentiment.polarity(mentions, sentiment.learn(mentions, verbatims, responses))
    turned = sentiment.learn(mentions.iloc[::-1], verbatims.iloc[::-1], responses.iloc[::-1])
    pd.testing.assert_frame_equal(first, sentiment.polarity(mentions, turned))
    # Turn one respondent's rating round: the text's part of the score of that respondent's clause must stay as it was.
    one = mentions["response_id"].iloc[0]
    flipped = responses.assign(recommend=responses["recommend"].where(responses["response_id"] != one, 12 - responses["recommend"]))
    learnt, other = sentiment.learn(mentions, verbatims, responses), sentiment.learn(mentions, verbatims, flipped)
    fold = sentiment._fold(one)
    text = mentions["clause_text"].head(1)
    assert learnt.models[fold].decision_function(text) == pytest.approx(other.models[fold].decision_function(text), abs=1e-12)


def test_the_question_changes_the_meaning():
    """Asked what could be better, happy people name faults as well: the same bare clause is positive after one question, negative after the other."""
    rows = []
    for n in range(600):
        happy, name = n % 2 == 0, f"r{n:03d}"
        rows.append((name, "why", f"{GOOD[n % 3]} in all ways" if happy else f"{BAD[n % 3]} in all ways"))
        rows.append((name, "good", "the signal is great" if happy or n % 10 == 1 else "the signal is poor"))
        rows.append((name, "better", "the signal is poor" if n % 5 else "the signal is great"))
        rows.append((name, "good" if n % 4 < 2 else "better", "the bill"))
    verbatims = pd.DataFrame(rows, columns=["response_id", "item", "text"])
    responses = pd.DataFrame({"response_id": [f"r{n:03d}" for n in range(600)], "recommend": [10.0, 3.0] * 300})
    mentions = topics.code(verbatims, FRAME)
    learnt = sentiment.learn(mentions, verbatims, responses)
    assert learnt.check.loc[0, ["method", "prior"]].tolist() == ["ratings", True]
    found = sentiment.polarity(mentions, learnt)
    bare = found[found["clause_text"] == "the bill"].assign(happy=lambda rows: rows["response_id"].str[1:].astype(int) % 2 == 0)
    told = bare.groupby(["item", "happy"])["polarity"].agg(lambda polarity: polarity.mode()[0])
    assert told["good", True] == "positive"
    assert told["better", False] == "negative"
    chance = bare.groupby(["item", "happy"])["positive"].mean()
    assert chance["good", True] > chance["better", True] + 0.2


@pytest.mark.parametrize(("scores", "low", "high"), [([0, 6, 7, 8, 9, 10], 2, 2), ([1, 2, 3, 4, 5], 3, 1), ([1, 2, 3, 4, 5, 6, 7], 3, 2)])
def test_the_scale_decides_which_scores_are_labels(scores, low, high):
    verbatims = pd.DataFrame({"response_id": [f"r{n}" for n in range(len(scores))], "item": "why", "text": "bill"})
    responses = pd.DataFrame({"response_id": verbatims["response_id"], "recommend": np.array(scores, float)})
    check = sentiment.learn(topics.code(verbatims, FRAME), verbatims, responses).check
    assert check.loc[0, ["n_low", "n_high"]].tolist() == [low, high]


def test_without_any_score_opinion_words_are_used():
    mentions, verbatims, responses, _ = world(30)
    learnt = sentiment.learn(mentions, verbatims, responses.assign(recommend=np.nan))
    assert learnt.method == "lexicon"
    assert "0 rated texts" in learnt.note


def test_without_ratings_the_question_stands_in_where_words_say_nothing():
    verbatims = pd.DataFrame({"response_id": ["a", "b", "c", "d"], "item": ["what_could_be_better", "what_was_good", "why", "what_could_be_better"], "text": ["the bill", "the bill", "the bill", "the bill is fine, great"]})
    mentions = topics.code(verbatims, FRAME)
    found = sentiment.polarity(mentions, sentiment.learn(mentions, verbatims, pd.DataFrame({"response_id": ["a"], "recommend": [np.nan]})))
    assert found[["polarity", "polarity_from"]].to_numpy().tolist() == [["negative", "question"], ["positive", "question"], ["unclear", "lexicon"], ["positive", "lexicon"]]


def test_nothing_keeps_what_the_question_makes_it_mean_whatever_the_ratings():
    frame = codeframe.parse({"version": "1", "topics": [{"id": "bill", "name": "Bill", "include": ["bill"]}, {"id": "net", "name": "Network", "include": ["signal"]},
                                                        {"id": "well", "name": "All well", "silence": "faults"}, {"id": "ill", "name": "Nothing good", "silence": "merits"}]})
    _, verbatims, responses, _ = world(400)
    more = pd.DataFrame({"response_id": verbatims["response_id"], "item": np.where(np.arange(400) % 2, "better", "good"), "text": "Nothing."})
    both = pd.concat([verbatims, more], ignore_index=True)
    mentions = topics.code(both, frame)
    found = sentiment.polarity(mentions, sentiment.learn(mentions, both, responses)).groupby("topic")["polarity"].agg(set)
    assert found["well"] == {"positive"}
    assert found["ill"] == {"negative"}
    assert found["bill"] >= {"positive", "negative"}
