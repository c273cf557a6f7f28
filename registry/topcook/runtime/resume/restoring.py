"""Giving items back what they had in an earlier session or cook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import NamedTuple

if TYPE_CHECKING:
    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.workitem import WorkItem
    from topcook.runtime.journal import PastItem

__all__ = ["Had", "Left", "restore"]

#: An item with outputs and attributes.
Had = tuple["WorkItem", "list[File] | None", "dict[str, Attribute] | None"]


class Left(NamedTuple):
    """A job that an earlier session left: its item, and what is known of it, its token among that.

    One that is not ``wanted`` is only to be ended, because its item is another one by now.
    """

    item: WorkItem
    past: PastItem
    wanted: bool
    #: Whether it may run on where nobody of us has an eye on it, should its scheduler not take it up.
    elsewhere: bool
    #: The outputs and attributes that it had before it was given back those of its last session.
    had: tuple[list[File] | None, dict[str, Attribute] | None]
    #: The same of its sub-items, where it is a batch.
    parts: list[Had]


def restore(item: WorkItem, past: PastItem | None) -> None:
    """Give a finished item its outputs and attributes again, and where its log is."""
    if past is None:
        # Read from disk, without anything being known of it: what it declares is what it has.
        item.outputs = list(item.expected_outputs or ()) or None
        return
    item.outputs = list(past.outputs) or None
    if past.attributes:
        item.attributes = {**(item.attributes or {}), **past.attributes}
    if past.log_uri or past.status_uri:
        run = item.ran()
        run.log_uri, run.status_uri = past.log_uri, past.status_uri
