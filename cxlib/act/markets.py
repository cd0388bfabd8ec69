"""Actions for a whole market, where no customer can be followed: sales of a series against its past and a control series, or against a mix of others."""

import numpy as np
import pandas as pd

from cxlib.act import grades, series, synthetic
from cxlib.errors import DataError

CONTROLLED = ("price", "distribution", "promotion")


def synthetic_control(action, tables, *, seed: int = 1, replicates: int = 0) -> tuple[dict, pd.DataFrame]:
    """Return what an action did to a series against a mix of others, with the placebo test, and the path of both."""
    sold = _sold(action, tables)
    donors = list(action.controls) or None
    found = synthetic.effect(sold, treated=action.series, start=pd.Timestamp(action.start), donors=donors).iloc[0].to_dict()
    letter, reason = grades.grade(design="quasi", bound=found["bound"], effect=found["estimate"], placebo_p=found["placebo_p"])
    drawn = synthetic.path(sold, treated=action.series, start=pd.Timestamp(action.start), donors=donors)
    path = _paths(action, drawn, "synthetic")
    row = found | {"design": "synthetic_control", "per": step(drawn["period"]), "n_treated": 1, "times": float(found["n"]), "days": (sold["period"].max() - pd.Timestamp(action.start)).days + 1, "n_eff": float(found["n"]), "grade": letter, "reason": reason}
    row["comparison"] = f"a mix of {found['n_control']} other series, {found['n_before']} periods before, in which it missed the series by {_missed(drawn)} of its level; rank {found['rank']} of {found['n_control'] + 1} placebos"
    return row, path


def _missed(drawn: pd.DataFrame) -> str:
    """Return how far the mix was from the series before the action, as a percentage of its level."""
    before = drawn[~drawn["after"]]
    return f"{100 * np.sqrt((before['gap'] ** 2).mean()) / abs(before['value'].mean()):.1f} %"


def interrupted_series(action, tables, *, seed: int = 1, replicates: int = 0) -> tuple[dict, pd.DataFrame]:
    """Return what an action did to a series against its past, its season, its control series and what else was on offer, and the path of both; without a control series the grade is E."""
    own, named, adjust, controls = prepared(action, tables)
    found = series.effect(own, start=pd.Timestamp(action.start), controls=named, adjust=adjust).iloc[0].to_dict()
    moved = found["control_p"] < 0.01
    letter, reason = grades.grade(design="quasi", bound=found["bound"], effect=found["estimate"], placebo_p=found["placebo_p"], control_series=bool(controls))
    if moved and letter in "BC":
        letter, reason = "D", "a control series that moved at the same time itself: either the action touched it, or something else moved both"
    drawn = series.path(own, start=pd.Timestamp(action.start), controls=named, adjust=adjust)
    row = found | {"design": "interrupted_series", "per": step(drawn["period"]), "n_treated": 1, "n_control": len(controls), "times": float(found["n"]), "days": (own["period"].max() - pd.Timestamp(action.start)).days + 1, "n_eff": float(found["n"]), "grade": letter, "reason": reason}
    controlled = [name.removeprefix("own ") for name in adjust]
    parts = [f"its past of {found['n_before']} periods", "its season" if found["season"] else "no season, for which two years are needed", *(f"the series {name}" for name in controls), *controlled]
    row["comparison"] = ", ".join(parts)
    lost = sorted(set(action.controls) - set(controls))
    row["note"] = "; ".join(part for part in (found["note"], f"the sales hold no series {', '.join(lost)}" if lost else "") if part)
    return row, _paths(action, drawn.rename(columns={"predicted": "synthetic"}), "synthetic")


def prepared(action, tables) -> tuple[pd.DataFrame, list[str], list[str], list[str]]:
    """Return the series of an action with its controls as columns, the names of these columns, those of what is adjusted for, and the control series there are."""
    sold = _sold(action, tables)
    wide = sold.pivot_table(index="period", columns="series", values="value", aggfunc="sum", dropna=False) if len(sold) else pd.DataFrame()
    if action.series not in wide:
        raise DataError(f"there is no series '{action.series}' in the sales (there are: {', '.join(map(str, wide.columns[:8]))})")
    own = sold[sold["series"] == action.series].drop(columns="series").rename(columns={name: f"own {name}" for name in CONTROLLED})
    controls = [name for name in action.controls if name in wide]
    own = own.merge(wide[controls].rename(columns={name: f"series {name}" for name in controls}), on="period", how="left")
    adjust = [f"own {name}" for name in CONTROLLED if name not in action.changes and f"own {name}" in own and own[f"own {name}"].notna().all() and own[f"own {name}"].nunique() > 1]
    return own, [f"series {name}" for name in controls], adjust, controls


def _sold(action, tables) -> pd.DataFrame:
    if "sales" not in tables:
        raise DataError("there is no table of sales; a file of sales by series and period ([[sources]] table = \"sales\") would give it")
    column = "value" if action.outcome == "sales" else "pieces"
    sold = tables["sales"].rename(columns={"sold_on": "period"})
    return sold.assign(value=sold[column]).drop(columns=[name for name in ("pieces", "currency") if name in sold])


def step(periods: pd.Series) -> str:
    """Return how long a period of a series is: day, week, month, quarter or year."""
    days = float(periods.diff().dt.days.median())
    return "day" if days < 3 else "week" if days < 10 else "month" if days < 45 else "quarter" if days < 120 else "year"


def _paths(action, drawn: pd.DataFrame, other: str) -> pd.DataFrame:
    low, high = (drawn.get(name, np.nan) for name in ("conf_low", "conf_high"))
    place = np.arange(len(drawn), dtype=float) - int((~drawn["after"]).sum())
    base = pd.DataFrame({"action": action.id, "at": place, "label": drawn["period"].dt.strftime("%Y-%m-%d"), "n": 1})
    both = [base.assign(kind="observed", estimate=drawn["value"], conf_low=np.nan, conf_high=np.nan), base.assign(kind="expected", estimate=drawn[other], conf_low=low, conf_high=high)]
    return pd.concat(both, ignore_index=True)[["action", "kind", "at", "label", "estimate", "conf_low", "conf_high", "n"]]
