"""One configuration file as settings; its mistakes as problems, the rest of it still stands."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from topcook.config.files import ConfigFile
from topcook.config.keys import KEYS, LOCKED, Key
from topcook.config.shapes import DOCUMENT
from topcook.config.values import Layer, Origin, Setting
from topcook.errors import ConfigError, GraphFileError, Problem
from topcook.model.graphfile.locate import KeyPath, Locator, locate_toml
from topcook.model.graphfile.shapes import MAX_DEPTH

__all__ = ["Found", "read_config_file"]

#: A configuration is written by people.
MAX_BYTES = 1 << 20


class Found(NamedTuple):
    """What a file says: settings, the keys it locks with where it does, and its mistakes."""

    settings: list[Setting]
    locks: list[tuple[str, Origin]]
    problems: list[Problem]


def read_config_file(file: ConfigFile) -> Found:
    """Read one file. Never raises for what it holds."""
    text, document = _read_plainly(file.path)
    if document is not None and not any(DOCUMENT(document, ())):
        found = _found(file, document, locate_toml(text))
    else:
        found = _read_with_mistakes(file)
    if found.locks and file.layer is not Layer.SITE:
        place = found.locks[0][1]
        message = f"only a site's configuration can lock keys, and \"{file.path}\" is the {file.layer.word}'s"
        hint = "name the file in TOPCOOK_CONFIG, or take the line out"
        problem = Problem("config-locks", message, file.path, place.line, place.column, hint)
        return found._replace(locks=[], problems=[*found.problems, problem])
    return found


def _read_plainly(path: str) -> tuple[str, Any]:
    """Text and values of a file that can be read without any ado, which nearly all can: at every start."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "", None
        with open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        text = raw.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
        document = tomllib.loads(text) if len(raw) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return "", None
    return (text, document) if _is_flat(document) else ("", None)


def _is_flat(document: Any) -> bool:
    """Whether shapes, which walk values by recursion, may be asked about it."""
    pending, depth = [document], 0
    while pending and depth <= MAX_DEPTH:
        inside = [
            each.values() if isinstance(each, dict) else each for each in pending if isinstance(each, dict | list)
        ]
        pending, depth = [value for values in inside for value in values], depth + 1
    return not pending


def _read_with_mistakes(file: ConfigFile) -> Found:
    from topcook.model.graphfile.reader import problem_of, read_toml

    try:
        if os.path.isfile(file.path) and os.path.getsize(file.path) > MAX_BYTES:
            message = f"a configuration of more than {MAX_BYTES >> 20} MiB is not read"
            raise ConfigError([Problem("too-large", message, file.path)])
        source, document = read_toml(file.path, MAX_BYTES)
    except (GraphFileError, ConfigError) as error:
        return Found([], [], error.problems)
    except OSError as error:
        return Found([], [], [Problem("unreadable", f"the file cannot be read: {error}", file.path)])
    faults = list(DOCUMENT(document, ()))
    problems = [problem_of(fault, source) for fault in faults]
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    return _found(file, document, source.locator, [fault.path for fault in faults])._replace(problems=problems)


def _found(file: ConfigFile, document: Any, locator: Locator, wrong: Sequence[KeyPath] = ()) -> Found:
    """What a document says, save for what ``wrong`` touches."""
    found = Found([], [], [])
    for name, path, value in _rows(document):
        if any(_touches(each, path) for each in wrong):
            continue
        place = locator.key(path)
        origin = Origin(file.layer, file.path, place.line, place.column)
        if name == LOCKED:
            found.locks.append((value, origin))
        else:
            found.settings.append(Setting(name, value, origin))
    return found


def _touches(wrong: KeyPath, path: KeyPath) -> bool:
    """Whether a fault lies in a value, or around it."""
    shared = min(len(wrong), len(path))
    return wrong[:shared] == path[:shared]


def _rows(document: Any) -> Iterator[tuple[str, KeyPath, Any]]:
    """Name, place and value of each setting; what has another shape has its fault already."""
    for key in KEYS:
        path: KeyPath = tuple(key.name.split("."))
        value = document
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            yield from _settings(key, path, value)
    locked = document.get(LOCKED)
    if isinstance(locked, list):
        yield from ((LOCKED, (LOCKED, index), name) for index, name in enumerate(locked))


def _settings(key: Key, path: KeyPath, value: Any) -> Iterator[tuple[str, KeyPath, Any]]:
    if key.adds:
        rows = value if isinstance(value, list) else ()
        yield from ((key.name, (*path, index), element) for index, element in enumerate(rows))
    elif key.kind == "table":
        for type_name, parms in value.items() if isinstance(value, dict) else ():
            for parm, each in parms.items() if isinstance(parms, dict) else ():
                yield f"{key.name}.{type_name}.{parm}", (*path, type_name, parm), each
    else:
        yield key.name, path, value
