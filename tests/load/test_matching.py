"""Matching against a known truth: who is linked, who is not, and whether the number of false links is what is said of it."""

import importlib.util
import os
import stat

import numpy as np
import pandas as pd
import pytest
from people import COLUMNS, KEYS, NOISE, files, judged
from small import HEADER, TINY

from cxlib import programme, schema
from cxlib.errors import DataError
from cxlib.load import bases, identifiers, intake, journey, matching, scores, store, timeline, unify

needs_splink = pytest.mark.skipif(importlib.util.find_spec("splink") is None, reason="Splink is not installed")


@pytest.fixture
def without_splink(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "splink" else found(name, *rest))


# ------------------------------------------------------------------------------------------------------ one spelling


@pytest.mark.parametrize(("kind", "a", "b"), [
    ("email", " Anna.Bach+shop@Mail.DE", "anna.bach@mail.de"), ("phone", "+49 171 123-4567", "0171/1234567"), ("number", "0010-4417", "104417"), ("name", "Dr. Müller, Änne", "anne MULLER"),
    ("name", "Groß", "GROSS"), ("date", "1980-03-01 00:00:00", "1980-03-01"), ("code", "SW1A 1AA", "sw1a1aa"), ("text", "Haupt-Str. 5", "haupt str 5"),
])  # fmt: skip
def test_two_spellings_of_one_identifier_are_equal(kind, a, b):
    one, other = identifiers.normalise(pd.Series([a, b]), kind=kind)
    assert one == other != ""


@pytest.mark.parametrize(("kind", "value"), [("email", "noreply@shop.de"), ("email", "none@none.com"), ("email", "not an address"), ("phone", "0000000000"), ("phone", "12"), ("name", "  "), ("number", "000"), ("email", None)])
def test_what_is_nobody_s_identifies_nobody(kind, value):
    assert identifiers.normalise(pd.Series([value, "x@y.de"], dtype=object), kind=kind).isna().iloc[0]


# ------------------------------------------------------------------------------------------------------ equal keys


def frame(**columns):
    return pd.DataFrame({"id": [str(at) for at in range(len(next(iter(columns.values()))))], **columns})


def test_the_most_trusted_key_links_first_and_says_so():
    left = frame(customer_number=["007", None, "9"], email=["b@x.de", "b@x.de", "c@x.de"])
    right = frame(customer_number=["7", "8", "10"], email=["a@x.de", "b@x.de", "c@x.de"])
    found = matching.match(left, right, keys=["customer_number", "email"], scored=False).links
    assert found[["left_id", "right_id", "how"]].to_numpy().tolist() == [["0", "0", "key:customer_number"], ["1", "1", "key:email"], ["2", "2", "key:email"]]
    assert found["probability"].between(0.9, 1).all()


def test_a_key_that_several_persons_share_links_nobody():
    left, right = frame(email=["family@x.de", "own@x.de"]), frame(email=["family@x.de", "family@x.de", "own@x.de"])
    assert matching.match(left, right, keys=["email"], scored=False).links["left_id"].tolist() in (["1"], [])
    left, right = frame(email=["family@x.de"] * 2 + [f"{i}@x.de" for i in range(50)]), frame(email=["family@x.de"] + [f"{i}@x.de" for i in range(50)])
    assert {"0", "1"}.isdisjoint(matching.match(left, right, keys=["email"], scored=False).links["left_id"])
    several = matching.match(left, right, keys=["email"], relation="many_to_one", scored=False).links
    assert several.set_index("left_id").loc[["0", "1"], "right_id"].tolist() == ["0", "0"]


@pytest.mark.parametrize(("change", "sentence"), [
    ({"threshold": 0.5}, "not above 0.5"), ({"keys": ["e_mail"]}, "no column 'e_mail' to match by .did you mean email"), ({"relation": "one_to_many"}, "none of one_to_one, many_to_one"), ({"kinds": {"email": "mail"}}, "no kind of identifier"),
])  # fmt: skip
def test_what_cannot_be_matched_is_refused_in_a_sentence(change, sentence):
    side = frame(email=["a@x.de"])
    with pytest.raises(DataError, match=sentence):
        matching.match(side, side, **({"keys": ["email"], "scored": False} | change))
    with pytest.raises(DataError, match="the left file has the id '1' more than once"):
        matching.match(side.assign(id="1").loc[[0, 0]], side, keys=["email"])


def test_a_spouse_at_the_family_s_address_is_not_linked_where_names_and_birth_dates_say_otherwise():
    rng = np.random.default_rng(1)
    born = [str(np.datetime64("1950-01-01") + int(day)) for day in rng.integers(0, 15000, 400)]
    names = rng.choice(["Anna", "Bert", "Carla", "David", "Emil", "Frieda", "Gustav", "Hedwig"], 400)
    right = frame(email=[f"{at}@x.de" for at in range(400)], first_name=names, born=born)
    left = right.copy()
    left.loc[:19, "first_name"], left.loc[:19, "born"] = "Xaver", "1999-09-09"  # twenty who write from another's address
    found = matching.match(left, right, keys=["email"], compare=["email", "first_name", "born"], scored=False)
    assert sorted(set(left["id"]) - set(found.links["left_id"]), key=int) == [str(at) for at in range(20)]
    assert found.quality.set_index("how").loc["all", "conf_high"] <= 3


def test_numbers_that_lie_close_together_may_be_mistyped_into_another_s():
    n = 500
    dense = frame(customer_number=[str(100000 + at) for at in range(n)])
    sparse = frame(customer_number=[str(100000 + 7919 * at) for at in range(n)])
    bound = {}
    for name, right in (("dense", dense), ("sparse", sparse)):
        left = right.copy()
        left.loc[:49, "customer_number"] = [f"X{at}" for at in range(50)]  # fifty that are found nowhere
        quality = matching.match(left, right, keys=["customer_number"], scored=False).quality.set_index("how")
        assert quality.loc["all", "linked"] == 450
        bound[name] = quality.loc["all", "conf_high"]
    assert bound["dense"] > 5 * bound["sparse"]
    assert bound["sparse"] < 5


# ------------------------------------------------------------------------------------------------------ against a known truth


@pytest.mark.parametrize("level", NOISE)
def test_false_links_by_keys_are_as_many_as_estimated(level, without_splink):
    runs = []
    for seed in range(6):
        left, right = files(level, seed=seed)
        made = matching.match(left, right, keys=KEYS, compare=COLUMNS)
        precision, _, false = judged(made.links, left, right)
        total = made.quality.set_index("how").loc["all"]
        runs.append((precision, false.sum(), total["estimate"], total["conf_low"], total["conf_high"]))
        assert made.said == ["Links are by equal keys only: Splink, which scores pairs whose keys differ, is not installed."]
    precision, false, estimate, low, high = np.array(runs, dtype=float).T
    assert precision.min() > {"clean": 0.995, "usual": 0.99, "dirty": 0.97}[level]
    assert ((low <= false) & (false <= high)).sum() >= 5
    assert abs(false.sum() - estimate.sum()) <= 3 * np.sqrt(max(estimate.sum(), 1)) + 2


@needs_splink
@pytest.mark.parametrize(("level", "recall"), [("clean", 0.98), ("usual", 0.9), ("dirty", 0.68)])
def test_scores_find_more_and_their_false_links_are_covered(level, recall):
    left, right = files(level, seed=11)
    keys, both = (matching.match(left, right, keys=KEYS, compare=COLUMNS, scored=scored) for scored in (False, True))
    precision, found, false = judged(both.links, left, right)
    assert found > recall
    assert precision > {"clean": 0.995, "usual": 0.99, "dirty": 0.975}[level]
    assert found >= judged(keys.links, left, right)[1]
    total = both.quality.set_index("how").loc["all"]
    assert total["conf_low"] <= false.sum() <= total["conf_high"]


@needs_splink
def test_people_of_one_household_are_told_apart_without_any_key():
    left, right = files("usual", seed=3)
    made = matching.match(left, right, keys=[], compare=COLUMNS, scored=True)
    precision, recall, false = judged(made.links, left, right)
    assert precision > 0.985
    assert recall > 0.85
    assert false.sum() <= made.quality.set_index("how").loc["all", "conf_high"]


@needs_splink
@pytest.mark.slow
@pytest.mark.parametrize("level", NOISE)
def test_the_interval_of_false_links_covers_their_number_in_nine_of_ten_files(level):
    covered = []
    for seed in range(40, 60):
        left, right = files(level, seed=seed)
        made = matching.match(left, right, keys=KEYS, compare=COLUMNS, scored=True)
        total = made.quality.set_index("how").loc["all"]
        covered.append(total["conf_low"] <= judged(made.links, left, right)[2].sum() <= total["conf_high"])
    assert np.mean(covered) >= 0.9


@needs_splink
def test_the_order_of_rows_changes_no_link():
    left, right = files("usual", seed=5, n=1500)
    one, other = (matching.match(*both, keys=KEYS, compare=COLUMNS) for both in ((left, right), (left.iloc[::-1], right.sample(frac=1, random_state=1))))
    pd.testing.assert_frame_equal(one.links, other.links)
    pd.testing.assert_frame_equal(one.quality, other.quality)


@needs_splink
def test_customers_who_stand_twice_in_the_file_are_named_and_do_not_end_the_matching_of_others():
    left, right = files("clean", seed=2)
    right = pd.concat([right, right.iloc[::10].assign(id=lambda f: f["id"] + "x")], ignore_index=True)
    made = matching.match(left, right, keys=[], compare=COLUMNS, scored=True)
    precision, recall, _ = judged(made.links, left, right)
    assert precision > 0.99
    assert recall > 0.8
    assert "stand twice in the right file" in made.quality["note"].iloc[0]


def test_two_equal_candidates_share_the_probability_closed_form():
    odds = 9.0
    both = scores._posterior(np.array([0, 0]), np.array([0, 1]), np.array([odds, odds]), 0.5, "many_to_one")
    np.testing.assert_allclose(both, odds / (1 + 2 * odds))
    np.testing.assert_allclose(scores._posterior(np.array([0, 1]), np.array([0, 0]), np.array([odds, odds]), 0.5, "one_to_one"), odds / (1 + 2 * odds))


def test_scores_that_are_asked_for_without_splink_are_refused_with_the_remedy(without_splink):
    left, right = files("clean", seed=0, n=200)
    with pytest.raises(DataError, match=r"pip install splink"):
        matching.match(left, right, keys=KEYS, compare=COLUMNS, scored=True)


# ------------------------------------------------------------------------------------------------------ in a programme

SOURCES = """
[[sources]]
table = "people"
file = "people.csv"
identify = {email = "mail", first_name = "first", last_name = "last", born = "born"}
[[sources]]
table = "interactions"
file = "calls.csv"
fixed = {channel = "phone"}
identify = {email = "caller"}
"""


@pytest.fixture
def company(tiny):
    """A poll whose answers carry an e-mail address, a customer file and a log of calls without customer keys."""

    def make(uses='["aggregate", "link", "quote"]', person=lambda at: f"p{at}", name="tiny"):
        toml = TINY.replace('uses = ["aggregate", "link", "quote"]', f"uses = {uses}").replace(', person_id = "person"}', "}\nidentify = {email = \"person\"}")
        rows = "".join(f"r{at:03d},DE,{'Anna' if at < 45 else 'Stranger'}{at}@Mail.de,{at % 11},{1 + at % 5},It is fine.\n" for at in range(60))
        folder = tiny(rows, toml=toml + SOURCES, header=HEADER, name=name)
        (folder / "raw" / "people.csv").write_text("person_id,mail,first,last,born\n" + "".join(f"{person(at)},anna{at}@mail.de,Anna,Name{at},1980-01-{1 + at % 28:02d}\n" for at in range(100)))
        (folder / "raw" / "calls.csv").write_text("interaction_id,at,caller\n" + "".join(f"i{at},2026-03-0{1 + at % 9}T10:00:00,ANNA{at % 30}@mail.de\n" for at in range(80)))
        return folder

    return make


def written(tables) -> str:
    return " ".join(str(value) for name in schema.TABLES for column in tables[name] for value in tables[name][column].dropna().unique())


def test_rows_without_a_customer_key_get_one_and_the_base_says_so(company, tmp_path):
    found = programme.read(company())
    tables = store.Tables(store.write(found, tmp_path), found, "2026Q1")
    assert tables["responses"]["person_id"].notna().sum() == 45
    assert tables["verbatims"]["person_id"].notna().sum() == 45
    assert tables["interactions"]["person_id"].tolist() == [identifiers.known_as(f"p{at % 30}") for at in range(80)]
    rates = tables["matching"]
    assert rates.loc[rates["how"] == "all", ["file", "n", "linked"]].to_numpy().tolist() == [["a.csv", 60, 45], ["calls.csv", 80, 80]]
    assert set(tables["matches"]["how"]) == {"key:email"}
    linked = bases.links(tables).set_index("table")
    assert linked.loc["people", "linked"] == 45
    assert linked.loc["people", "sentence"].startswith("Linked to people: 75 % of respondents; of these links ")
    assert (linked["false_low"] <= linked["false"]).all()
    assert (linked["false"] <= linked["false_high"]).all()


def test_what_identifies_a_person_is_never_written(company, tmp_path):
    found = programme.read(company())
    tables = store.Tables(store.write(found, tmp_path), found, "2026Q1")
    text = written(tables).casefold()
    assert "mail.de" not in text
    assert "name17" not in text
    assert "1980-01-" not in text


def test_fault_promise_answers_that_may_not_be_linked_never_enter_the_matching(company, monkeypatch):
    found = programme.read(company(uses='["aggregate", "quote"]'))
    taken = intake.wave(found, found.waves[0])
    assert taken.identifiers.empty
    assert "person_id" not in taken.frame
    seen = []
    monkeypatch.setattr(unify, "_match", lambda programme, one, *rest, real=unify._match: (seen.append(one.file), real(programme, one, *rest))[1])
    tables = store.build(found)
    assert seen == ["calls.csv"]
    assert tables["responses"]["person_id"].isna().all()
    assert set(tables["matches"]["file"]) == {"calls.csv"}


def test_a_customer_key_that_is_an_address_is_kept_as_a_keyed_hash(company, tmp_path, monkeypatch):
    found = programme.read(company(person=lambda at: f"anna{at}@mail.de"))
    keys = {}
    for salt in ("one", "two"):
        monkeypatch.setenv("CX_SALT", salt)
        tables = store.build(found)
        keys[salt] = tables["people"]["person_id"]
        assert keys[salt].str.fullmatch("h[0-9a-f]{16}").all()
        assert tables["responses"]["person_id"].dropna().isin(keys[salt]).all()
        assert tables["matches"]["person_id"].isin(keys[salt]).all()
    assert set(keys["one"]).isdisjoint(keys["two"])


def test_the_secret_lies_outside_the_folder_and_only_its_owner_reads_it(tmp_path, monkeypatch):
    monkeypatch.delenv("CX_SALT", raising=False)
    monkeypatch.setenv("CX_SALT_FILE", str(tmp_path / "settings" / "salt"))
    first = identifiers.salt()
    assert first == identifiers.salt()
    assert len(first) == 64
    assert stat.S_IMODE(os.stat(tmp_path / "settings" / "salt").st_mode) == 0o600
    monkeypatch.setenv("CX_SALT_FILE", str(tmp_path))
    with pytest.raises(DataError, match="set CX_SALT or CX_SALT_FILE"):
        identifiers.salt()


def test_identifiers_with_nobody_to_match_are_refused(company):
    folder = company()
    path = folder / "programme.toml"
    path.write_text(path.read_text().replace('identify = {email = "mail", first_name = "first", last_name = "last", born = "born"}', ""))
    with pytest.raises(DataError, match=r"'identify' of 'a\.csv' has nobody to be matched with"):
        store.build(programme.read(folder))


TELCO = """
name = "Telco"
[scales.five]
low = 1
high = 5
[[surveys]]
id = "status"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link"]
[[waves]]
id = "q3"
survey = "status"
quarter = "2026Q3"
first = 2026-07-01
last = 2026-09-30
file = "telco_status.parquet"
columns = {response_id = "Status ID", person_id = "Customer ID", satisfaction = "Satisfaction Score"}
[[items]]
id = "satisfaction"
wording = "Satisfaction"
scale = "five"
[[kpis]]
id = "csat"
item = "satisfaction"
definition = "csat_top2_of_5"
[[sources]]
table = "people"
file = "telco_demographics.parquet"
columns = {person_id = "Customer ID"}
"""


@pytest.mark.shared
def test_two_tables_of_one_company_join_on_their_key_and_its_journey_is_blind(shared, tmp_path):
    (tmp_path / "telco").mkdir()
    (tmp_path / "telco" / "programme.toml").write_text(TELCO)
    found = programme.read(tmp_path / "telco", raw=shared / "telco")
    tables = store.Tables(store.write(found, tmp_path / "s"), found, "2026Q3")
    linked = bases.links(tables).set_index("table")
    assert linked.loc["people", ["n", "linked", "false"]].tolist() == [7043, 7043, 0.0]
    assert linked.loc["people", "sentence"] == "Linked to people: 100 % of respondents; by a key that both carry."
    assert timeline.counts(tables).set_index("table")["rows"].to_dict() == {"people": 7043, "responses": 2 * 7043}
    assert journey.blind(journey.matrix(tables)) == ["No table names a touchpoint: the whole journey is blind."]
