"""The ledger against published procedures and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import DataError
from cxlib.measure import ledger


def rows_of(p, *, study="02", family="f", kind="secondary"):
    p = np.asarray(p, dtype=float)
    return pd.DataFrame(
        {"test_id": [f"{kind}{study}{family}{k}" for k in range(len(p))], "study": study, "family": family, "kind": kind, "what": "", "n": 100}
    ).assign(estimate=1.0, conf_low=0.5, conf_high=1.5, p=p)


# Benjamini and Hochberg 1995, table of 15 p-values: four are rejected at 5 %, Bonferroni and Holm reject three
BH1995 = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]


def test_bh_and_holm_match_benjamini_and_hochberg_1995():
    out = ledger.adjust(rows_of(BH1995, kind="primary"))
    assert (out.p_bh <= 0.05).sum() == 4
    assert (out.p_holm <= 0.05).sum() == 3
    assert out.p_bh.to_numpy() == pytest.approx(stats.false_discovery_control(BH1995))
    assert out.p_by.to_numpy() == pytest.approx(stats.false_discovery_control(BH1995, method="by"))


def test_holm_matches_statsmodels():
    from statsmodels.stats.multitest import multipletests

    out = ledger.adjust(rows_of(BH1995, kind="primary"))
    assert out.p_holm.to_numpy() == pytest.approx(multipletests(BH1995, method="holm")[1])


def test_an_exploratory_segment_more_changes_no_headline():
    base = pd.concat([rows_of([0.001, 0.02, 0.4], kind="primary"), rows_of([0.001, 0.3], family="g")])
    more = pd.concat([rows_of(np.r_[np.full(50, 1e-6), np.full(500, 0.9)], family="h", kind="exploratory"), base])
    a, b = (ledger.adjust(tests).set_index("test_id") for tests in (base, more))
    pd.testing.assert_frame_equal(a, b.loc[a.index])
    assert b.survives.any()


def test_checks_are_recorded_and_never_adjusted():
    base = rows_of([0.01, 0.02], kind="primary")
    out = ledger.adjust(pd.concat([base, rows_of([1e-9, 0.7], kind="check", family="pre-trend")]))
    checks = out[out.kind == "check"]
    assert not checks.survives.any()
    assert checks[["p_bh", "p_holm", "p_adjusted"]].isna().all(axis=None)
    assert out.p_holm[:2].tolist() == ledger.adjust(base).p_holm.tolist()


def test_a_test_without_p_counts_nowhere():
    with_gap = ledger.adjust(rows_of([0.01, np.nan, 0.02], kind="primary"))
    assert with_gap.p_holm.dropna().tolist() == ledger.adjust(rows_of([0.01, 0.02], kind="primary")).p_holm.tolist()
    assert not with_gap.survives[1]


def test_rows_keep_their_order_and_an_empty_ledger_stays_empty():
    tests = rows_of([0.5, 1e-7, 0.2]).iloc[[2, 0, 1]]
    assert ledger.adjust(tests).test_id.tolist() == tests.test_id.tolist()
    assert len(ledger.adjust(ledger.empty())) == 0


def test_survivors_intervals_are_widened_for_having_been_selected():
    out = ledger.adjust(rows_of([1e-8, *[0.5] * 9]))
    factor = stats.norm.ppf(1 - 0.05 / 10 / 2) / stats.norm.ppf(0.975)
    assert out.conf_low_adj[0] == pytest.approx(1 - 0.5 * factor)
    assert out.conf_low_adj[1] == 0.5


def test_every_opened_family_keeps_a_survivor():
    rng = np.random.default_rng(1)
    for _ in range(200):
        tests = pd.concat([rows_of(rng.uniform(size=5) ** rng.integers(1, 9), family=f"f{k}") for k in range(6)])
        out = ledger.adjust(tests)
        opened = out[out.p_family <= 0.05 * 0.3].groupby("family").survives.any()
        assert opened.all()
        assert not out[out.p_family > 0.05 * 0.3].survives.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"kind": "exploratry"}, "did you mean exploratory"), ({"p": 1.2}, "outside 0..1"), ({"test_id": "a"}, "twice")],
)
def test_a_broken_ledger_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        ledger.adjust(rows_of([0.1, 0.2]).assign(**change))


def worlds(count, build):
    return [ledger.adjust(build(np.random.default_rng(seed))) for seed in range(count)]


def at_most_5_percent(hits, count):
    return stats.binomtest(int(hits), count, 0.05, "greater").pvalue > 0.005


SIZES = [200, pytest.param(2000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("kinds", [("secondary", "secondary"), ("primary", "primary"), ("primary", "exploratory")])
def test_twenty_nulls_beside_a_hundred_sure_effects_claim_in_at_most_5_percent(count, kinds):
    pooled = hits = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        null = rng.uniform(size=20)
        tests = pd.concat([rows_of(np.full(100, 1e-6), study="02", kind=kinds[0]), rows_of(null, study="04", kind=kinds[1])])
        hits += ledger.adjust(tests).query("study == '04'").survives.any()
        pooled += (stats.false_discovery_control(np.r_[np.full(100, 1e-6), null])[100:] <= 0.05).any()
    assert at_most_5_percent(hits, count)
    assert pooled / count > 0.5  # METHODS 0: one pool over everything, 60 %


@pytest.mark.parametrize("count", SIZES)
def test_a_run_in_which_nothing_happens_claims_something_in_at_most_5_percent(count):
    build = lambda rng: pd.concat(
        [rows_of(rng.uniform(size=10), kind="primary", study="03")]
        + [rows_of(rng.uniform(size=12), study=f"0{k}") for k in range(2, 7)]
        + [rows_of(rng.uniform(size=30), study=f"0{k}", kind="exploratory", family="segments") for k in range(2, 7)]
    )
    assert at_most_5_percent(sum(out.survives.any() for out in worlds(count, build)), count)


def test_sure_effects_survive_in_every_tier():
    build = pd.concat([rows_of([1e-5, *[0.5] * 9], kind=kind, family=kind) for kind in ("primary", "secondary", "exploratory")])
    assert ledger.adjust(build).groupby("kind").survives.sum().tolist() == [1, 1, 1]
