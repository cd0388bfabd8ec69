"""Proposals: new topics as a piece of codeframe.toml that a person reads, mends and accepts into the next version."""

import json
import re
import tomllib
from pathlib import Path

import pandas as pd

from cxlib.errors import DataError, UsageError, nearest
from cxlib.text import codeframe as codeframes

FILE = "codeframe_proposed.toml"
_VERSION = re.compile(r'^(version\s*=\s*")([^"\n]*)(".*)$', re.MULTILINE)


def text(proposed: pd.DataFrame, codeframe, *, quarter: str) -> str:
    """Return proposals (`emerging.proposals`, with survey) as the [[topics]] of a codeframe, each with what was found as a comment; phrases under their language."""
    lines = [f"# Topics that codeframe {codeframe.version} does not name, found in the comments of {quarter}. Nobody has accepted them yet:", "# read the comments behind them, give each a name and a definition, then `cx code accept ID ...`, or copy what you want into codeframe.toml.", ""]
    for row in proposed.to_dict("records"):
        told = f"{row['survey']}: {row['count']} of {row['n']} comments in {row['quarter']}, {row['before']} of {row['before_n']} before; {row['status']}; {'phrases that come back' if row['mode'] == 'phrases' else f'''comes back to {100 * row['stability']:.0f} % when a fifth of the comments is left out'''}"
        phrases = json.dumps(row["phrases"].split("|"), ensure_ascii=False)
        lines += [f"# {' '.join(told.split())}", "[[topics]]", f"id = {json.dumps(row['id'])}", f"name = {json.dumps(row['name'], ensure_ascii=False)}", 'definition = ""', f"include = {{{row['language']} = {phrases}}}", ""]
    return "\n".join(lines)


def latest(folder: Path) -> Path:
    """Return the proposals of a quarter's reports: those made by hand, else those of the draft, whichever is newer. DataError where there are none."""
    found = [path for part in ("hand", "draft") if (path := Path(folder) / part / "tables" / FILE).is_file()]
    if not found:
        raise DataError(f"{FILE}: there is none in {folder}; run the study of the comments first (cx report --only 04).")
    return max(found, key=lambda path: path.stat().st_mtime)


def accept(path: Path, proposed: Path, ids: list[str]) -> list[str]:
    """Take proposals into codeframe.toml as its next version; every line that stands there stays. Returns what was done, a sentence each.

    The version's last number is raised by one and is the topics' `since`. The file is checked before it is written. Raises UsageError for an id that is not proposed, DataError where the
    result is no codeframe, e.g. because a phrase is in another topic already.
    """
    try:
        offered = {topic["id"]: topic for topic in tomllib.loads(proposed.read_text(encoding="utf-8")).get("topics", ())}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as fault:
        raise DataError(f"{proposed.name}: not the file of proposals that the study wrote ({fault}); run it again.") from None
    for name in ids:
        if name not in offered:
            raise UsageError(f"'{name}' is not proposed{nearest(name, offered)} (proposed: {', '.join(offered) or 'nothing'}). Nothing was written.")
    before = codeframes.read(path)
    version = raised(before.version)
    content = path.read_text(encoding="utf-8-sig")
    content = _VERSION.sub(lambda found: f"{found[1]}{version}{found[3]}", content, count=1).rstrip("\n") + "\n"
    for name in dict.fromkeys(ids):
        topic = offered[name]
        include = ", ".join(f"{language} = {json.dumps(phrases, ensure_ascii=False)}" for language, phrases in topic["include"].items())
        content += f'\n[[topics]]\nid = {json.dumps(name)}\nname = {json.dumps(topic["name"], ensure_ascii=False)}\ndefinition = {json.dumps(topic.get("definition", ""), ensure_ascii=False)}\ninclude = {{{include}}}\nsince = "{version}"\n'
    after = codeframes.parse(tomllib.loads(content), name=path.name)
    if after.version != version:
        raise DataError(f"{path.name}: the line version = \"{before.version}\" was not found at the start of a line; raise the version by hand. Nothing was written.")
    path.with_name(f"{path.stem}_before{path.suffix}").write_bytes(path.read_bytes())  # so that the next report can say what the new version moves
    part = path.with_suffix(".part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)
    return [f"{path.name}: version {before.version} became {version} with {', '.join(dict.fromkeys(ids))}. Give them a definition; the next run codes all quarters again."]


def raised(version: str) -> str:
    """Return the next version: its last whole number one higher, or '-2' behind it where it has none ('2026-1' -> '2026-2', 'a' -> 'a-2')."""
    found = re.search(r"(\d+)(\D*)$", version)
    return f"{version[: found.start()]}{int(found[1]) + 1}{found[2]}" if found else f"{version}-2"
