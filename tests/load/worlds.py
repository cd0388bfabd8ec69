"""Clean companies at realistic noise, drawn at random, and the faults that are put into them one at a time."""

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.programme import Programme

ITEMS = ("price", "staff", "wait", "range", "clean", "app", "shop", "bill", "terms", "speed", "noise", "signs", "wifi", "food")


def programme(*, waves: int, items: int, changes=(), extra=(), kind="relationship", dated="fieldwork_close") -> Programme:
    """A programme of one survey with quarterly waves from 2020, a recommendation 0-10, a satisfaction 1-5 and attributes 1-5."""
    declared = []
    for number in range(waves):
        year, quarter = 2020 + number // 4, number % 4 + 1
        first = dt.date(year, 3 * quarter - 2, 1)
        last = dt.date(year + quarter // 4, 3 * quarter % 12 + 1, 1) - dt.timedelta(days=1)
        declared.append({"id": f"w{number + 1:02d}", "survey": "poll", "quarter": f"{year}Q{quarter}", "first": first, "last": last, "file": f"w{number + 1:02d}.csv",
                         "columns": {"answered_on": "day", "channel": "channel", "brand": "brand", "team": "team"}})
    ratings = [{"id": name, "wording": name, "scale": "five", "changes": [c for on, c in changes if on == name]} for name in (*ITEMS[:items], *extra)]
    return Programme.model_validate({
        "name": "Clean", "scales": {"ten": {"low": 0, "high": 10}, "five": {"low": 1, "high": 5}}, "surveys": [{"id": "poll", "kind": kind, "dated_by": dated}], "waves": declared,
        "items": [{"id": "recommend", "wording": "Recommend?", "scale": "ten"}, {"id": "satisfaction", "wording": "Satisfied?", "scale": "five"}, *ratings,
                  {"id": "region", "wording": "Region", "kind": "nominal"}, {"id": "age", "wording": "Age", "kind": "number"}],
        "kpis": [{"id": "nps", "item": "recommend", "definition": "nps_0_10"}, {"id": "csat", "item": "satisfaction", "definition": "csat_top2_of_5"}],
    })  # fmt: skip


def company(seed: int, *, waves: int | None = None, items: int | None = None, n: int | None = None, **options) -> dict:
    """Return the tables of a clean company with its `programme`: levels that drift and jump, channels and teams that differ, new items and channels,
    straight lines, mid-point spikes, blanks, panels: everything that is odd without being wrong."""
    rng = np.random.default_rng(seed)
    waves = waves or int(rng.integers(2, 9))
    items = items or int(rng.integers(1, 13))
    p = programme(waves=waves, items=items, **options)
    names = ["satisfaction", *ITEMS[:items]]
    channels, teams = [f"ch{c}" for c in "abcd"[: rng.integers(2, 5)]], [f"team-{t:02d}" for t in range(rng.integers(4, 25))]
    level, loading = rng.normal(0.5, 0.45, len(names)), rng.uniform(0.35, 0.8, len(names))
    channel_level, team_level = rng.normal(0, 0.25, len(channels)), rng.normal(0, rng.uniform(0.05, 0.35), len(teams))
    team_spread = np.exp(rng.normal(0, 0.08, len(teams)))
    weight, blanks, lines = rng.uniform(0, 1, len(names)), rng.uniform(0, 0.2, len(names)), rng.uniform(0.01, 0.1)
    drift, starts = rng.uniform(0.02, 0.12), np.where(rng.random(len(names)) < 0.08, rng.integers(0, waves, len(names)), 0)
    starts[0] = 0
    mid, sizes = rng.uniform(0, 0.08), rng.dirichlet(np.full(len(channels), 6.0))
    parts, shift, move = [], 0.0, np.zeros(len(names))
    for w, wave in enumerate(p.waves):
        size = n or int(np.exp(rng.uniform(np.log(60), np.log(2500))))
        move = move + rng.normal(0, drift, len(names))
        if rng.random() < 0.15:
            move[rng.integers(len(names))] += rng.normal(0, 0.5)  # something really changed
        shift = shift + rng.normal(0, 0.12) + (rng.random() < 0.05) * rng.normal(0, 0.5)
        mix = rng.dirichlet(40 * sizes + 0.5)
        channel, team = rng.choice(len(channels), size, p=mix), rng.integers(0, len(teams), size)
        halo = rng.standard_normal(size)
        own = np.sqrt(1 - loading**2) * rng.standard_normal((size, len(names)))
        latent = level + move + shift * 0.5 + (channel_level[channel] + team_level[team])[:, None] + (loading * halo[:, None] + own) * team_spread[team][:, None]
        ratings = np.clip(np.rint(3 + 1.05 * latent), 1, 5)
        gain = latent @ weight / max(np.sqrt((weight**2).sum()) * 1.6, 0.5)
        scores = np.clip(np.rint(6.7 + shift + 1.7 * gain + 1.2 * rng.standard_normal(size)), 0, 10)
        scores[rng.random(size) < mid] = 5
        line = rng.random(size) < lines
        ratings[line] = np.clip(np.rint(3 + 1.1 * latent[line, :1]), 1, 5)
        ratings[rng.random(ratings.shape) < blanks] = np.nan
        scores[rng.random(size) < 0.04] = np.nan
        ratings[:, starts > w] = np.nan
        days = pd.to_datetime(wave.first) + pd.to_timedelta(rng.integers(0, (wave.last - wave.first).days + 1, size), unit="D")
        frame = pd.DataFrame(ratings, columns=names).assign(recommend=scores, survey="poll", wave=wave.id, quarter=wave.quarter, answered_on=days, region=rng.choice(["n", "s", "e", "w"], size, p=[0.4, 0.3, 0.2, 0.1]),
            age=np.clip(np.rint(rng.normal(45, 15, size)), 16, 95), channel=np.array(channels)[channel], team=np.array(teams)[team], brand=None, country=None, language="en", weight=1.0)  # fmt: skip
        frame["response_id"] = [f"{i:05d}" for i in range(size)] if seed % 2 else [f"{x:016x}" for x in rng.integers(0, 2**62, size)]
        parts.append(frame)
    responses = pd.concat(parts, ignore_index=True)
    responses["answer"] = "poll/" + responses["wave"] + "/" + responses["response_id"]
    return {
        "programme": p, "responses": responses, "verbatims": pd.DataFrame({"answer": [], "survey": [], "text": []}),
        "repairs": pd.DataFrame(columns=["file", "quarter", "row", "column", "value", "rule", "suggestion"]),
        "files": pd.DataFrame({"file": [wave.file for wave in p.waves], "rows": [int((responses["wave"] == wave.id).sum()) for wave in p.waves]}),
    }  # fmt: skip
