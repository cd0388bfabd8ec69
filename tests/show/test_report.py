"""The page: policy, structure, what is never shown, what comes out as text; read by a parser, not by search for strings alone."""

import itertools
import os
import re
import subprocess
import sys

import nbformat.v4 as nb
import pytest
from conftest import HOSTILE, MENU, Audit, make_page, notebook

from cxlib.show import markup, report


def test_fault_19_nothing_runs_and_nothing_leads_away(audit):
    assert audit.offences() == []


def test_fault_19_hostile_text_is_visible_as_text(audit):
    for piece in ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "$\\href{javascript:alert(1)}{x}$", "<iframe src='https://x.y'>"):
        assert piece in audit.words()
    assert audit.words().count("<script>alert(1)</script>") >= 4


def test_policy_is_in_the_page_before_anything_it_governs(audit):
    order = [tag for tag, _, _ in audit.tags]
    policies = [given["content"] for given, _ in audit.all("meta") if given.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [report.POLICY]
    assert order.index("meta") < order.index("style")
    assert "default-src 'none'" in policies[0]
    assert "script-src" not in policies[0]


def test_landmarks_language_skip_link_and_one_first_heading(audit):
    assert audit.all("html")[0][0]["lang"] == "en"
    assert len(audit.all("h1")) == len(audit.all("main")) == len(audit.all("header")) == len(audit.all("footer")) == 1
    first = audit.all("a")[0][0]
    assert first["href"] == "#main"
    assert "main" in audit.ids
    assert all(given.get("aria-label") for given, _ in audit.all("nav"))
    assert len(audit.ids) == len(set(audit.ids))


def test_menu_marks_the_page_one_is_on(audit):
    entries = [given for given, inside in audit.all("a") if given.get("href") in dict(MENU) and "header" in inside]
    assert [given.get("aria-current") for given in entries] == [None, "page", None]


def test_contents_lead_to_headings_that_are_there(audit):
    leads = [given["href"][1:] for given, inside in audit.all("a") if given.get("href", "").startswith("#") and "nav" in inside]
    heads = [given["id"] for given, _ in audit.all("h2")]
    assert leads == heads == ["what-matters-most", "what-we-cannot-tell", "what-we-cannot-tell-2", "another-title"]


def test_every_address_is_a_neighbour_or_an_anchor_on_the_page(audit):
    for given, _ in audit.all("a"):
        where = given.get("href", "#top")
        assert where.lstrip("#") in audit.ids if where.startswith("#") else re.fullmatch(r"[\w-]+\.html", where)
    assert "(doi.org/10.1/x)" in audit.words()


def test_every_picture_says_what_it_shows(audit):
    for given, _ in audit.all("img"):
        assert given["alt"].strip()
    for given, _ in audit.all("svg"):
        named = given.get("aria-label") or all(name in audit.ids for name in given["aria-labelledby"].split())
        assert given["role"] == "img"
        assert named


def test_every_table_has_a_caption_and_every_header_a_scope(audit):
    tables = audit.all("table")
    captions = [inside for _, inside in audit.all("caption")]
    assert len(tables) == len(captions) > 15
    assert all(given["scope"] in ("row", "col", "colgroup", "rowgroup") for given, _ in audit.all("th"))
    assert all(name in audit.ids for given, _ in audit.all("td") for name in given.get("headers", "").split())


def test_headings_never_skip_a_level(audit):
    levels = [int(tag[1]) for tag, _, _ in audit.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_stderr_tracebacks_and_output_of_parameters_are_never_shown(page):
    for secret in ("secret warning", "secret traceback", "ZeroDivisionError", "parameter output", "alert('js')", "Axes: xlabel"):
        assert secret not in page


def test_code_stands_behind_one_switch_without_script(page, audit):
    boxes = audit.all("input")
    assert [given["type"] for given, _ in boxes] == ["checkbox"]
    assert audit.all("label")[0][0]["for"] == boxes[0][0]["id"]
    assert ".code{display:none}" in page
    assert ".switch:checked~article .code{display:block}" in page
    assert "quarter = &#39;2026Q3&#39;" in page or "'2026Q3'" in audit.words()


def test_a_page_without_code_has_no_switch_and_no_contents():
    seen = Audit(make_page(nb.new_notebook(cells=[nb.new_markdown_cell("# T\n\nOne sentence.")])))
    assert not seen.all("input")
    assert [given["aria-label"] for given, _ in seen.all("nav")] == ["Pages of this report"]


def test_empty_page_is_under_60_kib():
    assert len(make_page(nb.new_notebook(cells=[nb.new_markdown_cell("# T")])).encode()) < 60 * 1024


def test_style_of_fragments_is_carried_once(page):
    assert page.count(".cx-cards{list-style") == 1
    assert page.count("<style>") == 1


def test_same_notebook_same_bytes_whatever_its_cell_ids(page):
    again = notebook()
    assert [cell.id for cell in again.cells] != [cell.id for cell in notebook().cells]
    assert make_page(again, edition="Draft", summary="Network quality leads.", facts=[("Made from", "annual_2026.csv")]) == page


def test_the_notebook_given_is_left_as_it_was():
    given = notebook()
    before = str(given)
    make_page(given)
    assert str(given) == before


@pytest.mark.parametrize("surroundings", [{"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7"}, {"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "99", "SOURCE_DATE_EPOCH": "1"}])
def test_fault_35_same_bytes_in_another_zone_and_locale(page, surroundings, tmp_path):
    # A reader's own Jupyter templates, matplotlibrc and time zone have no say.
    hostile = tmp_path / "home" / ".local/share/jupyter/nbconvert/templates"
    for name in ("cx", "base", "classic"):
        (hostile / name).mkdir(parents=True)
        (hostile / name / "display_priority.j2").write_text("HIJACKED")
        (hostile / name / "index.html.j2").write_text("HIJACKED")
        (hostile / name / "null.j2").write_text("HIJACKED")
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\naxes.grid: True\nfigure.dpi: 200\ntext.parse_math: True\n")
    code = "import sys; sys.path[:0] = sys.argv[1:]; from conftest import make_page; sys.stdout.buffer.write(make_page(edition='Draft', summary='Network quality leads.', facts=[('Made from', 'annual_2026.csv')]).encode())"
    made = subprocess.run([sys.executable, "-c", code, os.path.dirname(__file__), os.path.dirname(os.path.dirname(os.path.dirname(__file__)))],
                          env={**os.environ, "HOME": str(tmp_path / "home"), "MPLCONFIGDIR": str(tmp_path), "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), **surroundings},
                          capture_output=True, check=True, timeout=100)  # fmt: skip
    assert made.stdout.decode() == page


@pytest.mark.parametrize(
    "source",
    ["<svg><style><img src=x onerror=a></style></svg>", "<math><mtext><table><mglyph><style><img src=x onerror=a>", "<noscript><p title='</noscript><img src=x onerror=a>'>",
     "<a href=' javascript:a'>x</a>", "<a href='JaVaScRiPt:a'>x</a>", "<a href='//x.y'>x</a>", "<a href='data:text/html,x'>x</a>", "<p style='background:url(https://x.y)'>x</p>",
     "<p style='background:\\75rl(//x.y)'>x</p>", "<img src='data:image/svg+xml;base64,AAAA'>", "<svg><a xlink:href='javascript:a'><text>x</text></a></svg>", "<svg><set attributeName=onload to=a /></svg>",
     "<form action=x><input name=y><button>z</button></form>", "<base href='https://x.y'>", "<meta http-equiv=refresh content='0;url=https://x.y'>", "<link rel=stylesheet href=x>", "<textarea><img src=x onerror=a></textarea>",
     "<svg><foreignObject><iframe src=x></iframe></foreignObject></svg>", "<!--><img src=x onerror=a>-->", "<![CDATA[<img src=x onerror=a>]]>", "<p onclick=a>x", "</main></body><p>x", "<h2 onclick=a>x</h2>", "<table><caption><img src=x onerror=a>"],
)  # fmt: skip
def test_fault_19_ways_around_a_filter(source):
    written = markup.Page().write(source)
    seen = Audit(written)
    assert seen.offences() == []
    assert not seen.all("img") or all(given["src"].startswith("data:image/png") for given, _ in seen.all("img"))
    assert markup.Page().write(written).count("<img") == written.count("<img")


def test_titles_menu_and_facts_from_outside_are_text():
    seen = Audit(make_page(nb.new_notebook(), title=HOSTILE, menu=[("index.html", HOSTILE)], programme_name=HOSTILE, quarter=HOSTILE, summary=HOSTILE, edition=HOSTILE, facts=[(HOSTILE, HOSTILE)]))
    assert seen.offences() == []
    assert seen.words().count("<script>alert(1)</script>") >= 7


def test_anchors_are_made_of_the_words():
    assert markup.slug("What matters most?") == "what-matters-most"
    assert markup.slug("Wärme & Preis") == "warme-preis"
    assert markup.slug("2026") == "s-2026"
    assert markup.slug("満足度") == "section"
    assert markup.slug("Menu") == "menu-2"
    assert markup.slug("a", {"a", "a-2"}) == "a-3"
