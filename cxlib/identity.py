"""What identifies somebody wherever it stands: e-mail addresses and IBANs. The last screen before anything is written or shown.

Comments are redacted when the store is made (`cxlib.load.redaction`, which knows far more); this screen is for what nobody expected to hold an address:
a segment's value, a team's name, a column's. Names, numbers and phones are left to the store, because labels and ids look like them.
"""

import re

MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}", re.UNICODE)
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
MARKS = {"email": "[e-mail]", "iban": "[IBAN]"}
# Length of an IBAN by country (registry of ISO 13616).
_IBANS = {15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC"}
_LENGTH = {country: length for length, countries in _IBANS.items() for country in countries.split()}


def screen(text: str, *, known: str = "") -> str:
    """Return a text with e-mail addresses and IBANs replaced by [e-mail] and [IBAN]; addresses that stand in `known` may be shown."""
    if "@" in text:
        text = MAIL.sub(lambda match: match.group() if match.group() in known else MARKS["email"], text)
    for start, end in reversed(ibans(text)) if any(sign.isdigit() for sign in text) else ():
        text = text[:start] + MARKS["iban"] + text[end:]
    return text


def screened(frame, *, known: str = ""):
    """Return a frame with its texts and its column names screened; the same frame where nothing was found. Each distinct text is looked at once."""
    for place, name in enumerate(frame.columns):
        if frame.dtypes.iloc[place].kind not in "fiubM":
            found = {one: clean for one in frame.iloc[:, place].unique() if isinstance(one, str) and (clean := screen(one, known=known)) != one}
            if found:
                frame = frame.assign(**{name: frame[name].replace(found)}) if isinstance(name, str) else frame
    return frame.rename(columns={name: screen(name, known=known) for name in frame.columns if isinstance(name, str)})


def _mod97(code: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def ibans(text: str) -> list[tuple[int, int]]:
    """Return where IBANs stand: of the length of their country, with the right check digits (mod 97)."""
    found = []
    for match in IBAN.finditer(text):
        # The pattern may have swallowed the words that follow: the longest valid beginning counts.
        written = match.group()
        for end in range(len(written), 14, -1):
            code = re.sub(r"[ -]", "", written[:end])
            if len(code) == _LENGTH.get(code[:2].upper()) and code.isascii() and sum(map(str.isdigit, code)) >= 8 and not written[end : end + 1].isalnum() and _mod97(code):
                found.append((match.start(), match.start() + end))
                break
    return found
