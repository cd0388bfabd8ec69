"""What is said of objectives: whether a target has been met, and the chance that it will be by its day."""

import pandas as pd

from cxlib import quarters
from cxlib.show import claims, prose
from cxlib.show.claims import tracking


def said(found: pd.DataFrame, programme) -> list[str]:
    """Say of each KPI with a target how likely it is met now and by its day, or what its objective lacks."""
    return [_objective(row, programme) for row in found.to_dict("records")]


def _objective(row: dict, programme) -> str:
    value = lambda number: tracking.value(number, row["unit"])
    name = f"{claims.heading(programme, row['survey'])}{programme.label(row['kpi'])}"
    if row["p_met"] != row["p_met"]:
        return f"{name}: whether the target of {value(row['target'])} is met cannot be said, because the level is not estimable."
    where = "behind the noise it stands" if row["basis"] == "level" else "it stands"
    text = f"{name}: {where} at {value(row['estimate'])} (95 % interval {tracking.limits(row)}) against a target of {value(row['target'])}; the chance that it is met is {_chance(row['p_met'])}."
    if pd.isna(row["target_by"]):
        return f"{text} The objective has no day, so it can be neither met in time nor missed; add target_by."
    if row["p_by"] != row["p_by"]:
        return f"{text} How likely it is by {prose.date(row['target_by'])} cannot be said: {row['note'] or 'there is no period before that day'}."
    limits = tracking.limits({"conf_low": row["forecast_low"], "conf_high": row["forecast_high"], "unit": row["unit"]})
    if pd.Timestamp(row["target_by"]) <= _end(programme, row["quarter"]):
        return f"{text} It was due on {prose.date(row['target_by'])}, when it stood at {value(row['forecast'])} ({limits}): the chance that it was met then is {_chance(row['p_by'])}."
    return f"{text} If it moves on as it has moved, without a new jump, it lies at {value(row['forecast'])} on {prose.date(row['target_by'])} (95 % interval {limits}), and the chance to meet the target by then is {_chance(row['p_by'])}."


def _chance(p: float) -> str:
    return prose.probability(p)


def _end(programme, quarter: str) -> pd.Timestamp:
    return pd.Timestamp(quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[1])
