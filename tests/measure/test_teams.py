"""How teams ask: begged top scores and invitations to those who left content, planted and told; honest teams are left alone."""

import numpy as np
import pandas as pd
import pytest

from cxlib import programme
from cxlib.load import anomalies
from cxlib.measure import teams
from cxlib.show import claims

TOML = """
name = "Teams"
[scales.ten]
low = 0
high = 10
[scales.five]
low = 1
high = 5
[[surveys]]
id = "pulse"
kind = "transactional"
promise = "confidential"
uses = ["aggregate", "link"]
[[surveys]]
id = "poll"
kind = "transactional"
promise = "anonymous"
uses = ["aggregate"]
[[waves]]
id = "2026Q1"
survey = "pulse"
quarter = "2026Q1"
first = 2026-01-01
last = 2026-03-31
file = "a.csv"
columns = {response_id = "id", person_id = "person", team = "team"}
[[items]]
id = "recommend"
wording = "How was recommend?"
scale = "ten"
[[items]]
id = "advice"
wording = "How was advice?"
scale = "five"
[[items]]
id = "waiting"
wording = "How was waiting?"
scale = "five"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
"""
CREW = [f"crew-{number}" for number in range(1, 7)]


class World(dict):
    """Tables as the studies take them, with their programme."""


def company(tmp_path, seed, *, begging=0.0, steering=0.0, contacts=500, persons=6):
    """Six teams with the same service. One begs (turns that share of its scores into tens), and one leaves out that share of those it could not help."""
    rng = np.random.default_rng(seed)
    n = len(CREW) * contacts
    team = np.repeat(CREW, contacts)
    solved = (rng.random(n) < 0.7).astype(float)
    mood = rng.normal(size=n) + 0.8 * solved
    asked = rng.random(n) < np.where((team == "crew-2") & (solved == 0), 0.6 * (1 - steering), 0.6)
    day = pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.integers(0, 80, n), unit="D")
    person = [f"p{at}" for at in range(n)]
    score = np.clip(np.round(6 + 1.8 * mood + rng.normal(size=n)), 0, 10)
    score = np.where((team == "crew-1") & (rng.random(n) < begging), 10, score)
    rating = lambda: np.clip(np.round(3 + 0.8 * mood + 0.6 * rng.normal(size=n)), 1, 5)
    answered = asked & (rng.random(n) < 0.6)
    responses = pd.DataFrame({"response_id": [f"r{at}" for at in range(n)], "survey": "pulse", "wave": "2026Q1", "quarter": "2026Q1", "answered_on": day, "person_id": person, "team": team, "weight": 1.0, "recommend": score, "advice": rating(), "waiting": rating()})[answered].reset_index(drop=True)
    (tmp_path / "raw").mkdir(exist_ok=True)
    (tmp_path / "programme.toml").write_text(TOML)
    (tmp_path / "raw" / "a.csv").write_text("id,person,team,recommend,advice,waiting\n")
    made = World(
        responses=responses, verbatims=pd.DataFrame(columns=["response_id", "survey", "wave", "item", "text"]),
        interactions=pd.DataFrame({"interaction_id": [f"i{at}" for at in range(n)], "person_id": person, "at": day + pd.Timedelta(hours=9), "team": team, "resolved": solved}),
        invitations=pd.DataFrame({"survey": "pulse", "wave": "2026Q1", "person_id": person, "sent_on": day + pd.Timedelta(days=1)})[asked],
        staff=pd.DataFrame({"staff_id": [f"{one}-{number}" for one in CREW for number in range(4 if one == "crew-6" else persons)], "team": [one for one in CREW for _ in range(4 if one == "crew-6" else persons)]}),
    )  # fmt: skip
    made.programme = programme.read(tmp_path)
    grids = anomalies.grids(made, made.programme)
    rows = [row for grid in grids for row in anomalies.heaps.heaped(grid)]
    made["anomalies"] = pd.DataFrame(rows, columns=list(anomalies.COLUMNS))
    return made


def test_a_team_that_begs_is_told_and_no_other(tmp_path):
    made = company(tmp_path, 1, begging=0.35)
    found = teams.begged(made).set_index("team")
    assert list(found.index) == CREW[:5], "a team of four persons is not shown"
    assert found["seen"].ne("").to_dict() == {one: one == "crew-1" for one in CREW[:5]}
    assert found.loc["crew-1", "top"] > found.loc["crew-1", "elsewhere"] + 0.15
    assert (found["top"] - found["elsewhere"]).drop("crew-1").abs().max() < 0.12
    said = claims.teams.points(found.reset_index(), teams.steered(made), made)
    assert "crew-1 gets more top scores than its customers are content" in said[0]
    assert "crew-6" not in " ".join(said)


def test_a_team_that_leaves_out_those_it_could_not_help_is_told_with_what_that_adds(tmp_path):
    made = company(tmp_path, 2, steering=0.6)
    found = teams.steered(made).set_index("team")
    assert list(found.index) == CREW[:5]
    assert found["told"].to_dict() == {one: int(one == "crew-2") for one in CREW[:5]}
    own = found.loc["crew-2"]
    assert own["asked_solved"] == pytest.approx(0.6, abs=0.07)
    assert own["asked_unsolved"] == pytest.approx(0.24, abs=0.07)
    assert own["conf_low"] < 0.36 < own["conf_high"]
    assert own["moved"] > 2
    assert found["moved"].drop("crew-2").abs().max() < own["moved"]
    said = " ".join(claims.teams.points(teams.begged(made), teams.steered(made), made))
    assert "crew-2 invites" in said
    assert "points to its" in said
    assert claims.teams.steered(found.reset_index(), made.programme)["team"].tolist() == CREW[:5]


def test_the_invitation_belongs_to_the_last_contact_before_it(tmp_path):
    """By hand: two contacts of one person, one invitation after the second; an invitation before any contact, and one after 40 days, belong to none."""
    made = company(tmp_path, 3)
    rows = [("a", "p1", "2026-02-01", 0.0), ("b", "p1", "2026-02-10", 1.0), ("c", "p2", "2026-02-01", 1.0), ("d", "p3", "2026-02-01", 1.0)]
    some = pd.DataFrame([{"interaction_id": name, "person_id": person, "at": pd.Timestamp(day), "team": "crew-1", "resolved": solved} for name, person, day, solved in rows])
    made["interactions"] = pd.concat([some, made["interactions"][made["interactions"]["team"] != "crew-1"]], ignore_index=True)
    sent = pd.DataFrame({"survey": "pulse", "wave": "2026Q1", "person_id": ["p1", "p2", "p3"], "sent_on": pd.to_datetime(["2026-02-12", "2026-01-15", "2026-03-13"])})
    others = made["invitations"][~made["invitations"]["person_id"].isin(["p1", "p2", "p3"])]
    made["invitations"] = pd.concat([sent, others], ignore_index=True)
    least, teams.LEAST = teams.LEAST, 1
    try:
        own = teams.steered(made).set_index("team").loc["crew-1"]
    finally:
        teams.LEAST = least
    assert (own["contacts"], own["solved"], own["unsolved"]) == (4, 3, 1)
    assert own["asked_solved"] == pytest.approx(1 / 3)
    assert own["asked_unsolved"] == 0


@pytest.mark.parametrize("companies", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_honest_teams_are_left_alone(tmp_path, companies):
    hits = sum(int(teams.steered(company(tmp_path, seed, contacts=150))["told"].sum()) > 0 for seed in range(companies))
    assert hits <= max(1, 0.02 * companies), f"{hits} of {companies} companies"


def test_without_a_staff_table_no_team_is_shown_and_the_page_says_why(tmp_path):
    made = company(tmp_path, 4)
    made["staff"] = made["staff"].iloc[:0]
    assert teams.begged(made).empty
    assert teams.steered(made).empty
    (said,) = claims.teams.points(teams.begged(made), teams.steered(made), made)
    assert "only teams of at least 5 persons are, by the staff table, and this programme has none" in said
