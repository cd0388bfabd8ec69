"""The data-protection sheet: what is held, what for, how long, who sees what, and what was done to keep it so. Computed from the programme and the store."""

import pandas as pd

from cxlib.show import prose

KINDS = {
    "link": "links with a token", "email": "e-mail addresses", "iban": "IBANs", "card": "card numbers", "number": "customer numbers", "birth": "dates of birth", "phone": "phone numbers", "address": "street addresses", "name": "names of persons",
}  # fmt: skip
USES = {"aggregate": "figures over groups", "quote": "quotations without names", "link": "joined to customer data", "case": "cases for follow-up", "target": "choice of whom to contact", "train": "training of models"}
SETS = {"held out": "comments written before the rules were tuned", "tuned on": "comments the rules were tuned on", "made": "comments made by a grammar"}


def sheet(programme) -> pd.DataFrame:
    """Return what the programme declares of each survey and source as a table for readers: what, purpose, fields, kept, rows (who sees rows), shown (what readers of reports see).

    What is not declared is said to be so: a gap in the sheet is a gap in the programme.
    """
    rows = []
    for survey in programme.surveys:
        waves = [wave for wave in programme.waves if wave.survey == survey.id]
        fields = ["answers", *sorted({name for wave in waves for name in ("person_id", "account_id", "team", "country", "brand", "language") if programme.column(wave, name)})]
        fields += ["comments (redacted)"] if any(item.kind == "verbatim" for item in programme.asked(survey.id)) else []
        fields = [field for field in fields if "link" in survey.uses or field not in ("person_id", "account_id")]
        rows.append((survey.label or survey.id, f"promised as {survey.promise}: {prose.join(USES[use] for use in survey.uses)}", prose.join(map(_field, fields)), _months(survey.retention_months), "those who run the workbook", _shown(programme, survey)))
    for source in programme.sources:
        fields = [*dict.fromkeys((*source.columns, *source.fixed))] or ["the columns of the table"]
        rows.append((f"{source.table} ({source.named})", source.purpose or "not declared", prose.join(map(_field, fields)) + (f"; to match rows, never kept: {prose.join(map(_field, source.identify))}" if source.identify else ""),
                     _months(source.retention_months), prose.join(source.recipients) if source.recipients else "those who run the workbook", "figures over groups"))  # fmt: skip
    return pd.DataFrame(rows, columns=["what", "purpose", "fields", "kept", "rows", "shown"])


def kept(programme, redactions: pd.DataFrame, retention: pd.DataFrame) -> list[str]:
    """Say what was done: keys hashed, comments redacted (how many of each kind), rows whose time is over, persons forgotten, small cells, staff.

    in: the store's tables `redactions` and `retention`.
    """
    said = ["Keys of customers, accounts and staff are kept as keyed hashes. The data are pseudonymous, not anonymous: whoever holds the secret, which lies outside the programme's folder, can find a person again."]
    counts = redactions.groupby("kind")["n"].sum() if len(redactions) else pd.Series(dtype=float)
    told = [f"{int(counts[kind]):,} {words}" for kind, words in KINDS.items() if counts.get(kind, 0) > 0]
    said.append(f"Taken out of comments before anything was computed or shown: {prose.join(told)}." if told else "Nothing had to be taken out of comments: no address, number or name was found in them.")
    for row in retention.itertuples():
        if row.expired:
            said.append(f"{row.what}: {row.expired:,} of {row.rows:,} rows are from before {pd.Timestamp(row.cutoff):%Y-%m-%d}, the end of their {int(row.months)} months, and were not loaded.")
    if len(retention) and retention["forgotten"].sum():
        said.append(f"{int(retention['forgotten'].sum()):,} rows of persons who asked to be forgotten came with the files again and were not loaded.")
    closed = [survey.label or survey.id for survey in programme.surveys if survey.promise in ("anonymous", "undeclared")]
    if closed:
        said.append(f"{prose.join(closed)}: groups of fewer than {programme.limits.min_cell} answers are withheld, with others wherever the first could be had by subtraction.")
    rule = programme.staff
    said.append(f"Results of staff are shown by person, as agreed: {rule.agreement}." if rule.level == "person" else f"Results of staff are shown by team of at least {rule.minimum}; smaller teams, and teams whose size is not known, are withheld.")
    said.append(f"Questions about one's own data are answered by {programme.privacy.contact}." if programme.privacy.contact else "Nobody is declared who answers questions about personal data ([privacy] contact in programme.toml).")
    return said


def gaps(programme) -> list[str]:
    """Say what the programme leaves open that a data-protection officer will ask: promises, purposes, time limits."""
    open_ones = {
        "the promise made to respondents": [survey.label or survey.id for survey in programme.surveys if survey.promise == "undeclared"],
        "the purpose": [source.named for source in programme.sources if not source.purpose],
        "how long rows are kept": [*[survey.label or survey.id for survey in programme.surveys if survey.retention_months is None], *[source.named for source in programme.sources if source.retention_months is None]],
    }
    return [f"Not declared is {what} for {prose.join(names)}." for what, names in open_ones.items() if names]


def recall(found: pd.DataFrame) -> pd.DataFrame:
    """Return the measured recall of the redaction as a table for readers: a row a kind, a column a set of labelled comments.

    A cell says how many were found of how many labelled; for all kinds together with the share of 100 and its 95 % interval, and the last row says
    of 100 redactions how many were right. in: `cxlib.load.redaction.recall()`.
    """
    sets = dict.fromkeys(found["comments"])
    cells = {(row.comments, row.kind): f"{row.found} of {row.labelled}" for row in found.itertuples() if row.labelled}
    whole = found[found["kind"] == "all"].set_index("comments")
    for name, row in whole.iterrows():
        cells[name, "all"] += f" ({100 * row['estimate']:.0f} %; {100 * row['conf_low']:.0f} to {100 * min(row['conf_high'], 1):.0f} %)"
        cells[name, "right"] = f"{row['right']} of {row['redacted']}"
    kinds = {**KINDS, "all": "all kinds", "right": "redactions that were right"}
    rows = [{"kind": label, **{SETS[name]: cells.get((name, kind), "none labelled") for name in sets}} for kind, label in kinds.items() if any((name, kind) in cells for name in sets)]
    return pd.DataFrame(rows)


def _shown(programme, survey) -> str:
    small = f"groups of {programme.limits.min_cell} and more" if survey.promise in ("anonymous", "undeclared") else "figures over groups, small ones marked"
    return f"{small}; {'redacted quotations' if 'quote' in survey.uses else 'no quotations'}"


def _field(name: str) -> str:
    return {"person_id": "customer key (hashed)", "account_id": "account key (hashed)", "staff_id": "staff key (hashed)"}.get(name, name.replace("_", " "))


def _months(months: int | None) -> str:
    return "not declared" if months is None else prose.plural(months, "month")
