"""Read what a class says of itself: its type name and its parms.

``templateName`` and ``templateBody`` are both optional: files that Houdini's Save To Python writes have no
body, others have a body and no name.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from topcook.contract.source import place_of
from topcook.errors import Problem
from topcook.model.parms import PARM_TYPES, ParmSpec

__all__ = ["Template", "read_template"]

SECRET_TAG = "secret"  # noqa: S105 - the tag's name, no password

#: Most components a parm may have; a template with more is a slip of the keyboard.
_MOST_COMPONENTS = 1024


@dataclass(slots=True)
class Template:
    """The type name, the declared parms in order, and what is wrong with the template."""

    name: str
    parms: list[ParmSpec] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_template(cls: type) -> Template:
    """Ask a class for its template. Never raises: what its author's code raises becomes a problem."""
    name, problems = _name(cls)
    template = Template(name, problems=problems)
    body = _body(cls, template)
    if body is not None:
        parameters = body.get("parameters", [])
        if isinstance(parameters, list):
            _read_parms(cls, parameters, template)
        else:
            found = type(parameters).__name__
            template.problems.append(_problem(cls, "template-body", f'"parameters" is a {found}, expected a list'))
    return template


def _problem(cls: type, code: str, message: str, hint: str | None = None, member: str = "templateBody") -> Problem:
    place = place_of(next((each for each in cls.__mro__ if member in vars(each)), cls), member)
    return Problem(code, f"{member}: {message}", place.path, place.line, place.column, hint)


def _ask(cls: type, member: str) -> tuple[Any, Problem | None]:
    try:
        return getattr(cls, member)(), None
    except Exception as error:  # noqa: BLE001 - author code may raise anything, and is told so
        text = f"raised {type(error).__name__}: {_text_of(error)}"
        return None, _problem(cls, "template-raises", text, f"it is called on the class: {member}(cls)", member)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an author's __str__ may raise too
        return "(its text cannot be had)"


def _name(cls: type) -> tuple[str, list[Problem]]:
    fallback = cls.__name__.lower()
    # A node's base class has a property of that name.
    if not callable(getattr(cls, "templateName", None)):
        return fallback, []
    name, problem = _ask(cls, "templateName")
    if problem is not None:
        return fallback, [problem]
    if name is None or name == "":
        return fallback, []
    if not isinstance(name, str) or name != name.strip() or any(letter.isspace() for letter in name):
        hint = "return the type's name, a word without blanks"
        return fallback, [_problem(cls, "template-name", f"returned {name!r}", hint, "templateName")]
    return name, []


def _body(cls: type, template: Template) -> dict[str, Any] | None:
    if getattr(cls, "templateBody", None) is None:
        return None
    text, problem = _ask(cls, "templateBody")
    if problem is not None:
        template.problems.append(problem)
    if text is None or text == "" or problem is not None:
        return None
    if isinstance(text, dict):
        return text
    if not isinstance(text, str | bytes):
        template.problems.append(
            _problem(cls, "template-body", f"returned a {type(text).__name__}", "return json.dumps({...})")
        )
        return None
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno} of the JSON"
        message = f"is not JSON: {error.msg.lower()} at {where}"
        template.problems.append(_problem(cls, "template-body", message, _excerpt(error)))
        return None
    except (ValueError, RecursionError) as error:
        template.problems.append(_problem(cls, "template-body", f"is not JSON: {error}"))
        return None
    if not isinstance(body, dict):
        template.problems.append(
            _problem(cls, "template-body", f"is a JSON {type(body).__name__}, expected an object with parameters")
        )
        return None
    return body


def _excerpt(error: json.JSONDecodeError) -> str:
    lines = error.doc.splitlines() or [""]
    line = lines[min(error.lineno, len(lines)) - 1]
    start = max(0, error.colno - 30)
    return f"there it says: {line[start : error.colno + 30].strip()}"


def _read_parms(cls: type, parameters: list[Any], template: Template) -> None:
    seen: dict[str, int] = {}
    for index, entry in enumerate(parameters):
        where = f"parameters[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            hint = '{"name": …, "label": …, "type": "String", "size": 1, "value": …}'
            template.problems.append(_problem(cls, "template-body", f"{where} has no name", f"write {hint}"))
            continue
        name = entry["name"]
        if name in seen:
            message = f'{where} declares "{name}" again, first declared as parameters[{seen[name]}]'
            template.problems.append(_problem(cls, "duplicate-parm", message, "give it a name of its own"))
            continue
        seen[name] = index
        template.parms.append(_parm(cls, entry, f'{where} "{name}"', template))


def _parm(cls: type, entry: dict[str, Any], where: str, template: Template) -> ParmSpec:
    written = str(entry.get("type", "String"))
    kind = PARM_TYPES.get(written.lower())
    if kind is None:
        close = difflib.get_close_matches(written.lower(), PARM_TYPES, n=1)
        hint = f'did you mean "{PARM_TYPES[close[0]]}"? ' if close else ""
        hint += "types are String, Integer, Float, Toggle; it is taken for String"
        template.problems.append(_problem(cls, "unknown-parm-type", f'{where} has the unknown type "{written}"', hint))
        kind = "String"
    size = _size(cls, entry, where, template)
    tags = frozenset(_tags(entry))
    default = []
    if SECRET_TAG in tags and any(value not in ("", None) for value in _values(entry)):
        message = f"{where} is secret and has a value"
        template.problems.append(
            _problem(cls, "parm-value", message, "the value counts as missing: the network gives it")
        )
        entry = {**entry, "value": None, "default": None}
    for value in _values(entry):
        good, plain = _plain(kind, value)
        if not good:
            message = f"{where} has the value {value!r}, expected {kind}"
            template.problems.append(_problem(cls, "parm-value", message, "the value counts as missing"))
            break
        default.append(plain)
    return ParmSpec(
        entry["name"],
        kind,
        str(entry.get("label") or entry["name"]),
        max(size, len(default)),
        tuple(default),
        tags,
        str(entry.get("help") or ""),
        SECRET_TAG in tags,
    )


def _size(cls: type, entry: dict[str, Any], where: str, template: Template) -> int:
    size = entry.get("size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _MOST_COMPONENTS:
        message = f"{where} has the size {size!r}, expected a whole number from 1"
        template.problems.append(_problem(cls, "parm-value", message, "it counts as 1"))
        return 1
    return size


def _tags(entry: dict[str, Any]) -> Iterator[str]:
    for key in ("tag", "tags"):
        tags = entry.get(key)
        if isinstance(tags, str):
            yield tags
        elif isinstance(tags, dict | list):
            # A dict is Houdini's form for spare parms; only the names count.
            yield from (str(tag) for tag in tags)


def _values(entry: dict[str, Any]) -> list[Any]:
    value = entry.get("value", entry.get("default"))
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _plain(kind: str, value: object) -> tuple[bool, Any]:
    """Whether a template's value suits the kind, and the value as one of that kind."""
    if kind == "String":
        return isinstance(value, str | int | float), value if isinstance(value, str) else str(value)
    if not isinstance(value, str | int | float):
        return False, None
    try:
        number = float(value)
        if kind == "Toggle":
            return True, bool(number)
        if kind == "Integer":
            return True, int(value) if isinstance(value, int) else int(number)
    except (ValueError, OverflowError):
        words = {"on": True, "true": True, "off": False, "false": False, "": False}
        word = value.strip().lower() if isinstance(value, str) else None
        return (True, words[word]) if kind == "Toggle" and word in words else (False, None)
    return True, number
