"""What the files cannot tell of themselves: answers that fit the contract cell by cell and yet must not be averaged as they stand.

`find(tables)` looks at every survey, `judged` adds what the programme has accepted, `blanked` takes what must not be averaged out of the responses.
Each kind is a function of its own.
"""

import pandas as pd

from cxlib.load import bases
from cxlib.load.anomalies import breaks, codes, copies, dates, heaps, mixtures, regular, renames, shifts, signs
from cxlib.load.anomalies.breaks import bridge, bridged
from cxlib.load.anomalies.grid import COLUMNS, Grid, grids
from cxlib.load.anomalies.verdicts import WORDS, blanked, judged, listed, recounted, refusals

KINDS = (  # what ratings have to do with each other
    mixtures.mixed, signs.reversed_scales, codes.constant, codes.edges, codes.spikes, heaps.heaped, heaps.straight_lined, shifts.shifted, breaks.declared, breaks.lone_jumps,
)  # fmt: skip
WHOLE = (codes.far_codes, renames.renamed, dates.ambiguous, copies.same_ids, regular.regular_rows)  # needs every row


def find(tables, programme=None) -> pd.DataFrame:
    """Return what is suspicious in the answers, worst first.

    Columns: kind (mixed_scales, reversed_scale, code_as_score, heaping, straight_lining, renamed_value, shifted_columns, ambiguous_dates,
    wave_twice, rows_repeated, same_ids, wording_break, lone_jump, regular_rows), what (the kind in words), table, survey, wave, item (item or column; "" for all of the wave),
    unit (channel, team or score concerned), n (answers), estimate (what was measured, as the sentence says), p (chance of such a sight in
    clean data; NaN where the rule is none of chance), verdict ("refused": the wave's item must not be averaged; "look": somebody must
    look), sentence (what was seen where, and why it is suspicious), remedy. `tables` are the store's, or a dict of frames with its `programme`.
    """
    programme = programme or tables.programme
    verbatims = tables["verbatims"]
    rows = mixtures.cut_off(tables, programme) + dates.set_aside(tables, programme) + dates.of_tables(tables)
    for grid in grids(tables, programme):
        own = [row for kind in KINDS for row in kind(grid.thin)] + [row for kind in WHOLE for row in kind(grid)] + copies.repeated(grid, verbatims)
        rows += [_unnamed(row, grid, tables, programme) for row in _unsure(own)]
    frame = pd.DataFrame([_mended(row) for row in _unexplained(rows)], columns=list(COLUMNS))
    frame = frame.astype({name: {"n": "int64", "estimate": "float64", "p": "float64"}.get(name, "str") for name in COLUMNS})
    order = frame.assign(worst=frame["verdict"] != "refused").sort_values(["worst", "kind", "survey", "wave", "item", "unit"], kind="stable")
    return order.drop(columns="worst").reset_index(drop=True)


# What is reckoned with chance among people, who answer independently of the number of their row.
_BY_CHANCE = ("code_as_score", "heaping", "straight_lining", "reversed_scale", "shifted_columns", "lone_jump")


def _unsure(rows: list[dict]) -> list[dict]:
    """Leave out what is reckoned with chance in waves whose rows follow a pattern, and refuse nothing else there."""
    patterned = {row["wave"] for row in rows if row["kind"] == "regular_rows"}
    return [row | {"verdict": "look"} if row["wave"] in patterned else row for row in rows if row["wave"] not in patterned or row["kind"] not in _BY_CHANCE]


def _unnamed(row: dict, grid: Grid, tables, programme) -> dict:
    """Return what looks worked on, begged or filled in alike, without the team's name where too few persons may be in it (`bases.teams`)."""
    if row["kind"] not in ("heaping", "straight_lining") or not row["unit"].startswith("team '") or ("staff" in tables and row["unit"][6:-1] in bases.teams(tables, programme)):
        return row
    count = len(grid.codes("team")[1])
    other = f"one of {count} teams (not named: only teams of {programme.staff.minimum} persons and more are, by the staff table)"
    return row | {"unit": f"one of {count} teams", "sentence": row["sentence"].replace(row["unit"], other)}


def _mended(row: dict) -> dict:
    """Return a row with what was seen and what would mend it apart."""
    seen, _, remedy = row["sentence"].partition(" To mend it: ")
    return row | {"what": WORDS[row["kind"]], "sentence": seen, "remedy": remedy.partition("; until then")[0].rstrip(".")}


# What one fault makes look like another: the kind on the left, found for the same survey, wave and item, explains those on the right.
_EXPLAINS = {
    "mixed_scales": ("code_as_score", "heaping", "shifted_columns", "lone_jump", "reversed_scale"),
    "reversed_scale": ("code_as_score", "heaping", "shifted_columns", "lone_jump"),
    "shifted_columns": ("lone_jump", "code_as_score", "heaping"),
    "code_as_score": ("heaping", "lone_jump"),
    "heaping": ("lone_jump",),
}


def _unexplained(rows: list[dict]) -> list[dict]:
    """Leave out rows that another fault of the same item in the same wave explains, and jumps back from a wave that was refused."""
    refused = [row for row in rows if row["verdict"] == "refused" or row["kind"] == "straight_lining"]
    known = {(row["survey"], row["wave"], row["item"], other) for row in refused for other in _EXPLAINS.get(row["kind"], ())}
    broken = {(row["survey"], row["wave"], item) for row in refused for item in ([row["item"]] if row["item"] else {other["item"] for other in rows})}

    turned = [(row["survey"], row["wave"]) for row in rows if row["kind"] == "reversed_scale" and row["verdict"] == "refused"]
    upset = {place for place in turned if turned.count(place) > 1} | {(row["survey"], row["wave"]) for row in rows if row["kind"] == "straight_lining" and row["unit"] == ""}
    moody = {"code_as_score", "heaping", "shifted_columns", "mixed_scales", "lone_jump"}  # found by how ratings go together, which such waves upset

    def explained(row: dict) -> bool:
        if row["kind"] in moody and (row["survey"], row["wave"]) in upset:
            return True
        if row["kind"] == "shifted_columns" and (row["survey"], row["wave"]) in turned:
            return True
        if row["kind"] == "code_as_score" and row["verdict"] == "look" and any(survey == row["survey"] for survey, _ in upset):
            return True  # seen over all waves together
        jumped = row["kind"] == "lone_jump" and any((row["survey"], wave, row["item"]) in broken for wave in (row["wave"], row["unit"].removeprefix("since wave '").removesuffix("'")))
        return jumped or (row["survey"], row["wave"], row["item"], row["kind"]) in known

    return [row for row in rows if not explained(row)]


__all__ = ["COLUMNS", "KINDS", "Grid", "blanked", "bridge", "bridged", "find", "grids", "judged", "listed", "recounted", "refusals"]
