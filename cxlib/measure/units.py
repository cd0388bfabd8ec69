"""Small units: teams, shops, channels, accounts. Each is drawn towards the mean of all as far as its few answers leave open, and none is ranked on noise."""

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.measure import ledger, levels, metrics, spread, waves

FIELDS = ("team", "account_id")  # looked at where the programme declares no units
SURE = 0.975  # probability from which a unit is said to lie above the mean, or below at 1 - SURE
WARN, ALARM = 0.95, 0.998  # levels of the funnel
KEYS = ["kpi", "survey", "wave", "quarter", "segment"]
COLUMNS = [*KEYS, "value", "definition", "unit", "estimate", "std_error", "n", "n_eff", "shrunk", "conf_low", "conf_high", "shrinkage", "p_above", "verdict", "centre", "low_95", "high_95", "low_998", "high_998", "waves", "flag", "note"]
SPREAD = [*KEYS, "unit", "n", "units", "withheld", "single", "once", "estimate", "std_error", "spread", "spread_low", "spread_high", "q", "p", "i2", "phi", "dispersed", "apart", "answer_sd", "note"]


def cuts(tables) -> list[tuple[str, str, dict]]:
    """Return the kinds of units as (id, column of the responses, labels): those declared, else team and account where answers tell them."""
    there = tables["responses"].columns
    if tables.programme.units:
        return [(one.id, one.field, dict(one.values)) for one in tables.programme.units if one.field in there]
    labels = {segment.field: dict(segment.values) for segment in tables.programme.segments}
    return [(name, name, labels.get(name, {})) for name in FIELDS if name in there]


def compared(tables, *, segments: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every unit of each KPI in the latest wave of each survey, drawn towards the mean of all, and how far the units lie apart.

    First frame, a row a unit: kpi, survey, wave, quarter, segment (kind of unit), value, definition, unit, estimate, std_error (of the spread of all units' answers:
    a unit of four promoters has none of its own), n, n_eff, shrunk, conf_low, conf_high (95 %), shrinkage (weight of the mean of all), p_above, verdict
    (above, below, not told apart), centre, low_95 .. high_998 (limits of the funnel at its base), waves (in how many it has answers), flag, note.
    Second, a row a kind of unit: units, withheld, single (with one answer), once (in this wave only), estimate (mean of the units), spread (standard deviation
    between units, REML) with its 95 % interval, q, p, i2, phi, dispersed (limits let the spread through), apart (the
    units differ by more than chance: p survives the ledger's rule for exploratory tests), answer_sd. Where they do not, none of them is told apart. Small cells of anonymous surveys are withheld, with those
    from which they follow; so are teams of staff that are too small, and what `segments` (`waves.by_segment`, made here if not given) withholds of the same field. What is withheld takes part in nothing.
    """
    found = _protected(tables, _latest(tables), segments)
    rows, whole = [], []
    for keys, own in found.groupby(KEYS, sort=False):
        own, about = _kind(own.reset_index(drop=True))
        rows.append(own)
        whole.append(dict(zip(KEYS, keys)) | about)
    both = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)
    apart = pd.DataFrame(whole, columns=SPREAD)
    apart["apart"] = _survive(apart)
    alike = apart.loc[apart["apart"] == 0, KEYS].assign(alike=True)
    same = both[KEYS].merge(alike, on=KEYS, how="left")["alike"].notna() if len(both) else pd.Series(dtype=bool)
    if len(both):
        both["verdict"] = both["verdict"].mask(same.to_numpy() & both["verdict"].isin(["above", "below"]), "not told apart")
    return both.reindex(columns=COLUMNS), apart


def _survive(whole: pd.DataFrame) -> np.ndarray:
    """Which kinds of units differ by more than chance, when all that were looked at are counted: the ledger's rule for exploratory tests."""
    if whole.empty:
        return np.zeros(0, dtype=int)
    told = pd.DataFrame({"test_id": [str(at) for at in range(len(whole))], "study": "03", "family": "units", "kind": "exploratory", "what": "", "n": 0, "estimate": whole["spread"].to_numpy(dtype=float), "conf_low": np.nan, "conf_high": np.nan, "p": whole["p"].to_numpy(dtype=float)})
    return ledger.adjust(told)["survives"].to_numpy().astype(int)


def _latest(tables) -> pd.DataFrame:
    """The units' estimates in the latest wave of each survey, with the number of waves each was seen in."""
    parts, designs, programme = [], waves.samples(tables), tables.programme
    for name, field, labels in cuts(tables):
        if tables["responses"][field].notna().any():
            found = waves.kpis(tables, by=field, labels=labels, designs=designs).assign(segment=name)
            found["waves"] = found.groupby(["kpi", "survey", "value"])["wave"].transform("nunique").astype(float)
            found = found[found["quarter"] == found.groupby(["kpi", "survey"])["quarter"].transform("max")]
            found = found[found.groupby(["kpi", "survey"])["value"].transform("nunique") > 1]
            if not tables.programme.units:  # a customer with an account of one is no unit
                found = found[found.groupby(["kpi", "survey"])["n"].transform("median") >= 2]
            if field in ("team", "staff_id"):
                found = cells.blanked(found, waves.small_teams(tables, found))
            parts.append(found)
    if not parts:
        return waves.kpis(tables).iloc[:0].assign(segment="", value="", waves=np.nan)
    found = pd.concat(parts, ignore_index=True)
    order = {kpi.id: at for at, kpi in enumerate(programme.kpis)}
    return found.sort_values(["kpi", "survey"], key=lambda column: column.map(order) if column.name == "kpi" else column, kind="stable", ignore_index=True)


def _twice(tables, segments: pd.DataFrame | None) -> set:
    """Units that are segments too, and withheld there: shown here, they would give themselves away: (survey, wave, kind, value)."""
    fields = {segment.id: segment.field for segment in tables.programme.segments if segment.table == "responses"}
    kinds = {field: name for name, field, _ in cuts(tables) if field in fields.values()}
    if not kinds:
        return set()
    segments = waves.by_segment(tables) if segments is None else segments
    gone = segments[(segments["flag"] == cells.WITHHELD) & segments["segment"].map(fields).isin(list(kinds))]
    return set(zip(gone["survey"], gone["wave"], gone["segment"].map(fields).map(kinds), gone["value"]))


def _protected(tables, found: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    """Withhold small units of anonymous surveys, and others from which they follow: by the sum of all, of a segment that is made of whole units, of a coarser unit."""
    programme, responses = tables.programme, tables["responses"]
    twice = _twice(tables, segments) if len(found) else set()
    gone = pd.Series([row in twice for row in zip(found["survey"], found["wave"], found["segment"], found["value"])], index=found.index, dtype=bool)
    fields = {name: field for name, field, _ in cuts(tables)}
    for (survey, wave), own in found.groupby(["survey", "wave"], sort=False):
        least = cells.limit(programme, survey)
        if least <= 1:
            continue
        answers = responses[(responses["survey"] == survey) & (responses["wave"] == wave)]
        names = lambda field, labels, answers=answers: answers[field].astype("str").replace(labels).where(answers[field].notna())
        kinds = {name: names(field, labels) for name, field, labels in cuts(tables) if name in set(own["segment"])}
        coarser = kinds | {f"segment {one.id}": names(one.field, dict(one.values)) for one in programme.segments if one.table == "responses" and one.field in answers and one.field not in {fields[kind] for kind in kinds}}
        away = (own["flag"] == cells.WITHHELD) | gone[own.index]
        hidden: set = set(zip(own.loc[away, "segment"], own.loc[away, "value"]))
        for kpi in own["kpi"].unique():
            counted = answers[programme.kpi(kpi).item].notna()
            n = pd.concat([values[counted].value_counts().rename(lambda value, kind=kind: (kind, value)) for kind, values in kinds.items()])
            n = pd.Series(n.to_numpy(dtype=float), index=pd.Index(list(n.index), tupleize_cols=False))
            sums = []  # the narrower sums first: what hides a unit within its region needs no further one for the sum of all
            for kind, values in kinds.items():
                for name, coarse in coarser.items():
                    if name != kind:
                        sums += _whole(n, kind, values[counted], name, coarse[counted])
            sums += [(float(n[[cell[0] == kind for cell in n.index]].sum()), [cell for cell in n.index if cell[0] == kind]) for kind in kinds]
            state = cells.protect(n, sums, limit=least, hidden=hidden)
            hidden |= {cell for cell, why in zip(state.index, state) if why}
        gone[own.index] = [cell in hidden for cell in zip(own["segment"], own["value"])]
    return cells.blanked(found, gone)


def _whole(n: pd.Series, kind: str, fine: pd.Series, name: str, coarse: pd.Series) -> list[tuple]:
    """The values of a coarser cut that consist of whole units: (their sum or their cell, the units)."""
    pairs = pd.DataFrame({"fine": fine, "coarse": coarse}).dropna().drop_duplicates()
    nested = pairs.groupby("fine")["coarse"].transform("nunique") == 1
    told = []
    for value, parts in pairs.assign(nested=nested).groupby("coarse"):
        units = [(kind, one) for one in sorted(parts["fine"])]
        if parts["nested"].all() and sum(n[one] for one in units) == (coarse == value).sum():
            told.append(((name, value) if (name, value) in n.index else float((coarse == value).sum()), units))
    return told


def _kind(own: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """One kind of unit of one KPI in one wave: its rows with shrinkage and limits, and how far the units lie apart."""
    there = own["n"].notna() & own["estimate"].notna() & (own["n_eff"].astype(float) > 0)
    about = {"unit": own["unit"].iloc[0], "n": float(own.loc[there, "n"].sum()), "units": int(there.sum()), "withheld": int((own["flag"] == cells.WITHHELD).sum()), "single": int((own.loc[there, "n"] == 1).sum()), "once": int((own.loc[there, "waves"] == 1).sum()), "note": ""}
    own = own.assign(**dict.fromkeys(("shrunk", "shrinkage", "p_above", "centre", "low_95", "high_95", "low_998", "high_998"), np.nan), verdict="")
    own[["conf_low", "conf_high"]] = np.nan
    use, variance = own[there], np.array([])
    if len(use) >= spread.LEAST:
        variance = levels.variances(use)
        variance = levels.variances(use, spread.shrunk(use["estimate"], variance)["shrunk"]) if (np.isfinite(variance) & (variance > 0)).all() else variance
    if len(use) < spread.LEAST or not (np.isfinite(variance) & (variance > 0)).all():
        few = f"fewer than {spread.LEAST} units with answers that may be shown" if len(use) < spread.LEAST else "all answers are the same"
        return own, about | dict.fromkeys(("estimate", "std_error", "spread", "spread_low", "spread_high", "q", "p", "i2", "phi", "answer_sd"), np.nan) | {"dispersed": 0, "note": f"not estimable ({few})"}
    apart = spread.between(use["estimate"], variance)
    drawn = spread.shrunk(use["estimate"], variance).set_index(use.index)
    n = use["n_eff"].to_numpy(dtype=float)
    centre = float(np.average(use["estimate"], weights=n))
    answer = float(np.average(variance * n, weights=n))
    over = spread.dispersion((use["estimate"].to_numpy(dtype=float) - centre) / np.sqrt(answer / n))
    extra = apart["tau2"] if over["dispersed"] else 0.0
    own.loc[there, drawn.columns] = drawn
    own.loc[there, "std_error"] = np.sqrt(variance)
    own.loc[there, "centre"] = centre
    bounds = metrics.definition_of(own["definition"].dropna().iloc[0]).bounds
    for name, level in (("95", WARN), ("998", ALARM)):
        low, high = spread.limits(n, centre=centre, spread=answer, unit=about["unit"], level=level, extra=extra, bounds=bounds)
        own.loc[there, f"low_{name}"], own.loc[there, f"high_{name}"] = low, high
    own[["conf_low", "conf_high", "shrunk"]] = own[["conf_low", "conf_high", "shrunk"]].clip(*bounds)
    verdict = np.select([own["p_above"] >= SURE, own["p_above"] <= 1 - SURE], ["above", "below"], "not told apart")
    own["verdict"] = np.where(there, verdict, "")
    return own, about | {"estimate": apart["mean"], "std_error": apart["std_error"], "spread": np.sqrt(apart["tau2"]), "spread_low": np.sqrt(apart["tau2_low"]), "spread_high": np.sqrt(apart["tau2_high"]), "q": apart["q"], "p": apart["p"], "i2": apart["i2"], "phi": over["phi"], "dispersed": int(over["dispersed"]), "answer_sd": np.sqrt(answer)}
