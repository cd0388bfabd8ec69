"""Objectives with a day: the probability that a key figure has reached its target, and that it will by its day if it moves on as it has moved."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import cells
from cxlib.load.bases import surveys_of
from cxlib.measure import levels, metrics, waves

COLUMNS = ["kpi", "survey", "quarter", "unit", "target", "target_by", "estimate", "std_error", "conf_low", "conf_high", "n", "basis", "p_met", "day", "forecast", "forecast_low", "forecast_high", "p_by", "note"]


def met(tables, found: pd.DataFrame) -> pd.DataFrame:
    """Return for each KPI with a target, by survey, whether it has been met and whether it will be.

    in: what `waves.kpis` returns. out: kpi, survey, quarter, unit, target (in the unit of the estimate: points, share, scale), target_by, estimate, std_error, conf_low, conf_high, n, basis (level: the level
    behind the noise in its last period; wave: the latest wave's estimate), p_met (probability that it stands at or beyond the target), day, forecast,
    forecast_low, forecast_high (95 %), p_by (probability at the day; for a day that has passed, at that day), note. The path is the level's own: it has no trend,
    its uncertainty grows by the steps it has taken so far; a jump to come is not in it. Below four periods there is no path.
    """
    rows, designs = [], waves.samples(tables) if any(kpi.target is not None for kpi in tables.programme.kpis) and len(found) else {}
    for kpi in [one for one in tables.programme.kpis if one.target is not None]:
        what = metrics.definition_of(kpi.definition)
        aim = kpi.target / 100 if what.unit == "share" else kpi.target
        for survey in surveys_of(tables.programme, kpi):
            own = found[(found["kpi"] == kpi.id) & (found["survey"] == survey)]
            if own.empty:
                continue
            last = own.iloc[-1]
            row = {"kpi": kpi.id, "survey": survey, "quarter": last["quarter"], "unit": what.unit, "target": aim, "target_by": pd.NaT if kpi.target_by is None else pd.Timestamp(kpi.target_by), "note": ""}
            row |= {name: last[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "n")} | {"basis": "wave"}
            path = _path(tables, kpi, survey, designs.get(survey))
            if path is not None:
                row |= ahead(path, target_by=row["target_by"]) | {"basis": "level", "n": last["n"]}
            else:
                row["note"] = f"fewer than {levels.LEAST} periods with answers: no path to go on"
            row["p_met"], row["p_by"] = (_beyond(aim, row.get(middle), row.get(error), what) for middle, error in (("estimate", "std_error"), ("forecast", "forecast_sd")))
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def ahead(estimates: pd.DataFrame, *, target_by, breaks=(), date: str = "date") -> dict:
    """Return the level in the last period and at a day: estimate, std_error, conf_low, conf_high; day, forecast, forecast_sd, forecast_low, forecast_high.

    in: rows of `metrics.estimate` with a column of days, a row a period. The day is a period without answers in the same model, so what is not known of
    the steps is in its interval; a day within the series gives the level of the period that holds it.
    """
    frame = estimates.assign(**{date: pd.to_datetime(estimates[date])}).sort_values(date, kind="stable")
    breaks, last = list(breaks) or list(frame.attrs.get("breaks", ())), frame[date].iloc[-1]
    step = frame[date].diff().median()
    future = pd.notna(target_by) and pd.Timestamp(target_by) >= last + step
    if future:
        empty = {name: np.nan for name in ("estimate", "std_error")} | {"n_eff": 0.0, "unit": frame["unit"].iloc[0], date: pd.Timestamp(target_by)}
        frame = pd.concat([frame, pd.DataFrame([empty])], ignore_index=True)
    made = levels.level(frame, breaks=breaks, date=date)
    rows = {"": made[made[date] <= last].iloc[-1]}
    if pd.notna(target_by):
        rows["forecast"] = made.iloc[-1] if future else made[made[date] <= pd.Timestamp(target_by)].iloc[-1] if (made[date] <= pd.Timestamp(target_by)).any() else None
    out = {}
    for name, row in rows.items():
        if row is not None:
            sd = (row["conf_high"] - row["conf_low"]) / (2 * metrics.Z)
            out |= {"estimate": row["level"], "std_error": sd, "conf_low": row["conf_low"], "conf_high": row["conf_high"]} if not name else {"day": pd.Timestamp(target_by), "forecast": row["level"], "forecast_sd": sd, "forecast_low": row["conf_low"], "forecast_high": row["conf_high"]}
    return out


def lines(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return KPIs with a column `target` in the unit of the estimate, for a line in a chart; empty where there is none."""
    aims = {kpi.id: kpi.target for kpi in programme.kpis}
    return found.assign(target=[np.nan if aims[row.kpi] is None else aims[row.kpi] / 100 if row.unit == "share" else float(aims[row.kpi]) for row in found.itertuples()])


def _path(tables, kpi, survey: str, sample):
    """The estimates of the periods the level is made from, or None where they are too few."""
    period, counted = levels._periods(tables, kpi, survey)
    counted = counted[~counted["date"].isin(levels._few(counted, cells.limit(tables.programme, survey), tables.programme))]
    if counted["date"].nunique() < levels.LEAST:
        return None
    found = levels._designed(metrics.estimate(counted, definition=kpi.definition, by="date"), sample, kpi, period)
    found.attrs["breaks"] = [pd.Timestamp(wave.first) for wave, _ in tables.programme.breaks(survey, kpi.item)] if period != "wave" else []
    return found


def _beyond(aim: float, middle, error, what) -> float:
    if middle is None or error is None or middle != middle or not error > 0:
        return np.nan
    z = (middle - aim) / error
    return float(stats.norm.cdf(z if what.good == "high" else -z))
