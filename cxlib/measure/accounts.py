"""Where customers are companies: what matters to people by their role, with every account counted once, and by what accounts are worth."""

import pandas as pd

from cxlib.load import weighting
from cxlib.measure import drivers, models, priorities

VIEWS = ("people", "accounts", "sales", "role")
LEAST, EFFECTIVE = 100, 50  # answers to the KPI, and effective answers, under which a view is not estimated; ten and five an attribute where that is more
COLUMNS = [
    *models.KEYS, "view", "value", "driver", "importance", "importance_low", "importance_high", "performance", "performance_low", "performance_high", "rank", "accounts", "n", "n_eff", "note",
]  # fmt: skip


def views(tables, found: pd.DataFrame, *, replicates: int, seed: int) -> pd.DataFrame:
    """Put three ways of counting answers side by side, and each role apart.

    in: `found` as `models.priorities` returns it: every answer by its weight, as everywhere else on the page. out: survey, wave, kpi, view (people: every answer by its weight; accounts: every account counts once, its answers share it by their weights; sales: every account counts by its orders of the twelve months before fieldwork;
    role: people of one role), value (the role), driver, importance (Shapley, part of R2), performance (mean rating), both with 95 % limits, rank, accounts (how many), n, n_eff, note. Accounts are drawn whole in every bootstrap
    replicate; weights are taken as fixed. An answer whose account is not known counts as an account of its own, and has no sales.
    A view on under 100 answers or 50 effective ones (ten and five an attribute) has a note and no figures. Empty where no two answers share an account and no two
    roles are known, or the promise does not permit linking answers with customers.
    """

    def made(frame, one):
        frame, known = placed(tables, one.survey, frame)
        roles = frame["role"].dropna().value_counts() if "role" in frame else pd.Series(dtype=int)
        if not (known & frame["account_id"].duplicated(keep=False)).any() and len(roles) < 2:
            return None
        of = frame["account_id"].astype(object).where(known, frame["answer"])
        of = of if one.strata is None else frame[one.strata].astype(str) + "/" + of.astype(str)  # an account in two strata was drawn in each
        frame = frame.assign(holder=pd.factorize(of)[0], own=frame["weight"])  # by the place of the first answer: the keys themselves are hashes
        share = frame["weight"] / frame["weight"].groupby(frame["holder"]).transform("sum")
        worth = frame["account_id"].map(sales(tables, one.survey, one.wave))
        weights = {("accounts", ""): (frame, share), ("sales", ""): (frame[worth > 0], (share * worth)[worth > 0])}
        weights |= {("role", role): (frame[frame["role"] == role], frame.loc[frame["role"] == role, "weight"]) for role in sorted(roles.index, key=str)}
        if not worth.gt(0).any():
            del weights["sales", ""]
        if len(roles) < 2:
            weights = {key: part for key, part in weights.items() if key[0] != "role"}
        shown = found[(found["survey"] == one.survey) & (found["kpi"] == one.kpi) & found["driver"].isin(one.items)]
        parts = [_ranked(shown).assign(view="people", value="", accounts=frame.loc[frame[one.item].notna(), "holder"].nunique())]
        parts += [_view(part.assign(own=weight / weight.mean()), one, replicates, seed).assign(view=view, value=str(value)) for (view, value), (part, weight) in weights.items()]
        return pd.concat(parts, ignore_index=True)

    return models.each(tables, made).reindex(columns=COLUMNS)


def placed(tables, survey: str, frame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the answers with account_id and role, looked up by person where the promise permits linking, and whether the account is known."""
    people = tables["people"] if "link" in tables.programme.survey(survey).uses else tables["people"].iloc[:0]
    frame = weighting.placed(frame, people, ["account_id", "role"])
    frame = frame if "account_id" in frame else frame.assign(account_id=None)
    return frame, frame["account_id"].notna()


def sales(tables, survey: str, wave: str) -> pd.Series:
    """Return what each account ordered in the twelve months before the first day of a wave, in the programme's currency, by account_id."""
    people, orders = tables["people"], tables["orders"]
    if not len(people) or not len(orders) or "account_id" not in people:
        return pd.Series(dtype=float)
    first = pd.Timestamp(next(one.first for one in tables.programme.waves if one.survey == survey and one.id == wave))
    day = pd.to_datetime(orders["ordered_on"])
    year = orders[(day < first) & (day >= first - pd.DateOffset(years=1))]
    owner = people.drop_duplicates("person_id").set_index("person_id")["account_id"]
    return year["amount"].astype(float).groupby(year["person_id"].map(owner)).sum()


def _view(frame, one, replicates, seed):
    answered = frame[frame[one.item].notna()]
    n, kish = len(answered), answered["own"].sum() ** 2 / (answered["own"] ** 2).sum() if len(answered) else 0.0
    counted = {"accounts": answered["holder"].nunique()}
    if n < max(LEAST, 10 * len(one.items)) or kish < max(EFFECTIVE, 5 * len(one.items)):
        few = f"{n} answers" if n < max(LEAST, 10 * len(one.items)) else f"an effective base of {kish:.0f}: a few accounts outweigh the others"
        empty = pd.DataFrame({"driver": one.items, "n": n, "n_eff": kish, "note": f"not estimable ({few})"})
        return empty.assign(**counted)
    draws = drivers.resample(frame, kpi=one.item, drivers=one.items, weight="own", strata=one.strata, cluster="holder", methods=("shapley",), replicates=replicates, seed=seed)
    return _ranked(priorities.matrix(draws)).assign(**counted)


def _ranked(found):
    return found.assign(rank=found["importance"].rank(ascending=False, method="min"))
