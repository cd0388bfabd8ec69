"""What the tracking study's intervals and alerts are worth, found by simulation with a known truth: how often intervals hold it, and how often something is told where nothing is.

`make proofs` runs it and keeps the figures in proofs.csv, from which the page's method card is printed; a test repeats a part and compares.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.measure import alerts, levels, published, spread, targets, units

KEPT = Path(__file__).with_suffix(".csv")
COLUMNS = ["what", "world", "runs", "share", "low", "high", "wanted"]
PROFILE = (0.45, 0.30, 0.25)  # promoters, passives, detractors


def simulated(*, runs: int = 200, seed: int = 1) -> pd.DataFrame:
    """Return what came of so many simulated worlds of each kind.

    out: what, world, runs, share (mean over worlds), low, high (99 % interval of that mean, from the scatter of the worlds), wanted (what it should be, in words).
    """
    rows = []
    for what, world, wanted, one in (
        ("the level's 95 % interval holds the true level", "a year of weeks of 20 answers, a fifth of them missing", "95 % or more", lambda rng: _level(rng, 52, 20, 1.0, missing=0.2)),
        ("the level's 95 % interval holds the true level", "three years of weeks of 60 answers, one jump of 25 points", "95 % or more", lambda rng: _level(rng, 157, 60, 1.0, jump=25.0)),
        ("the level's 95 % interval holds the true level", "three years of quarters of 400 answers", "95 % or more", lambda rng: _level(rng, 12, 400, 4.0)),
        ("the forecast's 95 % interval holds the level of twelve weeks on", "weeks of 80 answers, the level wanders", "95 % or more", _forecast),
        ("a unit's 95 % interval holds its true figure", "24 units of 5 to 120 answers, 8 points apart", "95 %", lambda rng: _unit(rng, 8.0)),
        ("a unit is told from the mean", "15 units of 4 to 80 answers that do not differ, four key figures", "at most 5 %", _apart),
        ("a chart alerts within its first quarter", "weeks of 60 answers, nothing happens (EWMA)", "", lambda rng: _alert(rng, 60)),
        ("a chart alerts within its first quarter", "weeks of 600 answers, nothing happens (Laney p')", "", lambda rng: _alert(rng, 600)),
        ("one of ten published series is said to have moved", "bases of 300, nothing moves", "at most 5 %", _public),
    ):  # fmt: skip
        found = [one(np.random.default_rng([seed, len(rows), run])) for run in range(runs)]
        values = np.array([value[0] if isinstance(value, tuple) else value for value in found], dtype=float)
        if not wanted:
            wanted = f"as said: {np.mean([value[1] for value in found]):.1%}".replace("%", " %")
        half = stats.norm.ppf(0.995) * values.std(ddof=1) / np.sqrt(runs)
        half = max(half, 1 - 0.01 ** (1 / runs)) if values.std() == 0 else half
        rows.append((what, world, runs, values.mean(), max(values.mean() - half, 0), min(values.mean() + half, 1), wanted))
    return pd.DataFrame(rows, columns=COLUMNS)


def kept() -> pd.DataFrame:
    """Return the figures as they were last found, for the method card."""
    return pd.read_csv(KEPT)


def answered(rng, level, n) -> dict:
    """Draw answers of a period: the NPS, its error and base, where the true level is so many points and three in ten are passive."""
    ends = max(0.7, abs(level) / 100 + 0.02)
    up, _, down = rng.multinomial(n, [(ends + level / 100) / 2, 1 - ends, (ends - level / 100) / 2])
    s = (up - down) / n
    return {"estimate": 100 * s, "std_error": 100 * np.sqrt(((up + down) / n - s**2) / n), "n_eff": float(n), "unit": "points", "n": int(n)}


def _series(rng, truth, answers, *, missing=0.0, days=7):
    rows = [{"date": pd.Timestamp("2023-10-02") + pd.Timedelta(days=days * at), "level": level} | answered(rng, level, max(3, rng.poisson(answers))) for at, level in enumerate(truth)]
    return pd.DataFrame(rows)[rng.random(len(rows)) >= missing].reset_index(drop=True)


def _level(rng, size, answers, step, *, missing=0.0, jump=0.0) -> float:
    truth = np.cumsum(np.r_[rng.normal(0, 15), rng.normal(0, step, size - 1)])
    truth[int(size * 0.8) :] -= jump
    frame = _series(rng, np.clip(truth, -90, 90), answers, missing=missing)
    found = levels.level(frame)
    return float(frame["level"].between(found["conf_low"], found["conf_high"]).mean())


def _forecast(rng) -> float:
    truth = np.clip(np.cumsum(np.r_[rng.normal(0, 10), rng.normal(0, 1.5, 71)]), -90, 90)
    frame = _series(rng, truth, 80)
    found = targets.ahead(frame.iloc[:60], target_by=frame["date"].iloc[71])
    return float(found["forecast_low"] <= truth[71] <= found["forecast_high"])


def _unit(rng, apart: float) -> float:
    truth, n = rng.normal(10, apart, 24), rng.integers(5, 121, 24)
    frame = pd.DataFrame([answered(rng, level, size) for level, size in zip(truth, n)])
    variance = levels.variances(frame)
    found = spread.shrunk(frame["estimate"], levels.variances(frame, spread.shrunk(frame["estimate"], variance)["shrunk"]))
    return float(((found["conf_low"] <= truth) & (truth <= found["conf_high"])).mean())


def _apart(rng) -> float:
    told = []
    for _ in range(4):
        frame = pd.DataFrame([answered(rng, 20.0, size) for size in rng.integers(4, 81, 15)]).assign(waves=1.0, flag="", definition="nps_0_10", value=range(15))
        told.append(units._kind(frame)[1])
    return float(units._survive(pd.DataFrame(told)).any())


def _alert(rng, answers) -> tuple[float, float]:
    shown, chart, _ = alerts.watch(_series(rng, np.full(90, 20.0), answers))
    return float(shown.loc[~shown["baseline"], "signal"].iloc[:13].any()), chart["p_quarter"].iloc[0]


def _public(rng) -> float:
    days = pd.to_datetime(["2025-09-30", "2026-09-30"])
    parts = [pd.DataFrame({"series": f"s{at}", "label": "", "day": days, "first": pd.NaT, "estimate": (rng.binomial(300, 0.7, 2) / 300).round(2), "unit": "share", "base": "300 or more", "n": 300.0, "digits": 0, "kpi": "", "wording": "", "scale": "", "mode": "", "source": "", "licence": ""}) for at in range(10)]
    return float(published.tracked(pd.concat(parts))["verdict"].isin(["rose", "fell"]).any())
