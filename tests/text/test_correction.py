"""Shares corrected by an audit: closed forms, and what the interval holds where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.text import audit, correction, prevalence


def wave(f, y, *, probability, weight=None, known=None, target="population"):
    """Correct one topic of answers with the coder's word f and that of people y; `probability` NaN where the audit did not draw."""
    ids, weight = [f"r{at:05d}" for at in range(len(f))], np.ones(len(f)) if weight is None else weight
    mark = lambda said: pd.DataFrame({"response_id": [one for one, flag in zip(ids, said) if flag], "topic": "t", "polarity": "any"})
    people = pd.DataFrame({"response_id": ids, "weight": weight, "probability": probability, "known": np.zeros(len(f), bool) if known is None else known})
    raw = pd.DataFrame({"topic": ["t"], "polarity": ["any"], "estimate": [np.average(f, weights=weight)], "n_eff": [weight.sum() ** 2 / (weight**2).sum()]})
    drawn = people["probability"].notna() | people["known"]
    return correction.shares(raw, mark(f), mark(y & drawn.to_numpy()).assign(share=1.0), people, target=target).iloc[0]


def test_the_estimate_is_that_of_prediction_powered_inference_by_hand():
    """1,000 answers, 200 marked; of 200 audited 40 are marked, of which 30 are right, and of the other 160 eight were missed: .2 - 10/200 + 8/200 = .19."""
    f = np.arange(1000) < 200
    drawn = (np.arange(1000) % 5) == 0
    y = np.zeros(1000, bool)
    y[np.flatnonzero(drawn & f)[:30]] = y[np.flatnonzero(drawn & ~f)[:8]] = True
    row = wave(f, y, probability=np.where(drawn, 0.2, np.nan))
    assert row["estimate"] == pytest.approx(0.2 - 10 / 200 + 8 / 200)
    assert row[["uncorrected", "audit_n", "precision"]].tolist() == pytest.approx([0.2, 200, 0.75])
    assert row["sensitivity"] == pytest.approx(30 / 38)
    part = 0.04 * 0.75 * 0.25 / 40 * 0.8 + 0.64 * 0.05 * 0.95 / 160 * 0.8  # q^2 p(1-p)/n with the finite population correction 1 - 1/5
    assert row["std_error"] == pytest.approx(np.sqrt(part + 0.19 * 0.81 / 1000))
    limits = [prevalence.wilson(*one) for one in ((0.75, 40), (0.05, 160), (0.19, 1000))]
    down = sum(((w * (p - float(low))) ** 2) * left for (low, _), w, p, left in zip(limits, (0.2, 0.8, 1), (0.75, 0.05, 0.19), (0.8, 0.8, 1)))
    assert row["conf_low"] == pytest.approx(0.19 - np.sqrt(down))


def test_a_wave_that_was_audited_whole_leaves_nothing_open_but_the_population():
    rng = np.random.default_rng(1)
    f, y = rng.random(300) < 0.3, rng.random(300) < 0.2
    row = wave(f, y, probability=np.ones(300), target="comments")
    assert row[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx([y.mean()] * 3)
    wide = wave(f, y, probability=np.ones(300))
    assert [wide["conf_low"], wide["conf_high"]] == pytest.approx([float(end) for end in prevalence.wilson(y.mean(), 300)])


def test_answers_coded_for_training_count_with_what_people_said_and_do_not_audit():
    f, y = np.arange(400) < 100, np.arange(400) >= 300
    known = np.arange(400) >= 200  # all that people marked: none of it is in the audit
    row = wave(f, y, probability=np.where(np.arange(400) < 200, 1.0, np.nan), known=known, target="comments")
    assert row["estimate"] == pytest.approx(0.25)
    assert row["audit_n"] == 200


def test_a_small_audit_corrects_nothing_and_says_so():
    row = wave(np.arange(400) < 100, np.arange(400) < 90, probability=np.where(np.arange(400) % 10 == 0, 0.1, np.nan))
    assert row["indicative"]
    assert row["estimate"] == 0.25
    assert "40 audited answers, fewer than 50" in row["note"]


def test_rare_topics_get_exact_limits_and_say_so():
    f = np.arange(1000) < 20
    row = wave(f, f, probability=np.where(np.arange(1000) % 5 == 0, 0.2, np.nan))
    assert "exact limits" in row["note"]
    assert row["conf_low"] < 0.02 < row["conf_high"]


def test_clopper_pearson_is_the_exact_test_turned_round():
    for found, n in ((0, 20), (3, 40), (40, 40)):
        exact = stats.binomtest(found, n).proportion_ci(method="exact")
        assert [float(end) for end in correction.clopper(found / n, n)] == pytest.approx([exact.low, exact.high])
    assert float(correction.clopper(0, 20)[1]) == pytest.approx(0.168433, abs=5e-7)


def test_the_target_is_one_of_two():
    with pytest.raises(ValueError, match="neither the population nor the comments"):
        wave(np.ones(60, bool), np.ones(60, bool), probability=np.ones(60), target="all")


SHARES = np.array([0.30, 0.20, 0.12, 0.08, 0.06, 0.02, 0.01])


def worlds(runs, *, size=700, rows=200, seed=0, target="population", weighted=True):
    """Coverage of corrected and of raw shares, by topic: a coder that misses 10 to 45 % and adds false ones, worse on a third of the comments; unequal weights; the real draw."""
    rng = np.random.default_rng(seed)
    misses, false = rng.permutation(np.linspace(0.1, 0.45, len(SHARES))), SHARES * rng.permutation(np.linspace(0.15, 0.6, len(SHARES)))
    ids = np.array([f"r{at:05d}" for at in range(size)], object)
    verbatims = pd.DataFrame({"response_id": ids, "item": "why", "text": "some words"})
    names = np.array([f"t{at}" for at in range(len(SHARES))], object)
    mark = lambda said: pd.DataFrame({"response_id": ids[np.nonzero(said)[0]], "topic": names[np.nonzero(said)[1]], "polarity": "any"})
    hits, naive, errors = np.zeros(len(SHARES)), np.zeros(len(SHARES)), []
    for run in range(runs):
        hard, y = rng.random((size, 1)) < 0.3, rng.random((size, len(SHARES))) < SHARES
        f = np.where(y, rng.random(y.shape) > misses + np.where(hard, 0.2, -0.08), rng.random(y.shape) < false)
        weight = rng.uniform(0.5, 1.8, size) if weighted else np.ones(size)
        n_eff = weight.sum() ** 2 / (weight**2).sum()
        drawn = audit.sample(verbatims, mark(f), rows=rows, seed=run).set_index("answer")["probability"]
        people = pd.DataFrame({"response_id": ids, "weight": weight, "probability": drawn.reindex(ids).to_numpy(), "known": False})
        raw = pd.DataFrame({"topic": names, "polarity": "any", "estimate": 0.0, "n_eff": n_eff})
        told = mark(y)
        found = correction.shares(raw, mark(f), told[told["response_id"].isin(drawn.index)].assign(share=1.0), people, target=target)
        truth = SHARES if target == "population" else weight @ y / weight.sum()
        hits += (found["conf_low"] <= truth) & (truth <= found["conf_high"])
        low, high = prevalence.wilson(weight @ f / weight.sum(), n_eff)
        naive += (low <= truth) & (truth <= high)
        errors.append(found["estimate"] - truth)
    return hits / runs, naive / runs, np.mean(errors, axis=0)


def test_intervals_hold_the_truth_and_raw_ones_do_not():
    covered, naive, bias = worlds(40)
    assert covered.mean() >= 0.93
    assert naive[:3].mean() < 0.75
    assert np.abs(bias).max() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("target", correction.TARGETS)
def test_coverage_is_at_least_93_percent_at_200_audit_rows(target):
    """1,000 replicates a target; issue 7: topics that expect ten audit rows or more cover 93 % at least, rarer ones by exact, wider limits."""
    runs = 1000
    covered, naive, _ = worlds(runs, seed=7, target=target)
    assert (covered >= 0.93 - 2.576 * np.sqrt(0.93 * 0.07 / runs)).all()
    assert (covered[200 * SHARES >= 10] <= 0.985).all()  # and are not wide for nothing
    assert naive[:3].mean() < 0.75


def linked(f, y, value, *, probability, weight=None, known=None, kpi="nps", unit=None):
    """Correct one topic's link to the KPI, beside the link as the coder codes and as people would who coded everything."""
    ids, weight = [f"r{at:05d}" for at in range(len(f))], np.ones(len(f)) if weight is None else weight
    mark = lambda said: pd.DataFrame({"response_id": [one for one, flag in zip(ids, said) if flag], "topic": "t", "polarity": "any"})
    verbatims, score = pd.DataFrame({"response_id": ids, "text": "some words"}), np.select([value > 0, value < 0], [9, 3], 7) if kpi == "nps" else value
    responses = pd.DataFrame({"response_id": ids, "recommend": score, "weight": weight, "unit": ids if unit is None else unit})
    raw, whole = (prevalence.impact(mark(said), verbatims, responses, kpi=kpi) for said in (f, y))
    people = pd.DataFrame({"response_id": ids, "weight": weight, "unit": ids if unit is None else unit, "value": value, "probability": probability, "known": np.zeros(len(f), bool) if known is None else known})
    drawn = (people["probability"].notna() | people["known"]).to_numpy()
    return correction.impact(raw, mark(f), mark(y & drawn).assign(share=1.0), people, kpi=kpi).iloc[0], raw.iloc[0], whole.iloc[0]


def scores(size, seed=3):
    """Scores, what people say (those who speak of it score lower), and a coder who finds critics better than others."""
    rng = np.random.default_rng(seed)
    y = rng.random(size) < 0.3
    value = rng.choice([-100.0, 0, 100], size, p=[0.3, 0.3, 0.4]) * np.where(y & (rng.random(size) < 0.5), -1, 1)
    f = np.where(y, rng.random(size) < np.where(value < 0, 0.9, 0.6), rng.random(size) < np.where(value < 0, 0.15, 0.03))
    return rng, f, y, value


def test_an_audit_of_everything_gives_the_link_as_people_code_it():
    rng, f, y, value = scores(600)
    row, raw, whole = linked(f, y, value, probability=np.ones(600), weight=rng.uniform(0.5, 2, 600))
    figures = ["estimate", "share", "kpi_with", "kpi_rest"]
    assert row[figures].tolist() == pytest.approx(whole[figures].tolist())
    assert row["std_error"] == pytest.approx(whole["std_error"], rel=0.03)
    assert row[["indicative", "audit_n", "uncorrected"]].tolist() == [False, 600, raw["estimate"]]


def test_a_coder_without_mistakes_loses_nothing_by_an_audit():
    """f = y is calibrated on: the estimate is the coder's to the last digit, and the audit leaves nothing open."""
    rng, _, y, value = scores(900)
    row, raw, _ = linked(y, y, value, probability=np.where(rng.random(900) < 0.25, 0.25, np.nan))
    assert row["estimate"] == pytest.approx(raw["estimate"])
    assert row["std_error"] == pytest.approx(raw["std_error"], rel=0.1)


def test_the_corrected_link_keeps_the_identity_of_leaving_a_topic_out():
    """NPS - NPS without = n_t (NPS_t - NPS) / (N - n_t), with corrected shares and levels as well; answers coded for training count with what people said."""
    rng, f, y, value = scores(800)
    known = np.arange(800) < 100
    row, raw, _ = linked(f, y, value, probability=np.where(~known & (rng.random(800) < 0.3), 0.3, np.nan), known=known, weight=rng.uniform(0.5, 2, 800))
    assert row["estimate"] == pytest.approx(row["share"] * (row["kpi_with"] - row["kpi"]) / (1 - row["share"]))
    assert abs(row["estimate"] - raw["estimate"]) > 0.5
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_a_link_stays_as_the_coder_codes_where_too_few_audited_answers_speak_of_it():
    rng, f, y, value = scores(800)
    rare = y & (np.arange(800) % 16 == 0)
    for said, probability in ((rare, np.where(rng.random(800) < 0.25, 0.25, np.nan)), (y, np.where(np.arange(800) < 40, 0.05, np.nan))):
        row, raw, _ = linked(f, said, value, probability=probability)
        assert row["indicative"]
        assert row[["estimate", "conf_low", "conf_high", "p"]].tolist() == raw[["estimate", "conf_low", "conf_high", "p"]].tolist()


def test_people_who_answer_twice_are_no_two_witnesses_of_a_corrected_link():
    rng, f, y, value = scores(400)
    drawn = np.where(rng.random(400) < 0.5, 0.5, np.nan)
    twice = [np.tile(part, 2) for part in (f, y, value, drawn)]
    once, again = (linked(*twice[:3], probability=twice[3], unit=unit)[0] for unit in (None, np.tile(np.arange(400), 2)))
    assert again["estimate"] == pytest.approx(once["estimate"])
    assert again["std_error"] > 1.1 * once["std_error"]


LINKS, EFFECTS = np.array([0.30, 0.20, 0.12, 0.08, 0.06]), np.array([-1.2, -0.8, -1.5, 0.0, 0.8])


def drawn_links(runs, *, effects, size=700, rows=200, seed=0, adjusted=False):
    """Links of waves whose coder finds nine in ten critics and six in ten others, and adds false ones to critics three times as often, corrected by the real draw of an audit: a row a run and topic; `adjusted`: slopes with the other topics and a region held."""
    rng, found = np.random.default_rng(seed), []
    ids, names = np.array([f"r{at:05d}" for at in range(size)], object), np.array([f"t{at}" for at in range(len(LINKS))], object)
    verbatims = pd.DataFrame({"response_id": ids, "item": "why", "text": "some words"})
    mark = lambda said: pd.DataFrame({"response_id": ids[np.nonzero(said)[0]], "topic": names[np.nonzero(said)[1]], "polarity": "any"})
    for run in range(runs):
        y, value = answering(rng, size, effects)
        critic = (value < 0)[:, None]
        f = np.where(y, rng.random(y.shape) < np.where(critic, 0.9, 0.6), rng.random(y.shape) < LINKS * np.where(critic, 0.45, 0.15))
        weight = rng.uniform(0.5, 1.8, size)
        probability = audit.sample(verbatims, mark(f), rows=rows, seed=run).set_index("answer")["probability"].reindex(ids)
        responses = pd.DataFrame({"response_id": ids, "recommend": np.select([value > 0, value < 0], [9, 3], 7), "weight": weight, "region": rng.choice(list("abc"), size) if adjusted else "a"})
        people = pd.DataFrame({"response_id": ids, "weight": weight, "unit": ids, "value": value, "probability": probability.to_numpy(), "known": False})
        raw, told = prevalence.impact(mark(f), verbatims, responses), mark(y).assign(share=1.0)
        told = told[told["response_id"].isin(probability.index[probability.notna()])]
        if adjusted:
            raw = prevalence.associations(mark(f), verbatims, responses, controls=("region",))
            row = correction.associations(raw, mark(f), told, people, prevalence.held(responses.assign(unit=ids), ("region",)))
        else:
            row = correction.impact(raw, mark(f), told, people)
        found.append(row.assign(raw_low=raw["conf_low"], raw_high=raw["conf_high"], raw_p=raw["p"]))
    return pd.concat(found, ignore_index=True)


def answering(rng, size, effects):
    """Who speaks of what, and the -100, 0, 100 that goes with it."""
    y = rng.random((size, len(LINKS))) < LINKS
    level = 0.3 + y @ effects + 1.2 * rng.normal(size=size)
    return y, np.select([level > 0.3, level < -0.6], [100.0, -100.0], 0.0)


def truth(effects, *, adjusted=False):
    y, value = answering(np.random.default_rng(99), 1_000_000, effects)
    if adjusted:
        return {f"t{at}": slope for at, slope in enumerate(np.linalg.lstsq(np.column_stack([y, np.ones(len(y))]), value, rcond=None)[0][:-1])}
    return {f"t{at}": value.mean() - value[~y[:, at]].mean() for at in range(len(LINKS))}


@pytest.mark.parametrize("adjusted", [False, True])
def test_a_corrected_link_claims_nothing_where_only_the_coders_mistakes_go_with_the_score(adjusted):
    found = drawn_links(25, effects=0 * EFFECTS, adjusted=adjusted)
    own = found[~found["indicative"].astype(bool)]
    assert (own["p"] < 0.05).mean() < 0.12
    assert (own["raw_p"] < 0.05).mean() > 0.4
    assert ((own["conf_low"] <= 0) & (own["conf_high"] >= 0)).mean() > 0.88


def test_an_audit_of_everything_gives_the_slopes_as_people_code_them():
    rng, f, y, value = scores(500)
    other = rng.random(500) < 0.2
    ids, weight = np.array([f"r{at:05d}" for at in range(500)], object), rng.uniform(0.5, 2, 500)
    mark = lambda *said: pd.concat([pd.DataFrame({"response_id": ids[one], "topic": f"t{at}", "polarity": "any"}) for at, one in enumerate(said)], ignore_index=True)
    responses = pd.DataFrame({"response_id": ids, "recommend": np.select([value > 0, value < 0], [9, 3], 7), "weight": weight})
    verbatims, people = pd.DataFrame({"response_id": ids, "text": "some words"}), pd.DataFrame({"response_id": ids, "weight": weight, "unit": ids, "value": value, "probability": 1.0, "known": False})
    raw, whole = (prevalence.associations(mark(one, other), verbatims, responses) for one in (f, y))
    found = correction.associations(raw, mark(f, other), mark(y, other).assign(share=1.0), people, prevalence.held(people))
    assert found["estimate"].tolist() == pytest.approx(whole["estimate"].tolist())
    assert found["std_error"].tolist() == pytest.approx(whole["std_error"].tolist(), rel=0.03)
    assert found["uncorrected"].tolist() == raw["estimate"].tolist()
    assert not found["indicative"].any()
    few = correction.associations(raw, mark(f, other), mark(y, other).assign(share=1.0), people.assign(probability=np.where(np.arange(500) < 60, 0.12, np.nan)), [np.ones(500), *(rng.random(500) for _ in range(12))])
    assert few["indicative"].all()  # sixty answers for fifteen columns


@pytest.mark.slow
@pytest.mark.parametrize(("size", "adjusted"), [(700, False), (2500, False), (700, True)])
@pytest.mark.parametrize("effects", [0 * EFFECTS, EFFECTS], ids=["null", "effects"])
def test_corrected_links_hold_the_truth_at_200_audit_rows(effects, size, adjusted):
    """1,000 replicates, five topics, each by itself: coverage of 93 % at least, a claim in at most 5 % of null worlds; as the coder codes both fail."""
    found, true = drawn_links(1000, effects=effects, size=size, seed=5, adjusted=adjusted), truth(effects, adjusted=adjusted)
    own = found[~found["indicative"].astype(bool)].assign(true=lambda rows: rows["topic"].map(true))
    runs = own.groupby("topic").size()
    assert (runs[["t0", "t1", "t2"]] > 900).all()
    covered = own.assign(held=(own["conf_low"] <= own["true"]) & (own["true"] <= own["conf_high"])).groupby("topic")["held"].mean()
    assert (covered >= 0.93 - 2.576 * np.sqrt(0.93 * 0.07 / runs)).all()
    raw = own.assign(held=(own["raw_low"] <= own["true"]) & (own["true"] <= own["raw_high"])).groupby("topic")["held"].mean()
    assert raw.min() < 0.7
    if not effects.any():
        assert (own.assign(claim=own["p"] < 0.05).groupby("topic")["claim"].mean() <= 0.05 + 2.576 * np.sqrt(0.05 * 0.95 / runs)).all()
