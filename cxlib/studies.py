"""The notebooks as studies: what each reads and writes, the order that follows from it, their rules, and the key of what a result depends on."""

from __future__ import annotations

import ast
import graphlib
import hashlib
import json
import platform
import re
import statistics
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cxlib.errors import StudyError, UsageError, nearest

NAME = re.compile(r"^(\d{2})_[a-z0-9_]+$")
MOST_CELLS, MOST_LINES, MOST_MEDIAN = 25, 12, 4
PROSE_WIDTH = 100  # a Markdown paragraph is often one long line: it counts as the lines it fills at this width
TYPED_RESULT = re.compile(
    r"\b(rose|fell|grew|dropped|increased|decreased|improved|worsened|declined|gained|lost)\b(?:\W+\w+){0,6}?\W*[-+−]?\d"
    r"|\b(NPS|CSAT|CES|ROI|churn)\s+(is|was|stands at|stood at)\s+[-+−]?\d",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Study:
    """One notebook: `reads` (`claims_*`) and `outputs` (`figures/share_*.svg`, relative to the run folder) may hold patterns."""

    id: str
    number: str
    title: str
    path: Path
    parameters: Mapping = field(hash=False)
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    tagged: bool = True

    @property
    def label(self) -> str:
        """Its name in the menu: the file's own words."""
        words = self.id[3:].replace("_", " ")
        return words.upper() if len(words) <= 3 else words[:1].upper() + words[1:]

    @property
    def page(self) -> str:
        """The file of its page: the summary (00) is the one a director opens."""
        return "index.html" if self.number == "00" else f"{self.id}.html"


def find(folder: str | Path) -> list[Study]:
    """List the studies of a folder (`NN_name.ipynb`), by number."""
    return [_study(path) for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb")) if NAME.match(path.stem)]


class Cell(NamedTuple):
    """A code cell: its text and its tags."""

    source: str
    tags: tuple[str, ...]


def cells(study: Study) -> list[Cell]:
    """List a study's code cells in order."""
    return [Cell(_source(cell), tuple(_tags(cell))) for cell in _load(study.path)["cells"] if cell["cell_type"] == "code"]


def order(studies: Iterable[Study]) -> list[Study]:
    """Sort studies so that each comes after those whose findings it reads; ties by number. A cycle raises StudyError with its names."""
    known = {study.id: study for study in studies}
    sorter, sequence = graphlib.TopologicalSorter(waits(known.values())), []
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        raise StudyError(f"The notebooks wait for each other in a circle: {' <- '.join(error.args[1])}; one of them must stop reading the other's finding.") from None
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        sequence += [known[name] for name in ready]
        sorter.done(*ready)
    return sequence


def waits(studies: Iterable[Study]) -> dict[str, set[str]]:
    """Map each study's id to the ids, among these studies, whose findings it reads. Two writers of one finding raise StudyError."""
    studies, writer = list(studies), {}
    for study in studies:
        for name in study.writes:
            if name in writer:
                raise StudyError(f"Both {writer[name]} and {study.id} write the finding '{name}'; a finding has one notebook.")
            writer[name] = study.id
    return {
        study.id: {owner for name, owner in writer.items() if owner != study.id and any(fnmatchcase(name, wanted) for wanted in study.reads)}
        for study in studies
    }


def pick(studies: Iterable[Study], only: Iterable[str]) -> list[Study]:
    """Return the studies named by number, id or name (`02`, `02_annual_drivers`, `annual_drivers`); an unknown one raises UsageError."""
    studies, chosen = list(studies), []
    for word in only:
        found = [study for study in studies if word in (study.id, study.number, study.id[3:])]
        if not found:
            raise UsageError(f"There is no study '{word}'{nearest(word, [name for study in studies for name in (study.id, study.number)])}. Known: {', '.join(s.id for s in studies)}.")
        chosen += [study for study in found if study not in chosen]
    return chosen


def accept(studies: Iterable[Study], parameters: Mapping) -> None:
    """Refuse (UsageError) a parameter that no study declares: papermill itself would only log it and run the default."""
    known = sorted({name for study in studies for name in study.parameters})
    for name in parameters:
        if name not in known:
            raise UsageError(f"Unknown parameter '{name}'{nearest(name, known)}. The studies' parameters: {', '.join(known) or 'none'}.")


def digest(study: Study, *, code: str, inputs: str, quarter: str, parameters: Mapping, upstream: Mapping[str, str]) -> str:
    """Return the SHA-256 of all a study depends on: its notebook, code and lock, inputs, quarter, own parameters, and the studies it reads from."""
    own = {name: parameters.get(name, default) for name, default in study.parameters.items()}
    parts = [study.id, hashlib.sha256(study.path.read_bytes()).hexdigest(), code, inputs, quarter, own, sorted(upstream.items())]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def digests(studies: Iterable[Study], *, root: str | Path, inputs: str, quarter: str, parameters: Mapping) -> dict[str, str]:
    """Return each study's digest. `inputs` is the hash of the programme and its raw files; the menu is part of every page and so of every digest."""
    sequence, result = order(studies), {}
    before, menu = waits(sequence), json.dumps(sorted((study.id, study.title) for study in sequence))
    code = hashlib.sha256((code_digest(root) + menu).encode()).hexdigest()
    for study in sequence:
        upstream = {name: result[name] for name in before[study.id]}
        result[study.id] = digest(study, code=code, inputs=inputs, quarter=quarter, parameters=parameters, upstream=upstream)
    return result


def code_digest(root: str | Path) -> str:
    """Return the SHA-256 of the package's files, the interpreter and the lock: what could change a number without any input changing."""
    package, total = Path(__file__).parent, hashlib.sha256()
    total.update(f"{sys.implementation.cache_tag} {platform.python_version()} {sys.platform} {platform.machine()}".encode())
    files = [path for path in package.rglob("*") if "__pycache__" not in path.parts and path.is_file() and not path.name.startswith(".")]
    for path in [*sorted(files), Path(root) / "requirements.lock"]:
        if path.exists():
            total.update(f"\0{path.name if path.parent == Path(root) else path.relative_to(package).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def faults(folder: str | Path) -> list[str]:
    """List, in words, where notebooks break the workbook's rules; an empty list is a clean folder."""
    found, seen = [], {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        if not NAME.match(path.stem):
            found.append(f"{path.name}: the name is not two digits and a name in lower case, as in 02_annual_drivers.ipynb")
        elif (twin := seen.setdefault(path.stem[:2], path.name)) != path.name:
            found.append(f"{path.name}: the number {path.stem[:2]} is taken by {twin}")
        try:
            found += [f"{path.name}: {fault}" for fault in _rules(_load(path))]
        except StudyError as error:
            found.append(str(error))
    try:
        studies = find(folder)
        order(studies)
        written = sorted({name for study in studies for name in study.writes})
        for study in studies:
            found += [
                f"{study.path.name}: reads the finding '{name}', which no notebook writes{nearest(name, written)}"
                for name in sorted(study.reads)
                if not any(fnmatchcase(other, name) for other in written) and "*" not in name
            ]
    except StudyError as error:
        found += [] if str(error) in found else [str(error)]
    return found


def _rules(notebook: dict) -> list[str]:
    found, cells = [], notebook["cells"]
    metadata = notebook.get("metadata", {})
    code = [(number, cell, _source(cell)) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
    prose = [(number, _source(cell)) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "markdown"]
    if (kernel := metadata.get("kernelspec", {}).get("name")) != "python3":
        found.append(f"the kernelspec is {kernel!r}, not 'python3'")
    found += [f"stray notebook metadata '{key}'" for key in sorted(set(metadata) - {"kernelspec", "language_info"})]
    for number, cell, _ in code:
        if cell.get("outputs"):
            found.append(f"cell {number} is saved with outputs; clear them")
        if cell.get("execution_count") is not None:
            found.append(f"cell {number} is saved with an execution count; clear it")
    for number, cell in enumerate(cells, 1):
        found += [f"cell {number} has the stray tag '{tag}'" for tag in _tags(cell) if tag != "parameters"]
    tagged = [number for number, cell in enumerate(cells, 1) if "parameters" in _tags(cell)]
    if len(tagged) != 1 or cells[tagged[0] - 1]["cell_type"] != "code":
        found.append(f"{len(tagged)} cells are tagged 'parameters'; there is exactly one, and it is code")
    if not _title(notebook):
        found.append("the first Markdown cell does not open with a heading")
    trees = {}
    for number, _, source in code:
        if re.search(r"^\s*[%!]", source, re.M):
            found.append(f"cell {number} uses a magic or a shell line")
        try:
            trees[number] = ast.parse(_plain(source))
        except SyntaxError as error:
            found.append(f"cell {number}, line {error.lineno}: {error.msg}")
    if tagged and isinstance(trees.get(tagged[0]), ast.Module):
        found += [f"the parameter '{name}' is not a literal" for name, (_, literal) in _assigned(trees[tagged[0]]).items() if not literal]
    importing = [number for number, tree in trees.items() if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))]
    if len(importing) != 1:
        found.append(f"{len(importing)} cells import ({', '.join(map(str, importing)) or 'none'}); there is one import cell")
    lengths = [len([line for line in source.splitlines() if line.strip()]) for *_, source in code]
    if len(code) > MOST_CELLS:
        found.append(f"{len(code)} code cells; at most {MOST_CELLS}")
    found += [f"cell {number} has {length} lines of code; at most {MOST_LINES}" for (number, *_), length in zip(code, lengths) if length > MOST_LINES]
    if lengths and statistics.median(lengths) > MOST_MEDIAN:
        found.append(f"the median code cell has {statistics.median(lengths):g} lines; at most {MOST_MEDIAN}")
    for number, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.append(f"cell {number} defines '{node.name}'; functions live in cxlib")
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "plt":
                found.append(f"cell {number} uses plt.{node.attr}; figures come from cxlib.show")
            elif (call := _called(node, {"run"})) and call[0] in ("write", "read") and call[1] is None:
                found.append(f"cell {number} calls run.{call[0]} with a name that is not written out; the order of the notebooks is read from it")
    filled = sum(-(-len(line) // PROSE_WIDTH) for _, source in prose for line in source.splitlines() if line.strip())
    if filled < sum(lengths):
        found.append(f"{filled} lines of Markdown beside {sum(lengths)} of code; at least as much Markdown as code")
    found += [f"cell {number} states a result in Markdown (“{hit.group(0)}”); prose is computed" for number, source in prose if (hit := TYPED_RESULT.search(source))]
    return found


def _study(path: Path) -> Study:
    notebook = _load(path)
    tagged = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and "parameters" in _tags(cell)]
    trees = [tree for cell in notebook["cells"] if cell["cell_type"] == "code" and (tree := _tree(cell))]
    names = {"run"} | {name for tree in trees for name in _opened(tree)}
    reads, writes, outputs = set(), set(), set()
    for method, name in (call for tree in trees for node in ast.walk(tree) if (call := _called(node, names))):
        match method, name:
            case ("read", str()):
                reads.add(name)
            case ("write", str()):
                writes.add(name)
            case ("claims" | "tests", _):
                writes.add(f"{method}_{path.stem}")
            case ("all_claims" | "all_tests", _):
                reads.add(f"{method[4:]}_*")
            case ("figure", str()):
                outputs |= {f"figures/{name}.svg", f"tables/{name}.csv"}
            case ("table" | "export" | "reading", str()):
                outputs.add(f"tables/{name}.csv")
    outputs |= {f"findings/{name}.parquet" for name in writes}
    parameters = {name: value for cell in tagged[:1] if (tree := _tree(cell)) for name, (value, _) in _assigned(tree).items()}
    return Study(
        id=path.stem, number=path.stem[:2], title=_title(notebook) or path.stem[3:].replace("_", " "), path=path, parameters=parameters,
        reads=frozenset(reads), writes=frozenset(writes), outputs=frozenset(outputs),
        imports=frozenset(name for tree in trees for node in ast.walk(tree) for name in _imported(node)), tagged=len(tagged) == 1,
    )


def _called(node: ast.AST, names: set[str]) -> tuple[str, str | None] | None:
    """`run.read("x")` -> ("read", "x"); the name may also come as `name="x"`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id in names):
        return None
    wanted = [keyword.value for keyword in node.keywords if keyword.arg == "name"] + (node.args[:1] if node.func.attr in ("read", "write") else [])
    return node.func.attr, next((name for value in wanted if (name := _pattern(value, computed=node.func.attr not in ("read", "write")))), None)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _pattern(value: ast.expr, *, computed: bool) -> str | None:
    """A literal name as it is; of a computed one (`f"share_{survey}"`, figures and tables only) the pattern `share_*`."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    if computed and isinstance(value, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in value.values)
    return None


def _opened(tree: ast.Module) -> list[str]:
    """Names bound to `cx.run.open(...)`, whatever the notebook calls its run."""
    calls = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    return [target.id for node in calls if ast.unparse(node.value.func).endswith("run.open") for target in node.targets if isinstance(target, ast.Name)]


def _assigned(tree: ast.Module) -> dict[str, tuple[object, bool]]:
    found = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) and node.value else []
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    found[target.id] = (ast.literal_eval(node.value), True)
                except ValueError:
                    found[target.id] = (ast.unparse(node.value), False)
    return found


def _load(path: Path) -> dict:
    try:
        notebook = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise StudyError(f"{path.name} cannot be read as a notebook: {error}.") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise StudyError(f"{path.name} is not a notebook of format 4; open it in JupyterLab and save it.")
    return notebook


def _tree(cell: dict) -> ast.Module | None:
    try:
        return ast.parse(_plain(_source(cell)))
    except SyntaxError:
        return None  # the run itself names the cell and the line; `faults` does so beforehand


def _plain(source: str) -> str:
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M)


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _tags(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def _title(notebook: dict) -> str:
    first = next((_source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"), "")
    heading = re.match(r"\s*#{1,3}\s+(.+?)\s*#*\s*(\n|$)", first)
    return heading.group(1) if heading else ""
