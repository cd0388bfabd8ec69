"""CSV and TSV files, also gzipped: quoting, encodings, ragged rows, and a header that may take several rows."""

import csv
import io
import re
from pathlib import Path

import numpy as np

from cxlib.errors import DataError
from cxlib.load.readers import files, headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")
_SEPARATOR = re.compile(r"\Asep=(.)\Z", re.I)  # the line by which spreadsheets name the separator
DELIMITERS = ",;\t|"
HEAD = headers.LOOKED + 1  # rows looked at for the header, below a line that names the separator
BLOCKS = (2**22, 2**26, 2**30)  # a record must fit into a block: four megabytes do, but for very long verbatims
csv.field_size_limit(2**30)  # a verbatim of a megabyte is legitimate


def read(path: Path, reading: Reading) -> Raw:
    """Return a text file as Raw. Raises DataError with row and line for what cannot be read one way only."""
    content, encoding, notes = _decoded(files.content(path), path, reading.encoding)
    head, delimiter, skipped = _head(content, path, reading)
    header = headers.read(head, path.name, reading.header)
    _quoting(content, path, delimiter)
    first = header.rows + skipped + 1
    table = _parsed(content, path, delimiter, header, skipped)
    facts = {"first_row": first, "encoding": encoding, "wording": header.wording, "zones": header.zones, "notes": (*notes, *header.notes)}
    return raw.table(table, blank=False, **facts, sets=headers.sets(header, lambda name: table.column(name).unique()[:3].to_pylist()))


def decoded(content: bytes, path: Path, encoding: str) -> tuple[bytes, str, tuple]:
    """Return (UTF-8 bytes without mark, encoding, notes): the declared one, else utf-8, utf-16 with a mark, then cp1252; never a mixture."""
    if encoding and encoding.lower() not in ("utf-8", "utf8", "utf-8-sig"):
        try:
            text, replaced = raw.sound(content.decode(encoding))
            return text.removeprefix("\ufeff").encode(), encoding, surrogates(replaced)
        except LookupError:
            raise DataError(f"{path.name}: '{encoding}' is not a known encoding; correct 'encoding' in programme.toml.") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{path.name}: {_place(content, error.start)} is not {encoding}; correct 'encoding' in programme.toml.") from None
    for mark, wide in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(wide).encode(), wide, ()
            except UnicodeDecodeError as error:
                raise DataError(f"{path.name}: byte {error.start} breaks the {wide} text ({error.reason}); the file is damaged: export it again.") from None
    if len(content) > 3 and content[:400].count(0) * 3 > len(content[:400]):
        raise DataError(f"{path.name}: the file looks like UTF-16 without its mark; name encoding = \"utf-16-le\" (or \"utf-16-be\") in programme.toml.")
    plain = content.removeprefix(b"\xef\xbb\xbf")
    try:
        plain.decode("utf-8")
        return plain, "utf-8", ()
    except UnicodeDecodeError as error:
        start = error.start + len(content) - len(plain)
    if _SURROGATE.search(content):
        try:
            text, replaced = raw.sound(plain.decode("utf-8", "surrogatepass"))
            return text.encode(), "utf-8", surrogates(replaced)
        except UnicodeDecodeError:
            pass
    if encoding:
        raise DataError(f"{path.name}: {_place(content, start)} is not {encoding}; correct 'encoding' in programme.toml.")
    if _MULTIBYTE.search(content):
        raise DataError(
            f"{path.name}: {_place(content, start)} is not UTF-8 though other parts are: the encodings are mixed; "
            "export the file again or name 'encoding' in programme.toml."
        )
    try:
        return content.decode("cp1252").encode(), "cp1252", ()
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: {_place(content, error.start)} is no letter in UTF-8 nor in cp1252; name 'encoding' in programme.toml.") from None


def _decoded(buffer, path: Path, encoding: str):
    """The same for an Arrow buffer, without a copy where the file is UTF-8 already."""
    if not encoding or encoding.lower() in ("utf-8", "utf8", "utf-8-sig"):
        view = memoryview(buffer)
        if bytes(view[:2]) not in (b"\xff\xfe", b"\xfe\xff") and bytes(view[:400]).count(0) == 0 and _utf8(view):
            return buffer.slice(3) if bytes(view[:3]) == b"\xef\xbb\xbf" else buffer, "utf-8", ()
    import pyarrow as pa

    content, encoding, notes = decoded(buffer.to_pybytes(), path, encoding)
    return pa.py_buffer(content), encoding, notes


def _utf8(view) -> bool:
    """Return whether bytes are UTF-8, piece by piece so that no second copy of a large file is made."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(view), 2**22):
            piece = bytes(view[start : start + 2**22])
            if not piece.isascii() or decoder.getstate()[0]:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def surrogates(replaced: int) -> tuple:
    return (f"{replaced:,} halves of characters (lone surrogates) stand as the replacement mark.",) if replaced else ()


def _place(content: bytes, offset: int) -> str:
    return f"line {content[:offset].count(10) + 1}, byte {offset}"


def _head(content, path: Path, reading: Reading) -> tuple[list, str, int]:
    """Return the first rows, the separator that cuts them into most cells of one number, and how many lines stand above."""
    text, skipped = _text(content), 0
    first = text.split("\n", 1)[0].strip()
    delimiter = reading.delimiter
    if found := _SEPARATOR.match(first):
        delimiter, skipped = delimiter or found[1], 1
    rows = {}
    for one in [delimiter] if delimiter else DELIMITERS:
        try:
            rows[one] = [row for _, row in zip(range(HEAD), csv.reader(io.StringIO(text, newline=""), delimiter=one), strict=False)][skipped:]
        except (csv.Error, TypeError) as error:
            raise DataError(f"{path.name}: the header cannot be read ({error}); correct 'delimiter' in programme.toml.") from None
    best = max(rows, key=lambda one: (len(rows[one][0]) if rows[one] else 0, -len({len(row) for row in rows[one]})))
    if rows[best] and len(rows[best][0]) == 1:  # a title alone says nothing of the separator: the row that looks like a header does
        best = next((one for one in rows if len(rows[one]) > 2 and headers.elsewhere(rows[one])), best)
    return rows[best][: headers.LOOKED], best, skipped


def _text(content, most: int = 2**22) -> str:
    piece = bytes(memoryview(content)[:most])
    return piece.decode("utf-8", errors="ignore" if len(piece) == most else "strict")


def _quoting(content, path: Path, delimiter: str) -> None:
    """Raise DataError where a quoted cell does not end as one: rows behind it would be swallowed in silence.

    In a file quoted by the rule (RFC 4180) every second quote closes, and a separator, a line's end or another quote follows.
    Only a file that breaks the rule somewhere is read again slowly, to tell harmless marks (5" in a bare cell) from harm.
    """
    view = np.frombuffer(content, np.uint8)
    ends, starts = np.zeros(256, bool), np.zeros(256, bool)
    ends[[ord(delimiter), 10, 13, 34]] = starts[[ord(delimiter), 10, 13, 34]] = True
    seen = 0
    for start in range(0, len(view), 2**24):
        places = np.flatnonzero(view[start : start + 2**24] == 34) + start
        opening, closing = (places[seen % 2 :: 2], places[(seen + 1) % 2 :: 2])
        seen += len(places)
        if not (starts[view[opening[opening > 0] - 1]].all() and ends[view[closing[closing < len(view) - 1] + 1]].all()):
            return _slowly(content, path, delimiter)
    return _slowly(content, path, delimiter) if seen % 2 else None


def _slowly(content, path: Path, delimiter: str) -> None:
    reader, row, line = csv.reader(io.StringIO(bytes(content).decode(), newline=""), delimiter=delimiter, strict=True), 1, 1
    try:
        for _ in reader:
            row, line = row + 1, reader.line_num + 1
    except csv.Error as error:
        what = "is never closed" if "unexpected end" in str(error) else "is followed by text instead of a separator"
        raise DataError(f"{path.name}: row {row} (line {line}): a quoted cell {what}; close it, and write a quote inside a cell twice.") from None


def _parsed(content, path: Path, delimiter: str, header: headers.Header, skipped: int):
    """Return the rows below the header as an Arrow table of text; rows of another length are refused with row and line."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names, quoted, bad = header.names, bool((np.frombuffer(content, np.uint8) == 34).any()), []
    if len(content) < BLOCKS[0] and bytes(memoryview(content)[-1:]) not in (b"\n", b"\r"):
        content = pa.py_buffer(content.to_pybytes() + b"\n")  # a header alone without its line's end is no record to Arrow

    def note(one):
        bad.append(one.number)
        return "skip" if len(bad) < 3 else "error"

    for block in BLOCKS:
        bad.clear()
        try:
            table = arrow.read_csv(
                pa.BufferReader(content),
                read_options=arrow.ReadOptions(column_names=names, skip_rows_after_names=header.rows + skipped, use_threads=False, block_size=block),
                parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values=quoted, ignore_empty_lines=False, invalid_row_handler=note),
                convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, check_utf8=False),
            )
            break
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):  # a header and nothing below it
                return pa.table({name: pa.array([], pa.large_string()) for name in names})
            if bad:
                break
            if "straddling" not in str(error) or block == BLOCKS[-1]:
                raise DataError(f"{path.name}: the file cannot be read as text ({str(error).splitlines()[0]}).") from None
    if bad:
        raise _ragged(content, path, delimiter, len(names))
    return table


def _ragged(content, path: Path, delimiter: str, width: int) -> DataError:
    """Return the sentence for the first rows that have more or fewer cells than the header."""
    reader, found, line = csv.reader(io.StringIO(bytes(content).decode(), newline=""), delimiter=delimiter), [], 1
    for row, cells in enumerate(reader, start=1):
        if cells and len(cells) != width and not (row == 1 and len(cells) == 1):
            found.append(f"row {row}{f' (line {line})' if line != row else ''} has {len(cells)} cells")
        line = reader.line_num + 1
        if len(found) == 3:
            break
    return DataError(f"{path.name}: {' and '.join(found[:1])} where the header has {width}{'; so have ' + ', '.join(found[1:]) if found[1:] else ''}; mend the row, or quote cells that hold the separator '{delimiter}'.")
