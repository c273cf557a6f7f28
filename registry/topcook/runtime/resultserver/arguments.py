"""Read the arguments of a report: what came off the wire becomes a plain value, or is refused.

Jobs are strangers: nothing here trusts a type, evaluates a text or opens a path.
"""

from __future__ import annotations

import ast
import json
import math
from typing import TYPE_CHECKING, Any

from topcook.contract.parsing import parse
from topcook.model.attributes import AttribType
from topcook.model.files import File

if TYPE_CHECKING:
    from collections.abc import Callable

#: A Python object travels as the text of its ``repr``; a longer one is refused, because reading it takes time.
LONGEST_REPR = 1 << 20
_PERCENT_OF_ONE = 1.0
#: (path, tag, hash, owned): how a file attribute travels.
_FILE_PARTS = 4


class BadArgumentError(ValueError):
    """An argument has the wrong type or value; the text says which and what was expected."""


def _bad(what: str, value: object) -> BadArgumentError:
    shown = repr(value)
    return BadArgumentError(f"expected {what}, got {shown[:60] + '…' if len(shown) > 60 else shown}")  # noqa: PLR2004


def read_text(value: object) -> str:
    """A text; bytes are taken as UTF-8; what cannot be written as UTF-8 again is replaced."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    raise _bad("a text", value)


def read_name(value: object) -> str:
    """A name: a text that is not empty."""
    text = read_text(value)
    if not text:
        raise _bad("a name", value)
    return text


def read_path(value: object) -> str:
    """A path; bytes that are no UTF-8 are kept as the file system names them (``surrogateescape``)."""
    if isinstance(value, bytes):
        path = value.decode("utf-8", "surrogateescape")
    elif isinstance(value, str):
        path = value
    else:
        raise _bad("a path", value)
    if not path or "\0" in path:
        raise _bad("a path that is not empty and has no NUL", value)
    return path


def read_item(value: object) -> int | str:
    """A work item: its id (an int, or a text of digits), else its name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str | bytes):
        text = read_name(value)
        # Longer digits are no id of ours, and int() takes its time over them.
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text  # noqa: PLR2004
    raise _bad("a work item's id or name", value)


def read_int(value: object) -> int:
    """A whole number; a float without fraction and a text of digits count."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise _bad("a whole number", value)


def read_float(value: object) -> float:
    """A finite number."""
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise _bad("a finite number", value)


def read_percent(value: object) -> float:
    """A share of the work from 0 to 1; what lies outside is brought to the nearer end."""
    return min(max(read_float(value), 0.0), _PERCENT_OF_ONE)


def read_job_id(value: object) -> str:
    """The farm's job id, which some clients send as a number, and some as None."""
    return "" if value is None else str(value) if isinstance(value, int | float) else read_text(value)


def read_file(value: object) -> File:
    """A file attribute: ``(path, tag, hash, owned)``, shorter forms, or just a path."""
    if isinstance(value, str | bytes):
        return File(read_path(value))
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= _FILE_PARTS:
        raise _bad("a file (path, tag, hash, owned)", value)
    parts: list[Any] = [*value]
    path, tag, checksum, own = parts + ["", 0, True][len(parts) - 1 :]
    return File(read_path(path), read_text(tag), read_int(checksum), bool(own))


def read_dict(value: object) -> dict[str, Any]:
    """A dictionary, or its JSON text."""
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _bad("a dictionary or its JSON text", value) from None
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise _bad("a dictionary", value)


def read_object(value: object) -> Any:
    """A Python object from the text of its ``repr``: a literal is read, anything else stays the text it is."""
    text = read_text(value)
    if len(text) > LONGEST_REPR:
        raise BadArgumentError(f"a Python object's repr may have {LONGEST_REPR} characters, this one has {len(text)}")
    try:
        return ast.literal_eval(parse(text.lstrip(" \t"), mode="eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def read_list(value: object) -> list[Any]:
    """A list of anything."""
    if isinstance(value, list | tuple):
        return list(value)
    raise _bad("a list", value)


def read_log_type(value: object) -> int:
    """``pdg.workItemLogType``: 0 error, 1 warning, 2 message, 3 raw."""
    number = read_int(value)
    if number not in range(4):
        raise _bad("a log type from 0 to 3", value)
    return number


def list_of(read: Callable[[object], Any]) -> Callable[[object], list[Any]]:
    """A reader of a list whose every element is read by ``read``."""
    return lambda value: [read(element) for element in read_list(value)]


#: How the value of an attribute of each type is read.
ATTRIBUTE_READERS: dict[AttribType, Callable[[object], Any]] = {
    AttribType.String: read_text,
    AttribType.Int: read_int,
    AttribType.Float: read_float,
    AttribType.File: read_file,
    AttribType.Dict: read_dict,
    AttribType.PyObject: read_object,
}
