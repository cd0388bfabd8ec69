"""What each column of a file is for: ids, days, weights, what identifies a person, and the items of a questionnaire."""

import re
from typing import NamedTuple

from cxlib.load import codebook
from cxlib.load.draft import echoes, ends, facts, forms, scales, words
from cxlib.load.draft.scales import Guess
from cxlib.questionnaire import ROW

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_PHONE = re.compile(r"(\+|00)[0-9][0-9 ()/.-]{7,18}|\(?0[0-9]{2,5}\)?[ /-][0-9][0-9 -]{4,12}")
_ADDRESS = re.compile(r"([0-9]{1,3}\.){3}[0-9]{1,3}|(?=(?:[^:]*:){3})[0-9a-fA-F:]{6,45}")
MANY = 200  # distinct short answers beyond which a column holds names, places or codes and is left out


class Role(NamedTuple):
    """What a column is for: `role` as the codebook writes it ("" where it is left out), its scale, how sure (0 to 1), and why."""

    role: str
    sure: float
    why: str
    guess: Guess | None = None
    form: str = ""  # of dates
    asks: str = ""  # recommend: what its groups or its file say, where its own words do not


def of(file: facts.File, wording: dict[str, str]) -> dict[str, Role]:
    """Return the role of every column of a file as if it held answers; `wording` is the column's question where one is known.

    At most one column gets each of response_id (`#row` stands for none: see `response_id`), person_id, answered_on and weight.
    """
    found = {name: _alone(file, name, wording.get(name, "")) for name in file.raw.frame.columns}
    guesses = {name: one.guess for name, one in found.items() if one.guess is not None and one.guess.kind == "rating"}
    sure = {name for name in guesses if _judged(name, wording.get(name, ""))}
    numbers = [name for name in guesses if not guesses[name].labels]
    settled = scales.agreed({name: guesses[name] for name in numbers}, facts.matrix(file, numbers), sure=sure)
    for name, one in settled.items():
        if name in sure and one.sure < 0.75 and (one.low, one.high) in ((0, 10), (1, 10), (1, 7), (1, 5)):
            one = one._replace(sure=0.75, why=f"{one.why}, and its name says that something is judged")
        if one.kind == "rating" and one.sure < 0.85 and not (sure & {name}) and words.says(words.TRAITS, name, wording.get(name, "")[:40]) and not words.says(words.OVERALL, name):
            one = one._replace(kind="nominal", sure=0.5, why="named as a trait of the person, not as a judgement")
        found[name] = Role(one.kind, one.sure, one.why, one if one.kind == "rating" else one._replace(missing=_declared(file, name)))
    ratings = {name: one.guess for name, one in found.items() if one.role == "rating"}
    said = {one: [text for text in (one, wording.get(one, "")) if text] for one in ratings}
    for name, one in ratings.items():
        if not (one.labels or one.high_label) and (known := ends.worded(one, said[name])):
            ratings[name], found[name] = known, found[name]._replace(guess=known, sure=max(found[name].sure, known.sure), why=known.why)
    for name, why in ends.turned(file, ratings, said).items():
        unsure = why.startswith("NOT SURE")
        found[name] = found[name]._replace(guess=ratings[name]._replace(reversed=True), sure=min(found[name].sure, 0.5) if unsure else found[name].sure, why=f"{why}; {found[name].why}")
    for name, (score, promoters) in echoes.of(file, ratings).items():
        found[name] = Role("", 0.9, f"groups of '{score}': it says again what the score says")
        found[score] = _recommended(found[score], f"'{name}' groups it as a Net Promoter Score is") if promoters and ratings[score].high == 10 else found[score]
    _named_by_its_file(found, file)
    if any(one.role == "verbatim" or words.says(words.QUESTIONS["comment"], name) for name, one in found.items() if not words.says(words.REPLIED, name)):
        found |= {name: Role("", 0.9, "what the company answered, not the customer") for name, one in found.items() if one.role in ("verbatim", "nominal", "") and words.says(words.REPLIED, name) and not words.says(words.FIELDS["response_id"], name)}
    found |= {name: one._replace(sure=0.65) for name, one in found.items() if scales.SLIPPED in one.why and one.sure > 0.65}
    for name in [name for name, one in found.items() if one.role == "rating" and name in file.counts and any(not cell.isascii() and cell.isdecimal() for cell in file.counts[name])]:
        found[name] = found[name]._replace(guess=scales.wide(found[name].guess), why=f"{found[name].why}; some of its digits are written wide")
    _only(found, file, "person_id", lambda name: (file.distinct[name], len(name)))
    _dates(found, file, wording)
    _response(found, file, wording)
    return found


def _named_by_its_file(found: dict[str, Role], file: facts.File) -> None:
    """The one score of 0 to 10 of a file that is called NPS is the recommendation, although its column is called score."""
    scores = [name for name, one in found.items() if one.role == "rating" and one.guess.high == 10]
    if len(scores) == 1 and words.says(r"\bnps\b|net ?promoter", file.path.name.split(".")[0], file.reading.sheet, file.reading.database_table) and words.says(r"^(score|rating|value|answer|response|result|wert|punkte|note)\b", scores[0]):
        found[scores[0]] = _recommended(found[scores[0]], "its file is called so")


def _recommended(one: Role, why: str) -> Role:
    """A score of 0 to 10, whether or not somebody gave a 0, that is a recommendation as something beside it says."""
    return one._replace(asks="recommend", guess=one.guess._replace(low=0), why=f"0 to 10 as the recommendation is asked: {why}", sure=max(one.sure, 0.8))


def response_id(found: dict[str, Role]) -> str:
    """Return the column that holds the id of a response, or #row where none does."""
    return next((name for name, one in found.items() if one.role == "response_id"), ROW)


def personal(file: facts.File, name: str, wording: str) -> str:
    """Return what a column tells of who a person is (email, phone, name ...), "" where nothing does."""
    cells = file.cells(name, 200)
    if cells and words.says(r"\b(card|karte|carte|tessera|tarjeta|cartao)\b", name, wording[:60]) and words.says(words.FIELDS["person_id"], name, wording[:60]) and not _payment(cells):
        return ""
    if cells:
        for kind, pattern in (("email", _EMAIL), ("phone", _PHONE), ("other", _ADDRESS)):
            if sum(bool(pattern.fullmatch(cell.strip())) for cell in cells) >= 0.5 * len(cells):
                return kind
    kind = file.columns.at[name, "kind"]
    if kind in ("flag", "option", "constant") or (kind == "rating" and name in file.counts) or (kind == "nominal" and file.distinct[name] <= 5):
        return ""
    if cells and sum(bool(re.fullmatch(r"[^A-Za-z]*[0-9]{3,}", cell.strip())) for cell in cells) >= 0.9 * len(cells) and words.says(words.PERSONAL["name"], name):
        return ""  # the name of an order is its number: #1001
    short = [text for text in (name, wording) if text and len(text) < 60]
    if kind == "nominal" and file.distinct[name] <= 30:
        short = short if words.says(words.PERSONAL["name"], *short) or words.says(words.PERSONAL["first_name"] + "|" + words.PERSONAL["last_name"], *short) else []
    return next((one for one, pattern in words.PERSONAL.items() if words.says(pattern, *short)), "")


def _payment(cells: list[str]) -> bool:
    """Whether cells are numbers of payment cards: 13 to 19 digits with a check digit (Luhn, ISO/IEC 7812-1)."""
    digits = [re.sub(r"[ -]", "", cell) for cell in cells]
    return sum(bool(re.fullmatch(r"[0-9]{13,19}", one)) and sum(sum(divmod(int(d) * (1 + place % 2), 10)) for place, d in enumerate(reversed(one))) % 10 == 0 for one in digits) >= 0.5 * len(digits)


def _declared(file: facts.File, name: str) -> dict:
    return dict(file.raw.missing.get(name, {}))


def _judged(name: str, wording: str) -> bool:
    """Whether a name or a question says that something is judged."""
    return words.says(r"\b(overall|insgesamt|rating|rate|satisf\w*|zufried\w*|score|nps|csat|ces|bewertung|note|star|stars|agree|how (well|good|likely|easy)|quality|importance)\b", name, wording) or words.says(f"{words.SATISFIED}|{words.GRADES}", name, wording) or any(words.says(words.KPIS[one], name, wording) for one in ("recommend", "effort", "repurchase"))


def _alone(file: facts.File, name: str, wording: str) -> Role:
    kind, n = file.columns.at[name, "kind"], int(file.columns.at[name, "n"])
    counts, labels = file.counts.get(name), dict(file.raw.labels.get(name, {}))
    if not facts.nameable(name):
        return Role("", 1.0, "its name is empty, begins or ends with a blank, or is too long to be written down: rename the column")
    if n == 0 or kind == "empty":
        return Role("", 1.0, "empty")
    if who := personal(file, name, wording):
        return Role("", 0.9, f"tells who a person is ({who}): left out; identify can match persons by it, where they were promised that answers may be linked" if who != "other" else "tells who a person is or where: left out")
    if _dated(file, name, kind) and (form := forms.dates(file.cells(name)))[1] >= 0.8:
        return Role("date", 0.9 if not form[2] else 0.3, form[2], None, form[0])
    said = [one for one in (name, wording) if one and len(one) < 80]
    asked = [one for one in (name, wording) if one and len(one) < 400]
    if words.says(words.FIELDS["weight"], *said) and kind in ("number", "rating", "constant", "id") and _positive(file, name):
        return Role("weight", 0.9, "named as a weight, filled and above 0 in every row")
    if words.says(words.FIELDS["person_id"], *said) and kind in ("id", "number", "verbatim", "nominal") and file.distinct[name] > 30 and _short(file, name):
        return Role("person_id", 0.9, "named as a customer's key")
    if words.says(words.FIELDS["account_id"], *said) and kind in ("id", "number", "verbatim") and _short(file, name):
        return Role("account_id", 0.8, "named as an account's key")
    if words.says(words.TOOL, *said) and kind != "verbatim":
        return Role("", 0.9, "what a survey tool or a database notes of itself")
    if kind == "id":
        return Role("id", 0.7, "its values hardly repeat")
    if counts and not labels and words.says(f"{words.KPIS['recommend']}|{words.KPIS['repurchase']}|satisf|zufried|{words.BINARY}", *said) and (guess := scales.binary(counts, bad=words.says(words.BINARY, *said))):
        return Role("rating", guess.sure, guess.why, guess)
    if kind in ("constant", "number") and counts and len(counts) == 1 and 0 < n < file.sampled and (next(iter(counts)).lower() in ("1", "x", "yes", "true", "ja", "oui", "si", "sim") or next(iter(counts)) in (name, wording)):
        return Role("nominal", 0.7, "ticked or blank: one option of several", Guess("nominal"))
    if kind == "constant" and len(file.columns.at[name, "codes"]) and not labels:
        return Role("", 0.8, "every filled cell is the same")
    if kind == "option" or (kind == "flag" and not labels):
        return Role("nominal", 0.8, "two answers: yes or no, chosen or not", Guess("nominal"))
    counts = scales.narrow(counts) if counts else counts
    guess = scales.guess(counts, labels=labels, missing=_declared(file, name)) if counts and not words.says(words.RANKS, name, wording) else None
    if counts and not labels and (guess is None or (guess.low, guess.high, guess.labels) == (1, 10, {})):
        guess = _from_nought(counts, guess, asked) or guess
    if guess is not None:
        return Role("rating", guess.sure, guess.why, guess)
    if labels and counts:
        none = _declared(file, name) | {code: label for code, label in labels.items() if words.missing(label)}
        kinds = {code: label for code, label in labels.items() if code not in none}
        if set(counts) <= {*kinds, *none} and kinds:
            return Role("nominal", 0.9, "codes that the file labels", Guess("nominal", labels=kinds, missing=none))
    for field in ("language", "country", "channel", "brand", "team"):
        if words.says(words.FIELDS[field], *said) and file.distinct[name] <= 60 and kind in ("nominal", "constant", "verbatim"):
            return Role(field, 0.8, f"named as the {field}")
    if kind in ("number", "rating") and counts and not labels and len(counts) == 2 and all(re.fullmatch(r"[0-9]", cell) for cell in counts):
        return Role("nominal", 0.7, "two codes: kinds, not amounts", Guess("nominal", missing=_declared(file, name)))
    if kind in ("number", "rating"):
        none = _declared(file, name) | ({cell: "no answer" for cell in counts if re.fullmatch(r"-9{1,3}|999?9?", cell) and len(counts) > 2 and _far(cell, counts)} if counts else {})
        none |= {cell: cell for cell in file.cells(name) if words.missing(cell) and cell not in none}
        return Role("number", 0.7, "numbers that are no scale", Guess("number", missing=none))
    return _text(file, name, kind, said)


def _from_nought(counts: dict, guess: Guess | None, said: list[str]) -> Guess | None:
    """A scale of 0 to 10 on which nobody gave a 0: the next wave would lose its worst answers, were it taken for one of 1 to 10."""
    codes = {cell: int(cell) for cell in counts if re.fullmatch(r"[0-9]{1,2}", cell)}
    scores = [code for code in codes.values() if code <= 10]
    none = dict(guess.missing) if guess else {}
    if any(cell not in codes and cell not in none and not words.missing(cell) for cell in counts) or any(code > 10 and cell not in none for cell, code in codes.items()) or max(scores, default=0) < 8:
        return None
    none |= {cell: cell for cell in counts if cell not in codes and cell not in none}
    if words.says(r"\bnps\b|net ?promoter|\b0 ?(-|–|to|bis|a|à|until) ?10\b", *said):
        return Guess("rating", 0, 10, missing=none, sure=0.8, why="0 to 10 by its name, although nobody gave a 0")
    answered = sum(counts[cell] for cell in codes)
    standard = words.says(r"how likely .*recommend|wie wahrscheinlich .*(empfehl|empfiehl)|quelle .*probabilite .*recommand|que tan probable|qual .*probabilidade", *said)  # asked so, it is from 0; piled up at 1 it was not
    if guess and words.says(words.KPIS["recommend"], *said) and (min(scores) >= 2 or answered < 200 or (standard and sum(n for cell, n in counts.items() if codes.get(cell) == 1) <= max(0.02 * answered, sum(n for cell, n in counts.items() if codes.get(cell) == 2)))):
        return Guess("rating", 0, 10, missing=none, sure=0.5, why="NOT SURE: a recommendation is asked from 0 to 10 as a rule; nobody gave a 0, so it may be 1 to 10")
    return None


def _text(file: facts.File, name: str, kind: str, said: list[str]) -> Role:
    cells = file.cells(name, 500)
    typed = sum(map(codebook.typed, cells)) / max(len(cells), 1)
    asked = any(words.says(pattern, *said) for pattern in words.QUESTIONS.values())
    if kind == "verbatim" and (typed >= 4 or (asked and typed >= 1.3 and file.distinct[name] > 30)):
        return Role("verbatim", 0.9 if typed >= 6 else 0.6, f"written answers of {typed:.0f} words on average")
    if file.distinct[name] > MANY or (file.distinct[name] > 30 and file.distinct[name] > file.rows / 4):
        return Role("", 0.6, f"{file.distinct[name]:,} different short values: names, places or codes; give it a role if it is an answer")
    return Role("nominal", 0.7 if file.distinct[name] <= 30 else 0.5, f"{file.distinct[name]} different answers", Guess("nominal", missing=_declared(file, name)))


def _far(cell: str, counts: dict) -> bool:
    rest = [float(one) for one in counts if one != cell and forms.numeric(one) and "," not in one and " " not in one and "'" not in one and re.fullmatch(r"[+-]?[0-9.]+", one) and one.count(".") <= 1]
    return bool(rest) and (float(cell) < 0 <= min(rest) or float(cell) > 4 * max(1.0, *rest))


def _dated(file: facts.File, name: str, kind: str) -> bool:
    if kind in ("date", "verbatim", "id", "nominal", "constant"):
        cells = file.cells(name, 60)
        return kind == "date" or (bool(cells) and sum(bool(re.match(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}|[0-9]{1,2}(?:st|nd|rd|th)?[ -][A-Za-z]{3}|[A-Z][a-z]{2,8} [0-9]{1,2},? ", cell)) for cell in cells) >= 0.7 * len(cells))
    return False


def _short(file: facts.File, name: str) -> bool:
    cells = file.cells(name, 100)
    return bool(cells) and max(map(len, cells)) <= 60


def _positive(file: facts.File, name: str) -> bool:
    from cxlib.load import answers

    try:
        values = [answers.number_of(str(cell).strip(), file.reading) for cell in file.raw.frame[name].unique()[:20_000]]
    except ValueError:
        return False
    return all(value is not None and 0 < value < 1_000 for value in values)


def _only(found: dict, file: facts.File, role: str, best) -> None:
    """Leave a role to one column: the one that comes last by `best`; the others are left out."""
    names = sorted((name for name, one in found.items() if one.role == role), key=best)
    for name in names[:-1]:
        found[name] = Role("", 0.5, f"another column is the {role}: '{names[-1]}'")


def _dates(found: dict, file: facts.File, wording: dict) -> None:
    """Choose the column that dates an answer; the other dates are left out."""
    dates = [name for name, one in found.items() if one.role == "date"]
    rank = {}
    for name in dates:
        said = [one for one in (name, wording.get(name, "")) if one and len(one) < 80]
        level = next((place for place, pattern in enumerate(words.ANSWERED) if words.says(pattern, *said)), 9)
        filled = int(file.columns.at[name, "n"]) / max(file.sampled, 1)
        if filled >= 0.95 and (level < 9 or len(dates) == 1) and not words.says(words.NOT_ANSWERED, *said):
            rank[name] = (level, -filled, dates.index(name))
    chosen = min(rank, key=rank.get, default=None)
    for name in dates:
        one = found[name]
        if name != chosen:
            found[name] = Role("", 0.7, "a date, but not the day of the answer" + (f" (written {one.form or 'in ISO form'})"), None, one.form)
        elif one.sure < 0.5:
            found[name] = Role("", 0.3, f"dates that can be read as {one.form} and as {one.why}: which comes first, day or month? Set its role to answered_on and date_format in the sheet files", None, "")
        else:
            other = [cell for cell in file.cells(name) if forms.read(cell, one.form) is None]
            otherwise = f"; {len(other):,} of its dates are written otherwise ('{other[0][:30]}'), and those rows will be set aside" if other else ""
            found[name] = Role("answered_on", 0.6 if other or rank[name][0] >= 3 else 0.9, f"the day of the answer, written {one.form or 'in ISO form'}{otherwise}", None, one.form)


def _response(found: dict, file: facts.File, wording: dict) -> None:
    """Choose the id of a response: filled and hardly ever repeated; every other id is left out."""
    rank = {}
    for name, one in found.items():
        said = [text for text in (name, wording.get(name, "")) if text and len(text) < 80]
        named = words.says(words.FIELDS["response_id"], *said)
        if one.role not in ("id", "person_id", "number") and not (named and one.role in ("", "nominal", "verbatim") and _short(file, name)):
            continue
        if one.role == "number" and not named:
            continue
        blank = int((file.raw.frame[name] == "").sum())
        plain = words.says(r"^(id|nr|no|number|nummer|key|lfd ?nr|uid|column 1|unnamed.*)$", name)
        # A file that was put together twice repeats its ids with its rows, which must be dropped and not numbered.
        several = (named or plain) and file.distinct[name] >= 0.3 * file.rows and file.distinct[name] >= 0.98 * len(file.raw.frame.drop_duplicates())
        if blank <= 0.01 * file.rows and (file.distinct[name] >= 0.98 * (file.rows - blank) or several) and file.rows > 0:
            rank[name] = (0 if named else 1 if plain else 2 if one.role == "id" else 3, list(found).index(name))
    chosen = min(rank, key=rank.get, default=None)
    for name, one in found.items():
        if name == chosen and one.role != "person_id":
            twice = file.rows - file.distinct[name]
            found[name] = Role("response_id", 0.9 if rank[name][0] < 2 else 0.7, "unique in every row" if not twice else f"named as the id of an answer; {twice:,} rows repeat one")
        elif one.role == "id":
            found[name] = Role("", 0.5, "an id, but not that of the answer")
