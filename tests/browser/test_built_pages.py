"""Every page of built reports in a browser: nothing runs, nothing is asked for, a phone needs no sideways scrolling, paper and the dark are readable."""

import re
import shutil
import subprocess
from pathlib import Path

import chromium
import pytest
from test_built_report import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(chromium.PROGRAM is None, reason="needs chromium on PATH")]
PROVOKE = """(() => { let touched = 0;
for (const node of document.querySelectorAll("*")) for (const kind of ["load", "error", "click", "focus", "mouseover", "toggle", "animationend", "pointerenter"]) { node.dispatchEvent(new Event(kind)); touched++; }
return touched; })()"""
# Text on what lies behind it, as WCAG 2 counts it; text that is hidden, tiny marks and what stands on a picture are left out.
CONTRAST = r"""(() => {
const parse = text => { const found = /rgba?\(([^)]+)\)/.exec(text); if (!found) return null; const [r, g, b, a = 1] = found[1].split(/[ ,/]+/).map(Number); return {r, g, b, a}; };
const light = c => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(c.r) + .7152 * f(c.g) + .0722 * f(c.b); };
const over = (top, below) => ({r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1});
const behind = node => { const layers = []; for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c && c.a > 0) { layers.push(c); if (c.a === 1) break; } }
  let colour = layers.length && layers[layers.length - 1].a === 1 ? layers.pop() : parse(getComputedStyle(document.documentElement).backgroundColor); if (!colour || colour.a === 0) colour = {r: 255, g: 255, b: 255, a: 1};
  while (layers.length) colour = over(layers.pop(), colour); return colour; };
const bad = []; let seen = 0; const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) { const node = walk.currentNode.parentElement, words = walk.currentNode.data.trim(); if (!words || !node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
  const box = node.getBoundingClientRect(); if (box.width < 2 || box.height < 2) continue;
  const style = getComputedStyle(node), drawn = node.ownerSVGElement; if (drawn && node.tagName !== "text" && node.tagName !== "tspan") continue;
  let ink = parse(drawn ? style.fill : style.color); if (!ink) continue; const paper = behind(drawn ? drawn.parentElement : node); ink = over(ink, paper);
  const a = light(ink), b = light(paper), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
  seen++; if (ratio < (large ? 3 : 4.5)) bad.push([words.slice(0, 40), node.tagName, +ratio.toFixed(2)]); }
return {seen, bad: bad.slice(0, 8)}; })()"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with chromium.Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="session", params=["sample", "hostile"])
def draft(request, sample_report, hostile_report):
    return {"sample": sample_report, "hostile": hostile_report}[request.param]


@pytest.fixture(scope="session", params=PAGES)
def address(request, draft):
    return (draft / f"{request.param}.html").as_uri()


def test_fault_19_the_probe_sees_scripts_handlers_and_requests_where_there_are_some(browser, tmp_path):
    (tmp_path / "page.html").write_text(
        "<!doctype html><title>calm</title><script>document.title='inline'</script><img src=missing onerror=\"document.title+=' handler'\"><b onclick=\"document.title+=' provoked'\">x</b>"
        "<link rel=stylesheet href=other.css><img src=http://127.0.0.1:9/canary.png>"
    )
    with browser.tab((tmp_path / "page.html").as_uri()) as tab:
        assert "inline" in tab.scripts[0] or tab.scripts
        assert sorted(Path(one).name for one in tab.requests) == ["canary.png", "missing", "other.css", "page.html"]
        tab.evaluate(PROVOKE)
        title = tab.evaluate("document.title")
    assert title.startswith("inline handler")
    assert "provoked" in title


def test_fault_19_no_script_runs_and_no_request_is_made(browser, address):
    with browser.tab(address) as tab:
        assert tab.scripts == []
        assert tab.requests == [address]
        assert tab.reported("Page.javascriptDialogOpening") == []
        titled = tab.evaluate("document.title")
        assert tab.evaluate(PROVOKE) > 1000
        tab.settle()
        assert tab.requests == [address]
        assert tab.evaluate("[document.title, location.href, document.scripts.length, history.length]") == [titled, address, 0, tab.evaluate("history.length")]
        assert re.search(r" · .+ · 20\d\dQ\d$", titled)  # what the page itself set, and no attack


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(browser, address, width):
    with browser.tab(address, width=width, height=800) as tab:
        wide, view = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide == view <= width  # a desk's own scroll bar takes some
        cut = tab.evaluate(
            "[...document.querySelectorAll('main *')].filter(node => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1 && !node.closest('.cx-scroll,pre,.cx-hidden,details:not([open])'))"
            ".slice(0, 5).map(node => node.tagName + '.' + node.className)"
        )
        assert cut == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_by_day_and_in_the_dark(browser, address, dark):
    with browser.tab(address, dark=dark) as tab:
        found = tab.evaluate(CONTRAST)
    assert found["seen"] > 10
    assert found["bad"] == []


def test_every_page_prints(browser, address, tmp_path):
    with browser.tab(address) as tab:
        title = tab.evaluate("document.querySelector('h1').textContent")
        printed = tab.pdf()
    assert printed.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in printed  # tagged: a screen reader can follow it
    if shutil.which("pdftotext"):
        (tmp_path / "page.pdf").write_bytes(printed)
        text = subprocess.run(["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, check=True, text=True).stdout
        assert re.sub(r"\s+", "", title) in re.sub(r"\s+", "", text)
        assert "Show the code" not in text
        assert "import cxlib" not in text


def test_the_keyboard_reaches_every_link_and_the_first_is_past_the_menu(browser, address):
    with browser.tab(address) as tab:
        first = tab.evaluate("(() => { const all = [...document.querySelectorAll('a[href],input,summary,[tabindex]')].filter(node => node.tabIndex >= 0 && node.checkVisibility()); return [all[0].getAttribute('href'), all.length]; })()")
        positive = tab.evaluate("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"]):not([tabindex=\"-1\"])').length")
        landmark = tab.evaluate("document.querySelectorAll('main').length + '/' + document.querySelectorAll('nav:not([aria-label])').length")
    assert first[0] == "#main"
    assert first[1] > 6
    assert positive == 0
    assert landmark == "1/0"
