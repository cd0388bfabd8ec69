"""The columns of a file by their type: items of a questionnaire, fields of a table, amounts of money, each read under the file's locale."""

from typing import NamedTuple

from cxlib import schema
from cxlib.load import amounts, answers, readers
from cxlib.programme import Programme, Reading

OFTEN = ("survey", "wave", "quarter", "channel", "brand", "country", "language", "team", "item")  # columns of answers and comments with few words, which are kept as categories


class Reader(NamedTuple):
    """A file with its locale, so that a number that can be read in two ways is refused with its row and column."""

    reading: Reading
    raw: readers.Raw
    programme: Programme
    told: object = None  # column -> how its amounts are written, in the whole file

    def _try(self, column: str, read):
        cells = self.raw.frame[column]
        try:
            return read(cells)
        except ValueError as error:
            raise answers.ambiguous(self.reading.named, column, cells, self.raw, *error.args) from None

    def amount(self, column: str, *, missing: dict | None = None, item: str = ""):
        return self._try(column, lambda cells: amounts.column(cells, reading=self.reading, told=lambda: self.told(column), missing=missing, item=item))

    def item(self, item, column: str):
        if item.kind == "number":
            return self.amount(column, missing=item.missing, item=self.programme.currency)
        return self._try(column, lambda cells: answers.column(cells, item=item, programme=self.programme, reading=self.reading))

    def field(self, name: str, column: str):
        kind = next(one.type for one in schema.TABLES["responses"] if one.name == name)
        return self._try(column, lambda cells: answers.numbers(cells, reading=self.reading, above=0)) if name == "weight" else self.typed(column, kind, few=name in OFTEN)

    def typed(self, column: str, kind: str, labels: dict | None = None, *, few: bool = False):
        if kind in ("date", "moment"):
            return self._try(column, lambda cells: answers.moments(cells, reading=self.reading, zone=self.programme.timezone, told=self.raw.zones.get(column, "")))
        if kind == "flag":
            return self._try(column, lambda cells: answers.flags(cells, reading=self.reading))
        if kind in ("number", "whole"):
            return self._try(column, lambda cells: answers.numbers(cells, reading=self.reading))
        return self._try(column, lambda cells: answers.words(cells.astype(readers.raw.TEXT).replace(labels) if labels else cells, few=few))
