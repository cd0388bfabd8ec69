"""Topics and polarity against what people coded, as F1, and how fast comments are coded: `make bench`, or

    python bench/topics.py                        every part that the public data beside the repository allow
    python bench/topics.py --only patients,speed  some of them: patients, restaurants, tweets, marketplace, polarity, languages, speed

Patients: comments of a hospital's survey with the topics (at least 50 rows: twenty) that people gave them; learnt from the quarters to 2021Q4, tested on later ones
without respondents seen in training. Choices were made by folds inside the training quarters (`--choices` prints what they were made from, with what did not
gain); the test quarters are scored once a recipe. Differences are paired: respondents of the test quarters are drawn anew 1,000 times.
"""

import argparse
import gzip
import sys
import time
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
FRAMES = ROOT / "tests" / "text"
REACHED = {"micro": 0.694, "macro": 0.553}  # a first recipe on the same rows, before this package had one


def f1(truth: np.ndarray, found: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Return micro and macro F1 of rows by topics, each row counted `weight` times."""
    weight = np.ones(len(truth)) if weight is None else weight
    both, either = weight @ (truth & found), weight @ truth + weight @ found
    return 2 * both.sum() / either.sum(), float(np.mean(2 * both / np.maximum(either, 1e-9)))


def patients(shared: Path):
    """Return verbatims, truth (rows by topics), topics, and which rows are for training and for the test."""
    from cxlib.text import codeframe

    rows = pd.read_parquet(shared / "nhs_fft_comments" / "v6framework.parquet")
    names = [name for name in rows.columns[rows.columns.get_loc("Comment sentiment") + 1 :] if name not in ("Not assigned", "Labelling not possible")]
    quarter = pd.to_datetime(rows["Date"], format="%d/%m/%Y", errors="coerce").dt.to_period("Q").astype(str)
    said = rows["FFT answer"].notna() & ~rows["FFT answer"].str.strip().str.lower().isin(["", "did not answer"])
    kept = said & (rows[names].fillna(0).sum(axis=1) > 0)
    rows, quarter = rows[kept], quarter[kept]
    ids = {name: topic for topic, name in codeframe.read(FRAMES / "patients.toml").names().items()}
    names = [name for name in names if (rows[name] == 1).sum() >= 50]
    train = (quarter <= "2021Q4").to_numpy()
    test = ((quarter > "2021Q4") & (quarter != "NaT") & ~rows["Respondent ID"].isin(rows.loc[train, "Respondent ID"])).to_numpy()
    answer = rows["FFT categorical answer"]
    verbatims = pd.DataFrame({
        "response_id": rows.index.astype(str), "person_id": rows["Respondent ID"], "item": rows["FFT question"].fillna("").str.split().str.join(" "), "text": rows["FFT answer"],
        "recommend": np.where(answer <= 5, 6.0 - answer, np.nan), "judged": rows["Comment sentiment"],
    })  # fmt: skip
    return verbatims.reset_index(drop=True), (rows[names] == 1).to_numpy(), [ids[name] for name in names], train, test


def table(mentions, verbatims, names) -> np.ndarray:
    """Return mentions as rows by topics."""
    place, column = {one: at for at, one in enumerate(verbatims["response_id"])}, {name: at for at, name in enumerate(names)}
    found = np.zeros((len(verbatims), len(names)), dtype=bool)
    for response, topic in zip(mentions["response_id"], mentions["topic"]):
        if topic in column:
            found[place[response], column[topic]] = True
    return found


def coded(verbatims, truth, names) -> pd.DataFrame:
    """Return truth as codes that people gave: response_id, item, topic ("" where none of the topics applies)."""
    row, column = np.nonzero(truth)
    given = verbatims[["response_id", "item"]]
    return pd.concat([given.iloc[row].assign(topic=np.array(names, dtype=object)[column]), given.assign(topic="")], ignore_index=True)


def published(train, truth, test) -> np.ndarray:
    """The recipe that was published with the comments: TF-IDF of words and a linear support vector machine."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer()
    return OneVsRestClassifier(LinearSVC()).fit(words.fit_transform(train["text"]), truth.astype(int)).predict(words.transform(test["text"])).astype(bool)


def first(train, truth, test, names, frame) -> np.ndarray:
    """The first recipe: TF-IDF of words and characters, phrase hits and the question, logistic regression, thresholds out of fold drawn half-way to .5."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.preprocessing import OneHotEncoder

    from cxlib.text import topics

    parts = [TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2)), TfidfVectorizer(sublinear_tf=True, min_df=2, analyzer="char_wb", ngram_range=(3, 5))]
    asked = OneHotEncoder(handle_unknown="ignore").fit(train[["item"]])
    hits = {id(rows): table(topics.code(rows, frame), rows, names).astype(float) for rows in (train, test)}
    fitted = sparse.hstack([*(part.fit_transform(train["text"]) for part in parts), hits[id(train)], asked.transform(train[["item"]])]).tocsr()
    other = sparse.hstack([*(part.transform(test["text"]) for part in parts), hits[id(test)], asked.transform(test[["item"]])]).tocsr()
    found = np.zeros((len(test), len(names)), dtype=bool)
    for at in range(len(names)):
        model = LogisticRegression(C=10, class_weight="balanced", solver="liblinear", random_state=1)
        chance = cross_val_predict(model, fitted, truth[:, at], groups=train["person_id"], cv=GroupKFold(5), method="predict_proba")[:, 1]
        cuts = np.linspace(0.1, 0.9, 81)
        best = cuts[np.argmax([f1(truth[:, [at]], chance[:, None] >= cut)[0] for cut in cuts])]
        found[:, at] = model.fit(fitted, truth[:, at]).predict_proba(other)[:, 1] >= (best + 0.5) / 2
    return found


def on_patients(shared: Path) -> None:
    from cxlib.text import codeframe, coder, topics

    verbatims, truth, names, train, test = patients(shared)
    frame = codeframe.read(FRAMES / "patients.toml")
    own, later, y = verbatims[train].reset_index(drop=True), verbatims[test].reset_index(drop=True), truth[test]
    print(f"Patient comments: {len(names)} topics, learnt from {len(own):,}, tested on {len(later):,} later comments of other people")
    begun = time.process_time()
    learnt = coder.learn(coded(own, truth[train], names), own, frame)
    took = time.process_time() - begun
    found = {
        "published TF-IDF and SVC": published(own, truth[train], later), "phrases alone": table(topics.code(later, frame), later, names),
        "first recipe": first(own, truth[train], later, names, frame), "the coder": table(coder.code(later, learnt), later, names),
    }  # fmt: skip
    rng, people = np.random.default_rng(1), pd.factorize(later["person_id"])[0]
    drawn = [rng.multinomial(people.max() + 1, np.full(people.max() + 1, 1 / (people.max() + 1)))[people] for _ in range(1000)]
    scores = {name: np.array([f1(y, guess), *(f1(y, guess, weight) for weight in drawn)]) for name, guess in found.items()}
    for name, score in scores.items():
        low, high = np.percentile(score[1:], [2.5, 97.5], axis=0)
        print(f"  {name:26} micro {score[0, 0]:.3f} [{low[0]:.3f}, {high[0]:.3f}]   macro {score[0, 1]:.3f} [{low[1]:.3f}, {high[1]:.3f}]")
    for name in ("published TF-IDF and SVC", "phrases alone", "first recipe"):
        gain = scores["the coder"] - scores[name]
        low, high = np.percentile(gain[1:], [2.5, 97.5], axis=0)
        print(f"  the coder less {name:26} micro {gain[0, 0]:+.3f} [{low[0]:+.3f}, {high[0]:+.3f}]   macro {gain[0, 1]:+.3f} [{low[1]:+.3f}, {high[1]:+.3f}]")
    above = (scores["the coder"][1:] > [REACHED["micro"], REACHED["macro"]]).mean(axis=0)
    print(f"  above a first recipe's {REACHED['micro']:.3f} and {REACHED['macro']:.3f} in {above[0]:.1%} and {above[1]:.1%} of the draws; learnt in {took:.1f} s CPU")


def on_restaurants(shared: Path) -> None:
    from cxlib.text import codeframe, topics

    root = ElementTree.fromstring(gzip.decompress((shared / "absa" / "semeval2014_Restaurants_Train_v2.xml.gz").read_bytes()))
    rows = pd.DataFrame([(one.get("id"), one.find("text").text) for one in root.iter("sentence")], columns=["response_id", "text"])
    names = ["food", "service", "price", "ambience"]
    people = pd.DataFrame([(one.get("id"), code.get("category")) for one in root.iter("sentence") for code in one.iter("aspectCategory")], columns=["response_id", "topic"])
    score = f1(table(people, rows, names), table(topics.code(rows, codeframe.read(FRAMES / "restaurants.toml")), rows, names))
    print(f"Restaurant sentences ({len(rows):,}), phrases alone, four topics: micro {score[0]:.3f} (wanted .81), macro {score[1]:.3f}")


PARTS = {"patients": on_patients, "restaurants": on_restaurants}


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    given.add_argument("--shared", type=Path, default=SHARED, help="folder of the public data")
    given = given.parse_args()
    sys.path.insert(0, str(ROOT))
    warnings.filterwarnings("ignore", category=FutureWarning)
    for name in given.only.split(","):
        if name not in ("speed", "languages") and not given.shared.is_dir():
            print(f"{name}: skipped, the public data are not beside the repository ({given.shared})")
            continue
        PARTS[name](given.shared)


if __name__ == "__main__":
    main()
