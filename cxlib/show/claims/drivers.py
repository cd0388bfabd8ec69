"""What the driver study says: which attributes go with a KPI, how sure their order is, and what to fix first."""

from statistics import NormalDist

import pandas as pd

from cxlib import quarters
from cxlib.show import claims, prose

STUDY = "02_annual_drivers"
KEY = ["survey", "kpi", "driver"]
NORMAL = NormalDist()
SURE = 0.8  # share of replicates from which an attribute is named as one to fix first
LEVELS = ("need", "ease", "emotion")  # of the experience pyramid
METHODS = {"correlation": "Correlation", "ols": "Regression", "johnson": "Johnson", "shapley": "Shapley"}


def asked(fitted: pd.DataFrame, programme, quarter: str) -> list[str]:
    """Say which question is explained, in which wave, how many answered it, and how old the answers are where the quarter has no such wave."""
    said = []
    for row in fitted.to_dict("records"):
        survey = f"{programme.label(row['survey'])}, " if len(programme.surveys) > 1 else ""
        text = f"{_name(programme, row)}: “{programme.item(row['item']).wording}” was answered by {prose.number(row['n'])} of {prose.plural(row['rows'], 'respondent')} ({survey}{row['quarter']})."
        age = quarters.between(row["quarter"], quarter)
        said.append(text if not age else f"{text} {quarter} has no wave of this survey: these answers, and all that follows from them, are {prose.plural(age, 'quarter')} old.")
    return said + _upside(fitted, programme)


def _upside(fitted: pd.DataFrame, programme) -> list[str]:
    """Say which attributes are shown turned, because a low score is the good one in the file: their means are not those of the answers as given."""
    found: dict = {}
    for model in (one for one in programme.drivers if one.survey in set(fitted["survey"])):
        for item in (programme.item(name) for name in model.items):
            if programme.direction(item) == "low_is_good":
                scale = programme.scales[item.scale]
                found.setdefault((scale.low, scale.high), {})[programme.label(item.id)] = None
    return [f"A low score is the good one of {prose.join(list(names))}: on this page {'they are' if len(names) > 1 else 'it is'} turned, so that more is better everywhere, and an answer of {low:g} counts as {high:g}." for (low, high), names in found.items()]


def left_out(importance: pd.DataFrame, programme) -> list[str]:
    """Say which attributes could not be estimated and why: never used, no variation, an exact combination of others."""
    own = importance[(importance["method"] == "shapley") & (importance["note"] != "")]
    groups = own.groupby(["survey", "kpi", "note"], sort=False)["driver"].agg(list)
    return [f"{_name(programme, {'survey': survey, 'kpi': kpi})}: {prose.join(map(programme.label, names))}: {note}." for (survey, kpi, note), names in groups.items()]


def order(importance: pd.DataFrame, pairs: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI how much the attributes explain, which come first, and which of the strongest cannot be told apart."""
    said = []
    for model, own in models(importance[importance["method"] == "shapley"], programme):
        ranked = own.dropna(subset=["estimate"]).sort_values("estimate", ascending=False, kind="stable")
        if ranked.empty:
            said.append(f"{model}: no attribute can be ranked.")
            continue
        first, tied = ranked.iloc[0], _tied(pairs, ranked.iloc[0])
        r2 = "" if first["r2_low"] != first["r2_low"] else f" (95 % interval {prose.interval(first['r2_low'], first['r2_high'], 'percent')})"
        together = f"together the {prose.plural(len(ranked), 'attribute')} explain" if len(ranked) > 1 else "the attribute explains"
        opening = f"{model}: {together} {prose.percent(first['r2'])} of the differences between respondents{r2}."
        name = programme.label(first["driver"])
        alike = [programme.label(other) for other in tied]
        if len(ranked) == 1:
            said.append(f"{opening} There is one attribute only, {name}, so there is no order.")
        elif not alike:
            said.append(f"{opening} {name} comes first ({_share(first)}), and its first place is established.")
        else:
            alike = [*alike[:3], *([prose.plural(len(alike) - 3, "other")] if len(alike) > 3 else [])]
            said.append(f"{opening} {name} comes first in this sample ({_share(first)}), but its rank is not established: it cannot be told apart from {prose.join(alike)}. These stand at the top together, in no order.")
    return said


def relevance(tested: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI how many attributes look more important than chance, each on its own; the ledger counts them all."""
    said = []
    for model, own in models(tested, programme):
        own = own.dropna(subset=["p"])
        weak = [programme.label(driver) for driver in own.loc[own["p"] >= 0.05, "driver"]]
        rest = f"; not {prose.join(weak, last='or')}" if weak else ""
        if len(own) and len(weak) == len(own):
            said.append(f"{model}: no attribute looks more important than chance would, so there is nothing to rank; the order above is that of this sample. More answers would tell, or attributes that were not asked about.")
        elif len(own):
            said.append(f"{model}: {prose.number(len(own) - len(weak))} of {prose.plural(len(own), 'attribute')} look{'s' if len(own) == 1 else ''} more important than chance would (p below 0.05, each taken alone){rest}.")
    return said


def agreement(found: pd.DataFrame, model: str) -> str:
    """Say whether the four methods name the same attributes (what `drivers.agreement` returns; the model in words)."""
    found = found.dropna(subset=["rank_correlation"])
    if found.empty:
        return f"{model}: with fewer than two attributes there are no orders to compare."
    least = found["rank_correlation"].min()
    same, top = found["same_first"].all(), int(found["common_top3"].min())
    verdict = "the methods agree" if same and least >= 0.9 else "the methods agree roughly" if least >= 0.7 else "the methods disagree, so the order is a matter of method"
    first = "all name the same first attribute" if same else "they do not all name the same first attribute"
    shares = "all name the same first three" if top == 3 else f"any two share at least {top} of their first three"
    if top < 3 and (found["rank_correlation"].abs() > 0.999).all():  # two attributes: there is no third
        return f"{model}: {verdict}: {first} of the two."
    near = found[(found["method_a"] == "johnson") & (found["method_b"] == "shapley")]
    shared = f" Johnson and Shapley alone agree with {prose.number(near['rank_correlation'].iloc[0], digits=2)}." if len(near) and least < 0.9 else ""
    return f"{model}: {verdict}: {first}, {shares}, and {'their orders are the same' if least > 0.995 else f'the rank correlation of their orders is {prose.number(least, digits=2)} or more'}.{shared}"


def methods(importance: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's attributes as a table of words: what each method says and, in brackets, the rank it gives."""
    wide = {}
    for row in importance.to_dict("records"):
        show = prose.percent(row["estimate"]) if row["method"] in ("johnson", "shapley") and row["estimate"] == row["estimate"] else ""
        show = show or ("not estimable" if row["estimate"] != row["estimate"] else prose.number(row["estimate"], digits=2))
        wide.setdefault(row["driver"], {"attribute": programme.label(row["driver"])})[row["method"]] = f"{show} ({row['rank']:.0f})" if row["rank"] == row["rank"] else show
    ranks = importance[importance["method"] == "shapley"].set_index("driver")["rank"]
    return pd.DataFrame([wide[driver] for driver in ranks.sort_values(kind="stable").index], columns=["attribute", *[name for name in METHODS if name in set(importance["method"])]])


def ranks(importance: pd.DataFrame, tested: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's attributes as a table of words: part explained, rank with simultaneous limits, how often first and among three, n, p."""
    own = importance[importance["method"] == "shapley"].merge(tested[["survey", "kpi", "driver", "p"]], on=["survey", "kpi", "driver"]).sort_values("rank", kind="stable")
    return pd.DataFrame([
        {
            "attribute": programme.label(row["driver"]), "part": part(row), "rank": f"{row['rank']:.0f} ({row['rank_low']:.0f} to {row['rank_high']:.0f})" if row["rank_low"] == row["rank_low"] else "–",
            "first": times(row["p_top1"]), "three": times(row["p_top3"]), "n": row["n"], "p": row["p"],
        }
        for row in own.to_dict("records")
    ])  # fmt: skip


def places(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return one KPI's attributes as a table of words: mean rating, importance, the corner they stand in, how often they do, their level of the experience pyramid where tagged, n."""
    levels = {item.id: prose.join([tag for tag in item.tags if tag in LEVELS]) for item in programme.items}
    tagged = any(levels[driver] for driver in found["driver"])
    return pd.DataFrame([
        {
            "attribute": programme.label(row["driver"]), "rating": rating(row), "importance": part(row, "importance"), "corner": row["quadrant"] or "–",
            "times": times(row["p_quadrant"]), **({"level": levels[row["driver"]] or "–"} if tagged else {}), "n": row["n"],
        }
        for row in found.sort_values("importance", ascending=False, kind="stable").to_dict("records")
    ])  # fmt: skip


def priorities(found: pd.DataFrame, tested: pd.DataFrame, programme) -> list[str]:
    """Say for each KPI what to fix first: attributes that matter at all, are important and are rated below the average of the attributes."""
    found = found.merge(tested[["survey", "kpi", "driver", "p"]], on=["survey", "kpi", "driver"])
    said = []
    for model, own in models(found, programme):
        sure = own[(own["p_fix_first"] >= SURE) & (own["p"] < 0.05)].sort_values("importance", ascending=False, kind="stable")
        named = prose.join(f"{programme.label(row.driver)} (rated {prose.number(row.performance, digits=2)}; so in {prose.probability(row.p_fix_first)} redraws of the sample)" for row in sure.itertuples())
        said.append(f"{model}: fix first {named}." if named else f"{model}: no attribute is surely both important and weak; nothing stands out to fix first.")
    return said


def tests(tested: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the permutation tests as rows of the ledger, in words."""
    return claims.tests(tested, study=STUDY, family="drivers", kind="secondary", key=KEY, what=lambda row: f"{programme.label(row['driver'])} goes with {_name(programme, row)}")


def rows(importance: pd.DataFrame, found: pd.DataFrame, tested: pd.DataFrame, pairs: pd.DataFrame, programme, fitted: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return the study's claims: for each KPI the attribute that goes with it most, and the one to fix first, each with its permutation test.

    `fitted` (`models.answered`) gives the quarter of the answers: their age stands in the base where it is not `quarter`.
    """
    made, dated = [], fitted.set_index(["survey", "kpi"])["quarter"]
    for place, (name, own) in enumerate(models(importance[importance["method"] == "shapley"], programme)):
        ranked = own.dropna(subset=["estimate", "conf_low"]).sort_values("estimate", ascending=False, kind="stable")
        if ranked.empty:
            continue
        first = ranked.iloc[0].to_dict()
        when = dated[first["survey"], first["kpi"]]
        base = f"{prose.base(first['n'], first['n_eff'])}, {when}" + (f", {prose.plural(age, 'quarter')} old" if (age := quarters.between(when, quarter)) else "")
        alike, id = [programme.label(other) for other in _tied(pairs, first)], f"drivers.{first['survey']}.{first['kpi']}"
        shares = f"{prose.percent(first['estimate'])} of the differences between respondents (95 % interval {prose.interval(first['conf_low'], first['conf_high'], 'percent')})"
        text = f"{programme.label(first['driver'])} is most strongly associated with {name}: it goes with {shares}"
        text += f"; whether it comes before {prose.join(alike[:2], last='or')} is not established." if alike else "."
        null = f"No attribute could be shown to go with {name}."
        made.append(_claim(f"{id}.first", text, null, first, tested, base, rank=2 + place / 10))
        fix = found[(found["survey"] == first["survey"]) & (found["kpi"] == first["kpi"]) & (found["p_fix_first"] >= SURE)].sort_values("importance", ascending=False, kind="stable")
        if len(fix):
            row = fix.iloc[0].to_dict()
            text = f"Fix first for {name}: {programme.label(row['driver'])}, important and rated {rating(row)}, below the attributes' mean (so in {prose.probability(row['p_fix_first'])} redraws of the sample)."
            limits = {"estimate": row["importance"], "conf_low": row["importance_low"], "conf_high": row["importance_high"], "n": row["n"], "n_eff": row["n_eff"], "wave": first["wave"]}
            made.append(_claim(f"{id}.fix", text, f"For {name} nothing stands out to fix first.", row | limits, tested, base, rank=3 + place / 10, action=True))
    return claims.frame(made)


def _name(programme, row) -> str:
    """A model in words: its KPI, with the survey where several surveys have models."""
    return claims.name(programme, row["kpi"], row["survey"]) if len({model.survey for model in programme.drivers}) > 1 else programme.label(row["kpi"])


def models(found: pd.DataFrame, programme, *, known: str | None = None):
    """Return the models of a frame as pairs of their name in words and their rows; with `known`, only those where that column is estimable."""
    groups = [(_name(programme, {"survey": survey, "kpi": kpi}), own) for (survey, kpi), own in found.groupby(["survey", "kpi"], sort=False)]
    return [(name, own) for name, own in groups if known is None or own[known].notna().any()]


def _tied(pairs: pd.DataFrame, first) -> list[str]:
    """The attributes that the first one cannot be told apart from, the nearest in importance first."""
    own = pairs[(pairs["survey"] == first["survey"]) & (pairs["kpi"] == first["kpi"]) & (pairs["driver_a"] == first["driver"]) & (pairs["told_apart"] == 0)]
    return own.sort_values("estimate", kind="stable")["driver_b"].tolist()


def _share(row) -> str:
    limits = "" if row["conf_low"] != row["conf_low"] else f", 95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')}"
    return f"{prose.percent(row['estimate'])}{limits}"


def part(row, column="estimate") -> str:
    """A part of R2 with its interval: '14 % (10 to 18)'; its note where it is not estimable."""
    low, high = ("conf_low", "conf_high") if column == "estimate" else (f"{column}_low", f"{column}_high")
    if row[column] != row[column]:
        return row["note"] or "not estimable"
    return prose.percent(row[column]) + ("" if row[low] != row[low] else f" ({prose.interval(row[low], row[high], 'percent', digits=0).removesuffix(' %')})")


def rating(row) -> str:
    """A mean rating with its interval: '3.42 (3.36 to 3.48)'."""
    if row["performance"] != row["performance"]:
        return "not estimable"
    limits = "" if row["performance_low"] != row["performance_low"] else f" ({prose.number(row['performance_low'], digits=2)} to {prose.number(row['performance_high'], digits=2)})"
    return f"{prose.number(row['performance'], digits=2)}{limits}"


def sure(p) -> pd.Series:
    """Which of several attributes stay below 0.05 once they are all counted (Holm): a list of eleven, each taken alone, names one by chance in two surveys of five."""
    p = pd.Series(p, dtype=float)
    ranked = p.dropna().sort_values(kind="stable")
    paid = (ranked * list(range(len(ranked), 0, -1))).cummax()
    return paid.reindex(p.index).lt(0.05)


def beside(estimate, low, high) -> pd.Series:
    """The chance of an estimate as far from zero where there is nothing, from its 95 % interval."""
    error = (high - low) / (2 * NORMAL.inv_cdf(0.975))
    return pd.Series([2 * NORMAL.cdf(-abs(x / e)) if e > 0 else float("nan") for x, e in zip(estimate, error)], index=estimate.index)


def times(p: float) -> str:
    """How many of a hundred replicates: '54', 'under 1', 'over 99'; never 0 or 100."""
    return "–" if p != p else prose.probability(p).removesuffix(" in 100").replace("less than", "under").replace("more than", "over")


def _claim(claim_id, text, null, row, tested, base, *, rank, action=False):
    test = tested[(tested["survey"] == row["survey"]) & (tested["kpi"] == row["kpi"]) & (tested["driver"] == row["driver"])].iloc[0].to_dict()
    return claims.claim(claim_id, STUDY, text, text_null=null, row=row, unit="part of R2", base=base, p=test["p"], test_id=claims.test_id(STUDY, test, KEY), rank=rank, action=action)
