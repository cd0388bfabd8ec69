"""What was asked, of whom and when: scales, items, surveys and their waves, as parts of the contract of a programme."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from cxlib.contract import FROZEN

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Short name in lower-case letters, digits and underscores, e.g. nps.")]
Quarter = Annotated[str, Field(pattern=r"^[0-9]{4}Q[1-4]$", description="Quarter of the programme's fiscal year, e.g. 2026Q3.")]
Direction = Literal["high_is_good", "low_is_good"]
Use = Literal["aggregate", "quote", "link", "case", "target", "train"]
Kind = Literal["relationship", "driver", "journey", "transactional", "exit", "employee", "usability"]
Identifier = Literal["customer_number", "loyalty_number", "email", "phone", "name", "first_name", "last_name", "born", "postcode", "street", "city"]
ROW = "#row"  # stands for the row of the file where a file has no id of its own
# Columns that every survey file may carry beside its items; only response_id is required.
RESPONSE_FIELDS = ("response_id", "person_id", "account_id", "answered_on", "channel", "brand", "country", "language", "team", "weight")


class Scale(BaseModel):
    """The end points, labels and missing codes that several items share."""

    model_config = FROZEN
    low: float = Field(description="Lowest valid score, e.g. 1.")
    high: float = Field(description="Highest valid score, e.g. 5.")
    low_label: str = Field("", description="Wording of the lowest point, e.g. very dissatisfied.")
    high_label: str = Field("", description="Wording of the highest point, e.g. very satisfied.")
    direction: Direction = Field("high_is_good", description="Which end is good.")
    labels: dict[str, str] = Field({}, description="Text in the file -> score, where answers arrive as words, e.g. {\"Very satisfied\" = \"5\"}.")
    missing: dict[str, str] = Field({}, description="Codes that are no score -> what they mean, e.g. {6 = \"never used\"}.")


class AskedIf(BaseModel):
    """A filter: the item was asked only of those who answered another item so (not asked is not missing)."""

    model_config = FROZEN
    item: Id = Field(description="The item that decides, e.g. had_problem.")
    values: tuple[str, ...] = Field(description="The answers that lead to the question, e.g. [\"1\"].")


class Change(BaseModel):
    """What changed in a question, and from which wave on."""

    model_config = FROZEN
    wave: str = Field(description="First wave with the change, e.g. 2026.")
    what: str = Field(description="What changed, in a sentence, e.g. \"wording: 'staff' became 'advisers'\".")
    comparable: bool = Field(False, description="Whether answers before and after may be compared.")


class Item(BaseModel):
    """One question of a questionnaire."""

    model_config = FROZEN
    id: Id
    wording: str = Field(description="The question as asked, e.g. \"How likely are you to recommend us?\"")
    label: str = Field("", description="Short name on charts, e.g. Network coverage; the wording where empty.")
    kind: Literal["rating", "nominal", "number", "verbatim"] = Field("rating", description="How answers are read.")
    surveys: tuple[Id, ...] = Field((), description="Surveys that ask it; all where empty, e.g. [\"annual\"].")
    scale: Id | None = Field(None, description="Name of a [scales.NAME] table; needed for ratings, e.g. satisfaction5.")
    direction: Direction | None = Field(None, description="Which end is good, where it departs from the scale, e.g. low_is_good.")
    labels: dict[str, str] = Field({}, description="Nominal: code -> label, e.g. {1 = \"Terminal 1\"}; other codes are set aside.")
    missing: dict[str, str] = Field({}, description="Missing codes of this item, beside those of its scale, e.g. {9 = \"multiple answers\"}.")
    asked_if: AskedIf | None = Field(None, description="Filter that leads to the question, e.g. {item = \"contacted\", values = [\"1\"]}.")
    question: Literal["", "why", "improve", "praise", "comment"] = Field("", description="Verbatims: what was asked; it changes the meaning.")
    changes: tuple[Change, ...] = Field((), description="Changes of wording, scale or filter, by wave.")
    tags: tuple[Literal["need", "ease", "emotion", "stated_importance"], ...] = Field((), description="Level of the experience pyramid, or stated importance, e.g. [\"ease\"].")
    group: str = Field("", description="Group of items that measure one thing, e.g. service.")


class Margin(BaseModel):
    """One thing that is known of the population: the parts of its categories."""

    model_config = FROZEN
    field: str = Field(min_length=1, description="Field or item of the answers, or column of the people table where answers may be linked, e.g. region.")
    targets: dict[str, float] = Field({}, description="Category -> share, percentage or count in the population; counted in the people table where empty, e.g. {north = 0.6, south = 0.4}.")


class Rake(BaseModel):
    """How the weights of each wave are made: raked to these margins, from the weights in the file where it has some."""

    model_config = FROZEN
    margins: tuple[Margin, ...] = Field(min_length=1, description="The margins to be met, all at once.")
    smallest: float = Field(0.2, ge=0, lt=1, description="Smallest weight, in multiples of the mean; smaller ones are raised to it and all are raked again.")
    largest: float = Field(5.0, gt=1, description="Largest weight, in multiples of the mean; larger ones are cut to it and all are raked again.")


class Survey(BaseModel):
    """A questionnaire that is fielded in waves, and the promise made to those who answer."""

    model_config = FROZEN
    id: Id
    label: str = Field("", description="Name on pages; the id where empty, e.g. Annual survey.")
    kind: Kind = Field(description="What the survey is for.")
    cadence: str = Field("", description="How often it is fielded, e.g. yearly.")
    trigger: str = Field("", description="What leads to an invitation, e.g. a call to the hotline.")
    mode: str = Field("", description="How it is asked, e.g. online, paper.")
    sample: str = Field("", description="Where those who are asked come from, e.g. customer file, online panel.")
    population: str = Field("", description="Whom the answers stand for, e.g. consumers with an active contract.")
    languages: tuple[str, ...] = Field((), description="Languages of the questionnaire, e.g. [\"en\"].")
    dated_by: Literal["fieldwork_close", "answer", "experience"] = Field("fieldwork_close", description="The rule that dates an answer.")
    promise: Literal["undeclared", "anonymous", "confidential", "attributed"] = Field("undeclared", description="What respondents were promised.")
    uses: tuple[Use, ...] = Field(("aggregate",), description="Uses the promise permits; without a declaration, aggregate only, e.g. [\"aggregate\", \"link\"].")
    retention_months: int | None = Field(None, ge=0, description="How long answers may be kept, counted back from the last day of the latest wave.")
    weighting: str = Field("", description="How the weights were made, in a sentence, e.g. raked to age and region.")
    rake: Rake | None = Field(None, description="Margins to which the weights of each wave are raked; without it weights stand as the file gives them.")
    cluster: str = Field("", description="Field or item that tells which answers were drawn together; people who answer a wave more than once where empty, e.g. account_id.")
    strata: str = Field("", description="Field or item within whose categories people, or clusters, were drawn, e.g. region.")
    universe: int | Literal["frame"] | None = Field(None, description="How many people, or clusters, the population has, where most of them answer: intervals are narrower for it; frame counts the customer file, e.g. 240.")
    minutes: float | None = Field(None, description="Length of the interview in minutes.")
    columns: dict[str, str] = Field({}, description="Field or item -> column in the file, for every wave that does not say otherwise, e.g. {recommend = \"Q8\"}.")


class Reading(BaseModel):
    """How a file is written, where its name and content do not say."""

    model_config = FROZEN
    sheet: str = Field("", description="Sheet of a workbook; the first that is visible where empty, e.g. Answers.")
    header: Literal["", "one", "qualtrics", "qualtrics_legacy", "surveymonkey"] = Field("", description="Form of the header rows; found from the rows where empty, e.g. surveymonkey.")
    header_row: int | None = Field(None, ge=1, le=1_000, description="Row of the file in which the names of the columns stand, where a title stands above them; the first where empty, e.g. 4.")
    database: str = Field("", description="A PostgreSQL server instead of a file: the variable that holds its URL, or the URL itself, e.g. env:CX_WAREHOUSE.")
    database_table: str = Field("", description="Table of a database or of a DuckDB or SQLite file, e.g. survey.annual_2026.")
    delimiter: str = Field("", description="Separator of a text file, e.g. ';'; found from the header where empty.")
    encoding: str = Field("", description="Encoding of a text file; utf-8, utf-16 with a mark, then cp1252 are tried where empty, e.g. cp1252.")
    decimal: Literal["", ".", ","] = Field("", description="Decimal mark; a comma is read only where it is declared.")
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="Thousands mark, only where declared.")
    date_format: str = Field("", description="Format of dates, e.g. %d.%m.%Y; ISO dates where empty.")
    timezone: str = Field("", description="Zone of times that carry none, where it is neither the file's own word (Qualtrics) nor the programme's zone, e.g. UTC.")
    identify: dict[Identifier, str] = Field({}, description="Identifier of a person -> column in the file, for matching rows without a customer key; never kept, e.g. {email = \"E-Mail\"}.")

    @property
    def named(self) -> str:
        """What messages and tables call it: the file, or the table of a server."""
        return self.file or self.database_table


class Join(Reading):
    """Another file whose columns are added to the rows of this one, where its key equals theirs; a key that stands there twice is refused."""

    file: str = Field(description="File under raw/, e.g. orders.parquet.")
    on: str = Field(description="Column of this file that holds the key, e.g. order_id.")
    to: str = Field("", description="Column of the other file that holds it; the same name where empty, e.g. id.")


class Wave(Reading):
    """One fieldwork of a survey: its quarter, its days and its file."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="Name of the wave, e.g. 2026.")
    survey: Id = Field(description="The survey it belongs to, e.g. annual.")
    quarter: Quarter
    first: dt.date = Field(description="First day of fieldwork.")
    last: dt.date = Field(description="Last day of fieldwork; it dates the answers of a relationship survey.")
    file: str = Field("", description="File under raw/, .gz as it is; empty where a database is named, e.g. annual_2026.csv.")
    parts: tuple[str, ...] = Field((), description="Further files of the same wave under raw/, where it was exported in several; each holds the columns of the first, in any order, e.g. [\"annual_2026_at.csv\"].")
    mode: str = Field("", description="Mode where this wave departs from its survey, e.g. phone.")
    sample: str = Field("", description="Source of the sample where this wave departs from its survey, e.g. online panel.")
    where: dict[str, str] = Field({}, description="Column of the file -> value that its rows must have to belong to the wave, where one file holds several, e.g. {year = \"2026\"}.")
    joins: tuple[Join, ...] = Field((), description="Other files whose columns are added by a key, e.g. the orders that reviews name.")
    invited: int | None = Field(None, ge=0, description="How many were invited, where no invitations table says so.")
    columns: dict[str, str] = Field({}, description="Field or item -> column in this file; \"\" means not asked in this wave, and response_id = \"#row\" that the file has no id and its rows are numbered, e.g. {network = \"Q12_4\", app = \"\"}.")
    note: str = Field("", description="What a reader must know of this wave, e.g. fieldwork by another agency.")
