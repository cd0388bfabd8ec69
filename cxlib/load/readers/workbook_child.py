"""A workbook's sheet as CSV on standard output; run by confined.py in a process of its own."""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # behind the standard library: names here are ours only
import cells_child
import confined_child as child
import python_calamine

HEAD = 8  # rows in which a header is looked for


def text(value) -> str:
    """Return a typed cell as the text a person would have typed: 5.0 as 5, dates in ISO form, durations as hours."""
    kind = type(value)
    if kind is bool:
        return "TRUE" if value else "FALSE"
    if kind is float:
        return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else repr(value)
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
    if hasattr(value, "total_seconds"):
        seconds = value.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{seconds % 60:02.0f}"
    return str(value)


def read(path: str, options: dict) -> None:
    book = python_calamine.CalamineWorkbook.from_path(path)
    names = [one.name for one in book.sheets_metadata if one.typ == python_calamine.SheetTypeEnum.WorkSheet]
    visible = [one.name for one in book.sheets_metadata if one.name in names and one.visible == python_calamine.SheetVisibleEnum.Visible]
    sheet = options["sheet"] or (visible or names or [""])[0]
    if sheet not in names:
        raise child.Fault(f"there is no sheet '{sheet}'; the file has {', '.join(names)}.")
    page, marks = book.get_sheet_by_name(sheet), cells_child.marks(path, sheet)
    facts = {"sheet": sheet, "sheets": names, "visible": visible, "merged": (page.merged_cell_ranges or [])[:1000], "left": (page.start or (0, 0))[1], "blind": marks is None, **cells_child.facts(marks)}
    marks, left = marks or {}, (page.start or (0, 0))[1]  # empty columns at the left are left out of the rows
    known: dict = {}  # text of a number seen before; flags are told apart from 1 and 0 by their type

    def cells(number: int, row) -> list:
        found = []
        for value in row:
            if type(value) is float:
                if (word := known.get(value)) is None:
                    word = known[value] = text(value)
                    if len(known) > 200_000:
                        known.clear()
                found.append(word)
            else:
                found.append(value if type(value) is str else text(value))
        for column, word in (marks.get(number) or {}).items():
            if (place := column - left) > 0:
                found += [""] * (place - len(found))
                found[place - 1] = word
        return found

    width, out, pending, told = 0, child.writer(), [], False

    def tell() -> None:
        child.tell({**facts, "head": [one for _, one in pending], "lines": [line for line, _ in pending], "first": pending[0][0], "width": width})
        out.writerows([line, *one, *[""] * (width - len(one))] for line, one in pending)

    for number, row in enumerate(page.iter_rows(), start=1):
        if number not in marks and not any(value != "" for value in row):
            continue
        found = cells(number, row)
        if not told:
            while found and found[-1] == "":
                found.pop()
            width = max(width, len(found))
            pending.append((number, found))
            if len(pending) == HEAD:
                tell()
                told = True
            continue
        if len(found) != width:
            if any(found[width:]):
                place = next(place for place, word in enumerate(found, start=1) if place > width and word)
                raise child.Fault(f"row {number} has a value in column {place} where the header has {width} columns; mend the row, or name the column.")
            found = [*found[:width], *[""] * (width - len(found))]
        out.writerow([number, *found])
    if not pending:
        raise child.Fault(f"the sheet '{sheet}' is empty; name the one that holds the answers as 'sheet' in programme.toml.")
    if not told:
        tell()


if __name__ == "__main__":
    child.main(read)
