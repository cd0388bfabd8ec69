"""A programme of customers who answer, buy and leave, with a threshold of spend in their lasting opinion: small enough to be made in a test."""

from pathlib import Path

import numpy as np
import pandas as pd

AT = 7.0  # the usual score above which customers buy more

TOML = """
name = "Shops"
timezone = "Europe/Berlin"
[scales.recommend]
low = 0
high = 10
[scales.five]
low = 1
high = 5
[[surveys]]
id = "poll"
kind = "transactional"
dated_by = "answer"
promise = "confidential"
uses = {uses}
[[waves]]
id = "1"
survey = "poll"
quarter = "2025Q4"
first = 2025-01-01
last = 2025-12-31
file = "1.csv"
columns = {{response_id = "id", person_id = "who", answered_on = "day"}}
[[waves]]
id = "2"
survey = "poll"
quarter = "2026Q1"
first = 2026-01-01
last = 2026-03-31
file = "2.csv"
columns = {{response_id = "id", person_id = "who", answered_on = "day"}}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "price"
wording = "Price"
scale = "five"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[sources]]
table = "people"
file = "people.csv"
[[sources]]
table = "orders"
file = "orders.csv"
{more}
"""


def write(folder: Path, *, n=500, jump=30.0, uses='["aggregate", "link", "case"]', more="", seed=1) -> pd.DataFrame:
    """Write the programme and return who they are: who, held (the lasting opinion), left (day or none)."""
    draws = np.random.default_rng(seed)
    (folder / "raw").mkdir(parents=True)
    (folder / "programme.toml").write_text(TOML.format(uses=uses, more=more), "utf-8")
    people = pd.DataFrame({"who": [f"c{at:05d}" for at in range(n)], "held": draws.normal(7, 1.8, n)})
    people["left"] = np.where(draws.random(n) < 0.05, "2026-02-10", "")
    days = pd.date_range("2024-06-01", "2026-03-31")
    rows = []
    for who, held, left in people.itertuples(index=False):
        bought = draws.choice(len(days), draws.poisson(24), replace=True)
        extra = draws.choice(len(days), draws.poisson(len(days) / 90 * jump / 20 * (held > AT)), replace=True)
        rows += [(who, days[at], draws.gamma(2, 10)) for at in (*bought, *extra) if not left or days[at] < pd.Timestamp(left)]
    orders = pd.DataFrame(rows, columns=["person_id", "ordered_on", "amount"]).assign(order_id=lambda own: [f"o{at}" for at in range(len(own))])
    orders["amount"] = orders["amount"].round(2)
    orders["margin"] = (orders["amount"] * 0.4).round(2)
    orders.to_csv(folder / "raw" / "orders.csv", index=False)
    for wave, (first, last), each in (("1", ("2025-01-01", "2025-12-31"), 4), ("2", ("2026-01-01", "2026-03-31"), 1)):
        who = np.repeat(people["who"].to_numpy(), each)
        held = np.repeat(people["held"].to_numpy(), each)
        score = np.clip(np.floor(held + draws.normal(0, 1.3, len(who)) + 0.5), 0, 10).astype(int)
        day = draws.choice(pd.date_range(first, last), len(who))
        price = np.clip(np.floor(held / 2.5 + draws.normal(0, 0.7, len(who)) + 0.5), 1, 5).astype(int)
        frame = pd.DataFrame({"id": [f"{wave}-{at}" for at in range(len(who))], "who": who, "day": pd.to_datetime(day).strftime("%Y-%m-%d"), "recommend": score, "price": price})
        there = people.set_index("who")["left"].reindex(who).to_numpy()
        frame[(there == "") | (frame["day"] < "2026-02-10")].to_csv(folder / "raw" / f"{wave}.csv", index=False)
    pd.DataFrame({"person_id": people["who"], "joined_on": "2020-01-01", "left_on": people["left"]}).to_csv(folder / "raw" / "people.csv", index=False)
    return people
