"""What `cx check` prints: what fits the contract and what does not, the contract itself, and the rules for notebooks."""

import os
from pathlib import Path
from typing import get_args

from cxlib import contract, run, schema
from cxlib.errors import DataError
from cxlib.programme import Table

ALIKE = 3  # spellings printed a column
SHOWN = 20  # faults printed a file; all of them stand in the repair list of the report


def programme(name: str | None, *, raw: Path | None, say) -> None:
    """Print a line a file and a line a row that does not fit; raises DataError where a file is refused."""
    from cxlib import load
    from cxlib.load import published

    found = run.programme_of(name, raw)
    contracts(found)
    files, repairs, anomalies, rows = load.tried(found)
    for one in files.itertuples():
        whole = files[files["file"] == one.file]  # a file may hold several waves
        share = whole["quarantined"].sum() / max(whole["rows"].sum(), 1)
        say(
            f"{one.file}{f', wave {one.wave}' if len(whole) > 1 and one.wave else ''}: {one.rows:,} rows = {one.kept:,} kept + {one.quarantined:,} quarantined + {one.duplicates:,} duplicates "
            f"({one.table}, {one.encoding}; {one.trimmed:,} cells trimmed){'  <- over the limit of ' + format(found.limits.quarantine, '.0%') if share > found.limits.quarantine else ''}"
        )
        faults = repairs[(repairs["file"] == one.file) & (repairs["quarter"] == one.quarter)]
        alike = _alike(faults)
        for own in alike[:SHOWN]:
            fault, places = own.iloc[0], own["row"].astype(str).tolist()
            where = f"row {places[0]}" if len(own) == 1 else f"rows {', '.join(places[:ALIKE])}" + (f" and {len(own) - ALIKE:,} more" if len(own) > ALIKE else "")
            others = own["value"].nunique() - 1
            say(f"  {where}, column '{fault['column']}': {fault['value']!r}{f' (as are {others:,} other values)' if others else ''} is {fault['rule']}; {fault['suggestion']}.")
        if rest := sum(map(len, alike[SHOWN:])):
            say(f"  ... and {rest:,} more; `cx report` writes all of them to tables/repairs.csv.")
    told: dict = {}
    for seen, waves in _sights(anomalies):
        # A free text has as many spellings as people; the third of a column tells what the fortieth would.
        key = (seen.kind, seen.survey, seen.item)
        told[key] = told.get(key, 0) + (seen.kind == "renamed_value")
        if told[key] > ALIKE:
            continue
        words = {"refused": "Refused, and in no average", "look": "To be looked at", "accepted": f"Accepted ({seen.reason.rstrip('.')})"}[seen.verdict]
        also = f" The same in {len(waves):,} more wave{'s' if len(waves) > 1 else ''}: {_some(waves)}." if waves else ""
        say(f"{words}: {seen.sentence}{also}{f' To mend it: {seen.remedy}.' if seen.remedy and seen.verdict != 'accepted' else ''}")
    for (_, survey, item), seen in told.items():
        if seen > ALIKE:
            say(f"  ... and {seen - ALIKE:,} more of '{item}' (survey '{survey}'), spelt in several ways; `cx report` writes all of them to tables/anomalies.csv.")
    figures = published.read(found)
    for file, own in figures.groupby("source", sort=False) if len(figures) else ():
        say(f"{file or 'published figures'}: {len(own):,} published figures of {own['series'].nunique():,} series, {own['day'].min():%Y-%m-%d} to {own['day'].max():%Y-%m-%d}")
    for sentence in strays(found):
        say(sentence)
    empty = sorted(table for table in get_args(Table) if not rows[table])  # those that files fill; the others are made from them
    say(f"{found.folder.name}: loadable; quarters with data: {', '.join(found.quarters()) or 'none, because no survey is declared'}; no rows for {', '.join(empty) or 'no table'}.")


def _alike(faults) -> list:
    """The faults of a file, equal ones together; those of a column that break one rule with many values are one."""
    made = []
    for _, own in faults.groupby(["column", "rule", "suggestion"], sort=False, dropna=False):
        made += [own] if own["value"].nunique(dropna=False) > ALIKE + 1 else [one for _, one in own.groupby("value", sort=False, dropna=False)]
    return sorted(made, key=lambda own: own.index[0])


def _sights(anomalies):
    """What was seen, each with the further waves in which the same was seen of the same item: one sentence stands for all of them."""
    found: dict = {}
    for seen in anomalies.itertuples():
        alone = seen.kind == "renamed_value" or not seen.wave
        found.setdefault((seen.kind, seen.survey, seen.item, seen.unit, seen.verdict, seen.reason, seen.Index if alone else ""), []).append(seen)
    return [(own[0], list(dict.fromkeys(str(one.wave) for one in own[1:] if one.wave != own[0].wave))) for own in found.values()]


def strays(programme) -> list[str]:
    """Return a sentence for files in the programme's folders that nothing names: those whose kind runs code when opened, and forgotten raw files."""
    from cxlib.load.readers import FORMS, files

    named, harmful, forgotten = {path.resolve() for path in programme.inputs()}, [], []
    for folder, inside in ((programme.raw, True), (programme.folder, False)):
        for place, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith(".") and (inside or Path(place, name).resolve() != programme.raw.resolve()))
            for path in (Path(place, name) for name in sorted(names)):
                if path.suffix.lower() in files.NEVER:
                    harmful.append(path.relative_to(folder.parent if inside else folder).as_posix())
                elif inside and path.resolve() not in named and any(suffix in FORMS for suffix in path.suffixes):
                    forgotten.append(path.relative_to(folder.parent).as_posix())
    said = [f"Never opened, because files of this kind can run code: {_some(harmful)}; take them out of the folder."] if harmful else []
    return [*said, *([f"Ignored, because programme.toml does not name them: {_some(forgotten)}."] if forgotten else [])]


def _some(names: list[str]) -> str:
    return ", ".join(repr(name)[1:-1] for name in names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")


def contracts(programme) -> None:
    """Read the programme's other TOML files; raises DataError naming file and key, so that no study is the first to find the fault."""
    from cxlib.act import plan
    from cxlib.load import journey
    from cxlib.text import codeframe, codings, topics

    plan.read(programme.folder)
    journey.read(programme)
    if (path := programme.folder / "codeframe.toml").is_file():
        topics.matched(codeframe.read(path))
    codings.apart(codings.draws(programme))
    codings.codings(programme)


def notebooks(*, say) -> None:
    """Print each breach of the rules for notebooks; raises DataError if there is one."""
    from cxlib import studies

    faults = studies.faults(run.root() / "notebooks")
    for fault in faults:
        say(fault)
    if faults:
        raise DataError(f"{len(faults)} breaches of the rules for notebooks.")
    say("Every notebook keeps the rules.")


def codebook() -> str:
    """Return the codebook in Markdown: every key of the TOML files, every column of the tables and findings."""
    from cxlib.act import plan
    from cxlib.load import journey
    from cxlib.programme import Programme
    from cxlib.text import codeframe

    lines = []
    for title, model in (("programme.toml", Programme), ("codeframe.toml", codeframe.Codeframe), ("journeys.toml", journey.Journeys), ("plan.toml", plan.Plan), ("parameters (-p)", run.Parameters)):
        lines += [f"### {title}", "", "| key | type | default | example | meaning |", "|---|---|---|---|---|"]
        lines += ["| " + " | ".join(_cell(part) for part in row) + " |" for row in contract.keys(model)] + [""]
    for title, group in (("Tables", schema.TABLES), ("Findings", schema.FINDINGS)):
        lines += [f"### {title}", ""]
        for name, columns in group.items():
            lines += [f"**{name}**", "", "| column | type | unit | filled | example | meaning |", "|---|---|---|---|---|---|"]
            lines += [f"| {c.name} | {c.type} | {schema.unit(c)} | {'always' if c.required else ''} | {_cell(c.example)} | {_cell(c.about)} |" for c in columns] + [""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|")
