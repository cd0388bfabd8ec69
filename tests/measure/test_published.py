"""Published percentages with vague bases: phrases, intervals, moves, real hospital surveys by state, and benchmarks that may not be compared."""

import numpy as np
import pandas as pd
import pytest
from small import TINY

from cxlib import load
from cxlib.errors import DataError
from cxlib.load import published as files
from cxlib.measure import published, waves
from cxlib.programme import read
from cxlib.show import claims


@pytest.mark.parametrize(("phrase", "least"), [
    ("300 or more", 300), ("300+", 300), ("at least 1,200", 1200), ("more than 300", 301), ("over 1 000", 1001), ("Between 100 and 299", 100), ("100-299", 100), ("FEWER THAN 50", 1), ("< 50", 1), ("up to 80", 1),
    ("no more than 80", 1), ("about 500", 450), ("~1,200", 1150), ("n = 512", 512), ("512", 512), ("Not Available", np.nan), ("", np.nan), (None, np.nan), ("several", np.nan),
])  # fmt: skip
def test_a_phrase_counts_as_the_least_it_allows(phrase, least):
    assert files.base(phrase) == pytest.approx(least, nan_ok=True)


def frame(estimates, *, base="300 or more", unit="share", digits=0, series="s", **other):
    days = pd.to_datetime([f"{2015 + at}-09-30" for at in range(len(estimates))])
    return pd.DataFrame({"series": series, "label": series, "day": days, "first": pd.NaT, "estimate": estimates, "unit": unit, "base": base, "n": files.base(base), "digits": digits, "kpi": "", "wording": "", "scale": "", "mode": "", "source": "x", "licence": ""} | other)


def test_intervals_are_those_of_the_least_base_and_the_rounding():
    found = published.tracked(frame([0.31, 0.31]))
    # Wilson, 93 of 300 (METHODS 3 by the same formula: 81/263 -> .255289 to .366210), and half a percentage point of rounding
    assert (found["conf_low"][0], found["conf_high"][0]) == pytest.approx((0.2602874 - 0.005, 0.3645095 + 0.005), abs=2e-4)
    exact = published.tracked(frame([81 / 263], base="263", digits=9))
    assert (exact["conf_low"][0], exact["conf_high"][0]) == pytest.approx((0.255289, 0.366210), abs=1e-6)


def test_means_and_points_take_the_widest_spread_they_can_have():
    assert published.variance(frame([4.0], unit="scale", scale="1-5"))[0] == pytest.approx((5 - 4) * (4 - 1) / 300)
    assert published.variance(frame([20.0], unit="points"))[0] == pytest.approx(1e4 * (1 - 0.04) / 300)
    assert np.isnan(published.variance(frame([0.5], base="Not Available"))[0])


def test_a_fall_is_told_and_a_wobble_is_not():
    both = pd.concat([frame([0.70, 0.55], series="falls"), frame([0.70, 0.72], series="wobbles"), frame([0.70, 0.55], series="unknown", base="Not Available")])
    found = published.tracked(both)
    assert found.groupby("series")["verdict"].last().to_dict() == {"falls": "fell", "wobbles": "no detectable change", "unknown": "not told"}
    said = claims.published.said(found)
    assert "2 published series by 30 September 2016" in said[0]
    assert "0 rose and 1 fell" in said[0]
    assert "unknown: no base is told: no interval." in said


def test_days_whose_answers_overlap_are_not_tested():
    rolling = frame([0.70, 0.50]).assign(first=pd.to_datetime(["2014-10-01", "2015-01-01"]))
    assert published.tracked(rolling)["verdict"].tolist() == ["", "not told"]


def test_nothing_moved_and_at_most_one_world_in_twenty_says_so():
    rng, false, runs = np.random.default_rng(3), 0, 40
    for _ in range(runs):
        parts = [frame(rng.binomial(300, 0.7, 2).astype(float).round(0) / 300, series=f"s{at}", base="300") for at in range(10)]
        found = published.tracked(pd.concat(parts).assign(estimate=lambda rows: rows["estimate"].round(2)))
        false += found["verdict"].isin(["rose", "fell"]).any()
    assert false <= 0.05 * runs + 2.6 * np.sqrt(0.05 * 0.95 * runs)


@pytest.mark.usefixtures("shared")
def test_hospital_surveys_by_state_are_tracked_from_their_vague_bases(shared):
    """HCAHPS 2015-2023: the base of a state is the sum of the least bases of its hospitals; small states have wider intervals, and levels follow the nation's fall after 2021."""
    folder = shared / "tracking"
    states, hospitals = pd.read_csv(folder / "hcahps_state_results.csv", dtype=str), pd.read_csv(folder / "hcahps_responses.csv.gz", dtype=str)
    hospitals["least"] = hospitals["Completed Surveys"].map({phrase: files.base(phrase) for phrase in hospitals["Completed Surveys"].unique()})
    bases = hospitals.groupby(["Release Period", "State"])["least"].sum(min_count=1).rename("n").reset_index()
    own = states[states["Measure ID"] == "H_HSP_RATING"].merge(bases, on=["Release Period", "State"])
    day = pd.to_datetime(own["Release Period"].str[3:] + "-09-30") - pd.DateOffset(years=1)
    found = published.tracked(pd.DataFrame({"series": own["State"], "label": own["State"], "day": day, "first": day - pd.DateOffset(years=1) + pd.Timedelta(days=1), "estimate": own["Top-box Percentage"].astype(float) / 100, "unit": "share", "base": "sum", "n": own["n"], "digits": 0, "kpi": "", "wording": "", "scale": "", "mode": "", "source": "HCAHPS", "licence": ""}))
    last = found[found["date"] == found["date"].max()]
    assert len(last) > 45
    width = (last["conf_high"] - last["conf_low"]).to_numpy()
    assert np.corrcoef(np.log(width), np.log(last["n"]))[0, 1] < -0.9
    assert last["level"].notna().all()
    course = found.groupby("date")["level"].mean()
    assert course.iloc[-1] < course.loc["2020":"2020"].iloc[0]
    fell = found[found["date"] == "2021-09-30"]["verdict"].value_counts()
    assert fell["fell"] > fell.get("rose", 0)


BENCH = '[[published]]\nfile = "bench.csv"\ncolumns = {estimate = "value"}\nfixed = {unit = "points", kpi = "nps", source = "Sector survey"}\n'


@pytest.mark.parametrize(("line", "said"), [
    ('Sector,2026-02-28,30,300 or more,Would you recommend us?,0-10,online', "nps (0) lies below Sector (+30, 28 February 2026, base 300 or more, Sector survey)"),
    ('Sector,2026-02-28,30,300 or more,How likely are you to recommend us?,0-10,online', "is not held against Sector (+30, 28 February 2026, base 300 or more, Sector survey): the wording differs"),
    ('Sector,2026-02-28,30,300 or more,Would you recommend us?,0-10,phone', "the mode differs: 'phone' there, 'online' here"),
    ('Sector,2026-02-28,30,300 or more,Would you recommend us?,1-10,online', "the scale differs"),
    ('Sector,2026-02-28,30,Not Available,Would you recommend us?,0-10,online', "its base is not told"),
    ('Sector,2026-02-28,30,300 or more,,0-10,online', "the wording is not told with it"),
])  # fmt: skip
def test_benchmarks_are_never_compared_across_wording_scale_or_mode(tiny, tmp_path, line, said):
    folder = tiny(toml=TINY.replace('promise = "confidential"', 'promise = "confidential"\nmode = "online"') + BENCH, rows="".join(f"r{i:03d},DE,p{i},{(10, 8, 3)[i % 3]},{1 + i % 5},\n" for i in range(90)))
    (folder / "raw" / "bench.csv").write_text(f"series,day,value,base,wording,scale,mode\n{line}\n")
    programme = read(folder)
    tables = load.tables(programme, out=tmp_path / "reports")
    found = published.benchmarks(files.read(programme, tables.quarter), waves.kpis(tables), programme)
    assert said in claims.published.held(found, programme)[0]


@pytest.mark.parametrize(("line", "said"), [
    ("s,2026-02-28,many,5", "bench.csv, row 2, column 'value': 'many' is no figure"), ("s,28.2.2026,30,5", "row 2, column 'day': '28.2.2026' is no day"), ("s,2026-02-28,130,5", "lies outside what is possible"),
    ("s,2026-02-28,30,5\ns,2026-02-28,31,5", "has two figures on 2026-02-28"),
])  # fmt: skip
def test_faults_of_published_files_name_file_row_and_value(tiny, line, said):
    folder = tiny(toml=TINY + BENCH)
    (folder / "raw" / "bench.csv").write_text(f"series,day,value,base\n{line}\n")
    with pytest.raises(DataError, match=said.replace(".", r"\.")):
        files.read(read(folder))


def test_a_column_that_is_not_theirs_is_refused(tiny):
    with pytest.raises(DataError, match=r"name .bas., which is none of their columns .did you mean base"):
        read(tiny(toml=TINY + BENCH.replace("fixed = {", 'fixed = {bas = "1", ')))


def test_a_file_that_is_not_there_is_named(tiny):
    with pytest.raises(DataError, match=r"bench\.csv"):
        read(tiny(toml=TINY + BENCH)).fingerprints()
