"""The sample's company without its files: what the study of value reads of it, made in memory, so that many can be."""

import datetime as dt

import numpy as np
import pandas as pd
from small import SHIPPED

from cxlib import programme as programmes
from cxlib.measure import chain
from cxlib.synth import actions, answers, company, contacts, invitations, orders, programme

ASKED = {"survey": "pulse", "item": "recommend"}


class Company(dict):
    """Tables of one company as its files would be loaded."""

    quarter, end = "2026Q3", dt.date(2025, 12, 31)
    programme = programmes.read(SHIPPED)


def made(seed: int, *, customers: int = 2500, world: str = "truth") -> Company:
    """Return the pulse, the orders and the customer file of a company."""
    folk, held, _, _ = programme.population(customers, seed=seed, world=world)
    moments = contacts.interactions(folk, held, seed=seed, world=world)
    waves = [wave for _, wave in invitations.pulse(folk, held, moments, seed=seed).groupby("wave", sort=True)]
    replies = pd.concat([answers.answers(folk, held, wave.reset_index(drop=True), moments, seed=seed, world=world)[0] for wave in waves], ignore_index=True)
    bought = orders.orders(folk, held, actions.log(folk, replies, seed=seed), seed=seed, world=world)
    franc = np.where(bought["currency"] == "CHF", company.rate(bought["ordered_on"].to_numpy()), 1.0)
    return Company(
        responses=pd.DataFrame({
            "answer": replies["response_id"], "person_id": replies["person_id"], "survey": "pulse", "wave": replies["wave"], "quarter": replies["wave"], "answered_on": pd.to_datetime(replies["day"]).dt.normalize(), "weight": 1.0,
            "brand": replies["brand"], "country": replies["country"], "recommend": replies["recommend"].astype(float),
        }),
        people=folk[["person_id", "contract", "left_on", "joined_on"]],
        orders=bought.assign(ordered_on=pd.to_datetime(bought["ordered_on"]), amount=bought["amount"] * franc, margin=bought["margin"] * franc),
    )  # fmt: skip


def threshold(tables: Company, *, replicates: int = 199, seed: int = 1) -> pd.DataFrame:
    """Return what page 06 finds of spend, by form of contract."""
    rows, _, lasting = chain.opinions(chain.linked(tables, **ASKED), tables, **ASKED)
    return chain.broken(rows, lasting, outcomes=("spend",), replicates=replicates, seed=seed).set_index("group")
