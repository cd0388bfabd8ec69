"""FAULTS 7: one response only, all the same score, an attribute that does not vary. The report is built, and says what is not estimable and why."""

import html
import re
from pathlib import Path

import pytest
from small import TINY

PAGES = {"index", "01_data_loading", "02_annual_drivers", "03_performance_tracking", "04_verbatim_topics", "06_value_threshold", "11_roi"}
CODEFRAME = 'version = "1"\n[[topics]]\nid = "fine"\nname = "Fine"\ninclude = ["fine"]\n'
THIN = {
    "one response": ("r1,DE,p1,9,4,It is fine.\n", "not estimable (the KPI does not vary)", "+100.0"),
    "the same score": ("".join(f"r{i:03d},DE,p{i},9,{1 + i % 5},It is fine.\n" for i in range(60)), "not estimable (the KPI does not vary)", "+100.0"),
    "an attribute that does not vary": ("".join(f"r{i:03d},DE,p{i},{i % 11},4,It is fine.\n" for i in range(60)), "not estimable (no variation in the answers)", "−50.0"),
}  # fmt: skip


def words(page: str) -> str:
    """Return what a reader sees: no style, no drawing, no code."""
    page = re.sub(r"<(style|script|svg|pre)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("name", THIN)
def test_a_thin_programme_has_all_its_pages_and_says_what_is_not_estimable(name, tiny, cx, tmp_path):
    rows, reason, level = THIN[name]
    folder = tiny(rows)
    (folder / "codeframe.toml").write_text(CODEFRAME, "utf-8")
    code, out, errors = cx("report", folder, "--out", tmp_path / "reports", "-p", "replicates=200")
    assert code == 0, errors
    draft = Path(out.strip().splitlines()[-1]).parent
    raw = {path.stem: path.read_text("utf-8") for path in draft.glob("*.html")}
    assert [name for name, page in raw.items() if re.search(r"<tbody[^>]*>\s*</tbody>", page)] == []  # no table of nothing
    pages = {name: words(page) for name, page in raw.items()}
    assert set(pages) == PAGES
    assert reason in pages["02_annual_drivers"]
    assert level in pages["03_performance_tracking"]
    assert "nothing can be said of change" in pages["03_performance_tracking"]
    assert "holds no actions" in pages["11_roi"]
    for page, text in pages.items():
        assert not re.search(r"\b(nan|NaN|NaT|inf|infinity|None)\b", text), page
        assert "too few" not in text.replace("are too few to learn from", ""), page
    if name == "one response":
        assert "No study of this run makes a claim." in pages["index"]
        assert "1 answer, low base" in pages["index"]
    for table in draft.glob("tables/*.csv"):
        assert not re.search(r"\b(nan|inf)\b", table.read_text("utf-8")), table.name



def test_two_attributes_and_two_key_figures_with_one_label_stay_two(tiny, cx, tmp_path):
    """02 once stopped at 'got a driver more than once': the frame of two models, or of two items of other years, was put together by its labels."""
    toml = TINY.replace('wording = "Price"', 'wording = "Service"').replace("[[items]]\nid = \"comment\"", "[[items]]\nid = \"old_price\"\nwording = \"Service\"\nscale = \"five\"\n[[items]]\nid = \"comment\"")
    toml = toml.replace('items = ["price"]', 'items = ["price", "old_price"]').replace('kpis = ["nps"]', 'kpis = ["nps", "level"]')
    toml = toml.replace("[[drivers]]", '[[kpis]]\nid = "level"\nlabel = "Net Promoter Score"\nitem = "recommend"\ndefinition = "top2_of_10"\n[[drivers]]').replace('id = "nps"\n', 'id = "nps"\nlabel = "Net Promoter Score"\n')
    toml = toml.replace('columns = {', 'columns = {old_price = "", ')
    rows = "".join(f"r{i:03d},DE,p{i},{1 + i % 10},{1 + i % 5},It is fine.\n" for i in range(60))
    code, _, errors = cx("report", tiny(rows, toml=toml), "--only", "01,02", "--out", tmp_path / "reports", "-p", "replicates=200")
    assert code == 0, errors
    page = words((tmp_path / "reports").glob("**/02_annual_drivers.html").__next__().read_text("utf-8"))
    assert "Service (price)" in page
    assert "Service (old_price)" in page
    assert "Net Promoter Score (nps)" in page
    assert "Net Promoter Score (level)" in page


MESSAGES = """
name = "Desk"
timezone = "Europe/Berlin"
reported = ["2026Q1", "2026Q2"]
[[sources]]
table = "interactions"
file = "chats.csv"
uses = ["aggregate", "quote"]
"""


def test_a_programme_of_messages_alone_is_told_what_people_write_of_and_that_nothing_relates_it_to_a_score(tiny, cx, tmp_path):
    """Study 04 ended there as not answerable; two channels stand side by side, with bases of messages, quotes and no key figure."""
    folder = tiny(toml=MESSAGES)
    (folder / "codeframe.toml").write_text('version = "1"\n[[topics]]\nid = "wait"\nname = "Waiting"\ninclude = ["wait", "queue"]\n[[topics]]\nid = "staff"\nname = "Staff"\ninclude = ["staff"]\n', "utf-8")
    said = ["I waited an hour and it was terrible", "The staff was lovely and kind", "The queue was endless and annoying", "My parcel is in Bremen", "Rude staff again"]
    lines = [f"m{at:03d},2026-0{1 + at % 6}-{1 + at % 27:02d}T10:00,{'chat' if at % 3 else 'complaint'},{said[at % 5]} {['on monday', 'today', 'twice'][at % 3]}" for at in range(420)]
    (folder / "raw" / "chats.csv").write_text("interaction_id,at,channel,text\n" + "\n".join(lines) + "\n", "utf-8")
    code, out, errors = cx("report", folder, "--quarter", "2026Q2", "--only", "04", "--out", tmp_path / "reports")
    assert code == 0, errors
    page = (Path(out.strip().splitlines()[-1]) / "04_verbatim_topics.html").read_text("utf-8")
    assert not re.search(r"<tbody[^>]*>\s*</tbody>", page)
    text = " ".join(words(page).split())
    assert "Messages (chat): 140 messages in 2026Q2; the codeframe leaves 20 % of them uncovered" in text
    assert "Messages (complaint): among 70 messages in 2026Q2, criticised most is Waiting (40 %" in text
    assert "What topics have to do with a key figure cannot be told" in text
    assert "Nobody was asked for these words" in text
    assert "nobody rates a message" in text
    assert "Staff · Praise · Most typical · Messages (chat), 2026Q2" in text
    assert "contacts:" not in text
    assert not re.search(r"\b(nan|NaN|None)\b", text)
