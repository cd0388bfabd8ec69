"""The allow-list through which every piece of a page goes: what is not on it comes out as text, whoever wrote it.

Fragments are read as tokens and written anew, closed and escaped, so that nothing in a verbatim, a column name or a notebook's Markdown can run, load,
restyle the page or break out of its place. On the way headings get anchors, tables a caption, scopes and a box to scroll in, and pictures a name.
"""

import html
import re
import unicodedata
from html.parser import HTMLParser

TEXT = {
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "fieldset",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
}
DRAWING = {
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "defs",
    "clippath",
    "use",
    "title",
    "desc",
    "lineargradient",
    "radialgradient",
    "stop",
    "symbol",
}
FORMULA = {
    "math",
    "mrow",
    "mi",
    "mo",
    "mn",
    "ms",
    "mtext",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "mspace",
    "mstyle",
    "mpadded",
    "mphantom",
}
VOID = {"br", "hr", "img", "col", "input"}
ATTRIBUTES = {
    "id",
    "class",
    "title",
    "lang",
    "dir",
    "role",
    "style",
    "tabindex",
    "scope",
    "headers",
    "colspan",
    "rowspan",
    "start",
    "datetime",
    "open",
    "alt",
    "width",
    "height",
    "d",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "dx",
    "dy",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "points",
    "transform",
    "viewbox",
    "fill",
    "stroke",
    "opacity",
    "offset",
    "preserveaspectratio",
    "gradientunits",
    "gradienttransform",
    "display",
    "mathvariant",
    "span",
}
FAMILIES = ("aria-", "stroke-", "fill-", "font-", "text-", "stop-", "clip-", "dominant-")
SPELLED = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio", "gradientunits": "gradientUnits", "gradienttransform": "gradientTransform",
           "clippath": "clipPath", "lineargradient": "linearGradient", "radialgradient": "radialGradient"}  # fmt: skip
RESERVED = {"main", "menu", "contents", "show-code", "top"}
NEIGHBOUR = re.compile(r"#[\w.-]+|(?:tables/|figures/|findings/)?[\w-]+\.(?:html|csv|svg|parquet|json)(?:#[\w.-]+)?")
PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
CALM = re.compile(r"[\w\s:;.,#%()'\"+*/-]*")
LOUD = re.compile(r"url\s*\((?!\s*#)|expression|@|position\s*:|z-index|behavior|image\s*\(|import", re.I)


def slug(text, taken=()) -> str:
    """Return an anchor made of a heading's words that none of `taken` has: the same words, the same anchor."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"
    name = name if name[0].isalpha() else f"s-{name}"
    found, place = name, 2
    while found in taken or found in RESERVED:
        found, place = f"{name}-{place}", place + 1
    return found


class Page:
    """What is known of a page while its pieces are written: its headings, its anchors, whether its title has been met."""

    def __init__(self):
        self.contents, self.anchors, self.titled = [], set(), False

    def write(self, source) -> str:
        """Return one fragment as safe, closed HTML and note its headings."""
        reader = _Reader(self)
        reader.feed(source)
        reader.close()
        return reader.finish()

    @property
    def place(self):
        return self.contents[-1][1] if self.contents else "this page"


class _Reader(HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.page, self.out, self.open, self.heading, self.silent = page, [], [], None, 0

    def handle_starttag(self, tag, attrs):
        if tag == "style":
            self.silent += 1
            return
        if self.silent:
            return
        if tag not in TEXT | DRAWING | FORMULA or (tag in ("title", "desc", "use", "text") and "svg" not in self._tags()):
            self.handle_data(self.get_starttag_text())
            return
        given = {}
        for name, value in attrs:
            given.setdefault(name, value if value is not None else "")
        if tag == "img" and not PICTURE.fullmatch(given.get("src", "")):
            self.handle_data(self.get_starttag_text())
            return
        if tag == "input" and given.get("type") != "radio":  # the buttons of a filter; nothing else that takes what is typed
            self.handle_data(self.get_starttag_text())
            return
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self._begin_heading(tag, given)
            return
        if self.open and self.open[-1][0] == "table" and not self.open[-1][2] and tag != "caption":
            self.out.append(f'<caption class="cx-hidden">Table under {html.escape(self.page.place)}</caption>')
            self.open[-1][2] = True
        if self.open and self.open[-1][0] == "table" and tag == "caption":
            self.open[-1][2] = True
        before = after = ""
        if tag == "table" and not any("cx-scroll" in entry[3] for entry in self.open):
            before, after = f'<div class="cx-scroll" role="region" tabindex="0" aria-label="Table under {html.escape(self.page.place)}">', "</div>"
        self._name(tag, given)
        away = self._away(tag, given)
        written = "".join(f' {SPELLED.get(name, name)}="{html.escape(value)}"' for name, value in given.items() if self._allowed(tag, name, value))
        self.out.append(f"{before}<{SPELLED.get(tag, tag)}{written}>")
        if tag not in VOID:
            self.open.append([tag, after, False, given.get("class", ""), away])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID and self.open and self.open[-1][0] == tag:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag == "style":
            self.silent = max(0, self.silent - 1)
            return
        if self.silent or tag in VOID:
            return
        if self.heading and tag in (self.heading["was"], self.heading["tag"]):
            self._end_heading()
        elif tag in self._tags():
            while self.open:
                name = self.open[-1][0]
                self._shut()
                if name == tag:
                    break
        elif tag not in TEXT | DRAWING | FORMULA:
            self.out.append(html.escape(f"</{tag}>"))

    def handle_data(self, data):
        if self.silent:
            return
        if self.heading is not None:
            self.heading["text"] += data
        self.out.append(html.escape(data, quote=False))

    def unknown_decl(self, data):
        self.handle_data(data)

    def finish(self):
        if self.heading:
            self._end_heading()
        while self.open:
            self._shut()
        return "".join(self.out)

    def _tags(self):
        return [entry[0] for entry in self.open]

    def _shut(self):
        tag, after, _, _, away = self.open.pop()
        self.out.append(f"</{SPELLED.get(tag, tag)}>{after}{away}")

    def _begin_heading(self, tag, given):
        if self.heading:
            self._end_heading()
        # The page prints its own title; the notebook's first one is the same sentence.
        dropped = tag == "h1" and not self.page.titled
        self.page.titled = self.page.titled or tag == "h1"
        self.heading = {"was": tag, "tag": "h2" if tag == "h1" else tag, "at": len(self.out), "text": "", "dropped": dropped}

    def _end_heading(self):
        heading, self.heading = self.heading, None
        inner = "".join(self.out[heading["at"] :])
        del self.out[heading["at"] :]
        text = re.sub(r"\s+", " ", heading["text"].replace("¶", "")).strip()
        if heading["dropped"] or not text:
            return
        anchor = slug(text, self.page.anchors)
        self.page.anchors.add(anchor)
        if heading["tag"] == "h2":
            self.page.contents.append((anchor, text))
        inner = re.sub(r'<a [^>]*class="anchor-link"[^>]*>.*?</a>', "", inner)
        self.out.append(f'<{heading["tag"]} id="{anchor}">{inner}</{heading["tag"]}>')

    def _name(self, tag, given):
        if given.get("id"):
            if given["id"] in RESERVED or not re.fullmatch(r"[A-Za-z][\w.-]*", given["id"]):
                del given["id"]
            else:
                self.page.anchors.add(given["id"])
        if tag == "img" and not given.get("alt"):
            given["alt"] = f"Picture under {self.page.place}, without a description"
        if tag == "svg" and "svg" not in self._tags() and not (given.get("aria-labelledby") or given.get("aria-label")):
            given.update({"role": "img", "aria-label": f"Figure under {self.page.place}, without a description"})
        if tag == "th" and not given.get("scope"):
            given["scope"] = "col" if "thead" in self._tags() else "row"

    def _away(self, tag, given):
        # An address elsewhere is told, not linked: a page that opens from a file leads nowhere but to its neighbours.
        address = given.get("href", "")
        if tag != "a" or not re.match(r"https?://", address):
            return ""
        return f' <span class="address">({html.escape(re.sub("^https?://", "", address))})</span>'

    def _allowed(self, tag, name, value):
        if name == "href":
            return bool(re.fullmatch(r"#[\w.-]+", value) if tag == "use" else NEIGHBOUR.fullmatch(value)) and tag in ("a", "use")
        if name == "src":
            return tag == "img" and bool(PICTURE.fullmatch(value))
        if tag in ("input", "label") and name in ("type", "name", "checked", "for"):
            return tag == ("label" if name == "for" else "input") and bool(re.fullmatch(r"[\w-]*", value))
        if name == "style" or name in ("fill", "stroke", "clip-path"):
            return bool(CALM.fullmatch(value)) and not LOUD.search(value)
        return name in ATTRIBUTES or name.startswith(FAMILIES)
