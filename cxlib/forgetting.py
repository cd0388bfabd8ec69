"""What `cx forget` does to reports: caches go, drafts become stale, editions stay as they were published and are flagged."""

import contextlib
import json
import shutil
from pathlib import Path

from cxlib import editions

FLAGS = "flags.json"


@contextlib.contextmanager
def held(programme: Path):
    """Hold every quarter of a programme's reports for writing; BusyError where a run is under way."""
    with contextlib.ExitStack() as stack:
        for quarter in quarters(programme):
            stack.enter_context(editions.lock(quarter))
        yield


def quarters(programme: Path) -> list[Path]:
    """Return the quarters' folders of a programme's reports."""
    programme = Path(programme)
    return sorted(path for path in programme.iterdir() if editions.QUARTER.fullmatch(path.name)) if programme.is_dir() else []


def reports(programme: Path, *, day: str, person: str, reason: str) -> list[str]:
    """Remove what was made from the raw files as they were and flag what was published; return what was done, a sentence each.

    `person` is a keyed hash. Stores, failed runs and findings made by hand go; a draft is marked stale, so that it cannot be published; an
    edition is not touched: `flags.json` beside it says that it was made before somebody was forgotten.
    """
    programme, said = Path(programme), []
    if (programme / ".store").is_dir():
        shutil.rmtree(programme / ".store")
        said.append("The store is removed; the next run makes it anew.")
    for quarter in quarters(programme):
        for name in (".failed", "hand"):
            shutil.rmtree(quarter / name, ignore_errors=True)
        record = quarter / "draft" / "run.json"
        if record.is_file():
            content = json.loads(record.read_bytes())
            record.write_text(json.dumps({**content, "complete": False, "stale": f"{day}: a person was taken out of the raw files"}, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
            said.append(f"{quarter.name}: the draft is stale and cannot be published; run cx report --quarter {quarter.name}.")
        numbers = editions.editions(quarter)
        if numbers:
            flags = quarter / FLAGS
            known = json.loads(flags.read_bytes()) if flags.is_file() else []
            known.append({"day": day, "person": person, "reason": reason, "editions": [f"r{number}" for number in numbers]})
            flags.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
            said.append(f"{quarter.name}: {', '.join(f'r{number}' for number in numbers)} stay as they were published, and are flagged in {flags}.")
    return said
