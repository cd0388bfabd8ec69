"""The employee survey: a short confidential one by team, and the list of who works where. The teams are those that the contacts name, with one too small to be shown."""

from pathlib import Path

import numpy as np
import pandas as pd

from . import answers, company, draws, exports, opinions

WAVES = {"2025Q3": ("2024-12-09", 12), "2026Q3": ("2025-12-08", 12)}        # first day, days of fieldwork
# team -> how many, and how far its mood lies from the mean (points of the employer's recommendation)
TEAMS = {"north-1": (24, 0.3), "north-2": (19, 0.1), "south-1": (22, 0.2), "south-2": (17, -0.2), "west-1": (14, -1.2), "city": (9, 0.6), "station": (8, 0.3), "mall": (6, 0.0),
         "network": (31, 0.4), "key accounts": (8, 0.5), "events": (4, -0.4)}
TIRED = {"north-1": -1.3, "north-2": -1.3, "south-1": -0.5, "south-2": -0.5, "west-1": -0.5}        # since the call centres were merged
ITEMS = ("work_advice", "work_load", "work_lead")
ANSWERS = 0.74


def staff() -> pd.DataFrame:
    """One row a person of the staff: staff_id (a number of its own), team."""
    team = np.repeat(list(TEAMS), [many for many, _ in TEAMS.values()])
    return pd.DataFrame({"staff_id": [f"e{4001 + 3 * number}" for number in range(len(team))], "team": team})


def replies(wave: str, *, seed: int, world: str) -> pd.DataFrame:
    """The answers of one wave: response_id, day, team, work_recommend (0-10) and the three ratings (1-5). Nothing in them leads to a person."""
    key, real, people = (seed, "employees", wave), company.truthful(world), staff()
    first, days = WAVES[wave]
    people = people[draws.happens((*key, "answers"), np.full(len(people), ANSWERS))]
    n, team = len(people), people["team"]
    mood = real * team.map({name: value for name, (_, value) in TEAMS.items()}).to_numpy() + real * (wave >= "2026Q3") * team.map(TIRED).fillna(0.0).to_numpy()
    halo = draws.normal((*key, "halo"), n)
    frame = pd.DataFrame({"response_id": answers.names((*key, "id"), n), "day": np.datetime64(first) + draws.whole((*key, "day"), n, 0, days).astype("timedelta64[D]"), "team": team.to_numpy(),
                          "work_recommend": opinions.tick(7.3 + mood + 1.2 * halo + 1.2 * draws.normal((*key, "score"), n), 0, 10),
                          **{item: opinions.tick(level + 0.35 * mood + 0.6 * halo + 0.7 * draws.normal((*key, item), n), 1, 5) for item, level in zip(ITEMS, (3.7, 3.0, 3.8))}})
    return frame.sort_values(["day", "response_id"], kind="stable", ignore_index=True)


def write(raw: Path, *, seed: int, world: str) -> None:
    """Write staff.csv and a file a wave."""
    exports.write_csv(raw / "staff.csv", staff())
    for wave in WAVES:
        frame = replies(wave, seed=seed, world=world)
        exports.write_csv(raw / f"employees_{wave}.csv", frame.assign(day=frame["day"].dt.strftime("%Y-%m-%d")).rename(columns={"response_id": "id"}))
