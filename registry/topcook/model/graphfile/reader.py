"""The reader of network files: TOML, or JSON of the same shape."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topcook.errors import GraphFileError, Problem
from topcook.lean import pattern
from topcook.model.graphfile.cycles import chain, find_cycles
from topcook.model.graphfile.locate import KeyPath
from topcook.model.graphfile.shapes import DOCUMENT, MAX_DEPTH, Fault, dotted, quoted
from topcook.model.graphfile.source import Source, read_text, refuse
from topcook.model.graphfile.specs import (
    GraphFile,
    NetworkSpec,
    NodeSpec,
    PathMapSpec,
    ProfileSpec,
    SchedulerSpec,
    SpareSpec,
)

MAX_BYTES = 64 << 20

_PLACE_IN_MESSAGE = pattern(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# What people mean when tomllib says this.
_SYNTAX_HINTS = {
    "invalid value": "texts need quotes; true and false are written in lower case",
    "cannot overwrite a value": "each key may be given once in its table",
    "cannot declare": "each [table] may be opened once; put its keys together",
    "unclosed array": 'close the list with "]"',
    "unterminated string": "close the text with the quotes it was opened with",
    "illegal character '\\n'": 'texts of several lines stand between """ and """',
    "unescaped '\\' in a string": r"write \\ for a backslash, or put the text between single quotes",
    "expected newline or end of document": "one key = value to a line",
    "expected '=' after a key": "write key = value",
    "duplicate inline table key": "each key may be given once in its table",
}


def read_network_file(path: str | Path, *, in_part: bool = False) -> GraphFile:
    """Read and check a network file.

    Types and schedulers are not looked up, parms not compared with templates: that is the factory's knowledge.
    Raises GraphFileError with all mistakes of the file; a file that cannot be read or parsed has that one alone.
    With ``in_part``, what is right of a file with mistakes is given where anything is left of it, so that other checks
    can go on; ``problems`` holds the mistakes then, and ``hurt`` the names of nodes and schedulers that have some.
    """
    path = Path(path)
    source = Source(str(path), read_text(path, MAX_BYTES))
    source.is_json = path.suffix.lower() == ".json" or (
        path.suffix.lower() != ".toml" and source.text.lstrip().startswith("{")
    )
    document = _parse(source)
    _check_depth(document, source)
    faults = _faults(document)
    if not faults:
        return _graph_file(path, source, document)
    problems = [problem_of(fault, source) for fault in faults]
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    rest = None
    if in_part:
        from topcook.model.graphfile.healthy import healthy_part

        rest = healthy_part(document, faults, _faults)
    if rest is None:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise GraphFileError(problems, f'the network file "{path}" has {count}')
    file = _graph_file(path, source, rest)
    file.problems = problems
    file.hurt = frozenset(str(fault.path[1]) for fault in faults if len(fault.path) > 1)
    return file


def read_toml(path: str | Path, limit: int) -> tuple[Source, Any]:
    """A TOML file of at most ``limit`` bytes as source and plain values, which no shape has seen yet.

    Raises GraphFileError where it cannot be read or parsed.
    """
    source = Source(str(path), read_text(Path(path), limit))
    document = _parse(source)
    _check_depth(document, source)
    return source, document


def _faults(document: Any) -> list[Fault]:
    return [*DOCUMENT(document, ()), *(_graph_faults(document) if isinstance(document, dict) else ())]


def _parse(source: Source) -> Any:
    """The text as plain values. Raises GraphFileError with the syntax error."""
    try:
        return _parse_json(source) if source.is_json else tomllib.loads(source.text)
    except json.JSONDecodeError as error:
        raise refuse(
            source.path,
            "syntax",
            f"this is not JSON: {error.msg.lower()}",
            line=error.lineno,
            column=error.colno,
            hint=_json_hint(error.msg),
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(source, str(error)) from None
    except RecursionError:
        raise refuse(source.path, "too-deep", f"lists and tables are nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        # A number that the format allows and Python does not: thousands of digits.
        raise refuse(source.path, "syntax", f"a value cannot be read: {error}") from None


def _parse_json(source: Source) -> Any:
    repeated: list[str] = []

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeated.append(pairs[0][0])
        return found

    document = json.loads(source.text, object_pairs_hook=table)
    if repeated:
        places = sorted(source.locator.repeated, key=lambda place: place[1])
        problems = []
        for path, offset in places:
            where = source.locator.position(offset)
            problems.append(
                Problem(
                    "repeated-key",
                    f'the key "{dotted(path)}" is given twice',
                    source.path,
                    where.line,
                    where.column,
                    "keep one of the two",
                )
            )
        raise GraphFileError(problems, f'the network file "{source.path}" says things twice')
    return document


def _json_hint(message: str) -> str | None:
    if message.startswith(("Expecting property name", "Illegal trailing comma")):
        return "keys need double quotes, and no comma may follow the last element"
    return "texts need double quotes; true, false in lower case" if message == "Expecting value" else None


def _toml_error(source: Source, said: str) -> GraphFileError:
    match = _PLACE_IN_MESSAGE.search(said)
    message = said[: match.start()] if match else said
    message = message[:1].lower() + message[1:]
    line = column = None
    if match and match.group(1):
        line, column = int(match.group(1)), int(match.group(2))
    elif match:
        line, column = source.text.count("\n") + 1, len(source.text) - source.text.rfind("\n")
        message += " at the end of the file"
    hint = next((hint for start, hint in _SYNTAX_HINTS.items() if message.lower().startswith(start)), None)
    return refuse(source.path, "syntax", f"this is not TOML: {message}", line=line, column=column, hint=hint)


def _check_depth(document: Any, source: Source) -> None:
    """Refuse nesting beyond ``MAX_DEPTH``, so that whatever walks the values later may do so by recursion."""
    pending: list[tuple[Any, KeyPath]] = [(document, ())]
    while pending:
        value, path = pending.pop()
        if len(path) > MAX_DEPTH:
            place = source.place(*path)
            raise refuse(
                source.path,
                "too-deep",
                f'"{dotted(path[:3])}" nests deeper than {MAX_DEPTH} levels',
                line=place.line,
                column=place.column,
            )
        if isinstance(value, dict):
            pending += [(element, (*path, key)) for key, element in value.items()]
        elif isinstance(value, list):
            pending += [(element, (*path, index)) for index, element in enumerate(value)]


def problem_of(fault: Fault, source: Source) -> Problem:
    """What a shape found, at its place in the file."""
    place = source.place(*fault.path) if fault.at_key else source.value_place(*fault.path)
    return Problem(fault.code, fault.message, source.path, place.line, place.column, fault.hint)


def _graph_faults(document: dict[str, Any]) -> Iterator[Fault]:
    """What is wrong between the nodes, as far as they can be read."""
    nodes = document.get("nodes")
    if not isinstance(nodes, dict):
        return
    if not nodes:
        yield Fault(
            ("nodes",),
            "no-nodes",
            "the network has no nodes",
            'add one: [nodes.NAME] with type = "genericgenerator" below it',
        )
    inputs = {name: _names(node.get("inputs")) if isinstance(node, dict) else [] for name, node in nodes.items()}
    for name, names in inputs.items():
        for index, upstream in enumerate(names):
            path = ("nodes", name, "inputs", index)
            if upstream == name:
                yield Fault(path, "self-input", f'node "{name}" has itself for an input', "remove it from inputs")
            elif upstream and upstream not in nodes:
                yield Fault(
                    path,
                    "unknown-input",
                    f'node "{name}" has the input "{upstream}", which is no node',
                    _suggest(upstream, nodes),
                )
    yield from _cycle_faults(inputs)
    network = document.get("network")
    display = network.get("display") if isinstance(network, dict) else None
    if isinstance(display, str) and display and display not in nodes:
        yield Fault(
            ("network", "display"),
            "unknown-display",
            f'display names "{display}", which is no node',
            _suggest(display, nodes),
        )


def _names(value: Any) -> list[str]:
    """The inputs as far as they are names, at their indices."""
    return [name if isinstance(name, str) else "" for name in value] if isinstance(value, list) else []


def _cycle_faults(inputs: dict[str, list[str]]) -> Iterator[Fault]:
    order = list(inputs)
    numbers = {name: number for number, name in enumerate(order)}
    waits_for = [[numbers[up] for up in inputs[name] if up in numbers and up != name] for name in order]
    for cycle in find_cycles(waits_for):
        # Shown in the direction of the data, as the network is drawn: from input to node.
        names = [order[number] for number in (cycle[0], *reversed(cycle[1:]))]
        index = inputs[names[0]].index(names[-1])
        yield Fault(
            ("nodes", names[0], "inputs", index),
            "cycle",
            f"nodes feed each other in a circle: {chain(names)}",
            "remove one of these inputs",
        )


def _suggest(name: str, nodes: dict[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, nodes, n=3)
    if close:
        return f"did you mean {quoted(close, ' or ')}?"
    shown = list(nodes)[:20]
    return f"the nodes are {quoted(shown)}" + (f" and {len(nodes) - 20} more" if len(nodes) > len(shown) else "")


def _graph_file(path: Path, source: Source, document: dict[str, Any]) -> GraphFile:
    """The records of a document that has no faults."""
    network = {"name": path.stem, **document.get("network", {})}
    return GraphFile(
        path=path,
        hip=path.absolute().parent,
        source=source,
        network=NetworkSpec(**network),
        schedulers={
            name: SchedulerSpec(name, **_with_spare(table, ("schedulers", name), source), source=source)
            for name, table in document.get("schedulers", {}).items()
        },
        nodes={
            name: NodeSpec(name, **_with_spare(table, ("nodes", name), source), source=source)
            for name, table in document["nodes"].items()
        },
        pathmaps=[_pathmap(table) for table in document.get("pathmap", [])],
        profiles={name: ProfileSpec(name, **table) for name, table in document.get("profiles", {}).items()},
        resources=dict(document.get("resources", {})),
    )


def _with_spare(table: dict[str, Any], path: KeyPath, source: Source) -> dict[str, Any]:
    rows = enumerate(table.get("spare", []))
    return {**table, "spare": [_spare(row, (*path, "spare", index), source) for index, row in rows]}


def _spare(row: dict[str, Any], path: KeyPath, source: Source) -> SpareSpec:
    tags = row.get("tags", [])
    return SpareSpec(**{**row, "tags": (tags,) if isinstance(tags, str) else tuple(tags)}, path=path, source=source)


def _pathmap(table: dict[str, Any]) -> PathMapSpec:
    rest = {key: value for key, value in table.items() if key not in {"from", "to"}}
    return PathMapSpec(table["from"], table["to"], **rest)
