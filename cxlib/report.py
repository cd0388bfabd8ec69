"""From one command to a report: what has to run, where it is written, and the switch to the new draft."""

import errno
import hashlib
import json
import time
from pathlib import Path

from cxlib import checks, editions, quarters, run, studies
from cxlib.errors import PublishError, UsageError, WorkbookError
from cxlib.programme import Programme

PAGE = "cxlib.show.report:page"


def build(name: str | None, *, quarter: str | None, only: str | None, jobs: int, fresh: bool, raw: Path | None, out: Path | None, pairs: list[str], say) -> Path:
    """Build the draft of a quarter and return its index.html; studies whose inputs and code have not changed are taken over.

    Raises UsageError, DataError, StudyError, KernelError, PublishError or BusyError, each with its sentence; the draft that was there
    before stays as it was.
    """
    started = time.time()
    parameters = run.parameters(pairs)
    if quarter is not None:
        quarters.check(quarter)
    programme = run.programme_of(name, raw)
    quarter, root = run.quarter_of(programme, quarter), run.root()
    every, inputs, digests = _plan(programme, quarter, parameters, out)
    chosen = studies.pick(every, [word.strip() for word in only.split(",") if word.strip()]) if only is not None else every
    if not chosen:
        raise UsageError("--only names no study; write it like --only 02,03.")
    place = editions.folder(run.reports(out).resolve(), programme.folder.name, quarter)
    index = place / "draft" / "index.html"
    if not fresh and editions.unchanged(place, digests):
        say(f"{programme.name}, {quarter}: nothing has changed since the last run.\n{index}")
        return index
    _require(every, chosen, digests, editions.read(place / "draft"), only)
    checks.contracts(programme)
    for sentence in checks.strays(programme):
        say(sentence)
    _made(run.reports(out))
    with editions.lock(place):
        from cxlib import kernels

        with kernels.Kernels(root=root, render=PAGE) as kept:
            say(f"{programme.name}, {quarter}: reading {len(programme.inputs())} files")
            stops = kept.call("cxlib.load:prepare", folder=str(programme.folder), raw=str(programme.raw), out=str(run.reports(out).resolve()))
            folder = editions.start(place)
            try:
                due, taken = _split(every, chosen, digests, place / "draft", folder, fresh=fresh, only=only)
                # a page shows the parameters of its notebook: the programme's name and no path of this machine
                seconds = kept.run(
                    due, folder=folder, parameters=parameters | {"programme": programme.folder.name, "quarter": quarter}, jobs=jobs, report=say,
                    environ={run.FOLDER: str(folder), run.PROGRAMME: str(programme.folder), run.RAW: str(programme.raw)}, menu=[(study.page, study.label) for study in every],
                    programme_name=programme.name, expected=_seconds(place / "draft"),
                )  # fmt: skip
                made = [study for study in every if study in due or study in taken]
                record = editions.record(
                    folder, root=root, programme=programme.folder.name, quarter=quarter, parameters=parameters, studies=made, digests=digests, seconds=seconds,
                    inputs=inputs, previous=editions.read(place / "draft"), expected=[study.id for study in every], started=started, extra={"stops": stops},
                )  # fmt: skip
                editions.finish(folder, record)
            except WorkbookError as error:
                raise type(error)(f"{error}\nThe earlier report is as it was; what this run left is kept in {editions.fail(folder)}.") from None
            except BaseException:
                editions.fail(folder)
                raise
    for stop in stops:
        say(f"Not to be published: {stop}")
    say(f"{len(due)} of {len(every)} studies run, {len(taken)} taken over, {time.time() - started:.1f} s\n{index if index.is_file() else place / 'draft'}")
    return index


def publish(name: str | None, *, quarter: str, raw: Path | None, out: Path | None, say, reason: str | None = None) -> Path:
    """Turn the quarter's draft into a read-only edition; refuses (PublishError) a partial, failed, altered or outdated one.

    Refused as well is a draft that tells, together with an earlier edition, of too few persons of an anonymous survey, unless `reason` says why it
    may be published all the same; the reason is kept in the edition's run.json.
    """
    quarters.check(quarter)
    programme = run.programme_of(name, raw)
    quarter = run.quarter_of(programme, quarter)
    place = editions.folder(run.reports(out).resolve(), programme.folder.name, quarter)
    draft = editions.read(place / "draft")
    if draft.get("stops"):
        raise PublishError("\n".join([*draft["stops"], "Mend the rows on the repair list, or raise the limit with a reason, then run `cx report` again."]))
    _, _, digests = _plan(programme, quarter, draft.get("parameters", {}), out)
    told = _together(place, programme)
    if told and not (reason or "").strip():
        raise PublishError("\n".join([*told[:8], *([f"... and {len(told) - 8} more."] if len(told) > 8 else []), "With the earlier edition these tell of persons who were promised that nobody could. Cut as before, or publish with --despite \"the reason\", which is kept in the edition."]))
    edition = editions.publish(place, current=digests, extra={"despite": reason.strip(), "differences": told} if told else None)
    say(str(edition / "index.html"))
    return edition


def _together(place: Path, programme: Programme) -> list[str]:
    """Return what the draft and the editions that readers hold already tell together of too few persons."""
    if all(survey.promise in ("confidential", "attributed") for survey in programme.surveys):
        return []
    from cxlib import regrouping

    return [sentence for before in regrouping.earlier(place) for sentence in regrouping.differences(place / "draft", before, programme=programme)]


def _fingerprints(programme: Programme) -> dict[str, str]:
    """Return the SHA-256 of every input; tables on servers only where there are some, because they take more than reading files."""
    if not any(one.database for one in (*programme.waves, *programme.sources)):
        return programme.fingerprints()
    from cxlib.load import store

    return store.fingerprints(programme)


def _made(folder: Path) -> None:
    """Make the folder of reports; one that cannot be made is a fault of the command, a full or read-only disk one of publishing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise PublishError(f"{folder} cannot be written ({error.strerror}).") from None
        raise UsageError(f"--out {folder}: the folder cannot be made ({error.strerror}); name another.") from None


def _plan(programme: Programme, quarter: str, parameters: dict, out: Path | None):
    """Return all studies, the hashes of all inputs, and the digest of what each study depends on. What earlier editions forecast is an input: it is compared with what came."""
    every, inputs = studies.find(run.root() / "notebooks"), _fingerprints(programme)
    for path in run.published(run.reports(out) / programme.folder.name, quarter, "forecasts"):
        inputs["/".join(path.parts[-4:])] = hashlib.sha256(path.read_bytes()).hexdigest()
    whole = hashlib.sha256(json.dumps([programme.folder.name, sorted(inputs.items())]).encode()).hexdigest()
    return every, inputs, studies.digests(every, root=run.root(), inputs=whole, quarter=quarter, parameters=parameters)


def _split(every, chosen, digests, draft, folder, *, fresh, only):
    """Return the studies to run and those taken over from the draft; refuses --only where a needed study has no current findings."""
    taken = [study for study in every if not (fresh and study in chosen) and not (only and study in chosen) and editions.reuse(draft, folder, study, digests[study.id])]
    due = [study for study in chosen if study not in taken]
    _needed(every, due, {study.id for study in (*due, *taken)}, only)
    return due, taken


def _require(every, chosen, digests, draft: dict, only) -> None:
    """Refuse --only where the draft's record lacks what it needs, before anything is read or written."""
    there = {name for name, entry in draft.get("studies", {}).items() if entry["digest"] == digests.get(name)}
    _needed(every, [study for study in chosen if study.id not in there], there | {study.id for study in chosen}, only)


def _needed(every, due, there: set[str], only) -> None:
    missing = sorted({name for study in due for name in studies.waits(every)[study.id]} - there)
    if missing:
        numbers = ",".join(name[:2] for name in missing)
        raise UsageError(f"--only {only} needs findings of the same inputs that are not there: run --only {numbers} first ({', '.join(missing)}), or leave --only out.")


def _seconds(draft: Path) -> dict[str, float]:
    return {name: entry["seconds"] for name, entry in editions.read(draft).get("studies", {}).items() if entry.get("seconds")}
