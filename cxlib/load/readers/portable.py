"""SPSS portable files (.por): the user-missing codes that they declare, and a copy that does not declare them.

The library that reads these files blanks every user-missing code, lists none, and has no switch against it. The declarations
are records of their own in the header, so a copy without them gives the codes. Format: PSPP developers' guide, "Portable File Format".
"""

import re

START, WIDTH = 464, 80  # five splash strings, the table of characters and the signature; lines of eighty characters
VALUES = {"8": 1, "9": 1, "A": 1, "B": 2}  # tags of missing values: one, lowest to, to highest, from to
_NUMBER = re.compile(r"\A([+-]?)([0-9A-T]*)(?:\.([0-9A-T]*))?(?:([+-])([0-9A-T]+))?\Z")


def declared(content: bytes) -> tuple[bytes, dict]:
    """Return (the file without its declarations of missing values, column -> list of (lowest, highest) or text).

    Raises ValueError where the header cannot be followed.
    """
    lines = content.decode("latin-1").replace("\r\n", "\n").split("\n")
    stream = "".join(line.ljust(WIDTH) for line in lines[:-1]) + lines[-1]
    try:
        whole, found = _followed(stream)
    except (IndexError, KeyError) as error:
        raise ValueError(str(error)) from None
    whole = stream[:START] + whole
    return "\r\n".join(whole[place : place + WIDTH] for place in range(0, len(whole), WIDTH)).encode("latin-1"), found


def decimal(text: str) -> float:
    """Return a number that is written to the base of thirty: 1.3 is 1.1, -13A.9 is -1000.3, 1+2 is 900."""
    parts = _NUMBER.match(text)
    if not parts:
        raise ValueError(text)
    sign, whole, fraction, direction, power = parts.groups()
    digits = (whole or "") + (fraction or "")
    if len(digits) > 60 or len(power or "") > 3:  # beyond any number that SPSS writes
        raise ValueError(text[:40])
    scale = int(power or "0", 30) * (-1 if direction == "-" else 1) - len(fraction or "")
    if abs(scale) > 200:
        raise ValueError(text[:40])
    value = int(digits or "0", 30)
    return (-1 if sign == "-" else 1) * (value * 30.0**scale if scale >= 0 else value / 30.0**-scale)


class _Stream:
    """The characters of the file, read on one after the other."""

    def __init__(self, text: str, place: int):
        self.text, self.place = text, place

    def take(self, count: int) -> str:
        if count < 0 or self.place + count > len(self.text):
            raise IndexError(count)
        self.place += count
        return self.text[self.place - count : self.place]

    def word(self) -> str:
        """Read a number up to its slash; a missing one ('*.') has none."""
        found = self.take(1)
        while found == " ":
            found = self.take(1)
        if found == "*":
            return found + self.take(1)
        end = self.text.index("/", self.place)
        found, self.place = found + self.text[self.place : end], end + 1
        return found

    def number(self) -> int:
        return int(decimal(self.word()))

    def string(self) -> str:
        return self.take(self.number())


def _followed(stream: str) -> tuple[str, dict]:
    """Return (the file from its version on, without the records of missing values; what they declare by column)."""
    at, widths, name, found = _Stream(stream, START), {}, "", {}
    at.take(1)
    at.string()
    at.string()
    kept = [stream[START : at.place]]
    while True:
        begin, tag = at.place, at.take(1)
        if tag in "EF":
            return "".join(kept) + stream[begin:], found
        if tag in VALUES:
            found.setdefault(name, []).append(_missing(at, tag, widths[name]))
            continue
        if tag == "7":
            width = at.number()
            name = at.string()
            widths[name] = width
            for _ in range(6):  # two formats of three numbers
                at.word()
        elif tag == "D":
            _labels(at, widths)
        elif tag in "45":
            at.number()
        elif tag in "1236C":
            at.string()
        else:
            raise ValueError(f"unknown record '{tag}'")
        kept.append(stream[begin : at.place])


def _missing(at: _Stream, tag: str, width: int):
    """Read one declaration: text, or the lowest and highest number that is missing."""
    values = [at.string() if width else decimal(at.word()) for _ in range(VALUES[tag])]
    if width:
        return values[0]
    low = float("-inf") if tag == "9" else values[0]
    return low, float("inf") if tag == "A" else values[-1]


def _labels(at: _Stream, widths: dict) -> None:
    """Read past value labels: the variables that share them, then each value with its label."""
    names = [at.string() for _ in range(at.number())]
    for _ in range(at.number()):
        at.string() if widths[names[0]] else at.word()
        at.string()
