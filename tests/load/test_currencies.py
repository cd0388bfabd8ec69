"""Amounts of one currency are not added to those of another without a dated rate."""

import datetime as dt

import pandas as pd
import pytest

from cxlib.errors import DataError
from cxlib.load import currencies
from cxlib.programme import Programme, Rate

RATES = (Rate(currency="CHF", rate=1.10, day=dt.date(2026, 2, 1)), Rate(currency="CHF", rate=1.00, day=dt.date(2026, 1, 1)), Rate(currency="USD", rate=0.9, day=dt.date(2026, 1, 1)))


def orders(*rows):
    return pd.DataFrame(rows, columns=["ordered_on", "amount", "margin", "currency"]).assign(ordered_on=lambda rows: pd.to_datetime(rows["ordered_on"]))


def test_an_order_counts_at_the_rate_of_the_latest_day_before_it():
    found = currencies.converted(orders(("2026-01-31", 10.0, 4.0, "CHF"), ("2026-02-01", 10.0, None, "chf "), ("2026-03-01", 10.0, 4.0, None), ("2026-03-01", 10.0, 4.0, "EUR"), ("2026-03-01", 10.0, 4.0, "USD")), Programme(name="x", rates=RATES), file="orders.csv")
    assert found["amount"].tolist() == pytest.approx([10.0, 11.0, 10.0, 10.0, 9.0])
    assert found["margin"].tolist() == pytest.approx([4.0, float("nan"), 4.0, 4.0, 3.6], nan_ok=True)
    assert set(found["currency"]) == {"EUR"}


@pytest.mark.parametrize(("rates", "said"), [((), r"orders.csv: 2 rows are in CHF and have no rate into EUR of their day or before \(the first is of 2025-12-31\)"), (RATES, r"orders.csv: 1 rows are in CHF and have no rate")])
def test_a_currency_without_a_rate_of_its_day_is_refused(rates, said):
    with pytest.raises(DataError, match=said):
        currencies.converted(orders(("2025-12-31", 10.0, 4.0, "CHF"), ("2026-02-01", 10.0, 4.0, "CHF")), Programme(name="x", rates=rates), file="orders.csv")


def test_orders_of_one_currency_are_left_as_they_are():
    plain = orders(("2026-01-31", 10.0, 4.0, None))
    assert currencies.converted(plain, Programme(name="x"), file="orders.csv") is plain
    assert "currency" not in currencies.converted(plain.drop(columns="currency"), Programme(name="x"), file="orders.csv")


def test_costs_of_actions_and_sales_of_series_are_converted_by_their_own_day():
    log = pd.DataFrame({"assigned_on": pd.to_datetime(["2026-01-31", "2026-02-01"]), "cost": [10.0, 10.0], "currency": ["CHF", "CHF"]})
    assert currencies.converted(log, Programme(name="x", rates=RATES), file="actions.csv", table="actions")["cost"].tolist() == pytest.approx([10.0, 11.0])
    sold = pd.DataFrame({"sold_on": pd.to_datetime(["2026-03-02"]), "value": [100.0], "pieces": [7.0], "price": [20.0], "currency": ["CHF"]})
    found = currencies.converted(sold, Programme(name="x", rates=RATES), file="sales.csv", table="sales").iloc[0]
    assert (found["value"], found["price"], found["pieces"]) == pytest.approx((110.0, 22.0, 7.0))
    with pytest.raises(DataError, match=r"sales\.csv: 1 rows are in CHF and have no rate"):
        currencies.converted(sold, Programme(name="x"), file="sales.csv", table="sales")
