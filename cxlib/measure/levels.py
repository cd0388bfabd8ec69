"""The level behind the noise: a local-level model of a key figure whose sampling error is known in every period.

What was measured is the level plus sampling error, and the level moves by a random step a period: y_t = m_t (+ season) + e_t,
e_t ~ N(0, h_t), m_t = m_t-1 + s_t, s_t ~ N(0, q). The sampling variances h_t are known from the answers, only q is not. Instead of one
value for q, a grid of values is weighed by how well each predicted the next period, so that the interval carries that q is not known.
Periods without answers have a level too, with a wider interval. Source: Durbin & Koopman (2012), Time Series Analysis by State Space
Methods, 2.2-2.4, 2.12, 4.3-4.5, 7.2; sampling variances as known observation variances: Scott & Smith (1974); Pfeffermann (1991).
"""

import numpy as np
import pandas as pd

from cxlib import cells, quarters
from cxlib.errors import DataError
from cxlib.load.bases import surveys_of
from cxlib.measure import design, metrics, waves
from cxlib.measure.metrics import Z

GRID = 40  # values of the step's standard deviation that are weighed
DIFFUSE = 1e6  # variance of what nothing is known of, in squared standard deviations of the series
JUMP = 4.0  # and of a jump that is looked for
ODDS = 1.0  # prior odds that a series has a jump at all, spread over its periods
MOST, CANDIDATES = 3, 5  # jumps that are let through; places that are looked at for each
LEAST = 4  # periods with answers without which steps cannot be told from noise
YEARS = 2.0  # years of periods from which a season can be told from a move
ENOUGH = 10  # answers in the middle period: with fewer, periods are longer
PERIODS = {"week": "W", "month": "M"}
COLUMNS = ["kpi", "survey", "period", "date", "unit", "estimate", "sampling", "n", "n_eff", "level", "conf_low", "conf_high", "filtered", "filtered_low", "filtered_high", "forecast", "forecast_sd", "surprise", "seasonal", "break", "jump", "step_sd", "note"]


def variances(estimates: pd.DataFrame, level=None) -> np.ndarray:
    """Return the sampling variance of each estimate, from the spread of all periods together.

    in: rows of `metrics.estimate` (estimate, std_error, n_eff, unit) and, in a second round, the `level` the spread is taken at. A wave of forty
    promoters has an estimated variance of 0, which would be infinite weight; so for points promoters and detractors are pooled over the periods
    (v = p + d - s^2), shares take v = s(1 - s), means the pooled variance, each over the period's own effective base. NaN without answers.
    """
    n, x, error = (estimates[name].to_numpy(dtype=float) for name in ("n_eff", "estimate", "std_error"))
    use = np.isfinite(x) & (n > 0)
    unit = estimates["unit"].iloc[0] if len(estimates) else "scale"
    centre = np.where(use, x, np.nan) if level is None else np.asarray(level, dtype=float)
    middle = np.average(x[use], weights=n[use]) if use.any() else np.nan
    centre = np.full(len(x), middle) if level is None else centre
    with np.errstate(invalid="ignore", divide="ignore"):
        if unit == "share":
            spread = np.clip(centre, 0.005, 0.995) * (1 - np.clip(centre, 0.005, 0.995))
        elif unit == "points":
            known = use & np.isfinite(error)
            ends = np.average((error[known] / 100) ** 2 * n[known] + (x[known] / 100) ** 2, weights=n[known]) if known.any() else np.nan
            spread = 100.0**2 * np.maximum(ends - (centre / 100) ** 2, 0.01)
        else:
            known = use & np.isfinite(error) & (n > 1)
            spread = np.full(len(x), np.average(error[known] ** 2 * n[known], weights=n[known]) if known.any() else np.nan)
        return np.where(use, spread / n, np.nan)


def level(estimates: pd.DataFrame, *, date: str = "date", season: int = 0, breaks=(), find: bool = True) -> pd.DataFrame:
    """Say where a key figure really stood in every period.

    in: rows of `metrics.estimate` of one key figure with a column of days, one row a period in any order; a period without answers may be
    missing or have no estimate. `season` harmonics of the year (0: none). `breaks` are days from which the level may have jumped (a new
    wording, a new mode); with `find`, jumps that no ordinary step explains are looked for (three at most, each where
    it is likelier than not) and let through, so that one fall does not make every other week look unsteady.
    out, a row a period in order: date, estimate, n_eff, sampling (standard error of the estimate), level, conf_low, conf_high (95 %, given all periods),
    filtered, filtered_low, filtered_high (given the periods up to then), forecast, forecast_sd (of the next estimate, before it was seen), surprise
    (standardised forecast error; mean 0, sd 1 if the model holds), seasonal, break (a jump in the most
    likely course), jump (probability of one there), step_sd (sd of the level's step a usual
    period: mean over the weighed values), note. In the unit of the estimates. With fewer than four periods with answers the level
    is the estimate itself, and the note says so.
    """
    frame = estimates.assign(**{date: pd.to_datetime(estimates[date])}).sort_values(date, kind="stable").reset_index(drop=True)
    if frame[date].duplicated().any():
        raise DataError(f"Two rows stand for {frame.loc[frame[date].duplicated(), date].iloc[0]:%Y-%m-%d}: a level needs one row a period.")
    x, day = frame["estimate"].to_numpy(dtype=float), frame[date].to_numpy().astype("datetime64[D]").astype(float)
    seen = np.isfinite(x) & (frame["n_eff"].to_numpy(dtype=float) > 0)
    if seen.sum() < LEAST:
        return _plain(frame, date, f"fewer than {LEAST} periods with answers: the estimates as they are")
    usual = np.median(np.diff(day[seen]))
    gaps = np.diff(day, prepend=day[0]) / usual
    years = (day[-1] - day[0]) / 365.25
    waves = _season(day, season) if season and years >= YEARS else np.empty((len(day), 0))
    jumps = np.zeros(len(day))
    for one in breaks:
        if (place := int(np.searchsorted(day, np.datetime64(pd.Timestamp(one), "D").astype(float)))) < len(day):
            jumps[place] = DIFFUSE
    found = None
    for _ in range(2):  # the spread is taken at the level, and the level needs the spread
        h = variances(frame, None if found is None else found["level"] + found["seasonal"])
        found = _mixed(_models(x, h, gaps, waves, jumps, seen if find else np.zeros(len(x), dtype=bool)))
    out = pd.DataFrame({date: frame[date], "estimate": np.where(seen, x, np.nan), "n_eff": frame["n_eff"], "sampling": np.sqrt(h)})
    for name, middle, sd in (("level", "level", "level_sd"), ("filtered", "filtered", "filtered_sd")):
        low, high = ("conf_low", "conf_high") if name == "level" else ("filtered_low", "filtered_high")
        out[name], out[low], out[high] = found[middle], found[middle] - Z * found[sd], found[middle] + Z * found[sd]
    first = np.arange(len(day)) <= np.flatnonzero(seen)[waves.shape[1]]  # nothing is known before, so nothing was forecast
    first |= found["jumps"] > 0
    out["forecast"], out["forecast_sd"] = np.where(first, np.nan, found["forecast"]), np.where(first, np.nan, found["forecast_sd"])
    out["surprise"] = (out["estimate"] - out["forecast"]) / out["forecast_sd"]
    return out.assign(seasonal=found["seasonal"], **{"break": found["jumps"] > 0}, jump=found["jump"], step_sd=found["step_sd"], note="")


def tracked(tables) -> pd.DataFrame:
    """Return the level of every KPI and survey over its periods: the columns of `level`, with kpi, survey, period, unit and n.

    Surveys that date each answer go by week, or by month where the middle week has fewer than ten answers; those that date by their
    fieldwork go by wave. Where a survey has a design (`waves.samples`) its sampling variance carries the design effect. A wave from which answers may not be compared with those before starts anew. Series too short for a level are left out.
    """
    programme, parts, designs = tables.programme, [], waves.samples(tables)
    for kpi in programme.kpis:
        for survey in surveys_of(programme, kpi):
            period, counted = _periods(tables, kpi, survey)
            counted = counted[~counted["date"].isin(_few(counted, cells.limit(programme, survey), programme))]
            if counted["date"].nunique() < LEAST:
                continue
            found = _designed(metrics.estimate(counted, definition=kpi.definition, by="date"), designs.get(survey), kpi, period)
            # A wave stands at the middle of its quarter, which may lie before its first day.
            starts = [quarters.bounds(wave.quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[0] if period == "wave" else wave.first for wave, _ in programme.breaks(survey, kpi.item)]
            made = level(found, breaks=starts).merge(found[["date", "n"]], on="date")
            if (made["note"] == "").all():
                parts.append(made.assign(kpi=kpi.id, survey=survey, period=period, unit=found["unit"].iloc[0]))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _designed(found: pd.DataFrame, sample, kpi, period: str) -> pd.DataFrame:
    """Return the estimates of the periods with the effective base that the design leaves: one design effect a survey, from all periods together.

    A week of fifteen answers cannot tell its own (and keeping only those above one would overstate them), so variances under the design are
    added up over periods, and so are those without it, each weighed by its base. Below one only where strata, margins or a near census explain it. That the same people
    answer in two periods is not in it.
    """
    if sample is None:
        return found
    own = sample.frame[sample.frame["wave"].isin(sample.waves)]
    days = pd.to_datetime(own["answered_on"]).dt.to_period(PERIODS.get(period, "Q")).dt.start_time if period in PERIODS else own["wave"]
    own, parts = own.assign(period_=days.where(own[kpi.item].notna())), []
    gains, cluster = sample.options["strata"] or sample.options["margins"] or sample.universe, sample.options["cluster"]
    if not gains and not own.loc[own["period_"].notna() & own[cluster].notna()].duplicated(["period_", cluster]).any():
        return found  # nobody twice in a period
    for wave, rows in own.groupby("wave", sort=True):
        if rows[kpi.item].notna().any():
            drawn = design.estimate(rows, score=kpi.item, definition=kpi.definition, by="period_", population=sample.universe.get(wave), **sample.options)
            plain = metrics.estimate(metrics.tally(rows[rows[kpi.item].notna()], score=kpi.item, by="period_", weight="weight"), definition=kpi.definition, by="period_")
            parts.append(pd.DataFrame({"drawn": drawn["std_error"].to_numpy() ** 2, "plain": plain["std_error"].to_numpy() ** 2, "base": plain["n_eff"].to_numpy(), "n": plain["n"].to_numpy()}))
    both = pd.concat(parts, ignore_index=True).dropna() if parts else pd.DataFrame(columns=["drawn", "plain", "base", "n"])
    if not (both["base"] @ both["plain"]) > 0:
        return found
    effect = float((both["base"] @ both["drawn"]) / (both["base"] @ both["plain"]))
    effect = effect if gains else max(effect, 1.0)
    return found.assign(n_eff=found["n_eff"] / effect, std_error=found["std_error"] * np.sqrt(effect))


def _periods(tables, kpi, survey: str) -> tuple[str, pd.DataFrame]:
    """The tally of a KPI by week, month or wave, each under its first day (a wave under the middle of its quarter)."""
    if tables.programme.survey(survey).dated_by == "fieldwork_close":
        counted = tables.tally("responses", by={"quarter": "quarter", "score": kpi.item}, where={"survey": survey})
        calendar = {"start": tables.programme.fiscal_year_start, "label": tables.programme.fiscal_year_label}
        first = {quarter: pd.Timestamp(quarters.bounds(quarter, **calendar)[0]) for quarter in counted["quarter"].unique()}
        return "wave", counted[counted["score"].notna()].assign(date=counted["quarter"].map(first) + pd.Timedelta(days=45))
    for period, code in PERIODS.items():
        counted = tables.tally("responses", by={"date": ("answered_on", code), "score": kpi.item}, where={"survey": survey})
        counted = counted[counted["score"].notna() & counted["date"].notna()]
        if period == "month" or counted.groupby("date")["n"].sum().median() >= ENOUGH:
            return period, counted.reset_index(drop=True)
    raise ValueError(survey)


def _few(counted: pd.DataFrame, limit: int, programme) -> list:
    """Periods of an anonymous survey that would tell of too few persons, and those that must go with them, fiscal quarter by fiscal quarter."""
    n = counted.groupby("date")["n"].sum().astype(float)
    if limit <= 1 or not ((n > 0) & (n < limit)).any():
        return []
    quarter = pd.Series(n.index, index=n.index).map(programme.quarter_of)
    state = cells.protect(n, [(float(n[quarter == one].sum()), list(n.index[quarter == one])) for one in quarter.unique()], limit=limit)
    return list(n.index[(state != "").to_numpy()])


def scored(found: pd.DataFrame) -> dict:
    """Say how well each next period was forecast: n, error (root mean square), naive (that of 'as last time'), inside (share of estimates in their 95 % forecast interval), lag1 (correlation of a surprise with the next)."""
    ahead = found.dropna(subset=["surprise"])
    last = found["estimate"].ffill().shift()
    naive = (found["estimate"] - last).loc[ahead.index]
    z = ahead["surprise"].to_numpy()
    lag = float(np.corrcoef(z[1:], z[:-1])[0, 1]) if len(z) > 3 else float("nan")
    return {"n": len(ahead), "error": float(np.sqrt(((ahead["estimate"] - ahead["forecast"]) ** 2).mean())), "naive": float(np.sqrt((naive**2).mean())), "inside": float((np.abs(z) <= Z).mean()), "lag1": lag}


def _season(day, harmonics):
    turn = 2 * np.pi * day / 365.25
    return np.column_stack([wave(turn * k) for k in range(1, harmonics + 1) for wave in (np.cos, np.sin)])


def _weigh(x, h, gaps, waves, jumps: list) -> list[dict]:
    """Run the filter and the smoother for every value of the grid and mix them by how well each predicted; one result for each set of jumps."""
    scale = np.nanstd(x) or 1.0
    noise = np.sqrt(np.nanmedian(h)) / scale
    top = max(3.0 * noise, 3.0)  # a step of three standard deviations of the whole series
    sds = top * np.linspace(0, 1, GRID) ** 2.5  # fine where the level hardly moves
    # A flat prior on the step's standard deviation: each value of the grid stands for the stretch around it.
    stretch = np.gradient(sds)
    runs = _filter(x / scale, h / scale**2, gaps, waves, np.repeat(np.array(jumps), GRID, axis=0), np.tile(sds**2, len(jumps)))
    return [_mix({name: values[at * GRID : (at + 1) * GRID] for name, values in runs.items()}, sds, stretch / stretch.sum(), scale) for at in range(len(jumps))]


def _mix(found: dict, sds, prior, scale) -> dict:
    best = found["likelihood"].max()
    weight = np.exp(found["likelihood"] - best) * prior
    evidence = best + np.log(weight.sum())
    weight /= weight.sum()
    mixed = {"step_sd": float(weight @ sds) * scale, "evidence": evidence, "jump_z": weight @ np.abs(found["aux"])}
    for name in ("level", "filtered", "forecast"):
        middle = weight @ found[name]
        spread = weight @ (found[f"{name}_var"] + (found[name] - middle) ** 2)
        mixed[name], mixed[f"{name}_sd"] = middle * scale, np.sqrt(spread) * scale
    mixed["seasonal"] = (weight @ found["seasonal"]) * scale
    return mixed


def _filter(x, h, gaps, waves, jumps, q):
    """Kalman filter and smoother, all values of q at once. The state is the level and the season's coefficients, which do not move."""
    return _scalar(x, h, gaps, jumps, q) if not waves.shape[1] else _seasonal(x, h, gaps, waves, jumps, q)


def _scalar(x, h, gaps, jumps, q):
    """The filter and the smoother without a season: everything is a number, for each value of q (Durbin & Koopman 2012, 2.2-2.4, 2.12)."""
    size, many = len(x), len(q)
    seen, usual = np.isfinite(h) & np.isfinite(x), np.nanmedian(h)
    first = np.flatnonzero(seen)[:1]  # only finds where the level is, and so does the first after a declared break
    before, spread, v, f, gain, filtered, filtered_var = (np.zeros((size, many)) for _ in range(7))
    a, p = np.zeros(many), np.full(many, DIFFUSE)
    step = np.outer(gaps, q) + jumps.T
    for t in range(size):
        if t:
            p = p + step[t]
        before[t], spread[t] = a, p
        if seen[t]:
            f[t], v[t] = p + h[t], x[t] - a
            gain[t] = p / f[t]
            a, p = a + gain[t] * v[t], p * (1 - gain[t])
        filtered[t], filtered_var[t] = a, p
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where((seen & ~np.isin(np.arange(size), first))[:, None] & (jumps.T < DIFFUSE), -0.5 * (np.log(f) + v**2 / f), 0.0)
        told, known = np.where(seen[:, None], v / f, 0.0), np.where(seen[:, None], 1 / f, 0.0)
    r, n, rest = np.empty((size, many)), np.empty((size, many)), 1 - gain
    ahead, sure = np.zeros(many), np.zeros(many)
    for t in range(size - 1, -1, -1):
        r[t], n[t] = ahead, sure = told[t] + rest[t] * ahead, known[t] + rest[t] ** 2 * sure
    level, level_var = before + spread * r, np.maximum(spread - spread**2 * n, 0)
    aux = r / np.sqrt(np.maximum(n, 1e-12))
    aux[0] = 0.0
    found = {"level": level, "level_var": level_var, "filtered": filtered, "filtered_var": filtered_var, "forecast": before, "forecast_var": spread + np.where(np.isfinite(h), h, usual)[:, None], "aux": aux, "seasonal": np.zeros((size, many))}
    return {name: values.T for name, values in found.items()} | {"likelihood": terms.sum(axis=0)}


def _seasonal(x, h, gaps, waves, jumps, q):
    size, m, many = len(x), 1 + waves.shape[1], len(q)
    look = np.column_stack([np.ones(size), waves])
    a, p = np.zeros((many, m)), np.tile(np.eye(m) * DIFFUSE, (many, 1, 1))
    kept = {name: np.empty((size, many, *shape)) for name, shape in (("a", (m,)), ("p", (m, m)), ("k", (m,)))}
    v, f = np.zeros((size, many)), np.full((size, many), np.inf)
    forecast, forecast_var, filtered, filtered_var = (np.empty((many, size)) for _ in range(4))
    likelihood, start = np.zeros(many), 0
    for t in range(size):
        if t:
            p[:, 0, 0] += jumps[:, t] + q * gaps[t]
        kept["a"][t], kept["p"][t] = a, p
        z = look[t]
        pz = p @ z
        forecast[:, t], forecast_var[:, t] = a @ z, pz @ z + (h[t] if np.isfinite(h[t]) else np.nanmedian(h))
        if np.isfinite(h[t]) and np.isfinite(x[t]):
            f[t], v[t] = pz @ z + h[t], x[t] - a @ z
            if start >= m:  # the first m periods only find where the level is, and so does the first after a declared break
                likelihood += np.where(jumps[:, t] < DIFFUSE, -0.5 * (np.log(f[t]) + v[t] ** 2 / f[t]), 0.0)
            start += 1
            k = pz / f[t][:, None]
            a = a + k * v[t][:, None]
            p = p - k[:, :, None] * pz[:, None, :]
            kept["k"][t] = k
        else:
            kept["k"][t] = 0.0
        filtered[:, t], filtered_var[:, t] = a[:, 0], p[:, 0, 0]
    r, n = np.zeros((many, m)), np.zeros((many, m, m))
    level, level_var, aux, seasonal = (np.zeros((many, size)) for _ in range(4))
    for t in range(size - 1, -1, -1):
        z, there = look[t], np.isfinite(f[t][0])
        if there:
            # r and N before this period: Durbin & Koopman (2012), 4.37 and 4.42, with L = I - K z'.
            ell = np.eye(m) - kept["k"][t][:, :, None] * z
            r = z * (v[t] / f[t])[:, None] + np.einsum("gij,gi->gj", ell, r)
            n = z[:, None] * z / f[t][:, None, None] + np.einsum("gki,gkl,glj->gij", ell, n, ell)
        state = kept["a"][t] + np.einsum("gij,gj->gi", kept["p"][t], r)
        spread = kept["p"][t] - kept["p"][t] @ n @ kept["p"][t]
        level[:, t], level_var[:, t], seasonal[:, t] = state[:, 0], np.maximum(spread[:, 0, 0], 0), state[:, 1:] @ z[1:]
        aux[:, t] = r[:, 0] / np.sqrt(np.maximum(n[:, 0, 0], 1e-12)) if t else 0.0
    return {"level": level, "level_var": level_var, "filtered": filtered, "filtered_var": filtered_var, "forecast": forecast, "forecast_var": forecast_var, "aux": aux, "seasonal": seasonal, "likelihood": likelihood}


def _models(x, h, gaps, waves, jumps, seen) -> list:
    """The model without a jump and those with one or more, each with its share in the evidence and its jumps.

    Places to look at are the largest auxiliary residuals (Harvey & Koopman 1992). A large step otherwise passes as many small ones, so whole models are
    weighed and mixed; a further jump is looked for where one is likelier than none.
    """
    models = [(0.0, jumps, *_weigh(x, h, gaps, waves, [jumps]))]
    base = models[0]
    for _ in range(MOST if seen.any() else 0):
        weight, there, found = base
        places = np.argsort(-found["jump_z"] * seen * (there == 0), kind="stable")[:CANDIDATES]
        more = [np.where(np.arange(len(x)) == place, JUMP, there) for place in places]
        tried = [(weight + made["evidence"] - found["evidence"] + np.log(ODDS / seen.sum()), jumped, made) for jumped, made in zip(more, _weigh(x, h, gaps, waves, more))]
        models += tried
        if np.logaddexp.reduce([one[0] for one in tried]) < weight:
            break
        base = max(tried, key=lambda one: one[0])
    return models


def _mixed(models: list) -> dict:
    """Mix models by their shares: means, and variances within and between them."""
    logs = np.array([weight for weight, _, _ in models])
    shares = np.exp(logs - np.logaddexp.reduce(logs))
    total = lambda values: sum(share * value for share, value in zip(shares, values))
    made = {name: total([found[name] for *_, found in models]) for name in ("level", "filtered", "forecast", "seasonal", "step_sd")}
    for name in ("level", "filtered", "forecast"):
        made[f"{name}_sd"] = np.sqrt(total([found[f"{name}_sd"] ** 2 + (found[name] - made[name]) ** 2 for *_, found in models]))
    return made | {"jump": total([(jumps > 0).astype(float) for _, jumps, _ in models]), "jumps": models[int(np.argmax(shares))][1]}


def _plain(frame, date, note):
    out = pd.DataFrame({date: frame[date], "estimate": frame["estimate"], "n_eff": frame["n_eff"], "sampling": frame["std_error"], "level": frame["estimate"]})
    out["conf_low"], out["conf_high"] = (frame.get(name, pd.Series(np.nan, index=frame.index)) for name in ("conf_low", "conf_high"))
    empty = dict.fromkeys(("filtered", "filtered_low", "filtered_high", "forecast", "forecast_sd", "surprise"), np.nan)
    return out.assign(**empty, seasonal=0.0, **{"break": False}, jump=0.0, step_sd=np.nan, note=note)
