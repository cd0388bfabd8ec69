"""The part of a list that is left alone: exactly its share, drawn by nobody's choice, logged so that the next quarter reads it as a lot."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib import schema
from cxlib.act import holdout, plan
from cxlib.errors import DataError


def people(n: int) -> pd.DataFrame:
    return pd.DataFrame({"person_id": [f"p{at:04d}" for at in range(n)], "group": np.where(np.arange(n) % 3, "a", "b")})


def test_the_same_list_gives_the_same_part_in_any_order_and_another_list_another():
    one = holdout.draw(people(200), action="one").set_index("person_id")["arm"]
    again = holdout.draw(people(200).sample(frac=1, random_state=1), action="one").set_index("person_id")["arm"]
    assert (one == again.reindex(one.index)).all()
    other = holdout.draw(people(200), action="other").set_index("person_id")["arm"]
    assert (one != other).any()


def test_the_secret_decides_so_that_nobody_can_choose_who_is_left_alone(monkeypatch):
    one = holdout.draw(people(200), action="one")["arm"]
    monkeypatch.setenv("CX_SALT", "another secret")
    assert (one != holdout.draw(people(200), action="one")["arm"]).any()


def test_the_share_is_exact_in_every_category_and_on_average_for_few():
    drawn = holdout.draw(people(600), action="one", within="group")
    assert drawn.groupby("group")["arm"].apply(lambda arm: (arm == "control").mean()).tolist() == pytest.approx([0.1, 0.1])
    assert (drawn["probability"] == np.where(drawn["arm"] == "control", 0.1, 0.9)).all()
    few = [(holdout.draw(people(4), action=f"list {at}")["arm"] == "control").sum() for at in range(500)]
    assert set(few) == {0, 1}
    assert np.mean(few) / 4 == pytest.approx(0.1, abs=0.02)


def test_every_customer_is_left_alone_equally_often():
    counts = sum((holdout.draw(people(50), action=f"list {at}")["arm"] == "control").to_numpy(int) for at in range(600))
    assert counts.sum() == 600 * 5
    chi = ((counts - 60) ** 2 / (60 * 0.9)).sum()
    assert chi < 85.4  # chi-squared on 49 degrees of freedom, .999


def test_without_a_reason_nobody_may_be_spared():
    with pytest.raises(DataError, match="say why in the programme"):
        holdout.draw(people(10), action="one", share=0)
    assert (holdout.draw(people(10), action="one", share=0, reason="the regulator asks for everybody")["arm"] == "treated").all()
    for wrong in (-0.1, 0.6):
        with pytest.raises(DataError, match=r"between 0 and 0\.5"):
            holdout.draw(people(10), action="one", share=wrong)
    with pytest.raises(DataError, match="'p0000' twice"):
        holdout.draw(pd.concat([people(3), people(1)]), action="one")
    assert holdout.draw(people(0), action="one").empty


def test_the_log_is_an_actions_table_and_the_plan_reads_it_as_decided_by_lot(tmp_path):
    drawn = holdout.draw(people(40), action="one")
    log = holdout.log(drawn, action="one", day=dt.date(2026, 1, 1))
    assert set(log.columns) <= {column.name for column in schema.TABLES["actions"]}
    assert {column.name for column in schema.TABLES["actions"] if column.required} <= set(log.columns)
    assert log["arm"].value_counts().to_dict() == {"treated": 36, "control": 4}
    (tmp_path / "plan.toml").write_text(holdout.plan(action="one", name='Those "just below"', why="they said so", day=dt.date(2026, 1, 1), share=0.1), "utf-8")
    action = plan.read(tmp_path).actions[0]
    assert (action.design, action.share, action.name, action.start) == ("randomised", 0.9, 'Those "just below"', dt.date(2026, 1, 1))


def test_fault_5_a_programme_without_holdout_says_why(tiny):
    from small import TINY

    from cxlib import programme as programmes

    with pytest.raises(DataError, match=r"holdout\.share.*needs a reason"):
        programmes.read(tiny(toml=TINY + "\n[holdout]\nshare = 0\n", name="none"))
    assert programmes.read(tiny(toml=TINY + '\n[holdout]\nshare = 0\nreason = "everybody is called by law"\n', name="told")).holdout.share == 0
    assert programmes.read(tiny(name="usual")).holdout.share == 0.1
