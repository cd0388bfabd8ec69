"""Small units of a programme: who is told from the mean, who is withheld, and what is said where nothing can be told."""

import numpy as np
import pytest
from small import TINY

from cxlib import cells, load
from cxlib.errors import DataError
from cxlib.measure import units
from cxlib.programme import read
from cxlib.show import claims

SHOP = '[[items]]\nid = "shop"\nkind = "nominal"\nwording = "Shop"\n[[units]]\nid = "shops"\nlabel = "Shop"\nfield = "shop"\n[[kpis]]'
TOML = TINY.replace("[[kpis]]", SHOP, 1)
HEADER = "id,land,person,recommend,price,comment,shop\n"


def answers(sizes: dict, seed=3, **lower) -> str:
    """Rows of shops with so many answers; `lower` makes a shop's customers like it less, in scale points."""
    rng, rows = np.random.default_rng(seed), []
    for shop, size in sizes.items():
        for score in np.clip(rng.normal(8 - lower.get(shop, 0), 2, size).round(), 0, 10).astype(int):
            rows.append(f"r{len(rows):04d},DE,p{len(rows)},{score},{1 + score // 3},,{shop}\n")
    return "".join(rows)


def compared(tiny, tmp_path, rows, toml=TOML):
    programme = read(tiny(rows, toml=toml, header=HEADER))
    tables = load.tables(programme, out=tmp_path / "reports")
    return programme, tables, *units.compared(tables)


def test_the_poor_shop_is_told_and_those_of_few_answers_are_not(tiny, tmp_path):
    sizes = {f"s{at:02d}": size for at, size in enumerate([1, 3, 5, 8, 20, 40, 40, 60, 80, 120, 300])}
    programme, _, found, whole = compared(tiny, tmp_path, answers(sizes, s09=4, s01=4))
    verdict = found.set_index("value")["verdict"]
    assert verdict["s09"] == "below"
    assert set(verdict[["s00", "s01", "s02"]]) == {"not told apart"}
    drawn = found.set_index("value")
    assert (drawn["shrinkage"].sort_values(ascending=False).index == drawn["n"].sort_values(kind="stable").index).sum() >= 5
    assert ((drawn["shrunk"] - drawn["centre"]).abs() <= (drawn["estimate"] - drawn["centre"]).abs() + 25).all()
    assert drawn.loc["s00", "shrinkage"] > 0.5
    (sentence,) = claims.units.said(found, whole, programme)
    assert sentence.startswith("By shop, nps: 11 units with 1 to 300 answers each in 2026Q1 lie apart by more than chance")
    assert "s09" in sentence
    assert "1 unit has a single answer: of such a figure" in sentence
    words = claims.units.shown(found)
    assert list(words["unit"][words["verdict"] == "not told apart"]) == sorted(words["unit"][words["verdict"] == "not told apart"])  # no order among them


def test_shops_that_are_alike_are_not_ordered(tiny, tmp_path):
    programme, _, found, whole = compared(tiny, tmp_path, answers({f"s{at}": 30 for at in range(10)}))
    assert set(found["verdict"]) == {"not told apart"}
    assert "An order of them would be an order of chance." in claims.units.said(found, whole, programme)[0] or "No unit is told" in claims.units.said(found, whole, programme)[0]


def test_fault_24_a_small_unit_of_an_anonymous_survey_goes_with_another(tiny, tmp_path):
    toml = TOML.replace('promise = "confidential"', 'promise = "anonymous"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]')
    programme, _, found, whole = compared(tiny, tmp_path, answers({"a": 4, "b": 25, "c": 40, "d": 60, "e": 80}), toml)
    gone = found[found["flag"] == cells.WITHHELD]
    assert set(gone["value"]) == {"a", "b"}
    assert gone[["estimate", "n", "shrunk", "low_95", "std_error"]].isna().all(axis=None)
    assert "2 units are not shown" in claims.units.said(found, whole, programme)[0]
    assert whole["n"].iloc[0] == 180  # what is withheld takes part in nothing


def test_a_region_made_of_whole_shops_gives_no_hidden_shop_away(tiny, tmp_path):
    toml = TOML.replace('promise = "confidential"', 'promise = "anonymous"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]') + '[[segments]]\nid = "land"\nfield = "country"\n'
    rows = answers({"a": 4, "b": 60, "c": 30, "d": 35}).splitlines(keepends=True)
    rows = [row.replace(",DE,", ",AT,") if row.rstrip().endswith((",a", ",b")) else row for row in rows]
    *_, found, _ = compared(tiny, tmp_path, "".join(rows), toml)
    assert set(found.loc[found["flag"] == cells.WITHHELD, "value"]) == {"a", "b"}  # by the smallest alone a would follow from AT less b


def test_what_is_withheld_as_a_segment_is_withheld_as_a_unit(tiny, tmp_path):
    """The same shops as a segment and as units: each by itself may be hidden in another way, and both together would tell."""
    from cxlib.measure import waves

    toml = TOML.replace('promise = "confidential"', 'promise = "anonymous"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]') + '[[segments]]\nid = "place"\nfield = "shop"\n[[segments]]\nid = "land"\nfield = "country"\n'
    rows = answers({"a": 4, "b": 60, "c": 12, "d": 35}).splitlines(keepends=True)
    rows = [row.replace(",DE,", ",AT,") if row.rstrip().endswith((",a", ",b")) else row for row in rows]
    _, tables, found, _ = compared(tiny, tmp_path, "".join(rows), toml)
    gone = waves.by_segment(tables).query("segment == 'place' and flag == 'withheld'")["value"]
    assert set(gone) <= set(found.loc[found["flag"] == cells.WITHHELD, "value"])
    assert len(gone) >= 2


def test_two_units_and_units_that_all_answer_alike_get_a_sentence(tiny, tmp_path):
    programme, _, found, whole = compared(tiny, tmp_path, answers({"a": 30, "b": 25}))
    assert "takes three" in claims.units.said(found, whole, programme)[0]
    assert found["shrunk"].isna().all()
    rows = "".join(f"r{at:03d},DE,p{at},10,5,,s{at % 4}\n" for at in range(80))
    programme, _, found, whole = compared(tiny, tmp_path / "alike", rows)
    assert set(found["verdict"]) <= {"", "not told apart"}
    assert claims.units.said(found, whole, programme)


def test_a_unit_told_by_nothing_is_refused_with_the_nearest_name(tiny):
    with pytest.raises(DataError, match=r"the unit 'shops' is told by 'shopp', which is neither .*did you mean shop"):
        read(tiny(toml=TOML.replace('field = "shop"', 'field = "shopp"')))


def test_null_programmes_tell_units_apart_in_at_most_one_of_twenty():
    """The rule behind the verdict, where nothing differs: on frames as `compared` builds them, four comparisons a run."""
    import pandas as pd

    from cxlib.measure import spread

    rng, false, runs = np.random.default_rng(8), 0, 60
    for _ in range(runs):
        p = []
        for _ in range(4):
            n = rng.integers(4, 80, 15)
            counts = np.array([rng.multinomial(size, [0.45, 0.30, 0.25]) for size in n])
            estimate = 100 * (counts[:, 0] - counts[:, 2]) / n
            ends = (counts[:, 0] + counts[:, 2]) / n
            frame = pd.DataFrame({"estimate": estimate, "std_error": 100 * np.sqrt((ends - (estimate / 100) ** 2) / n), "n_eff": n.astype(float), "unit": "points", "n": n, "waves": 1.0, "flag": "", "definition": "nps_0_10", "value": range(15)})
            p.append(units._kind(frame)[1])
        false += units._survive(pd.DataFrame(p)).any()
    assert false <= 0.05 * runs + 2.6 * np.sqrt(0.05 * 0.95 * runs)
    assert spread.LEAST == 3
