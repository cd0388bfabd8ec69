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
    """The same neutral clause after 'what was good' and 'what could be better': the prior of the question decides."""
    rng = np.random.default_rng(1)
    rows = []
    for n in range(400):
        happy = n % 2 == 0
        rows.append((f"r{n}", "good", "the bill is great" if rng.random() < 0.9 else "the bill is poor", happy))
        rows.append((f"r{n}", "better", "the signal is awful" if rng.random() < (0.7 if happy else 0.95) else "the signal is great", happy))
        rows.append((f"r{n}", "better" if n % 4 else "good", "the bill", happy))
    verbatims = pd.DataFrame(rows, columns=["response_id", "item", "text", "happy"])
    responses = pd.DataFrame({"response_id": verbatims["response_id"].unique()})
    responses["recommend"] = np.where(responses.index % 2 == 0, 10.0, 3.0)
    mentions = topics.code(verbatims, FRAME)
    learnt = sentiment.learn(mentions, verbatims, responses)
    if learnt.method == "lexicon":
        pytest.skip("texts of this world do not follow the ratings closely enough")
    found = sentiment.polarity(mentions, learnt)
    neutral = found[found["clause_text"] == "the bill"].groupby("item")["positive"].mean()
    assert neutral["good"] > neutral["better"]
