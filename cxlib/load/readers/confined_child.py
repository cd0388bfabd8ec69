"""What the confined scripts share: limits set once everything is imported, cells as CSV, and a fault as one line of JSON."""

import contextlib
import csv
import errno
import json
import os
import sys

SWOLLEN = "the file wants far more memory than its size explains; check where it comes from, and save it again as CSV."


def limit(limits: dict) -> None:
    """Limit this process: memory beyond what it has already, seconds of work, bytes written. Nothing where the system cannot."""
    try:
        import resource
    except ImportError:  # no such limits on this system: the parent's clock remains
        return
    try:
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + int(limits["memory"]),) * 2)
    except (OSError, ValueError):
        pass
    seconds = int(limits["seconds"]) + 1
    for kind, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, int(limits["output"])), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def tell(facts: dict) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


def writer():
    return csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\n")


def stream(schema, batches) -> None:
    """Write Arrow batches behind the line of facts."""
    import pyarrow as pa

    sys.stdout.flush()
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
        for batch in batches:
            batch.validate(full=True)  # text that is no text, and codes without a word: what damaged pages unpack to
            out.write_batch(batch)


def cell(value) -> str:
    """Return a typed cell as the text a person would have typed: 5.0 as 5, bytes as hexadecimal."""
    if type(value) is float:
        return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else "" if value != value else repr(value)
    return value if type(value) is str else "" if value is None else value.hex() if type(value) is bytes else str(value)


def main(read) -> None:
    """Run `read(path, options)` under the limits given on the command line; a fault of any kind becomes a sentence."""
    path, options, limits = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")
    csv.field_size_limit(2**30)
    limit(limits)
    try:
        read(path, options)
        sys.stdout.flush()
    except MemoryError:
        _end(SWOLLEN)
    except BaseException as error:  # a Rust panic is no Exception
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            _end("the file swells to far more text than its size explains; check where it comes from, and save it again as CSV.")
        text = str(error).splitlines()
        _end(str(error) if isinstance(error, Fault) else f"the file cannot be read ({text[0][:200] if text else type(error).__name__}); it is damaged or cut off: export it again.")


class Fault(Exception):
    """A sentence that ends the reading."""


def _end(sentence: str) -> None:
    # What was written so far is dropped: the first line must be the fault.
    with contextlib.suppress(OSError):
        sys.stdout.buffer.raw.truncate(0)
        sys.stdout.buffer.raw.seek(0)
    os.write(1, json.dumps({"fault": sentence}).encode() + b"\n")
    os._exit(3)
