"""From raw exports to the tables every study reads."""

from pathlib import Path

from cxlib import run
from cxlib.errors import DataError
from cxlib.programme import Programme


def tables(programme: Programme, quarter: str | None = None, *, out: Path | None = None):
    """Return the tables of a programme as known at the end of a quarter, building the store where it is missing.

    `quarter` defaults to the latest with data; `out` is the folder of reports (the workbook's own by default). Raises DataError for
    a quarter without data, naming those that have some, and for whatever in the raw files does not fit the programme.
    """
    from cxlib.load import store

    quarter = run.quarter_of(programme, quarter)
    return store.Tables(store.write(programme, run.reports(out) / programme.folder.name / ".store"), programme, quarter)


def prepare(folder: str, raw: str, out: str) -> list[str]:
    """Build the store of a programme and return the sentences of whatever forbids publishing: what `cx report` calls before its studies."""
    import pandas as pd

    from cxlib import programme as contracts
    from cxlib.load import store

    programme = contracts.read(Path(folder), Path(raw))
    files = pd.read_parquet(store.write(programme, Path(out) / programme.folder.name / ".store") / "files.parquet")
    # A file may hold several waves; where they all read the same rows, one stands for them.
    files = files.drop_duplicates(["file", "rows", "quarantined"]).groupby("file", sort=False, as_index=False)[["rows", "quarantined"]].sum()
    over = files[files["quarantined"] > programme.limits.quarantine * files["rows"].clip(lower=1)]
    return [f"{row.file}: {row.quarantined:,} of {row.rows:,} rows were set aside, more than limits.quarantine = {programme.limits.quarantine:g} allows." for row in over.itertuples()]


def check(programme: Programme) -> dict:
    """Return every table of a programme whole, without writing anything; for programmes that fit into memory."""
    from cxlib.load import store

    return store.build(programme)


def tried(programme: Programme):
    """Return what `cx check` tells, with nothing written: the frames files and repairs, and how many rows each table would have."""
    from cxlib.load import store

    return store.tried(programme)


__all__ = ["DataError", "check", "tables", "tried"]
