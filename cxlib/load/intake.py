"""Raw files against the contract: rows that fit, rows that repeat another, rows set aside with a sentence for each bad cell."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib import schema
from cxlib.errors import DataError, nearest
from cxlib.load import amounts, answers, currencies, readers, repeats, rows, typed
from cxlib.load.readers import codes as distinct
from cxlib.load.rules import Rules, suggestion
from cxlib.programme import Programme, Reading, Source, Wave

OFTEN = typed.OFTEN


class Intake(NamedTuple):
    """One wave or file taken in: its clean rows, the counts, the repair list, and why answers are missing."""

    frame: pd.DataFrame
    verbatims: pd.DataFrame  # comments by the place of their answer in the frame
    files: list[dict]
    repairs: pd.DataFrame
    coverage: pd.DataFrame
    identifiers: pd.DataFrame = pd.DataFrame()  # of the kept rows, in memory only


def wave(programme: Programme, wave: Wave) -> Intake:
    """Return one wave of a survey whole; for waves that fit into memory (see `wave_parts`)."""
    return whole(wave_parts(programme, wave))


def source(programme: Programme, source: Source) -> Intake:
    """Return one file of another table whole; for files that fit into memory (see `source_parts`)."""
    return whole(source_parts(programme, source))


def whole(parts) -> Intake:
    """Return the parts of a file as one: rows below each other, counts added."""
    parts = list(parts)
    frames, before = {name: plain(stack([getattr(one, name) for one in parts])) for name in ("frame", "repairs", "identifiers")}, np.cumsum([0, *(len(one.frame) for one in parts)])
    frames["verbatims"] = plain(stack([one.verbatims.assign(at=one.verbatims["at"] + start) if len(one.verbatims) else one.verbatims for one, start in zip(parts, before)]))
    return Intake(**frames, files=added([file for one in parts for file in one.files]), coverage=counted([one.coverage for one in parts]))


def added(files: list[dict]) -> list[dict]:
    """Return the counts of each file from those of its parts."""
    whole = {}
    for one in files:
        before = whole.get(one["file"])
        whole[one["file"]] = before | {name: before[name] + one[name] for name in ("rows", "kept", "quarantined", "duplicates", "trimmed")} if before else one
    return list(whole.values())


def counted(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the coverage of a wave from that of its parts."""
    frame = stack(parts)
    return frame.groupby([name for name in frame if name != "rows"], as_index=False, sort=True).sum() if len(frame) else frame


def stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames below each other; those without columns or rows say nothing."""
    frames = [frame for frame in frames if len(frame.columns)]
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(map(plain, frames), ignore_index=True) if len(frames) > 1 else frames[0] if frames else pd.DataFrame()


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its categories as text."""
    return frame.astype({name: readers.raw.TEXT for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)})


def wave_parts(programme: Programme, wave: Wave, opened: dict | None = None):
    """Yield one wave of a survey in parts, each row kept whole, repeated, or set aside whole.

    A row with one cell that breaks the contract is set aside whole, because such a cell often means that the row has shifted.
    Rows in the file = kept + quarantined + duplicates. `opened` is kept from one wave to the next, so that a file of several is opened once. Raises DataError where
    a column is missing or a number is ambiguous.
    """
    read, files = rows.of_wave(programme, wave, opened)
    survey = programme.survey(wave.survey)
    items = [item for item in programme.asked(survey.id) if programme.column(wave, item.id)]
    fields = {name: column for name in ("response_id", *(f for f in schema_fields() if f != "response_id")) if (column := programme.column(wave, name))}
    columns = fields | {item.id: programme.column(wave, item.id) for item in items}
    needed = [*columns.values()]
    if "link" in survey.uses:
        needed += wave.identify.values()
    asked = {item.id: item for item in items}
    dated, texts = survey.dated_by != "fieldwork_close", [item for item in items if item.kind == "verbatim"]
    for file, names in files.items():
        _present(file, names, needed, f"wave '{wave.id}'")

    def parse(reader, name: str):
        return reader.item(asked[name], columns[name]) if name in asked else reader.field(name, columns[name])

    for raw, parsed, equal, twice in _parsed(wave, programme, read, columns, parse, key="response_id"):
        rules = Rules(parsed)
        rules.put("response_id", parsed["response_id"].missing != "", "no id")
        if "weight" in parsed:
            rules.put("weight", parsed["weight"].missing != "", "no weight")
        for name in ("response_id", *(("person_id", "account_id") if "link" in survey.uses else ())):
            if name in parsed and fields[name] in raw.frame:
                rules.join(name, answers.no_keys(raw.frame[fields[name]], own=name == "response_id"))
        if dated:
            moments = np.asarray(parsed["answered_on"].values)
            outside = (moments < np.datetime64(wave.first)) | (moments >= np.datetime64(wave.last) + 1)
            rules.put("answered_on", outside, f"outside the wave's days {wave.first} to {wave.last}")
            rules.put("answered_on", parsed["answered_on"].missing != "", "not a date (the cell is empty)")
        rules.put("response_id", twice, "the same id as another row with other answers")
        rules.header(raw, columns)
        bad = rules.broken(len(raw.frame))
        kept = ~equal & ~bad
        own = slice(None) if kept.all() else kept
        frame = _dated(pd.DataFrame({name: parsed[name].values[own] for name in columns}, copy=False), programme, wave, dated).assign(_row=raw.places()[own])
        # An answer given under a promise that does not permit linking never carries the key, or what identifies its person, by which it could be linked.
        if "link" in survey.uses:
            identifiers = _identifiers(wave, raw, kept)
        else:
            identifiers = pd.DataFrame()
            frame = frame.drop(columns=[name for name in ("person_id", "account_id") if name in frame])
        quarter = frame["quarter"] if len(frame) else wave.quarter
        yield Intake(
            frame=frame.drop(columns=[item.id for item in texts]),
            verbatims=_verbatims(frame, texts),
            files=[_file(raw.source or wave.named, "responses", f"{survey.id} {wave.id}", wave.quarter, raw, kept, ~equal & bad, equal, parsed)],
            repairs=_repairs(raw.source or wave.named, wave.quarter, raw, rules, columns, equal),
            coverage=_coverage(programme, wave, items, parsed, raw, kept, quarter),
            identifiers=identifiers,
        )


def schema_fields() -> list[str]:
    """Return the fields of a response that a file may carry, in the order of the table."""
    made = {"answer", "survey", "wave", "quarter", "week", "base_weight"}
    return [column.name for column in schema.TABLES["responses"] if column.name not in made]


def source_parts(programme: Programme, source: Source, opened: dict | None = None):
    """Yield one file of another table in parts, under the table's own columns; rows without what the table needs are set aside. `opened` as in `rows.of_source`."""
    read, files = rows.of_source(programme, source, opened)
    first, wanted = next(iter(files.values())), {one.name: one for one in schema.TABLES[source.table]}
    for name in source.columns | source.fixed | source.values:
        if name not in wanted:
            raise DataError(f"{programme.folder / 'programme.toml'}: source '{source.named}' names '{name}', which is no column of '{source.table}'{nearest(name, wanted)}.")
    columns = {name: source.columns.get(name, name) for name in wanted if name not in source.fixed}
    columns = {name: column for name, column in columns.items() if name in source.columns or column in first or wanted[name].required}
    _present(source.named, first, [*columns.values(), *source.identify.values()], f"the table '{source.table}'")
    key = next(iter(columns)) if next(iter(wanted)).endswith("_id") and next(iter(wanted)) in columns and source.table != "actions" else None

    money = currencies.MONEY.get(source.table, ("", ()))[1]

    def parse(reader, name: str):
        return reader.amount(columns[name]) if name in money else reader.typed(columns[name], wanted[name].type, source.values.get(name))

    for raw, parsed, equal, twice in _parsed(source, programme, read, columns, parse, key=key):
        rules = Rules(parsed)
        for name, one in parsed.items():
            if wanted[name].required:
                rules.put(name, one.missing != "", f"no id ({name})" if name.endswith("_id") else f"not a date ({name} is empty)" if wanted[name].type in ("date", "moment") else f"{name} is empty")
        if money and "currency" in parsed:
            said = pd.Series(parsed["currency"].values, dtype=object)
            rules.put("currency", (said.notna() & ~said.astype("str").str.strip().str.upper().isin(amounts.CODES)).to_numpy(dtype=bool), "no currency")
        for name in set(money) & set(columns):
            rules.join(name, amounts.foreign(raw.frame[columns[name]], _own(parsed, source, programme)))
        for name in columns:
            if name.endswith("_id"):
                rules.join(name, answers.no_keys(raw.frame[columns[name]], own=name == key))
        if key:
            rules.put(key, twice, "the same id as another row with other content")
        rules.header(raw, columns)
        bad = rules.broken(len(raw.frame))
        kept = ~equal & ~bad
        yield Intake(
            frame=_own_money(pd.DataFrame({name: parsed[name].values[kept] for name in columns}, copy=False).assign(**source.fixed), programme, source),
            verbatims=pd.DataFrame(),
            files=[_file(source.named, source.table, "", "", raw, kept, ~equal & bad, equal, parsed)],
            repairs=_repairs(source.named, "", raw, rules, columns, equal),
            coverage=pd.DataFrame(),
            identifiers=_identifiers(source, raw, kept),
        )


def _own(parsed: dict, source: Source, programme: Programme):
    """The currency of each row: what its column says, else what is said of the file, else the programme's."""
    one = str(source.fixed.get("currency") or programme.currency).strip().upper()
    return one if "currency" not in parsed else pd.Series(parsed["currency"].values, dtype=object).fillna(programme.currency).astype(str).str.strip().str.upper().to_numpy(dtype=object)


def _own_money(frame: pd.DataFrame, programme: Programme, source: Source) -> pd.DataFrame:
    return currencies.converted(frame, programme, file=source.named, table=source.table) if source.table in currencies.MONEY else frame


def _parsed(reading: Reading, programme: Programme, read, columns: dict, parse, *, key: str | None):
    """Yield each part of a file with its columns parsed and which rows repeat others of the file.

    A number that is ambiguous is told last, when it is known that no column before its own has one.
    """
    ids = (lambda raw: parse(typed.Reader(reading, raw, programme), key).values) if key else None
    equal, twice = repeats.found(read, ids=ids)
    names, start, doubt, known = list(columns), 0, None, {}

    def told(column: str) -> amounts.Notation:
        if column not in known:
            known[column] = amounts.notation(cell for part in read() for cell in distinct.of(part.frame[column])[1])
        return known[column]

    for raw in read():
        end, parsed, reader = start + len(raw.frame), {}, typed.Reader(reading, raw, programme, told)
        for place, name in enumerate(names):
            try:
                parsed[name] = parse(reader, name)
            except answers.Ambiguous as error:
                names, doubt = names[:place], error
                break
        if not doubt:
            yield raw, parsed, equal[start:end], twice[start:end]
        elif not names:
            break
        start = end
    if doubt:
        raise DataError(str(doubt))


def _identifiers(reading: Reading, raw: readers.Raw, kept) -> pd.DataFrame:
    return pd.DataFrame({name: raw.frame[column].to_numpy()[kept] for name, column in reading.identify.items()})


def _present(file: str, names: list[str], columns, where: str) -> None:
    for column in columns:
        if column not in names:
            twice = [name for name in names if name.startswith(f"{column} (column ")]
            if twice:
                raise DataError(f"{file}: several columns are called '{column[:80]}'; name the one that {where} needs by its place in programme.toml: {', '.join(repr(name[:80]) for name in twice[:8])}{f' and {len(twice) - 8} more' if len(twice) > 8 else ''}.")
            raise DataError(f"{file}: the column '{column}' that {where} needs is missing{nearest(column, names)}; correct the file, or the column in programme.toml.")


def _dated(frame: pd.DataFrame, programme: Programme, wave: Wave, dated: bool) -> pd.DataFrame:
    """Return responses with what their day says: each distinct one is looked at once."""
    days = frame["answered_on"].to_numpy().astype("datetime64[D]") if dated else np.full(len(frame), np.datetime64(wave.last, "D"))
    first = days.min() if len(days) else np.datetime64(wave.last, "D")
    places = (days - first).astype("int64")
    some = np.flatnonzero(np.bincount(places))
    of_day, quarters = pd.factorize(np.array([programme.quarter_of(day) for day in (first + some).tolist()], dtype=object))
    codes = np.zeros(int(places.max(initial=0)) + 1, dtype="int64")
    codes[some] = np.arange(len(some))
    weeks = (first + some) - ((first + some).astype("int64") + 3) % 7  # the first of January 1970 was a Thursday
    codes = codes.take(places)
    quarter = pd.Categorical.from_codes(of_day.astype("int8").take(codes), dtype=readers.raw.kind(tuple(quarters)), validate=False)
    made = {"survey": _same(wave.survey, len(frame)), "wave": _same(wave.id, len(frame)), "quarter": quarter, "week": weeks.astype("datetime64[us]").take(codes), "answered_on": days.astype("datetime64[us]"), "answer": f"{wave.survey}/{wave.id}/" + frame["response_id"].astype(str)}
    return frame.assign(**made)


def _same(text: str, rows: int):
    return pd.Categorical.from_codes(np.zeros(rows, dtype="int8"), dtype=readers.raw.kind((text,)), validate=False)


def _verbatims(frame: pd.DataFrame, texts) -> pd.DataFrame:
    """Return the comments by the place of their answer: at, item, text, language."""
    language = frame["language"] if "language" in frame else pd.Series(pd.array([None], dtype="str").take(np.zeros(len(frame), dtype=int)))
    places = [np.flatnonzero(frame[item.id].notna()) for item in texts]
    return stack([pd.DataFrame({"at": own, "item": _same(item.id, len(own)), "text": frame[item.id].array.take(own), "language": language.array.take(own)}) for item, own in zip(texts, places) if len(own)])


def _file(file, table, label, quarter, raw, kept, aside, equal, parsed) -> dict:
    return {
        "file": file, "table": table, "wave": label, "quarter": quarter, "rows": len(raw.frame), "kept": int(kept.sum()), "quarantined": int(aside.sum()),
        "duplicates": int(equal.sum()), "trimmed": sum(one.trimmed for one in parsed.values()), "encoding": raw.encoding,
    }  # fmt: skip


def _repairs(file, quarter, raw, rules, columns, equal) -> pd.DataFrame:
    rows = []
    for name in columns:
        rule = rules.get(name)
        for place in np.flatnonzero((rule != "") & ~equal) if rule is not None else ():
            rows.append((file, quarter, raw.row(place), columns[name], str(raw.frame[columns[name]].iloc[place])[:200], rule[place], suggestion(rule[place])))
    return pd.DataFrame(rows, columns=["file", "quarter", "row", "column", "value", "rule", "suggestion"]).sort_values(["row", "column"], ignore_index=True)


def _coverage(programme, wave, items, parsed, raw, kept, quarter) -> pd.DataFrame:
    """Why answers are there or not, by item: not asked is told from not answered by the item's filter."""
    quarters, names = pd.factorize(quarter) if not isinstance(quarter, str) else (np.zeros(int(kept.sum()), dtype=int), np.array([quarter], dtype=object))
    parts, whole = [], bool(kept.all())
    for item in programme.asked(wave.survey):
        if item not in items:
            codes, reasons = np.zeros(int(kept.sum()), dtype=int), ["not asked"]
        else:
            missing = parsed[item.id].missing
            reasons = [*(reason or "answered" for reason in missing.categories), "not asked"]
            codes = missing.codes
            if item.asked_if and (column := programme.column(wave, item.asked_if.item)):
                led = raw.frame[column].str.strip().isin(item.asked_if.values).to_numpy()
                codes = np.where(~led & (missing != ""), len(reasons) - 1, codes)
            codes = codes if whole else codes[kept]
        # Counted by codes: a frame of every answer's reason would be larger than the answers.
        counts = np.bincount(quarters * len(reasons) + codes, minlength=len(names) * len(reasons))
        parts += [(wave.survey, wave.id, names[place // len(reasons)], item.id, reasons[place % len(reasons)], int(count)) for place, count in enumerate(counts) if count]
    return pd.DataFrame(parts, columns=["survey", "wave", "quarter", "item", "reason", "rows"])
