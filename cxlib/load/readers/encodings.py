"""Text files as UTF-8, found or told what they are written in, and read in pieces: a file need not fit into memory."""

import codecs
import contextlib
import io
import itertools
import os
import re
import tempfile
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cxlib.errors import DataError
from cxlib.load.readers import files, raw

_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")
PIECE = 2**22  # bytes looked at at a time
UTF8 = ("", "utf-8", "utf8", "utf-8-sig")
MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Content(NamedTuple):
    """A text file as UTF-8: the open file, where its text begins, and where it ends. Whoever reads it has a place of their own in it."""

    file: BinaryIO
    start: int
    end: int

    def stream(self, *, closed: bool = False) -> io.BufferedReader:
        """Return the text from its first byte; `closed` ends the last line if nothing does."""
        tail = b"\n" if closed and os.pread(self.file.fileno(), 1, max(self.end - 1, self.start)) not in (b"\n", b"\r") else b""
        return io.BufferedReader(_Stream(self, tail), 2**16)

    def pieces(self):
        """Yield the bytes from first to last, a few megabytes at a time."""
        for place in range(self.start, self.end, PIECE):
            yield os.pread(self.file.fileno(), min(PIECE, self.end - place), place)


class _Stream(io.RawIOBase):
    def __init__(self, content: Content, tail: bytes):
        self.content, self.place, self.tail = content, content.start, tail

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.place < self.content.end:
            size = os.preadv(self.content.file.fileno(), [memoryview(buffer)[: self.content.end - self.place]], self.place)
            self.place += size
            return size
        size, self.tail = len(self.tail), self.tail[len(buffer) :]
        buffer[:size] = b"\n"[:size]
        return size


def decoded(content: bytes, path: Path, encoding: str) -> tuple[bytes, str, tuple]:
    """Return (UTF-8 bytes without mark, encoding, notes): the declared one, else utf-8, utf-16 with a mark, then cp1252; never a mixture."""
    if encoding.lower() not in UTF8:
        try:
            text, replaced = raw.sound(content.decode(encoding))
            return text.removeprefix("\ufeff").encode(), encoding, surrogates(replaced)
        except LookupError:
            raise DataError(f"{path.name}: '{encoding}' is not a known encoding; correct 'encoding' in programme.toml.") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{path.name}: {_place(content, error.start)} is not {encoding}; correct 'encoding' in programme.toml.") from None
    for mark, wide in MARKS:
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


def opened(path: Path, encoding: str) -> tuple[Content, str, tuple]:
    """Return the same for a file, which is not whole in memory unless something is wrong with it; what is not UTF-8 goes through a file without a name."""
    file = files.opened(path)
    content = Content(file, 0, os.fstat(file.fileno()).st_size)
    start, name = os.pread(file.fileno(), 400, 0), encoding
    if encoding.lower() in UTF8:
        name = next((wide for mark, wide in MARKS if start.startswith(mark)), "")
        if not name and start.count(0) * 3 <= len(start):
            if _utf8(content):
                return content._replace(start=3 if start.startswith(b"\xef\xbb\xbf") else 0), "utf-8", ()
            name = "" if encoding or _mixed(content) else "cp1252"
    if name and (made := _rewritten(_texts(content, name))):
        return made, name, ()
    whole, name, notes = decoded(b"".join(content.pieces()), path, encoding)
    return _rewritten([whole]), name, notes


def _utf8(content: Content) -> bool:
    """Return whether a file is UTF-8, piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in content.pieces():
            if not piece.isascii() or decoder.getstate()[0]:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mixed(content: Content) -> bool:
    """Return whether anything in a file that is not UTF-8 looks as if it were, also across two pieces."""
    tail = b""
    for piece in content.pieces():
        if _MULTIBYTE.search(tail + piece) or _SURROGATE.search(tail + piece):
            return True
        tail = piece[-3:]
    return False


def _texts(content: Content, encoding: str):
    with contextlib.suppress(UnicodeError):
        b"    ".decode(encoding)  # a LookupError for what is no encoding of text
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    for piece in itertools.chain(content.pieces(), [b""]):
        text = decoder.decode(piece, final=not piece)
        yield (text.removeprefix("\ufeff") if first else text).encode()
        first = first and not text


def _rewritten(pieces) -> Content | None:
    """Return pieces as a file of their own; None where they cannot be made, for reasons that only the whole tells."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it closes it
    try:
        for piece in pieces:
            file.write(piece)
    except (LookupError, UnicodeError):
        return None
    file.flush()
    return Content(file, 0, file.tell())


def surrogates(replaced: int) -> tuple:
    return (f"{replaced:,} halves of characters (lone surrogates) stand as the replacement mark.",) if replaced else ()


def _place(content: bytes, offset: int) -> str:
    return f"line {content[:offset].count(10) + 1}, byte {offset}"
