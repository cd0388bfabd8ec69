"""plan.toml: designs in the field's terms, and what contradicts itself is a sentence."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.act import plan
from cxlib.errors import DataError
from cxlib.programme import Programme, Rate

HEAD = '[[actions]]\nid = "fix"\nname = "Fix"\nstart = 2026-01-01\nend = 2026-03-31\n'


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('design = "diff_in_diff"', "difference_in_differences"),
        ('design = "staggered"\nunit = "shp"\nrollout = {a = 2026-01-01}', "'unit' = 'shp' is none.*shop"),
        ('design = "staggered"\nunit = "shop"', "which unit had it from which day"),
        ('design = "difference_in_differences"\nunit = "shop"\nrollout = {a = 2026-01-01, b = 2026-02-01}', "its design is 'staggered'"),
        ('design = "staggered"\nunit = "team"\nrollout = {a = 2026-01-01}', "'unit' = 'team' is none"),
        ('design = "interrupted_series"\noutcome = "sales"', "'series' does not say which"),
        ('design = "interrupted_series"\nseries = "a"', "'outcome' is 'sales' or 'pieces', not 'margin'"),
        ('design = "synthetic_control"\nseries = "a"\ncontrols = ["a"]\noutcome = "sales"', "among its own 'controls'"),
        ('design = "list"\noutcome = "score"', "'kpi' does not say which item"),
        ('design = "everyone"\nfixed_cost = -3', "greater than or equal to 0"),
        ('design = "everyone"\ncurrency = "Euro"', "pattern"),
    ],
)
def test_what_contradicts_itself_is_a_sentence(tmp_path, rows, said):
    """FAULTS 5: a fault of plan.toml names the file, the action or the key, and what would be right."""
    (tmp_path / "plan.toml").write_text(HEAD + rows)
    with pytest.raises(DataError, match=f"(?s)plan.toml.*{said}"):
        plan.read(tmp_path)


def test_units_of_answers_serve_for_scores(tmp_path):
    (tmp_path / "plan.toml").write_text(HEAD + 'design = "staggered"\nunit = "team"\nrollout = {a = 2026-01-01}\noutcome = "score"\nkpi = "recommend"')
    assert plan.read(tmp_path).actions[0].rollout == {"a": dt.date(2026, 1, 1)}


def test_a_cost_in_another_currency_counts_at_the_rate_of_its_day_or_not_at_all():
    """An action's cost in another currency is converted by a dated rate, or it is unknown: it is never added as it stands."""
    action = plan.Action(id="fix", name="Fix", design="everyone", start="2026-03-01", end="2026-03-31", fixed_cost=1000.0, people_days=2, day_rate=500, currency="CHF")
    log = pd.DataFrame({"action_id": ["fix"], "arm": ["treated"], "cost": [30.0], "delivered_on": pd.to_datetime(["2026-03-02"])})
    rates = (Rate(currency="CHF", rate=1.10, day=dt.date(2026, 2, 1)), Rate(currency="CHF", rate=9.0, day=dt.date(2026, 3, 2)))
    assert plan.cost(action, log, Programme(name="x", rates=rates)) == pytest.approx(2000 * 1.1 + 30)  # the log's own costs are converted when they are loaded
    assert plan.cost(action, log, Programme(name="x")) is None
    assert plan.cost(action, log, Programme(name="x", currency="CHF")) == 2030
    assert np.isnan(plan.exchange(action, Programme(name="x")))
