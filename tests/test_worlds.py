"""Whole reports against worlds whose truth is known: what is there is found, and where nothing is, nothing is claimed."""

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import SHIPPED

TRUTH = SHIPPED / "truth"
CAUSAL = re.compile(
    r"\b(?:rais(?:ed|es)|lower(?:ed|s)|caus(?:ed|es)|led to|leads to(?! expect)|increas(?:ed|es)|reduc(?:ed|es)|improv(?:ed|es)|made \w+ (?:higher|lower)|brought|drov?e|drives|because of|due to|thanks to|results? in|paid off|pays off|saved)\b",
    re.I,
)


def finding(draft: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(draft / "findings" / f"{name}.parquet")


def truth(name: str) -> pd.DataFrame:
    return pd.read_parquet(TRUTH / f"{name}.parquet")


def main_points(draft: Path) -> list[str]:
    told = finding(draft, "told")
    return told[told["headline"] > 0].sort_values("headline")["said"].tolist()


# ---------------------------------------------------------------------------------------------------- a company with a known truth


def test_the_three_planted_drivers_are_the_three_found(sample_report):
    planted = truth("drivers").set_index("item").drop("complaint")
    found = finding(sample_report, "importance").query("kpi == 'nps' and method == 'shapley'").set_index("driver")
    top = set(planted["weight"].nlargest(3).index)
    assert top == {"price", "coverage", "waiting"}
    assert set(found["estimate"].nlargest(3).index) == top
    assert found.loc[list(top), "p_top3"].min() > 0.6
    ranks = planted["importance"].rank(ascending=False)
    assert all(found.loc[item, "rank_low"] <= ranks[item] <= found.loc[item, "rank_high"] for item in planted.index)
    assert stats.spearmanr(found["estimate"], planted["importance"].loc[found.index]).statistic > 0.75


def words(draft: Path, page: str) -> str:
    """The visible words of a page."""
    html = re.sub(r"<(style|svg)\b.*?</\1>|<div class=\"code\">.*?</div>|<[^>]+>", " ", (draft / f"{page}.html").read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.replace("&#x27;", "'").replace("&amp;", "&"))


def test_the_inseparable_pair_is_named_and_no_other(sample_report):
    planted = truth("drivers")
    pair = set(planted.loc[planted["role"] == "inseparable", "item"])
    found = finding(sample_report, "inseparable")
    assert len(found) == 2  # for each of two key figures
    assert all({row.driver_a, row.driver_b} == pair for row in found.itertuples())
    assert "cannot be separated: Friendliness of staff and Competence of staff (correlation 0." in words(sample_report, "02_annual_drivers")
    told = finding(sample_report, "pairs").query("kpi == 'nps'")
    own = told[told["driver_a"].isin(pair) & told["driver_b"].isin(pair)]
    assert own["told_apart"].tolist() == [0]


def test_the_halo_item_correlates_and_adds_nothing(sample_report):
    found = finding(sample_report, "importance").query("kpi == 'nps' and driver == 'terms'").set_index("method")
    assert found.loc["correlation", "conf_low"] > 0.35
    assert found.loc["ols", "conf_low"] < 0.05
    steps = finding(sample_report, "steps").query("kpi == 'nps'").set_index("driver")
    assert steps.loc["terms", "estimate"] < steps.loc[["price", "coverage", "waiting"], "estimate"].min() / 2
    halo = finding(sample_report, "halo").query("kpi == 'nps'").set_index("driver")
    assert halo.loc["terms", "loading"] > halo["loading"].drop(["staff", "competence", "terms"]).max(), "but for the pair it is closest to the mood"
    assert halo.loc["terms", "estimate"] < 0.05
    said = next(line for line in words(sample_report, "02_annual_drivers").split("Net Promoter Score: ") if "Beyond it" in line)
    assert "Terms of contract" not in said[said.index("Beyond it"):].split(";")[0].split(".")[0]


def classed(page: str, what: str) -> str:
    """The attributes that the page on drivers puts under some words, for the Net Promoter Score."""
    said = next(line for line in page.split("Net Promoter Score: ") if "told apart in four of five surveys of this size" in line)
    found = re.search(rf"{what}: ([^.;]*)", said)
    return found.group(1) if found else ""


def test_basic_and_delighter_are_classed_or_it_cannot_be_told_and_nothing_else_is(sample_report):
    page = words(sample_report, "02_annual_drivers")
    basic, delighter = (classed(page, what) for what in ("annoys where it fails", "delights where it succeeds"))
    # The score ends at ten and is stretched below five, so that what matters most costs more than it gives; what has no effect is never classed.
    assert set(re.findall(r"[A-Z][\w ]+(?= \(so in)", basic)) <= {"Bills", "Value for money", "Network coverage", "Time to an answer"}
    assert set(re.findall(r"[A-Z][\w ]+(?= \(so in)", delighter)) <= {"App and online account"}
    unclear = classed(page, "cannot be told") + classed(page, "cannot tell") + classed(page, "works both ways")
    assert "Bills" in basic + unclear
    assert "App and online account" in delighter + unclear
    found = finding(sample_report, "asymmetry").query("kpi == 'nps'").set_index("driver")
    planted = truth("drivers").set_index("item")
    # Where it fails the recommendation lies lower still: the anger of those below five is stretched, and neighbours are not held exactly.
    assert -2.6 * planted.loc["billing", "penalty"] < found.loc["billing", "penalty"] < 0
    assert found.loc["billing", "conf_high"] < 0
    assert found.loc["app", "reward_low"] < planted.loc["app", "reward"] < found.loc["app", "reward_high"]
    assert found.loc["app", "reward_low"] > 0


@pytest.mark.slow
def test_with_many_customers_the_basic_and_the_delighter_are_told(cx, tmp_path):
    """What 2,500 customers leave open 30,000 decide."""
    from cxlib import load, synth
    from cxlib import programme as programmes
    from cxlib.measure import variants
    from cxlib.show import claims

    synth.sample(tmp_path / "many", customers=30_000, seed=2)
    company = programmes.read(tmp_path / "many")
    found = variants.unequal(load.tables(company, out=tmp_path / "reports"), replicates=100, seed=1).query("kpi == 'csat'")
    (said,) = claims.levers.unequal(found, company)
    assert re.search(r"annoys where it fails: Bills \(so in [^)]*\); delights where it succeeds: App and online account \(so in [^)]*\);", said), said


def test_complaint_handling_stands_on_its_own_base(sample_report):
    planted, found = truth("drivers").set_index("item").loc["complaint"], finding(sample_report, "filtered").set_index("kpi")
    assert set(found["driver"]) == {"complaint"}
    assert abs(found.loc["nps", "estimate"] - planted["importance"]) < 2.6 * found.loc["nps", "std_error"]  # beyond that once in a hundred worlds, and this one is fixed
    assert found["conf_low"].min() > 0.02
    everybody = finding(sample_report, "importance").query("kpi == 'nps'")
    assert "complaint" not in set(everybody["driver"])
    assert found.loc["nps", "n"] < 0.35 * everybody["n"].max()
    page = words(sample_report, "02_annual_drivers")
    assert "Complaint handling was asked only where “Complained” leads to it; among these" in page
    assert "Nothing is filled in for the others." in page


def test_what_people_say_and_what_goes_with_the_figure_part_where_planted(sample_report):
    planted, found = truth("drivers").set_index("item"), finding(sample_report, "stated").query("kpi == 'nps'").set_index("driver")
    covered = planted["stated"].reindex(found.index).between(found["stated_low"], found["stated_high"])
    assert covered.sum() >= 9, covered
    assert found.loc["speed", "meaning"] == "said, not shown"
    assert found.loc["waiting", "meaning"] == "shown, not said"
    assert found.loc[["price", "coverage"], "meaning"].tolist() == ["said and shown"] * 2
    page = words(sample_report, "02_annual_drivers")
    assert re.search(r"Time to an answer[^.;]*: shown, not said, a lever that people do not name", page)


def test_every_method_puts_the_planted_drivers_above_the_inert_one(sample_report):
    found = finding(sample_report, "importance").query("kpi == 'nps'")
    for method, group in found.groupby("method"):
        estimate = group.set_index("driver")["estimate"]
        assert estimate[["price", "coverage", "waiting"]].min() > estimate["shop"], method


def test_the_one_to_fix_first_is_important_and_weak(sample_report):
    planted = truth("drivers").set_index("item").drop("complaint")
    told = finding(sample_report, "told").set_index("claim_id")
    said = told.loc["drivers.annual.nps.fix", "said"]
    assert "Value for money" in said
    assert planted.loc["price", "rank"] == 1
    assert planted.loc["price", "mean"] < planted["mean"].mean()


def test_nps_of_each_wave_covers_the_truth_of_its_respondents(sample_report):
    keys = ["survey", "wave"]
    both = finding(sample_report, "kpis").query("kpi == 'nps'").merge(truth("nps_by_wave"), on=keys, suffixes=("", "_true"))
    assert len(both) == 15
    covered = both["nps_respondents"].between(both["conf_low"], both["conf_high"])
    assert covered.sum() >= 13, both.loc[~covered, [*keys, "estimate", "nps_respondents"]]  # fewer than 13 of 15 at 95 %: once in 28 worlds, and this one is fixed
    z = (both["estimate"] - both["nps_respondents"]) / both["std_error"]
    assert stats.chi2.sf((z**2).sum(), 15) > 0.01


def test_the_planted_fall_is_a_headline_with_an_interval_that_covers_it(sample_report):
    planted = truth("nps_by_wave").set_index(["survey", "wave"])["nps_respondents"]
    changes = finding(sample_report, "changes").query("kpi == 'nps' and quarter == '2026Q3'").set_index(["survey", "then_wave"])
    for survey, before in (("annual", "2025Q3"), ("pulse", "2026Q2")):
        row = changes.loc[(survey, before)]
        assert row["conf_low"] <= planted[survey, "2026Q3"] - planted[survey, before] <= row["conf_high"] < 0
    falls = [said for said in main_points(sample_report) if "Net Promoter Score" in said and "fell by" in said]
    assert len(falls) >= 1


def test_the_loyalty_calls_effect_covers_the_truth_and_is_told_as_grade_a(sample_report):
    planted = truth("effects").query("action_id == 'loyalty_call'")
    true = np.average(planted["realised"], weights=planted["persons"])
    found = finding(sample_report, "effects").set_index("action").loc["loyalty_call"]
    assert found["conf_low"] <= true <= found["conf_high"]
    assert found["conf_low"] > 0
    assert found["grade"] == "A"
    assert found["n_treated"] == planted["persons"].sum()
    told = finding(sample_report, "told")
    own = told[(told["headline"] > 0) & told["said"].str.startswith("Loyalty call")]
    assert own["grade"].tolist() == ["A"]
    assert own["said"].str.contains(CAUSAL).all()
    assert "Grade A: randomised" in re.sub(r"<[^>]+>", " ", (sample_report / "index.html").read_text("utf-8"))


def test_the_recovery_call_claims_nothing(sample_report):
    difference = finding(sample_report, "recovery").query("action == 'recovery_call' and group == 'difference'").iloc[0]
    assert difference["conf_low"] < 0 < difference["conf_high"]  # the planted effect is none
    told = finding(sample_report, "told")
    own = told[told["said"].str.contains("Recovery call")]
    assert len(own) > 0
    assert (own["headline"] == 0).all()
    assert not own["grade"].isin(["A", "B"]).any()
    assert [said for said in own["said"] if CAUSAL.search(said)] == []


def test_a_causal_verb_stands_only_in_claims_of_grade_a_or_b(sample_report):
    told = finding(sample_report, "told")
    causal = told[told["said"].str.contains(CAUSAL)]
    assert set(causal["grade"]) <= {"A", "B"}
    sure = (causal["conf_low"] > 0) | (causal["conf_high"] < 0)
    assert sure.all()


def test_shares_of_topics_go_with_the_truth(sample_report):
    """Share of commenters who mention a topic, against who truly did; the codeframe misses some and the intake set a few rows aside."""
    mentions, found = truth("mentions"), finding(sample_report, "topic_shares")
    found = found[(found["level"] == "topic") & (found["polarity"] == "any")].set_index(["survey", "quarter", "topic"])
    said = mentions.drop_duplicates(["survey", "wave", "response_id", "topic"]).groupby(["survey", "wave", "topic"]).size()
    said.index = said.index.set_names(["survey", "quarter", "topic"])
    both = found.assign(true=said / found["n"]).dropna(subset=["true"])
    assert len(both) > 120
    assert np.corrcoef(both["estimate"], both["true"])[0, 1] > 0.8
    for survey, group in both.groupby(level="survey"):
        last = group.xs("2026Q3", level="quarter")
        assert np.corrcoef(last["estimate"], last["true"])[0, 1] > 0.8, survey
        assert abs(last["estimate"].mean() / last["true"].mean() - 1) < 0.25, survey


def test_the_topic_that_grew_with_the_change_is_seen_to_grow(sample_report):
    planted = truth("topics").query("survey == 'annual' and item == 'improve' and topic == 'waiting'").set_index("wave")["share"]
    assert planted["2026Q3"] > planted["2025Q3"]
    found = finding(sample_report, "topic_changes").query("survey == 'annual' and topic == 'waiting' and polarity == 'negative'").iloc[0]
    assert found["estimate"] > 0


def test_a_team_of_fewer_than_five_is_shown_nowhere(sample_report):
    """Neither as a row nor by subtraction of the others from the whole."""
    cuts = finding(sample_report, "kpis_by_segment").query("survey == 'employees' and segment == 'team'")
    for _, own in cuts.groupby("wave"):
        hidden = own[own["flag"] == "withheld"]
        assert "events" in set(hidden["value"])
        assert hidden[["n", "estimate"]].isna().all(axis=None)
        assert len(hidden) == 2, "one alone would follow from the others and the whole"
    units = finding(sample_report, "units").query("survey == 'employees'")
    assert set(units.loc[units["flag"] == "withheld", "value"]) >= ({"events"} if len(units) else set())
    for path in [*(sample_report / "tables").glob("*.csv"), *sample_report.glob("*.html")]:
        text = re.sub(r"<[^>]+>", " ", path.read_text("utf-8"))
        assert not re.search(r"(?<![\w-])events[ ,|;:]+[-+−]?\d+\.\d", text), path.name


def test_the_sheet_on_data_protection_has_no_gap(sample_report):
    page = words(sample_report, "01_data_loading")
    assert "not declared" not in page[page.index("The data-protection sheet of this programme"):]
    assert "Questions about one's own data are answered by data protection, privacy@fernau.example." in page
    assert re.search(r"Annual survey: \d+ of \d+ business accounts answered", page)


def test_intake_finds_every_planted_fault(sample_report):
    planted, intake = truth("faults"), finding(sample_report, "intake")
    repairs = finding(sample_report, "repairs")
    aside = planted[planted["must"] == "set aside, on the repair list"]
    assert set(zip(aside["file"], aside["row"])) == set(zip(repairs["file"], repairs["row"]))
    assert intake["duplicates"].sum() == (planted["rule"] == "repeats another row").sum()
    assert intake["trimmed"].sum() == (planted["rule"] == "blank around a number").sum()


# ---------------------------------------------------------------------------------------------------- companies in which nothing affects anything


def null_report(cx, folder: Path, seed: int) -> Path:
    code, _, errors = cx("sample", folder / f"null{seed}", "--world", "null", "--customers", "500", "--seed", seed)
    assert code == 0, errors
    code, said, errors = cx("report", folder / f"null{seed}", "--out", folder / "reports", "-p", "replicates=200")
    assert code == 0, errors
    return Path(said.strip().splitlines()[-1]).parent


def claimed(draft: Path) -> pd.DataFrame:
    """The tests of a report that survive; checks are none."""
    ledger = finding(draft, "ledger")
    return ledger[(ledger["survives"] == 1) & (ledger["kind"] != "check")]


def nothing_causal(draft: Path) -> None:
    points = main_points(draft)
    assert [said for said in points if CAUSAL.search(said)] == []
    told = finding(draft, "told")
    assert [said for said in told["said"] if CAUSAL.search(said)] == []
    page = re.sub(r"<(style|svg)\b.*?</\1>|<div class=\"code\">.*?</div>|<[^>]+>", " ", (draft / "index.html").read_text("utf-8"), flags=re.DOTALL)
    section = re.sub(r"\s+", " ", html.unescape(page[page.index("Main points"):]).replace("\u2060", ""))
    assert all(re.sub(r"\s+", " ", said) in section for said in points)
    worth = told[(told["study"] == "11_roi") & told["grade"].isin(["A", "B"])]
    assert worth["said"].str.contains("no detectable|cannot|could not|did not pay").all(), worth["said"].tolist()


def no_driver_is_named(draft: Path) -> None:
    """Nothing is called a basic, a delighter, a lever, necessary or outstanding, and no step shows a difference."""
    page = words(draft, "02_annual_drivers")
    assert page.count("no attribute can be classed") == 2
    assert page.count("no attribute could be shown to go with the key figure") >= 2
    assert "delights where it succeeds:" not in page
    assert "a lever that people do not name" not in page
    assert "Beyond it no attribute stands out" in page
    assert page.count("no attribute shows a difference in the key figure for a step up") == 2
    assert "hardly ever goes with a poor rating" not in page
    assert "more important than chance would, so there is nothing to rank" in page
    told = finding(draft, "told").query("study == '02_annual_drivers'")
    assert (told["survives"] == 0).all()
    assert told["said"].str.startswith(("No attribute could be shown to go with", "For ")).all(), told["said"].tolist()


def test_a_company_in_which_nothing_happens_is_told_so(cx, tmp_path):
    draft = null_report(cx, tmp_path, seed=1)
    nothing_causal(draft)
    assert len(finding(draft, "ledger")) > 40
    assert len(claimed(draft)) <= 1, claimed(draft)[["test_id", "p", "p_adjusted"]]
    told = finding(draft, "told")
    assert (told.loc[told["action"] == 1, "survives"] == 0).all(), "no detectable change never becomes an action"
    assert "Nothing in this run is sure enough to act on." in (draft / "index.html").read_text("utf-8")
    no_driver_is_named(draft)


@pytest.mark.slow
def test_ten_null_companies_claim_nothing_causal_and_almost_nothing_else(cx, tmp_path, capsys):
    claims, tests = {}, 0
    for seed in range(1, 11):
        draft = null_report(cx, tmp_path, seed)
        with capsys.disabled():
            print(f"\n-- null company {seed}: {len(claimed(draft))} of {len(finding(draft, 'ledger'))} tests survive", *main_points(draft), sep="\n   ")
        nothing_causal(draft)
        claims[seed], tests = claimed(draft)["test_id"].tolist(), tests + len(finding(draft, "ledger"))
    # At 5 % of runs with a claim, three or more of ten have one in 1.2 % of such tries.
    assert sum(bool(found) for found in claims.values()) <= 2, claims
    assert sum(map(len, claims.values())) / tests < 0.01
