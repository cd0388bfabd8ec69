"""Crosstabs as an agency delivers them: questions down, groups across, with bases, nets, means, letters and marks.

Each column is tested against the rest of its banner (never against the total, which holds it), by the linearised variance of their difference under the survey's design
and Student's t; the same cells of the last wave and of last year are tested with what the same people's answers share.
"""

from pathlib import Path
from string import ascii_uppercase

import numpy as np
import pandas as pd
from scipy import stats

from cxlib import cells, quarters, spreadsheets
from cxlib.errors import DataError, UsageError, nearest
from cxlib.measure import design, metrics, waves

ALPHA = 0.05
MARKS = {"last wave": ("▲", "▼"), "last year": ("△", "▽")}
TOTAL = "Total"
COLUMNS = ["item", "wording", "row", "kind", "field", "banner", "column", "letter", "n", "estimate", "p", "letters", "marks", "flag"]


def table(tables, *, stub: list[str], banner: list[str], survey: str | None = None) -> tuple[pd.DataFrame, str]:
    """Return the crosstab of a survey's latest wave in the quarter as a tidy frame, a row a cell, and the survey.

    in: `stub` items, `banner` fields, nominal items or segments; `survey` where several ask the items. out: item, wording, row, kind (unweighted, weighted,
    effective: the base of who answered; answer, net: percent; mean; points), field ("" for the total), banner (in words), column, letter, n (answers in the cell), estimate, p (against the rest
    of the banner), letters (the column's own letter: capital where the cell lies above the rest, small where below, at 5 % each), marks (filled: against the last wave,
    hollow: against last year), flag ("withheld", "low base": under limits.text_base effective answers, and then not tested). Small cells of anonymous surveys are withheld with
    their complements, and with them what they would follow from: nets and means of their column.
    """
    programme = tables.programme
    if not stub or not banner:
        raise UsageError("A crosstab needs at least one question (--stub) and one group (--banner).")
    survey = _survey(programme, stub, survey)
    items = [_item(programme, survey, name) for name in stub]
    fields = [_field(tables, survey, name) for name in banner]
    own = [wave for wave in programme.waves if wave.survey == survey and wave.quarter <= tables.quarter]
    if not own:
        raise DataError(f"Survey '{survey}' has no wave up to {tables.quarter}.")
    order = sorted(own, key=lambda wave: (wave.quarter, wave.first, wave.id))
    drawn = waves.samples(tables).get(survey)
    answers = drawn.frame if drawn else tables["responses"][tables["responses"]["survey"] == survey].sort_values(["wave", "response_id"], kind="stable", ignore_index=True)
    parts = []
    for item in items:
        asked = [wave for wave in order if answers.loc[answers["wave"] == wave.id, item.id].notna().any()]
        if not asked:
            raise DataError(f"Nobody of survey '{survey}' answered '{item.id}' up to {tables.quarter}.")
        now, earlier = asked[-1], _earlier(programme, survey, item.id, asked)
        sides = {name: _side(answers, wave.id, item, fields, drawn) for name, wave in {"now": now, **earlier}.items()}
        parts.append(_item_table(programme, survey, item, fields, sides).assign(wave=now.id, quarter=now.quarter))
    return pd.concat(parts, ignore_index=True)[[*COLUMNS, "wave", "quarter"]], survey


def _survey(programme, stub, survey) -> str:
    known = [one.id for one in programme.surveys]
    if survey is not None and survey not in known:
        raise UsageError(f"--survey {survey}: there is no such survey{nearest(survey, known)} (there: {', '.join(known)}).")
    asking = [one for one in known if all(name in {item.id for item in programme.asked(one)} for name in stub)]
    items = [item.id for item in programme.items]
    for name in stub:
        if name not in items:
            raise UsageError(f"--stub {name}: there is no such item{nearest(name, items)}.")
    if survey is None and len(asking) != 1:
        raise UsageError(f"{'Several surveys ask' if asking else 'No one survey asks'} {', '.join(stub)}{f'; name one: --survey {asking[0]}' if asking else ''} (surveys: {', '.join(asking or known)}).")
    return survey or asking[0]


def _item(programme, survey, name):
    if name not in {item.id for item in programme.asked(survey)}:
        raise UsageError(f"--stub {name}: survey '{survey}' does not ask it.")
    item = programme.item(name)
    if item.kind == "verbatim":
        raise UsageError(f"--stub {name}: these are comments; a crosstab takes ratings, nominal items and numbers.")
    return item


def _field(tables, survey, name) -> tuple[str, str, dict, list]:
    """A banner as (column of the responses, its name in words, labels, values in their order)."""
    programme, responses = tables.programme, tables["responses"]
    segment = next((one for one in programme.segments if one.id == name and one.table == "responses"), None)
    nominal = {item.id for item in programme.asked(survey) if item.kind == "nominal"}
    known = sorted({*nominal, *(one.id for one in programme.segments if one.table == "responses"), "channel", "brand", "country", "language", "team"} & {*responses.columns, *(one.id for one in programme.segments)})
    field = segment.field if segment else name
    if name not in known or field not in responses:
        raise UsageError(f"--banner {name}: it is neither a nominal item of survey '{survey}' nor a segment or field of its answers{nearest(name, known)} (there: {', '.join(known)}).")
    labels = dict(segment.values) if segment else {}
    present = set(responses.loc[responses["survey"] == survey, field].dropna().astype(str).replace(labels))
    declared = list(dict.fromkeys([*labels.values(), *(programme.item(field).labels.values() if field in nominal else ())]))
    if field == "team":
        present -= _hidden(responses[responses["survey"] == survey], set(waves.teams(tables)), programme.staff.minimum)
    values = [value for value in declared if value in present] + sorted(present - set(declared))
    if not values:
        raise DataError(f"--banner {name}: no answer of survey '{survey}' tells a {name} that may be shown.")
    return field, programme.label(name), labels, values


def _hidden(answers, shown: set, limit: int) -> set:
    """The teams that are not shown: those too small, and those without which they would follow from the whole of a wave."""
    gone = set()
    for _, own in answers.dropna(subset=["team"]).groupby("wave"):
        n = own["team"].astype(str).value_counts().astype(float)
        small = set(n.index) - shown
        gone |= {team for team, state in cells.protect(n, [(float(n.sum()), list(n.index))], limit=limit, hidden=small).items() if state} if small and small < set(n.index) else small
    return gone


def _earlier(programme, survey, item, asked) -> dict:
    """The waves to compare with: none across a change that makes answers incomparable; where the last wave is last year's it is told once, as last year."""
    now, breaks = asked[-1], [wave.quarter for wave, _ in programme.breaks(survey, item)]
    start = max([quarter for quarter in breaks if quarter <= now.quarter], default="")
    before = [wave for wave in asked[:-1] if wave.quarter >= start]
    found = {"last wave": before[-1]} if before else {}
    year = [wave for wave in before if wave.quarter == quarters.back(now.quarter, 4)]
    if year:
        found = {name: wave for name, wave in found.items() if wave.id != year[-1].id} | {"last year": year[-1]}
    return found


def _side(answers, wave, item, fields, drawn):
    """One wave: its frame, its design, the masks of its columns, and the values of the rows."""
    frame = answers[answers["wave"] == wave].reset_index(drop=True)
    options = {**drawn.options, "population": drawn.universe.get(wave)} if drawn and wave in drawn.waves else {}
    sample = design.units(frame, **options)
    there = frame[item.id].notna().to_numpy()
    masks = {("", TOTAL): there}
    for field, _, labels, values in fields:
        named = frame[field].astype("str").replace(labels).where(frame[field].notna())
        masks |= {(field, value): there & (named == value).fillna(False).to_numpy(dtype=bool) for value in values}
    return {"frame": frame, "sample": sample, "masks": masks}


def _rows(programme, item, frame) -> list[tuple[str, str, np.ndarray]]:
    """The rows of an item: (label, kind, value of each answer); percents are 0 or 100."""
    values = frame[item.id]
    if item.kind == "nominal":
        words = list(dict.fromkeys([*item.labels.values(), *sorted(values.dropna().astype(str).unique())]))
        return [(word, "answer", 100.0 * (values.astype(str) == word).to_numpy()) for word in words]
    score = values.to_numpy(dtype=float)
    if item.kind == "number" or item.scale is None:
        return [("Mean", "mean", score)]
    scale = programme.scales[item.scale]
    points = np.arange(scale.low, scale.high + 1) if scale.high - scale.low <= 10 and scale.low == int(scale.low) else []
    ends = {scale.low: scale.low_label, scale.high: scale.high_label}
    rows = [(f"{point:g}{f' {ends[point]}' if ends.get(point) else ''}", "answer", 100.0 * (score == point)) for point in points]
    net = lambda name, low, high: (f"{name} ({low:g}-{high:g})", "net", 100.0 * ((score >= low) & (score <= high)))
    nps = next((kpi for kpi in programme.kpis if kpi.item == item.id and kpi.definition == "nps_0_10"), None)
    if len(points) >= 4 and not nps:
        rows += [net("Top 2", scale.high - 1, scale.high), net("Bottom 2", scale.low, scale.low + 1)]
    if nps:
        rows += [net("Promoters", 9, 10), net("Passives", 7, 8), net("Detractors", 0, 6), ("Net Promoter Score", "points", metrics.definition_of("nps_0_10").value(score))]
    return [*rows, ("Mean", "mean", score)]


def _item_table(programme, survey, item, fields, sides) -> pd.DataFrame:
    now, least = sides["now"], programme.limits.text_base
    rows = {name: {label: (kind, values) for label, kind, values in _rows(programme, item, side["frame"])} for name, side in sides.items()}
    words = {field: label for field, label, *_ in fields} | {"": TOTAL}
    letters, made = _letters(now["masks"]), []
    weight, masks = now["sample"].weight, now["masks"]
    for key, mask in masks.items():
        w, squared = weight[mask].sum(), now["sample"].weight_sq[mask].sum()
        for kind, label, size in (("unweighted", "Base, unweighted", mask.sum()), ("weighted", "Base, weighted", w), ("effective", "Effective base", w**2 / squared if squared > 0 else 0.0)):
            made.append((label, kind, *key, letters[key], int(mask.sum()), float(size), np.nan, "", "", ""))
    for label, (kind, values) in rows["now"].items():
        for key, mask in masks.items():
            w = weight[mask].sum()
            if not w > 0:
                made.append((label, kind, *key, letters[key], 0, np.nan, np.nan, "", "", ""))
                continue
            n = int((values[mask] != 0).sum()) if kind in ("answer", "net") else int(mask.sum())
            low = w**2 / now["sample"].weight_sq[mask].sum() < least
            rest = np.any([other for (field, value), other in masks.items() if field == key[0] and (field, value) != key], axis=0) if key[0] and sum(field == key[0] for field, _ in masks) > 1 else None
            mean = float((weight[mask] * values[mask]).sum() / w)
            p, own = (np.nan, "") if rest is None or low else _against(now["sample"], values, mask, rest, letters[key], least, kind in ("answer", "net"))
            marks = "" if low else "".join(_moved(now, sides[name], values, rows[name].get(label, (kind, None))[1], key, MARKS[name], least, kind in ("answer", "net")) for name in MARKS if name in sides)
            made.append((label, kind, *key, letters[key], n, mean, p, own, marks, "low base" if low else ""))
    found = pd.DataFrame(made, columns=["row", "kind", "field", "column", "letter", "n", "estimate", "p", "letters", "marks", "flag"]).assign(item=item.id, wording=item.wording, banner=lambda rows: rows["field"].map(words))
    return _protected(found, cells.limit(programme, survey), [kind for kind, _ in rows["now"].values()])


def _letters(masks) -> dict:
    name = lambda place: (ascii_uppercase[place // 26 - 1] if place >= 26 else "") + ascii_uppercase[place % 26]
    return {("", TOTAL): ""} | {key: name(place) for place, key in enumerate(list(masks)[1:])}


def _influence(sample, values, mask):
    w = (sample.weight * mask).sum()
    return np.where(mask, values - (sample.weight * np.where(mask, values, 0)).sum() / w, 0.0) / w if w > 0 else None


def _thin(sample, values, mask) -> float:
    """What the variance of a percentage lacks where next to nobody, or everybody, says so: one answer added at each end (Agresti & Caffo 2000), where that is a tenth more."""
    w, squared = sample.weight[mask].sum(), sample.weight_sq[mask].sum()
    m, share = w**2 / squared, (sample.weight[mask] * values[mask]).sum() / w / 100
    plain, raised = share * (1 - share) / m, (share * m + 1) / (m + 2)
    floor = raised * (1 - raised) / m
    return 1e4 * (floor - plain) if floor > 1.1 * plain else 0.0


def _against(sample, values, mask, rest, letter: str, least: float, share: bool) -> tuple[float, str]:
    """Test a column against the rest of its banner: p, and its letter where it survives at 5 %."""
    if not rest.any() or sample.weight[rest].sum() ** 2 / max(sample.weight_sq[rest].sum(), 1e-300) < least:
        return np.nan, ""
    values = np.nan_to_num(np.asarray(values, dtype=float))
    y = _influence(sample, values, mask) - _influence(sample, values, rest)
    gap = np.average(values[mask], weights=sample.weight[mask]) - np.average(values[rest], weights=sample.weight[rest])
    extra = _thin(sample, values, mask) + _thin(sample, values, rest) if share else 0.0
    error, (df, raised) = np.sqrt(design.variance(sample, y) + extra), design.freedom(sample, mask | rest, y)
    if not error > 0:
        return np.nan, ""
    p = float(2 * stats.t.sf(abs(gap) / (error * np.sqrt(raised)), df))
    return p, (letter if gap > 0 else letter.lower()) if p < ALPHA else ""


def _moved(now, then, values, before, key, marks, least: float, share: bool) -> str:
    """Test a cell against the same cell of an earlier wave, with what people who answered in both share."""
    if before is None or key not in then["masks"] or not then["masks"][key].any():
        return ""
    sides = []
    for side, own in ((now, values), (then, before)):
        sample, mask = side["sample"], side["masks"][key]
        if sample.weight[mask].sum() ** 2 / sample.weight_sq[mask].sum() < least:
            return ""
        own = np.nan_to_num(np.asarray(own, dtype=float))
        y = _influence(sample, own, mask)
        sides.append((np.average(own[mask], weights=sample.weight[mask]), design.variance(sample, y) + (_thin(sample, own, mask) if share else 0.0), design.freedom(sample, mask)[0], pd.Series(sample.weight * design.residuals(sample, y)).groupby(side["frame"]["person_id"].to_numpy()).sum()))
    (a, va, da, ia), (b, vb, db, ib) = sides
    both = ia.index.intersection(ib.index)
    variance = va + vb - 2 * float((ia[both] * ib[both]).sum())
    if not variance > 0:
        return ""
    df = (va + vb) ** 2 / (va**2 / da + vb**2 / db)
    p = 2 * stats.t.sf(abs(a - b) / np.sqrt(variance), df)
    return marks[0 if a > b else 1] if p < ALPHA else ""


def _protected(found: pd.DataFrame, limit: int, kinds) -> pd.DataFrame:
    """Withhold small cells of each banner with their complements, and in columns that hold one the nets, means and points that would give it away."""
    if limit <= 1:
        return found
    gone, answers = pd.Series(False, index=found.index), found["kind"] == "answer"
    for field in [one for one in found["field"].unique() if one] or [""]:
        own = found[answers & (found["field"] == field)]
        if own.empty:  # a mean alone: its base decides
            gone |= (found["field"] == field) & found.groupby(["field", "column"])["n"].transform("max").lt(limit)
            continue
        n, sums = cells.table(own, keys=["row", "column"])
        state = cells.protect(n, sums, limit=limit)
        hidden = {cell for cell, why in zip(state.index, state) if why}
        names = [(row if kind == "answer" else cells.ALL, cells.ALL if column == TOTAL and not side else column) for row, kind, side, column in zip(found["row"], found["kind"], found["field"], found["column"])]
        here = (found["field"] == field) | (found["field"] == "")
        columns = {column for _, column in hidden}
        single = pd.Series([name in hidden if kind in ("answer", "unweighted", "weighted", "effective") else name[1] in columns for name, kind in zip(names, found["kind"])], index=found.index)
        gone |= here & single
    return found.assign(**{name: found[name].astype("float64").mask(gone) for name in ("n", "estimate", "p")}, letters=found["letters"].mask(gone, ""), marks=found["marks"].mask(gone, ""), flag=found["flag"].mask(gone, cells.WITHHELD))


def sheet(found: pd.DataFrame) -> pd.DataFrame:
    """Return a crosstab as people read it: a block of rows for each item, and for each column its figure and its letters and marks."""
    heads = found.drop_duplicates(["field", "column"])[["field", "banner", "column", "letter"]]
    rows = []
    for (item, wording), own in found.groupby(["item", "wording"], sort=False):
        for at, (row, part) in enumerate(own.groupby("row", sort=False)):
            line, part = [f"{wording} [{item}]" if not at else None, row], part.set_index(["field", "column"])
            for key in zip(heads["field"], heads["column"]):
                one = part.loc[key]
                digits = 0 if one["kind"] in ("unweighted", "weighted", "effective", "points") else 2 if one["kind"] == "mean" else 1
                shown = round(float(one["estimate"]), digits) if np.isfinite(one["estimate"]) else "withheld" if one["flag"] == cells.WITHHELD else "-"
                line += [int(shown) if digits == 0 and not isinstance(shown, str) else shown, " ".join(filter(None, [one["letters"], one["marks"], "*" if one["flag"] == "low base" else ""])) or None]
            rows.append(line)
        rows.append([None] * (2 + 2 * len(heads)))
    names = [part for head in heads.itertuples() for part in ((f"{head.banner}: {head.column} ({head.letter})", f"{head.letter}: marks") if head.letter else (head.column, "marks"))]
    return pd.DataFrame(rows, columns=["Question", "Row", *names], dtype=object)


def about(found: pd.DataFrame, programme, survey: str) -> pd.DataFrame:
    """Return what a reader of the table must know, a line a row."""
    tests = int(found["p"].notna().sum())
    said = [
        f"{programme.name}, {programme.label(survey)}, {', '.join(dict.fromkeys(found['quarter']))}.",
        "Figures are weighted percentages of those who answered the question; means are in scale units, the Net Promoter Score in points.",
        "Base, unweighted: answers. Base, weighted: sum of their weights. Effective base: answers of equal weight that would be as precise (Kish).",
        "A capital letter: the column lies above the rest of its banner; a small letter: below. Each column is tested against all others of its banner together, at 5 %, under the survey's design.",
        f"{tests:,} such tests were made; about {tests * ALPHA:,.0f} letters would stand here though no group differed." if tests else "No column could be tested.",
        "▲ ▼: higher or lower than in the last wave; △ ▽: than last year, at 5 %. No mark stands across a change of question or mode.",
        f"*: fewer than {programme.limits.text_base} effective answers; not tested. withheld: too few answers of an anonymous survey, or needed to hide such a cell.",
    ]
    return pd.DataFrame({"About this table": said})


def target(path: Path) -> Path:
    """Return the file to write to if it can be written."""
    path = Path(path)
    if path.suffix.lower() not in (".xlsx", ".sav"):
        raise UsageError(f"--to {path}: name a file that ends in .xlsx or .sav.")
    if path.exists():
        raise UsageError(f"{path} is there already; name another file. Nothing was written.")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder; make it first. Nothing was written.")
    return path


def write(found: pd.DataFrame, path: Path, *, programme, survey: str) -> None:
    """Write a crosstab as XLSX (the table and what it means) or as SPSS (.sav: a row a cell, every code with its label).

    Raises UsageError for another ending, a file that is there already, or a folder that is not.
    """
    path = target(path)
    part = path.with_name(f".{path.name}.part")
    try:
        spreadsheets.workbook({"Table": sheet(found), "About": about(found, programme, survey)}, part) if path.suffix.lower() == ".xlsx" else _spss(found, part, programme)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _spss(found: pd.DataFrame, path: Path, programme) -> None:
    import pyreadstat

    labels, shown = {}, {}
    for name, words in (("item", found["wording"]), ("row", found["row"]), ("kind", found["kind"]), ("field", found["banner"]), ("column", found["column"])):
        codes, values = pd.factorize(words)
        shown[name], labels[name] = (codes + 1).astype(float), {float(code): str(word)[:120] for code, word in enumerate(values, start=1)}
    frame = pd.DataFrame(shown | {name: found[name].astype(float) for name in ("estimate", "n", "p")} | {name: found[name].astype(str) for name in ("letter", "letters", "marks", "flag")})
    names = {"item": "Question", "row": "Answer, net or statistic", "kind": "What the figure is", "field": "Banner", "column": "Group", "estimate": "Figure: percent, mean, points or base", "n": "Answers in the cell", "p": "p against the rest of the banner", "letter": "Letter of the column", "letters": "Own letter: capital above the rest, small below", "marks": "Filled: against last wave; hollow: last year", "flag": "low base or withheld"}
    pyreadstat.write_sav(frame, str(path), column_labels=names, variable_value_labels=labels, file_label=programme.name[:60])
    data = bytearray(path.read_bytes())
    data[92:109] = b"01 Jan 0000:00:00"  # when it was made: the same table gives the same bytes
    path.write_bytes(data)
