"""What the first page says: at most five main points, the key figures, where to act, what it is worth, what cannot be told."""

from statistics import NormalDist

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims import tracking
from cxlib.show.claims.tracking import LEVEL

MOST = 5
KINDS = {"primary": "headline", "secondary": "secondary", "exploratory": "exploratory", "check": "check of a design"}


def headlines(told: pd.DataFrame) -> pd.DataFrame:
    """Return the claims with `headline`: 1 to 5 for the main points, 0 for the others.

    The first KPI of the programme leads, moved or not; then the first other KPI that moved, one point each of drivers, effects and topics (a test that
    survives before a description, a description before a test that does not); if places are left, what else survives and is not a third move of a KPI. Grade E and what came in are never among them.
    """
    able = told[(told["grade"] != "E") & (told["study"] != "01_data_loading")]
    able = able.assign(tested=able["test_id"] != "").sort_values(["survives", "tested", "rank"], ascending=[False, False, True], kind="stable")
    tracked = able[able["study"].str[:2] == "03"].sort_values("rank", kind="stable")
    kpi = tracked["claim_id"].str.split(".").str[2]
    other = tracked[tracked["survives"] & tracked["tested"] & (kpi != kpi.iloc[0])] if len(tracked) else tracked
    first = [tracked.head(1), other.head(1), *(able[able["study"].str[:2] == number].head(1) for number in ("02", "11", "04"))]
    chosen = pd.concat(first)
    rest = able[able["survives"] & ~able.index.isin(chosen.index) & ((able["study"].str[:2] != "03") | ~able["tested"])].sort_values("rank", kind="stable")
    chosen = pd.concat([chosen, rest]).head(MOST).sort_values("rank", kind="stable")
    return told.assign(headline=told.index.map({index: spot for spot, index in enumerate(chosen.index, start=1)}).fillna(0).astype(int))


def points(told: pd.DataFrame) -> list:
    """Return the main points: pairs of a sentence and its base and grade."""
    main = told[told["headline"] > 0].sort_values("headline")
    return [(row.said, f"{row.base}. Grade {row.grade}: {claims.GRADES[row.grade]}.") for row in main.itertuples()] or ["No study of this run makes a claim."]


def cards(kpis: pd.DataFrame, changes: pd.DataFrame, ledger: pd.DataFrame, programme, *, most: int = 6) -> pd.DataFrame:
    """Return the latest level of each KPI with its move, the verb of which follows the ledger.

    A move whose test survives has its interval widened for the selection; one that does not has the interval of all headlines at
    once (Bonferroni at the headlines' part of alpha), which then holds zero.
    """
    rows, tests = [], ledger.set_index("test_id")
    level = NormalDist().inv_cdf(1 - 0.03 / max(int((ledger["kind"] == "primary").sum()), 1) / 2)
    for (kpi, survey), own in kpis.groupby(["kpi", "survey"], sort=False):
        last = own.sort_values("quarter").iloc[-1]
        row = {"label": claims.name(programme, kpi, survey), **{name: last[name] for name in ("estimate", "conf_low", "conf_high", "n", "n_eff", "note")}}
        row |= {"unit": LEVEL[last["unit"]], "definition": last["quarter"], "order": last["quarter"]}
        moved = changes[(changes["kpi"] == kpi) & (changes["survey"] == survey) & changes["p"].notna()]
        if len(moved):
            move = moved.iloc[0]
            test = tests.loc[claims.test_id("03", move.to_dict(), ["survey", "kpi", "against"])]
            half = level * move["std_error"]
            low, high = (test["conf_low_adj"], test["conf_high_adj"]) if test["survives"] else (min(move["estimate"] - half, 0.0), max(move["estimate"] + half, 0.0))
            row |= {"change": move["estimate"], "change_low": low, "change_high": high, "since": move["then_quarter"]}
        rows.append(row)
    return pd.DataFrame(rows).sort_values("order", ascending=False, kind="stable").head(most).drop(columns="order").reset_index(drop=True)


def act(told: pd.DataFrame) -> list[str]:
    """Return what may lead to an action: surviving claims that are marked so; 'no detectable change' never is one."""
    chosen = told[(told["action"] == 1) & told["survives"] & (told["grade"] != "E") & told["study"].str[:2].isin(["02", "04", "06"])].sort_values("rank", kind="stable")
    return list(chosen["said"]) or ["Nothing in this run is sure enough to act on."]


def worth(told: pd.DataFrame) -> list[str]:
    """Return what the actions returned, all together first and then one sentence each (the return where there is one, else the effect), and what
    satisfaction goes with where a threshold survives. What did not survive its test stands under what cannot be told."""
    own = told[((told["study"].str[:2] == "11") | ((told["study"].str[:2] == "06") & (told["action"] == 0))) & told["survives"] & (told["grade"] != "E")]
    parts = own["claim_id"].str.split(".")
    action, kind = parts.str[1], parts.str[2].map({"effect": 1}).fillna(0)
    own = own.assign(action_=action.where(own["study"].str[:2] == "11", own["claim_id"]), kind=kind, whole=own["claim_id"] != "roi.all").sort_values(["whole", "kind", "rank"], kind="stable")
    own = own.drop_duplicates("action_").sort_values(["whole", "rank"], kind="stable")
    return list(own["said"]) or ["No action of this programme has an effect that can be counted in money."]


def unknown(told: pd.DataFrame, titles: dict[str, str]) -> list[str]:
    """Return what cannot be told: actions without a fair comparison, claims that did not survive, studies without an answer."""
    said = list(told[told["grade"] == "E"]["said"])
    lost = told[~told["survives"] & (told["headline"] == 0)].drop_duplicates("said")
    said += list(lost.sort_values("rank", kind="stable")["said"].head(6))
    said += [f"{title}: no answer from what this programme holds up to this quarter; its page says why." for study, title in titles.items() if study not in set(told["study"])]
    return said or ["Every question of this report could be answered."]


def series(found: pd.DataFrame, programme) -> pd.DataFrame:
    """Return the KPIs by wave as a table of words: figure, quarter, level, 95 % interval, n."""
    rows = [
        {"figure": claims.name(programme, row["kpi"], row["survey"]), "quarter": row["quarter"], "level": tracking.cell(row["estimate"], row["unit"]), "interval": tracking.limits(row), "n": row["n"]}
        for row in found.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ledger(adjusted: pd.DataFrame) -> str:
    """Say how many tests were made and how many survive, by kind."""
    if adjusted.empty:
        return "No test was made for this report."
    counts = adjusted.groupby("kind")["survives"].agg(["size", "sum"]).reindex([kind for kind in KINDS if kind in set(adjusted["kind"])])
    parts = prose.join(f"{prose.plural(row['size'], f'{KINDS[kind]} test')}, of which {prose.number(row['sum'])} survive{'s' if row['sum'] == 1 else ''}" for kind, row in counts.iterrows() if kind != "check")
    checks = int((adjusted["kind"] == "check").sum())
    beside = f" Beside them stand {prose.plural(checks, 'check')} of designs, which are not adjusted: passing them is the favourable result." if checks else ""
    return f"This report made {parts}.{beside}"


def strongest(adjusted: pd.DataFrame, *, most: int = 15) -> pd.DataFrame:
    """Return the strongest tests as a table: what was tested, kind in words, n, p, adjusted p, whether it survives."""
    shown = adjusted[adjusted["kind"] != "check"].sort_values(["p_adjusted", "p"], kind="stable").head(most)
    return shown.assign(kind=shown["kind"].map(KINDS), survives=shown["survives"].map({True: "yes", False: "no"}))[["what", "kind", "n", "p", "p_adjusted", "survives"]]
