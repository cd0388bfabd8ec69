"""Currencies: amounts of one money are not added to those of another without a dated rate."""

import numpy as np
import pandas as pd

from cxlib.errors import DataError

MONEY = {"orders": ("ordered_on", ("amount", "margin")), "actions": ("assigned_on", ("cost",)), "sales": ("sold_on", ("value", "price"))}  # the day and the amounts of each table


def converted(frame: pd.DataFrame, programme, *, file: str, table: str = "orders") -> pd.DataFrame:
    """Return orders, actions or sales with their amounts in the programme's currency.

    in: the rows of a file as they were read: for orders ordered_on, amount, margin, currency (empty: the programme's own), for the others as `MONEY` says. An amount in
    another currency counts at the rate of the latest day that is not after the row's. Raises DataError where the programme has no such rate: without one, such amounts would be added as they stand.
    """
    if "currency" not in frame or frame["currency"].isna().all():
        return frame
    own = frame["currency"].fillna(programme.currency).astype(str).str.strip().str.upper()
    factor = pd.Series(1.0, index=frame.index)
    dated, amounts = MONEY[table]
    day = pd.to_datetime(frame[dated])
    for currency in sorted(set(own) - {programme.currency}):
        rows = own == currency
        known = sorted((pd.Timestamp(one.day), one.rate) for one in programme.rates if one.currency == currency)
        place = np.searchsorted(np.array([at.to_datetime64() for at, _ in known], dtype="datetime64[ns]"), day[rows].to_numpy().astype("datetime64[ns]"), side="right") - 1
        if not known or (place < 0).any():
            first = day[rows].min().date()
            raise DataError(f"{file}: {int((place < 0).sum() if known else rows.sum()):,} rows are in {currency} and have no rate into {programme.currency} of their day or before (the first is of {first}); add [[rates]] with currency = '{currency}', rate and day to programme.toml.")
        factor[rows] = np.array([rate for _, rate in known])[place]
    return frame.assign(**{name: frame[name].astype(float) * factor for name in amounts if name in frame}, currency=programme.currency)
