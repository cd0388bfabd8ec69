"""The columns of every table of the store, with type, unit, example and meaning."""

from typing import NamedTuple


class Column(NamedTuple):
    """One column: its name, its type (text, number, whole, flag, date, moment), whether it may be empty, and what it holds."""

    name: str
    type: str
    example: str
    about: str
    required: bool = False  # must be there and filled


_UNITS = {
    "amount": "currency", "margin": "currency", "cost": "currency", "minutes": "minutes", "price": "currency", "distribution": "0 to 1", "promotion": "0 to 1", "probability": "0 to 1", "share": "0 to 1", "p": "0 to 1", "p_top1": "0 to 1", "p_top3": "0 to 1",
    "r2": "0 to 1", "r2_low": "0 to 1", "r2_high": "0 to 1", "p_quadrant": "0 to 1", "p_fix_first": "0 to 1", "gap": "quarters", "window_days": "days", "value": "as unit says",
    "n_eff": "answers", "n": "answers", "weighted_n": "answers", "weight": "about 1", "rank": "place", "rank_low": "place", "rank_high": "place",
}  # fmt: skip


def unit(column: Column) -> str:
    """Return the unit of a column in words: its own, or that of its type."""
    estimate = column.type == "number" and (column.name in ("estimate", "std_error", "now", "then", "detectable", "unweighted") or column.name.startswith(("conf_", "kpi_", "mean_")))
    return _UNITS.get(column.name, "as the definition or unit says" if estimate else {"whole": "count", "flag": "0 or 1", "date": "day", "moment": "local time", "number": "number"}.get(column.type, ""))


def columns(*rows) -> tuple[Column, ...]:
    """Return rows of (name, type, example, meaning, required) as columns."""
    return tuple(Column(*row) for row in rows)


def limits(name: str, unit: str) -> tuple:
    """Return the columns of an interval of a figure: NAME_low and NAME_high."""
    return (f"{name}_low", "number", "", f"Lower end of its 95 % interval, {unit}"), (f"{name}_high", "number", "", f"Upper end, {unit}")


PERSON = ("person_id", "text", "p000123", "Customer, the key that joins the tables")
KPI = ("kpi", "text", "nps", "KPI of the programme", True)
WAVE = (("survey", "text", "annual", "Survey", True), ("wave", "text", "2026", "Wave", True), ("quarter", "text", "2026Q3", "Fiscal quarter", True))

TABLES: dict[str, tuple[Column, ...]] = {
    "responses": columns(
        ("response_id", "text", "a26-000017", "Answered questionnaire, unique within survey and wave", True),
        ("answer", "text", "annual/2026/a26-000017", "The same, unique in the programme", True),
        *WAVE,
        ("week", "date", "2026-07-06", "Monday of the week of the answer"),
        ("answered_on", "date", "2026-07-08", "Day that dates the answer, by the survey's rule", True),
        PERSON,
        ("account_id", "text", "k00123", "Account of the person"),
        ("channel", "text", "online", "Channel of the interview"),
        ("brand", "text", "Nordlicht", "Brand"),
        ("country", "text", "DE", "Country, ISO code"),
        ("language", "text", "en", "Language of the interview"),
        ("team", "text", "team-04", "Staff team concerned"),
        ("weight", "number", "0.93", "Survey weight: raked where the programme says so, else the file's; 1 where there is none", True),
        ("base_weight", "number", "1.05", "Weight before raking; empty where nothing is raked"),
    ),  # followed by one column an item
    "verbatims": columns(
        ("response_id", "text", "a26-000017", "The questionnaire it stands in", True),
        ("answer", "text", "annual/2026/a26-000017", "The same, unique in the programme", True),
        PERSON,
        *WAVE,
        ("item", "text", "improve", "The question that was answered", True),
        ("text", "text", "The app keeps logging me out.", "The answer, as given", True),
        ("language", "text", "en", "Language, where known"),
    ),
    "coverage": columns(
        *WAVE,
        ("item", "text", "network", "Item", True),
        ("reason", "text", "never used", "answered, not asked, blank, or what a missing code means", True),
        ("rows", "whole", "212", "Respondents", True),
    ),
    "files": columns(
        ("file", "text", "annual_2026.csv", "File under raw/", True),
        ("table", "text", "responses", "Table it fills", True),
        ("wave", "text", "annual 2026", "Survey and wave"),
        ("quarter", "text", "2026Q3", "Quarter of the wave; empty for other tables"),
        ("rows", "whole", "640", "Rows in the file, without its header", True),
        ("kept", "whole", "636", "Rows that fitted", True),
        ("quarantined", "whole", "3", "Rows set aside", True),
        ("duplicates", "whole", "1", "Rows that repeat another to the letter", True),
        ("trimmed", "whole", "2", "Cells accepted after blanks were cut off", True),
        ("encoding", "text", "cp1252", "Encoding found"),
    ),
    "repairs": columns(
        ("file", "text", "annual_2026.csv", "File under raw/", True),
        ("quarter", "text", "2026Q3", "Quarter of the wave; empty for other tables"),
        ("row", "whole", "17", "Row of the file, its header being row 1", True),
        ("column", "text", "Q12_1", "Column in the file", True),
        ("value", "text", "11", "What stands there"),
        ("rule", "text", "not on the scale 0 to 10", "What it breaks", True),
        ("suggestion", "text", "correct the score or leave the cell empty", "What would mend it", True),
    ),
    "redactions": columns(
        *WAVE,
        ("item", "text", "improve", "Verbatim item", True),
        ("kind", "text", "phone", "What was taken out: link, email, iban, card, number, birth, phone, address, name", True),
        ("n", "whole", "12", "How often", True),
        ("rows", "whole", "11", "Comments it was in", True),
    ),
    "retention": columns(
        ("table", "text", "orders", "Table", True),
        ("what", "text", "orders.parquet", "File or survey the rule is declared for", True),
        ("months", "whole", "24", "How long rows may be kept; empty where persons were forgotten"),
        ("cutoff", "date", "2024-09-30", "Rows from before this day are not loaded"),
        ("rows", "whole", "8123", "Rows that would have been loaded", True),
        ("expired", "whole", "411", "Rows that were not, because their time is over", True),
        ("forgotten", "whole", "2", "Rows that were not, because their person was forgotten", True),
    ),
    "matches": columns(
        ("file", "text", "calls.csv", "File under raw/ whose rows had no customer key", True),
        ("table", "text", "interactions", "Table it fills", True),
        ("row", "text", "i0001", "The row: its id, or its place in the file", True),
        ("person_id", "text", "p000123", "Customer it was matched with", True),
        ("how", "text", "key:email", "Equal key, or scored", True),
        ("probability", "number", "0.98", "Probability that both are one person", True),
    ),
    "matching": columns(
        ("file", "text", "calls.csv", "File under raw/", True),
        ("table", "text", "interactions", "Table it fills", True),
        ("how", "text", "key:email", "Equal key, scored, or all", True),
        ("n", "whole", "2115", "Rows without a customer before", True),
        ("linked", "whole", "1228", "Rows that got one", True),
        ("estimate", "number", "1.6", "Expected false links among them", True),
        ("conf_low", "number", "0.2", "Lower end of the 95 % interval", True),
        ("conf_high", "number", "4.1", "Upper end of the 95 % interval", True),
        ("note", "text", "checked by born, postcode", "How they were told apart"),
    ),
    "anomalies": columns(
        ("kind", "text", "mixed_scales", "What was seen", True),
        ("what", "text", "two scales are mixed", "The same in words", True),
        ("table", "text", "responses", "Table it was seen in", True),
        ("survey", "text", "annual", "Survey"),
        ("wave", "text", "2026", "Wave"),
        ("quarter", "text", "2026Q3", "Quarter of the wave; empty for other tables"),
        ("item", "text", "network", "Item or column; empty for all of the wave"),
        ("unit", "text", "team 'team-04'", "Channel, team or score concerned"),
        ("n", "whole", "640", "Answers", True),
        ("estimate", "number", "0.31", "What was measured, as the sentence says"),
        ("p", "number", "0.0001", "Chance of such a sight in clean data; empty where the rule is none of chance"),
        ("verdict", "text", "refused", "refused: in no average; look: kept, somebody must look; accepted: kept, the programme says why", True),
        ("sentence", "text", "annual_2026.csv: none of 640 scores of 'network' lies above 5.", "What was seen where, and why it is suspicious", True),
        ("remedy", "text", "declare them as two items", "What would mend it"),
        ("reason", "text", "looked at with the field agency on 2026-10-02", "Why the programme accepts it"),
    ),
    "accounts": columns(
        ("account_id", "text", "k00123", "Account", True),
        ("segment", "text", "business", "Segment of the account"),
        ("country", "text", "DE", "Country"),
        ("brand", "text", "Nordlicht", "Brand"),
        ("since", "date", "2019-04-01", "First day of the relationship"),
        ("ended_on", "date", "2026-05-31", "Last day; empty while it lasts"),
        ("owner", "text", "team-04", "Who looks after it"),
        ("renews_on", "date", "2027-01-31", "Day to which its contract runs"),
        ("renewed_on", "date", "2026-01-31", "Day on which it was last renewed"),
    ),
    "people": columns(
        ("person_id", "text", "p000123", "Person", True),
        ("account_id", "text", "k00123", "Account; a consumer is an account of one"),
        ("role", "text", "user", "Role in the account"),
        ("contract", "text", "prepaid", "Form of contract"),
        ("segment", "text", "young", "Segment of the person"),
        ("region", "text", "north", "Region"),
        ("shop", "text", "shop-12", "Shop, branch or team that serves the person"),
        ("brand", "text", "Nordlicht", "Brand"),
        ("joined_on", "date", "2021-02-11", "First day as a customer"),
        ("left_on", "date", "2026-05-31", "Last day; empty while a customer"),
    ),
    "invitations": columns(
        ("survey", "text", "annual", "Survey", True),
        ("wave", "text", "2026", "Wave", True),
        ("person_id", "text", "p000123", "Person invited", True),
        ("sent_on", "date", "2026-07-01", "Day sent"),
        ("channel", "text", "e-mail", "Channel of the invitation"),
        ("reminder", "whole", "1", "Reminders sent"),
        ("opened", "flag", "1", "Whether it was opened"),
        ("answered", "flag", "0", "Whether it was answered"),
        ("why", "text", "yearly sample", "Why the person was selected"),
        ("probability", "number", "0.25", "Probability of selection, 0 to 1"),
    ),
    "interactions": columns(
        ("interaction_id", "text", "i0001", "Contact moment", True),
        PERSON,
        ("at", "moment", "2026-07-01 10:30", "Local time", True),
        ("channel", "text", "phone", "Channel"),
        ("touchpoint", "text", "hotline", "Touchpoint of the journey"),
        ("reason", "text", "billing", "Reason of contact"),
        ("resolved", "flag", "1", "Whether the matter was settled"),
        ("minutes", "number", "7.5", "Duration in minutes"),
        ("team", "text", "team-04", "Staff team"),
        ("text", "text", "The parcel never came.", "What the customer wrote: complaint, chat, post, review"),
        ("language", "text", "en", "Its language, where known"),
    ),
    "events": columns(
        ("event_id", "text", "e0001", "Operational event", True),
        PERSON,
        ("at", "moment", "2026-07-01 10:30", "Local time", True),
        ("kind", "text", "outage", "What happened"),
        ("value", "number", "42", "Its size"),
        ("unit", "text", "minutes", "Unit of the value"),
    ),
    "orders": columns(
        ("order_id", "text", "o0001", "Order or bill", True),
        ("person_id", "text", "p000123", "Customer"),
        ("ordered_on", "date", "2026-07-01", "Day", True),
        ("amount", "number", "39.90", "Sales in the programme's currency", True),
        ("margin", "number", "14.20", "Contribution margin in the programme's currency"),
        ("currency", "text", "EUR", "Currency where it departs"),
        ("product", "text", "data pack", "Product"),
        ("quantity", "number", "1", "Units"),
    ),
    "offers": columns(
        ("offer_id", "text", "of1", "Offer", True),
        ("person_id", "text", "p000123", "Customer", True),
        ("offered_on", "date", "2026-07-01", "Day", True),
        ("product", "text", "fibre 250", "What was offered"),
        ("probability", "number", "0.5", "Probability with which it was chosen"),
        ("accepted", "flag", "0", "Whether it was taken"),
    ),
    "actions": columns(
        ("action_id", "text", "loyalty_call", "Action, as in plan.toml", True),
        ("person_id", "text", "p000123", "Customer", True),
        ("arm", "text", "treated", "treated or control", True),
        ("probability", "number", "0.5", "Probability with which the arm was drawn; empty where nothing was drawn"),
        ("assigned_on", "date", "2026-04-02", "Day of assignment", True),
        ("delivered_on", "date", "2026-04-05", "Day of delivery; empty where it never reached the customer"),
        ("cost", "number", "6.50", "Cost of this delivery in the programme's currency"),
        ("currency", "text", "EUR", "Currency of the cost where it departs"),
    ),
    "sales": columns(
        ("series", "text", "cases", "Product, brand or region whose sales these are", True),
        ("sold_on", "date", "2026-06-29", "First day of the period", True),
        ("value", "number", "18200", "Sales of the period in the programme's currency"),
        ("pieces", "number", "910", "Pieces sold"),
        ("currency", "text", "EUR", "Currency where it departs"),
        ("price", "number", "19.99", "Mean price of a piece in the programme's currency"),
        ("distribution", "number", "0.82", "Share of shops that hold it, 0 to 1"),
        ("promotion", "number", "0.10", "Share of the sales that were on promotion, 0 to 1"),
    ),
    "staff": columns(("staff_id", "text", "s1", "Pseudonym", True), ("team", "text", "team-04", "Team", True)),
}
