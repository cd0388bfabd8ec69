"""Sales of a market, drafted from files as panels and shops export them: what is a series by period, and what only looks like one."""

import pandas as pd
import pytest

from cxlib import load, programme
from cxlib.load import draft


def lines(periods=30, step="W-MON", regions=("Nord", "Süd")) -> pd.DataFrame:
    days = pd.date_range("2025-01-06", periods=periods, freq=step)
    rows = [(day.strftime("%d.%m.%Y"), region, 900 + place, f"{(900 + place) * 4.99:.2f}".replace(".", ","), "4,99", place % 2, "92,1") for place, day in enumerate(days) for region in regions]
    return pd.DataFrame(rows, columns=["Woche", "Region", "Absatz Stück", "Umsatz EUR", "Preis", "Aktion", "Distribution %"])


def make(tmp_path, frame: pd.DataFrame, name="Abverkauf.csv"):
    frame.to_csv(tmp_path / name, sep=";", index=False, encoding="cp1252")
    said = []
    draft.make([tmp_path / name], tmp_path / "made", name="", overwrite=False, say=said.append)
    return programme.read(tmp_path / "made"), "\n".join(said)


@pytest.mark.parametrize("step", ["W-MON", "MS", "D"])
def test_sales_by_region_and_period_are_a_market(tmp_path, step):
    made, said = make(tmp_path, lines(step=step))
    (source,) = made.sources
    assert source.table == "sales"
    assert source.columns == {"series": "Region", "sold_on": "Woche", "value": "Umsatz EUR", "pieces": "Absatz Stück", "price": "Preis", "promotion": "Aktion"}
    assert "'Distribution %' left out, because a share of shops or of sales runs from 0 to 1" in said
    assert f"cx report {tmp_path / 'made'} --quarter {made.reported[0]}" in said
    tables = load.tables(made, None, out=tmp_path / "reports")
    assert tables["sales"].groupby("series")["pieces"].sum().to_dict() == {"Nord": 27_435.0, "Süd": 27_435.0}


def test_one_series_has_the_files_name(tmp_path):
    made, _ = make(tmp_path, lines(regions=("Nord",)).drop(columns="Region"))
    (source,) = made.sources
    assert (source.table, source.fixed) == ("sales", {"series": "Abverkauf"})


@pytest.mark.parametrize(
    "frame",
    [
        lines().assign(Kundennr=[f"k{place}" for place in range(60)]),
        lines().assign(Bestellnummer=[f"b{place}" for place in range(60)]),
        pd.concat([lines(), lines().head(3)]),
        lines(periods=8),
        lines().assign(Woche=lambda rows: [(pd.Timestamp("2025-01-06") + pd.Timedelta(days=place**2)).strftime("%d.%m.%Y") for place in range(len(rows))]),
    ],
    ids=["of customers", "of orders", "a series twice in a period", "few periods", "no even periods"],
)
def test_other_rows_are_none(tmp_path, frame):
    made, _ = make(tmp_path, frame)
    assert [source.table for source in made.sources] != ["sales"]
