"""In which language a comment is, where that can be told; what is not in the codeframe's languages is counted and set aside."""

from pathlib import Path

import pandas as pd
import pytest

from cxlib.text import codeframe, languages, sentiment, topics

FRAME = codeframe.parse({"version": "1", "language": "en", "topics": [{"id": "staff", "name": "Staff", "include": {"en": ["staff"], "de": ["Mitarbeiter"]}}, {"id": "bill", "name": "Bills", "include": {"en": ["bill"], "de": ["Rechnung"]}}]})
SAID = {
    "en": ["The staff were friendly and the bill was right", "I had to wait far too long for an answer"], "de": ["Die Mitarbeiter waren freundlich, aber die Rechnung war falsch", "ICH MUSSTE VIEL ZU LANGE AUF EINE ANTWORT WARTEN"],
    "fr": ["Le personnel était aimable mais la facture est trop élevée", "J'ai attendu beaucoup trop longtemps au téléphone"], "pt": ["O produto chegou antes do prazo, recomendo a loja", "a entrega demorou muito e ninguém respondeu"],
    "es": ["El personal fue amable pero la factura estaba equivocada"], "nl": ["Het personeel was vriendelijk maar de rekening klopte niet"], "it": ["Il personale era gentile ma la bolletta era sbagliata"], "pl": ["Obsługa była bardzo miła, ale rachunek był błędny"],
    "tr": ["Personel çok nazikti ama fatura yanlıştı"], "ru": ["Персонал был вежлив, но счёт оказался неверным"], "ja": ["スタッフはとても親切でしたが、請求書が間違っていました"],
}


@pytest.mark.parametrize("language", SAID)
def test_a_sentence_tells_its_language(language):
    assert languages.of(SAID[language]) == [language] * len(SAID[language])


@pytest.mark.parametrize(("text", "declared", "expected"), [
    ("ok", None, "en"), ("gut", None, "en"), ("super toll", "de", "de"), ("", None, "en"), ("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "fr", "fr"), ("12345 67890 12345 67890 12345", None, "en"),
    (SAID["de"][0], "en", "de"), (SAID["en"][0], "en", "en"), ("Mitarbeiter unfreundlich", "en", "en"), (SAID["en"][0], "EN-gb", "en"), ("app app app app app app app app app", "de", "de"),
])
def test_what_was_declared_holds_unless_the_text_is_surely_otherwise(text, declared, expected):
    assert languages.of([text], [declared]) == [expected]


def test_a_few_letters_of_another_script_tell_that_it_is_none_of_the_known_languages():
    assert languages.of(["朝食が美味しかった", "Очень долго", "très bien", "OK 👍", "x² + µ"], known=("en",)) == ["ja", "ru", "en", "en", "en"]
    assert languages.of(["朝食が美味しかった"], known=("en", "ja")) == ["ja"]


def test_other_languages_are_counted_and_set_aside():
    frame = pd.DataFrame({"response_id": range(5), "item": "why", "text": [SAID["en"][0], SAID["de"][0], SAID["fr"][0], SAID["ja"][0], "bill"]})
    found = topics.answers(frame, FRAME)
    assert found["language"].tolist() == ["en", "de", "fr", "ja", "en"]
    assert found["kind"].tolist() == ["covered", "covered", "other_language", "other_language", "covered"]
    assert set(topics.code(frame, FRAME)["response_id"]) == {0, 1, 4}


@pytest.mark.shared
def test_english_is_not_taken_for_another_language(shared):
    """Short, slangy and misspelt comments of people who all wrote English: at most one in five hundred may be set aside."""
    said = pd.read_parquet(shared / "twitter" / "twitter_airline.parquet")["text"].drop_duplicates().head(3000)
    assert (pd.Series(languages.of(said.tolist())) != "en").mean() < 0.002


PORTUGUESE = codeframe.read(Path(__file__).with_name("marketplace.toml"))


@pytest.mark.shared
def test_portuguese_works_with_a_codeframe_of_its_own(shared):
    """Marketplace reviews that people sorted, phrases alone; and polarity learnt from the stars agrees with what they said of satisfaction."""
    rows = pd.read_parquet(shared / "olist" / "olist_labelled_reviews.parquet").dropna(subset=["review_comment_message"]).reset_index(drop=True)
    frame = pd.DataFrame({"response_id": rows.index.astype(str), "item": "review", "text": rows["review_comment_message"]})
    assert (topics.answers(frame, PORTUGUESE)["language"] == "pt").mean() > 0.97
    mentions = topics.code(frame, PORTUGUESE)
    votes = {"late": "votes_atrasado", "early": "votes_antes_prazo", "part": "votes_entrega_parcial", "content": "votes_satisfeito", "quality": "votes_baixa_qualidade", "other": "votes_diferente_do_anunciado"}
    truth = {(str(at), topic) for topic, name in votes.items() for at in rows.index[rows[name] >= 2]}
    found = set(mentions.loc[mentions["topic"].isin(votes), ["response_id", "topic"]].itertuples(index=False, name=None))
    assert 2 * len(truth & found) / (len(truth) + len(found)) > 0.55
    responses = pd.DataFrame({"response_id": frame["response_id"], "recommend": rows["review_score"].astype(float)})
    judged = sentiment.polarity(frame.assign(clause_text=frame["text"], polarity="unclear"), sentiment.learn(mentions, frame, responses))
    clear = judged["polarity"] != "unclear"
    happy = rows["most_voted_class"] == "satisfeito_com_pedido"
    assert ((judged["polarity"] == "positive") == happy)[clear & rows["most_voted_class"].notna()].mean() > 0.85
