"""Accounts name by name: flagged by a low score before, logged as called, renewed or gone, against those flagged and left alone."""

import numpy as np
import pandas as pd

from cxlib.act import effects

COLUMNS = ["group", "accounts", "estimate", "std_error", "conf_low", "conf_high", "n", "renewed"]
GROUPS = ("flagged and called", "flagged, not called", "called, never flagged")


def accounts(action, tables, *, days: int = 365) -> pd.DataFrame:
    """Return the reconciliation of an action with the file of accounts: a row an account that was flagged or called.

    Flagged: somebody of the account gave `action.cut` or less on `action.kpi` while the action ran; called: the log holds a delivery (an assignment, where no delivery is dated) to one of its people on or after that day. Kept: still
    an account `days` after the flag (the call, where it was never flagged); renewed: its file names a renewal after that day. out: account_id, owner, flagged_on, score, called_on, renews_on, renewed_on, ended_on, group, kept (empty while that time is
    not over), renewed. These are names: for the account's own manager, never for a page that travels.
    """
    people, file, responses = (tables[name] for name in ("people", "accounts", "responses"))
    whose = people.dropna(subset="account_id").drop_duplicates("person_id").set_index("person_id")["account_id"]
    log = tables["actions"]
    log = log[(log["action_id"] == action.id) & (log["arm"] == "treated")].assign(account_id=lambda rows: rows["person_id"].map(whose), called_on=lambda rows: rows["delivered_on"].fillna(rows["assigned_on"]))
    low = responses[responses["person_id"].notna()] if action.kpi in responses else responses.iloc[:0].assign(**{action.kpi: np.nan})
    low = low[(low["survey"] == action.survey) if action.survey else slice(None)]
    low = low[(low[action.kpi] <= action.cut) & low["answered_on"].between(pd.Timestamp(action.start), pd.Timestamp(action.end))]
    low = low.assign(account_id=low["person_id"].map(whose)).dropna(subset="account_id").sort_values("answered_on", kind="stable").drop_duplicates("account_id")
    known = file[file["renews_on"].notna() | file["ended_on"].notna()] if "renews_on" in file else file.iloc[:0]
    made = known[["account_id", "owner", "renews_on", "renewed_on", "ended_on"]].merge(low[["account_id", "answered_on", action.kpi]].rename(columns={"answered_on": "flagged_on", action.kpi: "score"}), on="account_id", how="left")
    calls = log.dropna(subset="account_id")[["account_id", "called_on"]].merge(made[["account_id", "flagged_on"]], on="account_id")
    calls = calls[~(calls["called_on"] < calls["flagged_on"])].groupby("account_id")["called_on"].min()
    made["called_on"] = calls.reindex(made["account_id"]).to_numpy().astype("datetime64[us]")
    made = made[made["flagged_on"].notna() | made["called_on"].notna()].copy()
    flagged, called = made["flagged_on"].notna(), made["called_on"].notna()
    made["group"] = np.select([flagged & called, flagged], GROUPS[:2], GROUPS[2])
    since = made["flagged_on"].fillna(made["called_on"])
    due = since + pd.Timedelta(days=days)
    over, gone = due <= pd.Timestamp(tables.end), (made["ended_on"] <= due).fillna(False)
    told = file["ended_on"].notna().any() if "ended_on" in file else False  # a file in which no account ever ends does not know who left
    made["kept"] = np.where((over | gone) & told, (~gone).astype(float), np.nan)
    made["renewed"] = (made["renewed_on"] >= since).astype(float).where(made["renewed_on"].notna())
    return made.sort_values(["group", "flagged_on", "account_id"], kind="stable", ignore_index=True)[["account_id", "owner", "flagged_on", "score", "called_on", "renews_on", "renewed_on", "ended_on", "group", "kept", "renewed"]]


def table(actions, tables) -> pd.DataFrame:
    """Return `kept` for every action whose list was made of low scores, where the file of accounts names contracts that renew or end: action and its columns."""
    if "accounts" not in tables or "people" not in tables or "actions" not in tables:
        return pd.DataFrame(columns=["action", *COLUMNS])
    made = {action.id: accounts(action, tables) for action in actions if action.cut is not None and action.kpi}
    parts = [kept(own).assign(action=name) for name, own in made.items() if len(own)]
    return pd.concat(parts, ignore_index=True)[["action", *COLUMNS]] if parts else pd.DataFrame(columns=["action", *COLUMNS])


def kept(made: pd.DataFrame) -> pd.DataFrame:
    """Return how many accounts were kept by group: group, accounts, n (of whom the time is over), estimate (share kept), std_error, conf_low, conf_high (Wilson), renewed (named in the file), and the row "difference" (Newcombe; called less not called, both flagged)."""
    rows, counts = [], {}
    for group in GROUPS:
        own = made[made["group"] == group]
        known = own["kept"].dropna()
        n, yes = len(known), float(known.sum())
        counts[group] = yes, n
        share = yes / n if n else np.nan
        low, high = effects.wilson(yes, n) if n else (np.nan, np.nan)
        rows.append({"group": group, "accounts": len(own), "estimate": share, "std_error": np.sqrt(share * (1 - share) / n) if n else np.nan, "conf_low": low, "conf_high": high, "n": n, "renewed": int((own["renewed"] == 1).sum())})
    (y1, n1), (y0, n0) = (counts[group] for group in GROUPS[:2])
    gap = effects.newcombe(y1, n1, y0, n0) if n1 and n0 else (np.nan,) * 3
    rows.append({"group": "difference", "accounts": 0, "estimate": gap[0], "std_error": np.hypot(rows[0]["std_error"], rows[1]["std_error"]), "conf_low": gap[1], "conf_high": gap[2], "n": n1 + n0, "renewed": 0})
    return pd.DataFrame(rows)
