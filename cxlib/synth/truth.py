"""The truth: what a study of the sample ought to find, kept beside it under truth/ for tests alone."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from . import actions, company, contacts, customers, draws, opinions, orders
from .exports import write_parquet


def shapley(correlations: np.ndarray) -> np.ndarray:
    """LMG shares of R², from a correlation matrix whose last row and column are the outcome (all subsets; eleven attributes make 2,048)."""
    p = len(correlations) - 1
    explained = np.zeros(1 << p)
    for subset in range(1, 1 << p):
        inside = [k for k in range(p) if subset >> k & 1]
        explained[subset] = correlations[inside, p] @ np.linalg.solve(correlations[np.ix_(inside, inside)], correlations[inside, p])
    size = np.array([bin(subset).count("1") for subset in range(1 << p)])
    factorial = np.cumprod(np.concatenate([[1.0], np.arange(1, p + 1)]))
    weight = factorial[size] * factorial[np.maximum(p - size - 1, 0)] / factorial[p]
    without = [np.flatnonzero(~(np.arange(1 << p) >> k & 1).astype(bool)) for k in range(p)]
    return np.array([(weight[rest] * (explained[rest | 1 << k] - explained[rest])).sum() for k, rest in enumerate(without)])


def drivers(folk, held, *, seed: int, world: str, answers: int = 120_000) -> pd.DataFrame:
    """item, role (what it is there for), weight (points of recommendation a point of the latent attribute), penalty and reward (points where it fails and where it delights), importance
    (LMG on ticked answers of a very large survey of these people in the last wave, nobody a non-user; of the complaint's handling among those who complained, beside the others), share
    (of R²), correlation (with the recommendation), rank (1 = most important of those asked of all), mean (ticked, last wave), stated (share who name it among the two that matter most)."""
    key = (seed, "truth", "drivers")
    person = draws.whole((*key, "person"), answers, 0, len(folk) - 1)
    days = np.full(answers, np.datetime64("2025-12-11"))
    felt = opinions.experience(person, days, held, key=key, world=world)
    complained, handled = opinions.complaints(person, held, key=key)
    given = opinions.after_complaint(complained, handled, world=world)
    score = opinions.eleven(opinions.recommend(person, felt, held, key=key, world=world, unresolved=given))
    ticked = opinions.tick(felt, 1, 5)
    all_of_them = np.corrcoef(np.column_stack([ticked, score]).T)
    part = shapley(all_of_them)
    real = company.truthful(world)
    own = np.corrcoef(np.column_stack([ticked, opinions.tick(handled, 1, 5), score])[complained].T)
    # Two named of all without putting the first back: each named first, or second after any other.
    first = np.exp(company.STATED) / np.exp(company.STATED).sum()
    stated = first + np.array([(np.delete(first, k) / (1 - np.delete(first, k))).sum() * first[k] for k in range(len(first))])
    frame = pd.DataFrame({"item": company.IDS, "role": [a.role for a in company.ATTRIBUTES], "weight": company.WEIGHTS * real, "penalty": company.PENALTIES * real, "reward": company.REWARDS * real,
                          "importance": np.round(part, 4), "share": np.round(part / part.sum(), 4), "correlation": np.round(all_of_them[-1, :-1], 4), "rank": (-part).argsort(kind="stable").argsort(kind="stable") + 1.0,
                          "mean": np.round(ticked.mean(axis=0), 3), "stated": np.round(stated, 4)})
    asked = {"item": "complaint", "role": "asked of some", "weight": company.HANDLING * real, "penalty": 0.0, "reward": 0.0, "importance": round(float(shapley(own)[-1]), 4), "share": np.nan,
             "correlation": round(float(own[-1, -2]), 4), "rank": np.nan, "mean": round(float(opinions.tick(handled, 1, 5)[complained].mean()), 3), "stated": np.nan}
    return pd.concat([frame, pd.DataFrame([asked])], ignore_index=True)


def nps(folk, held, replies: pd.DataFrame, *, world: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The true NPS in points, by survey and wave, and of the pulse by week (of the contact): nps_customers (all customers of that day, equal weights) and
    nps_respondents (those who answered, weighted where the survey is), n (answers)."""
    by_day = {}

    def of(day, annual: bool) -> float:
        if (day, annual) not in by_day:
            here = np.flatnonzero(customers.active(folk, day))
            by_day[day, annual] = float(opinions.expected(here, np.full(len(here), day), held, world=world, complaining=annual).mean())
        return by_day[day, annual]

    replies = replies.assign(mass=replies["weight"], part=replies["expected"] * replies["weight"])
    monday = (replies["day"].to_numpy().astype("datetime64[D]").astype(int) + 3) // 7 * 7 - 3
    replies["week"] = monday.astype("datetime64[D]").astype("datetime64[s]")

    def table(rows, keys):
        grouped = rows.groupby(keys, sort=True)
        out = grouped.agg(mass=("mass", "sum"), part=("part", "sum"), n=("mass", "size"), middle=("day", "median")).reset_index()
        out["nps_respondents"] = np.round(out["part"] / out["mass"], 3)
        annual = out["survey"].eq("annual") if "survey" in out else [False] * len(out)
        out["nps_customers"] = [round(of(day, bool(one)), 3) for day, one in zip(out["middle"].to_numpy().astype("datetime64[D]"), annual)]
        return out[[*keys, "n", "nps_respondents", "nps_customers"]]

    return table(replies, ["survey", "wave"]), table(replies[replies["survey"] == "pulse"], ["week"])


# What was planted into the pulse between a wave and the one before: kind -> (wave, segment in which it shows, value; "": all of them).
PLANTED = {"good": ("2025Q4", "", ""), "one brand": ("2026Q1", "brand", "Kolibri"), "quiet": ("2026Q2", "", ""), "bad": ("2026Q3", "", ""), "mix": (contacts.FIBRE, "touchpoint", ""), "noise": ("2026Q2", "region", "")}


def moves(replies: pd.DataFrame, *, world: str) -> pd.DataFrame:
    """Moves of the pulse's NPS against the wave before, in points: kind, wave, then_wave, segment, value, nps (true of the respondents), within and mix (its parts by the segment, by brand
    where none is named; Kitagawa's, midpoints as base), observed (on the scores before any fault). Noise is the region whose score moved most in a quarter in which none moved."""
    pulse = replies[replies["survey"] == "pulse"]
    ticked = pulse["recommend"].astype("float64")
    pulse = pulse.assign(score=np.select([ticked >= 9, ticked <= 6, ticked.notna()], [100.0, -100.0, 0.0], np.nan))
    waves, rows = sorted(pulse["wave"].unique()), []
    for kind, (wave, segment, value) in PLANTED.items():
        if wave not in waves[1:]:
            continue
        then = waves[waves.index(wave) - 1]
        own = pulse[pulse["wave"].isin([wave, then])]
        by = own.groupby([segment or "brand", "wave"]).agg(n=("expected", "size"), true=("expected", "mean"), seen=("score", "mean")).unstack(fill_value=0)
        share, gap = by["n"] / by["n"].sum(), by["true"][wave] - by["true"][then]
        if kind == "noise":
            value = str((by["seen"][wave] - by["seen"][then]).abs().idxmax())
        if value:
            true = 0.0 if kind == "noise" else gap[value]           # who happens to answer is noise too
            rows.append((kind, wave, then, segment, value, true, true, 0.0, by["seen"].loc[value, wave] - by["seen"].loc[value, then]))
            continue
        within, mix = float((share.mean(axis=1) * gap).sum()), float((by["true"].mean(axis=1) * (share[wave] - share[then])).sum())
        seen = own.groupby("wave")["score"].mean()
        rows.append((kind, wave, then, segment, value, within + mix, within, mix, seen[wave] - seen[then]))
    columns = ["kind", "wave", "then_wave", "segment", "value", "nps", "within", "mix", "observed"]
    return pd.DataFrame(rows, columns=columns).round(dict.fromkeys(columns[5:], 3)).assign(real=company.truthful(world))


def units(replies: pd.DataFrame, *, world: str) -> pd.DataFrame:
    """The desks: desk, share (of the contacts), effect (points of the recommendation that it adds), answers (in the last wave)."""
    last = replies.loc[(replies["survey"] == "pulse") & (replies["wave"] == replies["wave"].max()), "desk"].value_counts().reindex(contacts.DESKS)
    effect = [contacts.DESK_EFFECTS.get(desk, 0.0) * company.truthful(world) for desk in contacts.DESKS]
    return pd.DataFrame({"desk": contacts.DESKS, "share": contacts.DESK_SHARES, "effect": effect, "answers": last.fillna(0).astype(int).to_numpy()})


def topics(mentions: pd.DataFrame, texts: pd.DataFrame) -> pd.DataFrame:
    """survey, wave, item, topic, comments (with a text), mentions, share (of comments), negative (share of the mentions)."""
    keys = ["survey", "wave", "item"]
    base = texts.groupby(keys, sort=True).size().rename("comments").reset_index()
    out = mentions.groupby([*keys, "topic"], sort=True).agg(mentions=("polarity", "size"), negative=("polarity", lambda sign: round(float((sign < 0).mean()), 4))).reset_index()
    out = out.merge(base, on=keys)
    out["share"] = np.round(out["mentions"] / out["comments"], 4)
    return out[[*keys, "topic", "comments", "mentions", "share", "negative"]]


def effects(folk, calls: pd.DataFrame, *, seed: int, world: str) -> pd.DataFrame:
    """What each action of the log truly does for one person assigned to it, margin in EUR over the window: action_id, contract, persons (treated), rate (extra
    add-ons of one who was reached), margin (expected of one assigned who stays), realised (what they did bring, leavers included), cost (of one assigned; empty where nobody wrote it down),
    recommend (points). What the call after the letter does stands with the call, though it went to nobody else."""
    price = sum(amount * share for amount, share in zip(orders.ADD_ONS.values(), orders.ADD_ON_SHARES)) * orders.ADD_ON_MARGIN
    about = {actions.LOYALTY: (actions.LOYALTY_REACH, actions.LOYALTY_COST), actions.RECOVERY: (actions.RECOVERY_REACH, actions.RECOVERY_COST), actions.CALL: (actions.CALL_REACH, actions.CALL_COST),
             **{name: (lot.reach, lot.cost) for name, lot in actions.LOTS.items()}}
    rows = []
    for action, (reach, cost) in about.items():
        log = calls[calls["action_id"] == action]
        mine = folk["contract"].to_numpy()[log.loc[log["arm"] == "treated", "person"]]
        sold = pd.Series(dtype=float)
        if action in actions.EXTRAS:
            bought = orders.extras(folk, log, seed=seed, world=world)
            whose = folk.set_index("person_id").loc[bought["person_id"]].reset_index()
            sold = bought.assign(contract=whose["contract"])[customers.active(whose, bought["ordered_on"].to_numpy())].groupby("contract")["margin"].sum()
        for contract in company.CONTRACTS:
            rate, persons = actions.EXTRAS.get(action, {}).get(contract, 0.0) * company.truthful(world), int((mine == contract).sum())
            rows.append({"action_id": action, "contract": contract, "persons": persons, "rate": rate, "margin": round(rate * reach * price, 4),
                         "realised": round(float(sold.get(contract, 0.0)) / max(1, persons), 4) if rate else 0.0, "cost": round(reach * cost[0] + (1 - reach) * cost[1], 4) if cost else np.nan, "recommend": 0.0})
    return pd.DataFrame(rows)


def rollouts(folk, *, world: str) -> pd.DataFrame:
    """What the actions that went from shop to shop truly do: action_id, shop, first (day), effect (EUR a month and owner: margin of the advisers' add-ons, nothing of the returns desk) and drift (EUR a month by
    which what is paid back falls there more than elsewhere, long before)."""
    price = sum(amount * share for amount, share in zip(orders.ADD_ONS.values(), orders.ADD_ON_SHARES)) * orders.ADD_ON_MARGIN
    high, low = actions.RETURNS_THERE
    months = (company.LAST_DAY.astype("datetime64[M]") - company.FIRST_DAY.astype("datetime64[M]")).astype(int)
    size, owners = -(orders.RETURNED[0] + orders.RETURNED[1] / 2), (folk["role"] == "owner").mean()
    rows = [(action, shop, first, round(actions.ADVICE_RATE * price * owners, 4) if action == actions.ADVICE else 0.0, round((high - low) / months * size * owners, 4) if action == actions.DESK else 0.0)
            for action, first_of in actions.ROLLOUTS.items() for shop, first in first_of.items()]
    found = pd.DataFrame(rows, columns=["action_id", "shop", "first", "effect", "drift"]).assign(first=lambda rows: rows["first"].astype("datetime64[s]"))
    return found.assign(**{name: found[name] * company.truthful(world) for name in ("effect", "drift")})


def write(folder: Path, *, tables: dict[str, pd.DataFrame], about: dict) -> None:
    """truth/*.parquet and truth/company.json (seed, world and every planted number)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        write_parquet(folder / f"{name}.parquet", frame.reset_index(drop=True), dates=tuple(name for name in ("week", "first") if name in frame))
    (folder / "company.json").write_text(json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
