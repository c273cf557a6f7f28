"""The reader of item graph files: how a DAG of work items comes in from another tool.

JSON (a list of objects) or JSON Lines (an object to a line), one object per item. What the file starts with decides.
"""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

from topcook.errors import GraphFileError, Problem
from topcook.lean import dataclass, field
from topcook.model.attributes import Attribute
from topcook.model.collector import collector_at_rest
from topcook.model.files import File
from topcook.model.graphfile.cycles import chain, find_cycles
from topcook.model.graphfile.itemshapes import ITEM, is_plain_item, make_attribute, make_file
from topcook.model.graphfile.locate import KeyPath, Position, locate_json
from topcook.model.graphfile.shapes import Fault, describe, quoted
from topcook.model.graphfile.source import check_regular, decode, read_text, refuse

MAX_BYTES = 1 << 30  # of a JSON file, which is held as a whole; JSON Lines have no limit but memory
MAX_LINE = 64 << 20
MAX_PROBLEMS = 50
_CANDIDATES = 5_000


@dataclass(slots=True)
class ItemRecord:
    """One item: ``dependencies`` are positions in the list that the reader returns, each once, in the file's order.

    ``command`` is empty where the file gives none; ``frame`` and ``index`` are ``None`` then.
    ``line`` is where the object starts in the file.
    """

    name: str
    command: str = ""
    dependencies: tuple[int, ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    outputs: tuple[File, ...] = ()
    priority: int = 0
    slots: int = 1
    resources: tuple[str, ...] | list[str] = ()
    inprocess: bool = False
    frame: float | None = None
    index: int | None = None
    line: int = 0


def read_item_graph(path: str | Path) -> list[ItemRecord]:
    """Read and check an item graph file; the items in file order.

    Raises GraphFileError with all mistakes (the first fifty, and how many more there are).
    """
    with collector_at_rest():
        return _Reader(Path(path)).read()


class _RepeatedKeyError(ValueError):
    """An object gives a key twice."""


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        msg = f'the key "{twice}" is given twice'
        raise _RepeatedKeyError(msg)
    return table


_DECODER = json.JSONDecoder(object_pairs_hook=_table)


@dataclass(slots=True)
class _Raw:
    """The text of one object, and where it starts."""

    text: str
    line: int
    column: int = 1

    def place(self, path: KeyPath, *, at_key: bool) -> Position:
        """The place in the file of a key or value of the object."""
        locator = locate_json(self.text)
        inside = locator.key(path) if at_key else locator.value(path)
        column = inside.column + self.column - 1 if inside.line == 1 else inside.column
        return Position(self.line + inside.line - 1, column)


@dataclass(slots=True)
class _Reader:
    """One reading of one file."""

    path: Path
    records: list[ItemRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    more: int = 0  # problems beyond those kept
    _numbers: dict[str, int] = field(default_factory=dict)
    _forward: dict[int, list[str]] = field(default_factory=dict)  # who waits for names that were not read yet
    _starts: array[int] = field(default_factory=lambda: array("q"))  # where each record's text starts
    _text: str | None = None  # of a JSON file; JSON Lines are read again where a place is needed
    _complete: bool = True  # whether all names were read, so that a missing one is truly missing

    def read(self) -> list[ItemRecord]:
        check_regular(self.path)
        if self._first_character() == "[":
            self._text = read_text(self.path, MAX_BYTES)
            self._read_array(self._text)
        else:
            self._read_lines()
        self._resolve()
        if not self.problems:
            self._check_cycles()
        if self.problems:
            self._raise()
        return self.records

    def _first_character(self) -> str:
        try:
            with self.path.open("rb") as file:
                while piece := file.read(1 << 16):
                    piece = piece.removeprefix(b"\xef\xbb\xbf").lstrip()
                    if piece:
                        return chr(piece[0])
        except OSError as error:
            raise refuse(
                str(self.path),
                "unreadable",
                f"the file cannot be read: {error.strerror or error}",
                hint="check its permissions",
            ) from None
        raise refuse(str(self.path), "empty", "the file is empty", hint="write [] for a graph without items")

    def _read_array(self, text: str) -> None:
        """Object by object, so that each knows its line; a syntax error ends it and comes alone."""
        at = _past_blanks(text, text.index("[") + 1)
        line, counted = 1, 0
        while not text.startswith("]", at):
            line, counted = line + text.count("\n", counted, at), at
            try:
                value, end = _DECODER.raw_decode(text, at)
            except _RepeatedKeyError as error:
                raise self._alone("repeated-key", text, at, f"{error} in the object that starts here") from None
            except json.JSONDecodeError as error:
                raise self._alone("syntax", text, error.pos, f"this is not JSON: {error.msg.lower()}") from None
            except (RecursionError, ValueError) as error:
                raise self._alone("syntax", text, at, f"this object cannot be read: {error}") from None
            raw = _Raw(text[at:end], line, at - text.rfind("\n", 0, at))
            self._add(value, raw, at)
            at = _past_blanks(text, end)
            if text.startswith(",", at):
                at = _past_blanks(text, at + 1)
                if text.startswith("]", at):
                    raise self._alone("syntax", text, at, "this is not JSON: a comma before the end of the list")
            elif not text.startswith("]", at):
                raise self._alone("syntax", text, at, 'this is not JSON: expecting "," or "]" here')
        at = _past_blanks(text, at + 1)
        if at < len(text):
            raise self._alone("syntax", text, at, "this is not JSON: more text behind the list")

    def _alone(self, code: str, text: str, at: int, message: str) -> GraphFileError:
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        hint = "the file must be a JSON list of objects, or JSON Lines with an object to a line"
        return refuse(str(self.path), code, message, line=line, column=column, hint=hint)

    def _read_lines(self) -> None:
        """Line by line: a line that cannot be read is a problem of its own, and the next ones are still read."""
        start = 0
        with self.path.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                if len(raw) > MAX_LINE:
                    what = f"the line holds more than {MAX_LINE >> 20} MiB"
                    raise refuse(str(self.path), "too-large", what, line=number)
                self._read_line(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, number, start)
                start += len(raw)

    def _read_line(self, raw: bytes, number: int, start: int) -> None:
        try:
            text = decode(str(self.path), raw, number).rstrip(" \t\r\n")
            at = _past_blanks(text, 0)
            if at == len(text):
                return
            value, end = _DECODER.raw_decode(text, at)
            if _past_blanks(text, end) < len(text):
                self._unreadable("syntax", "this is not JSON: more text behind the object", number, end + 1)
                return
        except GraphFileError as error:
            self._complete = False
            self._problem(error.problems[0])
        except _RepeatedKeyError as error:
            self._unreadable("repeated-key", f"{error} in this line", number, 1)
        except json.JSONDecodeError as error:
            self._unreadable("syntax", f"this is not JSON: {error.msg.lower()}", number, error.pos + 1)
        except (RecursionError, ValueError) as error:
            self._unreadable("syntax", f"this object cannot be read: {error}", number, 1)
        else:
            self._add(value, _Raw(text, number), start)

    def _unreadable(self, code: str, message: str, line: int, column: int) -> None:
        self._complete = False
        hint = "in JSON Lines each line is one whole object" if code == "syntax" else "keep one of the two"
        self._problem(Problem(code, message, str(self.path), line, column, hint))

    def _add(self, value: Any, raw: _Raw, start: int) -> None:
        """Check one object and keep it as a record."""
        if not isinstance(value, dict):
            self._complete = False
            self._fault(Fault((), "wrong-type", f"an item must be an object, found {describe(value)}"), raw)
            return
        faults = [] if is_plain_item(value) else list(ITEM(value, ()))
        for fault in faults:
            self._fault(fault, raw)
        name = value.get("name")
        if not isinstance(name, str):
            self._complete = False
            return
        first = self._numbers.setdefault(name, len(self.records))
        if first < len(self.records):
            line = self.records[first].line
            self._fault(
                Fault(
                    ("name",),
                    "duplicate-name",
                    f'the name "{name}" was given in line {line} already',
                    "each item needs a name of its own",
                ),
                raw,
            )
        elif not faults:
            self._keep(value, raw.line, start)
        else:
            self.records.append(ItemRecord(name, line=raw.line))
            self._starts.append(start)

    def _keep(self, value: dict[str, Any], line: int, start: int) -> None:
        record = ItemRecord(line=line, **value)
        if record.attributes:
            record.attributes = {key: make_attribute(one) for key, one in record.attributes.items()}
        if record.outputs:
            record.outputs = tuple([make_file(one) for one in record.outputs])
        if record.dependencies:
            record.dependencies = self._known(value["dependencies"], len(self.records))
        else:
            record.dependencies = ()
        self.records.append(record)
        self._starts.append(start)

    def _known(self, names: list[str], own: int) -> tuple[int, ...]:
        """Names as positions; those of an item that waits for later ones, or for itself, are left to _resolve."""
        known = self._numbers
        try:
            numbers = [known[name] for name in names]
        except KeyError:
            self._forward[own] = names
            return ()
        if own in numbers:
            self._forward[own] = names
        return tuple(numbers if len(set(numbers)) == len(numbers) else dict.fromkeys(numbers))

    def _resolve(self) -> None:
        """Forward references to positions; what nobody is called is a problem, unless its line was not readable."""
        for number, names in self._forward.items():
            unknown = [name for name in dict.fromkeys(names) if name not in self._numbers] if self._complete else []
            self._late(number, unknown + [name for name in names if name == self.records[number].name][:1])
            known = dict.fromkeys(self._numbers[name] for name in names if name in self._numbers)
            self.records[number].dependencies = tuple(known)

    def _late(self, number: int, names: list[str]) -> None:
        """Problems of dependencies, found when all items are read."""
        record = self.records[number]
        for name in names:
            if not self._has_room:
                self.more += 1
                continue
            raw = self._raw(number)
            wanted: list[str] = _DECODER.raw_decode(raw.text, _past_blanks(raw.text, 0))[0]["dependencies"]
            path = ("dependencies", wanted.index(name))
            if name == record.name:
                what, hint = f'item "{name}" waits for itself', "remove it from dependencies"
                self._fault(Fault(path, "self-dependency", what, hint), raw)
            else:
                what = f'item "{record.name}" waits for "{name}", which is no item'
                self._fault(Fault(path, "unknown-dependency", what, self._suggest(name)), raw)

    def _check_cycles(self) -> None:
        for cycle in find_cycles([record.dependencies for record in self.records], MAX_PROBLEMS):
            names = [self.records[number].name for number in cycle]
            message = f"items wait for each other in a circle: {chain(names)}"
            self._fault(Fault((), "cycle", message, "remove one of these dependencies"), self._raw(cycle[0]))

    def _raw(self, number: int) -> _Raw:
        """The text of a record once more."""
        start, line = self._starts[number], self.records[number].line
        if self._text is not None:
            end = _DECODER.raw_decode(self._text, start)[1]
            return _Raw(self._text[start:end], line, start - self._text.rfind("\n", 0, start))
        with self.path.open("rb") as file:
            file.seek(start)
            return _Raw(file.readline(MAX_LINE).removeprefix(b"\xef\xbb\xbf").decode(), line)

    def _suggest(self, name: str) -> str:
        from difflib import get_close_matches

        near = (other for other in self._numbers if abs(len(other) - len(name)) <= 2 and other[:1] == name[:1])  # noqa: PLR2004
        candidates = [other for other, _ in zip(near, range(_CANDIDATES), strict=False)]
        close = get_close_matches(name, candidates, n=3)
        return f"did you mean {quoted(close, ' or ')}?" if close else "no item has a similar name"

    @property
    def _has_room(self) -> bool:
        return len(self.problems) < MAX_PROBLEMS

    def _fault(self, fault: Fault, raw: _Raw) -> None:
        if not self._has_room:
            self.more += 1
            return
        place = raw.place(fault.path, at_key=fault.at_key)
        self._problem(Problem(fault.code, fault.message, str(self.path), place.line, place.column, fault.hint))

    def _problem(self, problem: Problem) -> None:
        if self._has_room:
            self.problems.append(problem)
        else:
            self.more += 1

    def _raise(self) -> None:
        problems = sorted(self.problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        count = len(problems) + self.more
        if self.more:
            problems.append(Problem("more", f"and {self.more} more", str(self.path)))
        mistakes = "a mistake" if count == 1 else f"{count} mistakes"
        raise GraphFileError(problems, f'the item graph file "{self.path}" has {mistakes}')


def _past_blanks(text: str, at: int) -> int:
    """The offset of the next character that is not JSON's white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
