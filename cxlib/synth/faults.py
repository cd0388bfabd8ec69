"""Faults: the cells and rows in the exports that a loader must catch, each listed with file, row, column, value, rule and what must happen to it."""

from pathlib import Path

import numpy as np
import pandas as pd

from . import draws

ASIDE, DROPPED, TRIMMED, READ = "set aside, on the repair list", "dropped and counted", "read, and counted as trimmed", "read as it is meant"
# rule of the repair list -> the kind of fault
KINDS = {"not on the scale": "off_scale", "not a number": "words", "not a whole number": "half_score", "blank around a number": "trailing_blank", "repeats another row": "duplicate_equal",
         "the same id": "duplicate_different", "not a date": "impossible_date", "outside the wave": "wrong_wave", "not a declared code": "unknown_code", "not above 0": "zero_weight", "no id": "no_id"}
# (wave of the survey, item or None for a whole row, value put in, rule); of a place of their own in the file, so that what is added moves no other.
PLANTED = {
    "annual": (("2024Q3", "recommend", "11", "not on the scale"), ("2024Q3", "satisfaction", "ten", "not a number"), ("2024Q3", None, "equal", "repeats another row"),
               ("2025Q3", "recommend", 7.5, "not a whole number"), ("2025Q3", "recommend", "10 ", "blank around a number"),
               ("2026Q3", "recommend", "11", "not on the scale"), ("2026Q3", None, "different", "the same id")),
    "pulse": (("2024Q1", "recommend", "ten", "not a number"), ("2024Q2", "recommend", "10 ", "blank around a number"), ("2024Q4", "recommend", "7.5", "not a whole number"),
              ("2025Q2", None, "equal", "repeats another row"), ("2025Q4", "recommend", 11, "not on the scale"), ("2026Q1", "ease", -1, "not on the scale"),
              ("2026Q3", None, "different", "the same id"), ("2026Q3", "recommend", 11, "not on the scale"))}
LATER = {
    "annual": (("2024Q3", "weight", "0", "not above 0"), ("2024Q3", "contract", "Flat", "not a declared code"), ("2025Q3", "price", 99, "not on the scale"), ("2026Q3", None, "shifted", "not on the scale")),
    "pulse": (("2023Q4", "ease", "99", "not on the scale"), ("2024Q1", "contact", "2023-04-31", "not a date"), ("2024Q2", "contact", "03/08/2023", "not a date"), ("2024Q3", "recommend", "９", "not a number"),
              ("2024Q4", "contact", "2023-10-11", "outside the wave"), ("2025Q1", "satisfaction", "99", "not on the scale"), ("2025Q2", "contact", "0202-08-11", "not a date"), ("2025Q3", None, "shifted", "not on the scale"),
              ("2025Q3", "response_id", None, "no id"))}


def plant(cells: pd.DataFrame, survey: str, wave: str, *, names: dict[str, str], headers: int, file: str) -> tuple[pd.DataFrame, list[dict]]:
    """Put the wave's faults into its cells. `headers` is the number of rows above the first answer (Parquet: 0), so that `row` is the record's
    number in the file, counted from one; a comment of two lines is one record. The list also names the response of each."""
    cells, found, used = cells.copy(), [], set()
    places = [(number, 2 * number + 3, 19, *one) for number, one in enumerate(PLANTED[survey])] + [(number, 2 * number + 1, 2 * len(LATER[survey]) + 3, *one) for number, one in enumerate(LATER[survey])]
    for _, part, parts, at, item, value, rule in places:
        if at != wave or len(cells) < 40:
            continue
        start = (len(cells) * part) // parts
        fits = cells[names["recommend"]].notna() & cells[names["satisfaction"]].notna() & cells[names["ease"]].notna()
        if value == "10 ":
            fits &= cells[names["recommend"]] == 10
        if value == "shifted":
            fits &= cells[names["recommend"]].isin([8, 9, 10])
        free = [row for row in np.flatnonzero(fits) if row not in used]
        row = next((row for row in free if row >= start), free[0])
        used.add(row)
        identity = str(cells[names["response_id"]].iloc[row])
        if value == "shifted":
            # From the recommendation on every cell stands one column further to the right; the last is lost.
            first = cells.columns.get_loc(names["recommend"])
            cells.iloc[row, first:] = [None, *cells.iloc[row, first:-1].tolist()]
            column, shown = names["satisfaction"], str(cells[names["satisfaction"]].iloc[row])
        elif item is None:
            copy = cells.iloc[[row]].copy()
            if value == "different":
                old = int(copy[names["recommend"]].iloc[0])
                copy[names["recommend"]] = old - 3 if old >= 5 else old + 3
            # At the end, so that no other row is moved; of two that differ both are listed, of two that are equal the second.
            if value == "different":
                found.append(listed(file, row + headers + 1, names["response_id"], identity, rule, survey=survey, wave=wave, record=identity))
            cells, row = pd.concat([cells, copy], ignore_index=True), len(cells)
            used.add(row)
            column, shown = names["response_id"], identity
        else:
            cells.iat[row, cells.columns.get_loc(names[item])] = value
            column, shown = names[item], "" if value is None else str(value)
        found.append(listed(file, row + headers + 1, column, shown, rule, survey=survey, wave=wave, item=item or "", record=identity,
                            kind="shifted_row" if value == "shifted" else "code_99" if shown == "99" else "full_width" if shown == "９" else "ambiguous_date" if shown == "03/08/2023" else None))
    return cells, found


# Begged tens: one team of the pulse, in one early wave. NPS of that wave is therefore not the true one.
BEGGED_WAVE, BEGGING_TEAM, BEGGED_SHARE = "2024Q1", "west-1", 0.4


def beg(frame: pd.DataFrame, *, seed: int, file: str) -> tuple[pd.DataFrame, list[dict]]:
    """The answers of a wave of the pulse with the begged tens, and the fault."""
    if frame["survey"].iloc[0] != "pulse" or frame["wave"].iloc[0] != BEGGED_WAVE or len(frame) < 500:
        return frame, []
    begged = (frame["team"] == BEGGING_TEAM).to_numpy() & frame["recommend"].notna().to_numpy() & draws.happens((seed, "faults", "begged"), np.full(len(frame), BEGGED_SHARE))
    must = "to be looked at: tens that neither the lower scores nor the other ratings explain"
    return frame.assign(recommend=frame["recommend"].mask(begged, 10)), [listed(file, 0, "nps", "10", "heaping", kind="heaping", survey="pulse", wave=BEGGED_WAVE, item="recommend", must=must) | {"unit": f"team '{BEGGING_TEAM}'"}]


def listed(file: str, row: int, column: str, value: str, rule: str, *, kind: str | None = None, survey: str = "", wave: str = "", item: str = "", record: str = "", must: str = "") -> dict:
    """One row of the list; without a word of its own `must` follows from the rule."""
    must = must or (DROPPED if rule == "repeats another row" else TRIMMED if rule == "blank around a number" else ASIDE)
    return {"kind": kind or KINDS[rule], "file": file, "row": int(row), "column": column, "value": value, "rule": rule, "survey": survey, "wave": wave, "item": item, "unit": "", "response_id": record, "must": must}


def of_calls(frame: pd.DataFrame, *, file: str) -> tuple[pd.DataFrame, list[dict]]:
    """The faults of the call centre's file: rows exported twice, an id given twice, a day that does not exist."""
    if len(frame) < 60:
        return frame, []
    frame, found, n = frame.copy(), [], len(frame)
    again = frame.iloc[[n // 5, n // 5 + 1, n // 3]]
    other = frame.iloc[[n // 2]].assign(Erledigt=1 - int(frame["Erledigt"].iloc[n // 2]))
    frame.iat[n // 4, frame.columns.get_loc("Beginn")] = "31.11.2025 10:00:00"
    found.append(listed(file, n // 4 + 2, "Beginn", "31.11.2025 10:00:00", "not a date", record=frame["Vorgang"].iloc[n // 4]))
    for place, (_, row) in enumerate(again.iterrows()):
        found.append(listed(file, n + place + 2, "Vorgang", row["Vorgang"], "repeats another row", record=row["Vorgang"]))
    found += [listed(file, row, "Vorgang", other["Vorgang"].iloc[0], "the same id", record=other["Vorgang"].iloc[0]) for row in (n // 2 + 2, n + len(again) + 2)]
    return pd.concat([frame, again, other], ignore_index=True), found


# Files that must be refused whole, in truth/refused/: name -> (content, words of the refusal). They fit a survey with the columns below.
HEADER = "id,land,person,recommend,price,comment"
GOOD = "".join(f"r{number:03d},DE,p{number},{number % 11},{1 + number % 5},fine\r\n" for number in range(60))
REFUSED = {
    "row_too_long.csv": (f"{HEADER}\r\n{GOOD}r900,DE,p1,9,4,good, but slow\r\n".encode(), "row 62 has 7 cells"),
    "quote_not_closed.csv": (f'{HEADER}\r\n{GOOD}r900,DE,p1,9,4,"good\r\nr901,DE,p2,9,4,fine\r\n'.encode(), "quot"),
    "two_encodings.csv": (f"{HEADER}\r\n{GOOD}r900,DE,p1,9,4,schön\r\n".encode() + "r901,DE,p2,9,4,süß\r\n".encode("cp1252"), "line 63|offset"),
    "decimal_comma.csv": (f'{HEADER}\r\n{GOOD}r900,DE,p1,"9,5",4,fine\r\n'.encode(), "ambiguous"),
    "column_renamed.csv": (f"{HEADER}\r\n{GOOD}".replace("recommend", "recomend").encode(), "recomend"),
    "no_answers.csv": (b"", "empty"),
}


def refused(folder: Path) -> list[dict]:
    """Write the files that must be refused whole, and list them with the words of the refusal as `value`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, (content, words) in REFUSED.items():
        (folder / name).write_bytes(content)
        found.append({"kind": f"refused_{name.removesuffix('.csv')}", "file": f"refused/{name}", "row": 0, "column": "", "value": words, "rule": "refused", "survey": "", "wave": "", "item": "", "unit": "", "response_id": "", "must": "the file is refused with a sentence"})
    return found
