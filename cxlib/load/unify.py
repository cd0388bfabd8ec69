"""One customer over all files: rows without a customer key get one by matching what identifies their person with the customer file.

Identifiers are named by `identify` in programme.toml, live in memory while files are matched, and are never written. Answers under a promise
that does not permit linking have none.
"""

import importlib.metadata

import pandas as pd

from cxlib import schema
from cxlib.errors import DataError
from cxlib.load import identifiers, matching

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


def join(programme, waves: list, sources: list) -> tuple[list, list, dict[str, pd.DataFrame]]:
    """Return the intakes with a customer for the rows that could be matched, and two tables of how.

    `matches`: file, table, row, person_id, how (key:... or scored), probability, a row a link. `matching`: file, table, how, n (rows without
    a customer before), linked, estimate, conf_low, conf_high (false links), note. Raises DataError where a file is to be matched and
    the people table declares nothing to match it with.
    """
    files = [(one, intake, "responses") for one, intake in zip(programme.waves, waves)] + [(one, intake, one.table) for one, intake in zip(programme.sources, sources)]
    people = [intake.identifiers.assign(id=intake.frame["person_id"].to_numpy()) for one, intake, table in files if table == "people" and len(intake.identifiers.columns)]
    made, rates, whole = [], [], {}
    for place, (one, intake, table) in enumerate(files):
        if table in ("people", "staff") or not len(intake.identifiers.columns):
            continue
        if not people:
            raise DataError(f"{programme.folder / 'programme.toml'}: 'identify' of '{one.file}' has nobody to be matched with: no source of the table 'people' names its identifiers in 'identify'.")
        persons = pd.concat(people, ignore_index=True).drop_duplicates("id")
        found = _match(programme, one, intake, table, persons)
        frame, verbatims = _filled(intake, found.links)
        whole[place] = intake._replace(frame=frame, verbatims=verbatims)
        links = found.links[found.links["right_id"].notna()]
        made.append(pd.DataFrame({"file": one.file, "table": table, "row": _names(frame, table).iloc[links["left_id"].astype(int)].to_numpy(), "person_id": links["right_id"].to_numpy(), "how": links["how"].to_numpy(), "probability": links["probability"].to_numpy()}))
        rates.append(found.quality.assign(file=one.file, table=table))
    done = [whole.get(place, intake) for place, (_, intake, _) in enumerate(files)]
    tables = {"matches": pd.concat(made, ignore_index=True) if made else pd.DataFrame(), "matching": pd.concat(rates, ignore_index=True) if rates else pd.DataFrame()}
    return done[: len(waves)], done[len(waves) :], tables


def covered(tables: dict[str, pd.DataFrame], programme) -> dict[str, pd.DataFrame]:
    """Return the tables with the keys of customers, accounts and staff replaced by keyed hashes, which join as the keys do.

    A team or owner that is an address is hashed as well, and so is the id of an anonymous answer: outside this store it may lead to a person.
    """
    tables, secret = dict(tables), None
    closed = [survey.id for survey in programme.surveys if survey.promise == "anonymous"]
    for name, frame in tables.items():
        made = {}
        for column in ("person_id", "account_id", "staff_id", "owner", "team"):
            if column in frame and frame[column].notna().any():
                which = frame[column].notna() if column.endswith("_id") else identifiers.addresses(frame[column])
                if which.any():
                    secret = secret or identifiers.salt()
                    made[column] = identifiers.pseudonyms(frame[column], secret=secret).where(which, frame[column])
        if name in ("responses", "verbatims") and len(frame) and (which := frame["survey"].isin(closed)).any():
            secret = secret or identifiers.salt()
            own = frame["response_id"].astype(str)
            made["response_id"] = own.mask(which, identifiers.pseudonyms(own[which], secret=secret).reindex(frame.index))
            made["answer"] = frame["answer"].mask(which, frame["survey"] + "/" + frame["wave"] + "/" + made["response_id"])
        tables[name] = frame.assign(**made) if made else frame
    return tables


def _match(programme, one, intake, table: str, persons: pd.DataFrame) -> matching.Match:
    shared = [name for name in intake.identifiers.columns if name in persons.columns]
    keys = [key for key in (programme.matching.keys or KEYS) if set(key) <= set(shared)]
    if not keys and len(shared) < 2:
        raise DataError(f"{programme.folder / 'programme.toml'}: 'identify' of '{one.file}' shares no key with the people table, which names {', '.join(name for name in persons.columns if name != 'id')}.")
    left = intake.identifiers.assign(id=range(len(intake.identifiers)))
    if "person_id" in intake.frame:
        left = left[intake.frame["person_id"].isna().to_numpy()]
    relation = "one_to_one" if table == "responses" and programme.survey(one.survey).kind in PERSONS else "many_to_one"
    return matching.match(left.reset_index(drop=True), persons.reset_index(drop=True), keys=keys, compare=shared, threshold=programme.matching.threshold, relation=relation)


def _filled(intake, links: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = intake.frame.reset_index(drop=True)
    person = (frame["person_id"] if "person_id" in frame else pd.Series([None] * len(frame))).astype(object)
    person.iloc[links["left_id"].astype(int).to_numpy()] = links["right_id"].to_numpy()
    frame = frame.assign(person_id=person)
    verbatims = intake.verbatims
    if len(verbatims):
        verbatims = verbatims.assign(person_id=verbatims["answer"].map(dict(zip(frame["answer"], person))))
    return frame, verbatims


def _names(frame: pd.DataFrame, table: str) -> pd.Series:
    """What a row is called: its id, or its place in the file where the table has none."""
    name = "answer" if table == "responses" else schema.TABLES[table][0].name
    return frame[name].astype("str") if name.endswith("_id") or name == "answer" else pd.Series([str(place) for place in range(len(frame))])
