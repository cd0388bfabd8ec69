"""Raw files against the contract. The numbers in the names are those of the table of faults."""

import gzip
import hashlib

import pandas as pd
import pytest
from small import HEADER, ROWS, TINY

from cxlib import load, programme
from cxlib.errors import DataError
from cxlib.load import answers, identifiers


def tables(folder):
    return load.check(programme.read(folder))


def counts(found):
    return found["files"].iloc[0][["rows", "kept", "quarantined", "duplicates"]].tolist()


@pytest.mark.parametrize("value", ["11", "-1", "7.5", "ten", "９", "True", "1e3", "nan", "inf", "0x5", "1_0"])
def test_fault_8_a_score_off_the_scale_is_set_aside_with_row_and_rule(tiny, value):
    found = tables(tiny(ROWS + f"x1,DE,p,{value},3,Hm.\n"))
    fault = found["repairs"].iloc[0]
    assert counts(found) == [61, 60, 1, 0]
    assert (fault["file"], fault["row"], fault["column"], fault["value"]) == ("a.csv", 62, "recommend", value)
    assert "scale 0 to 10" in fault["rule"]
    assert fault["suggestion"]


def test_fault_8_a_score_with_blanks_is_accepted_and_counted(tiny):
    found = tables(tiny(ROWS + "x1,DE,p, 10 ,3,Hm.\n"))
    assert counts(found) == [61, 61, 0, 0]
    assert found["responses"]["recommend"].iloc[-1] == 10
    assert found["files"]["trimmed"].iloc[0] == 1


def test_fault_9_equal_rows_count_once_and_different_ones_of_one_id_are_set_aside(tiny):
    found = tables(tiny(ROWS + "r000,DE,p0,0,1,It is fine.\nr001,DE,p1,9,2,It is fine.\n"))
    assert counts(found) == [62, 59, 2, 1]
    assert sorted(found["repairs"]["row"]) == [3, 63]


def test_fault_10_a_missing_column_is_named_with_the_nearest(tiny):
    with pytest.raises(DataError, match=r"a\.csv: the column 'recommend' .*did you mean recomend"):
        tables(tiny(header=HEADER.replace("recommend", "recomend")))


def test_fault_11_a_qualtrics_file_loads_right_by_its_importid_row(tiny):
    rows = '"ID","Land","Person","Would you, all in all,\nrecommend us?","Price","Why?"\n' + ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(6)) + "\n" + ROWS
    found = tables(tiny(rows))
    assert counts(found) == [60, 60, 0, 0]
    assert found["responses"]["recommend"].tolist() == [float(i % 11) for i in range(60)]
    found = tables(tiny(rows + "x,DE,p,77,3,Hm.\n"))
    assert found["repairs"]["row"].tolist() == [64]


def test_fault_12_a_row_longer_than_the_header_is_refused_with_its_number(tiny):
    with pytest.raises(DataError, match=r"a\.csv: row 62 has 7 cells where the header has 6"):
        tables(tiny(ROWS + "x1,DE,p,3,3,Hm.,more\n"))


def test_fault_12_rows_that_are_all_longer_than_the_header_do_not_shift(tiny):
    with pytest.raises(DataError, match="7 cells where the header has 6"):
        tables(tiny("".join(line + ",x\n" for line in ROWS.splitlines())))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_fault_13_encodings_are_found_and_recorded(tiny, encoding):
    found = tables(tiny((HEADER + ROWS + "x1,DE,p,3,3,Schöne Grüße – danke\n").encode(encoding)))
    assert found["verbatims"]["text"].iloc[-1] == "Schöne Grüße – danke"
    assert found["files"]["encoding"].iloc[0] == encoding.replace("utf-8-sig", "utf-8")


def test_fault_13_mixed_encodings_are_refused_with_offset_and_line(tiny):
    content = (HEADER + "x1,DE,p,3,3,Grüße\n").encode() + "x2,DE,p,3,3,Grüße\n".encode("cp1252")
    with pytest.raises(DataError, match=r"line 3, byte \d+ is not UTF-8 .* mixed"):
        tables(tiny(content))
    assert len(tables(tiny(content, toml=TINY.replace('file = "a.csv"', 'file = "a.csv"\nencoding = "cp1252"')))["responses"]) == 2


WEIGHTED = TINY.replace('response_id = "id"', 'response_id = "id", weight = "price"').replace('id = "price"\nwording = "Price"\nscale = "five"', 'id = "cost"\nkind = "number"\nwording = "Cost"').replace('items = ["price"]', 'items = ["recommend"]').replace('person_id = "person"}', 'person_id = "person", cost = "person"}')


@pytest.mark.parametrize(("cell", "reading", "expected"), [('"1,25"', 'decimal = ","', 1.25), ('"1.234,5"', 'decimal = ","\nthousands = "."', 1234.5), ('"1,234.5"', 'decimal = "."\nthousands = ","', 1234.5), ("1.25", "", 1.25)])
def test_fault_14_numbers_are_read_by_the_declared_locale(tiny, cell, reading, expected):
    toml = WEIGHTED.replace('file = "a.csv"', f'file = "a.csv"\n{reading}')
    found = tables(tiny(f"x1,DE,7,3,{cell},Hm.\n", toml=toml))
    assert found["responses"]["weight"].tolist() == [expected]


@pytest.mark.parametrize("cell", ["1,25", "1.234,5", "1,234"])
def test_fault_14_an_undeclared_comma_is_ambiguous(tiny, cell):
    with pytest.raises(DataError, match=rf"a\.csv: row 3, column 'price': '{cell}' is ambiguous.*Declare decimal"):
        tables(tiny(f'x1,DE,7,3,2,Hm.\nx2,DE,7,3,"{cell}",Hm.\n', toml=WEIGHTED))


def test_fault_17_codes_that_look_like_something_else_stay_text(tiny):
    found = tables(tiny("007,NA,12345678901234567890,3,3,None\n1e5,nan,0012,4,4,NULL\n"))
    rows = found["responses"]
    assert rows["response_id"].tolist() == ["007", "1e5"]
    assert rows["country"].tolist() == ["NA", "nan"]
    assert rows["person_id"].tolist() == [identifiers.known_as("12345678901234567890"), identifiers.known_as("0012")]
    assert found["verbatims"]["text"].tolist() == ["None", "NULL"]


@pytest.mark.parametrize("weight", ["0", "-1", "", "x", "inf"])
def test_fault_36_a_weight_that_is_none_is_set_aside(tiny, weight):
    assert counts(tables(tiny(f"x1,DE,7,3,{weight},Hm.\nx2,DE,7,3,1.5,Hm.\n", toml=WEIGHTED))) == [2, 1, 1, 0]


def test_missing_codes_are_told_from_not_asked(tiny):
    toml = TINY.replace('wording = "Price"', 'wording = "Price"\nasked_if = {item = "recommend", values = ["9", "10"]}')
    found = tables(tiny("a,DE,1,9,6,x\nb,DE,2,10,,x\nc,DE,3,2,,x\nd,DE,4,99,4,x\n", toml=toml))
    reasons = found["coverage"].query("item == 'price'").set_index("reason")["rows"].to_dict()
    assert reasons == {"answered": 1, "blank": 1, "never used": 1, "not asked": 1}
    assert found["coverage"].query("item == 'recommend'").set_index("reason")["rows"].to_dict() == {"answered": 3, "don't know": 1}


def test_rows_in_are_kept_or_set_aside_or_repeated(tiny):
    found = tables(tiny(ROWS + "r000,DE,p0,0,1,It is fine.\nq,DE,1,12,3,x\n,DE,1,1,1,x\n"))
    rows, kept, aside, twice = counts(found)
    assert rows == kept + aside + twice == 63
    assert (aside, twice) == (2, 1)


def test_an_answer_that_may_not_be_linked_loses_its_key(tiny):
    found = tables(tiny(toml=TINY.replace('uses = ["aggregate", "link", "quote"]', "")))
    assert found["responses"]["person_id"].isna().all()
    assert found["verbatims"]["person_id"].isna().all()


def test_gzip_semicolons_and_quotes_load_as_they_are(tiny):
    folder = tiny(toml=TINY.replace('file = "a.csv"', 'file = "a.csv.gz"'))
    (folder / "raw" / "a.csv.gz").write_bytes(gzip.compress((HEADER + 'x,DE,1,3,3,"one; two ""three"", four\nfive"\n').replace(",", ";").encode()))
    found = tables(folder)
    assert found["verbatims"]["text"].tolist() == ['one; two "three"; four\nfive']


def test_a_damaged_archive_and_an_empty_file_are_named(tiny):
    folder = tiny(toml=TINY.replace('file = "a.csv"', 'file = "a.csv.gz"'))
    (folder / "raw" / "a.csv.gz").write_bytes(gzip.compress(b"id\n")[:8])
    with pytest.raises(DataError, match=r"a\.csv\.gz: the compressed file is damaged"):
        tables(folder)
    (folder / "raw" / "a.csv.gz").write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        tables(folder)


def test_a_workbook_gives_what_its_text_would(tiny, tmp_path):
    import xlsxwriter

    folder = tiny(toml=TINY.replace('file = "a.csv"', 'file = "a.xlsx"'))
    book = xlsxwriter.Workbook(str(folder / "raw" / "a.xlsx"))
    sheet = book.add_worksheet()
    for place, row in enumerate([HEADER.strip().split(","), ["007", "NA", "p1", 9, 5, "fine"], ["8", "DE", "p2", 7.5, 5, None]]):
        sheet.write_row(place, 0, row)
    book.close()
    found = tables(folder)
    assert counts(found) == [2, 1, 1, 0]
    assert found["responses"][["response_id", "country", "recommend"]].values.tolist() == [["007", "NA", 9.0]]
    assert found["repairs"]["row"].tolist() == [3]


def test_parquet_gives_what_its_text_would(tiny):
    folder = tiny(toml=TINY.replace('file = "a.csv"', 'file = "a.parquet"'))
    pd.DataFrame({"id": ["1", "2"], "land": ["NA", None], "person": ["a", "b"], "recommend": [9, None], "price": [5, 4], "comment": ["x", None]}).to_parquet(folder / "raw" / "a.parquet")
    found = tables(folder)
    assert counts(found) == [2, 2, 0, 0]
    assert found["responses"]["recommend"].isna().tolist() == [False, True]


def test_rows_answered_outside_their_wave_are_set_aside_and_days_are_local(tiny):
    toml = TINY.replace('kind = "relationship"', 'kind = "transactional"\ndated_by = "answer"').replace('country = "land"', 'country = "land", answered_on = "comment"')
    toml = toml.replace('[[items]]\nid = "comment"\nkind = "verbatim"\nwording = "Why?"\n', "").replace('timezone = "Europe/Berlin"', 'timezone = "America/Denver"')
    found = tables(tiny("a,DE,1,9,5,2026-03-31T23:30:00-06:00\nb,DE,1,9,5,2026-04-01T05:30:00+00:00\nc,DE,1,9,5,2026-04-01\nd,DE,1,9,5,31.12.2026\n", toml=toml))
    assert found["responses"]["answered_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-31", "2026-03-31"]
    assert found["responses"]["quarter"].unique().tolist() == ["2026Q1"]
    assert found["repairs"]["rule"].tolist() == ["outside the wave's days 2026-03-01 to 2026-03-31", "not a date written as YYYY-MM-DD"]


# What a cell or a key may look like at its ends, and inside.
ODD = ["p1", " p1", "p1 ", "\u00a0p1", "p1\u3000", "p1\x1f", "\u2028x", "x\u0085", "", " ", "\u2003", "é", "Üé", "#N/A", " #N/A", "#1", "x#", "007", "0171", "+49 171 2345678", "Anna@Mail.DE ", "anna@mail.de", "h" + "0a" * 8, "h" + "0a" * 8 + "\n", "hello", "x" * 300]


@pytest.mark.parametrize("odd", [*ODD, "", "ordinary"])
def test_words_taken_as_they_stand_are_those_that_are_stripped(monkeypatch, odd):
    cells = pd.Series(["p1", odd, "p2", "", odd], dtype="str")
    quick = answers.words(cells)
    monkeypatch.setattr(answers, "_tidy", lambda cells: None)
    slow = answers.words(cells)
    assert pd.Series(quick.values).equals(pd.Series(slow.values))
    assert list(quick.missing) == list(slow.missing)
    assert (quick.trimmed, (quick.rule is None)) == (slow.trimmed, slow.rule is None)
    assert quick.rule is None or (quick.rule == slow.rule).all()


def bare_hash(key: str) -> str:
    bare = key.strip()
    if not bare or bare.startswith("h0a"):
        return bare
    return f"h{mixed(siphash((bare.lower() if '@' in bare else bare).encode(), hashlib.sha256(b'k').digest()[:16])):016x}"


WORD = 2**64 - 1


def siphash(text: bytes, key: bytes) -> int:
    """SipHash-2-4 as its authors write it (section 2.2 to 2.4), in whole numbers."""
    turned = lambda word, by: (word << by | word >> 64 - by) & WORD

    def rounds(count, a, b, c, d):
        for _ in range(count):
            a, c = (a + b) & WORD, (c + d) & WORD
            b, d = turned(b, 13) ^ a, turned(d, 16) ^ c
            a = turned(a, 32)
            c, a = (c + b) & WORD, (a + d) & WORD
            b, d = turned(b, 17) ^ c, turned(d, 21) ^ a
            c = turned(c, 32)
        return a, b, c, d

    low, high = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    state = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D, low ^ 0x6C7967656E657261, high ^ 0x7465646279746573
    text += bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for at in range(0, len(text), 8):
        word = int.from_bytes(text[at : at + 8], "little")
        a, b, c, d = rounds(2, *state[:3], state[3] ^ word)
        state = a ^ word, b, c, d
    a, b, c, d = rounds(4, *state[:2], state[2] ^ 0xFF, state[3])
    return a ^ b ^ c ^ d


def mixed(word: int) -> int:
    """What pandas makes of it: a permutation (Stafford's variant 13 of the finaliser of MurmurHash3)."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31


def test_the_hash_of_the_test_is_the_authors_own():
    """Aumasson and Bernstein 2012, appendix A: fifteen bytes under the key 00 to 0f."""
    assert siphash(bytes(range(15)), bytes(range(16))) == 0xA129CA6149BE45E5


@pytest.mark.parametrize("keys", [[*ODD, None, *ODD[::-1]], [*dict.fromkeys(ODD)], [*ODD, *map(str, range(300))], ["p1", "p2"] * 300, []], ids=["missing", "distinct", "many", "repeated", "none"])
def test_pseudonyms_are_the_keyed_hash_of_the_bare_key(keys):
    """SipHash-2-4 under the first half of the SHA-256 of the secret: without blanks around the key, an address in small letters; what is empty or a pseudonym stays."""
    keys = pd.Series(keys, dtype="str", index=range(5, 5 + len(keys)))
    made = identifiers.pseudonyms(keys, secret=b"k")
    assert made.index.equals(keys.index)
    assert [key for key in made if key == key] == [bare_hash(key) for key in keys if key == key]
    assert made.isna().tolist() == keys.isna().tolist()


def test_a_pseudonym_hangs_on_every_byte_of_the_secret():
    """Also of one that is longer than a key of the hash."""
    secrets = [b"k" * 100, b"k" * 99 + b"l", b"l" + b"k" * 99, b"k"]
    assert len({identifiers.pseudonyms(pd.Series(["p1"]), secret=secret).iloc[0] for secret in secrets}) == 4
