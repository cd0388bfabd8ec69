"""What moved a key figure: the parts of a move that lie within segments, in their mix and in the weights, and what goes with attributes.

With W the weighted and u the plain share of a segment, m its weighted mean and a bar for the midpoint of the two waves,
  M_now - M_then = sum W' (m_now - m_then)        within: the segments themselves moved
                 + sum m' (u_now - u_then)        mix: other people answered
                 + sum m' ((W-u)_now - (W-u)_then)  weights: what weighting did about it
which adds up exactly (Kitagawa 1955, J. Am. Stat. Assoc. 50: 1168-1194, with the midpoint as base; the weights' part is ours). The parts are functions of
a few sums by segment; their joint distribution is drawn from the covariance of these sums, so that any number of rows costs the same.
"""

import numpy as np
import pandas as pd

from cxlib import cells
from cxlib.measure import metrics, waves

PARTS = ("within", "mix", "weights")
DRAWS = 2000
SMALLEST = 5  # answers of a segment in either wave under which it joins the rest
COLUMNS = ["segment", "value", "part", "estimate", "std_error", "conf_low", "conf_high", "n_now", "n_then", "note"]


def split(now: pd.DataFrame, then: pd.DataFrame, *, definition, by: str, both: pd.DataFrame | None = None, seed: int = 1) -> pd.DataFrame:
    """Split the move of a key figure between two waves by the values of one column.

    in: two tallies (`metrics.tally`, or the verb of that name: `by`, score, n, weight, weight_sq). out, in the unit of the definition: value (of the
    segment; "all" for the sums), part (within, mix, weights, total), estimate, std_error, conf_low, conf_high (95 %, from joint draws; they do
    not add up), n_now, n_then, note. Values with fewer than five answers in either wave are taken together as "other". `both` are the answers of
    people who answered in both waves, a row a person (value, score, weight, each with _now and _then); without it they count as different
    people, which makes the intervals too wide.
    """
    what = metrics.definition_of(definition)
    sides = [_gathered(side, by) for side in (now, then)]
    counts = pd.concat([side.groupby("value")["n"].sum() for side in sides], axis=1, keys=["now", "then"]).fillna(0)
    small = counts.index[(counts < SMALLEST).any(axis=1)].tolist()
    while small and (counts.loc[small].sum() < SMALLEST).any() and len(small) < len(counts):  # the rest must be large enough too
        small.append(counts.drop(small).min(axis=1).idxmin())
    names = [name for name in counts.index if name not in small] + (["other"] if small else [])
    counts = counts.rename(index=dict.fromkeys(small, "other")).groupby(level=0).sum().reindex(names)
    if counts.empty or (counts < SMALLEST).any(axis=None):
        note = f"not estimable: a segment has fewer than {SMALLEST} answers in one of the waves"
        return pd.DataFrame([("all", part, np.nan, np.nan, np.nan, np.nan, int(counts["now"].sum()), int(counts["then"].sum()), note) for part in (*PARTS, "total")], columns=COLUMNS[1:])
    rng = np.random.default_rng(seed)
    place = {name: at for at, name in enumerate(names)} | dict.fromkeys(small, len(names) - 1)
    points, spreads = zip(*(_sums(side, place, len(names), what) for side in sides))
    tied = np.zeros_like(spreads[0]) if both is None or both.empty else _tied(both, place, points, counts.sum(), what)
    drawn = rng.multivariate_normal(np.concatenate(points), np.block([[spreads[0], tied], [tied.T, spreads[1]]]), size=DRAWS, method="eigh")
    stack = lambda flat: np.maximum(flat.reshape(len(flat), 2, len(names), 3).transpose(1, 0, 3, 2), [[[-np.inf] * len(names) if row == 2 else [1e-9] * len(names) for row in range(3)]])
    parts, moved = _parts(*stack(np.concatenate(points)[None])), _parts(*stack(drawn))
    rows = []
    for at, name in enumerate([*names, "all"]):
        n = counts.sum() if name == "all" else counts.loc[name]
        for part in (*PARTS, "total"):
            of = lambda found: sum(found[one] for one in PARTS) if part == "total" else found[part]  # noqa: B023
            one, many = (found.sum(axis=1) if name == "all" else found[:, at] for found in (of(parts), of(moved)))
            low, high = np.quantile(many, [0.025, 0.975])
            rows.append((name, part, float(one[0]), float(many.std(ddof=1)), float(low), float(high), int(n["now"]), int(n["then"]), ""))
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def moves(tables, moved: pd.DataFrame, *, seed: int = 1) -> pd.DataFrame:
    """Split every move of `waves.changes` by every segment of the programme that stands in the responses.

    out: kpi, survey, wave, quarter, against, then_wave, then_quarter, unit, then the columns of `split` with segment (the cut). Waves between which
    answers may not be compared are left out: a move between two questions has no parts.
    """
    programme, parts, tallies = tables.programme, [], {}
    keys = ["kpi", "survey", "wave", "quarter", "against", "then_wave", "then_quarter", "unit"]
    closed = _withheld(tables, moved)
    responses = tables["responses"]
    for row in moved[moved["estimate"].notna()].to_dict("records"):
        kpi = programme.kpi(row["kpi"])
        if _broken(programme, kpi.item, row):
            continue
        cuts = [segment for segment in programme.segments if segment.table == "responses" and segment.field != kpi.item]
        if cuts and (key := (row["survey"], kpi.item)) not in tallies:  # one pass over the rows for all cuts
            tallies[key] = tables.tally("responses", by={"wave": "wave", **{f"cut {segment.field}": segment.field for segment in cuts}, "score": kpi.item}, where={"survey": row["survey"]})
        for segment in cuts:
            if {(row["survey"], wave, segment.id) for wave in (row["wave"], row["then_wave"])} & closed:
                continue  # its parts would tell what is withheld
            counted = _worded(tallies[key].rename(columns={f"cut {segment.field}": "value"}), segment)
            sides = [counted[counted["wave"] == wave] for wave in (row["wave"], row["then_wave"])]
            if all(len(side) for side in sides):
                both = _both(responses, row, kpi.item, segment)
                parts.append(split(*sides, definition=kpi.definition, by="value", both=both, seed=seed).assign(segment=segment.id, **{key: row[key] for key in keys}))
    return pd.concat(parts, ignore_index=True)[[*keys, *COLUMNS]] if parts else pd.DataFrame(columns=[*keys, *COLUMNS])


def attributes(tables, moved: pd.DataFrame) -> pd.DataFrame:
    """Say what the movement of each driver attribute is associated with in the movement of the KPI, wave against wave.

    out: kpi, survey, wave, quarter, against, then_wave, then_quarter, unit, driver ("unexplained" for the rest, "all" for the whole move), moved (change of the
    mean rating), slope (KPI units a scale unit: both waves together, wave held constant, all attributes at once, missing ratings left out pair
    by pair), estimate (slope x moved), std_error, conf_low, conf_high (95 %, from a bootstrap of respondents within waves), n_now, n_then, note. The
    estimates add up to the move. An association: nobody changed an attribute to see what happens.
    """
    programme, parts = tables.programme, []
    keys = ["kpi", "survey", "wave", "quarter", "against", "then_wave", "then_quarter", "unit"]
    for row in moved[moved["estimate"].notna()].to_dict("records"):
        kpi = programme.kpi(row["kpi"])
        for model in programme.drivers:
            if model.survey == row["survey"] and kpi.id in model.kpis and not _broken(programme, kpi.item, row):
                found = _attributes(tables["responses"], kpi, list(model.items), row)
                parts.append(found.assign(**{key: row[key] for key in keys}))
    columns = [*keys, "driver", "moved", "slope", "estimate", "std_error", "conf_low", "conf_high", "n_now", "n_then", "note"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def mentions(responses: pd.DataFrame, columns: dict[str, list[str]], kpi, *, programme) -> pd.DataFrame:
    """Say what the movement of each topic's share is associated with in the movement of the KPI among those who comment, last wave against the one before.

    in: responses with a column a topic (1 mentioned, 0 not, NaN nobody wrote), `columns` by survey; topics that fewer than ten mention in either wave are left out. out: survey, quarter, then_quarter, kpi, driver (the column; "unexplained", "all"), moved (change of
    the share), then the columns of `attributes`: estimate is slope x moved, the slope that of both waves together with all topics at once. Associations: what people choose to write of follows their mood too.
    """
    parts, keys = [], ["survey", "quarter", "then_quarter", "kpi"]
    for survey, names in columns.items():
        own = responses[(responses["survey"] == survey) & responses[kpi.item].notna()]
        own = own[own[names].notna().all(axis=1)] if names else own.iloc[:0]
        order = own[["quarter", "wave"]].drop_duplicates().sort_values(["quarter", "wave"])
        if len(order) < 2:
            continue
        (then_quarter, then_wave), (quarter, wave) = (tuple(one) for one in order.to_numpy()[-2:])
        row = {"survey": survey, "wave": wave, "quarter": quarter, "then_wave": then_wave, "then_quarter": then_quarter}
        often = own[own["wave"].isin([wave, then_wave])].groupby("wave")[names].sum().min()
        kept = [name for name in names if often[name] >= max(10, cells.limit(programme, survey))]
        comments = [item.id for item in programme.items if item.kind == "verbatim" and (not item.surveys or survey in item.surveys)] + [one.items[0] for one in programme.coded if one.survey == survey]
        if kept and not _broken(programme, kpi.item, row) and not any(_broken(programme, item, row) for item in comments):
            parts.append(_attributes(own, kpi, kept, row).assign(survey=survey, quarter=quarter, then_quarter=then_quarter, kpi=kpi.id))
    columns = [*keys, "driver", "moved", "slope", "estimate", "std_error", "conf_low", "conf_high", "n_now", "n_then", "note"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _withheld(tables, moved: pd.DataFrame) -> set:
    """The cuts (survey, wave, segment) of which a value is withheld, looked up only where something may be."""
    programme = tables.programme
    if all(cells.limit(programme, survey) <= 1 for survey in moved["survey"].unique()) and not waves.staff_cuts(programme):
        return set()
    found = waves.by_segment(tables)
    found = found[found["flag"] == cells.WITHHELD]
    return set(zip(found["survey"], found["wave"], found["segment"]))


def _gathered(side: pd.DataFrame, by: str) -> pd.DataFrame:
    kept = side[(side["n"] > 0) & side["score"].notna() & side[by].notna()]
    return kept.assign(value=kept[by].astype(str)).groupby(["value", "score"], as_index=False)[["n", "weight", "weight_sq"]].sum()


def _worded(counted: pd.DataFrame, segment) -> pd.DataFrame:
    counted = counted[counted["score"].notna() & counted["value"].notna()]
    return counted.assign(value=counted["value"].astype(str).replace(dict(segment.values)))


def _broken(programme, item: str, row) -> bool:
    """Whether the question or the mode changed between the two waves so that their answers are not comparable."""
    return any(row["then_quarter"] < wave.quarter <= row["quarter"] for wave, _ in programme.breaks(row["survey"], item))


def _both(responses, row, item, segment) -> pd.DataFrame:
    """The answers of people who answered in both waves, a row a person; the last where one answered several times in a wave."""
    sides = []
    for wave in (row["wave"], row["then_wave"]):
        own = responses[(responses["survey"] == row["survey"]) & (responses["wave"] == wave) & responses["person_id"].notna()]
        own = own[["person_id", segment.field, item, "weight"]].set_axis(["person_id", "value", "score", "weight"], axis=1).dropna()
        sides.append(_worded(own, segment).drop_duplicates("person_id", keep="last"))
    return sides[0].merge(sides[1], on="person_id", suffixes=("_now", "_then"))


def _sums(side, place, size, what):
    """The means a respondent of 1, w and w times value, segment by segment, and their covariance.

    A row of segment s adds (1, w, w y) to its segment and nothing elsewhere; squares and products of these follow from the tally.
    """
    at, y = side["value"].map(place).to_numpy(), what.value(side["score"])
    n, w, w2 = (side[name].to_numpy(dtype=float) for name in ("n", "weight", "weight_sq"))
    total = n.sum()
    add = lambda values: np.bincount(at, weights=values, minlength=size) / total
    mean = np.stack([add(n), add(w), add(w * y)]).T.reshape(-1)
    covariance = -np.outer(mean, mean)
    for (a, b), values in {(0, 0): n, (0, 1): w, (0, 2): w * y, (1, 1): w2, (1, 2): w2 * y, (2, 2): w2 * y * y}.items():
        for first, second in {(a, b), (b, a)}:
            covariance[first::3, second::3] += np.diag(add(values))
    return mean, covariance / (total - 1)


def _tied(both, place, points, total, what):
    """The covariance of the two waves' sums that comes from people who answered in both."""
    sides = []
    for end, point in zip(("_now", "_then"), points):
        at, y, w = both[f"value{end}"].map(place), what.value(both[f"score{end}"]), both[f"weight{end}"].to_numpy(dtype=float)
        rows = np.tile(-point, (len(both), 1))
        for offset, values in enumerate((np.ones(len(both)), w, w * y)):
            rows[np.arange(len(both)), 3 * at.to_numpy() + offset] += values
        sides.append(rows)
    return sides[0].T @ sides[1] / (total["now"] * total["then"])


def _parts(now, then) -> dict:
    """Parts by segment from stacks of (1, w, w y) by segment: replicate x 3 x segment."""
    share, weighted, mean = ([part(side) for side in (now, then)] for part in (lambda one: one[:, 0] / one[:, 0].sum(axis=1, keepdims=True), lambda one: one[:, 1] / one[:, 1].sum(axis=1, keepdims=True), lambda one: one[:, 2] / one[:, 1]))
    middle, base = (mean[0] + mean[1]) / 2, (weighted[0] + weighted[1]) / 2
    # The level all segments share says nothing of their mix: parts are told from the mean of the two waves, which changes no sum.
    level = (base * middle).sum(axis=1, keepdims=True)
    return {
        "within": base * (mean[0] - mean[1]), "mix": (middle - level) * (share[0] - share[1]),
        "weights": (middle - level) * ((weighted[0] - share[0]) - (weighted[1] - share[1])),
    }  # fmt: skip


def _attributes(responses, kpi, items, row, *, replicates: int = 400, seed: int = 1) -> pd.DataFrame:
    what = metrics.definition_of(kpi.definition)
    own = responses[(responses["survey"] == row["survey"]) & responses["wave"].isin([row["wave"], row["then_wave"]]) & responses[kpi.item].notna()]
    asked = [item for item in items if own.groupby("wave")[item].count().min() > SMALLEST]
    now = (own["wave"] == row["wave"]).to_numpy()
    columns = ["driver", "moved", "slope", "estimate", "std_error", "conf_low", "conf_high", "n_now", "n_then", "note"]
    x = np.column_stack([own[asked].to_numpy(dtype=float), what.value(own[kpi.item])])
    mask, w = np.isfinite(x), own["weight"].to_numpy(dtype=float)
    x = np.where(mask, x, 0.0)
    counts = [mask[side].sum(axis=0) for side in (now, ~now)]
    point = _contributions(x, mask, now, w) if asked and min(counts[0].min(), counts[1].min()) > len(asked) + 2 else None
    if point is None:
        note = "not estimable: too few answers in one of the waves, or attributes that cannot be told apart"
        return pd.DataFrame([("all", np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, int(now.sum()), int((~now).sum()), note)], columns=columns)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(replicates):
        often = np.zeros(len(own))
        for side in (np.flatnonzero(now), np.flatnonzero(~now)):
            often[side] = rng.multinomial(len(side), np.full(len(side), 1 / len(side)))
        draws.append(_contributions(x, mask, now, w * often))
    drawn = np.array([draw[2] for draw in draws if draw is not None])
    moved, slope, estimate = point
    error = drawn.std(axis=0, ddof=1) if len(drawn) > 0.95 * replicates else np.full(len(estimate), np.nan)
    nothing = [np.nan, np.nan]
    n = [np.r_[count[:-1], count[-1], count[-1]] for count in counts]
    values = zip([*asked, "unexplained", "all"], [*moved, *nothing], [*slope, *nothing], estimate, error, estimate - metrics.Z * error, estimate + metrics.Z * error, *n)
    return pd.DataFrame(values, columns=columns[:-1]).assign(note="")


def _contributions(x, mask, now, w):
    """(moves of the attributes, slopes, contributions with the rest and the whole), or None where the pairwise moments contradict each other."""
    weight = mask * w[:, None]
    means = [(weight[side] * x[side]).sum(axis=0) / weight[side].sum(axis=0) for side in (now, ~now)]
    z = np.where(mask, x - np.where(now[:, None], *means), 0.0)  # within waves, so that the move itself is not explained by itself
    moments = (z * w[:, None]).T @ z / (weight.T @ mask)
    values = np.linalg.eigvalsh(moments / np.sqrt(np.outer(np.diag(moments), np.diag(moments)))) if (np.diag(moments) > 0).all() else [0.0]
    if values[0] < 1e-6:
        return None
    slope = np.linalg.solve(moments[:-1, :-1], moments[:-1, -1])
    moved = means[0] - means[1]
    part = slope * moved[:-1]
    return moved[:-1], slope, np.r_[part, moved[-1] - part.sum(), moved[-1]]
