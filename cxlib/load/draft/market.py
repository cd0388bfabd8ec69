"""Sales of a market in which no customer is known: a row a product, brand or region and week or month."""

import numpy as np

from cxlib import schema
from cxlib.load import amounts, answers
from cxlib.load.draft import facts, forms, tables, waves, words
from cxlib.load.draft import names as names_

PERIODS = 12  # fewer say nothing of what was usual
EVEN = 0.9  # of the steps from a period to the next are alike
_PERIOD = r"\b(week|month|period|date|day|quarter|woche|kalenderwoche|monat|periode|tag|datum|semaine|mois|jour|semana|mes|fecha|data|settimana|mese|maand|sold on|weekending|week (ending|beginning|commencing))\b"
_SERIES = r"\b(series|product|brand|region|market|category|segment|sku|item|article|chain|banner|store|artikel|produkt|marke|region|markt|gebiet|warengruppe|kategorie|filiale|produit|marque|marche|categorie|magasin|producto|marca|mercado|categoria|tienda|produto|loja|prodotto|mercato|merk)\b"
# Column of the table -> words by which files name it, in the order in which they are tried.
_COLUMNS = {
    "pieces": r"\b(pieces|units|unit sales|volume|volumes|quantity|qty|absatz|absatzmenge|menge|stuck|stuckzahl|anzahl|quantite|unites|cantidad|unidades|quantidade|pezzi|volumen)\b",
    "value": r"\b(value|sales|sales value|revenue|turnover|umsatz|wert|chiffre d affaires|ventes|ventas|vendas|importe|valor|fatturato|omzet)\b",
    "price": r"\b(price|preis|prix|precio|preco|prezzo|prijs)\b", "distribution": r"\b(distribution|distribucion|distribuicao|distribuzione|distributie|acv|listed)\b", "promotion": r"\b(promo|promotion|promotions|promocion|promocao|promozione|on deal|aktion|aktionsanteil)\b",
}  # fmt: skip


def of(file: facts.File) -> tables.Table | None:
    """Return a file as the table `sales`; None where a row is no series and period: where it names a person or an order, where periods do not follow each other evenly, or where a series has two rows in one."""
    names = [name for name in file.raw.frame.columns if facts.nameable(name) and file.distinct[name]]
    if any(words.says(tables.PERSON, name) or words.says(tables.TABLES["orders"]["order_id"], name) for name in names):
        return None
    days = {name: form for name in names if words.says(_PERIOD, name) and not words.says(tables.NOT_DATED, name) and (form := _form(file, name)) is not None}
    figures = {}
    for kind, pattern in _COLUMNS.items():
        if found := next((name for name in names if name not in (*days, *figures.values()) and words.says(pattern, name) and _numbers(file, name, share=kind in ("distribution", "promotion"))), None):
            figures[kind] = found
    if len(days) != 1 or not {"value", "pieces"} & set(figures):
        return None
    (day, form), = days.items()
    rest = [name for name in names if name not in (day, *figures.values()) and words.says(_SERIES, name) and file.columns.at[name, "kind"] != "number"]
    series = next((name for name in rest if not file.raw.frame[[name, day]].duplicated().any()), "")
    if (not series and file.raw.frame[day].duplicated().any()) or not _even(waves.days(file, day, form)):
        return None
    columns = ({"series": series} if series else {}) | {"sold_on": day} | figures
    left = [name for name in names if name not in columns.values() and words.says(f"{_COLUMNS['distribution']}|{_COLUMNS['promotion']}", name)]
    why = f"NOT SURE: {' and '.join(repr(name) for name in left)} left out, because a share of shops or of sales runs from 0 to 1" if left else ""
    return tables.Table("sales", {column.name: columns[column.name] for column in schema.TABLES["sales"] if column.name in columns}, {} if series else {"series": names_.bare(file.path.name)}, (), why, form, score=20.0)


def _form(file: facts.File, name: str) -> str | None:
    """How a column of dates is written; None where it holds none, or day and month could change places."""
    form, share, doubt = forms.dates(file.cells(name, 300))
    return form if share >= 0.98 and not doubt else None


def _numbers(file: facts.File, name: str, *, share: bool) -> bool:
    cells = [cell.strip() for cell in file.cells(name, 300) if not words.missing(cell)]
    try:
        found = [answers.number_of(cell, file.reading) if share or amounts.split(cell) is None else 0.0 for cell in cells]
    except ValueError:
        return False
    return bool(found) and all(value is not None and (not share or 0 <= value <= 1) for value in found)


def _even(days: np.ndarray) -> bool:
    """Whether days follow each other as weeks or months do, which are of 28 to 31 days."""
    steps = np.diff(np.unique(days)).astype("int64")
    if len(steps) + 1 < PERIODS:
        return False
    usual = np.median(steps)
    return bool((np.abs(steps - usual) <= (3 if usual >= 28 else 0)).mean() >= EVEN)
