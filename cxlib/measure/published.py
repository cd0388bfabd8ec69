"""Published figures, tracked without their answers: the interval from the least base that is told, how they moved, and benchmarks where they may be compared."""

import re

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load import published
from cxlib.measure import ledger, levels, metrics

COLUMNS = ["series", "label", "date", "unit", "estimate", "conf_low", "conf_high", "n", "base", "level", "level_low", "level_high", "change", "change_low", "change_high", "p", "verdict", "source", "licence", "note"]
BENCHMARKS = ["kpi", "survey", "quarter", "series", "label", "date", "unit", "estimate", "conf_low", "conf_high", "base", "own", "difference", "difference_low", "difference_high", "verdict", "source", "licence", "note"]


def figures(tables) -> pd.DataFrame:
    """Return what the programme holds of published figures up to the reported quarter (`load.published.read`)."""
    return published.read(tables.programme, tables.quarter)


def variance(found: pd.DataFrame) -> np.ndarray:
    """Return the largest sampling variance a figure can have on its least base, a simple random sample of it: s(1 - s)/n for shares, (1 - s^2)/n for
    points (nobody passive), (high - m)(m - low)/n for means (everybody at an end). NaN without a base. A figure of 0 or 100 % takes one answer at each end."""
    n, x = found["n"].to_numpy(dtype=float), found["estimate"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (x * n + 1) / (n + 2)
        shares = np.maximum(x * (1 - x), share * (1 - share))
        low, high = _ends(found)
        return np.select([found["unit"] == "share", found["unit"] == "points"], [shares / n, 1e4 * np.maximum(1 - (x / 100) ** 2, 1 / (n + 3)) / n], np.maximum((high - x) * (x - low), 0) / n)


def tracked(found: pd.DataFrame) -> pd.DataFrame:
    """Return each published series over its days: intervals, the level behind the noise where there are four days or more, and whether it moved.

    in: what `load.published.read` returns. out: series, label, date, unit, estimate, conf_low, conf_high (95 %: Wilson for shares, normal else, from the least base and wider by half of the last
    printed figure), n (least base), base (as told), level, level_low, level_high, change (since the day before), its interval and p (normal, both least bases and roundings),
    verdict (rose, fell, no detectable change, not told: by Benjamini-Hochberg over all of them at 5 %), source, licence, note (no base; days whose answers overlap).
    """
    if found.empty:
        return pd.DataFrame(columns=COLUMNS)
    parts = []
    for _, own in found.groupby("series", sort=False):
        own = own.sort_values("day", kind="stable").reset_index(drop=True)
        own = own.assign(date=own["day"], _var=variance(own))
        half = np.where(own["unit"] == "share", 0.005, 0.5) * 10.0 ** -own["digits"].to_numpy(dtype=float)
        low, high = _interval(own)
        bounds = {"share": (0, 1), "points": (-100, 100)}.get(own["unit"].iloc[0], (-np.inf, np.inf))
        own["conf_low"], own["conf_high"] = np.clip(low - half, *bounds), np.clip(high + half, *bounds)
        own[["level", "level_low", "level_high"]] = np.nan
        if own["n"].notna().sum() >= levels.LEAST and (own["unit"] != "scale").all():
            made = levels.level(pd.DataFrame({"date": own["day"], "estimate": own["estimate"].where(own["n"].notna()), "std_error": np.sqrt(own["_var"]), "n_eff": own["n"].fillna(0), "unit": own["unit"]}))
            own[["level", "level_low", "level_high"]] = made[["level", "conf_low", "conf_high"]].to_numpy()
        error = np.sqrt(own["_var"] + own["_var"].shift())
        own["change"], slack = own["estimate"].diff(), half + pd.Series(half).shift()
        own["change_low"], own["change_high"] = own["change"] - metrics.Z * error - slack, own["change"] + metrics.Z * error + slack
        with np.errstate(invalid="ignore", divide="ignore"):
            own["p"] = 2 * stats.norm.sf(np.maximum(own["change"].abs() - slack, 0) / error)
        overlap = pd.to_datetime(own["first"]) <= own["day"].shift()
        own["p"] = own["p"].mask(overlap)
        own["note"] = np.select([own["n"].isna(), overlap], ["no base is told: no interval", "its answers overlap with those of the figure before: no change is tested"], "")
        parts.append(own)
    out = pd.concat(parts, ignore_index=True)
    known = out["p"].notna()
    raised = pd.Series(np.nan, index=out.index)
    if known.any():
        raised[known] = ledger._step_up(out.loc[known, "p"].to_numpy(dtype=float))
    word = np.where(raised > 0.05, "no detectable change", np.where(out["change"] > 0, "rose", "fell"))
    out["verdict"] = np.where(known, word, "not told")
    first = out.groupby("series")["date"].transform("min") == out["date"]
    out["verdict"] = out["verdict"].mask(first, "")
    return out.reindex(columns=COLUMNS)


def benchmarks(found: pd.DataFrame, shown: pd.DataFrame, programme) -> pd.DataFrame:
    """Hold each KPI against the latest published figure of each series that names it.

    in: `load.published.read`, `waves.kpis`. out: kpi, survey, quarter, series, label, date, unit, estimate (the benchmark), its interval, base, own (the KPI), difference (own - benchmark) with its 95 %
    interval, verdict (above, below, not told apart, not compared), source, licence, note (why it is not compared). Compared only where wording, scale, mode and unit are the same as here.
    """
    rows = []
    for series, own in found[found["kpi"] != ""].groupby("series", sort=False):
        last = own.sort_values("day", kind="stable").iloc[[-1]].reset_index(drop=True)
        bench, var = last.iloc[0], float(variance(last)[0])
        low, high = _interval(last)
        for (kpi, survey), ours in shown[shown["kpi"] == bench["kpi"]].groupby(["kpi", "survey"], sort=False):
            row = ours.sort_values("quarter", kind="stable").iloc[-1]
            why = _unlike(bench, row, programme)
            half = (0.005 if bench["unit"] == "share" else 0.5) * 10.0 ** -bench["digits"]
            error = np.sqrt(var + row["std_error"] ** 2)
            gap = row["estimate"] - bench["estimate"]
            ends = (gap - metrics.Z * error - half, gap + metrics.Z * error + half)
            verdict = "not compared" if why or not np.isfinite(ends[0]) else "above" if ends[0] > 0 else "below" if ends[1] < 0 else "not told apart"
            why = why or ("" if np.isfinite(ends[0]) else "its base is not told" if bench["n"] != bench["n"] else "the KPI has no error")
            blank = verdict == "not compared"
            rows.append({"kpi": kpi, "survey": survey, "quarter": row["quarter"], "series": series, "label": bench["label"], "date": bench["day"], "unit": bench["unit"], "estimate": bench["estimate"], "conf_low": low[0], "conf_high": high[0], "base": bench["base"], "own": row["estimate"], "difference": np.nan if blank else gap, "difference_low": np.nan if blank else ends[0], "difference_high": np.nan if blank else ends[1], "verdict": verdict, "source": bench["source"], "licence": bench["licence"], "note": why})
    return pd.DataFrame(rows, columns=BENCHMARKS)


def _unlike(bench, row, programme) -> str:
    """Why a benchmark may not be compared with a KPI; "" where it may."""
    item = programme.item(programme.kpi(row["kpi"]).item)
    wave = next(wave for wave in programme.waves if wave.survey == row["survey"] and wave.id == row["wave"])
    mode = wave.mode or programme.survey(row["survey"]).mode
    scale = programme.scales[item.scale]
    plain = lambda text: re.sub(r"[^\w]+", " ", str(text).casefold()).strip()
    if bench["unit"] != row["unit"]:
        return f"it is told in {'percent' if bench['unit'] == 'share' else bench['unit']}, the KPI is not"
    for word, theirs, ours in (("wording", bench["wording"], item.wording), ("scale", bench["scale"].replace("–", "-"), f"{scale.low:g}-{scale.high:g}"), ("mode", bench["mode"], mode)):
        if not plain(theirs) or not plain(ours):
            return f"the {word} is not told {'with it' if not plain(theirs) else 'for the survey'}"
        if plain(theirs) != plain(ours):
            return f"the {word} differs: '{theirs}' there, '{ours}' here"
    return ""


def _ends(found: pd.DataFrame):
    text = found["scale"].astype(str).str.replace("–", "-").str.extract(r"^\s*(-?\d+(?:\.\d+)?)\s*(?:-|to)\s*(\d+(?:\.\d+)?)")
    return text[0].astype(float).to_numpy(), text[1].astype(float).to_numpy()


def _interval(own: pd.DataFrame):
    """Wilson's interval for shares, the normal one else."""
    n, x, z = own["n"].to_numpy(dtype=float), own["estimate"].to_numpy(dtype=float), metrics.Z
    with np.errstate(invalid="ignore", divide="ignore"):
        centre, width = (x + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * np.sqrt(np.maximum(x * (1 - x), 0) / n + z**2 / (4 * n**2))
        half = z * np.sqrt(variance(own))
    share = (own["unit"] == "share").to_numpy()
    return np.where(share, centre - width, x - half), np.where(share, centre + width, x + half)
