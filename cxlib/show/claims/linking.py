"""What the loading study says of one customer over all files: who was matched, what the timelines hold, where the journey is blind."""

import pandas as pd

from cxlib.show import prose

WORDS = {
    "people": "customer file", "accounts": "accounts", "invitations": "invitations", "responses": "answers", "verbatims": "comments", "interactions": "contacts",
    "events": "events", "orders": "orders", "offers": "offers", "actions": "actions", "sales": "sales", "staff": "staff",
}  # fmt: skip
KINDS = {"operational": "What happened", "perceptive": "What customers say", "outcome": "What they do afterwards"}


def matched(found: pd.DataFrame) -> list[str]:
    """Say how the rows without a customer key were matched, file by file, and how many of these links are expected to be false."""
    if found.empty:
        return ["Every link is by a key that both files carry: no file names identifiers to be matched by."]
    said = []
    for (file, table), own in found.groupby(["file", "table"], sort=False):
        whole = own[own["how"] == "all"].iloc[0]
        rows = f"{file} ({WORDS.get(table, table)}): of {prose.plural(int(whole['n']), 'row')} without a customer key "
        if not whole["linked"]:
            said.append(f"{rows}none could be matched.")
            continue
        ways = [f"{prose.number(int(row.linked))} {way(row.how)}" for row in own.itertuples() if row.how != "all" and row.linked]
        said.append(f"{rows}{prose.number(int(whole['linked']))} ({prose.percent(whole['linked'] / whole['n'])}) were matched with a customer, {prose.join(ways)}; {false(whole)}.")
    return said + sorted({note for note in found.loc[found["how"] == "scored", "note"] if "not installed" in str(note)})


def way(how: str) -> str:
    """Return how a link was made, in words: 'by equal e-mail', 'by scores'."""
    names = {"email": "e-mail", "born": "date of birth", "customer_number": "customer number", "loyalty_number": "loyalty number", "first_name": "first name", "last_name": "last name"}
    return f"by equal {prose.join(names.get(part, part) for part in how.removeprefix('key:').split('+'))}" if how.startswith("key:") else "by the score of several signs that agree"


def false(row) -> str:
    """Return the expected false links of a row of `matching` in words, as counts out of its links."""
    if not row["conf_high"] > 0:
        return "no sign of a false one was found"
    return f"{prose.number(row['estimate'], digits=1)} of these links are expected to be false (95 % interval {prose.number(row['conf_low'], digits=1)} to {prose.number(row['conf_high'], digits=1)})"


def histories(counts: pd.DataFrame) -> pd.DataFrame:
    """Return what each table gives to the timelines, in words for readers: source, customers, rows, first and last day, rows without a day."""
    shown = counts.assign(source=counts["table"].map(lambda name: WORDS.get(name, name)))
    return shown[["source", "customers", "rows", "first", "last", "undated"]] if counts["undated"].any() else shown[["source", "customers", "rows", "first", "last"]]


def followed(counts: pd.DataFrame) -> list[str]:
    """Say how much the timelines hold, and how to look at one."""
    if counts.empty:
        return ["No row of any table names a customer: there is no timeline."]
    sources, rows = prose.join(WORDS.get(name, name) for name in counts["table"]), prose.number(int(counts["rows"].sum()))
    return [
        f"The timelines hold {rows} entries, from {sources}.",
        "The history of one customer is shown in JupyterLab only, with comments redacted: a page that travels carries nobody's history.",
    ]


def touchpoints(matrix: pd.DataFrame, journeys) -> pd.DataFrame:
    """Return the matrix of touchpoints and channels as a table of words: how many rows measure each of the three sides, or 'blind'."""
    label = {one.id: one.label or one.id for one in (*journeys.stages, *journeys.touchpoints, *journeys.channels)}
    keys = ["stage", "touchpoint", "channel"]
    cells = matrix.assign(cell=["blind" if row.blind else prose.number(int(row.n)) for row in matrix.itertuples()])
    wide = cells.pivot(index=keys, columns="kind", values="cell").reindex(matrix.set_index(keys).index.unique())[list(KINDS)].rename(columns=KINDS).reset_index()
    named = wide.assign(**{key: wide[key].map(lambda name: label.get(name, name)) for key in keys})
    named["channel"] = named["channel"].replace("", "not told")
    return named.drop(columns="stage") if (named["stage"] == "").all() else named
