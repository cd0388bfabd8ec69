"""What the TOML files of a programme have in common: read safely, refused with the key and the nearest valid one."""

import tomllib
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


def keys(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str, str, str]]:
    """Return (key, type, default, description) for every key of a contract, nested ones with their path."""
    rows = []
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner = _model_of(field.annotation)
        text = str(field.annotation).replace("typing.", "").replace("cxlib.programme.", "") if not isinstance(field.annotation, type) else field.annotation.__name__
        shown = "" if field.is_required() else repr(field.default) if not isinstance(field.default, BaseModel) else ""
        rows.append((f"{prefix}{name}", text, "required" if field.is_required() else shown, field.description or (inner.__doc__.strip().splitlines()[0] if inner and inner.__doc__ else "")))
        if inner:
            many = "tuple" in str(field.annotation)
            rows += keys(inner, f"{prefix}{name}{'[]' if many else '.NAME' if 'dict' in str(field.annotation) else ''}.")
    return rows


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
