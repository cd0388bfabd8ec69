"""Who stands just below a threshold: with what probability, what failed them, what is at stake, what became of those who stood there before.

A score is a noisy sign of a lasting opinion, and the threshold has an interval: both are in every probability. Nothing here says that lifting
somebody over the threshold would make them spend more; it says who would be asked first, if it does.
"""

import numpy as np
import pandas as pd

from cxlib.act import effects
from cxlib.load import bases
from cxlib.measure import chain, opinion

ACTING = ("case", "target")  # uses of a promise under which somebody may be approached because of an answer
SOCIAL = "social|twitter|facebook|instagram|tiktok|youtube|reddit|forum|review|trustpilot"
REACH = 0.1  # of the scale's range: how far below, or above, is just below or just above


def places(ruled: pd.DataFrame) -> pd.DataFrame:
    """Return the places a threshold may lie at with their weight, from what `thresholds.ruled` returns: at, weight (p, of those in the interval)."""
    return ruled[ruled["kept"]].rename(columns={"p": "weight"})[["at", "weight"]].reset_index(drop=True)


def standing(tables, *, survey: str, item: str, held: opinion.Opinion, places: pd.DataFrame, group: str | None = None, days: int = 365) -> pd.DataFrame:
    """Return where each present customer who answered within `days` before the quarter's end stands: nobody who has left, and nobody who bought nothing in the year.

    out: person_id, group, answers, score (mean of theirs), last (latest score), answered_on (its day), expected (lasting opinion, a usual score), p_below (it lies under the threshold), p_just (under it by no more than a
    tenth of the scale), side ("just below", "just above", "below", "above": by the expected opinion and the middle of the threshold), spent (in the year before the quarter's end).
    """
    programme, end = tables.programme, pd.Timestamp(tables.end)
    every = bases.upward(tables["responses"].query("survey == @survey"), programme, [item])
    own = every[every[item].notna() & every["person_id"].notna() & (every["answered_on"] > end - pd.Timedelta(days=days))].sort_values(["answered_on", "answer"], kind="stable")
    people = tables["people"].drop_duplicates("person_id").set_index("person_id")
    found = own.groupby("person_id", sort=True).agg(answers=(item, "size"), score=(item, "mean"), last=(item, "last"), answered_on=("answered_on", "last")).reset_index()
    found = found[~found["person_id"].isin(people.index[people["left_on"].notna()])].reset_index(drop=True)
    found["group"] = found["person_id"].map(people["contract"]).astype(object).fillna("not told") if people["contract"].nunique() > 1 else "all"
    found = found[found["group"] == group].reset_index(drop=True) if group else found
    year = chain.within(found.assign(answered_on=end), chain.purchases(tables), first=-chain.YEAR, last=0)
    found = found.assign(spent=year["spend"])[year["visits"] > 0].reset_index(drop=True)
    known = opinion.posterior(held, every, found.assign(answered_on=end), score=item, days=days)
    scale = programme.scales[programme.item(item).scale]
    reach = REACH * (scale.high - scale.low)
    found = found.assign(expected=known @ held.scale, p_below=opinion.below(known, held, places), p_just=opinion.below(known, held, places, down=reach))
    away = found["expected"] - middle(places)
    found["side"] = np.select([(away < 0) & (away >= -reach), (away >= 0) & (away < reach), away < 0], ["just below", "just above", "below"], "above")
    return found


def middle(places: pd.DataFrame) -> float:
    """Return the middle of where the threshold may lie."""
    return float(np.average(places["at"], weights=places["weight"]))


def ranked(stood: pd.DataFrame, *, each: float) -> pd.DataFrame:
    """Return those just below, the likeliest first, then those who spent most: rank, then what `standing` returns, stake (p_below x what changes at the threshold, `each`)."""
    found = stood[stood["side"] == "just below"].assign(stake=lambda rows: rows["p_below"] * each)
    found = found.sort_values(["p_just", "spent", "person_id"], ascending=[False, False, True], kind="stable", ignore_index=True)
    found.insert(0, "rank", np.arange(1, len(found) + 1))
    return found


def stake(listed: pd.DataFrame, change: dict, *, times: float = 1.0) -> pd.DataFrame:
    """Return what those on the list would bring more in a year if they were like those above: measure (each, all), estimate, conf_low, conf_high, n.

    `change` is the change of the margin at the threshold with its interval; `times` turns its window into a year. all = sum of p_below x change.
    """
    weight = float(listed["p_below"].sum())
    rows = [{"measure": name, **{end: change[end] * times * size for end in ("estimate", "conf_low", "conf_high")}, "n": len(listed)} for name, size in (("each", 1.0), ("all", weight))]
    return pd.DataFrame(rows)


def failed(stood: pd.DataFrame, tables, *, survey: str, days: int = 365) -> pd.DataFrame:
    """Return what went worse for those just below than for those just above, from every survey and record that may be linked: source, what, measure, below, above, estimate, conf_low, conf_high, n (below), n_above, p.

    Ratings (measure "rating": means of the customers' own means, turned so that more is better), contacts not settled, contacts by reason, and events by kind (measure "share" of
    customers who had one), in the `days` before the quarter's end. Grade D: what goes with standing there, not what put them there.
    """
    sides = stood[stood["side"].isin(["just below", "just above"])].set_index("person_id")["side"]
    since, programme = pd.Timestamp(tables.end) - pd.Timedelta(days=days), tables.programme
    rows = []
    for one in programme.surveys:
        if "link" not in one.uses:
            continue
        own = tables["responses"].query("survey == @one.id")
        own = own[own["person_id"].isin(sides.index) & (own["answered_on"] > since)]
        kpis = {kpi.item for kpi in programme.kpis}
        for item in programme.asked(one.id):
            if item.kind == "rating" and item.id not in kpis and own[item.id].notna().any():
                means = bases.upward(own, programme, [item.id]).groupby("person_id")[item.id].mean().dropna()
                rows.append(_compared(means, sides, "survey", item.id, "rating"))
    for name, column in (("interactions", "reason"), ("events", "kind")):
        if name in tables:
            own = tables[name].dropna(subset=["person_id"])
            own = own[own["person_id"].isin(sides.index) & (pd.to_datetime(own["at"]) > since)]
            own = own.assign(source=_source(own) if name == "interactions" else "event")
            for (source, what), part in own.dropna(subset=[column]).groupby(["source", column], sort=True):
                rows.append(_compared(sides.index.to_series().isin(part["person_id"]).astype(float), sides, source, what, "share"))
            if name == "interactions" and own["resolved"].notna().any():
                rows.append(_compared(sides.index.to_series().isin(own.loc[own["resolved"] == 0, "person_id"]).astype(float), sides, "contact", "not settled", "share"))
    return pd.DataFrame([row for row in rows if row], columns=COMPARED)


def _source(contacts: pd.DataFrame) -> pd.Series:
    """Where a contact comes from, by the words of its channel, touchpoint and reason: social, complaint, or contact."""
    words = contacts[["channel", "touchpoint", "reason"]].fillna("").astype(str).agg(" ".join, axis=1).str.casefold()
    found = np.select([words.str.contains(SOCIAL), words.str.contains("complain|beschwerde|reclam")], ["social", "complaint"], "contact")
    return pd.Series(found, index=contacts.index, dtype=object)


COMPARED = ["source", "what", "measure", "below", "above", "estimate", "conf_low", "conf_high", "p", "n", "n_above"]


def said(stood: pd.DataFrame, mentions: pd.DataFrame, verbatims: pd.DataFrame) -> pd.DataFrame:
    """Return which topics those just below speak of more than those just above, by source: the columns of `failed`, measure "share" of those who wrote something there.

    in: mentions (response_id, topic), and the verbatims they were coded from (response_id, person_id, source: survey, complaint, social, ...).
    """
    sides, rows = stood[stood["side"].isin(["just below", "just above"])].set_index("person_id")["side"], []
    for source, own in verbatims[verbatims["person_id"].isin(sides.index)].groupby("source", sort=True):
        wrote = sides[sides.index.isin(own["person_id"])]
        spoken = mentions[mentions["response_id"].isin(own["response_id"])]
        who = own.drop_duplicates("response_id").set_index("response_id")["person_id"]
        for topic, part in spoken.groupby("topic", sort=True):
            rows.append(_compared(wrote.index.to_series().isin(part["response_id"].map(who)).astype(float), wrote, source, topic, "share"))
    return pd.DataFrame([row for row in rows if row], columns=COMPARED)


def _compared(values: pd.Series, sides: pd.Series, source: str, what: str, measure: str) -> dict | None:
    """One comparison of those below and above, or None where either has fewer than ten."""
    from scipy import stats

    below, above = (values[values.index.isin(sides.index[sides == side])].to_numpy(float) for side in ("just below", "just above"))
    if min(len(below), len(above)) < 10:
        return None
    row = {"source": source, "what": what, "measure": measure, "below": below.mean(), "above": above.mean(), "n": len(below), "n_above": len(above)}
    if measure == "share":
        gap, low, high = effects.newcombe(below.sum(), len(below), above.sum(), len(above))
        whole = (below.sum() + above.sum()) / (len(below) + len(above))
        error = np.sqrt(whole * (1 - whole) * (1 / len(below) + 1 / len(above)))
        return row | {"estimate": gap, "conf_low": low, "conf_high": high, "p": float(2 * stats.norm.sf(abs(gap) / error)) if error > 0 else np.nan}
    found = effects.difference(pd.DataFrame({"value": np.concatenate([below, above]), "arm": ["treated"] * len(below) + ["control"] * len(above)}), outcome="value", arm="arm").iloc[0]
    return row | {name: found[name] for name in ("estimate", "conf_low", "conf_high", "p")}


def followed(then: pd.DataFrame, tables, *, survey: str, item: str, held: opinion.Opinion, places: pd.DataFrame, days: int = 365) -> pd.DataFrame:
    """Return what became of those who stood just below a quarter ago: what (crossed, stayed, silent, left), count, n, estimate (share), conf_low, conf_high (Wilson), expected.

    `then` is what `ranked` gave of the quarter before. Crossed: their first score since lies above the middle of the threshold; `expected` is the share that
    would by the mood of the day alone, with no opinion changed. Left: no customer any more. Silent: not asked, or no answer.
    """
    cut = middle(places)
    every = bases.upward(tables["responses"].query("survey == @survey"), tables.programme, [item])
    every = every[every[item].notna() & every["person_id"].isin(then["person_id"])].sort_values(["answered_on", "answer"], kind="stable")
    since = every.merge(then[["person_id", "answered_on"]].rename(columns={"answered_on": "before"}), on="person_id").query("answered_on > before")
    score = then["person_id"].map(since.drop_duplicates("person_id").set_index("person_id")[item])
    people = tables["people"].drop_duplicates("person_id").set_index("person_id")
    left = then["person_id"].isin(people.index[people["left_on"].notna()])
    what = np.select([left, score.isna(), score > cut], ["left", "silent", "crossed"], "stayed")
    asked = (~left & score.notna()).to_numpy()
    known = opinion.posterior(held, every, then, score=item, days=days)
    chance = float((known @ held.chance[held.levels > cut].sum(axis=0))[asked].mean()) if asked.any() else np.nan
    rows = []
    for name in ("crossed", "stayed", "silent", "left"):
        base, count = int(asked.sum()) if name in ("crossed", "stayed") else len(then), int((what == name).sum())
        low, high = effects.wilson(count, base) if base else (np.nan, np.nan)
        rows.append((name, count, base, count / base if base else np.nan, low, high, {"crossed": chance, "stayed": 1 - chance}.get(name, np.nan)))
    return pd.DataFrame(rows, columns=["what", "count", "n", "estimate", "conf_low", "conf_high", "expected"])
