"""What the tracking study says: where the key figures stand, whether they moved, and what these bases could have shown."""

from collections import Counter
from itertools import pairwise

import pandas as pd

from cxlib import quarters
from cxlib.show import claims, prose

STUDY = "03_performance_tracking"
CHANGE = {"points": "points", "share": "percentage points", "scale": "scale points"}
LEVEL = {"points": "points", "share": "percent", "scale": "scale points"}
KEY = ["survey", "kpi", "against"]
AROUND = 6  # periods before and after a jump at which its size is read


def levels(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return where each KPI stands in its latest wave as a table of words: figure, quarter, level, interval, without weights, n, effective n, remark.

    Columns that would say the same in every row are left out: weights that change nothing, bases that are fine.
    """
    rows = []
    for (kpi, survey), own in found.groupby(["kpi", "survey"], sort=False):
        row = own.iloc[-1].to_dict()
        rows.append({
            "figure": claims.name(programme, kpi, survey), "quarter": row["quarter"], "level": cell(row["estimate"], row["unit"]),
            "interval": limits(row),
            "unweighted": cell(row["unweighted"], row["unit"]), "n": row["n"], "n_eff": row["n_eff"], "remark": "; ".join(filter(None, [claims.BASES.get(row["flag"], ""), row["note"]])),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    plain = not weighted(found) and not ((found["n"] - found["n_eff"]).abs() > 0.5).any()
    return table.drop(columns=[*([] if weighted(found) else ["unweighted"]), *(["n_eff"] if plain else []), *([] if (table["remark"] != "").any() else ["remark"])])


def history(found: pd.DataFrame, programme, *, most: int = 8) -> pd.DataFrame:
    """Return one survey's KPIs by wave as a table of words, waves as columns (the last `most`); where weights change a figure, a row without them."""
    waves = found.drop_duplicates("quarter").sort_values("quarter")["quarter"].tolist()[-most:]
    rows = []
    for kpi, own in found.groupby("kpi", sort=False):
        own, label = own.set_index("quarter"), programme.label(kpi)
        cells = lambda column, own=own: {wave: cell(own.loc[wave, column], own.loc[wave, "unit"]) if wave in own.index else "" for wave in waves}
        rows.append({"figure": label, **cells("estimate")})
        if weighted(own):
            rows.append({"figure": f"{label}, unweighted", **cells("unweighted")})
    return pd.DataFrame(rows)


def weighted(found: pd.DataFrame) -> bool:
    """Return whether weights move any of these figures."""
    return bool(((found["estimate"] - found["unweighted"]).abs() > 1e-9).any())


def weights(found: pd.DataFrame, programme) -> str:
    """Say what the weights do to the latest figures, the largest difference they make, and what the intervals allow for beside chance."""
    last = found.groupby(["kpi", "survey"], sort=False).tail(1).dropna(subset=["estimate", "unweighted"])
    last = last if "basis" in last else last.assign(basis="")
    if not weighted(last):
        return " ".join(["Weights change none of the latest figures, because no answer counts more than another.", *designs(last, programme)])
    gap = (last["estimate"] - last["unweighted"]).abs() / last["unit"].map({"points": 100, "share": 1, "scale": 4})
    row = last.loc[gap.idxmax()]
    moved = f"Of the latest figures the weights move {claims.name(programme, row['kpi'], row['survey'])} most: {cell(row['estimate'], row['unit'])} with them, {cell(row['unweighted'], row['unit'])} without."
    return " ".join([moved, *designs(last, programme)])


def designs(last: pd.DataFrame, programme) -> list[str]:
    """Say for each survey what its intervals allow for, and the design effect: as many answers drawn at random would be so many times as precise."""
    said = []
    for survey, own in last[last["basis"].fillna("") != ""].groupby("survey", sort=False):
        row = own.iloc[0]
        if row["basis"] == "weights as given":
            text = "the weights are taken as they were given, and what they cost is counted through the effective base (Kish)"
        else:
            text = f"intervals allow for the design ({_basis(row['basis'], programme)})"
        said.append(f"{claims.say(claims.heading(programme, survey), text)}; {prose.number(row['n'])} answers are as precise as {prose.number(row['n_eff'])} drawn at random.")
    return said


def _basis(basis: str, programme) -> str:
    words, parts = {"account_id": "account", "person_id": "person"}, []
    for part in basis.split(", "):
        for join in (" by ", " to "):
            kind, found, name = part.partition(join)
            if found:
                part = f"{kind}{join}{words.get(name, programme.label(name))}"
                break
        else:
            part = words.get(part, programme.label(part))
        parts.append(part)
    return ", ".join(parts)


def changes(moved: pd.DataFrame, programme, told: pd.DataFrame | None = None) -> list[str]:
    """Say how each KPI moved, the verb by its interval; where nothing was seen, what could have been seen and what it would take.

    `told` is the study's own tests after `ledger.adjust`: a move that does not survive them is no detectable change.
    """
    survives = {} if told is None else told.set_index("test_id")["survives"].to_dict()
    said = []
    for row in moved.to_dict("records"):
        if row["p"] != row["p"]:
            said.append(f"{claims.name(programme, row['kpi'], row['survey'])} since {row['then_quarter']}: {row['note']}.")
            continue
        lost = not _null(row) and not survives.get(claims.test_id(STUDY, row, KEY), True)
        text = _still(row, programme) if lost else _told(row, programme)
        if lost or _null(row):
            text += f" A change of {_size(row['detectable'], row['unit'])} would have been seen four times in five; to see {_size(_aim(row['unit']), row['unit'])} takes {prose.number(row['needed_n'])} answers a wave."
        said.append(text)
    return said


def parts(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the parts of each KPI's move as a table of words, a row a move, by the cut in which the mix did most: change, move, cut, within, mix, weights.

    Weights are left out where they did nothing. All cuts stand in the finding.
    """
    whole = found[(found["value"] == "all") & found["estimate"].notna()]
    if whole.empty:
        return pd.DataFrame(columns=["change", "total", "cut", "within", "mix"])
    whole = whole.assign(change=[f"{claims.name(programme, row.kpi, row.survey)} since {row.then_quarter}" for row in whole.itertuples()])
    wide = whole.pivot(index=["change", "segment"], columns="part", values="estimate")
    size = (wide["mix"] + wide["weights"]).abs()
    most = whole[["change", "segment"]].drop_duplicates().assign(size=lambda rows: size.reindex(pd.MultiIndex.from_frame(rows)).to_numpy()).sort_values("size", ascending=False, kind="stable").drop_duplicates("change")
    own = whole.merge(most[["change", "segment"]], on=["change", "segment"])
    own = own.assign(cell=[f"{signed(row.estimate, row.unit)} ({signed(row.conf_low, row.unit)} to {signed(row.conf_high, row.unit)})" for row in own.itertuples()], cut=own["segment"].map(programme.label))
    table = own.pivot(index=["change", "cut"], columns="part", values="cell").reindex(own.set_index(["change", "cut"]).index.unique()).reset_index().rename_axis(columns=None)
    nothing = own.loc[own["part"] == "weights", "estimate"].abs().max() < 1e-9
    return table[["change", "total", "cut", "within", "mix", *([] if nothing else ["weights"])]]


def explained(found: pd.DataFrame, programme) -> list[str]:
    """Say what part of each KPI's move goes with attributes whose own rating moved, and what is left."""
    said = []
    for (kpi, survey, _, then), own in found.groupby(["kpi", "survey", "against", "then_quarter"], sort=False):
        rows, unit = own.set_index("driver"), own["unit"].iloc[0]
        name = f"{claims.name(programme, kpi, survey)} since {then}"
        if "unexplained" not in rows.index:
            said.append(f"{name}: {own['note'].iloc[0]}.")
            continue
        whole, rest = rows.loc["all"], rows.loc["unexplained"]
        if whole["conf_low"] <= 0 <= whole["conf_high"]:
            said.append(f"{name} did not detectably move, so there is nothing to share out.")
            continue
        sure = rows.drop(["all", "unexplained"])
        sure = sure[(sure["conf_low"] > 0) | (sure["conf_high"] < 0)].sort_values("estimate", key=abs, ascending=False)
        with_it = prose.join([f"{programme.label(name)} ({signed(row.estimate, unit)}, 95 % interval {signed(row.conf_low, unit)} to {signed(row.conf_high, unit)}; its rating moved by {prose.points(row.moved, digits=2)})" for name, row in zip(sure.index, sure.itertuples())])
        left = f"{signed(rest['estimate'], unit)} {CHANGE[unit]} go with none of them (95 % interval {signed(rest['conf_low'], unit)} to {signed(rest['conf_high'], unit)})"
        base = f"Base: {prose.number(whole['n_now'])} answers against {prose.number(whole['n_then'])}."
        said.append(f"{name}: of {signed(whole['estimate'], unit)} {CHANGE[unit]} this much is associated with attributes whose rating moved: {with_it}; {left}. {base}" if len(sure) else f"{name}: no attribute whose rating moved goes with the {signed(whole['estimate'], unit)} {CHANGE[unit]} it moved; {left}. {base}")
    return said


def signed(size: float, unit: str) -> str:
    """Return a change as a number with its sign: '+3.1' in points or percentage points, '-0.12' on a scale."""
    return prose.points(size * (100 if unit == "share" else 1), digits=2 if unit == "scale" else 1)


def moves(moved: pd.DataFrame) -> pd.DataFrame:
    """Return changes of one unit as readers read them: what, now, then, difference with limits, what these bases could have shown, needed n, p."""
    unit = moved["unit"].iloc[0]
    scale = 100 if unit == "share" else 1
    shown = {"change": moved["label"]} | {name: moved[name] * scale for name in ("now", "then", "estimate", "conf_low", "conf_high", "detectable")}
    shown |= {"needed_n": moved["needed_n"], "n_now": moved["n_now"], "n_then": moved["n_then"], "n_both": moved["n_both"], "p": moved["p"].round(4)}
    return claims.numbers(pd.DataFrame(shown)).rename(columns={"estimate": CHANGE[unit].replace(" ", "_")})


def _without(days: pd.Series, period: str) -> str:
    """Say which weeks or months between the first and the last have no figure: none answered, or too few to be shown, or the wave was refused."""
    if period not in ("week", "month"):
        return ""
    gone = pd.date_range(days.min(), days.max(), freq="7D" if period == "week" else "MS").difference(pd.DatetimeIndex(days))
    if len(gone) == 0:
        return ""
    which = f"the {period} from {prose.date(gone[0])}" if len(gone) == 1 else f"{prose.plural(len(gone), period)}, the first from {prose.date(gone[0])}"
    return f" There is no figure for {which}; the level is carried across."


def steady(found: pd.DataFrame, programme) -> list[str]:
    """Say of each series of levels where it stands now, whether it jumped and when, and how well the next period was forecast."""
    said = []
    for (kpi, survey), own in found.groupby(["kpi", "survey"], sort=False):
        last, period = own.iloc[-1], own["period"].iloc[0]
        unit, name = last["unit"], claims.name(programme, kpi, survey)
        alone = own["sampling"].median() * 1.96
        text = (
            f"{name}: behind the noise it stands at {value(last['level'], unit)} (95 % interval {limits(last)}), where the answers of one {period} alone"
            f" ({prose.number(own['n'].median(), digits=0)} as a rule) can say no better than ±{_size(alone, unit)}."
        )
        text += "".join(f" It probably jumped around {prose.date(day)}, from {value(before, unit)} to {value(after, unit)} as {prose.plural(AROUND, period)} before and after have it." for day, before, after in _jumps(own))
        text += _without(own["date"], period)
        ahead = own.dropna(subset=["surprise"])
        if len(ahead) >= 8:
            error, naive = ((ahead["estimate"] - ahead["forecast"]) ** 2).mean() ** 0.5, own["estimate"].ffill().diff().loc[ahead.index].pow(2).mean() ** 0.5
            inside = (ahead["surprise"].abs() <= 1.96).mean()
            text += f" The next {period} was forecast with an error of {_size(error, unit)} ('as last {period}' errs by {_size(naive, unit)}), and {prose.percent(inside)} of the estimates fell into the 95 % interval given before."
        said.append(text)
    return said


def _jumps(own: pd.DataFrame):
    """The days of jumps in the likeliest course, with the levels some periods before and after: the day itself is not known to the week."""
    own = own.reset_index(drop=True)
    return [(own.loc[at, "date"], own.loc[max(at - AROUND, 0), "level"], own.loc[min(at + AROUND, len(own) - 1), "level"]) for at in own.index[own["break"].astype(bool)] if at]


def bridges(found: pd.DataFrame, programme) -> list[str]:
    """Say of each question whose wording changed with a split sample by how much the new wording reads differently, and how the series goes on over it."""
    said = []
    for (survey, item), own in found.groupby(["survey", "item"], sort=False):
        before, after = own[own["bridge"] != 0], own[own["bridge"] == 0]
        if before.empty or after.empty:
            continue
        start, last = after.iloc[0], before.iloc[-1]
        span = lambda low, high: f"95 % interval {signed(low, 'scale')} to {signed(high, 'scale')}"
        said.append(
            f"{claims.heading(programme, survey)}{programme.label(item)} is asked in new words since {start['quarter']}. Where both wordings went to people drawn at random, the new one reads {prose.points(last['bridge'], digits=2)} against the old "
            f"({span(last['bridge_low'], last['bridge_high'])}; {prose.number(last['n_new'])} answers to the new words, {prose.number(last['n_old'])} to the old). "
            f"Moved by that, the series goes from {prose.number(last['estimate'], digits=2)} to {prose.number(start['estimate'], digits=2)} ({prose.points(start['moved'], digits=2)}; {span(start['moved_low'], start['moved_high'])}), where the answers as asked go from {prose.number(last['as_asked'], digits=2)} to {prose.number(start['as_asked'], digits=2)}. "
            "The error of the bridge is in every interval before the change."
        )
    return said


def gaps(found: pd.DataFrame, programme) -> list[str]:
    """Say where waves lie unequally far apart, so that a change is not one of equal times, and where the question, the mode or the source of the sample changed, so that none is told."""
    said = []
    for survey, own in found.groupby("survey", sort=False):
        steps = own.drop_duplicates("wave").sort_values("quarter")["quarter"].tolist()
        lengths = [quarters.between(a, b) for a, b in pairwise(steps)]
        if len(set(lengths)) > 1:
            usual = Counter(lengths).most_common(1)[0][0]
            odd = prose.join(f"{a} to {b} ({prose.plural(length, 'quarter')})" for a, b, length in zip(steps, steps[1:], lengths) if length != usual)
            said.append(claims.say(claims.heading(programme, survey), f"waves lie unequally far apart: {prose.plural(usual, 'quarter')} as a rule, but {odd}. Over a longer gap more can change, and another quarter of the year may be another season."))
    broken = found[found["changed"] != ""] if "changed" in found else found.iloc[:0]
    for row in broken.itertuples():
        kind = row.changed.partition(": ")[0]
        subject = {"mode": "the mode", "sample": "the source of the sample"}.get(kind, "the question")
        said.append(f"{claims.name(programme, row.kpi, row.survey)}: {subject} changed in {row.quarter} ({(row.changed.removeprefix(f'{kind}: ') if subject != 'the question' else row.changed).rstrip('.')}), so the line is broken there, and no change is told across it.")
    return said


def segments(found: pd.DataFrame, kpi: str, programme) -> pd.DataFrame:
    """Return one KPI by segment in the latest wave of each survey as a table of words: segment, then a column a survey with level, interval and base.

    Segments and their values stand in the order in which the programme declares them.
    """
    own = found[found["kpi"] == kpi]
    own = own[own["quarter"] == own.groupby("survey")["quarter"].transform("max")]
    declared = {(segment.id, label): at for segment in programme.segments for item in programme.items if item.id == segment.field for at, label in enumerate(item.labels.values())}
    place = {segment.id: at for at, segment in enumerate(programme.segments)}
    order = [(place.get(row.segment, 0), declared.get((row.segment, row.value), len(declared)), row.value) for row in own.itertuples()]
    own = own.iloc[sorted(range(len(own)), key=order.__getitem__)]
    cells = [
        {"segment": f"{programme.label(row['segment'])}: {row['value']}", "survey": f"{programme.label(row['survey'])}, {row['quarter']}" if len(programme.surveys) > 1 else row["quarter"], "cell": _segment(row)}
        for row in own.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(cells, columns=["segment", "survey", "cell"]).pivot(index="segment", columns="survey", values="cell").reindex(dict.fromkeys(cell["segment"] for cell in cells)).fillna("").rename_axis(columns=None).reset_index()


def tests(moved: pd.DataFrame, kinds: pd.Series, programme) -> pd.DataFrame:
    """Return the changes as rows of the ledger, each kind a family's part, described in words."""
    what = lambda row: f"{claims.name(programme, row['kpi'], row['survey'])}: {row['quarter']} against {row['then_quarter']}"
    return pd.concat([claims.tests(moved[kinds == kind], study=STUDY, family="kpi_change", kind=kind, key=KEY, what=what) for kind in ("primary", "secondary")], ignore_index=True)


def rows(found: pd.DataFrame, moved: pd.DataFrame, programme, quarter: str) -> pd.DataFrame:
    """Return the study's claims: the move of each KPI against the last wave and last year; the level where there is no earlier wave.

    They stand in the order of the programme's KPIs, within a KPI the shortest gap first: rank 1.00, 1.01, ... for the first KPI, 1.10 for the second.
    """
    place = {kpi.id: at / 10 for at, kpi in enumerate(programme.kpis)}
    made, told = [], set()
    ordered = moved.assign(_at=moved["kpi"].map(place)).sort_values(["_at", "gap"], kind="stable").drop(columns="_at") if len(moved) else moved
    for at, row in enumerate(ordered[ordered["p"].notna()].to_dict("records")):
        told.add((row["kpi"], row["survey"]))
        base = f"{prose.number(row['n_now'])} answers against {prose.number(row['n_then'])}"
        made.append(claims.claim(
            f"tracking.{row['survey']}.{row['kpi']}.{row['against'].replace(' ', '_')}", STUDY, _told(row, programme), text_null=_still(row, programme), row=row, unit=row["unit"], base=base, p=row["p"],
            test_id=claims.test_id(STUDY, row, KEY), rank=1 + place[row["kpi"]] + at / 1000,
        ))  # fmt: skip
    for row in found[found["quarter"] == quarter].to_dict("records"):
        if (row["kpi"], row["survey"]) not in told and row["estimate"] == row["estimate"] and row["flag"] != "too few":
            text = f"{claims.heading(programme, row['survey'])}{programme.label(row['kpi'])} stands at {value(row['estimate'], row['unit'])}{_interval(row)}; there is no earlier wave to compare with."
            made.append(claims.claim(f"tracking.{row['survey']}.{row['kpi']}.level", STUDY, text, row=row, unit=row["unit"], base=prose.base(row["n"], row["n_eff"]), rank=1.005 + place[row["kpi"]]))
    return claims.frame(made)


def value(estimate: float, unit: str) -> str:
    """Return a level in words: '+12', '61 %', '4.06'."""
    return prose.points(estimate) if unit == "points" else prose.percent(estimate) if unit == "share" else prose.number(estimate, digits=2)


def cell(estimate: float, unit: str) -> str:
    """Return a level in a table, with the decimal that tells waves apart: '+12.3', '61.2 %', '4.06'."""
    if estimate != estimate:
        return "not estimable"
    return prose.points(estimate, digits=1) if unit == "points" else prose.percent(estimate, digits=1) if unit == "share" else prose.number(estimate, digits=2)


def limits(row) -> str:
    """Return the interval of a level in a table: '+8.1 to +16.5', '77.2 to 80.7 %'."""
    if row["conf_low"] != row["conf_low"]:
        return "–"
    low, high = cell(row["conf_low"], row["unit"]), cell(row["conf_high"], row["unit"])
    return f"{low.removesuffix(' %')} to {high}" if low[0].isdigit() else f"{low} to {high}"


def _segment(row) -> str:
    if row["flag"] == "withheld":
        return "withheld"
    limits = "" if row["conf_low"] != row["conf_low"] else f" ({value(row['conf_low'], row['unit'])} to {value(row['conf_high'], row['unit'])})"
    level = "not estimable" if row["estimate"] != row["estimate"] else value(row["estimate"], row["unit"])
    return f"{level}{limits}, n {prose.number(row['n'])}{f', {flag}' if (flag := claims.BASES.get(row['flag'], '')) else ''}"


def _interval(row) -> str:
    if row["conf_low"] != row["conf_low"]:
        return ""
    return f" (95 % interval {prose.interval(row['conf_low'], row['conf_high'], LEVEL[row['unit']], digits=2 if row['unit'] == 'scale' else None)})"


def _null(row) -> bool:
    return row["conf_low"] <= 0 <= row["conf_high"]


def _told(row, programme) -> str:
    text = prose.change(row["estimate"], row["conf_low"], row["conf_high"], unit=CHANGE[row["unit"]], what=programme.label(row["kpi"]), since=row["then_quarter"])
    return f"{claims.heading(programme, row['survey'])}{text}."


def _still(row, programme) -> str:
    """The sentence where the test does not survive: never beside an interval that leaves out zero, which would contradict it."""
    if _null(row):
        return _told(row, programme)
    moved = prose.points(row["estimate"] * (100 if row["unit"] == "share" else 1), digits=2 if row["unit"] == "scale" else 0)
    moved += f" {CHANGE[row['unit']].removesuffix('s') if moved[1:] == '1' else CHANGE[row['unit']]}"
    return f"{claims.heading(programme, row['survey'])}{programme.label(row['kpi'])} showed no detectable change since {row['then_quarter']} once all tests of this report are counted ({moved})."


def _size(size: float, unit: str) -> str:
    return f"{prose.number(size * (100 if unit == 'share' else 1), digits=2 if unit == 'scale' else 0)} {CHANGE[unit]}"


def _aim(unit: str) -> float:
    return {"points": 5.0, "share": 0.05, "scale": 0.2}[unit]
