"""One customer over all files: rows without a customer key get one by matching what identifies their person with the customer file.

Identifiers are named by `identify` in programme.toml, live in memory while files are matched, and are never written. Answers under a promise
that does not permit linking have none.
"""

import functools
import importlib.metadata

import pandas as pd

from cxlib import schema
from cxlib.errors import DataError
from cxlib.load import identifiers, intake, matching

KEYS = (("customer_number",), ("loyalty_number",), ("email",), ("phone",), ("last_name", "first_name", "born"), ("name", "born"))
PERSONS = ("relationship", "driver", "employee", "exit")  # a person answers a wave of these once


def means(programme) -> str:
    """Return by what the customers of a programme are told apart here, so that a store made by other means is made anew."""
    if not any(one.identify for one in (*programme.waves, *programme.sources)):
        return ""
    try:
        return f"splink {importlib.metadata.version('splink')}"
    except importlib.metadata.PackageNotFoundError:
        return "equal keys"


def customers(programme, opened: dict | None = None) -> tuple[dict[int, pd.Series], dict[str, pd.DataFrame]]:
    """Return the customer of every kept row of the files that are matched, by the place of the file (waves, then sources), and two tables of how.

    `matches`: file, table, row, person_id, how (key:... or scored), probability, a row a link. `matching`: file, table, how, n (rows without
    a customer before), linked, estimate, conf_low, conf_high (false links), note. Files are read for it once more, and only the columns
    that matching needs are whole in memory; `opened` keeps small ones open for those who read them again. Raises DataError where a file is to be matched and the people table declares nothing to match it with.
    """
    files = [(one, intake.wave_parts, "responses") for one in programme.waves if "link" in programme.survey(one.survey).uses]
    places = [place for place, one in enumerate(programme.waves) if "link" in programme.survey(one.survey).uses]
    files += [(one, functools.partial(intake.source_parts, opened=opened), one.table) for one in programme.sources]
    places += range(len(programme.waves), len(programme.waves) + len(programme.sources))
    views = {place: (one, _view(taken(programme, one), table), table) for place, (one, taken, table) in zip(places, files) if one.identify}
    people = [view.identifiers.assign(id=view.frame["person_id"].to_numpy()) for _, view, table in views.values() if table == "people"]
    persons = pd.concat(people, ignore_index=True).drop_duplicates("id") if people else None
    made, rates, found = [], [], {}
    for place, (one, view, table) in views.items():
        if table in ("people", "staff"):
            continue
        if persons is None:
            raise DataError(f"{programme.folder / 'programme.toml'}: 'identify' of '{one.file}' has nobody to be matched with: no source of the table 'people' names its identifiers in 'identify'.")
        linked = _match(programme, one, view, table, persons)
        links = linked.links[linked.links["right_id"].notna()]
        made.append(pd.DataFrame({"file": one.file, "table": table, "row": _names(view.frame, table).iloc[links["left_id"].astype(int)].to_numpy(), "person_id": links["right_id"].to_numpy(), "how": links["how"].to_numpy(), "probability": links["probability"].to_numpy()}))
        rates.append(linked.quality.assign(file=one.file, table=table))
        found[place] = _persons(view.frame, linked.links)
    return found, {"matches": intake.stack(made), "matching": intake.stack(rates)}


def persons(programme, opened: dict | None = None) -> list:
    """Return what the programme's files say of customers, accounts and staff, as (table, intake) with their keys and identifiers only."""
    named = [source for source in programme.sources if source.table in ("people", "accounts", "staff")]
    return [(source.table, _view(intake.source_parts(programme, source, opened), source.table, "account_id")) for source in named]


def filled(part, persons: pd.Series):
    """Return a part of a file with the customers of its rows."""
    return part._replace(frame=part.frame.assign(person_id=persons.to_numpy()))


def covered(tables: dict[str, pd.DataFrame], programme) -> dict[str, pd.DataFrame]:
    """Return the tables with the keys of customers, accounts and staff replaced by keyed hashes, which join as the keys do; comments get those of their answers.

    A team or owner that is an address is hashed as well, and so is the id of an anonymous answer: outside this store it may lead to a person.
    """
    tables, secret = dict(tables), identifiers.salt()
    closed = [survey.id for survey in programme.surveys if survey.promise == "anonymous"]
    for name, frame in tables.items():
        made = {}
        for column in ("person_id", "account_id", "staff_id", "owner", "team"):
            if column in frame and frame[column].notna().any():
                which = frame[column].notna() if column.endswith("_id") else identifiers.addresses(frame[column])
                if which.any():
                    hashed = identifiers.pseudonyms(frame[column], secret=secret)
                    made[column] = hashed if which.all() else hashed.where(which, frame[column].astype("str"))
        if name == "responses" and len(frame) and (which := frame["survey"].isin(closed)).any():
            own = frame["response_id"].astype(str)
            made["response_id"] = own.mask(which, identifiers.pseudonyms(own[which], secret=secret).reindex(frame.index))
            made["answer"] = frame["answer"].mask(which, frame["survey"].astype("str") + "/" + frame["wave"].astype("str") + "/" + made["response_id"])
        tables[name] = frame.assign(**made) if made else frame
    if "verbatims" in tables and len(own := tables["verbatims"]):
        keys = [name for name in ("response_id", "answer", "person_id", "survey", "wave", "quarter") if name in tables["responses"]]
        answers = tables["responses"][keys].take(own["at"]).reset_index(drop=True)
        tables["verbatims"] = answers.assign(**{name: own[name].array for name in ("at", "item", "text", "language")})
    return tables


def _match(programme, one, view, table: str, persons: pd.DataFrame) -> matching.Match:
    shared = [name for name in view.identifiers.columns if name in persons.columns]
    keys = [key for key in (programme.matching.keys or KEYS) if set(key) <= set(shared)]
    if not keys and len(shared) < 2:
        raise DataError(f"{programme.folder / 'programme.toml'}: 'identify' of '{one.file}' shares no key with the people table, which names {', '.join(name for name in persons.columns if name != 'id')}.")
    left = view.identifiers.assign(id=range(len(view.identifiers)))
    if "person_id" in view.frame:
        left = left[view.frame["person_id"].isna().to_numpy()]
    relation = "one_to_one" if table == "responses" and programme.survey(one.survey).kind in PERSONS else "many_to_one"
    return matching.match(left.reset_index(drop=True), persons.reset_index(drop=True), keys=keys, compare=shared, threshold=programme.matching.threshold, relation=relation)


def _view(parts, table: str, *more: str):
    """Return of the parts of a file what matching needs: identifiers, the customer where there is one, and what a row is called."""
    wanted = ("person_id", *more, "answer" if table == "responses" else schema.TABLES[table][0].name)
    slim = [one._replace(frame=one.frame[[name for name in dict.fromkeys(wanted) if name in one.frame]].assign(at=0), verbatims=pd.DataFrame(), repairs=pd.DataFrame()) for one in parts]
    return intake.whole(slim)


def _persons(frame: pd.DataFrame, links: pd.DataFrame) -> pd.Series:
    person = (frame["person_id"] if "person_id" in frame else pd.Series([None] * len(frame))).astype(object)
    person.iloc[links["left_id"].astype(int).to_numpy()] = links["right_id"].to_numpy()
    return person


def _names(frame: pd.DataFrame, table: str) -> pd.Series:
    """What a row is called: its id, or its place in the file where the table has none."""
    name = "answer" if table == "responses" else schema.TABLES[table][0].name
    return frame[name].astype("str") if name.endswith("_id") or name == "answer" else pd.Series([str(place) for place in range(len(frame))])
