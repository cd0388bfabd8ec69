"""Sayings: what some comments hold besides the usual topics. A subject nobody has named yet, red flags, names of the staff, sarcasm; and what makes a topic's share move."""

import tomllib
from functools import cache
from importlib.resources import files

import numpy as np

from . import company, draws, identities

NEW, NEW_FROM, NEW_SHARE, ALONE = "scams", "2026Q2", 0.09, 0.75      # the new subject, its first wave, its share of the comments, and how often it is all they say
FLAG, FLAG_SHARE = "harm", 0.003
NAME_SHARE, SARCASM_SHARE = 0.012, 0.07                              # of the comments; of those in English that complain
# A topic of which twice as many speak from one wave on, and one that is named more often since the pulse's question names it. Log-odds.
DOUBLED, DOUBLED_FROM, DOUBLING = "app", "2026Q2", 0.95
WORDED, WORDED_FROM, WORDING = "billing", "2025Q2", 0.75


@cache
def said() -> dict:
    """templates/sayings.toml."""
    return tomllib.loads(files(__package__).joinpath("templates/sayings.toml").read_text(encoding="utf-8"))


def pulls(survey: str, wave: str, *, world: str) -> np.ndarray:
    """What makes topics of this wave more readily talked about (log-odds by TOPICS): one doubles, one is asked for."""
    moved = np.zeros(len(company.TOPICS))
    moved[company.TOPICS.index(DOUBLED)] += DOUBLING * (wave >= DOUBLED_FROM)
    moved[company.TOPICS.index(WORDED)] += WORDING * (survey == "pulse" and wave >= WORDED_FROM)
    return company.truthful(world) * moved


def chosen(n: int, item: str, wave: str, *, key: tuple, world: str) -> dict[str, np.ndarray]:
    """Which of n comments speak of the new subject (in the true world), of that alone, of a red flag, of a member of the staff by name, and are sarcastic; and the draws their words are made of."""
    at, real = lambda what: (*key, item, what), company.truthful(world)
    new = draws.happens(at("new"), np.full(n, NEW_SHARE * real * (wave >= NEW_FROM)))
    return {"new": new, "alone": new & draws.happens(at("alone"), np.full(n, ALONE)), "flag": draws.happens(at("flag"), np.full(n, FLAG_SHARE)),
            "name": draws.happens(at("name"), np.full(n, NAME_SHARE)), "sarcasm": draws.happens(at("sarcasm"), np.full(n, SARCASM_SHARE)), "luck": draws.uniform(at("sayings"), n, 12)}


def added(text: str | None, kinds: list[str], item: str, language: str, luck: list[float], fill) -> tuple[str, list[dict]]:
    """The comment with the sentences of these kinds after it, and the list of them (kind, said)."""
    chance, found = iter(luck), []
    choose = lambda options: options[int(next(chance) * len(options))]
    for kind in kinds:
        words = said()[kind][language]
        clause = choose(words["wish"] if item == "improve" and "wish" in words else words["said"])
        if kind == "name":
            first, last = (choose(identities.names(part)) for part in ("first", "last"))
            clause = clause.replace("{first}", first).replace("{last}", last)
        else:
            clause = fill(clause, choose)
        clause = clause[:1].upper() + clause[1:]
        found.append({"kind": kind, "said": last if kind == "name" else clause})
        text = clause if not text else f"{text.rstrip('.! ')}. {clause}"
    return text, found
