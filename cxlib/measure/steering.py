"""KPIs that pay a bonus: whether the figure was helped along, checked before it is used. Scores that were begged for, invitations that pass by unhappy contacts, and breaks in
the response rate. A check that cannot be made is no clean bill.
"""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.load.bases import surveys_of
from cxlib.measure import metrics, nonresponse, teams

ALPHA = 0.01  # a check that sees something tells people off: one in a hundred by chance
DAYS = 30  # from a contact to its invitation
LEAST = 20  # contacts that were followed by an invitation
SWING = 0.05  # a change of the response rate worth a look
CHECKS = ("heaping", "steering", "response")
COLUMNS = ["kpi", "survey", "wave", "quarter", "check", "unit", "n", "estimate", "conf_low", "conf_high", "p", "verdict", "note"]


def checked(tables, shown: pd.DataFrame) -> pd.DataFrame:
    """Return the checks of every KPI that pays a bonus, by survey, in its latest wave.

    in: `waves.kpis`. out: kpi, survey, wave, quarter, check (heaping, steering, response), unit (team or group concerned), n, estimate (heaping: as the sight in the answers says;
    steering: share of contacts invited where the matter was settled less where it was not; response: rate now less the wave before), conf_low, conf_high, p,
    verdict (clear, look, not checked), note. Steering is tested within teams (Mantel-Haenszel), and teams that `teams.steered` tells of stand beside it; `look` at p < 0.01.
    """
    rows = []
    for kpi in [one for one in tables.programme.kpis if one.bonus]:
        for survey in surveys_of(tables.programme, kpi):
            own = shown[(shown["kpi"] == kpi.id) & (shown["survey"] == survey)]
            if own.empty:
                continue
            last = own.iloc[-1]
            found = [*_heaped(tables, kpi, survey, last), *_steered(tables, survey, last["wave"]), *_responded(tables, survey, last["wave"])]
            rows += [{"kpi": kpi.id, "survey": survey, "wave": last["wave"], "quarter": last["quarter"]} | row for row in found]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _heaped(tables, kpi, survey: str, last) -> list[dict]:
    seen = tables["anomalies"]
    seen = seen[(seen["kind"] == "heaping") & (seen["survey"] == survey) & (seen["item"] == kpi.item) & (seen["wave"].isna() | (seen["wave"] == "") | (seen["wave"] == last["wave"])) & (seen["verdict"] != "accepted")]
    if seen.empty:
        return [_row("heaping", n=last["n"])]
    return [_row("heaping", unit=str(row.unit or ""), n=row.n, estimate=row.estimate, p=row.p, verdict="look", note=str(row.sentence)) for row in seen.itertuples()]


def contacts(tables, survey: str, wave: str) -> pd.DataFrame:
    """Return the contacts that a wave could have asked about: team, settled (1, 0), invited (1 where its person was invited to this survey within 30 days, and had no later contact before)."""
    calls, visits = tables["invitations"], tables["interactions"]
    about = next(one for one in tables.programme.waves if one.survey == survey and one.id == wave)
    visits = visits[visits["person_id"].notna() & visits["resolved"].notna()]
    day = pd.to_datetime(visits["at"]).dt.normalize()
    visits = visits.assign(day=day)[(day >= pd.Timestamp(about.first)) & (day <= pd.Timestamp(about.last))]
    sent = calls[(calls["survey"] == survey) & calls["person_id"].notna() & calls["sent_on"].notna()][["person_id", "sent_on"]]
    visits = visits.sort_values(["day", "interaction_id"], kind="stable").reset_index(drop=True)
    sent = sent.assign(sent_on=pd.to_datetime(sent["sent_on"]).astype("datetime64[us]")).sort_values("sent_on", kind="stable")
    pairs = pd.merge_asof(sent, visits.assign(place=visits.index, day=visits["day"].astype("datetime64[us]"))[["person_id", "day", "place"]], left_on="sent_on", right_on="day", by="person_id", tolerance=pd.Timedelta(days=DAYS))
    return pd.DataFrame({"team": visits["team"].astype("str").fillna(""), "settled": visits["resolved"].astype(float), "invited": visits.index.isin(pairs["place"].dropna()).astype(float)})


def steered(found: pd.DataFrame) -> dict:
    """Say whether contacts that went well were invited more often, within teams: in: team, settled, invited (0 or 1). out: the row of a check."""
    top = var = 0.0
    for _, own in found.groupby("team", sort=True):
        n, m, k = len(own), own["settled"].sum(), own["invited"].sum()
        if n < 2 or m in (0, n):
            continue
        a = (own["settled"] * own["invited"]).sum()
        top += a - m * k / n
        var += m * (n - m) * k * (n - k) / (n**2 * (n - 1))
    if not var > 0:
        return _row("steering", n=len(found), verdict="not checked", note="no contacts of which some were settled and some not, some invited and some not")
    # Cochran, Mantel and Haenszel, without a correction for continuity
    p = float(stats.norm.sf(top / np.sqrt(var)))  # one-sided: passing by unhappy contacts is what helps
    a, b = (found.loc[found["settled"] == side, "invited"] for side in (1, 0))
    gap, low, high = _gap(a.sum(), len(a), b.sum(), len(b))
    return _row("steering", n=len(found), estimate=gap, conf_low=low, conf_high=high, p=p, verdict="look" if p < ALPHA else "clear")


def _gap(a: float, m: float, b: float, k: float) -> tuple[float, float, float]:
    """Difference of two shares a/m - b/k with Agresti and Caffo's interval (2000)."""
    one, two = (a + 1) / (m + 2), (b + 1) / (k + 2)
    error = np.sqrt(one * (1 - one) / (m + 2) + two * (1 - two) / (k + 2))
    return a / m - b / k, one - two - metrics.Z * error, one - two + metrics.Z * error


def _steered(tables, survey: str, wave: str) -> list[dict]:
    for name, what in (("invitations", "who was invited"), ("interactions", "which contacts there were")):
        if not len(tables[name]):
            return [_row("steering", verdict="not checked", note=f"no table tells {what}")]
    if tables.programme.survey(survey).kind not in ("transactional", "journey"):
        return [_row("steering", verdict="not checked", note="invitations do not follow contacts in this survey")]
    if "link" not in tables.programme.survey(survey).uses:
        return [_row("steering", verdict="not checked", note="its invitations may not be linked to persons")]
    found = contacts(tables, survey, wave)
    if found["invited"].sum() < LEAST:
        return [_row("steering", n=len(found), verdict="not checked", note=f"only {int(found['invited'].sum())} contacts of known outcome were followed by an invitation")]
    told = teams.steered(tables)
    told = told[(told["survey"] == survey) & (told["told"] == 1)]
    return [steered(found), *(_row("steering", unit=row.team, n=row.contacts, estimate=row.estimate, conf_low=row.conf_low, conf_high=row.conf_high, p=row.p, verdict="look") for row in told.itertuples())]


def _responded(tables, survey: str, wave: str) -> list[dict]:
    asked = nonresponse.asked(tables)
    asked = asked[(asked["survey"] == survey) & (asked["source"] == "invited")]
    rates = nonresponse.rates(asked, by=[]).sort_values(["quarter", "wave"], kind="stable").reset_index(drop=True) if len(asked) else pd.DataFrame(columns=["wave"])
    place = rates.index[rates["wave"] == wave]
    if not len(place):
        return [_row("response", verdict="not checked", note="no table tells who was invited")]
    if place[0] == 0:
        return [_row("response", n=int(rates["n"][0]), verdict="not checked", note="there is no earlier wave with invitations")]
    now, then = rates.iloc[place[0]], rates.iloc[place[0] - 1]
    gap, error = now["estimate"] - then["estimate"], np.hypot(now["std_error"], then["std_error"])
    p = float(2 * stats.norm.sf(abs(gap) / error)) if error > 0 else np.nan
    return [_row("response", n=int(now["n"]), estimate=gap, conf_low=gap - metrics.Z * error, conf_high=gap + metrics.Z * error, p=p, verdict="look" if p < ALPHA and abs(gap) >= SWING else "clear")]


def _row(check: str, *, unit="", n=0, estimate=np.nan, conf_low=np.nan, conf_high=np.nan, p=np.nan, verdict="clear", note="") -> dict:
    return {"check": check, "unit": unit, "n": int(n), "estimate": estimate, "conf_low": conf_low, "conf_high": conf_high, "p": p, "verdict": verdict, "note": note}
