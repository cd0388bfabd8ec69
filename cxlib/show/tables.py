"""Tables a reader can trust: one object with a fixed id, a caption, header scopes, numbers in words' rules and no NaN.

great_tables sets the structure (header cells, scopes, escaping); its hard-wired colours are left out and template/fragment.css takes their
place, which follows the page's colours in the light, in the dark and on paper, and also works alone inside a notebook.
"""

import html
import re

import pandas as pd

from cxlib.show import prose
from cxlib.show.fragments import Fragment

LABELS = {
    "estimate": "Estimate", "std_error": "Standard error", "conf_low": "95 % from", "conf_high": "95 % to", "n": "n", "n_eff": "Effective n",
    "p": "p", "note": "Note", "kpi": "KPI", "nps": "NPS", "csat": "CSAT", "ces": "CES", "flag": "Base", "arm": "Group", "grade": "Grade",
    "p_adjusted": "p, adjusted", "what": "What", "unit": "Unit", "quarter": "Quarter", "wave": "Wave", "r2": "R²", "share": "Share", "rank_low": "Rank from", "rank_high": "Rank to", "p_top1": "Comes first", "p_top3": "Among first three",
    "detectable": "Smallest detectable", "needed_n": "Answers needed", "count": "Mentions", "n_both": "Answered both", "then": "Before", "now": "Now",
}  # fmt: skip
ABSENT = "–"
OPTIONAL = ("note", "flag", "base", "quality")
TEXTUAL = ("text", "date")


def table(frame, *, id, caption, labels=None, formats=None, note=None, stub=None, absent=ABSENT) -> Fragment:
    """Return a table of a frame, one row a line, as an object with `.frame`, `.html` and `_repr_html_`.

    labels   column -> heading; without one the vocabulary's heading, else the column's name with spaces. Columns named None are left out, and so are
             `note`, `flag`, `base` and `quality` where every cell is blank.
    formats  column -> 'percent', 'percent1', 'percentage_points', 'points', 'signed_points', 'number', 'number1', 'number2', 'money:EUR', 'p',
             'probability', 'date', 'text', 'interval:<unit>' (the value with its limits conf_low and conf_high in one cell).
             Without one: text as it is, whole numbers with separators, others with three significant figures; where a column `unit` tells rows of several units apart, each unit by itself.
    stub     the column that names the row (its cells become row headers); the first column if it is text.
    A missing or infinite value is shown as `absent`, or 'not estimable' where the row's `note` column says why.
    Raises ValueError for an id that is no anchor, a column that is not there, or an unknown format.
    """
    labels, formats = dict(labels or {}), dict(formats or {})
    _check_id(id)
    for column in [*labels, *formats, *([stub] if stub else [])]:
        if column not in frame.columns:
            raise ValueError(f"table '{id}' has no column '{column}'; its columns are {prose.join(frame.columns)}")
    if not frame.columns.is_unique:
        raise ValueError(f"table '{id}' has two columns of one name: {prose.join(frame.columns[frame.columns.duplicated()])}")
    shown = [column for column in frame.columns if labels.get(column, "") is not None and not (column in OPTIONAL and _blank(frame[column]))]
    if any(kind.startswith("interval") for kind in formats.values()):
        shown = [column for column in shown if column not in ("conf_low", "conf_high") or column in formats]
    stub = stub or (shown[0] if shown and _is_text(frame[shown[0]], formats.get(shown[0])) else None)
    cells, align = {}, {}
    for column in shown:
        kind = formats.get(column) or _kind(frame[column])
        kinds = {} if column in formats else _by_unit(frame, column)
        kind = kind if column in formats else _with_limits(frame, column, kind)
        cells[column] = [_cell(row, column, kinds.get(row.get("unit"), kind), absent) for row in frame.to_dict("records")]
        align[column] = "left" if kind in TEXTUAL else "right"
    headings = {column: labels.get(column) or label(column) for column in shown}
    body = _structure(cells, headings, align, stub, id) if shown else "<table></table>"
    body = re.sub(r"<table[^>]*>", lambda found: f'{found[0]}<caption id="{id}-caption">{prose.escape(caption)}</caption>', body, count=1)
    note = note or ("Nothing to show: there are no rows." if frame.empty else None)
    below = f'<p class="cx-note">{prose.escape(note)}</p>' if note else ""
    box = f'<div class="cx-scroll" role="region" tabindex="0" aria-labelledby="{id}-caption">{body}</div>'
    return Fragment(f'<div class="cx-table" id="{id}">{box}{below}</div>\n', frame)


def cards(frame, *, id="key-numbers", label="The key figures") -> Fragment:
    """Return the KPIs as large numbers, each with its interval, what has changed and its base: the top of the first page.

    In, a row a KPI: `label, estimate, conf_low, conf_high, n, n_eff, unit` ('points', 'percent' with proportions, or a noun), and where there is
    an earlier wave `change, change_low, change_high, since`; optional `note` says why there is no estimate, `definition` what is counted.
    The verb of the change follows its interval; a KPI without an estimate says 'not estimable' and the reason.
    """
    _check_id(id)
    items = "".join(f"<li>{_card(row)}</li>" for row in frame.to_dict("records"))
    return Fragment(f'<ul class="cx-cards" id="{id}" aria-label="{prose.escape(label)}">{items}</ul>\n', frame)


def label(column) -> str:
    """Return the heading of a column: the vocabulary's, or its name in words."""
    words = str(column).replace("_", " ").strip()
    return LABELS.get(column) or (words[:1].upper() + words[1:])


def _card(row):
    unit, name = row.get("unit") or "number", row["label"]
    lines = [f'<p class="cx-name">{prose.escape(name)}</p>']
    if _missing(row["estimate"]):
        reason = row.get("note")
        told = "" if _missing(reason) else f'<p class="cx-small">{prose.escape(reason)}</p>'
        return "".join(lines) + '<p class="cx-big">–</p><p class="cx-move">not estimable</p>' + told
    lines.append(f'<p class="cx-big">{prose.escape(_value(row["estimate"], unit))}</p>')
    if not _missing(row.get("conf_low")) and not _missing(row.get("conf_high")):
        lines.append(f'<p class="cx-small">95 % interval {prose.escape(prose.interval(row["conf_low"], row["conf_high"], unit, what=name))}</p>')
    if not any(_missing(row.get(key)) for key in ("change", "change_low", "change_high")):
        low, high, since = row["change_low"], row["change_high"], row.get("since")
        moved = "up" if low > 0 else "down" if high < 0 else "same"
        mark = {"up": "▲", "down": "▼", "same": "="}[moved]
        said = prose.change(row["change"], low, high, unit="percentage points" if unit == "percent" else unit, since="" if _missing(since) else since)
        verb, _, limits = said.partition(" (")
        told = f'{prose.escape(verb)} <span class="cx-small">{prose.escape(limits.removesuffix(")"))}</span>'
        lines.append(f'<p class="cx-move"><span class="cx-{moved}" aria-hidden="true">{mark}</span> {told}</p>')
    worth = row.get("n_eff")
    lines.append(f'<p class="cx-small">{prose.escape(prose.base(row["n"], None if _missing(worth) else worth))}</p>')
    if not _missing(row.get("definition")):
        lines.append(f'<p class="cx-small">{prose.escape(row["definition"])}</p>')
    return "".join(lines)


def _value(value, unit):
    if unit == "percent":
        return prose.percent(value)
    if unit.startswith("money:"):
        return prose.money(value, unit[6:])
    return prose.points(value) if unit == "points" else prose.number(value)


def _cell(row, column, kind, absent):
    value = row[column]
    if _missing(value):
        return "not estimable" if column == "estimate" and row.get("note") else absent
    if kind.startswith("interval"):
        unit = kind.partition(":")[2] or "number"
        low, high = row.get("conf_low"), row.get("conf_high")
        limits = "" if _missing(low) or _missing(high) else f" ({prose.interval(low, high, unit)})"
        return f"{_value(value, unit)}{limits}"
    return _format(kind)(value)


def _format(kind):
    if kind.startswith("money:"):
        return lambda value: prose.money(value, kind[6:])
    known = {
        "percent": prose.percent,
        "percent1": lambda value: prose.percent(value, digits=1),
        "percentage_points": lambda value: prose.points(value * 100, digits=1),
        "points": lambda value: prose.points(value, sign=False),
        "signed_points": prose.points,
        "number": prose.number,
        **{f"number{digits}": lambda value, digits=digits: prose.number(value, digits=digits) for digits in range(5)},
        "p": lambda value: prose.p_value(value).removeprefix("p = ").removeprefix("p "),
        "probability": prose.probability,
        "date": prose.date,
        "text": lambda value: prose.clean("yes" if value is True else "no" if value is False else value),
    }
    if kind not in known:
        raise ValueError(f"there is no table format '{kind}'; there are {prose.join([*known, 'money:<currency>', 'interval:<unit>'])}")
    return known[kind]


def _kind(values):
    if pd.api.types.is_bool_dtype(values):
        return "text"
    if pd.api.types.is_numeric_dtype(values):
        # One number of decimals a column: the larger numbers keep three significant figures.
        size = max((abs(value) for value in values.dropna() if abs(value) < float("inf")), default=0)
        whole = all(value == int(value) for value in values.dropna() if abs(value) < float("inf"))
        return f"number{0 if whole or size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}"
    return "date" if pd.api.types.is_datetime64_any_dtype(values) else "text"


def _with_limits(frame, column, kind) -> str:
    """Return the format of an estimate or one of its limits, conf_low and conf_high: one number of decimals for the three, that of the largest."""
    names, at = list(frame.columns), list(frame.columns).index("conf_low") if {"conf_low", "conf_high"} <= set(frame.columns) else 0
    three = [*names[at - 1 : at], "conf_low", "conf_high"] if at else []
    if column not in three or not all(pd.api.types.is_float_dtype(frame[name]) for name in three):
        return kind
    return _kind(pd.concat([frame[name] for name in three]))


def _by_unit(frame, column) -> dict:
    """Return the format of a column of numbers by the unit of the row, where there are several: visits must not lose their decimals beside money."""
    if "unit" not in frame or frame["unit"].nunique() < 2 or not pd.api.types.is_float_dtype(frame[column]):
        return {}
    return {unit: _with_limits(own, column, _kind(own[column])) for unit, own in frame.groupby("unit", sort=False)}


def _is_text(values, kind):
    return (kind or _kind(values)) in TEXTUAL


def _missing(value):
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not abs(value) < float("inf"))


def _blank(values):
    return len(values) > 0 and all(_missing(value) or not str(value).strip() for value in values)


def _check_id(id):
    if not re.fullmatch(r"[A-Za-z][\w-]*", str(id)):
        raise ValueError(f"'{id}' cannot be an anchor: take a letter, then letters, digits, '-' or '_'")


def _lean(found):
    # great_tables names every part for its own style sheet: only the alignment of numbers is used here.
    return ' class="gt_right"' if "gt_right" in found[0] else ""


def _structure(cells, headings, align, stub, id):
    # Columns go in under neutral names, so that a column called 'a"><b>' cannot reach an attribute.
    from great_tables import GT

    names = {column: f"c{place}" for place, column in enumerate(cells)}
    frame = pd.DataFrame({names[column]: pd.Series(values, dtype="object") for column, values in cells.items()})
    made = GT(frame, id=id, rowname_col=names.get(stub)).tab_stubhead(label="\0") if stub else GT(frame, id=id)
    for side in ("left", "right"):
        chosen = [names[column] for column in cells if align[column] == side and column != stub]
        made = made.cols_align(side, columns=chosen) if chosen else made
    marks = {names[column]: f"\x01{names[column]}\x01" for column in cells if column != stub}
    raw = made.cols_label(**marks).as_raw_html() if marks else made.as_raw_html()
    raw = re.sub(r"<[a-z][^>]*>", lambda found: re.sub(r' (?:row|col)span="1"| class="[^"]*"', _lean, found[0]), re.sub(r"\n\s*", "", raw))
    raw = raw[raw.index("<table") : raw.rindex("</table>") + len("</table>")]
    # Headings are put in afterwards: great_tables would read units notation ('{{...}}') in them.
    back = {f"\x01{names[column]}\x01": html.escape(prose.clean(heading)) for column, heading in headings.items()}
    raw = re.sub(r"\x01c\d+\x01", lambda found: back[found[0]], raw)
    raw = raw.replace("\0", html.escape(prose.clean(headings[stub])) if stub else "")
    return re.sub(r"(?<=\d) %", "&nbsp;%", re.sub(r'<table[^>]*>', f'<table aria-labelledby="{id}-caption">', raw, count=1))
