"""The codebook as a workbook: a sheet for the columns, the files, the surveys, the scales and the programme; written, read back, checked."""

from pathlib import Path
from typing import get_args

import pandas as pd

from cxlib import schema, spreadsheets
from cxlib.errors import DataError, nearest
from cxlib.load.draft import book as books
from cxlib.load.draft.book import SHEETS, Book
from cxlib.load.published import UNITS
from cxlib.programme import PUBLISHED, Definition
from cxlib.questionnaire import RESPONSE_FIELDS, Identifier

NAME = "codebook.xlsx"
MOST = 32_000  # characters of a cell; a workbook holds 32,767
ENTRIES = ("labels", "missing", "where", "joins", "fixed")  # cells of `code = meaning` lines, which quote what needs it themselves
ITEMS = ("rating", "nominal", "number", "verbatim")
IDENTIFIERS = get_args(Identifier)
WIDTH = {"file": 24, "column": 28, "wording": 40, "examples": 28, "why": 60, "labels": 28, "missing": 24, "id": 20, "label": 24, "role": 14, "value": 30, "where": 20, "joins": 24}
EXPLAINED = {
    "use": "yes: the column is read", "role": "rating, nominal, number, verbatim; a field such as response_id, person_id, answered_on, weight, channel; a column of the file's table; or what rows without the customer's key are matched by: email, phone, last_name, born",
    "id": "the item's name; one id in two files makes them one item over the waves", "scale": "a scale of the sheet scales; of published figures their unit: percent, share, points, scale", "direction": "low_is_good where it departs from the scale",
    "question": "of comments: why, improve, praise, comment", "missing": "a line a code that is no answer: 99 = don't know", "labels": "a line a code: 1 = yes", "kpi": "the definition of a key figure, e.g. nps_0_10, csat_top2_of_5",
    "driver": "yes: may explain the key figures", "segment": "yes: pages may show results by it", "sure": "no: look at this first", "table": "responses, or another table; empty: the file is not read", "where": "column = value that picks the wave's rows", "joins": "file = key whose columns are added", "header_row": "the row of the column names, where a title stands above them",
}  # fmt: skip


def write(path: Path, book: Book) -> None:
    """Write a book as a workbook, the same bytes each time; text stays text, whatever it begins with."""
    sheets = {name: pd.DataFrame({key: [cell if key in ENTRIES else books.safe(cell) for cell in getattr(book, name)[key]] for key in keys}) for name, keys in SHEETS.items()}
    unsure = {name: list(frame["sure"] == "no") for name, frame in sheets.items() if "sure" in frame}
    spreadsheets.workbook(sheets, path, widths={**dict.fromkeys(dict.fromkeys(key for keys in SHEETS.values() for key in keys), 12), **WIDTH}, notes=EXPLAINED, marked=unsure, frozen={"columns": 2})


def fits(book: Book) -> list[str]:
    """Return what of a book no cell can hold, by sheet, column and row."""
    return [f"{name}, row {place + 2}, {key}" for name, keys in SHEETS.items() for key in keys for place, cell in enumerate(getattr(book, name)[key]) if len(books.safe(cell)) > MOST]


def read(path: Path) -> Book:
    """Return the book in a workbook, every cell checked. Raises DataError naming sheet, row, column, value and remedy."""
    from cxlib.load import readers
    from cxlib.programme import Reading

    found = {}
    for name, keys in SHEETS.items():
        raw = readers.read(path, Reading(sheet=name, header="one"))
        frame = raw.frame.rename(columns=str.strip)
        for key in keys:
            if key not in frame:
                raise DataError(f"{NAME}, sheet {name}: the column '{key}' is missing{nearest(key, frame.columns)}; put it back, empty where nothing is to be said.")
        frame = frame[list(keys)].astype(object)
        for key in keys:
            frame[key] = [str(cell).strip() if key in ENTRIES else books.unsafe(str(cell).strip(), where=f"{NAME}, sheet {name}, row {raw.row(place)}, column {key}") for place, cell in enumerate(frame[key])]
        found[name] = frame.assign(**{"#": [raw.row(place) for place in range(len(frame))]})
    _checked(found)
    return Book(**{name: frame.drop(columns="#").astype("str") for name, frame in found.items()})


def shown(folder: Path) -> Book | None:
    """Return the codebook of a folder that shows examples of cells; None where there is none, or it shows none. Raises DataError where it cannot be read."""
    path = Path(folder) / NAME
    if not path.is_file():
        return None
    try:
        book = read(path)
    except DataError as error:
        raise DataError(f"{error} It may show cells of the person who is to be forgotten: mend or delete {path}, then run the command again. Nothing was changed.") from None
    return book if (book.columns["examples"] != "").any() else None


def without_examples(folder: Path, book: Book) -> None:
    """Write a codebook anew without its examples of cells, which may be a person's who is forgotten."""
    path = Path(folder) / NAME
    temporary = path.with_name(f".{NAME}.part.xlsx")
    write(temporary, book._replace(columns=book.columns.assign(examples="")))
    temporary.replace(path)


def _checked(found: dict[str, pd.DataFrame]) -> None:
    scales, surveys = ([row.id for row in found[name].itertuples()] for name in ("scales", "surveys"))
    tables = {}
    for row in _rows(found, "files"):
        at = lambda column, row=row: f"{NAME}, sheet files, row {row['#']}, column {column}"
        books.one_of(row["table"], ("responses", "published", *(name for name in schema.TABLES if name in _SOURCES)), where=at("table"))
        for key in ("where", "joins", "fixed"):
            books.entries(row[key], where=at(key))
        if row["header_row"] and not (row["header_row"].isascii() and row["header_row"].isdigit()):
            raise DataError(f"{at('header_row')}: '{row['header_row'][:80]}' is no row of the file; write its number, e.g. 4, or leave the cell empty.")
        if row["table"] == "responses":
            books.one_of(row["survey"], surveys, where=at("survey"), empty=False)
            first, last = (books.day(row[key], where=at(key)) for key in ("first", "last"))
            if last < first:
                raise DataError(f"{at('last')}: {last} lies before the first day {first}; correct one of them.")
            if not row["wave"]:
                raise DataError(f"{at('wave')}: the wave has no name; write one such as 2026Q3.")
        tables[row["file"]] = row["table"]
    for row in _rows(found, "scales"):
        at = lambda column, row=row: f"{NAME}, sheet scales, row {row['#']}, column {column}"
        for key in ("low", "high"):
            try:
                float(row[key])
            except ValueError:
                raise DataError(f"{at(key)}: '{row[key][:80]}' is no number; write the {key}est score, e.g. {1 if key == 'low' else 5}.") from None
        for key in ("labels", "missing"):
            books.entries(row[key], where=at(key))
        books.one_of(row["direction"], ("high_is_good", "low_is_good"), where=at("direction"))
    for row in _rows(found, "columns"):
        _column(row, lambda column, row=row: f"{NAME}, sheet columns, row {row['#']}, column {column}", tables, scales)


def _column(row: dict, at, tables: dict, scales: list) -> None:
    if row["file"] not in tables:
        raise DataError(f"{at('file')}: '{row['file'][:80]}' does not stand in the sheet files{nearest(row['file'], tables)}; correct the name.")
    for key in ("use", "driver", "segment", "sure"):
        books.yes(row[key], where=at(key))
    if not books.yes(row["use"], where=at("use")) or not tables[row["file"]]:
        return
    if tables[row["file"]] == "published":
        if books.one_of(row["role"], PUBLISHED, where=at("role"), empty=False) == "estimate":
            books.one_of(row["scale"], UNITS, where=at("scale"), empty=False)
        return
    if tables[row["file"]] != "responses":
        return books.one_of(row["role"], [*(column.name for column in schema.TABLES[tables[row["file"]]]), *IDENTIFIERS], where=at("role"), empty=False) and None
    role = books.one_of(row["role"], (*ITEMS, *RESPONSE_FIELDS, *IDENTIFIERS), where=at("role"), empty=False)
    if role not in ITEMS:
        return
    if not row["id"]:
        raise DataError(f"{at('id')}: the item has no id; write a short name in lower-case letters, digits and underscores.")
    for key in ("labels", "missing"):
        books.entries(row[key], where=at(key))
    books.one_of(row["scale"], scales, where=at("scale"))
    books.one_of(row["direction"], ("high_is_good", "low_is_good"), where=at("direction"))
    books.one_of(row["question"], ("why", "improve", "praise", "comment"), where=at("question"))
    books.one_of(row["kpi"], get_args(Definition), where=at("kpi"))
    if row["kpi"] and role != "rating":
        raise DataError(f"{at('kpi')}: a key figure is made from a rating, and '{row['id']}' is a {role}; make it a rating with a scale, or empty the cell.")


def _rows(found: dict, name: str) -> list[dict]:
    return found[name].to_dict("records")


_SOURCES = ("accounts", "people", "invitations", "interactions", "events", "orders", "offers", "actions", "sales", "staff")
__all__ = ["NAME", "fits", "read", "shown", "without_examples", "write"]
