"""Raw files as text: every cell a string exactly as it stands, so that nothing is guessed before the contract speaks."""

import csv
import gzip
import io
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cxlib.errors import DataError
from cxlib.programme import Reading

_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Raw(NamedTuple):
    """A file as it came: its cells as text, the file row of each line of the frame, the encoding, and the wording of columns."""

    frame: pd.DataFrame
    first_row: int
    encoding: str
    wording: dict


def read(path: Path, reading: Reading) -> Raw:
    """Return a CSV, TSV, XLSX or Parquet file (text files also gzipped) as text cells.

    The frame has one string column a header; empty cells are "". `first_row` is the row of the file, counted from 1, in which
    the frame's first line stands. Qualtrics exports with three header rows are known by the ImportId row. Raises DataError for
    a file that is missing, empty, cut off, of unknown form, of mixed encoding, or whose rows do not match its header.
    """
    if not path.is_file():
        raise DataError(f"{path.name}: there is no such file in {path.parent}; put it there or correct 'file' in programme.toml.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty; export it again.")
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".csv", ".tsv", ".txt")):
        return _text(path, reading)
    if name.endswith(".xlsx"):
        return _workbook(path, reading)
    if name.endswith(".parquet"):
        return _parquet(path)
    raise DataError(f"{path.name}: files of this kind are not read; export it as CSV, XLSX or Parquet.")


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(f"{path.name}: the compressed file is damaged ({error}); fetch it again.") from None


def _decode(content: bytes, path: Path, encoding: str) -> tuple[str, str]:
    """Return (text, encoding): the declared one, or utf-8, utf-16 with a mark, then cp1252; never a mixture in silence."""
    if encoding:
        try:
            return content.decode(encoding), encoding
        except LookupError:
            raise DataError(f"{path.name}: '{encoding}' is not a known encoding; correct 'encoding' in programme.toml.") from None
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise DataError(f"{path.name}: line {line}, byte {error.start} is not {encoding}; correct 'encoding' in programme.toml.") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="strict"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        if _MULTIBYTE.search(content):
            line = content[: error.start].count(b"\n") + 1
            raise DataError(
                f"{path.name}: line {line}, byte {error.start} is not UTF-8 though other parts are: the encodings are mixed; "
                "export the file again or name 'encoding' in programme.toml."
            ) from None
    return content.decode("cp1252", errors="replace"), "cp1252"


def _text(path: Path, reading: Reading) -> Raw:
    import pyarrow as pa
    from pyarrow import csv as arrow

    text, encoding = _decode(_bytes(path), path, reading.encoding)
    first_line = text[: text.find("\n") if "\n" in text else len(text)]
    delimiter = reading.delimiter or max(",;\t|", key=first_line.count)
    try:
        head = [row for _, row in zip(range(3), csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), strict=False)]
    except csv.Error as error:
        raise DataError(f"{path.name}: the header cannot be read ({error}).") from None
    names = _names(head[0] if head else [], path)
    qualtrics = len(head) > 2 and any(cell.lstrip().startswith('{"ImportId"') for cell in head[2])
    skip = 3 if qualtrics else 1
    wording = dict(zip(names, head[1], strict=False)) if qualtrics else {}
    if len(head) < 2:
        return Raw(_empty(names), skip + 1, encoding, wording)
    try:
        table = arrow.read_csv(
            pa.py_buffer(text.encode("utf-8", errors="surrogatepass")),
            read_options=arrow.ReadOptions(column_names=names, skip_rows_after_names=skip, use_threads=False),
            parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # a header and nothing below it
            return Raw(_empty(names), skip + 1, encoding, wording)
        found = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
        if found:
            row, expected, got = map(int, found.groups())
            raise DataError(f"{path.name}: row {row} has {got} cells where the header has {expected}; mend the row, or quote cells that hold the separator '{delimiter}'.") from None
        raise DataError(f"{path.name}: the file cannot be read as text ({str(error).splitlines()[0]}).") from None
    return Raw(pd.DataFrame({name: _typed(table.column(name)) for name in names}, dtype=object), skip + 1, encoding, wording)


def _empty(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in names})


def _names(cells: list, path: Path) -> list[str]:
    names = [str(cell).strip().lstrip("\ufeff") for cell in cells]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise DataError(f"{path.name}: row 1 names the column '{twice[0]}' twice; rename one of them.")
    if not any(names):
        raise DataError(f"{path.name}: row 1 is empty; it must hold the column names.")
    return [name or f"column {place}" for place, name in enumerate(names, start=1)]


def _workbook(path: Path, reading: Reading) -> Raw:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheet = reading.sheet or book.sheet_names[0]
        if sheet not in book.sheet_names:
            raise DataError(f"{path.name}: there is no sheet '{sheet}'; the file has {', '.join(book.sheet_names)}.")
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise DataError(f"{path.name}: the workbook cannot be read ({error}); save it again as XLSX.") from None
    if not rows:
        raise DataError(f"{path.name}: the sheet '{sheet}' is empty.")
    cells = [[_cell(value) for value in row] for row in rows]
    qualtrics = len(cells) > 2 and any(cell.startswith('{"ImportId"') for cell in cells[2])
    skip = 3 if qualtrics else 1
    names = _names(cells[0], path)
    frame = pd.DataFrame(cells[skip:], columns=names, dtype=object)
    return Raw(frame, skip + 1, "xlsx", dict(zip(names, cells[1], strict=False)) if qualtrics else {})


def _cell(value) -> str:
    """Return a typed cell as the text a person would have typed: 5.0 as 5, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
    return str(value)


def _parquet(path: Path) -> Raw:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name}: not a readable Parquet file ({str(error).splitlines()[0]}); export it again.") from None
    _names(table.column_names, path)
    columns = {name: _typed(table.column(name)) for name in table.column_names}
    return Raw(pd.DataFrame(columns, dtype=object), 1, "parquet", {})


def _typed(column) -> list:
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [value if value is not None else "" for value in column.to_pylist()]
    codes = column.combine_chunks().dictionary_encode() if not pa.types.is_dictionary(column.type) else column.combine_chunks()
    words = [_cell(value) for value in codes.dictionary.to_pylist()]
    return [words[code] if code is not None else "" for code in codes.indices.to_pylist()]
