"""What several questions measure together, as the programme declares it: satisfaction indices with their reliability, and gaps between expectation and perception."""

import pandas as pd

from cxlib.measure import index, models, scales

KEYS = ["survey", "wave", "index"]
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
