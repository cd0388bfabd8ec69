"""Accounts name by name: flagged by a low score before, logged as called, renewed or gone, against those flagged and left alone.

Who leaves before the call can be made is never called, so that leaving would make accounts uncalled, and calling look good (immortal time). So accounts are compared from a day after the flag on: those still there, by whether they had been called
by then (a landmark: Anderson, Cain & Gelber 1983, Journal of Clinical Oncology 1:710).
"""

import numpy as np
import pandas as pd

from cxlib.act import effects

COLUMNS = ["group", "accounts", "estimate", "std_error", "conf_low", "conf_high", "n", "renewed", "from_day"]
GROUPS = ("flagged and called", "flagged, not called", "flagged, gone by then", "called, never flagged")
MOST = 0.9  # of the calls are made by the day from which accounts are compared


def accounts(action, tables, *, days: int = 365, landmark: int | None = None) -> pd.DataFrame:
    """Return the reconciliation of an action with the file of accounts: a row an account that was flagged or called.

    Flagged: somebody of the account gave `action.cut` or less on `action.kpi` while the action ran; called: the log holds a delivery (an assignment, where no delivery is dated) to one of its people on or after that day. `landmark`: the days after the
    flag by which an account must be called, and still be there, to count as called or not (default: by which nine in ten of the calls were made; `attrs["from_day"]`); who had ended by then is in neither group, who was called later counts as not called. Kept: still
    an account `days` after the flag (the call, where it was never flagged); renewed: its file names a renewal after that day. out: account_id, owner, flagged_on, score, called_on, renews_on, renewed_on, ended_on, group, kept (empty while that time is
    not over, also for those known to be gone: of the others nothing is known yet), renewed. These are names: for the account's own manager, never for a page that travels.
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
    taken = (made["called_on"] - made["flagged_on"]).dt.days[flagged & called]
    landmark = (int(np.ceil(taken.quantile(MOST))) if len(taken) else 0) if landmark is None else landmark
    mark = made["flagged_on"] + pd.Timedelta(days=landmark)
    made["group"] = np.select([flagged & (made["ended_on"] <= mark), flagged & (made["called_on"] <= mark), flagged], [GROUPS[2], *GROUPS[:2]], GROUPS[3])
    since = made["flagged_on"].fillna(made["called_on"])
    due = since + pd.Timedelta(days=days)
    over, gone = due <= pd.Timestamp(tables.end), (made["ended_on"] <= due).fillna(False)  # to count who is gone before the year is over, and not who is still there, would lose accounts
    told = file["ended_on"].notna().any() if "ended_on" in file else False  # a file in which no account ever ends does not know who left
    made["kept"] = np.where(over & told, (~gone).astype(float), np.nan)
    made["renewed"] = (made["renewed_on"] >= since).astype(float).where(made["renewed_on"].notna())
    made = made.sort_values(["group", "flagged_on", "account_id"], kind="stable", ignore_index=True)[["account_id", "owner", "flagged_on", "score", "called_on", "renews_on", "renewed_on", "ended_on", "group", "kept", "renewed"]]
    made.attrs["from_day"] = landmark
    return made


def table(actions, tables) -> pd.DataFrame:
    """Return `kept` for every action whose list was made of low scores, where the file of accounts names contracts that renew or end: action and its columns."""
    if "accounts" not in tables or "people" not in tables or "actions" not in tables:
        return pd.DataFrame(columns=["action", *COLUMNS])
    made = {action.id: accounts(action, tables) for action in actions if action.cut is not None and action.kpi}
    parts = [kept(own).assign(action=name) for name, own in made.items() if len(own)]
    return pd.concat(parts, ignore_index=True)[["action", *COLUMNS]] if parts else pd.DataFrame(columns=["action", *COLUMNS])


def kept(made: pd.DataFrame) -> pd.DataFrame:
    """Return how many accounts were kept by group: group, accounts, n (of whom the time is over), estimate (share kept; of those gone by then none), std_error, conf_low, conf_high (Wilson), renewed (named in the file), from_day (days after the flag from which they are compared), and the row "difference" (Newcombe; called less not called, both flagged and still there)."""
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
    return pd.DataFrame(rows).assign(from_day=made.attrs.get("from_day", 0))
