"""The coder: a codeframe that has learnt from verbatims which people coded; it codes others by words, characters, phrase hits and the question."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import DataError, nearest
from cxlib.text import features, topics
from cxlib.text.codeframe import Codeframe

FOLDS = 5
FEWEST_ROWS, FEWEST = 100, 10  # verbatims coded by people in all, and with (and without) a topic, below which its phrases go on coding it
PULL = 50  # coded verbatims of a topic at which its own threshold counts as much as .5
LONG, BEST_CLAUSE = 20, 0.25  # tokens from which a verbatim is also scored clause by clause, and how much the best of them counts: in a long one a word weighs little
SMOOTH = 0.1  # added to the counts whose log ratio weighs a feature for a topic
BATCH = 5_000  # verbatims that are held at once
RECALL = 0.95  # share of the mentions of an alert topic that its threshold must find
COLUMNS = [*topics.COLUMNS, "probability", "coded_by"]


@dataclass(frozen=True)
class Coder:
    """What `learn` found: a weight a feature and topic, and the check that decided which topics are coded by them."""

    codeframe: Codeframe
    check: pd.DataFrame
    known: features.Features | None = None
    weights: np.ndarray | None = None  # features by topics
    start: np.ndarray | None = None
    thresholds: np.ndarray | None = None
    topics: tuple[str, ...] = ()


def learn(coded: pd.DataFrame, verbatims: pd.DataFrame, codeframe: Codeframe, *, exclude=(), seed: int = 1) -> Coder:
    """Learn the codeframe's topics from verbatims that people coded.

    in: coded: response_id, item (where verbatims have it), topic, and where several people coded share (of them who say so; from .5 it counts); a row a code,
    topic empty where none applies: a verbatim that is not in it was not coded (`codings.training` gives it).
    verbatims: response_id, text, and where present item, language and unit or person_id. `exclude`: responses (ids) that must not be learnt from, those
    of the audit; other responses of the same people are left out as well.

    TF-IDF of words, lemmas and runs of letters, hits of the phrases and the question; a topic's weights are the mean of two logistic regressions (scikit-learn, liblinear), one of them on features that
    are weighed by how much more often they stand where the topic does (log count ratios: Wang & Manning 2012, ACL, 90). A verbatim of twenty tokens or more is scored as a whole (.75) and by the clause that speaks of the topic most (.25). Out-of-fold
    scores decide each topic's threshold (best F1, drawn towards .5 as n/(n + 50)), five folds by a hash of the unit, so that nobody is in two.
    A topic with fewer than 10 coded verbatims, or that its phrases code better out of fold, stays with its phrases; so do all under 100 coded verbatims.
    Alert topics take the threshold that finds 95 % of their mentions, and whatever their phrases hit.

    `check` has a row a topic: topic, n (coded verbatims), count (with the topic), method (model | phrases), threshold, precision, recall, f1 (out of
    fold), f1_phrases (phrases alone on the same verbatims), note. Raises DataError for a topic that the codeframe does not have.
    """
    reads, units, truth, names = _joined(coded, verbatims, codeframe, set(exclude))
    hits = _hits(reads, names)
    rows = [{"topic": topic, "n": len(reads), "count": int(truth[:, at].sum()), "method": "phrases", "f1_phrases": _f1(truth[:, at], hits[:, at])[2]} for at, topic in enumerate(names)]
    enough = [at for at, row in enumerate(rows) if len(reads) >= FEWEST_ROWS and min(row["count"], len(reads) - row["count"]) >= FEWEST]
    for at, row in enumerate(rows):
        row["note"] = "" if at in enough else f"{row['count']} of {len(reads)} coded verbatims have it: too few to learn from ({FEWEST} of {FEWEST_ROWS} needed)"
        row["precision"], row["recall"], row["f1"] = _f1(truth[:, at], hits[:, at])
    alert = {topic.id for topic in codeframe.topics if topic.alert}
    found = _out_of_fold(reads, units, truth[:, enough], codeframe, seed) if enough else np.zeros((len(reads), 0))
    kept, thresholds = [], []
    for place, at in enumerate(enough):
        y, p, row = truth[:, at], found[:, place], rows[at]
        threshold = _threshold(y, p, recall=RECALL if names[at] in alert else None)
        f1 = _f1(y, (p >= threshold) | (hits[:, at] & (names[at] in alert)))
        if f1[2] < row["f1_phrases"] and names[at] not in alert:
            row["note"] = f"phrases code it better (F1 {row['f1_phrases']:.2f} against {f1[2]:.2f} out of fold)"
            continue
        row |= {"method": "model", "threshold": threshold, "precision": f1[0], "recall": f1[1], "f1": f1[2]}
        kept.append(at)
        thresholds.append(threshold)
    check = pd.DataFrame(rows, columns=["topic", "n", "count", "method", "threshold", "precision", "recall", "f1", "f1_phrases", "note"]).astype({"threshold": float})
    if not kept:
        return Coder(codeframe, check)
    known = features.fit(reads, codeframe)
    weights, start = _weights(features.matrix(reads, known), truth[:, kept], seed)
    return Coder(codeframe, check, known, weights, start, np.array(thresholds), tuple(names[at] for at in kept))


def code(verbatims: pd.DataFrame, coder: Coder) -> pd.DataFrame:
    """Which topics does each clause speak of, by what the coder has learnt? One row a verbatim, clause and topic.

    As `topics.code`, with probability (of the topic in the verbatim; NaN where phrases code it) and coded_by (phrase | model). A learnt topic whose phrases
    hit, but which the verbatim is not about, is left out; one that the verbatim is about without a phrase of it stands at the clause that speaks of it most
    (phrase ""). Each row is coded by itself, so the function may be mapped over batches.
    """
    with topics.uncollected():
        parts = [_coded(verbatims.iloc[at : at + BATCH], coder) for at in range(0, len(verbatims), BATCH)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["response_id", "item", *COLUMNS[2:]])
    return frame.astype({"clause": "int64", "negated": bool, "probability": float})


def _coded(verbatims, coder) -> pd.DataFrame:
    reads = list(topics.read(verbatims, coder.codeframe))
    chance, by_clause = _probabilities(reads, coder)
    column = {topic: at for at, topic in enumerate(coder.topics)}
    alert = {topic.id for topic in coder.codeframe.topics if topic.alert}
    rows, missing = [], []
    for place, one in enumerate(reads):
        hit = set()
        for mention in one.mentions:
            at = column.get(mention[1])
            if at is None or chance[place, at] >= coder.thresholds[at] or mention[1] in alert:
                rows.append((place, one.response_id, one.item, *mention, np.nan if at is None else chance[place, at], "phrase"))
                hit.add(at)
        if one.lower and len(coder.topics):
            missing += [(place, int(at)) for at in np.flatnonzero(chance[place] >= coder.thresholds) if at not in hit]
    rows += _placed(reads, missing, chance, by_clause, coder)
    frame = pd.DataFrame(rows, columns=["place", "response_id", "item", *COLUMNS[2:]]).sort_values(["place", "clause"], kind="stable", ignore_index=True)
    return frame.drop(columns="place")


def scores(verbatims: pd.DataFrame, coder: Coder) -> pd.DataFrame:
    """How likely is each learnt topic in each verbatim? Returns response_id, item, topic, probability (0..1), threshold; one row a verbatim and topic."""
    reads = list(topics.read(verbatims, coder.codeframe))
    chance = _probabilities(reads, coder)[0]
    many = len(coder.topics)
    return pd.DataFrame({
        "response_id": np.repeat(np.array([one.response_id for one in reads], dtype=object), many), "item": np.repeat(np.array([one.item for one in reads], dtype=object), many),
        "topic": list(coder.topics) * len(reads), "probability": chance.ravel(), "threshold": np.tile(coder.thresholds if many else np.zeros(0), len(reads)),
    })


def unsure(verbatims: pd.DataFrame, coder: Coder) -> pd.Series:
    """How near is a verbatim to being coded otherwise, 0 (sure) to 1 (on a threshold)? By response_id and item, the least sure of its topics."""
    found = scores(verbatims, coder)
    near = 1 - (found["probability"] - found["threshold"]).abs() / np.maximum(found["threshold"], 1 - found["threshold"])
    return near.groupby([found["response_id"], found["item"]], sort=False).max()


def _joined(coded, verbatims, codeframe, exclude):
    """Return the coded verbatims as they were read, their units, their codes by topic, and the topics."""
    keys = ["response_id", "item"] if "item" in verbatims.columns and "item" in coded.columns else ["response_id"]
    ids = codeframe.names()
    given = coded["topic"].fillna("").astype(str)
    for topic in sorted(set(given) - {""}):
        if topic not in ids:
            raise DataError(f"coded verbatims: topic '{topic}' of response '{coded.loc[given == topic, 'response_id'].iloc[0]}' is not in codeframe {codeframe.version}{nearest(topic, sorted(ids))}")
    unit = next(name for name in ("unit", "person_id", "response_id") if name in verbatims.columns)
    known = verbatims.drop_duplicates(keys)
    who = known[unit].where(known[unit].notna(), known["response_id"])
    barred = set(who[known["response_id"].isin(exclude)])
    known = known.assign(unit_=who)[~known["response_id"].isin(exclude) & ~who.isin(barred)]
    known = known.merge(coded[keys].drop_duplicates(), on=keys).sort_values(keys, ignore_index=True)
    pairs = [(one, unit) for one, unit in zip(topics.read(known, codeframe), known["unit_"]) if one.lower]
    coded_as = codeframe.coded_as()
    counts = coded["share"].fillna(1) >= 0.5 if "share" in coded.columns else pd.Series(True, index=coded.index)
    ends = given.map(coded_as).where(counts)
    nets = {topic.id for topic in codeframe.topics if not (topic.include or topic.silence)}
    names = sorted((set(coded_as.values()) - nets) | set(ends.dropna()))
    codes = {}
    for key, topic in zip(coded[keys].itertuples(index=False, name=None), ends):
        codes.setdefault(key, set()).add(topic)
    column = {topic: at for at, topic in enumerate(names)}
    truth = np.zeros((len(pairs), len(names)), dtype=bool)
    for place, (one, _) in enumerate(pairs):
        for topic in codes[(one.response_id, one.item)[: len(keys)]]:
            if topic in column:
                truth[place, column[topic]] = True
    return [one for one, _ in pairs], np.array([_fold(unit) for _, unit in pairs], dtype=int), truth, names


def _hits(reads, names) -> np.ndarray:
    column = {topic: at for at, topic in enumerate(names)}
    hits = np.zeros((len(reads), len(names)), dtype=bool)
    for place, one in enumerate(reads):
        for mention in one.mentions:
            if mention[1] in column:
                hits[place, column[mention[1]]] = True
    return hits


def _out_of_fold(reads, fold, truth, codeframe, seed) -> np.ndarray:
    found = np.zeros(truth.shape)
    for number in np.unique(fold):
        rest, own = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if not len(rest):
            continue
        known = features.fit([reads[at] for at in rest], codeframe)
        weights, start = _weights(features.matrix([reads[at] for at in rest], known), truth[rest], seed)
        found[own] = _logistic(_scored([reads[at] for at in own], known, weights, start)[0])
    return found


def _weights(rows, truth, seed):
    """Return weights (features by topics) and intercepts; a topic that all or none have gets its share."""
    from sklearn.linear_model import LogisticRegression

    weights, start = np.zeros((rows.shape[1], truth.shape[1])), np.zeros(truth.shape[1])
    for at in range(truth.shape[1]):
        if truth[:, at].all() or not truth[:, at].any():
            start[at] = 20.0 if truth[:, at].any() else -20.0
            continue
        own, model = truth[:, at], LogisticRegression(C=3.0, class_weight="balanced", solver="liblinear", random_state=seed, max_iter=200).fit(rows, truth[:, at])
        often, else_ = (np.asarray(rows[side].sum(axis=0)).ravel() + SMOOTH for side in (own, ~own))
        ratio = np.log((often / often.sum()) / (else_ / else_.sum()))
        ratio /= max(np.abs(ratio).mean(), 1e-9)
        other = LogisticRegression(C=1.0, class_weight="balanced", solver="liblinear", random_state=seed, max_iter=200).fit(rows.multiply(ratio).tocsr(), own)
        weights[:, at], start[at] = (model.coef_[0] + ratio * other.coef_[0]) / 2, (model.intercept_[0] + other.intercept_[0]) / 2
    return weights, start


def _probabilities(reads, coder) -> tuple[np.ndarray, dict]:
    if not coder.topics:
        return np.zeros((len(reads), 0)), {}
    score, by_clause = _scored(reads, coder.known, coder.weights, coder.start)
    return _logistic(score), by_clause


def _scored(reads, known, weights, start) -> tuple[np.ndarray, dict]:
    """Return the scores of verbatims, the best clause of a long one counted in, and by place those of its clauses."""
    whole = features.matrix(reads, known) @ weights + start
    by_clause = _by_clause(reads, [place for place, one in enumerate(reads) if len(one.lower) >= LONG], known, weights, start)
    for place, each in by_clause.items():
        whole[place] = (1 - BEST_CLAUSE) * whole[place] + BEST_CLAUSE * each.max(axis=0)
    return whole, by_clause


def _by_clause(reads, places, known, weights, start) -> dict:
    """Return by place the scores of a verbatim's clauses (clauses by topics), where it has several."""
    several = [place for place in places if len(reads[place].spans) > 1]
    if not several:
        return {}
    each = np.round(features.matrix([_clause(reads[place], number) for place in several for number in range(len(reads[place].spans))], known) @ weights + start, 9)
    return dict(zip(several, np.split(each, np.cumsum([len(reads[place].spans) for place in several])[:-1])))


def _logistic(score) -> np.ndarray:
    return np.round(1 / (1 + np.exp(-np.asarray(score))), 9)  # rounded: the order of sums must not turn a code


def _threshold(truth, chance, *, recall=None) -> float:
    """Return the score from which a topic is coded: best F1 drawn towards .5, or the highest that finds the share `recall`."""
    order = np.argsort(-chance, kind="stable")
    right = np.cumsum(truth[order])
    if recall is not None:
        return min(0.5, float(chance[order][np.searchsorted(right, np.ceil(recall * truth.sum()))]))
    at = int(np.argmax(2 * right / (np.arange(1, len(order) + 1) + truth.sum())))
    best = (chance[order][at] + chance[order][min(at + 1, len(order) - 1)]) / 2
    share = truth.sum() / (truth.sum() + PULL)
    return float(share * best + (1 - share) * 0.5)


def _f1(truth, found) -> tuple[float, float, float]:
    both = (truth & found).sum()
    precision, recall = both / found.sum() if found.any() else 0.0, both / truth.sum() if truth.any() else 0.0
    return float(precision), float(recall), float(2 * both / (truth.sum() + found.sum())) if truth.any() or found.any() else 0.0


def _placed(reads, missing, chance, by_clause, coder) -> list[tuple]:
    """Return the mentions that no phrase found, each at the clause that speaks of its topic most."""
    by_clause = by_clause | _by_clause(reads, sorted({place for place, _ in missing} - by_clause.keys()), coder.known, coder.weights, coder.start)
    rows = []
    for place, at in missing:
        one = reads[place]
        number = int(np.argmax(by_clause[place][:, at])) if place in by_clause else 0
        said = _clause(one, number).text if one.spans else one.text
        polarity = topics.tone(one, coder.codeframe, number) if one.spans else "unclear"
        rows.append((place, one.response_id, one.item, number + 1, coder.topics[at], polarity, "", False, said, chance[place, at], "model"))
    return rows


def _clause(one, number):
    """One clause of a verbatim as if it had been written alone."""
    start, end, statement = one.spans[number]
    until = one.starts[end] if end < len(one.starts) else len(one.text)
    mentions = [mention for mention in one.mentions if mention[0] == number + 1]
    return one._replace(text=one.text[one.starts[start] : until].rstrip(), starts=one.starts[start:end], lower=one.lower[start:end], lemmas=one.lemmas[start:end], spans=[(0, end - start, statement)], mentions=mentions)


def _fold(unit) -> int:
    return hashlib.sha256(f"topics {unit}".encode("utf-8", "replace")).digest()[0] % FOLDS
