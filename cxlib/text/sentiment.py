"""Polarity of mentions, learnt from the respondents' own ratings, which are labels that nobody had to code."""

import hashlib
import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse

from cxlib.text import features, topics
from cxlib.text.codeframe import leaning

FOLDS = 5
FEWEST, FEWEST_SIDE = 200, 30  # rated texts in all and on the smaller side, below which words of opinion are used instead
APART = 0.20  # clauses must be positive this much more often among high scores for the score to be a prior
PULL = 20  # clauses' worth of pull of a question's prior towards that of its score group
SURE = 0.60  # a clause is positive from here, negative up to one minus this, unclear between
STRENGTH = 0.4  # of the model's weights (C): of .2 to 10 the one whose out-of-fold scores follow the ratings best, on patient comments
_WORDS = re.compile(r"\w[\w']*")
AGREES = 0.70  # out-of-fold AUC of text against rating from which the two say the same thing


@dataclass(frozen=True)
class Learnt:
    """What `learn` found: models by fold, the prior of each question and score group, and the check that decided about using them."""

    method: str
    note: str
    check: pd.DataFrame
    models: tuple = ()
    prior: dict = field(default_factory=dict)
    sides: dict = field(default_factory=dict)
    questions: dict = field(default_factory=dict)


def learn(mentions: pd.DataFrame, verbatims: pd.DataFrame, responses: pd.DataFrame, *, score: str = "recommend", low: float | None = None, high: float | None = None, questions: dict | None = None, seed: int = 1) -> Learnt:
    """Learn polarity from scores: up to `low` is a negative label, from `high` a positive one, between them none.

    Left out, they are 6 and 9 where scores reach above 7 (NPS), 3 and 6 where they reach above 5, 3 and 5 otherwise; high is good.

    TF-IDF of words, pairs and runs of letters with logistic regression, five folds by a hash of the response, so that no respondent's own rating judges
    the same respondent's words and the result does not depend on the order of the rows. Under 200 rated texts, or 30 on the smaller
    side, opinion words are used instead (see `lexicon`), and where texts and ratings disagree (out-of-fold AUC under .70).
    The score and the question are a prior for each clause only if the check agrees: AUC, and clauses with clear opinion words must be
    positive at least 20 percentage points more often among high scores than among low ones.

    `questions` says what an item asks for (faults | merits) where its id does not; it counts where there are no ratings to learn from (see `polarity`).

    `check` has one row: method (ratings | lexicon), n, n_low, n_high, auc (out of fold), prior (used or not), positive_low, positive_high
    (share of clear clauses that are positive, by score), note.
    """
    joined = _joined(verbatims, responses, score)
    usual = next(ends for above, ends in ((7, (6, 9)), (5, (3, 6)), (-np.inf, (3, 5))) if not joined[score].max() <= above)
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    side = np.where(joined[score] >= high, "high", np.where(joined[score] <= low, "low", "middle"))
    side = np.where(joined[score].isna(), "none", side)
    sides = dict(zip(joined["response_id"], side))
    clear = mentions.assign(side=mentions["response_id"].map(sides), polarity=_by_words(mentions))
    if "phrase" in clear.columns:
        clear = clear[clear["phrase"] != topics.SILENT]  # "nothing" says what it means by itself
    clear = clear[clear["polarity"].isin(["positive", "negative"]) & clear["side"].isin(["low", "middle", "high"])]
    clear = clear.assign(positive=clear["polarity"] == "positive")
    rated = joined[np.isin(side, ["low", "high"]) & (joined["text"] != "")]
    label = (rated[score] >= high).to_numpy(int)
    facts = {"method": "lexicon", "n": len(rated), "n_low": int((label == 0).sum()), "n_high": int(label.sum()), "auc": np.nan, "prior": False,
             "positive_low": clear.loc[clear["side"] == "low", "positive"].mean(), "positive_high": clear.loc[clear["side"] == "high", "positive"].mean(),
             "note": ""}
    if len(rated) < FEWEST or min(facts["n_low"], facts["n_high"]) < FEWEST_SIDE:
        facts["note"] = (f"Polarity from a short list of opinion words: {len(rated)} rated texts, {min(facts['n_low'], facts['n_high'])} on the smaller side, "
                         f"are too few to learn from ({FEWEST} and {FEWEST_SIDE} needed).")
        return Learnt("lexicon", facts["note"], pd.DataFrame([facts]), sides=sides, questions=questions or {})
    from sklearn.metrics import roc_auc_score

    fold = rated["response_id"].map(_fold).to_numpy()
    models, found = [], np.full(len(rated), np.nan)
    for number in range(FOLDS):
        model = _model(rated["text"][fold != number], label[fold != number], seed)
        models.append(model)
        if (fold == number).any():
            found[fold == number] = model.decision_function(rated["text"][fold == number])
    facts["auc"] = float(roc_auc_score(label, found))
    if facts["auc"] < AGREES:
        facts["note"] = (f"Polarity from a short list of opinion words: texts tell high from low scores with an AUC of {facts['auc']:.2f} only "
                         f"({AGREES:.2f} needed).")
        return Learnt("lexicon", facts["note"], pd.DataFrame([facts]), sides=sides, questions=questions or {})
    # NaN compares as False: without clear clauses on both sides there is nothing to agree with.
    facts["prior"] = bool(facts["positive_high"] - facts["positive_low"] >= APART)
    facts |= {"method": "ratings", "note": f"Polarity learnt from {len(rated):,} rated texts; out-of-fold AUC {facts['auc']:.2f}; the score "
              + ("and the question are a prior." if facts["prior"] else "is no prior, because clauses do not follow it.")}
    return Learnt("ratings", facts["note"], pd.DataFrame([facts]), tuple(models), _prior(clear) if facts["prior"] else {}, sides)


def polarity(mentions: pd.DataFrame, learnt: Learnt) -> pd.DataFrame:
    """Give each mention the polarity of its clause: positive, negative or unclear.

    With ratings: the log odds that the model which never saw this respondent gives the clause, plus the log odds of the prior where the
    check agreed; unclear between .40 and .60. Without: as coded, by opinion words, and where a clause has none by what its question asks for (a thing
    named after "what could be better" is found wanting). "Nothing" means what its question makes it mean, always. Returns the mentions with polarity replaced and
    polarity_words (as coded), polarity_from (ratings | lexicon | question), positive (probability, NaN where not from ratings).
    """
    by_words = _by_words(mentions)
    silent = mentions["phrase"].eq(topics.SILENT) if "phrase" in mentions.columns else pd.Series(False, index=mentions.index)
    if learnt.method == "lexicon" or mentions.empty:
        asks = mentions["item"].map({item: {"faults": "negative", "merits": "positive"}.get(learnt.questions.get(item) or leaning(item)) for item in mentions["item"].unique()})
        asked = by_words.eq("unclear") & asks.notna()
        return mentions.assign(polarity=by_words.where(~asked, asks), polarity_words=by_words, polarity_from=np.where(asked | silent, "question", learnt.method), positive=np.nan)
    fold = mentions["response_id"].map(_fold).to_numpy()
    odds = np.zeros(len(mentions))
    for number, model in enumerate(learnt.models):
        if (fold == number).any():
            odds[fold == number] = model.decision_function(mentions.loc[fold == number, "clause_text"])
    sides = mentions["response_id"].map(learnt.sides)
    odds += [learnt.prior.get(group, learnt.prior.get(("", group[1]), 0.0)) for group in zip(mentions["item"], sides)]
    sure = 1 / (1 + np.exp(-np.round(odds, 9)))
    polar = np.where(sure >= SURE, "positive", np.where(sure <= 1 - SURE, "negative", "unclear"))
    return mentions.assign(polarity=by_words.where(silent, polar), polarity_words=by_words, polarity_from=np.where(silent, "question", "ratings"), positive=np.where(silent, np.nan, sure))


def _by_words(mentions) -> pd.Series:
    """The polarity that coding gave, also for mentions that have learnt another since."""
    return mentions["polarity_words"] if "polarity_words" in mentions.columns else mentions["polarity"]


def _prior(clear) -> dict:
    """Log odds of positive among clauses with clear opinion words, by question and score group, drawn towards the group's over all questions."""
    odds, groups = {}, clear.groupby("side")["positive"]
    for side, overall in ((groups.sum() + 1) / (groups.size() + 2)).items():
        odds["", side] = float(np.log(overall / (1 - overall)))
        within = clear[clear["side"] == side].groupby("item")["positive"]
        for item, share in ((within.sum() + PULL * overall) / (within.size() + PULL)).items():
            odds[item, side] = float(np.log(share / (1 - share)))
    return odds


@dataclass(frozen=True)
class _Model:
    """Words, pairs and runs of letters by TF-IDF, and their weights."""

    words: tuple
    letters: tuple
    weights: np.ndarray
    start: float

    def decision_function(self, texts) -> np.ndarray:
        said = [_words(text) for text in texts]
        return sparse.hstack(_rows(said, self.words, self.letters), format="csr") @ self.weights + self.start


def _model(texts, label, seed) -> _Model:
    from sklearn.linear_model import LogisticRegression

    said = [_words(text) for text in texts]
    parts = features.vocabulary([features.with_pairs(row) for row in said]), features.letters(said)
    fit = LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=200, random_state=seed).fit(sparse.hstack(_rows(said, *parts), format="csr"), label)
    return _Model(*parts, fit.coef_[0], float(fit.intercept_[0]))


def _rows(said, words, letters) -> list:
    return [features.weighed([features.with_pairs(row) for row in said], *words), features.spelt(said, *letters)]


def _words(text: str) -> list[str]:
    return _WORDS.findall(_plain(text))


def _plain(text: str) -> str:
    """Lower case, short forms of 'not' written out, so that 'wasn't good' and 'not good' are one."""
    return text.lower().replace("can't", "can not").replace("n't", " not")


def _joined(verbatims, responses, score) -> pd.DataFrame:
    """Verbatims with their score, cleaned, in an order that does not depend on the file's."""
    keys = ["response_id", "item"] if "item" in verbatims.columns else ["response_id"]
    joined = verbatims[[*keys, "text"]].merge(responses[["response_id", score]].drop_duplicates("response_id"), on="response_id", how="left")
    return joined.assign(text=joined["text"].map(topics.clean).str.strip()).sort_values([*keys, "text"], ignore_index=True)


def _fold(response) -> int:
    return hashlib.sha256(str(response).encode("utf-8", "replace")).digest()[0] % FOLDS
