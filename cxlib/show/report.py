"""An executed notebook as one page: self-contained, without script and without a request, for a phone, a desk, paper, the dark and a screen reader."""

import copy
import os
import re
import sys
from pathlib import Path

from cxlib.show import markup, prose
from cxlib.show.fragments import TEMPLATE, style

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'; base-uri 'none'"
PARAMETERS = {"parameters", "injected-parameters"}
KINDS = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain")
# What a last line without a ';' leaves behind says nothing to a reader.
REMNANT = re.compile(r"^\[?(<(Axes|Figure|matplotlib|function|bound method|[\w.]+ object at 0x)|Text\(|None$)")


def page(notebook, *, title, menu, page_id, programme_name, quarter, summary="", language="en", edition="", facts=()) -> str:
    """Return an executed notebook (nbformat node) as one HTML page; same notebook, same bytes.

    title     the page's only first heading; the notebook's own first `#` heading is not repeated
    menu      (file, label) of each page, in order; the one whose file begins with `page_id` (or equals it) is marked as current
    summary   one sentence under the title, in words (escaped)
    edition   'Draft', 'r2' ... shown beside programme and quarter
    facts     (name, value) pairs for the foot of the page: what it was made of
    Never on the page: stderr, tracebacks, the output of parameter cells, scripts, addresses elsewhere as links. Code stands behind one switch.
    """
    exporter, written = _exporter(), markup.Page()
    exporter.register_filter("safe", written.write)
    exporter.register_filter("told", lambda text: written.write(f"<pre>{_plain(text)}</pre>"))
    exporter.register_filter("say", prose.escape)
    exporter.register_filter("headings", lambda page: written.contents)
    shown = _shown(notebook)
    name = str(page_id).removesuffix(".html")
    entries = [{"file": file, "label": label, "current": Path(file).stem == name} for file, label in menu]
    facts = [{"name": label, "value": value} for label, value in facts]
    resources = {"cx": {"title": title, "menu": entries, "programme": programme_name, "quarter": quarter, "summary": summary, "language": language, "edition": edition,
                        "facts": facts, "policy": POLICY, "style": style(), "id": markup.slug(name),
                        "code": any(cell.cell_type == "code" and cell.source.strip() for cell in shown.cells)}}  # fmt: skip
    body, _ = exporter.from_notebook_node(shown, resources=resources)
    return re.sub(r"[ \t]+\n|\n{3,}", "\n", body).strip() + "\n"


def _exporter():
    from nbconvert.exporters import HTMLExporter, TemplateExporter
    from nbconvert.filters import Highlight2HTML

    class Exporter(HTMLExporter):
        # HTMLExporter parses and rewrites the finished page; here every piece has been written from the allow-list already.
        def from_notebook_node(self, nb, resources=None, **options):
            self.register_filter("highlight_code", Highlight2HTML(pygments_lexer="ipython3", parent=self))
            return TemplateExporter.from_notebook_node(self, nb, resources, **options)

        # A template of the same name in the reader's own Jupyter folder must not change the report.
        def get_prefix_root_dirs(self):
            own = os.path.join(sys.prefix, "share", "jupyter")
            return [own] if os.path.isdir(os.path.join(own, "nbconvert", "templates", "base")) else super().get_prefix_root_dirs()

    return Exporter(template_name="cx", extra_template_basedirs=[str(TEMPLATE)], exclude_anchor_links=True, default_preprocessors=[], embed_images=False)


def _shown(notebook):
    """Return a copy with only what a reader sees: no stderr, no traceback, no empty cell, one kind of each output."""
    shown = copy.deepcopy(notebook)
    cells = []
    for cell in shown.cells:
        if cell.cell_type not in ("markdown", "code") or not (cell.source.strip() or cell.get("outputs")):
            continue
        if cell.cell_type == "code":
            hidden = PARAMETERS & set(cell.metadata.get("tags", []))
            cell.outputs = [] if hidden else [found for output in cell.outputs for found in _kept(output)]
        # Ids are drawn at random where a notebook is written: a place is the same each time.
        cell.id = f"cell-{len(cells)}"
        cells.append(cell)
    shown.cells, shown.nbformat, shown.nbformat_minor = cells, 4, 5
    shown.metadata.pop("widgets", None)
    return shown


def _kept(output):
    if output.output_type == "stream":
        return [output] if output.name == "stdout" and output.text.strip() else []
    if output.output_type not in ("display_data", "execute_result"):
        return []
    kind = next((kind for kind in KINDS if kind in output.data), None)
    if kind is None or (kind == "text/plain" and (not output.data[kind].strip() or REMNANT.match(output.data[kind]))):
        return []
    data = output.data[kind]
    output.data = {kind: data if isinstance(data, str) else "".join(data)}
    return [output]


def _plain(text):
    import html

    return html.escape(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text))
