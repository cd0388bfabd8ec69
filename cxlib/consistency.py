"""Whether the parts of a programme agree: what one of them names, another declares."""

import re
import zoneinfo
from pathlib import Path

from cxlib.errors import nearest
from cxlib.programme import PUBLISHED, RESERVED
from cxlib.questionnaire import RESPONSE_FIELDS, Wave


def sentences(p):
    """Yield a sentence for each name that leads nowhere, each thing declared twice, and each promise that could not be kept."""
    if not p.waves and not p.sources and not p.published:
        yield "nothing is declared to read: add a survey with its [[surveys]], [[waves]] and [[items]], or another file as [[sources]]; `cx init FILES --to FOLDER` drafts them."
    for part in (_twice, _settings, _waves, _items, _coded, _designs, _kpis, _drivers, _constructs, _published, _files):
        yield from part(p)


def _twice(p):
    """Sentences for what is declared twice."""
    for group, name in ((p.surveys, "survey"), (p.items, "item"), (p.kpis, "KPI"), (p.segments, "segment"), (p.units, "unit")):
        ids = [one.id for one in group]
        yield from (f"the {name} '{one}' is declared twice." for one in sorted({one for one in ids if ids.count(one) > 1}))


def _settings(p):
    """Sentences for what stands alone in the programme: zone, quarters, what was accepted, holdout, patterns, staff."""
    surveys = {one.id for one in p.surveys}
    if not _known_zone(p.timezone):
        yield f"'timezone' = '{p.timezone}' is not a known zone; write it like Europe/Berlin."
    for one in p.reported:
        if not re.fullmatch(r"[0-9]{4}Q[1-4]", one):
            yield f"'reported' names '{one}', which is no quarter; write it like 2026Q3."
    for one in p.accepted:
        waves = {wave.id for wave in p.waves if one.survey in ("", wave.survey)}
        if one.survey and one.survey not in surveys:
            yield f"[[accepted]] names the survey '{one.survey}', which is not declared{nearest(one.survey, surveys)}."
        if one.wave and one.wave not in waves:
            yield f"[[accepted]] names the wave '{one.wave}', which is not declared{nearest(one.wave, waves)}."
    if p.holdout.share == 0 and len(p.holdout.reason.strip()) < 8:
        yield "'holdout.share' = 0 needs a reason in holdout.reason: without customers left alone by lot, what acting on a list did can never be known."
    for pattern in p.privacy.numbers:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"privacy.numbers: '{pattern}' is no regular expression ({error})."
    if p.staff.level == "person" and not p.staff.agreement:
        yield "staff.level = 'person' needs staff.agreement, the agreement that allows persons to be shown."


def _waves(p):
    """Sentences for waves of no survey, out of their quarter or with columns that nobody asked for."""
    surveys, seen = {one.id for one in p.surveys}, set()
    for wave in p.waves:
        if wave.survey not in surveys:
            yield f"wave '{wave.id}' belongs to a survey '{wave.survey}' that is not declared{nearest(wave.survey, surveys)}."
            continue
        if (wave.survey, wave.id) in seen:
            yield f"wave '{wave.id}' of survey '{wave.survey}' is declared twice."
        seen.add((wave.survey, wave.id))
        if wave.last < wave.first:
            yield f"wave '{wave.id}' ends on {wave.last}, before its first day {wave.first}."
        elif p.quarter_of(wave.last) != wave.quarter:
            yield f"wave '{wave.id}' is put into {wave.quarter}, but its last day {wave.last} lies in {p.quarter_of(wave.last)}."
        known = {*RESPONSE_FIELDS, *(item.id for item in p.asked(wave.survey))}
        for name in {**wave.columns, **p.survey(wave.survey).columns}:
            if name not in known:
                yield f"the columns of wave '{wave.id}' name '{name}', which is neither a field nor an item of survey '{wave.survey}'{nearest(name, known)}."
        if p.survey(wave.survey).dated_by != "fieldwork_close" and not p.column(wave, "answered_on"):
            yield f"survey '{wave.survey}' is dated by the {p.survey(wave.survey).dated_by}, but wave '{wave.id}' names no column for answered_on."


def _items(p):
    """Sentences for items without a scale or a survey, for filters that lead nowhere, and for units that nothing tells apart."""
    surveys, items = ({one.id for one in group} for group in (p.surveys, p.items))
    for item in p.items:
        if item.id in RESERVED:
            yield f"the item '{item.id}' has the name of a field; choose another."
        if item.kind == "rating" and item.scale not in p.scales:
            yield f"the rating '{item.id}' needs a scale that is declared, not '{item.scale}'{nearest(item.scale, p.scales)}."
        yield from (f"the item '{item.id}' names a survey '{s}' that is not declared{nearest(s, surveys)}." for s in item.surveys if s not in surveys)
        if item.asked_if and item.asked_if.item not in items:
            yield f"the item '{item.id}' depends on '{item.asked_if.item}', which is not declared{nearest(item.asked_if.item, items)}."
    yield from _circles({item.id: item.asked_if.item for item in p.items if item.asked_if})
    known = {*RESPONSE_FIELDS, *(item.id for item in p.items if item.kind == "nominal")} - {"response_id", "weight", "answered_on", "person_id"}
    for one in p.units:
        if one.field not in known:
            yield f"the unit '{one.id}' is told by '{one.field}', which is neither a field of the answers nor a nominal item{nearest(one.field, known)}."


def _coded(p):
    """Sentences for questions whose answers came back as codes of a dictionary."""
    surveys, items, ids = {one.id for one in p.surveys}, {item.id: item for item in p.items}, [one.id for one in p.coded]
    for one in p.coded:
        if one.survey not in surveys:
            yield f"the coded question '{one.id}' belongs to a survey '{one.survey}' that is not declared{nearest(one.survey, surveys)}."
        for name in one.items:
            if name not in items:
                yield f"the coded question '{one.id}' names an item '{name}' that is not declared{nearest(name, items)}."
            elif items[name].kind != "nominal" or items[name].labels:
                yield f"the item '{name}' holds codes of '{one.id}', whose words stand in {one.dictionary}: declare it nominal and without labels."
        if Path(one.dictionary).name != one.dictionary or not one.dictionary.lower().endswith(".csv"):
            yield f"the coded question '{one.id}' names a dictionary '{one.dictionary}'; put a CSV file beside programme.toml and name it without a folder."
        if one.id in items or ids.count(one.id) > 1:
            yield f"the coded question '{one.id}' has the name of another question; choose its own."


LOW = ("ces_1", "bottom2_of_5", "share_0_1")  # definitions that hold whichever end is the good one


def _kpis(p):
    """Sentences for key figures that are made from nothing, or are too many to be headlines."""
    surveys, items = ({one.id for one in group} for group in (p.surveys, p.items))
    for kpi in p.kpis:
        if kpi.item not in items:
            yield f"the KPI '{kpi.id}' is made from '{kpi.item}', which is not an item{nearest(kpi.item, items)}."
        elif kpi.id in items and kpi.id != kpi.item:
            yield f"the KPI '{kpi.id}' has the name of an item that it is not made from; pages could not tell the two apart: give it another."
        elif p.item(kpi.item).kind != "rating":
            yield f"the KPI '{kpi.id}' is made from '{kpi.item}', which is not a rating."
        elif p.direction(p.item(kpi.item)) == "low_is_good" and kpi.definition not in LOW:
            scale = p.scales[p.item(kpi.item).scale]
            turned = ", ".join(f'{code:g} = "{scale.low + scale.high - code:g}"' for code in (scale.low, scale.low + 1)) + ", ..."
            yield f"the KPI '{kpi.id}' counts high scores as the good ones ({kpi.definition}), and of '{kpi.item}' the low ones are: give it a scale of its own whose labels turn the scores on loading (labels = {{{turned}}}), without low_is_good."
        yield from (f"the KPI '{kpi.id}' names a survey '{s}' that is not declared{nearest(s, surveys)}." for s in kpi.surveys if s not in surveys)
    if sum(kpi.primary for kpi in p.kpis) > 10:
        yield "more than ten KPIs are primary; headline tests lose their meaning: set primary = false for some."


def _drivers(p):
    """Sentences for driver models of what is not declared."""
    surveys, items, kpis = ({one.id for one in group} for group in (p.surveys, p.items, p.kpis))
    for model in p.drivers:
        yield from (f"the drivers name a KPI '{k}' that is not declared{nearest(k, kpis)}." for k in model.kpis if k not in kpis)
        yield from (f"the drivers name an item '{i}' that is not declared{nearest(i, items)}." for i in (*model.items, *model.stated, *model.stated.values(), *model.picks) if i not in items)
        if model.survey not in surveys:
            yield f"the drivers belong to a survey '{model.survey}' that is not declared{nearest(model.survey, surveys)}."


def _files(p):
    """Sentences for waves and sources that name no place to read from, or one they may not."""
    for one in (*p.waves, *p.sources):
        if bool(one.file) == bool(one.database):
            where = f"wave '{one.id}'" if isinstance(one, Wave) else f"the source of '{one.table}'"
            yield f"{where} needs either 'file' or 'database', and {'has both' if one.file else 'has neither'}."
        elif one.database and not one.database_table:
            yield f"the database '{one.database.split('://')[0]}' needs 'database_table', e.g. survey.annual_2026."
        parts = getattr(one, "parts", ())
        for name in (one.file, *parts, *(join.file for join in one.joins)):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                yield f"the file '{name}' leaves the raw folder; name files below it."
        if parts and not one.file:
            yield f"wave '{one.id}' names 'parts' without a first 'file'."
        yield from (f"wave '{one.id}' names the file '{name}' twice." for name in dict.fromkeys(parts) if (one.file, *parts).count(name) > 1)
        if one.timezone and not _known_zone(one.timezone):
            yield f"'timezone' = '{one.timezone}' of '{one.named}' is not a known zone; write it like Europe/Berlin."


def _constructs(p):
    """Sentences for indices and gaps whose questions, constructs or scales do not fit."""
    surveys, ratings = {one.id for one in p.surveys}, {item.id: item for item in p.items if item.kind == "rating"}
    for one in p.indices:
        what, known = f"the index '{one.id}'", set(one.constructs)
        asked = [item for items in one.constructs.values() for item in items]
        named = {"headline": (one.headline,), "formed": one.formed, "depends": (*one.depends, *(name for sources in one.depends.values() for name in sources))}
        if one.survey not in surveys:
            yield f"{what} is of a survey '{one.survey}' that is not declared{nearest(one.survey, surveys)}."
        yield from (f"{what}: the construct '{name}' has no items; name at least one." for name, items in one.constructs.items() if not items)
        yield from (f"{what} names '{item}', which is not a rating{nearest(item, ratings)}." for item in dict.fromkeys(asked) if item not in ratings)
        yield from (f"{what} names '{item}', which was asked only of some (asked_if): what was not asked would count as missing." for item in dict.fromkeys(asked) if item in ratings and ratings[item].asked_if)
        yield from (f"{what} names the item '{item}' twice; a question measures one construct." for item in sorted({item for item in asked if asked.count(item) > 1}))
        yield from (f"'{key}' of {what} names '{name}', which is none of its constructs{nearest(name, known)}." for key, names in named.items() for name in dict.fromkeys(names) if name not in known)
        if one.headline in known and not one.depends.get(one.headline):
            yield f"{what}: its headline '{one.headline}' depends on nothing; name in 'depends' what it goes with."
        waiting = {name: set(sources) for name, sources in one.depends.items()}
        while ready := [name for name, sources in waiting.items() if not sources & set(waiting)]:
            for name in ready:
                del waiting[name]
        if waiting:
            yield f"{what}: its constructs depend on each other in a circle ({', '.join(waiting)}); take one of the arrows out."
    for one in p.gaps:
        if one.survey not in surveys:
            yield f"the gaps are of a survey '{one.survey}' that is not declared{nearest(one.survey, surveys)}."
        for name, pairs in one.dimensions.items():
            if not pairs:
                yield f"the gaps' dimension '{name}' has no pairs of items; name at least one."
            for pair in pairs.items():
                yield from (f"the gaps' dimension '{name}' names '{item}', which is not a rating{nearest(item, ratings)}." for item in pair if item not in ratings)
                if set(pair) <= set(ratings) and ratings[pair[0]].scale != ratings[pair[1]].scale:
                    yield f"the gaps' dimension '{name}' takes '{pair[1]}' from '{pair[0]}', which are on different scales; a gap needs one."


def _published(p):
    """Sentences for files of published figures that could not be read."""
    for one in p.published:
        if Path(one.file).is_absolute() or ".." in Path(one.file).parts:
            yield f"the file '{one.file}' leaves the raw folder; name files below it."
        for name in (*one.columns, *one.fixed):
            if name not in PUBLISHED:
                yield f"the published figures of '{one.file}' name '{name}', which is none of their columns{nearest(name, PUBLISHED)}."


def _known_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, or too long for a file
        return False
    return True


def _designs(p):
    """Sentences for weights and clusters that nothing could be made of."""
    for survey in p.surveys:
        yield from _design(p, survey)


def _design(p, survey):
    known = {*RESPONSE_FIELDS, *(item.id for item in p.asked(survey.id) if item.kind != "verbatim")} - {"response_id", "weight"}
    people = "link" in survey.uses and any(source.table == "people" for source in p.sources)
    for key, name in (("cluster", survey.cluster), ("strata", survey.strata)):
        if name and name not in known:
            yield f"'{key}' of survey '{survey.id}' is '{name}', which is neither a field nor an item of it{nearest(name, known)}."
        elif name in ("person_id", "account_id") and "link" not in survey.uses:
            yield f"'{key}' of survey '{survey.id}' is '{name}', which its answers do not keep, because its promise does not permit linking: permit it, or name another column."
    margins = [one.field for one in survey.rake.margins] if survey.rake else []
    yield from (f"the margin '{name}' of survey '{survey.id}' is named twice." for name in sorted({one for one in margins if margins.count(one) > 1}))
    for name in margins:
        if name not in known and not people:
            yield f"the margin '{name}' of survey '{survey.id}' is neither a field nor an item of it{nearest(name, known)}; a column of the people table serves where answers may be linked."
    if survey.universe == "frame" and not any(source.table == "people" for source in p.sources):
        yield f"survey '{survey.id}' counts its universe in the frame, but no source fills the people table: give a number."


def _circles(leads: dict[str, str]):
    """A sentence for the first circle among filters: nobody could ever reach such a question."""
    for start in leads:
        path = [start]
        while (before := leads.get(path[-1])) and before not in path:
            path.append(before)
        if before:
            yield f"the filters (asked_if) go in a circle: {' <- '.join([*path[path.index(before):], before])}; take one of them out."
            return
