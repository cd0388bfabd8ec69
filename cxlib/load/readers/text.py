"""CSV and TSV files, also gzipped: quoting, encodings, ragged rows, and a header that may take several rows."""

import csv
import io
import re
from pathlib import Path

import numpy as np

from cxlib.errors import DataError
from cxlib.load.readers import codes, encodings, headers, raw, spool
from cxlib.load.readers.encodings import Content
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

_SEPARATOR = re.compile(r"\Asep=(.)\Z", re.I)  # the line by which spreadsheets name the separator
DELIMITERS = ",;\t|"
HEAD = headers.LOOKED + 1  # rows looked at for the header, below a line that names the separator
MOST = 2**22  # bytes looked at for them
BLOCKS = (2**22, 2**26, 2**30)  # a record must fit into a block: four megabytes do, but for very long verbatims
csv.field_size_limit(2**30)  # a verbatim of a megabyte is legitimate


def read(path: Path, reading: Reading) -> Raw:
    """Return a text file as Raw. Raises DataError with row and line for what cannot be read one way only."""
    import pyarrow as pa

    content, header, skipped, delimiter, facts = _opened(path, reading)
    table = pa.concat_tables(_tables(content, path, delimiter, header, skipped))
    return raw.table(table, blank=False, **facts, sets=headers.sets(header, lambda name: table.column(name).unique()[:3].to_pylist()))


def parts(path: Path, reading: Reading):
    """Return a function that yields the same in parts, each a Raw, from the start at every call; what a file needs to be whole is looked at now."""
    content, header, skipped, delimiter, facts = _opened(path, reading)
    tables = spool.Spool(codes.packed(_tables(content, path, delimiter, header, skipped)))

    def again():
        first = facts["first_row"]
        for table in tables():
            yield raw.table(table, blank=False, **facts | {"first_row": first})
            first += len(table)

    return again


def _opened(path: Path, reading: Reading):
    content, encoding, notes = encodings.opened(path, reading.encoding)
    head, delimiter, skipped = _head(content, path, reading)
    header = headers.read(head, path.name, reading.header, lines=range(skipped + 1, skipped + len(head) + 1), row=reading.header_row)
    _quoting(content, path, delimiter)
    facts = {"first_row": header.rows + skipped + 1, "encoding": encoding, "wording": header.wording, "zones": header.zones, "notes": (*notes, *header.notes)}
    return content, header, skipped, delimiter, facts


def _head(content: Content, path: Path, reading: Reading) -> tuple[list, str, int]:
    """Return the first rows, the separator that cuts them into most cells of one number, and how many lines stand above."""
    content, skipped = content._replace(end=min(content.end, content.start + MOST)), 0
    first = content.stream().readline(MOST).decode("utf-8", errors="ignore").strip()
    delimiter = reading.delimiter
    if found := _SEPARATOR.match(first):
        delimiter, skipped = delimiter or found[1], 1
    rows = {}
    for one in [delimiter] if delimiter else DELIMITERS:
        try:
            rows[one] = [row for _, row in zip(range(HEAD), _rows(content, one, cut=True), strict=False)][skipped:]
        except (csv.Error, TypeError) as error:
            raise DataError(f"{path.name}: the header cannot be read ({str(error)[:120]}); correct 'delimiter' in programme.toml.") from None
    first = (reading.header_row or skipped + 1) - skipped - 1
    best = max(rows, key=lambda one: (len(rows[one][first]) if len(rows[one]) > first >= 0 else 0, -len({len(row) for row in rows[one]})))
    if rows[best] and len(rows[best][0]) == 1:  # a title alone says nothing of the separator: the row that looks like a header does
        best = next((one for one in rows if len(rows[one]) > 2 and headers.elsewhere(rows[one])), best)
    return rows[best][: headers.LOOKED], best, skipped


def _quoting(content: Content, path: Path, delimiter: str) -> None:
    """Raise DataError where a quoted cell does not end as one: rows behind it would be swallowed in silence.

    In a file quoted by the rule (RFC 4180) every second quote closes, and a separator, a line's end or another quote follows.
    Only a file that breaks the rule somewhere is read again slowly, to tell harmless marks (5" in a bare cell) from harm.
    """
    ends, starts = np.zeros(256, bool), np.zeros(256, bool)
    ends[[ord(delimiter), 10, 13, 34]] = starts[[ord(delimiter), 10, 13, 34]] = True
    seen, before, closed = 0, 10, False  # quotes so far, the byte before this piece, whether its last byte was a closing quote
    for piece in content.pieces():
        view = np.frombuffer(piece, np.uint8)
        if closed and not ends[view[0]]:
            return _slowly(content, path, delimiter)
        places = np.flatnonzero(view == 34)
        opening, closing = (places[seen % 2 :: 2], places[(seen + 1) % 2 :: 2])
        seen += len(places)
        closed = bool(len(closing)) and closing[-1] == len(view) - 1
        fits = starts[view[opening[opening > 0] - 1]].all() and ends[view[closing[closing < len(view) - 1] + 1]].all()
        if not fits or (len(opening) and opening[0] == 0 and not starts[before]):
            return _slowly(content, path, delimiter)
        before = view[-1]
    return _slowly(content, path, delimiter) if seen % 2 else None


def _rows(content: Content, delimiter: str, *, strict: bool = False, cut: bool = False):
    text = io.TextIOWrapper(content.stream(), encoding="utf-8", errors="ignore" if cut else "strict", newline="")
    return csv.reader(text, delimiter=delimiter, strict=strict)


def _slowly(content: Content, path: Path, delimiter: str) -> None:
    reader, row, line = _rows(content, delimiter, strict=True), 1, 1
    try:
        for _ in reader:
            row, line = row + 1, reader.line_num + 1
    except csv.Error as error:
        what = "is never closed" if "unexpected end" in str(error) else "is followed by text instead of a separator"
        raise DataError(f"{path.name}: row {row} (line {line}): a quoted cell {what}; close it, and write a quote inside a cell twice.") from None


def _tables(content: Content, path: Path, delimiter: str, header: headers.Header, skipped: int):
    """Yield the rows below the header as Arrow tables of text; rows of another length are refused with row and line."""
    import pyarrow as pa

    batches = _batches(content, path, delimiter, header.names, header.rows + skipped)
    yield from raw.grouped(batches, pa.schema([(name, pa.string()) for name in header.names]))


def _batches(content: Content, path: Path, delimiter: str, names: list[str], above: int):
    import pyarrow as pa
    from pyarrow import csv as arrow

    quoted, bad, done = any(b'"' in piece for piece in content.pieces()), [], 0
    short = content.end - content.start < BLOCKS[0]  # a header alone without its line's end is no record to Arrow

    def note(one):
        bad.append(one.number)
        return "skip" if len(bad) < 3 else "error"

    for block in BLOCKS:
        seen = 0
        try:
            reader = arrow.open_csv(
                pa.PythonFile(content.stream(closed=short), mode="r"),
                read_options=arrow.ReadOptions(column_names=names, skip_rows_after_names=above, use_threads=False, block_size=block),
                parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values=quoted, ignore_empty_lines=False, invalid_row_handler=note),
                convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False),
            )
            for batch in reader:
                if bad:
                    break
                seen += len(batch)
                if seen > done:  # else a smaller block gave these rows before it met one that was too long for it
                    yield batch.slice(max(len(batch) - (seen - done), 0))
                    done = seen
            if not bad:
                return
        except pa.ArrowInvalid as error:
            if not bad and "Empty CSV" in str(error):  # a header and nothing below it
                return
            if not bad and ("straddling" not in str(error) or block == BLOCKS[-1]):
                raise DataError(f"{path.name}: the file cannot be read as text ({str(error).splitlines()[0]}).") from None
        if bad:
            raise _ragged(content, path, delimiter, len(names))


def _ragged(content: Content, path: Path, delimiter: str, width: int) -> DataError:
    """Return the sentence for the first rows that have more or fewer cells than the header."""
    reader, found, line = _rows(content, delimiter), [], 1
    for row, cells in enumerate(reader, start=1):
        if cells and len(cells) != width and not (row == 1 and len(cells) == 1):
            found.append(f"row {row}{f' (line {line})' if line != row else ''} has {len(cells)} cells")
        line = reader.line_num + 1
        if len(found) == 3:
            break
    return DataError(f"{path.name}: {' and '.join(found[:1])} where the header has {width}{'; so have ' + ', '.join(found[1:]) if found[1:] else ''}; mend the row, or quote cells that hold the separator '{delimiter}'.")
