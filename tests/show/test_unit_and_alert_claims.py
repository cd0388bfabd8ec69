"""Sentences, files and figures of units and alerts."""

import re

import numpy as np
import pandas as pd

from cxlib.programme import Programme
from cxlib.show import calendars, claims, figures

POLL = {"id": "poll", "kind": "transactional", "promise": "confidential"}
PROGRAMME = Programme(name="P", surveys=(POLL, POLL | {"id": "calls", "label": "Calls"}), kpis=({"id": "nps", "label": "Score", "item": "x", "definition": "nps_0_10"}, {"id": "csat", "label": "Content", "item": "y", "definition": "csat_top2_of_5"}))


def alert(kpi="nps", **other):
    day = pd.Timestamp("2026-07-27")
    return {"alert_id": f"calls.{kpi}.2026-07-27", "kpi": kpi, "survey": "calls", "period": "week", "unit": "points", "chart": "EWMA", "direction": "below", "first": day, "since": day - pd.Timedelta(weeks=3), "last": day + pd.Timedelta(weeks=5), "open": 1, "periods": 6, "estimate": -8.0, "centre": 11.0, "n": 778, "better": 0, "segment": None, "value": None, "value_estimate": np.nan, "value_before": np.nan, "length": 366.0, "p_quarter": 0.024, "watched": 54, "fired": 1, "note": ""} | other


def charts(*kpis, **other):
    return pd.DataFrame([{"kpi": kpi, "survey": "calls", "chart": "EWMA", "period": "week", "length": 366.0, "p_quarter": 0.024, "note": ""} | other for kpi in kpis])


def test_what_several_figures_see_is_told_once():
    found = pd.DataFrame([alert(), alert("csat", unit="share", estimate=0.5, centre=0.64)])
    first, worth = claims.alerts.said(found, charts("nps", "csat"), PROGRAMME, "2026Q3")
    assert first.startswith("Calls: Score (−8 from 778 answers, where +11 was usual; alert in the week of 27 July 2026) and Content (50 % from 778 answers, where 64 % was usual")
    assert "lie below their limits; what moved them probably began around 6 July 2026." in first
    assert "Such a chart alerts by chance in 2 of 100 quarters; these have alerted once in 54 weeks each." in first
    assert worth.startswith("2 charts are watched. If nothing happened, about 0.05 false alerts would be expected in a quarter: one in 366 weeks a chart")


def test_rising_falling_and_quiet_charts_say_three_things():
    said = [claims.alerts.said(found, charts("nps"), PROGRAMME, "2026Q3")[0] for found in (pd.DataFrame([alert()]), pd.DataFrame([alert(direction="above", better=1, estimate=30.0)]), pd.DataFrame([alert(open=0, first=pd.Timestamp("2025-02-03"))]))]
    assert "below its limits" in said[0]
    assert "above its limits" in said[1]
    assert said[2] == "No chart has alerted in 2026Q3."


def test_a_series_that_is_too_short_is_named_with_its_reason():
    (sentence,) = claims.alerts.said(pd.DataFrame([alert()]).iloc[:0], charts("nps", chart="", note="12 weeks with answers"), PROGRAMME, "2026Q3")
    assert sentence == "Score, Calls is not watched: 12 weeks with answers."


def test_fault_19_and_20_a_calendar_holds_hostile_words_as_words():
    text = calendars.calendar([{"id": "a b;c", "day": pd.Timestamp("2026-07-27"), "title": "x\r\nBEGIN:VALARM, ä" + "é" * 60, "text": "one\ntwo; three\\"}], name="=cmd|x")
    lines = text.replace("\r\n ", "").split("\r\n")  # unfolded as a reader does (RFC 5545, 3.1)
    value = lambda name: re.sub(r"\\([\\;,nN])", lambda found: {"n": "\n", "N": "\n"}.get(found[1], found[1]), next(line for line in lines if line.startswith(name)).split(":", 1)[1])
    assert value("SUMMARY") == "x\nBEGIN:VALARM, ä" + "é" * 60
    assert value("DESCRIPTION") == "one\ntwo; three\\"
    assert value("DTSTART") == "20260727"
    assert [line for line in lines if line.startswith("BEGIN:")] == ["BEGIN:VCALENDAR", "BEGIN:VEVENT"]
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert text == calendars.calendar([{"id": "a b;c", "day": pd.Timestamp("2026-07-27"), "title": "x\r\nBEGIN:VALARM, ä" + "é" * 60, "text": "one\ntwo; three\\"}], name="=cmd|x")


def test_the_file_of_alerts_has_days_and_percentages():
    listed = claims.alerts.listed(pd.DataFrame([alert("csat", unit="share", estimate=0.5, centre=0.64)]), PROGRAMME).iloc[0]
    assert (listed["first"], listed["unit"], listed["estimate"], listed["false_alert_every"]) == ("2026-07-27", "percent", 50.0, 366)


def test_funnel_names_those_told_apart_only():
    frame = pd.DataFrame({"value": ["North", "South", "West"], "estimate": [30.0, 8.0, 9.0], "n_eff": [200.0, 50.0, 9.0], "centre": 9.0, "low_95": [0, -10, -40.0], "high_95": [18, 28, 58.0], "low_998": [-5, -20, -60.0], "high_998": [23, 38, 78.0], "verdict": ["above", "not told apart", "not told apart"]})
    ax = figures.units.funnel(frame)
    assert [text.get_text() for text in ax.texts] == ["North"]
    assert figures.units.funnel(frame.iloc[:0]).texts


def test_a_chart_marks_signals_and_breaks_between_baselines():
    frame = pd.DataFrame({"date": pd.date_range("2026-01-05", periods=12, freq="7D"), "value": 5.0, "centre": 5.0, "lower": 4.0, "upper": 6.0, "stat": [5.0] * 11 + [7.0], "signal": [False] * 11 + [True], "baseline": [True] * 3 + [False] * 3 + [True] * 3 + [False] * 3})
    ax = figures.alerts.chart(frame, unit="scale points")
    assert [len(line.get_xdata()) for line in ax.lines if line.get_marker() == "None"] == [6, 6, 6, 6]  # centre and course, once a baseline
    assert len(ax.lines[-1].get_xdata()) == 1
