"""A person's rights: everything known of them as one file, and their rows out of every raw file with nothing else changed; time limits kept at load."""

import gzip
import stat

import pandas as pd
import pytest
from small import HEADER, TINY

from cxlib import programme
from cxlib.errors import DataError
from cxlib.load import identifiers, store, subjects

MORE = """
[[surveys]]
id = "secret"
kind = "employee"
promise = "anonymous"
[[waves]]
id = "b"
survey = "secret"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "b.csv"
columns = {response_id = "id", person_id = "person", comment = ""}
[[sources]]
table = "people"
file = "people.csv"
encoding = "cp1252"
delimiter = ";"
identify = {email = "mail"}
[[sources]]
table = "interactions"
file = "calls.csv.gz"
identify = {email = "mail"}
purpose = "service quality"
retention_months = 24
recipients = ["customer service"]
[[sources]]
table = "orders"
file = "orders.parquet"
retention_months = 12
[[sources]]
table = "events"
file = "events.jsonl"
[privacy]
contact = "dpo@tiny.example"
"""


@pytest.fixture
def company(tiny, monkeypatch, tmp_path):
    monkeypatch.setenv("CX_SALT", "a fixed salt of the tests")
    rows = 'r1,DE,p1,9,3,"He said ""no"",\nand left."\r\nr2,AT,p2,1,1,No.\nr3,DE, p1 ,5,2,"a\n\nb"\nr4,CH,p3,4,4,\n'
    folder = tiny(b"\xef\xbb\xbf" + (HEADER + rows).encode(), toml=TINY + MORE)
    raw = folder / "raw"
    (raw / "b.csv").write_text("id,person,recommend,price\n" + "".join(f"s{at},p{at % 4},{at % 11},3\n" for at in range(40)))
    (raw / "people.csv").write_bytes("person_id;mail;joined_on;left_on;note\r\np1;a@mail.example;2020-01-02;;Müller\r\np2;b@mail.example;2020-01-02;2020-06-01;Groß\r\np3;;2020-01-02;2026-01-01;x\r\n".encode("cp1252"))
    (raw / "calls.csv.gz").write_bytes(gzip.compress(b"interaction_id,at,mail,reason\ni1,2026-03-01T10:00:00,A@mail.example,bill\ni2,2026-03-02T10:00:00,b@mail.example,price\ni3,2023-03-02T10:00:00,b@mail.example,old\n"))
    pd.DataFrame({"order_id": ["o1", "o2", "o3", "o4"], "person_id": ["p1", "p2", "p2", None], "ordered_on": ["2026-01-01", "2025-05-01", "2025-03-30", "2026-02-01"], "amount": [10.5, 20.0, 30.0, 1.0]}).to_parquet(raw / "orders.parquet")
    (raw / "events.jsonl").write_text('{"event_id": "e1", "person_id": "p2", "at": "2026-01-01 10:00:00", "kind": "outage"}\n{"event_id": "e2", "person_id": "p1", "at": "2026-01-01 10:00:00", "kind": "outage"}\n')
    return folder


def test_a_subject_gets_everything_of_theirs_and_nothing_of_others(company, tmp_path):
    path = subjects.subject(programme.read(company), "p1", out=tmp_path / "reports")
    text = path.read_text(encoding="utf-8")
    for own in ('He said "no", and left.', "a b", "Müller", "i1", "o1", "e2", "service quality", "24 months", "customer service", "dpo@tiny.example"):
        assert own in text, own
    for other in ("b@mail.example", "No.", "o2", ": e1", "Groß", "  id: s1\n"):
        assert other not in text, other
    assert "not looked up" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent == tmp_path / "reports" / "tiny" / "subjects"
    known_as = identifiers.pseudonyms(pd.Series(["p1"]), secret=identifiers.salt()).iloc[0]
    assert known_as in text
    other = subjects.subject(programme.read(company), known_as, out=tmp_path / "reports")
    assert other.read_text(encoding="utf-8").split("\n\n", 1)[1].split("Derived")[0] == text.split("\n\n", 1)[1].split("Derived")[0]


def test_forgetting_takes_out_the_rows_and_changes_no_other_byte(company):
    raw = company / "raw"
    before = {path.name: path.read_bytes() for path in raw.iterdir()}
    taken = subjects.remove(programme.read(company), "p1", reason="request")
    after = {path.name: path.read_bytes() for path in raw.iterdir()}
    assert after.keys() == before.keys()
    assert after["a.csv"] == b"\xef\xbb\xbf" + (HEADER + "r2,AT,p2,1,1,No.\nr4,CH,p3,4,4,\n").encode()
    assert after["people.csv"] == before["people.csv"].replace("p1;a@mail.example;2020-01-02;;Müller\r\n".encode("cp1252"), b"")
    assert gzip.decompress(after["calls.csv.gz"]) == gzip.decompress(before["calls.csv.gz"]).replace(b"i1,2026-03-01T10:00:00,A@mail.example,bill\n", b"")
    assert after["events.jsonl"] == before["events.jsonl"].splitlines(keepends=True)[0]
    assert after["b.csv"].decode().splitlines() == [line for line in before["b.csv"].decode().splitlines() if ",p1," not in line]
    orders = pd.read_parquet(raw / "orders.parquet")
    assert orders["order_id"].tolist() == ["o2", "o3", "o4"]
    assert taken.set_index("file")["rows"].to_dict() == {"a.csv": 2, "b.csv": 10, "people.csv": 1, "calls.csv.gz": 1, "orders.parquet": 1, "events.jsonl": 1}
    manifest = (company / "forgotten.csv").read_text()
    assert "p1" not in manifest.replace("request", "")
    assert "request" in manifest
    with pytest.raises(DataError, match="Nothing is known of a person 'p1'"):
        subjects.remove(programme.read(company), "p1", reason="again")


def test_a_file_delivered_again_does_not_bring_a_person_back(company, tmp_path):
    orders = (company / "raw" / "orders.parquet").read_bytes()
    subjects.remove(programme.read(company), "p1", reason="request")
    (company / "raw" / "orders.parquet").write_bytes(orders)
    tables = store.build(programme.read(company))
    assert "o1" not in set(tables["orders"]["order_id"])
    assert tables["retention"].set_index("what").loc["orders.parquet", ["rows", "expired", "forgotten"]].tolist() == [4, 1, 1]


def test_who_was_forgotten_under_another_secret_stops_the_store(company, monkeypatch):
    """Their hashes would match nobody, and a file delivered again would bring them back without a word."""
    subjects.remove(programme.read(company), "p1", reason="request")
    monkeypatch.setenv("CX_SALT", "another workplace's")
    with pytest.raises(DataError, match=r"forgotten\.csv, row 2: .*under another secret .*CX_SALT.*run cx forget"):
        store.build(programme.read(company))


@pytest.mark.parametrize("name", ["people.xlsx"])
def test_forgetting_refuses_what_it_cannot_write_and_then_changes_nothing(company, name):
    raw = company / "raw"
    pd.read_csv(raw / "people.csv", sep=";", encoding="cp1252").to_excel(raw / name, index=False, engine="xlsxwriter")
    toml = company / "programme.toml"
    toml.write_text(toml.read_text().replace('file = "people.csv"\nencoding = "cp1252"\ndelimiter = ";"', f'file = "{name}"'))
    before = {path.name: path.read_bytes() for path in raw.iterdir()}
    with pytest.raises(DataError, match=r"people\.xlsx: this kind of file cannot be written .*row 2.*Nothing was changed"):
        subjects.remove(programme.read(company), "p1", reason="request")
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == before
    assert not (company / "forgotten.csv").exists()


def test_rows_whose_time_is_over_are_not_loaded_and_counted(company, tmp_path):
    """31 March 2026 less 12 months: an order of 30 March 2025 goes, one of 31 March or later stays; 24 months for calls."""
    tables = store.build(programme.read(company))
    assert tables["orders"]["order_id"].tolist() == ["o1", "o2", "o4"]
    assert tables["interactions"]["interaction_id"].tolist() == ["i1", "i2"]
    kept = tables["retention"].set_index("what")
    assert kept["expired"].to_dict() == {"calls.csv.gz": 1, "orders.parquet": 1}
    assert kept["cutoff"].astype(str).to_dict() == {"calls.csv.gz": "2024-03-31", "orders.parquet": "2025-03-31"}
    files = tables["files"]
    assert (files["rows"] == files["kept"] + files["quarantined"] + files["duplicates"]).all()


def test_answers_have_a_time_too(company):
    toml = company / "programme.toml"
    text = toml.read_text().replace('id = "a"\nsurvey = "poll"', 'id = "a"\nsurvey = "poll"').replace('promise = "confidential"', 'promise = "confidential"\nretention_months = 6')
    toml.write_text(text.replace("quarter = \"2026Q1\"\nfirst = 2026-03-01\nlast = 2026-03-31\nfile = \"a.csv\"", "quarter = \"2025Q1\"\nfirst = 2025-03-01\nlast = 2025-03-31\nfile = \"a.csv\""))
    tables = store.build(programme.read(company))
    assert set(tables["responses"]["survey"]) == {"secret"}
    assert len(tables["verbatims"]) == 0
    assert tables["retention"].set_index("what").loc["a.csv", "expired"] == 4


# ------------------------------------------------------------------------------------------ parts, joined files, and what is written beside


PARTED = """
[[surveys]]
id = "visits"
kind = "transactional"
promise = "confidential"
uses = ["aggregate", "link"]
[[waves]]
id = "v"
survey = "visits"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "v1.csv"
parts = ["v2.csv"]
columns = {response_id = "#row", person_id = "customer", recommend = "score", price = "", comment = "words"}
[[waves.joins]]
file = "visits.csv"
on = "visit"
[[sources]]
table = "orders"
file = "lines.csv"
columns = {order_id = "#row", person_id = "customer", ordered_on = "day", amount = "sum"}
[[sources.joins]]
file = "visits.csv"
on = "visit"
"""


@pytest.fixture
def parted(company):
    (company / "programme.toml").write_text((company / "programme.toml").read_text() + PARTED)
    raw = company / "raw"
    (raw / "v1.csv").write_text("visit,score,words\nw1,9,mine\nw2,3,theirs\n")
    (raw / "v2.csv").write_text("words,score,visit\nalso mine,8,w3\nalso theirs,2,w4\n")
    (raw / "visits.csv").write_text("visit,customer,plate\nw1,p1,XY 1\nw2,p2,XY 2\nw3,p1,XY 3\nw4,p2,XY 4\nw5,p1,XY 5\n")
    (raw / "lines.csv").write_text("visit,day,sum\nw1,2026-03-01,4\nw2,2026-03-02,5\nw5,2026-03-03,6\n")
    return company


def test_a_subject_is_shown_rows_of_every_part_and_of_joined_files_once(parted, tmp_path):
    """A wave that came in parts was read in its first file only, and a key that stands in a joined file was not looked at."""
    text = subjects.subject(programme.read(parted), "p1", out=tmp_path / "reports").read_text(encoding="utf-8")
    for own in ("words: mine", "words: also mine", "XY 1", "XY 3", "XY 5", "sum: 4", "sum: 6"):
        assert text.count(own) == 1, own
    for other in ("theirs", "XY 2", "XY 4", "sum: 5"):
        assert other not in text, other


def test_nothing_of_a_forgotten_person_remains_in_parts_and_joined_files(parted, tmp_path):
    p = programme.read(parted)
    before = store.build(p)["responses"].query("survey == 'visits'")
    gone = subjects.answers(p, "p1")
    assert {key: new for key, new in gone.items() if key.startswith("visits/")} == {"visits/v/v1-row2": "", "visits/v/v1-row3": "visits/v/v1-row2", "visits/v/v2-row2": "", "visits/v/v2-row3": "visits/v/v2-row2"}
    assert set(before["answer"]) == {key for key in gone if key.startswith("visits/")}
    subjects.remove(p, "p1", reason="request")
    left = {path.name: path.read_text() for path in (parted / "raw").glob("*.csv") if path.name[0] in "vl"}
    assert left == {"v1.csv": "visit,score,words\nw2,3,theirs\n", "v2.csv": "words,score,visit\nalso theirs,2,w4\n", "visits.csv": "visit,customer,plate\nw2,p2,XY 2\nw4,p2,XY 4\n", "lines.csv": "visit,day,sum\nw2,2026-03-02,5\n"}
    after = store.build(programme.read(parted))["responses"].query("survey == 'visits'")
    assert after["recommend"].tolist() == [3, 2]
    assert set(after["answer"]) == {new for key, new in gone.items() if new and key.startswith("visits/")}


def test_rows_that_others_name_too_stay(parted):
    """A booking that two persons share is not one person's to take away."""
    raw = parted / "raw"
    text = (parted / "programme.toml").read_text()
    (parted / "programme.toml").write_text(text.replace("[privacy]", '[[sources.joins]]\nfile = "trips.csv"\non = "trip"\n[privacy]', 1))
    (raw / "events.jsonl").write_text('{"event_id": "e1", "person_id": "p2", "at": "2026-01-01 10:00:00", "kind": "trip", "trip": "t1"}\n{"event_id": "e2", "person_id": "p1", "at": "2026-01-01 10:00:00", "kind": "trip", "trip": "t1"}\n{"event_id": "e3", "person_id": "p1", "at": "2026-01-02 10:00:00", "kind": "trip", "trip": "t2"}\n')
    (raw / "trips.csv").write_text("trip,where\nt1,Rome\nt2,Bonn\nt3,Oslo\n")
    subjects.remove(programme.read(parted), "p1", reason="request")
    assert (raw / "trips.csv").read_text() == "trip,where\nt1,Rome\nt3,Oslo\n"


def test_an_address_that_nobody_declared_finds_rows_of_files_without_a_key(parted):
    raw = parted / "raw"
    text = (parted / "programme.toml").read_text().replace('identify = {email = "mail"}\n', "")
    (parted / "programme.toml").write_text(text)
    subjects.remove(programme.read(parted), "p1", reason="request")
    assert b"A@mail.example" not in gzip.decompress((raw / "calls.csv.gz").read_bytes())
    assert b"b@mail.example" in gzip.decompress((raw / "calls.csv.gz").read_bytes())


def test_what_was_written_of_a_person_beside_the_raw_files_goes_too(company, tmp_path):
    """The examples in the codebook of a draft, and the file on the subject, whether it was asked by key or by pseudonym."""
    from cxlib.load import draft
    from cxlib.load.draft import sheets

    rows = pd.DataFrame({"response_id": [f"r{n}" for n in range(60)], "customer_id": [f"KX-{n:04d}" for n in range(60)], "score": [n % 11 for n in range(60)], "comment": [f"The stay in room {n} was a joy for all of us" for n in range(60)]})
    rows.to_csv(tmp_path / "nps_2026Q1.csv", index=False)
    draft.make([tmp_path / "nps_2026Q1.csv"], tmp_path / "hotel", name="", overwrite=False, say=[].append)
    toml = (tmp_path / "hotel" / "programme.toml").read_text().replace('uses = ["aggregate"]', 'uses = ["aggregate", "link"]')
    (tmp_path / "hotel" / "programme.toml").write_text(toml)
    p = programme.read(tmp_path / "hotel")
    assert "KX-0000" in " ".join(sheets.read(p.folder / sheets.NAME).columns["examples"])
    files = [subjects.subject(p, name, out=tmp_path / "reports") for name in ("KX-0000", identifiers.known_as("KX-0000"), "KX-0001")]
    codebook, before = (p.folder / sheets.NAME).read_bytes(), (p.raw / "nps_2026Q1.csv").read_bytes()
    (p.folder / sheets.NAME).write_bytes(codebook[:500])
    with pytest.raises(DataError, match=r"mend or delete .*codebook\.xlsx.*Nothing was changed"):
        subjects.remove(p, "KX-0000", reason="request")
    assert (p.raw / "nps_2026Q1.csv").read_bytes() == before
    (p.folder / sheets.NAME).write_bytes(codebook)
    subjects.remove(p, identifiers.known_as("KX-0000"), reason="request", out=tmp_path / "reports")
    assert [path.exists() for path in files] == [False, False, True]
    assert set(sheets.read(p.folder / sheets.NAME).columns["examples"]) == {""}
    assert not any(b"KX-0000" in path.read_bytes() for path in (tmp_path / "hotel").rglob("*") if path.is_file() and path.suffix != ".xlsx")


def test_the_further_lines_of_an_order_go_with_the_person_who_placed_it(company):
    """Their address stands in the first line only."""
    (company / "programme.toml").write_text((company / "programme.toml").read_text() + '[[sources]]\ntable = "orders"\nfile = "shop.csv"\ncolumns = {order_id = "Name", person_id = "who", ordered_on = "day", amount = "Total"}\nwhere = {Total = "*"}\n')
    (company / "raw" / "shop.csv").write_text("Name,who,day,Total,line\n#1,p1,2026-01-01,9,cup\n#1,,2026-01-01,,pot\n#2,p2,2026-01-01,8,cup\n#2,,2026-01-01,,pan\n")
    text = subjects.subject(programme.read(company), "p1", out=company / "reports").read_text(encoding="utf-8")
    assert "line: pot" in text
    assert "line: pan" not in text
    subjects.remove(programme.read(company), "p1", reason="request")
    assert (company / "raw" / "shop.csv").read_text() == "Name,who,day,Total,line\n#2,p2,2026-01-01,8,cup\n#2,,2026-01-01,,pan\n"


@pytest.mark.parametrize("named", ["anna@mail.example", "ANNA@mail.example"])
def test_an_address_that_is_the_key_is_found_however_it_is_spelt(company, named):
    (company / "raw" / "events.jsonl").write_text("".join(f'{{"event_id": "e{at}", "person_id": "{who}", "at": "2026-01-01 10:00:00", "kind": "outage"}}\n' for at, who in enumerate(["Anna@mail.example", "anna@mail.example ", "p2"])))
    subjects.remove(programme.read(company), named, reason="request")
    assert [line.split('"')[3] for line in (company / "raw" / "events.jsonl").read_text().splitlines()] == ["e2"]
