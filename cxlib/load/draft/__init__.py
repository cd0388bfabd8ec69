"""A first programme drafted from somebody's own files: guesses with their reasons, as programme.toml and as a codebook to edit."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from cxlib import contract
from cxlib import programme as programmes
from cxlib.errors import DataError, UsageError
from cxlib.load.draft import book as books
from cxlib.load.draft import continued, facts, names, sheets, surveys, toml
from cxlib.load.draft.book import Book

SEAL = "# Draft "  # the last line of a draft: by its digest an edit by hand is seen
_SEALED = re.compile(rb"# Draft ([0-9a-f]{16})[^\n]*\n?\Z")
PROSE = (".txt", ".md", ".pdf", ".doc", ".docx", ".ppt", ".pptx", ".rtf", ".htm", ".html", ".png", ".jpg", ".jpeg")  # what lies beside exports and explains them
LOOK = 12  # lines of "look at this first"


def make(files: list[Path], folder: Path, *, name: str, overwrite: bool, say, quarter: str | None = None, chances=None) -> None:
    """Draft a programme in a folder from files; without files, write programme.toml anew from the folder's codebook; where there is a programme, add the files to it (`continued.add`).

    `chances(text)` tells the language of a comment (`cxlib.text.languages.chances`); without it the comments are taken for English ones. Raises UsageError for files and folders that cannot be (nothing is written then), DataError for a file that cannot be read or a cell of the
    codebook that cannot be understood.
    """
    folder = Path(folder)
    if not files:
        return _again(folder, overwrite=overwrite, say=say)
    paths = [Path(path) for path in files]
    _files(paths)
    if (folder / "programme.toml").is_file():
        return continued.add(paths, folder, quarter=quarter, say=say)
    _room(folder)
    found, prose = [], {}
    for path in paths:
        try:
            found += facts.all_of(path)
        except DataError as error:
            if len(paths) == 1 or not path.name.lower().removesuffix(".gz").endswith(PROSE):
                raise
            prose[path] = str(error)
    if not found:
        raise DataError("\n".join(prose.values()))
    paths = [path for path in paths if path not in prose]
    book = surveys.draft(found, name=name or names.label(folder.resolve().name, ""), chances=chances)
    if not (book.files["table"] != "").any():
        raise DataError("\n".join(f"{row.file}: nothing to draft from: {row.why}." for row in book.files.itertuples()))
    text = _sealed(_valid(book, folder / "programme.toml"))
    if large := sheets.fits(book):
        raise DataError(f"{sheets.NAME}: a cell cannot hold what stands in {large[0]}; shorten the labels or the names in the file.")
    _write(paths, folder, book, text)
    for path in prose:
        say(f"{path.name}: left out: it is no table, but text or a document, and is not copied")
    _told(book, found, folder, say)


def _again(folder: Path, *, overwrite: bool, say) -> None:
    path, target = folder / sheets.NAME, folder / "programme.toml"
    if not path.is_file():
        raise UsageError(f"{folder}: there is no {sheets.NAME} to draft from; name the files too: cx init FILES --to {folder}.")
    if target.is_file() and not drafted(target.read_bytes()) and not overwrite:
        raise UsageError(f"{target} was changed by hand since it was drafted, and drafting it anew would lose that; say --overwrite if it may, or go on by hand. Nothing was written.")
    text = _sealed(_valid(sheets.read(path), target))
    temporary = target.with_name(f".{target.name}.part")
    temporary.write_text(text, "utf-8")
    temporary.replace(target)
    say(f"{target}: drafted anew from {path.name}. Next: cx check {folder}")


def drafted(content: bytes) -> bool:
    """Return whether a programme.toml is as it was drafted."""
    found = _SEALED.search(content)
    return bool(found) and hashlib.sha256(content[: found.start()]).hexdigest()[:16].encode() == found[1]


def _sealed(text: str) -> str:
    return f"{text}\n{SEAL}{hashlib.sha256((text + chr(10)).encode()).hexdigest()[:16]}: by this line `cx init` sees whether the file was changed by hand.\n"


def _valid(book: Book, path: Path) -> str:
    """Return the text of a book's programme.toml, once it is known to keep the contract."""
    text = toml.written(book)
    if len(text.encode()) > contract.LIMIT - 1_000:
        raise DataError(f"{path}: the files have more columns than a contract can name ({len(text):,} characters); draft from fewer files, or take columns out of them.")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "programme.toml").write_text(text, "utf-8")
        try:
            programmes.read(Path(place))
        except DataError as error:
            raise DataError(str(error).replace(f"{place}{os.sep}programme.toml", f"{sheets.NAME} does not make a programme")) from None
    return text


def _files(files: list[Path]) -> None:
    """Refuse what cannot be copied, before anything is read or written."""
    seen: dict = {}
    for path in files:
        try:
            mode = os.lstat(path).st_mode
        except (OSError, ValueError):
            raise UsageError(f"{path}: there is no such file. Nothing was written.") from None
        what = "a link; name the file it leads to" if stat.S_ISLNK(mode) else "a folder; name the files in it" if stat.S_ISDIR(mode) else "no regular file; write its content to a file first" if not stat.S_ISREG(mode) else ""
        if what:
            raise UsageError(f"{path} is {what}. Nothing was written.")
        if seen.setdefault(path.name.lower(), path) is not path:
            raise UsageError(f"{path} and {seen[path.name.lower()]} have one name, and raw/ holds each name once; rename one of them. Nothing was written.")


def _room(folder: Path) -> None:
    """Refuse a place that is taken."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is no folder; name a new one. Nothing was written.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is there and not empty; name a new folder, or one with a programme.toml to add the files to. Nothing was written.")


def _write(files: list[Path], folder: Path, book: Book, text: str) -> None:
    """Make the folder beside its place and rename it into it, so that it is there whole or not at all."""
    place = folder.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from None
    try:
        (temporary / "raw").mkdir()
        for path in files:
            shutil.copyfile(path, temporary / "raw" / path.name, follow_symlinks=False)
            shutil.copystat(path, temporary / "raw" / path.name, follow_symlinks=False)
            with contextlib.suppress(OSError):
                os.chmod(temporary / "raw" / path.name, 0o644)
        sheets.write(temporary / sheets.NAME, book)
        (temporary / "programme.toml").write_text(text, "utf-8")
        temporary.chmod(0o755)
        with contextlib.suppress(FileNotFoundError):
            place.rmdir()  # empty, as was looked at before
        temporary.rename(place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _told(book: Book, found: list[facts.File], folder: Path, say) -> None:
    """Say what was guessed, how sure it is, and what to look at first."""
    by_file = {file.name: file for file in found}
    items = toml.items_of(book)
    for name, own in book.files.groupby("file", sort=False):
        row, file = own.iloc[0], by_file[name]
        columns = book.columns[(book.columns["file"] == name) & (book.columns["use"] == "yes")]
        sample = f", guessed from {file.sampled:,} of them, codes counted in all" if file.sampled < file.rows else ""
        if row["table"] == "responses":
            waves = f"wave {row['wave']}" if len(own) == 1 else f"{len(own)} waves {row['wave']} to {own.iloc[-1]['wave']}"
            counts = ", ".join(f"{n} {role}{'s' if n > 1 and role != 'nominal' else ''}" for role in ("rating", "nominal", "number", "verbatim") if (n := int((columns["role"] == role).sum())))
            key = next((f"'{one.column}'" + (f" ({one.why.split('; ')[1]})" if "rows repeat one" in one.why else "") for one in columns.itertuples() if one.role == "response_id" or (one.role == "person_id" and one.id == "response_id")), "")
            say(f"{name}: {file.rows:,} rows{sample}; answers of survey '{row['survey']}', {waves}; {counts or 'no items'}; " + (f"id {key}" if key else "no id: rows are numbered, so that an answer sent twice is not seen"))
        elif row["table"] == "published":
            say(f"{name}: {file.rows:,} rows; {row['why']}")
        elif row["table"]:
            say(f"{name}: {file.rows:,} rows{sample}; the table {row['table']} ({', '.join(columns['role'])})")
        else:
            say(f"{name}: not read: {row['why']}")
    names = toml.kpi_names(items)
    for name, one in items.items():
        if "kpi" in one:
            say(f"Key figure {names[name]}: '{one['wording'][:80]}' ({one['kpi'][0]}){'' if one['sure'] == 'yes' else ', not sure'}")
    look = _look(book, items, by_file)
    if look:
        say("Look at this first:")
        for line in look[:LOOK]:
            say(f"  {line}")
        if len(look) > LOOK:
            say(f"  ... and {len(look) - LOOK:,} more, marked in {sheets.NAME} where 'sure' is no.")
    shown = max([*book.files.loc[book.files["table"] == "responses", "quarter"], *book.programme.loc[book.programme["key"] == "reported", "value"]], default="")
    say(f"{folder}: programme.toml, {sheets.NAME} and raw/ are written. Edit either file; after the workbook run: cx init --to {folder}\nNext: cx check {folder}" + (f", then cx report {folder} --quarter {shown}" if shown else " (no survey among the files: there is nothing to report on yet)"))


def _look(book: Book, items: dict, by_file: dict) -> list[str]:
    found = _waves(book)
    if not items and (book.files["table"] == "responses").any():
        found.append("no question was found in the answers: give the columns that hold answers a role (rating, nominal, number or verbatim), else there is nothing to report on")
    if not any("kpi" in one for one in items.values()) and items:
        found.append("no question is worded as a key figure: write its definition into the column kpi of its row")
    found += _grouped(row for row in book.columns.itertuples() if row.why.startswith("dates that can be read"))
    found += [f"{row.file}: {note}" for row in book.files.drop_duplicates("file").itertuples() for note in (*by_file[row.file].told, *(one for one in by_file[row.file].raw.notes if "declare" in one))]
    if book.columns[(book.columns["role"].isin(["amount", "margin", "cost"])) & (book.columns["use"] == "yes")].size:
        found += [f"currency {row.value}: {row.why.removeprefix('Currency of every amount: ').rstrip('.')}; amounts are shown in it" for row in book.programme.itertuples() if row.key == "currency"]
    found += [f"languages {row.value}: {row.why.partition(': ')[2].rstrip('.')}; correct it if there are others" for row in book.programme.itertuples() if row.key == "languages" and "guessed" in row.why and row.value != "en"]
    open_ends = sorted({one["scale"][0] for one in items.values() if "scale" in one} & {row.id for row in book.scales.itertuples() if row.why.startswith("that the high end")})
    if open_ends:
        found.append(f"scales {', '.join(open_ends)}: the file does not say which end is the good one; the high end is assumed")
    found += _grouped(row for row in book.columns.itertuples() if row.sure == "no" and row.use == "yes" and (row.kpi or row.driver))
    found += _grouped(row for row in book.columns.itertuples() if row.why.startswith(("tells who a person is", "an e-mail address that")))
    return found + _grouped(row for row in book.columns.itertuples() if row.sure == "no" and not (row.kpi or row.driver) and not row.why.startswith(("tells who", "dates that", "an e-mail address that")))


def _waves(book: Book) -> list[str]:
    """Files of which something is not sure, those whose reason differs by figures only in a line."""
    found: dict = {}
    for row in book.files.itertuples():
        if row.sure == "no" and row.table:
            found.setdefault((row.file, re.sub(r"[0-9][0-9,.]*", "0", row.why)), []).append(row)
    return [f"{file}{f', wave {own[0].wave}' if own[0].wave and len(own) == 1 else f', {len(own)} waves, {own[0].wave} first' if own[0].wave else ''}: {own[0].why}" for (file, _), own in found.items()]


def _grouped(rows) -> list[str]:
    """Columns of a file that have one role for one reason, in a line."""
    found: dict = {}
    for row in rows:
        found.setdefault((row.file, row.role or "left out", re.sub(r"[0-9][0-9,.]*", "0", row.why)), []).append(row)
    return [f"{file}: {', '.join(repr(row.column[:40]) for row in own[:3])}{f' and {len(own) - 3} more' if len(own) > 3 else ''}: {role}, because: {own[0].why}" for (file, role, _), own in found.items()]


__all__ = ["books", "drafted", "make"]
