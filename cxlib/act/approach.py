"""The list of those just below a threshold, for those who act: who is on it, who is left alone by lot, and everything the page says of it."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.act import holdout, justbelow
from cxlib.measure import chain, ledger, thresholds
from cxlib.text import codeframe, topics


class Below(NamedTuple):
    """What is known of those just below, each frame with a column group."""

    stood: pd.DataFrame  # every present customer (see `justbelow.standing`)
    listed: pd.DataFrame  # those just below, ranked, with the arm each was drawn into
    stakes: pd.DataFrame  # what is at stake a year
    worse: pd.DataFrame  # what went worse for them than for those just above, all sources
    followed: pd.DataFrame  # what became of last quarter's list
    may: bool  # whether the promise permits to approach somebody


def below(tables, rows: pd.DataFrame, lasting, held, found: pd.DataFrame, *, survey: str, item: str, days: int = 90, replicates: int = 499, seed: int = 1) -> Below:
    """Return who stands just below each threshold of spend that is shown (p_holm at most .05, more above it), group by group; empty frames where none is.

    in: what `chain.opinions` and `chain.broken` return. The list of last quarter is made again with the threshold of now, from what was known then.
    """
    programme, parts = tables.programme, {name: [] for name in ("stood", "listed", "stakes", "worse", "followed")}
    before = earlier(tables)
    shown = found[(found["outcome"] == "spend") & (found["p_holm"] <= 0.05) & (found["change"] > 0)] if lasting is not None else found.iloc[:0]
    for group in shown["group"]:
        own = rows[rows["group"] == group]
        options = {"x": "standing", "cluster": "person_id", "weight": "weight", "lasting": chain.of(lasting, own), "replicates": replicates, "seed": seed}
        ruled = thresholds.ruled(own, y="spend", **options)
        value = "margin" if own["margin"].notna().any() else "spend"
        scale = programme.scales[programme.item(item).scale]
        changed = thresholds.change(own, y=value, ruled=ruled, reach=justbelow.REACH * (scale.high - scale.low), **options)  # of a slope, what comes over a tenth of the scale
        known = {"survey": survey, "item": item, "held": held, "places": justbelow.places(ruled)}
        stood = justbelow.standing(tables, group=None if group == "all" else group, **known)
        listed = justbelow.ranked(stood, each=changed["estimate"] * chain.YEAR / days)
        made = {
            "stood": stood, "listed": listed.assign(matter=matters(listed, tables)), "stakes": justbelow.stake(listed, changed, times=chain.YEAR / days).assign(value=value),
            "worse": adjusted(pd.concat([justbelow.failed(stood, tables, survey=survey), spoken(stood, tables)], ignore_index=True)),
            "followed": pd.DataFrame() if before is None else justbelow.followed(justbelow.ranked(justbelow.standing(before, group=None if group == "all" else group, **known), each=0.0), tables, **known),
        }  # fmt: skip
        for name, frame in made.items():
            parts[name].append(frame.assign(group=group))
    may = bool(set(programme.survey(survey).uses) & set(justbelow.ACTING))
    whole = {name: pd.concat(frames, ignore_index=True) if frames else pd.DataFrame() for name, frames in parts.items()}
    if len(whole["listed"]) and may:
        whole["listed"] = holdout.draw(whole["listed"], action=name_of(tables), share=programme.holdout.share, reason=programme.holdout.reason, within="group")
    return Below(**whole, may=may)


def name_of(tables) -> str:
    """Return the action's id in plan.toml and in the log: just_below_2026q3."""
    return f"just_below_{tables.quarter.lower()}"


def earlier(tables):
    """Return the tables as known a quarter ago; None where there is no quarter before."""
    before = [quarter for quarter in tables.programme.quarters() if quarter < tables.quarter]
    return type(tables)(tables.folder, tables.programme, before[-1]) if before else None


def matters(listed: pd.DataFrame, tables, *, days: int = chain.YEAR) -> pd.Series:
    """Return the reason of each customer's latest contact that was not settled within the year; empty where there is none."""
    if "interactions" not in tables:
        return pd.Series("", index=listed.index)
    own = tables["interactions"].query("resolved == 0")
    own = own[own["person_id"].isin(listed["person_id"]) & (pd.to_datetime(own["at"]) > pd.Timestamp(tables.end) - pd.Timedelta(days=days))].dropna(subset=["reason"])
    last = own.sort_values(["at", "interaction_id"], kind="stable").drop_duplicates("person_id", keep="last").set_index("person_id")["reason"]
    return listed["person_id"].map(last).fillna("")


def spoken(stood: pd.DataFrame, tables, *, days: int = chain.YEAR) -> pd.DataFrame:
    """Return what those just below write of more than those just above, by survey, in the programme's own topics; empty without a codeframe."""
    path, blank = tables.programme.folder / "codeframe.toml", pd.DataFrame(columns=justbelow.COMPARED)
    if "verbatims" not in tables or not path.is_file():
        return blank
    near = stood.loc[stood["side"].isin(["just below", "just above"]), "person_id"]
    texts = tables["verbatims"]
    fresh = tables["responses"].loc[tables["responses"]["answered_on"] > pd.Timestamp(tables.end) - pd.Timedelta(days=days), "answer"]
    texts = texts[texts["person_id"].isin(near) & texts["answer"].isin(fresh)]
    if texts.empty:
        return blank
    texts = texts.assign(response_id=texts["answer"], source=texts["survey"])
    return justbelow.said(stood, topics.code(texts, codeframe.read(path)), texts)


def adjusted(compared: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons with p_bh (Benjamini-Hochberg over all of them), the smallest p first."""
    p = compared["p"].astype(float)
    live = p.notna()
    return compared.assign(p_bh=pd.Series(ledger._step_up(p[live].to_numpy()) if live.any() else [], index=compared.index[live], dtype=float)).sort_values(["p", "source", "what"], kind="stable", ignore_index=True)


def handed(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the list as those who act get it: the treated alone, without anybody's words: rank, person_id, group, last_score, answered_on, chance_below (percent), spent_in_year, open_matter."""
    own = listed[listed["arm"] == "treated"]
    return pd.DataFrame({
        "rank": np.arange(1, len(own) + 1), "person_id": own["person_id"].to_numpy(), "group": own["group"].to_numpy(), "last_score": own["last"].to_numpy(), "answered_on": own["answered_on"].dt.strftime("%Y-%m-%d").to_numpy(),
        "chance_below": (own["p_below"] * 100).round().to_numpy(), "spent_in_year": own["spent"].to_numpy(), "open_matter": own["matter"].to_numpy(),
    })  # fmt: skip


def logged(listed: pd.DataFrame, tables) -> pd.DataFrame:
    """Return the log of the draw, both arms, as rows of the actions table; assigned on the day after the quarter."""
    return holdout.log(listed, action=name_of(tables), day=tables.end + dt.timedelta(days=1))


def planned(tables, *, label: str) -> str:
    """Return the lines for plan.toml that make the next report read the log as an action decided by lot."""
    day = tables.end + dt.timedelta(days=1)
    return holdout.plan(action=name_of(tables), name=f"Just below, {tables.quarter}", why=f"Customers whose usual {label} lies just below the threshold from which customers spend more.", day=day, share=tables.programme.holdout.share)
