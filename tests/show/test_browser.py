"""The page in a browser: nothing runs, nothing is asked for, nothing scrolls sideways on a phone; dark, paper and the switch work."""

import json
import re
import shutil
import subprocess

import nbformat.v4 as nb
import pytest
from conftest import make_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")]
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# The page itself can run nothing, so a page around it looks in; both are files of one folder.
LOOK = """<!doctype html><body><iframe id="f" src="page.html" style="border:0;width:%dpx;height:900px"></iframe><script>
document.getElementById("f").onload = event => { const inner = event.target.contentWindow, page = inner.document; const seen = {};
%s
document.body.innerHTML = "<pre>" + JSON.stringify(seen).replace(/</g, "&lt;") + "</pre>"; }
</script>"""


def browse(folder, *arguments, name="page.html"):
    return subprocess.run([CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", *arguments, (folder / name).as_uri()], capture_output=True, check=True, timeout=90)


def look(folder, source, script, *flags, width=360):
    (folder / "page.html").write_text(source, encoding="utf-8")
    (folder / "look.html").write_text(LOOK % (width, script), encoding="utf-8")
    shown = browse(folder, "--allow-file-access-from-files", "--virtual-time-budget=4000", *flags, "--dump-dom", name="look.html").stdout.decode()
    return json.loads(re.search(r"<pre>(.*?)</pre>", shown, re.S)[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def test_fault_19_no_payload_runs_and_no_request_leaves(tmp_path):
    run = "document.documentElement.dataset.ran=1"
    payloads = [f"<script>{run}</script>", f"<img src=x onerror='{run}'>", f"<svg onload='{run}'></svg>", f"<iframe srcdoc='<script>parent.{run}</script>'></iframe>", f"<a href='javascript:{run}' autofocus onfocus='{run}'>x</a>",
                f"<style>@import url(https://example.org/x.css)</style><img src='https://example.org/x.png'><details open ontoggle='{run}'>x</details>", f"<math><mtext></style><img src=x onerror='{run}'>"]  # fmt: skip
    # Without policy and allow-list they do run: the probe can see it.
    (tmp_path / "page.html").write_text(f"<!doctype html><html><body>{payloads[0]}{payloads[1]}")
    assert "data-ran" in browse(tmp_path, "--virtual-time-budget=3000", "--dump-dom").stdout.decode()
    cells = [nb.new_markdown_cell(payload) for payload in payloads]
    cells += [nb.new_code_cell("1", outputs=[nb.new_output("display_data", {kind: payload, "text/plain": ""})]) for payload in payloads for kind in ("text/html", "text/markdown", "image/svg+xml", "application/javascript")]
    (tmp_path / "page.html").write_text(make_page(nb.new_notebook(cells=cells), title=payloads[0]), encoding="utf-8")
    shown = browse(tmp_path, f"--log-net-log={tmp_path / 'net.json'}", "--virtual-time-budget=3000", "--dump-dom").stdout.decode()
    assert "data-ran" not in shown
    assert "&lt;script&gt;" in shown
    assert "example.org" not in (tmp_path / "net.json").read_text()


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_no_page_scrolls_sideways(page, tmp_path, width):
    script = """seen.wide = page.documentElement.scrollWidth; seen.view = inner.innerWidth;
    seen.out = [...page.querySelectorAll("main *")].filter(node => node.getBoundingClientRect().right > inner.innerWidth + 1 && !node.closest(".cx-scroll,pre,details:not([open]),.cx-hidden")).map(node => node.tagName);"""
    seen = look(tmp_path, page, script, f"--window-size={max(width + 60, 500)},1000", width=width)
    assert seen["wide"] <= seen["view"] == width
    assert seen["out"] == []


def test_phone_gets_the_drawing_made_for_it_with_letters_of_reading_size(page, tmp_path):
    script = """seen.kinds = [...page.querySelectorAll("figure svg")].filter(node => inner.getComputedStyle(node).display != "none").map(node => node.getAttribute("class"));
    seen.smallest = Math.min(...[...page.querySelectorAll("svg.cx-narrow text")].map(node => node.getBoundingClientRect().height).filter(height => height > 0));"""
    seen = look(tmp_path, page, script)
    assert set(seen["kinds"]) == {"cx-narrow"}
    assert seen["smallest"] >= 9


def test_switch_shows_the_code_by_the_keyboard_too(page, tmp_path):
    script = """const box = page.getElementById("show-code"), code = page.querySelector(".code"), shown = () => inner.getComputedStyle(code).display;
    seen.before = shown(); box.focus(); seen.focused = page.activeElement.id; box.click(); seen.after = shown(); box.click(); seen.again = shown();"""
    assert look(tmp_path, page, script) == {"before": "none", "focused": "show-code", "after": "block", "again": "none"}


def test_dark_mode_turns_page_and_drawings(page, tmp_path):
    script = """seen.paper = inner.getComputedStyle(page.body).backgroundColor; seen.ink = inner.getComputedStyle(page.body).color;
    seen.text = [...new Set([...page.querySelectorAll("figure svg.cx-wide text")].map(node => inner.getComputedStyle(node).fill))];"""
    light = look(tmp_path, page, script, width=1280)
    dark = look(tmp_path, page, script, "--blink-settings=preferredColorScheme=0", width=1280)
    assert (light["paper"], light["ink"]) == ("rgb(255, 255, 255)", "rgb(27, 36, 41)")
    assert (dark["paper"], dark["ink"]) == ("rgb(18, 25, 29)", "rgb(228, 234, 237)")
    assert not set(light["text"]) & set(dark["text"])


@pytest.mark.skipif(shutil.which("pdftotext") is None or shutil.which("pdfinfo") is None, reason="needs poppler's pdftotext and pdfinfo")
def test_prints_on_a4_without_menu_switch_and_code(page, tmp_path):
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    browse(tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")
    info = subprocess.run(["pdfinfo", tmp_path / "page.pdf"], capture_output=True, check=True, text=True).stdout
    width, height = (float(part) for part in re.search(r"Page size:\s+([\d.]+) x ([\d.]+)", info).groups())
    assert (round(width), round(height)) == (595, 842)
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, check=True, text=True).stdout
    assert "Where service money would move satisfaction most" in text
    assert "Importance" in text
    for absent in ("Show the code", "Skip to the content", "On this page", "import cxlib"):
        assert absent not in text
