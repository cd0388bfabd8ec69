"""The columns of every finding, with type, unit, example and meaning, and of every table: one place, printed by ``cx check --schema``."""

from cxlib.columns import TABLES, Column, unit
from cxlib.errors import DataError, nearest
from cxlib.findings import FINDINGS

__all__ = ["FINDINGS", "TABLES", "Column", "check", "finding", "unit"]


def finding(name: str) -> tuple[Column, ...]:
    """Return the columns of a finding; `claims_03_...` and `tests_03_...` are the claims and tests of one study."""
    stem = name.split("_")[0] if name.startswith(("claims_", "tests_")) else name
    if stem not in FINDINGS:
        raise DataError(f"'{name}' is not a finding{nearest(name, FINDINGS)}; declare its columns in cxlib/findings.py.")
    return FINDINGS[stem]


def check(name: str, frame):
    """Return a finding with its declared columns in their order and types; optional ones that are not there are empty.

    Raises DataError naming the finding, the column, the row and the value for columns that are missing, unknown or of another
    type, and for infinite numbers.
    """
    import numpy as np
    import pandera.pandas as pa

    columns = finding(name)
    known = [column.name for column in columns]
    for column in frame.columns:
        if column not in known:
            raise DataError(f"finding '{name}': '{column}' is not one of its columns{nearest(column, known)} (known: {', '.join(known)}).")
    for column in columns:
        if column.required and column.name not in frame:
            raise DataError(f"finding '{name}': the column '{column.name}' is missing.")
    frame = frame.reindex(columns=known).reset_index(drop=True)
    types = {"text": "str", "date": "datetime64[us]", "moment": "datetime64[us]"}
    contract = pa.DataFrameSchema(
        {
            column.name: pa.Column(
                types.get(column.type, "int64" if column.type in ("whole", "flag") and column.required else "float64"),
                nullable=not column.required,
                checks=None if column.type in types else pa.Check(lambda values: ~np.isinf(values.astype(float)), error="infinite"),
            )
            for column in columns
        },
        coerce=True,
    )
    try:
        return contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        case = error.failure_cases.iloc[0]
        raise DataError(f"finding '{name}': row {case['index']}, column '{case['column']}': '{case['failure_case']}' breaks the rule {case['check']}.") from None
