"""Keys of work items: the same item has the same one in every cook of a network, whatever id it got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.model.digests import blake2b
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.model.workitem import WorkItem

_PARTITION = int(Trait.PARTITION)
#: A parent's key that is longer is told by its digest, so that keys do not grow with the depth of a network.
_LONGEST = 64


class Keys:
    """Gives keys to the items of one cook, in the order in which they are made.

    An item with a name of its own has that as its key. Others are told by their node and by what they come from:
    ``<node>/<index>`` without a parent, ``<node>/<parent's key>/<number among that parent's>`` with one, and a
    partition by the first of its members, in the order of their keys.
    """

    def __init__(self) -> None:
        """Nobody has a key yet."""
        self._made: dict[tuple[str, int], int] = {}
        self._taken: set[str] = set()

    def give(self, items: Iterable[WorkItem]) -> None:
        """Give each item its key; what they depend on has one already, or is among them, before them."""
        for item in items:
            key = self._key(item)
            if key in self._taken:
                number = 2
                while f"{key}#{number}" in self._taken:
                    number += 1
                key = f"{key}#{number}"
            self._taken.add(key)
            item.key = key

    def _key(self, item: WorkItem) -> str:
        if item.custom_name:
            return item.custom_name
        name = item.node.name
        if int(item.traits) & _PARTITION:
            return f"{name}/{_short(min((each.key for each in item.dependencies), default=''))}"
        if item.parent is None:
            return f"{name}/{item.index}"
        place = (name, item.parent.id)
        number = self._made[place] = self._made.get(place, -1) + 1
        return f"{name}/{_short(item.parent.key)}/{number}"


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST else "~" + blake2b(key.encode(), digest_size=9).hexdigest()
