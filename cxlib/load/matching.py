"""Who is who in two files: equal keys first, then scored pairs, each link with its probability, and how many links are false.

Deterministic links are checked by witnesses: columns that both files carry beside the key (METHODS 1). Scored links are a
Fellegi-Sunter model fitted by Splink, with one link a row; where Splink is not installed, rows are linked by equal keys alone.
"""

import importlib.util
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlib.errors import DataError, nearest
from cxlib.load import identifiers, witnesses

COLUMNS = ["left_id", "right_id", "how", "probability"]


class Match(NamedTuple):
    """The links, what is known of their errors, and sentences on what was done and what was not."""

    links: pd.DataFrame
    quality: pd.DataFrame
    said: list[str]


def match(left: pd.DataFrame, right: pd.DataFrame, *, keys, compare=(), threshold: float = 0.9, relation: str = "one_to_one", id: str = "id", kinds: dict | None = None, scored: bool | None = None) -> Match:
    """Link the rows of two files that belong to one person.

    `left` and `right` carry the column `id` and identifiers under the same names. `keys` are columns, or tuples of columns that count
    together, the most trusted first: rows link where a key is equal and belongs to one row of the right (and, one to one, of the left). Keys
    that several rows share are left to the scores. `compare` are the columns that bear witness to a key and from which pairs are
    scored. `relation` is one_to_one (both files hold persons) or many_to_one (the left holds contacts, several of a person). A link is
    made at a probability of `threshold` (over .5) or more. `kinds` names how a column is spelt where its name does not say. `scored`
    forces (True) or forbids (False) scores; by default they are made where Splink is installed.

    Returns links (left_id, right_id, how: 'key:email' or 'scored', probability 0..1), quality (how, n: rows of the left that were not linked
    before, linked, estimate: expected false links, conf_low, conf_high: 95 %, note; the row 'all' is their sum) and sentences.
    Raises DataError for columns that are missing, ids that repeat, a threshold outside (.5, 1].
    Sources: Fellegi & Sunter 1969; Blakely & Salmond 2002 (duplicates); Sadinle 2017 (one link a row).
    """
    keys = [(key,) if isinstance(key, str) else tuple(key) for key in keys]
    columns = list(dict.fromkeys([*(column for key in keys for column in key), *compare]))
    _fits(left, right, columns, id, threshold, relation)
    kinds = {column: (kinds or {}).get(column, identifiers.KINDS.get(column, "text")) for column in columns}
    # Sorted by id, so that the order of rows in a file changes nothing.
    left, right = (frame.sort_values(id, kind="stable", key=lambda ids: ids.astype("str")) for frame in (left, right))
    left, right = (pd.DataFrame({"id": frame[id].to_numpy(), **{column: identifiers.normalise(frame[column], kind=kinds[column]).to_numpy() for column in columns}}) for frame in (left, right))
    parts, rates, said = [], [], []
    free_left, free_right = np.ones(len(left), dtype=bool), np.ones(len(right), dtype=bool)
    for key in keys:
        pairs = _equal(left[free_left], right, right[free_right], key, relation)
        seen = witnesses.judge(pairs, left, right, key=key, compare=[column for column in compare if column not in key], kinds=kinds, tried=left.loc[free_left])
        kept = pairs[seen.probability >= threshold].assign(how=f"key:{'+'.join(key)}", probability=seen.probability[seen.probability >= threshold])
        rates.append((f"key:{'+'.join(key)}", int(free_left.sum()), len(kept), *seen.false(threshold), seen.note))
        parts.append(kept)
        free_left[kept["left"]] = False
        if relation == "one_to_one":
            free_right[kept["right"]] = False
    able = importlib.util.find_spec("splink") is not None
    if scored and not able:
        raise DataError("scored matching needs Splink, which is not installed: pip install splink, or match by keys only.")
    if len(compare) >= 2 and free_left.any() and free_right.any() and (scored if scored is not None else able):
        from cxlib.load import scores

        made = scores.pairs(left, right, compare=list(compare), kinds=kinds, free_left=free_left, free_right=free_right, known=pd.concat(parts) if parts else None, threshold=threshold, relation=relation)
        rates.append(("scored", int(free_left.sum()), len(made.links), *made.false, made.note))
        parts.append(made.links.assign(how="scored"))
    elif len(compare) >= 2 and scored is None and not able:
        said.append("Links are by equal keys only: Splink, which scores pairs whose keys differ, is not installed.")
        rates.append(("scored", int(free_left.sum()), 0, 0.0, 0.0, 0.0, said[-1]))
    links = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"left": [], "right": [], "how": [], "probability": []})
    links = links.assign(left_id=left["id"].to_numpy()[links["left"].astype(int)], right_id=right["id"].to_numpy()[links["right"].astype(int)]).sort_values("left", ignore_index=True)
    return Match(links[COLUMNS], _quality(rates, len(left), len(links)), said)


def sentence(share: float, false: float, high: float, *, to: str, whom: str = "respondents") -> str:
    """Return the words a base is told by: 'Linked to orders: 61 % of respondents; of these links 0.8 % (at most 1.5 %) are expected to be false.'"""
    told = f"Linked to {to}: {share:.0%} of {whom}".replace("%", " %")
    return told + (f"; of these links {_percent(false)} (at most {_percent(high)}) are expected to be false." if high > 0 else "; by a key that both carry.")


def _percent(share: float) -> str:
    return "fewer than 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


def _fits(left, right, columns, id, threshold, relation) -> None:
    if not 0.5 < threshold <= 1:
        raise DataError(f"threshold = {threshold:g} is not above 0.5 and at most 1; at or below a half, one row could be linked twice.")
    if relation not in ("one_to_one", "many_to_one"):
        raise DataError(f"relation = '{relation}' is none of one_to_one, many_to_one{nearest(relation, ('one_to_one', 'many_to_one'))}.")
    for name, frame in (("left", left), ("right", right)):
        for column in (id, *columns):
            if column not in frame:
                raise DataError(f"the {name} file has no column '{column}' to match by{nearest(column, frame.columns)}.")
        if (twice := frame[id].duplicated()).any():
            raise DataError(f"the {name} file has the id '{frame.loc[twice, id].iloc[0]}' more than once; a row that is linked needs one id.")


def _equal(left, every_right, free_right, key, relation) -> pd.DataFrame:
    """Pairs (left, right: places) whose key is equal and nobody else's in the right file; one to one, nobody else's in the left either."""
    key = list(key)
    once = every_right.dropna(subset=key)
    once = once[~once.duplicated(key, keep=False)]
    once = once[once.index.isin(free_right.index)]
    own = left.dropna(subset=key)
    if relation == "one_to_one":
        own = own[~own.duplicated(key, keep=False)]
    pairs = own[key].assign(left=own.index).merge(once[key].assign(right=once.index), on=key)
    return pairs[["left", "right"]].sort_values("left", ignore_index=True)


def _quality(rates, rows: int, linked: int) -> pd.DataFrame:
    columns = ["how", "n", "linked", "estimate", "conf_low", "conf_high", "note"]
    frame = pd.DataFrame(rows_of(rates), columns=columns)
    if len(frame):
        # The parts are estimated apart: their distances to the limits add up in squares.
        low = frame["estimate"].sum() - np.sqrt(((frame["estimate"] - frame["conf_low"]) ** 2).sum())
        high = frame["estimate"].sum() + np.sqrt(((frame["conf_high"] - frame["estimate"]) ** 2).sum())
        frame.loc[len(frame)] = ["all", rows, linked, frame["estimate"].sum(), float(np.floor(max(low, 0.0))), min(high, float(linked)), ""]
    return frame


def rows_of(rates) -> list[tuple]:
    return [(how, n, linked, min(estimate, linked), min(low, linked), min(high, linked), note) for how, n, linked, estimate, low, high, note in rates]
