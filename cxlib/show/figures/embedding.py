"""A figure on a page: one block of title, drawing, alternative text and the numbers behind it."""

import base64
import io
import re
import xml.etree.ElementTree as ET

from cxlib.show import prose, tables
from cxlib.show.figures import layout

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
MOST_MARKS = 1500
MOST_ROWS = 200
FONT = "'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def embed(ax, *, id, title, caption, data=None, alt=None, labels=None, formats=None) -> str:
    """Return a figure as one block of HTML; see `draw`, which gives its file as well."""
    return draw(ax, id=id, title=title, caption=caption, data=data, alt=alt, labels=labels, formats=formats)[0]


def draw(ax, *, id, title, caption, data=None, alt=None, labels=None, formats=None) -> tuple[str, str]:
    """Return a figure as one block of HTML and as an SVG file of its own, from the same drawing.

    The block: drawing (twice: for a page and for a phone), and a table of the numbers behind it.

    id      anchor of the figure; the ids inside the drawings begin with it, so that figures on one page do not collide
    title   what the figure says, in a line; caption: what is shown, with which interval and base
    alt     what a reader sees who cannot see it; without one the title and the caption
    data    the frame behind it, shown folded away under the figure (the first 200 rows); labels and formats as in tables.table
    Same figure, same bytes. Above some 1,500 marks the drawing is a PNG. Raises ValueError for an id that is no anchor.
    """
    alt = alt or f"{title}. {caption}"
    file = svg(ax, id=id, title=title, alt=alt)
    if _marks(ax.figure) > MOST_MARKS:
        drawing = f'<img src="data:image/png;base64,{_png(ax)}" alt="{prose.escape(alt)}">'
    else:
        drawing = _themed(file, "cx-wide", id, f"{id}-wide") + _themed(_narrow(ax, id=f"{id}-narrow", title=title, alt=alt), "cx-narrow", "", "")
    said = f"<strong>{prose.escape(title)}</strong><span>{prose.escape(caption)}</span>"
    block = f'<figure class="cx-figure" id="{id}"><figcaption>{said}</figcaption>{drawing}</figure>\n'
    if data is None:
        return block, file
    note = f"The first {MOST_ROWS} of {len(data):,} rows." if len(data) > MOST_ROWS else None
    numbers = tables.table(data.head(MOST_ROWS), id=f"{id}-numbers", caption=f"The numbers: {title}", labels=labels, formats=formats, note=note)
    return f'{block}<details class="cx-numbers"><summary>The numbers</summary>{numbers.html}</details>\n', file


def svg(ax, *, id, title, alt="") -> str:
    """Return the figure as a file of its own: SVG with plain colours, a title and a description; same figure, same bytes."""
    layout.arrange(ax.figure, ax.figure.get_size_inches()[0] * 72)
    root = _tree(ax, id=id, title=title, alt=alt or title)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _narrow(ax, *, id, title, alt):
    """Return the figure drawn again at a phone's width, where scaling would shrink its letters; its own size comes back."""
    figure, size = ax.figure, ax.figure.get_size_inches().copy()
    try:
        layout.arrange(figure, layout.NARROW)
        return ET.tostring(_tree(ax, id=id, title=title, alt=alt), encoding="unicode")
    finally:
        figure.set_size_inches(size)
        layout.arrange(figure, size[0] * 72)


def _themed(drawn, kind, old, new):
    """Return an SVG for a page: colours that follow the page, a class that tells the wide from the narrow one, ids of its own."""
    root = ET.fromstring(drawn.encode())
    root.set("class", kind)
    for node in root.iter():
        style = node.get("style")
        if style:
            node.set("style", re.sub(r"#[0-9a-f]{6}\b", lambda found: _variable(found[0]), style))
        for name, value in node.attrib.items() if new else ():
            if name == "id" or name == "aria-labelledby" or "#" in value:
                node.set(name, re.sub(rf"(?<![\w-]){re.escape(old)}-", f"{new}-", value))
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{SVG}"', "")


def _variable(colour):
    return f"var(--{layout.ROLES[colour]},{colour})" if colour in layout.ROLES else colour


def _tree(ax, *, id, title, alt):
    from matplotlib import rc_context
    from matplotlib.text import Text

    figure, drawn = ax.figure, io.BytesIO()
    with rc_context(layout.STYLE):
        figure.draw_without_rendering()
        for text in figure.findobj(Text):
            text.set_parse_math(False)
        # The places are settled by now; solving them again for the file costs as much as drawing it.
        engine = figure.get_layout_engine()
        figure.set_layout_engine("none")
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        figure.set_layout_engine(engine)
    ET.register_namespace("", SVG)
    root = ET.fromstring(drawn.getvalue())
    _plain(root, id)
    _unwrap(root)
    for name, text in (("desc", alt), ("title", title)):
        node = ET.Element(f"{{{SVG}}}{name}", {"id": f"{id}-{name}"})
        node.text = prose.clean(text)
        root.insert(0, node)
    root.set("role", "img")
    root.set("aria-labelledby", f"{id}-title {id}-desc")
    return root


def _plain(root, id):
    """Take out what is not drawn, make ids the figure's own, round coordinates to a tenth and let the page choose the letters."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style") or (child.tag == f"{{{SVG}}}path" and child.get("style") == "fill: none"):
                parent.remove(child)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    root.set("font-family", FONT)
    root.set("font-size", "12px")
    used = dict.fromkeys(re.findall(r"#([\w-]+)", " ".join(value for node in root.iter() for value in node.attrib.values() if "#" in value)))
    # Named by their order: matplotlib's own names hash coordinates to the last digit.
    new = {name: f"{id}-{place}" for place, name in enumerate(used)}
    for node in root.iter():
        link = node.attrib.pop(f"{{{XLINK}}}href", None)
        if link:
            node.set("href", f"#{new[link[1:]]}")
        if node.get("id") == layout.HALO:
            node.set("style", f"paint-order: stroke; stroke: {layout.PAPER}; stroke-width: 3px; stroke-linejoin: round")
        if node.get("id") in used:
            node.set("id", new[node.get("id")])
        else:
            node.attrib.pop("id", None)
        for name, value in list(node.attrib.items()):
            if "url(#" in value:
                value = re.sub(r"url\(#([\w-]+)\)", lambda found: f"url(#{new[found[1]]})", value)
            if name in ("d", "transform", "x", "y", "points", "viewBox"):
                value = re.sub(r"-?\d+\.\d{2,}", lambda found: _tenth(found[0]), value)
                value = re.sub(r"\s+", " ", value).strip()
            if name == "style" and "font" in value:
                value = re.sub(r"font-family:[^;]*;?\s*|font-size: 12px;\s*", "", value)
            if name == "transform" and re.fullmatch(r"rotate\(-?0 [\d. ]*\)", value):
                del node.attrib[name]
                continue
            if name == "style":
                value = value.replace("; ", ";").replace(": ", ":")
            node.set(name, value)
        if not (node.text or "").strip():
            node.text = None
        if not (node.tail or "").strip():
            node.tail = None


def _tenth(number):
    text = f"{float(number):.1f}"
    return "0" if text in ("-0.0", "0.0") else text.removesuffix(".0")


def _unwrap(parent):
    # matplotlib puts every mark into a group named after its artist; without the names the groups say nothing.
    for child in list(parent):
        _unwrap(child)
        if child.tag == f"{{{SVG}}}g" and (not child.attrib or not len(child)):
            place = list(parent).index(child)
            parent.remove(child)
            for offset, inner in enumerate(child):
                parent.insert(place + offset, inner)


def _marks(figure):
    total = 0
    for axes in figure.axes:
        total += sum(len(line.get_xdata()) for line in axes.lines) + len(axes.patches)
        total += sum(len(group.get_offsets()) for group in axes.collections)
    return total


def _png(ax):
    from matplotlib import rc_context

    drawn = io.BytesIO()
    with rc_context(layout.STYLE):
        ax.figure.savefig(drawn, format="png", dpi=144, facecolor=layout.PAPER, metadata={"Software": None})
    return base64.b64encode(drawn.getvalue()).decode("ascii")
