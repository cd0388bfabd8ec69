"""Alerts: key figures watched by control charts with frozen limits, each with how often such a chart alerts by chance and how often this one has.

The rule by which the chart is chosen: where a period's sampling error is known, values are standardised by it and by what they scatter beyond it (Laney 2002). If a
change worth knowing would stand out of a single period by one such standard deviation or more, the chart is Laney's p' with three-sigma limits and the run of
eight (Western Electric rules 1 and 4); if not, small moves have to be added up: an EWMA of weight .1. Numbers of answers, which have no sampling error of their own,
are watched by an individuals chart (I-MR). Limits come from the first third of the series, 20 to 52 periods, and stay; after a wording or mode that breaks the
series, and after half a year in which the alert has not ended, they are set anew. Limits that were estimated from few or correlated periods alert more often than
known ones: the run length is simulated for the chart as it is, and where it is below two years, the run of eight is given up and the limits are widened until it is not. An alert is a reason to look, not a claim.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib import cells, quarters
from cxlib.load.bases import surveys_of
from cxlib.measure import levels, metrics, runlengths, spread, waves

LEAST, MOST = 20, 52  # periods of a baseline
LASTING = 26  # periods after which an alert that has not ended is the new state
LEAST_LENGTH = {"week": 104.0, "month": 24.0, "wave": 8.0}  # two years: periods to a false alert below which limits are widened
CALM = 4  # periods without a signal that end an alert
WEIGHT = 0.1
LENGTH = 500.0  # periods to a false alert for which the EWMA's limit is set
WITHIN = {"week": (13, 52), "month": (3, 12), "wave": (1, 4)}  # periods of a quarter and of a year
VOLUME = "answers"
KEYS = ["kpi", "survey"]
CHARTS = [*KEYS, "period", "unit", "chart", "rules", "limit", "baseline_first", "baseline_last", "n", "baseline", "centre", "sigma", "lag", "length_known", "length", "p_quarter", "p_year", "watched", "fired", "expected", "note"]
ALERTS = ["alert_id", *KEYS, "period", "unit", "chart", "direction", "first", "since", "last", "open", "periods", "estimate", "centre", "n", "better", "segment", "value", "value_estimate", "value_before", "length", "p_quarter", "watched", "fired", "note"]


class Chart(NamedTuple):
    """What a chart is: its kind, in words and rules, and its limit in standard deviations."""

    name: str
    kind: str
    rules: tuple
    limit: float
    known: float  # average run length where the limits are known


def chart_for(shift: float) -> Chart:
    """Return the chart by the rule above: `shift` is a change worth knowing in standard deviations of a period; NaN where sampling error is not known."""
    if shift < 1:
        limit = runlengths.limit_for("ewma", LENGTH)
        return Chart("EWMA", "ewma", ("beyond",), limit, LENGTH)
    rules = ("beyond", "run")
    return Chart("I-MR" if np.isnan(shift) else "Laney p'", "shewhart", rules, 3.0, runlengths.shewhart(rules=rules))


def _steady(chart: Chart, options: dict, least: float) -> tuple[Chart, dict]:
    """The chart with limits wide enough for a run length, and how it behaves where nothing happens."""
    while True:
        run = runlengths.simulated(kind=chart.kind, limit=chart.limit, rules=chart.rules, **options)
        if run["length"] >= least or chart.limit > 8:
            return chart, run
        chart = chart._replace(rules=("beyond",)) if len(chart.rules) > 1 else chart._replace(limit=chart.limit + 0.25)
        known = runlengths.ewma(weight=WEIGHT, limit=chart.limit) if chart.kind == "ewma" else runlengths.shewhart(rules=chart.rules, limit=chart.limit)
        chart = chart._replace(known=known)


def watch(frame: pd.DataFrame, *, period: str = "week", breaks=()) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Watch one series: its periods with limits, its charts (one for each baseline) and its alerts.

    in: date, estimate, n_eff, std_error, unit (points, share, scale: rows of `metrics.estimate`; count: no sampling error), n; a row a period in order. `breaks`: days
    from which values may not be compared with those before.
    out: periods (date, value, centre, lower, upper, stat: what is held against the limits, signal, baseline), charts, alerts as in `watched` without their names. A series
    that is too short for a baseline gives a chart with a note and no periods.
    """
    frame = frame.sort_values("date", kind="stable").reset_index(drop=True)
    starts = [0, *sorted({int(np.searchsorted(frame["date"].to_numpy(), np.datetime64(pd.Timestamp(day)))) for day in breaks} - {0, len(frame)})]
    parts, charts, found = [], [], []
    for start, stop in zip(starts, [*starts[1:], len(frame)]):
        while start is not None and start < stop:
            own = frame.iloc[start:stop].reset_index(drop=True)
            shown, chart, alerts = _stretch(own, period)
            charts.append(chart)
            lasting = next((one for one in alerts if one["last_at"] - one["first_at"] + 1 >= LASTING and len(own) - one["first_at"] > LASTING), None)
            if lasting is not None:
                alerts = [one for one in alerts if one["first_at"] <= lasting["first_at"]]
                there = int((own["date"] <= chart["baseline_last"]).sum())
                chart |= {"watched": int(np.isfinite(own["estimate"].to_numpy(dtype=float)[there : lasting["first_at"] + 1]).sum()), "fired": len(alerts)}
                chart |= {"expected": chart["watched"] / chart["length"]}
                alerts = [one | {"watched": chart["watched"], "fired": chart["fired"]} for one in alerts]
                alerts[-1] |= {"periods": LASTING, "open": 0, "last": own["date"].iloc[lasting["first_at"] + LASTING - 1], "note": "lasted half a year of periods: limits were set anew from there"}
                shown = shown.iloc[: lasting["first_at"]] if len(shown) else shown
            parts.append(shown)
            found += alerts
            start = None if lasting is None else start + lasting["first_at"]
    # what is empty has types too: without, it would take theirs from the series beside it
    empty = pd.DataFrame({"date": pd.Series(dtype="datetime64[us]"), **{name: pd.Series(dtype=float) for name in ("value", "centre", "lower", "upper", "stat")}, "signal": pd.Series(dtype=bool), "baseline": pd.Series(dtype=bool)})
    return pd.concat(parts, ignore_index=True) if any(map(len, parts)) else empty, pd.DataFrame(charts), pd.DataFrame(found)


def _stretch(own: pd.DataFrame, period: str):
    """One baseline and what follows it."""
    x, n = own["estimate"].to_numpy(dtype=float), own["n_eff"].to_numpy(dtype=float)
    there = np.flatnonzero(np.isfinite(x) & (n > 0))
    size = int(np.clip(len(there) // 3, LEAST, MOST))
    unit, count = own["unit"].iloc[0], (own["unit"] == "count").all()
    about = {"period": period, "unit": unit, "baseline_first": own["date"].iloc[0], "n": int(np.nansum(own["n"])), "note": ""}
    if len(there) <= size:
        return own.iloc[:0], about | {"chart": "", "rules": "", "baseline": len(there), "watched": 0, "fired": 0, "note": f"{len(there)} {period}s with answers: a chart takes {LEAST} for its limits and one more to be watched"}, []
    base = there[:size]
    error = np.ones(len(x)) if count else _errors(own, base)
    centre = x[base].mean() if count else np.average(x[base], weights=1 / error[base] ** 2)
    z = (x - centre) / error
    lag = _lag(z[base])
    sigma = float(runlengths.fitted(z[base], lag=lag > 0, least=0.0 if count else 1.0)[1][0])
    if not sigma > 0:
        return own.iloc[:0], about | {"chart": "", "rules": "", "baseline": size, "watched": 0, "fired": 0, "note": "the baseline does not vary at all"}, []
    chart = chart_for(np.nan if count else metrics.OF_INTEREST[unit] / (np.median(error[base]) * sigma))
    rest = np.arange(there[size - 1] + 1, len(x))
    quarter, year = WITHIN[period]
    chart, run = _steady(chart, {"baseline": size, "lag": round(lag, 1), "known": not count, "within": (quarter, year)}, LEAST_LENGTH[period])
    z = z / sigma
    flags = runlengths.alerts(z[rest][None, :], kind=chart.kind, limit=chart.limit, weight=WEIGHT, rules=chart.rules)[0]
    stat, width = z.copy(), np.full(len(x), chart.limit)
    if chart.kind == "ewma":
        stat, width = np.full(len(x), np.nan), np.full(len(x), chart.limit * np.sqrt(WEIGHT / (2 - WEIGHT)))
        level = 0.0
        for at in rest:
            level = WEIGHT * z[at] + (1 - WEIGHT) * level if np.isfinite(z[at]) else level
            stat[at] = level
    scale = sigma * (np.median(error[base]) if chart.kind == "ewma" else error)
    shown = pd.DataFrame({"date": own["date"], "value": x, "centre": centre, "lower": centre - width * scale, "upper": centre + width * scale, "stat": centre + stat * scale, "signal": False, "baseline": np.arange(len(x)) <= there[size - 1]})
    shown.loc[rest, "signal"] = flags
    watched = int(np.isfinite(x[rest]).sum())
    alerts = _grouped(own, z, stat, rest, flags, chart, centre)
    about |= {"chart": chart.name, "rules": ", ".join(chart.rules), "limit": chart.limit, "baseline_last": own["date"].iloc[there[size - 1]], "baseline": size, "centre": centre, "sigma": sigma, "lag": lag}
    about |= {"length_known": chart.known, "length": run["length"], "p_quarter": run[quarter], "p_year": run[year], "watched": watched, "fired": len(alerts), "expected": watched / run["length"]}
    return shown, about, [{name: about[name] for name in ("period", "unit", "chart", "length", "p_quarter", "watched", "fired")} | one for one in alerts]


def _errors(own: pd.DataFrame, base: np.ndarray) -> np.ndarray:
    """The standard error of each period at the spread of the baseline's answers."""
    known = own.iloc[base]
    variance = levels.variances(known) * known["n_eff"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(np.nanmean(variance) / own["n_eff"].to_numpy(dtype=float))


def _lag(z: np.ndarray) -> float:
    """The correlation of a value with the next, where it is surely above zero; else 0."""
    z = z - z.mean()
    found = float((z[1:] * z[:-1]).sum() / (z**2).sum()) if (z**2).sum() > 0 else 0.0
    return min(found, 0.9) if found > 1.645 / np.sqrt(len(z)) else 0.0


def _grouped(own, z, stat, rest, flags, chart, centre) -> list[dict]:
    """Signals that follow each other are one alert: from the period that gave it, and since when the values have lain on that side."""
    found, days = [], own["date"]
    for at in rest[flags]:
        side = np.sign(stat[at])
        if found and at - found[-1]["last_at"] <= CALM and side == found[-1]["side"]:
            found[-1]["last_at"] = int(at)
            continue
        beyond = chart.kind != "ewma" and abs(z[at]) > chart.limit
        since = int(at) if beyond else _since(z, int(rest[0] if not found else found[-1]["last_at"] + 1), int(at))
        found.append({"first_at": int(at), "last_at": int(at), "since_at": since, "side": side})
    for one in found:
        span = slice(one["since_at"], one["last_at"] + 1)
        n, x = own["n_eff"].to_numpy(dtype=float)[span], own["estimate"].to_numpy(dtype=float)[span]
        use = np.isfinite(x) & (n > 0)
        one |= {"first": days[one["first_at"]], "since": days[one["since_at"]], "last": days[one["last_at"]], "open": int(rest[-1] - one["last_at"] <= CALM), "periods": int(one["last_at"] - one["first_at"] + 1)}
        one |= {"direction": "above" if one["side"] > 0 else "below", "estimate": float(np.average(x[use], weights=n[use])), "centre": float(centre), "n": int(own["n"].to_numpy()[span][use].sum()), "note": ""}
    return found


def _since(z: np.ndarray, first: int, at: int) -> int:
    """The period from which a step is likeliest, given that it was seen at `at`: the maximum of likelihood (Samuel, Pignatiello & Calvin 1998, Quality Engineering 10)."""
    course = z[first : at + 1]
    use = np.isfinite(course)
    sums, count = np.cumsum(np.where(use, course, 0)[::-1])[::-1], np.cumsum(use[::-1])[::-1]
    return first + int(np.argmax(np.where(use, sums**2 / np.maximum(count, 1), -1)))


def watched(tables) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the alerts of every KPI and of the number of answers of each survey that dates its answers, and the charts that gave them.

    Alerts, the latest first: alert_id, kpi ("answers" for their number), survey, period, unit, chart, direction, first (period that alerted), since (from which the values lie on that side),
    last, open (1 while it lasts), periods, estimate (since then, from n answers), centre, better (1 where the direction is the good one), segment and value where the answers of one group
    moved otherwise than the others (value_estimate against value_before), length (periods to a false alert, by simulation), p_quarter (chance of one in a quarter),
    watched and fired (periods and alerts of this chart), note. Charts: limits, baseline, run lengths with known and estimated limits, expected (false alerts in
    the periods watched). Third, the periods with their limits, as `watch` gives them. One move that several rules see is one alert.
    """
    programme, charts, found, periods = tables.programme, [], [], []
    designs = waves.samples(tables)
    for survey in programme.surveys:
        if survey.dated_by == "fieldwork_close":
            continue
        counted = None
        for kpi in [one for one in programme.kpis if survey.id in surveys_of(programme, one)]:
            period, tallied = levels._periods(tables, kpi, survey.id)
            least, answers = cells.limit(programme, survey.id), tallied.groupby("date")["n"].sum()
            tallied = tallied[~tallied["date"].isin(levels._few(tallied, least, tables.programme))]
            if tallied.empty:
                continue
            days = [wave.first for wave, _ in programme.breaks(survey.id, kpi.item)]
            series = levels._designed(metrics.estimate(tallied, definition=kpi.definition, by="date"), designs.get(survey.id), kpi, period)
            shown, made, seen = watch(series, period=period, breaks=days)
            periods.append(shown.assign(kpi=kpi.id, survey=survey.id, unit=series["unit"].iloc[0]))
            charts.append(made.assign(kpi=kpi.id, survey=survey.id))
            good = metrics.definition_of(kpi.definition).good
            for one in seen.to_dict("records"):
                better = int((one["direction"] == "above") == (good == "high"))
                found.append(one | {"kpi": kpi.id, "survey": survey.id, "better": better} | _where(tables, kpi, survey.id, one))
            counted = (period, answers) if counted is None or answers.sum() > counted[1].sum() else counted
        if counted is not None:
            period, answers = counted
            volume = _complete(answers, period, tables)
            if len(volume) < 2 or (least > 1 and (volume["n"] < least).any()):
                continue  # how few answered in a week is nobody's business
            volume = volume.assign(estimate=volume["n"].astype(float), n_eff=1.0, std_error=np.nan, unit="count")
            shown, made, seen = watch(volume, period=period)
            periods.append(shown.assign(kpi=VOLUME, survey=survey.id, unit="count"))
            charts.append(made.assign(kpi=VOLUME, survey=survey.id))
            found += [one | {"kpi": VOLUME, "survey": survey.id, "better": int(one["direction"] == "above")} for one in seen.to_dict("records")]
    charts = pd.concat(charts, ignore_index=True) if charts else pd.DataFrame()
    found = pd.DataFrame(found)
    if len(found):
        found["alert_id"] = [f"{row.survey}.{row.kpi}.{row.first:%Y-%m-%d}" for row in found.itertuples()]
        found = found.sort_values(["first", "survey", "kpi"], ascending=[False, True, True], kind="stable", ignore_index=True)
    days = {name: "datetime64[us]" for name in ("first", "since", "last")}  # also where there is none
    return found.reindex(columns=ALERTS).astype(days), charts.reindex(columns=CHARTS), pd.concat(periods, ignore_index=True) if periods else pd.DataFrame(columns=["date", "kpi", "survey"])


def _complete(answers: pd.Series, period: str, tables) -> pd.DataFrame:
    """Answers of whole periods, those without any as 0: the first and the last may be cut by the days of fieldwork."""
    code = levels.PERIODS[period]
    every = pd.period_range(answers.index.min(), answers.index.max(), freq=code)
    end = pd.Timestamp(quarters.bounds(tables.quarter, start=tables.programme.fiscal_year_start, label=tables.programme.fiscal_year_label)[1])
    n = pd.Series(answers.to_numpy(), index=pd.PeriodIndex(answers.index, freq=code)).reindex(every, fill_value=0)
    n = n[[at > 0 and one.end_time.normalize() <= end for at, one in enumerate(every)]]
    return pd.DataFrame({"date": n.index.start_time, "n": n.to_numpy()})


def _where(tables, kpi, survey: str, alert: dict) -> dict:
    """The group of answers that moved otherwise than the others of its segment, if one did beyond chance (all segments counted)."""
    programme, best = tables.programme, None
    segments = [segment for segment in programme.segments if segment.table == "responses" and segment.field != kpi.item]
    if cells.limit(programme, survey) > 1 or not segments:
        return {}
    for segment in segments:
        counted = tables.tally("responses", by={"answered_on": "answered_on", "value": segment.field, "score": kpi.item}, where={"survey": survey})
        counted = counted[counted["score"].notna() & counted["value"].notna()]
        if counted.empty:  # a segment that this survey does not know
            continue
        day = pd.to_datetime(counted["answered_on"])
        end = pd.Timestamp(alert["last"]) + pd.Timedelta(days={"week": 6, "month": 30}.get(alert["period"], 90))
        counted = counted.assign(now=np.where(day < pd.Timestamp(alert["since"]), 0, np.where(day <= end, 1, -1)), value=counted["value"].astype(str).replace(dict(segment.values)))
        both = metrics.estimate(counted[counted["now"] >= 0], definition=kpi.definition, by=["value", "now"]).pivot(index="value", columns="now", values=["estimate", "std_error", "n"])
        if both.shape[1] < 6:
            continue
        both = both[(both["n"] >= 10).all(axis=1) & (both["std_error"] > 0).all(axis=1)]
        if len(both) < 2:
            continue
        moved, variance = both["estimate"][1] - both["estimate"][0], both["std_error"][1] ** 2 + both["std_error"][0] ** 2
        p = spread.between(moved, variance)["p"] * len(segments)
        if p < 0.05 and (best is None or p < best[0]):
            far = ((moved - np.average(moved, weights=1 / variance)) / np.sqrt(variance) * (1 if alert["direction"] == "above" else -1)).idxmax()
            best = (p, {"segment": segment.id, "value": far, "value_estimate": both.loc[far, ("estimate", 1)], "value_before": both.loc[far, ("estimate", 0)]})
    return best[1] if best else {}
