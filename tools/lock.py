"""Renew requirements.lock, constraints.txt and environment.yml from pyproject.toml, the one place where packages are named."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(project: dict) -> str:
    """The conda file: Python and pip from conda, every package as pyproject.toml names it, at the locked versions."""
    lines = [
        "# Written by `make lock` from pyproject.toml; do not edit.",
        "name: cx-workbook",
        "channels: [conda-forge]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        "      - -c constraints.txt",
        *[f"      - {package}" for package in project["project"]["dependencies"]],
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


def constraints(lock: str) -> str:
    """The lock without its hashes, as pip's -c wants it."""
    pins = re.findall(r"^([a-z0-9][^\s]*==[^\\\n]*?)\s*\\?$", lock, flags=re.M)
    return "# Written by `make lock`: the versions of requirements.lock without hashes, for conda users.\n" + "\n".join(pins) + "\n"


def main() -> None:
    subprocess.run(
        [str(Path(sys.executable).with_name("uv")), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11",
         "--group", "dev", "--override", "overrides.txt", "--generate-hashes", "--no-emit-index-url", "--no-header", "-q", "--upgrade", "-o", "requirements.lock"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (ROOT / "constraints.txt").write_text(constraints((ROOT / "requirements.lock").read_text()))
    (ROOT / "environment.yml").write_text(environment(tomllib.loads((ROOT / "pyproject.toml").read_text())))


if __name__ == "__main__":
    main()
