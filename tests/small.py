"""A programme small enough to read in one look, and where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "data" / "telecom"
SHARED = Path(os.environ.get("CX_SHARED") or ROOT.parent / "shared") / "data"  # public data beside the repository

TINY = """
name = "Tiny"
timezone = "Europe/Berlin"
[scales.recommend]
low = 0
high = 10
missing = {99 = "don't know"}
[scales.five]
low = 1
high = 5
missing = {6 = "never used"}
[[surveys]]
id = "poll"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link", "quote"]
[[waves]]
id = "a"
survey = "poll"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-31
file = "a.csv"
columns = {response_id = "id", country = "land", person_id = "person"}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "price"
wording = "Price"
scale = "five"
[[items]]
id = "comment"
kind = "verbatim"
wording = "Why?"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[drivers]]
survey = "poll"
kpis = ["nps"]
items = ["price"]
"""
HEADER = "id,land,person,recommend,price,comment\n"
ROWS = "".join(f"r{i:03d},DE,p{i},{i % 11},{1 + i % 5},It is fine.\n" for i in range(60))
