"""The command line: `cx init`, `cx report`, `cx crosstabs`, `cx code`, `cx check`, `cx publish`, `cx subject`, `cx forget`, `cx sample`."""

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from cxlib.errors import UsageError, WorkbookError

# A questionnaire of more than a hundred columns is a wide frame, which is no news to whoever runs a command.
warnings.filterwarnings("ignore", message="DataFrame is highly fragmented")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The workbook for customer-experience research: from raw exports to a report with its findings.",
    epilog="Exit codes: 0 done, 1 a fault of ours, 2 usage, 3 data, 4 a study failed, 5 kernel died or timed out, 6 publishing refused or failed, 7 busy, 130 interrupted.",
)

Where = Annotated[str | None, typer.Argument(metavar="[PROGRAMME]", help="A folder with programme.toml, or its name under data/, e.g. telecom. The sample where left out.", show_default=False)]
Raw = Annotated[Path | None, typer.Option("--raw", metavar="FOLDER", help="Read the raw files from this folder, e.g. --raw ~/exports/2026Q3.", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where reports are written, e.g. --out /srv/reports. [default: reports]", show_default=False)]
Quarter = Annotated[str | None, typer.Option("--quarter", metavar="2026Q3", help="The quarter shown last, e.g. --quarter 2026Q3; earlier ones are its history. [default: the latest with data]", show_default=False)]


@app.command()
def init(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILES", help="Exports of surveys and of customers, contacts, orders, actions, e.g. survey_2026.csv orders.xlsx. Left out: draft anew from the folder's codebook.xlsx.", show_default=False)] = None,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The programme's folder: new or empty, or one with a programme, to which the files are added, e.g. --to data/acme.")] = ...,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Name on the report's cover, e.g. --name 'Acme'. [default: the folder's]", show_default=False)] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Draft programme.toml anew although it was changed by hand, e.g. cx init --to data/acme --overwrite.")] = False,
    quarter: Annotated[str | None, typer.Option("--quarter", metavar="2026Q4", help="Quarter of files that are added to a programme and hold no days, e.g. --quarter 2026Q4.", show_default=False)] = None,
) -> None:
    """Draft a programme from your own files, with a reason for every guess, or add the next quarter's files to one, e.g. cx init survey.csv --to data/acme."""
    from cxlib.load import draft
    from cxlib.text import languages

    draft.make(files or [], to, name=name, overwrite=overwrite, quarter=quarter, say=_say, chances=languages.chances)
    contract = to / "programme.toml"
    if contract.is_file() and 'kind = "verbatim"' in contract.read_text("utf-8") and not (to / "codeframe.toml").exists():
        from cxlib import programme as programmes
        from cxlib.text import codeframe

        (to / "codeframe.toml").write_bytes(codeframe.STARTER.read_bytes())
        lacking = sorted(set(programmes.read(to).languages) - set(codeframe.read(codeframe.STARTER).languages))
        _say("codeframe.toml: comments are coded by a codeframe for services in English, German, French and Portuguese; make it yours" + (f". Comments in other languages ({', '.join(lacking)}) stay uncoded until it has words in them" if lacking else ""))


@app.command()
def report(
    programme: Where = None,
    quarter: Quarter = None,
    only: Annotated[str | None, typer.Option("--only", metavar="02,03", help="Run these studies only, e.g. --only 02,03, on earlier findings of the same inputs.", show_default=False)] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Studies that run side by side, e.g. --jobs 2.")] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore earlier results and run everything, e.g. cx report --fresh.")] = False,
    raw: Raw = None,
    out: Out = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter of the studies, e.g. -p replicates=2000; may be given several times.", show_default=False)] = None,
) -> None:
    """Build the report of a quarter: every study, its findings, and index.html, e.g. cx report telecom --quarter 2026Q3."""
    from cxlib import report as reports

    reports.build(programme, quarter=quarter, only=only, jobs=jobs, fresh=fresh, raw=raw, out=out, pairs=parameter or [], say=_say)


@app.command()
def crosstabs(
    programme: Where = None,
    stub: Annotated[str, typer.Option("--stub", metavar="ITEMS", help="Questions down the side, e.g. --stub recommend,satisfaction.")] = ...,
    banner: Annotated[str, typer.Option("--banner", metavar="FIELDS", help="Groups across the top: segments, nominal items or fields, e.g. --banner region,brand.")] = ...,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file that ends in .xlsx or .sav (SPSS), e.g. --to tables.xlsx.")] = ...,
    survey: Annotated[str | None, typer.Option("--survey", metavar="SURVEY", help="The survey, where several ask these questions, e.g. --survey annual.", show_default=False)] = None,
    quarter: Quarter = None,
    raw: Raw = None,
    out: Out = None,
) -> None:
    """Write crosstabs with bases, nets, means, letters and marks, e.g. cx crosstabs telecom --stub recommend --banner region --survey annual --to tables.xlsx."""
    from cxlib import load, run
    from cxlib.measure import crosstabs as tabs

    names = lambda text: list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    found = run.programme_of(programme, raw)
    tabs.target(to)
    tables = load.tables(found, quarter, out=run.reports(out))
    made, asked = tabs.table(tables, stub=names(stub), banner=names(banner), survey=survey)
    tabs.write(made, to, programme=found, survey=asked)
    _say(f"{to}: {made['item'].nunique()} questions by {made.loc[made['field'] != '', ['field', 'column']].drop_duplicates().shape[0]} groups, {found.label(asked)} {made['quarter'].max()}.")


code = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Comments coded by people: sheets out, sheets in, new topics accepted, e.g. cx code export telecom --quarter 2026Q3.")
app.add_typer(code, name="code")


@code.command("export")
def code_export(
    programme: Where = None,
    quarter: Quarter = None,
    rows: Annotated[int, typer.Option("--rows", min=20, max=5000, help="Answers of an audit, or comments to train with, a survey, e.g. --rows 200.")] = 200,
    kind: Annotated[str, typer.Option("--kind", metavar="audit|train", help="audit: a random sample that corrects shares; train: comments from which a model learns most, e.g. --kind train.")] = "audit",
    coders: Annotated[int, typer.Option("--coders", min=1, max=8, help="Sheets, one for each coder, e.g. --coders 2.")] = 2,
    survey: Annotated[str | None, typer.Option("--survey", metavar="SURVEY", help="One survey only, e.g. --survey pulse.", show_default=False)] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where the sheets go, e.g. --to ~/coding. [default: coding/ in the programme's folder]", show_default=False)] = None,
    raw: Raw = None,
    out: Out = None,
) -> None:
    """Draw comments and write a sheet for each coder, e.g. cx code export telecom --quarter 2026Q3 --rows 200 --coders 2."""
    from cxlib import load, run
    from cxlib.text import codeframe, comments, sheets

    if kind not in ("audit", "train"):
        raise UsageError(f"--kind {kind}: there are two kinds, audit and train.")
    found = run.programme_of(programme, raw)
    tables, frame = load.tables(found, quarter, out=run.reports(out)), codeframe.read(found.folder / "codeframe.toml")
    for sentence in sheets.export(tables, frame, comments.code(tables, frame), kind=kind, rows=rows, coders=coders, survey=survey, folder=to or found.folder / "coding", unsure=comments.unsure(tables, frame) if kind == "train" else None):
        _say(sentence)


@code.command("import")
def code_import(
    files: Annotated[list[Path], typer.Argument(metavar="FILES", help="Sheets that came back, XLSX or CSV, e.g. telecom_pulse_2026Q3_audit_d1_A.xlsx.")],
    programme: Annotated[str | None, typer.Option("--programme", metavar="PROGRAMME", help="A folder with programme.toml, or its name under data/, e.g. --programme telecom. [default: the sample]", show_default=False)] = None,
    settled: Annotated[bool, typer.Option("--settled", help="The sheet holds what the coders agreed on after coding alone, e.g. cx code import settled.xlsx --settled.")] = False,
) -> None:
    """Check sheets that came back, store what people coded and say how well they agree, e.g. cx code import d1_A.xlsx d1_B.xlsx --programme telecom."""
    from cxlib import run
    from cxlib.text import agreement, codeframe, codings, sheets

    found = run.programme_of(programme)
    for sentence in sheets.bring(found, files, settled=settled):
        _say(sentence)
    frame = codeframe.read(found.folder / "codeframe.toml")
    for row in agreement.topics(codings.presence(found, frame)).to_dict("records"):
        _say(f"{row['topic']}: " + (f"alpha {row['estimate']:.2f}, {row['verdict']}" if row["estimate"] == row["estimate"] else row["note"]) + ".")


@code.command("accept")
def code_accept(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of proposed topics, as the page and codeframe_proposed.toml name them, e.g. new_family_rate.")],
    programme: Annotated[str | None, typer.Option("--programme", metavar="PROGRAMME", help="A folder with programme.toml, or its name under data/, e.g. --programme telecom. [default: the sample]", show_default=False)] = None,
    quarter: Quarter = None,
    out: Out = None,
) -> None:
    """Take proposed topics into the next version of codeframe.toml, e.g. cx code accept new_family_rate --programme telecom."""
    from cxlib import run
    from cxlib.text import proposal

    found = run.programme_of(programme)
    for sentence in proposal.accept(found.folder / "codeframe.toml", proposal.latest(run.reports(out) / found.folder.name / run.quarter_of(found, quarter)), ids):
        _say(sentence)


@app.command()
def check(
    programme: Where = None,
    raw: Raw = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print every key of the TOML files and every column of the tables and findings, e.g. cx check --schema.")] = False,
    notebooks: Annotated[bool, typer.Option("--notebooks", help="List what breaks the rules for notebooks, e.g. cx check --notebooks.")] = False,
) -> None:
    """Say what fits the contract and what does not, by file, row and column, e.g. cx check telecom --raw ~/exports."""
    from cxlib import checks

    if schema:
        return _say(checks.codebook())
    if notebooks:
        return checks.notebooks(say=_say)
    return checks.programme(programme, raw=raw, say=_say)


@app.command()
def publish(
    programme: Where = None,
    quarter: Annotated[str, typer.Option("--quarter", metavar="2026Q3", help="The quarter whose draft becomes an edition, e.g. --quarter 2026Q3.")] = ...,
    raw: Raw = None,
    out: Out = None,
    despite: Annotated[str | None, typer.Option("--despite", metavar="REASON", help="Publish although an earlier edition and this one tell of few persons together, e.g. --despite \"agreed with the works council\".", show_default=False)] = None,
) -> None:
    """Turn a complete, current draft into a read-only edition (r1, r2, ...), e.g. cx publish telecom --quarter 2026Q3."""
    from cxlib import report as reports

    reports.publish(programme, quarter=quarter, raw=raw, out=out, say=_say, reason=despite)


@app.command()
def subject(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person's key as it stands in the files, e.g. p000123, or its pseudonym.")],
    programme: Where = None,
    raw: Raw = None,
    out: Out = None,
) -> None:
    """Write all that is known of one person into one readable file outside editions, e.g. cx subject p000123 telecom."""
    from cxlib import run
    from cxlib.load import subjects

    _say(str(subjects.subject(run.programme_of(programme, raw), person, out=run.reports(out))))


@app.command()
def forget(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person's key as it stands in the files, e.g. p000123, or its pseudonym.")],
    programme: Where = None,
    reason: Annotated[str, typer.Option("--reason", metavar="WORDS", help="Why, for the manifest, e.g. --reason \"request of 3 May\".")] = ...,
    raw: Raw = None,
    out: Out = None,
) -> None:
    """Take one person out of the raw files and of all that is made from them, e.g. cx forget p000123 telecom --reason "request of 3 May"."""
    from cxlib import forgetting, run
    from cxlib.load import subjects
    from cxlib.text import sheets

    found, place = run.programme_of(programme, raw), run.reports(out)
    with forgetting.held(place / found.folder.name):
        answers = subjects.answers(found, person)
        taken = subjects.remove(found, person, reason=reason, out=place)
        _say(f"{taken['rows'].sum():,} rows in {len(taken)} files were taken out; {found.folder / 'forgotten.csv'} says when and why.")
        for sentence in sheets.forget(found, answers):
            _say(sentence)
        for sentence in forgetting.reports(place / found.folder.name, day=taken["day"].iloc[0], person=taken["person"].iloc[0], reason=reason):
            _say(sentence)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder, e.g. /tmp/telecom.")],
    customers: Annotated[int | None, typer.Option("--customers", min=200, max=2_000_000, help="Size of the telecom provider, e.g. --customers 2500. [default: 2500]", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another company, e.g. --seed 7.")] = 1,
    world: Annotated[str, typer.Option("--world", metavar="truth|null", help="truth, or null: the same company where nothing affects anything, e.g. --world null.")] = "truth",
    company: Annotated[str, typer.Option("--company", metavar="telecom|accessory", help="telecom, a provider with customers and surveys, or accessory, a brand of which only weekly sales are known, e.g. --company accessory.")] = "telecom",
) -> None:
    """Make a fictional company with a known truth: raw exports, programme and truth/, e.g. cx sample /tmp/telecom --seed 7."""
    from cxlib.errors import nearest

    if company not in ("telecom", "accessory"):
        raise UsageError(f"--company {company}: there are two companies, telecom and accessory{nearest(company, ('telecom', 'accessory'))}.")
    if company == "accessory" and customers is not None:
        raise UsageError("--customers: the accessory brand knows its sales by week and no customers; leave it out.")
    if world not in ("truth", "null"):
        raise UsageError(f"--world {world}: there are two worlds, truth and null{nearest(world, ('truth', 'null'))}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty; name a new folder. Nothing was written.")
    from cxlib import synth

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from None
    try:
        if company == "accessory":
            synth.brand(folder, seed=seed, world=world)
        else:
            synth.sample(folder, customers=customers or 2500, seed=seed, world=world)
    except BaseException:  # interrupted, or a full disk: half a company is none, and would be refused as not empty the next time
        import shutil

        for part in folder.iterdir():
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)
        raise
    _say(f"{folder}: a {'brand with its sales by week' if company == 'accessory' else f'company of {customers or 2500:,} customers'}. Next: cx report {folder}")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    """Run the command; every fault ends in a sentence and its exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(prog_name="cx", standalone_mode=False) or 0
        if code == 130:  # the command-line library turns an interruption into a return
            raise KeyboardInterrupt
    except WorkbookError as error:
        print(str(error), file=sys.stderr)
        code = error.code
    except (typer.Abort, KeyboardInterrupt):
        print("Interrupted; an earlier report is as it was.", file=sys.stderr)
        code = 130
    except OSError as error:
        print(f"{error.filename or 'A file'}: {error.strerror or error}.", file=sys.stderr)
        code = 6 if error.errno in (28, 30, 122) else 1
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of the command-line library
            print(f"{error.format_message()} Try: cx --help", file=sys.stderr)
            code = getattr(error, "exit_code", 2)
        else:
            place = error.__traceback__
            while place.tb_next:
                place = place.tb_next
            print(f"A fault of ours: {type(error).__name__}: {error} (in {Path(place.tb_frame.f_code.co_filename).name}, line {place.tb_lineno}). Please report it with the command.", file=sys.stderr)
            code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
