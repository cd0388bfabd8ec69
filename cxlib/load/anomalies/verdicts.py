"""What becomes of a finding: refused answers leave the tables, accepted ones stay, rows that can be named go to the repair list."""

import numpy as np
import pandas as pd

from cxlib import schema

WORDS = {
    "mixed_scales": "two scales are mixed", "reversed_scale": "the scale runs the other way", "code_as_score": "a code stands among the scores", "heaping": "more top scores than any mood explains",
    "straight_lining": "straight lines", "renamed_value": "a value has changed its name", "shifted_columns": "columns have moved", "ambiguous_dates": "day and month may be swapped",
    "wave_twice": "an earlier wave was sent again", "rows_repeated": "rows stand twice under other ids", "same_ids": "ids stand in two waves", "wording_break": "the wording changed",
    "lone_jump": "one item jumps alone", "regular_rows": "answers follow the number of the row",
}  # fmt: skip
RULE = "repeats the answers of another row under another id"


def judged(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return what `find` found as the table `anomalies`: with the quarter, and what the programme has accepted under its reason."""
    quarters = {(wave.survey, wave.id): wave.quarter for wave in programme.waves}
    found = accepted(found, programme)
    found = found.assign(quarter=np.array([quarters.get(key, "") for key in zip(found["survey"], found["wave"])], dtype=object)).astype({"quarter": "str"})
    return found[[column.name for column in schema.TABLES["anomalies"]]]


def blanked(responses: pd.DataFrame, gone: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return responses without the answers that must not be averaged (`refusals`), and how many these were.

    A refused item of a wave is blank for everybody (of a code far from every other value only the code is): verbatims and the other items
    stay. Counts: survey, wave, quarter, item, reason ("refused: why"), rows.
    """
    responses, lost = responses.copy(), []
    for row in gone.itertuples():
        own = (responses["survey"] == row.survey) & (responses["wave"] == row.wave)
        cells = own & (responses[row.item] == row.value) if row.value == row.value else own & responses[row.item].notna()
        counted = responses[cells].groupby("quarter").size()
        responses.loc[cells, row.item] = np.nan
        lost.append(pd.DataFrame({"survey": row.survey, "wave": row.wave, "quarter": counted.index.astype("str"), "item": row.item, "reason": f"refused: {row.why}", "rows": counted.to_numpy()}))
    return responses, pd.concat(lost, ignore_index=True)


def recounted(coverage: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage with refused answers counted under their reason instead of as answered."""
    keys = [name for name in coverage if name != "rows"]
    answered = lost.assign(reason="answered", rows=-lost["rows"])
    made = pd.concat([coverage, lost, answered], ignore_index=True).groupby(keys, as_index=False, sort=True)["rows"].sum()
    return made[made["rows"] > 0].reset_index(drop=True)


def refusals(found: pd.DataFrame, programme=None) -> pd.DataFrame:
    """Return the cells that must not be averaged: survey, wave, item, value (the code where only it goes; NaN for all answers), why.

    A fault of the whole wave has item "" and holds for every item; with `programme` it is listed item by item, ratings and numbers that the wave's
    survey asks.
    """
    refused = found[found["verdict"] == "refused"]
    if programme is not None and len(refused):
        whole = refused["item"] == ""
        each = [row._replace(item=item.id) for row in refused[whole].itertuples(index=False) for item in programme.asked(row.survey) if item.kind in ("rating", "number")]
        refused = pd.concat([refused[~whole], pd.DataFrame(each, columns=refused.columns)], ignore_index=True)
    code = pd.to_numeric(refused["unit"].where(refused["unit"].str.startswith("value ")).str.removeprefix("value "), errors="coerce").astype("float64")
    listed = refused.assign(value=code, why=refused["kind"].map(WORDS)).sort_values(["survey", "wave", "item", "value"], na_position="first", kind="stable")
    keys = ["survey", "wave", "item", "value"]
    return listed.groupby(keys, sort=True, dropna=False, as_index=False)["why"].agg(lambda words: "; ".join(dict.fromkeys(words)))


def accepted(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the findings with those that the programme has accepted under that verdict, and its reason; "" where nothing was accepted.

    An entry of `[[accepted]]` holds for its kind, in the survey, wave and item that it names, or in all where it names none.
    """
    verdict, reason = found["verdict"].to_numpy(dtype=object), np.full(len(found), "", dtype=object)
    for one in programme.accepted:
        own = (found["kind"] == one.kind).to_numpy()
        for name in ("survey", "wave", "item"):
            if named := getattr(one, name):
                own = own & (found[name] == named).to_numpy()
        verdict[own], reason[own] = "accepted", one.reason
    return found.assign(verdict=verdict, reason=reason).astype({"verdict": "str", "reason": "str"})


def listed(tables, programme, found: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Return the repair list with the second of each two rows of a wave that give the same answers under two ids.

    `rows` are the rows of the files in which the responses stand, by the place of the response.
    """
    from cxlib.load.anomalies.copies import second

    repairs = [tables["repairs"]]
    for row in found[(found["kind"] == "rows_repeated") & (found["verdict"] != "accepted")].itertuples():
        responses = tables["responses"]
        own = responses[(responses["survey"] == row.survey) & (responses["wave"] == row.wave)]
        again = own[second(own, tables["verbatims"], programme, row.survey)]
        wave = next(one for one in programme.waves if one.survey == row.survey and one.id == row.wave)
        repairs.append(pd.DataFrame({
            "file": wave.named, "quarter": wave.quarter, "row": rows.loc[again.index].astype("int64").to_numpy(), "column": programme.column(wave, "response_id"),
            "value": again["response_id"].to_numpy(), "rule": RULE, "suggestion": "delete the row, if the same person's answers were entered twice",
        }))  # fmt: skip
    made = pd.concat(repairs, ignore_index=True) if len(repairs) > 1 else repairs[0]
    return made.astype({name: tables["repairs"][name].dtype for name in made})
