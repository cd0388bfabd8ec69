"""Two editions of one small programme: what the first forecasts and publishes, the second compares with what came."""

import numpy as np
import pandas as pd
import pytest

TOML = """
name = "Members"
currency = "EUR"
reported = ["2025Q3", "2025Q4"]
[[sources]]
table = "people"
file = "people.csv"
[[sources]]
table = "orders"
file = "orders.csv"
columns = {order_id = "#row"}
[[sources]]
table = "actions"
file = "actions.csv"
fixed = {action_id = "call"}
"""
PLAN = """
[[actions]]
id = "call"
name = "Welcome call"
design = "randomised"
share = 0.5
start = 2025-04-01
end = 2025-04-01
window_days = 60
outcome = "amount"
fixed_cost = 20
"""


def members(folder, seed=4, n=700):
    """Members of a club of whom one in forty leaves a month; half of those of April 2025 were called."""
    rng = np.random.default_rng(seed)
    joined = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 1100, n), unit="D")
    left = joined + pd.to_timedelta((rng.exponential(40, n) * 30.4).astype(int) + 1, unit="D")
    left = pd.Series(left).where(pd.Series(left) <= pd.Timestamp("2025-12-31"))
    ids = [f"m{k:04d}" for k in range(n)]
    text = lambda days: pd.Series(days).dt.strftime("%Y-%m-%d").fillna("")
    people = pd.DataFrame({"person_id": ids, "joined_on": text(joined), "left_on": text(left)})
    here = (joined < pd.Timestamp("2025-04-01")) & ~(left < pd.Timestamp("2025-04-01")).to_numpy()
    bought = pd.concat([pd.DataFrame({"person_id": ids, "ordered_on": f"2025-{month:02d}-10", "amount": np.round(rng.gamma(4, 5, n), 2)}) for month in range(1, 10)])
    called = pd.DataFrame({"person_id": np.array(ids)[here], "arm": np.where(rng.random(int(here.sum())) < 0.5, "treated", "control"), "assigned_on": "2025-04-01"})
    (folder / "raw").mkdir(parents=True)
    for name, frame in (("people", people), ("orders", bought), ("actions", called)):
        frame.to_csv(folder / "raw" / f"{name}.csv", index=False)
    (folder / "programme.toml").write_text(TOML)
    (folder / "plan.toml").write_text(PLAN)
    return people.assign(joined_on=pd.to_datetime(people["joined_on"]), left_on=pd.to_datetime(people["left_on"].replace("", None)))


@pytest.mark.slow
def test_what_an_edition_forecast_is_settled_by_the_next(cx, tmp_path):
    people = members(tmp_path / "members")
    built = lambda quarter: cx("report", tmp_path / "members", "--quarter", quarter, "--out", tmp_path / "reports", "-p", "confidence_draws=2048")
    code, _, errors = built("2025Q3")
    assert code == 0, errors
    code, _, errors = cx("publish", tmp_path / "members", "--quarter", "2025Q3", "--out", tmp_path / "reports")
    assert code == 0, errors
    first = pd.read_parquet(tmp_path / "reports" / "members" / "2025Q3" / "r1" / "findings" / "forecasts.parquet").iloc[0]
    assert (first["forecast"], first["made_in"], first["due"]) == ("leaving", "2025Q3", "2025Q4")
    code, _, errors = built("2025Q4")
    assert code == 0, errors
    draft = tmp_path / "reports" / "members" / "2025Q4" / "draft"
    settled = pd.read_parquet(draft / "findings" / "settled.parquet")
    row = settled[settled["source"] == "2025Q3 r1"].iloc[0]
    assert len(settled[settled["source"] == "2025Q3 r1"]) == 1
    assert [row[name] for name in ("estimate", "conf_low", "conf_high", "n")] == [first[name] for name in ("estimate", "conf_low", "conf_high", "n")], "what was published, not what would be said today"
    there = (people["joined_on"] <= "2025-09-30") & ~(people["left_on"] <= "2025-09-30")
    assert row["actual"] == (there & (people["left_on"] <= "2025-12-31")).sum()
    assert row["inside"] == (row["conf_low"] <= row["actual"] <= row["conf_high"])
    record = pd.read_parquet(draft / "findings" / "calibration.parquet").set_index("source")
    assert record.loc["published", ["n", "inside"]].tolist() == [1, row["inside"]]
    page = (draft / "11_roi.html").read_text("utf-8")
    assert "Of the forecasts of earlier editions" in page
    assert "Made in" in page
