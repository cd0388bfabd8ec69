"""Orders: monthly bills, top-ups and add-ons with their margin, returns, and what actions added to them."""

import numpy as np
import pandas as pd

from . import actions, company, customers, draws

FEES = {"Fernau": (24.99, 34.99, 44.99, 59.99), "Kolibri": (9.99, 14.99, 19.99)}
FEE_SHARES = {"Fernau": (0.30, 0.36, 0.24, 0.10), "Kolibri": (0.40, 0.40, 0.20)}
TOP_UPS, TOP_UP_RATE = (10.0, 15.0, 20.0, 30.0), 0.85
# Prepaid customers top up as often whatever they think of the company, as long as they think little of it; above the threshold of their lasting opinion (recommendation before rounding) more often for each point of it, and for more.
THRESHOLD, BELOW, ABOVE, AGAIN, LARGER = 7.5, 0.62, 0.13, 0.14, 0.22       # the chance of a month below, and what a point adds to it, to that of a second and of a larger one
RETURNED = (-29.0, -9.0)                         # what is paid back: at least, and at most on top
ADD_ONS, ADD_ON_SHARES = {"data pass": 12.99, "roaming week": 17.99, "second sim": 9.99, "device cover": 24.99}, (0.46, 0.24, 0.18, 0.12)
ADD_ON_RATE, ADD_ON_MARGIN = 0.13, 0.62          # a month; share of the price
MARGIN = {"contract": 0.40, "prepaid": 0.34}


def orders(folk: pd.DataFrame, held: dict, calls: pd.DataFrame, *, seed: int, world: str) -> pd.DataFrame:
    """One row a purchase: order_id, person_id, ordered_on, product, amount, margin, currency (EUR, CHF in Switzerland); owners only, they pay the bill.

    `calls` is the log of all actions: each customer reached buys EXTRAS add-ons on average in the 90 days after assignment, the customers of shops with advisers
    some more a month (none in the null world)."""
    owner = np.flatnonzero(folk["role"] == "owner")
    who = folk.iloc[owner].reset_index(drop=True)
    months = np.arange(company.FIRST_DAY.astype("datetime64[M]"), company.LAST_DAY.astype("datetime64[M]") + 1)
    shape, prepaid = (len(who), len(months)), (who["contract"] == "prepaid").to_numpy()
    parts = [bills(who, months, shape, prepaid, seed), top_ups(who, months, shape, prepaid, above(held, world=world)[owner], seed), add_ons(who, months, shape, seed),
             *(extras(folk, calls[calls["action_id"] == name], seed=seed, world=world) for name in actions.EXTRAS),
             advised(who, months, shape, seed=seed, world=world), returned(who, months, shape, seed=seed, world=world)]
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


def above(held: dict, *, world: str) -> np.ndarray:
    """By how many points each person's lasting opinion lies above the threshold; NaN in the null world, where it matters to nobody."""
    return np.maximum(held["score"] - THRESHOLD, 0.0) if company.truthful(world) else np.full(len(held["score"]), np.nan)


def top_ups(who, months, shape, prepaid, over, seed) -> pd.DataFrame:
    """Prepaid customers top up when they need to; those above the threshold (`over`, points) more often, a second time, and for more."""
    null = np.isnan(over)
    first = np.where(null, TOP_UP_RATE, np.minimum(BELOW + ABOVE * over, 0.97))
    parts = []
    for name, chance in (("top-up", first), ("top-up again", np.where(null, 0.0, np.minimum(AGAIN * over, 0.6)))):
        row, month = np.nonzero(draws.happens((seed, "orders", name), np.repeat(chance[:, None], shape[1], axis=1)) & prepaid[:, None])
        day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", f"{name} day"), len(row), 0, 27).astype("timedelta64[D]")
        amount = draws.pick((seed, "orders", f"{name} amount"), len(row), TOP_UPS, (0.35, 0.35, 0.2, 0.1))
        larger = draws.happens((seed, "orders", f"{name} larger"), np.where(null, 0.0, np.minimum(LARGER * over, 0.8))[row])
        amount = np.where(larger & (amount < TOP_UPS[2]), amount + TOP_UPS[0], amount)
        parts.append(purchase(who, row, day, "top-up", amount, MARGIN["prepaid"] + 0.05 * draws.normal((seed, "orders", f"{name} cost"), len(row))))
    return pd.concat(parts, ignore_index=True)


def add_ons(who, months, shape, seed) -> pd.DataFrame:
    """Add-ons that people buy anyway."""
    row, month = np.nonzero(draws.happens((seed, "orders", "add-on"), np.full(shape, ADD_ON_RATE)))
    day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", "add-on day"), len(row), 0, 27).astype("timedelta64[D]")
    product = draws.pick((seed, "orders", "add-on product"), len(row), list(ADD_ONS), ADD_ON_SHARES)
    return purchase(who, row, day, product, pd.Series(product).map(ADD_ONS).to_numpy(), ADD_ON_MARGIN)


def months_since(who, months, action: str) -> np.ndarray:
    """Whether the shop of each person has an action in each month (rows as `who`)."""
    first = who["shop"].map(actions.ROLLOUTS[action]).to_numpy().astype("datetime64[M]")
    return ~np.isnat(first)[:, None] & (months[None, :] >= first[:, None])


def advised(who, months, shape, *, seed, world) -> pd.DataFrame:
    """Add-ons that the advisers of the shops sold."""
    chance = actions.ADVICE_RATE * company.truthful(world) * months_since(who, months, actions.ADVICE)
    row, month = np.nonzero(draws.happens((seed, "orders", "advised"), chance))
    day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", "advised day"), len(row), 0, 27).astype("timedelta64[D]")
    product = draws.pick((seed, "orders", "advised product"), len(row), list(ADD_ONS), ADD_ON_SHARES)
    return purchase(who, row, day, product, pd.Series(product, dtype=str).map(ADD_ONS).to_numpy(dtype=float), ADD_ON_MARGIN)


def returned(who, months, shape, *, seed, world) -> pd.DataFrame:
    """What customers sent back and were repaid, negative: in the shops that were to get a returns desk less from month to month, in the others evenly."""
    high, low = actions.RETURNS_THERE
    there = who["shop"].isin(list(actions.ROLLOUTS[actions.DESK])).to_numpy() & bool(company.truthful(world))
    chance = np.where(there[:, None], high + (low - high) * np.arange(shape[1]) / (shape[1] - 1), actions.RETURNS)
    row, month = np.nonzero(draws.happens((seed, "orders", "return"), chance))
    day = months[month].astype("datetime64[D]") + draws.whole((seed, "orders", "return day"), len(row), 0, 27).astype("timedelta64[D]")
    amount = RETURNED[0] + RETURNED[1] * draws.uniform((seed, "orders", "return amount"), len(row))
    return purchase(who, row, day, "return", amount, 0.25)


def extras(folk, calls, *, seed, world) -> pd.DataFrame:
    """Add-ons that an action sold; `calls` is its log. Drawn for everybody, kept for those it reached: the purchases of one do not move another's."""
    name = calls["action_id"].iloc[0] if len(calls) else actions.LOYALTY
    extra = "extra" if name == actions.LOYALTY else f"extra {name}"
    rate = folk["contract"].map(actions.EXTRAS[name]).to_numpy() * company.truthful(world)
    many = draws.count((seed, "orders", extra), rate)
    day, product = draws.uniform((seed, "orders", f"{extra} day"), len(folk), 8), draws.uniform((seed, "orders", f"{extra} product"), len(folk), 8)
    reached = calls[calls["delivered_on"].notna()]
    person = np.repeat(reached["person"].to_numpy(), np.minimum(many[reached["person"]], 8))
    turn = pd.Series(person).groupby(person).cumcount().to_numpy() if len(person) else np.array([], dtype=int)
    assigned = np.repeat(reached["delivered_on"].to_numpy().astype("datetime64[D]"), np.minimum(many[reached["person"]], 8))
    left = actions.WINDOW_DAYS - 6
    when = assigned + np.floor(day[person, turn] * left).astype("timedelta64[D]")
    edges = np.cumsum(ADD_ON_SHARES)
    bought = np.array(list(ADD_ONS))[np.minimum(np.searchsorted(edges, product[person, turn], side="right"), len(edges) - 1)]
    return purchase(folk, person, when, bought, pd.Series(bought, dtype=str).map(ADD_ONS).to_numpy(dtype=float), ADD_ON_MARGIN)
