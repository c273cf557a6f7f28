"""Read what a class says of itself: its type name and its parms.

``templateName`` and ``templateBody`` are both optional: files that Houdini's Save To Python writes have no
body, others have a body and no name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import CoroutineType
from typing import Any

from topcook.contract.source import Place, path_of, place_of
from topcook.contract.template_places import KeyPath, place_in_body
from topcook.errors import Problem
from topcook.lean import dataclass, field
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
    if getattr(cls, "templateBody", None) is not None:
        text, problem = _ask(cls, "templateBody")
        if problem is not None:
            template.problems.append(problem)
        elif text is not None and text != "":
            _Reader(cls, text, template).read()
    return template


def _problem(place: Place, code: str, message: str, hint: str | None, member: str = "templateBody") -> Problem:
    return Problem(code, f"{member}: {message}", place.path, place.line, place.column, hint)


def _member_place(cls: type, member: str) -> Place:
    return place_of(next((each for each in cls.__mro__ if member in vars(each)), cls), member)


def _ask(cls: type, member: str) -> tuple[Any, Problem | None]:
    try:
        answer = getattr(cls, member)()
    except Exception as error:  # noqa: BLE001 - author code may raise anything, and is told so
        text = f"raised {type(error).__name__}: {_text_of(error)}"
        place = _raised_in(cls, error) or _member_place(cls, member)
        return None, _problem(place, "template-raises", text, f"it is called on the class: {member}(cls)", member)
    if isinstance(answer, CoroutineType):
        # Validation says that it is async; nobody will await it.
        answer.close()
        return None, None
    return answer, None


def _raised_in(cls: type, error: Exception) -> Place | None:
    """The deepest line of the class's own file on the way to the error."""
    path, line, step = path_of(cls), None, error.__traceback__
    while step is not None:
        line = step.tb_lineno if step.tb_frame.f_code.co_filename == path else line
        step = step.tb_next
    return Place(path, line) if line is not None else None


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
        place = _member_place(cls, "templateName")
        return fallback, [_problem(place, "template-name", f"returned {name!r}, expected a word", hint, "templateName")]
    return name, []


#: What people write in JSON that is none, and what JSON has instead: looked for where its parser stopped.
_NO_JSON = (
    (("'",), "JSON has texts in double quotes"),
    (("True", "False"), "in JSON it is true and false, in small letters"),
    (("None",), "in JSON it is null"),
    (("#", "//", "/*"), "JSON has no comments: take it out"),
    (("}", "]"), "take out the comma before it"),
)


@dataclass(slots=True)
class _Reader:
    """Reads one template's body; ``text`` is what the class returned."""

    cls: type
    text: Any
    template: Template

    def problem(self, code: str, message: str, hint: str | None = None, path: KeyPath = ()) -> None:
        """Note a problem at the part of the body that ``path`` names, in the author's file."""
        place = place_in_body(self.cls, self.text, path) or _member_place(self.cls, "templateBody")
        self.template.problems.append(_problem(place, code, message, hint))

    def read(self) -> None:
        """Read the parms, and note what is wrong."""
        body = self._body()
        if body is None:
            return
        parameters = body.get("parameters", [])
        if isinstance(parameters, list):
            _read_parms(self, parameters)
        else:
            message = f'"parameters" is a {type(parameters).__name__}, expected a list'
            self.problem("template-body", message, 'write "parameters": [ … ]', ("parameters",))

    def _body(self) -> dict[str, Any] | None:
        text = self.text
        if isinstance(text, dict):
            return text
        if not isinstance(text, str | bytes):
            self.problem("template-body", f"returned {text!r:.40}, expected a text", "return json.dumps({...})")
            return None
        try:
            body = json.loads(text)
        except json.JSONDecodeError as error:
            self._no_json(error)
            return None
        except (ValueError, RecursionError) as error:
            self.problem("template-body", f"is not JSON: {error}", "return json.dumps({...})")
            return None
        if not isinstance(body, dict):
            message = f"is a JSON {type(body).__name__}, expected an object with parameters"
            self.problem("template-body", message, 'write {"name": …, "parameters": [ … ]}')
            return None
        return body

    def _no_json(self, error: json.JSONDecodeError) -> None:
        message = f"is not JSON: {error.msg.lower()} at line {error.lineno} column {error.colno} of the JSON"
        there = error.doc[error.pos :].lstrip()
        hint = next((said for starts, said in _NO_JSON if there.startswith(starts)), "let json.dumps write it")
        place = place_in_body(self.cls, error.doc, offset=error.pos)
        if place is None:
            place, hint = _member_place(self.cls, "templateBody"), f"{hint}\n{_excerpt(error)}"
        self.template.problems.append(_problem(place, "template-body", message, hint))


def _excerpt(error: json.JSONDecodeError) -> str:
    lines = error.doc.splitlines() or [""]
    line = lines[min(error.lineno, len(lines)) - 1]
    start = max(0, error.colno - 30)
    return f"there it says: {line[start : error.colno + 30].strip()}"


def _read_parms(reader: _Reader, parameters: list[Any]) -> None:
    seen: dict[str, int] = {}
    for index, entry in enumerate(parameters):
        where = f"parameters[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            hint = '{"name": …, "label": …, "type": "String", "size": 1, "value": …}'
            reader.problem("template-body", f"{where} has no name", f"write {hint}", ("parameters", index))
            continue
        name = entry["name"]
        if name in seen:
            message = f'{where} declares "{name}" again, first declared as parameters[{seen[name]}]'
            reader.problem("duplicate-parm", message, "give it a name of its own", ("parameters", index, "name"))
            continue
        seen[name] = index
        reader.template.parms.append(_parm(reader, entry, index))


def _parm(reader: _Reader, entry: dict[str, Any], index: int) -> ParmSpec:
    where = f'parameters[{index}] "{entry["name"]}"'
    written = str(entry.get("type", "String"))
    kind = PARM_TYPES.get(written.lower())
    if kind is None:
        from difflib import get_close_matches

        close = get_close_matches(written.lower(), PARM_TYPES, n=1)
        hint = f'did you mean "{PARM_TYPES[close[0]]}"? ' if close else ""
        hint += "It is taken for String"
        message = f'{where} has the unknown type "{written}"; expected String, Integer, Float or Toggle'
        reader.problem("unknown-parm-type", message, hint, ("parameters", index, "type"))
        kind = "String"
    size = _size(reader, entry, where, index)
    tags = frozenset(_tags(entry))
    default = []
    at_value = ("parameters", index, "value" if entry.get("value") is not None else "default")
    if SECRET_TAG in tags and any(value not in ("", None) for value in _values(entry)):
        message = f"{where} is secret and has a value"
        reader.problem("parm-value", message, "the value counts as missing: the network gives it", at_value)
        entry = {**entry, "value": None, "default": None}
    for value in _values(entry):
        good, plain = _plain(kind, value)
        if not good:
            message = f"{where} has the value {value!r}, expected {kind}"
            reader.problem("parm-value", message, "the value counts as missing", at_value)
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


def _size(reader: _Reader, entry: dict[str, Any], where: str, index: int) -> int:
    size = entry.get("size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _MOST_COMPONENTS:
        message = f"{where} has the size {size!r}, expected a whole number from 1"
        reader.problem("parm-value", message, "it counts as 1", ("parameters", index, "size"))
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
