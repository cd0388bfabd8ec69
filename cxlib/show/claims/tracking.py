"""What the tracking study says: where the key figures stand, whether they moved, and what these bases could have shown."""

from itertools import pairwise

import pandas as pd

from cxlib.show import claims, prose

STUDY = "03_performance_tracking"
CHANGE = {"points": "points", "share": "percentage points", "scale": "scale points"}
LEVEL = {"points": "points", "share": "percent", "scale": "scale points"}


def levels(found: pd.DataFrame) -> list[str]:
    """Say where each KPI stands in its latest wave, with interval and base (names in words)."""
    said = []
    for (kpi, survey), own in found.groupby(["kpi", "survey"], sort=False):
        row = own.iloc[-1].to_dict()
        if row["flag"] == "too few" or row["estimate"] != row["estimate"]:
            said.append(f"{kpi} ({survey}, {row['quarter']}): {row['note'] or 'too few answers to be told in a sentence'} ({prose.plural(row['n'], 'answer')}).")
        else:
            said.append(f"{kpi} ({survey}, {row['quarter']}) stands at {value(row['estimate'], row['unit'])}{_interval(row)}; {prose.base(row['n'], row['n_eff'])}.")
    return said


def changes(moved: pd.DataFrame) -> list[str]:
    """Say how each KPI moved, the verb by its interval, and where nothing was seen what could have been (names in words)."""
    said = []
    for row in moved.to_dict("records"):
        if row["p"] != row["p"]:
            said.append(f"{row['kpi']} ({row['survey']}): {row['note']}.")
            continue
        text = _told(row)
        if row["conf_low"] <= 0 <= row["conf_high"]:
            text += f" With these bases a change of {_size(row['detectable'], row['unit'])} would have been seen four times in five; to see {_size(_aim(row['unit']), row['unit'])} takes {prose.number(row['needed_n'])} answers a wave."
        said.append(text)
    return said


def gaps(moved: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Say where waves lie unequally far apart, so that a change is not one of equal times."""
    said = []
    for survey, own in found.groupby("survey", sort=False):
        steps = own.drop_duplicates("wave").sort_values("quarter")["quarter"].tolist()
        lengths = [(int(b[:4]) - int(a[:4])) * 4 + int(b[5]) - int(a[5]) for a, b in pairwise(steps)]
        if len(set(lengths)) > 1:
            parts = [f"{a} to {b} {prose.plural(length, 'quarter')}" for a, b, length in zip(steps, steps[1:], lengths) if length != max(set(lengths), key=lengths.count)]
            said.append(f"{survey}: the waves lie unequally far apart ({prose.join(parts)}; otherwise {prose.plural(max(set(lengths), key=lengths.count), 'quarter')}); season may differ between them.")
    return said


def targets(found: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI with a target whether its latest interval lies above, below or across it."""
    said = []
    for kpi in programme.kpis:
        for survey, own in found[found["kpi"] == kpi.id].groupby("survey", sort=False):
            row = own.iloc[-1]
            if kpi.target is None or row["estimate"] != row["estimate"]:
                continue
            aim = kpi.target / 100 if row["unit"] == "share" else kpi.target
            word = "has reached" if row["conf_low"] >= aim else "is below" if row["conf_high"] < aim else "cannot be told apart from"
            by = f", to be reached by {prose.date(kpi.target_by)}" if kpi.target_by else ""
            said.append(f"{programme.label(kpi.id)} ({programme.label(survey)}) {word} its target of {value(aim, row['unit'])}{by}.")
    return said


def rows(found: pd.DataFrame, moved: pd.DataFrame, programme, quarter: str) -> pd.DataFrame:
    """Return the study's claims: the move of each KPI against the last wave and last year; the level where there is no earlier wave."""
    made, told = [], set()
    for place, row in enumerate(moved.to_dict("records")):
        if row["p"] != row["p"]:
            continue
        told.add((row["kpi"], row["survey"]))
        words = row | {"kpi": programme.label(row["kpi"]), "survey": programme.label(row["survey"])}
        null = f"{words['kpi']} ({words['survey']}) showed no detectable change since {row['then_quarter']} ({_signed(row)})."
        base = f"{prose.number(row['n_now'])} answers against {prose.number(row['n_then'])}"
        made.append(claims.claim(
            f"tracking.{row['survey']}.{row['kpi']}.{row['against'].replace(' ', '_')}", STUDY, _told(words), text_null=null, row=row, unit=row["unit"], base=base, p=row["p"],
            test_id=claims.test_id(STUDY, row, ["survey", "kpi", "against"]), rank=1 + place / 100,
        ))  # fmt: skip
    for row in found[found["quarter"] == quarter].to_dict("records"):
        if (row["kpi"], row["survey"]) not in told and row["estimate"] == row["estimate"] and row["flag"] != "too few":
            text = f"{programme.label(row['kpi'])} ({programme.label(row['survey'])}) stands at {value(row['estimate'], row['unit'])}{_interval(row)}; there is no earlier wave to compare with."
            made.append(claims.claim(f"tracking.{row['survey']}.{row['kpi']}.level", STUDY, text, row=row, unit=row["unit"], base=prose.base(row["n"], row["n_eff"]), rank=2))
    return claims.frame(made)


def value(estimate: float, unit: str) -> str:
    """Return a level in words: '+12', '61 %', '4.06'."""
    return prose.points(estimate) if unit == "points" else prose.percent(estimate) if unit == "share" else prose.number(estimate, digits=2)


def _interval(row) -> str:
    if row["conf_low"] != row["conf_low"]:
        return ""
    return f" (95 % interval {prose.interval(row['conf_low'], row['conf_high'], LEVEL[row['unit']], digits=2 if row['unit'] == 'scale' else None)})"


def _told(row) -> str:
    return prose.change(row["estimate"], row["conf_low"], row["conf_high"], unit=CHANGE[row["unit"]], what=f"{row['kpi']} ({row['survey']})", since=row["then_quarter"]) + "."


def _signed(row) -> str:
    size = row["estimate"] * 100 if row["unit"] == "share" else row["estimate"]
    return f"{prose.points(size, digits=2 if row['unit'] == 'scale' else 0)} {CHANGE[row['unit']]}, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], CHANGE[row['unit']])}"


def _size(size: float, unit: str) -> str:
    return f"{prose.number(size * (100 if unit == 'share' else 1), digits=2 if unit == 'scale' else 0)} {CHANGE[unit]}"


def _aim(unit: str) -> float:
    return {"points": 5.0, "share": 0.05, "scale": 0.2}[unit]
