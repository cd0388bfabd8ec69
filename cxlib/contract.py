"""What the TOML files of a programme have in common: read safely, refused with the key and the nearest valid one."""

import re
import tomllib
import typing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cxlib.errors import DataError, nearest

FROZEN = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
LIMIT = 4 * 2**20  # a contract is written by hand; four megabytes are not


def read(path: Path) -> dict:
    """Return a TOML file as a dictionary, or raise DataError naming the file and what is wrong with it."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    if path.stat().st_size > LIMIT:
        raise DataError(f"{path}: {path.stat().st_size:,} bytes are too many for a contract (at most {LIMIT:,}); data belong under raw/.")
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not valid TOML: {error}.") from None


def validate(model: type[BaseModel], content: dict, path: Path):
    """Return the content as the model, or raise DataError naming the file, the key and the nearest valid key."""
    try:
        hidden = next((name for name, field in model.model_fields.items() if field.exclude and name in content), None)
        if hidden:
            raise DataError(f"{path}: '{hidden}' is not a key.")
        return model.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        # A list whose entries are wrong is also reported as too short; the first sentence is the useful one.
        found = [one for one in found if one["type"] != "too_short" or not any(len(other["loc"]) > 1 and other["loc"][0] == one["loc"][0] for other in found)]
        raise DataError("\n".join(f"{path}: {_sentence(one, model)}" for one in found[:8])) from None


def keys(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str, str, str, str]]:
    """Return (key, type, default, example, description) for every key of a contract, nested ones with their path."""
    rows = []
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner, kind = _model_of(field.annotation), _words(field.annotation)
        default = "required" if field.is_required() else "" if isinstance(field.default, BaseModel) or field.default in ((), {}, "", None) else str(field.default)
        rows.append((f"{prefix}{name}", kind, default, _example(field, kind), field.description or (inner.__doc__ or "").split("\n")[0] if inner else field.description or ""))
        if inner:
            rows += keys(inner, f"{prefix}{name}{'[]' if kind.startswith('list') else '.NAME' if kind.startswith('table') else ''}.")
    return rows


def _words(annotation) -> str:
    """Return a type as words: text, whole number, one of a, b, list of text, table of text."""
    origin, parts = typing.get_origin(annotation), [part for part in typing.get_args(annotation) if part not in (Ellipsis, type(None))]
    if origin is typing.Annotated:
        return _words(parts[0])
    if origin is typing.Literal:
        return f"one of {', '.join(str(part) or 'empty' for part in parts)}"
    if origin in (tuple, list):
        return f"list of {_words(parts[0])}"
    if origin is dict:
        return f"table of {_words(parts[1])}"
    if parts:
        return " or ".join(_words(part) for part in parts)
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "date": "day"}
    return names.get(annotation.__name__, "block") if isinstance(annotation, type) else str(annotation)


def _example(field, kind: str) -> str:
    """Return an example of a key: its own, the one in its description, its default, or a value of its type."""
    if field.examples:
        return str(field.examples[0])
    if found := re.search(r"e\.g\. (.+?)\.?$", field.description or ""):
        return found.group(1)
    if kind.startswith("one of "):
        return kind[7:].split(", ")[0]
    if not field.is_required() and isinstance(field.default, int | float) and not isinstance(field.default, bool):
        return str(field.default)
    return {"day": "2026-09-30", "true or false": "true", "number": "20", "whole number": "5"}.get(kind.split(" or ")[0] if kind != "true or false" else kind, "")


def _model_of(annotation) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_of(part))), None)


def _sentence(error: dict, model: type[BaseModel]) -> str:
    where, known = model, list(model.model_fields)
    for part in error["loc"][:-1]:
        if isinstance(part, str) and where and part in where.model_fields:
            where = _model_of(where.model_fields[part].annotation)
            known = list(where.model_fields) if where else []
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"'{key}' is not a key{nearest(error['loc'][-1], known)} (known: {', '.join(k for k in known if not where or not where.model_fields[k].exclude)})."
    if error["type"] == "missing":
        return f"'{key}' is missing."
    given = error.get("input")
    return f"'{key}' = {given!r}: {error['msg']}." if not isinstance(given, dict | list | BaseModel) else f"'{key}': {error['msg']}."
