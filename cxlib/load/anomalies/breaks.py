"""Breaks: a mean that jumps where the wording changed, what a split sample says of it, and one item that jumps alone."""

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import cells
from cxlib.load.anomalies.grid import Grid, grids

Z = 1.959963984540054


def declared(grid: Grid) -> list[dict]:
    """Return the jump of an item's mean at each change that the programme declares not comparable, to be looked at: the line breaks there.

    Estimate: mean of the wave with the change less that of the wave before, scale units; p: no jump.
    """
    found = []
    for place, item in enumerate(grid.items):
        mean, error, n = _means(grid, place)
        for change in item.changes:
            after = next((w for w, wave in enumerate(grid.waves) if wave == change.wave), None)
            before = next((w for w in range((after or 0) - 1, -1, -1) if n[w]), None) if after else None
            if before is None or not n[after] or change.comparable:
                continue
            jump, se = mean[after] - mean[before], np.hypot(error[after], error[before])
            jump = -jump if grid.turned[place] else jump
            bridge = bridges(grid, item.id, change.wave)
            words = f"; {bridge}" if bridge else "; no respondents of that wave answered the old wording, so what is wording and what is change cannot be told"
            found.append(grid.row("wording_break", change.wave, item.id, n=n[after], estimate=jump, p=2 * stats.norm.sf(abs(jump) / max(se, 1e-9)), verdict="look", unit=change.what, sentence=
                f"{grid.where(change.wave)}: '{item.id}' changed ({change.what}), and its mean {'rose' if jump > 0 else 'fell'} by {abs(jump):.2f} [{jump - Z * se:+.2f}, {jump + Z * se:+.2f}] against wave '{grid.waves[before]}'{words}. The line is drawn with a break."))
    return found


def _means(grid: Grid, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, standard error and base of an item (high is good) by wave."""
    counts = grid.histogram(place, grid.by_wave)
    n = counts.sum(axis=1)
    score = grid.low[place] + np.arange(grid.widths[place])
    mean = (counts @ score) / np.maximum(n, 1)
    variance = (counts @ score**2) / np.maximum(n, 1) - mean**2
    return mean, np.sqrt(np.maximum(variance, 1e-9) / np.maximum(n - 1, 1)), n


def _partner(grid: Grid, place: int, w: int) -> int | None:
    """The item that carries the other wording in a split sample: same scale, a near name or label, asked in this wave of other people."""
    from cxlib.load.anomalies.renames import near

    item = grid.items[place]
    here = grid.wave == w
    own = here & (grid.places[:, place] >= 0)
    for other, one in enumerate(grid.items):
        if other == place or one.scale != item.scale:
            continue
        theirs = here & (grid.places[:, other] >= 0)
        stem = one.id.startswith(item.id) or item.id.startswith(one.id) or near(one.id, item.id) or bool(item.label and near(one.label or one.wording, item.label))
        if stem and min(own.sum(), theirs.sum()) >= 30 and not (own & theirs).any():
            return other
    return None


def bridges(grid: Grid, item: str, wave: str) -> str:
    """Return the sentence on a split sample of an item in a wave; "" where there is none."""
    frame = bridge(grid, item=item, wave=wave)
    if not len(frame):
        return ""
    row = frame.iloc[0]
    return (f"a split sample of that wave puts the new wording {row['estimate']:+.2f} [{row['conf_low']:+.2f}, {row['conf_high']:+.2f}] against the old one ('{row['old']}'), "
            "by which the earlier waves are bridged")


def bridge(grid: Grid, *, item: str, wave: str) -> pd.DataFrame:
    """Return what a split sample says of a change of wording: the new wording's mean less the old one's among those asked in the same wave.

    Columns: survey, wave, item (new wording), old (item that carries the old wording), estimate, conf_low, conf_high (scale units, 95 %,
    independent samples, unequal variances), n_new, n_old. Empty where nobody was asked the other wording. The two wordings must have gone to people drawn at random.
    """
    columns = ["survey", "wave", "item", "old", "estimate", "std_error", "conf_low", "conf_high", "n_new", "n_old"]
    place = next((p for p, one in enumerate(grid.items) if one.id == item), None)
    w = grid.waves.index(wave) if wave in grid.waves else None
    other = _partner(grid, place, w) if place is not None and w is not None else None
    if other is None:
        return pd.DataFrame(columns=columns)
    first = [np.flatnonzero(grid.histogram(p, grid.by_wave).sum(axis=1))[0] for p in (place, other)]
    new, old = (place, other) if first[0] >= first[1] else (other, place)
    (a, ea, na), (b, eb, nb) = (tuple(part[w] for part in _means(grid, p)) for p in (new, old))
    gap, se = (a - b) * (-1 if grid.turned[new] else 1), np.hypot(ea, eb)
    freedom = (ea**2 + eb**2) ** 2 / (ea**4 / (na - 1) + eb**4 / (nb - 1))
    half = stats.t.ppf(0.975, freedom) * se
    values = (grid.survey.id, wave, grid.items[new].id, grid.items[old].id, gap, se, gap - half, gap + half, int(na), int(nb))
    return pd.DataFrame([values], columns=columns)


def bridged(tables, programme=None) -> pd.DataFrame:
    """Return the series of every item with a declared change and a split sample, the earlier waves moved to the new wording.

    Columns: survey, item, wave, quarter, estimate (mean in scale units; of the new wording from the change on, of the old one plus the bridge before),
    std_error, conf_low, conf_high (95 %; the bridge's error included, so that it is common to all earlier waves), n, as_asked (mean without
    the bridge), bridge (what was added), bridge_low, bridge_high (95 %, Welch), n_new, n_old (answers to either wording in the split sample), and in
    the wave of the change moved, moved_low, moved_high: its step from the wave before. That step is the old wording's, asked in both, so the
    bridge's error is not in it. Waves of anonymous surveys with too few answers are left out.
    """
    programme, rows = programme or tables.programme, []
    quarters = {(wave.survey, wave.id): wave.quarter for wave in programme.waves}
    for grid in grids(tables, programme):
        for item in grid.items:
            for change in item.changes:
                found = bridge(grid, item=item.id, wave=change.wave)
                if not len(found):
                    continue
                link, ids = found.iloc[0], [one.id for one in grid.items]
                new, old = ids.index(link["item"]), ids.index(link["old"])
                start, sign = grid.waves.index(change.wave), -1 if grid.turned[new] else 1
                asked, split = _means(grid, old), [link[key] for key in ("conf_low", "conf_high", "n_new", "n_old")]
                for w, wave in enumerate(grid.waves):
                    mean, error, n = (part[w] for part in (_means(grid, new) if w >= start else asked))
                    mean = grid.low[new] + grid.high[new] - mean if grid.turned[new] else mean
                    if n:
                        add, se = (link["estimate"], float(np.hypot(error, link["std_error"]))) if w < start else (0.0, float(error))
                        step = _step(asked, start, sign) if w == start else (np.nan,) * 3
                        rows.append((grid.survey.id, link["item"], wave, quarters[grid.survey.id, wave], mean + add, se, mean + add - Z * se, mean + add + Z * se, int(n), mean, add, *split, *step))
    frame = pd.DataFrame(rows, columns=["survey", "item", "wave", "quarter", "estimate", "std_error", "conf_low", "conf_high", "n", "as_asked", "bridge", "bridge_low", "bridge_high", "n_new", "n_old", "moved", "moved_low", "moved_high"])
    frame = frame.drop_duplicates(["survey", "item", "wave"])
    return frame[~cells.few(frame, programme=programme, counts=("n",))].reset_index(drop=True)


def _step(asked, start: int, sign: int) -> tuple[float, float, float]:
    """The old wording's move into the wave of the change from the last one before that asked it, with its 95 % interval."""
    mean, error, n = asked
    before = next((w for w in range(start - 1, -1, -1) if n[w]), None)
    if before is None:
        return np.nan, np.nan, np.nan
    moved, se = sign * float(mean[start] - mean[before]), float(np.hypot(error[start], error[before]))
    return moved, moved - Z * se, moved + Z * se


def lone_jumps(grid: Grid) -> list[dict]:
    """Return items that jumped alone, and did not take the KPI with them: possibly another wording that nobody declared. To look at.

    The jump from the last wave that asked it, less the median jump of all items, must be a twelfth of the scale's range, seven standard errors,
    and five times the usual scatter of such jumps (median absolute deviation over items and waves, floor .02 of the range). A real change moves the
    KPI as its relation with the item says; where the item has such a relation (five standard errors) and the KPI did follow, or where
    more than a quarter of the items jumped, nothing is said.
    """
    k, waves = len(grid.items), len(grid.waves)
    if k < 4 or waves < 3:
        return []
    table = [_means(grid, place) for place in range(k)]
    span = grid.high - grid.low
    mean, error = (np.array([part[i] / span[p] for p, part in enumerate(table)]).T for i in (0, 1))
    n = np.array([part[2] for part in table]).T
    jumps, errors, origin = np.full((waves, k), np.nan), np.full((waves, k), np.nan), np.full((waves, k), -1)
    for place in range(k):
        asked = np.flatnonzero(n[:, place] >= 30)
        for a, b in zip(asked[:-1], asked[1:]):  # noqa: RUF007
            jumps[b, place], errors[b, place], origin[b, place] = mean[b, place] - mean[a, place], np.hypot(error[a, place], error[b, place]), a
    level = np.array([np.nanmedian(row) if np.isfinite(row).any() else 0.0 for row in jumps])
    alone = jumps - level[:, None]
    scatter = max(1.4826 * np.nanmedian(np.abs(alone)) if np.isfinite(alone).any() else 0.0, 0.02)
    big = (np.abs(alone) > 1 / 12) & (np.abs(alone) > 7 * errors) & (np.abs(alone) > 5 * scatter)
    changes = {(item.id, change.wave) for item in grid.items for change in item.changes}
    found = []
    for w, place in zip(*np.nonzero(big)):
        item, wave = grid.items[place], grid.waves[w]
        asked = np.isfinite(alone[w]).sum()
        if (item.id, wave) in changes or big[w].sum() > 0.25 * asked or asked < 4 or _followed(grid, place, int(origin[w, place]), w, float(jumps[w, place] * span[place])):
            continue
        jump = float(alone[w, place] * span[place]) * (-1 if grid.turned[place] else 1)
        found.append(grid.row("lone_jump", wave, item.id, n=n[w, place], estimate=jump, p=2 * stats.norm.sf(abs(alone[w, place]) / np.hypot(errors[w, place], scatter)), verdict="look", unit=f"since wave '{grid.waves[origin[w, place]]}'", sentence=
            f"{grid.where(wave)}: the mean of '{item.id}' moved by {jump:+.2f} against the other ratings since wave '{grid.waves[origin[w, place]]}', and what goes with it did not follow; the wording, the filter or the column may have changed. "
            "To mend it: compare the questionnaires, and declare the change under 'changes'."))
    return found


def _followed(grid: Grid, place: int, before: int, after: int, jump: float) -> bool:
    """Whether a KPI moved with the item, as its relation with the item and the others says; also where that cannot be told from the rest."""
    from cxlib.load.bases import surveys_of

    kpis = [kpi.item for kpi in grid.programme.kpis if grid.survey.id in surveys_of(grid.programme, kpi)]
    places = [p for p, item in enumerate(grid.items) if item.id in kpis and p != place]
    rows = np.isin(grid.wave, (before, after))
    for kpi in places:
        own = rows & (grid.places[:, kpi] >= 0) & (grid.places[:, place] >= 0)
        asked_of_all = [p for p, item in enumerate(grid.items) if not item.asked_if]  # what was asked of some would leave few complete answers
        others = [p for p in asked_of_all if p not in (kpi, place) and p not in places and (grid.places[own, p] >= 0).mean() > 0.6] if own.any() else []
        use = own & (grid.places[:, others] >= 0).all(axis=1) if others else own
        later = grid.wave[use] == after
        if use.sum() < 100 or min(later.sum(), (~later).sum()) < 40:
            continue
        design = np.column_stack([np.ones(use.sum()), later, grid.x[use][:, [place, *others]]])
        answer = grid.x[use, kpi]
        inverse = np.linalg.pinv(design.T @ design)
        beta = inverse @ (design.T @ answer)
        sigma = ((answer - design @ beta) ** 2).sum() / max(len(answer) - len(beta), 1)
        error = np.sqrt(np.maximum(np.diag(inverse) * sigma, 1e-12))
        if beta[2] / error[2] < 5:
            continue
        # an item that changed its wording leaves the KPI where it was: given the item, the KPI then moves the other way by jump x slope
        expected = -jump * beta[2]
        if beta[1] * np.sign(expected) < abs(expected) / 2:
            return True
    return False
