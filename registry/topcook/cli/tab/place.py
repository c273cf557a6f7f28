"""Write a choice into the text of a network: pure, and nothing but the choice changes.

The text is edited where the key stands; every comment, blank and order of keys stays. Each edit is held against a
second reading of the whole text: it must say what it said before, and the choice.
"""

from __future__ import annotations

import copy
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from topcook.errors import CookRefusedError
from topcook.lean import dataclass
from topcook.model.graphfile import KeyPath, Locator, locate_toml
from topcook.model.tomltext import toml_key, toml_value

__all__ = ["Placed", "add_node", "place_scheduler"]

_Edit = tuple[int, str]
"""Where something is inserted, and what; the offsets are those of a text whose line ends are line feeds."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The new text, and what was done: the scheduler's name, the lines written, whether its block is new."""

    text: str
    name: str
    line: int
    block_line: int | None


def place_scheduler(text: str, type_name: str, short: str, node: str | None = None, name: str | None = None) -> Placed:
    """Make a scheduler of that type the network's default, or the one of ``node``, in the network's TOML text.

    The network's own scheduler of that type is taken if there is exactly one, else ``name`` says which; where there is
    none, one is added, called ``name`` or ``short``. Raises ``CookRefusedError`` where it is not clear which is meant.
    """
    document = tomllib.loads(_lines_fed(text))
    schedulers: dict[str, Any] = document.get("schedulers", {})
    chosen, is_there = _which(schedulers, type_name, short, name)
    block = ("schedulers", chosen)
    if not is_there:
        text = _with_block(text, block, type_name)
    table = ("network",) if node is None else ("nodes", node)
    text = _with_key(text, table, "scheduler", chosen)
    return Placed(text, chosen, _line(text, (*table, "scheduler")), None if is_there else _line(text, block))


def add_node(text: str, type_name: str, name: str) -> Placed:
    """Add a node of that type, called ``name`` or like it, at the end of the network's TOML text."""
    there = tomllib.loads(_lines_fed(text)).get("nodes", {})
    name = _free(name, there)
    text = _with_block(text, ("nodes", name), type_name)
    line = _line(text, ("nodes", name))
    return Placed(text, name, line, line)


def _line(text: str, path: KeyPath) -> int:
    return locate_toml(_lines_fed(text)).key(path).line


def _which(schedulers: dict[str, Any], type_name: str, short: str, name: str | None) -> tuple[str, bool]:
    """The name of the scheduler that is meant, and whether the network has it."""
    fitting = [each for each, table in schedulers.items() if str(table.get("type", "")).lower() == type_name.lower()]
    if name is not None:
        if name in schedulers and name not in fitting:
            raise CookRefusedError(
                f'scheduler "{name}" of the network is of type "{schedulers[name].get("type")}", not "{type_name}"\n'
                "    --as with another name adds one"
            )
        return name, name in fitting
    if len(fitting) > 1:
        raise CookRefusedError(
            f'the network has {len(fitting)} schedulers of type "{type_name}": {", ".join(fitting)}\n'
            f"    say which: --as {fitting[0]}"
        )
    return (fitting[0], True) if fitting else (_free(short, schedulers), False)


def _free(name: str, taken: dict[str, Any]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free


# Edits, each of them checked by a second reading


def _with_key(text: str, table: tuple[str, ...], key: str, value: str) -> str:
    """The text with a key of a table set."""

    def wanted(document: dict[str, Any]) -> None:
        for part in table:
            document = document.setdefault(part, {})
        document[key] = value

    locator = locate_toml(_lines_fed(text))
    spot = locator.spots.get((*table, key))
    if spot is not None:
        return _checked(text, wanted, [(spot.value, spot.value_end, toml_value(value))])
    edits = _key_edits(locator, table, f"{key} = {toml_value(value)}")
    return _checked(text, wanted, ((at, at, new) for at, new in edits))


def _key_edits(locator: Locator, table: tuple[str, ...], setting: str) -> Iterator[_Edit]:
    """Where ``key = value`` may go: behind the table's first keys, else below its header, else below one of its own."""
    text = locator.text
    for first in ("type", "name"):
        spot = locator.spots.get((*table, first))
        if spot is None:
            continue
        line = text.rfind("\n", 0, spot.key) + 1
        # What stands before the key is its indentation, or the table's name in a dotted key.
        yield from _on_next_line(text, spot.value_end, text[line : spot.key] + setting)
        yield spot.value_end, f", {setting}"
    spot = locator.spots.get(table)
    if spot is not None:
        yield from _on_next_line(text, spot.value_end, setting)
        empty = not any(path[:-1] == table for path in locator.spots if path)
        yield spot.value + 1, f" {setting} " if empty else f" {setting},"
    block = f"[{toml_key(*table)}]\n{setting}\n"
    headers = [each.key for path, each in locator.spots.items() if path and text[each.key - 1 : each.key] == "["]
    if headers:
        yield text.rfind("\n", 0, min(headers)) + 1, f"{block}\n"
    yield _at_end(text, block)


def _with_block(text: str, path: tuple[str, str], type_name: str) -> str:
    """The text with a table of that type added."""

    def wanted(document: dict[str, Any]) -> None:
        document.setdefault(path[0], {})[path[1]] = {"type": type_name}

    locator = locate_toml(_lines_fed(text))
    edits = ((at, at, new) for at, new in _block_edits(locator, path, f"type = {toml_value(type_name)}"))
    return _checked(text, wanted, edits)


def _block_edits(locator: Locator, path: tuple[str, str], setting: str) -> Iterator[_Edit]:
    """Where a table may go: behind those of its kind, before the first node, at the end; or into an inline table."""
    text = locator.text
    block = f"[{toml_key(*path)}]\n{setting}\n"
    kin = [spot for each, spot in locator.spots.items() if each[:1] == path[:1] and len(each) > 1]
    if kin:
        yield from _on_next_line(text, max(spot.value_end for spot in kin), f"\n{block}".rstrip("\n"))
    nodes = [spot.key for each, spot in locator.spots.items() if each[:1] == ("nodes",) and len(each) > 1]
    if nodes and path[0] != "nodes":
        yield _above_comments(text, text.rfind("\n", 0, min(nodes)) + 1), f"{block}\n"
    yield _at_end(text, block)
    around = locator.spots.get(path[:1])
    if around is not None:
        yield around.value + 1, f" {toml_key(path[1])} = {{ {setting} }}" + ("," if kin else " ")


def _on_next_line(text: str, after: int, line: str) -> Iterator[_Edit]:
    """Behind the end of the line of an offset, which may be the end of a text without a last line end."""
    end = text.find("\n", after)
    yield (len(text), f"\n{line}\n") if end < 0 else (end + 1, f"{line}\n")


def _at_end(text: str, block: str) -> _Edit:
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return len(text), gap + block


def _above_comments(text: str, line: int) -> int:
    """The start of the comments that stand right above a line; the line itself where they begin the file."""
    start = line
    while start and text[:start].rstrip(" \t").endswith("\n"):
        before = text.rfind("\n", 0, start - 1) + 1
        if not text[before:start].lstrip().startswith("#"):
            return start
        start = before
    return line if start == 0 else start


def _checked(
    text: str,
    wanted: Callable[[dict[str, Any]], None],
    edits: Iterator[tuple[int, int, str]] | list[tuple[int, int, str]],
) -> str:
    """The text after the first edit that makes it say what is wanted and nothing else."""
    target = copy.deepcopy(tomllib.loads(_lines_fed(text)))
    wanted(target)
    for start, end, new in edits:
        edited = _edited(text, start, end, new)
        try:
            # As texts: a value that is not a number is not even equal to itself.
            if _plain(tomllib.loads(_lines_fed(edited))) == _plain(target):
                return edited
        except tomllib.TOMLDecodeError:
            continue
    raise CookRefusedError(
        "the network is written in a way that cannot be edited here; write it into the file yourself"
    )


def _plain(value: Any) -> str:
    """A document as text, whatever the order of its keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{_plain(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(_plain, value)) + "]" if isinstance(value, list) else repr(value)


def _edited(text: str, start: int, end: int, new: str) -> str:
    """The text with a part replaced; offsets are those without carriage returns, new lines end as the others do."""
    if "\r\n" in text:
        fed = [at - number for number, at in enumerate(_returns(text))]
        start, end = start + bisect_left(fed, start), end + bisect_left(fed, end)
        if text.find("\r\n") == text.find("\n") - 1:
            new = new.replace("\n", "\r\n")
    return text[:start] + new + text[end:]


def _returns(text: str) -> Iterator[int]:
    """The offsets of carriage returns that belong to a line end."""
    at = text.find("\r\n")
    while at >= 0:
        yield at
        at = text.find("\r\n", at + 2)


def _lines_fed(text: str) -> str:
    return text.replace("\r\n", "\n")
