"""The folder of a quarter: a run writes `.run-<id>/`, `draft` is a link to the last complete one, `r1`, `r2`, ... are read-only editions.

    reports/telecom/2026Q3/  .lock  .run-20261121T204512-4711/  draft -> .run-...  r1/  r2/  .failed/<id>/

Whoever holds the lock is the only writer, so whatever else lies there unfinished was left by a run that died, and is removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from cxlib import changes
from cxlib.errors import BusyError, PublishError, UsageError
from cxlib.studies import Study

QUARTER = re.compile(r"\d{4}Q[1-4]", re.ASCII)
LISTS = "lists/"  # of persons, for those who act: an edition travels, they stay with the draft
EDITION = re.compile(r"r([1-9]\d*)", re.ASCII)
FAILED_KEPT = 3


def folder(out: str | Path, programme: str, quarter: str) -> Path:
    """Return `<out>/<programme>/<quarter>`, refusing (UsageError) a name that is not one plain folder name."""
    if not QUARTER.fullmatch(quarter):
        raise UsageError(f"The quarter '{quarter}' is not a year and a quarter, as in 2026Q3 (pattern {QUARTER.pattern}).")
    if programme in ("", ".", "..") or programme.startswith(".") or "/" in programme or "\0" in programme or Path(programme).name != programme:
        raise UsageError(f"The programme's folder '{programme}' cannot be the name of a report folder.")
    return Path(out) / programme / quarter


@contextlib.contextmanager
def lock(quarter: str | Path) -> Iterator[None]:
    """Hold a quarter's folder for writing. A second run raises BusyError with the first one's pid; kill -9 releases it."""
    quarter = Path(quarter)
    with _told(f"{quarter} cannot be written"):
        quarter.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(quarter / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise PublishError(f"{quarter} cannot be locked ({error.strerror}): reports belong on a local disk.") from None
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise BusyError(f"{quarter} is being written by another run (pid {holder or 'unknown'}); wait for it, or end it and start again.") from None
        with _told(f"{quarter} cannot be written"):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def start(quarter: str | Path) -> Path:
    """Make this run's folder, after removing what dead runs left (the caller holds the lock)."""
    quarter = Path(quarter)
    with _told(f"{quarter} cannot be written"):
        quarter.mkdir(parents=True, exist_ok=True)
    _sweep(quarter)
    now = time.time_ns()
    run = quarter / f".run-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now // 10**9))}.{now // 10**3 % 10**6:06d}-{os.getpid()}"
    with _told(f"{quarter} cannot be written"):
        for part in ("findings", "tables", "figures", ".outputs"):
            (run / part).mkdir(parents=True)
    return run


def finish(run: str | Path, record: Mapping) -> Path:
    """Write `run.json`, switch `draft` to this run in one rename, remove the runs it replaces; return the draft's path."""
    run = Path(run)
    draft, link = run.parent / "draft", run.parent / f".draft-{os.getpid()}"
    with _told(f"{run} cannot be completed", remove=link):
        _write(run / "run.json", json.dumps({**record, "complete": True}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        link.unlink(missing_ok=True)
        link.symlink_to(run.name, target_is_directory=True)
        os.replace(link, draft)
        _sync(run.parent)
    _sweep(run.parent)
    return draft


def fail(run: str | Path) -> Path:
    """Keep a failed run under `.failed/<id>` (the last three); return where it is."""
    run = Path(run)
    kept = run.parent / ".failed" / run.name.removeprefix(".run-")
    try:
        kept.parent.mkdir(exist_ok=True)
        os.rename(run, kept)
    except OSError:  # a full disk: room matters more than the ruin
        shutil.rmtree(run, ignore_errors=True)
        return run
    for old in sorted(kept.parent.iterdir())[:-FAILED_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return kept


def read(run: str | Path) -> dict:
    """Return a run's record, or {} where there is none or the run is not complete."""
    try:
        record = json.loads((Path(run) / "run.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("complete") is True else {}


def record(
    run: str | Path, *, root: str | Path, programme: str, quarter: str, parameters: Mapping, studies: Iterable[Study], digests: Mapping[str, str],
    seconds: Mapping[str, float], inputs: Mapping[str, str], previous: Mapping | None = None, expected: Iterable[str] = (), started: float | None = None, extra: Mapping | None = None,
) -> dict:
    """Build the record of a run: what went in, what came out, how long it took.

    `inputs` maps file to SHA-256. `unclaimed` lists files that not exactly one study owns: with any, nothing is taken over from this run. A study without `seconds` was taken over from `previous`. `expected` are the ids of all studies of the
    programme: a run that lacks one is partial and cannot be published.
    """
    run, studies = Path(run), list(studies)
    with _told(f"{run} cannot be read"):
        files = {name: _sha(run / name) for name in _files(run)}
    old = (previous or {}).get("studies", {})
    entries = {
        study.id: {
            "title": study.title, "digest": digests[study.id], "page": study.page, "outputs": sorted(outputs(run, study)), "parameters": {**study.parameters, **{k: v for k, v in parameters.items() if k in study.parameters}},
            "seconds": round(seconds[study.id], 3) if study.id in seconds else old.get(study.id, {}).get("seconds"), "reused": study.id not in seconds,
        }
        for study in studies
    }
    owners = Counter(name for entry in entries.values() for name in entry["outputs"])
    missing = sorted(set(expected) - set(entries))
    return {
        "schema": 1, "programme": programme, "quarter": quarter, "parameters": dict(parameters), "studies": entries, "partial": bool(missing), "missing": missing,
        "seeds": {f"{name}.{key}": value for name, entry in entries.items() for key, value in entry["parameters"].items() if "seed" in key},
        "inputs": dict(sorted(inputs.items())), "files": files, "findings": {Path(name).stem: digest for name, digest in files.items() if name.startswith("findings/")},
        "unclaimed": sorted(name for name in files if owners[name] != 1), "packages": packages(), "python": sys.version.split()[0], "system": sys.platform, **commit(root),
        "started": _clock(started), "finished": _clock(time.time()), **(extra or {}),
    }


def outputs(run: str | Path, study: Study) -> set[str]:
    """Name the files a study made in a run: its page and the lines of `.outputs/<study>`, or, without those, what its notebook's names match."""
    run = Path(run)
    noted = run / ".outputs" / study.id
    names = set(noted.read_text(encoding="utf-8").split("\n")) - {""} if noted.exists() else study.outputs
    return {file for file in _files(run) if any(fnmatchcase(file, name) for name in {study.page, *names})}


def unchanged(quarter: str | Path, digests: Mapping[str, str]) -> bool:
    """Whether the draft is complete, intact and made from exactly these digests, so that there is nothing to do."""
    record = read(Path(quarter) / "draft")
    return {name: entry["digest"] for name, entry in record.get("studies", {}).items()} == dict(digests) and bool(digests) and not _altered(Path(quarter) / "draft", record)


def reuse(previous: str | Path, run: str | Path, study: Study, digest: str) -> bool:
    """Copy a study's page, findings, tables and figures from an earlier complete run made with the same digest; False where that cannot be."""
    previous, run = Path(previous), Path(run)
    record = read(previous)
    entry = record.get("studies", {}).get(study.id, {})
    if entry.get("digest") != digest or record["unclaimed"] or study.page not in entry["outputs"]:
        return False
    if any(not (previous / name).is_file() or _sha(previous / name) != record["files"][name] for name in entry["outputs"]):
        return False
    with _told(f"{run} cannot be written"):
        for name in entry["outputs"]:
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(previous / name, run / name)
        _write(run / ".outputs" / study.id, "".join(f"{name}\n" for name in entry["outputs"]))
    return True


def publish(quarter: str | Path, *, current: Mapping[str, str], extra: Mapping | None = None) -> Path:
    """Make the draft the next read-only edition and return its folder. `current` are the digests of now: an outdated draft is refused. `extra` is kept in its record.

    Raises PublishError for no, a partial, an altered or an outdated draft, and for a disk that cannot take it; BusyError beside a run.
    """
    quarter = Path(quarter)
    with lock(quarter):
        _sweep(quarter)
        draft = quarter / "draft"
        record = _publishable(draft, current)
        numbers = editions(quarter)
        edition = quarter / f"r{numbers[-1] + 1 if numbers else 1}"
        before = quarter / f"r{numbers[-1]}" if numbers else None
        temporary = quarter / f".edition-{os.getpid()}"
        with _told(f"{edition} cannot be written", remove=temporary):
            record["files"] = {name: digest for name, digest in record["files"].items() if not name.startswith(LISTS)}
            for name in record["files"]:
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(draft / name, temporary / name)
            index = temporary / "index.html"
            if index.exists():
                index.write_text(changes.placed(index.read_text(encoding="utf-8"), changes.between(before, temporary, number=edition.name, record=record)), encoding="utf-8", newline="\n")
                record["files"]["index.html"] = _sha(index)
            record.update(extra or {})
            record.update(edition=edition.name, published=_clock(time.time()), draft=os.readlink(draft))
            _write(temporary / "run.json", json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
            for path in sorted(temporary.rglob("*"), reverse=True):
                _sync(path)
                path.chmod(0o555 if path.is_dir() else 0o444)
            _sync(temporary)
            temporary.chmod(0o555)
            os.rename(temporary, edition)
            _sync(quarter)
    return edition


def editions(quarter: str | Path) -> list[int]:
    """List the numbers of the published editions."""
    quarter = Path(quarter)
    return sorted(int(found.group(1)) for path in (quarter.iterdir() if quarter.is_dir() else ()) if (found := EDITION.fullmatch(path.name)) and path.is_dir())


def packages() -> dict[str, str]:
    """Return the versions of the packages the project names, and of the ones that run the notebooks."""
    from importlib import metadata

    names = {"numpy", "scipy", "matplotlib", "nbclient", "ipykernel", "jupyter_client"}
    with contextlib.suppress(metadata.PackageNotFoundError):
        names |= {found.group() for line in metadata.requires("cxlib") or [] if "extra ==" not in line and (found := re.match(r"[\w.-]+", line))}
    versions = {}
    for name in sorted(names):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def commit(root: str | Path) -> dict:
    """Return the commit the code stands at and whether files differ from it, where git is there."""
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    head = git("rev-parse", "HEAD")
    return {"commit": head, "modified": bool(git("status", "--porcelain", "--untracked-files=no")) if head else None}


# ------------------------------------------------------------------------------------------------------------ small parts


def _publishable(draft: Path, current: Mapping[str, str]) -> dict:
    record = read(draft)
    if not record:
        raise PublishError(f"{draft.parent} has no complete draft; run `cx report` first.")
    if record["partial"]:
        raise PublishError(f"The draft is partial: {', '.join(record['missing'])} did not run. Run `cx report` without --only, then publish.")
    stale = sorted(name for name in {*current, *record["studies"]} if record["studies"].get(name, {}).get("digest") != current.get(name))
    if stale:
        raise PublishError(f"The draft is outdated: inputs, code or parameters of {', '.join(stale)} changed since it was made. Run `cx report`, look at it, then publish.")
    if altered := _altered(draft, record):
        raise PublishError(f"The draft was altered after it was made ({', '.join(altered[:3])}{', ...' if len(altered) > 3 else ''}). Run `cx report --fresh`, then publish.")
    return record


def _altered(run: Path, record: Mapping) -> list[str]:
    return [name for name, digest in record.get("files", {}).items() if not (run / name).is_file() or _sha(run / name) != digest]


def _sweep(quarter: Path) -> None:
    """Remove unfinished and replaced runs, keeping the one `draft` points to."""
    link = quarter / "draft"
    kept = os.readlink(link) if link.is_symlink() else None
    for path in quarter.iterdir():
        if path.name.startswith((".run-", ".edition-", ".draft-")) and path.name != kept:
            if path.is_dir() and not path.is_symlink():
                _writable(path)
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _writable(path: Path) -> None:
    with contextlib.suppress(OSError):
        for part in [path, *(part for part in path.rglob("*") if part.is_dir())]:
            part.chmod(part.stat().st_mode | stat.S_IRWXU)


@contextlib.contextmanager
def _told(what: str, *, remove: Path | None = None) -> Iterator[None]:
    """Turn a full or read-only disk into a sentence, and leave nothing half written."""
    try:
        yield
    except OSError as error:
        if remove is not None and remove.is_dir() and not remove.is_symlink():
            _writable(remove)
            shutil.rmtree(remove, ignore_errors=True)
        elif remove is not None:
            with contextlib.suppress(OSError):
                remove.unlink(missing_ok=True)
        raise PublishError(f"{what}: {error.strerror or error} ({error.filename or ''}). Free some space or choose another folder with --out; what was published is untouched.") from None


def _files(run: Path) -> list[str]:
    return sorted(
        path.relative_to(run).as_posix() for path in run.rglob("*")
        if path.is_file() and path != run / "run.json" and not any(part.startswith(".") for part in path.relative_to(run).parts)
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}~")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    _sync(temporary)
    os.replace(temporary, path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clock(seconds: float | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds is not None else None
