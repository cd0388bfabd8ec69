"""A table of a DuckDB or SQLite file on standard output; run by confined.py in a process of its own.

Tables only: a view is a query that somebody else wrote, and is never run. The file is opened for reading, and nothing else is.
"""

import os
import sys
from urllib.parse import quote

sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # behind the standard library: names here are ours only
import confined_child as child

ROWS, LONGEST = 65_536, 64 * 2**20  # of a batch; bytes of a cell


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def chosen(wanted: str, known: list, views: list) -> bool:
    """Whether one table is meant; otherwise tell which there are, and the asker says what is wrong."""
    if wanted in known or (not wanted and len(known) == 1):
        return True
    child.tell({"known": known, "views": views, "names": None, "width": 0})
    return False


def sqlite(path: str, wanted: str) -> None:
    import sqlite3

    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
        connection.execute(f"PRAGMA {setting}")
    everything = connection.execute("SELECT name, type, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
    views = [name for name, kind, sql in everything if kind == "view" or sql.lstrip().upper().startswith("CREATE VIRTUAL")]
    known = [name for name, _, _ in everything if name not in views]
    if not chosen(wanted, known, views):
        return
    cursor = connection.execute(f"SELECT * FROM {quoted(wanted or known[0])}")
    names = [one[0] for one in cursor.description]
    child.tell({"names": names, "width": len(names), "wording": {}})
    child.writer().writerows((line, *map(child.cell, row)) for line, row in enumerate(cursor, start=1))


def duckdb(path: str, wanted: str) -> None:
    import duckdb

    settings = {"enable_external_access": "false", "autoload_known_extensions": "false", "autoinstall_known_extensions": "false", "threads": "1", "memory_limit": "256MB", "temp_directory": "", "lock_configuration": "false"}
    with duckdb.connect(path, read_only=True, config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        rows = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1, 2").fetchall()
        views = [view for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").fetchall()]
        known = {name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in rows}
        if not chosen(wanted, list(known), views):
            return
        schema, name = known[wanted or next(iter(known))]
        facts = connection.execute("SELECT column_name, coalesce(comment, '') FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index", [schema, name]).fetchall()
        cells = ", ".join(f"{quoted(column)} AS c{place}" for place, (column, _) in enumerate(facts))
        reader = connection.sql(f"SELECT {cells} FROM {quoted(schema)}.{quoted(name)}").to_arrow_reader(ROWS)
        child.tell({"names": [column for column, _ in facts], "wording": {column: text for column, text in facts if text}})
        child.stream(reader.schema, reader)


def read(path: str, options: dict) -> None:
    (sqlite if options["kind"] == "sqlite" else duckdb)(path, options["table"])


if __name__ == "__main__":
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    if '"sqlite"' not in sys.argv[2]:
        import duckdb as _  # noqa: F401 - before the limits, which count what is there already
        import pyarrow as _arrow  # noqa: F401
    child.main(read)
