"""What an item gave, as text and back: files and attributes.

A value that cannot come back as it was (an object, a text with a secret in it) is not written: its attribute is
``lost``, and who needs it has to cook the item again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from topcook.contract.secrets import redact
from topcook.model.attributes import AttribFlag, AttribType, Attribute
from topcook.model.files import File

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_PLAIN = frozenset({int, float, str, bool, type(None)})
_DEEPEST = 100


class LostError(ValueError):
    """A value that no text can carry."""


def files_to_rows(files: Iterable[File]) -> list[list[Any]]:
    """Files as ``encode`` takes them."""
    return [[file.path, file.tag, file.hash, file.own] for file in files]


def files_from_rows(rows: Iterable[list[Any]]) -> list[File]:
    """The files again."""
    return [File(path, tag, digest, own) for path, tag, digest, own in rows]


def attributes_to_text(attributes: Mapping[str, Attribute]) -> str:
    """Attributes as JSON, by name: type, flags, values; ``null`` for one that is lost."""
    rows = (f"{_encode_name(name)}:{_to_text(attribute)}" for name, attribute in attributes.items())
    return f"{{{','.join(rows)}}}"


def _encode_name(name: str) -> str:
    return encode(name.encode("utf-8", "backslashreplace").decode())


def _to_text(attribute: Attribute) -> str:
    row = _to_row(attribute)
    try:
        text = encode(row)
        # A lone surrogate is no text that could be written down.
        text.encode()
    except (UnicodeError, ValueError):
        return "null"
    return text if redact(text) == text else "null"


def attributes_to_rows(attributes: Mapping[str, Attribute]) -> dict[str, list[Any] | None]:
    """Attributes as ``encode`` takes them, by name; ``None`` for one with an object in it. Secrets stand in them."""
    return {name: _to_row(attribute) for name, attribute in attributes.items()}


def _to_row(attribute: Attribute) -> list[Any] | None:
    values = attribute.values
    try:
        rows = values if all(type(value) in _PLAIN for value in values) else [to_plain(value) for value in values]
    except LostError:
        return None
    return [int(attribute.type), int(attribute.flags), rows]


def to_plain(value: object, depth: int = 0) -> Any:
    """A value as ``encode`` takes it, so that it comes back as what it was; raises ``LostError``."""
    if type(value) in _PLAIN:
        return value
    if depth < _DEEPEST:
        if isinstance(value, File):
            return {"file": [value.path, value.tag, value.hash, value.own]}
        if type(value) is list:
            return [to_plain(each, depth + 1) for each in value]
        if type(value) is tuple:
            return {"tuple": [to_plain(each, depth + 1) for each in value]}
        if type(value) is dict and all(type(key) is str for key in value):
            return {"dict": {key: to_plain(each, depth + 1) for key, each in value.items()}}
    raise LostError


def attributes_from_rows(rows: Mapping[str, Any]) -> tuple[dict[str, Attribute], list[str]]:
    """The attributes again, and the names of those that are lost."""
    found = {
        name: Attribute(AttribType(row[0]), tuple(map(from_plain, row[2])), AttribFlag(row[1]))
        for name, row in rows.items()
        if row is not None
    }
    return found, [name for name, row in rows.items() if row is None]


def from_plain(value: Any) -> Any:
    """What ``to_plain`` was given."""
    if isinstance(value, list):
        return [from_plain(each) for each in value]
    if isinstance(value, dict):
        kind, body = next(iter(value.items()))
        if kind == "file":
            return File(*body)
        if kind == "tuple":
            return tuple(from_plain(each) for each in body)
        return {key: from_plain(each) for key, each in body.items()}
    return value
