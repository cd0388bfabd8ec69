"""What is said of how teams ask: who gives them the top score, and whom they invite."""

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking


def begged(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the top scores of teams as a table of words: team (with its survey, where several have teams), answers, top score, people of their mood elsewhere, seen."""
    return pd.DataFrame({"team": _named(found, programme), "n": found["n"], "top": found["top"], "elsewhere": found["elsewhere"], "seen": found["seen"].replace("", "–")})


def steered(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return whom teams have invited as a table of words: team, contacts, invited of those solved and of the others, the difference with its interval, that of the other teams, what it adds to the key figure."""
    moved = [_moved(row) if row.moved == row.moved else "–" for row in found.itertuples()]
    gap = [f"{tracking.signed(row.estimate, 'share')} ({tracking.signed(row.conf_low, 'share')} to {tracking.signed(row.conf_high, 'share')})" for row in found.itertuples()]
    return pd.DataFrame({"team": _named(found, programme), "contacts": found["contacts"], "asked_solved": found["asked_solved"], "asked_unsolved": found["asked_unsolved"], "gap": gap, "usual": [tracking.signed(one, "share") for one in found["usual"]], "moved": moved})


def points(asked: pd.DataFrame, invited: pd.DataFrame, tables) -> list[str]:
    """Say which teams look as if their scores were worked on, and where nothing can be said."""
    programme, responses, said = tables.programme, tables["responses"], []
    if "team" not in responses or responses["team"].isna().all():
        return [claims.needs("answers with the team they are about", "say how teams ask for them")]
    if asked.empty and invited.empty:
        least = programme.staff.minimum
        return [f"No team is shown: only teams of at least {least} persons are, by the staff table, and {'it names no such team with enough answers' if len(tables['staff']) else 'this programme has none'}."]
    for survey, own in asked.groupby("survey", sort=False):
        hits = own[own["seen"] != ""]
        opening = claims.heading(programme, survey)
        said.append(claims.say(opening, f"of {prose.plural(len(own), 'team')}, {prose.join(f'{row.team} gets more top scores than its customers are content ({row.seen})' for row in hits.itertuples())}. Find out how it asks before its figures are compared or paid for." if len(hits) else f"none of {prose.plural(len(own), 'team')} gets more top scores than people of its customers' mood give elsewhere, as far as these answers can show."))
    for survey, own in invited.groupby("survey", sort=False):
        hits = own[own["told"] == 1]
        opening, base = claims.heading(programme, survey), f"{prose.plural(len(own), 'team')}, {prose.number(own['contacts'].sum())} contacts"
        if hits.empty:
            said.append(claims.say(opening, f"no team invites those it could help more readily than other teams do, beyond chance ({base})."))
        for row in hits.itertuples():
            adds = f" This choice, with who then answers, adds {_moved(row)} to its {programme.label(row.kpi)}." if row.moved == row.moved else ""
            said.append(claims.say(opening, f"{row.team} invites {prose.percent(row.asked_solved)} of those whose matter was solved and {prose.percent(row.asked_unsolved)} of the others, a difference of {prose.interval(row.conf_low, row.conf_high, 'percentage points')} (95 % interval; {tracking.signed(row.usual, 'share')} in the other teams; {prose.number(row.contacts)} contacts).{adds}"))
    return said


def _named(found: pd.DataFrame, programme) -> list[str]:
    several = found["survey"].nunique() > 1
    return [f"{row.team}, {programme.label(row.survey)}" if several else row.team for row in found.itertuples()]


def _moved(row) -> str:
    return f"{tracking.signed(row.moved, row.unit)} {tracking.CHANGE[row.unit]}"
