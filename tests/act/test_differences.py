"""Difference-in-differences against published numbers, closed forms and worlds whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.act import differences, grades
from cxlib.act.contrasts import bootstrap, panel
from cxlib.errors import DataError


def stores(shared):
    rows = pd.read_csv(shared / "causal" / "card-krueger.csv.gz")
    return pd.DataFrame({"unit": rows["id"].astype(str), "period": rows["d"], "value": rows["fte"], "first": np.where(rows["nj"] == 1, 1.0, np.nan)})


@pytest.mark.shared
def test_card_krueger_all_available_and_balanced(shared):
    """METHODS 5: +2.753606 of all available stores; +2.750000 of the 384 balanced ones, HC2 standard error 1.342."""
    cells = stores(shared)
    assert differences.overall(cells, complete=False)["estimate"].iloc[0] == pytest.approx(2.753606, abs=5e-7)
    row = differences.overall(cells).iloc[0]
    assert (row.n_treated + row.n_control, row.incomplete) == (384, 26)
    assert (row.estimate, row.std_error) == (pytest.approx(2.75, abs=5e-7), pytest.approx(1.342, abs=5e-4))
    assert row.times == row.n_treated


@pytest.mark.shared
def test_organ_donations_by_permutation(shared):
    """METHODS 5: -.022459 for the one treated state; its clustered error is invalid, the permutation gives p = 5/27."""
    rows, order = pd.read_csv(shared / "reference" / "organ_donations.csv"), ["Q42010", "Q12011", "Q22011", "Q32011", "Q42011", "Q12012"]
    cells = pd.DataFrame({"unit": rows["State"], "period": rows["Quarter"].map(order.index), "value": rows["Rate"], "first": np.where(rows["State"] == "California", 3.0, np.nan)})
    row = differences.overall(cells).iloc[0]
    assert (row.estimate, row.p) == (pytest.approx(-0.022459, abs=5e-7), pytest.approx(5 / 27))
    assert np.isnan(row.std_error)
    assert row.conf_low < 0 < row.conf_high
    assert differences.two_way(cells)["estimate"].iloc[0] == pytest.approx(-0.022459, abs=5e-7)
    assert differences.permutation(cells)["rank"].iloc[0] == 5


@pytest.mark.shared
def test_two_way_matches_pyfixest_on_organ_donations_and_card_krueger(shared):
    """pyfixest 0.60.0, `feols("y ~ treated | unit + period", vcov={"CRV1": unit})`: coefficient and clustered error to the last digits (that of one treated state is invalid all the same)."""
    rows, order = pd.read_csv(shared / "reference" / "organ_donations.csv"), ["Q42010", "Q12011", "Q22011", "Q32011", "Q42011", "Q12012"]
    cells = pd.DataFrame({"unit": rows["State"], "period": rows["Quarter"].map(order.index), "value": rows["Rate"], "first": np.where(rows["State"] == "California", 3.0, np.nan)})
    row = differences.two_way(cells).iloc[0]
    assert (row.estimate, row.std_error_crv1) == (pytest.approx(-0.02245897435897436, abs=1e-12), pytest.approx(0.006131232005640858, abs=1e-12))
    row = differences.two_way(stores(shared)).iloc[0]
    assert (row.estimate, row.std_error_crv1) == (pytest.approx(2.7499999999999987, abs=1e-10), pytest.approx(1.3377230281804695, abs=1e-10))


def test_two_way_matches_pyfixest_where_dates_are_staggered():
    """60 units of bench/effects.py's panel over 12 periods, seed 3; pyfixest 0.60.0 prints .13117365553756732 and, clustered by unit, .14691256979177789."""
    rng, units, periods = np.random.default_rng(3), 60, 12
    first, time = np.where(np.arange(units) < 24, np.resize([8.0, 10.0, 12.0], units), np.nan), np.arange(periods)
    value = rng.normal(size=(units, 1)) + rng.normal(size=(units, periods)) + 0.3 * (time >= first[:, None])
    rows = pd.DataFrame({"unit": np.repeat(np.arange(units), periods), "period": np.tile(time, units), "value": value.ravel(), "first": np.repeat(first, periods)})
    row = differences.two_way(rows, replicates=2000).iloc[0]
    assert (row.estimate, row.std_error_crv1) == (pytest.approx(0.13117365553756732, abs=1e-12), pytest.approx(0.14691256979177789, abs=1e-12))
    assert row.std_error_boot == pytest.approx(row.std_error_crv1, rel=0.1)


def world(seed, *, units=24, periods=24, effect=0.0, drift=0.0, grows=0.0, staggered=True, weights=False, noise=1.0):
    """Units with levels of their own, a season all share, noise that lasts; half treated from three dates on; treated ones may drift all along."""
    rng = np.random.default_rng(seed)
    first = np.full(units, np.nan)
    first[: units // 2] = np.resize([10, 13, 16] if staggered else [12], units // 2)
    time = np.arange(periods)
    shock = rng.normal(0, noise, (units, periods))
    for t in range(1, periods):
        shock[:, t] = 0.4 * shock[:, t - 1] + np.sqrt(1 - 0.16) * shock[:, t]
    value = rng.normal(20, 5, (units, 1)) + 3 * np.sin(time / 2) + shock + drift * time * ~np.isnan(first)[:, None]
    since = time - first[:, None]
    value = value + np.where(since >= 0, effect + grows * since, 0.0)
    rows = {"unit": np.repeat([f"u{k:02d}" for k in range(units)], periods), "period": np.tile(time, units), "value": value.ravel(), "first": np.repeat(first, periods)}
    if weights:
        rows["weight"] = np.repeat(rng.integers(50, 400, units).astype(float), periods)
    return pd.DataFrame(rows)


def test_two_periods_and_one_date_are_welch_on_the_changes():
    rng = np.random.default_rng(3)
    change = {"t": rng.normal(1, 2, 9), "c": rng.normal(0, 1, 14)}
    rows = [(f"{arm}{k}", period, 5.0 + period * value, 1.0 if arm == "t" else np.nan) for arm, values in change.items() for k, value in enumerate(values) for period in (0, 1)]
    row = differences.overall(pd.DataFrame(rows, columns=["unit", "period", "value", "first"])).iloc[0]
    welch = stats.ttest_ind(change["t"], change["c"], equal_var=False)
    assert [row.estimate, row.p, row.df] == pytest.approx([change["t"].mean() - change["c"].mean(), welch.pvalue, welch.df])
    assert [row.conf_low, row.conf_high] == pytest.approx(list(welch.confidence_interval()))


def test_group_time_effects_have_no_negative_weights_where_effects_grow():
    """Two-way fixed effects take units treated earlier for controls: with growing effects they miss the mean, group-time effects do not (Goodman-Bacon 2021)."""
    cells = world(1, grows=1.0, units=200, noise=0.1)
    treated = cells[cells["period"] >= cells["first"]]
    truth = float((treated["period"] - treated["first"]).mean())
    assert differences.overall(cells)["estimate"].iloc[0] == pytest.approx(truth, abs=0.05)
    assert differences.overall(cells, base="last")["estimate"].iloc[0] == pytest.approx(truth, abs=0.08)
    assert differences.two_way(cells)["estimate"].iloc[0] < truth - 0.5
    path = differences.by_period(cells).set_index("since")["estimate"]
    assert path.loc[0:7].to_numpy() == pytest.approx(np.arange(8), abs=0.1)
    assert path.loc[:-1].abs().max() < 0.1


def test_two_way_matches_a_regression_with_dummies():
    import statsmodels.formula.api as smf

    cells = world(4, effect=1.0, units=12, periods=20).assign(treated=lambda rows: (rows["period"] >= rows["first"]).astype(float))
    fit = smf.ols("value ~ treated + C(unit) + C(period)", cells).fit()
    assert differences.two_way(cells)["estimate"].iloc[0] == pytest.approx(fit.params["treated"])


def test_weights_are_customers():
    """A unit of weight 3 counts like three units of its kind; the estimate is multiplied by the treated customers of all treated periods."""
    cells = world(5, effect=2.0, weights=True).assign(weight=lambda rows: np.where(rows["unit"] == "u00", 3.0, 1.0))
    three = pd.concat([cells, *(cells[cells["unit"] == "u00"].assign(unit=f"copy{k}") for k in (1, 2))]).assign(weight=1.0)
    one, other = differences.overall(cells).iloc[0], differences.overall(three).iloc[0]
    assert [one.estimate, one.times] == pytest.approx([other.estimate, other.times])


def test_bootstrap_agrees_with_the_cluster_robust_error():
    for weights in (False, True):
        row = differences.overall(world(6, units=60, weights=weights), replicates=4000).iloc[0]
        assert row.std_error_boot == pytest.approx(row.std_error, rel=0.06)
    row = differences.two_way(world(6, units=60), replicates=4000).iloc[0]
    assert row.std_error_boot == pytest.approx(row.std_error, rel=0.06)


def test_bootstrap_of_small_cohorts_keeps_their_variance():
    """Rao & Wu: with n - 1 of n units drawn and rescaled the variance of a mean of three is that of s²/n, not a third less."""
    cells = world(7, units=6, staggered=False)
    own, _ = panel(cells)
    drawn = bootstrap(own, lambda mean, size: mean[:, 0, 0], replicates=20_000, seed=1)
    values = own.values[own.member == 0, 0]
    assert drawn.var() == pytest.approx(values.var(ddof=1) / 3, rel=0.05)


@pytest.mark.parametrize("worlds", [120, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("units", "weights"), [(24, True), (10, False)])
def test_intervals_cover_with_clusters_that_remember(worlds, units, weights):
    """METHODS (b): noise that lasts from month to month, weights, few units; 93 to 97 % by the binomial 99 % band."""
    rows = [differences.overall(world(seed, effect=1.0, units=units, weights=weights)).iloc[0] for seed in range(worlds)]
    band = stats.binomtest(sum(row.conf_low <= 1 <= row.conf_high for row in rows), worlds).proportion_ci(0.99)
    assert band.high >= 0.93
    assert band.low <= 0.97


@pytest.mark.parametrize("worlds", [120, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("drift", [0.0, 0.08])
def test_no_causal_claim_where_nothing_was_done_whether_or_not_units_drift(worlds, drift):
    """METHODS 0: a drift that was there before looks like an effect; the bound carried to the time after takes the causal verb away (at most 5 % of worlds)."""
    claims = effects = 0
    for seed in range(worlds):
        cells = world(seed, drift=drift)
        row = differences.overall(cells).iloc[0]
        past = differences.before(cells, effect=row.estimate, error=row.std_error).iloc[0]
        letter = grades.grade(design="quasi", bound=past.bound, effect=row.estimate, placebo_p=past.placebo_p)[0]
        effects += row.conf_low > 0 or row.conf_high < 0
        claims += grades.causal(letter, row.conf_low, row.conf_high)
    assert stats.binomtest(claims, worlds, 0.05, "greater").pvalue > 0.005
    if drift:
        assert effects > 0.5 * worlds  # without the bound most of these worlds would have made a claim


def test_a_large_effect_after_a_clean_past_earns_grade_b():
    letters = []
    for seed in range(20):
        cells = world(seed, effect=3.0)
        row = differences.overall(cells).iloc[0]
        past = differences.before(cells, effect=row.estimate, error=row.std_error).iloc[0]
        letters.append(grades.grade(design="quasi", bound=past.bound, effect=row.estimate, placebo_p=past.placebo_p)[0])
    assert letters.count("B") >= 15


def test_the_bound_is_the_limit_of_the_slope_times_the_reach():
    past = differences.before(world(9, drift=0.3), effect=1.0).iloc[0]
    assert past.estimate == pytest.approx(0.3, abs=0.15)
    assert [past.low, past.high] == pytest.approx([past.conf_low * past.reach, past.conf_high * past.reach])
    assert past.bound == pytest.approx(past.high)
    assert differences.before(world(9, drift=0.3), effect=-1.0)["bound"].iloc[0] == pytest.approx(max(-past.low, 0.0))
    one_date = differences.before(world(9, staggered=False), effect=1.0).iloc[0]
    assert one_date.reach == pytest.approx(12)  # from the middle of periods 0 to 11 to that of 12 to 23


def test_permutation_covers_with_one_treated_unit():
    hits, worlds = 0, 150
    for seed in range(worlds):
        cells = world(seed, units=30, periods=8, staggered=False)
        cells["first"] = np.where(cells["unit"] == "u03", 4.0, np.nan)
        cells["value"] += 2.0 * (cells["unit"] == "u03") * (cells["period"] >= 4)
        row = differences.overall(cells).iloc[0]
        hits += row.conf_low <= 2 <= row.conf_high
    band = stats.binomtest(hits, worlds).proportion_ci(0.99)
    assert band.high >= 0.93  # 1 of 30 assignments is beyond: exactly 29/30
    assert np.isnan(differences.overall(world(1, units=4, periods=4).assign(first=lambda rows: np.where(rows["unit"] == "u00", 2.0, np.nan))).iloc[0].conf_low)  # four assignments cannot tell at 5 %


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda cells: pd.concat([cells, cells.head(1)]), "two rows in one period"),
        (lambda cells: cells.assign(first=cells["first"].where(cells["period"] > 0)), "two first periods"),
        (lambda cells: cells.assign(first=5.0), "never, or only later, treated"),
        (lambda cells: cells.assign(first=np.nan), "no treated unit"),
        (lambda cells: cells.assign(first=cells["first"].where(cells["first"].isna(), 0.0)), "no treated unit has a time before"),
    ],
)
def test_panels_that_allow_no_comparison_are_refused(spoil, said):
    with pytest.raises(DataError, match=said):
        differences.overall(spoil(world(1)))


def test_units_treated_before_they_were_observed_and_incomplete_ones_are_counted():
    cells = world(1)
    cells.loc[cells["unit"] == "u00", "first"] = 0.0
    row = differences.overall(cells[~((cells["unit"] == "u05") & (cells["period"] == 3))]).iloc[0]
    assert (row.treated_before, row.incomplete, row.n_treated) == (1, 1, 10)
