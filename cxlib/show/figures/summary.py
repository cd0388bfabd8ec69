"""Figures of the summary: the KPIs side by side, each over its own time."""

from cxlib.show.figures import marks, topics, tracking


@marks.styled
def kpis(frame, ax=None, *, columns=3):
    """Draw each KPI over time as a small multiple on its own scale, with its interval and its last value.

    In: `kpi` (or `label`), `quarter` (or `date`), `estimate, conf_low, conf_high`, `n`; optional `unit` ('points', 'percent' or a noun;
    'points' where absent), `n_eff`, `flag`.
    """
    marks.need(frame, ["estimate", "conf_low", "conf_high"], "kpis")
    key = "label" if "label" in frame else "kpi"
    frame = frame.assign(_day=tracking.days(frame))
    groups = list(frame.groupby(key, sort=False))
    units = [str(group["unit"].iloc[0]) if "unit" in group else "points" for _, group in groups]
    return topics.multiples(groups, ax, unit=units, columns=columns)
