r"""What a parm's text may say about the work item it is evaluated for.

=====================  ==================================================================================
``@name`` ``@name.2``  the item's attribute; all components, or one of them (counted from 0)
``@pdg_index`` …       what the item itself knows: see ``BUILT_IN``
``padzero(4, @x)``     the number, zero padded; bare or inside backticks
``$F`` ``$F4``         the item's frame, zero padded to four digits; ``$FF`` with its fraction
``$HIP`` ``${NAME}``   the environment; a variable that is not defined stays as it stands, and so does ``\$NAME``
``@@``                 a literal ``@``
=====================  ==================================================================================

Backticks around ``@name`` or ``padzero(…)`` are allowed and vanish; they end a name where the text goes on with
letters or digits: ```` `@shot`_v2 ````. Any other text between backticks is left to the shell.

Every ``@`` before a letter is an attribute. An address such as ``me@example.org`` is therefore an error that says
to write ``me@@example.org``: guessing would send a mistyped attribute to the farm as plain text.
Values are never expanded again, and command tokens (``__PDG_DIR__``) pass through untouched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from topcook.errors import ExpressionError
from topcook.lean import dataclass, pattern
from topcook.model.attributes import AttribType
from topcook.model.files import File
from topcook.model.workitem import NO_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from topcook.contract.host import GraphServices
    from topcook.model.attributes import Attribute
    from topcook.model.workitem import WorkItem


def _unnamed(expression: str) -> str:
    """The same without names of groups: what is split at is one group."""
    for name in ("braced", "component", "name", "number", "plain", "width"):
        expression = expression.replace(f"?P<{name}>", "?:")
    return expression


_ATTRIBUTE = r"@(?P<name>[A-Za-z_]\w*)(?:\.(?P<component>\d+)(?!\w))?"
_VARIABLE = r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<plain>[A-Za-z_]\w*))"
_PADZERO = rf"padzero\(\s*(?P<width>\d{{1,3}})\s*,\s*(?:{_ATTRIBUTE}|{_VARIABLE}|(?P<number>-?\d+))\s*\)"
_SPLIT = pattern(rf"(`[^`]*`|@@|\\\$|{_unnamed(f'{_PADZERO}|{_ATTRIBUTE}|{_VARIABLE}')})", re.ASCII)
_REFERENCE = pattern(rf"{_ATTRIBUTE}|{_VARIABLE}", re.ASCII)
_PADDED = pattern(_PADZERO, re.ASCII)
_FRAME = pattern(r"F(F|\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing to look up: an attribute (``@``), a variable (``$``) or a literal number (``#``)."""

    source: str
    sigil: str
    name: str
    component: int | None = None
    width: int | None = None


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[str | Reference, ...]:
    """The literal pieces and references of ``text``, in order.

    Raises ``ExpressionError`` for backticks that begin like an attribute and go on as something else.
    """
    return tuple(piece for part in _SPLIT.split(text) if part for piece in _read(part))


def _read(part: str) -> Iterator[str | Reference]:
    if part == "@@":
        yield "@"
    elif part[0] == "`" and len(part) > 1:
        yield from _read_backticks(part)
    elif match := _PADDED.fullmatch(part):
        yield _reference(part, match.groupdict(), int(match["width"]))
    elif match := _REFERENCE.fullmatch(part):
        yield _reference(part, match.groupdict(), None)
    else:
        yield part


def _read_backticks(part: str) -> Iterator[str | Reference]:
    inner = part[1:-1].strip()
    match = _PADDED.fullmatch(inner) or _REFERENCE.fullmatch(inner)
    if match:
        groups = match.groupdict()
        yield _reference(inner, groups, int(groups["width"]) if groups.get("width") else None)
        return
    if re.match(r"@[A-Za-z_]", inner):
        raise ExpressionError(
            f"the expression {part} cannot be read\n    inside backticks stands one attribute, or padzero(4, @name)",
            part,
        )
    yield "`"
    yield from parse(part[1:-1])
    yield "`"


def _reference(source: str, groups: Mapping[str, str | None], width: int | None) -> Reference:
    if groups.get("number"):
        return Reference(source, "#", groups["number"] or "", None, width)
    if groups["name"]:
        component = groups["component"]
        return Reference(source, "@", groups["name"], None if component is None else int(component), width)
    return Reference(source, "$", groups["braced"] or groups["plain"] or "", None, width)


def needs_inputs(text: str) -> bool:
    """Whether ``text`` names the item's input files (``@pdg_input``), known only when its dependencies have cooked."""
    return "@pdg_input" in text and any(
        isinstance(piece, Reference) and piece.sigil == "@" and piece.name in {"pdg_input", "pdg_inputsize"}
        for piece in parse(text)
    )


def expand(text: str, item: WorkItem, graph: GraphServices) -> str:
    """``text`` with everything in it that this item and its environment answer.

    Raises ``ExpressionError`` that names every unknown attribute of the text at once, with those the item has.
    """
    if not ("@" in text or "$" in text or "`" in text or "padzero" in text):
        return text
    scope = _Scope(item, graph)
    problems: list[str] = []
    wrong = ""
    done = []
    for piece in parse(text):
        if isinstance(piece, str):
            done.append(piece)
            continue
        try:
            done.append(scope.value(piece))
        except _UnknownError as problem:
            problems.append(str(problem))
            wrong = wrong or piece.source
    if problems:
        around = next((line.strip() for line in text.splitlines() if wrong in line), text)
        lines = [*dict.fromkeys(problems), f"in: {around}", *scope.known_lines()]
        raise ExpressionError("\n    ".join(lines), wrong)
    return "".join(done)


def input_files(item: WorkItem) -> list[File]:
    """The files an item takes: its dependencies' outputs, or what they are expected to make, in order."""
    return [made for parent in item.needs for made in parent.outputs or parent.expected_outputs or ()]


def attribute_text(attribute: Attribute, component: int | None = None) -> str:
    """An attribute as text: one component, or all of them with spaces between.

    Raises ``IndexError`` when there is no such component.
    """
    if component is not None:
        return value_text(attribute.values[component], attribute.type)
    return " ".join(value_text(value, attribute.type) for value in attribute.values)


def value_text(value: object, kind: AttribType = AttribType.Undefined) -> str:
    """One value as text: a whole float without its ``.0``, a file as its path, a dict as JSON."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact
    if isinstance(value, File):
        return value.path
    if kind is AttribType.Dict:
        import json

        return json.dumps(value)
    return str(value)


class _UnknownError(Exception):
    """One reference that the item cannot answer."""


class _Scope:
    """Answers references for one item."""

    def __init__(self, item: WorkItem, graph: GraphServices) -> None:
        self._item = item
        self._attributes = item.attributes or {}
        self._graph = graph

    def value(self, reference: Reference) -> str:
        if reference.sigil == "#":
            text = reference.name
        elif reference.sigil == "$":
            text = self._variable(reference)
        else:
            text = self._attribute(reference)
        return text if reference.width is None else _padded(text, reference)

    def _variable(self, reference: Reference) -> str:
        frame = self._item.frame
        if frame is not None and (match := _FRAME.fullmatch(reference.name)):
            if match[1] == "F":
                return value_text(float(frame))
            return f"{round(frame):0{int(match[1] or 1)}d}"
        known = self._graph.environment().get(reference.name)
        return reference.source if known is None else str(known)

    def _attribute(self, reference: Reference) -> str:
        built_in = BUILT_IN.get(reference.name)
        if built_in is not None:
            return built_in(self._item, reference)
        attribute = self._attributes.get(reference.name)
        if attribute is None:
            raise _UnknownError(self._unknown(reference.name))
        try:
            return attribute_text(attribute, reference.component)
        except IndexError:
            raise _UnknownError(
                f'attribute "{reference.name}" of "{self._item.name}" has {len(attribute.values)} components, '
                f"no .{reference.component}; to end the name before a dot write `@{reference.name}`"
            ) from None

    def _unknown(self, name: str) -> str:
        text = f'work item "{self._item.name}" has no attribute "{name}"'
        names = [*self._attributes, *BUILT_IN]
        prefix = max((known for known in names if re.match(rf"{re.escape(known)}[_\d]", name)), key=len, default="")
        if prefix:
            return f"{text}; to end the name earlier write `@{prefix}`{name[len(prefix) :]}"
        import difflib

        # The built-in names share their beginning: by it alone many a name would look like one of them.
        near = [known for known in BUILT_IN if difflib.get_close_matches(name.removeprefix("pdg_"), [known[4:]])]
        close = [*difflib.get_close_matches(name, list(self._attributes), 2), *near][:2]
        hint = " or ".join(f'"@{known}"' for known in close)
        return f"{text}; did you mean {hint}?" if hint else text

    def known_lines(self) -> list[str]:
        has = ", ".join(sorted(self._attributes)) or "no attributes"
        return [f"it has: {has} (and {', '.join(BUILT_IN)})", 'a literal "@" is written "@@"']


def _padded(text: str, reference: Reference) -> str:
    try:
        return f"{int(float(text)):0{reference.width}d}"
    except (ValueError, OverflowError):
        raise _UnknownError(f'{reference.source}: "{text}" is no number') from None


def _plain(read: Callable[[WorkItem], Any]) -> Callable[[WorkItem, Reference], str]:
    def text(item: WorkItem, reference: Reference) -> str:
        tail = "" if reference.component is None else f".{reference.component}"
        return value_text(read(item)) + (tail if reference.width is None else "")

    return text


def _frame(item: WorkItem) -> float:
    if item.frame is None:
        raise _UnknownError(f'work item "{item.name}" has no frame; give its generator a "framerange"')
    return item.frame


def _batch(item: WorkItem) -> list[WorkItem]:
    """The sub-items of the batch that it is, or is part of; an item outside of any is a batch of one."""
    batch = (item.batch_parent or item).batch
    return [item] if batch is None else batch.items


def _batch_index(item: WorkItem) -> int:
    parent = item.batch_parent
    return NO_BATCH if parent is None or parent.batch is None else parent.batch.place(item)


def _ends(item: WorkItem) -> tuple[float, float]:
    """The first and the last frame of its batch, their indices where they have no frames."""
    items = _batch(item)
    first, last = items[0], items[-1]
    return (
        first.index if first.frame is None else first.frame,
        last.index if last.frame is None else last.frame,
    )


def _file(what: str, files: Callable[[WorkItem], list[File]]) -> Callable[[WorkItem, Reference], str]:
    def path(item: WorkItem, reference: Reference) -> str:
        found = files(item)
        number = reference.component or 0
        if number >= len(found):
            raise _UnknownError(f'work item "{item.name}" has {len(found)} {what} files, no {reference.source}')
        return found[number].path

    return path


#: What every item answers to, beside its attributes.
BUILT_IN: dict[str, Callable[[WorkItem, Reference], str]] = {
    "pdg_index": _plain(lambda item: item.index),
    "pdg_name": _plain(lambda item: item.name),
    "pdg_id": _plain(lambda item: item.id),
    "pdg_label": _plain(lambda item: item.label or item.name),
    "pdg_frame": _plain(_frame),
    "pdg_priority": _plain(lambda item: item.priority),
    "pdg_node": _plain(lambda item: item.node.name),
    "pdg_input": _file("input", input_files),
    "pdg_inputsize": _plain(lambda item: len(input_files(item))),
    "pdg_output": _file("output", lambda item: [*(item.outputs or item.expected_outputs or ())]),
    "pdg_framestep": _plain(lambda item: item.frame_step),
    "pdg_batchindex": _plain(_batch_index),
    "pdg_batchstart": _plain(lambda item: _ends(item)[0]),
    "pdg_batchend": _plain(lambda item: _ends(item)[1]),
    "pdg_batchsize": _plain(lambda item: len(_batch(item))),
    "pdg_outputsize": _plain(lambda item: len(item.outputs or item.expected_outputs or ())),
}
