"""Verbatims to be read: quotations with filters that work without a script, by keyboard, on a phone and on paper."""

import html
import re

import pandas as pd

from cxlib.show import prose
from cxlib.show.fragments import Fragment

MOST = 40  # choices of a filter: the style sheet knows as many
WORDS = {"typical": "Most typical", "extreme": "Most extreme", "random": "Drawn by lot", "positive": "Praise", "negative": "Criticism", "unclear": "Unclear"}


def reading(frame: pd.DataFrame, *, id: str, caption: str, filters: dict[str, str], first: str = "") -> Fragment:
    """Return quotations as a list that readers filter by radio buttons: what is chosen is shown by the style sheet alone, and without one everything is.

    in: frame with text, optional clause (the part of the text to be marked), about (the line beneath it), and the columns of `filters` (column -> legend, three at most), whose values are
    words. `first` is the value of the first filter that is chosen at first; all of the others. Values beyond the fortieth of a filter have no button of their own. Everything is escaped.
    Raises ValueError for a column that is not there, for more than three filters, or for an id that is no anchor.
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", id):
        raise ValueError(f"'{id}' cannot be an anchor: take a letter, then letters, digits, '-' or '_'")
    if len(filters) > 3 or (absent := [name for name in ("text", *filters) if name not in frame]):
        raise ValueError(f"quotations '{id}' have no column '{absent[0]}'" if len(filters) <= 3 else "quotations have three filters at most")
    values = {name: [value for value in dict.fromkeys(frame[name]) if str(value)][:MOST] for name in filters}
    groups = "".join(_group(id, letter, legend, values[name], first if letter == "a" else "") for letter, (name, legend) in zip("abc", filters.items()) if len(values[name]) > 1)
    lines = []
    for row in frame.to_dict("records"):
        marks = [f"cx-in-{letter}{values[name].index(row[name]) + 1}" for letter, name in zip("abc", filters) if row[name] in values[name]]
        tags = " · ".join(prose.escape(WORDS.get(row[name], row[name])) for name in filters if str(row[name]))
        about = f"{tags}{' · ' if tags and row.get('about') else ''}{prose.escape(row.get('about') or '')}"
        lines.append(f'<li class="{" ".join(marks)}"><blockquote><p>{_marked(row["text"], row.get("clause") or "")}</p></blockquote><p class="cx-small">{about}</p></li>')
    body = f'<ul class="cx-said">{"".join(lines)}</ul>' if lines else '<p class="cx-note">Nothing to show: no comment may be quoted.</p>'
    head = f'<p class="cx-caption" id="{id}-caption">{prose.escape(caption)}</p>'
    return Fragment(f'<section class="cx-reading" id="{id}" aria-labelledby="{id}-caption">{head}{groups if lines else ""}{body}</section>\n', frame)


def _group(id: str, letter: str, legend: str, values: list, first: str) -> str:
    """One filter: a set of radio buttons, "all" first."""
    button = lambda place, words, chosen: f'<span><input type="radio" name="{id}-{letter}" id="{id}-{letter}{place}" class="cx-pick-{letter}{place}"{" checked" if chosen else ""}><label for="{id}-{letter}{place}">{prose.escape(words)}</label></span>'
    place = values.index(first) + 1 if first in values else 0
    return f'<fieldset><legend>{prose.escape(legend)}</legend>{button(0, "All", not place)}{"".join(button(at, WORDS.get(value, value), at == place) for at, value in enumerate(values, 1))}</fieldset>'


def _marked(text: str, clause: str) -> str:
    """A text with its clause marked; quotation marks around it."""
    text, clause = prose.clean(text), prose.clean(clause)
    at = text.find(clause) if clause and clause != text else -1
    if at < 0:
        return f"“{html.escape(text)}”"
    return f"“{html.escape(text[:at])}<mark>{html.escape(clause)}</mark>{html.escape(text[at + len(clause) :])}”"


def style() -> str:
    """Return the rules that hide what a filter leaves out: for every button one, that hides the lines which are not its own."""
    return "".join(f".cx-reading:has(.cx-pick-{letter}{at}:checked) .cx-said>li:not(.cx-in-{letter}{at}){{display:none}}" for letter, most in (("a", MOST), ("b", 8), ("c", MOST)) for at in range(1, most + 1)) + "\n"
