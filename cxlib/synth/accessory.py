"""A second company, tiny: a brand of accessories sold by others, of which nothing is known but weekly sales. Its cases became cheaper; bags and straps did not."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from . import draws, exports
from .company import truthful

WEEKS, FIRST, CUT_WEEK = 130, np.datetime64("2023-07-03"), 104          # the cut comes with week 105
SERIES = {"cases": (940.0, 19.90), "bags": (310.0, 44.50), "straps": (520.0, 12.90)}        # pieces a week in a usual one, price
CUT_TO, ELASTICITY = 16.90, -1.8
MARKET, OWN, MEMORY = 0.045, 0.030, 0.45          # what all series share from week to week, what each has of its own (standard deviations), and how much of it stays
PROMOTED, LISTED = 0.55, 0.8                     # what a promotion of everything adds, and what distribution counts for (log points)


def sales(*, seed: int, world: str) -> pd.DataFrame:
    """One row a series and week: series, sold_on (Monday), value, pieces, currency, price, distribution, promotion; and usual, the pieces that would have been sold at the old price."""
    day = FIRST + 7 * np.arange(WEEKS)
    turn = 2 * np.pi * ((day - np.datetime64("2023-01-01")).astype(float) % 365.25) / 365.25
    christmas = np.exp(-0.5 * (((day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(float) - 345) / 14) ** 2)
    season = 0.10 * np.sin(turn) - 0.05 * np.cos(2 * turn) + 0.50 * christmas
    market, parts = remembered(MARKET, key=(seed, "accessory", "market")), []
    for name, (pieces, price) in SERIES.items():
        key = (seed, "accessory", name)
        listed = np.round(np.clip(0.80 + remembered(0.004, key=(*key, "distribution")).cumsum() * 0.4, 0.65, 0.95), 3)
        promoted = np.round(np.where(draws.happens((*key, "promotion"), np.full(WEEKS, 0.14)), 0.10 + 0.25 * draws.uniform((*key, "size"), WEEKS), 0.0), 2)
        prices = np.where((np.arange(WEEKS) >= CUT_WEEK) & (name == "cases") & bool(truthful(world)), CUT_TO, price)
        expected = pieces * np.exp(season + market + remembered(OWN, key=(*key, "own")) + PROMOTED * promoted + LISTED * (listed - 0.80))
        sold = np.round(expected * (prices / price) ** ELASTICITY).astype(int)
        # Promotions are cheaper by a fifth.
        paid = np.round(prices * (1 - 0.2 * promoted), 2)
        parts.append(pd.DataFrame({"series": name, "sold_on": day, "value": np.round(sold * paid, 2), "pieces": sold, "currency": "EUR", "price": paid, "distribution": listed, "promotion": promoted, "usual": expected * np.round(price * (1 - 0.2 * promoted), 2)}))
    return pd.concat(parts, ignore_index=True)


def remembered(spread: float, *, key: tuple) -> np.ndarray:
    """Noise of which a part stays for the next week: AR(1) with this standard deviation."""
    fresh, out = draws.normal(key, WEEKS) * spread * np.sqrt(1 - MEMORY**2), np.zeros(WEEKS)
    for week in range(WEEKS):
        out[week] = fresh[week] / (np.sqrt(1 - MEMORY**2) if week == 0 else 1.0) + (MEMORY * out[week - 1] if week else 0.0)
    return out


def write(folder: Path, *, seed: int, world: str) -> None:
    """Write raw/sales.csv, programme.toml, plan.toml and truth/effects.json."""
    made = sales(seed=seed, world=world)
    text = lambda values, digits: [f"{value:.{digits}f}" for value in values]
    rows = made.drop(columns="usual").assign(sold_on=np.datetime_as_string(made["sold_on"].to_numpy().astype("datetime64[D]")), value=text(made["value"], 2), price=text(made["price"], 2), distribution=text(made["distribution"], 3), promotion=text(made["promotion"], 2))
    exports.write_csv(folder / "raw" / "sales.csv", rows)
    after = made[(made["series"] == "cases") & (made["sold_on"] >= FIRST + 7 * CUT_WEEK)]
    truth = {"seed": seed, "world": world, "price_cut": {"series": "cases", "from": str(FIRST + 7 * CUT_WEEK), "elasticity": ELASTICITY * truthful(world), "weeks": len(after), "effect": round(float((after["value"] - after["usual"]).mean()), 2) if truthful(world) else 0.0}}
    (folder / "truth").mkdir(exist_ok=True)
    (folder / "truth" / "effects.json").write_text(json.dumps(truth, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("programme.toml", "plan.toml"):
        (folder / name).write_text(files(__package__).joinpath("templates", f"accessory_{name}").read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
