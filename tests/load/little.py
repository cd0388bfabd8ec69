"""Clean small companies of every make: files of 5 to 200 rows a wave whose answers are few, patterned, constant, filtered or piled up, and honest."""

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.programme import Programme

SCALES = {"nps": (0, 10), "ten": (1, 10), "seven": (1, 7), "five": (1, 5), "four": (1, 4), "three": (1, 3), "yes": (0, 1), "hundred": (0, 100)}
MAKES = ("opinions", "independent", "patterned", "blocks", "constant", "straight", "top_heavy", "two_sided", "filtered", "quotas", "empty", "mixture", "rising")


def programme(*, waves: int, ratings: dict[str, str], kind: str = "relationship", dated: str = "fieldwork_close", turned=()) -> Programme:
    """A programme of one survey: item -> name of its scale; the first is the KPI."""
    declared = []
    for number in range(waves):
        year, quarter = 2024 + number // 4, number % 4 + 1
        first = dt.date(year, 3 * quarter - 2, 1)
        last = dt.date(year + quarter // 4, 3 * quarter % 12 + 1, 1) - dt.timedelta(days=1)
        declared.append({"id": f"w{number + 1}", "survey": "poll", "quarter": f"{year}Q{quarter}", "first": first, "last": last, "file": f"w{number + 1}.csv", "columns": {"answered_on": "day"}})
    items = [{"id": name, "wording": name, "scale": scale, "direction": "low_is_good" if name in turned else None} for name, scale in ratings.items()]
    return Programme.model_validate({
        "name": "Little", "scales": {name: {"low": low, "high": high} for name, (low, high) in SCALES.items()}, "surveys": [{"id": "poll", "kind": kind, "dated_by": dated}], "waves": declared,
        "items": [*items, {"id": "region", "wording": "Region", "kind": "nominal"}, {"id": "visits", "wording": "Visits", "kind": "number"}],
        "kpis": [{"id": "kpi", "item": next(iter(ratings)), "definition": "nps_0_10"}, *([{"id": "other", "item": list(ratings)[1], "definition": "top2_of_5"}] if len(ratings) > 1 else [])],
    })  # fmt: skip


def company(seed: int, *, make: str | None = None, waves: int | None = None, rows: int | None = None) -> dict:
    """Return the tables of a small company with its `programme`. Whatever is odd in it somebody may honestly have."""
    rng = np.random.default_rng([seed, 20])
    make = make or MAKES[seed % len(MAKES)]
    waves = waves or int(rng.integers(1, 7))
    names = ["recommend", *(f"q{number}" for number in range(1, int(rng.integers(1, 12))))]
    scales = [str(name) for name in ("nps", *rng.choice(list(SCALES), len(names) - 1, p=[0.07, 0.08, 0.12, 0.5, 0.06, 0.06, 0.06, 0.05]))]
    if rng.random() < 0.4:
        scales[1:] = ["five"] * (len(names) - 1)
    p = programme(waves=waves, ratings=dict(zip(names, scales)), dated="answer" if rng.random() < 0.3 else "fieldwork_close", turned=[name for name in names[1:] if rng.random() < 0.08])
    low, high = (np.array([SCALES[scale][end] for scale in scales], dtype=float) for end in (0, 1))
    fields = {name: [f"{name[:2]}{value}" for value in range(int(rng.integers(1, 5)))] for name in ("channel", "brand", "country", "language", "team", "region") if rng.random() < 0.6}
    base = rows or int(np.exp(rng.uniform(np.log(5), np.log(200))))
    level, loading = rng.normal(0.4, 0.6, len(names)), rng.uniform(0.2, 0.9, len(names))
    steps, shift = rng.integers(1, 9, len(names)), 0.0
    same = np.where(rng.random(len(names)) < 0.5, rng.choice([0.05, 0.5, 0.95], len(names)), np.nan)
    turned = np.array([p.direction(p.item(name)) == "low_is_good" for name in names])
    parts = []
    for wave in p.waves:
        size = max(5, int(base * rng.uniform(0.6, 1.6))) if rng.random() < 0.7 else base
        size, i = min(size, 200) if rows is None else rows, np.arange(min(size, 200) if rows is None else rows)
        shift += rng.normal(0, 0.15) + (rng.random() < 0.15) * rng.normal(0, 0.6)
        at = _answers(make, rng, i, len(names), level + shift, loading, steps, shift, same)
        x = np.clip(np.floor(low + at * (high - low + 1)), low, high)
        x = np.where(turned, low + high - x, x)
        x[rng.random(x.shape) < rng.choice([0.0, 0.05, 0.3])] = np.nan
        frame = pd.DataFrame(x, columns=names)
        if make == "filtered":  # some items are asked of few: by a rule, by chance, or in some waves only
            for name in names[1:]:
                asked = [i % int(rng.integers(2, 9)) == 0, rng.random(size) < 0.15, np.full(size, rng.random() < 0.6)][int(rng.integers(3))]
                frame[name] = frame[name].where(asked)
        if make == "empty":
            frame[[name for name in names[1:] if rng.random() < 0.5]] = np.nan
        for name, values in fields.items():
            of = i % len(values) if make in ("patterned", "blocks", "quotas") or rng.random() < 0.3 else rng.choice(len(values), size, p=rng.dirichlet(np.full(len(values), 3.0)))
            if make == "quotas":  # whole blocks of one source, as quotas are filled one after another
                of = np.minimum(i * len(values) // max(size, 1), len(values) - 1)
            frame[name] = np.array(values)[of]
        days = pd.to_datetime(wave.first) + pd.to_timedelta(i % ((wave.last - wave.first).days + 1) if make in ("patterned", "blocks") else np.sort(rng.integers(0, min((wave.last - wave.first).days + 1, int(rng.integers(3, 92))), size)), unit="D")
        ids = [f"r{number:03d}" for number in i] if seed % 3 else [f"{number:016x}" for number in rng.integers(0, 2**62, size)]
        parts.append(frame.assign(survey="poll", wave=wave.id, quarter=wave.quarter, answered_on=days, visits=i % 7 if make == "patterned" else rng.poisson(3, size).astype(float), response_id=ids, weight=1.0))
    responses = pd.concat(parts, ignore_index=True)
    for name in ("channel", "brand", "country", "language", "team", "region"):
        if name not in responses:
            responses[name] = None
    responses["answer"] = "poll/" + responses["wave"] + "/" + responses["response_id"]
    return {
        "programme": p, "responses": responses, "verbatims": pd.DataFrame({"answer": [], "survey": [], "text": []}),
        "repairs": pd.DataFrame(columns=["file", "quarter", "row", "column", "value", "rule", "suggestion"]),
        "files": pd.DataFrame({"file": [wave.file for wave in p.waves], "rows": [int((responses["wave"] == wave.id).sum()) for wave in p.waves]}),
    }  # fmt: skip


def _answers(make: str, rng, i: np.ndarray, k: int, level, loading, steps, shift: float, same) -> np.ndarray:
    """Return answers as places on the scale, 0 to 1 (rows x items)."""
    size = len(i)
    halo = rng.standard_normal(size)
    opinions = level + loading * halo[:, None] + np.sqrt(1 - loading**2) * rng.standard_normal((size, k))
    drawn = 1 / (1 + np.exp(-1.4 * opinions))
    if make == "independent":
        return rng.random((size, k))
    if make == "patterned":  # i % k and its relatives: test files, and rows that were sorted
        widths = 2 + steps
        return ((i[:, None] // np.maximum(steps // 3, 1) + np.arange(k)) % widths + 0.5) / widths
    if make == "blocks":  # (i // k) % m
        return ((i[:, None] // steps) % (2 + np.arange(k) % 5) + 0.5) / (2 + np.arange(k) % 5)
    if make == "constant":  # everybody says the same of some items
        return np.where(np.isnan(same), drawn, same)
    if make == "straight":
        return np.where((rng.random(size) < rng.uniform(0.2, 1.0))[:, None], drawn[:, :1], drawn)
    if make == "top_heavy":
        return np.where(rng.random((size, k)) < rng.uniform(0.6, 0.95, k), 0.999, drawn)
    if make == "two_sided":  # love it or hate it, the middle empty
        return np.where(drawn > 0.5, 0.8 + 0.2 * rng.random((size, k)), 0.2 * rng.random((size, k)))
    if make == "mixture":  # two kinds of people, one of whom ticks the middle
        return np.where((rng.random(size) < 0.35)[:, None], 0.5, drawn)
    if make == "rising":
        return 1 / (1 + np.exp(-1.4 * (opinions + 4 * shift)))
    return drawn
