"""Emerging topics: what people write of that the codeframe does not name, proposed to a person; nothing enters a codeframe by itself."""

import hashlib
import re
import unicodedata
import warnings
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib.text import lexicon, topics
from cxlib.text.prevalence import states, wilson

STABLE = 0.80  # how much of a cluster must come back when a fifth of the texts is left out, on average (Jaccard; Hennig 2007, Comput. Stat. Data Anal. 52: 258)
SPLITS = [(first, (first + step) % 10) for step in (1, 3) for first in range(10)]  # tenths that are left out, two at a time: every text four times
CLEAR = 0.12  # length of a text's part along a factor from which it belongs to it (1: nothing else in it)
POOL = 2400  # texts that are clustered; of more a sample, the same number a quarter
GROWN = 0.025  # adjusted p under which a word has grown
FEWEST = 120  # texts under which there are no clusters, but phrases that come back
LEAST = 5  # texts a proposal must have, or 1 % of them
LATELY = 3  # comments of the latest quarter under which nothing emerges
SHORT = 3  # texts a phrase must stand in, in phrase mode
MOST = 24  # candidates whose growth is tested
QUARTERS = 5  # the quarter and those before it that are looked at
COLUMNS = ["id", "name", "phrases", "language", "mode", "stability", "quarter", "estimate", "conf_low", "conf_high", "count", "n", "before", "before_n", "change", "change_low", "change_high", "p", "status", "note"]
COMMON = 0.6  # a word that is this much as common in clauses with a topic as without names no new one
# Words of the opinion lists that name what happened: "scam" is bad, and it is a subject.
NAMING = frozenset("scam fraud crash outage failure trouble delay betrug ausfall störung verspätung arnaque fraude panne coupure retard plainte golpe atraso defeito".split())
# Stop words as they are typed; accents left out are allowed for.
TYPED = {"en": "u ur pls plz thx im ive id dont cant didnt comment comments nothing none nil n/a na", "de": "nen mal nix", "fr": "jai cest pr bcp", "pt": "pra pro pras pros vc vcs tb tbm q pq mt mto ta tá to"}
_ADDRESS = re.compile(r"https?://\S*|www\.\S+|(?<![\w.])@\w+")  # links, and whom a post is sent to: they name no subject
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def remainders(mentions: pd.DataFrame, verbatims: pd.DataFrame, codeframe) -> pd.DataFrame:
    """Return what the codeframe leaves of each verbatim: response_id, item, quarter, language, rest (the text without the clauses that have a topic; "" where nothing of three words is left), named (those clauses).

    Answers that say nothing, and those in languages without phrases, have an empty rest but stay in the base.
    """
    if "state" not in verbatims:
        verbatims = verbatims.join(topics.answers(verbatims, codeframe)[["state", "language"]].add_suffix("_read")).assign(state=lambda rows: rows["state_read"], language=lambda rows: rows["language_read"])
    state = states(mentions, verbatims, codeframe)
    said = mentions.groupby(["response_id", "item"])["clause_text"].agg(list).to_dict() if len(mentions) else {}
    rests, named = [], []
    for response, item, text, what in zip(verbatims["response_id"], verbatims["item"], verbatims["text"].map(topics.clean).str.replace(_ADDRESS, " ", regex=True), state):
        named.append(" . ".join(said.get((response, item), ())))
        if what in ("covered", "uncovered"):
            for clause in said.get((response, item), ()):
                text = text.replace(clause, " . ", 1)
        else:
            text = ""
        rests.append(text if len(text.replace(".", " ").split()) >= 3 else "")
    out = verbatims[["response_id", "item", "quarter"]].assign(language=verbatims["language"], rest=rests, named=named, state=state)
    return out[out["state"].isin(["covered", "uncovered", "nothing", "unknown"])].drop(columns="state").reset_index(drop=True)


def proposals(left: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """Propose topics from what the codeframe leaves: clusters that come back when texts are left out, each with the phrases that would code it and its growth.

    in: what `remainders` returns for one survey. The last five quarters are looked at together, so that growth does not choose what is proposed. Texts are clustered by their words (tf-idf, non-negative factors begun from
    singular vectors: no seed anywhere), and a cluster is proposed where, of twenty times that a fifth of the texts is left out, it comes back with a mean Jaccard agreement of .80 or more (Hennig 2007). Words that grow beyond chance though all words were looked at are proposed too, however few
    texts hold them ("words"; stability: how often they still grow when a fifth is left out). Under 120 texts of a language there are no clusters: phrases that three texts or more share are proposed as they are ("phrase mode").
    Its phrases decide what counts: estimate is the share of the quarter's comments with one of them in what is left, against all earlier quarters looked at (before). p: Fisher's exact test, two-sided, adjusted over all
    candidates (Benjamini-Hochberg), of which what grows and then what is commonest is proposed. status: new (no mention before, more than chance allows now) | growing | falling | steady.

    out: id, name, phrases (joined by "|"), language, mode (words | cluster | phrases), stability, quarter, estimate, conf_low, conf_high (Wilson), count, n (comments), before, before_n, change, change_low, change_high (Newcombe), p, status, note.
    """
    quarters = sorted(left["quarter"].unique())[-QUARTERS:]
    left = left[left["quarter"].isin(quarters)].sort_values(["quarter", "response_id", "item"], ignore_index=True)
    found = []
    for language, own in left[left["rest"] != ""].groupby("language", sort=True):
        base = left[left["language"] == language]
        found += [(language, *one) for one in ([*_bursts(own, base, language, quarters), *_clusters(own, language)] if len(own) >= FEWEST else _phrases(own, language))]
    rows = [_row(left, *one, quarters) for one in _merged(sorted(found, key=lambda one: (one[2] != "words", -one[4]))[:MOST])]
    frame = pd.DataFrame(rows, columns=[*COLUMNS[:-2], "note"])
    frame["p"] = _adjusted(frame["p"].to_numpy(float))
    seen = frame["p"] < 0.05
    frame["status"] = np.select([seen & (frame["before"] == 0) & (frame["change"] > 0), seen & (frame["change"] > 0), seen & (frame["change"] < 0)], ["new", "growing", "falling"], "steady")
    frame = frame[frame["count"] >= np.where(frame["status"] == "steady", np.maximum(LATELY, 0.01 * frame["n"]), LATELY)].assign(grows=lambda rows: rows["status"].isin(["new", "growing"])).sort_values(["grows", "count"], ascending=False, kind="stable", ignore_index=True).head(most)
    names = frame["name"].astype(str).map(lambda name: re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()).strip("_"))
    frame["id"] = pd.Series(["new_" + (name or "topic")[:40] + (f"_{at}" if name in list(names[:at]) or not name else "") for at, name in enumerate(names)], index=frame.index, dtype=object)
    return frame[COLUMNS].astype({"count": "int64", "n": "int64", "before": "int64", "before_n": "int64"})


def _merged(found: list[tuple]) -> list[tuple]:
    """Candidates (language, phrases, mode, stability, ...) without those that are another again: one with a phrase of it is left out, one whose word begins as one of its words does ("scammers" as "scam") adds that word to it."""
    kept: list[tuple] = []
    for language, phrases, mode, stability, *_ in found:
        own = [other for tongue, other, *_ in kept if tongue == language]
        if any(set(phrases) & set(other) for other in own):
            continue
        akin = next(((other, new) for other in own if (new := [phrase for phrase in phrases if any(_akin(phrase, one) for one in other)])), None)
        if akin:
            akin[0].extend(akin[1])
        else:
            kept.append((language, list(phrases), mode, stability))
    return kept


def _akin(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and " " not in long and long.startswith(short) and len(long) - len(short) <= 4


def examples(left: pd.DataFrame, proposed: pd.DataFrame, *, each: int = 3) -> pd.DataFrame:
    """Return the rests of the latest quarter that hold a proposal's phrases, the shortest first: id, response_id, item, rest. They are comments: show them only where quoting is permitted."""
    rows = []
    for row in proposed.to_dict("records"):
        own = left[(left["quarter"] == row["quarter"]) & (left["language"] == row["language"]) & (left["rest"] != "")]
        own = own[_holds(own["rest"], row["phrases"].split("|"), row["language"])]
        own = own.assign(long=own["rest"].str.len(), key=own["rest"].str.lower().str.replace(r"\W+", " ", regex=True).str.strip()).sort_values(["long", "response_id"]).drop_duplicates("key").head(each)
        rows.append(own.assign(id=row["id"])[["id", "response_id", "item", "rest"]])
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["id", "response_id", "item", "rest"])


def _clusters(own: pd.DataFrame, language: str) -> list[tuple]:
    """Clusters of rests on which many runs agree: phrases, mode, stability, size."""
    from threadpoolctl import threadpool_limits

    texts = _pool(own)
    counts, names = _counted(texts, language, least=max(3, round(0.004 * len(texts))), named=own["named"])
    if counts is None or counts.shape[1] < 8:
        return []
    kept = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel() >= 1)
    counts = counts[kept]
    if counts.shape[0] < FEWEST // 2:
        return []
    weights = counts.multiply(np.log(counts.shape[0] / np.asarray((counts > 0).sum(axis=0)).ravel())).tocsr()
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    weights = weights.multiply(1 / np.maximum(length, 1e-9)[:, None]).tocsr()
    fold = texts.map(_number).to_numpy()[kept]
    splits = [np.flatnonzero((fold % 10 != first) & (fold % 10 != second)) for first, second in SPLITS]
    present, found = (counts > 0).astype(float).tocsr(), []
    overall = np.asarray(present.mean(axis=0)).ravel()
    with threadpool_limits(1):  # threads that wait for each other cost more than they give, and sums would follow their number
        for finer in (3, 12):
            size = int(np.clip(round(np.sqrt(weights.shape[0] / finer)), 5, 30))
            labels = _factors(weights, size)
            runs = [(chosen, _factors(weights[chosen], size)) for chosen in splits]
            found += _stable(labels, runs, present, overall, names)
    return found


def _stable(labels, runs, present, overall, names) -> list[tuple]:
    """Of one partition of the texts, the parts that come back: phrases, mode, stability, size."""
    found = []
    for label in np.unique(labels[labels >= 0]):
        inside = labels == label
        if inside.sum() < max(LEAST, 0.01 * len(labels)):
            continue
        stability = float(np.mean([max(((inside[chosen] & (run == one)).sum() / (inside[chosen] | (run == one)).sum() for one in np.unique(run[inside[chosen]]) if one >= 0), default=0.0) for chosen, run in runs]))
        share = np.asarray(present[inside].mean(axis=0)).ravel()
        precise = share * inside.mean() / np.maximum(overall, 1e-12)  # of the texts with the word, those of the cluster
        order = np.argsort(-np.round(share * precise, 9), kind="stable")
        phrases = _apart([names[at] for at in order if share[at] >= 0.08 and precise[at] >= 0.6][:10])[:6]
        if stability >= STABLE and phrases:
            found.append((phrases, "cluster", stability, float(inside.sum())))
    return found


def _factors(weights, size) -> np.ndarray:
    """The part each text belongs to by non-negative factors of its words, begun from singular vectors, so that nothing is left to chance; -1 where none stands out."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = NMF(min(size, *weights.shape), init="nndsvd", solver="cd", max_iter=120, tol=1e-3, random_state=0)
        parts = model.fit_transform(weights)
    parts = np.round(parts * np.sqrt((model.components_**2).sum(axis=1)), 6)
    first = parts.argmax(axis=1)
    return np.where(parts.max(axis=1) >= CLEAR, first, -1)


def _bursts(own: pd.DataFrame, base: pd.DataFrame, language: str, quarters: list) -> list[tuple]:
    """Words that grow beyond chance though every word was looked at (Fisher's exact test, one-sided, Benjamini-Hochberg over all words), those that stand in the same texts together.

    They may have begun in the quarter or in the one before: what is new for two quarters would stand in its own way if it were only held against its first.
    """
    from scipy.stats import hypergeom

    counts, names = _counted(own["rest"], language, least=LEAST, named=own["named"])
    if counts is None or len(quarters) < 2:
        return []
    since = [quarters[-back:] for back in (1, 2) if back < len(quarters)]
    nows, recents = [own["quarter"].isin(late).to_numpy() for late in since], [int(base["quarter"].isin(late).sum()) for late in since]

    def p_of(rows):
        held = np.asarray(counts[rows].sum(axis=0)).ravel()
        return np.array([hypergeom.sf(np.asarray(counts[rows & now].sum(axis=0)).ravel() - 1, len(base), held, recent) for now, recent in zip(nows, recents)])

    every = p_of(np.ones(len(own), bool))
    grown = np.flatnonzero((_adjusted(every.ravel()).reshape(every.shape) < GROWN).any(axis=0))
    if not len(grown):
        return []
    began = every[:, grown].argmin(axis=0)
    fold, near = own["rest"].map(_number).to_numpy() % 10, (counts[:, grown].T @ counts[:, grown]).toarray()
    again = np.mean([p_of((fold != first) & (fold != second))[began, grown] < 0.05 for first, second in SPLITS], axis=0)
    size = np.diag(near)
    found, left = [], list(np.argsort(-size, kind="stable"))
    while left:
        first = left.pop(0)
        with_it = [at for at in left if near[first, at] >= 0.4 * size[at]]
        left = [at for at in left if at not in with_it]
        if again[first] >= STABLE:
            found.append((_apart([names[grown[at]] for at in (first, *with_it)])[:6], "words", float(again[first]), float(size[first])))
    return found


def _phrases(own: pd.DataFrame, language: str) -> list[tuple]:
    """Words and pairs that come back in few texts: each a proposal of its own, pairs before the words in them."""
    texts = own["rest"].drop_duplicates()
    counts, names = _counted(texts, language, least=SHORT, named=own["named"])
    if counts is None:
        return []
    size = np.asarray((counts > 0).sum(axis=0)).ravel()
    order = sorted(range(len(names)), key=lambda at: (-size[at] * (1.5 if " " in names[at] else 1), names[at]))
    chosen: list[int] = []
    for at in order:
        if not any(names[at] in names[other].split() or set(names[at].split()) & set(names[other].split()) for other in chosen):
            chosen.append(at)
    return [([names[at]], "phrases", np.nan, float(size[at])) for at in chosen]


def _pool(own: pd.DataFrame) -> pd.Series:
    """The texts that are clustered: each once, and of many the same number a quarter, chosen by what they say and by nothing else."""
    own = own.assign(key=own["rest"].str.lower()).drop_duplicates("key")
    if len(own) > POOL:
        own = own.assign(place=own["rest"].map(_number)).sort_values("place", kind="stable").groupby("quarter").head(POOL // own["quarter"].nunique()).sort_index()
    return own["rest"]


def _number(text: str) -> int:
    """A number that follows from a text alone, so that no seed decides who is left out."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4])


def _counted(texts: pd.Series, language: str, *, least: int, named: pd.Series):
    """Binary counts of words and pairs that stand in `least` texts, without those that name nothing: words of grammar and of opinion, and what is as common where a topic is named."""
    from sklearn.feature_extraction.text import CountVectorizer

    idle = _idle(language)

    def terms(text):
        words = [max(word.replace("’", "'").split("'"), key=len) if not word.endswith(("n't", "n’t")) else "not" for word in _WORD.findall(text.lower())]
        plain = [word for word in words if word not in idle and len(word) > 2]
        pairs = [f"{a} {b}" for a, b in pairwise(words) if a not in idle and b not in idle and len(a) > 1 and len(b) > 1]
        return [*plain, *pairs]

    try:
        model = CountVectorizer(analyzer=terms, min_df=least, binary=True, max_features=5000)
        counts = model.fit_transform(texts).astype(float)
    except ValueError:  # nothing is left
        return None, []
    clauses = named[named != ""]
    here, there = np.asarray(counts.mean(axis=0)).ravel(), np.asarray(model.transform(clauses).mean(axis=0)).ravel() if len(clauses) else np.zeros(counts.shape[1])
    own = np.flatnonzero(there <= COMMON * here)
    return (counts.tocsc()[:, own].tocsr(), model.get_feature_names_out()[own].tolist()) if len(own) else (None, [])


@lru_cache(maxsize=16)
def _idle(language: str) -> frozenset[str]:
    import spacy

    try:
        stop = {word.lower().replace("’", "'") for word in spacy.blank(language).Defaults.stop_words}
    except (ImportError, AttributeError):
        stop = set()
    stop |= {unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode() for word in stop} | set(TYPED.get(language, "").split())
    opinions = {word for table in (lexicon.POSITIVE, lexicon.NEGATIVE, lexicon.WISH, lexicon.NEGATORS, lexicon.CONTRAST) for word in lexicon.words(table, language)}
    return frozenset(stop | (opinions - NAMING) | set("not thing things really lot got get day days time year years people think feel sorry regards thanks thank dear opinion understand far let case way bit moment".split()))


def _apart(phrases: list[str]) -> list[str]:
    """Phrases without those that another makes superfluous: a pair whose word is there already finds nothing more."""
    words = {phrase for phrase in phrases if " " not in phrase}
    return [phrase for phrase in phrases if " " not in phrase or not set(phrase.split()) & words]


def _holds(texts: pd.Series, phrases: list[str], language: str) -> pd.Series:
    pattern = "|".join(rf"\b{re.escape(phrase)}\b" for phrase in phrases)
    return texts.str.lower().str.contains(pattern, regex=True)


def _row(left, language, phrases, mode, stability, quarters) -> tuple:
    from scipy.stats import fisher_exact

    own = left[left["language"] == language]
    hit, now = _holds(own["rest"], phrases, language).to_numpy(), (own["quarter"] == quarters[-1]).to_numpy()
    a, n, b, m = int(hit[now].sum()), int(now.sum()), int(hit[~now].sum()), int((~now).sum())
    low, high = (float(end) for end in wilson(a / n, n)) if n else (np.nan, np.nan)
    row = ["", " / ".join(phrases[:2]), "|".join(phrases), language, mode, stability, quarters[-1], a / n if n else np.nan, low, high, a, n, b, m]
    if not n or not m:
        return (*row, np.nan, np.nan, np.nan, np.nan, "no earlier quarter to grow from" if n else "nobody wrote in this language in the quarter")
    then_low, then_high = (float(end) for end in wilson(b / m, m))
    change = a / n - b / m  # Newcombe 1998, Stat. Med. 17: 873, method 10
    return (*row, change, change - np.hypot(a / n - low, then_high - b / m), change + np.hypot(high - a / n, b / m - then_low), float(fisher_exact([[a, n - a], [b, m - b]])[1]), "")


def _adjusted(p: np.ndarray) -> np.ndarray:
    live = np.flatnonzero(~np.isnan(p))
    order = live[np.argsort(p[live], kind="stable")]
    out = np.full(len(p), np.nan)
    if len(order):
        out[order] = np.minimum(np.minimum.accumulate((p[order] * len(order) / np.arange(1, len(order) + 1))[::-1])[::-1], 1)
    return out
