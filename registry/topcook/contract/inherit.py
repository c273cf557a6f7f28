"""What a work item takes over from those it comes from: attributes, output files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.model.attributes import AttribFlag, Attribute, attribute_of
from topcook.model.states import SUCCESSFUL
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topcook.model.files import File
    from topcook.model.workitem import WorkItem

__all__ = [
    "NO_FLAGS",
    "common_attributes",
    "inherited",
    "pass_expected_outputs",
    "pass_outputs",
    "take_late_attributes",
    "with_flags",
]

NO_FLAGS = AttribFlag.NoFlags
# Plain integers: a flag's own "in" is a Python function, and this is asked of every item.
_AUTOMATIC, _PARTITION = int(Trait.AUTOMATIC), int(Trait.PARTITION)


def inherited(source: WorkItem) -> dict[str, Attribute] | None:
    """The attributes a child of ``source`` starts with, sharing the values; those flagged ``NoCopy`` stay behind."""
    attributes = source.attributes
    if not attributes:
        return None
    # Most attributes carry no flag, and asking for the very object is far cheaper than combining flags.
    if all(attribute.flags is NO_FLAGS for attribute in attributes.values()):
        return dict(attributes)
    kept = {name: attribute for name, attribute in attributes.items() if AttribFlag.NoCopy not in attribute.flags}
    return kept or None


def common_attributes(members: Sequence[WorkItem]) -> dict[str, Attribute] | None:
    """The attributes that all members have with the same type and values; ``None`` when there is none."""
    common = inherited(members[0]) if members else None
    for member in members[1:]:
        if not common:
            return None
        theirs = member.attributes or {}
        common = {name: mine for name, mine in common.items() if _same(mine, theirs.get(name))}
    return common or None


def _same(mine: Attribute, theirs: Attribute | None) -> bool:
    if mine is theirs:
        return True
    if theirs is None or mine.type is not theirs.type:
        return False
    try:
        return bool(mine.values == theirs.values)
    except Exception:  # noqa: BLE001 - a Python object's own __eq__ is author code; what cannot be compared differs
        return False


def pass_outputs(item: WorkItem) -> None:
    """Give an item that cooks nothing itself the output files of what it waited for, in that order, each once.

    An item that was given output files when it was made (a file pattern's) keeps them. Nothing happens before the
    item is done.
    """
    if item.outputs is None and int(item.traits) & _AUTOMATIC and item.state in SUCCESSFUL:
        item.outputs = _each_once(made for needed in item.dependencies for made in needed.outputs or ())


def take_late_attributes(item: WorkItem) -> None:
    """Give an item the attributes that those it comes from got while they cooked; what it has itself stands.

    A static item is made, with the attributes of its parent, before the parent cooks. Called when it is handed over
    or, where there is nothing to hand over, done.
    """
    if item.parent is None and not int(item.traits) & _PARTITION:
        return
    if int(item.traits) & _PARTITION:
        fresh = common_attributes(item.dependencies)
    else:
        fresh = item.parent.attributes if item.parent is not None else None
    if not fresh:
        return
    mine = item.attributes or {}
    if fresh.keys() <= mine.keys():
        return
    late = {name: each for name, each in fresh.items() if name not in mine and AttribFlag.NoCopy not in each.flags}
    if late:
        item.attributes = {**mine, **late}


def pass_expected_outputs(item: WorkItem) -> None:
    """The same for expected output files, as far as they are known when the item is made.

    Nothing is passed on while one of its dependencies is silent: half a list would be taken for the whole.
    """
    if item.outputs is not None or not int(item.traits) & _AUTOMATIC:
        return
    known = [needed.outputs or needed.expected_outputs for needed in item.dependencies]
    if all(known):
        item.expected_outputs = _each_once(made for files in known for made in files or ())


def _each_once(files: Iterable[File]) -> list[File] | None:
    return list({(made.path, made.tag): made for made in files}.values()) or None


def with_flags(value: Any, flags: AttribFlag) -> Attribute:
    """A plain value, or an attribute, as an attribute with these flags."""
    if isinstance(value, Attribute):
        return Attribute(value.type, value.values, flags)
    return attribute_of(value, flags)
