"""How long customers stay and what that is worth: against published survival, closed forms and simulation."""


import numpy as np
import pandas as pd
import pytest
from small import SHARED

from cxlib.act import lifetime
from cxlib.errors import DataError


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {path}: the public data beside the repository")
    return path


@pytest.mark.shared
def test_median_of_lung_is_310_and_errors_are_greenwoods():
    lung = pd.read_csv(shared("reference/lung.csv"))
    curve = lifetime.survival(lung.assign(left=lung["status"] == 2), days="time")
    assert curve.loc[curve["estimate"] <= 0.5, "day"].iloc[0] == 310
    from statsmodels.duration.survfunc import SurvfuncRight

    other = SurvfuncRight(lung["time"], (lung["status"] == 2).astype(int))
    assert curve["estimate"].tolist() == pytest.approx(list(other.surv_prob))
    assert curve["std_error"].iloc[:-1].tolist() == pytest.approx(list(other.surv_prob_se)[:-1])


@pytest.mark.shared
def test_the_snapshot_of_telco_is_another_figure_with_delayed_entry():
    # METHODS 6: S(12) .843437, S(24) .788958, S(72) .592957 as arithmetic only; .112 if churn was seen in one quarter only
    folder = shared("telco")
    services, status = (pd.read_csv(next(folder.glob(f"*{part}*"))) if next(folder.glob(f"*{part}*")).suffix == ".csv" else pd.read_parquet(next(folder.glob(f"*{part}*"))) for part in ("ervices", "tatus"))
    both = services.merge(status, on="Customer ID")
    frame = pd.DataFrame({"days": both["Tenure in Months"].astype(float), "left": both["Churn Value"] == 1})
    frame = frame[frame["days"] > 0]
    curve = lifetime.survival(frame).set_index("day")["estimate"]
    assert [curve[12], curve[24], curve[72]] == pytest.approx([0.843437, 0.788958, 0.592957], abs=5e-7)
    late = lifetime.survival(frame.assign(entry=(frame["days"] - 3).clip(lower=0)), entry="entry").set_index("day")["estimate"]
    assert late[12] == pytest.approx(0.112, abs=5e-4)


def test_delayed_entry_matches_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight

    rng = np.random.default_rng(1)
    entry = rng.uniform(0, 40, 400).round()
    frame = pd.DataFrame({"entry": entry, "days": entry + rng.exponential(30, 400).round() + 1, "left": rng.random(400) < 0.7})
    curve = lifetime.survival(frame, entry="entry")
    other = SurvfuncRight(frame["days"], frame["left"].astype(int), entry=frame["entry"])
    assert curve["estimate"].tolist() == pytest.approx(list(other.surv_prob))


def company(seed, *, n=1500, rate=0.02, start="2015-01-01", file_from="2022-01-01", until="2025-12-31", falling=False):
    """Customers who joined evenly, leave at a monthly rate, and are in the file only if they had not left before it began."""
    rng = np.random.default_rng(seed)
    days = (pd.Timestamp(until) - pd.Timestamp(start)).days
    joined = pd.Timestamp(start) + pd.to_timedelta(rng.integers(0, days, n * 4), unit="D")
    stay = rng.exponential(1, n * 4)
    stay = np.where(stay < 0.4, stay / 0.04, 10 + (stay - 0.4) / 0.01) if falling else stay / rate  # four in a hundred a month for ten months, then one
    left = joined + pd.to_timedelta((stay * lifetime.MONTH).round(), unit="D")
    people = pd.DataFrame({"person_id": np.arange(n * 4).astype(str), "joined_on": joined, "left_on": pd.Series(left).where(left <= pd.Timestamp(until))})
    return people[~(people["left_on"] < pd.Timestamp(file_from))].head(n).reset_index(drop=True)


def test_without_delayed_entry_everybody_looks_loyal():
    people = company(1)
    right = lifetime.tenures(people, until="2025-12-31")
    assert right.attrs["since"] < pd.Timestamp("2022-02-01")
    naive = lifetime.tenures(people, until="2025-12-31", since="2015-01-01")
    assert right["left"].sum() / (right["days"] - right["entry"]).sum() * lifetime.MONTH == pytest.approx(0.02, rel=0.1)
    assert naive["left"].sum() / naive["days"].sum() * lifetime.MONTH < 0.014


@pytest.mark.parametrize("worlds", [80, pytest.param(2000, marks=pytest.mark.slow)])
def test_expected_months_cover_at_a_constant_rate(worlds):
    truth = (1 - np.exp(-0.02 * 36)) / 0.02  # undiscounted months of the next 36
    hits, estimates = 0, []
    for seed in range(worlds):
        found = lifetime.remaining(lifetime.tenures(company(seed, n=600), until="2025-12-31"), months=36)
        hits += abs(found["estimate"] - truth) <= 1.959964 * found["std_error"]
        estimates.append(found["estimate"])
    assert np.mean(estimates) == pytest.approx(truth, rel=0.01)
    assert hits / worlds >= 0.95 - 2.6 * np.sqrt(0.95 * 0.05 / worlds) - 0.01


def test_discount_and_profile_are_those_of_the_closed_form():
    watched = lifetime.tenures(company(3, n=2000), until="2025-12-31")
    plain, paid = lifetime.remaining(watched, months=24), lifetime.remaining(watched, months=24, discount=0.1)
    by_month = plain["profile"] * plain["estimate"]
    assert paid["estimate"] == pytest.approx((by_month * 1.1 ** (-(np.arange(24) + 0.5) / 12)).sum())
    assert plain["profile"].sum() == pytest.approx(1)
    assert plain["still"] < 1
    assert 0 <= plain["carried"] < 0.2


def test_a_rate_that_falls_with_tenure_is_followed():
    table = lifetime.rates(lifetime.tenures(company(4, n=4000, falling=True), until="2025-12-31"))
    assert table["rate"].iloc[0] == pytest.approx(0.04, rel=0.15)
    assert table["rate"].iloc[-1] == pytest.approx(0.01, rel=0.25)
    assert table["end"].iloc[-1] == np.inf
    assert (table["gone"] >= 1).all()


def test_margin_a_month_is_a_ratio_with_customers_as_clusters():
    people = pd.DataFrame({"person_id": ["a", "b"], "joined_on": pd.to_datetime(["2020-01-01", "2020-01-01"]), "left_on": pd.to_datetime([None, "2025-07-02"])})
    orders = pd.DataFrame({"person_id": ["a", "a", "b", "z"], "ordered_on": pd.to_datetime(["2025-02-01", "2025-08-01", "2025-03-01", "2025-03-01"]), "margin": [60.0, 60.0, 30.0, 999.0]})
    found = lifetime.margins(people, orders, until="2025-12-31")
    assert found["estimate"] == pytest.approx(150 / (365 + 182) * lifetime.MONTH, rel=0.01)
    assert found["largest"] == pytest.approx(0.8)
    with pytest.raises(DataError, match="carry no margin"):
        lifetime.margins(people, orders.assign(margin=np.nan), until="2025-12-31")


def test_values_by_segment_and_what_has_no_rate():
    people = company(5).assign(contract=lambda f: np.where(f.index < 20, "rare", np.where(f.index % 2, "contract", "prepaid")))
    rng = np.random.default_rng(1)
    orders = pd.DataFrame({"person_id": np.repeat(people["person_id"].to_numpy(), 3), "ordered_on": pd.Timestamp("2025-06-01") + pd.to_timedelta(rng.integers(0, 200, 3 * len(people)), unit="D"), "margin": rng.gamma(3, 10, 3 * len(people))})
    found = lifetime.values(people, orders, until="2025-12-31", by="contract").set_index("segment")
    assert found.index.tolist() == ["", "contract", "prepaid", "rare"]
    assert "10 leavers are needed" in found.loc["rare", "note"]
    assert (found["conf_low"] < found["estimate"]).drop("rare").all()
    assert found.loc["", "plain"] > found.loc["", "estimate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"joined_on": pd.NaT}, "day of joining"), ({"left_on": pd.Timestamp("2010-01-01")}, "left on 2010-01-01, before joining")],
)
def test_dates_that_cannot_be_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        lifetime.tenures(company(1, n=30).assign(**change), until="2025-12-31")
