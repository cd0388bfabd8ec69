"""What table a file fills that holds no answers: orders, contacts, events, customers, accounts, invitations, actions, offers."""

import re
from typing import NamedTuple

from cxlib import schema
from cxlib.load import amounts, answers, currencies
from cxlib.load.draft import facts, forms, words
from cxlib.questionnaire import ROW

_ID = r"[ _]*(unique )?(id|nr|no|num|number|nummer|key|numero|code)\b"
NOT_DATED = r"\b(birth|born|geburt\w*|expiry|expiration|delivery|delivered|shipping|limit|estimated|due|end|ende|until)\b"  # days of something else
NOT_TALKED = r"\b(reply|response|resolution|resolve|solve|wait\w*|first|requester|antwort\w*|losung\w*|attente|espera)\b"  # minutes of something else than the contact
PERSON = words.FIELDS["person_id"] + r"|^(cliente|kunde|client|klant)$"
# Table -> column -> words by which files name it; what the file's own name says; in the order in which they are tried.
TABLES = {
    "actions": {"action_id": rf"\b(action|campaign|treatment|kampagne|aktion|campagne|campana|campanha|test){_ID}|^(action|campaign|kampagne|segment)$", "person_id": PERSON, "arm": r"^(arm|group|treatment|treated|control|test ?group|gruppe|variant)$|\btreat(ed|ment)?\b",
                "assigned_on": r"\b(assigned|start|launch|contacted|date|datum|fecha|data)\b", "probability": r"\b(probability|propensity)\b", "cost": r"\b(cost|kosten|cout|coste|custo)\b", "delivered_on": r"\bdelivered\b"},
    "invitations": {"person_id": PERSON, "sent_on": r"\b(sent|invited|invitation|versandt|versand|eingeladen|envoye|enviado|send)\b", "channel": words.FIELDS["channel"], "reminder": r"\b(reminder|reminders|erinnerung)\b", "opened": r"\b(opened|geoffnet|ouvert|abierto|aberto)\b",
                    "answered": r"\b(answered|responded|completed|geantwortet|beantwortet|repondu|respondido)\b"},
    "offers": {"offer_id": rf"\b(offer|angebot|offre|oferta){_ID}", "person_id": PERSON, "offered_on": r"\b(offered|date|datum|fecha|data)\b", "product": r"\b(product|offer|angebot|produkt|produit|producto|produto)\b", "accepted": r"\b(accepted|taken|angenommen|accepte|aceptada|aceita)\b"},
    "orders": {"order_id": rf"\b(order|invoice|bill|transaction|basket|receipt|purchase|booking|reservation|reserva|reserve|buchung|buchungs|prenotazione|return|refund|bestell|bestellung|auftrag|rechnung|rechnungs|commande|facture|pedido|factura|fatura|compra){_ID}|^(order|invoice|receipt|bestellnr|rechnungsnr|bestellnummer|invoiceno|orderno)$", "person_id": PERSON,
               "ordered_on": r"\b(order|ordered|purchase|invoice|transaction|sale|bestell|bestellung|kauf|rechnungs|commande|achat|pedido|compra|booking)\b.*\b(date|datum|timestamp|time|on|at|day|fecha|data)\b|^(date|datum|fecha|data|day|invoicedate|orderdate|bestelldatum|kaufdatum|rechnungsdatum|ordered on|timestamp|transaction timestamp|date de commande)$",
               "amount": r"\b(amount|revenue|sales|sales value|total|turnover|betrag|umsatz|montant|importe|valor|spend|gross|net|summe)\b|\b(price|preis|prix|precio|preco|value|wert)\b", "margin": r"\b(margin|marge|deckungsbeitrag|margen|margem|profit)\b", "currency": r"\b(currency|wahrung|devise|moneda|moeda)\b",
               "product": r"\b(product|item|sku|stock ?code|description|article|artikel|produkt|produit|producto|produto|category)\b", "quantity": r"\b(quantity|qty|units|menge|anzahl|quantite|cantidad|quantidade|cds)\b"},
    "interactions": {"interaction_id": rf"\b(interaction|ticket|incident|case|call|contact|chat|session|request|complaint|claim|schaden|siniestro|sinistre|beschwerde|vorgang|anruf|kontakt|appel|llamada|chamada){_ID}|^(ticket|incident|number|case|call|vorgang|ticketnr|id)$", "person_id": PERSON,
                     "at": r"\b(opened|created|started|contacted|received|reported|called|begin|eingang|geoffnet|erstellt|cree|creado|criado)\b|\b(call|contact|chat|ticket|session|kontakt)\b.*\b(date|datum|time|at|on)\b|^(date|datum|timestamp|time|at|datetime|fecha|data|zeitpunkt|started at|opened at)$", "channel": words.FIELDS["channel"],
                     "touchpoint": r"\b(touchpoint|queue|page|location|store|shop|filiale|boutique)\b", "reason": r"\b(reason|category|topic|subject|grund|thema|kategorie|motif|motivo|type|symptom)\b", "resolved": r"\b(resolved|solved|settled|erledigt|fcr|gelost|resolu|resuelto|resolvido)\b",
                     "minutes": r"\b(minutes|duration|minuten|dauer|duree|duracion|duracao|handle time)\b", "team": words.FIELDS["team"]},
    "events": {"event_id": rf"\b(event|log|ereignis){_ID}", "person_id": PERSON, "at": r"\b(timestamp|time|at|updated|occurred|date|datum|zeitpunkt|completetimestamp)\b", "kind": r"\b(event|activity|activityid|action|kind|type|state|status|aktivitat|ereignis|concept)\b", "value": r"\b(value|size|wert|valeur)\b", "unit": r"^(unit|einheit|unite|unidad)$"},
    "accounts": {"account_id": words.FIELDS["account_id"], "segment": r"\b(segment|tier|industry|branche)\b", "country": words.FIELDS["country"], "brand": words.FIELDS["brand"], "since": r"\b(since|start|opened|seit|depuis|desde|vertragsbeginn|beginn|onboarded|signed|inicio|debut)\b", "ended_on": r"\b(ended|closed|churned|cancelled|canceled|terminated|gekundigt|kundigung|baja|resiliation)\b|^(end|end date|ende|fin)$",
                 "renews_on": r"\b(renewal|renews|contract end|end of contract|vertragsende|laufzeit bis|laufzeitende|expires?|expiry|expiration|verlangerung|renovacion|vencimiento|echeance)\b", "owner": r"\b(owner|betreuer)\b"},
    "people": {"person_id": PERSON + r"|^(id|customer|client|kunde|cliente|household id)$", "account_id": words.FIELDS["account_id"], "role": r"^(role|rolle|rol)$", "contract": r"\b(contract|tarif|tariff|plan|vertrag|contrat|contrato|offre)\b", "segment": r"\b(segment|cluster|tier|kundengruppe|status)\b", "region": r"\b(region|state|province|bundesland|kanton|departement|provincia|estado)\b",
               "brand": words.FIELDS["brand"], "joined_on": r"\b(joined|enrol\w*|member since|since|start|signup|registered|created|seit|kunde seit|eintritt|inscription|date d entree|entree|alta|desde)\b", "left_on": r"\b(left|churn\w*|ended|cancelled|austritt|gekundigt|kundigung|baja|sortie|resilie|resiliation)\b.*"},
}  # fmt: skip
NAMED = {
    "actions": r"\b(action|actions|campaign|campaigns|treatment|experiment|aktionen|kampagnen)\b", "invitations": r"\b(invitation|invitations|invites|einladungen|panel|sample)\b", "offers": r"\b(offer|offers|angebote)\b",
    "orders": r"\b(order|orders|sales|transactions|transaction|invoice|invoices|purchases|retail|bestellungen|umsatze|rechnungen|commandes|ventes|pedidos|ventas|vendas|payments|items|master)\b",
    "interactions": r"\b(interaction|interactions|calls|tickets|ticket|incidents|contacts|chats|cases|kontakte|anrufe|appels|llamadas|complaints|claims|schaden|siniestros|sessions)\b", "events": r"\b(event|events|log|logs|helpdesk|outages|usage|process|history)\b",
    "accounts": r"\b(account|accounts|contracts|konten|vertrage|comptes|cuentas)\b", "people": r"\b(people|customers|customer|clients|persons|members|users|crm|kunden|clientes|demographics|stammdaten)\b",
}  # fmt: skip


ORDER_NO = re.compile(r"#[0-9]{3,}")
MADE = r"\b(created|placed|processed|paid|bezahlt|erstellt)\b"  # days of an order that are not called so
BESIDE = r"\b(refund\w*|tax|taxes|vat|shipping|delivery|freight|discount|tip|outstanding|versand\w*|mwst|ust|steuer\w*|rabatt|envio|descuento|iva|impuesto\w*|frais|remise|tva)\b"  # amounts that are no sales
RETURNS = r"\b(return|returns|refund|refunds|retoure|retouren|rucksendung\w*|erstattung\w*|devolucion\w*|devoluco?es|reembolso\w*|remboursement\w*|retours?|resi|rimborsi)\b"


class Table(NamedTuple):
    """A guess: the table (none where `lacks` is filled), its columns in the file, and what it needs that the file does not have."""

    name: str
    columns: dict
    fixed: dict
    lacks: tuple
    why: str  # what must be known of it, "" for nothing
    form: str = ""
    score: float = 0.0
    where: str = ""  # the column that only its own rows have filled


class Part(NamedTuple):
    """A file with what it was taken for: `kind` is responses, a table's name, or "" where it is not read."""

    file: facts.File
    wording: dict
    roles: dict
    kind: str
    table: Table | None
    joins: dict
    why: str
    identify: tuple = ()  # the column of e-mail addresses by which its rows are matched with the customer file, and why
    figures: object = None  # what it publishes (printed.Figures)


def guess(file: facts.File, wording: dict[str, str], key: str = "") -> list[Table]:
    """Return what tables a file may fill, the best first; tables that it lacks columns for come behind those that it can fill. `key` is a column that stands for the customer's key."""
    found = []
    stem = file.path.name.split(".")[0] + " " + file.reading.database_table
    for name in TABLES:
        one = _fitted(file, name, wording, key)
        named = words.says(NAMED[name], stem)
        filled = sum(1 for column in one.columns if column not in ("person_id",))
        found.append(one._replace(score=filled + 3 * named - 4 * len(one.lacks)))
    fits = [one for one in found if not one.lacks and _worth(one)]
    return sorted(fits, key=lambda one: -one.score) + sorted((one for one in found if one.lacks and len(one.columns) >= 2), key=lambda one: -one.score)


def _worth(one: Table) -> bool:
    """Whether a fit says more than that there is an id and a day."""
    own = {"actions": ("arm",), "invitations": ("sent_on",), "offers": ("offer_id",), "orders": ("amount",), "interactions": ("interaction_id",), "events": ("kind",), "accounts": ("account_id",), "people": ("person_id",)}[one.name]
    return all(column in one.columns and (one.columns[column] != ROW or one.name == "orders") for column in own)


def _fitted(file: facts.File, name: str, wording: dict, person: str) -> Table:
    taken: dict = {}
    forms_seen: dict = {}
    money = currencies.MONEY.get(name, ("", ()))[1]
    for column in schema.TABLES[name]:
        if column.name not in TABLES[name]:
            continue
        pattern = TABLES[name][column.name]
        fits = [one for one in file.raw.frame.columns if one not in taken.values() and facts.nameable(one) and words.says(pattern, one, wording.get(one, "")[:60]) and _typed(file, one, "money" if column.name in money else column.type, forms_seen) and not (column.name == "minutes" and words.says(NOT_TALKED, one)) and not (column.name == "person_id" and _named(file, one))]
        if column.name == "amount" and fits:
            fits = [one for one in fits if words.says(RETURNS, file.path.name) or not words.says(BESIDE, one)] or fits
            fits = sorted(fits, key=lambda one: not words.says(r"\b(amount|revenue|sales|sales value|total|umsatz|betrag|montant|importe|spend)\b", one))
        if column.name == "ordered_on" and not fits:
            fits = sorted((one for one in file.raw.frame.columns if one not in taken.values() and facts.nameable(one) and words.says(MADE, one) and _typed(file, one, "date", forms_seen)), key=lambda one: -int(file.columns.at[one, "n"]))
        if column.name == "order_id":
            fits = sorted(fits, key=lambda one: -file.distinct[one]) or [one for one in file.raw.frame.columns if facts.nameable(one) and file.cells(one, 50) and all(ORDER_NO.fullmatch(cell.strip()) for cell in file.cells(one, 50))][:1]
        if column.name == "product":
            fits = [one for one in fits if not words.says(r"\b(order|line|position)\b", one)]
        if fits:
            taken[column.name] = fits[0]
    if name == "accounts" and "account_id" in taken and _named(file, taken["account_id"]):  # the firm's number rather than its name, where it stands beside it
        taken["account_id"] = next((one for one in file.raw.frame.columns if facts.nameable(one) and words.says(PERSON, one) and file.distinct[one] == file.rows and not _named(file, one)), taken["account_id"])
    if person and "person_id" in TABLES[name]:
        taken["person_id"] = person
    day = next((column.name for column in schema.TABLES[name] if column.type in ("date", "moment") and column.required), None)
    if day and day not in taken:
        dates = [one for one in file.raw.frame.columns if facts.nameable(one) and not words.says(NOT_DATED, one) and _typed(file, one, "date", forms_seen)]
        if len(dates) == 1:
            taken[day] = dates[0]
    forms_seen = {one: form for one, form in forms_seen.items() if form is not None}
    form = next((forms_seen[taken[column.name]] for column in schema.TABLES[name] if column.type in ("date", "moment") and column.name in taken), "")
    taken = {column: one for column, one in taken.items() if forms_seen.get(one, form) == form}
    why, where = "", ""
    if name == "orders" and "order_id" in taken and "amount" in taken and (lines := _lines(file, taken["order_id"], taken["amount"])):
        where, taken = taken["amount"], {column: one for column, one in taken.items() if column not in ("product", "quantity")}
        why = f"{lines:,} rows without '{where}' are further lines of the order above them, and are not rows of this table"
    key = schema.TABLES[name][0].name
    if key in ("order_id", "interaction_id", "event_id", "offer_id"):
        if key in taken and not where and file.distinct[taken[key]] < 0.98 * file.rows:
            why = f"'{taken[key]}' stands in several rows, so the rows are numbered"
            taken[key] = ROW
            if name == "interactions":
                taken.pop(key)
        elif key not in taken and name in ("orders", "events", "offers"):
            why, taken = "the file has no key of its own, so the rows are numbered", {key: ROW, **taken}
    if name == "people" and key in taken:
        again = [one for one in file.raw.frame.columns if one != taken[key] and words.says(PERSON, one) and 0.3 * file.rows < file.distinct[one] < file.distinct[taken[key]]]
        why = f"NOT SURE: '{again[0]}' stands in several rows and may be the person, of whom '{taken[key]}' is one visit" if again else why
    if name in ("people", "accounts") and key in taken and file.distinct[taken[key]] < file.rows:
        taken.pop(key)
    if name == "orders" and "amount" in taken and "quantity" in taken and words.says(r"\b(price|preis|prix|precio|preco)\b", taken["amount"]):
        why = "; ".join(one for one in (why, f"NOT SURE: '{taken['amount']}' may be the price of one unit: the amount is price times quantity, and has to be computed in the file") if one)
    fixed = {}
    if name == "invitations":
        fixed = {"survey": "", "wave": ""}
    lacks = tuple(column.name for column in schema.TABLES[name] if column.required and column.name not in taken and column.name not in fixed)
    return Table(name, taken, fixed, lacks, why, form, where=where)


def _lines(file: facts.File, key: str, amount: str) -> int:
    """How many rows are further lines of an order: without its amount, under the key of a row that has one. 0 where such rows are few, or have a key of their own."""
    blank = (file.raw.frame[amount].str.strip() == "").to_numpy(dtype=bool)
    if blank.sum() < 0.02 * file.rows or blank.all():
        return 0
    keys = file.raw.frame[key].str.strip()
    return int(blank.sum()) if keys[blank].isin(set(keys[~blank])).mean() >= 0.98 and not keys[~blank].duplicated().mean() > 0.02 else 0


def positive_returns(file: facts.File, table: "Table") -> bool:
    """Whether a file of orders is one of returns by its name whose amounts are not below nought: they would count as sales."""
    if table.name != "orders" or not words.says(RETURNS, file.path.name.split(".")[0], file.reading.sheet, file.reading.database_table):
        return False
    found = [one for cell in file.cells(table.columns["amount"], 300) if (one := amounts.split(cell))]
    return not any(one.negative for one in found)


def _named(file: facts.File, column: str) -> bool:
    """Whether a column holds people's names or the like rather than keys: most of its cells are of several words."""
    cells = file.cells(column, 100)
    return sum(" " in cell.strip() and any(map(str.isalpha, cell)) for cell in cells) > 0.5 * len(cells)


def _typed(file: facts.File, column: str, kind: str, seen: dict) -> bool:
    """Whether the cells of a column can be read as what the table's column holds."""
    cells = file.cells(column, 300)
    if not cells:
        return False
    if kind in ("date", "moment"):
        if column not in seen:
            form, share, doubt = forms.dates(cells)
            seen[column] = form if share >= 0.9 and not doubt and any(mark in cells[0] for mark in ".-/ T") else None
        return seen[column] is not None
    if kind == "money":  # an empty cell may be written n/a, and one or the other be no amount: loading says so
        found = [amounts.split(cell) is not None for cell in cells if not words.missing(cell)]
        return bool(found) and sum(found) >= 0.98 * len(found)
    if kind in ("number", "whole"):
        try:
            return sum(answers.number_of(cell.strip(), file.reading) is not None for cell in cells) >= 0.98 * len(cells)
        except ValueError:
            return False
    if kind == "flag":
        return {cell.strip().casefold() for cell in cells} <= answers.YES | answers.NO
    return max(map(len, cells)) <= 200
