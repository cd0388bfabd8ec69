"""Before an action: which design, how many customers, what effect could be seen, and by when."""

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.act import adjustment, differences, markets, outcomes, rollouts, series
from cxlib.act.plan import BY_SERIES, BY_UNIT
from cxlib.errors import DataError

SEEN = stats.norm.ppf(0.975) + stats.norm.ppf(0.80)  # a true effect of so many standard errors is found 80 times in 100
COLUMNS = ["action", "design", "outcome", "n", "n_treated", "n_control", "mean", "sd", "retest", "detectable", "adjusted", "wanted", "power", "needed", "known_by", "grade", "note"]
SPLITS = ((0.5, "half by lot"), (0.9, "a tenth held back"))


def table(actions, tables) -> pd.DataFrame:
    """Return for every action that has not begun what each way of doing it could tell: a row an action and design, best grade first.

    in: actions of the plan whose start lies after the quarter. out: action, design (half by lot, a tenth held back; the plan's own by unit or series), outcome, n, n_treated, n_control (customers, units, periods), mean and sd of the outcome a customer in a window of
    that length (the last one over, of all customers of then), retest (its correlation with the window before), detectable (smallest effect seen with 80 % power at 5 %: 2.8 standard errors), adjusted (the same with the window before taken out, as the effect will be measured where it is known and each arm has twenty; `adjustment`),
    wanted (what the plan says would be worth while), power (to see that, adjusted where it can be), needed (customers, or treated units, for 80 %), known_by (day on which the last window is over), grade (at best), note.
    Source of the formula: METHODS 3; for units and series the standard error is that of the same design on the past, where nothing was done.
    """
    rows = []
    for action in actions:
        if action.start > tables.end:
            base = dict.fromkeys(COLUMNS) | {"action": action.id, "outcome": action.outcome, "wanted": np.nan if action.wanted is None else action.wanted, "note": ""}
            try:
                rows += [base | row for row in _rows(action, tables)]
            except DataError as error:
                rows.append(base | {"design": action.design, "n": 0, "grade": "E", "note": str(error).rstrip(".")})
    made = pd.DataFrame(rows, columns=COLUMNS)
    numbers = ["n", "n_treated", "n_control", "mean", "sd", "retest", "detectable", "adjusted", "wanted", "power", "needed"]
    return made.astype(dict.fromkeys(numbers, "float64")).assign(known_by=pd.to_datetime(made["known_by"]))


def _rows(action, tables) -> list[dict]:
    if action.design in BY_SERIES:
        return [_series(action, tables)]
    if action.design in BY_UNIT:
        return [_units(action, tables)]
    return _customers(action, tables)


def _customers(action, tables) -> list[dict]:
    people = _everybody(action, tables)
    n, mean, sd = action.customers or len(people), float(people["outcome"].mean()), float(people["outcome"].std())
    if not sd > 0:
        raise DataError(f"what customers bring in {action.window_days} days does not vary in the files")
    kept = people[["outcome", "before"]].dropna()
    retest = float(np.corrcoef(kept["outcome"], kept["before"])[0, 1]) if len(kept) > 2 and kept["before"].std() > 0 else np.nan
    rows = []
    for share, words in SPLITS:
        n1, n0 = round(n * share), n - round(n * share)
        plain = sd * np.sqrt(1 / max(n1, 1) + 1 / max(n0, 1))
        known = retest == retest and min(n1, n0) >= adjustment.FEWEST  # then both arms will be compared at the same past
        error = plain * np.sqrt(1 - retest**2) if known else plain
        row = {"design": words, "n": n, "n_treated": n1, "n_control": n0, "mean": mean, "sd": sd, "retest": retest, "detectable": SEEN * plain, "adjusted": SEEN * error if known else np.nan, "grade": "A"}
        if action.wanted:
            row |= {"power": _power(action.wanted, error), "needed": float(np.ceil((SEEN * error / action.wanted) ** 2 / (share * (1 - share)) * n1 * n0 / max(n1 + n0, 1)))}
        rows.append(row | {"known_by": action.end + dt.timedelta(days=action.window_days), "note": "" if n <= len(people) else f"the files hold {len(people):,} customers today"})
    return rows


def _everybody(action, tables) -> pd.DataFrame:
    """Return all customers at the start of the last window that is over, with their outcome in it and in the one before."""
    if "people" not in tables:
        raise DataError("how much customers differ is not known without a customer file and their orders")
    day = pd.Timestamp(tables.end) - pd.Timedelta(days=action.window_days - 1)
    people = tables["people"].drop_duplicates("person_id")
    here = people[~(people["joined_on"] > day) & ~(people["left_on"] < day)]
    made = outcomes.of(action, pd.DataFrame({"action_id": action.id, "person_id": here["person_id"], "arm": "treated", "assigned_on": day.as_unit("us"), "probability": np.nan, "delivered_on": pd.NaT, "cost": np.nan}), tables)
    if action.outcome == "score" or not len(made):
        raise DataError("the spread of its outcome a customer is not known from the files")
    return made


def _units(action, tables) -> dict:
    """Return the row of a roll-out by unit: the same units and length, begun in the middle of the past, where nothing was done."""
    panel = rollouts.cells(action.model_copy(update={"rollout": {}}), tables)
    periods, days = panel["period"].nunique(), {"week": 7, "month": 30.4, "quarter": 91.3}[action.period]
    length = min(max(1, round((action.window_days + (action.end - action.start).days) / days)), periods // 2)
    treated = sorted(set(action.rollout) & set(panel["unit"]))
    faked = panel.assign(first=np.where(panel["unit"].isin(treated), float(periods - length), np.nan))
    found = differences.overall(faked).iloc[0]
    row = {"design": action.design, "n": found["n_treated"] + found["n_control"], "n_treated": found["n_treated"], "n_control": found["n_control"], "mean": found["mean_control"], "detectable": SEEN * found["std_error"], "grade": "B", "known_by": action.end + dt.timedelta(days=action.window_days)}
    return _wanted(row, action, found["std_error"], found["n_treated"]) | {"note": f"{periods} {action.period}s before it"}


def _series(action, tables) -> dict:
    """Return the row of an action on a series: the same model on the last periods, where nothing was done."""
    sold = tables["sales"] if "sales" in tables else pd.DataFrame(columns=["series", "sold_on"])
    days = sold.loc[sold["series"] == action.series, "sold_on"].drop_duplicates().sort_values().reset_index(drop=True)
    step = float(days.diff().dt.days.median()) if len(days) > 1 else 7.0
    length = max(1, round(action.window_days / step))
    if len(days) < length + 12:
        raise DataError(f"the sales hold {len(days)} periods of '{action.series}'; twelve before a window of {length} are needed")
    own, named, adjust, _ = markets.prepared(action.model_copy(update={"changes": ()}), tables)
    found = series.effect(own, start=days.iloc[-length], controls=named, adjust=adjust).iloc[0]
    row = {"design": "interrupted_series", "n": length, "n_treated": 1, "n_control": len(named), "mean": found["mean_control"], "detectable": SEEN * found["std_error"], "grade": "B" if named else "E", "known_by": action.start + dt.timedelta(days=action.window_days)}
    return _wanted(row, action, found["std_error"], np.nan) | {"note": "" if named else "without a control series nothing can be told: name one in 'controls'"}


def _wanted(row: dict, action, error: float, units: float) -> dict:
    if action.wanted:
        row |= {"power": _power(action.wanted, error), "needed": float(np.ceil(units * (SEEN * error / action.wanted) ** 2))}
    return row


def _power(effect: float, error: float) -> float:
    size = abs(effect) / error
    return float(stats.norm.cdf(size - stats.norm.ppf(0.975)) + stats.norm.cdf(-size - stats.norm.ppf(0.975)))
