"""The codeframe that ships: what customers of services say finds its topic, in four languages, and what must reach a person does."""

import pandas as pd
import pytest

from cxlib.text import codeframe, topics

STARTER = codeframe.starter()


def told(*said, language="en", item="why"):
    frame = pd.DataFrame({"response_id": range(len(said)), "item": item, "text": said, "language": language})
    return topics.code(frame, STARTER)


@pytest.mark.parametrize(("text", "language", "expected"), [
    ("The lady at the desk was rude and had no clue", "en", {"manner"}), ("Stood in the queue for an hour", "en", {"waiting"}), ("Nobody ever answers the phone", "en", {"contact"}),
    ("They charged me twice and the refund never came", "en", {"billing"}), ("Too expensive, and my parcel was late", "en", {"price", "delivery"}), ("It broke after two days", "en", {"quality"}),
    ("the site kept crashing when I tried to log in", "en", {"digital"}), ("Cancelling the contract was easy", "en", {"contract", "ease"}), ("The toilets were filthy, no parking either", "en", {"place"}),
    ("Nobody told me the date had changed", "en", {"informed"}), ("still not fixed after four calls", "en", {"solved"}), ("I can't wait", "en", set()), ("Great deal of trouble", "en", {"content"}),
    ("Die Mitarbeiterin war sehr freundlich, aber die Rechnung ist falsch", "de", {"manner", "billing"}), ("ewig in der Warteschleife, viel zu teuer", "de", {"waiting", "price"}),
    ("Der Techniker kam zu spät, die App stürzt ab", "de", {"delivery", "digital"}), ("Livraison en retard et conseiller désagréable", "fr", {"delivery", "manner"}), ("trop cher, le site ne marche pas", "fr", {"price", "digital", "quality"}),
    ("A atendente foi muito educada, mas a fatura veio errada", "pt", {"manner", "billing"}), ("Uma hora na fila e ninguém resolveu nada", "pt", {"waiting", "solved"}), ("nao recebi o produto e ninguém atende o telefone", "pt", {"delivery", "contact"}),
    ("Quero cancelar o contrato, o aplicativo trava e está caro demais", "pt", {"contract", "digital", "price"}), ("O secador veio com defeito e ainda espero a troca", "pt", {"quality", "returns"}), ("banheiro sujo e sem estacionamento", "pt", {"place"}),
    ("O processo de compra foi tranquilo, recomendo", "pt", {"switching"}),
])
def test_what_customers_of_services_say_finds_its_topic(text, language, expected):
    found = set(told(text, language=language)["topic"])
    assert expected <= found
    assert not {"waiting"} & found or "waiting" in expected


# Written for this test, not from the phrases: one thing each that a person must read.
ALERTS = {
    "injury": ["My mother slipped on the wet floor and broke her hip", "the charger gave me an electric shock", "we all got food poisoning", "my son was injured by the door", "The heater caught fire", "had to go to hospital afterwards",
               "Meine Tochter ist gestürzt", "J'ai eu un accident à cause du sol mouillé", "Minha filha escorregou e foi parar no hospital"],
    "threat": ["your engineer threatened my wife", "the driver tried to punch me", "I feel suicidal because of this debt", "I was sexually harassed by one of your staff", "I know where you live", "Er hat mich bedroht", "un agent a été violent avec moi", "O entregador me ameaçou"],
    "discrimination": ["The clerk made a racist remark", "I was treated worse because of my accent", "refused service since I wear a hijab", "clearly discriminated against older people", "Ich wurde wegen meiner Hautfarbe abgewiesen", "propos sexistes, c'est de la discrimination", "Fui humilhada por ser negra"],
    "legal": ["You will hear from my solicitor", "I have reported this to the ombudsman", "this is fraud and I will go to the police", "see you in court", "Ich schalte die Verbraucherzentrale ein", "mon avocat vous contactera", "Amanhã vou ao Procon"],
    "data": ["I could see somebody else's data in my account", "you leaked my e-mail address", "this breaks GDPR", "my account got hacked", "Meine Daten wurden weitergegeben", "une fuite de données chez vous", "Vazaram meus dados pessoais"],
}


@pytest.mark.parametrize("topic", ALERTS)
def test_what_must_reach_a_person_is_found(topic):
    for language in ("en", "de", "fr", "pt"):
        own = [text for text in ALERTS[topic] if _language(text) == language]
        found = topics.alerts(told(*own, language=language), STARTER)
        assert set(found.loc[found["topic"] == topic, "response_id"]) == set(range(len(own))), own


def _language(text) -> str:
    return "de" if any(word in text for word in ("Meine", "mich", "meiner", "Ich ")) else "fr" if any(word in text for word in ("J'ai", "un agent", "propos", "avocat", "une fuite")) else "pt" if any(word in text for word in ("Minha", "entregador", "Fui ", "Procon", "Vazaram")) else "en"


def test_everyday_complaints_alert_nobody():
    said = ["the app is slow", "I had to wait an hour", "the price went up again", "the staff were friendly", "my parcel came late", "the bill was wrong twice", "good value", "nothing", "the hotline is a joke", "I will leave if this goes on"]
    assert topics.alerts(told(*said), STARTER).empty
    said = ["o aplicativo é lento", "o processo de troca foi ágil", "entrega deficiente", "a bomba do perfume veio com defeito", "comprei facas de presente", "vazou um pouco do shampoo", "onde eu moro não entregam", "nada a reclamar"]
    assert topics.alerts(told(*said, language="pt"), STARTER).empty
    assert topics.alerts(told("die App stürzt ständig ab", "der Preis ist abgestürzt", "ich warte seit Wochen", language="de"), STARTER).empty
    assert topics.alerts(told("la connexion tombe en panne", "le réseau tombe tout le temps", "la chute des prix", language="fr"), STARTER).empty


def test_an_alert_is_not_talked_away_by_a_longer_phrase_or_a_denial():
    frame = codeframe.parse({"version": "1", "topics": [{"id": "noise", "name": "Noise", "include": ["fire alarm"]}, {"id": "danger", "name": "Danger", "include": ["fire"], "alert": True}]})
    found = topics.code(pd.DataFrame({"response_id": ["a", "b"], "text": ["the fire alarm rang", "there was no fire"]}), frame)
    assert topics.alerts(found, frame)[["response_id", "topic"]].to_numpy().tolist() == [["a", "danger"], ["b", "danger"]]


def test_a_respondent_counts_once_a_net():
    assert STARTER.nets()["manner"] == ("people",)
    assert {topic.id for topic in STARTER.topics if topic.alert} == set(ALERTS)
    assert STARTER.coded_as().keys() >= {"people", "manner"}


def test_nothing_and_do_not_know_and_other_are_apart():
    frame = pd.DataFrame({"response_id": range(7), "item": ["improve"] * 7, "text": ["Nothing!", "don't know", "", "👍👍", "purple elephants dance", "the price", "nothing, but the price"], "language": "en"})
    assert topics.answers(frame, STARTER)["kind"].tolist() == ["nothing", "unknown", "empty", "empty", "other", "covered", "covered"]
    assert topics.code(frame, STARTER)[["response_id", "topic", "polarity"]].to_numpy().tolist() == [[0, "content", "positive"], [5, "price", "unclear"], [6, "content", "positive"], [6, "price", "unclear"]]


def test_a_draft_with_comments_gets_the_codeframe_for_services_and_keeps_its_own(cx, tmp_path):
    rows = [f"r{n},2026-0{1 + n % 3}-1{n % 10},{n % 11},the number {n} of my bills was wrong and I had to wait" for n in range(60)]
    (tmp_path / "answers.csv").write_text("response_id,answered_on,recommend,comment\n" + "\n".join(rows) + "\n", "utf-8")
    folder = tmp_path / "own"
    code, out, _ = cx("init", tmp_path / "answers.csv", "--to", folder)
    assert code == 0
    assert "codeframe.toml" in out
    assert codeframe.read(folder / "codeframe.toml") == STARTER
    (folder / "codeframe.toml").write_text('version = "mine"\n[[topics]]\nid = "bill"\nname = "Bill"\ninclude = ["bill"]\n', "utf-8")
    assert cx("init", "--to", folder)[0] == 0
    assert codeframe.read(folder / "codeframe.toml").version == "mine"
