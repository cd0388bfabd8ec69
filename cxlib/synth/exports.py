"""Raw exports: the same answers in the forms in which files arrive, column names and codes of their own year included."""

import csv
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from . import company, deflate

WORDINGS = {"recommend": "How likely are you to recommend us to a friend or colleague?", "satisfaction": "How satisfied are you with us overall?",
            "ease": "The company made it easy for me to handle my issue.", "repurchase": "If you had to choose again, would you choose us?",
            "complained": "Have you made a complaint in the last twelve months?", "complaint": "How we handled your complaint",
            "most": "Which of these matters most to you?", "second": "And which comes second?",
            "contacted": "Have you contacted us in the last twelve months?", "solved": "How well was your matter solved?",
            "why": "What is the main reason for your score?", "improve": "What should we do better?",
            **{attribute.id: attribute.wording for attribute in company.ATTRIBUTES}}
# The agency of 2026 asked the attributes in an order of its own.
ORDER_2026 = ("price", "terms", "billing", "coverage", "speed", "waiting", "staff", "competence", "app", "shop", "delivery")
COLUMNS = {
    "2024Q3": {"response_id": "lfdnr", "date": "Datum", "person_id": "Kundennr", "brand": "Marke", "region": "Region", "country": "Land", "language": "Sprache", "contract": "Tarif", "channel": "Kanal",
               "recommend": "F1_Weiterempfehlung", "satisfaction": "F2_Zufriedenheit", "ease": "F3_einfach", "repurchase": "F4_Wiederwahl",
               **{item: f"F5_{number}" for number, item in enumerate(company.IDS, 1)}, "why": "F6_Begründung", "improve": "F7_Verbesserung", "weight": "Gewicht"},
    "2025Q3": {"response_id": "Response ID", "date": "Interview date", "person_id": "Customer no.", "brand": "Brand", "region": "Region", "country": "Country", "language": "Language", "contract": "Tariff type",
               "channel": "Mode", "recommend": "Q1 Recommendation (0-10)", "satisfaction": "Q2 Satisfaction", "ease": "Q3 Made it easy", "repurchase": "Q4 Choose again",
               **{item: f"Q5 {WORDINGS[item]}" for item in company.IDS}, "contacted": "Q6 Contacted", "solved": "Q6a Solved",
               "complained": "Q6b Complained", "complaint": "Q6c Complaint handled",
               "why": "Q7 Reason", "improve": "Q8 Do better", "weight": "Weight"},
    "2026Q3": {"start": "StartDate", "end": "EndDate", "status": "Status", "progress": "Progress", "seconds": "Duration (in seconds)", "finished": "Finished",
               "recorded": "RecordedDate", "response_id": "ResponseId", "person_id": "ExternalReference", "channel": "DistributionChannel", "language": "UserLanguage",
               "recommend": "Q8", "satisfaction": "Q9", "ease": "Q10", "repurchase": "Q11", **{item: f"Q12_{number}" for number, item in enumerate(ORDER_2026, 1)},
               "contacted": "Q13", "solved": "Q14", "complained": "Q15", "complaint": "Q16",
               "most": "Q17", "second": "Q18", "why": "Q19", "improve": "Q20", "brand": "Brand", "region": "Region", "country": "Country", "contract": "Contract", "weight": "Weight"}}
PULSE_COLUMNS = {
    "first": {"response_id": "id", "date": "date", "contact": "contact_date", "person_id": "customer", "recommend": "nps", "satisfaction": "csat", "ease": "ces",
              "comment": "comment", "channel": "channel", "brand": "brand", "region": "region", "country": "country", "language": "language", "contract": "tariff", "touchpoint": "touchpoint", "team": "team", "desk": "desk"},
    "second": {"response_id": "response_id", "answered_at": "answered_at", "contact": "contact_on", "person_id": "customer_id", "recommend": "q1_recommend",
               "satisfaction": "q2_satisfaction", "ease": "q3_easy", "comment": "q4_comment", "channel": "channel", "brand": "brand", "region": "region", "country": "country", "language": "language",
               "contract": "contract", "touchpoint": "touchpoint", "team": "team", "desk": "desk"},
    "third": {"response_id": "ResponseId", "answered_at": "AnsweredAt", "contact": "ContactOn", "person_id": "CustomerNo", "recommend": "Recommend",
              "satisfaction": "Satisfaction", "ease": "Ease", "comment": "Comment", "channel": "Channel", "brand": "Brand", "region": "Region", "country": "Country", "language": "Language", "contract": "Contract",
              "touchpoint": "Touchpoint", "team": "Team", "desk": "Desk"}}

NOTES_2025 = ["Q5: 1 = very poor ... 5 = very good, 6 = never used", "Q6: 1 = yes, 2 = no; Q6a only if Q6 = 1", "Q6b: 1 = yes, 2 = no; Q6c only if Q6b = 1", "Weight: age and tariff type, to the customer base"]


def shape(wave: str) -> str:
    """Which shape a quarter's pulse file has: the tool changed twice."""
    return "first" if wave <= "2024Q3" else "second" if wave <= "2025Q3" else "third"


# The archive keeps most of the older quarters in Parquet, every cell as the text it was exported as.
AS_TEXT = ("2023Q4", "2024Q2", "2024Q3", "2025Q1", "2025Q2", "2025Q3")


def cells(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """The columns of an export under its own names, every cell an object (blank: None), ready for faults."""
    taken = pd.DataFrame({name: [None if blank else value for value, blank in zip(frame[column].astype(object), frame[column].isna())]
                          for column, name in columns.items()}, dtype=object)
    return taken.astype(object).where(taken.notna(), None)


def annual(frame: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The cells of one annual file."""
    day = frame["answered_at"].dt
    ready = frame.assign(solved=frame["solved"].where(frame["contacted"] == 1).astype("Int64"))
    if wave == "2024Q3":
        ready = ready.assign(date=day.strftime("%d.%m.%Y"), contract=frame["contract"].map({"contract": "Vertrag", "prepaid": "Prepaid"}), weight=[f"{value:.2f}".replace(".", ",") for value in frame["weight"]],
                             response_id=[f"{240001 + number}" for number in range(len(frame))])
    elif wave == "2025Q3":
        ready = ready.assign(date=day.normalize())
    else:
        begun = frame["answered_at"] - pd.to_timedelta(frame["seconds"], unit="s")
        write = lambda times: times.dt.strftime("%Y-%m-%d %H:%M:%S")
        ready = ready.assign(start=write(begun), end=write(frame["answered_at"]), recorded=write(frame["answered_at"] + pd.Timedelta(seconds=1)),
                             status="IP Address", progress=100, finished="True", language=frame["language"], weight=[f"{value:.2f}" for value in frame["weight"]])
    return cells(ready, COLUMNS[wave])


def pulse(frame: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The cells of one pulse file."""
    kind, moment = shape(wave), frame["answered_at"].dt
    ready = frame.assign(date=moment.strftime("%Y-%m-%d"), contact=frame["day"].dt.strftime("%Y-%m-%d"))
    if kind == "second":
        ready = ready.assign(answered_at=moment.strftime("%Y-%m-%dT%H:%M:%S"))
    elif kind == "third":
        ready = ready.assign(contact=frame["day"])
    return cells(ready, PULSE_COLUMNS[kind])


def write_csv(path: Path, rows: pd.DataFrame, *, delimiter: str = ",", encoding: str = "utf-8", headers: list[list[str]] | None = None) -> None:
    """Comma- or semicolon-separated text; what the encoding cannot hold becomes a question mark, as such tools do."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows(headers or [list(rows.columns)])
    writer.writerows(["" if value is None else value for value in row] for row in rows.itertuples(index=False, name=None))
    path.write_bytes(text.getvalue().encode(encoding, errors="replace"))


def write_qualtrics(path: Path, rows: pd.DataFrame, wave: str) -> None:
    """Three header rows: ids, wording, and the import ids by which such a file is known."""
    known = {name: column for column, name in COLUMNS[wave].items()}
    imports = {"StartDate": "startDate", "EndDate": "endDate", "RecordedDate": "recordedDate", "ResponseId": "_recordId", "ExternalReference": "externalDataReference",
               "DistributionChannel": "distributionChannel", "UserLanguage": "userLanguage", "Duration (in seconds)": "duration"}
    wording = [WORDINGS.get(known[name], name) for name in rows.columns]
    ids = [json.dumps({"ImportId": imports.get(name) or (f"QID{name[1:]}" + ("_TEXT" if known[name] in ("why", "improve") else "") if name[0] == "Q" else name)},
                      separators=(",", ":")) for name in rows.columns]
    write_csv(path, rows, headers=[list(rows.columns), wording, ids], encoding="utf-8-sig")


def write_xlsx(path: Path, sheets: dict[str, pd.DataFrame | list[str]], *, title: str, made: datetime) -> None:
    """A workbook of tables and of columns of notes, packed again by our own hands: zlib differs from machine to machine, its output too."""
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "dd/mm/yyyy"})
    book.set_properties({"title": title, "author": "Fieldwork agency", "created": made})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if isinstance(rows, list):
            sheet.write_column(0, 0, rows)
            continue
        sheet.write_row(0, 0, list(rows.columns))
        for number, row in enumerate(rows.itertuples(index=False, name=None), 1):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value.item() if isinstance(value, np.generic) else value)
    book.close()
    with zipfile.ZipFile(packed) as source:
        path.write_bytes(deflate.archive({name: source.read(name) for name in source.namelist()}, year=made.year, month=made.month, day=made.day))


def write_jsonl(path: Path, records: list[dict]) -> None:
    """A record a line, as apps log."""
    path.write_bytes("".join(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n" for record in records).encode())


def write_parquet(path: Path, rows: pd.DataFrame, *, dates: tuple[str, ...] = ()) -> None:
    """Parquet with nothing in it that differs from machine to machine: no pandas metadata, fixed options, days as dates."""
    columns = {}
    for name in rows.columns:
        values = rows[name]
        column = pa.Array.from_pandas(values.dt.date if name in dates else values, type=pa.date32() if name in dates else None)
        if pa.types.is_large_string(column.type):
            column = column.cast(pa.string())
        elif pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms"))
        columns[name] = column
    # Ids that count upwards shrink to almost nothing as differences; everything else is better off with a dictionary.
    counted = [name for name in rows.columns if name in ("order_id", "interaction_id", "record")]
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=15, version="2.6", row_group_size=1 << 20, write_statistics=True, store_schema=False,
                   use_dictionary=[name for name in rows.columns if name not in counted], column_encoding=dict.fromkeys(counted, "DELTA_BYTE_ARRAY") or None)
