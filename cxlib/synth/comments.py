"""Comments: what respondents write, and what they were writing about."""

import tomllib
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from . import company, draws, sayings

ITEMS = {"annual": ("why", "improve"), "pulse": ("comment",)}
WRITES = {"why": 0.66, "improve": 0.50, "comment": 0.46}
# An experience of this level is as often blamed as praised; how sharply that turns; how far the choice fits the score that was just given.
NEGATIVE_AT, SLOPE, FITS = 3.45, 1.7, {"why": 1.1, "improve": 0.0, "comment": 0.7}
SAME = 0.3                            # how often a word gives way to another of the same meaning
MOST = 80                             # draws a comment may use
CHANCES = tuple((number + 0.5) / 100 for number in range(100))
KEYS = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d", "r": "t", "l": "k", "u": "i"}


@cache
def grammar() -> dict:
    """The clauses and slots of templates/grammar.toml."""
    return tomllib.loads(files(__package__).joinpath("templates/grammar.toml").read_text(encoding="utf-8"))


@cache
def tongues() -> dict:
    """What is said in German and French: templates/tongues.toml."""
    return tomllib.loads(files(__package__).joinpath("templates/tongues.toml").read_text(encoding="utf-8"))


def subjects(item: str, felt: np.ndarray, off: np.ndarray, reason: np.ndarray, *, pulls: np.ndarray, key: tuple, world: str) -> tuple[np.ndarray, np.ndarray]:
    """Which topics each respondent takes up (boolean, rows by TOPICS, three at most) and whether in complaint. What was bad or very good is
    talked about, what `pulls` (log-odds) too; a contact's reason comes up more often; in the null world neither has anything to do with the experience."""
    real, n, many = company.truthful(world), len(felt), len(company.TOPICS)
    away = (felt[:, :many] - NEGATIVE_AT) * real + (company.LEVELS[:many] - NEGATIVE_AT) * (1 - real)
    pull = company.SALIENCE[:many] + pulls + (0.75 * np.abs(away) if item != "improve" else -0.85 * away)
    pull = pull + 1.1 * real * (reason[:, None] == np.array(company.TOPICS))
    pull = pull - np.log(-np.log(draws.uniform((*key, item, "pull"), n, len(company.TOPICS))))
    count = draws.pick((*key, item, "many"), n, (0, 1, 2, 3), (0.06, 0.56, 0.29, 0.09))
    rank = np.argsort(np.argsort(-pull, axis=1, kind="stable"), axis=1, kind="stable")
    # People give reasons that fit their score, so that the score leans on the choice between praise and complaint.
    complains = draws.uniform((*key, item, "polarity"), n, len(company.TOPICS)) < 1 / (1 + np.exp(SLOPE * away - FITS[item] * off[:, None]))
    return rank < count[:, None], complains | (item == "improve")


def comments(frame: pd.DataFrame, felt: np.ndarray, *, seed: int, world: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The texts of one wave, their true codes, and what some hold besides.

    Returns texts (response_id, item, text: rows as `frame` times its survey's items, None where nothing was written) and mentions (response_id,
    item, topic, polarity -1|1; one row a topic; a text without a topic has none) and the sayings (response_id, item, kind, said)."""
    survey, wave, n = frame["survey"].iloc[0], frame["wave"].iloc[0], len(frame)
    key, pulls = (seed, "comments", f"{survey}-{wave}"), sayings.pulls(survey, wave, world=world)
    reason = frame["reason"].to_numpy() if "reason" in frame else np.full(n, "")
    off = np.clip((company.RECOMMEND_MEAN - frame["latent"].to_numpy()) * company.truthful(world), -3, 3)
    texts, mentions, besides, spoken = [], [], [], frame["language"].tolist()
    for item in ITEMS[survey]:
        wrote = draws.happens((*key, item, "wrote"), 1 / (1 + np.exp(-(np.log(WRITES[item] / (1 - WRITES[item])) + 0.12 * off))))
        taken, complains = subjects(item, felt, off, reason, pulls=pulls, key=key, world=world)
        more = sayings.chosen(n, item, wave, key=key, world=world)
        taken &= ~more["alone"][:, None]
        mood = off if company.truthful(world) else draws.normal((*key, item, "mood"), n)
        luck = draws.uniform((*key, item, "words"), n, MOST)
        written = [None] * n
        for i in np.flatnonzero(wrote):
            about = [(company.TOPICS[k], -1 if complains[i, k] else 1) for k in np.flatnonzero(taken[i])]
            sarcastic = bool(more["sarcasm"][i]) and item != "improve" and bool(about) and max(tone for _, tone in about) < 0 and spoken[i] == "en"
            if about or not more["new"][i]:
                written[i] = write(item, about, float(mood[i]), luck[i].tolist(), sarcastic) if spoken[i] == "en" else translated(item, about, luck[i].tolist(), spoken[i])
            kinds = [kind for kind in ("new", "flag", "name") if more[kind][i]]
            written[i], found = sayings.added(written[i], kinds, item, spoken[i], more["luck"][i].tolist(), fill)
            found += [{"kind": "sarcasm", "said": ""}] * sarcastic
            besides += [{"response_id": frame["response_id"].iloc[i], "item": item} | one for one in found]
        texts.append(pd.DataFrame({"response_id": frame["response_id"], "item": item, "text": pd.Series(written, dtype=object)}))
        row, topic = np.nonzero(taken & wrote[:, None])
        mentions.append(pd.DataFrame({"response_id": frame["response_id"].to_numpy()[row], "item": item, "topic": np.array(company.TOPICS)[topic],
                                      "polarity": np.where(complains[row, topic], -1, 1).astype(np.int8)}))
    besides = pd.DataFrame(besides, columns=["response_id", "item", "kind", "said"])
    own = besides[besides["kind"].isin(["new", "flag"])]
    mentions.append(own[["response_id", "item"]].assign(topic=own["kind"].map({"new": sayings.NEW, "flag": sayings.FLAG}), polarity=np.int8(-1)))
    return pd.concat(texts, ignore_index=True), pd.concat(mentions, ignore_index=True), besides


def write(item: str, about: list[tuple[str, int]], mood: float, luck: list[float], sarcastic: bool = False) -> str:
    """One comment from its topics; `mood` above zero is ill, `luck` holds the draws it is made of; sarcastic: praise in words, and nothing said outright."""
    chance = iter(luck)
    words = grammar()
    draw = lambda: next(chance, 0.37)
    choose = lambda options: options[int(draw() * len(options))]
    if not about:
        return choose(words["nothing"][item])
    if draw() < 0.5:
        about = about[::-1]
    terse = draw()
    if sarcastic:
        return styled(". ".join(fill(choose(sayings.said()["sarcasm"][topic]), choose) for topic, _ in about), draw)
    if item == "improve":
        clauses = [fill(choose(words["topics"][topic]["wish"]), choose) for topic, _ in about]
        text = choose((", ", "; ", " and ", ". ", " + ")).join(clauses)
        return styled(text if draw() < 0.85 else choose(("Please: ", "You could do this: ", "maybe ", "I would like: ", "My wish: ")) + text, draw)
    if terse < 0.16:
        clauses = [fill(choose(words["topics"][topic]["short" if tone < 0 else "short_positive"]), choose) for topic, tone in about]
        return styled(choose((", ", "; ", " / ", ". ", " and ")).join(clauses), draw)
    text, before = "", 0
    for topic, tone in about:
        said = words["topics"][topic]
        clause = choose(said["negative"] if draw() < 0.72 else said["not_good"]) if tone < 0 else choose(said["positive"] if draw() < 0.70 else said["not_bad"])
        clause, side, frame = fill(clause, choose), "negative" if tone < 0 else "positive", draw()
        clause = f"{choose(words['heads'][side])} {clause}" if frame < 0.10 else f"{clause}, {choose(words['tails'][side])}" if frame > 0.84 else clause
        if before:
            clause = (choose(words["joins"]["same" if tone == before else "but"])) + clause
        text, before = text + clause, tone
    tones = [tone for _, tone in about]
    # Nobody gives a ten and is looking for another provider.
    feeling = "negative" if max(tones) < 0 < mood + 0.4 else "positive" if min(tones) > 0 > mood - 0.4 else "neutral"
    if draw() < 0.30 and not text.startswith(tuple(words["heads"]["negative"] + words["heads"]["positive"])):
        text = f"{fill(choose(words['openers'][choose((feeling, 'neutral'))]), choose)} {text}"
    if draw() < 0.22:
        text = f"{text.rstrip('.')}. {choose(words['closers'][choose((feeling, feeling, 'neutral'))])}"
    return styled(text, draw, feeling)


def translated(item: str, about: list[tuple[str, int]], luck: list[float], language: str) -> str:
    """One comment in German or French: whole clauses, joined, and typed with a slip now and then."""
    chance = iter(luck)
    words = tongues()[language]
    draw = lambda: next(chance, 0.37)
    choose = lambda options: options[int(draw() * len(options))]
    if not about:
        return choose(words["nothing"])
    text, before = "", 0
    for topic, tone in about if draw() < 0.5 else about[::-1]:
        clause = choose(words["topics"][topic]["wish" if item == "improve" else "negative" if tone < 0 else "positive"])
        text = clause if not before else text + choose(words["and" if tone == before or item == "improve" else "but"]) + clause
        before = tone
    if draw() < 0.7:
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". ")) + ("." if draw() < 0.5 else "")
    return slip(text, draw(), draw()) if draw() < 0.15 else text


def fill(clause: str, choose, depth: int = 0) -> str:
    """Replace {slots}, which may hold slots themselves, and some words by others of the same meaning."""
    slots = grammar()["slots"]
    while "{" in clause and depth < 8:
        begin = clause.index("{")
        end = clause.index("}", begin)
        clause, depth = clause[:begin] + choose(slots[clause[begin + 1:end]]) + clause[end + 1:], depth + 1
    same = grammar()["same"]
    said = [choose(same[word]) if word in same and choose(CHANCES) < SAME else word for word in clause.split()]
    return " ".join(said)


def styled(text: str, draw, feeling: str = "neutral") -> str:
    """How people type: capitals, full stops, slips of the finger, shouting, an address left behind."""
    style = draw()
    if style < 0.60:
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))
        text = text if text[-1] in ".!?:" or draw() < 0.35 else text + "."
    elif style < 0.66:
        text = text.lower().replace("'", "")
    elif style < 0.685:
        text = text.rstrip(".!? ").upper() + "!!"
    elif style < 0.72:
        text = text.rstrip(".!? ") + mark(feeling, draw())
    if draw() < 0.22:
        text = slip(text, draw(), draw())
    extra = draw()
    if extra < 0.006:
        text += f" You can reach me at {('h.krause', 'mia1987', 'info', 'j_weber', 'anna.lang')[int(draw() * 5)]}@{('example.com', 'example.org', 'example.net')[int(draw() * 3)]}"
    elif extra < 0.009:
        text += f" Call me: 0151 {int(1e7 * (0.1 + 0.9 * draw())):d}"
    elif extra < 0.02:
        text = text.replace(". ", ".\n", 1)
    return text


def mark(feeling: str, value: float) -> str:
    """What some end with."""
    marks = {"negative": ("!!!", " :(", " 🙄", "..."), "positive": ("!", " :-)", " 👍", "!!"), "neutral": ("...", "!", "..", ".")}[feeling]
    return marks[int(value * len(marks))]


def slip(text: str, where: float, how: float) -> str:
    """One slip: a letter left out, doubled, swapped with the next or hit beside."""
    inner = [i for i in range(1, len(text) - 1) if text[i - 1:i + 2].isalpha()]
    if not inner:
        return text
    at = inner[int(where * len(inner))]
    if how < 0.3:
        return text[:at] + text[at + 1:]
    if how < 0.5:
        return text[:at] + text[at] + text[at:]
    if how < 0.8:
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    return text[:at] + KEYS.get(text[at], text[at]) + text[at + 1:]
