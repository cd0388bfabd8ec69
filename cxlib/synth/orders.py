"""Orders: monthly bills, top-ups and add-ons with their margin, and what the loyalty call added to them."""

import numpy as np
import pandas as pd

from . import actions, company, customers, draws

FEES = {"Fernau": (24.99, 34.99, 44.99, 59.99), "Kolibri": (9.99, 14.99, 19.99)}
FEE_SHARES = {"Fernau": (0.30, 0.36, 0.24, 0.10), "Kolibri": (0.40, 0.40, 0.20)}
TOP_UPS, TOP_UP_RATE = (10.0, 15.0, 20.0, 30.0), 0.85
ADD_ONS, ADD_ON_SHARES = {"data pass": 12.99, "roaming week": 17.99, "second sim": 9.99, "device cover": 24.99}, (0.46, 0.24, 0.18, 0.12)
ADD_ON_RATE, ADD_ON_MARGIN = 0.13, 0.62          # a month; share of the price
MARGIN = {"contract": 0.40, "prepaid": 0.34}


def orders(folk: pd.DataFrame, calls: pd.DataFrame, *, seed: int, world: str) -> pd.DataFrame:
    """One row a purchase: order_id, person_id, ordered_on, product, amount, margin, currency (EUR, CHF in Switzerland); owners only, they pay the bill.

    `calls` is the log of the loyalty call: each reached customer buys EXTRA add-ons on average in the 90 days after assignment (none in the
    null world)."""
    owner = np.flatnonzero(folk["role"] == "owner")
    who = folk.iloc[owner].reset_index(drop=True)
    months = np.arange(company.FIRST_DAY.astype("datetime64[M]"), company.LAST_DAY.astype("datetime64[M]") + 1)
    shape, prepaid = (len(who), len(months)), (who["contract"] == "prepaid").to_numpy()
    parts = [bills(who, months, shape, prepaid, seed), top_ups(who, months, shape, prepaid, seed), add_ons(who, months, shape, seed),
             extras(folk, calls, seed=seed, world=world)]
    frame = pd.concat(parts, ignore_index=True)
    here = customers.active(folk.set_index("person_id").loc[frame["person_id"]].reset_index(), frame["ordered_on"].to_numpy())
    frame = frame[here & (frame["ordered_on"].to_numpy() <= company.LAST_DAY)].sort_values(["ordered_on", "person_id", "product"], kind="stable").reset_index(drop=True)
    # Swiss customers pay in francs.
    swiss = frame["person_id"].isin(folk.loc[folk["country"] == "CH", "person_id"]).to_numpy()
    franc = np.where(swiss, company.rate(frame["ordered_on"].to_numpy()), 1.0)
    frame = frame.assign(amount=np.round(frame["amount"] / franc, 2), margin=np.round(frame["margin"] / franc, 2), currency=np.where(swiss, "CHF", "EUR"))
    frame.insert(0, "order_id", [f"O{number:08d}" for number in range(1, len(frame) + 1)])
    return frame


def purchase(who: pd.DataFrame, row, day, product, amount, share) -> pd.DataFrame:
    """Rows of the table: prices and margins in whole cents."""
    return pd.DataFrame({"person_id": who["person_id"].to_numpy()[row], "ordered_on": day.astype("datetime64[s]"), "product": product,
                         "amount": np.round(amount, 2), "margin": np.round(amount * share, 2), "currency": "EUR"})


def bills(who, months, shape, prepaid, seed) -> pd.DataFrame:
    """A bill on the first of each month after joining: the plan, and now and then calls outside it."""
    fee = np.zeros(len(who))
    for brand, fees in FEES.items():
        drawn = draws.pick((seed, "orders", f"fee-{brand}"), len(who), fees, FEE_SHARES[brand])
        fee = np.where(who["brand"] == brand, drawn, fee)
    row, month = np.nonzero(np.broadcast_to(~prepaid[:, None], shape))
    outside = np.where(draws.uniform((seed, "orders", "outside"), *shape) < 0.15, 2 + 6 * draws.uniform((seed, "orders", "calls"), *shape), 0.0)[row, month]
    share = MARGIN["contract"] + 0.05 * draws.normal((seed, "orders", "cost"), *shape)[row, month]
    return purchase(who, row, months[month].astype("datetime64[D]"), "plan", fee[row] + outside, share)


def top_ups(who, months, shape, prepaid, seed) -> pd.DataFrame:
    """Prepaid customers top up when they need to."""
    row, month = np.nonzero(draws.happens((seed, "orders", "top-up"), np.full(shape, TOP_UP_RATE)) & prepaid[:, None])
    day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", "top-up day"), len(row), 0, 27).astype("timedelta64[D]")
    amount = draws.pick((seed, "orders", "top-up amount"), len(row), TOP_UPS, (0.35, 0.35, 0.2, 0.1))
    return purchase(who, row, day, "top-up", amount, MARGIN["prepaid"] + 0.05 * draws.normal((seed, "orders", "top-up cost"), len(row)))


def add_ons(who, months, shape, seed) -> pd.DataFrame:
    """Add-ons that people buy anyway."""
    row, month = np.nonzero(draws.happens((seed, "orders", "add-on"), np.full(shape, ADD_ON_RATE)))
    day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", "add-on day"), len(row), 0, 27).astype("timedelta64[D]")
    product = draws.pick((seed, "orders", "add-on product"), len(row), list(ADD_ONS), ADD_ON_SHARES)
    return purchase(who, row, day, product, pd.Series(product).map(ADD_ONS).to_numpy(), ADD_ON_MARGIN)


def extras(folk, calls, *, seed, world) -> pd.DataFrame:
    """Add-ons that the loyalty call sold. Drawn for everybody, kept for those it reached: the purchases of one do not move another's."""
    rate = folk["contract"].map(actions.EXTRA).to_numpy() * company.truthful(world)
    many = draws.count((seed, "orders", "extra"), rate)
    day, product = draws.uniform((seed, "orders", "extra day"), len(folk), 8), draws.uniform((seed, "orders", "extra product"), len(folk), 8)
    reached = calls[calls["delivered_on"].notna()]
    person = np.repeat(reached["person"].to_numpy(), np.minimum(many[reached["person"]], 8))
    turn = pd.Series(person).groupby(person).cumcount().to_numpy() if len(person) else np.array([], dtype=int)
    assigned = np.repeat(reached["delivered_on"].to_numpy().astype("datetime64[D]"), np.minimum(many[reached["person"]], 8))
    left = actions.WINDOW_DAYS - 6
    when = assigned + np.floor(day[person, turn] * left).astype("timedelta64[D]")
    edges = np.cumsum(ADD_ON_SHARES)
    bought = np.array(list(ADD_ONS))[np.minimum(np.searchsorted(edges, product[person, turn], side="right"), len(edges) - 1)]
    return purchase(folk, person, when, bought, pd.Series(bought, dtype=str).map(ADD_ONS).to_numpy(dtype=float), ADD_ON_MARGIN)
