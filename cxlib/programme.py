"""The contract of a programme: `programme.toml` as frozen models that refuse what they do not know.

Every key has a description; ``cx check --schema`` and the README's codebook are printed from it.
"""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from cxlib import contract, quarters
from cxlib.contract import FROZEN
from cxlib.errors import DataError
from cxlib.questionnaire import RESPONSE_FIELDS, Id, Identifier, Item, Join, Reading, Scale, Survey, Use, Wave

Definition = Literal[
    "nps_0_10", "csat_top2_of_5", "ces_1", "ces_2", "ease_top2_of_5", "repurchase_top2_of_5", "top2_of_5", "top2_of_4", "top2_of_6", "top3_of_7", "top2_of_7", "top2_of_10",
    "bottom2_of_5", "mean_of_5", "mean_of_7", "mean_of_10", "mean_0_10", "share_0_1",
]  # fmt: skip
FORGOTTEN = "forgotten.csv"  # who was taken out of the raw files, as keyed hashes (`cx forget`)
CODING_DRAWS, CODINGS = "coding_draws.csv", "codings.csv"  # which comments people were given to code, and what they made of them (`cx code`)
Sight = Literal[
    "mixed_scales", "reversed_scale", "code_as_score", "heaping", "straight_lining", "renamed_value", "shifted_columns", "ambiguous_dates", "wave_twice", "rows_repeated",
    "same_ids", "wording_break", "lone_jump", "regular_rows",
]  # fmt: skip
RESERVED = {*RESPONSE_FIELDS, "answer", "survey", "wave", "quarter", "week"}  # columns of the responses that no item may be called
PUBLISHED = ("series", "label", "day", "first", "estimate", "unit", "base", "kpi", "wording", "scale", "mode", "source", "licence")
Table = Literal["accounts", "people", "invitations", "interactions", "events", "orders", "offers", "actions", "sales", "staff"]



class Coded(BaseModel):
    """An open question whose answers people coded before they came here: several codes an answer, and a dictionary that says what they mean."""

    model_config = FROZEN
    id: Id = Field(description="Name of the question; what it asks for follows from its wording, e.g. improve.")
    wording: str = Field(description="The question as asked, e.g. \"What could we improve?\"")
    survey: Id = Field(description="The survey that asks it, e.g. passengers.")
    items: tuple[Id, ...] = Field(min_length=1, description="Nominal items without labels that hold a code each, e.g. [\"improve_1\", \"improve_2\"].")
    dictionary: str = Field(description="CSV file beside programme.toml with the columns wave, code, label, topic, polarity; a label without a topic takes that of the same label in another wave, e.g. improve_codes.csv.")


class Kpi(BaseModel):
    """A headline measure: an item and the definition by which it is scored."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages, e.g. Net Promoter Score.")
    item: Id = Field(description="The item it is made from, e.g. recommend.")
    definition: Definition = Field(description="How scores become the measure; changing it restates history.")
    surveys: tuple[Id, ...] = Field((), description="Surveys it is reported for; all that ask the item where empty. They are never pooled, e.g. [\"annual\"].")
    primary: bool = Field(True, description="Whether its changes are headline tests (ten at most).")
    target: float | None = Field(None, description="Target in the measure's own unit: points, percent or scale.")
    target_by: dt.date | None = Field(None, description="Day by which the target is to be met.")
    bonus: bool = Field(False, description="Whether pay depends on it: heaping and steering are checked first.")


class Drivers(BaseModel):
    """Which attributes may drive which KPIs in a survey."""

    model_config = FROZEN
    survey: Id
    kpis: tuple[Id, ...] = Field(description="KPIs to explain, e.g. [\"nps\", \"csat\"].")
    items: tuple[Id, ...] = Field(min_length=1, description="Attribute items, e.g. [\"network\", \"price\"].")
    stated: dict[Id, Id] = Field({}, description="Attribute -> item with its stated importance, e.g. {network = \"network_importance\"}.")
    picks: tuple[Id, ...] = Field((), description="Nominal items in which respondents named what matters most; their labels are ids or labels of attributes, e.g. [\"most\", \"second\"].")
    target: float | None = Field(None, description="Rating every attribute should reach, scale units; a cut line of the matrix beside the mean.")


class Index(BaseModel):
    """A satisfaction index: constructs that several questions measure each, and which of them depend on which (as ECSI and ACSI)."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages, e.g. Customer satisfaction index.")
    survey: Id
    constructs: dict[Id, tuple[Id, ...]] = Field(min_length=2, description="Construct -> the ratings that measure it, e.g. {service = [\"staff\", \"waiting\"], loyalty = [\"recommend\"]}.")
    depends: dict[Id, tuple[Id, ...]] = Field(min_length=1, description="Construct -> constructs it depends on, e.g. {loyalty = [\"service\"]}.")
    headline: Id = Field(description="The construct whose score is the index, e.g. loyalty.")
    formed: tuple[Id, ...] = Field((), description="Constructs that their questions form (mode B) rather than reflect, e.g. [\"service\"].")


class Gaps(BaseModel):
    """Service quality as perception less expectation (SERVQUAL): pairs of questions on one scale, by dimension."""

    model_config = FROZEN
    survey: Id
    dimensions: dict[Id, dict[Id, Id]] = Field(min_length=1, description="Dimension -> item with what was found -> item with what was expected, e.g. {reliability = {kept = \"kept_expected\"}}.")


class Segment(BaseModel):
    """A cut of respondents or customers that pages may show."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages, e.g. Region.")
    field: str = Field(description="Column of the responses (a field or an item) or of the people table, e.g. region.")
    table: Literal["responses", "people", "accounts"] = Field("responses", description="Where the column stands.")
    values: dict[str, str] = Field({}, description="Code -> label; as they stand where empty, e.g. {1 = \"Terminal 1\"}.")


class Unit(BaseModel):
    """A kind of unit that is compared with others of its kind: shops, teams, accounts."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages, in the singular, e.g. Shop.")
    field: str = Field(description="Column of the responses that names the unit: a field or a nominal item, e.g. team.")
    values: dict[str, str] = Field({}, description="Code -> label; as they stand where empty, e.g. {s01 = \"Main street\"}.")


class Staff(BaseModel):
    """To which level staff may be shown."""

    model_config = FROZEN
    level: Literal["team", "person"] = Field("team", description="Level at which results of staff are shown.")
    minimum: int = Field(5, ge=5, description="Smallest team shown.")
    agreement: str = Field("", description="The agreement that allows persons; needed for level person, e.g. works agreement of 2025-03-01.")


class Privacy(BaseModel):
    """What the code must know to keep what was promised."""

    model_config = FROZEN
    numbers: tuple[str, ...] = Field((), description="Patterns (regular expressions) of the company's own customer and contract numbers, redacted in comments, e.g. [\"K[0-9]{8}\"].")
    words: tuple[str, ...] = Field((), description="Words that look like names of persons and are none: products, places, e.g. [\"Magenta\"].")
    contact: str = Field("", description="Who answers requests about personal data, e.g. data protection, dpo@fernau.example.")


class Source(Reading):
    """A file of one of the other tables: customers, contacts, orders, actions."""

    table: Table = Field(description="The table it fills.")
    file: str = Field("", description="File under raw/; empty where a database is named, e.g. orders.parquet.")
    columns: dict[str, str] = Field({}, description="Column of the table -> column in the file; the same name where not given, and \"#row\" numbers the rows of a file without ids, e.g. {ordered_on = \"date\"}.")
    where: dict[str, str] = Field({}, description="Column of the file -> value that its rows must have, or \"*\" for any, where the file holds other rows too, as the further lines of an order, e.g. {Total = \"*\"}.")
    joins: tuple[Join, ...] = Field((), description="Other files whose columns are added by a key, e.g. the orders that their lines name.")
    fixed: dict[str, str] = Field({}, description="Column of the table -> one value for every row, e.g. {channel = \"phone\"}.")
    values: dict[str, dict[str, str]] = Field({}, description="Column -> values in the file = values in the table, e.g. {channel = {tel = \"phone\"}}.")
    purpose: str = Field("", description="What the data may be used for, e.g. value of customers.")
    retention_months: int | None = Field(None, ge=0, description="How long rows may be kept, counted back from the last day of the latest wave; customers from the day they left.")
    recipients: tuple[str, ...] = Field((), description="Who may see rows of it, e.g. [\"customer insight\"].")
    uses: tuple[Use, ...] = Field(("aggregate",), description="Contacts: what may be done with the words that customers wrote there beside counting them, e.g. [\"aggregate\", \"case\"].")


class Published(Reading):
    """A file of percentages, scores or means that were published without the answers: somebody's benchmark, or one's own figures from before."""

    file: str = Field(description="File under raw/, a row a figure, e.g. benchmarks.csv.")
    columns: dict[str, str] = Field({}, description="series, label, day, first, estimate, unit, base, kpi, wording, scale, mode, source, licence -> column in the file; the same name where not given, e.g. {estimate = \"Top-box\"}.")
    fixed: dict[str, str] = Field({}, description="The same -> one value for every row, e.g. {unit = \"percent\", source = \"national survey\"}.")


class Matching(BaseModel):
    """How rows without a customer key are matched with the customer file."""

    model_config = FROZEN
    keys: tuple[tuple[Identifier, ...], ...] = Field((), description="Identifiers that make a key, the most trusted first; number, e-mail, phone, name with birth date where empty, e.g. [[\"email\"], [\"last_name\", \"born\"]].")
    threshold: float = Field(0.9, gt=0.5, le=1, description="Probability from which two rows count as one person.")


class Accepted(BaseModel):
    """A sight in the answers that somebody has looked into and found to be right: it is told with the reason, and nothing is refused for it."""

    model_config = FROZEN
    kind: Sight = Field(description="What was seen, by the word in the table of sights, e.g. heaping.")
    survey: Id | Literal[""] = Field("", description="Survey it was seen in; any where empty, e.g. annual.")
    wave: str = Field("", description="Wave it was seen in; any where empty, e.g. 2026.")
    item: str = Field("", description="Item or column; any where empty, e.g. network.")
    reason: str = Field(min_length=8, description="Why it is right, and who looked, in a sentence, e.g. \"The new centre opened; seen with the agency on 2026-10-02.\"")


class Finance(BaseModel):
    """What turns effects into money."""

    model_config = FROZEN
    discount_rate: float = Field(0.08, ge=0, le=1, description="Yearly discount rate, a proportion.")
    margin_rate: float | None = Field(None, ge=0, le=1, description="Contribution margin as a share of sales, where orders carry no margin.")
    contact_cost: float | None = Field(None, ge=0, description="What a contact costs, programme's currency: the value of one avoided.")
    programme_cost: float | None = Field(None, ge=0, description="What the research programme itself costs a year: fieldwork, licences, people.")
    horizon_months: int = Field(36, ge=1, le=120, description="Months ahead for which a customer's worth is counted.")


class Holdout(BaseModel):
    """The part of every exported list that is left alone by lot, so that what acting on the list did can be known."""

    model_config = FROZEN
    share: float = Field(0.1, ge=0, le=0.5, description="Part of each list that is left alone, a proportion; 0 needs a reason.")
    reason: str = Field("", description="Why nobody is left alone, where share is 0, e.g. \"the regulator asks that everybody is called\".")


class Rate(BaseModel):
    """A dated exchange rate into the programme's currency."""

    model_config = FROZEN
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="Currency converted, e.g. CHF.")
    rate: float = Field(gt=0, description="Units of the programme's currency for one unit.")
    day: dt.date = Field(description="Day of the rate.")


class Limits(BaseModel):
    """Bases and shares beyond which a result is flagged, hidden or not published."""

    model_config = FROZEN
    quarantine: float = Field(0.05, ge=0, le=1, description="Largest share of rows set aside in a file before nothing is published.")
    low_base: int = Field(50, ge=1, description="Effective base under which a number is drawn hollow.")
    text_base: int = Field(30, ge=1, description="Effective base under which a number does not stand in a sentence.")
    min_cell: int = Field(10, ge=1, le=1000, description="Smallest cell of an anonymous survey that is shown.")


class Programme(BaseModel):
    """A customer-experience programme: its calendar, surveys, items, KPIs and where the files are."""

    model_config = FROZEN
    name: str = Field(description="Name on the report's cover, e.g. Fernau Telekom.")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="Currency of every amount, e.g. EUR.")
    timezone: str = Field("UTC", description="Zone in which days and quarters are counted, e.g. Europe/Berlin.")
    fiscal_year_start: int = Field(1, ge=1, le=12, description="First month of the fiscal year.")
    fiscal_year_label: Literal["start", "end"] = Field("start", description="Whether a fiscal year carries the year in which it starts or ends.")
    brands: tuple[str, ...] = Field((), description="Brands covered, e.g. [\"Fernau\", \"Kolibri\"].")
    countries: tuple[str, ...] = Field((), description="Countries covered, ISO codes, e.g. [\"DE\", \"AT\"].")
    languages: tuple[str, ...] = Field(("en",), description="Languages of verbatims that are coded, e.g. [\"en\"].")
    totals: Literal["as_sampled", "equal", "by_customers"] = Field("as_sampled", description="How totals over brands or countries are made.")
    about: str = Field("", description="What a reader should know of the programme, in a sentence or two, e.g. Two brands, consumers only..")
    scales: dict[str, Scale] = Field({}, description="Named scales.")
    surveys: tuple[Survey, ...] = Field((), description="Surveys.")
    waves: tuple[Wave, ...] = Field((), description="Waves.")
    items: tuple[Item, ...] = Field((), description="Items.")
    coded: tuple[Coded, ...] = Field((), description="Open questions whose answers people coded.")
    kpis: tuple[Kpi, ...] = Field((), description="KPIs.")
    drivers: tuple[Drivers, ...] = Field((), description="Driver models.")
    indices: tuple[Index, ...] = Field((), description="Satisfaction indices.")
    gaps: tuple[Gaps, ...] = Field((), description="Pairs of expectation and perception.")
    segments: tuple[Segment, ...] = Field((), description="Segments.")
    units: tuple[Unit, ...] = Field((), description="Kinds of units that are compared; team and account where none is declared.")
    staff: Staff = Staff()
    privacy: Privacy = Privacy()
    sources: tuple[Source, ...] = Field((), description="Files of the other tables.")
    reported: tuple[str, ...] = Field((), description="Quarters that are reported where no wave of a survey falls into them, e.g. [\"2026Q3\"].")
    published: tuple[Published, ...] = Field((), description="Files of published figures: series that are tracked, and benchmarks of KPIs.")
    matching: Matching = Matching()
    accepted: tuple[Accepted, ...] = Field((), description="What was seen in the answers, looked into and found right.")
    finance: Finance = Finance()
    referrals: tuple[str, ...] = Field((), description="Kinds of the events table that record that a customer recommended us to somebody who came, e.g. [\"friend joined\"].")
    holdout: Holdout = Holdout()
    rates: tuple[Rate, ...] = Field((), description="Exchange rates.")
    limits: Limits = Limits()
    folder: Path = Field(Path(), exclude=True, description="Where it was read from; not a key of the file.")
    raw: Path = Field(Path(), exclude=True, description="Where the raw files are; not a key of the file.")

    def item(self, name: str) -> Item:
        return next(item for item in self.items if item.id == name)

    def kpi(self, name: str) -> Kpi:
        return next(kpi for kpi in self.kpis if kpi.id == name)

    def survey(self, name: str) -> Survey:
        return next(survey for survey in self.surveys if survey.id == name)

    def asked(self, survey: str) -> tuple[Item, ...]:
        """Return the items of a survey, in the order of the file."""
        return tuple(item for item in self.items if not item.surveys or survey in item.surveys)

    def column(self, wave: Wave, name: str) -> str:
        """Return the file column of a field or item in a wave; "" where it was not asked."""
        default = name if name not in RESPONSE_FIELDS or name == "response_id" else ""
        return wave.columns.get(name, self.survey(wave.survey).columns.get(name, default))

    def missing(self, item: Item) -> dict[str, str]:
        """Return every missing code of an item with its meaning: its scale's and its own."""
        return {**(self.scales[item.scale].missing if item.scale else {}), **item.missing}

    def breaks(self, survey: str, item: str) -> list[tuple[Wave, str]]:
        """Return the waves of a survey from which answers to an item may not be compared with those before, in order, with what changed: the question, the mode or the source of the sample."""
        found, usual, before = [], self.survey(survey), {"mode": "", "sample": ""}
        for wave in sorted((wave for wave in self.waves if wave.survey == survey), key=lambda wave: (wave.quarter, wave.first, wave.id)):
            what = [change.what for change in self.item(item).changes if not change.comparable and change.wave == wave.id]
            for kind, last in before.items():
                now = getattr(wave, kind) or getattr(usual, kind)
                if last and now and now.casefold() != last.casefold():
                    what.append(f"{kind}: {last} became {now}")
                before[kind] = now or last
            found += [(wave, "; ".join(what))] if what else []
        return found

    def direction(self, item: Item) -> str:
        """Return which end of an item is the good one: its own word, else its scale's."""
        return item.direction or (self.scales[item.scale].direction if item.scale else "high_is_good")

    def label(self, name: str) -> str:
        """Return the words for an item, KPI, index, survey, segment or unit id, with the id where another of its kind has the same; the id itself where nothing is declared."""
        words = lambda one: one.label or getattr(one, "wording", "") or one.id
        for kind in (self.kpis, self.items, self.coded, self.indices, self.surveys, self.segments, self.units):
            for one in kind:
                if one.id == name:
                    # Two rows of a table, or two models, must not fall together because their questions read alike.
                    alike = any(other.id != name and words(other) == words(one) for other in kind)
                    return f"{words(one)} ({name})" if alike else words(one)
        return name

    def quarters(self) -> list[str]:
        """Return the quarters that have a wave or are to be reported without one, in order."""
        return sorted({*(wave.quarter for wave in self.waves), *self.reported})

    def quarter_of(self, day: dt.date) -> str:
        return quarters.of(day, start=self.fiscal_year_start, label=self.fiscal_year_label)

    def fingerprints(self) -> dict[str, str]:
        """Return the SHA-256 of every file the programme is made from, by its name; raises DataError for a file that is not there."""
        found = {}
        for path in self.inputs():
            if not path.is_file():
                raise DataError(f"{path.name}: there is no such file in {path.parent}; put it there or correct 'file' in programme.toml.")
            if path.parent != self.folder and not path.resolve().is_relative_to(self.raw.resolve()):
                raise DataError(f"{path.name}: the link leads to a file outside {self.raw}; put the file itself there.")
            with path.open("rb") as file:
                found[path.name if path.parent == self.folder else f"raw/{path.relative_to(self.raw)}"] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def inputs(self) -> list[Path]:
        """Return every file the programme is made from, in a fixed order: its TOML files, then the raw files it names."""
        contracts = [path for name in ("programme", "codeframe", "codeframe_before", "journeys", "plan") if (path := self.folder / f"{name}.toml").is_file()]
        contracts += [path for path in (self.folder / FORGOTTEN, self.folder / CODING_DRAWS, self.folder / CODINGS) if path.is_file()]
        contracts += [path for path in dict.fromkeys(self.folder / one.dictionary for one in self.coded) if path.is_file()]
        files = (name for one in (*self.waves, *self.sources, *self.published) for name in (one.file, *getattr(one, "parts", ()), *(join.file for join in getattr(one, "joins", ()))) if name)
        return contracts + [self.raw / name for name in dict.fromkeys(files)]


def read(folder: Path, raw: Path | None = None) -> Programme:
    """Return the programme in a folder that holds `programme.toml`; `raw` reads the raw files from elsewhere.

    Raises DataError with a sentence for each thing that does not fit: unknown keys with the nearest valid one, ids that are
    not declared, quarters that do not match their dates, files that lie outside the raw folder.
    """
    path = Path(folder) / "programme.toml"
    programme = contract.validate(Programme, contract.read(path), path)
    from cxlib import consistency

    wrong = list(consistency.sentences(programme))
    if wrong:
        raise DataError("\n".join(f"{path}: {sentence}" for sentence in wrong[:8]))
    return programme.model_copy(update={"folder": Path(folder), "raw": Path(raw) if raw else Path(folder) / "raw"})
