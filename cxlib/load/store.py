"""The store: a folder of Parquet, one file a table, written once for a hash of the inputs and never changed."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib import columns, quarters, questionnaire, schema
from cxlib import programme as programmes
from cxlib.errors import DataError
from cxlib.load import intake, rows, unify
from cxlib.programme import Programme

# The day that places a row of a table in time; later days in other columns are not known yet in an earlier quarter.
_DATED = {"interactions": "at", "events": "at", "orders": "ordered_on", "offers": "offered_on", "actions": "assigned_on", "invitations": "sent_on", "people": "joined_on", "accounts": "since"}


def digest(programme: Programme) -> str:
    """Return the hash of everything the store is made from: the programme's files, the raw files and the code that reads them."""
    total = hashlib.sha256()
    for path in (*sorted(Path(__file__).parent.rglob("*.py")), *(Path(one.__file__) for one in (columns, programmes, questionnaire, quarters))):
        total.update(path.read_bytes())
    total.update(repr(sorted(fingerprints(programme).items())).encode())
    total.update(unify.means(programme).encode())
    return total.hexdigest()


def fingerprints(programme: Programme) -> dict[str, str]:
    """Return the SHA-256 of everything a programme is made from: its files, and the tables it reads from servers as they are now."""
    from cxlib.load.readers import database

    return programme.fingerprints() | {f"database/{one.database_table}": database.digest(one) for one in (*programme.waves, *programme.sources) if one.database}


def build(programme: Programme) -> dict[str, pd.DataFrame]:
    """Return every table of a programme from its raw files, under the columns of `schema.TABLES`; tables without a file are empty."""
    waves = [intake.wave(programme, wave, raw) for wave, raw in rows.by_wave(programme)]
    waves, sources, matched = unify.join(programme, waves, [intake.source(programme, source) for source in programme.sources])
    others = [(source.table, one) for source, one in zip(programme.sources, sources)]
    everything = [*waves, *(one for _, one in others)]
    tables = {
        "responses": _stack([one.frame for one in waves]),
        "verbatims": _stack([one.verbatims for one in waves]),
        "coverage": _stack([one.coverage for one in waves]),
        "files": pd.DataFrame([one.file for one in everything]),
        "repairs": _stack([one.repairs for one in everything]),
        **matched,
    }
    for name in schema.TABLES:
        if name not in tables:
            tables[name] = _stack([one.frame for table, one in others if table == name])
    tables = unify.covered(tables)
    tables["responses"]["weight"] = tables["responses"].get("weight", pd.Series(1.0, index=tables["responses"].index)).astype(float).fillna(1.0)
    items = [item for item in programme.items if item.kind != "verbatim"]
    return {name: _typed(frame, name, items if name == "responses" else []) for name, frame in tables.items()}


def write(programme: Programme, folder: Path) -> Path:
    """Return the folder of the store under `folder`, made now if it is not there: a temporary name, then one rename."""
    place = Path(folder) / digest(programme)[:16]
    if place.is_dir():
        return place
    tables = build(programme)
    temporary = place.with_name(f".{place.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name, frame in tables.items():
        frame.to_parquet(temporary / f"{name}.parquet", index=False, compression="zstd")
    try:
        temporary.rename(place)
    except OSError:  # another run was faster, and what it wrote is the same
        shutil.rmtree(temporary)
    return place


class Tables:
    """The tables of a programme as known at the end of a quarter, and the three verbs that touch rows.

    `tables["orders"]` is a frame. `tally`, `moments` and `map` do what touches many rows inside the engine and return small frames.
    """

    def __init__(self, folder: Path, programme: Programme, quarter: str):
        self.folder, self.programme, self.quarter = Path(folder), programme, quarter
        self.end = quarters.bounds(quarter, start=programme.fiscal_year_start, label=programme.fiscal_year_label)[1]
        self._connection = None

    def __getitem__(self, name: str) -> pd.DataFrame:
        frame = self._table(name).to_pyarrow().to_pandas()
        for column in schema.TABLES[name]:
            if column.type in ("date", "moment") and column.name in frame:
                frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[us]")
                if column.name != _DATED.get(name):  # what happened later was not known then
                    frame[column.name] = frame[column.name].where(frame[column.name] < pd.Timestamp(self.end) + pd.Timedelta(days=1))
            elif column.type in ("number", "whole", "flag") and column.name in frame:
                frame[column.name] = frame[column.name].astype("int64" if column.type == "whole" and column.required else "float64")
        return frame

    def __contains__(self, name: str) -> bool:
        """Whether a table has rows up to the quarter."""
        return name in schema.TABLES and bool(self._table(name).count().to_pyarrow().as_py())

    def tally(self, name: str, *, by: list[str], weight: str | None = "weight", where: dict | None = None) -> pd.DataFrame:
        """Return counts by keys: the keys, n (rows), weight and weight_sq (sums of the weights and of their squares)."""
        table = self._where(name, where)
        weights = table[weight].cast("decimal(18,9)").cast("decimal(38,9)") if weight else None  # exact sums: the same at any number of threads
        sums = {"n": table.count()}
        if weight:
            sums |= {"weight": weights.sum().cast("float64"), "weight_sq": (table[weight] * table[weight]).cast("decimal(38,12)").sum().cast("float64")}
        return table.group_by(by).agg(**sums).order_by(by).to_pyarrow().to_pandas()

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
            return table.filter(table["quarter"] <= self.quarter)
        day = _DATED.get(name)
        return table.filter(table[day].isnull() | (table[day].cast("date") <= self.end)) if day else table

    def _where(self, name: str, where: dict | None):
        table = self._table(name)
        for column, value in (where or {}).items():
            table = table.filter(table[column].isin(value) if isinstance(value, list | tuple) else table[column] == value)
        return table


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    frames = [frame for frame in frames if len(frame.columns)]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True) if frames else pd.DataFrame()


def _typed(frame: pd.DataFrame, name: str, items) -> pd.DataFrame:
    """Return a table with all columns of its schema, in order and of one type, so that every wave and programme looks alike."""
    frame = frame.copy()
    types = {column.name: column.type for column in schema.TABLES[name]} | {item.id: "text" if item.kind == "nominal" else "number" for item in items}
    for column, kind in types.items():
        values = frame[column] if column in frame else pd.Series([None] * len(frame), dtype=object)
        if kind in ("date", "moment"):
            frame[column] = pd.to_datetime(values).astype("datetime64[us]")
        elif kind in ("number", "flag"):
            frame[column] = values.astype("float64") if len(values) else pd.Series(dtype="float64")
        elif kind == "whole":
            frame[column] = values.astype("float64") if values.isna().any() else values.astype("int64")
        elif isinstance(values.dtype, pd.StringDtype) and values.dtype.storage == "pyarrow":
            frame[column] = values.astype("str")
        else:
            frame[column] = pd.Series(np.where(values.isna(), None, values), dtype="str", index=frame.index)
    return frame[list(types)]
