"""Prevalence: how often topics come up, for better or worse, and what mentioning one has to do with the KPI."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.text import topics

POLARITIES = ("positive", "negative", "unclear")
FEW = 10  # respondents on either side of a topic below which its relation to the KPI is not estimated


def shares(mentions, verbatims, *, by=("quarter",), responses=None, codeframe=None, base="commenters", level=0.95) -> pd.DataFrame:
    """Which share of the commenters speaks of each topic, for better or worse?

    A respondent counts once a topic and polarity (and once a net, when `codeframe` is given: parents of its topics are added); one who
    praises and complains counts in both, and once in polarity "any". Takes the mentions of `topics.code` and the verbatims they were
    coded from (response_id, text, the columns of `by`); `responses` (response_id, weight, unit, columns of `by`) adds weights, segments and the
    primary units (people who answered more than once, or declared clusters; missing: the answer is its own), and is needed for base="respondents". Missing weights count 1.

    Returns the columns of `by`, topic, level (topic | net), polarity (any | positive | negative | unclear), estimate (proportion), std_error,
    conf_low, conf_high (Wilson, on n_eff), n (base, respondents), n_eff (Kish;
    where units answered more than once in a cell, the base that the linearised variance between units leaves, never more than Kish's), count (respondents who mention it), base, indicative
    (True: no audit sample has corrected the coder's mistakes, so the interval holds sampling error only), note.
    """
    by = list(by)
    people = base_of(verbatims, responses, by, base)
    kind = dict.fromkeys(mentions["topic"].unique(), "topic")
    if codeframe is not None:
        names = codeframe.names()
        kind = {topic: "topic" for topic in codeframe.coded_as().values()} | {net: "net" for above in codeframe.nets().values() for net in above if net in names}
    found = rolled(mentions, codeframe).merge(people, on="response_id")
    counted = found.groupby([*by, "topic", "polarity"], observed=True)["weight"].agg(["sum", "size"])
    sums = people.assign(square=people["weight"] ** 2).groupby(by, observed=True).agg(total=("weight", "sum"), square=("square", "sum"), n=("weight", "size")) \
        if by else pd.DataFrame({"total": [people["weight"].sum()], "square": [(people["weight"] ** 2).sum()], "n": [len(people)]})
    rows = []
    for cell, bases in zip(sums.index, sums.itertuples(index=False)):
        cell = (cell if isinstance(cell, tuple) else (cell,)) if by else ()
        for topic in sorted(kind):
            for polarity in ("any", *POLARITIES):
                weight, count = counted.loc[(*cell, topic, polarity)] if (*cell, topic, polarity) in counted.index else (0.0, 0)
                rows.append((*cell, topic, kind[topic], polarity, weight, int(count), bases.total, bases.square, bases.n))
    frame = pd.DataFrame(rows, columns=[*by, "topic", "level", "polarity", "weight", "count", "total", "square", "n"])
    frame["estimate"] = (frame["weight"] / frame["total"]).clip(0, 1)
    frame["n_eff"] = _between(frame, found, people, by)
    frame["std_error"] = np.sqrt(frame["estimate"] * (1 - frame["estimate"]) / frame["n_eff"])
    frame["conf_low"], frame["conf_high"] = wilson(frame["estimate"], frame["n_eff"], level=level)
    frame["base"], frame["indicative"] = base, True
    frame["note"] = "indicative: not corrected by an audit sample"
    return frame[[*by, "topic", "level", "polarity", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "count", "base", "indicative", "note"]]


def rolled(mentions: pd.DataFrame, codeframe=None) -> pd.DataFrame:
    """Return who says what, once each: response_id, topic (nets of the codeframe included), polarity ("any" included)."""
    found = mentions[["response_id", "topic", "polarity"]].drop_duplicates()
    above = codeframe.nets() if codeframe is not None else {}
    for depth in range(max((len(nets) for nets in above.values()), default=0)):
        net = mentions["topic"].map({topic: nets[depth] for topic, nets in above.items() if len(nets) > depth})
        found = pd.concat([found, mentions.assign(topic=net)[["response_id", "topic", "polarity"]].dropna(subset="topic")])
    return pd.concat([found, found.assign(polarity="any")]).drop_duplicates(ignore_index=True)


def _between(frame, found, people, by):
    """Return the effective base of each share: Kish's, or less where several answers of a cell come from one unit.

    Variance of a share p: sum over the G units of (t - p W)^2 / (sum of W)^2 * G/(G - 1), t the unit's weight of mentions and W of answers. Where all or nobody
    speak of it nothing tells how alike a unit's answers are: the worst case is that they are the same.
    """
    kish = frame["total"] ** 2 / frame["square"]
    if not people.duplicated([*by, "unit"]).any():
        return kish
    cell = [*by, "unit"]
    people = people.assign(whole=people.groupby(cell, observed=True)["weight"].transform("sum"))
    units = people.drop_duplicates(cell).assign(squares=lambda rows: rows["whole"] ** 2, cell_=0)
    sums = units.groupby(by or ["cell_"], observed=True).agg(units=("whole", "size"), squares=("squares", "sum"))
    said = found.assign(whole=found["response_id"].map(people.set_index("response_id")["whole"]).astype(float)).groupby([*cell, "topic", "polarity"], observed=True).agg(t=("weight", "sum"), whole=("whole", "first")).reset_index()
    said = said.assign(tt=said["t"] ** 2, tw=said["t"] * said["whole"]).groupby([*by, "topic", "polarity"], observed=True)[["tt", "tw"]].sum()
    sums = frame[by].merge(sums.reset_index(), on=by, how="left") if by else pd.concat([sums] * len(frame), ignore_index=True)
    said = frame[[*by, "topic", "polarity"]].merge(said.reset_index(), on=[*by, "topic", "polarity"], how="left").fillna({"tt": 0.0, "tw": 0.0})
    p, g, squares, total = frame["estimate"].to_numpy(), sums["units"].to_numpy(float), sums["squares"].to_numpy(float), frame["total"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(said["tt"].to_numpy() - 2 * p * said["tw"].to_numpy() + p**2 * squares, 0) / total**2 * g / (g - 1)
        base = np.where((p > 0) & (p < 1) & (g > 1) & (variance > 0), p * (1 - p) / variance, total**2 / squares)
    return np.minimum(kish, base)


def coverage(mentions, verbatims, codeframe, *, by=("quarter",), level=0.95) -> pd.DataFrame:
    """How much of what people wrote does the codeframe not cover?

    Returns the columns of `by`, verbatims (rows), empty (no words: blanks, emoji, numbers), nothing and unknown (whole answers such as "nothing"
    and "don't know"), other_language (no phrases for it), n = n_eff (those left: what could have been covered), covered, estimate (share of n
    uncovered), std_error, conf_low, conf_high (Wilson), note.
    """
    by, state = list(by), states(mentions, verbatims, codeframe)
    kinds = ["empty", "nothing", "unknown", "other_language", "covered", "uncovered"]
    counts = pd.get_dummies(state).reindex(columns=kinds, fill_value=False).astype("int64")
    frame = pd.concat([verbatims[by], counts], axis=1).groupby(by, observed=True)[kinds].sum().reset_index() if by else counts.sum().to_frame().T
    frame["verbatims"] = frame[kinds].sum(axis=1)
    frame["n"] = frame["covered"] + frame["uncovered"]
    frame["n_eff"] = frame["n"].astype(float)
    frame["estimate"] = frame["uncovered"] / frame["n"].where(frame["n"] > 0)
    frame["std_error"] = np.sqrt(frame["estimate"] * (1 - frame["estimate"]) / frame["n_eff"].where(frame["n"] > 0))
    frame["conf_low"], frame["conf_high"] = wilson(frame["estimate"], frame["n_eff"], level=level)
    frame["note"] = np.where(frame["n"] > 0, "", "not estimable: no verbatim with words in a language of the codeframe")
    return frame[[*by, "verbatims", "empty", "nothing", "unknown", "other_language", "covered", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "note"]]


def states(mentions, verbatims, codeframe) -> pd.Series:
    """Return what each verbatim is: empty, nothing, unknown, other_language, covered or uncovered; of verbatims with a column `state` (`topics.answers`) without reading them again."""
    state = verbatims["state"] if "state" in verbatims.columns else topics.answers(verbatims, codeframe)["state"]
    keys = ["response_id", "item"] if "item" in verbatims.columns else ["response_id"]
    coded = pd.MultiIndex.from_frame(verbatims[keys]).isin(pd.MultiIndex.from_frame(mentions[keys]))
    return pd.Series(np.where(state != "words", state, np.where(coded, "covered", "uncovered")), index=verbatims.index, dtype=object)


def wilson(share, n_eff, *, level=0.95):
    """Wilson's interval without continuity correction (proportions, n or n_eff): 81 of 263 -> .255289, .366210."""
    from scipy.stats import norm

    share, n_eff = np.asarray(share, float), np.asarray(n_eff, float)
    z = norm.ppf(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (share + z**2 / (2 * n_eff)) / (1 + z**2 / n_eff)
        half = z / (1 + z**2 / n_eff) * np.sqrt(share * (1 - share) / n_eff + z**2 / (4 * n_eff**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def impact(mentions, verbatims, responses, *, score="recommend", kpi="nps", level=0.95) -> pd.DataFrame:
    """How much would the KPI differ if those who speak of a topic were left out? (Is associated with, not caused by.)

    NPS(all) - NPS(without the topic) = n_t (NPS_t - NPS) / (N - n_t) exactly, with sums of weights; N is everyone with a score and a verbatim
    that says something. The interval is linearised (each answer's influence on both means, added up over what one `unit` of the responses said); p tests NPS_t = NPS of the rest on
    add-3/4 shares, so that a topic of detractors only has a variance. Topics do not add up.
    Takes mentions, verbatims, responses (response_id, `score`, weight where there is one). kpi="nps" reads 0-10; kpi="share" takes 0 and 1, kpi="mean" the score, as it is.

    Returns topic, estimate (points, or scale units), std_error, conf_low, conf_high, n (N), n_eff, count (n_t), share (weighted), kpi, kpi_with,
    kpi_rest, p, note. NaN with a note where all or fewer than ten (on either side) mention it.
    """
    from scipy.stats import norm

    people, value = scored(verbatims, responses, score, kpi)
    unit = pd.factorize(people["unit"])[0]
    weight, z = people["weight"].to_numpy(), norm.ppf(0.5 + level / 2)
    total, size = weight.sum(), len(people)
    mean = float(weight @ value / total) if size else np.nan
    rows = []
    for topic, ids in mentions.groupby("topic")["response_id"]:
        mentioned = people["response_id"].isin(set(ids)).to_numpy()
        w_in, w_out, count = weight * mentioned, weight * ~mentioned, int(mentioned.sum())
        row = {"topic": topic, "n": size, "n_eff": _kish(weight), "count": count, "share": w_in.sum() / total if size else np.nan, "kpi": mean}
        fewest = min(count, size - count)
        if fewest:
            m_in, m_out = float(w_in @ value / w_in.sum()), float(w_out @ value / w_out.sum())
            row |= {"estimate": mean - m_out, "kpi_with": m_in, "kpi_rest": m_out}
        if fewest >= FEW:
            influence = np.bincount(unit, weights=weight * (value - mean) / total - w_out * (value - m_out) / w_out.sum())
            row["std_error"] = float(np.sqrt((influence**2).sum() * len(influence) / (len(influence) - 1)))
            difference, variance = _difference(value, weight, mentioned, kpi)
            variance *= alike(value, weight, mentioned, unit)
            row["p"] = float(2 * norm.sf(abs(difference) / np.sqrt(variance))) if variance > 0 else np.nan
        row["note"] = ("not estimable: everyone who scored speaks of it" if count == size else "not estimable: nobody with a score speaks of it") if not fewest \
            else f"interval and test not estimable: {fewest} respondents on the smaller side, fewer than {FEW}" if fewest < FEW else ""
        rows.append(row)
    columns = ["topic", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "count", "share", "kpi", "kpi_with", "kpi_rest", "p", "note"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - z * frame["std_error"], frame["estimate"] + z * frame["std_error"]
    return frame


def associations(mentions, verbatims, responses, *, score="recommend", kpi="nps", controls=(), ratings=(), level=0.95) -> pd.DataFrame:
    """By how many points do those who praise or criticise a topic differ, the other topics they speak of held constant?

    Weighted least squares of the -100/0/100 value (kpi="share", "mean": of the score) on an indicator a topic and polarity, with `controls`
    (columns of responses, as categories) and `ratings` (as numbers; those missing at the mean, with an indicator), HC3 standard errors,
    their residuals added up within a `unit` that has several answers. Indicators with fewer than ten respondents are left out and listed with a
    note; so are those that others determine. The verb is "is associated with".

    Returns topic, polarity, estimate (points), std_error, conf_low, conf_high, p, n, n_eff, count, note.
    """
    import statsmodels.api as sm
    from scipy.stats import norm

    people, value = scored(verbatims, responses, score, kpi, keep=(*controls, *ratings))
    found = mentions[mentions["response_id"].isin(set(people["response_id"]))]
    pairs = sorted(set(zip(found["topic"], found["polarity"])))
    columns, kept, rows = held(people, controls, ratings), [], []
    fixed = len(columns)
    rank = np.linalg.matrix_rank(np.column_stack(columns)) if len(people) else 0
    for topic, polarity in pairs:
        ids = set(found.loc[(found["topic"] == topic) & (found["polarity"] == polarity), "response_id"])
        column = people["response_id"].isin(ids).to_numpy(float)
        count = int(column.sum())
        row = {"topic": topic, "polarity": polarity, "n": len(people), "n_eff": _kish(people["weight"].to_numpy()), "count": count, "note": ""}
        wider = np.column_stack([*columns, column])
        if min(count, len(people) - count) < FEW:
            row["note"] = f"not estimable: {min(count, len(people) - count)} respondents on the smaller side, fewer than {FEW}"
        elif np.linalg.matrix_rank(wider) == rank:
            row["note"] = "not estimable: determined by the topics and controls before it"
        else:
            rank += 1
            columns.append(column)
            kept.append(len(rows))
        rows.append(row)
    frame = pd.DataFrame(rows, columns=["topic", "polarity", "estimate", "std_error", "conf_low", "conf_high", "p", "n", "n_eff", "count", "note"])
    if kept:
        fit = sm.WLS(value, np.column_stack(columns), weights=people["weight"].to_numpy()).fit(cov_type="HC3")
        bse = _between_units(np.column_stack(columns), people, fit.resid) if people["unit"].duplicated().any() else fit.bse
        estimate, error, z = fit.params[fixed:], bse[fixed:], norm.ppf(0.5 + level / 2)
        for name, column in {"estimate": estimate, "std_error": error, "conf_low": estimate - z * error, "conf_high": estimate + z * error,
                             "p": 2 * norm.sf(np.abs(estimate / error))}.items():
            frame.loc[frame.index[kept], name] = column
    return frame.astype({name: float for name in ("estimate", "std_error", "conf_low", "conf_high", "p")})


def held(people, controls=(), ratings=()) -> list:
    """Return the columns of a model that are not topics: the constant, controls as categories, ratings as numbers (those missing at the mean, with a column that says so); none that others determine."""
    columns = [np.ones(len(people))]
    if len(people):
        for name in controls:
            columns += [column.to_numpy(float) for _, column in pd.get_dummies(people[name].astype("string").fillna("not known"), drop_first=True).items()]
        for name in ratings:
            given = people[name].astype(float)
            columns += [given.fillna(given.mean()).fillna(0.0).to_numpy(), *([given.isna().to_numpy(float)] if given.isna().any() else [])]
        columns = columns[:1] + _independent(columns[0], columns[1:])
    return columns


def _independent(one, columns) -> list:
    """The columns that the constant and those before them do not determine."""
    kept = [one]
    for column in columns:
        if np.linalg.matrix_rank(np.column_stack([*kept, column])) > len(kept):
            kept.append(column)
    return kept[1:]


def _between_units(x, people, residual):
    """Return HC3 standard errors whose scores are added up by unit: those of HC3 where every unit answered once."""
    weight = people["weight"].to_numpy()
    inverse = np.linalg.pinv(x.T @ (x * weight[:, None]), hermitian=True)
    leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x)
    scores = x * (weight * residual / np.maximum(1 - leverage, 1e-9))[:, None]
    sums = pd.DataFrame(scores).groupby(pd.factorize(people["unit"])[0]).sum().to_numpy()
    return np.sqrt(np.diag(inverse @ (sums.T @ sums) @ inverse))


def base_of(verbatims, responses, by, base) -> pd.DataFrame:
    """One row a respondent of the base: those who wrote something, or everyone who answered."""
    if base not in ("commenters", "respondents"):
        raise DataError(f"base '{base}' is neither 'commenters' nor 'respondents'")
    if base == "respondents" and responses is None:
        raise DataError("base 'respondents' needs the responses table")
    wrote = verbatims[verbatims["text"].map(topics.clean).str.strip() != ""]
    here = [name for name in by if name in verbatims.columns]
    if base == "commenters":
        people = wrote[["response_id", *here]].drop_duplicates("response_id")
        if responses is not None:
            extra = [name for name in by if name not in here] + [name for name in ("weight", "unit") if name in responses.columns]
            people = people.merge(responses[["response_id", *extra]].drop_duplicates("response_id"), on="response_id", how="left")
    else:
        people = responses[["response_id", *by, *(name for name in ("weight", "unit") if name in responses.columns)]].drop_duplicates("response_id")
    absent = [name for name in by if name not in people.columns]
    if absent:
        raise DataError(f"verbatims: column '{absent[0]}' to group by is neither there nor in the responses given")
    people = people if "weight" in people.columns else people.assign(weight=1.0)
    unit = people["unit"].astype(object).where(people["unit"].notna(), people["response_id"]) if "unit" in people.columns else people["response_id"]
    return people.assign(weight=people["weight"].fillna(1.0).astype(float), unit=unit).dropna(subset=by).sort_values("response_id", ignore_index=True)


def scored(verbatims, responses, score, kpi, keep=()):
    """Return commenters with a score, in an order that does not depend on the file's, and their KPI values."""
    if score not in responses.columns:
        raise DataError(f"responses: column '{score}' is missing, so topics cannot be related to it")
    if kpi not in ("nps", "share", "mean"):
        raise DataError(f"kpi '{kpi}' is neither 'nps' nor 'share' nor 'mean'")
    weights = [name for name in ("weight", "unit") if name in responses.columns]
    people = base_of(verbatims, responses[["response_id", *weights]], [], "commenters")
    people = people.merge(responses[["response_id", score, *keep]].drop_duplicates("response_id"), on="response_id")
    people = people[people[score].notna() & (people["weight"] > 0)].reset_index(drop=True)
    answer = people[score].to_numpy(float)
    return people, np.where(answer >= 9, 100.0, np.where(answer <= 6, -100.0, 0.0)) if kpi == "nps" else answer


def _difference(value, weight, mentioned, kpi) -> tuple[float, float]:
    """Difference of those who mention it from the rest, and its variance."""
    (inside, one), (outside, other) = (mean(value[group], weight[group], _kish(weight[group]), kpi) for group in (mentioned, ~mentioned))
    return float(inside - outside), float(one + other)


def mean(value, weight, n, kpi) -> tuple[float, float]:
    """Return the mean of one side and its variance on an effective base of `n`.

    Of an NPS on add-3/4 shares, of a share (values 0 and 1) with a success and a failure more (Agresti & Caffo 2000, Am. Stat. 54: 280), so that a side that is all of one mind has a variance.
    """
    centre = weight @ value / weight.sum()
    if kpi == "share":
        centre = (centre * n + 1) / (n + 2)
        return centre, centre * (1 - centre) / (n + 2)
    if kpi != "nps":
        return centre, weight @ (value - centre) ** 2 / weight.sum() / max(n - 1, 1)
    promoters, detractors = ((weight @ (value == side) / weight.sum() * n + 0.75) / (n + 3) for side in (100, -100))
    return 100 * (promoters - detractors), 1e4 * (promoters + detractors - (promoters - detractors) ** 2) / (n + 3)


def alike(value, weight, mentioned, unit) -> float:
    """Return how much larger the variance of the difference is between units than between answers; 1 at least."""
    influence = np.zeros(len(value))
    for group, sign in ((mentioned, 1), (~mentioned, -1)):
        w, v = weight[group], value[group]
        influence[group] = sign * w * (v - w @ v / w.sum()) / w.sum()
    apart = (influence**2).sum()
    return max(float((np.bincount(unit, weights=influence) ** 2).sum() / apart), 1.0) if apart > 0 else 1.0


def _kish(weight) -> float:
    return float(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else np.nan
