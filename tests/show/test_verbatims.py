"""Quotations on a page: escaped, filtered without a script, reachable by keyboard, nothing hidden where filters do not work."""

import re
import shutil

import nbformat.v4 as nb
import pandas as pd
import pytest
from conftest import make_page

from cxlib.show import markup, verbatims

SAID = pd.DataFrame({
    "topic": ["Price", "Price", "Staff <b>", "Staff <b>"], "kind": ["typical", "random", "typical", "extreme"], "polarity": ["negative", "positive", "negative", "unclear"],
    "text": ["Too dear. The rest is fine.", "Cheap enough", "<script>alert(1)</script> rude", 'a "quoted" word'], "clause": ["Too dear", "", "rude", ""], "about": ["0 of 10", "9 of 10", "", "3 of 10"],
})  # fmt: skip
FILTERS = {"topic": "Topic", "polarity": "For better or worse", "kind": "Why shown"}


def made(frame=SAID, **options):
    return verbatims.reading(frame, id="said", caption="In their words", **{"filters": FILTERS, **options})


def test_fault_19_a_quotation_is_text_whatever_it_holds():
    page = markup.Page().write(made().html)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Staff &lt;b&gt;" in page
    assert "<mark>Too dear</mark>" in page


def test_the_filters_come_through_the_allow_list_with_a_name_for_every_button():
    page = markup.Page().write(made(first="Price").html)
    buttons = re.findall(r'<input type="radio" name="([\w-]+)" id="([\w-]+)" class="[\w-]+"( checked="")?>', page)
    assert len(buttons) == 3 + 4 + 4  # two topics, three sides, three reasons, and all of each
    assert {name for name, *_ in buttons} == {"said-a", "said-b", "said-c"}
    assert [spot for _, spot, chosen in buttons if chosen] == ["said-a1", "said-b0", "said-c0"]
    assert set(re.findall(r'for="([\w-]+)"', page)) == {spot for _, spot, _ in buttons}
    assert page.count("<fieldset><legend>") == 3


@pytest.mark.parametrize("source", ['<input type="text" name="x">', "<input>", '<input type="submit">', '<input type="checkbox" id="a">', '<input type="radio" formaction="x" onclick="y">', '<input type="radio" name="a b=c">'])
def test_no_other_button_gets_through(source):
    page = markup.Page().write(source)
    assert "<input" not in page or page in ('<input type="radio">',)


def test_every_button_of_a_filter_has_its_rule_and_no_line_is_hidden_without_one():
    many = pd.concat([SAID.head(1).assign(topic=f"t{at}") for at in range(60)], ignore_index=True)
    html, style = made(many).html, verbatims.style()
    for letter, at in re.findall(r'class="cx-pick-([abc])([1-9]\d*)"', html):
        assert f".cx-reading:has(.cx-pick-{letter}{at}:checked) .cx-said>li:not(.cx-in-{letter}{at})" in style
    assert html.count("<li") == 60
    assert html.count("cx-pick-a") == 41


def test_what_cannot_be_shown_is_said():
    assert "no comment may be quoted" in made(SAID.iloc[:0]).html
    with pytest.raises(ValueError, match="no column 'segment'"):
        made(filters={"segment": "Region"})
    with pytest.raises(ValueError, match="three filters"):
        made(filters=dict.fromkeys(["topic", "kind", "polarity", "text"], ""))
    with pytest.raises(ValueError, match="anchor"):
        verbatims.reading(SAID, id="1 x", caption="", filters=FILTERS)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium on PATH")
def test_choosing_by_keyboard_shows_what_was_chosen_and_nothing_else(tmp_path):
    from test_browser import look

    fragment = made()
    cells = [nb.new_code_cell("1", outputs=[nb.new_output("display_data", {"text/html": fragment.html, "text/plain": ""})])]
    script = """const seen_now = () => [...page.querySelectorAll(".cx-said>li")].filter(node => node.offsetParent).map(node => node.textContent.slice(0, 9));
    const pick = id => { const button = page.getElementById(id); button.focus(); button.click(); };
    seen.all = seen_now().length; pick("said-a1"); seen.price = seen_now(); pick("said-b2"); seen.praise = seen_now(); pick("said-a0"); pick("said-b0"); seen.again = seen_now().length;
    seen.focus = page.activeElement.id; seen.named = [...page.querySelectorAll(".cx-reading input")].every(node => node.labels.length == 1 && node.labels[0].textContent);"""
    seen = look(tmp_path, make_page(nb.new_notebook(cells=cells), title="x"), script)
    assert seen["all"] == seen["again"] == 4
    assert len(seen["price"]) == 2
    assert seen["praise"] == ["“Cheap en"]
    assert seen["focus"] == "said-b0"
    assert seen["named"]
