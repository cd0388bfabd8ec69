"""Files before they are opened: a regular file inside its folder, whole, and of the form its name says."""

import os
import stat
import tempfile
import zlib
from pathlib import Path

from cxlib.errors import DataError

# Formats that run code when they are opened, or that hold results and no answers: never read, whatever they are called.
NEVER = (".pkl", ".pickle", ".joblib", ".dill", ".npy", ".npz", ".pt", ".pth", ".ipynb", ".rds", ".rdata", ".rda", ".h5", ".hdf5", ".xlm")
INFLATED, RATIO = 64 * 2**20, 200  # beyond 64 MiB no export of answers shrinks two hundred times
PIECE = 2**20


def check(path: Path, within: Path) -> None:
    """Raise DataError unless `path` is a regular file with content that stands inside the folder `within`, also through links."""
    if path.suffix.lower() in NEVER:
        raise DataError(f"{path.name}: files of this kind are never opened, because opening one can run code; export the data as CSV, XLSX or Parquet.")
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        raise DataError(f"{path.name}: there is no such file in {path.parent}; put it there or correct 'file' in programme.toml.") from None
    if not path.resolve().is_relative_to(Path(within).resolve()):
        raise DataError(f"{path.name}: the link leads to a file outside {within}; put the file itself there.")
    if stat.S_ISDIR(mode):
        raise DataError(f"{path.name}: this is a folder, not a file; name one of the files in it.")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path.name}: this is a pipe or a device, not a file; write its content to a file first.")
    if os.stat(path).st_size == 0:
        raise DataError(f"{path.name}: the file is empty; export it again.")
    with path.open("rb") as file:
        start = file.read(16)
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and not path.name.lower().endswith((".gz", ".parquet")):
        raise DataError(f"{path.name}: this is a Python pickle under another name; it is never opened, because opening one can run code. Export the data as CSV, XLSX or Parquet.")


def opened(path: Path):
    """Return a text file opened to be read, decompressed where its name ends in .gz: into a file without a name, which is gone when it is closed."""
    return path.open("rb") if path.suffix.lower() != ".gz" else _inflated(path)


def _inflated(path: Path):
    limit, total = max(INFLATED, RATIO * path.stat().st_size), 0
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it closes it
    try:
        with path.open("rb") as packed:
            member, rest = zlib.decompressobj(wbits=31), packed.read(PIECE)
            while rest:
                total += plain.write(member.decompress(rest, min(limit - total + 1, 16 * PIECE)))
                if total > limit:
                    raise DataError(f"{path.name}: the compressed file swells more than {RATIO} times, as no export does; check where it comes from.")
                if not member.eof:
                    rest = member.unconsumed_tail or packed.read(PIECE)
                    continue
                rest = member.unused_data.lstrip(b"\0")  # members may follow each other, and zeros may fill the last block
                while not rest and (piece := packed.read(PIECE)):
                    rest = piece.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31) if rest else member
            total += plain.write(member.flush())
        if not member.eof:
            raise DataError(f"{path.name}: the compressed file is damaged (it ends before its end mark); fetch it again.")
    except zlib.error as error:
        raise DataError(f"{path.name}: the compressed file is damaged ({str(error)[:120]}); fetch it again.") from None
    plain.flush()
    return plain
