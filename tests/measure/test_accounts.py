"""Companies as customers: what each way of counting and each role says is what was planted for it."""

import numpy as np
import pandas as pd
import pytest

from cxlib import programme as programmes
from cxlib.load import store
from cxlib.measure import accounts, comparisons, drivers, models
from cxlib.show import claims

CONTRACT = """
name = "Business"
[scales.recommend]
low = 0
high = 10
[scales.five]
low = 1
high = 5
[[surveys]]
id = "annual"
kind = "relationship"
promise = "confidential"
uses = ["aggregate", "link"]
[[waves]]
id = "now"
survey = "annual"
quarter = "2026Q1"
first = 2026-03-01
last = 2026-03-28
file = "now.csv"
columns = {response_id = "id", person_id = "person"}
[[items]]
id = "recommend"
wording = "Would you recommend us?"
scale = "recommend"
[[items]]
id = "terms"
wording = "Terms"
scale = "five"
[[items]]
id = "handling"
wording = "Handling"
scale = "five"
[[kpis]]
id = "nps"
item = "recommend"
definition = "nps_0_10"
[[drivers]]
survey = "annual"
kpis = ["nps"]
items = ["terms", "handling"]
[[sources]]
table = "people"
file = "people.csv"
[[sources]]
table = "orders"
file = "orders.csv"
"""


def company(folder, *, contract=CONTRACT, people=3, large=1.0, n=900, roles=("buyer", "user")):
    """Accounts of `people` answers: the first buys and looks at terms, the others use and look at handling; the last tenth of the accounts, which orders `large` times as much, looks at terms only."""
    rng = np.random.default_rng(4)
    account = np.arange(n) // people
    buyer, big = np.arange(n) % people == 0, account >= 0.9 * (n // people)
    terms, handling = rng.integers(1, 6, n), rng.integers(1, 6, n)
    pull = np.where(buyer | big, terms, handling)
    frame = pd.DataFrame({"id": [f"r{k:04d}" for k in range(n)], "person": [f"p{k:04d}" for k in range(n)], "recommend": np.clip(np.round(1.6 * pull + rng.normal(size=n)), 0, 10).astype(int), "terms": terms, "handling": handling})
    (folder / "raw").mkdir(parents=True)
    frame.to_csv(folder / "raw" / "now.csv", index=False)
    pd.DataFrame({"person_id": frame["person"], "account_id": [f"a{k:04d}" for k in account], "role": np.where(buyer, *roles)}).to_csv(folder / "raw" / "people.csv", index=False)
    orders = pd.DataFrame({"order_id": [f"o{k}" for k in range(n)], "person_id": frame["person"], "ordered_on": "2025-10-01", "amount": np.where(big, large, 1.0)})
    late = orders.head(30).assign(order_id=lambda rows: "late" + rows["order_id"], ordered_on="2026-03-20", amount=1e6)  # after fieldwork began: no sales of the year before
    pd.concat([orders, late]).to_csv(folder / "raw" / "orders.csv", index=False)
    (folder / "programme.toml").write_text(contract, "utf-8")
    found = programmes.read(folder)
    return store.Tables(store.write(found, folder / "store"), found, "2026Q1")


def views(tables, replicates=60):
    found = models.priorities(models.resample(tables, replicates=replicates, seed=1))
    return accounts.views(tables, found, replicates=replicates, seed=1)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return company(tmp_path_factory.mktemp("business") / "b", large=60.0)


@pytest.fixture(scope="module")
def found(tables):
    return views(tables)


def test_each_role_and_each_way_of_counting_says_what_was_planted(found, tables):
    first = found[found["rank"] == 1].set_index(["view", "value"])["driver"]
    assert first[("role", "buyer")] == "terms"
    assert first[("role", "user")] == first[("people", "")] == first[("accounts", "")] == "handling"
    assert first[("sales", "")] == "terms"  # a tenth of the accounts orders most
    assert found.set_index(["view", "value", "driver"]).loc[("people", "", "terms"), "accounts"] == 300
    said = claims.accounts.said(found, tables.programme)
    assert "by the sales of the year before (300 accounts) Terms comes first in this sample" in said[0]
    assert "also comes first with every account counted once (300 accounts) and in the role “user” (600 answers)" in said[0]
    tested = models.relevance(tables, replicates=99, seed=1)
    assert claims.accounts.said(found, tables.programme, tested) == said
    assert "have no order to change" in claims.accounts.said(found, tables.programme, tested.assign(p=0.4))[0]


def test_every_account_counts_once_whatever_its_answers(tmp_path):
    """Closed form: with accounts of different size the weights are 1/size, so estimates are those of these weights, and the base is Kish's."""
    tables = company(tmp_path / "c", people=3)
    frame, _ = models.answers(tables, "annual")
    thinned = frame[(np.arange(len(frame)) % 3 != 2) | (np.arange(len(frame)) < 450)]  # half of the accounts lose an answer
    tables = _With(tables, responses=thinned)
    own = views(tables, 0).query("view == 'accounts'").set_index("driver")
    people = tables["people"].drop_duplicates("person_id").set_index("person_id")["account_id"]
    holder = thinned["person_id"].map(people)
    weight = 1 / holder.groupby(holder).transform("size")
    direct = drivers.resample(thinned.assign(w=weight), kpi="recommend", drivers=["terms", "handling"], weight="w", methods=("shapley",), replicates=0).set_index("driver")
    assert own["importance"].tolist() == pytest.approx(direct["shapley"].tolist())
    assert own["performance"].tolist() == pytest.approx(direct["performance"].tolist())
    assert own["n_eff"].tolist() == pytest.approx([weight.sum() ** 2 / (weight**2).sum()] * 2)


class _With:
    """Tables with some of them exchanged."""

    def __init__(self, tables, **other):
        self.tables, self.other, self.programme, self.quarter = tables, other, tables.programme, tables.quarter

    def __getitem__(self, name):
        return self.other.get(name, self.tables[name]) if name in self.other else self.tables[name]


def test_a_few_large_accounts_are_no_base(tmp_path):
    """FAULTS 36: one giant weight is told, not averaged over."""
    tables = company(tmp_path / "d", n=330, large=1e4)
    own = views(tables, 30).query("view == 'sales'")
    assert own["importance"].isna().all()
    assert own["note"].str.contains("an effective base of 33").all()
    assert "a few accounts outweigh the others" in claims.accounts.said(views(tables, 30), tables.programme)[0]


@pytest.mark.parametrize(("contract", "options"), [(CONTRACT.replace(', "link"', ""), {}), (CONTRACT, {"people": 1, "roles": ("owner", "owner")})])
def test_without_links_or_with_accounts_of_one_there_is_one_way_of_counting(tmp_path, contract, options):
    tables = company(tmp_path / "e", contract=contract, n=120, **options)
    found = views(tables, 0)
    assert found.empty
    assert claims.accounts.said(found, tables.programme) == ["Every respondent stands for an account of one, as far as these tables tell, and no roles are known: there is one way of counting."]


def test_roles_are_compared_as_segments_are(tables):
    found = comparisons.between_segments(tables).set_index(["segment", "driver"])
    assert set(found.index.get_level_values("segment")) == {"role"}
    assert found.loc[("role", "terms"), "value"] == "buyer"
    assert found.loc[("role", "terms"), "estimate"] > 0 > found.loc[("role", "handling"), "estimate"]
    assert (found["p"] < 1e-6).all()


def test_accounts_are_drawn_whole(tmp_path):
    """Two answers alike of each account: the interval is that of the accounts, so it is as wide as with one answer each."""
    tables = company(tmp_path / "f", people=2, n=600)
    frame, _ = models.answers(tables, "annual")
    twice = frame.assign(**{name: frame[name].to_numpy()[np.arange(len(frame)) // 2 * 2] for name in ("recommend", "terms", "handling")})
    width = lambda own: (own["importance_high"] - own["importance_low"]).to_numpy()
    wide = width(views(_With(tables, responses=twice), 800).query("view == 'accounts'"))
    once = width(models.priorities(models.resample(_With(tables, responses=twice.iloc[::2]), replicates=800, seed=1)))
    assert wide == pytest.approx(once, rel=0.12)
