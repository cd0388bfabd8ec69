"""What is said of alerts: which charts have alerted, since when, and how often such a chart does so though nothing has happened."""

import pandas as pd

from cxlib import quarters
from cxlib.show import claims, prose
from cxlib.show.claims import tracking

VOLUME = "answers"


def said(found: pd.DataFrame, charts: pd.DataFrame, programme, quarter: str) -> list[str]:
    """Say what stands in alert or alerted within the quarter, those of one survey that go together in one sentence, then what the charts are worth.

    in: the first two frames of `alerts.watched`.
    """
    now = current(found, programme, quarter)
    told = [_together(group, programme) for group in _groups(now)]
    watching = charts[charts["chart"] != ""].groupby(["kpi", "survey"], sort=False).tail(1)
    if len(watching):
        told = told or [f"No chart has alerted in {quarter}."]
        false = watching["p_quarter"].sum()
        past = len(found) - len(now)
        earlier = f" Before {quarter} they had alerted {'once' if past == 1 else 'twice' if past == 2 else f'{prose.number(past)} times'} in all." if past else ""
        told.append(
            f"{prose.plural(len(watching), 'chart')} {'is' if len(watching) == 1 else 'are'} watched. If nothing happened, about {prose.number(false, digits=2 if false < 1 else 1)} false alerts would be expected in a quarter:"
            f" one in {_span(watching['length'].min(), watching['length'].max())} {prose.plural(2, watching['period'].iloc[0]).removeprefix('2 ')} a chart, by simulation with limits estimated from as many periods as here.{earlier}"
        )
    short = charts[charts["chart"] == ""].groupby(["kpi", "survey"], sort=False).tail(1)
    told += [f"{_name(programme, row.kpi, row.survey)} is not watched: {row.note}." for row in short.itertuples()]
    return told


def current(found: pd.DataFrame, programme, quarter: str) -> pd.DataFrame:
    """Return the alerts that are open or were given within the quarter."""
    first, last = quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)
    return found[(found["open"] == 1) | pd.to_datetime(found["first"]).between(pd.Timestamp(first), pd.Timestamp(last))].reset_index(drop=True)


def _groups(now: pd.DataFrame) -> list[pd.DataFrame]:
    """Alerts of one survey in the same direction, good or bad, whose spans meet: one happening, as far as a reader is concerned."""
    groups = []
    for _, own in now.assign(volume=now["kpi"] == VOLUME).groupby(["survey", "volume", "better"], sort=False):
        own = own.sort_values("since", kind="stable")
        reach = own["last"].cummax().shift()
        groups += [part.drop(columns="volume") for _, part in own.groupby((own["since"] > reach).cumsum())]
    return groups


def _together(group: pd.DataFrame, programme) -> str:
    rows = group.sort_values("first", kind="stable").to_dict("records")
    period, unit = rows[0]["period"], prose.plural(2, rows[0]["period"]).removeprefix("2 ")
    since, span = min(row["since"] for row in rows), f"the {period} of "
    seen = [f"{programme.label(row['kpi'])} ({_level(row['estimate'], row['unit'])} from {prose.plural(row['n'], 'answer')}, where {_level(row['centre'], row['unit'])} was usual; alert in {span}{prose.date(row['first'])})" if row["kpi"] != VOLUME else f"the number of answers a {period} ({_level(row['estimate'], 'count')}, where {_level(row['centre'], 'count')} was usual; alert in {span}{prose.date(row['first'])})" for row in rows]
    lie = "lies" if len(rows) == 1 else "lie"
    direction = rows[0]["direction"] if len({row["direction"] for row in rows}) == 1 else "outside"
    place = {"above": "above", "below": "below", "outside": "outside"}[direction]
    state = f"{lie} {place} {'its' if len(rows) == 1 else 'their'} limits" if any(row["open"] for row in rows) else f"lay {place} {'its' if len(rows) == 1 else 'their'} limits for a time"
    text = f"{claims.say(claims.heading(programme, rows[0]['survey']), f'{prose.join(seen)} {state}; what moved {_it(rows)} probably began around {prose.date(since)}.')}"
    apart = [f"{row['value']} ({programme.label(row['segment'])}) moved otherwise than the others: {tracking.value(row['value_estimate'], row['unit'])} against {tracking.value(row['value_before'], row['unit'])} before." for row in rows if isinstance(row["value"], str)]
    fired = max(int(row["fired"]) for row in rows)
    odds = f"Such a chart alerts by chance in {_chances(rows)} quarters; {'this one' if len(rows) == 1 else 'these'} {'has' if len(rows) == 1 else 'have'} alerted {'once' if fired == 1 else f'{fired} times' if len(rows) == 1 else f'at most {fired} times each'} in {_span(min(row['watched'] for row in rows), max(row['watched'] for row in rows))} {unit}{' each' if len(rows) > 1 and fired == 1 else ''}."
    return " ".join([text, *dict.fromkeys(apart), odds])


def _it(rows) -> str:
    return "it" if len(rows) == 1 else "them"


def _chances(rows) -> str:
    shares = sorted({prose.probability(row["p_quarter"]).removesuffix(" in 100") for row in (rows[0], rows[-1])} | {prose.probability(max(row["p_quarter"] for row in rows)).removesuffix(" in 100")}, key=lambda text: float(text.split()[-1]))
    return f"{shares[0]} of 100" if len(shares) == 1 else f"{shares[0]} to {shares[-1]} of 100"


def _name(programme, kpi: str, survey: str) -> str:
    return claims.name(programme, kpi, survey) if kpi != VOLUME else f"The number of answers, {programme.label(survey)}"


def name(programme, row) -> str:
    """Return what a chart watches: 'Net Promoter Score, Pulse'."""
    return _name(programme, row["kpi"], row["survey"])


def _level(value: float, unit: str) -> str:
    return prose.number(value, digits=0) if unit == "count" else tracking.value(value, unit)


def _span(low: float, high: float) -> str:
    low, high = prose.number(low, digits=0), prose.number(high, digits=0)
    return low if low == high else f"{low} to {high}"


def listed(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return alerts as other systems take them (alerts.csv): ids and words, days in ISO form, shares as percentages."""
    scale = found["unit"].map({"share": 100.0}).fillna(1.0)
    shown = found.assign(
        kpi_label=[_name(programme, row.kpi, row.survey) for row in found.itertuples()],
        **{column: found[column] * scale for column in ("estimate", "centre", "value_estimate", "value_before")}, unit=found["unit"].replace({"share": "percent"}),
        **{column: pd.to_datetime(found[column]).dt.strftime("%Y-%m-%d") for column in ("first", "since", "last")},
        false_alert_every=found["length"].round(), false_alert_in_quarter=found["p_quarter"],
    )  # fmt: skip
    first = ["alert_id", "kpi", "survey", "kpi_label"]
    return shown[[*first, *(column for column in shown if column not in (*first, "length", "p_quarter"))]]


def entries(found: pd.DataFrame, programme) -> list[dict]:
    """Return alerts as entries of a calendar: id, day, title, text."""
    return [{"id": row["alert_id"], "day": row["first"], "title": f"{_name(programme, row['kpi'], row['survey'])}: alert, {row['direction']} the limits", "text": _together(pd.DataFrame([row]), programme)} for row in found.to_dict("records")]
