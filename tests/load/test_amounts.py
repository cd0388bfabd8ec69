"""Amounts as people write them; FAULTS.md row 14 for columns of money: the column tells what a mark means, or the file is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib import load
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import amounts
from cxlib.load.readers import raw


@pytest.mark.parametrize(
    ("cell", "decimal", "value", "money"),
    [
        ("$1,234.50", ".", 1234.5, "USD"), ("€ 1.234,50", ",", 1234.5, "EUR"), ("1 234,50 EUR", ",", 1234.5, "EUR"), ("1\u202f234,50\u00a0€", ",", 1234.5, "EUR"), ("(12.50)", ".", -12.5, ""), ("($12.50)", ".", -12.5, "USD"), ("-£3", ".", -3, "GBP"),
        ("£-3.00", ".", -3, "GBP"), ("12,50-", ",", -12.5, ""), ("−4,00 zł", ",", -4, "PLN"), ("CHF 1'234.50", ".", 1234.5, "CHF"), ("12.–", ".", 12, ""), ("Fr. 12.-", ".", 12, "CHF"), ("R$ 1.234,50", ",", 1234.5, "BRL"), ("US$ 5", ".", 5, "USD"),
        ("¥1,200", ".", 1200, "JPY"), ("1200円", ".", 1200, "JPY"), ("kr 99", ",", 99, "SEK"), ("₹1,23,456.00", ".", 123456, "INR"), ("1.234.567", ",", 1234567, ""), (".50", ".", 0.5, ""), ("+7", ".", 7, ""),
    ],
)  # fmt: skip
def test_an_amount_as_people_write_it(cell, decimal, value, money):
    found = amounts.split(cell)
    assert amounts.value_of(found, decimal) == pytest.approx(value)
    assert money in found.moneys if money else not found.moneys


@pytest.mark.parametrize("cell", ["", "ten", "(12", "12)", "-(12)", "--3", "$€5", "EUR 5 USD", "1 2 3 x", "A12", "12B", "5 apples", "９", "1e5", "2026-01-02", "$", "1" * 90])
def test_what_is_no_amount(cell):
    assert amounts.split(cell) is None


@pytest.mark.parametrize(("cell", "decimal"), [("1,23", "."), ("12.34.56", ","), ("0,003", "."), ("1.2345", ","), ("1,2,3", "."), ("1 23", ".")])
def test_figures_that_are_not_grouped_by_threes_are_no_number(cell, decimal):
    assert amounts.value_of(amounts.split(cell), decimal) is None


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (["1,234", "1,5"], ","), (["1,234", "12.50"], "."), (["1.234", "12,50"], ","), (["1.234", "2.500", "0.125"], "."), (["1,234,567", "1,234"], "."), (["1.234", "1.234.567"], ","), (["5", "12"], "."), (["1 234,5"], ","), (["1234.567", "2.500"], "."),
        ([*(f"{n},{n:03d}" for n in range(1, 30)), "5", "870"], "."), ([*(f"{n}.{n:03d}" for n in range(1, 30)), "5", "870"], ","),
        (["¥1,234"], "."), (["£1.459"], "."), (["1.234 ₫"], ","), (["€1,234"], ""), (["$1.234"], ""), (["£1,234", "£1,5"], ","),
        (["1,234"], ""), (["1.234", "2.500"], ""), (["1,234", "1.234"], ""), (["12.50", "12,50"], ""), ([*(f"{n},{n:03d}" for n in range(1, 30)), "5", "1870"], ""), ([*(f"{n},{n:03d}" for n in range(1, 30))], ""), (["1,234", "5"], ""),
    ],
)
def test_fault_14_the_column_tells_what_a_mark_means_or_nothing_does(cells, decimal):
    found = amounts.notation(cells)
    assert found.decimal == decimal
    assert bool(found.doubt) == (decimal == "")


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 2)), st.sampled_from([("{:,.2f}", "."), ("${:,.2f}", "."), ("{:,.2f} USD", ".")]), st.booleans())
def test_what_is_written_is_read_back(value, form, continental):
    text = form[0].format(value)
    text, decimal = (text.translate(str.maketrans(",.", ".,")), ",") if continental else (text, ".")
    assert amounts.value_of(amounts.split(text), decimal) == value


SHOP = """
name = "Shop"
currency = "{money}"
[[sources]]
table = "orders"
file = "orders.csv"
{more}
"""


@pytest.fixture
def shop(tmp_path):
    def make(cells, *, money="EUR", more="", extra=None):
        (tmp_path / "raw").mkdir(exist_ok=True)
        (tmp_path / "programme.toml").write_text(SHOP.format(money=money, more=more), "utf-8")
        lines = [f'o{place},p{place},2026-01-02,"{cell}"' + (f",{extra[place]}" if extra else "") for place, cell in enumerate(cells)]
        (tmp_path / "raw" / "orders.csv").write_text("\n".join(["order_id,person_id,ordered_on,amount" + (",currency" if extra else ""), *lines]) + "\n", "utf-8")
        return load.check(programmes.read(tmp_path))

    return make


def test_fault_14_orders_are_read_by_their_column_in_whatever_parts_the_file_comes(shop, monkeypatch):
    cells = ["12", "1.234", "2.500", "1.234,50 €", "€ 7", "(3,25)", "", "9"]
    for rows in (60_000, 2):
        monkeypatch.setattr(raw, "ROWS", rows)
        tables = shop(cells)
        assert tables["orders"]["amount"].tolist() == [12, 1234, 2500, 1234.5, 7, -3.25, 9]
        assert tables["repairs"]["rule"].tolist() == ["amount is empty"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["12", "1,234"], r"row 3, column 'amount': '1,234' is ambiguous: a comma may mark decimals or thousands, and the column does not tell: every mark"),
        (["1.234", "2.500"], r"row 2, column 'amount': '1\.234' is ambiguous: a point may mark"),
        (["12.50", "12,50"], r"'12\.50' and '12,50' stand in it.*Declare decimal"),
    ],
)
def test_fault_14_amounts_that_can_be_read_in_two_ways_are_refused_with_the_row(cells, said, shop):
    with pytest.raises(DataError, match=said):
        shop(cells)


def test_fault_14_what_is_written_against_the_declared_mark_is_set_aside(shop):
    tables = shop(["12.50", "12,50", "1,234"], more='decimal = "."')
    assert tables["orders"]["amount"].tolist() == [12.5, 1234]
    assert tables["repairs"][["row", "value", "rule"]].to_numpy().tolist() == [[3, "12,50", "not an amount"]]


def test_an_amount_in_another_currency_is_on_the_repair_list_and_in_no_sum(shop):
    tables = shop(["€5.50", "$6.00", "7.00", "8.00 EUR"])
    assert tables["orders"]["amount"].tolist() == [5.5, 7, 8]
    assert tables["repairs"]["rule"].tolist() == ["not in EUR, in which amounts are counted here"]
    assert "[[rates]]" in tables["repairs"]["suggestion"].iloc[0]
    assert shop(["$6.00", "A$7.00"], money="AUD")["orders"]["amount"].tolist() == [6, 7]


def test_a_sign_that_departs_from_the_currency_of_its_own_row_is_on_the_repair_list(shop):
    rate = '[[rates]]\ncurrency = "CHF"\nrate = 2.0\nday = 2026-01-01'
    tables = shop(["CHF 6.00", "€5.50", "€9.00"], extra=["CHF", "", "CHF"], more=rate)
    assert tables["orders"]["amount"].tolist() == [12, 5.5]
    assert tables["repairs"]["rule"].tolist() == ["not in CHF, in which amounts are counted here"]
    assert shop(["CHF 6.00"], more='fixed = {currency = "CHF"}\n' + rate)["orders"]["amount"].tolist() == [12]


def test_a_cell_that_names_no_currency_is_on_the_repair_list_and_refuses_nothing_else(shop):
    tables = shop(["6.00", "5.50", "7.00"], extra=["EUR", "euros?", "eur "])
    assert tables["orders"]["amount"].tolist() == [6, 7]
    assert tables["repairs"][["column", "value", "rule"]].to_numpy().tolist() == [["currency", "euros?", "no currency"]]


def test_an_item_whose_cells_name_a_money_is_read_as_amounts_and_others_as_before(tiny):
    from small import TINY

    toml = TINY + '[[items]]\nid = "spend"\nwording = "Spend"\nkind = "number"\n'
    rows = lambda cells: "".join(f'r{place},DE,p{place},7,3,Fine.,"{cell}"\n' for place, cell in enumerate(cells))
    header = "id,land,person,recommend,price,comment,spend\n"
    tables = load.check(programmes.read(tiny(rows(["€1.234,50", "12,50", "-", "$4", "1.250"]), toml=toml, header=header)))
    assert tables["responses"]["spend"].tolist() == [1234.5, 12.5, 1250]
    assert tables["repairs"]["rule"].tolist() == ["not an amount", "not in EUR, in which amounts are counted here"]
    with pytest.raises(DataError, match=r"column 'spend': '12,50' is ambiguous: a comma may"):
        load.check(programmes.read(tiny(rows(["12,50"]), toml=toml, header=header)))
    assert load.check(programmes.read(tiny(rows(["1.250", "2"]), toml=toml, header=header)))["responses"]["spend"].tolist() == [1.25, 2]


def test_per_cent_is_read_where_every_cell_says_it(tiny):
    from small import TINY

    toml = TINY + '[[items]]\nid = "used"\nwording = "Share of the plan used"\nkind = "number"\n'

    def read(*cells):
        rows = "".join(f'r{place},DE,p{place},7,3,Fine.,"{cell}"\n' for place, cell in enumerate(cells))
        tables = load.check(programmes.read(tiny(rows, toml=toml, header="id,land,person,recommend,price,comment,used\n")))
        return tables["responses"]["used"].dropna().tolist(), tables["repairs"][["value", "rule"]].to_numpy().tolist()

    assert read("45%", "12.5 %", "", "0", "100%") == ([45, 12.5, 0, 100], [])
    assert read("0.45", "12.5 %", "1") == ([0.45, 1], [["12.5 %", "not a number"]])


@pytest.mark.parametrize(("cell", "looks"), [("$5", True), ("5 EUR", True), ("EUR 5", True), ("12,50 kr", True), ("R1001", False), ("RS-12", False), ("FT001", False), ("5", False), ("Kr. 99", True)])
def test_money_is_told_from_ids_that_begin_alike(cell, looks):
    assert amounts.looks(cell) is looks
