"""Which questions are worded as key figures, and which may explain them."""

import re

from cxlib.load.draft import ends as ends_
from cxlib.load.draft import names, scales, words
from cxlib.load.draft.tables import Part

_GRID = re.compile(r"(.{8,}?)( [-–] |: ?)(?!.* [-–] |.*: )(.+)", re.DOTALL)  # a question, and the row of its grid
MOST = 20  # drivers of a model; exact shares are computed for a few more


def of(part: Part) -> dict[str, tuple[str, str, str]]:
    """Return column -> (item id, definition, doubt) of the ratings that are worded as key figures, one of each sort."""
    ratings = {column: one.guess for column, one in part.roles.items() if one.role == "rating"}
    found: dict = {}
    for kind, item in (("recommend", "recommend"), ("repurchase", "repurchase"), ("effort", "ease"), ("satisfaction", "satisfaction")):
        asked = {column: _own(column, ratings, part) for column in ratings}
        fits = [column for column in ratings if column not in found and not words.says(words.STATED, column, part.wording.get(column, "")) and ((part.roles[column].asks or kind) == kind) and (part.roles[column].asks == kind or words.says(words.KPIS[kind], *asked[column])) and (kind != "effort" or not (_battery(column, ratings, part) or _judged_row(column, asked[column], part)))]
        best = fits
        doubt = ""
        if kind == "satisfaction":
            said = [column for column in fits if words.says(words.SATISFIED + r"|\b(rating|score|stars|note|bewertung|nota|puntuacion|calificacion|avaliacao)\b", *asked[column])]
            whole = [column for column in fits if words.says(words.OVERALL, *asked[column])]
            both = [column for column in said if column in whole]
            # The only question of satisfaction among attributes of the same scale is the overall one.
            lone = [column for column in said if words.says(words.SATISFIED, *asked[column]) and not scales.stem(column)]
            # Several that say overall of this and of that are attributes, each a whole of its own.
            best = both or [column for column in said if not _battery(column, ratings, part)] or (lone if len(lone) == 1 else [])
            firm = [column for column in best if words.says(words.OF_ALL, *asked[column])]
            best = firm if len(firm) == 1 and not whole else best
            if not whole and not firm and len([column for column in best if words.says(words.SATISFIED, *asked[column])]) > 1:
                doubt = "NOT SURE that this is the overall question: others ask for satisfaction too, each with something else"
            if not best and len(whole) == 1:
                best = whole
            elif not best:  # by its question only: columns called quality_global, price_global are attributes, each a whole of its own
                best = [column for column in whole if words.says(words.OVERALL, part.wording.get(column, ""))][:1]
                doubt = "NOT SURE that this is the overall question: several say so" if best else ""
        best = [column for column in best if _definition(kind, ratings[column], asked[column])]
        if best:
            column = min(best, key=lambda one: (ratings[one].high == 1, len(one) > 60, list(ratings).index(one)))
            found[column] = (item, _definition(kind, ratings[column], asked[column]), doubt)
    if not any(item == "satisfaction" for item, *_ in found.values()):
        tail = [column for column in ratings if column not in found and re.search(r"\b(all|gesamt|total)$", words.folded(column)) and _definition("satisfaction", ratings[column], asked[column])]
        found |= {column: ("satisfaction", _definition("satisfaction", ratings[column], asked[column]), "") for column in tail[:1]}
    return found


def _own(column: str, ratings: dict, part: Part) -> tuple[str, ...]:
    """What a rating itself asks: of a row of a grid ("How satisfied are you with: price"), the row and not the question above all of them."""
    whole = part.wording.get(column, "") or column
    above, dash, row = _GRID.match(whole).groups() if _GRID.match(whole) else ("", "", "")
    rows = [one for one in ratings if (found := _GRID.match(part.wording.get(one, "") or one)) and found[1] == above] if dash else []
    return (row,) if len(rows) > 1 else (column, part.wording.get(column, ""))


def _judged_row(column: str, asked: tuple[str, ...], part: Part) -> bool:
    """Whether a rating is a row of a grid of satisfaction or marks: the ease of something is an attribute there."""
    return len(asked) == 1 and words.says(words.SATISFIED + r"|\b(rate|rating|evaluate|how good|bewert\w*|beurteil\w*|import\w*)\b", part.wording.get(column, "") or column)


def _battery(column: str, ratings: dict, part: Part) -> bool:
    """Whether a rating is one of several of its kind: an attribute, whatever its words."""
    stem = scales.stem(column)
    like = [one for one in ratings if one != column and (ratings[one].low, ratings[one].high) == (ratings[column].low, ratings[column].high)]
    words_of = set(names.plain(column).split()) - {"rating", "satisfaction", "score"}
    return bool(words_of) and (sum(scales.stem(one) == stem for one in like) >= 3 if stem else len(like) >= 4)


def _definition(kind: str, guess: scales.Guess, asked: tuple[str, ...]) -> str:
    ends = (guess.low, guess.high)
    if ends == (0, 1):
        return "share_0_1"
    if kind == "recommend":
        return {(0, 10): "nps_0_10", (1, 10): "top2_of_10", (1, 4): "top2_of_4", (1, 6): "top2_of_6", (1, 5): "top2_of_5", (1, 7): "top2_of_7"}.get(ends, "")
    if kind == "effort":
        hard = ends_.hard(guess, [text for text in asked if text])
        return {(1, 5): "ces_1" if hard else "ease_top2_of_5", (1, 7): "top3_of_7" if hard else "ces_2", (1, 10): "mean_of_10", (0, 10): "mean_0_10"}.get(ends, "")
    if kind == "repurchase":
        return {(1, 5): "repurchase_top2_of_5", (1, 7): "top2_of_7", (1, 10): "top2_of_10", (0, 10): "mean_0_10"}.get(ends, "")
    return {(1, 4): "top2_of_4", (1, 5): "csat_top2_of_5", (1, 6): "top2_of_6", (1, 7): "top2_of_7", (1, 10): "mean_of_10", (0, 10): "mean_0_10"}.get(ends, "")


def drivers(part: Part, kpis: dict) -> set[str]:
    """Return the ratings that are no key figure and share the ends that most of them have."""
    rest = [column for column, one in part.roles.items() if one.role == "rating" and column not in kpis and one.guess.high > 1 and not words.says(words.STATED, column, part.wording.get(column, ""))]
    ends = [(part.roles[column].guess.low, part.roles[column].guess.high) for column in rest]
    usual = max(sorted(set(ends)), key=ends.count, default=None)
    chosen = [column for column, one in zip(rest, ends) if one == usual and part.roles[column].sure >= 0.6]
    full = [column for column in chosen if sum(n for cell, n in part.file.counts.get(column, {}).items() if cell not in part.roles[column].guess.missing) >= 0.3 * part.file.rows]
    if len(full) > MOST:  # one battery, the largest, rather than questions on everything
        stems = [scales.stem(column) for column in full]
        sizes = {stem: stems.count(stem) for stem in stems if stem and stems.count(stem) <= MOST}
        full = [column for column, stem in zip(full, stems) if stem == max(sizes, key=sizes.get)] if max(sizes.values(), default=0) >= 3 else full[:MOST]
    return set(full) if len(full) >= 2 else set()
