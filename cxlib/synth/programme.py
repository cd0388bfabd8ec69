"""The programme folder: everything above put together and written."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from . import (
    actions,
    answers,
    comments,
    company,
    contacts,
    customers,
    employees,
    exports,
    faults,
    identities,
    invitations,
    orders,
    sayings,
    systems,
    truth,
    visits,
)

TEMPLATES = ("programme.toml", "codeframe.toml", "journeys.toml", "plan.toml")


def write(folder: Path, *, customers: int, seed: int, world: str) -> None:
    """Write raw/, truth/ and the three TOML files into an empty folder."""
    raw = folder / "raw"
    folk, held, accounts, leaving = population(customers, seed=seed, world=world)
    moments = contacts.interactions(folk, held, seed=seed, world=world)
    pulses = invitations.pulse(folk, held, moments, seed=seed)
    asked = [invitations.annual(folk, held, wave, seed=seed) for wave in invitations.FIELDWORK] + [wave for _, wave in pulses.groupby("wave", sort=True)]
    replies, texts, mentions, besides, planted = [], [], [], [], []
    for wave in asked:
        frame, felt = answers.answers(folk, held, wave.reset_index(drop=True), moments, seed=seed, world=world)
        if not len(frame):
            continue
        written, codes, more = comments.comments(frame, felt, seed=seed, world=world)
        listed = survey(raw, frame, written, seed=seed)
        label = {"survey": frame["survey"].iloc[0], "wave": frame["wave"].iloc[0]}
        renamed = dict(zip(frame["response_id"], listed.pop("ids")))
        codes["response_id"], more["response_id"] = codes["response_id"].map(renamed), more["response_id"].map(renamed)
        besides.append(more.assign(**label))
        planted += listed["faults"]
        replies.append(frame), mentions.append(codes.assign(**label)), texts.append(written.dropna(subset="text").assign(**label))
    replies, mentions, texts, besides = (pd.concat(parts, ignore_index=True) for parts in (replies, mentions, texts, besides))
    calls = actions.log(folk, replies[replies["survey"] == "pulse"], seed=seed)
    ids = identities.identities(folk, seed=seed)
    sources(raw, accounts, folk, ids, moments, pd.concat(asked, ignore_index=True), calls, orders.orders(folk, held, calls, seed=seed, world=world))
    linked, wrong = channels(raw, folk, held, ids, moments, seed=seed, world=world)
    planted += wrong + shop_poll(raw, moments, held, seed=seed, world=world) + DECLARED + faults.refused(folder / "truth" / "refused")
    employees.write(raw, seed=seed, world=world)
    by_wave, by_week = truth.nps(folk, held, replies, world=world)
    mentions = mentions[["survey", "wave", "item", "response_id", "topic", "polarity"]]
    truth.write(folder / "truth", about=about(customers, seed, world), tables={
        "drivers": truth.drivers(folk, held, seed=seed, world=world), "nps_by_wave": by_wave, "nps_by_week": by_week, "moves": truth.moves(replies, world=world), "units": truth.units(replies, world=world), "mentions": mentions, "sayings": besides[["survey", "wave", "item", "response_id", "kind", "said"]],
        "topics": truth.topics(mentions, texts), "effects": truth.effects(folk, calls, seed=seed, world=world), "rollouts": truth.rollouts(folk, world=world),
        "people": pd.DataFrame({"person_id": folk["person_id"], "score": np.round(held["score"], 4), "leaving": np.round(leaving, 6), "leaves_on": folk["left_on"]}), "faults": pd.DataFrame(planted), "links": linked})
    (raw / "benchmarks.csv").write_bytes(files(__package__).joinpath("templates", "benchmarks.csv").read_bytes())
    for name in TEMPLATES:
        template = files(__package__).joinpath("templates", name)
        if template.is_file():
            text = template.read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("FIXED_COST", f"{0.16 * customers:.2f}"), encoding="utf-8", newline="\n")


def population(count: int, *, seed: int, world: str):
    """People with their leave dates, what stays with them, accounts, and the true monthly chance of leaving."""
    accounts = customers.accounts(count, seed=seed)
    folk = customers.people(accounts, seed=seed)
    held = customers.traits(folk, seed=seed, world=world)
    gone = customers.leave(folk, held, seed=seed, world=world)
    return folk.assign(left_on=gone["left_on"]), held, accounts, gone["chance"].to_numpy()


def survey(raw: Path, frame: pd.DataFrame, written: pd.DataFrame, *, seed: int) -> dict:
    """Write one wave's file; returns the faults planted in it and the ids its rows carry there."""
    kind, wave = frame["survey"].iloc[0], frame["wave"].iloc[0]
    wide = written.pivot(index="response_id", columns="item", values="text").reindex(frame["response_id"]).reset_index(drop=True)
    frame = pd.concat([frame.reset_index(drop=True), wide], axis=1)
    if kind == "pulse" and wave == "2026Q3":
        row = frame["comment"].first_valid_index()
        frame.loc[row, "comment"] += " <script>alert('hello')</script>"
    frame, begged = faults.beg(frame, seed=seed, file=f"{kind}_{wave}.csv")
    names = exports.COLUMNS[wave] if kind == "annual" else exports.PULSE_COLUMNS[exports.shape(wave)]
    cells = exports.annual(frame, wave) if kind == "annual" else exports.pulse(frame, wave)
    ids = cells[names["response_id"]].tolist()
    ending = {"2024Q3": "csv", "2025Q3": "xlsx", "2026Q3": "csv"}[wave] if kind == "annual" else "parquet" if exports.shape(wave) == "third" or wave in exports.AS_TEXT else "csv"
    path = raw / f"{kind}_{wave[:4] if kind == 'annual' else wave}.{ending}"
    headers = 3 if (kind, wave) == ("annual", "2026Q3") else 0 if ending == "parquet" else 1
    cells, found = faults.plant(cells, kind, wave, names=names, headers=headers, file=path.name)
    if ending == "xlsx":
        exports.write_xlsx(path, {"Answers": cells, "Codes": exports.NOTES_2025}, title="Annual survey 2025", made=datetime(2025, 1, 7))
    elif ending == "parquet" and wave in exports.AS_TEXT:
        exports.write_parquet(path, pd.DataFrame({name: [None if value is None else str(value) for value in cells[name]] for name in cells}, dtype="str"))
    elif ending == "parquet":
        scores = [names[item] for item in ("recommend", "satisfaction", "ease")]
        exports.write_parquet(path, cells.assign(**{names["answered_at"]: pd.to_datetime(cells[names["answered_at"]]), names["contact"]: pd.to_datetime(cells[names["contact"]])},
                                                 **{name: cells[name].astype("Int16") for name in scores}), dates=(names["contact"],))
    elif headers == 3:
        exports.write_qualtrics(path, cells, wave)
    else:
        form = {"delimiter": ";", "encoding": "cp1252"} if kind == "annual" else {"encoding": "utf-8-sig" if exports.shape(wave) == "first" else "utf-8"}
        exports.write_csv(path, cells, **form)
    return {"ids": ids, "faults": found + begged}


def sources(raw: Path, accounts, folk, ids, moments, asked, calls, bought) -> None:
    """The tables that come from the company's own systems."""
    iso = lambda values: values.dt.strftime("%Y-%m-%d").where(values.notna(), None)
    exports.write_parquet(raw / "accounts.parquet", accounts.drop(columns="people"), dates=("since", "renews_on"))
    exports.write_csv(raw / "people.csv", blanks(folk.drop(columns=["country", "language"]).assign(joined_on=iso(folk["joined_on"]), left_on=iso(folk["left_on"]), **ids[["name", "born", "email", "phone", "postcode", "loyalty"]])))
    whose = folk["person_id"].to_numpy()
    exports.write_csv(raw / "actions.csv", blanks(calls.assign(person=whose[calls["person"]], assigned_on=iso(calls["assigned_on"]), delivered_on=iso(calls["delivered_on"]))
                                                  .rename(columns={"person": "person_id"})))
    asked = asked.assign(person_id=whose[asked["person"]])
    exports.write_parquet(raw / "invitations.parquet", asked[["survey", "wave", "person_id", "sent_on", "channel", "reminder", "opened", "answered", "probability"]], dates=("sent_on",))
    logged = moments[(moments["at"].to_numpy() < systems.SINCE) | ~moments["channel"].isin(systems.OWN).to_numpy()]
    exports.write_parquet(raw / "interactions.parquet", logged.drop(columns=["person", "desk"]).assign(minutes=logged["minutes"].astype("Int16")))
    exports.write_parquet(raw / "orders.parquet", bought, dates=("ordered_on",))


def channels(raw: Path, folk, held, ids, moments, *, seed: int, world: str) -> tuple[pd.DataFrame, list[dict]]:
    """The files of call centre, shops, mailbox and app; returns whose rows they are, and the faults planted in them."""
    calls, of_calls = systems.call_centre(moments, folk, ids, seed=seed)
    calls, wrong = faults.of_calls(calls, file="calls_2026Q3.csv")
    exports.write_csv(raw / "calls_2026Q3.csv", calls, delimiter=";", encoding="cp1252")
    visited, of_shops = systems.shops(moments, ids, seed=seed)
    exports.write_xlsx(raw / "shops_2026Q3.xlsx", {"Visits": visited}, title="Till export", made=datetime(2026, 1, 2))
    mails, of_mails = systems.mailbox(moments, ids, seed=seed)
    exports.write_csv(raw / "mailbox_2026Q3.csv", mails, encoding="utf-8-sig")
    records, of_app = systems.app(folk, held, ids, seed=seed, world=world)
    exports.write_jsonl(raw / "app_2026Q3.jsonl", records)
    return pd.concat([of_calls, of_shops, of_mails, of_app], ignore_index=True), wrong


def shop_poll(raw: Path, moments, held, *, seed: int, world: str) -> list[dict]:
    """The waves of the shop poll with their faults; returns the list of these."""
    frames, found = visits.spoil({wave: visits.visits(moments, held, wave, seed=seed, world=world) for wave in visits.WAVES}, seed=seed)
    planted = [faults.listed(f"visits_{one['wave']}.csv", 0, "", "", one["kind"], kind=one["kind"], survey="visits", wave=one["wave"], item=one["item"], must=one["must"]) | {"unit": one["unit"]} for one in found]
    for wave, frame in frames.items():
        cells, turned = visits.swapped(visits.cells(frame, wave), wave)
        exports.write_csv(raw / f"visits_{wave}.csv", cells)
        planted += [faults.listed(f"visits_{wave}.csv", row + 2, "Visit", cells["Visit"].iloc[row], "outside the wave", kind="ambiguous_dates", survey="visits", wave=wave, item="answered_on", record=cells["No"].iloc[row]) for row in turned]
    return planted


# What is odd but declared in programme.toml, and must be read as it is meant.
DECLARED = [faults.listed(file, 0, column, value, "declared", kind=kind, survey=survey, wave=wave, must=faults.READ) for kind, file, column, value, survey, wave in (
    ("decimal_comma", "annual_2024.csv", "Gewicht", "0,94", "annual", "2024Q3"), ("encoding_cp1252", "annual_2024.csv", "", "cp1252", "annual", "2024Q3"),
    ("mode_switch", "visits_2025Q2.csv", "", "phone -> online", "visits", "2025Q2"), ("system_change", "interactions.parquet", "", "2025-10-01", "", ""))]


def blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """Objects with None where nothing is known."""
    return frame.astype(object).where(frame.notna(), None)


def about(count: int, seed: int, world: str) -> dict:
    """Every planted number of the company, for truth/company.json."""
    real = company.truthful(world)
    return {"customers": count, "seed": seed, "world": world, "change_day": str(company.CHANGE_DAY), "weights": dict(zip(company.IDS, (company.WEIGHTS * real).tolist())),
            "penalties": dict(zip(company.IDS, (company.PENALTIES * real).tolist())), "rewards": dict(zip(company.IDS, (company.REWARDS * real).tolist())), "complaining": company.COMPLAINING * real, "handling": company.HANDLING * real,
            "levels": dict(zip(company.IDS, company.LEVELS.tolist())), "leaving_monthly": company.LEAVING, "leaving_slope": company.LEAVING_SLOPE * real,
            "topics": {"new": {"topic": sayings.NEW, "from": sayings.NEW_FROM, "share": sayings.NEW_SHARE * real}, "doubled": {"topic": sayings.DOUBLED, "from": sayings.DOUBLED_FROM, "log_odds": sayings.DOUBLING * real},
                       "worded": {"topic": sayings.WORDED, "from": sayings.WORDED_FROM, "log_odds": sayings.WORDING * real}, "red_flag": {"topic": sayings.FLAG, "share": sayings.FLAG_SHARE}},
            "missing_week": str(invitations.MISSING_WEEK), "unresolved": company.UNRESOLVED * real, "mode_effect": {"rating": visits.POLITE * real, "recommend": visits.POLITE_SCORE * real}, "new_wording": visits.SHARPER, "linked": answers.LINKED, "leaving_silence": {"days": invitations.LEAVING_DAYS, "log_odds": invitations.LEAVING_ODDS}, "teams": {team: round(mood * real, 2) for team, (_, mood) in employees.TEAMS.items()}, "window_days": actions.WINDOW_DAYS,
            "extra_add_ons": {name: rate * real for name, rate in actions.EXTRA.items()}, "recovery_effect": 0.0,
            "threshold": {"contract": "prepaid", "opinion": orders.THRESHOLD, "real": bool(real)}}
