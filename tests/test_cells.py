"""Small cells of anonymous surveys are withheld with what they follow from (FAULTS 24): by construction, by linear programmes, by brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from small import HEADER, TINY

from cxlib import cells, programme
from cxlib.load import bases, store
from cxlib.measure import decomposition, levels, waves


def one(counts: dict):
    return pd.Series(counts, dtype=float), [(float(sum(counts.values())), list(counts))]


def test_fault_24_the_small_cell_and_its_one_complement_are_hidden():
    n, sums = one({"a": 6, "b": 40, "c": 25})
    assert cells.protect(n, sums, limit=10).to_dict() == {"a": "small", "b": "", "c": "complement"}
    n, sums = one({"a": 6, "b": 40})
    assert cells.protect(n, sums, limit=10).to_dict() == {"a": "small", "b": "complement"}


def test_fault_24_two_small_cells_that_are_few_together_take_a_third():
    n, sums = one({"a": 3, "b": 4, "c": 30, "d": 50})
    assert cells.protect(n, sums, limit=10).to_dict() == {"a": "small", "b": "small", "c": "complement", "d": ""}
    n, sums = one({"a": 6, "b": 7, "c": 30})
    assert cells.protect(n, sums, limit=10).to_dict() == {"a": "small", "b": "small", "c": ""}


def test_zeros_are_shown_and_hide_nothing():
    n, sums = one({"a": 5, "b": 0, "c": 30, "d": 31})
    assert cells.protect(n, sums, limit=10).to_dict() == {"a": "small", "b": "", "c": "complement", "d": ""}
    n, sums = one({"a": 12, "b": 0})
    assert set(cells.protect(n, sums, limit=10)) == {""}


def test_fault_24_in_two_ways_the_rectangle_is_closed():
    """One small cell of a 3 x 3 table with its margins needs three more: a row and a column alone would give it away."""
    frame = pd.DataFrame([(a, b, n) for a, row in zip("xyz", [(4, 30, 41), (22, 35, 44), (50, 61, 72)]) for b, n in zip("pqr", row)], columns=["a", "b", "n"])
    n, sums = cells.table(frame, keys=["a", "b"])
    state = cells.protect(n, sums, limit=10)
    why = dict(zip(state.index, state))
    hidden = [cell for cell in why if why[cell]]
    assert why[("x", "p")] == "small"
    assert len([cell for cell in hidden if cells.ALL not in cell]) >= 4
    found = cells.bounds(n, sums, hidden=hidden)
    assert ((found["high"] - found["low"]) >= 10).all()


def test_the_bounds_of_a_textbook_table_are_exact():
    """Two hidden cells of a sum of 15: each 0 to 15; with three sums that determine it, one point."""
    n, sums = one({"a": 5, "b": 10, "c": 20})
    found = cells.bounds(n, sums, hidden=["a", "b"])
    assert found.to_numpy() == pytest.approx(np.array([[0, 15], [0, 15]]))
    assert cells.bounds(n, [*sums, (5.0, ["a"])], hidden=["a", "b"]).to_numpy() == pytest.approx(np.array([[5, 5], [10, 10]]))


@pytest.mark.parametrize("seed", range(12))
def test_property_no_hidden_cell_is_narrow_and_nothing_small_is_shown(seed):
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(2, 6, size=2))
    counts = draw.integers(0, draw.choice([14, 40, 200]), size=shape)
    frame = pd.DataFrame([(f"r{i}", f"c{j}", counts[i, j]) for i, j in itertools.product(*map(range, shape))], columns=["a", "b", "n"])
    n, sums = cells.table(frame, keys=["a", "b"])
    state = cells.protect(n, sums, limit=10)
    shown = n[state == ""]
    assert not ((shown > 0) & (shown < 10)).any()
    found = cells.bounds(n, sums, hidden=state.index[state != ""])
    wide = (found["high"] - found["low"]) >= 10 - 1e-6
    # where a whole table is hidden nothing more can be: then no sum of it is shown either
    assert wide.all() or (state[n > 0] != "").all()


def test_bounds_agree_with_every_table_that_fits():
    """All integer tables with the shown counts and sums, enumerated: the linear programme's ends hold them, and are reached."""
    n, sums = cells.table(pd.DataFrame({"a": list("xxyy"), "b": list("pqpq"), "n": [2, 3, 4, 1]}), keys=["a", "b"])
    inner = [cell for cell in n.index if cells.ALL not in cell]
    found = cells.bounds(n, sums, hidden=inner)
    fits = [dict(zip(inner, v)) for v in itertools.product(range(8), repeat=4) if v[0] + v[1] == 5 and v[2] + v[3] == 5 and v[0] + v[2] == 6]
    for cell in inner:
        assert found.to_numpy()[list(found.index).index(cell)] == pytest.approx([min(fit[cell] for fit in fits), max(fit[cell] for fit in fits)])


COUNTRIES = {"DE": 40, "AT": 25, "CH": 6, "LI": 3}


def company(tiny, tmp_path, promise="anonymous", counts=COUNTRIES, more=""):
    lands = [land for land, n in counts.items() for _ in range(n)]
    rows = "".join(f"r{i:03d},{land},p{i},{i % 11},{1 + i % 5},It is fine.\n" for i, land in enumerate(lands))
    toml = TINY.replace('promise = "confidential"', f'promise = "{promise}"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]') + '[[segments]]\nid = "country"\nfield = "country"\n' + more
    folder = tiny(rows, toml=toml, header=HEADER)
    found = programme.read(folder)
    return store.Tables(store.write(found, tmp_path / "store"), found, "2026Q1")


@pytest.mark.parametrize(("promise", "hidden"), [("anonymous", {"CH", "LI", "AT"}), ("undeclared", {"CH", "LI", "AT"}), ("confidential", set()), ("attributed", set())])
def test_fault_24_segments_follow_the_promise(tiny, tmp_path, promise, hidden):
    found = waves.by_segment(company(tiny, tmp_path, promise))
    withheld = found[found["flag"] == "withheld"]
    assert set(withheld["value"]) == hidden
    assert withheld[["estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "weighted_n", "unweighted"]].isna().all().all()
    assert found.loc[~found["value"].isin(hidden), "n"].notna().all()


def test_fault_24_a_segment_that_another_gives_away_is_closed_too(tiny, tmp_path):
    """Countries DE AT CH, and an area that is all of AT and CH: with DE hidden instead of AT, the area would still tell CH."""
    more = '[[segments]]\nid = "area"\nfield = "country"\nvalues = {DE = "north", AT = "south", CH = "south", LI = "south"}\n'
    found = waves.by_segment(company(tiny, tmp_path, counts={"DE": 40, "AT": 25, "CH": 6}, more=more))
    shown = found[found["flag"] != "withheld"].set_index(["segment", "value"])["n"]
    n = found.set_index(["segment", "value"])["n"]
    assert ("country", "CH") not in shown.index
    assert not (("area", "south") in shown.index and ("country", "AT") in shown.index)
    assert len(n) == 5


def test_fault_24_a_wave_of_few_has_no_figure_and_no_base(tiny, tmp_path):
    tables = company(tiny, tmp_path, counts={"DE": 7})
    assert waves.kpis(tables).empty
    assert bases.bases(tables).empty
    assert len(waves.kpis(company(tiny, tmp_path, "confidential", counts={"DE": 7}))) == 1


def test_what_was_counted_of_topics_goes_as_a_whole():
    class Programme:
        surveys = (type("S", (), {"id": "a", "promise": "anonymous"}), type("S", (), {"id": "c", "promise": "confidential"}))
        limits = type("L", (), {"min_cell": 10})

    rows = [(survey, topic, "2026Q1", level, polarity, 100, count) for survey in "ac" for topic, level, counts in (("bill", "topic", (30, 25, 8)), ("net", "net", (60, 30, 30)), ("app", "topic", (40, 20, 20)), ("all", "topic", (95, 50, 45))) for polarity, count in zip(("any", "positive", "negative"), counts)]
    frame = pd.DataFrame(rows, columns=["survey", "topic", "quarter", "level", "polarity", "n", "count"])
    found = cells.topics(frame, programme=Programme)
    assert set(found.loc[found["survey"] == "a", "topic"]) == {"app"}
    assert set(found.loc[found["survey"] == "c", "topic"]) == {"bill", "net", "app", "all"}


def test_staff_are_cut_by_teams_of_at_least_the_minimum(tiny, tmp_path):
    more = '[[segments]]\nid = "team"\nfield = "team"\n[[sources]]\ntable = "staff"\nfile = "staff.csv"\n'
    folder = tiny("".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},Fine.,{'abc'[i % 3]}\n" for i in range(90)), toml=TINY.replace('person_id = "person"', 'person_id = "person", team = "crew"') + more, header=HEADER.strip() + ",crew\n")
    (folder / "raw" / "staff.csv").write_text("staff_id,team\n" + "".join(f"s{i},{'aaaaabbbb'[i]}\n" for i in range(9)))
    found = programme.read(folder)
    tables = store.Tables(store.write(found, tmp_path / "s"), found, "2026Q1")
    assert bases.teams(tables) == ["a"]
    cut = waves.by_segment(tables)
    assert cut.loc[cut["flag"] == "withheld", "value"].tolist() == ["b", "c"]
    (folder / "programme.toml").write_text((folder / "programme.toml").read_text() + '[staff]\nlevel = "person"\nagreement = "works agreement of 2026"\n')
    found = programme.read(folder)
    assert set(waves.by_segment(store.Tables(store.write(found, tmp_path / "s"), found, "2026Q1"))["flag"]) != {"withheld"}


@pytest.mark.parametrize(("start", "closed"), [(1, ["2026-01", "2026-03"]), (2, ["2025-12", "2026-01"]), (4, ["2026-01", "2026-03"])])
def test_fault_24_a_small_month_goes_with_another_of_its_own_fiscal_quarter(start, closed):
    """The sum that everybody sees is that of the fiscal quarter: January belongs to November and December where the year begins in February."""
    months = pd.to_datetime(["2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"])
    counted = pd.DataFrame({"date": months, "n": [40, 25, 4, 60, 30, 50]})
    hidden = levels._few(counted, 10, programme.Programme(name="x", fiscal_year_start=start))
    assert [f"{day:%Y-%m}" for day in sorted(hidden)] == closed


def test_fault_24_neither_the_parts_of_a_move_nor_a_level_by_week_tell_of_few(tiny, tmp_path):
    """Two waves by country with a small one, and answers by week of which one has four: with the promise both are closed, without it they are there."""
    second = '[[waves]]\nid = "b"\nsurvey = "poll"\nquarter = "2026Q2"\nfirst = 2026-04-01\nlast = 2026-06-30\nfile = "b.csv"\ncolumns = {response_id = "id", country = "land", person_id = "person", answered_on = "day"}\n'
    for promise, open_to in (("anonymous", False), ("confidential", True)):
        toml = TINY.replace('promise = "confidential"', f'promise = "{promise}"\ndated_by = "answer"').replace('uses = ["aggregate", "link", "quote"]', 'uses = ["aggregate"]').replace('person_id = "person"}', 'person_id = "person", answered_on = "day"}')
        folder = tiny("", toml=toml + second + '[[segments]]\nid = "country"\nfield = "country"\n', name=promise)
        for name, start in (("a", "2026-03-02"), ("b", "2026-04-06")):
            sizes = (40, 40, 4, 40) if name == "a" else (40, 40, 40, 40)
            days = [pd.Timestamp(start) + pd.Timedelta(weeks=week) for week, size in enumerate(sizes) for _ in range(size)]
            lines = [f"{name}{i},{'CH' if i % 27 == 0 else 'AT' if i % 3 else 'DE'},p{i},{(i * 7) % 11},3,,{day:%Y-%m-%d}\n" for i, day in enumerate(days)]
            (folder / "raw" / f"{name}.csv").write_text(HEADER.strip() + ",day\n" + "".join(lines))
        found = programme.read(folder)
        tables = store.Tables(store.write(found, tmp_path / promise), found, "2026Q2")
        split = decomposition.moves(tables, waves.changes(tables, waves.kpis(tables)))
        behind = levels.tracked(tables)
        assert ("country" in set(split["segment"])) is open_to
        assert behind["n"].between(1, 9).any() == open_to
        assert len(behind) == (8 if open_to else 6)


@pytest.mark.parametrize("seed", range(60))
def test_property_bounds_looked_at_apart_are_those_of_all_sums_at_once(seed):
    """One linear programme over every hidden cell and sum is the definition; groups and closed forms must say the same, hidden totals included."""
    rng = np.random.default_rng(seed)
    names = [f"c{at}" for at in range(12)]
    n = pd.Series(rng.integers(0, 30, 12), index=names).astype(float)
    sums = []
    for at in range(int(rng.integers(1, 5))):
        parts = list(rng.choice(names, int(rng.integers(2, 5)), replace=False))
        total = float(n[parts].sum())
        if rng.random() < 0.5:
            n[f"t{at}"], total = total, f"t{at}"
        sums.append((total, parts))
    hidden = [name for name in n.index if rng.random() < 0.5]
    found = cells.bounds(n, sums, hidden=hidden)
    place = {name: at for at, name in enumerate(hidden)}
    rows, sides = np.zeros((len(sums), len(hidden))), np.zeros(len(sums))
    for at, (total, parts) in enumerate(sums):
        for name, sign in ((total, 1.0), *((part, -1.0) for part in parts)):
            if name in place:
                rows[at, place[name]] += sign
            else:
                sides[at] -= sign * (n[name] if name in n.index else name)
    held = rows.any(axis=1)
    for name in hidden:
        ends = [optimize.linprog(sign * np.eye(len(hidden))[place[name]], A_eq=rows[held] if held.any() else None, b_eq=sides[held] if held.any() else None, bounds=(0, None), method="highs") for sign in (1, -1)]
        low, high = ends[0].fun, -ends[1].fun if ends[1].status == 0 else np.inf
        assert found.loc[name].tolist() == pytest.approx([low, high], abs=1e-6), (name, sums, hidden)
