"""Buying again without a contract: against the published CDNOW values, closed forms and simulation."""


import numpy as np
import pandas as pd
import pytest
from small import SHARED

from cxlib.act import buying, spending
from cxlib.errors import DataError

PAPER = (0.24259, 4.41353, 0.79289, 2.42575)


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {path}: the public data beside the repository")
    return path


@pytest.fixture(scope="module")
def sample():
    frame = pd.read_csv(shared("reference/cdnow_customers_summary.csv"))
    return frame.rename(columns={"frequency": "x", "T": "age"})


@pytest.fixture(scope="module")
def cdnow():
    frame = pd.read_parquet(shared("purchases/cdnow_master_to_1997-09-30.parquet"))
    return frame.rename(columns={"customer_id": "person_id", "date": "ordered_on", "dollar_value": "amount"})


@pytest.mark.shared
def test_bgnbd_matches_fader_hardie_lee_2005_on_the_cdnow_sample(sample):
    found = buying.fit(sample)
    assert found["estimate"].tolist() == pytest.approx(PAPER, abs=6e-6)
    assert found["log_likelihood"].iloc[0] == pytest.approx(-9582.4256, abs=5e-5)
    assert found["n"].iloc[0] == 2357


@pytest.mark.shared
def test_mbgnbd_matches_btydplus_on_the_cdnow_sample(sample):
    # BTYDplus (Platzer) and the tests of lifetimes: r .525, alpha 6.183, a .891, b 1.614
    assert buying.fit(sample, model="mbg")["estimate"].tolist() == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=5e-4)


@pytest.mark.shared
def test_all_of_cdnow_counts_days_and_not_rows(cdnow):
    # METHODS 5: all 23,570 customers to 1997-09-30, days / 7
    known = buying.histories(cdnow, until="1997-09-30")
    found = buying.fit(known)
    assert found["estimate"].tolist() == pytest.approx([0.25162, 4.78894, 0.72343, 2.16109], abs=6e-6)
    assert found["log_likelihood"].iloc[0] == pytest.approx(-95368.44, abs=5e-3)
    patterns = known.groupby(["x", "recency", "age"]).size().rename("count").reset_index()
    assert buying.fit(patterns, count="count")["estimate"].tolist() == pytest.approx(found["estimate"].tolist(), rel=1e-6)


@pytest.mark.shared
def test_holdout_of_cdnow_holds_what_came(cdnow):
    found = buying.holdout(cdnow, split="1997-06-30", until="1997-09-30", model="mbg").set_index("bought")
    assert found.loc["all", "inside"]
    assert found["actual"].drop("all").sum() == found.loc["all", "actual"] == 7293
    assert found["inside"].drop("all").sum() >= 7  # of eight groups; BG/NBD holds three of them


def test_conditional_expectation_matches_hardies_spreadsheet():
    one = pd.DataFrame({"x": [2], "recency": [30.43], "age": [38.86]})
    assert buying.purchases(one, PAPER, ahead=39)[0] == pytest.approx(1.226, abs=5e-4)
    times = [0.1429, 1.0, 3.00, 31.8571, 32.00, 78.00]
    assert buying.expected(times, PAPER) == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], rel=2e-4, abs=5e-5)


def test_counts_of_new_customers_match_btyd():
    given = (0.243, 4.414, 0.793, 2.426)
    assert buying.chances([0], given, time=39)[0] == pytest.approx(0.5737864, abs=5e-8)
    assert buying.chances([10], given, time=2)[0] == pytest.approx(1.07869e-07, rel=1e-5)
    assert buying.chances(range(11, 14), given, time=30) == pytest.approx([0.0019995214, 0.0015170236, 0.0011633150], abs=5e-10)
    assert buying.chances(range(400), given, time=30).sum() == pytest.approx(1, abs=1e-9)


def test_quadrature_equals_the_formula_with_2f1():
    from scipy.special import hyp2f1

    r, alpha, a, b = PAPER
    for x, t, T in ((0, 0.0, 20.0), (2, 30.43, 38.86), (29, 38.0, 39.0)):
        one = pd.DataFrame({"x": [x], "recency": [t], "age": [T]})
        z = 39 / (alpha + T + 39)
        top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + 39)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z))
        formula = top / (1 + (x > 0) * a / (b + max(x, 1) - 1) * ((alpha + T) / (alpha + t)) ** (r + x))
        assert buying.purchases(one, PAPER, ahead=39)[0] == pytest.approx(formula, rel=1e-9)
    assert np.isfinite(buying.purchases(one, (0.24, 4.4, 1.0, 2.4), ahead=39)).all()  # a = 1 is a pole of the formula


def test_customers_who_never_stop_are_not_lost_in_overflow():
    """b in the thousands (nobody stops) leaves a Poisson with gamma rates: r / alpha a unit of time."""
    one = pd.DataFrame({"x": [4], "recency": [30.0], "age": [40.0]})
    assert buying.purchases(one, (2.0, 10.0, 0.5, 1e7), ahead=20)[0] == pytest.approx(20 * (2 + 4) / (10 + 40), rel=1e-4)


def test_gamma_gamma_matches_hardies_note_25():
    # p 6.25, q 3.74, gamma 15.44; the first ten customers of the sample: repeat purchases and their mean
    frame = pd.DataFrame({"x": [2, 1, 0, 7, 1, 2], "spend": [22.35, 11.77, np.nan, 73.74, 11.77, 25.55]})
    assert spending.expected(frame, (6.25, 3.74, 15.44)) == pytest.approx([24.65, 18.91, 35.17, 71.46, 18.91, 27.28], abs=0.06)


def test_one_time_buyers_are_never_a_churn_risk_under_bgnbd():
    """METHODS 5: P(alive | x = 0) = 1 by construction; MBG/NBD can tell."""
    once = pd.DataFrame({"x": [0, 0], "recency": [0.0, 0.0], "age": [1.0, 500.0]})
    assert buying.alive(once, PAPER).tolist() == [1, 1]
    chances = buying.alive(once, PAPER, model="mbg")
    assert chances[1] < chances[0] < 1


def world(seed, *, n=4000, r=0.6, alpha=6.0, a=0.8, b=2.0, weeks=60.0):
    """Customers who buy by gamma rates and stop after a purchase by beta chances: what BG/NBD assumes."""
    rng = np.random.default_rng(seed)
    rate, stop, age = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.uniform(weeks / 2, weeks, n)
    x, recency, clock = np.zeros(n, int), np.zeros(n), np.zeros(n)
    going = np.ones(n, bool)
    while going.any():
        clock = clock + rng.exponential(1, n) / rate
        going &= clock <= age
        x[going] += 1
        recency[going] = clock[going]
        going &= rng.random(n) > stop
    return pd.DataFrame({"x": x, "recency": recency, "age": age})


@pytest.mark.parametrize("worlds", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_intervals_of_the_parameters_cover(worlds):
    truth = np.array([0.6, 6.0, 0.8, 2.0])
    inside = []
    for seed in range(worlds):
        found = buying.fit(world(seed, n=2000))
        inside.append(((found["conf_low"] <= truth) & (truth <= found["conf_high"])).to_numpy())
    low = 0.95 - 2.6 * np.sqrt(0.95 * 0.05 / worlds)
    assert (np.mean(inside, axis=0) >= min(low, 0.93)).all()


def test_drawn_purchases_have_the_expected_mean():
    frame = world(1, n=3000)
    found = buying.fit(frame)
    made = buying.drawn(frame, found, ahead=26, draws=100, parameters_vary=False)
    assert made.mean() == pytest.approx(buying.purchases(frame, found, ahead=26).mean(), rel=0.02)
    discounted = buying.purchases(frame, found, ahead=26, discount=np.log(1.1) / 52).sum()
    assert 0.95 < discounted / buying.purchases(frame, found, ahead=26).sum() < 0.99


def test_gamma_gamma_finds_its_own_parameters():
    rng = np.random.default_rng(3)
    n = 6000
    x = rng.geometric(0.4, n)
    z = rng.gamma(6.0 * x, 1 / (x * rng.gamma(4.0, 1 / 15.0, n)))
    found = spending.fit(pd.DataFrame({"x": x, "spend": z}))
    assert (found["conf_low"] < [6, 4, 15]).all()
    assert (found["conf_high"] > [6, 4, 15]).all()
    assert abs(found.attrs["correlation"]) < 0.05


def orders(*rows):
    return pd.DataFrame(rows, columns=["person_id", "ordered_on", "amount"]).assign(ordered_on=lambda f: pd.to_datetime(f["ordered_on"]))


def test_two_orders_of_a_day_are_one_purchase_and_returns_lower_the_value():
    made = buying.histories(orders(("a", "2026-01-01", 10), ("a", "2026-01-08", 20), ("a", "2026-01-08", 5), ("a", "2026-01-15", -25), ("b", "2026-01-05", 7), (None, "2026-01-06", 7)), until="2026-01-29")
    one, two = made.to_dict("records")
    assert (one["x"], one["recency"], one["age"], one["repeat"], one["total"], one["returned"]) == (1, 1.0, 4.0, 0.0, 10.0, -25.0)
    assert (two["x"], two["recency"]) == (0, 0.0)
    assert np.isnan(two["spend"])
    assert made.attrs["nobody"] == 1


def test_a_history_that_cannot_be_is_refused():
    with pytest.raises(DataError, match=r"Row 2 .* recency lies between 0 and the age"):
        buying.fit(pd.DataFrame({"x": [0, 1], "recency": [0.0, 9.0], "age": [5.0, 5.0]}))
    with pytest.raises(DataError, match="value of a purchase needs ten"):
        spending.fit(pd.DataFrame({"x": [1], "spend": [3.0]}))
    with pytest.raises(DataError, match="carry no margin"):
        buying.histories(orders(("a", "2026-01-01", 1)).assign(margin=np.nan), until="2026-02-01", value="margin")


def test_a_flat_likelihood_is_said():
    same = pd.DataFrame({"x": [0] * 50, "recency": [0.0] * 50, "age": [10.0] * 50})
    assert "flat" in buying.fit(same)["note"].iloc[0]
