"""A short list of opinion words of our own, for files without ratings, and the words that turn or divide a statement.

Written from scratch for customer comments, as lemmas or written forms in lower case; no published list was copied. It is the
fall-back only: where respondents rated, polarity is learnt from their ratings (see `sentiment`). Strong words count 2, wishes and
hints 1. A word used both ways in service comments ("cheap", "hot", "quick" of a fix but also of a brush-off) is left out or weak.
"""

import tomllib
from functools import lru_cache
from pathlib import Path

POSITIVE = {
    "en": """good great excellent amazing awesome fantastic wonderful brilliant superb outstanding perfect perfectly lovely nice pleasant pleased
        happy glad delighted satisfied impressed love like enjoy appreciate thank thanks thankful grateful helpful friendly kind polite courteous
        caring professional knowledgeable competent attentive patient welcoming supportive efficient effective reliable stable dependable quick
        quickly fast prompt promptly smooth smoothly easy easily simple clear clearly fair reasonable affordable convenient comfortable clean tidy
        spotless safe fresh tasty delicious yummy recommend praise compliment exceed solve resolved fixed sorted hassle-free flawless seamless
        generous beautiful cosy cozy favorite favourite fabulous exceptional terrific gem bargain well best 👍 😀 😊 😍 🙂 ❤ 👏""",
    "de": """gut super toll prima klasse großartig ausgezeichnet hervorragend perfekt einwandfrei zufrieden freundlich nett höflich hilfsbereit
        kompetent schnell zügig prompt zuverlässig stabil einfach unkompliziert verständlich klar fair günstig angenehm sauber bequem reibungslos
        problemlos empfehlen danke loben begeistert gerne beste bestens optimal professionell übersichtlich gelöst""",
    "fr": """bon bien excellent super parfait parfaitement génial formidable agréable content satisfait ravi aimable gentil sympathique poli serviable
        compétent efficace rapide rapidement fiable stable simple facile facilement clair juste abordable propre confortable recommander merci
        apprécier meilleur impeccable professionnel bravo résolu""",
    "pt": """bom boa bem ótimo otimo excelente perfeito maravilhoso lindo rápido rapido rapidez satisfeito feliz gostar gostei adorar adorei amar amei
        recomendar recomendo parabéns parabens obrigado obrigada confiável eficiente fácil barato qualidade melhor certinho nota""",
}
NEGATIVE = {
    "en": """bad poor poorly terrible horrible awful dreadful appalling disgusting atrocious abysmal rude unfriendly unhelpful impolite arrogant
        dismissive ignore incompetent unprofessional slow slowly sluggish late delay delayed long forever wait unreliable unstable broken break fail failed failure fault faulty
        error wrong mistake problem issue trouble crash outage drop interrupt disconnect cut expensive overpriced overcharge overcharged costly
        hidden misleading confusing confuse confused complicated difficult hard unclear impossible frustrate frustrated frustrating annoy annoyed
        annoying angry upset disappoint disappointed disappointing disappointment unhappy dissatisfied unacceptable useless worthless pointless
        waste hate dislike avoid regret complain complaint worse worst dirty filthy smelly noisy crowded cramped uncomfortable cold stale bland
        tasteless greasy lack lose lost miss missing refuse cancel lie lied cheat scam fraud rip-off joke nightmare shambles chaos stress stressful
        struggle pain unfair unsafe nobody disorganised disorganized inefficient unanswered mediocre overrated 👎 😡 😠 😞 😢 🙁 🤬 💩""",
    "de": """schlecht schlimm furchtbar schrecklich katastrophe katastrophal miserabel mies unfreundlich unhöflich inkompetent langsam lange spät
        verspätet verzögerung warten wartezeit unzuverlässig instabil kaputt ausfall ausfallen abbruch abbrechen fehler falsch problem störung teuer
        überteuert versteckt unverständlich verwirrend kompliziert umständlich schwierig unmöglich ärgerlich ärgern enttäuscht enttäuschend
        enttäuschung unzufrieden unverschämt frechheit nutzlos beschweren beschwerde schlechter schmutzig leider mangelhaft betrug niemand""",
    "fr": """mauvais mal nul horrible terrible affreux catastrophe catastrophique impoli désagréable incompétent lent lentement long retard attente
        attendre instable panne coupure couper erreur faux problème cher trop caché compliqué confus difficile impossible énervant frustrant déçu
        décevant déception mécontent insatisfait inacceptable inutile plaindre plainte pire sale malheureusement arnaque manque personne""",
    "pt": """ruim mau péssimo pessimo horrível horrivel terrível demora demorar demorou atraso atrasar atrasado lento defeito quebrado quebrar errado
        erro problema caro difícil impossível falta faltar faltou decepcionado decepção insatisfeito reclamar reclamação pior sujo infelizmente
        cancelar enganar enganado descaso absurdo fraude""",
}
# What is wished for is missing: a hint of dissatisfaction, half as strong as a word that says so.
WISH = {
    "en": "should improve improvement instead wish unless more better could must",
    "de": "sollte sollten könnte könnten müsste verbessern verbesserung mehr wünschen besser",
    "fr": "devrait devraient pourrait améliorer amélioration plus souhaiter faudrait",
    "pt": "deveria poderia melhorar mais precisa",
}
NEGATORS = {
    "en": "not n't no never nothing none neither nor without cannot cant dont didnt doesnt wasnt isnt arent hardly barely zero nt",
    "de": "nicht kein keine keinen keiner keinem keines nie niemals nichts ohne weder kaum",
    "fr": "ne pas n' jamais sans aucun aucune rien ni",
    "pt": "não nao nunca jamais sem nenhum nenhuma nada nem",
}
# "not only good": these after a negator take its force away.
ONLY = {"en": "only just", "de": "nur", "fr": "seulement", "pt": "só apenas somente"}
# Words that turn the statement begin a new clause.
CONTRAST = {
    "en": "but although though however whereas yet except despite nevertheless while unfortunately",
    "de": "aber jedoch obwohl doch sondern allerdings trotzdem während leider außer",
    "fr": "mais cependant toutefois pourtant malgré sauf quoique néanmoins malheureusement",
    "pt": "mas porém porem embora contudo entretanto todavia exceto apesar infelizmente",
}


def words(table: dict[str, str], language: str) -> frozenset[str]:
    """Return the words of one of the tables above in a language, none where it has no list."""
    return frozenset(table.get(language, "").split())


def nothing(language: str) -> frozenset[str]:
    """Return the whole answers that say there is nothing to say, in a language."""
    return _whole()["nothing"].get(language, frozenset())


def unknowing(language: str) -> frozenset[str]:
    """Return the whole answers that say that one does not know, in a language."""
    return _whole()["unknowing"].get(language, frozenset())


def answers(language: str) -> frozenset[str]:
    """Return the whole answers that say nothing or that one does not know, in a language."""
    return nothing(language) | unknowing(language)


@lru_cache(maxsize=1)
def _whole() -> dict[str, dict[str, frozenset[str]]]:
    """The whole answers of every language, by what they say."""
    found = tomllib.loads(Path(__file__).with_name("whole_answers.toml").read_text("utf-8"))
    return {kind: {language: frozenset(own) for language, own in table.items()} for kind, table in found.items()}
