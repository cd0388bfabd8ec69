"""What the driver study says of accounts: the same importances with every account counted once, by what accounts order, and by people's role."""

import pandas as pd

from cxlib.show import prose
from cxlib.show.claims import drivers, levers

WAYS = {"people": "Every answer", "accounts": "Every account once", "sales": "By sales of the year before"}


def said(found: pd.DataFrame, programme, tested: pd.DataFrame | None = None) -> list[str]:
    """Say for each KPI which attribute comes first by each way of counting and in each role, and what is rated apart.

    `tested` holds the permutation tests: where none stands once all attributes are counted there is no order to compare.
    """
    lines = []
    for model, own in drivers.models(found, programme) if len(found) else []:
        usual = own[own["view"] == "people"].set_index("driver")
        if not usual["rank"].notna().any():
            continue
        if tested is not None and not levers.stands(tested, own):
            lines.append(f"{model}: no attribute could be shown to go with the key figure, so ways of counting have no order to change.")
            continue
        top, same, other, apart, thin = usual["rank"].idxmin(), [], [], [], []
        for (view, value), rows in own[own["view"] != "people"].groupby(["view", "value"], sort=False):
            name = {"accounts": "with every account counted once", "sales": "by the sales of the year before"}.get(view, f"in the role “{value}”")
            if rows["importance"].isna().all():
                thin.append(f"{name} it is {rows['note'].iloc[0]}")
                continue
            base = prose.plural(int(rows["n"].max()), "answer") if view == "role" else prose.plural(int(rows["accounts"].iloc[0]), "account")
            first = rows.loc[rows["rank"].idxmin()]
            (same if first["driver"] == top else other).append(f"{name} ({base})" if first["driver"] == top else f"{name} ({base}) {programme.label(first['driver'])} comes first in this sample ({_limits(first)})")
            for row in rows.itertuples():
                rated = usual.loc[row.driver]
                if row.performance_low > rated["performance_high"] or row.performance_high < rated["performance_low"]:
                    apart.append(f"{programme.label(row.driver)} {prose.number(row.performance, digits=2)} {name} against {prose.number(rated['performance'], digits=2)}")
        opening = f"{programme.label(top)}, first when every answer counts ({_limits(usual.loc[top])}), {'also comes' if same else 'does not come'} first {prose.join(same) if same else 'by any other way of counting'}"
        parts = [*([opening] if same or other else []), *other, *thin]
        lines += [f"{model}: {'; '.join(parts)}. " + (f"Rated apart, with intervals that do not meet: {prose.join(apart)}." if apart else "No attribute is rated surely apart by any of them.")] if same or other or thin else []
    return lines or ["Every respondent stands for an account of one, as far as these tables tell, and no roles are known: there is one way of counting."]


def _limits(row) -> str:
    return prose.percent(row["importance"]) + ("" if row["importance_low"] != row["importance_low"] else f", 95 % interval {prose.interval(row['importance_low'], row['importance_high'], 'percent')}")


def table(found: pd.DataFrame, programme, *, figure: str) -> pd.DataFrame:
    """Return one KPI's attributes as a table of words: `figure` (importance or performance) by each way of counting and role, with its interval; the last row holds the effective base."""
    wide, bases = {}, {"attribute": "Effective base"}
    shown = found[found.groupby(["view", "value"], sort=False)["importance"].transform("count") > 0]
    for row in shown.to_dict("records"):
        name = WAYS.get(row["view"], f"Role: {row['value']}")
        cell = drivers.part(row, "importance") if figure == "importance" else drivers.rating(row)
        wide.setdefault(row["driver"], {"attribute": programme.label(row["driver"])})[name] = cell
        bases[name] = prose.number(shown.loc[(shown["view"] == row["view"]) & (shown["value"] == row["value"]), "n_eff"].min())
    order = found[found["view"] == "people"].sort_values("rank", kind="stable")["driver"]
    return pd.DataFrame([*(wide[driver] for driver in order if driver in wide), bases])
