"""Identifiers of persons: one spelling for comparison, and a keyed hash for whatever must be kept.

Clear identifiers (e-mail, phone, name, birth date) live in memory while files are matched. What is written is a keyed hash of the
customer's key alone. That makes the store pseudonymous, not anonymous: whoever holds the secret can find a person in it.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.errors import DataError
from cxlib.load.readers import codes, raw

# How a column is compared, by its name; others are plain text.
KINDS = {
    "person_id": "number", "account_id": "number", "customer_number": "number", "loyalty_number": "number", "email": "email", "phone": "phone", "name": "name",
    "first_name": "name", "last_name": "name", "born": "date", "postcode": "code", "street": "text", "city": "text",
}  # fmt: skip
_NOBODY = re.compile(r"^(?:no-?reply|none|noemail|no-?mail|unknown|test|na|info|example)@|@(?:example|test|none)\.", re.IGNORECASE)
_TITLES = {"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "mme", "mlle", "sr", "sra"}
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_PSEUDONYM = re.compile(r"^h[0-9a-f]{16}$")
_ADDRESS = re.compile(r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$|^\s*(?:\+|00)[\d ()/.-]{8,20}\s*$")

_MAYBE = r"@|^[^0-9A-Za-z+]*(?:\+|00)"  # true of every address, and cheap to tell of a million keys


def _email(text: str) -> str:
    local, _, domain = text.removeprefix("mailto:").replace(" ", "").casefold().rpartition("@")
    whole = f"{local.partition('+')[0]}@{domain}"
    return whole if local and "." in domain and not _NOBODY.search(whole) else ""


def _phone(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return digits[-9:] if 7 <= len(digits) <= 15 and len(set(digits[-7:])) > 1 else ""


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return re.sub(r"[\W_]+", " ", "".join(sign for sign in text if not unicodedata.combining(sign))).strip()


def _name(text: str) -> str:
    return " ".join(sorted(word for word in _plain(text).split() if word not in _TITLES))


def _number(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).upper().lstrip("0")


def _date(text: str) -> str:
    found = re.match(r"^\s*(\d{4})-(\d{2})-(\d{2})", text)
    return "-".join(found.groups()) if found else re.sub(r"\D", "", text)


_RULES = {"email": _email, "phone": _phone, "number": _number, "name": _name, "date": _date, "code": lambda text: _plain(text).replace(" ", "").upper(), "text": _plain}


def normalise(values: pd.Series, *, kind: str) -> pd.Series:
    """Return identifiers in one spelling, empty where there is none: what two files are compared by.

    `kind` is email (no case, blanks or +tag; addresses such as noreply@ are nobody's), phone (last nine digits, so that +49 171 and 0171 are
    one), number (capitals and digits, no leading zeros), name (no case, accents, titles or order of words), date (ISO), code or text.
    Each distinct value is looked at once. Raises DataError for another kind.
    """
    if kind not in _RULES:
        raise DataError(f"'{kind}' is no kind of identifier; there are {', '.join(_RULES)}.")
    cells = values.astype("str")
    cells = cells.where(values.notna() & cells.str.strip().ne(""))
    codes, unique = pd.factorize(cells)
    spelt = pd.Series([_RULES[kind](unicodedata.normalize("NFKC", str(one)).strip()) or None for one in unique] + [None], dtype="str")
    return pd.Series(spelt.to_numpy()[codes], index=values.index, dtype="str")


def salt() -> bytes:
    """Return the secret of this workplace: the variable CX_SALT, the file CX_SALT_FILE names, or one made once under the user's settings.

    It lies outside the programme's folder, so that whoever is given the store cannot try addresses against it. Raises DataError where
    none can be had.
    """
    if found := os.environ.get("CX_SALT"):
        return found.encode()
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    path = Path(os.environ.get("CX_SALT_FILE") or Path(home) / "cxlib" / "salt")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            own = path.with_name(f".{path.name}-{os.getpid()}")
            with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_hex(32).encode())
            with contextlib.suppress(FileExistsError):  # another run was faster, and its secret holds
                os.link(own, path)
            own.unlink()
        return path.read_bytes().strip()
    except OSError as error:
        raise DataError(f"{path}: the secret by which addresses are hashed cannot be read or made ({error.strerror}); set CX_SALT or CX_SALT_FILE.") from None


def addresses(values: pd.Series) -> pd.Series:
    """Return which values are an e-mail address or an international phone number: identifiers that must not be kept in clear."""
    cells = values.astype("str")
    found = cells.str.contains(_MAYBE).fillna(False).astype(bool)
    if found.any():
        found[found] = cells[found].str.match(_ADDRESS).astype(bool)
    return values.notna() & found


def pseudonyms(values: pd.Series, *, secret: bytes) -> pd.Series:
    """Return identifiers as keyed hashes (SipHash-2-4 of 64 bits, 'h' before its hexadecimal digits); the same identifier has the same hash under one secret.

    Blanks around it do not count, nor does case in an address; a pseudonym is its own. Missing values stay missing.
    """
    cells = raw.arrow(values)
    if cells.null_count or codes.repeated(cells):  # each distinct one is hashed once
        coded = cells.dictionary_encode()
        made = _hashed(coded.dictionary, secret).take(coded.indices)
    else:
        made = _hashed(cells, secret)
    return pd.Series(pd.array(made, dtype="str"), index=values.index)


def known_as(key: str) -> str:
    """Return the pseudonym by which the store knows a key of the raw files, for those who hold the secret; a pseudonym is its own."""
    plain, own = _spelt(key)
    return plain.decode() if own else f"h{_digests([plain], salt()).hex()}"


def mark(secret: bytes) -> str:
    """Return what tells one secret, and the way people are hashed with it, from another without telling it: what was made under another one is not used."""
    return hmac.digest(secret, b"which secret" + _digests([b"which way"], secret), "sha256").hex()[:16]


def _hashed(keys, secret: bytes):
    """Return an Arrow array of keys without missing ones as pseudonyms."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = keys.cast(pa.large_binary()).to_pylist()
    own = np.zeros(len(plain), dtype=bool)  # what is written as it stands
    for place in np.flatnonzero(_odd(keys)):
        plain[place], own[place] = _spelt(plain[place].decode())
    hashed = np.full((len(plain), 17), ord("h"), dtype=np.uint8)
    hashed[:, 1:] = np.frombuffer(_digests(plain, secret).hex().encode(), np.uint8).reshape(len(plain), 16)
    made = pa.LargeStringArray.from_buffers(len(plain), pa.py_buffer(np.arange(len(plain) + 1) * 17), pa.py_buffer(hashed))
    return pc.replace_with_mask(made, pa.array(own), pa.array([plain[place].decode() for place in np.flatnonzero(own)], pa.large_string())) if own.any() else made


def _odd(keys) -> np.ndarray:
    """Return which of an Arrow array of keys may be more than a key: an address, a pseudonym, one with blanks around it, or none at all."""
    ends, signs = raw.signs(keys)
    odd = np.diff(ends) == 0
    filled = np.flatnonzero(~odd)
    first, last = signs[ends[filled]], signs[ends[filled + 1] - 1]
    odd[filled] = np.isin(first, np.frombuffer(b"+0h", np.uint8)) | (first <= 32) | (last <= 32) | (first == 127) | (last == 127)
    odd[np.searchsorted(ends, np.flatnonzero((signs >= 128) | (signs == ord("@"))), side="right") - 1] = True
    return odd


def _spelt(key: str) -> tuple[bytes, bool]:
    """Return a key as it is hashed, without blanks around it and, if it is an address, in small letters; and whether it is not hashed: an empty one, a pseudonym."""
    key = key.strip()
    plain = key.casefold() if ("@" in key or key[:1] in ("+", "0")) and _ADDRESS.match(key) else key
    return plain.encode("utf-8", "surrogatepass"), not key or bool(_PSEUDONYM.match(key))


def _digests(keys: list[bytes], secret: bytes) -> bytes:
    """The hashes of keys, eight bytes each: SipHash-2-4 (Aumasson and Bernstein 2012) under half of the SHA-256 of the secret, as pandas computes and then permutes it.

    It is a keyed function of short texts from which nobody without the key can tell one person from another, and pandas hashes a million of them in a twentieth of a second.
    """
    key = hashlib.sha256(secret).digest()[:16].decode("latin-1")  # pandas wants a text of sixteen bytes
    return pd.util.hash_array(np.array(keys, dtype=object), encoding="latin-1", hash_key=key, categorize=False).astype(">u8").tobytes()
