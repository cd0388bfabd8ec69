"""Faults: the few cells and rows in the exports that a loader must catch, each listed with file, row, column, value and rule."""

import numpy as np
import pandas as pd

# (wave of the survey, item or None for a whole row, value put in, rule)
PLANTED = {
    "annual": (("2024Q3", "recommend", "11", "not on the scale"), ("2024Q3", "satisfaction", "ten", "not a number"), ("2024Q3", None, "equal", "repeats another row"),
               ("2025Q3", "recommend", 7.5, "not a whole number"), ("2025Q3", "recommend", "10 ", "blank around a number"),
               ("2026Q3", "recommend", "11", "not on the scale"), ("2026Q3", None, "different", "the same id")),
    "pulse": (("2024Q1", "recommend", "ten", "not a number"), ("2024Q2", "recommend", "10 ", "blank around a number"), ("2024Q4", "recommend", "7.5", "not a whole number"),
              ("2025Q2", None, "equal", "repeats another row"), ("2025Q4", "recommend", 11, "not on the scale"), ("2026Q1", "ease", -1, "not on the scale"),
              ("2026Q3", None, "different", "the same id"), ("2026Q3", "recommend", 11, "not on the scale"))}


def plant(cells: pd.DataFrame, survey: str, wave: str, *, names: dict[str, str], headers: int, file: str) -> tuple[pd.DataFrame, list[dict]]:
    """Put the wave's faults into its cells. `headers` is the number of rows above the first answer (Parquet: 0), so that `row` is the record's
    number in the file, counted from one; a comment of two lines is one record. The list also names the response of each."""
    cells, found, used = cells.copy(), [], set()
    for number, (at, item, value, rule) in enumerate(PLANTED[survey]):
        if at != wave or len(cells) < 40:
            continue
        start = (len(cells) * (2 * number + 3)) // 19
        fits = cells[names["recommend"]].notna() & cells[names["satisfaction"]].notna() & cells[names["ease"]].notna()
        if value == "10 ":
            fits &= cells[names["recommend"]] == 10
        free = [row for row in np.flatnonzero(fits) if row not in used]
        row = next((row for row in free if row >= start), free[0])
        used.add(row)
        if item is None:
            copy = cells.iloc[[row]].copy()
            if value == "different":
                old = int(copy[names["recommend"]].iloc[0])
                copy[names["recommend"]] = old - 3 if old >= 5 else old + 3
            # At the end, so that no other row is moved; the second of the pair is the one listed, both are affected.
            cells, row = pd.concat([cells, copy], ignore_index=True), len(cells)
            used.add(row)
            column, shown = names["response_id"], str(cells[names["response_id"]].iloc[row])
        else:
            cells.iat[row, cells.columns.get_loc(names[item])] = value
            column, shown = names[item], str(value)
        found.append({"file": file, "row": int(row) + headers + 1, "column": column, "value": shown, "rule": rule,
                      "response_id": str(cells[names["response_id"]].iloc[row])})
    return cells, found
