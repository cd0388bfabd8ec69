"""The store: a folder of Parquet, one file a table, written once for a hash of the inputs and never changed."""

import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib import columns, quarters, questionnaire, schema
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import anomalies, identifiers, intake, parquet, privacy, unify, weighting
from cxlib.load.readers import raw
from cxlib.programme import Programme

# The day that places a row of a table in time; later days in other columns are not known yet in an earlier quarter.
_DATED = {"interactions": "at", "events": "at", "orders": "ordered_on", "offers": "offered_on", "actions": "assigned_on", "sales": "sold_on", "invitations": "sent_on", "people": "joined_on", "accounts": "since"}

_AHEAD = ("renews_on",)  # days that were known before they came

ROWS = "_rows"  # beside the responses while the store is made: the rows of the file in which they stand
LARGE = 30_000  # a weight whose square needs more digits than a machine word has, at nine decimals
KEPT = 500_000  # rows up to which a table stays in memory once it was read
LOOKED = 250_000  # responses that are looked at for what must not be averaged; of more, every second, fourth, eighth ...
AT = "_at"  # beside the comments on their way: the place of each one's answer among those of its part
UNHEARD = ("response_id", "person_id", "wave", "quarter", "item", "language")  # columns of comments of which nothing is asked there
UNSEEN = ("person_id", "account_id", "week", "weight", "base_weight")  # their columns of which nothing is asked there


def digest(programme: Programme) -> str:
    """Return the hash of everything the store is made from: the programme's files, the raw files and the code that reads them."""
    total = hashlib.sha256()
    for path in (*sorted(path for path in Path(__file__).parent.rglob("*.*") if path.suffix in (".py", ".txt")), *(Path(one.__file__) for one in (columns, programmes, questionnaire, quarters))):
        total.update(path.read_bytes())
    total.update(repr(sorted(fingerprints(programme).items())).encode())
    total.update(unify.means(programme).encode())
    total.update(identifiers.mark(identifiers.salt()).encode())
    return total.hexdigest()


def fingerprints(programme: Programme) -> dict[str, str]:
    """Return the SHA-256 of everything a programme is made from: its files, and the tables it reads from servers as they are now."""
    from cxlib.load.readers import database

    return programme.fingerprints() | {f"database/{one.database_table}": database.digest(one) for one in (*programme.waves, *programme.sources) if one.database}


def build(programme: Programme) -> dict[str, pd.DataFrame]:
    """Return every table of a programme from its raw files, under the columns of `schema.TABLES`; for programmes that fit into memory."""
    with tempfile.TemporaryDirectory() as folder:
        made(programme, Path(folder))
        return {name: pd.read_parquet(Path(folder) / f"{name}.parquet") for name in schema.TABLES}


def tried(programme: Programme) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Return what `cx check` tells, with nothing left written: the tables files, repairs and anomalies, and the rows of each table."""
    with tempfile.TemporaryDirectory() as folder:
        made(programme, Path(folder))
        rows = {name: parquet.rows(Path(folder) / f"{name}.parquet") for name in schema.TABLES}
        return *(pd.read_parquet(Path(folder) / f"{name}.parquet") for name in ("files", "repairs", "anomalies")), rows


def made(programme: Programme, folder: Path) -> None:
    """Write every table of a programme into a folder: first as the rows come, then without the answers that must not be averaged."""

    some = parquet.Thinned(most=LOOKED, without=UNSEEN)
    said = parquet.Thinned(without=UNHEARD, like=some)
    empty = {name: _typed(pd.DataFrame(), name, programme) for name in schema.TABLES}
    with ThreadPoolExecutor(1) as threads, contextlib.ExitStack() as files:
        tables = {name: files.enter_context(parquet.Growing(folder / f"{name}.parquet", table.schema, threads)) for name, table in empty.items()}
        some.add(empty["responses"])
        said.add(empty["verbatims"])
        first, rows = 0, []  # the place of a part's first response among all; the rows of the files in which the parts' responses stand
        for name, table in parts(programme):
            if name == "verbatims":
                said.add(table.drop_columns(AT), first + table[AT].to_numpy())
                table = table.drop_columns(AT)
            if name == ROWS:
                rows.append(table)
                continue
            tables[name].append(table)
            if name == "responses":
                first = some.rows
                some.add(parquet.bare(table))
    parquet.release()
    _settled(programme, folder, {"responses": some, "verbatims": said}, rows)
    if any(survey.rake or survey.universe for survey in programme.surveys):  # weights need a whole wave, and the customer file
        responses, people = (pd.read_parquet(folder / f"{name}.parquet") for name in ("responses", "people"))
        _put(folder, "responses", weighting.applied(programme, responses, people), programme)


def _settled(programme: Programme, folder: Path, some: dict[str, parquet.Thinned], rows: list) -> None:
    """Look at all tables together: what must not be averaged becomes blank, and what was seen is a table of its own."""
    looked = _Looked(folder, some)
    found = anomalies.judged(anomalies.find(looked, programme), programme)
    _put(folder, "anomalies", found, programme)
    gone = anomalies.refusals(found, programme)
    if len(gone):
        lost = []
        with ThreadPoolExecutor(1) as threads, parquet.Growing(folder / "settled", _typed(pd.DataFrame(), "responses", programme).schema, threads) as settled:
            for frame in parquet.frames(folder / "responses.parquet"):
                blanked, counted = anomalies.blanked(frame, gone)
                settled.append(_typed(blanked, "responses", programme))
                lost.append(counted)
        (folder / "settled").replace(folder / "responses.parquet")
        _put(folder, "coverage", anomalies.recounted(looked["coverage"], pd.concat(lost, ignore_index=True)), programme)
    if (found["kind"] == "rows_repeated").any():
        places = pd.Series(np.concatenate([np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum()) for starts, sizes in rows]))
        _put(folder, "repairs", anomalies.listed(looked, programme, found, places), programme)


def _put(folder: Path, name: str, frame: pd.DataFrame, programme: Programme) -> None:
    parquet.put(folder / f"{name}.parquet", _typed(frame, name, programme))


class _Looked(dict):
    """The tables of a folder, read when they are asked for; of very many responses some, under their places, with their comments."""

    def __init__(self, folder: Path, some: dict[str, parquet.Thinned]):
        super().__init__()
        self.folder, self.some = folder, some

    def __contains__(self, name) -> bool:
        return (self.folder / f"{name}.parquet").is_file()

    def __missing__(self, name: str) -> pd.DataFrame:
        self[name] = self.some[name].frame() if name in self.some else pd.read_parquet(self.folder / f"{name}.parquet")
        return self[name]


def parts(programme: Programme):
    """Yield (name, table) for every table from the raw files: a table's rows in their order, in as many Arrow tables as it takes.

    Each has the columns and types of its table and some hundred thousand rows at most, whatever the length of the files.
    """

    opened = {}
    wave_parts, source_parts = functools.partial(intake.wave_parts, opened={}), functools.partial(intake.source_parts, opened=opened)
    one_by_one = [(wave_parts, wave, "responses") for wave in programme.waves] + [(source_parts, source, source.table) for source in programme.sources]
    customers, matched = unify.customers(programme, opened)
    known, gone, redactions, retention = privacy.known(programme, unify.persons(programme, opened)), privacy.forgotten(programme), [], []
    for place, (taken, one, table) in enumerate(one_by_one):
        files, coverage, left, start = [], [], [], 0
        for part in raw.ahead(taken(programme, one)):
            if place in customers:
                part = unify.filled(part, customers[place].iloc[start : start + len(part.frame)])
            start += len(part.frame)
            part, counted = privacy.kept(programme, one, table, part, gone)
            left.append(counted)
            files += part.files
            coverage.append(part.coverage)
            clean = privacy.redacted({table: part.frame, "verbatims": part.verbatims, "repairs": part.repairs}, known, programme=programme)
            redactions.append(clean.pop("redactions"))
            yield from _fitted(programme, clean)
            if "_row" in part.frame:
                yield ROWS, _runs(part.frame["_row"].to_numpy(dtype="int64"))
        opened.pop(repr(one), None)
        retention.append(intake.stack(left))
        yield from _fitted(programme, {"coverage": intake.counted(coverage), "files": pd.DataFrame(intake.added(files))})
    yield from _fitted(programme, privacy.forgetting(matched, gone) | {"redactions": privacy.added(redactions), "retention": privacy.told(retention)})


def _runs(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows that follow each other as the first of each run and how many it has: most do, and millions take no room."""
    cuts = np.flatnonzero(np.diff(places, prepend=places[:1] - 2) != 1)
    return places[cuts], np.diff(cuts, append=len(places))


def _fitted(programme: Programme, tables: dict[str, pd.DataFrame]):
    import pyarrow as pa

    for name, frame in unify.covered(tables, programme).items():
        if len(frame):
            weighted = frame.assign(weight=frame["weight"].astype(float).fillna(1.0) if "weight" in frame else 1.0) if name == "responses" else frame
            table = _typed(weighted, name, programme)
            yield name, table.append_column(AT, pa.array(frame["at"].to_numpy(dtype="int64"))) if name == "verbatims" else table


def write(programme: Programme, folder: Path) -> Path:
    """Return the folder of the store under `folder`, made now if it is not there: a temporary name, then one rename."""
    place = Path(folder) / digest(programme)[:16]
    if place.is_dir():
        return place
    temporary = place.with_name(f".{place.name}-{os.getpid()}")
    _forsaken(place.parent)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        made(programme, temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    try:
        temporary.rename(place)
    except OSError:  # another run was faster, and what it wrote is the same
        shutil.rmtree(temporary)
    return place


def _forsaken(folder: Path) -> None:
    """Remove what a run that was killed left half written: nothing in it has changed for an hour."""
    for left in folder.glob(".*-*"):
        with contextlib.suppress(OSError):
            if max(path.stat().st_mtime for path in (left, *left.iterdir())) < time.time() - 3600:
                shutil.rmtree(left)


class Tables:
    """The tables of a programme as known at the end of a quarter, and the three verbs that touch rows.

    `tables["orders"]` is a frame. `tally`, `moments` and `map` do what touches many rows inside the engine and return small frames.
    """

    def __init__(self, folder: Path, programme: Programme, quarter: str):
        self.folder, self.programme, self.quarter = Path(folder), programme, quarter
        self.end = quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[1]
        self._connection, self._kept = None, {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name in self._kept:  # a study asks for the same table dozens of times; a copy shares the cells until somebody writes to it
            return self._kept[name].copy(deep=False)
        frame = self._read(name)
        if len(frame) <= KEPT:
            self._kept[name] = frame.copy(deep=False)
        return frame

    def _read(self, name: str) -> pd.DataFrame:
        frame = self._table(name).to_pyarrow().to_pandas()
        for column in schema.TABLES[name]:
            if column.type in ("date", "moment") and column.name in frame:
                frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[us]")
                if column.name not in (_DATED.get(name), *_AHEAD):  # what happened later was not known then
                    frame[column.name] = frame[column.name].where(frame[column.name] < pd.Timestamp(self.end) + pd.Timedelta(days=1))
            elif column.type in ("number", "whole", "flag") and column.name in frame:
                frame[column.name] = frame[column.name].astype("int64" if column.type == "whole" and column.required else "float64")
        return frame

    def __contains__(self, name: str) -> bool:
        """Whether a table has rows up to the quarter."""
        return name in schema.TABLES and bool(len(self._kept[name]) if name in self._kept else self._table(name).limit(1).count().to_pyarrow().as_py())

    def tally(self, name: str, *, by: list[str] | dict[str, str | tuple[str, str]], weight: str | None = "weight", where: dict | None = None) -> pd.DataFrame:
        """Return counts by keys: the keys, n (rows), weight and weight_sq (sums of the weights and of their squares).

        `by` may map the name of a key to its column, so that an item called n or weight has another name in the result, or to a column of days
        and a period (W, M, Q): the key is then the period's first day.
        """
        table = self._where(name, where)
        keys = {key: table[of] if isinstance(of, str) else table[of[0]].truncate(of[1]) for key, of in (by if isinstance(by, dict) else dict(zip(by, by))).items()}
        sums = {"n": table.count()}
        if weight:  # sums of decimals are exact: the same at any number of threads, whatever the order of the rows
            square = table[weight] * table[weight]
            most = parquet.largest(self.folder / f"{name}.parquet", weight)
            small = most is not None and most < LARGE
            sums |= {"weight": table[weight].cast("decimal(18,9)").sum().cast("float64"), "weight_sq": square.cast("decimal(18,9)" if small else "decimal(38,12)").sum().cast("float64")}
        return table.group_by(**keys).agg(**sums).order_by(list(keys)).to_pyarrow().to_pandas()

    def moments(self, name: str, *, columns: list[str], weight: str | None = "weight", where: dict | None = None) -> pd.DataFrame:
        """Return the weighted cross-products of columns over rows where all are filled: row, column, n, weight, product (sums)."""
        table = self._where(name, where)
        for column in columns:
            table = table.filter(table[column].notnull() & ~table[column].cast("float64").isnan())
        one = table[weight] if weight else 1.0
        terms = {"n": table.count(), "weight": (table[weight] if weight else table[columns[0]] * 0 + 1.0).sum()}
        pairs = [(a, b) for place, a in enumerate(columns) for b in ["", *columns[place:]]]
        for place, (a, b) in enumerate(pairs):
            terms[f"s{place}"] = ((table[a] * table[b] if b else table[a]) * one).sum()
        sums = table.agg(**terms).to_pyarrow().to_pandas().iloc[0]
        return pd.DataFrame({"row": [a for a, _ in pairs], "column": [b for _, b in pairs], "n": int(sums["n"]), "weight": float(sums["weight"]), "product": [float(sums[f"s{place}"] or 0) for place in range(len(pairs))]})

    def map(self, function, name: str, *, rows: int = 20_000) -> pd.DataFrame:
        """Return what `function` makes of the table, called on batches of its rows in their order."""
        frame = self[name]
        parts = [function(frame.iloc[start : start + rows]) for start in range(0, max(len(frame), 1), rows)]
        return pd.concat(parts, ignore_index=True)

    def _table(self, name: str):
        import ibis

        if name not in schema.TABLES:
            raise DataError(f"'{name}' is not a table; there are {', '.join(schema.TABLES)}.")
        if self._connection is None:
            self._connection = ibis.duckdb.connect(threads=1)
            self._connection.raw_sql("SET TimeZone='UTC'")
        table = self._connection.read_parquet(str(self.folder / f"{name}.parquet"))
        if "quarter" in table.columns:
            last = parquet.largest(self.folder / f"{name}.parquet", "quarter")
            return table if last is not None and last <= self.quarter else table.filter(table["quarter"] <= self.quarter)
        day = _DATED.get(name)
        return table.filter(table[day].isnull() | (table[day].cast("date") <= self.end)) if day else table

    def _where(self, name: str, where: dict | None):
        table = self._table(name)
        for column, value in (where or {}).items():
            table = table.filter(table[column].isin(value) if isinstance(value, list | tuple) else table[column] == value)
        return table


def _typed(frame: pd.DataFrame, name: str, programme: Programme):
    """Return a table in Arrow with all columns of its schema, in order and of one type, so that every wave and programme looks alike."""
    import pyarrow as pa

    items = [item for item in programme.items if item.kind != "verbatim"] if name == "responses" else []
    types = {column.name: column.type for column in schema.TABLES[name]} | {item.id: "words" if item.kind == "nominal" else "number" for item in items}
    if name in ("responses", "verbatims"):
        types |= dict.fromkeys([one for one in intake.OFTEN if one in types and one not in {item.id for item in items}], "words")  # a question may be called item
    required = {column.name for column in schema.TABLES[name] if column.required}
    return pa.table({column: _column(frame, column, kind, column in required) for column, kind in types.items()})


def _numbers(values: np.ndarray):
    """Return numbers in Arrow as they lie in memory (NaN where there is none), with the bits that say which of them are there."""
    import pyarrow as pa

    gone = np.isnan(values)
    return pa.Array.from_buffers(pa.float64(), len(values), [pa.py_buffer(np.packbits(~gone, bitorder="little")) if gone.any() else None, pa.py_buffer(values)])


def _column(frame: pd.DataFrame, name: str, kind: str, required: bool):
    import pyarrow as pa

    if name not in frame and kind in ("whole", "number", "flag") and len(frame):
        return _numbers(np.full(len(frame), np.nan))
    if name not in frame:
        return pa.nulls(len(frame), {"date": pa.timestamp("us"), "moment": pa.timestamp("us"), "text": pa.large_string(), "words": parquet.words()}.get(kind, pa.int64() if kind == "whole" and required and not len(frame) else pa.float64()))
    values = frame[name]
    if kind in ("date", "moment"):
        return pa.array(pd.to_datetime(values).astype("datetime64[us]"), pa.timestamp("us"), from_pandas=True)
    if kind == "whole" and required and not values.isna().any():
        return pa.array(values.astype("int64"))
    if kind in ("whole", "number", "flag"):
        return _numbers(np.ascontiguousarray(values.astype("float64").to_numpy() if len(values) else np.empty(0), dtype=np.float64))
    if kind == "words":
        return parquet.words(values)
    if isinstance(values.dtype, pd.StringDtype) and values.dtype.storage == "pyarrow":
        return raw.arrow(values)
    return raw.arrow(pd.Series(np.where(values.isna(), None, values), dtype="str"))
