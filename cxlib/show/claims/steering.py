"""What is said of KPIs that pay a bonus: the figure with its verdict beside it."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking

NAMES = {"heaping": "begged scores", "steering": "steered invitations", "response": "a break in the response rate"}


def said(found: pd.DataFrame, shown: pd.DataFrame, programme) -> list[str]:
    """Say of each KPI that pays a bonus what was checked, with the verdict beside the figure.

    in: `steering.checked` and `waves.kpis`.
    """
    if not any(kpi.bonus for kpi in programme.kpis):
        return ["No key figure is marked as paying a bonus (bonus = true in programme.toml), so none was checked for help."]
    return [_verdict(own, shown, programme) for _, own in found.groupby(["kpi", "survey"], sort=False)]


def _verdict(own: pd.DataFrame, shown: pd.DataFrame, programme) -> str:
    kpi, survey = own["kpi"].iloc[0], own["survey"].iloc[0]
    level = shown[(shown["kpi"] == kpi) & (shown["survey"] == survey)].iloc[-1]
    head = f"{claims.name(programme, kpi, survey)}, {tracking.value(level['estimate'], level['unit'])} in {level['quarter']}, pays a bonus"
    look, open_ = own[own["verdict"] == "look"], own[own["verdict"] == "not checked"]
    if len(look):
        head += ": it should not be paid on before this has been looked into."
        body = [_seen(row) for row in look.to_dict("records")]
    elif len(open_):
        clear = [NAMES[name] for name in own.loc[own["verdict"] == "clear", "check"].unique()]
        head += f": {prose.join(clear)} were looked for and not found, but not everything could be checked." if clear else ": nothing could be checked."
        body = []
    else:
        head += f": {prose.join([NAMES[name] for name in own['check'].unique()])} were looked for and not found."
        body = []
    body += [f"{NAMES[row.check][:1].upper()}{NAMES[row.check][1:]} could not be checked: {row.note}." for row in open_.itertuples()]
    return " ".join([head, *body])


def _seen(row: dict) -> str:
    limits = lambda: f"(95 % interval {tracking.signed(row['conf_low'], 'share')} to {tracking.signed(row['conf_high'], 'share')})"
    if row["check"] == "heaping":
        return row["note"]
    if row["check"] == "response":
        return f"The response rate moved by {tracking.signed(row['estimate'], 'share')} percentage points since the wave before {limits()}: other people may answer now."
    where = f"In {row['unit']}, contacts" if row["unit"] else "Contacts"
    return f"{where} that were settled were followed by an invitation more often than those that were not: by {tracking.signed(row['estimate'], 'share')} percentage points {limits()}, from {prose.plural(row['n'], 'contact')}."
