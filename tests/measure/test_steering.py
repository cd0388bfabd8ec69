"""KPIs that pay a bonus: steering is seen where invitations pass by unhappy contacts, and in one clean wave of a hundred."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import TINY

from cxlib import load
from cxlib.measure import steering, waves
from cxlib.programme import read
from cxlib.show import claims


def contacts(settled=0.3, unsettled=0.3, *, teams=6, each=150, seed=1, only=None):
    """Contacts of teams, of which so many are invited; `only` names the team whose invitations are steered."""
    rng = np.random.default_rng(seed)
    team = np.repeat([f"t{at}" for at in range(teams)], each)
    good = (rng.random(len(team)) < 0.7).astype(float)
    chance = np.where(good == 1, settled, np.where((team == only) | (only is None), unsettled, settled))
    return pd.DataFrame({"team": team, "settled": good, "invited": (rng.random(len(team)) < chance).astype(float)})


def test_mantel_haenszel_on_one_table_is_the_hypergeometric_z():
    """Agresti (2013), 6.3: one stratum of 30 settled (18 invited) and 20 others (5 invited): (18 - 30 x 23 / 50) / sqrt(30 x 20 x 23 x 27 / (50^2 x 49))."""
    frame = pd.DataFrame({"team": "a", "settled": [1.0] * 30 + [0.0] * 20, "invited": [1.0] * 18 + [0.0] * 12 + [1.0] * 5 + [0.0] * 15})
    row = steering.steered(frame)
    z = (18 - 30 * 23 / 50) / np.sqrt(30 * 20 * 23 * 27 / (50**2 * 49))
    assert row["p"] == pytest.approx(stats.norm.sf(z))
    assert row["estimate"] == pytest.approx(18 / 30 - 5 / 20)


def test_teams_that_differ_but_do_not_steer_are_clear():
    """Teams with more settled matters and more invitations alike look steered when pooled; within teams nothing is."""
    rng, parts = np.random.default_rng(2), []
    for team, settled, invited in (("a", 0.9, 0.6), ("b", 0.3, 0.1)):
        parts.append(pd.DataFrame({"team": team, "settled": (rng.random(300) < settled).astype(float), "invited": (rng.random(300) < invited).astype(float)}))
    frame = pd.concat(parts)
    assert steering.steered(frame)["verdict"] == "clear"
    assert steering.steered(frame.assign(team="all"))["verdict"] == "look"


def test_steering_is_seen_where_unhappy_contacts_are_passed_by():
    found = steering.steered(contacts(0.4, 0.2))
    assert found["verdict"] == "look"
    assert found["conf_low"] < 0.2 < found["conf_high"]


def test_clean_waves_are_called_steered_in_one_of_a_hundred():
    runs = 300
    false = sum(steering.steered(contacts(seed=seed, teams=4, each=90))["verdict"] == "look" for seed in range(runs))
    assert false <= 0.01 * runs + 2.6 * np.sqrt(0.01 * 0.99 * runs)


def test_passing_by_happy_contacts_is_not_what_helps():
    assert steering.steered(contacts(0.2, 0.4))["verdict"] == "clear"


BONUS = TINY.replace('definition = "nps_0_10"', 'definition = "nps_0_10"\nbonus = true')


def test_what_cannot_be_checked_is_no_clean_bill(tiny, tmp_path):
    programme = read(tiny(toml=BONUS))
    tables = load.tables(programme, out=tmp_path / "reports")
    shown = waves.kpis(tables)
    found = steering.checked(tables, shown)
    assert found.set_index("check")["verdict"].to_dict() == {"heaping": "clear", "steering": "not checked", "response": "not checked"}
    (sentence,) = claims.steering.said(found, shown, programme)
    assert sentence.endswith("Steered invitations could not be checked: no table tells who was invited. A break in the response rate could not be checked: no table tells who was invited.")
    assert "begged scores were looked for and not found, but not everything could be checked" in sentence


def test_nothing_is_said_of_help_where_nothing_pays(tiny, tmp_path):
    programme = read(tiny())
    tables = load.tables(programme, out=tmp_path / "reports")
    found = steering.checked(tables, waves.kpis(tables))
    assert found.empty
    assert claims.steering.said(found, waves.kpis(tables), programme) == ["No key figure is marked as paying a bonus (bonus = true in programme.toml), so none was checked for help."]


def test_a_verdict_stands_beside_the_figure():
    from cxlib.programme import Programme

    programme = Programme(name="P", surveys=({"id": "poll", "kind": "transactional"},), kpis=({"id": "nps", "label": "Score", "item": "x", "definition": "nps_0_10", "bonus": True},))
    shown = pd.DataFrame({"kpi": ["nps"], "survey": ["poll"], "estimate": [31.0], "unit": ["points"], "quarter": ["2026Q3"]})
    rows = [steering._row("heaping"), steering._row("steering", n=900, estimate=0.2, conf_low=0.15, conf_high=0.25, p=1e-6, verdict="look"), steering._row("response", estimate=-0.12, conf_low=-0.15, conf_high=-0.09, p=1e-6, verdict="look")]
    (sentence,) = claims.steering.said(pd.DataFrame(rows).assign(kpi="nps", survey="poll"), shown, programme)
    assert sentence == (
        "Score, +31 in 2026Q3, pays a bonus: it should not be paid on before this has been looked into. Contacts that were settled were followed by an invitation more often than those that were not: by +20.0 percentage points"
        " (95 % interval +15.0 to +25.0), from 900 contacts. The response rate moved by −12.0 percentage points since the wave before (95 % interval −15.0 to −9.0): other people may answer now."
    )
