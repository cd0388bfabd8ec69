"""Files that people open in a spreadsheet program: a cell that begins like a formula is written so that no program runs it.

Every CSV and XLSX that the workbook writes for people goes through here. Raw files are others' bytes and are never changed.
"""

import re
from pathlib import Path

# What Excel, LibreOffice and Google Sheets take for a formula at the start of a cell: = + - @, their full-width forms (Japanese editions),
# tab, the two line ends and NUL; also behind blanks or quotes, which they drop. A cell can be made to begin in the middle of a text: where the
# program splits at semicolons or tabs, as in most of Europe, quotes that begin behind a comma protect neither these nor line breaks.
# Sources: OWASP, "CSV Injection" (characters, separators and quotes, the apostrophe); OWASP ASVS 5.0, 1.2.10 (NUL); CWE-1236.
_MARK = "[=+\\-@＝＋－＠]"
_START = re.compile(f"\\A[\t\r\n\0]|\\A[\\s\"'\u200b\ufeff]*{_MARK}")
_INNER = re.compile(f"([;\t\r\n][\\s\"\u200b\ufeff]*)(?={_MARK})")
_NUMBER = re.compile(r"\A[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]{1,3})?( ?%)?\Z")  # a signed number is no formula, and an apostrophe would make it text
_DONE = re.compile(f"\\A'(?=[\t\r\n\0]|[\\s\"'\u200b\ufeff]*{_MARK})")
_DONE_INNER = re.compile(f"([;\t\r\n][\\s\"\u200b\ufeff]*)'(?={_MARK})")
_SIGNED = re.compile(r"\A[+-][0-9]")  # '+1.8 to +12.5': an apostrophe, but nothing to tell a reader of
LONGEST = 32_767  # characters in a cell of XLSX


def safe(text: str) -> str:
    """Return a text as a cell that no spreadsheet program runs: an apostrophe stands before whatever begins a formula. Signed numbers stay."""
    if _NUMBER.match(text):
        return text
    text = _INNER.sub(r"\1'", text)
    return f"'{text}" if _START.match(text) else text


def plain(text: str) -> str:
    """Return the text that `safe` was given: what reads such a file back takes the apostrophes away."""
    return _DONE_INNER.sub(r"\1", _DONE.sub("", text))


def escaped(frame):
    """Return (the frame with safe text cells and column names, how many were changed beside those that begin with a signed number); numbers, dates and flags are not looked at."""
    import pandas as pd

    changed, written, columns = 0, False, {}
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
            codes, words = pd.factorize(column)
            cells = [safe(word) if isinstance(word, str) else word for word in words]
            touched = [cell is not word and cell != word for cell, word in zip(cells, words, strict=True)]
            if any(touched):
                counts = pd.Series(codes).value_counts()
                changed += sum(int(counts.get(at, 0)) for at, one in enumerate(touched) if one and not _SIGNED.match(words[at]))
                written = True
                column = pd.Series([cells[code] if code >= 0 else None for code in codes], index=frame.index, dtype=object)
        columns[place] = column
    names = [safe(name) if isinstance(name, str) else name for name in frame.columns]
    changed += sum(one is not name and one != name for one, name in zip(names, frame.columns, strict=True))
    if not (changed or written):
        return frame, 0
    found = pd.DataFrame(columns, index=frame.index)
    found.columns = pd.Index(names, name=frame.columns.name)
    return found, changed


def csv(frame, path: Path) -> int:
    """Write a frame as CSV (UTF-8, one header row, \\n) and return how many cells carry an apostrophe against being run."""
    found, changed = escaped(frame)
    found.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return changed


def workbook(sheets: dict, path: Path, *, widths: dict | None = None, notes: dict | None = None, marked: dict | None = None, frozen: dict | None = None, choices: dict | None = None) -> None:
    """Write frames as the sheets of an XLSX file, text typed as text, so that no cell is a formula or a link; the same frames give the same bytes.

    Numbers and flags stay what they are, days become text in ISO form, a text is cut at the 32,767 characters that a cell holds, and an empty one
    is no cell. By column name: `widths` in characters and `notes`, told where the pointer rests on the heading, and `choices`, the words that a cell offers. By sheet: `marked`, one flag a row
    for those that should catch the eye, and `frozen`, how many columns stay in sight (the headings always do).
    """
    import datetime as dt

    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        head = book.add_format({"bold": True, "bottom": 1})
        looks = {flag: book.add_format({"num_format": "@", "valign": "top", **({"bg_color": "#FFF2CC"} if flag else {})}) for flag in (False, True)}
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, (frozen or {}).get(name, 0))
            lit = (marked or {}).get(name, [False] * len(frame))
            for place, column in enumerate(frame.columns):
                if column in (widths or {}):
                    sheet.set_column(place, place, widths[column])
                sheet.write_string(0, place, str(column)[:LONGEST], head)
                if column in (notes or {}):
                    sheet.write_comment(0, place, notes[column], {"author": ""})
                if column in (choices or {}) and len(frame):
                    sheet.data_validation(1, place, len(frame), place, {"validate": "list", "source": choices[column], "error_type": "warning"})
                for row, (value, flag) in enumerate(zip(frame.iloc[:, place].tolist(), lit, strict=True), start=1):
                    _cell(sheet, row, place, value, looks[bool(flag)])


def _cell(sheet, row: int, place: int, value, look) -> None:
    import pandas as pd

    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif value is None or value is pd.NaT or value == "" or (isinstance(value, float) and value != value):
        return
    elif isinstance(value, int | float) and abs(value) < 2**53:
        sheet.write_number(row, place, value)
    else:
        sheet.write_string(row, place, str(value)[:LONGEST], look)


def told(count: int, name: str) -> str:
    """Return the sentence that says what was done to a file; empty where nothing was."""
    return f"In {name}, an apostrophe stands before {'the one cell that begins' if count == 1 else f'each of the {count:,} cells that begin'} like a formula, so that no spreadsheet program runs {'it' if count == 1 else 'them'}." if count else ""
