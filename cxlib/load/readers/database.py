"""A table of a database: a PostgreSQL server by its URL, or a DuckDB or SQLite file under raw/.

A file is read in a confined process, and views in it are never run. A table has no order of its own, so rows are put into
the order of their cells: the same table gives the same rows each time.
"""

import hashlib
import os
from pathlib import Path

from cxlib.errors import DataError, nearest
from cxlib.load.readers import confined, headers, raw
from cxlib.load.readers.raw import Raw
from cxlib.programme import Reading

POSTGRES = ("postgresql://", "postgres://")
UNPACKED = 16  # both keep repeated values once
# Cells as text must not depend on the settings of the server or of the person who connects.
SETTINGS = ("SET datestyle = 'ISO, YMD'", "SET timezone = 'UTC'", "SET intervalstyle = 'iso_8601'", "SET extra_float_digits = 1", "SET bytea_output = 'hex'")
COLUMNS = """
    SELECT a.attname, coalesce(col_description(a.attrelid, a.attnum), '') FROM pg_attribute a
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"


def read_server(reading: Reading) -> Raw:
    """Return a table of a PostgreSQL server as Raw; comments on columns are their wording. Needs the package adbc-driver-postgresql.

    Raises DataError naming the server's word where it cannot be reached, refuses, breaks off, or has no such table.
    """
    url, secret = _url(reading)
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise DataError("PostgreSQL is read through the package adbc-driver-postgresql, which is not installed: pip install 'cxlib[postgres]'.") from None
    try:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            for setting in SETTINGS:
                cursor.execute(setting)
            columns = _columns(cursor, reading.database_table)
            cells = ", ".join(f"{quoted(name)}::text AS c{place}" for place, (name, _) in enumerate(columns))
            cursor.execute(f"SELECT {cells} FROM {_qualified(reading.database_table)}")
            table = cursor.fetch_arrow_table()
    except dbapi.Error as error:
        said = (str(error).splitlines() or [""])[0].replace(url, "the URL")
        said = said.replace(secret, "...") if secret else said
        raise DataError(f"{reading.database_table}: PostgreSQL gives up ({said[:300]}); check 'database' and 'database_table' in programme.toml, and the server.") from None
    return _raw(table, [name for name, _ in columns], "postgresql", {name: text for name, text in columns if text}, reading.database_table)


def digest(reading: Reading) -> str:
    """Return the SHA-256 of a server's table as it is now: what stands for a file's in the record of inputs."""
    return fingerprint(read_server(reading))


def fingerprint(found: Raw) -> str:
    total = hashlib.sha256(repr(list(found.frame.columns)).encode())
    for column in found.frame:
        total.update("\x1f".join(found.frame[column]).encode())
    return total.hexdigest()


def read(path: Path, reading: Reading) -> Raw:
    """Return a table of a DuckDB or SQLite file as Raw; the only table where none is named."""
    with path.open("rb") as file:
        start = file.read(16)
    if start == b"SQLite format 3\0":
        return _file(path, "sqlite", reading.database_table)
    if start[8:12] == b"DUCK":
        return _file(path, "duckdb", reading.database_table)
    raise DataError(f"{path.name}: this is neither a DuckDB nor a SQLite file, or it is damaged; fetch it again.")


def names(path: Path) -> list[str]:
    """Return the tables of a DuckDB or SQLite file, in the order of their names."""
    with path.open("rb") as file:
        start = file.read(16)
    try:
        if start == b"SQLite format 3\0":
            import sqlite3
            from contextlib import closing
            from urllib.parse import quote

            with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)) as connection:
                return [name for (name,) in connection.execute(SQLITE_TABLES)]
        import duckdb

        with duckdb.connect(str(path.resolve()), read_only=True, config={"enable_external_access": "false", "autoload_known_extensions": "false"}) as connection:
            rows = connection.execute("SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2").fetchall()
            return [name if schema == "main" else f"{schema}.{name}" for schema, name in rows]
    except Exception:  # whatever is wrong with the file, reading it says so in a sentence
        return []


def quoted(name: str) -> str:
    """Return an identifier as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _qualified(table: str) -> str:
    return ".".join(quoted(part) for part in table.split("."))


def _url(reading: Reading) -> tuple[str, str]:
    """Return (the URL, its password), from the variable that 'database' names where it names one."""
    url = reading.database
    if url.startswith("env:"):
        url = os.environ.get(url[4:], "")
        if not url:
            raise DataError(f"{reading.database_table}: the variable '{reading.database[4:]}' that holds the database's URL is not set; set it, e.g. to postgresql://user@host/name.")
    if not url.startswith(POSTGRES):
        raise DataError(f"{reading.database_table}: '{url.split(':')[0]}' is no server that is read; the URL must begin with postgresql:// (DuckDB and SQLite files are named by 'file').")
    from urllib.parse import urlsplit

    return url, urlsplit(url).password or ""


def _columns(cursor, table: str) -> list:
    if not table:
        raise DataError("'database' needs 'database_table', the table to read, e.g. survey.annual_2026.")
    cursor.execute(COLUMNS, parameters=(_qualified(table),))
    columns = cursor.fetchall()
    if not columns:
        cursor.execute(TABLES)
        known = [name for (name,) in cursor.fetchall()]
        raise DataError(f"{table}: the database has no such table{nearest(table, known)} (there are {', '.join(known[:8]) or 'none'}).")
    return columns


def _missing(table: str, facts: dict, path: Path) -> DataError:
    """Return the sentence for a table that is not there, is no table, or is not named where there are several."""
    known, views = facts["known"], facts["views"]
    there = ", ".join(known[:8]) or "none"
    if table in views or (not table and not known and views):
        return DataError(f"{path.name}: '{table or views[0]}' is a view, a query that is never run; write its rows into a table (there are {there}), or export them as Parquet.")
    if not table:
        return DataError(f"{path.name}: the file has the tables {', '.join(known[:8]) or '(none)'}; name one as 'database_table' in programme.toml.")
    return DataError(f"{path.name}: there is no table '{table}'{nearest(table, known)}; the file has {there}.")


def _file(path: Path, kind: str, wanted: str) -> Raw:
    facts, table = confined.run("database", path, {"kind": kind, "table": wanted}, size=UNPACKED * path.stat().st_size)
    if facts["names"] is None:
        raise _missing(wanted, facts, path)
    return _raw(table.drop_columns(["#"]) if kind == "sqlite" else table, facts["names"], kind, facts["wording"], path.name)


def _raw(table, names: list[str], encoding: str, wording: dict, where: str) -> Raw:
    import pyarrow as pa

    header = headers.read([names], where, "one")
    table = pa.table([raw.words(column) for column in table.columns], names=header.names)
    if len(table):
        table = table.sort_by([(name, "ascending") for name in header.names])
    return raw.table(table, first_row=1, encoding=encoding, wording=wording, notes=header.notes)
