"""Weights: answers made to stand for a population whose composition is known (raking), and what unequal weights cost."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.errors import DataError, nearest

UNKNOWN = "(not known)"
CLOSE = 1e-10  # largest share of the whole by which a margin may be missed when raking ends
SAID = 5e-4  # a margin missed by less than this share of the whole is not worth a sentence


class Raked(NamedTuple):
    """Weights, the margins before and after, and how the raking ended."""

    weights: pd.DataFrame  # one row a row of the frame, same index: weight (mean 1), base_weight (before, mean 1), held (0, or 1 where a bound holds it)
    margins: pd.DataFrame  # margin, category, n, target, before, after (shares of the whole)
    rounds: int
    gap: float  # largest difference of a margin's share from its target
    sentences: list[str]


def rake(frame: pd.DataFrame, *, targets: dict[str, dict], weight: str | None = None, bounds: tuple[float, float] | None = None, rounds: int = 5000) -> Raked:
    """Weight answers so that every margin has its target: raking, or iterative proportional fitting.

    in: one row an answer; `targets` holds, for each margin (a column), category -> count, percentage or share in the population; `weight` a
    column of initial weights above 0 (1 each by default); `bounds` the smallest and largest weight in multiples of the mean: weights beyond
    are cut there and all are raked again, until both hold or cannot.
    out: `Raked`. An answer whose category is missing keeps the margin's average factor: it is a category of its own, with its share before.
    Among all weights that meet the margins these change the initial ones least (sum of w log(w/d) - w + d; Deming and Stephan 1940,
    Deville and Sarndal 1992 case 2). Each round costs the number of distinct cells, not of rows.
    errors: DataError for a margin that is no column, categories without target and the reverse, targets that do not add up alike, and margins
    that contradict each other.
    """
    codes, shares, names = _margins(frame, targets)
    base = np.ones(len(frame)) if weight is None else frame[weight].to_numpy(dtype=float)
    if not (np.isfinite(base) & (base > 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(base) & (base > 0)))[0])
        raise DataError(f"Column '{weight}', row {row}: the initial weight {base[row]} is not above 0; quarantine the row or give it a weight.")
    if bounds is not None and not 0 <= bounds[0] < 1 < bounds[1]:
        raise DataError(f"The bounds {bounds[0]:g} and {bounds[1]:g} of the weights must lie on both sides of 1, the mean weight.")
    base = base / base.mean()
    # One unit for each cell of all margins and initial weight that occurs: rows of a unit have the same weight.
    key = np.zeros(len(frame), dtype="int64")
    for code, share in zip(codes, shares):
        key = key * len(share) + code
    _, cell = np.unique(key, return_inverse=True)
    if weight is not None:
        _, level = np.unique(base, return_inverse=True)
        cell = np.unique(cell.astype("int64") * (int(level.max()) + 1) + level, return_inverse=True)[1]
    size = int(cell.max()) + 1
    first = np.empty(size, dtype="int64")
    first[cell[::-1]] = np.arange(len(cell) - 1, -1, -1)
    count, start, place = np.bincount(cell, minlength=size).astype(float), base[first], [code[first] for code in codes]
    for code, share in zip(codes, shares):  # those without a category keep their part
        if np.isnan(share[-1]):
            share[-1] = base[code == len(share) - 1].sum() / len(frame)
            share[:-1] *= 1 - share[-1]
    w, taken, gap = _fit(start, count, place, shares, rounds)
    if gap > 1e-6:
        worst = max(range(len(names)), key=lambda m: _gap(w, count, place[m], shares[m]))
        raise DataError(f"The margins {', '.join(repr(name) for name in targets)} contradict each other: after {taken} rounds '{names[worst][0]}' is still off by {100 * gap:.2g} percentage points; some of their categories occur together only (a cell would need weight 0), so join categories or leave a margin out.")
    far, held = (w.max(), w.min()), np.zeros(size)
    if bounds is not None and ((w > bounds[1] * (1 + 1e-6)).any() or (w < bounds[0] * (1 - 1e-6)).any()):
        w, more, gap = _within(w, count, place, shares, bounds, rounds)
        taken += more
        held = ((w >= bounds[1] * (1 - 1e-6)) | (w <= bounds[0] * (1 + 1e-6))).astype(float)
    after, before = w[cell], base
    margins = pd.concat([_shares(name, categories, code, share, before, after) for (name, categories), code, share in zip(names, codes, shares)], ignore_index=True)
    weights = pd.DataFrame({"weight": after, "base_weight": before, "held": held[cell].astype("int64")}, index=frame.index)
    return Raked(weights, margins, taken, gap, _said(frame, weights, margins, taken, gap, far, bounds))


def _fit(w, count, place, shares, rounds):
    """Return weights of the units that meet the margins, the rounds taken and the largest gap left."""
    w, total, taken, gap = w.copy(), count.sum(), 0, np.inf
    while taken < rounds and gap >= CLOSE:
        taken += 1
        for code, share in zip(place, shares):
            sums = np.bincount(code, weights=w * count, minlength=len(share))
            w *= np.divide(share * total, sums, out=np.ones(len(share)), where=sums > 0)[code]
        gap = max(_gap(w, count, code, share) for code, share in zip(place, shares))
    return w, taken, gap


def _within(w, count, place, shares, bounds, rounds):
    """Return weights within the bounds that meet the margins as nearly as they can: cut, rake the cut weights again, and so on."""
    taken = 0
    for _ in range(200):
        cut = np.clip(w, *bounds)
        if np.abs(cut / w - 1).max() < 1e-6:
            break
        w, more, _ = _fit(cut, count, place, shares, min(rounds, 200))
        taken += more
    # Rows at a bound stay exactly there; where the bounds leave no way to meet the margins, the bounds win and the gap is said.
    w = np.clip(w, *bounds)
    w = np.clip(w / (np.average(w, weights=count)), *bounds)
    return w, taken, max(_gap(w, count, code, share) for code, share in zip(place, shares))


def _gap(w, count, code, share):
    part = np.bincount(code, weights=w * count, minlength=len(share))
    return float(np.abs(part / part.sum() - share).max())


def _margins(frame, targets):
    """Return, by margin, each row's category number, the target shares (the last NaN where rows have none), and the names."""
    if not targets:
        raise DataError("Raking needs at least one margin: a column, and the share of each of its categories in the population.")
    if frame.empty:
        raise DataError("There are no answers to be weighted.")
    totals = _totals(targets)
    codes, shares, names = [], [], []
    for name, target in targets.items():
        if name not in frame:
            raise DataError(f"The margin '{name}' is not a column of the answers{nearest(name, frame.columns)}.")
        place, found = pd.factorize(frame[name])
        wanted = {_text(category): value / totals[name] for category, value in target.items()}
        known = [_text(category) for category in found]
        n = np.bincount(place[place >= 0], minlength=len(found))
        for category, rows in zip(known, n):
            if wanted.get(category, 0) <= 0:
                raise DataError(f"Margin '{name}': {rows:,} answers have '{category}', {'whose target is 0' if category in wanted else 'for which there is no target'}{nearest(category, set(wanted) - {category})}; give it a target, or join it with another category.")
        empty = [category for category, share in wanted.items() if share > 0 and category not in known]
        if empty:
            raise DataError(f"Margin '{name}': nobody with '{empty[0]}' answered, and its target is {100 * wanted[empty[0]]:.1f} %; no weight can make up for an empty cell, so join it with a neighbouring category or take it out of the targets.")
        categories, lacking = list(known), (place < 0).any()
        share = np.array([wanted[category] for category in known] + ([np.nan] if lacking else []), dtype=float)
        share[: len(known)] /= share[: len(known)].sum()
        codes.append(np.where(place < 0, len(known), place))
        shares.append(share)
        names.append((name, [*categories, UNKNOWN] if lacking else categories))
    return codes, shares, names


def _totals(targets) -> dict[str, float]:
    """Return what the targets of each margin add up to, refusing margins that describe populations of different size."""
    totals = {}
    for name, target in targets.items():
        values = np.array(list(target.values()), dtype=float)
        if not len(values) or not (np.isfinite(values) & (values >= 0)).all() or not values.sum() > 0:
            raise DataError(f"Margin '{name}': its targets must be numbers of at least 0 with a sum above 0, category -> count, percentage or share.")
        totals[name] = float(values.sum())
        whole = (values == np.round(values)).all()
        for one in (1.0, 100.0):
            if 0.005 * one < abs(totals[name] - one) < 0.5 * one and (one == 1 or not whole):
                raise DataError(f"Margin '{name}': its targets add up to {totals[name]:g}; shares add up to 1, percentages to 100 and counts to the population, so one of them is wrong or missing.")
    counts = {name: total for name, total in totals.items() if not any(abs(total - one) <= 0.005 * one for one in (1.0, 100.0))}
    if counts and max(counts.values()) > 1.005 * min(counts.values()):
        low, high = min(counts, key=counts.get), max(counts, key=counts.get)
        raise DataError(f"The targets of '{low}' add up to {counts[low]:,.10g} and those of '{high}' to {counts[high]:,.10g}; margins of one population have one total, so correct the counts or give shares.")
    return totals


def _text(category) -> str:
    """Return a category as the programme writes it: 1.0 is '1'."""
    return str(int(category)) if isinstance(category, float) and category == int(category) else str(category)


def _shares(name, categories, code, share, before, after):
    size = len(categories)
    part = lambda w: np.bincount(code, weights=w, minlength=size) / w.sum()
    made = pd.DataFrame({"margin": name, "category": categories, "n": np.bincount(code, minlength=size), "target": share, "before": part(before), "after": part(after)})
    return made.sort_values(["category"], key=lambda values: values.map(lambda one: (one == UNKNOWN, one)), ignore_index=True)


def _said(frame, weights, margins, taken, gap, far, bounds) -> list[str]:
    n, held = len(frame), int(weights["held"].sum())
    effective = effect(weights).iloc[0]
    said = [f"{n:,} answers were raked to {margins['margin'].nunique()} margins in {taken} rounds; weights lie between {effective['low']:.2f} and {effective['high']:.2f} of the mean, and count as {effective['n_eff']:,.0f} answers of equal weight."]
    if held:
        said.append(f"Without bounds the largest weight would have been {far[0]:.1f} and the smallest {far[1]:.2f} times the mean; {held:,} answers are held at {bounds[0]:g} or {bounds[1]:g}, and the others were raked again.")
    if gap > SAID:
        row = margins.loc[(margins["after"] - margins["target"]).abs().idxmax()]
        said.append(f"With these bounds the margins cannot be met: '{row['category']}' of '{row['margin']}' is {100 * row['after']:.1f} % of the weighted answers where {100 * row['target']:.1f} % are due; join categories or widen the bounds.")
    for name, lost in margins[margins["category"] == UNKNOWN].set_index("margin")["n"].items():
        said.append(f"{lost:,} of {n:,} answers have no category in '{name}'; they keep the share they had.")
    return said


class Again:
    """Rakes bootstrap replicates of weights to the margins that the weights have, many replicates at once.

    What raking adds is a factor for each category of each margin, so a replicate of the raked weights has the same solution as one of the initial weights;
    and weights cut at a bound stay cut before they are raked again. A category that a replicate lost has no factor.
    """

    def __init__(self, weight: np.ndarray, margins):
        codes = [pd.factorize(np.asarray(margin, dtype=object), use_na_sentinel=False)[0] for margin in margins]
        key = np.zeros(len(weight), dtype="int64")
        for code in codes:
            key = key * (code.max() + 1) + code
        _, first, self.cell = np.unique(key, return_index=True, return_inverse=True)
        self.order = np.argsort(self.cell, kind="stable")
        self.starts = np.searchsorted(self.cell[self.order], np.arange(len(first)))
        self.places = [np.eye(code.max() + 1)[code[first]] for code in codes]  # cells x categories
        self.total = weight.sum() / weight.mean()
        self.shares = [np.bincount(code, weights=weight) / weight.sum() for code in codes]

    def __call__(self, weights: np.ndarray, *, rounds: int = 500, close: float = 1e-6) -> np.ndarray:
        """Return the raked weights: (replicates, rows), each adding up to the number of rows."""
        cells = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        factor = np.ones_like(cells)
        for _ in range(rounds):
            gap = 0.0
            for place, share in zip(self.places, self.shares):
                # sums in one order, whatever the number of threads
                part = np.einsum("rc,ck->rk", cells * factor, place)
                wanted = np.where(part > 0, share, 0.0)
                wanted = wanted / wanted.sum(axis=1, keepdims=True) * self.total
                step = np.divide(wanted, part, out=np.ones_like(part), where=part > 0)
                gap = max(gap, float(np.abs(step - 1).max()))
                factor *= step[:, place.argmax(axis=1)]
            if gap < close:
                break
        return weights * factor[:, self.cell]


def effect(frame: pd.DataFrame, *, weight: str = "weight", by=()) -> pd.DataFrame:
    """Return what unequal weights cost.

    out: keys, n (rows with a weight above 0), weighted_n (sum), n_eff (Kish: (sum w)^2 / sum w^2), factor (n / n_eff, the part of the design effect that
    is due to unequal weights; Kish 1965, 1992), low, high (smallest and largest weight in multiples of the mean), heaviest (share of the whole
    that the heaviest hundredth of the answers carries). Clusters and strata are not in it.
    """
    by = [by] if isinstance(by, str) else list(by)
    used = frame[frame[weight] > 0]
    rows = []
    for key, own in used.groupby(by, sort=True, dropna=False) if by else [((), used)]:
        w = np.sort(own[weight].to_numpy(dtype=float))
        n_eff = w.sum() ** 2 / (w**2).sum() if len(w) else 0.0
        top = w[len(w) - max(len(w) // 100, 1) :].sum() / w.sum() if len(w) else np.nan
        rows.append((*key, len(w), w.sum(), n_eff, len(w) / n_eff if n_eff else np.nan, w[0] / w.mean() if len(w) else np.nan, w[-1] / w.mean() if len(w) else np.nan, top))
    return pd.DataFrame(rows, columns=[*by, "n", "weighted_n", "n_eff", "factor", "low", "high", "heaviest"])


def applied(programme, responses: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return the responses with the weights that the programme asks for: each wave of a survey with `rake` raked on its own; `base_weight` holds what was before.

    Weights of a wave have mean 1. errors: DataError naming survey and wave, with the sentence of `rake`; more answers than the declared universe has.
    """
    responses = responses.assign(base_weight=np.nan)
    for survey in programme.surveys:
        for wave in [one for one in programme.waves if one.survey == survey.id and (survey.rake or survey.universe)]:
            own = responses.index[(responses["survey"] == survey.id) & (responses["wave"] == wave.id)]
            if not len(own):
                continue
            found = responses.loc[own, survey.cluster].nunique() if survey.cluster in responses else len(own)
            if isinstance(survey.universe, int) and found > survey.universe:
                raise DataError(f"{programme.folder / 'programme.toml'}: survey '{survey.id}', wave '{wave.id}': {found:,} {'clusters' if survey.cluster in responses else 'people'} answered, more than the {survey.universe:,} that 'universe' says there are; correct it, or count the customer file with universe = \"frame\".")
            if not survey.rake:
                continue
            raked = raking(programme, wave, responses.loc[own], people)
            responses.loc[own, ["weight", "base_weight"]] = raked.weights[["weight", "base_weight"]].to_numpy()
    return responses


def raking(programme, wave, own: pd.DataFrame, people: pd.DataFrame, *, weight: str = "weight") -> Raked:
    """Return how one wave is raked: its answers against the declared targets, or the customers of its first day where none are declared."""
    survey = programme.survey(wave.survey)
    fields = [margin.field for margin in survey.rake.margins]
    file = f"{programme.folder / 'programme.toml'}: survey '{survey.id}', wave '{wave.id}'"
    try:
        frame = placed(own, people if "link" in survey.uses else people.iloc[:0], fields)
        there = customers(people, wave.first)
        targets = {margin.field: margin.targets or counted(there, margin.field, frame[margin.field]) for margin in survey.rake.margins if margin.field in frame or margin.targets}
        lost = [name for name in fields if name not in frame]
        if lost:
            raise DataError(f"the margin '{lost[0]}' is a column neither of the answers nor of the people table{nearest(lost[0], [*own.columns, *people.columns])}.")
        return rake(frame, targets=targets, weight=weight, bounds=(survey.rake.smallest, survey.rake.largest))
    except DataError as error:
        raise DataError(f"{file}: {error}") from None


def placed(own: pd.DataFrame, people: pd.DataFrame, fields) -> pd.DataFrame:
    """Return answers with more fields: those that no answer carries are looked up by person in the people table."""
    for name in fields:
        if (name not in own or own[name].isna().all()) and name in people and "person_id" in own:
            own = own.assign(**{name: own["person_id"].map(people.drop_duplicates("person_id").set_index("person_id")[name])})
    return own


def customers(people: pd.DataFrame, day) -> pd.DataFrame:
    """Return the frame on a day: people who had joined by then and not left."""
    day, alive = pd.Timestamp(day), np.ones(len(people), dtype=bool)
    if "joined_on" in people:
        alive &= ~(pd.to_datetime(people["joined_on"]) > day).to_numpy()
    if "left_on" in people:
        alive &= ~(pd.to_datetime(people["left_on"]) < day).to_numpy()
    return people[alive]


def counted(there: pd.DataFrame, field: str, answers: pd.Series) -> dict[str, float]:
    """Return the parts of a field's categories in the frame; errors: DataError where the people table cannot say."""
    if field not in there or there[field].isna().all():
        raise DataError(f"the margin '{field}' has no targets, and the people table does not say it{nearest(field, there.columns)}; declare its targets.")
    parts = there[field].map(_text, na_action="ignore").value_counts()
    return (parts / parts.sum()).sort_index().to_dict()
