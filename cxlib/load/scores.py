"""Scored pairs: a Fellegi-Sunter model by Splink on DuckDB, with the people who share a household kept apart from strangers.

Splink blocks, compares and estimates. Strangers seldom agree on several columns; two people of one household do, and a model that knows only
strangers takes them for one person. So there are three classes: the same person, another of the same household (how often and in
what they agree is counted within the right file, where every row is another person), and a stranger.
"""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd

STRONG = ("email", "phone", "number")  # equal in two rows by household or person, hardly by chance
DATES = ("date",)
PAIRS = 2e7  # pairs of a blocking rule beyond which it is not used


class Scored(NamedTuple):
    """Links by scores, the expected number of false ones with its interval, and how it was had."""

    links: pd.DataFrame
    false: tuple[float, float, float]
    note: str


def pairs(left: pd.DataFrame, right: pd.DataFrame, *, compare: list[str], kinds: dict, free_left: np.ndarray, free_right: np.ndarray, known: pd.DataFrame | None, threshold: float, relation: str) -> Scored:
    """Return one link for each free row of the left whose best pair is probable enough.

    A link's probability is that of the pair against all other pairs of the same rows (a row has one partner at most). The number of false
    links is estimated twice, by the probabilities and by rows whose partner is known and was taken away; the interval holds both.
    """
    model = _model(left, right, compare, kinds)
    if model is None:
        return Scored(pd.DataFrame({"left": [], "right": [], "probability": []}), (0.0, 0.0, 0.0), "no two rows agree on enough to be compared")
    both, within, stranger = model
    weight, doubles = _fit(both, within, stranger, len(left), right[compare].notna().to_numpy())
    open_right = free_right[both["right"]] if relation == "one_to_one" else np.ones(len(both), dtype=bool)
    left_at, right_at, weight = (values[open_right] for values in (both["left"].to_numpy(), both["right"].to_numpy(), weight))
    open_left = free_left[left_at]
    n, matched = int(free_left.sum()), 0.5
    for _ in range(100):
        probability = _posterior(left_at[open_left], right_at[open_left], weight[open_left], matched, relation)
        before, matched = matched, float(np.clip(probability.sum() / n, 1e-6, 0.999))
        if abs(matched - before) < 1e-6:
            break
    kept = probability >= threshold
    links = pd.DataFrame({"left": left_at[open_left][kept], "right": right_at[open_left][kept], "probability": probability[kept]}).sort_values("left", ignore_index=True)
    links = links.drop_duplicates("left")
    expected = float((1 - links["probability"]).sum())
    spread = 1.96 * np.sqrt(float((links["probability"] * (1 - links["probability"])).sum()) + 1e-9)
    low, high, note = max(expected - spread, 0.0), expected + spread + 1.0, f"scored by {', '.join(compare)}"
    if doubles >= 0.005 * len(right):
        note += f"; about {doubles:,.0f} persons stand twice in the right file, and rows that fit both are not linked"
    if known is not None and len(known) >= 50:
        found, tried = _without_partner(left_at, right_at, weight, known, matched, threshold)
        absent = n * (1 - matched)
        middle = absent * (found + 0.5) / (tried + 1)
        around = 1.96 * np.sqrt(middle + (absent / (tried + 1)) ** 2 * (found + 0.5))
        low, high = min(low, max(middle - around, 0.0)), max(high, middle + around)
        note += f"; of {tried:,} rows whose partner is known and was taken away, {found:,} were linked to another"
    return Scored(links, (expected, low, min(high, float(len(links)))), note)


def _posterior(left_at, right_at, weight, matched, relation) -> np.ndarray:
    """The probability of each pair against all pairs of its left row (and of its right row, where that has one partner too)."""
    odds = weight * matched / (1 - matched)
    others = np.bincount(left_at, odds)[left_at] - odds
    if relation == "one_to_one":
        others += np.bincount(right_at, odds)[right_at] - odds
    return odds / (1 + odds + np.clip(others, 0, None))


def _without_partner(left_at, right_at, weight, known, matched, threshold) -> tuple[int, int]:
    """How many rows with a known partner are linked to somebody else when that partner is not there."""
    sure = known[known["probability"] >= 0.99]
    partner = np.full(int(max(left_at.max(initial=0), sure["left"].max() if len(sure) else 0)) + 1, -1)
    partner[sure["left"].astype(int)] = sure["right"].astype(int)
    others = (partner[left_at] >= 0) & (partner[left_at] != right_at)
    odds = weight[others] * matched / (1 - matched)
    total = np.bincount(left_at[others], odds, minlength=len(partner))[left_at[others]]
    return len(np.unique(left_at[others][odds / (1 + total) >= threshold])), len(sure)


def _fit(both: pd.DataFrame, within: pd.DataFrame, stranger, n_left: int, filled: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit what true pairs agree on beside the two kinds of false ones.

    Returns, a pair, P(pattern | same person) over the number of others expected to show it, and how many persons stand twice in the right file.
    """
    columns = [column for column in both if column not in ("left", "right")]
    patterns, place, counts = np.unique(both[columns].to_numpy(), axis=0, return_inverse=True, return_counts=True)
    inner, n_right = np.unique(within[columns].to_numpy(), axis=0, return_counts=True), len(filled)
    agree = [np.array([0.9, *[0.1 / (len(one) - 1)] * (len(one) - 1)]) for one in stranger]  # where the fit begins
    for _ in range(2):  # who stands twice in the right file is told from who shares a household by what true pairs agree on
        rate, household, double = _household(*inner, agree, stranger, n_right)
        false = n_right * _product(patterns, stranger) + rate * _product(patterns, household)
        false *= _dependence(patterns, false, inner[0], inner[1] * (1 - double), filled)
        share = 0.5
        for _ in range(100):
            true = share * _product(patterns, agree)
            weight = true / (true + false) * counts
            share = float(np.clip(weight.sum() / n_left, 1e-6, 0.999))
            agree = [_levelled(patterns[:, at], weight, np.full(len(one), 0.5)) for at, one in enumerate(stranger)]
    return (_product(patterns, agree) / false)[place.ravel()], float((inner[1] * double).sum())


def _dependence(patterns: np.ndarray, false: np.ndarray, inner: np.ndarray, counts: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """How many times more often two persons of the right file show a pattern than columns taken as independent make expect.

    Namesakes have like e-mail addresses, neighbours like streets: pairs within the file show it. Seldom seen patterns lean on what is expected.
    """
    factor, n = np.ones(len(patterns)), len(filled)
    for mask in np.unique(patterns >= 0, axis=0):
        own, known = ((patterns >= 0) == mask).all(axis=1), (inner[:, mask] >= 0).all(axis=1)
        pairs = n * filled[:, mask].all(axis=1).mean() ** 2 / 2  # that many pairs of the file for each other a row is expected to meet
        base = 8 ** np.arange(int(mask.sum()))  # a number for each pattern; no column has eight levels
        seen = pd.Series(counts[known]).groupby(inner[known][:, mask] @ base).sum()
        found = seen.reindex(patterns[own][:, mask] @ base).fillna(0).to_numpy()
        factor[own] = (found + 2) / (false[own] * pairs + 2)
    return factor


def _household(patterns: np.ndarray, counts: np.ndarray, agree, stranger, n: int):
    """Pairs within one file beyond what chance makes: how many others of the household a person has, the shares of levels among them, and the doubles."""
    excess = np.clip(counts - n * (n - 1) / 2 * _product(patterns, stranger), 0, None)
    same, double = _product(patterns, agree), np.zeros(len(counts))
    for _ in range(100):
        household = [_levelled(patterns[:, at], excess * (1 - double), 5 * one) for at, one in enumerate(stranger)]
        share = (excess * double).sum() / max(excess.sum(), 1e-9) if double.any() else 0.1
        double = share * same / (share * same + (1 - share) * _product(patterns, household) + 1e-300)
    return 2 * (excess * (1 - double)).sum() / n, household, double * excess / counts


def _levelled(levels: np.ndarray, weight: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The shares of the levels of one column among weighted pairs, empty cells apart."""
    found = np.bincount(np.clip(levels, 0, None), weight * (levels >= 0), minlength=len(prior)) + prior
    return found / found.sum()


def _model(left: pd.DataFrame, right: pd.DataFrame, compare: list[str], kinds: dict):
    """Candidate pairs with their levels of agreement, and by level the shares among true pairs, strangers and households (with their rate)."""
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect(config={"threads": 1})
    api = DuckDBAPI(connection=connection)
    rules = _rules(left, right, compare, kinds)
    if not rules:
        return None
    settings = lambda kind, blocks: SettingsCreator(link_type=kind, comparisons=[_comparison(column, kinds[column]) for column in compare], blocking_rules_to_generate_predictions=blocks, unique_id_column_name="place", retain_matching_columns=False, retain_intermediate_calculation_columns=True, linker_uid="cx")
    sides = [api.register(_arrow(frame[compare], name), dataset_display_name=name) for frame, name in ((left, "left_file"), (right, "right_file"))]
    linker = Linker(sides, settings("link_only", [_block(rule) for rule in rules]), log_level=None, validate_settings=False)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=20260101)
    model = linker.misc.save_model_to_json()
    stranger = [_strangers(one) for one in model["comparisons"]]
    # Levels are read from weights, so each level is given a weight of its own: -1, -2, ... and 0 where a side is empty.
    for comparison in model["comparisons"]:
        for place, level in enumerate(one for one in comparison["comparison_levels"] if not one.get("is_null_level")):
            level |= {"m_probability": 0.25 * 0.5**place, "u_probability": 0.5}
    reader = Linker(sides, model, log_level=None, validate_settings=False)
    both = _levels(reader.inference.predict(warning_mode="never"), compare)
    within = _levels(reader.inference.predict_within(sides[1], link_type="dedupe_only", warning_mode="never"), compare)
    return both, within, stranger


def _product(patterns: np.ndarray, levels) -> np.ndarray:
    """The probability of each pattern, columns taken as independent; an empty column says nothing."""
    return np.exp(sum(np.where(patterns[:, at] < 0, 0.0, np.log(levels[at])[np.clip(patterns[:, at], 0, None)]) for at in range(patterns.shape[1])))


def _strangers(comparison: dict) -> np.ndarray:
    """The shares of a comparison's levels among strangers, as Splink found them in pairs put together by lot; one never seen gets a small share."""
    found = [one.get("u_probability") for one in comparison["comparison_levels"] if not one.get("is_null_level")]
    found = np.array([one if isinstance(one, float) else 0.0 for one in found]).clip(1e-7)
    return found / found.sum()


def _levels(table, compare: list[str]) -> pd.DataFrame:
    """Pairs with the level of each column (0 is the closest, -1 empty), in a fixed order."""
    frame = table.as_duckdbpyrelation().df().rename(columns={"place_l": "left", "place_r": "right"})
    for column in compare:
        frame[column] = -np.rint(frame[f"mw_{column}"].to_numpy()).astype(int) - 1
    return frame[["left", "right", *compare]].sort_values(["left", "right"], ignore_index=True)


def _arrow(frame: pd.DataFrame, name: str):
    import pyarrow as pa

    # Pairs within one file need the name of the file as a column (splink 5.0.0 joins by it there too).
    columns = {column: pa.array(frame[column].astype(object).where(frame[column].notna(), None), type=pa.string()) for column in frame}
    return pa.table(columns | {"place": pa.array(np.arange(len(frame))), "source_dataset": pa.array([name] * len(frame))})


def _block(rule):
    from splink import block_on

    return block_on(*rule)


def _comparison(column: str, kind: str):
    import splink.comparison_library as cl

    if kind == "name":
        return cl.JaroWinklerAtThresholds(column, [0.92, 0.8])
    if kind in ("email", "text"):
        return cl.JaroWinklerAtThresholds(column, [0.92])
    return cl.DamerauLevenshteinAtThresholds(column, [1])


def _rules(left, right, compare, kinds) -> list[tuple]:
    """Blocking rules: strong columns and dates alone, others in twos; those that would make too many pairs are left out."""
    alone = [(column,) for column in compare if kinds[column] in STRONG + DATES]
    weak = [column for column in compare if kinds[column] not in STRONG + DATES]
    twos = [(a, b) for place, a in enumerate(weak) for b in weak[place + 1 :]]
    usable = []
    for rule in alone + twos:
        counts = [frame.dropna(subset=list(rule)).groupby(list(rule)).size() for frame in (left, right)]
        size = (counts[0] * counts[1]).dropna().sum()
        if 0 < size <= PAIRS:
            usable.append(rule)
    return usable

