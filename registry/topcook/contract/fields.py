"""The text fields of a Python Scheduler node: bodies of callbacks that stand in the network file.

Any scheduler type may have them: a parm that its template tags ``callback`` and that has the id of a row's field.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from topcook.contract.callbacks import CALLBACKS, Callback, Returns
from topcook.contract.returns import read_return
from topcook.contract.snippets import Snippet, filled_blocks, place_in
from topcook.contract.static_source import takes_static_snippet
from topcook.errors import CallbackError, Problem, ProblemsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.node import SchedulerNode

__all__ = ["FIELDS", "FIELD_TAG", "TextFields", "calls_itself", "field_problems", "field_text", "filled", "static_of"]

#: The tag of a parm that holds the body of a callback.
FIELD_TAG = "callback"
#: The rows that have a field, by the field's id.
FIELDS: dict[str, Callback] = {row.field: row for row in CALLBACKS if row.field}


def _statements(text: str) -> bool:
    """Whether a body does anything: comments and blank lines do not; what cannot be read counts."""
    if not text.strip():
        return False
    try:
        return bool(Snippet(filled_blocks(text), "", ("", 1)).syntax().body)
    except ProblemsError:
        return True


def filled(node: SchedulerNode) -> dict[str, Callback]:
    """The fields of a node that the network fills, by id."""
    return {name: row for name, row in FIELDS.items() if _is_field(node, name) and _own_text(node, name) is not None}


def _is_field(node: SchedulerNode, name: str) -> bool:
    spec = node.parms.spec_for(name)
    return spec is not None and FIELD_TAG in spec.tags


def _own_text(node: SchedulerNode, name: str) -> str | None:
    parm = node.parms.get(name)
    text = str(parm.at()) if parm is not None and parm.is_set else ""
    return text if _statements(text) else None


def field_text(node: SchedulerNode, name: str) -> str:
    """The body in a field: as the network fills it, else the type's default, else empty."""
    own = _own_text(node, name)
    if own is not None:
        return own
    spec = node.parms.spec_for(name)
    return str(spec.default_at(0)) if spec is not None else ""


def snippet(node: SchedulerNode, name: str) -> Snippet:
    """The snippet of a field; its errors point at the network file."""
    text = field_text(node, name)
    place = place_in(node.places, name, text) if _own_text(node, name) is not None else None
    return Snippet(filled_blocks(text), f'scheduler "{node.name}", parm "{name}"', place)


def field_problems(node: SchedulerNode) -> list[Problem]:
    """What is wrong with the text of each filled field, at its own line of the network file."""
    problems: list[Problem] = []
    for name, row in filled(node).items():
        try:
            snippet(node, name).function(row.name, ("self", *row.args))
        except ProblemsError as error:
            problems += error.problems
    return problems


def static_of(node: SchedulerNode, of_type: tuple[bool, str]) -> tuple[bool, str]:
    """Whether a scheduler takes static hand-over, and why: a node with the field decides, else its type."""
    if not _is_field(node, "onschedulestatic"):
        return of_type
    text = _own_text(node, "onschedulestatic")
    if text is None:
        return False, "its onScheduleStatic field is empty"
    return takes_static_snippet(filled_blocks(text))


def calls_itself(text: str, method: str) -> bool:
    """Whether a body says ``self.<method>``: in later Houdini versions a field may call what it stands in for."""
    try:
        tree = Snippet(filled_blocks(text), "", ("", 1)).syntax()
    except ProblemsError:
        return False
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == method
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        for node in ast.walk(tree)
    )


class TextFields:
    """Runs the fields of one scheduler; a text is compiled when it is first called, and again when it has changed.

    All fields share their global names, as the methods of one Python file do. ``cls`` is the class whose methods stand
    for the fields: an empty field answers as that method of its base class, and ``super()`` in a field means the same.
    """

    def __init__(self, scheduler: Any, cls: type, **names: Any) -> None:
        """Belong to a scheduler instance; ``names`` are in scope beside the arguments."""
        self._scheduler, self._cls = scheduler, cls
        self._scope: dict[str, Any] = {"__name__": "__fields__", **names}
        #: By field: the parm's text as it was written, and what became of it.
        self._made: dict[str, tuple[object, Snippet | None, Callable[..., Any] | None]] = {}

    def run(self, name: str, *args: Any) -> Any:
        """Call a field and read what it returns by its row.

        Text fields that return nothing take the default, as empty ones do. Raises ``CallbackError`` for a wrong
        return, with the field's place, ``ProblemsError`` for a text that is no Python, and what the body raises.
        """
        row = FIELDS[name]
        known, function = self._compiled(name)
        if function is not None and known is not None:
            value = function(self._scheduler, *args)
            if value is not None or row.returns is not Returns.TEXT:
                return self._read(row, value, known)
        inherited = getattr(super(self._cls, self._scheduler), row.name)
        return inherited(*args)

    def calls_itself(self, name: str) -> bool:
        """Whether the field's body calls the method that it stands for."""
        return calls_itself(field_text(self._node(), name), FIELDS[name].name)

    def _node(self) -> SchedulerNode:
        node: SchedulerNode = self._scheduler.cppObject().host.node
        return node

    def _read(self, row: Callback, value: Any, known: Snippet) -> Any:
        try:
            return read_return(row, value, place=f"{known.path}:{known.line}")
        except CallbackError as error:
            raise CallbackError(f"{known.what}: {error}") from None

    def _compiled(self, name: str) -> tuple[Snippet | None, Callable[..., Any] | None]:
        parm = self._node().parms.get(name)
        written = parm.at() if parm is not None else ""
        made = self._made.get(name)
        # Asked for each item: nothing is parsed while the text is the same.
        if made is None or made[0] != written:
            made = self._made[name] = (written, *self._compile(name))
        return made[1], made[2]

    def _compile(self, name: str) -> tuple[Snippet | None, Callable[..., Any] | None]:
        if not _statements(field_text(self._node(), name)):
            return None, None
        row, known = FIELDS[name], snippet(self._node(), name)
        return known, known.function(row.name, ("self", *row.args), self._scope, self._cls)
