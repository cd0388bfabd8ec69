"""A population of households in two noisy files, with the truth of who is who."""

import numpy as np
import pandas as pd

COLUMNS = ["first_name", "last_name", "born", "email", "phone", "postcode", "street"]
KEYS = ["email", "phone", ("last_name", "first_name", "born")]
# Shares of cells mistyped and empty, of first names shortened, of persons with another e-mail address in one of the files.
NOISE = {"clean": (0.01, 0.05, 0.02, 0.02), "usual": (0.04, 0.2, 0.08, 0.15), "dirty": (0.1, 0.4, 0.15, 0.3)}
SHORT = {"Elisabeth": "Lisa", "Alexander": "Alex", "Katharina": "Kathi", "Johannes": "Hannes", "Margarete": "Gretl", "Friedrich": "Fritz", "Charlotte": "Lotte", "Maximilian": "Max", "Sebastian": "Basti", "Franziska": "Franzi"}
FIRST = [*SHORT, *["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hannah", "Ida", "Jonas", "Klara", "Lukas", "Maria", "Noah", "Olivia", "Paul", "Rosa", "Simon", "Thea", "Viktor", "Konrad", "Mathilda", "Leonhard"]]
LAST = [a + b + c for a in ["ba", "be", "bo", "da", "di", "fa", "fe", "ga", "gi", "ka", "ke", "ko", "la", "le", "ma", "me", "mo", "na", "ne", "ra", "re", "ro", "sa", "se", "ta", "te", "wa", "we"] for b in ["ba", "de", "di", "fa", "ge", "ke", "la", "le", "mo", "ne", "ri", "sa"] for c in ["n", "r", "ck", "tz", "mann", "meier", "berg", "stein", "bach", "hoff", "ner", "ger"]]


def population(n: int, rng) -> pd.DataFrame:
    """Persons in households; of those who live together three in ten use the family's e-mail address and half its telephone."""
    rows, chance = [], 1 / np.arange(1, len(LAST) + 1) ** 0.8
    chance, names = chance / chance.sum(), rng.permutation(LAST)
    while len(rows) < n:
        size, last = rng.choice([1, 2, 3, 4], p=[0.45, 0.35, 0.1, 0.1]), str(rng.choice(names, p=chance)).capitalize()
        home = (str(10000 + rng.integers(800)), f"{rng.choice(names)}weg {rng.integers(1, 80)}")
        mail, phone = f"{last.lower()}.{rng.integers(999)}@post.de", f"0171{rng.integers(10**6, 10**7)}"
        for _ in range(size):
            first = str(rng.choice(FIRST))
            own = last if rng.random() < 0.85 else str(rng.choice(names, p=chance)).capitalize()
            born = str((pd.Timestamp("1940-01-01") + pd.Timedelta(days=int(rng.integers(24000)))).date())
            shares = size > 1 and rng.random() < 0.3
            rows.append((f"P{len(rows)}", first, own, born, mail if shares else f"{first}.{own}{rng.integers(99)}@mail.de".lower(), phone if rng.random() < 0.5 else f"0160{rng.integers(10**6, 10**7)}", *home))
    return pd.DataFrame(rows[:n], columns=["truth", *COLUMNS])


def mistyped(rng, text: str) -> str:
    at, kind = rng.integers(1, max(len(text) - 1, 2)), rng.integers(3)
    sign = str(rng.integers(10)) if text[at : at + 1].isdigit() else "abcdefghijklmnopqrstuvwxyz"[rng.integers(26)]
    return text[:at] + ("" if kind == 0 else sign if kind == 1 else text[at + 1 : at + 2] + text[at : at + 1]) + text[at + 1 + (kind == 2) :]


def noisy(frame: pd.DataFrame, rng, typos: float, empty: float, shortened: float, other: float) -> pd.DataFrame:
    made = frame.copy()
    for column in COLUMNS:
        values = made[column].tolist()
        if column == "first_name":
            values = [SHORT.get(value, value) if hit else value for value, hit in zip(values, rng.random(len(values)) < shortened)]
        if column == "email":
            values = [f"x{rng.integers(10**7)}@web.de" if hit else value for value, hit in zip(values, rng.random(len(values)) < other)]
        values = [mistyped(rng, value) if hit else value for value, hit in zip(values, rng.random(len(values)) < typos)]
        rare = 0.3 if column.endswith("_name") else 1
        made[column] = [None if hit else value for value, hit in zip(values, rng.random(len(values)) < empty * rare)]
    return made


def files(level: str, *, seed: int, n: int = 3000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A file of people who wrote in, of whom three in ten are no customers, and the customer file, which is typed with more care."""
    rng = np.random.default_rng(seed)
    everyone = population(n, rng)
    customer = rng.random(n) < 0.8
    wrote = rng.random(n) < np.where(customer, 0.31, 0.53)
    typos, empty, *_ = NOISE[level]
    left = noisy(everyone[wrote], rng, *NOISE[level]).sample(frac=1, random_state=seed).reset_index(drop=True)
    right = noisy(everyone[customer], rng, typos / 2, empty / 2, 0, 0).reset_index(drop=True)
    return left.assign(id=[f"L{at}" for at in range(len(left))]), right.assign(id=[f"R{at}" for at in range(len(right))])


def judged(links: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame) -> tuple[float, float, pd.Series]:
    """Precision, recall, and which links are false."""
    truth = links["left_id"].map(left.set_index("id")["truth"]).to_numpy()
    false = pd.Series(truth != links["right_id"].map(right.set_index("id")["truth"]).to_numpy(), index=links.index)
    return 1 - false.mean(), (~false).sum() / left["truth"].isin(right["truth"]).sum(), false
