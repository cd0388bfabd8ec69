"""How a file is written, found from its cells: separator, decimal and thousands marks, and the order of day and month."""

import datetime as dt
import re

from cxlib.load import amounts, answers
from cxlib.load.readers import text

DATES = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f", "T%H:%M:%S")
NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%d.%m.%Y, %H:%M", "%Y%m%d", "%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S %z", "%Y年%m月%d日", "%Y年%m月%d日 %H:%M")
_LOOKS = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th) [A-Z]|[0-9]{1,4}[./ -][0-9A-Za-z]{1,9}[./, -]+[0-9]{1,4}|[0-9]{4}年|[A-Z][a-z]{2,8},? [A-Z]?[a-z]*,? ?[0-9]{1,2}|[0-9]{8}\Z")
_COMMA = re.compile(r"[+-]?[0-9]+(?:[. '\u00a0\u202f][0-9]{3})*,[0-9]+")
_MIXED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})*\.[0-9]+|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
_NUMERIC = re.compile(r"[+-]?[0-9][0-9.,' \u00a0\u202f]*")


def separator(path, encoding: str, names: list[str], *, row: int | None = None) -> str:
    """Return the separator of a text file by which its header, in the first row or `row`, splits into its columns; "" where several or none do."""
    if not path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv", ".txt", ".tab")):
        return ""
    from cxlib.load.readers import encodings

    content = encodings.opened(path, "" if encoding in ("utf-8", "utf-16", "utf-32", "cp1252") else encoding)[0].stream().read(65_536).decode("utf-8", "ignore")
    first = next((line for line in content.lstrip("\ufeff").splitlines()[(row or 1) - 1 :] if line.strip() and not re.match(r"(?i)sep=", line)), "")
    fits = [one for one in text.DELIMITERS if first.count(one) and first.count(one) >= len(names) - 1]
    return fits[0] if len(fits) == 1 and fits[0] != "," else ""


def numbers(cells: list[str]) -> tuple[str, str, str]:
    """Return (decimal mark, thousands mark, doubt) of the cells of number columns; marks that need no word are "".

    A comma before other than three digits marks decimals; a comma in front of a point, or twice, marks thousands. Where every comma
    stands before three digits either could be meant unless the other cells tell (`amounts.notation`), and `doubt` holds the first such cell.
    """
    written, cells = cells, [found for cell in cells if (found := figures(cell))]
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return "", "", ""
    if any(_MIXED.fullmatch(cell) for cell in commas):
        return ".", ",", ""
    decimal = [cell for cell in commas if _COMMA.fullmatch(cell) and (len(cell.split(",")[1]) != 3 or re.match(r"[+-]?0", cell))]
    if decimal:
        mark = next((one for one in (".", "'", " ") if any(re.search(rf"[0-9]{re.escape(one)}[0-9]{{3}}(?=[,.' ]|$)", cell) for cell in cells)), "")
        return ",", mark, ""
    if amounts.notation(written).decimal == ".":
        return ".", ",", ""
    return "", "", commas[0]


def figures(cell: str) -> str:
    """Return the figures of a number in some country's writing, or of an amount of money; "" where a cell is neither."""
    if numeric(cell):
        return cell
    return one.figures if (one := amounts.split(cell)) else ""


def numeric(cell: str) -> bool:
    """Return whether a cell is a number in some country's writing."""
    return bool(_NUMERIC.fullmatch(cell))


def dates(cells: list[str]) -> tuple[str, float, str]:
    """Return (format, share that it reads, doubt) of date cells: "" is ISO form; `doubt` names a second reading that fits as well.

    Day and month are told apart by cells above 12; with points the day comes first, as everywhere where points are written.
    """
    cells = [cell.strip() for cell in cells if cell.strip()]
    if not cells:
        return "", 0.0, ""
    few = [*cells[:3], *cells[-3:]]
    if sum(bool(_LOOKS.match(cell)) for cell in few) < len(few) / 2:  # most columns hold no dates, and reading costs
        return "", 0.0, ""
    best = ("", _share(cells, ""))
    if best[1] >= 0.99:
        return *best, ""
    found = [best]
    marks = [mark for mark in "./-" if any(mark in cell[:6] for cell in few)]
    times = [time for time in TIMES if any(cell.count(":") == time.count(":") for cell in few)]
    for form in (*(one.format(mark) + time for mark in marks for one in DATES for time in times), *NAMED):
        if _share(few, form) > 0 and (share := _share(cells, form)) > 0:
            found.append((form, share))
    found.sort(key=lambda one: -one[1])
    best = found[0]
    rivals = [form for form, share in found[1:] if share >= best[1] - 0.005 and share > 0.5 and form != best[0]]
    if rivals and "." in best[0][:3]:
        return next(form for form, share in found if share >= best[1] - 0.005 and form.startswith("%d")), best[1], ""
    return (*best, rivals[0] if rivals else "")


def read(cell: str, form: str) -> dt.datetime | None:
    """Return a cell as a date under a format, None where it is none."""
    try:
        value = dt.datetime.strptime(answers.ORDINAL.sub("", cell.strip()), form) if form else dt.datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return value if 1900 <= value.year <= 2200 else None


def _share(cells: list[str], form: str) -> float:
    return sum(read(cell, form) is not None for cell in cells) / len(cells)
