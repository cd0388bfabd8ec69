"""Whether importance differs between segments, and from the last survey: more than noise?"""

import pandas as pd

from cxlib.load import bases
from cxlib.measure import accounts, influence, models

LEAST = 100  # answers to the KPI in a segment and outside it, and ten an attribute: under that nothing is compared


def between_segments(tables) -> pd.DataFrame:
    """Compare the importance of every attribute in each segment with that among all others of the wave, and in each role that people have in their accounts.

    Segments of the people and accounts tables, and roles, are looked up by person where the promise permits linking. out: survey, wave, kpi, segment, value, then what `influence.difference` returns (now: in the segment; then: outside it). Segments with under 100 answers (or ten
    an attribute) on either side are left out.
    """

    def made(frame, one):
        parts = []
        for name, field in _cuts(tables, one.survey, frame):
            values = field.dropna().unique()
            for value in sorted(values, key=str):
                inside = field == value
                sides = frame[inside], frame[field.notna() & ~inside]
                if len(values) < 2 or (len(values) == 2 and parts and parts[-1]["segment"].iloc[0] == name) or min(side[one.item].notna().sum() for side in sides) < max(LEAST, 10 * len(one.items)):
                    continue
                found = influence.difference(*sides, kpi=one.item, drivers=one.items, weight="weight", person="unit" if one.cluster else None)
                parts.append(found.assign(segment=name, value=str(value)))
        return pd.concat(parts, ignore_index=True) if parts else None

    return _whole(models.each(tables, made), ["segment", "value"])


def _cuts(tables, survey, frame):
    """Yield the name and the column of each segment, and of people's roles."""
    own, _ = accounts.placed(tables, survey, frame)
    keys = {"people": "person_id", "accounts": "account_id"} if "link" in tables.programme.survey(survey).uses else {}
    for segment in tables.programme.segments:
        key = keys.get(segment.table)
        if segment.table == "responses" and segment.field in frame:
            yield segment.id, frame[segment.field]
        elif key and segment.field in tables[segment.table]:
            yield segment.id, own[key].map(tables[segment.table].drop_duplicates(key).set_index(key)[segment.field])
    if "role" in own and not any(segment.field == "role" for segment in tables.programme.segments):
        yield "role", own["role"]


def with_last(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Compare the importance of every attribute with that in the wave before, and the corner of the matrix it stood in.

    out: survey, wave, then_wave, kpi, then what `influence.difference` returns, quadrant, quadrant_then, p_quadrant, p_quadrant_then (bootstrap frequencies). People who answered both waves are known by their
    customer key. Where the question, that of the KPI, or the mode changed between the two (`Programme.breaks`) nothing is compared and the note says so. Empty where a survey has one wave only.
    """
    now, old = (models.resample(tables, replicates=replicates, seed=seed, back=back) for back in (0, 1))
    if old.empty:
        return _whole(old, ["then_wave"])
    corners = [models.priorities(draws).set_index(["survey", "kpi", "driver"])[["quadrant", "p_quadrant"]] for draws in (now, old)]

    def made(frame, one):
        older, wave = models.answers(tables, one.survey, back=1)
        if older.empty or not older[one.item].notna().any():
            return None
        older = bases.upward(older, tables.programme, one.items)
        person = "person_id" if frame["person_id"].notna().any() and older["person_id"].notna().any() else None
        return influence.difference(frame, older, kpi=one.item, drivers=one.items, weight="weight", person=person).assign(then_wave=wave)

    found = models.each(tables, made)
    keys = ["survey", "kpi", "driver"]
    found = found.join(corners[0], on=keys).join(corners[1].add_suffix("_then"), on=keys)
    notes = [_changed(tables.programme, row) for row in found.itertuples()]
    broken = [bool(note) for note in notes]
    found.loc[broken, ["estimate", "std_error", "conf_low", "conf_high", "p", "p_quadrant_then"]] = float("nan")
    found.loc[broken, "quadrant_then"] = ""
    found.loc[broken, "note"] = [note for note in notes if note]
    return _whole(found, ["then_wave"])


def _changed(programme, row) -> str:
    """What changed between the two waves of a row in the attribute or in the KPI; "" where they can be compared."""
    order = [wave.id for wave in sorted((one for one in programme.waves if one.survey == row.survey), key=lambda one: (one.quarter, one.first, one.id))]
    since = order[order.index(row.then_wave) + 1 : order.index(row.wave) + 1]
    found = [what for item in (row.driver, programme.kpi(row.kpi).item) for wave, what in programme.breaks(row.survey, item) if wave.id in since]
    return f"not compared with {row.then_wave}: {'; '.join(dict.fromkeys(found))}" if found else ""


def _whole(found, extra):
    columns = [*models.KEYS, *extra, "driver", "method", "now", "then", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_then", "note"]
    columns += ["quadrant", "p_quadrant", "quadrant_then", "p_quadrant_then"] if "then_wave" in extra else []
    return found.reindex(columns=columns)


def moved(found: pd.DataFrame, *, sure: float = 0.8) -> pd.DataFrame:
    """Return the attributes whose corner changed since the last survey, both corners being where at least `sure` of the replicates put them."""
    return found[(found["quadrant"] != found["quadrant_then"]) & (found["p_quadrant"] >= sure) & (found["p_quadrant_then"] >= sure) & (found["quadrant_then"] != "") & (found["quadrant"] != "")]
