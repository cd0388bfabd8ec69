"""More spend, split: more or fewer pieces, dearer or cheaper products, other prices; of every design that can say it.

Of a lot both arms are seen, and prices and shares are taken at the middle of both (Bennet 1920, Journal of the Royal Statistical Society 83:455), so that the order of the arms does not matter. The other designs compare changes, so each order is split at prices of the
time before (Laspeyres): pieces x mean price, pieces x (price of the product - mean price), what was paid beyond pieces x price of the product. The three add up to what was paid, order by order, so they do in any comparison that is linear in it.
"""

import numpy as np
import pandas as pd

from cxlib.act import adjustment, differences, lists, markets, matching, measured, overlap, rollouts, series, synthetic
from cxlib.act.plan import BY_UNIT
from cxlib.errors import DataError

PARTS = ("volume", "mix", "price", "all")
COLUMNS = ["action", "design", "per", "part", "estimate", "conf_low", "conf_high", "n", "note"]


def table(actions, tables, *, seed: int = 1, replicates: int = 500) -> pd.DataFrame:
    """Return what the difference in spend of every action in money consists of, by the comparison that is made of it: `COLUMNS`, a row an action and part.

    part: volume (more or fewer pieces), mix (dearer or cheaper products), price (other prices of the same product), all. estimate, conf_low, conf_high: money per `per`. A lot as `split`; a list by the weights of its comparison and regression; units by difference-in-differences; a series that counts
    pieces by its own past, where each part has its own model and they add up only nearly, or by the mix of other series that count pieces. note: what a part holds where the orders tell no products or pieces, and how far the mix missed a part before. No rows: effects without a comparison, and actions of which another has the effect.
    """
    met, parts = overlap.table(actions, tables), []
    designs = {action.id: measured.comparison(action, tables)[0] for action in actions}
    led = overlap.leaders(actions, met, {name for name, design in designs.items() if design == "randomised"})
    for action in actions:
        made, design = None, designs[action.id]
        try:
            if design == "interrupted_series" and action.outcome == "sales":
                made = _series(action, tables)
            elif design == "synthetic_control" and action.outcome == "sales":
                made = _mixed(action, tables)
            elif action.outcome in ("margin", "amount") and "orders" in tables and action.id not in led:
                if design == "randomised":
                    made = _lot(action, tables, seed, replicates)
                elif design == "matching":
                    made = _list(action, tables, overlap.aside(action, actions, tables, met))
                elif design in BY_UNIT:
                    made = _units(action, tables, overlap.touched(action, actions))
        except DataError:
            continue  # said where its effect is
        if made is not None and made["estimate"].notna().all():
            told = design in ("interrupted_series", "synthetic_control") or ("product" in tables["orders"] and tables["orders"]["product"].notna().any())
            parts.append((made if told else made[made["part"] != "mix"]).assign(action=action.id, design=design))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def priced(orders: pd.DataFrame, *, before) -> pd.DataFrame:
    """Return orders with what each is worth in pieces, products and prices: volume, mix, price (they add up to amount).

    in: person_id, ordered_on, amount, optional product and quantity (one piece an order where there is none). A product's price is its mean in the time before `before`; of one that was not sold then, its mean since, so that a new product is mix and no price.
    """
    pieces, product = _pieces(orders), _products(orders)
    early = (orders["ordered_on"] < pd.Timestamp(before)) & (orders["amount"] > 0)
    early = early if early.any() else orders["amount"] > 0
    each = lambda rows: orders.loc[rows, "amount"].groupby(product[rows]).sum() / pieces[rows].groupby(product[rows]).sum()
    known = each(orders["amount"] > 0)
    known.update(each(early))
    usual = float(orders.loc[early, "amount"].sum() / pieces[early].sum()) if pieces[early].sum() > 0 else 0.0
    price = product.map(known).fillna(usual)
    return orders.assign(volume=pieces * usual, mix=pieces * (price - usual), price=orders["amount"] - pieces * price)


def split(people: pd.DataFrame, orders: pd.DataFrame, *, days: int, replicates: int = 500, seed: int = 1) -> pd.DataFrame:
    """Split the difference in spend between those treated and those held back into volume, mix and price.

    in: a row a customer (person_id, arm, assigned_on; optional weight, and before, at the same of which both arms are then taken) and the orders (person_id, ordered_on, amount, optional product and quantity; one piece an order where there is none). out: part (volume: more or fewer pieces at the
    mean price; mix: dearer or cheaper products; price: other prices of the same product; all), estimate (money a customer), conf_low, conf_high (percentiles of a bootstrap of customers), n. The parts add up; their intervals do not.
    """
    own = orders.merge(people[["person_id", "assigned_on"]], on="person_id")
    own = own[(own["ordered_on"] >= own["assigned_on"]) & (own["ordered_on"] < own["assigned_on"] + pd.Timedelta(days=days))]
    pieces, product = _pieces(own), _products(own)
    keys = list(people["person_id"])
    place, kinds = pd.Index(keys), sorted(product.unique())
    sums = np.zeros((len(keys), 2 * max(len(kinds), 1)))
    at, column = place.get_indexer(own["person_id"]), pd.Index(kinds).get_indexer(product)
    np.add.at(sums, (at, 2 * column), pieces.to_numpy(float))
    np.add.at(sums, (at, 2 * column + 1), own["amount"].to_numpy(float))
    arm, weight = (people["arm"] == "treated").to_numpy(), people["weight"].to_numpy(float) if "weight" in people else np.ones(len(people))
    rng, parts = np.random.default_rng(seed), []
    past = people["before"].to_numpy(float) if "before" in people and adjustment.possible(pd.Series(0.0, index=people.index), people["before"], (people["arm"] == "treated", people["arm"] != "treated")) else None
    for replicate in range(replicates + 1):
        mass = weight if not replicate else weight * np.concatenate([_drawn(rng, own) for own in (arm, ~arm)])[np.argsort(np.r_[np.flatnonzero(arm), np.flatnonzero(~arm)], kind="stable")]
        parts.append(_bennet(*_sides(mass, sums, arm, past)))
    parts = np.array(parts)
    low, high = np.percentile(parts[1:], [2.5, 97.5], axis=0) if replicates else (np.full(4, np.nan),) * 2
    return pd.DataFrame({"part": PARTS, "estimate": parts[0], "conf_low": low, "conf_high": high, "n": len(people)})


def _lot(action, tables, seed, replicates):
    people = measured.assigned([action], tables).get(action.id)
    if people is None or not {"treated", "control"} <= set(people["arm"]):
        return None
    return split(people, tables["orders"], days=action.window_days, seed=seed, replicates=replicates).assign(per=f"customer in {action.window_days} days", note=_untold(tables["orders"]))


def _list(action, tables, aside):
    made, columns, _ = lists.compared(action.model_copy(update={"outcome": "amount"}), tables, **aside)
    bought = _windowed(made, priced(_named(tables), before=action.start), action.window_days)
    rows = []
    for part in PARTS:
        found = matching.effect(made.assign(outcome=bought[part]), outcome="outcome", treated="treated", covariates=columns).iloc[0]
        rows.append({"part": part, "n": found["n"]} | found[["estimate", "conf_low", "conf_high"]].to_dict())
    return pd.DataFrame(rows).assign(per=f"customer in {action.window_days} days", note=_untold(tables["orders"]))


def _units(action, tables, without):
    orders = priced(_named(tables), before=min(action.rollout.values())).assign(all=lambda rows: rows["amount"])
    rows = []
    for part in PARTS:
        panel, _ = rollouts.apart(rollouts.cells(action, tables, bought=pd.DataFrame({"person_id": orders["person_id"], "day": orders["ordered_on"], "value": orders[part]})), without)
        found = differences.overall(panel).iloc[0]
        rows.append({"part": part, "n": int(found["n_treated"] + found["n_control"])} | found[["estimate", "conf_low", "conf_high"]].to_dict())
    return pd.DataFrame(rows).assign(per=f"customer and {action.period}", note=_untold(tables["orders"]))


def _series(action, tables):
    """Return the parts of an effect on a series: pieces at the price of the year before, and what was paid beyond that; one series has no mix."""
    own, named, adjust, _ = markets.prepared(action, tables)
    pieces = tables["sales"][tables["sales"]["series"] == action.series].groupby("sold_on")["pieces"].sum(min_count=1).reindex(own["period"]).to_numpy()
    start = pd.Timestamp(action.start)
    year = ((own["period"] < start) & (own["period"] >= start - pd.Timedelta(days=365))).to_numpy()
    if np.isnan(pieces).any() or not pieces[year].sum() > 0:
        return None
    old = own["value"].to_numpy()[year].sum() / pieces[year].sum()
    rows = []
    for part, values in (("volume", pieces * old), ("price", own["value"].to_numpy() - pieces * old), ("all", own["value"].to_numpy())):
        found = series.effect(own.assign(value=values), start=start, controls=named, adjust=adjust).iloc[0]
        rows.append({"part": part, "n": int(found["n"])} | found[["estimate", "conf_low", "conf_high"]].to_dict())
    return pd.DataFrame(rows).assign(per=markets.step(own["period"]), note="")


def _mixed(action, tables):
    """Return the parts of an effect by synthetic control: each series' pieces at its own price of the year before, and what was paid beyond that, both of the mix that was fitted to sales."""
    sold = tables["sales"].rename(columns={"sold_on": "period"})
    start = pd.Timestamp(action.start)
    sold = sold[sold["series"].isin([action.series, *(action.controls or sold["series"].unique())])]
    year = sold[(sold["period"] < start) & (sold["period"] >= start - pd.Timedelta(days=365))].groupby("series")[["value", "pieces"]].sum()
    if sold["pieces"].isna().any() or not (year["pieces"] > 0).all() or set(year.index) != set(sold["series"]):
        return None
    old = sold["series"].map(year["value"] / year["pieces"])
    sold = sold.assign(volume=sold["pieces"] * old, price=sold["value"] - sold["pieces"] * old, all=sold["value"])
    made = synthetic.parts(sold, treated=action.series, start=start, columns=("volume", "price", "all"), donors=list(action.controls) or None)
    missed = f"the mix is fitted to sales; of pieces at the old price it missed {100 * made['missed'].iloc[0]:.1f} % of the level of sales before"
    return made.assign(per=markets.step(sold.loc[sold["series"] == action.series, "period"].sort_values()), note=missed)


def _named(tables) -> pd.DataFrame:
    orders = tables["orders"]
    return orders[orders["person_id"].notna() & orders["amount"].notna()]


def _windowed(made, orders, days) -> pd.DataFrame:
    """Return what each of a cohort spent in the window, by part."""
    own = orders.merge(made[["person_id", "assigned_on"]], on="person_id")
    own = own[(own["ordered_on"] >= own["assigned_on"]) & (own["ordered_on"] < own["assigned_on"] + pd.Timedelta(days=days))].assign(all=lambda rows: rows["amount"])
    return own.groupby("person_id")[list(PARTS)].sum().reindex(made["person_id"]).fillna(0.0).reset_index(drop=True)


def _pieces(orders) -> pd.Series:
    return orders["quantity"].fillna(1.0).astype(float) if "quantity" in orders else pd.Series(1.0, index=orders.index)


def _products(orders) -> pd.Series:
    return orders["product"].fillna("").astype(str) if "product" in orders else pd.Series("", index=orders.index)


def _untold(orders) -> str:
    """Return what the orders do not tell, so that one part holds another."""
    products = "product" in orders and orders["product"].notna().any()
    pieces = "quantity" in orders and orders["quantity"].notna().any()
    lacking = [text for known, text in ((pieces, "pieces (an order counts as one)"), (products, "products (dearer ones are in the prices)")) if not known]
    return f"the orders tell no {' and no '.join(lacking)}" if lacking else ""


def _drawn(rng, side) -> np.ndarray:
    n = int(side.sum())
    return np.bincount(rng.integers(0, n, n), minlength=n).astype(float)


def _sides(mass, sums, arm, past) -> list[np.ndarray]:
    """Return what each arm bought a customer, by product; both at the same past, as for the effect, by one slope a product and arm. What was hardly bought has no slope of its own, and keeps its plain mean."""
    means = [(mass[side] @ sums[side]) / mass[side].sum() for side in (arm, ~arm)]
    if past is None:
        return means
    at, out = mass @ past / mass.sum(), []
    for side, mean in zip((arm, ~arm), means):
        share = mass[side] / mass[side].sum()
        apart = past[side] - share @ past[side]
        moved = mean + (share * apart) @ sums[side] / (share @ apart**2) * (at - share @ past[side])
        known = np.repeat((moved[::2] > 0.5 * mean[::2]) & (mean[::2] > 0), 2)
        out.append(np.where(known, moved, mean))
    return out


def _bennet(one, other) -> np.ndarray:
    """Return volume, mix, price and all from pieces and money by product of both arms (interleaved)."""
    (q1, s1), (q0, s0) = ((arm[::2], arm[1::2]) for arm in (one, other))
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p0 = s1 / q1, s0 / q0
    p1, p0 = np.where(np.isfinite(p1), p1, p0), np.where(np.isfinite(p0), p0, p1)  # sold in one arm only: its price there
    p1, p0 = np.where(np.isfinite(p1), p1, 0.0), np.where(np.isfinite(p0), p0, 0.0)
    middle = (p1 + p0) / 2
    price, pieces = float(((q1 + q0) / 2 * (p1 - p0)).sum()), float((middle * (q1 - q0)).sum())
    total = (q1.sum() + q0.sum()) / 2
    shares = (q1 / q1.sum() + q0 / q0.sum()) / 2 if q1.sum() > 0 and q0.sum() > 0 else np.zeros(len(q1))
    volume = float((q1.sum() - q0.sum()) * (middle * shares).sum()) if total > 0 else 0.0
    return np.array([volume, pieces - volume, price, float(s1.sum() - s0.sum())])
