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


def write(world: dict, folder, *, extra: str = "", dates: str = "%Y-%m-%d"):
    """Write a company as the raw files and the programme.toml an analyst would have, and return the folder."""
    p, responses = world["programme"], world["responses"]
    (folder / "raw").mkdir(parents=True)
    items = [item for item in p.items if item.id in responses]
    lines = ['name = "Clean"', *(f"[scales.{name}]\nlow = {scale.low:g}\nhigh = {scale.high:g}" for name, scale in p.scales.items()), f'[[surveys]]\nid = "poll"\nkind = "relationship"\ndated_by = "{p.surveys[0].dated_by}"']
    for wave in p.waves:
        columns = "{" + ", ".join(f'{field} = "{field}"' for field in ("response_id", "answered_on", "channel", "team")) + "}"
        lines.append(f'[[waves]]\nid = "{wave.id}"\nsurvey = "poll"\nquarter = "{wave.quarter}"\nfirst = {wave.first}\nlast = {wave.last}\nfile = "{wave.file}"\ncolumns = {columns}')
        own = responses[responses["wave"] == wave.id]
        own.assign(answered_on=own["answered_on"].dt.strftime(dates), **{item.id: own[item.id].map(lambda value: "" if value != value else f"{value:g}") for item in items if item.kind in ("rating", "number")})[
            ["response_id", "answered_on", "channel", "team", *(item.id for item in items)]].to_csv(folder / "raw" / wave.file, index=False)  # fmt: skip
    for item in items:
        changes = ", ".join(f'{{wave = "{change.wave}", what = "{change.what}", comparable = {str(change.comparable).lower()}}}' for change in item.changes)
        lines.append(f'[[items]]\nid = "{item.id}"\nwording = "{item.wording}"\nkind = "{item.kind}"' + (f'\nscale = "{item.scale}"' if item.scale else "") + (f"\nchanges = [{changes}]" if changes else ""))
    lines += [f'[[kpis]]\nid = "{kpi.id}"\nitem = "{kpi.item}"\ndefinition = "{kpi.definition}"' for kpi in p.kpis]
    (folder / "programme.toml").write_text("\n".join([*lines, extra]) + "\n", encoding="utf-8")
    return folder


# ------------------------------------------------------------------------------------------------ faults, put into a copy of a clean company


def _copy(world: dict) -> dict:
    return {**world, "responses": world["responses"].copy()}


def two_scales_in_a_wave(world, rng, wave="w03"):
    """The whole wave was asked on 1-5 and loaded as 0-10."""
    world = _copy(world)
    r = world["responses"]
    r.loc[r["wave"] == wave, "recommend"] = np.clip(np.ceil((r.loc[r["wave"] == wave, "recommend"] + 1) / 2.2), 1, 5)
    return world


def two_scales_by_channel(world, rng, wave="w03"):
    """One channel of a wave asks 1-5."""
    world = _copy(world)
    r = world["responses"]
    rows = (r["wave"] == wave) & (r["channel"] == r.loc[r["wave"] == wave, "channel"].mode()[0])
    r.loc[rows, "recommend"] = np.clip(np.ceil((r.loc[rows, "recommend"] + 1) / 2.2), 1, 5)
    return world


def two_scales_by_row(world, rng, wave="w03", share=0.5):
    """Some respondents of a wave, told by nothing, were asked on 1-5."""
    world = _copy(world)
    r = world["responses"]
    rows = (r["wave"] == wave).to_numpy() & (rng.random(len(r)) < share)
    r.loc[rows, "recommend"] = np.clip(np.ceil((r.loc[rows, "recommend"] + 1) / 2.2), 1, 5)
    return world


def reversed_item(world, rng, wave="w03", item="staff"):
    world = _copy(world)
    r = world["responses"]
    r.loc[r["wave"] == wave, item] = 6 - r.loc[r["wave"] == wave, item]
    return world


def reversed_battery(world, rng, wave="w03"):
    """Every attribute of a wave is reversed, the KPIs are not."""
    world = _copy(world)
    r = world["responses"]
    names = [name for name in ITEMS if name in r]
    r.loc[r["wave"] == wave, names] = 6 - r.loc[r["wave"] == wave, names]
    return world


def blanks_coded_as_worst(world, rng, wave="w03", item="satisfaction"):
    """Every blank of a wave, and a fifth more who never answered, carries the worst score."""
    world = _copy(world)
    r = world["responses"]
    rows = (r["wave"] == wave).to_numpy() & (r[item].isna().to_numpy() | (rng.random(len(r)) < 0.15))
    r.loc[rows, item] = 1.0
    return world


def not_applicable_as_best(world, rng, item="shop"):
    """A 5 means "never been there", in every wave."""
    world = _copy(world)
    r = world["responses"]
    r.loc[rng.random(len(r)) < 0.3, item] = 5.0
    return world


def silent_coded_as_worst(world, rng, wave="w03"):
    """People who answered nothing at all stand in the file with the worst satisfaction."""
    world = _copy(world)
    r = world["responses"]
    ratings = [name for name in ("recommend", "satisfaction", *ITEMS) if name in r]
    rows = (r["wave"] == wave).to_numpy() & (rng.random(len(r)) < 0.4)
    r.loc[rows, ratings] = np.nan
    r.loc[rows, "satisfaction"] = 1.0
    return world


def begged_by_a_team(world, rng, share=0.4):
    world = _copy(world)
    r = world["responses"]
    rows = (r["team"] == r["team"].mode()[0]).to_numpy() & (rng.random(len(r)) < share) & r["recommend"].notna().to_numpy()
    r.loc[rows, "recommend"] = 10.0
    return world


def begged_in_a_wave(world, rng, wave="w03", share=0.3):
    world = _copy(world)
    r = world["responses"]
    rows = (r["wave"] == wave).to_numpy() & (rng.random(len(r)) < share) & r["recommend"].notna().to_numpy()
    r.loc[rows, "recommend"] = 10.0
    return world


def straight_lines(world, rng, wave="w03", share=0.45):
    world = _copy(world)
    r = world["responses"]
    names = ["satisfaction", *(name for name in ITEMS if name in r)]
    rows = (r["wave"] == wave).to_numpy() & (rng.random(len(r)) < share)
    r.loc[rows, names] = np.repeat(rng.choice([3.0, 4.0, 5.0], rows.sum())[:, None], len(names), axis=1)
    return world


def renamed_channel(world, rng, wave="w03", name="contact form"):
    world = _copy(world)
    r = world["responses"]
    old = r["channel"].mode()[0]
    r.loc[(r["wave"] >= wave) & (r["channel"] == old), "channel"] = name
    return world


def shifted_columns(world, rng, wave="w03"):
    """From the second attribute on, each column of the wave holds what belongs to the next; the last holds the second's."""
    world = _copy(world)
    r = world["responses"]
    names = [name for name in ITEMS if name in r][1:]
    rows = r["wave"] == wave
    r.loc[rows, names] = r.loc[rows, [*names[1:], names[0]]].to_numpy()
    return world


def swapped_dates(world, rng, wave="w03"):
    """Day and month change places; what then is no day, or lies in another quarter, was set aside."""
    world = _copy(world)
    r = world["responses"]
    rows = r["wave"] == wave
    days = r.loc[rows, "answered_on"].dt
    keep = (days.day <= 12) & days.day.isin(days.month.unique())
    r.loc[rows, "answered_on"] = pd.to_datetime({"year": days.year, "month": days.day.where(keep, 1), "day": days.month})
    bad = r[rows][~keep.to_numpy()]
    wave = next(one for one in world["programme"].waves if one.id == wave)
    world["repairs"] = pd.DataFrame({"file": wave.file, "quarter": wave.quarter, "row": np.arange(len(bad)) + 2, "column": "day", "value": world_days(world, bad.index), "rule": f"outside the wave's days {wave.first} to {wave.last}", "suggestion": ""})
    world["responses"] = r.drop(index=bad.index).reset_index(drop=True)
    return world


def world_days(world, index):
    """Days as an American file writes them, month first, in ISO order as the loader would have read them: year, day, month."""
    rng = np.random.default_rng(len(index))
    return [f"2020-{day:02d}-{month:02d}" for day, month in zip(rng.integers(1, 29, len(index)), rng.integers(7, 10, len(index)))]


def wave_sent_twice(world, rng, wave="w03", source="w02", share=1.0):
    """The wave's rows are the earlier wave's, in another order, under new ids and new days."""
    world = _copy(world)
    r = world["responses"]
    own = r[r["wave"] == wave]
    old = r[r["wave"] == source].sample(frac=share, random_state=1)
    days = rng.choice(own["answered_on"].to_numpy(), len(old))
    new = old.assign(wave=wave, quarter=own["quarter"].iloc[0], answered_on=days, response_id=[f"x{i:05d}" for i in range(len(old))])
    new["answer"] = "poll/" + new["wave"] + "/" + new["response_id"]
    world["responses"] = pd.concat([r[r["wave"] != wave], own.iloc[len(new):], new], ignore_index=True)
    return world


def rows_appended_twice(world, rng, wave="w03"):
    world = _copy(world)
    r = world["responses"]
    again = r[r["wave"] == wave].sample(frac=0.3, random_state=1)
    again = again.assign(response_id=[f"x{i:05d}" for i in range(len(again))])
    again["answer"] = "poll/" + again["wave"] + "/" + again["response_id"]
    world["responses"] = pd.concat([r, again], ignore_index=True)
    return world


def undeclared_wording(world, rng, wave="w03", item="staff"):
    """From a wave on an item is asked more sharply: two in three lose a point, whatever they think of the rest."""
    world = _copy(world)
    r = world["responses"]
    rows = (r["wave"] >= wave).to_numpy() & (rng.random(len(r)) < 0.8) & r[item].notna().to_numpy()
    r.loc[rows, item] = np.clip(r.loc[rows, item] - 1, 1, 5)
    return world


FAULTS = {
    two_scales_in_a_wave: "mixed_scales", two_scales_by_channel: "mixed_scales", two_scales_by_row: "mixed_scales", reversed_item: "reversed_scale", reversed_battery: "reversed_scale",
    blanks_coded_as_worst: "code_as_score", not_applicable_as_best: "code_as_score", silent_coded_as_worst: "code_as_score", begged_by_a_team: "heaping", begged_in_a_wave: "heaping",
    straight_lines: "straight_lining", renamed_channel: "renamed_value", shifted_columns: "shifted_columns", swapped_dates: "ambiguous_dates", wave_sent_twice: "wave_twice",
    rows_appended_twice: "rows_repeated", undeclared_wording: "lone_jump",
}  # fmt: skip
