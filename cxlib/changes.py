"""What changed between two editions: inputs, then the numbers of the KPIs and of the claims; the text an edition opens with."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

PLACE = "<!-- edition -->"  # where the page says what changed since the last edition


def between(before: str | Path | None, after: str | Path, *, number: str, record: Mapping) -> str:
    """Say in HTML what changed between two editions: inputs, then the numbers of the KPIs and of the claims (never their verbs: 00 decides those)."""
    if before is None:
        lines = ["This is the first edition of this quarter."]
    else:
        old = json.loads((Path(before) / "run.json").read_bytes())
        lines = [text for text in (_inputs(old.get("inputs", {}), record["inputs"]), _studies(old.get("studies", {}), record["studies"])) if text]
        names = sorted(name for name in {*record["findings"], *old.get("findings", {})} if name == "kpis" or name.startswith("claims_"))
        for name in names:
            if old.get("findings", {}).get(name) != record["findings"].get(name):
                lines += _numbers(name, Path(before) / f"findings/{name}.parquet", Path(after) / f"findings/{name}.parquet")
        lines = lines or ["No headline number changed."]
    heading = f"Edition {number}" + (f": what changed since {Path(before).name}" if before else "")
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<section class="edition" aria-labelledby="edition"><h2 id="edition">{html.escape(heading)}</h2><ul>{items}</ul></section>'


def _inputs(old: Mapping, new: Mapping) -> str:
    words = {"changed": [n for n in new if n in old and old[n] != new[n]], "new": [n for n in new if n not in old], "gone": [n for n in old if n not in new]}
    said = [f"{word}: {', '.join(names)}" for word, names in words.items() if names]
    return f"Input files {'; '.join(said)}." if said else ""


def _studies(old: Mapping, new: Mapping) -> str:
    said = [f"{word}: {', '.join((new | old)[name]['title'] for name in sorted(names))}" for word, names in (("new", set(new) - set(old)), ("gone", set(old) - set(new))) if names]
    return f"Studies {'; '.join(said)}." if said else ""


def _numbers(name: str, before: Path, after: Path) -> list[str]:
    """One line a row whose estimate differs: claims by their id, KPIs by all columns that are not numbers."""
    old, new = _rows(name, before), _rows(name, after)
    lines = []
    for key in sorted({*old, *new}):
        one, two = old.get(key), new.get(key)
        if one is None or two is None:
            row, word = (two, "new") if one is None else (one, "no longer reported")
            lines.append(f"{_label(row)}: {word}" + (f", {_interval(row)}." if one is None else "."))
        elif _interval(one) != _interval(two):
            lines.append(f"{_label(two)}: {_interval(two)}, was {_interval(one)}.")
    return lines


def _rows(name: str, path: Path) -> dict[tuple, dict]:
    if not path.exists():
        return {}
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path).to_pylist()
    numbers = {"estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "p"}
    if name.startswith("claims_"):
        return {(str(row["claim_id"]),): row for row in rows}
    return {tuple(str(value) for column, value in row.items() if column not in numbers and not isinstance(value, float | int)): row for row in rows}


def _label(row: Mapping) -> str:
    if "claim_id" in row:
        return " · ".join(str(row[name]) for name in ("topic", "base_text") if row.get(name)) or str(row["claim_id"])
    return " · ".join(str(value) for value in row.values() if isinstance(value, str) and value)


def _interval(row: Mapping) -> str:
    def number(value) -> str:
        return "not estimable" if value is None or value != value else f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"

    unit = f" {row['unit']}" if row.get("unit") else ""
    if row.get("conf_low") is None or row["conf_low"] != row["conf_low"]:
        return number(row.get("estimate")) + unit
    return f"{number(row.get('estimate'))} [{number(row['conf_low'])}, {number(row['conf_high'])}]{unit}"


def placed(page: str, section: str) -> str:
    if PLACE in page:
        return page.replace(PLACE, section, 1)
    # under the page's first heading, so that headings keep their order
    opening = re.search(r"<main\b.*?</h1>", page, re.DOTALL) or re.search(r"<main\b[^>]*>", page) or re.search(r"<body\b[^>]*>", page)
    return page[: opening.end()] + section + page[opening.end():] if opening else section + page
