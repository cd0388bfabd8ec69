"""The audit: which comments people code, drawn so that the coder's mistakes can be estimated, or so that a model learns most from them."""

import hashlib

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.text import topics

EXPECT = 10  # comments of a topic that an audit should hold; topics that proportional chance gives fewer are drawn more often
BOOST = 3.0  # how much more often answers with a rare topic are drawn
LEAST = 5  # answers of a stratum, where it has them
LEARN = 30  # comments of a topic from which more of them teach little
POOL = 4000  # uncovered comments that are looked at for their variety
WORDS = 3  # comments of fewer words teach little


def sample(verbatims: pd.DataFrame, mentions: pd.DataFrame, *, rows: int, seed: int = 1) -> pd.DataFrame:
    """Draw answers for an audit, stratified by what the coder says of them.

    in: the verbatims of one survey and quarter (response_id, item, text) and their mentions; answers without words are left out. Strata: rare (speaks of a topic that
    a plain sample would hold fewer than ten times; drawn three times as often), none (no topic), one, several. out, in random order: answer,
    stratum, population (answers of it), probability (that an answer of it was drawn). The target is the wave's comments: weights 1/probability make the sample stand for them.
    """
    people = pd.Index(sorted(verbatims.loc[verbatims["text"].map(topics.clean).str.contains(r"[^\W\d_]", regex=True), "response_id"].unique()))
    found = mentions.loc[mentions["response_id"].isin(people), ["response_id", "topic"]].drop_duplicates()
    share = found["topic"].value_counts() / max(len(people), 1)
    rare = set(share.index[share * rows < EXPECT])
    often, any_rare = found.groupby("response_id").size().reindex(people, fill_value=0), people.isin(found.loc[found["topic"].isin(rare), "response_id"])
    stratum = pd.Series(np.select([any_rare, often == 0, often == 1], ["rare", "none", "one"], "several"), index=people)
    population = stratum.value_counts().sort_index()
    taken = allocated(population, rows=rows, boost={"rare": BOOST})
    rng = _rng(seed, "audit", *map(str, people[:1]), str(len(people)))
    chosen = [pd.DataFrame({"answer": rng.permutation(people[stratum == name].to_numpy(object))[: taken[name]], "stratum": name, "population": size, "probability": taken[name] / size}) for name, size in population.items()]
    whole = pd.concat(chosen, ignore_index=True) if chosen else pd.DataFrame(columns=["answer", "stratum", "population", "probability"])
    return whole.iloc[rng.permutation(len(whole))].reset_index(drop=True)


def allocated(population: pd.Series, *, rows: int, boost: dict | None = None) -> dict:
    """Return how many of each stratum are drawn: in proportion to its size times its boost, five at least where it has them, all of a stratum at most, `rows` together where there are so many."""
    weight = population * pd.Series({name: (boost or {}).get(name, 1.0) for name in population.index}, dtype=float)
    taken, rows = {name: min(LEAST, int(size)) for name, size in population.items()}, min(rows, int(population.sum()))
    while (short := rows - sum(taken.values())) > 0:
        ideal = {name: rows * weight[name] / weight.sum() for name in population.index}
        open_ = [name for name in population.index if taken[name] < population[name]]
        best = sorted(open_, key=lambda name: (taken[name] - ideal[name], name))[0]
        taken[best] += max(1, min(short, int(population[best]) - taken[best], int(ideal[best] - taken[best])))
    return taken


def active(verbatims: pd.DataFrame, mentions: pd.DataFrame, *, rows: int, known: pd.Series | None = None, unsure: pd.Series | None = None, seed: int = 1) -> pd.DataFrame:
    """Choose the comments from which a model learns most: what the codeframe does not cover, rare topics, what the model is unsure of, and some at random.

    in: verbatims that may be learnt from (response_id, item, text), their mentions, `known` (topic -> comments that people have coded), `unsure` (how unsure the model is, by
    response_id and item; a quarter of the rows where it is given). out, in random order: answer, item, stratum (uncovered | rare | unsure | any). The same words are chosen once. Not a sample of anything: shares are never read from it.
    """
    text = verbatims["text"].map(topics.clean)
    pool = verbatims[["response_id", "item"]].assign(text=text)[text.str.split().str.len() >= WORDS]
    pool = pool.assign(key=pool["text"].str.lower().str.split().str.join(" ")).sort_values(["response_id", "item"]).drop_duplicates("key", ignore_index=True)
    rows, rng = min(rows, len(pool)), _rng(seed, "train", str(len(pool)))
    covered = pd.MultiIndex.from_frame(pool[["response_id", "item"]]).isin(pd.MultiIndex.from_frame(mentions[["response_id", "item"]]))
    chosen: dict[int, str] = {}
    quota = {"uncovered": 0.35, "rare": 0.30, "unsure": 0.0 if unsure is None else 0.25}
    for place in _various(pool.index[~covered].to_numpy(), pool["text"], round(rows * quota["uncovered"]), rng, seed):
        chosen[int(place)] = "uncovered"
    for place in _rare(pool, mentions, known, round(rows * quota["rare"]), rng, set(chosen)):
        chosen[int(place)] = "rare"
    if unsure is not None:
        doubt = pd.MultiIndex.from_frame(pool[["response_id", "item"]]).map(unsure.to_dict().get)
        order = pd.Series(doubt, index=pool.index, dtype=float).drop(list(chosen)).dropna().sort_values(ascending=False, kind="stable").index
        chosen |= dict.fromkeys(map(int, order[: round(rows * quota["unsure"])]), "unsure")
    rest = rng.permutation(pool.index.difference(list(chosen)).to_numpy())
    chosen |= dict.fromkeys(map(int, rest[: rows - len(chosen)]), "any")
    found = pool.loc[list(chosen), ["response_id", "item"]].rename(columns={"response_id": "answer"}).assign(stratum=list(chosen.values()))
    return found.iloc[rng.permutation(len(found))].reset_index(drop=True)


def _various(places, text, most, rng, seed):
    """Comments that stand for the kinds there are: the one nearest to the middle of each of `most` clusters."""
    if len(places) <= most:
        return places
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from threadpoolctl import threadpool_limits

    places = np.sort(rng.permutation(places)[:POOL])
    try:
        words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000).fit_transform(text[places])
    except ValueError:  # no word stands in two of them
        return places[:most]
    if min(words.shape) <= 3 or most < 2:
        return places[:most]
    vectors = np.round(TruncatedSVD(min(50, min(words.shape) - 1), random_state=seed).fit_transform(words), 6)
    with threadpool_limits(1):
        model = KMeans(min(most, len(np.unique(vectors, axis=0))), n_init=1, max_iter=50, random_state=seed).fit(vectors)
    near = np.round(((vectors - model.cluster_centers_[model.labels_]) ** 2).sum(axis=1), 9)
    picked = [own[np.argmin(near[own])] for cluster in range(model.n_clusters) if len(own := np.flatnonzero(model.labels_ == cluster))]
    return np.concatenate([places[picked], np.delete(places, picked)])[:most]


def _rare(pool, mentions, known, most, rng, taken):
    """Comments of the topics that people have coded least, one topic after the other, the rarest first."""
    have = (known if known is not None else pd.Series(dtype=float)).to_dict()
    said = pool.reset_index(names="place").merge(mentions[["response_id", "item", "topic"]].drop_duplicates(), on=["response_id", "item"])
    queues = {topic: list(rng.permutation(own["place"].to_numpy())) for topic, own in said.groupby("topic", sort=True)}
    queues = {topic: queue for topic, queue in sorted(queues.items(), key=lambda pair: (have.get(pair[0], 0), len(pair[1]), pair[0])) if have.get(topic, 0) < LEARN}
    chosen: list[int] = []
    while len(chosen) < most and any(queues.values()):
        for queue in queues.values():
            while queue and (queue[-1] in taken or queue[-1] in chosen):
                queue.pop()
            if queue and len(chosen) < most:
                chosen.append(queue.pop())
    return chosen


def _rng(seed: int, *words: str):
    """A generator that the same comments give on any machine, and other comments not."""
    return np.random.default_rng([seed, int.from_bytes(hashlib.sha256("\0".join(words).encode("utf-8", "replace")).digest()[:4])])


def free(drawn: pd.DataFrame, responses: pd.DataFrame, *, kind: str) -> pd.Series:
    """Return which responses (by answer) may still be drawn: for training none whose person is in an audit, for an audit none that was coded before.

    in: `codings.draws`, responses (answer, person_id).
    """
    if kind not in ("audit", "train"):
        raise DataError(f"--kind {kind}: comments are coded for an audit or to train with.")
    before = drawn if kind == "audit" else drawn[drawn["kind"] == "audit"]
    people = responses.loc[responses["answer"].isin(before["answer"]), "person_id"].dropna() if kind == "train" else []
    again = drawn[drawn["kind"] == "train"] if kind == "train" else drawn.iloc[:0]
    gone = responses["answer"].isin(before["answer"]) | responses["person_id"].isin(people) | responses["answer"].isin(again["answer"])
    return pd.Series(~gone.to_numpy(), index=responses["answer"])
