"""What may stand under each key of a network file: the tables, and the checks they are made of.

``schemas/network.schema.json`` says the same for editors and other programs; a property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias

from topcook.lean import NamedTuple, dataclass, pattern
from topcook.model.graphfile.locate import KeyPath


class Fault(NamedTuple):
    """One thing that is not as its shape asks; the place is the key's when ``at_key``, else the value's."""

    path: KeyPath
    code: str
    message: str
    hint: str | None = None
    at_key: bool = False


Shape: TypeAlias = Callable[[Any, KeyPath], Iterator[Fault]]

MAX_DEPTH = 32
INTEGERS = 1 << 63
NAME = pattern(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
NAME_RULE = "a name starts with a letter or _, goes on with letters, digits, _ . -, and has at most 100 characters"
SPARE_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_.:#-]{0,99}")
NETWORK_NAME = pattern(r"[^/\\\x00-\x1f]{1,100}")
RESOURCE = pattern(r"[A-Za-z_][A-Za-z0-9_.:-]{0,99}")
RESOURCE_RULE = "a resource's name starts with a letter or _ and goes on with letters, digits, _ . : -"
NEED = pattern(r"[A-Za-z_][A-Za-z0-9_.:-]{0,99}( *= *[1-9][0-9]{0,8})?")
NEED_RULE = "write the name of a resource, or name=amount: licence:nuke=2"
SPARE_TYPES = ("string", "file", "integer", "int", "float", "toggle", "boolean", "bool")
PATHMAP_MATCHES = ("prefix", "contains", "suffix")


def describe(value: object) -> str:
    """A value as an error names it: its kind, and itself where it is short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 40 and value.isprintable() else "a text"  # noqa: PLR2004 - a line
    if isinstance(value, int):
        return f"the integer {value}" if abs(value) < 10**12 else "an integer"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else "a date or time"


def dotted(path: KeyPath) -> str:
    """A path as errors name it: ``nodes.render.parms.outputs[0]``."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def _wrong(value: object, path: KeyPath, expected: str, hint: str | None = None) -> Fault:
    what = f'"{dotted(path)}"' if path else "the file"
    return Fault(path, "wrong-type", f"{what} must be {expected}, found {describe(value)}", hint)


def text_or_empty(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A string that can become a file name or a command: no NUL, nothing that UTF-8 cannot say."""
    if not isinstance(value, str):
        yield _wrong(value, path, "a text", "put it in quotes" if isinstance(value, int | float) else None)
    elif "\0" in value:
        yield Fault(path, "bad-text", f'"{dotted(path)}" contains a NUL character, which no command or path can hold')
    elif not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        yield Fault(path, "bad-text", f'"{dotted(path)}" contains half of a character (a lone surrogate)')


def text(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A string that says something."""
    if value == "":
        yield Fault(path, "bad-value", f'"{dotted(path)}" is empty', "give it a value, or leave the key out")
    yield from text_or_empty(value, path)


def flag(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A bool."""
    if not isinstance(value, bool):
        yield _wrong(value, path, "true or false")


def number(value: Any, path: KeyPath) -> Iterator[Fault]:
    """An int of at most 64 bits, as TOML and PDG have them, or a finite float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield _wrong(value, path, "a number")
    elif isinstance(value, int) and not -INTEGERS <= value < INTEGERS:
        yield Fault(path, "bad-value", f'"{dotted(path)}" does not fit into 64 bits', "write it as a text, in quotes")
    elif not isfinite(value):
        yield Fault(path, "bad-value", f'"{dotted(path)}" must be a finite number, found {value}')


def integer(value: Any, path: KeyPath) -> Iterator[Fault]:
    """An int of at most 64 bits; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        yield _wrong(value, path, "an integer")
    else:
        yield from number(value, path)


def size(value: Any, path: KeyPath) -> Iterator[Fault]:
    """How many there are: an int from 1 on."""
    faults = list(integer(value, path))
    yield from faults
    if not faults and value < 1:
        yield Fault(path, "bad-value", f'"{dotted(path)}" must be 1 or more, found {value}')


def matching(pattern: re.Pattern[str], rule: str) -> Shape:
    """A string of one form."""

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        faults = list(text(value, path))
        yield from faults
        if not faults and not pattern.fullmatch(value):
            yield Fault(path, "bad-name", f'"{value}" is not usable for "{dotted(path)}"', rule)

    return check


def one_of(choices: tuple[str, ...], *, capitals: bool = False) -> Shape:
    """One of a few words, with ``capitals`` also as ``Word``."""
    allowed = {*choices, *(word.capitalize() for word in choices if capitals)}

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield _wrong(value, path, "a text")
        elif value not in allowed:
            yield Fault(
                path, "bad-value", f'"{value}" is not known for "{dotted(path)}"', "one of: " + ", ".join(choices)
            )

    return check


def list_of(item: Shape, what: str) -> Shape:
    """A list of one shape."""

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        if not isinstance(value, list):
            single = isinstance(value, str) and value.isprintable()
            yield _wrong(value, path, f"a list of {what}", f'{path[-1]} = ["{value}"]' if single else None)
            return
        for index, element in enumerate(value):
            yield from item(element, (*path, index))

    return check


def text_or_texts(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A string, or a list of them."""
    shape = list_of(text, "texts") if isinstance(value, list) else text
    yield from shape(value, path)


def parm_value(value: Any, path: KeyPath) -> Iterator[Fault]:
    """What a parm can hold: bool, number, text, and lists and tables of these."""
    if isinstance(value, dict):
        yield from table_of(parm_value, "values")(value, path)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from parm_value(element, (*path, index))
    elif isinstance(value, str):
        yield from text_or_empty(value, path)
    elif not isinstance(value, bool | int | float):
        hint = "leave the key out" if value is None else "write dates as texts, in quotes"
        yield _wrong(value, path, "a bool, a number, a text, a list or a table", hint)
    elif not isinstance(value, bool):
        yield from number(value, path)


def table_of(item: Shape, what: str) -> Shape:
    """A table whose keys are the author's."""

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield _wrong(value, path, f"a table of {what}")
            return
        for key, element in value.items():
            if not key:
                yield Fault((*path, key), "bad-name", f'"{dotted(path)}" has a key without a name', at_key=True)
            yield from item(element, (*path, key))

    return check


@dataclass(frozen=True, slots=True)
class Record:
    """A table whose keys are ours. ``elsewhere`` says where unknown keys may have been meant to stand.

    ``whole`` is what a record without a path is called. ``below`` is one of its keys whose own are often written here.
    """

    keys: Mapping[str, Shape]
    required: Mapping[str, str]
    elsewhere: str = ""
    whole: str = "the file"
    below: str = ""

    def __call__(self, value: Any, path: KeyPath) -> Iterator[Fault]:
        """All faults of the table: unknown keys, missing ones, then those of the values."""
        if not isinstance(value, dict):
            yield _wrong(value, path, "a table")
            return
        for key, element in value.items():
            if key in self.keys:
                yield from self.keys[key](element, (*path, key))
            else:
                yield self._unknown(key, path)
        for key, hint in self.required.items():
            if key not in value:
                yield Fault(
                    path,
                    "missing-key",
                    f"{self._called(path)} has no {key}",
                    hint.replace("{path}", dotted(path)),
                    at_key=True,
                )

    def _called(self, path: KeyPath) -> str:
        return f'"{dotted(path)}"' if path else self.whole

    def _unknown(self, key: str, path: KeyPath) -> Fault:
        from difflib import get_close_matches

        inner = self.keys.get(self.below)
        lower = dict.fromkeys(inner.keys, f"[{dotted((*path, self.below))}]") if isinstance(inner, Record) else {}
        close = get_close_matches(key.lower(), {**lower, **dict.fromkeys(self.keys, "")}, n=2)
        if close and close[0] not in self.keys:
            hint = f'did you mean "{close[0]}" in {lower[close[0]]}? '
        elif close:
            hint = f"did you mean {quoted([each for each in close if each in self.keys], ' or ')}? "
        else:
            hint = self.elsewhere.replace("{path}", dotted(path))
        return Fault(
            (*path, key),
            "unknown-key",
            f'unknown key "{key}" in {self._called(path)}',
            f"{hint}allowed are {', '.join(self.keys)}",
            at_key=True,
        )


def quoted(names: list[str], joint: str = ", ") -> str:
    """Names in quotes."""
    return joint.join(f'"{name}"' for name in names)


def named(item: Shape, what: str) -> Shape:
    """A table of things by name, the names being usable in file names."""

    def check(value: Any, path: KeyPath) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield _wrong(value, path, f"a table of {what}")
            return
        for key, element in value.items():
            if not NAME.fullmatch(key):
                yield Fault(
                    (*path, key),
                    "bad-name",
                    f'"{key}" is not usable as a name in "{dotted(path)}"',
                    NAME_RULE,
                    at_key=True,
                )
            yield from item(element, (*path, key))

    return check


def counts(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A table of how many there are of each named resource; 0 is allowed."""
    if not isinstance(value, dict):
        yield _wrong(value, path, "a table of whole numbers", '"licence:nuke" = 5')
        return
    for key, element in value.items():
        if not RESOURCE.fullmatch(key):
            yield Fault(
                (*path, key),
                "bad-name",
                f'"{key}" is not usable as the name of a resource',
                RESOURCE_RULE,
                at_key=True,
            )
        faults = list(integer(element, (*path, key)))
        yield from faults
        if not faults and element < 0:
            yield Fault((*path, key), "bad-value", f'"{dotted((*path, key))}" must be 0 or more, found {element}')


PARMS = table_of(parm_value, "parm values")
TEXTS = list_of(text, "texts")

SPARE = Record(
    {
        "name": matching(SPARE_NAME, "a parm name starts with a letter or _, goes on with letters, digits, _ . : # -"),
        "label": text_or_empty,
        "type": one_of(SPARE_TYPES, capitals=True),
        "size": size,
        "value": parm_value,
        "tags": text_or_texts,
        "help": text_or_empty,
        "secret": flag,
    },
    {"name": 'add name = "…"'},
)


def spares(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A list of spare parms, each with a name of its own."""
    yield from list_of(SPARE, "tables")(value, path)
    names = [row.get("name") if isinstance(row, dict) else None for row in value] if isinstance(value, list) else []
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            message = f'"{dotted(path)}" declares the parm "{name}" twice'
            yield Fault((*path, index, "name"), "duplicate-name", message, "keep one of the two")


NETWORK = Record(
    {
        "name": matching(NETWORK_NAME, "at most 100 characters, none of them / or \\ or a control character"),
        "scheduler": text,
        "inprocess_scheduler": text,
        "display": text,
        "slots": size,
        "max_failures": size,
        "parms": PARMS,
        "files": TEXTS,
    },
    {},
    "if this is a parm, it goes into [{path}.parms]; ",
)
SCHEDULER = Record(
    {"type": text, "parms": PARMS, "spare": spares},
    {"type": 'add type = "localscheduler" to [{path}]; "topcook list" shows the scheduler types'},
    "if this is a parm, it goes into [{path}.parms]; ",
)
NODE = Record(
    {
        "type": text,
        "inputs": list_of(text, "node names"),
        "scheduler": text,
        "parms": PARMS,
        "job_parms": PARMS,
        "spare": spares,
        "files": TEXTS,
    },
    {"type": 'add type = "genericgenerator" to [{path}]; "topcook list --types nodes" shows the node types'},
    "if this is a parm, it goes into [{path}.parms]; ",
)
PATHMAP = Record(
    {"from": text, "to": text_or_empty, "zone": text, "match": one_of(PATHMAP_MATCHES), "scheduler": text},
    {"from": 'add from = "/the/path/here"', "to": 'add to = "/the/path/there"'},
)
PROFILE = Record(
    {"scheduler": text, "parms": PARMS, "job_parms": PARMS, "overrides": table_of(text, "scheduler names")}, {}
)
DOCUMENT = Record(
    {
        "network": NETWORK,
        "schedulers": named(SCHEDULER, "schedulers"),
        "nodes": named(NODE, "nodes"),
        "resources": counts,
        "pathmap": list_of(PATHMAP, "tables"),
        "profiles": named(PROFILE, "profiles"),
    },
    {"nodes": 'add one: [nodes.NAME] with type = "genericgenerator" below it'},
    below="network",
)
