"""Values as environment variables and the command line say them: in words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from topcook.config.keys import KEYS, Key, key_of
from topcook.config.values import Layer, Origin, Setting
from topcook.errors import Problem

__all__ = ["from_command_line", "from_environment", "port_range"]

_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_LAST_PORT = 65535
#: In ``scheduler_defaults.TYPE.PARM``.
_PARM_DOTS = 2


def port_range(text: str) -> tuple[int, int]:
    """The range that ``"40000-40100"`` or ``"40000"`` names, as (first, end); the end is not part of it.

    Raises ValueError that says what is wrong.
    """
    found = re.fullmatch(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?", text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no range of ports')
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= _LAST_PORT:
        raise ValueError(f'the range of ports "{text}" is empty or outside 1 to {_LAST_PORT}')
    return first, last + 1


def from_environment(environ: Mapping[str, str], problems: list[Problem]) -> Iterator[Setting]:
    """What the variables of the table say; an empty one says nothing."""
    for key in KEYS:
        text = environ.get(key.variable, "") if key.variable else ""
        if text.strip():
            yield from _settings(key, key.name, text, Origin(Layer.ENVIRONMENT, name=key.variable), problems)


def from_command_line(given: Iterable[str], problems: list[Problem]) -> Iterator[Setting]:
    """What ``-c KEY=VALUE`` says, the last one first, so that it wins."""
    for each in reversed(list(given)):
        name, equals, text = each.partition("=")
        name = name.strip()
        origin = Origin(Layer.COMMAND_LINE, name=f"-c {name}")
        key = key_of(name)
        if not equals:
            hint = "write KEY=VALUE, for example -c strict=true"
            problems.append(Problem("config-option", f'-c "{each}" has no value', hint=hint))
        elif key is None or (key.kind == "table" and name.count(".") < _PARM_DOTS):
            problems.append(_unknown(name))
        elif key.kind == "rows":
            hint = f"write [[{name}]] into a configuration file"
            problems.append(Problem("config-option", f"-c cannot say {name}: it is a table", hint=hint))
        else:
            yield from _settings(key, name, text, origin, problems)


def _unknown(name: str) -> Problem:
    from difflib import get_close_matches

    names = [key.name for key in KEYS if key.kind not in {"rows", "table"}]
    close = get_close_matches(name, names, 1, 0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(names)}, scheduler_defaults.TYPE.PARM"
    return Problem("unknown-key", f'-c: there is no key "{name}"', hint=hint)


def _settings(key: Key, name: str, text: str, origin: Origin, problems: list[Problem]) -> Iterator[Setting]:
    try:
        values = list(_values(key, text.strip()))
    except ValueError as error:
        problems.append(Problem("bad-value", f"{origin.name}: {error}", hint=f"{key.name}: {key.help}"))
        return
    for value in values:
        yield Setting(name, value, origin)


def _values(key: Key, text: str) -> Iterator[Any]:
    """The values that a text gives; raises ValueError."""
    if key.kind == "flag":
        if text.lower() not in _FLAGS:
            raise ValueError(f'"{text}" is neither true nor false')
        yield _FLAGS[text.lower()]
    elif key.kind == "count":
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(f'"{text}" is no number: 0 or more')
        yield int(text)
    elif key.kind == "word":
        if text.lower() not in key.choices:
            raise ValueError(f'"{text}" is none of {", ".join(key.choices)}')
        yield text.lower()
    elif key.kind == "ports":
        port_range(text)
        yield text
    elif key.kind == "paths":
        yield from (each.strip() for each in text.split(os.pathsep) if each.strip())
    elif key.kind == "rows":
        # Houdini's list of modules to leave out, whatever its names are separated by.
        for module in re.split(r"[;:,\s]+", text):
            if module:
                yield {"module": module, "reason": f"{key.variable} names it"}
    elif key.kind == "names":
        yield from (each for each in re.split(r"[:;,\s]+", text) if each)
    else:
        yield _parm_value(text)


def _parm_value(text: str) -> Any:
    """A parm's value: what TOML makes of it, else the text itself."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text
