"""What topics explain beside ratings: closed forms on orthogonal columns, the level of the test, and what is said where nothing can be estimated."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib.measure import blocks, decomposition


def world(n=400, *, rating=1.0, topic=0.0, seed=0, linked=0.0):
    rng = np.random.default_rng(seed)
    service = rng.normal(size=n)
    waiting = (rng.random(n) < 1 / (1 + np.exp(1.2 + linked * service))).astype(float)
    score = np.clip(np.round(7 + rating * service - topic * waiting + rng.normal(size=n)), 0, 10)
    return pd.DataFrame({"recommend": score, "service": service, "topic waiting": waiting, "weight": 1.0, "unit": np.arange(n).astype(str)})


def test_blocks_of_orthogonal_columns_are_their_own_squared_correlations():
    """A full factorial: R2 of each block is its squared correlation, both add up, and so do the Shapley values."""
    a, b = np.tile([-1.0, -1, 1, 1], 60), np.tile([0.0, 1, 0, 1], 60)
    frame = pd.DataFrame({"score": 3 + a + 0.0 * b, "a": a, "topic b": b, "weight": 1.0})
    frame["score"] = 3 + a + np.where(b == 1, 0.5, -0.5) + np.repeat(np.tile([0.5, -0.5], 30), 4)  # the rest is orthogonal to both
    found = blocks.beside(frame, kpi="score", definition="mean_of_5", first=["a"], second=["topic b"], cluster=None, replicates=50).set_index("part")
    n, total = 240, 1 + 0.25 + 0.25
    adjusted = lambda r2, p: 1 - (1 - r2) * (n - 1) / (n - p - 1)
    assert found.loc["first", "estimate"] == pytest.approx(adjusted(1 / total, 1))
    assert found.loc["second", "estimate"] == pytest.approx(adjusted(0.25 / total, 1))
    assert found.loc["both", "estimate"] == pytest.approx(adjusted(1.25 / total, 2))
    assert found.loc[["shapley of first", "shapley of second"], "estimate"].sum() == pytest.approx(found.loc["both", "estimate"])
    assert found.loc["added by second", "p"] == pytest.approx(1 / 51)


def test_what_topics_add_is_found_and_what_ratings_say_already_is_not():
    adds = blocks.beside(world(topic=1.2), kpi="recommend", definition="mean_0_10", first=["service"], second=["topic waiting"], cluster="unit", replicates=120).set_index("part")
    assert adds.loc["added by second", "p"] < 0.05
    assert adds.loc["added by second", "conf_low"] > 0
    says_it = blocks.beside(world(linked=1.5), kpi="recommend", definition="mean_0_10", first=["service"], second=["topic waiting"], cluster="unit", replicates=120).set_index("part")
    assert says_it.loc["second", "estimate"] > 0.05
    assert says_it.loc["added by second", "p"] > 0.05


def test_the_test_keeps_its_level_though_topics_follow_ratings():
    """60 worlds in which a topic goes with the rating and adds nothing: at most 8 of 60 below .05 (more in .5 % of such tests, binomial)."""
    p = [blocks.beside(world(150, seed=seed, linked=1.0), kpi="recommend", definition="mean_0_10", first=["service"], second=["topic waiting"], cluster="unit", replicates=40).set_index("part").loc["added by second", "p"] for seed in range(60)]
    assert sum(value < 0.05 for value in p) <= 8


def test_too_few_answers_are_said_and_not_estimated():
    found = blocks.beside(world(60), kpi="recommend", definition="mean_0_10", first=["service"], second=["topic waiting"])
    assert found["estimate"].isna().all()
    assert found["note"].str.contains("60 answers have both, and 100 are needed").all()
    silent = blocks.beside(world().assign(**{"topic waiting": np.nan}), kpi="recommend", definition="mean_0_10", first=["service"], second=["topic waiting"])
    assert silent["note"].str.startswith("not estimable").all()


def test_a_topic_that_doubles_takes_its_part_of_the_move_and_the_parts_add_up():
    rng, rows = np.random.default_rng(5), []
    for wave, share in (("a", 0.1), ("b", 0.4)):
        waits = (rng.random(900) < share).astype(float)
        rows.append(pd.DataFrame({"survey": "s", "wave": wave, "quarter": f"2026Q{1 + (wave == 'b')}", "topic waiting": waits, "topic price": (rng.random(900) < 0.3).astype(float), "recommend": np.clip(np.round(8 - 3 * waits + rng.normal(size=900)), 0, 10), "weight": 1.0, "person_id": None}))
    answers = pd.concat(rows, ignore_index=True)
    kpi = SimpleNamespace(id="mean", item="recommend", definition="mean_0_10")
    programme = SimpleNamespace(surveys=[SimpleNamespace(id="s", promise="confidential")], limits=SimpleNamespace(min_cell=10), items=[SimpleNamespace(id="why", kind="verbatim", surveys=("s",))], coded=(), breaks=lambda *_: [])
    found = decomposition.mentions(answers, {"s": ["topic waiting", "topic price"]}, kpi, programme=programme).set_index("driver")
    assert found.loc["topic waiting", "conf_low"] < -3 * 0.3 < found.loc["topic waiting", "conf_high"] < 0
    assert found.loc["topic price", "conf_low"] < 0 < found.loc["topic price", "conf_high"]
    parts = found.drop("all")["estimate"].sum()
    assert parts == pytest.approx(found.loc["all", "estimate"])
    assert decomposition.mentions(answers[answers["wave"] == "a"], {"s": ["topic waiting"]}, kpi, programme=programme).empty
    programme.breaks = lambda survey, item: [(SimpleNamespace(quarter="2026Q2"), "wording")] if item == "why" else []
    assert decomposition.mentions(answers, {"s": ["topic waiting", "topic price"]}, kpi, programme=programme).empty, "a share can move because the question did"
