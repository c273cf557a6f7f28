"""Fingerprints: what an item would do, in parts, so that it can be said which part changed.

Nothing of one cook's own goes in: its id, which stands in the paths of its temp directory, is left out wherever it
appears.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from topcook.contract.secrets import redact
from topcook.factory import Tier
from topcook.lean import NamedTuple
from topcook.model.attributes import AttribFlag
from topcook.model.builtinparms import NODE_PARMS
from topcook.model.digests import blake2b
from topcook.model.workitem import Trait
from topcook.runtime.filedependencies import full_path
from topcook.runtime.journal.values import attributes_to_rows, encode
from topcook.runtime.resume.stamps import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.node import Node, SchedulerNode
    from topcook.model.parms import ParmSpec
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph

__all__ = ["Fingerprints", "difference", "is_early"]

VERSION = 1
#: As ``new_cook_id`` makes them.
_COOK = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4,7}")
_IN_PROCESS, _PARTITION = int(Trait.IN_PROCESS), int(Trait.PARTITION)
#: Of more inputs only all together are told.
_MOST_INPUTS = 16
_MOST_ATTRIBUTES = 32
_LONGEST_COMMAND = 1000
_LONGEST_TOLD = 120
_MOST_NAMES = 4
#: Parms of nodes by which an item is made, shown, tried again or looked up; they change nothing of what it makes.
_EXEMPT = frozenset({*(spec.name for spec in NODE_PARMS), "priority", "slots", "itemcount"})
#: Job parms that say how much room a job gets, and when it is its turn; behind a scheduler's own prefix, as in
#: ``local_memory`` or ``hqueue_priority``.
_ROOM = frozenset(
    {
        "priority",
        "memory",
        "cpus",
        "cputime",
        "single",
        "is_CPU_number_set",
        "CPUs_to_use",
        "usehoudinimaxthreads",
        "houdinimaxthreads",
    }
)
#: Attributes that say the same of their item.
_ROOM_OF_ITEM = frozenset({*(spec.name for spec in NODE_PARMS), *(f"local_{name}" for name in _ROOM)})
#: Attributes that make nobody cook again.
#: In place of what the inputs gave, in the fingerprint of an item that was handed over before that was known.
_LATER = "later"
_SILENT = AttribFlag.NoDirty | AttribFlag.Transient
_NONE = AttribFlag.NoFlags


def _digest(text: str) -> str:
    return blake2b(_COOK.sub("<cook>", text).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


#: Of no outputs, declared or given, and no attributes: what most items have of them.
_NOTHING = _digest("")


def _joined(digests: Mapping[str, str]) -> str:
    """One digest of many, whatever their order; names hold no NUL."""
    return _digest("\0".join([f"{name}\0{digests[name]}" for name in sorted(digests)])) if digests else ""


def _files(files: list[File] | None) -> str:
    """One digest of declared files."""
    return _digest("\0".join([f"{file.path}\0{file.tag}" for file in files])) if files else _NOTHING


class Fingerprints:
    """Takes the fingerprints of one cook's items; one thread at a time."""

    def __init__(self, graph: Graph, mode: str) -> None:
        """``mode`` says how files are compared, as for ``Stamps``."""
        self._graph = graph
        self.stamps = Stamps(mode)
        self._nodes: dict[Node, dict[str, str]] = {}
        self._job_parms: dict[tuple[Node, str], str] = {}
        self._given: dict[int, str] = {}

    def of(self, item: WorkItem, made_with: Mapping[str, Attribute] | None = None, *, early: bool = False) -> str:
        """The fingerprint, as text for the journal; taken when all that the item waits for is done, unless ``early``.

        ``made_with`` are its attributes before it was handed over, where that was earlier.
        """
        node = self._of_node(item.node)
        plain = bool(item.command) and not int(item.traits) & _IN_PROCESS
        attributes = self._attributes(item.attributes if made_with is None else made_with)
        batch = item.batch_parent
        # What it needs of its own batch cooks again when any of that does, unless each is cooked apart.
        whole = batch is not None and batch.batch is not None and not batch.batch.apart
        needs = [each for each in item.dependencies if not whole or each.batch_parent is not batch]
        inputs = {} if early else {needed.key: self.given(needed) for needed in needs}
        parts = {
            "type": node["type"],
            "command": _digest(item.command),
            "parms": "" if plain else node["parms"],
            "job parms": self._of_scheduler(item),
            "attributes": _joined(attributes),
            "outputs": _files(item.expected_outputs),
            "files": node["files"],
            "inputs": _LATER if early else _joined(inputs),
        }
        if item.batch is not None:
            parts["sub-items"] = self._of_parts(item.batch.items)
        told = _COOK.sub("<cook>", redact(item.command[:_LONGEST_COMMAND])) if plain else ""
        each = attributes if len(attributes) <= _MOST_ATTRIBUTES else {}
        return encode([VERSION, self.stamps.mode, parts, told, inputs if len(inputs) <= _MOST_INPUTS else {}, each])

    def _of_parts(self, items: list[WorkItem]) -> str:
        """What a batch's job is to do for each of its sub-items, whatever they get to do it with."""
        told = [[sub.key, sub.command, [[file.path, file.tag] for file in sub.expected_outputs or ()]] for sub in items]
        return _digest(encode([told, [self._attributes(sub.attributes) for sub in items]]))

    def given(self, item: WorkItem) -> str:
        """A digest of what a finished item gives to others: attributes, and files as they are now."""
        known = self._given.get(item.id)
        if known is not None:
            return known
        if not item.outputs and not item.attributes:
            return _NOTHING
        outputs = [f"{file.path}\0{file.tag}\0{self.stamps.of(file.path)}" for file in item.outputs or ()]
        if int(item.traits) & _PARTITION:
            # Its members come in whatever order they were done.
            outputs.sort()
        given = _digest("\0".join([_joined(self._attributes(item.attributes)), *outputs]))
        if item.dependents is not None and len(item.dependents) > 1:
            self._given[item.id] = given
        return given

    def _attributes(self, attributes: Mapping[str, Attribute] | None) -> dict[str, str]:
        """A short digest of each attribute, in the order of their names."""
        if not attributes:
            return {}
        kept = {
            name: each
            for name, each in sorted(attributes.items())
            if (each.flags is _NONE or not int(each.flags) & int(_SILENT)) and name not in _ROOM_OF_ITEM
        }
        return {
            # What cannot be written down is never the same again.
            name: "?" if row is None else _digest(encode(row))[:8]
            for name, row in attributes_to_rows(kept).items()
        }

    def _of_node(self, node: Node) -> dict[str, str]:
        known = self._nodes.get(node)
        if known is None:
            record = self._graph.node_record(node)
            files = [*self._graph.network.files, *node.files]
            known = self._nodes[node] = {
                # Ours change with each release, and do what their parms and commands say.
                "type": record.name if record.origin.tier is Tier.BUILTIN else f"{record.name} {record.content_hash}",
                "parms": _digest(encode(_set_parms(node, lambda name: name not in _EXEMPT))),
                "files": _digest(encode([[path, self.stamps.of(full_path(path, self._graph))] for path in files])),
            }
        return known

    def _of_scheduler(self, item: WorkItem) -> str:
        place = (item.node, item.scheduler)
        known = self._job_parms.get(place)
        if known is None:
            own = sorted(item.node.job_parms.items())
            given: list[Any] = [[name, _plain(value)] for name, value in own if not _is_room(name)]
            scheduler = self._graph.network.schedulers.get(item.scheduler)
            if scheduler is not None:
                specs = scheduler.parms.spec_for
                given += _set_parms(scheduler, lambda name: _is_job_parm(specs(name)) and not _is_room(name))
            known = self._job_parms[place] = _digest(encode(given))
        return known


def _is_room(name: str) -> bool:
    return name.partition("_")[2] in _ROOM


def _is_job_parm(spec: ParmSpec | None) -> bool:
    return spec is not None and spec.is_job_parm


def _set_parms(node: Node | SchedulerNode, wanted: Callable[[str], bool]) -> list[list[Any]]:
    """The parms that were given, with their values; of a secret only that there is one."""
    return [
        [parm.name, None if parm.spec.secret else _plain(parm.values)]
        for parm in sorted(node.parms, key=lambda each: each.name)
        if parm.is_set and wanted(parm.name)
    ]


def _plain(value: object) -> Any:
    return json.loads(json.dumps(value, default=repr, sort_keys=True))


def is_early(fingerprint: str) -> bool:
    """Whether it was taken before what the item depends on was done, and so says nothing of that."""
    with suppress(ValueError, TypeError, AttributeError):
        return bool(_Read(*json.loads(fingerprint)).parts.get("inputs") == _LATER)
    return False


def difference(before: str, now: str) -> tuple[str, list[str]]:
    """Which part of a fingerprint is another one, in words, and the keys of the inputs that are; empty when none is.

    Where it is the inputs, and there were too many to keep each, no keys are given. Of an early one all but the inputs
    is compared.
    """
    if before == now:
        return "", []
    try:
        old, new = _Read(*json.loads(before)), _Read(*json.loads(now))
    except (ValueError, TypeError):
        return "what it did then is not known", []
    if old.version != new.version:
        return "an older Topcook has cooked it", []
    changed = [name for name, digest in new.parts.items() if old.parts.get(name) not in {digest, _later_of(name)}]
    if changed and old.mode != new.mode and set(changed) <= {"inputs", "files"}:
        return f"files were compared by {old.mode} then, and are by {new.mode} now", []
    return _told(changed[0], old, new) if changed else ("", [])


def _later_of(part: str) -> str | None:
    return _LATER if part == "inputs" else None


def _told(part: str, old: _Read, new: _Read) -> tuple[str, list[str]]:
    if part == "command" and new.command:
        return f"command changed: {_around(old.command, new.command)}", []
    if part == "attributes":
        return f"attributes changed{_listed(_differing(old.attributes, new.attributes))}", []
    if part == "inputs" and old.inputs.keys() != new.inputs.keys():
        return "it depends on other work items", []
    return _WORDS[part], _differing(old.inputs, new.inputs) if part == "inputs" else []


_WORDS = {
    "type": "the type of its node is another version",
    "command": "command changed",
    "parms": "parms of its node changed",
    "job parms": "job parms of its scheduler changed",
    "outputs": "declared outputs changed",
    "files": "file dependencies of its node changed",
    "inputs": "input changed",
    "sub-items": "its sub-items changed",
}


class _Read(NamedTuple):
    """A fingerprint, read back."""

    version: int
    mode: str
    parts: dict[str, str]
    command: str
    inputs: dict[str, str]
    attributes: dict[str, str]


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [name for name in {**old, **new} if old.get(name) != new.get(name)]


def _listed(names: list[str]) -> str:
    return f": {', '.join(names[:_MOST_NAMES])}{' ...' if len(names) > _MOST_NAMES else ''}" if names else ""


def _around(old: str, new: str) -> str:
    """Both commands; of long ones the words that differ."""
    if len(old) <= _LONGEST_TOLD and len(new) <= _LONGEST_TOLD:
        return f"{old} -> {new}"
    before, after = old.split(" "), new.split(" ")
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    middle = [_cut(" ".join(words[start : len(words) - end])) for words in (before, after)]
    return f"{middle[0] or '(nothing)'} -> {middle[1] or '(nothing)'}"


def _alike(one: list[str], other: list[str]) -> int:
    """How many words two lists begin with alike."""
    short = min(len(one), len(other))
    return next((place for place in range(short) if one[place] != other[place]), short)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}..."
