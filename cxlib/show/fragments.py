"""A piece of a page: HTML together with the frame it was made of; it looks the same in a notebook and on the page."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "template"


@dataclass(frozen=True)
class Fragment:
    """HTML that is ready for a page and the frame behind it; a notebook shows it with its style, a page carries that style once."""

    html: str
    frame: Any = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        return f"<style>{style()}</style>{self.html}"

    def __repr__(self) -> str:
        return ""


@cache
def style() -> str:
    """Return the style sheet of tables, cards, figures and quotations; colours are variables with a light value of their own."""
    from cxlib.show import verbatims

    return (TEMPLATE / "fragment.css").read_text(encoding="utf-8") + verbatims.style()
