"""Quotations: what may be shown of a verbatim, without what identifies a person."""

import re

import numpy as np
import pandas as pd

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}", re.UNICODE)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d])")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\(\+?|00|0)?\d[\d ()/.-]{5,20}\d(?!\w)")
_DATE = re.compile(r"^\d{1,4}([./-])\d{1,2}\1\d{1,4}$|^0\.\d+$")  # and a share


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _mod97(code: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def redact(text) -> tuple[str, int]:
    """Return the text with e-mail addresses, IBANs (mod 97), card numbers (Luhn) and phone numbers replaced by [e-mail] and so on, and how many.

    A number is a phone number if it has 7 to 15 digits and starts with + or 0, or is grouped as numbers are written (555-123-4567);
    dates, amounts and plain counts stay. Names are not found by patterns.
    """
    if not isinstance(text, str):
        return "", 0
    count = 0

    def replaced(mark):
        nonlocal count
        count += 1
        return mark

    def iban(match):
        # The pattern may have swallowed the words that follow: the longest valid beginning counts.
        written = match.group()
        for end in range(len(written), 14, -1):
            code = re.sub(r"[ -]", "", written[:end])
            if 15 <= len(code) <= 34 and code.isascii() and not written[end : end + 1].isalnum() and _mod97(code):
                return replaced("[IBAN]") + written[end:]
        return written

    def card(match):
        return replaced("[card]") if _luhn(re.sub(r"\D", "", match.group())) else match.group()

    def phone(match):
        written = match.group()
        digits = re.sub(r"\D", "", written)
        grouped = re.fullmatch(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", written)
        if 7 <= len(digits) <= 15 and not _DATE.match(written) and (grouped or written.lstrip("(")[0] in "+0"):
            return replaced("[phone]")
        return written

    text = _MAIL.sub(lambda match: replaced("[e-mail]"), text)
    for pattern, rule in ((_IBAN, iban), (_CARD, card), (_PHONE, phone)):
        text = pattern.sub(rule, text)
    return text, count


def quotes(mentions: pd.DataFrame, verbatims: pd.DataFrame, *, surveys, each: int = 3, shortest: int = 20, longest: int = 300) -> pd.DataFrame:
    """The most typical verbatims of each topic and polarity, redacted: nearest to the words that its mentions share.

    `surveys` names those whose promise to respondents permits quoting; verbatims of others are never returned. Takes mentions and
    verbatims (response_id, survey, item, text); only texts of `shortest` to `longest` characters are quoted, a respondent once a topic.
    The same words are quoted once. Text is not escaped here: pages escape whatever they show.

    Returns topic, polarity, rank (1 = most typical), response_id, item, text (redacted), redactions, typicality (cosine, 0..1).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    columns = ["topic", "polarity", "rank", "response_id", "item", "text", "redactions", "typicality"]
    allowed = verbatims[verbatims["survey"].isin(list(surveys))] if "survey" in verbatims.columns else verbatims.iloc[:0]
    keys = ["response_id", "item"] if "item" in verbatims.columns and "item" in mentions.columns else ["response_id"]
    told = mentions[[*keys, "topic", "polarity"]].drop_duplicates().merge(allowed[[*keys, "text"]].drop_duplicates(keys), on=keys)
    told = told.sort_values(["topic", "polarity", *keys], ignore_index=True)
    if told.empty:
        return pd.DataFrame(columns=columns)
    cut = told["text"].str.slice(0, 5000)
    try:
        vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=20_000).fit_transform(cut)
    except ValueError:
        return pd.DataFrame(columns=columns)
    rows = []
    for (topic, polarity), at in told.groupby(["topic", "polarity"]).indices.items():
        centre = np.asarray(vectors[at].mean(axis=0)).ravel()
        near = np.round(np.asarray(vectors[at] @ centre).ravel() / (np.linalg.norm(centre) or 1.0), 9)
        seen, people = set(), set()
        for best in np.argsort(-near, kind="stable"):
            line = told.iloc[at[best]]
            text, count = redact(line["text"].strip())
            if not shortest <= len(text) <= longest or text.lower() in seen or line["response_id"] in people:
                continue
            seen.add(text.lower())
            people.add(line["response_id"])
            rows.append((topic, polarity, len(seen), line["response_id"], line.get("item", ""), text, count, float(near[best])))
            if len(seen) == each:
                break
    return pd.DataFrame(rows, columns=columns)
