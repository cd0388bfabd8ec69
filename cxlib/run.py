"""A run: where a study reads its inputs from and writes its findings, tables and figures to, by command or by hand."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from cxlib import contract, quarters, schema, spreadsheets
from cxlib import programme as programme_module
from cxlib.errors import DataError, NotAnswerable, UsageError, nearest
from cxlib.programme import Programme

SAMPLE = "telecom"
FOLDER, PROGRAMME, RAW = "CX_RUN_FOLDER", "CX_PROGRAMME", "CX_RAW"  # set by `cx report` for the notebooks it runs


class Parameters(BaseModel):
    """What `-p name=value` may set; a notebook takes those that its own parameters cell names."""

    model_config = contract.FROZEN
    min_cell: int = Field(10, ge=1, le=1000, description="Smallest cell that is shown, respondents.")
    replicates: int = Field(1000, ge=200, le=20_000, description="Bootstrap replicates and permutations.")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Seed of everything random.")
    confidence_draws: int = Field(65_536, ge=1024, le=2**20, description="Quasi-random draws of the return on investment.")


def parameters(pairs: list[str]) -> dict:
    """Return `name=value` pairs as checked values, or raise UsageError naming the nearest parameter or the allowed range."""
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or name not in Parameters.model_fields:
            raise UsageError(f"-p {pair}: '{name}' is not a parameter{nearest(name, Parameters.model_fields)} (known: {', '.join(Parameters.model_fields)}).")
        given[name] = value
    try:
        checked = Parameters.model_validate(given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        low, high = (next(getattr(rule, side) for rule in Parameters.model_fields[name].metadata if hasattr(rule, side)) for side in ("ge", "le"))
        raise UsageError(f"-p {name}={given[name]}: give a whole number from {low} to {high}.") from None
    return {name: getattr(checked, name) for name in given}


def root() -> Path:
    """Return the workbook's folder: the one with pyproject.toml and notebooks, upward from here, else the package's own."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "pyproject.toml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise UsageError("There is no workbook here: no folder upward holds pyproject.toml and notebooks.")


def reports(out: Path | None = None) -> Path:
    """Return the folder of reports: the one named, that of the running command, or the workbook's own."""
    if out is None and os.environ.get(FOLDER):
        return Path(os.environ[FOLDER]).parents[2]
    return Path(out) if out else root() / "reports"


def programme_of(name: str | Path | Programme | None = None, raw: Path | None = None) -> Programme:
    """Return a programme by its folder or its name under data/; the sample where none is named."""
    if isinstance(name, Programme):
        return name
    name = SAMPLE if name is None else str(name)
    if not name:  # what an unset variable leaves: the sample would answer for somebody's own programme
        raise UsageError("The programme's name is empty; name a folder with programme.toml or a programme under data/, or leave the word out for the sample.")
    told = os.environ.get(PROGRAMME, "")
    folder = next((place for place in (Path(told if Path(told).name == name else name), root() / "data" / name) if (place / "programme.toml").is_file()), None)
    if folder is None:
        known = sorted(path.parent.name for path in (root() / "data").glob("*/programme.toml"))
        raise UsageError(f"'{name}' is neither a folder with programme.toml nor a programme under data/{nearest(name, known)} (there: {', '.join(known) or 'none'}).")
    raw = raw or os.environ.get(RAW) or None
    if raw and not Path(raw).is_dir():
        raise UsageError(f"--raw {raw}: there is no such folder.")
    return programme_module.read(folder.resolve(), Path(raw).resolve() if raw else None)


def quarter_of(programme: Programme, quarter: str | None = None) -> str:
    """Return the quarter if it has a wave, the latest one where none is named; else raise DataError listing those that have."""
    present = programme.quarters()
    if not present:
        raise DataError(f"{programme.folder.name}: no survey is declared, and a report tells of surveys by quarter; add [[surveys]], [[waves]] and [[items]] to programme.toml, or, to report the other files alone, their quarters: reported = [\"2026Q3\"] (`cx check` reads them without either).")
    if quarter is None or quarter == "":
        return present[-1]
    if quarters.check(quarter) not in present:
        raise DataError(f"{programme.folder.name}: {quarter} has no data; quarters with data: {', '.join(present)}.")
    return quarter


def open(*, programme: str | Path | None = None, quarter: str | None = None, study: str, out: Path | None = None) -> "Run":
    """Open the run of a study: under `cx report` its own folder, by hand `reports/<programme>/<quarter>/hand/`."""
    found = programme_of(programme)
    quarter = quarter_of(found, quarter)
    folder = os.environ.get(FOLDER)
    place = Path(folder) if folder else reports(out) / found.folder.name / quarter / "hand"
    for part in ("findings", "tables", "figures"):
        (place / part).mkdir(parents=True, exist_ok=True)
    return Run(found, quarter, study, place)


class Run:
    """An opened run. `write` and `read` findings, `figure`, `table` and `say` what the page shows."""

    def __init__(self, programme: Programme, quarter: str, study: str, folder: Path):
        self.programme, self.quarter, self.study, self.folder = programme, quarter, study, folder
        self.shown: dict[str, int] = {}
        self.by_hand = folder.name == "hand"  # what concerns one person is shown here only, never on a page that travels

    def write(self, name: str, frame) -> None:
        """Write a finding after checking it against its columns in `schema.FINDINGS`; what tells of too few persons, or is an address, never gets there."""
        from cxlib import cells

        checked = schema.check(name, cells.guarded(self._screened(schema.check(name, frame)), programme=self.programme))
        path = self.folder / "findings" / f"{name}.parquet"
        checked.to_parquet(path.with_suffix(".part"), index=False, compression="zstd")
        path.with_suffix(".part").replace(path)
        self._own(path)

    def read(self, name: str, *, optional: bool = False):
        """Return a finding of this run; by hand, of the latest draft where it has not been made by hand.

        A finding that is not there raises DataError with the notebook that writes it; with `optional`, it is an empty frame (a study
        that could not be answered writes none).
        """
        import pandas as pd

        schema.finding(name)
        for folder in (self.folder, self.folder.with_name("draft")):
            path = folder / "findings" / f"{name}.parquet"
            if path.is_file():
                return schema.check(name, pd.read_parquet(path))
        if optional:
            return pd.DataFrame(columns=[column.name for column in schema.finding(name)])
        from cxlib import studies

        maker = next((study.id for study in studies.find(root() / "notebooks") if name in study.writes), None)
        raise DataError(f"The finding '{name}' is not there yet: run notebooks/{maker}.ipynb first." if maker else f"No notebook writes the finding '{name}'.")

    def earlier(self, name: str):
        """Return a finding of the last published edition of every earlier quarter, with `source` (2026Q2 r1); empty where there is none. Editions never change, so neither does what is read."""
        import pandas as pd

        parts = [schema.check(name, pd.read_parquet(path)).assign(source=f"{path.parts[-4]} {path.parts[-3]}") for path in published(self.folder.parents[1], self.quarter, name)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[column.name for column in schema.finding(name)])

    def claims(self, frame) -> None:
        """Write the study's claims."""
        self.write(f"claims_{self.study}", frame)

    def tests(self, frame) -> None:
        """Write the study's tests into the ledger."""
        self.write(f"tests_{self.study}", frame)

    def all_claims(self):
        """Return the claims of every study of this run, in the order of the studies."""
        return self._all("claims")

    def all_tests(self):
        """Return the ledger of this run: the tests of every study."""
        return self._all("tests")

    def _all(self, kind: str):
        import pandas as pd

        folder = next((place for place in (self.folder, self.folder.with_name("draft")) if any((place / "findings").glob("claims_*.parquet"))), None)
        if folder is None:
            raise DataError(f"There are no {kind} yet: run the studies first, then this one.")
        found = [pd.read_parquet(path) for path in sorted((folder / "findings").glob(f"{kind}_*.parquet"))]
        columns = [column.name for column in schema.finding(kind)]
        return schema.check(kind, pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns))

    def figure(self, ax, *, name: str, title: str, caption: str, data=None, alt: str | None = None):
        """Show a chart as one accessible block and write figures/<name>.svg and, with its data, tables/<name>.csv."""
        from cxlib.show import figures, prose
        from cxlib.show.fragments import Fragment

        title, caption, alt = (self._screen(text) if text else text for text in (title, caption, alt))
        data = None if data is None else self._screened(data)
        block, drawing = figures.draw(ax, id=name, title=title, caption=caption, data=data, alt=alt)
        path = self.folder / "figures" / f"{name}.svg"
        path.write_text(drawing, encoding="utf-8")
        self._own(path)
        told = self._csv(name, data) if data is not None else ""
        return Fragment(f'{block}<p class="cx-note">{prose.escape(told)}</p>' if told else block, data)

    def points(self, *sentences):
        """Show computed sentences as a list, escaped; a pair is a sentence and what stands small beneath it."""
        from cxlib.show import prose
        from cxlib.show.fragments import Fragment

        lines = [tuple(map(self._screen, (one, "") if isinstance(one, str) else one)) for one in sentences]
        return Fragment(f"<ul>{''.join(f'<li>{prose.escape(text)}' + (f'<br><small>{prose.escape(small)}</small>' if small else '') + '</li>' for text, small in lines)}</ul>")

    def export(self, frame, *, name: str):
        """Write a frame that is too long for the page to tables/<name>.csv and say so."""
        told = self._csv(name, frame)
        return self.say(*(one for one in (f"tables/{name}.csv beside this page holds all {len(frame):,} rows.", told) if one))

    def attach(self, text: str, *, name: str) -> None:
        """Write a text to tables/<name>, for people to take over."""
        path = self.folder / "tables" / name
        path.write_text(self._screen(text), encoding="utf-8")
        self._own(path)

    def hand_out(self, content, *, name: str) -> str:
        """Write a list of persons for those who act to lists/<name>, a frame as CSV or a text as it is, and return what must be said of the cells in it.

        A list is no part of the page: editions leave the folder out.
        """
        path = self.folder / "lists" / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
            told = ""
        else:
            told = spreadsheets.told(spreadsheets.csv(content, path), f"lists/{name}")
        self._own(path)
        return told

    def calendar(self, entries, *, name: str) -> None:
        """Write entries (id, day, title, text) to tables/<name>.ics, for other programs."""
        from cxlib.show import calendars

        path = self.folder / "tables" / f"{name}.ics"
        path.write_bytes(calendars.calendar([{**one, "title": self._screen(one["title"]), "text": self._screen(one["text"])} for one in entries], name=self._screen(self.programme.name)).encode())
        self._own(path)

    def table(self, frame, *, name: str, caption: str, **options):
        """Show a table with its caption and write tables/<name>.csv."""
        from cxlib.show import tables

        frame = self._screened(frame)
        if told := self._csv(name, frame):
            options["note"] = " ".join([*([options["note"]] if options.get("note") else []), told])
        return tables.table(frame, id=name, caption=self._screen(caption), **options)

    def reading(self, frame, *, name: str, caption: str, **options):
        """Show quotations with their filters and write tables/<name>.csv."""
        from cxlib.show import verbatims
        from cxlib.show.fragments import Fragment

        frame = self._screened(frame)
        told, shown = self._csv(name, frame), verbatims.reading(frame, id=name, caption=self._screen(caption), **options)
        return Fragment(f'{shown.html}<p class="cx-note">{told}</p>' if told else shown.html, frame)

    def say(self, *sentences: str):
        """Show computed sentences, a paragraph each, escaped."""
        from cxlib.show import prose
        from cxlib.show.fragments import Fragment

        return Fragment("".join(f"<p>{prose.escape(self._screen(sentence))}</p>" for sentence in sentences))

    def named(self, frame):
        """Return a frame with the programme's words in place of the ids of KPIs, items, drivers, surveys and segments."""
        words = {name: frame[name].map(self.programme.label) for name in ("kpi", "item", "driver", "survey", "segment") if name in frame}
        return frame.assign(**words)

    def require(self, there, what: str, to: str) -> None:
        """Go on if what is needed is there; else end the study here with the sentence that says what it would need."""
        from cxlib.show.claims import needs

        if not there:
            raise NotAnswerable(needs(what, to))

    def _screen(self, text: str) -> str:
        from cxlib import identity

        return identity.screen(str(text), known=self.programme.privacy.contact)

    def _screened(self, frame):
        from cxlib import identity

        return identity.screened(frame, known=self.programme.privacy.contact)

    def _csv(self, name: str, frame) -> str:
        """Write tables/<name>.csv and return the sentence that says which cells were kept from being run, if any."""
        frame = self._screened(frame)
        path = self.folder / "tables" / f"{name}.csv"
        told = spreadsheets.told(spreadsheets.csv(frame, path), f"tables/{name}.csv")
        self._own(path)
        return told

    def _own(self, path: Path) -> None:
        """Note that this study wrote a file, so that the file is taken over with the study when nothing has changed."""
        noted = self.folder / ".outputs" / self.study
        noted.parent.mkdir(exist_ok=True)
        with noted.open("a", encoding="utf-8") as file:
            file.write(f"{path.relative_to(self.folder).as_posix()}\n")


def published(folder: Path, quarter: str, name: str) -> list[Path]:
    """Return where a finding stands in the last published edition of each quarter before this one, in order; `folder` is the programme's under reports."""
    from cxlib import editions

    found = [(place, editions.editions(place)) for place in sorted(Path(folder).glob("*Q*")) if place.name < quarter]
    paths = [place / f"r{max(numbers)}" / "findings" / f"{name}.parquet" for place, numbers in found if numbers]
    return [path for path in paths if path.is_file()]


def slug(text: str) -> str:
    """Return a name for a file from words: lower-case letters and digits, joined by underscores."""
    import re
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or "figure"


def information(folder: Path) -> dict:
    """Return run.json of a finished run; empty where there is none."""
    path = Path(folder) / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
