"""Save To Python: a scheduler file made of a Python Scheduler node."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from topcook.contract.callbacks import CALLBACKS, Callback, Returns
from topcook.contract.fields import FIELD_TAG, calls_itself, snippet
from topcook.contract.layout import docstring, indented, literal
from topcook.contract.template import SECRET_TAG
from topcook.lean import dataclass
from topcook.model.builtinparms import SCHEDULER_PARMS

if TYPE_CHECKING:
    from topcook.model.node import SchedulerNode
    from topcook.model.parms import Parm, ParmSpec

__all__ = ["SavedType", "save_to_python"]

_BUILTIN = frozenset(spec.name for spec in SCHEDULER_PARMS)
_WORDS = re.compile(r"[^A-Za-z0-9]+")
#: Names that the file has besides the class.
_TAKEN = frozenset({"PyScheduler", "CallbackServerMixin", "Scheduler"})


@dataclass(frozen=True, slots=True)
class SavedType:
    """A scheduler file: the type's name, the name a file of it should have, and the text."""

    name: str
    file_name: str
    text: str


def save_to_python(node: SchedulerNode, network: str, name: str = "", *, static: bool | None = None) -> SavedType:
    """The scheduler file of a node with text fields, as type ``name`` (default: the node's own name).

    ``static`` writes down whether it takes static hand-over, where its onScheduleStatic alone would not say it.
    """
    name = name or node.name
    words = [word for word in _WORDS.split(name) if word]
    label = " ".join(word[:1].upper() + word[1:] for word in words)
    bodies = list(_bodies(node))
    lines = [
        docstring(f"{label}: saved from the Python Scheduler node {node.name} of the network {network}.", 0),
        "",
        "import json",
        "",
        *(["import pdg"] if any(re.search(r"\bpdg\b", body) for _, body in bodies) else []),
        "from pdg.job.callbackserver import CallbackServerMixin",
        "from pdg.scheduler import PyScheduler",
        "",
        "",
        *_class(node, name, label, static=static),
    ]
    for row, body in bodies:
        lines += ["", *_method(row, body)]
    lines += [
        "",
        "",
        "def registerTypes(type_registry):",
        docstring("Called when the file is found on the types path.", 4),
        f"    type_registry.registerScheduler({_class_name(words)}, label={literal(label)})",
        "",
    ]
    return SavedType(name, "_".join(words).lower() + ".py", "\n".join(lines))


def _class_name(words: list[str]) -> str:
    made = "".join(word[:1].upper() + word[1:] for word in words)
    if not made.lower().endswith("scheduler"):
        made += "Scheduler"
    return f"Saved{made}" if made in _TAKEN or made[:1].isdigit() else made


def _class(node: SchedulerNode, name: str, label: str, *, static: bool | None) -> Iterator[str]:
    yield f"class {_class_name(_WORDS.split(name))}(CallbackServerMixin, PyScheduler):"
    yield docstring(f"The {label} scheduler.", 4)
    yield ""
    if static is not None:
        yield "    # Whether items known before the cook are handed over by onScheduleStatic."
        yield f"    staticCook = {static}"
        yield ""
    yield "    def __init__(self, scheduler, name):"
    yield docstring("Parms are readable from onStart on.", 8)
    yield "        PyScheduler.__init__(self, scheduler, name)"
    yield "        CallbackServerMixin.__init__(self, True)"
    yield ""
    yield "    @classmethod"
    yield "    def templateName(cls):"
    yield docstring("The type's name in networks.", 8)
    yield f"        return {literal(name)}"
    yield ""
    yield "    @classmethod"
    yield "    def templateBody(cls):"
    yield docstring("The parms.", 8)
    body = {"name": name, "parameters": list(_parameters(node))}
    flat = f"        return json.dumps({literal(body, 0, -10000)})"
    if len(flat) <= 88:  # noqa: PLR2004 - layout.WIDTH
        yield flat
    else:
        yield "        return json.dumps("
        yield f"            {literal(body, 12, 12)}"
        yield "        )"


# parms


def _parameters(node: SchedulerNode) -> Iterator[dict[str, Any]]:
    """The spare parms with the values of the network, and those of every scheduler that it sets."""
    for spec in node.parms.specs.values():
        if spec.name.endswith("#"):
            yield _parameter(spec, None)
    for parm in node.parms:
        own = parm.is_set and parm.name not in node.configured
        if FIELD_TAG in parm.spec.tags or (parm.name in _BUILTIN and not own):
            continue
        yield _parameter(parm.spec, parm)


def _parameter(spec: ParmSpec, parm: Parm | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": spec.name}
    if spec.label and spec.label != spec.name:
        entry["label"] = spec.label
    entry["type"] = spec.type
    values = list(spec.default if parm is None or parm.values is None else parm.values)
    size = max(spec.size, len(values))
    if size > 1:
        entry["size"] = size
    # A secret comes from the network, by environment, file or command; it never gets into a file.
    if values and not spec.secret:
        entry["value"] = values if size > 1 or len(values) > 1 else values[0]
    tags = sorted(spec.tags | ({SECRET_TAG} if spec.secret else set()))
    if tags:
        entry["tag"] = tags
    if spec.help:
        entry["help"] = spec.help
    return entry


# callbacks


def _bodies(node: SchedulerNode) -> Iterator[tuple[Callback, str]]:
    """The callbacks with a body, in the table's order; a field that is empty and has no default is left to the base."""
    for row in CALLBACKS:
        spec = node.parms.spec_for(row.field) if row.field else None
        if spec is None or FIELD_TAG not in spec.tags:
            continue
        body = snippet(node, row.field).text.rstrip()
        if ast.parse(body).body:
            yield row, body


def _method(row: Callback, body: str) -> Iterator[str]:
    name = row.name
    if name == "transferFile" and calls_itself(body, name):
        # The field may call the copying it stands in for: then it has its later name.
        name = "onTransferFile"
    yield f"    def {name}({', '.join(('self', *row.args))}):"
    yield docstring(row.sentence, 8)
    yield indented(body, 8)
    if row.returns is Returns.TEXT and not isinstance(ast.parse(body).body[-1], ast.Return | ast.Raise):
        yield f"        return super().{row.name}({', '.join(row.args)})"
    if name != row.name:
        yield ""
        yield f"    def {row.signature}:"
        yield docstring("Copies as the base class does.", 8)
        yield f"        return super().{row.name}({', '.join(row.args)})"
