"""What a configuration file may hold, as shapes; ``model/schemas/config.schema.json`` says the same for editors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from topcook.config.keys import KEYS, LOCKED, TABLES, Key, key_of
from topcook.config.words import port_range
from topcook.model.graphfile.locate import KeyPath
from topcook.model.graphfile.shapes import (
    PATHMAP,
    TEXTS,
    Fault,
    Record,
    Shape,
    dotted,
    flag,
    integer,
    list_of,
    named,
    one_of,
    parm_value,
    table_of,
    text,
)

__all__ = ["DOCUMENT"]


def _one_at_least(record: Record, keys: tuple[str, ...]) -> Shape:
    """A table in which one of these keys stands."""

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        yield from record(value, path)
        if isinstance(value, dict) and not any(key in value for key in keys):
            message = f'"{dotted(path)}" does not say what it is about'
            yield Fault(path, "missing-key", message, f"add one of {', '.join(keys)}", at_key=True)

    return check


def _ports(value: Any, path: KeyPath) -> Iterator[Fault]:
    faults = list(text(value, path))
    yield from faults
    if not faults:
        try:
            port_range(value)
        except ValueError as error:
            yield Fault(path, "bad-value", f'"{dotted(path)}": {error}', 'such as "40000-40100"')


def _count(value: Any, path: KeyPath) -> Iterator[Fault]:
    faults = list(integer(value, path))
    yield from faults
    if not faults and value < 0:
        yield Fault(path, "bad-value", f'"{dotted(path)}" must be 0 or more, found {value}')


def _locked(value: Any, path: KeyPath) -> Iterator[Fault]:
    faults = list(TEXTS(value, path))
    yield from faults
    for index, name in enumerate(value if not faults else ()):
        if name not in TABLES and key_of(name) is None:
            from difflib import get_close_matches

            names = [key.name for key in KEYS]
            close = get_close_matches(name, names, 1)
            hint = f'did you mean "{close[0]}"?' if close else f"the keys are {', '.join(names)}"
            yield Fault((*path, index), "unknown-key", f'there is no key "{name}" to lock', hint)


_BLOCK = ("name", "file", "module", "distribution")
_EXEMPT = ("code", "file", "name")
_ROWS: dict[str, Shape] = {
    "block": _one_at_least(
        Record(
            dict.fromkeys((*_BLOCK, "reason"), text), {"reason": 'add reason = "…": whoever asks for it is told so'}
        ),
        _BLOCK,
    ),
    "exempt": _one_at_least(Record(dict.fromkeys((*_EXEMPT, "reason"), text), {}), _EXEMPT),
    "pathmap": PATHMAP,
}


def _shape(key: Key) -> Shape:
    if key.kind == "rows":
        return list_of(_ROWS[key.name], "tables")
    if key.kind == "table":
        return named(table_of(parm_value, "parm values"), "scheduler types")
    return {
        "flag": flag,
        "count": _count,
        "word": one_of(key.choices),
        "ports": _ports,
        "paths": TEXTS,
        "names": TEXTS,
    }[key.kind]


def _keys() -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for key in KEYS:
        table, dot, _ = key.name.partition(".")
        if dot:
            inside = {name.partition(".")[2]: _shape(known) for name in TABLES[table] if (known := key_of(name))}
            found[table] = Record(inside, {})
        else:
            found[key.name] = _shape(key)
    return {**found, LOCKED: _locked}


DOCUMENT = Record(_keys(), {})
