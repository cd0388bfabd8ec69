"""The words by which questionnaires of several languages name what they ask and how it is answered."""

import re
import unicodedata

# What a column is, by words of its name or wording (folded: lower case, no accents). The first field that fits wins.
FIELDS = {
    "response_id": r"\b(response|respondent|record|interview|case|survey|submission|review|reponse|antwort|fragebogen|respuesta|resposta|encuesta|cuestionario|pesquisa|questionnaire|questionario|enquete|risposta|tweet|comment|feedback)[ _]*(id|nr|no|num|number|nummer|key)\b|\b(responseid|respondentid|respid|respnum|resp ?num|resp ?id|lfdnr|lfd nr|uuid|guid|caseid|recordid|record)\b",
    "person_id": r"\b(panel|panelist|panellist|customer|client|cust|person|member|user|guest|patient|passenger|subscriber|household|loyalty|caller|contact|kunde|kunden|teilnehmer|cliente|usuario|utilisateur|abonne|membre|socio|external|externe)[ _]*(unique )?(id|nr|no|num|number|nummer|key|code|ref|reference|numero|referenz|data ?reference|datenreferenz)\b|\b(kundennr|kundennummer|customerid|customerno|custid|clientid|memberid|userid|person|customer|externalreference|externaldatareference|(loyalty|membership|member|bonus|club|rewards?|customer|kunden|payback|fidelity|fidelite|fidelidad|fidelidade)[ _]*(card|karte|kartennummer|kartennr|carte|tessera|tarjeta|cartao)( ?(id|nr|no|num|number|nummer|key|numero))?|card ?(id|nr|no|num|number)|kundenkarte|klantnr|klantnummer|codice cliente|no client|n client|numero client|id client|id cliente|id kunde|id customer)\b",
    "account_id": r"^(account|company|organi[sz]ation|customer account|firma|unternehmen|entreprise|empresa|azienda|bedrijf)( ?name)?$|\b(account|company|organi[sz]ation|contract|policy|konto|vertrag|police|polizze|poliza|apolice|compte|contrat|cuenta|contrato|conta)[ _]*(id|nr|no|num|number|nummer|key)\b|\b(kontonr|vertragsnr|vertragsnummer|policennummer|policennr|versicherungsnummer|versicherungsscheinnummer)\b",
    "weight": r"\b(weight|weights|wt|wgt|wght|gewicht|gewichtung|poids|ponderation|peso|ponderacion|ponderacao|weightvar|weighting)\b",
    "language": r"\b(language|lang|userlanguage|sprache|langue|idioma|lingua)\b",
    "country": r"\b(country|land|pays|pais)\b",
    "channel": r"\b(channel|distributionchannel|kanal|canal|mode|method|survey mode|interview mode|contact type|collector)\b",
    "brand": r"\b(brand|marke|marque|marca)\b",
    "team": r"\b(team|equipe|equipo|time de atendimento)\b",
}
# A day on which an answer was given, the best first; what dates something else is none.
ANSWERED = (r"\b(recorded ?date|response ?date|responded|replied|submitted|submit|completed|complete|answered|answer ?timestamp|end ?date|date submitted|abgeschlossen|beendet|date de fin|fecha de fin|data de envio)\b|回答日|提交时间",
            r"\b(response|interview|int|survey|review|comment|tweet|feedback|antwort|befragung|interviewdatum|enquete|encuesta|pesquisa|avaliacao|contact|kontakt)[ _]*(date|day|created|creation date|datum|on|at)?\b.*\b(date|created|datum|creation|day|on|at|timestamp)\b|\bintdate\b|\bdate (of )?(interview|survey|response)\b",
            r"^(date|datum|fecha|data|day|jour|日付|日期|timestamp|zeitstempel|date time|datetime|created|created at|created on)$",
            r"\b(start ?date|started|begonnen|created|timestamp)\b", r"\b(date|datum|fecha|data|day)\b")
NOT_ANSWERED = r"\b(sent|send|invited|invitation|due|expires?|versandt|envoye|enviado|birth|born|geburt|naissance|nacimiento|nascimento|joined|since|seit|depuis|contract|expiry|expiration|delivery|delivered|shipping|limit|estimated|approved|aproved|purchase|order|opened|visit|flown|travel|last)\b"
WAVES = r"\b(year|jahr|annee|ano|anio|wave|welle|vague|ola|onda|quarter|quartal|trimestre|period|release period|survey year|fiscal year|fy)\b"
# What identifies a person: never an item.
PERSONAL = {
    "email": r"\b(e ?mail|email ?address|mail|correo|courriel|recipientemail|emailaddress)\b",
    "phone": r"\b(phone|telephone|telefon|mobile|handy|cell|tel|telefono|celular|telemovel|phone number|mobilfunk)\b",
    "first_name": r"\b(first ?name|given ?name|forename|vorname|prenom|nombre|primeiro nome|recipientfirstname)\b",
    "last_name": r"\b(last ?name|surname|family ?name|nachname|familienname|nom de famille|nom|apellido|apellidos|sobrenome|recipientlastname)\b",
    "name": r"^(name|full ?name|customer ?name|client ?name|kundenname|nome|author|reviewer|user ?name|username|contact ?name|respondent ?name|agent|agent ?name|employee|mitarbeiter)$",
    "born": r"\b(birth ?date|date of birth|dob|born|birthday|geburtsdatum|date de naissance|fecha de nacimiento|data de nascimento)\b",
    "postcode": r"\b(zip|zip ?code|post ?code|postal ?code|plz|postleitzahl|code postal|codigo postal|cep)\b",
    "street": r"\b(street|address|strasse|anschrift|adresse|direccion|calle|endereco|rua)\b",
    "city": r"\b(city|town|stadt|wohnort|ville|ciudad|cidade)\b",
    "other": r"\b(ip ?address|ipaddress|ip adresse|ip|latitude|longitude|lat long|locationlatitude|locationlongitude|location ?accuracy|cookie|device ?id|iban|credit ?card|card ?number|ssn|passport|user ?agent|vorname|custom data 1)\b",
}
# What a survey tool notes of itself.
TOOL = r"^(start ?date|end ?date|date created|date modified|status|response type|progress|duration.*|finished|recorded ?date|browser|version|operating ?system|resolution|response ?set|collector ?id|custom ?data.*|user ?agent|count|index|row ?index|row|unnamed.*|column 1|start ?time|end ?time|run ?id|v[0-9]+ (responseset|name|status|finished))$"
KPIS = {
    "recommend": r"recommend|すすめ|お勧め|\bnps\b|raccomand|consigli(are|ere|era|o )|aanbeve|aanrad|rekommend|anbefal|polec(ic|asz|enie)|tavsiye|薦|勧め|推奨|推荐|net ?pro(moter)?\b|weiterempf|empfehl|recomend|recommand|\bltr\b",
    "effort": r"\b(effort|sforzo|semplice|moeite|gemak\w*|makkelijk|ces|easy|ease|easier|aufwand|einfach|leicht|muhelos|facile|facilement|facil|facilidad|facilidade|esfuerzo|esforco)\b",
    "repurchase": r"repurchas|\b(buy|purchase|choose|book|order|shop|visit|use|come)( us| here| it| with us)? (again|back)\b|\bcontinue\b|wieder ?(kauf|wahl|wahlen|bestellen|buchen|kommen)|erneut|rachat|rachet|reachat|volver(ia)? a|comprar (novamente|de nuevo|de novo)|voltar(ia)? a|recompra|\brenew",
    "satisfaction": r"satisf|zufried|soddisf|tevred|nojd|tilfreds|zadowol|memnun|満足|满意|滿意|\bo?csat\b|\bosat\b|\b(overall|insgesamt|gesamt|global|general|geral|all things considered|tout bien|complessiv\w*|nel complesso|over het geheel|algemene)\b|\bstar rating\b|\b(stars|sterne|etoiles|estrellas|estrelas)$|\b(rating|score|note|bewertung|nota|puntuacion|calificacion|avaliacao|evaluation)\b",
}
OVERALL = r"\b(overall|insgesamt|gesamt|alles in allem|global|globale|globalement|general|en general|geral|total|all in all|as a whole|csat|osat|ocsat|all|complessiv\w*|nel complesso|algemene|over het geheel|totale|gesamtzufriedenheit|gesamteindruck|gesamtbewertung|gesamtnote|gesamturteil)\b|総合|全体|总体|總體|整体"
GRADES = r"\b(schulnote|schulnoten|school ?grade)\b"  # 1 is the best
NOTE = r"\bnoten?\b"  # a grade where it runs to six: 1 is the best
PROMOTERS = r"\b(promot\w*|detract\w*|detrat\w*|detraktor\w*|kritiker)\b"  # groups of a recommendation
SATISFIED = r"satisf|zufried|soddisf|tevred|nojd|tilfreds|zadowol|memnun|満足|满意|滿意|\bcsat\b|\bosat\b"
TOTALS = r"^((grand|sub|sum|row)? ?totals?|summe|gesamt|gesamtsumme|insgesamt|ergebnis|gesamtergebnis|average|averages|mean|durchschnitt|mittelwert|total general|moyenne|promedio|media|somme|suma|soma|totale|totaal|gemiddelde|合計|平均|总计|n|base|count)( ?[:=].*)?$"
STATED = r"\b(importance|important|wichtig|wichtigkeit|importance pour|importancia)\b"
RANKS = r"\b(rank|ranking|rang|rangfolge|reihenfolge|classez|classement|ordene|orden de|ordem|priorisier\w*)\b"
BINARY = r"\b(dissatisf\w*|unsatisf\w*|unzufried\w*|insatisf\w*|mecontent\w*|complain\w*)\b"
QUESTIONS = {
    "why": r"\b(why|reason|reasons|warum|wieso|grund|grunde|begrundung|pourquoi|raison|raisons|por que|porque|razon|razones|motivo|motivos|waarom|reden|perche)\b|理由|原因",
    "improve": r"\b(improve|improvement|improvements|better|differently|change|suggest|suggestion|suggestions|verbesser\w*|besser|anregung\w*|amelior\w*|mieux|mejorar|mejora\w*|sugerenc\w*|melhorar|melhoria\w*|sugest\w*|verbeter\w*|miglior\w*|suggeriment\w*)\b|改善|改进",
    "praise": r"\b(like most|liked|best|enjoy|enjoyed|praise|went well|did well|gefallen|gefallt|lob|gut gelaufen|aime|apprecie|plu|gusto|gusta|gostou|elogio)\b",
    "comment": r"\b(comment|comments|feedback|remark|remarks|verbatim|verbatims|text|message|content|review|opinion|anything|other|kommentar\w*|anmerkung\w*|bemerkung\w*|meinung|commentaire\w*|remarque\w*|comentario\w*|observac\w*|mensagem|opiniao|answer|open ended|freitext|commento|commenti|opmerking\w*|toelichting|osservazioni)\b|意見|感想|コメント|意见|评论",
}
OF_ALL = r"\b(our (services?|company|brand|firm)|with us|nos services|notre (marque|entreprise|societe)|unser\w* (services?|leistungen|dienstleistungen|unternehmen)|mit uns|nuestros servicios|con nosotros|nossos servicos|conosco|i nostri servizi|onze (diensten|service))\b"  # satisfaction with the firm as a whole
REPLIED = r"\b(reply|replies|owner s? ?(response|reply|answer)|(response|reply|answer) (from|of|by) (the )?(owner|business|company|management|merchant|hotel|host)|(business|management|merchant|company|vendor|seller|host) (response|reply|answer)|antwort (des|der|vom|von) \w+|inhaberantwort|respuesta (del?|de la) \w+|resposta d[oae] \w+|reponse (du|de|des) .*)\b"  # what the company answered, beside what a customer wrote
CUTS = r"\b(gender|sex|geschlecht|sexe|sexo|genero|age|alter|altersgruppe|tranche d age|edad|idade|region|area|bundesland|segment|kundengruppe|type|class|klasse|tarif\w*|contract|vertrag\w*|plan|product|produkt|produit|producto|produto|state|province|occupation|beruf|profession|income|einkommen|revenu|ingreso\w*|renda|education|bildung|method|brand|branch|filiale|store|service|terminal|membership|country|language|channel|company|airline|cabin|traveller)\b"
TRAITS = r"\b(gender|sex|geschlecht|sexe|sexo|genero|age|age group|alter|altersgruppe|edad|idade|region|segment|income|incme|einkommen|revenu|ingreso\w*|renda|education|bildung|occupation|beruf|profession|lang|language|household|marital|ethnicity|race|day|week|weekday|month|hour|strata|stratum|peak|sample|cluster|county|district)\b"
# What an answer says that is none.
MISSING = r"^(don'?t know|do not know|dk|d ?k|not sure|unsure|no answer|no response|no opinion|not answered|did not answer|not asked|refused|prefer not to (say|answer)|n ?/ ?a|na|n\.? ?a\.?|not applicable|does not apply|doesn'?t apply|never used|not used|have not used|haven'?t used|no experience|not rated|blank|missing|none|null|nan|unknown|skipped|unfamiliar.*|never (used|visited).*|can'?t (say|tell|rate)|cannot (say|rate|judge)|weiss nicht|weiss ich nicht|keine angabe|k ?a|k\. ?a\.?|keine meinung|keine antwort|nicht genutzt|nie genutzt|trifft nicht zu|nicht beurteilbar|kann ich nicht beurteilen|ne sait pas|je ne sais pas|nsp|ns ?/ ?np|sans opinion|sans reponse|pas de reponse|non concerne|non applicable|sans objet|jamais utilise|no se|no sabe|ns ?/ ?nc|ns|nc|no contesta|no aplica|nunca usado|nao sei|nao sabe|nao se aplica|sem resposta|sem opiniao|nunca usei|\?|-+|\.)(\s*\(.*\))?$"
FLAGS = {"0", "1", "true", "false", "yes", "no", "y", "n", "ja", "nein", "oui", "non", "si", "sim", "nao", "wahr", "falsch", "vrai", "faux", "verdadero", "falso", "verdadeiro", "vero", "nee", "tak", "nie", "evet", "hayir", "はい", "いいえ", "是", "否"}

# An answer's strength: what it is about, with its sign, times how strongly it is meant.
_STRONG = r"\b(very|extremely|completely|totally|strongly|fully|definitely|highly|absolutely|certainly|much|sehr|ausserst|vollig|voll|vollkommen|uberhaupt|ganz|auf jeden fall|bestimmt|tres|tout a fait|totalement|extremement|completement|muy|totalmente|muito|molto|zeer|helemaal|per niente|per nulla|completamente|sumamente|plenamente|sin duda|com certeza|pas du tout|not at all|gar nicht|nada)\b"
_WEAK = r"\b(somewhat|rather|fairly|slightly|quite|a little|eher|ziemlich|etwas|teilweise|plutot|assez|un peu|mas bien|algo|bastante|un poco|um pouco|mais ou menos|probably|wahrscheinlich|probablement|abbastanza|redelijk|tamelijk|enigszins)\b"
_NEUTRAL = r"\b(neither|noch|ne d accordo|neutral|neutre|neutro|neutra|weder|teils|ni|nem|indifferent|undecided|so so|unentschieden|average|mittel|moyen|regular|medio|partly|indeciso|mittelmassig|befriedigend)\b|^(ok|okay|fair|acceptable)$"
_BAD = r"\b(dissatisf\w*|unsatisf\w*|unzufried\w*|insatisf\w*|insoddisf\w*|ontevred\w*|oneens|disaccordo|improbabile|onwaarschijnlijk|moeilijk|mecontent\w*|disagree|disagreed|unlikely|unwahrscheinlich\w*|improbable|improvavel|difficult|schwer|schwierig|difficile|dificil|bad|poor|schlecht|mauvais\w*|malo|mala|mal|ruim|terrible|awful|worse|worst|unfavou?rabl\w*|insatisfech\w*|insatisfeit\w*|lehne|ablehn\w*|discordo|desacuerdo|desaccord|never|nie|jamais|nunca|unacceptable|dirty|unsafe|pessimo|useless|mangelhaft|ungenugend)\b"
_GOOD = r"\b(satisf\w*|soddisf\w*|tevred\w*|eens|accordo|probabile|waarschijnlijk|makkelijk|zufried\w*|content\w*|agree|agreed|likely|wahrscheinlich|probable|provavel|easy|einfach|leicht|facile|facil|good|gut|bon|bonne|bien|bueno|buena|bom|boa|excellent|ausgezeichnet|hervorragend|excelente|great|outstanding|favou?rabl\w*|stimme|trifft|zustimm\w*|concordo|acuerdo|accord|always|immer|toujours|siempre|sempre|often|important|wichtig|importante|safe|clean|recommend|yes|ja|oui|si|sim|definitely|otimo|perfect)\b"
_TOP = r"\b(excellent|excelente|outstanding|ausgezeichnet|hervorragend|perfect|otimo|terrible|awful|unacceptable|pessimo|horrible|always|immer|never|nie|jamais|toujours|siempre|nunca|sempre|worst|ungenugend)\b"
_NOT = r"\b(not|nicht|pas|no|nao|non|dont|don't|kein|peu|wenig|poco|pouco)\b"
_NUMERO = re.compile(r"\b[Nn][º°]\.?\s*|№\s*")  # before accents go, for a small o is one
_BEFORE = re.compile(r"^(?:id|ref|referencia|reference|num|numero|codigo|cod|codice)\.? +(?:(?:de|del|da|do|della|di|du|la|l|d) +)*(\w+)$")  # as names are put together in Romance languages
_OUT_OF = re.compile(r"^\s*([0-9]{1,2})\s*(?:/|out of|of|von|sur|de|su|van|av|z)\s*([0-9]{1,2})\s*$", re.IGNORECASE)
_HAN = {  # judgements in Japanese and Chinese, which write no blanks between words
    "neutral": re.compile(r"どちらとも|どちらでも|普通|ふつう|一般|中立"), "bad": re.compile(r"不満|不满|不滿|悪い|悪か|良くな|よくな|思わない|あてはまらない|当てはまらない|同意しない|不同意|差"),
    "good": re.compile(r"満足|满意|滿意|良い|よい|良か|思う|あてはまる|当てはまる|同意|好"), "strong": re.compile(r"非常に|とても|大変|大いに|完全に|全く|まったく|強く|非常|十分|完全|很"), "weak": re.compile(r"やや|まあ|少し|どちらかといえば|どちらかと言えば|比较|比較"),
}  # fmt: skip
_SPELT = {word: value for value, said in enumerate(("one uno eins un", "two dos zwei deux", "three tres drei trois", "four cuatro vier quatre quatro", "five cinco funf cinq", "six seis sechs", "seven siete sieben sept", "eight ocho acht huit", "nine nueve neun neuf", "ten diez zehn dix"), 1) for word in said.split()}  # fmt: skip
_NUMBERED = re.compile(r"^\s*([+-]?[0-9]{1,2})\s*(?:[-–—:=.)(]+\s*|\s+)(?=[^0-9\s.,/%:-])(.+?)\)?\s*$", re.DOTALL)
_STARS = re.compile(r"^\s*(?:([1-9]|10)\s*(?:\*|star|sterne?|etoile|estrella|estrela)s?|(★{1,10})[☆]*)\s*$", re.IGNORECASE)
_PUNCT, _CAMEL, _BLANK = re.compile(r"[^\w'?/.>&+()★-]+|_"), re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[0-9])(?=[A-Za-z]{3})"), re.compile(r"\s+")


def folded(text: str) -> str:
    """Return text in lower case without accents, camel case and underscores as blanks: what the patterns here look at."""
    text = _CAMEL.sub(" ", _NUMERO.sub("numero ", text[:2_000]))
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(one))
    return _BLANK.sub(" ", _PUNCT.sub(" ", plain.lower())).strip()


def says(pattern: str, *texts: str) -> bool:
    """Return whether one of the texts, folded, holds a word of the pattern; 'número de cliente' is looked at as 'cliente id' too."""
    return any(re.search(pattern, one) or re.search(pattern, plain := re.sub(r"[^\w ]+", " ", one)) or re.search(pattern, _BEFORE.sub(r"\1 id", plain)) for one in map(folded, texts) if one)


def missing(label: str) -> bool:
    """Return whether an answer in words says that there is none: don't know, never used, keine Angabe."""
    return bool(re.match(MISSING, re.sub(r"\s+", " ", folded(label))))


def numbered(label: str) -> tuple[int, str] | None:
    """Return (score, words) of an answer like '10 - Extremely likely', '3 stars', '★★★' or 'FIVE'; None for others."""
    if found := _STARS.match(label):
        return int(found[1] or len(found[2])), ""
    word = re.fullmatch(r"(\w+)(?: (?:stars?|sterne?|estrellas?|etoiles?))?", folded(label))
    if word and word[1] in _SPELT:
        return _SPELT[word[1]], ""
    if found := _OUT_OF.match(label):
        return int(found[1]), ""
    found = _NUMBERED.match(label)
    return (int(found[1]), found[2].strip()) if found else None


def spelt(labels: list[str], most: int) -> dict[str, str]:
    """Return every score up to the most as it would be spelt like these labels (ONE, TWO), also those that nobody chose; none where they are not spelt out in English."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    if not all(label.strip().lower() in words for label in labels):
        return {}
    form = next((form for form in (str.upper, str.title, str.lower) if all(form(label) == label for label in labels)), str)
    return {form(word): str(score) for score, word in enumerate(words[:most], 1)}


def out_of(label: str) -> int | None:
    """Return the upper end that an answer like '7/10' or '4 out of 5' names; None for others."""
    found = _OUT_OF.match(label)
    return int(found[2]) if found else None


def strength(label: str) -> float | None:
    """Return how strongly an answer in words is meant: -3 (awful) over 0 (neither) to 3; None for words that are no judgement."""
    if re.search(r"[\u3040-\u30ff\u3400-\u9fff]", label):
        return _han(unicodedata.normalize("NFKC", label))
    text = re.sub(r"[^\w' ]+", " ", folded(label))
    if re.search(_NEUTRAL, text):
        return 0.0
    bad, good = re.search(_BAD, text), re.search(_GOOD, text)
    if not bad and not good:
        return None
    sign = -1.0 if bad else 1.0
    if re.search(_NOT, text) and not re.search(r"\b(tout a fait|pas mal)\b", text):
        sign = -1.0 if sign > 0 else 1.0
    size = 3.0 if re.search(_TOP, text) else 2.5 if re.search(r"\b(extremely|extremement|ausserst|sumamente)\b", text) else 2.0 if re.search(_STRONG, text) else 0.8 if re.search(_WEAK, text) else 1.0
    return sign * size


def _han(label: str) -> float | None:
    said = {name for name, pattern in _HAN.items() if pattern.search(label)}
    if "neutral" in said and "weak" not in said:
        return 0.0
    if not said & {"bad", "good"}:
        return None
    return (-1.0 if "bad" in said else 1.0) * (0.8 if "weak" in said else 2.0 if "strong" in said else 1.0)
