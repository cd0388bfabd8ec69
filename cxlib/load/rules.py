"""The rules of the contract that cells break, by column, and what would mend each."""

import re

import numpy as np

from cxlib.load import readers
from cxlib.questionnaire import ROW

_TWICE = re.compile(r" \(column [0-9]+\)$")  # what the reader puts behind a name that stands twice
SUGGESTIONS = (
    ("an error of the spreadsheet", "mend the formula and save the values, or leave the cell empty"),
    ("not on the scale", "correct the score, or declare the code under 'missing' if it is none"),
    ("not a whole number", "correct the score; half points were not offered"),
    ("not a number", "type the number in plain digits, or leave the cell empty"),
    ("no currency", "write it by its three letters, e.g. EUR, or leave the cell empty where it is the programme's own"),
    ("not an amount", "write the amount as the others of its column, or leave the cell empty"),
    ("in which amounts are counted", "convert the amount, or give the rows their currency (a column or a fixed value of orders, sales and actions) and its rate under [[rates]]"),
    ("the header once more", "delete the row"),
    ("a row of totals", "delete the row"),
    ("a spreadsheet has rounded", "export the file again with this column as text: the digits that are missing stand nowhere in it"),
    ("not a declared code", "correct the code, or declare it under 'labels' or 'missing'"),
    ("not a date", "correct the date, or declare 'date_format'"),
    ("outside the wave", "put the row into the wave of its day, or correct the date"),
    ("the same id", "keep the row that is right and delete the others"),
    ("no id", "give the row its id"),
    ("not above 0", "a weight is a positive number: correct it, or leave the wave unweighted"),
    ("no weight", "give the row its weight, or leave the whole wave unweighted"),
)


def suggestion(rule: str) -> str:
    """Return what would mend a cell that breaks a rule."""
    return next((text for start, text in SUGGESTIONS if start in rule), "correct the cell, or leave it empty")


class Rules(dict):
    """The rules that cells break, by column: "" where a cell fits, and no entry where all do."""

    def __init__(self, parsed: dict):
        super().__init__({name: one.rule.copy() for name, one in parsed.items() if one.rule is not None})

    def put(self, name: str, where: np.ndarray, rule: str) -> None:
        if where.any():
            self.setdefault(name, np.full(len(where), "", dtype=object))[where] = rule

    def join(self, name: str, rule: np.ndarray) -> None:
        """Add the rules that cells break, each in its own words."""
        for words in set(rule) - {""}:
            self.put(name, rule == words, words)

    def header(self, raw: readers.Raw, columns: dict) -> None:
        """Add the rule that rows break which repeat the header, as printed pages do, in place of all others that they break."""
        own = {name: column for name, column in columns.items() if column in raw.frame and column != ROW}
        again = np.ones(len(raw.frame), dtype=bool)
        for column in own.values():
            again &= (raw.frame[column] == _TWICE.sub("", column)).to_numpy(dtype=bool)
            if not again.any():
                return
        if len(own) > 1:
            for rule in self.values():
                rule[again] = ""
            self.put(next(iter(own)), again, "the header once more, and no row")

    def broken(self, rows: int) -> np.ndarray:
        bad = np.zeros(rows, dtype=bool)
        for rule in self.values():
            bad |= rule != ""
        return bad
