"""One customer, one timeline: answers, comments, contacts, events, orders, offers, actions and invitations in the order they happened."""

from cxlib.errors import DataError
from cxlib.load import identifiers

# The order within a day: rows that know only their day stand before those with a time if they lead to them, and after if they tell of them.
BEFORE, TIMED, AFTER = ("people", "orders", "offers", "actions"), ("events", "interactions"), ("invitations", "responses", "verbatims")
ORDER = BEFORE + TIMED + AFTER
COLUMNS = ["person_id", "at", "table", "record", "channel", "touchpoint", "what", "value", "unit", "text"]


def of(tables, person_id: str, *, redact=None, items=None):
    """Return what is known of one customer, by the key in the files or the pseudonym in the store, oldest first; what has no day stands last.

    Within a day, contacts and events stand by their time, what only has a day before them, and answers, which tell of them, after them.

    `redact` is a function of a text that returns it without what identifies people (`cxlib.text.quotes.redact`); without it no comment is
    shown. Comments of surveys whose promise does not permit quoting are never shown, and answers of surveys whose promise does not
    permit linking are not here at all: they carry no customer. `items` are the questions shown; those of the key figures by default.

    Columns: at (local time; a day where only that is known), table, record (its id there), channel, touchpoint, what, value, unit, text. Raises
    DataError for a customer of whom nothing is known.
    """
    expression = everyone(tables, items=items, texts=redact is not None)
    frame = expression.filter(expression["person_id"] == identifiers.known_as(str(person_id))).order_by(_order(expression)).to_pyarrow().to_pandas()
    if frame.empty:
        raise DataError(f"Nothing is known of a customer '{person_id}' up to {tables.quarter}; the keys stand in the column person_id of the people table.")
    if redact is not None:
        for column in ("what", "text"):
            frame[column] = [_clear(redact(one)) if isinstance(one, str) else None for one in frame[column]]
    return frame[COLUMNS[1:]]


def everyone(tables, *, items=None, texts: bool = False):
    """Return the timelines of all customers as one expression (columns as `of`, with person_id first), evaluated in the engine.

    `everyone(tables).order_by(["person_id", "at"]).to_pyarrow()` gives rows; `texts` lets comments through as they are, for code
    that redacts them. Rows without a customer are left out.
    """
    import ibis

    parts = [part for name in ORDER if name in tables for part in _parts(tables, name, items, texts)]
    if not parts:
        raise DataError("No table has rows: there is no timeline.")
    whole = ibis.union(*parts) if len(parts) > 1 else parts[0]
    whole = whole.filter(whole["person_id"].notnull())
    return whole.mutate(place=ibis.cases(*[(whole["table"] == name, place) for place, name in enumerate(ORDER)], else_=len(ORDER)))


def counts(tables):
    """Return how many customers and rows each table gives to the timelines: table, customers, rows, undated (rows without a day), first, last. Nothing where only sales are known."""
    if not any(name in tables for name in ORDER):
        import pandas as pd

        return pd.DataFrame(columns=["table", "customers", "rows", "undated", "first", "last"])
    whole = everyone(tables)
    found = whole.group_by("table").agg(customers=whole["person_id"].nunique(), rows=whole.count(), undated=whole["at"].isnull().sum(), first=whole["at"].min(), last=whole["at"].max(), place=whole["place"].min())
    return found.order_by("place").drop("place").to_pyarrow().to_pandas()


def fullest(tables) -> str | None:
    """Return the customer of whom the most tables tell, then the most rows, then the first by key: a history to look at first. None without customers."""
    if not any(name in tables for name in ORDER):
        return None
    whole = everyone(tables)
    found = whole.group_by("person_id").agg(tables=whole["table"].nunique(), rows=whole.count())
    import ibis

    first = found.order_by([ibis.desc("tables"), ibis.desc("rows"), "person_id"]).limit(1).to_pyarrow().to_pylist()
    return first[0]["person_id"] if first else None


def _order(whole):
    import ibis

    phase = ibis.cases((whole["table"].isin(BEFORE), 0), (whole["table"].isin(TIMED), 1), else_=2)
    return [whole["at"].isnull(), whole["at"].cast("date"), phase, whole["at"], whole["place"], whole["record"], whole["value"].notnull(), whole["what"], whole["text"]]


def _clear(found) -> str:
    return found[0] if isinstance(found, tuple) else found


def _parts(tables, name: str, items, texts: bool) -> list:
    import ibis

    table = tables._table(name)
    day = lambda column: _known(table[column], tables.end)
    words = lambda yes, no, column: ibis.cases((table[column] == 1, yes), (table[column] == 0, no), else_=ibis.null("string"))
    if name == "people":
        return [_rows(table, name, at=day("joined_on"), record=table["person_id"], what="joined"), _rows(table.filter(day("left_on").notnull()), name, at=day("left_on"), record=table["person_id"], what="left")]
    if name == "events":
        return [_rows(table, name, at=table["at"], record=table["event_id"], what=table["kind"], value=table["value"], unit=table["unit"])]
    if name == "orders":
        return [_rows(table, name, at=table["ordered_on"], record=table["order_id"], what=table["product"], value=table["amount"], unit=table["currency"].fill_null(tables.programme.currency))]
    if name == "interactions":
        said = words("resolved", "not resolved", "resolved")
        return [_rows(table, name, at=table["at"], record=table["interaction_id"], channel=table["channel"], touchpoint=table["touchpoint"], what=table["reason"], value=table["minutes"], unit="minutes", text=said)]
    if name == "offers":
        return [_rows(table, name, at=table["offered_on"], record=table["offer_id"], what=table["product"], text=words("accepted", "not accepted", "accepted"))]
    if name == "actions":
        delivered = table.filter(day("delivered_on").notnull())
        return [
            _rows(table, name, at=table["assigned_on"], record=table["action_id"], touchpoint="assigned", what=table["action_id"], text=table["arm"]),
            _rows(delivered, name, at=day("delivered_on"), record=table["action_id"], touchpoint="delivered", what=table["action_id"], value=table["cost"], unit=tables.programme.currency),
        ]
    if name == "invitations":
        return [_rows(table, name, at=table["sent_on"], record=table["wave"], channel=table["channel"], what=table["survey"], text=words("answered", "not answered", "answered"))]
    if name == "responses":
        programme = tables.programme
        shown = list(items) if items is not None else list(dict.fromkeys(kpi.item for kpi in programme.kpis))
        touchpoint = table["touchpoint"] if "touchpoint" in table.columns else None
        parts = [_rows(table, name, at=table["answered_on"], record=table["answer"], channel=table["channel"], touchpoint=touchpoint, what=table["survey"])]
        for item in shown:
            _asked(programme, item)
            answered = table.filter(table[item].notnull())
            number = programme.item(item).kind != "nominal"
            parts.append(_rows(answered, name, at=table["answered_on"], record=table["answer"], channel=table["channel"], touchpoint=touchpoint, what=item, value=table[item] if number else None, text=None if number else table[item]))
        return parts
    if name == "verbatims":
        days = tables._table("responses").select("answer", "answered_on", "channel")
        joined = table.join(days, "answer", how="left")
        quotable = [survey.id for survey in tables.programme.surveys if "quote" in survey.uses]
        text = ibis.cases((joined["survey"].isin(quotable), joined["text"]), else_="(a comment that must not be quoted)") if texts and quotable else "(a comment)"
        return [_rows(joined, name, at=joined["answered_on"], record=joined["answer"], channel=joined["channel"], what=joined["item"], text=text)]
    raise ValueError(name)


def _asked(programme, item: str) -> None:
    from cxlib.errors import nearest

    known = [one.id for one in programme.items if one.kind != "verbatim"]
    if item not in known:
        raise DataError(f"'{item}' is not an item that can be shown on a timeline{nearest(item, known)}.")


def _known(column, end):
    """A day, unless it lies after the quarter: it was not known then."""
    import ibis

    return ibis.cases((column.cast("date") <= end, column), else_=ibis.null(column.type()))


def _rows(table, name: str, *, at, record, what, channel=None, touchpoint=None, value=None, unit=None, text=None):
    import ibis

    typed = lambda given, kind: ibis.null(kind) if given is None else ibis.literal(given).cast(kind) if isinstance(given, str) else given.cast(kind)
    return table.select(
        person_id=table["person_id"].cast("string"), at=at.cast("timestamp"), table=ibis.literal(name), record=typed(record, "string"), channel=typed(channel, "string"), touchpoint=typed(touchpoint, "string"),
        what=typed(what, "string"), value=typed(value, "float64"), unit=typed(unit, "string"), text=typed(text, "string"),
    )  # fmt: skip
