"""What several questions measure together, as the programme declares it: satisfaction indices with their reliability, and gaps between expectation and perception."""

from itertools import count

import numpy as np
import pandas as pd

from cxlib import quarters
from cxlib.measure import design, index, metrics, models, scales

KEYS = ["survey", "wave", "index"]
INDEX = metrics.Definition("index_0_100", "Satisfaction index, 0 to 100", "scale", 0, 100, "high")
TRACKED = ["kpi", "survey", "wave", "quarter", "definition", "unit", "estimate", "std_error", "conf_low", "conf_high", "n", "weighted_n", "n_eff", "deff", "df", "widening", "basis", "flag", "note"]
OF_INTEREST = 2.0  # points of 100 that are worth knowing
LEAST, FEW = 50, 30  # effective answers under which no index, and no gap, is estimated


def indices(tables, *, replicates: int, seed: int) -> pd.DataFrame:
    """Estimate every satisfaction index of the programme on its survey's latest wave.

    out: survey, wave, index, then what `index.paths` returns (kind, to, from, estimate, std_error, conf_low, conf_high, n, note) and, of constructs of several questions, their
    reliability (kind alpha or omega, to the construct). Items are turned so that more is better and brought to equal variance; missing answers are left out pair by pair. An item that was asked
    only of some leads to a base of its own and has no place in an index: what was not asked would count as missing. Nothing is estimated on under 50 effective answers (reliability: 30). Empty where none is declared or nothing was answered.
    """
    parts, programme = [], tables.programme
    for one in programme.indices:
        items = [item for names in one.constructs.values() for item in names]
        frame, wave, sampled = models.drawn(tables, one.survey, items)
        if frame.empty:
            continue
        ends = {item: (programme.scales[programme.item(item).scale].low, programme.scales[programme.item(item).scale].high) for item in items}
        design = {"strata": sampled["strata"], "cluster": sampled["cluster"]}
        found = index.paths(frame, blocks=one.constructs, inner=one.depends, modes=dict.fromkeys(one.formed, "B"), ends=ends, gaps="pairwise", weight="weight", **design, replicates=replicates, seed=seed)
        held = [scales.reliability(frame, items=own, weight="weight", cluster=design["cluster"], replicates=min(replicates, 300), seed=seed).assign(to=name) for name, own in one.constructs.items() if len(own) > 1 and name not in one.formed]
        w = frame.loc[frame[items].notna().any(axis=1), "weight"]
        found = pd.concat([_blank(found, w.sum() ** 2 / (w**2).sum() < LEAST if len(w) else True, LEAST), *(_blank(part, part["n_eff"] < FEW, FEW).rename(columns={"measure": "kind"}).drop(columns=["items", "n_eff"]).assign(**{"from": ""}) for part in held)], ignore_index=True)
        parts.append(found.assign(survey=one.survey, wave=wave, index=one.id))
    columns = [*KEYS, "kind", "to", "from", "estimate", "std_error", "conf_low", "conf_high", "n", "note"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def tracked(tables) -> pd.DataFrame:
    """Follow every satisfaction index of the programme over the waves of its survey, the latest last.

    The questions of the headline construct are averaged on 0 to 100 by the weights that the latest wave gives them (`index.paths`), the same in every wave, so that what moves is the answers
    and not the weights. Those who answered all of them count; the latest figure can differ a little from that of `indices`, which takes each question's mean from all who
    answered it. Waves before one from which a question may not be compared are left out.
    out: kpi (the index's id), survey, wave, quarter, then as `design.estimate`, on 0 to 100.
    """
    parts, programme = [], tables.programme
    for one in programme.indices:
        every, own = [item for names in one.constructs.values() for item in names], list(one.constructs[one.headline])
        frame, _, _ = models.drawn(tables, one.survey, every)
        if len(frame) < LEAST:
            continue
        found = index.paths(frame, blocks=one.constructs, inner=one.depends, modes=dict.fromkeys(one.formed, "B"), gaps="pairwise", weight="weight")
        weights = found[(found["kind"] == "weight") & (found["from"] == one.headline)].set_index("to")["estimate"].reindex(own)
        weights = (weights / frame[own].std(ddof=0)).clip(lower=0)  # of the questions as they were asked
        if not np.isfinite(weights).all() or weights.sum() <= 0:
            continue
        low, high = (pd.Series({item: getattr(programme.scales[programme.item(item).scale], end) for item in own}, dtype=float) for end in ("low", "high"))
        since = max((wave.quarter for item in own for wave, _ in programme.breaks(one.survey, item) if wave.quarter <= tables.quarter), default="")
        for back in count():
            rows, wave, sampled = models.drawn(tables, one.survey, every, back=back)
            if rows.empty or rows["quarter"].iloc[0] < since:
                break
            rows = rows.assign(_index=(100 * (rows[own] - low) @ weights / ((high - low) @ weights)).clip(0, 100))  # sums may end a digit beyond
            if rows["_index"].notna().sum() < LEAST:
                break
            estimate = design.estimate(rows, score="_index", definition=INDEX, weight="weight", strata=sampled["strata"], cluster=sampled["cluster"])
            parts.append(estimate.assign(kpi=one.id, survey=one.survey, wave=wave, quarter=rows["quarter"].iloc[0]))
    return pd.concat(parts[::-1], ignore_index=True)[TRACKED] if parts else pd.DataFrame(columns=TRACKED)


def moved(found: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return how each index that has a wave in `quarter` moved since the wave before and since the one of a year ago, where that is another.

    in: what `tracked` returns. out: kpi, survey, wave, quarter, against (last wave, last year), then_wave, then_quarter, then as `metrics.change`. That some people answered both waves is not
    allowed for, which makes the interval wide where opinions last.
    """
    parts = []
    for _, own in found.groupby(["kpi", "survey"], sort=False):
        own = own.reset_index(drop=True)
        year = own.index[own["quarter"] == quarters.back(quarter, 4)].tolist()
        earlier = {len(own) - 2: "last wave"} | ({year[-1]: "last year"} if year and year[-1] != len(own) - 2 else {})
        for place, against in earlier.items() if len(own) > 1 and own["quarter"].iloc[-1] == quarter else ():
            now, then = own.iloc[[-1]].reset_index(drop=True), own.iloc[[place]].reset_index(drop=True)
            about = {name: now[name][0] for name in ("kpi", "survey", "wave", "quarter")} | {"against": against, "then_wave": then["wave"][0], "then_quarter": then["quarter"][0]}
            parts.append(metrics.change(now, then, of_interest=OF_INTEREST).assign(**about))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in ("kpi", "survey", "wave", "quarter", "against", "then_quarter", "unit", "estimate", "p")})


def _blank(found, few, least):
    """Take the figures out of rows on too few answers, and say so where nothing else is said."""
    few = pd.Series(few, index=found.index)
    figures = [name for name in ("perception", "expectation", "estimate", "std_error", "conf_low", "conf_high", "p") if name in found]
    return found.assign(**{name: found[name].mask(few) for name in figures}, note=found["note"].mask(few & (found["note"] == ""), f"not estimable (under {least} effective answers)"))


def gaps(tables) -> pd.DataFrame:
    """Compare what was found with what was expected on every survey's latest wave that asks both: survey, wave, then what `scales.gaps` returns, without figures on under 30 effective answers. Empty where nothing is declared."""
    parts = []
    for one in tables.programme.gaps:
        pairs = {name: list(own.items()) for name, own in one.dimensions.items()}
        items = [item for own in pairs.values() for pair in own for item in pair]
        frame, wave, sampled = models.drawn(tables, one.survey, items)
        if len(frame):
            found = scales.gaps(frame, dimensions=pairs, weight="weight", cluster=sampled["cluster"])
            parts.append(_blank(found, found["n_eff"] < FEW, FEW).assign(survey=one.survey, wave=wave))
    columns = ["survey", "wave", "dimension", "perception", "expectation", "estimate", "std_error", "conf_low", "conf_high", "p", "pairs", "n", "n_eff", "note"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
