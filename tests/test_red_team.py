"""A red team's afternoon: an edition of a company with planted names, addresses and small cells, and a search through every byte of it (FAULTS 19, 24-26)."""

import json
import re
import shutil

import pandas as pd
import pytest

from cxlib import cells, programme, regrouping
from cxlib.load import store, timeline
from cxlib.text.quotes import redact

PLANTED = {
    "a customer's name": "Xaver Qualmstein", "a name behind a title": "Frau Wollnitzer", "a name of the staff file": "Grutzhaber", "an e-mail address": "x.qualmstein@privat.example", "a spelt e-mail address": "xq (at) privat (dot) example",
    "an IBAN": "DE89 3704 0044 0532 0130 00", "a card": "4111 1111 1111 1111", "a phone number": "0171 998 7766", "a street": "Rosmaringasse 17", "a key": "KX-900017",
    "a team": "anna.pohl@firm.example", "a segment": "boss@firm.example", "a birth date of the customer file": "1971-02-03", "a link": "token=9f8e7d6c5b4a",
}  # fmt: skip
TOML = """
name = "Redfort"
[scales.ten]
low = 0
high = 10
[scales.five]
low = 1
high = 5
[[surveys]]
id = "secret"
label = "Anonymous poll"
kind = "relationship"
promise = "anonymous"
uses = ["aggregate"]
[[surveys]]
id = "open"
kind = "relationship"
promise = "attributed"
uses = ["aggregate", "quote", "link", "case"]
[[waves]]
id = "s1"
survey = "secret"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "secret.csv"
columns = {response_id = "id", person_id = "person", country = "land", team = "crew"}
[[waves]]
id = "o1"
survey = "open"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "open.csv"
columns = {response_id = "id", person_id = "person", country = "land", team = "crew"}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "ten"
[[items]]
id = "price"
wording = "Price"
scale = "five"
[[items]]
id = "network"
wording = "Network"
scale = "five"
[[items]]
id = "comment"
kind = "verbatim"
wording = "Why?"
question = "why"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[drivers]]
survey = "secret"
kpis = ["nps"]
items = ["price", "network"]
[[segments]]
id = "country"
field = "country"
[[segments]]
id = "team"
field = "team"
[[sources]]
table = "people"
file = "people.csv"
identify = {first_name = "first", last_name = "last", email = "mail", born = "born"}
[[sources]]
table = "staff"
file = "staff.csv"
identify = {name = "name"}
[[sources]]
table = "interactions"
file = "calls.csv"
"""
LANDS = ["Nordland"] * 120 + ["Suedland"] * 80 + ["Basaltien"] * 23 + ["Quarzland"] * 7
CODES = 'version = "1"\n' + "".join(f'[[topics]]\nid = "{name}"\nname = "{name.title()}"\ninclude = ["{name}"]\n' for name in ("price", "network", "wizardry"))


def write(folder):
    raw = folder / "raw"
    raw.mkdir(parents=True)
    (folder / "programme.toml").write_text(TOML)
    (folder / "codeframe.toml").write_text(CODES)
    complaints = [
        "The price is terrible, says Xaver Qualmstein.", "The price is terrible, write to x.qualmstein@privat.example.", "The price is terrible, xq (at) privat (dot) example.", "The network is terrible, DE89 3704 0044 0532 0130 00.",
        "The network is terrible, my card 4111 1111 1111 1111.", "The price is terrible, call 0171 998 7766.", "The price is terrible, I live in Rosmaringasse 17.", "The network is terrible, I am KX-900017.", "The price is terrible, said Grutzhaber.",
        "The network is terrible, Frau Wollnitzer knows.", "The price is terrible, https://my.example.com/in?token=9f8e7d6c5b4a77",
    ]  # fmt: skip
    for name in ("secret", "open"):
        lines = ["id,person,land,crew,recommend,price,network,comment"]
        for at, land in enumerate(LANDS):
            score = (at * 7) % 11
            comment = complaints[at % len(complaints)] if score < 7 and at % 2 else "The network is very good." if at % 2 else ("The wizardry is terrible." if at in (2, 4, 6) else "")
            crew = "anna.pohl@firm.example" if at % 3 else "team-1"
            lines.append(f'{name[0]}{at:03d},KX-{900000 + at},{"boss@firm.example" if name == "open" and at % 9 == 0 else land},{crew},{score},{1 + at % 5},{1 + at % 4},"{comment}"')
        (raw / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (raw / "people.csv").write_text("person_id,first,last,mail,born\n" + "".join(f"KX-{900000 + at},{'Xaver' if at == 17 else 'Pat'},{'Qualmstein' if at == 17 else 'Doe'},{'x.qualmstein@privat.example' if at == 17 else ''},1971-02-03\n" for at in range(len(LANDS))))
    (raw / "staff.csv").write_text("staff_id,team,name\n" + "".join(f"s{at},{'anna.pohl@firm.example' if at < 6 else 'team-1'},{'Olga Grutzhaber' if at == 0 else ''}\n" for at in range(8)))
    (raw / "calls.csv").write_text("interaction_id,person_id,at,channel,touchpoint,reason\n" + "".join(f"i{at},KX-{900000 + at},2026-03-0{1 + at % 8}T10:00:00,phone,hotline,bill of x.qualmstein@privat.example\n" for at in range(40)))
    return folder


@pytest.fixture(scope="module")
def edition(cx, tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("red") / "redfort")
    out = folder.parent / "reports"
    code, _, errors = cx("report", folder, "--out", out, "-p", "replicates=200", "-p", "confidence_draws=1024")
    assert code == 0, errors
    code, _said, errors = cx("publish", folder, "--quarter", "2026Q1", "--out", out)
    assert code == 0, errors
    return folder, out, out / "redfort" / "2026Q1" / "r1"


def texts(folder):
    """Every file of an edition as text, by name: Parquet column by column."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, pd.read_parquet(path).astype("str").to_csv() if path.suffix == ".parquet" else path.read_text(encoding="utf-8")


def test_fault_26_nothing_planted_is_in_any_file_of_an_edition(edition):
    _folder, _out, place = edition
    files = dict(texts(place))
    assert len(files) > 20
    assert "price" in files["04_verbatim_topics.html"]
    for what, planted in PLANTED.items():
        assert [name for name, text in files.items() if planted.casefold() in text.casefold()] == [], what
        assert [name for name, text in files.items() if re.sub(r"\W", "", planted).casefold() in re.sub(r"\W", "", text).casefold()] == [], f"{what}, without blanks"
    assert not any(re.search(r"KX-?9000\d\d", text) for text in files.values())
    assert any("[e-mail]" in text for text in files.values())


def test_fault_26_the_store_holds_nothing_planted_either(edition):
    _folder, out, _place = edition
    for path in (out / "redfort" / ".store").rglob("*.parquet"):
        text = pd.read_parquet(path).astype("str").to_csv().casefold()
        keys = ("a key", "a team", "a segment")  # what joins the tables stays in it, under a hash where it is an address
        assert [what for what, planted in PLANTED.items() if what not in keys and planted.casefold() in text] == [], path.name


def test_fault_24_the_small_cell_and_its_complement_are_in_no_file(edition):
    _folder, _out, place = edition
    shown = pd.read_parquet(place / "findings" / "kpis_by_segment.parquet")
    own = shown[(shown["survey"] == "secret") & (shown["segment"] == "country")].set_index("value")
    assert own["flag"].eq("withheld").to_dict() == {"Basaltien": True, "Nordland": False, "Quarzland": True, "Suedland": False}
    assert own.loc[["Quarzland", "Basaltien"], ["estimate", "conf_low", "conf_high", "n", "n_eff", "weighted_n", "unweighted", "std_error"]].isna().all().all()
    counts = pd.Series(dict(zip(LANDS, map(LANDS.count, LANDS))), dtype=float)
    ends = cells.bounds(counts, [(float(len(LANDS)), list(counts.index))], hidden=["Quarzland", "Basaltien"])
    assert (ends["high"] - ends["low"]).min() >= 10
    for name, text in texts(place):
        for line in re.findall(r"<tr.*?</tr>", text, re.DOTALL) if name.endswith(".html") else text.splitlines() if name.endswith(".csv") else ():
            if "Quarzland" in line:
                assert "withheld" in line, name
                cut = re.sub(r"<[^>]*>", "|", line)
                assert not re.search(r"(?<![\d.])7(?![\d.])|(?<![\d.])23(?![\d.])", cut.split("2026Q1")[0]) or "open" in cut, (name, cut)


def test_fault_24_no_finding_tells_of_fewer_than_ten_of_the_anonymous(edition):
    _folder, _out, place = edition
    looked = 0
    for path in (place / "findings").glob("*.parquet"):
        found = pd.read_parquet(path)
        if "survey" in found and path.stem not in ("links",):
            own = found[found["survey"] == "secret"]
            for name in {"n", "count", "n_now", "n_then", "answered", "asked"} & set(own):
                assert not own[name].between(1, 9).any(), (path.stem, name)
                looked += len(own)
    assert looked > 20
    topics = pd.read_parquet(place / "findings" / "topic_shares.parquet")
    assert "wizardry" not in set(topics.loc[topics["survey"] == "secret", "topic"])
    assert "price" in set(topics.loc[topics["survey"] == "secret", "topic"])


def test_no_anonymous_answer_reaches_a_timeline_a_link_or_a_quote(edition, tmp_path):
    folder, out, place = edition
    found = programme.read(folder)
    tables = store.Tables(store.write(found, out / "redfort" / ".store"), found, "2026Q1")
    assert tables["responses"].query("survey == 'secret'")["person_id"].isna().all()
    assert tables["verbatims"].query("survey == 'secret'")["person_id"].isna().all()
    whole = timeline.everyone(tables, texts=True).to_pyarrow().to_pandas()
    answers = set(tables["responses"].query("survey == 'secret'")["answer"])
    assert len(answers) == len(LANDS)
    assert answers.isdisjoint(whole["record"])
    assert not whole["what"].isin(["secret"]).any()
    linked = pd.read_parquet(place / "findings" / "links.parquet").query("survey == 'secret'")
    assert (linked["linked"] == 0).all()
    assert (linked["with_key"] == 0).all()
    one = timeline.of(tables, tables["responses"].query("survey == 'open'")["person_id"].iloc[1], redact=redact)
    assert "@" not in one.to_csv()


def test_fault_25_another_grouping_stops_the_next_edition_until_a_reason_is_given(edition, cx):
    folder, out, place = edition
    draft = out / "redfort" / "2026Q1" / "draft"
    other = folder.parent / "again" / "redfort"
    shutil.copytree(folder, other)
    shutil.copytree(out, other.parent / "reports", symlinks=True)
    toml = other / "programme.toml"
    toml.write_text(toml.read_text().replace('id = "country"\nfield = "country"', 'id = "country"\nfield = "country"\nvalues = {Nordland = "North", Quarzland = "North", Suedland = "South", Basaltien = "South"}'))
    assert regrouping.differences(draft, place, programme=programme.read(folder)) == []
    code, _, errors = cx("report", other, "--out", other.parent / "reports", "-p", "replicates=200", "-p", "confidence_draws=1024")
    assert code == 0, errors
    code, _, errors = cx("publish", other, "--quarter", "2026Q1", "--out", other.parent / "reports")
    assert code == 6
    assert "'Nordland' with 120 answers there and 'North' with 127 here differ by 7" in errors
    assert not (other.parent / "reports" / "redfort" / "2026Q1" / "r2").exists()
    code, _said, errors = cx("publish", other, "--quarter", "2026Q1", "--out", other.parent / "reports", "--despite", "agreed with the works council")
    assert code == 0, errors
    record = json.loads((other.parent / "reports" / "redfort" / "2026Q1" / "r2" / "run.json").read_text())
    assert record["despite"] == "agreed with the works council"
    assert "differ by 7" in "".join(record["differences"])


def test_forgetting_leaves_the_edition_as_it_was_flags_it_and_makes_the_draft_stale(edition, cx):
    folder, out, _place = edition
    other = folder.parent / "forgets" / "redfort"
    shutil.copytree(folder, other)
    shutil.copytree(out, other.parent / "reports", symlinks=True)
    quarter = other.parent / "reports" / "redfort" / "2026Q1"
    before = {path: path.read_bytes() for path in (quarter / "r1").rglob("*") if path.is_file()}
    code, said, errors = cx("subject", "KX-900017", other, "--out", other.parent / "reports")
    assert code == 0, errors
    assert "Qualmstein" in (quarter.parent / "subjects").glob("*.txt").__next__().read_text()
    assert str(quarter) not in said
    code, said, errors = cx("forget", "KX-900017", other, "--out", other.parent / "reports", "--reason", "request of 3 May")
    assert code == 0, errors
    assert "r1 stay as they were published" in said
    assert not any(b"KX-900017" in path.read_bytes() or b"x.qualmstein@privat.example\n" in path.read_bytes() for path in (other / "raw").iterdir() if path.name == "people.csv")
    assert {path: path.read_bytes() for path in (quarter / "r1").rglob("*") if path.is_file()} == before
    assert json.loads((quarter / "flags.json").read_text())[0]["editions"] == ["r1"]
    assert not (quarter.parent / ".store").exists()
    code, _, errors = cx("publish", other, "--quarter", "2026Q1", "--out", other.parent / "reports")
    assert code == 6
    assert cx("forget", "KX-900017", other, "--out", other.parent / "reports", "--reason", "again")[0] == 3
    assert cx("forget", "KX-900018", other, "--out", other.parent / "reports")[0] == 2
