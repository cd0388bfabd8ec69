"""What 01 says of matches, timelines and touchpoints: the words follow the numbers."""

import pandas as pd

from cxlib.load import journey
from cxlib.show import claims
from cxlib.show.claims import loading

COLUMNS = ["file", "table", "how", "n", "linked", "estimate", "conf_low", "conf_high", "note"]


def rates(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_matches_of_a_file_are_told_with_their_share_their_ways_and_their_false_links():
    found = rates(
        ("calls.csv", "interactions", "key:phone", 400, 200, 1.5, 0.2, 4.0, ""), ("calls.csv", "interactions", "scored", 200, 50, 2.5, 1.0, 6.0, ""),
        ("calls.csv", "interactions", "all", 400, 250, 4.0, 1.0, 8.3, ""),
    )  # fmt: skip
    (sentence,) = claims.linking.matched(found)
    assert sentence == (
        "calls.csv (contacts): of 400 rows without a customer key 250 (63 %) were matched with a customer, 200 by equal phone and 50 by the score of several signs that agree; "
        "4.0 of these links are expected to be false (95 % interval 1.0 to 8.3)."
    )


def test_a_file_that_matches_nobody_and_a_missing_extra_are_said():
    found = rates(("mail.csv", "events", "scored", 30, 0, 0.0, 0.0, 0.0, "Links are by equal keys only: Splink is not installed."), ("mail.csv", "events", "all", 30, 0, 0.0, 0.0, 0.0, ""))
    assert claims.linking.matched(found) == ["mail.csv (events): of 30 rows without a customer key none could be matched.", "Links are by equal keys only: Splink is not installed."]


def test_without_identifiers_every_link_is_by_the_companys_own_key():
    assert claims.linking.matched(rates()) == ["Every link is by a key that both files carry: no file names identifiers to be matched by."]


def test_the_matrix_says_blind_where_nothing_measures_and_a_dash_where_the_channel_is_not_told():
    keys = dict(stage="help", touchpoint="hotline", first=pd.NaT, last=pd.NaT, declared=True)
    matrix = pd.DataFrame([
        keys | {"channel": "phone", "kind": "operational", "n": 1200, "blind": False}, keys | {"channel": "phone", "kind": "perceptive", "n": 0, "blind": True},
        keys | {"channel": "phone", "kind": "outcome", "n": 7, "blind": False}, keys | {"channel": "", "kind": "perceptive", "n": 3, "blind": False},
    ])  # fmt: skip
    named = journey.Journeys(stages=[journey.Stage(id="help", label="Getting help")], touchpoints=[journey.Touchpoint(id="hotline", label="Hotline", stage="help")])
    shown = claims.linking.touchpoints(matrix, named)
    assert shown.iloc[0].tolist() == ["Getting help", "Hotline", "phone", "1,200", "blind", "7"]
    assert shown.loc[1, "channel"] == "not told"
    assert pd.isna(shown.loc[1, "What happened"])


def test_a_file_of_several_waves_is_one_file_and_its_share_set_aside_is_that_of_the_whole_file():
    """A file that held ten waves was counted as ten, and its worst wave was held against the limit of the file."""
    files = pd.DataFrame({"file": ["a.csv", "a.csv", "b.csv"], "rows": [100, 900, 10], "kept": [90, 900, 10], "quarantined": [10, 0, 0], "duplicates": 0, "trimmed": 0})
    first, *rest = loading.intake(files, limit=0.05)
    assert first.startswith("2 files, read in 3 parts, held 1,010 rows: 1,000 kept")
    assert rest == []
    assert "a.csv has 1.0 %" in " ".join(loading.intake(files, limit=0.005))
