"""Files that were made to do harm, each written by a function that takes its path: small on the disk, large or endless when opened."""

import gzip
import sqlite3
import struct
import zipfile

SHEET = '<?xml version="1.0"?>{dtd}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{body}</worksheet>'
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def workbook(path, body="", dtd="", fill=b""):
    """A workbook of the fewest parts, so that a fault can be put into one."""
    main = "http://schemas.openxmlformats.org"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{main}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{main}/package/2006/relationships"><Relationship Id="r1" Type="{main}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{main}/spreadsheetml/2006/main" xmlns:r="{main}/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{main}/package/2006/relationships"><Relationship Id="r1" Type="{main}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        archive.writestr("xl/worksheets/sheet1.xml", SHEET.format(body=body, dtd=dtd).encode() + fill)
    return path


def far_cell(path):
    rows = f'<sheetData><row r="1">{cell("A1", "id")}</row><row r="1048576">{cell("XFD1048576", "x")}</row></sheetData>'
    workbook(path, f'<dimension ref="A1:XFD1048576"/>{rows}')
    assert path.stat().st_size < 4096


def zip_bomb(path):
    workbook(path, "<sheetData/>", fill=b" " * (300 * 2**20))


def lying_zip_bomb(path):
    zip_bomb(path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rfind(b"PK\x01\x02") + 24, 4096)
    path.write_bytes(content)


def entities(path):
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    workbook(path, f'<sheetData><row r="1">{cell("A1", "&e9;")}</row></sheetData>', dtd=f'<!DOCTYPE a [<!ENTITY e0 "ha">{names}]>')


def outside_entity(path):
    workbook(path, f'<sheetData><row r="1">{cell("A1", "&b;")}</row></sheetData>', dtd='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>')


def encrypted(path):
    path.write_bytes(OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"))


def old_kind(path):
    path.write_bytes(OLE + bytes(2000))


def gzip_bomb(path):
    path.write_bytes(gzip.compress(b"id,land,person,recommend,price,comment\n" + b"1,2,3,4,5,6\n" * (40 * 2**20)))


def repeated_rows(path):
    """A Parquet file of 40 million rows that are all the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    many = pa.array([7] * 2**20, pa.int64())
    with pq.ParquetWriter(path, pa.schema([("id", pa.int64())]), compression="zstd") as out:
        for _ in range(40):
            out.write_table(pa.table({"id": many}), row_group_size=2**20)


def swollen_page(path):
    """A Parquet file of one row that unpacks to 400 MiB."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": pa.array([b"\0" * (400 * 2**20)], pa.large_binary())}), path, compression="zstd", use_dictionary=False, write_statistics=False)


def computed_column(path):
    """An SQLite file whose column is computed when it is read: half a gigabyte a row."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE a (id INTEGER, land TEXT GENERATED ALWAYS AS (hex(zeroblob(30000000))) VIRTUAL)")
        connection.executemany("INSERT INTO a (id) VALUES (?)", [(n,) for n in range(30)])
    connection.close()


def scattered_keys(path):
    path.write_text("".join(f'{{"k{n}": 1}}\n' for n in range(40_000)))


# What it is -> (the file's name, who writes it, what the sentence holds)
BOMBS = {
    "far cell": ("a.xlsx", far_cell, "far more memory|gave up|cannot be read|far longer|value in column 16384"),
    "zip bomb": ("a.xlsx", zip_bomb, "unpacks to 300 MiB"),
    "zip bomb that lies": ("a.xlsx", lying_zip_bomb, "damaged|cannot be read|gave up|no sheet|is empty"),
    "entity bomb": ("a.xlsx", entities, "declares a document type"),
    "outside entity": ("a.xlsx", outside_entity, "declares a document type"),
    "encrypted": ("a.xlsx", encrypted, "encrypted with a password"),
    "old kind": ("a.xlsx", old_kind, r"old kind \(\.xls\)"),
    "gzip bomb": ("a.csv.gz", gzip_bomb, "swells more than"),
    "repeated rows": ("a.parquet", repeated_rows, "more than its size can hold|swells"),
    "swollen page": ("a.parquet", swollen_page, "far more memory|cannot be read|gave up|swells"),
    "computed column": ("a.sqlite", computed_column, "far more|gave up|swells|far longer|too big|cannot be read"),
    "scattered keys": ("a.jsonl", scattered_keys, "different keys"),
}
