"""Claims: findings into sentences, with the sentence that stands instead where the test does not survive the ledger.

A file a notebook. Every function takes tidy frames with words for names (`run.named`) and returns sentences, or rows for `run.claims`.
"""

import re

import pandas as pd

GRADES = {
    "A": "randomised", "B": "quasi-experiment", "C": "adjusted observation", "D": "described, with interval", "E": "before and after only",
}  # fmt: skip
BASES = {"low base": "low base", "too few": "very low base"}  # flags of estimates in words
UNITS = {"points": "points", "share": "percent", "percent": "percent"}  # units of estimates -> units of prose; others are nouns


def claim(claim_id: str, study: str, text: str, *, text_null: str = "", row=None, unit: str = "", base: str = "", p=float("nan"), test_id: str = "", grade: str = "D", rank: float = 5.0, action: bool = False) -> dict:
    """Return one claim as a row of `schema.FINDINGS["claims"]`; `row` gives estimate, limits and bases."""
    row = {} if row is None else row
    found = {name: row.get(name, float("nan")) for name in ("estimate", "conf_low", "conf_high", "n_eff")}
    n = row.get("n", 0)
    return {
        "claim_id": claim_id, "study": study, "text": text, "text_null": text_null or text, **found, "unit": unit, "base": base,
        "n": 0 if n != n else int(n), "p": p, "test_id": test_id, "grade": grade, "rank": rank, "action": int(action),
    }  # fmt: skip


def frame(rows: list[dict]) -> pd.DataFrame:
    """Return claims as a frame; without any, an empty one with the columns of a claim."""
    return pd.DataFrame(rows) if rows else pd.DataFrame([claim("", "", "")]).iloc[:0]


def joined(*frames: pd.DataFrame) -> pd.DataFrame:
    """Return the claims of several frames as one."""
    return pd.concat([part for part in frames if len(part)] or list(frames[:1]), ignore_index=True)


def tests(found: pd.DataFrame, *, study: str, family: str, kind: str, key: list[str], what) -> pd.DataFrame:
    """Return estimable rows with a p-value as rows of the ledger: `key` columns make the id, `what(row)` says what is tested."""
    rows = [
        {
            "test_id": test_id(study, row, key), "study": study, "family": family, "kind": kind, "what": what(row), "n": int(row["n"]),
            "estimate": row["estimate"], "conf_low": row.get("conf_low", float("nan")), "conf_high": row.get("conf_high", float("nan")), "p": row["p"],
        }
        for row in found[found["p"].notna()].to_dict("records")
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=["test_id", "study", "family", "kind", "what", "n", "estimate", "conf_low", "conf_high", "p"])
    return made.astype({"n": "int64"} | dict.fromkeys(("estimate", "conf_low", "conf_high", "p"), "float64"))  # also where there is none


def sifted(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose p survives all tests beside it (Benjamini-Hochberg at 5 %), the smallest first: what a page may tell of many tests of one kind."""
    live = found[found["p"].notna()].sort_values("p", kind="stable")
    passed = live["p"].to_numpy() * len(live) / pd.RangeIndex(1, len(live) + 1).to_numpy() <= 0.05
    return live.iloc[: int(passed.nonzero()[0].max()) + 1] if passed.any() else live.iloc[:0]


def test_id(study: str, row: dict, key: list[str]) -> str:
    """Return the name of a row's test: the study's number and the row's keys."""
    return ".".join([study[:2], *(str(row[column]) for column in key)])


def needs(what: str, to: str) -> str:
    """Return the sentence that stands where an answer cannot be had, with what would give it."""
    return f"This programme holds no {what}, which it would need to {to}."


def about(programme, *words: str) -> str:
    """Return what the programme itself says of something it does not hold: the sentences of its note that hold one of the words."""
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", programme.about) if any(word in part.lower() for word in words)]
    return f" The programme says of itself: {' '.join(sentences)}" if sentences else ""


def heading(programme, survey: str) -> str:
    """Return what a sentence about a survey opens with: its name, where the programme has several; else nothing."""
    return f"{programme.label(survey)}: " if len(programme.surveys) > 1 else ""


def say(opening: str, text: str) -> str:
    """Return a sentence behind its opening; without one it begins with a capital letter."""
    return f"{opening}{text}" if opening else f"{text[:1].upper()}{text[1:]}"


def name(programme, kpi: str, survey: str) -> str:
    """Return a KPI in words for charts and tables, with its survey where the programme has several."""
    return f"{programme.label(kpi)}, {programme.label(survey)}" if len(programme.surveys) > 1 else programme.label(kpi)


def numbers(found: pd.DataFrame, unit: str = "", *, drop=()) -> pd.DataFrame:
    """Return the frame behind a figure as readers read it: estimates under the name of their unit (shares times 100), or with the unit of each row in a column of that name; no column that says nothing.

    A column says nothing where it is empty or the same text in every row of several.
    """
    shown = found.drop(columns=["std_error", "df", "widening", *drop], errors="ignore")
    shown = shown.assign(flag=shown["flag"].map(BASES).fillna("")) if "flag" in shown else shown
    if UNITS.get(unit, unit) == "percent":
        shown = shown.assign(**{column: shown[column] * 100 for column in ("estimate", "conf_low", "conf_high", "unweighted") if column in shown})
    shown = shown.assign(unit=shown["unit"].str.removeprefix("money:")) if "unit" in shown else shown
    shown = shown.rename(columns={"estimate": unit.removeprefix("money:").replace(" ", "_")} if unit else {})
    silent = [column for column in shown if shown[column].isna().all() or (shown[column].dtype.kind not in "fiu" and (shown[column] == "").all())]
    silent += [column for column in shown if len(shown) > 1 and column not in silent and shown[column].dtype.kind not in "fiu" and shown[column].nunique(dropna=False) == 1]
    return shown.drop(columns=silent).reset_index(drop=True)


from cxlib.show.claims import (  # noqa: E402  (they use the functions above)
    accounts,
    alerts,
    answering,
    card,
    constructs,
    drivers,
    effects,
    levers,
    linking,
    loading,
    mentions,
    protection,
    published,
    retention,
    saved,
    steering,
    summary,
    targets,
    teams,
    thresholds,
    topics,
    tracking,
    units,
    value,
    variants,
    visits,
    worth,
)

__all__ = ["accounts", "alerts", "answering", "card", "claim", "constructs", "drivers", "effects", "frame", "heading", "joined", "levers", "linking", "loading", "mentions", "name", "needs", "numbers", "protection", "published", "retention", "saved", "say", "sifted", "steering", "summary", "targets", "teams", "test_id", "tests", "thresholds", "topics", "tracking", "units", "value", "variants", "visits", "worth"]
