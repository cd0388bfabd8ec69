"""How answers come about in the teams they are about: top scores beyond what their customers' mood gives, and customers chosen for the asking.

What is judged by its score may work on the score: by begging for the top one, or by sending the invitation to those who left content. Neither is proof
of intent; both must be known before a team is compared with another, or paid.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import cells
from cxlib.load import anomalies, bases
from cxlib.load.anomalies import heaps
from cxlib.measure import metrics

DAYS = 30  # an invitation belongs to the customer's last contact in so many days before it
LEAST = 20  # contacts of either outcome that a team needs
GAP, CHANCE = 0.10, 0.01  # what is told of a team: ten points more than elsewhere, at this chance over all teams


def begged(tables) -> pd.DataFrame:
    """Return how often teams are given the top score, beside how often people of their customers' mood give it elsewhere.

    Columns: survey, kpi, team, n (answers of all waves), top, elsewhere (shares 0..1), seen (the words of what `anomalies.heaped` has found of the team; ""
    where nothing). The first key figure of each survey. Teams of 40 answers and more that may be shown (`bases.teams`); a small rest of an anonymous survey hides the
    smallest team shown.
    """
    programme, shown, parts = tables.programme, set(bases.teams(tables)), []
    for grid in anomalies.grids(tables, programme):
        kpi = _first(programme, grid.survey.id)
        if kpi is None or grid.survey.kind == "employee":
            continue
        found = heaps.by_team(grid, kpi.item)
        found = found[found["team"].isin(shown)]
        rest = int(grid.frame.loc[grid.frame["team"].notna(), kpi.item].notna().sum() - found["n"].sum()) if len(found) else 0
        if 0 < rest < cells.limit(programme, grid.survey.id):
            found = found.drop(index=found["n"].idxmin())
        told = tables["anomalies"]
        told = told[(told["kind"] == "heaping") & (told["survey"] == grid.survey.id) & (told["item"] == kpi.item)]
        seen = [next((f"{100 * row.estimate:.0f} % seem to be begged{f' in {row.wave}' if row.wave else ''}" for row in told.itertuples() if row.unit == f"team '{team}'"), "") for team in found["team"]]
        parts.append(found.assign(survey=grid.survey.id, kpi=kpi.id, seen=seen))
    columns = ["survey", "kpi", "team", "n", "top", "elsewhere", "seen"]
    return (pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)).astype({"top": float, "elsewhere": float})


def steered(tables) -> pd.DataFrame:
    """Return whom teams have invited: the share of contacts that were solved and that were not after which an invitation went out.

    An invitation belongs to the customer's last contact in the 30 days before it. Columns: survey, kpi, unit (of the key figure), team, contacts, solved, unsolved (contacts), asked_solved, asked_unsolved
    (shares invited, 0..1), estimate (the first less the second), conf_low, conf_high (95 %), usual (the same of all other teams), p (no difference from them; spread
    of the other teams counted where it is more than chance), moved (what the choice adds to the team's key figure: as answered less as if solved and unsolved
    contacts stood in their own shares; NaN where few answers can be joined), told (10 points more than elsewhere, at .01 over the number of teams). Surveys that contacts
    set off and whose answers may be linked; teams that may be shown, with 20 contacts of either outcome; two teams at least.
    """
    programme, shown, parts = tables.programme, bases.teams(tables), []
    contacts, calls = tables["interactions"], tables["invitations"]
    if not len(contacts) or not len(calls) or "team" not in contacts or "resolved" not in contacts:
        return pd.DataFrame(columns=_COLUMNS)
    contacts = contacts[contacts["person_id"].notna() & contacts["team"].notna() & contacts["at"].notna()].assign(day=lambda rows: pd.to_datetime(rows["at"]).dt.normalize().astype("datetime64[ns]"))
    contacts = contacts.sort_values(["day", "interaction_id"], kind="stable", ignore_index=True).assign(place=lambda rows: np.arange(len(rows)))
    for survey in programme.surveys:
        own = calls[calls["survey"] == survey.id].assign(day=lambda rows: pd.to_datetime(rows["sent_on"]).astype("datetime64[ns]"))
        kpi = _first(programme, survey.id)
        if kpi is None or survey.kind not in ("transactional", "journey") or "link" not in survey.uses or own.empty:
            continue
        last = pd.merge_asof(own.dropna(subset=["day", "person_id"]).sort_values("day", kind="stable"), contacts[["day", "person_id", "place"]], on="day", by="person_id", tolerance=pd.Timedelta(days=DAYS))
        last = last.dropna(subset=["place"]).drop_duplicates("place")
        span = contacts["day"].between(own["day"].min() - pd.Timedelta(days=DAYS), own["day"].max())
        made = contacts[span & contacts["resolved"].notna()].assign(asked=lambda rows, last=last: rows["place"].isin(last["place"]).astype(float))
        made = made.merge(_answers(tables, survey.id, kpi, last), on="place", how="left")
        parts.append(_compared(made[made["team"].isin(shown)]).assign(survey=survey.id, kpi=kpi.id, unit=metrics.definition_of(kpi.definition).unit))
    return pd.concat(parts, ignore_index=True)[_COLUMNS] if parts else pd.DataFrame(columns=_COLUMNS)


_COLUMNS = ["survey", "kpi", "unit", "team", "contacts", "solved", "unsolved", "asked_solved", "asked_unsolved", "estimate", "conf_low", "conf_high", "usual", "p", "moved", "told"]


def _first(programme, survey: str):
    return next((kpi for kpi in programme.kpis if survey in bases.surveys_of(programme, kpi)), None)


def _answers(tables, survey: str, kpi, last: pd.DataFrame) -> pd.DataFrame:
    """The key figure's value of the answer that followed each invited contact, where the person answered that wave once."""
    own = tables["responses"]
    own = own[(own["survey"] == survey) & own[kpi.item].notna() & own["person_id"].notna()].drop_duplicates(["wave", "person_id"], keep=False)
    own = own.assign(value=metrics.definition_of(kpi.definition).value(own[kpi.item].to_numpy(dtype=float)))
    once = last.drop_duplicates(["wave", "person_id"], keep=False)
    return once.merge(own[["wave", "person_id", "value"]], on=["wave", "person_id"])[["place", "value"]]


def _compared(made: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for team, own in made.groupby("team", sort=True):
        good, bad = (own[own["resolved"] == outcome] for outcome in (1.0, 0.0))
        if min(len(good), len(bad)) >= LEAST:
            first, second = good["asked"].mean(), bad["asked"].mean()
            error = np.sqrt(sum(max(share * (1 - share), 0.5 / len(part)) / len(part) for share, part in ((first, good), (second, bad))))
            rows.append((team, len(own), len(good), len(bad), first, second, first - second, error, _moved(good, bad)))
    found = pd.DataFrame(rows, columns=["team", "contacts", "solved", "unsolved", "asked_solved", "asked_unsolved", "estimate", "error", "moved"])
    if len(found) < 2:
        return found.iloc[:0].assign(conf_low=[], conf_high=[], usual=[], p=[], told=[])
    z, usual = np.zeros(len(found)), np.zeros(len(found))
    for at in range(len(found)):
        rest = found.drop(index=found.index[at])
        weight = 1 / rest["error"] ** 2
        usual[at] = (weight * rest["estimate"]).sum() / weight.sum()
        scatter = max((weight * (rest["estimate"] - usual[at]) ** 2).sum() / max(len(rest) - 1, 1), 1.0) if len(rest) > 2 else 1.0
        z[at] = (found["estimate"].iloc[at] - usual[at]) / np.sqrt((found["error"].iloc[at] ** 2 + 1 / weight.sum()) * scatter)
    p = 2 * stats.norm.sf(np.abs(z))
    half = 1.959963984540054 * found["error"]
    told = (p < CHANCE / len(found)) & (found["estimate"] - usual >= GAP)
    return found.assign(conf_low=found["estimate"] - half, conf_high=found["estimate"] + half, usual=usual, p=p, told=told.astype(int))


def _moved(good: pd.DataFrame, bad: pd.DataFrame) -> float:
    values = [part["value"].dropna() for part in (good, bad)]
    if min(map(len, values)) < LEAST:
        return np.nan
    answered = len(values[0]) / (len(values[0]) + len(values[1]))
    return (answered - len(good) / (len(good) + len(bad))) * (values[0].mean() - values[1].mean())
