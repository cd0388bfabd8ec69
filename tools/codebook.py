"""Write the codebook into the README from the contract itself: what `cx check --schema` prints, between its two marks."""

from pathlib import Path

from cxlib import checks

ROOT = Path(__file__).resolve().parents[1]
START, END = "<!-- codebook: written by tools/codebook.py -->", "<!-- end of codebook -->"


def written(readme: str) -> str:
    """Return the README with the codebook of today between its marks."""
    before, rest = readme.split(START)
    return f"{before}{START}\n<details><summary>Every key, table and finding</summary>\n\n{checks.codebook()}\n</details>\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
