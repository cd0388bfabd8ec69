"""Formats that are read by compiled libraries: in a process of their own with little memory and time, so that a hostile file harms nobody.

The process runs one of the scripts `*_child.py` of this folder. It writes one line of JSON, what the file declares, and below it
the cells: as CSV with the row of the file in front where the line gives their `width`, else as an Arrow stream; or one line of JSON with the fault.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from cxlib.errors import DataError
from cxlib.load.readers import encodings

MEMORY, SECONDS = 384 * 2**20, 5.0  # for a file of usual size; both grow with what the file unpacks to
WAIT = 20  # times the seconds of computing that are waited for on a busy machine: who computes without end falls over the limit itself
OUTPUT = 64 * 2**20


def run(script: str, path: Path, options: dict, *, size: int) -> tuple[dict, object]:
    """Return (what the file declares, an Arrow table of its cells): as text with the column '#' for the rows, or as typed in an Arrow stream.

    `size` is the number of bytes that the file holds when unpacked. Raises DataError for a file that the library refuses, that
    makes it crash, or that wants more memory or time than its size explains.
    """
    with tempfile.TemporaryFile() as out:
        facts, start = _done(out, script, path, options, size)
        return facts, (_table(out.fileno(), start, facts, path) if "width" in facts else _stream(out.fileno(), start))


def stream(script: str, path: Path, options: dict, *, size: int) -> tuple[dict, object]:
    """Return (what the file declares, a function that opens its Arrow batches from the start), one of which is in memory at a time. Raises what `run` does."""
    import pyarrow as pa

    out = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as somebody may read it)
    facts, start = _done(out, script, path, options, size)
    content = encodings.Content(out, start, os.fstat(out.fileno()).st_size)
    return facts, lambda: pa.ipc.open_stream(pa.PythonFile(content.stream(), "r"))


def _done(out, script: str, path: Path, options: dict, size: int) -> tuple[dict, int]:
    """Let the process write into a file; return what it declares, and where in the file the cells begin."""
    stacks = 16 * 2**20 * (os.cpu_count() or 1)  # address space that the libraries' threads reserve and do not use
    limits = {"memory": MEMORY + stacks + 16 * size, "seconds": SECONDS + size / 2**20, "output": OUTPUT + 8 * size}
    command = [sys.executable, "-I", str(Path(__file__).with_name(f"{script}_child.py")), str(path.resolve()), json.dumps(options), json.dumps(limits)]
    with tempfile.TemporaryFile() as errors:
        try:
            # One arena: with one a thread the libraries' threads would reserve address space by the gigabyte, and fall over the limit.
            done = subprocess.run(command, env={**os.environ, "MALLOC_ARENA_MAX": "1"}, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, timeout=WAIT * limits["seconds"], check=False)
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = -signal.SIGXCPU
    out.seek(0)
    start = out.readline(2**24)
    facts = _facts(start)
    if "fault" in facts:
        raise DataError(f"{path.name}: {facts['fault']}")
    if code or not facts:
        raise DataError(f"{path.name}: {_cause(code)}; check where it comes from, and save it again as CSV.")
    return facts, len(start)


def _stream(descriptor: int, start: int):
    import mmap

    import pyarrow as pa

    whole = pa.py_buffer(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))  # pages of the file, not a copy: the table lives on them
    with pa.ipc.open_stream(whole.slice(start)) as stream:
        return stream.read_all().unify_dictionaries()


def _facts(line: bytes) -> dict:
    try:
        return json.loads(line)
    except ValueError:
        return {}


def _cause(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "reading it takes far longer than its size explains"
    if code == -getattr(signal, "SIGXFSZ", 0) and code:
        return "it swells to far more text than its size explains"
    return "the file is damaged or was made to do harm: the library that reads it gave up"


def _table(descriptor: int, start: int, facts: dict, path: Path):
    import mmap

    import pyarrow as pa
    from pyarrow import csv

    names = ["#", *(f"c{place}" for place in range(facts["width"]))]
    types = {"#": pa.int64(), **dict.fromkeys(names[1:], pa.large_string())}
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as whole:
        if len(whole) == start:
            return pa.table({name: pa.array([], types[name]) for name in names})
        content = pa.py_buffer(whole[start:])
    for block in (2**22, 2**26, 2**30):  # a record must fit into a block
        try:
            return csv.read_csv(
                pa.BufferReader(content),
                read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=block),
                parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=False, null_values=[], check_utf8=False),
            )
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
    raise DataError(f"{path.name}: a row of the file is longer than a gigabyte.")
