"""What is said of retention: who stayed in the quarter, and whether that is another share than before."""

import pandas as pd

from cxlib.show import claims, prose

STUDY, KEY = "03_performance_tracking", ["kpi", "quarter", "against"]


def beside(tests: pd.DataFrame, moved: pd.DataFrame, indices: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the tests of a study with those of retention and of satisfaction indices beside them, as secondary rows of the ledger."""
    names = {one.id: one.label for one in programme.indices if one.label}
    what = lambda row: f"{names.get(row['kpi'], row['kpi'])}: {row['quarter']} against {row['then_quarter']}"
    own = [claims.tests(found, study=STUDY, family=family, kind="secondary", key=KEY, what=what) for family, found in (("retention", moved.assign(kpi="Retention")), ("index", indices)) if len(found)]
    return pd.concat([tests, *own], ignore_index=True)


def said(found: pd.DataFrame, moved: pd.DataFrame, told: pd.DataFrame) -> list[str]:
    """Say what share of the customers stayed in the latest quarter, and how that moved; `told` is the ledger after `ledger.adjust`."""
    if found.empty:
        return [claims.needs("days on which customers left, over more than one quarter", "tell its retention")]
    row, survives = found.iloc[-1], told.set_index("test_id")["survives"].to_dict()
    lines = [f"Retention: of {prose.plural(int(row['n']), 'customer')} when {row['quarter']} began, {prose.percent(row['estimate'], digits=1)} were so still when it ended (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent', digits=1)}); {prose.number(row['left'])} left."]
    for one in moved[moved["p"].notna()].assign(kpi="Retention").to_dict("records") if len(moved) else []:
        if survives.get(claims.test_id(STUDY, one, KEY), True) or one["conf_low"] <= 0 <= one["conf_high"]:
            lines.append(prose.change(one["estimate"], one["conf_low"], one["conf_high"], unit="percentage points", what="Retention", since=one["then_quarter"]) + ".")
        else:
            lines.append(f"Retention showed no detectable change since {one['then_quarter']} once all tests of this page are counted.")
    return lines
