"""One configuration file as settings; its mistakes as problems, the rest of it still stands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from topcook.config.files import ConfigFile
from topcook.config.keys import KEYS, LOCKED, Key
from topcook.config.shapes import DOCUMENT
from topcook.config.values import Layer, Origin, Setting
from topcook.errors import ConfigError, GraphFileError, Problem
from topcook.model.graphfile import KeyPath, Source
from topcook.model.graphfile.reader import problem_of, read_toml

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
    problems = sorted(
        (problem_of(fault, source) for fault in faults), key=lambda each: (each.line or 0, each.column or 0)
    )
    wrong = [fault.path for fault in faults]
    rows = [row for row in _rows(document) if not any(_touches(path, row[1]) for path in wrong)]
    settings = [Setting(name, value, _origin(file.layer, source, path)) for name, path, value in rows if name != LOCKED]
    locks = [(value, _origin(file.layer, source, path)) for name, path, value in rows if name == LOCKED]
    if locks and file.layer is not Layer.SITE:
        place = locks[0][1]
        message = f"only a site's configuration can lock keys, and \"{file.path}\" is the {file.layer.word}'s"
        hint = "name the file in TOPCOOK_CONFIG, or take the line out"
        problems.append(Problem("config-locks", message, file.path, place.line, place.column, hint))
        locks = []
    return Found(settings, locks, problems)


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


def _origin(layer: Layer, source: Source, path: KeyPath) -> Origin:
    place = source.place(*path)
    return Origin(layer, source.path, place.line, place.column)
